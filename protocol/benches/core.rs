//! What the core costs, beside what the machine allows, measured in the same run.
//!
//! Figures of five runs after one to warm up. Compare ratios, not figures of different runs.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    reason = "a benchmark reads the clock, divides, prints, and may end the process"
)]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use concordat_protocol::{
    codec::Fixed,
    feed::{CompactEntry, Descriptor, Header, Kind, Run, Salted, Sealed, Tip, verify_run},
    hash::{BoardId, CharterHash, OrgId, Tag, hash},
    identity::{KeyPair, Signer},
    time::TimeMs,
};

/// Entries that are verified in one run of the benchmark.
const ENTRIES: usize = 100_352;
/// Payload of an entry, in bytes: the median of a change by one person.
const PAYLOAD_BYTES: usize = 300;
/// Runs of each measurement.
const RUNS: usize = 5;
/// What SHA-256 sees of an entry: its header twice (id and leaf), its payload with the salt once.
const BYTES_HASHED: usize = 2 * 190 + PAYLOAD_BYTES + 16;

fn main() {
    let sha = per_second(sha256_of_a_megabyte());
    let checks = per_second(strict_signature_checks());
    let entries = per_second(verified_entries());
    let hashed = entries[1] * BYTES_HASHED as f64;
    println!(
        "{:44} {:>12} {:>12} {:>12}",
        "Core, one core of this machine", "min", "median", "max"
    );
    line("limit: SHA-256, MB/s", sha.map(|rate| rate / 1e6));
    line("limit: Ed25519 strict checks, 1/s", checks);
    line("entries verified from run bytes, 1/s", entries);
    println!("  aim 250,000 entries/s: {:.2} times the aim", entries[1] / 250_000.0);
    println!("  bytes hashed, as a share of the SHA-256 limit: {:.2}", hashed / sha[1]);
    println!("  entries for one signature check: {:.1}", entries[1] / checks[1]);
}

fn line(what: &str, [min, median, max]: [f64; 3]) {
    println!("{what:44} {min:>12.0} {median:>12.0} {max:>12.0}");
}

/// The seconds that each run took, and how many things it did.
type Timings = (Vec<Duration>, f64);

fn per_second((times, count): Timings) -> [f64; 3] {
    let mut rates: Vec<f64> = times.iter().map(|time| count / time.as_secs_f64()).collect();
    rates.sort_by(f64::total_cmp);
    [rates[0], rates[rates.len() / 2], rates[rates.len() - 1]]
}

fn timed(count: f64, mut work: impl FnMut()) -> Timings {
    work();
    let once = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    ((0..RUNS).map(once).collect(), count)
}

fn sha256_of_a_megabyte() -> Timings {
    let megabyte = vec![7u8; 1_000_000];
    timed(100.0 * 1e6, || {
        for _ in 0..100 {
            black_box(hash(Tag::Payload, &[black_box(&megabyte)]));
        }
    })
}

fn strict_signature_checks() -> Timings {
    let pair = KeyPair::from_seed(&[1; 32]);
    let message = [2u8; 160];
    let signature = pair.sign(Tag::Head, &message);
    timed(5_000.0, || {
        for _ in 0..5_000 {
            let checked = pair.public().verify(Tag::Head, black_box(&message), &signature);
            assert_eq!(checked, Ok(()));
        }
    })
}

fn verified_entries() -> Timings {
    let (descriptor, runs) = feed_of(ENTRIES);
    timed(ENTRIES as f64, || {
        let mut tip = Tip::empty(descriptor.feed_id());
        for bytes in &runs {
            let run = Run::from_bytes(black_box(bytes)).expect("our own run decodes");
            tip = verify_run(&tip, &descriptor, run).expect("our own run verifies").tip().clone();
        }
        assert_eq!(tip.size(), ENTRIES as u64);
    })
}

/// A feed of notes in full runs.
fn feed_of(entries: usize) -> (Descriptor, Vec<Vec<u8>>) {
    let pair = KeyPair::from_seed(&[3; 32]);
    let descriptor = Descriptor {
        board: BoardId::from_bytes([1; 32]),
        org: OrgId::from_bytes([2; 32]),
        epoch: 0,
        key: pair.public(),
    };
    let mut tip = Tip::empty(descriptor.feed_id());
    let runs = (0..entries / 256).map(|_| run_of_256(&mut tip, &descriptor, &pair)).collect();
    (descriptor, runs)
}

fn run_of_256(tip: &mut Tip, descriptor: &Descriptor, pair: &KeyPair) -> Vec<u8> {
    let (from, before, start) = (tip.size(), tip.id(), tip.clone());
    let mut run = Run { feed: tip.feed(), from, before, entries: vec![], heads: vec![] };
    for i in 0..256u64 {
        let seq = from + i;
        let kind = if seq == 0 { Kind::OPEN_FEED } else { Kind::NOTE };
        let payload = Salted::new(Fixed([5; 16]), vec![seq as u8; PAYLOAD_BYTES]);
        let sealed = Sealed { payload, attribution: None };
        let header = Header {
            feed: tip.feed(),
            seq,
            prev: tip.id(),
            charter: CharterHash::from_bytes([4; 32]),
            t: TimeMs(1_500_000_000_000 + seq),
            kind,
            artefact: None,
            refs: vec![],
            payload_hash: sealed.payload.hash(Tag::Payload),
            payload_len: PAYLOAD_BYTES as u64,
            attribution_hash: None,
        };
        tip.replay(&header.to_bytes()).expect("our own header fits");
        run.entries.push(CompactEntry::of(header, Some(sealed)));
        if tip.is_mandatory() && i < 255 {
            run.heads.push(tip.head().sign(pair));
        }
    }
    run.heads.push(tip.head().sign(pair));
    let bytes = run.to_bytes();
    verify_run(&start, descriptor, run).expect("our own run verifies");
    bytes
}
