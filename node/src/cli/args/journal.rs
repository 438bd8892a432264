//! The flags of `journal`.
//!
//! *Source*: ours.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum JournalCommand {
    /// Show entries, the newest first
    List(JournalList),
    /// Read the whole journal, and check that nothing was changed, removed or cut off; exit code 0: whole,
    /// 1: broken, 2: it could not be read
    Verify,
    /// Write the journal to a file with its chain, so that others can check it
    Export(JournalExport),
    /// Every event that the journal can tell, and what it means
    Events,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct JournalList {
    #[command(flatten)]
    pub(in crate::cli) filters: JournalFilters,
    /// Go on before this entry: what the last line of the page before says
    #[arg(long, value_name = "NUMBER")]
    pub(in crate::cli) before: Option<u64>,
    /// At most so many entries, and never more than 1000
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(in crate::cli) limit: usize,
}

/// Which entries.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct JournalFilters {
    /// Of this event alone, as `concordat journal events` lists them
    #[arg(long, value_name = "CODE")]
    pub(in crate::cli) event: Option<String>,
    /// About this partner's node alone: the beginning of its name, as `concordat status` shows it
    #[arg(long, value_name = "NODE")]
    pub(in crate::cli) peer: Option<String>,
    /// About this board alone: the beginning of its id
    #[arg(long, value_name = "BOARD")]
    pub(in crate::cli) board: Option<String>,
    /// Not before this time, for example 2026-11-22T09:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(in crate::cli) since: Option<u64>,
    /// Not after this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(in crate::cli) until: Option<u64>,
    /// done or refused
    #[arg(long, value_name = "OUTCOME", value_parser = ["done", "refused"])]
    pub(in crate::cli) outcome: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct JournalExport {
    /// A file that does not exist yet
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) out: PathBuf,
    /// How it is written
    #[arg(long, value_name = "FORMAT", default_value = "jsonl")]
    pub(in crate::cli) format: JournalFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum JournalFormat {
    /// One JSON object a line
    Jsonl,
    /// A table with a head line
    Csv,
}

/// Milliseconds since 1970.
fn time(text: &str) -> Result<u64, String> {
    let time: jiff::Timestamp =
        text.parse().map_err(|_| "a time is written as 2026-11-22T09:00:00Z".to_owned())?;
    u64::try_from(time.as_millisecond()).map_err(|_| "the time is before 1970".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_universal() {
        assert_eq!(time("2017-11-20T00:00:00Z"), Ok(1_511_136_000_000));
        assert!(time("yesterday").is_err());
        assert!(time("1969-11-20T00:00:00Z").is_err());
    }
}
