//! The verdict on one Automerge change: may it ever be handed to Automerge?
//!
//! ```text
//! bytes ─ envelope ─ header ─ columns ─ feed ─┬─ closure ─ operations ─ good
//!                                             └─ waiting, for a dependency that is not there
//! ```
//!
//! | step | file |
//! |---|---|
//! | envelope and header | `chunk.rs`, integers in `reader.rs` |
//! | columns, counted and found canonical without being expanded | `columns.rs`, `runs.rs` |
//! | the changes that the dependencies reach | `closure.rs`, kept in `history.rs` |
//! | the change as a whole | `change.rs` |
//! | each operation, and the order of a text for its marks | `table.rs`, `operations.rs`, `known.rs`, `order.rs` |
//!
//! A hostile change can make Automerge panic, write a save that never loads, overflow the stack, or
//! take gigabytes. So each is judged here first, in our own code. It is refused on every node or on
//! none: the verdict is a function of the bytes, the feed and the changes that the dependencies
//! reach.
//!
//! *Invariants.* Never of order of arrival, local time, materialised documents or the version of a
//! library. Bounds are tested before memory is taken. No recursion. Knows nothing of Automerge's
//! types, of entries, or of kinds of artefact.
//!
//! *Source*: ours, `SPEC.md` section "Verdict"; the bytes are Automerge's binary format.

mod change;
mod chunk;
mod closure;
mod columns;
mod history;
mod known;
mod operation;
mod operations;
mod order;
mod reader;
mod rule;
mod runs;
mod table;

pub use chunk::{Actor, ActorPrefix, ChangeHash, Chunk};
pub use columns::Column;
pub use history::{History, Judged};
pub use rule::{ColumnFault, Judgement, OperationFault, Rule, Unreadable};
