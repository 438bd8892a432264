//! What inputs and effects of the protocol's engine tell: who gave what, what was kept of it, what went out.
//!
//! ```text
//!   Received(run)   headers in the batch ──▶ run-accepted     none ──▶ run-not-taken, run-refused
//!   any input       own headers in the batch ──▶ entries-signed, on whose word its drafts were
//!   Send(run)       ──▶ run-sent, with the next commit
//! ```
//!
//! *Invariants.* What is told as accepted or signed is read off the writes themselves. Holds one number for
//! each payload that a peer has asked for, and one word for each draft that waits.
//!
//! *Source*: ours.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use concordat_protocol::{
    engine::{BatchId, Effect, Engine, Input, Op, Report, Table, Ticket},
    feed::{Header, Kind},
    hash::{BoardId, FeedId, NodeKey, OrgId},
    sync::Glimpse,
};

use super::{Channel, Event, Line, plain_code};

/// Requests for payloads that are remembered.
const ASKED_MAX: usize = 4_096;

/// What matters of an input, taken before the engine has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A frame of this peer.
    Frame(NodeKey, Option<Glimpse>),
    /// The session with this peer is over.
    Left(NodeKey),
    /// A board is joined.
    Join,
    /// Anything else.
    Other,
}

impl Seen {
    /// What matters of this one.
    #[must_use]
    pub fn of(input: &Input) -> Self {
        match input {
            Input::Received { peer, frame } => Self::Frame(*peer, Glimpse::of(frame)),
            Input::Disconnected { peer } => Self::Left(*peer),
            Input::Join { .. } => Self::Join,
            Input::Connected { .. }
            | Input::Persisted { .. }
            | Input::Tick
            | Input::Learn { .. }
            | Input::Write { .. } => Self::Other,
        }
    }

    const fn peer(&self) -> Option<NodeKey> {
        match self {
            Self::Frame(peer, _) => Some(*peer),
            Self::Left(_) | Self::Join | Self::Other => None,
        }
    }
}

/// A line, and the batch that it tells of.
type Told = (Option<BatchId>, Line);

/// A place of a feed: branch 0 is the chain seen first.
type Place = (FeedId, u16, u64);

/// See the module.
#[derive(Debug, Default)]
pub struct Observer {
    /// Which payload a peer's request is about.
    asked: BTreeMap<(NodeKey, u64), (FeedId, u64)>,
    /// Drafts that wait to be signed, in their order.
    drafts: BTreeMap<BoardId, VecDeque<(Ticket, Channel)>>,
}

impl Observer {
    /// A draft is handed to the engine, on this word.
    pub fn drafted(&mut self, board: BoardId, ticket: Ticket, channel: Channel) {
        self.drafts.entry(board).or_default().push_back((ticket, channel));
    }

    /// What an input and its effects tell.
    #[must_use]
    pub fn observe(&mut self, seen: &Seen, effects: &[Effect], engine: &Engine) -> Vec<Told> {
        let mut told = Vec::new();
        self.note(seen);
        let mut taken = BTreeSet::new();
        let mut refused = BTreeMap::new();
        for effect in effects {
            match effect {
                Effect::Persist { batch, ops } => {
                    let batch = Batch { batch: *batch, ops, seen, engine };
                    taken.extend(self.batch(&batch, &mut told));
                }
                Effect::Send { peer, frame, .. } => {
                    told.extend(
                        self.sent(*peer, frame, engine).map(|event| (None, Line::done(event))),
                    );
                }
                Effect::Refused { ticket, why } => {
                    let (board, channel) = self.forget(*ticket);
                    told.push((
                        None,
                        Line::refused(Event::EntryRefused { board, channel }, why.code()),
                    ));
                }
                Effect::Report(report) => {
                    if let Report::RunRefused { feed, why, .. } = report {
                        refused.insert(*feed, why.code());
                    }
                    told.extend(reported(report).map(|line| (None, line)));
                }
                Effect::Disconnect { .. }
                | Effect::Admit { .. }
                | Effect::Dismiss { .. }
                | Effect::Materialise { .. }
                | Effect::Written { .. } => {}
            }
        }
        if let Seen::Frame(peer, Some(Glimpse::Run { feed, from, end })) = *seen
            && !taken.contains(&feed)
            && end > from
        {
            let (board, to) = (engine.board_of(&feed), end.saturating_sub(1));
            told.push((
                None,
                match refused.get(&feed) {
                    Some(code) => {
                        Line::refused(Event::RunRefused { peer, board, feed, from, to }, code)
                    }
                    None => Line::done(Event::RunNotTaken { peer, board, feed, from, to }),
                },
            ));
        }
        told
    }

    fn note(&mut self, seen: &Seen) {
        match seen {
            Seen::Frame(peer, Some(Glimpse::WantPayload { request, feed, seq })) => {
                if self.asked.len() >= ASKED_MAX {
                    self.asked.pop_first();
                }
                self.asked.insert((*peer, *request), (*feed, *seq));
            }
            Seen::Left(peer) => self.asked.retain(|(of, _), _| of != peer),
            Seen::Frame(..) | Seen::Join | Seen::Other => {}
        }
    }

    fn sent(&mut self, peer: NodeKey, frame: &[u8], engine: &Engine) -> Option<Event> {
        match Glimpse::of(frame)? {
            Glimpse::Run { feed, from, end } if end > from => {
                let (board, to) = (engine.board_of(&feed), end.saturating_sub(1));
                Some(Event::RunSent { peer, board, feed, from, to })
            }
            Glimpse::PayloadAnswer { request, is_last_piece } => {
                let (feed, seq) = self.asked.remove(&(peer, request))?;
                let board = engine.board_of(&feed);
                let sent = Event::PayloadSent { peer, board, feed, from: seq, to: seq };
                is_last_piece.then_some(sent)
            }
            Glimpse::Run { .. } | Glimpse::WantPayload { .. } => None,
        }
    }

    /// Tells what a batch writes; gives the feeds of which it took what the peer sent.
    fn batch(&mut self, batch: &Batch<'_>, told: &mut Vec<Told>) -> BTreeSet<FeedId> {
        let of = Some(batch.batch);
        let own: BTreeMap<FeedId, BoardId> =
            batch.engine.own_feeds().map(|own| (own.feed, own.board)).collect();
        let (mut taken, mut accepted) = (BTreeSet::new(), Spans::default());
        let headers = batch.headers();
        for ((feed, branch, seq), header) in &headers {
            if batch.has_run_with(*feed, *seq) {
                taken.insert(*feed);
                accepted.add((*feed, *branch, *seq));
            } else if let Some(board) = own.get(feed) {
                let signed = self.signed(*board, *feed, *seq, header);
                told.extend(signed.map(|event| (of, Line::done(event))));
            }
        }
        for (feed, from, to) in accepted.0.into_iter().map(|(feed, _, from, to)| (feed, from, to)) {
            if let Some(peer) = batch.seen.peer() {
                let board = batch.engine.board_of(&feed);
                let event = Event::RunAccepted { peer, board, feed, from, to };
                told.push((of, Line::done(event)));
            }
        }
        for event in batch.payloads(&headers).into_iter().chain(batch.papers()) {
            told.push((of, Line::done(event)));
        }
        taken
    }

    fn signed(&mut self, board: BoardId, feed: FeedId, seq: u64, header: &[u8]) -> Option<Event> {
        let Header { kind, artefact, .. } = Header::from_bytes(header).ok()?;
        let by_itself = [Kind::OPEN_FEED, Kind::ACK, Kind::EVIDENCE].contains(&kind);
        let draft = if by_itself {
            None
        } else {
            self.drafts.get_mut(&board).and_then(VecDeque::pop_front)
        };
        let channel = draft.map_or(Channel::Node, |(_, channel)| channel);
        Some(Event::EntriesSigned { board, feed, from: seq, to: seq, kind, artefact, channel })
    }

    /// A draft will not be signed.
    fn forget(&mut self, ticket: Ticket) -> (Option<BoardId>, Channel) {
        for (board, drafts) in &mut self.drafts {
            if let Some(at) = drafts.iter().position(|(of, _)| *of == ticket)
                && let Some((_, channel)) = drafts.remove(at)
            {
                return (Some(*board), channel);
            }
        }
        (None, Channel::Node)
    }
}

/// A batch that the engine wants written, and what it follows from.
struct Batch<'a> {
    batch: BatchId,
    ops: &'a [Op],
    seen: &'a Seen,
    engine: &'a Engine,
}

impl<'a> Batch<'a> {
    fn puts(&self, table: Table) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let ops = self.ops.iter().filter(move |op| op.table == table);
        ops.filter_map(|op| Some((op.key.as_slice(), op.value.as_deref()?)))
    }

    fn headers(&self) -> BTreeMap<Place, &'a [u8]> {
        let rows = self.puts(Table::Headers);
        rows.filter_map(|(key, header)| Some((place(key)?, header))).collect()
    }

    /// Whether the frame that came in carries this entry.
    fn has_run_with(&self, of: FeedId, seq: u64) -> bool {
        match self.seen {
            Seen::Frame(_, Some(Glimpse::Run { feed, from, end })) => {
                *feed == of && (*from..*end).contains(&seq)
            }
            _ => false,
        }
    }

    /// Content that comes without its entry in the same batch.
    fn payloads(&self, headers: &BTreeMap<Place, &[u8]>) -> Vec<Event> {
        let places = self.puts(Table::Payloads).filter_map(|(key, _)| place(key));
        let apart: BTreeSet<Place> = places.filter(|at| !headers.contains_key(at)).collect();
        let mut spans = Spans::default();
        apart.into_iter().for_each(|at| spans.add(at));
        let peer = self.seen.peer();
        let event = |(feed, _, from, to)| {
            let board = self.engine.board_of(&feed);
            Event::PayloadFetched { peer, board, feed, from, to }
        };
        spans.0.into_iter().map(event).collect()
    }

    /// Cards and boards.
    fn papers(&self) -> Vec<Event> {
        let peer = self.seen.peer();
        let org = |key: &[u8]| key.try_into().ok().map(OrgId::from_bytes);
        let cards = self.puts(Table::Cards).filter_map(|(key, _)| org(key));
        let mut events: Vec<Event> = cards.map(|org| Event::CardKept { org, peer }).collect();
        if *self.seen == Seen::Join {
            let board = |key: &[u8]| key.try_into().ok().map(BoardId::from_bytes);
            let boards = self.puts(Table::Boards).filter_map(|(key, _)| board(key));
            events.extend(boards.map(|board| Event::BoardJoined { board }));
        }
        events
    }
}

/// Places that follow one another, as spans: feed, branch, first and last.
#[derive(Default)]
struct Spans(Vec<(FeedId, u16, u64, u64)>);

impl Spans {
    /// Takes places in ascending order.
    fn add(&mut self, (feed, branch, seq): Place) {
        match self.0.last_mut() {
            Some((of, on, _, to))
                if (*of, *on) == (feed, branch) && to.checked_add(1) == Some(seq) =>
            {
                *to = seq;
            }
            _ => self.0.push((feed, branch, seq, seq)),
        }
    }
}

fn place(key: &[u8]) -> Option<Place> {
    let (feed, rest) = key.split_first_chunk::<32>()?;
    let (branch, rest) = rest.split_first_chunk::<2>()?;
    let seq: [u8; 8] = rest.try_into().ok()?;
    Some((FeedId::from_bytes(*feed), u16::from_be_bytes(*branch), u64::from_be_bytes(seq)))
}

fn reported(report: &Report) -> Option<Line> {
    Some(match report {
        Report::Dropped { peer, code, .. } => {
            Line::refused(Event::PeerDropped { peer: *peer }, code)
        }
        Report::ToldToGo { peer, code, .. } => {
            Line::done(Event::ToldToGo { peer: *peer, why: plain_code(code) })
        }
        Report::OpeningRefused { org, feed, why } => {
            let event = Event::OpeningRefused { org: *org, feed: *feed, why: why.to_string() };
            Line::refused(event, "bad-opening")
        }
        Report::CardIgnored { org, feed, seq, why } => {
            let why = why.to_string();
            let event = Event::CardIgnored { org: *org, feed: *feed, from: *seq, why };
            Line::refused(event, "card-ignored")
        }
        Report::Forked { org, feed, index } => {
            Line::done(Event::ForkProven { org: *org, feed: *feed, from: *index })
        }
        Report::Clock { check } if check.is_off() => {
            Line::done(Event::ClockOff { why: check.to_string() })
        }
        Report::Clock { check } => Line::done(Event::ClockRight { why: check.to_string() }),
        Report::TimeBack { org, feed, seq, .. } => {
            Line::done(Event::TimeBack { org: *org, feed: *feed, from: *seq })
        }
        Report::TimeAhead { org, feed, seq, .. } => {
            Line::done(Event::TimeAhead { org: *org, feed: *feed, from: *seq })
        }
        // Told as the run that it was, with its places; told when it begins and ends.
        Report::RunRefused { .. } | Report::Restoring { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_follow_one_another_are_one_span() {
        let feed = FeedId::from_bytes([1; 32]);
        let mut spans = Spans::default();
        for seq in [3, 4, 5, 7] {
            spans.add((feed, 0, seq));
        }
        spans.add((feed, 1, 8));
        assert_eq!(spans.0, [(feed, 0, 3, 5), (feed, 0, 7, 7), (feed, 1, 8, 8)]);
    }

    #[test]
    fn of_what_a_peer_says_as_a_code_only_codes_are_kept() {
        assert_eq!(plain_code("bad-frame"), "bad-frame");
        for wrong in ["", "Bad", "943 476 5919", "a 1", "a9434765919", &"a".repeat(65)] {
            assert_eq!(plain_code(wrong), "other", "{wrong}");
        }
    }
}
