//! Sessions with peers: which one is current, and what the engine may say to whom.
//!
//! The engine knows peers by the key on their card; the network by the same key as a libp2p name.
//!
//! *Invariants.* A frame is sent in the session in which the engine met the peer, or not at all. What
//! comes in of a session that is not current is not handed on.
//!
//! *Source*: ours.

use std::collections::BTreeMap;

use concordat_protocol::{engine::Input, hash, sync};
use libp2p::Multiaddr;
use tokio::sync::mpsc;

use crate::{
    clock,
    config::is_dialable,
    contacts::Contacts,
    net::{Lane, NetCommand, NetEvent, NetHandle, NetStopped, NodeKey, SessionId},
    store::Op,
    view::{PeerTraffic, Running},
};

#[derive(Debug)]
pub(super) struct Links {
    net: NetHandle,
    sessions: BTreeMap<NodeKey, SessionId>,
    contacts: Contacts,
    listening: Vec<String>,
    /// The network was told to end: what the engine still wants of it is not done.
    is_ended: bool,
}

impl Links {
    pub(super) const fn new(net: NetHandle, contacts: Contacts) -> Self {
        Self { net, sessions: BTreeMap::new(), contacts, listening: Vec::new(), is_ended: false }
    }

    /// What an event means to the engine, if anything.
    pub(super) fn input_of(&mut self, event: NetEvent) -> Option<Input> {
        match event {
            NetEvent::Connected { peer, session } => {
                self.sessions.insert(peer, session);
                self.contacts.met(peer, clock::now_ms());
                Some(Input::Connected { peer: of_net(peer) })
            }
            NetEvent::Disconnected { peer, session, .. } => {
                if self.sessions.get(&peer) != Some(&session) {
                    return None;
                }
                self.sessions.remove(&peer);
                self.contacts.left(peer, clock::now_ms());
                Some(Input::Disconnected { peer: of_net(peer) })
            }
            NetEvent::Frame { peer, bytes, .. } => {
                let is_met = self.sessions.contains_key(&peer);
                is_met.then(|| Input::Received { peer: of_net(peer), frame: bytes })
            }
            NetEvent::Listening { address } => {
                self.listening.push(address.to_string());
                None
            }
            NetEvent::Stranger { .. } | NetEvent::Trouble(_) => None,
        }
    }

    pub(super) async fn send(
        &self,
        peer: hash::NodeKey,
        lane: sync::Lane,
        frame: Vec<u8>,
    ) -> Result<(), NetStopped> {
        let Some(peer) = to_net(&peer) else {
            return Ok(());
        };
        // It ended meanwhile, and the engine will hear of it.
        let Some(session) = self.sessions.get(&peer).copied() else {
            return Ok(());
        };
        let lane = match lane {
            sync::Lane::Control => Lane::Control,
            sync::Lane::Bulk => Lane::Bulk,
        };
        self.tell(NetCommand::Send { peer, session, lane, frame }).await
    }

    async fn tell(&self, command: NetCommand) -> Result<(), NetStopped> {
        if self.is_ended { Ok(()) } else { self.net.send(command).await }
    }

    pub(super) async fn drop_peer(&self, peer: hash::NodeKey) -> Result<(), NetStopped> {
        let reason = "the engine ended the meeting".to_owned();
        match to_net(&peer) {
            Some(peer) => self.tell(NetCommand::Drop { peer, reason }).await,
            None => Ok(()),
        }
    }

    pub(super) async fn admit(
        &self,
        peer: hash::NodeKey,
        addresses: &[String],
    ) -> Result<(), NetStopped> {
        let Some(key) = to_net(&peer) else {
            tracing::warn!(code = "bad-node-key", peer = ?peer, "a card names a key that cannot be met");
            return Ok(());
        };
        let mut dialable: Vec<Multiaddr> = Vec::new();
        for text in addresses {
            match text.parse() {
                Ok(address) if is_dialable(&address) => dialable.push(address),
                Ok(_) | Err(_) => tracing::warn!(
                    code = "bad-address", peer = %key, address = text.as_str(),
                    "the peer's card names an address that this node does not dial"
                ),
            }
        }
        self.tell(NetCommand::Allow { peer: key, addresses: dialable }).await
    }

    pub(super) async fn dismiss(&self, peer: hash::NodeKey) -> Result<(), NetStopped> {
        match to_net(&peer) {
            Some(peer) => self.tell(NetCommand::Forget { peer }).await,
            None => Ok(()),
        }
    }

    /// Whoever has a session is being met.
    pub(super) fn note_contacts(&mut self) {
        let now_ms = clock::now_ms();
        self.sessions.keys().for_each(|peer| self.contacts.met(*peer, now_ms));
    }

    /// What is to be written of when peers were met.
    pub(super) fn take_contacts(&mut self) -> Vec<Op> {
        self.contacts.take_rows()
    }

    /// For `status`.
    pub(super) fn running(&self) -> Running {
        let now_ms = clock::now_ms();
        let traffic = |(peer, counts)| {
            let is_connected = self.sessions.contains_key(&peer);
            let contact_age_s =
                if is_connected { Some(0) } else { self.contacts.age_s(peer, now_ms) };
            let paths = self.net.paths().of(peer);
            (peer, PeerTraffic { is_connected, contact_age_s, counts, paths })
        };
        let peers = self.net.meter().peers().into_iter().map(traffic).collect();
        Running { listening: self.listening.clone(), peers, ..Running::default() }
    }

    /// Ends all sessions; what still comes in is not taken any more.
    pub(super) async fn shut_down(&mut self, events: &mut mpsc::Receiver<NetEvent>) {
        self.is_ended = true;
        // Err: it has ended already.
        let _ended = self.net.send(NetCommand::Shutdown).await;
        while let Some(event) = events.recv().await {
            if let NetEvent::Disconnected { .. } = event {
                let _ended = self.input_of(event);
            }
        }
    }
}

const fn of_net(peer: NodeKey) -> hash::NodeKey {
    hash::NodeKey::from_bytes(*peer.as_bytes())
}

/// A card is only known if its node key is a point, so there is always a name.
fn to_net(peer: &hash::NodeKey) -> Option<NodeKey> {
    NodeKey::from_bytes(*peer.as_bytes()).ok()
}
