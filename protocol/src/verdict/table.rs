//! The operations of a change, row by row, from its columns.
//!
//! *Invariants.* Holds one row at a time. Reads columns that were checked: what still cannot be read
//! is refused all the same.
//!
//! *Source*: the Automerge binary format, "Operation columns".

use super::{
    columns::{Column, Columns, VALUE_TYPES},
    reader::Reader,
    rule::{ColumnFault, Rule},
    runs::{Flags, Rows, Runs, Slopes},
};

/// The values of a column of differences.
#[derive(Debug)]
struct Sums<'a> {
    steps: Rows<Slopes<'a>, i64>,
    sum: i64,
}

impl<'a> Sums<'a> {
    const fn new(slopes: Slopes<'a>) -> Self {
        Self { steps: Rows::new(slopes), sum: 0 }
    }

    fn next(&mut self) -> Result<Option<u64>, ColumnFault> {
        let Some(step) = self.steps.next()? else { return Ok(None) };
        self.sum = self.sum.checked_add(step).ok_or(ColumnFault::CounterRange)?;
        u64::try_from(self.sum).map(Some).map_err(|_| ColumnFault::CounterRange)
    }
}

type Numbers<'a> = Rows<Runs<'a, u64>, u64>;
type Texts<'a> = Rows<Runs<'a, &'a str>, &'a str>;

/// All columns side by side.
#[derive(Debug)]
pub(super) struct Table<'a> {
    object_actor: Numbers<'a>,
    object_counter: Numbers<'a>,
    key_actor: Numbers<'a>,
    key_counter: Sums<'a>,
    key_text: Texts<'a>,
    insert: Rows<Flags<'a>, bool>,
    action: Numbers<'a>,
    value_meta: Numbers<'a>,
    values: Reader<'a>,
    predecessor_count: Numbers<'a>,
    predecessor_actor: Numbers<'a>,
    predecessor_counter: Sums<'a>,
    expand: Rows<Flags<'a>, bool>,
    mark_name: Texts<'a>,
}

/// An operation as it is written; actors are places in the change's own list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) object: (Option<u64>, Option<u64>),
    pub(super) key: (Option<u64>, Option<u64>, Option<&'a str>),
    pub(super) is_insert: bool,
    pub(super) action: u64,
    pub(super) value_type: u64,
    pub(super) value: &'a [u8],
    pub(super) predecessors: u64,
    pub(super) expands: bool,
    pub(super) mark_name: Option<&'a str>,
}

impl<'a> Table<'a> {
    pub(super) fn new(columns: &Columns<'a>) -> Self {
        Self {
            object_actor: Rows::new(columns.numbers(Column::ObjectActor)),
            object_counter: Rows::new(columns.numbers(Column::ObjectCounter)),
            key_actor: Rows::new(columns.numbers(Column::KeyActor)),
            key_counter: Sums::new(columns.slopes(Column::KeyCounter, 0)),
            key_text: Rows::new(columns.texts(Column::KeyText)),
            insert: Rows::new(Flags::new(columns.of(Column::Insert))),
            action: Rows::new(columns.numbers(Column::Action)),
            value_meta: Rows::new(columns.numbers(Column::ValueMeta)),
            values: Reader::new(columns.of(Column::Value)),
            predecessor_count: Rows::new(columns.numbers(Column::PredecessorCount)),
            predecessor_actor: Rows::new(columns.numbers(Column::PredecessorActor)),
            predecessor_counter: Sums::new(columns.slopes(Column::PredecessorCounter, 1)),
            expand: Rows::new(Flags::new(columns.of(Column::Expand))),
            mark_name: Rows::new(columns.texts(Column::MarkName)),
        }
    }

    /// The next operation. Its predecessors are to be read before the one after it.
    pub(super) fn next(&mut self) -> Result<Row<'a>, Rule> {
        let object = (
            cell(self.object_actor.next(), Column::ObjectActor)?,
            cell(self.object_counter.next(), Column::ObjectCounter)?,
        );
        let key = (
            cell(self.key_actor.next(), Column::KeyActor)?,
            cell(self.key_counter.next(), Column::KeyCounter)?,
            cell(self.key_text.next(), Column::KeyText)?,
        );
        let meta = full(self.value_meta.next(), Column::ValueMeta)?;
        let value = self.values.bytes(meta / VALUE_TYPES);
        Ok(Row {
            object,
            key,
            is_insert: full(self.insert.next(), Column::Insert)?,
            action: full(self.action.next(), Column::Action)?,
            value_type: meta % VALUE_TYPES,
            value: value.map_err(|fault| ColumnFault::from(fault).of(Column::Value))?,
            predecessors: full(self.predecessor_count.next(), Column::PredecessorCount)?,
            expands: cell(self.expand.next(), Column::Expand)?.unwrap_or(false),
            mark_name: cell(self.mark_name.next(), Column::MarkName)?,
        })
    }

    /// The next predecessor: its actor's place and its counter.
    pub(super) fn predecessor(&mut self) -> Result<(u64, u64), Rule> {
        let actor = full(self.predecessor_actor.next(), Column::PredecessorActor)?;
        let counter = full(self.predecessor_counter.next(), Column::PredecessorCounter)?;
        Ok((actor, counter))
    }
}

/// A cell that may be empty.
fn cell<T>(found: Result<Option<T>, ColumnFault>, column: Column) -> Result<Option<T>, Rule> {
    found.map_err(|fault| fault.of(column))
}

/// A cell that may not.
fn full<T>(found: Result<Option<T>, ColumnFault>, column: Column) -> Result<T, Rule> {
    cell(found, column)?.ok_or(ColumnFault::Null.of(column))
}
