//! Any papers at all: forks, epochs, late and stale answers, closings by anybody.

use alloc::{collections::BTreeMap, collections::BTreeSet, vec::Vec};

use proptest::{collection::vec, prelude::*, sample::select};

use super::fixture::{ABSTAIN, APPROVE, Case, NOON, RECUSED, REJECT, entry};
use crate::{
    charter::{Charter, Seat, fixture::org},
    codec::Fixed,
    decision::*,
    hash::EntryId,
    time::TimeMs,
};

fn any_standing() -> impl Strategy<Value = Standing> {
    let forked = |number| Standing::Forked { branch: entry(number) };
    select(alloc::vec![
        Standing::Stands,
        Standing::Stands,
        Standing::Stands,
        forked(90),
        forked(91),
        Standing::Void,
    ])
}

fn any_sign_off(case: &Case) -> impl Strategy<Value = SignOffEntry> + use<> {
    let case = case.clone();
    let answer = select(alloc::vec![APPROVE, APPROVE, APPROVE, REJECT, ABSTAIN, RECUSED]);
    let place = (0u64..2, 0u64..6);
    let bits = (any::<bool>(), any::<bool>(), 0u8..12, 0usize..2);
    (1u8..8, answer, place, any_standing(), bits, 0u8..180).prop_map(
        move |(number, answer, (epoch, seq), standing, (settled, in_time, stale, charter), id)| {
            let mut one = case.signed(number, answer);
            one.by.entry = entry(id);
            one.by.epoch = epoch;
            one.by.seq = seq;
            one.by.at = TimeMs(NOON + seq * 1000);
            one.by.standing = standing;
            one.by.settled = settled;
            one.by.charter = case.charters[charter].0;
            one.in_time = settled && in_time;
            if stale == 0 {
                one.says.wording = Fixed([9; 32]);
            }
            one
        },
    )
}

fn any_closing(case: &Case) -> impl Strategy<Value = CloseEntry> + use<> {
    let case = case.clone();
    let listed = proptest::collection::btree_set(0u8..180, 0..40);
    let rest = (any::<bool>(), any_standing(), 0usize..2, 0u64..2, 200u8..250);
    (select(alloc::vec![5u8, 5, 2, 1]), listed, rest).prop_map(
        move |(number, listed, (settled, standing, charter, seq, id))| {
            let mut one = case.closed_by(number, listed.into_iter().map(entry).collect());
            one.by.entry = entry(id);
            one.by.seq = seq;
            one.by.settled = settled;
            one.by.standing = standing;
            one.by.charter = case.charters[charter].0;
            one
        },
    )
}

fn any_case() -> impl Strategy<Value = Case> {
    let mut base = Case::mini();
    let (hash, first) = base.charters[0].clone();
    let second = Charter { version: 1, prev: hash, closers: alloc::vec![org(2)], ..first };
    base.charters.push((second.hash(), second));
    let shut = proptest::collection::btree_set((1u8..6).prop_map(org), 0..6);
    (vec(any_sign_off(&base), 0..12), vec(any_closing(&base), 0..3), shut, 0u8..10).prop_map(
        move |(mut sign_offs, mut closings, shut, unsettled)| {
            // An id is one entry's.
            let mut seen = BTreeSet::<EntryId>::new();
            sign_offs.retain(|one| seen.insert(one.by.entry));
            closings.retain(|one| seen.insert(one.by.entry));
            let mut case = Case { sign_offs, closings, shut, ..base.clone() };
            case.proposal.by.settled = unsettled > 0;
            case
        },
    )
}

proptest! {
    #[test]
    fn the_order_of_papers_says_nothing(case in any_case(), turn in 0usize..12) {
        let poll = case.poll();
        let mut other = case.clone();
        other.sign_offs.reverse();
        other.closings.reverse();
        if !other.sign_offs.is_empty() {
            let turn = turn % other.sign_offs.len();
            other.sign_offs.rotate_left(turn);
        }
        prop_assert_eq!(&other.poll(), &poll);
        other.sign_offs.extend(case.sign_offs.clone());
        prop_assert_eq!(&other.poll(), &poll, "nor does it that one came twice");
    }

    #[test]
    fn an_organisation_has_one_vote_and_each_sign_off_one_fate(case in any_case()) {
        let poll = case.poll();
        prop_assert_eq!(poll.slips.len(), case.sign_offs.len());
        for (org, seat) in &poll.seats {
            let slips = poll.slips.iter().filter(|slip| slip.org == *org);
            let counted: Vec<_> = slips.filter(|slip| slip.fate == Fate::Counted).collect();
            match seat {
                Seat::Answered(answer) => {
                    prop_assert_eq!(counted.len(), 1);
                    prop_assert_eq!(counted[0].answer, *answer);
                }
                Seat::Open | Seat::Absent => prop_assert_eq!(counted.len(), 0),
            }
        }
        for slip in &poll.slips {
            let one = case.sign_offs.iter().find(|one| one.by.entry == slip.entry).unwrap();
            if slip.fate == Fate::Counted {
                prop_assert!(one.by.settled && one.by.may_count());
                prop_assert_eq!(one.says.wording, case.proposal.says.wording);
            }
        }
    }

    #[test]
    fn what_can_never_count_changes_no_result(case in any_case()) {
        let mut fewer = case.clone();
        fewer.sign_offs.retain(|one| {
            one.by.may_count() && one.says.wording == case.proposal.says.wording && one.by.org <= org(5)
        });
        let (with, without) = (case.poll(), fewer.poll());
        prop_assert_eq!(with.ruling, without.ruling);
        prop_assert_eq!(with.seats, without.seats);
        prop_assert_eq!(with.trace, without.trace);
    }

    #[test]
    fn evidence_against_a_feed_never_turns_a_result_that_its_settled_answers_made(
        mut case in any_case(),
        accused in 1u8..6,
    ) {
        let before = case.poll();
        let branch = entry(92);
        for one in &mut case.sign_offs {
            // One history is seen to be one of two: all of it that nobody settled is held.
            if one.by.org == org(accused) && one.by.standing == Standing::Stands {
                one.by.standing = Standing::Forked { branch };
            }
        }
        let is_one_history = before.slips.iter().filter(|slip| slip.org == org(accused)).count() <= 1;
        if is_one_history && before.ruling != Ruling::Open {
            prop_assert_eq!(case.poll().ruling, before.ruling);
        }
    }

    #[test]
    fn a_proof_can_be_made_of_any_papers_and_says_the_result(case in any_case()) {
        let (attributions, received) = (BTreeMap::new(), BTreeMap::new());
        let beside = Beside { attributions: &attributions, received: &received };
        let proof = case.papers(|papers| prove(papers, beside));
        prop_assert_eq!(proof.result, case.poll().ruling.word());
        prop_assert!(proof.lines().last().unwrap().contains(proof.result));
        prop_assert!(proof.wording.matches);
        let json = serde_json::to_string(&proof).unwrap();
        prop_assert!(!json.contains('.') || !json.contains("e+"), "no fractions");
    }
}
