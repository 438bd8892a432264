//! Who receives what: payloads of withheld kinds reach the audience of their artefact and nobody
//! else, whoever passes them on, and headers reach all.

use super::*;
use crate::{
    engine::{ArtefactRecord, tables::place_key},
    feed::Header,
    hash::ArtefactId,
    payload::{Audience, Open, Reason, Widening},
    sync::{Message, Point},
};

const CHANGE: &[u8] = b"a change, as far as the engine knows";

fn first_feed(number: u8) -> FeedId {
    let (board, org) = (founding().board(), fixture::org(number));
    let key = fixture::feed_key(number).public();
    Descriptor { board, org, epoch: 0, key }.feed_id()
}

fn opening(audience: Audience) -> Open {
    Open { nonce: Fixed([1; 16]), kind: "decision".into(), schema_version: 1, audience }
}

impl Net {
    fn write(&mut self, number: u8, kind: Kind, artefact: ArtefactId, payload: Vec<u8>) {
        let artefact = Some(artefact);
        let draft = Draft { kind, artefact, refs: vec![], payload, attribution: None };
        let board = founding().board();
        self.input(node_key(number), Input::Write { ticket: Ticket(self.calls), board, draft });
        self.run();
    }

    /// Organisation 1 opens an artefact for some, and writes one change.
    fn open_for(&mut self, orgs: &[u8]) -> ArtefactId {
        let open = opening(Audience::Only(orgs.iter().map(|org| fixture::org(*org)).collect()));
        let id = open.artefact_id(&founding().board(), &fixture::org(1));
        self.write(1, Kind::OPEN, id, open.to_bytes());
        self.write(1, Kind::CHANGE, id, CHANGE.to_vec());
        id
    }

    /// The last entry of a kind in an organisation's first feed.
    fn last_of(&self, author: u8, kind: Kind) -> u64 {
        let disk = &self.nodes[&node_key(author)].disk;
        let headers = (0..)
            .map_while(|seq| disk.get(Table::Headers, &place_key(&first_feed(author), 0, seq)));
        let headers = headers.map(|bytes| Header::from_bytes(&bytes).unwrap());
        headers.filter(|header| header.kind == kind).map(|header| header.seq).last().unwrap()
    }

    /// Whether a node holds the payload of the entry at `seq` of an organisation's first feed.
    fn holds(&self, number: u8, author: u8, seq: u64) -> bool {
        let feed = first_feed(author);
        let disk = &self.nodes[&node_key(number)].disk;
        disk.get(Table::Payloads, &place_key(&feed, 0, seq)).is_some()
    }

    fn audience(&self, number: u8, id: &ArtefactId) -> Option<Audience> {
        let disk = &self.nodes[&node_key(number)].disk;
        ArtefactRecord::read(disk, &founding().board(), id).unwrap().audience()
    }
}

/// Everybody holds and acknowledges the headers. Organisation 1 opens for itself and 2.
#[test]
fn payloads_reach_their_audience_alone_and_headers_all() {
    let mut net = Net::new(&[1, 2, 3, 4, 5]);
    net.open_for(&[1, 2]);
    net.tick(130);
    net.assert_equal();
    assert_eq!(
        [1, 2, 3, 4, 5].map(|node| net.holds(node, 1, 2)),
        [true, true, false, false, false]
    );
    assert_eq!([3, 4, 5].map(|node| net.holds(node, 1, 1)), [true; 3], "the opening is for all");
    let view = net.view(4);
    let feed = view.feeds.values().find(|feed| feed.descriptor.org == fixture::org(1)).unwrap();
    assert!(feed.settled >= 3, "{feed:?}");
}

/// A payload that a member outside the audience passes on is not lost for those inside: it has only
/// the header, and they ask on. Node 3 stands between 1 and 2 until they meet.
#[test]
fn a_payload_passes_those_outside_the_audience_by() {
    let mut net = Net::new(&[1, 2, 3]);
    net.cut(1, 2);
    net.open_for(&[1, 2]);
    net.tick(20);
    assert_eq!([2, 3].map(|node| net.holds(node, 1, 2)), [false, false]);
    let feed = net.view(2).feeds.values().map(|feed| feed.missing).sum::<usize>();
    assert_eq!(feed, 1, "the header is there, and the payload is due");
    net.heal();
    net.tick(130);
    net.assert_equal();
    assert_eq!([2, 3].map(|node| net.holds(node, 1, 2)), [true, false]);
}

/// The one begun last stands first, on whichever node, and whatever was written about it since.
#[test]
fn artefacts_are_listed_by_when_they_were_begun() {
    let mut net = Net::new(&[1, 2, 3]);
    let first = net.open_for(&[1, 2]);
    net.tick(1);
    let open = opening(Audience::Everyone);
    let second = open.artefact_id(&founding().board(), &fixture::org(2));
    net.write(2, Kind::OPEN, second, open.to_bytes());
    net.tick(1);
    net.write(1, Kind::CHANGE, first, CHANGE.to_vec());
    net.tick(130);
    let listed = |number: u8| {
        let begun = net.view(number).begun(&net.nodes[&node_key(number)].disk);
        begun.into_iter().map(|one| (one.artefact, one.opening.unwrap())).collect::<Vec<_>>()
    };
    let [one, other] = &listed(3)[..] else { panic!("there are two") };
    assert_eq!([one.0, other.0], [second, first]);
    assert!(one.1.1 > other.1.1);
    assert_eq!([listed(1), listed(2)], [listed(3), listed(3)]);
}

/// Widening sends what was written before. It is worth nothing by somebody outside.
#[test]
fn an_audience_is_widened_by_those_in_it() {
    let mut net = Net::new(&[1, 2, 3, 4]);
    let id = net.open_for(&[1, 2]);
    net.tick(10);
    let widening =
        |org| Widening { orgs: vec![fixture::org(org)], reason: Reason::MENTIONED }.to_bytes();
    net.write(2, Kind::AUDIENCE, id, widening(3));
    net.tick(130);
    net.assert_equal();
    let three = Audience::Only([1, 2, 3].map(fixture::org).to_vec());
    assert_eq!([1, 3, 4].map(|node| net.audience(node, &id)), [0; 3].map(|_| Some(three.clone())));
    assert_eq!([3, 4].map(|node| net.holds(node, 1, 2)), [true, false]);
    net.restart(3, Standing::Sure);
    net.write(3, Kind::REMARK, id, b"thank you".to_vec());
    net.tick(130);
    net.assert_equal();
    let remark = net.last_of(3, Kind::REMARK);
    assert_eq!([1, 2, 4].map(|node| net.holds(node, 3, remark)), [true, true, false]);
}

/// Nobody writes about an artefact that it does not receive, or that nobody opened.
#[test]
fn an_organisation_outside_the_audience_cannot_write() {
    let mut net = Net::new(&[1, 3]);
    let id = net.open_for(&[1]);
    net.tick(10);
    let unknown = ArtefactId::from_bytes([7; 32]);
    for (kind, artefact) in [(Kind::REMARK, id), (Kind::AUDIENCE, id), (Kind::CHANGE, unknown)] {
        let draft = Draft { artefact: Some(artefact), ..Draft::of(kind, vec![0x80]) };
        let node = net.nodes.get_mut(&node_key(3)).unwrap();
        let input = Input::Write { ticket: Ticket(1), board: founding().board(), draft };
        let moment = Moment { now: TimeMs(net.now), entropy: [9; 32] };
        let why = Refused::NotInAudience { artefact };
        let effects = node.engine.handle(moment, input, &node.disk);
        assert_eq!(effects, [Effect::Refused { ticket: Ticket(1), why }]);
    }
}

/// A widening that is not on disk yet may be lost, and what was given is not called back.
#[test]
fn nothing_is_given_on_a_widening_that_a_crash_could_take_back() {
    let mut net = Net::new(&[1, 2, 3]);
    let id = net.open_for(&[1, 2]);
    net.tick(130);
    let board = founding().board();
    let view = net.view(1);
    let feed = view.own;
    let moment = Moment { now: TimeMs(net.now), entropy: [9; 32] };
    let node = net.nodes.get_mut(&node_key(1)).unwrap();
    let header = node.disk.get(Table::Headers, &place_key(&feed, 0, 2)).unwrap();
    let at = Point(2, Header::id_of(&header));
    let frame = Message::WantPayload { request: 1 << 40, feed, at, offset: 0 }.to_frame();
    let asked = || Input::Received { peer: node_key(3), frame: frame.clone() };
    let answers = |effects: Vec<Effect>| -> Vec<&'static str> {
        let sent = effects.into_iter().filter_map(|effect| {
            let Effect::Send { frame, .. } = effect else { return None };
            Some(Message::from_frame(&frame).unwrap().name())
        });
        sent.filter(|name| name.contains("payload")).collect()
    };
    let widening = Widening { orgs: vec![fixture::org(3)], reason: Reason::MENTIONED };
    let draft = Draft { artefact: Some(id), ..Draft::of(Kind::AUDIENCE, widening.to_bytes()) };
    let written =
        node.engine.handle(moment, Input::Write { ticket: Ticket(1), board, draft }, &node.disk);
    assert_eq!(answers(node.engine.handle(moment, asked(), &node.disk)), ["no_payload"]);
    for effect in written {
        if let Effect::Persist { ops, .. } = effect {
            node.disk.write(ops);
        }
    }
    assert_eq!(answers(node.engine.handle(moment, asked(), &node.disk)), ["payload"]);
}
