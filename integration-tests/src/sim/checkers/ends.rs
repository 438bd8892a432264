//! What counts beyond an end, worked out from the entries on a disk alone.
//!
//! ```text
//! openings on the disk ─▶ which feeds stand, and where each ends ─┐
//! proofs on the disk   ─▶ below which index forked feeds stand   ─┴─▶ what counts alone
//!     ▲                                                                     │
//!     └── acknowledgements that count make entries of others count ◀────────┘      until nothing changes
//! ```
//!
//! From the acknowledgements that count follows how much of each feed is settled, and of a feed with
//! one history how much has effect. A node must show the same.
//!
//! Nothing here asks an engine or its tables of acknowledgements and evidence.

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{
    engine::{FeedStanding, Table, place_key},
    feed::{Ack, Evidence, Header, Kind, OpenFeed, Sealed},
    hash::{EntryId, FeedId},
};

use super::{
    super::disk::{Disk, read_place},
    Checker, Facts, Seen, Verdict, Violation,
};

/// How much of a feed is settled, and how much of it has effect by these openings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) struct Extents {
    pub(in crate::sim) settled: u64,
    pub(in crate::sim) effective: u64,
}

/// One history of a feed, from entry 0 on.
struct Chain {
    feed: FeedId,
    ids: Vec<EntryId>,
    /// Acknowledged entries with the number of entries complete, by the place of the acknowledgement.
    acks: Vec<(usize, FeedId, (u64, EntryId), u64)>,
}

/// By which right a feed was opened, and where it says that the epoch before ended.
struct Opening {
    feed: FeedId,
    org: usize,
    epoch: u64,
    is_by_recovery: bool,
    /// The feed whose key warrants it, if it is one of these.
    after: Option<FeedId>,
    end: Option<(u64, EntryId)>,
}

/// All that is read from a disk.
struct Board<'a> {
    facts: &'a Facts,
    chains: Vec<Chain>,
    openings: Vec<Opening>,
    forks: BTreeMap<FeedId, u64>,
}

/// Compares what a node shows with what follows from the entries that it holds.
pub(super) fn after_healing(facts: &Facts, seen: Seen<'_>) -> Verdict {
    let due = extents(facts, seen.disk, true);
    for (id, feed) in seen.views.iter().flat_map(|view| &view.feeds) {
        let Some(due) = due.get(id) else { continue };
        let is_forked = fork_of(feed.standing).is_some();
        let effective = if is_forked { due.effective } else { feed.effective };
        let shown = Extents { settled: feed.settled, effective };
        if shown != *due {
            let standing = feed.standing;
            let sentence = format!(
                "node {} shows {shown:?} of {id:?} ({standing:?}), its entries say {due:?}",
                seen.node
            );
            return Err(Violation { checker: Checker::Ends, sentence });
        }
    }
    Ok(())
}

const fn fork_of(standing: FeedStanding) -> Option<u64> {
    match standing {
        FeedStanding::Sound | FeedStanding::Superseded => None,
        FeedStanding::Held { index }
        | FeedStanding::Won { index, .. }
        | FeedStanding::Halted { index } => Some(index),
    }
}

/// What follows from the entries on a disk for each feed; as if no feed ever ended, on demand.
pub(in crate::sim) fn extents(
    facts: &Facts,
    disk: &Disk,
    heeds_ends: bool,
) -> BTreeMap<FeedId, Extents> {
    let mut board = Board::read(facts, disk);
    if !heeds_ends {
        board.openings.clear();
    }
    let counts = board.what_counts();
    let feeds: BTreeSet<FeedId> = board.chains.iter().map(|chain| chain.feed).collect();
    let settled: BTreeMap<FeedId, u64> =
        feeds.iter().map(|feed| (*feed, board.settled(feed, &counts))).collect();
    let is_halted = |feed: &FeedId| {
        let is_settled = |rival: &FeedId| settled.get(rival).is_some_and(|size| *size > 0);
        is_settled(feed) && board.rivals(feed).iter().any(is_settled)
    };
    let extents = |feed: &FeedId| {
        let first = board.chains.iter().find(|chain| chain.feed == *feed);
        let alone = first.map_or(0, |chain| board.alone(chain)) as u64;
        let settled = settled.get(feed).copied().unwrap_or(0);
        let effective = if is_halted(feed) { alone } else { settled.max(alone) };
        (*feed, Extents { settled, effective })
    };
    feeds.iter().map(extents).collect()
}

/// Whether a feed that a disk holds stands, has one history, and does not end.
pub(super) fn stands(facts: &Facts, disk: &Disk, feed: &FeedId) -> bool {
    let board = Board::read(facts, disk);
    let limit = |chain: &Chain| board.limit(chain);
    board.chains.iter().any(|chain| chain.feed == *feed && limit(chain) == u64::MAX)
}

impl<'a> Board<'a> {
    fn read(facts: &'a Facts, disk: &Disk) -> Self {
        let mut headers: BTreeMap<(FeedId, u16), BTreeMap<u64, (EntryId, Header)>> =
            BTreeMap::new();
        for (key, bytes) in disk.rows(Table::Headers) {
            if let (Some((feed, no, seq)), Ok(header)) =
                (read_place(key), Header::from_bytes(bytes))
            {
                let row = (Header::id_of(bytes), header);
                headers.entry((feed, no)).or_default().insert(seq, row);
            }
        }
        let mut board = Self { facts, chains: vec![], openings: vec![], forks: BTreeMap::new() };
        let mut openings = Vec::new();
        for ((feed, no), own) in &headers {
            let start = own.keys().next().copied().unwrap_or(0);
            let below = headers.get(&(*feed, 0)).into_iter().flat_map(|rows| rows.range(..start));
            let below = below.map(|(seq, row)| (0, *seq, row));
            let all = below.chain(own.iter().map(|(seq, row)| (*no, *seq, row)));
            let mut chain = Chain { feed: *feed, ids: vec![], acks: vec![] };
            for (no, seq, (id, header)) in all {
                chain.ids.push(*id);
                let payload = disk.row(Table::Payloads, &place_key(feed, no, seq));
                let sealed = payload.and_then(|bytes| Sealed::from_bytes(bytes).ok());
                let Some(sealed) = sealed else { continue };
                let payload = sealed.payload.bytes();
                match header.kind {
                    Kind::ACK => chain.read_ack(seq, payload),
                    Kind::EVIDENCE => board.read_evidence(payload),
                    Kind::OPEN_FEED => openings.extend(OpenFeed::from_bytes(payload)),
                    _ => {}
                }
            }
            board.chains.push(chain);
        }
        board.read_openings(&openings);
        board
    }

    fn read_evidence(&mut self, payload: &[u8]) {
        if let Ok(Evidence::Fork(proof)) = Evidence::from_bytes(payload) {
            let index = self.forks.entry(proof.descriptor().feed_id()).or_insert(u64::MAX);
            *index = proof.index().min(*index);
        }
    }

    fn read_openings(&mut self, openings: &[OpenFeed]) {
        for opening in openings {
            let feed = opening.descriptor.feed_id();
            let Some(org) = self.facts.feeds.get(&feed).copied() else { continue };
            let is_prior = |other: &&OpenFeed| {
                other.descriptor.org == opening.descriptor.org
                    && opening.warrants.iter().any(|warrant| warrant.key == other.descriptor.key)
                    && other.descriptor.key != opening.descriptor.key
            };
            let after = openings.iter().find(is_prior).map(|other| other.descriptor.feed_id());
            self.openings.push(Opening {
                feed,
                org,
                epoch: opening.descriptor.epoch,
                is_by_recovery: opening.is_by_recovery(),
                after,
                end: opening.end.map(|end| (end.0, end.1)),
            });
        }
    }

    /// Whether the recovery key took the feed's place, or that of one before it.
    fn is_superseded(&self, feed: &FeedId) -> bool {
        let Some(own) = self.openings.iter().find(|own| own.feed == *feed) else { return false };
        let beats = |other: &Opening| {
            other.org == own.org && other.epoch == own.epoch && other.is_by_recovery
        };
        own.epoch > 0
            && !own.is_by_recovery
            && (self.openings.iter().any(beats)
                || own.after.is_some_and(|before| self.is_superseded(&before)))
    }

    /// Other feeds of the same epoch, none of them superseded, if this one is not either.
    fn rivals(&self, feed: &FeedId) -> Vec<FeedId> {
        let Some(own) = self.openings.iter().find(|own| own.feed == *feed) else { return vec![] };
        let is_rival = |other: &&Opening| {
            (other.org, other.epoch) == (own.org, own.epoch)
                && other.feed != own.feed
                && !self.is_superseded(&other.feed)
        };
        let rivals = self.openings.iter().filter(|_| !self.is_superseded(feed)).filter(is_rival);
        rivals.map(|other| other.feed).collect()
    }

    /// How many entries of a chain count whoever acknowledged them.
    fn alone(&self, chain: &Chain) -> usize {
        let size = chain.ids.len();
        usize::try_from(self.limit(chain)).map_or(size, |limit| limit.min(size))
    }

    /// Up to which size entries of a chain count alone.
    fn limit(&self, chain: &Chain) -> u64 {
        let feed = &chain.feed;
        let below_fork = self.forks.get(feed).copied().unwrap_or(u64::MAX);
        if self.is_superseded(feed) || !self.rivals(feed).is_empty() {
            return 0;
        }
        let own = self.openings.iter().find(|own| own.feed == *feed);
        let follows = |next: &&Opening| {
            own.is_some_and(|own| next.org == own.org && next.epoch == own.epoch + 1)
                && (next.is_by_recovery || next.after == Some(*feed))
                && !self.is_superseded(&next.feed)
        };
        let end = self.openings.iter().filter(follows).filter_map(|next| next.end).min();
        let until = end.map_or(u64::MAX, |(seq, id)| {
            let held = usize::try_from(seq).ok().and_then(|seq| chain.ids.get(seq));
            seq + u64::from(held.is_none_or(|held| *held == id))
        });
        until.min(below_fork)
    }

    /// How many entries of each chain count: those that count alone, and those that another
    /// organisation acknowledged by an entry that counts.
    fn what_counts(&self) -> Vec<usize> {
        let mut counts: Vec<usize> = self.chains.iter().map(|chain| self.alone(chain)).collect();
        loop {
            let before = counts.clone();
            for (_, target, seq, _) in self.acks(&before) {
                counts[target] = counts[target].max(seq + 1);
            }
            if counts == before {
                return counts;
            }
        }
    }

    /// By whom which entry of which chain is acknowledged, and how many are complete.
    fn acks(&self, counts: &[usize]) -> Vec<(usize, usize, usize, u64)> {
        let mut all = Vec::new();
        for (chain, size) in self.chains.iter().zip(counts) {
            let Some(by) = self.facts.feeds.get(&chain.feed) else { continue };
            for (_, feed, (seq, id), complete) in chain.acks.iter().filter(|ack| ack.0 < *size) {
                let is_own = self.facts.feeds.get(feed) == Some(by);
                let Ok(seq) = usize::try_from(*seq) else { continue };
                let holding = self.chains.iter().enumerate().filter(|(_, target)| {
                    !is_own && target.feed == *feed && target.ids.get(seq) == Some(id)
                });
                all.extend(holding.map(|(target, _)| (*by, target, seq, *complete)));
            }
        }
        all
    }

    /// How many entries of a feed are settled, on the chain where most are.
    fn settled(&self, feed: &FeedId, counts: &[usize]) -> u64 {
        let Some(author) = self.facts.feeds.get(feed) else { return 0 };
        let others = self.facts.others(*author).0;
        let acks = self.acks(counts);
        let chains = self.chains.iter().enumerate().filter(|(_, chain)| chain.feed == *feed);
        let sizes = chains.map(|(_, chain)| {
            let mut best: BTreeMap<usize, u64> = BTreeMap::new();
            for (by, target, _, complete) in &acks {
                let has_seat = self.facts.orgs[*by].has_seat;
                let beside = &self.chains[*target];
                if beside.feed == *feed && has_seat {
                    let pairs = chain.ids.iter().zip(&beside.ids);
                    let shared = pairs.take_while(|(one, other)| one == other).count() as u64;
                    let known = best.entry(*by).or_default();
                    *known = (*complete).min(shared).max(*known);
                }
            }
            let mut sizes: Vec<u64> = best.into_values().collect();
            sizes.sort_unstable_by(|a, b| b.cmp(a));
            let size = chain.ids.len() as u64;
            if others == 0 { size } else { sizes.get(others / 2).map_or(0, |most| size.min(*most)) }
        });
        sizes.max().unwrap_or(0)
    }
}

impl Chain {
    fn read_ack(&mut self, seq: u64, payload: &[u8]) {
        let items = Ack::from_bytes(payload).map_or(Vec::new(), |ack| ack.0);
        let at = usize::try_from(seq).unwrap_or(usize::MAX);
        self.acks.extend(items.iter().map(|item| {
            let complete = item.complete_through().map_or(0, |seq| seq + 1);
            (at, item.feed, (item.seq, item.id), complete)
        }));
    }
}
