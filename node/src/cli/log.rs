//! `log`: the entries of a board, one line each.
//!
//! *Source*: ours.

use super::{
    args::Log as Args,
    context::Context,
    error::CliError,
    out::{Out, time_in_words},
};
use crate::{
    control::{Answer, LogQuery, Request},
    view::LogLine,
};

pub(super) fn run(context: &Context, args: Args, out: &Out) -> Result<(), CliError> {
    let Args { board, feed, from, limit } = args;
    match context.ask(Request::Log(LogQuery { board, feed, from, limit }))? {
        Answer::Log(log) => {
            let words: Vec<String> = log.entries.iter().map(line).collect();
            out.show(&log, &words)
        }
        _ => Err(CliError::OtherAnswer),
    }
}

fn line(entry: &LogLine) -> String {
    let settled = if entry.is_settled { "settled" } else { "open" };
    let time = time_in_words(entry.time_ms);
    let epoch = if entry.epoch == 0 { String::new() } else { format!(" epoch {}", entry.epoch) };
    let head = format!("{time}  {}{epoch} {}  {}, {settled}", entry.slug, entry.seq, entry.kind);
    match &entry.text {
        Some(text) => format!("{head}: {text}"),
        None => head,
    }
}
