//! Acceptance scenarios 8 to 12: people who edit, decide and claim while they are apart.

use serde_json::Value;

use crate::{
    artefacts::{STRATEGY, TOP, act, cut, heal, open_conflicts, show, told},
    partnership::Partnership,
    process::{Node, until},
};

/// The two that edit, and the trusts that money is split between, which never run.
const FUND: [(&str, &str); 9] = [
    ("la-wigan", "council"),
    ("la-bolton", "council"),
    ("tr-pennine-acute", "trust"),
    ("tr-mft", "trust"),
    ("tr-stockport", "trust"),
    ("tr-salford-royal", "trust"),
    ("tr-bolton", "trust"),
    ("tr-tameside", "trust"),
    ("tr-wwl", "trust"),
];
/// Illustrative: who gets how much of three million pounds, in thousands.
const SPLIT: [(&str, u64); 7] = [
    ("tr-pennine-acute", 900),
    ("tr-mft", 600),
    ("tr-stockport", 400),
    ("tr-salford-royal", 300),
    ("tr-bolton", 300),
    ("tr-tameside", 250),
    ("tr-wwl", 250),
];
const RULES: &str = "\"joint decision\" = \"all(quorum(2), majority(council))\"\n";

fn field<'a>(shown: &'a Value, path: &str) -> Option<&'a Value> {
    shown["fields"].as_array()?.iter().find(|field| field["path"] == path)
}

fn text<'a>(shown: &'a Value, path: &str) -> Option<&'a str> {
    field(shown, path)?["text"].as_str()
}

/// Waits until these nodes show the same, and what they show is as wanted.
fn until_shown(
    nodes: &[&Node],
    artefact: &str,
    what: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let mut found = Value::Null;
    until(what, || {
        let knows =
            |node: &&Node| node.command(&["artefact", "show", artefact, "--json"]).status.success();
        if !nodes.iter().all(knows) {
            return false;
        }
        let shown: Vec<Value> = nodes.iter().map(|node| show(node, artefact)).collect();
        found = shown[0].clone();
        wanted(&found) && shown.iter().all(|one| *one == found)
    });
    found
}

fn codes(shown: &Value) -> Vec<String> {
    open_conflicts(shown).into_iter().map(|(code, _)| code).collect()
}

/// One adds a sentence and the other mends a word of the same paragraph, each with the other away: both edits
/// are in the text, the same on both, and a note names both.
#[test]
fn scenario_08_two_editors_one_paragraph() {
    let mut board = Partnership::found_with(&["la-wigan", "la-bolton"], TOP, RULES);
    board.serve_all();
    board.until_all_meet();
    let nodes: Vec<&Node> = board.nodes.iter().collect();
    let before = "Families that are refered to a clinic are told what happens next.";
    act(nodes[0], &["open", "decision", "--title", "Young people with ADHD"]);
    act(nodes[0], &["set", "decision", &format!("summary={before}")]);
    until_shown(&nodes, "decision", "both have the draft", |shown| {
        text(shown, "summary").is_some_and(|text| text.contains(before))
    });

    cut(&board);
    let held = text(&show(nodes[1], "decision"), "summary").unwrap().to_owned();
    let at = held.find("refered").unwrap() + "refer".len();
    let added = " They are told the date of the first visit.";
    act(nodes[0], &["text", "decision", "summary", "--insert", added]);
    act(nodes[1], &["text", "decision", "summary", "--at", &at.to_string(), "--insert", "r"]);
    heal(&board);

    let after = format!("{}{added}", before.replace("refered", "referred"));
    let shown = until_shown(&nodes, "decision", "both edits are in the text", |shown| {
        text(shown, "summary").is_some_and(|text| text.contains(&after)) && codes(shown) == ["C2"]
    });
    let note = shown["conflicts"].to_string();
    assert!(note.contains("la-wigan") && note.contains("la-bolton"), "{note}");
}

/// One sets a threshold to 84 days and the other to 126, each with the other away: neither wins, both are shown with
/// whose they are, nothing is frozen; the sponsor picks 84, and the record keeps 126, whose it was and who chose.
#[test]
fn scenario_09_two_numbers() {
    let mut board = Partnership::found_with(&["la-wigan", "la-bolton"], TOP, RULES);
    board.serve_all();
    board.until_all_meet();
    let nodes: Vec<&Node> = board.nodes.iter().collect();
    let decision = act(nodes[0], &["open", "decision", "--title", "Adopt the standard"]);
    let decision = format!("decision_ref={}", decision["artefact"].as_str().unwrap());
    act(nodes[0], &["open", "standard", "--title", "Young people with ADHD"]);
    act(nodes[0], &["event", "standard", "begin_drafting"]);
    act(nodes[0], &["set", "standard", "version=1.0", STRATEGY, &decision]);
    act(nodes[0], &["add", "standard", "statements", "code=ADHD-02"]);
    act(nodes[0], &["add", "standard", "statements/1/measures", "unit=days"]);
    act(nodes[0], &["event", "standard", "consult"]);
    act(nodes[0], &["event", "standard", "begin_clinical_review"]);
    // Which of the two numbers stand there.
    let threshold = |shown: &Value| {
        let fields = shown["fields"].as_array().unwrap().iter();
        let is_threshold = |field: &&Value| field["path"].as_str().unwrap().ends_with("/threshold");
        let values: String =
            fields.filter(is_threshold).map(|one| one["values"].to_string()).collect();
        ["\"84\"", "\"126\""].map(|days| values.contains(days))
    };
    until_shown(&nodes, "standard", "both have the draft", |shown| {
        shown["state_name"] == "clinical_review" && shown["fields"].to_string().contains("days")
    });

    cut(&board);
    act(nodes[0], &["set", "standard", "statements/1/measures/1/threshold=84"]);
    let other = act(nodes[1], &["set", "standard", "statements/1/measures/1/threshold=126"]);
    heal(&board);
    let shown = until_shown(&nodes, "standard", "both see both", |shown| {
        threshold(shown) == [true, true] && codes(shown) == ["C1"]
    });
    let conflict = shown["conflicts"].to_string();
    assert!(conflict.contains("la-wigan") && conflict.contains("la-bolton"), "{conflict}");
    let said = told(nodes[0], &["propose", "standard"]);
    assert!(said.contains("C1 on") && said.contains("[not-ready]"), "{said}");

    let about = open_conflicts(&shown)[0].1.clone();
    let settle =
        ["settle", "standard", "C1", &about, "--chosen", "84", "--reason", "It can be done"];
    assert!(told(nodes[1], &settle).contains("[may-not-settle]"));
    act(nodes[0], &settle);
    let shown = until_shown(&nodes, "standard", "84 alone is left", |shown| {
        threshold(shown) == [true, false] && codes(shown).is_empty()
    });
    let record = shown["settlements"].to_string();
    assert!(record.contains("84") && record.contains("la-wigan"), "{record}");
    // What the other wrote stays on record, as it knew the document when it wrote.
    let entry = other["written"][0]["id"].as_str().unwrap();
    let then = act(nodes[0], &["show", "standard", "--at", entry]);
    assert_eq!(threshold(&then), [false, true], "{then}");
}

/// An edit that was made before the freeze arrives after it: the frozen wording and the vote stand, the edit is
/// an amendment, and its author is told so.
#[test]
fn scenario_10_after_the_freeze() {
    let mut board = Partnership::found_with(&["la-wigan", "la-bolton"], TOP, RULES);
    board.serve_all();
    board.until_all_meet();
    let nodes: Vec<&Node> = board.nodes.iter().collect();
    act(nodes[0], &["open", "decision", "--title", "Winter fund"]);
    act(nodes[0], &["set", "decision", STRATEGY, "authority/basis=delegated_to_board"]);
    act(nodes[0], &["add", "decision", "options", "label=Nothing", "result=rejected"]);
    act(nodes[0], &["event", "decision", "consult"]);
    until_shown(&nodes, "decision", "both have it", |shown| shown["state_name"] == "consultation");

    cut(&board);
    act(nodes[1], &["set", "decision", "title=Another fund"]);
    let frozen = act(nodes[0], &["propose", "decision"])["frozen"]["digest"].clone();
    act(nodes[0], &["sign", "decision", "--approve"]);
    heal(&board);

    let shown = until_shown(&nodes, "decision", "the edit is an amendment", |shown| {
        shown["proposals"][0]["amendments"] == 1 && codes(shown).contains(&"C4".to_owned())
    });
    assert_eq!(shown["state_name"], "frozen");
    let told = shown["conflicts"].to_string();
    assert!(told.contains("la-bolton"), "{told}");
    act(nodes[1], &["sign", "decision", "--approve"]);
    until_shown(&nodes, "decision", "it is carried", |shown| shown["state_name"] == "decided");
    let proof = act(nodes[1], &["prove", "decision"]);
    assert_eq!(proof["proof"]["wording"]["named"], frozen);
    assert_eq!(proof["proof"]["wording"]["matches"], true);
    assert_eq!(proof["sentence"], "The result is: carried, with no answer to spare.");
}

/// Two trusts claim three of four shifts each while nobody reaches anybody: both are claims and no more. Whoever
/// offers sees it, confirms three and one, and nothing remains anywhere.
#[test]
fn scenario_11_double_claim() {
    let trusts = ["tr-bolton", "tr-pennine-acute", "tr-stockport"].map(|slug| (slug, "trust"));
    let top = "secretariat = [\"tr-bolton\"]\nclosers = [\"tr-bolton\"]\n";
    let rules = "\"joint decision\" = \"all(quorum(2), majority(trust))\"\n";
    let mut board = Partnership::found_of(&trusts, top, rules);
    board.serve_all();
    board.until_all_meet();
    let nodes: Vec<&Node> = board.nodes.iter().collect();
    let [bolton, pennine, stockport] = nodes[..] else { panic!("there are three") };
    let when = ["from=2027-12-09T20:00Z", "to=2027-12-11T08:00Z"];
    act(bolton, &["open", "mutual_aid", "--title", "Emergency nurses, nights"]);
    act(
        bolton,
        &["set", "mutual_aid", "service_line=emergency", "urgency=within_24h", "cost/basis=actual"],
    );
    act(bolton, &["add", "mutual_aid", "lines", "resource=staff", "role=Emergency nurse, nights"]);
    let quantity = ["event", "mutual_aid", "line_quantity", "line=1", "qty=4", "unit=shift"];
    act(bolton, &[&quantity[..], &when].concat());
    act(bolton, &["event", "mutual_aid", "offer", "valid_until=2027-12-08T12:00Z"]);
    let text = |node: &Node| {
        String::from_utf8(node.command(&["artefact", "show", "mutual_aid"]).stdout).unwrap()
    };
    until_shown(&nodes, "mutual_aid", "all see the offer", |_| {
        text(bolton).contains("confirmed 0, claimed 0, remaining 4")
    });

    cut(&board);
    for claimer in [pennine, stockport] {
        let claim = ["event", "mutual_aid", "claim", "offered_by=tr-bolton", "line=1", "qty=3"];
        act(claimer, &[&claim[..], &when].concat());
        assert!(text(claimer).contains("confirmed 0, claimed 3"), "{}", text(claimer));
    }
    heal(&board);
    until_shown(&nodes, "mutual_aid", "all see that it is too much", |shown| {
        codes(shown) == ["C8"] && text(bolton).contains("confirmed 0, claimed 6")
    });
    act(bolton, &["event", "mutual_aid", "confirm", "claim=tr-pennine-acute", "qty=3"]);
    let too_many = ["event", "mutual_aid", "confirm", "claim=tr-stockport", "qty=3"];
    assert!(told(bolton, &too_many).contains("only 1 is left"));
    act(bolton, &["event", "mutual_aid", "confirm", "claim=tr-stockport", "qty=1"]);
    until_shown(&nodes, "mutual_aid", "nothing remains anywhere", |_| {
        nodes
            .iter()
            .all(|node| text(node).contains("confirmed 4") && text(node).contains("remaining 0"))
    });
}

/// Amounts by their place, in thousands of pounds.
fn edits(amounts: &[(usize, u64)]) -> Vec<String> {
    let edit =
        |(place, thousands): &(usize, u64)| format!("finance/split/{place}/pence=£{thousands},000");
    amounts.iter().map(edit).collect()
}

fn fund(node: &Node, title: &str) -> String {
    let fund = act(node, &["open", "decision", "--title", title])["artefact"].clone();
    let fund = fund.as_str().unwrap().to_owned();
    let total = "finance/total_pence=£3,000,000";
    act(node, &["set", &fund, STRATEGY, "authority/basis=delegated_to_board", total]);
    act(node, &["add", &fund, "options", "label=Nothing", "result=rejected"]);
    for (slug, thousands) in SPLIT {
        let (org, pence) = (format!("org={slug}"), format!("pence=£{thousands},000"));
        act(node, &["add", &fund, "finance/split", &org, &pence]);
    }
    act(node, &["event", &fund, "consult"]);
    fund
}

/// Edits that touch no amount twice merge without a conflict of fields; where the sum breaks it is shown with the
/// difference, and nothing is frozen; where it holds there is no alert.
#[test]
fn scenario_12_sum_broken_by_clean_merges() {
    let mut board = Partnership::found_of(&FUND, TOP, RULES);
    let numbers = ["la-wigan", "la-bolton"].map(|slug| board.number_of(slug));
    numbers.into_iter().for_each(|number| board.serve(number));
    let nodes = numbers.map(|number| &board.nodes[number]);
    until("the two have met", || nodes.iter().all(|node| node.connected() == 1));
    let (clean, broken) = (fund(nodes[0], "Winter fund"), fund(nodes[0], "Winter fund again"));
    for fund in [&clean, &broken] {
        until_shown(&nodes, fund, "both have it, and it adds up", |shown| {
            shown["state_name"] == "consultation" && codes(shown).is_empty()
        });
    }

    board.proxies.iter().for_each(crate::proxy::Proxy::cut);
    until("they are apart", || nodes.iter().all(|node| node.connected() == 0));
    let set = |node: &Node, fund: &str, amounts: &[(usize, u64)]| {
        let edits = edits(amounts);
        let edits = edits.iter().map(String::as_str);
        act(node, &["set", fund].into_iter().chain(edits).collect::<Vec<_>>());
    };
    set(nodes[0], &clean, &[(1, 850), (2, 650)]);
    set(nodes[1], &clean, &[(7, 200), (3, 450)]);
    set(nodes[0], &broken, &[(1, 950), (5, 250)]);
    set(nodes[1], &broken, &[(3, 450), (5, 250)]);
    numbers.into_iter().for_each(|number| board.heal(number));

    until_shown(&nodes, &clean, "the clean one has no alert", |shown| {
        let said = shown["fields"].to_string();
        ["£850,000.00", "£450,000.00"].iter().all(|amount| said.contains(amount))
            && codes(shown).is_empty()
    });
    let shown = until_shown(&nodes, &broken, "the broken one is told", |shown| {
        open_conflicts(shown) == [("C9".to_owned(), "finance.total_pence".to_owned())]
    });
    let said = shown["conflicts"].to_string();
    assert!(said.contains("305000000") && said.contains("5000000 apart"), "{said}");
    let said = told(nodes[0], &["propose", &broken]);
    assert!(said.contains("C9") && said.contains("[not-ready]"), "{said}");
    // The clean one waits for the trusts' views, and for nothing else.
    let said = told(nodes[0], &["propose", &clean]);
    assert!(said.contains("provider_view") && !said.contains("C9"), "{said}");
}
