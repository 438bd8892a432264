//! The verdict beside the real Automerge: honest changes are refused never, and what passes does no
//! harm. `make fuzz-verdict` does the same at length.

// Says to lints that all of this is test code.
#![cfg(test)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use automerge::{Automerge, Change};
use concordat_integration_tests::{
    changes::{
        FEED, Taken,
        change::hash_of,
        editors, harm,
        hostile::{Expected, Ground},
        mutants, skeleton, take_shuffled, wild,
    },
    sim::rng::Rng,
};

#[test]
fn no_change_of_an_honest_editor_is_refused_in_any_order() {
    let mut changes = 0;
    for seed in 0..40 {
        let mut rng = Rng::named(seed, "honest");
        let raw = editors::raw_changes(&editors::write(&mut rng, 24).unwrap());
        changes += raw.len();
        for _ in 0..2 {
            let expected = Taken { good: raw.len() - 1, ..Taken::default() };
            assert_eq!(take_shuffled(&raw, &mut rng), Ok(expected), "seed {seed}");
        }
    }
    assert!(changes > 600, "{changes}");
}

#[test]
fn mutants_that_pass_do_no_harm_and_are_judged_by_their_closure_alone() {
    for (mutation, account) in mutants::run(1, 250, 6) {
        assert!(account.mutants >= 250 && account.good > 5, "{mutation:?}: {account:?}");
        assert!(account.harms.is_empty() && account.impure == 0, "{mutation:?}: {account:?}");
    }
}

#[test]
fn wild_histories_that_pass_do_no_harm() {
    let account = wild::run(1_000_000, 60).unwrap();
    assert!(account.changes > 500, "{account:?}");
    assert!(account.harms.is_empty(), "{account:?}");
}

#[test]
fn the_controls_of_the_hostile_table_do_no_harm_and_the_ground_is_sound() {
    let skeleton = skeleton();
    let ground = Ground::over(hash_of(&skeleton), 3, FEED.0);
    let parse = |raw: &Vec<u8>| Change::from_bytes(raw.clone()).unwrap();
    let before = [parse(&skeleton), parse(&ground.base), parse(&ground.concurrent)];
    let mut controls = 0;
    for row in ground.rows() {
        if matches!(row.expected, Expected::Good | Expected::GoodAfterConcurrent) {
            let change = [parse(&row.bytes)];
            let endured = harm::endure(&Automerge::new(), &[&before, &change]);
            assert!(endured.is_ok(), "{}: {endured:?}", row.name);
            controls += 1;
        }
    }
    assert_eq!(controls, 6);
}

fn js() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("js")
}

/// The corpus as it stands in the repository.
fn corpus() -> String {
    fs::read_to_string(js().join("corpus.txt")).unwrap()
}

fn from_hex(line: &str) -> Vec<u8> {
    let pairs = line.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[test]
fn no_change_of_the_automerge_that_browsers_run_is_refused() {
    let mut rng = Rng::named(1, "corpus");
    let mut changes = 0;
    for document in corpus().split("\n\n") {
        let raw: Vec<Vec<u8>> = document.lines().map(from_hex).collect();
        assert_eq!(raw[0], skeleton(), "corpus.mjs has another skeleton");
        changes += raw.len();
        for _ in 0..5 {
            let expected = Taken { good: raw.len() - 1, ..Taken::default() };
            assert_eq!(take_shuffled(&raw, &mut rng), Ok(expected));
        }
    }
    assert!(changes > 200, "{changes}");
}

/// Runs a program in the folder of the corpus; what it printed, or why it failed.
fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(arguments).current_dir(js()).output();
    let output = output.map_err(|why| format!("{program}: {why}"))?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap());
    }
    Err(format!("{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The corpus stands in the repository, so the test above is real everywhere. Where npm is, it is
/// made anew; with `CI` set, an npm that is there must also work.
#[test]
fn the_corpus_is_what_the_automerge_that_browsers_run_writes() {
    if let Err(why) = run("npm", &["--version"]) {
        println!("not made anew: {why}");
        return;
    }
    if let Err(why) = run("npm", &["ci", "--silent", "--no-audit", "--no-fund"]) {
        assert!(std::env::var_os("CI").is_none(), "{why}");
        println!("not made anew: {why}");
        return;
    }
    let made = run("npm", &["run", "--silent", "corpus"]).unwrap();
    assert!(made == corpus(), "corpus.txt differs from what corpus.mjs writes");
}
