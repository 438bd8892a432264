//! Second reading: branches, acknowledgements against what is there, settlement.
//!
//! ```text
//! first history    ──●──●──●──●──●        verified again, entry by entry
//! branch                 └──●──●          placed where it leaves, and verified
//! acknowledgement  "entry 5 is x"         held by one of the histories, or a finding
//! ```
//!
//! Settlement is what the bundle proves, so at least what nodes see: of two acknowledgements of one
//! feed by another only the highest and the most complete count, and none that stands above a fork,
//! beyond the end of its epoch, or in a feed that another took the place of.
//!
//! Invariant: one tip a history, unless artefacts are gathered. Knows nothing of payload formats.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{
    board::{Boards, Feed},
    bundle::{LoosePayload, Record},
    check::{CLOCKS_DIFFER_MS, Leaving},
    claims::Claims,
    cosigned::Cosignatures,
    finding::{Finding, span_of},
    holdings::{Gathering, Holdings},
    payload::Due,
    summary::{FeedSummary, Summary},
};
use crate::{
    feed::{End, Extent, Run, Tip, VerifiedRun, settled_size, verify_run},
    hash::{EntryId, FeedId, OrgId},
};

/// The second reading of a bundle.
#[derive(Debug)]
pub struct SecondReading {
    boards: Boards,
    claims: Claims,
    cosigned: Cosignatures,
    places: BTreeMap<FeedId, BTreeSet<u64>>,
    leavings: BTreeMap<FeedId, Vec<Leaving>>,
    /// How much of each feed counts by itself, and what its first history has at a named end.
    extents: BTreeMap<FeedId, (Extent, Option<EntryId>)>,
    /// The first history of each feed, then its branches.
    histories: BTreeMap<FeedId, Vec<History>>,
    /// Where branches leave: the end of the first history there, and its next entry.
    left_at: BTreeMap<(FeedId, Leaving), (Tip, EntryId)>,
    records: u64,
    due: Option<Due>,
    is_ended: bool,
    /// What is held about artefacts, if that is wanted.
    gathering: Option<Gathering>,
    findings: Vec<Finding>,
}

/// One history of a feed.
#[derive(Debug, Clone)]
struct History {
    /// Up to which size it may be one with the others; no bound for the first.
    shared: u64,
    tip: Tip,
}

impl SecondReading {
    pub(super) fn new(
        boards: Boards,
        (claims, cosigned): (Claims, Cosignatures),
        leavings: BTreeMap<FeedId, Vec<Leaving>>,
    ) -> Self {
        let places = boards.feeds.keys().map(|id| (*id, claims.places(*id))).collect();
        let empty =
            |id: &FeedId| (*id, Vec::from([History { shared: u64::MAX, tip: Tip::empty(*id) }]));
        let histories = boards.feeds.keys().map(empty).collect();
        let extents = boards.extents();
        let extents = extents.into_iter().map(|(id, extent)| (id, (extent, None))).collect();
        Self {
            boards,
            claims,
            cosigned,
            extents,
            places,
            leavings,
            histories,
            left_at: BTreeMap::new(),
            records: 0,
            due: None,
            is_ended: false,
            gathering: None,
            findings: Vec::new(),
        }
    }

    /// The same, which also gathers what is held about artefacts; asked for before the first record.
    #[must_use]
    pub fn gathering(self) -> Self {
        Self { gathering: Some(Gathering::default()), ..self }
    }

    /// Takes in the next record, the same as in the first reading.
    #[must_use]
    pub fn take(&mut self, record: Record<'_>) -> Vec<Finding> {
        if self.is_ended {
            return Vec::new();
        }
        self.records = self.records.saturating_add(1);
        match record {
            Record::Run(body) => {
                self.close_due();
                if let Ok(run) = Run::from_bytes(body) {
                    self.take_run(run);
                }
            }
            Record::Payload(body) => {
                if let Ok(loose) = LoosePayload::from_bytes(body) {
                    self.take_payload(&loose);
                }
            }
            Record::Founding(_) | Record::Card(_) | Record::End(_) | Record::Newer { .. } => {
                self.is_ended = matches!(record, Record::End(_));
                self.close_due();
            }
        }
        core::mem::take(&mut self.findings)
    }

    fn take_run(&mut self, run: Run) {
        let feed = self.boards.feeds.get(&run.feed);
        let Some(feed) = feed.filter(|feed| feed.since <= self.records) else {
            return;
        };
        let Some(histories) = self.histories.get(&run.feed) else {
            return;
        };
        let (descriptor, size) = (feed.descriptor, feed.tip.size());
        let continues = |one: &History| one.tip.size() == run.from && one.tip.id() == run.before;
        let leaving = (run.from, run.before);
        let (id, from, span) = (run.feed, run.from, span_of(&run));
        let of = feed.name.clone();
        match histories.iter().position(continues) {
            // What the first reading did not take is not taken now.
            Some(0) if run.from >= size => {}
            Some(0) => {
                let Some(start) = histories.first().map(|one| one.tip.clone()) else { return };
                if let Ok(run) = verify_run(&start, &descriptor, run) {
                    self.cosigned.note_roots(feed, &start, &run);
                    self.note_leavings(start, &run);
                    self.extend((id, 0), &run);
                }
            }
            Some(no) => {
                let Some(start) = histories.get(no) else { return };
                match verify_run(&start.tip, &descriptor, run) {
                    Ok(run) => self.extend_branch((id, no), &run),
                    Err(why) => self.findings.push(Finding::of_run(of, &span, why)),
                }
            }
            None => match self.left_at.get(&(id, leaving)).cloned() {
                Some((tip, next)) => match verify_run(&tip, &descriptor, run) {
                    Ok(run) => self.open_branch(id, &run, next),
                    Err(why) => self.findings.push(Finding::of_run(of, &span, why)),
                },
                None => self.misplaced(id, from),
            },
        }
    }

    /// Remembers where branches leave the first history within a run.
    fn note_leavings(&mut self, mut tip: Tip, run: &VerifiedRun) {
        let Some(leavings) = self.leavings.get(&tip.feed()) else {
            return;
        };
        for entry in run.entries() {
            let leaving = (tip.size(), tip.id());
            if leavings.contains(&leaving) {
                self.left_at.insert((tip.feed(), leaving), (tip.clone(), entry.id));
            }
            if tip.replay(&entry.bytes).is_err() {
                return;
            }
        }
    }

    /// Goes on with a history, and matches acknowledgements with its entries.
    fn extend(&mut self, (id, no): (FeedId, usize), run: &VerifiedRun) {
        if let Some(history) = self.histories.get_mut(&id).and_then(|all| all.get_mut(no)) {
            history.tip = run.tip().clone();
        }
        if let Some(gathering) = &mut self.gathering {
            gathering.take_run((id, no), run);
        }
        self.note_end((id, no), run);
        let (Some(places), Some(feed)) = (self.places.get(&id), self.boards.feeds.get(&id)) else {
            return;
        };
        for entry in run.entries() {
            let (seq, t) = (entry.header.seq, entry.header.t);
            if !places.contains(&seq) {
                continue;
            }
            for (by, claim) in self.claims.matched((id, no), (seq, entry.id)) {
                let ahead_ms = t.ms_since(claim.received_at);
                let by = self.boards.feeds.get(&by);
                let by = by.filter(|by| by.descriptor.org != feed.descriptor.org);
                if let Some(by) = by.filter(|_| ahead_ms > CLOCKS_DIFFER_MS) {
                    let (of, by) = (feed.name.clone(), by.name.clone());
                    self.findings.push(Finding::ClockAhead { of, seq, by, ahead_ms });
                }
            }
        }
    }

    /// Remembers the entry that stands where a later epoch says that this feed ended.
    fn note_end(&mut self, (id, no): (FeedId, usize), run: &VerifiedRun) {
        if let Some((Extent::Until(End(seq, _)), at)) = self.extents.get_mut(&id) {
            let named = run.entries().iter().find(|entry| entry.header.seq == *seq && no == 0);
            *at = named.map(|entry| entry.id).or(*at);
        }
    }

    /// How many entries of a feed count by themselves, whatever others acknowledged.
    fn counts_alone(&self, id: &FeedId) -> u64 {
        match self.extents.get(id) {
            None | Some((Extent::Open, _)) => u64::MAX,
            Some((Extent::Until(End(seq, named)), at)) => match at {
                Some(held) if held != named => *seq,
                Some(_) | None => seq.saturating_add(1),
            },
            Some((Extent::Contested | Extent::Superseded, _)) => 0,
        }
    }

    /// What openings did to a feed.
    fn ending(&self, feed: &Feed) -> Option<Finding> {
        let (of, entries) = (feed.name.clone(), feed.tip.size());
        let end = self.counts_alone(&of.feed);
        match self.extents.get(&of.feed) {
            Some((Extent::Contested, _)) => Some(Finding::OpenedTwice { of }),
            Some((Extent::Superseded, _)) => Some(Finding::Superseded { of, entries }),
            Some((Extent::Until(_), _)) if entries > end => {
                Some(Finding::BeyondEnd { of, end, entries })
            }
            None | Some((Extent::Open | Extent::Until(_), _)) => None,
        }
    }

    fn extend_branch(&mut self, (id, no): (FeedId, usize), run: &VerifiedRun) {
        self.extend((id, no), run);
        let name = self.boards.feeds.get(&id).map(|feed| feed.name.clone());
        self.due = name.map(|of| Due::after(of, run.entries()));
    }

    /// Begins a branch; `next` is what the first history has where the branch leaves.
    fn open_branch(&mut self, id: FeedId, run: &VerifiedRun, next: EntryId) {
        let Some(first) = run.entries().first() else { return };
        let from = first.header.seq;
        let Some(feed) = self.boards.feeds.get_mut(&id) else {
            return;
        };
        let of = feed.name.clone();
        if first.id == next {
            return self.findings.push(Finding::Repeated { of, from });
        }
        let is_proven = feed.fork.is_some_and(|index| index <= from);
        feed.fork = Some(feed.fork.map_or(from, |index| index.min(from)));
        if !is_proven {
            self.findings.push(Finding::SecondHistory { of, index: from });
        }
        let Some(histories) = self.histories.get_mut(&id) else {
            return;
        };
        let no = histories.len();
        histories.push(History { shared: from, tip: run.tip().clone() });
        self.extend_branch((id, no), run);
    }

    /// A run that continues nothing: entries before it are missing, or it is of no history here.
    fn misplaced(&mut self, id: FeedId, from: u64) {
        let due = self.histories.get(&id).and_then(|all| all.first());
        let due = due.map_or(0, |one| one.tip.size());
        let Some(feed) = self.boards.feeds.get_mut(&id) else {
            return;
        };
        if feed.is_broken || feed.told.gap {
            return;
        }
        feed.told.gap = true;
        let of = feed.name.clone();
        self.findings.push(match from > due {
            true => Finding::Gap { of, due, found: from },
            false => Finding::Unplaced { of, from, due },
        });
    }

    fn take_payload(&mut self, loose: &LoosePayload) {
        if let Some(gathering) = &mut self.gathering {
            gathering.take_payload(loose);
        }
        let Some(due) = &mut self.due else { return };
        let of = due.of().clone();
        if let Some(header) = due.take(loose)
            && !loose.sealed.fits(&header)
        {
            self.findings.push(Finding::PayloadAltered { of, seq: loose.seq });
        }
    }

    fn close_due(&mut self) {
        if let Some(due) = self.due.take() {
            self.findings.extend(due.absent());
        }
    }

    /// Ends the audit.
    #[must_use]
    pub fn finish(self) -> (Vec<Finding>, Summary) {
        let (findings, summary, _) = self.finish_gathered();
        (findings, summary)
    }

    /// Ends the audit, with what was gathered about artefacts if that was wanted.
    #[must_use]
    pub fn finish_gathered(mut self) -> (Vec<Finding>, Summary, Option<Holdings>) {
        self.close_due();
        // A second opening of a feed may have shown only in this reading.
        for (id, extent) in self.boards.extents() {
            self.extents.entry(id).or_insert((extent, None)).0 = extent;
        }
        let mut findings = core::mem::take(&mut self.findings);
        findings.extend(self.unheld());
        findings.extend(self.cosigned.unheld(&self.boards));
        findings.extend(self.boards.feeds.values().filter_map(|feed| self.ending(feed)));
        let is_told = |feed: &Feed| feed.is_broken || feed.told.gap;
        let silent = self.boards.feeds.values();
        let silent = silent.filter(|feed| feed.tip.size() == 0 && !is_told(feed));
        findings.extend(silent.map(|feed| Finding::Silent { of: feed.name.clone() }));
        let feeds = self.boards.feeds.values().map(|feed| (feed, self.settled(feed)));
        let feed_summary = |(feed, settled): (&Feed, u64)| FeedSummary {
            board: feed.descriptor.board,
            name: feed.name.clone(),
            key: feed.descriptor.key,
            entries: feed.tip.size(),
            head: feed.head,
            settled,
            claimed: feed.claimed,
            fork: feed.fork,
        };
        let summary = Summary::new(&self.boards.foundings, feeds.map(feed_summary).collect());
        let gathering = self.gathering.take();
        let holdings = gathering.map(|gathering| Holdings::new(&self.boards, gathering));
        (findings, summary, holdings)
    }

    /// Acknowledgements of entries that no history in the bundle holds.
    fn unheld(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (of, by, pair) in self.claims.all() {
            let claim = pair.highest;
            let Some(by) = self.boards.feeds.get(&by) else { continue };
            let (seq, by_org, by) = (claim.seq, by.descriptor.org, by.name.clone());
            let Some(feed) = self.boards.feeds.get(&of) else {
                findings.push(Finding::AcknowledgedUnknown { feed: of, seq, by });
                continue;
            };
            let is_known = feed.is_broken || feed.told.gap || feed.descriptor.org == by_org;
            if claim.held_by.is_some() || is_known {
                continue;
            }
            let of = feed.name.clone();
            let sizes = self.histories.get(&feed.name.feed).into_iter().flatten();
            let size = sizes.map(|one| one.tip.size()).max().unwrap_or(0);
            findings.push(match seq >= size {
                true => Finding::EndsEarly { of, size, by, seq },
                false => {
                    let from = self.agreed_below(feed.name.feed, seq);
                    Finding::AcknowledgedOther { of, from, seq, by, acknowledged: claim.id }
                }
            });
        }
        findings
    }

    /// How many entries of a feed somebody's acknowledgement agrees with, of those below a seq.
    fn agreed_below(&self, feed: FeedId, seq: u64) -> u64 {
        let claims = self.claims.of(feed).flat_map(|(_, pair)| [pair.highest, pair.most_complete]);
        let agreed = claims.filter(|claim| claim.held_by.is_some() && claim.seq < seq);
        agreed.map(|claim| claim.seq.saturating_add(1)).max().unwrap_or(0)
    }

    /// How many entries of a feed are settled, as far as the bundle proves it.
    fn settled(&self, feed: &Feed) -> u64 {
        let (board, author) = (feed.descriptor.board, feed.descriptor.org);
        let others = self.boards.voting_others(&board, &author);
        let histories = self.histories.get(&feed.name.feed).map_or(&[][..], Vec::as_slice);
        let settled = (0..).zip(histories).map(|(no, history)| {
            let mut best: BTreeMap<OrgId, u64> = BTreeMap::new();
            for (by, pair) in self.claims.of(feed.name.feed) {
                let claim = pair.most_complete;
                let Some(by) = self.boards.feeds.get(&by) else { continue };
                let Some(held_by) = claim.held_by else { continue };
                if by.fork.is_some_and(|index| claim.place >= index)
                    || claim.place >= self.counts_alone(&by.name.feed)
                    || !others.contains(&by.descriptor.org)
                {
                    continue;
                }
                // Another history counts as far as the two are one.
                let other = histories.get(held_by).filter(|_| held_by != no);
                let shared = other.map_or(u64::MAX, |other| other.shared.min(history.shared));
                let covers = claim.complete.min(shared);
                let known = best.entry(by.descriptor.org).or_default();
                *known = covers.max(*known);
            }
            settled_size(history.tip.size(), others.len(), best.into_values())
        });
        settled.max().unwrap_or(0)
    }
}
