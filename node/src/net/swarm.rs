//! The libp2p swarm: what is switched on, in which order, with which bounds.
//!
//! The order of the behaviours matters: each is asked in turn whether a connection may be, and one
//! that has said yes is not told when a later one says no. So the allow list comes first, then
//! what counts, then what allocates.
//!
//! | behaviour | bound |
//! |---|---|
//! | allow list | peers named by the daemon, by key |
//! | connection limits | 64 inbound handshakes at once, 3 connections a peer |
//! | memory limits | no new connection while the process holds 80 % of the machine's memory |
//! | identify | tells no addresses, keeps none of those it is told |
//! | ping | every 15 s; two failures in a row close the connection |
//! | stream | the session's substreams |
//!
//! *Invariants.* No QUIC, noise, relay, gossip or discovery. Nothing is logged of TLS secrets,
//! unless `SSLKEYLOGFILE` is set in the environment: the service unit clears it.
//!
//! *Source*: libp2p 0.57 documentation; sbtc #2086 for the order of behaviours.

use std::{
    convert::Infallible,
    net::{IpAddr, TcpListener},
    time::Duration,
};

use libp2p::{
    Multiaddr, Swarm, SwarmBuilder, allow_block_list,
    connection_limits::{self, ConnectionLimits},
    identify,
    identity::Keypair,
    memory_connection_limits,
    multiaddr::Protocol,
    ping,
    swarm::NetworkBehaviour,
    tcp, tls, yamux,
};
use zeroize::Zeroizing;

use super::{NetError, NodeKeyError};

const HANDSHAKES_MAX: u32 = 64;
/// Two arise when both dial at once; a third while a dead one has not yet been noticed.
const CONNECTIONS_PER_PEER_MAX: u32 = 3;
const MEMORY_SHARE_MAX: f64 = 0.8;
/// Identify, ping, control and bulk, each way; as many again while a session replaces another.
const STREAMS_MAX: usize = 32;
const NEGOTIATING_STREAMS_MAX: usize = 16;
/// A connection that carries no session closes by itself.
const IDLE: Duration = Duration::from_secs(60);
const IDENTIFY: &str = "/concordat/1";

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub(super) allowed: allow_block_list::Behaviour<allow_block_list::AllowedPeers>,
    limits: connection_limits::Behaviour,
    memory: memory_connection_limits::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    pub(super) stream: libp2p_stream::Behaviour,
}

impl Behaviour {
    fn new(keypair: &Keypair) -> Self {
        let limits = ConnectionLimits::default()
            .with_max_pending_incoming(Some(HANDSHAKES_MAX))
            .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER_MAX));
        let identify = identify::Config::new(IDENTIFY.to_owned(), keypair.public())
            .with_agent_version(concat!("concordat/", env!("CARGO_PKG_VERSION")).to_owned())
            .with_hide_listen_addrs(true)
            // Addresses come from signed cards alone.
            .with_cache_size(0);
        Self {
            allowed: allow_block_list::Behaviour::default(),
            limits: connection_limits::Behaviour::new(limits),
            memory: memory_connection_limits::Behaviour::with_max_percentage(MEMORY_SHARE_MAX),
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::default(),
            stream: libp2p_stream::Behaviour::new(),
        }
    }
}

/// Builds the swarm and listens.
pub(super) fn build(listen: &[Multiaddr], seed: &[u8; 32]) -> Result<Swarm<Behaviour>, NetError> {
    let mut seed = Zeroizing::new(*seed);
    let keypair = Keypair::ed25519_from_bytes(seed.as_mut_slice())
        .map_err(|_| NetError::Key { source: NodeKeyError::NotAPoint })?;
    let mut swarm = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), tls::Config::new, multiplexer)
        .map_err(|error| NetError::Certificate { source: Box::new(error) })?
        .with_dns()
        .map_err(|source| NetError::Resolver { source })?
        .with_behaviour(Behaviour::new)
        .unwrap_or_else(|never: Infallible| match never {})
        .with_swarm_config(|config| {
            config
                .with_idle_connection_timeout(IDLE)
                .with_max_negotiating_inbound_streams(NEGOTIATING_STREAMS_MAX)
        })
        .build();
    for address in listen {
        refuse_taken_port(address)?;
        swarm
            .listen_on(address.clone())
            .map_err(|source| NetError::Listen { address: address.clone(), source })?;
    }
    Ok(swarm)
}

/// libp2p listens with `SO_REUSEPORT`: a second daemon on the same port would start without an
/// error, and each would get some of the other's connections. A plain bind tells.
fn refuse_taken_port(address: &Multiaddr) -> Result<(), NetError> {
    let mut parts = address.iter();
    let ip: IpAddr = match parts.next() {
        Some(Protocol::Ip4(ip)) => ip.into(),
        Some(Protocol::Ip6(ip)) => ip.into(),
        _ => return Ok(()),
    };
    let Some(Protocol::Tcp(port)) = parts.next() else {
        return Ok(());
    };
    let tried = TcpListener::bind((ip, port));
    tried.map(drop).map_err(|source| NetError::PortTaken { address: address.clone(), source })
}

/// What is received is copied for tests; see `capture`.
#[cfg(debug_assertions)]
fn multiplexer() -> super::capture::Captured<yamux::Config> {
    super::capture::Captured::new(yamux_config())
}

#[cfg(not(debug_assertions))]
fn multiplexer() -> yamux::Config {
    yamux_config()
}

fn yamux_config() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(STREAMS_MAX);
    config
}
