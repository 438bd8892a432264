//! What is the same over TCP and QUIC, and which of the two is taken.

use super::*;

/// Over what the one that dialled is connected.
fn dialled(from: &Node, to: &Node) -> Vec<(Transport, Multiaddr)> {
    let paths = from.handle.paths().of(to.key());
    assert!(paths.iter().all(|path| path.is_dialled));
    paths.into_iter().map(|path| (path.transport, path.address)).collect()
}

#[test]
fn two_meet_over_quic_alone_and_the_path_says_so() {
    run(async {
        let (mut a, mut b) = (node(config_over(QUIC), 23).await, node(config_over(QUIC), 24).await);
        let (a_session, b_session) = connect(&mut a, &mut b).await;
        let longest = vec![0xab; 512 * 1024];
        for lane in [Lane::Control, Lane::Bulk] {
            a.send(b.key(), a_session, lane, longest.clone()).await;
            assert!(b.frame().await == (lane, longest.clone()));
            b.send(a.key(), b_session, lane, longest.clone()).await;
            assert!(a.frame().await == (lane, longest.clone()));
        }

        assert_eq!(dialled(&b, &a), [(Transport::Quic, a.address.clone())]);
        let seen = a.handle.paths().of(b.key());
        assert_eq!(seen.len(), 1);
        assert!(seen[0].transport == Transport::Quic && !seen[0].is_dialled);
        let (a_key, told) = (a.key(), a.stop().await);
        assert_eq!((count(&told, is_connected), count(&told, is_disconnected)), (1, 1));
        b.disconnected(a_key).await;
        while !b.handle.paths().of(a_key).is_empty() {
            tokio::task::yield_now().await;
        }
    });
}

/// Whoever dials an address where UDP goes nowhere is connected over TCP all the same, before the
/// attempt over UDP has failed.
#[test]
fn a_site_without_udp_is_met_over_tcp() {
    run(async {
        let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let nowhere = format!("/ip4/127.0.0.1/udp/{}/quic-v1", silent.local_addr().unwrap().port());
        let (mut a, mut b) = (node(config(), 25).await, node(config(), 26).await);
        let (a_key, b_key) = (a.key(), b.key());

        a.allow(&b, Vec::new()).await;
        b.allow(&a, vec![nowhere.parse().unwrap(), a.address.clone()]).await;
        tokio::join!(a.connected(b_key), b.connected(a_key));

        assert_eq!(dialled(&b, &a), [(Transport::Tcp, a.address.clone())]);
        let mut first = [0; 2_000];
        assert!(silent.recv(&mut first).unwrap() >= 1_200, "UDP was not tried");
        let told = b.stop().await;
        assert_eq!(count(&told, |event| matches!(event, NetEvent::Trouble(_))), 0, "{told:?}");
    });
}

/// Of a peer that offers both, each redial ends with one session.
#[test]
fn of_two_transports_that_are_both_open_one_session_comes() {
    run(async {
        for round in 0..6 {
            let mut both = config();
            both.listen.push(QUIC.parse().unwrap());
            let (mut a, mut b) =
                (node(both.clone(), 30 + round).await, node(both, 40 + round).await);
            let second = a
                .wait(|event| match event {
                    NetEvent::Listening { address } => Some(address.clone()),
                    _ => None,
                })
                .await;
            let (a_key, b_key) = (a.key(), b.key());
            a.allow(&b, Vec::new()).await;
            b.allow(&a, vec![a.address.clone(), second]).await;
            let (a_session, _) = tokio::join!(a.connected(b_key), b.connected(a_key));

            a.send(b_key, a_session, Lane::Bulk, b"one".to_vec()).await;
            assert_eq!(b.frame().await, (Lane::Bulk, b"one".to_vec()));

            let (from_a, from_b) = tokio::join!(a.stop(), b.stop());
            for told in [from_a, from_b] {
                assert_eq!((count(&told, is_connected), count(&told, is_disconnected)), (1, 1));
            }
        }
    });
}

#[test]
fn a_stranger_is_told_once_and_reaches_nothing() {
    run(async {
        stranger_over(TCP, "/ip4/127.0.0.1/tcp/").await;
        stranger_over(QUIC, "/ip4/127.0.0.1/udp/").await;
    });
}

async fn stranger_over(listen: &str, comes_from: &str) {
    let mut once = config_over(listen);
    once.redial_ms_min = NEVER_MS;
    once.redial_ms_max = NEVER_MS;
    let mut server = node(config_over(listen), 11).await;
    let mut member = node(config_over(listen), 12).await;
    let stranger = node(once, 13).await;
    let stranger_key = stranger.key();

    stranger.allow(&server, vec![server.address.clone()]).await;
    let address = server
        .wait(|event| match event {
            NetEvent::Stranger { peer, address } => {
                assert_eq!(*peer, Some(stranger_key));
                Some(address.clone())
            }
            _ => None,
        })
        .await;
    connect(&mut server, &mut member).await;

    assert!(address.to_string().starts_with(comes_from), "{address}");
    let member_key = member.key();
    let heard = stranger.handle.meter().peer(server.key());
    assert_eq!(heard, Some(PeerCounts::default()));
    let told = stranger.stop().await;
    assert_eq!(count(&told, is_connected), 0);
    let told = server.stop().await;
    assert_eq!(count(&told, |event| matches!(event, NetEvent::Stranger { .. })), 1);
    let connected = told.iter().filter_map(|event| match event {
        NetEvent::Connected { peer, .. } => Some(*peer),
        _ => None,
    });
    assert_eq!(connected.collect::<Vec<_>>(), [member_key]);
}
