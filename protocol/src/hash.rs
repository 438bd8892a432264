//! Hashes, and the one table of tags.
//!
//! `H(tag, x) = SHA-256(tag ‖ 0x00 ‖ x)`. A signature signs `tag ‖ 0x00 ‖ x` in the same way, so
//! no two uses of a key or a hash can be mistaken for each other, nor for a C2SP note: a note
//! holds no control characters.
//!
//! Source: ours, `SPEC.md` section "Tags"; SHA-256 per FIPS 180-4.

use core::fmt;

use alloc::vec::Vec;
use sha2::{Digest, Sha256};

use crate::codec::{Fixed, hex};

macro_rules! tags {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What a hash or a signature is for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Tag { $($(#[$doc])* $name,)* }

        impl Tag {
            /// Every tag, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The text of the tag.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => concat!("concordat/", $text, "/v1"),)* }
            }
        }
    };
}

tags! {
    /// An organisation's id, over its inception record.
    Org = "org",
    /// A node card, signed by the feed key.
    Card = "card",
    /// A feed's id, over its descriptor.
    Feed = "feed",
    /// The opening of an epoch, signed by the keys that warrant it.
    Epoch = "epoch",
    /// The digest of a recovery key.
    Recovery = "recovery",
    /// An entry's id, over its header.
    Entry = "entry",
    /// A feed head, signed by the feed key.
    Head = "head",
    /// A payload with its salt.
    Payload = "payload",
    /// A staff attribution with its salt.
    Attribution = "attribution",
    /// An artefact's id.
    Artefact = "artefact",
    /// The feed's half of an Automerge actor id.
    Actor = "actor",
    /// A charter version's hash; the first one's is the board id.
    Charter = "charter",
    /// A member's acceptance of a charter.
    Accept = "accept",
    /// The exact wording of a proposal.
    Wording = "wording",
    /// The digest of what a node holds of a board.
    Have = "have",
    /// Salts and nonces, from the randomness that enters the engine.
    Salt = "salt",
}

impl Tag {
    /// The bytes that are signed for `message`.
    #[must_use]
    pub fn message(self, message: &[u8]) -> Vec<u8> {
        let tag = self.as_str().as_bytes();
        let mut bytes =
            Vec::with_capacity(tag.len().saturating_add(message.len()).saturating_add(1));
        bytes.extend_from_slice(tag);
        bytes.push(0);
        bytes.extend_from_slice(message);
        bytes
    }
}

/// `H(tag, part ‖ part ‖ …)`.
#[must_use]
pub fn hash(tag: Tag, parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(tag.as_str().as_bytes());
    digest.update([0]);
    for part in parts {
        digest.update(part);
    }
    digest.finalize().into()
}

/// Defines ids: 32 bytes, ordered, with one text form each (prefix, `-`, base32 without padding).
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub Fixed<32>);

        impl $name {
            /// The id with these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 32]) -> Self { Self(Fixed(bytes)) }

            /// The bytes of the id.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] { &self.0.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}-{}", $prefix, data_encoding::BASE32_NOPAD.encode(&self.0.0).to_ascii_lowercase())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let short = self.0.0.get(..4).unwrap_or_default();
                write!(f, "{}-{}", $prefix, hex(short))
            }
        }

        impl core::str::FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                let bad = BadId { prefix: $prefix };
                let body = text.strip_prefix(concat!($prefix, "-")).ok_or(bad)?;
                if body.bytes().any(|byte| byte.is_ascii_uppercase()) {
                    return Err(bad);
                }
                let bytes = data_encoding::BASE32_NOPAD
                    .decode(body.to_ascii_uppercase().as_bytes())
                    .map_err(|_| bad)?;
                Ok(Self(Fixed(bytes.try_into().map_err(|_| bad)?)))
            }
        }
    )*};
}

/// Text that is not an id of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an id that begins with {prefix}- and goes on with 52 letters and digits")]
pub struct BadId {
    /// How the id should begin.
    pub prefix: &'static str,
}

ids! {
    /// An organisation: `H(org, inception)`.
    OrgId, "org";
    /// A board: the hash of its first charter.
    BoardId, "board";
    /// One version of a charter: `H(charter, charter)`.
    CharterHash, "charter";
    /// A feed: `H(feed, descriptor)`.
    FeedId, "feed";
    /// An entry: `H(entry, header)`.
    EntryId, "entry";
    /// An artefact: `H(artefact, [board, org, nonce16])`.
    ArtefactId, "artefact";
    /// A node, by its transport key (Ed25519): what libp2p derives a `PeerId` from.
    NodeKey, "node";
}

impl EntryId {
    /// What `prev` holds at seq 0.
    pub const NONE: Self = Self::from_bytes([0; 32]);
}

impl BoardId {
    /// The charter version that founds the board.
    #[must_use]
    pub const fn as_charter(&self) -> CharterHash {
        CharterHash(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{collections::BTreeSet, string::ToString};

    #[test]
    fn tags_are_distinct_and_none_is_the_beginning_of_another() {
        let texts: BTreeSet<_> = Tag::ALL.iter().map(|tag| tag.as_str()).collect();
        assert_eq!(texts.len(), Tag::ALL.len());
        for text in &texts {
            assert!(text.starts_with("concordat/") && text.ends_with("/v1"), "{text}");
            assert!(text.bytes().all(|byte| byte > 0x20), "{text}");
        }
    }

    #[test]
    fn an_id_comes_back_from_its_text_and_only_from_it() {
        let id = OrgId::from_bytes([7; 32]);
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text.len(), "org-".len() + 52);
        assert_eq!(text.to_uppercase().parse::<OrgId>(), Err(BadId { prefix: "org" }));
        assert_eq!(text.parse::<BoardId>(), Err(BadId { prefix: "board" }));
        assert_eq!(text.get(..55).unwrap().parse::<OrgId>(), Err(BadId { prefix: "org" }));
    }
}
