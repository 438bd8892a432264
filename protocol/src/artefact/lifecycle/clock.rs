//! What is shown at a given time: holds and days on top of the state that steps lead to.

use alloc::vec::Vec;

use super::{Lifecycle, steps::rank};
use crate::{
    artefact::{
        calendar::{self, DAY_MS},
        events::Statement,
        kind::{Clock, State},
    },
    time::TimeMs,
};

/// When time alone shows a state as another, by the dates of the event that led to it.
pub(super) fn turns(clocks: &[Clock], cause: Option<&Statement>) -> Vec<(TimeMs, &'static str)> {
    let turn = |clock: &Clock| {
        let text = cause?.text(clock.param)?;
        let day = calendar::day(text).or_else(|| calendar::minute(text))?;
        let from = if clock.after { day.plus_ms(DAY_MS) } else { day };
        Some((from, clock.becomes))
    };
    clocks.iter().filter_map(turn).collect()
}

impl Lifecycle {
    /// The state that is shown at a time.
    ///
    /// Of the state that the steps, the day and the claims lead to and of every hold, the most
    /// cautious.
    #[must_use]
    pub fn at(&self, as_of: TimeMs) -> &'static State {
        let mut shown = self.without_holds(as_of);
        for hold in &self.holds {
            if rank(self.kind, hold.state) > rank(self.kind, shown) {
                shown = hold.state;
            }
        }
        let first = self.kind.states.first();
        self.kind.state(shown).or(first).unwrap_or(&UNKNOWN)
    }

    fn without_holds(&self, as_of: TimeMs) -> &'static str {
        if let Some(state) = self.capacity.shown(self.base, as_of) {
            return state;
        }
        let passed = self.turns.iter().rev().find(|(from, _)| *from <= as_of);
        passed.map_or(self.base, |(_, becomes)| becomes)
    }
}

/// What a kind without states would be in.
static UNKNOWN: State = State {
    name: "unknown",
    label: "Unknown",
    caution: crate::artefact::kind::Caution::Plain,
    clock: &[],
};
