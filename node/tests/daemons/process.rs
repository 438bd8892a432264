//! One node: its home, its commands, and its daemon's process.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

const DEADLINE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(50);

/// Waits until something holds; fails when it does not come to hold at all.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let give_up = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < give_up, "it never came to be that {what}");
        thread::sleep(PAUSE);
    }
}

/// What a refused command said; its exit code must be as expected, and stdout empty.
pub(crate) fn refused(output: &Output, code: i32) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{said}");
    said
}

/// The text of a command that did what it was asked.
pub(crate) fn done(output: Output, what: &[&str]) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The program, without a home.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concordat"));
    command.env_remove("CONCORDAT_HOME").env_remove("RUST_LOG");
    command
}

pub(crate) struct Node {
    name: String,
    home: PathBuf,
    log: PathBuf,
    listens: bool,
    child: Option<Child>,
}

/// What private records hold.
const LEDGER: &str = include_str!("../../../config/examples/collections/ledger.toml");

impl Node {
    /// Makes a node that listens on a port of the system's choice.
    pub(crate) fn init(place: &Path, name: &str, class: &str, announce: &[String]) -> Self {
        Self::init_at(place, name, class, &["/ip4/127.0.0.1/tcp/0".to_owned()], announce)
    }

    /// Makes a node that listens at these addresses; at none, it only dials.
    pub(crate) fn init_at(
        place: &Path,
        name: &str,
        class: &str,
        listen: &[String],
        announce: &[String],
    ) -> Self {
        let home = place.join(name);
        let log = place.join(format!("{name}.log"));
        let listens = !listen.is_empty();
        let node = Self { name: name.to_owned(), home, log, listens, child: None };
        let recovery = place.join(format!("{name}.recovery"));
        let legal_name = format!("The organisation {name}");
        let mut args = vec!["init", "--name", &legal_name, "--class", class];
        args.extend(["--recovery-out", recovery.to_str().unwrap()]);
        for address in listen {
            args.extend(["--listen", address]);
        }
        for address in announce {
            args.extend(["--announce", address]);
        }
        node.run(&args);
        if !listens {
            node.configure("listen = []\n");
        }
        node
    }

    /// A node that was made otherwise, and has its config file.
    #[allow(dead_code, reason = "for benchmarks, which share this kit")]
    pub(crate) fn at(home: &Path, listens: bool) -> Self {
        let name = home.file_name().unwrap().to_str().unwrap().to_owned();
        Self {
            name,
            home: home.to_path_buf(),
            log: home.with_extension("log"),
            listens,
            child: None,
        }
    }

    /// The number of the daemon's process.
    pub(crate) fn process(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// Where `init` wrote the recovery key.
    pub(crate) fn recovery_key(&self) -> String {
        self.home.with_extension("recovery").to_str().unwrap().to_owned()
    }

    /// The directory of its store.
    pub(crate) fn store(&self) -> PathBuf {
        self.home.join("store")
    }

    /// Adds lines to the config file.
    pub(crate) fn configure(&self, lines: &str) {
        let path = self.home.join("concordat.toml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text + lines).unwrap();
    }

    fn with_args(&self, args: &[&str]) -> Command {
        let mut command = program();
        command.arg("--home").arg(&self.home).args(args);
        command
    }

    /// Runs a command to its end.
    pub(crate) fn command(&self, args: &[&str]) -> Output {
        self.with_args(args).output().unwrap()
    }

    /// Runs a command that does what it is asked.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        done(self.command(args), args)
    }

    /// Runs a command that does what it is asked, for its JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let text = self.run(&[args, &["--json"]].concat());
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn status(&self) -> Value {
        self.json(&["status"])
    }

    /// How many peers are connected.
    pub(crate) fn connected(&self) -> usize {
        let status = self.status();
        let peers = status["peers"].as_array().unwrap().iter();
        peers.filter(|peer| peer["is_connected"] == true).count()
    }

    /// Entries of the node's own feed; `None` when nobody answers.
    pub(crate) fn own_size(&self) -> Option<u64> {
        let output = self.command(&["status", "--json"]);
        let status: Value = serde_json::from_slice(&output.stdout).ok()?;
        let board = &status["boards"][0];
        let feeds = board["feeds"].as_array()?.iter();
        feeds
            .filter(|feed| feed["feed"] == board["own_feed"])
            .find_map(|feed| feed["size"].as_u64())
    }

    /// Begins a command, with nothing to read.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        let mut command = self.with_args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Begins to write one note a line.
    pub(crate) fn start_notes(&self, lines: &str) -> Child {
        let mut command = self.with_args(&["note", "--stdin-lines", "--json"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (mut stdin, lines) = (child.stdin.take().unwrap(), lines.to_owned());
        // Aside, since the command may be slower than we are; it may also end early.
        thread::spawn(move || drop(stdin.write_all(lines.as_bytes())));
        child
    }

    /// Gives the node a ledger, as the example has it.
    pub(crate) fn keep_ledger(&self) {
        let collections = self.home.join("collections");
        fs::create_dir(&collections).unwrap();
        fs::write(collections.join("ledger.toml"), LEDGER).unwrap();
    }

    /// Writes one note a line.
    pub(crate) fn write_notes(&self, lines: &str) {
        let output = self.start_notes(lines).wait_with_output().unwrap();
        let answer: Value = serde_json::from_str(&done(output, &["note"])).unwrap();
        assert_eq!(answer["written"].as_array().unwrap().len(), lines.lines().count());
    }

    /// Starts the daemon and waits until it answers; gives the port that it listens on.
    pub(crate) fn serve(&mut self) -> u16 {
        let command = self.with_args(&["serve"]);
        self.start_daemon(command)
    }

    /// Starts the daemon so that it writes whatever peers send, decrypted, to files in this directory.
    pub(crate) fn serve_capturing(&mut self, directory: &Path) -> u16 {
        let mut command = self.with_args(&["serve"]);
        command.env("CONCORDAT_TEST_CAPTURE", directory);
        self.start_daemon(command)
    }

    /// What the daemon said.
    pub(crate) fn log(&self) -> Vec<u8> {
        fs::read(&self.log).unwrap_or_default()
    }

    /// Starts the daemon with more arguments.
    pub(crate) fn serve_with(&mut self, more: &[&str]) -> u16 {
        self.serve_given(&[], more)
    }

    /// Starts the daemon with these variables, and more arguments.
    pub(crate) fn serve_given(&mut self, variables: &[(&str, &str)], more: &[&str]) -> u16 {
        let mut command = self.with_args(&[&["serve"], more].concat());
        command.envs(variables.iter().copied());
        self.start_daemon(command)
    }

    /// Starts the daemon so that no file of it can grow beyond this: a full disk, as it sees it.
    pub(crate) fn serve_with_file_limit(&mut self, bytes: u64) -> u16 {
        let mut command = Command::new("bash");
        // Ignored, so that the write fails instead of ending the process.
        let limited = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", bytes / 1024);
        command.args(["-c", &limited, env!("CARGO_BIN_EXE_concordat"), "--home"]);
        command.arg(&self.home).arg("serve");
        self.start_daemon(command)
    }

    /// Starts the daemon within a network namespace, see `partitions`.
    pub(crate) fn serve_in(&mut self, namespace: &str) -> u16 {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace, env!("CARGO_BIN_EXE_concordat"), "--home"]);
        command.env_remove("CONCORDAT_HOME").env_remove("RUST_LOG").arg(&self.home).arg("serve");
        self.start_daemon(command)
    }

    /// Starts the daemon; gives its TCP port, or 0 if it has none.
    fn start_daemon(&mut self, mut command: Command) -> u16 {
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        let mut port = None;
        until("the daemon listens", || {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(
                ended.is_none(),
                "{} ended: {}",
                self.name,
                fs::read_to_string(&self.log).unwrap()
            );
            // Without a daemon locked keys give no answer.
            let answered = self.command(&["status", "--json"]).stdout;
            let status: Value = serde_json::from_slice(&answered).unwrap_or_default();
            let Some(addresses) = status["listening"]["addresses"].as_array() else {
                return false;
            };
            let tcp = addresses.iter().filter_map(|one| one.as_str()?.split_once("/tcp/"));
            port = tcp.filter_map(|(_, port)| port.parse().ok()).next();
            !self.listens || !addresses.is_empty()
        });
        port.unwrap_or_default()
    }

    /// Waits until the daemon has ended by itself; its exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.take().unwrap().wait().unwrap().code()
    }

    /// Ends the daemon at once, as a power cut would.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks the daemon to end, as systemd would; it must end well.
    pub(crate) fn stop(&mut self) {
        self.signal("-TERM");
        let mut child = self.child.take().unwrap();
        assert!(child.wait().unwrap().success(), "{}", fs::read_to_string(&self.log).unwrap());
    }

    /// Sends the daemon a signal: `-STOP` makes it answer nobody, `-CONT` lets it go on.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.process().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// How the status of this node shows another.
    pub(crate) fn peer(&self, slug: &str) -> Value {
        let status = self.status();
        let mut peers = status["peers"].as_array().unwrap().iter();
        peers.find(|peer| peer["slug"] == slug).unwrap().clone()
    }

    /// The lines of the daemon's log that are JSON and have this code.
    pub(crate) fn told(&self, code: &str) -> Vec<Value> {
        let log = fs::read_to_string(&self.log).unwrap();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["fields"]["code"] == code).collect()
    }

    /// How many lines of the daemon's log contain this text.
    pub(crate) fn log_lines(&self, text: &str) -> u64 {
        let log = fs::read_to_string(&self.log).unwrap();
        log.lines().filter(|line| line.contains(text)).count() as u64
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ended = child.kill();
            let _ended = child.wait();
        }
    }
}
