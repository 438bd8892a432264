//! Simulated partnerships: whole boards of organisations in one thread, drawn from a seed.
//!
//! `sim` runs real engines over a simulated network, disks, clocks and staff; `trace` keeps the
//! account of a run, `outcome` says how it ended. `cargo run --release -p concordat-integration-tests --bin sim -- --seeds 200`
//! runs many; `tests/` holds those that run on every push. `changes` makes Automerge changes of every
//! sort, honest and hostile, for the verdict on them.

pub mod changes;
pub mod outcome;
pub mod sim;
pub mod trace;
