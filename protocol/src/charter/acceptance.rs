//! Acceptances: what a member's keys sign before a charter may bind them; and the founding file.
//!
//! ```text
//! acceptance    = [ org bstr32, role, key, signature ]          role 0 feed key, 1 witness key
//! signature     = Sign(accept, [ charter hash, org, role, key ])
//! founding file = [ charter as bstr, [acceptance…] ]            acceptances ascend by (org, role)
//! ```
//!
//! An acceptance proves that the organisation holds the key and agrees to this very charter. The
//! founding file carries two of every member, observers included; a candidate for a later version
//! carries those of the members it adds or gives new keys, in the same layout.
//!
//! Invariant: a [`Founding`] in hand is sound, first of its board, and accepted by every member.
//! Whether a key is the organisation's own is for people to check, out of band.

use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt;

use serde::{Deserialize, Serialize};

use super::{
    document::Charter,
    member::{Member, Slug, Status},
    validate::Unsound,
};
use crate::{
    codec::{self, Blob, Malformed},
    hash::{BoardId, CharterHash, OrgId, Tag},
    identity::{PublicKey, Signature, Signer},
    limits::{KIB, MEMBERS_MAX, PAYLOAD_BYTES_MAX},
};

/// Which of its keys a member accepts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AcceptRole {
    /// The key that signs heads.
    Feed = 0,
    /// The key that cosigns checkpoints.
    Witness = 1,
}

impl AcceptRole {
    const BOTH: [Self; 2] = [Self::Feed, Self::Witness];

    const fn key(self, member: &Member) -> PublicKey {
        match self {
            Self::Feed => member.feed_key,
            Self::Witness => member.witness_key,
        }
    }
}

impl fmt::Display for AcceptRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Feed => "feed",
            Self::Witness => "witness",
        })
    }
}

/// One key's agreement to one charter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acceptance {
    /// The organisation that accepts.
    pub org: OrgId,
    /// Which of its keys signs.
    pub role: AcceptRole,
    /// That key.
    pub key: PublicKey,
    /// Its signature.
    pub signature: Signature,
}

/// [`Acceptance`] on the wire.
pub(super) type AcceptanceWire = (OrgId, u64, PublicKey, Signature);

/// A charter and its acceptances on the wire: a founding file, or a candidate.
#[derive(Serialize, Deserialize)]
pub(super) struct AcceptedWire(Blob, Vec<AcceptanceWire>);

/// What is wrong with the acceptances of a charter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAcceptance {
    /// A key has not accepted.
    #[error("{slug} has not accepted the charter with its {role} key; ask it for its acceptance")]
    Missing {
        /// The member.
        slug: Slug,
        /// The key.
        role: AcceptRole,
    },
    /// Somebody accepted who is not asked to.
    #[error("{org} has accepted with a {role} key, and the charter does not ask it to")]
    Unasked {
        /// The organisation.
        org: OrgId,
        /// The key.
        role: AcceptRole,
    },
    /// Another key accepted than the charter names.
    #[error("{slug} has accepted with another {role} key than the charter names")]
    OtherKey {
        /// The member.
        slug: Slug,
        /// The key.
        role: AcceptRole,
    },
    /// The signature is not of this key, or of another charter.
    #[error(
        "the acceptance by the {role} key of {slug} does not verify; it may be of another version"
    )]
    Signature {
        /// The member.
        slug: Slug,
        /// The key.
        role: AcceptRole,
    },
}

impl Acceptance {
    /// Accepts the charter as the organisation, with the key that has the role.
    #[must_use]
    pub fn sign(charter: CharterHash, org: OrgId, role: AcceptRole, signer: &dyn Signer) -> Self {
        let key = signer.public();
        let signature = signer.sign(Tag::Accept, &message(charter, org, role, key));
        Self { org, role, key, signature }
    }

    /// The bytes of the acceptance: `[org, role, key, signature]`.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        codec::encode(&self.to_wire())
    }

    /// Reads an acceptance. Whether it holds is for [`check_acceptances`].
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::from_wire(codec::decode(bytes, "acceptance", KIB)?)
    }

    fn to_wire(self) -> AcceptanceWire {
        (self.org, self.role as u64, self.key, self.signature)
    }

    fn from_wire((org, role, key, signature): AcceptanceWire) -> Result<Self, Malformed> {
        let known = AcceptRole::BOTH.into_iter().find(|one| *one as u64 == role);
        Ok(Self {
            org,
            role: known.ok_or(Malformed::Range { what: "acceptance role", value: role })?,
            key: key.admit("acceptance key")?,
            signature,
        })
    }
}

fn message(charter: CharterHash, org: OrgId, role: AcceptRole, key: PublicKey) -> Vec<u8> {
    codec::encode(&(charter, org, role as u64, key))
}

/// Checks that these members have accepted the charter with both keys, and nobody else has.
///
/// # Errors
/// The first [`BadAcceptance`], by member in the order given, then the acceptance that is too many.
pub fn check_acceptances<'a>(
    charter: CharterHash,
    members: impl IntoIterator<Item = &'a Member>,
    acceptances: &[Acceptance],
) -> Result<(), BadAcceptance> {
    let by_key = |one: &Acceptance| ((one.org, one.role), *one);
    let mut given: BTreeMap<_, _> = acceptances.iter().map(by_key).collect();
    for member in members {
        for role in AcceptRole::BOTH {
            let slug = || member.slug.clone();
            let one = given.remove(&(member.org, role));
            let one = one.ok_or_else(|| BadAcceptance::Missing { slug: slug(), role })?;
            if one.key != role.key(member) {
                return Err(BadAcceptance::OtherKey { slug: slug(), role });
            }
            let signed = message(charter, one.org, role, one.key);
            if one.key.verify(Tag::Accept, &signed, &one.signature).is_err() {
                return Err(BadAcceptance::Signature { slug: slug(), role });
            }
        }
    }
    match given.into_keys().next() {
        Some((org, role)) => Err(BadAcceptance::Unasked { org, role }),
        None => Ok(()),
    }
}

/// The bytes of a charter with its acceptances.
pub(super) fn accepted_to_bytes(charter: &Charter, acceptances: &[Acceptance]) -> Vec<u8> {
    let acceptances = acceptances.iter().map(|one| one.to_wire()).collect();
    codec::encode(&AcceptedWire(Blob::from(charter.to_bytes()), acceptances))
}

/// Reads a charter with its acceptances; checks form, bounds and order.
pub(super) fn accepted_from_bytes(
    bytes: &[u8],
    what: &'static str,
) -> Result<(Charter, Vec<Acceptance>), Malformed> {
    let AcceptedWire(charter, wires) = codec::decode(bytes, what, PAYLOAD_BYTES_MAX)?;
    let charter = Charter::from_bytes(&charter)?;
    let max = MEMBERS_MAX.saturating_mul(AcceptRole::BOTH.len());
    codec::expect_count("acceptances", wires.len(), 0, max)?;
    let read = wires.into_iter().map(Acceptance::from_wire);
    let acceptances = read.collect::<Result<Vec<_>, _>>()?;
    let order: Vec<_> = acceptances.iter().map(|one| (one.org, one.role)).collect();
    codec::expect_ascending("acceptances", &order)?;
    Ok((charter, acceptances))
}

/// A first charter that every member has accepted: what founds a board. Verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Founding {
    charter: Charter,
    acceptances: Vec<Acceptance>,
    board: BoardId,
}

/// Why a board cannot be founded so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfounded {
    /// It does not decode.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The charter makes no sense.
    #[error(transparent)]
    Unsound(#[from] Unsound),
    /// The charter is not a first one.
    #[error(
        "this is version {version} of a charter; version 0 founds a board, and follows no other"
    )]
    NotFirst {
        /// Its version.
        version: u64,
    },
    /// A founding member is neither active nor observer, or has a past.
    #[error(
        "{slug} cannot join as {status} or with a cutoff; founding members are active or observers"
    )]
    NotFresh {
        /// The member.
        slug: Slug,
        /// Its status.
        status: Status,
    },
    /// Not every key of every member has accepted, and nobody else.
    #[error(transparent)]
    Acceptance(#[from] BadAcceptance),
}

impl Founding {
    /// Founds a board, if the charter is sound and everybody has accepted it.
    ///
    /// # Errors
    /// [`Unfounded`], exactly: whatever [`Founding::from_bytes`] would say of the result.
    pub fn new(charter: &Charter, acceptances: &[Acceptance]) -> Result<Self, Unfounded> {
        let mut acceptances = acceptances.to_vec();
        acceptances.sort_by_key(|one| (one.org, one.role));
        Self::from_bytes(&accepted_to_bytes(charter, &acceptances))
    }

    /// Reads a founding file and verifies all of it.
    ///
    /// # Errors
    /// [`Unfounded`], exactly.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unfounded> {
        let (charter, acceptances) = accepted_from_bytes(bytes, "founding file")?;
        let board = charter.check_founding()?;
        check_acceptances(charter.hash(), &charter.members, &acceptances)?;
        Ok(Self { charter, acceptances, board })
    }

    /// The bytes of the founding file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        accepted_to_bytes(&self.charter, &self.acceptances)
    }

    /// The charter.
    #[must_use]
    pub const fn charter(&self) -> &Charter {
        &self.charter
    }

    /// The board that it founds.
    #[must_use]
    pub const fn board(&self) -> BoardId {
        self.board
    }
}

impl Charter {
    /// Checks that the charter may found a board: what people do before they sign.
    ///
    /// # Errors
    /// [`Unfounded`], but for acceptances.
    pub fn check_founding(&self) -> Result<BoardId, Unfounded> {
        let version = self.version;
        let board = self.board_id().ok_or(Unfounded::NotFirst { version })?;
        self.check()?;
        for member in &self.members {
            let fresh = matches!(member.status, Status::Active | Status::Observer);
            if !fresh || member.cutoff.is_some() {
                let slug = member.slug.clone();
                let status = member.status;
                return Err(Unfounded::NotFresh { slug, status });
            }
        }
        Ok(board)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charter::fixture::{accept_all, member, mini_board, org, witness_key};
    use crate::codec::Fixed;
    use proptest::prelude::*;

    #[test]
    fn a_board_is_founded_when_every_key_has_accepted() {
        let charter = mini_board();
        let founding = Founding::new(&charter, &accept_all(&charter)).unwrap();
        assert_eq!(founding.board().as_charter(), charter.hash());
        assert_eq!(Founding::from_bytes(&founding.to_bytes()), Ok(founding));
    }

    #[test]
    fn each_fault_names_the_member_and_the_key() {
        let charter = mini_board();
        let slug = || "la-wigan".parse::<Slug>().unwrap();
        let role = AcceptRole::Witness;
        let with = |change: &dyn Fn(&mut Vec<Acceptance>)| {
            let mut acceptances = accept_all(&charter);
            change(&mut acceptances);
            Founding::new(&charter, &acceptances).map(drop)
        };
        let bad = |fault: BadAcceptance| Err(Unfounded::Acceptance(fault));
        assert_eq!(
            with(&|all| {
                all.remove(3);
            }),
            bad(BadAcceptance::Missing { slug: slug(), role })
        );
        let stranger = org(9);
        assert_eq!(
            with(&|all| all.push(Acceptance { org: stranger, ..all[3] })),
            bad(BadAcceptance::Unasked { org: stranger, role })
        );
        let other = |hash, key| Acceptance::sign(hash, org(2), role, &key);
        assert_eq!(
            with(&|all| all[3] = other(charter.hash(), witness_key(9))),
            bad(BadAcceptance::OtherKey { slug: slug(), role })
        );
        let earlier = Charter { nonce: Fixed([0; 16]), ..charter.clone() }.hash();
        assert_eq!(
            with(&|all| all[3] = other(earlier, witness_key(2))),
            bad(BadAcceptance::Signature { slug: slug(), role })
        );
        assert_eq!(
            with(&|all| all.push(all[3])),
            Err(Unfounded::Malformed(Malformed::NotAscending { what: "acceptances" }))
        );
    }

    #[test]
    fn a_later_charter_or_a_member_with_a_past_founds_nothing() {
        let later = Charter { version: 1, ..mini_board() };
        assert_eq!(
            Founding::new(&later, &accept_all(&later)),
            Err(Unfounded::NotFirst { version: 1 })
        );
        let after = Charter { prev: mini_board().hash(), ..mini_board() };
        assert_eq!(
            Founding::new(&after, &accept_all(&after)),
            Err(Unfounded::NotFirst { version: 0 })
        );
        let mut past = mini_board();
        past.members[0].cutoff =
            Some(crate::charter::Cutoff { epoch: 0, seq: 3, entry: crate::hash::EntryId::NONE });
        let not_fresh = |status| Unfounded::NotFresh { slug: "la-bury".parse().unwrap(), status };
        assert_eq!(past.check_founding(), Err(not_fresh(Status::Active)));
        past.members[0].status = Status::Removed;
        assert_eq!(past.check_founding(), Err(not_fresh(Status::Removed)));
    }

    #[test]
    fn an_unsound_charter_founds_nothing_even_if_all_accept() {
        let mut charter = mini_board();
        charter.members[5] = member(6, "la-bury", "office", Status::Observer);
        assert_eq!(
            Founding::new(&charter, &accept_all(&charter)),
            Err(Unfounded::Unsound(Unsound::SlugTwice { slug: "la-bury".parse().unwrap() }))
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn no_changed_byte_of_a_founding_file_passes_as_another(
            at in any::<proptest::sample::Index>(),
            bits in 1u8..,
        ) {
            let charter = mini_board();
            let mut bytes = accepted_to_bytes(&charter, &accept_all(&charter));
            let at = at.index(bytes.len());
            bytes[at] ^= bits;
            prop_assert!(Founding::from_bytes(&bytes).is_err());
        }
    }
}
