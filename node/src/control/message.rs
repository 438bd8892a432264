//! What commands ask of a node, and what it answers: one JSON value a line.
//!
//! ```text
//!   command                                  daemon, or the same code in the command's own process
//!   {"status":null}\n                ──▶
//!                                    ◀──    {"done":{"status":{…}}}\n
//!   {"notes":{"board":null,…}}\n     ──▶
//!                                    ◀──    {"refused":{"code":"observer","message":"…"}}\n
//! ```
//!
//! *Invariants.* One answer a request, in order. Not a public format: command and daemon are of one
//! version. Knows nothing of how the answer is found.
//!
//! *Source*: ours.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Act, Acted, Look, RecordsAnswer, RecordsAsked};
use crate::{
    backup,
    journal::{self, Line},
    view::{
        Log, Status,
        artefact::{Artefact, ArtefactList, History, ProvenDecision},
    },
};

/// Longest request: a board with a thousand members and their cards fits.
pub const REQUEST_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// What a command asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// How the node is.
    Status,
    /// Write these texts to a board.
    Notes {
        /// As the person named it.
        board: Option<String>,
        /// One note each.
        texts: Vec<String>,
    },
    /// Show entries.
    Log(LogQuery),
    /// Show a board's charter.
    Charter {
        /// As the person named it.
        board: Option<String>,
    },
    /// Take part in a board.
    Join {
        /// The text of a board paper.
        paper: String,
    },
    /// Know an organisation's node.
    AddCard {
        /// The text of a card paper.
        paper: String,
        /// The person says that the organisation really has other keys now.
        accepts_new_key: bool,
    },
    /// Look something up about artefacts.
    Look(Look),
    /// Do something with an artefact.
    Act(Act),
    /// Look at private records, or do something with them.
    Records(Box<RecordsAsked>),
    /// Look into the journal.
    Journal(JournalAsk),
    /// Write to the journal what a command did, or was refused.
    Record(Line),
    /// Write a backup of the node.
    Backup(Box<backup::Ask>),
    /// Write all that an auditor needs to a file.
    Export {
        /// As the person named it.
        board: Option<String>,
        /// A path that does not exist yet.
        out: PathBuf,
    },
}

/// What is asked of the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalAsk {
    /// Entries by filters.
    Page(journal::Query),
    /// Whether its chain is whole.
    Verify,
}

/// Which entries to show.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogQuery {
    /// As the person named the board.
    pub board: Option<String>,
    /// Of this member alone, by short name or organisation id.
    pub feed: Option<String>,
    /// From this seq on; without it the last ones.
    pub from: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// What comes of a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It was done, or looked up.
    Done(Answer),
    /// It was not.
    Refused(Refusal),
}

/// What is answered to each [`Request`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To `Status`.
    Status(Box<Status>),
    /// To `Notes`.
    Notes(Notes),
    /// To `Log`.
    Log(Log),
    /// To `Charter`: a founding file in base64.
    Charter(String),
    /// To `Join`.
    Joined(Joined),
    /// To `AddCard`.
    CardAdded(CardAdded),
    /// To `Export`.
    Exported(Exported),
    /// To `Look::List`.
    Artefacts(ArtefactList),
    /// To `Look::Show`.
    Artefact(Box<Artefact>),
    /// To `Look::Prove`.
    Proven(Box<ProvenDecision>),
    /// To `Look::History`.
    History(Box<History>),
    /// To `Look::Retry`: whether it was suspended.
    Retried(bool),
    /// To `JournalAsk::Page`.
    JournalPage(journal::Page),
    /// To `JournalAsk::Verify`.
    JournalChecked(journal::Checked),
    /// To `Record`: it is durable.
    Recorded,
    /// To `Backup`.
    BackedUp(Box<backup::Made>),
    /// To `Act`.
    Acted(Box<Acted>),
    /// To `Records`.
    Records(RecordsAnswer),
}

/// What became of notes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// The board.
    pub board: String,
    /// Durable now, in the order of the texts.
    pub written: Vec<Written>,
    /// Not signed yet: the node first has to hear from its partners.
    pub waiting: usize,
}

/// One entry that is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Written {
    /// Its place in this organisation's feed.
    pub seq: u64,
    /// Its id.
    pub id: String,
}

/// What became of a joining.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The board.
    pub board: String,
    /// Its title.
    pub title: String,
    /// Nothing had to be done.
    pub was_joined: bool,
}

/// What became of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardAdded {
    /// The organisation.
    pub org: String,
    /// Nothing had to be done.
    pub was_known: bool,
}

/// What became of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// The board.
    pub board: String,
    /// The file.
    pub out: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// Entries in it.
    pub entries: u64,
}

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Stable, for programs.
    pub code: String,
    /// In words, with what to do next.
    pub message: String,
}

impl Refusal {
    /// A refusal with its code.
    #[must_use]
    pub fn new(code: &str, message: impl ToString) -> Self {
        Self { code: code.to_owned(), message: message.to_string() }
    }
}
