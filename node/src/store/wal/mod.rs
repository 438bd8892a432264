//! The write-ahead log of private records: what no partner can give again is on disk twice before it is
//! called durable.
//!
//! ```text
//!   <home>/store/records.wal    frames, oldest first
//!   frame   length of the body, 4 │ crc32 of the body, 4 │ body │ length of the body again, 4
//!   body    number of the commit, 8 │ rows
//!   row     length of the key, 2 │ key │ 1 + length of the value, or 0 for a row that was removed, 4 │ value
//!
//!   commit: frame ─fsync─▶ engine, with the ledger ─fsync─▶ high-water file
//! ```
//!
//! Numbers are big-endian. Played from its beginning the log gives every private record there is, so an
//! engine that lost the end of what it held, or cannot be opened at all, is filled again from it. It grows until it
//! is begun anew from the engine, which happens only once that was proven sound, see `recover`.
//!
//! *Bounds.* A frame is about 16 MiB at most; a commit that is longer has several, of the same number.
//!
//! *Invariants.* A frame is durable before the engine hears of its rows. Frames of commits that nobody was told
//! of are cut off before the next is written.
//!
//! *Source*: ours; a log that the store is an index over, as in any database.

mod recover;
#[cfg(test)]
mod tests;

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

pub(super) use recover::{replay, told};

use super::{KEY_BYTES_MAX, Op, Own, StoreError, Table, VALUE_BYTES_MAX};
use crate::home::sync_parent;

/// The table whose rows it holds.
pub(super) const TABLE: Table = Table::Own(Own::Records);
const FILE: &str = "records.wal";
/// Before a body, and after it.
const HEAD_BYTES: usize = 8;
const FOOT_BYTES: usize = 4;
/// A body is closed with the row that reaches this.
const BODY_BYTES: usize = 16 * 1024 * 1024;
const BODY_BYTES_MAX: usize = BODY_BYTES + KEY_BYTES_MAX + VALUE_BYTES_MAX + 64;

/// Where the log of the store in this directory is.
pub(super) fn file(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// The open log, between two commits.
#[derive(Debug)]
pub(super) struct Wal {
    path: PathBuf,
    file: File,
    len: u64,
    /// The highest number of a commit that stands in it.
    last: u64,
    /// Set where it cannot be known which file a later start would find.
    is_unsure: bool,
}

/// What stands at the end of a log.
#[derive(Debug, PartialEq, Eq)]
enum Tail {
    /// The log is empty.
    Empty,
    /// A whole frame, of the commit of this number.
    Whole(u64),
    /// Anything else.
    Broken,
}

impl Wal {
    /// Opens the log, making it if it is not there.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let is_new = !path.exists();
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let open = || {
            let file = options.open(path)?;
            if is_new {
                sync_parent(path)?;
            }
            Ok((file.metadata()?.len(), file))
        };
        let (len, file) = open().map_err(failed("opening", path))?;
        let path = path.to_path_buf();
        Ok(Self { path, file, len, last: 0, is_unsure: false })
    }

    /// The highest number of a commit that is known to stand in it.
    pub(super) const fn last(&self) -> u64 {
        self.last
    }

    fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// Its length.
    pub(super) const fn len_bytes(&self) -> u64 {
        self.len
    }

    /// Writes those of `ops` that are of its table; durable on return.
    pub(super) fn append(&mut self, commits: u64, ops: &[Op]) -> Result<(), StoreError> {
        let mut ours = ops.iter().filter(|op| op.table == TABLE).peekable();
        if ours.peek().is_none() {
            return Ok(());
        }
        if self.is_unsure {
            return Err(StoreError::Stopped { path: self.path.clone(), doing: "writing" });
        }
        let mut end = self.len;
        let mut write = || {
            while let Some(frame) = next_frame(commits, &mut ours) {
                self.file.write_all_at(&frame, end)?;
                end += frame.len() as u64;
            }
            self.file.sync_data()
        };
        write().map_err(failed("writing", &self.path))?;
        (self.len, self.last) = (end, commits);
        Ok(())
    }

    /// What stands at its end; reads that alone.
    fn tail(&mut self) -> Tail {
        if self.len == 0 {
            return Tail::Empty;
        }
        let last = || {
            let mut foot = [0; FOOT_BYTES];
            let foot_at = self.len.checked_sub(FOOT_BYTES as u64)?;
            self.file.read_exact_at(&mut foot, foot_at).ok()?;
            let whole = u64::from(u32::from_be_bytes(foot)) + (HEAD_BYTES + FOOT_BYTES) as u64;
            let mut frames = self.frames_from(self.len.checked_sub(whole)?).ok()?;
            Some(frames.next()?.commits)
        };
        let Some(last) = last() else { return Tail::Broken };
        self.last = last;
        Tail::Whole(last)
    }

    /// Every frame, up to what cannot be read.
    pub(super) fn frames(&self) -> Result<Frames, StoreError> {
        self.frames_from(0)
    }

    fn frames_from(&self, at: u64) -> Result<Frames, StoreError> {
        let open = || {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(at))?;
            Ok(file)
        };
        let file = BufReader::new(open().map_err(failed("reading", &self.path))?);
        Ok(Frames { file, at, len: self.len })
    }

    /// Drops what stands after this place; durable on return.
    fn cut(&mut self, end: u64) -> Result<(), StoreError> {
        let cut = self.file.set_len(end).and_then(|()| self.file.sync_all());
        cut.map_err(failed("shortening", &self.path))?;
        self.len = end;
        Ok(())
    }

    /// A log that is to take the place of this one, of a store at this commit.
    fn begin_anew(&self, commits: u64) -> Result<Anew, StoreError> {
        let path = self.path.with_extension("wal.new");
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(&path).map_err(failed("creating", &path))?;
        let mut anew = Anew { path, file: BufWriter::new(file), len: 0, later: self.len };
        // It says up to where it is whole, even if there are no rows.
        anew.append(&frame_of(commits, &mut std::iter::empty()))?;
        Ok(anew)
    }
}

/// A log that is being made.
struct Anew {
    path: PathBuf,
    file: BufWriter<File>,
    len: u64,
    /// What stands in the old one after this place was written since.
    later: u64,
}

impl Anew {
    fn write(&mut self, commits: u64, rows: &[Op]) -> Result<(), StoreError> {
        let mut rows = rows.iter().peekable();
        while let Some(frame) = next_frame(commits, &mut rows) {
            self.append(&frame)?;
        }
        Ok(())
    }

    fn append(&mut self, frame: &[u8]) -> Result<(), StoreError> {
        self.file.write_all(frame).map_err(failed("writing", &self.path))?;
        self.len += frame.len() as u64;
        Ok(())
    }

    /// Takes over what was written meanwhile, and the old one's place; durable on return.
    fn replace(mut self, old: &mut Wal) -> Result<(), StoreError> {
        let mut catch_up = || {
            let mut later = File::open(&old.path)?;
            later.seek(SeekFrom::Start(self.later))?;
            self.len += io::copy(&mut later.take(old.len - self.later), &mut self.file)?;
            self.file.flush()?;
            let file = self.file.get_ref().try_clone()?;
            file.sync_all()?;
            fs::rename(&self.path, &old.path)?;
            Ok(file)
        };
        // Up to here the old one stands.
        let file = catch_up().map_err(failed("writing", &self.path))?;
        (old.file, old.len) = (file, self.len);
        let synced = sync_parent(&old.path);
        old.is_unsure = synced.is_err();
        synced.map_err(failed("writing", &old.path))
    }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::io(doing, path, source)
}

/// The next of the frames that these rows take, if any are left.
fn next_frame<'a>(
    commits: u64,
    rows: &mut std::iter::Peekable<impl Iterator<Item = &'a Op>>,
) -> Option<Vec<u8>> {
    rows.peek()?;
    Some(frame_of(commits, rows))
}

/// A frame with as many of these rows as it takes; it may be none.
fn frame_of<'a>(commits: u64, rows: &mut impl Iterator<Item = &'a Op>) -> Vec<u8> {
    let mut frame = vec![0; HEAD_BYTES];
    frame.extend_from_slice(&commits.to_be_bytes());
    while frame.len() < BODY_BYTES
        && let Some(Op { key, value, .. }) = rows.next()
    {
        // Within u16 and u32: the store has compared both with their bounds.
        frame.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes());
        frame.extend_from_slice(key);
        let len = value.as_ref().map_or(0, |value| value.len() + 1);
        frame.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
        frame.extend_from_slice(value.as_deref().unwrap_or_default());
    }
    let body = frame.get(HEAD_BYTES..).unwrap_or_default();
    let len = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    let crc = crc32fast::hash(body).to_be_bytes();
    frame.splice(..HEAD_BYTES, len.into_iter().chain(crc));
    frame.extend_from_slice(&len);
    frame
}

/// A frame that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// The commit's number.
    pub(super) commits: u64,
    pub(super) rows: Vec<Op>,
    /// Where it ends in the file.
    pub(super) end: u64,
}

/// Frames in their order, up to the first that is not whole.
pub(super) struct Frames {
    file: BufReader<File>,
    at: u64,
    len: u64,
}

impl Frames {
    /// Whether all of the log was read.
    pub(super) const fn is_at_end(&self) -> bool {
        self.at == self.len
    }
}

impl Iterator for Frames {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        let mut head = [0; HEAD_BYTES];
        self.file.read_exact(&mut head).ok()?;
        let (len, crc) = head.split_first_chunk::<4>()?;
        let len_bytes = usize::try_from(u32::from_be_bytes(*len)).ok()?;
        let end = self.at + (HEAD_BYTES + len_bytes + FOOT_BYTES) as u64;
        if len_bytes > BODY_BYTES_MAX || end > self.len {
            return None;
        }
        let mut body = vec![0; len_bytes];
        self.file.read_exact(&mut body).ok()?;
        let mut foot = [0; FOOT_BYTES];
        self.file.read_exact(&mut foot).ok()?;
        if foot != *len || crc != crc32fast::hash(&body).to_be_bytes() {
            return None;
        }
        let (commits, rows) = body.split_first_chunk::<8>()?;
        let rows = rows_of(rows)?;
        self.at = end;
        Some(Frame { commits: u64::from_be_bytes(*commits), rows, end })
    }
}

fn rows_of(mut bytes: &[u8]) -> Option<Vec<Op>> {
    let mut rows = Vec::new();
    while !bytes.is_empty() {
        let (len, rest) = bytes.split_first_chunk::<2>()?;
        let (key, rest) = rest.split_at_checked(u16::from_be_bytes(*len).into())?;
        let (len, rest) = rest.split_first_chunk::<4>()?;
        let len = usize::try_from(u32::from_be_bytes(*len)).ok()?;
        let (value, rest) = rest.split_at_checked(len.saturating_sub(1))?;
        let value = (len > 0).then(|| value.to_vec());
        rows.push(Op { table: TABLE, key: key.to_vec(), value });
        bytes = rest;
    }
    Some(rows)
}
