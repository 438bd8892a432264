//! Why the store could not do what it was asked.
//!
//! *Invariants.* Engines' own errors appear as sources alone, boxed. Every message a person may
//! read says what to do next.
//!
//! *Source*: ours.

use std::{io, path::PathBuf};

use super::{KEY_BYTES_MAX, VALUE_BYTES_MAX};

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
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
        "{doing} in {path}: the store is damaged ({source}); keep a copy of the directory, \
         then restore it from a backup or let the node fetch its feeds from its peers again"
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
