//! Every state, every step and hold, every relation of an organisation to the artefact: who gets
//! where, written out by hand and compared with what the fold does.

use alloc::{collections::BTreeSet, format, string::String, vec, vec::Vec};

use super::board::*;
use crate::artefact::{
    kind::{Effect, Kind, Trigger},
    kinds::{self, DECISION, MUTUAL_AID, STANDARD},
    lifecycle::Body,
};
use crate::hash::EntryId;

const EVERYONE: &[u8] = &[SPONSOR, SECRETARIAT, COUNCIL, TRUST, CCG, OFFICE];
const NONE: &[u8] = &[];

/// What is done, in which role, by whom, from where, and to where it leads.
pub(super) type Rule =
    (&'static str, &'static str, &'static [u8], &'static [&'static str], &'static str);

pub(super) const DECISIONS: &[Rule] = &[
    ("consult", "sponsor_editor", &[SPONSOR], &["draft"], "consultation"),
    ("give_notice", "secretariat", &[SECRETARIAT], &["consultation"], "notice"),
    (
        "proposal",
        "secretariat",
        &[SECRETARIAT],
        &["consultation", "notice", "frozen", "not_carried"],
        "frozen",
    ),
    ("reopen", "secretariat", &[SECRETARIAT], &["frozen", "not_carried"], "consultation"),
    ("begin_ratification", "secretariat", &[SECRETARIAT], &["decided"], "ratifying"),
    ("begin_standstill", "secretariat", &[SECRETARIAT], &["decided", "ratifying"], "standstill"),
    ("bring_into_force", "secretariat", &[SECRETARIAT], &["decided", "ratifying"], "in_force"),
    ("supersede", "secretariat", &[SECRETARIAT], &["standstill", "in_force"], "superseded"),
    (
        "withdraw",
        "sponsor_editor",
        &[SPONSOR],
        &["draft", "consultation", "notice", "frozen", "not_carried", "deferred"],
        "withdrawn",
    ),
    (
        "defer",
        "secretariat",
        &[SECRETARIAT],
        &["draft", "consultation", "notice", "frozen", "not_carried"],
        "deferred",
    ),
    ("resume", "secretariat", &[SECRETARIAT], &["deferred"], "draft"),
    ("call_in", "signatory", &[COUNCIL], &["standstill"], "called_in"),
    ("suspend", "clinical_safety", EVERYONE, &["standstill", "in_force"], "suspended"),
    ("close_call_in", "signatory", NONE, &[], ""),
    ("lift_suspension", "clinical_safety", NONE, &[], ""),
    ("uphold", "secretariat", NONE, &[], ""),
];

pub(super) const STANDARDS: &[Rule] = &[
    ("begin_drafting", "sponsor_editor", &[SPONSOR], &["proposed"], "drafting"),
    ("consult", "sponsor_editor", &[SPONSOR], &["drafting"], "consultation"),
    ("begin_clinical_review", "sponsor_editor", &[SPONSOR], &["consultation"], "clinical_review"),
    (
        "proposal",
        "secretariat",
        &[SECRETARIAT],
        &["clinical_review", "frozen", "not_carried"],
        "frozen",
    ),
    ("reopen", "secretariat", &[SECRETARIAT], &["frozen", "not_carried"], "clinical_review"),
    ("bring_into_force", "secretariat", &[SECRETARIAT], &["agreed"], "in_force"),
    ("begin_review", "sponsor_editor", &[SPONSOR], &["in_force"], "under_review"),
    ("keep", "sponsor_editor", &[SPONSOR], &["in_force", "under_review"], "in_force"),
    ("revise", "sponsor_editor", &[SPONSOR], &["agreed", "in_force", "under_review"], "drafting"),
    (
        "supersede",
        "secretariat",
        &[SECRETARIAT],
        &["agreed", "in_force", "under_review"],
        "superseded",
    ),
    ("retire", "secretariat", &[SECRETARIAT], &["agreed", "in_force", "under_review"], "retired"),
    (
        "withdraw",
        "sponsor_editor",
        &[SPONSOR],
        &["proposed", "drafting", "consultation", "clinical_review", "frozen", "not_carried"],
        "withdrawn",
    ),
    ("suspend", "clinical_safety", EVERYONE, &["agreed", "in_force", "under_review"], "suspended"),
    ("lift_suspension", "clinical_safety", NONE, &[], ""),
    ("uphold", "secretariat", NONE, &[], ""),
];

pub(super) const AID: &[Rule] = &[
    ("offer", "ops_oncall", &[SPONSOR], &["draft", "offered"], "offered"),
    ("withdraw", "ops_oncall", &[SPONSOR], &["draft", "offered"], "withdrawn"),
    ("end", "ops_oncall", &[SPONSOR], &["offered"], "ended"),
    ("close_aid", "ops_oncall", &[SPONSOR], &["offered", "ended"], "closed"),
    ("suspend", "clinical_safety", EVERYONE, &["offered"], "suspended"),
    ("lift_suspension", "clinical_safety", NONE, &[], ""),
    ("uphold", "secretariat", NONE, &[], ""),
];

/// What leads to each state that steps lead to: `+` and `-` are results.
fn way(kind: &Kind, state: &str) -> Option<Vec<&'static str>> {
    let frozen = vec!["consult", "proposal"];
    let reviewed = vec!["begin_drafting", "consult", "begin_clinical_review"];
    let on = |way: &[&'static str], more: &[&'static str]| Some([way, more].concat());
    match (kind.name, state) {
        ("decision", "draft") | ("standard", "proposed") | ("mutual_aid", "draft") => Some(vec![]),
        ("decision", "consultation") => on(&["consult"], &[]),
        ("decision", "notice") => on(&["consult", "give_notice"], &[]),
        ("decision", "frozen") => on(&frozen, &[]),
        ("decision", "not_carried") => on(&frozen, &["-"]),
        ("decision", "decided") => on(&frozen, &["+"]),
        ("decision", "ratifying") => on(&frozen, &["+", "begin_ratification"]),
        ("decision", "standstill") => on(&frozen, &["+", "begin_standstill"]),
        ("decision", "in_force") => on(&frozen, &["+", "bring_into_force"]),
        ("decision", "superseded") => on(&frozen, &["+", "bring_into_force", "supersede"]),
        ("decision", "deferred") => on(&["defer"], &[]),
        ("decision", "withdrawn") | ("standard", "withdrawn") => on(&["withdraw"], &[]),
        ("standard", "drafting") => on(&reviewed[..1], &[]),
        ("standard", "consultation") => on(&reviewed[..2], &[]),
        ("standard", "clinical_review") => on(&reviewed, &[]),
        ("standard", "frozen") => on(&reviewed, &["proposal"]),
        ("standard", "not_carried") => on(&reviewed, &["proposal", "-"]),
        ("standard", "agreed") => on(&reviewed, &["proposal", "+"]),
        ("standard", "in_force") => on(&reviewed, &["proposal", "+", "bring_into_force"]),
        ("standard", "under_review") => {
            on(&reviewed, &["proposal", "+", "bring_into_force", "begin_review"])
        }
        ("standard", "superseded") => on(&reviewed, &["proposal", "+", "supersede"]),
        ("standard", "retired") => on(&reviewed, &["proposal", "+", "retire"]),
        ("mutual_aid", "offered") => on(&["offer"], &[]),
        ("mutual_aid", "withdrawn") => on(&["withdraw"], &[]),
        ("mutual_aid", "ended") => on(&["offer", "end"], &[]),
        ("mutual_aid", "closed") => on(&["offer", "end", "close_aid"], &[]),
        _ => None,
    }
}

fn act(board: &mut Board, by: u8, what: &str, last: EntryId) -> EntryId {
    if what == "proposal" {
        return board.propose(by);
    }
    let params = board.kind.event(what).unwrap().params;
    board.say(by, what, fitting(params, last, 0))
}

/// A board whose artefact is in the state, and the last entry written.
pub(super) fn reach(kind: &'static Kind, rules: &[Rule], state: &str) -> Option<(Board, EntryId)> {
    let mut board = Board::new(kind);
    let mut last = EntryId::NONE;
    for what in way(kind, state)? {
        match what {
            "+" => {
                board.carry(last);
                for by in [TRUST, TRUST_2, CCG, CCG_2] {
                    if kind.name == "standard" {
                        act(&mut board, by, "clinical_signoff", last);
                    }
                }
            }
            "-" => board.fail(last),
            _ => {
                let by = rules.iter().find(|rule| rule.0 == what).unwrap().2[0];
                last = act(&mut board, by, what, last);
            }
        }
    }
    assert_eq!(board.fold().base, state, "{}", kind.name);
    Some((board, last))
}

/// Where a proposal was carried, one may still step from where it led: that stands beside the result.
fn expected(rules: &[Rule], state: &str) -> BTreeSet<String> {
    let is_result = ["decided", "agreed"].contains(&state);
    let fits = |rule: &&Rule| rule.3.contains(&state) || is_result && rule.3.contains(&"frozen");
    let rules = rules.iter().filter(fits);
    let lines = rules.flat_map(|(what, _, by, _, to)| {
        by.iter().map(move |by| format!("{state}: {what} by {by} leads to {to}"))
    });
    lines.collect()
}

fn found(board: &Board, last: EntryId, state: &str, what: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for by in [SPONSOR, SECRETARIAT, COUNCIL, TRUST, CCG, OFFICE, OBSERVER] {
        let mut board = board.clone();
        let entry = act(&mut board, by, what, last);
        let fold = board.fold();
        if fold.without_effect.contains_key(&entry) {
            assert_eq!(fold.base, state, "{what} by {by}");
            assert_eq!(fold.holds, [], "{what} by {by}");
        } else {
            let to = fold.holds.first().map_or(fold.base, |hold| hold.state);
            found.insert(format!("{state}: {what} by {by} leads to {to}"));
        }
    }
    found
}

fn check(kind: &'static Kind, rules: &[Rule]) -> usize {
    let moves = kind.all_events().filter(|event| {
        !matches!(event.effect, Effect::Log | Effect::Row { .. } | Effect::Capacity(_))
    });
    let mut acts: BTreeSet<&str> = moves.map(|event| event.name).collect();
    if kind.transitions.iter().any(|one| matches!(one.by, Trigger::Proposal(_))) {
        acts.insert("proposal");
    }
    let listed: BTreeSet<&str> = rules.iter().map(|rule| rule.0).collect();
    assert_eq!(acts, listed);
    let mut tried = 0;
    for state in kind.states {
        let Some((board, last)) = reach(kind, rules, state.name) else { continue };
        for what in &acts {
            let due = expected(rules, state.name);
            let due = due.into_iter().filter(|line| line.contains(&format!(": {what} by")));
            assert_eq!(found(&board, last, state.name, what), due.collect(), "{what}");
            tried += 7;
        }
    }
    tried
}

#[test]
fn every_step_from_every_state_by_every_relation_goes_where_the_table_says() {
    assert_eq!(check(&DECISION, DECISIONS), 12 * 16 * 7);
    assert_eq!(check(&STANDARD, STANDARDS), 12 * 15 * 7);
    assert_eq!(check(&MUTUAL_AID, AID), 5 * 7 * 7);
}

/// So a result that is fixed later changes nothing about which of several tips is first for a step
/// that has effect, and one beside which steps were taken is never first.
#[test]
fn results_lead_to_no_more_caution_and_steps_from_the_same_state_to_more() {
    for kind in kinds::ALL {
        let place = |name: &str| {
            let place = kind.states.iter().position(|state| state.name == name).unwrap();
            (core::cmp::Reverse(kind.states[place].caution), place)
        };
        let by = |trigger: Trigger| kind.transitions.iter().filter(move |one| one.by == trigger);
        for carried in by(Trigger::Carried) {
            for from in carried.from {
                assert!(place(from) < place(carried.to));
                let steps = kind.transitions.iter().filter(|one| one.from.contains(from));
                for step in steps.filter(|step| !step.from.contains(&carried.to)) {
                    assert!(step.to == carried.to || place(step.to) < place(carried.to));
                }
            }
        }
        for failed in by(Trigger::NotCarried) {
            assert!(failed.from.iter().all(|from| place(from) < place(failed.to)));
            for step in kind.transitions.iter().filter(|step| step.from.contains(&failed.to)) {
                assert!(failed.from.iter().all(|from| step.from.contains(from)));
            }
        }
    }
}

#[test]
fn the_states_that_no_step_leads_to_are_holds_and_what_days_and_claims_show() {
    let others = |kind: &'static Kind| -> Vec<&str> {
        let names = kind.states.iter().map(|state| state.name);
        names.filter(|name| way(kind, name).is_none()).collect()
    };
    assert_eq!(others(&DECISION), ["expired", "called_in", "suspended"]);
    assert_eq!(others(&STANDARD), ["suspended"]);
    assert_eq!(
        others(&MUTUAL_AID),
        [
            "claimed",
            "part_confirmed",
            "confirmed",
            "active",
            "declined",
            "recalled",
            "expired",
            "suspended"
        ]
    );
}

#[test]
fn every_step_is_taken_in_the_role_that_the_table_says() {
    for (kind, rules) in [(&DECISION, DECISIONS), (&STANDARD, STANDARDS), (&MUTUAL_AID, AID)] {
        for (what, role, ..) in rules {
            let proposed = kind.transitions.iter().find_map(|one| match one.by {
                Trigger::Proposal(who) => Some(who).filter(|_| *what == "proposal"),
                Trigger::Event(_) | Trigger::Carried | Trigger::NotCarried => None,
            });
            let who = proposed.or(kind.event(what).map(|event| event.who)).unwrap();
            assert_eq!(who.role.name(), *role, "{}: {what}", kind.name);
        }
    }
}

/// Who may write what does not move the artefact, where it may be written at all.
#[test]
fn rows_and_logs_are_written_by_those_whom_the_kind_names() {
    let mut lines = Vec::new();
    for kind in kinds::ALL {
        for event in kind.all_events() {
            if !matches!(event.effect, Effect::Log | Effect::Row { .. }) {
                continue;
            }
            let rules = [DECISIONS, STANDARDS, AID].concat();
            let state = event.during.first().copied().unwrap_or(kind.states[0].name);
            let (board, last) = reach(kind, &rules, state).unwrap();
            let mut by = Vec::new();
            for author in [SPONSOR, SECRETARIAT, COUNCIL, TRUST, CCG, OFFICE, OBSERVER] {
                let mut board = board.clone();
                let values = fitting(event.params, last, 0);
                let body = crate::payload::Event { name: event.name.into(), values };
                board.meet();
                let entry = board.write(author, Body::Event(body));
                if board.why_not(entry).is_empty() {
                    by.push(author);
                }
            }
            lines.push((kind.name, event.name, by));
        }
    }
    let by = |who: &[u8]| who.to_vec();
    let common = |kind| {
        [
            (kind, "set_reference", by(&[SECRETARIAT])),
            (kind, "mark_illustrative", by(&[SPONSOR])),
            (kind, "settle_conflict", by(EVERYONE)),
        ]
    };
    let mut expected = Vec::new();
    expected.extend(common("decision"));
    expected.extend([
        ("decision", "provider_view", by(&[TRUST])),
        ("decision", "declare_interest", by(EVERYONE)),
        ("decision", "accept_recommendation", by(EVERYONE)),
        ("decision", "action_status", by(EVERYONE)),
        ("decision", "ratify", by(EVERYONE)),
        ("decision", "bring_to_board", by(EVERYONE)),
    ]);
    expected.extend(common("mutual_aid"));
    expected.extend([
        ("mutual_aid", "take_part", by(EVERYONE)),
        ("mutual_aid", "suggest_match", by(EVERYONE)),
        ("mutual_aid", "finance_signoff", by(EVERYONE)),
    ]);
    expected.extend(common("standard"));
    expected.extend([
        ("standard", "clinical_signoff", by(EVERYONE)),
        ("standard", "endorse", by(EVERYONE)),
        ("standard", "adopt", by(&[COUNCIL])),
        ("standard", "except", by(&[COUNCIL])),
        ("standard", "statement_status", by(&[COUNCIL])),
    ]);
    assert_eq!(lines, expected);
}
