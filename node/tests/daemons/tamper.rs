//! Scenario 17: whatever is done to a bundle, two verifiers find it, and name the feed and the entry.
//!
//! | done | by | found as |
//! |---|---|---|
//! | a byte changed, an entry changed, removed or moved | whoever passes the bundle on | `BrokenRun`, `Gap`, the record |
//! | the end of a feed cut off | the same | `EndsEarly`, since others acknowledged more |
//! | entries of a stranger | anybody | `OpeningRefused`, `Outsider`, `BrokenRun` |
//! | a sign-off moved to another proposal | anybody; its author | `BrokenRun`; `AcknowledgedOther` |
//! | written anew with an earlier time | its author | `BackDated` |
//! | another entry in the place of one | its author | `ForkProven`, `SecondHistory` |
//! | a payload left out | anybody | `PayloadWithheld` or `PayloadAbsent`: missing, not forged |
//!
//! What needs a signature is signed with the key of its author, or of the stranger.

use std::fs;

use concordat_node::keys::KeyDirectory;
use concordat_protocol::{feed::CompactEntry, identity::KeyPair};
use serde_json::Value;

use crate::{
    artefacts::{RULES, STRATEGY, TOP, act},
    bundles::{Bundle, Feed, Piece},
    copy,
    damages::{self, Damages, Expected},
    epochs::until_settled,
    forgeries,
    partnership::Partnership,
    process::{Node, until},
    verifiers::{audited, list},
};

const SLUGS: [&str; 3] = ["la-wigan", "la-bolton", "la-bury"];

/// A board with two decisions, one of them closed, and a key that was changed; and everybody's feed keys, in
/// the order of the slugs.
fn worked() -> (Partnership, Vec<KeyPair>) {
    let mut board = Partnership::found_with(&SLUGS, TOP, RULES);
    board.serve_all();
    board.until_all_meet();
    let key = |slug: &&str| {
        let seed = KeyDirectory::open(board.node_of(slug).home()).unwrap().feed(0).unwrap();
        KeyPair::from_seed(seed.as_bytes())
    };
    let keys = SLUGS.iter().map(key).collect();
    let wigan = board.node_of("la-wigan");
    for title in ["Winter fund", "Stroke care"] {
        let opened = act(wigan, &["open", "decision", "--title", title]);
        let artefact = opened["artefact"].as_str().unwrap();
        act(wigan, &["set", artefact, STRATEGY, "authority/basis=delegated_to_board"]);
        act(wigan, &["add", artefact, "options", "label=Nothing", "result=rejected"]);
        act(wigan, &["event", artefact, "consult"]);
        act(wigan, &["propose", artefact]);
        let is_in = |node: &Node, state: &str| {
            let shown = node.command(&["artefact", "show", artefact, "--json"]);
            serde_json::from_slice(&shown.stdout)
                .is_ok_and(|shown: Value| shown["state_name"] == state)
        };
        until("all are to vote", || board.nodes.iter().all(|node| is_in(node, "frozen")));
        for node in &board.nodes {
            act(node, &["sign", artefact, "--approve"]);
        }
        until("it is carried", || board.nodes.iter().all(|node| is_in(node, "decided")));
        if title == "Winter fund" {
            act(wigan, &["close", artefact]);
        }
    }
    board.nodes.iter().for_each(|node| node.write_notes("one\ntwo\nthree\nfour\n"));
    let bolton = board.number_of("la-bolton");
    board.nodes[bolton].stop();
    board.nodes[bolton].run(&["keys", "rotate"]);
    board.serve(bolton);
    board.until_all_meet();
    board.nodes[bolton].write_notes("five\nsix\n");
    until_settled(&board, "la-bolton", &[0, 1]);
    until_settled(&board, "la-wigan", &[0]);
    until_settled(&board, "la-bury", &[0]);
    (board, keys)
}

#[test]
fn scenario_17_tamper() {
    let (mut board, keys) = worked();
    let whole = board.exported(board.node_of("la-wigan"));
    let report = audited(&whole);
    assert_eq!((&report["exit_code"], list(&report, "findings").len()), (&0.into(), 0), "{report}");
    let bundle = Bundle::of(&whole);
    assert_eq!(bundle.to_bytes(), whole);
    let feeds = bundle.feeds();
    assert_eq!(feeds.len(), 4);
    for good in [cut_into_parts(&bundle, &feeds), with_payloads_apart(&bundle, &feeds)] {
        assert_eq!(audited(&good)["exit_code"], 0, "another writing of the same");
    }

    let mut all = Damages::default();
    damages::bytes_changed(&whole, &bundle, &feeds, &mut all);
    damages::file_cut(&whole, &bundle, &mut all);
    for feed in &feeds {
        damages::entries_changed(&bundle, feed, &mut all);
        damages::entries_removed(&bundle, feed, &mut all);
        damages::entries_moved(&bundle, feed, &mut all);
        damages::payloads_removed(&bundle, feed, &mut all);
        if feed.epoch() == 0 {
            damages::tails_cut(&bundle, feed, &mut all);
        }
    }
    forgeries::strangers(&bundle, &feeds, &mut all);
    forgeries::signoffs_spliced(&bundle, &feeds, &keys, &mut all);
    forgeries::times_changed(&bundle, &feeds, &keys, &mut all);
    forgeries::forks(&bundle, &feeds, &keys, &mut all);
    println!("{} damages", all.0.len());
    let missed = all.missed();
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));

    let (index, forked) = fork(&mut board, "la-bury");
    let report = audited(&forked);
    assert_eq!(report["exit_code"], 1, "{report}");
    let bury = feeds.iter().find(|feed| feed.slug == "la-bury").unwrap();
    let proven = Expected::at(&["ForkProven", "SecondHistory"], bury, index);
    assert!(list(&report, "findings").iter().any(|one| proven.is_met_by(one)), "{report}");
}

/// An older copy of a member's home goes on beside what its partners hold: the entry at which the two part, and
/// what a partner exports.
fn fork(board: &mut Partnership, slug: &str) -> (usize, Vec<u8>) {
    let number = board.number_of(slug);
    board.nodes[number].stop();
    let index = usize::try_from(board.nodes[number].own_size().unwrap()).unwrap();
    let (home, snapshot) = (board.nodes[number].home().to_path_buf(), board.path().join("older"));
    copy(&home, &snapshot);
    board.serve(number);
    board.until_all_meet();
    board.nodes[number].write_notes("one history\n");
    until_settled(board, slug, &[0]);
    board.nodes[number].kill();
    fs::remove_dir_all(&home).unwrap();
    copy(&snapshot, &home);
    board.proxies.iter().for_each(|proxy| proxy.cut());
    board.nodes[number].serve();
    board.nodes[number].write_notes("another\n");
    (0..board.nodes.len()).for_each(|number| board.heal(number));
    until("all have found two histories", || {
        board.nodes.iter().all(|node| {
            let status = node.status();
            let feeds = list(&status["boards"][0], "feeds").clone();
            feeds.iter().any(|feed| feed["slug"] == slug && feed["forked_at"].is_u64())
        })
    });
    (index, board.exported(board.node_of("la-wigan")))
}

/// The same entries in runs that end at every head.
fn cut_into_parts(bundle: &Bundle, feeds: &[Feed]) -> Vec<u8> {
    let in_parts = |bundle: Bundle, feed: &Feed| {
        bundle.with(feed.at, feed.parts().into_iter().map(Piece::Run))
    };
    feeds.iter().rev().fold(bundle.clone(), in_parts).to_bytes()
}

/// The same entries with each payload that no head needs in a record of its own.
fn with_payloads_apart(bundle: &Bundle, feeds: &[Feed]) -> Vec<u8> {
    let apart = |bundle: Bundle, feed: &Feed| {
        let mut run = feed.whole();
        let mut pieces = vec![];
        for (at, entry) in run.entries.iter_mut().enumerate().skip(1) {
            *entry = CompactEntry::of(feed.entries[at].0.clone(), None);
            pieces.push(Piece::Payload(feed.loose(at)));
        }
        pieces.insert(0, Piece::Run(run));
        bundle.with(feed.at, pieces)
    };
    feeds.iter().rev().fold(bundle.clone(), apart).to_bytes()
}
