//! `note`: writes notes to a board, and says when they are durable.
//!
//! Many lines go in portions: each is answered when it is durable, so that a crash loses at most what
//! was not yet answered.
//!
//! *Source*: ours.

use std::io::{self, BufRead, Read};

use concordat_protocol::limits::FACT_BYTES_MAX;

use super::{
    args::Note,
    context::Context,
    error::CliError,
    out::{Out, count_in_words},
};
use crate::control::{Answer, Notes, Request};

const PORTION_NOTES: usize = 256;
const PORTION_BYTES: usize = 1024 * 1024;

pub(super) fn run(context: &Context, args: Note, out: &Out) -> Result<(), CliError> {
    let Note { board, stdin_lines, text } = args;
    let notes = match text {
        Some(text) => write(context, board.as_ref(), vec![text])?,
        None if stdin_lines => write_lines(context, board.as_ref(), io::stdin().lock())?,
        None => write(context, board.as_ref(), vec![read_all(io::stdin().lock())?])?,
    };
    out.show(&notes, &words(&notes))
}

fn write(context: &Context, board: Option<&String>, texts: Vec<String>) -> Result<Notes, CliError> {
    match context.ask(Request::Notes { board: board.cloned(), texts })? {
        Answer::Notes(notes) => Ok(notes),
        _ => Err(CliError::OtherAnswer),
    }
}

fn write_lines(
    context: &Context,
    board: Option<&String>,
    lines: impl BufRead,
) -> Result<Notes, CliError> {
    let mut all = Notes { board: String::new(), written: Vec::new(), waiting: 0 };
    let mut lines = lines.lines().peekable();
    while lines.peek().is_some() {
        let (mut portion, mut bytes) = (Vec::new(), 0);
        while portion.len() < PORTION_NOTES && bytes < PORTION_BYTES {
            let Some(line) = lines.next() else {
                break;
            };
            let line = line.map_err(CliError::Input)?;
            bytes += line.len();
            if !line.is_empty() {
                portion.push(line);
            }
        }
        let Notes { board, written, waiting } = write(context, board, portion)?;
        all.board = board;
        all.written.extend(written);
        all.waiting += waiting;
    }
    Ok(all)
}

/// One text without its last line end; a little more than any note may have is enough to refuse it.
fn read_all(input: impl Read) -> Result<String, CliError> {
    let mut text = String::new();
    let most = FACT_BYTES_MAX as u64 + 1;
    input.take(most).read_to_string(&mut text).map_err(CliError::Input)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn words(notes: &Notes) -> Vec<String> {
    let mut lines = Vec::new();
    match notes.written.as_slice() {
        [] => {}
        [one] => lines.push(format!("wrote entry {} {}", one.seq, one.id)),
        [first, .., last] => lines.push(format!(
            "wrote {} notes, entries {} to {}",
            notes.written.len(),
            first.seq,
            last.seq
        )),
    }
    if notes.waiting > 0 {
        lines.push(format!(
            "{} to be signed, while the daemon runs: it first has to hear from its partners how \
             far this organisation's feed had come",
            count_in_words(notes.waiting, "note waits", "notes wait")
        ));
    }
    lines
}
