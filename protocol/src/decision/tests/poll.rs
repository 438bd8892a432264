//! One rule of counting in each test.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec,
    vec::Vec,
};

use super::fixture::{APPROVE, Case, RECUSED, REJECT, entry, wording};
use crate::{
    charter::{
        Answer, Charter, NamedRule, Rule, Seat, Status,
        fixture::{mini_board, org},
    },
    codec::{Blob, Fixed},
    decision::*,
    hash::EntryId,
    payload::Audience,
    time::TimeMs,
};

/// Four of five for it, one open: carried.
fn carried() -> Case {
    (1..=4).fold(Case::mini(), |case, number| case.sign(number, APPROVE))
}

fn fate(case: &Case, entry: EntryId) -> Fate {
    case.poll().slips.into_iter().find(|slip| slip.entry == entry).unwrap().fate
}

fn forked(branch: u8) -> Standing {
    Standing::Forked { branch: entry(branch) }
}

#[test]
fn a_result_is_fixed_as_soon_as_no_seat_could_change_it() {
    let three = (1..=3).fold(Case::mini(), |case, number| case.sign(number, APPROVE));
    let poll = three.poll();
    assert_eq!((poll.ruling, poll.rule), (Ruling::Open, crate::charter::Outcome::Open));
    assert_eq!(poll.waits, [Wait::Answer(org(4)), Wait::Answer(org(5))]);
    assert_eq!(carried().poll().ruling, Ruling::Carried);
    assert_eq!(three.clone().sign(4, RECUSED).poll().ruling, Ruling::Carried);
    let hopeless = Case::mini().sign(1, REJECT).sign(2, APPROVE);
    let poll = hopeless.poll();
    assert_eq!(poll.rule, crate::charter::Outcome::False, "a tie of the councils stays one");
    assert_eq!(poll.ruling, Ruling::Open, "failed or inquorate is still open");
    assert_eq!(hopeless.clone().close().poll().ruling, Ruling::Inquorate);
    assert_eq!(hopeless.sign(3, APPROVE).sign(4, APPROVE).poll().ruling, Ruling::Failed);
}

#[test]
fn what_is_not_settled_does_not_count_and_is_waited_for() {
    let case = carried();
    let mut waiting = case.clone();
    waiting.sign_offs[3].by.settled = false;
    let poll = waiting.poll();
    assert_eq!(poll.ruling, Ruling::Open);
    assert_eq!(fate(&waiting, entry(4)), Fate::Waiting);
    assert_eq!(poll.waits, [Wait::SignOff(entry(4)), Wait::Answer(org(5))]);
    let mut unsettled = case;
    unsettled.proposal.by.settled = false;
    assert_eq!(unsettled.poll().ruling, Ruling::Open);
    assert_eq!(unsettled.poll().waits[0], Wait::Proposal);
    unsettled.proposal.by.standing = forked(99);
    assert_eq!(unsettled.poll().waits[0], Wait::HeldProposal);
    assert_eq!(unsettled.poll().flags, [Flag::ForkedProposal]);
}

#[test]
fn of_several_answers_in_one_feed_the_first_counts() {
    let again = |answer| {
        carried().sign_as(4, answer, |one| {
            one.by.entry = entry(44);
            one.by.seq = 12;
        })
    };
    let case = again(REJECT);
    assert_eq!(case.poll().ruling, Ruling::Carried);
    assert_eq!(fate(&case, entry(44)), Fate::Contradicts(entry(4)));
    let flag = Flag::TwoAnswers { org: org(4), entries: vec![entry(4), entry(44)] };
    assert_eq!(flag.code(), Some("C6"));
    assert_eq!(case.poll().flags, [flag]);
    let case = again(APPROVE);
    assert_eq!(fate(&case, entry(44)), Fate::Repeated(entry(4)));
    assert_eq!(case.poll().flags, []);
    let mut case = again(REJECT);
    case.sign_offs[3].by.settled = false;
    assert_eq!(case.poll().seats[&org(4)], Seat::Open, "the second never stands in for the first");
}

#[test]
fn on_branches_of_a_fork_none_counts_unless_its_branch_is_settled() {
    let branches = |first_settled, second_settled| {
        let case = (1..=3).fold(Case::mini(), |case, number| case.sign(number, APPROVE));
        let case = case.sign_as(4, APPROVE, |one| {
            one.by.settled = first_settled;
            one.by.standing = forked(90);
        });
        case.sign_as(4, REJECT, |one| {
            one.by.entry = entry(44);
            one.by.settled = second_settled;
            one.by.standing = forked(91);
        })
    };
    let both_held = branches(false, false);
    assert_eq!(both_held.poll().seats[&org(4)], Seat::Open);
    assert_eq!(fate(&both_held, entry(4)), Fate::Held);
    assert_eq!(fate(&both_held, entry(44)), Fate::Held);
    assert_eq!(both_held.poll().flags.len(), 1, "it answered two ways");
    let first = branches(true, false);
    assert_eq!(first.poll().seats[&org(4)], Seat::Answered(APPROVE));
    let second = branches(false, true);
    assert_eq!(second.poll().seats[&org(4)], Seat::Answered(REJECT));
    let both = branches(true, true);
    assert_eq!(both.poll().seats[&org(4)], Seat::Open);
    assert_eq!(fate(&both, entry(4)), Fate::Disputed);
    assert_eq!(both.poll().ruling, Ruling::Disputed, "one of them would have carried it");
    let others_enough = both.sign(5, APPROVE);
    assert_eq!(others_enough.poll().ruling, Ruling::Disputed, "a tie of the CCGs would fail it");
}

#[test]
fn late_evidence_is_a_flag_with_the_margin_that_remains() {
    let mut case = carried().sign(5, APPROVE);
    case.sign_offs[0].by.standing = forked(90);
    let poll = case.poll();
    assert_eq!(poll.ruling, Ruling::Carried);
    assert_eq!(poll.flags, [Flag::Forked { org: org(1), entry: entry(1) }]);
    let left = Remaining { without: vec![org(1)], ruling: Ruling::Carried, spare: Some(0) };
    assert_eq!(poll.remaining, Some(left));
    case.sign_offs[2].by.standing = forked(91);
    let left = Remaining { without: vec![org(1), org(3)], ruling: Ruling::Inquorate, spare: None };
    assert_eq!(case.poll().remaining, Some(left));
    assert_eq!(case.poll().ruling, Ruling::Carried, "nothing is undone");
}

#[test]
fn a_sign_off_on_other_wording_is_listed_and_not_counted() {
    let case = Case::mini().sign_as(4, APPROVE, |one| one.says.wording = Fixed([7; 32]));
    assert_eq!(fate(&case, entry(4)), Fate::Stale);
    assert_eq!(case.poll().flags, [Flag::Stale { org: org(4), entry: entry(4) }]);
    let case = case.sign_as(4, REJECT, |one| {
        one.by.entry = entry(44);
        one.by.seq = 12;
    });
    assert_eq!(case.poll().seats[&org(4)], Seat::Answered(REJECT), "it signed the right one later");
    assert!(!case.poll().flags.iter().any(|flag| matches!(flag, Flag::TwoAnswers { .. })));
}

#[test]
fn only_members_with_a_vote_and_inside_the_audience_count() {
    let case = carried().sign(6, REJECT).sign(9, REJECT).sign_as(5, REJECT, |one| {
        one.by.standing = Standing::Void;
    });
    assert_eq!(fate(&case, entry(6)), Fate::NoVote);
    assert_eq!(fate(&case, entry(9)), Fate::NoVote);
    assert_eq!(fate(&case, entry(5)), Fate::Void);
    assert_eq!(case.poll().ruling, Ruling::Carried);
    assert_eq!(case.poll().seats.len(), 5);

    let mut narrow = mini_board();
    narrow.rules = vec![NamedRule {
        name: "both".into(),
        rule: Rule::All(vec![Rule::Org(org(3)), Rule::Org(org(5))]),
    }];
    let mut case = Case::on(narrow, "both").sign(3, APPROVE).sign(5, APPROVE).sign(1, REJECT);
    case.audience = Audience::Only(vec![org(3), org(5)]);
    assert_eq!(case.poll().ruling, Ruling::Carried);
    assert_eq!(fate(&case, entry(1)), Fate::OutsideAudience);
}

#[test]
fn a_proposal_that_cannot_be_decided_is_without_effect_and_says_why() {
    let without = |change: &dyn Fn(&mut Case)| {
        let mut case = carried();
        change(&mut case);
        let poll = case.poll();
        assert_eq!(poll.slips, []);
        let Ruling::WithoutEffect(why) = poll.ruling else { panic!("{:?}", poll.ruling) };
        why
    };
    let void = without(&|case| case.proposal.by.standing = Standing::Void);
    assert_eq!(void, NoEffect::Void);
    let no_rule = without(&|case| case.proposal.says.rule = "whim".into());
    assert_eq!(no_rule, NoEffect::UnknownRule { rule: "whim".into() });
    let outside = without(&|case| case.audience = Audience::Only(vec![org(1), org(2), org(3)]));
    assert_eq!(outside, NoEffect::OutsideAudience { orgs: vec![org(4), org(5)] });
    let closer = without(&|case| case.proposal.says.closer = org(1));
    assert_eq!(closer, NoEffect::NotACloser { closer: org(1) });
    let other = wording(1);
    let digest = without(&|case| case.proposal.says.snapshot = Blob::from(other.to_bytes()));
    let named = carried().proposal.says.wording;
    assert_eq!(digest, NoEffect::Digest { named, found: other.digest() });
    let text = without(&|case| case.proposal.says.snapshot = Blob::from(b"{ }".to_vec()));
    assert_eq!(text, NoEffect::Snapshot(BadWording::Json(BadJson::NotCanonical { at: 1 })));
}

#[test]
fn without_its_charter_a_proposal_waits() {
    let mut case = carried();
    case.charters.clear();
    assert_eq!((case.poll().ruling, case.poll().waits), (Ruling::Open, vec![Wait::Charter]));
}

#[test]
fn a_closing_lists_what_counts_and_the_rest_comes_late() {
    let case = (1..=3).fold(Case::mini(), |case, number| case.sign(number, APPROVE)).close();
    assert_eq!(case.poll().ruling, Ruling::Inquorate);
    assert_eq!(case.poll().closing, Some(entry(225)));
    let late = case.sign_as(4, APPROVE, |one| one.in_time = false);
    assert_eq!(late.poll().ruling, Ruling::Inquorate);
    assert_eq!(fate(&late, entry(4)), Fate::Late);
    assert_eq!(late.poll().seats[&org(4)], Seat::Absent);
}

#[test]
fn a_closer_cannot_drop_what_a_majority_held_before_the_closing() {
    let mut case = carried();
    case.closings = vec![case.closed_by(5, vec![entry(1)])];
    case.shut = (1..=5).map(org).collect();
    assert_eq!(case.poll().ruling, Ruling::Carried);
}

#[test]
fn what_a_closing_lists_counts_although_it_came_late_and_once_it_is_settled() {
    let mut case = (1..=3).fold(Case::mini(), |case, number| case.sign(number, APPROVE));
    case = case.sign_as(4, APPROVE, |one| one.in_time = false).close();
    assert_eq!(case.poll().ruling, Ruling::Carried);
    let mut unsettled = case.clone();
    unsettled.sign_offs[3].by.settled = false;
    assert_eq!(unsettled.poll().ruling, Ruling::Open);
    assert_eq!(unsettled.poll().waits, [Wait::SignOff(entry(4))]);
    let mut unread = case.clone();
    unread.sign_offs.pop();
    unread.closings[0].unread = BTreeSet::from([entry(4)]);
    assert_eq!(unread.poll().ruling, Ruling::Open, "nobody is absent while something is unread");
    assert!(unread.poll().waits.contains(&Wait::Unread(entry(4))));
    let mut early = case;
    early.closings[0].by.settled = false;
    assert_eq!(early.poll().ruling, Ruling::Open);
    assert!(early.poll().waits.contains(&Wait::Closing(entry(225))));
    assert!(early.poll().waits.contains(&Wait::InTime(entry(4))));
}

/// The next charter, with other closers.
fn next(case: &Case, change: impl FnOnce(&mut Charter)) -> Charter {
    let (hash, before) = case.charters.last().unwrap();
    let mut charter = Charter { version: before.version + 1, prev: *hash, ..before.clone() };
    change(&mut charter);
    charter
}

#[test]
fn whoever_may_not_close_closes_nothing() {
    let mut case = Case::mini().sign(1, APPROVE);
    case.closings = vec![case.closed_by(2, vec![])];
    case.shut = (1..=5).map(org).collect();
    assert_eq!(case.poll().ruling, Ruling::Open);
    assert_eq!(case.poll().flags, [Flag::NoRightToClose { org: org(2), entry: entry(222) }]);
}

#[test]
fn when_the_closers_right_ends_the_first_of_that_charters_closers_inherits() {
    let mut case = Case::mini().sign(1, APPROVE);
    let second = next(&case, |charter| charter.closers = vec![org(3), org(5)]);
    case.charters.push((second.hash(), second.clone()));
    let under = |case: &Case, charter: &Charter| {
        case.papers(|papers| closer_under(papers, &charter.hash()))
    };
    assert_eq!(under(&case, &second), Some(org(5)), "the pinned closer keeps its right");
    let third = next(&case, |charter| {
        charter.closers = vec![org(5), org(2), org(3)];
        charter.members[4].status = Status::Suspended;
    });
    case.charters.push((third.hash(), third.clone()));
    assert_eq!(under(&case, &third), Some(org(2)));
    let fourth = next(&case, |charter| charter.members[4].status = Status::Active);
    case.charters.push((fourth.hash(), fourth.clone()));
    assert_eq!(under(&case, &fourth), Some(org(2)), "it does not come back to the first");

    let mut by_heir = case.closed_by(2, vec![entry(1)]);
    by_heir.by.charter = third.hash();
    case.closings = vec![by_heir];
    case.shut = (1..=5).map(org).collect();
    assert_eq!(case.poll().ruling, Ruling::Inquorate);
    case.closings[0].by.charter = second.hash();
    assert_eq!(case.poll().ruling, Ruling::Open, "under that charter it had no right yet");
    case.closings[0].by.charter = mini_board().board_id().unwrap().as_charter();
    assert_eq!(case.poll().ruling, Ruling::Open);
}

#[test]
fn two_closings_that_decide_otherwise_are_shown_and_settle_nothing() {
    let mut case = (1..=3).fold(Case::mini(), |case, number| case.sign(number, APPROVE));
    case = case.sign_as(4, APPROVE, |one| one.in_time = false).close();
    let second = next(&case, |charter| charter.closers = vec![org(2)]);
    let mut by_heir = case.closed_by(2, (1..=3).map(entry).collect());
    by_heir.by.charter = second.hash();
    case.charters.push((second.hash(), second));
    case.closings.push(by_heir);
    assert_eq!(case.poll().ruling, Ruling::Disputed);
    let both = Flag::TwoClosings { entries: vec![entry(222), entry(225)] };
    assert!(case.poll().flags.contains(&both));
    case.closings[1].says.counted.push(entry(4));
    assert_eq!(case.poll().ruling, Ruling::Carried, "they agree");
    let mut again = case.closed_by(5, vec![]);
    again.by.entry = entry(230);
    again.by.seq = 31;
    case.closings = vec![case.closings[0].clone(), again];
    assert_eq!(case.poll().ruling, Ruling::Carried, "of one closer's the first counts");
}

#[test]
fn who_signed_an_earlier_wording_is_shown_with_the_difference() {
    let first = Case::mini().sign(1, APPROVE).sign(2, REJECT).sign(3, APPROVE);
    let mut case = Case::mini();
    let text = wording(295_000_000);
    case.earlier = vec![first.proposal.clone()];
    case.proposal.by.entry = entry(201);
    case.proposal.says.replaces = Some(entry(200));
    case.proposal.says.wording = text.digest();
    case.proposal.says.snapshot = Blob::from(text.to_bytes());
    case.sign_offs = first.sign_offs;
    let case = case.sign_as(3, REJECT, |one| one.by.entry = entry(33));
    let poll = case.poll();
    assert_eq!(poll.slips.len(), 1, "answers to the earlier one are not answers to this one");
    let seen: Vec<_> = poll.earlier.iter().map(|one| (one.org, one.answer, one.is_same)).collect();
    assert_eq!(seen, [(org(1), APPROVE, false), (org(2), REJECT, false)]);
    let before = Wording::from_bytes(&case.earlier[0].says.snapshot).unwrap();
    assert_eq!(before.differing(&text), ["total_pence"]);
}

#[test]
fn an_organisation_may_answer_once() {
    let case = Case::mini().sign(1, APPROVE).sign_as(2, REJECT, |one| one.by.settled = false);
    let poll = case.poll();
    let may: Vec<_> = (1..=6).filter(|number| may_answer(&poll, &org(*number))).collect();
    assert_eq!(may, [3, 4, 5]);
    assert!(!may_answer(&carried().poll(), &org(5)), "it is decided");
}

#[test]
fn a_member_that_changed_and_a_time_before_the_proposal_are_shown() {
    let mut case = Case::mini();
    let second = next(&case, |charter| charter.members[0].class = "ccg".into());
    case.charters.push((second.hash(), second.clone()));
    let case = case.sign_as(1, APPROVE, |one| {
        one.by.charter = second.hash();
        one.by.at = TimeMs(0);
    });
    assert_eq!(
        case.poll().flags,
        [
            Flag::Membership { org: org(1), entry: entry(1) },
            Flag::BeforeProposal { org: org(1), entry: entry(1) },
        ]
    );
}

#[test]
fn freezes_by_organisations_that_did_not_know_of_each_other_are_rivals() {
    let one = Case::mini().proposal.by;
    let other = Written { entry: entry(100), org: org(1), ..one.clone() };
    let third = Written { entry: entry(101), ..other.clone() };
    let (none, knows) = (BTreeSet::new(), BTreeSet::from([entry(100), entry(200)]));
    assert_eq!(
        rivals(&[(&one, &none), (&other, &none), (&third, &knows)]),
        [Rivals(entry(100), entry(200))]
    );
    let void = Written { standing: Standing::Void, ..other };
    assert_eq!(rivals(&[(&one, &none), (&void, &none)]), []);
}

#[test]
fn spare_is_how_many_answers_could_be_taken_away_whichever_they_are() {
    let answers = [APPROVE, REJECT, RECUSED];
    let mut seen = BTreeMap::new();
    for number in 0..3usize.pow(5) {
        let answer = |at: u32| answers[number / 3usize.pow(at) % 3];
        let all: Vec<(u8, Answer)> = (1..=5).zip((0..5).map(answer)).collect();
        let without = |gone: &BTreeSet<u8>| {
            let kept = all.iter().filter(|(org, _)| !gone.contains(org));
            kept.fold(Case::mini(), |case, (org, answer)| case.sign(*org, *answer)).close().poll()
        };
        let spare = without(&BTreeSet::new()).spare;
        let sets = (0..32u8).map(|bits| (1..=5).filter(|at| bits & (1 << (at - 1)) != 0).collect());
        let sets: Vec<BTreeSet<u8>> = sets.collect();
        let holds_without = |count: u64| {
            let mut some = sets.iter().filter(|set| set.len() as u64 == count);
            some.all(|set| without(set).rule == crate::charter::Outcome::True)
        };
        let expected = (0..=5).take_while(|count| holds_without(*count)).last();
        assert_eq!(spare, expected, "{all:?}");
        *seen.entry(spare).or_insert(0) += 1;
    }
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), [None, Some(0), Some(1)]);
}
