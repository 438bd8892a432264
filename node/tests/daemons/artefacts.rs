//! Artefacts between two daemons: edited apart, in conflict, settled, decided and proven.

use serde_json::Value;

use crate::{
    partnership::Partnership,
    process::{Node, refused, until},
};

pub(crate) const TOP: &str = "secretariat = [\"la-wigan\"]\nclosers = [\"la-wigan\"]\n";
pub(crate) const RULES: &str = "\"joint decision\" = \"all(quorum(2), majority(council))\"\n";
pub(crate) const STRATEGY: &str =
    "engagement_ref=artefact-engagementengagementengagementengagementengagementaa";

pub(crate) fn show(node: &Node, artefact: &str) -> Value {
    node.json(&["artefact", "show", artefact])
}

fn knows(node: &Node, artefact: &str) -> bool {
    node.command(&["artefact", "show", artefact, "--json"]).status.success()
}

/// What is done about artefacts, as it is typed: much of it stands below `artefact`.
pub(crate) fn command<'a>(what: &[&'a str]) -> Vec<&'a str> {
    let stands_alone = ["event", "conflicts", "propose", "sign"].contains(&what[0]);
    if stands_alone { what.to_vec() } else { [&["artefact"], what].concat() }
}

pub(crate) fn act(node: &Node, what: &[&str]) -> Value {
    node.json(&command(what))
}

pub(crate) fn told(node: &Node, what: &[&str]) -> String {
    refused(&node.command(&command(what)), 1)
}

/// Waits until both show the same, and what they show is as wanted.
pub(crate) fn until_both(
    board: &Partnership,
    artefact: &str,
    what: &str,
    wanted: impl Fn(&Value) -> bool,
) {
    until(what, || {
        let [one, other] = &board.nodes[..] else { panic!("there are two") };
        knows(one, artefact) && knows(other, artefact) && {
            let shown = show(one, artefact);
            wanted(&shown) && shown == show(other, artefact)
        }
    });
}

pub(crate) fn cut(board: &Partnership) {
    board.proxies.iter().for_each(crate::proxy::Proxy::cut);
    until("they are apart", || board.nodes.iter().all(|node| node.connected() == 0));
}

pub(crate) fn heal(board: &Partnership) {
    (0..board.nodes.len()).for_each(|number| board.heal(number));
    board.until_all_meet();
}

pub(crate) fn open_conflicts(shown: &Value) -> Vec<(String, String)> {
    let conflicts = shown["conflicts"].as_array().unwrap().iter();
    let open = conflicts.filter(|one| one["settled_in"].is_null());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    open.map(|one| (text(&one["code"]), text(&one["about"]))).collect()
}

#[test]
fn a_decision_is_edited_apart_settled_frozen_signed_and_proven() {
    let mut board = Partnership::found_with(&["la-wigan", "la-bolton"], TOP, RULES);
    board.serve_all();
    board.until_all_meet();
    act(&board.nodes[0], &["open", "decision", "--title", "Winter fund"]);
    act(&board.nodes[0], &["set", "decision", STRATEGY, "authority/basis=delegated_to_board"]);
    act(&board.nodes[0], &["add", "decision", "options", "label=Nothing", "result=rejected"]);
    act(&board.nodes[0], &["event", "decision", "consult"]);
    until_both(&board, "decision", "both have it", |shown| shown["state_name"] == "consultation");

    // Apart, both edit, each with its partner away.
    cut(&board);
    act(&board.nodes[0], &["set", "decision", "title=Winter fund 2017", "summary=From Wigan."]);
    act(&board.nodes[1], &["set", "decision", "title=Winter fund 2018", "reasons=From Bolton."]);
    act(&board.nodes[1], &["set", "decision", "finance/total_pence=£1,000"]);
    heal(&board);
    let expected = [("C1", "title"), ("C9", "finance.total_pence")];
    let expected = expected.map(|(code, about)| (code.to_owned(), about.to_owned()));
    until_both(&board, "decision", "both see both", |shown| open_conflicts(shown) == expected);

    // Nothing in conflict is frozen; who began it chooses.
    let said = told(&board.nodes[0], &["propose", "decision"]);
    assert!(said.contains("C1 on title") && said.contains("[not-ready]"), "{said}");
    let choose = ["settle", "decision", "C1", "title", "--chosen", "Winter fund 2018"];
    assert!(told(&board.nodes[1], &choose).contains("[may-not-settle]"));
    act(&board.nodes[0], &choose);
    act(&board.nodes[0], &["add", "decision", "finance/split", "org=la-bolton", "pence=100000"]);
    let frozen = act(&board.nodes[0], &["propose", "decision"]);
    assert_eq!(frozen["frozen"]["wording"]["fields"]["title"], "Winter fund 2018");
    until_both(&board, "decision", "it is frozen", |shown| shown["state_name"] == "frozen");

    // A late edit does not touch what is signed.
    act(&board.nodes[1], &["set", "decision", "title=Another fund"]);
    for node in &board.nodes {
        act(node, &["sign", "decision", "--approve"]);
    }
    until_both(&board, "decision", "it is carried", |shown| {
        shown["state_name"] == "decided" && shown["proposals"][0]["amendments"] == 1
    });
    let prove = |node: &Node| act(node, &["prove", "decision"]);
    until("both prove the same", || prove(&board.nodes[0]) == prove(&board.nodes[1]));
    let proof = prove(&board.nodes[1]);
    assert_eq!(proof["sentence"], "The result is: carried, with no answer to spare.");
    assert_eq!(proof["proof"]["wording"]["matches"], true);
    assert_eq!(proof["proof"]["wording"]["named"], frozen["frozen"]["digest"]);
}

#[test]
fn who_is_outside_the_audience_is_let_in_when_it_is_named() {
    let mut board = Partnership::found_with(&["la-wigan", "la-bolton"], TOP, RULES);
    board.serve_all();
    board.until_all_meet();
    let open = ["open", "decision", "--title", "Closing a ward", "--audience", "la-wigan"];
    act(&board.nodes[0], &open);
    let withheld = |shown: &Value| shown["fields"].as_array().is_some_and(Vec::is_empty);
    until("the other knows that it exists", || knows(&board.nodes[1], "decision"));
    let shown = show(&board.nodes[1], "decision");
    assert!(withheld(&shown) && shown["title"].is_null(), "{shown}");
    let said = told(&board.nodes[1], &["set", "decision", "title=Mine"]);
    assert!(said.contains("audience"), "{said}");

    let remark = ["remark", "decision", "comment", "text=La-Bolton was late with its figures."];
    let said = told(&board.nodes[0], &remark);
    assert!(said.contains("names la-bolton") && said.contains("[names-outsiders]"), "{said}");
    let done = act(&board.nodes[0], &[&remark[..], &["--widen"]].concat());
    assert_eq!(done["let_in"], serde_json::json!(["la-bolton"]));
    until_both(&board, "decision", "both read it", |shown| {
        shown["title"] == "Closing a ward" && shown["remarks"].as_array().unwrap().len() == 1
    });
}

/// Told page by page, and as a person would: by the beginnings of ids.
#[test]
fn artefacts_are_listed_a_page_at_a_time_the_newest_first() {
    let board = Partnership::found_with(&["la-wigan", "la-bolton"], TOP, RULES);
    let titles = ["One", "Two", "Three"];
    titles
        .iter()
        .for_each(|title| drop(act(&board.nodes[0], &["open", "decision", "--title", title])));
    let page = |what: &[&str]| {
        let list = act(&board.nodes[0], &[&["list"], what].concat());
        let of = |one: &Value| (one["title"].clone(), one["artefact"].as_str().unwrap().to_owned());
        let lines: Vec<_> = list["artefacts"].as_array().unwrap().iter().map(of).collect();
        (lines, list["more"].as_u64().unwrap())
    };
    let titles = |lines: &[(Value, String)]| -> Vec<Value> {
        lines.iter().map(|(title, _)| title.clone()).collect()
    };
    let (all, more) = page(&[]);
    assert_eq!((titles(&all), more), (vec!["Three".into(), "Two".into(), "One".into()], 0));
    let (first, more) = page(&["--limit", "2"]);
    assert_eq!((&first[..], more), (&all[..2], 1));
    let (_, last) = &first[1];
    let (rest, more) = page(&["--limit", "2", "--after", &last[..20]]);
    assert_eq!((&rest[..], more), (&all[2..], 0));
    let said = board.nodes[0].run(&["artefact", "list", "--limit", "2"]);
    assert!(said.ends_with(&format!("1 more; go on with --after {last}\n")), "{said}");
    assert!(told(&board.nodes[0], &["list", "--after", "zzz"]).contains("[unknown-artefact]"));
}

/// A note that a document is being opened, left behind by a process that died over it.
#[test]
fn a_document_that_ended_the_node_is_suspended_until_somebody_tries_again() {
    let mut board = Partnership::found_with(&["la-wigan", "la-bolton"], TOP, RULES);
    let opened = act(&board.nodes[0], &["open", "standard", "--title", "Dementia"]);
    let artefact = opened["artefact"].as_str().unwrap().to_owned();
    assert_eq!(show(&board.nodes[0], "standard")["suspended"], Value::Null);
    let documents = board.nodes[0].home().join("documents");
    assert_eq!(std::fs::read_dir(&documents).unwrap().count(), 0);
    std::fs::write(documents.join(format!("{artefact}.opening")), "").unwrap();
    board.serve(0);

    let shown = show(&board.nodes[0], "standard");
    assert_eq!(shown["suspended"], "the node ended while it opened the document");
    assert_eq!((&shown["state_name"], &shown["title"]), (&"proposed".into(), &Value::Null));
    let said = told(&board.nodes[0], &["set", "standard", "title=Other"]);
    assert!(said.contains("[suspended]"), "{said}");

    // Again after another start: this version of the program has not got better.
    board.nodes[0].stop();
    board.serve(0);
    assert!(show(&board.nodes[0], "standard")["suspended"].is_string());
    board.nodes[0].run(&["artefact", "retry", "standard"]);
    assert_eq!(show(&board.nodes[0], "standard")["title"], "Dementia");
}
