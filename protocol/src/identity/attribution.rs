//! Staff as their organisation attributes them: never by name.
//!
//! ```text
//! attribution = [ actor_ref bstr16, role, capacity, how_authenticated ]        text: at most 256 bytes each
//! ```
//!
//! Opaque outside the home organisation, and that organisation's word. No effect depends on it.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{
    codec::{self, Fixed, Malformed},
    limits::{ATTRIBUTION_BYTES_MAX, NAME_BYTES_MAX},
};

/// On whose behalf, in the organisation's own terms, an entry was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribution {
    /// An opaque reference that only the home organisation can resolve.
    pub actor_ref: Fixed<16>,
    /// The role in which the person acted.
    pub role: String,
    /// The capacity in which the person acted, for people who act for two organisations.
    pub capacity: String,
    /// How the organisation had authenticated the person.
    pub how_authenticated: String,
}

#[derive(Serialize, Deserialize)]
struct Wire(Fixed<16>, String, String, String);

impl Attribution {
    /// The bytes of the attribution.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { actor_ref, role, capacity, how_authenticated } = self.clone();
        codec::encode(&Wire(actor_ref, role, capacity, how_authenticated))
    }

    /// Reads an attribution.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let Wire(actor_ref, role, capacity, how_authenticated) =
            codec::decode(bytes, "attribution", ATTRIBUTION_BYTES_MAX)?;
        for text in [&role, &capacity, &how_authenticated] {
            codec::expect_len("attribution text", text.len(), NAME_BYTES_MAX)?;
        }
        Ok(Self { actor_ref, role, capacity, how_authenticated })
    }
}
