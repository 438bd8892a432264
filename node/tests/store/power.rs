//! Power that fails: only what the file system had sent to its disk is there afterwards.
//!
//! The disk is a file. The writer is stopped after some commits, the file is copied, and the copy is
//! mounted as a machine would after a cut: ext4 replays its journal, and the store is opened twice and set aside.
//! The file system is told to write nothing by itself for five minutes. No drive's cache is modelled.

use std::{
    ffi::{OsStr, OsString},
    fs,
    path::Path,
    process::Command,
    thread,
    time::Duration,
};

use concordat_node::store::EngineKind;

use super::{
    Dice,
    child::{Found, Writing, find, find_set_aside},
    mounts::{Mount, not_tested, run},
};

const CUTS: u64 = 20;
const IMAGE_BYTES: u64 = 256 * 1024 * 1024;

fn mount(image: &Path, options: &str, point: &Path) -> Option<Mount> {
    Mount::new(&["-t", "ext4", "-o", options, image.to_str().unwrap()], point)
}

/// What was found after one cut, and how many entries were durable; `None` where it cannot be tried.
fn cut(
    place: &Path,
    kind: EngineKind,
    dice: &mut Dice,
    preload: Option<&OsStr>,
) -> Option<(u64, [Found; 3])> {
    let (image, copy) = (place.join("image"), place.join("copy"));
    let file = fs::File::create(&image).unwrap();
    file.set_len(IMAGE_BYTES).unwrap();
    drop(file);
    if let Err(why) = run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image)) {
        return not_tested(&format!("mkfs.ext4: {why}"));
    }
    let mounted = mount(&image, "loop,commit=300", &place.join("before"))?;
    let directory = |at: &str| place.join(at).join("home/store");
    fs::create_dir_all(place.join("before/home")).unwrap();
    let writing = Writing::start(&directory("before"), kind, 0);
    let begun = {
        let mut writing = writing;
        assert!(writing.until(20), "{:?}", writing.failed);
        writing.kill()
    };
    run(Command::new("sync").arg("-f").arg(place.join("before"))).unwrap();
    // What was written but not called durable may be there.
    let Found::Whole(from) = find(&directory("before"), kind) else { panic!("before the cut") };
    assert!(from >= begun);

    let mut writing = Writing::start_with(&directory("before"), kind, from, preload);
    assert!(writing.until(from + 1 + dice.below(60)), "{:?}", writing.failed);
    thread::sleep(Duration::from_millis(dice.below(60)));
    writing.signal("-STOP");
    run(Command::new("cp").arg("--sparse=always").args([&image, &copy])).unwrap();
    let durable = writing.kill();
    drop(mounted);

    let _mounted = mount(&copy, "loop", &place.join("after"))?;
    let after = directory("after");
    Some((durable, [find(&after, kind), find(&after, kind), find_set_aside(&after, kind)]))
}

fn cut_again_and_again(kind: EngineKind) {
    let mut dice = Dice(7);
    for number in 0..CUTS {
        let place = tempfile::tempdir().unwrap();
        let Some((durable, found)) = cut(place.path(), kind, &mut dice, None) else { return };
        for found in found {
            let is_kept = matches!(found, Found::Whole(entries) if entries >= durable);
            assert!(is_kept, "cut {number}: {durable} entries were durable: {found:?}");
        }
    }
}

#[test]
fn sled_keeps_what_was_durable_when_the_power_fails() {
    cut_again_and_again(EngineKind::Sled);
}

#[test]
fn redb_keeps_what_was_durable_when_the_power_fails() {
    cut_again_and_again(EngineKind::Redb);
}

/// A library in which syncing does nothing: neither what follows sled's own flush, which calls another
/// function, nor that of the high-water file, which makes ext4 write its journal for sled too.
fn lying_fsync(place: &Path) -> Option<OsString> {
    let (source, library) = (place.join("lie.c"), place.join("lie.so"));
    let lies =
        ["fsync", "fdatasync"].map(|name| format!("int {name}(int f) {{ return f < 0; }}\n"));
    fs::write(&source, lies.concat()).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).args([&library, &source]);
    match run(&mut compiler) {
        Ok(()) => Some(library.into()),
        Err(why) => not_tested(&format!("a C compiler: {why}")),
    }
}

/// Whatever else keeps the disk busy makes the kernel write everything sooner, and then a cut loses nothing;
/// at rest one of the first few does.
const CUTS_UNTIL_LOST: u64 = 4 * CUTS;

/// The test above must be able to fail: with nothing but sled's own flush it does.
#[test]
fn by_its_own_flush_alone_sled_loses_what_was_called_durable() {
    let mut dice = Dice(7);
    for _ in 0..CUTS_UNTIL_LOST {
        let place = tempfile::tempdir().unwrap();
        let Some(lie) = lying_fsync(place.path()) else { return };
        let tried = cut(place.path(), EngineKind::Sled, &mut dice, Some(&lie));
        let Some((durable, found)) = tried else { return };
        match &found[0] {
            Found::Whole(entries) if *entries >= durable => {}
            lost => return println!("{durable} entries were called durable: {lost:?}"),
        }
    }
    panic!(
        "nothing was lost in {CUTS_UNTIL_LOST} cuts: they cut too late, or fsync was not replaced"
    );
}
