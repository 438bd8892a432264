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
//! | `case` | all that is known of one artefact at one moment, now or as it was |
//! | `documents` | documents in memory, bounded; those that cannot be opened |
//! | `names` | which artefact, entry, member or field a person means |
//! | `values` | what people type, as values of their types, and back |
//! | `edits` | edits of a document |
//! | `needs` | what must be true of a document before a step |
//! | `prepare` | what a person wants done, as entries to be signed |
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
mod names;
mod needs;
mod poll;
mod prepare;
mod settle;
mod trial;
mod values;

pub use case::{Case, Seen, Span, today};
pub use documents::{Care, Documents, KeptSize};
pub use names::artefact_named;
pub use poll::proposal_of;
pub use prepare::{Prepared, prepare};
pub use settle::settles_in_words;
pub use values::{in_words, needed, pounds};
