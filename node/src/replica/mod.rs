//! The protocol's engine over this node's own store, with the clock and randomness it needs.
//!
//! ```text
//!   Input ──▶ handle ──▶ [Effect]          whoever holds the replica does the effects:
//!               │                            daemon   a running node, with network and writer
//!             Reader                         offline  one command, when no daemon runs
//! ```
//!
//! *Invariants.* Effects that follow from a failed read are never given out: the engine takes what
//! cannot be read for absent. A store that may be an older copy is opened as restored.
//!
//! *Source*: ours.

mod acts;
mod checks;
mod desk;
mod epochs;
mod export;
mod mark;
mod offline;
mod order;
mod snapshot;
#[cfg(test)]
mod tests;
mod typed;

use std::{collections::BTreeMap, sync::Arc};

use concordat_protocol::{
    engine::{
        BatchId, BoardView, Damaged, Effect, Engine, Input, Moment, Op, OwnFeed, Standing, Ticket,
    },
    feed::Draft,
    hash::{BoardId, OrgId},
    time::TimeMs,
};

pub use acts::{About, Begun};
pub use desk::{Desk, Work};
pub use epochs::{OwnEpoch, own_epochs};
pub use export::{ExportError, Exported, export_store};
pub use mark::{FeedMark, Mark, MarkError, Suspicion, suspicion};
pub use offline::{OfflineError, act, ask_journal, back_up, catch_up, record};
pub use order::{Order, Question};
pub use snapshot::{Snapshot, board_named};

use crate::{
    artefact::Documents,
    clock::{self, EntropyError},
    control::Refusal,
    home::{FileError, Home},
    journal::{Channel, Event, Journal, Line, Observer, Seen},
    organisation::{Organisation, OrganisationError},
    store::{self, Reader, StoreError},
};

/// Why the replica cannot go on; the process must stop.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A read that the engine asked for failed.
    #[error("{why}")]
    Unreadable {
        /// What the store said.
        why: String,
    },
    /// The card in use is not the newest.
    #[error(transparent)]
    Organisation(#[from] OrganisationError),
    /// What is stored does not read back.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// The mark could not be read.
    #[error(transparent)]
    Mark(#[from] MarkError),
    /// Notes on documents could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// This organisation's replica of its boards.
#[derive(Debug)]
pub struct Replica {
    engine: Engine,
    reader: Reader,
    organisation: Arc<Organisation>,
    /// As it was handed over last.
    mark: Mark,
    /// How far our own feeds come with batches that may not be durable yet.
    ahead: BTreeMap<BoardId, FeedMark>,
    restoring: Restoring,
    suspicion: Option<Suspicion>,
    documents: Arc<Documents>,
    journal: Journal,
    observer: Observer,
}

/// Writes, and the lines of the high-water file that hold with them.
#[derive(Debug)]
pub struct Writes {
    /// In order.
    pub ops: Vec<store::Op>,
    /// The mark.
    pub lines: String,
}

impl Replica {
    /// Opens the replica over what is durable; `is_restored` is the administrator's word.
    ///
    /// # Errors
    /// - [`ReplicaError`]: store or mark cannot be read.
    pub fn open(
        home: &Home,
        organisation: Arc<Organisation>,
        reader: Reader,
        is_restored: bool,
    ) -> Result<Self, ReplicaError> {
        // The store is locked by now, so the card stays what it is.
        organisation.expect_newest(home)?;
        let mark = Mark::load(&home.mark())?;
        let suspicion =
            if is_restored { Some(Suspicion::Asked) } else { suspicion(mark.as_ref(), &reader)? };
        let mut mark = mark.unwrap_or_default();
        let mut journal = Journal::open(&reader, mark.journal)?;
        let mut standing = Standing::Sure;
        if let Some(why) = &suspicion {
            if !mark.is_restoring {
                journal.tell(Event::RestoringBegun { why: why.to_string() });
            }
            standing = Standing::Restored;
            // Durable before anything is fetched: a crash must not make the store look whole again.
            mark.is_restoring = true;
            mark.save(&home.mark())?;
        }
        let engine = Engine::open(organisation.identity(), standing, &reader)?;
        let restoring = Restoring::default();
        let documents = Arc::new(Documents::open(home)?);
        let ahead = BTreeMap::new();
        let observer = Observer::default();
        let replica = Self {
            engine,
            reader,
            organisation,
            mark,
            ahead,
            restoring,
            suspicion,
            documents,
            journal,
            observer,
        };
        replica.expect_readable()?;
        Ok(replica)
    }

    /// Handles one input at this moment.
    ///
    /// # Errors
    /// - [`ReplicaError`]: nothing may be done any more; stop.
    pub fn handle(&mut self, input: Input) -> Result<Vec<Effect>, ReplicaError> {
        let durable = match &input {
            Input::Persisted { batch } => Some(*batch),
            _ => None,
        };
        let seen = Seen::of(&input);
        let moment = Moment { now: TimeMs(clock::now_ms()), entropy: clock::entropy()? };
        let effects = self.engine.handle(moment, input, &self.reader);
        self.expect_readable()?;
        for (batch, line) in self.observer.observe(&seen, &effects, &self.engine) {
            self.journal.take(batch, line);
        }
        self.restoring
            .observe(durable, &effects, || self.engine.own_feeds().all(|feed| !feed.is_restoring));
        Ok(effects)
    }

    /// Hands a draft of the staff to the engine, on this word.
    fn write(
        &mut self,
        (ticket, channel): (Ticket, Channel),
        board: BoardId,
        draft: Draft,
    ) -> Result<Vec<Effect>, ReplicaError> {
        self.observer.drafted(board, ticket, channel);
        self.handle(Input::Write { ticket, board, draft })
    }

    /// The journal, to tell it what does not come of the engine.
    pub const fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    /// Makes a line part of a batch that the engine wants written and that was not handed over yet.
    pub fn journal_with(&mut self, batch: BatchId, line: Line) {
        self.journal.take(Some(batch), line);
    }

    fn expect_readable(&self) -> Result<(), ReplicaError> {
        match self.reader.failure() {
            None => Ok(()),
            Some(error) => Err(ReplicaError::Unreadable { why: error.to_string() }),
        }
    }

    /// Whom the network may let in.
    #[must_use]
    pub fn admissions(&self) -> Vec<Effect> {
        self.engine.admissions()
    }

    /// What is known of every board.
    #[must_use]
    pub fn views(&self) -> Vec<BoardView> {
        self.engine.views(&self.reader)
    }

    /// What is known now, to be looked through elsewhere.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self)
    }

    fn id(&self) -> OrgId {
        self.organisation.id()
    }

    /// Our own feed on the board that a person named.
    fn own_feed_named(&self, named: Option<&str>) -> Result<OwnFeed, Refusal> {
        let own: Vec<OwnFeed> = self.engine.own_feeds().collect();
        board_named(&own, |own| own.board, named).cloned()
    }

    /// Whether our key has signed something durable on every board, so that no older one is needed.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        let mut own = self.engine.own_feeds();
        own.all(|own| own.durable.is_some() && !own.is_restoring)
    }

    /// Whom the node acts for.
    #[must_use]
    pub fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// Why the store was opened as restored, if it was.
    #[must_use]
    pub const fn suspicion(&self) -> Option<&Suspicion> {
        self.suspicion.as_ref()
    }

    /// A batch with what the journal tells of it, and the mark that holds once it is durable.
    ///
    /// # Order
    /// Asked for every batch, in their order, before it is committed.
    pub fn writes(&mut self, batch: BatchId, ops: Vec<Op>) -> Writes {
        for own in self.engine.own_feeds() {
            if let Some(mark) = FeedMark::with(own.feed, &ops) {
                self.ahead.insert(own.board, mark);
            }
        }
        let mut ops: Vec<store::Op> = ops.into_iter().map(store::Op::from).collect();
        ops.extend(self.move_mark(Some(batch)));
        Writes { ops, lines: self.mark.to_lines() }
    }

    /// What is to be written without a batch: what the journal tells, and the mark if it has moved, as when
    /// the asking of partners has ended.
    pub fn more_writes(&mut self) -> Option<Writes> {
        let before = self.mark.clone();
        let ops = self.move_mark(None);
        (self.mark != before).then(|| Writes { ops, lines: self.mark.to_lines() })
    }

    /// As [`Replica::more_writes`], once a second: entries of the journal that are older than `days` are removed,
    /// a few at a time.
    ///
    /// # Errors
    /// - [`ReplicaError`]: the store could not be read.
    pub fn tick_writes(&mut self, days: u64) -> Result<Option<Writes>, ReplicaError> {
        let mut removed = self.journal.keep_house(&self.reader, days)?;
        Ok(self.more_writes().map(|Writes { ops, lines }| {
            removed.extend(ops);
            Writes { ops: removed, lines }
        }))
    }

    /// Moves the mark, and gives the rows of the journal that move with it.
    fn move_mark(&mut self, batch: Option<BatchId>) -> Vec<store::Op> {
        let is_restoring = self.mark.is_restoring && !self.restoring.has_ended();
        if self.mark.is_restoring && !is_restoring {
            self.journal.tell(Event::RestoringEnded {});
        }
        let rows = self.journal.write(batch);
        self.mark = self.mark.advanced(self.engine.own_feeds(), &self.ahead, is_restoring);
        if !rows.is_empty() {
            self.mark.journal = Some(self.journal.head());
        }
        rows
    }
}

/// When the asking of partners has ended, and all that they gave is durable.
#[derive(Debug, Default)]
struct Restoring {
    /// The last batch that was handed out.
    submitted: Option<BatchId>,
    durable: Option<BatchId>,
    /// The last batch handed out when the engine stopped asking.
    ended_at: Option<Option<BatchId>>,
}

impl Restoring {
    fn observe(
        &mut self,
        durable: Option<BatchId>,
        effects: &[Effect],
        is_over: impl FnOnce() -> bool,
    ) {
        self.durable = durable.or(self.durable);
        let last = effects.iter().rev().find_map(|effect| match effect {
            Effect::Persist { batch, .. } => Some(*batch),
            _ => None,
        });
        self.submitted = last.or(self.submitted);
        if self.ended_at.is_none() && is_over() {
            self.ended_at = Some(self.submitted);
        }
    }

    fn has_ended(&self) -> bool {
        self.ended_at.is_some_and(|batch| self.durable >= batch)
    }
}
