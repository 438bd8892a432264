//! The high-water file: what was durable, kept outside the store by the commit that made it so.
//!
//! ```text
//!   concordat high-water 2     ┐
//!   commits 1431               │ number of the last commit that is durable in the store
//!   …                          │ lines of whoever commits: how far its own feeds have come
//!   crc 1a2b3c4d               │ crc32 of all lines before
//!                              ┘ empty lines up to the end of the slot
//!   concordat high-water 2     ┐
//!   …                          │ the other slot, of the same length: the one before, or empty
//!                              ┘
//! ```
//!
//! An engine that drops the end of its log without a word, and a store that was put back from a
//! backup, look sound by themselves. They hold fewer commits than this file says, or not what its
//! other lines say.
//!
//! The file is written after a commit is durable in the store, and before anybody hears of it: into
//! the slot that holds the older state, with one fsync, so the newer state stays whole until then.
//! Before each write the file must still hold what was written last (compare and swap): two
//! processes that sign in one home are found by the second one's first commit.
//!
//! *Invariants.* What it says was durable in the store when it was written. It is never wound back.
//!
//! *Source*: ours; two slots with checksums as in most databases' own headers.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use super::StoreError;
use crate::home::replace_file;

const TITLE: &str = "concordat high-water 2";
/// Of one slot, at first and as a step; a whole number of disk pages.
const SLOT_BYTES: usize = 4096;

/// What one slot says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// Number of the last commit that was durable.
    pub commits: u64,
    /// Lines of whoever committed; ends with a newline, or is empty.
    pub lines: String,
}

impl Kept {
    /// What the file at `path` says; `None` if there is no file.
    ///
    /// # Errors
    /// - [`StoreError::Io`]: it could not be read.
    /// - [`StoreError::Garbled`]: there is one, and neither slot is whole.
    pub fn load(path: &Path) -> Result<Option<Self>, StoreError> {
        match fs::read(path) {
            Ok(bytes) => newest(&bytes).map(|(_, kept)| Some(kept)).ok_or_else(|| garbled(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("reading", path)(error)),
        }
    }

    /// Writes the file anew, in place of the one that may be there; nobody may have it open.
    ///
    /// # Errors
    /// - [`StoreError::Io`], [`StoreError::DiskFull`]: the old file still stands.
    pub fn save(&self, path: &Path) -> Result<(), StoreError> {
        let text = self.to_text();
        let slot = text.len().next_multiple_of(SLOT_BYTES);
        let mut bytes = padded(text, slot);
        bytes.resize(2 * slot, b'\n');
        replace_file(path, &bytes).map_err(|error| failed("writing", path)(error.source))
    }

    fn to_text(&self) -> String {
        let body = format!("{TITLE}\ncommits {}\n{}", self.commits, self.lines);
        let crc = crc32fast::hash(body.as_bytes());
        format!("{body}crc {crc:08x}\n")
    }

    fn from_slot(slot: &[u8]) -> Option<Self> {
        let text = str::from_utf8(slot).ok()?.trim_end_matches('\n');
        let (body, crc) = text.rsplit_once('\n')?;
        let body = format!("{body}\n");
        if crc.strip_prefix("crc ")? != format!("{:08x}", crc32fast::hash(body.as_bytes())) {
            return None;
        }
        let rest = body.strip_prefix(TITLE)?.strip_prefix("\ncommits ")?;
        let (commits, lines) = rest.split_once('\n')?;
        Some(Self { commits: commits.parse().ok()?, lines: lines.to_owned() })
    }
}

/// The newest whole state, and which slot it is in.
fn newest(bytes: &[u8]) -> Option<(usize, Kept)> {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let slots = [first, second].into_iter().enumerate();
    let whole = slots.filter_map(|(number, slot)| Some((number, Kept::from_slot(slot)?)));
    whole.max_by_key(|(_, kept)| kept.commits)
}

fn padded(text: String, slot: usize) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    bytes.resize(slot, b'\n');
    bytes
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::io(doing, path, source)
}

fn garbled(path: &Path) -> StoreError {
    StoreError::Garbled { path: path.to_path_buf() }
}

/// The open file, between two commits.
#[derive(Debug)]
pub(super) struct HighWater {
    path: PathBuf,
    file: File,
    slot_bytes: usize,
    /// Which slot holds the newest state.
    slot: usize,
    kept: Kept,
}

impl HighWater {
    /// Opens the file, making it if it is not there.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            Kept::default().save(path)?;
        }
        let bytes = fs::read(path).map_err(failed("reading", path))?;
        let file = File::options().write(true).open(path).map_err(failed("opening", path))?;
        let (slot, kept) = newest(&bytes).ok_or_else(|| garbled(path))?;
        let slot_bytes = bytes.len() / 2;
        Ok(Self { path: path.to_path_buf(), file, slot_bytes, slot, kept })
    }

    /// What the file says.
    pub(super) const fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Writes `next` in place of what was written last; durable on return.
    pub(super) fn swap(&mut self, next: Kept) -> Result<(), StoreError> {
        let path = self.path.clone();
        // By its name: the file that is open here may have been replaced.
        let bytes = fs::read(&path).map_err(failed("reading", &path))?;
        if newest(&bytes).is_none_or(|(_, found)| found != self.kept) {
            return Err(StoreError::Raced { path });
        }
        let text = next.to_text();
        // A state that replaces another of the same commit cannot be told from it by its number.
        if text.len() > self.slot_bytes || next.commits == self.kept.commits {
            next.save(&path)?;
            *self = Self::open(&path)?;
            return Ok(());
        }
        let slot = 1 - self.slot;
        let at = (slot * self.slot_bytes) as u64;
        self.file
            .write_all_at(&padded(text, self.slot_bytes), at)
            .and_then(|()| self.file.sync_data())
            .map_err(failed("writing", &path))?;
        (self.slot, self.kept) = (slot, next);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(commits: u64, lines: &str) -> Kept {
        Kept { commits, lines: lines.to_owned() }
    }

    #[test]
    fn the_newest_whole_slot_counts() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("high-water");
        assert_eq!(Kept::load(&path).unwrap(), None);
        let mut file = HighWater::open(&path).unwrap();
        assert_eq!(file.kept(), &Kept::default());

        file.swap(kept(1, "a\n")).unwrap();
        file.swap(kept(2, "b\nc\n")).unwrap();

        assert_eq!(Kept::load(&path).unwrap(), Some(kept(2, "b\nc\n")));
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 2 * SLOT_BYTES);
        // A write that was torn leaves the state before it.
        let at = bytes.windows(9).position(|run| run == b"commits 2").unwrap();
        let mut torn = bytes.clone();
        torn[at + 8] = b'3';
        fs::write(&path, &torn).unwrap();
        assert_eq!(Kept::load(&path).unwrap(), Some(kept(1, "a\n")));
        fs::write(&path, &bytes[..20]).unwrap();
        assert!(matches!(Kept::load(&path), Err(StoreError::Garbled { .. })));
    }

    #[test]
    fn lines_that_outgrow_a_slot_and_states_of_one_commit_are_kept() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("high-water");
        let mut file = HighWater::open(&path).unwrap();
        let long = "x".repeat(3 * SLOT_BYTES) + "\n";
        for next in [kept(1, "a\n"), kept(2, &long), kept(3, "c\n"), kept(3, "d\n"), kept(4, "")] {
            file.swap(next.clone()).unwrap();
            assert_eq!(Kept::load(&path).unwrap(), Some(next.clone()));
            assert_eq!(HighWater::open(&path).unwrap().kept(), &next);
        }
    }

    #[test]
    fn whoever_did_not_write_last_writes_no_more() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("high-water");
        let mut first = HighWater::open(&path).unwrap();
        let mut second = HighWater::open(&path).unwrap();

        second.swap(kept(1, "second\n")).unwrap();
        let refused = first.swap(kept(1, "first\n")).unwrap_err();

        assert!(matches!(refused, StoreError::Raced { .. }), "{refused}");
        assert_eq!(Kept::load(&path).unwrap(), Some(kept(1, "second\n")));
    }
}
