//! The disk reserve: below it nothing new is taken in, so that the disk never becomes full.
//!
//! What was taken in before, and the little that the node writes of itself, still fits: more than the
//! reserve is never on its way to disk. Commands that only look are answered, everything that would
//! write is refused, peers wait. Once there is space again all goes on by itself.
//!
//! *Invariants.* Without a reserve nothing is measured.
//!
//! *Source*: ours; found by filling disks under storage engines.

use std::path::{Path, PathBuf};

use crate::{control::Refusal, home::free_bytes, journal::Event};

#[derive(Debug)]
pub(super) struct Reserve {
    directory: PathBuf,
    bytes: u64,
    is_low: bool,
}

impl Reserve {
    /// Of the file system of `directory`, which exists.
    pub(super) fn new(directory: &Path, bytes: u64) -> Self {
        Self { directory: directory.to_path_buf(), bytes, is_low: false }
    }

    /// Measures, and tells in the log when it has changed; gives what the journal is told then.
    pub(super) fn measure(&mut self) -> Option<Event> {
        if self.bytes == 0 {
            return None;
        }
        let free = match free_bytes(&self.directory) {
            Ok(free) => free,
            Err(error) => {
                tracing::warn!(code = "disk-reserve", %error, "free space could not be measured");
                return None;
            }
        };
        let is_low = free < self.bytes;
        let told = match (self.is_low, is_low) {
            (false, true) => {
                let reserve = self.bytes;
                tracing::error!(code = "disk-reserve", free, reserve, "{}", self.sentence());
                Some(Event::DiskLow { free_bytes: free, reserve_bytes: reserve })
            }
            (true, false) => {
                tracing::info!(
                    code = "disk-space",
                    free,
                    "there is space on the disk again: going on"
                );
                Some(Event::DiskFreed { free_bytes: free })
            }
            _ => None,
        };
        self.is_low = is_low;
        told
    }

    pub(super) const fn is_low(&self) -> bool {
        self.is_low
    }

    /// For `status`.
    pub(super) fn warning(&self) -> Option<String> {
        self.is_low.then(|| self.sentence())
    }

    /// For whoever wants to write.
    pub(super) fn refusal(&self) -> Refusal {
        Refusal::new("disk-reserve", self.sentence())
    }

    fn sentence(&self) -> String {
        format!(
            "less than {} MB are free on the disk of {}, so nothing new is written; free some space, \
             and it goes on by itself",
            self.bytes / 1_000_000,
            self.directory.display()
        )
    }
}
