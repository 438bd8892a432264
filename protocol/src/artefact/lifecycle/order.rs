//! What lies in the causal past of an entry.
//!
//! ```text
//! past of an entry = its feed before it, and for each ref the entry it names and that one's past
//! frontier         = feed ──▶ size: of each feed a prefix, so one number a feed says it all
//! ```

use alloc::{collections::BTreeMap, vec::Vec};

use crate::hash::{EntryId, FeedId};

/// A set of entries that holds the past of each: a prefix of each feed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier(BTreeMap<FeedId, u64>);

/// What an entry says about order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The entry.
    pub entry: EntryId,
    /// Its feed.
    pub feed: FeedId,
    /// Its place there.
    pub seq: u64,
    /// The entries it relies on.
    pub refs: Vec<EntryId>,
}

impl Frontier {
    /// Whether the entry at this place is among them.
    #[must_use]
    pub fn contains(&self, feed: &FeedId, seq: u64) -> bool {
        self.0.get(feed).is_some_and(|size| seq < *size)
    }

    /// Adds the first `size` entries of a feed.
    pub fn add(&mut self, feed: FeedId, size: u64) {
        let known = self.0.entry(feed).or_default();
        *known = size.max(*known);
    }

    /// Adds all that is in another.
    pub fn join(&mut self, other: &Self) {
        for (feed, size) in &other.0 {
            self.add(*feed, *size);
        }
    }

    /// How many entries there are: an entry has more in its past than any of those.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.0.values().fold(0, |sum, size| sum.saturating_add(*size))
    }

    /// The feeds, each with the number of its entries that are among them.
    pub fn feeds(&self) -> impl Iterator<Item = (&FeedId, u64)> {
        self.0.iter().map(|(feed, size)| (feed, *size))
    }
}

/// The past of every entry, from what all entries of a board say about order.
///
/// Those that rely on an entry that is not among them are left out, and so is what follows them:
/// their past is not known here.
#[must_use]
pub fn pasts(links: &[Link]) -> BTreeMap<EntryId, Frontier> {
    let places: BTreeMap<_, _> = links.iter().map(|link| ((link.feed, link.seq), link)).collect();
    let mut known = Known::default();
    let mut waiting: BTreeMap<EntryId, Vec<&Link>> = BTreeMap::new();
    let mut ready: Vec<&Link> = links.iter().filter(|link| link.seq == 0).collect();
    while let Some(link) = ready.pop() {
        if let Some(missing) = link.refs.iter().find(|id| !known.pasts.contains_key(*id)) {
            waiting.entry(*missing).or_default().push(link);
            continue;
        }
        known.learn(link);
        ready.extend(waiting.remove(&link.entry).unwrap_or_default());
        ready.extend(places.get(&(link.feed, link.seq.saturating_add(1))));
    }
    known.pasts
}

/// Entries of which the past is known.
#[derive(Default)]
struct Known {
    pasts: BTreeMap<EntryId, Frontier>,
    /// What the last of them in each feed has in its past, itself included.
    through: BTreeMap<FeedId, Frontier>,
    places: BTreeMap<EntryId, (FeedId, u64)>,
}

impl Known {
    /// Learns of an entry; those it relies on and the one before it are known.
    fn learn(&mut self, link: &Link) {
        let mut past = self.through.get(&link.feed).cloned().unwrap_or_default();
        for relied in &link.refs {
            let (Some(theirs), Some((feed, seq))) =
                (self.pasts.get(relied), self.places.get(relied))
            else {
                continue;
            };
            past.join(theirs);
            past.add(*feed, seq.saturating_add(1));
        }
        let mut through = past.clone();
        through.add(link.feed, link.seq.saturating_add(1));
        self.through.insert(link.feed, through);
        self.places.insert(link.entry, (link.feed, link.seq));
        self.pasts.insert(link.entry, past);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn feed(number: u8) -> FeedId {
        FeedId::from_bytes([number; 32])
    }

    fn id(feed: u8, seq: u8) -> EntryId {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&[feed, seq]);
        EntryId::from_bytes(bytes)
    }

    fn link(number: u8, seq: u8, refs: Vec<EntryId>) -> Link {
        Link { entry: id(number, seq), feed: feed(number), seq: seq.into(), refs }
    }

    fn frontier(sizes: &[(u8, u64)]) -> Frontier {
        let mut frontier = Frontier::default();
        sizes.iter().for_each(|(number, size)| frontier.add(feed(*number), *size));
        frontier
    }

    #[test]
    fn the_past_is_the_feed_before_and_what_refs_reach() {
        let mut links = vec![
            link(1, 0, vec![]),
            link(1, 1, vec![id(2, 0)]),
            link(2, 0, vec![]),
            link(2, 1, vec![]),
            link(3, 0, vec![id(1, 1)]),
            link(3, 1, vec![]),
        ];
        let expected = BTreeMap::from([
            (id(1, 0), frontier(&[])),
            (id(1, 1), frontier(&[(1, 1), (2, 1)])),
            (id(2, 0), frontier(&[])),
            (id(2, 1), frontier(&[(2, 1)])),
            (id(3, 0), frontier(&[(1, 2), (2, 1)])),
            (id(3, 1), frontier(&[(1, 2), (2, 1), (3, 1)])),
        ]);
        assert_eq!(pasts(&links), expected);
        links.reverse();
        assert_eq!(pasts(&links), expected);
        assert!(expected[&id(3, 1)].contains(&feed(2), 0));
        assert!(!expected[&id(3, 1)].contains(&feed(2), 1));
        assert!(!expected[&id(3, 1)].contains(&feed(4), 0));
        assert_eq!(expected[&id(3, 1)].size(), 4);
    }

    #[test]
    fn what_relies_on_an_unknown_entry_is_left_out_with_all_that_follows() {
        let links = [link(1, 0, vec![]), link(1, 1, vec![id(9, 9)]), link(1, 2, vec![])];
        assert_eq!(pasts(&links).into_keys().collect::<Vec<_>>(), [id(1, 0)]);
    }
}
