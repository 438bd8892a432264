//! What changed since the daemon's start, for whoever listens.
//!
//! ```text
//!   1795351200000-17        a place: the daemon's start in Unix milliseconds, and how many changes it
//!                           had told of
//! ```
//!
//! *Invariants.* Only what is durable is told, and of it only names: whoever listens asks for what it may
//! see. The last [`KEPT_MAX`] changes are kept; whoever comes back from before them, or from before the
//! daemon's start, is told that it missed some.
//!
//! *Source*: ours.

use std::{
    collections::VecDeque,
    fmt,
    str::FromStr,
    sync::{Mutex, PoisonError},
};

use concordat_protocol::hash::{ArtefactId, BoardId};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::watch;

use crate::clock;

/// About 200 bytes each.
const KEPT_MAX: usize = 4_096;

/// Something has come about an artefact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Changed {
    /// Its board.
    pub(super) board: String,
    /// The artefact.
    pub(super) artefact: String,
}

/// How far somebody has listened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    start_ms: u64,
    told: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.start_ms, self.told)
    }
}

impl FromStr for Place {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (start_ms, told) = text.split_once('-').unwrap_or((text, ""));
        Ok(Self { start_ms: start_ms.parse()?, told: told.parse()? })
    }
}

/// What stands after a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Since {
    /// These, each with the place after it.
    News(Vec<(Place, Changed)>),
    /// More than is kept: look at everything again, and listen from here on.
    Missed(Place),
}

#[derive(Debug)]
pub(super) struct Changes {
    start_ms: u64,
    kept: Mutex<VecDeque<Changed>>,
    /// How many were told, the kept ones last.
    told: watch::Sender<u64>,
}

impl Changes {
    pub(super) fn new() -> Self {
        let (told, _) = watch::channel(0);
        Self { start_ms: clock::now_ms(), kept: Mutex::new(VecDeque::new()), told }
    }

    pub(super) fn tell(&self, board: &BoardId, artefact: &ArtefactId) {
        let changed = Changed { board: board.to_string(), artefact: artefact.to_string() };
        // Nothing panics while it is locked.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(changed);
        // Within the lock, so that both are of one moment.
        self.told.send_modify(|told| *told += 1);
    }

    /// Where somebody begins who has not listened before.
    pub(super) fn here(&self) -> Place {
        Place { start_ms: self.start_ms, told: *self.told.borrow() }
    }

    pub(super) fn since(&self, place: Place) -> Since {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let told = *self.told.borrow();
        let first = told - kept.len() as u64;
        if place.start_ms != self.start_ms || !(first..=told).contains(&place.told) {
            return Since::Missed(Place { start_ms: self.start_ms, told });
        }
        let numbered = (first + 1..).zip(kept.iter()).filter(|(number, _)| *number > place.told);
        let news = numbered
            .map(|(told, changed)| (Place { start_ms: self.start_ms, told }, changed.clone()));
        Since::News(news.collect())
    }

    /// Wakes when more is told.
    pub(super) fn listen(&self) -> watch::Receiver<u64> {
        self.told.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tell(changes: &Changes, count: usize) {
        for _ in 0..count {
            changes.tell(&BoardId::from_bytes([1; 32]), &ArtefactId::from_bytes([2; 32]));
        }
    }

    fn news(changes: &Changes, place: Place) -> Vec<u64> {
        match changes.since(place) {
            Since::News(news) => news.into_iter().map(|(place, _)| place.told).collect(),
            Since::Missed(place) => panic!("missed what stands before {place}"),
        }
    }

    #[test]
    fn whoever_comes_back_is_told_what_came_meanwhile() {
        let changes = Changes::new();
        tell(&changes, 2);
        let here = changes.here();
        assert_eq!(news(&changes, here), Vec::<u64>::new());
        tell(&changes, 3);
        assert_eq!(news(&changes, here), [3, 4, 5]);
        assert_eq!(here.to_string().parse(), Ok(here));
    }

    #[test]
    fn whoever_stayed_away_too_long_is_told_that_it_missed_some() {
        let changes = Changes::new();
        let here = changes.here();
        tell(&changes, KEPT_MAX);
        assert_eq!(news(&changes, here).len(), KEPT_MAX);
        tell(&changes, 1);
        assert_eq!(changes.since(here), Since::Missed(changes.here()));
        let other_run = Place { start_ms: here.start_ms + 1, ..changes.here() };
        assert_eq!(changes.since(other_run), Since::Missed(changes.here()));
        for wrong in ["", "1", "-", "1-x", "-1-1"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }
}
