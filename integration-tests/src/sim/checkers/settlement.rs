//! What is settled stays settled: at no honest node does a feed's settled part, or the part of it
//! that has effect, become smaller.
//!
//! A crash takes acknowledgements that were not flushed; after it, what counts is what the node
//! said when last everything was flushed. A restored backup starts anew. Where both branches of a
//! fork are settled, organisations acknowledged both: the feed is halted, and exempt.

use std::collections::BTreeMap;

use concordat_protocol::{
    engine::{FeedStanding, FeedView},
    hash::{BoardId, FeedId},
};

use super::{super::network::NodeIx, Checker, Seen, Verdict, Violation};

#[derive(Debug, Clone, Copy)]
struct Settled {
    settled: u64,
    with_effect: u64,
}

type BySeat = BTreeMap<(BoardId, FeedId), Settled>;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Settlement {
    now: BTreeMap<NodeIx, BySeat>,
    flushed: BTreeMap<NodeIx, BySeat>,
}

impl Settlement {
    pub(super) fn second(&mut self, seen: Seen<'_>) -> Verdict {
        let node = seen.node;
        let before = self.now.entry(node).or_default();
        for view in seen.views {
            for (id, feed) in &view.feeds {
                let after = settled(feed);
                let known = before.insert((view.board, *id), after);
                let halted = matches!(feed.standing, FeedStanding::Halted { .. });
                if let Some(known) = known.filter(|known| !halted && is_undone(*known, after)) {
                    return Err(Violation {
                        checker: Checker::Settlement,
                        sentence: format!(
                            "node {node} took back settled entries of {id:?}: {known:?}, then {after:?}"
                        ),
                    });
                }
            }
        }
        if seen.disk.is_settled() {
            self.flushed.insert(node, before.clone());
        }
        Ok(())
    }

    pub(super) fn restarted(&mut self, node: NodeIx) {
        let flushed = self.flushed.get(&node).cloned().unwrap_or_default();
        self.now.insert(node, flushed);
    }

    pub(super) fn forget(&mut self, node: NodeIx) {
        self.now.remove(&node);
        self.flushed.remove(&node);
    }
}

fn settled(feed: &FeedView) -> Settled {
    Settled { settled: feed.settled, with_effect: feed.settled.min(feed.effective) }
}

const fn is_undone(before: Settled, after: Settled) -> bool {
    after.settled < before.settled || after.with_effect < before.with_effect
}
