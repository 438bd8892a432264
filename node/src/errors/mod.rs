//! The catalogue: every stable code that a person or a program can meet, what it means and what to do next.
//!
//! | file | codes of |
//! |---|---|
//! | `asked` | what was asked and cannot be, on the command line and over the API |
//! | `papers` | files that organisations hand one another, keys and cards |
//! | `machine` | the machine: files, keys, config, store, backups, the daemon |
//! | `looked` | what `doctor`, `journal verify` and `audit verify` find |
//! | `told` | what partners are sent away for, and what stands in the log |
//! | `family` | what refusals over HTTP have in common |
//!
//! The exit code of a command and the status of an API answer are read off here, so `docs/errors.md`, which
//! is written from the same rows, cannot say otherwise.
//!
//! *Invariants.* A code stands here once, and keeps its meaning for ever. Codes that sources give and that are
//! not here, and the other way round, fail a test. What the journal tells of has a catalogue of its own
//! (`journal::CATALOGUE`); where both name a code, it is the same fact.
//!
//! *Source*: ours.

mod asked;
mod family;
mod looked;
mod machine;
mod papers;
#[cfg(test)]
mod tests;
mod told;

pub use family::Family;

/// What was asked cannot be.
pub const EXIT_REFUSED: u8 = 1;

/// One code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Described {
    /// The stable code.
    pub code: &'static str,
    /// What it means.
    pub means: &'static str,
    /// What to do next.
    pub next: &'static str,
    /// What a command ends with that gives it; `None` if no command ends for it alone.
    pub exit: Option<u8>,
    /// How the API answers with it; `None` if it does not.
    pub family: Option<Family>,
}

/// Codes that are met in one place.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Heading in the handbook.
    pub title: &'static str,
    /// Where one meets them.
    pub about: &'static str,
    /// The codes, ascending.
    pub codes: &'static [Described],
}

/// All of them, in the order of the handbook.
pub const PARTS: &[Part] = &[
    asked::ASKED,
    asked::EDITED,
    asked::RECORDED,
    asked::REQUESTED,
    papers::PAPERS,
    papers::KEYS,
    machine::MACHINE,
    machine::STORE,
    looked::FINDINGS,
    looked::DOCTOR,
    looked::JOURNAL,
    told::SENT_AWAY,
    told::LOG,
];

/// Writes rows down: code, exit code of a command if there is one, family of the API's answer if there is one.
macro_rules! codes {
    ($($code:literal $($exit:literal)? $($family:ident)? : $means:literal, $next:literal;)*) => {
        &[$($crate::errors::Described {
            code: $code,
            means: $means,
            next: $next,
            exit: $crate::errors::codes!(@exit $($exit)?),
            family: $crate::errors::codes!(@family $($family)?),
        }),*]
    };
    (@exit) => { None };
    (@exit $exit:literal) => { Some($exit) };
    (@family) => { None };
    (@family $family:ident) => { Some($crate::errors::Family::$family) };
}
use codes;

/// The row of a code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Described> {
    PARTS.iter().flat_map(|part| part.codes).find(|described| described.code == code)
}

/// What a command ends with that gives this code; one of another version counts as a refusal.
#[must_use]
pub fn exit_code(code: &str) -> u8 {
    find(code).and_then(|described| described.exit).unwrap_or(EXIT_REFUSED)
}

/// How the API answers with this code; one of another version does not fit what there is.
#[must_use]
pub fn family(code: &str) -> Family {
    find(code).and_then(|described| described.family).unwrap_or(Family::State)
}
