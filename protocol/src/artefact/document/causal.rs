//! One order of a document's changes, the same whoever computes it.
//!
//! Automerge saves changes in the order in which they were applied, so two nodes that hold the same
//! changes would save different bytes. Here the order is a function of the changes alone.
//!
//! ```text
//! first       changes that depend on none of the others, by hash
//! then        each change right after the last of its dependencies in this order, ties by hash
//! ```
//!
//! It is breadth first, since Automerge applies a batch in that order whatever order it is given, and what it is
//! given in this order it keeps. A change on all heads comes last, so a document that one
//! person goes on editing stays in order.
//!
//! Knows nothing of what changes do.

use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    vec::Vec,
};

use automerge::ChangeHash;

/// The places of changes `(hash, dependencies)` in causal order. Dependencies that are not among
/// the changes count as met; a change that stands twice, or in a circle, is left out.
pub(super) fn causal_order(changes: &[(ChangeHash, Vec<ChangeHash>)]) -> Vec<usize> {
    let places: BTreeMap<_, _> =
        changes.iter().enumerate().map(|(place, (hash, _))| (*hash, place)).collect();
    let mut waiting: BTreeMap<ChangeHash, usize> = BTreeMap::new();
    let mut dependents: BTreeMap<ChangeHash, Vec<ChangeHash>> = BTreeMap::new();
    let mut ready = VecDeque::new();
    for (hash, place) in &places {
        let Some((_, deps)) = changes.get(*place) else { continue };
        let deps: BTreeSet<_> = deps.iter().filter(|dep| places.contains_key(*dep)).collect();
        if deps.is_empty() {
            ready.push_back(*hash);
        }
        waiting.insert(*hash, deps.len());
        for dep in deps {
            dependents.entry(*dep).or_default().push(*hash);
        }
    }
    let mut order = Vec::with_capacity(places.len());
    while let Some(hash) = ready.pop_front() {
        order.extend(places.get(&hash));
        for next in dependents.remove(&hash).unwrap_or_default() {
            if let Some(count) = waiting.get_mut(&next) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    ready.push_back(next);
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn hash(byte: u8) -> ChangeHash {
        ChangeHash([byte; 32])
    }

    #[test]
    fn dependencies_come_first_and_ties_go_to_the_smaller_hash() {
        let changes = [
            (hash(1), vec![hash(9)]),
            (hash(9), vec![hash(100)]),
            (hash(3), vec![]),
            (hash(2), vec![hash(9), hash(3)]),
        ];
        let order: Vec<_> = causal_order(&changes).into_iter().map(|at| changes[at].0).collect();
        assert_eq!(order, [hash(3), hash(9), hash(1), hash(2)]);
    }

    #[test]
    fn the_order_does_not_depend_on_the_order_of_what_is_given() {
        let mut changes: Vec<_> = (0..40u8)
            .map(|n| {
                let deps = if n < 3 { vec![] } else { vec![hash(n / 2), hash(n - 3)] };
                (hash(n), deps)
            })
            .collect();
        let names = |changes: &[(ChangeHash, Vec<ChangeHash>)]| -> Vec<_> {
            causal_order(changes).into_iter().map(|at| changes[at].0).collect()
        };
        let expected = names(&changes);
        assert_eq!(expected.len(), 40);
        changes.reverse();
        assert_eq!(names(&changes), expected);
        changes.rotate_left(13);
        assert_eq!(names(&changes), expected);
    }

    #[test]
    fn circles_are_left_out() {
        assert_eq!(
            causal_order(&[(hash(1), vec![hash(2)]), (hash(2), vec![hash(1)])]),
            Vec::<usize>::new()
        );
    }
}
