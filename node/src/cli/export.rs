//! `export`: writes all that an auditor needs of a board to one file.
//!
//! *Source*: ours.

use std::path::absolute;

use super::{
    args::Export,
    context::Context,
    error::CliError,
    out::{Out, bytes_in_words},
};
use crate::{
    control::{Answer, Request},
    home::FileError,
};

pub(super) fn run(context: &Context, args: Export, out: &Out) -> Result<(), CliError> {
    let Export { board, out: path } = args;
    // The daemon writes it, and stands in another directory.
    let path = absolute(&path).map_err(FileError::at("finding", &path))?;
    match context.ask(Request::Export { board, out: path })? {
        Answer::Exported(exported) => {
            let words = [format!(
                "wrote {} entries to {}, {}; check it with `concordat audit verify`",
                exported.entries,
                exported.out.display(),
                bytes_in_words(exported.bytes)
            )];
            out.show(&exported, &words)
        }
        _ => Err(CliError::OtherAnswer),
    }
}
