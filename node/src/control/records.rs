//! What people ask about private records and do with them, as they say it.
//!
//! *Invariants.* Values are text, in the form in which they are kept: what a text means, the collection
//! says. A page of rows stays below what one answer may hold.
//!
//! *Source*: ours.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Pair, Word, Written};

/// The values of one row, by the names of their fields.
pub type Values = BTreeMap<String, String>;

/// Something asked about private records, or to be done with them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordsAsked {
    /// Changes nothing.
    Look(RecordsLook),
    /// Changes this node's own store, and nothing else.
    Change(RecordsChange),
    /// Lets something out.
    Promote {
        /// What.
        what: Promoting,
        /// The seal of what was shown: what leaves now must be the same.
        seal: String,
        /// On whose word.
        word: Word,
    },
}

/// What to look at.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordsLook {
    /// Which collections there are.
    Collections,
    /// Records of one, in the order of their ids.
    List(RecordsQuery),
    /// One record.
    Show {
        /// Its collection.
        collection: String,
        /// Its id, or the beginning of it.
        record: String,
    },
    /// What a promotion would let out, and to whom.
    Leaving(Promoting),
    /// What was let out, the first before the others.
    Promotions {
        /// Those after this one.
        after: Option<String>,
        /// At most so many.
        limit: usize,
    },
}

/// What to change.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordsChange {
    /// Keep rows: all of them, or none.
    Put(RecordsPut),
    /// Delete records: all of them, or none.
    Delete {
        /// Their collection.
        collection: String,
        /// Their ids, or the beginnings of them.
        records: Vec<String>,
    },
}

/// Which records to show.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordsQuery {
    /// The collection.
    pub collection: String,
    /// What must hold of each, as `amount>=100.00`.
    pub conditions: Vec<String>,
    /// Those after this id.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// Rows to be kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordsPut {
    /// The collection.
    pub collection: String,
    /// By the names of their fields.
    pub rows: Vec<Values>,
    /// Whether a row takes the place of another with the same key.
    pub replaces: bool,
}

/// What a person wants to let out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promoting {
    /// The collection.
    pub collection: String,
    /// The record's id, or the beginning of it.
    pub record: String,
    /// The artefact, as a person names it.
    pub artefact: String,
    /// Which fields; none named means all that may go into this kind of artefact.
    pub fields: Vec<String>,
    /// Field and target, where a field has more than one.
    pub targets: Vec<Pair>,
}

/// What is answered to each [`RecordsAsked`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordsAnswer {
    /// To `Collections`.
    Collections(Vec<CollectionLine>),
    /// To `List`.
    Page(RecordPage),
    /// To `Show`.
    Record(RecordLine),
    /// To `Put`.
    Kept(RecordsKept),
    /// To `Delete`: whole ids.
    Deleted(Vec<String>),
    /// To `Leaving`.
    Leaving(Box<Leaving>),
    /// To `Promote`.
    Promoted(Box<PromotionLine>),
    /// To `Promotions`.
    Promotions(PromotionPage),
}

/// One collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CollectionLine {
    /// Its name, which is that of its file.
    pub collection: String,
    /// Its title.
    pub title: String,
    /// What it holds.
    pub holds: String,
    /// Which fields make the id of a record.
    pub key: Vec<String>,
    /// Its fields, in their order.
    pub fields: Vec<CollectionField>,
    /// How many records it has; none if there are more than are counted.
    pub records: Option<u64>,
}

/// One field of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CollectionField {
    /// Its name.
    pub name: String,
    /// Its type and bounds, in words.
    pub is: String,
    /// Whether every record has it.
    pub is_required: bool,
    /// Where it may be promoted to, as `decision: finance/total_pence`.
    pub promotes_to: Vec<String>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordLine {
    /// Its id.
    pub record: String,
    /// Its values, as text.
    pub values: Values,
}

/// Records of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordPage {
    /// The collection.
    pub collection: String,
    /// In the order of their ids.
    pub records: Vec<RecordLine>,
    /// The id after which there may be more.
    pub next: Option<String>,
}

/// What became of rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordsKept {
    /// Rows with a new id.
    pub added: u64,
    /// Rows that took the place of others.
    pub replaced: u64,
    /// Rows that were here already, the same in every value.
    pub same: u64,
    /// Ids that are here already with other values, and stay as they are.
    pub existing: Vec<String>,
}

/// What a promotion lets out, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Leaving {
    /// The collection.
    pub collection: String,
    /// The record's whole id; it does not leave.
    pub record: String,
    /// The artefact's whole id.
    pub artefact: String,
    /// Its kind.
    pub kind: String,
    /// Its title.
    pub title: Option<String>,
    /// Its board.
    pub board: String,
    /// The members whose nodes will hold it, by their short names.
    pub holders: Vec<String>,
    /// What leaves, field by field.
    pub values: Vec<LeavingValue>,
    /// Stands for all of this: whoever promotes gives it back.
    pub seal: String,
}

/// One value that leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeavingValue {
    /// The field of the record.
    pub field: String,
    /// Where it goes.
    pub to: String,
    /// What becomes of what stands there, in words.
    pub how: String,
    /// Exactly what leaves.
    pub value: String,
}

/// What was let out once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PromotionLine {
    /// Its id.
    pub promotion: String,
    /// When it was begun.
    pub at_ms: u64,
    /// Whose word it was done on: `command line`, or the id of a token.
    pub by: String,
    /// The collection.
    pub collection: String,
    /// The record.
    pub record: String,
    /// Fields, and where they went.
    pub fields: Vec<Pair>,
    /// The artefact.
    pub artefact: String,
    /// The members that held it then.
    pub holders: Vec<String>,
    /// The entries that carry it; none: the node ended before it knew, and the artefact's history tells.
    pub written: Option<Vec<Written>>,
    /// A salted digest of the values.
    pub digest: String,
}

/// What was let out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PromotionPage {
    /// The first before the others.
    pub promotions: Vec<PromotionLine>,
    /// The id after which there may be more.
    pub next: Option<String>,
}
