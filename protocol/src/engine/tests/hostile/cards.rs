//! Cards in feeds: told once, taken from whoever brings them, and no way to speak for others.

use super::*;
use crate::{
    engine::{Identity, IgnoredCard, Report, Table, tests::Net},
    identity::{BadCard, Card, SignedCard},
};

/// A card of an organisation under the key of one of its feeds.
fn card_by(author: &Author, (epoch, number): (u64, u64), node: NodeKey) -> SignedCard {
    let first = card(2, node).card().clone();
    let Descriptor { org, key, .. } = author.descriptor;
    let addresses = vec!["/ip4/192.0.2.7/tcp/4001".into()];
    let card = Card { org, epoch, number, feed_key: key, addresses, ..first };
    card.sign(&author.key).unwrap()
}

fn told(card: &SignedCard) -> Content {
    (Kind::CARD, card.to_bytes())
}

fn known(one: &One, number: u8) -> &SignedCard {
    one.engine.card(&fixture::org(number)).unwrap()
}

/// Organisation 1 with a newer card.
fn with_card(number: u64) -> Identity {
    Identity { card: card_by(&Author::first(1), (0, number), node_key(1)), ..identity(1) }
}

fn ignored(one: &One) -> Vec<IgnoredCard> {
    let why = |effect: &Effect| {
        let Effect::Report(Report::CardIgnored { why, .. }) = effect else { return None };
        Some(why.clone())
    };
    one.effects.iter().filter_map(why).collect()
}

/// The third meets nobody but the second. Its newer card reaches the first in its feed, once however
/// often it starts again; a card that is as it was when the board was joined is not told.
#[test]
fn a_newer_card_is_told_once_and_reaches_whoever_cannot_meet_its_node() {
    let mut net = Net::new(&[1, 2, 3]);
    net.cut(1, 3);
    assert_eq!(cards_on(&net, 1), 0);
    let newer = card_by(&Author::first(3), (0, 1), node_key(3));
    for _ in 0..3 {
        net.restart_as(3, Identity { card: newer.clone(), ..identity(3) }, Standing::Sure);
        net.tick(1);
        assert_eq!(cards_on(&net, 1), 1);
        let first = &net.nodes[&node_key(1)].engine;
        assert_eq!(first.card(&fixture::org(3)), Some(&newer));
    }
}

/// How many cards stand in feeds, as one node holds them.
fn cards_on(net: &Net, number: u8) -> usize {
    let rows = net.nodes[&node_key(number)].disk.0.iter();
    let headers = rows.filter(|((table, _), _)| *table == Table::Headers);
    headers.filter(|(_, bytes)| Header::from_bytes(bytes).unwrap().kind == Kind::CARD).count()
}

/// A crash before the entry is durable leaves no trace of it, and one after it is durable tells nothing
/// twice: the row that says what was told is in the same batch.
#[test]
fn a_crash_neither_loses_a_card_nor_tells_it_twice() {
    let mut one = One::among(&[2]);
    let id = Author::first(1).id();
    for (is_durable, has_work) in [(false, true), (true, true), (true, false)] {
        one.engine = Engine::open(with_card(4), Standing::Sure, &one.disk).unwrap();
        let effects = one.step(Input::Tick);
        assert_eq!(effects.is_empty(), !has_work, "{effects:?}");
        if is_durable {
            one.carry_out(effects);
        }
    }
    assert_eq!(one.feed_view(id).size, 2, "opening and card");
    one.engine = Engine::open(with_card(5), Standing::Sure, &one.disk).unwrap();
    one.tick();
    assert_eq!(one.feed_view(id).size, 3, "the next card");
}

/// One epoch is opened twice, by a rotation and then by the recovery key, and the cards of both have the same
/// number: what was told under the first key says nothing of the second.
#[test]
fn a_card_under_a_key_that_was_taken_back_is_told_though_its_number_was() {
    let mut one = One::among(&[2]);
    let end = End(0, one.ends_of(Author::first(1).id())[0]);
    let owner = Author::first(1);
    let rotated = owner.opened_by(WarrantRole::Old, &owner.key, end, [66; 32]);
    let recovery = fixture::recovery_key(1);
    let recovered = owner.opened_by(WarrantRole::Recovery, &recovery, end, [77; 32]);
    for author in [&rotated, &recovered] {
        let card = card_by(author, (1, 2), node_key(1));
        let identity = Identity { card, ..under(author) };
        one.engine = Engine::open(identity, Standing::Sure, &one.disk).unwrap();
        one.tick();
        assert_eq!(one.feed_view(author.id()).size, 2, "opening and card");
    }
}

/// A node put back to a copy from before it told of its card gets its feed back, and says no more.
#[test]
fn a_restored_node_finds_its_card_in_the_feed_that_partners_give_back() {
    let mut net = Net::new(&[1, 2, 3, 4, 5]);
    let old = net.nodes[&node_key(1)].disk.clone();
    net.restart_as(1, with_card(1), Standing::Sure);
    net.tick(1);
    net.nodes.get_mut(&node_key(1)).unwrap().disk = old;
    net.restart_as(1, with_card(1), Standing::Restored);
    net.tick(15);
    assert!(!net.view(1).is_restoring);
    assert_eq!(cards_on(&net, 1), 1);
    net.assert_equal();
}

/// The third's node is found at another key and address, and the second alone was told by hand: it
/// passes on the feed, and the first lets the new node in and the old one no longer.
#[test]
fn a_card_that_a_third_member_brings_admits_the_new_node_and_dismisses_the_old() {
    let mut one = One::among(&[2, 3]);
    let owner = Author::first(3);
    let newer = card_by(&owner, (0, 1), node_key(9));
    one.effects.clear();
    one.say(2, push(&owner.begin(&[told(&newer)])));
    let addresses = newer.card().addresses.clone();
    let expected =
        [Effect::Dismiss { peer: node_key(3) }, Effect::Admit { peer: node_key(9), addresses }];
    assert_eq!(one.effects, expected);
    one.restart();
    assert_eq!(known(&one, 3), &newer);
    assert!(one.engine.admissions().contains(&expected[1]));
}

/// What a feed counts of itself was signed before it ended, so its cards are those of its epoch and give
/// way to those of the next, in whatever order they come; one that claims a later epoch is ignored, and
/// one beyond the end does not count.
#[test]
fn a_card_under_an_older_key_does_not_replace_one_under_a_newer() {
    let owner = Author::first(3);
    let claims = told(&card_by(&owner, (7, 0), node_key(8)));
    let first = owner.begin(&[told(&card_by(&owner, (0, u64::MAX), node_key(9))), claims]);
    let next = owner.next_after(&first, [77; 32]);
    let newest = card_by(&next, (1, 0), node_key(10));
    let second = next.begin(&[told(&newest)]);
    for chains in [[&first, &second], [&second, &first]] {
        let mut one = One::among(&[2, 3]);
        for chain in chains {
            one.say(2, push(chain));
        }
        assert_eq!(known(&one, 3), &newest);
        assert_eq!(ignored(&one), [IgnoredCard::OtherEpoch]);
        let beyond = told(&card_by(&owner, (0, u64::MAX), node_key(11)));
        one.say(2, push(&owner.go_on(&first, &[beyond])));
        assert_eq!(known(&one, 3), &newest);
    }
}

/// Whoever stole a key opens the next epoch with it and takes the highest number there is. The owner's
/// recovery key opens the same epoch; its card is the one that holds, whichever came first.
#[test]
fn a_card_in_a_superseded_feed_gives_way_to_the_owners() {
    let owner = Author::first(3);
    let opened = owner.begin(&[]);
    let thief = owner.next_after(&opened, [66; 32]);
    let stolen = thief.begin(&[told(&card_by(&thief, (1, u64::MAX), node_key(9)))]);
    let recovered = owner.recovered_after(&opened, [77; 32]);
    let own = card_by(&recovered, (1, 0), node_key(10));
    let taken_back = recovered.begin(&[told(&own)]);
    for chains in [[&stolen, &taken_back], [&taken_back, &stolen]] {
        let mut one = One::among(&[2, 3]);
        one.say(2, push(&opened));
        for chain in chains {
            one.say(2, push(chain));
        }
        assert_eq!(known(&one, 3), &own);
        one.restart();
        assert_eq!(known(&one, 3), &own);
    }
}

/// A thief who rotates twice has the newest epoch. Its feeds are superseded, so the owner's node, under the
/// recovered key of the epoch before, is believed when it shows its card.
#[test]
fn an_owner_shows_its_card_though_a_thief_opened_a_later_epoch() {
    let owner = Author::first(3);
    let opened = owner.begin(&[]);
    let thief = owner.next_after(&opened, [66; 32]);
    let stolen = thief.begin(&[]);
    let further = thief.next_after(&stolen, [67; 32]);
    let onwards = further.begin(&[told(&card_by(&further, (2, 0), node_key(3)))]);
    let recovered = owner.recovered_after(&opened, [77; 32]);
    let own = card_by(&recovered, (1, 0), node_key(3));
    let mut one = One::among(&[2, 3]);
    for chain in [&opened, &stolen, &onwards, &recovered.begin(&[])] {
        one.say(2, push(chain));
    }
    assert_eq!(known(&one, 3).card().order(), (2, 0), "until the owner says otherwise");
    let (card, boards) = (own.to_bytes(), vec![founding().board()]);
    one.say(3, Message::Hello { versions: vec![1], card, boards, now: TimeMs(1_000_000) });
    assert_eq!(known(&one, 3), &own);
}

/// A thief rotated twice, and its card shuts out the owner's node, which has another key by now. People vouch for
/// the owner's card, of a lower epoch; that holds against whatever the thief tells, until the owner's feed comes.
#[test]
fn peoples_word_counts_against_a_later_card_of_a_thief() {
    let owner = Author::first(3);
    let opened = owner.begin(&[]);
    let thief = owner.next_after(&opened, [66; 32]);
    let stolen = thief.begin(&[]);
    let further = thief.next_after(&stolen, [67; 32]);
    let onwards = further.begin(&[told(&card_by(&further, (2, 7), node_key(9)))]);
    let recovered = owner.recovered_after(&opened, [77; 32]);
    let own = card_by(&recovered, (1, 1), node_key(10));
    let mut one = One::among(&[2, 3]);
    for chain in [&opened, &stolen, &onwards] {
        one.say(2, push(chain));
    }
    assert_eq!(known(&one, 3).card().order(), (2, 7));

    one.input(Input::Learn { card: Box::new(own.clone()) });

    assert_eq!(known(&one, 3), &own);
    let later = told(&card_by(&further, (2, 8), node_key(11)));
    one.say(2, push(&further.go_on(&onwards, &[later])));
    assert_eq!(known(&one, 3), &own);
    one.say(2, push(&recovered.begin(&[])));
    one.restart();
    assert_eq!(known(&one, 3), &own);
}

/// People vouched for a key that was given up before it opened a feed: its card gives way to the one under the key
/// that opened the epoch, whatever their numbers.
#[test]
fn a_card_under_a_key_that_opened_nothing_gives_way_to_one_of_its_epoch() {
    let owner = Author::first(3);
    let opened = owner.begin(&[]);
    let given_up = owner.next_after(&opened, [66; 32]);
    let recovered = owner.recovered_after(&opened, [77; 32]);
    let own = card_by(&recovered, (1, 0), node_key(10));
    let mut one = One::among(&[2, 3]);
    one.say(2, push(&opened));
    let card = card_by(&given_up, (1, 4), node_key(9));
    one.input(Input::Learn { card: Box::new(card.clone()) });
    assert_eq!(known(&one, 3), &card);

    one.say(2, push(&recovered.begin(&[told(&own)])));

    assert_eq!(known(&one, 3), &own);
}

/// A feed speaks for its organisation and its key alone. What it says otherwise is reported, and
/// changes nothing.
#[test]
fn a_card_of_others_or_of_nobody_is_ignored_with_a_report() {
    let author = Author::first(2);
    let other = Author { key: KeyPair::from_seed(&[66; 32]), ..Author::first(2) };
    let key = other.key.public();
    let other = Author { descriptor: Descriptor { key, ..other.descriptor }, ..other };
    let mut forged = card_by(&author, (0, 1), node_key(9)).to_bytes();
    *forged.last_mut().unwrap() ^= 1;
    let mut one = One::among(&[2, 3]);
    let before = [known(&one, 2).clone(), known(&one, 3).clone()];
    one.effects.clear();
    one.say(
        2,
        push(&author.begin(&[
            told(&card_by(&Author::first(3), (0, 1), node_key(9))),
            told(&card_by(&Author::first(1), (0, 1), node_key(9))),
            told(&card_by(&other, (0, 1), node_key(9))),
            told(&card_by(&author, (0, 1), node_key(3))),
            told(&card_by(&author, (0, 1), node_key(1))),
            (Kind::CARD, forged),
            (Kind::CARD, vec![]),
        ])),
    );
    let [.., unsigned, empty] = &ignored(&one)[..] else { panic!() };
    assert!(matches!(unsigned, IgnoredCard::Unreadable(BadCard::Signature(_))), "{unsigned}");
    assert!(matches!(empty, IgnoredCard::Unreadable(BadCard::Malformed(_))), "{empty}");
    let expected = [
        IgnoredCard::Foreign,
        IgnoredCard::Foreign,
        IgnoredCard::OtherKey,
        IgnoredCard::NodeTaken,
        IgnoredCard::NodeTaken,
    ];
    assert_eq!(ignored(&one)[..5], expected);
    assert_eq!(one.effects.len(), 7, "{:?}", one.effects);
    assert_eq!([known(&one, 2), known(&one, 3)], [&before[0], &before[1]]);
}

/// A board that was founded under a later key counts that key's epochs from 0: the card that people
/// vouched for says how far the two counts are apart.
#[test]
fn cards_are_taken_on_a_board_that_was_founded_under_a_later_key() {
    let owner = Author::first(3);
    let first = owner.begin(&[told(&card_by(&owner, (3, 1), node_key(9)))]);
    let next = owner.next_after(&first, [77; 32]);
    let newest = card_by(&next, (4, 0), node_key(10));
    let mut one = One::among(&[2, 3]);
    one.input(Input::Learn { card: Box::new(card_by(&owner, (3, 0), node_key(3))) });
    one.say(2, push(&first));
    assert_eq!(known(&one, 3).card().order(), (3, 1));
    one.say(2, push(&next.begin(&[told(&newest)])));
    assert_eq!(known(&one, 3), &newest);
}
