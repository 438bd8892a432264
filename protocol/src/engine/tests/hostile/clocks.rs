//! Peers say of their clocks what they like.

use super::*;
use crate::engine::{ClockCheck, Report};

const HOUR: u64 = 3_600_000;

impl One {
    /// A peer whose clock is so far ahead of the node's says hello.
    fn hear(&mut self, peer: u8, ahead_ms: u64) {
        let card = card(peer, node_key(peer)).to_bytes();
        let now = TimeMs(self.now + ahead_ms);
        self.say(peer, Message::Hello { versions: vec![1], card, boards: vec![], now });
    }

    /// Whether each thing that was told of the node's clock says that it is off.
    fn told_of_clock(&self) -> Vec<bool> {
        let check = |effect: &Effect| {
            let Effect::Report(Report::Clock { check }) = effect else { return None };
            Some(check.is_off())
        };
        self.effects.iter().filter_map(check).collect()
    }
}

/// One wrong clock among three is nobody's concern; a majority that disagrees with ours is told of
/// once, and no longer once our clock was set.
#[test]
fn a_node_whose_clock_is_off_hears_it_from_the_median_of_its_peers() {
    let mut one = One::among(&[2, 3, 4]);
    assert_eq!(one.engine.clock(), ClockCheck { peers: 3, ahead_ms: Some(0) });
    one.hear(2, 1_000 * HOUR);
    assert_eq!((one.engine.clock().ahead_ms, one.told_of_clock()), (Some(0), vec![]));
    for _ in 0..3 {
        one.hear(3, 2 * HOUR);
        one.hear(4, 2 * HOUR);
    }
    assert_eq!(one.engine.clock(), ClockCheck { peers: 3, ahead_ms: Some(-7_200_000) });
    assert_eq!(one.told_of_clock(), [true]);

    // The administrator sets the clock: what was known is void until peers tell again.
    one.now += 2 * HOUR;
    one.tick();
    assert_eq!(one.engine.clock(), ClockCheck::default());
    one.hear(3, 0);
    assert_eq!(one.engine.clock(), ClockCheck { peers: 1, ahead_ms: Some(0) });
    assert_eq!(one.told_of_clock(), [true, false]);
}
