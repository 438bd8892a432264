//! The directory of a demonstration.
//!
//! *Invariants.* It held nothing before. A directory that nobody named is gone in the end, with keys and stores; a
//! named one stays.
//!
//! *Source*: ours.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::DemoError;
use crate::home::FileError;

/// Where homes, papers and logs are.
#[derive(Debug)]
pub(super) enum Place {
    Kept(PathBuf),
    Passing(TempDir),
}

impl Place {
    /// The directory to keep, or a new one.
    pub(super) fn of(keep: Option<&Path>) -> Result<Self, DemoError> {
        let Some(path) = keep else {
            let made = tempfile::Builder::new().prefix("concordat-demo-").tempdir();
            return made.map(Self::Passing).map_err(DemoError::system("making a directory"));
        };
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(FileError::at("making", path))?;
        let path = fs::canonicalize(path).map_err(FileError::at("reading", path))?;
        let mut inside = fs::read_dir(&path).map_err(FileError::at("reading", &path))?;
        match inside.next() {
            None => Ok(Self::Kept(path)),
            Some(_) => Err(DemoError::NotEmpty { path }),
        }
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Passing(directory) => directory.path(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_directory_is_empty_and_stays_and_another_goes_away() {
        let outer = tempfile::tempdir().unwrap();
        let named = outer.path().join("kept");
        let place = Place::of(Some(&named)).unwrap();
        fs::write(place.path().join("file"), "").unwrap();
        drop(place);
        assert!(named.join("file").exists());
        let refused = Place::of(Some(&named)).unwrap_err();
        assert!(matches!(refused, DemoError::NotEmpty { .. }), "{refused}");

        let place = Place::of(None).unwrap();
        let path = place.path().to_path_buf();
        assert!(path.exists());
        drop(place);
        assert!(!path.exists());
    }
}
