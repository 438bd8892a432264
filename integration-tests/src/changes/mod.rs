//! Automerge changes of every sort, and what the real Automerge does with them.
//!
//! | module | what it makes |
//! |---|---|
//! | `change` | one change, byte by byte |
//! | `hostile` | the table of hostile changes |
//! | `editors` | documents by honest editors, through every call of Automerge's that changes one |
//! | `mutants` | changes of such documents with bits, bytes or operations changed |
//! | `wild` | whole histories of changes that pass the verdict and no editor would write |
//! | `harm` | what goes wrong when Automerge is given a change |
//!
//! *Invariants.* A seed gives the same changes each time.
//!
//! *Source*: ours.

#[path = "../../../protocol/tests/support/change.rs"]
pub mod change;
pub mod editors;
pub mod harm;
#[path = "../../../protocol/tests/support/hostile.rs"]
pub mod hostile;
pub mod mutants;
pub mod wild;

use automerge::{ActorId, Automerge};
use concordat_protocol::verdict::{ActorPrefix, ChangeHash, Chunk, History, Judgement, Rule};

use crate::sim::rng::Rng;

/// The feed to which all actors belong.
pub const FEED: ActorPrefix = ActorPrefix([0x11; 16]);

/// A skeleton with a text, a list and a map.
#[must_use]
pub fn skeleton() -> Vec<u8> {
    let change = change::Change {
        dependencies: Vec::new(),
        actor: vec![0; 32],
        seq: 1,
        start_op: 1,
        time: 0,
        message: Vec::new(),
        operations: vec![
            change::Op::on_key("title", change::action::TEXT),
            change::Op::on_key("items", change::action::LIST),
            change::Op::on_key("parts", change::action::MAP),
        ],
        extra: Vec::new(),
    };
    change.to_bytes()
}

/// A fresh actor of the feed.
#[must_use]
pub fn fresh_actor(rng: &mut Rng) -> ActorId {
    let fresh = rng.bytes(16);
    ActorId::from([&FEED.0[..], &fresh].concat().as_slice())
}

/// A document that holds the skeleton.
///
/// # Errors
/// What Automerge says against the skeleton.
pub fn document() -> Result<Automerge, automerge::AutomergeError> {
    let mut document = Automerge::new();
    let skeleton =
        automerge::Change::from_bytes(skeleton()).map_err(|_| automerge::AutomergeError::Fail)?;
    document.apply_changes([skeleton])?;
    Ok(document)
}

/// Judges a change and admits it if it is good.
///
/// # Errors
/// The rule it breaks, none if it waits.
pub fn take(history: &mut History, raw: &[u8]) -> Result<(), Option<Rule>> {
    match history.judge(raw, FEED) {
        Judgement::Good(judged) => {
            history.admit(judged);
            Ok(())
        }
        Judgement::Waiting { .. } => Err(None),
        Judgement::Refused(rule) => Err(Some(rule)),
    }
}

/// What became of changes that were taken in a random order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many were good.
    pub good: usize,
    /// The rules that refused others.
    pub refused: Vec<Rule>,
    /// How many waited at the end.
    pub waiting: usize,
}

/// Takes changes in an order drawn from `rng`, dependencies first. The first one is the skeleton.
///
/// # Errors
/// The rule that the skeleton breaks.
pub fn take_shuffled(raw: &[Vec<u8>], rng: &mut Rng) -> Result<Taken, Rule> {
    let mut history = History::new(raw.first().map(Vec::as_slice).unwrap_or_default())?;
    let mut left: Vec<&Vec<u8>> = raw.iter().skip(1).collect();
    rng.shuffle(&mut left);
    let mut taken = Taken::default();
    while !left.is_empty() {
        let ready: Vec<usize> =
            (0..left.len()).filter(|at| is_ready(&history, left[*at])).collect();
        let Some(at) = rng.pick(&ready) else { break };
        match take(&mut history, left.swap_remove(*at)) {
            Ok(()) => taken.good += 1,
            Err(Some(rule)) => taken.refused.push(rule),
            Err(None) => taken.waiting += 1,
        }
    }
    taken.waiting += left.len();
    Ok(taken)
}

fn is_ready(history: &History, raw: &[u8]) -> bool {
    let known = |hash: &ChangeHash| history.contains(hash);
    Chunk::from_bytes(raw).is_ok_and(|chunk| chunk.dependencies.iter().all(known))
}
