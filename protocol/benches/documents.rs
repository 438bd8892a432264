//! What documents cost: a decision of about 2,400 operations in 15 changes, by three organisations.
//!
//! Figures of many runs after one to warm up. Compare ratios, not figures of different runs.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, prints, and may end the process"
)]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use concordat_protocol::{
    artefact::{
        compare::{shared_paragraphs, touched_since},
        document::{Atom, Document, Job, Path, Skeleton, feed_of, materialise},
        edit::{Intent, ItemId, Spot, edit},
        kinds::DECISION,
        read::{read, read_at},
    },
    hash::FeedId,
    time::TimeMs,
    verdict::{Actor, ActorPrefix},
};

/// Runs of each measurement.
const RUNS: usize = 200;
/// Changes of the document that is measured.
const CHANGES: usize = 15;
/// What the editors type: 150 characters.
const SENTENCE: &str = "The hub at Wigan takes all calls after six in the evening, and hands over to \
     the wards by phone at seven in the morning, on every day of the week. ";

fn main() {
    let skeleton = Arc::new(Skeleton::new(&DECISION).unwrap());
    let (document, changes) = decision(&skeleton);
    let (twenty, after) = twenty_more(&document);
    println!(
        "decision: {} operations in {} changes, {} bytes of changes",
        document.size().operations,
        changes.len(),
        document.size().raw_bytes,
    );
    println!("  save {} bytes", document.clone().save().unwrap().len());
    println!("{:44} {:>9} {:>9} {:>9}", "microseconds", "median", "p90", "max");
    writing(&document, &changes, &twenty);
    reading(&document, &after);
}

fn writing(document: &Document, changes: &[Vec<u8>], twenty: &[Vec<u8>]) {
    let skeleton = Arc::new(Skeleton::new(&DECISION).unwrap());
    let actor = |n| Actor::of(ActorPrefix::of(&FeedId::from_bytes([9; 32])), [n; 16]);
    let typed = splice("summary", 40, "twelve words");
    line("edit: one splice of 12 characters", || {
        black_box(edit(document, vec![typed.clone()], actor(1), TimeMs(0)).unwrap());
    });
    line("apply 15 in one call, from nothing", || {
        black_box(Document::new(&skeleton).with(changes).unwrap());
    });
    line("apply one more", || {
        black_box(document.with(&twenty[..1]).unwrap());
    });
    line("apply 20 more in one call", || {
        black_box(document.with(twenty).unwrap());
    });
    line("save, in order", || {
        black_box(document.clone().save().unwrap());
    });
    // Which of the two orders of arrival differs from the causal one is for the hashes to say.
    let mut reversed = changes.to_vec();
    reversed.reverse();
    for (what, order) in [("forwards", changes.to_vec()), ("backwards", reversed)] {
        let arrived = arrived_one_by_one(&skeleton, order);
        line(&format!("save, after arrival one by one, {what}"), || {
            black_box(arrived.clone().save().unwrap());
        });
    }
    let saved = Some((document.clone().save().unwrap(), document.size()));
    let (bytes, size) = saved.clone().unwrap();
    line("load", || {
        black_box(Document::load(&skeleton, &bytes, size).unwrap());
    });
    let job = Job { skeleton: Arc::clone(&skeleton), saved, changes: twenty.to_vec(), trial: true };
    line("materialise: load, apply 20, trial save", || {
        black_box(materialise(&job).unwrap());
    });
    line("skeleton of a kind", || {
        black_box(Skeleton::new(&DECISION).unwrap());
    });
}

fn reading(document: &Document, after: &Document) {
    let heads = document.heads();
    line("read", || {
        black_box(read(document));
    });
    line("read at older heads", || {
        black_box(read_at(after, &heads));
    });
    line("who touched what in the last 20 changes", || {
        black_box(touched_since(after, &heads));
    });
    line("paragraphs changed at once, all history", || {
        black_box(shared_paragraphs(after, &[], feed_of));
    });
}

/// Prints how long the work takes.
fn line(what: &str, mut work: impl FnMut()) {
    work();
    let once = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let mut times: Vec<Duration> = (0..RUNS).map(once).collect();
    times.sort();
    let [median, p90, max] =
        [RUNS / 2, RUNS * 9 / 10, RUNS - 1].map(|at| times.get(at).unwrap().as_micros());
    println!("{what:44} {median:>9} {p90:>9} {max:>9}");
}

fn splice(at: &str, position: u64, insert: &str) -> Intent {
    Intent::Splice { at: Path::of(&[at]), position, delete: 0, insert: insert.into() }
}

fn editor(org: usize) -> Actor {
    let org = u8::try_from(org).unwrap();
    Actor::of(ActorPrefix::of(&FeedId::from_bytes([org; 32])), [org; 16])
}

/// A decision that three organisations wrote, two of them at once from time to time.
fn decision(skeleton: &Arc<Skeleton>) -> (Document, Vec<Vec<u8>>) {
    let mut documents = [0, 1, 2].map(|_| Document::new(skeleton));
    let mut changes = Vec::new();
    for n in 0..CHANGES {
        let org = n % 3;
        let item = ItemId::fresh([u8::try_from(n).unwrap(); 16]);
        let text = Path::of(&["recommendations", item.as_str(), "text"]);
        let intents = vec![
            splice(["summary", "reasons", "background"][n % 3], 0, SENTENCE),
            Intent::Set { at: Path::of(&["title"]), value: Atom::Text(format!("Title {n}")) },
            Intent::AddItem { at: Path::of(&["recommendations"]), id: item, spot: Spot::First },
            Intent::Splice { at: text, position: 0, delete: 0, insert: "Agree".into() },
        ];
        let edited = edit(&documents[org], intents, editor(org), TimeMs(0)).unwrap();
        documents[org] = edited.document;
        changes.extend(edited.changes);
        if n % 2 == 1 {
            let all: Vec<Vec<u8>> = changes.clone();
            documents = documents.map(|document| document.with(&all).unwrap());
        }
    }
    (Document::new(skeleton).with(&changes).unwrap(), changes)
}

/// Twenty more changes by one editor, and the document with them.
fn twenty_more(document: &Document) -> (Vec<Vec<u8>>, Document) {
    let mut after = document.clone();
    let mut changes = Vec::new();
    for _ in 0..20 {
        let typed = vec![splice("summary", 10, "a few words more")];
        let edited = edit(&after, typed, editor(7), TimeMs(0)).unwrap();
        after = edited.document;
        changes.extend(edited.changes);
    }
    (changes, after)
}

/// The document of a node to which the changes came singly, each as soon as what it builds on.
fn arrived_one_by_one(skeleton: &Arc<Skeleton>, mut changes: Vec<Vec<u8>>) -> Document {
    let mut document = Document::new(skeleton);
    while !changes.is_empty() {
        let mut late = Vec::new();
        for change in changes {
            match document.with(&[&change]) {
                Ok(next) => document = next,
                Err(_) => late.push(change),
            }
        }
        changes = late;
    }
    document
}
