//! Papers for tests, on the small joint commissioning board.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec,
    vec::Vec,
};

use crate::{
    charter::{
        Answer, Charter,
        fixture::{mini_board, org},
    },
    codec::{Blob, Fixed},
    decision::{
        CloseEntry, Json, Papers, Poll, ProposalEntry, SignOffEntry, Standing, Wording, Written,
        poll,
    },
    hash::{CharterHash, EntryId, OrgId},
    payload::{Audience, Close, Proposal, SignOff},
    time::TimeMs,
};

pub(in crate::decision) const APPROVE: Answer = Answer::Approve;
pub(in crate::decision) const REJECT: Answer = Answer::Reject;
pub(in crate::decision) const ABSTAIN: Answer = Answer::Abstain;
pub(in crate::decision) const RECUSED: Answer = Answer::Recused;

/// When everything in these papers begins.
pub(in crate::decision) const NOON: u64 = 1_511_179_200_000;

/// Papers that own what they hold.
#[derive(Debug, Clone)]
pub(in crate::decision) struct Case {
    pub(in crate::decision) charters: Vec<(CharterHash, Charter)>,
    pub(in crate::decision) audience: Audience,
    pub(in crate::decision) proposal: ProposalEntry,
    pub(in crate::decision) earlier: Vec<ProposalEntry>,
    pub(in crate::decision) sign_offs: Vec<SignOffEntry>,
    pub(in crate::decision) closings: Vec<CloseEntry>,
    pub(in crate::decision) shut: BTreeSet<OrgId>,
    pub(in crate::decision) contested: BTreeSet<EntryId>,
}

pub(in crate::decision) fn entry(number: u8) -> EntryId {
    EntryId::from_bytes([number; 32])
}

pub(in crate::decision) fn wording(pence: i64) -> Wording {
    let fields = BTreeMap::from([("total_pence".into(), Json::Integer(pence))]);
    Wording::new("decision", 1, fields).unwrap()
}

impl Case {
    /// A settled proposal of the office on a board, that nobody has answered.
    pub(in crate::decision) fn on(charter: Charter, rule: &str) -> Self {
        let hash = charter.hash();
        let frozen = wording(300_000_000);
        let says = Proposal {
            heads: vec![Fixed([1; 32])],
            wording: frozen.digest(),
            snapshot: Blob::from(frozen.to_bytes()),
            rule: rule.into(),
            closer: org(5),
            closes_at: TimeMs(NOON + 86_400_000),
            replaces: None,
        };
        let by = Written {
            entry: entry(200),
            org: org(5),
            epoch: 0,
            seq: 4,
            at: TimeMs(NOON),
            charter: hash,
            settled: true,
            standing: Standing::Stands,
        };
        Self {
            charters: vec![(hash, charter)],
            audience: Audience::Everyone,
            proposal: ProposalEntry { by, says },
            earlier: vec![],
            sign_offs: vec![],
            closings: vec![],
            shut: BTreeSet::new(),
            contested: BTreeSet::new(),
        }
    }

    /// On the small board.
    pub(in crate::decision) fn mini() -> Self {
        Self::on(mini_board(), "joint decision")
    }

    pub(in crate::decision) fn papers<T>(&self, read: impl FnOnce(&Papers<'_>) -> T) -> T {
        let charters: Vec<_> = self.charters.iter().map(|(hash, one)| (*hash, one)).collect();
        read(&Papers {
            charters: &charters,
            audience: &self.audience,
            proposal: &self.proposal,
            earlier: &self.earlier,
            sign_offs: &self.sign_offs,
            closings: &self.closings,
            shut: &self.shut,
            contested: &self.contested,
        })
    }

    pub(in crate::decision) fn poll(&self) -> Poll {
        self.papers(poll)
    }

    /// A settled sign-off of an organisation, in time, under an entry id of its number.
    pub(in crate::decision) fn signed(&self, number: u8, answer: Answer) -> SignOffEntry {
        let proposal = &self.proposal;
        let by = Written {
            entry: entry(number),
            org: org(number),
            epoch: 0,
            seq: 10,
            at: TimeMs(NOON + u64::from(number) * 60_000),
            ..proposal.by.clone()
        };
        let says = SignOff { proposal: proposal.by.entry, answer, wording: proposal.says.wording };
        SignOffEntry {
            by: Written { settled: true, standing: Standing::Stands, ..by },
            says,
            in_time: true,
        }
    }

    pub(in crate::decision) fn sign(mut self, number: u8, answer: Answer) -> Self {
        self.sign_offs.push(self.signed(number, answer));
        self
    }

    /// Another sign-off, changed.
    pub(in crate::decision) fn sign_as(
        mut self,
        number: u8,
        answer: Answer,
        change: impl FnOnce(&mut SignOffEntry),
    ) -> Self {
        let mut one = self.signed(number, answer);
        change(&mut one);
        self.sign_offs.push(one);
        self
    }

    /// A settled closing that lists every sign-off so far; all others are shut.
    pub(in crate::decision) fn close(mut self) -> Self {
        let counted: BTreeSet<_> = self.sign_offs.iter().map(|one| one.by.entry).collect();
        self.closings.push(self.closed_by(5, counted.into_iter().collect()));
        self.shut = self.charters[0].1.seats().map(|member| member.org).collect();
        self
    }

    pub(in crate::decision) fn closed_by(&self, number: u8, counted: Vec<EntryId>) -> CloseEntry {
        let by = Written {
            entry: entry(220 + number),
            org: org(number),
            seq: 30,
            at: TimeMs(NOON + 3_600_000),
            ..self.proposal.by.clone()
        };
        let says = Close { proposal: self.proposal.by.entry, counted };
        CloseEntry { by, says, unread: BTreeSet::new() }
    }
}
