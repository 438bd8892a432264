//! What a node pays for 10,000 artefacts: memory, and time to open any of them, beside what its store
//! and Automerge alone need for the same bytes in the same run.
//!
//! ```text
//!   fill      three engines write the board into a store on disk, in this process
//!   measure   another process opens that store, so nothing of the filling is in its memory
//! ```
//!
//! *Opening* is all that a page needs: entries, replay, document, its fields, who wrote them, and
//! conflicts. *New* has its document in memory no more; *again* was opened just before. A number
//! as argument takes the place of 10,000: `cargo bench -p concordat-node --bench artefacts -- 500`.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_arithmetic,
    reason = "a benchmark reads the clock, divides, prints, and may end the process"
)]

#[path = "artefacts/board.rs"]
mod board;
#[path = "artefacts/work.rs"]
mod work;

use std::{
    env, fs,
    hint::black_box,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use concordat_node::{
    artefact::{Case, Span},
    control::{AsOf, Look},
    home::Home,
    organisation::Organisation,
    replica::{Question, Replica, Snapshot},
    store::{self, EngineKind, KeyRange, Order, Reader, Table},
};
use concordat_protocol::{
    artefact::{compare::touched_since, document::Document, read::read},
    engine::{Table as Shared, after_prefix},
    hash::ArtefactId,
    replay::{Dossier, conflicts, replay},
};

use board::{Board, MEMBERS};

const ARTEFACTS: usize = 10_000;
/// Openings of each measurement, if there are as many artefacts.
const OPENINGS: usize = 4_000;
/// How long opening may take, by the aims: 99 of 100 times.
const AIM: Duration = Duration::from_millis(10);
/// Rows of the store that are read at a time.
const PAGE: usize = 1_000;
const KB: u64 = 1_024;
/// Says to this program that it is to measure, and where.
const MEASURE: &str = "--measure";

fn main() {
    let args: Vec<String> = env::args().collect();
    if let Some(at) = args.iter().position(|arg| arg == MEASURE) {
        return measure(Path::new(&args[at + 1]));
    }
    let count = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(ARTEFACTS);
    let place = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let mut board = Board::found(place.path(), EngineKind::Redb);
    let ids = work::fill(&mut board, count);
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    fs::write(place.path().join("ids"), ids.join("\n")).unwrap();
    drop(board);
    println!("{count} artefacts written in {:.0} s", start.elapsed().as_secs_f64());
    let measured =
        Command::new(env::current_exe().unwrap()).arg(MEASURE).arg(place.path()).status().unwrap();
    assert!(measured.success());
}

fn measure(place: &Path) {
    let home = Home::new(&place.join(MEMBERS[0]));
    let ids = fs::read_to_string(place.join("ids")).unwrap();
    let ids: Vec<ArtefactId> = ids.lines().map(|id| id.parse().unwrap()).collect();
    let organisation = Arc::new(Organisation::load(&home).unwrap());
    let store = store::open(&home.store(), EngineKind::Redb).unwrap();
    let replica = Replica::open(&home, organisation, store.reader(), false).unwrap();
    let snapshot = replica.snapshot();
    let size = snapshot.reader().size().unwrap();
    println!(
        "store: {} rows, {} MB on disk, {:.1} entries and {:.1} kB an artefact",
        size.entries,
        size.disk_bytes / KB / KB,
        rows(snapshot.reader(), Shared::Headers) as f64 / ids.len() as f64,
        stored(snapshot.reader(), &ids) as f64 / ids.len() as f64 / KB as f64,
    );
    memory(&snapshot, &ids);
    openings(&snapshot, &ids);
}

/// What all of them leave behind in memory, opened one after the other.
fn memory(snapshot: &Snapshot, ids: &[ArtefactId]) {
    let began = resident();
    // What the store itself keeps is bounded too, and is none of the documents'.
    for table in Table::all() {
        black_box(rows(snapshot.reader(), table));
    }
    let read = resident();
    println!("{:>10} {:>12} {:>12} {:>14}", "opened", "resident MB", "more, MB", "kept documents");
    let line = |opened: usize| {
        let (now, kept) = (resident(), snapshot.documents().kept());
        let mb = |bytes: u64| bytes as f64 / (KB * KB) as f64;
        println!(
            "{opened:>10} {:>12.1} {:>12.1} {:>14}",
            mb(now),
            mb(now.saturating_sub(read)),
            kept.documents
        );
        now
    };
    println!("  at the start {} MB; the store read through:", began / KB / KB);
    line(0);
    for (number, id) in (1..).zip(ids) {
        open(snapshot, id);
        if number * 5 % ids.len() == 0 {
            line(number);
        }
    }
    let (now, kept) = (resident(), snapshot.documents().kept());
    println!(
        "  kept: {} of at most {} documents, {} kB of at most {} kB by the cache's measure",
        kept.documents,
        kept.documents_max,
        kept.bytes / KB,
        kept.bytes_max / KB
    );
    println!(
        "  resident bytes an artefact, all that was added: {}; a document kept: {}",
        now.saturating_sub(read) / ids.len() as u64,
        now.saturating_sub(read) / kept.documents as u64
    );
}

/// How long it takes to open one of them.
fn openings(snapshot: &Snapshot, ids: &[ArtefactId]) {
    // Steps of a prime visit all before any comes again, so what is met is not kept any more.
    let places: Vec<usize> =
        (0..OPENINGS.min(ids.len())).map(|turn| turn * 7_919 % ids.len()).collect();
    let (mut new, mut decided) = (vec![], vec![]);
    let worked = processor();
    for at in &places {
        let (took, _) = timed(|| open(snapshot, &ids[*at]));
        new.push(took);
        if at % work::DECIDED_EVERY == 0 {
            decided.push(took);
        }
    }
    let worked = (processor() - worked).as_secs_f64() * 1e3 / places.len() as f64;
    let (mut again, mut page, mut limit) = (vec![], vec![], vec![]);
    for at in places {
        let id = &ids[at];
        let case = open(snapshot, id);
        let mut document = case.seen().unwrap().document.clone();
        let skeleton = Arc::clone(&case.skeleton);
        drop(case);
        again.push(timed(|| open(snapshot, id)).0);
        page.push(timed(|| show(snapshot, id)).0);
        let (saved, size) = (document.save().unwrap(), document.size());
        let load = || {
            black_box(raw(snapshot.reader(), id));
            Document::load(&skeleton, &saved, size).unwrap()
        };
        limit.push(timed(load).0);
    }
    let limit = line("limit: rows from the store, Automerge loads", &mut limit, None);
    let is_new = ids.len() > 2 * snapshot.documents().kept().documents_max;
    let what = if is_new { "opening, new" } else { "opening, new or kept (too few for new)" };
    let (_, p99) = line(what, &mut new, Some(limit));
    println!("  of it the processor worked {worked:.2} ms, on average");
    line("opening, new, of those that were decided", &mut decided, Some(limit));
    line("opening, again", &mut again, Some(limit));
    line("the page of one, again", &mut page, Some(limit));
    parts(snapshot, ids);
    let met = if p99 <= AIM { "met" } else { "missed" };
    println!("  aim: 99 of 100 new within {} ms: {met}", AIM.as_millis());
}

/// For how long a processor has worked for this thread: on a machine that does other work too, less
/// than the time that passed.
fn processor() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

/// What opening one consists of, each part by itself.
fn parts(snapshot: &Snapshot, ids: &[ArtefactId]) {
    let mut times: [Vec<Duration>; 6] = Default::default();
    for turn in 0..OPENINGS.min(ids.len()) / 4 {
        let id = &ids[turn * 7_919 % ids.len()];
        let case = open(snapshot, id);
        let reader = snapshot.reader();
        let (gathering, dossier) = timed(|| Dossier::gather(reader, case.board, id, false));
        let dossier = dossier.unwrap();
        let (replaying, replayed) = timed(|| replay(case.ground(), &dossier));
        let changes: Vec<&[u8]> = replayed.applied().collect();
        let empty = Document::new(&case.skeleton);
        let (applying, document) = timed(|| empty.with(&changes).unwrap());
        let (reading, fields) = timed(|| read(&document));
        let (comparing, _) = timed(|| conflicts(&replayed, &document, &fields));
        let (touching, _) = timed(|| touched_since(&document, &[]));
        let took = [gathering, replaying, applying, reading, comparing, touching];
        times.iter_mut().zip(took).for_each(|(times, took)| times.push(took));
    }
    let names =
        ["entries", "replay", "document", "fields", "conflicts", "who wrote what, for a page"];
    for (name, mut times) in names.into_iter().zip(times) {
        line(&format!("  of it: {name}"), &mut times, None);
    }
}

/// Prints a line, and gives median and 99th percentile.
fn line(
    what: &str,
    times: &mut [Duration],
    limit: Option<(Duration, Duration)>,
) -> (Duration, Duration) {
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let (median, p99, max) = (at(50), at(99), at(100));
    let ratio = limit.map(|(of, high)| {
        let (median, p99) = (ms(median) / ms(of), ms(p99) / ms(high));
        format!("{median:>7.1} and {p99:.1} times the limit")
    });
    println!(
        "{what:46} p50 {:>8.2} ms  p99 {:>8.2}  max {:>8.2} {}",
        ms(median),
        ms(p99),
        ms(max),
        ratio.unwrap_or_default()
    );
    (median, p99)
}

fn open<'a>(snapshot: &'a Snapshot, id: &ArtefactId) -> Case<'a> {
    let case = Case::of(snapshot, &id.to_string(), &Span::Look(AsOf::Now)).unwrap();
    assert!(case.seen.is_ok());
    case
}

fn show(snapshot: &Snapshot, id: &ArtefactId) {
    let look = Look::Show { artefact: id.to_string(), as_of: AsOf::Now };
    black_box(snapshot.answer(Question::Look(look), None));
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let made = work();
    (start.elapsed(), made)
}

/// Bytes of the rows that hold the entries about an artefact.
fn raw(reader: &Reader, id: &ArtefactId) -> u64 {
    let prefix = id.as_bytes().to_vec();
    let end = after_prefix(&prefix).unwrap();
    let range = KeyRange::between(prefix, end);
    let places = reader.scan(Shared::Placed, &range, usize::MAX, Order::Ascending).unwrap();
    let of = |key: &[u8]| {
        let place = &key[id.as_bytes().len()..];
        let row = |table| reader.get(table, place).unwrap().map_or(0, |row| row.len() as u64);
        row(Shared::Headers) + row(Shared::Payloads)
    };
    places.iter().map(|(key, _)| of(key)).sum()
}

fn stored(reader: &Reader, ids: &[ArtefactId]) -> u64 {
    ids.iter().map(|id| raw(reader, id)).sum()
}

/// Rows of a table, read a page at a time.
fn rows(reader: &Reader, table: impl Into<Table> + Copy) -> usize {
    let (mut next, mut count) = (Vec::new(), 0);
    loop {
        // No key is longer.
        let range = KeyRange::between(next, vec![u8::MAX; 256]);
        let page = reader.scan(table, &range, PAGE, Order::Ascending).unwrap();
        let Some((last, _)) = page.last() else { return count };
        next = [last, &[0][..]].concat();
        count += page.len();
    }
}

/// Bytes of memory that this process has, as the kernel counts them.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * KB
}
