//! From one engine to another: every row is copied, both stores are read and compared, then the new one
//! takes the place of the old one, which is kept.
//!
//! ```text
//!   store/store.redb ──rows──▶ store/migration/sled      the old store is only read
//!        both are read again, and hold the same
//!   store/migration/sled ──rename──▶ store/sled          from here on no daemon opens either
//!   store/store.redb ──rename──▶ store/store.redb.old    from here on a daemon opens the new one
//! ```
//!
//! *Invariants.* At every moment one whole store is there. Cut short between the renames there are two,
//! which are the same and which nothing but this opens; the next call ends it.
//!
//! *Source*: ours.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    Change, Changes, Engine, EngineKind, Store, StoreError, Table, open_engine,
    place::{Place, create_directory, free_name, sync_directory},
    shared::first_ledger,
    walk::Walk,
};

/// Where a store is built, in the directory of the store.
pub(super) const DIRECTORY: &str = "migration";
/// Rows of one commit at most, and their bytes; the last may go beyond.
const SLICE_ROWS: usize = 1024;
const SLICE_BYTES: usize = 4 * 1024 * 1024;

/// What a migration did.
#[derive(Debug, PartialEq, Eq)]
pub struct Migrated {
    /// Rows in the old store and in the new one.
    pub rows: u64,
    /// SHA-256 over all rows in order, of both.
    pub digest: [u8; 32],
    /// Where the old store is kept.
    pub old: PathBuf,
}

/// Moves the store in `directory` to another engine; `progress` is told rows done and rows in all.
///
/// # Errors
/// - [`StoreError::Locked`]: a daemon or a command has it open.
/// - [`StoreError::NothingToMigrate`]: there is no store, or it is that engine's already.
/// - [`StoreError::Differs`]: the new store did not read back as the old one; the old one stays.
/// - any other: the old store stays, or both are there and the next call ends it.
pub fn migrate(
    directory: &Path,
    to: EngineKind,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Migrated, StoreError> {
    let place = Place::lock(directory)?;
    let nothing = || StoreError::NothingToMigrate { path: directory.to_path_buf(), to };
    let mut others = place.found().into_iter().filter(|found| *found != to);
    let from = others.next().ok_or_else(nothing)?;
    let (old, new) = place.of(from).zip(place.of(to)).ok_or_else(nothing)?;
    let failed = |error| StoreError::io("migrating the store", directory, error);
    let building = directory.join(DIRECTORY);
    if !new.exists() {
        build(&place, from, (&building, to), progress)?;
        let built = building.join(new.file_name().unwrap_or_default());
        rename(&built, &new).map_err(failed)?;
    }
    let (rows, digest) = compared(directory, from, to)?;
    let kept = free_name(&old, "old");
    rename(&old, &kept).map_err(failed)?;
    remove(&building).map_err(failed)?;
    Ok(Migrated { rows, digest, old: kept })
}

/// Makes the new store, whole and durable, in a directory of its own.
fn build(
    place: &Place,
    from: EngineKind,
    (building, to): (&Path, EngineKind),
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), StoreError> {
    let failed = |error| StoreError::io("migrating the store", building, error);
    remove(building).and_then(|()| create_directory(building)).map_err(failed)?;
    let old = open_engine(place.directory(), from)?;
    let total = first_ledger(&*old)?.tally.rows;
    let ledger = old.ledger()?.unwrap_or_default();
    let new = open_engine(building, to)?;
    let (mut done, mut waiting, mut bytes) = (0, Changes::new(), 0);
    each_row(&*old, |table, key, row| {
        bytes += key.len() + row.len();
        waiting.insert((table, key), Change { before: None, after: Some(row) });
        if waiting.len() >= SLICE_ROWS || bytes >= SLICE_BYTES {
            let _durable = new.commit(&waiting, &ledger)?;
            done += waiting.len() as u64;
            (waiting, bytes) = (Changes::new(), 0);
            progress(done, total);
        }
        Ok(())
    })?;
    let _durable = new.commit(&waiting, &ledger)?;
    progress(total, total);
    Ok(())
}

/// Reads both stores: rows and digest, which must be the same.
fn compared(
    directory: &Path,
    from: EngineKind,
    to: EngineKind,
) -> Result<(u64, [u8; 32]), StoreError> {
    let [old, new] = [from, to].map(|kind| {
        let engine = open_engine(directory, kind)?;
        let mut digest = Sha256::new();
        let mut rows = 0_u64;
        each_row(&*engine, |table, key, row| {
            rows += 1;
            for part in [table.name().as_bytes(), &key, &row] {
                digest.update((part.len() as u64).to_be_bytes());
                digest.update(part);
            }
            Ok(())
        })?;
        let ledger = engine.ledger()?;
        // Also against what was written, row by row.
        Store::over_engine(engine)?.reader().verify()?;
        Ok::<_, StoreError>((rows, digest.finalize().into(), ledger))
    });
    let ((rows, digest, ledger), new) = (old?, new?);
    if new != (rows, digest, ledger) {
        let path = directory.to_path_buf();
        return Err(StoreError::Differs { path, from, to, rows, found: new.0 });
    }
    Ok((rows, digest))
}

fn each_row(
    engine: &dyn Engine,
    mut see: impl FnMut(Table, Vec<u8>, Vec<u8>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut walk = Walk::over_all();
    while let Some((table, rows)) = walk.slice(engine)? {
        for (key, row) in rows {
            see(table, key, row)?;
        }
    }
    Ok(())
}

/// Durable on return.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    to.parent().map_or(Ok(()), sync_directory)
}

pub(super) fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
