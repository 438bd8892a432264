//! Two verifiers of bundles, as an auditor has them: a process each, in a directory with the bundle alone.
//!
//! | verifier | written |
//! |---|---|
//! | `concordat audit verify` | here |
//! | `concordat_reader.py verify` | in Python, from the specification alone |
//!
//! *Invariant*: what one finds the other finds: every severity, code and place, every feed, the exit status.

use std::{
    collections::BTreeSet,
    env, fs,
    path::Path,
    process::{Command, Output},
};

use concordat_node::keys::KeyDirectory;
use concordat_protocol::{
    checkpoint::{Checkpoint, Origin},
    feed::Descriptor,
    identity::KeyPair,
};
use serde_json::Value;

use crate::{
    bundles::Bundle,
    partnership::Partnership,
    process::{Node, program},
};

const READERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../integration-tests/spec-reader");
const READER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../integration-tests/spec-reader/concordat_reader.py");
/// What two verifiers agree on of a finding; the sentence is each one's own.
const COMPARED: [&str; 8] =
    ["severity", "code", "feed", "slug", "epoch", "seq", "last_seq", "record"];
/// The same of a feed, as ours and the other name it.
const OF_FEEDS: [(&str, &str); 8] = [
    ("feed", "feed"),
    ("last", "last"),
    ("root", "root"),
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

/// Runs one of the programs that were written in Python from the specification.
pub(crate) fn python(program: &str, args: &[&str], place: &Path) -> Output {
    let program = Path::new(READERS).join(program);
    Command::new("python3").arg("-B").arg(program).args(args).current_dir(place).output().unwrap()
}

/// Does what the page beside a bundle says, in its directory: whether all of it went well, and what was printed.
pub(crate) fn follow(page: &str, place: &Path) -> (bool, String) {
    let lines = page.lines().filter_map(|line| line.strip_prefix("    "));
    let script = lines.collect::<Vec<_>>().join("\n").replace("concordat_reader.py", READER);
    let programs = Path::new(env!("CARGO_BIN_EXE_concordat")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", &script]).current_dir(place).env("PATH", path);
    let followed = shell.output().unwrap();
    let printed = [followed.stdout, followed.stderr].concat();
    (followed.status.success(), String::from_utf8(printed).unwrap())
}

#[test]
fn the_page_beside_a_bundle_can_be_followed_by_hand_line_by_line() {
    let board = Partnership::found(&["la-wigan", "la-bury"]);
    let node = board.node_of("la-wigan");
    node.write_notes("one\ntwo\n");
    let directory = board.file("for-the-auditor");
    node.run(&["export", "--dir", &directory]);
    let place = Path::new(&directory);
    let page = fs::read_to_string(place.join("README.txt")).unwrap();
    let bundle = Bundle::of(&fs::read(place.join("board.bundle")).unwrap());
    assert!(page.contains(&bundle.founding().board().to_string()), "{page}");

    let key = KeyDirectory::open(node.home()).unwrap().feed(0).unwrap();
    let feeds = bundle.feeds();
    let feed = feeds.iter().max_by_key(|feed| feed.size()).unwrap();
    let Descriptor { board: id, org, epoch, .. } = feed.descriptor;
    let head = feed.heads.last().unwrap().head;
    let origin = Origin { board: id, org, epoch };
    let checkpoint = Checkpoint { origin, size: head.size, root: head.root };
    let note = checkpoint.sign(&KeyPair::from_seed(key.as_bytes())).to_bytes();
    fs::write(place.join("checkpoint.txt"), &note).unwrap();
    let (is_sound, printed) = follow(&page, place);
    assert!(is_sound, "{printed}\n{page}");
    assert_eq!(printed.matches("Signature Verified Successfully").count(), 2, "{printed}");
    assert!(printed.contains("Everything in this bundle holds"), "{printed}");
    assert!(page.contains(&format!("root {}", note_root(&note))), "{page}");

    let other = String::from_utf8(note).unwrap().replacen("\n3\n", "\n4\n", 1);
    fs::write(place.join("checkpoint.txt"), other).unwrap();
    assert!(!follow(&page, place).0);
    let told = node.command(&["export", "--dir", &directory]);
    assert!(!told.status.success(), "what was handed over is not written again");
}

/// The third line of a note.
fn note_root(note: &[u8]) -> String {
    String::from_utf8_lossy(note).lines().nth(2).unwrap().to_owned()
}
