//! Runs simulated partnerships by the thousand.
//!
//! ```text
//! sim --seeds N [--from K] [--quick]     seeds K … K+N-1, each twice (with --quick every tenth)
//!     [--keep-going]                     one line for each seed that fails, instead of the first's trace
//! sim --seed S [--verbose]               one seed
//! exit   0 passed · 1 something never occurred · 2 safety · 3 liveness · 4 crash
//!        5 two runs of one seed differed · 64 wrong usage
//! ```
//!
//! Over 200 seeds or more, every fault and every message kind has to occur; over 2,000, every kind of
//! event, conflict, intent, act and hostile change about artefacts too.

use std::{
    collections::BTreeMap,
    io::Write,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use concordat_integration_tests::{
    outcome::{Exit, Outcome},
    sim::{Profile, Sim, artefacts::tally},
    trace::{Counts, FAULTS, Group},
};
use concordat_protocol::sync::Message;

const USAGE: &str =
    "usage: sim --seeds N [--from K] [--quick] [--keep-going] | sim --seed S [--verbose]";
/// From so many seeds on, what never occurs is a fault of the simulator.
const ENOUGH: u64 = 200;
/// From so many on, every event, conflict, intent and hostile change has to occur.
const A_FULL_RUN: u64 = 2_000;

#[derive(Debug, Clone, Copy)]
struct Args {
    from: u64,
    seeds: u64,
    is_quick: bool,
    is_verbose: bool,
    keeps_going: bool,
}

/// Sums over many runs.
#[derive(Debug, Default)]
struct Totals {
    runs: u64,
    virtual_ms: u64,
    slowest_agreement: (u64, u64),
    slowest_seed: (Duration, u64),
    counts: Counts,
    failures: BTreeMap<u64, (u8, String)>,
}

fn main() -> ExitCode {
    let Some(args) = read_args(std::env::args().skip(1)) else {
        say(USAGE);
        return ExitCode::from(64);
    };
    let begun = Instant::now();
    let totals = Mutex::new(Totals::default());
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| work(args, &next, &totals));
        }
        scope.spawn(|| watch(args, begun, &totals));
    });
    let totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
    say(&table(args, &totals, begun.elapsed()));
    ExitCode::from(exit_code(args, &totals))
}

fn read_args(mut words: impl Iterator<Item = String>) -> Option<Args> {
    let mut args =
        Args { from: 0, seeds: 0, is_quick: false, is_verbose: false, keeps_going: false };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seeds" => args.seeds = words.next()?.parse().ok()?,
            "--from" => args.from = words.next()?.parse().ok()?,
            "--seed" => (args.from, args.seeds) = (words.next()?.parse().ok()?, 1),
            "--quick" => args.is_quick = true,
            "--verbose" => args.is_verbose = true,
            "--keep-going" => args.keeps_going = true,
            _ => return None,
        }
    }
    (args.seeds > 0).then_some(args)
}

/// Takes seed after seed until all are done or something failed.
fn work(args: Args, next: &AtomicU64, totals: &Mutex<Totals>) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let failed = !lock(totals).failures.is_empty();
        if number >= args.seeds || failed && !args.keeps_going {
            return;
        }
        let seed = args.from + number;
        let begun = Instant::now();
        let (outcome, failure) =
            run(seed, !args.is_quick || number.is_multiple_of(10), args.is_verbose);
        let mut totals = lock(totals);
        totals.runs += 1;
        totals.slowest_seed = totals.slowest_seed.max((begun.elapsed(), seed));
        if let Some(outcome) = outcome {
            totals.virtual_ms += outcome.virtual_ms;
            totals.slowest_agreement = totals.slowest_agreement.max((outcome.agreed_ms, seed));
            totals.counts.join(&outcome.counts);
        }
        if let Some((_, why)) = failure.as_ref().filter(|_| args.keeps_going) {
            say(why.lines().find(|line| line.starts_with("seed ")).unwrap_or(why));
        }
        totals.failures.extend(failure.map(|failure| (seed, failure)));
    }
}

fn run(seed: u64, twice: bool, is_verbose: bool) -> (Option<Outcome>, Option<(u8, String)>) {
    let once = || Sim::new(seed, Profile::default()).map(|sim| sim.traced(is_verbose).run());
    let first = match once() {
        Ok(outcome) => outcome,
        Err(why) => return (None, Some((4, format!("seed {seed} founds no board: {why:?}")))),
    };
    if first.exit != Exit::Passed {
        let code = match first.exit {
            Exit::Passed => 0,
            Exit::Safety => 2,
            Exit::Liveness => 3,
            Exit::Crash => 4,
        };
        let failure = first.to_string();
        return (Some(first), Some((code, failure)));
    }
    let differs = twice && once().is_ok_and(|second| second.trace_hash != first.trace_hash);
    let failure = differs.then(|| (5, format!("two runs of seed {seed} differ")));
    (Some(first), failure)
}

fn watch(args: Args, begun: Instant, totals: &Mutex<Totals>) {
    let mut shown = Instant::now();
    loop {
        thread::sleep(Duration::from_millis(100));
        let totals = lock(totals);
        if totals.runs >= args.seeds || !totals.failures.is_empty() && !args.keeps_going {
            return;
        }
        if shown.elapsed() >= Duration::from_secs(5) {
            shown = Instant::now();
            say(&format!(
                "{} of {} seeds, {} s",
                totals.runs,
                args.seeds,
                begun.elapsed().as_secs()
            ));
        }
    }
}

fn table(args: Args, totals: &Totals, took: Duration) -> String {
    let mut text = String::new();
    // With --keep-going each was told when it failed, so that a run that is stopped has told it too.
    for (_, failure) in totals.failures.values().filter(|_| !args.keeps_going) {
        text.push_str(failure);
        text.push('\n');
    }
    let (agreed_ms, agreed_seed) = totals.slowest_agreement;
    let (slowest, slowest_seed) = totals.slowest_seed;
    text.push_str(&format!(
        "{} seeds in {} s; {} h of virtual time; slowest agreement {} s after healing (seed {agreed_seed}); slowest seed {} ms (seed {slowest_seed})\n",
        totals.runs,
        took.as_secs(),
        totals.virtual_ms / 3_600_000,
        agreed_ms / 1000,
        slowest.as_millis(),
    ));
    for (title, group) in [
        ("faults", Group::Fault),
        ("messages sent", Group::Message),
        ("reports of honest nodes", Group::Report),
        ("answers to staff", Group::Answer),
        ("acts about artefacts", Group::Act),
        ("intents", Group::Intent),
        ("events and remarks with effect", Group::Event),
        ("conflicts shown", Group::Conflict),
        ("hostile changes met", Group::Hostile),
        ("compared with bundles", Group::Audit),
    ] {
        text.push_str(&format!("\n{title}\n"));
        for (name, many) in totals.counts.group(group) {
            text.push_str(&format!("  {many:>12}  {name}\n"));
        }
    }
    text
}

fn exit_code(args: Args, totals: &Totals) -> u8 {
    if let Some((code, _)) = totals.failures.values().next() {
        return *code;
    }
    let due = FAULTS.iter().map(|name| (Group::Fault, *name));
    let due = due.chain(Message::NAMES.iter().map(|name| (Group::Message, *name)));
    let due = due.map(|(group, name)| (group, name.to_string()));
    let rare = tally::due().into_iter().filter(|_| args.seeds >= A_FULL_RUN);
    let absent: Vec<String> = due
        .chain(rare)
        .filter(|(group, name)| totals.counts.of(*group, name) == 0)
        .map(|(_, name)| name)
        .collect();
    if args.seeds < ENOUGH || absent.is_empty() {
        return 0;
    }
    say(&format!("never occurred: {}", absent.join(", ")));
    1
}

fn lock(totals: &Mutex<Totals>) -> std::sync::MutexGuard<'_, Totals> {
    totals.lock().unwrap_or_else(PoisonError::into_inner)
}

fn say(text: &str) {
    // Nobody is left to hear that standard output is closed.
    let _closed = writeln!(std::io::stdout().lock(), "{text}");
}
