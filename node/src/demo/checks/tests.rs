//! Each check on what it should accept, and on what is wrong in one point.

use serde_json::json;

use super::*;

/// An artefact as a node shows it, with something in each of the places that checks look at.
fn artefact() -> Artefact {
    let by = |org: &str| json!({ "org": org, "entry": "entry-a", "at_ms": 1 });
    let value = |value: &str| json!({ "value": value, "shown": value, "problem": null, "by": [] });
    let field = |path: &str, values: Vec<Value>, text: Option<&str>| {
        json!({
            "path": path, "label": path, "values": values, "text": text, "text_by": [],
            "items": [], "is_overwritten": false,
        })
    };
    let side = |says: &str, org: &str| json!({ "says": says, "orgs": [org], "at_ms": null });
    let claim = |org: &str, confirmed: &str| {
        json!({
            "by": by(org), "offered_by": "la-wigan", "line": "a", "quantity": "3", "confirmed": confirmed,
            "is_declined": false, "is_given_up": false, "is_late": false, "is_settled": true,
        })
    };
    serde_json::from_value(json!({
        "artefact": "artefact-a", "board": "board-a", "kind": "decision", "label": "Decision", "title": "Fund",
        "opened_by": "la-wigan", "audience": null, "state": "Frozen", "state_name": "frozen", "is_settled": true,
        "holds": [], "suspended": null,
        "fields": [
            field("summary", vec![], Some("For beds.")),
            field("days", vec![value("84"), value("126")], None),
            field("split/a/pence", vec![value("100")], None),
            field("split/b/pence", vec![value("250")], None),
            field("split/b/org", vec![value("7")], None),
        ],
        "strays": [],
        "rows": [
            { "table": "adoption", "did": "", "values": [["status", "full"]], "by": by("la-wigan"), "is_settled": true },
            { "table": "adoption", "did": "", "values": [], "by": by("la-bury"), "is_settled": true },
            { "table": "reference", "did": "", "values": [], "by": by("gmhscp"), "is_settled": true },
        ],
        "offers": [{
            "org": "la-wigan", "line": "a", "quantity": "4", "unit": "shift", "from_ms": 1, "to_ms": 2,
            "confirmed": "4", "claimed": "0", "remaining": "0", "over_claimed": "0", "is_recalled": false,
        }],
        "claims": [claim("tr-mft", "3"), claim("tr-bolton", "1")],
        "proposals": [{
            "by": by("la-wigan"), "digest": "d1", "rule": "joint decision", "closer": "gmhscp", "closes_at_ms": 1,
            "result": "carried", "is_current": true, "amendments": 0,
            "answers": [["la-wigan", "approve"], ["gmhscp", "reject"], ["tr-mft", "approve (open)"]],
        }],
        "remarks": [],
        "conflicts": [
            {
                "code": "C1", "about": "days", "settled_by_whom": "the sponsor", "settled_in": null,
                "sides": [side("84 days", "tr-mft"), side("126 days", "ccg-bury")],
            },
            {
                "code": "C2", "about": "summary", "settled_by_whom": "anybody", "settled_in": by("gmhscp"),
                "sides": [],
            },
        ],
        "settlements": [], "not_applied": [],
    }))
    .unwrap()
}

#[test]
fn what_differs_on_one_node_is_told_with_both() {
    let same = |told: &[(&'static str, u8)]| same(told.iter().map(|one| Ok(*one))).unwrap();
    assert_eq!(same(&[("a", 1), ("b", 1), ("c", 2)]), Found::fault("a says 1, and c says 2"));
    assert_eq!(same(&[("a", 1), ("b", 1)]), Found::well("1 (on all 2 nodes)"));
    assert!(!same(&[]).is_well);
}

#[test]
fn all_have_to_show_the_same_without_a_fault() {
    let alike = |shown: Vec<Artefact>, fault: Option<&str>| {
        let told = ["a", "b"].into_iter().zip(shown).map(Ok);
        alike(told, |_| fault.map(str::to_owned), |_| "it".to_owned()).unwrap()
    };
    let other = Artefact { title: Some("Another".to_owned()), ..artefact() };
    assert_eq!(alike(vec![artefact(), artefact()], None), Found::well("it (on all 2 nodes)"));
    let found = alike(vec![artefact(), other], None);
    assert_eq!(found, Found::fault("b shows something else than a"));
    assert_eq!(alike(vec![artefact()], Some("it rains")), Found::fault("at a: it rains"));
    assert!(!alike(vec![], None).is_well);
}

/// Others are not asked in vain while one is not there yet.
#[test]
fn the_first_fault_ends_the_asking() {
    let asked = ["a", "b", "c"].into_iter().enumerate().map(|(number, slug)| match number {
        0 => Ok((slug, 1)),
        1 => Ok((slug, 2)),
        _ => panic!("{slug} was asked"),
    });
    assert!(!same(asked).unwrap().is_well);
    let asked = ["a", "b"].into_iter().map(|slug| match slug {
        "a" => Ok((slug, artefact())),
        _ => panic!("{slug} was asked"),
    });
    assert!(!alike(asked, |_| Some("no".to_owned()), |_| String::new()).unwrap().is_well);
}

#[test]
fn texts_values_and_states_are_exactly_as_expected() {
    let shown = artefact();
    assert_eq!(text_fault(&shown, "summary", "For beds."), None);
    let fault = text_fault(&shown, "summary", "For bed.").unwrap();
    assert_eq!(fault, r#"summary reads "For beds.", expected "For bed.""#);
    assert!(text_fault(&shown, "reasons", "For beds.").is_some());

    assert_eq!(value_fault(&shown, "days", &["126", "84"]), None);
    for wrong in [&["84"][..], &["84", "126", "1"], &["84", "127"], &[]] {
        assert!(value_fault(&shown, "days", wrong).is_some(), "{wrong:?}");
    }
    assert_eq!(state_fault(&shown, "frozen"), None);
    assert_eq!(state_fault(&shown, "decided").unwrap(), "the state is frozen, expected decided");
}

#[test]
fn a_conflict_is_open_and_has_these_sides() {
    let shown = artefact();
    let both = [("84", "tr-mft"), ("126", "ccg-bury")];
    assert_eq!(conflict_fault(&shown, "C1", &both), None);
    for wrong in [[("84", "ccg-bury"), both[1]], [both[0], ("127", "ccg-bury")]] {
        assert!(conflict_fault(&shown, "C1", &wrong).is_some(), "{wrong:?}");
    }
    assert!(conflict_fault(&shown, "C8", &[]).is_some());
    // The one that is settled.
    assert!(conflict_fault(&shown, "C2", &[]).is_some());
    assert_eq!(none_open(&shown, "C2"), None);
    assert!(none_open(&shown, "C1").unwrap().contains("84 days (tr-mft) | 126 days (ccg-bury)"));
}

#[test]
fn capacity_is_claimed_confirmed_and_left_as_expected() {
    let shown = artefact();
    let claims = [("tr-mft", "3", "3"), ("tr-bolton", "3", "1")];
    assert_eq!(capacity_fault(&shown, &claims, "0"), None);
    assert!(capacity_fault(&shown, &claims, "1").is_some());
    for wrong in [("tr-mft", "3", "2"), ("tr-bolton", "4", "1"), ("la-bury", "3", "1")] {
        let fault = capacity_fault(&shown, &[wrong], "0").unwrap();
        assert!(fault.contains(wrong.0), "{fault}");
    }
}

#[test]
fn a_sum_is_of_the_amounts_of_one_list() {
    assert_eq!(sum_of(&artefact(), "split", "pence"), 350);
    assert_eq!(sum_of(&artefact(), "other", "pence"), 0);
}

#[test]
fn a_refusal_has_its_code_and_names_what_stands_in_the_way() {
    let refusal = Refusal::new("not-ready", "not yet: C9 on the total");
    assert!(refused(Some(&refusal), "not-ready", "C9").is_well);
    for found in [
        refused(None, "not-ready", "C9"),
        refused(Some(&refusal), "no-effect", "C9"),
        refused(Some(&refusal), "not-ready", "C1"),
    ] {
        assert!(!found.is_well && found.detail.contains("expected"), "{found:?}");
    }
}

#[test]
fn an_audit_is_clean_only_without_any_finding_that_weighs() {
    let report = |severity: &str, closing: &str| json!({ "findings": [{ "severity": severity, "sentence": "s" }], "closing": closing });
    assert!(clean(Some(0), &report("note", "Everything holds."), "findings").is_well);
    for (code, report) in [
        (Some(1), report("note", "Everything holds.")),
        (Some(0), report("proven", "Everything holds.")),
        (Some(0), json!({})),
        (None, report("note", "Everything holds.")),
    ] {
        assert!(!clean(code, &report, "findings").is_well, "{code:?} {report}");
    }
    let failed = json!({ "failures": ["artefact-a: IS NOT THE TEXT"], "closing": "Replayed." });
    assert!(!clean(Some(0), &failed, "failures").is_well);
}

#[test]
fn a_finding_names_the_entry_by_itself_or_among_others() {
    let report = |severity: &str, slug: &str, seq: u64, last_seq: Option<u64>| {
        let place = json!({ "slug": slug, "seq": seq, "last_seq": last_seq });
        let mut finding = json!({ "severity": severity, "sentence": "s" });
        finding.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
        json!({ "findings": [finding] })
    };
    let of = |slug: &str, seq: u64, last_seq: Option<u64>| {
        entry_named(Some(2), &report("unchecked", slug, seq, last_seq), ("la-wigan", 40)).is_well
    };
    assert!(of("la-wigan", 40, None));
    assert!(of("la-wigan", 37, Some(40)));
    assert!(!of("la-wigan", 4, None));
    assert!(!of("la-wigan", 37, Some(39)));
    assert!(!of("la-wigan", 41, Some(90)));
    assert!(!of("la-bury", 40, None));
    for (exit_code, severity) in [(0, "proven"), (2, "note")] {
        let report = report(severity, "la-wigan", 40, None);
        assert!(!entry_named(Some(exit_code), &report, ("la-wigan", 40)).is_well);
    }
}

#[test]
fn a_proof_has_its_wording_its_trace_and_its_closing() {
    let proof = |matches: bool, lines: &[&str]| {
        let proven = ProvenDecision {
            artefact: "artefact-a".to_owned(),
            title: None,
            state: "Decided".to_owned(),
            sentence: "The result is: carried.".to_owned(),
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            proof: json!({ "wording": { "matches": matches } }),
        };
        proof_fault(&proven)
    };
    let whole = ["  all of these — holds", "Closed by: gmhscp"];
    assert_eq!(proof(true, &whole), None);
    assert!(proof(false, &whole).unwrap().contains("not the one"));
    assert!(proof(true, &whole[..1]).unwrap().contains("Closed by"));
    assert!(proof(true, &["  all of these — does not hold", whole[1]]).is_some());
}

#[test]
fn bytes_hold_a_text_wherever_it_stands() {
    let bytes = b"ooone other";
    for inside in ["one", "other", "r", "ooone other", ""] {
        assert!(holds(bytes, inside), "{inside}");
    }
    for outside in ["oone  ", "others", "two"] {
        assert!(!holds(bytes, outside), "{outside}");
    }
    assert!(!holds(b"", "a"));
}

#[test]
fn every_entry_of_an_exported_decision_is_proven_to_others() {
    let report = |enough: &[bool]| {
        let line = |is_enough: &bool| json!({ "what": "proposal", "cosigned": 2, "needed": 3, "is_enough": is_enough });
        json!({ "entries": enough.iter().map(line).collect::<Vec<_>>() })
    };
    assert!(proven_to_others(Some(0), &report(&[true, true])).is_well);
    assert!(proven_to_others(Some(0), &report(&[true, false])).detail.contains("2 of 3"));
    for (code, enough) in
        [(Some(1), &[true][..]), (None, &[true]), (Some(0), &[]), (Some(0), &[false])]
    {
        assert!(!proven_to_others(code, &report(enough)).is_well, "{code:?} {enough:?}");
    }
}

#[test]
fn answers_are_counted_by_what_they_say_and_only_settled_ones() {
    let fault = |result, expected| division_fault(&artefact(), result, expected);
    assert_eq!(fault("carried", [1, 1, 0, 0]), None);
    let told = fault("carried", [2, 1, 0, 0]).unwrap();
    assert_eq!(told, "\"carried\" by [1, 1, 0, 0], expected \"carried\" by [2, 1, 0, 0]");
    assert!(fault("failed", [1, 1, 0, 0]).is_some());
    let none = Artefact { proposals: Vec::new(), ..artefact() };
    assert!(division_fault(&none, "carried", [0; 4]).is_some());
}

#[test]
fn rows_are_told_by_who_wrote_them_in_one_table() {
    assert_eq!(authors_of(&artefact(), "adoption"), ["la-bury", "la-wigan"]);
    assert!(authors_of(&artefact(), "ratifications").is_empty());
    assert_eq!(authors_saying(&artefact(), "adoption", ("status", "full")), ["la-wigan"]);
    assert!(authors_saying(&artefact(), "adoption", ("status", "planned")).is_empty());
    assert!(authors_saying(&artefact(), "reference", ("status", "full")).is_empty());
}

#[test]
fn a_replay_has_what_the_nodes_show_and_nothing_else() {
    let one = |state: &str, matches: bool| {
        let frozen = json!([{ "wording": "d1", "matches": matches, "result": "carried" }]);
        json!({ "artefact": "artefact-a", "state": state, "state_name": state, "frozen": frozen })
    };
    let seen = |artefacts: &[Value]| {
        replayed_as_shown(&json!({ "artefacts": artefacts }), &[artefact()]).is_well
    };
    assert!(seen(&[one("frozen", true)]));
    assert!(!seen(&[one("decided", true)]) && !seen(&[one("frozen", false)]) && !seen(&[]));
    let other = json!({ "artefact": "artefact-b", "state_name": "draft", "frozen": [] });
    assert!(!seen(&[one("frozen", true), other]));
    assert!(!replayed_as_shown(&json!({ "artefacts": [] }), &[]).is_well);
}

#[test]
fn a_trace_is_the_tests_of_the_rule_and_the_result() {
    let lines =
        ["Rule: all of (…)", "  all of these — holds", "  1 answered — holds", "Closed by: a"];
    let proof = ProvenDecision {
        artefact: String::new(),
        title: None,
        state: String::new(),
        sentence: "The result is: carried.".to_owned(),
        lines: lines.map(str::to_owned).to_vec(),
        proof: Value::Null,
    };
    let expected = "  all of these — holds\n  1 answered — holds\nThe result is: carried.";
    assert_eq!(trace(&proof), expected);
}
