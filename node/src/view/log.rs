//! `log`: the entries of a board, feed by feed or together, with what this node may show of them.
//!
//! *Invariants.* Shows the chain of each feed that this node saw first; another chain of a forked
//! feed is for `export`. Times are their authors' claims.
//!
//! *Source*: ours.

use concordat_protocol::{
    charter::Charter,
    engine::{BoardView, FeedStanding, FeedView, Table, place_key},
    feed::{Header, Kind, Sealed},
    hash::FeedId,
    payload::Note,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::slug_of;
use crate::{
    control::{LogQuery, Refusal},
    replica::Snapshot,
    store::{KeyRange, Order, StoreError},
};

/// Most entries in one answer.
const ENTRIES_MAX: usize = 20_000;

/// Entries of one board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Log {
    /// The board.
    pub board: String,
    /// By claimed time, or by place when one feed was asked for.
    pub entries: Vec<LogLine>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    /// Who wrote it: the member's short name.
    pub slug: String,
    /// Its feed.
    pub feed: String,
    /// The feed's epoch.
    pub epoch: u64,
    /// Its place in the feed.
    pub seq: u64,
    /// Its id.
    pub id: String,
    /// The kind's name, or its number.
    pub kind: String,
    /// The author's clock, in Unix milliseconds: a claim.
    pub time_ms: u64,
    /// Whether a majority of the others holds it.
    pub is_settled: bool,
    /// Length of the payload.
    pub payload_bytes: u64,
    /// The text of a note that is held here.
    pub text: Option<String>,
}

/// The entries asked for.
///
/// # Errors
/// - [`StoreError`]: the store could not be read.
/// - [`Refusal`]: no member is called so, or `from` without a feed.
pub fn log(
    snapshot: &Snapshot,
    board: &BoardView,
    query: &LogQuery,
) -> Result<Result<Log, StoreError>, Refusal> {
    let charter = snapshot.foundings.get(&board.board).map(|founding| founding.charter());
    let feeds = feeds_named(board, charter, query)?;
    let limit = query.limit.min(ENTRIES_MAX);
    let mut entries = Vec::new();
    for (id, feed) in &feeds {
        let size = feed.durable_size;
        let most = limit as u64;
        let from = query.from.unwrap_or_else(|| size.saturating_sub(most)).min(size);
        let to = from.saturating_add(most).min(size);
        match lines(snapshot, (id, feed), (from, to), charter) {
            Ok(lines) => entries.extend(lines),
            Err(error) => return Ok(Err(error)),
        }
    }
    if feeds.len() > 1 {
        entries.sort_by(|a, b| {
            let (one, other) = ((a.time_ms, &a.slug), (b.time_ms, &b.slug));
            (one, a.epoch, a.seq).cmp(&(other, b.epoch, b.seq))
        });
        entries.drain(..entries.len().saturating_sub(limit));
    }
    Ok(Ok(Log { board: board.board.to_string(), entries }))
}

fn feeds_named<'a>(
    board: &'a BoardView,
    charter: Option<&Charter>,
    query: &LogQuery,
) -> Result<Vec<(&'a FeedId, &'a FeedView)>, Refusal> {
    let Some(named) = &query.feed else {
        if query.from.is_some() {
            let message = "places are counted in one feed; say which with --feed";
            return Err(Refusal::new("which-feed", message));
        }
        return Ok(board.feeds.iter().collect());
    };
    let is_meant = |id: &FeedId, feed: &FeedView| {
        let org = feed.descriptor.org;
        slug_of(charter, &org) == *named || org.to_string() == *named || id.to_string() == *named
    };
    let feeds: Vec<_> = board.feeds.iter().filter(|(id, feed)| is_meant(id, feed)).collect();
    if feeds.is_empty() {
        let slugs: Vec<String> =
            board.feeds.values().map(|feed| slug_of(charter, &feed.descriptor.org)).collect();
        let message = format!("no member is called {named:?}; there is {}", slugs.join(", "));
        return Err(Refusal::new("unknown-member", message));
    }
    Ok(feeds)
}

fn lines(
    snapshot: &Snapshot,
    (id, feed): (&FeedId, &FeedView),
    (from, to): (u64, u64),
    charter: Option<&Charter>,
) -> Result<Vec<LogLine>, StoreError> {
    let range = KeyRange::between(place_key(id, 0, from), place_key(id, 0, to));
    let rows = snapshot.reader.scan(Table::Headers, &range, ENTRIES_MAX, Order::Ascending)?;
    let slug = slug_of(charter, &feed.descriptor.org);
    // Above a fork this chain may be the one that is not settled.
    let settled = match feed.standing {
        FeedStanding::Sound | FeedStanding::Superseded => feed.settled,
        FeedStanding::Held { index }
        | FeedStanding::Won { index, .. }
        | FeedStanding::Halted { index } => feed.settled.min(index),
    };
    let mut lines = Vec::new();
    for (_, bytes) in rows {
        let Ok(header) = Header::from_bytes(&bytes) else {
            continue;
        };
        lines.push(LogLine {
            slug: slug.clone(),
            feed: id.to_string(),
            epoch: feed.descriptor.epoch,
            seq: header.seq,
            id: Header::id_of(&bytes).to_string(),
            kind: header.kind.to_string(),
            time_ms: header.t.0,
            is_settled: header.seq < settled,
            payload_bytes: header.payload_len,
            text: if header.kind == Kind::NOTE { text(snapshot, id, &header)? } else { None },
        });
    }
    Ok(lines)
}

fn text(snapshot: &Snapshot, id: &FeedId, header: &Header) -> Result<Option<String>, StoreError> {
    let bytes = snapshot.reader.get(Table::Payloads, &place_key(id, 0, header.seq))?;
    let sealed = bytes.and_then(|bytes| Sealed::from_bytes(&bytes).ok());
    let note = sealed.and_then(|sealed| Note::from_bytes(sealed.payload.bytes()).ok());
    Ok(note.map(|note| note.text))
}
