//! Which entries count, and why others do not.
//!
//! ```text
//! held       its feed is forked and its chain is not settled, or two chains are
//! void       it lies beyond the end of its feed
//! waiting    it names a charter, or relies on an entry, that is not here; or its payload is due
//! withheld   its payload is not for the reader
//! beyond     its feed said more about the artefact before it than has effect
//! barred     its author takes no part, may not edit, or was not in the audience as far as it knew; or
//!            whoever began the artefact might not
//! counts     otherwise
//! ```
//!
//! In this order: the first that applies is told. A member that is not in the audience, or that the
//! charter does not let edit, can still sign what it likes; it has no effect anywhere.

use alloc::collections::BTreeMap;

use super::{
    Content, Dossier, Entry, Ground,
    inside::{Inside, Seen},
    order::Order,
};
use crate::{
    artefact::lifecycle::Frontier,
    charter::{KindTerms, Status},
    feed::Kind,
    hash::{EntryId, OrgId},
    payload::{Audience, Open, Widening},
};

/// Whether an entry counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It does.
    Counts,
    /// Its feed is forked, and its chain is not the one that stands.
    Held,
    /// It lies beyond the end of its feed.
    Void,
    /// Something is not here yet.
    Waiting(Lack),
    /// Its payload is not for the reader.
    Withheld,
    /// Its author is no active member.
    NoPart,
    /// The charter does not let whoever began the artefact begin one of this kind and schema version.
    MayNotBegin,
    /// Its author was not in the audience, as far as it knew.
    OutsideAudience,
    /// The charter does not let its author edit this kind of artefact.
    MayNotEdit,
    /// Its feed says more about the artefact than has effect: [`crate::limits::ARTEFACT_BYTES_MAX`].
    Beyond,
}

/// What is not here yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// The charter that it names.
    Charter,
    /// An entry that it, or one before it in its feed, relies on.
    Entry,
    /// Its payload.
    Payload,
}

/// See the module.
pub(super) struct Effects<'a> {
    dossier: &'a Dossier,
    order: &'a Order,
    by_id: BTreeMap<EntryId, &'a Entry>,
    inside: Inside,
    /// Whether each entry counts.
    pub(super) standings: BTreeMap<EntryId, Standing>,
}

impl<'a> Effects<'a> {
    pub(super) fn of(ground: Ground<'_>, dossier: &'a Dossier, order: &'a Order) -> Self {
        let mut effects = Self {
            dossier,
            order,
            by_id: dossier.entries.iter().map(|one| (one.by.entry, one)).collect(),
            inside: Inside::new(ground, dossier),
            standings: BTreeMap::new(),
        };
        effects.read_audience(ground);
        let mut known = BTreeMap::new();
        for entry in &dossier.entries {
            let standing = effects.standing(ground, entry, &mut known);
            effects.standings.insert(entry.by.entry, standing);
        }
        effects
    }

    /// Openings and widenings whose place is known, of every author.
    fn read_audience(&mut self, ground: Ground<'_>) {
        let dossier = self.dossier;
        for entry in self.order.sorted(dossier.entries.iter().filter(|one| is_said(one))) {
            let Content::Here(sealed) = &entry.content else { continue };
            if entry.by.charter != ground.charter_hash {
                continue;
            }
            let bytes = sealed.payload.bytes();
            if entry.kind == Kind::OPEN {
                let is_of_this = |open: &Open| {
                    open.artefact_id(&dossier.board, &entry.by.org) == dossier.artefact
                };
                if let Some(open) = Open::from_bytes(bytes).ok().filter(is_of_this) {
                    self.inside.open(self.order, entry, open.audience);
                }
            } else if entry.kind == Kind::AUDIENCE
                && let Ok(widening) = Widening::from_bytes(bytes)
            {
                self.inside.widen(self.order, entry, widening);
            }
        }
    }

    fn standing(
        &self,
        ground: Ground<'_>,
        entry: &Entry,
        known: &mut BTreeMap<Seen, Audience>,
    ) -> Standing {
        let Entry { by, kind, .. } = entry;
        if self.order.is_held(entry) {
            return Standing::Held;
        }
        if !by.may_count() {
            return Standing::Void;
        }
        if by.charter != ground.charter_hash {
            return Standing::Waiting(Lack::Charter);
        }
        let Some(past) = self.order.pasts.get(&by.entry) else {
            return Standing::Waiting(Lack::Entry);
        };
        match entry.content {
            Content::Here(_) => {}
            Content::Due => return Standing::Waiting(Lack::Payload),
            Content::Withheld => return Standing::Withheld,
            Content::Beyond => return Standing::Beyond,
        }
        let member = ground.charter.member(&by.org);
        let Some(member) = member.filter(|member| member.status == Status::Active) else {
            return Standing::NoPart;
        };
        let mut terms = ground.charter.kinds.iter();
        let terms = terms.find(|terms| terms.kind == self.dossier.kind);
        if !terms.is_some_and(|terms| self.may_begin(ground, terms)) {
            return Standing::MayNotBegin;
        }
        if *kind == Kind::OPEN {
            return Standing::Counts;
        }
        let seen = self.inside.seen(past);
        if !known.contains_key(&seen) {
            known.insert(seen.clone(), self.inside.audience(&seen));
        }
        if !known.get(&seen).is_some_and(|audience| is_in(&by.org, audience)) {
            return Standing::OutsideAudience;
        }
        let may_edit = terms.is_some_and(|terms| terms.edits.includes(member));
        match *kind == Kind::CHANGE && !may_edit {
            true => Standing::MayNotEdit,
            false => Standing::Counts,
        }
    }

    /// Whether the charter lets the one who began the artefact begin one of its kind.
    fn may_begin(&self, ground: Ground<'_>, terms: &KindTerms) -> bool {
        let opener = ground.charter.member(&self.dossier.opener);
        terms.schema_version == self.dossier.schema_version
            && opener.is_some_and(|opener| terms.creates.permits(opener))
    }

    /// The entries.
    pub(super) fn entries(&self) -> impl Iterator<Item = &'a Entry> {
        self.dossier.entries.iter()
    }

    /// The entry with this id.
    pub(super) fn entry(&self, id: &EntryId) -> Option<&'a Entry> {
        self.by_id.get(id).copied()
    }

    /// The payload of an entry that counts.
    pub(super) fn counting(&self, id: &EntryId) -> Option<&'a [u8]> {
        let counts = self.standings.get(id) == Some(&Standing::Counts);
        self.payload(id).filter(|_| counts)
    }

    /// The payload of an entry, if it is here.
    pub(super) fn payload(&self, id: &EntryId) -> Option<&'a [u8]> {
        match &self.by_id.get(id)?.content {
            Content::Here(sealed) => Some(sealed.payload.bytes()),
            Content::Due | Content::Withheld | Content::Beyond => None,
        }
    }

    /// Who receives the content, by what lies in this past; by everything if none is given.
    pub(super) fn audience(&self, past: Option<&Frontier>) -> Audience {
        match past {
            Some(past) => self.inside.audience(&self.inside.seen(past)),
            None => self.inside.all(),
        }
    }

    /// Whether an organisation receives the content, by what lies in this past.
    pub(super) fn includes(&self, org: &OrgId, past: Option<&Frontier>) -> bool {
        is_in(org, &self.audience(past))
    }
}

fn is_said(entry: &Entry) -> bool {
    entry.kind == Kind::OPEN || entry.kind == Kind::AUDIENCE
}

fn is_in(org: &OrgId, audience: &Audience) -> bool {
    match audience {
        Audience::Everyone => true,
        Audience::Only(orgs) => orgs.binary_search(org).is_ok(),
    }
}
