//! Entries of a feed, a kind or a time exported as one bundle: whose content is in it, that nothing else is, and
//! that it proves what the whole does.

use std::{collections::BTreeSet, fs, path::Path};

use concordat_protocol::{
    audit::bundle::{Record, Records},
    feed::{Body, Kind, Run},
    payload::Note,
};
use serde_json::Value;

use crate::{
    artefacts::{TOP, act},
    audit::{answer, audit},
    bundles::{Bundle, Piece},
    dossiers::{has, keys, with_entry},
    partnership::Partnership,
    process::until,
    verifiers::{audited, list},
};

const WIGAN: &str = "What Wigan remarks";
const BOLTON: &str = "What Bolton remarks";
const TITLE: &str = "Winter fund of the three";

/// Three organisations that wrote notes and edited a decision, and the bundle of the third.
fn three() -> (Partnership, String) {
    let mut board = Partnership::found_with(&["la-wigan", "la-bolton", "la-bury"], TOP, "");
    board.serve_all();
    board.until_all_meet();
    act(board.node_of("la-wigan"), &["open", "decision", "--title", TITLE]);
    board.node_of("la-wigan").write_notes(&format!("{WIGAN}\n"));
    board.node_of("la-bolton").write_notes(&format!("{BOLTON}\n"));
    until("the third has all of it", || {
        let bundle = board.exported(board.node_of("la-bury"));
        [WIGAN, BOLTON, TITLE].iter().all(|text| has(&bundle, text.as_bytes()))
    });
    let whole = board.file("whole.bundle");
    fs::write(&whole, board.exported(board.node_of("la-bury"))).unwrap();
    (board, whole)
}

fn entries(bundle: &str, flags: &[&str]) -> Vec<Value> {
    let code = answer_code(bundle);
    list(&answer(code, &[&["log", bundle], flags].concat()), "entries").clone()
}

/// 1 if the bundle proves misbehaviour.
fn answer_code(bundle: &str) -> i32 {
    audit(&["verify", bundle]).status.code().unwrap()
}

fn ids(entries: &[Value]) -> BTreeSet<&str> {
    entries.iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[test]
fn a_range_is_exported_as_a_bundle_with_the_content_of_what_was_chosen_alone() {
    let (board, whole) = three();
    let notes = entries(&whole, &["--kind", "note"]);
    let ms = notes.iter().map(|one| one["time_ms"].as_i64().unwrap());
    let [first, last] = [ms.clone().min().unwrap(), ms.max().unwrap()]
        .map(|ms| jiff::Timestamp::from_millisecond(ms).unwrap().to_string());
    let feed = audited(&fs::read(&whole).unwrap())["feeds"][0]["feed"].clone();
    let exports: [&[&str]; 9] = [
        &["--feed", "la-wigan"],
        &["--feed", "la-bury"],
        &["--feed", feed.as_str().unwrap()],
        &["--kind", "note"],
        &["--kind", "open_feed"],
        &["--feed", "la-bolton", "--kind", "note"],
        &["--from", &first, "--until", &last],
        &["--until", &first],
        &["--from", "2017-11-01"],
    ];
    for (number, flags) in exports.iter().enumerate() {
        let part = board.file(&format!("part-{number}.bundle"));
        let exported = answer(0, &[&["export", &whole], *flags, &["--out", &part]].concat());
        check_export(&exported, (&whole, &part), flags);
        check_content((&whole, &part), flags);
    }
    let of_wigan = fs::read(board.file("part-0.bundle")).unwrap();
    assert!(has(&of_wigan, WIGAN.as_bytes()) && has(&of_wigan, TITLE.as_bytes()));
    assert!(!has(&of_wigan, BOLTON.as_bytes()));
    let all = fs::read(board.file("part-8.bundle")).unwrap();
    assert_eq!(all, fs::read(&whole).unwrap(), "where all is chosen, nothing is left out");
    let output = audit(&["export", &whole, "--until", &first, "--out", &board.file("told.bundle")]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.lines().next().unwrap().ends_with(" as their authors claim"), "{told}");
    check_refusals(&board, &whole);
    check_misbehaviour(&board, &whole);
    check_two_boards(&board, &whole);
}

/// What is told of it is what an audit of it shows: the same headers, feeds and findings as in the whole.
fn check_export(exported: &Value, (whole, part): (&str, &str), flags: &[&str]) {
    let bytes = fs::read(part).unwrap();
    let (of_whole, of_part) = (audited(&fs::read(whole).unwrap()), audited(&bytes));
    assert_eq!(of_part["feeds"], of_whole["feeds"], "{flags:?}");
    let is_withheld = |one: &&Value| one["code"] == "PayloadWithheld";
    let (withheld, rest): (Vec<_>, Vec<_>) =
        list(&of_part, "findings").iter().partition(is_withheld);
    let but_records = |of: &[&Value]| -> BTreeSet<String> {
        of.iter().map(|one| one["sentence"].to_string()).collect()
    };
    let expected: Vec<_> = list(&of_whole, "findings").iter().collect();
    assert_eq!(but_records(&rest), but_records(&expected), "{flags:?}");
    let all = entries(part, &[]);
    for (field, count) in [
        ("bytes", bytes.len()),
        ("chosen", entries(whole, flags).len()),
        ("chosen_without_content", 0),
        ("entries", all.len()),
        ("withheld", withheld.len()),
    ] {
        assert_eq!(exported[field], count, "{field} of {exported}");
    }
    assert_eq!((&exported["file"], &exported["closing"]), (&part.into(), &of_part["closing"]));
    assert_eq!(exported["not_proven"], Value::Array(vec![]));
    let figure = match withheld.len() {
        1 => "What 1 entry said".to_owned(),
        count => format!("What {count} entries said"),
    };
    let closing = of_part["closing"].as_str().unwrap();
    assert_eq!(closing.contains(&figure), !withheld.is_empty(), "{closing}");
    assert_eq!(ids(&all), ids(&entries(whole, &[])), "every header is in it");
    let (chosen, found) = (entries(whole, flags), entries(part, flags));
    assert_eq!(chosen, found, "the same are chosen in it");
    let chosen = ids(&chosen);
    for one in &all {
        let is_due = chosen.contains(one["id"].as_str().unwrap()) || one["is_withheld"] == false;
        assert_eq!(one["has_content"], is_due, "{flags:?}: {one}");
    }
}

/// No byte of what other entries say, nor of who wrote them; by the places of the entries.
fn check_content((whole, part): (&str, &str), flags: &[&str]) {
    let chosen = entries(whole, flags);
    let slugs = Bundle::of(&fs::read(whole).unwrap()).feeds();
    let slug = |run: &Run| slugs.iter().find(|feed| feed.id() == run.feed).unwrap().slug.clone();
    let (whole, part) = (fs::read(whole).unwrap(), fs::read(part).unwrap());
    for record in Records::new(&whole).unwrap() {
        let Record::Run(body) = record.unwrap() else { continue };
        let run = Run::from_bytes(body).unwrap();
        let slug = slug(&run);
        for (seq, entry) in (run.from..).zip(run.entries) {
            let Body::Carried(sealed) = entry.body else { continue };
            let is_chosen = chosen.iter().any(|one| one["slug"] == slug && one["seq"] == seq);
            let salt = sealed.payload.salt().0;
            let attribution = sealed.attribution.map(|one| one.salt().0);
            let is_due = is_chosen || !entry.kind.is_withheld();
            for secret in attribution.into_iter().chain([salt]) {
                assert_eq!(has(&part, &secret), is_due, "{flags:?}: {seq} of {slug}");
            }
            if !is_due {
                assert!(!has(&part, sealed.payload.bytes()), "{flags:?}: {seq} of {slug}");
            }
        }
    }
}

fn check_refusals(board: &Partnership, whole: &str) {
    let cut = board.file("cut.bundle");
    let bytes = fs::read(whole).unwrap();
    fs::write(&cut, &bytes[..bytes.len() - 7]).unwrap();
    let (new, there) = (board.file("not-made"), board.file("part-0.bundle"));
    let before = fs::read(&there).unwrap();
    for (code, told, args) in [
        (2, "nothing-chosen", vec![whole, "--until", "2017-11-01", "--out", &new]),
        (2, "nothing-chosen", vec![whole, "--feed", "la-bury", "--kind", "signoff", "--out", &new]),
        (2, "nothing-chosen", vec![whole, "--from", "2099-01-01", "--out", &new]),
        (2, "exists", vec![whole, "--feed", "la-bury", "--out", &there]),
        (2, "unknown-member", vec![whole, "--feed", "la-oldham", "--out", &new]),
        (2, "unknown-kind", vec![whole, "--kind", "poem", "--out", &new]),
        (2, "unchecked", vec![&cut, "--kind", "note", "--out", &new]),
        (2, "file", vec![whole, "--kind", "note", "--out", "nowhere/at-all"]),
        (64, "no-time", vec![whole, "--from", "yesterday", "--out", &new]),
        (64, "", vec![whole, "--artefact", "decision", "--kind", "note", "--out", &new]),
        (64, "", vec![whole, "--artefact", "decision", "--from", "2017-11-01", "--out", &new]),
        (64, "", vec![whole, "--proposal", "entry-", "--feed", "la-bury", "--out", &new]),
        (64, "", vec![whole, "--out", &new]),
        (64, "", vec![whole, "--kind", "note"]),
    ] {
        let output = audit(&[&["export"], &args[..]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(told), "{args:?}: {said}");
    }
    assert!(!Path::new(&new).exists());
    assert_eq!(fs::read(&there).unwrap(), before);
    let left = fs::read_dir(board.path()).unwrap();
    let left = left.filter(|one| one.as_ref().unwrap().file_name().as_encoded_bytes()[0] == b'.');
    assert_eq!(left.count(), 0, "what they were made in is gone");
}

/// A fork is proven by each part; content that accuses its author accuses where it is, and is told where it is not.
fn check_misbehaviour(board: &Partnership, whole: &str) {
    let bundle = Bundle::of(&fs::read(whole).unwrap());
    let feeds = bundle.feeds();
    let feed = feeds.iter().find(|feed| feed.slug == "la-bury").unwrap();
    let (key, _) = keys(board, "la-bury");
    let note = |text: &str| Note { text: text.into() }.to_bytes();
    let [one, other] = ["this history", "the other history"]
        .map(|text| with_entry(feed, Kind::NOTE, note(text), &key));
    let mut forked = bundle.clone();
    forked.pieces[one.at] = Piece::Run(one.whole());
    forked.pieces.push(Piece::Run(other.part(feed.size(), feed.size() + 1)));
    let mut garbled = bundle.clone();
    let no_note = with_entry(feed, Kind::NOTE, b"\xffno note".to_vec(), &key);
    garbled.pieces[no_note.at] = Piece::Run(no_note.whole());
    let of_bury: &[&str] = &["--feed", "la-bury"];
    for (name, bundle, flags, is_lost) in [
        ("fork", &forked, of_bury, false),
        ("fork-elsewhere", &forked, &["--feed", "la-wigan"], false),
        ("garbled", &garbled, of_bury, false),
        ("garbled-elsewhere", &garbled, &["--feed", "la-wigan"], true),
    ] {
        let [file, part] = [".whole", ""].map(|end| board.file(&format!("{name}{end}.bundle")));
        fs::write(&file, bundle.to_bytes()).unwrap();
        assert_eq!(answer_code(&file), 1, "{name}");
        let exported = answer(1, &[&["export", &file], flags, &["--out", &part]].concat());
        let found = audited(&fs::read(&part).unwrap());
        assert_eq!(found["exit_code"], i32::from(!is_lost), "{name}: {found}");
        assert_eq!(list(&exported, "not_proven").len(), usize::from(is_lost), "{exported}");
    }
    let part = fs::read(board.file("fork.bundle")).unwrap();
    assert!(
        has(&part, b"this history") && has(&part, b"the other history"),
        "both histories are of the feed"
    );
}

/// Boards of which nothing is chosen are not in it; of several on which something is, all are.
fn check_two_boards(board: &Partnership, whole: &str) {
    let second = Partnership::found(&["la-leigh", "la-sale"]);
    let node = second.node_of("la-leigh");
    node.write_notes("Leigh has a board of its own\n");
    let (one, other) = (Bundle::of(&fs::read(whole).unwrap()), second.exported(node));
    let both = Bundle { pieces: [one.pieces, Bundle::of(&other).pieces].concat() };
    let file = board.file("both.bundle");
    fs::write(&file, both.to_bytes()).unwrap();
    assert_eq!(answer_code(&file), 0);
    let boards = |name: &str, flags: &[&str]| -> BTreeSet<String> {
        let part = board.file(name);
        answer(0, &[&["export", &file], flags, &["--out", &part]].concat());
        let found = audited(&fs::read(&part).unwrap());
        list(&found, "feeds").iter().map(|feed| feed["board"].to_string()).collect()
    };
    assert_eq!(boards("notes-of-both.bundle", &["--kind", "note"]).len(), 2);
    assert_eq!(boards("of-leigh.bundle", &["--feed", "la-leigh"]).len(), 1);
    let part = fs::read(board.file("of-leigh.bundle")).unwrap();
    assert!(has(&part, b"Leigh has a board of its own"));
    assert!(!has(&part, b"la-wigan"), "nothing tells that there is another board");
    assert_eq!(part, other);
}
