//! Acceptance scenarios of the domain, by number: each is what an organisation would see.

use serde_json::Value;

use crate::{
    artefacts::{STRATEGY, act, show},
    partnership::Partnership,
    process::until,
};

/// The ten nodes of the demonstration: councils, commissioning groups, trusts, the partnership office
/// and the regulator's office.
const TEN: [(&str, &str); 10] = [
    ("la-wigan", "council"),
    ("la-bury", "council"),
    ("ccg-trafford", "ccg"),
    ("ccg-bury", "ccg"),
    ("tr-pennine-acute", "trust"),
    ("tr-bolton", "trust"),
    ("tr-stockport", "trust"),
    ("tr-mft", "trust"),
    ("nhsi-gm", "regulator"),
    ("gmhscp", "partnership_office"),
];

/// With the partnership office's node off all day the others create, share, vote and bring into force; it
/// is counted as absent, and catches up unaided.
#[test]
fn scenario_07_one_node_gone() {
    let top = "secretariat = [\"la-wigan\"]\nclosers = [\"ccg-bury\"]\n";
    let rules = "\"joint decision\" = \"all(quorum(7), majority(council), majority(ccg), majority(trust))\"\n";
    let mut board = Partnership::found_of(&TEN, top, rules);
    let office = board.number_of("gmhscp");
    for number in (0..TEN.len()).filter(|number| *number != office) {
        board.serve(number);
    }
    let present: Vec<&str> =
        TEN.iter().map(|(slug, _)| *slug).filter(|slug| *slug != "gmhscp").collect();
    let nodes = || present.iter().map(|slug| board.node_of(slug));
    until("nine have met", || nodes().all(|node| node.connected() == 8));
    let seen = |what: &str, wanted: &dyn Fn(&Value) -> bool| {
        until(what, || {
            nodes().all(|node| {
                let shown = node.command(&["artefact", "show", "decision", "--json"]);
                serde_json::from_slice(&shown.stdout).is_ok_and(|shown| wanted(&shown))
            })
        });
    };

    let wigan = board.node_of("la-wigan");
    act(wigan, &["open", "decision", "--title", "Winter fund"]);
    act(wigan, &["set", "decision", STRATEGY, "authority/basis=delegated_to_board"]);
    act(wigan, &["add", "decision", "options", "label=Nothing", "result=rejected"]);
    act(wigan, &["event", "decision", "consult"]);
    seen("nine have it", &|shown| shown["state_name"] == "consultation");
    act(board.node_of("tr-mft"), &["set", "decision", "reasons=From a trust."]);
    seen("nine have what a trust wrote", &|shown| {
        shown["fields"].to_string().contains("From a trust.")
    });
    for (slug, _) in TEN.iter().filter(|(_, class)| *class == "trust") {
        act(board.node_of(slug), &["event", "decision", "provider_view", "view=support"]);
    }
    seen("four trusts have said so", &|shown| {
        shown["rows"].as_array().is_some_and(|rows| rows.len() == 4)
    });
    act(wigan, &["propose", "decision"]);
    seen("nine are to vote", &|shown| shown["state_name"] == "frozen");
    for node in nodes() {
        act(node, &["sign", "decision", "--approve"]);
    }
    // No answer of the office could change it: nobody has to wait for the closing.
    seen("it is carried", &|shown| shown["state_name"] == "decided");
    act(board.node_of("ccg-bury"), &["close", "decision"]);
    act(wigan, &["event", "decision", "bring_into_force", "effective_from=2017-12-11"]);
    seen("it is in force", &|shown| shown["state_name"] == "in_force");
    until("the office is counted as absent", || {
        let proof = act(wigan, &["prove", "decision"]).to_string();
        proof.contains("gmhscp (partnership_office): absent")
    });
    let agreed = show(wigan, "decision");

    board.serve(office);
    let office = board.node_of("gmhscp");
    until("the office has caught up", || {
        office.command(&["artefact", "show", "decision", "--json"]).status.success()
            && show(office, "decision") == agreed
    });
}
