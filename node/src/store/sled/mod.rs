//! The sled engine: version 0.34.7, and what has to stand around it so that nothing is lost.
//!
//! ```text
//!   commit:  images of the rows before ─▶ one batch ─▶ flush ─▶ fsync of `db` and directory ─▶ images dropped
//!   read:    the image of the row before, if a commit is under way, else sled
//! ```
//!
//! | what sled does | what stands around it |
//! |---|---|
//! | `flush` on Linux commits neither the file's length nor the drive's cache | an fsync of our own after it |
//! | a batch can be read before it is durable | readers see images of the rows as they were |
//! | values above a quarter of a segment, a leaf of 17 of them, become files that are never freed | pieces of 64 KiB, segments of 8 MiB; `blobs` stays empty |
//! | a damaged end of its log is dropped without a word | the ledger, and the high-water file |
//! | a damaged or half-written index over the log makes it refuse to open | `open` moves the index aside |
//! | damaged pages may make it panic | a panic is an error |
//! | after a failed write, `flush` and closing may hang | it is neither written to nor closed any more |
//!
//! | file | what |
//! |---|---|
//! | `mod` | commits and reads |
//! | `open` | what is tried, in which order, before a directory is called damaged |
//! | `pieces` | keys of rows, values longer than a piece |
//! | `merge` | a scan over what is stored, with images in place of what they are of |
//!
//! *Invariants.* No sled type leaves this folder. One batch a commit, in one tree.
//!
//! *Source*: ours; sled 0.34.7 `pagecache/iobuf.rs`, `pagecache/iterator.rs`, `node.rs`; its issues
//! 1351, 1452 and 1202; measured under kill, power loss, damage and full disks.

mod merge;
mod open;
mod pieces;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use ::sled::{Batch, Db};

use self::pieces::{Stored, bounds, key_of, row_key};
use super::{
    Changes, Durable, Engine, KeyRange, Order, Row, StoreError, Table, Verified, ledger::Ledger,
    place::sync_directory,
};

/// The directory, in the directory of the store.
pub(super) const DIRECTORY: &str = "sled";
/// Before every row's key, since no table's name is empty.
const LEDGER_KEY: &[u8] = &[0];

/// Rows as they were before the commit that is under way; `None` where there was none.
type Images = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// An open sled store.
#[derive(Debug)]
pub(super) struct Sled {
    directory: PathBuf,
    database: Db,
    /// Locked for writing while a commit begins or ends, for reading while somebody reads.
    images: RwLock<Images>,
    has_failed: AtomicBool,
}

impl Sled {
    pub(super) fn open(directory: &Path) -> Result<Self, StoreError> {
        let database = open::open(directory, &Ledger::default().to_bytes())?;
        Ok(Self {
            directory: directory.to_path_buf(),
            database,
            images: RwLock::default(),
            has_failed: AtomicBool::new(false),
        })
    }

    /// Runs what sled may panic in.
    fn guarded<T>(
        &self,
        doing: &'static str,
        run: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
            Err(StoreError::damaged(doing, &self.directory, open::panic_in_words(&*panic)))
        })
    }

    fn failed(&self, doing: &'static str) -> impl Fn(::sled::Error) -> StoreError + '_ {
        move |error| open::failed(doing, &self.directory, error)
    }

    /// What is stored under a row's key, its pieces joined.
    fn read(&self, key: &[u8], doing: &'static str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.database.get(key).map_err(self.failed(doing))? {
            None => Ok(None),
            Some(stored) => self.join(key, &stored, doing).map(Some),
        }
    }

    fn join(&self, key: &[u8], stored: &[u8], doing: &'static str) -> Result<Vec<u8>, StoreError> {
        match Stored::from_bytes(stored) {
            Some(Stored::Whole(row)) => Ok(row.to_vec()),
            Some(Stored::Pieces { len_bytes }) => {
                let mut row = Vec::with_capacity(len_bytes);
                for piece in pieces::keys(key, len_bytes) {
                    // One that is missing or altered disagrees with the row's checksum.
                    if let Some(bytes) = self.database.get(piece).map_err(self.failed(doing))? {
                        row.extend_from_slice(&bytes);
                    }
                }
                Ok(row)
            }
            None => Err(StoreError::damaged(doing, &self.directory, "a row is of no known kind")),
        }
    }

    fn commit_batch(&self, changes: &Changes, ledger: &[u8]) -> Result<(), StoreError> {
        let doing = "committing";
        let (mut batch, mut images) = (Batch::default(), Images::new());
        for ((table, key), change) in changes {
            let key = row_key(*table, key);
            pieces::write(&mut batch, &key, change);
            images.insert(key, change.before.clone());
        }
        batch.insert(LEDGER_KEY, ledger);
        // Waits for those who read; whoever comes after them sees the images.
        *self.images.write().unwrap_or_else(PoisonError::into_inner) = images;
        self.database.apply_batch(batch).map_err(self.failed(doing))?;
        self.database.flush().map_err(self.failed(doing))?;
        self.sync().map_err(|error| StoreError::io(doing, &self.directory, error))?;
        *self.images.write().unwrap_or_else(PoisonError::into_inner) = Images::new();
        Ok(())
    }

    /// What `flush` leaves out: the log's length and extents, its directory entry.
    fn sync(&self) -> io::Result<()> {
        let blobs = self.directory.join("blobs");
        if fs::read_dir(&blobs)?.next().is_some() {
            return Err(io::Error::other("sled wrote a blob file, which it would never free"));
        }
        File::open(self.directory.join("db"))?.sync_all()?;
        sync_directory(&self.directory)
    }
}

impl Drop for Sled {
    fn drop(&mut self) {
        // The last handle closes, which flushes, which may hang after a failure: one is left over
        // until the process ends.
        if self.has_failed.load(Ordering::Acquire) {
            mem::forget(self.database.clone());
        }
    }
}

impl Engine for Sled {
    fn commit(&self, changes: &Changes, ledger: &[u8]) -> Result<Durable, StoreError> {
        if self.has_failed.load(Ordering::Acquire) {
            let path = self.directory.clone();
            return Err(StoreError::Stopped { path, doing: "committing" });
        }
        let done = self.guarded("committing", || self.commit_batch(changes, ledger));
        if done.is_err() {
            self.has_failed.store(true, Ordering::Release);
        }
        done.map(Durable)
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let key = row_key(table, key);
        let images = self.images.read().unwrap_or_else(PoisonError::into_inner);
        match images.get(&key) {
            Some(image) => Ok(image.clone()),
            None => self.guarded("reading", || self.read(&key, "reading")),
        }
    }

    fn scan(
        &self,
        table: Table,
        range: &KeyRange,
        limit: usize,
        order: Order,
    ) -> Result<Vec<Row>, StoreError> {
        let images = self.images.read().unwrap_or_else(PoisonError::into_inner);
        self.guarded("scanning", || {
            let bounds = bounds(table, range);
            let stored = self.database.range(bounds.clone());
            let images = images.range(bounds);
            let mut rows = Vec::new();
            for found in merge::merged(stored, images, order) {
                let (key, row) = match found.map_err(self.failed("scanning"))? {
                    merge::Found::Image(key, image) => (key, image.to_vec()),
                    merge::Found::Stored(key, stored) => {
                        let row = self.join(&key, &stored, "scanning")?;
                        (key, row)
                    }
                };
                rows.push((key_of(table, key), row));
                if rows.len() == limit {
                    break;
                }
            }
            Ok(rows)
        })
    }

    fn ledger(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let doing = "reading the ledger";
        self.guarded(doing, || {
            let found = self.database.get(LEDGER_KEY).map_err(self.failed(doing))?;
            Ok(found.map(|ledger| ledger.to_vec()))
        })
    }

    /// Nothing that the rows' checksums and the ledger would not show.
    fn check(&self) -> Result<Verified, StoreError> {
        Ok(Verified::Sound)
    }

    fn disk_bytes(&self) -> Result<u64, StoreError> {
        self.database.size_on_disk().map_err(self.failed("measuring"))
    }

    fn path(&self) -> &Path {
        &self.directory
    }
}
