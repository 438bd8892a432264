//! Attached files and notes to the board: kinds 17 and 18.
//!
//! ```text
//! blob = [ media type, length, [chunk hash bstr32…], name ]   at most 256 MiB in 256 KiB chunks
//! note = [ text ]                                             not empty, at most 64 KiB in all
//! ```
//!
//! A file travels beside its entry, chunk by chunk; its entry vouches for each chunk by hash. All
//! chunks but the last are full, so the length gives their number; an empty file has none.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{
    codec::{self, Fixed, Malformed},
    limits::{BLOB_BYTES_MAX, BLOB_CHUNK_BYTES, FACT_BYTES_MAX, PAYLOAD_BYTES_MAX},
    value::{expect_filled, expect_name},
};

/// An attached file, by its chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What it is, for example `application/pdf`: a claim.
    pub media_type: String,
    /// Its length in bytes.
    pub len_bytes: u64,
    /// The hashes of its chunks, in order.
    pub chunks: Vec<Fixed<32>>,
    /// The name that its author gave it.
    pub name: String,
}

/// Text to the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The text, never empty.
    pub text: String,
}

#[derive(Serialize, Deserialize)]
struct AttachmentWire(String, u64, Vec<Fixed<32>>, String);

#[derive(Serialize, Deserialize)]
struct NoteWire((String,));

impl Attachment {
    /// The payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { media_type, len_bytes, chunks, name } = self.clone();
        codec::encode(&AttachmentWire(media_type, len_bytes, chunks, name))
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let AttachmentWire(media_type, len_bytes, chunks, name) =
            codec::decode(bytes, "blob", PAYLOAD_BYTES_MAX)?;
        expect_name("blob media type", &media_type)?;
        expect_name("blob name", &name)?;
        let range = Malformed::Range { what: "blob length", value: len_bytes };
        if len_bytes > BLOB_BYTES_MAX {
            return Err(range);
        }
        let due = usize::try_from(len_bytes.div_ceil(BLOB_CHUNK_BYTES)).map_err(|_| range)?;
        codec::expect_count("blob chunks", chunks.len(), due, due)?;
        Ok(Self { media_type, len_bytes, chunks, name })
    }
}

impl Note {
    /// The payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&NoteWire((self.text.clone(),)))
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let NoteWire((text,)) = codec::decode(bytes, "note", FACT_BYTES_MAX)?;
        expect_filled("note", text.len(), FACT_BYTES_MAX)?;
        Ok(Self { text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn read(len_bytes: u64, chunks: usize) -> Result<u64, Malformed> {
        let file = Attachment {
            media_type: "application/pdf".into(),
            len_bytes,
            chunks: vec![Fixed([1; 32]); chunks],
            name: "Options appraisal.pdf".into(),
        };
        let read = Attachment::from_bytes(&file.to_bytes())?;
        assert_eq!(read, file);
        Ok(read.len_bytes)
    }

    #[test]
    fn a_file_has_as_many_chunks_as_its_length_needs() {
        let count =
            |count, due| Err(Malformed::Count { what: "blob chunks", count, min: due, max: due });
        assert_eq!(read(0, 0), Ok(0));
        assert_eq!(read(BLOB_CHUNK_BYTES, 1), Ok(BLOB_CHUNK_BYTES));
        assert_eq!(read(BLOB_CHUNK_BYTES + 1, 2), Ok(BLOB_CHUNK_BYTES + 1));
        assert_eq!(read(BLOB_BYTES_MAX, 1024), Ok(BLOB_BYTES_MAX));
        assert_eq!(read(0, 1), count(1, 0));
        assert_eq!(read(1, 0), count(0, 1));
        assert_eq!(read(BLOB_CHUNK_BYTES + 1, 1), count(1, 2));
        for len in [BLOB_BYTES_MAX + 1, u64::MAX] {
            assert_eq!(read(len, 1025), Err(Malformed::Range { what: "blob length", value: len }));
        }
    }

    #[test]
    fn a_file_has_a_media_type_and_a_name() {
        let file = Attachment {
            media_type: "text/csv".into(),
            len_bytes: 0,
            chunks: vec![],
            name: "a.csv".into(),
        };
        let empty = |what| Err(Malformed::Count { what, count: 0, min: 1, max: 256 });
        let nameless = Attachment { name: "".into(), ..file.clone() };
        assert_eq!(Attachment::from_bytes(&nameless.to_bytes()), empty("blob name"));
        let typeless = Attachment { media_type: "".into(), ..file };
        assert_eq!(Attachment::from_bytes(&typeless.to_bytes()), empty("blob media type"));
    }

    #[test]
    fn a_note_is_an_array_of_one_text_that_is_not_empty() {
        let note = Note { text: "Good morning".into() };
        assert_eq!(codec::hex(&note.to_bytes()), "816c476f6f64206d6f726e696e67");
        assert_eq!(Note::from_bytes(&note.to_bytes()), Ok(note));
        assert_eq!(
            Note::from_bytes(&[0x81, 0x60]),
            Err(Malformed::Count { what: "note", count: 0, min: 1, max: FACT_BYTES_MAX })
        );
        assert_eq!(Note::from_bytes(&[0x61, 0x61]), Err(Malformed::Shape { what: "note" }));
        assert!(matches!(
            Note::from_bytes(&Note { text: "n".repeat(FACT_BYTES_MAX) }.to_bytes()),
            Err(Malformed::TooLong { what: "note", max: FACT_BYTES_MAX, .. })
        ));
    }
}
