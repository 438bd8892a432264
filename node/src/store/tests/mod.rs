//! One set of tests for every engine, with reopening.
//!
//! | file | what |
//! |---|---|
//! | `mod` | what every engine does |
//! | `directories` | damage, other engines' stores, the high-water file, moving and setting aside |
//! | `grouping` | the writer |

mod directories;
mod grouping;

use std::{collections::BTreeMap, fs, path::PathBuf};

use concordat_protocol::engine::Table as Shared;

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

fn put_bytes(table: impl Into<Table>, key: &[u8], value: Vec<u8>) -> Op {
    Op::put(table, key.to_vec(), value)
}

fn put(table: impl Into<Table>, key: &str, value: &str) -> Op {
    put_bytes(table, key.as_bytes(), value.as_bytes().to_vec())
}

fn delete(table: impl Into<Table>, key: &[u8]) -> Op {
    Op::delete(table, key.to_vec())
}

fn pair(key: &str, value: &str) -> Row {
    (key.as_bytes().to_vec(), value.as_bytes().to_vec())
}

fn everything(reader: &Reader) -> BTreeMap<&'static str, Vec<Row>> {
    let rows = |table| reader.scan(table, &KeyRange::all(), usize::MAX, Order::Ascending).unwrap();
    Table::all().map(|table| (table.name(), rows(table))).collect()
}

#[test]
fn a_commit_over_several_tables_is_there_after_reopening() {
    for place in Place::all() {
        let store = place.open().unwrap();
        let ops = Table::all().map(|table| put(table, "key", table.name())).collect();
        let _durable = store.commit(ops).unwrap();
        let before = everything(&store.reader());
        drop(store);

        let store = place.open().unwrap();

        let expected: BTreeMap<_, _> =
            Table::all().map(|table| (table.name(), vec![pair("key", table.name())])).collect();
        assert_eq!(before, expected);
        assert_eq!(everything(&store.reader()), expected);
    }
}

#[test]
fn of_several_ops_on_one_key_the_last_holds() {
    for place in Place::all() {
        let store = place.open().unwrap();
        let _durable = store.commit(vec![put(Shared::Heads, "gone", "x")]).unwrap();
        let ops = vec![
            put(Shared::Heads, "a", "1"),
            delete(Shared::Heads, b"a"),
            put(Shared::Heads, "a", "2"),
            delete(Shared::Heads, b"gone"),
            delete(Shared::Heads, b"never there"),
        ];

        let _durable = store.commit(ops).unwrap();

        let reader = store.reader();
        assert_eq!(reader.get(Shared::Heads, b"a").unwrap(), Some(b"2".to_vec()));
        assert_eq!(reader.get(Shared::Heads, b"gone").unwrap(), None);
        assert_eq!(reader.get(Shared::Acks, b"a").unwrap(), None);
    }
}

#[test]
fn a_scan_keeps_to_its_table_range_limit_and_order() {
    for place in Place::all() {
        let store = place.open().unwrap();
        let mut ops: Vec<Op> =
            ["a", "b", "c", "d"].iter().map(|key| put(Shared::Headers, key, key)).collect();
        // Neighbours on both sides, which an open end must not reach.
        ops.extend([put(Shared::Feeds, "z", "other"), put(Shared::Payloads, "a", "other")]);
        let _durable = store.commit(ops).unwrap();
        let reader = store.reader();
        let keys = |range: &KeyRange, limit, order| -> String {
            let pairs = reader.scan(Shared::Headers, range, limit, order).unwrap();
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
        let ops = vec![put_bytes(Shared::Payloads, b"large", large.clone())];
        let _durable = store.commit(ops).unwrap();
        drop(store);
        let store = place.open().unwrap();
        assert!(store.reader().get(Shared::Payloads, b"large").unwrap() == Some(large));

        let too_long = vec![0; VALUE_BYTES_MAX + 1];
        let refused = store.commit(vec![
            put(Shared::Payloads, "beside", "x"),
            put_bytes(Shared::Payloads, b"large", too_long),
        ]);

        assert_eq!(
            refused.unwrap_err().to_string(),
            "a value of 2097153 bytes in table payloads passes the bound of 2097152"
        );
        assert_eq!(store.reader().get(Shared::Payloads, b"beside").unwrap(), None);
        let refused = store.commit(vec![delete(Shared::Feeds, &[0; KEY_BYTES_MAX + 1])]);
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
fn a_sound_store_verifies_and_counts_its_entries() {
    for place in Place::all() {
        let store = place.open().unwrap();
        let _durable = store
            .commit(vec![put(Shared::Boards, "a", "1"), put(Shared::Cards, "b", "2")])
            .unwrap();

        assert_eq!(store.reader().verify().unwrap(), Verified::Sound);

        let size = store.reader().size().unwrap();
        assert_eq!(size.entries, 2);
        assert!(size.disk_bytes >= 4);
        assert_eq!(store.reader().get(Shared::Cards, b"b").unwrap(), Some(b"2".to_vec()));
    }
}

#[test]
fn large_values_that_are_replaced_or_deleted_leave_nothing_behind() {
    let place = Place::of(EngineKind::Sled);
    let large = |fill: u8, len| vec![put_bytes(Shared::Payloads, b"large", vec![fill; len])];
    let stored = |directory: &Path| {
        let config = ::sled::Config::new().path(directory.join("sled"));
        let config = config.segment_size(8 * 1024 * 1024).flush_every_ms(None);
        // A closed sled gives up its lock a little later, once its threads have ended.
        let mut tries = (0..500).map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            config.open()
        });
        let database = tries.find_map(Result::ok).unwrap();
        (database.len(), fs::read_dir(directory.join("sled/blobs")).unwrap().count())
    };
    // The lengths, and the keys that sled then has: the ledger's, the row's, its pieces'.
    for (len, keys) in [(VALUE_BYTES_MAX, 2 + 33), (1 << 20, 2 + 17), (70_000, 4), (9, 2)] {
        let store = place.open().unwrap();
        for fill in 0..3 {
            let _durable = store.commit(large(fill, len)).unwrap();
        }
        assert!(store.reader().get(Shared::Payloads, b"large").unwrap() == Some(vec![2; len]));
        let rows = store.reader().scan(Shared::Payloads, &KeyRange::all(), 9, Order::Descending);
        assert!(rows.unwrap() == [(b"large".to_vec(), vec![2; len])]);
        assert_eq!(store.reader().verify().unwrap(), Verified::Sound);
        drop(store);
        assert_eq!(stored(&place.directory()), (keys, 0));
    }
    let store = place.open().unwrap();
    let _durable = store.commit(large(7, VALUE_BYTES_MAX)).unwrap();
    let _durable = store.commit(vec![delete(Shared::Payloads, b"large")]).unwrap();
    assert_eq!(store.reader().get(Shared::Payloads, b"large").unwrap(), None);
    drop(store);
    assert_eq!(stored(&place.directory()), (1, 0));
}

#[test]
fn a_commit_of_sixteen_mebibytes_is_one() {
    for place in Place::all() {
        let store = place.open().unwrap();
        let value = |number: u8| vec![number; VALUE_BYTES_MAX];
        let ops = (0..8).map(|number| put_bytes(Shared::Payloads, &[number], value(number)));
        let _durable = store.commit(ops.collect()).unwrap();
        drop(store);

        let reader = place.open().unwrap().reader();
        for number in 0..8 {
            assert!(reader.get(Shared::Payloads, &[number]).unwrap() == Some(value(number)));
        }
        assert_eq!(reader.verify().unwrap(), Verified::Sound);
    }
}

#[test]
fn a_scrub_goes_on_while_rows_are_written_before_and_behind_it_and_at_the_ends() {
    for place in Place::all() {
        let store = place.open().unwrap();
        let rows = |from: u16, to: u16, value: &[u8]| -> Vec<Op> {
            let tables = [Shared::Boards, Shared::Headers, Shared::Placed];
            let numbers = (from..to).flat_map(|number| tables.map(|table| (table, number)));
            numbers
                .map(|(table, number)| put_bytes(table, &number.to_be_bytes(), value.to_vec()))
                .collect()
        };
        let _durable = store.commit(rows(0, 1_000, b"first")).unwrap();
        let reader = store.reader();

        std::thread::scope(|scope| {
            let scrubbing = scope.spawn(|| (0..5).try_for_each(|_| reader.scrub().map(drop)));
            let (mut number, mut end) = (0, 1_000_u32 << 16);
            while !scrubbing.is_finished() {
                number = (number + 7) % 1_000;
                let mut ops = rows(number, number + 3, &number.to_be_bytes());
                ops.push(delete(Shared::Headers, &(999 - number).to_be_bytes()));
                // After the last row of every table, as entries and lines of the journal are.
                end += 1;
                ops.extend(Table::all().map(|table| put_bytes(table, &end.to_be_bytes(), vec![])));
                let _durable = store.commit(ops).unwrap();
            }
            scrubbing.join().unwrap().unwrap();
        });
        assert_eq!(reader.verify().unwrap(), Verified::Sound);
    }
}

#[test]
fn the_protocols_engine_reads_the_same_rows_and_sees_an_unreadable_one_as_absent_and_told() {
    use concordat_protocol::engine::Reader as EngineReader;

    for place in Place::all() {
        let store = place.open().unwrap();
        let _durable = store.commit(vec![put(Shared::Acks, "a", "1")]).unwrap();
        let reader = store.reader();

        assert_eq!(EngineReader::get(&reader, Shared::Acks, b"a"), Some(b"1".to_vec()));
        let rows = EngineReader::scan(&reader, Shared::Acks, b"", b"b", 9);
        assert_eq!(rows, [pair("a", "1")]);
        assert_eq!(reader.failure().map(ToString::to_string), None);
    }

    let reader = Store::over_engine(Box::new(Unreadable)).unwrap().reader();
    let copy = reader.clone();
    assert_eq!(EngineReader::get(&copy, Shared::Acks, b"a"), None);
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

/// Rows as a copy gave them.
type Rows = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

fn rows_of(reader: &Reader) -> Rows {
    let scan = |table| reader.scan(table, &KeyRange::all(), usize::MAX, Order::Ascending).unwrap();
    Table::all()
        .flat_map(|table| scan(table).into_iter().map(move |(key, value)| ((table, key), value)))
        .collect()
}

/// Commits go on while a copy is taken, before and behind where it stands: it holds what was there when it
/// began, on every engine.
#[test]
fn a_copy_is_of_one_commit_while_others_go_on() {
    for place in Place::all() {
        let store = place.open().unwrap();
        let name = |number: u64| format!("{number:04}");
        let first = (0..300).map(|n| put(Shared::Headers, &name(n), &format!("value {n}")));
        let more = (0..300).map(|n| put(Own::Journal, &name(n), "line"));
        let _durable = store.commit(first.chain(more).collect()).unwrap();
        let before = rows_of(&store.reader());
        let (mut copied, mut seen) = (Rows::new(), 0_u64);

        let done = store.reader().copy::<StoreError>(&mut |table, (key, value)| {
            copied.insert((table, key), value);
            seen += 1;
            if seen.is_multiple_of(50) {
                // One place that is copied, some that are not; changed twice, removed, and new.
                let _durable = store.commit(vec![
                    put(Shared::Headers, &name(seen), "changed"),
                    put(Shared::Headers, &name(299), &format!("changed {seen}")),
                    delete(Shared::Headers, name(298 - seen / 50).as_bytes()),
                    delete(Own::Journal, name(seen / 50).as_bytes()),
                    put(Shared::Headers, &format!("{}+", name(seen + 90)), "new"),
                    put(Own::Records, &format!("{seen}"), "new"),
                ])?;
            }
            Ok(())
        });

        let done = done.unwrap();
        assert_eq!((done.commits, done.rows), (1, 600));
        assert!(copied == before);
        store.reader().scrub().unwrap();
        // Another one sees what is there now.
        let mut again = Rows::new();
        let done = store.reader().copy::<StoreError>(&mut |table, (key, value)| {
            again.insert((table, key), value);
            Ok(())
        });
        assert_eq!(done.unwrap().commits, 13);
        assert!(again == rows_of(&store.reader()));
    }
}
