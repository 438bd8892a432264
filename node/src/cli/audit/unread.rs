//! What entries about an artefact say that is not in the file: with it, the artefact may come to something else.
//!
//! *Invariants.* Whoever tells what an artefact comes to tells this beside it. Entries that no result rests on are
//! passed over.
//!
//! *Source*: ours.

use std::collections::BTreeMap;

use concordat_protocol::replay::Content;
use serde::Serialize;

use crate::{artefact::Sight, cli::out::count_in_words};

/// Entries of one member and kind whose content is not in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Unread {
    slug: String,
    kind: String,
    entries: usize,
}

impl Unread {
    /// All of it, by member and kind.
    pub(super) fn of(sight: &Sight<'_>) -> Vec<Self> {
        let is_unread = |content: &Content| match content {
            Content::Due | Content::Withheld => true,
            Content::Here(_) | Content::Beyond => false,
        };
        let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
        let entries = sight.dossier.entries.iter();
        for entry in entries.filter(|entry| entry.is_kept && is_unread(&entry.content)) {
            let of = (sight.slug(&entry.by.org), entry.kind.to_string());
            *counts.entry(of).or_default() += 1;
        }
        counts.into_iter().map(|((slug, kind), entries)| Self { slug, kind, entries }).collect()
    }

    pub(super) fn in_words(&self) -> String {
        let Self { slug, kind, .. } = self;
        let entries = count_in_words(self.entries, "entry", "entries");
        let say = if self.entries == 1 { "says" } else { "say" };
        format!("what {entries} of {slug} ({kind}) {say} is not in the file")
    }
}

/// The same in one sentence.
pub(super) fn in_words(unread: &[Unread]) -> String {
    unread.iter().map(Unread::in_words).collect::<Vec<_>>().join("; ")
}
