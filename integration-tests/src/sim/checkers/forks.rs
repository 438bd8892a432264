//! A fork of which both branches reached honest nodes becomes known to every honest node.
//!
//! Remembered is each id that an honest node ever flushed at a place of a feed. Long after healing
//! every honest node must hold a feed with two ids at one place for forked, from that place on or
//! below.

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{
    engine::{FeedStanding, Op, Table},
    feed::Header,
    hash::{EntryId, FeedId},
};

use super::{
    super::{
        disk::{Disk, read_place},
        network::NodeIx,
    },
    Checker, Seen, Verdict, Violation,
};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Forks {
    seen: BTreeMap<(FeedId, u64), BTreeMap<EntryId, BTreeSet<NodeIx>>>,
}

impl Forks {
    pub(super) fn flushing(&mut self, node: NodeIx, ops: &[Op]) {
        for op in ops.iter().filter(|op| op.table == Table::Headers) {
            if let (Some((feed, _, seq)), Some(bytes)) = (read_place(&op.key), &op.value) {
                self.note(node, (feed, seq), Header::id_of(bytes));
            }
        }
    }

    fn note(&mut self, node: NodeIx, place: (FeedId, u64), id: EntryId) {
        self.seen.entry(place).or_default().entry(id).or_default().insert(node);
    }

    /// What only a restored node had seen may be forgotten.
    pub(super) fn restored(&mut self, node: NodeIx, disks: &BTreeMap<NodeIx, &Disk>) {
        for ids in self.seen.values_mut() {
            for nodes in ids.values_mut() {
                nodes.remove(&node);
            }
            ids.retain(|_, nodes| !nodes.is_empty());
        }
        for (key, bytes) in disks.get(&node).into_iter().flat_map(|disk| disk.rows(Table::Headers))
        {
            if let Some((feed, _, seq)) = read_place(key) {
                self.note(node, (feed, seq), Header::id_of(bytes));
            }
        }
    }

    /// The lowest place at which a feed has two ids, for each feed that has one.
    pub(super) fn known(&self) -> BTreeMap<FeedId, u64> {
        let mut forks = BTreeMap::new();
        for ((feed, seq), _) in self.seen.iter().filter(|(_, ids)| ids.len() > 1) {
            forks.entry(*feed).or_insert(*seq);
        }
        forks
    }

    pub(super) fn after_healing(&self, nodes: &[Seen<'_>]) -> Verdict {
        for (feed, seq) in self.known() {
            for seen in nodes {
                let view = seen.views.iter().find_map(|view| view.feeds.get(&feed));
                let standing = view.map(|view| view.standing);
                let index = standing.and_then(fork_index);
                if index.is_none_or(|index| index > seq) {
                    return Err(Violation {
                        checker: Checker::Forks,
                        sentence: format!(
                            "node {} holds {feed:?} for {standing:?}, honest nodes saw two entries {seq}: {:?}",
                            seen.node,
                            self.seen.get(&(feed, seq))
                        ),
                    });
                }
            }
        }
        Ok(())
    }
}

const fn fork_index(standing: FeedStanding) -> Option<u64> {
    match standing {
        FeedStanding::Sound | FeedStanding::Superseded => None,
        FeedStanding::Held { index }
        | FeedStanding::Won { index, .. }
        | FeedStanding::Halted { index } => Some(index),
    }
}
