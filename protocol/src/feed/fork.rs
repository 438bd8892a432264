//! Fork proofs: two signed heads of one feed that cannot both be true.
//!
//! ```text
//! proof = [ descriptor, side, side, index ]        side = [ signed head, leaf hash bstr32, path [bstr32…] ]
//! ```
//!
//! Each side shows by its inclusion path that its head covers a certain leaf at `index`; the leaves
//! differ. The side with the smaller leaf hash stands first, so a pair of heads has one proof.
//! Anybody can check it with the proof alone: no store, no charter.
//!
//! Source: ours; inclusion per RFC 6962.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{
    Descriptor, SignedHead, descriptor::DescriptorWire, head::SignedHeadWire, root_of_path,
};
use crate::{
    codec::{self, Fixed, Malformed},
    hash::FeedId,
    limits::{FORK_PROOF_BYTES_MAX, PATH_MAX},
};

/// One of the two signed statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForkSide {
    /// The head that covers the leaf.
    pub head: SignedHead,
    /// The leaf hash at the index.
    pub leaf: Fixed<32>,
    /// The inclusion path from the leaf to the head's root.
    pub path: Vec<Fixed<32>>,
}

/// A verified proof that an organisation signed two histories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForkProof {
    descriptor: Descriptor,
    sides: [ForkSide; 2],
    index: u64,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct SideWire(SignedHeadWire, Fixed<32>, Vec<Fixed<32>>);

#[derive(Serialize, Deserialize)]
struct ProofWire(DescriptorWire, SideWire, SideWire, u64);

/// Why a proof proves nothing. Whoever made it is at fault, not the organisation that it accuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadProof {
    /// It does not decode.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// A head is of another feed than the descriptor.
    #[error("the head is of {found}, the proof is about {expected}")]
    OtherFeed {
        /// The feed that the proof is about.
        expected: FeedId,
        /// The feed of the head.
        found: FeedId,
    },
    /// A head is not signed by the feed's key.
    #[error("the head at size {size} is not signed by the feed's key")]
    Signature {
        /// The head's size.
        size: u64,
    },
    /// A path does not lead from the leaf to the head's root.
    #[error("the path at index {index} does not lead to the root of the head at size {size}")]
    Path {
        /// The index of the leaf.
        index: u64,
        /// The head's size.
        size: u64,
    },
    /// The two leaves are equal: no contradiction.
    #[error("both sides hold the same entry at index {index}")]
    NoContradiction {
        /// The index of the leaf.
        index: u64,
    },
}

impl ForkSide {
    pub(crate) fn to_wire(&self) -> SideWire {
        SideWire(self.head.to_wire(), self.leaf, self.path.clone())
    }

    pub(crate) fn from_wire(wire: SideWire) -> Result<Self, Malformed> {
        let SideWire(head, leaf, path) = wire;
        codec::expect_count("inclusion path", path.len(), 0, PATH_MAX)?;
        Ok(Self { head: SignedHead::from_wire(head)?, leaf, path })
    }

    /// Checks that this side's head covers its leaf at `index`.
    ///
    /// # Errors
    /// [`BadProof::OtherFeed`], [`BadProof::Path`], [`BadProof::Signature`].
    pub fn check(&self, descriptor: &Descriptor, index: u64) -> Result<(), BadProof> {
        let (expected, head) = (descriptor.feed_id(), &self.head.head);
        if head.feed != expected {
            return Err(BadProof::OtherFeed { expected, found: head.feed });
        }
        if root_of_path(self.leaf, index, head.size, &self.path) != Some(head.root) {
            return Err(BadProof::Path { index, size: head.size });
        }
        self.head.verify(&descriptor.key).map_err(|_| BadProof::Signature { size: head.size })
    }
}

impl ForkProof {
    /// Puts two sides together and verifies them.
    ///
    /// # Errors
    /// [`BadProof`], exactly.
    pub fn new(
        descriptor: Descriptor,
        index: u64,
        one: ForkSide,
        other: ForkSide,
    ) -> Result<Self, BadProof> {
        if one.leaf == other.leaf {
            return Err(BadProof::NoContradiction { index });
        }
        one.check(&descriptor, index)?;
        other.check(&descriptor, index)?;
        let sides = if one.leaf < other.leaf { [one, other] } else { [other, one] };
        let proof = Self { descriptor, sides, index };
        codec::expect_len("fork proof", proof.to_bytes().len(), FORK_PROOF_BYTES_MAX)?;
        Ok(proof)
    }

    /// The bytes of the proof.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let [one, other] = &self.sides;
        codec::encode(&ProofWire(
            self.descriptor.to_wire(),
            one.to_wire(),
            other.to_wire(),
            self.index,
        ))
    }

    /// Reads a proof and verifies it.
    ///
    /// # Errors
    /// [`BadProof`], exactly.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadProof> {
        let ProofWire(descriptor, one, other, index) =
            codec::decode(bytes, "fork proof", FORK_PROOF_BYTES_MAX)?;
        let descriptor = Descriptor::from_wire(descriptor)?;
        let (one, other) = (ForkSide::from_wire(one)?, ForkSide::from_wire(other)?);
        if one.leaf > other.leaf {
            return Err(Malformed::NotAscending { what: "fork proof sides" }.into());
        }
        Self::new(descriptor, index, one, other)
    }

    /// The feed that is forked.
    #[must_use]
    pub const fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The index at which the two histories differ; below it everything stands.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }
}
