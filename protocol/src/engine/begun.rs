//! Stage 7 of 8: view. From `engine::audience`; to whoever lists artefacts.
//!
//! Which artefacts a board has, the one begun last before the others: by the time that its opening
//! claims, then by id. Reads a record and one header of each, never what they say.
//!
//! *Invariants.* Equal entries give an equal order, whatever the order of arrival. An artefact whose
//! opening has not come stands after all others.
//!
//! Source: ours.

use alloc::vec::Vec;
use core::cmp::Reverse;

use super::{
    audience::{ArtefactRecord, FirstOpening},
    tables::{Reader, Table, after_prefix, place_key, read_placed_key},
    view::BoardView,
};
use crate::{
    feed::Header,
    hash::{ArtefactId, FeedId, OrgId},
    time::TimeMs,
};

/// One artefact of a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// The artefact.
    pub artefact: ArtefactId,
    /// Its opening, and when that claims to have been written, once it has come.
    pub opening: Option<(FirstOpening, TimeMs)>,
}

impl BoardView {
    /// The artefacts of the board, the one begun last before the others.
    #[must_use]
    pub fn begun(&self, reader: &dyn Reader) -> Vec<Begun> {
        let of = |(artefact, record): (ArtefactId, ArtefactRecord)| {
            let opener = record.opener();
            let opening = record.first.and_then(|first| {
                let at = self.opened_at(reader, &artefact, (opener, &first))?;
                Some((first, at))
            });
            Begun { artefact, opening }
        };
        let mut begun: Vec<Begun> =
            ArtefactRecord::all(reader, &self.board).into_iter().map(of).collect();
        begun.sort_by_key(|one| {
            let at = one.opening.as_ref().map(|(_, at)| *at);
            (Reverse(at), one.artefact)
        });
        begun
    }

    /// When an opening claims to have been written. It is nearly always the first that its author's
    /// feed says about the artefact.
    fn opened_at(
        &self,
        reader: &dyn Reader,
        artefact: &ArtefactId,
        (opener, first): (OrgId, &FirstOpening),
    ) -> Option<TimeMs> {
        let mut feeds = self.feeds.iter().filter(|(_, feed)| feed.descriptor.org == opener);
        feeds.find_map(|(feed, _)| {
            let header = |key: Vec<u8>| {
                let (_, branch, seq) = read_placed_key(&key)?;
                let bytes = reader.get(Table::Headers, &place_key(feed, branch, seq))?;
                let is_opening = Header::id_of(&bytes) == first.entry;
                Header::from_bytes(&bytes).ok().filter(|_| is_opening)
            };
            placed_in(reader, artefact, feed).find_map(header).map(|header| header.t)
        })
    }
}

/// Keys of the places of a feed that say something about an artefact, each read when it is asked for.
fn placed_in<'a>(
    reader: &'a dyn Reader,
    artefact: &ArtefactId,
    feed: &FeedId,
) -> impl Iterator<Item = Vec<u8>> + use<'a> {
    let prefix = [&artefact.as_bytes()[..], feed.as_bytes()].concat();
    let end = after_prefix(&prefix).unwrap_or_default();
    let mut next = prefix;
    core::iter::from_fn(move || {
        let (key, _) = reader.scan(Table::Placed, &next, &end, 1).pop()?;
        next = [&key[..], &[0]].concat();
        Some(key)
    })
}
