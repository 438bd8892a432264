//! The published fixtures: seven thresholds of the small board, and a board of 21 that failed.

use alloc::{format, string::String, vec, vec::Vec};

use super::fixture::{ABSTAIN, APPROVE, Case, RECUSED, REJECT};
use crate::{
    charter::{
        Answer, Charter, NamedRule, Quorum, Rule, Scope, Share, ShareOf, Status,
        fixture::{member, mini_board, org},
    },
    decision::Ruling,
};

fn answered(case: Case, answers: &[(u8, Answer)]) -> Case {
    answers.iter().fold(case, |case, (number, answer)| case.sign(*number, *answer))
}

#[test]
fn the_seven_thresholds_of_the_small_board_come_out() {
    let (a, r, n, x) = (Some(APPROVE), Some(REJECT), Some(ABSTAIN), Some(RECUSED));
    for (seats, expected, why) in [
        ([a, a, a, a, r], Ruling::Carried, "4 to 1 is 80%"),
        ([a, a, a, r, a], Ruling::Failed, "80%, but the CCGs are tied"),
        ([a, a, a, n, r], Ruling::Carried, "3 to 1 is exactly 75%"),
        ([a, a, a, r, r], Ruling::Failed, "3 to 2 is 60%"),
        ([a, a, a, x, a], Ruling::Carried, "5 are present, of whom one takes no part"),
        ([a, a, r, r, a], Ruling::Failed, "60%"),
        ([a, a, a, None, None], Ruling::Inquorate, "3 present, all for"),
        ([r, None, r, None, r], Ruling::Inquorate, "3 present, all against"),
        ([x, n, None, None, a], Ruling::Inquorate, "3 present, of one class"),
    ] {
        let given: Vec<_> =
            (1..).zip(seats).filter_map(|(number, seat)| Some((number, seat?))).collect();
        let case = answered(Case::mini(), &given).close();
        assert_eq!(case.poll().ruling, expected, "{why}");
    }
}

/// Ten councils, ten CCGs and the office.
fn joint_board() -> Charter {
    let council = |number: u8| member(number, &format!("la-{number}"), "council", Status::Active);
    let ccg = |number: u8| member(number, &format!("ccg-{number}"), "ccg", Status::Active);
    let mut members: Vec<_> = (11..=20).map(council).collect();
    members.extend((21..=30).map(ccg));
    members.push(member(5, "gmhscp", "office", Status::Active));
    let cast = |numerator, denominator| {
        Rule::Share(Share { scope: Scope::Board, numerator, denominator, of: ShareOf::Cast })
    };
    let rule = Rule::All(vec![
        Rule::Quorum(Quorum { least: 14, classes: vec![("ccg".into(), 6), ("council".into(), 6)] }),
        Rule::Any(vec![
            cast(1, 1),
            Rule::All(vec![
                cast(75, 100),
                Rule::Majority("council".into()),
                Rule::Majority("ccg".into()),
            ]),
        ]),
    ]);
    Charter {
        members,
        rules: vec![NamedRule { name: "joint decision".into(), rule }],
        closers: vec![org(5)],
        secretariat: vec![org(5)],
        ..mini_board()
    }
    .in_order()
}

fn vascular_hub() -> Case {
    let votes = |from: u8, counts: [usize; 3]| {
        let [approve, reject, abstain] = counts;
        let all = [vec![APPROVE; approve], vec![REJECT; reject], vec![ABSTAIN; abstain]];
        (from..).zip(all.concat()).collect::<Vec<_>>()
    };
    let case = Case::on(joint_board(), "joint decision");
    let case = answered(case, &votes(11, [5, 4, 1]));
    answered(case, &votes(21, [6, 2, 2])).sign(5, APPROVE)
}

#[test]
fn the_single_vascular_hub_is_not_carried_and_the_trace_says_why() {
    let poll = vascular_hub().poll();
    assert_eq!(poll.ruling, Ruling::Failed);
    assert_eq!(poll.closing, None, "all have answered: no closing is needed");
    let words: Vec<_> = poll
        .trace
        .iter()
        .map(|line| format!("{}{}", "  ".repeat(line.depth), line.words))
        .collect();
    assert_eq!(
        words,
        [
            "all of these — fails",
            "  all of these — holds",
            "    at least 14 members answer: 21 answered — holds",
            "    at least 6 of the ccg members answer: 10 answered — holds",
            "    at least 6 of the council members answer: 10 answered — holds",
            "  any of these — fails",
            "    1 of 1 of the votes cast: 12 for, 6 against: 66.7 % — fails",
            "    all of these — fails",
            "      75 of 100 of the votes cast: 12 for, 6 against: 66.7 % — fails",
            "      more for than against among the council members: 5 for, 4 against — holds",
            "      more for than against among the ccg members: 6 for, 2 against — holds",
        ]
    );
    assert_eq!(poll.spare, None);
    assert_eq!(poll.trace[2].spare, Some(7));
}

#[test]
fn a_share_that_only_looks_reached_is_not_shown_as_reached() {
    // 749 of 999 is 74.97 %, which would be shown as 75.0 %; with 21 members, 15 of 20 is exact.
    let line = |approve: u8, reject: u8| -> String {
        let given: Vec<_> = (11..=30)
            .enumerate()
            .filter_map(|(nth, number)| match u8::try_from(nth).unwrap() {
                nth if nth < approve => Some((number, APPROVE)),
                nth if nth < approve + reject => Some((number, REJECT)),
                _ => None,
            })
            .collect();
        let mut board = joint_board();
        board.rules[0].rule = Rule::Share(Share {
            scope: Scope::Board,
            numerator: 667,
            denominator: 1000,
            of: ShareOf::Cast,
        });
        let case = answered(Case::on(board, "joint decision"), &given).close();
        case.poll().trace[0].words.clone()
    };
    assert_eq!(line(12, 6), "667 of 1000 of the votes cast: 12 for, 6 against: 66.6 % — fails");
    assert_eq!(line(13, 6), "667 of 1000 of the votes cast: 13 for, 6 against: 68.4 % — holds");
    assert_eq!(line(0, 0), "667 of 1000 of the votes cast: no vote cast — fails");
}
