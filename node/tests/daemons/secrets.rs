//! What a daemon says to the service manager and to its log.

use std::{fs, os::unix::net::UnixDatagram, time::Duration};

use serde_json::json;

use crate::{
    artefacts::{RULES, TOP, act, show},
    http::Client,
    notes,
    partnership::{Partnership, Reach},
    process::until,
    transports::{loopback, tcp},
};

const NOTE: &str = "marmalade";
const EDIT: &str = "pumpernickel";
const PASSPHRASE: &str = "correct but made up battery";

#[test]
fn the_service_manager_hears_when_the_node_is_ready_and_when_it_stops() {
    let members = [("la-wigan", Reach::at(&[&tcp(&loopback())])), ("gmhscp", Reach::default())];
    let mut board = Partnership::found_at(&members, ("", ""));
    let path = board.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let heard = || {
        let mut bytes = [0; 100];
        let length = manager.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    };

    board.nodes[0].serve_given(&[("NOTIFY_SOCKET", path.to_str().unwrap())], &[]);
    assert_eq!(heard(), "READY=1\n");
    assert!(board.nodes[0].status()["listening"].is_object());
    board.nodes[0].stop();
    assert_eq!(heard(), "STOPPING=1\n");
}

/// Everything that must stay out of a log passes through two daemons that log as much as they can.
#[test]
fn the_log_holds_no_content_no_passphrase_no_token_and_no_key() {
    let members = [("la-wigan", Reach::at(&[&tcp(&loopback())])), ("la-bolton", Reach::default())];
    let mut board = Partnership::found_at(&members, (TOP, RULES));
    let mut secrets: Vec<String> = [NOTE, EDIT, PASSPHRASE].map(str::to_owned).into();
    for key in ["feed", "node", "witness"] {
        let file = board.nodes[0].home().join(format!("keys/{key}.key"));
        let text = fs::read_to_string(file).unwrap();
        secrets.push(text.lines().last().unwrap().to_owned());
    }
    assert!(secrets[3..].iter().all(|seed| seed.len() == 64), "these are no seeds");
    let passphrase = board.file("passphrase");
    fs::write(&passphrase, PASSPHRASE).unwrap();
    fs::set_permissions(&passphrase, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    board.nodes[0].run(&["keys", "lock", "--new-passphrase-file", &passphrase]);
    let log = "log = \"debug,concordat_node=trace,concordat_protocol=trace\"\n";
    board.nodes[0].configure(&format!("{log}http = \"127.0.0.1:0\"\n"));
    board.nodes[1].configure(log);

    board.nodes[0].serve_given(&[("CONCORDAT_PASSPHRASE_FILE", &passphrase)], &["--json"]);
    board.nodes[1].serve_with(&["--json"]);
    board.until_all_meet();
    board.nodes[0].run(&["note", NOTE]);
    act(&board.nodes[0], &["open", "decision", "--title", EDIT]);
    act(&board.nodes[0], &["set", "decision", &format!("summary={EDIT}")]);
    let made = board.nodes[0].json(&["token", "new", "--role", "editor", "--name", "Editor"]);
    let token = made["token"].as_str().unwrap();
    secrets.push(token.rsplit('_').next().unwrap().to_owned());
    let client = Client::of(&board.nodes[0]).with_token(token);
    let id = board.nodes[0].status()["boards"][0]["board"].as_str().unwrap().to_owned();
    let opening = json!({ "kind": "standard", "title": EDIT });
    client.post(&format!("/api/v1/boards/{id}/artefacts"), &opening).done(201);
    assert_eq!(client.with_token(&format!("{token}x")).get("/api/v1/boards").status, 401);
    until("the partner has all of it", || {
        let has_decision = board.nodes[1].command(&["artefact", "show", "decision"]);
        notes(&board.nodes[1], "la-wigan") == [NOTE]
            && has_decision.status.success()
            && show(&board.nodes[1], "decision")["title"] == EDIT
    });
    board.nodes[0].stop();
    board.nodes[1].stop();

    for node in &board.nodes {
        assert!(node.log_lines("connected") > 0 && node.log_lines("\"level\":\"DEBUG\"") > 0);
        for secret in &secrets {
            assert_eq!(node.log_lines(secret), 0, "{secret:?} is in the log of {}", node.name());
        }
    }
}
