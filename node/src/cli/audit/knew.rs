//! `audit knew`: which organisation had an entry, since when at the latest, and by which acknowledgement.
//!
//! ```text
//! author   … 7 …
//! other    … ack of 5 … ack of 9, the last received at t …       it had entry 7 at t, by its own clock
//! ```
//!
//! *Invariants.* Only what an organisation signed says that it knew. Who never acknowledged it may have had
//! it all the same: that is said, not judged.
//!
//! *Source*: ours.

use std::process::ExitCode;

use concordat_protocol::audit::Knew;
use serde::Serialize;

use super::{
    entry::EntryLine,
    exit_code,
    opened::{Input, Opened},
};
use crate::cli::{
    args::audit::Knew as Args,
    error::CliError,
    out::{Out, time_in_words},
};

#[derive(Serialize)]
struct Known {
    exit_code: u8,
    entry: EntryLine,
    /// Every other member, by short name.
    members: Vec<MemberLine>,
    /// When, as they say, a strict majority of the others with a vote had it.
    by_majority_ms: Option<u64>,
    input: Input,
}

#[derive(Serialize)]
struct MemberLine {
    slug: String,
    has_vote: bool,
    /// The first acknowledgement that covers the entry, but not its content.
    without_content: Option<AckLine>,
    /// The first that covers both.
    with_content: Option<AckLine>,
}

#[derive(Serialize)]
struct AckLine {
    id: String,
    epoch: u64,
    seq: u64,
    /// When the last of what it covers was received, by the organisation's clock.
    received_ms: u64,
    /// When it was written, by the same clock.
    time_ms: u64,
}

pub(super) fn run(args: &Args, out: &Out) -> Result<ExitCode, CliError> {
    let opened = Opened::read(&args.file, out)?;
    let (feed, held) = opened.entry(&args.entry)?;
    let knew = opened.holdings.knew(&feed.feed, (held.history, held.header.seq));
    let charter = opened.holdings.charter(&feed.board);
    let members = charter.into_iter().flat_map(|charter| &charter.members);
    let others = members.filter(|member| member.org != feed.org);
    let line = |is_complete: bool, org| {
        let found = knew.iter().find(|one| one.org == org && one.is_complete == is_complete);
        found.map(AckLine::of)
    };
    let mut members: Vec<MemberLine> = others
        .map(|member| MemberLine {
            slug: member.slug.to_string(),
            has_vote: member.status.has_seat(),
            without_content: line(false, member.org),
            with_content: line(true, member.org),
        })
        .collect();
    members.sort_by(|one, other| one.slug.cmp(&other.slug));
    let known = Known {
        exit_code: exit_code(&opened.report, false),
        entry: EntryLine::of(&opened, &feed, &held),
        by_majority_ms: by_majority(&members),
        members,
        input: opened.input(),
    };
    out.show(&known, &words(&known))?;
    Ok(ExitCode::from(known.exit_code))
}

fn by_majority(members: &[MemberLine]) -> Option<u64> {
    let voting: Vec<&MemberLine> = members.iter().filter(|one| one.has_vote).collect();
    let mut times: Vec<u64> =
        voting.iter().filter_map(|one| Some(one.with_content.as_ref()?.received_ms)).collect();
    times.sort_unstable();
    times.get(voting.len() / 2).copied()
}

impl AckLine {
    fn of(knew: &Knew) -> Self {
        Self {
            id: knew.entry.to_string(),
            epoch: knew.epoch,
            seq: knew.seq,
            received_ms: knew.received_at.0,
            time_ms: knew.at.0,
        }
    }
}

impl MemberLine {
    fn in_words(&self) -> Vec<String> {
        let line = |ack: &AckLine, what: &str| {
            let place = super::entry::place((&self.slug, ack.epoch), ack.seq);
            let (received, at) = (time_in_words(ack.received_ms), time_in_words(ack.time_ms));
            format!(
                "  {}: {what} by {received} at the latest, as {place} of {at} says  {}",
                self.slug, ack.id
            )
        };
        let without =
            self.without_content.iter().map(|ack| line(ack, "had it without its content"));
        let with = self.with_content.iter().map(|ack| line(ack, "had it"));
        let lines: Vec<String> = without.chain(with).collect();
        if lines.is_empty() {
            return vec![format!(
                "  {}: never acknowledged it, as far as this file goes",
                self.slug
            )];
        }
        lines
    }
}

fn words(known: &Known) -> Vec<String> {
    let mut lines = vec![known.entry.in_words()];
    lines.extend(known.members.iter().flat_map(MemberLine::in_words));
    lines.push(match known.by_majority_ms {
        Some(at) => format!(
            "a majority of the other members with a vote had it by {}, by their clocks",
            time_in_words(at)
        ),
        None => {
            "it is not shown that a majority of the other members with a vote had it".to_owned()
        }
    });
    lines.extend(known.input.verdict());
    lines
}
