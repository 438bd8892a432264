//! Entries by filters, a page at a time: for `journal list`, `journal export` and the API.
//!
//! *Invariants.* One page looks through a bounded number of entries, and says where to go on.
//!
//! *Source*: ours.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CATALOGUE, Entry, gather::key};
use crate::{
    control::Refusal,
    store::{KeyRange, Order, Own, Reader, StoreError},
};

/// Entries of one page, however many are asked for.
pub(super) const PAGE_MAX: usize = 1_000;
/// Entries that are looked through for one page.
const LOOKED_AT_MAX: u64 = 100_000;
const SLICE_ROWS: usize = 256;

/// Which entries; what is left out is not asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// A code of the catalogue.
    pub event: Option<String>,
    /// The beginning of a partner's node, by its libp2p name.
    pub peer: Option<String>,
    /// The beginning of a board's id.
    pub board: Option<String>,
    /// `done` or `refused`.
    pub outcome: Option<String>,
    /// Not before this time, in milliseconds since 1970.
    pub since_ms: Option<u64>,
    /// Not after this time, in milliseconds since 1970.
    pub until_ms: Option<u64>,
    /// Beyond this entry: older ones, or newer ones if the oldest come first.
    pub beyond: Option<u64>,
    /// At most so many, and never more than 1,000.
    pub limit: usize,
    /// The oldest first.
    pub is_oldest_first: bool,
}

/// Some entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Page {
    /// Those that were found, in the order that was asked for.
    pub entries: Vec<Entry>,
    /// Go on beyond this one; none: there are no more.
    pub next: Option<u64>,
}

impl Query {
    fn expect_known(&self) -> Result<(), Refusal> {
        if let Some(event) = &self.event
            && !CATALOGUE.iter().any(|known| known.code == event)
        {
            let message = "the journal knows no such event; `concordat journal events` lists them";
            return Err(Refusal::new("unknown-event", message));
        }
        if self.outcome.as_deref().is_some_and(|outcome| !["done", "refused"].contains(&outcome)) {
            return Err(Refusal::new("unknown-outcome", "an outcome is done or refused"));
        }
        Ok(())
    }

    fn fits(&self, entry: &Entry) -> bool {
        let is = |asked: &Option<String>, found: &str| {
            asked.as_deref().is_none_or(|asked| asked == found)
        };
        let begins = |asked: &Option<String>, name: &str| {
            asked.as_deref().is_none_or(|asked| {
                entry.fields.get(name).is_some_and(|value| value.starts_with(asked))
            })
        };
        is(&self.event, &entry.event)
            && is(&self.outcome, &entry.outcome)
            && begins(&self.peer, "peer")
            && begins(&self.board, "board")
            && self.since_ms.is_none_or(|since| entry.time_ms >= since)
            && self.until_ms.is_none_or(|until| entry.time_ms <= until)
    }

    fn range(&self, beyond: Option<u64>) -> (KeyRange, Order) {
        let first = if self.is_oldest_first {
            beyond.map_or(1, |beyond| beyond.saturating_add(1))
        } else {
            1
        };
        let end = if self.is_oldest_first { None } else { beyond.map(key) };
        let order = if self.is_oldest_first { Order::Ascending } else { Order::Descending };
        (KeyRange { start: key(first), end }, order)
    }
}

/// Some entries, newest first unless asked otherwise.
///
/// # Errors
/// - `Ok(Err)`: the question makes no sense.
/// - [`StoreError`]: the store could not be read.
pub fn page(reader: &Reader, query: &Query) -> Result<Result<Page, Refusal>, StoreError> {
    if let Err(refusal) = query.expect_known() {
        return Ok(Err(refusal));
    }
    let limit = query.limit.clamp(1, PAGE_MAX);
    let mut page = Page { entries: Vec::new(), next: query.beyond };
    let mut looked_at = 0_u64;
    loop {
        let (range, order) = query.range(page.next);
        let rows = reader.scan(Own::Journal, &range, SLICE_ROWS, order)?;
        if rows.is_empty() {
            page.next = None;
            return Ok(Ok(page));
        }
        for (key, row) in rows {
            page.next = key.as_slice().try_into().ok().map(u64::from_be_bytes);
            looked_at = looked_at.saturating_add(1);
            // What is no entry is named by `journal verify`.
            let found = Entry::from_row(&row).ok().filter(|entry| query.fits(entry));
            page.entries.extend(found);
            if page.entries.len() >= limit || looked_at >= LOOKED_AT_MAX {
                return Ok(Ok(page));
            }
        }
    }
}
