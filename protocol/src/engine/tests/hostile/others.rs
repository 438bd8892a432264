//! Who is who, what a start may trust, and what the node's own staff are told.

use alloc::{borrow::ToOwned, boxed::Box, collections::BTreeMap, vec, vec::Vec};

use super::{Author, Chain, One, fixture, hello, node_key, push};
use crate::{
    engine::{
        Effect, Engine, Input, Refused, Standing, Ticket,
        tests::{Disk, Net, Node, card, founding, identity},
    },
    feed::{Draft, Kind},
    hash::EntryId,
    identity::{Card, SignedCard},
    limits::REFS_MAX,
    sync::{HaveItem, Message, have_digest},
    time::TimeMs,
};

/// Nothing is stored of a feed before its first run is verified. The author of a new epoch sends a
/// true opening with a second one of garbage behind it, then garbage in place of the opening.
#[test]
fn a_second_opening_of_garbage_neither_is_stored_nor_stops_the_next_start() {
    let mut one = One::among(&[2]);
    let author = Author::first(2).next([77; 32]);
    let before = one.disk.clone();
    one.say(2, push(&author.begin(&[(Kind::OPEN_FEED, vec![1])])));
    let empty = Chain::empty(author.id());
    one.say(2, push(&author.go_on(&empty, &[(Kind::OPEN_FEED, vec![1, 2, 3])])));
    assert_eq!(one.disk.0, before.0);
    one.restart();
}

/// A board needs no new meeting to be shared. Two nodes meet while only one of them takes part in
/// it; then the other joins, and an entry reaches it.
#[test]
fn a_board_joined_while_connected_is_shared_at_once() {
    let mut net = Net::new(&[1]);
    let disk = Disk::default();
    let engine = Engine::open(identity(2), Standing::Sure, &disk).unwrap();
    net.nodes.insert(node_key(2), Node { engine, disk });
    for (number, other) in [(1, 2), (2, 1)] {
        let card = Box::new(card(other, node_key(other)));
        net.input(node_key(number), Input::Learn { card });
    }
    net.run();
    net.connect_all();
    net.input(node_key(2), Input::Join { founding: Box::new(founding()) });
    net.run();
    net.note(1, "hello");
    net.tick(100);
    net.assert_equal();
    assert_eq!(net.view(2).feeds[&Author::first(1).id()], net.view(1).feeds[&net.view(1).own]);
}

/// Each wish of the staff is answered for itself. While a first batch is on its way to disk three
/// drafts gather, the middle one with more references than are allowed.
#[test]
fn one_bad_draft_takes_no_other_along() {
    let mut one = One::among(&[2]);
    one.effects.clear();
    let mut effects = vec![];
    for (ticket, refs) in [(1, 0), (2, 0), (3, REFS_MAX + 1), (4, 0)] {
        let draft = Draft { refs: vec![EntryId::NONE; refs], ..Draft::of(Kind::NOTE, vec![1]) };
        effects.extend(one.step(write(ticket, draft)));
    }
    one.carry_out(effects);
    let mut answers = BTreeMap::new();
    for effect in one.effects {
        if let Effect::Written { ticket: Ticket(ticket), seq, .. } = effect {
            answers.insert(ticket, Ok(seq));
        } else if let Effect::Refused { ticket: Ticket(ticket), why } = effect {
            answers.insert(ticket, Err(why));
        }
    }
    let refused = Refused::TooManyRefs { count: REFS_MAX + 1 };
    assert_eq!(answers, [(1, Ok(1)), (2, Ok(2)), (3, Err(refused)), (4, Ok(3))].into());
}

fn write(ticket: u64, draft: Draft) -> Input {
    Input::Write { ticket: Ticket(ticket), board: founding().board(), draft }
}

/// An old key cannot claim the future. A thief of the first epoch's key shows a card with the
/// highest numbers there are; then the organisation's people hand over the card of its next epoch.
#[test]
fn a_card_shown_under_an_old_key_does_not_shut_out_a_new_one() {
    let mut one = One::among(&[2]);
    let known = card(2, node_key(2)).card().clone();
    let stolen = Card { epoch: u64::MAX, number: u64::MAX, ..known.clone() };
    let stolen = stolen.sign(&fixture::feed_key(2)).unwrap().to_bytes();
    one.say(2, Message::Hello { versions: vec![1], card: stolen, boards: vec![], now: TimeMs(0) });
    let next = Author::first(2).next([77; 32]);
    let fresh = Card { epoch: 1, feed_key: next.descriptor.key, node_key: node_key(9), ..known };
    let fresh = fresh.sign(&next.key).unwrap();
    one.input(Input::Learn { card: Box::new(fresh.clone()) });
    assert_eq!(one.engine.card(&fixture::org(2)), Some(&fresh));
}

/// A board that was founded under a later key counts that key's epochs from 0. Its newer cards are
/// learned from its node all the same once people vouched for one, until another key takes its place.
#[test]
fn newer_cards_are_learned_on_a_board_that_was_founded_under_a_later_key() {
    let mut one = One::among(&[2]);
    let numbered = |number, addresses| {
        let known = card(2, node_key(2)).card().clone();
        let later = Card { epoch: 3, number, addresses, ..known };
        later.sign(&fixture::feed_key(2)).unwrap()
    };
    let address = || vec!["/ip4/192.0.2.7/tcp/4001".to_owned()];
    let show = |one: &mut One, card: &SignedCard| {
        let (card, boards) = (card.to_bytes(), vec![founding().board()]);
        one.say(2, Message::Hello { versions: vec![1], card, boards, now: TimeMs(1_000_000) });
        one.engine.card(&fixture::org(2)).unwrap().card().number
    };
    assert_eq!(show(&mut one, &numbered(1, vec![])), 0, "nobody vouched for its epoch");
    one.input(Input::Learn { card: Box::new(numbered(1, vec![])) });
    assert_eq!(show(&mut one, &numbered(2, address())), 2);
    let owner = Author::first(2);
    one.say(2, push(&owner.begin(&[])));
    one.say(2, push(&owner.next_after(&owner.begin(&[]), [77; 32]).begin(&[])));
    assert_eq!(show(&mut one, &numbered(3, vec![])), 2, "another key took its place");
}

/// A node belongs to one organisation. The second signs a card that names the third's node as its
/// own, and the third's node still meets us as what it is.
#[test]
fn a_card_cannot_take_over_another_organisations_node() {
    let mut one = One::among(&[2, 3]);
    let known = card(2, node_key(2));
    let greedy = Card { number: 1, node_key: node_key(3), ..known.card().clone() };
    let greedy = Box::new(greedy.sign(&fixture::feed_key(2)).unwrap());
    one.effects.clear();
    one.input(Input::Learn { card: greedy });
    one.input(Input::Disconnected { peer: node_key(3) });
    one.input(Input::Connected { peer: node_key(3) });
    one.say(3, hello(3));
    assert_eq!(one.effects, []);
    assert_eq!(one.engine.card(&fixture::org(2)), Some(&known));
}

/// Silence is no lie. A node that was put back from an older copy hears from three partners how far
/// its own feed had come; the two that hold more than it does never answer a request. It waits, and
/// does not sign over what it once signed.
#[test]
fn a_slow_partner_is_not_taken_for_mistaken() {
    let mut net = Net::new(&[1, 2, 3, 4, 5]);
    net.note(1, "one");
    net.run();
    let old = net.nodes[&node_key(1)].disk.clone();
    let less = everything_held_by(&net.nodes[&node_key(2)]);
    net.note(1, "two");
    net.run();
    let more = everything_held_by(&net.nodes[&node_key(2)]);
    let mut one = One::open(Standing::Restored, old);
    one.meet(&[2, 3, 4]);
    let held = one.feed_view(Author::first(1).id()).size;
    one.input(write(1, Draft::of(Kind::NOTE, vec![1])));
    let tell = |peer| if peer == node_key(2) { less.clone() } else { more.clone() };
    for peer in [2, 3, 4] {
        one.say(peer, tell(node_key(peer)));
    }
    for _ in 0..400 {
        let heard = one.tick();
        one.converse(heard, |(peer, message)| {
            matches!(message, Message::Ask(_)).then(|| tell(peer))
        });
    }
    let view = one.view();
    let size = view.feeds[&view.own].size;
    assert_eq!((size, view.drafts, view.is_restoring), (held, 1, true));
}

fn everything_held_by(node: &Node) -> Message {
    let board = founding().board();
    let items: Vec<HaveItem> = node.engine.boards[&board].items.values().cloned().collect();
    Message::Have { board, digest: have_digest(&board, &items), items }
}
