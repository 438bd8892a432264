//! A process that writes to a store until it is ended, and one that says what it finds there.
//!
//! Entry `n` is three rows in one commit with its neighbours: its value, short or longer than what
//! sled holds in one piece; an index row; and the newest number, which every commit replaces.

use std::{
    env,
    ffi::OsStr,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use concordat_node::store::{self, EngineKind, Kept, Op, Own, Reader, StoreError, Table};
use concordat_protocol::engine::Table as Shared;

use super::Dice;

const DO: &str = "CONCORDAT_STORE_TEST";
/// A test of this program's harness, which does nothing unless it is told what.
const ENTRY: &str = "child::process_of_this_program";

fn value(number: u64) -> Vec<u8> {
    let mut dice = Dice(number);
    let len = if dice.below(8) == 0 { 70_000 + dice.below(60_000) } else { 200 };
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < len {
        bytes.extend_from_slice(&dice.roll().to_be_bytes());
    }
    bytes
}

fn put(table: impl Into<Table>, key: &[u8], value: Vec<u8>) -> Op {
    Op::put(table, key.to_vec(), value)
}

fn entry(number: u64) -> [Op; 3] {
    let key = number.to_be_bytes();
    [
        put(Shared::Payloads, &key, value(number)),
        put(Shared::Placed, &Dice(number).roll().to_be_bytes(), key.to_vec()),
        put(Own::Records, b"newest", key.to_vec()),
    ]
}

/// Writes from `from` on, and says so each time that a commit is durable.
fn write(directory: &Path, kind: EngineKind, from: u64) -> Result<(), StoreError> {
    let store = store::open(directory, kind)?;
    println!("OPEN");
    let mut dice = Dice(from);
    let mut number = from;
    loop {
        let end = number + 1 + dice.below(8);
        let ops = (number..end).flat_map(entry).collect();
        let _durable = store.commit(ops)?;
        number = end;
        println!("DURABLE {number}");
        std::io::stdout().flush().unwrap();
    }
}

/// Reads all; gives how many entries there are, all of them whole.
fn read(directory: &Path, kind: EngineKind) -> Result<Result<u64, String>, StoreError> {
    let store = store::open(directory, kind)?;
    let reader = store.reader();
    reader.verify()?;
    let marked = Kept::load(&store::high_water_file(directory))?.unwrap_or_default();
    if reader.commits() < marked.commits {
        println!("TOLD {} commits of {}", reader.commits(), marked.commits);
        return Ok(Err(String::new()));
    }
    let newest = reader.get(Own::Records, b"newest")?;
    let entries = newest.map_or(0, |key| u64::from_be_bytes(key.try_into().unwrap()) + 1);
    for number in 0..entries {
        if let Some(wrong) = wrong(&reader, number)? {
            return Ok(Err(format!("entry {number} of {entries}: {wrong}")));
        }
    }
    if reader.size()?.entries != entries * 2 + u64::from(entries > 0) {
        return Ok(Err(format!("{} rows for {entries} entries", reader.size()?.entries)));
    }
    Ok(Ok(entries))
}

fn wrong(reader: &Reader, number: u64) -> Result<Option<String>, StoreError> {
    for Op { table, key, value } in &entry(number)[..2] {
        let found = reader.get(*table, key)?;
        if found != *value {
            return Ok(Some(format!("{} is {:?} long", table.name(), found.map(|f| f.len()))));
        }
    }
    Ok(None)
}

/// Begins anew with nothing but private records; gives how many entries their newest one counts.
fn recall(directory: &Path, kind: EngineKind) -> Result<u64, StoreError> {
    store::set_aside(directory, kind, &[Own::Records.into()])?;
    let newest = store::open(directory, kind)?.reader().get(Own::Records, b"newest")?;
    Ok(newest.map_or(0, |key| u64::from_be_bytes(key.try_into().unwrap()) + 1))
}

#[test]
fn process_of_this_program() {
    let Some(what) = env::var_os(DO) else { return };
    let what = what.into_string().unwrap();
    let words: Vec<&str> = what.split('\t').collect();
    let [verb, kind, directory, from] = words[..] else { panic!("{words:?}") };
    let (kind, directory) = (kind.parse().unwrap(), Path::new(directory));
    // The harness has begun a line.
    println!();
    match verb {
        "write" => {
            let error = write(directory, kind, from.parse().unwrap()).unwrap_err();
            println!("FAILED {} {error}", error.code());
            std::io::stdout().flush().unwrap();
            // As the daemon does: nothing is closed any more.
            std::process::exit(2);
        }
        "recall" => match recall(directory, kind) {
            Ok(entries) => println!("WHOLE {entries}"),
            Err(error) => println!("TOLD {} {error}", error.code()),
        },
        _ => match read(directory, kind) {
            Ok(Ok(entries)) => println!("WHOLE {entries}"),
            Ok(Err(wrong)) if wrong.is_empty() => {}
            Ok(Err(wrong)) => println!("WRONG {wrong}"),
            Err(error) => println!("TOLD {} {error}", error.code()),
        },
    }
}

/// What is found in a store.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// So many entries, all as they were written.
    Whole(u64),
    /// An error, or that commits are missing.
    Told(String),
    /// Anything else.
    Wrong(String),
}

fn program(verb: &str, directory: &Path, kind: EngineKind, from: u64) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([ENTRY, "--exact", "--nocapture", "--test-threads=1"]);
    command.env(DO, format!("{verb}\t{kind}\t{}\t{from}", directory.display()));
    command.env("RUST_BACKTRACE", "0").stdin(Stdio::null()).stderr(Stdio::null());
    command
}

/// Opens and reads the store in a process of its own.
pub(crate) fn find(directory: &Path, kind: EngineKind) -> Found {
    found("read", directory, kind)
}

/// Sets the store aside, and reads what its write-ahead log gave the new one, in a process of its own.
pub(crate) fn find_set_aside(directory: &Path, kind: EngineKind) -> Found {
    found("recall", directory, kind)
}

fn found(verb: &str, directory: &Path, kind: EngineKind) -> Found {
    let mut command = Command::new("timeout");
    let reading = program(verb, directory, kind, 0);
    command.arg("60").arg(reading.get_program()).args(reading.get_args());
    command.envs(reading.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let output = command.stderr(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let found = said.lines().find_map(|line| {
        let (verb, rest) = line.split_once(' ')?;
        match verb {
            "WHOLE" => Some(Found::Whole(rest.parse().unwrap())),
            "TOLD" => Some(Found::Told(rest.to_owned())),
            "WRONG" => Some(Found::Wrong(rest.to_owned())),
            _ => None,
        }
    });
    found.unwrap_or_else(|| Found::Wrong(format!("it ended with {}: {said}", output.status)))
}

/// A process that writes.
pub(crate) struct Writing {
    child: Child,
    lines: BufReader<ChildStdout>,
    /// How many entries it has called durable.
    pub(crate) durable: u64,
    /// Why it ended, if it did by itself.
    pub(crate) failed: Option<String>,
}

impl Writing {
    pub(crate) fn start(directory: &Path, kind: EngineKind, from: u64) -> Self {
        Self::start_with(directory, kind, from, None)
    }

    /// With a library loaded before all others.
    pub(crate) fn start_with(
        directory: &Path,
        kind: EngineKind,
        from: u64,
        preload: Option<&OsStr>,
    ) -> Self {
        let mut command = program("write", directory, kind, from);
        if let Some(library) = preload {
            command.env("LD_PRELOAD", library);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines, durable: from, failed: None }
    }

    /// Reads on until so many entries are durable; false if it ended before.
    pub(crate) fn until(&mut self, entries: u64) -> bool {
        while self.durable < entries {
            if !self.read_line() {
                return false;
            }
        }
        true
    }

    fn read_line(&mut self) -> bool {
        let mut line = String::new();
        if self.lines.read_line(&mut line).unwrap() == 0 || !line.ends_with('\n') {
            return false;
        }
        match line.trim_end().split_once(' ') {
            Some(("DURABLE", number)) => self.durable = number.parse().unwrap(),
            Some(("FAILED", why)) => self.failed = Some(why.to_owned()),
            _ => {}
        }
        true
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Kills it, and reads what it had said.
    pub(crate) fn kill(mut self) -> u64 {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        while self.read_line() {}
        self.durable
    }
}
