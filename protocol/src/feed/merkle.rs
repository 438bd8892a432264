//! The tree over a feed's headers: RFC 6962 section 2.1, SHA-256.
//!
//! ```text
//! leaf = SHA-256(0x00 ‖ header)        node = SHA-256(0x01 ‖ left ‖ right)
//! ```
//!
//! A [`Frontier`] is the roots of the full subtrees from left to right, one for each bit set in
//! the size: enough to append and to give the root, and at most 63 hashes.

use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use crate::{
    codec::{self, Fixed, Malformed},
    limits::PATH_MAX,
};

/// The hash of a leaf.
#[must_use]
pub fn leaf_hash(header: &[u8]) -> Fixed<32> {
    let mut digest = Sha256::new();
    digest.update([0]);
    digest.update(header);
    Fixed(digest.finalize().into())
}

fn node_hash(left: &Fixed<32>, right: &Fixed<32>) -> Fixed<32> {
    let mut digest = Sha256::new();
    digest.update([1]);
    digest.update(left.0);
    digest.update(right.0);
    Fixed(digest.finalize().into())
}

/// The right edge of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Fixed<32>>,
}

impl Frontier {
    /// Restores a frontier from its parts.
    ///
    /// # Errors
    /// [`Malformed::Count`] unless there is one peak for each bit set in `size`.
    pub fn from_parts(size: u64, peaks: Vec<Fixed<32>>) -> Result<Self, Malformed> {
        let due = size.count_ones() as usize;
        codec::expect_count("frontier", peaks.len(), due, due)?;
        Ok(Self { size, peaks })
    }

    /// The roots of the full subtrees, from left to right.
    #[must_use]
    pub fn peaks(&self) -> &[Fixed<32>] {
        &self.peaks
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub fn append(&mut self, leaf: Fixed<32>) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size = self.size.saturating_add(1);
    }

    /// The root; the hash of nothing for an empty tree.
    #[must_use]
    pub fn root(&self) -> Fixed<32> {
        let folded =
            self.peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
        folded.unwrap_or_else(|| Fixed(Sha256::digest([]).into()))
    }
}

/// The inclusion path of leaf `index` in the tree over `leaves`: RFC 6962 section 2.1.1.
///
/// `None` when there is no such leaf.
#[must_use]
pub fn inclusion_path(leaves: &[Fixed<32>], index: usize) -> Option<Vec<Fixed<32>>> {
    if index >= leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    let (mut below, mut at) = (leaves, index);
    while below.len() > 1 {
        let (left, right) = below.split_at(split_point(below.len()));
        if at < left.len() {
            path.push(root_of(right));
            below = left;
        } else {
            path.push(root_of(left));
            at = at.saturating_sub(left.len());
            below = right;
        }
    }
    path.reverse();
    Some(path)
}

fn root_of(leaves: &[Fixed<32>]) -> Fixed<32> {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.append(*leaf);
    }
    frontier.root()
}

/// The largest power of two below `n`, for `n` of at least 2.
const fn split_point(n: usize) -> usize {
    n.next_power_of_two() / 2
}

/// The root that `path` gives for `leaf` at `index` in a tree of `size` leaves; `None` when the
/// path has not exactly the length that index and size call for.
///
/// Source: RFC 9162 section 2.1.3.2, the verification algorithm.
#[must_use]
pub fn root_of_path(
    leaf: Fixed<32>,
    index: u64,
    size: u64,
    path: &[Fixed<32>],
) -> Option<Fixed<32>> {
    if index >= size || path.len() > PATH_MAX {
        return None;
    }
    let (mut at, mut last, mut node) = (index, size.saturating_sub(1), leaf);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            node = node_hash(sibling, &node);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(&node, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ct_merkle::mem_backed_tree::MemoryBackedTree;

    fn leaves(n: u64) -> Vec<Fixed<32>> {
        (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    #[test]
    fn every_root_and_path_up_to_70_agrees_with_another_implementation() {
        let mut reference = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        let mut frontier = Frontier::default();
        for size in 1..=70u64 {
            reference.push((size - 1).to_be_bytes().to_vec());
            frontier.append(leaf_hash(&(size - 1).to_be_bytes()));
            assert_eq!(frontier.root().0, *reference.root().as_bytes().as_slice());
            for (at, index) in (0..size).enumerate() {
                let path = inclusion_path(&leaves(size), at).unwrap();
                let theirs = reference.prove_inclusion(at);
                assert_eq!(
                    path.iter().flat_map(|hash| hash.0).collect::<Vec<_>>(),
                    theirs.as_bytes()
                );
                let leaf = leaf_hash(&index.to_be_bytes());
                assert_eq!(root_of_path(leaf, index, size, &path), Some(frontier.root()));
            }
        }
    }

    #[test]
    fn a_path_of_the_wrong_length_or_place_proves_nothing() {
        let root = root_of(&leaves(9));
        let mut path = inclusion_path(&leaves(9), 3).unwrap();
        let leaf = leaf_hash(&3u64.to_be_bytes());
        assert_ne!(root_of_path(leaf, 4, 9, &path), Some(root));
        assert_eq!(root_of_path(leaf, 9, 9, &path), None);
        path.push(leaf);
        assert_eq!(root_of_path(leaf, 3, 9, &path), None);
        path.truncate(3);
        assert_eq!(root_of_path(leaf, 3, 9, &path), None);
    }
}
