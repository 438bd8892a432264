//! The control socket end to end, with a daemon that answers by itself.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::{Path, PathBuf},
};

use super::*;
use crate::replica::{Order, Question};

/// A place for a socket; a short path, as sockets need.
fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control.sock");
    (directory, path)
}

/// Serves `calls` requests at this path, on the current runtime, telling each what was asked.
fn serve(path: &Path, calls: usize) -> Server {
    let (asking, mut received) = Calls::open();
    let server = Server::start(path, asking).unwrap();
    tokio::spawn(async move {
        for _ in 0..calls {
            let Call { order, reply } = received.recv().await.unwrap();
            let Order::Read(Question::Charter(board)) = order else { panic!("{order:?}") };
            reply.send(Reply::Done(Answer::Charter(board.unwrap_or_default()))).unwrap();
        }
    });
    server
}

fn charter(board: &str) -> Request {
    Request::Charter { board: Some(board.to_owned()) }
}

async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test]
async fn a_request_is_answered_and_the_socket_is_for_its_owner_alone() {
    let (_directory, path) = place();
    let server = serve(&path, 1);
    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);

    let at = path.clone();
    let reply = aside(move || ask(&at, &charter("a"))).await.unwrap();

    assert!(matches!(reply, Some(Reply::Done(Answer::Charter(board))) if board == "a"));
    drop(server);
    assert!(!path.exists());
    assert!(ask(&path, &charter("b")).unwrap().is_none());
}

#[tokio::test]
async fn a_socket_left_behind_is_replaced_and_one_in_use_is_not() {
    let (_directory, path) = place();
    // As a killed daemon leaves it: the file is there, and nobody listens.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(ask(&path, &charter("a")).unwrap().is_none());

    let _server = serve(&path, 0);

    let second = Server::start(&path, Calls::open().0);
    assert!(matches!(second, Err(ServerError::Taken { path: taken }) if taken == path));
}

#[tokio::test]
async fn what_is_no_request_is_refused_and_the_next_is_answered() {
    let (_directory, path) = place();
    let _server = serve(&path, 1);
    let lines = aside(move || {
        let mut stream = UnixStream::connect(path).unwrap();
        stream.write_all(b"{\"fly\":null}\nnot json\n{\"charter\":{\"board\":\"c\"}}\n").unwrap();
        BufReader::new(stream).lines().take(3).map(Result::unwrap).collect::<Vec<_>>()
    })
    .await;
    let code = |line: &str| match serde_json::from_str(line).unwrap() {
        Reply::Refused(refusal) => refusal.code,
        Reply::Done(Answer::Charter(board)) => board,
        Reply::Done(other) => panic!("{other:?}"),
    };
    let codes: Vec<String> = lines.iter().map(|line| code(line)).collect();
    assert_eq!(codes, ["other-version", "other-version", "c"]);
}

#[tokio::test]
async fn a_client_is_told_when_the_daemon_ends_before_it_answers() {
    let (_directory, path) = place();
    let (asking, mut received) = Calls::open();
    let server = Server::start(&path, asking).unwrap();
    let asking = tokio::task::spawn_blocking(move || ask(&path, &charter("a")));
    // Taken, and dropped without an answer.
    drop(received.recv().await.unwrap());

    let told = asking.await.unwrap().unwrap_err();

    assert!(matches!(told, ControlError::NoAnswer), "{told}");
    drop(server);
}
