//! Real daemons on machines of their own, cut off and found again: the cuts are made from outside, in
//! the network, and no daemon is told of them.

use std::fs;

use crate::{
    artefacts::{RULES, TOP, act, show},
    holdings,
    netns::Net,
    notes,
    partnership::{Partnership, Reach},
    process::{Node, until},
    transports::{quic, tcp},
};

const WIGAN: &str = "la-wigan";
const TRAFFORD: &str = "ccg-trafford";
const OFFICE: &str = "gmhscp";

/// Both transports at one address.
fn both(host: &str) -> Reach {
    Reach::at(&[&tcp(host), &quic(host)])
}

fn until_equal(board: &Partnership) {
    until("all hold the same", || {
        let first = holdings(&board.nodes[0]);
        board.nodes[1..].iter().all(|node| holdings(node) == first)
    });
}

fn is_connected(node: &Node, slug: &str) -> bool {
    node.peer(slug)["is_connected"] == true
}

/// Where a node dialled another that it is connected to.
fn dialled(node: &Node, slug: &str) -> Vec<String> {
    let peer = node.peer(slug);
    let paths = peer["paths"].as_array().unwrap().iter();
    let dialled = paths.filter(|path| path["is_dialled"] == true);
    dialled.map(|path| path["address"].as_str().unwrap().to_owned()).collect()
}

/// Rewrites a line of a node's config.
fn announce(node: &Node, address: &str) {
    let path = node.home().join("concordat.toml");
    let text = fs::read_to_string(&path).unwrap();
    let line = text.lines().find(|line| line.starts_with("announce = ")).unwrap();
    fs::write(&path, text.replace(line, &format!("announce = [{address:?}]"))).unwrap();
}

#[test]
fn a_cut_link_comes_back_and_heads_become_equal_unaided() {
    let Some(net) = Net::new(3) else { return };
    net.lan(0);
    let hosts = ["10.77.0.1", "10.77.0.2", "10.77.0.3"];
    let mut board = Partnership::found_at(
        &[(WIGAN, both(hosts[0])), (TRAFFORD, both(hosts[1])), (OFFICE, both(hosts[2]))],
        (TOP, RULES),
    );
    for (member, host) in hosts.iter().enumerate() {
        net.wire(member, 0, host);
        board.nodes[member].serve_in(net.of(member));
    }
    board.until_all_meet();
    act(&board.nodes[0], &["open", "decision", "--title", "Winter fund"]);
    until_equal(&board);

    net.cut(2, 0);
    for (number, node) in board.nodes.iter().enumerate() {
        node.run(&["note", "apart"]);
        let edit = [["title=Winter fund 2017"], ["summary=From Trafford."], ["title=The fund"]];
        act(node, &[&["set", "decision"][..], &edit[number]].concat());
    }
    until("the two that are together share", || {
        notes(&board.nodes[1], WIGAN) == ["apart"] && notes(&board.nodes[0], TRAFFORD) == ["apart"]
    });
    until("both sides see the cut", || {
        board.nodes[2].connected() == 0 && board.nodes[..2].iter().all(|node| node.connected() == 1)
    });
    assert_eq!(notes(&board.nodes[2], WIGAN), Vec::<String>::new());
    assert_eq!(notes(&board.nodes[0], OFFICE), Vec::<String>::new());

    net.heal(2, 0);
    until_equal(&board);
    for node in &board.nodes {
        for slug in [WIGAN, TRAFFORD, OFFICE] {
            assert_eq!(notes(node, slug), ["apart"], "{slug} at {}", node.name());
        }
        assert_eq!(show(node, "decision"), show(&board.nodes[0], "decision"));
    }
    let shown = show(&board.nodes[2], "decision");
    assert_eq!(shown["conflicts"][0]["code"], "C1", "{shown}");
    board.until_all_meet();
}

#[test]
fn two_that_cannot_reach_each_other_share_through_a_third() {
    let Some(net) = Net::new(3) else { return };
    net.lan(0);
    net.lan(1);
    let mut between = both("10.77.0.2");
    let other_side = both("10.77.1.2");
    between.listen.extend(other_side.listen);
    between.announce.extend(other_side.announce);
    let mut board = Partnership::found_at(
        &[(WIGAN, both("10.77.0.1")), (TRAFFORD, between), (OFFICE, both("10.77.1.3"))],
        ("", ""),
    );
    for (member, lan, host) in
        [(0, 0, "10.77.0.1"), (1, 0, "10.77.0.2"), (1, 1, "10.77.1.2"), (2, 1, "10.77.1.3")]
    {
        net.wire(member, lan, host);
    }
    for member in 0..3 {
        board.nodes[member].serve_in(net.of(member));
    }
    until("the one between has met both", || board.nodes[1].connected() == 2);

    board.nodes[0].run(&["note", "from one side"]);
    board.nodes[2].run(&["note", "from the other"]);

    until("each has what the other wrote", || {
        notes(&board.nodes[2], WIGAN) == ["from one side"]
            && notes(&board.nodes[0], OFFICE) == ["from the other"]
    });
    until_equal(&board);
    // Nobody has forwarded packets: the way was through the third's store.
    for (node, slug) in [(0, OFFICE), (2, WIGAN)] {
        let peer = board.nodes[node].peer(slug);
        assert_eq!((&peer["is_connected"], &peer["sent_bytes"]), (&false.into(), &0.into()));
    }
}

/// One listens nowhere, the card of another names an address that leads nowhere: each of them can dial
/// and not be dialled. Both are met by the one that can be, and share through it.
#[test]
fn it_suffices_that_one_of_two_can_dial() {
    let Some(net) = Net::new(3) else { return };
    net.lan(0);
    let nowhere = Reach { listen: vec![tcp("10.77.0.2")], announce: vec![tcp("10.99.0.2")] };
    let mut board = Partnership::found_at(
        &[(WIGAN, Reach::default()), (TRAFFORD, nowhere), (OFFICE, both("10.77.0.3"))],
        ("", ""),
    );
    for (member, host) in ["10.77.0.1", "10.77.0.2", "10.77.0.3"].iter().enumerate() {
        net.wire(member, 0, host);
        board.nodes[member].serve_in(net.of(member));
    }
    until("both have met the one that can be dialled", || board.nodes[2].connected() == 2);

    board.nodes[0].run(&["note", "dials only"]);
    board.nodes[1].run(&["note", "cannot be dialled"]);

    until_equal(&board);
    assert_eq!(notes(&board.nodes[0], TRAFFORD), ["cannot be dialled"]);
    for node in &board.nodes[..2] {
        assert_eq!(dialled(node, OFFICE).len(), 1, "{}", node.name());
    }
    assert_eq!(dialled(&board.nodes[2], WIGAN), Vec::<String>::new());
    assert!(!is_connected(&board.nodes[0], TRAFFORD));
}

#[test]
fn a_name_that_leads_elsewhere_is_asked_again() {
    let Some(mut net) = Net::new(2) else { return };
    net.lan(0);
    let name = "/dns4/node.partner.example/tcp/4001";
    let named = Reach { listen: vec![tcp("0.0.0.0")], announce: vec![name.to_owned()] };
    let mut board = Partnership::found_at(&[(WIGAN, Reach::default()), (OFFICE, named)], ("", ""));
    let answer = board.path().join("address");
    fs::write(&answer, "10.77.0.2").unwrap();
    net.wire(0, 0, "10.77.0.1");
    net.wire(1, 0, "10.77.0.2");
    net.name_server(0, &answer);
    for member in 0..2 {
        board.nodes[member].serve_in(net.of(member));
    }
    board.until_all_meet();
    assert_eq!(dialled(&board.nodes[0], OFFICE), [name]);

    // It moves, without a word, and the name with it.
    net.address("del", 1, 0, "10.77.0.2");
    net.address("add", 1, 0, "10.77.0.9");
    until("it is found to be away", || !is_connected(&board.nodes[0], OFFICE));
    fs::write(&answer, "10.77.0.9").unwrap();

    board.until_all_meet();
    board.nodes[1].run(&["note", "from the new place"]);
    until("what it wrote has come", || notes(&board.nodes[0], OFFICE) == ["from the new place"]);
}

/// A member that was away for long comes back at another address while one partner is away: it gets
/// what that one wrote from the other, and shows its new card to each when they meet.
#[test]
fn a_member_that_moved_while_away_catches_up_through_a_third_and_shows_its_new_card() {
    let Some(net) = Net::new(3) else { return };
    net.lan(0);
    let hosts = ["10.77.0.1", "10.77.0.2", "10.77.0.3"];
    let moving = Reach { listen: vec![tcp("0.0.0.0")], announce: vec![tcp(hosts[2])] };
    let mut board = Partnership::found_at(
        &[(WIGAN, both(hosts[0])), (TRAFFORD, both(hosts[1])), (OFFICE, moving)],
        ("", ""),
    );
    for (member, host) in hosts.iter().enumerate() {
        net.wire(member, 0, host);
        board.nodes[member].serve_in(net.of(member));
    }
    board.until_all_meet();
    board.nodes[2].stop();
    let many: String = (0..500).map(|number| format!("meanwhile {number}\n")).collect();
    board.nodes[0].write_notes(&many);
    until("a third has it", || notes(&board.nodes[1], WIGAN).len() == 500);
    board.nodes[0].stop();

    net.address("del", 2, 0, hosts[2]);
    net.address("add", 2, 0, "10.77.0.33");
    announce(&board.nodes[2], &tcp("10.77.0.33"));
    board.nodes[2].serve_in(net.of(2));

    until("the third has told", || notes(&board.nodes[2], WIGAN).len() == 500);
    board.nodes[2].run(&["note", "back"]);
    assert!(!is_connected(&board.nodes[2], WIGAN));
    board.nodes[0].serve_in(net.of(0));
    board.until_all_meet();
    until_equal(&board);
    assert_eq!(notes(&board.nodes[0], OFFICE), ["back"]);
    for node in &board.nodes[..2] {
        assert_eq!(node.peer(OFFICE)["addresses"][0], tcp("10.77.0.33"), "{}", node.name());
    }
}

/// A member comes back from a long absence with another node key, at another address. One partner is handed
/// its card; the others find it in the feed that this one passes on, and let it in where it is now.
#[test]
fn a_member_with_another_node_key_is_handed_to_one_partner_and_let_in_by_all() {
    const BURY: &str = "la-bury";
    let Some(net) = Net::new(4) else { return };
    net.lan(0);
    let hosts = ["10.77.0.1", "10.77.0.2", "10.77.0.3", "10.77.0.4"];
    let moving = Reach { listen: vec![tcp("0.0.0.0")], announce: vec![tcp(hosts[3])] };
    let mut board = Partnership::found_at(
        &[
            (WIGAN, both(hosts[0])),
            (TRAFFORD, both(hosts[1])),
            (BURY, both(hosts[2])),
            (OFFICE, moving),
        ],
        ("", ""),
    );
    for (member, host) in hosts.iter().enumerate() {
        net.wire(member, 0, host);
        board.nodes[member].serve_in(net.of(member));
    }
    board.until_all_meet();
    board.nodes[3].run(&["note", "before"]);
    until_equal(&board);
    let known = board.nodes[0].peer(OFFICE)["node"].clone();
    board.nodes[3].stop();
    board.nodes[0].run(&["note", "meanwhile"]);

    let address = tcp("10.77.0.44");
    net.address("del", 3, 0, hosts[3]);
    net.address("add", 3, 0, "10.77.0.44");
    announce(&board.nodes[3], &address);
    let changed = board.nodes[3].json(&["keys", "rotate", "--node-key"]);
    assert_ne!(changed["node"], known);
    let card = board.file("new.card");
    board.nodes[3].run(&["card", "export", "--out", &card]);
    board.nodes[3].serve_in(net.of(3));
    until("it is a stranger to one who was not handed its card", || {
        board.nodes[0].status()["strangers"].as_u64() > Some(0)
    });
    board.nodes[1].run(&["card", "add", &card, "--accept-new-key"]);

    board.until_all_meet();
    board.nodes[3].run(&["note", "back"]);
    until_equal(&board);
    for node in &board.nodes[..3] {
        assert_eq!(notes(node, OFFICE), ["before", "back"], "{}", node.name());
        let peer = node.peer(OFFICE);
        assert_eq!(
            (&peer["node"], &peer["addresses"][0]),
            (&changed["node"], &address.as_str().into())
        );
    }
    assert_eq!(notes(&board.nodes[3], WIGAN), ["meanwhile"]);
    let report = board.export_and_audit(&board.nodes[2]);
    assert_ne!(report["exit_code"], 1, "{report}");
}
