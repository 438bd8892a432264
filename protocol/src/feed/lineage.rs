//! Which of an organisation's feeds on a board stand, and where each of them ends.
//!
//! ```text
//! epoch      0            1                    2
//!          feed ──old key──▶ feed ──old key──▶ feed       rotation: warranted by the key before
//!            └────recovery──▶ feed                        recovery: beats every rotation to its
//!                                                         epoch, and all that follow from one
//! ```
//!
//! | a feed is | if |
//! |---|---|
//! | superseded | a rotation opened it, and a recovery opens the same epoch, or the feed that it follows is superseded |
//! | contested | it is not superseded, and neither is another feed of its epoch: two histories from entry 0 on; or a feed of the next epoch that is not superseded was opened twice, so nobody can say where this one ends |
//! | standing | otherwise |
//!
//! A standing feed ends where the openings of the next epoch say: those by recovery, or if there are
//! none, those by its own key that are not superseded; of several the lowest. What an organisation
//! wrote beyond an end, or in a feed that does not stand, counts only as far as another organisation
//! acknowledged it: that may have had effect somewhere before the opening came.
//!
//! Invariant: a function of the set of openings, whatever order they came in. Knows nothing of
//! entries, boards or acknowledgements.
//!
//! Source: ours.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{BadOpening, Descriptor, End, OpenFeed, WarrantRole};
use crate::{hash::FeedId, identity::PublicKey, limits::EPOCHS_MAX};

/// By which right a feed was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// The charter names its key.
    Charter,
    /// The key of the epoch before, which this is, warrants it.
    Rotation(PublicKey),
    /// The recovery key warrants it.
    Recovery,
}

/// One feed of an organisation on a board, as it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// The feed.
    pub feed: FeedId,
    /// The key that signs it.
    pub key: PublicKey,
    /// Its epoch.
    pub epoch: u64,
    /// By which right.
    pub right: Right,
    /// Where it says that the epoch before ends.
    pub end: Option<End>,
    /// Another opening of this very feed is proven: a fork at entry 0. What it says of its right and
    /// of the epoch before is then worth nothing.
    pub is_forked: bool,
}

/// How much of a feed counts by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it: the feed stands, and no later epoch is known.
    Open,
    /// What stands up to this entry.
    Until(End),
    /// Nothing: another feed of the same epoch stands as much as this one, or two openings of the next
    /// one contradict each other.
    Contested,
    /// Nothing: the recovery key opened another feed in its place.
    Superseded,
}

impl Extent {
    /// Whether all of the feed counts by itself.
    #[must_use]
    pub fn is_open(self) -> bool {
        self == Self::Open
    }
}

impl Opened {
    /// A first feed, named by the charter.
    #[must_use]
    pub fn first(descriptor: &Descriptor) -> Self {
        let Descriptor { key, epoch, .. } = *descriptor;
        Self {
            feed: descriptor.feed_id(),
            key,
            epoch,
            right: Right::Charter,
            end: None,
            is_forked: false,
        }
    }

    /// A later feed, by an opening that was checked.
    #[must_use]
    pub fn by(opening: &OpenFeed) -> Self {
        let old = opening.warrants.iter().find(|warrant| warrant.role == WarrantRole::Old);
        let right = old.map_or(Right::Recovery, |warrant| Right::Rotation(warrant.key));
        Self { right, end: opening.end, ..Self::first(&opening.descriptor) }
    }

    pub(crate) const fn is_recovery(&self) -> bool {
        matches!(self.right, Right::Recovery) && !self.is_forked
    }

    /// Whether this feed's opening may end that one.
    fn follows(&self, before: &Self) -> bool {
        before.epoch.checked_add(1) == Some(self.epoch)
            && match self.right {
                _ if self.is_forked => true,
                Right::Charter => false,
                Right::Rotation(old) => old == before.key,
                Right::Recovery => true,
            }
    }

    /// Whether a recovery beats this feed, given which feeds of the epoch before are beaten.
    fn is_superseded(&self, all: &[Self], superseded: &BTreeSet<FeedId>) -> bool {
        let is_beaten = |one: &Self| one.epoch == self.epoch && one.is_recovery();
        let leads_here = |one: &&Self| self.follows(one);
        let follows_beaten = || {
            let mut before = all.iter().filter(leads_here).peekable();
            before.peek().is_some() && before.all(|one| superseded.contains(&one.feed))
        };
        let may_be_beaten = self.is_forked || matches!(self.right, Right::Rotation(_));
        may_be_beaten && (all.iter().any(is_beaten) || follows_beaten())
    }
}

/// Which of an organisation's feeds a recovery beats.
fn superseded(all: &[Opened]) -> BTreeSet<FeedId> {
    let mut by_epoch: Vec<&Opened> = all.iter().collect();
    by_epoch.sort_by_key(|one| one.epoch);
    let mut superseded = BTreeSet::new();
    for one in by_epoch {
        if one.is_superseded(all, &superseded) {
            superseded.insert(one.feed);
        }
    }
    superseded
}

/// How much of each of an organisation's feeds on a board counts by itself.
#[must_use]
pub fn extents(all: &[Opened]) -> BTreeMap<FeedId, Extent> {
    let superseded = superseded(all);
    let stands = |one: &&Opened| !superseded.contains(&one.feed);
    let extent = |one: &Opened| {
        let is_rival = |other: &&Opened| other.epoch == one.epoch && other.feed != one.feed;
        if !stands(&one) {
            Extent::Superseded
        } else if all
            .iter()
            .filter(stands)
            .any(|other| is_rival(&other) || other.is_forked && other.follows(one))
        {
            Extent::Contested
        } else {
            let ends = all.iter().filter(stands).filter(|next| next.follows(one));
            let ends = ends.filter_map(|next| next.end);
            ends.min_by_key(|End(seq, id)| (*seq, *id)).map_or(Extent::Open, Extent::Until)
        }
    };
    all.iter().map(|one| (one.feed, extent(one))).collect()
}

/// Checks that there is room for one more feed: at most [`EPOCHS_MAX`] by recovery, as many that
/// are superseded, and as many others, so that whoever stole a key cannot use up the room of
/// whoever takes it back.
///
/// # Errors
/// [`BadOpening::TooMany`].
pub fn expect_room(all: &[Opened], new: &Opened) -> Result<(), BadOpening> {
    let superseded = superseded(all);
    let class = |one: &Opened| match one.is_recovery() {
        true => 0,
        false => 1 + u8::from(one.is_superseded(all, &superseded)),
    };
    let taken = all.iter().filter(|one| class(one) == class(new)).count() as u64;
    if new.epoch >= EPOCHS_MAX || taken >= EPOCHS_MAX {
        return Err(BadOpening::TooMany { max: EPOCHS_MAX });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::{Extent, Opened, Right, expect_room, extents};
    use crate::{
        feed::{BadOpening, End},
        hash::{EntryId, FeedId},
        identity::{KeyPair, PublicKey, Signer},
        limits::EPOCHS_MAX,
    };

    fn key(no: u8) -> PublicKey {
        KeyPair::from_seed(&[no; 32]).public()
    }

    const fn feed(no: u8) -> FeedId {
        FeedId::from_bytes([no; 32])
    }

    const fn end(seq: u64) -> End {
        End(seq, EntryId::from_bytes([9; 32]))
    }

    fn opened(no: u8, epoch: u64, right: Right, at: u64) -> Opened {
        let end = (epoch > 0).then_some(end(at));
        Opened { feed: feed(no), key: key(no), epoch, right, end, is_forked: false }
    }

    /// The extents of these feeds, in the order given, which does not matter.
    fn found(all: &[Opened]) -> Vec<Extent> {
        let forwards = extents(all);
        let backwards: Vec<Opened> = all.iter().rev().copied().collect();
        assert_eq!(forwards, extents(&backwards));
        all.iter().map(|one| forwards[&one.feed]).collect()
    }

    #[test]
    fn a_rotation_ends_the_epoch_before() {
        let first = opened(1, 0, Right::Charter, 0);
        assert_eq!(found(&[first]), [Extent::Open]);
        let second = opened(2, 1, Right::Rotation(key(1)), 7);
        assert_eq!(found(&[first, second]), [Extent::Until(end(7)), Extent::Open]);
    }

    #[test]
    fn two_rotations_of_one_key_contest_each_other_and_the_lower_end_counts() {
        let first = opened(1, 0, Right::Charter, 0);
        let one = opened(2, 1, Right::Rotation(key(1)), 7);
        let other = opened(3, 1, Right::Rotation(key(1)), 5);
        let contested = [Extent::Until(end(5)), Extent::Contested, Extent::Contested];
        assert_eq!(found(&[first, one, other]), contested);
    }

    #[test]
    fn a_recovery_beats_a_thiefs_rotation_and_all_that_follows_from_it() {
        let first = opened(1, 0, Right::Charter, 0);
        let stolen = opened(2, 1, Right::Rotation(key(1)), 0);
        let further = opened(3, 2, Right::Rotation(key(2)), 4);
        let recovered = opened(4, 1, Right::Recovery, 7);
        let onwards = opened(5, 2, Right::Rotation(key(4)), 3);
        let expected = [
            Extent::Until(end(7)),
            Extent::Superseded,
            Extent::Superseded,
            Extent::Until(end(3)),
            Extent::Open,
        ];
        assert_eq!(found(&[first, stolen, further, recovered, onwards]), expected);
    }

    #[test]
    fn a_recovery_after_a_thiefs_rotation_ends_it_where_it_says() {
        let first = opened(1, 0, Right::Charter, 0);
        let stolen = opened(2, 1, Right::Rotation(key(1)), 6);
        let recovered = opened(3, 2, Right::Recovery, 0);
        let expected = [Extent::Until(end(6)), Extent::Until(end(0)), Extent::Open];
        assert_eq!(found(&[first, stolen, recovered]), expected);
    }

    #[test]
    fn nobody_can_say_where_a_feed_ends_whose_successor_was_opened_twice() {
        let first = opened(1, 0, Right::Charter, 0);
        let twice = Opened { is_forked: true, ..opened(2, 1, Right::Rotation(key(1)), 7) };
        assert_eq!(found(&[first, twice]), [Extent::Contested, Extent::Open]);
        let recovered = opened(3, 1, Right::Recovery, 5);
        let expected = [Extent::Until(end(5)), Extent::Superseded, Extent::Open];
        assert_eq!(found(&[first, twice, recovered]), expected);
        let recovered_twice = Opened { right: Right::Recovery, ..twice };
        assert_eq!(found(&[first, recovered_twice, recovered]), expected);
    }

    #[test]
    fn two_recoveries_of_one_epoch_contest_each_other() {
        let first = opened(1, 0, Right::Charter, 0);
        let one = opened(2, 1, Right::Recovery, 7);
        let other = opened(3, 1, Right::Recovery, 5);
        let contested = [Extent::Until(end(5)), Extent::Contested, Extent::Contested];
        assert_eq!(found(&[first, one, other]), contested);
    }

    #[test]
    fn a_thief_cannot_use_up_the_room_of_a_recovery() {
        let mut all = vec![opened(1, 0, Right::Charter, 0)];
        for no in 2..=64 {
            let stolen = opened(no, 1, Right::Rotation(key(1)), 0);
            assert_eq!(expect_room(&all, &stolen), Ok(()));
            all.push(stolen);
        }
        let full = Err(BadOpening::TooMany { max: EPOCHS_MAX });
        assert_eq!(expect_room(&all, &opened(65, 1, Right::Rotation(key(1)), 0)), full);
        let recovered = opened(66, 1, Right::Recovery, 0);
        assert_eq!(expect_room(&all, &recovered), Ok(()));
        all.push(recovered);
        assert_eq!(expect_room(&all, &opened(67, 2, Right::Rotation(key(66)), 0)), Ok(()));
        let late = opened(68, 1, Right::Rotation(key(1)), 0);
        assert_eq!(expect_room(&all, &late), Ok(()), "one more that is superseded");
        assert_eq!(expect_room(&all, &opened(69, EPOCHS_MAX, Right::Recovery, 0)), full);
    }
}
