//! What an auditor is told of a bundle, with no node, no network and no key.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

use crate::{
    artefacts::{STRATEGY, TOP, act},
    notes,
    partnership::Partnership,
    process::{done, program, until},
};

/// Runs `audit` in an empty directory, without a home.
pub(crate) fn audit(args: &[&str]) -> Output {
    let empty = tempfile::tempdir().unwrap();
    let mut auditor = program();
    auditor.current_dir(empty.path()).arg("audit").args(args).output().unwrap()
}

/// The same for its JSON; ends with this exit code.
pub(crate) fn answer(code: i32, args: &[&str]) -> Value {
    let output = audit(&[args, &["--json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["exit_code"], code, "{args:?}: {answer}");
    answer
}

/// In words.
fn words(code: i32, args: &[&str]) -> String {
    let output = audit(args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Waits until all show the artefact in this state.
fn until_all(board: &Partnership, state: &str) {
    until(state, || {
        board.nodes.iter().all(|node| {
            let shown = node.command(&["artefact", "show", "decision", "--json"]);
            serde_json::from_slice::<Value>(&shown.stdout)
                .is_ok_and(|shown| shown["state_name"] == state && shown["is_settled"] == true)
        })
    });
}

/// A decision of four organisations that is not carried: 2 for, 1 against, 1 abstained, which is 66.7 % under
/// 75 %, as 12 to 6 with 3 abstentions is on a board of 21.
pub(crate) fn not_carried(title: &str) -> Partnership {
    let slugs = ["la-wigan", "la-bolton", "la-bury", "la-oldham"];
    let rule = "\"joint decision\" = \"all(quorum(3), share(75/100 of cast))\"\n";
    let mut board = Partnership::found_with(&slugs, TOP, rule);
    board.serve_all();
    board.until_all_meet();
    let wigan = board.node_of("la-wigan");
    act(wigan, &["open", "decision", "--title", title]);
    act(wigan, &["set", "decision", STRATEGY, "authority/basis=delegated_to_board"]);
    act(wigan, &["add", "decision", "options", "label=One hub", "result=preferred"]);
    let two = ["add", "decision", "options", "label=Two hubs", "result=rejected"];
    act(wigan, &[&two[..], &["why=Each would be too small & costly."]].concat());
    let interest = ["role=Chair", "kind=financial", "nature=Owns a \"hub\"", "action=no_vote"];
    act(wigan, &[&["event", "decision", "declare_interest"], &interest[..]].concat());
    act(wigan, &["event", "decision", "consult"]);
    until_all(&board, "consultation");
    act(wigan, &["propose", "decision"]);
    until_all(&board, "frozen");
    for (slug, answer) in slugs.iter().zip(["--approve", "--approve", "--reject", "--abstain"]) {
        act(board.node_of(slug), &["sign", "decision", answer]);
    }
    until_all(&board, "not_carried");
    // The last answer could not change the result; it counts once it is settled.
    until("every answer counts everywhere", || {
        board.nodes.iter().all(|node| {
            let proof = act(node, &["prove", "decision"]);
            let seats = proof["proof"]["seats"].as_array().unwrap().iter();
            seats.filter(|seat| seat["signed"].is_object()).count() == slugs.len()
        })
    });
    board
}

/// Who decided what: quorum, every vote with its capacity, the arithmetic of the rule, interests, options and
/// why they were rejected, in words, as JSON and as one page.
#[test]
fn scenario_18_who_decided() {
    let title = "Single vascular <script>hub</script>";
    let board = not_carried(title);
    let bundle = board.file("hub.bundle");
    board.nodes[2].run(&["export", "--out", &bundle]);
    let page = board.file("hub.html");

    let prov = board.file("hub.prov.json");
    let proven = answer(0, &["prove", &bundle, "decision", "--html", &page, "--prov", &prov]);
    check_prov(&serde_json::from_slice(&fs::read(&prov).unwrap()).unwrap());
    let proof = &proven["decision"]["proof"];
    assert_eq!(proof["result"], "failed");
    assert_eq!(
        (&proof["wording"]["matches"], &proven["findings"]),
        (&true.into(), &Value::Array(vec![]))
    );
    let vote = |slug: &str| {
        let seats = proof["seats"].as_array().unwrap();
        let seat = seats.iter().find(|seat| seat["org"] == slug).unwrap();
        let signed = &seat["signed"];
        assert_eq!(
            (&signed["acting"]["role"], &signed["is_settled"]),
            (&"signatory".into(), &true.into())
        );
        assert_eq!(signed["acting"]["capacity"], slug);
        assert!(signed["claimed_ms"].as_u64().unwrap() > 0, "{seat}");
        seat["answer"].as_str().unwrap().to_owned()
    };
    let votes = ["la-wigan", "la-bolton", "la-bury", "la-oldham"].map(vote);
    assert_eq!(votes, ["for", "for", "against", "abstained"]);
    let told = words(0, &["prove", &bundle, "decision"]);
    for line in [
        "      at least 3 members answer: 4 answered — holds",
        "    75 of 100 of the votes cast: 2 for, 1 against: 66.7 % — fails",
        "Option \"One hub\", preferred",
        "Option \"Two hubs\", rejected: Each would be too small & costly.",
    ] {
        assert!(told.lines().any(|one| one == line), "{line}\n{told}");
    }
    assert!(told.contains("Interest: la-wigan, claimed "), "{told}");
    assert!(told.ends_with("The result is: failed.\n"), "{told}");

    // What the node says, it says.
    let node = act(&board.nodes[2], &["prove", "decision"]);
    assert_eq!(proof["trace"], node["proof"]["trace"]);
    check_page(&fs::read_to_string(&page).unwrap());
    // A page is never written over another.
    assert_eq!(audit(&["prove", &bundle, "decision", "--html", &page]).status.code(), Some(2));

    // What is missing or wrong is never taken for an answer.
    let mut bytes = fs::read(&bundle).unwrap();
    let place = bytes.windows(8).rposition(|bytes| bytes == b"Two hubs").unwrap();
    bytes[place] = b'N';
    let altered = board.file("altered.bundle");
    fs::write(&altered, bytes).unwrap();
    assert_eq!(audit(&["prove", &altered, "decision"]).status.code(), Some(2));
    let told = words(2, &["log", &altered, "--feed", "la-bury"]);
    assert!(
        told.lines().any(|line| line.starts_with("unchecked: ") && line.contains("la-wigan")),
        "{told}"
    );
    for (code, wrong) in [
        (2, vec!["prove", &bundle, "artefact-2222"]),
        (2, vec!["prove", &page, "decision"]),
        (2, vec!["prove", "nowhere", "decision"]),
        (64, vec!["prove", &bundle]),
    ] {
        assert_eq!(audit(&wrong).status.code(), Some(code), "{wrong:?}");
    }
}

/// Every relation is between things that are there, and every vote is somebody's.
fn check_prov(prov: &Value) {
    let of = |kind: &str| prov[kind].as_object().unwrap();
    for (kind, ends) in [
        ("used", ["activity", "entity"]),
        ("wasGeneratedBy", ["entity", "activity"]),
        ("wasAttributedTo", ["entity", "agent"]),
        ("wasAssociatedWith", ["activity", "agent"]),
    ] {
        for relation in of(kind).values() {
            for end in ends {
                let named = relation[format!("prov:{end}")].as_str().unwrap();
                assert!(
                    named.starts_with("concordat:") && of(end).contains_key(named),
                    "{relation}"
                );
            }
        }
    }
    assert_eq!(prov["prefix"]["concordat"], "urn:concordat:");
    assert_eq!((of("agent").len(), of("wasAssociatedWith").len()), (4, 4));
    assert!(of("wasAssociatedWith").values().all(|one| one["prov:role"] == "signatory"));
    let mut votes: Vec<_> =
        of("entity").values().filter(|one| one["concordat:claimed"].is_string()).collect();
    votes.retain(|one| one["concordat:settled"] == true);
    let mut votes: Vec<_> = votes.iter().map(|one| one["prov:label"].as_str().unwrap()).collect();
    votes.sort_unstable();
    assert_eq!(votes, ["abstained", "against", "for", "for"]);
    assert!(of("entity").values().any(|one| one["concordat:result"] == "failed"));
}

/// It stands by itself, is escaped, and is built for whoever cannot see it.
fn check_page(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en-GB\">"), "{page}");
    for not_there in ["<script", "http://", "https://", " src=", "<link", "<img", "@import", "url("]
    {
        assert!(!page.contains(not_there), "{not_there}");
    }
    assert!(page.contains("Single vascular &lt;script&gt;hub&lt;/script&gt;"));
    assert!(page.contains("Each would be too small &amp; costly."));
    let count = |what: &str| page.matches(what).count();
    for once in ["<title>", "<h1>", "<header>", "<main id=\"main\">", "<footer>", "href=\"#main\""]
    {
        assert_eq!(count(once), 1, "{once}");
    }
    assert_eq!(count(" href="), 1);
    assert!(count("<table>") >= 4 && count("<table>") == count("<caption>"));
    assert_eq!(count("<th>"), 0, "every heading of a table says what it is the heading of");
    assert_eq!(count("<th "), count(" scope=\"col\"") + count(" scope=\"row\""));
    // Headings follow one another without a gap.
    let levels =
        page.match_indices("<h").filter_map(|(at, _)| page[at + 2..].chars().next()?.to_digit(10));
    let levels: Vec<u32> = levels.collect();
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    // What names a section or a table by id is there.
    for (at, label) in page.match_indices("aria-labelledby=\"") {
        let id = page[at + label.len()..].split('"').next().unwrap();
        assert_eq!(count(&format!(" id=\"{id}\"")), 1, "{id}");
    }
    assert!(page.contains("66.7 %") && page.contains("75 of 100 of the votes cast"));
}

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
        (2, vec!["log", &board.file("board.toml")]),
        (64, vec!["log", &bundle, "--from", "yesterday"]),
        (64, vec!["log", &bundle, "--format", "csv", "--json"]),
        (64, vec!["log", &bundle, "--format", "pdf"]),
    ] {
        assert_eq!(audit(&wrong).status.code(), Some(code), "{wrong:?}");
    }
}

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

/// Every file below a directory, with what is in it.
fn everything(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = vec![];
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(everything(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// A copied store says the same as a bundle of it, on either engine; nothing of it changes, and that of a running node
/// is not touched.
#[test]
fn a_copied_store_is_audited_like_a_bundle_and_left_as_it_is() {
    for engine in ["sled", "redb"] {
        let mut board = Partnership::found_on(engine, &["la-wigan", "la-bury"]);
        let node = board.node_of("la-wigan");
        act(node, &["open", "decision", "--title", "Winter fund"]);
        node.run(&["note", "one note"]);
        let bundle = board.file("wigan.bundle");
        node.run(&["export", "--out", &bundle]);
        let copied = board.path().join("copied");
        crate::copy(node.home(), &copied);
        // As an auditor may be given it: on a disk that can only be read.
        let read_only = ["-R", "a-w", copied.to_str().unwrap()];
        assert!(Command::new("chmod").args(read_only).status().unwrap().success());
        let before = everything(&copied);
        let (home, store) = (copied.to_str().unwrap(), copied.join("store"));
        let store = store.to_str().unwrap();

        for place in [home, store] {
            let mut verified = answer(0, &["verify", place]);
            assert_eq!(verified, answer(0, &["verify", &bundle]), "{engine}");
            assert_eq!(verified["feeds"].as_array_mut().unwrap().len(), 2);
            let entries = |of: &str| answer(0, &["log", of])["entries"].clone();
            assert_eq!(entries(place), entries(&bundle));
            let compared = answer(0, &["compare", &bundle, place]);
            assert!(
                compared["feeds"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|feed| feed["only"] == Value::Array(vec![]))
            );
            assert_eq!(answer(0, &["replay", place])["artefacts"][0]["title"], "Winter fund");
        }
        assert_eq!(everything(&copied), before, "{engine}");

        let number = board.number_of("la-wigan");
        board.serve(number);
        let running = board.nodes[number].home().to_str().unwrap().to_owned();
        let output = audit(&["verify", &running]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), said.contains("[busy]")), (Some(2), true), "{said}");
        assert_eq!(
            board.nodes[number].json(&["note", "it goes on"])["written"].as_array().unwrap().len(),
            1
        );
        let empty = audit(&["verify", board.path().to_str().unwrap()]);
        assert!(String::from_utf8_lossy(&empty.stderr).contains("[no-store]"));
        assert_eq!(empty.status.code(), Some(2));
        // So that it can be removed.
        let back = ["-R", "u+w", copied.to_str().unwrap()];
        assert!(Command::new("chmod").args(back).status().unwrap().success());
    }
}
