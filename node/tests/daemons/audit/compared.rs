//! Whether two files of one board agree, and who signed two histories.

use std::fs;

use serde_json::Value;

use super::{answer, audit, words};
use crate::{
    artefacts::act,
    notes,
    partnership::Partnership,
    process::{done, program, until},
};

/// Two bundles of one organisation that wrote after its node was copied, each with another entry at one place.
fn two_histories(board: &Partnership, slug: &str) -> [String; 2] {
    let (node, twin) = (board.node_of(slug), board.path().join("twin"));
    crate::copy(node.home(), &twin);
    [(node.home(), "We pay."), (&twin, "We do not pay.")].map(|(home, text)| {
        let bundle = board.file(&format!("{}.bundle", text.len()));
        for args in [["note", text].to_vec(), ["export", "--out", &bundle].to_vec()] {
            let mut command = program();
            done(command.arg("--home").arg(home).args(&args).output().unwrap(), &args);
        }
        bundle
    })
}

/// After a week with partitions two organisations' files are laid side by side: what both may see is the same,
/// what differs has a reason, and who shows different histories to different people is named.
#[test]
fn scenario_19_two_nodes_compared() {
    let members = [("la-bury", "council"), ("la-wigan", "council"), ("nhsi-gm", "regulator")];
    let mut board = Partnership::found_of(&members, "", "");
    board.serve_all();
    board.until_all_meet();
    let file = |board: &Partnership, slug: &str, name: &str| {
        let bundle = board.file(&format!("{name}.bundle"));
        let _before = fs::remove_file(&bundle);
        board.node_of(slug).run(&["export", "--out", &bundle]);
        bundle
    };
    let open = |slug: &str, more: &[&str]| {
        let node = board.node_of(slug);
        let opened = act(node, &[&["open", "decision", "--title"], more].concat());
        opened["artefact"].as_str().unwrap().to_owned()
    };
    let fund = open("la-wigan", &["Winter fund"]);
    let ward = open("la-wigan", &["Closing a ward", "--audience", "la-bury"]);
    let knows = |slug: &str, artefact: &str| {
        board.node_of(slug).command(&["artefact", "show", artefact]).status.success()
    };
    until("all know both", || {
        ["la-bury", "nhsi-gm"].iter().all(|slug| knows(slug, &fund) && knows(slug, &ward))
    });
    crate::artefacts::cut(&board);
    act(board.node_of("la-bury"), &["set", &ward, "summary=From Bury."]);
    act(board.node_of("nhsi-gm"), &["set", &fund, "summary=From the regulator."]);
    let (bury, nhsi) = (file(&board, "la-bury", "bury"), file(&board, "nhsi-gm", "nhsi"));

    // Apart, each has what the other has not got yet.
    let compared = answer(0, &["compare", &bury, &nhsi]);
    let only = |compared: &Value, slug: &str| -> Vec<(String, String)> {
        let feeds = compared["feeds"].as_array().unwrap().iter();
        let only = feeds
            .filter(|feed| feed["slug"] == slug)
            .flat_map(|feed| feed["only"].as_array().unwrap());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        only.map(|one| (text(&one["file"]), text(&one["why"]))).collect()
    };
    let not_yet = |file: &str| [(file.to_owned(), "not yet synced".to_owned())];
    assert_eq!(only(&compared, "la-bury"), not_yet("first"));
    assert_eq!(only(&compared, "nhsi-gm"), not_yet("second"));

    // Together again, both have the same entries; what the audience alone has is told apart.
    crate::artefacts::heal(&board);
    let mut compared = Value::Null;
    until("both have the same entries", || {
        let (bury, nhsi) = (file(&board, "la-bury", "bury"), file(&board, "nhsi-gm", "nhsi"));
        compared = answer(0, &["compare", &bury, &nhsi]);
        let feeds = compared["feeds"].as_array().unwrap();
        feeds.iter().all(|feed| feed["only"].as_array().unwrap().is_empty())
    });
    assert_eq!(compared["findings"], Value::Array(vec![]));
    assert_eq!(compared["first"]["feeds"], compared["second"]["feeds"]);
    let contents = compared["contents"].as_array().unwrap();
    assert!(!contents.is_empty());
    for content in contents {
        assert_eq!(
            (&content["file"], &content["entry"]["artefact"]),
            (&"first".into(), &ward.as_str().into())
        );
        assert_eq!(content["why"], "it is for its audience alone: la-bury, la-wigan");
    }
    let of = |artefact: &str| {
        let artefacts = compared["artefacts"].as_array().unwrap().iter();
        artefacts.clone().find(|one| one["artefact"] == artefact).unwrap().clone()
    };
    assert_eq!(of(&fund)["differ"], 0);
    assert_eq!(of(&ward)["differ"], contents.len());

    // What cannot be compared is no agreement.
    let stranger = Partnership::found(&["la-wigan", "la-bury"]);
    let elsewhere = file(&stranger, "la-wigan", "elsewhere");
    assert_eq!(audit(&["compare", &bury, &elsewhere]).status.code(), Some(2));
    assert_eq!(audit(&["compare", &bury]).status.code(), Some(64));
}

/// One organisation signs two histories, and shows each to another. Both files are clean; laid side by side they
/// name it, and so does the file of whoever has seen both.
#[test]
fn scenario_19_who_signs_two_histories_is_named() {
    let mut board = Partnership::found(&["la-wigan", "la-bury"]);
    let [shown, hidden] = two_histories(&board, "la-wigan");
    for bundle in [&shown, &hidden] {
        assert_eq!(answer(0, &["verify", bundle])["exit_code"], 0);
    }
    let compared = answer(1, &["compare", &shown, &hidden]);
    let forked =
        compared["feeds"].as_array().unwrap().iter().find(|feed| feed["slug"] == "la-wigan");
    let at = forked.unwrap()["forked_at"].as_u64().unwrap();
    let found = compared["findings"][0].as_str().unwrap();
    let named = format!("la-wigan signed two histories that part at entry {at}, entry-");
    assert!(found.starts_with(&named) && found.ends_with("both together prove it"), "{found}");
    let told = words(1, &["compare", &hidden, &shown]);
    assert!(told.contains(&format!("FINDING: {named}")), "{told}");
    assert!(told.contains("has 1 entry") && told.contains(": forked branch"), "{told}");
    assert!(!told.contains("not yet synced"), "{told}");

    board.serve_all();
    let (wigan, bury) = (board.number_of("la-wigan"), board.number_of("la-bury"));
    until("one history has come", || notes(&board.nodes[bury], "la-wigan") == ["We pay."]);
    board.nodes[wigan].stop();
    let home = board.nodes[wigan].home().to_path_buf();
    fs::rename(&home, board.path().join("put-aside")).unwrap();
    fs::rename(board.path().join("twin"), &home).unwrap();
    board.serve(wigan);
    let seen = board.file("seen.bundle");
    let mut forked = Value::Null;
    until("the other has come too", || {
        let _before = fs::remove_file(&seen);
        board.nodes[bury].run(&["export", "--out", &seen]);
        let output = audit(&["forks", &seen, "--json"]);
        forked = serde_json::from_slice(&output.stdout).unwrap();
        output.status.code() == Some(1)
    });
    let feed = &forked["feeds"][0];
    assert_eq!((&feed["slug"], &feed["at"]), (&"la-wigan".into(), &at.into()));
    let proof = feed["findings"][0].as_str().unwrap();
    assert!(
        proof.starts_with(&format!("la-wigan signed two histories that part at entry {at}; ")),
        "{proof}"
    );
    let histories = feed["histories"].as_array().unwrap();
    assert!(
        !histories.is_empty() && histories.iter().all(|one| one["first"]["seq"] == at),
        "{feed}"
    );
    let told = words(1, &["forks", &seen]);
    assert!(
        told.contains(&format!("FINDING: la-wigan has two histories from entry {at} on")),
        "{told}"
    );
    assert_eq!(answer(0, &["forks", &shown])["feeds"], Value::Array(vec![]));
}
