//! Small partnerships in memory: every frame arrives at once, every write is durable at once. What
//! happens under faults is the simulator's to show.

mod audience;
mod clocks;
mod cosign;
mod hostile;

use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
    format, vec,
    vec::Vec,
};

use super::*;
use crate::{
    charter::fixture::{self, founding},
    feed::{Descriptor, Draft, End, Kind, OpenFeed, Tip, WarrantRole},
    identity::{Card, KeyPair, Signer},
    sync::Message,
};

#[derive(Default, Clone)]
struct Disk(BTreeMap<(Table, Vec<u8>), Vec<u8>>);

impl Disk {
    fn write(&mut self, ops: Vec<Op>) {
        for op in ops {
            match op.value {
                Some(value) => self.0.insert((op.table, op.key), value),
                None => self.0.remove(&(op.table, op.key)),
            };
        }
    }
}

impl Reader for Disk {
    fn get(&self, table: Table, key: &[u8]) -> Option<Vec<u8>> {
        self.0.get(&(table, key.to_vec())).cloned()
    }

    fn scan(&self, table: Table, from: &[u8], to: &[u8], limit: usize) -> Vec<Row> {
        let range = self.0.range((table, from.to_vec())..(table, to.to_vec()));
        range.take(limit).map(|((_, key), value)| (key.clone(), value.clone())).collect()
    }
}

struct Node {
    engine: Engine,
    disk: Disk,
}

/// Nodes of the small board, all connected unless a pair is cut.
struct Net {
    nodes: BTreeMap<NodeKey, Node>,
    inbox: VecDeque<(NodeKey, Input)>,
    cut: Vec<(NodeKey, NodeKey)>,
    connected: Vec<(NodeKey, NodeKey)>,
    now: u64,
    calls: u64,
    frames: Vec<(NodeKey, NodeKey, usize, &'static str)>,
    reports: Vec<(NodeKey, Report)>,
    written: Vec<(NodeKey, Ticket)>,
}

fn node_key(number: u8) -> NodeKey {
    let pair = KeyPair::from_seed(&[number.wrapping_add(150); 32]);
    NodeKey::from_bytes(*pair.public().as_bytes())
}

fn card(number: u8, node: NodeKey) -> SignedCard {
    let card = Card {
        org: fixture::org(number),
        epoch: 0,
        number: 0,
        feed_key: fixture::feed_key(number).public(),
        witness_key: fixture::witness_key(number).public(),
        node_key: node,
        addresses: vec![],
        not_before: TimeMs(0),
    };
    card.sign(&fixture::feed_key(number)).unwrap()
}

fn identity(number: u8) -> Identity {
    Identity {
        org: fixture::org(number),
        signer: Box::new(fixture::feed_key(number)),
        witness: Box::new(fixture::witness_key(number)),
        card: card(number, node_key(number)),
        openings: BTreeMap::new(),
    }
}

impl Net {
    fn new(numbers: &[u8]) -> Self {
        let mut net = Self {
            nodes: BTreeMap::new(),
            inbox: VecDeque::new(),
            cut: vec![],
            connected: vec![],
            now: 1_000_000,
            calls: 0,
            frames: vec![],
            reports: vec![],
            written: vec![],
        };
        for number in numbers {
            let disk = Disk::default();
            let engine = Engine::open(identity(*number), Standing::Sure, &disk).unwrap();
            net.nodes.insert(node_key(*number), Node { engine, disk });
        }
        for number in numbers {
            for other in numbers.iter().filter(|other| *other != number) {
                let card = Box::new(card(*other, node_key(*other)));
                net.input(node_key(*number), Input::Learn { card });
            }
            net.input(node_key(*number), Input::Join { founding: Box::new(founding()) });
        }
        net.run();
        net.connect_all();
        net
    }

    fn connect_all(&mut self) {
        let keys: Vec<NodeKey> = self.nodes.keys().copied().collect();
        for one in &keys {
            for other in keys.iter().filter(|other| one < *other) {
                let pair = (*one, *other);
                if !self.cut.contains(&pair) && !self.connected.contains(&pair) {
                    self.connected.push(pair);
                    self.input(*one, Input::Connected { peer: *other });
                    self.input(*other, Input::Connected { peer: *one });
                }
            }
        }
        self.run();
    }

    fn cut(&mut self, one: u8, other: u8) {
        let (one, other) = (node_key(one), node_key(other));
        let pair = (one.min(other), one.max(other));
        self.cut.push(pair);
        self.hang_up(pair);
    }

    fn hang_up(&mut self, pair: (NodeKey, NodeKey)) {
        if self.connected.contains(&pair) {
            self.connected.retain(|other| *other != pair);
            self.input(pair.0, Input::Disconnected { peer: pair.1 });
            self.input(pair.1, Input::Disconnected { peer: pair.0 });
        }
    }

    fn heal(&mut self) {
        self.cut.clear();
        self.connect_all();
    }

    fn input(&mut self, node: NodeKey, input: Input) {
        self.inbox.push_back((node, input));
    }

    /// Handles inputs until nothing is left to do.
    fn run(&mut self) {
        while let Some((key, input)) = self.inbox.pop_front() {
            self.calls += 1;
            assert!(self.calls < 200_000, "the partnership does not come to rest");
            let mut entropy = [0; 32];
            entropy[..8].copy_from_slice(&self.calls.to_be_bytes());
            let moment = Moment { now: TimeMs(self.now), entropy };
            let node = self.nodes.get_mut(&key).unwrap();
            for effect in node.engine.handle(moment, input, &node.disk) {
                match effect {
                    Effect::Persist { batch, ops } => {
                        node.disk.write(ops);
                        self.inbox.push_back((key, Input::Persisted { batch }));
                    }
                    Effect::Send { peer, frame, .. } => {
                        let pair = (key.min(peer), key.max(peer));
                        if self.connected.contains(&pair) {
                            let name = Message::from_frame(&frame).unwrap().name();
                            self.frames.push((key, peer, frame.len(), name));
                            self.inbox.push_back((peer, Input::Received { peer: key, frame }));
                        }
                    }
                    Effect::Report(report) => self.reports.push((key, report)),
                    Effect::Written { ticket, .. } => self.written.push((key, ticket)),
                    Effect::Refused { why, .. } => panic!("{why}"),
                    Effect::Disconnect { peer } => {
                        panic!("{key:?} drops {peer:?}: {:?}", self.reports)
                    }
                    Effect::Admit { .. } | Effect::Dismiss { .. } | Effect::Materialise { .. } => {}
                }
            }
        }
    }

    fn tick(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += 1_000;
            let keys: Vec<NodeKey> = self.nodes.keys().copied().collect();
            for key in keys {
                self.input(key, Input::Tick);
            }
            self.run();
        }
    }

    fn note(&mut self, number: u8, text: &str) {
        let draft = Draft {
            kind: Kind::NOTE,
            artefact: None,
            refs: vec![],
            payload: text.as_bytes().to_vec(),
            attribution: None,
        };
        let board = founding().board();
        self.input(node_key(number), Input::Write { ticket: Ticket(self.calls), board, draft });
    }

    fn view(&self, number: u8) -> BoardView {
        let node = &self.nodes[&node_key(number)];
        node.engine.views(&node.disk).remove(0)
    }

    fn restart(&mut self, number: u8, standing: Standing) {
        self.restart_as(number, identity(number), standing);
    }

    fn restart_as(&mut self, number: u8, identity: Identity, standing: Standing) {
        let key = node_key(number);
        for pair in self.connected.clone() {
            if pair.0 == key || pair.1 == key {
                self.hang_up(pair);
            }
        }
        self.run();
        let node = self.nodes.get_mut(&key).unwrap();
        node.engine = Engine::open(identity, standing, &node.disk).unwrap();
        self.connect_all();
    }

    fn assert_equal(&self) {
        let views: Vec<BoardView> =
            self.nodes.values().map(|node| node.engine.views(&node.disk).remove(0)).collect();
        for view in &views {
            assert_eq!(view.digest, views[0].digest);
            for (id, feed) in &view.feeds {
                let first = &views[0].feeds[id];
                assert_eq!(
                    (feed.settled, feed.standing),
                    (first.settled, first.standing),
                    "{id:?}"
                );
                assert_eq!((feed.missing, feed.effective), (0, first.effective), "{id:?}");
            }
        }
    }
}

#[test]
fn three_nodes_share_what_they_write_and_settle_it() {
    let mut net = Net::new(&[1, 2, 3]);
    for i in 0..10 {
        net.note(1 + (i % 3), &format!("note {i}"));
    }
    net.run();
    net.assert_equal();
    net.tick(130);
    net.assert_equal();
    let view = net.view(2);
    let sizes: Vec<(u64, u64)> =
        view.feeds.values().map(|f| (f.size, f.settled)).filter(|f| f.0 > 0).collect();
    assert_eq!(sizes.len(), 3);
    // Only three of the five voting members are here: two others are no strict majority of four.
    assert!(sizes.iter().all(|(_, settled)| *settled == 0), "{sizes:?}");
}

#[test]
fn five_nodes_settle_each_others_entries() {
    let mut net = Net::new(&[1, 2, 3, 4, 5]);
    net.note(1, "for all to see");
    net.tick(130);
    net.assert_equal();
    let view = net.view(4);
    let wigan = view.feeds.values().find(|feed| feed.descriptor.org == fixture::org(1)).unwrap();
    assert!(wigan.settled >= 2, "{wigan:?}");
    assert_eq!(net.written.len(), 1);
}

#[test]
fn an_idle_meeting_takes_few_bytes_whatever_the_number_of_entries() {
    let mut net = Net::new(&[1, 2]);
    for i in 0..3_000 {
        net.note(1, &format!("note {i}"));
    }
    net.run();
    net.assert_equal();
    net.cut(1, 2);
    net.run();
    net.frames.clear();
    net.heal();
    let bytes: usize = net.frames.iter().map(|(_, _, len, _)| len).sum();
    assert!(bytes < 2_000, "{bytes} bytes: {:?}", net.frames);
}

#[test]
fn large_payloads_arrive_by_pieces() {
    let mut net = Net::new(&[1, 2]);
    net.note(1, &"x".repeat(1_000_000));
    net.note(2, &"y".repeat(100_000));
    net.run();
    net.assert_equal();
    assert!(net.frames.iter().any(|(_, _, _, name)| *name == "payload"));
}

#[test]
fn entries_reach_a_node_through_another_when_two_cannot_meet() {
    let mut net = Net::new(&[1, 2, 3]);
    net.cut(1, 3);
    net.note(1, "by way of the second");
    net.note(3, "and back");
    net.run();
    net.assert_equal();
}

/// After a start a node does not know how much its partners hold of what has not moved since they
/// last met: it pushes more than they lack. They ask for what lies beyond, at once.
#[test]
fn what_is_written_right_after_a_restart_arrives_without_delay() {
    let mut net = Net::new(&[1, 2]);
    for number in [1, 2] {
        net.note(number, "before");
    }
    net.run();
    net.cut(1, 2);
    net.note(2, "while the other is away");
    net.run();
    net.cut.clear();
    net.restart(1, Standing::Sure);
    net.note(1, "right after the start");
    net.run();
    net.assert_equal();
}

#[test]
fn a_restarted_node_goes_on_where_it_was() {
    let mut net = Net::new(&[1, 2, 3]);
    net.note(2, "before");
    net.run();
    let before = net.view(2);
    net.restart(2, Standing::Sure);
    assert_eq!(net.view(2), before);
    net.note(2, "after");
    net.tick(70);
    net.assert_equal();
}

#[test]
fn a_restored_node_fetches_its_own_feed_before_it_signs() {
    let mut net = Net::new(&[1, 2, 3, 4, 5]);
    net.note(2, "one");
    net.run();
    let old = net.nodes[&node_key(2)].disk.clone();
    net.note(2, "two");
    net.run();
    net.nodes.get_mut(&node_key(2)).unwrap().disk = old;
    for other in [3, 4, 5] {
        net.cut(2, other);
    }
    net.restart(2, Standing::Restored);
    net.note(2, "three");
    net.tick(5);
    assert_eq!((net.view(2).drafts, net.view(2).is_restoring), (1, true));
    net.heal();
    net.tick(15);
    net.assert_equal();
    let view = net.view(1);
    let own = view.feeds.values().find(|feed| feed.descriptor.org == fixture::org(2)).unwrap();
    assert_eq!(own.standing, FeedStanding::Sound);
    assert!(own.size >= 4, "{own:?}");
    assert!(!net.view(2).is_restoring);
}

#[test]
fn two_histories_become_evidence_at_every_node_and_the_settled_one_wins() {
    let mut net = Net::new(&[1, 2, 3, 4, 5]);
    net.note(2, "one");
    net.tick(70);
    let old = net.nodes[&node_key(2)].disk.clone();
    for other in [4, 5] {
        net.cut(2, other);
    }
    for other in [4, 5] {
        net.cut(1, other);
        net.cut(3, other);
    }
    net.note(2, "to the first half");
    net.tick(70);
    net.nodes.get_mut(&node_key(2)).unwrap().disk = old;
    net.cut.retain(|pair| pair.0 != node_key(2) && pair.1 != node_key(2));
    net.cut(2, 1);
    net.cut(2, 3);
    net.restart(2, Standing::Sure);
    net.note(2, "to the second half");
    net.tick(70);
    net.heal();
    net.tick(140);
    net.assert_equal();
    for number in 1..=5 {
        let view = net.view(number);
        let forked =
            view.feeds.values().find(|feed| feed.descriptor.org == fixture::org(2)).unwrap();
        assert_eq!(
            forked.standing,
            FeedStanding::Held { index: forked.effective },
            "at {number}: {forked:?}"
        );
    }
}

#[test]
fn two_who_differ_do_not_answer_each_other_for_ever() {
    let mut net = Net::new(&[1, 2]);
    net.note(1, "one");
    net.run();
    // The second loses what it knew of the first's feed, and is told nothing that it could ask for.
    let second = net.nodes.get_mut(&node_key(2)).unwrap();
    let board = second.engine.boards.values_mut().next().unwrap();
    board.items.clear();
    board.digest = None;
    net.hang_up((node_key(1).min(node_key(2)), node_key(1).max(node_key(2))));
    net.run();
    net.frames.clear();
    net.heal();
    assert!(net.frames.len() < 12, "{:?}", net.frames);
}

#[test]
fn a_rotated_key_opens_a_new_epoch_and_ends_the_old_one() {
    let mut net = Net::new(&[1, 2, 3]);
    net.note(2, "under the old key");
    net.run();
    let (board, new_key) = (founding().board(), KeyPair::from_seed(&[77; 32]));
    let old = Tip::clone(&net.nodes[&node_key(2)].engine.boards[&board].own_feed().trunk.tip);
    let key = fixture::feed_key(2).public();
    let before = Descriptor { board, org: fixture::org(2), epoch: 0, key };
    let after = Descriptor { epoch: 1, key: new_key.public(), ..before };
    let end = End(old.size() - 1, old.id());
    let prior = (WarrantRole::Old, &fixture::feed_key(2) as &dyn Signer);
    let opening = OpenFeed::next(after, end, prior, &new_key);
    let card = Card { epoch: 1, feed_key: new_key.public(), ..card(2, node_key(2)).card().clone() };
    let identity = Identity {
        card: card.sign(&new_key).unwrap(),
        signer: Box::new(new_key),
        openings: [(board, opening)].into(),
        ..identity(2)
    };
    net.restart_as(2, identity, Standing::Sure);
    net.note(2, "under the new key");
    net.tick(130);
    net.assert_equal();
    net.restart(1, Standing::Sure);
    net.assert_equal();
    let view = net.view(3);
    let sizes = |feed: FeedId| (view.feeds[&feed].effective, view.feeds[&feed].standing);
    assert_eq!(sizes(before.feed_id()), (old.size(), FeedStanding::Sound));
    assert_eq!(view.feeds[&after.feed_id()].size, 4, "opening, card, note, acknowledgement");
}

#[test]
fn a_clock_that_jumps_back_stops_no_timer() {
    let mut net = Net::new(&[1, 2, 3]);
    net.note(1, "before");
    net.tick(70);
    let acknowledgements = |net: &Net| {
        let view = net.view(1);
        let others = view.feeds.values().filter(|feed| feed.descriptor.org != fixture::org(1));
        others.map(|feed| feed.size).filter(|size| *size > 0).collect::<Vec<u64>>()
    };
    let before = acknowledgements(&net);
    net.now -= 900_000;
    net.note(1, "after");
    net.tick(70);
    net.assert_equal();
    let one_more: Vec<u64> = before.iter().map(|size| size + 1).collect();
    assert_eq!(acknowledgements(&net), one_more);
}
