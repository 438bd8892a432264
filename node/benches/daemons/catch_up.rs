//! A fresh daemon joins a board of many artefacts: until it holds all of them, verified and durable. Then
//! one edit after another, as `live` measures it.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    time::{Duration, Instant},
};

use concordat_node::{
    control::{self, Answer, Reply, Request},
    store::EngineKind,
    view::Status,
};

use crate::{board::Board, live, process::Node, work};

const COUNTS: [usize; 2] = [1_000, 10_000];
/// Artefacts that are edited in turn.
const EDITED: usize = 100;
const PAUSE: Duration = Duration::from_millis(5);
const KB: f64 = 1_024.0;
/// What `getconf CLK_TCK` says on every Linux there is.
const TICKS_A_SECOND: f64 = 100.0;

/// `stream`: bytes a second that one TLS stream carries.
pub(crate) fn measure(stream: f64) {
    println!("\na fresh daemon joins a board of artefacts; both on sled, straight over loopback");
    println!(
        "{:>10} {:>8} {:>11} {:>9} {:>13} {:>14} {:>22}",
        "artefacts",
        "s",
        "artefacts/s",
        "kB each",
        "of the stream",
        "processor s",
        "resident MB, both"
    );
    for count in COUNTS {
        let place = tempfile::tempdir().unwrap();
        let mut board = Board::found(place.path(), EngineKind::Sled);
        let ids = work::fill(&mut board, count);
        drop(board);
        let (old, fresh) = join(place.path(), count, stream);
        if count == COUNTS[0] {
            let ids: Vec<String> = ids.iter().take(EDITED).map(ToString::to_string).collect();
            live::measure([&old, &fresh], &ids);
        }
    }
}

fn join(place: &Path, count: usize, stream: f64) -> (Node, Node) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("\"/ip4/127.0.0.1/tcp/{port}\"");
    let common = "http = \"127.0.0.1:0\"\nredial_ms_min = 20\nredial_ms_max = 100\n";
    let listens = format!("listen = [{address}]\nannounce = [{address}]\n{common}");
    fs::write(place.join("la-one/concordat.toml"), listens).unwrap();
    fs::write(place.join("la-four/concordat.toml"), format!("listen = []\n{common}")).unwrap();
    let mut old = Node::at(&place.join("la-one"), true);
    let mut fresh = Node::at(&place.join("la-four"), false);
    old.serve();
    let wanted = entries(&status(&old)).0;
    let card = place.join("one-now.card");
    old.run(&["card", "export", "--out", card.to_str().unwrap()]);
    fresh.run(&["board", "join", place.join("founded.board").to_str().unwrap()]);
    fresh.run(&["card", "add", card.to_str().unwrap()]);
    let (start, worked) = (Instant::now(), processor(&old));

    fresh.serve();
    while entries(&status(&fresh)) < (wanted, 0) {
        std::thread::sleep(PAUSE);
    }

    let seconds = start.elapsed().as_secs_f64();
    let worked = processor(&old) - worked + processor(&fresh);
    let peers = status(&fresh).peers;
    let bytes: u64 = peers.iter().map(|peer| peer.sent_bytes + peer.received_bytes).sum();
    let (bytes, each) = (bytes as f64, bytes as f64 / count as f64 / KB);
    let resident = [&old, &fresh].map(|node| resident(node) / KB);
    println!(
        "{count:>10} {seconds:>8.2} {:>11.0} {each:>9.2} {:>13.3} {worked:>14.1} {:>10.0} and {:>7.0}",
        count as f64 / seconds,
        bytes / seconds / stream,
        resident[0],
        resident[1],
    );
    (old, fresh)
}

pub(crate) fn status(node: &Node) -> Status {
    let reply = control::ask(&node.home().join("control.sock"), &Request::Status).unwrap();
    match reply {
        Some(Reply::Done(Answer::Status(status))) => *status,
        other => panic!("{other:?}"),
    }
}

/// Durable entries of others' feeds that were there when the measurement began, and payloads that are due.
fn entries(status: &Status) -> (u64, i64) {
    let feeds = || status.boards[0].feeds.iter().filter(|feed| feed.slug != "la-four");
    let missing: usize = feeds().map(|feed| feed.missing).sum();
    (feeds().map(|feed| feed.durable).sum(), -i64::try_from(missing).unwrap())
}

/// Seconds that a daemon has worked.
fn processor(node: &Node) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", node.process())).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = [11, 12].iter().map(|at| fields[*at].parse::<f64>().unwrap()).sum();
    ticks / TICKS_A_SECOND
}

/// Memory that a daemon has, in KiB.
pub(crate) fn resident(node: &Node) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", node.process())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
