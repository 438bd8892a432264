//! `concordat doctor` beside real daemons: what it finds at each address, and what it says to do.

use std::{fs, net::UdpSocket, os::unix::fs::PermissionsExt};

use serde_json::Value;

use crate::{
    partnership::{Partnership, Reach},
    process::Node,
    transports::{loopback, quic, tcp},
};

/// The report and the exit code.
fn examine(node: &Node) -> (Value, i32) {
    let output = node.command(&["doctor", "--json"]);
    let said = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_slice(&output.stdout);
    (report.unwrap_or_else(|error| panic!("{error}: {said}")), output.status.code().unwrap())
}

/// Code and state of what was found about something.
fn found(report: &Value, about: &str) -> (String, String) {
    let mut findings = report["findings"].as_array().unwrap().iter();
    let one = findings.find(|one| one["about"] == about).unwrap_or_else(|| panic!("{report}"));
    let text = |name: &str| one[name].as_str().unwrap().to_owned();
    assert_eq!(one["next"].is_string(), one["state"] == "mend", "{one}");
    (text("code"), text("state"))
}

fn is(code: &str, state: &str) -> (String, String) {
    (code.to_owned(), state.to_owned())
}

#[test]
fn all_is_well_with_a_daemon_and_without_one() {
    let hosts = [loopback(), loopback()];
    let [one, other] =
        [0, 1].map(|number| Reach::at(&[&tcp(&hosts[number]), &quic(&hosts[number])]));
    let mut board = Partnership::found_at(&[("la-wigan", one), ("gmhscp", other)], ("", ""));
    board.serve_all();
    board.until_all_meet();

    let (report, code) = examine(&board.nodes[0]);
    assert_eq!((code, &report["to_mend"]), (0, &0.into()), "{report}");
    assert_eq!(found(&report, "gmhscp"), is("connected", "well"));
    for (about, expected) in
        [("ports", "listening"), ("store", "store"), ("keys", "keys"), ("disk", "disk")]
    {
        assert_eq!(found(&report, about), is(expected, "well"));
    }
    let rules = report["firewall"].as_array().unwrap();
    for rule in [
        format!("allow in UDP 4001 to {}, from the partners' addresses", hosts[0]),
        format!("allow out TCP {}:4001, gmhscp", hosts[1]),
        format!("allow out UDP {}:4001, gmhscp", hosts[1]),
    ] {
        assert!(rules.contains(&rule.as_str().into()), "{rule}: {rules:?}");
    }
    // Whom the doctor dials it leaves as it was.
    assert_eq!(board.nodes[0].connected() + board.nodes[1].connected(), 2);

    board.nodes[0].stop();
    let (report, code) = examine(&board.nodes[0]);
    assert_eq!(code, 0, "{report}");
    for address in [tcp(&hosts[1]), quic(&hosts[1])] {
        assert_eq!(found(&report, &format!("gmhscp {address}")), is("reached", "well"));
    }
    assert_eq!(found(&report, "ports"), is("port-free", "well"));
    let words = board.nodes[0].run(&["doctor"]);
    assert!(words.ends_with("\nall is well\n"), "{words}");
}

/// A node takes three connections from one key; that its partner has more addresses is no reason to call
/// itself turned away.
#[test]
fn a_partner_with_many_addresses_is_dialled_at_one_after_the_other() {
    let hosts: [String; 6] = std::array::from_fn(|_| tcp(&loopback()));
    let reach = Reach::at(&hosts.each_ref().map(String::as_str));
    let members = [("la-wigan", Reach::default()), ("gmhscp", reach)];
    let mut board = Partnership::found_at(&members, ("", ""));
    board.serve_all();
    board.until_all_meet();

    let (report, code) = examine(&board.nodes[0]);

    assert_eq!(code, 0, "{report}");
    for address in &hosts {
        assert_eq!(found(&report, &format!("gmhscp {address}")), is("reached", "well"));
    }
}

/// One partner is off, at another's address somebody else answers, a third does not know us, a fourth
/// cannot be found by its name.
#[test]
fn each_address_that_does_not_work_says_why() {
    let hosts = [loopback(), loopback(), loopback()];
    let silent = UdpSocket::bind((loopback().as_str(), 4001)).unwrap();
    let nowhere = quic(&silent.local_addr().unwrap().ip().to_string());
    let unnamed = "/dns4/no-such-host.invalid/tcp/4001".to_owned();
    let off = Reach { listen: vec![], announce: vec![tcp(&hosts[1]), nowhere.clone()] };
    let office =
        Reach { listen: vec![tcp(&hosts[2])], announce: vec![tcp(&hosts[2]), unnamed.clone()] };
    let members =
        [("la-wigan", Reach::at(&[&tcp(&hosts[0])])), ("ccg-trafford", off), ("gmhscp", office)];
    let mut board = Partnership::found_at(&members, ("", ""));
    board.serve(2);

    let (report, code) = examine(&board.nodes[0]);
    assert_eq!((code, &report["to_mend"]), (1, &2.into()), "{report}");
    let about = |slug: &str, address: &str| found(&report, &format!("{slug} {address}"));
    assert_eq!(about("ccg-trafford", &tcp(&hosts[1])), is("refused", "mend"));
    assert_eq!(about("ccg-trafford", &nowhere), is("unanswered", "mend"));
    assert_eq!(about("gmhscp", &tcp(&hosts[2])), is("reached", "well"));
    assert_eq!(about("gmhscp", &unnamed), is("no-name", "note"));

    // Somebody else takes the address of the one that is off.
    let mut taken = Node::init_at(board.path(), "other", "council", &[tcp(&hosts[1])], &[]);
    taken.serve();
    let (report, _) = examine(&board.nodes[0]);
    let about = found(&report, &format!("ccg-trafford {}", tcp(&hosts[1])));
    assert_eq!(about, is("other-node", "mend"));

    // Whoever lacks our card turns us away.
    let stranger = Node::init_at(board.path(), "stranger", "council", &[], &[]);
    stranger.run(&["card", "add", &board.card(2)]);
    let (report, code) = examine(&stranger);
    let peer = stranger.status()["peers"][0]["slug"].as_str().unwrap().to_owned();
    let about = found(&report, &format!("{peer} {}", tcp(&hosts[2])));
    assert_eq!((code, about), (1, is("turned-away", "mend")));
}

#[test]
fn what_is_wrong_with_the_machine_is_told_together() {
    let host = loopback();
    let board = Partnership::found_at(
        &[("la-wigan", Reach::at(&[&tcp(&host)])), ("gmhscp", Reach::default())],
        ("", ""),
    );
    let node = &board.nodes[0];
    node.configure("disk_reserve_mb = 1000000\n");
    fs::set_permissions(node.home(), fs::Permissions::from_mode(0o755)).unwrap();
    let _taken = std::net::TcpListener::bind((host.as_str(), 4001)).unwrap();

    let (report, code) = examine(node);

    assert_eq!(code, 1, "{report}");
    for (about, expected) in
        [("directory", "home-open"), ("disk", "disk-reserve"), ("ports", "port-taken")]
    {
        assert_eq!(found(&report, about), is(expected, "mend"));
    }
    assert_eq!(found(&report, "gmhscp"), is("dials-us", "note"));
    fs::remove_file(node.home().join("keys/node.key")).unwrap();
    let (report, _) = examine(node);
    assert_eq!(found(&report, "keys"), is("keys", "mend"));
    assert_eq!(found(&report, "partners"), is("not-looked-at", "note"));
}
