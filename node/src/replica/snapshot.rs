//! A snapshot: what is known at one moment, so that looking it through holds nobody up.
//!
//! *Invariants.* Holds views and a reader, never the engine. What the reader finds may be newer than
//! the views; entries beyond a view's size are not shown.
//!
//! *Source*: ours.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use concordat_protocol::{
    charter::{Charter, Founding},
    engine::{BoardView, ClockCheck},
    hash::{BoardId, OrgId},
    identity::SignedCard,
};
use data_encoding::BASE64;

use super::{ExportError, Question, Replica, export};
use crate::{
    artefact::{Documents, artefact_named},
    backup,
    control::{Answer, Exported, JournalAsk, Look, Refusal, Reply},
    journal::{self, Aside, Event, Line},
    organisation::Organisation,
    store::{Reader, StoreError},
    view::{self, Running},
};

/// What is known at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub(crate) views: Vec<BoardView>,
    pub(crate) foundings: BTreeMap<BoardId, Founding>,
    pub(crate) reader: Reader,
    pub(crate) organisation: Arc<Organisation>,
    pub(crate) suspicion: Option<String>,
    pub(crate) clock: ClockCheck,
    pub(crate) documents: Arc<Documents>,
    aside: Aside,
}

impl Snapshot {
    pub(super) fn new(replica: &Replica) -> Self {
        let views = replica.views();
        let founding = |view: &BoardView| {
            replica.engine.founding(&view.board).map(|founding| (view.board, founding.clone()))
        };
        Self {
            foundings: views.iter().filter_map(founding).collect(),
            suspicion: suspicion(replica, &views),
            clock: replica.engine.clock(),
            views,
            reader: replica.reader.clone(),
            organisation: Arc::clone(&replica.organisation),
            documents: Arc::clone(&replica.documents),
            aside: replica.journal.aside(),
        }
    }

    /// Answers a question; reads the store, so not on the engine's task.
    #[must_use]
    pub fn answer(&self, question: Question, running: Option<&Running>) -> Reply {
        let answered = match question {
            Question::Status => view::status(self, running).map(|s| Answer::Status(Box::new(s))),
            Question::Log(query) => match self.board_named(query.board.as_deref()) {
                Ok(board) => match view::log(self, board, &query) {
                    Ok(log) => log.map(Answer::Log),
                    Err(refusal) => return Reply::Refused(refusal),
                },
                Err(refusal) => return Reply::Refused(refusal),
            },
            Question::Charter(named) => match self.founding_named(named.as_deref()) {
                Ok(founding) => Ok(Answer::Charter(BASE64.encode(&founding.to_bytes()))),
                Err(refusal) => return Reply::Refused(refusal),
            },
            Question::Look(look) => {
                return self.look(look).map_or_else(Reply::Refused, Reply::Done);
            }
            Question::Backup(ask) => {
                return match backup::make(&self.reader, &ask, &mut |_, _| ()) {
                    Ok(made) => Reply::Done(Answer::BackedUp(Box::new(made))),
                    Err(error) => Reply::Refused(Refusal::new(error.code(), error)),
                };
            }
            Question::Journal(ask) => return journal(&self.reader, &ask),
            Question::Export { board, out } => return self.export(board.as_deref(), &out),
        };
        match answered {
            Ok(answer) => Reply::Done(answer),
            Err(error) => Reply::Refused(Refusal::new("store", error)),
        }
    }

    fn look(&self, look: Look) -> Result<Answer, Refusal> {
        use view::artefact;
        Ok(match look {
            Look::List(query) => Answer::Artefacts(artefact::list(self, &query)?),
            Look::Show { artefact, as_of } => {
                Answer::Artefact(Box::new(artefact::show(self, &artefact, as_of)?))
            }
            Look::Prove { artefact, proposal } => {
                let proof = artefact::proof(self, &artefact, proposal.as_deref())?;
                Answer::Proven(Box::new(proof))
            }
            Look::History { artefact } => {
                Answer::History(Box::new(artefact::history(self, &artefact)?))
            }
            Look::Retry { artefact } => {
                let (_, artefact) = artefact_named(self, &artefact)?;
                Answer::Retried(self.documents.retry(&artefact))
            }
        })
    }

    /// The documents of this node.
    #[must_use]
    pub fn documents(&self) -> &Documents {
        &self.documents
    }

    /// What is stored, as far as it is durable.
    #[must_use]
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// This organisation.
    #[must_use]
    pub fn me(&self) -> OrgId {
        self.organisation.id()
    }

    /// The charter of a board.
    ///
    /// # Errors
    /// - [`Refusal`]: it is not known.
    pub fn charter(&self, board: &BoardView) -> Result<&Charter, Refusal> {
        let founding = self.foundings.get(&board.board);
        let unknown =
            || Refusal::new("unknown-board", format!("nothing is known of {}", board.board));
        founding.map(Founding::charter).ok_or_else(unknown)
    }

    fn export(&self, named: Option<&str>, out: &Path) -> Reply {
        let founding = match self.founding_named(named) {
            Ok(founding) => founding,
            Err(refusal) => return Reply::Refused(refusal),
        };
        let board = founding.board();
        match self.export_to(founding, out) {
            Ok(done) => {
                let (bytes, entries) = (done.bytes, done.entries);
                self.aside.tell(Line::done(Event::Exported { board, entries, bytes }));
                let (board, out) = (board.to_string(), out.to_path_buf());
                Reply::Done(Answer::Exported(Exported { board, out, bytes, entries }))
            }
            Err(error) => Reply::Refused(Refusal::new("export", error)),
        }
    }

    /// The cards of others as they are stored, then our own, which may be newer.
    fn export_to(&self, founding: &Founding, out: &Path) -> Result<export::Exported, ExportError> {
        let own = self.organisation.paper().card();
        let mut cards = self.cards()?;
        cards.retain(|card| card.card().org != own.card().org);
        cards.push(own.clone());
        export::export(&self.reader, &[founding], &cards, out)
    }

    fn board_named(&self, named: Option<&str>) -> Result<&BoardView, Refusal> {
        board_named(&self.views, |view| view.board, named)
    }

    fn founding_named(&self, named: Option<&str>) -> Result<&Founding, Refusal> {
        let board = self.board_named(named)?.board;
        let unknown = || Refusal::new("unknown-board", format!("nothing is known of {board}"));
        self.foundings.get(&board).ok_or_else(unknown)
    }

    /// The cards of all organisations that are known.
    ///
    /// # Errors
    /// - [`StoreError`]: they could not be read.
    pub fn cards(&self) -> Result<Vec<SignedCard>, StoreError> {
        export::cards(&self.reader)
    }
}

/// Looks into the journal.
pub(super) fn journal(reader: &Reader, ask: &JournalAsk) -> Reply {
    let answered = match ask {
        JournalAsk::Page(query) => match journal::page(reader, query) {
            Ok(Ok(page)) => Ok(Answer::JournalPage(page)),
            Ok(Err(refusal)) => return Reply::Refused(refusal),
            Err(error) => Err(error),
        },
        JournalAsk::Verify => journal::marked(reader)
            .and_then(|marked| journal::check(reader, marked))
            .map(Answer::JournalChecked),
    };
    answered.map_or_else(|error| Reply::Refused(Refusal::new("store", error)), Reply::Done)
}

/// Why the store may be an older copy, until partners have told that it is not.
fn suspicion(replica: &Replica, views: &[BoardView]) -> Option<String> {
    let is_restoring = views.iter().any(|view| view.is_restoring);
    replica.suspicion.as_ref().filter(|_| is_restoring).map(ToString::to_string)
}

/// The board that a person named: by id, by the beginning of it, or by leaving it out.
///
/// # Errors
/// - [`Refusal`]: none is meant, or more than one.
pub fn board_named<'a, T>(
    boards: &'a [T],
    id: impl Fn(&T) -> BoardId,
    named: Option<&str>,
) -> Result<&'a T, Refusal> {
    let ids = || {
        let ids: Vec<String> = boards.iter().map(|board| id(board).to_string()).collect();
        ids.join(", ")
    };
    let is_meant = |board: &&T| {
        let id = id(board).to_string();
        named.is_none_or(|named| {
            id.starts_with(named)
                || id.strip_prefix("board-").is_some_and(|id| id.starts_with(named))
        })
    };
    let mut meant = boards.iter().filter(is_meant);
    match (meant.next(), meant.next(), named) {
        (Some(board), None, _) => Ok(board),
        (None, _, _) if boards.is_empty() => {
            let message = "this node takes part in no board; found one, or join one by its file";
            Err(Refusal::new("no-board", message))
        }
        (None, _, named) => {
            let named = named.unwrap_or_default();
            let message = format!("no board begins with {named:?}; there is {}", ids());
            Err(Refusal::new("unknown-board", message))
        }
        (Some(_), Some(_), _) => {
            let message = format!("name one of the boards by the beginning of its id: {}", ids());
            Err(Refusal::new("which-board", message))
        }
    }
}
