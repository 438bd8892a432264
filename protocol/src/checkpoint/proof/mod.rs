//! Proofs that an entry is in a feed, as any C2SP tool reads them: C2SP tlog-proof.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra jAFYIKdWhU…=                                 opaque; of ours, the header that is the leaf
//! index 12                                           of the entry, from 0, decimal
//! gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=       path from the leaf's sibling up, base64,
//! …                                                  one hash a line, 0 to 63 of them
//!                                                    (an empty line)
//! concordat/board/board-…/org-…/0                    the checkpoint, as it is signed and cosigned
//! …
//! ```
//!
//! The text of the specification, in its words: "The first line MUST be the string
//! `c2sp.org/tlog-proof@v1`"; "The second line MAY start with the string `extra` followed by a
//! space (U+0020) and base64-encoded opaque extra data. If no extra data is present, this line is
//! omitted"; "The next line MUST start with the string `index` followed by a space (U+0020) and the
//! zero-based index of the entry in the log, represented as an ASCII decimal with no leading zeroes
//! (unless the index is `0`)"; "The next zero or more non-empty lines are the base64-encoded Merkle
//! inclusion proof […], one SHA-256 hash per line, starting from the leaf's sibling hash up to the
//! root's child hash"; "After the inclusion proof lines and an empty line, the checkpoint issued by
//! the log is included verbatim".
//!
//! Extra data are not authenticated, so [`TlogProof::verify`] asks for the header by itself. Who
//! has nothing but the file takes the extra data for the header: it is the entry whose id it
//! hashes to, and no other, once the path leads from it to the root.
//!
//! Invariants: `to_bytes(from_bytes(b)) == b`; what was read has the form of a proof, and a
//! checkpoint by form; only [`TlogProof::verify`] says that anything of it holds.
//!
//! Source: C2SP tlog-proof (c2sp.org/tlog-proof), sections "Format" and "Verifying a tlog proof".

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use data_encoding::BASE64;

use super::{BadNote, Checkpoint, Cosigner, Origin, SignedCheckpoint, decimal, note::Note};
use crate::{
    codec::{self, Fixed, Malformed},
    feed::{leaf_hash, root_of_path},
    identity::PublicKey,
    limits::{HEADER_BYTES_MAX, PATH_MAX, SEQ_MAX, TLOG_PROOF_BYTES_MAX},
};

/// The first line.
const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// A proof that an entry is in a feed; nothing of it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    extra: Option<Vec<u8>>,
    index: u64,
    path: Vec<Fixed<32>>,
    checkpoint: Checkpoint,
    note: Note,
}

/// Why a proof was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTlogProof {
    /// It is too long, or its path is.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It is not UTF-8.
    #[error("the proof holds bytes that are not UTF-8 text")]
    Characters,
    /// It begins otherwise.
    #[error("this is no tlog-proof: its first line is not \"{FIRST_LINE}\"")]
    FirstLine,
    /// It has no empty line between the path and the checkpoint.
    #[error("the proof has no empty line between its path and its checkpoint")]
    NoBlankLine,
    /// Its extra data are nothing, too long, or not in canonical base64.
    #[error("the extra data of the proof are not 1 to {HEADER_BYTES_MAX} bytes in base64")]
    Extra,
    /// The line of the index is not there, or is none.
    #[error("the proof has no line \"index\" with a number in decimal where it should stand")]
    Index,
    /// A line of the path is no hash.
    #[error("hash {number} of the path is not 32 bytes in base64")]
    Hash {
        /// Which hash, from 1.
        number: usize,
    },
    /// Its checkpoint is none, or does not hold.
    #[error("the checkpoint of the proof: {0}")]
    Note(#[from] BadNote),
    /// There is no such entry in a feed of that size.
    #[error("the proof is of entry {index}, and its checkpoint covers {size} entries from 0 on")]
    Beyond {
        /// The entry.
        index: u64,
        /// The size of the checkpoint.
        size: u64,
    },
    /// The path has not the length that index and size call for.
    #[error("the path of the proof has {found} hashes, which is not the way up from its entry")]
    PathLength {
        /// How many it has.
        found: usize,
    },
    /// The path leads to another root: it is another entry, or another feed.
    #[error("the path of the proof does not lead from the entry to the root of the checkpoint")]
    OtherRoot,
}

impl TlogProof {
    /// The proof that the entry with this header stands at `index`, by its path to the checkpoint.
    #[must_use]
    pub fn of(
        header: &[u8],
        (index, path): (u64, Vec<Fixed<32>>),
        checkpoint: &SignedCheckpoint,
    ) -> Self {
        let SignedCheckpoint { checkpoint, note, .. } = checkpoint.clone();
        Self { extra: Some(header.to_vec()), index, path, checkpoint, note }
    }

    /// The bytes of the file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut lines = Vec::from([FIRST_LINE.to_string()]);
        lines.extend(self.extra.as_ref().map(|extra| format!("extra {}", BASE64.encode(extra))));
        lines.push(format!("index {}", self.index));
        lines.extend(self.path.iter().map(|hash| BASE64.encode(&hash.0)));
        lines.push(String::new());
        lines.push(String::new());
        let mut bytes = lines.join("\n").into_bytes();
        bytes.extend(self.note.to_bytes());
        bytes
    }

    /// Reads a proof; verifies nothing.
    ///
    /// # Errors
    /// [`BadTlogProof`], exactly; none of the last three, for these take a header.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadTlogProof> {
        codec::expect_len("tlog-proof", bytes.len(), TLOG_PROOF_BYTES_MAX)?;
        let text = core::str::from_utf8(bytes).map_err(|_| BadTlogProof::Characters)?;
        let (first, _) = text.split_once('\n').unwrap_or((text, ""));
        if first != FIRST_LINE {
            return Err(BadTlogProof::FirstLine);
        }
        let (head, note) = text.split_once("\n\n").ok_or(BadTlogProof::NoBlankLine)?;
        let mut lines = head.split('\n').skip(1).peekable();
        let extra = lines.next_if(|line| line.starts_with("extra "));
        let index = lines.next().and_then(|line| decimal(line.strip_prefix("index ")?));
        let extra = extra.map(extra_of).transpose()?;
        let index = index.filter(|index| *index <= SEQ_MAX).ok_or(BadTlogProof::Index)?;
        let hashes: Vec<&str> = lines.collect();
        codec::expect_count("tlog-proof path", hashes.len(), 0, PATH_MAX)?;
        let path = (1..).zip(hashes).map(|(number, line)| {
            let hash = BASE64.decode(line.as_bytes()).ok().and_then(|hash| hash.try_into().ok());
            hash.map(Fixed).ok_or(BadTlogProof::Hash { number })
        });
        let path = path.collect::<Result<_, _>>()?;
        let note = Note::from_bytes(note.as_bytes())?;
        let checkpoint = Checkpoint::from_text(&note.text)?;
        Ok(Self { extra, index, path, checkpoint, note })
    }

    /// The place of the entry, as the proof says.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The checkpoint, as the proof says.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The extra data; of ours, the header of the entry. Nothing vouches for them before
    /// [`TlogProof::verify`] took them for the header.
    #[must_use]
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// Verifies that the entry with this header is in the feed, and gives the checkpoint that
    /// covers it, with the cosignatures of the witnesses given.
    ///
    /// Whether these are enough is for a [`Policy`](super::Policy).
    ///
    /// # Errors
    /// [`BadTlogProof`], exactly: of the checkpoint first, then of index and path.
    pub fn verify(
        &self,
        header: &[u8],
        feed: (&Origin, &PublicKey),
        witnesses: &[Cosigner],
    ) -> Result<SignedCheckpoint, BadTlogProof> {
        let signed = SignedCheckpoint::from_note(self.note.clone(), feed, witnesses)?;
        let (index, Checkpoint { size, root, .. }) = (self.index, *signed.checkpoint());
        if index >= size {
            return Err(BadTlogProof::Beyond { index, size });
        }
        match root_of_path(leaf_hash(header), index, size, &self.path) {
            None => Err(BadTlogProof::PathLength { found: self.path.len() }),
            Some(found) if found != root => Err(BadTlogProof::OtherRoot),
            Some(_) => Ok(signed),
        }
    }
}

fn extra_of(line: &str) -> Result<Vec<u8>, BadTlogProof> {
    let base64 = line.strip_prefix("extra ").unwrap_or_default();
    let extra = BASE64.decode(base64.as_bytes()).map_err(|_| BadTlogProof::Extra)?;
    let fits = matches!(extra.len(), 1..=HEADER_BYTES_MAX);
    fits.then_some(extra).ok_or(BadTlogProof::Extra)
}

#[cfg(test)]
mod tests;
