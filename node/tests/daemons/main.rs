//! Real daemons: processes of the built program, each with its own keys, over TCP and TLS on
//! loopback ports that the system chooses.
//!
//! They stand in this package and not with the simulations because Cargo tells the path of a program to the tests of its own
//! package alone. Every wait is for a condition, with one deadline.

// Says to lints that all of this is test code.
#![cfg(test)]

mod api;
mod artefacts;
mod audit;
mod bundles;
mod copies;
mod damages;
mod doctor;
mod dossiers;
mod epochs;
mod forgeries;
mod http;
mod journal;
#[path = "../store/mounts.rs"]
mod mounts;
mod netns;
mod partitions;
mod partnership;
mod patients;
mod private;
mod process;
mod proxy;
mod ranges;
mod records;
mod scenarios;
mod secrets;
mod staff;
mod storage;
mod tamper;
mod transports;
mod verifiers;

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use serde_json::Value;

use partnership::Partnership;
use process::{Node, refused, until};

/// Board digests of the nodes, feed sizes and last entries: all that must be equal in the end.
fn holdings(node: &Node) -> (Value, Vec<(Value, Value, Value)>) {
    let board = &node.status()["boards"][0];
    let feeds = board["feeds"].as_array().unwrap().iter();
    let heads =
        feeds.map(|feed| (feed["slug"].clone(), feed["size"].clone(), feed["last"].clone()));
    (board["digest"].clone(), heads.collect())
}

/// The texts of the notes that a node holds of one member, in their order.
fn notes(node: &Node, slug: &str) -> Vec<String> {
    let log = node.json(&["log", "--feed", slug, "--from", "0", "--limit", "20000"]);
    let texts = log["entries"].as_array().unwrap().iter();
    texts.filter_map(|entry| entry["text"].as_str().map(str::to_owned)).collect()
}

fn lines(who: &str, from: usize, to: usize) -> String {
    (from..to).map(|number| format!("{who} writes note {number}\n")).collect()
}

/// Three organisations found a board by files and write 10,000 notes, while one of them is killed in
/// the middle of its writing and started again, and another is cut off from the rest.
#[test]
fn three_daemons_end_with_equal_heads_after_a_kill_and_a_cut() {
    let mut board = Partnership::found(&["la-wigan", "ccg-trafford", "gmhscp"]);
    board.serve_all();
    board.until_all_meet();

    // The second is killed while it writes, the third is cut off.
    let writing = board.nodes[1].start_notes(&lines("second", 0, 4_000));
    until("the second has written some", || {
        board.nodes[1].own_size().is_some_and(|size| size > 200)
    });
    // Nobody dials the first but, at worst, the third.
    board.proxies[2].cut();
    board.proxies[0].cut();
    board.nodes[1].kill();
    let _ended = writing.wait_with_output().unwrap();
    until("the third is alone", || board.nodes[2].connected() == 0);

    // The first and the third write on, apart.
    board.nodes[0].write_notes(&lines("first", 0, 3_000));
    board.nodes[2].write_notes(&lines("third", 0, 3_000));
    assert_eq!(notes(&board.nodes[0], "gmhscp"), Vec::<String>::new());

    // The second comes back and writes what was not yet written.
    board.serve(1);
    let written = notes(&board.nodes[1], "ccg-trafford").len();
    assert!(written > 0);
    board.nodes[1].write_notes(&lines("second", written, 4_000));
    board.proxies[0].heal();
    board.proxies[2].heal();

    until("all hold the same", || {
        let first = holdings(&board.nodes[0]);
        board.nodes[1..].iter().all(|node| holdings(node) == first)
            && notes(&board.nodes[0], "gmhscp").len() == 3_000
    });
    for node in &board.nodes {
        for (slug, who, count) in [
            ("la-wigan", "first", 3_000),
            ("ccg-trafford", "second", 4_000),
            ("gmhscp", "third", 3_000),
        ] {
            let expected = lines(who, 0, count);
            assert!(notes(node, slug).iter().eq(expected.lines()), "{slug} at {}", node.name());
        }
        let standings: BTreeSet<String> = node.status()["boards"][0]["feeds"]
            .as_array()
            .unwrap()
            .iter()
            .map(|feed| feed["standing"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(standings, BTreeSet::from(["sound".to_owned()]));
        // Acknowledgements go on being written; one may be ahead of what it is about.
        let mut report = Value::Null;
        until("all of an export can be checked", || {
            report = board.export_and_audit(node);
            assert_ne!(report["exit_code"], 1, "{report}");
            report["exit_code"] == 0
        });
        let feeds = report["feeds"].as_array().unwrap().iter();
        let entries: u64 = feeds.map(|feed| feed["entries"].as_u64().unwrap()).sum();
        assert!(entries >= 10_003, "{report}");
    }
}

/// A fourth organisation knows the members' cards and has their board file. Every attempt is turned
/// away and counted, all of them leave one line, and none moves a byte of the application.
#[test]
fn a_stranger_gets_nothing_and_leaves_one_line() {
    let mut board = Partnership::found(&["la-wigan", "ccg-trafford"]);
    board.serve_all();
    board.until_all_meet();
    // The lower key dials, so nobody but the stranger comes in through the first proxy.
    let before = board.proxies[0].accepted();
    let mut stranger = Node::init(board.path(), "stranger", "council", &[]);
    stranger.configure("redial_ms_min = 20\nredial_ms_max = 100\n");
    stranger.run(&["card", "add", &board.card(0)]);
    let told = refused(&stranger.command(&["board", "join", &board.board_file()]), 1);
    assert!(told.contains("is not a member of") && told.contains("[not-a-member]"), "{told}");

    stranger.serve();
    until("five attempts", || board.proxies[0].accepted() >= before + 5);
    board.proxies[0].refuse_new();
    let attempts = board.proxies[0].accepted() - before;
    let count = || board.nodes[0].status()["strangers"].as_u64().unwrap();
    until("each attempt was counted", || count() >= attempts);

    assert_eq!(count(), attempts);
    assert_eq!(board.nodes[0].log_lines("code=\"stranger\""), 1);
    let peers = stranger.status()["peers"].clone();
    let peer = &peers[0];
    for (what, expected) in [
        ("is_connected", Value::from(false)),
        ("sent_bytes", 0.into()),
        ("received_bytes", 0.into()),
        ("queued_bytes", 0.into()),
    ] {
        assert_eq!(peer[what], expected, "{what}");
    }
    assert_eq!(stranger.status()["boards"], Value::Array(vec![]));
    let known = board.nodes[0].status()["peers"].clone();
    let names: Vec<&str> =
        known.as_array().unwrap().iter().map(|peer| peer["slug"].as_str().unwrap()).collect();
    assert_eq!(names, ["ccg-trafford"]);
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(copied.success());
}

/// A store that was put back from a backup is noticed by the high-water mark: the node fetches its
/// own feed from its partners before it signs, and goes on after it.
#[test]
fn a_daemon_with_an_older_store_asks_its_partners_before_it_signs() {
    let mut board = Partnership::found(&["la-wigan", "ccg-trafford", "gmhscp"]);
    board.serve_all();
    board.until_all_meet();
    board.nodes[1].run(&["note", "before the backup"]);
    board.nodes[1].stop();
    let (store, backup) = (board.nodes[1].store(), board.path().join("backup"));
    copy(&store, &backup);
    board.serve(1);
    board.until_all_meet();
    board.nodes[1].run(&["note", "after the backup"]);
    until("the others hold it", || notes(&board.nodes[0], "ccg-trafford").len() == 2);
    board.nodes[1].stop();

    fs::remove_dir_all(&store).unwrap();
    copy(&backup, &store);
    board.proxies[1].cut();
    board.nodes[1].serve();

    let status = board.nodes[1].status();
    let why = status["restored"].as_str().unwrap();
    assert!(why.contains("does not hold entry"), "{why}");
    let waiting = board.nodes[1].json(&["note", "once it is sure"]);
    assert_eq!((&waiting["written"], &waiting["waiting"]), (&Value::Array(vec![]), &1.into()));
    assert_eq!(notes(&board.nodes[1], "ccg-trafford"), ["before the backup"]);

    board.heal(1);
    let expected = ["before the backup", "after the backup", "once it is sure"];
    until("it has signed after its own later entries", || {
        notes(&board.nodes[0], "ccg-trafford") == expected
    });
    let feeds = board.nodes[0].status()["boards"][0]["feeds"].clone();
    assert!(feeds.as_array().unwrap().iter().all(|feed| feed["standing"] == "sound"));
    board.nodes[1].stop();
    assert_eq!(board.nodes[1].status()["restored"], Value::Null);
}

/// One home has one daemon, and a stop by signal loses nothing and ends with 0.
#[test]
fn a_second_daemon_is_refused_and_a_stop_is_clean() {
    let mut board = Partnership::found(&["la-wigan", "ccg-trafford"]);
    board.serve(0);
    for command in [&["serve"][..], &["keys", "lock"], &["keys", "unlock"], &["keys", "passphrase"]]
    {
        let told = refused(&board.nodes[0].command(command), 2);
        assert!(told.contains("a daemon runs already for this home"), "{command:?}: {told}");
    }
    board.nodes[0].write_notes(&lines("first", 0, 100));

    board.nodes[0].stop();

    assert_eq!(notes(&board.nodes[0], "la-wigan").len(), 100);
    let mark = fs::read_to_string(board.nodes[0].home().join("high-water")).unwrap();
    assert!(mark.contains(" 101 entry-"), "{mark}");
    assert!(!board.nodes[0].home().join("control.sock").exists());
}

/// When the disk takes no more, the daemon says so, ends, and has lost nothing that it called written.
#[test]
fn a_daemon_whose_disk_is_full_ends_and_loses_nothing_that_was_written() {
    let mut board = Partnership::found_on("redb", &["la-wigan", "ccg-trafford"]);
    let text = "x".repeat(60_000);
    board.nodes[0].serve_with_file_limit(4 * 1024 * 1024);

    let mut written = 0;
    let refusal = loop {
        let output = board.nodes[0].command(&["note", &text]);
        if !output.status.success() {
            break refused(&output, 2);
        }
        written += 1;
        assert!(written < 1_000, "the limit does not hold");
    };

    assert!(refusal.contains("the daemon ended before it answered"), "{refusal}");
    assert_eq!(board.nodes[0].wait(), Some(2));
    assert_eq!(board.nodes[0].log_lines("code=\"ended\""), 1);
    assert!(written > 0);
    let held = notes(&board.nodes[0], "la-wigan").len();
    assert!((written..=written + 1).contains(&held), "{held} of {written}");
}
