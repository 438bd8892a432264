//! What a replica costs without sockets and disks: one engine hands a board to a fresh one, and
//! then meets it again with nothing to do. Both run on one core, with a store in memory that is
//! durable at once; so the figure holds what both sides do for an entry.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a benchmark reads the clock, divides, prints, and may end the process"
)]

use std::{collections::VecDeque, time::Instant};

use concordat_integration_tests::sim::{
    clock::SimTime,
    disk::Disk,
    founding::{Organisation, Partnership},
};
use concordat_protocol::{
    charter::Status,
    engine::{Effect, Engine, Identity, Input, Moment, Standing, Ticket},
    feed::{Draft, Kind},
    hash::NodeKey,
    time::TimeMs,
};

/// Text of a note, in bytes.
const NOTE_BYTES: usize = 100;

fn main() {
    println!(
        "{:>10} {:>14} {:>12} {:>16} {:>14}",
        "entries", "written/s", "handed/s", "bytes an entry", "idle meeting B"
    );
    for entries in [1_000, 100_000, 1_000_000] {
        let mut pair = Pair::new();
        let start = Instant::now();
        pair.write(entries);
        let written = entries as f64 / start.elapsed().as_secs_f64();
        let start = Instant::now();
        pair.connect();
        let handed = entries as f64 / start.elapsed().as_secs_f64();
        assert_eq!(pair.sizes(), [entries as u64 + 1, entries as u64 + 1]);
        let bytes = pair.bytes as f64 / entries as f64;
        pair.disconnect();
        pair.bytes = 0;
        pair.connect();
        println!("{entries:>10} {written:>14.0} {handed:>12.0} {bytes:>16.1} {:>14}", pair.bytes);
        assert!(pair.bytes < 2_000, "an idle meeting takes {} bytes, the aim is 2,000", pair.bytes);
    }
}

struct Node {
    key: NodeKey,
    engine: Engine,
    disk: Disk,
}

/// Two members of one board.
struct Pair {
    nodes: [Node; 2],
    inputs: VecDeque<(usize, Input)>,
    is_connected: bool,
    bytes: usize,
    calls: u64,
}

impl Pair {
    fn new() -> Self {
        let partnership =
            Partnership::draw(1, &[Status::Active, Status::Active]).expect("a partnership");
        let [one, other] = partnership.organisations.as_slice() else { panic!("two of them") };
        let mut pair = Self {
            nodes: [node(one), node(other)],
            inputs: VecDeque::new(),
            is_connected: false,
            bytes: 0,
            calls: 0,
        };
        for (at, partner) in [(0, other), (1, one)] {
            pair.inputs.push_back((at, Input::Learn { card: Box::new(partner.card.clone()) }));
            let founding = Box::new(partnership.founding.clone());
            pair.inputs.push_back((at, Input::Join { founding }));
        }
        pair.run();
        pair
    }

    /// The first member writes notes.
    fn write(&mut self, entries: usize) {
        let board = self.nodes[0].engine.views(&self.nodes[0].disk)[0].board;
        for chunk in 0..entries.div_ceil(5_000) {
            for i in (chunk * 5_000)..entries.min((chunk + 1) * 5_000) {
                let payload = format!("{i:NOTE_BYTES$}").into_bytes();
                let draft = Draft {
                    kind: Kind::NOTE,
                    artefact: None,
                    refs: vec![],
                    payload,
                    attribution: None,
                };
                let ticket = Ticket(i as u64);
                self.inputs.push_back((0, Input::Write { ticket, board, draft }));
            }
            self.run();
        }
    }

    fn connect(&mut self) {
        self.is_connected = true;
        for at in [0, 1] {
            let peer = self.nodes[1 - at].key;
            self.inputs.push_back((at, Input::Connected { peer }));
        }
        self.run();
    }

    fn disconnect(&mut self) {
        self.is_connected = false;
        for at in [0, 1] {
            let peer = self.nodes[1 - at].key;
            self.inputs.push_back((at, Input::Disconnected { peer }));
        }
        self.run();
    }

    fn sizes(&self) -> [u64; 2] {
        let writer = self.nodes[0].engine.views(&self.nodes[0].disk)[0].own;
        [0, 1].map(|at| {
            self.nodes[at].engine.views(&self.nodes[at].disk)[0].feeds[&writer].durable_size
        })
    }

    /// Handles inputs until nothing is left to do.
    fn run(&mut self) {
        while let Some((at, input)) = self.inputs.pop_front() {
            self.calls += 1;
            let mut entropy = [0; 32];
            entropy[..8].copy_from_slice(&self.calls.to_be_bytes());
            let moment = Moment { now: TimeMs(1_500_000_000_000), entropy };
            let node = &mut self.nodes[at];
            for effect in node.engine.handle(moment, input, &node.disk) {
                match effect {
                    Effect::Persist { batch, ops } => {
                        node.disk.queue(SimTime(0), 0, batch, ops);
                        node.disk.flush_next();
                        self.inputs.push_back((at, Input::Persisted { batch }));
                    }
                    Effect::Send { frame, .. } if self.is_connected => {
                        self.bytes += frame.len();
                        let peer = node.key;
                        self.inputs.push_back((1 - at, Input::Received { peer, frame }));
                    }
                    Effect::Refused { why, .. } => panic!("{why}"),
                    Effect::Disconnect { peer } => panic!("{peer:?} is told to go"),
                    Effect::Send { .. }
                    | Effect::Admit { .. }
                    | Effect::Dismiss { .. }
                    | Effect::Materialise { .. }
                    | Effect::Written { .. }
                    | Effect::Report(_) => {}
                }
            }
        }
    }
}

fn node(of: &Organisation) -> Node {
    let disk = Disk::default();
    let identity = Identity {
        org: of.org,
        signer: Box::new(of.feed_key.clone()),
        witness: Box::new(of.witness_key.clone()),
        card: of.card.clone(),
        openings: [].into(),
    };
    let engine = Engine::open(identity, Standing::Sure, &disk).expect("an empty store opens");
    Node { key: of.node_key, engine, disk }
}
