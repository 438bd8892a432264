//! Damaged files: truncated, with a flipped bit, or with a page of zeros, at the end or anywhere.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
};

use concordat_node::store::EngineKind;

use super::{
    Dice,
    child::{Found, Writing, find, find_set_aside},
    mounts::run,
};

const CASES: u64 = 80;
/// The log of private records.
const LOG: &str = "records.wal";

/// Files below a directory, longest unchanged first.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    let mut folders = vec![directory.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            if metadata.is_dir() {
                folders.push(entry.path());
            } else if metadata.len() > 0 {
                found.push((metadata.modified().unwrap(), entry.path()));
            }
        }
    }
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

/// Damages one file, and says how.
fn damage(directory: &Path, case: u64, dice: &mut Dice) -> String {
    let files = files(directory);
    // Which of the two was written last is chance; both have their turns.
    let is_log = |path: &&PathBuf| path.ends_with(LOG);
    let path = match case % 16 {
        0 | 1 => files.iter().find(is_log),
        of if of % 4 < 2 => files.iter().rfind(|path| !is_log(path)),
        _ => files.get(dice.index(files.len())),
    };
    let path = path.unwrap();
    let bytes = fs::read(path).unwrap();
    // The end of what was written, not of what was only reserved.
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1);
    let file = fs::File::options().write(true).open(path).unwrap();
    let done = match case % 4 {
        0 => {
            let cut = [1, 7, 100, 4_096, 65_536][dice.index(5)];
            file.set_len(end.saturating_sub(cut) as u64).unwrap();
            format!("cut by {cut}")
        }
        1 => flip(&file, &bytes, end - 1 - dice.index(end.min(8_192))),
        2 => flip(&file, &bytes, dice.index(end)),
        _ => {
            let page = dice.index(end) / 4_096 * 4_096;
            let len = (bytes.len() - page).min(4_096);
            file.write_all_at(&vec![0; len], page as u64).unwrap();
            format!("zeros at {page}")
        }
    };
    format!("{} of {}: {done}", path.strip_prefix(directory).unwrap().display(), bytes.len())
}

fn flip(file: &fs::File, bytes: &[u8], at: usize) -> String {
    file.write_all_at(&[bytes[at] ^ 0x41], at as u64).unwrap();
    format!("flipped at {at}")
}

fn copy(from: &Path, to: &Path) {
    run(Command::new("cp").args(["-a", "--sparse=always"]).args([from, to])).unwrap();
}

fn damaged_again_and_again(kind: EngineKind) {
    let place = tempfile::tempdir().unwrap();
    let home = place.path().join("good");
    // As after a crash: nothing was closed, and it was opened more than once.
    let mut durable = 0;
    for more in [60, 120, 180] {
        let mut writing = Writing::start(&home.join("store"), kind, durable);
        assert!(writing.until(more), "{:?}", writing.failed);
        durable = writing.kill();
        let Found::Whole(found) = find(&home.join("store"), kind) else { panic!("undamaged") };
        durable = durable.max(found);
    }
    let mut dice = Dice(99);
    let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
    for case in 0..CASES {
        let damaged = place.path().join("damaged");
        let _gone = fs::remove_dir_all(&damaged);
        copy(&home, &damaged);
        let how = damage(&damaged.join("store"), case, &mut dice);

        let outcome = match find(&damaged.join("store"), kind) {
            Found::Whole(entries) if entries >= durable => "all there",
            Found::Told(_) => "told",
            other => panic!("{kind}, case {case}, {how}: {durable} were durable: {other:?}"),
        };
        *outcomes.entry(outcome).or_default() += 1;
        // Whatever became of the engine, or of their log: of private records nothing is lost.
        match find_set_aside(&damaged.join("store"), kind) {
            Found::Whole(entries) if entries >= durable => {}
            other => panic!("{kind}, case {case}, {how}: {durable} were durable: {other:?}"),
        }
    }
    println!("{kind}: {outcomes:?}");
    assert!(outcomes["told"] > CASES / 8, "{outcomes:?}");
}

#[test]
fn damage_to_sled_is_told_or_does_not_matter() {
    damaged_again_and_again(EngineKind::Sled);
}

#[test]
fn damage_to_redb_is_told_or_does_not_matter() {
    damaged_again_and_again(EngineKind::Redb);
}

/// A damaged index over sled's log is made anew, and what was there is kept beside it.
#[test]
fn a_damaged_or_half_written_index_of_sled_loses_nothing() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("store");
    let mut writing = Writing::start(&directory, EngineKind::Sled, 0);
    assert!(writing.until(40));
    let durable = writing.kill();
    let is_index = |path: &PathBuf| path.to_string_lossy().contains("/snap.");
    let Found::Whole(entries) = find(&directory, EngineKind::Sled) else { panic!("undamaged") };
    assert!(entries >= durable);
    let index = files(&directory).into_iter().find(is_index).unwrap();
    fs::write(index.with_extension("generating"), b"half").unwrap();
    let mut bytes = fs::read(&index).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&index, &bytes).unwrap();

    assert_eq!(find(&directory, EngineKind::Sled), Found::Whole(entries));

    let kept = directory.join("sled.damaged").join(index.file_name().unwrap());
    assert_eq!(fs::read(kept).unwrap(), bytes);
}
