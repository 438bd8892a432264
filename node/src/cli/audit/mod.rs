//! `audit`: what can be told of a bundle, or of a copied store, from its bytes alone.
//!
//! | file | answers |
//! |---|---|
//! | `verify` | does everything in it hold? |
//! | `replay` | what does it come to, now or on a day, and is what was frozen what was signed? |
//! | `prove`, `page`, `prov` | who decided what? In words, as a page to hand on, as PROV-JSON |
//! | `export` | one decision as a directory that anybody can check; entries that were chosen as a bundle |
//! | `log`, `entry` | which entries are there? |
//! | `knew` | who had an entry, since when at the latest? |
//! | `compare` | do two files contradict each other, and what has only one? |
//! | `forks` | who signed two histories? |
//! | `silence` | who has not been heard of, and for how long? |
//! | `diff` | in which fields do two wordings of an artefact differ? |
//! | `read` | reads the file, twice, piece by piece |
//! | `chosen` | which entries are meant, by the flags that several commands share |
//! | `unread` | what is said about an artefact and is not in the file |
//! | `source` | a copied store, made a bundle for the time of the command |
//! | `opened` | a bundle that was read: names in it, artefacts seen from it |
//!
//! | exit code | means |
//! |---|---|
//! | 0 | clean |
//! | 1 | a finding: misbehaviour is proven, or what was signed does not agree |
//! | 2 | it cannot be decided: something is missing, unreadable, or not in the file |
//! | 64 | wrong usage |
//!
//! Needs no node, no network and no key, and calls `protocol::audit` for everything that is found.
//!
//! *Source*: ours.

mod chosen;
mod compare;
mod diff;
mod entry;
mod export;
mod forks;
mod knew;
mod log;
mod opened;
mod page;
mod prov;
mod prove;
mod read;
mod replay;
mod silence;
mod source;
mod unread;
mod verify;

use std::process::ExitCode;

use concordat_protocol::audit::Report;
pub(super) use read::audit as check;

use super::{
    args::AuditCommand,
    error::{CliError, EXIT_USAGE},
    out::Out,
};

const EXIT_FINDINGS: u8 = 1;
const EXIT_UNDECIDED: u8 = 2;

/// Answers; the result is the exit code.
pub(super) fn run(command: &AuditCommand, out: &Out) -> ExitCode {
    let done = match command {
        AuditCommand::Verify(verify) => verify::run(verify, out),
        AuditCommand::Replay(replay) => replay::run(replay, out),
        AuditCommand::Prove(prove) => prove::run(prove, out),
        AuditCommand::Export(export) => export::run(export, out),
        AuditCommand::Log(log) => log::run(log, out),
        AuditCommand::Knew(knew) => knew::run(knew, out),
        AuditCommand::Compare(compare) => compare::run(compare, out),
        AuditCommand::Forks(forks) => forks::run(forks, out),
        AuditCommand::Silence(silence) => silence::run(silence, out),
        AuditCommand::Diff(diff) => diff::run(diff, out),
    };
    done.unwrap_or_else(|error| {
        out.error(&error);
        ExitCode::from(undone(&error))
    })
}

/// What the process ends with when nothing can be answered.
fn undone(error: &CliError) -> u8 {
    match error.code() {
        "no-time" | "usage" => EXIT_USAGE,
        _ => EXIT_UNDECIDED,
    }
}

/// What the process ends with: the findings of a command weigh as much as misbehaviour does.
fn exit_code(report: &Report, has_findings: bool) -> u8 {
    if has_findings { EXIT_FINDINGS } else { report.exit_status() }
}
