//! How each peer is connected: over which transport, at which address, and who dialled.
//!
//! *Invariants.* Says what is up, not what was: a connection stands here from when it is established
//! until it is closed. Addresses are those that were dialled or that the peer came from, without the
//! peer's name.
//!
//! *Source*: ours.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{PoisonError, RwLock},
};

use libp2p::{Multiaddr, core::ConnectedPoint, multiaddr::Protocol, swarm::ConnectionId};

use super::NodeKey;

/// What carries a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TCP, TLS 1.3 and yamux.
    Tcp,
    /// QUIC, over UDP.
    Quic,
}

impl Transport {
    /// What an address names; none if this node does not speak it.
    #[must_use]
    pub fn of(address: &Multiaddr) -> Option<Self> {
        address.iter().find_map(|part| match part {
            Protocol::Tcp(_) => Some(Self::Tcp),
            Protocol::QuicV1 => Some(Self::Quic),
            _ => None,
        })
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Tcp => "tcp",
            Self::Quic => "quic",
        })
    }
}

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Over what.
    pub transport: Transport,
    /// Where we dialled the peer, or where it came from.
    pub address: Multiaddr,
    /// Whether we dialled.
    pub is_dialled: bool,
}

impl Path {
    fn of(point: &ConnectedPoint) -> Option<Self> {
        let mut address = point.get_remote_address().clone();
        if matches!(address.iter().last(), Some(Protocol::P2p(_))) {
            let _name = address.pop();
        }
        let transport = Transport::of(&address)?;
        Some(Self { transport, address, is_dialled: point.is_dialer() })
    }
}

/// The connections that are up, by peer.
#[derive(Debug, Default)]
pub struct Paths {
    peers: RwLock<BTreeMap<NodeKey, BTreeMap<ConnectionId, Path>>>,
}

impl Paths {
    /// Those to one peer, the oldest first. More than one is usual when both have just dialled; those
    /// that carry nothing close by themselves.
    #[must_use]
    pub fn of(&self, peer: NodeKey) -> Vec<Path> {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        peers.get(&peer).into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    /// The newest of them; ids ascend.
    pub(super) fn newest(&self, peer: NodeKey) -> Option<ConnectionId> {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        peers.get(&peer)?.keys().next_back().copied()
    }

    pub(super) fn opened(&self, peer: NodeKey, id: ConnectionId, point: &ConnectedPoint) {
        if let Some(path) = Path::of(point) {
            let mut peers = self.peers.write().unwrap_or_else(PoisonError::into_inner);
            peers.entry(peer).or_default().insert(id, path);
        }
    }

    pub(super) fn closed(&self, peer: NodeKey, id: ConnectionId) {
        let mut peers = self.peers.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(paths) = peers.get_mut(&peer) {
            paths.remove(&id);
            if paths.is_empty() {
                peers.remove(&peer);
            }
        }
    }
}
