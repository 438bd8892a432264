//! Whether a partner's address can be reached, found out by dialling it as the daemon does.
//!
//! ```text
//!   name ─▶ addresses ─▶ TCP connection ─▶ TLS 1.3 ─▶ the expected key ─▶ lets us in
//!                        (QUIC: one step with TLS)
//! ```
//!
//! A node that lets us in opens a substream at once; one that does not know our card closes the
//! connection. Nothing is sent beyond the handshake, and no session begins.
//!
//! *Invariants.* Every step has a deadline. The daemon is not needed and not disturbed.
//!
//! *Source*: ours.

use std::{
    collections::BTreeMap, future::poll_fn, io, net::SocketAddr, task::Poll, time::Duration,
};

use futures::{StreamExt, stream};
use libp2p::{
    Multiaddr, PeerId, Transport as _,
    core::{
        Endpoint,
        muxing::{StreamMuxerBox, StreamMuxerExt},
        transport::{Boxed, DialOpts, PortUse},
    },
    multiaddr::Protocol,
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::{NetError, NodeKey, swarm, transport};

/// For a name server, or for a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// For a whole handshake, and for the first word after it.
const HANDSHAKE: Duration = Duration::from_secs(10);
const AT_ONCE: usize = 16;

type Dialler = Boxed<(PeerId, StreamMuxerBox)>;

/// An address to be dialled, and whose it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Whose.
    pub peer: NodeKey,
    /// Where.
    pub address: Multiaddr,
}

/// What dialling an address came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// What was dialled.
    pub target: Target,
    /// Where its name leads; the address itself if it has no name.
    pub resolved: Vec<SocketAddr>,
    /// How far it got.
    pub reached: Reached,
}

/// How far dialling got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// The partner's node is there, and lets this node in.
    LetsIn,
    /// It is there, and closed the connection: it does not know this node's card.
    TurnsAway,
    /// It is there, and said neither within the time.
    Undecided,
    /// Another key answered.
    OtherKey {
        /// Its libp2p name.
        found: String,
    },
    /// The name leads nowhere.
    NoName {
        /// What the resolver said.
        cause: String,
    },
    /// A machine answered that nobody listens at this port.
    Refused,
    /// Nothing answered.
    Silent,
    /// Something answered otherwise.
    Failed {
        /// What was said.
        cause: String,
    },
}

/// Dials all of these, several peers at once; `done` is called after each address. What comes back is in
/// the order of the peers' keys.
///
/// # Errors
/// - [`NetError`]: nothing can be dialled with this key or on this machine.
pub async fn probe(
    seed: &[u8; 32],
    targets: Vec<Target>,
    done: impl Fn(),
) -> Result<Vec<Probed>, NetError> {
    let keypair = swarm::keypair(seed)?;
    let mut by_peer: BTreeMap<NodeKey, Vec<Target>> = BTreeMap::new();
    for target in targets {
        by_peer.entry(target.peer).or_default().push(target);
    }
    let mut peers = Vec::new();
    for targets in by_peer.into_values() {
        peers.push((transport::build(&keypair)?, targets));
    }
    let done = &done;
    let probes = peers.into_iter().map(|(transport, targets)| all_of(transport, targets, done));
    let probed: Vec<Vec<Probed>> = stream::iter(probes).buffered(AT_ONCE).collect().await;
    Ok(probed.into_iter().flatten().collect())
}

/// One address of a peer after another: it takes few connections from one key, and the running daemon
/// has one of them.
async fn all_of(mut transport: Dialler, targets: Vec<Target>, done: impl Fn()) -> Vec<Probed> {
    let mut probed = Vec::new();
    for target in targets {
        probed.push(one(&mut transport, target).await);
        done();
    }
    probed
}

async fn one(transport: &mut Dialler, target: Target) -> Probed {
    let (resolved, reached) = match resolve(&target.address).await {
        Ok(resolved) => {
            let reached = reach(transport, &target, &resolved).await;
            (resolved, reached.unwrap_or_else(|reached| reached))
        }
        Err(cause) => (Vec::new(), Reached::NoName { cause }),
    };
    Probed { target, resolved, reached }
}

async fn resolve(address: &Multiaddr) -> Result<Vec<SocketAddr>, String> {
    let mut parts = address.iter();
    let host = parts.next();
    let Some(Protocol::Tcp(port) | Protocol::Udp(port)) = parts.next() else {
        return Err("the address has no port".to_owned());
    };
    let (name, wanted): (_, fn(&SocketAddr) -> bool) = match host {
        Some(Protocol::Ip4(ip)) => return Ok(vec![(ip, port).into()]),
        Some(Protocol::Ip6(ip)) => return Ok(vec![(ip, port).into()]),
        Some(Protocol::Dns4(name)) => (name, SocketAddr::is_ipv4),
        Some(Protocol::Dns6(name)) => (name, SocketAddr::is_ipv6),
        Some(Protocol::Dns(name)) => (name, |_| true),
        _ => return Err("the address has no host".to_owned()),
    };
    let found = timeout(PATIENCE, lookup_host((&*name, port)))
        .await
        .map_err(|_| "no name server answered".to_owned())?
        .map_err(|error| error.to_string())?;
    let found: Vec<SocketAddr> = found.filter(wanted).collect();
    if found.is_empty() {
        Err("the name has no address of this kind".to_owned())
    } else {
        Ok(found)
    }
}

/// `Err` where it ended early.
async fn reach(
    transport: &mut Dialler,
    target: &Target,
    resolved: &[SocketAddr],
) -> Result<Reached, Reached> {
    if matches!(target.address.iter().nth(1), Some(Protocol::Tcp(_))) {
        // By itself, because it tells a closed port from a dropped packet.
        match timeout(PATIENCE, TcpStream::connect(resolved)).await {
            Err(_) => return Err(Reached::Silent),
            Ok(Err(error)) => return Err(of_connect(&error)),
            Ok(Ok(_connected)) => {}
        }
    }
    let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
    let failed = |cause: String| Reached::Failed { cause };
    let dial = transport
        .dial(target.address.clone(), options)
        .map_err(|error| failed(error.to_string()))?;
    let (found, mut muxer) = match timeout(HANDSHAKE, dial).await {
        Err(_) => return Err(Reached::Silent),
        // QUIC's own deadline is shorter than ours.
        Ok(Err(error)) if error.kind() == io::ErrorKind::TimedOut => return Err(Reached::Silent),
        Ok(Err(error)) => {
            let cause = error.to_string();
            let is_silent = cause.contains("Handshake with the remote timed out");
            return Err(if is_silent { Reached::Silent } else { failed(cause) });
        }
        Ok(Ok(established)) => established,
    };
    if found != target.peer.to_peer_id() {
        return Err(Reached::OtherKey { found: found.to_string() });
    }
    let first = timeout(HANDSHAKE, first_word(&mut muxer)).await;
    // So that the peer need not wait until it finds the connection silent. Err: it was quicker.
    let _closed = muxer.close().await;
    Ok(first.unwrap_or(Reached::Undecided))
}

fn of_connect(error: &io::Error) -> Reached {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Reached::Refused,
        io::ErrorKind::TimedOut => Reached::Silent,
        _ => Reached::Failed { cause: error.to_string() },
    }
}

/// Whether the other side opens a substream, or closes.
async fn first_word(muxer: &mut StreamMuxerBox) -> Reached {
    poll_fn(|context| {
        if let Poll::Ready(opened) = muxer.poll_inbound_unpin(context) {
            let is_in = opened.is_ok();
            return Poll::Ready(if is_in { Reached::LetsIn } else { Reached::TurnsAway });
        }
        match muxer.poll_unpin(context) {
            Poll::Ready(Err(_)) => Poll::Ready(Reached::TurnsAway),
            Poll::Ready(Ok(_)) => {
                // An address has changed: there may be more.
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
