//! Why the store could not do what it was asked.
//!
//! *Invariants.* Engines' own errors appear as sources alone, boxed. Every message a person may
//! read says what to do next.
//!
//! *Source*: ours.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{EngineKind, KEY_BYTES_MAX, VALUE_BYTES_MAX};

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Commits changed more than a copy can remember.
    #[error(
        "the store changed faster than it could be copied; try again when less is written, or with the \
         daemon stopped"
    )]
    Overrun,
    /// Another process, or another part of this one, has the store open.
    #[error(
        "the store in {path} is in use by another process; \
         stop the other concordat daemon that has this home, then try again"
    )]
    Locked {
        /// Directory of the store.
        path: PathBuf,
    },
    /// The disk is full; nothing acknowledged is lost.
    #[error("{doing} in {path}: the disk is full; free some space and start the daemon again")]
    DiskFull {
        /// Where.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
    },
    /// The operating system refused.
    #[error("{doing} in {path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// What is stored does not agree with its checksum, or is not a store of this version.
    #[error(
        "{doing} in {path}: the store is damaged ({source}); run `concordat store set-aside`, which \
         keeps it, and start the daemon: it fetches its boards' entries from its partners again"
    )]
    Damaged {
        /// Where.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the engine said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The engine will do nothing more after an earlier failure.
    #[error("{doing} in {path}: the store stopped after an earlier error; restart the daemon")]
    Stopped {
        /// Where.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
    },
    /// The engine panicked; what was under way may be durable, all or none.
    #[error("{doing}: the store's engine panicked; restart the daemon, and report the log")]
    Panicked {
        /// What was being done.
        doing: &'static str,
    },
    /// There is a store, and it is another engine's.
    #[error(
        "{path} holds a store of {found}, and the config says store = \"{asked}\"; \
         set store = \"{found}\" in the config, or run `concordat store migrate --to {asked}`"
    )]
    OtherEngine {
        /// Directory of the store.
        path: PathBuf,
        /// Which engine's store is there.
        found: EngineKind,
        /// Which engine was to open it.
        asked: EngineKind,
    },
    /// A migration was cut short after the new store was whole.
    #[error(
        "{path} holds a store of sled and one of redb: a migration was cut short; \
         run `concordat store migrate` again with the same --to, which ends it"
    )]
    TwoStores {
        /// Directory of the store.
        path: PathBuf,
    },
    /// There is no store to be moved to another engine.
    #[error("{path} holds no store of another engine than {to}; there is nothing to migrate")]
    NothingToMigrate {
        /// Directory of the store.
        path: PathBuf,
        /// The engine that was asked for.
        to: EngineKind,
    },
    /// There is no store of this engine to be set aside.
    #[error("{path} holds no store of {kind}; there is nothing to set aside")]
    NothingToSetAside {
        /// Directory of the store.
        path: PathBuf,
        /// The engine of the config.
        kind: EngineKind,
    },
    /// A migrated store is not what it was made of.
    #[error(
        "{path}: the store of {from} has {rows} rows, and of the one of {to} {found} were read, or \
         other ones; move the one of {to} away and try again"
    )]
    Differs {
        /// Directory of the stores.
        path: PathBuf,
        /// The old engine.
        from: EngineKind,
        /// The new engine.
        to: EngineKind,
        /// Rows in the old store.
        rows: u64,
        /// Rows in the new one.
        found: u64,
    },
    /// Neither state in the high-water file is whole.
    #[error(
        "{path} is not a high-water mark; move the file away, and the node will ask its partners \
         how far its feeds had come"
    )]
    Garbled {
        /// The high-water file.
        path: PathBuf,
    },
    /// The high-water file does not hold what this process wrote last.
    #[error(
        "{path} was written by another process; two daemons sign in one home, or in a copy of it: \
         stop one of them for good, then start the other again"
    )]
    Raced {
        /// The high-water file.
        path: PathBuf,
    },
    /// A key beyond the bound: our own mistake.
    #[error("a key of {bytes} bytes in table {table} passes the bound of {KEY_BYTES_MAX}")]
    KeyTooLong {
        /// Which table.
        table: &'static str,
        /// Its length.
        bytes: usize,
    },
    /// A value beyond the bound: our own mistake.
    #[error("a value of {bytes} bytes in table {table} passes the bound of {VALUE_BYTES_MAX}")]
    ValueTooLong {
        /// Which table.
        table: &'static str,
        /// Its length.
        bytes: usize,
    },
}

impl StoreError {
    /// Puts an error of the operating system in its place.
    pub(super) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path, doing }
            }
            _ => Self::Io { path, doing, source },
        }
    }

    /// What was read at `path` is not what was written.
    pub(super) fn damaged(
        doing: &'static str,
        path: &Path,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Damaged { path: path.to_path_buf(), doing, source: source.into() }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "busy",
            Self::Overrun => "store-changes-too-fast",
            Self::DiskFull { .. } => "disk-full",
            Self::Damaged { .. } => "store-damaged",
            Self::OtherEngine { .. } => "other-engine",
            Self::TwoStores { .. } => "two-stores",
            Self::NothingToMigrate { .. } => "nothing-to-migrate",
            Self::NothingToSetAside { .. } => "nothing-to-set-aside",
            Self::Differs { .. } => "migration-differs",
            Self::Garbled { .. } => "high-water",
            Self::Raced { .. } => "two-daemons",
            Self::Io { .. }
            | Self::Stopped { .. }
            | Self::Panicked { .. }
            | Self::KeyTooLong { .. }
            | Self::ValueTooLong { .. } => "store",
        }
    }
}
