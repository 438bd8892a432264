//! Opening a feed, and taking over from the epoch before.
//!
//! ```text
//! open_feed = [ descriptor, end, warrants [[role, key, signature]…] ]
//! end       = [] in epoch 0, else [[seq, entry id bstr32]]: the last entry of the epoch before
//! warrant   = Sign(epoch, [descriptor, end]) by `key`, in role 0 old key, 1 new key, 2 recovery key
//! ```
//!
//! Epoch 0 needs no warrant: the charter names its key, and the organisation accepted the charter with
//! it. A later epoch is warranted by the old and the new key (rotation, take-over, restore) or by
//! the recovery and the new key (loss, theft). No vote is needed.
//!
//! Knows nothing of which epochs a node holds: the caller passes the one before.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Descriptor, descriptor::DescriptorWire};
use crate::{
    codec::{self, Fixed, Malformed, Opt},
    hash::{EntryId, Tag},
    identity::{PublicKey, Signature, Signer, recovery_digest},
    limits::{KIB, SEQ_MAX},
};

/// The last entry of the epoch before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End(pub u64, pub EntryId);

/// In which capacity a key warrants an opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WarrantRole {
    /// The key of the epoch before.
    Old,
    /// The key of the new epoch.
    New,
    /// The recovery key, whose digest the charter holds.
    Recovery,
}

impl WarrantRole {
    const fn number(self) -> u64 {
        match self {
            Self::Old => 0,
            Self::New => 1,
            Self::Recovery => 2,
        }
    }

    const fn from_number(number: u64) -> Result<Self, Malformed> {
        match number {
            0 => Ok(Self::Old),
            1 => Ok(Self::New),
            2 => Ok(Self::Recovery),
            value => Err(Malformed::Range { what: "warrant role", value }),
        }
    }
}

/// A key's signature under the opening of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warrant {
    /// In which capacity the key signs.
    pub role: WarrantRole,
    /// The key.
    pub key: PublicKey,
    /// Its signature.
    pub signature: Signature,
}

/// The payload of entry 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFeed {
    /// The feed that is opened.
    pub descriptor: Descriptor,
    /// Where the epoch before ends.
    pub end: Option<End>,
    /// By which right, in ascending order of role.
    pub warrants: Vec<Warrant>,
}

#[derive(Serialize, Deserialize)]
struct OpenWire(DescriptorWire, Opt<End>, Vec<(u64, PublicKey, Signature)>);

#[derive(Serialize)]
struct SignedWire(DescriptorWire, Opt<End>);

/// Why an opening was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadOpening {
    /// It does not decode.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It opens another feed than the one that it stands in.
    #[error("the opening is of another feed than the one that it stands in")]
    OtherFeed,
    /// The organisation is no member of the board.
    #[error("the organisation is not a member of the board")]
    NotAMember,
    /// The key of epoch 0 is not the one in the charter.
    #[error("epoch 0 opens under a key that the charter does not name")]
    KeyNotInCharter,
    /// Epoch 0 names an end or warrants, or a later epoch has no end.
    #[error("epoch {epoch} must {due}")]
    WrongParts {
        /// The epoch.
        epoch: u64,
        /// What it should do.
        due: &'static str,
    },
    /// The epoch does not follow the one before it.
    #[error("epoch {found} does not follow epoch {held}")]
    NotNext {
        /// The epoch before.
        held: u64,
        /// The epoch that is opened.
        found: u64,
    },
    /// The organisation has opened as many feeds as it may.
    #[error("the organisation may open at most {max} feeds on a board")]
    TooMany {
        /// The bound.
        max: u64,
    },
    /// The key signed another feed of the organisation before.
    #[error("the new key has signed another feed of this organisation; one key signs one feed")]
    KeyUsedBefore,
    /// The warrants are not old and new key, or recovery and new key.
    #[error("the epoch is not warranted by the old or recovery key together with the new key")]
    NotWarranted,
    /// A warrant's signature does not verify.
    #[error("the warrant of the {role:?} key does not verify")]
    Signature {
        /// The key's role.
        role: WarrantRole,
    },
}

impl OpenFeed {
    /// The opening of an organisation's first feed on a board.
    #[must_use]
    pub const fn first(descriptor: Descriptor) -> Self {
        Self { descriptor, end: None, warrants: Vec::new() }
    }

    /// The opening of a later epoch, warranted by `prior` in its `role` and by the new key.
    #[must_use]
    pub fn next(
        descriptor: Descriptor,
        end: End,
        (role, prior): (WarrantRole, &dyn Signer),
        new: &dyn Signer,
    ) -> Self {
        let message = signed_bytes(&descriptor, Some(end));
        let warrant = |role, signer: &dyn Signer| Warrant {
            role,
            key: signer.public(),
            signature: signer.sign(Tag::Epoch, &message),
        };
        let mut warrants = Vec::from([warrant(role, prior), warrant(WarrantRole::New, new)]);
        warrants.sort_by_key(|warrant| warrant.role);
        Self { descriptor, end: Some(end), warrants }
    }

    /// The bytes of the payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let warrants =
            self.warrants.iter().map(|w| (w.role.number(), w.key, w.signature)).collect();
        codec::encode(&OpenWire(self.descriptor.to_wire(), Opt(self.end), warrants))
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let OpenWire(descriptor, Opt(end), warrants) = codec::decode(bytes, "opening", KIB)?;
        codec::expect_count("warrants", warrants.len(), 0, 2)?;
        let warrants = warrants
            .into_iter()
            .map(|(role, key, signature)| {
                Ok(Warrant { role: WarrantRole::from_number(role)?, key, signature })
            })
            .collect::<Result<Vec<_>, Malformed>>()?;
        let roles: Vec<_> = warrants.iter().map(|warrant| warrant.role).collect();
        codec::expect_ascending("warrants", &roles)?;
        if let Some(End(seq, _)) = end.filter(|End(seq, _)| *seq > SEQ_MAX) {
            return Err(Malformed::Range { what: "end of the epoch before", value: seq });
        }
        Ok(Self { descriptor: Descriptor::from_wire(descriptor)?, end, warrants })
    }

    /// Whether the recovery key warrants the opening.
    #[must_use]
    pub fn is_by_recovery(&self) -> bool {
        self.warrants.iter().any(|warrant| warrant.role == WarrantRole::Recovery)
    }

    /// Checks the opening of epoch 0 against the key that the charter names.
    ///
    /// # Errors
    /// [`BadOpening::WrongParts`], [`BadOpening::KeyNotInCharter`].
    pub fn check_first(&self, charter_key: &PublicKey) -> Result<(), BadOpening> {
        if self.end.is_some() || !self.warrants.is_empty() {
            return Err(BadOpening::WrongParts { epoch: 0, due: "name no end and no warrants" });
        }
        if self.descriptor.key != *charter_key {
            return Err(BadOpening::KeyNotInCharter);
        }
        Ok(())
    }

    /// Checks the opening of a later epoch against the epoch before and the recovery digest in the
    /// charter.
    ///
    /// # Errors
    /// [`BadOpening`], exactly.
    pub fn check_next(&self, before: &Descriptor, recovery: &Fixed<32>) -> Result<(), BadOpening> {
        if self.descriptor.key == before.key {
            return Err(BadOpening::KeyUsedBefore);
        }
        let found = self.descriptor.epoch;
        if found != before.epoch.saturating_add(1) {
            return Err(BadOpening::NotNext { held: before.epoch, found });
        }
        let due = BadOpening::WrongParts { epoch: found, due: "name the end of the epoch before" };
        let end = self.end.ok_or(due)?;
        let message = signed_bytes(&self.descriptor, Some(end));
        for warrant in &self.warrants {
            let named = match warrant.role {
                WarrantRole::Old => warrant.key == before.key,
                WarrantRole::New => warrant.key == self.descriptor.key,
                WarrantRole::Recovery => recovery_digest(&warrant.key) == *recovery,
            };
            if !named {
                return Err(BadOpening::NotWarranted);
            }
            let checked = warrant.key.verify(Tag::Epoch, &message, &warrant.signature);
            checked.map_err(|_| BadOpening::Signature { role: warrant.role })?;
        }
        let has = |role| self.warrants.iter().any(|warrant| warrant.role == role);
        let warranted = has(WarrantRole::New) && self.warrants.len() == 2;
        if warranted { Ok(()) } else { Err(BadOpening::NotWarranted) }
    }
}

fn signed_bytes(descriptor: &Descriptor, end: Option<End>) -> Vec<u8> {
    codec::encode(&SignedWire(descriptor.to_wire(), Opt(end)))
}
