//! One order, done by a command itself because no daemon runs.
//!
//! The command opens the store, which refuses it while a daemon has it open, and does with the same
//! replica what the daemon would do. What it signs is durable, and is shared at the next `serve`.
//!
//! *Invariants.* All is durable when `act` returns, the mark included. Nothing is sent.
//!
//! *Source*: ours.

use std::{collections::VecDeque, sync::Arc};

use concordat_protocol::engine::{Effect, Input};
use tokio::sync::oneshot;

use super::{Begun, Desk, Mark, MarkError, Order, Replica, ReplicaError, Work, Writes};
use crate::{
    artefact::prepare,
    backup::{self, BackupError},
    config::Config,
    control::{Answer, JournalAsk, Promoting, RecordsAnswer, RecordsAsked, Refusal, Reply, Word},
    home::{Home, free_bytes},
    journal::{Event, Journal, Line},
    organisation::Organisation,
    records,
    store::{self, EngineKind, Op, Store, StoreError},
};

/// Why a command could not act by itself.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// There is nothing to open.
    #[error(
        "the config keeps this node's store in memory, so there is nothing to look at or write to \
         while no daemon runs; start it with `concordat serve`"
    )]
    MemoryStore,
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The replica said no.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    /// The mark could not be read.
    #[error(transparent)]
    Mark(#[from] MarkError),
}

/// Does one order, and says what came of it.
///
/// # Errors
/// - [`OfflineError`]: store or mark cannot be read or written.
pub fn act(
    home: &Home,
    config: &Config,
    organisation: Arc<Organisation>,
    order: Order,
) -> Result<Reply, OfflineError> {
    if config.store() == EngineKind::Memory {
        return Err(OfflineError::MemoryStore);
    }
    let store = store::open(&home.store(), config.store())?;
    let replica = Replica::open(home, organisation, store.reader(), false)?;
    let mut here = Here { home, config, store, replica, desk: Desk::default() };
    let reply = here.ask(order)?;
    write_more(&mut here.replica, &here.store)?;
    Ok(reply)
}

/// A node without a daemon, for as long as one order takes.
struct Here<'a> {
    home: &'a Home,
    config: &'a Config,
    store: Store,
    replica: Replica,
    desk: Desk,
}

impl Here<'_> {
    fn ask(&mut self, order: Order) -> Result<Reply, OfflineError> {
        let (reply, mut answer) = oneshot::channel();
        match self.desk.take(order, reply, &mut self.replica)? {
            Work::Effects(effects) => {
                self.perform(effects)?;
                if let Some(Begun { act, about, reply }) = self.desk.next_act() {
                    let prepared = prepare(&self.replica.snapshot(), &act);
                    let effects =
                        self.desk.prepared(prepared, (about, reply), &mut self.replica)?;
                    self.perform(effects)?;
                }
            }
            Work::Read(question, reply) => {
                super::desk::answer_with(reply, self.replica.snapshot().answer(question, None));
            }
            Work::Record(reply) => {
                write_more(&mut self.replica, &self.store)?;
                super::desk::answer_with(reply, Reply::Done(Answer::Recorded));
            }
            Work::Records(asked, reply) => {
                let answered = self.records(*asked)?;
                let answered = answered.map(|answer| Reply::Done(Answer::Records(answer)));
                super::desk::answer_with(reply, answered.unwrap_or_else(Reply::Refused));
            }
        }
        Ok(match answer.try_recv() {
            // They waited in this process, and end with it.
            Ok(Reply::Done(Answer::Notes(notes))) if notes.waiting > 0 => {
                Reply::Refused(unsigned())
            }
            Ok(reply) => reply,
            Err(_) => Reply::Refused(unsigned()),
        })
    }

    fn perform(&mut self, effects: Vec<Effect>) -> Result<(), OfflineError> {
        perform(effects, &mut self.desk, &mut self.replica, &self.store)
    }

    fn records(
        &mut self,
        asked: RecordsAsked,
    ) -> Result<Result<RecordsAnswer, Refusal>, OfflineError> {
        if !matches!(asked, RecordsAsked::Look(_))
            && let Err(refusal) = self.expect_space()
        {
            return Ok(Err(refusal));
        }
        match asked {
            RecordsAsked::Look(look) => {
                Ok(records::look(&self.replica.snapshot(), self.home, &look))
            }
            RecordsAsked::Change(change) => {
                match records::change(&self.replica.snapshot(), self.home, &change) {
                    Ok((ops, answer)) => self.commit(ops).map(|()| Ok(answer)),
                    Err(refusal) => Ok(Err(refusal)),
                }
            }
            RecordsAsked::Promote { what, seal, word } => self.promote(&what, &seal, word),
        }
    }

    fn promote(
        &mut self,
        what: &Promoting,
        seal: &str,
        word: Word,
    ) -> Result<Result<RecordsAnswer, Refusal>, OfflineError> {
        let snapshot = self.replica.snapshot();
        let mut begun = match records::begin(&snapshot, self.home, (what, seal, word)) {
            Ok(begun) => begun,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.commit(std::mem::take(&mut begun.ops))?;
        match self.ask(Order::Act(Box::new(begun.act.clone())))? {
            Reply::Done(Answer::Acted(acted)) => {
                let (ops, line) = begun.done(&acted);
                self.replica.journal().tell(records::journalled(&line, word));
                self.commit(ops)?;
                Ok(Ok(RecordsAnswer::Promoted(Box::new(line))))
            }
            Reply::Refused(refusal) => {
                let event = records::journalled(begun.line(), word);
                self.replica.journal().tell_refused(event, &refusal.code);
                self.commit(begun.refused())?;
                Ok(Err(refusal))
            }
            Reply::Done(_) => Ok(Err(unsigned())),
        }
    }

    fn commit(&self, ops: Vec<Op>) -> Result<(), OfflineError> {
        if !ops.is_empty() {
            let _durable = self.store.commit(ops)?;
        }
        Ok(())
    }

    /// As the daemon keeps its reserve.
    fn expect_space(&self) -> Result<(), Refusal> {
        let reserve = self.config.disk_reserve_bytes();
        let directory = self.home.store();
        match free_bytes(&directory) {
            Ok(free) if free < reserve => Err(Refusal::new(
                "disk-reserve",
                format!(
                    "less than {} MB are free on the disk of {}, so nothing new is written; free \
                     some space, and try again",
                    reserve / 1_000_000,
                    directory.display()
                ),
            )),
            Ok(_) => Ok(()),
            Err(why) => Err(Refusal::new("store", why)),
        }
    }
}

/// Opens the replica and does what is due without any order: above all, a feed whose key has just
/// taken over is opened. All is durable on return, the mark included.
///
/// # Errors
/// - [`OfflineError`]: store or mark cannot be read or written.
pub fn catch_up(
    home: &Home,
    organisation: Arc<Organisation>,
    store: &Store,
    told: Option<Event>,
) -> Result<Replica, OfflineError> {
    let mut replica = Replica::open(home, organisation, store.reader(), false)?;
    told.into_iter().for_each(|event| replica.journal().tell(event));
    let effects = replica.handle(Input::Tick)?;
    perform(effects, &mut Desk::default(), &mut replica, store)?;
    write_more(&mut replica, store)?;
    Ok(replica)
}

fn write_more(replica: &mut Replica, store: &Store) -> Result<(), OfflineError> {
    if let Some(Writes { ops, lines }) = replica.more_writes() {
        let _durable = store.commit_marked(ops, Some(lines))?;
    }
    Ok(())
}

/// Writes to the journal what a command did, or was refused; durable on return. Needs no keys.
///
/// # Errors
/// - [`OfflineError`]: store or mark cannot be read or written.
pub fn record(home: &Home, engine: EngineKind, line: Line) -> Result<(), OfflineError> {
    let store = store::open(&home.store(), engine)?;
    let reader = store.reader();
    let mark = Mark::load(&home.mark())?;
    let older = super::suspicion(mark.as_ref(), &reader)?;
    let mut mark = mark.unwrap_or_default();
    let mut journal = Journal::open(&reader, mark.journal)?;
    if let Some(why) = older.filter(|_| !mark.is_restoring) {
        journal.tell(Event::RestoringBegun { why: why.to_string() });
        // The commit that follows must not make the store look whole.
        mark.is_restoring = true;
        mark.save(&home.mark())?;
    }
    journal.take(None, line);
    let ops = journal.write(None);
    mark.journal = Some(journal.head());
    let _durable = store.commit_marked(ops, Some(mark.to_lines()))?;
    Ok(())
}

/// Makes a backup; needs no keys.
///
/// # Errors
/// - [`BackupError`]: nothing has the name that was asked for.
pub fn back_up(
    home: &Home,
    config: &Config,
    ask: &backup::Ask,
    progress: backup::Progress<'_>,
) -> Result<backup::Made, BackupError> {
    if config.store() == EngineKind::Memory {
        return Err(OfflineError::MemoryStore.into());
    }
    let store = store::open(&home.store(), config.store())?;
    backup::make(&store.reader(), ask, progress)
}

/// Looks into the journal; needs no keys.
///
/// # Errors
/// - [`OfflineError`]: the store cannot be read.
pub fn ask_journal(home: &Home, config: &Config, ask: &JournalAsk) -> Result<Reply, OfflineError> {
    if config.store() == EngineKind::Memory {
        return Err(OfflineError::MemoryStore);
    }
    let store = store::open(&home.store(), config.store())?;
    Ok(super::snapshot::journal(&store.reader(), ask))
}

/// Does effects until nothing follows from them.
fn perform(
    effects: Vec<Effect>,
    desk: &mut Desk,
    replica: &mut Replica,
    store: &Store,
) -> Result<(), OfflineError> {
    let mut due = VecDeque::from(effects);
    while let Some(effect) = due.pop_front() {
        match effect {
            Effect::Persist { batch, ops } => {
                let Writes { ops, lines } = replica.writes(batch, ops);
                let _durable = store.commit_marked(ops, Some(lines))?;
                desk.durable(batch);
                due.extend(replica.handle(Input::Persisted { batch })?);
            }
            Effect::Written { ticket, id, seq } => desk.written(ticket, id, seq),
            Effect::Refused { ticket, why } => desk.refused(ticket, &why),
            Effect::Report(report) => tracing::warn!("{report}"),
            // Nobody is connected, and the next start lets in whoever is known.
            Effect::Send { .. }
            | Effect::Disconnect { .. }
            | Effect::Admit { .. }
            | Effect::Dismiss { .. }
            | Effect::Materialise { .. } => {}
        }
    }
    Ok(())
}

fn unsigned() -> Refusal {
    let message = "nothing was signed or kept: the node first has to hear from its partners how far \
                   its own feed had come; start it with `concordat serve`, and write again";
    Refusal::new("restoring", message)
}
