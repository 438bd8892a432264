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
    engine::{BatchId, BoardView, Damaged, Effect, Engine, Input, Moment, Op, OwnFeed, Standing},
    hash::{BoardId, OrgId},
    time::TimeMs,
};

pub use acts::{About, Begun};
pub use desk::{Desk, Work};
pub use epochs::{OwnEpoch, own_epochs};
pub use mark::{FeedMark, Mark, MarkError, Suspicion, suspicion};
pub use offline::{OfflineError, act, catch_up};
pub use order::{Order, Question};
pub use snapshot::{Snapshot, board_named};

use crate::{
    artefact::Documents,
    clock::{self, EntropyError},
    control::Refusal,
    home::{FileError, Home},
    organisation::{Organisation, OrganisationError},
    store::{Reader, StoreError},
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
        let mut standing = Standing::Sure;
        if suspicion.is_some() {
            standing = Standing::Restored;
            // Durable before anything is fetched: a crash must not make the store look whole again.
            mark.is_restoring = true;
            mark.save(&home.mark())?;
        }
        let engine = Engine::open(organisation.identity(), standing, &reader)?;
        let restoring = Restoring::default();
        let documents = Arc::new(Documents::open(home)?);
        let ahead = BTreeMap::new();
        let replica =
            Self { engine, reader, organisation, mark, ahead, restoring, suspicion, documents };
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
        let moment = Moment { now: TimeMs(clock::now_ms()), entropy: clock::entropy()? };
        let effects = self.engine.handle(moment, input, &self.reader);
        self.expect_readable()?;
        self.restoring
            .observe(durable, &effects, || self.engine.own_feeds().all(|feed| !feed.is_restoring));
        Ok(effects)
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

    /// The mark that holds once these writes are durable, as the lines that go with them.
    ///
    /// # Order
    /// Asked for every batch, in their order, before it is committed.
    pub fn mark_with(&mut self, ops: &[Op]) -> String {
        for own in self.engine.own_feeds() {
            if let Some(mark) = FeedMark::with(own.feed, ops) {
                self.ahead.insert(own.board, mark);
            }
        }
        self.mark = self.next_mark();
        self.mark.to_lines()
    }

    /// The lines to be written without a batch, if the mark has moved without one: the asking of
    /// partners has ended.
    pub fn moved_mark(&mut self) -> Option<String> {
        let next = self.next_mark();
        if next == self.mark {
            return None;
        }
        self.mark = next;
        Some(self.mark.to_lines())
    }

    fn next_mark(&self) -> Mark {
        let is_restoring = self.mark.is_restoring && !self.restoring.has_ended();
        self.mark.advanced(self.engine.own_feeds(), &self.ahead, is_restoring)
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
