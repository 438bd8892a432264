//! One honest node among peers that say anything they can sign, and some that are only slow.
//!
//! ```text
//! Author ──begin, go_on──▶ Chain ──push──▶ say(peer, message) ──▶ [One] ──▶ what it says to whom
//! ```
//!
//! The honest node is organisation 1's. Its peers have no engine: a test speaks for them, with the
//! keys of their organisations. Writes are durable at once and every frame that the node sends is
//! credited at once, unless a test takes single steps.

mod asking;
mod cards;
mod clocks;
mod cosign;
mod epochs;
mod forks;
mod others;

use alloc::{boxed::Box, collections::VecDeque, vec, vec::Vec};

use super::{Disk, card, founding, identity, node_key};
use crate::{
    charter::fixture,
    codec::Fixed,
    engine::{
        BoardView, Effect, Engine, FeedStanding, FeedView, Identity, Input, Moment, Refused,
        Standing, Ticket, state::Feed,
    },
    feed::{
        Ack, AckItem, CompactEntry, Descriptor, End, Evidence, ForkProof, ForkSide, Header, Kind,
        OpenFeed, Run, Salted, Sealed, Tip, WarrantRole, inclusion_path, leaf_hash,
    },
    hash::{CharterHash, EntryId, FeedId, NodeKey, Tag},
    identity::{KeyPair, Signer},
    sync::{HaveItem, Message, Point},
    time::TimeMs,
};

/// Most messages of the node that are looked at before a conversation is taken for endless.
const CONVERSATION_MAX: usize = 1_000;

/// What the node said, and to whom.
type Said = (NodeKey, Message);

/// Kind and payload of an entry.
type Content = (Kind, Vec<u8>);

/// The honest node.
struct One {
    engine: Engine,
    disk: Disk,
    now: u64,
    inputs: u64,
    /// What it did besides writing and sending.
    effects: Vec<Effect>,
}

impl One {
    /// A node that shares the small board with these organisations' nodes and has met them.
    fn among(peers: &[u8]) -> Self {
        let mut one = Self::open(Standing::Sure, Disk::default());
        for peer in peers {
            one.input(Input::Learn { card: Box::new(card(*peer, node_key(*peer))) });
        }
        one.input(Input::Join { founding: Box::new(founding()) });
        one.meet(peers);
        one
    }

    fn open(standing: Standing, disk: Disk) -> Self {
        let engine = Engine::open(identity(1), standing, &disk).unwrap();
        Self { engine, disk, now: 1_000_000, inputs: 0, effects: vec![] }
    }

    fn meet(&mut self, peers: &[u8]) {
        for peer in peers {
            self.input(Input::Connected { peer: node_key(*peer) });
            self.say(*peer, hello(*peer));
        }
    }

    /// Starts again over what is durable.
    fn restart(&mut self) {
        self.engine = Engine::open(identity(1), Standing::Sure, &self.disk).unwrap();
    }

    /// Takes a single step, and does nothing of what it asks for.
    fn step(&mut self, input: Input) -> Vec<Effect> {
        self.inputs += 1;
        let mut entropy = [0; 32];
        entropy[..8].copy_from_slice(&self.inputs.to_be_bytes());
        self.engine.handle(Moment { now: TimeMs(self.now), entropy }, input, &self.disk)
    }

    /// Does what steps asked for, and all that follows from it.
    fn carry_out(&mut self, effects: Vec<Effect>) -> Vec<Said> {
        let mut due = VecDeque::from(effects);
        let mut said = vec![];
        while let Some(effect) = due.pop_front() {
            match effect {
                Effect::Persist { batch, ops } => {
                    self.disk.write(ops);
                    due.extend(self.step(Input::Persisted { batch }));
                }
                Effect::Send { peer, frame, .. } => {
                    let message = Message::from_frame(&frame).unwrap();
                    if !matches!(message, Message::Credit(_) | Message::Goodbye(_)) {
                        let frame = Message::Credit(1).to_frame();
                        due.extend(self.step(Input::Received { peer, frame }));
                    }
                    said.push((peer, message));
                }
                other @ (Effect::Disconnect { .. }
                | Effect::Admit { .. }
                | Effect::Dismiss { .. }
                | Effect::Materialise { .. }
                | Effect::Written { .. }
                | Effect::Refused { .. }
                | Effect::Report(_)) => self.effects.push(other),
            }
        }
        said
    }

    fn input(&mut self, input: Input) -> Vec<Said> {
        let effects = self.step(input);
        self.carry_out(effects)
    }

    fn say(&mut self, peer: u8, message: Message) -> Vec<Said> {
        self.input(Input::Received { peer: node_key(peer), frame: message.to_frame() })
    }

    fn tick(&mut self) -> Vec<Said> {
        self.now += 1_000;
        self.input(Input::Tick)
    }

    /// Lets `answer` speak for all peers until nothing that the node says needs an answer.
    fn converse(&mut self, heard: Vec<Said>, mut answer: impl FnMut(Said) -> Option<Message>) {
        let mut heard = VecDeque::from(heard);
        for _ in 0..CONVERSATION_MAX {
            let Some((peer, message)) = heard.pop_front() else { return };
            if let Some(message) = answer((peer, message)) {
                let frame = message.to_frame();
                heard.extend(self.input(Input::Received { peer, frame }));
            }
        }
        panic!("the conversation does not come to rest");
    }

    fn feed(&self, id: FeedId) -> &Feed {
        self.engine.feed(&founding().board(), &id).unwrap()
    }

    fn view(&self) -> BoardView {
        self.engine.views(&self.disk).remove(0)
    }

    fn feed_view(&self, id: FeedId) -> FeedView {
        self.view().feeds[&id].clone()
    }

    /// The last entry of every chain of a feed that is kept.
    fn ends_of(&self, id: FeedId) -> Vec<EntryId> {
        self.feed(id).branches().map(|(_, branch)| branch.tip.id()).collect()
    }
}

fn hello(number: u8) -> Message {
    let card = card(number, node_key(number)).to_bytes();
    let boards = vec![founding().board()];
    Message::Hello { versions: vec![1], card, boards, now: TimeMs(1_000_000) }
}

/// A part of what a peer holds: its digest is over more than it tells.
fn have(items: Vec<HaveItem>) -> Message {
    Message::Have { board: founding().board(), digest: Fixed([1; 32]), items }
}

fn push(chain: &Chain) -> Message {
    answer_to(0, chain)
}

fn answer_to(request: u64, chain: &Chain) -> Message {
    Message::Run { request, last: true, run: chain.run.clone() }
}

/// Organisation 1 under a new key, whose feed it may open.
fn under(next: &Author) -> Identity {
    let openings = [(founding().board(), next.opening.clone())].into();
    Identity { signer: Box::new(next.key.clone()), openings, ..identity(1) }
}

/// A feed, its opening, and the key that signs it.
struct Author {
    descriptor: Descriptor,
    key: KeyPair,
    opening: OpenFeed,
}

impl Author {
    /// An organisation's first feed.
    fn first(number: u8) -> Self {
        let key = fixture::feed_key(number);
        let (board, org) = (founding().board(), fixture::org(number));
        let descriptor = Descriptor { board, org, epoch: 0, key: key.public() };
        Self { descriptor, key, opening: OpenFeed::first(descriptor) }
    }

    /// The organisation's feed of the next epoch. By its opening this one ended at its first entry.
    fn next(&self, seed: [u8; 32]) -> Self {
        self.opened_by(WarrantRole::Old, &self.key, End(0, EntryId::NONE), seed)
    }

    /// The organisation's feed of the next epoch, by its own key. This one ended with that chain.
    fn next_after(&self, last: &Chain, seed: [u8; 32]) -> Self {
        let Point(seq, id) = last.end();
        self.opened_by(WarrantRole::Old, &self.key, End(seq, id), seed)
    }

    /// The organisation's feed of the next epoch, by its recovery key.
    fn recovered_after(&self, last: &Chain, seed: [u8; 32]) -> Self {
        let Point(seq, id) = last.end();
        let number = (1..=6).find(|no| fixture::org(*no) == self.descriptor.org).unwrap();
        let recovery = fixture::recovery_key(number);
        self.opened_by(WarrantRole::Recovery, &recovery, End(seq, id), seed)
    }

    fn opened_by(&self, role: WarrantRole, prior: &KeyPair, end: End, seed: [u8; 32]) -> Self {
        let key = KeyPair::from_seed(&seed);
        let epoch = self.descriptor.epoch + 1;
        let descriptor = Descriptor { epoch, key: key.public(), ..self.descriptor };
        let opening = OpenFeed::next(descriptor, end, (role, prior as &dyn Signer), &key);
        Self { descriptor, key, opening }
    }

    fn id(&self) -> FeedId {
        self.descriptor.feed_id()
    }

    /// The opening of the feed and these entries behind it, as one run.
    fn begin(&self, contents: &[Content]) -> Chain {
        let opening = (Kind::OPEN_FEED, self.opening.to_bytes());
        self.go_on(&Chain::empty(self.id()), &[&[opening], contents].concat())
    }

    /// These entries behind a chain, as one run.
    fn go_on(&self, before: &Chain, contents: &[Content]) -> Chain {
        let Chain { mut tip, mut leaves, .. } = before.clone();
        let mut run = Chain::empty_run(&tip);
        for content in contents {
            let (header, sealed) = entry(&tip, self.descriptor.board.as_charter(), content);
            leaves.push(leaf_hash(&header.to_bytes()));
            tip.push(&header);
            run.entries.push(CompactEntry::of(header, Some(sealed)));
            if tip.is_mandatory() {
                run.heads.push(tip.head().sign(&self.key));
            }
        }
        if !tip.is_mandatory() {
            run.heads.push(tip.head().sign(&self.key));
        }
        Chain { tip, leaves, run }
    }

    /// The proof that two chains differ at an entry.
    fn prove(&self, index: usize, one: &Chain, other: &Chain) -> ForkProof {
        let side = |chain: &Chain| ForkSide {
            head: chain.tip.head().sign(&self.key),
            leaf: chain.leaves[index],
            path: inclusion_path(&chain.leaves, index).unwrap(),
        };
        ForkProof::new(self.descriptor, index as u64, side(one), side(other)).unwrap()
    }
}

/// One history of a feed.
#[derive(Clone)]
struct Chain {
    tip: Tip,
    /// The leaves of the tree over the whole feed.
    leaves: Vec<Fixed<32>>,
    /// The last entries, as they travel.
    run: Run,
}

impl Chain {
    fn empty(feed: FeedId) -> Self {
        let tip = Tip::empty(feed);
        Self { run: Self::empty_run(&tip), tip, leaves: vec![] }
    }

    fn empty_run(tip: &Tip) -> Run {
        let (feed, from, before) = (tip.feed(), tip.size(), tip.id());
        Run { feed, from, before, entries: vec![], heads: vec![] }
    }

    /// The last entry.
    fn end(&self) -> Point {
        Point(self.tip.size() - 1, self.tip.id())
    }

    /// What a peer that holds all of it tells, and of a forked feed these entries above the fork.
    fn item(&self, above_fork: &[Point]) -> HaveItem {
        HaveItem(self.tip.feed(), self.tip.size(), self.tip.id(), above_fork.to_vec())
    }
}

fn entry(tip: &Tip, charter: CharterHash, (kind, payload): &Content) -> (Header, Sealed) {
    let payload = Salted::new(Fixed([7; 16]), payload.clone());
    let header = Header {
        feed: tip.feed(),
        seq: tip.size(),
        prev: tip.id(),
        charter,
        t: TimeMs(1),
        kind: *kind,
        artefact: None,
        refs: vec![],
        payload_hash: payload.hash(Tag::Payload),
        payload_len: payload.bytes().len() as u64,
        attribution_hash: None,
    };
    (header, Sealed { payload, attribution: None })
}

fn note(text: &str) -> Content {
    (Kind::NOTE, text.as_bytes().to_vec())
}

/// Says that a chain is held to its end, with all payloads.
fn acknowledgement(of: &Chain) -> Content {
    acknowledgement_without(of, of.end().0 + 1)
}

/// Says that a chain is held to its end, with the payloads of so many entries from the first.
fn acknowledgement_without(of: &Chain, complete: u64) -> Content {
    let (feed, Point(seq, id)) = (of.tip.feed(), of.end());
    let (missing, payloads_through) = ((complete..=seq).collect(), seq);
    let item = AckItem { feed, seq, id, payloads_through, missing, received_at: TimeMs(0) };
    (Kind::ACK, Ack(vec![item]).to_bytes())
}

fn evidence(proof: &ForkProof) -> Content {
    (Kind::EVIDENCE, Evidence::Fork(proof.clone()).to_bytes())
}
