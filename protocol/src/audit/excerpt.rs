//! The excerpt of a bundle: all of one board, and of content that goes to an audience that of one
//! artefact alone.
//!
//! | record | kept |
//! |---|---|
//! | founding file | of the board |
//! | card | of its members |
//! | run | of its feeds: every header and every signed head |
//! | payload | of entries about the artefact, and of kinds without the bit W |
//!
//! So what an audit finds in the whole it finds in the excerpt: membership, keys, chains, signatures,
//! acknowledgements, evidence. What other artefacts say is withheld, as it is from a member outside
//! their audience (SPEC 10.1): the entry is there by its hashes. Nobody need be trusted who makes one.
//!
//! Invariant: no byte of a payload of kind W about anything else is written. Goes record by record,
//! like the reading; knows nothing of what a payload says.
//!
//! Source: ours, `SPEC.md` section "Bundle".

use alloc::{collections::BTreeSet, vec::Vec};

use super::bundle::{LoosePayload, Record, Writer};
use crate::{
    charter::{Charter, Founding, Unfounded},
    codec::{self, Malformed},
    feed::{CompactEntry, Run},
    hash::{ArtefactId, BoardId, FeedId, OrgId},
    identity::{BadCard, SignedCard},
    limits::FRAME_BYTES_MAX,
};

/// Why a record cannot be taken over; none of a bundle in which everything could be checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// A run or a payload does not read, or is too long without what it carried.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// A founding file does not hold.
    #[error(transparent)]
    Founding(#[from] Unfounded),
    /// A card does not hold.
    #[error(transparent)]
    Card(#[from] BadCard),
    /// A record that is newer than this program.
    #[error("a record of the tag {tag}, which is newer than this program")]
    Newer {
        /// Its tag.
        tag: u8,
    },
}

/// Makes the excerpt of a bundle about one artefact.
#[derive(Debug)]
pub struct Excerpt {
    artefact: ArtefactId,
    board: BoardId,
    members: BTreeSet<OrgId>,
    feeds: BTreeSet<FeedId>,
    writer: Writer,
    /// The feed of the last run that was kept, and the places there of which payloads are kept.
    last: Option<(FeedId, BTreeSet<u64>)>,
}

impl Excerpt {
    /// About an artefact on a board with these feeds; and the bytes that begin the file.
    #[must_use]
    pub fn of(
        artefact: ArtefactId,
        (board, charter): (BoardId, &Charter),
        feeds: impl IntoIterator<Item = FeedId>,
    ) -> (Self, &'static [u8]) {
        let (writer, magic) = Writer::new();
        let members = charter.members.iter().map(|member| member.org).collect();
        let feeds = feeds.into_iter().collect();
        (Self { artefact, board, members, feeds, writer, last: None }, magic)
    }

    /// Takes the next record of the whole; gives the bytes to be written next, if any.
    ///
    /// # Errors
    /// [`BadRecord`], exactly.
    pub fn take(&mut self, record: Record<'_>) -> Result<Vec<u8>, BadRecord> {
        Ok(match record {
            Record::Founding(body) => {
                let founding = Founding::from_bytes(body)?;
                self.kept(founding.board() == self.board, |writer| writer.founding(&founding))
            }
            Record::Card(body) => {
                let card = SignedCard::from_bytes(body)?;
                let is_members = self.members.contains(&card.card().org);
                self.kept(is_members, |writer| writer.card(&card))
            }
            Record::Run(body) => {
                let run = self.run(Run::from_bytes(body)?)?;
                self.kept(self.last.is_some(), |writer| writer.run(&run))
            }
            Record::Payload(body) => {
                let loose = LoosePayload::from_bytes(body)?;
                let is_kept = self.last.as_ref().is_some_and(|(feed, places)| {
                    *feed == loose.feed && places.contains(&loose.seq)
                });
                self.kept(is_kept, |writer| writer.payload(&loose))
            }
            Record::End(_) => Vec::new(),
            Record::Newer { tag } => return Err(BadRecord::Newer { tag }),
        })
    }

    /// The bytes that end the file.
    #[must_use]
    pub fn end(self) -> Vec<u8> {
        self.writer.end()
    }

    fn kept(&mut self, is_kept: bool, write: impl FnOnce(&mut Writer) -> Vec<u8>) -> Vec<u8> {
        if is_kept { write(&mut self.writer) } else { Vec::new() }
    }

    /// A run without what is withheld from it, and what payloads may follow it.
    fn run(&mut self, run: Run) -> Result<Run, Malformed> {
        self.last = None;
        if !self.feeds.contains(&run.feed) {
            return Ok(run);
        }
        let (from, feed) = (run.from, run.feed);
        let places = (from..).zip(&run.entries).filter(|(_, entry)| self.keeps(entry));
        self.last = Some((feed, places.map(|(seq, _)| seq).collect()));
        let entries = run.entries.into_iter().map(|entry| match self.keeps(&entry) {
            true => entry,
            false => entry.withheld(),
        });
        let run = Run { entries: entries.collect(), ..run };
        codec::expect_len("run", run.to_bytes().len(), FRAME_BYTES_MAX)?;
        Ok(run)
    }

    fn keeps(&self, entry: &CompactEntry) -> bool {
        !entry.kind.is_withheld() || entry.artefact == Some(self.artefact)
    }
}
