//! Entries that claim odd times are told to people, once, and stand like any other.

use super::*;
use crate::engine::OddTimes;

const HOUR: u64 = 3_600_000;

impl Net {
    /// How often odd times were told at a node: those that went back, and those ahead.
    fn told_of_times(&self, number: u8) -> (usize, usize) {
        let of = |is: fn(&Report) -> bool| {
            let at = self.reports.iter().filter(|(key, _)| *key == node_key(number));
            at.filter(|(_, report)| is(report)).count()
        };
        (
            of(|report| matches!(report, Report::TimeBack { .. })),
            of(|report| matches!(report, Report::TimeAhead { .. })),
        )
    }
}

#[test]
fn claimed_times_that_go_back_or_have_not_come_are_told_once_a_feed() {
    let mut net = Net::new(&[1, 2, 3]);
    net.note(2, "before");
    net.run();
    net.cut(1, 2);
    net.cut(1, 3);
    net.now += HOUR;
    for text in ["an hour ahead", "and again"] {
        net.note(2, text);
        net.run();
    }
    net.now -= HOUR;
    for text in ["set back", "and on"] {
        net.note(2, text);
        net.run();
    }
    net.heal();
    net.tick(1);
    net.assert_equal();

    let id = fixture::feed_key(2).public();
    let odd = |net: &Net, number| {
        let view = net.view(number);
        let feed = view.feeds.values().find(|feed| feed.descriptor.key == id).unwrap();
        feed.odd_times
    };
    assert_eq!(odd(&net, 1), OddTimes { back: Some(4), ahead: Some(2) });
    assert_eq!(odd(&net, 2), OddTimes { back: Some(4), ahead: None }, "its own clock was right");
    assert_eq!(net.told_of_times(1), (1, 1));

    // Over a restart the entry before is read from the store.
    net.restart(1, Standing::Sure);
    assert_eq!(odd(&net, 1), OddTimes::default());
    net.now -= 1_000;
    net.note(2, "a second earlier");
    net.run();
    assert_eq!(odd(&net, 1), OddTimes { back: Some(7), ahead: None });
}
