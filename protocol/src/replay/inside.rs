//! Who is in the audience, as a past has it.
//!
//! ```text
//! openings    of each feed: who all of them up to a place name       an entry that changes nothing
//! widenings   of each feed: whom it lets in first, and at what place   is not kept
//! past        ─▶ how many of each it holds ─▶ from the opened on, whoever somebody inside let in
//! ```
//!
//! *Invariants.* Pasts that hold equal openings and widenings have one audience: it is worked out once
//! for all of them. It costs as much as there are members, not as there are entries.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{Dossier, Entry, Ground, order::Order};
use crate::{
    artefact::lifecycle::Frontier,
    hash::{FeedId, OrgId},
    payload::{Audience, Widening},
};

/// See the module.
pub(super) struct Inside {
    opener: OrgId,
    /// Members, and whoever wrote something: others let nobody in.
    known: BTreeSet<OrgId>,
    sayings: BTreeMap<FeedId, Said>,
    by_author: BTreeMap<OrgId, Vec<FeedId>>,
}

/// What one feed, or branch, says about the audience.
#[derive(Default)]
struct Said {
    /// At a place, whom all openings up to it name; none is everybody.
    opened: Vec<(u64, Option<BTreeSet<OrgId>>)>,
    /// At a place, who is named for the first time.
    lets_in: Vec<(u64, OrgId)>,
    named: BTreeSet<OrgId>,
    /// Others that it names.
    strangers: BTreeSet<OrgId>,
}

/// How many openings and widenings of each feed a past holds.
pub(super) type Seen = Vec<(usize, usize)>;

impl Inside {
    pub(super) fn new(ground: Ground<'_>, dossier: &Dossier) -> Self {
        let members = ground.charter.members.iter().map(|member| member.org);
        let authors = dossier.entries.iter().map(|one| one.by.org);
        Self {
            opener: dossier.opener,
            known: members.chain(authors).chain([dossier.opener]).collect(),
            sayings: BTreeMap::new(),
            by_author: BTreeMap::new(),
        }
    }

    /// Takes an opening; those in its past were taken.
    pub(super) fn open(&mut self, order: &Order, entry: &Entry, audience: Audience) {
        let Some((said, place)) = self.said(order, entry) else { return };
        let orgs = match audience {
            Audience::Everyone => None,
            Audience::Only(orgs) => Some(orgs.into_iter().collect()),
        };
        let Some((_, before)) = said.opened.last() else {
            said.opened.push((place, orgs));
            return;
        };
        let all = both(before.clone(), orgs);
        if all != *before {
            said.opened.push((place, all));
        }
    }

    /// Takes a widening; those in its past were taken.
    pub(super) fn widen(&mut self, order: &Order, entry: &Entry, widening: Widening) {
        let (known, strange): (Vec<OrgId>, Vec<OrgId>) =
            widening.orgs.into_iter().partition(|org| self.known.contains(org));
        let Some((said, place)) = self.said(order, entry) else { return };
        said.strangers.extend(strange);
        for org in known {
            if said.named.insert(org) {
                said.lets_in.push((place, org));
            }
        }
    }

    fn said(&mut self, order: &Order, entry: &Entry) -> Option<(&mut Said, u64)> {
        let (chain, place) = *order.places.get(&entry.by.entry)?;
        if !self.sayings.contains_key(&chain) {
            self.by_author.entry(entry.by.org).or_default().push(chain);
        }
        Some((self.sayings.entry(chain).or_default(), place))
    }

    /// What of all this lies in a past.
    pub(super) fn seen(&self, past: &Frontier) -> Seen {
        let seen = |(chain, said): (&FeedId, &Said)| {
            let holds = |place: u64| past.contains(chain, place);
            let opened = said.opened.partition_point(|(place, _)| holds(*place));
            (opened, said.lets_in.partition_point(|(place, _)| holds(*place)))
        };
        self.sayings.iter().map(seen).collect()
    }

    /// Who receives the content, by all that there is.
    pub(super) fn all(&self) -> Audience {
        let sayings = self.sayings.values();
        let seen: Seen = sayings.map(|said| (said.opened.len(), said.lets_in.len())).collect();
        let Audience::Only(orgs) = self.audience(&seen) else { return Audience::Everyone };
        let mut all: BTreeSet<OrgId> = orgs.iter().copied().collect();
        let feeds = orgs.iter().filter_map(|org| self.by_author.get(org)).flatten();
        for said in feeds.filter_map(|chain| self.sayings.get(chain)) {
            all.extend(&said.strangers);
        }
        Audience::Only(all.into_iter().collect())
    }

    /// Who receives the content, by what was seen; of those who are no members, only whom an opening
    /// names. Nobody, as long as no opening is known: who relies on none cannot say that it was let in.
    pub(super) fn audience(&self, seen: &Seen) -> Audience {
        let sayings = || self.sayings.iter().zip(seen);
        let opened = |((_, said), (opened, _)): ((_, &Said), &(usize, usize))| {
            let last = opened.checked_sub(1).and_then(|last| said.opened.get(last));
            last.map(|(_, orgs)| orgs.clone())
        };
        let Some(orgs) = sayings().filter_map(opened).reduce(both) else {
            return Audience::Only(Vec::new());
        };
        let Some(mut all) = orgs else { return Audience::Everyone };
        all.insert(self.opener);
        let lets_in: BTreeMap<&FeedId, &[(u64, OrgId)]> = sayings()
            .map(|((chain, said), (_, count))| (chain, said.lets_in.get(..*count)))
            .filter_map(|(chain, lets_in)| Some((chain, lets_in?)))
            .collect();
        let mut ahead: Vec<OrgId> = all.iter().copied().collect();
        while let Some(org) = ahead.pop() {
            let feeds = self.by_author.get(&org).into_iter().flatten();
            let named = feeds.filter_map(|chain| lets_in.get(chain)).copied().flatten();
            ahead.extend(named.map(|(_, org)| *org).filter(|org| all.insert(*org)));
        }
        Audience::Only(all.into_iter().collect())
    }
}

/// Whom both openings name.
fn both(one: Option<BTreeSet<OrgId>>, other: Option<BTreeSet<OrgId>>) -> Option<BTreeSet<OrgId>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(&one & &other),
        (one, other) => one.or(other),
    }
}
