//! Every entry that a bundle holds, as a list, and by when others say that they had one.
//!
//! ```text
//! feeds     each history: where it begins, how many entries it has
//! entries   in the order of their places, history by history; a branch from where it leaves
//! knew      of each organisation the first acknowledgement that covers an entry
//! ```

use alloc::{collections::BTreeMap, vec::Vec};

use super::{Chains, Holdings, Said};
use crate::{
    decision::Standing,
    feed::Header,
    hash::{BoardId, EntryId, FeedId, OrgId},
    time::TimeMs,
};

/// One feed, as far as it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldFeed {
    /// The feed.
    pub feed: FeedId,
    /// The board that it is on.
    pub board: BoardId,
    /// Whose it is.
    pub org: OrgId,
    /// Its epoch.
    pub epoch: u64,
    /// The lowest place at which it is known to be forked.
    pub fork: Option<u64>,
    /// How many entries its first history has.
    pub size: u64,
    /// How many histories it has here.
    pub histories: usize,
    /// The last entry of the first history.
    pub last: Option<EntryId>,
}

/// One entry, as it is held.
#[derive(Debug, Clone, Copy)]
pub struct HeldEntry<'a> {
    /// The number of the history that it is listed with: 0 is the first, others are branches.
    pub history: usize,
    /// The entry.
    pub id: EntryId,
    /// What its author signed.
    pub header: &'a Header,
    /// Whether its payload is here.
    pub is_here: bool,
    /// Whether it stands.
    pub standing: Standing,
    /// Whether it is settled, as far as the bundle proves it.
    pub is_settled: bool,
}

/// The first acknowledgement by which an organisation covers an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Knew {
    /// Who acknowledged.
    pub org: OrgId,
    /// In which of its epochs.
    pub epoch: u64,
    /// The place of the acknowledgement in its feed.
    pub seq: u64,
    /// The acknowledgement.
    pub entry: EntryId,
    /// When it was written, by its author's clock.
    pub at: TimeMs,
    /// When the last entry that it covers was received, by the same clock.
    pub received_at: TimeMs,
    /// Whether it says that the payload was held too, if it was due.
    pub is_complete: bool,
}

impl Holdings {
    /// Every feed, by board, organisation and epoch.
    #[must_use]
    pub fn feeds(&self) -> Vec<HeldFeed> {
        let held = |(feed, chains): (&FeedId, &Chains)| HeldFeed {
            feed: *feed,
            board: chains.board,
            org: chains.org,
            epoch: chains.epoch,
            fork: chains.fork,
            size: chains.size(0),
            histories: chains.histories.len(),
            last: chains.size(0).checked_sub(1).and_then(|last| chains.id_at(0, last)),
        };
        let mut feeds: Vec<HeldFeed> = self.feeds.iter().map(held).collect();
        feeds.sort_by_key(|held| (held.board, held.org, held.epoch, held.feed));
        feeds
    }

    /// The entries of a feed, history by history.
    pub fn entries_of(&self, feed: FeedId) -> impl Iterator<Item = HeldEntry<'_>> {
        let histories = self.feeds.get(&feed).into_iter().flat_map(|chains| &chains.histories);
        histories.enumerate().flat_map(move |(no, history)| {
            history.lines.iter().map(move |line| {
                let (standing, is_settled) = self.standing(&feed, (no, line.header.seq));
                HeldEntry {
                    history: no,
                    id: line.id,
                    header: &line.header,
                    is_here: line.is_here,
                    standing,
                    is_settled,
                }
            })
        })
    }

    /// Of each other organisation the first acknowledgement that counts and covers an entry, listed
    /// with this history; if one says that the payload was held, the first of those too.
    #[must_use]
    pub fn knew(&self, feed: &FeedId, (history, seq): (usize, u64)) -> Vec<Knew> {
        let Some(of) = self.feeds.get(feed) else { return Vec::new() };
        let mut first: BTreeMap<(OrgId, bool), Knew> = BTreeMap::new();
        for said in &self.said {
            let Some(by) = self.feeds.get(&said.feed) else { continue };
            if !by.is_heard(said.history, said.place) {
                continue;
            }
            for (org, item) in self.about_others(said).filter(|(_, item)| item.feed == *feed) {
                let mut histories = 0..of.histories.len();
                let covers = item.seq >= seq
                    && histories.any(|no| {
                        of.has(no, (history, seq)) && of.id_at(no, item.seq) == Some(item.id)
                    });
                let is_complete = item.complete_through().is_some_and(|through| through >= seq);
                let knew = by.acknowledgement(said).filter(|_| covers);
                if let Some((entry, at)) = knew {
                    let (epoch, received_at) = (by.epoch, item.received_at);
                    let seq = said.place;
                    let knew = Knew { org, epoch, seq, entry, at, received_at, is_complete };
                    first.entry((org, is_complete)).or_insert(knew);
                }
            }
        }
        let is_useful = |knew: &Knew| match first.get(&(knew.org, true)) {
            // What covers the payload covers the entry.
            Some(complete) => knew.is_complete || knew.place() < complete.place(),
            None => true,
        };
        first.values().copied().filter(is_useful).collect()
    }
}

impl Knew {
    const fn place(&self) -> (u64, u64) {
        (self.epoch, self.seq)
    }
}

impl Chains {
    /// The entry of an acknowledgement, and the time that it claims.
    fn acknowledgement(&self, said: &Said) -> Option<(EntryId, TimeMs)> {
        let history = self.histories.get(said.history)?;
        let at = usize::try_from(said.place.checked_sub(history.start)?).ok()?;
        history.lines.get(at).map(|line| (line.id, line.header.t))
    }
}
