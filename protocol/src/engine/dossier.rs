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
    tables::{BranchNo, Reader, Table, after_prefix, place_key, placed_key, read_placed_key},
    view::{BoardView, ChainView, FeedView},
};
use crate::{
    decision::Written,
    feed::{Ack, AckItem, Header, Kind, Sealed},
    hash::{ArtefactId, EntryId, FeedId},
    limits::{ARTEFACT_BYTES_MAX, ARTEFACT_ENTRIES_MAX},
    replay::{Acknowledged, Content, Dossier, Entry, History},
};

/// Rows that are read at a time.
const PAGE: usize = 1_000;

impl Dossier {
    /// Gathers what is held about an artefact; `None` while its opening has not come.
    ///
    /// Acknowledgements are read only if something was put to a decision (somebody may have closed it
    /// where this reader does not see it yet), or if `with_acks` asks for them: that costs time that
    /// grows with the acknowledgements of the board.
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
        let is_put = entries.iter().any(|one| one.kind == Kind::PROPOSAL);
        let size = |(id, feed): (&FeedId, &FeedView)| (*id, (feed.descriptor.org, feed.shared()));
        Some(Self {
            board: view.board,
            artefact: *artefact,
            opener,
            kind: first.kind,
            schema_version: first.schema_version,
            feeds: view.feeds.iter().map(size).collect(),
            acknowledged: if is_put || with_acks { acknowledged(reader, view) } else { Vec::new() },
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
/// that stands, is kept as on any, and is in the histories of all of them.
fn each_once(entries: impl Iterator<Item = Entry>) -> Vec<Entry> {
    let mut once: BTreeMap<EntryId, Entry> = BTreeMap::new();
    let rank = |one: &Entry| (one.by.settled, one.by.may_count());
    for mut one in entries {
        match once.entry(one.by.entry) {
            btree_map::Entry::Vacant(free) => {
                free.insert(one);
            }
            btree_map::Entry::Occupied(mut held) => {
                if rank(held.get()) < rank(&one) {
                    core::mem::swap(held.get_mut(), &mut one);
                }
                held.get_mut().is_kept |= one.is_kept;
                held.get_mut().histories.append(&mut one.histories);
            }
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
    let chains = of.chains.iter().filter(|chain| chain.has((branch, seq)));
    let histories = chains.map(|chain| chain.branch).collect();
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
    let (kind, refs) = (header.kind, header.refs);
    Some(Entry { by, feed, kind, refs, content, is_kept, after, histories })
}

/// Every acknowledgement that counts, in the order of feeds.
fn acknowledged(reader: &dyn Reader, view: &BoardView) -> Vec<Acknowledged> {
    let mut feeds: Vec<(&FeedId, &FeedView)> = view.feeds.iter().collect();
    feeds.sort_by_key(|(_, feed)| (feed.descriptor.org, feed.descriptor.epoch));
    feeds.into_iter().flat_map(|(id, feed)| acknowledged_in(reader, view, (id, feed))).collect()
}

/// Of each chain as much as counts for settlement: above a fork, and beyond the end of an epoch, as far
/// as somebody else acknowledged it. With less, what is settled could cease to be in time.
fn acknowledged_in(
    reader: &dyn Reader,
    view: &BoardView,
    (id, feed): (&FeedId, &FeedView),
) -> Vec<Acknowledged> {
    let first = feed.chains.first().map_or(0, |first| first.heard);
    let mut found = Vec::new();
    for chain in &feed.chains {
        let shared = if chain.branch == 0 { first } else { first.min(chain.start) };
        let from = (id, feed, chain.branch);
        found.extend(acknowledged_between(reader, view, from, (0, 0, shared)));
        if chain.branch != 0 {
            let above = (chain.branch, chain.start, chain.heard);
            found.extend(acknowledged_between(reader, view, from, above));
        }
    }
    found
}

/// What stands between two places of a chain, which is stored under this number.
fn acknowledged_between(
    reader: &dyn Reader,
    view: &BoardView,
    (id, feed, history): (&FeedId, &FeedView, History),
    (branch, from, to): (BranchNo, u64, u64),
) -> Vec<Acknowledged> {
    let (org, epoch) = (feed.descriptor.org, feed.descriptor.epoch);
    let mut found = Vec::new();
    let mut next = place_key(id, branch, from);
    let end = place_key(id, branch, to);
    while next < end {
        let rows = reader.scan(Table::AckPlaces, &next, &end, PAGE);
        let Some((last, _)) = rows.last() else { break };
        next = [&last[..], &[0]].concat();
        for (key, _) in &rows {
            let Some(seq) = key.last_chunk().map(|seq| u64::from_be_bytes(*seq)) else { continue };
            let sealed = reader.get(Table::Payloads, key);
            let sealed = sealed.and_then(|bytes| Sealed::from_bytes(&bytes).ok());
            let ack = sealed.and_then(|sealed| Ack::from_bytes(sealed.payload.bytes()).ok());
            let of_others = |item: &AckItem| {
                let of = view.feeds.get(&item.feed);
                of.is_none_or(|of| of.descriptor.org != org)
            };
            let items = ack.into_iter().flat_map(|ack| ack.0).filter(of_others);
            found.extend(items.map(|item| Acknowledged {
                by: org,
                feed: *id,
                history,
                place: (epoch, seq),
                of: item.feed,
                on: held_on(reader, view, &item),
                entries: item.complete_through().map_or(0, |last| last.saturating_add(1)),
                received_at: item.received_at,
            }));
        }
    }
    found
}

/// The history on which the reader holds the entry that an acknowledgement names.
fn held_on(reader: &dyn Reader, view: &BoardView, item: &AckItem) -> Option<History> {
    let of = view.feeds.get(&item.feed)?;
    if let [only] = of.chains.as_slice()
        && of.unexplained.is_empty()
    {
        return (item.seq < of.durable_size).then_some(only.branch);
    }
    let holds = |chain: &&ChainView| {
        let stored_under = if item.seq < chain.start { 0 } else { chain.branch };
        let key = place_key(&item.feed, stored_under, item.seq);
        reader.get(Table::Headers, &key).is_some_and(|bytes| Header::id_of(&bytes) == item.id)
    };
    of.chains.iter().find(holds).map(|chain| chain.branch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codec::Fixed,
        engine::tables::Row,
        engine::{
            standing::tests::{chain, view},
            view::{ChainView, FeedStanding},
        },
        feed::Salted,
        hash::BoardId,
        time::TimeMs,
    };
    use alloc::vec;

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

    struct Rows(BTreeMap<(Table, Vec<u8>), Vec<u8>>);

    impl Reader for Rows {
        fn get(&self, table: Table, key: &[u8]) -> Option<Vec<u8>> {
            self.0.get(&(table, key.to_vec())).cloned()
        }

        fn scan(&self, table: Table, from: &[u8], to: &[u8], limit: usize) -> Vec<Row> {
            let rows = self.0.range((table, from.to_vec())..(table, to.to_vec())).take(limit);
            rows.map(|((_, key), value)| (key.clone(), value.clone())).collect()
        }
    }

    /// An acknowledgement of so many entries of another feed, as it is stored.
    fn ack_row(feed: FeedId, branch: BranchNo, seq: u64, entries: u64) -> [Stored; 2] {
        let item = AckItem {
            feed: FeedId::from_bytes([4; 32]),
            seq: entries - 1,
            id: EntryId::NONE,
            payloads_through: entries - 1,
            missing: vec![],
            received_at: TimeMs(0),
        };
        let payload = Salted::new(Fixed([7; 16]), Ack(vec![item]).to_bytes());
        let sealed = Sealed { payload, attribution: None };
        let key = place_key(&feed, branch, seq);
        [((Table::AckPlaces, key.clone()), vec![]), ((Table::Payloads, key), sealed.to_bytes())]
    }

    type Stored = ((Table, Vec<u8>), Vec<u8>);

    fn board(feeds: Vec<(FeedId, FeedView)>) -> BoardView {
        BoardView {
            board: BoardId::from_bytes([0; 32]),
            digest: Fixed([0; 32]),
            own: FeedId::from_bytes([0; 32]),
            feeds: feeds.into_iter().collect(),
            drafts: 0,
            is_restoring: false,
        }
    }

    /// Above a fork everything counts that somebody else acknowledged, on every chain, settled or not: so
    /// it does for settlement, and a late fork must not undo what was in time.
    #[test]
    fn acknowledgements_are_read_from_every_chain_as_far_as_they_count() {
        let feed = FeedId::from_bytes([3; 32]);
        let rows = [(0, 1, 2), (0, 2, 9), (0, 3, 10), (1, 2, 4), (1, 3, 5)];
        let rows = rows.map(|(branch, seq, entries)| ack_row(feed, branch, seq, entries));
        let rows = Rows(rows.into_iter().flatten().collect());
        let held = FeedStanding::Held { index: 2 };
        let trunk = ChainView { heard: 3, ..chain(0, 3) };
        let other = ChainView { start: 2, heard: 3, ..chain(1, 3) };
        let view = FeedView { effective: 2, ..view(held, vec![trunk, other]) };
        let board = board(vec![(feed, view.clone())]);
        let found = acknowledged_in(&rows, &board, (&feed, &view));
        let told: Vec<_> =
            found.iter().map(|one| (one.history, one.place.1, one.entries)).collect();
        assert_eq!(told, [(0, 1, 2), (0, 2, 9), (1, 1, 2), (1, 2, 4)]);
    }
}
