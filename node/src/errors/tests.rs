//! The catalogue is whole, and the handbook's page is it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use concordat_protocol::verdict::Rule;

use super::{Described, PARTS, exit_code, family, find};
use crate::journal;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// After these stands a code, if a literal does.
const BEFORE_CODES: &[&str] = &[
    "Refusal::new(",
    "Problem::new(",
    "Misfit::new(",
    "of_row(",
    "unreadable(\"the body\",",
    "unreadable(\"the query\",",
    "Finding::well(",
    "Finding::note(",
    "Finding::mend(",
    "Line::refused(event,",
    "drop_peer(step, peer,",
    "drop_peer(\n                step,\n                peer,",
    "self.fault(",
    "walk.fault(",
    " code: ",
    "(code = ",
    "\n        code = ",
    "\n            code = ",
    "\n                code = ",
    "\n                    code = ",
];
/// Literals that are written as codes are, and are none.
const NO_CODES: &[&str] = &[
    // Names of acts in the journal.
    "keys-lock",
    "keys-passphrase",
    "keys-recover",
    "keys-rotate",
    "keys-unlock",
    "token-new",
    "token-revoke",
    // Words on the command line, in files and headers.
    "command-line",
    "concordat-home",
    "concordat-passphrase",
    "kebab-case",
    "last-event-id",
    "made-from",
    "takes-part",
    "utf-8",
    // A thread.
    "store-writer",
];

/// The story of the demonstration, which names organisations and papers.
const STORY: &[&str] = &["/demo/story", "/demo/papers", "/demo/cast.rs", "/demo/records.rs"];

fn all() -> impl Iterator<Item = &'static Described> {
    PARTS.iter().flat_map(|part| part.codes)
}

/// Code that runs, file by file: without tests (`patients.rs` is one), comments, this catalogue and the story of
/// the demonstration.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders =
        ["node/src", "protocol/src/engine", "protocol/src/feed", "protocol/src/audit"]
            .map(|folder| Path::new(ROOT).join(folder))
            .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_string_lossy().into_owned();
            let is_left_out = name.contains("test")
                || name.ends_with("/artefact/patients.rs")
                || name.contains("/src/errors")
                || STORY.iter().any(|part| name.contains(part));
            if is_left_out {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
                let lines = text.lines().map(|line| line.split("//").next().unwrap());
                found.push((name, lines.collect::<Vec<_>>().join("\n")));
            }
        }
    }
    found
}

/// The literal with which a text begins, if one does.
fn literal(text: &str) -> Option<&str> {
    text.trim_start().strip_prefix('"')?.split('"').next()
}

/// Every string literal of one line that is written as codes of several words are.
fn hyphenated(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').filter(|part| {
        let mut words = part.split('-');
        let is_word = |word: &str| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        };
        part.contains('-')
            && part.starts_with(|c: char| c.is_ascii_lowercase())
            && words.all(is_word)
    })
}

/// The codes that sources give, each with the files that do.
fn given() -> BTreeMap<String, BTreeSet<String>> {
    let mut given: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, code) in sources() {
        let mut codes: BTreeSet<&str> = BTreeSet::new();
        for before in BEFORE_CODES {
            let rests = code.match_indices(before).map(|(at, _)| &code[at + before.len()..]);
            codes.extend(rests.filter_map(literal));
        }
        // Bodies of `fn code`.
        for (at, _) in code.match_indices(" fn code(") {
            let body = code[at..].split("\n    }\n").next().unwrap();
            codes.extend(body.split("=> ").skip(1).filter_map(literal));
        }
        if path.ends_with("/http/problem.rs") {
            codes.extend(code.split("Self::new(").skip(1).filter_map(literal));
        }
        if path.contains("/cli/doctor/") {
            codes.extend(code.split("=> (").skip(1).filter_map(literal));
        }
        let is_own = path.contains("node/src") && !path.ends_with("/journal/event.rs");
        if is_own {
            codes.extend(hyphenated(&code).filter(|code| !NO_CODES.contains(code)));
        }
        if code.contains("which(") {
            let named = code.match_indices("which(").map(|(at, _)| &code[at + "which(".len()..]);
            for what in named.filter_map(literal) {
                given.entry(format!("which-{what}")).or_default().insert(path.clone());
            }
        }
        for code in codes {
            given.entry(code.to_owned()).or_default().insert(path.clone());
        }
    }
    given
}

#[test]
fn every_code_that_sources_give_is_described_and_the_other_way_round() {
    let given = given();
    let is_described =
        |code: &str| find(code).is_some() || journal::CATALOGUE.iter().any(|one| one.code == code);
    let missing: Vec<_> = given.iter().filter(|(code, _)| !is_described(code)).collect();
    assert!(missing.is_empty(), "not in node/src/errors, or no code (NO_CODES): {missing:#?}");
    let left: Vec<&str> =
        all().map(|one| one.code).filter(|code| !given.contains_key(*code)).collect();
    assert!(left.is_empty(), "in node/src/errors, and given nowhere: {left:#?}");
    assert!(given.len() > 250, "{}", given.len());
}

#[test]
fn a_code_that_is_new_would_be_seen() {
    assert_eq!(literal("\n  \"no-such\", x"), Some("no-such"));
    assert_eq!(literal("code, x"), None);
    assert_eq!(
        hyphenated("f(\"a-b\", \"A-b\", \"a\", \"a b-c\", \"a-\")").collect::<Vec<_>>(),
        ["a-b"]
    );
    let given = given();
    for code in ["busy", "stranger", "no-name", "which-item", "garbled", "overrun", "ForkProven"] {
        assert!(given.contains_key(code), "{code}");
    }
}

#[test]
fn a_code_stands_once_in_its_order_and_says_what_to_do() {
    let mut seen = BTreeSet::new();
    for part in PARTS {
        let codes: Vec<&str> = part.codes.iter().map(|one| one.code).collect();
        assert!(codes.is_sorted(), "{}: {codes:?}", part.title);
        for one in part.codes {
            assert!(seen.insert(one.code), "{} stands twice", one.code);
            for text in [one.means, one.next] {
                assert!(text.ends_with('.') && !text.contains(['|', '\n']), "{}: {text}", one.code);
            }
        }
    }
}

#[test]
fn what_is_read_off_the_catalogue_is_what_it_says() {
    assert_eq!((exit_code("no-node"), exit_code("store"), exit_code("usage")), (1, 2, 64));
    assert_eq!((exit_code("of-another-version"), family("of-another-version").status()), (1, 409));
    assert_eq!((family("unknown-board").status(), family("patient-number").status()), (404, 422));
}

/// The weight of a finding stands in the protocol, by the arms of one `match`.
#[test]
fn findings_weigh_what_the_protocol_says() {
    let path = Path::new(ROOT).join("protocol/src/audit/finding.rs");
    let text = fs::read_to_string(path).unwrap();
    let body =
        text.split("pub const fn severity").nth(1).unwrap().split("\n    }\n").next().unwrap();
    let mut variants = Vec::new();
    let mut weighed = 0;
    for line in body.lines() {
        let named = line.split("Self::").nth(1).and_then(|rest| rest.split(' ').next());
        variants.extend(named);
        let exit = match line.split("Severity::").nth(1) {
            None => continue,
            Some(word) if word.starts_with("Proven") => 1,
            Some(word) if word.starts_with("Unchecked") => 2,
            Some(_) => 0,
        };
        for code in variants.drain(..) {
            assert_eq!(find(code).unwrap().exit, Some(exit), "{code}");
            weighed += 1;
        }
    }
    let findings = PARTS.iter().find(|part| part.title == "What an audit finds").unwrap();
    assert_eq!(weighed, findings.codes.len());
}

/// Rules of documents are described where their order is.
#[test]
fn the_specification_describes_every_rule_of_a_change() {
    let text = fs::read_to_string(Path::new(ROOT).join("protocol/SPEC.md")).unwrap();
    let missing: Vec<&&str> =
        Rule::CODES.iter().filter(|code| !text.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_page_of_errors_is_this_catalogue() {
    const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/errors.md");
    const BEGIN: &str = "<!-- made of node/src/errors -->\n";
    const END: &str = "<!-- end -->\n";
    let mut made = String::new();
    for part in PARTS {
        let has_where = part.codes.iter().any(|one| one.exit.is_some() || one.family.is_some());
        let (head, rule) = if has_where { (" where |", "---|") } else { ("", "") };
        made += &format!("\n## {}\n\n{}\n\n", part.title, part.about);
        made += &format!("| code | means | what to do |{head}\n|---|---|---|{rule}\n");
        for one in part.codes {
            let Described { code, means, next, exit, family } = one;
            made += &format!("| <a id=\"{code}\"></a>`{code}` | {means} | {next} |");
            if has_where {
                let exit = exit.map(|exit| format!("exit {exit}"));
                let status = family.map(|family| format!("HTTP {}", family.status()));
                made += &format!(
                    " {} |",
                    exit.into_iter().chain(status).collect::<Vec<_>>().join(", ")
                );
            }
            made += "\n";
        }
    }
    made += "\n";
    let page = fs::read_to_string(PATH).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (kept, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(PATH, format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
    } else {
        assert!(kept == made, "docs/errors.md differs; run this test with UPDATE=1");
    }
}
