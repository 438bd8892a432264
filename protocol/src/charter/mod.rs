//! Charters: who is on a board, by which rules it decides, and how it changes them.
//!
//! ```text
//! version 0 ◀─prev─ version 1 ◀─prev─ version 2        whole documents, in a linear chain
//!    │                 └── candidate ── votes ── adopted by the rule `amend` of version 0
//!    └── founding file: accepted by both keys of every member; its hash is the board id
//!
//! rule + seats ── ballot ──▶ true, false or open, line by line
//! ```
//!
//! What each file holds: `document` the charter, `member` and `terms` what it lists, `rule` what it
//! asks, `tally` and `ballot` how that is tested, `rendering` how that reads, `validate` whether it
//! makes sense, `acceptance` the founding of a board, `amendment` what is said about the next one.
//!
//! Knows nothing of feeds, entries or settlement: whoever counts says what is settled.
//! Source: ours, `SPEC.md` section "Charter and decisions".

mod acceptance;
mod amendment;
mod ballot;
mod document;
mod member;
mod rendering;
mod rule;
mod tally;
mod terms;
#[cfg(test)]
mod tests;
mod validate;

pub use acceptance::{
    AcceptRole, Acceptance, BadAcceptance, Founding, Unfounded, check_acceptances,
};
pub use amendment::{Candidate, CharterVote, Says};
pub use ballot::{Ballot, Evaluation, Test, TraceLine};
pub use document::Charter;
pub use member::{BadSlug, Cutoff, DatedName, Member, Slug, Status};
pub use rule::{NamedRule, Quorum, Rule, RuleOp, Scope, Share, ShareOf};
pub use tally::{Answer, Outcome, Seat, Tally};
pub use terms::{KindTerms, Lead, Locality, Retention, Site, Succession, Who};
#[cfg(test)]
pub(crate) use tests::fixture;
pub use validate::{KeyUse, Unsound};
