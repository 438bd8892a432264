//! Whether the chain of the journal is whole: from its anchor to the head that the high-water file knows.
//!
//! ```text
//!   anchor (row 0) ──▶ entry n ──▶ entry n+1 ──▶ … ──▶ head ◀── high-water file
//!   what was pruned     previous = hash of the one before
//! ```
//!
//! The anchor is the last entry that was removed for its age; the newest `journal-pruned` in the chain must
//! name the same one.
//!
//! *Invariants.* Reads a slice at a time. Names every place that is wrong, up to a bound.
//!
//! *Source*: ours; hash chains as in any audit log.

use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    entry::{Entry, EntryHash, Head, hash},
    gather::key,
};
use crate::store::{KeyRange, Op, Order, Own, Reader, StoreError};

const SLICE_ROWS: usize = 256;
/// Faults that are named.
const FAULTS_MAX: usize = 20;
/// Entries may be pruned while the chain is read.
const TRIES: usize = 3;

/// The last entry that was removed for its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Anchor(pub(super) Head);

impl Anchor {
    const NUMBER: u64 = 0;

    pub(super) fn to_op(self) -> Op {
        Op::put(Own::Journal, key(Self::NUMBER), self.0.to_words().into_bytes())
    }

    /// `None`: there is one that does not read back.
    fn load(reader: &Reader) -> Result<Option<Self>, StoreError> {
        let Some(words) = reader.get(Own::Journal, &key(Self::NUMBER))? else {
            return Ok(Some(Self(Head::START)));
        };
        Ok(str::from_utf8(&words).ok().and_then(Head::from_words).map(Self))
    }
}

/// The last entry that is held.
pub(super) fn last_head(reader: &Reader) -> Result<Head, StoreError> {
    let range = KeyRange { start: key(1), end: None };
    let last = reader.scan(Own::Journal, &range, 1, Order::Descending)?;
    let Some((number, row)) = last.into_iter().next() else {
        return Ok(Anchor::load(reader)?.map_or(Head::START, |Anchor(head)| head));
    };
    let number = number.as_slice().try_into().map(u64::from_be_bytes).unwrap_or(u64::MAX);
    Ok(Head { number, hash: hash(&row) })
}

/// The hash of the row where an entry should be; `None` if there is no row.
pub(super) fn row_hash(reader: &Reader, at: Head) -> Result<Option<EntryHash>, StoreError> {
    if at == Head::START {
        return Ok(Some(at.hash));
    }
    let Some(row) = reader.get(Own::Journal, &key(at.number))? else {
        let is_anchor = Anchor::load(reader)? == Some(Anchor(at));
        return Ok(is_anchor.then_some(at.hash));
    };
    Ok(Some(hash(&row)))
}

/// What is wrong with a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// Stable.
    pub code: String,
    /// The entry where it shows.
    pub number: u64,
    /// In words.
    pub sentence: String,
}

impl Fault {
    fn new(code: &str, number: u64, sentence: String) -> Self {
        Self { code: code.to_owned(), number, sentence }
    }
}

/// What a check of the whole journal found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    /// Entries that are held.
    pub entries: u64,
    /// Number of the first that is held; 0 if there is none.
    pub first: u64,
    /// Number of the last; 0 if there is none.
    pub last: u64,
    /// Hash of the last, hexadecimal: what an export ends with.
    pub head: String,
    /// What is wrong, at most 20; none: the chain is whole.
    pub faults: Vec<Fault>,
}

/// Checks the whole journal against itself, and against the head that the high-water file knows.
///
/// # Errors
/// - [`StoreError`]: the store could not be read.
pub fn check(reader: &Reader, marked: Option<Head>) -> Result<Checked, StoreError> {
    for _ in 1..TRIES {
        let anchor = Anchor::load(reader)?;
        let checked = check_once(reader, marked)?;
        if checked.faults.is_empty() || Anchor::load(reader)? == anchor {
            return Ok(checked);
        }
    }
    check_once(reader, marked)
}

fn check_once(reader: &Reader, marked: Option<Head>) -> Result<Checked, StoreError> {
    let anchor = Anchor::load(reader)?;
    let mut walk = Walk::from(anchor.map(|Anchor(head)| head), marked);
    let mut range = KeyRange { start: key(1), end: None };
    loop {
        let rows = reader.scan(Own::Journal, &range, SLICE_ROWS, Order::Ascending)?;
        let Some((last, _)) = rows.last() else { break };
        range.start = [last.as_slice(), &[0]].concat();
        for (key, row) in rows {
            walk.step(&key, &row);
        }
    }
    Ok(walk.end(anchor))
}

/// One reading of the chain.
struct Walk {
    /// The entry before the next one.
    before: Head,
    first: u64,
    entries: u64,
    /// By number and hash, what the newest `journal-pruned` names.
    pruned: Option<(String, String)>,
    marked: Option<Head>,
    /// What stands where the marked entry should.
    in_its_place: Option<EntryHash>,
    faults: Vec<Fault>,
}

impl Walk {
    fn from(anchor: Option<Head>, marked: Option<Head>) -> Self {
        let mut walk = Self {
            before: anchor.unwrap_or(Head::START),
            first: 0,
            entries: 0,
            pruned: None,
            marked,
            in_its_place: None,
            faults: Vec::new(),
        };
        if anchor.is_none() {
            walk.fault(
                "journal-anchor",
                0,
                "the record of what was pruned does not read back".to_owned(),
            );
        }
        walk
    }

    fn fault(&mut self, code: &str, number: u64, sentence: String) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault::new(code, number, sentence));
        }
    }

    fn step(&mut self, key: &[u8], row: &[u8]) {
        let Ok(number) = key.try_into().map(u64::from_be_bytes) else {
            return self.fault(
                "journal-garbled",
                self.before.number,
                "a row has no number".to_owned(),
            );
        };
        let due = self.before.number.saturating_add(1);
        if number != due {
            let last = number.saturating_sub(1);
            self.fault("journal-missing", due, format!("entries {due} to {last} are missing"));
        }
        match Entry::from_row(row) {
            Err(why) => {
                self.fault("journal-garbled", number, format!("entry {number} is no entry: {why}"))
            }
            Ok(entry) if entry.number != number => {
                let sentence = format!("in place of entry {number} stands entry {}", entry.number);
                self.fault("journal-moved", number, sentence);
            }
            Ok(entry) => {
                let follows = entry.previous == HEXLOWER.encode(&self.before.hash);
                if number == due && !follows {
                    let before = self.before.number;
                    let sentence = format!(
                        "entry {before} is not the one that entry {number} was written after"
                    );
                    self.fault("journal-changed", before, sentence);
                }
                if entry.event == "journal-pruned" {
                    let named = |name: &str| entry.fields.get(name).cloned().unwrap_or_default();
                    self.pruned = Some((named("entry"), named("digest")));
                }
            }
        }
        self.entries = self.entries.saturating_add(1);
        if self.first == 0 {
            self.first = number;
        }
        self.before = Head { number, hash: hash(row) };
        if self.marked.is_some_and(|marked| marked.number == number) {
            self.in_its_place = Some(self.before.hash);
        }
    }

    fn end(mut self, anchor: Option<Anchor>) -> Checked {
        let named = anchor
            .filter(|anchor| anchor.0 != Head::START)
            .map(|Anchor(head)| (head.number.to_string(), HEXLOWER.encode(&head.hash)));
        if anchor.is_some() && named != self.pruned {
            let sentence = "what was pruned is not what the journal says was pruned".to_owned();
            self.fault("journal-anchor", self.first, sentence);
        }
        self.compare();
        let Self { before, first, entries, faults, .. } = self;
        Checked { entries, first, last: before.number, head: HEXLOWER.encode(&before.hash), faults }
    }

    fn compare(&mut self) {
        let Some(Head { number, hash }) = self.marked else { return };
        let held = self.before.number;
        if number > held {
            let sentence = format!(
                "the journal ends with entry {held}, and entry {number} was durable: its end was cut off, or it \
                 is an older copy"
            );
            self.fault("journal-cut", held, sentence);
        } else if self.in_its_place.is_some_and(|found| found != hash) {
            let sentence = format!("entry {number} is not the one that was durable");
            self.fault("journal-changed", number, sentence);
        }
    }
}
