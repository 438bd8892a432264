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

use alloc::vec::Vec;

use super::{
    audience::ArtefactRecord,
    tables::{BranchNo, Reader, Table, after_prefix, place_key, placed_key, read_placed_key},
    view::{BoardView, FeedStanding, FeedView},
};
use crate::{
    decision::{Standing, Written},
    feed::{Ack, Header, Kind, Sealed},
    hash::{ArtefactId, FeedId},
    limits::{ARTEFACT_BYTES_MAX, ARTEFACT_ENTRIES_MAX},
    replay::{Acknowledged, Content, Dossier, Entry},
};

/// Rows that are read at a time.
const PAGE: usize = 1_000;

impl Dossier {
    /// Gathers what is held about an artefact; `None` while its opening has not come.
    ///
    /// Acknowledgements are read only if something was put to a decision, or if `with_acks` asks for
    /// them: that costs time that grows with all entries of the board.
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
        let mut budget = Budget::default();
        let entries: Vec<Entry> = places(reader, artefact)
            .into_iter()
            .filter_map(|place| entry(reader, view, artefact, place, &mut budget))
            .collect();
        let is_put = entries.iter().any(|one| one.kind == Kind::CLOSE);
        // What is still on its way to disk may not be read yet, so it is not said to be held.
        let size =
            |(id, feed): (&FeedId, &FeedView)| (*id, (feed.descriptor.org, feed.durable_size));
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

/// Where the entries stand, chain by chain: of each chain the first [`ARTEFACT_ENTRIES_MAX`].
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

/// How many bytes of payloads of a chain have been read.
#[derive(Default)]
struct Budget {
    chain: Option<(FeedId, BranchNo)>,
    bytes: u64,
}

impl Budget {
    /// Whether the next payload of this chain is still to be read.
    fn takes(&mut self, chain: (FeedId, BranchNo), len: u64) -> bool {
        if self.chain != Some(chain) {
            *self = Self { chain: Some(chain), bytes: 0 };
        }
        self.bytes = self.bytes.saturating_add(len);
        self.bytes <= ARTEFACT_BYTES_MAX
    }
}

fn entry(
    reader: &dyn Reader,
    view: &BoardView,
    artefact: &ArtefactId,
    (feed, branch, seq): (FeedId, BranchNo, u64),
    budget: &mut Budget,
) -> Option<Entry> {
    let of = view.feeds.get(&feed)?;
    let place = place_key(&feed, branch, seq);
    let bytes = reader.get(Table::Headers, &place)?;
    let header = Header::from_bytes(&bytes).ok()?;
    if header.artefact != Some(*artefact) {
        return None;
    }
    let is_within = budget.takes((feed, branch), header.payload_len);
    let sealed = reader.get(Table::Payloads, &place).filter(|_| is_within);
    let content = match sealed.and_then(|bytes| Sealed::from_bytes(&bytes).ok()) {
        _ if !is_within => Content::Beyond,
        Some(sealed) => Content::Here(sealed),
        None if reader.get(Table::Missing, &place).is_some() => Content::Due,
        None => Content::Withheld,
    };
    let (standing, settled) = of.standing_of(branch, seq);
    let by = Written {
        entry: Header::id_of(&bytes),
        org: of.descriptor.org,
        epoch: of.descriptor.epoch,
        seq,
        at: header.t,
        charter: header.charter,
        settled,
        standing,
    };
    Some(Entry { by, feed, kind: header.kind, refs: header.refs, content })
}

impl FeedView {
    /// Whether an entry of this feed stands, and whether it is settled.
    fn standing_of(&self, branch: BranchNo, seq: u64) -> (Standing, bool) {
        let chain = self.chains.iter().find(|chain| chain.branch == branch);
        let (Some(chain), Some(trunk)) = (chain, self.chains.first()) else {
            return (Standing::Void, false);
        };
        let (index, winner) = match self.standing {
            FeedStanding::Sound | FeedStanding::Superseded => {
                let settled = seq < trunk.settled;
                let stands = settled || seq < self.effective;
                return (if stands { Standing::Stands } else { Standing::Void }, settled);
            }
            FeedStanding::Held { index } | FeedStanding::Halted { index } => (index, None),
            FeedStanding::Won { index, .. } => (index, self.winner),
        };
        if seq < index {
            return (Standing::Stands, seq < trunk.settled || chain.settled > seq);
        }
        // What the winner has in common with the first chain is stored under that one.
        let won = winner.and_then(|no| self.chains.iter().find(|chain| chain.branch == no));
        let won = won.filter(|won| won.branch == branch || (branch == 0 && seq < won.start));
        match (self.standing, won) {
            (FeedStanding::Won { .. }, Some(won)) => {
                (Standing::Forked { branch: won.parted }, seq < won.settled)
            }
            (FeedStanding::Halted { .. }, _) => {
                (Standing::Forked { branch: chain.parted }, seq < chain.settled)
            }
            _ => (Standing::Forked { branch: chain.parted }, false),
        }
    }
}

/// Every acknowledgement that stands, in the order of feeds.
fn acknowledged(reader: &dyn Reader, view: &BoardView) -> Vec<Acknowledged> {
    let mut feeds: Vec<(&FeedId, &FeedView)> = view.feeds.iter().collect();
    feeds.sort_by_key(|(_, feed)| (feed.descriptor.org, feed.descriptor.epoch));
    feeds.into_iter().flat_map(|(id, feed)| acknowledged_in(reader, id, feed)).collect()
}

fn acknowledged_in(reader: &dyn Reader, id: &FeedId, feed: &FeedView) -> Vec<Acknowledged> {
    let (org, epoch) = (feed.descriptor.org, feed.descriptor.epoch);
    let mut found = Vec::new();
    let mut next = 0;
    while next < feed.effective {
        let until = next.saturating_add(PAGE as u64).min(feed.effective);
        let bounds = (place_key(id, 0, next), place_key(id, 0, until));
        for (key, bytes) in reader.scan(Table::Headers, &bounds.0, &bounds.1, PAGE) {
            let is_ack = Header::from_bytes(&bytes).is_ok_and(|one| one.kind == Kind::ACK);
            let Some(seq) = key.last_chunk().map(|seq| u64::from_be_bytes(*seq)) else { continue };
            let sealed = reader.get(Table::Payloads, &key).filter(|_| is_ack);
            let sealed = sealed.and_then(|bytes| Sealed::from_bytes(&bytes).ok());
            let ack = sealed.and_then(|sealed| Ack::from_bytes(sealed.payload.bytes()).ok());
            found.extend(ack.into_iter().flat_map(|ack| ack.0).map(|item| Acknowledged {
                by: org,
                place: (epoch, seq),
                of: item.feed,
                entries: item.complete_through().map_or(0, |last| last.saturating_add(1)),
                received_at: item.received_at,
            }));
        }
        next = until;
    }
    found
}
