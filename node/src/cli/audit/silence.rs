//! `audit silence`: when each member last wrote, and last acknowledged what others wrote.
//!
//! *Invariants.* Times are their authors' claims, and ages are counted from the newest of them in the file:
//! the same file tells the same whenever it is read.
//!
//! *Source*: ours.

use std::{cmp::Reverse, process::ExitCode};

use concordat_protocol::{audit::HeldFeed, feed::Kind, hash::OrgId};
use serde::Serialize;

use super::{
    entry::EntryLine,
    exit_code,
    opened::{Input, Opened},
};
use crate::cli::{
    args::audit::Silence,
    error::CliError,
    out::{Out, age_in_words},
};

#[derive(Serialize)]
struct Silent {
    exit_code: u8,
    /// The entry that claims the latest time.
    newest: Option<EntryLine>,
    /// The one that was silent longest stands first.
    members: Vec<MemberLine>,
    input: Input,
}

#[derive(Serialize)]
struct MemberLine {
    board: String,
    slug: String,
    status: String,
    /// What it wrote last, acknowledgements apart; none if nothing.
    wrote: Option<LastLine>,
    /// What it acknowledged last.
    acknowledged: Option<LastLine>,
}

#[derive(Serialize)]
struct LastLine {
    entry: EntryLine,
    /// By how much it is older than the newest of the file.
    seconds_before_newest: u64,
}

pub(super) fn run(args: &Silence, out: &Out) -> Result<ExitCode, CliError> {
    let opened = Opened::read(&args.file, out)?;
    let feeds = opened.holdings.feeds();
    let newest = last(&opened, feeds.iter(), |_| true);
    let newest_ms = newest.as_ref().map_or(0, |line| line.time_ms);
    let mut members = Vec::new();
    for board in &opened.report.summary.boards {
        let charter = opened.holdings.charter(&board.board);
        for member in charter.into_iter().flat_map(|charter| &charter.members) {
            let of = |org: &OrgId| {
                let org = *org;
                feeds.iter().filter(move |feed| feed.org == org && feed.board == board.board)
            };
            let line = |is_ack: bool| {
                let found = last(&opened, of(&member.org), |kind| (kind == Kind::ACK) == is_ack);
                found.map(|entry| LastLine {
                    seconds_before_newest: newest_ms.saturating_sub(entry.time_ms) / 1_000,
                    entry,
                })
            };
            members.push(MemberLine {
                board: board.board.to_string(),
                slug: member.slug.to_string(),
                status: member.status.to_string(),
                wrote: line(false),
                acknowledged: line(true),
            });
        }
    }
    members.sort_by_key(|one| (Reverse(one.silent_for()), one.slug.clone()));
    let exit_code = exit_code(&opened.report, false);
    let silent = Silent { exit_code, newest, members, input: opened.input() };
    out.show(&silent, &words(&silent))?;
    Ok(ExitCode::from(exit_code))
}

/// The entry that claims the latest time, of some feeds and kinds.
fn last<'a>(
    opened: &Opened,
    feeds: impl Iterator<Item = &'a HeldFeed>,
    is_meant: impl Fn(Kind) -> bool,
) -> Option<EntryLine> {
    let entries = feeds.flat_map(|feed| {
        let entries = opened.holdings.entries_of(feed.feed);
        entries.map(move |held| (feed, held))
    });
    let meant = entries.filter(|(_, held)| is_meant(held.header.kind));
    let last = meant.max_by_key(|(feed, held)| (held.header.t, feed.epoch, held.header.seq));
    last.map(|(feed, held)| EntryLine::of(opened, feed, &held))
}

impl MemberLine {
    /// Seconds without any sign of it; none at all is longest.
    fn silent_for(&self) -> u64 {
        let signs = self.wrote.iter().chain(&self.acknowledged);
        signs.map(|last| last.seconds_before_newest).min().unwrap_or(u64::MAX)
    }

    fn in_words(&self) -> String {
        let line = |last: &Option<LastLine>, did: &str, never: &str| match last {
            None => never.to_owned(),
            Some(last) => format!(
                "{did} {} before the newest ({}, {})",
                age_in_words(last.seconds_before_newest),
                last.entry.kind,
                last.entry.place()
            ),
        };
        let wrote = line(&self.wrote, "last wrote", "has written nothing");
        let acknowledged =
            line(&self.acknowledged, "last acknowledged", "has acknowledged nothing");
        format!("  {} ({}): {wrote}; {acknowledged}", self.slug, self.status)
    }
}

fn words(silent: &Silent) -> Vec<String> {
    let newest = silent.newest.iter().map(|line| format!("the newest: {}", line.in_words()));
    let mut lines: Vec<String> = newest.collect();
    lines.extend(silent.members.iter().map(MemberLine::in_words));
    lines.extend(silent.input.verdict());
    lines
}
