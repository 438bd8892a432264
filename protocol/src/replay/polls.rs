//! Proposals, and what came of them: papers made of a dossier.
//!
//! Whether a sign-off is in time follows from what each member acknowledged first, see `timing`.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{
    Dossier, Entry, Ground, History, Proposed,
    effect::Effects,
    order::Order,
    timing::{Sayings, Timing, is_readable},
};
use crate::{
    decision::{CloseEntry, Papers, ProposalEntry, SignOffEntry, closer_under, poll},
    feed::Kind,
    hash::{EntryId, FeedId, OrgId},
    payload::{Close, Proposal, SignOff},
};

/// Counts every proposal that can be read.
pub(super) fn count(
    ground: Ground<'_>,
    dossier: &Dossier,
    order: &Order,
    effect: &Effects<'_>,
) -> BTreeMap<EntryId, Proposed> {
    let drawer = Drawer::of(ground, dossier, order, effect);
    let count = |(id, proposal): (&EntryId, &ProposalEntry)| {
        let poll = drawer.papers(proposal, poll);
        (*id, Proposed { by: proposal.by.clone(), says: proposal.says.clone(), poll })
    };
    drawer.proposals.iter().map(count).collect()
}

/// Proposals, sign-offs and closings that can be read: papers are taken from here.
pub(super) struct Drawer<'a> {
    ground: Ground<'a>,
    dossier: &'a Dossier,
    order: &'a Order,
    effect: &'a Effects<'a>,
    known: BTreeSet<EntryId>,
    pub(super) proposals: BTreeMap<EntryId, ProposalEntry>,
    sign_offs: Vec<(&'a Entry, SignOff)>,
    /// Also those that stand behind something that cannot be read: they were acknowledged all the same.
    closings: Vec<(&'a Entry, Close)>,
    sayings: Sayings<'a>,
}

impl<'a> Drawer<'a> {
    pub(super) fn of(
        ground: Ground<'a>,
        dossier: &'a Dossier,
        order: &'a Order,
        effect: &'a Effects<'a>,
    ) -> Self {
        let read = readable(dossier);
        let of = |kind: Kind| read.iter().copied().filter(move |one| one.kind == kind);
        let payload = |one: &Entry| effect.payload(&one.by.entry);
        let proposals = of(Kind::PROPOSAL).filter_map(|one| {
            let says = Proposal::from_bytes(payload(one)?).ok()?;
            Some((one.by.entry, ProposalEntry { by: one.by.clone(), says }))
        });
        let sign_offs = of(Kind::SIGNOFF)
            .filter_map(|one| Some((one, SignOff::from_bytes(payload(one)?).ok()?)));
        let closings = dossier.kept().filter(|one| one.kind == Kind::CLOSE);
        let closings =
            closings.filter_map(|one| Some((one, Close::from_bytes(payload(one)?).ok()?)));
        Self {
            ground,
            dossier,
            order,
            effect,
            known: read.iter().map(|one| one.by.entry).collect(),
            proposals: proposals.collect(),
            sign_offs: sign_offs.collect(),
            closings: closings.collect(),
            sayings: Sayings::of(dossier),
        }
    }

    /// Does something with the papers of a proposal.
    pub(super) fn papers<R>(
        &self,
        proposal: &ProposalEntry,
        look: impl FnOnce(&Papers<'_>) -> R,
    ) -> R {
        let id = proposal.by.entry;
        let earlier = replaced(proposal, &self.proposals);
        let charters = [(self.ground.charter_hash, self.ground.charter)];
        let papers = Papers {
            charters: &charters,
            audience: &self.effect.audience(self.order.pasts.get(&id)),
            proposal,
            earlier: &earlier,
            sign_offs: &[],
            closings: &self.closings_of(&id),
            shut: &BTreeSet::new(),
            contested: &BTreeSet::new(),
        };
        let timing = self.timing(&papers);
        look(&Papers {
            sign_offs: &self.sign_offs_on(&id, &earlier, &timing),
            shut: &self.shut(&id, &timing),
            contested: &self.contested(&id, &timing),
            ..papers
        })
    }

    /// Only who may close the proposal can end what is in time for it.
    fn timing(&self, papers: &Papers<'_>) -> Timing<'a> {
        let Ground { charter, charter_hash, .. } = self.ground;
        let closers: BTreeSet<OrgId> = closer_under(papers, &charter_hash).into_iter().collect();
        let ends = |(one, close): &&(&Entry, Close)| {
            close.proposal == papers.proposal.by.entry
                && closer_under(papers, &one.by.charter) == Some(one.by.org)
        };
        let closings = self.closings.iter().filter(ends).map(|(one, _)| *one).collect();
        Timing::of((charter, self.dossier), &self.sayings, &closers, closings)
    }

    /// Organisations of which nothing that is not read can come in time any more, and every sign-off
    /// that is read is known to be in time or late.
    fn shut(&self, id: &EntryId, timing: &Timing<'_>) -> BTreeSet<OrgId> {
        let mut open: BTreeSet<OrgId> = BTreeSet::new();
        let is_open = |(feed, (org, _)): &(&FeedId, &(OrgId, u64))| !timing.is_shut((*feed, org));
        let feeds = || self.dossier.feeds.iter();
        open.extend(feeds().filter(is_open).map(|(_, (org, _))| *org));
        let gaps = self.dossier.kept().filter(|one| is_gap(one) && !timing.is_late(one));
        open.extend(gaps.map(|one| one.by.org));
        let undecided = |one: &Entry| !timing.is_in_time(one) && !timing.is_late(one);
        let undecided = self.on(id).filter(|one| undecided(one));
        open.extend(undecided.map(|one| one.by.org));
        feeds().map(|(_, (org, _))| *org).filter(|org| !open.contains(org)).collect()
    }

    /// Sign-offs that are in time by one history of some member's feed, and late by another.
    fn contested(&self, id: &EntryId, timing: &Timing<'_>) -> BTreeSet<EntryId> {
        let both = |one: &&Entry| timing.is_in_time(one) && timing.is_late(one);
        self.on(id).filter(both).map(|one| one.by.entry).collect()
    }

    fn on(&self, id: &EntryId) -> impl Iterator<Item = &'a Entry> {
        let on_this = self.sign_offs.iter().filter(move |(_, says)| says.proposal == *id);
        on_this.map(|(one, _)| *one)
    }

    fn sign_offs_on(
        &self,
        id: &EntryId,
        earlier: &[ProposalEntry],
        timing: &Timing<'_>,
    ) -> Vec<SignOffEntry> {
        let is_about = |named: &EntryId| {
            named == id || earlier.iter().any(|earlier| earlier.by.entry == *named)
        };
        let about = self.sign_offs.iter().filter(|(_, says)| is_about(&says.proposal));
        let entry = |(one, says): &(&Entry, SignOff)| SignOffEntry {
            by: one.by.clone(),
            says: *says,
            in_time: timing.is_in_time(one),
        };
        about.map(entry).collect()
    }

    fn closings_of(&self, id: &EntryId) -> Vec<CloseEntry> {
        let is_read = |one: &Entry| self.known.contains(&one.by.entry);
        let of_this =
            self.closings.iter().filter(|(one, close)| close.proposal == *id && is_read(one));
        let entry = |(one, says): &(&Entry, Close)| {
            let unread = says.counted.iter().filter(|listed| !self.known.contains(*listed));
            let unread = unread.copied().collect();
            CloseEntry { by: one.by.clone(), says: says.clone(), unread }
        };
        of_this.map(entry).collect()
    }
}

/// Entries of each history up to the first sign-off or closing that cannot be read: a later answer
/// must not be taken for the first. Nothing rests on those that others may never hold.
fn readable(dossier: &Dossier) -> Vec<&Entry> {
    let mut gaps: BTreeMap<(FeedId, History), u64> = BTreeMap::new();
    for one in dossier.kept().filter(|one| is_gap(one)) {
        for history in &one.histories {
            let first = gaps.entry((one.feed, *history)).or_insert(one.by.seq);
            *first = one.by.seq.min(*first);
        }
    }
    let is_read = |one: &&Entry| {
        let gap = |history: &History| gaps.get(&(one.feed, *history));
        one.histories.iter().any(|history| gap(history).is_none_or(|gap| one.by.seq < *gap))
    };
    dossier.kept().filter(is_read).collect()
}

/// What may be an answer, or end a vote, and cannot be read yet.
fn is_gap(one: &Entry) -> bool {
    (one.kind == Kind::SIGNOFF || one.kind == Kind::CLOSE) && !is_readable(one)
}

/// The proposals that a proposal replaces, nearest first.
fn replaced(
    proposal: &ProposalEntry,
    proposals: &BTreeMap<EntryId, ProposalEntry>,
) -> Vec<ProposalEntry> {
    let mut earlier: Vec<ProposalEntry> = Vec::new();
    let mut next = proposal.says.replaces;
    while let Some(found) = next.and_then(|id| proposals.get(&id)) {
        let is_known = found.by.entry == proposal.by.entry
            || earlier.iter().any(|one| one.by.entry == found.by.entry);
        if is_known {
            break;
        }
        next = found.says.replaces;
        earlier.push(found.clone());
    }
    earlier
}
