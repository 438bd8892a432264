//! Which entries of a bundle are meant: one filter for listing them and for handing on what they say.
//!
//! | condition | holds of an entry |
//! |---|---|
//! | `feeds` | in one of these |
//! | `kind` | of it |
//! | `artefact` | about it |
//! | `from`, `until` | that claims such a time: its author's clock, and no more than a claim |
//!
//! Invariants: an entry is meant if every condition that is given holds of it, so an empty selection means all.
//! By headers alone: whether an entry is meant does not hang on what is held of it, nor on what it says.
//!
//! Source: ours.

use alloc::collections::BTreeSet;

use crate::{
    feed::{CompactEntry, Header, Kind},
    hash::{ArtefactId, FeedId},
    time::TimeMs,
};

/// Entries that are meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Of these feeds alone.
    pub feeds: Option<BTreeSet<FeedId>>,
    /// Of this kind alone.
    pub kind: Option<Kind>,
    /// About this artefact alone.
    pub artefact: Option<ArtefactId>,
    /// That claim this time, or a later one.
    pub from: Option<TimeMs>,
    /// That claim this time, or an earlier one.
    pub until: Option<TimeMs>,
}

impl Selection {
    /// All about one artefact.
    #[must_use]
    pub fn about(artefact: ArtefactId) -> Self {
        Self { artefact: Some(artefact), ..Self::default() }
    }

    /// Whether the entry with this header is meant.
    #[must_use]
    pub fn holds(&self, header: &Header) -> bool {
        self.means(&header.feed, header.kind, header.artefact, header.t)
    }

    /// The same of an entry as it travels in a run of this feed.
    pub(super) fn takes(&self, feed: &FeedId, entry: &CompactEntry) -> bool {
        self.means(feed, entry.kind, entry.artefact, entry.t)
    }

    fn means(
        &self,
        feed: &FeedId,
        kind: Kind,
        artefact: Option<ArtefactId>,
        claimed: TimeMs,
    ) -> bool {
        self.feeds.as_ref().is_none_or(|feeds| feeds.contains(feed))
            && self.kind.is_none_or(|meant| meant == kind)
            && self.artefact.is_none_or(|meant| artefact == Some(meant))
            && self.from.is_none_or(|from| claimed >= from)
            && self.until.is_none_or(|until| claimed <= until)
    }
}
