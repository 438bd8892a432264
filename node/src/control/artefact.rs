//! What people ask about artefacts and do with them, as they say it.
//!
//! *Invariants.* Everything here is text as somebody typed it. What it means depends on the artefact,
//! and is found out where the artefact is.
//!
//! *Source*: ours.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Written;

/// A name and a value, as typed.
pub type Pair = (String, String);

/// Looks something up about artefacts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// Those of a board, the one begun last before the others.
    List(ListQuery),
    /// One, as it is or was.
    Show {
        /// As the person named it.
        artefact: String,
        /// As of when.
        as_of: AsOf,
    },
    /// How something was decided, or what each side bound itself to.
    Prove {
        /// As the person named it.
        artefact: String,
        /// Which proposal; without it the last.
        proposal: Option<String>,
    },
    /// Every entry about one, in an order that agrees with what each author knew.
    History {
        /// As the person named it.
        artefact: String,
    },
    /// Open a document again that is suspended on this node.
    Retry {
        /// As the person named it.
        artefact: String,
    },
}

/// Which artefacts to show.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListQuery {
    /// As the person named the board.
    pub board: Option<String>,
    /// Those that stand after this one, as the person named it.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// As of when to look.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AsOf {
    /// Now.
    Now,
    /// As the author of this entry knew it, with the entry.
    At(String),
    /// What was written by this time, as authors claim.
    By(String),
    /// What this member acknowledged or wrote.
    KnownTo(String),
}

/// Something to be done with an artefact.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Act {
    /// In which role; without it the one that is needed.
    pub role: Option<String>,
    /// On whose word.
    pub word: Word,
    /// What.
    pub deed: Deed,
}

/// On whose word something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Of whoever may run commands in the node's home: in every role.
    CommandLine,
    /// Of the holder of an API token.
    Token {
        /// The token's id: what the organisation itself can resolve to a name.
        id: [u8; 16],
        /// Whether it covers roles that bind or answer for the organisation.
        binds: bool,
    },
}

/// What to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Begin an artefact.
    Open {
        /// As the person named it.
        board: Option<String>,
        /// Its kind.
        kind: String,
        /// Members beside this organisation; none named means all.
        audience: Vec<String>,
        /// Its title.
        title: Option<String>,
    },
    /// Change its document.
    Edit {
        /// As the person named it.
        artefact: String,
        /// One after the other.
        edits: Vec<Edit>,
    },
    /// Write an event.
    Event {
        /// As the person named it.
        artefact: String,
        /// Which.
        name: String,
        /// Its values.
        values: Vec<Pair>,
    },
    /// Comment, or state a position.
    Remark {
        /// As the person named it.
        artefact: String,
        /// Which.
        name: String,
        /// Its values.
        values: Vec<Pair>,
        /// The author was told whom it lets in.
        widens: bool,
    },
    /// Let others in.
    Widen {
        /// As the person named it.
        artefact: String,
        /// Whom.
        orgs: Vec<String>,
        /// Why.
        reason: String,
    },
    /// Fix the text and put it to a decision.
    Freeze {
        /// As the person named it.
        artefact: String,
        /// Which rule decides; not needed if the board has only one.
        rule: Option<String>,
        /// Who closes it; without it the first of the board's closers.
        closer: Option<String>,
        /// By which day it should be closed.
        closes_on: Option<String>,
    },
    /// Answer a proposal.
    Sign {
        /// As the person named it.
        artefact: String,
        /// Which proposal; without it the last.
        proposal: Option<String>,
        /// approve, reject, abstain or recuse.
        answer: String,
    },
    /// Close a proposal.
    Close {
        /// As the person named it.
        artefact: String,
        /// Which proposal; without it the last.
        proposal: Option<String>,
    },
    /// Settle a conflict.
    Settle {
        /// As the person named it.
        artefact: String,
        /// Its code.
        code: String,
        /// What it is about.
        about: String,
        /// What was chosen.
        chosen: String,
        /// Why.
        reason: Option<String>,
    },
}

/// One change of a document.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    /// Give a field a value; a text this text.
    Set {
        /// The field.
        at: String,
        /// The value; empty takes it away.
        value: String,
    },
    /// Settle on one of several values.
    Choose {
        /// The field.
        at: String,
        /// The value.
        value: String,
    },
    /// Take text out and put text in.
    Splice {
        /// The text.
        at: String,
        /// Where; without it at the end.
        position: Option<u64>,
        /// How much goes.
        delete: u64,
        /// What comes.
        insert: String,
    },
    /// Add elements to a set.
    Include {
        /// The set.
        at: String,
        /// The elements.
        values: Vec<String>,
    },
    /// Add an item to a list.
    Add {
        /// The list.
        at: String,
        /// Its fields.
        values: Vec<Pair>,
        /// After which item; without it last.
        after: Option<String>,
    },
    /// Remove an item, or elements of a set.
    Remove {
        /// The item, or the set.
        at: String,
        /// The elements.
        values: Vec<String>,
    },
    /// Bring an item back.
    Restore {
        /// The item.
        at: String,
    },
    /// Move an item.
    Move {
        /// The item.
        at: String,
        /// After which item; without it first.
        after: Option<String>,
    },
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Acted {
    /// The board.
    pub board: String,
    /// The artefact.
    pub artefact: String,
    /// What, in words.
    pub did: String,
    /// The entries, in their order.
    pub written: Vec<Written>,
    /// The ids of items that were added.
    pub items: Vec<String>,
    /// Members that were let in.
    pub let_in: Vec<String>,
    /// What was put to a decision.
    pub frozen: Option<Frozen>,
}

/// What was put to a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Frozen {
    /// The digest of the wording.
    pub digest: String,
    /// The heads of the document.
    pub heads: Vec<String>,
    /// The rule.
    pub rule: String,
    /// The rule in words.
    pub rule_in_words: String,
    /// Who closes it.
    pub closer: String,
    /// By when it should be closed.
    pub closes_at_ms: u64,
    /// The proposal that it replaces.
    pub replaces: Option<String>,
    /// The frozen fields.
    pub wording: serde_json::Value,
}
