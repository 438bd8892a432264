//! What a proof tells somebody who was not there.

use alloc::{collections::BTreeMap, string::String, vec, vec::Vec};

use super::fixture::{APPROVE, Case, NOON, RECUSED, REJECT, entry};
use crate::{
    charter::{
        Rule,
        fixture::{mini_board, org},
    },
    codec::{Blob, Fixed, hex},
    decision::*,
    hash::{EntryId, OrgId},
    identity::Attribution,
    time::TimeMs,
};

struct Known {
    attributions: BTreeMap<EntryId, Attribution>,
    received: BTreeMap<EntryId, Vec<(OrgId, TimeMs)>>,
}

fn known(case: &Case) -> Known {
    let attribution = |capacity: &str| Attribution {
        actor_ref: Fixed([4; 16]),
        role: "signatory".into(),
        capacity: capacity.into(),
        how_authenticated: "smart card".into(),
    };
    let mut known = Known { attributions: BTreeMap::new(), received: BTreeMap::new() };
    let sign_offs = case.sign_offs.iter().map(|one| &one.by);
    for by in sign_offs.chain(case.closings.iter().map(|one| &one.by)) {
        known.attributions.insert(by.entry, attribution("accountable officer"));
        // The author's own word, and an observer's, bound nothing.
        let heard = (1..=6).map(|number: u8| {
            let late = if org(number) == by.org || number == 6 { 0 } else { u64::from(number) };
            (org(number), TimeMs(by.at.0 + late * 1000))
        });
        known.received.insert(by.entry, heard.collect());
    }
    known
}

fn proof(case: &Case, known: &Known) -> Proof {
    let beside = Beside { attributions: &known.attributions, received: &known.received };
    case.papers(|papers| prove(papers, beside))
}

fn decided() -> Case {
    let case = (1..=3).fold(Case::mini(), |case, number| case.sign(number, APPROVE));
    let case = case.sign(4, RECUSED).close();
    case.sign_as(5, REJECT, |one| one.in_time = false)
}

#[test]
fn a_proof_reads_from_the_board_to_one_sentence() {
    let case = decided();
    let proof = proof(&case, &known(&case));
    let lines = proof.lines();
    let digest = hex(&case.proposal.says.wording.0);
    let shown: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(
        shown,
        [
            "Board: Small joint commissioning board",
            &alloc::format!("Proposal: {}", entry(200)),
            "Frozen by: gmhscp, claimed 2017-11-20T12:00:00Z, settled",
            &alloc::format!("Wording: {digest} (computed anew, and equal)"),
            r#"  {"fields":{"total_pence":300000000},"kind":"decision","renderer":1,"schema":1}"#,
            "Rule: all of (at least 4 members answer, with at least 1 of the ccg members and at least \
             1 of the council members; at least 3/4 of the members that approve or reject approve; \
             more approve than reject among the council members; more approve than reject among the \
             ccg members)",
            "  all of these — holds",
            "    all of these — holds",
            "      at least 4 members answer: 4 answered — holds",
            "      at least 1 of the ccg members answer: 2 answered — holds",
            "      at least 1 of the council members answer: 2 answered — holds",
            "    3 of 4 of the votes cast: 3 for, 0 against: 100 % — holds",
            "    more for than against among the council members: 2 for, 0 against — holds",
            "    more for than against among the ccg members: 1 for, 0 against — holds",
            "ccg-bury (ccg): for — ccg-bury as signatory for accountable officer, claimed \
             2017-11-20T12:03:00Z, held by a majority by 2017-11-20T12:03:04Z",
            "ccg-trafford (ccg): recused — ccg-trafford as signatory for accountable officer, claimed \
             2017-11-20T12:04:00Z, held by a majority by 2017-11-20T12:04:03Z",
            "gmhscp (office): absent",
            "la-bury (council): for — la-bury as signatory for accountable officer, claimed \
             2017-11-20T12:01:00Z, held by a majority by 2017-11-20T12:01:04Z",
            "la-wigan (council): for — la-wigan as signatory for accountable officer, claimed \
             2017-11-20T12:02:00Z, held by a majority by 2017-11-20T12:02:04Z",
            "Not counted: gmhscp, against — it came after the closing",
            "Closed by: gmhscp as signatory for accountable officer, claimed 2017-11-20T13:00:00Z, \
             held by a majority by 2017-11-20T13:00:03Z",
            "When: 2017-11-20T12:01:00Z to 2017-11-20T13:00:00Z by the authors' clocks, held by \
             majorities by 2017-11-20T13:00:03Z by theirs",
            "The result is: carried, with no answer to spare.",
        ]
    );
    assert_eq!(proof.missing, []);
    assert_eq!(proof.interval.held_by_majority_ms, Some(NOON + 3_603_000));
}

#[test]
fn what_a_result_fails_on_is_in_the_sentence() {
    let sentence = |case: Case| proof(&case, &known(&case)).sentence();
    let against = |case: Case, members: &[u8]| {
        members.iter().fold(case, |case, number| case.sign(*number, REJECT))
    };
    let divided = (1..=2).fold(Case::mini(), |case, number| case.sign(number, APPROVE));
    let divided = divided.sign(3, APPROVE).sign(5, APPROVE);
    assert_eq!(
        sentence(against(divided, &[4]).close()),
        "The result is: failed, as this does not hold: more for than against among the ccg members: 1 for, 1 \
         against."
    );
    assert_eq!(
        sentence(against(Case::mini().sign(1, APPROVE), &[2, 3, 4, 5]).close()),
        "The result is: failed, as these do not hold: 3 of 4 of the votes cast: 1 for, 4 against: 20 %; more for \
         than against among the council members: 1 for, 1 against; more for than against among the ccg members: \
         0 for, 2 against."
    );
    // Whatever else fails: too few have answered.
    assert_eq!(
        sentence(against(Case::mini(), &[1, 2, 3]).close()),
        "The result is: inquorate, as this does not hold: at least 4 members answer: 3 answered."
    );
}

/// A part that holds although one of its own parts fails is no reason, and of parts that were not all needed none is one
/// by itself.
#[test]
fn what_a_joined_rule_fails_on_is_told_as_it_is_joined() {
    let sentence = |rule: Rule, approve: &[u8], reject: &[u8]| {
        let mut board = mini_board();
        board.rules[0].rule = rule;
        let case = Case::on(board, "joint decision");
        let case = approve.iter().fold(case, |case, number| case.sign(*number, APPROVE));
        let case = reject.iter().fold(case, |case, number| case.sign(*number, REJECT)).close();
        proof(&case, &known(&case)).sentence()
    };
    let org = |number| Rule::Org(org(number));
    let rule = || {
        Rule::All(vec![
            Rule::Any(vec![org(1), org(2)]),
            Rule::AtLeast(2, vec![org(3), org(4), org(5)]),
            org(5),
        ])
    };
    assert_eq!(
        sentence(rule(), &[1, 3], &[2, 4, 5]),
        "The result is: failed, as these do not hold: at least 2 of these 3 (ccg-trafford approves: it answered \
         otherwise or gmhscp approves: it answered otherwise); gmhscp approves: it answered otherwise."
    );
}

#[test]
fn what_is_missing_for_certainty_is_named() {
    let mut case = decided();
    case.sign_offs[2].by.settled = false;
    let known = Known { attributions: BTreeMap::new(), received: BTreeMap::new() };
    let proof = proof(&case, &known);
    assert_eq!(proof.result, "open");
    let codes: Vec<_> = proof.missing.iter().map(|one| one.code).collect();
    let (no, when) = ("no-attribution", "unbounded-time");
    assert_eq!(codes, ["unsettled", no, when, no, when, no, when, no, when]);
    assert_eq!(proof.missing[0].words, "the sign-off of ccg-bury is not settled yet");
    assert_eq!(proof.interval.held_by_majority_ms, None);
}

#[test]
fn wording_that_is_not_what_was_signed_is_seen() {
    let mut case = decided();
    case.proposal.says.snapshot = Blob::from(super::fixture::wording(1).to_bytes());
    let proof = proof(&case, &known(&case));
    assert!(!proof.wording.matches);
    assert_eq!(proof.result, "without effect");
    assert_eq!(
        proof.sentence(),
        "The proposal is without effect: its frozen text has another digest than the one it names."
    );
}

#[test]
fn a_fork_is_told_with_what_would_remain() {
    let mut case = decided();
    case.sign_offs[0].by.standing = Standing::Forked { branch: entry(90) };
    let proof = proof(&case, &known(&case));
    assert_eq!(proof.result, "carried");
    assert_eq!(
        proof.flags,
        vec![Point {
            code: "C15",
            words: "the feed of la-bury is proven to be forked; its settled answer stands, and \
                    without such answers this would be inquorate"
                .into(),
        }]
    );
}

#[test]
fn a_proof_serialises_with_names_and_whole_numbers() {
    let case = decided();
    let json = serde_json::to_value(proof(&case, &known(&case))).unwrap();
    assert_eq!(json["result"], "carried");
    assert_eq!(json["wording"]["matches"], true);
    assert_eq!(json["wording"]["made_as"], serde_json::json!(["decision", 1, 1]));
    assert_eq!(json["seats"][0]["org"], "ccg-bury");
    assert_eq!(json["seats"][0]["signed"]["acting"]["role"], "signatory");
    assert_eq!(json["trace"][5]["per_mille"], 1000);
    assert_eq!(json["trace"][5]["tally"]["recused"], 1);
}
