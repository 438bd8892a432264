//! The one task that polls the swarm and decides: whom to dial, when to open, what to end.
//!
//! ```text
//!   per peer:   Idle --connected, we open--> Opening --pair--> Running --end--> Idle
//!                |                              `--failed, after a pause--------^
//!                `--pair accepted, they open--> Running; a newer pair waits for its end
//! ```
//!
//! One alarm a peer wakes `advance`, which does whatever is next: dial, open, or nothing.
//!
//! *Invariants.* Nothing here awaits a peer or the daemon: what may wait is a task, and what is
//! told to the daemon goes through `notices`. A session starts only when its predecessor has ended.
//!
//! *Source*: ours.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::StreamExt;
use libp2p::{
    Multiaddr, Stream, StreamProtocol, Swarm,
    swarm::{
        ConnectionId,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    task::JoinSet,
    time::Instant,
};

use super::{
    End, Lane, Meter, NetCommand, NetConfig, NetError, NetEvent, NodeKey, Paths, SessionId,
    Trouble,
    dial::{Alarms, Backoff, is_opener, is_our_turn},
    meter::PeerMeter,
    session::{BULK, CONTROL, Pair, Session},
    swarm::Behaviour,
};
use crate::clock;

mod events;
mod sessions;

use sessions::{Incoming, Step, forward};

/// Notices kept for a daemon that does not take them; more are logged alone.
const NOTICES_MAX: usize = 1024;
/// For the sessions to tell their ends when the node stops.
const GOODBYE: Duration = Duration::from_secs(5);

/// The driver's ends of the channels to the daemon.
pub(super) struct Channels {
    pub(super) commands: mpsc::Receiver<NetCommand>,
    pub(super) events: mpsc::Sender<NetEvent>,
}

/// What others read of the driver while it runs.
pub(super) struct Watched {
    pub(super) meter: Arc<Meter>,
    pub(super) paths: Arc<Paths>,
}

enum Stage {
    Idle,
    Opening,
    /// It lives on a connection that was up when it began: on none that is newer than this.
    Running {
        session: Session,
        since: Instant,
        newest: Option<ConnectionId>,
    },
}

/// One substream of a pair, by the number that it began with.
struct Half {
    number: u64,
    lane: Lane,
    stream: Stream,
}

struct Peer {
    addresses: Vec<Multiaddr>,
    is_allowed: bool,
    backoff: Backoff,
    stage: Stage,
    greetings: u32,
    half: Option<Half>,
    /// Accepted while a session still runs; starts when that has ended.
    next: Option<(u64, Pair)>,
    meter: Arc<PeerMeter>,
}

pub(super) struct Driver {
    config: NetConfig,
    local: NodeKey,
    swarm: Swarm<Behaviour>,
    streams: libp2p_stream::Control,
    incoming: mpsc::UnboundedReceiver<Incoming>,
    channels: Channels,
    watched: Watched,
    peers: BTreeMap<NodeKey, Peer>,
    alarms: Alarms,
    tasks: JoinSet<Step>,
    notices: mpsc::Sender<NetEvent>,
    sessions: u64,
}

impl Driver {
    pub(super) fn new(
        config: NetConfig,
        local: NodeKey,
        swarm: Swarm<Behaviour>,
        channels: Channels,
        watched: Watched,
    ) -> Result<Self, NetError> {
        let mut streams = swarm.behaviour().stream.new_control();
        let (sender, incoming) = mpsc::unbounded_channel();
        for (lane, protocol) in [(Lane::Control, CONTROL), (Lane::Bulk, BULK)] {
            let accepted = streams
                .accept(StreamProtocol::new(protocol))
                .map_err(|_| NetError::ProtocolTaken { protocol })?;
            tokio::spawn(forward(accepted, lane, sender.clone()));
        }
        let (notices, queued) = mpsc::channel(NOTICES_MAX);
        tokio::spawn(tell(queued, channels.events.clone()));
        Ok(Self {
            config,
            local,
            swarm,
            streams,
            incoming,
            channels,
            watched,
            peers: BTreeMap::new(),
            alarms: Alarms::default(),
            tasks: JoinSet::new(),
            notices,
            sessions: 0,
        })
    }

    /// Runs until a shutdown, or until the daemon has let go of either channel.
    pub(super) async fn run(mut self) {
        loop {
            let alarm = self.alarms.next();
            tokio::select! {
                command = self.channels.commands.recv() => match command {
                    None | Some(NetCommand::Shutdown) => break,
                    Some(command) => self.handle_command(command),
                },
                event = self.swarm.select_next_some() => self.handle_swarm(event),
                Some(incoming) = self.incoming.recv() => self.greet(incoming),
                Some(step) = self.tasks.join_next() => match step {
                    Ok(step) => self.handle_step(step),
                    Err(error) => tracing::error!(%error, "a network task failed"),
                },
                () = until(alarm), if alarm.is_some() => self.wake_due(),
                () = self.channels.events.closed() => break,
            }
        }
        self.end_sessions().await;
    }

    fn handle_command(&mut self, command: NetCommand) {
        match command {
            NetCommand::Allow { peer, addresses } => self.allow(peer, addresses),
            NetCommand::Forget { peer } => self.forget(peer),
            NetCommand::Send { peer, session, lane, frame } => {
                self.send(peer, session, lane, frame);
            }
            NetCommand::Drop { peer, reason } => self.end(peer, End::Dropped { reason }),
            // Taken by `run`.
            NetCommand::Shutdown => {}
        }
    }

    fn allow(&mut self, key: NodeKey, addresses: Vec<Multiaddr>) {
        if key == self.local {
            return;
        }
        self.swarm.behaviour_mut().allowed.allow_peer(key.to_peer_id());
        let config = &self.config;
        let meter = &self.watched.meter;
        let peer = self.peers.entry(key).or_insert_with(|| Peer {
            addresses: Vec::new(),
            is_allowed: true,
            backoff: Backoff::new(config.redial_ms_min, config.redial_ms_max),
            stage: Stage::Idle,
            greetings: 0,
            half: None,
            next: None,
            meter: meter.of(key),
        });
        peer.addresses = addresses;
        peer.is_allowed = true;
        peer.backoff.reset();
        self.alarms.clear(key);
        if is_our_turn(self.local, key, self.config.is_announced) {
            self.advance(key);
        } else {
            self.schedule(key);
        }
    }

    fn forget(&mut self, key: NodeKey) {
        self.swarm.behaviour_mut().allowed.disallow_peer(key.to_peer_id());
        self.alarms.clear(key);
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        peer.is_allowed = false;
        peer.half = None;
        peer.next = None;
        match &mut peer.stage {
            // Kept until its end is told, so that a new one cannot overtake it.
            Stage::Running { session, .. } => session.stop(End::Forgotten),
            Stage::Opening => {}
            Stage::Idle => {
                self.peers.remove(&key);
            }
        }
    }

    fn send(&mut self, key: NodeKey, id: SessionId, lane: Lane, frame: Vec<u8>) {
        let max = self.config.limits.frame_bytes_max;
        if frame.is_empty() || frame.len() as u64 > u64::from(max) {
            let bytes = frame.len();
            return self.notice(NetEvent::Trouble(Trouble::BadFrame { peer: key, bytes, max }));
        }
        let full = match self.peers.get(&key).map(|peer| &peer.stage) {
            Some(Stage::Running { session, .. }) if session.id == id => {
                session.push(lane, frame).err()
            }
            // The daemon will read of that session's end, or has not yet.
            _ => None,
        };
        if let Some(full) = full {
            self.end(key, full);
        }
    }

    /// Ends the session for a fault or by command, and closes the connections with it.
    fn end(&mut self, key: NodeKey, reason: End) {
        let closes_connections = reason.closes_connections();
        // First, so that the session tells this reason and not that its connection closed.
        if let Some(Peer { stage: Stage::Running { session, .. }, .. }) = self.peers.get_mut(&key) {
            session.stop(reason);
        }
        if closes_connections {
            // Err: there are none.
            let _none = self.swarm.disconnect_peer_id(key.to_peer_id());
        }
    }

    /// Whatever is next for a peer without a session.
    fn advance(&mut self, key: NodeKey) {
        let Some(peer) = self.peers.get_mut(&key) else {
            return;
        };
        if !peer.is_allowed || !matches!(peer.stage, Stage::Idle) {
            return;
        }
        if !self.swarm.is_connected(&key.to_peer_id()) {
            self.dial(key);
        } else if is_opener(self.local, key) {
            self.open(key);
        }
    }

    fn dial(&mut self, key: NodeKey) {
        let addresses = match self.peers.get(&key) {
            Some(peer) if !peer.addresses.is_empty() => peer.addresses.clone(),
            Some(_) | None => return,
        };
        // A new port: from the listening one, two that dial each other at once would meet in a
        // single TCP connection on which both believe to have dialled.
        let options = DialOpts::peer_id(key.to_peer_id())
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(addresses)
            .allocate_new_port()
            .build();
        if let Err(error) = self.swarm.dial(options) {
            self.dial_failed(key, &error);
        }
    }

    /// Sets the alarm for the next attempt, unless it is set; returns the pause until then.
    fn schedule(&mut self, key: NodeKey) -> Duration {
        let Some(peer) = self.peers.get_mut(&key) else {
            return Duration::ZERO;
        };
        let now = Instant::now();
        if let Some(at) = self.alarms.of(key) {
            return at.saturating_duration_since(now);
        }
        // Without dice the pause is merely not jittered.
        let dice = clock::dice().unwrap_or_default();
        let ours = is_our_turn(self.local, key, self.config.is_announced)
            || self.swarm.is_connected(&key.to_peer_id());
        let pause = if ours { peer.backoff.next(dice) } else { peer.backoff.longest(dice) };
        self.alarms.set(key, now + pause);
        pause
    }

    fn wake_due(&mut self) {
        let now = Instant::now();
        while let Some(key) = self.alarms.take_due(now) {
            self.advance(key);
        }
    }

    fn notice(&mut self, event: NetEvent) {
        if let Err(TrySendError::Full(event)) = self.notices.try_send(event) {
            tracing::warn!(?event, "the daemon is behind; this is logged alone");
        }
    }

    /// Lets every session tell its end, then lets go of everything.
    async fn end_sessions(mut self) {
        let mut running = 0;
        for peer in self.peers.values_mut() {
            if let Stage::Running { session, .. } = &mut peer.stage {
                session.stop(End::Shutdown);
                running += 1;
            }
        }
        let tasks = &mut self.tasks;
        let goodbye = async {
            while running > 0 {
                match tasks.join_next().await {
                    Some(Ok(Step::Ended { .. })) => running -= 1,
                    Some(_) => {}
                    None => return,
                }
            }
        };
        if tokio::time::timeout(GOODBYE, goodbye).await.is_err() {
            tracing::warn!("the daemon did not take the ends of all sessions");
        }
        self.tasks.shutdown().await;
    }
}

/// Waits for the daemon, so that the driver does not.
async fn tell(mut notices: mpsc::Receiver<NetEvent>, events: mpsc::Sender<NetEvent>) {
    while let Some(notice) = notices.recv().await {
        if events.send(notice).await.is_err() {
            return;
        }
    }
}

async fn until(alarm: Option<Instant>) {
    match alarm {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
