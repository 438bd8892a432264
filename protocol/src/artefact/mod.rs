//! Artefacts: what a board shares, kind by kind, as data.
//!
//! ```text
//! kinds/*.rs ──▶ kind.rs ──▶ schema.rs      JSON Schemas and lists of codes
//!   as data          │
//!                    ├────▶ events.rs       [name, [value…]] read against its kind
//!                    ├────▶ lifecycle/      events that count ──▶ state, capacity, what had no effect
//!                    └────▶ guard.rs        no patient's number in any text
//! ```
//!
//! What several organisations may write together is a field of a document, and merges. What one
//! organisation alone may write is an event, and never merges. Adding a kind is adding one file
//! under `kinds` and one line to its list.

pub mod calendar;
pub mod codes;
pub mod compare;
pub mod document;
pub mod edit;
pub mod events;
mod fold;
pub mod guard;
pub mod kind;
pub mod kinds;
pub mod lifecycle;
pub mod read;
pub mod scalar;
pub mod schema;
mod thin;
mod write;
