//! Decisions: exact wording put to organisations, their sign-offs, and what comes of them.

mod canonical;
mod wording;

pub use canonical::{BadJson, Json};
pub use wording::{BadWording, Block, Mark, RENDERER, Wording};
