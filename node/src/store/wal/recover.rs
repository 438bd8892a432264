//! From the log to the store, and back.
//!
//! | when | what |
//! |---|---|
//! | a store is opened, and the log ends with the commit that its ledger names, or a later one that it holds | nothing: one frame is read |
//! | it holds fewer commits than were called durable | what it lacks is played into it |
//! | the log ends with commits that nobody was told of | they are cut off |
//! | the log is missing or too short, or something in it cannot be read | the store is scrubbed, then the log begun anew from it |
//! | a backup was made and read back | the same; rows that were replaced or removed are gone from it |
//!
//! *Invariants.* The log is begun anew only from an engine that was just proven sound.
//!
//! *Source*: ours.

use std::{fs, path::Path};

use super::{Frames, TABLE, Tail, failed};
use crate::store::{
    Kept, KeyRange, Op, Order, StoreError, Verified, high_water_file,
    ledger::Ledger,
    op::len_bytes,
    place::free_name,
    shared::{Shared, lock},
    walk::Walk,
};

/// Rows that are played in one commit, and their bytes; the last may go beyond.
const COMMIT_ROWS: usize = 4_096;
const COMMIT_BYTES: usize = 4 * 1024 * 1024;

/// What was played.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::store) struct Replayed {
    /// Where the last frame ends that counts.
    pub(in crate::store) end: u64,
    /// Number of its commit.
    pub(in crate::store) last: u64,
    /// Whether everything that counts could be read.
    pub(in crate::store) is_whole: bool,
}

/// Gives the rows of all commits after `first` and up to `last` to `commit`, in their order.
pub(in crate::store) fn replay(
    mut frames: Frames,
    (first, last): (u64, u64),
    mut commit: impl FnMut(Vec<Op>) -> Result<(), StoreError>,
) -> Result<Replayed, StoreError> {
    let (mut rows, mut bytes) = (Vec::new(), 0);
    let mut counted = (0, 0);
    let mut is_whole = None;
    for frame in &mut frames {
        if frame.commits > last {
            is_whole = Some(true);
            break;
        }
        counted = (frame.end, frame.commits);
        if frame.commits <= first {
            continue;
        }
        bytes += frame.rows.iter().map(len_bytes).sum::<usize>();
        rows.extend(frame.rows);
        if rows.len() >= COMMIT_ROWS || bytes >= COMMIT_BYTES {
            commit(std::mem::take(&mut rows))?;
            bytes = 0;
        }
    }
    if !rows.is_empty() {
        commit(rows)?;
    }
    let (end, last) = counted;
    Ok(Replayed { end, last, is_whole: is_whole.unwrap_or_else(|| frames.is_at_end()) })
}

/// How many commits of the store in this directory were called durable; more than any where nobody can tell.
pub(in crate::store) fn told(directory: &Path) -> Result<u64, StoreError> {
    match Kept::load(&high_water_file(directory)) {
        Ok(kept) => Ok(kept.map_or(u64::MAX, |kept| kept.commits)),
        Err(StoreError::Garbled { .. }) => Ok(u64::MAX),
        Err(error) => Err(error),
    }
}

impl Shared {
    /// Brings a store that was just opened and its log to the same state.
    pub(in crate::store) fn recover(&self) -> Result<(), StoreError> {
        let (tail, frames, told) = match &mut *lock(&self.wal) {
            Some(wal) => (wal.tail(), wal.frames()?, told(wal.directory())?),
            None => return Ok(()),
        };
        let Ledger { commits, records, .. } = *lock(&self.ledger);
        let is_short = match tail {
            Tail::Whole(last) if (records..=commits).contains(&last) => return Ok(()),
            Tail::Whole(last) => last < records,
            Tail::Empty if !self.has_records()? => return Ok(()),
            Tail::Empty => true,
            // How far it can be read is known once it was.
            Tail::Broken => false,
        };
        let is_behind = commits < told;
        let Replayed { end, is_whole, .. } =
            replay(frames, (commits, told.max(commits)), |rows| {
                if is_behind { self.commit_rows(rows, commits).map(drop) } else { Ok(()) }
            })?;
        // Without a high-water file nobody can tell, and an empty log gave nothing.
        if is_behind && end > 0 {
            tracing::warn!(
                code = "store-behind",
                "the store lost its last commits; private records were taken from their own log"
            );
        }
        let is_whole = is_whole && !is_short;
        if is_whole {
            return lock(&self.wal).as_mut().map_or(Ok(()), |wal| wal.cut(end));
        }
        if is_behind && tail != Tail::Empty {
            self.keep_wal()?;
        }
        self.scrub()?;
        self.renew_wal()
    }

    fn has_records(&self) -> Result<bool, StoreError> {
        Ok(!self.engine.scan(TABLE, &KeyRange::all(), 1, Order::Ascending)?.is_empty())
    }

    /// Keeps a log of which a part cannot be read, for whoever can do more with it.
    fn keep_wal(&self) -> Result<(), StoreError> {
        let Some(path) = lock(&self.wal).as_ref().map(|wal| wal.path.clone()) else {
            return Ok(());
        };
        let kept = free_name(&path, "damaged");
        fs::copy(&path, &kept).map_err(failed("copying", &path))?;
        tracing::warn!(
            code = "records-log",
            kept = %kept.display(),
            "a part of the log of private records cannot be read; look for what is missing in a backup"
        );
        Ok(())
    }

    /// Reads all of the log; begins it anew if something in it cannot be read. After a scrub alone.
    pub(in crate::store) fn check_wal(&self) -> Result<Verified, StoreError> {
        let mut frames = match &*lock(&self.wal) {
            Some(wal) => wal.frames()?,
            None => return Ok(Verified::Sound),
        };
        frames.by_ref().for_each(drop);
        if frames.is_at_end() {
            return Ok(Verified::Sound);
        }
        tracing::warn!(
            code = "records-log",
            "a part of the log of private records cannot be read; it is begun anew from the store, which is sound"
        );
        self.renew_wal()?;
        Ok(Verified::Mended)
    }

    /// Begins the log anew with what the engine holds, while commits go on. Only when that is known to be sound.
    pub(in crate::store) fn renew_wal(&self) -> Result<(), StoreError> {
        let _alone = lock(&self.walking);
        let (mut anew, commits) = match &*lock(&self.wal) {
            Some(wal) => {
                let commits = lock(&self.ledger).commits;
                (wal.begin_anew(commits)?, commits)
            }
            None => return Ok(()),
        };
        // Rows that are changed meanwhile are in frames that follow.
        let mut walk = Walk::over(TABLE);
        while let Some((table, rows)) = walk.slice(&*self.engine)? {
            let ops = rows.into_iter().map(|(key, row)| {
                let place = (table, key);
                let (value, _) = self.unseal("reading", &place, row)?;
                Ok(Op::put(table, place.1, value))
            });
            anew.write(commits, &ops.collect::<Result<Vec<_>, StoreError>>()?)?;
        }
        lock(&self.wal).as_mut().map_or(Ok(()), |old| anew.replace(old))
    }
}
