//! What two real daemons cost, beside one TLS stream measured in the same run. That and the entries go
//! through a forwarding thread of the benchmark's, which takes its share of the cores.
//!
//! | file | what |
//! |---|---|
//! | `daemons` | one stream; entries to a fresh daemon; an idle meeting |
//! | `daemons/catch_up` | artefacts to a fresh daemon: time, bytes, processor, memory |
//! | `daemons/live` | an edit until the partner shows it |
//! | `daemons/start` | a start with a million entries |

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::float_arithmetic,
    dead_code,
    reason = "a benchmark reads the clock, divides, prints, and may end the process; the tests' kit has more than it needs"
)]

#[path = "artefacts/board.rs"]
mod board;
#[path = "daemons/catch_up.rs"]
mod catch_up;
#[path = "../tests/daemons/http.rs"]
mod http;
#[path = "daemons/live.rs"]
mod live;
#[path = "../tests/daemons/partnership.rs"]
mod partnership;
#[path = "../tests/daemons/process.rs"]
mod process;
#[path = "../tests/daemons/proxy.rs"]
mod proxy;
#[path = "daemons/start.rs"]
mod start;
#[path = "artefacts/work.rs"]
mod work;

use std::{
    thread,
    time::{Duration, Instant},
};

use concordat_node::net::{self, Lane, NetCommand, NetConfig, NetEvent, NetHandle, NetLimits};
use tokio::sync::mpsc::Receiver;

use partnership::Partnership;
use process::{Node, until};
use proxy::Proxy;

/// Bytes that one TLS stream carries to show its limit.
const STREAM_BYTES: usize = 128 * 1024 * 1024;
/// Length of the frames that it carries them in.
const FRAME_BYTES: usize = 256 * 1024;

fn main() {
    let stream = tls_stream();
    println!("limit: one TLS stream by the same way: {:.0} MB/s", stream / 1e6);
    println!(
        "{:>9} {:>12} {:>14} {:>14} {:>16}",
        "entries", "entries/s", "bytes an entry", "of the stream", "idle meeting, B"
    );
    for entries in [1_000, 100_000] {
        let figures = fresh_daemon(entries);
        let share = figures.bytes as f64 / figures.seconds / stream;
        println!(
            "{entries:>9} {:>12.0} {:>14.1} {share:>14.3} {:>16}",
            entries as f64 / figures.seconds,
            figures.bytes as f64 / entries as f64,
            figures.idle_bytes
        );
    }
    catch_up::measure(stream);
    start::measure();
}

struct Figures {
    seconds: f64,
    bytes: u64,
    idle_bytes: u64,
}

/// A daemon that holds `entries` meets one that has just joined the board, and then meets it again.
fn fresh_daemon(entries: u64) -> Figures {
    let mut board = Partnership::found(&["one", "two"]);
    let lines: String = (0..entries).map(|number| format!("note {number:95}\n")).collect();
    board.nodes[0].write_notes(&lines);
    let size = board.nodes[0].own_size().unwrap();
    board.serve(0);
    let start = Instant::now();
    board.serve(1);
    until("the fresh daemon holds all", || held(&board.nodes[1], "one") >= size);
    let seconds = start.elapsed().as_secs_f64();
    let bytes = traffic(&board.nodes[1]);
    // Both acknowledge what they got, and come to rest.
    until("both hold the same", || digest(&board.nodes[0]) == digest(&board.nodes[1]));
    board.nodes[1].stop();
    board.serve(1);
    until("they meet again", || board.nodes[1].connected() == 1);
    thread::sleep(Duration::from_millis(500));
    let idle_bytes = traffic(&board.nodes[1]);
    Figures { seconds, bytes, idle_bytes }
}

fn held(node: &Node, slug: &str) -> u64 {
    let status = node.status();
    let feeds = status["boards"][0]["feeds"].as_array().unwrap().iter();
    let of_slug = feeds.filter(|feed| feed["slug"] == slug && feed["missing"] == 0);
    of_slug.filter_map(|feed| feed["durable"].as_u64()).sum()
}

fn digest(node: &Node) -> String {
    node.status()["boards"][0]["digest"].to_string()
}

/// Bytes that a node's daemon sent to its peer and received from it, since it started.
fn traffic(node: &Node) -> u64 {
    let peer = &node.status()["peers"][0];
    peer["sent_bytes"].as_u64().unwrap() + peer["received_bytes"].as_u64().unwrap()
}

/// Bytes a second that one stream of our transport carries: libp2p's TCP, TLS and yamux.
fn tls_stream() -> f64 {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (sender, mut sent) = net::start(config(), &[1; 32]).unwrap();
        let (receiver, mut received) = net::start(config(), &[2; 32]).unwrap();
        let proxy = Proxy::start();
        let port = listening(&mut received).await;
        proxy.forward_to(port);
        let address = proxy.address().parse().unwrap();
        allow(&receiver, &sender, vec![]).await;
        allow(&sender, &receiver, vec![address]).await;
        let session = loop {
            if let Some(NetEvent::Connected { session, .. }) = sent.recv().await {
                break session;
            }
        };
        let peer = receiver.local();
        let start = Instant::now();
        let sending = tokio::spawn(async move {
            for _ in 0..STREAM_BYTES / FRAME_BYTES {
                let frame = vec![7; FRAME_BYTES];
                let lane = Lane::Bulk;
                sender.send(NetCommand::Send { peer, session, lane, frame }).await.unwrap();
            }
            sender
        });
        let mut left = STREAM_BYTES;
        while left > 0 {
            if let Some(NetEvent::Frame { bytes, .. }) = received.recv().await {
                left -= bytes.len();
            }
        }
        let rate = STREAM_BYTES as f64 / start.elapsed().as_secs_f64();
        drop(sending.await.unwrap());
        rate
    })
}

fn config() -> NetConfig {
    let limits = NetLimits {
        // All of it may wait: the benchmark does not pace itself by credit.
        bulk_frames_max: STREAM_BYTES / FRAME_BYTES + 1,
        queue_bytes_max: 2 * STREAM_BYTES as u64,
        ..NetLimits::default()
    };
    NetConfig {
        listen: vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()],
        is_announced: false,
        redial_ms_min: 50,
        redial_ms_max: 300,
        limits,
    }
}

async fn listening(events: &mut Receiver<NetEvent>) -> u16 {
    loop {
        if let Some(NetEvent::Listening { address }) = events.recv().await {
            return address.to_string().rsplit('/').next().unwrap().parse().unwrap();
        }
    }
}

async fn allow(of: &NetHandle, peer: &NetHandle, addresses: Vec<libp2p::Multiaddr>) {
    of.send(NetCommand::Allow { peer: peer.local(), addresses }).await.unwrap();
}
