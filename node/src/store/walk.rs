//! A walk over all rows, table by table and key by key, a slice at a time; commits may go on in between.
//!
//! *Invariants.* At every moment each place is either past or still to come: none falls between two
//! slices, nor between two tables.
//!
//! *Source*: ours.

use super::{Engine, KeyRange, Order, Row, StoreError, Table, ledger::Place};

/// Rows of one slice: of the longest values, 128 MiB.
pub(super) const SLICE_ROWS: usize = 64;

/// How far a walk has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Walk {
    /// Rows before this place are past; `None`: all are.
    next: Option<Place>,
    /// The table to walk over, if it is not all.
    only: Option<Table>,
}

impl Walk {
    /// Over all tables.
    pub(super) fn over_all() -> Self {
        Self { next: Table::all().next().map(start), only: None }
    }

    /// Over one table.
    pub(super) fn over(table: Table) -> Self {
        Self { next: Some(start(table)), only: Some(table) }
    }

    /// Whether a row at this place is past, if there is one.
    pub(super) fn is_past(&self, place: &Place) -> bool {
        self.next.as_ref().is_none_or(|next| place < next)
    }

    /// The next rows, with the table that they are of; `None` at the end. A slice may be empty before the end.
    pub(super) fn slice(
        &mut self,
        engine: &dyn Engine,
    ) -> Result<Option<(Table, Vec<Row>)>, StoreError> {
        let Some((table, from)) = &self.next else { return Ok(None) };
        let table = *table;
        let range = KeyRange { start: from.clone(), end: None };
        let rows = engine.scan(table, &range, SLICE_ROWS, Order::Ascending)?;
        self.next = match rows.last() {
            // The least key after it.
            Some((key, _)) if rows.len() == SLICE_ROWS => {
                Some((table, [key.as_slice(), &[0]].concat()))
            }
            Some(_) | None if self.only.is_some() => None,
            Some(_) | None => Table::all().find(|other| *other > table).map(start),
        };
        Ok(Some((table, rows)))
    }
}

const fn start(table: Table) -> Place {
    (table, Vec::new())
}
