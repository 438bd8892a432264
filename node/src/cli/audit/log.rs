//! `audit log`: every entry of a bundle, in words, as JSON or for a spreadsheet.
//!
//! *Invariants.* A cell of the CSV form is never taken for a formula.
//!
//! *Source*: ours; RFC 4180.

use std::process::ExitCode;

use concordat_protocol::audit::Selection;
use serde::Serialize;

use super::{
    chosen::Times,
    entry::EntryLine,
    exit_code,
    opened::{Input, Opened},
};
use crate::{
    cli::{
        args::audit::{Log, LogFormat},
        error::CliError,
        out::{Out, count_in_words, time_in_words},
        table::{csv_line, guarded},
    },
    control::Refusal,
};

#[derive(Serialize)]
struct Listed {
    exit_code: u8,
    entries: Vec<EntryLine>,
    input: Input,
}

pub(super) fn run(args: &Log, out: &Out) -> Result<ExitCode, CliError> {
    if out.is_json() && matches!(args.format, LogFormat::Csv) {
        let message = "--json and --format csv contradict each other; leave one out";
        return Err(Refusal::new("usage", message).into());
    }
    let times = Times::of(&args.range)?;
    let opened = Opened::read(&args.file, out)?;
    let entries = listed(&opened, args, times)?;
    let (exit_code, input) = (exit_code(&opened.report, false), opened.input());
    let listed = Listed { exit_code, entries, input };
    match args.format {
        LogFormat::Csv => out.raw(&csv(&listed.entries)?)?,
        LogFormat::Json => out.raw(&(serde_json::to_string(&listed)? + "\n"))?,
        LogFormat::Text => out.show(&listed, &words(&listed))?,
    }
    Ok(ExitCode::from(listed.exit_code))
}

fn listed(opened: &Opened, args: &Log, times: Times) -> Result<Vec<EntryLine>, Refusal> {
    let artefact = args.artefact.as_deref().map(|named| opened.artefact(named)).transpose()?;
    let selection = Selection { artefact, ..opened.selection(&args.range, times)? };
    let chosen = opened.chosen(&selection);
    let mut lines: Vec<EntryLine> =
        chosen.map(|(feed, held)| EntryLine::of(opened, &feed, &held)).collect();
    lines.sort_by(|a, b| {
        let (one, other) = ((a.time_ms, &a.board, &a.slug), (b.time_ms, &b.board, &b.slug));
        (one, a.epoch, a.history, a.seq).cmp(&(other, b.epoch, b.history, b.seq))
    });
    Ok(lines)
}

const COLUMNS: [&str; 13] = [
    "board", "feed", "epoch", "history", "seq", "id", "time", "kind", "artefact", "refs",
    "settled", "standing", "content",
];

fn csv(entries: &[EntryLine]) -> Result<String, CliError> {
    let mut text = csv_line(&COLUMNS)?;
    for one in entries {
        let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
        let cells = [
            one.board.clone(),
            one.slug.clone(),
            one.epoch.to_string(),
            one.history.to_string(),
            one.seq.to_string(),
            one.id.clone(),
            time_in_words(one.time_ms),
            one.kind.clone(),
            one.artefact.clone().unwrap_or_default(),
            one.refs.join(" "),
            yes(one.is_settled),
            one.standing.to_owned(),
            yes(one.has_content),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| guarded(cell)).collect();
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        text.extend(csv_line(&cells)?);
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn words(listed: &Listed) -> Vec<String> {
    let mut lines: Vec<String> = listed.entries.iter().map(EntryLine::in_words).collect();
    lines.push(count_in_words(listed.entries.len(), "entry", "entries"));
    lines.extend(listed.input.verdict());
    lines
}
