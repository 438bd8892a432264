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

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{Content, Dossier, Entry, Ground, order::Order};
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
    openings: BTreeMap<EntryId, Audience>,
    widenings: BTreeMap<EntryId, (OrgId, Widening)>,
    /// Whether each entry counts.
    pub(super) standings: BTreeMap<EntryId, Standing>,
}

impl<'a> Effects<'a> {
    pub(super) fn of(ground: Ground<'_>, dossier: &'a Dossier, order: &'a Order) -> Self {
        let mut effects = Self {
            dossier,
            order,
            by_id: dossier.entries.iter().map(|one| (one.by.entry, one)).collect(),
            openings: BTreeMap::new(),
            widenings: BTreeMap::new(),
            standings: BTreeMap::new(),
        };
        effects.read_audience(ground);
        for entry in &dossier.entries {
            let standing = effects.standing(ground, entry);
            effects.standings.insert(entry.by.entry, standing);
        }
        effects
    }

    /// Openings and widenings whose place is known, of every author.
    fn read_audience(&mut self, ground: Ground<'_>) {
        let dossier = self.dossier;
        let placed = |one: &&Entry| self.order.pasts.contains_key(&one.by.entry);
        for entry in dossier.entries.iter().filter(placed) {
            let Content::Here(sealed) = &entry.content else { continue };
            if entry.by.charter != ground.charter_hash {
                continue;
            }
            let (id, bytes) = (entry.by.entry, sealed.payload.bytes());
            if entry.kind == Kind::OPEN {
                let is_of_this = |open: &Open| {
                    open.artefact_id(&dossier.board, &entry.by.org) == dossier.artefact
                };
                if let Some(open) = Open::from_bytes(bytes).ok().filter(is_of_this) {
                    self.openings.insert(id, open.audience);
                }
            } else if entry.kind == Kind::AUDIENCE
                && let Ok(widening) = Widening::from_bytes(bytes)
            {
                self.widenings.insert(id, (entry.by.org, widening));
            }
        }
    }

    fn standing(&self, ground: Ground<'_>, entry: &Entry) -> Standing {
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
        if !self.includes(&by.org, Some(past)) {
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

    /// Who receives the content, by what lies in this past; by everything if none is given. Nobody,
    /// as long as no opening is known: who relies on none cannot say that it was let in.
    pub(super) fn audience(&self, past: Option<&Frontier>) -> Audience {
        let is_known = |id: &EntryId| past.is_none_or(|past| self.order.is_in(id, past));
        let named = self.openings.iter().filter(|(id, _)| is_known(id)).map(|(_, named)| named);
        let named: Vec<&Audience> = named.collect();
        if named.is_empty() {
            return Audience::Only(Vec::new());
        }
        let mut only: Option<BTreeSet<OrgId>> = None;
        for audience in named {
            if let Audience::Only(orgs) = audience {
                let orgs: BTreeSet<OrgId> = orgs.iter().copied().collect();
                only = Some(only.map_or(orgs.clone(), |only| &only & &orgs));
            }
        }
        let Some(mut all) = only else { return Audience::Everyone };
        all.insert(self.dossier.opener);
        loop {
            let before = all.len();
            for (id, (by, widening)) in &self.widenings {
                if is_known(id) && all.contains(by) {
                    all.extend(widening.orgs.iter().copied());
                }
            }
            if all.len() == before {
                return Audience::Only(all.into_iter().collect());
            }
        }
    }

    /// Whether an organisation receives the content, by what lies in this past.
    pub(super) fn includes(&self, org: &OrgId, past: Option<&Frontier>) -> bool {
        match self.audience(past) {
            Audience::Everyone => true,
            Audience::Only(orgs) => orgs.binary_search(org).is_ok(),
        }
    }
}
