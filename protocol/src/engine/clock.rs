//! Clocks: ours beside those of the peers we met, and what entries claim. All of it is shown to
//! people, and none of it has an effect.
//!
//! ```text
//! hello  ──▶ our clock − theirs, one figure a peer ──▶ median ──▶ off by more than 15 minutes?
//! run    ──▶ t of each entry beside the one before, and beside our clock ──▶ odd, once a feed
//! ```
//!
//! Invariant: bounded by peers and feeds, however many entries claim what they like. Not remembered
//! over a restart; an audit finds the same in the entries.

use alloc::vec::Vec;
use core::fmt;

use super::{Engine, Step, io::Report, tables::BranchNo};
use crate::{
    feed::{Header, VerifiedRun},
    hash::{BoardId, FeedId, NodeKey},
    time::TimeMs,
};

/// How far two clocks may be apart before people are told.
pub const TOLERANCE_MS: u64 = 15 * 60 * 1_000;

/// Our clock beside those of the peers that we met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockCheck {
    /// How many peers told theirs.
    pub peers: usize,
    /// By how many milliseconds ours is ahead of the median of theirs; below 0 it is behind. None
    /// while nobody told.
    pub ahead_ms: Option<i64>,
}

/// The first entries of a feed, among those that came since the start, that claim an odd time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OddTimes {
    /// Claims an earlier time than the entry before it.
    pub back: Option<u64>,
    /// Claimed a time more than 15 minutes ahead of our clock when it came.
    pub ahead: Option<u64>,
}

/// What is remembered of a feed's claimed times.
#[derive(Debug, Default)]
pub(super) struct Claimed {
    /// By the last entry that came.
    last: Option<TimeMs>,
    pub(super) odd: OddTimes,
}

impl ClockCheck {
    /// The median of how far we are ahead of each peer.
    fn of(mut ahead: Vec<i64>) -> Self {
        ahead.sort_unstable();
        let middle = |at: usize| ahead.get(at).copied();
        let upper = ahead.len() / 2;
        let lower = ahead.len().saturating_sub(1) / 2;
        let ahead_ms = middle(lower).zip(middle(upper)).map(|(a, b)| a.midpoint(b));
        Self { peers: ahead.len(), ahead_ms }
    }

    /// Whether people should look at our clock.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.ahead_ms.is_some_and(|ahead| ahead.unsigned_abs() > TOLERANCE_MS)
    }
}

impl fmt::Display for ClockCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peers = self.peers;
        let Some(ahead) = self.ahead_ms else {
            return f.write_str("no peer has told its clock since this node's clock was set");
        };
        let (minutes, side) =
            (ahead.unsigned_abs() / 60_000, if ahead > 0 { "ahead of" } else { "behind" });
        if self.is_off() {
            let what = "the median of the clocks of peers met";
            return write!(
                f,
                "this node's clock is {minutes} minutes {side} {what} ({peers}); set it, for example by NTP"
            );
        }
        write!(f, "this node's clock agrees with the median of the clocks of peers met ({peers})")
    }
}

/// By how many milliseconds one clock is ahead of another.
fn ahead_of(ours: TimeMs, theirs: TimeMs) -> i64 {
    let signed = |time: TimeMs| i64::try_from(time.0).unwrap_or(i64::MAX);
    signed(ours).saturating_sub(signed(theirs))
}

impl Engine {
    /// Our clock beside those of the peers that we met.
    #[must_use]
    pub fn clock(&self) -> ClockCheck {
        // An organisation has one clock, whatever nodes it had before.
        let nodes = self.cards.values().map(|signed| signed.card().node_key);
        ClockCheck::of(nodes.filter_map(|node| self.peers.get(&node)?.ahead_ms).collect())
    }

    /// A peer told its clock.
    pub(super) fn hear_clock(&mut self, step: &mut Step<'_>, peer: &NodeKey, theirs: TimeMs) {
        if let Some(known) = self.peers.get_mut(peer) {
            known.ahead_ms = Some(ahead_of(step.now, theirs));
        }
        self.judge_clock(step);
    }

    /// Our clock was set: what we knew of it is void until peers tell again.
    pub(super) fn forget_clocks(&mut self, step: &mut Step<'_>) {
        for peer in self.peers.values_mut() {
            peer.ahead_ms = None;
        }
        self.judge_clock(step);
    }

    /// Tells people when our clock has come to be off, or is no longer.
    fn judge_clock(&mut self, step: &mut Step<'_>) {
        let check = self.clock();
        if check.is_off() != self.clock_is_off {
            self.clock_is_off = check.is_off();
            step.report(Report::Clock { check });
        }
    }

    /// Looks at the times that a run claims, before it is appended to its feed's first chain.
    pub(super) fn note_times(
        &mut self,
        step: &mut Step<'_>,
        (board, id, no): (&BoardId, &FeedId, BranchNo),
        run: &VerifiedRun,
    ) {
        let Some(feed) = self.feed(board, id).filter(|_| no == 0) else { return };
        let org = feed.descriptor.org;
        let stored = || {
            let before = run.entries().first()?.header.seq.checked_sub(1)?;
            Header::from_bytes(&self.header_at(step, feed, 0, before)?).ok().map(|header| header.t)
        };
        let mut last = feed.claimed.last.or_else(stored);
        let mut odd = feed.claimed.odd;
        for Header { seq, t, .. } in run.entries().iter().map(|entry| &entry.header) {
            if let Some(before) = last.filter(|before| t < before && odd.back.is_none()) {
                odd.back = Some(*seq);
                step.report(Report::TimeBack { org, feed: *id, seq: *seq, before, after: *t });
            }
            let ahead_ms = t.ms_since(step.now);
            if ahead_ms > TOLERANCE_MS && odd.ahead.is_none() {
                odd.ahead = Some(*seq);
                step.report(Report::TimeAhead { org, feed: *id, seq: *seq, ahead_ms });
            }
            last = Some(*t);
        }
        if let Some(feed) = self.feed_mut(board, id) {
            feed.claimed = Claimed { last, odd };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::ToString, vec};

    const MINUTE: i64 = 60_000;

    #[test]
    fn the_median_is_the_middle_one_or_half_way_between_two() {
        let check = |ahead: &[i64]| ClockCheck::of(ahead.to_vec()).ahead_ms;
        assert_eq!(check(&[]), None);
        assert_eq!(check(&[5]), Some(5));
        assert_eq!(check(&[10, -4]), Some(3));
        assert_eq!(check(&[i64::MAX, 7, i64::MIN]), Some(7));
        assert_eq!(check(&[i64::MAX, i64::MAX]), Some(i64::MAX));
    }

    #[test]
    fn one_peer_of_three_with_a_wrong_clock_makes_nobody_look_at_ours() {
        let wrong = ClockCheck::of(vec![0, 900 * MINUTE, 3]);
        assert_eq!((wrong.ahead_ms, wrong.is_off()), (Some(3), false));
        let tolerated = ClockCheck::of(vec![15 * MINUTE, -15 * MINUTE, 15 * MINUTE]);
        assert!(!tolerated.is_off());
        let off = ClockCheck::of(vec![15 * MINUTE + 1; 3]);
        let behind = ClockCheck::of(vec![-16 * MINUTE]);
        assert!(off.is_off() && behind.is_off());
        assert!(off.to_string().contains("15 minutes ahead of the median"), "{off}");
        assert!(behind.to_string().contains("16 minutes behind the median"), "{behind}");
    }

    #[test]
    fn clocks_far_apart_do_not_overflow() {
        assert_eq!(ahead_of(TimeMs(u64::MAX), TimeMs(0)), i64::MAX);
        assert_eq!(ahead_of(TimeMs(0), TimeMs(u64::MAX)), -i64::MAX);
        assert_eq!(ahead_of(TimeMs(5), TimeMs(7)), -2);
    }
}
