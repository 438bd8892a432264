//! The high-water mark: how far this organisation's own feeds had come, kept outside the store.
//!
//! ```text
//!   restoring no
//!   journal 77 9f3c…                   the last entry of the journal, see `journal`; none before the first
//!   board-… feed-… 1042 entry-…        board, own feed, its size, the id of its last entry
//! ```
//!
//! These are the lines of the store's high-water file, which also counts commits. A store that was
//! put back from a backup, or that lost the end of its log, looks sound by itself. Whoever goes on
//! signing on it contradicts what was signed before, and is proven to have forked. So the mark is
//! durable before anybody hears of a new entry of our own: each batch carries the mark that holds
//! with it. It is never ahead of what was durable: a store behind its mark is an older copy.
//!
//! | at start | the node |
//! |---|---|
//! | the store holds the marked entry of each feed, and all commits | goes on |
//! | it holds fewer, or another entry there | first asks partners how far its feeds had come |
//! | there is no mark, and the store holds boards | the same |
//! | the mark says that the asking had not ended | the same |
//!
//! *Invariants.* That partners are being asked is durable before the first is, and until all that they
//! gave is. While a board is asked about, its mark is not lowered.
//!
//! *Source*: ours; found by measuring what storage engines lose without saying so.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use concordat_protocol::{
    engine::{Op, OwnFeed, Table, place_key},
    feed::{Header, SignedHead},
    hash::{BoardId, EntryId, FeedId},
};

use crate::{
    journal,
    store::{Kept, KeyRange, Order, Reader, StoreError},
};

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
    /// How far the journal had come.
    pub journal: Option<journal::Head>,
    /// How many commits were durable in the store.
    pub commits: u64,
}

/// Why the store may be an older copy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Suspicion {
    /// The administrator said so.
    #[error("it was started with --restored")]
    Asked,
    /// The last start had not ended asking.
    #[error(
        "it was put back from a backup, or had not yet heard from its partners when it was stopped"
    )]
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
    /// The store holds fewer commits than were durable once.
    #[error(
        "its store holds its first {held} commits, and {marked} were durable: the end was lost, or \
         it is an older copy"
    )]
    RolledBack {
        /// How many it holds.
        held: u64,
        /// How many it held once.
        marked: u64,
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
    /// The file or the store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Mark {
    /// Reads the mark; `None` if there is none.
    ///
    /// # Errors
    /// - [`MarkError::Store`], [`MarkError::Garbled`]: there is one that cannot be read.
    pub fn load(path: &Path) -> Result<Option<Self>, MarkError> {
        let Some(kept) = Kept::load(path)? else { return Ok(None) };
        let parsed = Self::parse(&kept);
        parsed.map(Some).map_err(|line| MarkError::Garbled { path: path.to_path_buf(), line })
    }

    /// Err: the first line that is wrong.
    fn parse(kept: &Kept) -> Result<Self, usize> {
        let mut mark = Self { commits: kept.commits, ..Self::default() };
        // The file's own two lines stand before.
        let mut lines = (3_usize..).zip(kept.lines.lines());
        match lines.next() {
            Some((_, "restoring yes")) => mark.is_restoring = true,
            // Whoever commits without a mark leaves no line.
            Some((_, "restoring no")) | None => {}
            Some((number, _)) => return Err(number),
        }
        for (number, line) in lines {
            if mark.journal.is_none()
                && let Some(head) = journal::head_of_line(line)
            {
                mark.journal = Some(head);
                continue;
            }
            let (board, feed) = parse_feed(line).ok_or(number)?;
            mark.feeds.insert(board, feed);
        }
        Ok(mark)
    }

    /// Writes the mark in place of the old one; nobody may write to the store meanwhile.
    ///
    /// # Errors
    /// - [`StoreError`]: the old mark still stands.
    pub fn save(&self, path: &Path) -> Result<(), StoreError> {
        Kept { commits: self.commits, lines: self.to_lines() }.save(path)
    }

    /// The lines that go with a commit.
    #[must_use]
    pub fn to_lines(&self) -> String {
        let restoring = if self.is_restoring { "yes" } else { "no" };
        let mut text = format!("restoring {restoring}\n");
        text.extend(self.journal.map(journal::mark_line));
        for (board, mark) in &self.feeds {
            // Writing to a String cannot fail.
            let _written = writeln!(text, "{board} {} {} {}", mark.feed, mark.size, mark.last);
        }
        text
    }

    /// The mark once all is durable that is durable now, or is in `ahead` and on its way.
    #[must_use]
    pub fn advanced(
        &self,
        own: impl Iterator<Item = OwnFeed>,
        ahead: &BTreeMap<BoardId, FeedMark>,
        is_restoring: bool,
    ) -> Self {
        let mut feeds = self.feeds.clone();
        for OwnFeed { board, feed, durable, .. } in own.filter(|own| !own.is_restoring) {
            let durable = durable.map(|SignedHead { head, .. }| head);
            let durable = durable.map(|head| FeedMark { feed, size: head.size, last: head.id });
            let ahead = ahead.get(&board).copied().filter(|mark| mark.feed == feed);
            let furthest = [durable, ahead].into_iter().flatten().max_by_key(|mark| mark.size);
            if let Some(mark) = furthest {
                feeds.insert(board, mark);
            }
        }
        Self { is_restoring, feeds, journal: self.journal, commits: self.commits }
    }
}

impl FeedMark {
    /// How far a feed will have come with these writes, if it goes further with them.
    #[must_use]
    pub fn with(feed: FeedId, ops: &[Op]) -> Option<Self> {
        let (first, no) = (place_key(&feed, 0, 0), 0_u64.to_be_bytes().len());
        let places = first.get(..first.len().saturating_sub(no))?;
        let headers = ops.iter().filter(|op| op.table == Table::Headers).filter_map(|op| {
            let seq = op.key.strip_prefix(places)?.try_into().ok()?;
            let size = u64::from_be_bytes(seq).saturating_add(1);
            Some(Self { feed, size, last: Header::id_of(op.value.as_ref()?) })
        });
        headers.max_by_key(|mark| mark.size)
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
    let (held, marked) = (reader.commits(), mark.commits);
    if held < marked {
        return Ok(Some(Suspicion::RolledBack { held, marked }));
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
    use crate::store::{self, MemoryDisk, Store};

    fn board() -> BoardId {
        BoardId::from_bytes([1; 32])
    }

    fn feed() -> FeedId {
        FeedId::from_bytes([2; 32])
    }

    /// A store whose own feed has these headers; what they say does not matter here.
    fn store(headers: &[&str]) -> Store {
        let store = MemoryDisk::new().open().unwrap();
        let mut ops = vec![store::Op::put(Table::Boards, vec![1], vec![])];
        for (seq, header) in (0..).zip(headers) {
            let key = place_key(&feed(), 0, seq);
            ops.push(store::Op::put(Table::Headers, key, header.as_bytes().to_vec()));
        }
        let _durable = store.commit(ops).unwrap();
        store
    }

    fn mark(size: u64, last: &str) -> Mark {
        let last = Header::id_of(last.as_bytes());
        let feeds = [(board(), FeedMark { feed: feed(), size, last })].into();
        Mark { feeds, ..Mark::default() }
    }

    #[test]
    fn a_mark_comes_back_from_its_text_and_a_changed_line_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("high-water");
        assert_eq!(Mark::load(&path).unwrap(), None);
        let journal = Some(journal::Head { number: 9, hash: [4; 32] });
        let written = Mark { is_restoring: true, journal, ..mark(7, "g") };

        written.save(&path).unwrap();
        assert_eq!(Mark::load(&path).unwrap(), Some(written.clone()));

        let lines = written.to_lines();
        for (lines, line) in [
            ("restoring perhaps\n".to_owned(), 3),
            (lines.replace(" 7 ", " 0 "), 5),
            (lines.replace(" 7 ", " seven "), 5),
            (lines.replace("entry-", "feed-"), 5),
            (lines.replace("journal 9", "journal nine"), 4),
        ] {
            Kept { commits: 1, lines }.save(&path).unwrap();
            let refused = Mark::load(&path).unwrap_err();
            assert!(matches!(refused, MarkError::Garbled { line: found, .. } if found == line));
        }
    }

    #[test]
    fn the_mark_of_a_batch_is_its_last_own_entry_or_what_is_durable_already() {
        let header = |feed: &FeedId, seq, text: &str| Op {
            table: Table::Headers,
            key: place_key(feed, 0, seq),
            value: Some(text.as_bytes().to_vec()),
        };
        let other = FeedId::from_bytes([3; 32]);
        let ops = [header(&feed(), 4, "e"), header(&feed(), 5, "f"), header(&other, 9, "j")];

        let ahead = FeedMark::with(feed(), &ops);

        let last = Header::id_of(b"f");
        assert_eq!(ahead, Some(FeedMark { feed: feed(), size: 6, last }));
        assert_eq!(FeedMark::with(FeedId::from_bytes([4; 32]), &ops), None);
        let own =
            OwnFeed { board: board(), feed: feed(), durable: None, drafts: 0, is_restoring: false };
        let ahead = ahead.map(|mark| (board(), mark)).into_iter().collect();
        let before = mark(4, "d");
        let after = before.advanced([own].into_iter(), &ahead, false);
        assert_eq!(after, mark(6, "f"));
        let asking = OwnFeed { is_restoring: true, ..own };
        assert_eq!(before.advanced([asking].into_iter(), &ahead, false), before);
        let next_epoch = OwnFeed { feed: other, ..own };
        assert_eq!(before.advanced([next_epoch].into_iter(), &ahead, false), before);
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
        let more = Mark { commits: 5, ..mark(1, "a") };
        let rolled_back = Suspicion::RolledBack { held: 1, marked: 5 };
        assert_eq!(judge(Some(&more), &["a"]), Some(rolled_back));
        assert_eq!(judge(None, &["a"]), Some(Suspicion::NoMark));
        let restoring = Mark { is_restoring: true, ..mark(1, "a") };
        assert_eq!(judge(Some(&restoring), &["a"]), Some(Suspicion::StillRestoring));
        let empty = MemoryDisk::new().open().unwrap().reader();
        assert_eq!(suspicion(None, &empty).unwrap(), None);
    }
}
