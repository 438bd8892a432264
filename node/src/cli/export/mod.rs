//! `export`: writes all that an auditor needs of a board to one file.
//!
//! | asked for | written |
//! |---|---|
//! | `--out FILE` | the bundle |
//! | `--dir DIR` | the bundle in a new directory, and beside it `readme`: how to check it by hand |
//!
//! `parts` is what that page has in common with the page of one decision (`audit export`).
//!
//! *Source*: ours.

mod parts;
mod readme;

use std::{
    fs,
    path::{Path, PathBuf, absolute},
};

pub(in crate::cli) use parts::{DER_OF_KEY, heads, one_signature};

use super::{
    args::Export,
    audit,
    context::Context,
    error::CliError,
    out::{Out, bytes_in_words},
};
use crate::{
    control::{Answer, Request},
    home::{FileError, Readers, create_file},
};

pub(super) fn run(context: &Context, args: Export, out: &Out) -> Result<(), CliError> {
    let Export { board, out: file, dir } = args;
    let place = dir.as_deref().map(made).transpose()?;
    let path = match &place {
        Some(place) => place.join(readme::BUNDLE),
        None => absolute_path(&file)?,
    };
    match context.ask(Request::Export { board, out: path })? {
        Answer::Exported(exported) => {
            let mut words = vec![format!(
                "wrote {} entries to {}, {}; check it with `concordat audit verify`",
                exported.entries,
                exported.out.display(),
                bytes_in_words(exported.bytes)
            )];
            if let Some(place) = &place {
                let report = audit::check(&exported.out, out)?;
                let page = place.join(readme::NAME);
                create_file(&page, readme::text(&report).as_bytes(), Readers::Everyone)?;
                words.push(format!("{} says how to check it by hand", page.display()));
            }
            out.show(&exported, &words)
        }
        _ => Err(CliError::OtherAnswer),
    }
}

/// Makes a directory, which must not be there yet.
fn made(dir: &Path) -> Result<PathBuf, FileError> {
    let place = absolute_path(dir)?;
    fs::create_dir(&place).map_err(FileError::at("creating", &place))?;
    Ok(place)
}

/// The daemon writes it, and stands in another directory.
fn absolute_path(path: &Path) -> Result<PathBuf, FileError> {
    absolute(path).map_err(FileError::at("finding", path))
}
