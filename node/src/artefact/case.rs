//! All that is known of one artefact at one moment.
//!
//! *Invariants.* Made of a snapshot alone. An artefact whose document is suspended is still a case:
//! its entries, state and proposals are there, its fields are not.
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
    engine::BoardView,
    hash::{ArtefactId, CharterHash, EntryId, OrgId},
    replay::{Conflict, Cut, Dossier, Ground, Replay, conflicts, replay},
    time::TimeMs,
    verdict::ChangeHash,
};

use super::{Care, names};
use crate::{
    clock,
    control::{AsOf, Refusal},
    replica::Snapshot,
};

/// All that is known of one artefact.
#[derive(Debug)]
pub struct Case<'a> {
    /// Over which it was worked out.
    pub snapshot: &'a Snapshot,
    /// The board.
    pub board: &'a BoardView,
    /// Its charter.
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

/// Which part of what is known, and how sure to be of it.
#[derive(Debug, Clone)]
pub enum Span {
    /// All, to look at it.
    Look(AsOf),
    /// All, with acknowledgements, to prove something.
    Prove,
    /// All, to sign something on top of it.
    Sign,
}

impl<'a> Case<'a> {
    /// The case of the artefact that a person named.
    ///
    /// # Errors
    /// - [`Refusal`]: it is not known, or of a kind that this program does not know.
    pub fn of(snapshot: &'a Snapshot, named: &str, span: &Span) -> Result<Self, Refusal> {
        let (board, artefact) = names::artefact_named(snapshot, named)?;
        Self::of_artefact(snapshot, board, &artefact, span)
    }

    /// The case of an artefact.
    ///
    /// # Errors
    /// As [`Case::of`].
    pub fn of_artefact(
        snapshot: &'a Snapshot,
        board: &'a BoardView,
        artefact: &ArtefactId,
        span: &Span,
    ) -> Result<Self, Refusal> {
        let charter = snapshot.charter(board)?;
        let reader = snapshot.reader.apart();
        let with_acks = matches!(span, Span::Prove | Span::Look(AsOf::KnownTo(_)));
        let dossier = Dossier::gather(&reader, board, artefact, with_acks);
        if let Some(error) = reader.failure() {
            return Err(Refusal::new("store", error));
        }
        let dossier = dossier.ok_or_else(|| {
            let message = format!("the opening of {artefact} has not come yet; try again later");
            Refusal::new("not-here", message)
        })?;
        let kind = known_kind(&dossier)?;
        let skeleton = snapshot.documents.skeleton(kind).map_err(suspended)?;
        let now = TimeMs(clock::now_ms());
        let (dossier, as_of) = match span {
            Span::Look(AsOf::Now) | Span::Prove | Span::Sign => (dossier, now),
            Span::Look(as_of) => cut(charter, dossier, as_of, now)?,
        };
        let is_cut = !matches!(span, Span::Look(AsOf::Now) | Span::Prove | Span::Sign);
        let charter_hash = charter.hash();
        let ground = Ground { charter, charter_hash, skeleton: &skeleton };
        let replay = replay(ground, &dossier);
        let care = if matches!(span, Span::Sign) { Care::Sign } else { Care::Look };
        let look = |document: &Document| {
            let reading = read(document);
            let found = conflicts(&replay, document, &reading);
            (reading, found)
        };
        let documents = &snapshot.documents;
        let made = if is_cut {
            documents.with_apart(artefact, &skeleton, &replay, look)
        } else {
            documents.with(artefact, &skeleton, &replay, care, look)
        };
        let seen =
            made.map(|(document, (reading, conflicts))| Seen { document, reading, conflicts });
        Ok(Self { snapshot, board, charter, charter_hash, skeleton, dossier, replay, seen, as_of })
    }

    /// The case of an artefact that is to be opened: its dossier holds nothing yet.
    ///
    /// # Errors
    /// - [`Refusal`]: the charter is not known, or Automerge fails.
    pub fn unopened(
        snapshot: &'a Snapshot,
        board: &'a BoardView,
        kind: &'static Kind,
        artefact: ArtefactId,
    ) -> Result<Self, Refusal> {
        let charter = snapshot.charter(board)?;
        let skeleton = snapshot.documents.skeleton(kind).map_err(suspended)?;
        let feeds = board.feeds.iter();
        let dossier = Dossier {
            board: board.board,
            artefact,
            opener: snapshot.me(),
            kind: kind.name.to_owned(),
            schema_version: kind.version,
            entries: Vec::new(),
            feeds: feeds.map(|(id, feed)| (*id, (feed.descriptor.org, feed.size))).collect(),
            acknowledged: Vec::new(),
        };
        let charter_hash = charter.hash();
        let replay = replay(Ground { charter, charter_hash, skeleton: &skeleton }, &dossier);
        let document = Document::new(&skeleton);
        let reading = read(&document);
        let seen = Seen { document, reading, conflicts: Vec::new() };
        Ok(Self {
            snapshot,
            board,
            charter,
            charter_hash,
            skeleton,
            dossier,
            replay,
            seen: Ok(seen),
            as_of: TimeMs(clock::now_ms()),
        })
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
        self.snapshot.documents.look(&self.dossier.artefact, look).unwrap_or_default()
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
