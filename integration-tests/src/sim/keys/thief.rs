//! A thief: signs with a key that is not its own, and a Byzantine node brings it among the others.
//!
//! ```text
//! what the node's disk holds of the feed ─▶ entries behind it ─▶ a run ─▶ that node, as if pushed
//!                                                                  └────▶ some peers, pushed
//! ```
//!
//! *Invariants.* Signs heads with the feed keys that it has, and openings as a rotation. Never has the
//! recovery key.
//!
//! *Source*: ours.

use concordat_protocol::{
    codec::Fixed,
    engine::Input,
    feed::{
        Ack, AckItem, CompactEntry, Descriptor, End, Extent, Header, Kind, OpenFeed, Opened, Run,
        Salted, Sealed, Tip, WarrantRole,
    },
    hash::{EntryId, NodeKey, Tag},
    identity::{Card, KeyPair, Signer},
    sync::{Lane, Message},
    time::TimeMs,
};

use super::{
    super::{Sim, checkers::Verdict, network::NodeIx},
    end_on, tip_on,
};
use crate::trace::Group;

/// A run of entries that anybody with the key can sign, behind `before`, and their ids.
fn forge(
    before: &Tip,
    (descriptor, key): (&Descriptor, &KeyPair),
    contents: &[(Kind, Vec<u8>)],
) -> (Run, Vec<EntryId>) {
    let mut tip = before.clone();
    let mut ids = Vec::new();
    let (feed, from, prev) = (before.feed(), before.size(), before.id());
    let mut run = Run { feed, from, before: prev, entries: Vec::new(), heads: Vec::new() };
    for (kind, payload) in contents {
        let payload = Salted::new(Fixed([7; 16]), payload.clone());
        let header = Header {
            feed,
            seq: tip.size(),
            prev: tip.id(),
            charter: descriptor.board.as_charter(),
            t: TimeMs(0),
            kind: *kind,
            artefact: None,
            refs: Vec::new(),
            payload_hash: payload.hash(Tag::Payload),
            payload_len: payload.bytes().len() as u64,
            attribution_hash: None,
        };
        if tip.replay(&header.to_bytes()).is_err() {
            break;
        }
        ids.push(tip.id());
        run.entries.push(CompactEntry::of(header, Some(Sealed { payload, attribution: None })));
        if tip.is_mandatory() {
            run.heads.push(tip.head().sign(key));
        }
    }
    if !tip.is_mandatory() {
        run.heads.push(tip.head().sign(key));
    }
    (run, ids)
}

impl Sim {
    /// The thief writes on in one of its feeds.
    pub(super) fn write_stolen(&mut self, victim: NodeIx) -> Verdict {
        let Some(thief) = self.keys.thieves.get(&victim) else { return Ok(()) };
        let (mouth, feeds) = (thief.mouth, thief.feeds.clone());
        let at = if self.keys.rng.chance(60) { 0 } else { self.keys.rng.place(feeds.len()) };
        let Some((descriptor, key)) = feeds.get(at) else { return Ok(()) };
        let (before, _) = tip_on(&self.nodes[mouth].disk, descriptor.feed_id());
        if before.size() == 0 {
            return Ok(());
        }
        let is_open = self.keys.extent(victim, &before.feed()) == Some(Extent::Open);
        let when = if is_open { "before an opening" } else { "after an opening" };
        let what = self.keys.rng.between(1, 3);
        let mut contents = Vec::new();
        if what != 1 {
            contents.push((Kind::NOTE, self.keys.rng.bytes(40)));
            self.counts.one(Group::Fault, &format!("thief's notes {when}"));
        }
        if let Some(ack) = self.stolen_ack(victim, mouth).filter(|_| what != 2) {
            contents.push((Kind::ACK, ack.to_bytes()));
            self.counts.one(Group::Fault, &format!("thief's acknowledgement {when}"));
        }
        if self.keys.rng.chance(40) {
            contents.extend(self.stolen_card(victim, (descriptor, key)));
            self.counts.one(Group::Fault, &format!("thief's card {when}"));
        }
        if contents.is_empty() {
            return Ok(());
        }
        let run = forge(&before, (descriptor, key), &contents);
        self.spread(victim, mouth, run)
    }

    /// A card with a number that the owner never comes to, and an address of the thief's.
    fn stolen_card(
        &self,
        victim: NodeIx,
        (descriptor, key): (&Descriptor, &KeyPair),
    ) -> Option<(Kind, Vec<u8>)> {
        let own = self.nodes[victim].organisation().card.card().clone();
        let addresses = vec!["/ip4/203.0.113.1/tcp/4001".into()];
        let (epoch, feed_key) = (descriptor.epoch, key.public());
        let card = Card { epoch, feed_key, addresses, number: u64::MAX, ..own };
        Some((Kind::CARD, card.sign(key).ok()?.to_bytes()))
    }

    /// Acknowledges all that the thief's node holds of others, and of the owner's other feeds, which
    /// nobody should count.
    fn stolen_ack(&mut self, victim: NodeIx, mouth: NodeIx) -> Option<Ack> {
        let feeds = self.checkers.facts().feeds.clone();
        let disk = &self.nodes[mouth].disk;
        let mut items = Vec::new();
        for (feed, org) in feeds {
            let is_due = org != victim || self.keys.rng.chance(60);
            let Some(End(seq, id)) = end_on(disk, feed).filter(|_| is_due) else { continue };
            let (missing, received_at) = (Vec::new(), TimeMs(0));
            items.push(AckItem { feed, seq, id, payloads_through: seq, missing, received_at });
        }
        (!items.is_empty()).then_some(Ack(items))
    }

    /// The thief opens a feed by a key that it has.
    pub(super) fn rotate_stolen(&mut self, victim: NodeIx) -> Verdict {
        let Some(thief) = self.keys.thieves.get(&victim) else { return Ok(()) };
        let (mouth, feeds) = (thief.mouth, thief.feeds.clone());
        let Some((before, prior)) =
            feeds.last().filter(|_| self.keys.rng.chance(70)).or(feeds.first())
        else {
            return Ok(());
        };
        let (_, ids) = tip_on(&self.nodes[mouth].disk, before.feed_id());
        let at =
            if self.keys.rng.chance(50) { ids.len() } else { 1 + self.keys.rng.place(ids.len()) };
        let Some(id) = at.checked_sub(1).and_then(|at| ids.get(at)) else { return Ok(()) };
        let end = End(at as u64 - 1, *id);
        let key = KeyPair::from_seed(&self.keys.rng.bytes32());
        let descriptor = Descriptor { epoch: before.epoch + 1, key: key.public(), ..*before };
        let opening = OpenFeed::next(descriptor, end, (WarrantRole::Old, prior), &key);
        let is_second = before.feed_id() != feeds[0].0.feed_id();
        let name = if is_second { "thief's second rotation" } else { "thief's rotation" };
        self.counts.one(Group::Fault, name);
        self.keys.opened.entry(victim).or_default().push(Opened::by(&opening));
        self.checkers.opened(victim, descriptor.feed_id(), true);
        let mut contents = vec![(Kind::OPEN_FEED, opening.to_bytes())];
        if self.keys.rng.chance(50) {
            contents.extend(self.stolen_card(victim, (&descriptor, &key)));
            self.counts.one(Group::Fault, "thief's card in a feed of its own");
        }
        if self.keys.rng.chance(50) {
            contents.extend(self.stolen_ack(victim, mouth).map(|ack| (Kind::ACK, ack.to_bytes())));
        }
        let run = forge(&Tip::empty(descriptor.feed_id()), (&descriptor, &key), &contents);
        if let Some(thief) = self.keys.thieves.get_mut(&victim) {
            thief.feeds.push((descriptor, key));
        }
        self.spread(victim, mouth, run)
    }

    /// A Byzantine node takes what a thief signed as if a peer had pushed it, and pushes it to some.
    fn spread(
        &mut self,
        victim: NodeIx,
        mouth: NodeIx,
        (run, ids): (Run, Vec<EntryId>),
    ) -> Verdict {
        if let Some(thief) = self.keys.thieves.get_mut(&victim) {
            thief.forged.extend(ids);
        }
        let frame = Message::Run { request: 0, last: true, run }.to_frame();
        let peers: Vec<NodeKey> = self.nodes[mouth].admitted.iter().copied().collect();
        for peer in &peers {
            if self.keys.rng.chance(30) {
                let due = self.network.send(self.now, mouth, peer, (Lane::Control, frame.clone()));
                self.deliver(due);
            }
        }
        let met = peers.into_iter().find(|peer| self.network.conn_of(mouth, peer).is_some());
        match met {
            Some(peer) => self.handle(mouth, Input::Received { peer, frame }),
            None => Ok(()),
        }
    }
}
