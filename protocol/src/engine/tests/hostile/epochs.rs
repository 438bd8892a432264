//! Keys that were stolen and taken back: what the thief signs has no effect that the owner's
//! opening does not allow, and nothing that had an effect loses it.

use alloc::collections::BTreeSet;

use super::*;
use crate::feed::{Draft, Extent};

/// What node 1 finds settled of organisation 2's first feed.
fn settled(one: &One) -> u64 {
    one.feed_view(Author::first(2).id()).settled
}

/// A board where organisation 2 wrote one note, which 1 and 4 hold: one more of the others settles it.
fn board_with_a_note() -> (One, Chain) {
    let mut one = One::among(&[2, 3, 4]);
    let noted = Author::first(2).begin(&[note("a")]);
    one.say(2, push(&noted));
    publish(&mut one, 4, &[acknowledgement(&noted)]);
    for _ in 0..70 {
        one.tick();
    }
    assert_eq!(settled(&one), 0, "two of four others");
    (one, noted)
}

/// Its node, put back to a copy from before the board was founded.
fn restored(next: &Author, peers: &[u8]) -> One {
    let mut one = One::open(Standing::Sure, Disk::default());
    one.engine = Engine::open(under(next), Standing::Restored, &one.disk).unwrap();
    for peer in peers {
        one.input(Input::Learn { card: Box::new(card(*peer, node_key(*peer))) });
    }
    one.input(Input::Join { founding: Box::new(founding()) });
    one.meet(peers);
    one
}

fn publish(one: &mut One, peer: u8, contents: &[Content]) {
    one.say(peer, push(&Author::first(peer).begin(contents)));
}

/// An acknowledgement beyond the end of its epoch counts only if it came before the opening did.
/// Organisation 3 rotates its key after its opening; whoever took the old key acknowledges under it.
#[test]
fn what_an_ended_epoch_still_acknowledges_does_not_count() {
    for thief_is_first in [true, false] {
        let (mut one, noted) = board_with_a_note();
        let owner = Author::first(3);
        let opened = owner.begin(&[]);
        let stolen = owner.go_on(&opened, &[acknowledgement(&noted)]);
        let next = owner.next_after(&opened, [77; 32]).begin(&[]);
        one.say(3, push(&opened));
        for chain in if thief_is_first { [&stolen, &next] } else { [&next, &stolen] } {
            one.say(3, push(chain));
        }
        let counted = if thief_is_first { noted.tip.size() } else { 0 };
        assert_eq!(settled(&one), counted);
        one.restart();
        assert_eq!(settled(&one), counted, "after a restart");
        one.meet(&[2, 3, 4]);
        let acknowledged = one.feed(owner.id()).acked_size;
        assert_eq!(acknowledged, if thief_is_first { 2 } else { 1 }, "known everywhere");
        let view = one.feed_view(owner.id());
        assert_eq!((view.size, view.effective, view.standing), (2, 1, FeedStanding::Sound));
        one.say(
            3,
            push(
                &Author::first(3)
                    .next_after(&opened, [77; 32])
                    .go_on(&next, &[acknowledgement(&noted)]),
            ),
        );
        assert_eq!(settled(&one), noted.tip.size(), "the new key counts");
    }
}

/// What had an effect at some node counts everywhere. Before this node hears of the rotation,
/// another one acknowledged what the thief wrote.
#[test]
fn what_somebody_acknowledged_beyond_an_end_counts() {
    let (mut one, noted) = board_with_a_note();
    let owner = Author::first(3);
    let opened = owner.begin(&[]);
    let stolen = owner.go_on(&opened, &[acknowledgement(&noted)]);
    for chain in [&opened, &owner.next_after(&opened, [77; 32]).begin(&[]), &stolen] {
        one.say(3, push(chain));
    }
    assert_eq!(settled(&one), 0);
    let fifth = Author::first(5).begin(&[acknowledgement(&stolen)]);
    one.say(3, push(&fifth));
    assert_eq!(settled(&one), noted.tip.size());
    one.restart();
    assert_eq!(settled(&one), noted.tip.size());
}

/// The recovery key beats a thief who rotates the key that he took, and all epochs after that,
/// whichever opening comes first.
#[test]
fn a_recovery_beats_a_thiefs_rotation() {
    for thief_is_first in [true, false] {
        let (mut one, noted) = board_with_a_note();
        let owner = Author::first(3);
        let opened = owner.begin(&[]);
        let thief = owner.next_after(&opened, [66; 32]);
        let stolen = thief.begin(&[]);
        let further = thief.next_after(&stolen, [67; 32]);
        let onwards = further.begin(&[]);
        let recovered = owner.recovered_after(&opened, [77; 32]);
        let taken_back = recovered.begin(&[]);
        one.say(3, push(&opened));
        let mut order = [&stolen, &onwards, &taken_back];
        order.rotate_right(usize::from(!thief_is_first));
        for chain in order {
            one.say(3, push(chain));
        }
        for (author, chain) in [(&thief, &stolen), (&further, &onwards)] {
            one.say(3, push(&author.go_on(chain, &[acknowledgement(&noted)])));
            let view = one.feed_view(author.id());
            let applied = u64::from(thief_is_first);
            assert_eq!(view.standing, FeedStanding::Superseded);
            assert_eq!((view.size, view.effective), (2, 0));
            assert_eq!(one.feed(author.id()).acked_size, applied, "what had come before");
        }
        assert_eq!(settled(&one), 0);
        one.say(3, push(&recovered.go_on(&taken_back, &[acknowledgement(&noted)])));
        assert_eq!(settled(&one), noted.tip.size());
        one.restart();
        assert_eq!(settled(&one), noted.tip.size());
    }
}

/// Two openings of one epoch by one key are two histories from entry 0 on: neither counts by itself.
#[test]
fn two_rotations_of_one_key_contest_each_other() {
    let (mut one, noted) = board_with_a_note();
    let owner = Author::first(3);
    let opened = owner.begin(&[]);
    let rivals = [66, 77].map(|seed| owner.next_after(&opened, [seed; 32]));
    let chains = rivals.each_ref().map(|rival| rival.begin(&[]));
    for chain in [&opened, &chains[0], &chains[1]] {
        one.say(3, push(chain));
    }
    one.say(3, push(&rivals[0].go_on(&chains[0], &[acknowledgement(&noted)])));
    assert_eq!(settled(&one), 0);
    let standings = rivals.each_ref().map(|rival| one.feed_view(rival.id()).standing);
    assert_eq!(standings, [FeedStanding::Held { index: 0 }; 2]);
}

/// A node that took its key back still holds what the thief wrote, and gives it to who asks. Partners
/// take in the opening before it, so that what the thief wrote has no effect with them and is not
/// settled by them.
#[test]
fn an_opening_is_asked_for_before_what_it_may_end() {
    let owner = Author::first(3);
    let opened = owner.begin(&[]);
    let stolen = owner.go_on(&owner.go_on(&opened, &[note("ours")]), &[note("a thief's")]);
    let mut orders = BTreeSet::new();
    for seed in 60..76 {
        let mut one = One::among(&[3]);
        one.say(3, push(&opened));
        let recovered = owner.recovered_after(&opened, [seed; 32]);
        let taken_back = recovered.begin(&[]);
        orders.insert(recovered.id() < owner.id());
        let mut items = vec![stolen.item(&[]), taken_back.item(&[])];
        items.sort_by_key(|item| item.0);
        let heard = one.say(3, have(items));
        let written = owner.go_on(&opened, &[note("ours"), note("a thief's")]);
        one.converse(heard, |(_, message)| {
            let Message::Want { request, feed, .. } = message else { return None };
            Some(answer_to(request, if feed == owner.id() { &written } else { &taken_back }))
        });
        for _ in 0..70 {
            one.tick();
        }
        let view = one.feed_view(owner.id());
        assert_eq!((view.size, view.effective), (3, 1));
        assert_eq!(one.feed(owner.id()).acked_size, 1, "up to the end that the owner names");
    }
    assert_eq!(orders.len(), 2, "feeds in either order of their ids");
}

/// The end that an opening names may be another entry than the one that is held: then the entry
/// held at that place has no effect either.
#[test]
fn an_entry_that_a_named_end_contradicts_does_not_count() {
    let (mut one, noted) = board_with_a_note();
    let owner = Author::first(3);
    let opened = owner.begin(&[]);
    let stolen = owner.go_on(&opened, &[acknowledgement(&noted)]);
    let true_end = owner.go_on(&opened, &[note("mine")]);
    let next = owner.next_after(&true_end, [77; 32]).begin(&[]);
    for chain in [&opened, &next, &stolen] {
        one.say(3, push(chain));
    }
    let view = one.feed_view(owner.id());
    assert_eq!((view.size, view.effective, settled(&one)), (2, 1, 0));
}

/// One feed may be opened twice, with two ends of the epoch before: nodes that hold different
/// openings must not come to different ends. Once that is proven, nothing of the epoch before
/// counts by itself, and what had an effect is acknowledged.
#[test]
fn two_openings_of_one_feed_name_no_end() {
    for high_is_first in [true, false] {
        let (mut one, noted) = board_with_a_note();
        let owner = Author::first(3);
        let opened = owner.begin(&[]);
        let longer = owner.go_on(&opened, &[acknowledgement(&noted)]);
        let low = owner.next_after(&opened, [77; 32]);
        let high = owner.next_after(&longer, [77; 32]);
        let (in_low, in_high) = (low.begin(&[]), high.begin(&[]));
        one.say(3, push(&opened));
        one.say(3, push(if high_is_first { &in_high } else { &in_low }));
        one.say(3, push(&longer));
        let counted = if high_is_first { noted.tip.size() } else { 0 };
        assert_eq!(settled(&one), counted);
        let proof = low.prove(0, &in_low, &in_high);
        let fifth = Author::first(5).begin(&[evidence(&proof)]);
        one.say(3, push(&fifth));
        assert_eq!(settled(&one), counted, "what had an effect keeps it");
        let acknowledged = one.feed(owner.id()).acked_size;
        assert_eq!(acknowledged, if high_is_first { 2 } else { 1 });
        assert_eq!(one.feed(owner.id()).extent, Extent::Contested);
        one.restart();
        assert_eq!((one.feed(owner.id()).extent, settled(&one)), (Extent::Contested, counted));
    }
}

/// A node whose own feed another one replaced signs nothing more under the old key.
#[test]
fn a_node_that_was_replaced_refuses_to_write() {
    let mut one = One::among(&[2]);
    let own = Author::first(1);
    let opened = one.feed(own.id()).trunk.durable.unwrap();
    let end = End(opened.head.size - 1, opened.head.id);
    let next = own.opened_by(WarrantRole::Old, &own.key, end, [77; 32]);
    one.say(2, push(&next.begin(&[])));
    one.effects.clear();
    let draft = Draft::of(Kind::NOTE, b"late".to_vec());
    one.input(Input::Write { ticket: Ticket(1), board: founding().board(), draft });
    let why = Refused::Replaced { epoch: 0 };
    assert_eq!(one.effects, [Effect::Refused { ticket: Ticket(1), why }]);
}

/// A start costs no acknowledgement when there is nothing new. All that came since the last one are
/// acknowledgements.
#[test]
fn a_restart_acknowledges_nothing_again() {
    let (mut one, noted) = board_with_a_note();
    publish(&mut one, 3, &[acknowledgement(&noted)]);
    for _ in 0..70 {
        one.tick();
    }
    let owner = Author::first(3);
    let tail = owner.go_on(&owner.begin(&[acknowledgement(&noted)]), &[acknowledgement(&noted)]);
    one.say(3, push(&tail));
    let own = Author::first(1).id();
    let size = one.feed(own).trunk.tip.size();
    one.restart();
    one.meet(&[2, 3, 4]);
    for _ in 0..130 {
        one.tick();
    }
    assert_eq!(one.feed(own).trunk.tip.size(), size);
}

/// An acknowledgement of a feed that has not come yet may turn out to be by the same organisation:
/// then it does not count, whichever comes first. Else whoever has a key could make entries count by
/// acknowledging them under another one.
#[test]
fn an_organisation_does_not_make_its_own_feeds_count() {
    for feed_is_first in [true, false] {
        let (mut one, noted) = board_with_a_note();
        let owner = Author::first(3);
        let opened = owner.begin(&[]);
        let thief = owner.next_after(&opened, [66; 32]);
        let stolen = thief.begin(&[acknowledgement(&noted)]);
        let vouching = owner.go_on(&opened, &[acknowledgement(&stolen)]);
        let recovered = owner.recovered_after(&vouching, [77; 32]).begin(&[]);
        for chain in [&opened, &recovered] {
            one.say(3, push(chain));
        }
        for chain in if feed_is_first { [&stolen, &vouching] } else { [&vouching, &stolen] } {
            one.say(3, push(chain));
        }
        assert_eq!(settled(&one), 0);
        one.restart();
        assert_eq!(settled(&one), 0, "after a restart");
    }
}

/// A thief's rotation names an early end. The recovery that beats it names a later one: what was in
/// between counts again, and is acknowledged like anything new.
#[test]
fn what_counts_again_is_acknowledged() {
    for restarts in [true, false] {
        let mut one = One::among(&[2, 3, 4]);
        let owner = Author::first(3);
        let opened = owner.begin(&[]);
        let written = owner.go_on(&opened, &[note("mine")]);
        let thief = owner.next_after(&opened, [66; 32]);
        for chain in [&opened, &thief.begin(&[]), &written] {
            one.say(3, push(chain));
        }
        for _ in 0..70 {
            one.tick();
        }
        assert_eq!(one.feed(owner.id()).acked_size, 1, "up to the end that the thief names");
        one.say(3, push(&owner.recovered_after(&written, [77; 32]).begin(&[])));
        if restarts {
            one.restart();
            one.meet(&[2, 3, 4]);
        }
        for _ in 0..70 {
            one.tick();
        }
        assert_eq!(one.feed(owner.id()).acked_size, 2);
        assert_eq!(one.feed_view(owner.id()).effective, 2);
    }
}

/// What a node is about to open has no effect before it is signed: others who hold the same do not
/// know of it yet.
#[test]
fn an_opening_that_is_not_signed_yet_ends_nothing() {
    let mut one = One::among(&[2]);
    let own = Author::first(1);
    let opened = one.feed(own.id()).trunk.durable.unwrap();
    let end = End(opened.head.size - 1, opened.head.id);
    let next = own.opened_by(WarrantRole::Old, &own.key, end, [77; 32]);
    one.engine = Engine::open(under(&next), Standing::Restored, &one.disk).unwrap();
    one.tick();
    let extents = |one: &One| [own.id(), next.id()].map(|id| one.feed(id).extent);
    assert_eq!(extents(&one), [Extent::Open, Extent::Open]);
    one.engine = Engine::open(under(&next), Standing::Sure, &one.disk).unwrap();
    one.tick();
    assert_eq!(one.feed(next.id()).trunk.tip.size(), 1);
    assert_eq!(extents(&one), [Extent::Until(end), Extent::Open]);
}

/// What is settled stays in effect when a fork begins above it and an epoch ends below it.
#[test]
fn settled_entries_beyond_an_end_keep_their_effect_when_a_fork_comes_too() {
    let mut one = One::among(&[2, 3, 4]);
    let owner = Author::first(2);
    let opened = owner.begin(&[]);
    let written = owner.go_on(&opened, &[note("a"), note("b")]);
    for chain in [&opened, &written] {
        one.say(2, push(chain));
    }
    for peer in [3, 4] {
        publish(&mut one, peer, &[acknowledgement(&written)]);
    }
    for _ in 0..70 {
        one.tick();
    }
    let settled_size = one.feed_view(owner.id()).settled;
    assert_eq!(settled_size, 3);
    one.say(2, push(&owner.next_after(&opened, [77; 32]).begin(&[])));
    let forked = [note("c"), note("d")].map(|last| owner.go_on(&written, &[last]));
    let proof = owner.prove(3, &forked[0], &forked[1]);
    one.say(5, push(&Author::first(5).begin(&[evidence(&proof)])));
    one.say(
        4,
        push(
            &Author::first(4)
                .go_on(&Author::first(4).begin(&[acknowledgement(&written)]), &[evidence(&proof)]),
        ),
    );
    let view = one.feed_view(owner.id());
    assert_eq!(view.standing, FeedStanding::Held { index: 3 });
    assert_eq!((view.settled, view.effective), (3, 3));
}

/// A node that was put back to an older copy fetches its own feed. Whoever gives it the opening
/// without its payload must not keep it from starting again.
#[test]
fn an_opening_without_its_payload_is_not_taken_in() {
    let mut one = One::among(&[2]);
    let own = Author::first(1);
    let opened = one.feed(own.id()).trunk.durable.unwrap();
    let end = End(opened.head.size - 1, opened.head.id);
    let next = own.opened_by(WarrantRole::Old, &own.key, end, [77; 32]);
    one.engine = Engine::open(under(&next), Standing::Restored, &one.disk).unwrap();
    one.meet(&[2]);
    let mut bare = next.begin(&[]);
    let content = (Kind::OPEN_FEED, next.opening.to_bytes());
    let (header, _) = entry(&Tip::empty(next.id()), founding().board().as_charter(), &content);
    bare.run.entries = vec![CompactEntry::of(header, None)];
    one.say(2, push(&bare));
    assert_eq!(one.feed(next.id()).trunk.tip.size(), 0);
    one.engine = Engine::open(under(&next), Standing::Restored, &one.disk).unwrap();
    one.meet(&[2]);
    one.say(2, push(&next.begin(&[])));
    assert_eq!(one.feed(next.id()).trunk.tip.size(), 1);
}

/// A node that was put back to an older copy fetches what it acknowledged beyond the end of its old
/// feed, and then learns of that end. That acknowledgement counts with it and with nobody else, so it
/// acknowledges again.
#[test]
fn a_node_says_again_what_its_own_feed_said_beyond_its_end() {
    let (_, noted) = board_with_a_note();
    let own = Author::first(1);
    let opened = own.begin(&[]);
    let Point(seq, id) = opened.end();
    let next = own.opened_by(WarrantRole::Old, &own.key, End(seq, id), [77; 32]);
    let mut one = restored(&next, &[2, 3, 4]);
    for chain in [&opened, &noted, &own.go_on(&opened, &[acknowledgement(&noted)])] {
        one.say(2, push(chain));
    }
    assert_eq!(one.view().drafts, 0);
    one.say(2, push(&next.begin(&[])));
    assert_eq!(one.view().drafts, 1, "one acknowledgement waits to be signed");
}

/// Above a fork only what somebody acknowledged is told. What our own feed acknowledged beyond its end
/// counts with us alone, so others would be told of what they never ask for, for ever.
#[test]
fn what_our_ended_feed_alone_acknowledged_above_a_fork_is_not_told() {
    let forked = Author::first(2);
    let begun = forked.begin(&[]);
    let [seen, unseen] = [note("a"), note("b")].map(|last| forked.go_on(&begun, &[last]));
    let own = Author::first(1);
    let opened = own.begin(&[]);
    let Point(seq, id) = opened.end();
    let next = own.opened_by(WarrantRole::Old, &own.key, End(seq, id), [77; 32]);
    for ended in [None, Some("before the proof"), Some("after it")] {
        let mut one = restored(&next, &[2]);
        for chain in [&opened, &begun, &seen, &own.go_on(&opened, &[acknowledgement(&seen)])] {
            one.say(2, push(chain));
        }
        let proof = forked.prove(1, &seen, &unseen);
        let proven = Author::first(4).begin(&[evidence(&proof)]);
        let ending = next.begin(&[]);
        let told = match ended {
            None => vec![&proven],
            Some("before the proof") => vec![&ending, &proven],
            Some(_) => vec![&proven, &ending],
        };
        for chain in told {
            one.say(2, push(chain));
        }
        let (_, items) = one.engine.holdings(&founding().board()).unwrap();
        let expected = if ended.is_some() { vec![] } else { vec![seen.end()] };
        assert_eq!(items[&forked.id()].3, expected, "our feed ended: {ended:?}");
    }
}

/// What our own feed said beyond its end of entries that are not here yet has counted nowhere. When
/// they come it counts no earlier than with others: when somebody else acknowledges it.
#[test]
fn what_our_ended_feed_said_of_entries_to_come_does_not_count_with_us_alone() {
    let author = Author::first(2);
    let begun = author.begin(&[]);
    let noted = author.go_on(&begun, &[note("a")]);
    let own = Author::first(1);
    let opened = own.begin(&[]);
    let saying = own.go_on(&opened, &[acknowledgement(&noted)]);
    let Point(seq, id) = opened.end();
    let next = own.opened_by(WarrantRole::Old, &own.key, End(seq, id), [77; 32]);
    for acknowledged in [false, true] {
        let mut one = restored(&next, &[2, 3, 4]);
        for chain in [&opened, &begun, &saying, &next.begin(&[])] {
            one.say(2, push(chain));
        }
        if acknowledged {
            one.say(3, push(&Author::first(3).begin(&[acknowledgement(&saying)])));
        }
        one.say(2, push(&noted));
        let ours = one.feed(author.id()).trunk.complete.get(&fixture::org(1));
        assert_eq!(ours.is_some(), acknowledged);
        let heard = one.feed_view(own.id()).chains[0].heard;
        assert_eq!(heard, if acknowledged { 2 } else { 1 });
    }
}
