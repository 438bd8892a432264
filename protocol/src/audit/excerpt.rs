//! Excerpts of a bundle: all of some boards, and of content that goes to an audience that of selected
//! entries alone.
//!
//! | record | kept |
//! |---|---|
//! | founding file | of the boards |
//! | card | of their members |
//! | run | of their feeds: every header and every signed head |
//! | payload | of selected entries, and of kinds without the bit W |
//!
//! So what an audit finds in the whole it finds in the excerpt: membership, keys, chains, signatures,
//! acknowledgements, evidence; not what is wrong with the content that stays behind. What the other entries
//! say is withheld, as it is from a member outside their audience (SPEC 10.1): the entry is there by its
//! hashes. Nobody need be trusted who makes one.
//!
//! Invariant: no byte of a payload of kind W of any other entry is written. Goes record by record,
//! like the reading; knows nothing of what a payload says.
//!
//! Source: ours, `SPEC.md` section "Bundle".

use alloc::{collections::BTreeSet, vec::Vec};

use super::{
    bundle::{LoosePayload, Record, Writer},
    selection::Selection,
};
use crate::{
    charter::{Charter, Founding, Unfounded},
    codec::{self, Malformed},
    feed::{CompactEntry, Run},
    hash::{BoardId, FeedId, OrgId},
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

/// Makes an excerpt of a bundle.
#[derive(Debug)]
pub struct Excerpt {
    selection: Selection,
    boards: BTreeSet<BoardId>,
    members: BTreeSet<OrgId>,
    feeds: BTreeSet<FeedId>,
    writer: Writer,
    /// The feed of the last run that was kept, and the places there of which payloads are kept.
    last: Option<(FeedId, BTreeSet<u64>)>,
}

impl Excerpt {
    /// Of these boards and their feeds, with the content of a selection; and the bytes that begin the file.
    #[must_use]
    pub fn of<'a>(
        selection: Selection,
        boards: impl IntoIterator<Item = (BoardId, &'a Charter)>,
        feeds: impl IntoIterator<Item = FeedId>,
    ) -> (Self, &'static [u8]) {
        let (writer, magic) = Writer::new();
        let (boards, charters): (BTreeSet<_>, Vec<_>) = boards.into_iter().unzip();
        let members = charters.into_iter().flat_map(|charter| &charter.members);
        let members = members.map(|member| member.org).collect();
        let feeds = feeds.into_iter().collect();
        (Self { selection, boards, members, feeds, writer, last: None }, magic)
    }

    /// Takes the next record of the whole; gives the bytes to be written next, if any.
    ///
    /// # Errors
    /// [`BadRecord`], exactly.
    pub fn take(&mut self, record: Record<'_>) -> Result<Vec<u8>, BadRecord> {
        Ok(match record {
            Record::Founding(body) => {
                let founding = Founding::from_bytes(body)?;
                self.kept(self.boards.contains(&founding.board()), |writer| {
                    writer.founding(&founding)
                })
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
        let places = (from..).zip(&run.entries).filter(|(_, entry)| self.keeps(&feed, entry));
        self.last = Some((feed, places.map(|(seq, _)| seq).collect()));
        let entries = run.entries.into_iter().map(|entry| match self.keeps(&feed, &entry) {
            true => entry,
            false => entry.withheld(),
        });
        let run = Run { entries: entries.collect(), ..run };
        codec::expect_len("run", run.to_bytes().len(), FRAME_BYTES_MAX)?;
        Ok(run)
    }

    fn keeps(&self, feed: &FeedId, entry: &CompactEntry) -> bool {
        !entry.kind.is_withheld() || self.selection.takes(feed, entry)
    }
}
