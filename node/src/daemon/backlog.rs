//! What the writer was handed and has not made durable yet, and for how long.
//!
//! *Source*: ours.

use std::time::Instant;

use concordat_protocol::engine::BatchId;

#[derive(Debug)]
pub(super) struct Backlog {
    submitted: BatchId,
    durable: BatchId,
    /// Since when the writer has had something and reported nothing.
    since: Instant,
}

impl Default for Backlog {
    fn default() -> Self {
        Self { submitted: BatchId(0), durable: BatchId(0), since: Instant::now() }
    }
}

impl Backlog {
    pub(super) fn submitted(&mut self, batch: BatchId) {
        if !self.is_waiting() {
            self.since = Instant::now();
        }
        self.submitted = batch;
    }

    pub(super) fn durable(&mut self, batch: BatchId) {
        self.durable = batch;
        self.since = Instant::now();
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.durable < self.submitted
    }

    pub(super) fn waiting_ms(&self) -> u64 {
        let waited = if self.is_waiting() { self.since.elapsed().as_millis() } else { 0 };
        u64::try_from(waited).unwrap_or(u64::MAX)
    }
}
