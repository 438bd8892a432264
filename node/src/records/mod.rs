//! Private records: what one organisation keeps for itself, and the one act by which some of it leaves.
//!
//! ```text
//!   CSV, JSON Lines ─source─▶ rows ─row─▶ checked ─put─▶ Own::Records of this node's store
//!                                           ▲ collection: <home>/collections/<name>.toml
//!   list, show, export ◀─find───────────────┴──────────── Own::Records
//!   promote: leaving ─▶ shown ─▶ promotion ─▶ an act on an artefact, as any other      the only way out
//! ```
//!
//! | file | what |
//! |---|---|
//! | `mod` | what is asked, and what it comes to |
//! | `collection`, `check` | what the records of one kind hold, as an administrator wrote it |
//! | `form` | types of fields, and the one form in which a value is kept |
//! | `target` | where a field may be promoted to |
//! | `row` | one row, checked, with its id |
//! | `source` | rows of files |
//! | `put`, `find` | keeping, deleting, finding |
//! | `leaving`, `promotion` | what would leave; letting it out, and the note of it |
//! | `table` | what stands where in the store |
//!
//! *Invariants.* The network, the protocol and its engine cannot name this folder or its table; a test
//! reads their code. Whoever writes makes the operations of an answer durable before the answer is given, and
//! does so one request at a time. Nothing about a patient is kept.
//!
//! *Source*: ours; domain, section 1.6.

mod check;
mod collection;
mod find;
mod form;
mod leaving;
mod promotion;
mod put;
mod row;
mod source;
mod table;
mod target;
#[cfg(test)]
mod tests;

pub use collection::{Collection, CollectionError};
pub use form::Misfit;
pub use promotion::{Begun, begin, journalled};
pub use put::PUT_ROWS_MAX;
pub use row::{Fault, ROW_BYTES_MAX, Row};
pub use source::{Layout, Line, Source, SourceError};

use self::table::Records;
use crate::{
    control::{CollectionLine, RecordsAnswer, RecordsChange, RecordsLook, Refusal},
    home::Home,
    replica::Snapshot,
    store::Op,
};

/// Most records that a list of collections counts in each.
const COUNTED_MAX: usize = 100_000;

/// Answers what changes nothing; reads files and the store.
///
/// # Errors
/// - [`Refusal`]: something is not there, or cannot be read.
pub fn look(
    snapshot: &Snapshot,
    home: &Home,
    asked: &RecordsLook,
) -> Result<RecordsAnswer, Refusal> {
    let reader = snapshot.reader();
    Ok(match asked {
        RecordsLook::Collections => {
            let lines = Collection::all(home)?.into_iter().map(|collection| {
                let records = Records::of(reader, collection.name()).count(COUNTED_MAX)?;
                Ok(CollectionLine {
                    fields: collection.fields(),
                    collection: collection.name,
                    title: collection.title,
                    holds: collection.holds,
                    key: collection.key,
                    records,
                })
            });
            RecordsAnswer::Collections(lines.collect::<Result<_, Refusal>>()?)
        }
        RecordsLook::List(query) => {
            let collection = Collection::named(home, &query.collection)?;
            let records = Records::of(reader, collection.name());
            RecordsAnswer::Page(find::page(&collection, &records, query)?)
        }
        RecordsLook::Show { collection, record } => {
            let collection = Collection::named(home, collection)?;
            let records = Records::of(reader, collection.name());
            RecordsAnswer::Record(find::line(find::named(&collection, &records, record)?))
        }
        RecordsLook::Leaving(what) => {
            let (leaving, _) = leaving::leaving(snapshot, home, what)?;
            RecordsAnswer::Leaving(Box::new(leaving))
        }
        RecordsLook::Promotions { after, limit } => {
            let page = promotion::promotions(reader, after.as_deref(), *limit)?;
            RecordsAnswer::Promotions(page)
        }
    })
}

/// What a change comes to: operations to be made durable, and then the answer.
///
/// # Errors
/// - [`Refusal`]: nothing is changed.
///
/// # Order
/// The operations of one change are durable before the next is asked for.
pub fn change(
    snapshot: &Snapshot,
    home: &Home,
    asked: &RecordsChange,
) -> Result<(Vec<Op>, RecordsAnswer), Refusal> {
    let reader = snapshot.reader();
    match asked {
        RecordsChange::Put(rows) => {
            let collection = Collection::named(home, &rows.collection)?;
            let records = Records::of(reader, collection.name());
            let (ops, kept) = put::put(&collection, &records, rows)?;
            Ok((ops, RecordsAnswer::Kept(kept)))
        }
        RecordsChange::Delete { collection, records: named } => {
            let collection = Collection::named(home, collection)?;
            let records = Records::of(reader, collection.name());
            let (ops, deleted) = put::delete(&collection, &records, named)?;
            Ok((ops, RecordsAnswer::Deleted(deleted)))
        }
    }
}
