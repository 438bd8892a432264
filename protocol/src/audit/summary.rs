//! What an audit comes to: figures, one sentence to quote, and an exit status.
//!
//! | exit status | means |
//! |---|---|
//! | 0 | all that was given holds |
//! | 1 | misbehaviour is proven |
//! | 2 | something could not be checked, and nothing is proven |
//!
//! Invariant: the sentence follows from the figures alone.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};

use super::finding::{FeedName, Finding, Severity};
use crate::{
    charter::Founding, feed::SignedHead, hash::BoardId, identity::PublicKey, time::TimeMs,
};

/// One board of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardSummary {
    /// The board.
    pub board: BoardId,
    /// Its name.
    pub title: String,
}

/// One feed of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedSummary {
    /// The board that it is on.
    pub board: BoardId,
    /// The feed.
    pub name: FeedName,
    /// The key that signs it.
    pub key: PublicKey,
    /// How many entries of its first history hold.
    pub entries: u64,
    /// The signed head over all of these.
    pub head: Option<SignedHead>,
    /// How many entries, from the first, are settled, as far as the bundle proves it.
    pub settled: u64,
    /// The times that its first and last entries claim.
    pub claimed: Option<(TimeMs, TimeMs)>,
    /// Where it is forked, if it is.
    pub fork: Option<u64>,
}

/// The figures of an audit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// The boards, by id.
    pub boards: Vec<BoardSummary>,
    /// The feeds, by id.
    pub feeds: Vec<FeedSummary>,
}

/// What an audit has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The findings, in the order in which they were made.
    pub findings: Vec<Finding>,
    /// The figures.
    pub summary: Summary,
}

impl Summary {
    pub(super) fn new(foundings: &BTreeMap<BoardId, Founding>, feeds: Vec<FeedSummary>) -> Self {
        let board = |(board, founding): (&BoardId, &Founding)| BoardSummary {
            board: *board,
            title: founding.charter().title.clone(),
        };
        Self { boards: foundings.iter().map(board).collect(), feeds }
    }

    /// How many entries hold.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.feeds.iter().map(|feed| feed.entries).sum()
    }

    /// How many entries are settled.
    #[must_use]
    pub fn settled(&self) -> u64 {
        self.feeds.iter().map(|feed| feed.settled).sum()
    }

    fn organisations(&self) -> usize {
        let written = self.feeds.iter().filter(|feed| feed.entries > 0);
        written.map(|feed| (feed.board, &feed.name.slug)).collect::<BTreeSet<_>>().len()
    }
}

impl Report {
    pub(super) const fn new(findings: Vec<Finding>, summary: Summary) -> Self {
        Self { findings, summary }
    }

    /// How many findings have a weight.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity() == severity).count()
    }

    /// What the process that audits ends with.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self.findings.iter().map(Finding::severity).max() {
            Some(Severity::Proven) => 1,
            Some(Severity::Unchecked) => 2,
            Some(Severity::Note) | None => 0,
        }
    }

    /// One sentence for people who quote the result.
    #[must_use]
    pub fn closing(&self) -> String {
        let (summary, entries) = (&self.summary, self.summary.entries());
        let hold = format!(
            "{} by {} on {}",
            counted(entries, "entry", "entries"),
            counted(summary.organisations() as u64, "organisation", "organisations"),
            counted(summary.boards.len() as u64, "board", "boards"),
        );
        let proven = self.count(Severity::Proven) as u64;
        let unchecked = self.count(Severity::Unchecked) as u64;
        match self.exit_status() {
            0 => format!(
                "Everything in this bundle holds: {hold}, each signed by its author and none left \
                 out before another; {} of them are held by a majority of the others.{}",
                summary.settled(),
                self.left_out(),
            ),
            1 => format!(
                "This bundle proves misbehaviour: {} of a member that broke a rule it had signed \
                 up to; what was verified is {hold}, and {} could not be checked.{}",
                counted(proven, "statement", "statements"),
                counted(unchecked, "point", "points"),
                self.left_out(),
            ),
            _ => format!(
                "Part of this bundle could not be checked, and nobody is shown to have misbehaved: \
                 {} open; what was verified is {hold}.",
                counted(unchecked, "point remains", "points remain"),
            ),
        }
    }
}

impl Report {
    /// That content is missing, if any is: it may be kept to an audience, or have been taken out.
    fn left_out(&self) -> String {
        let is_withheld = |one: &&Finding| matches!(one, Finding::PayloadWithheld { .. });
        match self.findings.iter().filter(is_withheld).count() as u64 {
            0 => String::new(),
            withheld => format!(
                " What {} said is not in it: ask a member of the audience.",
                counted(withheld, "entry", "entries"),
            ),
        }
    }
}

fn counted(number: u64, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}
