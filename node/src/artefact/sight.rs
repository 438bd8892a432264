//! What an artefact is and says, whoever's entries it is worked out from: a node's or a bundle's.
//!
//! *Invariants.* Made of a dossier and a charter alone. An artefact whose document is suspended can
//! still be looked at: its entries, state and proposals are there, its fields are not.
//!
//! *Source*: ours.

use std::{collections::BTreeMap, sync::Arc};

use concordat_protocol::{
    artefact::{
        calendar::DAY_MS,
        compare::{Touch, touched_since},
        document::{Document, Skeleton, Suspended},
        kind::Kind,
        kinds,
        read::{Reading, read},
    },
    charter::Charter,
    decision::Written,
    hash::{CharterHash, EntryId, OrgId},
    replay::{Conflict, Cut, Dossier, Ground, Replay, conflicts, replay},
    time::TimeMs,
    verdict::ChangeHash,
};

use super::{Care, Documents, names};
use crate::{
    clock,
    control::{AsOf, Refusal},
};

/// What an artefact is and says.
#[derive(Debug)]
pub struct Sight<'a> {
    documents: &'a Documents,
    /// The board's charter.
    pub charter: &'a Charter,
    charter_hash: CharterHash,
    /// Of the artefact's kind.
    pub skeleton: Arc<Skeleton>,
    /// Its entries.
    pub dossier: Dossier,
    /// What they come to.
    pub replay: Replay,
    /// Its document, and what it says.
    pub seen: Result<Seen, Suspended>,
    /// As of when its state is told.
    pub as_of: TimeMs,
}

/// A document and what it says.
#[derive(Debug)]
pub struct Seen {
    /// The document.
    pub document: Document,
    /// Its fields.
    pub reading: Reading,
    /// What a person must see.
    pub conflicts: Vec<Conflict>,
}

impl<'a> Sight<'a> {
    /// What a dossier comes to, to look at it.
    ///
    /// # Errors
    /// - [`Refusal`]: it is of a kind that this program does not know, or nothing is called so.
    pub fn of(
        (documents, charter): (&'a Documents, &'a Charter),
        dossier: Dossier,
        as_of: &AsOf,
    ) -> Result<Self, Refusal> {
        let now = TimeMs(clock::now_ms());
        let is_cut = !matches!(as_of, AsOf::Now);
        let (dossier, as_of) = cut(charter, dossier, as_of, now)?;
        let made = Made { as_of, is_cut, care: Care::Look };
        Self::make(documents, charter, dossier, made)
    }

    /// What a dossier comes to, to sign something on top of it.
    ///
    /// # Errors
    /// As [`Sight::of`].
    pub(super) fn to_sign(
        (documents, charter): (&'a Documents, &'a Charter),
        dossier: Dossier,
    ) -> Result<Self, Refusal> {
        let made = Made { as_of: TimeMs(clock::now_ms()), is_cut: false, care: Care::Sign };
        Self::make(documents, charter, dossier, made)
    }

    fn make(
        documents: &'a Documents,
        charter: &'a Charter,
        dossier: Dossier,
        Made { as_of, is_cut, care }: Made,
    ) -> Result<Self, Refusal> {
        let skeleton = documents.skeleton(known_kind(&dossier)?).map_err(suspended)?;
        let charter_hash = charter.hash();
        let replay = replay(Ground { charter, charter_hash, skeleton: &skeleton }, &dossier);
        let look = |document: &Document| {
            let reading = read(document);
            let found = conflicts(&replay, document, &reading);
            (reading, found)
        };
        let artefact = &dossier.artefact;
        let made = if is_cut {
            documents.with_apart(artefact, &skeleton, &replay, look)
        } else {
            documents.with(artefact, &skeleton, &replay, care, look)
        };
        let seen =
            made.map(|(document, (reading, conflicts))| Seen { document, reading, conflicts });
        Ok(Self { documents, charter, charter_hash, skeleton, dossier, replay, seen, as_of })
    }

    /// What an artefact without entries comes to.
    ///
    /// # Errors
    /// - [`Refusal`]: Automerge fails.
    pub(super) fn unopened(
        (documents, charter): (&'a Documents, &'a Charter),
        kind: &'static Kind,
        dossier: Dossier,
    ) -> Result<Self, Refusal> {
        let skeleton = documents.skeleton(kind).map_err(suspended)?;
        let charter_hash = charter.hash();
        let replay = replay(Ground { charter, charter_hash, skeleton: &skeleton }, &dossier);
        let document = Document::new(&skeleton);
        let seen = Ok(Seen { reading: read(&document), document, conflicts: Vec::new() });
        let as_of = TimeMs(clock::now_ms());
        Ok(Self { documents, charter, charter_hash, skeleton, dossier, replay, seen, as_of })
    }

    /// What does not change from one artefact to the next.
    #[must_use]
    pub fn ground(&self) -> Ground<'_> {
        Ground { charter: self.charter, charter_hash: self.charter_hash, skeleton: &self.skeleton }
    }

    /// The hash of the charter.
    #[must_use]
    pub const fn charter_hash(&self) -> CharterHash {
        self.charter_hash
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> &'static Kind {
        self.skeleton.kind()
    }

    /// Its document, and what it says.
    ///
    /// # Errors
    /// - [`Refusal`]: it is suspended on this node.
    pub fn seen(&self) -> Result<&Seen, Refusal> {
        self.seen.as_ref().map_err(|why| suspended(*why))
    }

    /// Which change wrote which field: all changes are gone through, so only a page asks for it.
    #[must_use]
    pub fn touches(&self) -> Vec<Touch> {
        let Ok(seen) = &self.seen else { return Vec::new() };
        let look = || touched_since(&seen.document, &[]);
        self.documents.look(&self.dossier.artefact, look).unwrap_or_default()
    }

    /// The name by which the board knows an organisation.
    #[must_use]
    pub fn slug(&self, org: &OrgId) -> String {
        names::slug(self.charter, org)
    }

    /// Who wrote an entry, and when.
    #[must_use]
    pub fn written(&self, entry: &EntryId) -> Option<&Written> {
        self.dossier.entries.iter().map(|one| &one.by).find(|by| by.entry == *entry)
    }

    /// Which entry carries each applied change.
    #[must_use]
    pub fn carriers(&self) -> BTreeMap<ChangeHash, &Written> {
        let by: BTreeMap<EntryId, &Written> =
            self.dossier.entries.iter().map(|one| (one.by.entry, &one.by)).collect();
        let carried = self.replay.changes.iter();
        carried.filter_map(|one| Some((one.hash, *by.get(&one.entry)?))).collect()
    }
}

/// How to look.
struct Made {
    as_of: TimeMs,
    /// At a part of the entries.
    is_cut: bool,
    care: Care,
}

impl Seen {
    /// The conflicts that nobody has settled.
    pub fn open_conflicts(&self) -> impl Iterator<Item = &Conflict> {
        self.conflicts.iter().filter(|conflict| conflict.settled_by.is_none())
    }
}

fn known_kind(dossier: &Dossier) -> Result<&'static Kind, Refusal> {
    kinds::find(&dossier.kind, dossier.schema_version).ok_or_else(|| {
        let message = format!(
            "the artefact is of kind {} in version {}, which this program does not know; upgrade it",
            dossier.kind, dossier.schema_version
        );
        Refusal::new("newer-kind", message)
    })
}

pub(super) fn suspended(why: Suspended) -> Refusal {
    let message = format!(
        "the document is suspended on this node: {why}; its entries are kept and shared, and \
         `concordat artefact retry` opens it again"
    );
    Refusal::new("suspended", message)
}

fn cut(
    charter: &Charter,
    dossier: Dossier,
    as_of: &AsOf,
    now: TimeMs,
) -> Result<(Dossier, TimeMs), Refusal> {
    Ok(match as_of {
        AsOf::Now => (dossier, now),
        AsOf::At(named) => {
            let last = names::entry_in(&dossier, named)?;
            (dossier.cut(Cut::At(last.entry)), last.at)
        }
        AsOf::By(text) => {
            let time = names::time_named(text)?;
            (dossier.cut(Cut::By(time)), time)
        }
        AsOf::KnownTo(named) => {
            let member = names::member_named(charter, named)?;
            (dossier.cut(Cut::KnownTo(member.org)), now)
        }
    })
}

/// The day of a time, in universal time.
#[must_use]
pub fn today(now: TimeMs) -> String {
    let day = i64::try_from(now.0 / DAY_MS * DAY_MS).unwrap_or_default();
    let time = jiff::Timestamp::from_millisecond(day).unwrap_or_default();
    time.strftime("%Y-%m-%d").to_string()
}
