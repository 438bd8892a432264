//! The demonstration as people start it: every check holds on both engines, and no process is left, also when it is
//! interrupted.

// Says to lints that all of this is test code.
#![cfg(test)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

const DEADLINE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(50);
const SIGNAL: [&str; 2] = ["-TERM", "-INT"];

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let give_up = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < give_up, "it never came to be that {what}");
        thread::sleep(PAUSE);
    }
}

fn demo(place: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concordat"));
    command.arg("demo").arg("--keep").arg(place).args(args);
    command.env_remove("CONCORDAT_HOME").stdin(Stdio::null());
    command
}

/// The processes of which an argument names something in this directory.
fn processes(place: &Path) -> Vec<String> {
    let place = place.to_str().unwrap();
    let all = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let arguments = all.filter_map(|process| fs::read(process.join("cmdline")).ok());
    let arguments = arguments.map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "));
    arguments.filter(|line| line.contains(place)).collect()
}

/// A directory with a short path, as sockets need, which is not there yet.
fn place() -> (tempfile::TempDir, PathBuf) {
    let outer = tempfile::tempdir().unwrap();
    let place = outer.path().join("d");
    (outer, place)
}

fn every_check_holds(nodes: usize, engine: &str) {
    let (_outer, place) = place();
    let count = nodes.to_string();
    let args = ["--once", "--json", "--engine", engine, "--nodes", &count];
    let ended = demo(&place, &args).output().unwrap();
    let (said, log) =
        (String::from_utf8(ended.stdout).unwrap(), String::from_utf8_lossy(&ended.stderr));
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|why| panic!("{why}: {log}"));
    assert_eq!(report.as_object().unwrap().len(), 1);
    let checks = report["checks"].as_array().unwrap();
    let failed: Vec<&Value> = checks.iter().filter(|check| check["ok"] != true).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(checks.len(), checks_told_of(nodes));
    let ids: BTreeSet<&str> = checks.iter().map(|check| check["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), checks.len());
    assert!(checks.iter().all(|check| check["what"] != "" && check["detail"].is_string()));
    assert_eq!(ended.status.code(), Some(0), "{log}");
    assert_eq!(processes(&place), Vec::<String>::new());
    assert!(place.join("la-wigan").join("concordat.toml").exists());
    check_files(&place);
}

/// How many checks the table of `docs/demo.md` tells of.
fn checks_told_of(nodes: usize) -> usize {
    let page = include_str!("../../docs/demo.md");
    let row = page.lines().find_map(|line| line.strip_prefix(&format!("| {nodes} | "))).unwrap();
    row.split(' ').next().unwrap().parse().unwrap()
}

/// What `docs/demo.md` says of the files that are left.
fn check_files(place: &Path) {
    let audit = |args: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_concordat"));
        let ended = program.current_dir(place).arg("audit").args(args).output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stdout).unwrap())
    };
    assert_eq!(audit(&["verify", "auditor/board.bundle"]).0, Some(0));
    assert_eq!(audit(&["verify", "auditor/changed.bundle"]).0, Some(2));
    assert_eq!(audit(&["forks", "forked.bundle"]).0, Some(1));
    let (code, compared) = audit(&["compare", "before-promotion.bundle", "after-promotion.bundle"]);
    assert_eq!(code, Some(0), "{compared}");
    let (_, replayed) = audit(&["replay", "auditor/board.bundle"]);
    let proven = |title: &str| {
        let line = replayed.lines().find(|line| line.contains(title)).unwrap();
        let id = line.split_whitespace().last().unwrap();
        let (code, proven) = audit(&["prove", "auditor/board.bundle", id]);
        assert_eq!(code, Some(0), "{proven}");
        proven
    };
    let ratified = proven("Adopt the dementia standard");
    assert!(ratified.contains("\nRatification: la-wigan, claimed "), "{ratified}");
    let proven = proven("Winter fund");
    let sentence = proven.lines().last().unwrap();
    assert!(sentence.starts_with("The result is: carried, "), "{proven}");
}

#[test]
fn every_check_holds_with_five_nodes_on_sled() {
    every_check_holds(5, "sled");
}

/// From ten on there is more to the story.
#[test]
fn every_check_holds_with_ten_nodes_on_redb() {
    every_check_holds(10, "redb");
}

/// Kills the demonstration when a test fails meanwhile.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = (self.0.kill(), self.0.wait());
    }
}

#[test]
fn whoever_interrupts_it_leaves_no_process_behind() {
    for signal in SIGNAL {
        let (_outer, place) = place();
        let mut command = demo(&place, &[]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut running = Running(command.spawn().unwrap());
        until("all nodes run", || {
            let homes = processes(&place);
            homes.iter().filter(|line| line.ends_with("serve ")).count() == 5
        });
        let process = running.0.id().to_string();
        assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
        let mut code = None;
        until("the demonstration has ended", || {
            code = running.0.try_wait().unwrap().map(|status| status.code());
            code.is_some()
        });
        assert_eq!(code, Some(Some(2)), "{signal}");
        assert_eq!(processes(&place), Vec::<String>::new());
    }
}

#[test]
fn a_directory_that_holds_something_is_refused_and_left_as_it_is() {
    let (outer, place) = place();
    fs::create_dir(&place).unwrap();
    fs::write(place.join("mine"), "mine").unwrap();
    let refused = demo(&place, &["--once"]).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("[demo-directory]"), "{said}");
    assert_eq!((refused.status.code(), refused.stdout), (Some(1), vec![]));
    assert_eq!(fs::read_dir(&place).unwrap().count(), 1);

    let far = outer.path().join("a".repeat(90));
    let refused = demo(&far, &["--once"]).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("too long a path") && said.contains("[demo-directory]"), "{said}");
    assert_eq!(refused.status.code(), Some(1));
}
