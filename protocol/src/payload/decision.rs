//! Proposals, sign-offs and closings: kinds 8, 9 and 10.
//!
//! ```text
//! proposal = [ heads [bstr32…] ascending, 1 to 32, wording digest bstr32, frozen snapshot bstr,
//!              rule name, closer bstr32, closes_at ms, [] or [replaces bstr32] ]
//! signoff  = [ proposal bstr32, answer, wording digest bstr32 ]
//! answer     0 approve   1 reject   2 abstain   3 recused
//! close    = [ proposal bstr32, [signoff bstr32…] ascending ]
//! ```
//!
//! A sign-off repeats the digest, so it holds for this wording and no other, even for somebody who
//! has only the sign-off. `closes_at` is advice. A closing lists the sign-offs counted; those it
//! leaves out come late.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{
    charter::Answer,
    codec::{self, Blob, Fixed, Malformed, Opt},
    hash::{EntryId, OrgId},
    limits::{DOC_HEADS_MAX, MEMBERS_MAX, PAYLOAD_BYTES_MAX, SNAPSHOT_BYTES_MAX, TIME_MS_MAX},
    time::TimeMs,
    value::{expect_filled, expect_name},
};

/// Puts exact wording to a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The heads of the document, ascending: hashes of Automerge changes.
    pub heads: Vec<Fixed<32>>,
    /// The digest of the wording.
    pub wording: Fixed<32>,
    /// The decidable fields as they stood: canonical JSON.
    pub snapshot: Blob,
    /// The charter's rule that decides.
    pub rule: String,
    /// Who may close it.
    pub closer: OrgId,
    /// When it should be closed: advice.
    pub closes_at: TimeMs,
    /// The proposal that this one replaces, if any.
    pub replaces: Option<EntryId>,
}

/// One organisation's answer to one proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignOff {
    /// The entry of the proposal.
    pub proposal: EntryId,
    /// The answer.
    pub answer: Answer,
    /// The digest of the wording answered.
    pub wording: Fixed<32>,
}

/// Closes a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// The entry of the proposal.
    pub proposal: EntryId,
    /// The entries of the sign-offs counted, ascending.
    pub counted: Vec<EntryId>,
}

#[derive(Serialize, Deserialize)]
struct ProposalWire(Vec<Fixed<32>>, Fixed<32>, Blob, String, OrgId, TimeMs, Opt<EntryId>);

#[derive(Serialize, Deserialize)]
struct SignOffWire(EntryId, u64, Fixed<32>);

#[derive(Serialize, Deserialize)]
struct CloseWire(EntryId, Vec<EntryId>);

impl Proposal {
    /// The payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { heads, wording, snapshot, rule, closer, closes_at, replaces } = self.clone();
        let replaces = Opt(replaces);
        codec::encode(&ProposalWire(heads, wording, snapshot, rule, closer, closes_at, replaces))
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let ProposalWire(heads, wording, snapshot, rule, closer, closes_at, Opt(replaces)) =
            codec::decode(bytes, "proposal", PAYLOAD_BYTES_MAX)?;
        codec::expect_count("proposal heads", heads.len(), 1, DOC_HEADS_MAX)?;
        codec::expect_ascending("proposal heads", &heads)?;
        expect_filled("proposal snapshot", snapshot.len(), SNAPSHOT_BYTES_MAX)?;
        expect_name("proposal rule", &rule)?;
        if closes_at.0 > TIME_MS_MAX {
            return Err(Malformed::Range { what: "proposal closes_at", value: closes_at.0 });
        }
        Ok(Self { heads, wording, snapshot, rule, closer, closes_at, replaces })
    }
}

impl SignOff {
    /// The payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let answer = self.answer as u64;
        codec::encode(&SignOffWire(self.proposal, answer, self.wording))
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let SignOffWire(proposal, answer, wording) =
            codec::decode(bytes, "signoff", PAYLOAD_BYTES_MAX)?;
        Ok(Self { proposal, answer: Answer::from_number(answer)?, wording })
    }
}

impl Close {
    /// The payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&CloseWire(self.proposal, self.counted.clone()))
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let CloseWire(proposal, counted) = codec::decode(bytes, "close", PAYLOAD_BYTES_MAX)?;
        codec::expect_count("close signoffs", counted.len(), 0, MEMBERS_MAX)?;
        codec::expect_ascending("close signoffs", &counted)?;
        Ok(Self { proposal, counted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn id(number: u8) -> EntryId {
        EntryId::from_bytes([number; 32])
    }

    fn proposal() -> Proposal {
        Proposal {
            heads: vec![Fixed([1; 32]), Fixed([2; 32])],
            wording: Fixed([3; 32]),
            snapshot: Blob::from(b"{}".to_vec()),
            rule: "joint decision".into(),
            closer: OrgId::from_bytes([5; 32]),
            closes_at: TimeMs(1_512_345_600_000),
            replaces: None,
        }
    }

    fn read(change: impl FnOnce(&mut Proposal)) -> Result<Proposal, Malformed> {
        let mut changed = proposal();
        change(&mut changed);
        Proposal::from_bytes(&changed.to_bytes())
    }

    #[test]
    fn proposals_signoffs_and_closings_come_back() {
        assert_eq!(read(|_| ()), Ok(proposal()));
        let again = Proposal { replaces: Some(id(8)), ..proposal() };
        assert_eq!(Proposal::from_bytes(&again.to_bytes()), Ok(again));
        for answer in [Answer::Approve, Answer::Reject, Answer::Abstain, Answer::Recused] {
            let signoff = SignOff { proposal: id(1), answer, wording: Fixed([3; 32]) };
            assert_eq!(SignOff::from_bytes(&signoff.to_bytes()), Ok(signoff));
        }
        for counted in [vec![], vec![id(2), id(3)]] {
            let close = Close { proposal: id(1), counted };
            assert_eq!(Close::from_bytes(&close.to_bytes()), Ok(close));
        }
    }

    #[test]
    fn each_bound_of_a_proposal_is_refused() {
        let heads =
            |count| Err(Malformed::Count { what: "proposal heads", count, min: 1, max: 32 });
        let numbered = |count: u8| (0..count).map(|number| Fixed([number; 32])).collect();
        assert_eq!(read(|p| p.heads.clear()), heads(0));
        assert_eq!(read(|p| p.heads = numbered(33)), heads(33));
        assert_eq!(
            read(|p| p.heads.reverse()),
            Err(Malformed::NotAscending { what: "proposal heads" })
        );
        assert_eq!(
            read(|p| p.snapshot.clear()),
            Err(Malformed::Count {
                what: "proposal snapshot",
                count: 0,
                min: 1,
                max: SNAPSHOT_BYTES_MAX
            })
        );
        assert_eq!(
            read(|p| p.snapshot = Blob::from(vec![0; SNAPSHOT_BYTES_MAX + 1])),
            Err(Malformed::TooLong {
                what: "proposal snapshot",
                len: SNAPSHOT_BYTES_MAX + 1,
                max: SNAPSHOT_BYTES_MAX
            })
        );
        assert_eq!(
            read(|p| p.rule.clear()),
            Err(Malformed::Count { what: "proposal rule", count: 0, min: 1, max: 256 })
        );
        assert_eq!(
            read(|p| p.closes_at = TimeMs(TIME_MS_MAX + 1)),
            Err(Malformed::Range { what: "proposal closes_at", value: TIME_MS_MAX + 1 })
        );
    }

    #[test]
    fn unknown_answers_and_lists_that_are_no_sets_are_refused() {
        let unknown = codec::encode(&SignOffWire(id(1), 4, Fixed([3; 32])));
        assert_eq!(
            SignOff::from_bytes(&unknown),
            Err(Malformed::Range { what: "answer", value: 4 })
        );
        let close = |counted| Close::from_bytes(&Close { proposal: id(1), counted }.to_bytes());
        assert_eq!(
            close(vec![id(2), id(2)]),
            Err(Malformed::NotAscending { what: "close signoffs" })
        );
        assert_eq!(
            close(vec![id(2); MEMBERS_MAX + 1]),
            Err(Malformed::Count {
                what: "close signoffs",
                count: MEMBERS_MAX + 1,
                min: 0,
                max: MEMBERS_MAX
            })
        );
    }
}
