//! Virtual time, and each node's idea of it.
//!
//! Simulated time begins at 0 and moves from event to event. A node's clock is simulated time
//! plus an offset that may be wrong from the start (skew) and may change at any moment (jump).
//!
//! *Invariants.* Simulated time never goes back; a node's clock may. Nothing here reads the
//! machine's clock.
//!
//! *Source*: ours.

use std::fmt;

use concordat_protocol::time::TimeMs;

/// Where the clocks of a simulation begin: 1 March 2018, noon, UTC.
const EPOCH_MS: u64 = 1_519_905_600_000;

/// Milliseconds since the simulation began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct SimTime(pub u64);

impl SimTime {
    /// The time `ms` milliseconds later.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0 + ms)
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// One node's clock.
#[derive(Debug, Default)]
pub struct NodeClock {
    offset_ms: i64,
}

impl NodeClock {
    /// What the clock shows.
    #[must_use]
    pub const fn now(&self, time: SimTime) -> TimeMs {
        TimeMs((EPOCH_MS + time.0).saturating_add_signed(self.offset_ms))
    }

    /// Moves the clock forward, or back when `ms` is negative.
    pub const fn jump(&mut self, ms: i64) {
        self.offset_ms = self.offset_ms.saturating_add(ms);
    }
}
