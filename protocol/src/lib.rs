//! What every Concordat node must agree on: formats, rules, and the replica itself.
//!
//! ```text
//! identity ← charter ← feed ← sync ← engine        who ← under which rules ← signed logs ← meeting ← replica
//! ```
//!
//! Pure: no files, sockets, clock, randomness, threads or async. Time and randomness enter as
//! arguments, reads through a trait, and everything to be done leaves as an [`engine::Effect`].
//! `SPEC.md` beside this crate draws every format in bytes; `tests/vectors` holds its examples.

#![no_std]
#![deny(missing_docs, clippy::indexing_slicing, clippy::wildcard_enum_match_arm)]

extern crate alloc;

pub mod artefact;
pub mod audit;
pub mod charter;
pub mod checkpoint;
pub mod codec;
pub mod decision;
pub mod engine;
pub mod feed;
pub mod hash;
pub mod identity;
pub mod limits;
pub mod payload;
pub mod replay;
pub mod sync;
pub mod time;
pub mod value;
pub mod verdict;
