//! What a seed stands for: who takes part, how long, and which faults are on.
//!
//! Each fault is on in about half of the seeds (swarm testing): a run with few faults goes deep
//! where a run with all of them would never get.
//!
//! *Invariants.* A plan depends on seed and profile alone. At most a quarter of the organisations
//! are Byzantine. At most one honest node is put back to a backup in one run: a second one
//! could forget what only the first still knew, which no protocol repairs.
//!
//! *Source*: ours.

use std::collections::BTreeSet;

use concordat_protocol::charter::Status;

use super::{artefacts::Broken, rng::Rng};

/// How a run is bounded, and what is broken in it on purpose.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// Fewest and most organisations.
    pub organisations: (u64, u64),
    /// Shortest and longest safety phase, in virtual seconds.
    pub safety_s: (u64, u64),
    /// How long after healing the honest nodes may take to agree, in virtual seconds.
    pub liveness_s: u64,
    /// What is broken on purpose, to prove that a checker can fail.
    pub sabotage: Option<Sabotage>,
    /// Faults and Byzantine organisations only as the sabotage needs them.
    pub calm: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            organisations: (3, 12),
            safety_s: (90, 240),
            liveness_s: 1_200,
            sabotage: None,
            calm: false,
        }
    }
}

/// A node or shell broken on purpose. Each is counted honest, so a checker must find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// Node 0's shell says that batches are durable before they are.
    ConfirmBeforeFlush,
    /// Node 0's shell changes a byte of a stored header.
    RewriteHeader,
    /// Node 0 is restored from a backup and signs at once.
    CarelessRestore,
    /// Node 0's store gains an entry of another organisation that nobody signed.
    ForgeEntry,
    /// Node 0's view counts no acknowledgements.
    IgnoreAcks,
    /// Node 0's view forgets half of what was settled.
    ForgetSettlement,
    /// Every shell throws away what would lead to a fork's evidence.
    HideForks,
    /// Every node's view counts what stands beyond an end, and in feeds that do not stand.
    IgnoreEnds,
    /// Node 0's shell stores no card but the first of each organisation.
    KeepFirstCards,
    /// No run ever reaches node 0.
    StarveNode,
    /// Node 0's shell doubles every frame it sends.
    Babble,
    /// Node 0's witness key signs something else than it is given.
    SignElse,
    /// Node 0's key does not sign but panics.
    Panic,
    /// Node 0 gets artefacts wrong.
    Artefacts(Broken),
}

/// A fault that a seed switches on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A connection is cut, with all that is under way.
    Cut,
    /// The nodes fall into two groups that cannot reach each other.
    Partition,
    /// Frames from one node to another stall.
    OneWayCut,
    /// A way becomes slow.
    Slow,
    /// A node stops without a word and starts again.
    Crash,
    /// An honest node is restored from a backup, and knows it.
    Restore,
    /// A disk is slow, and batches are confirmed in groups.
    SlowDisk,
    /// Clocks are wrong from the start.
    Skew,
    /// A clock jumps.
    Jump,
    /// Staff write many entries at once.
    Burst,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 10] = [
        Self::Cut,
        Self::Partition,
        Self::OneWayCut,
        Self::Slow,
        Self::Crash,
        Self::Restore,
        Self::SlowDisk,
        Self::Skew,
        Self::Jump,
        Self::Burst,
    ];

    /// The name under which the fault is counted.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Partition => "partition",
            Self::OneWayCut => "one-way cut",
            Self::Slow => "slow link",
            Self::Crash => "crash",
            Self::Restore => "restore",
            Self::SlowDisk => "slow disk",
            Self::Skew => "clock skew",
            Self::Jump => "clock jump",
            Self::Burst => "burst",
        }
    }
}

/// What a Byzantine organisation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Malice {
    /// Two nodes sign with its keys and talk to different halves.
    Twins,
    /// It is restored from a backup and signs at once.
    Careless,
    /// It keeps runs and payloads from some peers.
    Withhold,
    /// It sends frames twice, swapped, or from earlier meetings.
    Replay,
    /// It sends what no node would.
    Garbage,
    /// It lies about what it holds.
    Lie,
    /// It acknowledges entries that do not exist.
    FalseAck,
}

impl Malice {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Twins,
        Self::Careless,
        Self::Withhold,
        Self::Replay,
        Self::Garbage,
        Self::Lie,
        Self::FalseAck,
    ];
}

/// Whose keys change, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeysPlan {
    /// Honest organisations that rotate their key, once for each time they stand here.
    pub rotations: Vec<usize>,
    /// An honest organisation whose key is stolen, and the Byzantine one whose node speaks for the
    /// thief.
    pub theft: Option<(usize, usize)>,
    /// An honest organisation that rotates, is put back to a backup taken before, and rotates again.
    pub careless: Option<usize>,
    /// Honest organisations whose node moves to another address, once for each time they stand here.
    pub moves: Vec<usize>,
    /// An honest organisation whose node gets another node key. At most one in a run: people hand its card
    /// to one partner alone, and two that do not know each other's nodes may have nobody between them.
    pub new_node: Option<usize>,
}

/// How organisations reach each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    /// Everybody reaches everybody.
    Full,
    /// Honest nodes form a ring, in the order of their numbers.
    Ring,
    /// Everybody reaches the first two.
    Hubs,
}

/// One organisation's part.
#[derive(Debug, Clone)]
pub struct OrgPlan {
    /// Its status in the charter.
    pub status: Status,
    /// What it does; nothing for an honest one.
    pub malice: BTreeSet<Malice>,
}

/// What a seed stands for.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The organisations.
    pub orgs: Vec<OrgPlan>,
    /// The faults that are on.
    pub faults: BTreeSet<Fault>,
    /// Whose keys change.
    pub keys: KeysPlan,
    /// Who reaches whom.
    pub topology: Topology,
    /// Length of the safety phase in milliseconds.
    pub safety_ms: u64,
    /// Milliseconds between entries, over all staff.
    pub write_every_ms: u64,
}

impl Plan {
    /// Draws the plan of a seed.
    #[must_use]
    pub fn draw(seed: u64, profile: &Profile) -> Self {
        let mut rng = Rng::named(seed, "plan");
        let (fewest, most) = profile.organisations;
        let count = rng.between(fewest, most);
        let mut faults: BTreeSet<Fault> =
            Fault::ALL.into_iter().filter(|_| rng.chance(50)).collect();
        let mut orgs: Vec<OrgPlan> = (0..count).map(|_| draw_honest(&mut rng)).collect();
        // The first is active and honest in every run: somebody has to write.
        if let Some(first) = orgs.first_mut() {
            first.status = Status::Active;
        }
        let byzantine = if rng.chance(75) { rng.between(count.min(4) / 4, count / 4) } else { 0 };
        for _ in 0..byzantine {
            let at = 1 + rng.place(orgs.len().saturating_sub(1));
            if let Some(org) = orgs.get_mut(at) {
                *org = draw_byzantine(&mut rng);
            }
        }
        let mut topology = match rng.below(4) {
            0 => Topology::Ring,
            1 => Topology::Hubs,
            _ => Topology::Full,
        };
        if profile.calm {
            faults.clear();
            topology = Topology::Full;
            let keep = profile.sabotage == Some(Sabotage::HideForks);
            for (at, org) in orgs.iter_mut().enumerate() {
                org.status = Status::Active;
                org.malice.clear();
                if keep && at == 1 {
                    org.malice.insert(Malice::Twins);
                }
                // Somebody whose node speaks for a thief; what it does by itself harms nobody.
                if profile.sabotage == Some(Sabotage::IgnoreEnds) && at == 1 {
                    org.malice.insert(Malice::Withhold);
                }
            }
        }
        let keys = draw_keys(seed, profile, &orgs);
        // A restored node has to hear from a majority, so everybody has to be in reach.
        if faults.contains(&Fault::Restore) || keys.careless.is_some() {
            topology = Topology::Full;
        }
        let safety_ms = 1_000 * rng.between(profile.safety_s.0, profile.safety_s.1);
        Self { orgs, faults, keys, topology, safety_ms, write_every_ms: rng.between(1_500, 12_000) }
    }

    /// Whether the organisation at this place is honest.
    #[must_use]
    pub fn is_honest(&self, org: usize) -> bool {
        self.orgs.get(org).is_some_and(|plan| plan.malice.is_empty())
    }

    /// Whether two nodes can reach each other. Honest nodes always form a connected whole among themselves.
    #[must_use]
    pub fn links(&self, a: usize, b: usize) -> bool {
        let count = self.orgs.len();
        if a >= count || b >= count {
            return false;
        }
        let honest: Vec<usize> = (0..count).filter(|org| self.is_honest(*org)).collect();
        let place = |node| honest.iter().position(|one| *one == node);
        let (Some(a), Some(b)) = (place(a), place(b)) else { return true };
        match self.topology {
            Topology::Full => true,
            Topology::Hubs => a.min(b) < 2,
            Topology::Ring => (a + 1) % honest.len() == b || (b + 1) % honest.len() == a,
        }
    }
}

fn draw_honest(rng: &mut Rng) -> OrgPlan {
    let status = if rng.chance(15) { Status::Observer } else { Status::Active };
    OrgPlan { status, malice: BTreeSet::new() }
}

/// Draws from a stream of its own: who takes part does not depend on it.
fn draw_keys(seed: u64, profile: &Profile, orgs: &[OrgPlan]) -> KeysPlan {
    let mut rng = Rng::named(seed, "whose keys change");
    let of = |is_honest: bool| {
        let all = orgs.iter().enumerate();
        let these = all.filter(move |(_, org)| org.malice.is_empty() == is_honest);
        these.map(|(at, _)| at).collect::<Vec<_>>()
    };
    let mut honest = of(true);
    rng.shuffle(&mut honest);
    let thief = rng.pick(&of(false)).copied();
    if profile.calm {
        let victim = honest.iter().copied().find(|org| *org > 0);
        let steals = profile.sabotage == Some(Sabotage::IgnoreEnds);
        let moves = profile.sabotage == Some(Sabotage::KeepFirstCards);
        let new_node = victim.filter(|_| moves);
        let theft = victim.zip(thief).filter(|_| steals);
        return KeysPlan { theft, new_node, ..KeysPlan::default() };
    }
    let active = |org: &usize| orgs.get(*org).is_some_and(|org| org.status == Status::Active);
    let mut take = |due: bool| {
        let at = honest.iter().position(active).filter(|_| due)?;
        Some(honest.swap_remove(at))
    };
    let theft = take(thief.is_some() && rng.chance(60)).zip(thief);
    let careless = take(rng.chance(25));
    let many = if rng.chance(50) { rng.between(1, 4) } else { 0 };
    let rotations = (0..many).filter_map(|_| rng.pick(&honest).copied()).collect();
    // From a stream of its own: who rotates does not depend on who moves.
    let mut rng = Rng::named(seed, "whose nodes move");
    let honest = of(true);
    let many = if rng.chance(50) { rng.between(1, 3) } else { 0 };
    let moves = (0..many).filter_map(|_| rng.pick(&honest).copied()).collect();
    let new_node = rng.pick(&honest).copied().filter(|_| rng.chance(40));
    KeysPlan { rotations, theft, careless, moves, new_node }
}

fn draw_byzantine(rng: &mut Rng) -> OrgPlan {
    let mut malice: BTreeSet<Malice> = Malice::ALL.into_iter().filter(|_| rng.chance(35)).collect();
    if malice.is_empty() {
        malice.extend(rng.pick(&Malice::ALL));
    }
    OrgPlan { status: Status::Active, malice }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_a_quarter_is_byzantine_and_every_fault_and_malice_is_drawn() {
        let mut faults = BTreeSet::new();
        let mut malices = BTreeSet::new();
        for seed in 0..200 {
            let plan = Plan::draw(seed, &Profile::default());
            let byzantine = (0..plan.orgs.len()).filter(|org| !plan.is_honest(*org)).count();
            assert!(byzantine * 4 <= plan.orgs.len(), "seed {seed}");
            assert!((3..=12).contains(&plan.orgs.len()), "seed {seed}");
            faults.extend(plan.faults);
            malices.extend(plan.orgs.into_iter().flat_map(|org| org.malice));
        }
        assert_eq!(faults, BTreeSet::from(Fault::ALL));
        assert_eq!(malices, BTreeSet::from(Malice::ALL));
    }
}
