//! One set of tests for every engine, with reopening, and the writer's grouping.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{
        Mutex,
        mpsc::{self, Receiver, Sender},
    },
};

use super::*;

const ON_DISK: [EngineKind; 2] = [EngineKind::Sled, EngineKind::Redb];

/// Where a store lives between two openings.
enum Place {
    Directory(tempfile::TempDir, EngineKind),
    Memory(MemoryDisk),
}

impl Place {
    fn of(kind: EngineKind) -> Self {
        Self::Directory(tempfile::tempdir().unwrap(), kind)
    }

    fn all() -> Vec<Self> {
        let on_disk = ON_DISK.into_iter().map(Self::of);
        on_disk.chain([Self::Memory(MemoryDisk::new())]).collect()
    }

    fn open(&self) -> Result<Store, StoreError> {
        match self {
            Self::Directory(_, kind) => open(&self.directory(), *kind),
            Self::Memory(disk) => disk.open(),
        }
    }

    fn directory(&self) -> PathBuf {
        match self {
            Self::Directory(place, _) => place.path().join("home/store"),
            Self::Memory(_) => panic!("memory has no directory"),
        }
    }
}

fn put_bytes(table: Table, key: &[u8], value: Vec<u8>) -> Op {
    Op { table, key: key.to_vec(), value: Some(value) }
}

fn put(table: Table, key: &str, value: &str) -> Op {
    put_bytes(table, key.as_bytes(), value.as_bytes().to_vec())
}

fn delete(table: Table, key: &[u8]) -> Op {
    Op { table, key: key.to_vec(), value: None }
}

fn pair(key: &str, value: &str) -> Row {
    (key.as_bytes().to_vec(), value.as_bytes().to_vec())
}

fn everything(reader: &Reader) -> BTreeMap<&'static str, Vec<Row>> {
    let rows = |table| reader.scan(table, &KeyRange::all(), usize::MAX, Order::Ascending).unwrap();
    Table::ALL.iter().map(|&table| (table.name(), rows(table))).collect()
}

#[test]
fn a_commit_over_several_tables_is_there_after_reopening() {
    for place in Place::all() {
        let store = place.open().unwrap();
        let ops = Table::ALL.iter().map(|&table| put(table, "key", table.name())).collect();
        let _durable = store.commit(ops).unwrap();
        let before = everything(&store.reader());
        drop(store);

        let store = place.open().unwrap();

        let expected: BTreeMap<_, _> = Table::ALL
            .iter()
            .map(|&table| (table.name(), vec![pair("key", table.name())]))
            .collect();
        assert_eq!(before, expected);
        assert_eq!(everything(&store.reader()), expected);
    }
}

#[test]
fn of_several_ops_on_one_key_the_last_holds() {
    for place in Place::all() {
        let store = place.open().unwrap();
        let _durable = store.commit(vec![put(Table::Heads, "gone", "x")]).unwrap();
        let ops = vec![
            put(Table::Heads, "a", "1"),
            delete(Table::Heads, b"a"),
            put(Table::Heads, "a", "2"),
            delete(Table::Heads, b"gone"),
            delete(Table::Heads, b"never there"),
        ];

        let _durable = store.commit(ops).unwrap();

        let reader = store.reader();
        assert_eq!(reader.get(Table::Heads, b"a").unwrap(), Some(b"2".to_vec()));
        assert_eq!(reader.get(Table::Heads, b"gone").unwrap(), None);
        assert_eq!(reader.get(Table::Acks, b"a").unwrap(), None);
    }
}

#[test]
fn a_scan_keeps_to_its_table_range_limit_and_order() {
    for place in Place::all() {
        let store = place.open().unwrap();
        let mut ops: Vec<Op> =
            ["a", "b", "c", "d"].iter().map(|key| put(Table::Headers, key, key)).collect();
        // Neighbours on both sides, which an open end must not reach.
        ops.extend([put(Table::Feeds, "z", "other"), put(Table::Payloads, "a", "other")]);
        let _durable = store.commit(ops).unwrap();
        let reader = store.reader();
        let keys = |range: &KeyRange, limit, order| -> String {
            let pairs = reader.scan(Table::Headers, range, limit, order).unwrap();
            pairs.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect()
        };
        let between = |start: &str, end: &str| {
            KeyRange::between(start.as_bytes().to_vec(), end.as_bytes().to_vec())
        };

        assert_eq!(keys(&KeyRange::all(), 9, Order::Ascending), "abcd");
        assert_eq!(keys(&KeyRange::all(), 9, Order::Descending), "dcba");
        assert_eq!(keys(&KeyRange::all(), 2, Order::Ascending), "ab");
        assert_eq!(keys(&KeyRange::all(), 2, Order::Descending), "dc");
        assert_eq!(keys(&between("b", "d"), 9, Order::Ascending), "bc");
        assert_eq!(keys(&between("b", "d"), 1, Order::Descending), "c");
        assert_eq!(keys(&between("d", "b"), 9, Order::Ascending), "");
        assert_eq!(keys(&between("b", "b"), 9, Order::Ascending), "");
        assert_eq!(keys(&KeyRange::all(), 0, Order::Ascending), "");
    }
}

#[test]
fn a_prefix_range_ends_where_the_prefix_does() {
    assert_eq!(KeyRange::prefix(b"ab"), KeyRange::between(b"ab".to_vec(), b"ac".to_vec()));
    assert_eq!(KeyRange::prefix(&[7, 255, 255]), KeyRange::between(vec![7, 255, 255], vec![8]));
    assert_eq!(KeyRange::prefix(&[255]), KeyRange { start: vec![255], end: None });
    assert_eq!(KeyRange::prefix(&[]), KeyRange::all());
}

#[test]
fn a_value_of_two_mebibytes_comes_back_whole_and_a_longer_one_is_refused() {
    for place in Place::all() {
        let store = place.open().unwrap();
        let large: Vec<u8> = (0..=250).cycle().take(VALUE_BYTES_MAX).collect();
        let ops = vec![put_bytes(Table::Payloads, b"large", large.clone())];
        let _durable = store.commit(ops).unwrap();
        drop(store);
        let store = place.open().unwrap();
        assert!(store.reader().get(Table::Payloads, b"large").unwrap() == Some(large));

        let too_long = vec![0; VALUE_BYTES_MAX + 1];
        let refused = store.commit(vec![
            put(Table::Payloads, "beside", "x"),
            put_bytes(Table::Payloads, b"large", too_long),
        ]);

        assert_eq!(
            refused.unwrap_err().to_string(),
            "a value of 2097153 bytes in table payloads passes the bound of 2097152"
        );
        assert_eq!(store.reader().get(Table::Payloads, b"beside").unwrap(), None);
        let refused = store.commit(vec![delete(Table::Feeds, &[0; KEY_BYTES_MAX + 1])]);
        assert_eq!(
            refused.unwrap_err().to_string(),
            "a key of 1025 bytes in table feeds passes the bound of 1024"
        );
    }
}

#[test]
fn a_second_opening_is_refused_in_plain_words_until_the_first_is_closed() {
    for place in Place::all() {
        let first = place.open().unwrap();

        let refused = place.open().unwrap_err();

        assert!(matches!(refused, StoreError::Locked { .. }), "{refused:?}");
        assert!(refused.to_string().contains("is in use by another process; stop the other"));
        drop(first);
        place.open().unwrap();
    }
}

#[test]
fn readers_see_what_is_durable_and_outlive_the_writer() {
    for place in Place::all() {
        let store = place.open().unwrap();
        let reader = store.reader();
        let (sender, reports) = mpsc::channel();
        let writer = Writer::start(store, move |report| sender.send(report).unwrap()).unwrap();

        writer.submit(BatchId(1), vec![put(Table::Acks, "a", "1")], None).unwrap();
        let report = reports.recv().unwrap();
        writer.finish();

        assert!(matches!(report, Report::Durable(ids) if ids == [BatchId(1)]));
        assert_eq!(reader.get(Table::Acks, b"a").unwrap(), Some(b"1".to_vec()));
    }
}

#[test]
fn a_sound_store_verifies_and_counts_its_entries() {
    for place in Place::all() {
        let store = place.open().unwrap();
        let _durable =
            store.commit(vec![put(Table::Boards, "a", "1"), put(Table::Cards, "b", "2")]).unwrap();

        assert_eq!(store.reader().verify().unwrap(), Verified::Sound);

        let size = store.reader().size().unwrap();
        assert_eq!(size.entries, 2);
        assert!(size.disk_bytes >= 4);
        assert_eq!(store.reader().get(Table::Cards, b"b").unwrap(), Some(b"2".to_vec()));
    }
}

#[test]
fn large_values_that_are_replaced_or_deleted_leave_nothing_behind() {
    let place = Place::of(EngineKind::Sled);
    let large = |fill: u8, len| vec![put_bytes(Table::Payloads, b"large", vec![fill; len])];
    let stored = |directory: &Path| {
        let database = ::sled::Config::new().path(directory.join("sled"));
        let database = database.segment_size(8 * 1024 * 1024).flush_every_ms(None).open().unwrap();
        (database.len(), fs::read_dir(directory.join("sled/blobs")).unwrap().count())
    };
    // The lengths, and the keys that sled then has: the ledger's, the row's, its pieces'.
    for (len, keys) in [(VALUE_BYTES_MAX, 2 + 33), (1 << 20, 2 + 17), (70_000, 4), (9, 2)] {
        let store = place.open().unwrap();
        for fill in 0..3 {
            let _durable = store.commit(large(fill, len)).unwrap();
        }
        assert!(store.reader().get(Table::Payloads, b"large").unwrap() == Some(vec![2; len]));
        let rows = store.reader().scan(Table::Payloads, &KeyRange::all(), 9, Order::Descending);
        assert!(rows.unwrap() == [(b"large".to_vec(), vec![2; len])]);
        assert_eq!(store.reader().verify().unwrap(), Verified::Sound);
        drop(store);
        assert_eq!(stored(&place.directory()), (keys, 0));
    }
    let store = place.open().unwrap();
    let _durable = store.commit(large(7, VALUE_BYTES_MAX)).unwrap();
    let _durable = store.commit(vec![delete(Table::Payloads, b"large")]).unwrap();
    assert_eq!(store.reader().get(Table::Payloads, b"large").unwrap(), None);
    drop(store);
    assert_eq!(stored(&place.directory()), (1, 0));
}

#[test]
fn a_commit_of_sixteen_mebibytes_is_one() {
    for place in Place::all() {
        let store = place.open().unwrap();
        let value = |number: u8| vec![number; VALUE_BYTES_MAX];
        let ops = (0..8).map(|number| put_bytes(Table::Payloads, &[number], value(number)));
        let _durable = store.commit(ops.collect()).unwrap();
        drop(store);

        let reader = place.open().unwrap().reader();
        for number in 0..8 {
            assert!(reader.get(Table::Payloads, &[number]).unwrap() == Some(value(number)));
        }
        assert_eq!(reader.verify().unwrap(), Verified::Sound);
    }
}

#[test]
fn a_scrub_goes_on_while_rows_are_written_before_and_behind_it() {
    for place in Place::all() {
        let store = place.open().unwrap();
        let rows = |from: u16, to: u16, value: &[u8]| -> Vec<Op> {
            let tables = [Table::Boards, Table::Headers, Table::Placed];
            let numbers = (from..to).flat_map(|number| tables.map(|table| (table, number)));
            numbers
                .map(|(table, number)| put_bytes(table, &number.to_be_bytes(), value.to_vec()))
                .collect()
        };
        let _durable = store.commit(rows(0, 1_000, b"first")).unwrap();
        let reader = store.reader();

        std::thread::scope(|scope| {
            let scrubbing = scope.spawn(|| (0..5).try_for_each(|_| reader.scrub()));
            let mut number = 0;
            while !scrubbing.is_finished() {
                number = (number + 7) % 1_000;
                let mut ops = rows(number, number + 3, &number.to_be_bytes());
                ops.push(delete(Table::Headers, &(999 - number).to_be_bytes()));
                let _durable = store.commit(ops).unwrap();
            }
            scrubbing.join().unwrap().unwrap();
        });
        assert_eq!(reader.verify().unwrap(), Verified::Sound);
    }
}

#[test]
fn a_store_of_another_engine_is_never_gone_past() {
    for (here, asked) in
        [(EngineKind::Redb, EngineKind::Sled), (EngineKind::Sled, EngineKind::Redb)]
    {
        let place = Place::of(here);
        drop(place.open().unwrap());

        let refused = open(&place.directory(), asked).unwrap_err();

        assert_eq!(refused.code(), "other-engine");
        let told = refused.to_string();
        let advice = format!(
            "set store = \"{here}\" in the config, or run `concordat store migrate --to {asked}`"
        );
        assert!(told.contains(&advice), "{told}");
        place.open().unwrap();
    }
}

#[test]
fn a_file_that_is_no_store_is_reported() {
    for (kind, file) in [(EngineKind::Sled, "sled/db"), (EngineKind::Redb, "store.redb")] {
        let place = Place::of(kind);
        let file = place.directory().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, b"something else entirely").unwrap();

        let refused = place.open().unwrap_err();

        assert!(refused.to_string().starts_with("opening the store in "), "{refused}");
        if kind == EngineKind::Redb {
            assert_eq!(fs::read(&file).unwrap(), b"something else entirely");
        }
    }
}

#[test]
fn a_flipped_byte_in_a_value_is_found_by_reading_and_by_verify() {
    for (kind, file) in [(EngineKind::Sled, "sled/db"), (EngineKind::Redb, "store.redb")] {
        let place = Place::of(kind);
        let store = place.open().unwrap();
        let value = vec![0xa5; 60_000];
        let _durable = store.commit(vec![put_bytes(Table::Payloads, b"k", value)]).unwrap();
        drop(store);
        let file = place.directory().join(file);
        let mut bytes = fs::read(&file).unwrap();
        let runs = (0..bytes.len() - 50_000).step_by(1_000);
        let middles: Vec<usize> = runs
            .filter(|at| bytes[*at..at + 50_000].iter().all(|byte| *byte == 0xa5))
            .map(|at| at + 25_000)
            .collect();
        assert!(!middles.is_empty());
        // An engine may hold older copies of a page.
        middles.into_iter().for_each(|at| bytes[at] ^= 1);
        fs::write(&file, bytes).unwrap();

        let marked = Kept::load(&high_water_file(&place.directory())).unwrap().unwrap();

        // Sled may drop the commit: then it holds fewer than are marked.
        let found = place.open().and_then(|store| {
            let reader = store.reader();
            let read = reader.get(Table::Payloads, b"k");
            assert!(read.is_err() || reader.commits() < marked.commits, "{kind}");
            reader.verify().map(|_| reader.commits())
        });

        match found {
            Ok(commits) => assert!(commits < marked.commits, "{kind}"),
            Err(error) => assert!(matches!(error, StoreError::Damaged { .. }), "{kind}: {error}"),
        }
    }
}

#[test]
fn the_high_water_file_counts_commits_and_keeps_the_lines_of_the_last() {
    for kind in ON_DISK {
        let place = Place::of(kind);
        let file = high_water_file(&place.directory());
        let kept = || Kept::load(&file).unwrap().map(|kept| (kept.commits, kept.lines));
        let store = place.open().unwrap();
        assert_eq!(kept(), None);
        let row = || vec![put(Table::Feeds, "a", "1")];
        let _durable = store.commit_marked(row(), Some("one\n".to_owned())).unwrap();
        assert_eq!(kept(), Some((1, "one\n".to_owned())));
        let _durable = store.commit(row()).unwrap();
        drop(store);
        assert_eq!(kept(), Some((2, "one\n".to_owned())));

        // A store that was put back is behind, and its next commits are numbered after the lost ones.
        Kept { commits: 9, lines: "nine\n".to_owned() }.save(&file).unwrap();
        let store = place.open().unwrap();
        assert_eq!(store.reader().commits(), 2);
        let _durable = store.commit(row()).unwrap();
        assert_eq!((store.reader().commits(), kept()), (10, Some((10, "nine\n".to_owned()))));
    }
}

#[test]
fn a_store_moves_between_engines_and_back_and_the_old_ones_are_kept() {
    let place = Place::of(EngineKind::Sled);
    let store = place.open().unwrap();
    for number in 0..3_u64 {
        let tables = Table::ALL.iter();
        let rows = tables.flat_map(|&table| (0..700_u64).map(move |row| (table, row)));
        let ops = rows.map(|(table, row)| {
            put_bytes(table, &row.to_be_bytes(), number.to_be_bytes().to_vec())
        });
        let _durable = store.commit(ops.collect()).unwrap();
    }
    let large = vec![7; VALUE_BYTES_MAX];
    let _durable = store.commit(vec![put_bytes(Table::Payloads, b"large", large)]).unwrap();
    let before = everything(&store.reader());
    let directory = place.directory();
    assert_eq!(migrate(&directory, EngineKind::Redb, &mut |_, _| {}).unwrap_err().code(), "busy");
    drop(store);
    let rows = 700 * Table::ALL.len() as u64 + 1;
    let refused = migrate(&directory, EngineKind::Sled, &mut |_, _| {}).unwrap_err();
    assert_eq!(refused.code(), "nothing-to-migrate");

    let mut digests = vec![];
    for (to, kept) in [
        (EngineKind::Redb, "sled.old"),
        (EngineKind::Sled, "store.redb.old"),
        (EngineKind::Redb, "sled.old-2"),
    ] {
        let mut told = vec![];
        let moved = migrate(&directory, to, &mut |done, total| told.push((done, total))).unwrap();

        assert_eq!((moved.rows, moved.old), (rows, directory.join(kept)));
        assert_eq!(told.last(), Some(&(rows, rows)));
        digests.push(moved.digest);
        let reader = open(&directory, to).unwrap().reader();
        assert!(everything(&reader) == before);
        assert_eq!((reader.verify().unwrap(), reader.commits()), (Verified::Sound, 4));
    }
    assert!(digests.iter().all(|digest| *digest == digests[0]));
}

#[test]
fn a_migration_that_was_cut_short_is_ended_by_the_next() {
    let place = Place::of(EngineKind::Redb);
    let _durable = place.open().unwrap().commit(vec![put(Table::Feeds, "a", "1")]).unwrap();
    let directory = place.directory();
    // Before the first rename, half a store may have been built.
    fs::create_dir_all(directory.join("migration/sled")).unwrap();
    fs::write(directory.join("migration/sled/db"), b"half").unwrap();
    let first = migrate(&directory, EngineKind::Sled, &mut |_, _| {}).unwrap();
    // Between the renames, both are there.
    fs::rename(&first.old, directory.join("store.redb")).unwrap();
    for kind in ON_DISK {
        assert_eq!(open(&directory, kind).unwrap_err().code(), "two-stores");
    }

    let second = migrate(&directory, EngineKind::Sled, &mut |_, _| {}).unwrap();

    assert_eq!(second, first);
    let reader = open(&directory, EngineKind::Sled).unwrap().reader();
    assert_eq!(reader.get(Table::Feeds, b"a").unwrap(), Some(b"1".to_vec()));
    assert!(!directory.join("migration").exists());
}

#[test]
fn a_store_that_is_set_aside_leaves_what_can_be_read_of_some_tables() {
    for (kind, file) in [(EngineKind::Sled, "sled"), (EngineKind::Redb, "store.redb")] {
        let place = Place::of(kind);
        let directory = place.directory();
        let aside = || set_aside(&directory, kind, &[Table::Boards, Table::Cards]);
        assert_eq!(aside().unwrap_err().code(), "nothing-to-set-aside");
        let store = place.open().unwrap();
        let kept = vec![put(Table::Boards, "a", "1"), put(Table::Cards, "b", "2")];
        let lost = vec![put(Table::Headers, "c", "3")];
        let _durable = store.commit([kept.clone(), lost].concat()).unwrap();
        let _durable = store.commit(vec![put(Table::Headers, "d", "4")]).unwrap();
        assert_eq!(aside().unwrap_err().code(), "busy");
        drop(store);

        let done = aside().unwrap();

        assert_eq!((done.kept, done.rows), (directory.join(format!("{file}.damaged")), kept));
        let reader = place.open().unwrap().reader();
        assert_eq!(everything(&reader).values().flatten().count(), 2);
        assert_eq!(reader.verify().unwrap(), Verified::Sound);
        let marked = Kept::load(&high_water_file(&directory)).unwrap().unwrap();
        assert!(reader.commits() < marked.commits);
    }
}

/// Wraps a real engine: every commit says that it has begun and waits to be told its fate.
#[derive(Debug)]
struct Gated {
    inner: Box<dyn Engine>,
    begun: Sender<usize>,
    fates: Mutex<Receiver<Fate>>,
}

#[derive(Debug)]
enum Fate {
    Commit,
    Fail,
    Panic,
}

impl Engine for Gated {
    fn commit(&self, changes: &Changes, ledger: &[u8]) -> Result<Durable, StoreError> {
        self.begun.send(changes.len()).unwrap();
        let fate = self.fates.lock().unwrap().recv().unwrap();
        match fate {
            Fate::Commit => self.inner.commit(changes, ledger),
            Fate::Fail => Err(StoreError::DiskFull { path: "disk".into(), doing: "committing" }),
            Fate::Panic => panic!("the engine's own mistake"),
        }
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(table, key)
    }

    fn scan(
        &self,
        table: Table,
        range: &KeyRange,
        limit: usize,
        order: Order,
    ) -> Result<Vec<Row>, StoreError> {
        self.inner.scan(table, range, limit, order)
    }

    fn ledger(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.ledger()
    }

    fn check(&self) -> Result<Verified, StoreError> {
        self.inner.check()
    }

    fn disk_bytes(&self) -> Result<u64, StoreError> {
        self.inner.disk_bytes()
    }

    fn path(&self) -> &Path {
        self.inner.path()
    }
}

struct Bench {
    writer: Writer,
    reader: Reader,
    begun: Receiver<usize>,
    fates: Sender<Fate>,
    reports: Receiver<Report>,
}

fn gated_writer() -> Bench {
    let inner = Box::new(MemoryDisk::new().into_engine());
    let (begun_sender, begun) = mpsc::channel();
    let (fates, fates_receiver) = mpsc::channel();
    let (sender, reports) = mpsc::channel();
    let gated = Gated { inner, begun: begun_sender, fates: Mutex::new(fates_receiver) };
    let store = Store::over_engine(Box::new(gated)).unwrap();
    let reader = store.reader();
    let writer = Writer::start(store, move |report| sender.send(report).unwrap()).unwrap();
    Bench { writer, reader, begun, fates, reports }
}

#[test]
fn batches_that_arrive_during_a_commit_share_the_next() {
    let bench = gated_writer();
    let submit = |id: u64| {
        let key = id.to_string();
        bench.writer.submit(BatchId(id), vec![put(Table::Missing, &key, "x")], None).unwrap();
    };
    submit(1);
    assert_eq!(bench.begun.recv().unwrap(), 1);
    submit(2);
    submit(3);
    submit(4);
    assert_eq!(bench.writer.waiting_bytes(), 8);
    assert_eq!(bench.reader.get(Table::Missing, b"1").unwrap(), None);

    bench.fates.send(Fate::Commit).unwrap();
    assert_eq!(bench.begun.recv().unwrap(), 3);
    let first = bench.reports.recv().unwrap();
    bench.fates.send(Fate::Commit).unwrap();
    let second = bench.reports.recv().unwrap();

    assert!(matches!(first, Report::Durable(ids) if ids == [BatchId(1)]));
    let group = [BatchId(2), BatchId(3), BatchId(4)];
    assert!(matches!(second, Report::Durable(ids) if ids == group));
    assert_eq!(bench.writer.waiting_bytes(), 0);
    assert_eq!(bench.reader.get(Table::Missing, b"4").unwrap(), Some(b"x".to_vec()));
}

#[test]
fn a_group_is_cut_at_its_bound_and_keeps_its_order() {
    let bench = gated_writer();
    bench.writer.submit(BatchId(0), Vec::new(), None).unwrap();
    assert_eq!(bench.begun.recv().unwrap(), 0);
    for id in 1..=10_u64 {
        let value = vec![0; VALUE_BYTES_MAX];
        let op = put_bytes(Table::Payloads, &id.to_be_bytes(), value);
        bench.writer.submit(BatchId(id), vec![op], None).unwrap();
    }

    for _ in 0..3 {
        bench.fates.send(Fate::Commit).unwrap();
    }

    let sizes: Vec<usize> = bench.begun.iter().take(2).collect();
    assert_eq!(sizes, [8, 2]);
    bench.writer.finish();
    let ids: Vec<u64> = bench
        .reports
        .iter()
        .flat_map(|report| match report {
            Report::Durable(ids) => ids,
            Report::Fatal(error) => panic!("{error}"),
        })
        .map(|id| id.0)
        .collect();
    assert_eq!(ids, (0..=10).collect::<Vec<_>>());
}

#[test]
fn after_a_failed_commit_nothing_more_is_written_or_reported() {
    for (fate, expected) in [
        (Fate::Fail, "committing in disk: the disk is full"),
        (Fate::Panic, "committing: the store's engine panicked"),
    ] {
        let bench = gated_writer();
        bench.writer.submit(BatchId(1), vec![put(Table::Feeds, "a", "1")], None).unwrap();
        bench.begun.recv().unwrap();
        bench.writer.submit(BatchId(2), vec![put(Table::Feeds, "b", "2")], None).unwrap();

        bench.fates.send(fate).unwrap();

        let Report::Fatal(error) = bench.reports.recv().unwrap() else { panic!("not fatal") };
        assert!(error.to_string().starts_with(expected), "{error}");
        // The channel closes when the thread has ended: no further report, no further commit.
        assert!(bench.reports.recv().is_err());
        assert_eq!(bench.writer.submit(BatchId(3), Vec::new(), None), Err(WriterStopped));
        assert_eq!(everything(&bench.reader).values().flatten().count(), 0);
    }
}

#[test]
fn finishing_writes_all_that_was_submitted() {
    for place in Place::all() {
        let store = place.open().unwrap();
        let (sender, reports) = mpsc::channel();
        let writer = Writer::start(store, move |report| sender.send(report).unwrap()).unwrap();
        for id in 0..20 {
            let key = id.to_string();
            writer.submit(BatchId(id), vec![put(Table::Missing, &key, "x")], None).unwrap();
        }

        writer.finish();

        let reported: usize = reports
            .iter()
            .map(|report| match report {
                Report::Durable(ids) => ids.len(),
                Report::Fatal(error) => panic!("{error}"),
            })
            .sum();
        assert_eq!(reported, 20);
        let reader = place.open().unwrap().reader();
        assert_eq!(reader.size().unwrap().entries, 20);
    }
}

#[test]
fn the_protocols_engine_reads_the_same_rows_and_sees_an_unreadable_one_as_absent_and_told() {
    use concordat_protocol::engine::Reader as EngineReader;

    for place in Place::all() {
        let store = place.open().unwrap();
        let _durable = store.commit(vec![put(Table::Acks, "a", "1")]).unwrap();
        let reader = store.reader();

        assert_eq!(EngineReader::get(&reader, Table::Acks, b"a"), Some(b"1".to_vec()));
        let rows = EngineReader::scan(&reader, Table::Acks, b"", b"b", 9);
        assert_eq!(rows, [pair("a", "1")]);
        assert_eq!(reader.failure().map(ToString::to_string), None);
    }

    let reader = Store::over_engine(Box::new(Unreadable)).unwrap().reader();
    let copy = reader.clone();
    assert_eq!(EngineReader::get(&copy, Table::Acks, b"a"), None);
    let told = reader.failure().map(ToString::to_string);
    assert_eq!(
        told.as_deref(),
        Some("reading: the store's engine panicked; restart the daemon, and report the log")
    );
}

/// Fails every read but that of its ledger.
#[derive(Debug)]
struct Unreadable;

impl Unreadable {
    fn fault<T>() -> Result<T, StoreError> {
        Err(StoreError::Panicked { doing: "reading" })
    }
}

impl Engine for Unreadable {
    fn commit(&self, _: &Changes, _: &[u8]) -> Result<Durable, StoreError> {
        Self::fault()
    }

    fn get(&self, _: Table, _: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Self::fault()
    }

    fn scan(&self, _: Table, _: &KeyRange, _: usize, _: Order) -> Result<Vec<Row>, StoreError> {
        Self::fault()
    }

    fn ledger(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(Some(ledger::Ledger::default().to_bytes()))
    }

    fn check(&self) -> Result<Verified, StoreError> {
        Self::fault()
    }

    fn disk_bytes(&self) -> Result<u64, StoreError> {
        Self::fault()
    }

    fn path(&self) -> &Path {
        Path::new("nowhere")
    }
}
