//! `audit verify`: whether everything in a bundle holds.
//!
//! *Source*: ours.

use std::process::ExitCode;

use concordat_protocol::{
    audit::{Finding, Place, Report, Severity},
    codec::hex,
};
use serde::Serialize;

use super::read;
use crate::cli::{args::audit::Verify, error::CliError, out::Out};

#[derive(Serialize)]
struct ShownFinding {
    severity: String,
    code: &'static str,
    feed: Option<String>,
    slug: Option<String>,
    epoch: Option<u64>,
    seq: Option<u64>,
    last_seq: Option<u64>,
    record: Option<u64>,
    sentence: String,
}

impl ShownFinding {
    fn of(finding: &Finding) -> Self {
        let Place { feed, seq, last_seq, record } = finding.place();
        Self {
            severity: finding.severity().to_string(),
            code: finding.code(),
            feed: feed.map(|feed| feed.to_string()),
            slug: finding.of().map(|of| of.slug.to_string()),
            epoch: finding.of().map(|of| of.epoch),
            seq,
            last_seq,
            record,
            sentence: finding.to_string(),
        }
    }
}

#[derive(Serialize)]
struct ShownFeed {
    board: String,
    feed: String,
    slug: String,
    epoch: u64,
    entries: u64,
    last: Option<String>,
    root: Option<String>,
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
        feed: feed.name.feed.to_string(),
        slug: feed.name.slug.to_string(),
        epoch: feed.name.epoch,
        entries: feed.entries,
        last: feed.head.map(|signed| signed.head.id.to_string()),
        root: feed.head.map(|signed| hex(&signed.head.root.0)),
        settled: feed.settled,
        forked_at: feed.fork,
    });
    let findings = report.findings.iter().map(ShownFinding::of);
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
        lines
            .extend(of_weight.map(|finding| format!("{severity}: {finding} [{}]", finding.code())));
    }
    lines.push(shown.closing.clone());
    lines
}
