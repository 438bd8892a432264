//! A directory with the digests of its files, which is there whole or not at all.
//!
//! *Invariants.* The manifest comes last, and names all but itself.
//!
//! *Source*: ours; BagIt (RFC 8493, section 2.1.3) for the lines of the manifest.

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use concordat_protocol::codec::hex;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::beside::Beside;
use crate::{
    cli::error::CliError,
    home::{FileError, Readers, create_file},
};

/// The manifest's name; all but itself stand in it.
const MANIFEST: &str = "manifest-sha256.txt";

const PIECE_BYTES: usize = 256 * 1024;

/// A directory in the making.
#[derive(Debug)]
pub(super) struct Folder {
    beside: Beside,
    files: Vec<HeldFile>,
}

/// One file of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct HeldFile {
    /// Its path in the directory.
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

impl Folder {
    /// Begins a directory that must not be there yet.
    pub(super) fn beside(to: &Path) -> Result<Self, CliError> {
        let folder = Self { beside: Beside::of(to, "directory")?, files: Vec::new() };
        let made = folder.beside.made();
        fs::create_dir(&made).map_err(FileError::at("creating", &made))?;
        Ok(folder)
    }

    /// Where a file stands for now.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.beside.made().join(name)
    }

    /// Writes a file.
    pub(super) fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(FileError::at("creating", parent))?;
        }
        create_file(&path, bytes, Readers::Everyone)?;
        self.take(name)
    }

    /// Takes in a file that was written where [`Folder::path`] says.
    pub(super) fn take(&mut self, name: &str) -> Result<(), FileError> {
        let path = self.path(name);
        let (digest, bytes) = digest_of(&path).map_err(FileError::at("reading", &path))?;
        let sha256 = hex(&digest);
        self.files.push(HeldFile { name: name.to_owned(), bytes, sha256 });
        Ok(())
    }

    /// Writes the manifest, and puts the whole where it was asked for.
    pub(super) fn finish(mut self) -> Result<Vec<HeldFile>, CliError> {
        self.files.sort_by(|a, b| a.name.cmp(&b.name));
        let lines = self.files.iter().map(|file| format!("{}  {}\n", file.sha256, file.name));
        let manifest: String = lines.collect();
        self.add(MANIFEST, manifest.as_bytes())?;
        self.beside.place_directory()?;
        Ok(self.files)
    }
}

/// The SHA-256 of a file, and its length.
fn digest_of(path: &Path) -> io::Result<([u8; 32], u64)> {
    let mut reads = BufReader::with_capacity(PIECE_BYTES, File::open(path)?);
    let (mut digest, mut bytes) = (Sha256::new(), 0u64);
    loop {
        let piece = reads.fill_buf()?;
        let length = piece.len();
        if length == 0 {
            return Ok((digest.finalize().into(), bytes));
        }
        digest.update(piece);
        bytes = bytes.saturating_add(length as u64);
        reads.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_appears_whole_with_its_manifest_or_not_at_all() {
        let place = tempfile::tempdir().unwrap();
        let to = place.path().join("made-for-audit");
        let mut folder = Folder::beside(&to).unwrap();
        folder.add("proofs/one.txt", b"one\n").unwrap();
        assert!(!to.exists());
        drop(folder);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "nothing is left of half of it");

        let mut folder = Folder::beside(&to).unwrap();
        folder.add("two.txt", b"two\n").unwrap();
        folder.add("proofs/one.txt", b"one\n").unwrap();
        let names: Vec<_> = folder.finish().unwrap().into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["proofs/one.txt", "two.txt", MANIFEST]);
        let digest = |text: &[u8]| hex(&Sha256::digest(text));
        assert_eq!(
            fs::read_to_string(to.join(MANIFEST)).unwrap(),
            format!("{}  proofs/one.txt\n{}  two.txt\n", digest(b"one\n"), digest(b"two\n"))
        );
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
        let refused = Folder::beside(&to).unwrap_err();
        assert_eq!(refused.code(), "exists");
    }

    #[test]
    fn a_directory_that_came_meanwhile_is_not_written_over() {
        let place = tempfile::tempdir().unwrap();
        let to = place.path().join("made-for-audit");
        let mut folder = Folder::beside(&to).unwrap();
        folder.add("one.txt", b"one\n").unwrap();
        fs::create_dir(&to).unwrap();
        fs::write(to.join("mine.txt"), b"mine").unwrap();
        assert_eq!(folder.finish().unwrap_err().code(), "file");
        assert_eq!(fs::read(to.join("mine.txt")).unwrap(), b"mine");
        assert_eq!(fs::read_dir(&to).unwrap().count(), 1);
    }
}
