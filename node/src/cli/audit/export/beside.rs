//! What is made for somebody, and put in its place when it is whole.
//!
//! ```text
//!   parent/.concordat-export-…/made   written here
//!   parent/NAME                       moved to, once it is durable
//! ```
//!
//! *Invariants.* What stands at NAME is never half, and never was something else. A process that is killed leaves
//! the hidden directory, and nothing under the name that was asked for.
//!
//! *Source*: ours.

use std::{
    fs,
    path::{Path, PathBuf, absolute},
};

use tempfile::{TempDir, TempPath};

use crate::{
    cli::error::CliError,
    control::Refusal,
    home::{FileError, sync_parent},
};

/// A file or directory in the making.
#[derive(Debug)]
pub(super) struct Beside {
    /// Removed when it is dropped.
    within: TempDir,
    to: PathBuf,
}

impl Beside {
    /// Begins a `what` that must not be there yet.
    pub(super) fn of(to: &Path, what: &str) -> Result<Self, CliError> {
        if fs::symlink_metadata(to).is_ok() {
            let message = format!("{} is there already; name a {what} that is not", to.display());
            return Err(Refusal::new("exists", message).into());
        }
        let to = absolute(to).map_err(FileError::at("finding", to))?;
        let parent = to.parent().unwrap_or(&to);
        let within = tempfile::Builder::new().prefix(".concordat-export-").tempdir_in(parent);
        let within = within.map_err(FileError::at("creating a directory in", parent))?;
        Ok(Self { within, to })
    }

    /// Where it stands for now.
    pub(super) fn made(&self) -> PathBuf {
        self.within.path().join("made")
    }

    /// Puts the directory that was made in its place.
    pub(super) fn place_directory(self) -> Result<(), FileError> {
        fs::rename(self.made(), &self.to).map_err(FileError::at("creating", &self.to))?;
        sync_parent(&self.to).map_err(FileError::at("writing", &self.to))
    }

    /// The same of a file, which would replace another that came meanwhile.
    pub(super) fn place_file(self) -> Result<(), FileError> {
        let made =
            TempPath::try_from_path(self.made()).map_err(FileError::at("reading", &self.to))?;
        let placed = made.persist_noclobber(&self.to).map_err(|failed| failed.error);
        placed.map_err(FileError::at("creating", &self.to))?;
        sync_parent(&self.to).map_err(FileError::at("writing", &self.to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all_and_leaves_nothing_beside() {
        let place = tempfile::tempdir().unwrap();
        let to = place.path().join("part.bundle");
        let beside = Beside::of(&to, "file").unwrap();
        fs::write(beside.made(), b"half").unwrap();
        drop(beside);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);

        let beside = Beside::of(&to, "file").unwrap();
        fs::write(beside.made(), b"whole").unwrap();
        assert!(!to.exists());
        beside.place_file().unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"whole");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
        let refused = Beside::of(&to, "file").unwrap_err();
        assert_eq!(refused.code(), "exists");
        assert!(refused.to_string().contains("name a file that is not"), "{refused}");
    }

    #[test]
    fn a_file_that_came_meanwhile_is_not_written_over() {
        let place = tempfile::tempdir().unwrap();
        let to = place.path().join("part.bundle");
        let beside = Beside::of(&to, "file").unwrap();
        fs::write(beside.made(), b"ours").unwrap();
        fs::write(&to, b"mine").unwrap();
        let refused = beside.place_file().unwrap_err();
        assert_eq!(refused.source.kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&to).unwrap(), b"mine");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }
}
