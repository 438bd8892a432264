//! Makes a backup of a node: while its daemon runs, in the daemon; else in the command.
//!
//! ```text
//!   copy of the store at one commit ─▶ files of rows ┐
//!   files of the home ───────────────────────────────┴▶ tar ─▶ [sealed] ─▶ OUT.part ─fsync─▶ read back ─▶ OUT
//! ```
//!
//! *Invariants.* Nothing has its final name before it was read back whole. No file of the home is written by
//! anybody but the holder of the store, except tokens, of which each is replaced whole.
//!
//! *Source*: ours.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::{
    Ask, BackupError, FILE_BYTES_MAX, FORMAT, FileLine, HOME, MANIFEST, Made, Manifest, STORE,
    read::{self, Opened},
    rows,
    seal::Sealing,
};
use crate::{
    clock,
    home::{FileError, Home, sync_parent},
    journal::{self, Head},
    keys::KeyDirectory,
    organisation::own_paper,
    store::{Own, Reader, Row, Table},
};

/// Told rows done and rows in all.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// Makes a backup of what a store holds now, and of the files beside it.
///
/// # Errors
/// - [`BackupError`]: nothing has the name that was asked for.
pub fn make(reader: &Reader, ask: &Ask, progress: Progress<'_>) -> Result<Made, BackupError> {
    let Ask { out, seal, .. } = ask;
    if out.exists() {
        let taken = io::Error::from(io::ErrorKind::AlreadyExists);
        return Err(FileError::at("creating", out)(taken).into());
    }
    let part = PathBuf::from(format!("{}.part", out.display()));
    let file = File::options().write(true).create_new(true).mode(0o600).open(&part);
    let file = file.map_err(FileError::at("creating", &part))?;
    let made = write(reader, ask, file, &part, progress).and_then(|manifest| {
        let opened = Opened::with(&part, seal.as_ref())?;
        let verified = read::verify(opened)?;
        if verified.manifest != manifest {
            return Err(BackupError::Damaged {
                path: part.clone(),
                what: "it does not read back as it was written".to_owned(),
            });
        }
        fs::rename(&part, out)
            .and_then(|()| sync_parent(out))
            .map_err(FileError::at("writing", out))?;
        if let Err(error) = reader.renew_wal() {
            // The backup is whole; the log stays as long as it was, or the next commit says what is wrong.
            tracing::warn!(code = error.code(), %error, "the log of private records is not shortened");
        }
        Ok(Made { out: out.clone(), ..verified })
    });
    if made.is_err() {
        // Half a backup helps nobody; what was wrong is told.
        let _removed = fs::remove_file(&part);
    }
    made
}

/// Writes all of it, durably.
fn write(
    reader: &Reader,
    ask: &Ask,
    file: File,
    path: &Path,
    progress: Progress<'_>,
) -> Result<Manifest, BackupError> {
    let failed = |error| BackupError::File(FileError::at("writing", path)(error));
    let file = BufWriter::new(file);
    let (manifest, file) = match &ask.seal {
        None => {
            let mut archive = Archive::new(file, path);
            let manifest = archive.fill(reader, ask, progress)?;
            (manifest, archive.tar.into_inner().map_err(failed)?)
        }
        Some(seal) => {
            let mut archive = Archive::new(Sealing::new(seal, file).map_err(failed)?, path);
            let manifest = archive.fill(reader, ask, progress)?;
            let sealing = archive.tar.into_inner().map_err(failed)?;
            (manifest, sealing.finish().map_err(failed)?)
        }
    };
    let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    Ok(manifest)
}

struct Archive<'a, W: Write> {
    tar: tar::Builder<W>,
    path: &'a Path,
    files: BTreeMap<String, FileLine>,
}

impl<'a, W: Write> Archive<'a, W> {
    fn new(to: W, path: &'a Path) -> Self {
        Self { tar: tar::Builder::new(to), path, files: BTreeMap::new() }
    }

    fn fill(
        &mut self,
        reader: &Reader,
        ask: &Ask,
        progress: Progress<'_>,
    ) -> Result<Manifest, BackupError> {
        let (commits, rows, journal) = self.store(reader, progress)?;
        let home = Home::new(&ask.home);
        let has_keys = self.home(&home, ask)?;
        let paper = own_paper(&home)?;
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made_ms: clock::now_ms(),
            org: paper.card().card().org.to_string(),
            name: paper.inception().legal_name.clone(),
            commits,
            rows,
            journal: journal.to_words(),
            has_keys,
            files: std::mem::take(&mut self.files),
        };
        // A manifest is texts and numbers, so it has a JSON form.
        let text =
            serde_json::to_vec_pretty(&manifest).map_err(|error| self.failed(error.into()))?;
        self.put(MANIFEST, &text)?;
        self.tar.finish().map_err(|error| self.failed(error))?;
        Ok(manifest)
    }

    fn failed(&self, error: io::Error) -> BackupError {
        FileError::at("writing", self.path)(error).into()
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), BackupError> {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(0);
        self.tar.append_data(&mut header, name, bytes).map_err(|error| self.failed(error))?;
        let sha256 = HEXLOWER.encode(&Sha256::digest(bytes));
        self.files.insert(name.to_owned(), FileLine { bytes: bytes.len() as u64, sha256 });
        Ok(())
    }

    /// The rows of the store at one commit: its number, how many there are, and the journal's head in them.
    fn store(
        &mut self,
        reader: &Reader,
        progress: Progress<'_>,
    ) -> Result<(u64, u64, Head), BackupError> {
        let total = reader.size()?.entries;
        let (mut bytes, mut number, mut done) = (Vec::new(), 0_u64, 0_u64);
        let mut head = Head::START;
        let copied = reader.copy(&mut |table, row: Row| {
            rows::put(&mut bytes, table, &row);
            if table == Table::Own(Own::Journal) {
                // In the order of their numbers.
                head = journal::head_of_row(&row).unwrap_or(head);
            }
            done += 1;
            if bytes.len() >= rows::FILE_BYTES {
                number += 1;
                self.put(&file_of(number), &bytes)?;
                bytes.clear();
                progress(done, total);
            }
            Ok::<_, BackupError>(())
        })?;
        self.put(&file_of(number + 1), &bytes)?;
        progress(total, total);
        Ok((copied.commits, copied.rows, head))
    }

    /// The files of the home; whether keys are among them.
    fn home(&mut self, home: &Home, ask: &Ask) -> Result<bool, BackupError> {
        self.file("concordat.toml", &ask.config)?;
        let directory = home.directory();
        for name in names_in(directory)? {
            if name == "organisation.card" || name.starts_with("openings-") {
                self.file(&name, &directory.join(&name))?;
            }
        }
        self.directory("tokens", &home.tokens())?;
        self.directory("collections", &home.collections())?;
        let is_locked = KeyDirectory::open(directory).is_ok_and(|keys| keys.is_locked());
        let has_keys = is_locked || ask.seal.is_some();
        if has_keys {
            self.directory("keys", &directory.join("keys"))?;
        }
        Ok(has_keys)
    }

    fn directory(&mut self, name: &str, path: &Path) -> Result<(), BackupError> {
        if !path.exists() {
            return Ok(());
        }
        for file in names_in(path)? {
            // Left behind by a write that was cut short.
            if !file.ends_with(".new") {
                self.file(&format!("{name}/{file}"), &path.join(&file))?;
            }
        }
        Ok(())
    }

    fn file(&mut self, name: &str, path: &Path) -> Result<(), BackupError> {
        let found = fs::metadata(path).map_err(FileError::at("reading", path))?;
        if !found.is_file() {
            return Ok(());
        }
        if found.len() > FILE_BYTES_MAX {
            let long = io::Error::from(io::ErrorKind::FileTooLarge);
            return Err(FileError::at("reading", path)(long).into());
        }
        let bytes = fs::read(path).map_err(FileError::at("reading", path))?;
        self.put(&format!("{HOME}{name}"), &bytes)
    }
}

fn file_of(number: u64) -> String {
    format!("{STORE}{number:06}.rows")
}

/// Names in a directory, ascending.
fn names_in(directory: &Path) -> Result<Vec<String>, FileError> {
    let failed = || FileError::at("reading", directory);
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        names.extend(entry.file_name().into_string());
    }
    names.sort();
    Ok(names)
}
