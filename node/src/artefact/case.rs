//! An artefact on a node's board: what it is and says, and where an act on it goes.
//!
//! *Invariants.* Made of a snapshot alone.
//!
//! *Source*: ours.

use std::ops::Deref;

use concordat_protocol::{
    artefact::kind::Kind, engine::BoardView, hash::ArtefactId, replay::Dossier,
};

use super::{Sight, names};
use crate::{
    control::{AsOf, Refusal},
    replica::Snapshot,
};

/// An artefact on a node's board.
#[derive(Debug)]
pub struct Case<'a> {
    /// Over which it was worked out.
    pub snapshot: &'a Snapshot,
    /// The board.
    pub board: &'a BoardView,
    sight: Sight<'a>,
}

/// Whatever may be asked of a sight may be asked of a case.
impl<'a> Deref for Case<'a> {
    type Target = Sight<'a>;

    fn deref(&self) -> &Sight<'a> {
        &self.sight
    }
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
        let ground = (snapshot.documents(), charter);
        let sight = match span {
            Span::Look(as_of) => Sight::of(ground, dossier, as_of)?,
            Span::Prove => Sight::of(ground, dossier, &AsOf::Now)?,
            Span::Sign => Sight::to_sign(ground, dossier)?,
        };
        Ok(Self { snapshot, board, sight })
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
        let sight = Sight::unopened((snapshot.documents(), charter), kind, dossier)?;
        Ok(Self { snapshot, board, sight })
    }
}
