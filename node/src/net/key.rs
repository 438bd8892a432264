//! A node's public key, and its libp2p name.
//!
//! ```text
//!   PeerId bytes   00 24 | 08 01 12 20 | key, 32 bytes      text: 12D3KooW…
//!                  identity  protobuf: Ed25519, 32 bytes
//!                  hash, 36
//! ```
//!
//! *Invariants.* A [`NodeKey`] is a point that Ed25519 can verify with. Keys order as their PeerIds
//! do. Knows nothing of organisations: a node card binds the two.
//!
//! *Source*: libp2p peer ids specification, "Ed25519" and "Peer IDs".

use std::{fmt, str::FromStr};

use libp2p::{PeerId, identity};

/// What every PeerId of an Ed25519 key begins with.
const PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// A node's Ed25519 public key; its text form is the PeerId.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeKey {
    bytes: [u8; 32],
    // Kept, so that the conversion that can fail is done once.
    peer_id: PeerId,
}

/// Why something is not a node key.
#[derive(Debug, thiserror::Error)]
pub enum NodeKeyError {
    /// The bytes are no point of the curve.
    #[error("the 32 bytes are not an Ed25519 public key")]
    NotAPoint,
    /// A PeerId of another kind of key.
    #[error("{peer_id} does not name an Ed25519 key; the names of such keys begin with 12D3KooW")]
    NotEd25519 {
        /// Which.
        peer_id: PeerId,
    },
    /// Text that is no PeerId.
    #[error("{text:?} is not a peer id: {source}")]
    NotAPeerId {
        /// What was given.
        text: String,
        /// What libp2p said.
        source: identity::ParseError,
    },
}

impl NodeKey {
    /// The key of these bytes.
    ///
    /// # Errors
    /// - [`NodeKeyError::NotAPoint`]: nobody can have made it.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, NodeKeyError> {
        let key = identity::ed25519::PublicKey::try_from_bytes(&bytes)
            .map_err(|_| NodeKeyError::NotAPoint)?;
        let peer_id = identity::PublicKey::from(key).to_peer_id();
        Ok(Self { bytes, peer_id })
    }

    /// The key that a PeerId spells out.
    ///
    /// # Errors
    /// - [`NodeKeyError::NotEd25519`]: it names a key of another kind.
    /// - [`NodeKeyError::NotAPoint`]: it spells out something that is no key.
    pub fn from_peer_id(peer_id: &PeerId) -> Result<Self, NodeKeyError> {
        let bytes = peer_id.to_bytes();
        let spelled = bytes.strip_prefix(&PREFIX).and_then(|key| <[u8; 32]>::try_from(key).ok());
        match spelled {
            Some(key) => Self::from_bytes(key),
            None => Err(NodeKeyError::NotEd25519 { peer_id: *peer_id }),
        }
    }

    /// The raw key, as it stands on a node card.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The libp2p name.
    #[must_use]
    pub const fn to_peer_id(&self) -> PeerId {
        self.peer_id
    }
}

impl fmt::Display for NodeKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.peer_id.fmt(formatter)
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "NodeKey({})", self.peer_id)
    }
}

impl FromStr for NodeKey {
    type Err = NodeKeyError;

    fn from_str(text: &str) -> Result<Self, NodeKeyError> {
        let peer_id = PeerId::from_str(text)
            .map_err(|source| NodeKeyError::NotAPeerId { text: text.to_owned(), source })?;
        Self::from_peer_id(&peer_id)
    }
}

#[cfg(test)]
mod tests {
    use libp2p::identity::Keypair;

    use super::*;

    fn key(seed: u8) -> NodeKey {
        let keypair = Keypair::ed25519_from_bytes([seed; 32]).unwrap();
        NodeKey::from_peer_id(&keypair.public().to_peer_id()).unwrap()
    }

    #[test]
    fn a_key_and_its_peer_id_lead_to_each_other() {
        for seed in 0..32 {
            let key = key(seed);
            assert_eq!(NodeKey::from_bytes(*key.as_bytes()).unwrap(), key);
            assert_eq!(NodeKey::from_peer_id(&key.to_peer_id()).unwrap(), key);
            assert_eq!(key.to_string().parse::<NodeKey>().unwrap(), key);
            assert!(key.to_string().starts_with("12D3KooW"));
        }
    }

    #[test]
    fn the_key_of_a_seed_is_the_ed25519_public_key() {
        let public = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes();
        assert_eq!(key(7).as_bytes(), &public);
    }

    #[test]
    fn keys_order_as_their_peer_ids_do() {
        let mut keys: Vec<NodeKey> = (0..32).map(key).collect();
        keys.sort();
        let peer_ids: Vec<PeerId> = keys.iter().map(NodeKey::to_peer_id).collect();
        assert!(peer_ids.is_sorted());
    }

    #[test]
    fn other_kinds_of_name_are_told_apart() {
        // The name of an RSA key: a SHA-256 hash.
        let rsa: PeerId = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N".parse().unwrap();
        let other = NodeKey::from_peer_id(&rsa);
        assert!(matches!(other, Err(NodeKeyError::NotEd25519 { peer_id }) if peer_id == rsa));
        // y = 2 is on no point of the curve.
        let mut off_curve = [0; 32];
        off_curve[0] = 2;
        let no_point = NodeKey::from_bytes(off_curve);
        assert!(matches!(no_point, Err(NodeKeyError::NotAPoint)));
        let text = "not a name".parse::<NodeKey>();
        assert!(matches!(text, Err(NodeKeyError::NotAPeerId { text, .. }) if text == "not a name"));
    }
}
