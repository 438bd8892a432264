//! The replica: everything a node decides, as a function of what enters.
//!
//! ```text
//! Input ──▶ handle(moment, input, reader) ──▶ [Effect]
//!
//! edit.rs     2 sign     drafts become signed entries, all that wait in one run
//! append.rs   3 append   verified runs become writes; durable heads become announcements
//! sync.rs     4 sync     who is told what: hello, have, push
//! want.rs     4 sync     who is asked for what
//! serve.rs    4 sync     answers, run by run and piece by piece; chain.rs: what is stored
//! accept.rs   5 verify   received runs, checked and put in their place; opening.rs: new epochs
//! payload.rs  5 verify   payloads that come apart
//! apply.rs    6 apply    what entries do to acknowledgements and evidence
//! cosign.rs   6 apply    checkpoints of votes; those of others are cosigned
//! card.rs     6 apply    cards that travel in feeds: ours are told, those of others are taken
//! audience.rs 6 apply    who receives what: artefacts, their audiences, where their entries stand
//! dossier.rs  6 apply    what is held about one artefact, gathered for `replay`; standing.rs: whether
//!                        its entries stand
//! begun.rs    7 view     which artefacts there are, the one begun last first
//! fork.rs                two histories of one feed: find, prove, keep what counts
//! clock.rs               our clock beside those of peers, and what entries claim
//! view.rs                what people and tests see
//! ```
//!
//! Contract: [`Engine::handle`] is the only entry point that changes anything. The caller does the
//! effects in order, writes batches durably in their order, answers each by `Input::Persisted`
//! once it is durable, and ends the process when a write fails: then [`Engine::open`] over what is
//! durable goes on as if the rest had never happened, since nobody was told of it.
//!
//! Invariants: nothing is applied unverified, one's own entries included; nothing is announced
//! before it is durable; evidence is never deleted.

mod accept;
mod acks;
mod append;
mod apply;
mod audience;
mod begun;
mod card;
mod chain;
mod clock;
mod cosign;
mod dossier;
mod edit;
mod fork;
mod io;
mod meeting;
mod open;
mod opening;
mod payload;
mod pending;
mod record;
mod serve;
mod standing;
mod state;
mod sync;
mod tables;
#[cfg(test)]
mod tests;
mod view;
mod want;

use alloc::{collections::BTreeMap, vec::Vec};

use crate::{
    codec::Fixed,
    hash::{BoardId, FeedId, NodeKey, OrgId, Tag, hash},
    identity::{PublicKey, SignedCard},
    time::TimeMs,
};
use pending::Pending;
use state::{Board, Feed, Peer};

pub use audience::{ArtefactRecord, FirstOpening};
pub use begun::Begun;
pub use chain::Chain;
pub use clock::{ClockCheck, OddTimes, TOLERANCE_MS};
pub use io::{BatchId, Damaged, Effect, IgnoredCard, Input, Moment, Refused, Report, Ticket};
pub use state::{Identity, Standing};
pub use tables::{
    BranchNo, Op, Reader, Row, Table, after_prefix, board_key, card_key, feed_key, place_key,
};
pub use view::{BoardView, ChainView, FeedStanding, FeedView, OwnFeed};

/// One organisation's replica of every board it takes part in.
#[derive(Debug)]
pub struct Engine {
    me: Identity,
    standing: Standing,
    boards: BTreeMap<BoardId, Board>,
    /// Which board a feed is on.
    feeds: BTreeMap<FeedId, BoardId>,
    peers: BTreeMap<NodeKey, Peer>,
    cards: BTreeMap<OrgId, SignedCard>,
    /// Keys that people vouched for against a later card, since the start.
    vouched: BTreeMap<OrgId, PublicKey>,
    pending: Pending,
    timer: Timer,
    /// Whether people were told that our clock is off.
    clock_is_off: bool,
    /// When we last made our half of a fork proof.
    last_side: Option<TimeMs>,
}

/// Time that never goes back: the sum of the clock's steps forward.
#[derive(Debug, Default)]
struct Timer {
    uptime: TimeMs,
    last: Option<TimeMs>,
}

impl Timer {
    /// Whether the clock was set since the last input, or the node stood still for as long.
    fn is_step(&self, now: TimeMs) -> bool {
        self.last.is_some_and(|last| last.0.abs_diff(now.0) > TOLERANCE_MS)
    }

    fn advance(&mut self, now: TimeMs) -> TimeMs {
        self.uptime = self.uptime.plus_ms(self.last.map_or(0, |last| now.ms_since(last)));
        self.last = Some(now);
        self.uptime
    }
}

/// One call of [`Engine::handle`].
struct Step<'a> {
    /// The node's clock: for what is claimed.
    now: TimeMs,
    /// How long the engine has run, whatever the clock does: for what is timed.
    uptime: TimeMs,
    entropy: [u8; 32],
    salts: u64,
    reader: &'a dyn Reader,
    effects: Vec<Effect>,
}

impl<'a> Step<'a> {
    /// A step that only reads.
    fn reading(reader: &'a dyn Reader) -> Self {
        Self {
            now: TimeMs(0),
            uptime: TimeMs(0),
            entropy: [0; 32],
            salts: 0,
            reader,
            effects: Vec::new(),
        }
    }

    /// Sixteen fresh bytes.
    fn salt(&mut self) -> Fixed<16> {
        let all = hash(Tag::Salt, &[&self.entropy, &self.salts.to_be_bytes()]);
        self.salts = self.salts.saturating_add(1);
        let mut salt = [0; 16];
        salt.copy_from_slice(all.split_at(16).0);
        Fixed(salt)
    }

    fn report(&mut self, report: Report) {
        self.effects.push(Effect::Report(report));
    }
}

impl Engine {
    /// Handles one input and says what is to be done.
    pub fn handle(&mut self, moment: Moment, input: Input, reader: &dyn Reader) -> Vec<Effect> {
        let Moment { now, entropy } = moment;
        let is_step = self.timer.is_step(now);
        let uptime = self.timer.advance(now);
        let mut step = Step { now, uptime, entropy, salts: 0, reader, effects: Vec::new() };
        if is_step {
            self.forget_clocks(&mut step);
        }
        // What one peer says moves our meeting with that peer; the others hear of it once it is
        // durable, and that is an input of its own.
        let with = match &input {
            Input::Received { peer, .. } => Some(*peer),
            Input::Connected { .. }
            | Input::Disconnected { .. }
            | Input::Persisted { .. }
            | Input::Tick
            | Input::Join { .. }
            | Input::Learn { .. }
            | Input::Write { .. } => None,
        };
        match input {
            Input::Connected { peer } => self.connected(&mut step, peer),
            Input::Disconnected { peer } => self.disconnected(peer),
            Input::Received { peer, frame } => self.received(&mut step, peer, &frame),
            Input::Persisted { batch } => self.persisted(&mut step, batch),
            Input::Tick => self.tick(&mut step),
            Input::Join { founding } => self.join(&mut step, *founding),
            Input::Learn { card } => self.take_their_word(&mut step, *card),
            Input::Write { ticket, board, draft } => self.write(&mut step, ticket, board, draft),
        }
        self.finish_restoring(&mut step);
        self.sign_drafts(&mut step);
        self.work_on_meetings(&mut step, with);
        step.effects.extend(self.pending.close());
        step.effects
    }

    /// A second has passed: what is overdue is done, given up, or asked for again.
    fn tick(&mut self, step: &mut Step<'_>) {
        self.give_up_requests(step);
        self.ask_the_unexplained(step);
        self.ask_for_tips(step);
        let boards: Vec<BoardId> = self.boards.keys().copied().collect();
        for board in boards {
            self.carry_evidence(step, &board);
        }
        self.draft_due_acks(step);
    }

    fn feed(&self, board: &BoardId, feed: &FeedId) -> Option<&Feed> {
        self.boards.get(board)?.feeds.get(feed)
    }

    fn feed_mut(&mut self, board: &BoardId, feed: &FeedId) -> Option<&mut Feed> {
        self.boards.get_mut(board)?.feeds.get_mut(feed)
    }
}
