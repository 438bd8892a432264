//! Stage 6 of 8: apply. From `engine::apply`; to `engine::dossier`.
//!
//! What members say to have received, and when: their acknowledgements, by the place where each
//! stands in its author's feed.
//!
//! ```text
//! key    by feed 32 ‖ branch u16 ‖ of feed 32 ‖ !seq u64      a scan meets the last one first
//! value  [ entries, received at ms, most ]                    most: entries of this row or any before
//!
//! until "seq 8", how much of a feed is covered?    one row: the first at !8 or after
//! which is the first that covers entry 5?          halving, since `most` never falls
//! ```
//!
//! Whether a vote is in time rests on how much everybody had acknowledged before a closing. So an
//! artefact is read in a time that does not grow with the age of its board.
//!
//! *Invariants.* `most` is the same whatever the order in which payloads came. Rows of entries that
//! do not stand are never read: places are bounded by what has effect.
//!
//! Private to one node: never signed, never sent. Source: ours, `decision::timing`.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{
    Engine, Step,
    tables::{
        BranchNo, Reader, Row, Table, after_prefix, read_received_key, received_key,
        received_prefix,
    },
    view::{BoardView, FeedView},
};
use crate::{
    codec::{self, Malformed},
    feed::{Ack, AckItem},
    hash::{FeedId, OrgId},
    limits::KIB,
    replay::Acknowledged,
    time::TimeMs,
};

/// Rows that are read at a time.
const PAGE: usize = 1_000;

/// What one acknowledgement says of one feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Received {
    /// How many entries, from the first, are held with the payloads due.
    entries: u64,
    /// When the last of them was received, by the author's clock.
    at: TimeMs,
    /// The most entries that this row or one before it says.
    most: u64,
}

impl Received {
    fn to_bytes(self) -> Vec<u8> {
        codec::encode(&(self.entries, self.at, self.most))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let (entries, at, most) = codec::decode(bytes, "received row", KIB)?;
        Ok(Self { entries, at, most })
    }
}

impl Engine {
    /// Notes what the acknowledgement at a place of a chain says.
    pub(super) fn note_received(
        &mut self,
        step: &Step<'_>,
        at: (FeedId, BranchNo, u64),
        ack: &Ack,
    ) {
        for item in &ack.0 {
            let scan = |from: &[u8], to: &[u8], limit: usize| {
                self.pending.scan(step.reader, Table::Received, (from, to), limit)
            };
            for (key, value) in rows_of(at, item, scan) {
                self.pending.put(Table::Received, key, value);
            }
        }
    }
}

/// The row of one item, and those after it that it changes: of payloads that come apart, a later one
/// may come first.
fn rows_of(
    (by, no, seq): (FeedId, BranchNo, u64),
    item: &AckItem,
    scan: impl Fn(&[u8], &[u8], usize) -> Vec<Row>,
) -> Vec<Row> {
    let key = |seq| received_key(&by, no, &item.feed, seq);
    let entries = entries_of(item);
    let before = seq.checked_sub(1).and_then(|last| {
        let end = [&key(0)[..], &[0]].concat();
        let (_, bytes) = scan(&key(last), &end, 1).pop()?;
        Received::from_bytes(&bytes).ok()
    });
    let most = before.map_or(entries, |before| before.most.max(entries));
    let mut rows =
        Vec::from([(key(seq), Received { entries, at: item.received_at, most }.to_bytes())]);
    for (later, bytes) in scan(&key(u64::MAX), &key(seq), usize::MAX) {
        let Ok(row) = Received::from_bytes(&bytes) else { continue };
        if row.most < entries {
            rows.push((later, Received { most: entries, ..row }.to_bytes()));
        }
    }
    rows
}

fn entries_of(item: &AckItem) -> u64 {
    item.complete_through().map_or(0, |last| last.saturating_add(1))
}

/// Every acknowledgement that stands, in the order of feeds.
pub(super) fn all(reader: &dyn Reader, view: &BoardView) -> Vec<Acknowledged> {
    chains(reader, view).iter().flat_map(Chain::all).collect()
}

/// As much of it as tells how far everybody's acknowledgements had come when each first named one of
/// these entries, or have come by now if it names none: what the timing of votes rests on.
pub(super) fn beside(
    reader: &dyn Reader,
    view: &BoardView,
    closings: &[(FeedId, u64)],
) -> Vec<Acknowledged> {
    if closings.is_empty() {
        return Vec::new();
    }
    let chains = chains(reader, view);
    let mut limits: BTreeMap<OrgId, BTreeSet<(u64, u64)>> = BTreeMap::new();
    for chain in &chains {
        let firsts = closings.iter().filter_map(|closing| chain.first_that_names(closing));
        limits.entry(chain.org).or_default().extend(firsts.map(|seq| (chain.epoch, seq)));
    }
    let mut found = Vec::new();
    for chain in &chains {
        let ends = chain.ends(limits.get(&chain.org).into_iter().flatten());
        for of in view.feeds.keys() {
            found.extend(ends.iter().filter_map(|end| chain.until(of, *end)));
        }
    }
    found
}

/// The chain of a feed that stands, as far as it has effect.
struct Chain<'a> {
    reader: &'a dyn Reader,
    id: FeedId,
    org: OrgId,
    epoch: u64,
    end: u64,
    /// Under which number it is stored, from where and to where.
    parts: Vec<(BranchNo, u64, u64)>,
}

/// In the order of feeds.
fn chains<'a>(reader: &'a dyn Reader, view: &BoardView) -> Vec<Chain<'a>> {
    let mut feeds: Vec<(&FeedId, &FeedView)> = view.feeds.iter().collect();
    feeds.sort_by_key(|(_, feed)| (feed.descriptor.org, feed.descriptor.epoch));
    feeds.into_iter().map(|(id, feed)| Chain::of(reader, *id, feed)).collect()
}

impl<'a> Chain<'a> {
    /// Above a fork it need not be the first.
    fn of(reader: &'a dyn Reader, id: FeedId, feed: &FeedView) -> Self {
        let won = feed.chains.iter().find(|chain| Some(chain.branch) == feed.winner);
        let end = feed.effective;
        let parts_at = won.map_or(u64::MAX, |won| won.start).min(end);
        let mut parts = Vec::from([(0, 0, parts_at)]);
        parts.extend(won.map(|won| (won.branch, parts_at, end)));
        let (org, epoch) = (feed.descriptor.org, feed.descriptor.epoch);
        Self { reader, id, org, epoch, end, parts }
    }

    fn all(&self) -> Vec<Acknowledged> {
        let mut found = Vec::new();
        for &(no, from, to) in &self.parts {
            let mut next = received_prefix(&self.id, no);
            let end = after_prefix(&next).unwrap_or_default();
            loop {
                let rows = self.reader.scan(Table::Received, &next, &end, PAGE);
                let Some((last, _)) = rows.last() else { break };
                next = [&last[..], &[0]].concat();
                let stands = |one: &Acknowledged| (from..to).contains(&one.place.1);
                found.extend(rows.iter().filter_map(|row| self.read(row)).filter(stands));
            }
        }
        found
    }

    fn read(&self, (key, bytes): &Row) -> Option<Acknowledged> {
        let (of, seq) = read_received_key(key)?;
        let Received { entries, at, .. } = Received::from_bytes(bytes).ok()?;
        Some(Acknowledged { by: self.org, place: (self.epoch, seq), of, entries, received_at: at })
    }

    /// What it says of a feed below a place: the last item, with the most entries that it or one before
    /// it covers.
    fn until(&self, of: &FeedId, before: u64) -> Option<Acknowledged> {
        let last = |(no, from, to): &(BranchNo, u64, u64)| {
            let seq = before.min(*to).checked_sub(1).filter(|seq| seq >= from)?;
            let begin = received_key(&self.id, *no, of, seq);
            let end = [&received_key(&self.id, *no, of, *from)[..], &[0]].concat();
            let row = self.reader.scan(Table::Received, &begin, &end, 1).pop()?;
            let most = Received::from_bytes(&row.1).ok()?.most;
            Some(Acknowledged { entries: most, ..self.read(&row)? })
        };
        let parts = self.parts.iter().filter_map(last);
        parts.reduce(|one, next| Acknowledged { entries: one.entries.max(next.entries), ..next })
    }

    /// Where it first covers an entry of a feed.
    fn first_that_names(&self, (of, seq): &(FeedId, u64)) -> Option<u64> {
        let names = |before| self.until(of, before).is_some_and(|one| one.entries > *seq);
        if !names(self.end) {
            return None;
        }
        let (mut none, mut some) = (0, self.end);
        while some.saturating_sub(none) > 1 {
            let middle = none.midpoint(some);
            if names(middle) { some = middle } else { none = middle }
        }
        some.checked_sub(1)
    }

    /// The sizes of this chain that correspond to places in the feeds of its organisation, and all of it.
    fn ends<'b>(&self, limits: impl Iterator<Item = &'b (u64, u64)>) -> BTreeSet<u64> {
        let end = |(epoch, seq): &(u64, u64)| match epoch.cmp(&self.epoch) {
            core::cmp::Ordering::Less => 0,
            core::cmp::Ordering::Equal => seq.saturating_add(1).min(self.end),
            core::cmp::Ordering::Greater => self.end,
        };
        limits.map(end).chain([self.end]).filter(|end| *end > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codec::Fixed,
        engine::view::{ChainView, FeedStanding},
        feed::Descriptor,
        hash::{BoardId, EntryId},
        identity::{KeyPair, Signer},
    };
    use alloc::vec;
    use proptest::prelude::*;

    #[derive(Default)]
    struct Rows(BTreeMap<Vec<u8>, Vec<u8>>);

    impl Reader for Rows {
        fn get(&self, _: Table, key: &[u8]) -> Option<Vec<u8>> {
            self.0.get(key).cloned()
        }

        fn scan(&self, _: Table, from: &[u8], to: &[u8], limit: usize) -> Vec<Row> {
            let rows = self.0.range(from.to_vec()..to.to_vec()).take(limit);
            rows.map(|(key, value)| (key.clone(), value.clone())).collect()
        }
    }

    impl Rows {
        fn note(&mut self, at: (FeedId, BranchNo, u64), of: FeedId, entries: u64) {
            let item = AckItem {
                feed: of,
                seq: entries.saturating_sub(1),
                id: EntryId::NONE,
                payloads_through: entries.saturating_sub(1),
                // Nothing is covered whose only payload is missing.
                missing: if entries == 0 { vec![0] } else { vec![] },
                received_at: TimeMs(at.2),
            };
            let rows =
                rows_of(at, &item, |from, to, limit| self.scan(Table::Received, from, to, limit));
            self.0.extend(rows);
        }
    }

    fn feed(number: u8) -> FeedId {
        FeedId::from_bytes([number; 32])
    }

    /// A feed of an organisation of the same number, of which so many entries have effect.
    fn sound(number: u8, effective: u64) -> FeedView {
        let key = KeyPair::from_seed(&[1; 32]).public();
        let (board, org) = (BoardId::from_bytes([0; 32]), OrgId::from_bytes([number; 32]));
        FeedView {
            descriptor: Descriptor { board, org, epoch: 0, key },
            size: effective,
            id: EntryId::NONE,
            durable_size: effective,
            durable_id: None,
            settled: 0,
            missing: 0,
            standing: FeedStanding::Sound,
            effective,
            chains: vec![chain(0, 0)],
            winner: None,
            unexplained: BTreeMap::new(),
            odd_times: Default::default(),
            acknowledged_both: vec![],
        }
    }

    fn chain(branch: BranchNo, start: u64) -> ChainView {
        ChainView {
            branch,
            start,
            settled: 0,
            acknowledged: 0,
            parted: EntryId::NONE,
            disputed: None,
        }
    }

    fn view(feeds: impl IntoIterator<Item = (FeedId, FeedView)>) -> BoardView {
        BoardView {
            board: BoardId::from_bytes([0; 32]),
            digest: Fixed([0; 32]),
            own: feed(0),
            feeds: feeds.into_iter().collect(),
            drafts: 0,
            is_restoring: false,
        }
    }

    fn told(found: &[Acknowledged]) -> Vec<(u64, u64)> {
        found.iter().map(|one| (one.place.1, one.entries)).collect()
    }

    /// The node saw the chain that lost first: what its author acknowledged there does not count.
    #[test]
    fn acknowledgements_are_read_from_the_chain_that_stands() {
        let mut rows = Rows::default();
        for (no, seq, entries) in [(0, 1, 2), (0, 2, 9), (1, 2, 4)] {
            rows.note((feed(3), no, seq), feed(4), entries);
        }
        let forked = FeedView {
            standing: FeedStanding::Won { index: 2, entry: EntryId::NONE },
            winner: Some(1),
            chains: vec![chain(0, 0), chain(1, 2)],
            ..sound(3, 3)
        };
        let view = view([(feed(3), forked), (feed(4), sound(4, 9))]);
        assert_eq!(told(&all(&rows, &view)), [(1, 2), (2, 4)]);
        assert_eq!(told(&beside(&rows, &view, &[(feed(4), 1)])), [(1, 2), (2, 4)]);
        assert_eq!(told(&beside(&rows, &view, &[(feed(4), 3)])), [(2, 4)]);
        assert_eq!(told(&beside(&rows, &view, &[])), []);
    }

    /// Where each organisation first names one of the entries, and how much of each feed it covers
    /// until then.
    type Timing = BTreeMap<u8, (Option<(u64, u64)>, BTreeMap<FeedId, u64>)>;

    /// As the timing of votes works it out from whatever it is given.
    fn timing(found: &[Acknowledged], closings: &[(FeedId, u64)]) -> Timing {
        let mut timing = Timing::new();
        for org in 1..4 {
            let own = || found.iter().filter(|one| one.by == OrgId::from_bytes([org; 32]));
            let names = |one: &&Acknowledged| {
                closings.iter().any(|(of, seq)| one.of == *of && one.entries > *seq)
            };
            let first = own().filter(names).map(|one| one.place).min();
            let mut covered = BTreeMap::new();
            for one in own().filter(|one| first.is_none_or(|first| one.place <= first)) {
                let most = covered.entry(one.of).or_insert(0);
                *most = one.entries.max(*most);
            }
            timing.insert(org, (first, covered));
        }
        timing
    }

    proptest! {
        /// Members acknowledge more and less, payloads come in any order, and of each feed another
        /// part has effect: what is read for votes says as much as all of it.
        #[test]
        fn a_part_says_as_much_as_all(
            said in proptest::collection::btree_map((1u8..4, 0u64..12, 1u8..4), 0u64..9, 0..60),
            seed in any::<u64>(),
            effective in [0u64..13, 0u64..13, 0u64..13],
            closings in proptest::collection::vec((1u8..4, 0u64..9), 1..3),
        ) {
            let mut said: Vec<_> = said.into_iter().collect();
            said.sort_by_key(|((by, seq, of), _)| {
                (seed ^ (seq * 31 + u64::from(*by) * 7 + u64::from(*of))).wrapping_mul(0x9e37_79b9)
            });
            let mut rows = Rows::default();
            for ((by, seq, of), entries) in said {
                rows.note((feed(by), 0, seq), feed(of), entries);
            }
            let feeds = [1, 2, 3].into_iter().zip(effective);
            let view = view(feeds.map(|(number, size)| (feed(number), sound(number, size))));
            let closings: Vec<_> =
                closings.into_iter().map(|(of, seq)| (feed(of), seq)).collect();
            let (whole, part) = (all(&rows, &view), beside(&rows, &view, &closings));
            // Proposals have closings of their own.
            for some in [&closings[..], &closings[..1], &closings[1..]] {
                if !some.is_empty() {
                    prop_assert_eq!(timing(&part, some), timing(&whole, some));
                }
            }
        }
    }
}
