//! Stage 6 of 8: apply. From `engine::apply`; to `replay`.
//!
//! What is held about one artefact, gathered from what is durable: its entries, whether each stands
//! and is settled, and what members acknowledged.
//!
//! *Bounds.* Of one chain of a feed as many entries and as many bytes of payloads as
//! [`crate::limits`] says; what is beyond has no effect anywhere, so nobody can make others read
//! without end.
//!
//! Needs no engine: a view of the board and a snapshot of the store, not older than the view, are enough.

use alloc::{
    collections::{BTreeMap, btree_map},
    vec::Vec,
};

use super::{
    audience::ArtefactRecord,
    received,
    tables::{BranchNo, Reader, Table, after_prefix, place_key, placed_key, read_placed_key},
    view::{BoardView, FeedView},
};
use crate::{
    decision::Written,
    feed::{Header, Kind, Sealed},
    hash::{ArtefactId, EntryId, FeedId},
    limits::{ARTEFACT_BYTES_MAX, ARTEFACT_ENTRIES_MAX},
    replay::{Content, Dossier, Entry},
};

/// Rows that are read at a time.
const PAGE: usize = 1_000;

impl Dossier {
    /// Gathers what is held about an artefact; `None` while its opening has not come.
    ///
    /// Acknowledgements are read only as far as the closings of votes need them; all of them if
    /// `with_acks` asks for that, which costs time that grows with the board's age.
    #[must_use]
    pub fn gather(
        reader: &dyn Reader,
        view: &BoardView,
        artefact: &ArtefactId,
        with_acks: bool,
    ) -> Option<Self> {
        let record = ArtefactRecord::read(reader, &view.board, artefact)?;
        let opener = record.opener();
        let first = record.first?;
        let mut said = Said::default();
        let places = places(reader, artefact).into_iter();
        let entries = places.filter_map(|place| entry(reader, view, artefact, place, &mut said));
        let entries = each_once(entries);
        let closings = entries.iter().filter(|one| one.kind == Kind::CLOSE);
        let closings: Vec<_> = closings.map(|one| (one.feed, one.by.seq)).collect();
        let size = |(id, feed): (&FeedId, &FeedView)| (*id, (feed.descriptor.org, feed.shared()));
        Some(Self {
            board: view.board,
            artefact: *artefact,
            opener,
            kind: first.kind,
            schema_version: first.schema_version,
            feeds: view.feeds.iter().map(size).collect(),
            acknowledged: match with_acks {
                true => received::all(reader, view),
                false => received::beside(reader, view, &closings),
            },
            entries,
        })
    }
}

/// Where the entries stand, chain by chain: of what is stored of each the first [`ARTEFACT_ENTRIES_MAX`].
fn places(reader: &dyn Reader, artefact: &ArtefactId) -> Vec<(FeedId, BranchNo, u64)> {
    let prefix = artefact.as_bytes();
    let end = after_prefix(prefix).unwrap_or_default();
    let mut places = Vec::new();
    let (mut next, mut chain, mut count) = (prefix.to_vec(), None, 0);
    loop {
        let rows = reader.scan(Table::Placed, &next, &end, PAGE);
        let Some((last, _)) = rows.last() else { return places };
        next = [last, &[0][..]].concat();
        for (key, _) in &rows {
            let Some(place @ (feed, branch, _)) = read_placed_key(key) else { continue };
            count = if chain == Some((feed, branch)) { count + 1 } else { 1 };
            chain = Some((feed, branch));
            if count > ARTEFACT_ENTRIES_MAX {
                let of_chain = placed_key(artefact, &feed, branch, u64::MAX);
                next = [&of_chain[..], &[0]].concat();
                break;
            }
            places.push(place);
        }
    }
}

/// What a history of a feed has said about the artefact so far. Above a fork it is counted from the
/// beginning of the feed too, so it is the same whichever chain a node saw first.
#[derive(Default)]
struct Said {
    chain: Option<(FeedId, BranchNo)>,
    /// The first chain of the feed: what it has said up to which seq.
    trunk: Vec<(u64, SoFar)>,
    so_far: SoFar,
}

/// Entries, bytes of their payloads, and the last of them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct SoFar {
    entries: usize,
    bytes: u64,
    last: Option<EntryId>,
}

impl Said {
    /// Counts the next entry of a chain that is stored from `start` on; gives what was said before it.
    fn count(
        &mut self,
        (feed, branch, seq): (FeedId, BranchNo, u64),
        start: u64,
        (entry, len): (EntryId, u64),
    ) -> SoFar {
        if self.chain != Some((feed, branch)) {
            if self.chain.is_none_or(|(before, _)| before != feed) {
                self.trunk.clear();
            }
            self.chain = Some((feed, branch));
            let shared = self.trunk.iter().take_while(|(seq, _)| *seq < start);
            self.so_far = shared.last().map_or_else(SoFar::default, |(_, so_far)| *so_far);
        }
        let before = self.so_far;
        self.so_far = SoFar {
            entries: before.entries.saturating_add(1),
            bytes: before.bytes.saturating_add(len),
            last: Some(entry),
        };
        if branch == 0 {
            self.trunk.push((seq, self.so_far));
        }
        before
    }
}

/// Chains store what they have in common more than once; an entry stands as it does on the chain
/// that stands.
fn each_once(entries: impl Iterator<Item = Entry>) -> Vec<Entry> {
    let mut once: BTreeMap<EntryId, Entry> = BTreeMap::new();
    let rank = |one: &Entry| (one.by.settled, one.by.may_count(), one.is_kept);
    for one in entries {
        match once.entry(one.by.entry) {
            btree_map::Entry::Vacant(free) => {
                free.insert(one);
            }
            btree_map::Entry::Occupied(mut held) if rank(held.get()) < rank(&one) => {
                held.insert(one);
            }
            btree_map::Entry::Occupied(_) => {}
        }
    }
    once.into_values().collect()
}

fn entry(
    reader: &dyn Reader,
    view: &BoardView,
    artefact: &ArtefactId,
    (feed, branch, seq): (FeedId, BranchNo, u64),
    said: &mut Said,
) -> Option<Entry> {
    let of = view.feeds.get(&feed)?;
    let place = place_key(&feed, branch, seq);
    let bytes = reader.get(Table::Headers, &place)?;
    let header = Header::from_bytes(&bytes).ok()?;
    if header.artefact != Some(*artefact) {
        return None;
    }
    let chain = of.chains.iter().find(|chain| chain.branch == branch);
    let start = chain.map_or(0, |chain| chain.start);
    let id = Header::id_of(&bytes);
    let before = said.count((feed, branch, seq), start, (id, header.payload_len));
    if before.entries >= ARTEFACT_ENTRIES_MAX {
        return None;
    }
    let is_within = before.bytes.saturating_add(header.payload_len) <= ARTEFACT_BYTES_MAX;
    let sealed = reader.get(Table::Payloads, &place).filter(|_| is_within);
    let content = match sealed.and_then(|bytes| Sealed::from_bytes(&bytes).ok()) {
        _ if !is_within => Content::Beyond,
        Some(sealed) => Content::Here(sealed),
        None if reader.get(Table::Missing, &place).is_some() => Content::Due,
        None => Content::Withheld,
    };
    let (standing, settled) = of.standing_of(reader, &feed, (branch, seq));
    let is_kept = of.keeps(branch, seq);
    let by = Written {
        entry: id,
        org: of.descriptor.org,
        epoch: of.descriptor.epoch,
        seq,
        at: header.t,
        charter: header.charter,
        settled,
        standing,
    };
    let after = before.last;
    Some(Entry { by, feed, kind: header.kind, refs: header.refs, content, is_kept, after })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One node saw the one history first, another the other: both count alike.
    #[test]
    fn what_a_history_says_is_counted_from_the_beginning_of_its_feed() {
        let feed = FeedId::from_bytes([1; 32]);
        let other = FeedId::from_bytes([2; 32]);
        let mut said = Said::default();
        let entry = |number: u8| EntryId::from_bytes([number; 32]);
        let mut count = |feed, branch, seq, start, number| {
            let SoFar { entries, bytes, last } =
                said.count((feed, branch, seq), start, (entry(number), 10));
            (entries, bytes, last)
        };
        let trunk = [(1, 1), (4, 2), (6, 3)].map(|(seq, id)| count(feed, 0, seq, 0, id));
        assert_eq!(trunk, [(0, 0, None), (1, 10, Some(entry(1))), (2, 20, Some(entry(2)))]);
        let above = [(5, 4), (7, 5)].map(|(seq, id)| count(feed, 1, seq, 5, id));
        assert_eq!(above, [(2, 20, Some(entry(2))), (3, 30, Some(entry(4)))]);
        assert_eq!(count(feed, 2, 7, 7, 6), (3, 30, Some(entry(3))));
        assert_eq!(count(other, 0, 3, 0, 7), (0, 0, None));
        assert_eq!(count(other, 1, 3, 0, 8), (0, 0, None));
    }
}
