//! TCP and QUIC between real daemons: which of the two is taken, and that a partner that no longer
//! answers is noticed over either.
//!
//! Each node has a loopback address of its own, so that ports can be chosen and do not clash.

use std::{
    net::UdpSocket,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{
    notes,
    partnership::{Partnership, Reach},
    process::until,
};

static TAKEN: AtomicU32 = AtomicU32::new(0);

/// A loopback address that no other test uses: of this process and this call.
pub(crate) fn loopback() -> String {
    let process = std::process::id() % 65_536;
    let number = TAKEN.fetch_add(1, Ordering::Relaxed);
    assert!(number < 250);
    format!("127.{}.{}.{}", process / 256, process % 256, number + 2)
}

pub(crate) fn tcp(host: &str) -> String {
    format!("/ip4/{host}/tcp/4001")
}

pub(crate) fn quic(host: &str) -> String {
    format!("/ip4/{host}/udp/4001/quic-v1")
}

/// Over which transport a node is connected to another, and where it dialled it, if it did.
fn path(board: &Partnership, from: usize, slug: &str) -> (String, Option<String>) {
    let peer = board.nodes[from].peer(slug);
    let path = &peer["paths"][0];
    let text = |name: &str| path[name].as_str().unwrap_or_default().to_owned();
    (text("transport"), (path["is_dialled"] == true).then(|| text("address")))
}

#[test]
fn two_daemons_meet_over_quic_alone() {
    let address = quic(&loopback());
    let only_dials = Reach::default();
    let mut board = Partnership::found_at(
        &[("la-wigan", Reach::at(&[&address])), ("gmhscp", only_dials)],
        ("", ""),
    );
    board.serve_all();
    board.until_all_meet();

    board.nodes[0].run(&["note", "over QUIC"]);
    until("it has come", || notes(&board.nodes[1], "la-wigan") == ["over QUIC"]);

    assert_eq!(path(&board, 1, "la-wigan"), ("quic".to_owned(), Some(address.clone())));
    assert_eq!(path(&board, 0, "gmhscp"), ("quic".to_owned(), None));
    let words = board.nodes[1].run(&["status"]);
    assert!(words.contains(&format!("la-wigan: connected over QUIC to {address}, ")), "{words}");
}

/// What a partner behind a firewall that drops UDP sees: the address is there and never answers.
#[test]
fn a_daemon_whose_udp_goes_nowhere_meets_over_tcp() {
    let (host, nowhere) = (loopback(), loopback());
    let _silent = UdpSocket::bind((nowhere.as_str(), 4001)).unwrap();
    let reach = Reach { listen: vec![tcp(&host)], announce: vec![quic(&nowhere), tcp(&host)] };
    let mut board =
        Partnership::found_at(&[("la-wigan", reach), ("gmhscp", Reach::default())], ("", ""));
    board.serve_all();
    board.until_all_meet();

    assert_eq!(path(&board, 1, "la-wigan"), ("tcp".to_owned(), Some(tcp(&host))));
}

/// Two partners stop in the middle of a session without a word, one on each transport: both are
/// noticed, and met again once they go on.
#[test]
fn a_daemon_that_stops_answering_is_noticed_over_either_transport() {
    let hosts = [loopback(), loopback(), loopback()];
    let mut board = Partnership::found_at(
        &[
            ("la-wigan", Reach::default()),
            ("ccg-trafford", Reach::at(&[&tcp(&hosts[1])])),
            ("gmhscp", Reach::at(&[&quic(&hosts[2])])),
        ],
        ("", ""),
    );
    board.serve_all();
    board.until_all_meet();
    assert_eq!(path(&board, 0, "ccg-trafford").0, "tcp");
    assert_eq!(path(&board, 0, "gmhscp").0, "quic");

    board.nodes[1].signal("-STOP");
    board.nodes[2].signal("-STOP");
    // More than the machine takes in for a process that reads nothing.
    let many: String =
        (0..400).map(|number| format!("{number} {}\n", "x".repeat(60_000))).collect();
    board.nodes[0].write_notes(&many);
    until("both are found to be away", || board.nodes[0].connected() == 0);
    board.nodes[0].run(&["note", "meanwhile"]);
    board.nodes[1].signal("-CONT");
    board.nodes[2].signal("-CONT");

    board.until_all_meet();
    until("what was written meanwhile has come", || {
        board.nodes[1..].iter().all(|node| notes(node, "la-wigan").len() == 401)
    });
}
