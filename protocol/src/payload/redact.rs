//! Redactions: kind 14.
//!
//! ```text
//! redact = [ entry bstr32, part, ground ]
//! part     0 payload   1 attribution
//! ground   0 lost   1 personal data   2 sent in error   3 legal duty   others: by number
//! ```
//!
//! From then on the part counts as empty; the entry, its hash and its place stay. Which parts of
//! which kinds may be redacted, and by whom, is not decided here. An unknown ground is kept and
//! shown by its number.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{
    codec::{self, Malformed},
    hash::EntryId,
    limits::PAYLOAD_BYTES_MAX,
};

/// Removes a part of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redaction {
    /// The entry.
    pub entry: EntryId,
    /// What is removed.
    pub part: Part,
    /// Why.
    pub ground: Ground,
}

/// A part of an entry that lies beside its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The payload.
    Payload = 0,
    /// The staff attribution.
    Attribution = 1,
}

/// Why a part is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ground(pub u64);

impl Ground {
    /// The author lost it before it settled.
    pub const LOST: Self = Self(0);
    /// It identifies a person who should not be in it.
    pub const PERSONAL_DATA: Self = Self(1);
    /// It was sent in error.
    pub const SENT_IN_ERROR: Self = Self(2);
    /// The law requires it.
    pub const LEGAL_DUTY: Self = Self(3);
}

#[derive(Serialize, Deserialize)]
struct Wire(EntryId, u64, Ground);

impl Redaction {
    /// The payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&Wire(self.entry, self.part as u64, self.ground))
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let Wire(entry, part, ground) = codec::decode(bytes, "redact", PAYLOAD_BYTES_MAX)?;
        let mut known = [Part::Payload, Part::Attribution].into_iter();
        let part = known
            .find(|one| *one as u64 == part)
            .ok_or(Malformed::Range { what: "redacted part", value: part })?;
        Ok(Self { entry, part, ground })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redaction_comes_back_with_any_ground_and_known_parts_only() {
        let entry = EntryId::from_bytes([1; 32]);
        for part in [Part::Payload, Part::Attribution] {
            for ground in [Ground::LOST, Ground::LEGAL_DUTY, Ground(99)] {
                let redaction = Redaction { entry, part, ground };
                assert_eq!(Redaction::from_bytes(&redaction.to_bytes()), Ok(redaction));
            }
        }
        let unknown = codec::encode(&Wire(entry, 2, Ground::LOST));
        assert_eq!(
            Redaction::from_bytes(&unknown),
            Err(Malformed::Range { what: "redacted part", value: 2 })
        );
    }
}
