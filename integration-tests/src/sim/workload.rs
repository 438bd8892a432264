//! Staff: what they write, when, and what they hear back.
//!
//! Mostly notes of a few words; sometimes pages, sometimes a file so long that its payload
//! travels by pieces; an artefact is opened now and then. A burst is a hundred short notes at once.
//!
//! *Invariants.* Every payload is fresh random bytes, so no two entries can be confused.
//! Knows nothing of nodes.
//!
//! *Source*: ours.

use concordat_protocol::{
    feed::{Draft, Kind},
    limits::KIB,
};

use super::rng::Rng;

/// The staff of all organisations.
#[derive(Debug)]
pub struct Workload {
    rng: Rng,
}

impl Workload {
    /// Staff that draw from this stream.
    #[must_use]
    pub const fn new(rng: Rng) -> Self {
        Self { rng }
    }

    /// Which of so many organisations writes next, and after how many milliseconds.
    pub fn next(&mut self, orgs: usize, every_ms: u64) -> (usize, u64) {
        (self.rng.place(orgs), self.rng.between(1, 2 * every_ms))
    }

    /// One entry.
    pub fn draft(&mut self) -> Draft {
        let (kind, len) = match self.rng.below(100) {
            0..70 => (Kind::NOTE, self.rng.between(10, 400)),
            70..80 => (Kind::NOTE, self.rng.between(400, 8 * KIB as u64)),
            80..86 => (Kind::NOTE, self.rng.between(8 * KIB as u64, 60 * KIB as u64)),
            86..90 => (Kind::CHANGE, self.rng.between(60 * KIB as u64, 200 * KIB as u64)),
            90..92 => (Kind::NOTE, self.rng.between(64 * KIB as u64, 200 * KIB as u64)),
            _ => (Kind::OPEN, self.rng.between(20, 80)),
        };
        self.draft_of(kind, len)
    }

    /// One entry of a burst.
    pub fn short_draft(&mut self) -> Draft {
        let len = self.rng.between(10, 60);
        self.draft_of(Kind::NOTE, len)
    }

    fn draft_of(&mut self, kind: Kind, len: u64) -> Draft {
        Draft {
            kind,
            artefact: None,
            refs: Vec::new(),
            payload: self.rng.bytes(usize::try_from(len).unwrap_or(0)),
            attribution: self.rng.chance(30).then(|| self.rng.bytes(40)),
        }
    }
}
