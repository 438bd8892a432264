//! `board list`, `board show`.
//!
//! *Source*: ours.

use concordat_protocol::{charter::Founding, time::TimeMs};
use data_encoding::BASE64;

use super::{
    args::BoardShow,
    context::Context,
    error::CliError,
    out::{Out, count_in_words},
};
use crate::{
    clock,
    control::{Answer, Request},
    view::{self, BoardEntry, charter_in_words},
};

pub(super) fn list(context: &Context, out: &Out) -> Result<(), CliError> {
    let Answer::Status(status) = context.ask(Request::Status)? else {
        return Err(CliError::OtherAnswer);
    };
    let listed = view::boards(&status);
    let line = |board: &BoardEntry| {
        let members = count_in_words(board.members, "member", "members");
        format!("{}  {}, {members}, {} entries", board.board, board.title, board.entries)
    };
    let mut words: Vec<String> = listed.iter().map(line).collect();
    if words.is_empty() {
        words.push("this node takes part in no board".to_owned());
    }
    out.show(&listed, &words)
}

pub(super) fn show(context: &Context, args: BoardShow, out: &Out) -> Result<(), CliError> {
    let Answer::Charter(base64) = context.ask(Request::Charter { board: args.board })? else {
        return Err(CliError::OtherAnswer);
    };
    let bytes = BASE64.decode(base64.as_bytes()).map_err(|_| CliError::OtherAnswer)?;
    let founding = Founding::from_bytes(&bytes).map_err(|_| CliError::OtherAnswer)?;
    let now = TimeMs(clock::now_ms());
    let me = context.organisation()?.id();
    let shown = view::board(&founding, now);
    let mut words = charter_in_words(founding.charter(), Some(&me), now);
    words.insert(1, format!("  {}", shown.board));
    out.show(&shown, &words)
}
