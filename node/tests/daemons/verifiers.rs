//! Two verifiers of bundles, as an auditor has them: a process each, in a directory with the bundle alone.
//!
//! | verifier | written |
//! |---|---|
//! | `concordat audit verify` | here |
//! | `concordat_reader.py verify` | in Python, from the specification alone |
//!
//! *Invariant*: what one finds the other finds: every severity, code and place, every feed, the exit status.

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::Value;

use crate::{
    partnership::Partnership,
    process::{Node, program},
};

const READER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../integration-tests/spec-reader/concordat_reader.py");
/// What two verifiers agree on of a finding; the sentence is each one's own.
const COMPARED: [&str; 8] =
    ["severity", "code", "feed", "slug", "epoch", "seq", "last_seq", "record"];
/// The same of a feed, as ours and the other name it.
const OF_FEEDS: [(&str, &str); 5] = [
    ("slug", "slug"),
    ("epoch", "epoch"),
    ("entries", "size"),
    ("settled", "settled"),
    ("forked_at", "fork"),
];

impl Partnership {
    /// What auditors find in a bundle that a node exports while it runs.
    pub(crate) fn export_and_audit(&self, node: &Node) -> Value {
        audited(&self.exported(node))
    }

    /// The bundle that a node exports.
    pub(crate) fn exported(&self, node: &Node) -> Vec<u8> {
        let file = self.file(&format!("{}.bundle", node.name()));
        node.run(&["export", "--out", &file]);
        let bundle = fs::read(&file).unwrap();
        fs::remove_file(file).unwrap();
        bundle
    }
}

/// What both verifiers find in a bundle.
pub(crate) fn audited(bundle: &[u8]) -> Value {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("the.bundle"), bundle).unwrap();
    let run = |mut command: Command, args: &[&str]| {
        command.current_dir(place.path()).args(args).output().unwrap()
    };
    let ours = run(program(), &["audit", "verify", "the.bundle", "--json"]);
    let other = run(Command::new("python3"), &["-B", READER, "verify", "the.bundle", "--json"]);
    let said = String::from_utf8_lossy(&other.stderr);

    let report: Value = serde_json::from_slice(&ours.stdout).unwrap();
    let lines = other.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let lines: Vec<Value> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
    let of_type = |what: &'static str| lines.iter().filter(move |line| line["type"] == what);
    assert_eq!(ours.status.code(), other.status.code(), "{said}\n{report}\n{lines:?}");
    assert_eq!(report["exit_code"].as_i64(), ours.status.code().map(i64::from));
    let found = |finding: &Value| COMPARED.map(|field| finding[field].to_string());
    let ours: BTreeSet<_> = list(&report, "findings").iter().map(found).collect();
    assert_eq!(ours, of_type("finding").map(found).collect(), "{report}");
    let with_entries = list(&report, "feeds").iter().filter(|feed| feed["entries"] != 0);
    let ours: BTreeSet<_> =
        with_entries.map(|feed| OF_FEEDS.map(|(field, _)| feed[field].to_string())).collect();
    let other = of_type("feed").map(|feed| OF_FEEDS.map(|(_, field)| feed[field].to_string()));
    assert_eq!(ours, other.collect(), "{report}");
    report
}

/// A list within a report.
pub(crate) fn list<'a>(report: &'a Value, name: &str) -> &'a Vec<Value> {
    report[name].as_array().unwrap()
}
