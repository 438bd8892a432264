//! Tests of decisions: fixtures of real boards, every small case, and any papers at all.

mod any;
mod board;
mod every;
pub(super) mod fixture;
mod poll;
mod proof;
