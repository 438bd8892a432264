//! Documents go to JavaScript and come back: `@automerge/automerge` opens our saves and edits them
//! with the given actor, and we take its changes. Texts with emoji and marks keep their positions.
//!
//! The package is installed by npm, from `js/package-lock.json`, into Cargo's folder for tests. Without
//! npm the test says so and ends; with `CI` set it fails.

// Says to lints that all of this is test code.
#![cfg(test)]

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use concordat_protocol::{
    artefact::{
        document::{self, Atom, Document, Skeleton},
        edit::{Intent, ItemId, edit},
        kinds::DECISION,
        read::{Content, Held, Reading, read},
    },
    codec::hex,
    hash::FeedId,
    time::TimeMs,
    verdict::{Actor, ActorPrefix, History, Judgement},
};
use serde_json::{Value, json};

/// Where the package is installed; `None` if there is no npm here.
fn installed() -> Option<PathBuf> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("js");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("js-documents");
    fs::create_dir_all(&folder).unwrap();
    for file in ["package.json", "package-lock.json", "documents.mjs"] {
        fs::copy(sources.join(file), folder.join(file)).unwrap();
    }
    let package = folder.join("node_modules/@automerge/automerge/package.json");
    let wanted = fs::read_to_string(folder.join("package.json")).unwrap();
    let wanted: Value = serde_json::from_str(&wanted).unwrap();
    let found = fs::read_to_string(&package).unwrap_or_else(|_| "{}".into());
    let found: Value = serde_json::from_str(&found).unwrap();
    if found["version"] == wanted["dependencies"]["@automerge/automerge"] {
        return Some(folder);
    }
    let npm = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&folder)
        .stdout(Stdio::null())
        .output();
    match npm {
        Ok(done) if done.status.success() => Some(folder),
        Ok(done) => missing(&String::from_utf8_lossy(&done.stderr)),
        Err(why) => missing(&why.to_string()),
    }
}

fn missing(why: &str) -> Option<PathBuf> {
    assert!(env::var_os("CI").is_none(), "npm could not install @automerge/automerge: {why}");
    println!("not tested: npm could not install @automerge/automerge: {why}");
    None
}

fn ask(folder: &Path, question: &Value) -> Value {
    let mut node = Command::new("node")
        .arg("documents.mjs")
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    node.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
    let done = node.wait_with_output().unwrap();
    assert!(done.status.success());
    serde_json::from_slice(&done.stdout).unwrap()
}

fn path(text: &str) -> document::Path {
    document::Path::of(&text.split('/').collect::<Vec<_>>())
}

fn content<'a>(reading: &'a Reading, at: &str) -> &'a Content {
    &reading.cell(&path(at)).unwrap().content
}

/// What JavaScript says that it sees, as we see it.
fn seen(reading: &Reading) -> Value {
    let Content::Text(text) = content(reading, "summary") else { panic!("no text") };
    let values = |at| match content(reading, at) {
        Content::Scalar(values) | Content::Set(values) => values
            .iter()
            .map(|written| match &written.value {
                Held::Valid(atom) => atom.to_string(),
                Held::Invalid { shown, .. } => panic!("invalid: {shown}"),
            })
            .collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let marks: Vec<_> =
        text.marks.iter().map(|mark| json!([mark.from, mark.to, mark.name])).collect();
    json!({
        "text": text.text,
        "marks": marks,
        "title": values("title")[0],
        "years": values("finance/years"),
    })
}

fn unhex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// The canonical form of a change; JavaScript gives out long ones deflated.
fn raw(change: &Value) -> Vec<u8> {
    automerge::Change::try_from(unhex(change).as_slice()).unwrap().raw_bytes().to_vec()
}

#[test]
fn javascript_edits_our_document_and_we_read_what_it_wrote() {
    let Some(folder) = installed() else { return };
    let prefix = ActorPrefix::of(&FeedId::from_bytes([7; 32]));
    let skeleton = Arc::new(Skeleton::new(&DECISION).unwrap());
    let mark = |name: &str, from, to| Intent::Mark {
        at: path("summary"),
        from,
        to,
        name: name.into(),
        value: Atom::Bool(true),
        grows: true,
    };
    let text = |text: &str| Atom::Text(text.into());
    let intents = vec![
        Intent::Splice { at: path("summary"), position: 0, delete: 0, insert: "a😀b".into() },
        Intent::Splice { at: path("summary"), position: 4, delete: 0, insert: " 🏥 plan".into() },
        mark("strong", 1, 7),
        Intent::Set { at: path("title"), value: text("Urgent care") },
        Intent::Include { at: path("finance/years"), value: text("2017/18") },
    ];
    let ours = Actor::of(prefix, [1; 16]);
    let edited = edit(&Document::new(&skeleton), intents, ours, TimeMs(0)).unwrap();
    let mut document = edited.document;
    let theirs = Actor::of(prefix, [2; 16]);
    let item = ItemId::fresh([9; 16]);
    let answer = ask(
        &folder,
        &json!({
            "save": hex(&document.save().unwrap()),
            "actor": hex(&theirs.0),
            "item": item.as_str(),
        }),
    );
    assert_eq!(answer["before"], seen(&read(&document)));

    let changes: Vec<Vec<u8>> = answer["changes"].as_array().unwrap().iter().map(raw).collect();
    assert_eq!(changes.len(), 3);
    let mut history = History::new(skeleton.raw()).unwrap();
    for change in edited.changes.iter().chain(&changes) {
        let Judgement::Good(judged) = history.judge(change, prefix) else {
            panic!("{:?}", history.judge(change, prefix))
        };
        history.admit(judged);
    }
    let mut merged = document.with(&changes).unwrap();
    let reading = read(&merged);
    assert_eq!(answer["after"], seen(&reading));
    let agreed = path("recommendations").then(item.as_str()).then("text");
    let Content::Text(text) = &reading.cell(&agreed).unwrap().content else { panic!("no text") };
    assert_eq!(text.text, "Agree 😀");
    let Content::Text(text) = content(&reading, "summary") else { panic!("no text") };
    let blocks: Vec<_> =
        text.blocks.iter().map(|it| (it.kind.as_str(), it.text.as_str())).collect();
    assert_eq!(blocks, [("paragraph", "a😀👩‍⚕️éb 🏥 plan 😀 "), ("heading", "end")]);
    let writers: Vec<Actor> = match content(&reading, "title") {
        Content::Scalar(values) => values[0].by.iter().map(|by| by.actor).collect(),
        other => panic!("{other:?}"),
    };
    assert_eq!(writers, [theirs]);

    // JavaScript's save is one of ours, and what we edit after it stands where JavaScript put it.
    let mut loaded = Document::load(&skeleton, &unhex(&answer["save"]), merged.size()).unwrap();
    assert_eq!(loaded.save().unwrap(), merged.try_save().unwrap());
    // The five code units that JavaScript wrote after the first emoji.
    let nurse =
        Intent::Splice { at: path("summary"), position: 3, delete: 5, insert: "🙂".into() };
    let again = edit(&merged, vec![nurse], Actor::of(prefix, [3; 16]), TimeMs(0)).unwrap();
    let reading = read(&again.document);
    let Content::Text(text) = content(&reading, "summary") else { panic!("no text") };
    assert_eq!(text.text, "a😀🙂éb 🏥 plan 😀 \u{fffc}end");
}
