//! Private records beside the engine's task: read aside, written one change at a time.
//!
//! ```text
//!   asked ─▶ task ─ its turn ─▶ read aside ─▶ operations ─▶ daemon ─▶ writer ─ durable ─▶ answer
//!                                  promotion: note ─▶ act, asked of the daemon like any other ─▶ note
//! ```
//!
//! *Invariants.* Each change sees what those before it wrote. "Kept" is only said of what is durable. Nothing
//! here reaches the engine or the network but the act of a promotion. No content is logged.
//!
//! *Source*: ours.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot};

use crate::{
    control::{
        Answer, Calls, Promoting, RecordsAnswer, RecordsAsked, RecordsChange, Refusal, Reply,
        Request, Word,
    },
    home::Home,
    journal::{Aside, Line},
    records,
    replica::Snapshot,
    store::Op,
};

/// Operations on tables of the node's own.
#[derive(Debug)]
pub(super) struct OwnWrite {
    pub(super) ops: Vec<Op>,
    /// Told when they are durable; dropped if they never will be.
    pub(super) durable: oneshot::Sender<()>,
}

/// What came of something; none if the daemon ends before it is known.
type Came<T> = Option<Result<T, Refusal>>;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Records {
    home: Home,
    calls: Calls,
    writes: mpsc::UnboundedSender<OwnWrite>,
    turn: Arc<Mutex<()>>,
    journal: Aside,
}

impl Records {
    /// And what it wants written.
    pub(super) fn new(
        home: &Home,
        calls: Calls,
        journal: Aside,
    ) -> (Self, mpsc::UnboundedReceiver<OwnWrite>) {
        let (writes, own) = mpsc::unbounded_channel();
        (Self { home: home.clone(), calls, writes, turn: Arc::default(), journal }, own)
    }

    /// Begins to answer; whoever asked may have gone by then.
    pub(super) fn begin(
        &self,
        asked: RecordsAsked,
        snapshot: Snapshot,
        reply: oneshot::Sender<Reply>,
    ) {
        let this = self.clone();
        tokio::spawn(async move {
            let Some(came) = this.answer(asked, snapshot).await else { return };
            let answered = came.map(|answer| Reply::Done(Answer::Records(answer)));
            let _gone = reply.send(answered.unwrap_or_else(Reply::Refused));
        });
    }

    async fn answer(&self, asked: RecordsAsked, snapshot: Snapshot) -> Came<RecordsAnswer> {
        match asked {
            RecordsAsked::Look(look) => {
                let home = self.home.clone();
                let aside = move || records::look(&snapshot, &home, &look);
                tokio::task::spawn_blocking(aside).await.ok()
            }
            RecordsAsked::Change(change) => self.change(change, snapshot).await,
            RecordsAsked::Promote { what, seal, word } => {
                self.promote(what, seal, word, snapshot).await
            }
        }
    }

    async fn change(&self, change: RecordsChange, snapshot: Snapshot) -> Came<RecordsAnswer> {
        let _turn = self.turn.lock().await;
        let home = self.home.clone();
        let aside = move || records::change(&snapshot, &home, &change);
        match tokio::task::spawn_blocking(aside).await.ok()? {
            Ok((ops, answer)) => {
                self.write(ops).await?;
                Some(Ok(answer))
            }
            Err(refusal) => Some(Err(refusal)),
        }
    }

    async fn promote(
        &self,
        what: Promoting,
        seal: String,
        word: Word,
        snapshot: Snapshot,
    ) -> Came<RecordsAnswer> {
        let home = self.home.clone();
        let aside = move || records::begin(&snapshot, &home, (&what, &seal, word));
        let mut begun = match tokio::task::spawn_blocking(aside).await.ok()? {
            Ok(begun) => begun,
            Err(refusal) => return Some(Err(refusal)),
        };
        self.write(std::mem::take(&mut begun.ops)).await?;
        let act = begun.act.clone();
        match self.calls.ask(|| Ok(Request::Act(act))).await? {
            Reply::Done(Answer::Acted(acted)) => {
                let (ops, line) = begun.done(&acted);
                self.journal.tell(Line::done(records::journalled(&line, word)));
                self.write(ops).await?;
                tracing::info!(
                    code = "promoted",
                    promotion = line.promotion.as_str(),
                    artefact = line.artefact.as_str(),
                    fields = line.fields.len(),
                    "fields of a private record were promoted"
                );
                Some(Ok(RecordsAnswer::Promoted(Box::new(line))))
            }
            Reply::Refused(refusal) => {
                let event = records::journalled(begun.line(), word);
                self.journal.tell(Line::refused(event, &refusal.code));
                self.write(begun.refused()).await?;
                Some(Err(refusal))
            }
            // An act is answered in no other way.
            Reply::Done(_) => None,
        }
    }

    /// Returns when the operations are durable; none if they never will be.
    async fn write(&self, ops: Vec<Op>) -> Option<()> {
        if ops.is_empty() {
            return Some(());
        }
        let (durable, is_durable) = oneshot::channel();
        self.writes.send(OwnWrite { ops, durable }).ok()?;
        is_durable.await.ok()
    }
}
