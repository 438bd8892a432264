//! `audit export`: part of a bundle, for whoever is due that part and no more.
//!
//! | asked for | file | comes out |
//! |---|---|---|
//! | `--artefact` | `decision` | a directory about one decision; `page`, `proofs` and `folder` are its parts |
//! | feed, kind, times | `range` | one bundle with the content of the chosen entries alone |
//!
//! `excerpt` writes the evidence of both, `beside` puts what was made in its place.
//!
//! *Source*: ours.

mod beside;
mod decision;
mod excerpt;
mod folder;
mod page;
mod proofs;
mod range;

use std::process::ExitCode;

use crate::cli::{args::audit::Export, error::CliError, out::Out};

pub(super) fn run(args: &Export, out: &Out) -> Result<ExitCode, CliError> {
    match &args.artefact {
        Some(artefact) => decision::run(args, artefact, out),
        None => range::run(args, out),
    }
}
