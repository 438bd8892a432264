//! Stores that are killed, cut off from power, damaged and filled up: whatever was called durable is
//! there afterwards, byte for byte, or an error says that it is not.
//!
//! The store is written to and read by processes of this same program, so that each of them can end
//! in any way.
//!
//! | file | what |
//! |---|---|
//! | `child` | what these processes do, and what they find |
//! | `mounts` | file systems of a test's own |
//! | `kill` | SIGKILL at any moment |
//! | `power` | what has reached the disk when the power fails |
//! | `damage` | truncated, flipped and zeroed files |
//! | `full` | a disk without space |

// Says to lints that all of this is test code.
#![cfg(test)]

mod child;
mod damage;
mod full;
mod kill;
mod mounts;
mod power;

/// Numbers that look random and are the same each time (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below this number, which is not 0.
    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    /// The place of one of so many.
    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap()
    }
}
