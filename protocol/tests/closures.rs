//! Closures of long histories, beside a model that walks all the way back: branches, merges, actors
//! that go on, come back and fork.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made should end the test")]

#[path = "support/change.rs"]
#[allow(unreachable_pub, dead_code, reason = "also part of the simulator, which is a library")]
mod change;

use std::collections::BTreeSet;

use change::{Change, Id, Op, hash_of};
use concordat_protocol::verdict::{ActorPrefix, History, Judgement};

const FEED: ActorPrefix = ActorPrefix([0x11; 16]);
const CHANGES: usize = 500;

/// A change of the model: one operation, on the key "k".
struct Told {
    hash: [u8; 32],
    actor: Vec<u8>,
    seq: u64,
    op: u64,
    /// What it reaches, itself included.
    closure: BTreeSet<usize>,
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

struct Model {
    told: Vec<Told>,
    dice: Dice,
}

impl Model {
    /// What a change on these would reach; nothing if an actor forks in it.
    fn closure(&self, on: &BTreeSet<usize>) -> Option<BTreeSet<usize>> {
        let closure: BTreeSet<usize> =
            on.iter().flat_map(|at| self.told[*at].closure.iter().copied()).collect();
        let places: BTreeSet<_> =
            closure.iter().map(|at| (&self.told[*at].actor, self.told[*at].seq)).collect();
        (places.len() == closure.len()).then_some(closure)
    }

    fn last_seq(&self, closure: &BTreeSet<usize>, actor: &[u8]) -> u64 {
        let own = closure.iter().map(|at| &self.told[*at]).filter(|told| told.actor == actor);
        own.map(|told| told.seq).max().unwrap_or(0)
    }

    /// Some changes to depend on, near the end more often than not.
    fn some(&mut self) -> BTreeSet<usize> {
        let count = self.told.len();
        let from = if self.dice.below(8) == 0 { 0 } else { count.saturating_sub(6) };
        (0..=self.dice.below(3)).map(|_| from + self.dice.below(count - from)).collect()
    }

    /// A change on these, over one operation of the model.
    fn change(&self, on: &BTreeSet<usize>, actor: &[u8], over: Option<usize>) -> Change {
        let reached = on.iter().flat_map(|at| self.told[*at].closure.iter().copied());
        let reached: BTreeSet<usize> = reached.collect();
        let mut dependencies: Vec<_> = on.iter().map(|at| self.told[*at].hash).collect();
        dependencies.sort();
        let over = over.map(|at| &self.told[at]);
        let over = over.map(|told| Id { counter: told.op, actor: told.actor.clone() });
        Change {
            dependencies,
            actor: actor.to_vec(),
            seq: self.last_seq(&reached, actor) + 1,
            start_op: reached.iter().map(|at| self.told[*at].op).max().unwrap_or(0) + 1,
            time: 0,
            message: Vec::new(),
            operations: vec![Op::put("k", 1).over(&Vec::from_iter(over))],
            extra: Vec::new(),
        }
    }
}

#[test]
fn a_closure_is_what_the_dependencies_reach_however_long_the_history_is() {
    let mut outcomes = BTreeSet::new();
    for (seed, actors) in [(1, 3), (2, 40), (3, 1_000)] {
        let skeleton = Change {
            dependencies: Vec::new(),
            actor: vec![0; 32],
            seq: 1,
            start_op: 1,
            time: 0,
            message: Vec::new(),
            operations: vec![Op::put("k", 0)],
            extra: Vec::new(),
        };
        let raw = skeleton.to_bytes();
        let mut history = History::new(&raw).unwrap();
        let first = Told {
            hash: hash_of(&raw),
            actor: skeleton.actor,
            seq: 1,
            op: 1,
            closure: BTreeSet::from([0]),
        };
        let mut model = Model { told: vec![first], dice: Dice(seed) };
        while model.told.len() < CHANGES {
            let on = model.some();
            let number = u16::try_from(model.dice.below(actors)).unwrap().to_be_bytes();
            let actor = [&FEED.0[..], &[9; 14], &number].concat();
            let over = model.dice.below(model.told.len());
            let change = model.change(&on, &actor, Some(over));
            let raw = change.to_bytes();
            let found = history.judge(&raw, FEED);
            let closure = model.closure(&on);
            // Where an actor forks, an id may be that of two operations.
            let is_it = |at: &usize| {
                let (one, other) = (&model.told[*at], &model.told[over]);
                (one.op, &one.actor) == (other.op, &other.actor)
            };
            let is_reached = closure.as_ref().is_some_and(|closure| closure.iter().any(is_it));
            let expected = match &closure {
                None => "closure-forked",
                Some(_) if is_reached => "good",
                Some(closure)
                    if model.told[over].actor != actor
                        && model.last_seq(closure, &model.told[over].actor) == 0 =>
                {
                    "actor-not-in-closure"
                }
                Some(_) => "predecessor-not-in-closure",
            };
            outcomes.insert(expected);
            match found {
                Judgement::Good(judged) => {
                    assert_eq!("good", expected);
                    let mut closure = closure.unwrap();
                    let at = model.told.len();
                    closure.insert(at);
                    let is_new = !history.contains(&judged.hash());
                    history.admit(judged);
                    if is_new {
                        let (seq, op) = (change.seq, change.start_op);
                        model.told.push(Told { hash: hash_of(&raw), actor, seq, op, closure });
                    }
                }
                Judgement::Refused(rule) => assert_eq!(rule.code(), expected),
                Judgement::Waiting { missing } => assert_eq!(missing, []),
            }
        }
        // Linear, whatever the history looks like.
        assert!(history.memory() < CHANGES * 700, "{}", history.memory());
    }
    assert_eq!(outcomes.len(), 4, "{outcomes:?}");
}
