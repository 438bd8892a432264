//! The desk: local requests become inputs, and what comes of them becomes answers.
//!
//! ```text
//!   Request ──order──▶ Order ──take──▶ Work ─┬─ effects to do; the answer comes when they are durable
//!                                            └─ a reading, to be done off the engine's task
//!   act ──take──▶ waits ──next_act──▶ prepared off the engine's task ──prepared──▶ effects
//! ```
//!
//! *Invariants.* Each order is answered once, at the latest when the desk is dropped: then its caller
//! sees the channel close. "Written" is only said of what is durable. Of each artefact one act at a time
//! is prepared and written, so that each knows what this organisation wrote before; an artefact that
//! takes long holds up no other.
//!
//! *Source*: ours.

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{
    engine::{BatchId, Effect, Input, Refused, Ticket},
    feed::{Draft, Kind},
    hash::{BoardId, EntryId},
    payload::Note,
};
use tokio::sync::oneshot;

use super::{
    Order, Question, Replica, ReplicaError,
    acts::{About, Acts, Begun},
    checks::{expect_newer, expect_own_keys, not_taken},
};
use crate::{
    artefact::Prepared,
    control::{Acted, Answer, CardAdded, Joined, Notes, RecordsAsked, Refusal, Reply, Written},
    journal::{Channel, Event},
    paper::{BoardPaper, CardPaper},
};

/// What taking an order leads to.
pub enum Work {
    /// Do these.
    Effects(Vec<Effect>),
    /// Answer when what the journal was told is durable.
    Record(oneshot::Sender<Reply>),
    /// Look this up over the snapshot, and answer.
    Read(Question, oneshot::Sender<Reply>),
    /// Not for the replica: hand it on.
    Records(Box<RecordsAsked>, oneshot::Sender<Reply>),
}

impl std::fmt::Debug for Work {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Record(_) => formatter.write_str("record"),
            Self::Effects(effects) => write!(formatter, "{} effects", effects.len()),
            Self::Read(question, _) => question.fmt(formatter),
            Self::Records(..) => formatter.write_str("private records"),
        }
    }
}

/// Entries whose tickets are not all answered.
#[derive(Debug)]
struct Errand {
    reply: oneshot::Sender<Reply>,
    asked: Asked,
    waiting: BTreeSet<Ticket>,
    written: Vec<Written>,
}

/// What the entries were asked for as.
#[derive(Debug)]
enum Asked {
    Notes(BoardId),
    Act(About, Box<Acted>),
}

/// An answer that is given once its batch is durable.
#[derive(Debug)]
struct Due {
    batch: BatchId,
    reply: oneshot::Sender<Reply>,
    answer: Answer,
}

/// What local callers wait for.
#[derive(Debug, Default)]
pub struct Desk {
    last_ticket: u64,
    last_errand: u64,
    errands: BTreeMap<u64, Errand>,
    tickets: BTreeMap<Ticket, u64>,
    due: Vec<Due>,
    acts: Acts,
}

impl Desk {
    /// Takes an order, and says what is to be done.
    ///
    /// # Errors
    /// - [`ReplicaError`]: the process must stop.
    pub fn take(
        &mut self,
        order: Order,
        reply: oneshot::Sender<Reply>,
        replica: &mut Replica,
    ) -> Result<Work, ReplicaError> {
        match order {
            Order::Read(question) => Ok(Work::Read(question, reply)),
            Order::Records(asked) => Ok(Work::Records(asked, reply)),
            Order::Notes { board, notes } => self.notes(board.as_deref(), notes, reply, replica),
            Order::Act(act) => {
                let about = About::of(&act, replica);
                self.acts.add(Begun { act, about, reply });
                Ok(Work::Effects(Vec::new()))
            }
            Order::Record(line) => {
                replica.journal().take(None, line);
                Ok(Work::Record(reply))
            }
            Order::Join(paper) => self.join(*paper, reply, replica),
            Order::AddCard { paper, accepts_new_key } => {
                self.add_card(*paper, accepts_new_key, reply, replica)
            }
        }
    }

    fn notes(
        &mut self,
        named: Option<&str>,
        notes: Vec<Note>,
        reply: oneshot::Sender<Reply>,
        replica: &mut Replica,
    ) -> Result<Work, ReplicaError> {
        let (board, is_restoring) = match replica.own_feed_named(named) {
            Ok(own) => (own.board, own.is_restoring),
            Err(refusal) => return Ok(refuse(reply, "notes", refusal, replica)),
        };
        self.begin(reply, Asked::Notes(board));
        let mut effects = Vec::new();
        for note in notes {
            let ticket = self.ticket(self.last_errand);
            let draft = draft_of(&note);
            effects.extend(replica.write((ticket, Channel::CommandLine), board, draft)?);
        }
        let is_refused = effects.iter().any(|effect| matches!(effect, Effect::Refused { .. }));
        // Nobody knows how long the partners take: say so, and do not keep the caller.
        if is_restoring && !is_refused {
            self.answer(self.last_errand);
        }
        self.answer_if_done(self.last_errand);
        Ok(Work::Effects(effects))
    }

    fn begin(&mut self, reply: oneshot::Sender<Reply>, asked: Asked) {
        self.last_errand += 1;
        let errand = Errand { reply, asked, waiting: BTreeSet::new(), written: Vec::new() };
        self.errands.insert(self.last_errand, errand);
    }

    /// The next act to be prepared now, off the engine's task.
    pub fn next_act(&mut self) -> Option<Begun> {
        self.acts.next()
    }

    /// Writes the entries of an act that was prepared, or tells why it cannot be.
    ///
    /// # Errors
    /// - [`ReplicaError`]: the process must stop.
    pub fn prepared(
        &mut self,
        prepared: Result<Prepared, Refusal>,
        (about, reply): (About, oneshot::Sender<Reply>),
        replica: &mut Replica,
    ) -> Result<Vec<Effect>, ReplicaError> {
        let Prepared { board, drafts, acted } = match prepared {
            Ok(prepared) => prepared,
            Err(refusal) => {
                let event = Event::ActRefused { act: "act".to_owned(), channel: about.word.into() };
                replica.journal().tell_refused(event, &refusal.code);
                self.acts.done(about);
                answer_with(reply, Reply::Refused(refusal));
                return Ok(Vec::new());
            }
        };
        self.begin(reply, Asked::Act(about, Box::new(acted)));
        let errand = self.last_errand;
        let mut effects = Vec::new();
        for draft in drafts {
            let ticket = self.ticket(errand);
            effects.extend(replica.write((ticket, about.word.into()), board, draft)?);
        }
        self.answer_if_done(errand);
        Ok(effects)
    }

    fn ticket(&mut self, errand: u64) -> Ticket {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        self.tickets.insert(ticket, errand);
        if let Some(errand) = self.errands.get_mut(&errand) {
            errand.waiting.insert(ticket);
        }
        ticket
    }

    /// Tells a caller what of its entries is durable, and how many still wait to be signed.
    fn answer(&mut self, number: u64) {
        let Some(errand) = self.errands.remove(&number) else {
            return;
        };
        for ticket in &errand.waiting {
            self.tickets.remove(ticket);
        }
        let (waiting, written) = (errand.waiting.len(), errand.written);
        let answer = match errand.asked {
            Asked::Notes(board) => {
                Answer::Notes(Notes { board: board.to_string(), written, waiting })
            }
            Asked::Act(about, acted) => {
                self.acts.done(about);
                Answer::Acted(Box::new(Acted { written, ..*acted }))
            }
        };
        answer_with(errand.reply, Reply::Done(answer));
    }

    fn answer_if_done(&mut self, number: u64) {
        if self.errands.get(&number).is_some_and(|errand| errand.waiting.is_empty()) {
            self.answer(number);
        }
    }

    /// An entry that was asked for is durable.
    pub fn written(&mut self, ticket: Ticket, id: EntryId, seq: u64) {
        let Some(number) = self.tickets.remove(&ticket) else {
            return;
        };
        if let Some(errand) = self.errands.get_mut(&number) {
            errand.waiting.remove(&ticket);
            errand.written.push(Written { seq, id: id.to_string() });
        }
        self.answer_if_done(number);
    }

    /// An entry that was asked for was refused; entries of the same errand may still be written.
    pub fn refused(&mut self, ticket: Ticket, why: &Refused) {
        let Some(errand) = self.tickets.remove(&ticket).and_then(|no| self.errands.remove(&no))
        else {
            return;
        };
        for other in &errand.waiting {
            self.tickets.remove(other);
        }
        if let Asked::Act(about, _) = errand.asked {
            self.acts.done(about);
        }
        answer_with(errand.reply, Reply::Refused(Refusal::new(why.code(), why)));
    }

    /// A batch, and all before it, are durable.
    pub fn durable(&mut self, batch: BatchId) {
        let (done, due) =
            std::mem::take(&mut self.due).into_iter().partition(|due| due.batch <= batch);
        self.due = due;
        let done: Vec<Due> = done;
        for Due { reply, answer, .. } in done {
            answer_with(reply, Reply::Done(answer));
        }
    }

    /// Answers when the last write among these effects is durable; at once if there is none.
    fn answer_once_durable(
        &mut self,
        effects: Vec<Effect>,
        reply: oneshot::Sender<Reply>,
        answer: Answer,
    ) -> Work {
        let batch = |effect: &Effect| match effect {
            Effect::Persist { batch, .. } => Some(*batch),
            _ => None,
        };
        match effects.iter().filter_map(batch).next_back() {
            Some(batch) => self.due.push(Due { batch, reply, answer }),
            None => answer_with(reply, Reply::Done(answer)),
        }
        Work::Effects(effects)
    }

    fn join(
        &mut self,
        paper: BoardPaper,
        reply: oneshot::Sender<Reply>,
        replica: &mut Replica,
    ) -> Result<Work, ReplicaError> {
        let founding = paper.founding();
        let (board, title) = (founding.board(), founding.charter().title.clone());
        if let Err(refusal) = expect_own_keys(&paper, replica) {
            return Ok(refuse(reply, "join", refusal, replica));
        }
        let was_joined = replica.engine.founding(&board).is_some();
        let answer = Answer::Joined(Joined { board: board.to_string(), title, was_joined });
        let mut effects = Vec::new();
        if !was_joined {
            let me = replica.id();
            for card in paper.cards().iter().filter(|card| card.card().card().org != me) {
                let card = Box::new(card.card().clone());
                effects.extend(replica.handle(Input::Learn { card })?);
            }
            let founding = Box::new(founding.clone());
            effects.extend(replica.handle(Input::Join { founding })?);
        }
        Ok(self.answer_once_durable(effects, reply, answer))
    }

    fn add_card(
        &mut self,
        paper: CardPaper,
        accepts_new_key: bool,
        reply: oneshot::Sender<Reply>,
        replica: &mut Replica,
    ) -> Result<Work, ReplicaError> {
        let org = paper.card().card().org;
        let was_known = match expect_newer(&paper, accepts_new_key, replica) {
            Ok(was_known) => was_known,
            Err(refusal) => return Ok(refuse(reply, "card", refusal, replica)),
        };
        let answer = Answer::CardAdded(CardAdded { org: org.to_string(), was_known });
        let effects = if was_known {
            Vec::new()
        } else {
            replica.handle(Input::Learn { card: Box::new(paper.card().clone()) })?
        };
        // The engine may know better.
        if replica.engine.card(&org) != Some(paper.card()) {
            return Ok(refuse(reply, "card", not_taken(), replica));
        }
        Ok(self.answer_once_durable(effects, reply, answer))
    }
}

fn draft_of(note: &Note) -> Draft {
    let payload = note.to_bytes();
    Draft { kind: Kind::NOTE, artefact: None, refs: Vec::new(), payload, attribution: None }
}

/// Whoever asked may have gone; what was asked is done all the same.
pub(super) fn answer_with(to: oneshot::Sender<Reply>, reply: Reply) {
    let _gone = to.send(reply);
}

fn refuse(to: oneshot::Sender<Reply>, act: &str, refusal: Refusal, replica: &mut Replica) -> Work {
    let event = Event::ActRefused { act: act.to_owned(), channel: Channel::CommandLine };
    replica.journal().tell_refused(event, &refusal.code);
    answer_with(to, Reply::Refused(refusal));
    Work::Effects(Vec::new())
}
