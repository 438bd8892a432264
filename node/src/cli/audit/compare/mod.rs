//! `audit compare`: two bundles of one board against each other.
//!
//! ```text
//! first    ──●──●──●──●           entries 0 to 3
//! second   ──●──●──●              "not yet synced": the chain of the second ends before it
//! second   ──●──○──○              another entry at one place: its author signed two histories
//! ```
//!
//! Both files were verified by themselves, so every entry is its author's: two entries at one place of
//! one feed prove who contradicted itself, though each file alone is clean.
//!
//! *Invariants.* What one of them lacks is a difference with a reason; only what contradicts is a finding.
//!
//! *Source*: ours.

mod told;

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
};

use concordat_protocol::{
    hash::{ArtefactId, BoardId, EntryId, FeedId},
    payload::Audience,
};
use told::{ArtefactLine, Compared, ContentLine, FeedLine, OnlyLine, closing, words};

use super::{
    EXIT_FINDINGS,
    entry::EntryLine,
    exit_code,
    opened::{Opened, feed_name},
};
use crate::{
    cli::{args::audit::Compare, error::CliError, out::Out},
    control::{AsOf, Refusal},
};

pub(super) fn run(args: &Compare, out: &Out) -> Result<ExitCode, CliError> {
    let (first, second) = (Opened::read(&args.first, out)?, Opened::read(&args.second, out)?);
    let comparing = Comparing { first: &first, second: &second, boards: common(&first, &second)? };
    let compared = comparing.run();
    out.show(&compared, &words(&compared))?;
    Ok(ExitCode::from(compared.exit_code))
}

/// The boards that both files hold.
fn common(first: &Opened, second: &Opened) -> Result<BTreeSet<BoardId>, Refusal> {
    let boards = |one: &Opened| -> BTreeSet<BoardId> {
        one.report.summary.boards.iter().map(|board| board.board).collect()
    };
    let (ours, theirs) = (boards(first), boards(second));
    let both: BTreeSet<BoardId> = ours.intersection(&theirs).copied().collect();
    if both.is_empty() {
        let named = |boards: &BTreeSet<BoardId>| {
            boards.iter().map(BoardId::to_string).collect::<Vec<_>>().join(", ")
        };
        let message = format!(
            "the files are of different boards, {} and {}; compare exports of one board",
            named(&ours),
            named(&theirs)
        );
        return Err(Refusal::new("other-board", message));
    }
    Ok(both)
}

struct Comparing<'a> {
    first: &'a Opened,
    second: &'a Opened,
    boards: BTreeSet<BoardId>,
}

/// For whom contents are, by the file that has them and the artefact: each is worked out once.
type Audiences = BTreeMap<(&'static str, String), String>;

/// The entries of one feed in one file.
type Held = BTreeMap<EntryId, EntryLine>;

impl Comparing<'_> {
    fn run(&self) -> Compared {
        let mut compared = Compared {
            exit_code: 0,
            boards: self.boards.iter().map(BoardId::to_string).collect(),
            feeds: Vec::new(),
            contents: Vec::new(),
            artefacts: Vec::new(),
            findings: Vec::new(),
            closing: String::new(),
            first: self.first.input(),
            second: self.second.input(),
        };
        let mut artefacts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let mut audiences = Audiences::new();
        for (feed, (first, second)) in self.feeds() {
            let fork = self.fork(&feed, (&first, &second), &mut compared.findings);
            for id in first.keys().chain(second.keys()).collect::<BTreeSet<_>>() {
                let held = (first.get(id), second.get(id));
                let content = self.content(held, &mut audiences);
                if let Some(artefact) = held.0.or(held.1).and_then(|one| one.artefact.clone()) {
                    let (alike, differ) = artefacts.entry(artefact).or_default();
                    let is_alike = content.is_none() && held.0.is_some() && held.1.is_some();
                    *(if is_alike { alike } else { differ }) += 1;
                }
                compared.contents.extend(content);
            }
            compared.feeds.extend(feed_line(&first, &second, fork));
        }
        let line = |(artefact, (alike, differ))| ArtefactLine { artefact, alike, differ };
        compared.artefacts = artefacts.into_iter().map(line).collect();
        let reports = [&self.first.report, &self.second.report];
        let alone = reports.map(|report| exit_code(report, false));
        compared.exit_code = match alone {
            [one, other]
                if compared.findings.is_empty()
                    && one != EXIT_FINDINGS
                    && other != EXIT_FINDINGS =>
            {
                one.max(other)
            }
            [..] => EXIT_FINDINGS,
        };
        compared.closing = closing(&compared);
        compared
    }

    /// Every feed of these boards that either file has, with its entries in both.
    fn feeds(&self) -> BTreeMap<FeedId, (Held, Held)> {
        let mut all: BTreeMap<FeedId, (Held, Held)> = BTreeMap::new();
        for (is_first, opened) in [(true, self.first), (false, self.second)] {
            for feed in opened.holdings.feeds() {
                if !self.boards.contains(&feed.board) {
                    continue;
                }
                let entries = opened.holdings.entries_of(feed.feed);
                let entries = entries.map(|held| (held.id, EntryLine::of(opened, &feed, &held)));
                let both = all.entry(feed.feed).or_default();
                let held = if is_first { &mut both.0 } else { &mut both.1 };
                held.extend(entries);
            }
        }
        all.retain(|_, (first, second)| !(first.is_empty() && second.is_empty()));
        all
    }

    /// Where a feed is forked, and what the two files together prove of that.
    fn fork(
        &self,
        feed: &FeedId,
        (first, second): (&Held, &Held),
        findings: &mut Vec<String>,
    ) -> Option<u64> {
        let mut places: BTreeMap<u64, BTreeMap<EntryId, &EntryLine>> = BTreeMap::new();
        for (id, line) in first.iter().chain(second) {
            places.entry(line.seq).or_default().insert(*id, line);
        }
        let parted = places.values().find(|ids| ids.len() > 1);
        let of = |opened: &Opened| {
            opened
                .holdings
                .feeds()
                .iter()
                .find(|held| held.feed == *feed)
                .and_then(|held| held.fork)
        };
        let known = [of(self.first), of(self.second)];
        if let Some(line) = parted.and_then(|ids| ids.values().next()) {
            let ids: Vec<String> =
                parted.into_iter().flatten().map(|(id, _)| id.to_string()).collect();
            let shown = match known {
                [None, None] => "each file alone is clean, both together prove it",
                [Some(_), Some(_)] => "both files prove it",
                [Some(_), None] => "the first file proves it by itself",
                [None, Some(_)] => "the second file proves it by itself",
            };
            findings.push(format!(
                "{} signed two histories that part at entry {}, {}: {shown}",
                feed_name(&line.slug, line.epoch),
                line.seq,
                ids.join(" and ")
            ));
        }
        let at = parted.and_then(|ids| ids.values().next()).map(|line| line.seq);
        at.into_iter().chain(known.into_iter().flatten()).min()
    }

    /// The difference, if both hold the entry and only one its content.
    fn content(
        &self,
        held: (Option<&EntryLine>, Option<&EntryLine>),
        audiences: &mut Audiences,
    ) -> Option<ContentLine> {
        let (Some(one), Some(other)) = held else { return None };
        let (line, file, opened) = match (one.has_content, other.has_content) {
            (true, false) => (one, "first", self.first),
            (false, true) => (other, "second", self.second),
            (true, true) | (false, false) => return None,
        };
        let why = match (line.is_withheld, &line.artefact) {
            (false, _) => "not yet synced: every member is due it".to_owned(),
            (true, None) => "it is for an audience".to_owned(),
            (true, Some(artefact)) => {
                let known = audiences.entry((file, artefact.clone()));
                known.or_insert_with(|| audience(opened, artefact)).clone()
            }
        };
        Some(ContentLine { entry: line.clone(), file, why })
    }
}

/// For whom the content of an artefact is, as the file that has it tells.
fn audience(opened: &Opened, artefact: &str) -> String {
    let id: Option<ArtefactId> = artefact.parse().ok();
    let sight = id.and_then(|id| opened.sight(&id, &AsOf::Now).ok().flatten());
    match sight.map(|sight| (sight.replay.audience.clone(), sight)) {
        Some((Audience::Only(orgs), sight)) => {
            let slugs: BTreeSet<String> = orgs.iter().map(|org| sight.slug(org)).collect();
            let slugs: Vec<String> = slugs.into_iter().collect();
            format!("it is for its audience alone: {}", slugs.join(", "))
        }
        Some((Audience::Everyone, _)) => {
            "not yet synced, or left out: every member is due it".to_owned()
        }
        None => "it is for an audience".to_owned(),
    }
}

fn feed_line(first: &Held, second: &Held, forked_at: Option<u64>) -> Option<FeedLine> {
    let named = first.values().chain(second.values()).next()?;
    let mut only = Vec::new();
    for (file, ours, theirs) in [("first", first, second), ("second", second, first)] {
        let ends = theirs.values().map(|line| line.seq.saturating_add(1)).max().unwrap_or(0);
        let lacking: Vec<&EntryLine> =
            ours.iter().filter(|(id, _)| !theirs.contains_key(*id)).map(|(_, line)| line).collect();
        // A chain has no holes: what is below the end of the other is of another history.
        let is_branch = |line: &&&EntryLine| {
            line.seq < ends || line.history > 0 || forked_at.is_some_and(|at| line.seq >= at)
        };
        let (branch, later): (Vec<&EntryLine>, Vec<&EntryLine>) =
            lacking.iter().copied().partition(|line| is_branch(&line));
        for (why, lines) in [("forked branch", branch), ("not yet synced", later)] {
            let seqs = || lines.iter().map(|line| line.seq);
            if let (Some(from), Some(to)) = (seqs().min(), seqs().max()) {
                only.push(OnlyLine { file, from, to, entries: lines.len(), why });
            }
        }
    }
    Some(FeedLine {
        slug: named.slug.clone(),
        epoch: named.epoch,
        first: first.len(),
        second: second.len(),
        in_both: first.keys().filter(|id| second.contains_key(id)).count(),
        forked_at,
        only,
    })
}
