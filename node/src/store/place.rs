//! The directory of a store: whose it is, which engine's, and that one process alone has it.
//!
//! ```text
//!   <home>/high-water            see `high_water`
//!   <home>/store/
//!     lock                       locked while a process has the store open; empty
//!     sled/                      the store of sled, see `sled`
//!     store.redb                 the store of redb, see `redb`
//!     records.wal                private records a second time, see `wal`
//!     migration/                 a migration that has not ended, see `migrate`
//!     sled.damaged               what was damaged, a log of private records too; nobody reads it any more
//!     sled.old store.redb.old    what was migrated; nobody reads it any more
//! ```
//!
//! *Invariants.* A directory holds one engine's store, and is never begun anew beside another one's.
//!
//! *Source*: ours.

use std::{
    fs::{DirBuilder, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use super::{EngineKind, StoreError, redb, sled};

/// The file in a store's directory that is locked while a process has the store open.
pub const LOCK: &str = "lock";

/// A directory that no other process has; until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    directory: PathBuf,
    _lock: File,
}

impl Place {
    /// Makes the directory if need be, for its owner alone, and locks it.
    pub(super) fn lock(directory: &Path) -> Result<Self, StoreError> {
        let failed = |error| StoreError::io("opening the store", directory, error);
        create_directory(directory).map_err(failed)?;
        let path = directory.join(LOCK);
        let mut options = File::options();
        let lock = options.create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { directory: directory.to_path_buf(), _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(StoreError::Locked { path: directory.to_path_buf() })
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where an engine's store is, or would be.
    pub(super) fn of(&self, kind: EngineKind) -> Option<PathBuf> {
        file_of(&self.directory, kind)
    }

    /// Which engines have a store here.
    pub(super) fn found(&self) -> Vec<EngineKind> {
        engines_in(&self.directory)
    }

    /// Err unless the store that is here, if there is one, is this engine's.
    pub(super) fn expect(&self, asked: EngineKind) -> Result<(), StoreError> {
        let path = self.directory.clone();
        match self.found().as_slice() {
            [] => Ok(()),
            [found] if *found == asked => Ok(()),
            [found] => Err(StoreError::OtherEngine { path, found: *found, asked }),
            _ => Err(StoreError::TwoStores { path }),
        }
    }
}

fn file_of(directory: &Path, kind: EngineKind) -> Option<PathBuf> {
    let name = match kind {
        EngineKind::Sled => sled::DIRECTORY,
        EngineKind::Redb => redb::FILE,
        EngineKind::Memory => return None,
    };
    Some(directory.join(name))
}

/// Which engines have a store in a directory; nothing is opened or made.
#[must_use]
pub fn engines_in(directory: &Path) -> Vec<EngineKind> {
    let has = |kind: &EngineKind| file_of(directory, *kind).is_some_and(|path| path.exists());
    [EngineKind::Sled, EngineKind::Redb].into_iter().filter(has).collect()
}

/// Creates `directory`, for its owner alone, and makes its entry in its parent durable.
pub(super) fn create_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    match directory.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
        Some(_) | None => Ok(()),
    }
}

pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// The path with this ending, and a number if it is taken.
pub(super) fn free_name(path: &Path, ending: &str) -> PathBuf {
    let named = |ending: String| {
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(ending);
        PathBuf::from(name)
    };
    let numbered = (2..).map(|number: u64| format!("{ending}-{number}"));
    let mut names = std::iter::once(ending.to_owned()).chain(numbered).map(named);
    names.find(|name| !name.exists()).unwrap_or_else(|| named(ending.to_owned()))
}
