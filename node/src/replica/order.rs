//! Orders: what local callers ask for, once the papers they bring have been read and verified.
//!
//! *Invariants.* Reading an order needs no replica, and may take its time with large papers: it is done
//! off the engine's task. Names of things are looked through for patients' numbers before anything is
//! said of them, see `typed`; values when their types are known, see `artefact::values`.
//!
//! *Source*: ours.

use std::path::PathBuf;

use concordat_protocol::{artefact::guard, codec::Malformed, payload::Note};

use super::typed;
use crate::{
    backup,
    control::{Act, JournalAsk, LogQuery, Look, RecordsAsked, Refusal, Request},
    journal::{Channel, Line},
    paper::{BoardPaper, CardPaper, PaperError},
};

/// A request whose papers have been read and verified.
#[derive(Debug)]
pub enum Order {
    /// Look something up.
    Read(Question),
    /// See [`Request::Notes`].
    Notes {
        /// As the person named it.
        board: Option<String>,
        /// One payload each.
        notes: Vec<Note>,
    },
    /// See [`Request::Record`].
    Record(Line),
    /// See [`Request::Act`].
    Act(Box<Act>),
    /// See [`Request::Records`]: handed on as it is, to whoever holds the node's own tables.
    Records(Box<RecordsAsked>),
    /// See [`Request::Join`].
    Join(Box<BoardPaper>),
    /// See [`Request::AddCard`].
    AddCard {
        /// Verified.
        paper: Box<CardPaper>,
        /// As asked.
        accepts_new_key: bool,
    },
}

/// What changes nothing.
#[derive(Debug, Clone)]
pub enum Question {
    /// See [`Request::Status`].
    Status,
    /// See [`Request::Log`].
    Log(LogQuery),
    /// See [`Request::Charter`].
    Charter(Option<String>),
    /// See [`Request::Look`].
    Look(Look),
    /// See [`Request::Journal`].
    Journal(JournalAsk),
    /// See [`Request::Backup`].
    Backup(Box<backup::Ask>),
    /// See [`Request::Export`].
    Export {
        /// As the person named it.
        board: Option<String>,
        /// Where to.
        out: PathBuf,
    },
}

impl Order {
    /// Whether it writes nothing.
    #[must_use]
    pub fn only_looks(&self) -> bool {
        match self {
            Self::Read(_) => true,
            Self::Records(asked) => matches!(**asked, RecordsAsked::Look(_)),
            Self::Notes { .. }
            | Self::Record(_)
            | Self::Act(_)
            | Self::Join(_)
            | Self::AddCard { .. } => false,
        }
    }

    /// What is asked for, in one word.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Read(_) => "look",
            Self::Notes { .. } => "notes",
            Self::Record(_) => "record",
            Self::Records(_) => "records",
            Self::Act(_) => "act",
            Self::Join(_) => "join",
            Self::AddCard { .. } => "card",
        }
    }

    /// On whose word.
    #[must_use]
    pub fn channel(&self) -> Channel {
        match self {
            Self::Act(act) => act.word.into(),
            _ => Channel::CommandLine,
        }
    }

    /// Reads and verifies what a request brings; takes its time with large papers.
    ///
    /// # Errors
    /// - [`Refusal`]: it cannot be done, whatever the node holds.
    pub fn read(request: Request) -> Result<Self, Refusal> {
        typed::expect_no_patient(&request)?;
        Ok(match request {
            Request::Status => Self::Read(Question::Status),
            Request::Log(query) => Self::Read(Question::Log(query)),
            Request::Charter { board } => Self::Read(Question::Charter(board)),
            Request::Look(look) => Self::Read(Question::Look(look)),
            Request::Journal(ask) => Self::Read(Question::Journal(ask)),
            Request::Backup(ask) => Self::Read(Question::Backup(ask)),
            Request::Record(line) => Self::Record(line),
            Request::Act(act) => Self::Act(Box::new(act)),
            Request::Records(asked) => Self::Records(asked),
            Request::Export { board, out } => Self::Read(Question::Export { board, out }),
            Request::Notes { board, texts } => {
                let notes = texts.into_iter().map(note).collect::<Result<_, _>>()?;
                Self::Notes { board, notes }
            }
            Request::Join { paper } => {
                Self::Join(Box::new(BoardPaper::from_text(&paper).map_err(bad_paper)?))
            }
            Request::AddCard { paper, accepts_new_key } => {
                let paper = Box::new(CardPaper::from_text(&paper).map_err(bad_paper)?);
                Self::AddCard { paper, accepts_new_key }
            }
        })
    }
}

/// Only what decodes again is signed, and nothing about a patient.
fn note(text: String) -> Result<Note, Refusal> {
    guard::expect_none("the note", &text).map_err(|why| Refusal::new("patient-number", why))?;
    let note = Note { text };
    match Note::from_bytes(&note.to_bytes()) {
        Ok(note) => Ok(note),
        Err(Malformed::Count { .. }) => {
            Err(Refusal::new("empty-note", "a note is empty; give it a text"))
        }
        Err(why) => Err(Refusal::new("too-long", format!("{why}; shorten it or attach a file"))),
    }
}

fn bad_paper(error: PaperError) -> Refusal {
    Refusal::new(error.code(), error)
}
