//! Private records of a running node: by the API, and by an import that is interrupted.

use std::fs;

use serde_json::{Value, json};

use crate::{
    artefacts::{RULES, TOP, act, show},
    http::Client,
    partnership::Partnership,
    process::{Node, refused, until},
};

const HEADING: &str = "Line,Posted on,Scheme,Supplier,Amount (£),Status,Note\n";

/// Two members, the first with a ledger and the API.
fn two() -> Partnership {
    let mut board = Partnership::found_with(&["la-wigan", "la-bolton"], TOP, RULES);
    let node = &board.nodes[0];
    node.keep_ledger();
    node.configure("http = \"127.0.0.1:0\"\n");
    board.serve(0);
    board
}

fn rows(from: usize, to: usize) -> String {
    (from..to).map(|line| format!("L{line},2017-11-30,Winter beds,,{line}.00,paid,\n")).collect()
}

fn count(node: &Node) -> u64 {
    node.json(&["record", "collections"])[0]["records"].as_u64().unwrap()
}

#[test]
fn what_was_shown_by_the_api_is_what_leaves_by_it() {
    let board = two();
    let node = &board.nodes[0];
    let client = Client::of(node).with_role(node, "editor");
    let row = json!({
        "line": "L1", "posted_on": "2017-11-30", "scheme": "Winter beds", "amount": "1200.50",
        "status": "paid",
    });
    let put = |row: &Value, replace: bool| {
        client.post("/api/v1/records/ledger", &json!({ "rows": [row], "replace": replace }))
    };
    assert_eq!(put(&row, false).done(201)["added"], 1);
    let mut patient = row.clone();
    patient["note"] = json!("943 476 5919");
    assert_eq!(put(&patient, true).problem(422), "patient-number");
    assert_eq!(client.get("/api/v1/records/nowhere").problem(404), "unknown-collection");
    let listed = client.get("/api/v1/records/ledger?where=amount%3E%3D1000.00").done(200);
    assert_eq!(listed["records"][0]["record"], "L1");

    act(node, &["open", "decision", "--title", "Winter fund"]);
    let path = "/api/v1/records/ledger/L1";
    let target = "targets=amount%3Dfinance/total_pence";
    let shown = client.get(&format!("{path}/leaving?artefact=decision&fields=amount&{target}"));
    let shown = shown.done(200);
    assert_eq!(shown["holders"], json!(["la-bolton", "la-wigan"]));
    assert_eq!(shown["values"][0]["value"], "120050");
    let promotion = json!({
        "artefact": "decision", "fields": ["amount"], "targets": [["amount", "finance/total_pence"]],
        "seal": shown["seal"],
    });
    let mut other = promotion.clone();
    other["seal"] = json!("0");
    let promote = |body: &Value| client.post(&format!("{path}/promotions"), body);
    assert_eq!(promote(&other).problem(409), "changed-meanwhile");
    other = promotion.clone();
    other["fields"] = json!(["status"]);
    other["targets"] = json!([]);
    assert_eq!(promote(&other).problem(403), "not-allowed");

    let promoted = promote(&promotion).done(201);

    assert!(promoted["by"].as_str().unwrap().starts_with("token "), "{promoted}");
    assert_eq!(client.get("/api/v1/promotions").done(200)["promotions"], json!([promoted]));
    assert!(show(node, "decision")["fields"].to_string().contains("120050"));
    let deletion = json!({ "records": ["L1"] });
    assert_eq!(client.post("/api/v1/records/ledger/deletions", &deletion).done(201), json!(["L1"]));
    assert_eq!(client.get(path).problem(404), "unknown-record");
}

#[test]
fn an_import_that_is_interrupted_is_run_again_without_doubles() {
    let mut board = two();
    let file = board.file("rows.csv");
    fs::write(&file, format!("{HEADING}{}", rows(0, 30_000))).unwrap();
    let import = board.nodes[0].start(&["record", "import", "ledger", &file, "--json"]);
    until("some rows are kept", || count(&board.nodes[0]) > 0);
    board.nodes[0].kill();
    let _ended = import.wait_with_output().unwrap();
    board.serve(0);
    let before = count(&board.nodes[0]);
    // Whole batches are kept, or nothing of them.
    assert!(before > 0 && before.is_multiple_of(10_000), "{before}");

    let again = board.nodes[0].json(&["record", "import", "ledger", &file]);

    assert_eq!((&again["same"], &again["added"]), (&json!(before), &json!(30_000 - before)));
    assert_eq!(count(&board.nodes[0]), 30_000);
    let out = board.file("out.csv");
    board.nodes[0].run(&["record", "export", "ledger", "--out", &out]);
    assert_eq!(board.nodes[0].json(&["record", "import", "ledger", &out])["same"], 30_000);
    let told = refused(&board.nodes[0].command(&["record", "delete", "ledger", "L1"]), 1);
    assert!(told.contains("[not-confirmed]"), "{told}");
}
