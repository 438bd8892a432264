//! `status`: how the node is, in words.
//!
//! *Source*: ours.

use super::{
    context::Context,
    error::CliError,
    out::{Out, age_in_words, bytes_in_words, count_in_words},
};
use crate::{
    control::{Answer, Request},
    view::{BoardLine, FeedLine, PathLine, PeerLine, Status},
};

pub(super) fn run(context: &Context, out: &Out) -> Result<(), CliError> {
    match context.ask(Request::Status)? {
        Answer::Status(status) => out.show(&*status, &words(&status)),
        _ => Err(CliError::OtherAnswer),
    }
}

fn words(status: &Status) -> Vec<String> {
    let mut lines = vec![
        format!("{}, concordat {}", status.name, status.version),
        format!("  {}", status.org),
        format!("  node {}", status.node),
        format!("  card number {} of epoch {}", status.card.number, status.card.epoch),
        match &status.listening {
            None => "  no daemon runs; start it with `concordat serve`".to_owned(),
            Some(listening) if listening.addresses.is_empty() => {
                "  running, dialling out only".to_owned()
            }
            Some(listening) => {
                format!("  running, listening on {}", listening.addresses.join(", "))
            }
        },
    ];
    if let Some(http) = status.listening.as_ref().and_then(|listening| listening.http.as_ref()) {
        lines.push(format!("  API on http://{http}"));
    }
    if let Some(warning) = &status.clock.warning {
        lines.push(format!("  {warning}"));
    }
    if let Some(why) = &status.restored {
        lines.push(format!("  the store may be an older copy: {why}"));
    }
    lines.push(format!(
        "  store: {} keys, {}",
        status.store_entries,
        bytes_in_words(status.store_bytes)
    ));
    lines.extend(status.disk.iter().map(|why| format!("  {why}")));
    lines.extend(status.boards.iter().flat_map(board_words));
    if !status.peers.is_empty() {
        lines.push("peers:".to_owned());
        lines.extend(status.peers.iter().map(peer_words));
    }
    lines
}

fn board_words(board: &BoardLine) -> Vec<String> {
    let mut lines = vec![
        format!("board {:?}", board.title),
        format!("  {}", board.board),
        format!("  holdings {}", board.digest),
    ];
    if board.is_restoring {
        lines.push(format!(
            "  signs nothing yet: partners have to tell how far this organisation's feed had come; {} \
             waiting",
            count_in_words(board.drafts, "entry is", "entries are")
        ));
    }
    for feed in &board.feeds {
        lines.push(feed_words(feed, &board.own_feed));
        lines.extend(feed.instruction.iter().map(|told| format!("    {told}")));
    }
    lines
}

fn feed_words(feed: &FeedLine, own: &str) -> String {
    let mut line = format!("  {}: {} entries, {} settled", feed.slug, feed.size, feed.settled);
    if feed.epoch > 0 {
        line.push_str(&format!(", epoch {}", feed.epoch));
    }
    if feed.feed == own {
        line.push_str(", own");
    }
    if feed.missing > 0 {
        line.push_str(&format!(
            ", {} missing",
            count_in_words(feed.missing, "payload", "payloads")
        ));
    }
    if let Some(index) = feed.forked_at {
        line.push_str(&format!(", two histories from entry {index}: {}", feed.standing));
    }
    if let Some(seq) = feed.time_back_at {
        line.push_str(&format!(", claimed times go back at entry {seq}"));
    }
    if let Some(seq) = feed.time_ahead_at {
        line.push_str(&format!(", entry {seq} claims a time that had not come"));
    }
    for (slug, count) in &feed.unexplained {
        line.push_str(&format!(", {slug} acknowledged {count} that nobody shows"));
    }
    line
}

fn peer_words(peer: &PeerLine) -> String {
    let (sent, received) = (bytes_in_words(peer.sent_bytes), bytes_in_words(peer.received_bytes));
    let mut line = format!("  {}: ", peer.slug);
    line.push_str(if peer.is_connected { "connected" } else { "away" });
    if let (false, Some(age_s)) = (peer.is_connected, peer.contact_age_s) {
        line.push_str(&format!(" for {}", age_in_words(age_s)));
    }
    if peer.is_connected {
        let paths: Vec<String> = peer.paths.iter().map(path_words).collect();
        line.push_str(&format!(" {}", paths.join(" and ")));
    }
    line + &format!(", sent {sent}, received {received}")
}

fn path_words(path: &PathLine) -> String {
    let whose = if path.is_dialled { "to" } else { "from" };
    format!("over {} {whose} {}", path.transport.to_uppercase(), path.address)
}
