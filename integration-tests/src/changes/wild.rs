//! Whole histories of changes that pass the verdict and that no editor would write.
//!
//! Any earlier changes as dependencies, predecessors long overwritten, marks anywhere, writes into
//! deleted objects, keys and values at their extremes, two root keys only, so that all collide.
//!
//! *Source*: ours.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{Automerge, Change};
use concordat_protocol::verdict::{History, Rule};

use super::{
    FEED, change,
    change::{Id, Key, Op, action, hash_of, signed},
    harm::{self, Content, Harm},
    skeleton, take,
};
use crate::sim::rng::Rng;

/// What became of wild histories.
#[derive(Debug, Default)]
pub struct Account {
    /// How many there were.
    pub histories: u64,
    /// Changes in them.
    pub changes: u64,
    /// Changes that did not pass, by code: the maker tries what is near the rules.
    pub refused: BTreeMap<&'static str, u64>,
    /// What went wrong, with the first history in which it did. Should be empty.
    pub harms: BTreeMap<Harm, (u64, u64)>,
}

/// An operation made so far.
#[derive(Debug, Clone)]
struct Made {
    id: Id,
    op: Op,
    change: usize,
}

impl Made {
    /// Whether it can be a predecessor.
    const fn is_value(&self) -> bool {
        !matches!(self.op.action, action::DELETE | action::INCREMENT | action::MARK)
    }

    /// The key under which later operations replace it.
    fn register(&self) -> Key {
        if self.op.insert { Key::Element(self.id.clone()) } else { self.op.key.clone() }
    }

    const fn is_counter(&self) -> bool {
        self.op.action == action::PUT && self.op.value.0 == 8
    }
}

/// A change made so far.
#[derive(Debug)]
struct Written {
    raw: Vec<u8>,
    actor: Vec<u8>,
    seq: u64,
    max_op: u64,
    /// Itself and what it reaches, by place.
    closure: BTreeSet<usize>,
}

/// A history in the making.
struct Wild {
    rng: Rng,
    written: Vec<Written>,
    made: Vec<Made>,
}

const EXTREMES: [i64; 3] = [1, 1 << 31, -(1 << 31)];

impl Wild {
    fn new(seed: u64) -> Self {
        let raw = skeleton();
        let actor = vec![0; 32];
        let ops = [("title", action::TEXT), ("items", action::LIST), ("parts", action::MAP)];
        let made = (1..).zip(ops).map(|(counter, (key, action))| Made {
            id: Id { counter, actor: actor.clone() },
            op: Op::on_key(key, action),
            change: 0,
        });
        let made = made.collect();
        let closure = BTreeSet::from([0]);
        let written = vec![Written { raw, actor, seq: 1, max_op: 3, closure }];
        Self { rng: Rng::named(seed, "wild"), written, made }
    }

    /// Writes one change.
    fn change(&mut self) -> (change::Change, Vec<Made>, BTreeSet<usize>) {
        let count = self.written.len();
        let near = count.saturating_sub(8);
        let on: BTreeSet<usize> =
            (0..self.rng.between(1, 3)).map(|_| near + self.rng.place(count - near)).collect();
        let closure: BTreeSet<usize> =
            on.iter().flat_map(|at| self.written[*at].closure.clone()).collect();
        let (actor, seq) = self.actor(&closure);
        let start_op = 1 + closure.iter().map(|at| self.written[*at].max_op).max().unwrap_or(0);
        let mut own: Vec<Made> = Vec::new();
        let want = self.rng.place(9);
        // An object may have nothing to update: then another is tried.
        for _ in 0..40 {
            if own.len() >= want {
                break;
            }
            for op in self.operations(&closure, &own, start_op, &actor) {
                let counter = start_op + own.len() as u64;
                own.push(Made { id: Id { counter, actor: actor.clone() }, op, change: count });
            }
        }
        let mut dependencies: Vec<[u8; 32]> =
            on.iter().map(|at| hash_of(&self.written[*at].raw)).collect();
        dependencies.sort();
        let change = change::Change {
            dependencies,
            actor,
            seq,
            start_op,
            time: 0,
            message: Vec::new(),
            operations: own.iter().map(|made| made.op.clone()).collect(),
            extra: Vec::new(),
        };
        (change, own, closure)
    }

    /// An actor whose last change lies in the closure, or a fresh one.
    fn actor(&mut self, closure: &BTreeSet<usize>) -> (Vec<u8>, u64) {
        let mut last: BTreeMap<&[u8], u64> = BTreeMap::new();
        for written in self.written.iter().skip(1) {
            last.insert(&written.actor, written.seq);
        }
        let is_last = |written: &&Written| last.get(written.actor.as_slice()) == Some(&written.seq);
        let all: Vec<&Written> = closure
            .iter()
            .filter(|at| **at > 0)
            .map(|at| &self.written[*at])
            .filter(is_last)
            .collect();
        let known = self.rng.pick(&all).map(|written| (written.actor.clone(), written.seq + 1));
        match known {
            Some(known) if self.rng.chance(50) => known,
            _ => ([&FEED.0[..], &self.rng.bytes(16)].concat(), 1),
        }
    }

    /// One operation, or the two of a mark, or none.
    fn operations(
        &mut self,
        closure: &BTreeSet<usize>,
        own: &[Made],
        start_op: u64,
        actor: &[u8],
    ) -> Vec<Op> {
        let known = self.made.iter().filter(|made| closure.contains(&made.change));
        let known: Vec<Made> = known.chain(own).cloned().collect();
        let mut objects: Vec<(Option<Id>, u64)> = vec![(None, action::MAP)];
        let is_object =
            |made: &&Made| matches!(made.op.action, action::MAP | action::LIST | action::TEXT);
        objects.extend(
            known.iter().filter(is_object).map(|made| (Some(made.id.clone()), made.op.action)),
        );
        let (object, kind) = objects[self.rng.place(objects.len())].clone();
        let inside: Vec<Made> = known.into_iter().filter(|made| made.op.object == object).collect();
        let next = Id { counter: start_op + own.len() as u64, actor: actor.to_vec() };
        match self.rng.below(10) {
            0..4 => vec![self.put(object, kind, &inside)],
            4..8 => self.update(object, kind, &inside).into_iter().collect(),
            _ => object
                .filter(|_| kind == action::TEXT)
                .map(|text| self.mark(&text, &inside, next))
                .unwrap_or_default(),
        }
    }

    fn put(&mut self, object: Option<Id>, kind: u64, inside: &[Made]) -> Op {
        let is_map = kind == action::MAP;
        let key = if is_map {
            Key::Map(["a", "b", ""][self.rng.place(3)].to_string())
        } else {
            self.element(inside).map_or(Key::Head, Key::Element)
        };
        let earlier = inside.iter().filter(|made| is_map && made.is_value() && made.op.key == key);
        let predecessors = earlier.filter(|_| self.rng.chance(40)).map(|made| made.id.clone());
        let predecessors = ascending(predecessors.collect());
        Op { object, key, insert: !is_map, predecessors, ..self.value(kind) }
    }

    /// Updates, deletes or increments with any of a register's operations, stale ones too.
    fn update(&mut self, object: Option<Id>, kind: u64, inside: &[Made]) -> Option<Op> {
        let values: Vec<&Made> = inside.iter().filter(|made| made.is_value()).collect();
        let one = (*self.rng.pick(&values)?).clone();
        let key = one.register();
        let all = values.into_iter().filter(|made| made.register() == key);
        let mut chosen: Vec<&Made> =
            all.filter(|made| made.id == one.id || self.rng.chance(60)).collect();
        let counts = chosen.iter().any(|made| made.is_counter());
        let op = match self.rng.below(4) {
            0 => self.value(kind),
            3 if counts => {
                let by = EXTREMES[self.rng.place(3)];
                Op { value: (4, signed(by)), ..Op::on_key("", action::INCREMENT) }
            }
            _ => Op::on_key("", action::DELETE),
        };
        let predecessors = ascending(chosen.drain(..).map(|made| made.id.clone()).collect());
        Some(Op { object, key, insert: false, predecessors, ..op })
    }

    fn mark(&mut self, text: &Id, inside: &[Made], begin: Id) -> Vec<Op> {
        let (from, to) = (self.element(inside), self.element(inside));
        let to = if self.rng.chance(25) { Some(begin) } else { to };
        let name = ["m", "n", ""][self.rng.place(3)].to_string();
        let value = if self.rng.chance(50) { 2 } else { 0 };
        let (first, last) = (self.rng.chance(50), self.rng.chance(50));
        vec![
            Op {
                name: Some(name),
                value: (value, Vec::new()),
                expand: first,
                ..Op::mark_begin(text.clone(), from)
            },
            Op { expand: last, ..Op::mark_end(text.clone(), to) },
        ]
    }

    fn element(&mut self, inside: &[Made]) -> Option<Id> {
        let all: Vec<&Made> = inside.iter().filter(|made| made.op.insert).collect();
        if self.rng.chance(20) {
            return None;
        }
        self.rng.pick(&all).map(|made| made.id.clone())
    }

    fn value(&mut self, kind: u64) -> Op {
        let put = |value| Op { value, ..Op::on_key("", action::PUT) };
        if kind == action::TEXT {
            let text = ["x", "", "zz", "\u{fffc}"][self.rng.place(4)];
            return if self.rng.chance(10) {
                Op::on_key("", action::MAP)
            } else {
                put((6, text.as_bytes().to_vec()))
            };
        }
        match self.rng.below(8) {
            0 => Op::on_key("", action::MAP),
            1 => Op::on_key("", action::LIST),
            2 => Op::on_key("", action::TEXT),
            3 | 4 => put((8, signed(EXTREMES[self.rng.place(3)]))),
            5 => put((0, Vec::new())),
            6 => put((5, f64::NAN.to_le_bytes().to_vec())),
            _ => put((6, b"s".to_vec())),
        }
    }
}

fn ascending(mut ids: Vec<Id>) -> Vec<Id> {
    ids.sort_by(|one, other| (one.counter, &one.actor).cmp(&(other.counter, &other.actor)));
    ids
}

/// Writes a history of changes that pass; the skeleton is its first.
///
/// # Errors
/// The rule that the skeleton breaks.
pub fn write(seed: u64, account: &mut Account) -> Result<Vec<Vec<u8>>, Rule> {
    let mut wild = Wild::new(seed);
    let mut history = History::new(&skeleton())?;
    for _ in 0..wild.rng.between(5, 30) {
        let (change, own, mut closure) = wild.change();
        let raw = change.to_bytes();
        match take(&mut history, &raw) {
            Ok(()) => {
                account.changes += 1;
                closure.insert(wild.written.len());
                let max_op = change.start_op + own.len() as u64 - 1;
                let (actor, seq) = (change.actor, change.seq);
                wild.written.push(Written { raw, actor, seq, max_op, closure });
                wild.made.extend(own);
            }
            Err(rule) => {
                let code = rule.map_or("(waiting)", Rule::code);
                *account.refused.entry(code).or_default() += 1;
            }
        }
    }
    Ok(wild.written.into_iter().map(|written| written.raw).collect())
}

/// Gives a history to Automerge one by one, in another order, and in one batch.
///
/// # Errors
/// The harm done.
pub fn give(raw: &[Vec<u8>], rng: &mut Rng) -> Result<Content, Harm> {
    let changes: Vec<Change> = raw.iter().map(|raw| harm::parse(raw)).collect::<Result<_, _>>()?;
    let empty = Automerge::new();
    let mut left: Vec<Change> = changes.clone();
    rng.shuffle(&mut left);
    let mut shuffled: Vec<Change> = Vec::new();
    let mut there = BTreeSet::new();
    while let Some(at) =
        left.iter().position(|change| change.deps().iter().all(|on| there.contains(on)))
    {
        let change = left.swap_remove(at);
        there.insert(change.hash());
        shuffled.push(change);
    }
    let singly = |changes: &[Change]| harm::endure(&empty, &changes.chunks(1).collect::<Vec<_>>());
    let one = singly(&changes)?;
    if one != singly(&shuffled)? || one != harm::endure(&empty, &[&changes])? {
        return Err(Harm::DependsOnOrder);
    }
    Ok(one)
}

/// Writes so many histories and gives each to Automerge.
///
/// # Errors
/// The rule that the skeleton breaks.
pub fn run(first_seed: u64, histories: u64) -> Result<Account, Rule> {
    let mut account = Account::default();
    for seed in first_seed..first_seed + histories {
        account.histories += 1;
        let raw = write(seed, &mut account)?;
        if let Err(harm) = give(&raw, &mut Rng::named(seed, "orders")) {
            account.harms.entry(harm).or_insert((0, seed)).0 += 1;
        }
    }
    Ok(account)
}
