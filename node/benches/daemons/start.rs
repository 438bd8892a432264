//! A daemon starts on a store of a million entries, until it answers; everything is checked in the background.

use std::time::Instant;

use crate::{catch_up::resident, partnership::Partnership};

const NOTES: usize = 1_000_000;
const PORTION: usize = 100_000;
const AIM_S: f64 = 3.0;

pub(crate) fn measure() {
    for engine in ["sled", "redb"] {
        let mut board = Partnership::found_on(engine, &["one", "two"]);
        for first in (0..NOTES).step_by(PORTION) {
            let numbers = first..first + PORTION;
            let lines: String = numbers.map(|number| format!("note {number:95}\n")).collect();
            board.nodes[0].write_notes(&lines);
        }
        let start = Instant::now();
        board.serve(0);
        let seconds = start.elapsed().as_secs_f64();
        let met = if seconds <= AIM_S { "met" } else { "missed" };
        let resident = resident(&board.nodes[0]) / 1_024.0;
        println!(
            "\na start with {NOTES} entries on {engine}: {seconds:.2} s until it answers, {resident:.0} MB \
             resident then; the aim of {AIM_S} s is {met}"
        );
    }
}
