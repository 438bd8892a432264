//! Automerge changes: kind 4.
//!
//! ```text
//! change = [ raw change bstr… ]          1 to 256 of at most 512 KiB, dependencies first
//! ```
//!
//! The bytes are kept as they came. Whether a change is applied is its verdict's to say, change by
//! change; that dependencies come first shows only there.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{
    codec::{self, Blob, Malformed},
    limits::{CHANGE_BYTES_MAX, CHANGES_MAX, PAYLOAD_BYTES_MAX},
    value::expect_filled,
};

/// The changes of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Raw Automerge changes, dependencies first.
    pub raw: Vec<Blob>,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Wire(Vec<Blob>);

impl Changes {
    /// The payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&Wire(self.raw.clone()))
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let Wire(raw) = codec::decode(bytes, "changes", PAYLOAD_BYTES_MAX)?;
        codec::expect_count("changes", raw.len(), 1, CHANGES_MAX)?;
        for change in &raw {
            expect_filled("change", change.len(), CHANGE_BYTES_MAX)?;
        }
        Ok(Self { raw })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn read(lengths: &[usize]) -> Result<usize, Malformed> {
        let raw = lengths.iter().map(|len| Blob::from(vec![1; *len])).collect();
        let changes = Changes { raw };
        let read = Changes::from_bytes(&changes.to_bytes())?;
        assert_eq!(read, changes);
        Ok(read.raw.len())
    }

    #[test]
    fn changes_come_back_within_their_bounds_and_no_further() {
        assert_eq!(read(&[3, 5]), Ok(2));
        assert_eq!(read(&[CHANGE_BYTES_MAX]), Ok(1));
        assert_eq!(read(&[1; CHANGES_MAX]), Ok(CHANGES_MAX));
        assert_eq!(
            read(&[CHANGE_BYTES_MAX + 1]),
            Err(Malformed::TooLong {
                what: "change",
                len: CHANGE_BYTES_MAX + 1,
                max: CHANGE_BYTES_MAX
            })
        );
        assert_eq!(
            read(&[3, 0]),
            Err(Malformed::Count { what: "change", count: 0, min: 1, max: CHANGE_BYTES_MAX })
        );
        let count =
            |count| Err(Malformed::Count { what: "changes", count, min: 1, max: CHANGES_MAX });
        assert_eq!(read(&[]), count(0));
        assert_eq!(read(&[1; CHANGES_MAX + 1]), count(CHANGES_MAX + 1));
        assert!(matches!(
            read(&[CHANGE_BYTES_MAX, CHANGE_BYTES_MAX]),
            Err(Malformed::TooLong { what: "changes", max: PAYLOAD_BYTES_MAX, .. })
        ));
    }
}
