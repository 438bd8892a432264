//! One entry of the journal, and its bytes.
//!
//! ```text
//!   row     previous 32 │ number u64 │ time_ms u64 │ event text │ outcome text │ code text
//!                       │ count u8 │ count × (name text │ value text)
//!   text    length in bytes u16 │ UTF-8
//!   hash    SHA-256("concordat/journal/v1" │ 0x00 │ row)
//! ```
//!
//! Integers are big-endian. `previous` is the hash of the entry before; 32 zero bytes before the first,
//! whose number is 1. Names ascend. The outcome is `done`, with an empty code, or `refused`.
//!
//! *Invariants.* One entry has one row: what does not read back to the same bytes is no entry.
//!
//! *Source*: ours.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Event, Outcome};

/// What is hashed before the row.
const DOMAIN: &[u8] = b"concordat/journal/v1\0";
/// The longest value; longer ones are cut.
const TEXT_BYTES_MAX: usize = 512;

/// The hash of an entry.
pub type EntryHash = [u8; 32];

/// An entry by its number and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 before the first.
    pub number: u64,
    /// Its hash; zero bytes before the first.
    pub hash: EntryHash,
}

/// A row is not an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it does not read back")]
pub struct BadRow;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Counted from 1.
    pub number: u64,
    /// This node's clock, in milliseconds since 1970.
    pub time_ms: u64,
    /// A code of the catalogue.
    pub event: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// Why it was refused; empty if it was done.
    pub code: String,
    /// What it concerns, by the names of the catalogue.
    pub fields: BTreeMap<String, String>,
    /// Hash of the entry before, hexadecimal.
    pub previous: String,
    /// Its own hash, hexadecimal.
    pub hash: String,
}

impl Head {
    /// Before the first entry.
    pub const START: Self = Self { number: 0, hash: [0; 32] };

    /// The words by which the high-water file and the anchor keep it.
    #[must_use]
    pub fn to_words(self) -> String {
        format!("{} {}", self.number, HEXLOWER.encode(&self.hash))
    }

    /// Reads them; `None` if they are something else.
    #[must_use]
    pub fn from_words(words: &str) -> Option<Self> {
        let (number, hash) = words.split_once(' ')?;
        let hash = HEXLOWER.decode(hash.as_bytes()).ok()?.try_into().ok()?;
        let head = Self { number: number.parse().ok()?, hash };
        (head.to_words() == words).then_some(head)
    }
}

/// The row of a new entry after `previous`, and the head that it makes.
pub(super) fn row(
    previous: Head,
    time_ms: u64,
    event: &Event,
    outcome: &Outcome,
) -> (Vec<u8>, Head) {
    let number = previous.number.saturating_add(1);
    let (word, code) = match outcome {
        Outcome::Done => ("done", ""),
        Outcome::Refused(code) => ("refused", code.as_str()),
    };
    let fields: BTreeMap<&str, String> = event.fields().into_iter().collect();
    let mut row = previous.hash.to_vec();
    row.extend_from_slice(&number.to_be_bytes());
    row.extend_from_slice(&time_ms.to_be_bytes());
    for text in [event.code(), word, code] {
        put_text(&mut row, text);
    }
    // An event has a handful of fields.
    row.push(u8::try_from(fields.len()).unwrap_or(u8::MAX));
    for (name, value) in fields {
        put_text(&mut row, name);
        put_text(&mut row, &value);
    }
    let head = Head { number, hash: hash(&row) };
    (row, head)
}

/// The hash of a row.
pub(super) fn hash(row: &[u8]) -> EntryHash {
    Sha256::new().chain_update(DOMAIN).chain_update(row).finalize().into()
}

fn put_text(row: &mut Vec<u8>, text: &str) {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let text = text.get(..end).unwrap_or_default();
    row.extend_from_slice(&u16::try_from(end).unwrap_or(u16::MAX).to_be_bytes());
    row.extend_from_slice(text.as_bytes());
}

impl Entry {
    /// Reads a row.
    ///
    /// # Errors
    /// - `BadRow`: it is no entry.
    pub fn from_row(row: &[u8]) -> Result<Self, BadRow> {
        let mut rest = Rest(row);
        let previous: EntryHash = rest.take()?;
        let (number, time_ms) = (rest.number()?, rest.number()?);
        let (event, outcome, code) = (rest.text()?, rest.text()?, rest.text()?);
        let [count] = rest.take()?;
        let mut fields = BTreeMap::new();
        for _ in 0..count {
            let (name, value) = (rest.text()?, rest.text()?);
            if fields.last_key_value().is_some_and(|(last, _)| *last >= name) {
                return Err(BadRow);
            }
            fields.insert(name, value);
        }
        let is_outcome = match outcome.as_str() {
            "done" => code.is_empty(),
            "refused" => !code.is_empty(),
            _ => false,
        };
        if !is_outcome || !rest.0.is_empty() {
            return Err(BadRow);
        }
        let (previous, hash) = (HEXLOWER.encode(&previous), HEXLOWER.encode(&hash(row)));
        Ok(Self { number, time_ms, event, outcome, code, fields, previous, hash })
    }
}

/// What is left of a row.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], BadRow> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(BadRow)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn number(&mut self) -> Result<u64, BadRow> {
        self.take().map(u64::from_be_bytes)
    }

    fn text(&mut self) -> Result<String, BadRow> {
        let len = u16::from_be_bytes(self.take()?);
        let (text, rest) = self.0.split_at_checked(len.into()).ok_or(BadRow)?;
        self.0 = rest;
        str::from_utf8(text).map(str::to_owned).map_err(|_| BadRow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_comes_back_from_its_row_and_from_no_other() {
        let event = Event::TokenMade { token: "9f3c".to_owned(), role: "viewer".to_owned() };
        let refused = Outcome::Refused("no-space".to_owned());
        let (row, head) = row(Head { number: 6, hash: [9; 32] }, 1_234, &event, &refused);

        let entry = Entry::from_row(&row).unwrap();

        assert_eq!((entry.number, entry.time_ms, entry.event.as_str()), (7, 1_234, "token-made"));
        assert_eq!((entry.outcome.as_str(), entry.code.as_str()), ("refused", "no-space"));
        assert_eq!(entry.fields["role"], "viewer");
        assert_eq!(entry.previous, "09".repeat(32));
        assert_eq!((head.number, HEXLOWER.encode(&head.hash)), (7, entry.hash));
        assert_eq!(Head::from_words(&head.to_words()), Some(head));
        for cut in 0..row.len() {
            assert_eq!(Entry::from_row(&row[..cut]), Err(BadRow), "{cut}");
        }
        assert_eq!(Entry::from_row(&[row, vec![0]].concat()), Err(BadRow));
    }

    #[test]
    fn a_long_value_is_cut_between_letters() {
        let event = Event::DaemonStopped { why: "é".repeat(400) };
        let (row, _) = row(Head::START, 0, &event, &Outcome::Done);
        assert_eq!(Entry::from_row(&row).unwrap().fields["why"], "é".repeat(256));
    }
}
