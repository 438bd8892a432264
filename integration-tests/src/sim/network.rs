//! The network: TCP connections between nodes, and what can happen to them.
//!
//! ```text
//!            control lane ─▶─▶─▶─▶           in order within a lane, while the connection lives;
//!  node a ══ bulk lane    ─▶──▶───▶ ══ b     the lanes overtake each other
//! ```
//!
//! A connection is TCP, so a frame is never lost, doubled or reordered by itself. What the issue
//! calls loss, duplicates and reordering is modelled as what TCP really leaves possible:
//!
//! | name | here |
//! |---|---|
//! | loss | a cut takes everything under way; the two ends learn of it at different times |
//! | reordering | control overtakes bulk; a Byzantine peer swaps frames (`byzantine.rs`) |
//! | duplicates | a Byzantine peer sends frames twice, or from an earlier meeting (`byzantine.rs`) |
//! | partition, one-way cut | frames stall; they arrive when the way opens again, or are lost when the connection times out |
//!
//! *Invariants.* A frame of one connection never arrives in another. A node hears of a meeting's
//! end before it hears of the next one with the same peer. Knows nothing of what frames say.
//!
//! *Source*: ours.

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{hash::NodeKey, sync::Lane};

use super::{clock::SimTime, rng::Rng};

/// A node's place in the simulation.
pub type NodeIx = usize;

/// How long frames may stall before the connection is given up.
const STALL_MS: u64 = 15_000;
/// How long the other end may take to learn of a cut.
const NOTICE_MS: u64 = 12_000;

/// Something that the network does to nodes.
#[derive(Debug)]
pub enum Delivery {
    /// A connection is there.
    Up {
        /// Its number.
        conn: u64,
        /// The one end.
        a: NodeIx,
        /// The other end.
        b: NodeIx,
    },
    /// A frame arrives.
    Frame {
        /// On which connection.
        conn: u64,
        /// From whom.
        from: NodeIx,
        /// To whom.
        to: NodeIx,
        /// The bytes.
        frame: Vec<u8>,
    },
    /// An end learns that the connection is gone.
    Down {
        /// Which connection.
        conn: u64,
        /// Who learns it.
        node: NodeIx,
        /// Who was at the other end.
        peer: NodeIx,
    },
}

/// Deliveries with the time at which each is due.
pub type Due = Vec<(SimTime, Delivery)>;

#[derive(Debug)]
struct Conn {
    id: u64,
    /// When the last frame arrives, by direction and lane.
    last: [[SimTime; 2]; 2],
    held: [Vec<(Lane, Vec<u8>)>; 2],
    stalled_since: [Option<SimTime>; 2],
}

#[derive(Debug)]
struct Link {
    exists: bool,
    latency_ms: [u64; 2],
    jitter_ms: u64,
    bytes_per_ms: u64,
    blocks: [u32; 2],
    conn: Option<Conn>,
    next_dial: SimTime,
}

/// What a node believes to be connected.
#[derive(Debug, Clone, Copy)]
struct Meeting {
    conn: u64,
    with: NodeIx,
}

/// How often something happened in the network.
#[derive(Debug, Default, Clone, Copy)]
pub struct NetCounts {
    /// Frames lost with their connection.
    pub lost: u64,
    /// Frames that stalled.
    pub stalled: u64,
    /// Frames that overtook one of the other lane.
    pub overtook: u64,
    /// Connections given up because frames stalled.
    pub timed_out: u64,
}

/// All links and connections.
#[derive(Debug)]
pub struct Network {
    rng: Rng,
    keys: Vec<NodeKey>,
    links: BTreeMap<(NodeIx, NodeIx), Link>,
    meetings: BTreeMap<(NodeIx, NodeKey), Meeting>,
    lost: BTreeSet<u64>,
    next_conn: u64,
    /// What happened so far.
    pub counts: NetCounts,
}

impl Network {
    /// A network between nodes with these keys; `exists` tells which pairs can reach each other.
    #[must_use]
    pub fn new(mut rng: Rng, keys: Vec<NodeKey>, exists: impl Fn(NodeIx, NodeIx) -> bool) -> Self {
        let mut links = BTreeMap::new();
        for a in 0..keys.len() {
            for b in a + 1..keys.len() {
                let link = Link {
                    exists: exists(a, b) && keys[a] != keys[b],
                    latency_ms: [rng.between(1, 120), rng.between(1, 120)],
                    jitter_ms: rng.between(0, 60),
                    bytes_per_ms: rng.between(100, 5_000),
                    blocks: [0, 0],
                    conn: None,
                    next_dial: SimTime(rng.below(3_000)),
                };
                links.insert((a, b), link);
            }
        }
        Self {
            rng,
            keys,
            links,
            meetings: BTreeMap::new(),
            lost: BTreeSet::new(),
            next_conn: 1,
            counts: NetCounts::default(),
        }
    }

    /// Moves stalled frames, gives up connections that stalled too long, and dials.
    pub fn tick(&mut self, now: SimTime, may_meet: impl Fn(NodeIx, NodeIx) -> bool) -> Due {
        let mut due = Due::new();
        let pairs: Vec<_> = self.links.keys().copied().collect();
        for (a, b) in pairs {
            if self.is_given_up(a, b, now) {
                self.counts.timed_out += 1;
                due.extend(self.cut(now, a, b));
            }
            due.extend(self.release(now, a, b));
            if may_meet(a, b) {
                due.extend(self.dial(now, a, b));
            }
        }
        due
    }

    fn is_given_up(&self, a: NodeIx, b: NodeIx, now: SimTime) -> bool {
        let conn = self.links.get(&(a, b)).and_then(|link| link.conn.as_ref());
        let stalled = conn.into_iter().flat_map(|conn| conn.stalled_since);
        stalled.flatten().any(|since| since.plus_ms(STALL_MS) <= now)
    }

    /// Sends what stalled in directions that are open again.
    fn release(&mut self, now: SimTime, a: NodeIx, b: NodeIx) -> Due {
        let mut due = Due::new();
        for (side, from, to) in [(0, a, b), (1, b, a)] {
            let Some(link) = self.links.get_mut(&(a, b)).filter(|link| link.blocks[side] == 0)
            else {
                continue;
            };
            let Some(conn) = &mut link.conn else { continue };
            conn.stalled_since[side] = None;
            for (lane, frame) in std::mem::take(&mut conn.held[side]) {
                due.extend(self.transmit(now, (from, to), lane, frame));
            }
        }
        due
    }

    fn dial(&mut self, now: SimTime, a: NodeIx, b: NodeIx) -> Option<(SimTime, Delivery)> {
        let free = self.is_free(a, b) && self.is_free(b, a);
        let link = self.links.get_mut(&(a, b))?;
        let reachable = link.exists && link.blocks == [0, 0];
        if !reachable || !free || link.conn.is_some() || now < link.next_dial {
            return None;
        }
        if self.rng.chance(10) {
            link.next_dial = now.plus_ms(self.rng.between(500, 8_000));
            return None;
        }
        let conn = self.next_conn;
        self.next_conn += 1;
        link.conn = Some(Conn {
            id: conn,
            last: [[now; 2]; 2],
            held: [Vec::new(), Vec::new()],
            stalled_since: [None, None],
        });
        Some((now.plus_ms(link.latency_ms[0]), Delivery::Up { conn, a, b }))
    }

    /// Whether `node` has no living meeting with anyone who uses `peer`'s key.
    fn is_free(&self, node: NodeIx, peer: NodeIx) -> bool {
        let meeting = self.meetings.get(&(node, self.keys[peer]));
        meeting.is_none_or(|meeting| !self.is_alive(node, meeting.with, meeting.conn))
    }

    fn is_alive(&self, a: NodeIx, b: NodeIx, conn: u64) -> bool {
        let link = self.links.get(&(a.min(b), a.max(b)));
        link.and_then(|link| link.conn.as_ref()).is_some_and(|living| living.id == conn)
    }

    /// Makes both ends believe in a connection, if it still lives. Gives for each end whether it
    /// must first hear of an older meeting's end.
    pub fn bring_up(&mut self, conn: u64, a: NodeIx, b: NodeIx) -> Option<[bool; 2]> {
        if !self.is_alive(a, b, conn) {
            return None;
        }
        let mut replace = |node: NodeIx, with: NodeIx| {
            let key = (node, self.keys[with]);
            self.meetings.insert(key, Meeting { conn, with }).is_some()
        };
        Some([replace(a, b), replace(b, a)])
    }

    /// Sends a frame to whoever `from` knows under `peer`.
    pub fn send(
        &mut self,
        now: SimTime,
        from: NodeIx,
        peer: &NodeKey,
        frame: (Lane, Vec<u8>),
    ) -> Due {
        let meeting = self.meetings.get(&(from, *peer)).copied();
        let living = meeting.filter(|met| self.is_alive(from, met.with, met.conn));
        let Some(to) = living.map(|met| met.with) else {
            self.counts.lost += 1;
            return Due::new();
        };
        let side = usize::from(from > to);
        let Some(link) = self.links.get_mut(&(from.min(to), from.max(to))) else {
            return Due::new();
        };
        let blocked = link.blocks[side] > 0;
        if let Some(conn) = link.conn.as_mut().filter(|conn| blocked || !conn.held[side].is_empty())
        {
            self.counts.stalled += 1;
            conn.stalled_since[side].get_or_insert(now);
            conn.held[side].push(frame);
            return Due::new();
        }
        self.transmit(now, (from, to), frame.0, frame.1).into_iter().collect()
    }

    fn transmit(
        &mut self,
        now: SimTime,
        (from, to): (NodeIx, NodeIx),
        lane: Lane,
        frame: Vec<u8>,
    ) -> Option<(SimTime, Delivery)> {
        let side = usize::from(from > to);
        let link = self.links.get_mut(&(from.min(to), from.max(to)))?;
        let conn = link.conn.as_mut()?;
        let (own, other) = match lane {
            Lane::Control => (0, 1),
            Lane::Bulk => (1, 0),
        };
        let transfer_ms = frame.len() as u64 / link.bytes_per_ms;
        let way_ms = link.latency_ms[side] + self.rng.below(link.jitter_ms + 1) + transfer_ms;
        let at = now.plus_ms(way_ms).max(conn.last[side][own].plus_ms(transfer_ms));
        conn.last[side][own] = at;
        if at < conn.last[side][other] {
            self.counts.overtook += 1;
        }
        let conn = conn.id;
        Some((at, Delivery::Frame { conn, from, to, frame }))
    }

    /// Whether a frame still arrives; one that does not is lost with its connection.
    pub fn arrives(&mut self, conn: u64, from: NodeIx, to: NodeIx) -> bool {
        let meeting = self.meetings.get(&(to, self.keys[from]));
        let arrives = meeting.is_some_and(|met| met.conn == conn) && !self.lost.contains(&conn);
        self.counts.lost += u64::from(!arrives);
        arrives
    }

    /// An end learns that a connection is gone. False when it knows already.
    pub fn take_down(&mut self, conn: u64, node: NodeIx, peer: NodeIx) -> bool {
        let key = (node, self.keys[peer]);
        let known = self.meetings.get(&key).is_some_and(|meeting| meeting.conn == conn);
        if known {
            self.meetings.remove(&key);
        }
        known
    }

    /// Number of the connection on which `node` meets `peer`.
    #[must_use]
    pub fn conn_of(&self, node: NodeIx, peer: &NodeKey) -> Option<(u64, NodeIx)> {
        let meeting = self.meetings.get(&(node, *peer))?;
        Some((meeting.conn, meeting.with))
    }

    /// Ends a connection from one end: what is under way from there still arrives.
    pub fn close(&mut self, now: SimTime, node: NodeIx, peer: &NodeKey) -> Due {
        let Some(met) = self.meetings.get(&(node, *peer)).copied() else {
            return Due::new();
        };
        let mut due = Due::from([(now, Delivery::Down { conn: met.conn, node, peer: met.with })]);
        if self.is_alive(node, met.with, met.conn) {
            let link = self.links.get_mut(&(node.min(met.with), node.max(met.with)));
            let side = usize::from(node > met.with);
            if let Some((link, conn)) = link.and_then(|link| link.conn.take().map(|c| (link, c))) {
                link.next_dial = now.plus_ms(self.rng.between(4_000, 20_000));
                let [control, bulk] = conn.last[side];
                let at = control.max(bulk).max(now).plus_ms(1);
                due.push((at, Delivery::Down { conn: met.conn, node: met.with, peer: node }));
            }
        }
        due
    }

    /// Cuts a connection: everything under way is lost, and one end learns of it later.
    pub fn cut(&mut self, now: SimTime, a: NodeIx, b: NodeIx) -> Due {
        let Some(link) = self.links.get_mut(&(a.min(b), a.max(b))) else {
            return Due::new();
        };
        let Some(conn) = link.conn.take() else {
            return Due::new();
        };
        link.next_dial = now.plus_ms(self.rng.between(300, 3_000));
        self.counts.lost += conn.held.iter().map(|held| held.len() as u64).sum::<u64>();
        self.lost.insert(conn.id);
        let (first, second) = if self.rng.chance(50) { (a, b) } else { (b, a) };
        let later = now.plus_ms(self.rng.below(NOTICE_MS));
        let down = |node, peer| Delivery::Down { conn: conn.id, node, peer };
        vec![(now, down(first, second)), (later, down(second, first))]
    }

    /// A node is gone without a word: its connections are cut, and it forgets them.
    pub fn drop_node(&mut self, now: SimTime, node: NodeIx) -> Due {
        let pairs: Vec<_> = self.links.keys().copied().collect();
        let mut due = Due::new();
        for (a, b) in pairs.into_iter().filter(|(a, b)| *a == node || *b == node) {
            due.extend(self.cut(now, a, b));
        }
        self.meetings.retain(|(holder, _), _| *holder != node);
        due
    }

    /// Stops frames from one node to another; counted, so that several reasons can hold at once.
    pub fn block(&mut self, from: NodeIx, to: NodeIx) {
        if let Some(link) = self.links.get_mut(&(from.min(to), from.max(to))) {
            link.blocks[usize::from(from > to)] += 1;
        }
    }

    /// Takes back one [`Network::block`].
    pub fn unblock(&mut self, from: NodeIx, to: NodeIx) {
        if let Some(link) = self.links.get_mut(&(from.min(to), from.max(to))) {
            let blocks = &mut link.blocks[usize::from(from > to)];
            *blocks = blocks.saturating_sub(1);
        }
    }

    /// Multiplies how long the way takes, both ways.
    pub fn slow_down(&mut self, a: NodeIx, b: NodeIx, factor: u64) {
        if let Some(link) = self.links.get_mut(&(a.min(b), a.max(b))) {
            link.latency_ms = link.latency_ms.map(|ms| (ms * factor).min(10_000));
        }
    }

    /// Takes all faults away: nothing is blocked, no way is slow.
    pub fn heal(&mut self) {
        for link in self.links.values_mut() {
            link.blocks = [0, 0];
            link.latency_ms = link.latency_ms.map(|ms| ms.min(150));
        }
    }

    /// A node has another key from now on. Gives who still believes in a meeting with the old one; they do
    /// no longer.
    pub fn change_key(&mut self, node: NodeIx, key: NodeKey) -> Vec<NodeIx> {
        let old = self.keys[node];
        self.keys[node] = key;
        let met = self.meetings.iter().filter(|((_, peer), met)| *peer == old && met.with == node);
        let holders: Vec<NodeIx> = met.map(|((holder, _), _)| *holder).collect();
        self.meetings.retain(|(_, peer), met| *peer != old || met.with != node);
        holders
    }

    /// Gives or takes the way between two nodes.
    pub fn set_link(&mut self, a: NodeIx, b: NodeIx, exists: bool) {
        if let Some(link) = self.links.get_mut(&(a.min(b), a.max(b))) {
            link.exists = exists && self.keys[a] != self.keys[b];
        }
    }

    /// Whether there is a way between two nodes, apart from faults.
    #[must_use]
    pub fn has_link(&self, a: NodeIx, b: NodeIx) -> bool {
        self.links.get(&(a.min(b), a.max(b))).is_some_and(|link| link.exists)
    }
}
