//! Which entries there are, who had them, who is silent, and what differs between two wordings.

use std::fs;

use serde_json::Value;

use super::{answer, audit, words};
use crate::{
    artefacts::{TOP, act},
    partnership::Partnership,
    process::until,
};

/// Two of three organisations are there, and the third never is.
fn two_of_three() -> (Partnership, String) {
    let mut board = Partnership::found_with(&["la-wigan", "la-bolton", "la-bury"], TOP, "");
    let (wigan, bolton) = (board.number_of("la-wigan"), board.number_of("la-bolton"));
    board.serve(wigan);
    board.serve(bolton);
    until("two have met", || board.nodes[wigan].connected() == 1);
    act(&board.nodes[wigan], &["open", "decision", "--title", "Winter fund"]);
    act(&board.nodes[wigan], &["set", "decision", "summary=Three million."]);
    until("the other has it", || {
        board.nodes[bolton].command(&["artefact", "show", "decision"]).status.success()
    });
    act(&board.nodes[bolton], &["set", "decision", "reasons=Full beds."]);
    board.nodes[wigan].write_notes("one note\n");
    let bundle = board.file("two.bundle");
    until("the other has acknowledged all of it", || {
        let _before = fs::remove_file(&bundle);
        board.nodes[bolton].run(&["export", "--out", &bundle]);
        let listed = answer(0, &["log", &bundle, "--feed", "la-wigan", "--kind", "note"]);
        let note = listed["entries"].as_array().unwrap().first().cloned();
        note.is_some_and(|note| {
            let knew = answer(0, &["knew", &bundle, note["id"].as_str().unwrap()]);
            knew["members"][0]["with_content"].is_object()
        })
    });
    (board, bundle)
}

#[test]
fn entries_are_listed_and_who_had_them_is_shown_by_acknowledgements() {
    let (board, bundle) = two_of_three();
    let entries = |more: &[&str]| -> Vec<Value> {
        let listed = answer(0, &[&["log", &bundle], more].concat());
        listed["entries"].as_array().unwrap().clone()
    };
    let all = entries(&[]);
    let report = board.export_and_audit(board.node_of("la-bolton"));
    let sizes = report["feeds"].as_array().unwrap().iter();
    assert!(all.len() as u64 <= sizes.map(|feed| feed["entries"].as_u64().unwrap()).sum());
    let kinds = |of: &[Value]| of.iter().map(|one| one["kind"].clone()).collect::<Vec<_>>();
    let wigan = entries(&["--feed", "la-wigan", "--artefact", "decision"]);
    assert_eq!(kinds(&wigan), ["open", "change", "change"]);
    let reply = &entries(&["--feed", "la-bolton", "--kind", "change"])[0];
    assert!(wigan.iter().any(|one| reply["refs"][0] == one["id"]), "{reply}");
    assert_eq!(entries(&["--format", "json", "--kind", "change"])[..2], wigan[1..]);
    let ms = wigan[1]["time_ms"].as_i64().unwrap();
    let time = jiff::Timestamp::from_millisecond(ms).unwrap().to_string();
    assert!(entries(&["--from", &time]).iter().all(|one| one["time_ms"].as_i64() >= Some(ms)));
    assert!(entries(&["--until", &time]).iter().any(|one| one["id"] == wigan[1]["id"]));
    let day = &time[..10];
    assert_eq!(entries(&["--from", day, "--until", day]), all);
    assert_eq!(entries(&["--until", "2017-12-01"]), [""; 0]);

    let csv = words(0, &["log", &bundle, "--feed", "la-bolton", "--format", "csv"]);
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let columns = rows.headers().unwrap().clone();
    let of = |row: &csv::StringRecord, name: &str| {
        row[columns.iter().position(|column| column == name).unwrap()].to_owned()
    };
    let rows: Vec<_> = rows.records().map(Result::unwrap).collect();
    let row = rows.iter().find(|row| reply["id"] == of(row, "id")).unwrap();
    assert_eq!((of(row, "feed"), of(row, "kind")), ("la-bolton".into(), "change".into()));
    assert_eq!(reply["refs"][0], of(row, "refs"));

    let note = &entries(&["--kind", "note"])[0];
    let id = note["id"].as_str().unwrap();
    let knew = answer(0, &["knew", &bundle, id]);
    let [bolton, bury] = &knew["members"].as_array().unwrap()[..] else { panic!("{knew}") };
    assert_eq!((&bolton["slug"], &bury["slug"]), (&"la-bolton".into(), &"la-bury".into()));
    assert_eq!(bury["with_content"], Value::Null);
    let ack = &entries(&["--feed", "la-bolton", "--kind", "ack"])
        .into_iter()
        .find(|one| one["id"] == bolton["with_content"]["id"])
        .unwrap();
    assert_eq!(ack["time_ms"], bolton["with_content"]["time_ms"]);
    assert_eq!(knew["by_majority_ms"], Value::Null, "one of two is no majority");
    // By the beginning of its id, in words.
    let told = words(0, &["knew", &bundle, &id["entry-".len()..30]]);
    assert!(told.contains("la-bolton: had it by "), "{told}");
    assert!(told.contains("la-bury: never acknowledged it, as far as this file goes"), "{told}");
    check_silence(&bundle);
    check_diff(&bundle, &wigan);
    for (code, wrong) in [
        (64, vec!["diff", &bundle, "decision", "--from", "yesterday"]),
        (2, vec!["diff", &bundle, "decision", "--from", "entry-2222"]),
        (2, vec!["knew", &bundle, "entry-2222"]),
        (2, vec!["log", &bundle, "--feed", "la-oldham"]),
        (2, vec!["log", &bundle, "--kind", "poem"]),
        (2, vec!["log", &board.file("board.toml")]),
        (64, vec!["log", &bundle, "--from", "yesterday"]),
        (64, vec!["log", &bundle, "--format", "csv", "--json"]),
        (64, vec!["log", &bundle, "--format", "pdf"]),
    ] {
        assert_eq!(audit(&wrong).status.code(), Some(code), "{wrong:?}");
    }
}

/// Who never wrote stands first, and all ages are counted from the newest entry of the file.
fn check_silence(bundle: &str) {
    let silent = answer(0, &["silence", bundle]);
    let members = silent["members"].as_array().unwrap();
    assert_eq!((&members[0]["slug"], &members[0]["wrote"]), (&"la-bury".into(), &Value::Null));
    let newest = silent["newest"]["time_ms"].as_u64().unwrap();
    for member in &members[1..] {
        assert!(member["wrote"].is_object(), "{silent}");
        let both = [&member["wrote"], &member["acknowledged"]];
        for last in both.into_iter().filter(|last| last.is_object()) {
            let age = (newest - last["entry"]["time_ms"].as_u64().unwrap()) / 1_000;
            assert_eq!(last["seconds_before_newest"], age);
            assert_eq!(last["entry"]["slug"], member["slug"]);
        }
    }
    let told = words(0, &["silence", bundle]);
    assert!(
        told.contains("la-bury (active): has written nothing; has acknowledged nothing"),
        "{told}"
    );
}

/// The entries are the opening and two changes: the title, then the summary.
fn check_diff(bundle: &str, wigan: &[Value]) {
    let [_, title, summary] = [0, 1, 2].map(|at| wigan[at]["id"].as_str().unwrap());
    let fields = |more: &[&str]| -> Vec<Value> {
        let differing = answer(0, &[&["diff", bundle, "decision"], more].concat());
        let fields = differing["fields"].as_array().unwrap().iter();
        fields.map(|one| serde_json::json!([one["path"], one["was"], one["is"]])).collect()
    };
    let (was, is) = (["--from", title], ["--to", summary]);
    let written = serde_json::json!(["summary", null, "Three million."]);
    assert_eq!(fields(&[was, is].concat()), std::slice::from_ref(&written));
    assert_eq!(fields(&is), [serde_json::json!(["title", null, "Winter fund"]), written]);
    assert_eq!(fields(&["--to", "2017-12-01"]), [""; 0]);
    assert_eq!(fields(&["--from", summary, "--to", summary]), [""; 0]);
    let gone = words(0, &["diff", bundle, "decision", "--from", summary, "--to", title]);
    assert!(gone.contains("  summary\n    was: Three million.\n    is empty\n"), "{gone}");
    let now = fields(&["--from", summary]);
    assert_eq!(now, [serde_json::json!(["reasons", null, "Full beds."])]);
}
