//! Backup and restore: a whole node in one file, taken while it runs; and a home made of such a file.
//!
//! ```text
//!   tar     store/000001.rows …      rows of all tables at one commit, see `rows`
//!           home/concordat.toml home/organisation.card home/openings-1 … home/tokens/… home/collections/… [home/keys/…]
//!           manifest.json            last: what is in it, with lengths and SHA-256; without it the file is cut off
//!   sealed  the same bytes, encrypted with a passphrase in chunks, see `seal`
//! ```
//!
//! | file | what |
//! |---|---|
//! | `mod` | what is asked, what a file holds, what can go wrong |
//! | `rows` | rows of a store as bytes |
//! | `seal` | encryption with a passphrase |
//! | `write` | makes a backup, and reads it back |
//! | `read` | reads one to its end, and checks all of it |
//! | `restore` | makes a home of one |
//!
//! *Invariants.* A file under its final name was read back whole. Keys are in it only if they are encrypted there:
//! because they are locked, or because the whole file is. The recovery key is never in it. What is restored is marked
//! as an older copy, so it asks its partners before it signs.
//!
//! *Source*: ours.

mod read;
mod restore;
mod rows;
mod seal;
#[cfg(test)]
mod tests;
mod write;

use std::{collections::BTreeMap, fmt, io, path::PathBuf};

use serde::{Deserialize, Serialize};

pub use read::{Opened, verify};
pub use restore::{Restored, restore};
pub use seal::{Seal, SealKey};
pub use write::{Progress, make};

use crate::{
    config::ConfigError, home::FileError, keys::KeyError, replica::OfflineError, store::StoreError,
};

/// What the manifest begins with.
const FORMAT: &str = "concordat backup 1";
const MANIFEST: &str = "manifest.json";
const HOME: &str = "home/";
const STORE: &str = "store/";
/// The longest file but those of rows: a config or a card is far shorter.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Makes a backup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ask {
    /// A path that does not exist yet.
    pub out: PathBuf,
    /// The node's directory.
    pub home: PathBuf,
    /// The config file.
    pub config: PathBuf,
    /// How it is encrypted, if it is.
    pub seal: Option<Seal>,
}

/// What was backed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The file.
    pub out: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
    /// What is in it.
    pub manifest: Manifest,
    /// Whether it is encrypted.
    pub is_sealed: bool,
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `concordat backup 1`.
    pub format: String,
    /// Version of the program that made it.
    pub version: String,
    /// When, by the node's clock, in milliseconds since 1970.
    pub made_ms: u64,
    /// The organisation.
    pub org: String,
    /// Its name.
    pub name: String,
    /// Number of the last commit that is in it.
    pub commits: u64,
    /// Rows of the store.
    pub rows: u64,
    /// The journal's last entry: number and hash.
    pub journal: String,
    /// Whether the organisation's keys are in it.
    pub has_keys: bool,
    /// Every file but this one.
    pub files: BTreeMap<String, FileLine>,
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileLine {
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
}

/// Why a backup was not made, or cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file is there already, or the operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The node's record could not be read, or its keys could not.
    #[error(transparent)]
    Organisation(#[from] crate::organisation::OrganisationError),
    /// A passphrase is missing or too short.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The restored node could not be marked as an older copy, or its journal not be written.
    #[error(transparent)]
    Offline(#[from] OfflineError),
    /// The config in it cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Cipher or random numbers failed.
    #[error("the backup could not be encrypted on this machine; try again on one with more memory")]
    Cipher,
    /// It is not a backup.
    #[error(
        "{path} is not a backup of this program, or of a later version of it; is it the right file?"
    )]
    NotABackup {
        /// Which.
        path: PathBuf,
    },
    /// It does not open.
    #[error(
        "{path} does not open: the passphrase is another one, or the file was damaged; look for another copy"
    )]
    WrongPassphrase {
        /// Which.
        path: PathBuf,
    },
    /// It is not what was written.
    #[error("{path} is damaged: {what}; nothing of it was used. Look for another copy")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// It ends too early.
    #[error("{path} is cut off: it has no end; nothing of it was used. Look for another copy")]
    Truncated {
        /// Which.
        path: PathBuf,
    },
    /// There is something where the node should be made.
    #[error(
        "{path} is not empty; a backup is restored into a new directory, so name another with --home"
    )]
    HomeTaken {
        /// Where.
        path: PathBuf,
    },
    /// The config in it does not fit a new place.
    #[error(
        "the config in the backup does not fit {path}: it names another home or engine in a way that is not \
         a line of its own; restore on the machine that it was made for"
    )]
    ConfigElsewhere {
        /// Where.
        path: PathBuf,
    },
}

impl BackupError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Store(error) => error.code(),
            Self::Organisation(_) => "organisation",
            Self::Keys(_) => "keys",
            Self::Offline(_) => "store",
            Self::Config(_) => "config",
            Self::Cipher => "backup-cipher",
            Self::NotABackup { .. } => "not-a-backup",
            Self::WrongPassphrase { .. } => "backup-passphrase",
            Self::Damaged { .. } => "backup-damaged",
            Self::Truncated { .. } => "backup-truncated",
            Self::HomeTaken { .. } => "home-taken",
            Self::ConfigElsewhere { .. } => "backup-config",
        }
    }
}

/// What a reader below says through [`io::Error`], so that it keeps its own meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    Seal,
    End,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Seal => "a chunk does not open",
            Self::End => "it ends too early",
        })
    }
}

impl std::error::Error for Broken {}

impl From<Broken> for io::Error {
    fn from(broken: Broken) -> Self {
        Self::new(io::ErrorKind::InvalidData, broken)
    }
}
