//! A client of the API: one request a connection, over the loopback port or the Unix socket.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    path::PathBuf,
    time::Duration,
};

use serde_json::Value;

use crate::process::Node;

/// Longer than any answer takes, so that a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(90);

/// Where the API is, and with which token it is asked.
#[derive(Clone)]
pub(crate) struct Client {
    address: String,
    socket: Option<PathBuf>,
    token: Option<String>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}", self.body))
    }

    /// The code of a refusal, which must be a whole problem of this status.
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        assert!(
            self.headers.contains("content-type: application/problem+json"),
            "{}",
            self.headers
        );
        let problem = self.json();
        let text = |field: &str| problem[field].as_str().unwrap().to_owned();
        assert_eq!(problem["status"], status);
        assert_eq!(text("type"), format!("urn:concordat:problem:{}", text("code")));
        assert!(
            ["title", "detail", "next"].iter().all(|field| !text(field).is_empty()),
            "{problem}"
        );
        text("code")
    }

    /// What was asked for, as it is when all is well.
    pub(crate) fn done(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.json()
    }
}

impl Client {
    /// Of a running node, without a token.
    pub(crate) fn of(node: &Node) -> Self {
        let address = node.status()["listening"]["http"].as_str().unwrap().to_owned();
        Self { address, socket: None, token: None }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// With a new token of this role.
    pub(crate) fn with_role(&self, node: &Node, role: &str) -> Self {
        let made = node.json(&["token", "new", "--role", role, "--name", "A test"]);
        self.with_token(made["token"].as_str().unwrap())
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same over the Unix socket.
    pub(crate) fn over_socket(&self, node: &Node) -> Self {
        Self { socket: Some(node.home().join("http.sock")), ..self.clone() }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(&self.head("GET", path, ""), "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let headers =
            format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        self.send(&self.head("POST", path, &headers), &body)
    }

    /// A request with these headers and this body, which need not be right.
    pub(crate) fn post_raw(&self, path: &str, headers: &str, body: &str) -> Answer {
        self.send(&self.head("POST", path, headers), body)
    }

    fn head(&self, method: &str, path: &str, headers: &str) -> String {
        let token = self.token.as_ref().map(|token| format!("authorization: Bearer {token}\r\n"));
        let token = token.unwrap_or_default();
        format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{token}{headers}")
    }

    fn send(&self, head: &str, body: &str) -> Answer {
        let mut stream = self.connect();
        let request = format!("{head}connection: close\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (headers, body) = text.split_once("\r\n\r\n").unwrap();
        let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, headers: headers.to_owned(), body: body.to_owned() }
    }

    fn connect(&self) -> Box<dyn Stream> {
        match &self.socket {
            Some(path) => {
                let stream = UnixStream::connect(path).unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                Box::new(stream)
            }
            None => {
                let stream = TcpStream::connect(&self.address).unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                Box::new(stream)
            }
        }
    }

    /// Listens to what changes, from after the event with this id on.
    pub(crate) fn listen(&self, last: Option<&str>) -> Events {
        let mut stream = self.connect();
        let last = last.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        let head = self.head("GET", "/api/v1/events", &last);
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        Events(BufReader::new(stream))
    }
}

trait Stream: Read + Write + Send {}

impl<S: Read + Write + Send> Stream for S {}

/// A stream of server-sent events.
pub(crate) struct Events(BufReader<Box<dyn Stream>>);

impl Events {
    /// The next one: name, id and data. Lines that are no field of an event are those of HTTP.
    pub(crate) fn next(&mut self) -> (String, String, Value) {
        self.next_or_end().expect("the stream goes on")
    }

    /// The same; none when the stream ends, or nothing comes for long.
    pub(crate) fn next_or_end(&mut self) -> Option<(String, String, Value)> {
        let (mut name, mut id, mut data) = (String::new(), String::new(), Value::Null);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap_or(0) == 0 {
                return None;
            }
            let line = line.trim_end();
            if let Some(text) = line.strip_prefix("event: ") {
                name = text.to_owned();
            } else if let Some(text) = line.strip_prefix("id: ") {
                id = text.to_owned();
            } else if let Some(text) = line.strip_prefix("data: ") {
                data = serde_json::from_str(text).unwrap();
            } else if line.is_empty() && !name.is_empty() {
                return Some((name, id, data));
            }
        }
    }
}
