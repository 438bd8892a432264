//! All that a bundle holds about one artefact.

use alloc::{
    collections::{BTreeMap, btree_map},
    string::String,
    vec::Vec,
};

use super::{Chains, Holdings, Line};
use crate::{
    decision::Written,
    feed::{AckItem, Kind},
    hash::{ArtefactId, BoardId, EntryId, FeedId},
    limits::{ARTEFACT_BYTES_MAX, ARTEFACT_ENTRIES_MAX},
    payload::Open,
    replay::{Acknowledged, Content, Dossier, Entry, History as HistoryNo},
};

/// What a history has said about the artefact so far.
#[derive(Debug, Default, Clone, Copy)]
struct SoFar {
    entries: usize,
    bytes: u64,
    last: Option<EntryId>,
}

impl Holdings {
    /// What is held about an artefact; `None` if it was never opened. Acknowledgements are gone through
    /// only if something was put to a decision, or if `with_acks` asks for them.
    #[must_use]
    pub fn dossier(&self, artefact: &ArtefactId, with_acks: bool) -> Option<Dossier> {
        let places = self.places.get(artefact)?;
        let (_, (feed, open)) = self.first_opening(artefact, places)?;
        let of = self.feeds.get(&feed)?;
        let board = of.board;
        let entries = self.entries(places);
        let needs_acks = with_acks || entries.iter().any(|one| one.kind == Kind::PROPOSAL);
        let on_board = || self.feeds.iter().filter(|(_, chains)| chains.board == board);
        Some(Dossier {
            board,
            artefact: *artefact,
            opener: of.org,
            kind: open.kind,
            schema_version: open.schema_version,
            feeds: on_board().map(|(id, one)| (*id, (one.org, self.shared(one)))).collect(),
            acknowledged: if needs_acks { self.acknowledged(&board) } else { Vec::new() },
            entries,
        })
    }

    /// The kind of an artefact, by name; `None` if it was never opened.
    #[must_use]
    pub fn kind_of(&self, artefact: &ArtefactId) -> Option<String> {
        let (_, (_, open)) = self.first_opening(artefact, self.places.get(artefact)?)?;
        Some(open.kind)
    }

    /// The opening with the lowest id, of those that count.
    fn first_opening(
        &self,
        artefact: &ArtefactId,
        places: &[(FeedId, usize, usize)],
    ) -> Option<(EntryId, (FeedId, Open))> {
        let openings = places.iter().filter_map(|place| {
            let (line, of) = (self.line(*place)?, self.feeds.get(&place.0)?);
            let heard = of.counts.get(place.1)?.heard;
            let sealed = line.sealed.as_ref();
            let sealed =
                sealed.filter(|_| line.header.kind == Kind::OPEN && line.header.seq < heard)?;
            let open = Open::from_bytes(sealed.payload.bytes()).ok()?;
            (open.artefact_id(&of.board, &of.org) == *artefact)
                .then_some((line.id, (place.0, open)))
        });
        openings.min_by_key(|(id, _)| *id)
    }

    /// Every entry once; it stands as it does in the history that stands.
    fn entries(&self, places: &[(FeedId, usize, usize)]) -> Vec<Entry> {
        let mut once: BTreeMap<EntryId, Entry> = BTreeMap::new();
        let rank = |one: &Entry| (one.by.settled, one.by.may_count());
        let (mut trunk, mut so_far, mut before) = (Vec::new(), SoFar::default(), None);
        for place @ (feed, no, _) in places {
            let (Some(line), Some(chains)) = (self.line(*place), self.feeds.get(feed)) else {
                continue;
            };
            if before != Some((*feed, *no)) {
                if before.is_none_or(|(of, _)| of != *feed) {
                    trunk.clear();
                }
                so_far = said_below(&trunk, if *no == 0 { 0 } else { chains.start(*no) });
                before = Some((*feed, *no));
            }
            let said = so_far;
            so_far = SoFar {
                entries: said.entries.saturating_add(1),
                bytes: said.bytes.saturating_add(line.header.payload_len),
                last: Some(line.id),
            };
            if *no == 0 {
                trunk.push((line.header.seq, so_far));
            }
            if said.entries >= ARTEFACT_ENTRIES_MAX {
                continue;
            }
            let mut entry = self.entry((feed, chains), *no, line, said);
            match once.entry(line.id) {
                btree_map::Entry::Vacant(free) => {
                    free.insert(entry);
                }
                btree_map::Entry::Occupied(mut held) => {
                    if rank(held.get()) < rank(&entry) {
                        core::mem::swap(held.get_mut(), &mut entry);
                    }
                    held.get_mut().is_kept |= entry.is_kept;
                    held.get_mut().histories.append(&mut entry.histories);
                }
            }
        }
        once.into_values().collect()
    }

    fn entry(
        &self,
        (feed, chains): (&FeedId, &Chains),
        no: usize,
        line: &Line,
        said: SoFar,
    ) -> Entry {
        let header = &line.header;
        let place = (no, header.seq);
        let (standing, settled) = self.standing(feed, place);
        let is_within = said.bytes.saturating_add(header.payload_len) <= ARTEFACT_BYTES_MAX;
        let histories = (0..chains.histories.len()).filter(|other| chains.has(*other, place));
        Entry {
            by: Written {
                entry: line.id,
                org: chains.org,
                epoch: chains.epoch,
                seq: header.seq,
                at: header.t,
                charter: header.charter,
                settled,
                standing,
            },
            feed: *feed,
            kind: header.kind,
            refs: header.refs.clone(),
            content: match &line.sealed {
                _ if !is_within => Content::Beyond,
                Some(sealed) => Content::Here(sealed.clone()),
                None => Content::Withheld,
            },
            is_kept: self.keeps(chains, place),
            after: said.last,
            histories: histories.map(number).collect(),
        }
    }

    /// Every acknowledgement that counts on a board, in the order of feeds, history by history.
    fn acknowledged(&self, board: &BoardId) -> Vec<Acknowledged> {
        let mut feeds: Vec<(&FeedId, &Chains)> =
            self.feeds.iter().filter(|(_, chains)| chains.board == *board).collect();
        feeds.sort_by_key(|(_, chains)| (chains.org, chains.epoch));
        feeds.into_iter().flat_map(|(id, chains)| self.acknowledged_in(id, chains)).collect()
    }

    fn acknowledged_in(&self, id: &FeedId, chains: &Chains) -> Vec<Acknowledged> {
        let heard = |no: usize| chains.counts.get(no).map_or(0, |count| count.heard);
        let said = self.said.iter().filter(|said| said.feed == *id);
        let mut found = Vec::new();
        for no in 0..chains.histories.len() {
            // What a branch shares with the first history is gathered with that.
            let trunk = if no == 0 { heard(0) } else { heard(0).min(chains.start(no)) };
            let on_it = said.clone().filter(|said| match said.history {
                0 => said.place < trunk,
                gathered_with => gathered_with == no && said.place < heard(no),
            });
            for said in on_it {
                found.extend(self.about_others(said).map(|(by, item)| Acknowledged {
                    by,
                    feed: *id,
                    history: number(no),
                    place: (chains.epoch, said.place),
                    of: item.feed,
                    on: self.held_on(item),
                    entries: item.complete_through().map_or(0, |last| last.saturating_add(1)),
                    received_at: item.received_at,
                }));
            }
        }
        found
    }

    /// The history that holds the entry which an acknowledgement names.
    fn held_on(&self, item: &AckItem) -> Option<HistoryNo> {
        let of = self.feeds.get(&item.feed)?;
        let holds = |no: &usize| of.id_at(*no, item.seq) == Some(item.id);
        (0..of.histories.len()).find(holds).map(number)
    }
}

/// What the first history has said before a place.
fn said_below(trunk: &[(u64, SoFar)], start: u64) -> SoFar {
    let below = trunk.iter().take_while(|(seq, _)| *seq < start);
    below.last().map_or_else(SoFar::default, |(_, so_far)| *so_far)
}

/// No feed has so many histories.
fn number(no: usize) -> HistoryNo {
    HistoryNo::try_from(no).unwrap_or(HistoryNo::MAX)
}
