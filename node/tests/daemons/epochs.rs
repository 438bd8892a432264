//! Keys are changed by a command, and partners go on with the organisation under its new key.

use std::fs;

use serde_json::Value;

use crate::{
    holdings, notes,
    partnership::Partnership,
    process::{Node, refused, until},
};

const SLUGS: [&str; 3] = ["la-wigan", "ccg-trafford", "gmhscp"];

/// Epoch, entries, settled entries and standing of a member's feeds with entries, as a node sees them.
fn epochs(node: &Node, slug: &str) -> Vec<(u64, u64, u64, String)> {
    let status = node.status();
    let feeds = status["boards"][0]["feeds"].as_array().unwrap().iter();
    let number = |feed: &Value, field: &str| feed[field].as_u64().unwrap();
    let feeds = feeds.filter(|feed| feed["slug"] == slug && feed["size"] != 0).map(|feed| {
        let standing = feed["standing"].as_str().unwrap().to_owned();
        (number(feed, "epoch"), number(feed, "size"), number(feed, "settled"), standing)
    });
    feeds.collect()
}

/// Whether of what a member wrote a node knows nothing to be unsettled but acknowledgements, which
/// nobody acknowledges.
fn holds_all_settled(node: &Node, slug: &str, below: impl Fn(u64) -> u64) -> bool {
    let log = node.json(&["log", "--feed", slug, "--from", "0", "--limit", "20000"]);
    let number = |entry: &Value, name: &str| entry[name].as_u64().unwrap();
    log["entries"].as_array().unwrap().iter().all(|entry| {
        entry["is_settled"] == true
            || entry["kind"] == "ack"
            || number(entry, "seq") >= below(number(entry, "epoch"))
    })
}

/// All nodes hold the same, and of this member's feeds of these epochs everything is settled.
pub(crate) fn until_settled(board: &Partnership, slug: &str, expected: &[u64]) {
    until("all hold and settle both feeds", || {
        let first = holdings(&board.nodes[0]);
        board.nodes.iter().all(|node| {
            let feeds = epochs(node, slug);
            let numbers: Vec<u64> = feeds.iter().map(|feed| feed.0).collect();
            let are_sound = feeds.iter().all(|feed| feed.3 == "sound");
            let are_settled = || holds_all_settled(node, slug, |_| u64::MAX);
            numbers == expected && are_sound && are_settled() && holdings(node) == first
        })
    });
}

fn card_of(node: &Node, peer: &str) -> Value {
    let peers = node.status()["peers"].clone();
    let known = peers.as_array().unwrap().iter().find(|line| line["slug"] == peer).cloned();
    known.unwrap()
}

#[test]
fn a_rotated_key_is_learned_from_its_entries_and_partners_settle_both_feeds() {
    let mut board = Partnership::found(&SLUGS);
    board.serve_all();
    board.until_all_meet();
    until("both partners have told their clocks, which are this machine's", || {
        let clock = board.nodes[1].status()["clock"].clone();
        clock["peers"] == 2 && clock["warning"] == Value::Null && clock["ahead_ms"].is_i64()
    });
    board.nodes[1].run(&["note", "under the old key"]);
    let told = refused(&board.nodes[1].command(&["keys", "rotate"]), 1);
    assert!(told.contains("a daemon runs") && told.contains("[daemon-runs]"), "{told}");
    let before = board.nodes[1].json(&["keys", "show"]);
    board.nodes[1].stop();

    let changed = board.nodes[1].json(&["keys", "rotate"]);

    assert_eq!((&changed["epoch"], &changed["has_begun"]), (&1.into(), &true.into()));
    assert_ne!(changed["feed_key"], before["feed_key"]);
    assert_eq!(changed["node"], before["node"]);
    let after = board.nodes[1].json(&["keys", "show"]);
    assert_eq!(after["feed_key"], changed["feed_key"]);
    assert!(!board.nodes[1].home().join("keys/feed.key").exists());
    board.nodes[1].run(&["note", "offline, under the new key"]);
    board.serve(1);
    board.until_all_meet();
    board.nodes[1].run(&["note", "under the new key"]);

    until_settled(&board, SLUGS[1], &[0, 1]);
    let expected = ["under the old key", "offline, under the new key", "under the new key"];
    for node in &board.nodes {
        assert_eq!(notes(node, SLUGS[1]), expected, "at {}", node.name());
    }
    // At the next meeting partners take the card of the new epoch, with whatever else it says.
    let moved = "announce = [\"/ip4/127.0.0.1/tcp/9\", ";
    let config = board.nodes[1].home().join("concordat.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("announce = [", moved)).unwrap();
    board.nodes[1].stop();
    board.serve(1);
    until("the first has learned the card of the new epoch", || {
        card_of(&board.nodes[0], SLUGS[1])["addresses"].as_array().unwrap().len() == 2
    });
    let report = board.export_and_audit(&board.nodes[0]);
    assert_ne!(report["exit_code"], 1, "{report}");
}

/// The machine was stolen: its feed key wrote on, and its node key could still connect. The recovery
/// key takes over from an earlier end, and partners let the new node in by its card.
#[test]
fn a_stolen_key_is_replaced_by_the_recovery_key_and_partners_let_the_new_node_in() {
    let mut board = Partnership::found(&SLUGS);
    board.serve_all();
    board.until_all_meet();
    board.nodes[2].run(&["note", "ours"]);
    until_settled(&board, SLUGS[2], &[0]);
    board.nodes[2].stop();
    let size = board.nodes[2].own_size().unwrap();
    // Written by nobody of the organisation, and seen by no partner.
    board.nodes[2].run(&["note", "a thief's"]);
    fs::remove_file(board.nodes[2].home().join("keys/feed.key")).unwrap();
    let told = refused(&board.nodes[2].command(&["serve"]), 2);
    assert!(told.contains("`concordat keys recover`") && told.contains("[keys]"), "{told}");

    let (key, end) = (board.nodes[2].recovery_key(), format!("board-={}", size - 1));
    let args = ["keys", "recover", "--recovery-key", &key, "--node-key", "--end", &end];
    let changed = board.nodes[2].json(&args);

    assert_eq!((&changed["epoch"], &changed["has_begun"]), (&1.into(), &true.into()));
    assert_eq!(changed["boards"][0]["end"], size - 1);
    let card = board.file("new.card");
    board.nodes[2].run(&["card", "export", "--out", &card]);
    let told = refused(&board.nodes[0].command(&["card", "add", &card]), 1);
    assert!(told.contains("--accept-new-key") && told.contains("[other-key]"), "{told}");
    for partner in &board.nodes[..2] {
        partner.run(&["card", "add", &card, "--accept-new-key"]);
    }
    board.serve(2);
    board.until_all_meet();
    board.nodes[2].run(&["note", "ours again"]);

    until("all hold what the organisation wrote itself, and it is settled", || {
        board.nodes[..2].iter().all(|node| {
            let feeds = epochs(node, SLUGS[2]);
            let settled: Vec<u64> = feeds.iter().map(|feed| feed.2).collect();
            let below = |epoch| if epoch == 0 { size } else { u64::MAX };
            matches!(*settled, [old, new] if old <= size && new >= 2)
                && holds_all_settled(node, SLUGS[2], below)
        })
    });
    assert!(notes(&board.nodes[0], SLUGS[2]).contains(&"ours again".to_owned()));
    let report = board.export_and_audit(&board.nodes[0]);
    assert_ne!(report["exit_code"], 1, "{report}");
}
