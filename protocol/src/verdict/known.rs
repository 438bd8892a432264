//! What an operation may refer to: the closure of its change, and what stands earlier in the change.
//!
//! An operation is found by its id in three steps: the actor's tip in the closure, the change of
//! that actor that holds the counter, the span in that change. This one way serves as table of
//! objects, of elements and of predecessors.
//!
//! *Invariants.* Finds nothing outside the closure, whatever else the history holds.
//!
//! *Source*: ours.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::{
    chunk::Actor,
    closure::Closure,
    history::History,
    operation::{OpId, Slot, Span},
};

/// An operation: its span, and its place in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) span: Span,
    pub(super) offset: u32,
}

/// Everything that the change being judged may name.
#[derive(Debug)]
pub(super) struct Known<'h> {
    pub(super) history: &'h History,
    pub(super) closure: &'h Closure,
    /// The change's own actor and the number of its first operation.
    pub(super) actor: Actor,
    pub(super) slot: Slot,
    pub(super) start_op: u32,
    /// Its operations so far.
    pub(super) spans: Vec<Span>,
}

impl Known<'_> {
    pub(super) fn find(&self, id: OpId) -> Option<Found> {
        if id.actor == self.slot && id.counter >= self.start_op {
            return find_in(&self.spans, id.counter - self.start_op);
        }
        let tip = self.closure.tip(id.actor)?;
        let record = self.history.holder(tip, id.counter)?;
        find_in(&record.spans, id.counter.checked_sub(record.start_op)?)
    }

    /// Automerge's order of ids: by counter, then by the bytes of the actor.
    pub(super) fn compare(&self, one: OpId, other: OpId) -> Ordering {
        let by_counter = one.counter.cmp(&other.counter);
        by_counter.then_with(|| self.actor_of(one).cmp(&self.actor_of(other)))
    }

    fn actor_of(&self, id: OpId) -> Option<&Actor> {
        if id.actor == self.slot { Some(&self.actor) } else { self.history.actor(id.actor) }
    }
}

fn find_in(spans: &[Span], at: u32) -> Option<Found> {
    let next = spans.partition_point(|span| span.first <= at);
    let span = spans.get(next.checked_sub(1)?)?;
    let offset = at - span.first;
    (offset < span.len).then_some(Found { span: *span, offset })
}
