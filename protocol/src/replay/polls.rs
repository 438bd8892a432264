//! Proposals, and what came of them: papers made of a dossier.
//!
//! Whether a sign-off is in time follows from what each member acknowledged first, see
//! `decision::timing`; it matters only once somebody has closed the proposal.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{Content, Dossier, Entry, Ground, Proposed, effect::Effects, order::Order};
use crate::{
    decision::{Bounds, CloseEntry, Covered, Papers, ProposalEntry, SignOffEntry, poll},
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
    closings: Vec<(&'a Entry, Close)>,
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
        let closings = of(Kind::CLOSE)
            .filter_map(|one| Some((one, Close::from_bytes(payload(one)?).ok()?)));
        Self {
            ground,
            dossier,
            order,
            effect,
            known: read.iter().map(|one| one.by.entry).collect(),
            proposals: proposals.collect(),
            sign_offs: sign_offs.collect(),
            closings: closings.collect(),
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
        let timing = Timing::of(self.ground, self.dossier, &self.closings, &id);
        let charters = [(self.ground.charter_hash, self.ground.charter)];
        look(&Papers {
            charters: &charters,
            audience: &self.effect.audience(self.order.pasts.get(&id)),
            proposal,
            earlier: &earlier,
            sign_offs: &self.sign_offs_on(&id, &earlier, &timing),
            closings: &self.closings_of(&id),
            shut: &timing.shut(),
        })
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
        let of_this = self.closings.iter().filter(|(_, close)| close.proposal == *id);
        let entry = |(one, says): &(&Entry, Close)| {
            let unread = says.counted.iter().filter(|listed| !self.known.contains(*listed));
            let unread = unread.copied().collect();
            CloseEntry { by: one.by.clone(), says: says.clone(), unread }
        };
        of_this.map(entry).collect()
    }
}

/// Entries of each feed up to the first sign-off or closing that cannot be read: a later answer must
/// not be taken for the first.
fn readable(dossier: &Dossier) -> Vec<&Entry> {
    let mut by_feed: BTreeMap<FeedId, Vec<&Entry>> = BTreeMap::new();
    for entry in &dossier.entries {
        by_feed.entry(entry.feed).or_default().push(entry);
    }
    let mut read = Vec::new();
    for entries in by_feed.values_mut() {
        entries.sort_by_key(|one| (one.by.seq, one.by.entry));
        let answers = |one: &Entry| one.kind == Kind::SIGNOFF || one.kind == Kind::CLOSE;
        let is_here = |one: &Entry| matches!(one.content, Content::Here(_));
        let gap = entries.iter().position(|one| answers(one) && !is_here(one));
        read.extend(entries.iter().take(gap.unwrap_or(entries.len())).copied());
    }
    read
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

/// What of each feed is in time for a proposal.
struct Timing<'a> {
    dossier: &'a Dossier,
    /// None while nobody has closed the proposal.
    bounds: Option<BTreeMap<FeedId, Bounds>>,
}

impl<'a> Timing<'a> {
    fn of(
        ground: Ground<'_>,
        dossier: &'a Dossier,
        closings: &[(&Entry, Close)],
        proposal: &EntryId,
    ) -> Self {
        let of_this = closings.iter().filter(|(_, close)| close.proposal == *proposal);
        let places: Vec<(FeedId, u64)> = of_this.map(|(one, _)| (one.feed, one.by.seq)).collect();
        if places.is_empty() {
            return Self { dossier, bounds: None };
        }
        let seats: BTreeSet<OrgId> = ground.charter.seats().map(|member| member.org).collect();
        let covered = covered(dossier, &places);
        let bounds = dossier.feeds.iter().map(|(feed, (author, _))| {
            let others = seats.iter().filter(|org| *org != author);
            let of_others: Vec<Covered> =
                others.clone().filter_map(|org| covered.get(&(*org, *feed)).copied()).collect();
            let own = places.iter().filter(|(of, _)| of == feed).map(|(_, seq)| *seq).min();
            (*feed, Bounds::of(others.count(), &of_others, own))
        });
        Self { dossier, bounds: Some(bounds.collect()) }
    }

    fn is_in_time(&self, one: &Entry) -> bool {
        match self.bounds.as_ref().and_then(|bounds| bounds.get(&one.feed)) {
            Some(bounds) => one.by.settled && one.by.seq < bounds.in_time,
            None => one.by.settled,
        }
    }

    /// Organisations of whose feeds nothing can come in time any more, and which were read so far.
    fn shut(&self) -> BTreeSet<OrgId> {
        let Some(bounds) = &self.bounds else { return BTreeSet::new() };
        let is_open = |(feed, (_, size)): &(&FeedId, &(OrgId, u64))| {
            let shut = bounds.get(*feed).and_then(|bounds| bounds.shut);
            shut.is_none_or(|shut| shut > *size)
        };
        let feeds = || self.dossier.feeds.iter();
        let open: BTreeSet<OrgId> = feeds().filter(is_open).map(|(_, (org, _))| *org).collect();
        feeds().map(|(_, (org, _))| *org).filter(|org| !open.contains(org)).collect()
    }
}

/// How far each member's acknowledgements cover each feed, up to and with its first
/// acknowledgement of one of these closings.
fn covered(dossier: &Dossier, closings: &[(FeedId, u64)]) -> BTreeMap<(OrgId, FeedId), Covered> {
    let names_closing = |one: &super::Acknowledged| {
        closings.iter().any(|(feed, seq)| one.of == *feed && one.entries > *seq)
    };
    let mut until: BTreeMap<OrgId, (u64, u64)> = BTreeMap::new();
    for one in dossier.acknowledged.iter().filter(|one| names_closing(one)) {
        let first = until.entry(one.by).or_insert(one.place);
        *first = one.place.min(*first);
    }
    let mut covered: BTreeMap<(OrgId, FeedId), Covered> = BTreeMap::new();
    let feeds = || dossier.feeds.keys();
    for org in until.keys() {
        for feed in feeds() {
            covered.insert((*org, *feed), Covered { entries: 0, has_closing: true });
        }
    }
    for one in &dossier.acknowledged {
        let limit = until.get(&one.by);
        if limit.is_some_and(|limit| one.place > *limit) {
            continue;
        }
        let known = covered
            .entry((one.by, one.of))
            .or_insert(Covered { entries: 0, has_closing: limit.is_some() });
        known.entries = one.entries.max(known.entries);
    }
    covered
}
