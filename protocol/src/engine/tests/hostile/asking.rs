//! What the node asks its peers for, how often, and how much it lets them give.

use alloc::{collections::BTreeSet, vec};

use super::{Author, Chain, One, answer_to, have, node_key, note, push};
use crate::{
    engine::{Input, tests::Net},
    hash::{EntryId, FeedId},
    limits::{EPOCHS_MAX, MIB},
    sync::{HaveItem, Message},
};

/// One who tells of more than there is keeps nobody from giving what there is. Here the second
/// organisation's node claims a long feed of the third's and answers each request for it with
/// entries of another place, while the third's own node answers truly.
#[test]
fn a_peer_that_answers_beside_the_point_does_not_keep_others_from_being_asked() {
    let mut one = One::among(&[2, 3]);
    let author = Author::first(3);
    let chain = author.begin(&[note("a")]);
    let mut astray = chain.clone();
    astray.run.from = 7;
    let mut asked = vec![];
    let mut answer = |(peer, message)| {
        let Message::Want { request, feed, .. } = message else { return None };
        (feed == author.id()).then(|| {
            asked.push(peer);
            answer_to(request, if peer == node_key(2) { &astray } else { &chain })
        })
    };
    let claim = HaveItem(author.id(), 1 << 40, EntryId::NONE, vec![]);
    let mut heard = one.say(2, have(vec![claim]));
    heard.extend(one.say(3, have(vec![chain.item(&[])])));
    one.converse(heard, &mut answer);
    for _ in 0..60 {
        let heard = one.tick();
        one.converse(heard, &mut answer);
    }
    assert_eq!(one.feed(author.id()).trunk.tip, chain.tip);
    assert_eq!(asked, [node_key(2), node_key(3)]);
}

/// A payload that comes by pieces is asked for once, however many frames come in meanwhile: a
/// megabyte is four pieces of a quarter each, and no fifth.
#[test]
fn a_large_payload_is_fetched_once() {
    let mut net = Net::new(&[1, 2]);
    net.frames.clear();
    net.note(1, &"x".repeat(1_000_000));
    net.run();
    let pieces = net.frames.iter().filter(|(_, _, _, name)| *name == "payload");
    assert_eq!(pieces.count(), 4);
}

/// What the node begins by itself waits for credit, so that no peer is dropped for frames that it
/// did not cause. Two organisations open all the epochs they may and fork every one, and an honest
/// peer tells of the other history of each: more comparisons than may wait in a meeting.
#[test]
fn many_differing_feeds_do_not_overrun_an_honest_peer() {
    let mut one = One::among(&[2, 3]);
    let mut items = vec![];
    for number in [2, 4] {
        let mut author = Author::first(number);
        for epoch in 1..EPOCHS_MAX {
            let mut seed = [number; 32];
            seed[..8].copy_from_slice(&epoch.to_be_bytes());
            author = author.next(seed);
            let opened = author.begin(&[]);
            one.say(2, push(&opened));
            one.say(2, push(&author.go_on(&opened, &[note("a")])));
            items.push(author.go_on(&opened, &[note("b")]).item(&[]));
        }
    }
    items.sort_by_key(|item| item.0);
    let differing: BTreeSet<FeedId> = items.iter().map(|item| item.0).collect();
    one.effects.clear();
    let said = one.say(3, have(items));
    let compared = said.into_iter().filter_map(|(_, message)| {
        let Message::Compare { feed, .. } = message else { return None };
        Some(feed)
    });
    assert_eq!(compared.collect::<BTreeSet<FeedId>>(), differing);
    assert_eq!(one.effects, []);
}

/// Bytes on their way to disk are bounded, whatever peers push. While nothing becomes durable, one
/// peer first pushes runs that are too long to be taken unasked, then small ones without end.
#[test]
fn pushes_do_not_pile_up_before_a_slow_disk() {
    const BEHIND_BYTES: usize = 8 * MIB;
    let mut one = One::among(&[2]);
    let author = Author::first(2);
    let large = vec![note(&"x".repeat(60_000)); 6];
    let mut chain = author.begin(&large);
    for _ in 0..60 {
        push_without_disk(&mut one, &chain);
        chain = author.go_on(&chain, &large);
    }
    assert_eq!(one.engine.pending.bytes(), 0);
    let small = "x".repeat(4_000);
    chain = author.begin(&[]);
    for _ in 0..3_000 {
        push_without_disk(&mut one, &chain);
        chain = author.go_on(&chain, &[note(&small)]);
    }
    let behind = one.engine.pending.bytes();
    assert!(behind > BEHIND_BYTES && behind < BEHIND_BYTES + 2 * small.len(), "{behind} bytes");
}

fn push_without_disk(one: &mut One, chain: &Chain) {
    one.step(Input::Received { peer: node_key(2), frame: push(chain).to_frame() });
}
