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
    feed::{Descriptor, Draft, Kind},
    hash::{BoardId, FeedId},
    identity::{Card, SignedCard},
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

    /// Whether another feed took the place of the one that the card's key signs, or contests it.
    fn is_void(&self, card: &Card) -> bool {
        let feeds = self.boards.values().flat_map(|board| board.feeds.values());
        let of_card = |feed: &&Feed| {
            let Descriptor { org, key, .. } = feed.descriptor;
            (org, key) == (card.org, card.feed_key)
        };
        feeds.filter(of_card).any(Feed::is_void)
    }

    /// Whether a card gives way to another of its organisation: to a later one, but a void one to any
    /// that is not. Else whoever stole a key and opened an epoch with it could outbid its owner.
    pub(super) fn gives_way(&self, known: &Card, new: &Card) -> bool {
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
