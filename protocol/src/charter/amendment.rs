//! Candidates and charter votes: what is said on the way from one charter to the next.
//!
//! ```text
//! candidate    = [ charter as bstr, [acceptance…] ]        as the founding file, for new members
//! charter vote = [ version, ballot, phase, choice, [entry id…] ]
//!   version    the version voted on, from 1                ballot  the attempt at it, from 0
//!   choice     [] or [charter hash]                         ids     ascend strictly
//!
//!   said        phase  ballot  choice     ids
//!   move on       0      ≥ 1   []         none             I gave no confirmation for this version
//!                 0      ≥ 1   [charter]  one: my confirm  my confirmation of the highest ballot
//!   approve       1      any   [charter]  ballot 0: none; above: the move-ons that open the ballot
//!   reject all    1      any   []         as approve
//!   confirm       2      any   [charter]  the approvals that satisfy `amend`, at least one
//! ```
//!
//! A member says each phase once a slot (version, ballot), irrevocably. Whoever says anything on
//! ballot b gives up confirming every ballot below b. A strict majority of move-ons opens a ballot;
//! it may then approve only the charter of the highest ballot among the confirmations they name,
//! and is free if they name none. The approvals that a confirmation lists are its certificate.
//!
//! This file holds formats and bounds. Counting is not done here.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{
    acceptance::{Acceptance, accepted_from_bytes, accepted_to_bytes},
    document::Charter,
};
use crate::{
    codec::{self, Malformed, Opt},
    hash::{CharterHash, EntryId},
    limits::{MEMBERS_MAX, PAYLOAD_BYTES_MAX, SEQ_MAX},
};

/// A charter proposed as the next one; not yet checked or accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The charter.
    pub charter: Charter,
    /// The acceptances that come with it, ascending by organisation and role.
    pub acceptances: Vec<Acceptance>,
}

/// One member's word on the next charter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CharterVote {
    /// The version voted on.
    pub version: u64,
    /// Which attempt at it.
    pub ballot: u64,
    /// What is said.
    pub says: Says,
}

/// What a charter vote says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// Let us vote anew: I give up confirming the ballots below this one.
    MoveOn {
        /// The charter of my highest confirmation so far, and that confirmation.
        confirmed: Option<(CharterHash, EntryId)>,
    },
    /// I approve this candidate.
    Approve {
        /// The candidate.
        charter: CharterHash,
        /// The move-ons that open the ballot; none on ballot 0.
        opened_by: Vec<EntryId>,
    },
    /// I reject every candidate.
    RejectAll {
        /// The move-ons that open the ballot; none on ballot 0.
        opened_by: Vec<EntryId>,
    },
    /// I confirm that these approvals satisfy the rule.
    Confirm {
        /// The candidate approved.
        charter: CharterHash,
        /// The approvals counted.
        approvals: Vec<EntryId>,
    },
}

const MOVE_ON: u64 = 0;
const APPROVE: u64 = 1;
const CONFIRM: u64 = 2;

#[derive(Serialize, Deserialize)]
struct VoteWire(u64, u64, u64, Opt<CharterHash>, Vec<EntryId>);

impl Candidate {
    /// The payload of a `charter_candidate` entry.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        accepted_to_bytes(&self.charter, &self.acceptances)
    }

    /// Reads the payload of a `charter_candidate` entry.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let (charter, acceptances) = accepted_from_bytes(bytes, "charter candidate")?;
        Ok(Self { charter, acceptances })
    }
}

impl CharterVote {
    /// The payload of a `charter_vote` entry.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (phase, choice, ids) = match self.says.clone() {
            Says::MoveOn { confirmed: None } => (MOVE_ON, None, Vec::new()),
            Says::MoveOn { confirmed: Some((charter, confirm)) } => {
                (MOVE_ON, Some(charter), Vec::from([confirm]))
            }
            Says::Approve { charter, opened_by } => (APPROVE, Some(charter), opened_by),
            Says::RejectAll { opened_by } => (APPROVE, None, opened_by),
            Says::Confirm { charter, approvals } => (CONFIRM, Some(charter), approvals),
        };
        codec::encode(&VoteWire(self.version, self.ballot, phase, Opt(choice), ids))
    }

    /// Reads the payload of a `charter_vote` entry.
    ///
    /// # Errors
    /// The exact [`Malformed`]: `Shape` when phase, choice and ids say nothing together.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let VoteWire(version, ballot, phase, Opt(choice), ids) =
            codec::decode(bytes, "charter vote", PAYLOAD_BYTES_MAX)?;
        for (what, value, least, most) in [
            ("charter vote version", version, 1, SEQ_MAX),
            ("charter vote ballot", ballot, 0, SEQ_MAX),
            ("charter vote phase", phase, MOVE_ON, CONFIRM),
        ] {
            if value < least || value > most {
                return Err(Malformed::Range { what, value });
            }
        }
        codec::expect_count("charter vote ids", ids.len(), 0, MEMBERS_MAX)?;
        codec::expect_ascending("charter vote ids", &ids)?;
        let says = Says::read(ballot, phase, choice, ids);
        Ok(Self { version, ballot, says: says.ok_or(Malformed::Shape { what: "charter vote" })? })
    }
}

impl Says {
    fn read(
        ballot: u64,
        phase: u64,
        choice: Option<CharterHash>,
        ids: Vec<EntryId>,
    ) -> Option<Self> {
        // Ballot 0 is open from the start; every later one is opened by somebody.
        let opened = (ballot == 0) == ids.is_empty();
        match (phase, choice, ids.as_slice()) {
            (MOVE_ON, None, []) if ballot > 0 => Some(Self::MoveOn { confirmed: None }),
            (MOVE_ON, Some(charter), [confirm]) if ballot > 0 => {
                Some(Self::MoveOn { confirmed: Some((charter, *confirm)) })
            }
            (APPROVE, Some(charter), _) if opened => {
                Some(Self::Approve { charter, opened_by: ids })
            }
            (APPROVE, None, _) if opened => Some(Self::RejectAll { opened_by: ids }),
            (CONFIRM, Some(charter), [_, ..]) => Some(Self::Confirm { charter, approvals: ids }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charter::{
        AcceptRole,
        fixture::{any_charter, feed_key, mini_board, org},
    };
    use alloc::vec;
    use proptest::prelude::*;

    fn id(number: u8) -> EntryId {
        EntryId::from_bytes([number; 32])
    }

    fn vote(ballot: u64, says: Says) -> CharterVote {
        CharterVote { version: 1, ballot, says }
    }

    #[test]
    fn everything_that_can_be_said_comes_back_from_its_bytes() {
        let charter = mini_board().hash();
        let opened_by = || vec![id(1), id(2)];
        for said in [
            vote(1, Says::MoveOn { confirmed: None }),
            vote(1, Says::MoveOn { confirmed: Some((charter, id(1))) }),
            vote(0, Says::Approve { charter, opened_by: vec![] }),
            vote(1, Says::Approve { charter, opened_by: opened_by() }),
            vote(0, Says::RejectAll { opened_by: vec![] }),
            vote(1, Says::RejectAll { opened_by: opened_by() }),
            vote(0, Says::Confirm { charter, approvals: vec![id(1)] }),
            vote(1, Says::Confirm { charter, approvals: opened_by() }),
        ] {
            assert_eq!(CharterVote::from_bytes(&said.to_bytes()), Ok(said));
        }
    }

    #[test]
    fn what_says_nothing_is_refused() {
        let charter = mini_board().hash();
        let shape = Err(Malformed::Shape { what: "charter vote" });
        for nonsense in [
            vote(0, Says::MoveOn { confirmed: None }),
            vote(0, Says::Approve { charter, opened_by: vec![id(1)] }),
            vote(1, Says::Approve { charter, opened_by: vec![] }),
            vote(1, Says::RejectAll { opened_by: vec![] }),
            vote(0, Says::Confirm { charter, approvals: vec![] }),
        ] {
            assert_eq!(CharterVote::from_bytes(&nonsense.to_bytes()), shape, "{nonsense:?}");
        }
        let two_confirms = VoteWire(1, 1, MOVE_ON, Opt(Some(charter)), vec![id(1), id(2)]);
        assert_eq!(CharterVote::from_bytes(&codec::encode(&two_confirms)), shape);
        let no_choice = VoteWire(1, 0, CONFIRM, Opt(None), vec![id(1)]);
        assert_eq!(CharterVote::from_bytes(&codec::encode(&no_choice)), shape);
    }

    #[test]
    fn each_bound_of_a_vote_is_refused() {
        let read = |wire: &VoteWire| CharterVote::from_bytes(&codec::encode(wire));
        let range = |what, value| Err(Malformed::Range { what, value });
        let none = || Opt(None);
        assert_eq!(read(&VoteWire(0, 0, 1, none(), vec![])), range("charter vote version", 0));
        assert_eq!(
            read(&VoteWire(1, SEQ_MAX + 1, 1, none(), vec![])),
            range("charter vote ballot", SEQ_MAX + 1)
        );
        assert_eq!(read(&VoteWire(1, 0, 3, none(), vec![])), range("charter vote phase", 3));
        assert_eq!(
            read(&VoteWire(1, 1, 1, none(), vec![id(2), id(1)])),
            Err(Malformed::NotAscending { what: "charter vote ids" })
        );
        assert_eq!(
            read(&VoteWire(1, 1, 1, none(), vec![id(1); MEMBERS_MAX + 1])),
            Err(Malformed::Count {
                what: "charter vote ids",
                count: MEMBERS_MAX + 1,
                min: 0,
                max: MEMBERS_MAX
            })
        );
    }

    proptest! {
        #[test]
        fn any_candidate_comes_back_from_its_bytes(charter in any_charter()) {
            let hash = charter.hash();
            let accept = |role| Acceptance::sign(hash, org(1), role, &feed_key(1));
            let acceptances = vec![accept(AcceptRole::Feed), accept(AcceptRole::Witness)];
            let candidate = Candidate { charter, acceptances };
            prop_assert_eq!(Candidate::from_bytes(&candidate.to_bytes()), Ok(candidate));
        }
    }
}
