//! Opening an artefact, and widening its audience: kinds 3 and 7.
//!
//! ```text
//! open     = [ nonce bstr16, artefact kind, schema version, audience ]
//! audience = [] all members, present and later, or [org…] ascending
//! widening = [ [org…] ascending, at least one, reason ]
//! reason     0 mentioned   1 takes part   2 successor   3 named in a finding   others: by number
//!
//! artefact id = H(artefact, [board, org, nonce16])         org: who opened it
//! ```
//!
//! An audience only ever widens: what was sent cannot be called back. An unknown reason widens all
//! the same, and is shown by its number.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{
    codec::{self, Fixed, Malformed},
    hash::{ArtefactId, BoardId, OrgId, Tag, hash},
    limits::{AUDIENCE_MAX, PAYLOAD_BYTES_MAX},
    value::expect_name,
};

/// Opens an artefact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Fresh random bytes.
    pub nonce: Fixed<16>,
    /// The artefact's kind, for example `decision`.
    pub kind: String,
    /// The version of the kind's schema, from 1.
    pub schema_version: u64,
    /// Who receives its content.
    pub audience: Audience,
}

/// Who receives an artefact's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// All members, present and later.
    Everyone,
    /// These organisations, ascending, at least one.
    Only(Vec<OrgId>),
}

/// Adds organisations to an artefact's audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widening {
    /// Whom it adds, ascending, at least one.
    pub orgs: Vec<OrgId>,
    /// Why.
    pub reason: Reason,
}

/// Why an audience was widened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reason(pub u64);

impl Reason {
    /// Somebody mentioned the organisation.
    pub const MENTIONED: Self = Self(0);
    /// The organisation takes part in what the artefact is about.
    pub const TAKES_PART: Self = Self(1);
    /// The organisation took over from one in the audience.
    pub const SUCCESSOR: Self = Self(2);
    /// A finding names the organisation.
    pub const NAMED: Self = Self(3);
}

#[derive(Serialize, Deserialize)]
struct OpenWire(Fixed<16>, String, u64, Vec<OrgId>);

#[derive(Serialize, Deserialize)]
struct WideningWire(Vec<OrgId>, Reason);

impl Open {
    /// The payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let open = self.clone();
        let orgs = match open.audience {
            Audience::Everyone => Vec::new(),
            Audience::Only(orgs) => orgs,
        };
        codec::encode(&OpenWire(open.nonce, open.kind, open.schema_version, orgs))
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let OpenWire(nonce, kind, schema_version, orgs) =
            codec::decode(bytes, "open", PAYLOAD_BYTES_MAX)?;
        expect_name("artefact kind", &kind)?;
        if schema_version == 0 {
            return Err(Malformed::Range { what: "schema version", value: 0 });
        }
        expect_orgs(&orgs, 0)?;
        let audience = if orgs.is_empty() { Audience::Everyone } else { Audience::Only(orgs) };
        Ok(Self { nonce, kind, schema_version, audience })
    }

    /// The id of the artefact, as the organisation opens it on the board.
    #[must_use]
    pub fn artefact_id(&self, board: &BoardId, org: &OrgId) -> ArtefactId {
        let opened = codec::encode(&(board, org, self.nonce));
        ArtefactId::from_bytes(hash(Tag::Artefact, &[&opened]))
    }
}

impl Widening {
    /// The payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&WideningWire(self.orgs.clone(), self.reason))
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let WideningWire(orgs, reason) = codec::decode(bytes, "audience", PAYLOAD_BYTES_MAX)?;
        expect_orgs(&orgs, 1)?;
        Ok(Self { orgs, reason })
    }
}

fn expect_orgs(orgs: &[OrgId], min: usize) -> Result<(), Malformed> {
    codec::expect_count("audience", orgs.len(), min, AUDIENCE_MAX)?;
    codec::expect_ascending("audience", orgs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn org(number: u8) -> OrgId {
        OrgId::from_bytes([number; 32])
    }

    fn open(audience: Audience) -> Open {
        Open { nonce: Fixed([7; 16]), kind: "decision".into(), schema_version: 1, audience }
    }

    #[test]
    fn an_artefact_opens_for_everyone_or_for_some() {
        for audience in [Audience::Everyone, Audience::Only(vec![org(1), org(2)])] {
            let open = open(audience);
            assert_eq!(Open::from_bytes(&open.to_bytes()), Ok(open));
        }
    }

    #[test]
    fn each_bound_of_an_opening_is_refused() {
        let read = |change: &dyn Fn(&mut Open)| {
            let mut open = open(Audience::Everyone);
            change(&mut open);
            Open::from_bytes(&open.to_bytes())
        };
        assert_eq!(
            read(&|open| open.kind.clear()),
            Err(Malformed::Count { what: "artefact kind", count: 0, min: 1, max: 256 })
        );
        assert_eq!(
            read(&|open| open.kind = "k".repeat(257)),
            Err(Malformed::TooLong { what: "artefact kind", len: 257, max: 256 })
        );
        assert_eq!(
            read(&|open| open.schema_version = 0),
            Err(Malformed::Range { what: "schema version", value: 0 })
        );
        assert_eq!(
            read(&|open| open.audience = Audience::Only(vec![org(2), org(1)])),
            Err(Malformed::NotAscending { what: "audience" })
        );
        assert_eq!(
            read(&|open| open.audience = Audience::Only(vec![org(1); AUDIENCE_MAX + 1])),
            Err(Malformed::Count {
                what: "audience",
                count: AUDIENCE_MAX + 1,
                min: 0,
                max: AUDIENCE_MAX
            })
        );
    }

    #[test]
    fn a_widening_adds_at_least_one_and_keeps_reasons_it_does_not_know() {
        for reason in [Reason::MENTIONED, Reason::SUCCESSOR, Reason(99)] {
            let widening = Widening { orgs: vec![org(1)], reason };
            assert_eq!(Widening::from_bytes(&widening.to_bytes()), Ok(widening));
        }
        let nobody = Widening { orgs: vec![], reason: Reason::NAMED };
        assert_eq!(
            Widening::from_bytes(&nobody.to_bytes()),
            Err(Malformed::Count { what: "audience", count: 0, min: 1, max: AUDIENCE_MAX })
        );
    }

    #[test]
    fn the_id_of_an_artefact_depends_on_board_organisation_and_nonce() {
        let open = open(Audience::Everyone);
        let board = BoardId::from_bytes([1; 32]);
        let id = open.artefact_id(&board, &org(1));
        let other_nonce = Open { nonce: Fixed([8; 16]), ..open.clone() };
        let wider = Open { audience: Audience::Only(vec![org(1)]), ..open.clone() };
        assert_ne!(open.artefact_id(&BoardId::from_bytes([2; 32]), &org(1)), id);
        assert_ne!(open.artefact_id(&board, &org(2)), id);
        assert_ne!(other_nonce.artefact_id(&board, &org(1)), id);
        assert_eq!(wider.artefact_id(&board, &org(1)), id);
    }
}
