//! `audit forks`: which organisations signed two histories of one feed, who proves it, and which one counts.
//!
//! *Source*: ours.

use std::{collections::BTreeMap, process::ExitCode};

use concordat_protocol::audit::{Finding, HeldEntry, HeldFeed};
use serde::Serialize;

use super::{
    entry::EntryLine,
    exit_code,
    opened::{Input, Opened, feed_name},
};
use crate::cli::{
    args::audit::Forks,
    error::CliError,
    out::{Out, count_in_words},
};

#[derive(Serialize)]
struct Forked {
    exit_code: u8,
    feeds: Vec<FeedLine>,
    closing: String,
    input: Input,
}

/// One feed with several histories.
#[derive(Serialize)]
struct FeedLine {
    slug: String,
    epoch: u64,
    /// Where its histories part, if they part within the feed.
    at: Option<u64>,
    /// Who shows it, by feed and place.
    findings: Vec<String>,
    /// The histories in the file from there on.
    histories: Vec<HistoryLine>,
}

#[derive(Serialize)]
struct HistoryLine {
    /// Its first entry that the others do not have.
    first: EntryLine,
    entries: usize,
    /// How many of them are settled.
    settled: usize,
}

pub(super) fn run(args: &Forks, out: &Out) -> Result<ExitCode, CliError> {
    let opened = Opened::read(&args.file, out)?;
    let feeds: Vec<FeedLine> =
        opened.holdings.feeds().iter().filter_map(|feed| feed_line(&opened, feed)).collect();
    let closing = match feeds.len() {
        0 => "No organisation is shown to have signed two histories.".to_owned(),
        count => format!(
            "{} two histories.",
            match count {
                1 => "1 feed has".to_owned(),
                count => format!("{count} feeds have"),
            }
        ),
    };
    let exit_code = exit_code(&opened.report, !feeds.is_empty());
    let forked = Forked { exit_code, feeds, closing, input: opened.input() };
    out.show(&forked, &words(&forked))?;
    Ok(ExitCode::from(exit_code))
}

fn feed_line(opened: &Opened, feed: &HeldFeed) -> Option<FeedLine> {
    let findings: Vec<String> = opened
        .report
        .findings
        .iter()
        .filter(|finding| match finding {
            Finding::ForkProven { of, .. }
            | Finding::SecondHistory { of, .. }
            | Finding::OpenedTwice { of } => of.feed == feed.feed,
            _ => false,
        })
        .map(ToString::to_string)
        .collect();
    if feed.fork.is_none() && findings.is_empty() {
        return None;
    }
    let mut histories: BTreeMap<usize, HistoryLine> = BTreeMap::new();
    let beyond = |held: &HeldEntry<'_>| feed.fork.is_some_and(|at| held.header.seq >= at);
    for held in opened.holdings.entries_of(feed.feed).filter(beyond) {
        let line = histories.entry(held.history).or_insert_with(|| HistoryLine {
            first: EntryLine::of(opened, feed, &held),
            entries: 0,
            settled: 0,
        });
        line.entries += 1;
        line.settled += usize::from(held.is_settled);
    }
    Some(FeedLine {
        slug: opened.slug(&feed.board, &feed.org),
        epoch: feed.epoch,
        at: feed.fork,
        findings,
        histories: histories.into_values().collect(),
    })
}

fn words(forked: &Forked) -> Vec<String> {
    let mut lines = Vec::new();
    for feed in &forked.feeds {
        let at = feed.at.map(|at| format!(" from entry {at} on")).unwrap_or_default();
        let name = feed_name(&feed.slug, feed.epoch);
        lines.push(format!("FINDING: {name} has two histories{at}"));
        lines.extend(feed.findings.iter().map(|finding| format!("  {finding}")));
        for history in &feed.histories {
            let entries = count_in_words(history.entries, "entry", "entries");
            let (first, settled) = (history.first.in_words(), history.settled);
            lines.push(format!("  {entries}, {settled} settled, the first:"));
            lines.push(format!("    {first}"));
        }
    }
    lines.push(forked.closing.clone());
    lines.extend(forked.input.verdict());
    lines
}
