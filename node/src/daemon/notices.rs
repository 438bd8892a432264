//! What is told in the log: one line each, with a stable code.
//!
//! *Invariants.* A stranger leaves one line an hour, whatever it tries. Nothing that a peer wrote is logged but
//! the sentence with which it said goodbye.
//!
//! *Source*: ours.

use concordat_protocol::{engine::Report, hash};

use super::strangers::Strangers;
use crate::{
    home::Home,
    journal::{Event, Line},
    net::{NetEvent, NodeKey, Trouble},
    organisation::Organisation,
    replica::Replica,
};

pub(super) fn serving(replica: &Replica, home: &Home) {
    let paper = replica.organisation().paper();
    let card = paper.card().card();
    tracing::info!(
        code = "serving", org = %card.org, name = paper.inception().legal_name.as_str(),
        epoch = card.epoch, card = card.number, home = %home.directory().display(),
        boards = replica.views().len(), "serving"
    );
    if let Some(why) = replica.suspicion() {
        tracing::warn!(
            code = "restored", %why,
            "this node signs nothing before its partners told how far its feeds had come"
        );
    }
}

pub(super) fn new_card(organisation: &Organisation) {
    let card = organisation.paper().card().card();
    tracing::info!(
        code = "new-card", number = card.number, addresses = ?card.addresses,
        "the config announces other addresses: signed the next card"
    );
}

pub(super) fn report(report: &Report) {
    match report {
        Report::Dropped { code, .. } => tracing::warn!(code, "{report}"),
        Report::ToldToGo { peer, code, sentence } => {
            tracing::warn!(code = "told-to-go", ?peer, peer_code = code.as_str(), "{sentence}");
        }
        Report::RunRefused { .. } => tracing::warn!(code = "run-refused", "{report}"),
        Report::OpeningRefused { .. } => tracing::warn!(code = "opening-refused", "{report}"),
        Report::CardIgnored { .. } => tracing::warn!(code = "card-ignored", "{report}"),
        Report::Forked { .. } => tracing::error!(code = "forked", "{report}"),
        Report::Clock { check } if check.is_off() => tracing::warn!(code = "clock", "{check}"),
        Report::Clock { check } => tracing::info!(code = "clock", "{check}"),
        Report::TimeBack { .. } => tracing::warn!(code = "time-back", "{report}"),
        Report::TimeAhead { .. } => tracing::warn!(code = "time-ahead", "{report}"),
        Report::Restoring { .. } => tracing::info!(code = "restoring", "{report}"),
    }
}

/// What strangers tried in the last hour beyond what was told at once.
pub(super) fn more_strangers(attempts: u64) {
    tracing::warn!(
        code = "strangers",
        attempts,
        "turned away again within the last hour: keys on no card, and connections without a key"
    );
}

pub(super) fn event(event: &NetEvent, strangers: &mut Strangers) {
    match event {
        NetEvent::Listening { address } => {
            tracing::info!(code = "listening", %address, "listening");
        }
        NetEvent::Connected { peer, .. } => tracing::info!(code = "connected", %peer, "connected"),
        NetEvent::Disconnected { peer, reason, .. } => {
            tracing::info!(code = "disconnected", %peer, %reason, "disconnected");
        }
        NetEvent::Frame { .. } => {}
        NetEvent::Stranger { peer, address } => {
            if !strangers.turned_away(*peer) {
                return;
            }
            let peer = peer.map_or_else(|| "another kind of key".to_owned(), |key| key.to_string());
            tracing::warn!(code = "stranger", peer, %address, "turned away: its key is on no card of a partner");
        }
        NetEvent::Trouble(Trouble::Incoming { address, .. }) if !strangers.failed(address) => {}
        NetEvent::Trouble(trouble) => told(trouble),
    }
}

/// What the journal is told of an event of the network.
pub(super) fn journalled(event: &NetEvent) -> Option<Line> {
    let id = |peer: &NodeKey| hash::NodeKey::from_bytes(*peer.as_bytes());
    Some(match event {
        NetEvent::Connected { peer, .. } => Line::done(Event::Connected { peer: id(peer) }),
        NetEvent::Disconnected { peer, reason, .. } => {
            Line::done(Event::Disconnected { peer: id(peer), why: reason.to_string() })
        }
        NetEvent::Stranger { peer, address } => {
            let (peer, address) = (peer.as_ref().map(id), address.to_string());
            let event = Event::StrangerRefused { peer, address, times: 1 };
            Line::refused(event, "stranger")
        }
        NetEvent::Listening { .. } | NetEvent::Frame { .. } | NetEvent::Trouble(_) => return None,
    })
}

fn told(trouble: &Trouble) {
    // libp2p's causes may have several lines.
    let line = trouble.to_string().replace('\n', " ");
    match trouble {
        // Partners are often away; the status says so.
        Trouble::Dial { .. } | Trouble::Open { .. } => tracing::info!(code = "away", "{line}"),
        Trouble::Incoming { .. } => tracing::info!(code = "incoming", "{line}"),
        Trouble::Silent { .. } => tracing::info!(code = "silent", "{line}"),
        Trouble::Listener { .. } => tracing::error!(code = "listener", "{line}"),
        Trouble::BadFrame { .. } => tracing::error!(code = "bad-frame", "{line}"),
    }
}
