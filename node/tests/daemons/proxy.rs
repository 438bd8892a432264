//! A loopback proxy in front of a node: what its partners dial, so that it can be cut off.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

#[derive(Default)]
struct State {
    upstream: Option<SocketAddr>,
    takes_no_new: bool,
    accepted: u64,
    open: Vec<TcpStream>,
}

pub(crate) struct Proxy {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    /// Listens on a port of the system's choice; nobody is behind it yet.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        // Ends with the test's process.
        thread::spawn(move || {
            for incoming in listener.incoming().flatten() {
                shared.lock().unwrap().take(incoming);
            }
        });
        Self { port, state }
    }

    /// The address that partners dial.
    pub(crate) fn address(&self) -> String {
        format!("/ip4/127.0.0.1/tcp/{}", self.port)
    }

    /// Who is behind it now.
    pub(crate) fn forward_to(&self, port: u16) {
        self.state.lock().unwrap().upstream = Some(([127, 0, 0, 1], port).into());
    }

    /// Ends what is open and takes nothing new.
    pub(crate) fn cut(&self) {
        let mut state = self.state.lock().unwrap();
        state.takes_no_new = true;
        for stream in state.open.drain(..) {
            let _ended = stream.shutdown(Shutdown::Both);
        }
    }

    /// Lets what is open be, and takes nothing new.
    pub(crate) fn refuse_new(&self) {
        self.state.lock().unwrap().takes_no_new = true;
    }

    /// Forwards again.
    pub(crate) fn heal(&self) {
        self.state.lock().unwrap().takes_no_new = false;
    }

    /// Connections that were forwarded.
    pub(crate) fn accepted(&self) -> u64 {
        self.state.lock().unwrap().accepted
    }
}

impl State {
    fn take(&mut self, incoming: TcpStream) {
        if self.takes_no_new {
            return;
        }
        let Some(outgoing) = self.upstream.and_then(|upstream| TcpStream::connect(upstream).ok())
        else {
            return;
        };
        self.accepted += 1;
        for (from, to) in [(&incoming, &outgoing), (&outgoing, &incoming)] {
            let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            thread::spawn(move || copy(from, to));
        }
        self.open.extend([incoming, outgoing]);
    }
}

/// One way, until either end closes.
fn copy(mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ended = to.shutdown(Shutdown::Both);
    let _ended = from.shutdown(Shutdown::Both);
}
