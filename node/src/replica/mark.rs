//! The high-water mark: how far this organisation's own feeds had come, kept outside the store.
//!
//! ```text
//!   concordat high-water 1
//!   restoring no
//!   board-… feed-… 1042 entry-…        board, own feed, its size, the id of its last entry
//! ```
//!
//! A store that was put back from a backup looks sound by itself. Whoever goes on signing on it
//! contradicts what was signed before, and is proven to have forked. The mark is written after
//! heads are durable, at most once a second and when the node stops, so it may lag behind the
//! store but is never ahead of what was durable: a store behind its mark is an older copy.
//!
//! | at start | the node |
//! |---|---|
//! | the store holds the marked entry of each feed | goes on |
//! | it holds fewer, or another entry there | first asks partners how far its feeds had come |
//! | there is no mark, and the store holds boards | the same |
//! | the mark says that the asking had not ended | the same |
//!
//! *Invariants.* Written whole or not at all. That partners are being asked is durable before the first
//! is, and until all that they gave is. While a board is asked about, its mark is not lowered.
//!
//! *Source*: ours; found by measuring what storage engines lose without saying so.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use concordat_protocol::{
    engine::{OwnFeed, Table, place_key},
    feed::{Header, SignedHead},
    hash::{BoardId, EntryId, FeedId},
};

use crate::{
    home::{FileError, replace_file},
    store::{KeyRange, Order, Reader, StoreError},
};

const TITLE: &str = "concordat high-water 1";

/// How far one feed had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedMark {
    /// The feed.
    pub feed: FeedId,
    /// Its number of entries; at least one.
    pub size: u64,
    /// Its last entry.
    pub last: EntryId,
}

/// How far this organisation's feeds had come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mark {
    /// Partners were being asked, and had not all answered.
    pub is_restoring: bool,
    /// By board.
    pub feeds: BTreeMap<BoardId, FeedMark>,
}

/// Why the store may be an older copy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Suspicion {
    /// The administrator said so.
    #[error("it was started with --restored")]
    Asked,
    /// The last start had not ended asking.
    #[error("it had not yet heard from its partners when it was stopped")]
    StillRestoring,
    /// The mark was lost or left behind.
    #[error("its high-water file is missing, so nobody can tell how much it had signed")]
    NoMark,
    /// The store holds less than was durable once.
    #[error("its store does not hold entry {seq} of its own feed on {board}, which it had signed")]
    Behind {
        /// Which board.
        board: BoardId,
        /// The entry that is missing.
        seq: u64,
    },
    /// The store holds something else.
    #[error("its store holds another entry {seq} of its own feed on {board} than it had signed")]
    Differs {
        /// Which board.
        board: BoardId,
        /// The entry that differs.
        seq: u64,
    },
}

/// Why the mark could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum MarkError {
    /// The file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not what was written.
    #[error(
        "line {line} of {path} is not a high-water mark; move the file away, and the node \
         will ask its partners how far its feeds had come"
    )]
    Garbled {
        /// Which file.
        path: std::path::PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Mark {
    /// Reads the mark; `None` if there is none.
    ///
    /// # Errors
    /// - [`MarkError::File`], [`MarkError::Garbled`]: there is one that cannot be read.
    pub fn load(path: &Path) -> Result<Option<Self>, MarkError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FileError::at("reading", path)(error).into()),
        };
        let parsed = Self::parse(&text);
        parsed.map(Some).map_err(|line| MarkError::Garbled { path: path.to_path_buf(), line })
    }

    /// Err: the first line that is wrong.
    fn parse(text: &str) -> Result<Self, usize> {
        let mut mark = Self::default();
        let mut lines = (1_usize..).zip(text.lines());
        if lines.next() != Some((1, TITLE)) {
            return Err(1);
        }
        match lines.next() {
            Some((_, "restoring yes")) => mark.is_restoring = true,
            Some((_, "restoring no")) => {}
            _ => return Err(2),
        }
        for (number, line) in lines {
            let (board, feed) = parse_feed(line).ok_or(number)?;
            mark.feeds.insert(board, feed);
        }
        Ok(mark)
    }

    /// Writes the mark in place of the old one.
    ///
    /// # Errors
    /// - [`FileError`]: the old mark still stands.
    pub fn save(&self, path: &Path) -> Result<(), FileError> {
        replace_file(path, self.to_text().as_bytes())
    }

    fn to_text(&self) -> String {
        let restoring = if self.is_restoring { "yes" } else { "no" };
        let mut text = format!("{TITLE}\nrestoring {restoring}\n");
        for (board, mark) in &self.feeds {
            // Writing to a String cannot fail.
            let _written = writeln!(text, "{board} {} {} {}", mark.feed, mark.size, mark.last);
        }
        text
    }

    /// The mark after what is durable of our own feeds now.
    #[must_use]
    pub fn advanced(&self, own: impl Iterator<Item = OwnFeed>, is_restoring: bool) -> Self {
        let mut feeds = self.feeds.clone();
        for OwnFeed { board, feed, durable, .. } in own.filter(|own| !own.is_restoring) {
            if let Some(SignedHead { head, .. }) = durable {
                feeds.insert(board, FeedMark { feed, size: head.size, last: head.id });
            }
        }
        Self { is_restoring, feeds }
    }
}

fn parse_feed(line: &str) -> Option<(BoardId, FeedMark)> {
    let mut words = line.split(' ');
    let board = words.next()?.parse().ok()?;
    let feed = words.next()?.parse().ok()?;
    let size = words.next()?.parse().ok().filter(|size| *size > 0)?;
    let last = words.next()?.parse().ok()?;
    words.next().is_none().then_some((board, FeedMark { feed, size, last }))
}

/// Whether the store may be an older copy than the one this node last wrote to.
///
/// # Errors
/// - [`StoreError`]: the store could not be read.
pub fn suspicion(mark: Option<&Mark>, reader: &Reader) -> Result<Option<Suspicion>, StoreError> {
    let Some(mark) = mark else {
        let boards = reader.scan(Table::Boards, &KeyRange::all(), 1, Order::Ascending)?;
        return Ok((!boards.is_empty()).then_some(Suspicion::NoMark));
    };
    for (board, FeedMark { feed, size, last }) in &mark.feeds {
        let (board, seq) = (*board, size.saturating_sub(1));
        match stored_id(reader, feed, seq)? {
            None => return Ok(Some(Suspicion::Behind { board, seq })),
            Some(found) if found != *last => return Ok(Some(Suspicion::Differs { board, seq })),
            Some(_) => {}
        }
    }
    Ok(mark.is_restoring.then_some(Suspicion::StillRestoring))
}

fn stored_id(reader: &Reader, feed: &FeedId, seq: u64) -> Result<Option<EntryId>, StoreError> {
    let header = reader.get(Table::Headers, &place_key(feed, 0, seq))?;
    Ok(header.map(|bytes| Header::id_of(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{MemoryDisk, Op, Store};

    fn board() -> BoardId {
        BoardId::from_bytes([1; 32])
    }

    fn feed() -> FeedId {
        FeedId::from_bytes([2; 32])
    }

    /// A store whose own feed has these headers; what they say does not matter here.
    fn store(headers: &[&str]) -> Store {
        let store = MemoryDisk::new().open().unwrap();
        let mut ops = vec![Op { table: Table::Boards, key: vec![1], value: Some(vec![]) }];
        for (seq, header) in (0..).zip(headers) {
            let key = place_key(&feed(), 0, seq);
            ops.push(Op { table: Table::Headers, key, value: Some(header.as_bytes().to_vec()) });
        }
        let _durable = store.commit(ops).unwrap();
        store
    }

    fn mark(size: u64, last: &str) -> Mark {
        let last = Header::id_of(last.as_bytes());
        let feeds = [(board(), FeedMark { feed: feed(), size, last })].into();
        Mark { is_restoring: false, feeds }
    }

    #[test]
    fn a_mark_comes_back_from_its_text_and_a_changed_line_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("high-water");
        assert_eq!(Mark::load(&path).unwrap(), None);
        let written = Mark { is_restoring: true, ..mark(7, "g") };

        written.save(&path).unwrap();
        assert_eq!(Mark::load(&path).unwrap(), Some(written.clone()));

        for (text, line) in [
            (String::new(), 1),
            (format!("{TITLE}\nrestoring perhaps\n"), 2),
            (written.to_text().replace(" 7 ", " 0 "), 3),
            (written.to_text().replace(" 7 ", " seven "), 3),
            (written.to_text().replace("entry-", "feed-"), 3),
        ] {
            std::fs::write(&path, text).unwrap();
            let refused = Mark::load(&path).unwrap_err();
            assert!(matches!(refused, MarkError::Garbled { line: found, .. } if found == line));
        }
    }

    #[test]
    fn only_a_store_that_holds_the_marked_entry_is_trusted() {
        let judge = |mark: Option<&Mark>, headers: &[&str]| {
            suspicion(mark, &store(headers).reader()).unwrap()
        };
        let seq = 1;
        assert_eq!(judge(Some(&mark(2, "b")), &["a", "b"]), None);
        assert_eq!(judge(Some(&mark(2, "b")), &["a", "b", "c"]), None);
        assert_eq!(
            judge(Some(&mark(2, "b")), &["a"]),
            Some(Suspicion::Behind { board: board(), seq })
        );
        assert_eq!(
            judge(Some(&mark(2, "b")), &["a", "x", "y"]),
            Some(Suspicion::Differs { board: board(), seq })
        );
        assert_eq!(judge(None, &["a"]), Some(Suspicion::NoMark));
        let restoring = Mark { is_restoring: true, ..mark(1, "a") };
        assert_eq!(judge(Some(&restoring), &["a"]), Some(Suspicion::StillRestoring));
        let empty = MemoryDisk::new().open().unwrap().reader();
        assert_eq!(suspicion(None, &empty).unwrap(), None);
    }
}
