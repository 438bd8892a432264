//! What a verdict costs, beside what Automerge needs to read and apply the same change.
//!
//! Figures of eleven runs after one to warm up. Compare ratios, not figures of different runs.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    reason = "a benchmark reads the clock, divides, prints, and may end the process"
)]

use std::{hint::black_box, time::Instant};

use automerge::{
    Automerge, Change, ObjId, ObjType, ROOT, ReadDoc,
    transaction::{CommitOptions, Transactable},
};
use concordat_integration_tests::{
    changes::{
        FEED, change,
        change::{Id, Op, action, hash_of},
        document, editors, fresh_actor, skeleton, take,
    },
    sim::rng::Rng,
};
use concordat_protocol::{
    limits::{DOCUMENT_OPERATIONS_MAX, MARKS_MAX, OPERATIONS_MAX},
    verdict::{History, Judgement},
};

/// Runs of each measurement.
const RUNS: usize = 11;
/// Changes in a batch.
const BATCH: usize = 20;

fn main() {
    let mut rng = Rng::named(1, "bench");
    let (base, more) = edited(&mut rng);
    let raw: Vec<Vec<u8>> = more.iter().map(|change| change.raw_bytes().to_vec()).collect();
    let first = &raw[0];
    println!("{:52} {:>10} {:>10} {:>10}", "Microseconds, one core", "min", "median", "max");

    let history = || history(&base);
    let one = measured(&history, |history| good(history, first));
    line("verdict on one change", one);
    let twenty = measured(&history, |history| {
        raw.iter().for_each(|raw| take(history, raw).unwrap());
    });
    line("verdict on 20 in a row, admitted", twenty);
    let apply_one = measured(&|| base.clone(), |document| apply(document, &raw[..1]));
    line("Automerge: read and apply the one", apply_one);
    let apply_twenty = measured(&|| base.clone(), |document| apply(document, &raw));
    line("Automerge: read and apply the 20 in one call", apply_twenty);
    let whole = measured(&|| (), |()| drop(black_box(self::history(&base))));
    line("the history of the whole document, from its changes", whole);
    println!(
        "  verdict, as a share of Automerge: {:.4} of one, {:.4} of 20",
        one[1] / apply_one[1],
        twenty[1] / apply_twenty[1]
    );
    println!(
        "  changes a second: {:.0} singly, {:.0} in batches; with Automerge {:.0} and {:.0}",
        1e6 / one[1],
        BATCH as f64 * 1e6 / twenty[1],
        1e6 / (one[1] + apply_one[1]),
        BATCH as f64 * 1e6 / (twenty[1] + apply_twenty[1])
    );
    let held = history();
    println!("  memory of that history: {} bytes, {} changes", held.memory(), held.changes());

    let (deep, marks) = deepest();
    line("256 marks over a chain of 2,000,000 spans", measured(&|| (), |()| good(&deep, &marks)));
    println!("  memory of that history: {} bytes", deep.memory());
}

fn line(what: &str, [min, median, max]: [f64; 3]) {
    println!("{what:52} {min:>10.1} {median:>10.1} {max:>10.1}");
}

/// Microseconds that the work takes on what `fresh` makes.
fn measured<T>(fresh: &impl Fn() -> T, work: impl Fn(&mut T)) -> [f64; 3] {
    let once = |_| {
        let mut on = fresh();
        let start = Instant::now();
        work(&mut on);
        start.elapsed().as_secs_f64() * 1e6
    };
    let mut times: Vec<f64> = (0..=RUNS).map(once).skip(1).collect();
    times.sort_by(f64::total_cmp);
    [times[0], times[RUNS / 2], times[RUNS - 1]]
}

fn good(history: &History, raw: &[u8]) {
    let judgement = black_box(history.judge(black_box(raw), FEED));
    assert!(matches!(judgement, Judgement::Good(_)), "{judgement:?}");
}

fn apply(document: &mut Automerge, raw: &[Vec<u8>]) {
    let changes = raw.iter().map(|raw| Change::from_bytes(raw.clone()).unwrap());
    document.apply_changes(changes.collect::<Vec<_>>()).unwrap();
}

fn history(document: &Automerge) -> History {
    let mut history = History::new(&skeleton()).unwrap();
    for raw in editors::raw_changes(document).iter().skip(1) {
        take(&mut history, raw).unwrap();
    }
    history
}

/// A document of three people in 15 changes, about 2,400 operations, and 20 changes more.
fn edited(rng: &mut Rng) -> (Automerge, Vec<Change>) {
    let mut document = document().unwrap();
    let actors = [fresh_actor(rng), fresh_actor(rng), fresh_actor(rng)];
    let text = |document: &Automerge| document.get(ROOT, "title").unwrap().unwrap().1;
    for round in 0..15 {
        document.set_actor(actors[round % 3].clone());
        let body = text(&document);
        let phrases = if round == 0 { 8 } else { 3 };
        edit(&mut document, &body, phrases, rng);
    }
    let heads = document.get_heads();
    let mut later = document.clone().with_actor(fresh_actor(rng));
    for _ in 0..BATCH {
        let body = text(&later);
        edit(&mut later, &body, 1, rng);
    }
    let more = later.get_changes(&heads);
    assert_eq!(more.len(), BATCH);
    (document, more)
}

fn edit(document: &mut Automerge, body: &ObjId, phrases: usize, rng: &mut Rng) {
    let mut tx = document.transaction();
    for _ in 0..phrases {
        let at = rng.place(tx.length(body) + 1);
        let deleted = (tx.length(body) - at).min(rng.place(5)).cast_signed();
        let phrase = "resolves to approve the budget for the quarter ";
        tx.splice_text(body, at, deleted, phrase).unwrap();
    }
    tx.put(ROOT, "version", rng.below(1000).cast_signed()).unwrap();
    let _item = tx.put_object(ROOT, format!("item {}", rng.below(9)), ObjType::Map).unwrap();
    tx.commit_with(CommitOptions::default().with_time(0));
}

/// The deepest text that a document may hold, each element a span of its own, and the dearest change.
fn deepest() -> (History, Vec<u8>) {
    let actor = [&FEED.0[..], &[1; 16]].concat();
    let text = Id { counter: 1, actor: vec![0; 32] };
    let id = |counter| Id { counter, actor: actor.clone() };
    let mut history = History::new(&skeleton()).unwrap();
    let mut on = hash_of(&skeleton());
    let mut next = 4;
    let write = |on, next: u64, seq, operations| change::Change {
        dependencies: vec![on],
        actor: actor.clone(),
        seq,
        start_op: next,
        time: 0,
        message: Vec::new(),
        operations,
        extra: Vec::new(),
    };
    // Blocks each after the one before: no two share a span.
    for seq in 1..DOCUMENT_OPERATIONS_MAX / OPERATIONS_MAX {
        let block = |counter| {
            let after = (counter > 4).then(|| id(counter - 1));
            Op::insert(text.clone(), after, action::MAP)
        };
        let raw =
            write(on, next, seq, (next..next + OPERATIONS_MAX).map(block).collect()).to_bytes();
        take(&mut history, &raw).unwrap();
        on = hash_of(&raw);
        next += OPERATIONS_MAX;
    }
    let marks = (0..u64::from(MARKS_MAX)).flat_map(|at| {
        let (begin, end) = (id(4 + at), id(next - 1 - at));
        [Op::mark_begin(text.clone(), Some(begin)), Op::mark_end(text.clone(), Some(end))]
    });
    let marks = write(on, next, DOCUMENT_OPERATIONS_MAX / OPERATIONS_MAX, marks.collect());
    (history, marks.to_bytes())
}
