//! The entries that were chosen as one bundle, without the content of the others.
//!
//! ```text
//!   whole ──chosen──▶ excerpt ──read again──▶ the same but for content? ──▶ FILE
//! ```
//!
//! *Invariants.* Every header, signature, acknowledgement and proof of a fork of the boards on which something was
//! chosen is in it, and nothing of other boards. What the whole proves and this cannot is told, and shows in the
//! exit code. The file is there whole, or not at all.
//!
//! *Source*: ours.

use std::{collections::BTreeSet, fs, process::ExitCode};

use concordat_protocol::{
    audit::{Finding, HeldEntry, Selection, Severity},
    hash::BoardId,
};
use serde::Serialize;

use super::{beside::Beside, excerpt};
use crate::{
    cli::{
        args::audit::Export,
        audit::{
            chosen::{self, Times},
            exit_code,
            opened::{Input, Opened},
            source::Source,
        },
        error::CliError,
        out::{Out, bytes_in_words, count_in_words},
    },
    control::Refusal,
    home::FileError,
};

/// What was made.
#[derive(Debug, Serialize)]
struct Exported {
    exit_code: u8,
    /// The bundle.
    file: String,
    bytes: u64,
    /// By what the entries were chosen.
    chosen_by: String,
    #[serde(flatten)]
    figures: Figures,
    /// What the whole proves by content that is withheld here.
    not_proven: Vec<String>,
    /// What the bundle is found to be.
    closing: String,
    /// The whole.
    input: Input,
}

/// Numbers of entries.
#[derive(Debug, Clone, Copy, Serialize)]
struct Figures {
    chosen: usize,
    /// Of these, whose content is not in the whole either.
    chosen_without_content: usize,
    /// Chosen or not.
    entries: usize,
    /// Of all these, whose content is not in the bundle.
    withheld: usize,
}

pub(super) fn run(args: &Export, out: &Out) -> Result<ExitCode, CliError> {
    let times = Times::of(&args.range)?;
    let beside = Beside::of(&args.out, "file")?;
    let source = Source::of(&args.file, out)?;
    let whole = Opened::of(&source, &args.file, out)?;
    excerpt::expect_checked(&whole)?;
    let selection = whole.selection(&args.range, times)?;
    let chosen_by = chosen::in_words(&args.range, times);
    let boards = boards(&whole, &selection, &chosen_by)?;
    let made = beside.made();
    excerpt::write((&whole, &source), (selection.clone(), &boards), &made, out)?;
    let part = Opened::read(&made, out)?;
    expect_same(&whole, &part, (&selection, &boards))?;
    let bytes = fs::metadata(&made).map_err(FileError::at("reading", &made))?.len();
    beside.place_file()?;
    let exported = Exported {
        exit_code: exit_code(&whole.report, false),
        file: args.out.display().to_string(),
        bytes,
        chosen_by,
        figures: figures(&part, &selection),
        not_proven: not_proven(&whole, &part),
        closing: part.report.closing(),
        input: whole.input(),
    };
    out.show(&exported, &words(&exported))?;
    Ok(ExitCode::from(exported.exit_code))
}

/// The boards on which something was chosen.
fn boards(
    whole: &Opened,
    selection: &Selection,
    chosen_by: &str,
) -> Result<BTreeSet<BoardId>, Refusal> {
    let boards: BTreeSet<BoardId> = whole.chosen(selection).map(|(feed, _)| feed.board).collect();
    if boards.is_empty() {
        let message = format!(
            "the bundle has no entry {chosen_by}, so there is nothing to export; `concordat audit log` lists all \
             that it has"
        );
        return Err(Refusal::new("nothing-chosen", message));
    }
    Ok(boards)
}

/// Of the boards the bundle must hold and prove what the whole does, and the content of what was chosen.
fn expect_same(
    whole: &Opened,
    part: &Opened,
    (selection, boards): (&Selection, &BTreeSet<BoardId>),
) -> Result<(), Refusal> {
    let is_due = |one: &HeldEntry<'_>| {
        one.is_here && (selection.holds(one.header) || !one.header.kind.is_withheld())
    };
    let expected = whole.entries().filter(|(feed, _)| boards.contains(&feed.board));
    let expected = expected.map(|(feed, one)| (feed, one.id, one.standing, is_due(&one)));
    let found = part.entries().map(|(feed, one)| (feed, one.id, one.standing, one.is_here));
    let feeds = &whole.report.summary.feeds;
    let feeds = feeds.iter().filter(|feed| boards.contains(&feed.board));
    let is_same = expected.eq(found)
        && feeds.eq(&part.report.summary.feeds)
        && part.report.count(Severity::Unchecked) == 0;
    if is_same {
        return Ok(());
    }
    let message = "without the content of the other entries the bundle is not the same, which is a fault of this \
                   program; hand on the whole bundle, and report it";
    Err(Refusal::new("excerpt", message))
}

/// A payload that is none of its kind accuses its author, and can do so only where it is read.
fn not_proven(whole: &Opened, part: &Opened) -> Vec<String> {
    let lost = whole.report.findings.iter().filter(|finding| {
        finding.severity() == Severity::Proven && !part.report.findings.contains(finding)
    });
    lost.map(Finding::to_string).collect()
}

fn figures(part: &Opened, selection: &Selection) -> Figures {
    let is_without = |(_, one): &(_, HeldEntry<'_>)| !one.is_here;
    Figures {
        chosen: part.chosen(selection).count(),
        chosen_without_content: part.chosen(selection).filter(is_without).count(),
        entries: part.entries().count(),
        withheld: part.entries().filter(is_without).count(),
    }
}

fn words(exported: &Exported) -> Vec<String> {
    let Exported { figures, input, .. } = exported;
    let chosen = count_in_words(figures.chosen, "entry", "entries");
    let mut lines = vec![format!("chosen: {chosen} {}", exported.chosen_by)];
    if figures.chosen_without_content > 0 {
        let absent = figures.chosen_without_content;
        lines.push(format!("what {absent} of them say is not in {} either", input.file));
    }
    let lost = exported.not_proven.iter().map(|finding| {
        format!("proven by {}, and not by this without what proves it: {finding}", input.file)
    });
    lines.extend(lost);
    lines.push(exported.closing.clone());
    lines.push(format!(
        "wrote {}, {} of them without what they say, to {}, {}; check it with `concordat audit verify`",
        count_in_words(figures.entries, "entry", "entries"),
        figures.withheld,
        exported.file,
        bytes_in_words(exported.bytes)
    ));
    lines
}
