//! Organisations: a stable id from an inception record.
//!
//! ```text
//! inception = [ 1, class, legal name, codes [[scheme, code]…], recovery digest bstr32, nonce bstr16 ]
//! OrgId     = H(org, inception)             recovery digest = H(recovery, public key bytes)
//! ```
//!
//! Names and codes are dated and may change; the id does not. Slugs are aliases that a charter
//! gives.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::PublicKey;
use crate::{
    codec::{self, Fixed, Malformed},
    hash::{OrgId, Tag, hash},
    limits::{CODES_MAX, INCEPTION_BYTES_MAX, NAME_BYTES_MAX},
};

/// A kind of organisation. It gives no right by itself: rules name classes, and charters say who
/// is of which.
pub type OrgClass = String;

/// An identifier that somebody else gave the organisation: scheme (`ods`, `gss`…) and code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Code(pub String, pub String);

/// The record that an organisation's id is the hash of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inception {
    /// What kind of organisation this is, for example `council`.
    pub class: OrgClass,
    /// Its legal name at inception.
    pub legal_name: String,
    /// Codes given by others, strictly ascending.
    pub codes: Vec<Code>,
    /// `H(recovery, recovery public key)`.
    pub recovery_digest: Fixed<32>,
    /// Fresh random bytes.
    pub nonce: Fixed<16>,
}

#[derive(Serialize, Deserialize)]
struct Wire(u64, String, String, Vec<Code>, Fixed<32>, Fixed<16>);

impl Inception {
    /// The bytes of the record.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { class, legal_name, codes, recovery_digest, nonce } = self.clone();
        codec::encode(&Wire(1, class, legal_name, codes, recovery_digest, nonce))
    }

    /// Reads a record.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let Wire(version, class, legal_name, codes, recovery_digest, nonce) =
            codec::decode(bytes, "inception", INCEPTION_BYTES_MAX)?;
        codec::expect_version("inception", version, 1)?;
        codec::expect_len("inception class", class.len(), NAME_BYTES_MAX)?;
        codec::expect_len("legal name", legal_name.len(), NAME_BYTES_MAX)?;
        codec::expect_count("organisation codes", codes.len(), 0, CODES_MAX)?;
        codec::expect_ascending("organisation codes", &codes)?;
        Ok(Self { class, legal_name, codes, recovery_digest, nonce })
    }

    /// The organisation's id.
    #[must_use]
    pub fn org_id(&self) -> OrgId {
        OrgId::from_bytes(hash(Tag::Org, &[&self.to_bytes()]))
    }
}

/// The digest by which a recovery key is known until it is used.
#[must_use]
pub fn recovery_digest(key: &PublicKey) -> Fixed<32> {
    Fixed(hash(Tag::Recovery, &[key.as_bytes()]))
}
