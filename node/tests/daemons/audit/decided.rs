//! Who decided what, in words, as JSON, as one page and as PROV-JSON.

use std::fs;

use serde_json::Value;

use super::{answer, audit, words};
use crate::{
    artefacts::{STRATEGY, TOP, act},
    partnership::Partnership,
    process::until,
};

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
    let sentence = "The result is: failed, as this does not hold: 75 of 100 of the votes cast: 2 for, 1 against: 66.7 %.\n";
    assert!(told.ends_with(sentence), "{told}");

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
