//! Artefacts as people of this organisation work on them.
//!
//! ```text
//!   Act ─▶ prepare ─▶ what is known (case) ─▶ drafts ─▶ trial ─▶ signed by the engine's task
//!            names      entries ─▶ replay ─▶ document      the same replay over entries that are not
//!            values                                        signed yet: nothing is signed that every
//!            edits, needs, polls                           node would refuse
//!   Look ─▶ case ─▶ view
//! ```
//!
//! | file | what |
//! |---|---|
//! | `sight` | what an artefact is and says, now or as it was |
//! | `case` | the same on a node's board, where an act on it goes |
//! | `documents` | documents made of their changes; those that cannot be opened |
//! | `kept` | documents in memory, bounded |
//! | `names` | which artefact, entry, member or field a person means |
//! | `values` | what people type, as values of their types, and back |
//! | `wishes` | what people type, as intents |
//! | `edits` | intents carried out on a document |
//! | `needs` | what must be true of a document before a step |
//! | `prepare` | what a person wants done, as entries to be signed |
//! | `remark` | remarks, and who is let in |
//! | `poll` | fixing a text, answering and closing |
//! | `settle` | settling a conflict |
//! | `trial` | whether the entries would count |
//!
//! *Invariants.* All of it works on a snapshot and holds up nobody. Nothing is signed here.
//!
//! *Source*: ours; formats, sections 3 to 5 and 8.

mod case;
mod documents;
mod edits;
mod kept;
mod names;
mod needs;
#[cfg(test)]
mod patients;
mod poll;
mod prepare;
mod remark;
mod settle;
mod sight;
mod trial;
mod values;
mod wishes;

pub use case::{Case, Span};
pub use documents::{Care, Documents};
pub use kept::KeptSize;
pub use names::{artefact_named, begins, time_named, which};
pub use poll::proposal_of;
pub use prepare::{Prepared, prepare};
pub use settle::settles_in_words;
pub use sight::{Seen, Sight, today};
pub use values::{in_words, needed, pounds};
