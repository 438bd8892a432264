//! What can go wrong: at the start, with a session, and while the network goes on.
//!
//! | type | the daemon |
//! |---|---|
//! | [`NetError`] | does not start |
//! | [`End`] | learns why one session is over |
//! | [`Trouble`] | logs it and counts it; nothing has to be done |
//!
//! *Invariants.* None of it ends the process. Bytes of a peer appear in none of it.
//!
//! *Source*: ours.

use std::io;

use libp2p::Multiaddr;

use super::{Lane, NodeKey, NodeKeyError};

/// Why the network did not start.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// Nobody can be reached on this address.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: Multiaddr,
        /// What the operating system said.
        source: libp2p::TransportError<io::Error>,
    },
    /// Another program has the port; libp2p would share it with that program in silence.
    #[error("cannot listen on {address}: {source}; stop what uses the port, or choose another")]
    PortTaken {
        /// Which.
        address: Multiaddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The TLS certificate of the node key could not be made.
    #[error("cannot make the TLS certificate of the node key: {source}")]
    Certificate {
        /// What failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The system's name resolver could not be read.
    #[error("cannot read the system's name resolver settings: {source}; check /etc/resolv.conf")]
    Resolver {
        /// What the operating system said.
        source: io::Error,
    },
    /// The seed is not a key.
    #[error("the node key cannot be used: {source}")]
    Key {
        /// Why.
        source: NodeKeyError,
    },
    /// Two networks in one swarm: our own mistake.
    #[error("the protocol {protocol} is registered twice")]
    ProtocolTaken {
        /// Which.
        protocol: &'static str,
    },
}

/// Why a session ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum End {
    /// The peer closed it, or its process ended.
    #[error("closed by the peer")]
    Closed,
    /// The transport failed.
    #[error("the {lane} lane failed: {kind}")]
    Io {
        /// Which lane.
        lane: Lane,
        /// How.
        kind: io::ErrorKind,
    },
    /// The peer announced a frame that is empty or too long.
    #[error("a frame of {bytes} bytes on the {lane} lane; 1 to {max} are allowed")]
    BadLength {
        /// Which lane.
        lane: Lane,
        /// Announced.
        bytes: u32,
        /// The bound.
        max: u32,
    },
    /// The peer took frames too slowly.
    #[error("{frames} frames of {bytes} bytes were waiting on the {lane} lane")]
    QueueFull {
        /// Which lane.
        lane: Lane,
        /// Waiting.
        frames: u64,
        /// Waiting.
        bytes: u64,
    },
    /// The peer answered no pings any more.
    #[error("the peer no longer answers")]
    Silent,
    /// The daemon asked for it.
    #[error("dropped: {reason}")]
    Dropped {
        /// The daemon's words.
        reason: String,
    },
    /// The peer is no longer allowed.
    #[error("no longer allowed")]
    Forgotten,
    /// The peer opened a new session: for it the old one had ended.
    #[error("replaced by a new session")]
    Replaced,
    /// This node is stopping.
    #[error("this node is stopping")]
    Shutdown,
    /// A task of ours ended in a panic.
    #[error("a task of this node failed; the log has more")]
    OurFault,
}

impl End {
    /// Whether the connections, too, are closed: nothing good is to be expected on them.
    pub(super) const fn closes_connections(&self) -> bool {
        match self {
            Self::BadLength { .. } | Self::QueueFull { .. } | Self::Dropped { .. } => true,
            Self::Silent | Self::Closed | Self::Io { .. } | Self::Forgotten | Self::Replaced => {
                false
            }
            Self::Shutdown | Self::OurFault => false,
        }
    }
}

/// What failed while the network goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// A peer could not be reached.
    #[error("cannot reach {peer}: {cause}; trying again in {again_ms} ms")]
    Dial {
        /// Whom.
        peer: NodeKey,
        /// What libp2p said of each address.
        cause: String,
        /// Pause until the next attempt.
        again_ms: u64,
    },
    /// A connection was up and a session could not be opened on it.
    #[error("no session with {peer}: {cause}; trying again in {again_ms} ms")]
    Open {
        /// With whom.
        peer: NodeKey,
        /// What failed.
        cause: String,
        /// Pause until the next attempt.
        again_ms: u64,
    },
    /// A connection from outside failed before a key was proved, or was one too many.
    #[error("a connection from {address} failed: {cause}")]
    Incoming {
        /// From where.
        address: Multiaddr,
        /// What libp2p said.
        cause: String,
    },
    /// A connection went silent and was closed.
    #[error("{peer} does not answer pings: {cause}")]
    Silent {
        /// Who.
        peer: NodeKey,
        /// What libp2p said.
        cause: String,
    },
    /// An address is no longer listened on.
    #[error("no longer listening on {addresses:?}: {cause}")]
    Listener {
        /// Which.
        addresses: Vec<Multiaddr>,
        /// What the operating system said.
        cause: String,
    },
    /// The daemon wanted to send a frame that may not be sent: our own mistake.
    #[error("a frame of {bytes} bytes to {peer} was not sent; 1 to {max} are allowed")]
    BadFrame {
        /// To whom.
        peer: NodeKey,
        /// Its length.
        bytes: usize,
        /// The bound.
        max: u32,
    },
}
