//! Changes of keys: organisations that rotate theirs, thieves, and owners who take a key back.
//!
//! ```text
//! rotate   crash ─▶ new key, opening by the old one, end = last entry on the disk ─▶ start
//! theft    a thief signs with the victim's key; a Byzantine node brings it among the others
//!          notes, acknowledgements, rotations, before and after what the owner does about it
//! answer   the owner rotates too, or its recovery key opens a feed: of the thief's epoch, or after it
//! careless rotate ─▶ the backup from before ─▶ rotate again: two feeds of one epoch
//! move     crash ─▶ a newer card: another address, perhaps another node key ─▶ start; people hand it to one
//! ```
//!
//! *Invariants.* A thief has the feed key alone: neither the node key nor the recovery key. When
//! faults end, every honest organisation has a feed that stands, by its own doing.
//!
//! *Source*: ours.

mod thief;

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{
    engine::{FeedStanding, Input, Standing},
    feed::{Descriptor, End, Extent, OpenFeed, Opened, Right, Tip, WarrantRole, extents},
    hash::{EntryId, FeedId},
    identity::{BadCard, KeyPair, SignedCard, Signer},
};

use super::{
    Event, Sim,
    checkers::{Checker, Verdict, Violation},
    clock::SimTime,
    disk::Disk,
    faults::Strike,
    founding::Organisation,
    network::NodeIx,
    plan::Plan,
    rng::Rng,
};
use crate::trace::Group;

/// One change of a key, or what a thief does with one.
#[derive(Debug)]
pub(super) enum KeyStrike {
    Rotate { node: NodeIx, ms: u64 },
    RotateWithBackup { node: NodeIx, ms: u64 },
    RotateAgain { node: NodeIx, standing: Standing, ms: u64 },
    Recover { node: NodeIx, ms: u64 },
    Move { node: NodeIx, has_new_key: bool, ms: u64 },
    Vouch { node: NodeIx, card: Box<SignedCard> },
    Steal { victim: NodeIx, mouth: NodeIx },
    Write { victim: NodeIx },
    RotateStolen { victim: NodeIx },
    Answer { victim: NodeIx, ms: u64 },
}

/// Somebody who has an organisation's key.
#[derive(Debug)]
struct Thief {
    /// The node that speaks for it.
    mouth: NodeIx,
    /// The feeds that it can sign, the stolen one first.
    feeds: Vec<(Descriptor, KeyPair)>,
    /// What it signed.
    forged: BTreeSet<EntryId>,
}

/// Whose keys changed so far.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) rng: Rng,
    /// Every feed that somebody opened, by organisation; the owner's present one by its place.
    opened: BTreeMap<usize, Vec<Opened>>,
    present: BTreeMap<usize, Descriptor>,
    thieves: BTreeMap<NodeIx, Thief>,
    /// Where the first of two rotations said that the epoch before ended.
    first_ends: BTreeMap<NodeIx, (Descriptor, End)>,
}

impl Keys {
    pub(super) fn new(rng: Rng, first: &[Descriptor]) -> Self {
        let all = || first.iter().copied().enumerate();
        Self {
            rng,
            opened: all().map(|(org, first)| (org, vec![Opened::first(&first)])).collect(),
            present: all().collect(),
            thieves: BTreeMap::new(),
            first_ends: BTreeMap::new(),
        }
    }

    fn extent(&self, org: usize, feed: &FeedId) -> Option<Extent> {
        extents(self.opened.get(&org)?).get(feed).copied()
    }
}

/// Draws which keys change when.
pub(super) fn schedule(plan: &Plan, rng: &mut Rng) -> Vec<(SimTime, KeyStrike)> {
    let between = |rng: &mut Rng, least, most| {
        SimTime(rng.between(plan.safety_ms * least / 100, plan.safety_ms * most / 100))
    };
    let mut list = Vec::new();
    for node in plan.keys.rotations.iter().copied() {
        let ms = rng.between(50, 15_000);
        list.push((between(rng, 8, 95), KeyStrike::Rotate { node, ms }));
    }
    if let Some(node) = plan.keys.careless {
        let standing = if rng.chance(70) { Standing::Sure } else { Standing::Restored };
        let ms = rng.between(50, 8_000);
        list.push((between(rng, 10, 35), KeyStrike::RotateWithBackup { node, ms }));
        list.push((between(rng, 40, 65), KeyStrike::RotateAgain { node, standing, ms }));
        list.push((between(rng, 70, 95), KeyStrike::Recover { node, ms }));
    }
    if let Some((victim, mouth)) = plan.keys.theft {
        list.push((between(rng, 10, 20), KeyStrike::Steal { victim, mouth }));
        for _ in 0..rng.between(3, 12) {
            list.push((between(rng, 20, 97), KeyStrike::Write { victim }));
        }
        for _ in 0..rng.below(4) {
            list.push((between(rng, 20, 90), KeyStrike::RotateStolen { victim }));
        }
        let ms = rng.between(50, 15_000);
        list.push((between(rng, 30, 80), KeyStrike::Answer { victim, ms }));
    }
    for node in plan.keys.moves.iter().copied() {
        let ms = rng.between(50, 15_000);
        list.push((between(rng, 8, 95), KeyStrike::Move { node, has_new_key: false, ms }));
    }
    if let Some(node) = plan.keys.new_node {
        let ms = rng.between(50, 15_000);
        list.push((between(rng, 20, 90), KeyStrike::Move { node, has_new_key: true, ms }));
    }
    list
}

/// What a disk holds of a feed, from entry 0 on, on its first chain.
fn tip_on(disk: &Disk, feed: FeedId) -> (Tip, Vec<EntryId>) {
    let mut tip = Tip::empty(feed);
    let mut ids = Vec::new();
    while let Some(header) = disk.header(&feed, tip.size()) {
        if tip.replay(header).is_err() {
            break;
        }
        ids.push(tip.id());
    }
    (tip, ids)
}

fn end_on(disk: &Disk, feed: FeedId) -> Option<End> {
    let (tip, _) = tip_on(disk, feed);
    tip.size().checked_sub(1).map(|seq| End(seq, tip.id()))
}

fn refused_card(why: BadCard) -> Violation {
    let sentence = format!("the simulator made a card that is refused: {why}");
    Violation { checker: Checker::Crash, sentence }
}

impl Sim {
    pub(super) fn strike_keys(&mut self, strike: KeyStrike) -> Verdict {
        match strike {
            KeyStrike::Rotate { node, ms } => {
                if self.rotate(node, ms)?.is_some() {
                    self.counts.one(Group::Fault, "rotation");
                }
                Ok(())
            }
            KeyStrike::RotateWithBackup { node, ms } => {
                if let Some(first) = self.rotate(node, ms)? {
                    self.counts.one(Group::Fault, "rotation");
                    self.nodes[node].disk.back_up();
                    self.keys.first_ends.insert(node, first);
                }
                Ok(())
            }
            KeyStrike::RotateAgain { node, standing, ms } => self.rotate_again(node, standing, ms),
            KeyStrike::Recover { node, ms } => self.recover(node, ms),
            KeyStrike::Move { node, has_new_key, ms } => self.relocate(node, has_new_key, ms),
            // People look which card an organisation has now.
            KeyStrike::Vouch { card, .. } if !self.is_present(&card) => Ok(()),
            KeyStrike::Vouch { node, card } => {
                if self.nodes[node].is_on() {
                    self.counts.one(Group::Fault, "card told by people");
                    return self.handle(node, Input::Learn { card });
                }
                // They try again when the node runs.
                let strike = KeyStrike::Vouch { node, card };
                self.due(1_000, Event::Strike(Strike::Keys(strike)));
                Ok(())
            }
            KeyStrike::Steal { victim, mouth } => {
                let stolen = self.keys.present[&victim];
                let key = self.nodes[victim].organisation().feed_key.clone();
                self.checkers.stolen(stolen.feed_id());
                let (feeds, forged) = (vec![(stolen, key)], BTreeSet::new());
                self.keys.thieves.insert(victim, Thief { mouth, feeds, forged });
                Ok(())
            }
            KeyStrike::Write { victim } => self.write_stolen(victim),
            KeyStrike::RotateStolen { victim } => self.rotate_stolen(victim),
            KeyStrike::Answer { victim, ms } => self.answer(victim, ms),
        }
    }

    /// When faults end, whoever has no feed that stands takes it back.
    pub(super) fn recover_what_is_lost(&mut self) -> Verdict {
        for node in 0..self.plan.orgs.len() {
            let present = self.keys.present[&node].feed_id();
            let stands = self.keys.extent(node, &present) == Some(Extent::Open);
            let is_stolen = self.checkers.facts().stolen.contains(&present);
            if self.is_honest(node) && (!stands || is_stolen) {
                self.recover(node, 1_000)?;
            }
        }
        Ok(())
    }

    fn is_present(&self, card: &SignedCard) -> bool {
        self.partnership.organisations.iter().any(|organisation| organisation.card == *card)
    }

    /// When faults end, people hand the card of whoever has another node key to one partner, the others have
    /// it from there; to all, if that node signs nothing before it heard from most of them.
    pub(super) fn hand_over_cards(&mut self) {
        let Some(moved) = self.plan.keys.new_node else { return };
        let is_partner = |node: &NodeIx| {
            *node != moved && self.is_honest(*node) && self.plan.links(*node, moved)
        };
        let partners = (0..self.plan.orgs.len()).filter(is_partner);
        let node = &self.nodes[moved];
        let is_restoring = node.standing == Standing::Restored
            || node.is_on() && node.views().iter().any(|view| view.is_restoring);
        let partners: Vec<_> = partners.take(if is_restoring { usize::MAX } else { 1 }).collect();
        for node in partners {
            let card = Box::new(self.nodes[moved].organisation().card.clone());
            let strike = KeyStrike::Vouch { node, card };
            self.due(1_000, Event::Strike(Strike::Keys(strike)));
        }
    }

    /// A node stops, and starts again at another address, perhaps with another key, and a newer card.
    fn relocate(&mut self, node: NodeIx, has_new_key: bool, ms: u64) -> Verdict {
        // Before it joined the board, it would be the card that it joined with.
        if self.nodes[node].views().is_empty() {
            return Ok(());
        }
        self.crash(node)?;
        let name = if has_new_key { "new node key" } else { "new address" };
        self.counts.one(Group::Fault, name);
        let address = format!("/ip4/198.51.100.{}/tcp/4001", self.keys.rng.between(1, 254));
        let key = has_new_key.then(|| KeyPair::from_seed(&self.keys.rng.bytes32()));
        let old = self.key(node);
        let next = self.nodes[node].organisation().moved(address, key.as_ref());
        let next = next.map_err(refused_card)?;
        let new = next.node_key;
        self.use_from_now_on(node, next);
        if has_new_key {
            for holder in self.network.change_key(node, new) {
                self.handle(holder, Input::Disconnected { peer: old })?;
            }
        }
        self.due(ms, Event::Start { node, restores: None });
        Ok(())
    }

    /// An organisation's node has this card and these keys when it starts next.
    fn use_from_now_on(&mut self, node: NodeIx, next: Organisation) {
        self.partnership.organisations[node].card = next.card.clone();
        self.checkers.renewed(node, next.card.clone());
        self.nodes[node].take_over(next);
    }

    /// Whether a backup goes back to the present feed or the one before it. Else feeds between the two
    /// could be lost that nobody else knew, and with them what the present one rests on: then only
    /// the recovery key helps.
    pub(super) fn can_be_restored(&self, node: NodeIx) -> bool {
        let disk = &self.nodes[node].disk;
        let present = self.keys.present.get(&node);
        let opened = self.keys.opened.get(&node).into_iter().flatten();
        let mut near =
            opened.filter(|one| present.is_some_and(|present| one.epoch + 1 >= present.epoch));
        !self.is_honest(node) || near.any(|one| disk.backup_has(&one.feed))
    }

    /// The owner opens a feed by its old key, and starts again with the new one. Gives the feed that
    /// it left, and its end.
    fn rotate(&mut self, node: NodeIx, ms: u64) -> Result<Option<(Descriptor, End)>, Violation> {
        let before = self.keys.present[&node];
        let is_sure = self.nodes[node].standing == Standing::Sure;
        if !is_sure
            || self.knows_another(node)
            || self.nodes[node].disk.header(&before.feed_id(), 0).is_none()
        {
            return Ok(None);
        }
        self.crash(node)?;
        let Some(end) = end_on(&self.nodes[node].disk, before.feed_id()) else { return Ok(None) };
        let end = self.end_of_own(node, before.feed_id(), end);
        let prior = self.nodes[node].organisation().feed_key.clone();
        self.succeed(node, (before, end), (WarrantRole::Old, &prior))?;
        self.due(ms, Event::Start { node, restores: None });
        Ok(Some((before, end)))
    }

    /// The backup from before a rotation is put back, and its key rotates again.
    fn rotate_again(&mut self, node: NodeIx, standing: Standing, ms: u64) -> Verdict {
        let Some((before, end)) = self.keys.first_ends.remove(&node) else { return Ok(()) };
        self.crash(node)?;
        let first = self.partnership.organisations[node].clone();
        self.counts.one(Group::Fault, "second rotation of one key");
        self.succeed(node, (before, end), (WarrantRole::Old, &first.feed_key))?;
        self.due(ms, Event::Start { node, restores: Some(standing) });
        Ok(())
    }

    /// The owner finds out, and takes the key back: by a rotation if it knows of no other.
    fn answer(&mut self, victim: NodeIx, ms: u64) -> Verdict {
        if !self.knows_another(victim) && self.keys.rng.chance(40) {
            if self.rotate(victim, ms)?.is_some() {
                self.counts.one(Group::Fault, "rotation by a victim");
            }
            return Ok(());
        }
        self.recover(victim, ms)
    }

    /// The recovery key opens a feed that stands: of the present epoch or the one after any feed
    /// that the owner's node holds.
    fn recover(&mut self, node: NodeIx, ms: u64) -> Verdict {
        let present = self.keys.present[&node];
        let views = self.nodes[node].views();
        let feed = views.iter().find_map(|view| view.feeds.get(&present.feed_id()));
        let is_forked = feed.is_some_and(|feed| {
            let standing = feed.standing;
            self.keys.extent(node, &present.feed_id()) != Some(Extent::Contested)
                && !matches!(standing, FeedStanding::Sound | FeedStanding::Superseded)
        });
        self.crash(node)?;
        let is_contested = self.keys.extent(node, &present.feed_id()) == Some(Extent::Contested);
        let least = present.epoch + u64::from(!is_contested);
        let opened = self.keys.opened[&node].clone();
        let mut choices = Vec::new();
        for before in &opened {
            let Some(end) = end_on(&self.nodes[node].disk, before.feed) else { continue };
            let Opened { feed: _, key, epoch, .. } = *before;
            let after = Descriptor { key, epoch, ..present };
            if epoch + 1 >= least && self.would_stand(node, epoch + 1) {
                choices.push((after, self.end_of_own(node, before.feed, end)));
            }
        }
        self.due(ms, Event::Start { node, restores: None });
        let Some((before, end)) = self.keys.rng.pick(&choices).copied() else { return Ok(()) };
        let name = if self.keys.thieves.contains_key(&node) {
            let is_thiefs = self.keys.thieves[&node].feeds.iter().any(|(one, _)| *one == before);
            let has_rotated = opened.iter().any(|one| one.epoch > present.epoch);
            match (is_thiefs && before != present, has_rotated) {
                (true, _) => "recovery after the thief's epoch",
                (false, true) => "recovery of the thief's epoch",
                (false, false) => "recovery of a stolen key",
            }
        } else {
            "recovery of contested feeds"
        };
        self.counts.one(Group::Fault, name);
        if is_forked {
            self.counts.one(Group::Fault, "recovery of a forked feed");
        }
        let recovery = self.nodes[node].organisation().recovery_key.clone();
        self.succeed(node, (before, end), (WarrantRole::Recovery, &recovery))
    }

    /// Whether an organisation's node holds a feed that somebody else opened in the place of its own.
    fn knows_another(&self, node: NodeIx) -> bool {
        let present = self.keys.present[&node];
        let is_rival = |one: &&Opened| one.epoch >= present.epoch && one.feed != present.feed_id();
        let mut rivals = self.keys.opened[&node].iter().filter(is_rival);
        rivals.any(|rival| self.nodes[node].disk.header(&rival.feed, 0).is_some())
    }

    /// Whether a recovery of this epoch would be the only one, and the last word.
    fn would_stand(&self, org: usize, epoch: u64) -> bool {
        let opened = &self.keys.opened[&org];
        !opened.iter().any(|one| one.epoch >= epoch && one.right == Right::Recovery)
    }

    /// The end of a feed as its owner sees it: often before what a thief added.
    fn end_of_own(&mut self, node: NodeIx, feed: FeedId, end: End) -> End {
        let Some(thief) = self.keys.thieves.get(&node) else { return end };
        let (_, ids) = tip_on(&self.nodes[node].disk, feed);
        let own = ids.iter().take_while(|id| !thief.forged.contains(*id)).count();
        let last = own.checked_sub(1).and_then(|at| Some(End(at as u64, *ids.get(at)?)));
        last.filter(|_| self.keys.rng.chance(60)).unwrap_or(end)
    }

    /// An organisation's node signs with a new key when it starts next.
    fn succeed(
        &mut self,
        node: NodeIx,
        (before, end): (Descriptor, End),
        (role, prior): (WarrantRole, &KeyPair),
    ) -> Verdict {
        let key = KeyPair::from_seed(&self.keys.rng.bytes32());
        let epoch = before.epoch + 1;
        let descriptor = Descriptor { epoch, key: key.public(), ..before };
        let opening = OpenFeed::next(descriptor, end, (role, prior as &dyn Signer), &key);
        self.keys.opened.entry(node).or_default().push(Opened::by(&opening));
        self.keys.present.insert(node, descriptor);
        self.checkers.opened(node, descriptor.feed_id(), false);
        let next = self.nodes[node].organisation().succeeded(opening, key);
        let next = next.map_err(refused_card)?;
        let card = next.card.clone();
        self.use_from_now_on(node, next);
        for other in 0..self.plan.orgs.len() {
            if other != node && self.keys.rng.chance(40) {
                let ms = self.keys.rng.between(1_000, 40_000);
                let strike = KeyStrike::Vouch { node: other, card: Box::new(card.clone()) };
                self.due(ms, Event::Strike(Strike::Keys(strike)));
            }
        }
        Ok(())
    }

    /// Counts what of changed keys is to be seen at honest nodes in the end.
    pub(super) fn count_standings(&mut self) {
        for (node, views) in self.honest_views() {
            for (id, feed) in views.iter().flat_map(|view| &view.feeds) {
                let org = self.checkers.facts().feeds.get(id).copied().unwrap_or(node);
                let name = match self.keys.extent(org, id) {
                    Some(Extent::Until(End(seq, _))) if feed.size > seq + 1 => {
                        "entries beyond an end at healed nodes"
                    }
                    Some(Extent::Superseded) if feed.size > 0 => "superseded feed at healed nodes",
                    Some(Extent::Contested) if feed.size > 0 => "contested feed at healed nodes",
                    _ => continue,
                };
                self.counts.one(Group::Fault, name);
            }
        }
    }
}
