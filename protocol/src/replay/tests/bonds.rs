//! What each side of an offer bound itself to, for somebody who was not there.

use alloc::{format, vec};

use super::*;
use crate::{artefact::kinds::MUTUAL_AID, identity::Attribution};

const FROM: &str = "2017-12-09T20:00Z";
const TO: &str = "2017-12-11T08:00Z";

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn entry(id: EntryId) -> Value {
    Value::Bytes(id.as_bytes().to_vec())
}

fn claim(by: u8, board: &mut Partnership, qty: &str) -> EntryId {
    let lender = Value::Bytes(org(1).as_bytes().to_vec());
    let values = vec![lender, text("nurses"), text(qty), text(FROM), text(TO)];
    board.event(by, "claim", values)
}

/// Four shifts are offered, and claimed by two.
fn claimed() -> (Partnership, EntryId, EntryId) {
    let mut board = Partnership::new(&MUTUAL_AID, Audience::Everyone);
    let line = vec![text("nurses"), text("4"), text("shift"), text(FROM), text(TO)];
    board.event(1, "line_quantity", line);
    board.event(1, "offer", vec![text("2017-12-08T12:00Z")]);
    let first = claim(2, &mut board, "3");
    let second = claim(3, &mut board, "2");
    (board, first, second)
}

fn bonds(board: &Partnership) -> Bonds {
    board.dossier.bonds(board.ground(), &board.replay()).unwrap()
}

fn attribute(board: &mut Partnership) {
    for one in &mut board.dossier.entries {
        let Content::Here(sealed) = &mut one.content else { continue };
        let attribution = Attribution {
            actor_ref: Fixed([4; 16]),
            role: "ops_oncall".into(),
            capacity: "the duty team".into(),
            how_authenticated: "smart card".into(),
        };
        sealed.attribution = Some(Salted::new(Fixed([8; 16]), attribution.to_bytes()));
    }
}

#[test]
fn an_offer_reads_from_the_board_to_who_is_bound() {
    let (mut board, first, second) = claimed();
    board.event(1, "confirm", vec![entry(first), text("3")]);
    board.event(1, "confirm", vec![entry(second), text("2")]);
    board.event(1, "confirm", vec![entry(second), text("1")]);
    board.event(1, "decline_claim", vec![entry(second), text("no more")]);
    attribute(&mut board);
    board.acknowledge_all();
    let artefact = board.dossier.artefact;
    let proof = bonds(&board);
    let signed = |who: &str, minute: &str| {
        format!(
            "{who} as ops_oncall for the duty team, claimed 2017-11-20T12:00:{minute}Z, held by a \
             majority by 2017-11-20T12:00:09Z"
        )
    };
    let times = "2017-12-09T20:00:00Z to 2017-12-11T08:00:00Z";
    let (lender, one, other) = ("la-bury", "la-wigan", "ccg-bury");
    assert_eq!(
        proof.lines(),
        [
            "Board: Small joint commissioning board".to_string(),
            format!("Artefact: {artefact}"),
            format!("Offered (valid_until 2017-12-08T12:00Z): {}", signed(lender, "03")),
            "Line nurses:".to_string(),
            format!("  4 shift, {times} — {}", signed(lender, "02")),
            format!("  3 claimed, {times} — {}", signed(one, "04")),
            format!("    3 confirmed — {}", signed(lender, "06")),
            format!("  2 claimed, {times} — {}", signed(other, "05")),
            format!("    1 confirmed — {}", signed(lender, "08")),
            format!("    the rest declined — {}", signed(lender, "09")),
            "la-bury is bound to give la-wigan 3 shift; la-bury is bound to give ccg-bury 1 shift."
                .to_string(),
        ],
        "the confirmation above what was left has no effect"
    );
    let json = serde_json::to_value(&proof).unwrap();
    assert_eq!(json["lines"][0]["claims"][1]["confirmed"][0]["quantity"], "1");
    assert_eq!(json["lines"][0]["claims"][0]["signed"]["acting"]["role"], "ops_oncall");
}

#[test]
fn a_claim_binds_nobody_and_claims_above_the_offer_are_told() {
    let (board, _, _) = claimed();
    let proof = bonds(&board);
    assert_eq!(proof.sentence, "Nobody is bound: no claim is confirmed.");
    let flags: Vec<_> = proof.flags.iter().map(|one| (one.code, one.words.as_str())).collect();
    assert_eq!(flags, [("C8", "1 more is claimed of la-bury than it has left")]);
}

#[test]
fn what_is_missing_for_certainty_about_a_bond_is_named() {
    let (mut board, first, _) = claimed();
    let confirmed = board.event(1, "confirm", vec![entry(first), text("3")]);
    let last = board.dossier.entries.last_mut().unwrap();
    last.by.settled = false;
    let proof = bonds(&board);
    assert_eq!(
        proof.sentence,
        "la-bury is bound to give la-wigan 3 shift; not all of this is settled yet."
    );
    let words: Vec<&str> = proof.missing.iter().map(|one| one.words.as_str()).collect();
    let open = format!("an entry of la-bury is not settled yet: {confirmed}");
    assert!(words.contains(&open.as_str()), "{words:#?}");
}

#[test]
fn who_may_not_read_it_is_not_told_that_nobody_is_bound() {
    let (mut board, first, _) = claimed();
    board.event(1, "confirm", vec![entry(first), text("3")]);
    for one in &mut board.dossier.entries {
        one.content = Content::Withheld;
    }
    let proof = bonds(&board);
    assert_eq!(proof.sentence, "Nobody is bound by what can be read here.");
    let unread = "5 of its events cannot be read here, or may not count";
    assert!(proof.missing.iter().any(|one| one.code == "unread" && one.words == unread));
}

#[test]
fn what_is_put_to_a_decision_has_no_bonds() {
    let board = decision();
    assert_eq!(board.dossier.bonds(board.ground(), &board.replay()), None);
}
