//! Whole partnerships in one thread, over a network, disks, clocks and staff drawn from a seed.
//!
//! ```text
//! plan ──▶ safety phase: faults, liars, staff; checkers after every step and every second
//!      ──▶ healing: nothing is blocked, everybody is on, liars only withhold, staff are silent
//!      ──▶ liveness phase: honest nodes agree within a bounded virtual time, or the run fails
//! ```
//!
//! Only network, disk, clock and staff are simulated; each node is a real `Engine`. Events stand
//! in one queue, ordered by virtual time and then by a counter.
//!
//! *Invariants.* A run is a function of seed and profile: no machine clock, no threads, no
//! unordered maps. It stops at the first violation, which is therefore the end of the shortest
//! prefix that fails.
//!
//! *Source*: ours; swarm testing after Groce and others, "Swarm Testing" (ISSTA 2012).

pub mod artefacts;
pub mod byzantine;
pub mod checkers;
pub mod clock;
pub mod disk;
mod faults;
pub mod founding;
mod keys;
pub mod network;
pub mod node;
pub mod plan;
pub mod rng;
mod shell;
pub mod workload;

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{
    engine::{BatchId, BoardView, Input, Standing},
    hash::NodeKey,
};

use crate::{
    outcome::{Exit, Outcome},
    trace::{Counts, Group, Trace},
};
use artefacts::Artefacts;
use byzantine::Liar;
use checkers::{Checker, Checkers, Facts, OrgFacts, Seen, Verdict, Violation};
use clock::SimTime;
use faults::Strike;
use founding::{NoPartnership, Partnership};
use keys::Keys;
use network::{Delivery, Network, NodeIx};
use node::Node;
use plan::Malice;
use rng::Rng;
use workload::Workload;

pub use plan::{Fault, Plan, Profile, Sabotage};

/// How often agreement is looked for after healing.
const LOOK_MS: u64 = 5_000;
/// How often every disk is read from end to end.
const AUDIT_MS: u64 = 30_000;

#[derive(Debug)]
enum Event {
    Start { node: NodeIx, restores: Option<Standing> },
    Join { node: NodeIx },
    Tick { node: NodeIx, start: u64 },
    Flush { node: NodeIx, start: u64 },
    Confirm { node: NodeIx, start: u64, batch: BatchId },
    Net(Delivery),
    NetTick,
    Second,
    Write,
    Work,
    Strike(Strike),
}

/// One run in the making.
#[derive(Debug)]
pub struct Sim {
    seed: u64,
    profile: Profile,
    plan: Plan,
    now: SimTime,
    queue: BTreeMap<(SimTime, u64), Event>,
    counter: u64,
    nodes: Vec<Node>,
    /// The second node of an organisation that signs twice.
    twins: BTreeMap<NodeIx, NodeIx>,
    liars: BTreeMap<NodeIx, Liar>,
    partnership: Partnership,
    network: Network,
    checkers: Checkers,
    workload: Workload,
    artefacts: Artefacts,
    disk_rng: Rng,
    fault_rng: Rng,
    slow_disks: BTreeMap<NodeIx, SimTime>,
    keys: Keys,
    tickets: u64,
    trace: Trace,
    counts: Counts,
}

impl Sim {
    /// The run of a seed.
    ///
    /// # Errors
    /// [`NoPartnership`]: the simulator made a charter that the protocol refuses.
    pub fn new(seed: u64, profile: Profile) -> Result<Self, NoPartnership> {
        let plan = Plan::draw(seed, &profile);
        let statuses: Vec<_> = plan.orgs.iter().map(|org| org.status).collect();
        let partnership = Partnership::draw(seed, &statuses)?;
        let (nodes, twins) = draw_nodes(seed, &plan, &partnership);
        let keys: Vec<NodeKey> = nodes.iter().map(|node| node.organisation().node_key).collect();
        let liars = draw_liars(seed, &plan, &nodes, &keys);
        let network = Network::new(Rng::named(seed, "network"), keys, |a, b| plan.links(a, b));
        let facts = facts(&plan, &partnership);
        let descriptors: Vec<_> =
            (0..plan.orgs.len()).map(|org| partnership.first_feed(org)).collect();
        Ok(Self {
            seed,
            profile,
            now: SimTime::default(),
            queue: BTreeMap::new(),
            counter: 0,
            nodes,
            twins,
            liars,
            partnership,
            network,
            checkers: Checkers::new(facts),
            workload: Workload::new(Rng::named(seed, "staff")),
            artefacts: Artefacts::new(Rng::named(seed, "artefacts")),
            disk_rng: Rng::named(seed, "disks"),
            fault_rng: Rng::named(seed, "faults"),
            slow_disks: BTreeMap::new(),
            keys: Keys::new(Rng::named(seed, "changes of keys"), &descriptors),
            tickets: 0,
            trace: Trace::default(),
            counts: Counts::default(),
            plan,
        })
    }

    /// The same run, writing every line of its trace to standard error if `is_loud`.
    #[must_use]
    pub fn traced(mut self, is_loud: bool) -> Self {
        self.trace.is_loud = is_loud;
        self
    }

    /// Runs to the end.
    #[must_use]
    pub fn run(mut self) -> Outcome {
        let healed_ms = self.plan.safety_ms;
        let verdict = self.run_safely().and_then(|()| self.run_to_agreement());
        let net = self.network.counts;
        for (name, many) in [
            ("lost frame", net.lost),
            ("stalled frame", net.stalled),
            ("overtaken lane", net.overtook),
            ("connection timed out", net.timed_out),
        ] {
            self.counts.add(Group::Fault, name, many);
        }
        self.counts.add(Group::Act, "cosignature", self.checkers.cosignatures());
        let violation = verdict.err();
        let exit = match violation.as_ref().map(|violation| violation.checker) {
            None => Exit::Passed,
            Some(Checker::Crash) => Exit::Crash,
            Some(Checker::Liveness) => Exit::Liveness,
            Some(_) => Exit::Safety,
        };
        Outcome {
            seed: self.seed,
            exit,
            violation,
            trace_hash: self.trace.hash(),
            last_lines: self.trace.into_last(),
            counts: self.counts,
            virtual_ms: self.now.0,
            agreed_ms: self.now.0.saturating_sub(healed_ms),
        }
    }

    fn run_safely(&mut self) -> Verdict {
        let sabotage = self.profile.sabotage;
        for (at, strike) in faults::schedule(&self.plan, sabotage, &mut self.fault_rng) {
            self.due(at.0, Event::Strike(strike));
        }
        for (at, strike) in keys::schedule(&self.plan, &mut self.keys.rng) {
            self.due(at.0, Event::Strike(Strike::Keys(strike)));
        }
        for node in 0..self.plan.orgs.len() {
            if self.plan.faults.contains(&Fault::Skew) {
                self.counts.one(Group::Fault, Fault::Skew.name());
                let ms = i64::try_from(self.fault_rng.below(1_200_000)).unwrap_or(0) - 600_000;
                self.nodes[node].clock.jump(ms);
            }
            let late = if self.fault_rng.chance(10) { 40_000 } else { 4_000 };
            let ms = self.fault_rng.below(late);
            self.due(ms, Event::Start { node, restores: None });
        }
        self.due(500, Event::NetTick);
        self.due(1_000, Event::Second);
        self.due(2_000, Event::Write);
        self.due(6_000, Event::Work);
        self.run_until(SimTime(self.plan.safety_ms))
    }

    fn run_to_agreement(&mut self) -> Verdict {
        self.heal()?;
        let end = self.now.plus_ms(self.profile.liveness_s * 1_000);
        let mut open = Some("nothing was looked at".to_string());
        while self.now < end && open.is_some() {
            self.run_until(self.now.plus_ms(LOOK_MS))?;
            open = self.with_honest(|sim, nodes| sim.checkers.open_matter(nodes));
        }
        self.audit()?;
        self.count_standings();
        self.with_honest(|sim, nodes| sim.checkers.after_healing(nodes))?;
        if open.is_none() {
            self.check_artefacts(true)?;
        }
        open.map_or(Ok(()), |sentence| Err(Violation { checker: Checker::Liveness, sentence }))
    }

    /// Faults end.
    fn heal(&mut self) -> Verdict {
        self.network.heal();
        self.slow_disks.clear();
        self.liars.values_mut().for_each(|liar| liar.is_quiet = true);
        let waiting = self.queue.values().filter_map(|event| match event {
            Event::Start { node, .. } => Some(*node),
            _ => None,
        });
        let waiting: Vec<_> = waiting.collect();
        self.queue
            .retain(|_, event| !matches!(event, Event::Write | Event::Work | Event::Strike(_)));
        self.recover_what_is_lost()?;
        self.hand_over_cards();
        for node in 0..self.plan.orgs.len() {
            if !self.nodes[node].is_on() && !waiting.contains(&node) {
                self.start(node)?;
            }
        }
        Ok(())
    }

    fn run_until(&mut self, end: SimTime) -> Verdict {
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= end) {
            self.now = entry.key().0;
            let event = entry.remove();
            self.step(event)?;
        }
        self.now = end;
        Ok(())
    }

    fn step(&mut self, event: Event) -> Verdict {
        match event {
            Event::Start { node, restores } => self.begin(node, restores),
            Event::Join { node } => self.join(node),
            Event::Tick { node, start } if self.nodes[node].start == start => {
                self.due(1_000, Event::Tick { node, start });
                self.handle(node, Input::Tick)
            }
            Event::Flush { node, start } if self.nodes[node].start == start => self.flush(node),
            Event::Confirm { node, start, batch } if self.nodes[node].start == start => {
                self.handle(node, Input::Persisted { batch })
            }
            Event::Tick { .. } | Event::Flush { .. } | Event::Confirm { .. } => Ok(()),
            Event::Net(delivery) => self.arrive(delivery),
            Event::NetTick => {
                self.due(500, Event::NetTick);
                let nodes = &self.nodes;
                let knows = |a: NodeIx, b: NodeIx| {
                    nodes[a].is_on()
                        && nodes[a].admitted.contains(&nodes[b].organisation().node_key)
                };
                let due = self.network.tick(self.now, |a, b| knows(a, b) && knows(b, a));
                self.deliver(due);
                Ok(())
            }
            Event::Second => self.second(),
            Event::Write => {
                let (org, ms) = self.workload.next(self.plan.orgs.len(), self.plan.write_every_ms);
                self.due(ms, Event::Write);
                let draft = self.workload.draft();
                self.write(org, draft)?;
                match self.twins.get(&org).copied() {
                    // Twins would follow each other's entries: at once, they contradict.
                    Some(twin) if self.fault_rng.chance(70) => {
                        let draft = self.workload.draft();
                        self.write(twin, draft)
                    }
                    _ => Ok(()),
                }
            }
            Event::Work => self.work(),
            Event::Strike(strike) => self.strike(strike),
        }
    }

    /// A node starts, perhaps over a backup.
    fn begin(&mut self, node: NodeIx, restores: Option<Standing>) -> Verdict {
        if self.nodes[node].is_on() {
            return Ok(());
        }
        if let Some(standing) = restores
            && self.nodes[node].disk.restore()
        {
            self.nodes[node].standing = standing;
            let honest = self.is_honest(node);
            self.counts.one(Group::Fault, if honest { "restore" } else { "careless restore" });
            if honest {
                let all = self.nodes.iter().enumerate();
                let honest = all.filter(|(other, _)| self.plan.is_honest(*other));
                let disks = honest.map(|(other, node)| (other, &node.disk)).collect();
                self.checkers.restored(node, &disks);
            }
        }
        self.start(node)
    }

    /// A node learns the cards of all and joins the board, unless it has.
    fn join(&mut self, node: NodeIx) -> Verdict {
        if !self.nodes[node].is_on() || !self.nodes[node].views().is_empty() {
            return Ok(());
        }
        let cards: Vec<_> =
            self.partnership.organisations.iter().map(|one| one.card.clone()).collect();
        for card in cards {
            self.handle(node, Input::Learn { card: Box::new(card) })?;
        }
        let founding = Box::new(self.partnership.founding.clone());
        self.handle(node, Input::Join { founding })
    }

    fn second(&mut self) -> Verdict {
        self.due(1_000, Event::Second);
        if self.now.0.is_multiple_of(AUDIT_MS) {
            self.audit()?;
            self.check_artefacts(false)?;
        }
        let views = self.honest_views();
        for (node, views) in &views {
            self.nodes[*node].note_restored(views);
            let disk = &self.nodes[*node].disk;
            self.checkers.second(Seen { node: *node, disk, views })?;
        }
        self.checkers.together(&self.seen(&views))
    }

    fn audit(&self) -> Verdict {
        let mut honest = (0..self.plan.orgs.len()).filter(|node| self.is_honest(*node));
        honest.try_for_each(|node| self.checkers.audit(node, &self.nodes[node].disk))
    }

    fn with_honest<T>(&self, look: impl FnOnce(&Self, &[Seen<'_>]) -> T) -> T {
        let views = self.honest_views();
        look(self, &self.seen(&views))
    }

    fn honest_views(&self) -> Vec<(NodeIx, Vec<BoardView>)> {
        let on =
            (0..self.nodes.len()).filter(|node| self.is_honest(*node) && self.nodes[*node].is_on());
        on.map(|node| (node, self.views(node))).collect()
    }

    fn seen<'a>(&'a self, views: &'a [(NodeIx, Vec<BoardView>)]) -> Vec<Seen<'a>> {
        let seen = |(node, views): &'a (NodeIx, Vec<BoardView>)| Seen {
            node: *node,
            disk: &self.nodes[*node].disk,
            views,
        };
        views.iter().map(seen).collect()
    }

    fn due(&mut self, in_ms: u64, event: Event) {
        self.counter += 1;
        self.queue.insert((self.now.plus_ms(in_ms), self.counter), event);
    }

    fn trace_line(&mut self, node: NodeIx, way: &str, what: &str) {
        self.trace.line(format!("{} node {node} {way} {what}", self.now));
    }

    fn key(&self, node: NodeIx) -> NodeKey {
        self.nodes[node].organisation().node_key
    }

    fn is_honest(&self, node: NodeIx) -> bool {
        self.plan.is_honest(node)
    }

    fn is_broken(&self, sabotage: Sabotage) -> bool {
        self.profile.sabotage == Some(sabotage)
    }
}

fn draw_nodes(
    seed: u64,
    plan: &Plan,
    partnership: &Partnership,
) -> (Vec<Node>, BTreeMap<NodeIx, NodeIx>) {
    let node = |org: usize, name: String| {
        Node::new(org, partnership.organisations[org].clone(), Rng::named(seed, &name))
    };
    let mut nodes: Vec<Node> =
        (0..plan.orgs.len()).map(|org| node(org, format!("node {org}"))).collect();
    let mut twins = BTreeMap::new();
    for (org, part) in plan.orgs.iter().enumerate() {
        if part.malice.contains(&Malice::Twins) {
            twins.insert(org, nodes.len());
            nodes.push(node(org, format!("twin {org}")));
        }
    }
    (nodes, twins)
}

fn draw_liars(seed: u64, plan: &Plan, nodes: &[Node], keys: &[NodeKey]) -> BTreeMap<NodeIx, Liar> {
    let byzantine = nodes.iter().enumerate().filter(|(_, node)| !plan.is_honest(node.org));
    byzantine
        .map(|(ix, node)| {
            let rng = Rng::named(seed, &format!("liar {ix}"));
            (ix, Liar::new(rng, plan.orgs[node.org].malice.clone(), keys))
        })
        .collect()
}

fn facts(plan: &Plan, partnership: &Partnership) -> Facts {
    let board = partnership.founding.board();
    let org = |(number, part): (usize, &plan::OrgPlan)| OrgFacts {
        feed: partnership.first_feed(number).feed_id(),
        card: partnership.organisations[number].card.clone(),
        is_honest: part.malice.is_empty(),
        has_seat: part.status.has_seat(),
        is_active: part.status == concordat_protocol::charter::Status::Active,
    };
    let orgs: Vec<OrgFacts> = plan.orgs.iter().enumerate().map(org).collect();
    let feeds = orgs.iter().enumerate().map(|(number, org)| (org.feed, number)).collect();
    Facts { board, orgs, feeds, stolen: BTreeSet::new() }
}
