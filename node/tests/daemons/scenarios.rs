//! Acceptance scenarios of the domain, by number: each is what an organisation would see.

use std::time::SystemTime;

use concordat_node::{
    net::NodeKey,
    store::{self, EngineKind, Op, Own},
};
use serde_json::Value;

use crate::{
    artefacts::{RULES, STRATEGY, TOP, act, show, until_both},
    http::Client,
    partnership::{Partnership, Reach},
    process::{Node, done, program, until},
    transports::{loopback, quic, tcp},
};

/// A node whose key is on no card connects again and again: it is refused before any stream, over
/// either transport, and leaves one event in the log.
#[test]
fn scenario_03_unknown_peer() {
    for address in [tcp(&loopback()), quic(&loopback())] {
        let members = [("la-wigan", Reach::at(&[&address])), ("gmhscp", Reach::default())];
        let mut board = Partnership::found_at(&members, ("", ""));
        board.nodes[0].serve_with(&["--json"]);
        board.nodes[1].serve();
        board.until_all_meet();
        let mut stranger = Node::init(board.path(), "stranger", "council", &[]);
        stranger.configure("redial_ms_min = 20\nredial_ms_max = 50\n");
        stranger.run(&["card", "add", &board.card(0)]);
        stranger.serve();

        until("it was turned away five times", || {
            board.nodes[0].status()["strangers"].as_u64().unwrap() >= 5
        });

        let events = board.nodes[0].told("stranger");
        assert_eq!(events.len(), 1, "{events:?}");
        let (event, name) = (&events[0], stranger.status()["node"].clone());
        assert_eq!((&event["level"], &event["fields"]["peer"]), (&"WARN".into(), &name));
        assert!(event["fields"]["address"].as_str().unwrap().starts_with("/ip4/127."), "{event}");
        let peer = stranger.status()["peers"][0].clone();
        for what in ["sent_bytes", "received_bytes", "queued_bytes"] {
            assert_eq!(peer[what], 0, "{what}");
        }
        assert_eq!(peer["is_connected"], false);
        assert_eq!(board.nodes[0].status()["peers"].as_array().unwrap().len(), 1);
    }
}

const DOCS: &str = include_str!("../../../docs/monitoring.md");
const ALERTS: &str = include_str!("../../../config/monitoring/alerts.yml");

/// The samples of a figure in a scrape: labels, value.
fn samples<'a>(scraped: &'a str, metric: &str) -> Vec<(&'a str, i64)> {
    let lines = scraped.lines().filter_map(|line| line.strip_prefix(metric)?.rsplit_once(' '));
    let ours = lines.filter(|(labels, _)| labels.is_empty() || labels.starts_with('{'));
    ours.map(|(labels, value)| (labels, value.parse().unwrap())).collect()
}

/// Whether a rule of the form `metric > number`, or with another comparison, holds of some sample.
fn fires(expression: &str, scraped: &str) -> bool {
    let [metric, comparison, bound] = expression.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("{expression} is no comparison");
    };
    let bound: i64 = bound.parse().unwrap();
    samples(scraped, metric).iter().any(|(_, value)| match comparison {
        ">" => *value > bound,
        "<" => *value < bound,
        "==" => *value == bound,
        _ => panic!("{comparison} is not understood"),
    })
}

/// The alerts that would fire, by name.
fn firing(scraped: &str) -> Vec<&'static str> {
    let values = |key| {
        ALERTS.lines().filter_map(move |line| {
            line.trim_start_matches([' ', '-']).strip_prefix(key)?.strip_prefix(": ")
        })
    };
    let rules: Vec<_> = values("alert").zip(values("expr")).collect();
    assert_eq!(rules.len(), ALERTS.matches("- alert: ").count());
    assert!(rules.len() > 3);
    let firing = rules.into_iter().filter(|(_, rule)| fires(rule, scraped)).map(|(name, _)| name);
    // How full the disk of the machine is that runs this is not for this test to say.
    firing.filter(|name| *name != "ConcordatDiskSpace").collect()
}

/// One partner has been silent for 25 hours, most of them before this daemon was started; another is
/// there. Monitoring tells so, and the node is ready all the same.
#[test]
fn scenario_06_monitoring() {
    let members = [
        ("la-wigan", Reach::at(&[&tcp(&loopback())])),
        ("ccg-trafford", Reach::default()),
        ("gmhscp", Reach::default()),
    ];
    let mut board = Partnership::found_at(&members, ("", ""));
    board.nodes[0].configure("http = \"127.0.0.1:0\"\n");
    board.serve(0);
    board.serve(1);
    until("one has met", || board.nodes[0].connected() == 1);
    let before = board.nodes[0].peer("gmhscp");
    assert_eq!(before["contact_age_s"], Value::Null);
    board.nodes[0].stop();
    let silent: NodeKey = before["node"].as_str().unwrap().parse().unwrap();
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let then = u64::try_from(now).unwrap() - (25 * 3_600 + 60) * 1_000;
    let store = store::open(&board.nodes[0].store(), EngineKind::Sled).unwrap();
    let last = Op::put(Own::Contacts, silent.as_bytes().to_vec(), then.to_be_bytes().to_vec());
    let _durable = store.commit(vec![last]).unwrap();
    drop(store);

    // Without a daemon, too, the status knows both.
    let offline = board.nodes[0].run(&["status"]);
    assert!(offline.contains("gmhscp: away for 25 hours"), "{offline}");
    assert!(board.nodes[0].peer("ccg-trafford")["contact_age_s"].as_u64().unwrap() < 300);
    board.serve(0);
    until("the other is there", || board.nodes[0].connected() == 1);

    let client = Client::of(&board.nodes[0]);
    let scraped = client.get("/metrics").body;
    let age = samples(&scraped, "concordat_peer_seconds_since_contact");
    let of = |slug: &str| age.iter().find(|(labels, _)| labels.contains(slug)).unwrap().1;
    assert!((90_060..90_360).contains(&of("gmhscp")), "{age:?}");
    assert!(of("ccg-trafford") == 0, "{age:?}");
    assert_eq!(client.get("/readyz").status, 200);
    assert_eq!(firing(&scraped), ["ConcordatPartnerSilent"]);
    assert!(board.nodes[0].run(&["status"]).contains("gmhscp: away for 25 hours"));
    let young = scraped.replace(&format!("}} {}", of("gmhscp")), "} 90000");
    assert_eq!(firing(&young), [""; 0]);

    // The page for whoever sets up monitoring names every figure that there is.
    let types = scraped.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    for metric in types.map(|line| line.split_whitespace().next().unwrap()) {
        assert!(DOCS.contains(&format!("| `{metric}`")), "docs/monitoring.md lacks {metric}");
    }
}

/// The ten nodes of the demonstration: councils, commissioning groups, trusts, the partnership office
/// and the regulator's office.
const TEN: [(&str, &str); 10] = [
    ("la-wigan", "council"),
    ("la-bury", "council"),
    ("ccg-trafford", "ccg"),
    ("ccg-bury", "ccg"),
    ("tr-pennine-acute", "trust"),
    ("tr-bolton", "trust"),
    ("tr-stockport", "trust"),
    ("tr-mft", "trust"),
    ("nhsi-gm", "regulator"),
    ("gmhscp", "partnership_office"),
];

/// With the partnership office's node off all day the others create, share, vote and bring into force; it
/// is counted as absent, and catches up unaided.
#[test]
fn scenario_07_one_node_gone() {
    let top = "secretariat = [\"la-wigan\"]\nclosers = [\"ccg-bury\"]\n";
    let rules = "\"joint decision\" = \"all(quorum(7), majority(council), majority(ccg), majority(trust))\"\n";
    let mut board = Partnership::found_of(&TEN, top, rules);
    let office = board.number_of("gmhscp");
    for number in (0..TEN.len()).filter(|number| *number != office) {
        board.serve(number);
    }
    let present: Vec<&str> =
        TEN.iter().map(|(slug, _)| *slug).filter(|slug| *slug != "gmhscp").collect();
    let nodes = || present.iter().map(|slug| board.node_of(slug));
    until("nine have met", || nodes().all(|node| node.connected() == 8));
    let seen = |what: &str, wanted: &dyn Fn(&Value) -> bool| {
        until(what, || {
            nodes().all(|node| {
                let shown = node.command(&["artefact", "show", "decision", "--json"]);
                serde_json::from_slice(&shown.stdout).is_ok_and(|shown| wanted(&shown))
            })
        });
    };

    let wigan = board.node_of("la-wigan");
    act(wigan, &["open", "decision", "--title", "Winter fund"]);
    act(wigan, &["set", "decision", STRATEGY, "authority/basis=delegated_to_board"]);
    act(wigan, &["add", "decision", "options", "label=Nothing", "result=rejected"]);
    act(wigan, &["event", "decision", "consult"]);
    seen("nine have it", &|shown| shown["state_name"] == "consultation");
    act(board.node_of("tr-mft"), &["set", "decision", "reasons=From a trust."]);
    seen("nine have what a trust wrote", &|shown| {
        shown["fields"].to_string().contains("From a trust.")
    });
    for (slug, _) in TEN.iter().filter(|(_, class)| *class == "trust") {
        act(board.node_of(slug), &["event", "decision", "provider_view", "view=support"]);
    }
    seen("four trusts have said so", &|shown| {
        shown["rows"].as_array().is_some_and(|rows| rows.len() == 4)
    });
    act(wigan, &["propose", "decision"]);
    seen("nine are to vote", &|shown| shown["state_name"] == "frozen");
    for node in nodes() {
        act(node, &["sign", "decision", "--approve"]);
    }
    // No answer of the office could change it: nobody has to wait for the closing.
    seen("it is carried", &|shown| shown["state_name"] == "decided");
    act(board.node_of("ccg-bury"), &["close", "decision"]);
    act(wigan, &["event", "decision", "bring_into_force", "effective_from=2017-12-11"]);
    seen("it is in force", &|shown| shown["state_name"] == "in_force");
    assert_eq!(show(wigan, "decision")["proposals"][0]["is_current"], true);
    until("the office is counted as absent", || {
        let proof = act(wigan, &["prove", "decision"]).to_string();
        proof.contains("gmhscp (partnership_office): absent")
    });

    board.serve(office);
    let (wigan, office) = (board.node_of("la-wigan"), board.node_of("gmhscp"));
    until("the office has caught up", || {
        office.command(&["artefact", "show", "decision", "--json"]).status.success()
            && show(office, "decision") == show(wigan, "decision")
    });
    assert_eq!(show(office, "decision")["state_name"], "in_force");
}

/// An auditor has a bundle and nothing else, and sees again what there was at a moment long gone: every
/// document's state, every frozen wording, as the nodes showed them then and show them now.
#[test]
fn scenario_16_replay() {
    let mut board = Partnership::found_with(&["la-wigan", "la-bolton"], TOP, RULES);
    board.serve_all();
    board.until_all_meet();
    let wigan = &board.nodes[0];
    act(wigan, &["open", "decision", "--title", "Winter fund"]);
    act(wigan, &["set", "decision", STRATEGY, "authority/basis=delegated_to_board"]);
    act(wigan, &["add", "decision", "options", "label=Nothing", "result=rejected"]);
    act(wigan, &["event", "decision", "consult"]);
    let frozen = act(wigan, &["propose", "decision"]);
    until_both(&board, "decision", "it is frozen", |shown| shown["state_name"] == "frozen");
    let between = this_moment();
    board.nodes.iter().for_each(|node| drop(act(node, &["sign", "decision", "--approve"])));
    until_both(&board, "decision", "it is carried", |shown| shown["state_name"] == "decided");
    act(&board.nodes[1], &["set", "decision", "title=Another fund"]);
    act(&board.nodes[1], &["open", "standard", "--title", "Stroke care"]);
    until_both(&board, "decision", "both see what came later", |shown| {
        shown["proposals"][0]["amendments"] == 1
    });
    let bundle = board.file("audited.bundle");
    board.nodes[1].run(&["export", "--out", &bundle]);
    let bolton = &board.nodes[1];
    let (now, then) = (
        show(bolton, "decision"),
        bolton.json(&["artefact", "show", "decision", "--by", &between]),
    );
    let audited = board.export_and_audit(bolton);

    let artefact = now["artefact"].as_str().unwrap();
    let empty = tempfile::tempdir().unwrap();
    let replay = |more: &[&str]| -> Value {
        let mut auditor = program();
        auditor.current_dir(empty.path());
        let args = [&["audit", "replay", &bundle, "--artefact", artefact, "--json"], more].concat();
        serde_json::from_str(&done(auditor.args(&args).output().unwrap(), &args)).unwrap()
    };
    let (replayed, back) = (replay(&[]), replay(&["--to", &between]));
    for one in [&replayed, &back] {
        assert_eq!(one["failures"].as_array().unwrap().len(), 0, "{one}");
        let entries = audited["feeds"]
            .as_array()
            .unwrap()
            .iter()
            .map(|feed| feed["entries"].as_u64().unwrap());
        assert!(one["entries"].as_u64().unwrap() <= entries.sum());
        assert!(one["first_ms"].as_u64() < one["last_ms"].as_u64());
        let digest = &one["artefacts"][0]["frozen"][0];
        assert_eq!(
            (&digest["wording"], &digest["matches"]),
            (&frozen["frozen"]["digest"], &true.into())
        );
    }
    assert_eq!((&replayed["artefact"], &back["artefact"]), (&now, &then));
    assert_eq!(replayed["artefacts"][0]["state_name"], "decided");
    assert_eq!(back["artefacts"][0]["state_name"], "frozen");
}

/// As people write it.
fn this_moment() -> String {
    jiff::Timestamp::now().to_string()
}
