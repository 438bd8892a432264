//! Every command about private records.
//!
//! *Source*: ours.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::artefact::pair;
use crate::control::Pair;

#[derive(Debug, Subcommand)]
pub(crate) enum RecordCommand {
    /// The collections of this node, what they hold, and what of them may leave
    Collections,
    /// Check a collection's file
    CheckCollection(CheckCollection),
    /// Keep the rows of a CSV or JSON Lines file; whatever was interrupted can be run again
    Import(Import),
    /// The records of a collection, in the order of their ids
    List(List),
    /// One record
    Show(One),
    /// Delete records
    Delete(Delete),
    /// Write records to a file, as CSV or JSON Lines
    Export(Export),
    /// Copy fields of one record into an artefact: the one way in which they leave this node
    Promote(Promote),
    /// What was promoted, when, and where to
    Promotions(Promotions),
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckCollection {
    /// The file
    pub(crate) file: PathBuf,
}

/// How rows are laid out in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// RFC 4180, with a heading
    Csv,
    /// One JSON object a line
    Jsonl,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// The collection
    pub(crate) collection: String,
    /// The file, or - for the standard input
    pub(crate) file: PathBuf,
    /// What the file is [default: by its name, else CSV]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// A row takes the place of another with the same key
    #[arg(long)]
    pub(crate) replace: bool,
    /// Keep the good rows although others are bad
    #[arg(long, requires = "report")]
    pub(crate) skip_bad: bool,
    /// Where to write which rows were not kept, and why, as CSV
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// The collection
    pub(crate) collection: String,
    /// What must hold of each, for example amount>=100.00; may be repeated
    #[arg(long = "where", value_name = "FIELD=VALUE")]
    pub(crate) conditions: Vec<String>,
    /// Those after this id
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
}

#[derive(Debug, clap::Args)]
pub(crate) struct One {
    /// The collection
    pub(crate) collection: String,
    /// The record: its id, or the beginning of it
    pub(crate) record: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Delete {
    /// The collection
    pub(crate) collection: String,
    /// The records: their ids, or the beginnings of them
    #[arg(required = true)]
    pub(crate) records: Vec<String>,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// The collection
    pub(crate) collection: String,
    /// What must hold of each, for example amount>=100.00; may be repeated
    #[arg(long = "where", value_name = "FIELD=VALUE")]
    pub(crate) conditions: Vec<String>,
    /// What to write
    #[arg(long, value_enum, default_value = "csv")]
    pub(crate) format: Format,
    /// Write to this file, which only its owner may read [default: print it]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Promote {
    /// The collection
    pub(crate) collection: String,
    /// The record: its id, or the beginning of it
    pub(crate) record: String,
    /// The artefact: the beginning of its id, or its kind if there is only one of it
    #[arg(long)]
    pub(crate) artefact: String,
    /// A field that leaves; may be repeated [default: all that may]
    #[arg(long = "field", value_name = "FIELD")]
    pub(crate) fields: Vec<String>,
    /// Where a field goes that may go to several places; may be repeated
    #[arg(long = "as", value_name = "FIELD=TARGET", value_parser = pair)]
    pub(crate) targets: Vec<Pair>,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Promotions {
    /// Those after this one
    #[arg(long, value_name = "PROMOTION")]
    pub(crate) after: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
}
