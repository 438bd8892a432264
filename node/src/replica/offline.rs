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

use super::{Begun, Desk, MarkError, Order, Replica, ReplicaError, Work};
use crate::{
    artefact::prepare,
    config::Config,
    control::{Answer, Refusal, Reply},
    home::Home,
    organisation::Organisation,
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
    let mut replica = Replica::open(home, organisation, store.reader(), false)?;
    let mut desk = Desk::default();
    let (reply, mut answer) = oneshot::channel();
    match desk.take(order, reply, &mut replica)? {
        Work::Effects(effects) => {
            perform(effects, &mut desk, &mut replica, &store)?;
            if let Some(Begun { act, about, reply }) = desk.next_act() {
                let prepared = prepare(&replica.snapshot(), &act);
                let effects = desk.prepared(prepared, (about, reply), &mut replica)?;
                perform(effects, &mut desk, &mut replica, &store)?;
            }
        }
        Work::Read(question, reply) => {
            super::desk::answer_with(reply, replica.snapshot().answer(question, None));
        }
    }
    if let Some(lines) = replica.moved_mark() {
        let _durable = store.commit_marked(Vec::new(), Some(lines))?;
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
) -> Result<Replica, OfflineError> {
    let mut replica = Replica::open(home, organisation, store.reader(), false)?;
    let effects = replica.handle(Input::Tick)?;
    perform(effects, &mut Desk::default(), &mut replica, store)?;
    if let Some(lines) = replica.moved_mark() {
        let _durable = store.commit_marked(Vec::new(), Some(lines))?;
    }
    Ok(replica)
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
                let lines = replica.mark_with(&ops);
                let ops = ops.into_iter().map(Op::from).collect();
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
