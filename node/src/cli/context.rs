//! Where the node is, and how it is asked: by its running daemon, or by this process.
//!
//! *Invariants.* A command gets the same answer either way. Only `init` finds no node.
//!
//! *Source*: ours.

use std::{
    env,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::error::CliError;
use crate::{
    config::Config,
    control::{self, Answer, JournalAsk, Reply, Request},
    home::{Home, config_file},
    journal::{Channel, Event, Line},
    organisation::Organisation,
    replica::{OfflineError, Order, act, ask_journal, record},
    store::{EngineKind, StoreError},
};

const HOME_VARIABLE: &str = "CONCORDAT_HOME";
const HOME_DEFAULT: &str = "concordat-home";
/// How long a daemon that has the store open may take until it answers.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// Where the node is.
#[derive(Debug)]
pub(super) struct Context {
    directory: PathBuf,
    config_path: PathBuf,
}

impl Context {
    pub(super) fn new(home: Option<PathBuf>, config: Option<PathBuf>) -> Self {
        let from_variable = || env::var_os(HOME_VARIABLE).map(PathBuf::from);
        let directory = home.or_else(from_variable).unwrap_or_else(|| HOME_DEFAULT.into());
        let config_path = config.unwrap_or_else(|| config_file(&directory));
        Self { directory, config_path }
    }

    /// The node's directory, as it was named.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The config file, as it was named.
    pub(super) fn config_path(&self) -> &Path {
        &self.config_path
    }

    /// The config, and the home that it names.
    pub(super) fn config(&self) -> Result<(Config, Home), CliError> {
        if !self.config_path.exists() {
            return Err(CliError::NoNode { directory: self.directory.clone() });
        }
        let config = Config::load(&self.config_path)?;
        let home = Home::new(config.home());
        Ok((config, home))
    }

    /// This organisation, with its keys.
    pub(super) fn organisation(&self) -> Result<Organisation, CliError> {
        let (_, home) = self.config()?;
        Ok(Organisation::load(&home)?)
    }

    /// Writes to the journal what this command did, by the daemon or here; durable on return.
    pub(super) fn record(&self, event: Event) -> Result<(), CliError> {
        self.record_line(Line::done(event))
    }

    /// The same of what an administrator asked for and did not get; gives why.
    pub(super) fn refused<T>(
        &self,
        act: &str,
        done: Result<T, impl Into<CliError>>,
    ) -> Result<T, CliError> {
        done.map_err(|error| {
            let error = error.into();
            let event = Event::ActRefused { act: act.to_owned(), channel: Channel::CommandLine };
            if let Err(untold) = self.record_line(Line::refused(event, error.code())) {
                tracing::warn!(code = untold.code(), "the refusal is not in the journal: {untold}");
            }
            error
        })
    }

    fn record_line(&self, line: Line) -> Result<(), CliError> {
        let (config, home) = self.config()?;
        if config.store() == EngineKind::Memory && !control::is_running(&home.socket()) {
            // A journal in memory begins with the daemon.
            return Ok(());
        }
        let request = Request::Record(line.clone());
        let here =
            || record(&home, config.store(), line.clone()).map(|()| Reply::Done(Answer::Recorded));
        match self.ask_or(&request, here)? {
            Answer::Recorded => Ok(()),
            _ => Err(CliError::OtherAnswer),
        }
    }

    /// Looks into the journal, by the daemon or here.
    pub(super) fn journal(&self, ask: JournalAsk) -> Result<Answer, CliError> {
        let (config, home) = self.config()?;
        let request = Request::Journal(ask.clone());
        self.ask_or(&request, || ask_journal(&home, &config, &ask))
    }

    /// Asks the daemon, or acts by itself when none runs.
    pub(super) fn ask(&self, request: Request) -> Result<Answer, CliError> {
        let (config, home) = self.config()?;
        self.ask_or::<CliError>(&request, || {
            let organisation = Organisation::load(&home)?;
            let order = Order::read(request.clone())?;
            Ok(act(&home, &config, Arc::new(organisation), order)?)
        })
    }

    /// Asks the daemon, or does `here` when none runs.
    fn ask_or<E: Into<CliError>>(
        &self,
        request: &Request,
        here: impl Fn() -> Result<Reply, E>,
    ) -> Result<Answer, CliError> {
        let (_, home) = self.config()?;
        let give_up = Instant::now() + PATIENCE;
        loop {
            if let Some(reply) = control::ask(&home.socket(), request)? {
                return done(reply);
            }
            match here().map_err(Into::into) {
                Ok(reply) => return done(reply),
                // A daemon is starting or stopping, or another command is at work.
                Err(CliError::Offline(OfflineError::Store(StoreError::Locked { .. })))
                    if Instant::now() < give_up =>
                {
                    thread::sleep(PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn done(reply: Reply) -> Result<Answer, CliError> {
    match reply {
        Reply::Done(answer) => Ok(answer),
        Reply::Refused(refusal) => Err(refusal.into()),
    }
}
