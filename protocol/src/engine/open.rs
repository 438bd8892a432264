//! Start: what is durable becomes memory again; and joining a board, learning a card.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{
    Engine, Step,
    io::{Damaged, Effect},
    pending::Pending,
    record::{EvidenceRow, FeedRecord, ToldRow},
    state::{AckClock, Board, Branch, Feed, Identity, Restoring, Standing, text},
    tables::{BranchNo, Reader, Table, after_prefix, board_key, card_key, feed_key, place_key},
};
use crate::{
    charter::Founding,
    codec::Malformed,
    feed::{Descriptor, Header, OpenFeed, Opened, Sealed, Tip},
    hash::{BoardId, FeedId, OrgId},
    identity::{Card, SignedCard},
    time::TimeMs,
};

/// Rows of one table that are read at start, at most. Far above what bounds on members allow.
const ROWS_MAX: usize = 1_000_000;
/// Entries at the end of a feed that are looked through at start for what calls for acknowledgement.
const NEWS_MAX: u64 = 1_000;

fn damaged(what: impl core::fmt::Display) -> Damaged {
    Damaged { what: text(what) }
}

/// By which right a stored feed was opened: its entry 0 says so, from epoch 1 on.
fn opened(descriptor: &Descriptor, reader: &dyn Reader) -> Result<Opened, Damaged> {
    if descriptor.epoch == 0 {
        return Ok(Opened::first(descriptor));
    }
    let absent = || damaged("the opening of a later epoch is not stored");
    let stored = reader.get(Table::Payloads, &place_key(&descriptor.feed_id(), 0, 0));
    let sealed = Sealed::from_bytes(&stored.ok_or_else(absent)?).map_err(damaged)?;
    let opening = OpenFeed::from_bytes(sealed.payload.bytes()).map_err(damaged)?;
    Ok(Opened::by(&opening))
}

impl Engine {
    /// Opens the replica over what is durable.
    ///
    /// Costs grow with members and feeds, not with entries. Afterwards [`Engine::admissions`] says
    /// whom to let in.
    ///
    /// # Errors
    /// [`Damaged`] when something stored does not read back.
    pub fn open(me: Identity, standing: Standing, reader: &dyn Reader) -> Result<Self, Damaged> {
        let mut engine = Self {
            me,
            standing,
            boards: BTreeMap::new(),
            feeds: BTreeMap::new(),
            peers: BTreeMap::new(),
            cards: BTreeMap::new(),
            vouched: BTreeMap::new(),
            pending: Pending::default(),
            timer: super::Timer::default(),
            clock_is_off: false,
            last_side: None,
        };
        for (_, bytes) in reader.scan(Table::Cards, &[], &[0xff; 33], ROWS_MAX) {
            let card = SignedCard::from_bytes(&bytes).map_err(damaged)?;
            engine.remember_card(card);
        }
        for (_, bytes) in reader.scan(Table::Boards, &[], &[0xff; 33], ROWS_MAX) {
            let founding = Founding::from_bytes(&bytes).map_err(damaged)?;
            engine.open_board(founding, reader)?;
        }
        Ok(engine)
    }

    /// Whom the allow list should hold: the nodes of all organisations whose cards we have.
    #[must_use]
    pub fn admissions(&self) -> Vec<Effect> {
        let others =
            self.cards.values().map(SignedCard::card).filter(|card| card.org != self.me.org);
        others
            .map(|card| Effect::Admit { peer: card.node_key, addresses: card.addresses.clone() })
            .collect()
    }

    fn open_board(&mut self, founding: Founding, reader: &dyn Reader) -> Result<(), Damaged> {
        let id = founding.board();
        self.take_part(founding);
        let told = reader.get(Table::Told, &board_key(&id));
        let told = told.map(|bytes| ToldRow::from_bytes(&bytes)).transpose().map_err(damaged)?;
        if let Some(board) = self.boards.get_mut(&id) {
            board.told = told;
        }
        self.open_cosigned(&id, reader).map_err(damaged)?;
        let prefix = board_key(&id);
        let end = after_prefix(&prefix).unwrap_or_default();
        for (key, bytes) in reader.scan(Table::Feeds, &prefix, &end, ROWS_MAX) {
            let record = FeedRecord::from_bytes(&bytes).map_err(damaged)?;
            let no = key.last_chunk().map_or(0, |bytes| BranchNo::from_be_bytes(*bytes));
            self.open_branch(&id, no, record, reader)?;
        }
        self.take_over(&id);
        let Some(board) = self.boards.get(&id) else { return Ok(()) };
        let feeds: Vec<FeedId> = board.feeds.keys().copied().collect();
        let mut step = Step::reading(reader);
        for feed in &feeds {
            self.open_evidence(&step, &id, feed)?;
        }
        if let Some(board) = self.boards.get_mut(&id) {
            let members = board.founding.charter().members.iter();
            let orgs: Vec<OrgId> = members.map(|member| member.org).collect();
            for org in orgs {
                board.rank_feeds(&org);
            }
        }
        for feed in &feeds {
            self.open_acks(&step, &id, feed);
        }
        if feeds.iter().any(|feed| self.is_said_in_vain(&step, (&id, feed))) {
            // At once: until then it counts with us and with nobody else.
            self.draft_acks(&step, &id);
        }
        // What a feed acknowledged above its own fork counts by what others acknowledged of it.
        for feed in feeds {
            self.refresh_item(&mut step, &id, &feed);
        }
        Ok(())
    }

    fn open_branch(
        &mut self,
        board: &BoardId,
        no: BranchNo,
        record: FeedRecord,
        reader: &dyn Reader,
    ) -> Result<(), Damaged> {
        let id = record.tip.feed();
        let mut branch = Branch::new(record.start, record.tip);
        branch.head = record.head;
        branch.durable = record.head;
        branch.applied = record.applied;
        let (from, to) = (place_key(&id, no, 0), place_key(&id, no, u64::MAX));
        for (key, _) in reader.scan(Table::Missing, &from, &to, ROWS_MAX) {
            branch.missing.extend(key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes)));
        }
        self.feeds.insert(id, *board);
        let opened = opened(&record.descriptor, reader)?;
        let Some(board) = self.boards.get_mut(board) else { return Ok(()) };
        if no == 0 {
            let new = || Feed::new(record.descriptor, opened, Branch::new(0, Tip::empty(id)));
            let feed = board.feeds.entry(id).or_insert_with(new);
            feed.trunk = branch;
            feed.received_at = record.received_at;
        } else if let Some(feed) = board.feeds.get_mut(&id) {
            feed.others.push(branch);
        }
        Ok(())
    }

    /// Finds the feed that our key signs; begins a new epoch when we have the right to.
    fn take_over(&mut self, id: &BoardId) {
        let (org, key) = (self.me.org, self.me.signer.public());
        let opening = self.me.openings.get(id).filter(|opening| opening.descriptor.key == key);
        let Some(board) = self.boards.get_mut(id) else { return };
        let signed_by_us = board
            .feeds
            .iter()
            .find(|(_, feed)| feed.descriptor.org == org && feed.descriptor.key == key);
        if let Some((own, _)) = signed_by_us {
            board.own = *own;
        } else if let Some(opening) = opening {
            let own = opening.descriptor.feed_id();
            let trunk = Branch::new(0, Tip::empty(own));
            let feed = Feed::new(opening.descriptor, Opened::by(opening), trunk);
            board.feeds.insert(own, feed);
            board.own = own;
            self.feeds.insert(own, *id);
        }
    }

    /// The evidence that counts for a feed: rows ascend by index, and the first is the lowest.
    fn evidence_of(&self, step: &Step<'_>, id: &FeedId) -> Result<Option<EvidenceRow>, Malformed> {
        let prefix = id.as_bytes();
        let end = after_prefix(prefix).unwrap_or_default();
        let rows = self.pending.scan(step.reader, Table::Evidence, (prefix, &end), 1);
        rows.first().map(|(_, bytes)| EvidenceRow::from_bytes(bytes)).transpose()
    }

    fn open_evidence(
        &mut self,
        step: &Step<'_>,
        board: &BoardId,
        id: &FeedId,
    ) -> Result<(), Damaged> {
        let row = self.evidence_of(step, id).map_err(damaged)?;
        if let Some(feed) = self.feed_mut(board, id) {
            feed.fork = row;
        }
        Ok(())
    }

    fn open_acks(&mut self, step: &Step<'_>, board_id: &BoardId, id: &FeedId) {
        let Some(feed) = self.feed(board_id, id) else { return };
        let branches: Vec<(BranchNo, u64)> =
            feed.branches().map(|(no, branch)| (no, branch.start)).collect();
        for (no, _) in branches {
            self.count_waiting_acks(step, (board_id, id, no), 0);
        }
        let me = self.me.org;
        let Some(feed) = self.feed(board_id, id).filter(|feed| feed.descriptor.org != me) else {
            return;
        };
        // What we hold with its payloads now, and what we said of that before.
        let size = self.counts_alone(step, feed, 0).min(feed.trunk.tip.size());
        let held = feed.trunk.missing.first().copied().unwrap_or(size).min(size);
        let said = feed.trunk.complete.get(&me).map_or(0, |counted| counted.complete);
        let is_due = feed.fork.is_none()
            && (self.holds_news(step, feed, (feed.acked_size, size))
                || self.holds_news(step, feed, (said, held))
                || self.is_said_in_vain(step, (board_id, id)));
        if feed.is_limited() && feed.acked_size < feed.trunk.applied {
            self.acknowledge_for_the_last_time(step, board_id, id);
        }
        if let Some(feed) = self.feed_mut(board_id, id).filter(|_| is_due) {
            feed.ack_due = true;
            if let Some(board) = self.boards.get_mut(board_id) {
                board.acks.due = Some(TimeMs(0));
            }
        }
    }

    /// Whether any of these entries calls for an acknowledgement.
    pub(super) fn holds_news(&self, step: &Step<'_>, feed: &Feed, (from, to): (u64, u64)) -> bool {
        let is_long = to.saturating_sub(from) > NEWS_MAX;
        is_long
            || (from..to).any(|seq| {
                let header = self.header_at(step, feed, 0, seq);
                let header = header.and_then(|bytes| Header::from_bytes(&bytes).ok());
                header.is_none_or(|header| header.kind.calls_for_ack())
            })
    }

    /// Takes part in a board: knows its members' first feeds, empty.
    fn take_part(&mut self, founding: Founding) {
        let id = founding.board();
        let mut feeds = BTreeMap::new();
        let mut own = FeedId::from_bytes([0; 32]);
        for member in &founding.charter().members {
            let descriptor =
                Descriptor { board: id, org: member.org, epoch: 0, key: member.feed_key };
            let feed = descriptor.feed_id();
            if member.org == self.me.org {
                own = feed;
            }
            self.feeds.insert(feed, id);
            let trunk = Branch::new(0, Tip::empty(feed));
            feeds.insert(feed, Feed::new(descriptor, Opened::first(&descriptor), trunk));
        }
        let restoring = match self.standing {
            Standing::Sure => None,
            Standing::Restored => Some(Restoring::default()),
        };
        let board = Board {
            founding,
            own,
            feeds,
            drafts: alloc::collections::VecDeque::new(),
            acks: AckClock::default(),
            told: None,
            cosigned: BTreeMap::new(),
            restoring,
            items: BTreeMap::new(),
            version: 0,
            digest: None,
        };
        self.boards.insert(id, board);
    }

    /// Takes part in a board from now on.
    pub(super) fn join(&mut self, step: &mut Step<'_>, founding: Founding) {
        let id = founding.board();
        let is_member = founding.charter().member(&self.me.org).is_some();
        if self.boards.contains_key(&id) || !is_member {
            return;
        }
        self.pending.put(Table::Boards, board_key(&id), founding.to_bytes());
        self.take_part(founding);
        // Whoever founded the board has our card.
        self.note_told(&id, ToldRow::of(self.me.card.card()));
        self.take_over(&id);
        let meeting: Vec<_> = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.meeting.is_some())
            .map(|(key, _)| *key)
            .collect();
        for peer in meeting {
            self.greet(step, peer);
            self.share_boards(&peer);
        }
    }

    /// Knows an organisation's node, unless a later card is known.
    pub(super) fn learn(&mut self, step: &mut Step<'_>, signed: SignedCard) {
        let card = signed.card().clone();
        let known = self.cards.get(&card.org).map(SignedCard::card);
        let is_old = known.is_some_and(|known| !self.gives_way(known, &card));
        if is_old || self.is_node_of_another(&card) {
            return;
        }
        if let Some(gone) = known.map(|known| known.node_key).filter(|key| *key != card.node_key) {
            step.effects.push(Effect::Dismiss { peer: gone });
        }
        self.pending.put(Table::Cards, card_key(&card.org), signed.to_bytes());
        self.remember_card(signed);
        if card.org != self.me.org {
            step.effects.push(Effect::Admit { peer: card.node_key, addresses: card.addresses });
        }
    }

    /// A node key is one organisation's: else a card could make a partner's node look foreign.
    pub(super) fn is_node_of_another(&self, card: &Card) -> bool {
        let owner = self.peers.get(&card.node_key).and_then(|peer| peer.org);
        owner.is_some_and(|owner| owner != card.org)
            || (card.node_key == self.me.card.card().node_key && card.org != self.me.org)
    }

    fn remember_card(&mut self, signed: SignedCard) {
        let card = signed.card();
        let peer = self.peers.entry(card.node_key).or_default();
        peer.org = Some(card.org);
        self.cards.insert(card.org, signed);
    }

    /// Remembers a feed that an opening brought, with the acknowledgements that came before it.
    pub(super) fn remember_feed(&mut self, step: &Step<'_>, opening: &OpenFeed) {
        let descriptor = opening.descriptor;
        let (id, board_id) = (descriptor.feed_id(), descriptor.board);
        self.feeds.insert(id, board_id);
        let Some(board) = self.boards.get_mut(&board_id) else {
            return;
        };
        let trunk = Branch::new(0, Tip::empty(id));
        board.feeds.insert(id, Feed::new(descriptor, Opened::by(opening), trunk));
        // Evidence and acknowledgements may have come before the feed that they are about.
        let row = self.evidence_of(step, &id).ok().flatten();
        if let Some(feed) = self.feed_mut(&board_id, &id) {
            feed.fork = row;
        }
    }

    /// Writes where a branch ends into the batch that is being gathered.
    pub(super) fn put_record(&mut self, board: &BoardId, id: &FeedId, no: BranchNo) {
        let Some(feed) = self.boards.get(board).and_then(|board| board.feeds.get(id)) else {
            return;
        };
        let Some(branch) = feed.branch(no) else {
            return;
        };
        let record = FeedRecord {
            descriptor: feed.descriptor,
            start: branch.start,
            tip: branch.tip.clone(),
            head: branch.head,
            received_at: feed.received_at,
            applied: branch.applied,
        };
        self.pending.put(Table::Feeds, feed_key(board, id, no), record.to_bytes());
    }
}
