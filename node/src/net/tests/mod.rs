//! Real swarms over loopback, TCP and QUIC, on ports that the system chooses.
//!
//! Every test waits for events, with one deadline over all of it; none sleeps.

mod transports;

use std::{collections::VecDeque, future::Future, time::Duration};

use libp2p::identity::Keypair;

use super::*;

const DEADLINE: Duration = Duration::from_secs(60);
/// Longer than any test: whoever waits for this dials once.
const NEVER_MS: u64 = 3_600_000;

const TCP: &str = "/ip4/127.0.0.1/tcp/0";
const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

fn config() -> NetConfig {
    config_over(TCP)
}

fn config_over(listen: &str) -> NetConfig {
    NetConfig {
        listen: vec![listen.parse().unwrap()],
        is_announced: false,
        redial_ms_min: 20,
        redial_ms_max: 200,
        limits: NetLimits::default(),
    }
}

fn key(seed: u8) -> NodeKey {
    let keypair = Keypair::ed25519_from_bytes([seed; 32]).unwrap();
    NodeKey::from_peer_id(&keypair.public().to_peer_id()).unwrap()
}

/// A running network, with the events that were looked past.
struct Node {
    handle: NetHandle,
    events: mpsc::Receiver<NetEvent>,
    passed: VecDeque<NetEvent>,
    address: Multiaddr,
}

async fn node(config: NetConfig, seed: u8) -> Node {
    let (handle, mut events) = start(config, &[seed; 32]).unwrap();
    let Some(NetEvent::Listening { address }) = events.recv().await else {
        panic!("does not listen");
    };
    Node { handle, events, passed: VecDeque::new(), address }
}

impl Node {
    fn key(&self) -> NodeKey {
        self.handle.local()
    }

    async fn command(&self, command: NetCommand) {
        self.handle.send(command).await.unwrap();
    }

    async fn allow(&self, other: &Self, addresses: Vec<Multiaddr>) {
        self.command(NetCommand::Allow { peer: other.key(), addresses }).await;
    }

    /// The first event that `wanted` makes something of; what came before is kept aside.
    async fn wait<T>(&mut self, wanted: impl Fn(&NetEvent) -> Option<T>) -> T {
        loop {
            let event = self.events.recv().await.expect("the network has ended");
            let found = wanted(&event);
            self.passed.push_back(event);
            if let Some(found) = found {
                return found;
            }
        }
    }

    async fn connected(&mut self, other: NodeKey) -> SessionId {
        self.wait(|event| match event {
            NetEvent::Connected { peer, session } if *peer == other => Some(*session),
            _ => None,
        })
        .await
    }

    async fn disconnected(&mut self, other: NodeKey) -> (SessionId, End) {
        self.wait(|event| match event {
            NetEvent::Disconnected { peer, session, reason } if *peer == other => {
                Some((*session, reason.clone()))
            }
            _ => None,
        })
        .await
    }

    async fn frame(&mut self) -> (Lane, Vec<u8>) {
        self.wait(|event| match event {
            NetEvent::Frame { lane, bytes, .. } => Some((*lane, bytes.clone())),
            _ => None,
        })
        .await
    }

    async fn send(&self, peer: NodeKey, session: SessionId, lane: Lane, frame: Vec<u8>) {
        self.command(NetCommand::Send { peer, session, lane, frame }).await;
    }

    /// Counts of a peer, once they are as wanted.
    async fn counts(&self, other: NodeKey, wanted: impl Fn(&PeerCounts) -> bool) -> PeerCounts {
        loop {
            let counts = self.handle.meter().peer(other).unwrap();
            if wanted(&counts) {
                return counts;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Stops the network; everything it ever told.
    async fn stop(mut self) -> Vec<NetEvent> {
        self.command(NetCommand::Shutdown).await;
        let mut told: Vec<NetEvent> = self.passed.into();
        while let Some(event) = self.events.recv().await {
            told.push(event);
        }
        told
    }
}

/// Both ends of a first session, `dialler` having the only address.
async fn connect(listener: &mut Node, dialler: &mut Node) -> (SessionId, SessionId) {
    listener.allow(dialler, Vec::new()).await;
    dialler.allow(listener, vec![listener.address.clone()]).await;
    let (listener_key, dialler_key) = (listener.key(), dialler.key());
    tokio::join!(listener.connected(dialler_key), dialler.connected(listener_key))
}

fn count(told: &[NetEvent], wanted: impl Fn(&NetEvent) -> bool) -> usize {
    told.iter().filter(|event| wanted(event)).count()
}

const fn is_connected(event: &NetEvent) -> bool {
    matches!(event, NetEvent::Connected { .. })
}

const fn is_disconnected(event: &NetEvent) -> bool {
    matches!(event, NetEvent::Disconnected { .. })
}

/// Runs a test under the deadline, on two threads as the daemon has.
fn run(test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(DEADLINE, test).await.expect("the deadline has passed");
    });
}

#[test]
fn two_allowed_peers_exchange_frames_on_both_lanes_both_ways() {
    run(async {
        let (mut a, mut b) = (node(config(), 1).await, node(config(), 2).await);
        let (a_session, b_session) = connect(&mut a, &mut b).await;
        let longest = vec![0xab; 512 * 1024];
        for (lane, frame) in [
            (Lane::Control, b"small".to_vec()),
            (Lane::Bulk, longest.clone()),
            (Lane::Control, longest.clone()),
            (Lane::Bulk, b"s".to_vec()),
        ] {
            a.send(b.key(), a_session, lane, frame.clone()).await;
            assert!(b.frame().await == (lane, frame.clone()));
            b.send(a.key(), b_session, lane, frame.clone()).await;
            assert!(a.frame().await == (lane, frame));
        }

        // A frame counts as sent a moment after the other side may have it.
        let done = |counts: &PeerCounts| {
            [counts.control, counts.bulk].map(|lane| (lane.sent_frames, lane.queued_bytes))
                == [(2, 0); 2]
        };
        let seen_by_a = a.counts(b.key(), done).await;
        let seen_by_b = b.counts(a.key(), done).await;

        let (large, lengths) = (512 * 1024, 2 * 4);
        for counts in [seen_by_a, seen_by_b] {
            assert_eq!(
                (counts.control.received_frames, counts.control.received_bytes),
                (2, large + 5 + lengths)
            );
            assert_eq!(
                (counts.bulk.received_frames, counts.bulk.received_bytes),
                (2, large + 1 + lengths)
            );
        }
    });
}

#[test]
fn many_frames_arrive_complete_and_in_order_on_each_lane() {
    run(async {
        let mut roomy = config();
        roomy.limits.bulk_frames_max = 500;
        let (mut a, mut b) = (node(roomy.clone(), 3).await, node(roomy, 4).await);
        let (a_session, _) = connect(&mut a, &mut b).await;
        let b_key = b.key();
        let sending = async {
            for number in 0..500_u32 {
                for lane in [Lane::Control, Lane::Bulk] {
                    a.send(b_key, a_session, lane, number.to_be_bytes().to_vec()).await;
                }
            }
        };
        let receiving = async {
            let (mut control, mut bulk) = (0, 0);
            while control + bulk < 1_000 {
                let (lane, bytes) = b.frame().await;
                let next = match lane {
                    Lane::Control => &mut control,
                    Lane::Bulk => &mut bulk,
                };
                assert_eq!(bytes, u32::to_be_bytes(*next));
                *next += 1;
            }
            (control, bulk)
        };

        let ((), received) = tokio::join!(sending, receiving);

        assert_eq!(received, (500, 500));
    });
}

#[test]
fn bulk_that_waits_does_not_hold_up_control() {
    run(async {
        let (mut a, mut b) = (node(config(), 5).await, node(config(), 6).await);
        let (a_session, _) = connect(&mut a, &mut b).await;
        for _ in 0..100 {
            a.send(b.key(), a_session, Lane::Bulk, vec![0; 512 * 1024]).await;
        }
        a.send(b.key(), a_session, Lane::Control, b"urgent".to_vec()).await;

        let mut bulk_before = 0;
        while b.frame().await.0 == Lane::Bulk {
            bulk_before += 1;
        }

        assert!(bulk_before < 100, "control came last");
    });
}

#[test]
fn a_frame_that_is_too_long_drops_the_peer() {
    run(async {
        let mut lax = config();
        lax.limits.frame_bytes_max = 1024 * 1024;
        lax.redial_ms_min = NEVER_MS;
        lax.redial_ms_max = NEVER_MS;
        let mut strict = lax.clone();
        strict.limits.frame_bytes_max = 512 * 1024;
        let (mut a, mut b) = (node(lax, 7).await, node(strict, 8).await);
        let (a_session, b_session) = connect(&mut a, &mut b).await;

        a.send(b.key(), a_session, Lane::Bulk, vec![0; 512 * 1024 + 1]).await;
        let at_b = b.disconnected(a.key()).await;
        let at_a = a.disconnected(b.key()).await;

        let too_long = End::BadLength { lane: Lane::Bulk, bytes: 524_289, max: 524_288 };
        assert_eq!(at_b, (b_session, too_long));
        assert_eq!(at_a, (a_session, End::Closed));
        let counts = b.handle.meter().peer(a.key()).unwrap();
        assert_eq!(counts.bulk.received_frames, 0);
    });
}

#[test]
fn our_own_bad_frame_is_not_sent_and_harms_nothing() {
    run(async {
        let (mut a, mut b) = (node(config(), 9).await, node(config(), 10).await);
        let (a_session, _) = connect(&mut a, &mut b).await;

        for frame in [Vec::new(), vec![0; 512 * 1024 + 1], b"good".to_vec()] {
            a.send(b.key(), a_session, Lane::Control, frame).await;
        }

        assert_eq!(b.frame().await, (Lane::Control, b"good".to_vec()));
        for bytes in [0, 512 * 1024 + 1] {
            let trouble = Trouble::BadFrame { peer: b.key(), bytes, max: 512 * 1024 };
            a.wait(|event| (*event == NetEvent::Trouble(trouble.clone())).then_some(())).await;
        }
    });
}

#[test]
fn a_peer_that_stops_and_starts_again_is_met_again() {
    run(async {
        for (listen, staying, returning) in
            [(TCP, 14, 15), (TCP, 15, 14), (QUIC, 14, 15), (QUIC, 15, 14)]
        {
            let mut a = node(config_over(listen), staying).await;
            let mut b = node(config_over(listen), returning).await;
            let (a_session, _) = connect(&mut b, &mut a).await;
            let (address, b_key) = (b.address.clone(), b.key());
            let mut again = config();
            again.listen = vec![address];

            let told = b.stop().await;
            let (_, reason) = a.disconnected(b_key).await;
            let mut b = loop {
                // The port may still be held by the closing connection.
                if let Ok((handle, events)) = start(again.clone(), &[returning; 32]) {
                    let address = again.listen[0].clone();
                    break Node { handle, events, passed: VecDeque::new(), address };
                }
                tokio::task::yield_now().await;
            };
            b.allow(&a, Vec::new()).await;
            let a_key = a.key();
            let (second, b_session) = tokio::join!(a.connected(b_key), b.connected(a_key));
            b.send(a_key, b_session, Lane::Control, b"back".to_vec()).await;

            assert_eq!(reason, End::Closed);
            assert!(second > a_session);
            assert_eq!(a.frame().await, (Lane::Control, b"back".to_vec()));
            assert_eq!((count(&told, is_connected), count(&told, is_disconnected)), (1, 1));
        }
    });
}

#[test]
fn two_that_dial_each_other_at_once_have_one_session() {
    run(async {
        for round in 0..20 {
            let listen = if round % 2 == 0 { TCP } else { QUIC };
            let mut a = node(config_over(listen), 100 + round).await;
            let mut b = node(config_over(listen), 200 + round).await;
            let (a_key, b_key) = (a.key(), b.key());
            let (a_address, b_address) = (a.address.clone(), b.address.clone());

            tokio::join!(a.allow(&b, vec![b_address]), b.allow(&a, vec![a_address]));
            let (a_session, b_session) = tokio::join!(a.connected(b_key), b.connected(a_key));
            a.send(b_key, a_session, Lane::Bulk, b"one".to_vec()).await;
            assert_eq!(b.frame().await, (Lane::Bulk, b"one".to_vec()));
            b.send(a_key, b_session, Lane::Control, b"two".to_vec()).await;
            assert_eq!(a.frame().await, (Lane::Control, b"two".to_vec()));

            let (from_a, from_b) = tokio::join!(a.stop(), b.stop());
            for told in [from_a, from_b] {
                assert_eq!((count(&told, is_connected), count(&told, is_disconnected)), (1, 1));
            }
        }
    });
}

#[test]
fn a_peer_that_takes_nothing_is_dropped_when_its_queue_is_full() {
    run(async {
        let mut small = config();
        small.limits.bulk_frames_max = 4;
        small.redial_ms_min = NEVER_MS;
        small.redial_ms_max = NEVER_MS;
        let mut deaf = small.clone();
        deaf.limits.events_max = 1;
        let (mut a, mut b) = (node(small, 16).await, node(deaf, 17).await);
        let (a_session, _) = connect(&mut a, &mut b).await;

        // B's events are not taken from here on. Commands for an ended session are let go.
        for _ in 0..1_000 {
            a.send(b.key(), a_session, Lane::Bulk, vec![0; 256 * 1024]).await;
        }
        let (_, reason) = a.disconnected(b.key()).await;

        let End::QueueFull { lane, frames, bytes } = reason else { panic!("{reason}") };
        assert_eq!(lane, Lane::Bulk);
        assert!(frames >= 5 && bytes == frames * (256 * 1024 + 4), "{frames} {bytes}");
        // Nothing is left that counts as waiting.
        a.counts(b.key(), |counts| (counts.bulk.queued_frames, counts.bulk.queued_bytes) == (0, 0))
            .await;
    });
}

#[test]
fn a_dropped_peer_comes_back_and_a_forgotten_one_does_not() {
    run(async {
        let (mut a, mut b) = (node(config(), 18).await, node(config(), 19).await);
        let (a_key, b_key) = (a.key(), b.key());
        let (first, _) = connect(&mut a, &mut b).await;

        let reason = "sent nonsense".to_owned();
        a.command(NetCommand::Drop { peer: b_key, reason: reason.clone() }).await;
        assert_eq!(a.disconnected(b_key).await, (first, End::Dropped { reason }));
        let (second, _) = tokio::join!(a.connected(b_key), b.connected(a_key));
        // Of a session that is over nothing is sent any more.
        a.send(b_key, first, Lane::Control, b"too late".to_vec()).await;
        a.send(b_key, second, Lane::Control, b"in time".to_vec()).await;
        assert_eq!(b.frame().await, (Lane::Control, b"in time".to_vec()));

        a.command(NetCommand::Forget { peer: b_key }).await;
        assert_eq!(a.disconnected(b_key).await, (second, End::Forgotten));
        let stranger = |event: &NetEvent| match event {
            NetEvent::Stranger { peer, .. } => *peer,
            _ => None,
        };
        assert_eq!(a.wait(stranger).await, b_key);
        let told = a.stop().await;
        assert_eq!((count(&told, is_connected), count(&told, is_disconnected)), (2, 2));
    });
}

#[test]
fn an_address_in_use_is_told_before_anything_runs() {
    run(async {
        for listen in [TCP, QUIC] {
            let first = node(config_over(listen), 20).await;
            let mut second = config();
            second.listen = vec![first.address.clone()];

            let refused = start(second, &[21; 32]).err().unwrap();

            let expected = format!("cannot listen on {}: ", first.address);
            assert!(refused.to_string().starts_with(&expected), "{refused}");
        }
    });
}

#[test]
fn keys_are_those_of_their_seeds() {
    run(async {
        assert_eq!(node(config(), 22).await.key(), key(22));
    });
}
