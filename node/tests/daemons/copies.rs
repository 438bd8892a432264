//! Acceptance scenarios 4 and 5: a backup put back with care, and an older copy started without.

use std::fs;

use serde_json::Value;

use crate::{
    copy, holdings,
    journal::journal,
    notes,
    partnership::Partnership,
    process::{Node, refused, until},
};

const SLUGS: [&str; 3] = ["la-wigan", "ccg-trafford", "gmhscp"];

/// How every feed stands, as a node sees them.
fn standings(node: &Node) -> Vec<String> {
    let status = node.status();
    let feeds = status["boards"][0]["feeds"].as_array().unwrap().iter();
    feeds.map(|feed| feed["standing"].as_str().unwrap().to_owned()).collect()
}

fn feed(node: &Node, slug: &str) -> Value {
    let status = node.status();
    let feeds = status["boards"][0]["feeds"].as_array().unwrap().iter();
    feeds.clone().find(|feed| feed["slug"] == slug).cloned().unwrap()
}

/// Yesterday's backup, made while the daemon runs, and entries since; the machine is lost. The node that is
/// made of the backup knows that it is behind, asks its partners before it signs, goes on in the same epoch, and
/// no partner finds two histories.
#[test]
fn scenario_04_backup_and_restore() {
    let mut board = Partnership::found(&SLUGS);
    board.serve_all();
    board.until_all_meet();
    board.nodes[1].keep_ledger();
    let rows = board.file("ledger.csv");
    fs::write(
        &rows,
        "Line,Posted on,Scheme,Supplier,Amount (£),Status,Note\nL-1,2017-11-20,Winter beds,A supplier,12.50,paid,\n",
    )
    .unwrap();
    board.nodes[1].run(&["record", "import", "ledger", &rows]);
    let private = board.nodes[1].json(&["record", "show", "ledger", "L-1"]);
    board.nodes[1].write_notes("before the backup\n");
    let backup = board.file("yesterday.backup");
    let passphrase = board.file("passphrase");
    fs::write(&passphrase, "correct horse battery staple\n").unwrap();
    let only_mine = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&passphrase, only_mine).unwrap();
    let sealed = ["--encrypt", "--passphrase-file", &passphrase];
    let made = board.nodes[1].json(&[&["backup", &backup], &sealed[..]].concat());
    assert_eq!((&made["is_sealed"], &made["manifest"]["has_keys"]), (&true.into(), &true.into()));
    board.nodes[1].write_notes("after the backup\n");
    board.nodes[0].write_notes("of a partner, after the backup\n");
    until("the others hold it", || {
        notes(&board.nodes[0], "ccg-trafford").len() == 2
            && notes(&board.nodes[2], "ccg-trafford").len() == 2
    });

    board.nodes[1].kill();
    let home = board.nodes[1].home().to_path_buf();
    fs::remove_dir_all(&home).unwrap();
    let restore = ["restore", &backup, "--engine", "redb", "--passphrase-file", &passphrase];
    board.nodes[1].run(&restore);
    let told = refused(&board.nodes[1].command(&restore), 1);
    assert!(told.contains("[home-taken]"), "{told}");
    board.proxies[1].cut();
    board.nodes[1].serve();
    let why = board.nodes[1].status()["restored"].as_str().unwrap().to_owned();
    assert!(why.contains("put back from a backup"), "{why}");
    let waiting = board.nodes[1].json(&["note", "once it is sure"]);
    assert_eq!((&waiting["written"], &waiting["waiting"]), (&Value::Array(vec![]), &1.into()));

    board.heal(1);
    let expected = ["before the backup", "after the backup", "once it is sure"];
    until("it goes on after its own later entries", || {
        board.nodes.iter().all(|node| notes(node, "ccg-trafford") == expected)
            && notes(&board.nodes[1], "la-wigan") == ["of a partner, after the backup"]
            && holdings(&board.nodes[1]) == holdings(&board.nodes[0])
    });
    for node in &board.nodes {
        assert!(standings(node).iter().all(|standing| standing == "sound"), "{}", node.name());
        assert_eq!(feed(node, "ccg-trafford")["epoch"], 0);
    }
    // What no partner could have given back.
    assert_eq!(board.nodes[1].json(&["record", "show", "ledger", "L-1"]), private);
    board.nodes[1].stop();
    assert_eq!(board.nodes[1].status()["restored"], Value::Null);
    let told = journal(&board, &board.nodes[1]);
    for event in ["backup-restored", "restoring-begun", "restoring-ended"] {
        assert!(told.iter().any(|entry| entry["event"] == event), "{event}");
    }
}

/// A whole virtual machine is put back to an older state, high-water file and all, and signs before any partner
/// can be reached. The partners find two histories, keep what they held, count nothing after the fork, and
/// both sides tell people the same.
#[test]
fn scenario_05_snapshot_rollback_unnoticed() {
    let mut board = Partnership::found(&SLUGS);
    board.serve_all();
    board.until_all_meet();
    board.nodes[1].write_notes("before the snapshot\n");
    board.nodes[1].stop();
    let (home, snapshot) = (board.nodes[1].home().to_path_buf(), board.path().join("snapshot"));
    copy(&home, &snapshot);
    board.serve(1);
    board.until_all_meet();
    board.nodes[1].write_notes("after the snapshot\n");
    let held = ["before the snapshot", "after the snapshot"];
    until("the others hold and settle it", || {
        [0, 2].into_iter().all(|other: usize| {
            let log = board.nodes[other].json(&["log", "--feed", "ccg-trafford", "--from", "0"]);
            let entries = log["entries"].as_array().unwrap();
            let is_settled = |entry: &Value| entry["is_settled"] == true;
            let settled = entries.iter().filter(|one| one["kind"] == "note" && is_settled(one));
            settled.count() == 2
        })
    });

    board.nodes[1].kill();
    fs::remove_dir_all(&home).unwrap();
    copy(&snapshot, &home);
    // Nobody can be reached until it has signed.
    board.proxies.iter().for_each(|proxy| proxy.cut());
    board.nodes[1].serve();
    assert_eq!(board.nodes[1].status()["restored"], Value::Null);
    board.nodes[1].write_notes("something else\n");
    (0..3).for_each(|number| board.heal(number));

    until("all have found two histories", || {
        board.nodes.iter().all(|node| feed(node, "ccg-trafford")["forked_at"].is_u64())
    });
    for other in [0, 2] {
        let node = &board.nodes[other];
        assert_eq!(notes(node, "ccg-trafford")[..2], held, "{}", node.name());
        let told = journal(&board, node);
        assert!(told.iter().any(|entry| entry["event"] == "fork-proven"), "{}", node.name());
    }
    let told = refused(&board.nodes[1].command(&["note", "more"]), 1);
    assert!(
        told.contains("[own-feed-forked]") && told.contains("`concordat keys rotate`"),
        "{told}"
    );
    // The same sentence on every node, whoever looks.
    let instruction = "two nodes signed with one key, or an old copy was restored";
    assert!(told.contains(instruction), "{told}");
    for node in &board.nodes {
        let shown = node.run(&["status"]);
        assert!(shown.contains(instruction), "{}: {shown}", node.name());
        assert!(shown.contains("keys rotate"), "{}: {shown}", node.name());
    }
}
