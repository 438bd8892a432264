//! Acknowledgements: "I durably hold your feed up to here, with the payloads due to me".
//!
//! ```text
//! ack  = [ item… ]                                   feeds strictly ascending, at most 1,000
//! item = [ feed bstr32, seq, entry id bstr32, payloads_through, missing [seq…], received_at ms ]
//! ```
//!
//! Every header through `seq` is durable and verified at the author's node, and every payload due
//! to it through `payloads_through`, save those missing: at most 64, strictly ascending, none above
//! `payloads_through`. A majority of such statements settles an entry.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{
    codec::{self, Malformed},
    hash::{EntryId, FeedId},
    limits::{ACK_ITEMS_MAX, ACK_MISSING_MAX, PAYLOAD_BYTES_MAX, SEQ_MAX},
    time::TimeMs,
};

/// What is held of one feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AckItem {
    /// The feed.
    pub feed: FeedId,
    /// The last entry held.
    pub seq: u64,
    /// Its id.
    pub id: EntryId,
    /// Payloads are held through this seq…
    pub payloads_through: u64,
    /// …but for these.
    pub missing: Vec<u64>,
    /// When the last entry was received, by the author's clock.
    pub received_at: TimeMs,
}

/// The payload of an `ack` entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack(pub Vec<AckItem>);

#[derive(Serialize, Deserialize)]
struct ItemWire(FeedId, u64, EntryId, u64, Vec<u64>, TimeMs);

impl AckItem {
    /// The last entry of which headers and due payload are acknowledged; `None` when it holds the payload
    /// of none.
    #[must_use]
    pub fn complete_through(&self) -> Option<u64> {
        let mut through = self.payloads_through;
        for missing in self.missing.iter().rev() {
            match *missing == through {
                true => through = through.checked_sub(1)?,
                false => break,
            }
        }
        Some(through)
    }
}

impl Ack {
    /// The bytes of the payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let wire = |item: &AckItem| {
            let AckItem { feed, seq, id, payloads_through, missing, received_at } = item.clone();
            ItemWire(feed, seq, id, payloads_through, missing, received_at)
        };
        codec::encode(&self.0.iter().map(wire).collect::<Vec<_>>())
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let wire: Vec<ItemWire> = codec::decode(bytes, "acknowledgement", PAYLOAD_BYTES_MAX)?;
        codec::expect_count("acknowledgement", wire.len(), 1, ACK_ITEMS_MAX)?;
        let items = wire.into_iter().map(read_item).collect::<Result<Vec<_>, _>>()?;
        let feeds: Vec<_> = items.iter().map(|item| item.feed).collect();
        codec::expect_ascending("acknowledged feeds", &feeds)?;
        Ok(Self(items))
    }
}

fn read_item(wire: ItemWire) -> Result<AckItem, Malformed> {
    let ItemWire(feed, seq, id, payloads_through, missing, received_at) = wire;
    if seq > SEQ_MAX {
        return Err(Malformed::Range { what: "acknowledged seq", value: seq });
    }
    if payloads_through > seq {
        return Err(Malformed::Range { what: "payloads_through", value: payloads_through });
    }
    codec::expect_count("missing payloads", missing.len(), 0, ACK_MISSING_MAX)?;
    codec::expect_ascending("missing payloads", &missing)?;
    if let Some(value) = missing.last().copied().filter(|last| *last > payloads_through) {
        return Err(Malformed::Range { what: "missing payload", value });
    }
    Ok(AckItem { feed, seq, id, payloads_through, missing, received_at })
}
