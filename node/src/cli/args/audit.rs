//! `audit`: what an auditor asks of a file.
//!
//! *Source*: ours.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AuditCommand {
    /// Verify every signature, chain, acknowledgement and payload of a bundle
    Verify(Verify),
    /// Build every artefact of a bundle again, as it is or was, and compare what was frozen with what was
    /// signed; exit code 0: all of it agrees
    Replay(Replay),
    /// Who decided what: exact wording, votes, the arithmetic of each rule; also as a page to hand on
    Prove(Prove),
    /// Write one decision to a new directory that anybody can check: evidence, wording, proofs, a page that
    /// says how. Or write the entries of a feed, a kind or a time to a new bundle, without what others say
    Export(Export),
    /// List every entry, or those asked for: in words, as JSON, or for a spreadsheet
    Log(Log),
    /// Who had an entry, by when at the latest, and by which acknowledgement
    Knew(Knew),
    /// Compare two bundles of one board: what only one has, and why, and what contradicts
    Compare(Compare),
    /// Who signed two histories of one feed, who proves it, and how much of each is settled
    Forks(Forks),
    /// When each member last wrote and last acknowledged, as it claims, before the newest entry
    Silence(Silence),
    /// In which fields two wordings of an artefact differ
    Diff(Diff),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Verify {
    /// The bundle, or a copy of a node's directory or of its store
    pub(in crate::cli) file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Replay {
    /// The bundle, or a copy of a node's directory or of its store
    pub(in crate::cli) file: PathBuf,
    /// What was written by this day, as 2017-12-04, or moment, as 2017-12-04T12:00Z, as its authors claim
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) to: Option<String>,
    /// What this member had acknowledged or written
    #[arg(long, value_name = "MEMBER", conflicts_with = "to")]
    pub(in crate::cli) known_to: Option<String>,
    /// All of one artefact: the beginning of its id, or its kind if there is only one of it
    #[arg(long, value_name = "ARTEFACT")]
    pub(in crate::cli) artefact: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Prove {
    /// The bundle, or a copy of a node's directory or of its store
    pub(in crate::cli) file: PathBuf,
    /// The artefact: the beginning of its id, or its kind if there is only one of it
    pub(in crate::cli) artefact: String,
    /// Another proposal than the last: the beginning of its entry's id
    #[arg(long, value_name = "ENTRY")]
    pub(in crate::cli) proposal: Option<String>,
    /// Also write it as one page that any browser shows and prints; the file must not exist yet
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) html: Option<PathBuf>,
    /// Also write where it comes from, as PROV-JSON; the file must not exist yet
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) prov: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Export {
    /// The bundle, or a copy of a node's directory or of its store
    pub(in crate::cli) file: PathBuf,
    /// One decision as a directory: the artefact, by the beginning of its id, or its kind if there is only one
    /// of it
    #[arg(long, conflicts_with = "range", required_unless_present = "range")]
    pub(in crate::cli) artefact: Option<String>,
    /// Another proposal than the last: the beginning of its entry's id
    #[arg(long, value_name = "ENTRY", conflicts_with = "range")]
    pub(in crate::cli) proposal: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) range: Range,
    /// The directory for a decision, else the file; it must not exist yet
    #[arg(long, value_name = "DIR|FILE")]
    pub(in crate::cli) out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Log {
    /// The bundle, or a copy of a node's directory or of its store
    pub(in crate::cli) file: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) range: Range,
    /// About one artefact: the beginning of its id, or its kind if there is only one of it
    #[arg(long, value_name = "ARTEFACT")]
    pub(in crate::cli) artefact: Option<String>,
    /// How
    #[arg(long, value_enum, default_value = "text")]
    pub(in crate::cli) format: LogFormat,
}

/// Which entries: those that all of it holds of.
#[derive(Debug, clap::Args)]
#[group(id = "range")]
pub(in crate::cli) struct Range {
    /// Of one feed: a member's short name, or the feed's id
    #[arg(long, value_name = "MEMBER")]
    pub(in crate::cli) feed: Option<String>,
    /// Of one kind, for example signoff
    #[arg(long)]
    pub(in crate::cli) kind: Option<String>,
    /// Written on this day or later, as the author claims
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) from: Option<String>,
    /// Written by this day, as 2017-12-04, or moment, as 2017-12-04T12:00Z, as the author claims
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) until: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LogFormat {
    /// One line an entry
    Text,
    /// One JSON value, as with --json
    Json,
    /// For a spreadsheet
    Csv,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Knew {
    /// The bundle, or a copy of a node's directory or of its store
    pub(in crate::cli) file: PathBuf,
    /// The entry: the beginning of its id
    pub(in crate::cli) entry: String,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Compare {
    /// A bundle, or a copy of a node's directory or of its store
    pub(in crate::cli) first: PathBuf,
    /// Another of the same board
    pub(in crate::cli) second: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Forks {
    /// The bundle, or a copy of a node's directory or of its store
    pub(in crate::cli) file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Silence {
    /// The bundle, or a copy of a node's directory or of its store
    pub(in crate::cli) file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Diff {
    /// The bundle, or a copy of a node's directory or of its store
    pub(in crate::cli) file: PathBuf,
    /// The artefact: the beginning of its id, or its kind if there is only one of it
    pub(in crate::cli) artefact: String,
    /// The earlier wording: as the author of this entry knew it, or as it was at this time [default: empty]
    #[arg(long, value_name = "ENTRY|TIME")]
    pub(in crate::cli) from: Option<String>,
    /// The later one [default: with all that is in the file]
    #[arg(long, value_name = "ENTRY|TIME")]
    pub(in crate::cli) to: Option<String>,
}
