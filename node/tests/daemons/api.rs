//! The API of running daemons, as programs on the same machine use it.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};

use crate::{
    artefacts::{RULES, STRATEGY, TOP, act, show},
    http::Client,
    partnership::Partnership,
    process::{Node, refused, until},
};

const NUMBER: &str = "943 476 5919";
const ROLES: [&str; 5] = ["viewer", "editor", "signatory", "auditor", "node_admin"];

/// Two members, the first with the API.
fn two() -> (Partnership, Client) {
    let mut board = Partnership::found_with(&["la-wigan", "la-bolton"], TOP, RULES);
    board.nodes[0].configure("http = \"127.0.0.1:0\"\n");
    board.serve(0);
    let client = Client::of(&board.nodes[0]);
    (board, client)
}

fn board_of(node: &Node) -> String {
    node.status()["boards"][0]["board"].as_str().unwrap().to_owned()
}

/// Begins a decision by the API; its path.
fn begin(client: &Client, board: &str, title: &str) -> String {
    let opening = json!({ "kind": "decision", "title": title });
    let begun = client.post(&format!("/api/v1/boards/{board}/artefacts"), &opening);
    let path = begun.headers.lines().find_map(|line| line.strip_prefix("location: "));
    let path = path.unwrap_or_else(|| panic!("{}", begun.body)).to_owned();
    assert_eq!(begun.done(201)["written"].as_array().unwrap().len(), 2);
    path
}

/// Which roles are let through, in the order of [`ROLES`]; the others are told so.
#[test]
fn each_role_may_what_it_is_for_and_nothing_else() {
    let (board, client) = two();
    let node = &board.nodes[0];
    let clients = ROLES.map(|role| client.with_role(node, role));
    let id = board_of(node);
    let path = begin(&clients[1], &id, "Winter fund");
    let all = [true; 5];
    let readers = [true, true, true, true, false];
    let writers = [false, true, true, false, false];
    let signatories = [false, false, true, false, false];
    let table: &[(&str, Option<Value>, [bool; 5])] = &[
        ("/api/v1/status", None, all),
        ("/api/v1/peers", None, all),
        ("/api/v1/boards", None, readers),
        (&format!("/api/v1/boards/{id}"), None, readers),
        (&format!("/api/v1/boards/{id}/artefacts"), None, readers),
        (&format!("/api/v1/boards/{id}/log"), None, [false, false, false, true, false]),
        ("/api/v1/journal", None, [false, false, false, true, true]),
        (&path, None, readers),
        (&format!("{path}/history"), None, readers),
        (&format!("{path}/conflicts"), None, readers),
        (&format!("{path}/proposals"), None, readers),
        (&format!("{path}/proof"), None, readers),
        (&format!("/api/v1/boards/{id}/artefacts"), Some(json!({"kind": "decision"})), writers),
        (&format!("{path}/edits"), Some(json!({"edits": []})), writers),
        (&format!("{path}/events"), Some(json!({"event": "consult"})), writers),
        (&format!("{path}/remarks"), Some(json!({"remark": "comment"})), writers),
        (&format!("{path}/audience"), Some(json!({"members": [], "reason": "x"})), writers),
        (
            &format!("{path}/settlements"),
            Some(json!({"code": "C1", "about": "title", "chosen": "x"})),
            writers,
        ),
        ("/api/v1/records", None, writers),
        ("/api/v1/records/ledger", None, writers),
        ("/api/v1/records/ledger", Some(json!({"rows": []})), writers),
        ("/api/v1/records/ledger/deletions", Some(json!({"records": []})), writers),
        ("/api/v1/records/ledger/1", None, writers),
        ("/api/v1/records/ledger/1/leaving?artefact=decision", None, writers),
        (
            "/api/v1/records/ledger/1/promotions",
            Some(json!({"artefact": "decision", "seal": ""})),
            writers,
        ),
        ("/api/v1/promotions", None, writers),
        (&format!("{path}/proposals"), Some(json!({})), signatories),
        (&format!("{path}/signoffs"), Some(json!({"answer": "approve"})), signatories),
        (&format!("{path}/closings"), Some(json!({})), signatories),
    ];
    for (path, body, may) in table {
        let ask = |client: &Client| match body {
            None => client.get(path),
            Some(body) => client.post(path, body),
        };
        for ((client, role), may) in clients.iter().zip(ROLES).zip(may) {
            let answer = ask(client);
            if *may {
                assert!(![401, 403].contains(&answer.status), "{role} {path}: {}", answer.body);
            } else {
                assert_eq!(answer.problem(403), "needs-role", "{role} {path}");
            }
        }
        assert_eq!(ask(&client).problem(401), "no-token", "{path}");
        assert_eq!(ask(&client.with_token("concordat_x")).problem(401), "unknown-token", "{path}");
    }
    // The table misses only the stream, which another test listens to.
    let document = client.get("/api/v1/openapi.json").done(200);
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.values().map(|path| path.as_object().unwrap());
    let guarded =
        operations.flat_map(|path| path.values()).filter(|one| one["security"].is_array());
    assert_eq!(guarded.count(), table.len() + 1);
}

#[test]
fn a_token_works_at_both_doors_until_it_is_revoked() {
    let (mut board, client) = two();
    let node = &board.nodes[0];
    let made = node.json(&["token", "new", "--role", "viewer", "--name", "The intranet"]);
    let token = made["token"].as_str().unwrap();
    let client = client.with_token(token);
    let socket = client.over_socket(node);
    let mode = fs::metadata(node.home().join("http.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let boards = client.get("/api/v1/boards").done(200);
    assert_eq!(boards, node.json(&["board", "list"]));
    assert_eq!(socket.get("/api/v1/boards").done(200), boards);

    let id = made["id"].as_str().unwrap();
    node.run(&["token", "revoke", &id[..6]]);

    for client in [client, socket] {
        let answer = client.get("/api/v1/boards");
        assert!(answer.headers.contains("www-authenticate: Bearer"), "{}", answer.headers);
        assert_eq!(answer.problem(401), "unknown-token");
    }
    let listed = node.json(&["token", "list"]);
    assert_eq!(
        (&listed[0]["name"], &listed[0]["role"]),
        (&json!("The intranet"), &json!("viewer"))
    );
    assert!(listed[0]["revoked_ms"].is_u64() && !listed.to_string().contains(token), "{listed}");
    assert_eq!(node.log_lines(token.rsplit('_').next().unwrap()), 0);
    let said = refused(&node.command(&["token", "new", "--role", "viewer", "--name", NUMBER]), 1);
    assert!(said.contains("[patient-number]"), "{said}");
    let socket = node.home().join("http.sock");
    assert!(socket.exists());
    board.nodes[0].stop();
    assert!(!socket.exists());
}

#[test]
fn a_port_that_is_taken_is_told() {
    let (board, client) = two();
    board.nodes[1].configure(&format!("http = \"{}\"\n", client.address()));
    let said = refused(&board.nodes[1].command(&["serve"]), 2);
    assert!(said.contains("serving the API on") && said.contains("put another port"), "{said}");
}

/// Everything from the first draft to the proof, and at each step what the command line shows.
#[test]
fn a_decision_made_by_the_api_is_the_one_that_the_command_line_shows() {
    let (mut board, client) = two();
    board.serve(1);
    board.until_all_meet();
    let node = &board.nodes[0];
    let (editor, signatory) =
        (client.with_role(node, "editor"), client.with_role(node, "signatory"));
    let id = board_of(node);
    let path = begin(&editor, &id, "Winter fund");
    let post =
        |client: &Client, what: &str, body: Value| client.post(&format!("{path}/{what}"), &body);
    let (field, reference) = STRATEGY.split_once('=').unwrap();
    let edits = json!({ "edits": [
        { "set": { "at": field, "value": reference } },
        { "set": { "at": "authority/basis", "value": "delegated_to_board" } },
        { "add": { "at": "options", "after": null,
                   "values": [["label", "Nothing"], ["result", "rejected"]] } },
        { "splice": { "at": "summary", "position": null, "delete": 0, "insert": "For the wards." } },
    ]});
    let edited = post(&editor, "edits", edits).done(201);
    assert_eq!(edited["items"].as_array().unwrap().len(), 1);
    post(&editor, "events", json!({ "event": "consult" })).done(201);
    post(&editor, "remarks", json!({ "remark": "comment", "values": [["text", "Good."]] }))
        .done(201);
    let shown = editor.get(&path).done(200);
    assert_eq!(shown, show(node, "decision"));
    assert_eq!(shown["state_name"], "consultation");

    let frozen = post(&signatory, "proposals", json!({})).done(201);
    until("the other has it", || {
        let other = board.nodes[1].command(&["sign", "decision", "--approve"]);
        other.status.success()
    });
    post(&signatory, "signoffs", json!({ "answer": "approve" })).done(201);
    until("it is carried", || editor.get(&path).json()["state_name"] == "decided");

    let shown = show(node, "decision");
    assert_eq!(editor.get(&path).done(200), shown);
    assert_eq!(editor.get(&format!("{path}/proposals")).done(200), shown["proposals"]);
    assert_eq!(shown["proposals"][0]["digest"], frozen["frozen"]["digest"]);
    assert_eq!(editor.get(&format!("{path}/conflicts")).done(200), shown["conflicts"]);
    let proof = editor.get(&format!("{path}/proof")).done(200);
    assert_eq!(proof, act(node, &["prove", "decision"]));
    let list = editor.get(&format!("/api/v1/boards/{id}/artefacts?limit=1")).done(200);
    assert_eq!(list, act(node, &["list", "--limit", "1"]));
    let history = editor.get(&format!("{path}/history")).done(200);
    let roles: Vec<&Value> =
        history["deeds"].as_array().unwrap().iter().map(|deed| &deed["role"]).collect();
    assert!(roles.contains(&&json!("editor")) && roles.contains(&&json!("signatory")), "{roles:?}");
    let log = client.with_role(node, "auditor").get(&format!("/api/v1/boards/{id}/log?limit=5"));
    assert_eq!(log.done(200)["entries"].as_array().unwrap().len(), 5);
}

/// What binds the organisation needs a token that does, whatever role is named with it.
#[test]
fn an_editor_binds_nobody() {
    let (board, client) = two();
    let node = &board.nodes[0];
    let (editor, signatory) =
        (client.with_role(node, "editor"), client.with_role(node, "signatory"));
    let id = board_of(node);
    let path = begin(&editor, &id, "Winter fund");
    let event = |role: Option<&str>| json!({ "event": "bring_to_board", "role": role, "values": [["reason", "Not now."]] });
    for role in [None, Some("editor")] {
        let refused = editor.post(&format!("{path}/events"), &event(role));
        assert_eq!(refused.problem(403), "needs-signatory", "{role:?}");
    }
    let edits = json!({ "role": "signatory",
                        "edits": [{ "set": { "at": "summary", "value": "Mine." } }] });
    assert_eq!(editor.post(&format!("{path}/edits"), &edits).problem(403), "needs-signatory");
    let before = node.own_size();
    signatory.post(&format!("{path}/events"), &event(None)).done(201);
    assert_eq!(node.own_size(), before.map(|size| size + 1));
}

#[test]
fn whoever_listens_hears_of_an_edit_that_a_partner_made() {
    let (mut board, client) = two();
    board.serve(1);
    board.until_all_meet();
    let client = client.with_role(&board.nodes[0], "viewer");
    let mut events = client.listen(None);
    let (name, begun_at, _) = events.next();
    assert_eq!(name, "begin");

    let opened = act(&board.nodes[1], &["open", "decision", "--title", "Winter fund"]);

    let first = events.next();
    let changed = json!({ "board": opened["board"], "artefact": opened["artefact"] });
    assert_eq!((first.0.as_str(), &first.2), ("artefact", &changed));
    // Headers come before what they are about: with each there is an event.
    while show(&board.nodes[0], "decision")["title"] != "Winter fund" {
        assert_eq!(events.next().2, changed);
    }
    drop(events);
    // Whoever comes back is told what came meanwhile, from where it had been.
    assert_eq!(client.listen(Some(&begun_at)).next(), first);
    let (name, _, _) = client.listen(Some("17-4")).next();
    assert_eq!(name, "missed");
}

#[test]
fn the_node_is_ready_only_while_every_check_is_well() {
    let (mut board, client) = two();
    assert_eq!(client.get("/healthz").body, "ok\n");
    let ill = |client: &Client| -> Vec<String> {
        let answer = client.get("/readyz");
        let readiness = answer.json();
        let checks = readiness["checks"].as_array().unwrap().iter();
        let ill: Vec<&Value> = checks.filter(|check| check["is_ok"] == false).collect();
        assert_eq!(answer.status, if ill.is_empty() { 200 } else { 503 }, "{readiness}");
        assert_eq!(readiness["is_ready"], ill.is_empty());
        assert!(ill.iter().all(|check| check["says"].is_string() && check["next"].is_string()));
        ill.iter().map(|check| check["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ill(&client), ["peers"]);
    board.serve(1);
    board.until_all_meet();
    assert_eq!(ill(&client), [""; 0]);

    let key = board.nodes[0].home().join("keys/feed.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(ill(&client), ["keys"]);
    let says = client.get("/readyz").body;
    assert!(says.contains("feed.key"), "{says}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(ill(&client), [""; 0]);

    // Who is away is away since its session ended.
    let age = "concordat_peer_seconds_since_contact{peer=\"la-bolton\"} ";
    assert!(client.get("/metrics").body.contains(&format!("{age}0\n")));
    board.nodes[1].stop();
    until("it is found to be away", || ill(&client) == ["peers"]);
    until("a second has passed", || {
        let figures = client.get("/metrics").body;
        figures.contains(age) && !figures.contains(&format!("{age}0\n"))
    });
}

#[test]
fn figures_are_lines_that_prometheus_reads() {
    let (board, client) = two();
    board.nodes[0].write_notes("one\ntwo\n");
    let _refused = client.get("/api/v1/boards").problem(401);

    let answer = client.get("/metrics");

    assert_eq!(answer.status, 200);
    let (lines, ends) = answer.body.split_at(answer.body.len() - "# EOF\n".len());
    assert_eq!(ends, "# EOF\n");
    let mut figures = vec![];
    for line in lines.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            assert!(
                ["HELP ", "TYPE ", "UNIT "].iter().any(|kind| comment.starts_with(kind)),
                "{line}"
            );
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap();
            figures.push((name, value.parse::<i64>().unwrap()));
        }
    }
    let figure = |wanted: &str| {
        let found = figures.iter().find(|(name, _)| *name == wanted);
        found.unwrap_or_else(|| panic!("no {wanted} in {}", answer.body)).1
    };
    let id = board_of(&board.nodes[0]);
    let feed = format!("{{board=\"{id}\",member=\"la-wigan\",epoch=\"0\"}}");
    assert_eq!(figure(&format!("concordat_feed_durable{feed}")), 3);
    assert_eq!(figure("concordat_peer_connected{peer=\"la-bolton\"}"), 0);
    assert_eq!(figure("concordat_ready{check=\"store\"}"), 1);
    assert_eq!(figure("concordat_ready{check=\"peers\"}"), 0);
    assert!(figure("concordat_disk_free_bytes") > 0);
    let counted = "concordat_http_requests_total{route=\"/api/v1/boards\",status=\"401\"}";
    assert_eq!(figure(counted), 1);
}

/// What is too long, is not JSON or names a patient is refused, and repeated nowhere.
#[test]
fn bad_requests_are_problems_and_write_nothing() {
    let (board, client) = two();
    let node = &board.nodes[0];
    let editor = client.with_role(node, "editor");
    let id = board_of(node);
    let path = begin(&editor, &id, "Winter fund");
    let before = node.own_size();
    let edits = format!("{path}/edits");
    let json_of =
        |bytes: usize| format!("content-type: application/json\r\ncontent-length: {bytes}\r\n");
    assert_eq!(
        editor.post_raw(&edits, &json_of(1024 * 1024 + 1), "").problem(413),
        "body-too-long"
    );
    assert_eq!(editor.post_raw(&edits, "content-length: 2\r\n", "{}").problem(415), "not-json");
    assert_eq!(editor.post_raw(&edits, &json_of(1), "{").problem(400), "bad-body");
    assert_eq!(editor.post(&edits, &json!({ "edit": [] })).problem(400), "bad-body");
    assert_eq!(editor.get(&format!("{path}?att=x")).problem(400), "bad-query");
    assert_eq!(editor.get(&format!("{path}?at=x&by=y")).problem(400), "bad-query");
    assert_eq!(editor.get("/api/v1/artefacts/artefact-zzz").problem(404), "unknown-artefact");
    assert_eq!(editor.get("/api/v1/nothing").problem(404), "no-such-path");
    assert_eq!(editor.get(&edits).problem(405), "no-such-method");

    let digits: String = NUMBER.chars().filter(char::is_ascii_digit).collect();
    let set =
        json!({ "edits": [{ "set": { "at": "summary", "value": format!("Ask {NUMBER}.") } }] });
    let refusals = [
        editor.post(&edits, &set),
        editor.post(&edits, &json!({ digits.as_str(): [] })),
        editor.post(&edits, &json!({ "edits": [{ &digits: {} }] })),
        editor.get(&format!("{path}?{digits}=x")),
        editor.get(&format!("/api/v1/artefacts/{digits}")),
        editor.get(&format!("/api/v1/boards/{}", NUMBER.replace(' ', "%20"))),
    ];
    for refusal in refusals {
        assert_eq!(refusal.problem(422), "patient-number");
        let said: String = refusal.body.chars().filter(char::is_ascii_digit).collect();
        assert!(!said.contains(&digits), "{}", refusal.body);
    }
    assert_eq!((node.log_lines(NUMBER), node.log_lines(&digits)), (0, 0));
    assert_eq!(node.own_size(), before);
}
