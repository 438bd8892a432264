//! Randomness of a simulation: one seed, split by name.
//!
//! ```text
//! key of a stream = SHA-256("concordat-sim" ‖ seed u64 ‖ name)        ChaCha with 12 rounds from there
//! ```
//!
//! Each part of the simulation (network, each node's disk, staff, faults…) draws from a stream of
//! its own name, so that one draw more in one of them does not shift the others.
//!
//! *Invariants.* The same seed and name give the same numbers on every machine and with every
//! version of the compiler. Never asks the machine for randomness.
//!
//! *Source*: ours; ChaCha per RFC 8439 with fewer rounds, whose stream is fixed across versions.

use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng as _, SeedableRng},
};
use sha2::{Digest, Sha256};

/// One named stream of random numbers.
#[derive(Debug)]
pub struct Rng(ChaCha12Rng);

impl Rng {
    /// The stream `name` of `seed`.
    #[must_use]
    pub fn named(seed: u64, name: &str) -> Self {
        let mut key = Sha256::new();
        key.update(b"concordat-sim");
        key.update(seed.to_be_bytes());
        key.update(name.as_bytes());
        Self(ChaCha12Rng::from_seed(key.finalize().into()))
    }

    /// A number below `bound`; 0 when `bound` is 0. The bias is below 2⁻³² for the small bounds
    /// of a simulation.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below((most - least).saturating_add(1))
    }

    /// A place in a list of `len`.
    pub fn place(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the items, `None` when there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.place(items.len()))
    }

    /// Brings the items into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.place(last + 1);
            items.swap(last, other);
        }
    }

    /// 32 fresh bytes.
    pub fn bytes32(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// So many fresh bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn a_stream_depends_on_seed_and_name_alone() {
        let first = |seed, name| Rng::named(seed, name).bytes32();
        assert_eq!(first(7, "network"), first(7, "network"));
        assert_ne!(first(7, "network"), first(7, "disk"));
        assert_ne!(first(7, "network"), first(8, "network"));
    }

    #[test]
    fn numbers_stay_in_their_range_and_reach_both_ends() {
        let mut rng = Rng::named(1, "range");
        let drawn: std::collections::BTreeSet<u64> = (0..200).map(|_| rng.between(3, 6)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), vec![3, 4, 5, 6]);
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.pick::<u8>(&[]), None);
    }
}
