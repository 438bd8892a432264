//! The rules on a change as a whole, against what its dependencies reach.
//!
//! *Invariants.* What is found depends on the closure alone, never on what else the history holds.
//!
//! *Source*: ours, `SPEC.md` section "Verdict".

use alloc::{sync::Arc, vec::Vec};

use super::{
    chunk::Chunk,
    closure::{Closure, Tip},
    history::{History, Judged, Place, Record, Totals},
    known::Known,
    operation::Slot,
    operations::Operations,
    rule::Rule,
};
use crate::limits::{DOCUMENT_BYTES_MAX, DOCUMENT_OPERATIONS_MAX};

/// Judges a change whose bytes are in order and whose dependencies are these.
pub(super) fn judge(
    history: &History,
    chunk: &Chunk<'_>,
    dependencies: &[Place],
) -> Result<Judged, Rule> {
    let closure = history.closure(dependencies)?;
    let known_slot = history.slot_of(&chunk.actor);
    let previous = known_slot.and_then(|slot| closure.tip(slot));
    let seq = expect_seq(history, chunk, previous)?;
    let start_op = expect_start_op(chunk, &closure)?;
    // The first change of a history is its skeleton.
    if dependencies.is_empty() && history.changes() > 0 {
        return Err(Rule::NoSkeleton);
    }
    let slot = known_slot.unwrap_or(Slot::OWN);
    let actors = actors(history, chunk, &closure, slot)?;
    let own = Totals { operations: u64::from(chunk.operations()), bytes: chunk.len as u64 };
    let of_closure = closure.totals.with(own);
    expect_bounds(of_closure)?;

    let known =
        Known { history, closure: &closure, actor: chunk.actor, slot, start_op, spans: Vec::new() };
    let mut operations = Operations::new(known, actors);
    operations.judge(chunk)?;

    let before = previous.and_then(|place| history.record(place));
    let record = Record {
        actor: slot,
        seq,
        start_op,
        max_op: closure.max_op.saturating_add(chunk.operations()),
        previous,
        jump: history.jump_after(previous),
        dependencies: dependencies.into(),
        clock: Some(clock(&closure, slot, before)),
        is_post: false,
        distance: 0,
        spans: operations.known.spans.into(),
        of_actor: before.map_or(own, |before| before.of_actor.with(own)),
        of_closure,
    };
    let new_keys = operations.new_keys;
    Ok(Judged { hash: chunk.hash, actor: chunk.actor, record, new_keys })
}

fn expect_seq(history: &History, chunk: &Chunk<'_>, previous: Option<Place>) -> Result<u32, Rule> {
    let before = previous.and_then(|place| history.record(place)).map_or(0, |record| record.seq);
    let expected = before.saturating_add(1);
    if chunk.seq == u64::from(expected) {
        Ok(expected)
    } else {
        Err(Rule::Seq { found: chunk.seq, expected: u64::from(expected) })
    }
}

fn expect_start_op(chunk: &Chunk<'_>, closure: &Closure) -> Result<u32, Rule> {
    let expected = closure.max_op.saturating_add(1);
    if chunk.start_op == u64::from(expected) {
        Ok(expected)
    } else {
        Err(Rule::StartOp { found: chunk.start_op, expected: u64::from(expected) })
    }
}

/// The change's list of actors: its own, then the others.
fn actors(
    history: &History,
    chunk: &Chunk<'_>,
    closure: &Closure,
    own: Slot,
) -> Result<Vec<Slot>, Rule> {
    let mut all = Vec::with_capacity(chunk.others.len().saturating_add(1));
    all.push(own);
    for (at, other) in chunk.others.iter().enumerate() {
        let slot = history.slot_of(other).filter(|slot| closure.tip(*slot).is_some());
        all.push(slot.ok_or(Rule::ActorNotInClosure { at })?);
    }
    Ok(all)
}

const fn expect_bounds(of_closure: Totals) -> Result<(), Rule> {
    if of_closure.operations > DOCUMENT_OPERATIONS_MAX {
        return Err(Rule::DocumentOperations { count: of_closure.operations });
    }
    if of_closure.bytes > DOCUMENT_BYTES_MAX {
        return Err(Rule::DocumentBytes { len: of_closure.bytes });
    }
    Ok(())
}

/// The tips without the change's own actor; that of the change before, if it is the same.
fn clock(closure: &Closure, own: Slot, before: Option<&Record>) -> Arc<[Tip]> {
    let others = || closure.tips.iter().filter(|tip| tip.actor != own);
    let kept = before.and_then(|before| before.clock.as_ref());
    match kept.filter(|kept| kept.iter().eq(others())) {
        Some(kept) => Arc::clone(kept),
        None => others().copied().collect(),
    }
}
