//! The closure of a change: all changes that its dependencies reach.
//!
//! It is written down as its tips: for each actor the last change of that actor in it. The changes
//! of one actor form a chain, since each must reach the one before it, so the tips say all.
//!
//! ```text
//! one dependency with a clock     its clock and itself
//! otherwise                       from the dependencies back, the latest change first, until clocks are met or
//!                                 changes that the tips found so far already reach
//! ```
//!
//! *Invariants.* A closure that holds two changes of one actor and seq is refused. The walk visits
//! each change at most once.
//!
//! *Source*: ours.

use alloc::{collections::BTreeSet, vec, vec::Vec};

use super::{
    chunk::ChangeHash,
    history::{History, Judged, Place, Record, Totals},
    operation::Slot,
    rule::Rule,
};

/// The last change of an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) actor: Slot,
    pub(super) place: Place,
}

/// The changes that the dependencies of a change reach.
#[derive(Debug, Default)]
pub(super) struct Closure {
    /// Ascending by actor.
    pub(super) tips: Vec<Tip>,
    pub(super) max_op: u32,
    pub(super) totals: Totals,
}

impl Closure {
    /// The last change of the actor.
    pub(super) fn tip(&self, actor: Slot) -> Option<Place> {
        let at = self.tips.binary_search_by_key(&actor, |tip| tip.actor).ok()?;
        self.tips.get(at).map(|tip| tip.place)
    }
}

impl History {
    /// The closure of a change with these dependencies.
    pub(super) fn closure(&self, dependencies: &[Place]) -> Result<Closure, Rule> {
        if let [only] = dependencies
            && let Some(closure) = self.closure_of_one(*only)
        {
            return Ok(closure);
        }
        let none = vec![None; self.actors.len()];
        let mut gathered = Gathered { history: self, tips: none.clone(), whole: none };
        let mut ahead: BTreeSet<Place> = dependencies.iter().copied().collect();
        // A change has a higher number than its dependencies: none comes up twice.
        while let Some(place) = ahead.pop_last() {
            let Some(record) = self.record(place) else { continue };
            if gathered.reaches(place, record) {
                continue;
            }
            let own = Tip { actor: record.actor, place };
            gathered.add(own)?;
            match &record.clock {
                Some(clock) => gathered.add_whole(own, clock)?,
                None => ahead.extend(&record.dependencies),
            }
        }
        let tips = gathered.into_tips();
        let of_actor = |tip: &Tip| self.record(tip.place).map(|record| record.of_actor);
        let totals = tips.iter().filter_map(of_actor).fold(Totals::default(), Totals::with);
        let max_op = dependencies.iter().filter_map(|place| self.record(*place));
        let max_op = max_op.map(|record| record.max_op).max().unwrap_or(0);
        Ok(Closure { tips, max_op, totals })
    }

    /// Whether a change lies in the closure of one that this history found good.
    #[must_use]
    pub fn reaches(&self, judged: &Judged, change: &ChangeHash) -> bool {
        let Some(place) = self.place(change) else { return false };
        let Some(record) = self.record(place) else { return false };
        let of = &judged.record;
        let tips = of.clock.as_deref().unwrap_or_default();
        let tip = match tips.binary_search_by_key(&record.actor, |tip| tip.actor) {
            Ok(at) => tips.get(at).map(|tip| tip.place),
            Err(_) if of.actor == record.actor => of.previous,
            Err(_) => None,
        };
        tip.and_then(|tip| self.ancestor(tip, record.seq)) == Some(place)
    }

    fn closure_of_one(&self, place: Place) -> Option<Closure> {
        let record = self.record(place)?;
        let clock = record.clock.as_ref()?;
        let at = clock.partition_point(|tip| tip.actor < record.actor);
        let (before, after) = clock.split_at_checked(at)?;
        let mut tips = Vec::with_capacity(clock.len() + 1);
        tips.extend_from_slice(before);
        tips.push(Tip { actor: record.actor, place });
        tips.extend_from_slice(after);
        Some(Closure { tips, max_op: record.max_op, totals: record.of_closure })
    }

    /// The change of the same actor with this seq, on the way back from `place`.
    ///
    /// Each record has a jump next to its previous change, chosen as in a skew-binary list, so that
    /// the steps are logarithmic in the number of the actor's changes.
    fn ancestor(&self, place: Place, seq: u32) -> Option<Place> {
        let mut at = place;
        loop {
            let record = self.record(at)?;
            if record.seq <= seq {
                return (record.seq == seq).then_some(at);
            }
            at = self.step(record, |earlier| earlier.seq >= seq)?;
        }
    }

    /// The last change of the actor from `place` back whose first operation is `counter` or lower.
    pub(super) fn holder(&self, place: Place, counter: u32) -> Option<&Record> {
        let mut record = self.record(place)?;
        while record.start_op > counter {
            let next = self.step(record, |earlier| earlier.start_op > counter)?;
            record = self.record(next)?;
        }
        Some(record)
    }

    /// The jump if it does not go too far, else the change before.
    fn step(&self, record: &Record, is_not_too_far: impl Fn(&Record) -> bool) -> Option<Place> {
        let jump = record.jump.filter(|place| self.record(*place).is_some_and(is_not_too_far));
        jump.or(record.previous)
    }

    /// Where the jump of a change after `previous` leads.
    pub(super) fn jump_after(&self, previous: Option<Place>) -> Option<Place> {
        let before = self.record(previous?)?;
        let Some(near) = before.jump.and_then(|place| self.record(place)) else {
            return previous;
        };
        let far_seq = near.jump.and_then(|place| self.record(place)).map_or(0, |far| far.seq);
        // Two jumps of equal length in a row become one; no jump leads to before the first change.
        if before.seq - near.seq == near.seq - far_seq { near.jump } else { previous }
    }
}

/// Tips found so far, by number of the actor.
struct Gathered<'h> {
    history: &'h History,
    tips: Vec<Option<Place>>,
    /// Those that came with clocks: all that these reach has been gathered.
    whole: Vec<Option<Place>>,
}

impl Gathered<'_> {
    /// Whether the change, and so all that it reaches, has been gathered with a clock.
    fn reaches(&self, place: Place, record: &Record) -> bool {
        let whole = at(&self.whole, record.actor);
        whole.and_then(|whole| self.history.ancestor(whole, record.seq)) == Some(place)
    }

    /// Adds all that a change reaches, by its clock.
    fn add_whole(&mut self, own: Tip, clock: &[Tip]) -> Result<(), Rule> {
        for tip in clock.iter().copied().chain([own]) {
            self.add(tip)?;
            let later = match at(&self.whole, tip.actor) {
                Some(other) => self.later(other, tip.place)?,
                None => tip.place,
            };
            put(&mut self.whole, tip.actor, later);
        }
        Ok(())
    }

    fn add(&mut self, tip: Tip) -> Result<(), Rule> {
        let later = match at(&self.tips, tip.actor) {
            Some(other) => self.later(other, tip.place)?,
            None => tip.place,
        };
        put(&mut self.tips, tip.actor, later);
        Ok(())
    }

    /// The later of two changes of one actor, which must reach the other.
    fn later(&self, one: Place, other: Place) -> Result<Place, Rule> {
        if one == other {
            return Ok(one);
        }
        let seq = |place| self.history.record(place).map_or(0, |record| record.seq);
        let (low, high) = if seq(one) <= seq(other) { (one, other) } else { (other, one) };
        if self.history.ancestor(high, seq(low)) == Some(low) {
            Ok(high)
        } else {
            Err(Rule::ClosureForked)
        }
    }

    fn into_tips(self) -> Vec<Tip> {
        let places = (0..).map(Slot).zip(self.tips);
        places.filter_map(|(actor, place)| Some(Tip { actor, place: place? })).collect()
    }
}

fn at(places: &[Option<Place>], actor: Slot) -> Option<Place> {
    places.get(usize::try_from(actor.0).ok()?).copied().flatten()
}

fn put(places: &mut [Option<Place>], actor: Slot, place: Place) {
    let at = usize::try_from(actor.0).ok();
    if let Some(slot) = at.and_then(|at| places.get_mut(at)) {
        *slot = Some(place);
    }
}
