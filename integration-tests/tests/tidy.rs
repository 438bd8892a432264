//! The structure that documents promise, checked: who may import what, stage lines, words. What documents
//! name is looked up by `node/tests/documents`. Sizes are printed, not judged.

// Says to lints that all of this is test code.
#![cfg(test)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// Every Rust file below a folder, as its path from the root, ascending.
fn rust_files(folder: &str) -> Vec<String> {
    let mut found = vec![];
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let path = path.strip_prefix(root()).unwrap();
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

/// The code without comments and without what follows `#[cfg(test)]` at the start of a line.
fn code(text: &str) -> String {
    let before_tests = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    let lines = before_tests.lines().map(|line| line.split("//").next().unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules of its own crate that a file names, in `use` lists and in paths.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let is_path = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let rest = &text[at + "crate::".len()..];
        if !is_path {
            continue;
        }
        match rest.strip_prefix('{') {
            None => found.extend(first_word(rest)),
            Some(list) => found.extend(top_level_words(list)),
        }
    }
    found
}

fn first_word(text: &str) -> Option<String> {
    let word: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!word.is_empty()).then_some(word)
}

/// The first words of the items of a `{…}` list, of which the opening brace is already read.
fn top_level_words(list: &str) -> Vec<String> {
    let mut words = vec![];
    let mut depth = 0;
    let mut item = String::new();
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                words.extend(first_word(item.trim()));
                item.clear();
            }
            _ if depth == 0 => item.push(c),
            _ => {}
        }
    }
    words.extend(first_word(item.trim()));
    words
}

/// What each module of `protocol` may name, beside itself and what every module may.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("limits", &[]),
    ("time", &[]),
    ("codec", &[]),
    ("hash", &[]),
    ("value", &[]),
    ("identity", &[]),
    ("charter", &["identity", "value"]),
    ("feed", &["identity", "charter"]),
    ("payload", &["identity", "charter", "feed", "value"]),
    ("decision", &["identity", "charter", "payload"]),
    ("artefact", &["identity", "charter", "feed", "payload", "value", "verdict"]),
    ("checkpoint", &["identity", "charter", "feed"]),
    ("sync", &["identity", "charter", "feed"]),
    ("verdict", &[]),
    (
        "replay",
        &["artefact", "charter", "decision", "feed", "identity", "payload", "value", "verdict"],
    ),
    (
        "engine",
        &[
            "identity",
            "charter",
            "feed",
            "payload",
            "checkpoint",
            "sync",
            "value",
            "decision",
            "replay",
        ],
    ),
    (
        "audit",
        &[
            "identity",
            "charter",
            "feed",
            "payload",
            "checkpoint",
            "sync",
            "value",
            "decision",
            "replay",
        ],
    ),
];

/// What every module may name.
const FOUNDATION: &[&str] = &["codec", "hash", "limits", "time"];

#[test]
fn modules_of_protocol_name_only_what_stands_below_them() {
    let mut faults = vec![];
    for path in rust_files("protocol/src") {
        let module = path.trim_start_matches("protocol/src/").trim_end_matches(".rs");
        let module = module.split('/').next().unwrap();
        if module == "lib" || path.ends_with("tests.rs") || path.contains("/tests/") {
            continue;
        }
        let rule = MAY_IMPORT.iter().find(|(name, _)| *name == module);
        let (_, allowed) = rule.unwrap_or_else(|| panic!("{path}: no rule for module {module}"));
        for import in imports(&code(&read(&path))) {
            let fits = import == module
                || FOUNDATION.contains(&import.as_str())
                || allowed.contains(&import.as_str());
            if !fits {
                faults.push(format!("{path} names crate::{import}"));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn an_import_that_is_not_allowed_would_be_seen() {
    let text = "use crate::{\n    codec::{self, Fixed},\n    engine::Engine,\n};\nlet x = crate::audit::f();";
    let seen: Vec<String> = imports(text).into_iter().collect();
    assert_eq!(seen, ["audit", "codec", "engine"]);
}

#[test]
fn layers_of_the_node_do_not_reach_across() {
    let bans: &[(&str, &[&str])] = &[
        ("node/src/net", &["crate::store", "crate::daemon", "crate::cli", "engine::Engine"]),
        ("node/src/store", &["crate::net", "crate::daemon", "crate::cli", "engine::Engine"]),
        (
            "node/src/http",
            &["crate::store", "crate::net", "crate::replica", "crate::daemon", "crate::cli"],
        ),
    ];
    let mut faults = vec![];
    for (folder, banned) in bans {
        for path in rust_files(folder) {
            let text = code(&read(&path));
            let named = banned.iter().filter(|ban| text.contains(**ban));
            faults.extend(named.map(|ban| format!("{path} names {ban}")));
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

/// Whether code names the private records of the node: their module, or the table that holds them.
fn names_private_records(code: &str) -> bool {
    imports(code).contains("records") || code.contains("Own::Records") || code.contains("Own::*")
}

/// Files of the node, of which code that is no test names private records.
const MAY_NAME_RECORDS: &[&str] = &[
    "node/src/cli/error.rs",
    "node/src/cli/record/export.rs",
    "node/src/cli/record/import.rs",
    "node/src/cli/record/mod.rs",
    // Tells how many could be carried over.
    "node/src/cli/store.rs",
    "node/src/daemon/records.rs",
    "node/src/records/table.rs",
    // One order, done by a command itself: the same as the file of the daemon.
    "node/src/replica/offline.rs",
    "node/src/store/wal/mod.rs",
];

/// What hands a request about records on without looking into it, or reads what a caller brings.
const MAY_HAND_ON: &[&str] =
    &["node/src/http/records.rs", "node/src/replica/desk.rs", "node/src/replica/order.rs"];

#[test]
fn nothing_that_shares_can_name_private_records() {
    let is_test = |path: &str| path.ends_with("tests.rs") || path.contains("/tests/");
    let all = ["protocol/src", "node/src"].into_iter().flat_map(rust_files);
    let code: Vec<(String, String)> =
        all.filter(|path| !is_test(path)).map(|path| (path.clone(), code(&read(&path)))).collect();
    let naming = code.iter().filter(|(_, code)| names_private_records(code));
    let naming: Vec<&str> = naming.map(|(path, _)| path.as_str()).collect();
    assert_eq!(naming, MAY_NAME_RECORDS);

    let shares = ["protocol/src/", "node/src/net/", "node/src/replica/", "node/src/http/"];
    let mut faults = vec![];
    for (path, code) in &code {
        let shares = shares.iter().any(|folder| path.starts_with(folder));
        let is_let = MAY_NAME_RECORDS.contains(&path.as_str())
            || MAY_HAND_ON.contains(&path.as_str())
            // Looks through what was typed, for patients' numbers.
            || path == "node/src/replica/typed.rs";
        for word in ["RecordsAsked", "RecordsAnswer", "own_records"] {
            if shares && !is_let && code.contains(word) {
                faults.push(format!("{path} names {word}"));
            }
        }
    }
    // No way around by another name: neither network nor protocol has a word for them.
    for (path, code) in &code {
        let is_below = path.starts_with("node/src/net/") || path.starts_with("protocol/src/");
        if is_below && (code.contains("records::") || code.contains("Own::")) {
            faults.push(format!("{path} names records or a table of the node's own"));
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn a_name_of_private_records_would_be_seen() {
    for code in [
        "use crate::records::Collection;",
        "use crate::{\n    net,\n    records::{self, Row},\n};",
        "let look = crate::records::look;",
        "reader.scan(Own::Records, &range, 1, order)",
        "use crate::store::Own::*;",
    ] {
        assert!(names_private_records(code), "{code}");
    }
    assert!(!names_private_records("use crate::control::Records; let records = 1;"));
}

#[test]
fn only_the_codec_names_serde_cbor() {
    let naming = ["protocol/src", "node/src", "integration-tests/src"]
        .into_iter()
        .flat_map(rust_files)
        .filter(|path| code(&read(path)).contains("serde_cbor"));
    assert_eq!(naming.collect::<Vec<_>>(), ["protocol/src/codec.rs"]);
}

#[test]
fn every_file_says_what_it_is() {
    let silent = ["protocol/src", "node/src", "integration-tests/src"]
        .into_iter()
        .flat_map(rust_files)
        .filter(|path| !read(path).trim_start().starts_with("//!"));
    assert_eq!(silent.collect::<Vec<_>>(), Vec::<String>::new());
}

/// The path of an edit: files that open with their stage.
const STAGES: &[(u32, &str, &[&str])] = &[
    (1, "edit", &["artefact/edit.rs", "replay/refs.rs", "engine/edit.rs"]),
    (2, "sign", &["feed/entry.rs"]),
    (3, "append", &["feed/chain.rs", "engine/append.rs"]),
    (4, "sync", &["sync/session.rs", "engine/sync.rs", "engine/want.rs", "engine/serve.rs"]),
    (5, "verify", &["feed/verify.rs", "engine/accept.rs"]),
    (6, "apply", &["engine/apply.rs", "engine/dossier.rs", "replay/mod.rs"]),
    (7, "view", &["engine/view.rs", "artefact/read.rs"]),
    (8, "audit", &["audit/check.rs"]),
];

#[test]
fn each_stage_of_an_edit_opens_with_its_stage_line() {
    let mut seen = BTreeSet::new();
    for (number, verb, files) in STAGES {
        for file in *files {
            let path = format!("protocol/src/{file}");
            let text = read(&path);
            let line = text.lines().next().unwrap_or_default();
            let opening = format!("//! Stage {number} of 8: {verb}. From `");
            assert!(
                line.starts_with(&opening),
                "{path} opens with {line:?}, expected {opening:?}…"
            );
            seen.insert(*number);
        }
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), (1..=8).collect::<Vec<u32>>());
}

#[test]
fn no_word_of_another_vocabulary_is_an_identifier() {
    let banned = ["room", "notary", "backlink", "acl", "utils", "helper", "manager"];
    let mut faults = vec![];
    for path in
        ["protocol/src", "node/src", "integration-tests/src"].into_iter().flat_map(rust_files)
    {
        let text = code(&read(&path));
        let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        if let Some(word) = words.find(|word| banned.contains(word)) {
            faults.push(format!("{path} says {word}"));
        }
        for left in ["#[ignore", "todo!", "FIXME", "XXX", "unimplemented!"] {
            if text.contains(left) {
                faults.push(format!("{path} has a leftover {left}"));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

/// Each claim of the threat model is borne out by tests that are there.
#[test]
fn the_threat_model_names_tests_that_exist() {
    let code: String = ["protocol", "node", "integration-tests"]
        .into_iter()
        .flat_map(|part| ["src", "tests"].map(|folder| format!("{part}/{folder}")))
        .flat_map(|folder| rust_files(&folder))
        .map(read)
        .collect();
    let page = read("docs/threat-model.md");
    let named: BTreeSet<&str> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|part| part.contains('_') && !part.contains(['/', '.', ' ']))
        .collect();
    assert!(named.len() > 30, "{}", named.len());
    let is_missing = |name: &&str| !code.contains(&format!("fn {name}("));
    let missing: Vec<&str> = named.into_iter().filter(is_missing).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn sizes_are_printed() {
    let files = ["protocol/src", "node/src"].into_iter().flat_map(rust_files);
    let mut sizes: Vec<(usize, String)> =
        files.map(|path| (read(&path).lines().count(), path)).collect();
    sizes.sort();
    for (lines, path) in sizes.iter().rev().take(10) {
        println!("{lines:6} {path}");
    }
    assert!(!sizes.is_empty());
}
