//! The excerpt of a bundle that was read, as a file.
//!
//! *Invariants.* Nothing is taken from a bundle of which something could not be checked.
//!
//! *Source*: ours.

use std::{collections::BTreeSet, fs::File, io::Write as _, path::Path};

use concordat_protocol::{
    audit::{Excerpt, Finding, Selection, Severity},
    hash::BoardId,
};

use crate::{
    cli::{
        audit::{opened::Opened, read, source::Source},
        error::CliError,
        out::Out,
    },
    control::Refusal,
    home::FileError,
};

/// What could not be checked is handed to nobody; proven misbehaviour is what auditors look for.
pub(super) fn expect_checked(whole: &Opened) -> Result<(), Refusal> {
    let is_open = |finding: &&Finding| finding.severity() == Severity::Unchecked;
    match whole.report.findings.iter().find(is_open) {
        None => Ok(()),
        Some(first) => {
            let message = format!(
                "not all of the bundle could be checked: {first}; `concordat audit verify` lists all of it, \
                 and another member's bundle may be whole"
            );
            Err(Refusal::new("unchecked", message))
        }
    }
}

/// Writes these boards, with the content of a selection, to a file that must not be there yet; durable on return.
pub(super) fn write(
    (whole, source): (&Opened, &Source),
    (selection, boards): (Selection, &BTreeSet<BoardId>),
    path: &Path,
    out: &Out,
) -> Result<(), CliError> {
    let holdings = &whole.holdings;
    let charters = boards.iter().filter_map(|board| Some((*board, holdings.charter(board)?)));
    let feeds = holdings.feeds().into_iter().filter(|feed| boards.contains(&feed.board));
    let (mut excerpt, magic) = Excerpt::of(selection, charters, feeds.map(|feed| feed.feed));
    let mut file = File::create_new(path).map_err(FileError::at("creating", path))?;
    let mut write = |bytes: &[u8]| file.write_all(bytes).map_err(FileError::at("writing", path));
    write(magic)?;
    let mut failed: Result<(), CliError> = Ok(());
    read::each_record(source, out, |record| {
        if failed.is_ok() {
            failed = match excerpt.take(record) {
                Ok(bytes) => write(&bytes).map_err(CliError::from),
                Err(why) => Err(Refusal::new("excerpt", why.to_string()).into()),
            };
        }
    })?;
    failed?;
    write(&excerpt.end())?;
    Ok(file.sync_all().map_err(FileError::at("writing", path))?)
}
