//! How many entries an engine commits in a second, beside what the disk does with an fsync and nothing else.
//!
//! An entry is two rows, of a header and of a payload, 340 bytes together. A commit is durable on return: with
//! sled and redb that is an fsync of the store and one of the high-water file.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    reason = "a benchmark reads the clock, divides, prints, and may end the process"
)]

use std::{
    fs::File,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use concordat_node::store::{self, EngineKind, Op, Store};
use concordat_protocol::engine::Table;

const GROUPS: [u64; 3] = [1, 64, 1_024];
/// Of each measurement; the median of them is told, and the least and the most.
const SLICES: usize = 5;
const SLICE: Duration = Duration::from_secs(1);
const HEADER: usize = 140;
const PAYLOAD: usize = 200;

fn main() {
    println!(
        "{:<30} {:>22} {:>22} {:>22}",
        "entries a second in groups of", GROUPS[0], GROUPS[1], GROUPS[2]
    );
    let place = tempfile::tempdir().unwrap();
    for kind in [EngineKind::Sled, EngineKind::Redb] {
        let store = store::open(&place.path().join(kind.name()), kind).unwrap();
        let mut next = 0;
        let cells = GROUPS.map(|group| {
            rates(group, || {
                commit(&store, next, group);
                next += group;
            })
        });
        line(kind.name(), cells);
    }
    let mut file = File::create(place.path().join("raw")).unwrap();
    let raw = GROUPS.map(|group| rates(group, || append(&mut file, group)));
    line("limit: append, one fsync", raw);
    println!("fsyncs a second, raw: {}", rate(1, || append(&mut file, 1)).round());
    check(place.path());
}

fn commit(store: &Store, first: u64, group: u64) {
    let ops = (first..first + group).flat_map(|number| {
        let key = number.to_be_bytes().to_vec();
        let bytes = |length| number.to_be_bytes().into_iter().cycle().take(length).collect();
        [
            Op::put(Table::Headers, key.clone(), bytes(HEADER)),
            Op::put(Table::Payloads, key, bytes(PAYLOAD)),
        ]
    });
    let _durable = store.commit(ops.collect()).unwrap();
}

fn append(file: &mut File, group: u64) {
    let bytes = vec![7; (HEADER + PAYLOAD) * usize::try_from(group).unwrap()];
    file.write_all(&bytes).unwrap();
    file.sync_all().unwrap();
}

/// The least, the median and the most of several slices.
fn rates(group: u64, mut commit: impl FnMut()) -> [f64; 3] {
    let mut rates: Vec<f64> = (0..SLICES).map(|_| rate(group, &mut commit)).collect();
    rates.sort_by(f64::total_cmp);
    [rates[0], rates[SLICES / 2], rates[SLICES - 1]]
}

fn rate(group: u64, mut commit: impl FnMut()) -> f64 {
    let (start, mut entries) = (Instant::now(), 0_u64);
    while start.elapsed() < SLICE {
        commit();
        entries += group;
    }
    entries as f64 / start.elapsed().as_secs_f64()
}

fn line(what: &str, cells: [[f64; 3]; 3]) {
    let cell = |[least, median, most]: [f64; 3]| format!("{median:.0} ({least:.0}-{most:.0})");
    let [one, some, many] = cells.map(cell);
    println!("{what:<30} {one:>22} {some:>22} {many:>22}");
}

/// What was committed is what is there: a benchmark of an engine that loses rows would tell nothing.
fn check(place: &Path) {
    for kind in [EngineKind::Sled, EngineKind::Redb] {
        let store = store::open(&place.join(kind.name()), kind).unwrap();
        store.reader().scrub().unwrap();
    }
}
