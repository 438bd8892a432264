//! One organisation's node: its home, its commands, its process, and what it answers.
//!
//! ```text
//!   command line   init, card, board, record, export, audit     a process each
//!   control socket act, look, status                            as every command asks a running node
//! ```
//!
//! *Invariants.* Nothing is read from a node's files, and nothing is done that a person could not do with the same
//! home.
//!
//! *Source*: ours.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use serde_json::Value;

use super::{DemoError, cast::Part, crew::Crew, relay::Relay};
use crate::{
    control::{
        self, Act, Acted, Answer, AsOf, Deed, ListQuery, Look, Refusal, Reply, Request, Word,
    },
    home::{FileError, Home, config_file},
    view::{
        Status,
        artefact::{Artefact, History, ProvenDecision},
    },
};

/// More than the story begins.
const ARTEFACTS_MAX: usize = 100;

/// The program that this process is.
#[derive(Debug, Clone)]
pub(super) struct Program(PathBuf);

impl Program {
    pub(super) fn of_this_process() -> Result<Self, DemoError> {
        let path = std::env::current_exe();
        path.map(Self).map_err(DemoError::system("finding the program that runs"))
    }

    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.0);
        command.env_remove("CONCORDAT_HOME").env_remove("RUST_LOG").stdin(Stdio::null());
        command
    }

    /// Runs a command to its end in this directory; its exit code, and its JSON.
    pub(super) fn json_in(
        &self,
        directory: &Path,
        args: &[&str],
    ) -> Result<(Option<i32>, Value), DemoError> {
        let mut command = self.command();
        let ended = command.current_dir(directory).args(args).arg("--json").output();
        let ended = ended.map_err(DemoError::system("running a command"))?;
        let value = serde_json::from_slice(&ended.stdout).map_err(|_| DemoError::OtherAnswer {
            who: "the command line".to_owned(),
            what: args.join(" "),
        })?;
        Ok((ended.status.code(), value))
    }
}

/// One organisation's node.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) part: Part,
    pub(super) relay: Relay,
    home: Home,
    program: Program,
    crew: Arc<Crew>,
}

impl Member {
    /// Of this directory, in which there is no node yet.
    pub(super) fn new(
        part: Part,
        relay: Relay,
        place: &Path,
        (program, crew): (&Program, &Arc<Crew>),
    ) -> Self {
        let home = Home::new(&place.join(part.slug));
        Self { part, relay, home, program: program.clone(), crew: Arc::clone(crew) }
    }

    pub(super) fn slug(&self) -> &'static str {
        self.part.slug
    }

    pub(super) fn home(&self) -> &Path {
        self.home.directory()
    }

    pub(super) fn log(&self) -> PathBuf {
        self.home().with_extension("log")
    }

    fn with_args(&self, args: &[&str]) -> Command {
        let mut command = self.program.command();
        command.arg("--home").arg(self.home()).args(args);
        command
    }

    /// Runs a command that does what it is asked, for its JSON.
    pub(super) fn json(&self, args: &[&str]) -> Result<Value, DemoError> {
        let mut command = self.with_args(args);
        let ended = command.arg("--json").output();
        let ended = ended.map_err(DemoError::system("running a command"))?;
        if !ended.status.success() {
            let said = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
            let (who, what) = (self.slug().to_owned(), args.join(" "));
            return Err(DemoError::Command { who, what, said });
        }
        serde_json::from_slice(&ended.stdout).map_err(|_| self.other_answer(&args.join(" ")))
    }

    fn other_answer(&self, what: &str) -> DemoError {
        DemoError::OtherAnswer { who: self.slug().to_owned(), what: what.to_owned() }
    }

    /// Adds lines to the config file.
    pub(super) fn configure(&self, lines: &str) -> Result<(), DemoError> {
        let path = config_file(self.home());
        let added = File::options()
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(lines.as_bytes()));
        Ok(added.map_err(FileError::at("writing", &path))?)
    }

    /// Starts the node; [`Member::has_started`] tells when it answers.
    pub(super) fn start(&self) -> Result<(), DemoError> {
        let path = self.log();
        let log = File::options().create(true).append(true).open(&path);
        let log = log.map_err(FileError::at("writing", &path))?;
        let mut command = self.with_args(&["serve"]);
        command.stdout(Stdio::null()).stderr(log);
        self.crew.start(self.slug(), &mut command)
    }

    /// Whether the node answers and listens; from then on its relay leads to it.
    pub(super) fn has_started(&self) -> Result<bool, DemoError> {
        if !self.runs() {
            return Err(self.not_running());
        }
        let Some(status) = self.try_status()? else { return Ok(false) };
        let addresses = status.listening.map(|listening| listening.addresses).unwrap_or_default();
        let ports = addresses.iter().filter_map(|one| one.rsplit_once("/tcp/")?.1.parse().ok());
        let Some(port) = ports.max() else { return Ok(false) };
        self.relay.forward_to(port);
        Ok(true)
    }

    /// Whether the node's process runs.
    pub(super) fn runs(&self) -> bool {
        self.crew.runs(self.slug())
    }

    /// Ends the node's process at once.
    pub(super) fn kill(&self) {
        self.crew.kill(self.slug());
    }

    /// Asks the node to end, and waits.
    pub(super) fn stop(&self) -> bool {
        self.crew.stop(self.slug())
    }

    fn not_running(&self) -> DemoError {
        DemoError::NotRunning { who: self.slug().to_owned(), log: self.log() }
    }

    /// Asks the node; none when it does not answer yet.
    fn try_ask(&self, request: &Request) -> Result<Option<Answer>, DemoError> {
        let asked = control::ask(&self.home.socket(), request);
        let who = || self.slug().to_owned();
        match asked.map_err(|source| DemoError::Control { who: who(), source })? {
            None => Ok(None),
            Some(Reply::Done(answer)) => Ok(Some(answer)),
            Some(Reply::Refused(refusal)) => Err(DemoError::Refused { who: who(), refusal }),
        }
    }

    pub(super) fn ask(&self, request: &Request) -> Result<Answer, DemoError> {
        self.try_ask(request)?.ok_or_else(|| self.not_running())
    }

    fn try_status(&self) -> Result<Option<Status>, DemoError> {
        match self.try_ask(&Request::Status)? {
            None => Ok(None),
            Some(Answer::Status(status)) => Ok(Some(*status)),
            Some(_) => Err(self.other_answer("status")),
        }
    }

    /// To how many others it is connected.
    pub(super) fn connected(&self) -> Result<usize, DemoError> {
        Ok(self.status()?.peers.iter().filter(|peer| peer.is_connected).count())
    }

    pub(super) fn status(&self) -> Result<Status, DemoError> {
        self.try_status()?.ok_or_else(|| self.not_running())
    }

    /// The ids of all artefacts.
    pub(super) fn list(&self) -> Result<Vec<String>, DemoError> {
        let query = ListQuery { board: None, after: None, limit: ARTEFACTS_MAX };
        match self.ask(&Request::Look(Look::List(query)))? {
            Answer::Artefacts(list) if list.more == 0 => {
                Ok(list.artefacts.into_iter().map(|one| one.artefact).collect())
            }
            _ => Err(self.other_answer("list")),
        }
    }

    pub(super) fn show(&self, artefact: &str) -> Result<Artefact, DemoError> {
        self.show_as_of(artefact, AsOf::Now)
    }

    pub(super) fn show_as_of(&self, artefact: &str, as_of: AsOf) -> Result<Artefact, DemoError> {
        let look = Look::Show { artefact: artefact.to_owned(), as_of };
        match self.ask(&Request::Look(look))? {
            Answer::Artefact(shown) => Ok(*shown),
            _ => Err(self.other_answer("show")),
        }
    }

    pub(super) fn history(&self, artefact: &str) -> Result<History, DemoError> {
        match self.ask(&Request::Look(Look::History { artefact: artefact.to_owned() }))? {
            Answer::History(history) => Ok(*history),
            _ => Err(self.other_answer("history")),
        }
    }

    pub(super) fn prove(&self, artefact: &str) -> Result<ProvenDecision, DemoError> {
        let look = Look::Prove { artefact: artefact.to_owned(), proposal: None };
        match self.ask(&Request::Look(look))? {
            Answer::Proven(proven) => Ok(*proven),
            _ => Err(self.other_answer("prove")),
        }
    }

    /// Does something with an artefact, as a person at the command line.
    pub(super) fn act(&self, deed: Deed) -> Result<Acted, DemoError> {
        let act = Act { role: None, word: Word::CommandLine, deed };
        match self.ask(&Request::Act(act))? {
            Answer::Acted(acted) => Ok(*acted),
            _ => Err(self.other_answer("act")),
        }
    }

    /// The same of what should be refused: why it was, or none if it was done.
    pub(super) fn refusal(&self, deed: Deed) -> Result<Option<Refusal>, DemoError> {
        match self.act(deed) {
            Ok(_) => Ok(None),
            Err(DemoError::Refused { refusal, .. }) => Ok(Some(refusal)),
            Err(error) => Err(error),
        }
    }

    /// Writes a note; its place in this organisation's feed.
    pub(super) fn note(&self, text: &str) -> Result<u64, DemoError> {
        let request = Request::Notes { board: None, texts: Vec::from([text.to_owned()]) };
        let Answer::Notes(notes) = self.ask(&request)? else {
            return Err(self.other_answer("note"));
        };
        notes.written.first().map(|one| one.seq).ok_or_else(|| self.other_answer("note"))
    }

    /// Copies the home with all that is in it; the node must not run.
    pub(super) fn copy_home(&self, to: &Path) -> Result<(), DemoError> {
        copy(self.home(), to)
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), DemoError> {
    fs::create_dir_all(to).map_err(FileError::at("making", to))?;
    for entry in fs::read_dir(from).map_err(FileError::at("reading", from))? {
        let entry = entry.map_err(FileError::at("reading", from))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(FileError::at("reading", &path))?;
        if kind.is_dir() {
            copy(&path, &target)?;
        } else if kind.is_file() {
            fs::copy(&path, &target).map_err(FileError::at("copying", &path))?;
        }
    }
    // Keys are refused in a directory that others can enter.
    let mode = fs::metadata(from).map(|found| found.permissions());
    let kept = mode.and_then(|mode| fs::set_permissions(to, mode));
    Ok(kept.map_err(FileError::at("copying", from))?)
}
