//! Why keys could not be made or read.
//!
//! *Invariants.* No message holds a secret. Every message says what to do next.
//!
//! *Source*: ours.

use std::{io, path::PathBuf};

use crate::{clock::EntropyError, home::FileError};

/// Why keys could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Keys are never overwritten.
    #[error("{path} exists already and is not overwritten; move it away, or use another path")]
    Exists {
        /// What exists.
        path: PathBuf,
    },
    /// The recovery seed must survive the loss of the machine, and not be lost with it.
    #[error(
        "the recovery key must not be written to {path}, inside the home directory {home}: \
         whoever takes one would take both; name a path outside, such as a removable disk"
    )]
    RecoveryAtHome {
        /// Where it was to go.
        path: PathBuf,
        /// The home directory.
        home: PathBuf,
    },
    /// `create` has not been run here.
    #[error("no keys in {path}; create them, or check `home` in the config file")]
    NoKeys {
        /// Where they were looked for.
        path: PathBuf,
    },
    /// Others may have read the secret.
    #[error(
        "{path} can be read or written by others (mode {mode:04o}); run `chmod go-rwx {path}`, \
         and replace the key if someone else has used this machine"
    )]
    OpenToOthers {
        /// Which file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Only the recovery key can replace it.
    #[error(
        "there is no feed key in {path}; put the file back from a backup, or if it is lost, take \
         over with the recovery key: `concordat keys recover`"
    )]
    FeedKeyLost {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Not what `create` wrote.
    #[error("{path} is not a key file: it must hold one line of 64 lower-case hex digits")]
    NotAKey {
        /// Which file.
        path: PathBuf,
    },
    /// Not what `keys lock` wrote.
    #[error(
        "{path} is not the lock of a directory of keys; put the directory back from a backup, or take \
         over with the recovery key: `concordat keys recover`"
    )]
    NotALock {
        /// Which file.
        path: PathBuf,
    },
    /// A key is locked, and there is no lock beside it.
    #[error("{path} is locked, and the file `lock` is not beside it; put it back from a backup")]
    LockLost {
        /// Which key file.
        path: PathBuf,
    },
    /// It does not open.
    #[error("this passphrase does not open {path}; try again with the right one")]
    WrongPassphrase {
        /// Which lock.
        path: PathBuf,
    },
    /// The keys are locked, and nobody gave a passphrase.
    #[error(
        "the keys are locked and nobody gave the passphrase; type it at a terminal, name a file that \
         holds it in CONCORDAT_PASSPHRASE_FILE, or let systemd give it as the credential \
         concordat-passphrase"
    )]
    NoPassphrase,
    /// Typed twice, and differently.
    #[error("the two passphrases differ; nothing was changed, run the command again")]
    OtherPassphrase,
    /// Too easily guessed.
    #[error(
        "a passphrase of {found} characters is too short; take {least} or more, such as five words"
    )]
    WeakPassphrase {
        /// Characters found.
        found: usize,
        /// At least so many.
        least: usize,
    },
    /// They are already as they were to become.
    #[error("the keys in {path} are {state} already; there is nothing to do")]
    AlreadySo {
        /// Which directory.
        path: PathBuf,
        /// locked, or not locked.
        state: &'static str,
    },
    /// The cipher refused: our own mistake.
    #[error("encrypting the keys failed; report this with the version of concordat")]
    Cipher,
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A file could not be replaced.
    #[error(transparent)]
    File(#[from] FileError),
    /// The operating system refused.
    #[error("{doing} {path}: {source}")]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What it said.
        source: io::Error,
    },
}
