//! Cards in feeds: a node tells every board of its own newer cards, and takes those of others.
//!
//! ```text
//! own card newer than what the board was told ──▶ one `card` entry ──▶ row in `Told`, same batch
//! `card` entry that counts ──▶ fits its feed? newer? ──▶ known as if its owner had shown it
//! ```
//!
//! A card that is shown in a meeting must be of the newest epoch that was opened, since nobody can tell
//! when it was signed. One in a feed was signed before the feed ended, or its entry would not count: it
//! is weighed by its own feed alone, and the highest of those whose feeds stand wins. So the order of
//! arrival does not matter.
//!
//! Invariant: a board is told of a card once: the row that says so becomes durable with the entry.

use super::{
    Engine, Step,
    io::{IgnoredCard, Report},
    record::ToldRow,
    state::{Board, Feed},
    tables::{Table, board_key},
};
use crate::{
    feed::{Descriptor, Draft, Extent, Kind},
    hash::{BoardId, FeedId, OrgId},
    identity::{Card, PublicKey, SignedCard},
};

/// Our card as an entry, if it is newer than the one that the board was told.
pub(super) fn untold(own: &SignedCard, board: &Board) -> Option<Draft> {
    let is_news = board.told.is_none_or(|told| told.is_behind(own.card()));
    is_news.then(|| Draft::of(Kind::CARD, own.to_bytes()))
}

impl Engine {
    /// Notes which of our cards the board was told.
    pub(super) fn note_told(&mut self, id: &BoardId, told: ToldRow) {
        let Some(board) = self.boards.get_mut(id) else { return };
        board.told = Some(told);
        self.pending.put(Table::Told, board_key(id), told.to_bytes());
    }

    /// Takes the card that stands at `seq` of a feed.
    pub(super) fn apply_card(
        &mut self,
        step: &mut Step<'_>,
        (board, id): (BoardId, FeedId),
        (seq, payload): (u64, &[u8]),
    ) {
        let Some(author) = self.feed(&board, &id).map(|feed| feed.descriptor) else { return };
        let read = SignedCard::from_bytes(payload).map_err(IgnoredCard::Unreadable);
        let fitting = read.and_then(|card| self.expect_of_feed(&author, &card).map(|()| card));
        let outcome = match fitting {
            Ok(card) if author.org == self.me.org => {
                self.hear_own(&board, card.card());
                Ok(())
            }
            // A thief's, or one of two that contradict each other: what stands comes in another feed.
            Ok(card) if self.is_void(card.card()) => Ok(()),
            Ok(card) if self.is_node_of_another(card.card()) => Err(IgnoredCard::NodeTaken),
            Ok(card) => {
                self.learn(step, card);
                Ok(())
            }
            Err(why) => Err(why),
        };
        if let Err(why) = outcome {
            step.report(Report::CardIgnored { org: author.org, feed: id, seq, why });
        }
    }

    /// Our own card stands in our feed, perhaps fetched back after a restore.
    fn hear_own(&mut self, id: &BoardId, card: &Card) {
        // What stands under another of our keys says nothing of the present one: it may be a thief's.
        let ours = self.me.card.card();
        let is_present = card.epoch == ours.epoch && card.feed_key == ours.feed_key;
        let told = self.boards.get(id).and_then(|board| board.told);
        if is_present && told.is_none_or(|told| told.is_behind(card)) {
            self.note_told(id, ToldRow::of(card));
        }
    }

    /// A card in a feed is of the feed's organisation, key and epoch.
    fn expect_of_feed(&self, author: &Descriptor, signed: &SignedCard) -> Result<(), IgnoredCard> {
        let card = signed.card();
        if card.org != author.org {
            return Err(IgnoredCard::Foreign);
        }
        if card.feed_key != author.key {
            return Err(IgnoredCard::OtherKey);
        }
        if author.epoch.checked_add(self.epochs_before(author)) != Some(card.epoch) {
            return Err(IgnoredCard::OtherEpoch);
        }
        Ok(())
    }

    /// People say that this is an organisation's card. Their word counts against a later card under another
    /// key: whoever stole a key may have opened epochs with it and told cards in them, and the owner, who took the
    /// first of these back, can show that only to whoever lets its node in.
    pub(super) fn take_their_word(&mut self, step: &mut Step<'_>, signed: SignedCard) {
        let card = signed.card();
        let known = self.cards.get(&card.org).map(SignedCard::card);
        let is_against = known
            .is_some_and(|known| known.feed_key != card.feed_key && !self.gives_way(known, card));
        let signer = (card.org, card.feed_key);
        if is_against && self.feeds_signed_by(signer).next().is_none() {
            self.vouched.insert(signer.0, signer.1);
        }
        self.learn(step, signed);
    }

    /// The key that people vouched for against a later card; until it opens a feed, or the recovery key, which no
    /// thief has, opened the newest.
    fn vouched_for(&self, org: &OrgId) -> Option<PublicKey> {
        let key = self.vouched.get(org)?;
        let feeds = self.boards.values().flat_map(|board| board.feeds.values());
        let mut feeds = feeds.filter(|feed| feed.descriptor.org == *org);
        let ends_it = |feed: &Feed| {
            let is_recovered = feed.extent == Extent::Open && feed.opened.is_recovery();
            feed.descriptor.key == *key || is_recovered
        };
        (!feeds.any(ends_it)).then_some(*key)
    }

    /// The feeds of an organisation, on all boards, that a key signs.
    fn feeds_signed_by(&self, signer: (OrgId, PublicKey)) -> impl Iterator<Item = &Feed> {
        let feeds = self.boards.values().flat_map(|board| board.feeds.values());
        feeds.filter(move |feed| (feed.descriptor.org, feed.descriptor.key) == signer)
    }

    /// Whether another feed took the place of the one that the card's key signs, or contests it; of a key
    /// that signs none, whether another one opened its epoch, and nobody vouched for it against that one.
    fn is_void(&self, card: &Card) -> bool {
        let mut feeds = self.feeds_signed_by((card.org, card.feed_key)).peekable();
        if feeds.peek().is_some() {
            return feeds.any(Feed::is_void);
        }
        let all = self.boards.values().flat_map(|board| board.feeds.values());
        let mut open = all.filter(|feed| feed.extent == Extent::Open && feed.descriptor.epoch > 0);
        self.vouched_for(&card.org) != Some(card.feed_key)
            && open.any(|feed| {
                let of = &feed.descriptor;
                let epoch = of.epoch.checked_add(self.epochs_before(of));
                (of.org, epoch) == (card.org, Some(card.epoch))
            })
    }

    /// Whether a card gives way to another of its organisation: to a later one, but a void one to any
    /// that is not. Else whoever stole a key and opened an epoch with it could outbid its owner. Against a key that
    /// people vouched for nothing counts.
    pub(super) fn gives_way(&self, known: &Card, new: &Card) -> bool {
        match self.vouched_for(&known.org) {
            Some(key) if key == new.feed_key && key != known.feed_key => return true,
            Some(key) if key == known.feed_key && key != new.feed_key => return false,
            Some(_) | None => {}
        }
        match (self.is_void(known), self.is_void(new)) {
            (true, false) => true,
            (false, true) => false,
            (true, true) | (false, false) => known.order() < new.order(),
        }
    }

    /// How many epochs an organisation had before the one that the board counts as 0: a board may be
    /// founded under a later key. People vouched for the card that says so.
    fn epochs_before(&self, author: &Descriptor) -> u64 {
        let known = match author.org == self.me.org {
            true => Some(&self.me.card),
            false => self.cards.get(&author.org),
        };
        let feeds =
            self.boards.get(&author.board).into_iter().flat_map(|board| board.feeds.values());
        let mut feeds = feeds.map(|feed| feed.descriptor).filter(|feed| feed.org == author.org);
        known
            .and_then(|known| {
                let known = known.card();
                let opened = feeds.find(|feed| feed.key == known.feed_key)?;
                known.epoch.checked_sub(opened.epoch)
            })
            .unwrap_or(0)
    }
}
