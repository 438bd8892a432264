//! What the swarm tells, and what follows from it.
//!
//! | the swarm tells | what follows |
//! |---|---|
//! | connection established | open, if that is ours and there is no session |
//! | connection closed, the last | dial again after a pause |
//! | dial failed | the same, and trouble is told |
//! | inbound connection denied by the allow list | `Stranger`, once |
//! | any other inbound failure | trouble is told |
//! | ping failed | the connection is closed, and the session that may live on it ended; libp2p tells only the second failure in a row |
//!
//! *Invariants.* Identify's words about addresses are not used.
//!
//! *Source*: libp2p-swarm 0.48 `SwarmEvent`; libp2p-ping 0.48, whose first failure is silent.

use libp2p::{
    Multiaddr, PeerId, allow_block_list, ping,
    swarm::{ConnectionId, DialError, ListenError, SwarmEvent},
};

use super::{Driver, End, NetEvent, NodeKey, Stage, Trouble};
use crate::net::{dial::is_our_turn, swarm::BehaviourEvent};

impl Driver {
    pub(super) fn handle_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::NewListenAddr { address, .. } => {
                self.notice(NetEvent::Listening { address });
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                if let Ok(key) = NodeKey::from_peer_id(&peer_id) {
                    self.watched.paths.opened(key, connection_id, &endpoint);
                    self.advance(key);
                }
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, num_established, .. } => {
                if let Ok(key) = NodeKey::from_peer_id(&peer_id) {
                    self.watched.paths.closed(key, connection_id);
                    if num_established == 0 {
                        self.disconnected(key);
                    }
                }
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer_id), error, .. } => {
                if let Ok(key) = NodeKey::from_peer_id(&peer_id) {
                    self.dial_failed(key, &error);
                }
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, peer_id, .. } => {
                self.turned_away(send_back_addr, error, peer_id);
            }
            SwarmEvent::Behaviour(BehaviourEvent::Ping(event)) => self.pinged(event),
            SwarmEvent::ListenerClosed { addresses, reason: Err(error), .. } => {
                let cause = error.to_string();
                self.notice(NetEvent::Trouble(Trouble::Listener { addresses, cause }));
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "a listener failed once");
            }
            _ => {}
        }
    }

    fn disconnected(&mut self, key: NodeKey) {
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        peer.half = None;
        // A session that still runs will end by itself, and sets the alarm then. One that ended while
        // the connection was still up has set it for opening, not for dialling.
        if peer.is_allowed && matches!(peer.stage, Stage::Idle) {
            if !is_our_turn(self.local, key, self.config.is_announced) {
                self.alarms.clear(key);
            }
            self.schedule(key);
        }
    }

    pub(super) fn dial_failed(&mut self, key: NodeKey, error: &DialError) {
        // Somebody was quicker: a connection is up or coming up, and will tell.
        if matches!(error, DialError::DialPeerConditionFalse(_)) {
            return;
        }
        let is_up = self.swarm.is_connected(&key.to_peer_id());
        if is_up || !self.peers.get(&key).is_some_and(|peer| peer.is_allowed) {
            return;
        }
        let cause = error.to_string();
        let again_ms = self.schedule_ms(key);
        self.notice(NetEvent::Trouble(Trouble::Dial { peer: key, cause, again_ms }));
    }

    pub(super) fn open_failed(&mut self, key: NodeKey, cause: String) {
        let again_ms = self.schedule_ms(key);
        self.notice(NetEvent::Trouble(Trouble::Open { peer: key, cause, again_ms }));
    }

    fn schedule_ms(&mut self, key: NodeKey) -> u64 {
        u64::try_from(self.schedule(key).as_millis()).unwrap_or(u64::MAX)
    }

    fn turned_away(&mut self, address: Multiaddr, error: ListenError, peer_id: Option<PeerId>) {
        let cause = match error {
            ListenError::Denied { cause } => {
                match cause.downcast::<allow_block_list::NotAllowed>() {
                    Ok(_) => {
                        let peer = peer_id.and_then(|id| NodeKey::from_peer_id(&id).ok());
                        return self.notice(NetEvent::Stranger { peer, address });
                    }
                    Err(other) => with_sources(&other),
                }
            }
            other => with_sources(&other),
        };
        self.notice(NetEvent::Trouble(Trouble::Incoming { address, cause }));
    }

    fn pinged(&mut self, event: ping::Event) {
        let ping::Event { peer, connection, result: Err(failure) } = event else {
            return;
        };
        if !self.swarm.close_connection(connection) {
            return;
        }
        if let Ok(peer) = NodeKey::from_peer_id(&peer) {
            if !self.may_carry_session(peer, connection) {
                tracing::debug!(peer = %peer, "a connection that carried nothing fell silent");
                return;
            }
            // Its substreams do not tell when we close a connection that has stalled. Should the session
            // have lived on another connection, it is opened again.
            self.end(peer, End::Silent);
            let cause = failure.to_string();
            self.notice(NetEvent::Trouble(Trouble::Silent { peer, cause }));
        }
    }

    /// Whether the peer's session may live on this connection: not if the connection came later, as one does
    /// with which somebody only looks whether this node is reached.
    fn may_carry_session(&self, key: NodeKey, connection: ConnectionId) -> bool {
        match self.peers.get(&key).map(|peer| &peer.stage) {
            Some(Stage::Running { newest, .. }) => *newest >= Some(connection),
            Some(_) | None => true,
        }
    }
}

/// libp2p's errors say what matters in their sources.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
