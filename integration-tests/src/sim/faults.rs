//! Faults: when they strike, and what they do.
//!
//! The whole list is drawn before the run begins; a fault that finds nothing to strike (no
//! connection to cut, a node that is off) passes without being counted.
//!
//! *Invariants.* Nothing strikes after the safety phase. Every block of a way is taken back.
//!
//! *Source*: ours.

use concordat_protocol::{
    engine::{Op, Standing, Table, place_key},
    feed::Header,
    hash::FeedId,
};

use super::{
    Event, Sim,
    artefacts::Broken,
    checkers::Verdict,
    clock::SimTime,
    keys::KeyStrike,
    network::NodeIx,
    plan::{Fault, Malice, Plan, Sabotage},
    rng::Rng,
};
use crate::trace::Group;

/// One thing that goes wrong, or right again.
#[derive(Debug)]
pub(super) enum Strike {
    Cut(u64),
    Partition { sides: Vec<bool>, ms: u64 },
    OneWayCut { from: u64, to: u64, ms: u64 },
    Unblock(Vec<(NodeIx, NodeIx)>),
    Slow { pair: u64, factor: u64 },
    Crash { node: NodeIx, ms: u64 },
    BackUp(NodeIx),
    Restore { node: NodeIx, standing: Standing, ms: u64 },
    SlowDisk { node: NodeIx, ms: u64 },
    Jump { node: NodeIx, ms: i64 },
    Burst { node: NodeIx, entries: u64 },
    Twin(NodeIx),
    SwapHalves(NodeIx),
    FalseAck(NodeIx),
    Keys(KeyStrike),
    Sabotage(Sabotage),
}

/// Draws what strikes when.
pub(super) fn schedule(
    plan: &Plan,
    sabotage: Option<Sabotage>,
    rng: &mut Rng,
) -> Vec<(SimTime, Strike)> {
    let mut list = Vec::new();
    for fault in &plan.faults {
        for _ in 0..rng.between(1, 4) {
            list.extend(draw(*fault, plan, rng));
        }
    }
    if plan.faults.contains(&Fault::Restore) && plan.keys.careless.is_none() {
        let honest: Vec<NodeIx> = (0..plan.orgs.len()).filter(|org| plan.is_honest(*org)).collect();
        let node = honest.get(rng.place(honest.len())).copied().unwrap_or(0);
        list.extend(restore(plan, rng, node, Standing::Restored));
    }
    for (node, org) in plan.orgs.iter().enumerate() {
        for malice in &org.malice {
            list.extend(draw_malice(*malice, node, plan, rng));
        }
    }
    list.extend(
        sabotage.map(|sabotage| (SimTime(plan.safety_ms * 2 / 3), Strike::Sabotage(sabotage))),
    );
    if sabotage == Some(Sabotage::CarelessRestore) {
        list.push((SimTime(15_000), Strike::BackUp(0)));
    }
    list
}

/// A time in the given part of the safety phase, in percent.
fn between(plan: &Plan, rng: &mut Rng, least: u64, most: u64) -> SimTime {
    SimTime(rng.between(plan.safety_ms * least / 100, plan.safety_ms * most / 100))
}

fn draw(fault: Fault, plan: &Plan, rng: &mut Rng) -> Vec<(SimTime, Strike)> {
    let at = between(plan, rng, 5, 95);
    let node = rng.place(plan.orgs.len());
    let strike = match fault {
        Fault::Cut => Strike::Cut(rng.below(1 << 32)),
        Fault::Partition => Strike::Partition {
            sides: plan.orgs.iter().map(|_| rng.chance(50)).collect(),
            ms: rng.between(5_000, 60_000),
        },
        Fault::OneWayCut => Strike::OneWayCut {
            from: rng.below(1 << 32),
            to: rng.below(1 << 32),
            ms: rng.between(3_000, 40_000),
        },
        Fault::Slow => Strike::Slow { pair: rng.below(1 << 32), factor: rng.between(5, 50) },
        Fault::Crash => Strike::Crash { node, ms: rng.between(50, 30_000) },
        Fault::SlowDisk => Strike::SlowDisk { node, ms: rng.between(5_000, 40_000) },
        Fault::Jump => {
            let ms = i64::try_from(rng.between(1_000, 7_200_000)).unwrap_or(0);
            Strike::Jump { node, ms: if rng.chance(50) { ms } else { -ms } }
        }
        Fault::Burst if rng.chance(40) => {
            let entries = if rng.chance(10) { 300 } else { rng.between(10, 60) };
            Strike::Burst { node, entries }
        }
        // Restores are drawn once a run, skew at the start.
        Fault::Burst | Fault::Restore | Fault::Skew => return Vec::new(),
    };
    vec![(at, strike)]
}

fn restore(plan: &Plan, rng: &mut Rng, node: NodeIx, standing: Standing) -> [(SimTime, Strike); 2] {
    let ms = rng.between(100, 10_000);
    [
        (between(plan, rng, 10, 50), Strike::BackUp(node)),
        (between(plan, rng, 55, 85), Strike::Restore { node, standing, ms }),
    ]
}

fn draw_malice(malice: Malice, node: NodeIx, plan: &Plan, rng: &mut Rng) -> Vec<(SimTime, Strike)> {
    match malice {
        Malice::Twins => {
            let begins = rng.below(60);
            let mut list = vec![(between(plan, rng, begins, begins), Strike::Twin(node))];
            if rng.chance(40) {
                list.push((between(plan, rng, 70, 95), Strike::SwapHalves(node)));
            }
            list
        }
        Malice::Careless => restore(plan, rng, node, Standing::Sure).into(),
        Malice::FalseAck => vec![(between(plan, rng, 30, 90), Strike::FalseAck(node))],
        Malice::Withhold | Malice::Replay | Malice::Garbage | Malice::Lie => Vec::new(),
    }
}

impl Sim {
    /// Lets one thing go wrong.
    pub(super) fn strike(&mut self, strike: Strike) -> Verdict {
        self.trace.line(format!("{} fault {strike:?}", self.now));
        match strike {
            Strike::Cut(pick) => self.strike_cut(pick),
            Strike::Partition { sides, ms } => self.strike_partition(&sides, ms),
            Strike::OneWayCut { from, to, ms } => self.strike_one_way(from, to, ms),
            Strike::Unblock(ways) => {
                ways.into_iter().for_each(|(from, to)| self.network.unblock(from, to));
            }
            Strike::Slow { pair, factor } => {
                let (a, b) = self.pair(pair);
                self.network.slow_down(a, b, factor);
                self.count_fault(Fault::Slow);
            }
            Strike::Crash { node, ms } => {
                if self.nodes[node].is_on() {
                    self.count_fault(Fault::Crash);
                    self.crash(node)?;
                    self.due(ms, Event::Start { node, restores: None });
                }
            }
            Strike::BackUp(node) => self.nodes[node].disk.back_up(),
            Strike::Restore { node, standing, ms } => {
                if self.nodes[node].disk.has_backup() && self.can_be_restored(node) {
                    self.crash(node)?;
                    self.due(ms, Event::Start { node, restores: Some(standing) });
                }
            }
            Strike::SlowDisk { node, ms } => {
                self.count_fault(Fault::SlowDisk);
                self.nodes[node].is_grouping = !self.nodes[node].is_grouping;
                self.slow_disks.insert(node, self.now.plus_ms(ms));
                // Batches that waited as a group are due one by one now.
                let start = self.nodes[node].start;
                for _ in 0..self.nodes[node].disk.waiting().count() {
                    self.due(1, Event::Flush { node, start });
                }
            }
            Strike::Jump { node, ms } => {
                self.count_fault(Fault::Jump);
                self.nodes[node].clock.jump(ms);
            }
            Strike::Burst { node, entries } => self.strike_burst(node, entries)?,
            Strike::Twin(node) => self.strike_twin(node),
            Strike::SwapHalves(node) => self.strike_swap(node),
            Strike::FalseAck(node) => self.strike_false_ack(node),
            Strike::Keys(strike) => self.strike_keys(strike)?,
            Strike::Sabotage(sabotage) => self.strike_sabotage(sabotage)?,
        }
        Ok(())
    }

    fn count_fault(&mut self, fault: Fault) {
        self.counts.one(Group::Fault, fault.name());
    }

    /// Two different nodes.
    fn pair(&self, pick: u64) -> (NodeIx, NodeIx) {
        let count = self.nodes.len() as u64;
        let a = pick % count;
        let b = (a + 1 + pick / count % (count - 1)) % count;
        (usize::try_from(a).unwrap_or(0), usize::try_from(b).unwrap_or(0))
    }

    fn strike_cut(&mut self, pick: u64) {
        let (a, b) = self.pair(pick);
        let due = self.network.cut(self.now, a, b);
        if !due.is_empty() {
            self.count_fault(Fault::Cut);
        }
        self.deliver(due);
    }

    fn strike_partition(&mut self, sides: &[bool], ms: u64) {
        let side = |sim: &Self, node: NodeIx| sides[sim.nodes[node].org];
        let all = 0..self.nodes.len();
        let ways: Vec<_> = all
            .clone()
            .flat_map(|from| all.clone().map(move |to| (from, to)))
            .filter(|(from, to)| side(self, *from) != side(self, *to))
            .collect();
        if !ways.is_empty() {
            self.count_fault(Fault::Partition);
        }
        ways.iter().for_each(|(from, to)| self.network.block(*from, *to));
        self.due(ms, Event::Strike(Strike::Unblock(ways)));
    }

    fn strike_one_way(&mut self, from: u64, to: u64, ms: u64) {
        self.count_fault(Fault::OneWayCut);
        let (from, to) = self.pair(from.wrapping_mul(31).wrapping_add(to));
        self.network.block(from, to);
        self.due(ms, Event::Strike(Strike::Unblock(vec![(from, to)])));
    }

    fn strike_burst(&mut self, node: NodeIx, entries: u64) -> Verdict {
        if self.nodes[node].is_on() {
            self.count_fault(Fault::Burst);
            for _ in 0..entries {
                let draft = self.workload.short_draft();
                self.write(node, draft)?;
            }
        }
        Ok(())
    }

    /// A second node with the same keys and the same past begins to talk to some of the others.
    fn strike_twin(&mut self, node: NodeIx) {
        let Some(twin) = self.twins.get(&node).copied().filter(|twin| !self.nodes[*twin].is_on())
        else {
            return;
        };
        self.counts.one(Group::Fault, "twins");
        self.nodes[twin].disk = self.nodes[node].disk.copy();
        self.due(0, Event::Start { node: twin, restores: None });
        for other in 0..self.plan.orgs.len() {
            if self.network.has_link(node, other) && self.fault_rng.chance(50) {
                self.move_link(other, node, twin);
            }
        }
    }

    /// The two nodes of one organisation change those they talk to.
    fn strike_swap(&mut self, node: NodeIx) {
        let Some(twin) = self.twins.get(&node).copied() else { return };
        for other in 0..self.plan.orgs.len() {
            if self.network.has_link(node, other) {
                self.move_link(other, node, twin);
            } else if self.network.has_link(twin, other) {
                self.move_link(other, twin, node);
            }
        }
    }

    fn move_link(&mut self, other: NodeIx, from: NodeIx, to: NodeIx) {
        let due = self.network.cut(self.now, other, from);
        self.deliver(due);
        self.network.set_link(other, from, false);
        self.network.set_link(other, to, true);
    }

    fn strike_false_ack(&mut self, node: NodeIx) {
        let facts = self.checkers.facts();
        let own = facts.orgs[node].feed;
        let feeds = facts.orgs.iter().map(|org| org.feed);
        let others: Vec<FeedId> = feeds.filter(|feed| *feed != own).collect();
        let Some(liar) = self.liars.get_mut(&node) else { return };
        let key = &self.nodes[node].organisation().feed_key;
        let charter = facts.board.as_charter();
        let forged = liar.false_ack((own, key), &others, &self.nodes[node].disk, charter);
        let Some(frame) = forged.filter(|_| self.nodes[node].is_on()) else { return };
        self.counts.one(Group::Fault, "false acknowledgement");
        let peers: Vec<_> = self.nodes[node].admitted.iter().copied().collect();
        for peer in peers {
            if self.fault_rng.chance(40) {
                continue;
            }
            let due = self.network.send(self.now, node, &peer, frame.clone());
            self.deliver(due);
        }
    }

    /// Breaks node 0 on purpose, in the ways that happen at one moment.
    fn strike_sabotage(&mut self, sabotage: Sabotage) -> Verdict {
        let disk = &self.nodes[0].disk;
        match sabotage {
            Sabotage::RewriteHeader => {
                let feed = self.checkers.facts().orgs[0].feed;
                let mut header = disk.header(&feed, 1).cloned().unwrap_or_default();
                header.iter_mut().skip(50).take(1).for_each(|byte| *byte ^= 1);
                let op =
                    Op { table: Table::Headers, key: place_key(&feed, 0, 1), value: Some(header) };
                self.nodes[0].disk.tamper(&[op]);
                self.checkers.audit(0, &self.nodes[0].disk)
            }
            Sabotage::ForgeEntry => {
                let feed = self.checkers.facts().orgs[1].feed;
                let header = disk.header(&feed, 0).and_then(|bytes| Header::from_bytes(bytes).ok());
                let forged = header.map(|header| Header { seq: 1_000_000, ..header }.to_bytes());
                let key = place_key(&feed, 0, 1_000_000);
                self.checkers.flushing(0, &[Op { table: Table::Headers, key, value: forged }])
            }
            Sabotage::CarelessRestore => {
                self.crash(0)?;
                self.nodes[0].disk.restore();
                self.checkers.forget_settlement(0);
                self.start(0)?;
                let draft = self.workload.short_draft();
                self.write(0, draft)
            }
            Sabotage::Artefacts(broken @ (Broken::Tells | Broken::Keeps)) => {
                self.break_artefacts(broken)
            }
            Sabotage::Artefacts(_)
            | Sabotage::ConfirmBeforeFlush
            | Sabotage::IgnoreAcks
            | Sabotage::ForgetSettlement
            | Sabotage::HideForks
            | Sabotage::IgnoreEnds
            | Sabotage::StarveNode
            | Sabotage::Babble
            | Sabotage::SignElse
            | Sabotage::Panic
            | Sabotage::KeepFirstCards => Ok(()),
        }
    }
}
