//! `audit verify`: whether everything in a bundle holds.
//!
//! *Source*: ours.

use std::process::ExitCode;

use concordat_protocol::audit::{Report, Severity};
use serde::Serialize;

use super::read;
use crate::cli::{args::audit::Verify, error::CliError, out::Out};

#[derive(Serialize)]
struct ShownFinding {
    severity: String,
    sentence: String,
}

#[derive(Serialize)]
struct ShownFeed {
    board: String,
    slug: String,
    epoch: u64,
    entries: u64,
    settled: u64,
    forked_at: Option<u64>,
}

#[derive(Serialize)]
struct ShownReport {
    exit_code: u8,
    closing: String,
    feeds: Vec<ShownFeed>,
    findings: Vec<ShownFinding>,
}

pub(super) fn run(args: &Verify, out: &Out) -> Result<ExitCode, CliError> {
    let report = read::audit(&args.file, out)?;
    let shown = shown(&report);
    out.show(&shown, &words(&report, &shown))?;
    Ok(ExitCode::from(shown.exit_code))
}

fn shown(report: &Report) -> ShownReport {
    let feeds = report.summary.feeds.iter().map(|feed| ShownFeed {
        board: feed.board.to_string(),
        slug: feed.name.slug.to_string(),
        epoch: feed.name.epoch,
        entries: feed.entries,
        settled: feed.settled,
        forked_at: feed.fork,
    });
    let findings = report.findings.iter().map(|finding| ShownFinding {
        severity: finding.severity().to_string(),
        sentence: finding.to_string(),
    });
    ShownReport {
        exit_code: report.exit_status(),
        closing: report.closing(),
        feeds: feeds.collect(),
        findings: findings.collect(),
    }
}

fn words(report: &Report, shown: &ShownReport) -> Vec<String> {
    let mut lines: Vec<String> = report
        .summary
        .boards
        .iter()
        .map(|board| format!("board {:?}, {}", board.title, board.board))
        .collect();
    for feed in &shown.feeds {
        lines.push(format!("  {}: {} entries, {} settled", feed.slug, feed.entries, feed.settled));
    }
    for severity in [Severity::Proven, Severity::Unchecked, Severity::Note] {
        let of_weight = report.findings.iter().filter(|finding| finding.severity() == severity);
        lines.extend(of_weight.map(|finding| format!("{severity}: {finding}")));
    }
    lines.push(shown.closing.clone());
    lines
}
