//! Keys and signatures: Ed25519, strict.
//!
//! ```text
//! public key = [alg, bstr32]        signature = [alg, bstr64]        alg 1 = Ed25519
//! ```
//!
//! A key is admitted only if its encoding is canonical and it is not of small order. Signatures are
//! checked by the strict rule, one by one: batch checking is another acceptance rule, and nodes
//! would disagree. `Sign(tag, x)` signs `tag ‖ 0x00 ‖ x`; a C2SP note is signed as it stands.
//!
//! Source: RFC 8032; the strict rule of `ed25519-dalek`'s `verify_strict`.

use core::fmt;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::{
    codec::{Fixed, Malformed, hex},
    hash::Tag,
};

const ED25519: u64 = 1;

/// The prime of the field, little-endian: a canonical point encoding has y below it.
const FIELD_PRIME_LE: [u8; 32] = {
    let mut prime = [0xff; 32];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    prime
};

/// A signature that does not fit its key and message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify under the key it claims")]
pub struct BadSignature;

/// An Ed25519 public key, as it stands on the wire.
///
/// Decoding takes any 32 bytes; [`PublicKey::admit`] decides whether the key may be used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PublicKey(u64, Fixed<32>);

impl PublicKey {
    /// The key with these bytes, not yet admitted.
    #[must_use]
    pub const fn ed25519(bytes: [u8; 32]) -> Self {
        Self(ED25519, Fixed(bytes))
    }

    /// The 32 bytes of the key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.1.0
    }

    /// Accepts the key for use.
    ///
    /// # Errors
    /// [`Malformed::BadKey`] with the field's name: unknown algorithm, non-canonical encoding, a
    /// point off the curve, or one of small order.
    pub fn admit(self, what: &'static str) -> Result<Self, Malformed> {
        self.verifying_key().map(|_| self).ok_or(Malformed::BadKey { what })
    }

    /// Checks `signature` over `tag ‖ 0x00 ‖ message`.
    ///
    /// # Errors
    /// [`BadSignature`], also when the key itself is not admissible.
    pub fn verify(
        &self,
        tag: Tag,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        self.verify_bytes(&tag.message(message), signature)
    }

    /// Checks `signature` over the text of a C2SP note, which has no tag.
    ///
    /// A note holds no zero byte and a tagged message does, so neither can pass as the other.
    ///
    /// # Errors
    /// [`BadSignature`], also when the key itself is not admissible or the text holds a zero byte.
    pub fn verify_note(&self, text: &str, signature: &Signature) -> Result<(), BadSignature> {
        if text.contains('\0') {
            return Err(BadSignature);
        }
        self.verify_bytes(text.as_bytes(), signature)
    }

    fn verify_bytes(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let key = self.verifying_key().ok_or(BadSignature)?;
        if signature.0 != ED25519 {
            return Err(BadSignature);
        }
        let signature = ed25519_dalek::Signature::from_bytes(&signature.1.0);
        key.verify_strict(message, &signature).map_err(|_| BadSignature)
    }

    fn verifying_key(&self) -> Option<VerifyingKey> {
        let mut y = self.1.0;
        y[31] &= 0x7f;
        let canonical = y.iter().rev().lt(FIELD_PRIME_LE.iter().rev());
        if self.0 != ED25519 || !canonical {
            return None;
        }
        VerifyingKey::from_bytes(&self.1.0).ok().filter(|key| !key.is_weak())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key-{}", hex(self.1.0.get(..4).unwrap_or_default()))
    }
}

/// An Ed25519 signature, as it stands on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Signature(u64, Fixed<64>);

impl Signature {
    /// The signature with these bytes.
    #[must_use]
    pub const fn ed25519(bytes: [u8; 64]) -> Self {
        Self(ED25519, Fixed(bytes))
    }

    /// The 64 bytes of the signature.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.1.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sig-{}", hex(self.1.0.get(..4).unwrap_or_default()))
    }
}

/// What can sign for a key: a key pair in memory, or a device that never gives the key away.
pub trait Signer: Send {
    /// The public half.
    fn public(&self) -> PublicKey;
    /// Signs `tag ‖ 0x00 ‖ message`.
    fn sign(&self, tag: Tag, message: &[u8]) -> Signature;
    /// Signs the text of a C2SP note as it stands, without a tag. The text holds no zero byte.
    fn sign_note(&self, text: &str) -> Signature;
}

/// An Ed25519 key pair in memory, wiped when dropped.
#[derive(Clone)]
pub struct KeyPair(SigningKey);

impl KeyPair {
    /// The key pair of a 32-byte secret seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }
}

impl Signer for KeyPair {
    fn public(&self) -> PublicKey {
        PublicKey::ed25519(self.0.verifying_key().to_bytes())
    }

    fn sign(&self, tag: Tag, message: &[u8]) -> Signature {
        Signature::ed25519(self.0.sign(&tag.message(message)).to_bytes())
    }

    fn sign_note(&self, text: &str) -> Signature {
        Signature::ed25519(self.0.sign(text.as_bytes()).to_bytes())
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "secret of {:?}", self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(seed: u8) -> KeyPair {
        KeyPair::from_seed(&[seed; 32])
    }

    #[test]
    fn a_signature_holds_for_its_tag_message_and_key_alone() {
        let signature = pair(1).sign(Tag::Head, b"ten entries");
        let key = pair(1).public();
        assert_eq!(key.verify(Tag::Head, b"ten entries", &signature), Ok(()));
        assert_eq!(key.verify(Tag::Head, b"six entries", &signature), Err(BadSignature));
        assert_eq!(
            pair(2).public().verify(Tag::Head, b"ten entries", &signature),
            Err(BadSignature)
        );
        for tag in Tag::ALL.iter().filter(|tag| **tag != Tag::Head) {
            assert_eq!(key.verify(*tag, b"ten entries", &signature), Err(BadSignature), "{tag:?}");
        }
    }

    #[test]
    fn a_note_and_a_tagged_message_never_pass_as_each_other() {
        let key = pair(1).public();
        let note = pair(1).sign_note("origin\n10\n");
        assert_eq!(key.verify_note("origin\n10\n", &note), Ok(()));
        assert_eq!(key.verify_note("origin\n11\n", &note), Err(BadSignature));
        assert_eq!(key.verify(Tag::Head, b"origin\n10\n", &note), Err(BadSignature));
        let tagged = pair(1).sign(Tag::Head, b"ten entries");
        let signed = Tag::Head.message(b"ten entries");
        let signed = core::str::from_utf8(&signed).unwrap();
        assert_eq!(key.verify_note(signed, &tagged), Err(BadSignature));
    }

    #[test]
    fn keys_that_are_weak_off_the_curve_or_not_canonical_are_not_admitted() {
        let identity = {
            let mut bytes = [0; 32];
            bytes[0] = 1;
            bytes
        };
        let order_four = [0; 32];
        // y = p + 3, a second encoding of y = 3, which is on the curve.
        let second_encoding = {
            let mut bytes = FIELD_PRIME_LE;
            bytes[0] = 0xf0;
            bytes
        };
        let off_the_curve = {
            let mut bytes = [0; 32];
            bytes[0] = 2;
            bytes
        };
        for bytes in [identity, order_four, second_encoding, off_the_curve] {
            let refused = PublicKey::ed25519(bytes).admit("feed key");
            assert_eq!(refused, Err(Malformed::BadKey { what: "feed key" }), "{}", hex(&bytes));
        }
        assert_eq!(
            PublicKey(2, pair(1).public().1).admit("k"),
            Err(Malformed::BadKey { what: "k" })
        );
        assert_eq!(pair(1).public().admit("k"), Ok(pair(1).public()));
    }
}
