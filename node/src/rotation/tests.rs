//! New keys over real homes and stores, and what a command leaves that was cut short at any step.

use std::{fs, path::Path};

use super::*;
use crate::{
    control::{Answer, LogQuery, Request},
    fixture::{Partner, found, partner},
    view::Status,
};

impl Partner {
    fn write(&self, text: &str) -> Result<u64, String> {
        match self.ask(Request::Notes { board: None, texts: vec![text.to_owned()] }) {
            Ok(Answer::Notes(notes)) => Ok(notes.written[0].seq),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => Err(refusal.code),
        }
    }

    fn status(&self) -> Status {
        match self.ask(Request::Status).unwrap() {
            Answer::Status(status) => *status,
            other => panic!("{other:?}"),
        }
    }

    /// Epoch, entries and effective entries of its own feeds, without those that are empty.
    fn own(&self) -> Vec<(u64, u64, u64)> {
        let board = self.status().boards.remove(0);
        let feeds = board.feeds.iter().filter(|feed| feed.slug == self.slug && feed.size > 0);
        feeds.map(|feed| (feed.epoch, feed.size, feed.effective)).collect()
    }

    fn rotate(&self) -> Result<TakenOver, String> {
        rotate(&self.home, &self.config, false).map_err(|error| error.code().to_owned())
    }

    fn recover(&self, ends: &[NamedEnd], accepts_older_store: bool) -> Result<TakenOver, String> {
        let recovery =
            Recovery { key: self.recovery_key(), ends: ends.to_vec(), accepts_older_store };
        recover(&self.home, &self.config, &recovery, false).map_err(|error| error.code().to_owned())
    }

    fn key_files(&self) -> Vec<String> {
        let files = fs::read_dir(self.home.directory().join("keys")).unwrap();
        let mut names: Vec<String> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn copy_home(&self) -> tempfile::TempDir {
        let to = tempfile::tempdir().unwrap();
        copy(self.home.directory(), to.path());
        to
    }

    fn put_back(&self, from: &tempfile::TempDir) {
        fs::remove_dir_all(self.home.directory()).unwrap();
        copy(from.path(), self.home.directory());
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let (path, name) = file.map(|file| (file.path(), file.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name))
        } else {
            drop(fs::copy(&path, to.join(name)))
        }
    }
}

/// A member of a board of two who has written two notes: entries 0 to 2.
fn writer() -> Partner {
    let (wigan, trafford) = (partner("la-wigan", "council"), partner("ccg-trafford", "ccg"));
    let board = found(&[&wigan, &trafford]);
    wigan.ask(Request::Join { paper: board.to_text() }).unwrap();
    assert_eq!((wigan.write("one"), wigan.write("two")), (Ok(1), Ok(2)));
    wigan
}

const KEYS_OF_0: [&str; 4] = ["feed.key", "node.key", "recovery.pub", "witness.key"];
const KEYS_OF_1: [&str; 4] = ["feed-1.key", "node.key", "recovery.pub", "witness.key"];

#[test]
fn a_rotated_key_goes_on_after_the_last_entry_of_the_old_one() {
    let wigan = writer();
    let before = wigan.card().clone();

    let taken = wigan.rotate().unwrap();

    assert!(taken.has_begun && taken.left_out.is_empty());
    assert_eq!(
        taken.boards.iter().map(|b| (b.descriptor.epoch, b.end.0)).collect::<Vec<_>>(),
        [(1, 2)]
    );
    let (old, new) = (before.card().card(), taken.paper.card().card());
    assert_eq!(
        (new.order(), new.node_key, new.witness_key),
        ((1, 0), old.node_key, old.witness_key)
    );
    assert_ne!(new.feed_key, old.feed_key);
    // The opening, and the card that the new key signed, for partners who have not met this node since.
    assert_eq!(wigan.own(), [(0, 3, 3), (1, 2, 2)]);
    assert_eq!(wigan.write("three"), Ok(2));
    assert_eq!(wigan.key_files(), KEYS_OF_1);
    assert_eq!(wigan.status().restored, None);

    let taken = rotate(&wigan.home, &wigan.config, true).unwrap();

    assert_eq!(taken.paper.card().card().order(), (2, 0));
    assert_ne!(taken.paper.card().card().node_key, old.node_key);
    assert_eq!(wigan.own(), [(0, 3, 3), (1, 3, 3), (2, 2, 2)]);
    assert_eq!(wigan.key_files(), ["feed-2.key", "node-2.key", "recovery.pub", "witness.key"]);
    assert!(!wigan.home.openings(1).exists() && wigan.home.openings(2).exists());
    let query = LogQuery { board: None, feed: Some("la-wigan".into()), from: None, limit: 9 };
    let Ok(Answer::Log(log)) = wigan.ask(Request::Log(query)) else { panic!("no log") };
    let places: Vec<(u64, u64)> = log.entries.iter().map(|line| (line.epoch, line.seq)).collect();
    assert_eq!(places, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1)]);
}

/// The steps of a rotation, and the home after a crash behind each of them: first the old key is in
/// use, then the new one, and the same command always leads to a new one.
#[test]
fn a_crash_at_any_step_leaves_the_old_key_or_the_new_one() {
    let wigan = writer();
    let before = wigan.copy_home();
    wigan.rotate().unwrap();
    let after = wigan.copy_home();
    // What of the home after the rotation is there already, and whether that is the switch.
    let steps: [(&[&str], bool); 5] = [
        (&[], false),
        (&["keys/feed-1.key"], false),
        (&["keys/feed-1.key", "openings-1"], false),
        (&["keys/feed-1.key", "openings-1", "organisation.card"], true),
        (&["keys/feed-1.key", "openings-1", "organisation.card", "store/store.redb"], true),
    ];
    for (files, is_new) in steps {
        for goes_on in [false, true] {
            wigan.put_back(&before);
            for file in files {
                fs::copy(after.path().join(file), wigan.home.directory().join(file)).unwrap();
            }
            let left = format!("{files:?}, then {goes_on}");
            if goes_on {
                // As the daemon would, before anybody runs the command again.
                assert_eq!(wigan.write("three"), Ok(if is_new { 2 } else { 3 }), "{left}");
                assert!(wigan.key_files().iter().any(|name| name == "feed.key"), "{left}");
            }

            wigan.rotate().unwrap_or_else(|code| panic!("{left}: {code}"));

            let first = if goes_on && !is_new { (0, 4, 4) } else { (0, 3, 3) };
            let second = if goes_on { (1, 3, 3) } else { (1, 2, 2) };
            let expected =
                if is_new { vec![first, second, (2, 2, 2)] } else { vec![first, (1, 2, 2)] };
            assert_eq!(wigan.own(), expected, "{left}");
            assert_eq!(wigan.key_files().len(), 4, "{left}");
            assert_eq!(wigan.status().restored, None, "{left}");
        }
    }
}

#[test]
fn a_lost_feed_key_is_replaced_by_the_recovery_key_alone() {
    let wigan = writer();
    fs::remove_file(wigan.home.directory().join("keys/feed.key")).unwrap();
    assert_eq!(wigan.rotate().unwrap_err(), "keys");
    let told = Organisation::load(&wigan.home).unwrap_err().to_string();
    assert!(told.contains("`concordat keys recover`"), "{told}");
    let other = partner("la-bury", "council");
    fs::copy(wigan.recovery_key(), wigan.place.path().join("kept.key")).unwrap();
    fs::copy(other.recovery_key(), wigan.recovery_key()).unwrap();
    assert_eq!(wigan.recover(&[], false).unwrap_err(), "not-the-recovery-key");
    assert_eq!(wigan.key_files(), KEYS_OF_0[1..]);
    fs::copy(wigan.place.path().join("kept.key"), wigan.recovery_key()).unwrap();

    let taken = wigan.recover(&[], false).unwrap();

    assert_eq!(taken.boards[0].end.0, 2);
    // The opening, and the card that the new key signed, for partners who have not met this node since.
    assert_eq!(wigan.own(), [(0, 3, 3), (1, 2, 2)]);
    assert_eq!(wigan.write("three"), Ok(2));
    assert_eq!(wigan.key_files(), KEYS_OF_1);
}

#[test]
fn an_earlier_end_is_named_where_a_thief_wrote_on() {
    let wigan = writer();
    let board = wigan.status().boards.remove(0).board;
    let end = |board: &str, seq| [NamedEnd { board: board.to_owned(), seq }];
    assert_eq!(wigan.recover(&end("board-?", 1), false).unwrap_err(), "unknown-board");
    assert_eq!(wigan.recover(&end(&board, 3), false).unwrap_err(), "no-such-entry");
    assert_eq!(wigan.key_files(), KEYS_OF_0);

    let taken = wigan.recover(&end(&board[..12], 1), false).unwrap();

    assert_eq!(taken.boards[0].end.0, 1);
    assert_eq!(wigan.own(), [(0, 3, 2), (1, 2, 2)]);
}

/// Recovery does not need the key that a rotation left behind when it was cut short, whether or not
/// that key was the one in use already.
#[test]
fn recovery_goes_on_from_a_rotation_that_was_cut_short() {
    let wigan = writer();
    let before = wigan.copy_home();
    wigan.rotate().unwrap();
    let after = wigan.copy_home();
    for (files, card_epoch) in
        [(&["keys/feed-1.key", "openings-1"][..], 1), (&["openings-1", "organisation.card"][..], 2)]
    {
        wigan.put_back(&before);
        for file in files {
            fs::copy(after.path().join(file), wigan.home.directory().join(file)).unwrap();
        }

        let taken = wigan.recover(&[], false).unwrap();

        assert_eq!(taken.paper.card().card().epoch, card_epoch);
        assert_eq!(wigan.own(), [(0, 3, 3), (1, 2, 2)]);
        assert_eq!(wigan.write("three"), Ok(2));
    }
}

#[test]
fn an_older_store_or_card_is_not_gone_on_from() {
    let wigan = writer();
    let before = wigan.copy_home();
    wigan.write("three").unwrap();
    let store = "store/store.redb";
    fs::copy(before.path().join(store), wigan.home.directory().join(store)).unwrap();
    assert_eq!(wigan.rotate().unwrap_err(), "restoring");
    assert_eq!(wigan.recover(&[], false).unwrap_err(), "older-store");
    assert_eq!(wigan.key_files(), KEYS_OF_0);
    let taken = wigan.recover(&[], true).unwrap();
    assert!(!taken.has_begun, "it asks its partners first");
    assert_eq!(wigan.key_files().len(), 5, "the old key is kept until then");

    wigan.put_back(&before);
    wigan.rotate().unwrap();
    for file in ["organisation.card", "keys/feed.key"] {
        fs::copy(before.path().join(file), wigan.home.directory().join(file)).unwrap();
    }
    assert_eq!(wigan.rotate().unwrap_err(), "older-card");
    assert_eq!(wigan.recover(&[], false).unwrap_err(), "older-card");
    fs::remove_file(wigan.home.directory().join("keys/feed-1.key")).unwrap();
    assert_eq!(wigan.rotate().unwrap_err(), "opened-by-another");
}

#[test]
fn no_key_is_changed_while_a_daemon_runs() {
    let wigan = writer();
    let _daemon = std::os::unix::net::UnixListener::bind(wigan.home.socket()).unwrap();
    assert_eq!(wigan.rotate().unwrap_err(), "daemon-runs");
    assert_eq!(wigan.recover(&[], false).unwrap_err(), "daemon-runs");
    assert_eq!(wigan.key_files(), KEYS_OF_0);
}

/// A process that read the old card before the switch must not sign by it afterwards.
#[test]
fn whoever_read_the_old_card_does_not_go_on_with_it() {
    let wigan = writer();
    let mut early = wigan.again();
    wigan.rotate().unwrap();

    let store = store::open(&wigan.home.store(), EngineKind::Redb).unwrap();
    let refused = early.announce(&wigan.home, &[crate::fixture::address(1)]).unwrap_err();
    assert!(refused.to_string().contains("was replaced while this command began"), "{refused}");
    let refused = catch_up(&wigan.home, Arc::new(early), &store, None).unwrap_err();
    assert!(refused.to_string().contains("was replaced while this command began"), "{refused}");
}
