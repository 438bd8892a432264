//! Pages do what they say: every command on them is run, and what it prints is compared line by
//! line.
//!
//! | on the page | means |
//! |---|---|
//! | `$ command` in a `console` block | is run by a shell, in an empty directory |
//! | `$ command &` | runs until the end of the page, and answers `status` before the next |
//! | `$ kill %2` | ends what was started so as the second |
//! | the lines after it | what it prints, stdout before stderr |
//! | `…` | anything within a line; alone on a line, any number of lines |
//! | a block of the kind `toml NAME` | is that file |
//!
//! Ports 4001 to 4005, and 4080 for the API, stand for free ones, which no other page gets meanwhile.
//! Commands that only look are tried again until they print what is expected: what partners write
//! arrives when it arrives. Where a page fails, the ends of its daemons' logs tell why.

// Says to lints that all of this is test code.
#![cfg(test)]

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");
/// Acknowledgements of content come once a minute.
const DEADLINE: Duration = Duration::from_secs(150);
const PAUSE: Duration = Duration::from_millis(50);
const LOG_LINES: usize = 20;
/// As they stand on a page.
const PORTS: [&str; 6] =
    ["/tcp/4001", "/tcp/4002", "/tcp/4003", "/tcp/4004", "/tcp/4005", "127.0.0.1:4080"];

#[derive(Debug, PartialEq, Eq)]
enum Step {
    File { name: String, text: String },
    Run { command: String, expected: Vec<String> },
}

/// The steps of a page, in their order.
fn steps(page: &str) -> Vec<Step> {
    let mut steps = vec![];
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```").filter(|kind| !kind.is_empty()) else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if let Some(name) = kind.strip_prefix("toml ") {
            steps.push(Step::File { name: name.to_owned(), text: block.join("\n") });
        } else if kind == "console" {
            for line in block {
                match (line.strip_prefix("$ "), steps.last_mut()) {
                    (Some(command), _) => {
                        steps.push(Step::Run { command: command.to_owned(), expected: vec![] });
                    }
                    (None, Some(Step::Run { expected, .. })) => expected.push(line.to_owned()),
                    (None, _) => panic!("{line:?} belongs to no command"),
                }
            }
        }
    }
    steps
}

/// Whether a line is as expected, where `…` stands for anything.
fn line_fits(expected: &str, line: &str) -> bool {
    let mut parts = expected.split('…');
    let Some(rest) = line.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else {
        return rest.is_empty();
    };
    let mut rest = rest;
    for part in between {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Whether lines are as expected, where a line `…` stands for any number of them.
fn lines_fit(expected: &[String], lines: &[&str]) -> bool {
    match (expected.split_first(), lines.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "…" => {
            lines_fit(rest, lines)
                || lines.split_first().is_some_and(|(_, lines)| lines_fit(expected, lines))
        }
        (Some((first, rest)), Some((line, lines))) => {
            line_fits(first, line) && lines_fit(rest, lines)
        }
        _ => false,
    }
}

/// Ports for the daemons of one page, below those that the system gives out by itself.
///
/// Pages run at once, in threads or processes, and between two starts of a daemon its port is free
/// for anybody. So each page listens, as long as it runs, at a port before its own that no daemon
/// uses: who cannot, takes others.
struct Ports {
    _mine: TcpListener,
    free: [u16; 6],
}

impl Ports {
    fn take() -> Self {
        let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
        let of_block = |first: u16| {
            let mine = TcpListener::bind(("127.0.0.1", first)).ok()?;
            let free = [1, 2, 3, 4, 5, 6].map(|more| first + more);
            free.iter().all(is_free).then_some(Self { _mine: mine, free })
        };
        let start = u16::try_from(std::process::id() % 2_500).unwrap();
        let blocks = (start..start + 1_000).map(|block| 10_000 + block * 7);
        blocks.filter_map(of_block).next().unwrap()
    }
}

/// The shell that runs the page's commands, and the daemons it started.
struct Shell<'a> {
    place: &'a Path,
    daemons: Vec<Daemon>,
}

struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Shell<'_> {
    fn command(&self, command: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_concordat"));
        let path = std::env::var("PATH").unwrap();
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(command).current_dir(self.place).stdin(Stdio::null());
        shell.env("PATH", format!("{}:{path}", program.parent().unwrap().display()));
        shell.env_remove("CONCORDAT_HOME").env_remove("RUST_LOG");
        shell
    }

    fn prints(&self, command: &str) -> String {
        let output = self.command(command).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8(text).unwrap()
    }

    fn run(&mut self, command: &str, expected: &[String]) {
        if let Some(daemon) = command.strip_suffix(" &") {
            return self.start(daemon);
        }
        if let Some(number) = command.strip_prefix("kill %") {
            return self.end(number.parse().unwrap());
        }
        if only_looks(command) {
            return self.until(command, expected);
        }
        let text = self.prints(command);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines_fit(expected, &lines), "{}", self.differs(command, &text, expected));
    }

    /// Starts a daemon, and waits until it answers.
    fn start(&mut self, command: &str) {
        let log = self.place.join(format!("daemon-{}.log", self.daemons.len() + 1));
        // `exec`, so that ending the shell ends the daemon.
        let mut shell = self.command(&format!("exec {command}"));
        shell.stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        self.daemons.push(Daemon { child: shell.spawn().unwrap(), log });
        let status = command.replace(" serve", " status");
        self.until(&status, &["…".into(), "  running, …".into(), "…".into()]);
    }

    /// Ends a daemon as its service manager would; it must end well.
    fn end(&mut self, number: usize) {
        let daemon = &mut self.daemons[number - 1].child;
        let sent = Command::new("kill").args(["-TERM", &daemon.id().to_string()]).status();
        assert!(sent.unwrap().success() && daemon.wait().unwrap().success());
    }

    fn until(&self, command: &str, expected: &[String]) {
        let give_up = Instant::now() + DEADLINE;
        loop {
            let text = self.prints(command);
            let lines: Vec<&str> = text.lines().collect();
            if lines_fit(expected, &lines) {
                return;
            }
            let late = Instant::now() >= give_up;
            assert!(!late, "{}", self.differs(command, &text, expected));
            thread::sleep(PAUSE);
        }
    }

    fn differs(&self, command: &str, text: &str, expected: &[String]) -> String {
        let mut words = format!("$ {command}\n{text}\nbut expected:\n{expected:#?}\n");
        for (number, daemon) in (1..).zip(&self.daemons) {
            let log = fs::read_to_string(&daemon.log).unwrap();
            let skipped = log.lines().count().saturating_sub(LOG_LINES);
            let log: Vec<&str> = log.lines().skip(skipped).collect();
            words += &format!("the last that daemon %{number} said:\n{}\n", log.join("\n"));
        }
        words
    }
}

/// Whether a command changes nothing, so that it can be tried again.
fn only_looks(command: &str) -> bool {
    let looks = [
        " artefact list",
        " artefact show ",
        " conflicts ",
        " artefact prove ",
        " artefact history ",
    ];
    let asks = command.starts_with("curl ") && !command.contains(" --json ");
    asks || [" log", " status", " conflicts"].iter().any(|word| command.ends_with(word))
        || looks.iter().any(|word| command.contains(word))
}

impl Drop for Shell<'_> {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            let _ended = daemon.child.kill();
            let _ended = daemon.child.wait();
        }
    }
}

#[test]
fn the_quick_start_prints_what_it_says() {
    run_page("quick-start.md", 20);
}

#[test]
fn the_page_on_keys_prints_what_it_says() {
    run_page("keys.md", 5);
}

#[test]
fn the_page_on_artefacts_prints_what_it_says() {
    run_page("artefacts.md", 60);
}

#[test]
fn the_page_for_auditors_prints_what_it_says() {
    run_page("audit.md", 25);
}

#[test]
fn the_page_on_the_api_prints_what_it_says() {
    run_page("api.md", 30);
}

#[test]
fn the_page_on_backups_prints_what_it_says() {
    run_page("backup.md", 8);
}

#[test]
fn the_page_on_the_journal_prints_what_it_says() {
    run_page("journal.md", 6);
}

#[test]
fn the_page_on_the_store_prints_what_it_says() {
    run_page("storage.md", 7);
}

#[test]
fn the_page_on_the_network_prints_what_it_says() {
    run_page("network.md", 8);
}

#[test]
fn the_page_on_private_records_prints_what_it_says() {
    run_page("records.md", 25);
}

fn run_page(name: &str, steps_min: usize) {
    let mut page = fs::read_to_string(Path::new(DOCS).join(name)).unwrap();
    let ports = Ports::take();
    for (shown, free) in PORTS.iter().zip(ports.free) {
        let (before, _) = shown.split_at(shown.len() - 4);
        page = page.replace(shown, &format!("{before}{free}"));
    }
    let place = tempfile::tempdir().unwrap();
    let mut shell = Shell { place: place.path(), daemons: vec![] };
    let steps = steps(&page);
    assert!(steps.len() > steps_min, "{steps:#?}");
    for step in steps {
        match step {
            Step::File { name, text } => fs::write(place.path().join(name), text).unwrap(),
            Step::Run { command, expected } => shell.run(&command, &expected),
        }
    }
}

#[test]
fn pages_that_run_at_once_have_ports_of_their_own() {
    let (one, other) = (Ports::take(), Ports::take());
    assert!(one.free.iter().all(|port| !other.free.contains(port)));
}

#[test]
fn a_page_is_read_as_it_is_written() {
    let page = "text\n```toml a.toml\nx = 1\n```\n```console\n$ one two\nout\n$ three\n```\n```rust\n$ no\n```\n";
    let run = |command: &str, expected: &[&str]| Step::Run {
        command: command.to_owned(),
        expected: expected.iter().map(|line| (*line).to_owned()).collect(),
    };
    let file = Step::File { name: "a.toml".into(), text: "x = 1".into() };
    assert_eq!(steps(page), [file, run("one two", &["out"]), run("three", &[])]);
}

#[test]
fn only_what_is_marked_as_open_may_differ() {
    assert!(line_fits("a … c", "a bbb c") && line_fits("…c", "abc") && line_fits("abc", "abc"));
    assert!(!line_fits("a … c", "a bbb d") && !line_fits("abc", "abcd") && !line_fits("x…", "abc"));
    let expected: Vec<String> = ["a", "…", "d"].map(str::to_owned).into();
    assert!(lines_fit(&expected, &["a", "d"]) && lines_fit(&expected, &["a", "b", "c", "d"]));
    assert!(!lines_fit(&expected, &["a", "b"]) && !lines_fit(&expected, &["a", "d", "e"]));
}
