//! Where a bundle comes from: a file, or a copied store, of which one is made for the time of the command.
//!
//! ```text
//!   home or store ──lock, shared──▶ copied to a directory of our own ──opened──▶ bundle ──▶ as from a file
//!                                                                         all of it removed at the end
//! ```
//!
//! *Invariants.* Nothing of what was named is written, not even its lock. A store that a node has open is
//! refused: what is copied meanwhile may be half of it. The copy, which may hold private records, is its
//! owner's alone.
//!
//! *Source*: ours.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{
    cli::{error::CliError, out::Out},
    control::Refusal,
    home::FileError,
    replica::export_store,
    store::{self, EngineKind, StoreError},
};

/// A bundle to be read.
#[derive(Debug)]
pub(super) struct Source {
    bundle: PathBuf,
    /// Removed when it is dropped.
    _made_in: Option<TempDir>,
}

impl Source {
    /// The file, or the bundle of the store in the directory.
    pub(super) fn of(path: &Path, out: &Out) -> Result<Self, CliError> {
        if !path.is_dir() {
            return Ok(Self { bundle: path.to_path_buf(), _made_in: None });
        }
        let made_in =
            tempfile::tempdir().map_err(FileError::at("copying to", &std::env::temp_dir()))?;
        let (from, engine) = store_in(path)?;
        let (home, bundle) = (made_in.path().join("home"), made_in.path().join("bundle"));
        let to = home.join("store");
        let bar = out.bytes_progress("copied", size(&from)?);
        {
            let _unused = lock(&from)?;
            copy(&from, &to, &mut |bytes| bar.inc(bytes))?;
        }
        bar.finish_and_clear();
        let store = store::open(&to, engine)?;
        let exported = export_store(&store, &bundle);
        exported.map_err(|why| Refusal::new("export", format!("{}: {why}", path.display())))?;
        Ok(Self { bundle, _made_in: Some(made_in) })
    }

    /// The bundle.
    pub(super) fn path(&self) -> &Path {
        &self.bundle
    }
}

/// The store in a directory that may be a home, and its engine.
fn store_in(path: &Path) -> Result<(PathBuf, EngineKind), CliError> {
    let home = path.join("store");
    for directory in [home, path.to_path_buf()] {
        match store::engines_in(&directory).as_slice() {
            [] => {}
            [engine] => return Ok((directory, *engine)),
            _ => return Err(StoreError::TwoStores { path: directory }.into()),
        }
    }
    let message = format!(
        "{} holds no store; name a bundle, a copy of a node's directory, or of the store in it",
        path.display()
    );
    Err(Refusal::new("no-store", message).into())
}

/// A lock that others may have too, but no node; none where the copy has no lock file.
fn lock(store: &Path) -> Result<Option<File>, CliError> {
    let path = store.join(store::LOCK);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::at("locking", &path)(error).into()),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::Locked { path: store.to_path_buf() }.into())
        }
        Err(TryLockError::Error(error)) => Err(FileError::at("locking", &path)(error).into()),
    }
}

/// What files a store has, as they stand in it; what is neither file nor directory is not of a store.
fn files(store: &Path) -> Result<Vec<PathBuf>, FileError> {
    let (mut found, mut left) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(place) = left.pop() {
        let directory = store.join(&place);
        let failed = || FileError::at("reading", &directory);
        for entry in fs::read_dir(&directory).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let (kind, place) =
                (entry.file_type().map_err(failed())?, place.join(entry.file_name()));
            if kind.is_dir() {
                left.push(place);
            } else if kind.is_file() {
                found.push(place);
            }
        }
    }
    Ok(found)
}

fn size(store: &Path) -> Result<u64, FileError> {
    let files = files(store)?;
    let sizes = files.iter().map(|file| {
        let path = store.join(file);
        fs::metadata(&path).map(|one| one.len()).map_err(FileError::at("reading", &path))
    });
    sizes.sum()
}

fn copy(store: &Path, to: &Path, copied: &mut dyn FnMut(u64)) -> Result<(), FileError> {
    for file in files(store)? {
        let (from, to) = (store.join(&file), to.join(&file));
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(FileError::at("creating", parent))?;
        }
        // A new file of our own: one that may only be read could not be opened as a store.
        let mut reads = File::open(&from).map_err(FileError::at("reading", &from))?;
        let mut writes = File::create(&to).map_err(FileError::at("creating", &to))?;
        copied(io::copy(&mut reads, &mut writes).map_err(FileError::at("copying", &from))?);
    }
    Ok(())
}
