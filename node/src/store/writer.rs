//! The writer: one thread that owns all writes and shares an fsync among those that wait.
//!
//! ```text
//!   submit(1)  [ commit 1 .......... ]  report [1]
//!   submit(2)      waits              \
//!   submit(3)      waits               [ commit 2,3 ... ]  report [2, 3]
//! ```
//!
//! While one commit runs, the next batches gather; then they are committed as one group, in the
//! order of submission. There is no timer: a lone batch is committed at once.
//!
//! *Invariants.* An id is reported durable exactly once, after its group's commit returned, and in
//! the order of submission. After a failure nothing is written any more and no id is reported; the
//! failure is the last report. Ids mean nothing here: they are handed back as given.
//!
//! *Source*: ours; group commit as in any database log.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{BatchId, Op, Store, StoreError, op::len_bytes};

/// Bytes of one group; batches beyond wait for the next, so that one commit stays short.
const GROUP_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What the writer tells, on its own thread.
#[derive(Debug)]
pub enum Report {
    /// These batches, one group, are durable.
    Durable(Vec<BatchId>),
    /// Nothing is written any more; the daemon must say so and exit.
    Fatal(StoreError),
}

/// The writer has ended, after a fatal report or a finish; the batch was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store's writer has stopped; the reason stands earlier in the log")]
pub struct WriterStopped;

/// What is called once a batch is durable, on the writer's thread; it should only hand the word on.
pub type Then = Box<dyn FnOnce() + Send>;

/// With an id it is reported when it is durable.
struct Batch {
    id: Option<BatchId>,
    then: Option<Then>,
    ops: Vec<Op>,
    lines: Option<String>,
    len_bytes: usize,
}

/// Since when a commit has been under way; for whoever watches that it ends.
#[derive(Debug, Clone, Default)]
pub struct CommitClock(Arc<Mutex<Option<Instant>>>);

/// A commit is under way until this is dropped.
#[derive(Debug)]
pub struct UnderWay<'a>(&'a CommitClock);

impl CommitClock {
    /// A commit begins.
    #[must_use]
    pub fn begin(&self) -> UnderWay<'_> {
        self.set(Some(Instant::now()));
        UnderWay(self)
    }

    /// How long the commit has been under way that is, if one is.
    #[must_use]
    pub fn under_way(&self) -> Option<Duration> {
        let began = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        began.map(|began| began.elapsed())
    }

    fn set(&self, began: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = began;
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

/// The only holder of the right to write.
#[derive(Debug)]
pub struct Writer {
    /// `None` once finished: the thread ends when the channel closes.
    batches: Option<mpsc::Sender<Batch>>,
    thread: Option<JoinHandle<()>>,
    waiting_bytes: Arc<AtomicUsize>,
    clock: CommitClock,
}

impl Writer {
    /// Starts the thread; `report` is called on it and should only hand the report on.
    ///
    /// # Errors
    /// - [`io::Error`]: the system gave no thread.
    pub fn start(store: Store, report: impl FnMut(Report) + Send + 'static) -> io::Result<Self> {
        let (batches, received) = mpsc::channel();
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let waiting = Arc::clone(&waiting_bytes);
        let clock = CommitClock::default();
        let committing = clock.clone();
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write_groups(report, store, received, &waiting, &committing))?;
        Ok(Self { batches: Some(batches), thread: Some(thread), waiting_bytes, clock })
    }

    /// Hands over a batch, and the lines of the high-water file that hold with it; returns at once,
    /// the report says when both are durable.
    ///
    /// # Errors
    /// - [`WriterStopped`]: the batch was not taken.
    pub fn submit(
        &self,
        id: BatchId,
        ops: Vec<Op>,
        lines: Option<String>,
    ) -> Result<(), WriterStopped> {
        self.send((Some(id), None), ops, lines)
    }

    /// Hands over writes, and lines of the high-water file, that belong to no batch; nothing is reported,
    /// but `then` is called once they are durable, and dropped if they never will be.
    ///
    /// # Errors
    /// - [`WriterStopped`]: they were not taken.
    pub fn submit_more(
        &self,
        ops: Vec<Op>,
        lines: Option<String>,
        then: Option<Then>,
    ) -> Result<(), WriterStopped> {
        self.send((None, then), ops, lines)
    }

    fn send(
        &self,
        (id, then): (Option<BatchId>, Option<Then>),
        ops: Vec<Op>,
        lines: Option<String>,
    ) -> Result<(), WriterStopped> {
        let Some(batches) = &self.batches else {
            return Err(WriterStopped);
        };
        let len_bytes = ops.iter().map(len_bytes).sum();
        self.waiting_bytes.fetch_add(len_bytes, Ordering::AcqRel);
        batches.send(Batch { id, then, ops, lines, len_bytes }).map_err(|_| WriterStopped)
    }

    /// Bytes submitted and not yet durable: a caller that sees this grow should take in less.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.waiting_bytes.load(Ordering::Acquire)
    }

    /// Tells how long the commit has been under way that is.
    #[must_use]
    pub fn clock(&self) -> CommitClock {
        self.clock.clone()
    }

    /// Writes what was submitted, then ends the thread and closes the store.
    pub fn finish(mut self) {
        self.close();
    }

    fn close(&mut self) {
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported as fatal already.
            let _ended = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

/// Owns its arguments, and ends them last to first: no batch is taken and the store is closed
/// before whoever holds the other end of `report` can see that the thread has ended.
fn write_groups(
    mut report: impl FnMut(Report),
    store: Store,
    batches: mpsc::Receiver<Batch>,
    waiting_bytes: &AtomicUsize,
    clock: &CommitClock,
) {
    while let Ok(first) = batches.recv() {
        let group = gather(first, &batches);
        let under_way = clock.begin();
        let committed = commit(&store, group.ops, group.lines);
        drop(under_way);
        match committed {
            Ok(()) => {
                waiting_bytes.fetch_sub(group.len_bytes, Ordering::AcqRel);
                group.thens.into_iter().for_each(|then| then());
                report(Report::Durable(group.ids));
            }
            // What the disk holds now is known only after the next start: never write on.
            Err(error) => return report(Report::Fatal(error)),
        }
    }
}

#[derive(Default)]
struct Group {
    ids: Vec<BatchId>,
    thens: Vec<Then>,
    ops: Vec<Op>,
    /// Of the last batch that has some.
    lines: Option<String>,
    len_bytes: usize,
}

/// Takes what has come in meanwhile, without waiting.
fn gather(first: Batch, batches: &mpsc::Receiver<Batch>) -> Group {
    let mut group = Group::default();
    let mut next = Some(first);
    while let Some(batch) = next {
        group.ids.extend(batch.id);
        group.thens.extend(batch.then);
        group.ops.extend(batch.ops);
        group.lines = batch.lines.or(group.lines);
        group.len_bytes += batch.len_bytes;
        next = if group.len_bytes < GROUP_BYTES_MAX { batches.try_recv().ok() } else { None };
    }
    group
}

/// A panic of the engine must reach the daemon as an end, not leave it waiting for ever.
fn commit(store: &Store, ops: Vec<Op>, lines: Option<String>) -> Result<(), StoreError> {
    catch_unwind(AssertUnwindSafe(|| store.commit_marked(ops, lines)))
        .unwrap_or(Err(StoreError::Panicked { doing: "committing" }))
        .map(|_durable| ())
}
