//! Keeping rows and deleting them.
//!
//! *Invariants.* All rows of a request, or none. A row that is here already is not written again.
//!
//! *Source*: ours.

use std::collections::BTreeMap;

use super::{
    collection::Collection,
    find,
    row::{Fault, Row},
    table::Records,
};
use crate::{
    control::{RecordsKept, RecordsPut, Refusal},
    store::Op,
};

/// Most rows of one request.
pub const PUT_ROWS_MAX: usize = 10_000;
/// Most records deleted at once.
const DELETED_MAX: usize = 10_000;
/// Most faults that a refusal tells.
const TOLD_MAX: usize = 20;

/// What keeping these rows comes to.
///
/// # Errors
/// - [`Refusal`]: a row does not fit, or two have one key; nothing is kept.
pub(super) fn put(
    collection: &Collection,
    records: &Records<'_>,
    asked: &RecordsPut,
) -> Result<(Vec<Op>, RecordsKept), Refusal> {
    if asked.rows.len() > PUT_ROWS_MAX {
        let message = format!("there may be {PUT_ROWS_MAX} rows at once; send the rest apart");
        return Err(Refusal::new("too-long", message));
    }
    let (mut ops, mut kept) = (Vec::new(), RecordsKept::default());
    for row in read(collection, asked)? {
        match records.get(&row.id)? {
            None => {
                ops.push(records.put(&row));
                kept.added += 1;
            }
            Some(there) if there == row => kept.same += 1,
            Some(_) if asked.replaces => {
                ops.push(records.put(&row));
                kept.replaced += 1;
            }
            Some(_) => kept.existing.push(row.id),
        }
    }
    Ok((ops, kept))
}

fn read(collection: &Collection, asked: &RecordsPut) -> Result<Vec<Row>, Refusal> {
    let mut told = Vec::new();
    let mut first_code = None;
    let mut tell = |number: usize, fault: Fault| {
        first_code.get_or_insert(fault.code);
        let column = fault.column.map(|column| format!(", {column}:")).unwrap_or_default();
        told.push(format!("row {number}{column} {}", fault.why));
    };
    let mut rows = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (number, values) in (1..).zip(&asked.rows) {
        match Row::read(collection, values) {
            Ok(row) => match seen.insert(row.id.clone(), number) {
                None => rows.push(row),
                Some(first) => {
                    let why = format!("has the same key as row {first}");
                    tell(number, Fault::of_row("repeated-key", why));
                }
            },
            Err(faults) => faults.into_iter().for_each(|fault| tell(number, fault)),
        }
    }
    let Some(code) = first_code else { return Ok(rows) };
    let more = told.len().saturating_sub(TOLD_MAX);
    told.truncate(TOLD_MAX);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    Err(Refusal::new(code, format!("nothing is kept: {}", told.join("; "))))
}

/// Deletes the records that a person named.
///
/// # Errors
/// - [`Refusal`]: one of them is not there, or could be several; nothing is deleted.
pub(super) fn delete(
    collection: &Collection,
    records: &Records<'_>,
    named: &[String],
) -> Result<(Vec<Op>, Vec<String>), Refusal> {
    if named.len() > DELETED_MAX {
        let message = format!("there may be {DELETED_MAX} records at once; delete the rest apart");
        return Err(Refusal::new("too-long", message));
    }
    let ids = named.iter().map(|named| find::named(collection, records, named).map(|row| row.id));
    let ids: Vec<String> = ids.collect::<Result<_, _>>()?;
    Ok((ids.iter().map(|id| records.delete(id)).collect(), ids))
}
