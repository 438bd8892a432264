//! `board list`, `board show`.
//!
//! *Source*: ours.

use concordat_protocol::{charter::Founding, time::TimeMs};
use data_encoding::BASE64;
use serde::Serialize;

use super::{
    args::BoardShow,
    context::Context,
    error::CliError,
    out::{Out, count_in_words},
};
use crate::{
    clock,
    control::{Answer, Request},
    paper::key_in_words,
    view::charter_in_words,
};

#[derive(Serialize)]
struct Listed {
    board: String,
    title: String,
    members: usize,
    entries: u64,
}

pub(super) fn list(context: &Context, out: &Out) -> Result<(), CliError> {
    let Answer::Status(status) = context.ask(Request::Status)? else {
        return Err(CliError::OtherAnswer);
    };
    let listed: Vec<Listed> = status
        .boards
        .iter()
        .map(|board| Listed {
            board: board.board.clone(),
            title: board.title.clone(),
            members: board.feeds.len(),
            entries: board.feeds.iter().map(|feed| feed.size).sum(),
        })
        .collect();
    let line = |board: &Listed| {
        let members = count_in_words(board.members, "member", "members");
        format!("{}  {}, {members}, {} entries", board.board, board.title, board.entries)
    };
    let mut words: Vec<String> = listed.iter().map(line).collect();
    if words.is_empty() {
        words.push("this node takes part in no board".to_owned());
    }
    out.show(&listed, &words)
}

#[derive(Serialize)]
struct ShownMember {
    slug: String,
    org: String,
    name: String,
    class: String,
    status: String,
    feed_key: String,
    witness_key: String,
}

#[derive(Serialize)]
struct ShownRule {
    name: String,
    words: String,
}

#[derive(Serialize)]
struct ShownBoard {
    board: String,
    title: String,
    charter: String,
    version: u64,
    members: Vec<ShownMember>,
    rules: Vec<ShownRule>,
}

pub(super) fn show(context: &Context, args: BoardShow, out: &Out) -> Result<(), CliError> {
    let Answer::Charter(base64) = context.ask(Request::Charter { board: args.board })? else {
        return Err(CliError::OtherAnswer);
    };
    let bytes = BASE64.decode(base64.as_bytes()).map_err(|_| CliError::OtherAnswer)?;
    let founding = Founding::from_bytes(&bytes).map_err(|_| CliError::OtherAnswer)?;
    let (charter, now) = (founding.charter(), TimeMs(clock::now_ms()));
    let me = context.organisation()?.id();
    let shown = ShownBoard {
        board: founding.board().to_string(),
        title: charter.title.clone(),
        charter: charter.hash().to_string(),
        version: charter.version,
        members: charter
            .members
            .iter()
            .map(|member| ShownMember {
                slug: member.slug.to_string(),
                org: member.org.to_string(),
                name: member.name_at(now).unwrap_or_default().to_owned(),
                class: member.class.clone(),
                status: member.status.to_string(),
                feed_key: key_in_words(&member.feed_key),
                witness_key: key_in_words(&member.witness_key),
            })
            .collect(),
        rules: charter
            .all_rules()
            .map(|(name, rule)| ShownRule { name: name.to_owned(), words: rule.in_words(charter) })
            .collect(),
    };
    let mut words = charter_in_words(charter, Some(&me), now);
    words.insert(1, format!("  {}", shown.board));
    out.show(&shown, &words)
}
