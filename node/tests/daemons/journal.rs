//! Journals of running daemons: what one says that it sent, the other says that it received.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

use crate::{
    http::Client,
    lines, notes,
    partnership::Partnership,
    process::{Node, refused, until},
};

/// All of a journal, the oldest first, after its export was checked by this program and by the reader that
/// was written from the handbook alone.
pub(crate) fn journal(board: &Partnership, node: &Node) -> Vec<Value> {
    let file = board.file(&format!("{}.jsonl", node.name()));
    let done = node.json(&["journal", "export", "--out", &file]);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let entries: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(done["entries"].as_u64().unwrap(), entries.len() as u64);
    std::fs::write(&file, &text).unwrap();
    let reader =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../integration-tests/spec-reader/journal_reader.py");
    let read = Command::new("python3").args([reader, &file]).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    assert_eq!(String::from_utf8(read.stdout).unwrap().trim(), done["head"]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(node.json(&["journal", "verify"])["faults"], Value::Array(vec![]));
    entries
}

/// Places of feeds that entries of these events tell of, with a peer's node if one is named.
fn places(
    journal: &[Value],
    events: &[&str],
    peer: Option<&str>,
) -> BTreeMap<String, BTreeSet<u64>> {
    let mut found: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for entry in journal {
        let (event, fields) = (entry["event"].as_str().unwrap(), &entry["fields"]);
        if events.contains(&event) && peer.is_none_or(|peer| fields["peer"] == peer) {
            let number = |name: &str| fields[name].as_str().unwrap().parse::<u64>().unwrap();
            let feed = found.entry(fields["feed"].as_str().unwrap().to_owned()).or_default();
            feed.extend(number("from")..=number("to"));
        }
    }
    found
}

/// The libp2p name of a node.
fn name(node: &Node) -> String {
    node.json(&["keys", "show"])["node"].as_str().unwrap().to_owned()
}

const RECEIVED: &[&str] = &["run-accepted", "run-not-taken", "run-refused"];

/// The second is away while the first writes 10,000 notes; then it catches up.
#[test]
fn what_one_says_it_sent_the_other_says_it_received_in_few_lines() {
    let mut board = Partnership::found(&["la-wigan", "ccg-trafford"]);
    board.nodes[0].write_notes(&lines("first", 0, 10_000));
    board.serve_all();
    board.nodes[1].run(&["note", "and a word of the second"]);
    until("both hold all", || {
        notes(&board.nodes[1], "la-wigan").len() == 10_000
            && notes(&board.nodes[0], "ccg-trafford").len() == 1
    });
    // Nothing is under way any more: what the one has sent, the other has.
    let names = [name(&board.nodes[0]), name(&board.nodes[1])];
    let both = || [0, 1].map(|number: usize| journal(&board, &board.nodes[number]));
    until("the journals bear each other out", || {
        let journals = both();
        [(0, 1), (1, 0)].into_iter().all(|(from, to): (usize, usize)| {
            let sent = places(&journals[from], &["run-sent"], Some(&names[to]));
            let received = places(&journals[to], RECEIVED, Some(&names[from]));
            !sent.is_empty() && sent == received
        })
    });

    let [first, second] = both();
    assert!(first.len() < 600 && second.len() < 600, "{} and {}", first.len(), second.len());
    let signed = places(&first, &["entries-signed"], None);
    let own = board.nodes[0].own_size().unwrap();
    assert_eq!(signed.values().next().unwrap(), &(0..own).collect());
    let accepted = places(&second, &["run-accepted"], None);
    let feed = signed.keys().next().unwrap();
    assert!(accepted[feed].is_superset(&(0..10_000).collect()));
    for (event, field, value) in [
        ("daemon-started", "version", env!("CARGO_PKG_VERSION")),
        ("connected", "peer", names[1].as_str()),
        ("entries-signed", "channel", "command-line"),
    ] {
        let is_told = |entry: &Value| entry["event"] == event && entry["fields"][field] == value;
        assert!(first.iter().any(is_told), "{event}");
    }
    let text = serde_json::to_string(&first).unwrap();
    assert!(!text.contains("writes note"), "the journal holds content");
}

/// What a node holds after a kill, its journal tells of: entries and lines are of one commit.
#[test]
fn a_kill_loses_no_line_about_what_is_durable() {
    let mut board = Partnership::found(&["la-wigan", "ccg-trafford"]);
    board.serve_all();
    board.until_all_meet();
    for round in 0..3 {
        let (from, to) = (round * 2_000, (round + 1) * 2_000);
        let before = board.nodes[1].own_size().unwrap();
        let writing = board.nodes[1].start_notes(&lines("second", from, to));
        until("some are written", || board.nodes[1].own_size().is_some_and(|size| size > before));
        board.nodes[1].kill();
        board.nodes[0].kill();
        let _ended = writing.wait_with_output().unwrap();
        for (node, events) in [(0, "run-accepted"), (1, "entries-signed")] {
            let told = journal(&board, &board.nodes[node]);
            let status = board.nodes[node].status();
            let feeds = status["boards"][0]["feeds"].as_array().unwrap();
            let feed = feeds.iter().find(|feed| feed["slug"] == "ccg-trafford").unwrap();
            let held: BTreeSet<u64> = (0..feed["size"].as_u64().unwrap()).collect();
            let told = places(&told, &[events], None);
            // Nothing at all, if it was killed before the first came.
            let told = told.get(feed["feed"].as_str().unwrap()).cloned().unwrap_or_default();
            assert_eq!(told, held, "{round} {node}");
        }
        board.serve_all();
    }
}

/// What is refused is told too: to tokens, to strangers, to staff; and whoever may reads it.
#[test]
fn refusals_are_in_the_journal_and_the_api_shows_them_to_whoever_may_read_it() {
    let mut board = Partnership::found(&["la-wigan", "ccg-trafford"]);
    board.nodes[0].configure("http = \"127.0.0.1:0\"\n");
    board.serve(0);
    let client = Client::of(&board.nodes[0]);
    assert_eq!(client.get("/api/v1/journal").problem(401), "no-token");
    let viewer = client.with_role(&board.nodes[0], "viewer");
    assert_eq!(viewer.get("/api/v1/journal").problem(403), "needs-role");
    let told = refused(&board.nodes[0].command(&["keys", "unlock"]), 2);
    assert!(told.contains("a daemon runs already"), "{told}");
    let told = refused(&board.nodes[0].command(&["note", "--board", "nowhere", "x"]), 1);
    assert!(told.contains("[unknown-board]"), "{told}");

    let auditor = client.with_role(&board.nodes[0], "auditor");
    let ask = |query: &str| auditor.get(&format!("/api/v1/journal?{query}")).done(200);
    until("the refusals are told", || {
        let page = ask("outcome=refused&limit=9");
        let codes = page["entries"].as_array().unwrap().iter();
        let codes: BTreeSet<&str> = codes.map(|one| one["code"].as_str().unwrap()).collect();
        codes.is_superset(&BTreeSet::from(["no-token", "needs-role", "unknown-board", "serve"]))
    });
    let made = ask("event=token-made");
    assert_eq!(made["entries"].as_array().unwrap().len(), 2);
    assert_eq!(made["entries"][0]["fields"]["role"], "auditor");
    assert_eq!(auditor.get("/api/v1/journal?event=party").problem(422), "unknown-event");
    let first = ask("limit=1");
    let next = first["next"].as_u64().unwrap();
    let then = ask(&format!("limit=1&before={next}"));
    assert_eq!(then["entries"][0]["number"].as_u64().unwrap(), next - 1);
}
