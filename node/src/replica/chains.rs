//! The chains of a feed, as the protocol's engine has stored where each ends.
//!
//! ```text
//!   feed record = [ descriptor bstr, start, tip bstr, [] or [signed head bstr], received_at ms, applied ]
//! ```
//!
//! *Invariants.* Only what is durable is seen: the record stands in the same batch as its entries.
//!
//! *Source*: `protocol/src/engine/record.rs`, whose private format this repeats until a view shows it.

use std::collections::BTreeMap;

use concordat_protocol::{
    codec::{self, Blob, Malformed, Opt},
    engine::{BranchNo, Table, board_key},
    feed::SignedHead,
    hash::{BoardId, FeedId},
    limits::{HEADER_BYTES_MAX, KIB},
    time::TimeMs,
};

use crate::store::{KeyRange, Order, Reader};

use super::export::ExportError;

type Record = (Blob, u64, Blob, Opt<Blob>, TimeMs, u64);

/// One chain of a feed, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChainView {
    /// Under which number.
    pub(super) branch: BranchNo,
    /// The first entry that is stored under it; those below are the first chain's.
    pub(super) start: u64,
    /// The newest signed head whose entries are durable.
    pub(super) head: SignedHead,
}

/// Every chain that has an entry, by feed; the one seen first comes first. All at one moment, so that
/// no feed is older than what another says of it.
pub(super) fn chains(
    reader: &Reader,
    board: &BoardId,
) -> Result<BTreeMap<FeedId, Vec<ChainView>>, ExportError> {
    let range = KeyRange::prefix(&board_key(board));
    let rows = reader.scan(Table::Feeds, &range, usize::MAX, Order::Ascending)?;
    let mut chains: BTreeMap<FeedId, Vec<ChainView>> = BTreeMap::new();
    for (key, bytes) in rows {
        let (feed, branch) = read_key(&key);
        let damaged = |source: Malformed| ExportError::Damaged { feed, seq: 0, source };
        let record: Result<Record, _> =
            codec::decode(&bytes, "feed record", HEADER_BYTES_MAX + KIB);
        let (_, start, _, Opt(head), _, _) = record.map_err(damaged)?;
        if let Some(head) = head {
            let head = SignedHead::from_bytes(&head).map_err(damaged)?;
            chains.entry(feed).or_default().push(ChainView { branch, start, head });
        }
    }
    Ok(chains)
}

/// board 32 ‖ feed 32 ‖ branch u16
fn read_key(key: &[u8]) -> (FeedId, BranchNo) {
    let feed = key.get(32..64).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
    let branch = key.last_chunk().map_or(0, |bytes| BranchNo::from_be_bytes(*bytes));
    (FeedId::from_bytes(feed), branch)
}
