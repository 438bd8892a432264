//! Ballots against the meaning of the rules, written out a second time and enumerated.

use alloc::{vec, vec::Vec};

use proptest::prelude::*;

use super::fixture::{joint_decision, members_share, mini_board, org};
use crate::{
    charter::{
        tests::rule::{any_leaf, any_rule},
        *,
    },
    hash::OrgId,
};

const APPROVE: Seat = Seat::Answered(Answer::Approve);
const REJECT: Seat = Seat::Answered(Answer::Reject);
const ABSTAIN: Seat = Seat::Answered(Answer::Abstain);
const RECUSED: Seat = Seat::Answered(Answer::Recused);
const SETTLED: [Seat; 5] = [APPROVE, REJECT, ABSTAIN, RECUSED, Seat::Absent];

/// The five seats of the small board with their classes, in the order of its members.
const CLASSES: [&str; 5] = ["council", "council", "ccg", "ccg", "office"];

/// A ballot of the small board in which the seats stand so; absent ones only if none is open.
fn ballot(seats: [Seat; 5]) -> Ballot {
    let mut ballot = Ballot::new(&mini_board());
    for (number, seat) in (1..).zip(seats) {
        if let Seat::Answered(answer) = seat {
            assert!(ballot.settle(&org(number), answer));
        }
    }
    if !seats.contains(&Seat::Open) {
        ballot.close();
    }
    ballot
}

fn outcome(seats: [Seat; 5], rule: &Rule) -> Outcome {
    ballot(seats).evaluate(rule).outcome
}

/// Whether a leaf holds when every seat is settled: the meaning of the rule, seat by seat.
fn holds(leaf: &Rule, seats: [Seat; 5]) -> bool {
    let count = |class: Option<&str>, wanted: &[Seat]| {
        let counted = CLASSES.iter().zip(&seats);
        let counted = counted
            .filter(|(of, seat)| class.is_none_or(|class| class == **of) && wanted.contains(seat));
        counted.count() as u64
    };
    match leaf {
        Rule::Majority(class) => count(Some(class), &[APPROVE]) > count(Some(class), &[REJECT]),
        Rule::Share(share) => {
            let class = share.scope.class().map(|class| class.as_str());
            let whole = match share.of {
                ShareOf::Cast => count(class, &[APPROVE, REJECT]),
                ShareOf::Members => count(class, &SETTLED),
            };
            let approve = count(class, &[APPROVE]);
            whole > 0 && approve * share.denominator >= share.numerator * whole
        }
        Rule::Quorum(quorum) => {
            let answered = [APPROVE, REJECT, ABSTAIN, RECUSED];
            let mut minima = quorum.classes.iter();
            count(None, &answered) >= quorum.least
                && minima.all(|(class, least)| count(Some(class), &answered) >= *least)
        }
        Rule::Org(wanted) => {
            let number = (1..=5).find(|number| org(*number) == *wanted);
            number.is_some_and(|number| seats[usize::from(number) - 1] == APPROVE)
        }
        Rule::All(_) | Rule::Any(_) | Rule::AtLeast(..) => unreachable!("not a leaf"),
    }
}

/// Every way in which the open seats can be settled.
fn completions(seats: [Seat; 5]) -> Vec<[Seat; 5]> {
    let mut all = vec![seats];
    for at in 0..seats.len() {
        if seats[at] == Seat::Open {
            let settle = |done: [Seat; 5]| {
                SETTLED.map(|seat| {
                    let mut next = done;
                    next[at] = seat;
                    next
                })
            };
            all = all.into_iter().flat_map(settle).collect();
        }
    }
    all
}

fn any_seats() -> impl Strategy<Value = [Seat; 5]> {
    let seat = || {
        proptest::sample::select(vec![Seat::Open, Seat::Open, APPROVE, REJECT, ABSTAIN, RECUSED])
    };
    [seat(), seat(), seat(), seat(), seat()]
}

fn orgs() -> Vec<OrgId> {
    (1..=6).map(org).collect()
}

#[test]
fn the_published_thresholds_of_the_small_board_come_out() {
    let (a, r, n, x) = (APPROVE, REJECT, ABSTAIN, RECUSED);
    let none = Seat::Absent;
    for (seats, expected, why) in [
        ([a, a, a, a, r], Outcome::True, "4 to 1 is 80%"),
        ([a, a, a, r, a], Outcome::False, "80%, but the CCGs are tied"),
        ([a, a, a, n, r], Outcome::True, "3 to 1 is exactly 75%"),
        ([a, a, a, r, r], Outcome::False, "3 to 2 is 60%"),
        ([a, a, a, x, a], Outcome::True, "recused counts as present"),
        ([a, a, r, r, a], Outcome::False, "60%"),
        ([a, none, a, none, a], Outcome::False, "3 present"),
    ] {
        assert_eq!(outcome(seats, &joint_decision()), expected, "{why}");
    }
}

#[test]
fn a_rule_is_decided_as_soon_as_no_open_seat_can_change_it() {
    let open = Seat::Open;
    let rule = joint_decision();
    assert_eq!(outcome([APPROVE, APPROVE, APPROVE, open, open], &rule), Outcome::Open);
    assert_eq!(outcome([APPROVE, APPROVE, APPROVE, ABSTAIN, open], &rule), Outcome::True);
    assert_eq!(outcome([APPROVE, REJECT, open, open, open], &rule), Outcome::False);
}

#[test]
fn the_first_answer_stands_and_only_seats_answer() {
    let mut ballot = Ballot::new(&mini_board());
    assert!(ballot.settle(&org(1), Answer::Reject));
    assert!(!ballot.settle(&org(1), Answer::Approve));
    assert!(!ballot.settle(&org(6), Answer::Approve), "an observer has no seat");
    assert!(!ballot.settle(&org(9), Answer::Approve), "a stranger has no seat");
    ballot.close();
    assert!(!ballot.settle(&org(2), Answer::Approve), "the ballot is closed");
    assert_eq!(ballot.seat(&org(1)), Some(REJECT));
    assert_eq!(ballot.seat(&org(2)), Some(Seat::Absent));
    assert_eq!(ballot.seat(&org(6)), None);
}

#[test]
fn suspended_members_stay_in_the_denominator_and_observers_never_count() {
    let mut board = mini_board();
    board.members[0].status = Status::Suspended;
    let mut ballot = Ballot::new(&board);
    for number in 2..=4 {
        assert!(ballot.settle(&org(number), Answer::Approve));
    }
    ballot.close();
    let share = |n, d| ballot.evaluate(&members_share(n, d)).outcome;
    assert_eq!(share(3, 5), Outcome::True);
    assert_eq!(share(31, 50), Outcome::False);
    assert_eq!(ballot.tally(&Scope::Board).seats(), 5);
    assert_eq!(ballot.tally(&Scope::Class("office".into())).seats(), 1);
}

#[test]
fn a_share_of_nobody_and_a_majority_of_nobody_fail() {
    let share = |of| {
        Rule::Share(Share { scope: Scope::Class("trust".into()), numerator: 1, denominator: 2, of })
    };
    let rules = [share(ShareOf::Cast), share(ShareOf::Members), Rule::Majority("trust".into())];
    for rule in rules {
        assert_eq!(outcome([APPROVE; 5], &rule), Outcome::False);
    }
    let cast =
        Rule::Share(Share { scope: Scope::Board, numerator: 1, denominator: 2, of: ShareOf::Cast });
    assert_eq!(outcome([ABSTAIN; 5], &cast), Outcome::False);
}

proptest! {
    #[test]
    fn a_leaf_is_what_enumerating_every_completion_says(
        leaf in any_leaf(orgs()),
        seats in any_seats(),
    ) {
        let completions = completions(seats).into_iter();
        let results: Vec<_> = completions.map(|done| holds(&leaf, done)).collect();
        let expected = match (results.contains(&true), results.contains(&false)) {
            (true, false) => Outcome::True,
            (false, _) => Outcome::False,
            (true, true) => Outcome::Open,
        };
        prop_assert_eq!(outcome(seats, &leaf), expected);
    }

    #[test]
    fn settling_a_seat_never_turns_a_result_back(
        rule in any_rule(orgs()),
        seats in any_seats(),
        order in Just((0..5).collect::<Vec<usize>>()).prop_shuffle(),
        answers in proptest::collection::vec(0usize..4, 5),
    ) {
        let mut now = seats;
        let mut before = ballot(now).evaluate(&rule);
        for at in order {
            if now[at] == Seat::Open {
                now[at] = SETTLED[answers[at]];
            }
            let after = ballot(now).evaluate(&rule);
            for (was, is) in before.trace.iter().zip(&after.trace) {
                let stays = was.outcome == Outcome::Open || was.outcome == is.outcome;
                prop_assert!(stays, "{was:?} {is:?}");
            }
            before = after;
        }
        prop_assert_ne!(before.outcome, Outcome::Open);
    }

    #[test]
    fn a_decided_rule_stays_so_when_the_ballot_is_closed(
        rule in any_rule(orgs()),
        seats in any_seats(),
    ) {
        let mut ballot = ballot(seats);
        let before = ballot.evaluate(&rule).outcome;
        ballot.close();
        let after = ballot.evaluate(&rule).outcome;
        prop_assert_ne!(after, Outcome::Open);
        prop_assert!(before == Outcome::Open || before == after);
    }

    #[test]
    fn one_more_approval_never_makes_a_rule_fail(
        rule in any_rule(orgs()),
        seats in any_seats(),
        at in 0usize..5,
    ) {
        let closed = seats.map(|seat| if seat == Seat::Open { Seat::Absent } else { seat });
        let mut more = closed;
        more[at] = APPROVE;
        if outcome(closed, &rule) == Outcome::True {
            prop_assert_eq!(outcome(more, &rule), Outcome::True);
        }
    }

    #[test]
    fn the_trace_has_one_line_a_test_in_the_order_of_the_rule(
        rule in any_rule(orgs()),
        seats in any_seats(),
    ) {
        let evaluation = ballot(seats).evaluate(&rule);
        let minima = |part: &Rule| match part {
            Rule::Quorum(quorum) => quorum.classes.len() + 1,
            Rule::All(_) | Rule::Any(_) | Rule::AtLeast(..) | Rule::Majority(_) | Rule::Share(_)
            | Rule::Org(_) => 0,
        };
        let lines: usize = rule.parts().into_iter().map(|part| 1 + minima(part)).sum();
        prop_assert_eq!(evaluation.trace.len(), lines);
        prop_assert_eq!(evaluation.trace[0].outcome, evaluation.outcome);
        prop_assert_eq!(evaluation.trace[0].depth, 0);
    }
}
