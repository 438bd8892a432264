//! Decisions: exact wording put to organisations, their sign-offs, and what comes of them.
//!
//! ```text
//! wording   decidable fields ── canonical JSON ──▶ snapshot, digest
//! papers    proposal, sign-offs, closings, charters, audience     as feeds and charters give them
//! effect    may the proposal have effect · who may close it
//! timing    which sign-offs came in time
//! poll      papers ──▶ seats ──▶ carried | failed | inquorate | disputed | open
//! slip      what became of each sign-off, and what a person must see
//! trace     the rule line by line, in figures and words
//! deed      who did something, in which capacity, between which times
//! proof     all of this for somebody who was not there
//! ```
//!
//! Votes never merge: each is one organisation's signed answer to exact wording, and is counted
//! once. Everything is a function of what is given; times are shown and never decide.
//!
//! Knows nothing of documents, storage or the engine. Source: ours, `SPEC.md` section "Decisions".

mod canonical;
mod deed;
mod effect;
mod papers;
mod poll;
mod proof;
mod slip;
#[cfg(test)]
mod tests;
mod timing;
mod trace;
mod wording;

pub use canonical::{BadJson, Json};
pub(crate) use deed::utc;
pub use deed::{Acting, Beside, Deed, Point};
pub use effect::{NoEffect, closer_under};
pub use papers::{
    CloseEntry, Papers, ProposalEntry, Rivals, SignOffEntry, Standing, Written, rivals,
};
pub use poll::{Poll, Remaining, Ruling, Wait, may_answer, poll};
pub use proof::{
    Figures, Interval, NotCounted, Proof, ProvenLine, ProvenSeat, ProvenWording, prove,
};
pub use slip::{Earlier, Fate, Flag, Slip};
pub use timing::{Bounds, Covered};
pub use trace::Line;
pub use wording::{BadWording, Block, Mark, RENDERER, Wording};
