//! What a feed is: the record its id is the hash of.
//!
//! ```text
//! descriptor = [ board bstr32, org bstr32, epoch, alg, key bstr32 ]       feed id = H(feed, descriptor)
//! ```
//!
//! One key, one feed, one epoch: whoever knows the descriptor knows who signs, and where.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{
    codec::{self, Fixed, Malformed},
    hash::{BoardId, FeedId, OrgId, Tag, hash},
    identity::PublicKey,
};

/// A feed's board, organisation, epoch and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    /// The board that the feed is on.
    pub board: BoardId,
    /// The organisation whose feed it is.
    pub org: OrgId,
    /// Counts the organisation's feeds on the board from 0.
    pub epoch: u64,
    /// The key that signs its heads.
    pub key: PublicKey,
}

/// [`Descriptor`] on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DescriptorWire(BoardId, OrgId, u64, u64, Fixed<32>);

const ED25519: u64 = 1;
const BYTES_MAX: usize = 128;

impl Descriptor {
    /// The bytes of the descriptor.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&self.to_wire())
    }

    /// Reads a descriptor; its key is admitted.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::from_wire(codec::decode(bytes, "descriptor", BYTES_MAX)?)
    }

    pub(super) const fn to_wire(self) -> DescriptorWire {
        DescriptorWire(self.board, self.org, self.epoch, ED25519, Fixed(*self.key.as_bytes()))
    }

    pub(super) fn from_wire(wire: DescriptorWire) -> Result<Self, Malformed> {
        let DescriptorWire(board, org, epoch, alg, key) = wire;
        if alg != ED25519 {
            return Err(Malformed::BadKey { what: "feed key" });
        }
        let key = PublicKey::ed25519(key.0).admit("feed key")?;
        Ok(Self { board, org, epoch, key })
    }

    /// The feed's id.
    #[must_use]
    pub fn feed_id(&self) -> FeedId {
        FeedId::from_bytes(hash(Tag::Feed, &[&self.to_bytes()]))
    }
}
