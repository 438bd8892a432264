//! The writer: what shares a commit, what is reported when, and what follows a failure.

use std::sync::{
    Mutex,
    mpsc::{self, Receiver, Sender},
};

use super::*;

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
        bench.writer.submit(BatchId(id), vec![put(Shared::Missing, &key, "x")], None).unwrap();
    };
    submit(1);
    assert_eq!(bench.begun.recv().unwrap(), 1);
    submit(2);
    submit(3);
    submit(4);
    assert_eq!(bench.writer.waiting_bytes(), 8);
    assert_eq!(bench.reader.get(Shared::Missing, b"1").unwrap(), None);

    bench.fates.send(Fate::Commit).unwrap();
    assert_eq!(bench.begun.recv().unwrap(), 3);
    let first = bench.reports.recv().unwrap();
    bench.fates.send(Fate::Commit).unwrap();
    let second = bench.reports.recv().unwrap();

    assert!(matches!(first, Report::Durable(ids) if ids == [BatchId(1)]));
    let group = [BatchId(2), BatchId(3), BatchId(4)];
    assert!(matches!(second, Report::Durable(ids) if ids == group));
    assert_eq!(bench.writer.waiting_bytes(), 0);
    assert_eq!(bench.reader.get(Shared::Missing, b"4").unwrap(), Some(b"x".to_vec()));
}

#[test]
fn a_batch_of_the_nodes_own_shares_a_commit_and_is_told_of_apart() {
    let bench = gated_writer();
    let (told, is_told) = mpsc::channel();
    let own = |key: &str| {
        let told = told.clone();
        let ops = vec![put(Own::Records, key, "x")];
        let then = Box::new(move || told.send(()).unwrap());
        bench.writer.submit_more(ops, None, Some(then)).unwrap();
    };
    own("a");
    assert_eq!(bench.begun.recv().unwrap(), 1);
    own("b");
    bench.writer.submit(BatchId(1), vec![put(Shared::Missing, "c", "x")], None).unwrap();
    assert!(is_told.try_recv().is_err());
    bench.fates.send(Fate::Commit).unwrap();
    is_told.recv().unwrap();
    assert_eq!(bench.begun.recv().unwrap(), 2);
    assert!(is_told.try_recv().is_err());

    bench.fates.send(Fate::Fail).unwrap();

    // Dropped without a word: what it waited for never came to be.
    drop(told);
    assert!(is_told.recv().is_err());
    assert!(matches!(bench.reports.recv().unwrap(), Report::Durable(ids) if ids.is_empty()));
    assert!(matches!(bench.reports.recv().unwrap(), Report::Fatal(_)));
    assert_eq!(bench.reader.get(Own::Records, b"b").unwrap(), None);
}

#[test]
fn a_group_is_cut_at_its_bound_and_keeps_its_order() {
    let bench = gated_writer();
    bench.writer.submit(BatchId(0), Vec::new(), None).unwrap();
    assert_eq!(bench.begun.recv().unwrap(), 0);
    for id in 1..=10_u64 {
        let value = vec![0; VALUE_BYTES_MAX];
        let op = put_bytes(Shared::Payloads, &id.to_be_bytes(), value);
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
        bench.writer.submit(BatchId(1), vec![put(Shared::Feeds, "a", "1")], None).unwrap();
        bench.begun.recv().unwrap();
        bench.writer.submit(BatchId(2), vec![put(Shared::Feeds, "b", "2")], None).unwrap();

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
            writer.submit(BatchId(id), vec![put(Shared::Missing, &key, "x")], None).unwrap();
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
fn readers_see_what_is_durable_and_outlive_the_writer() {
    for place in Place::all() {
        let store = place.open().unwrap();
        let reader = store.reader();
        let (sender, reports) = mpsc::channel();
        let writer = Writer::start(store, move |report| sender.send(report).unwrap()).unwrap();

        writer.submit(BatchId(1), vec![put(Shared::Acks, "a", "1")], None).unwrap();
        let report = reports.recv().unwrap();
        writer.finish();

        assert!(matches!(report, Report::Durable(ids) if ids == [BatchId(1)]));
        assert_eq!(reader.get(Shared::Acks, b"a").unwrap(), Some(b"1".to_vec()));
    }
}
