//! What an honest node cosigns is so, by its witness key, and never goes back.
//!
//! ```text
//! cosign entry in one's own feed, the first time that it is sent:
//!     each signature verifies      each root is that of the headers on the node's disk
//!     of one feed, what a later entry cosigns is longer than what an earlier one did
//! ```
//!
//! What a restored node had said to too few partners is lost, and may be said again.

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{
    checkpoint::{Checkpoint, Cosigned, CosignedList, Origin},
    feed::{Body, Kind, Run, Tip},
    hash::FeedId,
    sync::Message,
};

use super::{super::disk::Disk, Checker, Facts, Seen, Verdict, Violation};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Witnesses {
    seen: BTreeSet<(FeedId, u64)>,
    /// By the feed that cosigns and the origin: which size, at which entry.
    sizes: BTreeMap<(FeedId, Origin), BTreeMap<u64, u64>>,
    given: u64,
}

fn violation(seen: Seen<'_>, checkpoint: &Checkpoint, what: &str) -> Violation {
    let Checkpoint { origin, size, .. } = checkpoint;
    let sentence = format!("node {} cosigns {origin} at size {size}, {what}", seen.node);
    Violation { checker: Checker::Witnesses, sentence }
}

impl Witnesses {
    /// How many were verified.
    pub(super) const fn given(&self) -> u64 {
        self.given
    }

    pub(super) fn sending(&mut self, facts: &Facts, seen: Seen<'_>, message: &Message) -> Verdict {
        let Message::Run { run, .. } = message else { return Ok(()) };
        if !facts.is_of(&run.feed, seen.node) {
            return Ok(());
        }
        for (seq, list) in cosigned(run) {
            if self.seen.insert((run.feed, seq)) {
                let mut given = list.given.iter();
                given.try_for_each(|one| self.take(facts, seen, (run.feed, seq), one))?;
            }
        }
        Ok(())
    }

    /// A backup was put back: what a feed says from such an entry on may be lost, and said again.
    pub(super) fn restored(&mut self, excused_from: impl Fn(&FeedId) -> Option<u64>) {
        let stands = |feed: &FeedId, seq: u64| excused_from(feed).is_none_or(|from| seq < from);
        self.seen.retain(|(feed, seq)| stands(feed, *seq));
        for ((feed, _), sizes) in &mut self.sizes {
            sizes.retain(|seq, _| stands(feed, *seq));
        }
    }

    fn take(
        &mut self,
        facts: &Facts,
        seen: Seen<'_>,
        (feed, seq): (FeedId, u64),
        one: &Cosigned,
    ) -> Verdict {
        let Checkpoint { origin, size, root } = one.checkpoint;
        let key = facts.orgs[seen.node].card.card().witness_key;
        if one.verify(&key).is_err() {
            return Err(violation(seen, &one.checkpoint, "and the signature does not verify"));
        }
        let mut feeds = facts.feeds.keys().filter_map(|of| tip_at(seen.disk, of, size));
        if !feeds.any(|tip| tip.head().root == root) {
            return Err(violation(seen, &one.checkpoint, "which is on no feed of its disk"));
        }
        let sizes = self.sizes.entry((feed, origin)).or_default();
        let before = sizes.range(..seq).next_back().filter(|(_, before)| **before >= size);
        let after = sizes.range(seq..).next().filter(|(_, after)| **after <= size);
        if let Some((other, found)) = before.or(after) {
            let what = format!("in entry {seq}, and size {found} in entry {other}");
            return Err(violation(seen, &one.checkpoint, &what));
        }
        sizes.insert(seq, size);
        self.given += 1;
        Ok(())
    }
}

fn cosigned(run: &Run) -> impl Iterator<Item = (u64, CosignedList)> {
    let entries = (run.from..).zip(&run.entries);
    entries.filter(|(_, entry)| entry.kind == Kind::COSIGN).filter_map(|(seq, entry)| {
        let Body::Carried(sealed) = &entry.body else { return None };
        Some((seq, CosignedList::from_bytes(sealed.payload.bytes()).ok()?))
    })
}

/// The first entries of a feed's first chain, as they stand on a disk.
fn tip_at(disk: &Disk, feed: &FeedId, size: u64) -> Option<Tip> {
    let mut tip = Tip::empty(*feed);
    (0..size).try_for_each(|seq| tip.replay(disk.header(feed, seq)?).ok().map(drop))?;
    Some(tip)
}
