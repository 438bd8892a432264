//! What an honest organisation announced, and what an honest node flushed, never changes.
//!
//! Two records are kept:
//!
//! ```text
//! announced   (feed, seq) → id     what any honest node ever told of an honest feed, or flushed of
//!                                  another's: one id for ever, everywhere
//! flushed     node, (feed, branch, seq) → id     what stands on a disk, until a backup is put back
//! ```
//!
//! A crash may lose what was never announced, a restore what only few knew: above what every
//! majority of the others must remember, a restored organisation is excused.

use std::collections::{BTreeMap, btree_map::Entry};

use concordat_protocol::{
    engine::{Op, Table},
    feed::Header,
    hash::{EntryId, FeedId},
    sync::{HaveItem, Message, Point},
};

use super::{
    super::{
        disk::{Disk, read_place},
        network::NodeIx,
    },
    Checker, Facts, Verdict, Violation,
};

type Place = (FeedId, u16, u64);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct AppendOnly {
    announced: BTreeMap<(FeedId, u64), EntryId>,
    flushed: BTreeMap<NodeIx, BTreeMap<Place, EntryId>>,
    excused_from: BTreeMap<FeedId, u64>,
}

fn violation(sentence: String) -> Violation {
    Violation { checker: Checker::AppendOnly, sentence }
}

impl AppendOnly {
    pub(super) fn flushing(&mut self, facts: &Facts, node: NodeIx, ops: &[Op]) -> Verdict {
        for op in ops.iter().filter(|op| op.table == Table::Headers) {
            let Some(place) = read_place(&op.key) else {
                return Err(violation(format!("node {node} writes a header without a place")));
            };
            let honest = facts.is_honest(&place.0);
            match &op.value {
                None if honest => {
                    return Err(violation(format!("node {node} deletes {}", shown(place))));
                }
                None => {
                    self.flushed.entry(node).or_default().remove(&place);
                }
                Some(bytes) => self.write(facts, node, place, Header::id_of(bytes))?,
            }
        }
        Ok(())
    }

    fn write(&mut self, facts: &Facts, node: NodeIx, place: Place, id: EntryId) -> Verdict {
        let (feed, _, seq) = place;
        match self.flushed.entry(node).or_default().entry(place) {
            Entry::Vacant(free) => {
                free.insert(id);
            }
            Entry::Occupied(held) if *held.get() == id => {}
            Entry::Occupied(held) => {
                let held = held.get();
                let sentence =
                    format!("node {node} replaces {held:?} by {id:?} at {}", shown(place));
                return Err(violation(sentence));
            }
        }
        let own = facts.feeds.get(&feed) == Some(&node);
        if own || !facts.is_honest(&feed) {
            return Ok(());
        }
        self.announce(node, feed, seq, id)
    }

    pub(super) fn sending(&mut self, facts: &Facts, node: NodeIx, message: &Message) -> Verdict {
        for (feed, Point(seq, id)) in told_points(message) {
            if facts.is_honest(&feed) {
                self.announce(node, feed, seq, id)?;
            }
        }
        Ok(())
    }

    fn announce(&mut self, node: NodeIx, feed: FeedId, seq: u64, id: EntryId) -> Verdict {
        if self.excused_from.get(&feed).is_some_and(|from| seq >= *from) {
            return Ok(());
        }
        match self.announced.entry((feed, seq)) {
            Entry::Vacant(free) => {
                free.insert(id);
                Ok(())
            }
            Entry::Occupied(held) if *held.get() == id => Ok(()),
            Entry::Occupied(held) => Err(violation(format!(
                "entry {seq} of {feed:?}, an honest organisation's, was {:?} and is {id:?} at node {node}",
                held.get()
            ))),
        }
    }

    /// Whether the feed's organisation was restored from a backup.
    pub(super) fn is_excused(&self, feed: &FeedId) -> bool {
        self.excused_from.contains_key(feed)
    }

    /// From which entry on a feed's author may have lost what it signed, and sign again.
    pub(super) fn excused_from(&self, feed: &FeedId) -> Option<u64> {
        self.excused_from.get(feed).copied()
    }

    /// Compares a disk with what was flushed to it.
    pub(super) fn audit(&self, node: NodeIx, disk: &Disk) -> Verdict {
        let mut due = self.flushed.get(&node).into_iter().flatten();
        for (key, bytes) in disk.rows(Table::Headers) {
            let stored = read_place(key).map(|place| (place, Header::id_of(bytes)));
            let expected = due.next().map(|(place, id)| (*place, *id));
            if stored != expected {
                return Err(violation(format!(
                    "the disk of node {node} holds {stored:?} where {expected:?} was flushed"
                )));
            }
        }
        match due.next() {
            None => Ok(()),
            Some((place, id)) => {
                let sentence = format!("the disk of node {node} lost {id:?}, {}", shown(*place));
                Err(violation(sentence))
            }
        }
    }

    /// A backup was put back at `node`: its disk is the record now, and its organisation is excused
    /// above what every majority of the others remembers.
    pub(super) fn restored(
        &mut self,
        facts: &Facts,
        node: NodeIx,
        disks: &BTreeMap<NodeIx, &Disk>,
    ) {
        let flushed = disks.get(&node).into_iter().flat_map(|disk| disk.rows(Table::Headers));
        let places =
            flushed.filter_map(|(key, bytes)| Some((read_place(key)?, Header::id_of(bytes))));
        self.flushed.insert(node, places.collect());

        let (seats, honest) = facts.others(node);
        for own in facts.feeds.iter().filter(|(_, org)| **org == node).map(|(feed, _)| *feed) {
            let size_at = |other: &usize| {
                disks.get(other).map_or(0, |disk| {
                    (0..).find(|seq| disk.header(&own, *seq).is_none()).unwrap_or(0)
                })
            };
            let mut sizes: Vec<u64> = honest.iter().map(size_at).collect();
            sizes.sort_unstable_by(|a, b| b.cmp(a));
            // A majority of `heard` others leaves out `seats - heard`; one more holder than that is
            // always among those heard.
            let heard = seats / 2 + 1;
            let from = sizes.get(seats.saturating_sub(heard)).copied().unwrap_or(0);
            let from = if seats == 0 { 0 } else { from };
            self.announced.retain(|(feed, seq), _| *feed != own || *seq < from);
            self.excused_from.insert(own, from);
        }
    }
}

/// Every entry that a message says its sender holds.
pub(super) fn told_points(message: &Message) -> Vec<(FeedId, Point)> {
    let last = |size: u64| size.checked_sub(1);
    match message {
        Message::Have { items, .. } => items
            .iter()
            .flat_map(|HaveItem(feed, size, id, tips)| {
                let end = last(*size).map(|seq| Point(seq, *id));
                end.into_iter().chain(tips.iter().copied()).map(|point| (*feed, point))
            })
            .collect(),
        Message::Run { run, .. } => {
            let heads = run.heads.iter().map(|signed| signed.head);
            heads.filter_map(|head| Some((head.feed, Point(last(head.size)?, head.id)))).collect()
        }
        Message::Compare { feed, head, points, .. } => {
            let end = last(head.head.size).map(|seq| Point(seq, head.head.id));
            end.into_iter().chain(points.iter().copied()).map(|point| (*feed, point)).collect()
        }
        Message::Side { feed, side, .. } => {
            let head = side.head.head;
            last(head.size).map(|seq| (*feed, Point(seq, head.id))).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn shown((feed, branch, seq): Place) -> String {
    format!("entry {seq} of {feed:?} on branch {branch}")
}
