//! A node's home: which file is where, and how small files are written so that they last.
//!
//! ```text
//!   <home>/                 0700
//!     concordat.toml               the config file
//!     keys/                        secrets, see `keys`
//!     organisation.card            inception record and newest card of this organisation
//!     openings-1                   by which right the feed key of epoch 1 took over, see `openings`
//!     high-water                   how far store and own feeds had come, see `store` and `mark`
//!     store/                       see `store`
//!     documents/                   which documents could not be opened, see `artefact`
//!     collections/                 what private records hold, see `records`
//!     tokens/               0700   who may use the API, see `http`
//!     control.sock          0600   where commands reach a running daemon, see `control`
//!     http.sock             0600   the API beside its TCP port, see `http`
//! ```
//!
//! *Invariants.* A file is replaced whole or not at all, and is durable when the call returns.
//! Knows nothing of what is in the files.
//!
//! *Source*: ours.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crate::store::high_water_file;

/// The directory of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// The home in this directory, which need not exist yet.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self(directory.to_path_buf())
    }

    /// The directory itself.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.0
    }

    /// This organisation's own inception record and newest card.
    #[must_use]
    pub fn own_card(&self) -> PathBuf {
        self.0.join("organisation.card")
    }

    /// By which right the feed key of an epoch after the first took over.
    #[must_use]
    pub fn openings(&self, epoch: u64) -> PathBuf {
        self.0.join(format!("openings-{epoch}"))
    }

    /// The high-water mark.
    #[must_use]
    pub fn mark(&self) -> PathBuf {
        high_water_file(&self.store())
    }

    /// Directory of the store.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    /// Directory of notes on documents that are being opened, or could not be.
    #[must_use]
    pub fn documents(&self) -> PathBuf {
        self.0.join("documents")
    }

    /// Directory of the files that say what private records hold.
    #[must_use]
    pub fn collections(&self) -> PathBuf {
        self.0.join("collections")
    }

    /// Directory of the API's tokens.
    #[must_use]
    pub fn tokens(&self) -> PathBuf {
        self.0.join("tokens")
    }

    /// The socket of a running daemon's API.
    #[must_use]
    pub fn http_socket(&self) -> PathBuf {
        self.0.join("http.sock")
    }

    /// The socket of a running daemon.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.0.join("control.sock")
    }
}

/// The config file in this directory, unless another is named.
#[must_use]
pub fn config_file(directory: &Path) -> PathBuf {
    directory.join("concordat.toml")
}

/// A file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{doing} {path}: {source}")]
pub struct FileError {
    /// What was being done.
    pub doing: &'static str,
    /// Which file.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

impl FileError {
    /// Puts an error in its place.
    pub fn at(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self { doing, path, source }
    }
}

/// Who may read a new file, as far as the process's own mask lets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Nobody but its owner.
    Owner,
    /// Whoever it is handed to.
    Everyone,
}

/// Writes a file that must not exist yet; durable on return.
///
/// # Errors
/// - [`FileError`]: it exists already, or the operating system refused.
pub fn create_file(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), FileError> {
    let mode = match readers {
        Readers::Owner => 0o600,
        Readers::Everyone => 0o644,
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(FileError::at("creating", path))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| sync_parent(path))
        .map_err(FileError::at("writing", path))
}

/// Writes a file in place of the one that may be there; durable on return, and never half.
///
/// # Errors
/// - [`FileError`]: the operating system refused; the old file is then still there.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let write = || {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        sync_parent(path)
    };
    write().map_err(FileError::at("writing", path))
}

/// Bytes that this user may still write on the disk of `path`.
///
/// # Errors
/// - [`io::Error`]: there is no such path, or the disk cannot be asked.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Removes a file, if it is there.
///
/// # Errors
/// - [`FileError`]: the operating system refused.
pub fn remove_file(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::at("removing", path)(error))
        }
        _ => Ok(()),
    }
}

/// Makes durable that a file is in its directory, or is not.
///
/// # Errors
/// - [`io::Error`]: the operating system refused.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    File::open(parent)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_created_once_and_replaced_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");

        create_file(&path, b"one", Readers::Owner).unwrap();
        let refused = create_file(&path, b"two", Readers::Everyone).unwrap_err();
        assert_eq!(refused.source.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");

        replace_file(&path, b"three").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
