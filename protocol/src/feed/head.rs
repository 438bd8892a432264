//! Heads: what an organisation signs.
//!
//! ```text
//! head        = [ 1, feed bstr32, size, entry id of size-1, root bstr32 ]       signed under tag `head`
//! signed head = [ head, signature ]
//! ```
//!
//! A head vouches for every entry below its size, through the chain and through the tree.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{
    codec::{self, Fixed, Malformed},
    hash::{EntryId, FeedId, Tag},
    identity::{BadSignature, PublicKey, Signature, Signer},
    limits::SEQ_MAX,
};

/// How far a feed has come, and over what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The feed.
    pub feed: FeedId,
    /// Number of entries, at least 1.
    pub size: u64,
    /// The id of entry size-1.
    pub id: EntryId,
    /// The RFC 6962 root over the headers 0 … size-1.
    pub root: Fixed<32>,
}

/// A head and the signature under it. Not verified by being decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedHead {
    /// The head.
    pub head: Head,
    /// The signature under it.
    pub signature: Signature,
}

#[derive(Serialize, Deserialize)]
struct HeadWire(u64, FeedId, u64, EntryId, Fixed<32>);

/// [`SignedHead`] on the wire.
#[derive(Serialize, Deserialize)]
pub(super) struct SignedHeadWire(HeadWire, Signature);

impl Head {
    fn to_wire(self) -> HeadWire {
        HeadWire(1, self.feed, self.size, self.id, self.root)
    }

    /// The bytes that are signed: tag, zero byte, head.
    #[must_use]
    pub fn message(self) -> Vec<u8> {
        Tag::Head.message(&codec::encode(&self.to_wire()))
    }

    /// Signs the head.
    #[must_use]
    pub fn sign(self, signer: &dyn Signer) -> SignedHead {
        let signature = signer.sign(Tag::Head, &codec::encode(&self.to_wire()));
        SignedHead { head: self, signature }
    }
}

impl SignedHead {
    /// The longest that [`SignedHead::to_bytes`] can be.
    pub const BYTES_MAX: usize = 256;

    /// The bytes of the signed head.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&self.to_wire())
    }

    /// Reads a signed head, without verifying it.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::from_wire(codec::decode(bytes, "signed head", Self::BYTES_MAX)?)
    }

    pub(super) fn to_wire(self) -> SignedHeadWire {
        SignedHeadWire(self.head.to_wire(), self.signature)
    }

    pub(super) fn from_wire(wire: SignedHeadWire) -> Result<Self, Malformed> {
        let SignedHeadWire(HeadWire(version, feed, size, id, root), signature) = wire;
        codec::expect_version("head", version, 1)?;
        if size == 0 || size > SEQ_MAX {
            return Err(Malformed::Range { what: "head size", value: size });
        }
        Ok(Self { head: Head { feed, size, id, root }, signature })
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, key: &PublicKey) -> Result<(), BadSignature> {
        key.verify(Tag::Head, &codec::encode(&self.head.to_wire()), &self.signature)
    }
}
