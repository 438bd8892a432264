//! What a comparison tells, as JSON and in words.
//!
//! *Source*: ours.

use serde::Serialize;

use crate::cli::{
    audit::{
        entry::EntryLine,
        opened::{Input, feed_name},
    },
    out::count_in_words,
};

#[derive(Serialize)]
pub(super) struct Compared {
    pub(super) exit_code: u8,
    pub(super) boards: Vec<String>,
    pub(super) feeds: Vec<FeedLine>,
    /// Entries that both hold, and of which one has no content.
    pub(super) contents: Vec<ContentLine>,
    pub(super) artefacts: Vec<ArtefactLine>,
    pub(super) findings: Vec<String>,
    pub(super) closing: String,
    pub(super) first: Input,
    pub(super) second: Input,
}

#[derive(Serialize)]
pub(super) struct FeedLine {
    pub(super) slug: String,
    pub(super) epoch: u64,
    /// How many entries each has, branches included.
    pub(super) first: usize,
    pub(super) second: usize,
    pub(super) in_both: usize,
    pub(super) forked_at: Option<u64>,
    pub(super) only: Vec<OnlyLine>,
}

/// Entries that only one of the files has.
#[derive(Serialize)]
pub(super) struct OnlyLine {
    /// `first` or `second`.
    pub(super) file: &'static str,
    /// The lowest and the highest place.
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) entries: usize,
    /// `not yet synced` or `forked branch`.
    pub(super) why: &'static str,
}

#[derive(Serialize)]
pub(super) struct ContentLine {
    pub(super) entry: EntryLine,
    /// Which file has the content.
    pub(super) file: &'static str,
    pub(super) why: String,
}

#[derive(Serialize)]
pub(super) struct ArtefactLine {
    pub(super) artefact: String,
    /// Entries that both hold, with content or without it in both alike.
    pub(super) alike: usize,
    /// Entries, or contents, that only one has.
    pub(super) differ: usize,
}

pub(super) fn words(compared: &Compared) -> Vec<String> {
    let mut lines = Vec::new();
    for (which, input) in [("first", &compared.first), ("second", &compared.second)] {
        lines.push(format!("{which}: {}, {}", input.file, input.bundle));
        lines.extend(input.findings.iter().map(|finding| format!("  {finding}")));
    }
    lines.extend(compared.boards.iter().map(|board| format!("both are of {board}")));
    for feed in &compared.feeds {
        let name = feed_name(&feed.slug, feed.epoch);
        let (first, second, both) = (feed.first, feed.second, feed.in_both);
        lines.push(format!("  {name}: {first} and {second} entries, {both} in both"));
        for only in &feed.only {
            let count = count_in_words(only.entries, "entry", "entries");
            let (file, from, to, why) = (only.file, only.from, only.to, only.why);
            lines.push(format!("    only the {file} has {count}, {from} to {to}: {why}"));
        }
    }
    for content in &compared.contents {
        let (place, kind) = (content.entry.place(), &content.entry.kind);
        let (file, why) = (content.file, &content.why);
        lines.push(format!("  only the {file} has the content of {place} ({kind}): {why}"));
    }
    for one in &compared.artefacts {
        let differ = match one.differ {
            0 => "the same in both".to_owned(),
            count => format!(
                "{} in one alone",
                count_in_words(count, "entry or content", "entries or contents")
            ),
        };
        let alike = count_in_words(one.alike, "entry", "entries");
        lines.push(format!("  {}: {alike} alike, {differ}", one.artefact));
    }
    lines.extend(compared.findings.iter().map(|finding| format!("FINDING: {finding}")));
    lines.push(compared.closing.clone());
    lines
}

pub(super) fn closing(compared: &Compared) -> String {
    let both: usize = compared.feeds.iter().map(|feed| feed.in_both).sum();
    let only: usize =
        compared.feeds.iter().flat_map(|feed| &feed.only).map(|only| only.entries).sum();
    let differ = only + compared.contents.len();
    let differences = count_in_words(differ, "difference", "differences");
    let both = count_in_words(both, "entry", "entries");
    match compared.findings.len() {
        0 => format!(
            "Nothing in one contradicts the other: {both} in both, {differences} with a reason."
        ),
        count => {
            let findings = count_in_words(count, "contradiction", "contradictions");
            format!("The files prove {findings}: {both} in both, {differences}.")
        }
    }
}
