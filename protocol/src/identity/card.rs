//! Node cards: which node speaks for an organisation, and where it is reached.
//!
//! ```text
//! card        = [ 1, org bstr32, epoch, number, feed key, witness key, node key bstr32,
//!                 addresses [text…], not_before ms ]
//! signed card = [ card as bstr, signature ]          signed by the feed key, tag `card`
//! ```
//!
//! Cards of one organisation order by (epoch, number); the highest names the **one** node that may
//! sign. A standby holds a copy of the feed and signs only after a new card in a new epoch.
//!
//! Invariant: a [`SignedCard`] in hand has been verified under the feed key that it names. Whether
//! that key is the organisation's is for the caller, who has a charter or a person's word.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{BadSignature, PublicKey, Signature, Signer};
use crate::{
    codec::{self, Blob, Malformed},
    hash::{NodeKey, OrgId, Tag},
    limits::{ADDRESS_BYTES_MAX, ADDRESSES_MAX, CARD_BYTES_MAX, TIME_MS_MAX},
    time::TimeMs,
};

/// What a node card says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The organisation.
    pub org: OrgId,
    /// The epoch of its feeds.
    pub epoch: u64,
    /// Which card of the epoch this is.
    pub number: u64,
    /// The key that signs heads, and this card.
    pub feed_key: PublicKey,
    /// The key that cosigns checkpoints.
    pub witness_key: PublicKey,
    /// The transport key of the one node that may sign.
    pub node_key: NodeKey,
    /// Where the node is reached, as multiaddresses; empty when it only dials out.
    pub addresses: Vec<String>,
    /// From when the card holds: a claim.
    pub not_before: TimeMs,
}

/// A card with its signature, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCard {
    card: Card,
    signature: Signature,
}

#[derive(Serialize, Deserialize)]
struct CardWire(u64, OrgId, u64, u64, PublicKey, PublicKey, NodeKey, Vec<String>, TimeMs);

#[derive(Serialize, Deserialize)]
struct SignedWire(Blob, Signature);

/// Why a card was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCard {
    /// It does not decode.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It was not signed by the feed key it names, or was changed since.
    #[error(
        "the card was not signed by the feed key it names, or was changed since; ask the organisation for it again"
    )]
    Signature(#[from] BadSignature),
    /// Two of its keys are the same.
    #[error("the card uses one key for two purposes; feed, witness and node key must differ")]
    SharedKey,
}

impl Card {
    /// Signs the card with the feed key that it names.
    ///
    /// # Errors
    /// Whatever [`SignedCard::from_bytes`] would say of the result, so a card that others would
    /// refuse is never made; [`BadCard::Signature`] if `signer` is not the feed key named.
    pub fn sign(&self, signer: &dyn Signer) -> Result<SignedCard, BadCard> {
        let body = self.to_bytes();
        let signature = signer.sign(Tag::Card, &body);
        SignedCard::from_bytes(&codec::encode(&SignedWire(Blob::from(body), signature)))
    }

    fn to_bytes(&self) -> Vec<u8> {
        let card = self.clone();
        codec::encode(&CardWire(
            1,
            card.org,
            card.epoch,
            card.number,
            card.feed_key,
            card.witness_key,
            card.node_key,
            card.addresses,
            card.not_before,
        ))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, BadCard> {
        let CardWire(
            version,
            org,
            epoch,
            number,
            feed_key,
            witness_key,
            node_key,
            addresses,
            not_before,
        ) = codec::decode(bytes, "card", CARD_BYTES_MAX)?;
        codec::expect_version("card", version, 1)?;
        codec::expect_count("card addresses", addresses.len(), 0, ADDRESSES_MAX)?;
        for address in &addresses {
            codec::expect_len("card address", address.len(), ADDRESS_BYTES_MAX)?;
        }
        if not_before.0 > TIME_MS_MAX {
            return Err(Malformed::Range { what: "card not_before", value: not_before.0 }.into());
        }
        feed_key.admit("card feed key")?;
        witness_key.admit("card witness key")?;
        PublicKey::ed25519(*node_key.as_bytes()).admit("card node key")?;
        let node_bytes = node_key.as_bytes();
        if feed_key == witness_key
            || feed_key.as_bytes() == node_bytes
            || witness_key.as_bytes() == node_bytes
        {
            return Err(BadCard::SharedKey);
        }
        Ok(Self { org, epoch, number, feed_key, witness_key, node_key, addresses, not_before })
    }

    /// Where the card stands among its organisation's cards.
    #[must_use]
    pub const fn order(&self) -> (u64, u64) {
        (self.epoch, self.number)
    }
}

impl SignedCard {
    /// Reads a signed card and verifies it under the feed key that it names.
    ///
    /// # Errors
    /// [`BadCard`], exactly.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadCard> {
        let SignedWire(body, signature) = codec::decode(bytes, "signed card", CARD_BYTES_MAX)?;
        let card = Card::from_bytes(&body)?;
        card.feed_key.verify(Tag::Card, &body, &signature)?;
        Ok(Self { card, signature })
    }

    /// The bytes of the signed card.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&SignedWire(Blob::from(self.card.to_bytes()), self.signature))
    }

    /// What the card says.
    #[must_use]
    pub const fn card(&self) -> &Card {
        &self.card
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::KeyPair;
    use alloc::{string::ToString, vec};

    fn card() -> Card {
        let key = |seed: u8| KeyPair::from_seed(&[seed; 32]).public();
        Card {
            org: OrgId::from_bytes([9; 32]),
            epoch: 0,
            number: 3,
            feed_key: key(1),
            witness_key: key(2),
            node_key: NodeKey::from_bytes(*key(3).as_bytes()),
            addresses: vec!["/ip4/192.0.2.1/tcp/4001".to_string()],
            not_before: TimeMs(1_511_136_000_000),
        }
    }

    #[test]
    fn a_card_comes_back_verified_and_no_changed_byte_passes() {
        let signed = card().sign(&KeyPair::from_seed(&[1; 32])).unwrap();
        let bytes = signed.to_bytes();
        assert_eq!(SignedCard::from_bytes(&bytes), Ok(signed));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(SignedCard::from_bytes(&changed).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_card_signed_by_another_key_or_with_a_shared_key_is_refused() {
        let other = KeyPair::from_seed(&[4; 32]);
        assert_eq!(card().sign(&other), Err(BadCard::Signature(BadSignature)));
        let shared = Card { witness_key: card().feed_key, ..card() };
        assert_eq!(shared.sign(&KeyPair::from_seed(&[1; 32])), Err(BadCard::SharedKey));
    }
}
