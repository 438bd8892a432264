//! Mutual aid: claims made apart, confirmations, and what they show.

use super::board::*;
use crate::artefact::{
    kinds::MUTUAL_AID,
    lifecycle::{Line, LineKey},
};
use crate::hash::EntryId;
use crate::value::Value;
use alloc::{vec, vec::Vec};

fn lender(by: u8) -> Value {
    Value::Bytes(org(by).as_bytes().to_vec())
}

fn quantity(qty: &str) -> Vec<Value> {
    vec![
        text("night-nurses"),
        text(qty),
        text("shift"),
        text("2017-12-09T20:00Z"),
        text("2017-12-11T08:00Z"),
    ]
}

fn claim(by: u8, qty: &str) -> Vec<Value> {
    let [line, qty, _, from, to] = quantity(qty).try_into().unwrap();
    vec![lender(by), line, qty, from, to]
}

/// An offer of four night shifts until 8 December.
fn offered() -> Board {
    let mut board = Board::new(&MUTUAL_AID);
    board.say(SPONSOR, "aid_kind", vec![text("offer")]);
    board.say(SPONSOR, "line_quantity", quantity("4"));
    board.say(SPONSOR, "offer", vec![text("2017-12-08T12:00Z")]);
    board.meet();
    board
}

fn line(board: &Board, by: u8) -> Line {
    let key = LineKey { org: org(by), line: "night-nurses".into() };
    board.fold().capacity.lines.get(&key).unwrap().clone()
}

fn answer(id: EntryId, qty: &str) -> Vec<Value> {
    vec![entry(id), text(qty)]
}

/// The fixture D07: three of four shifts claimed twice while cut off.
#[test]
fn a_double_claim_is_shown_and_confirmed_up_to_what_there_is() {
    let mut board = offered();
    assert_eq!((board.on("2017-12-04"), board.on("2017-12-09")), ("offered", "expired"));
    let pennine = board.apart(TRUST, "claim", claim(SPONSOR, "3"));
    let stockport = board.apart(TRUST_2, "claim", claim(SPONSOR, "3"));
    assert_eq!(board.on("2017-12-04"), "claimed");
    let both = line(&board, SPONSOR);
    assert_eq!((both.remaining(), both.unanswered, both.over_claimed()), (4_000, 6_000, 2_000));

    board.say(SPONSOR, "confirm", answer(pennine, "3"));
    let one = line(&board, SPONSOR);
    assert_eq!((one.remaining(), one.over_claimed()), (1_000, 2_000));
    assert_eq!(board.on("2017-12-04"), "part_confirmed");
    let above = board.say(SPONSOR, "confirm", answer(stockport, "2"));
    assert_eq!(board.why_not(above), "confirms 2, but only 1 is left of the line");
    board.say(SPONSOR, "confirm", answer(stockport, "1"));
    let done = line(&board, SPONSOR);
    assert_eq!((done.remaining(), done.over_claimed(), done.short_by()), (0, 0, 0));
    for (day, state) in [
        ("2017-12-04", "confirmed"),
        ("2017-12-09", "confirmed"),
        ("2017-12-10", "active"),
        ("2017-12-12", "ended"),
    ] {
        assert_eq!(board.on(day), state, "{day}");
    }
    board.say(SPONSOR, "close_aid", vec![none()]);
    assert_eq!(board.on("2017-12-05"), "closed");
}

#[test]
fn only_who_offers_confirms_and_never_above_the_claim() {
    let mut board = offered();
    let ours = board.say(TRUST, "claim", claim(SPONSOR, "2.5"));
    let foreign = board.say(TRUST_2, "confirm", answer(ours, "1"));
    assert_eq!(board.why_not(foreign), "only the side that offers may write confirm");
    let above = board.say(SPONSOR, "confirm", answer(ours, "3"));
    assert_eq!(board.why_not(above), "confirms 3, but only 2.5 is left of the claim");
    let unknown = board.say(SPONSOR, "confirm", answer(above, "1"));
    assert_eq!(
        board.why_not(unknown),
        "confirm names an entry that is no claim on its lines its author knew of"
    );
    board.say(SPONSOR, "confirm", answer(ours, "1"));
    assert_eq!(board.on("2017-12-04"), "part_confirmed");
    board.say(SPONSOR, "confirm", answer(ours, "1.5"));
    assert_eq!((board.on("2017-12-04"), line(&board, SPONSOR).remaining()), ("confirmed", 1_500));
}

#[test]
fn a_confirmation_needs_a_claim_that_its_author_knew() {
    let mut board = offered();
    let unheard = board.apart(TRUST, "claim", claim(SPONSOR, "1"));
    let confirm = board.apart(SPONSOR, "confirm", answer(unheard, "1"));
    assert_eq!(
        board.why_not(confirm),
        "confirm names an entry that is no claim its author knew of"
    );
}

#[test]
fn lowering_a_quantity_below_what_is_confirmed_is_shown() {
    let mut board = offered();
    let ours = board.say(TRUST, "claim", claim(SPONSOR, "4"));
    board.say(SPONSOR, "confirm", answer(ours, "4"));
    board.say(SPONSOR, "line_quantity", quantity("3"));
    let line = line(&board, SPONSOR);
    assert_eq!((line.remaining(), line.short_by(), line.confirmed), (0, 1_000, 4_000));
}

#[test]
fn an_offer_with_confirmed_claims_is_not_withdrawn_but_recalled() {
    let mut board = offered();
    let ours = board.say(TRUST, "claim", claim(SPONSOR, "1"));
    let mut early = board.clone();
    early.say(SPONSOR, "withdraw", vec![text("staff are ill")]);
    assert_eq!(early.on("2017-12-04"), "withdrawn");
    let late = early.say(TRUST_2, "claim", claim(SPONSOR, "1"));
    assert_eq!(early.why_not(late), "claim has no effect in state withdrawn");
    board.say(SPONSOR, "confirm", answer(ours, "1"));
    let withdraw = board.say(SPONSOR, "withdraw", vec![text("staff are ill")]);
    assert_eq!(board.why_not(withdraw), "withdraw comes after a confirmation");
    let values = vec![
        text("night-nurses"),
        Value::Uint(24),
        text("staff are ill"),
        text("2017-12-09T00:00Z"),
    ];
    board.say(SPONSOR, "recall", values);
    assert_eq!(board.on("2017-12-04"), "recalled");
}

#[test]
fn nothing_is_claimed_or_confirmed_while_it_is_suspended() {
    let mut board = offered();
    let ours = board.say(TRUST, "claim", claim(SPONSOR, "1"));
    let hold = board.say(CCG, "suspend", vec![text("unsafe cover")]);
    let confirm = board.say(SPONSOR, "confirm", answer(ours, "1"));
    assert_eq!(board.why_not(confirm), "confirm has no effect in state suspended");
    assert_eq!((board.on("2017-12-04"), line(&board, SPONSOR).confirmed), ("suspended", 0));
    board.say(CCG, "lift_suspension", vec![entry(hold), text("resolved")]);
    board.say(SPONSOR, "confirm", answer(ours, "1"));
    assert_eq!((board.on("2017-12-04"), line(&board, SPONSOR).confirmed), ("confirmed", 1_000));
}

#[test]
fn claims_are_declined_and_given_up_without_touching_what_is_confirmed() {
    let mut board = offered();
    let ours = board.say(TRUST, "claim", claim(SPONSOR, "3"));
    let theirs = board.say(TRUST_2, "claim", claim(SPONSOR, "3"));
    board.say(SPONSOR, "decline_claim", vec![entry(theirs), text("sorry")]);
    board.say(SPONSOR, "confirm", answer(ours, "1"));
    let foreign = board.say(CCG, "give_up_claim", vec![entry(ours)]);
    assert_eq!(
        board.why_not(foreign),
        "only the organisation that wrote what it names may write give_up_claim"
    );
    board.say(TRUST, "give_up_claim", vec![entry(ours)]);
    let line = line(&board, SPONSOR);
    assert_eq!((line.confirmed, line.unanswered, line.over_claimed()), (1_000, 0, 0));
    assert_eq!(board.on("2017-12-04"), "confirmed");
}

/// The give-up knows of fewer entries than the confirmation, so it comes first in order.
#[test]
fn a_claim_given_up_meanwhile_takes_no_confirmation_back() {
    let mut board = offered();
    let ours = board.apart(TRUST, "claim", claim(SPONSOR, "3"));
    board.learn(SPONSOR, TRUST);
    board.apart(SPONSOR, "line_quantity", quantity("3"));
    let confirm = board.apart(SPONSOR, "confirm", answer(ours, "2"));
    assert_eq!(
        (board.on("2017-12-04"), line(&board, SPONSOR).confirmed),
        ("part_confirmed", 2_000)
    );
    board.apart(TRUST, "give_up_claim", vec![entry(ours)]);
    assert_eq!(board.why_not(confirm), "");
    assert_eq!((board.on("2017-12-04"), line(&board, SPONSOR).confirmed), ("confirmed", 2_000));
    let late = board.say(SPONSOR, "confirm", answer(ours, "1"));
    assert_eq!(board.why_not(late), "confirms 1, but only 0 is left of the claim");
    assert_eq!(line(&board, SPONSOR).unanswered, 0);
}

#[test]
fn a_claim_written_after_the_offer_ended_is_marked() {
    let mut board = offered();
    let claimed = board.say(TRUST, "claim", claim(SPONSOR, "1"));
    board.facts.last_mut().unwrap().at = crate::time::TimeMs(1_600_000_000_000);
    assert!(board.fold().capacity.claims[&claimed].late);
}

#[test]
fn a_request_is_answered_by_several_lenders_line_by_line() {
    let mut board = Board::new(&MUTUAL_AID);
    board.say(SPONSOR, "aid_kind", vec![text("request")]);
    let own = board.say(SPONSOR, "line_quantity", quantity("9"));
    assert_eq!(board.why_not(own), "only the side that offers may write line_quantity");
    for by in [TRUST, TRUST_2] {
        board.say(by, "line_quantity", quantity("2"));
        board.say(by, "offer", vec![text("2017-12-08T12:00Z")]);
    }
    let claimed = board.say(SPONSOR, "claim", claim(TRUST_2, "2"));
    let foreign = board.say(TRUST, "confirm", answer(claimed, "2"));
    assert_eq!(
        board.why_not(foreign),
        "confirm names an entry that is no claim on its lines its author knew of"
    );
    board.say(TRUST_2, "confirm", answer(claimed, "2"));
    assert_eq!((line(&board, TRUST).remaining(), line(&board, TRUST_2).remaining()), (2_000, 0));
    assert_eq!(board.on("2017-12-04"), "confirmed");
}

#[test]
fn the_kind_of_aid_is_said_first_or_not_at_all() {
    let mut board = offered();
    let late = board.say(SPONSOR, "aid_kind", vec![text("request")]);
    assert_eq!(board.why_not(late), "what kind of aid it is, is said before everything else");
    let proposal = board.propose(SPONSOR);
    assert_eq!(board.why_not(proposal), "this kind of artefact is not put to a decision");
}

#[test]
fn quantities_of_nothing_and_times_that_run_backwards_have_no_effect() {
    let mut board = offered();
    let nothing = board.say(TRUST, "claim", claim(SPONSOR, "0"));
    assert_eq!(board.why_not(nothing), "claim is about a quantity of nothing");
    let mut values = claim(SPONSOR, "1");
    values.swap(3, 4);
    let backwards = board.say(TRUST, "claim", values);
    assert_eq!(board.why_not(backwards), "claim is for a time that ends before it begins");
    let nowhere = board.say(TRUST, "claim", claim(CCG, "1"));
    assert_eq!(
        board.why_not(nowhere),
        "claim names a line for which its author knew of no quantity"
    );
}
