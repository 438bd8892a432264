//! A deed: who did something, in which capacity, and between which times.
//!
//! A claimed time is its author's word. That others received an entry by their own clocks bounds it
//! from above; when a majority of the others had it, it was settled. An attribution is the word of
//! the organisation that gives it.
//!
//! Invariant: holds nothing that is not in its input or follows from it.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde::Serialize;

use super::papers::Written;
use crate::{
    charter::Charter,
    codec::hex,
    hash::{EntryId, OrgId},
    identity::Attribution,
    time::TimeMs,
};

/// What may be known beside the entries.
#[derive(Debug, Clone, Copy)]
pub struct Beside<'a> {
    /// On whose behalf entries were written, where their organisations say so.
    pub attributions: &'a BTreeMap<EntryId, Attribution>,
    /// Who says to have received an entry, or one after it in its feed, and when.
    pub received: &'a BTreeMap<EntryId, Vec<(OrgId, TimeMs)>>,
}

/// Who did something, in which capacity, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deed {
    /// The entry.
    pub entry: String,
    /// The organisation, by its short name on the board.
    pub by: String,
    /// Role, capacity and authentication, as the organisation says.
    pub acting: Option<Acting>,
    /// When, by the author's clock.
    pub claimed_ms: u64,
    /// The earliest time at which another organisation says to have held it.
    pub seen_by_ms: Option<u64>,
    /// When, as they say, a strict majority of the others held it.
    pub held_by_majority_ms: Option<u64>,
    /// Whether it is settled.
    pub is_settled: bool,
}

/// In which capacity somebody acted, in the words of the own organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Acting {
    /// The person, as an opaque reference of the organisation.
    pub actor_ref: String,
    /// The role.
    pub role: String,
    /// The capacity.
    pub capacity: String,
    /// How the person was authenticated.
    pub how_authenticated: String,
}

/// Something to be seen: a code and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Point {
    /// A stable code.
    pub code: &'static str,
    /// The sentence.
    pub words: String,
}

impl Deed {
    /// What is known of an entry of the organisation of this name.
    pub(crate) fn of(
        by: &Written,
        name: String,
        charter: Option<&Charter>,
        beside: Beside<'_>,
    ) -> Self {
        let seats = || charter.into_iter().flat_map(Charter::seats);
        let mut seen: Vec<u64> = Vec::new();
        for (org, at) in beside.received.get(&by.entry).into_iter().flatten() {
            if *org != by.org && seats().any(|member| member.org == *org) {
                seen.push(at.0);
            }
        }
        seen.sort_unstable();
        let others = seats().filter(|member| member.org != by.org).count();
        Self {
            entry: by.entry.to_string(),
            by: name,
            acting: beside.attributions.get(&by.entry).map(Acting::of),
            claimed_ms: by.at.0,
            seen_by_ms: seen.first().copied(),
            held_by_majority_ms: seen.get(others / 2).copied(),
            is_settled: by.settled,
        }
    }

    /// What is missing for certainty about it.
    pub(crate) fn missing(&self) -> Vec<Point> {
        let mut missing = Vec::new();
        if self.acting.is_none() {
            let words = format!("{} does not say here in which capacity it acted", self.by);
            missing.push(Point { code: "no-attribution", words });
        }
        if self.held_by_majority_ms.is_none() {
            let words = format!(
                "it is not known here when a majority held what {} wrote: its time is a claim",
                self.by
            );
            missing.push(Point { code: "unbounded-time", words });
        }
        missing
    }

    /// Who, as what, by when, in words.
    pub(crate) fn in_words(&self) -> String {
        let acting = self.acting.as_ref().map_or_else(String::new, |acting| {
            format!(" as {} for {}", acting.role, acting.capacity)
        });
        let held = match (self.held_by_majority_ms, self.is_settled) {
            (Some(at), true) => format!(", held by a majority by {}", utc(at)),
            (None, true) => ", settled".to_string(),
            (_, false) => ", not settled".to_string(),
        };
        format!("{}{acting}, claimed {}{held}", self.by, utc(self.claimed_ms))
    }
}

impl Acting {
    fn of(attribution: &Attribution) -> Self {
        let Attribution { actor_ref, role, capacity, how_authenticated } = attribution.clone();
        Self { actor_ref: hex(&actor_ref.0), role, capacity, how_authenticated }
    }
}

/// A time as people write it, in UTC, to the second.
pub(crate) fn utc(ms: u64) -> String {
    let seconds = ms / 1000;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days since 1 March of the year 0, in cycles of 400 years, so that leap days come last.
    let shifted = days.saturating_add(719_468);
    let (cycle, day) = (shifted / 146_097, shifted % 146_097);
    let year_of_cycle = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = cycle * 400 + year_of_cycle + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day_of_month:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn times_are_shown_as_people_write_them() {
        for (ms, shown) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399_999, "2000-02-28T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_511_179_200_000, "2017-11-20T12:00:00Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(ms), shown);
        }
    }
}
