//! Who writes changes: the actor id of Automerge, bound to one feed.
//!
//! ```text
//! actor (32 bytes) = first 16 bytes of H(actor, feed_id) ‖ 16 fresh random bytes
//! ```
//!
//! One fresh actor for each editor (browser tab, command) and start. An actor belongs to one feed by
//! construction, so no organisation can write in another's name, and no two editors ever make two
//! changes with one actor and seq. Randomness is an argument.
//!
//! Source: ours, `SPEC.md` section "Documents".

use core::fmt;

use automerge::ActorId;

use crate::{
    codec::hex,
    hash::{FeedId, Tag, hash},
};

/// Length of the half that names the feed, in bytes.
pub const PREFIX_BYTES: usize = 16;

/// The half of an actor that names its feed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActorPrefix([u8; PREFIX_BYTES]);

/// Who made a change: one editor of one feed. All zero for a skeleton.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Actor([u8; 32]);

impl ActorPrefix {
    /// The half that all actors of this feed share.
    #[must_use]
    pub fn of(feed: &FeedId) -> Self {
        Self(first_half(&hash(Tag::Actor, &[feed.as_bytes()])))
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; PREFIX_BYTES] {
        &self.0
    }
}

impl Actor {
    /// The author of every skeleton.
    pub const SKELETON: Self = Self([0; 32]);

    /// A fresh actor of this feed.
    #[must_use]
    pub fn fresh(feed: &FeedId, random: [u8; PREFIX_BYTES]) -> Self {
        let ActorPrefix(prefix) = ActorPrefix::of(feed);
        let mut bytes = [0; 32];
        for (byte, value) in bytes.iter_mut().zip(prefix.into_iter().chain(random)) {
            *byte = value;
        }
        Self(bytes)
    }

    /// The actor with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The half that names the feed.
    #[must_use]
    pub fn prefix(&self) -> ActorPrefix {
        ActorPrefix(first_half(&self.0))
    }

    /// What Automerge calls it.
    pub(in crate::artefact) fn to_automerge(self) -> ActorId {
        ActorId::from(self.0)
    }

    /// From what Automerge calls it; shorter ids, which no verdict lets through, end in zeros.
    pub(in crate::artefact) fn of_automerge(id: &ActorId) -> Self {
        let mut bytes = [0; 32];
        for (byte, value) in bytes.iter_mut().zip(id.to_bytes()) {
            *byte = *value;
        }
        Self(bytes)
    }
}

fn first_half(bytes: &[u8; 32]) -> [u8; PREFIX_BYTES] {
    let mut half = [0; PREFIX_BYTES];
    for (byte, value) in half.iter_mut().zip(bytes) {
        *byte = *value;
    }
    half
}

impl fmt::Debug for ActorPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "actor-{}", hex(self.0.get(..4).unwrap_or_default()))
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let editor = self.0.get(PREFIX_BYTES..PREFIX_BYTES + 4).unwrap_or_default();
        write!(f, "{:?}/{}", self.prefix(), hex(editor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actors_of_one_feed_share_a_prefix_and_differ_by_editor() {
        let feed = FeedId::from_bytes([7; 32]);
        let (one, two) = (Actor::fresh(&feed, [1; 16]), Actor::fresh(&feed, [2; 16]));
        assert_eq!(one.prefix(), two.prefix());
        assert_eq!(one.prefix(), ActorPrefix::of(&feed));
        assert_ne!(one, two);
        assert_ne!(one.prefix(), ActorPrefix::of(&FeedId::from_bytes([8; 32])));
        assert_eq!(Actor::of_automerge(&one.to_automerge()), one);
    }
}
