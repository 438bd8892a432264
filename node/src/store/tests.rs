//! One set of tests for every engine, with reopening, and the writer's grouping.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
};

use super::*;

/// Where a store lives between two openings.
enum Place {
    Directory(tempfile::TempDir),
    Memory(MemoryDisk),
}

impl Place {
    fn all() -> Vec<Self> {
        vec![Self::Directory(tempfile::tempdir().unwrap()), Self::Memory(MemoryDisk::new())]
    }

    fn open(&self) -> Result<Store, StoreError> {
        match self {
            Self::Directory(directory) => {
                open(&directory.path().join("home/store"), EngineKind::Redb)
            }
            Self::Memory(disk) => disk.open(),
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

        writer.submit(BatchId(1), vec![put(Table::Acks, "a", "1")]).unwrap();
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
fn a_file_that_is_no_store_is_reported_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("store.redb");
    std::fs::write(&file, b"something else entirely").unwrap();

    let refused = open(directory.path(), EngineKind::Redb).unwrap_err();

    assert!(refused.to_string().starts_with("opening the store in "), "{refused}");
    assert_eq!(std::fs::read(&file).unwrap(), b"something else entirely");
}

#[test]
fn a_flipped_byte_in_a_value_is_found_by_verify() {
    let directory = tempfile::tempdir().unwrap();
    let value = vec![0xa5; 100_000];
    let store = open(directory.path(), EngineKind::Redb).unwrap();
    let _durable = store.commit(vec![put_bytes(Table::Payloads, b"k", value)]).unwrap();
    drop(store);
    let file = directory.path().join("store.redb");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.windows(50_000).position(|run| run.iter().all(|byte| *byte == 0xa5));
    bytes[middle.unwrap() + 25_000] ^= 1;
    std::fs::write(&file, bytes).unwrap();

    let store = open(directory.path(), EngineKind::Redb).unwrap();

    assert!(matches!(store.reader().verify(), Err(StoreError::Damaged { .. })));
}

/// Wraps a real engine: every commit says that it has begun and waits to be told its fate.
#[derive(Debug)]
struct Gated {
    inner: Arc<dyn Engine>,
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
    fn commit(&self, ops: Vec<Op>) -> Result<Durable, StoreError> {
        self.begun.send(ops.len()).unwrap();
        let fate = self.fates.lock().unwrap().recv().unwrap();
        match fate {
            Fate::Commit => self.inner.commit(ops),
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

    fn verify(&self) -> Result<Verified, StoreError> {
        self.inner.verify()
    }

    fn size(&self) -> Result<Size, StoreError> {
        self.inner.size()
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
    let inner = MemoryDisk::new().open().unwrap().engine;
    let (begun_sender, begun) = mpsc::channel();
    let (fates, fates_receiver) = mpsc::channel();
    let (sender, reports) = mpsc::channel();
    let gated = Gated { inner, begun: begun_sender, fates: Mutex::new(fates_receiver) };
    let store = Store::new(gated);
    let reader = store.reader();
    let writer = Writer::start(store, move |report| sender.send(report).unwrap()).unwrap();
    Bench { writer, reader, begun, fates, reports }
}

#[test]
fn batches_that_arrive_during_a_commit_share_the_next() {
    let bench = gated_writer();
    let submit = |id: u64| {
        let key = id.to_string();
        bench.writer.submit(BatchId(id), vec![put(Table::Missing, &key, "x")]).unwrap();
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
    bench.writer.submit(BatchId(0), Vec::new()).unwrap();
    assert_eq!(bench.begun.recv().unwrap(), 0);
    for id in 1..=10 {
        let value = vec![0; VALUE_BYTES_MAX];
        let op = put_bytes(Table::Payloads, &[1], value);
        bench.writer.submit(BatchId(id), vec![op]).unwrap();
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
        bench.writer.submit(BatchId(1), vec![put(Table::Feeds, "a", "1")]).unwrap();
        bench.begun.recv().unwrap();
        bench.writer.submit(BatchId(2), vec![put(Table::Feeds, "b", "2")]).unwrap();

        bench.fates.send(fate).unwrap();

        let Report::Fatal(error) = bench.reports.recv().unwrap() else { panic!("not fatal") };
        assert!(error.to_string().starts_with(expected), "{error}");
        // The channel closes when the thread has ended: no further report, no further commit.
        assert!(bench.reports.recv().is_err());
        assert_eq!(bench.writer.submit(BatchId(3), Vec::new()), Err(WriterStopped));
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
            writer.submit(BatchId(id), vec![put(Table::Missing, &key, "x")]).unwrap();
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

    let reader = Store::new(Unreadable).reader();
    let copy = reader.clone();
    assert_eq!(EngineReader::get(&copy, Table::Acks, b"a"), None);
    let told = reader.failure().map(ToString::to_string);
    assert_eq!(
        told.as_deref(),
        Some("reading: the store's engine panicked; restart the daemon, and report the log")
    );
}

/// Fails every read.
#[derive(Debug)]
struct Unreadable;

impl Unreadable {
    fn fault<T>() -> Result<T, StoreError> {
        Err(StoreError::Panicked { doing: "reading" })
    }
}

impl Engine for Unreadable {
    fn commit(&self, _: Vec<Op>) -> Result<Durable, StoreError> {
        Self::fault()
    }

    fn get(&self, _: Table, _: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Self::fault()
    }

    fn scan(&self, _: Table, _: &KeyRange, _: usize, _: Order) -> Result<Vec<Row>, StoreError> {
        Self::fault()
    }

    fn verify(&self) -> Result<Verified, StoreError> {
        Self::fault()
    }

    fn size(&self) -> Result<Size, StoreError> {
        Self::fault()
    }
}
