//! How a run ended, and what a person needs to replay it.
//!
//! *Invariants.* Crash, safety and liveness are told apart, since they send people to different
//! places.
//!
//! *Source*: ours.

use std::fmt;

use crate::{sim::checkers::Violation, trace::Counts};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything held.
    Passed,
    /// An engine panicked or did not open.
    Crash,
    /// Something happened that must not.
    Safety,
    /// Something did not happen that must.
    Liveness,
}

/// What became of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// How it ended.
    pub exit: Exit,
    /// What was found, if something was.
    pub violation: Option<Violation>,
    /// The hash over the whole trace.
    pub trace_hash: [u8; 32],
    /// The last lines of the trace.
    pub last_lines: Vec<String>,
    /// How often what occurred.
    pub counts: Counts,
    /// Virtual milliseconds.
    pub virtual_ms: u64,
    /// Milliseconds from healing to agreement.
    pub agreed_ms: u64,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seed = self.seed;
        let Some(violation) = &self.violation else {
            return write!(f, "seed {seed} passed");
        };
        for line in &self.last_lines {
            writeln!(f, "  {line}")?;
        }
        writeln!(f, "seed {seed}, {} ms: {:?}: {violation}", self.virtual_ms, self.exit)?;
        write!(
            f,
            "replay: cargo run --release -p concordat-integration-tests --bin sim -- --seed {seed} --verbose"
        )
    }
}
