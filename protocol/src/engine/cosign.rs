//! Checkpoints and cosignatures: what a verifier who knows nothing of our formats reads of a decision.
//!
//! ```text
//! own proposal, sign-off, close ──▶ `checkpoint` entry right after it, in the same run
//! `checkpoint` entry of another ──▶ repeats the head before it? ──▶ seen
//! seen beyond given ──▶ with the next acknowledgements ──▶ one `cosign` entry, of the newest of each feed
//! ```
//!
//! The head after such an entry is mandatory and was verified against the entries that we hold, so a
//! checkpoint that repeats it needs no more looking. Who cosigns the newest has cosigned those before it:
//! they are prefixes of what it covers.
//!
//! Invariants: never two roots at one size of an origin, never a smaller size after a larger: how far we
//! cosigned is durable with the entry that says so, and comes back with our own feed. Nothing of a feed
//! with two histories, or another in its place, is cosigned.
//!
//! Source: C2SP tlog-cosignature; when and of what is ours.

use alloc::vec::Vec;

use super::{
    Engine, Step,
    record::CosignRow,
    state::Board,
    tables::{Reader, Table, after_prefix, board_key, cosign_key, place_key, read_cosign_key},
};
use crate::{
    checkpoint::{Checkpoint, Cosigned, CosignedList, Origin, SignedCheckpoint},
    codec::Malformed,
    feed::{Descriptor, Draft, Head, Kind, SignedHead},
    hash::{BoardId, FeedId, OrgId},
    identity::Signer,
    limits::COSIGNATURES_MAX,
};

/// Rows that are read at start, at most: one a feed.
const ROWS_MAX: usize = 1_000_000;

/// Longer than a checkpoint's payload is, with the one signature that its author makes.
pub(super) const CHECKPOINT_BYTES: usize = 512;

/// Whether an organisation signs a checkpoint of its feed right after an entry of this kind.
pub(super) fn calls_for_checkpoint(kind: Kind) -> bool {
    [Kind::PROPOSAL, Kind::SIGNOFF, Kind::CLOSE].contains(&kind)
}

/// The checkpoint that says the same as a head of our own.
pub(super) fn checkpoint_of(head: &Head, author: &Descriptor, signer: &dyn Signer) -> Draft {
    let checkpoint = Checkpoint { origin: Origin::of(author), size: head.size, root: head.root };
    Draft::of(Kind::CHECKPOINT, checkpoint.sign(signer).to_bytes())
}

impl Engine {
    /// Reads how far we cosigned on a board.
    pub(super) fn open_cosigned(
        &mut self,
        id: &BoardId,
        reader: &dyn Reader,
    ) -> Result<(), Malformed> {
        let prefix = board_key(id);
        let end = after_prefix(&prefix).unwrap_or_default();
        let Some(board) = self.boards.get_mut(id) else { return Ok(()) };
        for (key, bytes) in reader.scan(Table::Cosigned, &prefix, &end, ROWS_MAX) {
            let of = read_cosign_key(&key).ok_or(Malformed::Shape { what: "cosigned key" })?;
            board.cosigned.insert(of, CosignRow::from_bytes(&bytes)?);
        }
        if board.cosigned.values().any(CosignRow::is_due) {
            board.acks.due.get_or_insert(crate::time::TimeMs(0));
        }
        Ok(())
    }

    /// Takes the checkpoint that stands at `seq` of a feed, if it repeats the head before it.
    pub(super) fn apply_checkpoint(
        &mut self,
        step: &Step<'_>,
        (board, id): (BoardId, FeedId),
        (seq, payload): (u64, &[u8]),
    ) {
        let Some(feed) = self.feed(&board, &id).filter(|feed| !feed.is_limited()) else { return };
        let author = feed.descriptor;
        let origin = Origin::of(&author);
        let Ok(signed) = SignedCheckpoint::from_bytes(payload, (&origin, &author.key), &[]) else {
            return;
        };
        let Checkpoint { size, root, .. } = *signed.checkpoint();
        let repeats = |head: Head| (head.size, head.root) == (size, root);
        if author.org != self.me.org
            && size == seq
            && self.kept_head(step, &id, size).is_some_and(repeats)
        {
            self.note_cosigned(&board, (author.org, author.epoch), |row| {
                row.seen = row.seen.max(size);
            });
        }
    }

    /// Our own cosignatures stand in our feed, perhaps fetched back after a restore.
    pub(super) fn apply_cosigned(&mut self, board: &BoardId, id: &FeedId, payload: &[u8]) {
        let is_ours = self.feed(board, id).is_some_and(|feed| feed.descriptor.org == self.me.org);
        let Ok(CosignedList { given }) = CosignedList::from_bytes(payload) else { return };
        let given = given.into_iter().map(|one| one.checkpoint);
        for Checkpoint { origin, size, .. } in
            given.filter(|of| is_ours && of.origin.board == *board)
        {
            self.note_cosigned(board, (origin.org, origin.epoch), |row| {
                row.given = row.given.max(size);
            });
        }
    }

    fn note_cosigned(
        &mut self,
        id: &BoardId,
        of: (OrgId, u64),
        change: impl FnOnce(&mut CosignRow),
    ) {
        let Some(board) = self.boards.get_mut(id) else { return };
        let row = board.cosigned.entry(of).or_default();
        change(row);
        self.pending.put(Table::Cosigned, cosign_key(id, of), row.to_bytes());
    }

    /// Drafts cosignatures of the newest checkpoints that we have not cosigned yet.
    pub(super) fn draft_cosignatures(&mut self, step: &Step<'_>, id: &BoardId) {
        // What our feed says that we cosigned may still be on its way back to us.
        let is_ready = |board: &&Board| board.restoring.is_none() && self.is_witness(board);
        let Some(board) = self.boards.get(id).filter(is_ready) else { return };
        let due = board.cosigned.iter().filter(|(_, row)| row.is_due());
        let due: Vec<((OrgId, u64), u64)> = due.map(|(of, row)| (*of, row.seen)).collect();
        let checkpoint = |((org, epoch), size): ((OrgId, u64), u64)| {
            let mut feeds = self.boards.get(id)?.feeds.values();
            let feed = feeds.find(|feed| {
                let of = &feed.descriptor;
                (of.org, of.epoch) == (org, epoch) && !feed.is_limited()
            })?;
            let root = self.kept_head(step, &feed.trunk.tip.feed(), size)?.root;
            Some(Checkpoint { origin: Origin::of(&feed.descriptor), size, root })
        };
        let time_s = step.now.0 / 1_000;
        let given: Vec<Cosigned> = due
            .into_iter()
            .filter_map(checkpoint)
            .map(|checkpoint| Cosigned::sign(&checkpoint, time_s, self.me.witness.as_ref()))
            .collect();
        let Some(board) = self.boards.get_mut(id) else { return };
        for Cosigned { checkpoint: Checkpoint { origin, size, .. }, .. } in &given {
            // The row follows with the entry; until that is signed it is not drafted again.
            board.cosigned.entry((origin.org, origin.epoch)).or_default().given = *size;
        }
        for given in given.chunks(COSIGNATURES_MAX) {
            let list = CosignedList { given: given.to_vec() };
            board.drafts.push_back((None, Draft::of(Kind::COSIGN, list.to_bytes())));
        }
    }

    /// Whether the board knows the key that we cosign with as ours.
    fn is_witness(&self, board: &Board) -> bool {
        let member = board.founding.charter().member(&self.me.org);
        member.is_some_and(|member| member.witness_key == self.me.witness.public())
    }

    /// The head of a feed's first chain at a size, if it is one that is kept.
    fn kept_head(&self, step: &Step<'_>, id: &FeedId, size: u64) -> Option<Head> {
        let bytes = self.pending.get(step.reader, Table::Heads, &place_key(id, 0, size))?;
        SignedHead::from_bytes(&bytes).ok().map(|signed| signed.head)
    }
}
