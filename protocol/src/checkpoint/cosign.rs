//! Cosignatures: a witness's word that, at a time, this was the largest checkpoint it had seen.
//!
//! ```text
//! signed     "cosignature/v1\ntime " seconds "\n" text of the checkpoint
//! line       time 8 bytes big-endian ‖ Ed25519 signature 64 bytes, by "concordat/witness/org-…"
//! cosign     = [ [ origin text, size, root bstr32, time s, signature ]… ]          kind 16
//! ```
//!
//! A witness recomputes the root from its own copy of the feed before it signs, and never signs two
//! roots at one size, nor a smaller size after a larger. The list of an entry ascends strictly by
//! (origin, size): within one there is at most one root at a size.
//!
//! Source: C2SP tlog-cosignature, Ed25519 signed message.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::{
    BadNote, Checkpoint, Origin,
    note::{KeyName, SignatureLine, SignatureType},
};
use crate::{
    codec::{self, Fixed, Malformed},
    hash::OrgId,
    identity::{BadSignature, PublicKey, Signature, Signer},
    limits::{COSIGNATURES_MAX, PAYLOAD_BYTES_MAX, SEQ_MAX},
};

/// The latest time that a cosignature may name.
const TIME_S_MAX: u64 = i64::MAX as u64;

/// A witness as notes know it: the organisation, and its witness key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cosigner {
    /// The organisation.
    pub org: OrgId,
    /// Its witness key.
    pub key: PublicKey,
}

/// One cosignature, with what it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cosigned {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// When the witness signed, in Unix seconds: its claim.
    pub time_s: u64,
    /// Its signature.
    pub signature: Signature,
}

/// The cosignatures that one entry gives: the payload of a `cosign` entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignedList {
    /// Ascending by origin and size; all by the witness key of the entry's author.
    pub given: Vec<Cosigned>,
}

#[derive(Serialize, Deserialize)]
struct CosignedWire(String, u64, Fixed<32>, u64, Signature);

impl Cosigned {
    /// Cosigns a checkpoint with a witness key.
    #[must_use]
    pub fn sign(checkpoint: &Checkpoint, time_s: u64, witness: &dyn Signer) -> Self {
        Self {
            checkpoint: *checkpoint,
            time_s,
            signature: witness.sign_note(&message(checkpoint, time_s)),
        }
    }

    /// Verifies the cosignature under a witness key.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, witness: &PublicKey) -> Result<(), BadSignature> {
        witness.verify_note(&message(&self.checkpoint, self.time_s), &self.signature)
    }

    fn to_wire(self) -> CosignedWire {
        let Checkpoint { origin, size, root } = self.checkpoint;
        CosignedWire(origin.to_string(), size, root, self.time_s, self.signature)
    }

    fn from_wire(wire: CosignedWire) -> Result<Self, Malformed> {
        let CosignedWire(origin, size, root, time_s, signature) = wire;
        let origin: Origin =
            origin.parse().map_err(|_| Malformed::Shape { what: "cosign origin" })?;
        for (what, value, max) in
            [("cosign size", size, SEQ_MAX), ("cosign time", time_s, TIME_S_MAX)]
        {
            if value > max {
                return Err(Malformed::Range { what, value });
            }
        }
        Ok(Self { checkpoint: Checkpoint { origin, size, root }, time_s, signature })
    }
}

fn message(checkpoint: &Checkpoint, time_s: u64) -> String {
    format!("cosignature/v1\ntime {time_s}\n{}", checkpoint.to_text())
}

impl Cosigner {
    pub(super) fn key_name(&self) -> KeyName {
        let name = format!("concordat/witness/{}", self.org);
        KeyName::new(name, SignatureType::Cosignature, &self.key)
    }

    /// The signature line of a cosignature.
    pub(super) fn line(&self, cosigned: &Cosigned) -> SignatureLine {
        let mut bytes = cosigned.time_s.to_be_bytes().to_vec();
        bytes.extend_from_slice(cosigned.signature.as_bytes());
        SignatureLine::new(&self.key_name(), &bytes)
    }

    /// Reads and verifies a signature line of this witness.
    pub(super) fn read(
        &self,
        checkpoint: &Checkpoint,
        line: &SignatureLine,
    ) -> Result<Cosigned, BadNote> {
        let (time, signature) = line.signature().split_first_chunk().ok_or(line.bad())?;
        let cosigned = Cosigned {
            checkpoint: *checkpoint,
            time_s: u64::from_be_bytes(*time),
            signature: Signature::ed25519(signature.try_into().map_err(|_| line.bad())?),
        };
        let good = cosigned.time_s <= TIME_S_MAX && cosigned.verify(&self.key).is_ok();
        good.then_some(cosigned).ok_or_else(|| line.bad())
    }
}

impl CosignedList {
    /// The payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let wires = self.given.iter().map(|one| one.to_wire());
        codec::encode(&wires.collect::<Vec<_>>())
    }

    /// Reads the payload; verifies no signature.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let wires: Vec<CosignedWire> = codec::decode(bytes, "cosign", PAYLOAD_BYTES_MAX)?;
        codec::expect_count("cosign", wires.len(), 1, COSIGNATURES_MAX)?;
        let read = wires.into_iter().map(Cosigned::from_wire);
        let given = read.collect::<Result<Vec<_>, _>>()?;
        let place = |one: &Cosigned| (one.checkpoint.origin, one.checkpoint.size);
        let places: Vec<_> = given.iter().map(place).collect();
        codec::expect_ascending("cosign", &places)?;
        Ok(Self { given })
    }
}
