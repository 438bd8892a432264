//! Every file in `config/examples` does what it is for: it starts a node, or drafts a board.

// Says to lints that all of this is test code.
#![cfg(test)]

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/examples");
const DEADLINE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// The examples that are node configs, and the one that is a board.
fn examples() -> (Vec<PathBuf>, PathBuf) {
    let files = fs::read_dir(EXAMPLES).unwrap().map(|entry| entry.unwrap().path());
    // Collections have a folder of their own, and a test beside their code.
    let files = files.filter(|path| path.is_file());
    let (boards, nodes): (Vec<PathBuf>, Vec<PathBuf>) =
        files.partition(|path| path.ends_with("board.toml"));
    (nodes, boards[0].clone())
}

fn concordat(home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concordat"));
    command.arg("--home").arg(home).args(args).output().unwrap()
}

fn init(place: &Path, name: &str) -> PathBuf {
    let home = place.join(name);
    let recovery = place.join(format!("{name}.recovery"));
    let args = ["init", "--name", name, "--class", "office", "--recovery-out"];
    let made = concordat(&home, &[&args[..], &[recovery.to_str().unwrap()]].concat());
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    home
}

/// A daemon that ends with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

#[test]
fn every_example_config_starts_a_node() {
    let (nodes, _) = examples();
    assert_eq!(nodes.len(), 5);
    for path in nodes {
        let place = tempfile::tempdir().unwrap();
        let home = init(place.path(), "node");
        let text = fs::read_to_string(&path).unwrap();
        // The ports are the only things that a test may not take as they are.
        let text = text.replace("0.0.0.0/tcp/4001", "127.0.0.1/tcp/0");
        let text = text.replace("0.0.0.0/udp/4001", "127.0.0.1/udp/0");
        let text = text.replace("127.0.0.1/tcp/4001", "127.0.0.1/tcp/0");
        let text = text.replace("0.0.0.0/tcp/8443", "127.0.0.2/tcp/0");
        let text = text.replace("127.0.0.1:4080", "127.0.0.1:0");
        let listens = text.lines().any(|line| line.starts_with("listen"));
        let listen = if listens { "" } else { "listen = [\"/ip4/127.0.0.1/tcp/0\"]\n" };
        fs::write(home.join("concordat.toml"), text + listen).unwrap();
        let log = place.path().join("log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_concordat"));
        command.arg("--home").arg(&home).arg("serve");
        command.stdout(Stdio::null()).stderr(File::create(&log).unwrap());

        let _daemon = Daemon(command.spawn().unwrap());

        let give_up = Instant::now() + DEADLINE;
        loop {
            let status = concordat(&home, &["status"]);
            if String::from_utf8_lossy(&status.stdout).contains("\n  running, ") {
                break;
            }
            let log = fs::read_to_string(&log).unwrap();
            assert!(Instant::now() < give_up, "{}: {log}", path.display());
            thread::sleep(PAUSE);
        }
    }
}

#[test]
fn the_example_board_is_drafted_of_its_members_cards() {
    let (_, board) = examples();
    let place = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(&board).unwrap();
    fs::write(place.path().join("board.toml"), &text).unwrap();
    fs::create_dir(place.path().join("cards")).unwrap();
    let table: BTreeMap<String, toml::Value> = toml::from_str(&text).unwrap();
    let members = table["members"].as_array().unwrap();
    for member in members {
        let home = init(place.path(), member["slug"].as_str().unwrap());
        let card = place.path().join(member["card"].as_str().unwrap());
        let exported = concordat(&home, &["card", "export", "--out", card.to_str().unwrap()]);
        assert!(exported.status.success());
    }
    let out = place.path().join("board.draft");

    let file = place.path().join("board.toml");
    let args = ["board", "draft", file.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let drafted = concordat(place.path(), &args);

    let said = String::from_utf8_lossy(&drafted.stderr);
    assert!(drafted.status.success(), "{said}");
    let words = String::from_utf8(drafted.stdout).unwrap();
    assert!(words.contains("members (5):"), "{words}");
    assert!(words.contains("nhsi-gm: nhsi-gm, office, observer"), "{words}");
}
