//! Real daemons and their stores: killed while they write, on a full disk, and moved to another engine.

use std::{fs, path::Path, process::Command, thread, time::Duration};

use serde_json::Value;

use crate::{
    holdings,
    mounts::{Mount, run},
    notes,
    partnership::Partnership,
    process::{Node, refused, until},
};

const KILLS: u64 = 50;
/// A tmpfs that has this much, of which the engines take a little to begin with.
const DISK_MB: u64 = 96;

/// Kills the daemon while it writes, again and again; what was called written is there each time, in
/// its order, and the node goes on signing by itself.
fn killed_while_it_writes(engine: &str) {
    let mut board = Partnership::found_on(engine, &["la-wigan", "ccg-trafford"]);
    let node = &mut board.nodes[0];
    let mut held: Vec<String> = vec![];
    for kill in 0..KILLS {
        node.serve();
        let said = format!("{kill}: said to be written");
        node.run(&["note", &said]);
        let lines: String = (0..300).map(|number| format!("{kill}: {number}\n")).collect();
        let writing = node.start_notes(&lines);
        thread::sleep(Duration::from_millis(kill * 37 % 200));
        node.kill();
        let answered = writing.wait_with_output().unwrap();

        let found = notes(node, "la-wigan");
        let expected: Vec<String> = held.into_iter().chain([said]).collect();
        let more = found.strip_prefix(expected.as_slice()).expect("what was written before");
        assert!(more.iter().map(String::as_str).eq(lines.lines().take(more.len())), "{more:?}");
        assert!(!answered.status.success() || more.len() == 300);
        assert_eq!(node.status()["restored"], Value::Null, "{kill}");
        held = found;
    }
    assert!(held.len() as u64 > 2 * KILLS, "{}", held.len());
    assert_eq!(node.json(&["store", "check"])["older"], Value::Null);
    assert_eq!(board.export_and_audit(&board.nodes[0])["exit_code"], 0);
}

#[test]
fn a_daemon_on_sled_is_killed_fifty_times_and_loses_nothing() {
    killed_while_it_writes("sled");
}

#[test]
fn a_daemon_on_redb_is_killed_fifty_times_and_loses_nothing() {
    killed_while_it_writes("redb");
}

/// Writes notes until one is refused; how many were written, and how it was refused.
fn write_until_refused(node: &Node) -> (usize, String) {
    let text = "x".repeat(60_000);
    for written in 0..10_000 {
        let output = node.command(&["note", &text]);
        if !output.status.success() {
            return (written, String::from_utf8_lossy(&output.stderr).into_owned());
        }
    }
    panic!("the disk has no end");
}

/// Moves a home to a small disk of its own; `None` where nothing can be mounted.
fn on_a_small_disk(place: &Path, home: &Path) -> Option<Mount> {
    let aside = place.join("aside");
    fs::rename(home, &aside).unwrap();
    let mounted = Mount::in_memory(DISK_MB, home)?;
    run(Command::new("cp").arg("-a").arg(aside.join(".")).arg(home)).unwrap();
    Some(mounted)
}

/// With a reserve the daemon stops writing before the disk is full, says so with a code, still answers,
/// and goes on once there is space.
#[test]
fn a_daemon_keeps_its_reserve_and_goes_on_once_there_is_space() {
    let mut board = Partnership::found(&["la-wigan", "ccg-trafford"]);
    let home = board.nodes[0].home().to_path_buf();
    let Some(_mounted) = on_a_small_disk(board.path(), &home) else { return };
    let node = &mut board.nodes[0];
    node.configure("disk_reserve_mb = 32\n");
    node.serve();
    let ballast = home.join("ballast");
    fs::write(&ballast, vec![0; 40_000_000]).unwrap();

    let (written, why) = write_until_refused(node);

    assert!(why.contains("less than 32 MB are free") && why.contains("[disk-reserve]"), "{why}");
    let warning = node.status()["disk"].clone();
    assert!(warning.as_str().unwrap().contains("nothing new is written"), "{warning}");
    assert_eq!(node.log_lines("code=\"disk-reserve\""), 1);
    assert_eq!(notes(node, "la-wigan").len(), written);

    fs::remove_file(ballast).unwrap();
    until("there is space again", || node.status()["disk"].is_null());
    node.run(&["note", "after"]);
    node.stop();
    assert_eq!(notes(node, "la-wigan").len(), written + 1);
    assert_eq!(node.json(&["store", "check"])["older"], Value::Null);
}

/// Without a reserve the disk becomes full: the daemon says so and ends, and what was called written is
/// there once there is space.
#[test]
fn a_daemon_without_a_reserve_ends_on_a_full_disk_and_loses_nothing() {
    for engine in ["sled", "redb"] {
        let mut board = Partnership::found_on(engine, &["la-wigan", "ccg-trafford"]);
        let home = board.nodes[0].home().to_path_buf();
        let Some(_mounted) = on_a_small_disk(board.path(), &home) else { return };
        let node = &mut board.nodes[0];
        node.configure("disk_reserve_mb = 0\n");
        node.serve();
        let ballast = home.join("ballast");
        fs::write(&ballast, vec![0; 40_000_000]).unwrap();

        let (written, why) = write_until_refused(node);

        assert!(why.contains("the daemon ended before it answered"), "{why}");
        assert_eq!(node.wait(), Some(2));
        assert!(node.log_lines("the disk is full") > 0, "{engine}");
        fs::remove_file(ballast).unwrap();
        let held = notes(node, "la-wigan").len();
        assert!((written..=written + 1).contains(&held), "{engine}: {held} of {written}");
        assert_eq!(node.json(&["store", "check"])["older"], Value::Null, "{engine}");
        node.serve();
        node.run(&["note", "after"]);
    }
}

/// A damaged store is named, by `store check` and by the daemon itself; once it is set aside the node
/// fetches its boards' entries from its partner, its own feed included, before it signs. Private records, which
/// nobody else has, are all there.
#[test]
fn a_damaged_store_is_named_set_aside_and_fetched_again() {
    for (engine, file) in [("sled", "sled/db"), ("redb", "store.redb")] {
        let mut board = Partnership::found_on(engine, &["la-wigan", "ccg-trafford"]);
        board.serve_all();
        board.until_all_meet();
        board.nodes[1].write_notes(&(0..200).map(|n| format!("note {n}\n")).collect::<String>());
        board.nodes[0].run(&["note", "from the partner"]);
        until("both hold the same", || holdings(&board.nodes[0]) == holdings(&board.nodes[1]));
        board.nodes[1].keep_ledger();
        let line = "Line,Posted on,Scheme,Supplier,Amount (£),Status,Note\n\
                    L-1,2017-11-20,Winter beds,,12.50,paid,\n";
        fs::write(board.file("ledger.csv"), line).unwrap();
        board.nodes[1].run(&["record", "import", "ledger", &board.file("ledger.csv")]);
        let private = board.nodes[1].json(&["record", "show", "ledger", "L-1"]);
        board.nodes[1].stop();
        damage(&board.nodes[1].store().join(file));

        let told = refused(&board.nodes[1].command(&["store", "check"]), 2);
        assert!(
            told.contains("the store is damaged") && told.contains("[store-damaged]"),
            "{told}"
        );
        let told = refused(&board.nodes[1].command(&["serve"]), 2);
        assert!(told.contains("the store is damaged"), "{engine}: {told}");

        let aside = board.nodes[1].json(&["store", "set-aside"]);
        assert!(Path::new(aside["kept"].as_str().unwrap()).exists());
        assert_eq!(aside["has_all_records"], true);
        assert_eq!(board.nodes[1].json(&["record", "show", "ledger", "L-1"]), private);
        for card in [0, 1].map(|number| board.card(number)) {
            // Whatever could not be read is added again; one's own card is refused.
            let _known = board.nodes[1].command(&["card", "add", &card]);
        }
        board.nodes[1].run(&["board", "join", &board.board_file()]);
        board.serve(1);
        board.nodes[1].run(&["note", "once it is sure"]);

        until("it has signed after its own entries", || {
            let held = notes(&board.nodes[0], "ccg-trafford");
            held.len() == 201 && held.last().is_some_and(|last| last == "once it is sure")
        });
        until("both hold the same", || holdings(&board.nodes[0]) == holdings(&board.nodes[1]));
        let feeds = board.nodes[0].status()["boards"][0]["feeds"].clone();
        assert!(feeds.as_array().unwrap().iter().all(|feed| feed["standing"] == "sound"));
    }
}

/// Flips a bit in every sector, so that nothing of it can be read.
fn damage(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    (0..end).step_by(512).for_each(|at| bytes[at] ^= 1);
    fs::write(file, bytes).unwrap();
}

/// A store moves to the other engine and back; a config that names the engine that it left is refused.
#[test]
fn a_node_moves_its_store_to_another_engine() {
    let mut board = Partnership::found(&["la-wigan", "ccg-trafford"]);
    let node = &mut board.nodes[0];
    node.serve();
    node.run(&["note", "on sled"]);
    let told = refused(&node.command(&["store", "check"]), 1);
    assert!(told.contains("[daemon-runs]"), "{told}");
    node.stop();
    let before = node.json(&["store", "check"]);
    assert_eq!(before["engine"], "sled");

    let moved = node.json(&["store", "migrate", "--to", "redb"]);

    // What each command did is an entry of the journal, and so a row and a commit.
    let number = |of: &Value, what: &str| of[what].as_u64().unwrap();
    assert_eq!(number(&moved, "rows"), number(&before, "rows") + 1);
    assert_eq!(moved["config"], "store = \"redb\"");
    let told = refused(&node.command(&["status"]), 2);
    assert!(told.contains("set store = \"redb\"") && told.contains("[other-engine]"), "{told}");
    node.configure("store = \"redb\"\n");
    let after = node.json(&["store", "check"]);
    for what in ["rows", "commits"] {
        assert_eq!(number(&after, what), number(&before, what) + 2, "{what}");
    }
    assert_eq!(node.json(&["journal", "verify"])["faults"], Value::Array(vec![]));
    node.serve();
    node.run(&["note", "on redb"]);
    assert_eq!(notes(node, "la-wigan"), ["on sled", "on redb"]);
    assert!(Path::new(moved["kept"].as_str().unwrap()).exists());
}
