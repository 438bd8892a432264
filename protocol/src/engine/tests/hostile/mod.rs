//! One honest node among peers that say anything they can sign, and some that are only slow.

use super::*;
use crate::{
    charter::fixture,
    codec::Fixed,
    feed::*,
    hash::*,
    identity::{Card, KeyPair, Signer},
    limits::*,
    sync::*,
};
use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
    format, vec,
    vec::Vec,
};

/// One honest node (org 1) and raw peers.
struct One {
    engine: Engine,
    disk: Disk,
    now: u64,
    n: u64,
    effects: Vec<Effect>,
}
impl One {
    fn new(peers: &[u8]) -> Self {
        let disk = Disk::default();
        let engine = Engine::open(identity(1), Standing::Sure, &disk).unwrap();
        let mut one = One { engine, disk, now: 1_000_000, n: 0, effects: vec![] };
        for p in peers {
            one.input(Input::Learn { card: Box::new(card(*p, node_key(*p))) });
        }
        one.input(Input::Join { founding: Box::new(founding()) });
        for p in peers {
            one.input(Input::Connected { peer: node_key(*p) });
            one.say(
                *p,
                Message::Hello {
                    versions: vec![1],
                    card: card(*p, node_key(*p)).to_bytes(),
                    boards: vec![founding().board()],
                },
            );
        }
        one
    }
    fn input(&mut self, input: Input) -> Vec<(NodeKey, Message)> {
        let mut q = VecDeque::from([input]);
        let mut sent = vec![];
        while let Some(input) = q.pop_front() {
            self.n += 1;
            let mut entropy = [0; 32];
            entropy[..8].copy_from_slice(&self.n.to_be_bytes());
            for e in
                self.engine.handle(Moment { now: TimeMs(self.now), entropy }, input, &self.disk)
            {
                match e {
                    Effect::Persist { batch, ops } => {
                        self.disk.write(ops);
                        q.push_back(Input::Persisted { batch });
                    }
                    Effect::Send { peer, frame, .. } => {
                        sent.push((peer, Message::from_frame(&frame).unwrap()))
                    }
                    other => self.effects.push(other),
                }
            }
        }
        // give credit for all
        let mut per: BTreeMap<NodeKey, u64> = BTreeMap::new();
        for (p, m) in &sent {
            if !matches!(m, Message::Credit(_) | Message::Goodbye(_)) {
                *per.entry(*p).or_default() += 1;
            }
        }
        for (p, c) in per {
            sent.extend(
                self.input(Input::Received { peer: p, frame: Message::Credit(c).to_frame() }),
            );
        }
        sent
    }
    fn say(&mut self, from: u8, m: Message) -> Vec<(NodeKey, Message)> {
        self.input(Input::Received { peer: node_key(from), frame: m.to_frame() })
    }
    fn tick(&mut self) -> Vec<(NodeKey, Message)> {
        self.now += 1000;
        self.input(Input::Tick)
    }
    fn feed(&self, id: FeedId) -> &Feed {
        self.engine.feed(&founding().board(), &id).unwrap()
    }
    fn restart(&mut self) -> Result<(), Damaged> {
        self.engine = Engine::open(identity(1), Standing::Sure, &self.disk)?;
        Ok(())
    }
}
fn desc(n: u8) -> Descriptor {
    Descriptor {
        board: founding().board(),
        org: fixture::org(n),
        epoch: 0,
        key: fixture::feed_key(n).public(),
    }
}
fn make(tip: &mut Tip, entries: Vec<(Kind, Vec<u8>)>, key: &KeyPair, salt: u8) -> Run {
    let mut run = Run {
        feed: tip.feed(),
        from: tip.size(),
        before: tip.id(),
        entries: vec![],
        heads: vec![],
    };
    for (kind, payload) in entries {
        let sealed = Sealed { payload: Salted::new(Fixed([salt; 16]), payload), attribution: None };
        let header = Header {
            feed: tip.feed(),
            seq: tip.size(),
            prev: tip.id(),
            charter: founding().board().as_charter(),
            t: TimeMs(1),
            kind,
            artefact: None,
            refs: vec![],
            payload_hash: sealed.payload.hash(Tag::Payload),
            payload_len: sealed.payload.bytes().len() as u64,
            attribution_hash: None,
        };
        tip.push(&header);
        run.entries.push(CompactEntry::of(header, Some(sealed)));
        if tip.is_mandatory() {
            run.heads.push(tip.head().sign(key));
        }
    }
    if !tip.is_mandatory() {
        run.heads.push(tip.head().sign(key));
    }
    run
}
fn opening(d: Descriptor) -> (Kind, Vec<u8>) {
    (Kind::OPEN_FEED, OpenFeed::first(d).to_bytes())
}
fn note(t: &str) -> (Kind, Vec<u8>) {
    (Kind::NOTE, t.as_bytes().to_vec())
}
fn push(run: Run) -> Message {
    Message::Run { request: 0, last: true, run }
}
fn epoch1() -> (Descriptor, KeyPair, OpenFeed) {
    let k = KeyPair::from_seed(&[77; 32]);
    let d = Descriptor { epoch: 1, key: k.public(), ..desc(2) };
    let o = OpenFeed::next(
        d,
        End(0, EntryId::NONE),
        (WarrantRole::Old, &fixture::feed_key(2) as &dyn Signer),
        &k,
    );
    (d, k, o)
}

#[test]
fn a_second_opening_of_garbage_neither_is_stored_nor_stops_the_next_start() {
    let mut one = One::new(&[2]);
    let (d, k, o) = epoch1();
    let mut tip = Tip::empty(d.feed_id());
    let run1 =
        make(&mut tip, vec![(Kind::OPEN_FEED, o.to_bytes()), (Kind::OPEN_FEED, vec![1])], &k, 1);
    one.say(2, push(run1));
    let mut tip = Tip::empty(d.feed_id());
    let run2 = make(&mut tip, vec![(Kind::OPEN_FEED, vec![1, 2, 3])], &k, 2);
    one.say(2, push(run2));
    assert_eq!(one.restart(), Ok(()));
}

#[test]
fn a_peer_that_answers_beside_the_point_does_not_keep_others_from_being_asked() {
    let mut one = One::new(&[2, 3]);
    let f = desc(3);
    let mut tip = Tip::empty(f.feed_id());
    let r = make(&mut tip, vec![opening(f), note("a")], &fixture::feed_key(3), 1);
    let have = |size, id| Message::Have {
        board: founding().board(),
        digest: Fixed([1; 32]),
        items: vec![HaveItem(f.feed_id(), size, id, vec![])],
    };
    let mut q: VecDeque<_> = one.say(2, have(1 << 40, EntryId::NONE)).into();
    q.extend(one.say(3, have(tip.size(), tip.id())));
    let (mut asked2, mut asked3) = (0, 0);
    for _ in 0..60 {
        for _ in 0..50 {
            let Some((peer, m)) = q.pop_front() else { break };
            if let Message::Want { request, feed, .. } = m {
                if feed != f.feed_id() {
                    continue;
                }
                if peer == node_key(2) {
                    asked2 += 1;
                    // an answer with no progress: a run of another place
                    let mut stale = r.clone();
                    stale.from = 7;
                    q.extend(one.say(2, Message::Run { request, last: true, run: stale }));
                } else {
                    asked3 += 1;
                }
            }
        }
        q.extend(one.tick());
    }
    assert!(asked3 > 0);
}

#[test]
fn a_large_payload_is_fetched_once() {
    let mut net = Net::new(&[1, 2]);
    net.frames.clear();
    net.note(1, &"x".repeat(1_000_000));
    net.run();
    let count = |n| net.frames.iter().filter(|f| f.3 == n).count();
    assert!(count("payload") <= 5);
}

#[test]
fn two_acknowledgements_at_one_place_both_outlast_a_restart() {
    // feed 2 forks; 3 acknowledges both at the same seq.
    let mut one = One::new(&[2, 3, 4]);
    let f = desc(2);
    let k2 = fixture::feed_key(2);
    let mut base = Tip::empty(f.feed_id());
    let r0 = make(&mut base, vec![opening(f)], &k2, 1);
    let (mut ta, mut tb) = (base.clone(), base.clone());
    let ra = make(&mut ta, vec![note("a")], &k2, 2);
    let rb = make(&mut tb, vec![note("b")], &k2, 3);
    one.say(2, push(r0));
    one.say(2, push(ra.clone()));
    let ack = |tip: &Tip| {
        (
            Kind::ACK,
            Ack(vec![AckItem {
                feed: f.feed_id(),
                seq: 1,
                id: tip.id(),
                payloads_through: 1,
                missing: vec![],
                received_at: TimeMs(0),
            }])
            .to_bytes(),
        )
    };
    let g = desc(3);
    let mut tg = Tip::empty(g.feed_id());
    let rg = make(&mut tg, vec![opening(g), ack(&ta), ack(&tb)], &fixture::feed_key(3), 4);
    one.say(3, push(rg));
    let before = one.feed(f.feed_id()).trunk.complete.clone();
    one.restart().unwrap();
    let after = one.feed(f.feed_id()).trunk.complete.clone();
    assert_eq!(before, after);
}

#[test]
fn evidence_about_a_feed_that_has_not_come_yet_is_kept() {
    let mut one = One::new(&[2, 3]);
    let (d, k, o) = epoch1();
    let mut base = Tip::empty(d.feed_id());
    let r0 = make(&mut base, vec![(Kind::OPEN_FEED, o.to_bytes())], &k, 1);
    let (mut ta, mut tb) = (base.clone(), base.clone());
    let ra = make(&mut ta, vec![note("a")], &k, 2);
    let rb = make(&mut tb, vec![note("b")], &k, 3);
    // proof at index 1: leaves
    let proof = {
        let side = |tip: &Tip, first: &Run, second: &Run| {
            let mut t = Tip::empty(d.feed_id());
            let hs: Vec<Fixed<32>> = headers(first)
                .into_iter()
                .chain(headers_from(second, 1, base.id()))
                .map(|b| leaf_hash(&b))
                .collect();
            ForkSide {
                head: tip.head().sign(&k),
                leaf: hs[1],
                path: inclusion_path(&hs, 1).unwrap(),
            }
        };
        ForkProof::new(d, 1, side(&ta, &r0, &ra), side(&tb, &r0, &rb)).unwrap()
    };
    let g = desc(3);
    let mut tg = Tip::empty(g.feed_id());
    let rg = make(
        &mut tg,
        vec![opening(g), (Kind::EVIDENCE, Evidence::Fork(proof).to_bytes())],
        &fixture::feed_key(3),
        4,
    );
    one.say(3, push(rg));
    one.say(3, push(r0));
    one.say(3, push(ra));
    for _ in 0..100 {
        one.tick();
    }
    assert!(one.feed(d.feed_id()).fork.is_some());
}
fn headers(run: &Run) -> Vec<Vec<u8>> {
    headers_from(run, run.from, run.before)
}
fn headers_from(run: &Run, from: u64, before: EntryId) -> Vec<Vec<u8>> {
    let mut prev = before;
    let mut seq = from;
    run.entries
        .iter()
        .map(|e| {
            let Body::Carried(s) = &e.body else { panic!() };
            let h = Header {
                feed: run.feed,
                seq,
                prev,
                charter: e.charter,
                t: e.t,
                kind: e.kind,
                artefact: None,
                refs: vec![],
                payload_hash: s.payload.hash(Tag::Payload),
                payload_len: s.payload.bytes().len() as u64,
                attribution_hash: None,
            };
            let b = h.to_bytes();
            prev = Header::id_of(&b);
            seq += 1;
            b
        })
        .collect()
}

#[test]
fn a_board_joined_while_connected_is_shared_at_once() {
    let mut net = Net::new(&[1]);
    let disk = Disk::default();
    let engine = Engine::open(identity(2), Standing::Sure, &disk).unwrap();
    net.nodes.insert(node_key(2), Node { engine, disk });
    net.input(node_key(1), Input::Learn { card: Box::new(card(2, node_key(2))) });
    net.input(node_key(2), Input::Learn { card: Box::new(card(1, node_key(1))) });
    net.run();
    net.connect_all();
    net.input(node_key(2), Input::Join { founding: Box::new(founding()) });
    net.run();
    net.note(1, "hello");
    net.tick(100);
    assert_eq!(net.view(1).digest, net.view(2).digest);
}

fn have(items: Vec<HaveItem>) -> Message {
    Message::Have { board: founding().board(), digest: Fixed([1; 32]), items }
}

#[test]
fn many_differing_feeds_do_not_overrun_an_honest_peer() {
    let mut one = One::new(&[2, 3]);
    let mut before = desc(2);
    let mut bk = fixture::feed_key(2);
    let mut items = vec![];
    for e in 1..=120u8 {
        let k = KeyPair::from_seed(&[
            e, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
            7, 7, 7,
        ]);
        let d = Descriptor { epoch: e as u64, key: k.public(), ..desc(2) };
        let o =
            OpenFeed::next(d, End(0, EntryId::NONE), (WarrantRole::Old, &bk as &dyn Signer), &k);
        let mut t = Tip::empty(d.feed_id());
        let r0 = make(&mut t, vec![(Kind::OPEN_FEED, o.to_bytes())], &k, 1);
        one.say(2, push(r0));
        let mut t2 = t.clone();
        let ra = make(&mut t, vec![note("a")], &k, 2);
        one.say(2, push(ra));
        let rb = make(&mut t2, vec![note("b")], &k, 3);
        items.push(HaveItem(d.feed_id(), 2, t2.id(), vec![]));
        before = d;
        bk = k;
    }
    items.sort_by_key(|i| i.0);
    // honest 3 holds the other version of each
    one.effects.clear();
    one.say(3, have(items));
    let dropped: Vec<_> = one
        .effects
        .iter()
        .filter(|e| matches!(e, Effect::Report(Report::Dropped { .. })))
        .collect();
    assert!(dropped.is_empty(), "{dropped:?}");
}

#[test]
fn three_histories_are_all_kept_and_asked_for_once() {
    let mut one = One::new(&[2, 3, 4]);
    let f = desc(2);
    let k = fixture::feed_key(2);
    let mut base = Tip::empty(f.feed_id());
    let r0 = make(&mut base, vec![opening(f)], &k, 1);
    let (mut tc, mut ta) = (base.clone(), base.clone());
    let rc = make(&mut tc, vec![note("c"), note("c2")], &k, 2);
    let ra = make(&mut ta, vec![note("a")], &k, 3);
    let (mut tb1, mut tb2) = (ta.clone(), ta.clone());
    make(&mut tb1, vec![note("b1")], &k, 4);
    make(&mut tb2, vec![note("b2")], &k, 5);
    let whole = |text: &str, s: u8| {
        // A;Bx as one run from 1
        let mut t = base.clone();
        let mut run = make(&mut t, vec![note("a")], &k, 3);
        let r2 = make(&mut t, vec![note(text)], &k, s);
        run.entries.extend(r2.entries);
        run.heads = r2.heads;
        run
    };
    let (run1, run2) = (whole("b1", 4), whole("b2", 5));
    one.say(2, push(r0.clone()));
    one.say(2, push(rc.clone()));
    let proof = {
        let side = |tip: &Tip, second: &Run| {
            let hs: Vec<Fixed<32>> = headers(&r0)
                .into_iter()
                .chain(headers_from(second, 1, base.id()))
                .map(|b| leaf_hash(&b))
                .collect();
            ForkSide {
                head: tip.head().sign(&k),
                leaf: hs[1],
                path: inclusion_path(&hs, 1).unwrap(),
            }
        };
        ForkProof::new(f, 1, side(&tc, &rc), side(&ta, &ra)).unwrap()
    };
    let ack = |tip: &Tip| {
        (
            Kind::ACK,
            Ack(vec![AckItem {
                feed: f.feed_id(),
                seq: 2,
                id: tip.id(),
                payloads_through: 2,
                missing: vec![],
                received_at: TimeMs(0),
            }])
            .to_bytes(),
        )
    };
    let push_acks = |one: &mut One, n: u8, tip: &Tip, ev: bool| {
        let g = desc(n);
        let mut t = Tip::empty(g.feed_id());
        let mut es = vec![opening(g), ack(tip)];
        if ev {
            es.push((Kind::EVIDENCE, Evidence::Fork(proof.clone()).to_bytes()));
        }
        let r = make(&mut t, es, &fixture::feed_key(n), 4);
        one.say(n, push(r))
    };
    push_acks(&mut one, 4, &tb1, true);
    push_acks(&mut one, 3, &tb2, false);
    assert_eq!(one.feed(f.feed_id()).fork_index(), Some(1));
    let mut drive = |one: &mut One, n: u8, tip: &Tip, run: &Run| {
        let mut q: VecDeque<_> = one
            .say(n, have(vec![HaveItem(f.feed_id(), 1, base.id(), vec![Point(2, tip.id())])]))
            .into();
        let (mut wants, mut runs) = (0, 0);
        for _ in 0..1000 {
            let Some((peer, m)) = q.pop_front() else { break };
            if let Message::Want { request, feed, from, before, .. } = m {
                if feed == f.feed_id() && peer == node_key(n) {
                    wants += 1;
                    if from == 1 && before == base.id() {
                        runs += 1;
                        q.extend(
                            one.say(n, Message::Run { request, last: true, run: run.clone() }),
                        );
                    } else {
                        q.extend(one.say(n, Message::Nothing { request }));
                    }
                }
            }
        }
        (wants, runs)
    };
    let second = drive(&mut one, 3, &tb2, &run2);
    assert!(second.0 < 10);
}

#[test]
fn one_bad_draft_takes_no_other_along() {
    let mut one = One::new(&[2]);
    one.effects.clear();
    let board = founding().board();
    let draft = |refs| Draft {
        kind: Kind::NOTE,
        artefact: None,
        refs,
        payload: vec![1],
        attribution: None,
    };
    // while a batch is on its way, drafts gather
    let b = one.engine.handle(
        Moment { now: TimeMs(2_000_000), entropy: [7; 32] },
        Input::Write { ticket: Ticket(1), board, draft: draft(vec![]) },
        &one.disk,
    );
    let mut all = b;
    for (t, refs) in [(2, vec![]), (3, vec![EntryId::NONE; 65]), (4, vec![])] {
        all.extend(one.engine.handle(
            Moment { now: TimeMs(2_000_000), entropy: [8; 32] },
            Input::Write { ticket: Ticket(t), board, draft: draft(refs) },
            &one.disk,
        ));
    }
    let mut q: VecDeque<_> = all.into();
    let mut answers = vec![];
    while let Some(e) = q.pop_front() {
        match e {
            Effect::Persist { batch, ops } => {
                one.disk.write(ops);
                q.extend(one.engine.handle(
                    Moment { now: TimeMs(2_000_000), entropy: [9; 32] },
                    Input::Persisted { batch },
                    &one.disk,
                ));
            }
            e @ (Effect::Written { .. } | Effect::Refused { .. } | Effect::Report(_)) => {
                answers.push(e)
            }
            _ => {}
        }
    }
    assert_eq!(
        answers
            .iter()
            .filter(|e| matches!(e, Effect::Written { .. } | Effect::Refused { .. }))
            .count(),
        4
    );
}

#[test]
fn an_acknowledged_chain_is_asked_for_when_requests_are_free_again() {
    // the session with peer 3 is full of payload requests when the tip is told
    let mut one = One::new(&[2, 3, 4]);
    let f = desc(2);
    let k = fixture::feed_key(2);
    let mut base = Tip::empty(f.feed_id());
    let r0 = make(&mut base, vec![opening(f)], &k, 1);
    let (mut tc, mut ta) = (base.clone(), base.clone());
    let rc = make(&mut tc, vec![note("c"), note("c2")], &k, 2);
    let ra = make(&mut ta, vec![note("a"), note("a2")], &k, 3);
    one.say(2, push(r0.clone()));
    one.say(2, push(rc.clone()));
    let side = |tip: &Tip, second: &Run| {
        let hs: Vec<Fixed<32>> = headers(&r0)
            .into_iter()
            .chain(headers_from(second, 1, base.id()))
            .map(|b| leaf_hash(&b))
            .collect();
        ForkSide { head: tip.head().sign(&k), leaf: hs[1], path: inclusion_path(&hs, 1).unwrap() }
    };
    let proof = ForkProof::new(f, 1, side(&tc, &rc), side(&ta, &ra)).unwrap();
    let ack = (
        Kind::ACK,
        Ack(vec![AckItem {
            feed: f.feed_id(),
            seq: 2,
            id: ta.id(),
            payloads_through: 2,
            missing: vec![],
            received_at: TimeMs(0),
        }])
        .to_bytes(),
    );
    let g = desc(3);
    let mut t = Tip::empty(g.feed_id());
    let r = make(
        &mut t,
        vec![opening(g), ack, (Kind::EVIDENCE, Evidence::Fork(proof).to_bytes())],
        &fixture::feed_key(3),
        4,
    );
    // 40 payloads of feed 4 are named only: 16 requests to 3 get under way
    let h = desc(4);
    let mut th = Tip::empty(h.feed_id());
    let mut es = vec![opening(h)];
    for i in 0..40 {
        es.push(note(&format!("n{i}")));
    }
    let mut rh = make(&mut th, es, &fixture::feed_key(4), 5);
    for e in rh.entries.iter_mut().skip(1) {
        let Body::Carried(s) = &e.body else { panic!() };
        e.body = Body::Named {
            payload_hash: s.payload.hash(Tag::Payload),
            payload_len: s.payload.bytes().len() as u64,
            attribution_hash: None,
        };
    }
    let mut sent = one.say(3, push(rh));
    sent.extend(one.say(3, push(r)));
    let pay: Vec<u64> = sent
        .iter()
        .filter_map(|(p, m)| match m {
            Message::WantPayload { request, .. } if *p == node_key(3) => Some(*request),
            _ => None,
        })
        .collect();
    let mut sent =
        one.say(3, have(vec![HaveItem(f.feed_id(), 1, base.id(), vec![Point(2, ta.id())])]));
    for _ in 0..4 {
        sent.extend(one.tick());
    }
    // now 3 answers all payloads with not-here, so there is room
    for request in pay {
        sent.extend(one.say(3, Message::NoPayload { request, why: NoPayload::NotHere }));
    }
    let mut wants = 0;
    for _ in 0..100 {
        sent.extend(one.tick());
        let s = core::mem::take(&mut sent);
        for (p, m) in s {
            match m {
                Message::Want { feed, .. } if feed == f.feed_id() && p == node_key(3) => wants += 1,
                Message::WantPayload { request, .. } if p == node_key(3) => {
                    sent.extend(one.say(3, Message::NoPayload { request, why: NoPayload::NotHere }))
                }
                _ => {}
            }
        }
    }
    assert!(wants > 0);
}

#[test]
fn chains_that_lead_nowhere_leave_space_for_the_acknowledged_one() {
    let mut one = One::new(&[2, 3, 4]);
    let f = desc(2);
    let k = fixture::feed_key(2);
    let mut base = Tip::empty(f.feed_id());
    let r0 = make(&mut base, vec![opening(f)], &k, 1);
    let (mut tc, mut ta) = (base.clone(), base.clone());
    let rc = make(&mut tc, vec![note("c"), note("c2")], &k, 2);
    let ra = make(&mut ta, vec![note("a"), note("a2")], &k, 3);
    one.say(2, push(r0.clone()));
    one.say(2, push(rc.clone()));
    let side = |tip: &Tip, second: &Run| {
        let hs: Vec<Fixed<32>> = headers(&r0)
            .into_iter()
            .chain(headers_from(second, 1, base.id()))
            .map(|b| leaf_hash(&b))
            .collect();
        ForkSide { head: tip.head().sign(&k), leaf: hs[1], path: inclusion_path(&hs, 1).unwrap() }
    };
    let proof = ForkProof::new(f, 1, side(&tc, &rc), side(&ta, &ra)).unwrap();
    let ack = (
        Kind::ACK,
        Ack(vec![AckItem {
            feed: f.feed_id(),
            seq: 2,
            id: ta.id(),
            payloads_through: 2,
            missing: vec![],
            received_at: TimeMs(0),
        }])
        .to_bytes(),
    );
    let g = desc(3);
    let mut t = Tip::empty(g.feed_id());
    let r = make(
        &mut t,
        vec![opening(g), ack, (Kind::EVIDENCE, Evidence::Fork(proof).to_bytes())],
        &fixture::feed_key(3),
        4,
    );
    one.say(3, push(r));
    // M (2) tells the tip and answers with rubbish
    let item = have(vec![HaveItem(f.feed_id(), 1, base.id(), vec![Point(2, ta.id())])]);
    let mut q: VecDeque<_> = one.say(2, item.clone()).into();
    let mut junk = 0;
    for _ in 0..2000 {
        let Some((peer, m)) = q.pop_front() else { break };
        if let Message::Want { request, feed, from, .. } = m {
            if feed == f.feed_id() && peer == node_key(2) {
                junk += 1;
                let mut t = base.clone();
                let run = make(&mut t, vec![note(&format!("junk {junk}"))], &k, 5);
                if from == 1 {
                    q.extend(one.say(2, Message::Run { request, last: true, run }));
                } else {
                    q.extend(one.say(2, Message::Nothing { request }));
                }
            }
        }
    }
    // now honest 3
    let mut q: VecDeque<_> = one.say(3, item).into();
    for _ in 0..1000 {
        let Some((peer, m)) = q.pop_front() else { break };
        if let Message::Want { request, feed, from, before, .. } = m {
            if feed == f.feed_id() && peer == node_key(3) {
                if from == 1 && before == base.id() {
                    q.extend(one.say(3, Message::Run { request, last: true, run: ra.clone() }));
                } else {
                    q.extend(one.say(3, Message::Nothing { request }));
                }
            }
        }
    }
    for _ in 0..60 {
        one.tick();
    }
    assert!(one.feed(f.feed_id()).branches().any(|(_, b)| b.tip.id() == ta.id()));
}

#[test]
fn a_peer_that_does_not_know_of_a_fork_is_not_asked_without_end() {
    let mut one = One::new(&[2, 3, 4]);
    let f = desc(2);
    let k = fixture::feed_key(2);
    let mut base = Tip::empty(f.feed_id());
    let r0 = make(&mut base, vec![opening(f)], &k, 1);
    let (mut tc, mut ta) = (base.clone(), base.clone());
    let rc = make(&mut tc, vec![note("c"), note("c2")], &k, 2);
    let ra = make(&mut ta, vec![note("a"), note("a2")], &k, 3);
    one.say(2, push(r0.clone()));
    let side = |tip: &Tip, second: &Run| {
        let hs: Vec<Fixed<32>> = headers(&r0)
            .into_iter()
            .chain(headers_from(second, 1, base.id()))
            .map(|b| leaf_hash(&b))
            .collect();
        ForkSide { head: tip.head().sign(&k), leaf: hs[1], path: inclusion_path(&hs, 1).unwrap() }
    };
    let proof = ForkProof::new(f, 1, side(&tc, &rc), side(&ta, &ra)).unwrap();
    let g = desc(3);
    let mut t = Tip::empty(g.feed_id());
    let r = make(
        &mut t,
        vec![opening(g), (Kind::EVIDENCE, Evidence::Fork(proof).to_bytes())],
        &fixture::feed_key(3),
        4,
    );
    one.say(3, push(r));
    let mut q: VecDeque<_> =
        one.say(4, have(vec![HaveItem(f.feed_id(), 3, tc.id(), vec![])])).into();
    let mut n = 0;
    for _ in 0..1000 {
        let Some((peer, m)) = q.pop_front() else { break };
        if let Message::Want { request, feed, .. } = m {
            if feed == f.feed_id() && peer == node_key(4) {
                n += 1;
                q.extend(one.say(4, Message::Run { request, last: true, run: rc.clone() }));
            }
        }
    }
    assert!(n < 10);
}

#[test]
fn a_card_shown_under_an_old_key_does_not_shut_out_a_new_one() {
    let mut one = One::new(&[2]);
    let thief = Card { epoch: u64::MAX, number: u64::MAX, ..card(2, node_key(2)).card().clone() }
        .sign(&fixture::feed_key(2))
        .unwrap();
    one.say(2, Message::Hello { versions: vec![1], card: thief.to_bytes(), boards: vec![] });
    let (_, k, _) = epoch1();
    let mut fresh = Card {
        epoch: 1,
        feed_key: k.public(),
        node_key: node_key(9),
        ..card(2, node_key(2)).card().clone()
    }
    .sign(&k)
    .unwrap();
    one.input(Input::Learn { card: Box::new(fresh.clone()) });
    assert_eq!(one.engine.card(&fixture::org(2)).unwrap().card().order(), (1, 0));
}

#[test]
fn a_card_cannot_take_over_another_organisations_node() {
    let mut one = One::new(&[2, 3]);
    let m = Card { number: 1, node_key: node_key(3), ..card(2, node_key(2)).card().clone() }
        .sign(&fixture::feed_key(2))
        .unwrap();
    one.input(Input::Learn { card: Box::new(m) });
    one.input(Input::Disconnected { peer: node_key(3) });
    one.input(Input::Connected { peer: node_key(3) });
    one.effects.clear();
    one.say(
        3,
        Message::Hello {
            versions: vec![1],
            card: card(3, node_key(3)).to_bytes(),
            boards: vec![founding().board()],
        },
    );
    assert!(one.effects.is_empty(), "{:?}", one.effects);
}

#[test]
fn pushes_do_not_pile_up_before_a_slow_disk() {
    let mut one = One::new(&[2]);
    let f = desc(2);
    let k = fixture::feed_key(2);
    let mut t = Tip::empty(f.feed_id());
    let mut es = vec![opening(f)];
    let mut frames = 0;
    for i in 0..60u8 {
        for j in 0..6 {
            es.push((Kind::NOTE, vec![j; 60_000]));
        }
        let run = make(&mut t, core::mem::take(&mut es), &k, i);
        // the disk is slow: nothing is persisted meanwhile
        let out = one.engine.handle(
            Moment { now: TimeMs(2_000_000), entropy: [i; 32] },
            Input::Received { peer: node_key(2), frame: push(run).to_frame() },
            &one.disk,
        );
        frames += out.iter().filter(|e| matches!(e, Effect::Disconnect { .. })).count();
    }
    assert!(one.engine.pending.bytes() < 16_000_000);
}

#[test]
fn a_slow_partner_is_not_taken_for_mistaken() {
    let mut net = Net::new(&[1, 2, 3, 4, 5]);
    net.note(2, "one");
    net.run();
    let old = net.nodes[&node_key(2)].disk.clone();
    net.note(2, "two");
    net.run();
    let disk = old;
    let mut engine = Engine::open(identity(2), Standing::Restored, &disk).unwrap();
    // honest partners 1, 3, 4 tell size, and are slow to answer
    let board = founding().board();
    let own = desc(2).feed_id();
    let full = net.view(1).feeds[&own].clone();
    let held = engine.boards[&board].feeds[&own].trunk.tip.size();
    let mut n = 0u8;
    let mut now = 3_000_000;
    let mut signed = false;
    let mut handle = |engine: &mut Engine, now: u64, input: Input| {
        n = n.wrapping_add(1);
        engine.handle(Moment { now: TimeMs(now), entropy: [n; 32] }, input, &disk)
    };
    for p in [1u8, 3, 4] {
        handle(&mut engine, now, Input::Connected { peer: node_key(p) });
        handle(
            &mut engine,
            now,
            Input::Received {
                peer: node_key(p),
                frame: Message::Hello {
                    versions: vec![1],
                    card: card(p, node_key(p)).to_bytes(),
                    boards: vec![board],
                }
                .to_frame(),
            },
        );
    }
    let items: Vec<HaveItem> =
        net.nodes[&node_key(1)].engine.boards[&board].items.values().cloned().collect();
    let digest = have_digest(&board, &items);
    let tell = Message::Have { board, digest, items };
    let draft = Draft {
        kind: Kind::NOTE,
        artefact: None,
        refs: vec![],
        payload: vec![1],
        attribution: None,
    };
    handle(&mut engine, now, Input::Write { ticket: Ticket(1), board, draft });
    for p in [1u8, 3, 4] {
        handle(
            &mut engine,
            now,
            Input::Received { peer: node_key(p), frame: tell.clone().to_frame() },
        );
    }
    let mut secs = 0;
    for s in 0..400 {
        now += 1000;
        for e in handle(&mut engine, now, Input::Tick) {
            if let Effect::Send { peer, frame, .. } = e {
                if let Ok(Message::Ask(_)) = Message::from_frame(&frame) {
                    handle(
                        &mut engine,
                        now,
                        Input::Received { peer, frame: tell.clone().to_frame() },
                    );
                }
            }
        }
        if engine.boards[&board].feeds[&own].trunk.tip.size() > held {
            signed = true;
            secs = s;
            break;
        }
    }
    assert!(!signed);
}
