//! What every handler holds: the way to the daemon, and what the API itself keeps.
//!
//! *Invariants.* Whatever is asked goes the daemon's one way, `control::Calls`.
//!
//! *Source*: ours.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::{Holder, Role, Tokens, changes::Changes, metrics::Counts, problem::Problem};
use crate::{
    control::{Act, Acted, Answer, Calls, Deed, Look, Reply, Request, Word},
    home::Home,
    journal::Aside,
    view::Status,
};

/// Streams of events at once; each holds a connection.
const STREAMS_MAX: usize = 64;

#[derive(Debug, Clone)]
pub(super) struct Api(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    calls: Calls,
    journal: Aside,
    home: Home,
    tokens: Tokens,
    changes: Arc<Changes>,
    streams: Arc<Semaphore>,
    counts: Counts,
}

impl Api {
    pub(super) fn new(
        home: &Home,
        (calls, journal): (Calls, Aside),
        changes: Arc<Changes>,
    ) -> Self {
        Self(Arc::new(Shared {
            calls,
            journal,
            home: home.clone(),
            tokens: Tokens::of(home),
            changes,
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            counts: Counts::default(),
        }))
    }

    /// The way to the journal.
    pub(super) fn journal(&self) -> &Aside {
        &self.0.journal
    }

    pub(super) fn home(&self) -> &Home {
        &self.0.home
    }

    pub(super) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    pub(super) fn changes(&self) -> &Arc<Changes> {
        &self.0.changes
    }

    pub(super) fn streams(&self) -> &Arc<Semaphore> {
        &self.0.streams
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.0.counts
    }

    /// Asks the daemon.
    pub(super) async fn ask(&self, request: Request) -> Result<Answer, Problem> {
        match self.0.calls.ask(|| Ok(request)).await {
            Some(Reply::Done(answer)) => Ok(answer),
            Some(Reply::Refused(refusal)) => Err(refusal.into()),
            None => Err(Problem::no_answer()),
        }
    }

    pub(super) async fn status(&self) -> Result<Status, Problem> {
        match self.ask(Request::Status).await? {
            Answer::Status(status) => Ok(*status),
            _ => Err(Problem::no_answer()),
        }
    }

    pub(super) async fn look(&self, look: Look) -> Result<Answer, Problem> {
        self.ask(Request::Look(look)).await
    }

    /// Does something on the word of whoever holds a token.
    pub(super) async fn act(
        &self,
        holder: &Holder,
        role: Option<String>,
        deed: Deed,
    ) -> Result<Acted, Problem> {
        let word = Word::Token { id: holder.id, binds: holder.role == Role::Signatory };
        match self.ask(Request::Act(Act { role, word, deed })).await? {
            Answer::Acted(acted) => Ok(*acted),
            _ => Err(Problem::no_answer()),
        }
    }
}
