//! The control socket: how commands reach the daemon of the same home.
//!
//! `<home>/control.sock`, mode 0600, in a directory that only its owner can enter: whoever can
//! connect could read the keys as well. One JSON value a line, see `message`.
//!
//! *Invariants.* The server never waits for the engine while it holds anything; a slow or silent
//! client holds up itself alone. A client tells "no daemon" from "a daemon that does not answer".
//!
//! *Source*: ours.

mod artefact;
mod calls;
mod client;
mod message;
mod records;
mod server;
#[cfg(test)]
mod tests;

pub use artefact::{Act, Acted, AsOf, Deed, Edit, Frozen, ListQuery, Look, Pair, Word};
pub use calls::{Call, Calls};
pub use client::{ControlError, ask, is_running};
pub use message::{
    Answer, CardAdded, Exported, Joined, JournalAsk, LogQuery, Notes, REQUEST_BYTES_MAX, Refusal,
    Reply, Request, Written,
};
pub use records::{
    CollectionField, CollectionLine, Leaving, LeavingValue, Promoting, PromotionLine,
    PromotionPage, RecordLine, RecordPage, RecordsAnswer, RecordsAsked, RecordsChange, RecordsKept,
    RecordsLook, RecordsPut, RecordsQuery, Values,
};
pub use server::{Server, ServerError};
