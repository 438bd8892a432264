//! What the node makes of feeds with several histories, and of acknowledgements of each.

use alloc::{format, vec};

use super::{
    Author, Chain, Content, One, Said, acknowledgement, acknowledgement_without, answer_to,
    evidence, founding, have, node_key, note, push,
};
use crate::{
    charter::fixture,
    engine::state::Counted,
    feed::{Body, ForkProof},
    hash::Tag,
    limits::REQUESTS_IN_FLIGHT,
    sync::{Message, NoPayload},
};

/// The second organisation's feed with three histories; the first two are proven to differ.
struct Forked {
    author: Author,
    /// The opening, which they share.
    opened: Chain,
    /// The history that the node comes to hold first.
    first: Chain,
    second: Chain,
    /// Leaves the second history at its second note.
    third: Chain,
    proof: ForkProof,
}

impl Forked {
    fn new() -> Self {
        let author = Author::first(2);
        let opened = author.begin(&[]);
        let history = |texts: [&str; 2]| author.go_on(&opened, &texts.map(note));
        let first = history(["c", "c2"]);
        let (second, third) = (history(["a", "a2"]), history(["a", "b2"]));
        let proof = author.prove(1, &first, &second);
        Self { author, opened, first, second, third, proof }
    }

    /// The author gives the node the first history.
    fn give_first(&self, one: &mut One) {
        one.say(2, push(&self.opened));
        one.say(2, push(&self.first));
    }

    /// A peer says that it holds a history.
    fn tell_of(&self, history: &Chain) -> Message {
        have(vec![self.opened.item(&[history.end()])])
    }

    /// The number of a request for entries of the feed, and whether they are to follow the opening.
    fn wanted(&self, message: &Message) -> Option<(u64, bool)> {
        let Message::Want { request, feed, from, before, .. } = message else { return None };
        let follows = (*from, *before) == (self.opened.tip.size(), self.opened.tip.id());
        (*feed == self.author.id()).then_some((*request, follows))
    }

    /// A peer tells of a history, and when it is asked for what follows the opening it gives what
    /// `answer` makes. Gives the number of requests to it.
    fn tell_and_give(
        &self,
        one: &mut One,
        peer: u8,
        told: &Chain,
        mut answer: impl FnMut() -> Chain,
    ) -> usize {
        let mut requests = 0;
        let heard = one.say(peer, self.tell_of(told));
        one.converse(heard, |(to, message)| {
            let (request, follows) = self.wanted(&message).filter(|_| to == node_key(peer))?;
            requests += 1;
            let nothing = Message::Nothing { request };
            Some(if follows { answer_to(request, &answer()) } else { nothing })
        });
        requests
    }
}

/// A peer opens its own feed with these entries and gives them to the node.
fn publish(one: &mut One, peer: u8, contents: &[Content]) {
    one.say(peer, push(&Author::first(peer).begin(contents)));
}

/// An organisation that acknowledges two entries at one place says so for ever. The third
/// organisation does, for an entry that the node holds and one that it never sees; after a restart
/// the one still counts and the other is still unexplained.
#[test]
fn two_acknowledgements_at_one_place_both_outlast_a_restart() {
    let mut one = One::among(&[2, 3, 4]);
    let author = Author::first(2);
    let opened = author.begin(&[]);
    let held = author.go_on(&opened, &[note("a")]);
    let unseen = author.go_on(&opened, &[note("b")]);
    one.say(2, push(&opened));
    one.say(2, push(&held));
    publish(&mut one, 3, &[acknowledgement(&held), acknowledgement(&unseen)]);
    let (third, by) = (fixture::org(3), Author::first(3).id());
    for restarts in 0..2 {
        let counted = Counted { by, point: held.end(), complete: 2 };
        let complete = &one.feed(author.id()).trunk.complete;
        assert_eq!(*complete, [(third, counted)].into(), "after {restarts} restarts");
        assert_eq!(one.feed_view(author.id()).unexplained, [(third, 1)].into());
        one.restart();
    }
}

/// An organisation that says of an entry that it holds its payload, and later that it does not, takes
/// nothing back: also not for a node that learns of both before the entry comes.
#[test]
fn who_says_less_of_an_entry_than_before_takes_nothing_back() {
    let author = Author::first(2);
    let opened = author.begin(&[]);
    let held = author.go_on(&opened, &[note("a")]);
    let said = [acknowledgement(&held), acknowledgement_without(&held, 1)];
    for comes_first in [true, false] {
        let mut one = One::among(&[2, 3, 4]);
        one.say(2, push(&opened));
        if comes_first {
            one.say(2, push(&held));
        }
        publish(&mut one, 3, &said);
        if !comes_first {
            one.say(2, push(&held));
        }
        let complete = one.feed(author.id()).trunk.complete[&fixture::org(3)].complete;
        assert_eq!(complete, 2, "the entry came first: {comes_first}");
    }
}

/// What a forked feed acknowledged above its fork counts by what others acknowledged of it. A restart
/// reads feeds one after another: none may be told of before all are read.
#[test]
fn a_restart_tells_of_the_same_branches() {
    let forked = Forked::new();
    let is_later = |number: &u8| Author::first(*number).id() > forked.author.id();
    let teller = (3..=6).find(is_later).unwrap();
    let by = Author::first(teller);
    let mut one = One::among(&[2, 3, 4, 5, 6]);
    forked.give_first(&mut one);
    let begun = by.begin(&[]);
    let saying = by.go_on(&begun, &[acknowledgement(&forked.second)]);
    let silent = by.go_on(&begun, &[note("c")]);
    for chain in [&begun, &saying] {
        one.say(teller, push(chain));
    }
    let proofs = [evidence(&forked.proof), evidence(&by.prove(1, &saying, &silent))];
    let last = (3..=6).find(|number| *number != teller).unwrap();
    publish(&mut one, last, &[&[acknowledgement(&saying)], &proofs[..]].concat());
    forked.tell_and_give(&mut one, last, &forked.second, || forked.second.clone());
    let held = |one: &mut One| {
        let (_, items) = one.engine.holdings(&founding().board()).unwrap();
        items.get(&forked.author.id()).cloned()
    };
    let before = held(&mut one);
    assert!(before.as_ref().unwrap().3.contains(&forked.second.end()));
    one.restart();
    assert_eq!(held(&mut one), before);
}

/// Evidence counts whenever it comes. A peer publishes the proof that an epoch was forked before
/// the node has heard of that epoch, and then passes its first history on as if nothing were wrong.
#[test]
fn evidence_about_a_feed_that_has_not_come_yet_is_kept() {
    let mut one = One::among(&[2, 3]);
    let author = Author::first(2).next([77; 32]);
    let opened = author.begin(&[]);
    let held = author.go_on(&opened, &[note("a")]);
    let proof = author.prove(1, &held, &author.go_on(&opened, &[note("b")]));
    publish(&mut one, 3, &[evidence(&proof)]);
    one.say(3, push(&opened));
    one.say(3, push(&held));
    for _ in 0..100 {
        one.tick();
    }
    let fork = one.feed(author.id()).fork.as_ref();
    assert_eq!(fork.map(|row| &row.proof), Some(&proof));
}

/// Every acknowledged history of a feed is kept, also one that leaves another later than at the
/// proven fork. Two peers acknowledge one history each, tell of it, and give it when they are asked
/// for what follows the opening: one request to each is enough.
#[test]
fn three_histories_are_all_kept_and_asked_for_once() {
    let mut one = One::among(&[2, 3, 4]);
    let forked = Forked::new();
    forked.give_first(&mut one);
    let (second, third) = (&forked.second, &forked.third);
    publish(&mut one, 4, &[acknowledgement(second), evidence(&forked.proof)]);
    publish(&mut one, 3, &[acknowledgement(third)]);
    for (peer, history) in [(4, second), (3, third)] {
        let requests = forked.tell_and_give(&mut one, peer, history, || history.clone());
        assert_eq!(requests, 1, "to peer {peer}");
    }
    let ends = [&forked.first, second, third].map(|history| history.tip.id());
    assert_eq!(one.ends_of(forked.author.id()), ends);
}

/// A history that could not be asked for when a peer told of it is asked for later. The peer tells
/// of it while all requests to it are taken up by payloads, and some time after says of each
/// payload that it does not hold it.
#[test]
fn an_acknowledged_chain_is_asked_for_when_requests_are_free_again() {
    let mut one = One::among(&[2, 3, 4]);
    let forked = Forked::new();
    forked.give_first(&mut one);
    let mut heard = one.say(3, push(&without_payloads(&vec![note("far away"); 40])));
    assert_eq!(payloads_wanted(&heard, 3), REQUESTS_IN_FLIGHT);
    publish(&mut one, 3, &[acknowledgement(&forked.second), evidence(&forked.proof)]);
    heard.extend(one.say(3, forked.tell_of(&forked.second)));
    for _ in 0..4 {
        heard.extend(one.tick());
    }
    assert!(!heard.iter().any(|(_, message)| forked.wanted(message).is_some()), "{heard:?}");
    let mut wanted = vec![];
    for _ in 0..20 {
        one.converse(heard, |(peer, message)| {
            wanted.extend(forked.wanted(&message).map(|(_, follows)| (peer, follows)));
            let Message::WantPayload { request, .. } = message else { return None };
            (peer == node_key(3)).then_some(Message::NoPayload { request, why: NoPayload::NotHere })
        });
        heard = one.tick();
    }
    assert_eq!(wanted.first(), Some(&(node_key(3), true)));
}

/// The fourth organisation's feed, whose entries behind the opening travel without their payloads.
fn without_payloads(contents: &[Content]) -> Chain {
    let mut chain = Author::first(4).begin(contents);
    for entry in chain.run.entries.iter_mut().skip(1) {
        let Body::Carried(sealed) = &entry.body else { panic!("a payload that is not carried") };
        entry.body = Body::Named {
            payload_hash: sealed.payload.hash(Tag::Payload),
            payload_len: sealed.payload.bytes().len() as u64,
            attribution_hash: None,
        };
    }
    chain
}

/// How many payloads the node asks a peer for.
fn payloads_wanted(said: &[Said], peer: u8) -> usize {
    let wanted = said.iter().filter(|(to, message)| {
        *to == node_key(peer) && matches!(message, Message::WantPayload { .. })
    });
    wanted.count()
}

/// Rubbish cannot fill the space for histories. The author's node tells of an acknowledged history
/// and answers a request for it with another entry, properly signed, that leads nowhere; then an
/// honest peer tells of it and gives it. Each is asked once, and only the true one is kept.
#[test]
fn chains_that_lead_nowhere_leave_space_for_the_acknowledged_one() {
    let mut one = One::among(&[2, 3, 4]);
    let forked = Forked::new();
    forked.give_first(&mut one);
    publish(&mut one, 3, &[acknowledgement(&forked.second), evidence(&forked.proof)]);
    let told = &forked.second;
    let mut number = 0;
    let rubbish = || {
        number += 1;
        forked.author.go_on(&forked.opened, &[note(&format!("rubbish {number}"))])
    };
    assert_eq!(forked.tell_and_give(&mut one, 2, told, rubbish), 1);
    assert_eq!(forked.tell_and_give(&mut one, 3, told, || told.clone()), 1);
    for _ in 0..60 {
        one.tick();
    }
    let ends = [&forked.first, told].map(|history| history.tip.id());
    assert_eq!(one.ends_of(forked.author.id()), ends);
}

/// Above a fork only acknowledged entries are asked for. The node holds the opening and the proof;
/// a peer that does not know the proof tells of one whole history, acknowledged by nobody, which
/// it would give as often as it is asked.
#[test]
fn a_peer_that_does_not_know_of_a_fork_is_not_asked_without_end() {
    let mut one = One::among(&[2, 3, 4]);
    let forked = Forked::new();
    one.say(2, push(&forked.opened));
    publish(&mut one, 3, &[evidence(&forked.proof)]);
    let mut requests = 0;
    let heard = one.say(4, have(vec![forked.first.item(&[])]));
    one.converse(heard, |(_, message)| {
        let (request, _) = forked.wanted(&message)?;
        requests += 1;
        Some(answer_to(request, &forked.first))
    });
    assert_eq!(requests, 0);
    assert_eq!(one.ends_of(forked.author.id()), [forked.opened.tip.id()]);
}
