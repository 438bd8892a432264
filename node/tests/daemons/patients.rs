//! Nothing about a patient is signed, and no refusal repeats a number: commands, daemon, log.

use serde_json::Value;

use crate::{
    artefacts::{RULES, TOP, act, command, cut, heal, show, told, until_both},
    partnership::Partnership,
    process::{Node, refused},
};

const NUMBER: &str = "9434765919";

/// Commands about artefacts, @ for the number and # for its digits alone, and what the refusal names.
const ARTEFACT: &[(&[&str], &str)] = &[
    (&["open", "@"], "the kind"),
    (&["open", "decision", "--title", "@"], "title"),
    (&["open", "decision", "--board", "@"], "the board"),
    (&["open", "decision", "--audience", "@"], "the audience"),
    (&["list", "@"], "the board"),
    (&["show", "@"], "the artefact"),
    (&["show", "decision", "--at", "@"], "the entry"),
    (&["show", "decision", "--by", "@"], "the time"),
    (&["show", "decision", "--known-to", "@"], "the member"),
    (&["conflicts", "@"], "the artefact"),
    (&["events", "@"], "the kind"),
    (&["prove", "decision", "--proposal", "@"], "the proposal"),
    (&["history", "@"], "the artefact"),
    (&["retry", "@"], "the artefact"),
    (&["set", "decision", "title=@"], "title"),
    (&["set", "decision", "summary=@"], "summary"),
    (&["set", "decision", "finance/total_pence=@"], "finance/total_pence"),
    (&["set", "decision", "effective_from=@"], "effective_from"),
    (&["set", "decision", "programmes=@"], "programmes"),
    (&["set", "decision", "title=x", "--as", "@"], "the role"),
    (&["set", "decision", "@=x"], "the field"),
    (&["set", "@", "title=x"], "the artefact"),
    (&["choose", "decision", "title", "@"], "title"),
    (&["choose", "decision", "@", "x"], "the field"),
    (&["text", "decision", "summary", "--insert", "@"], "summary"),
    (&["text", "decision", "summary", "--at", "#", "--insert", "x"], "the position"),
    (&["text", "decision", "summary", "--delete", "#"], "the length"),
    (&["text", "decision", "@"], "the field"),
    (&["add", "decision", "tags", "@"], "tags"),
    (&["add", "decision", "options", "label=@"], "options/"),
    (&["add", "decision", "options", "@=x"], "the name of a value"),
    (&["add", "decision", "options", "label=x", "--after", "@"], "the item"),
    (&["remove", "decision", "@"], "the field"),
    (&["restore", "decision", "@"], "the item"),
    (&["move", "decision", "@"], "the item"),
    (&["move", "decision", "options/1", "--after", "@"], "the item"),
    (&["event", "decision", "@"], "the event"),
    (&["event", "decision", "consult", "@=x"], "the name of a value"),
    (&["event", "decision", "consult", "x=@"], "consult: x"),
    (&["event", "decision", "consult", "--as", "@"], "the role"),
    (&["remark", "decision", "@"], "the remark"),
    (&["remark", "decision", "comment", "text=@"], "comment: text"),
    (&["remark", "decision", "comment", "mentions=@"], "comment: mentions"),
    (&["widen", "decision", "@"], "the members"),
    (&["widen", "decision", "la-bolton", "--reason", "@"], "the reason"),
    (&["settle", "decision", "@", "title", "--chosen", "x"], "the code"),
    (&["settle", "decision", "C1", "@", "--chosen", "x"], "the field"),
    (&["settle", "decision", "C1", "title", "--chosen", "@"], "what was chosen"),
    (&["settle", "decision", "C1", "title", "--chosen", "x", "--reason", "@"], "the reason"),
    (&["propose", "decision", "--rule", "@"], "the rule"),
    (&["propose", "decision", "--closer", "@"], "the closer"),
    (&["propose", "decision", "--closes-on", "@"], "the day"),
    (&["sign", "decision", "--approve", "--proposal", "@"], "the proposal"),
    (&["close", "decision", "--proposal", "@"], "the proposal"),
];

/// Other commands.
const OTHERS: &[(&[&str], &str)] = &[
    (&["note", "@"], "the note"),
    (&["token", "new", "--role", "viewer", "--name", "@"], "the name"),
    (&["note", "x", "--board", "@"], "the board"),
    (&["log", "--feed", "@"], "the member"),
    (&["board", "show", "@"], "the board"),
    (&["record", "import", "@", "/dev/null"], "the collection"),
    (&["record", "export", "@"], "the collection"),
    (&["record", "list", "@"], "the collection"),
    (&["record", "list", "x", "--where", "@=1"], "the field"),
    (&["record", "list", "x", "--after", "@"], "the record"),
    (&["record", "show", "x", "@"], "the record"),
    (&["record", "delete", "x", "@", "--yes"], "the record"),
    (&["record", "promote", "x", "@", "--artefact", "y", "--yes"], "the record"),
    (&["record", "promote", "x", "y", "--artefact", "@", "--yes"], "the artefact"),
    (&["record", "promote", "x", "y", "--artefact", "z", "--field", "@"], "the field"),
    (&["record", "promote", "x", "y", "--artefact", "z", "--as", "a=@"], "the target"),
    (&["record", "promotions", "--after", "@"], "the promotion"),
];

/// Wrong usage is told by repeating what was typed.
const MISTAKEN: &[&[&str]] = &[
    &["note", "x", "@"],
    &["artefact", "set", "decision", "@"],
    &["artefact", "text", "decision", "summary", "--at", "@"],
    &["artefact", "@"],
    &["token", "new", "--role", "@", "--name", "x"],
    &["artefact", "show", "decision", "--@"],
];

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// What a command said that was refused for a patient's number, which it must not repeat.
fn refused_for_patient(node: &Node, command: &[impl AsRef<str>], code: i32) -> String {
    let command: Vec<&str> = command.iter().map(AsRef::as_ref).collect();
    let said = refused(&node.command(&command), code);
    assert!(said.contains("[patient-number]"), "{command:?}: {said}");
    assert!(!digits(&said).contains(NUMBER), "{command:?}: {said}");
    said
}

#[test]
fn no_command_repeats_a_number_and_none_is_signed() {
    let mut board = Partnership::found_with(&["la-wigan", "la-bolton"], TOP, RULES);
    board.serve(0);
    let node = &board.nodes[0];
    act(node, &["open", "decision", "--title", "Winter fund"]);
    act(node, &["set", "decision", "finance/total_pence=£94,347,659.18"]);
    let before = node.own_size();
    for number in ["943 476 5919", "943\u{2011}476\n5919"] {
        let written = |command: &[&str]| -> Vec<String> {
            command.iter().map(|word| word.replace('@', number).replace('#', NUMBER)).collect()
        };
        let all = ARTEFACT.iter().map(|(what, field)| (command(what), field));
        for (command, field) in all.chain(OTHERS.iter().map(|(one, field)| (one.to_vec(), field))) {
            let said = refused_for_patient(node, &written(&command), 1);
            assert!(said.starts_with(&format!("error: {field}")), "{command:?}: {said}");
        }
        for command in MISTAKEN {
            refused_for_patient(node, &written(command), 64);
        }
        assert_eq!((node.log_lines(NUMBER), node.log_lines(number)), (0, 0));
    }
    assert_eq!(node.own_size(), before);

    // An amount is an amount, in pence or in pounds.
    act(node, &["set", "decision", &format!("finance/total_pence={NUMBER}")]);
    act(node, &["set", "decision", "summary=£94,347,659.19 for 2017/18, ring 0161 496 0123"]);
}

#[test]
fn a_number_that_two_made_together_is_not_frozen_and_does_not_come_back() {
    let mut board = Partnership::found_with(&["la-wigan", "la-bolton"], TOP, RULES);
    board.serve_all();
    board.until_all_meet();
    act(&board.nodes[0], &["open", "decision", "--title", "Winter fund"]);
    act(&board.nodes[0], &["set", "decision", "summary=Patient - waited."]);
    act(&board.nodes[0], &["add", "decision", "recommendations", "text=Ask - first."]);
    let has_both = |shown: &Value| shown["fields"].to_string().contains("first.");
    until_both(&board, "decision", "both have it", has_both);

    cut(&board);
    let insert = |field: &'static str, at: &'static str, text: &'static str| {
        ["text", "decision", field, "--at", at, "--insert", text]
    };
    act(&board.nodes[0], &insert("summary", "8", "943 476"));
    act(&board.nodes[1], &insert("summary", "9", "5919"));
    act(&board.nodes[0], &insert("recommendations/1/text", "4", "943 476"));
    act(&board.nodes[1], &insert("recommendations/1/text", "5", "5919"));
    heal(&board);
    until_both(&board, "decision", "both hold both halves", |shown| {
        let fields = shown["fields"].to_string();
        fields.contains("Patient 943 476-5919 waited.") && fields.contains("Ask 943 476-5919 first")
    });

    let node = &board.nodes[0];
    let shown = show(node, "decision");
    let lists = shown["fields"].as_array().unwrap();
    let list = lists.iter().find(|field| field["path"] == "recommendations").unwrap();
    let item = list["items"][0]["id"].as_str().unwrap();
    let freeze = ["propose", "decision"];
    let said = refused_for_patient(node, &freeze, 1);
    assert!(said.starts_with("error: summary holds a valid NHS number"), "{said}");
    assert!(said.contains("edit that field, then freeze again"), "{said}");
    let elsewhere = ["artefact", "text", "decision", "summary", "--insert", " Twice."];
    refused_for_patient(node, &elsewhere, 1);
    act(node, &["set", "decision", "summary=Somebody waited."]);

    let said = refused_for_patient(node, &freeze, 1);
    assert!(said.contains(&format!("recommendations/{item}/text holds")), "{said}");
    act(node, &["remove", "decision", "recommendations/1"]);
    let restore = ["artefact", "restore", "decision", &format!("recommendations/{item}")];
    let said = refused_for_patient(node, &restore, 1);
    assert!(said.contains(&format!("recommendations/{item}/text holds")), "{said}");

    // What else is missing is told now.
    assert!(told(node, &["propose", "decision"]).contains("[no-effect]"));
}
