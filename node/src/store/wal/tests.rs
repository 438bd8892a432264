//! What a log gives back, whatever became of the engine, or of the log.

use std::sync::atomic::{AtomicBool, Ordering};

use concordat_protocol::engine::Table as Shared;

use super::*;
use crate::store::{
    EngineKind, KeyRange, Order, Row, SetAside, Store, Verified, high_water_file, open, set_aside,
};

const ON_DISK: [EngineKind; 2] = [EngineKind::Sled, EngineKind::Redb];

/// A home with a store.
struct Home {
    place: tempfile::TempDir,
    kind: EngineKind,
}

impl Home {
    fn new(kind: EngineKind) -> Self {
        Self { place: tempfile::tempdir().unwrap(), kind }
    }

    fn directory(&self) -> PathBuf {
        self.place.path().join("store")
    }

    fn log(&self) -> PathBuf {
        file(&self.directory())
    }

    fn open(&self) -> Store {
        open(&self.directory(), self.kind).unwrap()
    }

    fn engine(&self) -> PathBuf {
        let name = if self.kind == EngineKind::Sled { "sled" } else { "store.redb" };
        self.directory().join(name)
    }

    fn copy_engine(&self, to: &Path) {
        copy(&self.engine(), to);
    }

    fn remove_engine(&self) {
        let path = self.engine();
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }

    fn records(&self) -> Vec<Row> {
        let rows = self.open().reader().scan(TABLE, &KeyRange::all(), 99_999, Order::Ascending);
        rows.unwrap()
    }

    fn set_aside(&self) -> SetAside {
        set_aside(&self.directory(), self.kind, &[Shared::Boards.into(), TABLE]).unwrap()
    }
}

/// Not by another program: between its fork and its start that would hold our locks.
fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        fs::copy(from, to).unwrap();
        return;
    }
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

fn record(number: u32, value: &str) -> Op {
    Op::put(TABLE, number.to_be_bytes().to_vec(), value.as_bytes().to_vec())
}

fn row(number: u32, value: &str) -> Row {
    (number.to_be_bytes().to_vec(), value.as_bytes().to_vec())
}

fn gone(number: u32) -> Op {
    Op::delete(TABLE, number.to_be_bytes().to_vec())
}

fn board(key: &str) -> Op {
    Op::put(Shared::Boards, key.as_bytes().to_vec(), b"board".to_vec())
}

/// Some commits: with records, without, replaced, removed, empty, and the longest.
fn fill(store: &Store) -> Vec<Row> {
    for ops in [
        vec![record(1, "first"), record(2, "second"), board("a")],
        vec![board("b")],
        vec![record(2, ""), record(3, "third")],
        vec![gone(1), Op::put(TABLE, vec![9; KEY_BYTES_MAX], vec![7; VALUE_BYTES_MAX])],
    ] {
        let _durable = store.commit(ops).unwrap();
    }
    vec![row(2, ""), row(3, "third"), (vec![9; KEY_BYTES_MAX], vec![7; VALUE_BYTES_MAX])]
}

#[test]
fn private_records_outlive_an_engine_of_which_nothing_can_be_read() {
    for kind in ON_DISK {
        let home = Home::new(kind);
        let expected = fill(&home.open());
        home.remove_engine();
        fs::create_dir_all(home.engine()).unwrap();
        if kind == EngineKind::Redb {
            home.remove_engine();
            fs::write(home.engine(), b"nothing that redb could open").unwrap();
        }

        let aside = home.set_aside();

        assert_eq!(aside.rows[&TABLE], 3);
        assert_eq!(home.records(), expected);
        // The high-water file knows more commits: it is behind, until it commits again.
        assert!(home.open().reader().commits() < 4);
        let _durable = home.open().commit(vec![record(4, "fourth")]).unwrap();
        assert_eq!(home.records().len(), 4);
        assert_eq!(home.open().reader().commits(), 5);
    }
}

#[test]
fn an_engine_that_lost_its_last_commits_has_its_records_again() {
    for kind in ON_DISK {
        let home = Home::new(kind);
        let _durable = home.open().commit(vec![record(1, "first"), record(5, "fifth")]).unwrap();
        let aside = home.place.path().join("older");
        home.copy_engine(&aside);
        let _durable = home.open().commit(vec![gone(5), record(1, "changed")]).unwrap();
        let _durable = home.open().commit(vec![record(2, "second")]).unwrap();
        home.remove_engine();
        fs::rename(&aside, home.engine()).unwrap();

        assert_eq!(home.records(), [row(1, "changed"), row(2, "second")]);

        let store = home.open();
        assert_eq!(store.reader().commits(), 1);
        assert_eq!(store.reader().verify().unwrap(), Verified::Sound);
        let _durable = store.commit(vec![gone(2)]).unwrap();
        assert_eq!(store.reader().commits(), 4);
        drop(store);
        assert_eq!(home.records(), [row(1, "changed")]);
    }
}

/// The process died between the log and the engine.
#[test]
fn a_commit_that_only_the_log_has_and_nobody_was_told_of_is_cut_off() {
    for kind in ON_DISK {
        let home = Home::new(kind);
        let _durable = home.open().commit(vec![record(1, "first")]).unwrap();
        let whole = fs::read(home.log()).unwrap();
        let mut log = Wal::open(&home.log()).unwrap();
        log.append(2, &[record(1, "never told"), record(2, "never told")]).unwrap();
        assert!(log.len_bytes() > whole.len() as u64);

        assert_eq!(home.records(), [row(1, "first")]);
        assert!(fs::read(home.log()).unwrap() == whole);
    }
}

/// However the log ends, or whatever bit of it is flipped: the engine is whole, and makes it whole again.
#[test]
fn a_log_that_is_torn_damaged_or_missing_is_begun_anew() {
    for kind in ON_DISK {
        let home = Home::new(kind);
        let ops = |number| vec![record(number, "value"), record(100 + number, "another")];
        (0..3).for_each(|number| drop(home.open().commit(ops(number)).unwrap()));
        let expected = home.records();
        let whole = fs::read(home.log()).unwrap();
        let cuts = (0..whole.len()).step_by(7).map(|len| whole[..len].to_vec());
        let flips = (0..whole.len()).step_by(5).map(|at| {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            bytes
        });
        let grown = [[&whole[..], &[0; 4096]].concat(), [&whole[..], &[9; 11]].concat()];
        for damaged in cuts.chain(flips).chain(grown) {
            fs::write(home.log(), &damaged).unwrap();
            let reader = home.open().reader();
            reader.scrub().unwrap();
            drop(reader);
            // Nothing but the log is left.
            let aside = home.place.path().join("aside");
            home.copy_engine(&aside);
            home.remove_engine();
            fs::create_dir(home.directory().join("gone")).unwrap();
            fs::rename(home.directory().join("gone"), home.engine()).unwrap();
            let found = home.set_aside();
            assert_eq!(found.rows[&TABLE], expected.len() as u64);
            assert_eq!(home.records(), expected);
            fs::remove_dir_all(&found.kept).unwrap();
            home.remove_engine();
            fs::rename(aside, home.engine()).unwrap();
        }
    }
}

#[test]
fn every_damage_is_seen_at_the_frame_that_it_is_in() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join(FILE);
    let mut log = Wal::open(&path).unwrap();
    (1..4).for_each(|commit| log.append(commit, &[record(9, "value"), board("no")]).unwrap());
    let whole = fs::read(&path).unwrap();
    let frame = whole.len() / 3;
    let read = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let mut frames = Wal::open(&path).unwrap().frames().unwrap();
        let found: Vec<_> = frames.by_ref().map(|frame| (frame.commits, frame.rows)).collect();
        (found.len(), frames.is_at_end())
    };
    assert_eq!(read(&whole), (3, true));
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        assert_eq!(read(&bytes), (at / frame, false), "{at}");
        assert_eq!(read(&whole[..at]), (at / frame, at % frame == 0), "{at}");
    }
}

#[test]
fn the_end_of_a_log_is_known_without_reading_the_rest() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join(FILE);
    assert_eq!(Wal::open(&path).unwrap().tail(), Tail::Empty);
    let mut log = Wal::open(&path).unwrap();
    log.append(7, &[record(1, "one")]).unwrap();
    log.append(8, &[board("no record")]).unwrap();
    assert_eq!(Wal::open(&path).unwrap().tail(), Tail::Whole(7));
    log.append(9, &[record(1, "two")]).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[9] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(Wal::open(&path).unwrap().tail(), Tail::Whole(9));
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(Wal::open(&path).unwrap().tail(), Tail::Broken);
}

/// A commit that is longer than a frame has several, and counts as a whole or not at all.
#[test]
fn a_long_commit_has_several_frames() {
    let home = Home::new(EngineKind::Redb);
    let ops: Vec<_> = (0..12)
        .map(|number: u32| Op::put(TABLE, number.to_be_bytes().to_vec(), vec![1; VALUE_BYTES_MAX]))
        .collect();
    let _durable = home.open().commit(ops.clone()).unwrap();
    let commits = |home: &Home| -> Vec<u64> {
        let log = Wal::open(&home.log()).unwrap();
        log.frames().unwrap().map(|frame| frame.commits).collect()
    };
    assert_eq!(commits(&home), [1, 1]);
    let mut log = Wal::open(&home.log()).unwrap();
    log.append(2, &ops).unwrap();
    assert_eq!(commits(&home), [1, 1, 2, 2]);
    drop(home.open());
    assert_eq!(commits(&home), [1, 1]);
    home.remove_engine();
    fs::write(home.engine(), b"nothing").unwrap();
    assert_eq!(home.set_aside().rows[&TABLE], 12);
}

/// What was replaced and removed goes from the log; what is committed meanwhile does not.
#[test]
fn a_log_is_begun_anew_while_commits_go_on() {
    for kind in ON_DISK {
        let home = Home::new(kind);
        let store = home.open();
        let secret = "to be forgotten";
        for number in 0..300 {
            let _durable = store.commit(vec![record(number, secret)]).unwrap();
        }
        let _durable = store.commit((0..300).map(|number| record(number, "kept")).collect());
        let has_secret = |home: &Home| {
            let log = fs::read(home.log()).unwrap();
            log.windows(secret.len()).any(|run| run == secret.as_bytes())
        };
        assert!(has_secret(&home));
        let long = fs::metadata(home.log()).unwrap().len();

        let (reader, is_done) = (store.reader(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                (0..20).for_each(|_| reader.renew_wal().unwrap());
                is_done.store(true, Ordering::Release);
            });
            let mut number = 0;
            while !is_done.load(Ordering::Acquire) {
                number = (number + 37) % 300;
                let ops = vec![record(number, &format!("{number} again")), gone(299 - number)];
                let _durable = store.commit(ops).unwrap();
            }
        });
        drop((store, reader));

        assert!(!has_secret(&home));
        let expected = home.records();
        assert!(fs::metadata(high_water_file(&home.directory())).is_ok());
        home.remove_engine();
        fs::write(home.engine(), b"nothing").unwrap();
        home.set_aside();
        assert_eq!(home.records(), expected);
        home.open().reader().renew_wal().unwrap();
        assert!(fs::metadata(home.log()).unwrap().len() < long);
    }
}

/// A log whose last frames are missing reads well; the ledger names the commit that it must end with.
#[test]
fn a_log_that_was_cut_between_two_frames_is_begun_anew() {
    for (kind, frames) in ON_DISK.into_iter().flat_map(|kind| (0..3).map(move |at| (kind, at))) {
        let cut = || {
            let home = Home::new(kind);
            for ops in [0, 1, 2].map(|number| vec![record(number, "value")]) {
                let _durable = home.open().commit(ops).unwrap();
            }
            let _durable = home.open().commit(vec![board("after all records")]).unwrap();
            let whole = fs::read(home.log()).unwrap();
            fs::write(home.log(), &whole[..whole.len() / 3 * frames]).unwrap();
            home
        };
        let expected = [0, 1, 2].map(|number| row(number, "value"));

        let home = cut();
        assert_eq!(home.records(), expected);
        home.remove_engine();
        fs::create_dir(home.engine()).unwrap();
        assert!(home.set_aside().has_all_records, "{kind}, {frames}");
        assert_eq!(home.records(), expected);

        // Who sets the store aside at once is told, and keeps what the engine could still give.
        let home = cut();
        assert!(!home.set_aside().has_all_records, "{kind}, {frames}");
        assert_eq!(home.records(), expected);
    }
}

/// All that there was is gone: the log is whole, and says so.
#[test]
fn a_log_without_rows_is_whole() {
    for kind in ON_DISK {
        let home = Home::new(kind);
        let _durable = home.open().commit(vec![record(1, "first")]).unwrap();
        let _durable = home.open().commit(vec![gone(1)]).unwrap();
        home.open().reader().renew_wal().unwrap();
        assert!(home.set_aside().has_all_records);
        assert_eq!(home.records(), []);
    }
}
