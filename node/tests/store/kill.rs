//! SIGKILL at any moment, the opening included.

use std::{thread, time::Duration};

use concordat_node::store::EngineKind;

use super::{
    Dice,
    child::{Found, Writing, find},
};

const KILLS: u64 = 50;

fn killed_again_and_again(kind: EngineKind) {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("store");
    let mut dice = Dice(kind.name().len() as u64);
    let mut entries = 0;
    for kill in 0..KILLS {
        let mut writing = Writing::start(&directory, kind, entries);
        // Half of them are killed at work, the others while they open.
        if kill % 2 == 0 {
            assert!(writing.until(entries + 1), "{kill}: {:?}", writing.failed);
        }
        thread::sleep(Duration::from_millis(dice.below(120)));
        let durable = writing.kill();

        match find(&directory, kind) {
            Found::Whole(found) if found >= durable => entries = found,
            other => panic!("kill {kill}: {durable} entries were durable: {other:?}"),
        }
    }
    assert!(entries > KILLS, "{entries}");
}

#[test]
fn sled_keeps_what_was_durable_when_it_is_killed() {
    killed_again_and_again(EngineKind::Sled);
}

#[test]
fn redb_keeps_what_was_durable_when_it_is_killed() {
    killed_again_and_again(EngineKind::Redb);
}
