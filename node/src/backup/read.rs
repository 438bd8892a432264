//! Reads a backup to its end, and checks all of it: each file against the manifest, each row, and that nothing is
//! missing or too much.
//!
//! *Bounds.* One file is held at a time; lengths are checked before memory is taken.
//!
//! *Invariants.* Nothing is used of a backup that was not read to its end before.
//!
//! *Source*: ours.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, Read, Seek},
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::{
    BackupError, Broken, FILE_BYTES_MAX, FORMAT, FileLine, MANIFEST, Made, Manifest, STORE, rows,
    seal::{Opening, Seal},
};
use crate::{
    home::FileError,
    keys::{KeyError, Passphrase},
    store::Op,
};

/// A backup whose seal, if it has one, is opened.
#[derive(Debug)]
pub struct Opened {
    path: PathBuf,
    seal: Option<Seal>,
}

/// What is found in a backup, file by file.
pub(super) enum Found<'a> {
    /// A file of the home: its name there.
    Home(&'a str, &'a [u8]),
    /// Rows of the store.
    Rows(Vec<Op>),
}

impl Opened {
    /// Opens a backup; `passphrase` is asked for one if it is sealed.
    ///
    /// # Errors
    /// - [`BackupError::File`], [`BackupError::NotABackup`], [`BackupError::Keys`]: it cannot be read.
    pub fn open(
        path: &Path,
        passphrase: impl FnOnce() -> Result<Passphrase, KeyError>,
    ) -> Result<Self, BackupError> {
        let file = File::open(path).map_err(FileError::at("reading", path))?;
        let head = Seal::head_of(&mut BufReader::new(file));
        let no_backup = || BackupError::NotABackup { path: path.to_path_buf() };
        let seal = match head.map_err(|_| no_backup())? {
            None => None,
            Some(head) => Some(Seal::open(head, &passphrase()?)?.ok_or_else(no_backup)?),
        };
        Ok(Self { path: path.to_path_buf(), seal })
    }

    /// The same, to be read once more.
    pub(super) fn again(&self) -> Self {
        Self { path: self.path.clone(), seal: self.seal.clone() }
    }

    /// The one that was just written.
    pub(super) fn with(path: &Path, seal: Option<&Seal>) -> Result<Self, BackupError> {
        Ok(Self { path: path.to_path_buf(), seal: seal.cloned() })
    }

    /// Reads it to its end, checks all of it, and gives each file to `see`.
    pub(super) fn read(
        &self,
        see: &mut dyn FnMut(Found<'_>) -> Result<(), BackupError>,
    ) -> Result<Manifest, BackupError> {
        let failed = |error| self.failed(error);
        let mut file = File::open(&self.path).map_err(FileError::at("reading", &self.path))?;
        let Some(seal) = &self.seal else {
            return self.read_tar(BufReader::new(file), see);
        };
        let head = seal.head().len() as u64;
        file.seek(io::SeekFrom::Start(head)).map_err(failed)?;
        let mut opening = Opening::new(seal, BufReader::new(file)).map_err(failed)?;
        // The first chunk tells whether the passphrase is right.
        let mut first = [0; 1];
        match opening.read(&mut first) {
            Err(error) if broken(&error) == Some(Broken::Seal) => {
                return Err(BackupError::WrongPassphrase { path: self.path.clone() });
            }
            read => read.map_err(failed)?,
        };
        self.read_tar(first.as_slice().chain(opening), see)
    }

    fn read_tar(
        &self,
        from: impl Read,
        see: &mut dyn FnMut(Found<'_>) -> Result<(), BackupError>,
    ) -> Result<Manifest, BackupError> {
        let failed = |error| self.failed(error);
        let mut archive = tar::Archive::new(from);
        let mut files = BTreeMap::new();
        let (mut manifest, mut count) = (None, 0_u64);
        for entry in archive.entries().map_err(failed)? {
            let mut entry = entry.map_err(failed)?;
            let name = String::from_utf8(entry.path_bytes().into_owned());
            let name = name.map_err(|_| self.damaged("a file in it has no readable name"))?;
            if manifest.is_some() {
                return Err(self.damaged("something stands after its manifest"));
            }
            let is_rows = name.starts_with(STORE);
            let most = if is_rows { rows::FILE_BYTES_MAX as u64 } else { FILE_BYTES_MAX };
            if entry.size() > most || !entry.header().entry_type().is_file() {
                return Err(self.damaged(&format!("{name} is no file of a backup")));
            }
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(failed)?;
            if bytes.len() as u64 != entry.size() {
                return Err(BackupError::Truncated { path: self.path.clone() });
            }
            if name == MANIFEST {
                manifest = Some(self.manifest(&bytes)?);
                continue;
            }
            let sha256 = HEXLOWER.encode(&Sha256::digest(&bytes));
            files.insert(name.clone(), FileLine { bytes: bytes.len() as u64, sha256 });
            let found = if is_rows {
                let rows = rows::read(&bytes);
                let rows =
                    rows.ok_or_else(|| self.damaged(&format!("{name} is not made of rows")))?;
                count += rows.len() as u64;
                Found::Rows(rows)
            } else {
                match name.strip_prefix(super::HOME).filter(|name| is_plain(name)) {
                    Some(name) => Found::Home(name, &bytes),
                    None => return Err(self.damaged("it holds a file that no backup has")),
                }
            };
            see(found)?;
        }
        let end = archive.into_inner();
        // What stands behind the archive is read too, so that a seal is checked to its end.
        io::copy(&mut { end }, &mut io::sink()).map_err(failed)?;
        let manifest =
            manifest.ok_or_else(|| BackupError::Truncated { path: self.path.clone() })?;
        self.expect_all(&manifest, &files, count)?;
        Ok(manifest)
    }

    fn manifest(&self, bytes: &[u8]) -> Result<Manifest, BackupError> {
        let read = serde_json::from_slice::<Manifest>(bytes);
        let manifest = read.map_err(|_| self.damaged("its manifest cannot be read"))?;
        if manifest.format != FORMAT {
            return Err(BackupError::NotABackup { path: self.path.clone() });
        }
        Ok(manifest)
    }

    fn expect_all(
        &self,
        manifest: &Manifest,
        found: &BTreeMap<String, FileLine>,
        rows: u64,
    ) -> Result<(), BackupError> {
        for (name, line) in &manifest.files {
            if found.get(name) != Some(line) {
                return Err(self.damaged(&format!("{name} is not what was written")));
            }
        }
        if manifest.files.len() != found.len() || manifest.rows != rows {
            return Err(self.damaged("it does not hold what its manifest says"));
        }
        Ok(())
    }

    fn damaged(&self, what: &str) -> BackupError {
        BackupError::Damaged { path: self.path.clone(), what: what.to_owned() }
    }

    fn failed(&self, error: io::Error) -> BackupError {
        let path = self.path.clone();
        match (broken(&error), error.kind()) {
            (Some(Broken::End), _) | (None, io::ErrorKind::UnexpectedEof) => {
                BackupError::Truncated { path }
            }
            (Some(Broken::Seal), _) => self.damaged("a part of it does not open"),
            // What the reader of archives says of bytes that are none.
            (
                None,
                io::ErrorKind::Other | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput,
            ) => self.damaged("it is not an archive, or was altered"),
            _ => FileError::at("reading", &path)(error).into(),
        }
    }

    pub(super) const fn is_sealed(&self) -> bool {
        self.seal.is_some()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// A name of a file in the home, or in a directory of it.
fn is_plain(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    let is_part = |part: &&str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
    };
    match parts.as_slice() {
        [_] => parts.iter().all(is_part),
        ["tokens" | "keys" | "collections", _] => parts.iter().all(is_part),
        _ => false,
    }
}

fn broken(error: &io::Error) -> Option<Broken> {
    let mut cause: &(dyn std::error::Error + 'static) = error.get_ref()?;
    loop {
        if let Some(broken) = cause.downcast_ref::<Broken>() {
            return Some(*broken);
        }
        // The reader of archives wraps what it was told.
        cause = match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => inner,
            None => cause.source()?,
        };
    }
}

/// Reads a backup to its end, and checks all of it.
///
/// # Errors
/// - [`BackupError`]: it is not whole; the code says how.
pub fn verify(opened: Opened) -> Result<Made, BackupError> {
    let manifest = opened.read(&mut |_| Ok(()))?;
    let failed = || FileError::at("reading", opened.path());
    let mut file = File::open(opened.path()).map_err(failed())?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes = 0_u64;
    loop {
        let read = file.read(&mut buffer).map_err(failed())?;
        if read == 0 {
            break;
        }
        digest.update(buffer.get(..read).unwrap_or_default());
        bytes += read as u64;
    }
    let sha256 = HEXLOWER.encode(&digest.finalize());
    let (out, is_sealed) = (opened.path().to_path_buf(), opened.is_sealed());
    Ok(Made { out, bytes, sha256, manifest, is_sealed })
}
