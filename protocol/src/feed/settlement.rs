//! Settlement: when enough of the others hold an entry that it can no longer be lost or replaced.
//!
//! An entry is settled once a strict majority of the voting members other than its author
//! acknowledged it with its payload, or once a later entry of its feed is settled; at once where
//! there are no others. Suspended members stay in the denominator; observers are never counted.

use alloc::vec::Vec;

/// The number of entries, from the first, that are settled.
///
/// `size` is the number of entries held; `acknowledged` gives for each of the `others` voting
/// members that acknowledged anything how many entries its best acknowledgement covers.
#[must_use]
pub fn settled_size(size: u64, others: usize, acknowledged: impl IntoIterator<Item = u64>) -> u64 {
    if others == 0 {
        return size;
    }
    let mut sizes: Vec<u64> = acknowledged.into_iter().collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let majority = others / 2;
    sizes.get(majority).copied().unwrap_or(0).min(size)
}

#[cfg(test)]
mod tests {
    use super::settled_size;

    #[test]
    fn a_strict_majority_of_the_others_settles() {
        assert_eq!(settled_size(9, 0, []), 9);
        assert_eq!(settled_size(9, 1, []), 0);
        assert_eq!(settled_size(9, 1, [4]), 4);
        assert_eq!(settled_size(9, 2, [4]), 0);
        assert_eq!(settled_size(9, 2, [4, 7]), 4);
        assert_eq!(settled_size(9, 3, [4, 7]), 4);
        assert_eq!(settled_size(9, 4, [4, 7]), 0);
        assert_eq!(settled_size(9, 4, [4, 7, 2]), 2);
        assert_eq!(settled_size(5, 3, [9, 9, 9]), 5);
    }
}
