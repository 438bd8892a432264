//! Feeds: one organisation's signed append-only log on one board, in one epoch, under one key.
//!
//! ```text
//! descriptor ── H(feed) ──▶ feed id
//! header 0 ◀─prev─ header 1 ◀─prev─ … header n-1        entry id = H(entry, header)
//!    └── RFC 6962 tree over the headers ──▶ root        head = [size, id of size-1, root], signed
//! payload, attribution: beside the header, salted, known to it by hash
//! ```
//!
//! One signature on a head vouches for every entry below it. Moves and proves entries; knows
//! nothing of what their payloads mean, save those that concern feeds themselves (opening,
//! acknowledgement, evidence).

mod ack;
mod chain;
mod descriptor;
mod entry;
mod epoch;
mod evidence;
mod fork;
mod head;
mod kind;
mod lineage;
mod merkle;
mod run;
mod settlement;
#[cfg(test)]
mod tests;
mod verify;

pub use ack::{Ack, AckItem};
pub use chain::Tip;
pub use descriptor::Descriptor;
pub use entry::{Draft, Header, Salted, Sealed};
pub use epoch::{BadOpening, End, OpenFeed, Warrant, WarrantRole};
pub use evidence::Evidence;
pub(crate) use fork::SideWire;
pub use fork::{BadProof, ForkProof, ForkSide};
pub use head::{Head, SignedHead};
pub use kind::Kind;
pub use lineage::{Extent, Opened, Right, expect_room, extents};
pub use merkle::{Frontier, inclusion_path, leaf_hash, root_of_path};
pub(crate) use run::RunWire;
pub use run::{Body, CompactEntry, Run};
pub use settlement::settled_size;
pub use verify::{Misbehaved, VerifiedEntry, VerifiedRun, verify_run};
