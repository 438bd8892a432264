//! `board list`, `board show`: the boards of this node, and the charter of one.
//!
//! *Source*: ours.

use concordat_protocol::{charter::Founding, time::TimeMs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Status;
use crate::paper::key_in_words;

/// One board among others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BoardEntry {
    /// Its id.
    pub board: String,
    /// Its title.
    pub title: String,
    /// How many members' feeds there are.
    pub members: usize,
    /// How many entries are held.
    pub entries: u64,
}

/// One board: what its charter says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Board {
    /// Its id.
    pub board: String,
    /// Its title.
    pub title: String,
    /// The charter's hash.
    pub charter: String,
    /// The charter's version.
    pub version: u64,
    /// In the charter's order.
    pub members: Vec<BoardMember>,
    /// By name.
    pub rules: Vec<BoardRule>,
}

/// A member of a board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BoardMember {
    /// Its short name.
    pub slug: String,
    /// The organisation's id.
    pub org: String,
    /// What it is called now.
    pub name: String,
    /// What kind of organisation it is.
    pub class: String,
    /// Its status on the board.
    pub status: String,
    /// The key that signs its feed.
    pub feed_key: String,
    /// The key that cosigns checkpoints.
    pub witness_key: String,
}

/// A rule by which a board decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BoardRule {
    /// Its name.
    pub name: String,
    /// What it says.
    pub words: String,
}

/// The boards of a node.
#[must_use]
pub fn boards(status: &Status) -> Vec<BoardEntry> {
    let entry = |board: &super::BoardLine| BoardEntry {
        board: board.board.clone(),
        title: board.title.clone(),
        members: board.feeds.len(),
        entries: board.feeds.iter().map(|feed| feed.size).sum(),
    };
    status.boards.iter().map(entry).collect()
}

/// The board that was founded so, with the names of its members at this time.
#[must_use]
pub fn board(founding: &Founding, now: TimeMs) -> Board {
    let charter = founding.charter();
    let members = charter.members.iter().map(|member| BoardMember {
        slug: member.slug.to_string(),
        org: member.org.to_string(),
        name: member.name_at(now).unwrap_or_default().to_owned(),
        class: member.class.clone(),
        status: member.status.to_string(),
        feed_key: key_in_words(&member.feed_key),
        witness_key: key_in_words(&member.witness_key),
    });
    let rules = charter
        .all_rules()
        .map(|(name, rule)| BoardRule { name: name.to_owned(), words: rule.in_words(charter) });
    Board {
        board: founding.board().to_string(),
        title: charter.title.clone(),
        charter: charter.hash().to_string(),
        version: charter.version,
        members: members.collect(),
        rules: rules.collect(),
    }
}
