//! Decisions and standards: concurrency, holds, days and results.

use super::board::*;
use crate::artefact::{
    kinds::{DECISION, STANDARD},
    lifecycle::NoEffect,
};
use crate::value::Value;
use alloc::{vec, vec::Vec};

/// A decision whose text is fixed, and the proposal.
fn frozen() -> (Board, crate::hash::EntryId) {
    let mut board = Board::new(&DECISION);
    board.say(SPONSOR, "consult", vec![]);
    board.say(SECRETARIAT, "give_notice", vec![]);
    let proposal = board.propose(SECRETARIAT);
    (board, proposal)
}

fn standing(ends_on: &str, expires_on: Value) -> Board {
    let (mut board, proposal) = frozen();
    board.carry(proposal);
    board.say(SECRETARIAT, "begin_standstill", vec![text(ends_on), expires_on]);
    board
}

#[test]
fn a_decision_goes_its_way_and_waits_for_days() {
    let (mut board, proposal) = frozen();
    assert_eq!(board.on("2017-12-04"), "frozen");
    assert_eq!(board.fold().proposal, Some(proposal));
    board.carry(proposal);
    assert_eq!((board.on("2017-12-04"), board.fold().carried), ("decided", Some(proposal)));
    board.say(SECRETARIAT, "begin_ratification", vec![]);
    let ratify = |result: &str| vec![text("Cabinet"), text(result), text("2017-12-05"), none()];
    board.say(COUNCIL, "ratify", ratify("not_ratified"));
    let last = board.say(COUNCIL, "ratify", ratify("ratified"));
    let fold = board.fold();
    let rows: Vec<_> = fold.table("ratifications").map(|(_, row)| row.entry).collect();
    assert_eq!(rows, [last]);
    board.say(SECRETARIAT, "begin_standstill", vec![text("2017-12-11"), some(text("2018-06-30"))]);
    for (day, state) in [
        ("2017-12-11", "standstill"),
        ("2017-12-12", "in_force"),
        ("2018-06-30", "in_force"),
        ("2018-07-01", "expired"),
    ] {
        assert_eq!(board.on(day), state, "{day}");
    }
}

#[test]
fn what_did_not_carry_is_reopened_and_put_again() {
    let (mut board, proposal) = frozen();
    board.fail(proposal);
    assert_eq!(board.on("2017-12-04"), "not_carried");
    let early = board.say(SECRETARIAT, "begin_ratification", vec![]);
    assert_eq!(board.why_not(early), "begin_ratification has no effect in state not_carried");
    board.say(SECRETARIAT, "reopen", vec![text("back to options")]);
    assert_eq!(board.on("2017-12-04"), "consultation");
    let again = board.propose(SECRETARIAT);
    board.carry(again);
    assert_eq!((board.on("2017-12-04"), board.fold().carried), ("decided", Some(again)));
}

/// A result may be fixed by votes that cross a step from where the proposal led: both stand.
#[test]
fn a_step_that_crosses_a_result_keeps_its_effect_until_the_secretariat_upholds_one() {
    let (mut board, proposal) = frozen();
    let reopen = board.say(SECRETARIAT, "reopen", vec![text("second thoughts")]);
    let notice = board.say(SECRETARIAT, "give_notice", vec![]);
    assert_eq!(board.on("2017-12-04"), "notice");
    let mut early = board.clone();
    let uphold = early.say(SECRETARIAT, "uphold", vec![entry(proposal), none()]);
    assert_eq!(early.why_not(uphold), "uphold waits for the result of a proposal in its past");
    board.carry(proposal);
    let fold = board.fold();
    assert_eq!((fold.base, fold.is_contested(), fold.proposal), ("notice", true, None));
    assert_eq!([board.why_not(reopen), board.why_not(notice)], ["", ""]);
    let tips: Vec<_> = fold.tips.iter().map(|tip| (tip.entry, tip.to)).collect();
    assert_eq!(tips, [(notice, "notice"), (proposal, "decided")]);
    let mut other = board.clone();
    board.say(SECRETARIAT, "uphold", vec![entry(proposal), none()]);
    assert_eq!((board.on("2017-12-04"), board.fold().is_contested()), ("decided", false));
    other.say(SECRETARIAT, "uphold", vec![entry(notice), none()]);
    assert_eq!((other.on("2017-12-04"), other.fold().is_contested()), ("notice", false));
}

/// What the proposal's text was overtaken by may be upheld before anybody knows the result.
#[test]
fn a_step_upheld_over_a_proposal_stays_whatever_the_result() {
    let (mut board, proposal) = frozen();
    let withdrawn = board.say(SPONSOR, "withdraw", vec![text("no longer needed")]);
    board.say(SECRETARIAT, "uphold", vec![entry(withdrawn), none()]);
    board.carry(proposal);
    assert_eq!((board.on("2017-12-04"), board.fold().is_contested()), ("withdrawn", false));
}

#[test]
fn nobody_reopens_what_others_built_on_a_result() {
    let (mut board, proposal) = frozen();
    board.carry(proposal);
    board.say(SECRETARIAT, "begin_ratification", vec![]);
    let reopen = board.say(SECRETARIAT, "reopen", vec![text("second thoughts")]);
    assert_eq!(board.why_not(reopen), "reopen has no effect in state ratifying");
}

#[test]
fn what_did_not_carry_in_the_end_stands_beside_nothing() {
    let (mut board, proposal) = frozen();
    board.say(SPONSOR, "withdraw", vec![text("no longer needed")]);
    board.fail(proposal);
    let fold = board.fold();
    assert_eq!((fold.base, fold.is_contested()), ("withdrawn", false));
    let undone = board.say(SECRETARIAT, "uphold", vec![entry(proposal), none()]);
    assert!(!board.why_not(undone).is_empty());
}

/// Else it would have effect till the result is fixed, and lose it then.
#[test]
fn what_comes_after_a_step_that_waits_for_a_result_waits_too() {
    let (mut board, proposal) = frozen();
    let early = board.say(SECRETARIAT, "begin_ratification", vec![]);
    let reopen = board.say(SECRETARIAT, "reopen", vec![text("second thoughts")]);
    let waits = |event| alloc::format!("{event} waits for the result of a proposal in its past");
    assert_eq!(board.why_not(early), waits("begin_ratification"));
    assert_eq!(board.why_not(reopen), waits("reopen"));
    let mut carried = board.clone();
    carried.carry(proposal);
    assert_eq!((carried.on("2017-12-04"), carried.fold().is_contested()), ("ratifying", false));
    assert_eq!(carried.why_not(reopen), "reopen has no effect in state ratifying");
    board.fail(proposal);
    assert_eq!((board.on("2017-12-04"), board.fold().is_contested()), ("consultation", false));
    assert_eq!(board.why_not(early), "begin_ratification has no effect in state not_carried");
}

#[test]
fn the_cautious_state_holds_until_the_secretariat_upholds_another() {
    let mut board = Board::new(&DECISION);
    board.say(SPONSOR, "consult", vec![]);
    board.meet();
    let notice = board.apart(SECRETARIAT, "give_notice", vec![]);
    let withdrawn = board.apart(SPONSOR, "withdraw", vec![text("no longer needed")]);
    let fold = board.fold();
    assert!(fold.is_contested());
    assert_eq!(fold.base, "withdrawn");
    let tips: Vec<_> = fold.tips.iter().map(|tip| tip.entry).collect();
    assert_eq!(tips, [withdrawn, notice]);
    let alone = board.apart(SECRETARIAT, "uphold", vec![entry(notice), none()]);
    let expected =
        "uphold names an entry that is no step among several taken at once its author knew of";
    assert_eq!(board.why_not(alone), expected);
    board.say(SECRETARIAT, "uphold", vec![entry(notice), some(text("the sponsor agrees"))]);
    assert_eq!((board.on("2017-12-04"), board.fold().is_contested()), ("notice", false));
}

#[test]
fn an_upheld_proposal_still_comes_to_its_result() {
    let mut board = Board::new(&DECISION);
    board.say(SPONSOR, "consult", vec![]);
    let proposal = board.propose(SECRETARIAT);
    board.apart(SPONSOR, "withdraw", vec![text("no")]);
    assert_eq!(board.on("2017-12-04"), "withdrawn");
    board.say(SECRETARIAT, "uphold", vec![entry(proposal), none()]);
    board.carry(proposal);
    assert_eq!(board.on("2017-12-04"), "decided");
}

#[test]
fn a_call_in_holds_until_its_own_council_closes_it() {
    let mut board = standing("2017-12-11", none());
    let why = vec![text("not scrutinised"), text("2017-12-06")];
    let ours = board.say(COUNCIL, "call_in", why.clone());
    let theirs = board.say(COUNCIL_2, "call_in", why.clone());
    let stranger = board.say(TRUST, "call_in", why);
    assert_eq!(board.why_not(stranger), "only councils may write call_in");
    assert_eq!(board.on("2017-12-20"), "called_in");
    let close = |id, result: &str| vec![entry(id), text("2017-12-15"), text(result)];
    let foreign = board.say(COUNCIL, "close_call_in", close(theirs, "stands"));
    assert_eq!(
        board.why_not(foreign),
        "only the organisation that wrote what it names may write close_call_in"
    );
    board.say(COUNCIL, "close_call_in", close(ours, "stands"));
    assert_eq!(board.on("2017-12-20"), "called_in");
    let mut stands = board.clone();
    stands.say(COUNCIL_2, "close_call_in", close(theirs, "stands"));
    assert_eq!(stands.on("2017-12-20"), "in_force");
    board.say(COUNCIL_2, "close_call_in", close(theirs, "sent_back"));
    assert_eq!(board.on("2017-12-20"), "deferred");
}

#[test]
fn a_suspension_outranks_what_is_done_at_the_same_time() {
    let mut board = standing("2017-12-11", none());
    board.meet();
    let hold = board.apart(TRUST, "suspend", vec![text("harm reported")]);
    board.apart(SECRETARIAT, "supersede", vec![Value::Bytes(vec![9; 32])]);
    let fold = board.fold();
    assert_eq!((fold.base, board.on("2017-12-20")), ("superseded", "suspended"));
    board.say(TRUST, "lift_suspension", vec![entry(hold), text("reviewed")]);
    assert_eq!(board.on("2017-12-20"), "superseded");
}

#[test]
fn a_state_rests_on_settled_entries_or_says_so() {
    let mut board = standing("2017-12-11", none());
    assert!(board.fold().settled);
    board.say(TRUST, "suspend", vec![text("harm reported")]);
    board.facts.last_mut().unwrap().settled = false;
    assert!(!board.fold().settled);
}

#[test]
fn a_standard_is_agreed_with_clinical_signoffs_and_no_sooner() {
    let mut board = Board::new(&STANDARD);
    for name in ["begin_drafting", "consult", "begin_clinical_review"] {
        board.say(SPONSOR, name, vec![]);
    }
    let proposal = board.propose(SECRETARIAT);
    board.carry(proposal);
    let verdict =
        |verdict: &str| vec![entry(proposal), text(verdict), Value::Bytes(vec![3; 32]), none()];
    for by in [TRUST, TRUST_2, CCG] {
        board.say(by, "clinical_signoff", verdict("approve"));
    }
    board.say(COUNCIL, "clinical_signoff", verdict("approve"));
    board.say(CCG_2, "clinical_signoff", verdict("reject"));
    assert_eq!(board.on("2017-12-04"), "frozen");
    board.say(CCG_2, "clinical_signoff", verdict("approve"));
    assert_eq!(board.on("2017-12-04"), "agreed");
    let values = vec![text("2018-01-01"), some(text("2019-01-01"))];
    board.say(SECRETARIAT, "bring_into_force", values);
    assert_eq!((board.on("2019-01-01"), board.on("2019-01-02")), ("in_force", "under_review"));
    board.say(SPONSOR, "revise", vec![text("version 1.1")]);
    assert_eq!((board.on("2018-02-01"), board.fold().carried), ("drafting", Some(proposal)));
}

#[test]
fn a_locality_adopts_by_its_own_act() {
    let mut board = Board::new(&STANDARD);
    let version = entry(crate::hash::EntryId::from_bytes([5; 32]));
    let adopt = |place: &str| vec![text(place), version.clone(), text("partial"), none(), none()];
    board.say(COUNCIL, "adopt", adopt("bury"));
    let foreign = board.say(CCG, "adopt", adopt("bury"));
    let elsewhere = board.say(COUNCIL, "adopt", adopt("wigan"));
    let reason = "only the organisations of that locality may write adopt";
    assert_eq!([board.why_not(foreign), board.why_not(elsewhere)], [reason, reason]);
    let values = vec![text("bury"), version.clone(), none(), none(), text("not commissioned")];
    let last = board.say(COUNCIL, "except", values);
    let fold = board.fold();
    let rows: Vec<_> = fold.table("adoption").map(|(key, row)| (key.org, row.entry)).collect();
    assert_eq!(rows, [(org(COUNCIL), last)]);
}

#[test]
fn what_cannot_be_read_has_no_effect_and_says_why() {
    let mut board = Board::new(&DECISION);
    let unknown = board.say(SPONSOR, "annul", vec![]);
    let short = board.say(SPONSOR, "withdraw", vec![]);
    assert_eq!(board.why_not(short), "withdraw has 0 values, it should have 1");
    assert!(matches!(board.fold().without_effect[&unknown], NoEffect::Unreadable(_)));
}
