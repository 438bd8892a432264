//! Changes of honest documents with bits, bytes or operations changed.
//!
//! ```text
//! bits        one or two bits anywhere after the length, the checksum put right
//! columns     one to three bytes near the end, the checksum put right
//! structure   operations retargeted, reordered, doubled, dropped; dependencies, seq, start_op, actor changed
//! ```
//!
//! *Source*: ours.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
};

use automerge::{
    Automerge, Change, ChangeHash, ExpandedChange, ObjType, ReadDoc, ScalarValue,
    legacy::{ElementId, Key, MarkData, ObjectId, Op, OpId, OpType},
};
use concordat_protocol::verdict::{Chunk, History, Judgement};

use super::{FEED, change::rehashed, editors, harm, harm::Harm, skeleton, take};
use crate::sim::rng::Rng;

/// How a change is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutation {
    /// Bits anywhere.
    Bits,
    /// Bytes in the columns.
    Columns,
    /// What the change says.
    Structure,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Bits, Self::Columns, Self::Structure];
}

/// What became of mutants.
#[derive(Debug, Default)]
pub struct Account {
    /// How many were judged; those equal to their original are not counted.
    pub mutants: u64,
    /// Good ones.
    pub good: u64,
    /// Good ones that were given to Automerge: all but those that need or contradict their original.
    pub given: u64,
    /// What went wrong with those. Should be empty.
    pub harms: BTreeMap<Harm, u64>,
    /// Mutants judged otherwise over their closure than over the whole document. Should be 0.
    pub impure: u64,
    /// Refusals by code.
    pub refused: BTreeMap<&'static str, u64>,
    /// Refused ones that were given to Automerge all the same, and how many did harm there.
    pub refused_given: (u64, u64),
}

/// A document whose changes are mutated.
#[derive(Debug)]
pub struct Subject {
    changes: Vec<Change>,
    whole: History,
    ids: Vec<OpId>,
    grounds: BTreeMap<usize, Ground>,
}

/// What there is of a document without one change and all that depend on it.
#[derive(Debug)]
struct Ground {
    /// What the change depends on.
    closure: History,
    before: Automerge,
    /// What came at the same time.
    after: Vec<Change>,
    all: Automerge,
}

impl Subject {
    /// A document of honest editors. `None` if Automerge itself fails on it.
    #[must_use]
    pub fn write(rng: &mut Rng) -> Option<Self> {
        let document = editors::write(rng, 14).ok()?;
        let changes = document.get_changes(&[]);
        let mut whole = History::new(&skeleton()).ok()?;
        let mut ids = Vec::new();
        for change in &changes {
            if change.seq() > 1 || !change.deps().is_empty() {
                take(&mut whole, change.raw_bytes()).ok()?;
            }
            let counters = change.start_op().get()..=change.max_op();
            ids.extend(counters.map(|counter| OpId::new(counter, change.actor_id())));
        }
        Some(Self { changes, whole, ids, grounds: BTreeMap::new() })
    }

    /// Mutates a change and gives an account of what becomes of it.
    pub fn try_one(
        &mut self,
        mutation: Mutation,
        gives_refused: bool,
        rng: &mut Rng,
        account: &mut Account,
    ) {
        let at = 1 + rng.place(self.changes.len() - 1);
        let original = self.changes[at].raw_bytes().to_vec();
        let mutant = match mutation {
            Mutation::Bits => Some(flip_bits(&original, rng)),
            Mutation::Columns => Some(change_columns(&original, rng)),
            Mutation::Structure => self.restructure(at, rng),
        };
        let Some(mutant) = mutant.filter(|mutant| *mutant != original) else { return };
        account.mutants += 1;
        self.lay_ground(at);
        let Some(ground) = self.grounds.get(&at) else { return };
        let (over_closure, over_whole) =
            (ground.closure.judge(&mutant, FEED), self.whole.judge(&mutant, FEED));
        if !agree(&over_closure, &over_whole) {
            account.impure += 1;
        }
        let waits = matches!(over_closure, Judgement::Waiting { .. });
        match over_whole {
            Judgement::Good(judged) => {
                account.good += 1;
                let same_place = |other: &&Change| {
                    other.actor_id().to_bytes() == judged.actor().0
                        && other.seq() == u64::from(judged.seq())
                };
                // Two changes of one actor and seq are another matter than this verdict's.
                if waits || ground.all_changes().iter().any(|change| same_place(&change)) {
                    return;
                }
                account.given += 1;
                if let Err(harm) = ground.give(&mutant) {
                    *account.harms.entry(harm).or_default() += 1;
                }
            }
            Judgement::Refused(rule) => {
                *account.refused.entry(rule.code()).or_default() += 1;
                if gives_refused && ground.has_dependencies_of(&mutant) {
                    account.refused_given.0 += 1;
                    account.refused_given.1 += u64::from(ground.give(&mutant).is_err());
                }
            }
            Judgement::Waiting { .. } => *account.refused.entry("(waiting)").or_default() += 1,
        }
    }

    fn lay_ground(&mut self, at: usize) {
        if self.grounds.contains_key(&at) {
            return;
        }
        if let Some(ground) = self.ground(at) {
            self.grounds.insert(at, ground);
        }
    }

    fn ground(&self, at: usize) -> Option<Ground> {
        let change = &self.changes[at];
        // Changes come dependencies first, so one pass each way is enough.
        let mut closure: BTreeSet<ChangeHash> = change.deps().iter().copied().collect();
        for earlier in self.changes.iter().rev() {
            if closure.contains(&earlier.hash()) {
                closure.extend(earlier.deps());
            }
        }
        let mut beyond = BTreeSet::from([change.hash()]);
        for later in &self.changes {
            if later.deps().iter().any(|on| beyond.contains(on)) {
                beyond.insert(later.hash());
            }
        }
        let (before, rest): (Vec<_>, Vec<_>) =
            self.changes.iter().cloned().partition(|change| closure.contains(&change.hash()));
        let after: Vec<_> =
            rest.into_iter().filter(|change| !beyond.contains(&change.hash())).collect();
        let mut history = History::new(&skeleton()).ok()?;
        for change in before.iter().skip(1) {
            take(&mut history, change.raw_bytes()).ok()?;
        }
        let mut document = Automerge::new();
        document.apply_changes(before).ok()?;
        let mut all = document.clone();
        all.apply_changes(after.clone()).ok()?;
        Some(Ground { closure: history, before: document, after, all })
    }

    fn any_id(&self, own: &ExpandedChange, rng: &mut Rng) -> OpId {
        if rng.chance(40) {
            let counter = own.start_op.get() + rng.below(own.operations.len() as u64 + 1);
            return OpId::new(counter, &own.actor_id);
        }
        self.ids[rng.place(self.ids.len())].clone()
    }

    fn restructure(&self, at: usize, rng: &mut Rng) -> Option<Vec<u8>> {
        let mut change = self.changes[at].decode();
        for _ in 0..rng.between(1, 2) {
            self.restructure_once(&mut change, rng);
        }
        // The writer of Automerge itself panics on some of these.
        catch_unwind(AssertUnwindSafe(|| Change::from(change).raw_bytes().to_vec())).ok()
    }

    fn restructure_once(&self, change: &mut ExpandedChange, rng: &mut Rng) {
        let other = &self.changes[rng.place(self.changes.len())];
        let count = change.operations.len();
        let shift = |number: u64, by: u64, rng: &mut Rng| {
            (number + rng.below(2 * by)).saturating_sub(by).max(1)
        };
        match rng.below(18) {
            0 if !change.deps.is_empty() => {
                change.deps.swap_remove(rng.place(change.deps.len()));
            }
            1 => change.deps.push(other.hash()),
            2 => change.seq = shift(change.seq, 2, rng),
            3 => {
                let start = shift(change.start_op.get(), 20, rng);
                change.start_op = std::num::NonZeroU64::new(start).unwrap_or(change.start_op);
            }
            4 => change.actor_id = other.actor_id().clone(),
            _ if count == 0 => {}
            11 => {
                let moved = change.operations.remove(rng.place(count));
                change.operations.insert(rng.place(count), moved);
            }
            12 => {
                let at = rng.place(count);
                change.operations.insert(at, change.operations[at].clone());
            }
            13 => drop(change.operations.remove(rng.place(count))),
            14 => change.operations.truncate(rng.place(count)),
            15 => {
                let from = change.operations[rng.place(count)].clone();
                let to = &mut change.operations[rng.place(count)];
                (to.key, to.obj) = (from.key, from.obj);
            }
            16 => {
                let foreign = other.decode().operations;
                if let Some(operation) = rng.pick(&foreign) {
                    change.operations.insert(rng.place(count), operation.clone());
                }
            }
            _ => {
                let id = self.any_id(change, rng);
                retarget(&mut change.operations[rng.place(count)], id, rng);
            }
        }
    }
}

/// Changes one part of an operation.
fn retarget(operation: &mut Op, id: OpId, rng: &mut Rng) {
    match rng.below(8) {
        0 if rng.chance(20) => operation.obj = ObjectId::Root,
        0 => operation.obj = ObjectId::Id(id),
        1 | 2 => {
            operation.key = match rng.below(5) {
                0 => Key::Map(["a", "title", "items", "", "zzz"][rng.place(5)].into()),
                1 => Key::Seq(ElementId::Head),
                _ => Key::Seq(ElementId::Id(id)),
            }
        }
        3 => {
            let mut all: Vec<OpId> = operation.pred.iter().cloned().collect();
            all.push(id);
            operation.pred = all.into();
        }
        4 => operation.pred = Vec::new().into(),
        5 => operation.insert = !operation.insert,
        _ => operation.action = any_action(rng),
    }
}

fn any_action(rng: &mut Rng) -> OpType {
    match rng.below(12) {
        0 => OpType::Make(ObjType::Map),
        1 => OpType::Make(ObjType::List),
        2 => OpType::Make(ObjType::Text),
        3 => OpType::Delete,
        4 => OpType::Increment(rng.below(u64::MAX).cast_signed()),
        5 => {
            let expand = rng.chance(50);
            OpType::MarkBegin(MarkData { name: "m".into(), value: true.into(), expand })
        }
        6 => OpType::MarkEnd(rng.chance(50)),
        7 => OpType::Put(ScalarValue::counter(i64::MAX)),
        8 => OpType::Put("".into()),
        9 => OpType::Put(ScalarValue::F64(f64::NAN)),
        10 => OpType::Make(ObjType::Table),
        _ => OpType::Put("two chars".into()),
    }
}

impl Ground {
    fn all_changes(&self) -> Vec<Change> {
        self.all.get_changes(&[])
    }

    fn has_dependencies_of(&self, raw: &[u8]) -> bool {
        let is_there = |hash: &concordat_protocol::verdict::ChangeHash| {
            self.all.get_change_by_hash(&ChangeHash(hash.0)).is_some()
        };
        Chunk::from_bytes(raw).is_ok_and(|chunk| chunk.dependencies.iter().all(is_there))
    }

    /// Gives a mutant to Automerge before and after what came at the same time.
    fn give(&self, raw: &[u8]) -> Result<(), Harm> {
        let change = [harm::parse(raw)?];
        let last = harm::endure(&self.all, &[&change])?;
        let first = harm::endure(&self.before, &[&change, &self.after])?;
        if first == last { Ok(()) } else { Err(Harm::DependsOnOrder) }
    }
}

/// Whether two judgements agree; what waits over a closure may be anything over more.
fn agree(one: &Judgement, other: &Judgement) -> bool {
    match (one, other) {
        (Judgement::Waiting { .. }, _) => true,
        (Judgement::Good(_), Judgement::Good(_)) => true,
        (Judgement::Refused(one), Judgement::Refused(other)) => one == other,
        (Judgement::Good(_) | Judgement::Refused(_), _) => false,
    }
}

/// Bytes of the envelope, with a length of one or two bytes.
const ENVELOPE_BYTES: usize = 11;

fn flip_bits(original: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..rng.between(1, 2) {
        let at = ENVELOPE_BYTES + rng.place(bytes.len() - ENVELOPE_BYTES);
        bytes[at] ^= 1 << rng.below(8);
    }
    rehashed(bytes)
}

fn change_columns(original: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = original.to_vec();
    let from = (bytes.len() * 2 / 5).clamp(60, bytes.len() - 1);
    for _ in 0..rng.between(1, 3) {
        let at = from + rng.place(bytes.len() - from);
        let likely = [0, 1, 2, 0x7f, 0x7e, 0xff, 0x80, 3][rng.place(8)];
        let any = rng.bytes(1).first().copied().unwrap_or(0);
        bytes[at] = if rng.chance(50) { any } else { likely };
    }
    rehashed(bytes)
}

/// Makes and tries so many mutants of each sort over fresh documents.
#[must_use]
pub fn run(seed: u64, each: u64, documents: usize) -> BTreeMap<Mutation, Account> {
    let mut rng = Rng::named(seed, "mutants");
    let mut subjects: Vec<Subject> =
        (0..documents).filter_map(|_| Subject::write(&mut rng)).collect();
    let mut accounts = BTreeMap::new();
    for mutation in Mutation::ALL {
        let mut account = Account::default();
        let mut tries = 0;
        while account.mutants < each && tries < each * 2 && !subjects.is_empty() {
            tries += 1;
            let at = rng.place(subjects.len());
            subjects[at].try_one(mutation, tries % 10 == 0, &mut rng, &mut account);
        }
        accounts.insert(mutation, account);
    }
    accounts
}
