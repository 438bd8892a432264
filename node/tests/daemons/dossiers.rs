//! A decision exported as a directory: what is in it, what is not, and that each byte of it can be checked by
//! whoever has nothing but a shell.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use concordat_node::keys::KeyDirectory;
use concordat_protocol::{
    audit::bundle::{Record, Records},
    checkpoint::{Checkpoint, Cosigned, CosignedList, Origin},
    codec::Fixed,
    feed::{Kind, Salted, Sealed},
    identity::KeyPair,
};
use serde_json::Value;

use crate::{
    artefacts::act,
    audit::{answer, audit, decided::not_carried},
    bundles::{Bundle, Feed, Piece},
    partnership::Partnership,
    verifiers::{audited, follow, list, python},
};

const SECRET: &str = "Quite secret heart standard";
const NOTE: &str = "A remark that is nobody's business";
const MANIFEST_LINE: &str = "    sha256sum -c manifest-sha256.txt\n";

/// The keys of a member: of its feed, and as a witness.
pub(crate) fn keys(board: &Partnership, slug: &str) -> (KeyPair, KeyPair) {
    let keys = KeyDirectory::open(board.node_of(slug).home()).unwrap();
    let pair = |seed: concordat_node::keys::Seed| KeyPair::from_seed(seed.as_bytes());
    (pair(keys.feed(0).unwrap()), pair(keys.witness().unwrap()))
}

fn checkpoint(feed: &Feed) -> Checkpoint {
    let head = feed.heads.last().unwrap().head;
    let concordat_protocol::feed::Descriptor { board, org, epoch, .. } = feed.descriptor;
    Checkpoint { origin: Origin { board, org, epoch }, size: head.size, root: head.root }
}

/// The same feed with one more entry, of a kind without bits.
pub(crate) fn with_entry(feed: &Feed, kind: Kind, payload: Vec<u8>, key: &KeyPair) -> Feed {
    let mut longer = feed.clone();
    let payload = Salted::new(Fixed([7; 16]), payload);
    longer.append(Sealed { payload, attribution: None });
    longer.entries.last_mut().unwrap().0.kind = kind;
    longer.signed_by(key)
}

/// The bundle after every member signed a checkpoint of its feed, and these cosigned those of the others.
fn with_checkpoints(board: &Partnership, bytes: &[u8], cosigners: &[&str]) -> Vec<u8> {
    let mut bundle = Bundle::of(bytes);
    let feeds = bundle.feeds();
    let checkpoints: Vec<Checkpoint> = feeds.iter().map(checkpoint).collect();
    for (feed, own) in feeds.iter().zip(&checkpoints) {
        let (key, witness) = keys(board, &feed.slug);
        let mut feed = with_entry(feed, Kind::CHECKPOINT, own.sign(&key).to_bytes(), &key);
        if cosigners.contains(&feed.slug.as_str()) {
            let others = checkpoints.iter().filter(|one| *one != own);
            let mut given: Vec<_> =
                others.map(|one| Cosigned::sign(one, 1_511_179_200, &witness)).collect();
            given.sort_by_key(|one| (one.checkpoint.origin, one.checkpoint.size));
            feed = with_entry(&feed, Kind::COSIGN, CosignedList { given }.to_bytes(), &key);
        }
        bundle.pieces[feed.at] = Piece::Run(feed.whole());
    }
    bundle.to_bytes()
}

/// Every file of a directory by its path in it.
fn files(place: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut left = vec![PathBuf::new()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(place.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                left.push(path);
            } else {
                let name = path.to_str().unwrap().to_owned();
                found.insert(name, fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}

pub(crate) fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn in_shell(line: &str, place: &Path) -> Output {
    Command::new("sh").args(["-e", "-c", line]).current_dir(place).output().unwrap()
}

/// A fresh copy of a directory with one file in another state.
fn with_file(place: &Path, name: &str, bytes: &[u8]) -> tempfile::TempDir {
    let other = tempfile::tempdir().unwrap();
    for (file, held) in files(place) {
        let path = other.path().join(&file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, if file == name { bytes } else { &held }).unwrap();
    }
    other
}

/// The bundle that a node exports once everything in it can be checked.
fn bundle_of(board: &Partnership) -> String {
    let file = board.file("whole.bundle");
    fs::write(&file, board.exported(&board.nodes[2])).unwrap();
    file
}

#[test]
fn a_decision_is_exported_as_a_directory_that_can_be_checked_by_hand() {
    let board = not_carried("Single vascular hub\n    false");
    let wigan = board.node_of("la-wigan");
    act(wigan, &["open", "standard", "--title", SECRET]);
    wigan.write_notes(&format!("{NOTE}\n"));
    crate::process::until("the others have it", || {
        let bundle = board.exported(&board.nodes[2]);
        has(&bundle, SECRET.as_bytes()) && has(&bundle, NOTE.as_bytes())
    });
    check_as_nodes_write_it(&board);
    let whole = bundle_of(&board);
    let three = ["la-wigan", "la-bolton", "la-bury"];
    fs::write(&whole, with_checkpoints(&board, &fs::read(&whole).unwrap(), &three)).unwrap();
    let directory = board.file("for-anybody");
    let exported = answer(0, &["export", &whole, "--artefact", "decision", "--out", &directory]);
    let place = Path::new(&directory);

    check_files(&exported, place);
    check_nothing_else(&fs::read(&whole).unwrap(), place);
    check_same_answer(&whole, place);
    check_refusals(&board, &whole, &directory);
    check_with_votes_withheld(&board, &whole);
    check_with_a_fork(&board, &whole);

    let page = fs::read_to_string(place.join("README.txt")).unwrap();
    let fresh = with_file(place, "", b"");
    let (is_sound, printed) = follow(&page, fresh.path());
    assert!(is_sound, "{printed}\n{page}");
    assert!(printed.contains("wording.signed: OK"), "{printed}");
    assert!(printed.contains("The result is: failed, as "), "{printed}");
    // One head; of each proof the author, and of those who cosign all but the author.
    let proofs = exported["entries"].as_array().unwrap();
    let cosigned: u64 = proofs.iter().map(|one| one["cosigned"].as_u64().unwrap()).sum();
    let expected = 1 + proofs.len() + usize::try_from(cosigned).unwrap();
    assert_eq!(printed.matches("Signature Verified Successfully").count(), expected, "{printed}");
    let told = python("tlog.py", &["proofs/proposal.tlog-proof"], place);
    assert!(told.status.success(), "{told:?}");
    assert!(has(&told.stdout, proofs[0]["entry"].as_str().unwrap().as_bytes()), "{told:?}");
    check_changes(&page, place);
}

/// Nodes sign and cosign checkpoints by themselves: soon enough of them did, and what the page says to do works.
fn check_as_nodes_write_it(board: &Partnership) {
    let mut directory = String::new();
    let mut tries = 0;
    crate::process::until("a majority of the others cosigned each vote", || {
        tries += 1;
        directory = board.file(&format!("as-it-is-{tries}"));
        let whole = bundle_of(board);
        let exported =
            answer(0, &["export", &whole, "--artefact", "decision", "--out", &directory]);
        exported["entries"].as_array().unwrap().iter().all(|one| one["is_enough"] == true)
    });
    let place = Path::new(&directory);
    let page = fs::read_to_string(place.join("README.txt")).unwrap();
    let (is_sound, printed) = follow(&page, place);
    assert!(is_sound, "{printed}\n{page}");
    assert!(
        printed.contains("proposal: entry ") && printed.contains(" others cosigned"),
        "{printed}"
    );
}

fn check_files(exported: &Value, place: &Path) {
    let found = files(place);
    let members = ["la-bolton", "la-bury", "la-oldham", "la-wigan"];
    let names: BTreeSet<String> = ["README.txt", "anchor.txt", "decision.bundle", "decision.html"]
        .into_iter()
        .chain([
            "decision.json",
            "manifest-sha256.txt",
            "wording.txt",
            "proofs/proposal.tlog-proof",
        ])
        .map(str::to_owned)
        .chain(members.map(|slug| format!("policies/{slug}.txt")))
        .chain(members.map(|slug| format!("proofs/sign-off-{slug}.tlog-proof")))
        .collect();
    assert_eq!(found.keys().cloned().collect::<BTreeSet<_>>(), names);
    let told = exported["files"].as_array().unwrap().iter();
    let told: BTreeSet<_> = told.map(|file| file["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, names);
    for one in exported["entries"].as_array().unwrap() {
        assert_eq!((&one["is_enough"], &one["needed"]), (&true.into(), &2.into()), "{one}");
        assert!(one["cosigned"].as_u64() >= Some(2), "{one}");
    }
    let checked = in_shell("sha256sum -c manifest-sha256.txt", place);
    assert!(checked.status.success(), "{checked:?}");
    let left = fs::read_dir(place.parent().unwrap()).unwrap();
    let left = left.filter(|one| one.as_ref().unwrap().file_name().as_encoded_bytes()[0] == b'.');
    assert_eq!(left.count(), 0, "what it was made in is gone");
    let derived: Value = serde_json::from_slice(&found["decision.json"]).unwrap();
    assert!(derived["derived"].as_str().unwrap().contains("decision.bundle"));
    let snapshot = derived["decision"]["proof"]["wording"]["snapshot"].as_str().unwrap();
    assert_eq!(found["wording.txt"], snapshot.as_bytes());
    let page = String::from_utf8(found["README.txt"].clone()).unwrap();
    assert!(
        page.contains("for it: la-bolton, la-wigan; against it: la-bury; abstained: la-oldham."),
        "{page}"
    );
    assert!(!page.lines().any(|line| line.trim() == "false"), "a title begins no line: {page}");
}

/// No byte of what other papers say, nor of who wrote them.
fn check_nothing_else(whole: &[u8], place: &Path) {
    let artefact = files(place)["decision.json"].clone();
    let derived: Value = serde_json::from_slice(&artefact).unwrap();
    let ours = derived["decision"]["artefact"].as_str().unwrap().to_owned();
    let mut contents: Vec<Vec<u8>> = vec![SECRET.into(), NOTE.into()];
    let mut entries = 0;
    for record in Records::new(whole).unwrap() {
        let Record::Run(body) = record.unwrap() else { continue };
        let run = concordat_protocol::feed::Run::from_bytes(body).unwrap();
        for entry in run.entries {
            let is_ours = entry.artefact.is_some_and(|artefact| artefact.to_string() == ours);
            if let concordat_protocol::feed::Body::Carried(sealed) = entry.body
                && entry.kind.is_withheld()
                && !is_ours
            {
                entries += 1;
                contents.push(sealed.payload.bytes().to_vec());
                contents.push(sealed.payload.salt().0.to_vec());
                contents.extend(sealed.attribution.map(|one| one.salt().0.to_vec()));
            }
        }
    }
    assert!(entries >= 2, "a change of the standard and a note");
    assert!(contents.iter().all(|content| has(whole, content)));
    for (name, bytes) in files(place) {
        for content in &contents {
            assert!(!has(&bytes, content), "{name} has {}", String::from_utf8_lossy(content));
        }
    }
}

/// What both verifiers, and the proof, say of the excerpt is what they say of the whole.
fn check_same_answer(whole: &str, place: &Path) {
    let part = place.join("decision.bundle");
    let of_part = audited(&fs::read(&part).unwrap());
    let of_whole = audited(&fs::read(whole).unwrap());
    assert_eq!(of_part["feeds"], of_whole["feeds"]);
    let codes = |report: &Value| -> BTreeSet<String> {
        let findings = report["findings"].as_array().unwrap().iter();
        findings.map(|one| one["code"].to_string()).collect()
    };
    let mut expected = codes(&of_whole);
    expected.insert("\"PayloadWithheld\"".to_owned());
    assert_eq!(codes(&of_part), expected);
    let part = part.to_str().unwrap();
    let (whole, part) =
        (answer(0, &["prove", whole, "decision"]), answer(0, &["prove", part, "decision"]));
    for field in ["decision", "wording", "options", "interests", "positions", "findings"] {
        assert_eq!(whole[field], part[field], "{field}");
    }
}

fn check_refusals(board: &Partnership, whole: &str, directory: &str) {
    let before = files(Path::new(directory));
    let cut = board.file("cut.bundle");
    let bytes = fs::read(whole).unwrap();
    fs::write(&cut, &bytes[..bytes.len() - 7]).unwrap();
    let new = board.file("not-made");
    for (code, told, args) in [
        (2, "exists", vec![whole, "--artefact", "decision", "--out", directory]),
        (2, "unknown-artefact", vec![whole, "--artefact", "mutual_aid", "--out", &new]),
        (2, "no-proposal", vec![whole, "--artefact", "standard", "--out", &new]),
        (2, "unchecked", vec![&cut, "--artefact", "decision", "--out", &new]),
        (2, "file", vec![whole, "--artefact", "decision", "--out", "nowhere/at-all"]),
        (64, "", vec![whole, "--out", &new]),
    ] {
        let output = audit(&[&["export"], &args[..]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(told), "{args:?}: {said}");
    }
    assert!(!Path::new(&new).exists());
    assert_eq!(files(Path::new(directory)), before);
}

/// One member's entries, with its vote and not those of others: nobody takes that for what was decided.
fn check_with_votes_withheld(board: &Partnership, whole: &str) {
    let part = board.file("of-wigan.bundle");
    answer(0, &["export", whole, "--feed", "la-wigan", "--out", &part]);
    let proven = answer(2, &["prove", &part, "decision"]);
    let unread = |of: &Value| -> Vec<(String, u64)> {
        let all = list(of, "not_here").iter();
        let votes = all.filter(|one| one["kind"] == "signoff");
        votes.map(|one| (one["slug"].to_string(), one["entries"].as_u64().unwrap())).collect()
    };
    let others = ["la-bolton", "la-bury", "la-oldham"].map(|slug| (format!("{slug:?}"), 1));
    assert_eq!(unread(&proven), others);
    let html = board.file("of-wigan.html");
    let told = audit(&["prove", &part, "decision", "--html", &html]);
    let told = String::from_utf8(told.stdout).unwrap();
    let line = "what 1 entry of la-bury (signoff) says is not in the file";
    assert!(told.lines().any(|one| one == format!("Missing: {line}")), "{told}");
    assert!(!told.contains("has not answered"), "{told}");
    let page = fs::read_to_string(html).unwrap();
    assert!(page.contains(line) && !page.contains("nothing is missing for certainty"), "{page}");
    let replayed = answer(0, &["replay", &part]);
    let decision = list(&replayed, "artefacts").iter().find(|one| one["kind"] == "decision");
    assert_eq!(unread(decision.unwrap()), others);
    assert_eq!(unread(&answer(0, &["diff", &part, "decision"])), others);
    for complete in
        [answer(0, &["prove", whole, "decision"]), answer(0, &["diff", whole, "decision"])]
    {
        assert_eq!(complete["not_here"], Value::Array(vec![]));
    }

    let directory = board.file("of-wigan");
    let output = audit(&["export", &part, "--artefact", "decision", "--out", &directory]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(line) && said.contains("[unchecked]"), "{said}");
    assert!(!Path::new(&directory).exists());

    // Without the proposal nothing can be told at all, and least that there was none.
    let votes = board.file("votes.bundle");
    answer(0, &["export", whole, "--kind", "signoff", "--out", &votes]);
    let output = audit(&["prove", &votes, "decision"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("what 1 entry of la-wigan (proposal) says"), "{said}");
    assert!(!said.contains("never"), "{said}");
    let compared = answer(0, &["compare", whole, &votes]);
    let lacking = list(&compared, "contents").iter();
    let mut lacking = lacking.filter(|one| one["entry"]["kind"] == "proposal");
    let why = "not yet synced, or left out: every member is due it";
    assert_eq!(lacking.next().unwrap()["why"], why);
}

/// A member that signed two histories: what it decided is exported, with the proof of it and the exit code 1.
fn check_with_a_fork(board: &Partnership, whole: &str) {
    let mut bundle = Bundle::of(&fs::read(whole).unwrap());
    let feeds = bundle.feeds();
    let feed = feeds.iter().find(|feed| feed.slug == "la-oldham").unwrap();
    let (key, _) = keys(board, "la-oldham");
    let [one, other] = ["one", "other"].map(|text| {
        let note = concordat_protocol::payload::Note { text: text.into() };
        with_entry(feed, Kind::NOTE, note.to_bytes(), &key)
    });
    bundle.pieces[one.at] = Piece::Run(one.whole());
    bundle.pieces.push(Piece::Run(other.part(feed.size(), feed.size() + 1)));
    let forked = board.file("forked.bundle");
    fs::write(&forked, bundle.to_bytes()).unwrap();
    assert_eq!(answer(1, &["verify", &forked])["findings"][0]["code"], "SecondHistory");
    let directory = board.file("with-a-fork");
    answer(1, &["export", &forked, "--artefact", "decision", "--out", &directory]);
    let place = Path::new(&directory);
    let page = fs::read_to_string(place.join("README.txt")).unwrap();
    let told = page.split_once("WHAT SPEAKS AGAINST IT").unwrap().1.split_once("2. WHICH BOARD");
    assert!(told.unwrap().0.contains("la-oldham"), "{page}");
    let part = place.join("decision.bundle");
    let of_part = audited(&fs::read(&part).unwrap());
    let codes: Vec<_> = of_part["findings"].as_array().unwrap().iter().collect();
    assert!(codes.iter().any(|one| one["code"] == "SecondHistory"), "{of_part}");
}

/// Each file with one byte changed: the manifest does not fit, and where a file is evidence or follows from it,
/// the rest of the page notices as well.
fn check_changes(page: &str, place: &Path) {
    let rest = page.replace(MANIFEST_LINE, "");
    assert_ne!(rest, page);
    for (name, held) in files(place) {
        let mut bytes = held.clone();
        let at = match name.as_str() {
            // The first digit of a digest; capitals would mean the same.
            "manifest-sha256.txt" => 0,
            name if name.starts_with("policies/") => {
                held.iter().position(|byte| *byte == b'+').unwrap() + 15
            }
            _ => held.len() / 2,
        };
        bytes[at] = if bytes[at] == b'5' { b'6' } else { b'5' };
        let changed = with_file(place, &name, &bytes);
        let checked = in_shell("sha256sum -c manifest-sha256.txt", changed.path());
        assert!(!checked.status.success(), "{name}: {checked:?}");
        let is_checked_by_hand = name.starts_with("proofs/")
            || name.starts_with("policies/")
            || name.starts_with("decision.")
            || name == "wording.txt";
        if is_checked_by_hand {
            let (is_sound, printed) = follow(&rest, changed.path());
            assert!(!is_sound, "{name}: {printed}");
        }
    }
    let bundle = place.join("decision.bundle");
    let mut bytes = fs::read(&bundle).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    let changed = with_file(place, "decision.bundle", &bytes);
    let bundle = changed.path().join("decision.bundle");
    assert_eq!(audit(&["verify", bundle.to_str().unwrap()]).status.code(), Some(2));
}
