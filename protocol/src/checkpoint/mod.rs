//! Checkpoints of feeds, as any C2SP tool reads them: signed by the feed, cosigned by witnesses.
//!
//! ```text
//! concordat/board/board-…/org-…/0                    origin: board, organisation, epoch
//! 20852163                                           size, decimal
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=       RFC 6962 root, base64
//!                                                    (an empty line)
//! — concordat/board/board-…/org-…/0 Az3grl…          the feed key, type 0x01
//! — concordat/witness/org-… jWbPPw…                  a witness key, type 0x04, with its time
//! ```
//!
//! `note` reads and writes the envelope, `cosign` the statements of witnesses, `proof` that an entry
//! is under a checkpoint, `policy` whose cosignatures are enough. A checkpoint says the same as a
//! feed head; it is for verifiers who know nothing of our formats. Extension lines are refused. The
//! note's bytes are the payload of a `checkpoint` entry.
//!
//! Invariants: a [`SignedCheckpoint`] in hand was signed by the feed key it was asked for, and each
//! cosignature in it by the witness it names. Knows nothing of entries: whether size and root are
//! right is for whoever holds the feed.
//!
//! Source: C2SP tlog-checkpoint, tlog-cosignature, tlog-policy, tlog-proof, signed-note.

mod cosign;
mod note;
mod policy;
mod proof;

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, str::FromStr};

use data_encoding::BASE64;

pub use cosign::{Cosigned, CosignedList, Cosigner};
pub use note::BadNote;
use note::{KeyName, Note, SignatureLine, SignatureType};
pub use policy::Policy;
pub use proof::{BadTlogProof, TlogProof};

use crate::{
    codec::Fixed,
    feed::Descriptor,
    hash::{BoardId, OrgId},
    identity::{PublicKey, Signer},
    limits::SEQ_MAX,
};

/// The name of a feed in checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The board.
    pub board: BoardId,
    /// The organisation whose feed it is.
    pub org: OrgId,
    /// The epoch of the feed.
    pub epoch: u64,
}

/// How far a feed has come, and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The feed.
    pub origin: Origin,
    /// How many entries it has.
    pub size: u64,
    /// The RFC 6962 root over their headers.
    pub root: Fixed<32>,
}

/// A checkpoint with its signature and its cosignatures. Verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    cosigned: Vec<(OrgId, Cosigned)>,
    note: Note,
}

/// Text that is not the origin of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an origin of the form concordat/board/board-…/org-…/0")]
pub struct BadOrigin;

impl Origin {
    /// The name of a feed.
    #[must_use]
    pub const fn of(feed: &Descriptor) -> Self {
        Self { board: feed.board, org: feed.org, epoch: feed.epoch }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { board, org, epoch } = self;
        write!(f, "concordat/board/{board}/{org}/{epoch}")
    }
}

impl FromStr for Origin {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        let path = text.strip_prefix("concordat/board/").ok_or(BadOrigin)?;
        let mut parts = path.split('/');
        let mut next = || parts.next().ok_or(BadOrigin);
        let origin = Self {
            board: next()?.parse().map_err(|_| BadOrigin)?,
            org: next()?.parse().map_err(|_| BadOrigin)?,
            epoch: decimal(next()?).ok_or(BadOrigin)?,
        };
        match parts.next() {
            None => Ok(origin),
            Some(_) => Err(BadOrigin),
        }
    }
}

/// A number in decimal, without sign or leading zeroes.
fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn to_text(&self) -> String {
        let root = BASE64.encode(&self.root.0);
        format!("{}\n{}\n{root}\n", self.origin, self.size)
    }

    /// Reads the text that is signed.
    ///
    /// # Errors
    /// [`BadNote::Origin`], [`BadNote::Size`], [`BadNote::Root`] or [`BadNote::Lines`].
    pub fn from_text(text: &str) -> Result<Self, BadNote> {
        let lines: Vec<_> = text.split('\n').collect();
        let [origin, size, root, ""] = lines.as_slice() else {
            let found = lines.len().saturating_sub(1);
            return Err(BadNote::Lines { found });
        };
        let size = decimal(size).filter(|size| *size <= SEQ_MAX);
        let root = BASE64.decode(root.as_bytes()).ok();
        let root = root.and_then(|root| root.try_into().ok());
        Ok(Self {
            origin: origin.parse()?,
            size: size.ok_or(BadNote::Size)?,
            root: Fixed(root.ok_or(BadNote::Root)?),
        })
    }

    /// Signs the checkpoint with the feed's key.
    #[must_use]
    pub fn sign(&self, feed: &dyn Signer) -> SignedCheckpoint {
        let text = self.to_text();
        let name = self.origin.to_string();
        let signature = feed.sign_note(&text);
        let key = KeyName::new(name, SignatureType::Ed25519, &feed.public());
        let line = SignatureLine::new(&key, signature.as_bytes());
        SignedCheckpoint {
            checkpoint: *self,
            cosigned: Vec::new(),
            note: Note { text, signatures: Vec::from([line]) },
        }
    }
}

impl SignedCheckpoint {
    /// Reads a checkpoint and verifies it: the feed's signature, and those of the witnesses given.
    ///
    /// Signatures by other keys are ignored and kept.
    ///
    /// # Errors
    /// [`BadNote`], exactly. One bad signature by a known key refuses the whole note.
    pub fn from_bytes(
        bytes: &[u8],
        feed: (&Origin, &PublicKey),
        witnesses: &[Cosigner],
    ) -> Result<Self, BadNote> {
        Self::from_note(Note::from_bytes(bytes)?, feed, witnesses)
    }

    fn from_note(
        note: Note,
        (origin, feed_key): (&Origin, &PublicKey),
        witnesses: &[Cosigner],
    ) -> Result<Self, BadNote> {
        let checkpoint = Checkpoint::from_text(&note.text)?;
        if checkpoint.origin != *origin {
            return Err(BadNote::OtherFeed { found: checkpoint.origin });
        }
        let key = KeyName::new(origin.to_string(), SignatureType::Ed25519, feed_key);
        let mut signed = false;
        for line in note.by(&key) {
            line.verify_ed25519(&note.text, feed_key)?;
            signed = true;
        }
        if !signed {
            return Err(BadNote::Unsigned { origin: *origin });
        }
        let mut cosigned = Vec::new();
        for witness in witnesses {
            for line in note.by(&witness.key_name()) {
                cosigned.push((witness.org, witness.read(&checkpoint, line)?));
            }
        }
        Ok(Self { checkpoint, cosigned, note })
    }

    /// The bytes of the signed note: the payload of a `checkpoint` entry.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.note.to_bytes()
    }

    /// What is signed.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The cosignatures of the witnesses that were known, in the order in which these were given.
    #[must_use]
    pub fn cosigned(&self) -> &[(OrgId, Cosigned)] {
        &self.cosigned
    }

    /// The same with one signature by the feed's key, and without all other lines.
    #[must_use]
    pub fn alone(&self, feed_key: &PublicKey) -> Self {
        let name = self.checkpoint.origin.to_string();
        let key = KeyName::new(name, SignatureType::Ed25519, feed_key);
        let signatures = self.note.by(&key).take(1).cloned().collect();
        let note = Note { text: self.note.text.clone(), signatures };
        Self { checkpoint: self.checkpoint, cosigned: Vec::new(), note }
    }

    /// The same checkpoint with one more cosignature.
    ///
    /// # Errors
    /// [`BadNote::Signature`] if it does not verify, [`BadNote::OtherCheckpoint`] if it is of
    /// another checkpoint, or whatever bound the longer note would break.
    pub fn with(&self, witness: &Cosigner, cosigned: &Cosigned) -> Result<Self, BadNote> {
        if cosigned.checkpoint != self.checkpoint {
            return Err(BadNote::OtherCheckpoint);
        }
        let line = witness.line(cosigned);
        let mut next = self.clone();
        next.cosigned.push((witness.org, witness.read(&self.checkpoint, &line)?));
        next.note.signatures.push(line);
        Note::from_bytes(&next.to_bytes())?;
        Ok(next)
    }
}

#[cfg(test)]
mod tests;
