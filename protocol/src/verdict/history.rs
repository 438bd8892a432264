//! The changes of one document that were found good, kept for judging those that build on them.
//!
//! ```text
//! record of a change   actor, seq, numbers of its operations, previous change of its actor, dependencies,
//!                      spans of its operations; for some, the clock of its closure
//! clock                actor -> its last change (not its last seq: two branches of an actor stay apart)
//! ```
//!
//! Clocks are kept for heads and at distances that grow with their length, and never hold more
//! entries altogether than a few for each change; the rest is found by walking back
//! (`closure.rs`). About 230 bytes a change and 50 for each span of operations, linear whatever the
//! history looks like.
//!
//! *Invariants.* Order of admission shows in no verdict. Everything here can be built anew from the
//! raw changes in any order in which dependencies come first, and be dropped at any time. Knows
//! nothing of Automerge's own types.
//!
//! *Source*: ours.

use alloc::{boxed::Box, collections::BTreeMap, sync::Arc, vec::Vec};

use super::{
    change,
    chunk::{Actor, ActorPrefix, ChangeHash, Chunk},
    closure::Tip,
    operation::{KeyNumber, Slot, Span},
    rule::{Judgement, Rule},
};

/// A change by its number in a history; a dependency has a lower one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(pub(super) u32);

/// Operations and bytes of several changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Totals {
    pub(super) operations: u64,
    pub(super) bytes: u64,
}

impl Totals {
    pub(super) const fn with(self, other: Self) -> Self {
        Self {
            operations: self.operations.saturating_add(other.operations),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

/// What is kept of a change.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) actor: Slot,
    pub(super) seq: u32,
    pub(super) start_op: u32,
    /// The largest counter of its closure, itself included.
    pub(super) max_op: u32,
    /// The change before it by the same actor, and an earlier one (`closure.rs`, `ancestor`).
    pub(super) previous: Option<Place>,
    pub(super) jump: Option<Place>,
    pub(super) dependencies: Box<[Place]>,
    /// Ascending by actor, without its own.
    pub(super) clock: Option<Arc<[Tip]>>,
    /// Whether the clock stays when others build on the change.
    pub(super) is_post: bool,
    /// How far one may have to walk back from here to changes with clocks that stay.
    pub(super) distance: u32,
    pub(super) spans: Box<[Span]>,
    /// Over the changes of its actor up to itself.
    pub(super) of_actor: Totals,
    /// Over its closure, itself included.
    pub(super) of_closure: Totals,
}

/// A change that was found good.
#[derive(Debug)]
pub struct Judged {
    pub(super) hash: ChangeHash,
    pub(super) actor: Actor,
    pub(super) record: Record,
    pub(super) new_keys: Vec<Box<str>>,
}

impl Judged {
    /// Its hash.
    #[must_use]
    pub const fn hash(&self) -> ChangeHash {
        self.hash
    }

    /// Who made it.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// Its place among the changes of its actor, from 1.
    #[must_use]
    pub const fn seq(&self) -> u32 {
        self.record.seq
    }

    /// The largest operation counter of its closure, itself included.
    #[must_use]
    pub const fn max_op(&self) -> u32 {
        self.record.max_op
    }
}

/// The least distance between clocks that stay.
const POST_DISTANCE: u32 = 32;
/// Clock entries that may be kept altogether: so many, and so many more for each change.
const CLOCK_ENTRIES: usize = 65_536;
const CLOCK_ENTRIES_PER_CHANGE: usize = 16;

/// Good changes of one document.
#[derive(Debug)]
pub struct History {
    pub(super) actors: Vec<Actor>,
    slots: BTreeMap<Actor, Slot>,
    keys: BTreeMap<Box<str>, KeyNumber>,
    records: Vec<Record>,
    places: BTreeMap<ChangeHash, Place>,
    clock_entries: usize,
}

impl History {
    /// A history that holds the skeleton of a kind of artefact: the change on which all others build.
    ///
    /// # Errors
    /// The [`Rule`] that the skeleton breaks: it is a change like any other, but that its actor is
    /// [`Actor::SKELETON`] and that it depends on nothing.
    pub fn new(skeleton: &[u8]) -> Result<Self, Rule> {
        let mut history = Self {
            actors: Vec::new(),
            slots: BTreeMap::new(),
            keys: BTreeMap::new(),
            records: Vec::new(),
            places: BTreeMap::new(),
            clock_entries: 0,
        };
        let chunk = Chunk::from_bytes(skeleton)?;
        if chunk.actor != Actor::SKELETON {
            return Err(Rule::ActorFeed);
        }
        if !chunk.dependencies.is_empty() {
            return Err(Rule::DependencyCount { count: chunk.dependencies.len() as u64 });
        }
        let judged = change::judge(&history, &chunk, &[])?;
        history.admit(judged);
        Ok(history)
    }

    /// Judges a change that a feed carries: a function of its bytes, the feed, and the changes that
    /// its dependencies reach.
    #[must_use]
    pub fn judge(&self, raw: &[u8], feed: ActorPrefix) -> Judgement {
        let chunk = match Chunk::from_bytes(raw) {
            Ok(chunk) => chunk,
            Err(rule) => return Judgement::Refused(rule),
        };
        if let Err(rule) = chunk.expect_actor_of(feed) {
            return Judgement::Refused(rule);
        }
        let places = chunk.dependencies.iter().filter_map(|hash| self.places.get(hash).copied());
        let places: Vec<Place> = places.collect();
        if places.len() < chunk.dependencies.len() {
            let missing = chunk.dependencies.iter().filter(|hash| !self.contains(hash));
            return Judgement::Waiting { missing: missing.copied().collect() };
        }
        match change::judge(self, &chunk, &places) {
            Ok(judged) => Judgement::Good(judged),
            Err(rule) => Judgement::Refused(rule),
        }
    }

    /// Takes up a change, so that others may build on it. Nothing happens if it is there already.
    ///
    /// # Order
    /// Into the history that judged it; others may have been admitted in between.
    pub fn admit(&mut self, judged: Judged) {
        let Judged { hash, actor, mut record, new_keys } = judged;
        if self.contains(&hash) {
            return;
        }
        record.actor = self.slot(actor);
        let keys: Vec<KeyNumber> = new_keys.into_iter().map(|key| self.intern(key)).collect();
        for span in &mut record.spans {
            span.settle(record.actor, &keys);
        }
        self.keep_clock(&mut record);
        for place in &record.dependencies {
            self.pass_by(*place);
        }
        if let Ok(place) = u32::try_from(self.records.len()) {
            self.records.push(record);
            self.places.insert(hash, Place(place));
        }
    }

    /// Whether the change was admitted.
    #[must_use]
    pub fn contains(&self, hash: &ChangeHash) -> bool {
        self.places.contains_key(hash)
    }

    /// How many changes were admitted, the skeleton included.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.records.len()
    }

    /// About how many bytes of memory the history takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        let node = size_of::<(ChangeHash, Place)>() + size_of::<(Actor, Slot)>();
        let of_record = |record: &Record| {
            size_of::<Record>()
                + record.dependencies.len() * size_of::<Place>()
                + record.spans.len() * size_of::<Span>()
        };
        let records: usize = self.records.iter().map(of_record).sum();
        let keys: usize = self.keys.keys().map(|key| key.len() + size_of::<Box<str>>()).sum();
        records + keys + self.records.len() * node + self.clock_entries * size_of::<Tip>()
    }

    pub(super) fn place(&self, change: &ChangeHash) -> Option<Place> {
        self.places.get(change).copied()
    }

    pub(super) fn record(&self, place: Place) -> Option<&Record> {
        self.records.get(usize::try_from(place.0).ok()?)
    }

    pub(super) fn slot_of(&self, actor: &Actor) -> Option<Slot> {
        self.slots.get(actor).copied()
    }

    pub(super) fn key(&self, key: &str) -> Option<KeyNumber> {
        self.keys.get(key).copied()
    }

    pub(super) fn actor(&self, slot: Slot) -> Option<&Actor> {
        self.actors.get(usize::try_from(slot.0).ok()?)
    }

    fn slot(&mut self, actor: Actor) -> Slot {
        let next = Slot(u32::try_from(self.actors.len()).unwrap_or(u32::MAX));
        let slot = *self.slots.entry(actor).or_insert(next);
        if slot == next {
            self.actors.push(actor);
        }
        slot
    }

    fn intern(&mut self, key: Box<str>) -> KeyNumber {
        let next = KeyNumber(u32::try_from(self.keys.len()).unwrap_or(u32::MAX));
        *self.keys.entry(key).or_insert(next)
    }

    /// Decides whether the clock of a new change is kept, and whether for good.
    fn keep_clock(&mut self, record: &mut Record) {
        let far = |place: &Place| self.record(*place).map_or(0, |on| on.distance.saturating_add(1));
        record.distance = record.dependencies.iter().map(far).max().unwrap_or(0);
        let Some(clock) = &record.clock else { return };
        let entries = if self.shares_clock(record, clock) { 0 } else { clock.len() };
        let most = CLOCK_ENTRIES
            .saturating_add(self.records.len().saturating_mul(CLOCK_ENTRIES_PER_CHANGE));
        if self.clock_entries.saturating_add(entries) > most {
            record.clock = None;
            return;
        }
        // As many entries as eight times the changes between two of them: linear altogether.
        let due = u32::try_from(clock.len() / 8).unwrap_or(u32::MAX).max(POST_DISTANCE);
        record.is_post = record.distance >= due;
        if record.is_post {
            record.distance = 0;
        }
        self.clock_entries = self.clock_entries.saturating_add(entries);
    }

    fn shares_clock(&self, record: &Record, clock: &Arc<[Tip]>) -> bool {
        let before = record.previous.and_then(|place| self.record(place)?.clock.as_ref());
        before.is_some_and(|before| Arc::ptr_eq(before, clock))
    }

    /// Drops the clock of a change that is no longer a head, unless it stays for good.
    fn pass_by(&mut self, place: Place) {
        let at = usize::try_from(place.0).ok();
        let Some(record) = at.and_then(|at| self.records.get_mut(at)) else { return };
        if record.is_post {
            return;
        }
        if let Some(clock) = record.clock.take() {
            // The last one to share it gives its entries back.
            if Arc::strong_count(&clock) == 1 {
                self.clock_entries = self.clock_entries.saturating_sub(clock.len());
            }
        }
    }
}
