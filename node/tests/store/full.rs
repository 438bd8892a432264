//! A disk without space: the writer is told, ends, and finds all again once there is some.

use std::fs;

use concordat_node::store::EngineKind;

use super::{
    child::{Found, Writing, find},
    mounts::Mount,
};

const BALLAST_BYTES: usize = 24 * 1024 * 1024;

fn filled(kind: EngineKind) {
    let place = tempfile::tempdir().unwrap();
    let home = place.path().join("small");
    let Some(_mounted) = Mount::in_memory(72, &home) else { return };
    let ballast = home.join("ballast");
    fs::write(&ballast, vec![0; BALLAST_BYTES]).unwrap();
    let mut writing = Writing::start(&home.join("store"), kind, 0);

    assert!(!writing.until(u64::MAX));

    let why = writing.failed.clone().unwrap();
    assert!(why.starts_with("disk-full "), "{kind}: {why}");
    let durable = writing.kill();
    assert!(durable > 20, "{durable}");
    // Whoever opens it meanwhile is told, or finds all of it.
    match find(&home.join("store"), kind) {
        Found::Whole(entries) if entries >= durable => {}
        Found::Told(_) => {}
        other => panic!("{kind}: {other:?}"),
    }
    fs::remove_file(ballast).unwrap();
    match find(&home.join("store"), kind) {
        Found::Whole(entries) if entries >= durable => {}
        other => panic!("{kind}: {durable} entries were durable: {other:?}"),
    }
}

#[test]
fn sled_keeps_what_was_durable_when_the_disk_is_full() {
    filled(EngineKind::Sled);
}

#[test]
fn redb_keeps_what_was_durable_when_the_disk_is_full() {
    filled(EngineKind::Redb);
}
