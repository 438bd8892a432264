//! `/healthz`: the process answers. `/readyz`: it can do its work, told check by check.
//!
//! | check | is well when |
//! |---|---|
//! | `keys` | every key in use can be read, fits the card, and is for its owner alone |
//! | `store` | the daemon answers from it, its writer gets on, and it is not an older copy |
//! | `disk` | enough space is left where the store is |
//! | `clock` | it is within 15 minutes of the median of the peers' |
//! | `peers` | one partner at least is connected, or none is known |
//!
//! *Invariants.* Nothing is assumed: a check that cannot be made is not well. No content is shown, so
//! no token is needed.
//!
//! *Source*: ours.

use std::{path::Path, time::Duration};

use axum::{Json, extract::State, http::StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::timeout;

use super::api::Api;
use crate::{
    home::{Home, free_bytes},
    organisation::Organisation,
    view::{ClockLine, Status},
};

/// How long the daemon may take to tell how it is.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// A group of writes costs one fsync; slow disks take a tenth of a second.
const WRITES_WITHIN_MS: u64 = 10_000;

/// Whether the node can do its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Readiness {
    /// Whether every check is well.
    pub(super) is_ready: bool,
    /// In a fixed order.
    pub(super) checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Check {
    /// Its name.
    pub(super) name: &'static str,
    /// Whether it is well.
    pub(super) is_ok: bool,
    /// What was found.
    says: String,
    /// What to do, if it is not well.
    next: Option<&'static str>,
}

impl Check {
    fn well(name: &'static str, says: impl Into<String>) -> Self {
        Self { name, is_ok: true, says: says.into(), next: None }
    }

    fn ill(name: &'static str, says: impl Into<String>, next: &'static str) -> Self {
        Self { name, is_ok: false, says: says.into(), next: Some(next) }
    }
}

pub(super) async fn is_alive() -> &'static str {
    "ok\n"
}

pub(super) async fn is_ready(State(api): State<Api>) -> (StatusCode, Json<Readiness>) {
    let readiness = readiness(&api).await.0;
    let status = if readiness.is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness))
}

/// Every check, and how the node is, if it answers.
pub(super) async fn readiness(api: &Api) -> (Readiness, Option<Status>) {
    let home = api.home().clone();
    let status = timeout(ANSWERS_WITHIN, api.status()).await;
    let status = status.ok().and_then(Result::ok);
    let warning = status.as_ref().and_then(|status| status.disk.clone());
    let look = move || (keys(&home), disk(home.directory(), warning));
    let on_disk = tokio::task::spawn_blocking(look);
    let (keys, disk) = on_disk.await.unwrap_or_else(|_| (unanswered("keys"), unanswered("disk")));
    let (store, clock, peers) = match &status {
        Some(status) => (store(status), clock(&status.clock), peers(status)),
        None => (unanswered("store"), unanswered("clock"), unanswered("peers")),
    };
    let checks = Vec::from([keys, store, disk, clock, peers]);
    (Readiness { is_ready: checks.iter().all(|check| check.is_ok), checks }, status)
}

fn unanswered(name: &'static str) -> Check {
    let says = format!("the daemon did not answer within {} s", ANSWERS_WITHIN.as_secs());
    Check::ill(name, says, "look at the daemon's log; if it goes on, restart it")
}

fn keys(home: &Home) -> Check {
    match Organisation::load(home) {
        Ok(_) => Check::well("keys", "all keys are there, and for their owner alone"),
        Err(error) => {
            let next = "mend what is named; `concordat keys show` tells which keys are in use";
            Check::ill("keys", error.to_string(), next)
        }
    }
}

fn store(status: &Status) -> Check {
    let waiting = status.writer.unwrap_or_default();
    if waiting.waiting_ms > WRITES_WITHIN_MS {
        let (bytes, ms) = (waiting.waiting_bytes, waiting.waiting_ms);
        let says = format!("{bytes} bytes wait for the disk, which has taken none for {ms} ms");
        return Check::ill("store", says, "see whether the disk is failing, full or overloaded");
    }
    if let Some(why) = &status.restored {
        let says = format!("the store may be an older copy: {why}");
        let next = "wait until partners have told how far this node's feeds had come";
        return Check::ill("store", says, next);
    }
    Check::well("store", format!("{} keys; the writer gets on", status.store_entries))
}

/// The daemon says when its reserve is touched: one rule, and one sentence.
fn disk(home: &Path, warning: Option<String>) -> Check {
    let next = "free some space on the disk of the node's home";
    match (warning, free_bytes(home)) {
        (Some(warning), _) => Check::ill("disk", warning, next),
        (None, Ok(free)) => Check::well("disk", format!("{free} bytes are free")),
        (None, Err(error)) => {
            let says = format!("the disk of {} cannot be asked: {error}", home.display());
            Check::ill("disk", says, "see whether the node's home is still mounted")
        }
    }
}

fn clock(clock: &ClockLine) -> Check {
    match (&clock.warning, clock.ahead_ms) {
        (Some(warning), _) => {
            Check::ill("clock", warning, "set this machine's clock by NTP; see the peers' too")
        }
        (None, Some(ahead)) => {
            let says = format!("{ahead} ms ahead of the median of {} peers", clock.peers);
            Check::well("clock", says)
        }
        (None, None) => Check::well("clock", "no peer has told its time since the start"),
    }
}

fn peers(status: &Status) -> Check {
    let known = status.peers.len();
    let connected = status.peers.iter().filter(|peer| peer.is_connected).count();
    let says = format!("{connected} of {known} partners are connected");
    if known > 0 && connected == 0 {
        let next = "see that partners' addresses are right and their ports are open; entries \
                    written here wait until one is back";
        return Check::ill("peers", says, next);
    }
    Check::well("peers", says)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        control::{Answer, Request},
        fixture::partner,
        view::WriterLine,
    };

    fn status() -> Status {
        match partner("la-wigan", "council").ask(Request::Status).unwrap() {
            Answer::Status(status) => *status,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_writer_that_hangs_and_an_older_store_are_not_well() {
        let status = |waiting_ms, restored: Option<&str>| Status {
            writer: Some(WriterLine { waiting_bytes: 7, waiting_ms }),
            restored: restored.map(str::to_owned),
            ..status()
        };
        assert!(store(&status(WRITES_WITHIN_MS, None)).is_ok);
        let hangs = store(&status(WRITES_WITHIN_MS + 1, None));
        assert!(!hangs.is_ok && hangs.says.contains("7 bytes wait"), "{hangs:?}");
        let older = store(&status(0, Some("it does not hold entry 7")));
        assert!(!older.is_ok && older.says.contains("it does not hold entry 7"), "{older:?}");
    }

    #[test]
    fn a_clock_that_is_off_is_not_well() {
        let line = |warning: Option<&str>| ClockLine {
            peers: 2,
            ahead_ms: Some(-1),
            warning: warning.map(str::to_owned),
        };
        assert_eq!(clock(&line(None)).says, "-1 ms ahead of the median of 2 peers");
        assert!(!clock(&line(Some("an hour behind"))).is_ok);
    }

    #[test]
    fn a_home_that_is_gone_is_not_well() {
        let place = tempfile::tempdir().unwrap();
        assert!(disk(place.path(), None).says.contains("bytes are free"));
        assert!(!disk(&place.path().join("gone"), None).is_ok);
        assert!(!disk(place.path(), Some("the disk is nearly full".to_owned())).is_ok);
    }
}
