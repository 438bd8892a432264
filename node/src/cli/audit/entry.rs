//! One entry of a bundle, as a report shows it.
//!
//! *Source*: ours.

use concordat_protocol::{
    audit::{HeldEntry, HeldFeed},
    decision::Standing,
    hash::EntryId,
};
use serde::Serialize;

use super::opened::{Opened, feed_name};
use crate::{
    artefact::{begins, which},
    cli::out::time_in_words,
    control::Refusal,
};

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct EntryLine {
    pub(super) board: String,
    /// Whose feed.
    pub(super) slug: String,
    pub(super) epoch: u64,
    /// 0 for the history that stands first in the file, others for its branches.
    pub(super) history: usize,
    pub(super) seq: u64,
    pub(super) id: String,
    /// When, as its author's clock claims.
    pub(super) time_ms: u64,
    pub(super) kind: String,
    pub(super) artefact: Option<String>,
    /// What it relies on.
    pub(super) refs: Vec<String>,
    pub(super) is_settled: bool,
    /// `stands`, `forked` or `void`.
    pub(super) standing: &'static str,
    /// Whether its content is in the file.
    pub(super) has_content: bool,
    /// Whether its content is for an audience alone.
    pub(super) is_withheld: bool,
}

impl EntryLine {
    pub(super) fn of(opened: &Opened, feed: &HeldFeed, held: &HeldEntry<'_>) -> Self {
        let header = held.header;
        Self {
            board: feed.board.to_string(),
            slug: opened.slug(&feed.board, &feed.org),
            epoch: feed.epoch,
            history: held.history,
            seq: header.seq,
            id: held.id.to_string(),
            time_ms: header.t.0,
            kind: header.kind.to_string(),
            artefact: header.artefact.map(|artefact| artefact.to_string()),
            refs: header.refs.iter().map(EntryId::to_string).collect(),
            is_settled: held.is_settled,
            standing: match held.standing {
                Standing::Stands => "stands",
                Standing::Forked { .. } => "forked",
                Standing::Void => "void",
            },
            has_content: held.is_here,
            is_withheld: header.kind.is_withheld(),
        }
    }

    /// The feed and the place, as findings name them.
    pub(super) fn place(&self) -> String {
        place((&self.slug, self.epoch), self.seq)
    }

    pub(super) fn in_words(&self) -> String {
        let about = self.artefact.as_ref().map(|one| format!(" about {one}")).unwrap_or_default();
        let refs = match self.refs.as_slice() {
            [] => String::new(),
            refs => format!(", relies on {}", refs.join(" ")),
        };
        let settled = if self.is_settled { "settled" } else { "open" };
        let standing = match self.standing {
            "stands" => String::new(),
            other => format!(", {other}"),
        };
        let content = if self.has_content { "" } else { ", content not here" };
        let branch = match self.history {
            0 => String::new(),
            number => format!(" on branch {number}"),
        };
        format!(
            "{}  {}{branch}: {}{about}, {settled}{standing}{content}{refs}  {}",
            time_in_words(self.time_ms),
            self.place(),
            self.kind,
            self.id
        )
    }
}

/// The place of an entry in a feed, as findings name it.
pub(super) fn place((slug, epoch): (&str, u64), seq: u64) -> String {
    format!("entry {seq} of {}", feed_name(slug, epoch))
}

impl Opened {
    /// The entry that a person named by the beginning of its id, and its feed.
    pub(super) fn entry(&self, named: &str) -> Result<(HeldFeed, HeldEntry<'_>), Refusal> {
        let mut meant: Vec<(HeldFeed, HeldEntry<'_>)> = Vec::new();
        for feed in self.holdings.feeds() {
            let entries = self.holdings.entries_of(feed.feed);
            let named = entries.filter(|one| begins(&one.id.to_string(), "entry-", named));
            meant.extend(named.map(|one| (feed, one)));
        }
        match meant.as_slice() {
            [one] => Ok(*one),
            [] => {
                let message = format!(
                    "no entry of the bundle begins with {named:?}; `concordat audit log` lists them"
                );
                Err(Refusal::new("unknown-entry", message))
            }
            several => {
                Err(which("entry", named, several.iter().map(|(_, one)| one.id.to_string())))
            }
        }
    }
}
