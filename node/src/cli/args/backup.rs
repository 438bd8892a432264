//! The flags of `backup` and `restore`.
//!
//! *Source*: ours.

use std::path::PathBuf;

use clap::Subcommand;

use super::engine_on_disk;
use crate::store::EngineKind;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct Backup {
    #[command(subcommand)]
    pub(in crate::cli) command: Option<BackupCommand>,
    /// A file that does not exist yet, best on another disk
    #[arg(required = true)]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Encrypt it with a passphrase; then the keys are in it too
    #[arg(long)]
    pub(in crate::cli) encrypt: bool,
    /// A file that holds the new passphrase [default: it is asked for at the terminal]
    #[arg(long, value_name = "FILE", requires = "encrypt")]
    pub(in crate::cli) passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BackupCommand {
    /// Read a backup to its end, and check all of it; needs no node
    Verify(BackupVerify),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct BackupVerify {
    /// The backup
    pub(in crate::cli) file: PathBuf,
    /// A file that holds its passphrase [default: it is asked for at the terminal]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) passphrase_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Restore {
    /// The backup
    pub(in crate::cli) file: PathBuf,
    /// Another storage engine than that of the backup: sled or redb
    #[arg(long, value_name = "ENGINE", value_parser = engine_on_disk)]
    pub(in crate::cli) engine: Option<EngineKind>,
    /// A file that holds its passphrase [default: it is asked for at the terminal]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) passphrase_file: Option<PathBuf>,
}
