//! What is told from beside the daemon's task: refusals of the API, exports.
//!
//! *Invariants.* At most [`LINES_MAX`] lines wait; what is beyond is counted and not kept.
//!
//! *Source*: ours.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Line;

const LINES_MAX: usize = 256;

/// The way to the journal for whoever does not hold it; shared freely.
#[derive(Debug, Clone, Default)]
pub struct Aside(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) lines: Vec<Line>,
    pub(super) left_out: u64,
}

impl Aside {
    /// Tells a line, which is written at the latest at the next tick.
    pub fn tell(&self, line: Line) {
        let mut told = self.lock();
        if told.lines.iter_mut().any(|other| other.absorb(&line)) {
            return;
        }
        if told.lines.len() < LINES_MAX {
            told.lines.push(line);
        } else {
            told.left_out = told.left_out.saturating_add(1);
        }
    }

    pub(super) fn take(&self) -> Told {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
