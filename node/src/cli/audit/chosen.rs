//! Which entries of a bundle are meant: the same flags and the same filter, whether they are listed or handed on.
//!
//! *Invariants.* A name that nothing has is refused, never taken for an empty answer.
//!
//! *Source*: ours.

use concordat_protocol::{
    artefact::calendar,
    audit::{HeldEntry, HeldFeed, Selection},
    feed::Kind,
    time::TimeMs,
};

use super::opened::Opened;
use crate::{
    artefact::time_named,
    cli::{args::audit::Range, out::time_in_words},
    control::Refusal,
};

/// Between which claimed times, both of them included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    from: Option<TimeMs>,
    until: Option<TimeMs>,
}

impl Times {
    /// As a person named them; before a file is read, which may take long.
    pub(super) fn of(range: &Range) -> Result<Self, Refusal> {
        let until = range.until.as_deref().map(time_named).transpose()?;
        // A day begins where it begins.
        let begin = |text: &str| calendar::day(text).map_or_else(|| time_named(text), Ok);
        let from = range.from.as_deref().map(begin).transpose()?;
        Ok(Self { from, until })
    }

    fn in_words(self) -> Option<String> {
        let words = |time: TimeMs| time_in_words(time.0);
        let span = match (self.from.map(words), self.until.map(words)) {
            (None, None) => return None,
            (Some(from), None) => format!("at {from} or later"),
            (None, Some(until)) => format!("by {until}"),
            (Some(from), Some(until)) => format!("from {from} to {until}"),
        };
        Some(format!("written {span} as their authors claim"))
    }
}

/// What was asked for, in words; times are claims, and said to be.
pub(super) fn in_words(range: &Range, times: Times) -> String {
    let feed = range.feed.as_ref().map(|named| format!("of {named}"));
    let kind = range.kind.as_ref().map(|kind| format!("of the kind {kind}"));
    let asked: Vec<String> = feed.into_iter().chain(kind).chain(times.in_words()).collect();
    asked.join(", ")
}

impl Opened {
    /// What a person asked for.
    pub(super) fn selection(&self, range: &Range, times: Times) -> Result<Selection, Refusal> {
        let named = range.feed.as_deref();
        let feeds = named.map(|named| self.feeds_named(Some(named))).transpose()?;
        let kind = range.kind.as_deref().map(|named| self.kind_named(named)).transpose()?;
        let Times { from, until } = times;
        let feeds = feeds.map(|feeds| feeds.into_iter().map(|one| one.feed).collect());
        Ok(Selection { feeds, kind, artefact: None, from, until })
    }

    /// The entries that are meant, feed by feed, with the feed of each.
    pub(super) fn chosen(
        &self,
        selection: &Selection,
    ) -> impl Iterator<Item = (HeldFeed, HeldEntry<'_>)> {
        self.entries().filter(|(_, held)| selection.holds(held.header))
    }

    /// Every entry, feed by feed, with the feed of each.
    pub(super) fn entries(&self) -> impl Iterator<Item = (HeldFeed, HeldEntry<'_>)> {
        let feeds = self.holdings.feeds().into_iter();
        feeds.flat_map(|feed| self.holdings.entries_of(feed.feed).map(move |held| (feed, held)))
    }

    /// A kind of entries that this program knows, or that is in the file.
    fn kind_named(&self, named: &str) -> Result<Kind, Refusal> {
        let here = self.entries().map(|(_, held)| held.header.kind);
        let mut all = Kind::ALL.iter().copied().chain(here);
        all.find(|kind| kind.to_string() == named).ok_or_else(|| {
            let names: Vec<&str> = Kind::ALL.iter().filter_map(|kind| kind.name()).collect();
            let message =
                format!("no kind of entry is called {named:?}; there is {}", names.join(", "));
            Refusal::new("unknown-kind", message)
        })
    }
}
