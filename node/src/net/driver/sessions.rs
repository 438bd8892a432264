//! From substreams to sessions, and from their ends to the next attempt.
//!
//! ```text
//!   we open:    open -> task -> opened ------------------.
//!   they open:  forward -> greet -> task -> greeted ------+-> start -> task -> ended -> schedule
//!                                     (two make a pair)
//! ```
//!
//! *Invariants.* Only the lower key opens. Of one peer at most one session runs; a pair that is
//! accepted meanwhile ends it and waits for its end. What an older attempt left is never paired.
//!
//! *Source*: ours.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use libp2p::{PeerId, Stream};
use tokio::{sync::mpsc, time::Instant};

use super::{Driver, Half, Stage};
use crate::{
    clock,
    net::{
        End, Lane, NodeKey, SessionId,
        dial::is_opener,
        session::{self, OpenError, Pair, Setting},
    },
};

/// A session that lasted this long was a good one: the next pause is short again.
const STEADY: Duration = Duration::from_secs(30);
/// Substreams of one peer whose number has not come yet.
const GREETINGS_MAX: u32 = 4;
/// A substream that a peer has opened.
pub(super) struct Incoming {
    peer_id: PeerId,
    lane: Lane,
    stream: Stream,
}

/// What a task of the driver brings back.
pub(super) enum Step {
    Opened { peer: NodeKey, opened: Result<Pair, OpenError> },
    Greeted { peer: NodeKey, lane: Lane, accepted: Option<(u64, Stream)> },
    Ended { peer: NodeKey, reason: End },
}

impl Driver {
    pub(super) fn open(&mut self, key: NodeKey) {
        let number = match clock::dice() {
            Ok(number) => number,
            Err(error) => return self.open_failed(key, error.to_string()),
        };
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        peer.stage = Stage::Opening;
        let streams = self.streams.clone();
        self.tasks.spawn(async move {
            let opened = session::open(streams, key.to_peer_id(), number).await;
            Step::Opened { peer: key, opened }
        });
    }

    /// A substream that a peer has opened: its number comes first.
    pub(super) fn greet(&mut self, incoming: Incoming) {
        let Incoming { peer_id, lane, stream } = incoming;
        let Ok(key) = NodeKey::from_peer_id(&peer_id) else {
            return;
        };
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        let may_open = !is_opener(self.local, key);
        if !peer.is_allowed || !may_open || peer.greetings >= GREETINGS_MAX {
            tracing::debug!(peer = %key, %lane, "refused a substream");
            return;
        }
        peer.greetings += 1;
        self.tasks.spawn(async move {
            Step::Greeted { peer: key, lane, accepted: session::accept(stream).await }
        });
    }

    pub(super) fn handle_step(&mut self, step: Step) {
        match step {
            Step::Opened { peer, opened } => self.opened(peer, opened),
            Step::Greeted { peer, lane, accepted } => self.greeted(peer, lane, accepted),
            Step::Ended { peer, reason } => self.ended(peer, &reason),
        }
    }

    pub(super) fn opened(&mut self, key: NodeKey, opened: Result<Pair, OpenError>) {
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        peer.stage = Stage::Idle;
        if !peer.is_allowed {
            self.peers.remove(&key);
            return;
        }
        match opened {
            Ok(pair) => self.start(key, pair, None),
            Err(error) => self.open_failed(key, error.to_string()),
        }
    }

    pub(super) fn greeted(&mut self, key: NodeKey, lane: Lane, accepted: Option<(u64, Stream)>) {
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        peer.greetings = peer.greetings.saturating_sub(1);
        let Some((number, stream)) = accepted else {
            return;
        };
        if !peer.is_allowed {
            return;
        }
        let half = Half { number, lane, stream };
        let pair = match peer.half.take() {
            Some(other) if other.number == number && other.lane != lane => match lane {
                Lane::Control => Pair { control: half.stream, bulk: other.stream },
                Lane::Bulk => Pair { control: other.stream, bulk: half.stream },
            },
            // The other half has yet to come; one of an older attempt is given up.
            Some(_) | None => {
                peer.half = Some(half);
                return;
            }
        };
        if let Stage::Running { session, .. } = &mut peer.stage {
            session.stop(End::Replaced);
            peer.next = Some((number, pair));
        } else {
            self.start(key, pair, Some(number));
        }
    }

    pub(super) fn start(&mut self, key: NodeKey, pair: Pair, answer: Option<u64>) {
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        self.sessions += 1;
        let newest = self.watched.paths.newest(key);
        let setting = Setting {
            peer: key,
            id: SessionId(self.sessions),
            limits: &self.config.limits,
            meter: Arc::clone(&peer.meter),
            events: self.channels.events.clone(),
        };
        let (session, task) = session::prepare(setting, pair, answer);
        peer.stage = Stage::Running { session, since: Instant::now(), newest };
        self.alarms.clear(key);
        self.tasks.spawn(async move { Step::Ended { peer: key, reason: task.run().await } });
    }

    pub(super) fn ended(&mut self, key: NodeKey, reason: &End) {
        tracing::debug!(peer = %key, %reason, "session ended");
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        if let Stage::Running { since, .. } = &peer.stage
            && since.elapsed() >= STEADY
        {
            peer.backoff.reset();
        }
        peer.stage = Stage::Idle;
        if !peer.is_allowed {
            self.peers.remove(&key);
            return;
        }
        let next = peer.next.take();
        if reason.closes_connections() {
            let _none = self.swarm.disconnect_peer_id(key.to_peer_id());
        }
        match next {
            Some((number, pair)) => self.start(key, pair, Some(number)),
            None => {
                self.schedule(key);
            }
        }
    }
}

/// Does nothing but hand on: libp2p-stream drops what comes while this is busy.
pub(super) async fn forward(
    mut accepted: libp2p_stream::IncomingStreams,
    lane: Lane,
    sender: mpsc::UnboundedSender<Incoming>,
) {
    while let Some((peer_id, stream)) = accepted.next().await {
        if sender.send(Incoming { peer_id, lane, stream }).is_err() {
            return;
        }
    }
}
