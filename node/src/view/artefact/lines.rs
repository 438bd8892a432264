//! What is shown of an artefact, as values: printed as JSON, or put into words by `cli`.
//!
//! *Invariants.* Times are the authors' claims. Organisations stand by their short names.
//!
//! *Source*: ours.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The artefacts of one board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArtefactList {
    /// The board.
    pub board: String,
    /// The one begun last before the others, as its opening claims.
    pub artefacts: Vec<ArtefactLine>,
    /// How many more stand after these.
    pub more: usize,
}

/// One artefact among others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArtefactLine {
    /// Its id.
    pub artefact: String,
    /// Its kind.
    pub kind: String,
    /// Its title; none where the content is not for this organisation.
    pub title: Option<String>,
    /// What people call its state.
    pub state: String,
    /// How many conflicts nobody has settled.
    pub open_conflicts: usize,
}

/// One artefact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Artefact {
    /// Its id.
    pub artefact: String,
    /// Its board.
    pub board: String,
    /// Its kind.
    pub kind: String,
    /// What people call the kind.
    pub label: String,
    /// Its title.
    pub title: Option<String>,
    /// Who began it.
    pub opened_by: String,
    /// Who receives its content; none means every member.
    pub audience: Option<Vec<String>>,
    /// What people call its state.
    pub state: String,
    /// The name of its state.
    pub state_name: String,
    /// Whether all that the state rests on is settled.
    pub is_settled: bool,
    /// What holds it.
    pub holds: Vec<HoldLine>,
    /// Why its document cannot be shown on this node.
    pub suspended: Option<String>,
    /// The fields that say something.
    pub fields: Vec<FieldLine>,
    /// What stands in the document and in no field.
    pub strays: Vec<String>,
    /// What each organisation alone says.
    pub rows: Vec<RowLine>,
    /// What is offered, line by line.
    pub offers: Vec<OfferLine>,
    /// What is claimed.
    pub claims: Vec<ClaimLine>,
    /// What was put to a decision, each after those before it.
    pub proposals: Vec<ProposalLine>,
    /// Comments and positions.
    pub remarks: Vec<RemarkLine>,
    /// What a person must see.
    pub conflicts: Vec<ConflictLine>,
    /// Conflicts that were settled, as it was recorded.
    pub settlements: Vec<SettlementLine>,
    /// What has no effect, and why.
    pub not_applied: Vec<NotApplied>,
}

/// Who wrote something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct AuthorLine {
    /// The organisation.
    pub org: String,
    /// The entry.
    pub entry: String,
    /// When, as it claims.
    pub at_ms: u64,
}

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldLine {
    /// The state in which it holds the artefact.
    pub state: String,
    /// Who set it.
    pub by: AuthorLine,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldLine {
    /// Where it stands.
    pub path: String,
    /// What people call it.
    pub label: String,
    /// Its values: more than one where a person has to choose, or in a set.
    pub values: Vec<ValueLine>,
    /// Its text.
    pub text: Option<String>,
    /// Who wrote in the text.
    pub text_by: Vec<String>,
    /// The items of a list, in their order.
    pub items: Vec<ItemLine>,
    /// What should be here was overwritten.
    pub is_overwritten: bool,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ValueLine {
    /// As it stands.
    pub value: String,
    /// As people read it.
    pub shown: String,
    /// Why it does not fit its field.
    pub problem: Option<String>,
    /// Who wrote it.
    pub by: Vec<AuthorLine>,
}

/// One item of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ItemLine {
    /// Its id.
    pub id: String,
    /// `present`, `removed`, or `removed and edited`.
    pub presence: String,
    /// Who added it.
    pub by: Vec<AuthorLine>,
}

/// What one organisation alone says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowLine {
    /// The table.
    pub table: String,
    /// What it did.
    pub did: String,
    /// Names and values.
    pub values: Vec<(String, String)>,
    /// Who.
    pub by: AuthorLine,
    /// Whether it is settled.
    pub is_settled: bool,
}

/// One line of an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferLine {
    /// Who offers.
    pub org: String,
    /// The id of the item.
    pub line: String,
    /// How much.
    pub quantity: String,
    /// Of what.
    pub unit: String,
    /// From when.
    pub from_ms: u64,
    /// Until when.
    pub to_ms: u64,
    /// How much is confirmed.
    pub confirmed: String,
    /// How much is claimed and has no answer.
    pub claimed: String,
    /// How much is left.
    pub remaining: String,
    /// How much more is claimed than is left.
    pub over_claimed: String,
    /// Whether it was called back.
    pub is_recalled: bool,
}

/// One claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClaimLine {
    /// Who claims.
    pub by: AuthorLine,
    /// From whom.
    pub offered_by: String,
    /// The id of the item.
    pub line: String,
    /// How much.
    pub quantity: String,
    /// How much of it is confirmed.
    pub confirmed: String,
    /// The organisation that offers declined the rest.
    pub is_declined: bool,
    /// Its author gave it up.
    pub is_given_up: bool,
    /// It was written after the offer ended, as its author claims.
    pub is_late: bool,
    /// Whether it is settled.
    pub is_settled: bool,
}

/// One proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProposalLine {
    /// Who fixed the text.
    pub by: AuthorLine,
    /// The digest of its wording.
    pub digest: String,
    /// The rule.
    pub rule: String,
    /// Who closes it.
    pub closer: String,
    /// By when it should be closed.
    pub closes_at_ms: u64,
    /// What came of it.
    pub result: String,
    /// Whether it led to the state shown, or is the last that was carried: the version that holds.
    pub is_current: bool,
    /// Members and their answers.
    pub answers: Vec<(String, String)>,
    /// How many applied changes its wording does not hold.
    pub amendments: usize,
}

/// A comment or a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemarkLine {
    /// Which of them.
    pub kind: String,
    /// Its text.
    pub text: String,
    /// The field it is about.
    pub anchor: Option<String>,
    /// Whom it names.
    pub mentions: Vec<String>,
    /// Who.
    pub by: AuthorLine,
}

/// What a person must see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConflictLine {
    /// C1 to C10.
    pub code: String,
    /// The field, step, line or proposal.
    pub about: String,
    /// What stands against what.
    pub sides: Vec<SideLine>,
    /// Who may settle it.
    pub settled_by_whom: String,
    /// The settlement.
    pub settled_in: Option<AuthorLine>,
}

/// One of the things that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SideLine {
    /// What it says.
    pub says: String,
    /// Who says so.
    pub orgs: Vec<String>,
    /// When last, as they claim.
    pub at_ms: Option<u64>,
}

/// Something without effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotApplied {
    /// A kind of entry.
    pub what: String,
    /// Why.
    pub why: String,
    /// Who wrote it.
    pub by: AuthorLine,
}

/// How something was decided, or what each side bound itself to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProvenDecision {
    /// The artefact.
    pub artefact: String,
    /// Its title.
    pub title: Option<String>,
    /// What people call its state now.
    pub state: String,
    /// The result in one sentence.
    pub sentence: String,
    /// The proof in words.
    pub lines: Vec<String>,
    /// The proof.
    pub proof: serde_json::Value,
}

/// The record of a settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettlementLine {
    /// C1 to C10.
    pub code: String,
    /// What it was about.
    pub about: String,
    /// What was chosen.
    pub chosen: String,
    /// Why.
    pub reason: Option<String>,
    /// Who.
    pub by: AuthorLine,
}

/// Everything that was written about an artefact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct History {
    /// The artefact.
    pub artefact: String,
    /// Its title.
    pub title: Option<String>,
    /// What people call its state now.
    pub state: String,
    /// Each after those that its author knew of.
    pub deeds: Vec<DeedLine>,
}

/// One entry about an artefact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeedLine {
    /// Its kind, or the name of the event or remark.
    pub what: String,
    /// What was done, in words.
    pub did: String,
    /// Its values, by name.
    pub values: Vec<(String, String)>,
    /// Who, and when as it claims.
    pub by: AuthorLine,
    /// In which role, as its organisation says.
    pub role: Option<String>,
    /// In which capacity, as its organisation says.
    pub capacity: Option<String>,
    /// Who says to have received it, and by when.
    pub received: Vec<(String, u64)>,
    /// Whether it is settled.
    pub is_settled: bool,
    /// Why it has no effect.
    pub why_not: Option<String>,
}

/// One field of a frozen wording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WordingLine {
    /// Where it stands, items by their place from 1.
    pub path: String,
    /// What people call it.
    pub label: String,
    /// What it says, as people read it; the exact bytes are in the snapshot.
    pub says: String,
}
