//! Opening a sled directory: what is tried, in which order, before it is called damaged.
//!
//! 1. A directory that is not there is made under another name, with its first ledger, and renamed:
//!    one that is there has a ledger, however little else.
//! 2. A half-written index (`snap.*.generating`) is removed: sled would stop at it.
//! 3. Sled opens the directory and reads its log from the newest index on.
//! 4. If that fails or panics, and not for want of space, or there is no ledger: the directory is
//!    copied aside as sled left it, `snap.*` are removed, which hold nothing that is not in the log, and
//!    step 3 is tried once more.
//! 5. If that fails too, the directory is damaged. So it is if step 3 does not come to an end: sled may read a
//!    damaged log for ever.
//!
//! *Invariants.* We remove nothing that is not in the copy, but a half-written index.
//!
//! *Source*: ours; sled issues 1527 and 1533.

use std::{
    any::Any,
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use ::sled::{Config, Db, Error};

use super::{LEDGER_KEY, StoreError, pieces::SEGMENT_BYTES};
use crate::store::place::{create_directory, free_name, sync_directory};

/// Sled's own default is 1 GiB, which a small machine does not have.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;
/// Sled's own threads may hold its lock for a moment after it was closed.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(10);
const DOING: &str = "opening the store";
/// A log of many gigabytes without an index takes minutes to read.
const OPENING_MAX: Duration = Duration::from_mins(15);

/// Opens the directory, making it with this ledger if it is not there.
pub(super) fn open(directory: &Path, first: &[u8]) -> Result<Db, StoreError> {
    let failed = |error| StoreError::io(DOING, directory, error);
    if !directory.exists() {
        create(directory, first)?;
    }
    remove(directory, |name| name.starts_with("snap.") && name.ends_with(".generating"))
        .map_err(failed)?;
    let first = match attempt(directory, OPENING_MAX)? {
        Err(error @ StoreError::Damaged { .. }) => error,
        opened => return opened,
    };
    let copy = copy_aside(directory).map_err(failed)?;
    remove(directory, |name| name.starts_with("snap.")).map_err(failed)?;
    let opened = attempt(directory, OPENING_MAX)?;
    match &opened {
        Ok(_) => tracing::warn!(
            code = "store-index", copy = %copy.display(), error = %first,
            "sled's index over its log was damaged and was made anew; a copy was kept"
        ),
        Err(_) => tracing::error!(
            code = "store-damaged", copy = %copy.display(),
            "a copy of the damaged store, as it was found, was kept"
        ),
    }
    opened
}

fn create(directory: &Path, first: &[u8]) -> Result<(), StoreError> {
    let io_failed = |error| StoreError::io(DOING, directory, error);
    let new = directory.with_extension("new");
    if new.exists() {
        fs::remove_dir_all(&new).map_err(io_failed)?;
    }
    create_directory(&new).map_err(io_failed)?;
    let database = started(&new)?;
    database
        .insert(LEDGER_KEY, first)
        .and_then(|_none| database.flush())
        .map_err(|error| failed(DOING, directory, error))?;
    drop(database);
    sync_files(&new).and_then(|()| fs::rename(&new, directory)).map_err(io_failed)?;
    directory.parent().map_or(Ok(()), sync_directory).map_err(io_failed)
}

/// The outer error says that sled did not come to an end, and may still be at it.
fn attempt(directory: &Path, limit: Duration) -> Result<Result<Db, StoreError>, StoreError> {
    let path = directory.to_path_buf();
    let opened = within(limit, move || {
        let database = started(&path)?;
        match database.get(LEDGER_KEY) {
            Ok(Some(_)) => Ok(database),
            Ok(None) => Err(StoreError::damaged(DOING, &path, "its ledger is missing")),
            Err(error) => Err(failed(DOING, &path, error)),
        }
    });
    opened.ok_or_else(|| {
        let hangs = format!("sled panicked, or did not open it within {} s", limit.as_secs());
        StoreError::damaged(DOING, directory, hangs)
    })
}

/// What the work gives, unless it takes longer than this; then it goes on by itself, and ends with the process.
fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, waiting) = mpsc::channel();
    // Err: nobody waits any more.
    thread::spawn(move || drop(done.send(work())));
    waiting.recv_timeout(limit).ok()
}

fn started(directory: &Path) -> Result<Db, StoreError> {
    let config = Config::new()
        .path(directory)
        .cache_capacity(CACHE_BYTES)
        .segment_size(SEGMENT_BYTES)
        // Only `commit` writes.
        .flush_every_ms(None);
    let give_up = Instant::now() + PATIENCE;
    loop {
        let opened = match catch_unwind(AssertUnwindSafe(|| config.open())) {
            Ok(opened) => opened.map_err(|error| failed(DOING, directory, error)),
            Err(panic) => Err(StoreError::damaged(DOING, directory, panic_in_words(&*panic))),
        };
        match opened {
            Err(StoreError::Locked { .. }) if Instant::now() < give_up => thread::sleep(PAUSE),
            opened => return opened,
        }
    }
}

/// Turns sled's errors into ours.
pub(super) fn failed(doing: &'static str, directory: &Path, error: Error) -> StoreError {
    match error {
        // By this process itself, or our own lock would not be held.
        Error::Io(error) if error.to_string().contains("could not acquire lock") => {
            StoreError::Locked { path: directory.to_path_buf() }
        }
        // Sled says that its file ends too early, or is no file of its own, in the same way.
        Error::Io(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::Other
            ) =>
        {
            StoreError::io(doing, directory, error)
        }
        other => StoreError::damaged(doing, directory, other),
    }
}

pub(super) fn panic_in_words(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the engine panicked: {}", said.unwrap_or("it did not say why"))
}

/// Removes the files directly in `directory` whose names are such.
fn remove(directory: &Path, is_such: impl Fn(&str) -> bool) -> io::Result<()> {
    for file in files(directory)? {
        if file.file_name().is_some_and(|name| is_such(&name.to_string_lossy())) {
            fs::remove_file(file)?;
        }
    }
    sync_directory(directory)
}

/// Copies `directory` beside itself, under a name that is free.
fn copy_aside(directory: &Path) -> io::Result<PathBuf> {
    let copy = free_name(directory, "damaged");
    create_directory(&copy)?;
    for file in files(directory)? {
        fs::copy(&file, copy.join(file.file_name().unwrap_or_default()))?;
    }
    sync_files(&copy)?;
    Ok(copy)
}

fn sync_files(directory: &Path) -> io::Result<()> {
    for file in files(directory)? {
        fs::File::open(file)?.sync_all()?;
    }
    sync_directory(directory)
}

/// The files directly in `directory`.
fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<io::Result<_>>()?;
    paths.retain(|path| path.is_file());
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_that_does_not_come_to_an_end_is_given_up() {
        let (held, blocks) = mpsc::channel::<()>();
        let limit = Duration::from_millis(50);
        assert_eq!(within(limit, move || blocks.recv().is_ok()), None);
        drop(held);
        assert_eq!(within(OPENING_MAX, || 7), Some(7));
        assert_eq!(within(OPENING_MAX, || panic!("as sled does")), None::<u8>);
    }

    #[test]
    fn what_hangs_is_called_damaged() {
        let place = tempfile::tempdir().unwrap();
        let told = attempt(&place.path().join("sled"), Duration::ZERO).unwrap_err();
        assert!(told.to_string().contains("did not open it within 0 s"), "{told}");
    }
}
