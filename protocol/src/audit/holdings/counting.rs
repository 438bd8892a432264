//! Which acknowledgements count, and what they settle.
//!
//! What stands in a feed above a fork, or beyond the end of its epoch, counts as far as another
//! organisation acknowledged it, on that history. So acknowledgements can make others count, and are
//! gone through until none does any more.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{Chains, Holdings, Line, Said};
use crate::{
    feed::{Ack, AckItem, End, Extent, Kind, settled_size},
    hash::{FeedId, OrgId},
};

impl Holdings {
    /// Every acknowledgement that is written under the board's charter, by organisation and epoch.
    pub(super) fn all_said(&self) -> Vec<Said> {
        let mut feeds: Vec<(&FeedId, &Chains)> = self.feeds.iter().collect();
        feeds.sort_by_key(|(_, chains)| (chains.org, chains.epoch));
        let mut said = Vec::new();
        for (feed, chains) in feeds {
            for (history, lines) in chains.histories.iter().map(|one| &one.lines).enumerate() {
                let acks = lines.iter().filter_map(|line| ack_of(line, chains));
                said.extend(acks.map(|(place, ack)| Said { feed: *feed, history, place, ack }));
            }
        }
        said
    }

    /// The items of an acknowledgement that are about others' feeds.
    pub(super) fn about_others<'a>(
        &'a self,
        said: &'a Said,
    ) -> impl Iterator<Item = (OrgId, &'a AckItem)> {
        let by = self.feeds.get(&said.feed).map(|chains| chains.org);
        let items = by.into_iter().flat_map(|by| said.ack.0.iter().map(move |item| (by, item)));
        items.filter(|(by, item)| self.feeds.get(&item.feed).is_none_or(|of| of.org != *by))
    }

    /// Finds out what counts, then what is settled.
    pub(super) fn count(&mut self) {
        for chains in self.feeds.values_mut() {
            chains.hear();
        }
        while self.count_once() {}
        let voting: BTreeMap<FeedId, _> = self
            .feeds
            .iter()
            .map(|(id, chains)| (*id, self.voting_others(&chains.board, &chains.org)))
            .collect();
        for (id, chains) in &mut self.feeds {
            let Some(others) = voting.get(id) else { continue };
            let settled = |no| {
                let mut best: BTreeMap<OrgId, u64> = BTreeMap::new();
                for (other, count) in chains.counts.iter().enumerate() {
                    let shared = chains.shared(no, other);
                    for (org, complete) in
                        count.complete.iter().filter(|(org, _)| others.contains(org))
                    {
                        let known = best.entry(*org).or_default();
                        *known = (*complete).min(shared).max(*known);
                    }
                }
                settled_size(chains.size(no), others.len(), best.into_values())
            };
            let settled: Vec<u64> = (0..chains.histories.len()).map(settled).collect();
            for (count, settled) in chains.counts.iter_mut().zip(settled) {
                count.settled = settled;
            }
        }
    }

    /// Takes in every acknowledgement that counts; whether more of them count now.
    fn count_once(&mut self) -> bool {
        let mut news = Vec::new();
        for said in &self.said {
            let Some(chains) = self.feeds.get(&said.feed) else { continue };
            if !chains.is_heard(said.history, said.place) {
                continue;
            }
            for (by, item) in self.about_others(said) {
                let Some(of) = self.feeds.get(&item.feed) else { continue };
                let complete = item.complete_through().map_or(0, |seq| seq.saturating_add(1));
                let holding =
                    (0..of.histories.len()).filter(|no| of.id_at(*no, item.seq) == Some(item.id));
                news.extend(
                    holding.map(|no| (item.feed, no, by, item.seq.saturating_add(1), complete)),
                );
            }
        }
        for (feed, no, by, size, complete) in news {
            let count = self.feeds.get_mut(&feed).and_then(|of| of.counts.get_mut(no));
            let Some(count) = count else { continue };
            count.acknowledged = count.acknowledged.max(size);
            let known = count.complete.entry(by).or_default();
            *known = complete.max(*known);
        }
        let grown = self.feeds.values_mut().map(Chains::hear).filter(|has_grown| *has_grown);
        grown.count() > 0
    }
}

impl Chains {
    /// How many entries of a history count whoever acknowledged them.
    pub(super) fn alone(&self, no: usize) -> u64 {
        let by_epochs = match self.extent {
            Extent::Open => u64::MAX,
            Extent::Until(End(seq, id)) => match self.id_at(no, seq) {
                Some(held) if held != id => seq,
                Some(_) | None => seq.saturating_add(1),
            },
            Extent::Contested | Extent::Superseded => 0,
        };
        by_epochs.min(self.fork.unwrap_or(u64::MAX)).min(self.size(no))
    }

    /// Works out in how much of each history acknowledgements count; whether that is more than before.
    fn hear(&mut self) -> bool {
        let heard = |no: usize| {
            let acknowledged = self.counts.get(no).map_or(0, |count| count.acknowledged);
            self.alone(no).max(acknowledged).min(self.size(no))
        };
        let heard: Vec<u64> = (0..self.histories.len()).map(heard).collect();
        let mut has_grown = false;
        for (count, heard) in self.counts.iter_mut().zip(heard) {
            has_grown |= heard > count.heard;
            count.heard = heard;
        }
        has_grown
    }

    /// Whether what stands at a place of a history counts, on it or on one that shares the place.
    pub(super) fn is_heard(&self, history: usize, place: u64) -> bool {
        let mut sharing = self.counts.iter().enumerate();
        sharing.any(|(no, count)| self.has(no, (history, place)) && place < count.heard)
    }
}

fn ack_of(line: &Line, chains: &Chains) -> Option<(u64, Ack)> {
    let is_ack = line.header.kind == Kind::ACK && line.header.charter == chains.board.as_charter();
    let sealed = line.sealed.as_ref().filter(|_| is_ack)?;
    Some((line.header.seq, Ack::from_bytes(sealed.payload.bytes()).ok()?))
}
