//! Who was turned away, told in the log so that nobody can fill it.
//!
//! | within an hour | is told |
//! |---|---|
//! | the first attempt of a key, or the first failure of an address | one line, at once |
//! | whatever else the same key or address tries | counted, and told as one number when the hour is over |
//! | more keys and addresses than [`TOLD_MAX`] | the same |
//!
//! *Invariants.* At most [`TOLD_MAX`] lines an hour and one more, whatever strangers do; nothing that they
//! try goes uncounted.
//!
//! *Source*: ours.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use libp2p::{Multiaddr, multiaddr::Protocol};
use tokio::time::Instant;

use crate::net::NodeKey;

const WINDOW: Duration = Duration::from_secs(3_600);
/// Lines of one hour. A scan of the whole organisation's network comes from fewer places.
const TOLD_MAX: usize = 64;

/// Who tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// Proved this key, which is on no card.
    Key(NodeKey),
    /// Proved a key of another kind than ours.
    OtherKey,
    /// Proved nothing.
    Address(Option<IpAddr>),
}

/// What was tried since the start, and what of it was told in this hour.
#[derive(Debug)]
pub(super) struct Strangers {
    attempts: u64,
    told: BTreeSet<Who>,
    untold: u64,
    since: Instant,
}

impl Strangers {
    pub(super) fn new(now: Instant) -> Self {
        Self { attempts: 0, told: BTreeSet::new(), untold: 0, since: now }
    }

    /// Attempts with a key that is on no card, since the daemon's start.
    pub(super) const fn attempts(&self) -> u64 {
        self.attempts
    }

    /// Whether this attempt of a key is to be told by itself.
    pub(super) fn turned_away(&mut self, peer: Option<NodeKey>) -> bool {
        self.attempts += 1;
        self.is_news(peer.map_or(Who::OtherKey, Who::Key))
    }

    /// Whether this connection that failed before it proved a key is to be told by itself.
    pub(super) fn failed(&mut self, address: &Multiaddr) -> bool {
        let ip = address.iter().find_map(|part| match part {
            Protocol::Ip4(ip) => Some(ip.into()),
            Protocol::Ip6(ip) => Some(ip.into()),
            _ => None,
        });
        self.is_news(Who::Address(ip))
    }

    fn is_news(&mut self, who: Who) -> bool {
        if self.told.contains(&who) || self.told.len() >= TOLD_MAX {
            self.untold += 1;
            return false;
        }
        self.told.insert(who)
    }

    /// When an hour is over: how many attempts of it were not told by themselves, if any.
    pub(super) fn hour_over(&mut self, now: Instant) -> Option<u64> {
        if now.duration_since(self.since) < WINDOW {
            return None;
        }
        self.since = now;
        self.told.clear();
        let untold = std::mem::take(&mut self.untold);
        (untold > 0).then_some(untold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> NodeKey {
        let key = ed25519_dalek::SigningKey::from_bytes(&[number; 32]).verifying_key();
        NodeKey::from_bytes(key.to_bytes()).unwrap()
    }

    #[test]
    fn whatever_strangers_do_the_log_has_a_line_for_each_and_one_more() {
        let start = Instant::now();
        let mut strangers = Strangers::new(start);
        let mut lines = 0;
        for round in 0..1_000 {
            for number in 0..100 {
                lines += usize::from(strangers.turned_away(Some(key(number))));
            }
            assert!(round > 0 || lines == TOLD_MAX);
        }
        assert_eq!(lines, TOLD_MAX);
        assert_eq!(strangers.attempts(), 100_000);
        assert_eq!(strangers.hour_over(start + WINDOW - Duration::from_secs(1)), None);
        assert_eq!(strangers.hour_over(start + WINDOW), Some(100_000 - TOLD_MAX as u64));

        // A new hour: each is told again, and nothing was left out.
        assert!(strangers.turned_away(Some(key(1))) && strangers.turned_away(None));
        assert_eq!(strangers.hour_over(start + WINDOW * 2), None);
    }

    #[test]
    fn failures_before_a_key_are_told_once_an_address() {
        let mut strangers = Strangers::new(Instant::now());
        let from = |text: &str| -> Multiaddr { text.parse().unwrap() };
        assert!(strangers.failed(&from("/ip4/192.0.2.1/tcp/1")));
        assert!(!strangers.failed(&from("/ip4/192.0.2.1/udp/2/quic-v1")));
        assert!(strangers.failed(&from("/ip6/2001:db8::1/tcp/1")));
        assert_eq!(strangers.attempts(), 0);
    }
}
