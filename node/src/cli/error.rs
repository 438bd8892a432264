//! Every error of the command line, with its stable code.
//!
//! The exit code is that of the catalogue (`errors`): 1 if what was asked cannot be, 2 if machine, file or daemon
//! failed, 64 for wrong usage.
//!
//! *Invariants.* Codes are never reused for another meaning. Every sentence says what happened and, where
//! a person can do something, what to do next.
//!
//! *Source*: ours.

use std::{io, path::PathBuf};

use crate::{
    backup::BackupError,
    clock::EntropyError,
    config::ConfigError,
    control::{ControlError, Refusal},
    daemon::DaemonError,
    demo::DemoError,
    draft::DraftError,
    errors,
    home::FileError,
    http::TokenError,
    keys::KeyError,
    organisation::OrganisationError,
    paper::PaperError,
    records::{CollectionError, SourceError},
    replica::OfflineError,
    rotation::RotationError,
    store::StoreError,
};

/// Wrong usage.
pub(super) const EXIT_USAGE: u8 = 64;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    #[error(
        "{directory} holds no node; make one with `concordat init`, or name another with --home"
    )]
    NoNode { directory: PathBuf },
    #[error("{path} exists already; there is a node here, or one was begun; choose another --home")]
    NodeExists { path: PathBuf },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Organisation(#[from] OrganisationError),
    #[error(transparent)]
    Rotation(#[from] RotationError),
    #[error("{path}: {source}")]
    Paper { path: PathBuf, source: PaperError },
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Draft(#[from] DraftError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Collection(#[from] CollectionError),
    #[error("{path}: {source}")]
    Source { path: String, source: SourceError },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Offline(#[from] OfflineError),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    #[error("{}", .0.message)]
    Refused(Refusal),
    #[error("the daemon answered something else than it was asked; is it of this version?")]
    OtherAnswer,
    #[error("writing the answer: {0}")]
    Output(io::Error),
    #[error("reading the standard input: {0}")]
    Input(io::Error),
    #[error("writing the answer as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("starting: {0}")]
    System(io::Error),
}

impl From<Refusal> for CliError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl CliError {
    /// Puts an error of a paper beside its path.
    pub(super) fn paper(path: &std::path::Path) -> impl FnOnce(PaperError) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Paper { path, source }
    }

    /// The stable code.
    pub(super) fn code(&self) -> &str {
        match self {
            Self::NoNode { .. } => "no-node",
            Self::NodeExists { .. } => "node-exists",
            Self::Config(_) => "config",
            Self::Keys(_) => "keys",
            Self::Organisation(OrganisationError::Keys(_)) => "keys",
            Self::Organisation(_) => "organisation",
            Self::Rotation(error) => error.code(),
            Self::Paper { source, .. } => source.code(),
            Self::Backup(error) => error.code(),
            Self::Draft(_) => "draft",
            Self::File(_) => "file",
            Self::Token(error) => error.code(),
            Self::Collection(error) => error.code(),
            Self::Source { source, .. } => source.code(),
            Self::Offline(OfflineError::MemoryStore) => "memory-store",
            Self::Store(error) | Self::Offline(OfflineError::Store(error)) => error.code(),
            Self::Offline(_) => "store",
            Self::Control(_) | Self::OtherAnswer => "daemon",
            Self::Daemon(DaemonError::Store(error)) => error.code(),
            Self::Daemon(_) => "serve",
            Self::Demo(error) => error.code(),
            Self::Refused(refusal) => &refusal.code,
            Self::Output(_) | Self::Json(_) => "output",
            Self::Input(_) => "input",
            Self::Entropy(_) | Self::System(_) => "system",
        }
    }

    /// What the process ends with: as the catalogue has it.
    pub(super) fn exit_code(&self) -> u8 {
        errors::exit_code(self.code())
    }
}
