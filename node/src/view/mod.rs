//! What people see, as plain values: pure functions of what is stored and known.
//!
//! *Invariants.* Views hold no truth and change nothing. What is shown as text is made here or in
//! `cli`, so that the command line, the page and the tests say the same.
//!
//! *Source*: ours.

pub mod artefact;
mod board;
mod charter;
mod log;
mod status;

pub use artefact::{standing_in_words, status_in_words};
pub use board::{Board, BoardEntry, BoardMember, BoardRule, board, boards};
pub use charter::charter_in_words;
pub use log::{Log, LogLine, log};
pub use status::{
    BoardLine, CardLine, ClockLine, FeedLine, Listening, PathLine, PeerLine, PeerTraffic, Running,
    Status, WriterLine, status,
};

use concordat_protocol::{charter::Charter, hash::OrgId};

/// The name by which a board knows an organisation: its short name, or its id.
fn slug_of(charter: Option<&Charter>, org: &OrgId) -> String {
    let member = charter.and_then(|charter| charter.member(org));
    member.map_or_else(|| org.to_string(), |member| member.slug.to_string())
}
