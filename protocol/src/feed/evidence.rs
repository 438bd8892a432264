//! Evidence: signed statements that contradict each other, carried by an entry.
//!
//! ```text
//! evidence = [ type, body bstr ]        type 1 = fork proof
//! ```
//!
//! Self-contained: it holds whoever carries it, and wherever. Evidence is never deleted.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{BadProof, ForkProof};
use crate::{
    codec::{self, Blob, Malformed},
    limits::{FORK_PROOF_BYTES_MAX, KIB},
};

/// The payload of an `evidence` entry, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// An organisation signed two histories of one feed.
    Fork(ForkProof),
}

#[derive(Serialize, Deserialize)]
struct Wire(u64, Blob);

const FORK: u64 = 1;

impl Evidence {
    /// The bytes of the payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self::Fork(proof) = self;
        codec::encode(&Wire(FORK, Blob::from(proof.to_bytes())))
    }

    /// Reads and verifies the payload.
    ///
    /// # Errors
    /// [`BadProof`], exactly; an unknown type is out of range.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadProof> {
        let Wire(kind, body) = codec::decode(bytes, "evidence", FORK_PROOF_BYTES_MAX + KIB)?;
        match kind {
            FORK => Ok(Self::Fork(ForkProof::from_bytes(&body)?)),
            value => Err(Malformed::Range { what: "evidence type", value }.into()),
        }
    }
}
