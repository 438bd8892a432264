//! The account of a run: a hash over every line, the last lines, and how often what occurred.
//!
//! ```text
//! line = virtual time ‖ node ‖ in or out ‖ input or effect, as it prints in a log
//! ```
//!
//! *Invariants.* Two runs of one seed give the same hash, or something in the engine is not
//! deterministic. Keeps no more than the last lines in memory.
//!
//! *Source*: ours.

use std::{
    collections::{BTreeMap, VecDeque},
    io::Write,
};

use sha2::{Digest, Sha256};

/// Every fault that a run may count; over many seeds each has to occur.
pub const FAULTS: &[&str] = &[
    "cut",
    "partition",
    "one-way cut",
    "slow link",
    "crash",
    "restore",
    "slow disk",
    "clock skew",
    "clock jump",
    "burst",
    "lost frame",
    "stalled frame",
    "overtaken lane",
    "connection timed out",
    "twins",
    "careless restore",
    "withheld frame",
    "doubled frame",
    "old frame",
    "frame of another meeting",
    "swapped frames",
    "changed bytes",
    "frame cut short",
    "random frame",
    "oversized frame",
    "lie in have",
    "false acknowledgement",
    "rotation",
    "rotation by a victim",
    "second rotation of one key",
    "card told by people",
    "new address",
    "new node key",
    "thief's notes before an opening",
    "thief's notes after an opening",
    "thief's acknowledgement before an opening",
    "thief's acknowledgement after an opening",
    "thief's card before an opening",
    "thief's card after an opening",
    "thief's card in a feed of its own",
    "thief's rotation",
    "thief's second rotation",
    "recovery of the thief's epoch",
    "recovery after the thief's epoch",
    "recovery of a stolen key",
    "recovery of contested feeds",
    "recovery of a forked feed",
    "entries beyond an end at healed nodes",
    "superseded feed at healed nodes",
    "contested feed at healed nodes",
];

/// Lines shown when a run fails.
pub const LINES_KEPT: usize = 60;

/// The trace of one run.
#[derive(Debug, Default)]
pub struct Trace {
    digest: Sha256,
    last: VecDeque<String>,
    lines: u64,
    /// Also writes every line to standard error.
    pub is_loud: bool,
}

impl Trace {
    /// Adds a line.
    pub fn line(&mut self, line: String) {
        self.digest.update(line.as_bytes());
        self.digest.update(b"\n");
        self.lines += 1;
        if self.is_loud {
            // Nobody is left to hear that standard error is closed.
            let _closed = writeln!(std::io::stderr().lock(), "{line}");
        }
        if self.last.len() == LINES_KEPT {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    /// Shows a line that is no part of the trace, if lines are shown.
    pub fn aside(&self, line: impl FnOnce() -> String) {
        if self.is_loud {
            let _closed = writeln!(std::io::stderr().lock(), "{}", line());
        }
    }

    /// The hash over all lines so far.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        self.digest.clone().finalize().into()
    }

    /// Number of lines so far.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// The last lines.
    #[must_use]
    pub fn into_last(self) -> Vec<String> {
        self.last.into()
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Faults of network, disks, clocks and Byzantine organisations.
    Fault,
    /// Messages sent, by kind.
    Message,
    /// Reports of honest nodes, by kind.
    Report,
    /// Answers to staff.
    Answer,
    /// What staff and others do about artefacts.
    Act,
    /// Intents of edits.
    Intent,
    /// Events and remarks with effect, by kind of artefact.
    Event,
    /// Conflicts shown.
    Conflict,
    /// Hostile changes met by their rule.
    Hostile,
    /// What nodes show, compared with what their bundles come to.
    Audit,
}

/// How often each thing occurred.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Counts(BTreeMap<(Group, String), u64>);

impl Counts {
    /// Counts one.
    pub fn one(&mut self, group: Group, name: &str) {
        self.add(group, name, 1);
    }

    /// Counts so many.
    pub fn add(&mut self, group: Group, name: &str, many: u64) {
        *self.0.entry((group, name.to_string())).or_default() += many;
    }

    /// Adds the counts of another run.
    pub fn join(&mut self, other: &Self) {
        for ((group, name), many) in &other.0 {
            self.add(*group, name, *many);
        }
    }

    /// How often it occurred.
    #[must_use]
    pub fn of(&self, group: Group, name: &str) -> u64 {
        self.0.get(&(group, name.to_string())).copied().unwrap_or(0)
    }

    /// All that occurred in a group.
    pub fn group(&self, group: Group) -> impl Iterator<Item = (&str, u64)> {
        let in_group = self.0.iter().filter(move |((of, _), _)| *of == group);
        in_group.map(|((_, name), many)| (name.as_str(), *many))
    }
}
