//! Stage 1 of 8: edit, if a document has more heads than a change may build on.
//!
//! ```text
//! heads   h1 … h32  h33 … h63  h64 …
//!          └── e1 ──┴── e2 ──┴── e3     empty changes of one fresh actor, each on 32 changes
//! ```
//!
//! What the changes build on is known from the heads alone, so they are written one after the
//! other and applied together: as many heads as there may be cost one application.

use alloc::{collections::VecDeque, vec::Vec};
use core::num::NonZeroU64;

use automerge::{Change, ExpandedChange};

use super::{
    document::{Document, Suspended, names},
    edit::{Edited, seconds},
};
use crate::{limits::DOC_HEADS_MAX, time::TimeMs, verdict::Actor};

/// A change to build on, and the largest counter of an operation that it reaches.
#[derive(Debug, Clone, Copy)]
struct Head {
    hash: automerge::ChangeHash,
    max_op: u64,
}

/// Makes empty changes until at most 32 heads are left; none if there are no more already.
///
/// Each builds on 32 changes. The actor must be fresh: it writes nothing else.
///
/// # Errors
/// What [`Document::with`] gives.
pub fn fold(document: &Document, actor: Actor, now: TimeMs) -> Result<Edited, Suspended> {
    let mut waiting = VecDeque::new();
    for hash in document.inner.get_heads() {
        let about = document.inner.get_change_meta_by_hash(&hash).ok_or(Suspended::Failed)?;
        waiting.push_back(Head { hash, max_op: about.max_op });
    }
    waiting.make_contiguous().sort_by_key(|head| head.hash);
    let (mut last, mut changes) = (None, Vec::new());
    while waiting.len() + usize::from(last.is_some()) > DOC_HEADS_MAX {
        let mut on: Vec<Head> = last.into_iter().collect();
        while on.len() < DOC_HEADS_MAX
            && let Some(head) = waiting.pop_front()
        {
            on.push(head);
        }
        let seq = (changes.len() as u64).saturating_add(1);
        let (change, head) = empty_change(actor, seq, now, &on);
        changes.push(change.raw_bytes().to_vec());
        last = Some(head);
    }
    let document = document.with(&changes)?;
    Ok(Edited { document, changes, touched: Vec::new() })
}

fn empty_change(actor: Actor, seq: u64, now: TimeMs, on: &[Head]) -> (Change, Head) {
    let max_op = on.iter().map(|head| head.max_op).max().unwrap_or(0);
    let mut deps: Vec<_> = on.iter().map(|head| head.hash).collect();
    deps.sort();
    let change = Change::from(ExpandedChange {
        operations: Vec::new(),
        actor_id: names::actor_id(actor),
        hash: None,
        seq,
        start_op: NonZeroU64::MIN.saturating_add(max_op),
        time: seconds(now),
        message: None,
        deps,
        extra_bytes: Vec::new(),
        author: None,
    });
    let head = Head { hash: change.hash(), max_op };
    (change, head)
}
