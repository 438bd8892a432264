//! Writes that are on their way to disk: gathered into batches, readable at once, announced to
//! nobody until they are durable.
//!
//! Invariant: a batch leaves once, whole; what depends on it waits in [`InFlight`] until
//! `Input::Persisted` names it or a later one.

use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    vec::Vec,
};

use super::{
    io::{BatchId, Effect},
    tables::{BranchNo, Op, Reader, Row, Table},
};
use crate::{
    feed::SignedHead,
    hash::{ArtefactId, BoardId, FeedId},
};

/// What a batch makes durable, and what may be said then.
#[derive(Debug, Default)]
pub(super) struct Consequences {
    /// Newest heads that become durable.
    pub(super) heads: Vec<(BoardId, FeedId, BranchNo, SignedHead)>,
    /// Forks and acknowledgements that change what is announced of a feed.
    pub(super) feeds: Vec<(BoardId, FeedId)>,
    /// Artefacts about which something has come.
    pub(super) artefacts: BTreeSet<(BoardId, ArtefactId)>,
    /// Answers to our own staff.
    pub(super) answers: Vec<Effect>,
}

/// A batch that is not durable yet.
#[derive(Debug)]
struct InFlight {
    batch: BatchId,
    bytes: usize,
    keys: Vec<(Table, Vec<u8>)>,
    consequences: Consequences,
}

/// What the writes under way make of a key: by which batch, and its new value.
type Overlay = BTreeMap<(Table, Vec<u8>), (u64, Option<Vec<u8>>)>;

/// The writes under way.
#[derive(Debug, Default)]
pub(super) struct Pending {
    last: u64,
    ops: Vec<Op>,
    gathered: Consequences,
    overlay: Overlay,
    in_flight: VecDeque<InFlight>,
    /// The last batch that carries entries of our own.
    signed: Option<u64>,
}

impl Pending {
    /// Notes that the batch that is being gathered carries entries of our own.
    pub(super) const fn note_signed(&mut self) {
        self.signed = Some(self.last.saturating_add(1));
    }

    /// Whether entries of our own are on their way to disk.
    pub(super) fn is_signing(&self) -> bool {
        let first = self.in_flight.front().map(|first| first.batch.0);
        self.signed.is_some_and(|signed| first.is_some_and(|first| first <= signed))
    }

    /// Puts a write into the batch that is being gathered.
    pub(super) fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.write(table, key, Some(value));
    }

    /// Puts a removal into the batch that is being gathered.
    pub(super) fn remove(&mut self, table: Table, key: Vec<u8>) {
        self.write(table, key, None);
    }

    fn write(&mut self, table: Table, key: Vec<u8>, value: Option<Vec<u8>>) {
        let batch = self.last.saturating_add(1);
        self.overlay.insert((table, key.clone()), (batch, value.clone()));
        self.ops.push(Op { table, key, value });
    }

    /// What the batch that is being gathered brings about once it is durable.
    pub(super) const fn consequences(&mut self) -> &mut Consequences {
        &mut self.gathered
    }

    /// Closes the batch that is being gathered, if there is anything in it.
    pub(super) fn close(&mut self) -> Option<Effect> {
        if self.ops.is_empty() {
            return None;
        }
        self.last = self.last.saturating_add(1);
        let batch = BatchId(self.last);
        let ops = core::mem::take(&mut self.ops);
        self.in_flight.push_back(InFlight {
            batch,
            bytes: ops
                .iter()
                .map(|op| op.key.len().saturating_add(op.value.as_ref().map_or(0, Vec::len)))
                .sum(),
            keys: ops.iter().map(|op| (op.table, op.key.clone())).collect(),
            consequences: core::mem::take(&mut self.gathered),
        });
        Some(Effect::Persist { batch, ops })
    }

    /// Takes what follows from `batch` and all before it being durable.
    pub(super) fn persisted(&mut self, batch: BatchId) -> Consequences {
        let mut all = Consequences::default();
        while let Some(done) = self.in_flight.pop_front_if(|first| first.batch <= batch) {
            for key in done.keys {
                if self.overlay.get(&key).is_some_and(|(writer, _)| *writer == done.batch.0) {
                    self.overlay.remove(&key);
                }
            }
            all.heads.extend(done.consequences.heads);
            all.feeds.extend(done.consequences.feeds);
            all.artefacts.extend(done.consequences.artefacts);
            all.answers.extend(done.consequences.answers);
        }
        all
    }

    /// Whether something on its way to disk changes what is told of a feed.
    pub(super) fn concerns(&self, id: &FeedId) -> bool {
        let consequences = self.in_flight.iter().map(|batch| &batch.consequences);
        let mut all = consequences.chain([&self.gathered]);
        all.any(|consequences| {
            consequences.feeds.iter().any(|(_, feed)| feed == id)
                || consequences.heads.iter().any(|(_, feed, _, _)| feed == id)
        })
    }

    /// Bytes on their way to disk.
    pub(super) fn bytes(&self) -> usize {
        self.in_flight.iter().map(|batch| batch.bytes).sum()
    }

    /// Reads through the writes under way.
    pub(super) fn get(&self, reader: &dyn Reader, table: Table, key: &[u8]) -> Option<Vec<u8>> {
        match self.overlay.get(&(table, key.to_vec())) {
            Some((_, value)) => value.clone(),
            None => reader.get(table, key),
        }
    }

    /// Scans through the writes under way: all rows with `from <= key < to`, up to `limit`.
    pub(super) fn scan(
        &self,
        reader: &dyn Reader,
        table: Table,
        (from, to): (&[u8], &[u8]),
        limit: usize,
    ) -> Vec<Row> {
        if from >= to {
            return Vec::new();
        }
        let changed: Vec<_> =
            self.overlay.range((table, from.to_vec())..(table, to.to_vec())).collect();
        let removed = changed.iter().filter(|(_, (_, value))| value.is_none()).count();
        let stored = reader.scan(table, from, to, limit.saturating_add(removed));
        let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = stored.into_iter().collect();
        for ((_, key), (_, value)) in changed {
            match value {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
        rows.into_iter().take(limit).collect()
    }
}
