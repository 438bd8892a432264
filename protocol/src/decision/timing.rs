//! In time or late: how sign-offs and a closing are ordered, which nobody's clock decides.
//!
//! ```text
//! a member's own feed   … ack of the sign-off … ack of the closing …      it speaks for the sign-off
//!                       … ack of the closing … ack of the sign-off …      it does not
//!
//! others who cover a feed so far, before they acknowledged a closing or up to now, descending:
//!     9  9  7  4          in time: entries below the value at place ⌊n / 2⌋, as for settlement
//! the same with "everything" for those who have not acknowledged a closing yet:
//!     ∞  9  9  7          shut: no entry from there on can ever come in time
//! ```
//!
//! A sign-off is *in time* once a strict majority of the voting members other than its author
//! acknowledged it no later than any closing of the proposal by one who may close. That is more than
//! being settled only if there is a closing. A feed is linear, so what a member acknowledged first stays so: both
//! numbers can only come closer to each other, never pass. So a decision that sign-offs have carried
//! is not undone by a closing that left them out, and one that a closing has fixed is not changed by
//! those that come late; one closer can neither hurry a vote nor drop one.
//!
//! # Order
//! A member's acknowledgement counts here only if the reader holds what that member had
//! acknowledged before of the feeds of those who may close; otherwise it might overlook a closing.
//!
//! Source: ours, `SPEC.md` section "Decisions".

use alloc::vec::Vec;

/// How far one other voting member's acknowledgements cover a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Covered {
    /// Entries covered with their payloads: up to and including its first acknowledgement of a
    /// closing, or up to now if there is none.
    pub entries: u64,
    /// Whether it has acknowledged a closing of the proposal.
    pub has_closing: bool,
}

/// What of a feed is in time for a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Entries with a smaller seq are in time, if they are settled.
    pub in_time: u64,
    /// Entries with this seq or a greater one never will be, if that is known yet.
    pub shut: Option<u64>,
}

impl Bounds {
    /// The bounds of one feed: among so many voting members other than its author, of whom these
    /// have acknowledged something; `own_closing` is the seq of a closing in this same feed.
    #[must_use]
    pub fn of(others: usize, covered: &[Covered], own_closing: Option<u64>) -> Self {
        let place = others / 2;
        let mut so_far: Vec<u64> = covered.iter().map(|one| one.entries).collect();
        so_far.sort_unstable_by(|one, other| other.cmp(one));
        let in_time = match others {
            0 => u64::MAX,
            _ => so_far.get(place).copied().unwrap_or(0),
        };
        let mut ended: Vec<u64> =
            covered.iter().filter(|one| one.has_closing).map(|one| one.entries).collect();
        ended.sort_unstable_by(|one, other| other.cmp(one));
        // Those who have acknowledged no closing stand before all of these.
        let still_open = others.saturating_sub(ended.len());
        let shut = place.checked_sub(still_open).and_then(|at| ended.get(at).copied());
        match own_closing {
            None => Self { in_time, shut },
            Some(closing) => Self {
                in_time: in_time.min(closing),
                shut: shut.min(Some(closing)).or(Some(closing)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn covered(entries: u64, has_closing: bool) -> Covered {
        Covered { entries, has_closing }
    }

    #[test]
    fn without_a_closing_whatever_is_settled_is_in_time_and_nothing_is_shut() {
        let some = [covered(9, false), covered(7, false), covered(4, false)];
        assert_eq!(Bounds::of(4, &some, None), Bounds { in_time: 4, shut: None });
        assert_eq!(Bounds::of(5, &some, None), Bounds { in_time: 4, shut: None });
        assert_eq!(Bounds::of(6, &some, None), Bounds { in_time: 0, shut: None });
        assert_eq!(Bounds::of(0, &[], None), Bounds { in_time: u64::MAX, shut: None });
    }

    #[test]
    fn a_majority_that_has_seen_a_closing_shuts_a_feed() {
        let one = [covered(5, true), covered(9, false)];
        assert_eq!(Bounds::of(4, &one, None), Bounds { in_time: 0, shut: None });
        let two = [covered(5, true), covered(3, true), covered(9, false)];
        assert_eq!(Bounds::of(4, &two, None), Bounds { in_time: 3, shut: Some(5) });
        let all = [covered(5, true), covered(3, true), covered(9, true), covered(0, true)];
        assert_eq!(Bounds::of(4, &all, None), Bounds { in_time: 3, shut: Some(3) });
    }

    #[test]
    fn what_a_closers_own_feed_holds_above_its_closing_is_late() {
        let all = [covered(9, true), covered(9, true)];
        assert_eq!(Bounds::of(2, &all, Some(6)), Bounds { in_time: 6, shut: Some(6) });
        assert_eq!(Bounds::of(2, &[], Some(6)), Bounds { in_time: 0, shut: Some(6) });
        assert_eq!(Bounds::of(0, &[], Some(6)), Bounds { in_time: 6, shut: Some(6) });
    }

    proptest! {
        /// Members acknowledge more until they acknowledge a closing, in any order.
        #[test]
        fn bounds_only_come_closer_and_never_pass(
            others in 1usize..8,
            steps in proptest::collection::vec((0usize..8, 0u64..4, any::<bool>()), 0..40),
        ) {
            let mut members = alloc::vec![covered(0, false); others];
            let mut before = Bounds::of(others, &members, None);
            for (member, more, closes) in steps {
                let member = &mut members[member % others];
                if !member.has_closing {
                    *member = covered(member.entries + more, closes);
                }
                let now = Bounds::of(others, &members, None);
                prop_assert!(now.in_time >= before.in_time);
                prop_assert!(now.shut.is_none_or(|shut| shut >= now.in_time));
                prop_assert!(before.shut.is_none_or(|was| now.shut.is_some_and(|is| is <= was)));
                before = now;
            }
            if members.iter().all(|member| member.has_closing) {
                prop_assert_eq!(before.shut, Some(before.in_time));
            }
        }
    }
}
