//! Names of changes and of those who made them: ours and Automerge's.
//!
//! The verdict has read every actor and hash before; here they only change their type, so that no
//! Automerge type leaves this folder's neighbours.

use automerge::ActorId;

use crate::verdict::{Actor, ActorPrefix, ChangeHash};

/// The feed to which an actor belongs.
#[must_use]
pub fn feed_of(actor: &Actor) -> ActorPrefix {
    ActorPrefix(actor.0.first_chunk().copied().unwrap_or_default())
}

pub(in crate::artefact) fn actor_id(actor: Actor) -> ActorId {
    ActorId::from(actor.0)
}

/// Shorter ids, which no verdict lets through, end in zeros.
pub(in crate::artefact) fn actor(id: &ActorId) -> Actor {
    let mut bytes = [0; 32];
    for (byte, value) in bytes.iter_mut().zip(id.to_bytes()) {
        *byte = *value;
    }
    Actor(bytes)
}

pub(in crate::artefact) const fn ours(hash: automerge::ChangeHash) -> ChangeHash {
    ChangeHash(hash.0)
}

pub(in crate::artefact) const fn theirs(hash: ChangeHash) -> automerge::ChangeHash {
    automerge::ChangeHash(hash.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::FeedId;

    #[test]
    fn names_come_back_unchanged() {
        let prefix = ActorPrefix::of(&FeedId::from_bytes([7; 32]));
        let one = Actor::of(prefix, [1; 16]);
        assert_eq!(actor(&actor_id(one)), one);
        assert_eq!(feed_of(&one), prefix);
        assert_eq!(ours(theirs(ChangeHash([3; 32]))), ChangeHash([3; 32]));
    }
}
