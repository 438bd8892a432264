//! The verdict on every change, and what becomes of those that build on others.
//!
//! ```text
//! entry counts? ─ no ──▶ every change in it has the entry's standing
//!      │ yes
//! carried before by this feed ──▶ refused
//! seq of its actor next? ─ no ──▶ refused; unknown while a payload of the feed is not here
//! more from this feed than one may say about an artefact? ─ yes ──▶ refused
//! every dependency carried by this feed before, or by an entry in refs? ─ no ──▶ refused
//! is each of those applied? ─ no ──▶ its status, and which one it was
//! verdict ─ refused ──▶ refused, by which rule
//!      └─ good ─▶ too many changes of the feed that none of it builds on? ─ yes ──▶ refused
//!                                                                      └─ no ──▶ applied
//! ```
//!
//! Bytes that are no change are refused whatever becomes of their entry. Counting in the feed, and
//! looking for dependencies there and in refs alone, keep the outcome a function of the causal past:
//! what else has arrived plays no part.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{
    Content, Dossier, Entry, Standing,
    carried::{Carried, Line, Lines, Place, Sayings},
    effect::Effects,
    order::Order,
};
use crate::{
    artefact::document::Skeleton,
    codec::Blob,
    feed::Kind,
    hash::EntryId,
    limits::{FEED_CHANGE_BYTES_MAX, FEED_HEADS_MAX, FEED_OPERATIONS_MAX},
    payload::Changes,
    verdict::{Actor, ActorPrefix, ChangeHash, Chunk, History, Judged, Judgement, Rule},
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
    /// Its feed has put as many operations into the document as one feed may.
    #[error(
        "feed-operations: its feed has put {count} operations into this document, and one feed may \
         put {FEED_OPERATIONS_MAX}; go on in another artefact, or after a rotation of the key"
    )]
    FeedOperations {
        /// How many, with those of the change.
        count: u64,
    },
    /// Its feed has put as many bytes of changes into the document as one feed may.
    #[error(
        "feed-bytes: its feed has put {len} bytes of changes into this document, and one feed may \
         put {FEED_CHANGE_BYTES_MAX}; go on in another artefact, or after a rotation of the key"
    )]
    FeedBytes {
        /// How many, with those of the change.
        len: u64,
    },
    /// Its feed has made too many changes at once on which none of its others builds.
    #[error(
        "feed-heads: its feed has {count} changes on which no other one of it builds, and at most \
         {FEED_HEADS_MAX} are allowed; edit the document as it is now"
    )]
    FeedHeads {
        /// How many, with the change.
        count: usize,
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
    let mut judging = Judging::new(skeleton.hash(), history, effect);
    let placed = order.sorted(dossier.entries.iter());
    let lines = Lines::of(&placed, order);
    for entry in placed {
        let place = order.places.get(&entry.by.entry);
        let line = place.and_then(|(chain, seq)| Some((lines.line(chain)?, *seq)));
        let Some((line, seq)) = line else { continue };
        judging.sayings.begin(entry, line);
        if entry.kind == Kind::CHANGE {
            judging.take(entry, seq, line);
        }
        judging.sayings.pass(entry, line, &lines);
    }
    let has_no_place = |one: &&Entry| !order.pasts.contains_key(&one.by.entry);
    let unplaced = dossier.entries.iter().filter(has_no_place);
    let mut unplaced: Vec<&Entry> = unplaced.filter(|one| one.kind == Kind::CHANGE).collect();
    unplaced.sort_by_key(|one| one.by.entry);
    for entry in unplaced {
        judging.take_unplaced(entry);
    }
    judging.changes
}

struct Judging<'a> {
    effect: &'a Effects<'a>,
    skeleton: ChangeHash,
    history: History,
    changes: Vec<ChangeState>,
    carried: Carried,
    sayings: Sayings,
    /// How many changes of an actor its feed has carried.
    counted: BTreeMap<Actor, u64>,
}

/// An entry that counts, and where it stands.
struct Within<'a> {
    entry: &'a Entry,
    line: &'a Line,
    refs: BTreeSet<EntryId>,
}

impl<'a> Judging<'a> {
    fn new(skeleton: ChangeHash, history: History, effect: &'a Effects<'a>) -> Self {
        Self {
            effect,
            skeleton,
            history,
            changes: Vec::new(),
            carried: Carried::default(),
            sayings: Sayings::default(),
            counted: BTreeMap::new(),
        }
    }

    /// Takes an entry; those in its past were taken.
    fn take(&mut self, entry: &Entry, seq: u64, line: &Line) {
        let standing = self.standing(entry);
        let within = Within { entry, line, refs: entry.refs.iter().copied().collect() };
        for raw in self.raw_of(entry) {
            let (hash, dependencies, status) = match Chunk::from_bytes(&raw) {
                Ok(chunk) => {
                    let counts = standing == Standing::Counts;
                    let status = match counts {
                        true => self.status(&within, &chunk, &raw),
                        false => Status::Entry(standing),
                    };
                    let carrier = (entry.by.entry, seq);
                    self.carried.note(chunk.hash, carrier, line, self.changes.len());
                    (chunk.hash, chunk.dependencies, status)
                }
                Err(rule) => unreadable(rule),
            };
            let entry = entry.by.entry;
            self.changes.push(ChangeState { entry, hash, dependencies, raw, status });
        }
        if self.effect.payload(&entry.by.entry).is_none() {
            self.sayings.of(line).unread.get_or_insert(entry.by.entry);
        }
    }

    /// Takes an entry that has no past yet: nobody looks for anything in it.
    fn take_unplaced(&mut self, entry: &Entry) {
        let standing = self.standing(entry);
        for raw in self.raw_of(entry) {
            let (hash, dependencies, status) = match Chunk::from_bytes(&raw) {
                Ok(chunk) => (chunk.hash, chunk.dependencies, Status::Entry(standing)),
                Err(rule) => unreadable(rule),
            };
            let entry = entry.by.entry;
            self.changes.push(ChangeState { entry, hash, dependencies, raw, status });
        }
    }

    fn standing(&self, entry: &Entry) -> Standing {
        self.effect.standings.get(&entry.by.entry).copied().unwrap_or(Standing::Held)
    }

    fn raw_of(&self, entry: &Entry) -> Vec<Vec<u8>> {
        let payload = self.effect.payload(&entry.by.entry);
        let changes = payload.and_then(|bytes| Changes::from_bytes(bytes).ok());
        let raw = changes.into_iter().flat_map(|changes| changes.raw);
        raw.map(Blob::into_vec).collect()
    }

    fn status(&mut self, within: &Within<'_>, chunk: &Chunk<'_>, raw: &[u8]) -> Status {
        let prefix = ActorPrefix::of(&within.entry.feed);
        let counted =
            self.count(within, chunk, prefix).and_then(|()| self.expect_allowed(within, chunk));
        if let Err(status) = counted {
            return status;
        }
        for dependency in &chunk.dependencies {
            if let Err(status) = self.expect_applied(within, *dependency) {
                return status;
            }
        }
        match self.history.judge(raw, prefix) {
            Judgement::Good(judged) => match self.expect_few_heads(within, &judged) {
                Ok(()) => {
                    self.history.admit(judged);
                    Status::Applied
                }
                Err(status) => status,
            },
            Judgement::Refused(rule) => Status::Refused(Refusal::Verdict(rule)),
            Judgement::Waiting { missing } => {
                let cause = missing.first().copied().unwrap_or(chunk.hash);
                Status::Shares { cause, entry: within.entry.by.entry }
            }
        }
    }

    /// Refused; unknown while a payload before it in its feed is not here, which may say otherwise.
    fn unless_unread(&mut self, line: &Line, refusal: Refusal) -> Status {
        match self.sayings.of(line).unread {
            Some(entry) => Status::Unknown { entry },
            None => Status::Refused(refusal),
        }
    }

    /// Counts a change of its actor in its feed.
    fn count(
        &mut self,
        within: &Within<'_>,
        chunk: &Chunk<'_>,
        prefix: ActorPrefix,
    ) -> Result<(), Status> {
        if self.carried.own(&chunk.hash, within.line).is_some() {
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
            return Err(self.unless_unread(within.line, refusal));
        }
        self.counted.insert(chunk.actor, expected);
        Ok(())
    }

    /// What one feed may put into a document is bounded: nobody can close a document for all others.
    fn expect_allowed(&mut self, within: &Within<'_>, chunk: &Chunk<'_>) -> Result<(), Status> {
        let said = self.sayings.of(within.line);
        said.operations = said.operations.saturating_add(u64::from(chunk.operations()));
        said.bytes = said.bytes.saturating_add(chunk.len as u64);
        if said.operations > FEED_OPERATIONS_MAX {
            let count = said.operations;
            return Err(Status::Refused(Refusal::FeedOperations { count }));
        }
        if said.bytes > FEED_CHANGE_BYTES_MAX {
            return Err(Status::Refused(Refusal::FeedBytes { len: said.bytes }));
        }
        Ok(())
    }

    /// A dependency is satisfied by an applied change that the feed carried before, or that an entry
    /// in refs carries.
    fn expect_applied(
        &mut self,
        within: &Within<'_>,
        dependency: ChangeHash,
    ) -> Result<(), Status> {
        if dependency == self.skeleton {
            return Ok(());
        }
        let own = self.carried.own(&dependency, within.line);
        let named = self.carried.named(&dependency, &within.refs);
        let found: BTreeSet<Place> = named.into_iter().chain(own).collect();
        let mut states = found.iter().filter_map(|place| self.changes.get(*place));
        if states.clone().any(|change| change.status == Status::Applied) {
            return Ok(());
        }
        if let Some(carried) = states.next() {
            return Err(Status::Shares { cause: dependency, entry: carried.entry });
        }
        let in_refs = within.entry.refs.iter().copied().find(|id| {
            let named = self.effect.entry(id).filter(|named| named.kind == Kind::CHANGE);
            named.is_some_and(|named| !matches!(named.content, Content::Here(_)))
        });
        Err(match self.sayings.of(within.line).unread.or(in_refs) {
            Some(entry) => Status::Unknown { entry },
            None => Status::Refused(Refusal::DependencyNotNamed { dependency }),
        })
    }

    /// A feed may have several heads of its own, for as many editors, and not so many that nobody
    /// can build on all of them.
    fn expect_few_heads(&mut self, within: &Within<'_>, judged: &Judged) -> Result<(), Status> {
        let mut heads = self.sayings.of(within.line).heads.clone();
        heads.retain(|head| !self.history.reaches(judged, head));
        heads.push(judged.hash());
        if heads.len() > FEED_HEADS_MAX {
            let refusal = Refusal::FeedHeads { count: heads.len() };
            return Err(self.unless_unread(within.line, refusal));
        }
        self.sayings.of(within.line).heads = heads;
        Ok(())
    }
}

const fn unreadable(rule: Rule) -> (ChangeHash, Vec<ChangeHash>, Status) {
    (ChangeHash([0; 32]), Vec::new(), Status::Refused(Refusal::Verdict(rule)))
}
