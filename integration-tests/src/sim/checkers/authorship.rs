//! What is stored in an honest organisation's feed was signed by that organisation's own engine.
//!
//! Every node's signer tells what it signs. A signed head vouches for its last entry and, through
//! `prev`, for those of the same commit before it; these are the entries that may ever be stored.

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{
    engine::{Effect, Op, Table},
    feed::{Header, SignedHead},
    hash::{EntryId, FeedId},
};

use super::{
    super::{disk::read_place, network::NodeIx},
    Checker, Facts, Verdict, Violation,
};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Authorship {
    written: BTreeMap<FeedId, BTreeSet<EntryId>>,
}

impl Authorship {
    pub(super) fn handled(
        &mut self,
        facts: &Facts,
        node: NodeIx,
        signed: &[SignedHead],
        effects: &[Effect],
    ) {
        if signed.is_empty() {
            return;
        }
        let prevs: BTreeMap<EntryId, EntryId> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Persist { ops, .. } => Some(ops),
                _ => None,
            })
            .flatten()
            .filter(|op| op.table == Table::Headers)
            .filter_map(|op| op.value.as_ref())
            .filter_map(|bytes| Some((Header::id_of(bytes), Header::from_bytes(bytes).ok()?)))
            .filter(|(_, header)| facts.is_of(&header.feed, node))
            .map(|(id, header)| (id, header.prev))
            .collect();
        for head in signed.iter().map(|signed| signed.head) {
            let written = self.written.entry(head.feed).or_default();
            let mut at = Some(head.id);
            while let Some(id) = at.filter(|id| written.insert(*id)) {
                at = prevs.get(&id).copied();
            }
        }
    }

    pub(super) fn flushing(&self, facts: &Facts, node: NodeIx, ops: &[Op]) -> Verdict {
        for op in ops.iter().filter(|op| op.table == Table::Headers) {
            let (Some((feed, _, seq)), Some(bytes)) = (read_place(&op.key), &op.value) else {
                continue;
            };
            let id = Header::id_of(bytes);
            let written = self.written.get(&feed).is_some_and(|written| written.contains(&id));
            if facts.is_honest(&feed) && !written {
                return Err(Violation {
                    checker: Checker::Authorship,
                    sentence: format!(
                        "node {node} stores {id:?} as entry {seq} of {feed:?}, which its organisation never signed"
                    ),
                });
            }
        }
        Ok(())
    }
}
