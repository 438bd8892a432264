//! Stage 1 of 8: edit, if more values stand under a key than one change may overwrite.
//!
//! ```text
//! values of a key   v1 … v20000   v20001 … v40000   …
//!                   └── delete ──┴──── delete ────┴── …   a change each, then the edit itself
//! ```
//!
//! Nobody writes so many values in earnest. But a member that does must not be able to keep a field
//! from ever having one value again.

use alloc::{vec, vec::Vec};
use core::num::NonZeroU64;

use automerge::{
    Change, ExpandedChange,
    legacy::{Op, OpType},
};

use crate::limits::{OPERATIONS_MAX, PREDECESSORS_MAX};

/// Values that a key may well have; what has more is thinned.
const FEW: usize = 256;
/// Values that one change takes away: far below the bounds of its predecessors and bytes.
const AT_ONCE: usize = 20_000;

const _: () = assert!(AT_ONCE as u64 * 2 <= PREDECESSORS_MAX && FEW as u64 * 2 < OPERATIONS_MAX);

/// Changes of the same editor, in the place of one that overwrites too much: of what that one would
/// overwrite, all but the last value is deleted.
pub(super) fn thinning(heavy: &Change) -> Vec<Change> {
    let ExpandedChange { operations, actor_id, mut seq, mut start_op, time, mut deps, .. } =
        heavy.decode();
    let mut changes = Vec::new();
    for operation in operations.into_iter().filter(|one| one.pred.len() > FEW) {
        let Op { obj, key, pred, .. } = operation;
        let overwritten: Vec<_> = pred.into_iter().collect();
        let Some((_, most)) = overwritten.split_last() else { continue };
        for part in most.chunks(AT_ONCE) {
            let deletion = Op {
                action: OpType::Delete,
                obj: obj.clone(),
                key: key.clone(),
                pred: part.to_vec().into(),
                insert: false,
            };
            let change = Change::from(ExpandedChange {
                operations: vec![deletion],
                actor_id: actor_id.clone(),
                hash: None,
                seq,
                start_op,
                time,
                message: None,
                deps,
                extra_bytes: Vec::new(),
                author: None,
            });
            (seq, deps) = (seq.saturating_add(1), vec![change.hash()]);
            start_op = start_op.saturating_add(NonZeroU64::MIN.get());
            changes.push(change);
        }
    }
    changes
}
