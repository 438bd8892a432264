//! What an honest node cosigns is so, by its witness key, and never goes back.
//!
//! ```text
//! cosign entry in one's own feed, the first time that it is sent:
//!     each signature verifies      each root is that of the headers on the node's disk
//!     of one feed, what a later entry cosigns is longer than what an earlier one did
//! ```
//!
//! A restored node may send again what its lost disk had made good; that was checked when it was new. What it had
//! said to too few partners is lost, and may be said otherwise.

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
    /// What each of these entries says: of a restored author it may be said again, and otherwise.
    seen: BTreeSet<(FeedId, u64, Vec<u8>)>,
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

    /// `excused_from`: from which entry on a restored author may have lost what it signed, and sign again.
    pub(super) fn sending(
        &mut self,
        facts: &Facts,
        seen: Seen<'_>,
        message: &Message,
        excused_from: impl Fn(&FeedId) -> Option<u64>,
    ) -> Verdict {
        let Message::Run { run, .. } = message else { return Ok(()) };
        if !facts.is_of(&run.feed, seen.node) {
            return Ok(());
        }
        for (seq, list) in cosigned(run) {
            if self.seen.insert((run.feed, seq, list.to_bytes())) {
                let from = excused_from(&run.feed).unwrap_or(u64::MAX).max(seq);
                let of_feed = self.sizes.iter_mut().filter(|((feed, _), _)| *feed == run.feed);
                of_feed.for_each(|(_, sizes)| sizes.retain(|other, _| *other < from));
                let mut given = list.given.iter();
                given.try_for_each(|one| self.take(facts, seen, (run.feed, seq), one))?;
            }
        }
        Ok(())
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
