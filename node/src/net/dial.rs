//! Who dials, and when again.
//!
//! | we have an address of the peer | it has one of us | who dials |
//! |---|---|---|
//! | yes | no | we, at once |
//! | yes | yes | the lower key at once; the higher after `redial_ms_max` |
//! | no | yes or no | the peer, or nobody until an address is known |
//!
//! The higher key dials late rather than never: the lower may sit behind a firewall that lets
//! nothing out, and it suffices that one of the two can dial.
//!
//! *Invariants.* Pure: time and dice are arguments. A pause lies between half of its length and the
//! whole, so that peers that lost each other together do not come back together.
//!
//! *Source*: ours; exponential back-off with equal jitter.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::Instant;

use super::NodeKey;

/// Pauses that double up to a bound.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    min_ms: u64,
    max_ms: u64,
    failures: u32,
}

impl Backoff {
    pub(super) fn new(min_ms: u64, max_ms: u64) -> Self {
        Self { min_ms, max_ms: max_ms.max(min_ms), failures: 0 }
    }

    /// The pause after one more failure.
    pub(super) fn next(&mut self, dice: u64) -> Duration {
        // A shift by 63 or more would lose bits; any `max_ms` is reached long before.
        let doubled = self.min_ms.saturating_mul(1 << self.failures.min(62));
        self.failures = self.failures.saturating_add(1);
        jittered(doubled.min(self.max_ms), dice)
    }

    /// The longest pause.
    pub(super) fn longest(&self, dice: u64) -> Duration {
        jittered(self.max_ms, dice)
    }

    /// All went well for a while.
    pub(super) const fn reset(&mut self) {
        self.failures = 0;
    }
}

fn jittered(ms: u64, dice: u64) -> Duration {
    let half = ms / 2;
    Duration::from_millis(ms - dice % (half + 1))
}

/// Whether it is our turn to dial at once, given that we have an address of the peer.
pub(super) fn is_our_turn(local: NodeKey, peer: NodeKey, is_announced: bool) -> bool {
    !is_announced || is_opener(local, peer)
}

/// Whether we open the session's substreams.
pub(super) fn is_opener(local: NodeKey, peer: NodeKey) -> bool {
    local < peer
}

/// At most one alarm for each peer.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    by_time: BTreeSet<(Instant, NodeKey)>,
    by_peer: BTreeMap<NodeKey, Instant>,
}

impl Alarms {
    pub(super) fn set(&mut self, peer: NodeKey, at: Instant) {
        self.clear(peer);
        self.by_peer.insert(peer, at);
        self.by_time.insert((at, peer));
    }

    pub(super) fn clear(&mut self, peer: NodeKey) {
        if let Some(at) = self.by_peer.remove(&peer) {
            self.by_time.remove(&(at, peer));
        }
    }

    pub(super) fn of(&self, peer: NodeKey) -> Option<Instant> {
        self.by_peer.get(&peer).copied()
    }

    /// When the earliest is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes one that is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<NodeKey> {
        let (at, peer) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.clear(peer);
        Some(peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> (NodeKey, NodeKey) {
        let key = |seed| {
            let public = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]).verifying_key();
            NodeKey::from_bytes(public.to_bytes()).unwrap()
        };
        let (one, other) = (key(1), key(2));
        (one.min(other), one.max(other))
    }

    #[test]
    fn pauses_double_up_to_the_bound_and_start_again_after_a_reset() {
        let mut backoff = Backoff::new(100, 1_000);
        let pauses = |backoff: &mut Backoff| [(); 6].map(|()| backoff.next(0).as_millis());

        assert_eq!(pauses(&mut backoff), [100, 200, 400, 800, 1_000, 1_000]);
        backoff.reset();
        assert_eq!(pauses(&mut backoff), [100, 200, 400, 800, 1_000, 1_000]);
        backoff.failures = u32::MAX;
        assert_eq!(backoff.next(0).as_millis(), 1_000);
    }

    #[test]
    fn jitter_takes_away_at_most_half() {
        for dice in 0..2_000 {
            let pause = Backoff::new(100, 1_000).longest(dice).as_millis();
            assert!((500..=1_000).contains(&pause));
        }
        assert_eq!(Backoff::new(100, 1_000).next(50).as_millis(), 50);
        assert_eq!(Backoff::new(0, 0).next(7).as_millis(), 0);
    }

    #[test]
    fn of_two_announced_peers_the_lower_dials_at_once() {
        let (low, high) = keys();
        assert!(is_our_turn(low, high, true));
        assert!(!is_our_turn(high, low, true));
        assert!(is_our_turn(low, high, false));
        assert!(is_our_turn(high, low, false));
        assert!(is_opener(low, high));
        assert!(!is_opener(high, low));
    }

    #[test]
    fn alarms_come_in_order_and_once() {
        let (low, high) = keys();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut alarms = Alarms::default();
        alarms.set(low, at(10));
        alarms.set(high, at(20));
        alarms.set(low, at(30));

        assert_eq!(alarms.of(low), Some(at(30)));
        assert_eq!(alarms.next(), Some(at(20)));
        assert_eq!(alarms.take_due(at(19)), None);
        assert_eq!(alarms.take_due(at(40)), Some(high));
        assert_eq!(alarms.take_due(at(40)), Some(low));
        assert_eq!(alarms.take_due(at(40)), None);
        assert_eq!(alarms.next(), None);
    }
}
