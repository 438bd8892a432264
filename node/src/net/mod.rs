//! Bytes to and from known peers: libp2p over QUIC, or over TCP, TLS (rustls) and yamux, and nothing
//! else of it.
//!
//! ```text
//!            NetCommand                              substream          frame on the wire
//!   daemon ------------> driver --queue--> writer ==============>   len u32 BE | len bytes
//!     ^                    |  swarm                 control, bulk    1 ..= frame_bytes_max
//!     |      NetEvent      |
//!     `--------------------+-------------- reader <==============
//! ```
//!
//! Between two peers there is one session at most: a control substream and a bulk substream, both
//! long-lived. The peer with the lower key opens them; each begins with the same 8-byte session
//! number, and the other peer answers with that number on control once it has both. Only then is
//! `Connected` told, on either side. Several connections to one peer are normal when both dial at
//! once: the session lives on whichever its substreams were opened on, and a connection that
//! carries none closes by itself.
//!
//! *Invariants.* A peer that was not allowed reaches no byte of a session. The events of one
//! session are `Connected`, its frames, `Disconnected`, in this order, each end once; sessions of
//! one peer do not overlap. The driver never waits for the daemon, so a slow daemon stops readers
//! but no keep-alive. Bulk has its own queue, tasks and substream. No libp2p type but `Multiaddr`
//! leaves this folder. It knows nothing of what a frame says.
//!
//! *Source*: libp2p 0.57; libp2p-stream 0.5.0-alpha drops inbound substreams when it is not
//! polled, opens on a random connection, and may wait for ever: hence the numbers and timeouts.

#[cfg(debug_assertions)]
mod capture;
mod dial;
mod driver;
mod fault;
mod frame;
mod key;
mod message;
mod meter;
mod path;
mod probe;
mod queue;
mod session;
mod swarm;
#[cfg(test)]
mod tests;
mod transport;

use std::{fmt, sync::Arc};

use libp2p::Multiaddr;
use tokio::sync::mpsc;

pub use fault::{End, NetError, Trouble};
pub use key::{NodeKey, NodeKeyError};
pub use message::{NetCommand, NetEvent};
pub use meter::{LaneCounts, Meter, PeerCounts};
pub use path::{Path, Paths, Transport};
pub use probe::{Probed, Reached, Target, probe};
pub use swarm::refuse_taken_port;

/// The two ways to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Small and urgent.
    Control,
    /// Large; never delays control.
    Bulk,
}

impl fmt::Display for Lane {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Control => "control",
            Self::Bulk => "bulk",
        })
    }
}

/// One session with one peer, counted by this process; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// How much may wait, and how long a frame may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetLimits {
    /// Longest frame; both ends of a session must agree.
    pub frame_bytes_max: u32,
    /// Frames that may wait for one peer on control.
    pub control_frames_max: usize,
    /// Frames that may wait for one peer on bulk.
    pub bulk_frames_max: usize,
    /// Bytes that may wait for one peer on either lane.
    pub queue_bytes_max: u64,
    /// Events that may wait for the daemon; readers wait beyond.
    pub events_max: usize,
}

impl Default for NetLimits {
    fn default() -> Self {
        Self {
            frame_bytes_max: 512 * 1024,
            control_frames_max: 1024,
            bulk_frames_max: 128,
            queue_bytes_max: 64 * 1024 * 1024,
            events_max: 128,
        }
    }
}

/// What the network needs to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetConfig {
    /// Where to listen; none: this node only dials.
    pub listen: Vec<Multiaddr>,
    /// Whether peers have an address of this node from its card, so that they can dial it.
    pub is_announced: bool,
    /// First pause before a peer is dialled again.
    pub redial_ms_min: u64,
    /// Longest pause before a peer is dialled again.
    pub redial_ms_max: u64,
    /// Bounds.
    pub limits: NetLimits,
}

/// The network has ended; the command was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the network has stopped")]
pub struct NetStopped;

/// The daemon's end of the running network.
#[derive(Debug, Clone)]
pub struct NetHandle {
    local: NodeKey,
    commands: mpsc::Sender<NetCommand>,
    meter: Arc<Meter>,
    paths: Arc<Paths>,
}

impl NetHandle {
    /// This node's own key.
    #[must_use]
    pub const fn local(&self) -> NodeKey {
        self.local
    }

    /// Hands over a command; waits only while the network has many to do, never for a peer.
    ///
    /// # Errors
    /// - [`NetStopped`]: after a shutdown.
    pub async fn send(&self, command: NetCommand) -> Result<(), NetStopped> {
        self.commands.send(command).await.map_err(|_| NetStopped)
    }

    /// Bytes and frames of each peer and lane, for `status` and benchmarks.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The connections that are up, for `status`.
    #[must_use]
    pub fn paths(&self) -> &Paths {
        &self.paths
    }
}

/// Commands that may wait for the driver, which never waits itself.
const COMMANDS_MAX: usize = 256;

/// Starts the network on the current tokio runtime, listening at once.
///
/// # Errors
/// - [`NetError`]: one variant a cause; nothing is left running.
pub fn start(
    config: NetConfig,
    seed: &[u8; 32],
) -> Result<(NetHandle, mpsc::Receiver<NetEvent>), NetError> {
    let swarm = swarm::build(&config.listen, seed)?;
    let local =
        NodeKey::from_peer_id(swarm.local_peer_id()).map_err(|source| NetError::Key { source })?;
    let (commands, commands_receiver) = mpsc::channel(COMMANDS_MAX);
    let (events, events_receiver) = mpsc::channel(config.limits.events_max.max(1));
    let (meter, paths) = (Arc::new(Meter::default()), Arc::new(Paths::default()));
    let driver = driver::Driver::new(
        config,
        local,
        swarm,
        driver::Channels { commands: commands_receiver, events },
        driver::Watched { meter: Arc::clone(&meter), paths: Arc::clone(&paths) },
    )?;
    tokio::spawn(driver.run());
    Ok((NetHandle { local, commands, meter, paths }, events_receiver))
}
