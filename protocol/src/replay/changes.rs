//! The verdict on every change, and what becomes of those that build on others.
//!
//! ```text
//! entry counts? ─ no ──▶ every change in it has the entry's standing
//!      │ yes
//! carried before by this feed ──▶ refused
//! seq of its actor next? ─ no ──▶ refused; unknown while a payload of the feed is not here
//! every dependency carried by this feed before, or by an entry in refs? ─ no ──▶ refused
//! is each of those applied? ─ no ──▶ its status, and which one it was
//! verdict ─ refused ──▶ refused, by which rule
//!      └─ good ──▶ applied
//! ```
//!
//! Bytes that are no change are refused whatever becomes of their entry. Counting seq and looking for dependencies in the feed and in refs alone keep the outcome a
//! function of the causal past: what else has arrived plays no part.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{Content, Dossier, Entry, Standing, effect::Effects, order::Order};
use crate::{
    artefact::document::Skeleton,
    feed::Kind,
    hash::{EntryId, FeedId},
    payload::Changes,
    verdict::{Actor, ActorPrefix, ChangeHash, Chunk, History, Judgement, Rule},
};

/// One change of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeState {
    /// The entry that carries it.
    pub entry: EntryId,
    /// Its hash; zero if its bytes are no change.
    pub hash: ChangeHash,
    /// What it builds on.
    pub dependencies: Vec<ChangeHash>,
    /// Its bytes.
    pub raw: Vec<u8>,
    /// What became of it.
    pub status: Status,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It is part of the document.
    Applied,
    /// It never will be.
    Refused(Refusal),
    /// Its entry does not count.
    Entry(Standing),
    /// A change that it builds on is not applied.
    Shares {
        /// That change.
        cause: ChangeHash,
        /// The entry that carries that change.
        entry: EntryId,
    },
    /// It may build on a change in this entry, whose payload is not here.
    Unknown {
        /// The entry.
        entry: EntryId,
    },
}

/// Why a change is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The verdict on its bytes and what they build on.
    #[error("{}", .0.code())]
    Verdict(Rule),
    /// The feed carried this very change before.
    #[error("repeated")]
    Repeated,
    /// Its actor's changes are not counted on in the feed.
    #[error("seq-in-feed: its actor's next change in this feed is {expected}, this one is {found}")]
    SeqInFeed {
        /// The next number.
        expected: u64,
        /// The number found.
        found: u64,
    },
    /// It builds on a change that its feed did not carry before, and that no entry it relies on carries.
    #[error("dependency-not-named: it builds on a change that neither its feed nor its refs hold")]
    DependencyNotNamed {
        /// That change.
        dependency: ChangeHash,
    },
}

/// Judges every change of the dossier.
pub(super) fn judge(
    skeleton: &Skeleton,
    dossier: &Dossier,
    order: &Order,
    effect: &Effects<'_>,
) -> Vec<ChangeState> {
    let Ok(history) = History::new(skeleton.raw()) else { return Vec::new() };
    let mut judging = Judging::new(skeleton.hash(), history, order, effect);
    let is_change = |one: &&Entry| one.kind == Kind::CHANGE;
    let placed = order.sorted(dossier.entries.iter().filter(is_change));
    let done: BTreeSet<EntryId> = placed.iter().map(|one| one.by.entry).collect();
    let unplaced = dossier.entries.iter().filter(is_change);
    let mut unplaced: Vec<&Entry> = unplaced.filter(|one| !done.contains(&one.by.entry)).collect();
    unplaced.sort_by_key(|one| one.by.entry);
    for entry in placed.into_iter().chain(unplaced) {
        judging.take(entry);
    }
    judging.changes
}

struct Judging<'a> {
    order: &'a Order,
    effect: &'a Effects<'a>,
    skeleton: ChangeHash,
    history: History,
    changes: Vec<ChangeState>,
    /// Which entries carry a change, and at which place among `changes`.
    carried: BTreeMap<ChangeHash, Vec<(EntryId, usize)>>,
    /// Entries of a feed that carry changes, on all of its branches, as far as they were looked at.
    before: BTreeMap<FeedId, BTreeSet<EntryId>>,
    /// Those of them whose payload is not here.
    unread: BTreeMap<FeedId, Vec<EntryId>>,
    /// How many changes of an actor its feed has carried.
    counted: BTreeMap<Actor, u64>,
}

impl<'a> Judging<'a> {
    const fn new(
        skeleton: ChangeHash,
        history: History,
        order: &'a Order,
        effect: &'a Effects<'a>,
    ) -> Self {
        Self {
            order,
            effect,
            skeleton,
            history,
            changes: Vec::new(),
            carried: BTreeMap::new(),
            before: BTreeMap::new(),
            unread: BTreeMap::new(),
            counted: BTreeMap::new(),
        }
    }

    fn take(&mut self, entry: &Entry) {
        let id = entry.by.entry;
        let standing = self.effect.standings.get(&id).copied().unwrap_or(Standing::Held);
        let payload = self.effect.payload(&id);
        let changes = payload.and_then(|bytes| Changes::from_bytes(bytes).ok());
        for raw in changes.into_iter().flat_map(|changes| changes.raw) {
            let raw = raw.into_vec();
            let (hash, dependencies, status) = match Chunk::from_bytes(&raw) {
                Ok(chunk) => {
                    let status = self.status(entry, standing, &chunk, &raw);
                    (chunk.hash, chunk.dependencies, status)
                }
                Err(rule) => {
                    (ChangeHash([0; 32]), Vec::new(), Status::Refused(Refusal::Verdict(rule)))
                }
            };
            let place = self.changes.len();
            self.carried.entry(hash).or_default().push((id, place));
            self.changes.push(ChangeState { entry: id, hash, dependencies, raw, status });
        }
        self.before.entry(entry.feed).or_default().insert(id);
        if payload.is_none() {
            self.unread.entry(entry.feed).or_default().push(id);
        }
    }

    fn status(
        &mut self,
        entry: &Entry,
        standing: Standing,
        chunk: &Chunk<'_>,
        raw: &[u8],
    ) -> Status {
        if standing != Standing::Counts {
            return Status::Entry(standing);
        }
        let prefix = ActorPrefix::of(&entry.feed);
        let hash = chunk.hash;
        if let Err(status) = self.count(entry, chunk, prefix) {
            return status;
        }
        for dependency in &chunk.dependencies {
            if let Err(status) = self.expect_applied(entry, *dependency) {
                return status;
            }
        }
        match self.history.judge(raw, prefix) {
            Judgement::Good(judged) => {
                self.history.admit(judged);
                Status::Applied
            }
            Judgement::Refused(rule) => Status::Refused(Refusal::Verdict(rule)),
            Judgement::Waiting { missing } => {
                let cause = missing.first().copied().unwrap_or(hash);
                Status::Shares { cause, entry: entry.by.entry }
            }
        }
    }

    /// Whether an entry is this one, or carries changes and stands before it in its feed. What stands
    /// on another branch does not: who holds that branch must come to the same as who does not.
    fn is_own(&self, entry: &Entry, id: &EntryId) -> bool {
        let is_of_feed = || self.before.get(&entry.feed).is_some_and(|own| own.contains(id));
        *id == entry.by.entry || is_of_feed() && self.order.is_before(id, &entry.by.entry)
    }

    /// The first entry before this one in its feed that carries changes and has no payload here.
    fn unread_before(&self, entry: &Entry) -> Option<EntryId> {
        let mut unread = self.unread.get(&entry.feed)?.iter();
        unread.find(|id| self.order.is_before(id, &entry.by.entry)).copied()
    }

    /// Counts a change of its actor in its feed.
    fn count(
        &mut self,
        entry: &Entry,
        chunk: &Chunk<'_>,
        prefix: ActorPrefix,
    ) -> Result<(), Status> {
        let carriers = self.carried.get(&chunk.hash).map_or(&[][..], Vec::as_slice);
        if carriers.iter().any(|(id, _)| self.is_own(entry, id)) {
            return Err(Status::Refused(Refusal::Repeated));
        }
        // Whose actor it is not, the verdict says.
        if !chunk.actor.0.starts_with(&prefix.0) {
            return Ok(());
        }
        let counted = self.counted.get(&chunk.actor).copied().unwrap_or_default();
        let expected = counted.saturating_add(1);
        if chunk.seq != expected {
            let refusal = Refusal::SeqInFeed { expected, found: chunk.seq };
            return Err(match self.unread_before(entry) {
                Some(entry) => Status::Unknown { entry },
                None => Status::Refused(refusal),
            });
        }
        self.counted.insert(chunk.actor, expected);
        Ok(())
    }

    /// A dependency is satisfied by an applied change that the feed carried before, or that an entry
    /// in refs carries.
    fn expect_applied(&self, entry: &Entry, dependency: ChangeHash) -> Result<(), Status> {
        if dependency == self.skeleton {
            return Ok(());
        }
        let is_named = |id: &EntryId| self.is_own(entry, id) || entry.refs.contains(id);
        let carriers = self.carried.get(&dependency).map_or(&[][..], Vec::as_slice);
        let named = || carriers.iter().filter(|(id, _)| is_named(id));
        let state = |place: usize| self.changes.get(place).map(|change| &change.status);
        if named().any(|(_, place)| state(*place) == Some(&Status::Applied)) {
            return Ok(());
        }
        if let Some((carrier, _)) = named().next() {
            return Err(Status::Shares { cause: dependency, entry: *carrier });
        }
        let in_refs = entry.refs.iter().copied().find(|id| {
            let named = self.effect.entry(id).filter(|named| named.kind == Kind::CHANGE);
            named.is_some_and(|named| !matches!(named.content, Content::Here(_)))
        });
        Err(match self.unread_before(entry).or(in_refs) {
            Some(entry) => Status::Unknown { entry },
            None => Status::Refused(Refusal::DependencyNotNamed { dependency }),
        })
    }
}
