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
    control::{Answer, JournalAsk, Refusal, Reply},
    home::Home,
    journal::{Event, Journal, Line},
    organisation::Organisation,
    store::{self, EngineKind, Store, StoreError},
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
    let mut replica = Replica::open(home, organisation, store.reader(), false)?;
    let mut desk = Desk::default();
    let (reply, mut answer) = oneshot::channel();
    let mut recorded = None;
    match desk.take(order, reply, &mut replica)? {
        Work::Effects(effects) => {
            perform(effects, &mut desk, &mut replica, &store)?;
            if let Some(Begun { act, about, reply }) = desk.next_act() {
                let prepared = prepare(&replica.snapshot(), &act);
                let effects = desk.prepared(prepared, (about, reply), &mut replica)?;
                perform(effects, &mut desk, &mut replica, &store)?;
            }
        }
        Work::Record(reply) => recorded = Some(reply),
        Work::Read(question, reply) => {
            super::desk::answer_with(reply, replica.snapshot().answer(question, None));
        }
    }
    write_more(&mut replica, &store)?;
    if let Some(reply) = recorded {
        super::desk::answer_with(reply, Reply::Done(Answer::Recorded));
    }
    Ok(match answer.try_recv() {
        // They waited in this process, and end with it.
        Ok(Reply::Done(Answer::Notes(notes))) if notes.waiting > 0 => Reply::Refused(unsigned()),
        Ok(reply) => reply,
        Err(_) => Reply::Refused(unsigned()),
    })
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
