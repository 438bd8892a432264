//! What the daemon and the network say to each other.
//!
//! *Invariants.* A command is never answered: what comes of it is an event. Nothing here tells what
//! a frame means.
//!
//! *Source*: ours.

use libp2p::Multiaddr;

use super::{End, Lane, NodeKey, SessionId, Trouble};

/// What the daemon asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetCommand {
    /// Lets a peer in, and dials it if it is our turn; again with new addresses after a new card.
    Allow {
        /// Who.
        peer: NodeKey,
        /// Where it can be dialled; may be empty.
        addresses: Vec<Multiaddr>,
    },
    /// Shuts a peer out and closes what is open.
    Forget {
        /// Who.
        peer: NodeKey,
    },
    /// Queues a frame; it is dropped if that session has ended, whose `Disconnected` says so.
    Send {
        /// To whom.
        peer: NodeKey,
        /// The session that this frame belongs to, from `Connected`.
        session: SessionId,
        /// On which lane.
        lane: Lane,
        /// 1 to `frame_bytes_max` bytes.
        frame: Vec<u8>,
    },
    /// Closes what is open to a peer; it stays allowed and comes back after a pause.
    Drop {
        /// Whom.
        peer: NodeKey,
        /// Why, for the log.
        reason: String,
    },
    /// Ends all sessions and the network; the events end after it.
    Shutdown,
}

/// What the daemon is told.
#[derive(Debug, PartialEq, Eq)]
pub enum NetEvent {
    /// This node can be dialled here, from inside its own network.
    Listening {
        /// With the port that was given if 0 was asked for.
        address: Multiaddr,
    },
    /// A session is up on both lanes.
    Connected {
        /// With whom.
        peer: NodeKey,
        /// To be named when sending.
        session: SessionId,
    },
    /// That session is over.
    Disconnected {
        /// With whom.
        peer: NodeKey,
        /// Which.
        session: SessionId,
        /// Why.
        reason: End,
    },
    /// A frame came in.
    Frame {
        /// From whom.
        peer: NodeKey,
        /// On which lane.
        lane: Lane,
        /// The frame without its length.
        bytes: Vec<u8>,
    },
    /// Someone who is not allowed proved a key and was turned away.
    Stranger {
        /// The key, if it is of our kind.
        peer: Option<NodeKey>,
        /// Where it came from.
        address: Multiaddr,
    },
    /// Something failed that the administrator may want to know; the network goes on.
    Trouble(Trouble),
}
