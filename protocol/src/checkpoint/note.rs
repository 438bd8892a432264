//! C2SP signed notes: a text, an empty line, and signature lines.
//!
//! ```text
//! note      = text ending in newline, newline, line…
//! line      = "— " key name " " base64( key id 4 bytes ‖ signature ) newline
//! key id    = SHA-256( key name ‖ 0x0A ‖ type ‖ public key )[:4]
//! type        0x01 Ed25519 over the text                       64 bytes
//!             0x04 Ed25519 cosignature with its time      8 + 64 bytes
//! ```
//!
//! UTF-8 without control characters but newline; 1 to 1,000 signatures in at most 16 KiB. Name and
//! key id together name a key. Signatures of unknown keys are ignored; what a known key has signed
//! must verify.
//!
//! Invariant: `to_bytes(from_bytes(b)) == b`. Source: C2SP signed-note.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use super::{BadOrigin, Origin};
use crate::{
    codec::{self, Malformed, hex},
    identity::{PublicKey, Signature},
    limits::{CHECKPOINT_BYTES_MAX, COSIGNATURES_MAX},
};

/// Why a signed checkpoint was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadNote {
    /// It is too long, has too many signatures, or has none.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It is not UTF-8, or holds a control character.
    #[error("the checkpoint holds bytes that a note may not: only UTF-8 text and newlines")]
    Characters,
    /// It has no empty line between text and signatures.
    #[error("the checkpoint has no empty line between its text and its signatures")]
    NoBlankLine,
    /// A signature line has another form.
    #[error("signature line {number} of the checkpoint has not the form of one")]
    SignatureLine {
        /// Which line, from 1.
        number: usize,
    },
    /// Its text has not exactly three lines.
    #[error("the text of a checkpoint has 3 lines (origin, size, root), this one has {found}")]
    Lines {
        /// How many it has.
        found: usize,
    },
    /// Its first line names no feed.
    #[error(transparent)]
    Origin(#[from] BadOrigin),
    /// Its second line is no size.
    #[error("the second line of the checkpoint is no size in decimal")]
    Size,
    /// Its third line is no root.
    #[error("the third line of the checkpoint is no root of 32 bytes in base64")]
    Root,
    /// It is of another feed.
    #[error("this is a checkpoint of {found}, not of the feed that was asked for")]
    OtherFeed {
        /// The feed it is of.
        found: Origin,
    },
    /// The feed's key has not signed it.
    #[error("the checkpoint is not signed by the key of {origin}")]
    Unsigned {
        /// The feed.
        origin: Origin,
    },
    /// A signature of a known key does not verify.
    #[error("the signature by {name} on the checkpoint does not verify")]
    Signature {
        /// The key's name.
        name: String,
    },
    /// A cosignature is of another checkpoint.
    #[error("the cosignature is of another checkpoint")]
    OtherCheckpoint,
}

/// What a signature is over, and of which form it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignatureType {
    /// Ed25519 over the text.
    Ed25519 = 1,
    /// An Ed25519 cosignature with its time.
    Cosignature = 4,
}

/// What names a key in a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyName {
    name: String,
    id: [u8; 4],
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignatureLine {
    key: KeyName,
    signature: Vec<u8>,
}

/// A text with its signature lines, not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) text: String,
    pub(super) signatures: Vec<SignatureLine>,
}

impl KeyName {
    pub(super) fn new(name: String, kind: SignatureType, key: &PublicKey) -> Self {
        let mut digest = Sha256::new();
        digest.update(name.as_bytes());
        digest.update([b'\n', kind as u8]);
        digest.update(key.as_bytes());
        let digest: [u8; 32] = digest.finalize().into();
        let [a, b, c, d, ..] = digest;
        let id = [a, b, c, d];
        Self { name, id }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The key in the text form that policies name it by: its name, its id, its type and bytes.
    pub(super) fn vkey(&self, kind: SignatureType, key: &PublicKey) -> String {
        let mut bytes = Vec::from([kind as u8]);
        bytes.extend_from_slice(key.as_bytes());
        [&self.name, "+", &hex(&self.id), "+", &BASE64.encode(&bytes)].concat()
    }
}

impl SignatureLine {
    pub(super) fn new(key: &KeyName, signature: &[u8]) -> Self {
        Self { key: key.clone(), signature: signature.to_vec() }
    }

    /// The signature's bytes, after the key id.
    pub(super) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// What to say when the signature does not verify.
    pub(super) fn bad(&self) -> BadNote {
        let name = self.key.name.clone();
        BadNote::Signature { name }
    }

    pub(super) fn verify_ed25519(&self, text: &str, key: &PublicKey) -> Result<(), BadNote> {
        let bytes = self.signature.as_slice().try_into();
        let signature = Signature::ed25519(bytes.map_err(|_| self.bad())?);
        key.verify_note(text, &signature).map_err(|_| self.bad())
    }

    fn from_text(line: &str) -> Option<Self> {
        let (name, base64) = line.strip_prefix("— ")?.split_once(' ')?;
        let fits = |letter: char| !letter.is_whitespace() && letter != '+';
        if name.is_empty() || !name.chars().all(fits) {
            return None;
        }
        let bytes = BASE64.decode(base64.as_bytes()).ok()?;
        let (id, signature) = bytes.split_first_chunk()?;
        Some(Self {
            key: KeyName { name: name.to_string(), id: *id },
            signature: signature.to_vec(),
        })
    }

    fn write(&self, text: &mut String) {
        let mut bytes = self.key.id.to_vec();
        bytes.extend_from_slice(&self.signature);
        for part in ["— ", &self.key.name, " ", &BASE64.encode(&bytes), "\n"] {
            text.push_str(part);
        }
    }
}

impl Note {
    /// Reads a note; verifies nothing.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, BadNote> {
        codec::expect_len("checkpoint", bytes.len(), CHECKPOINT_BYTES_MAX)?;
        let note = core::str::from_utf8(bytes).map_err(|_| BadNote::Characters)?;
        if note.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(BadNote::Characters);
        }
        let (text, lines) = note.rsplit_once("\n\n").ok_or(BadNote::NoBlankLine)?;
        let lines: Vec<_> = lines.split_inclusive('\n').collect();
        codec::expect_count("checkpoint signatures", lines.len(), 1, COSIGNATURES_MAX)?;
        let read = |(number, line): (usize, &&str)| {
            let line = line.strip_suffix('\n').and_then(SignatureLine::from_text);
            line.ok_or(BadNote::SignatureLine { number })
        };
        Ok(Self {
            text: [text, "\n"].concat(),
            signatures: (1..).zip(&lines).map(read).collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut note = self.text.clone();
        note.push('\n');
        for line in &self.signatures {
            line.write(&mut note);
        }
        note.into_bytes()
    }

    /// The signature lines of one key.
    pub(super) fn by(&self, key: &KeyName) -> impl Iterator<Item = &SignatureLine> {
        self.signatures.iter().filter(move |line| line.key == *key)
    }
}
