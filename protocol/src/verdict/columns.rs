//! The columns of a change: which there are, and what each must be by itself.
//!
//! | column | what | written as | rows |
//! |---|---|---|---|
//! | 01 02 | object: actor, counter | numbers | missing or one an operation; empty = the root |
//! | 11 13 15 | key: actor, counter, text | numbers, differences, texts | missing or one an operation |
//! | 34 | whether it inserts | yes or no | one an operation |
//! | 42 | action | numbers | one an operation, none empty |
//! | 56 57 | value: length × 16 + type; bytes | numbers; bytes | one an operation, none empty |
//! | 70 | how many predecessors | numbers | one an operation, none empty |
//! | 71 73 | predecessor: actor, counter | numbers, differences | one a predecessor, none empty |
//! | 94 a5 | mark: whether it expands, name | yes or no, texts | missing or one an operation |
//!
//! The number is the column's id × 16 + its type; a compressed column has 8 added, so it is none of
//! these.
//!
//! *Invariants.* Every row is counted before any is expanded: 2^62 operations in a hundred bytes
//! cost what a hundred bytes cost.
//!
//! *Source*: the Automerge binary format, "Operation columns".

use alloc::collections::BTreeSet;
use core::fmt;

use super::{
    reader::Reader,
    rule::{ColumnFault, Rule},
    runs::{Flags, Run, Runs, Slopes},
};
use crate::limits::{COUNTER_MAX, OPERATIONS_MAX, PREDECESSORS_MAX};

macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident = $spec:literal,)*) => {
        /// A column of a change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Column { $($(#[$doc])* $name = $spec,)* }

        impl Column {
            /// Every column, in the order in which they stand in a change.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

columns! {
    /// The actor of the object.
    ObjectActor = 0x01,
    /// The counter of the object.
    ObjectCounter = 0x02,
    /// The actor of the element.
    KeyActor = 0x11,
    /// The counter of the element.
    KeyCounter = 0x13,
    /// The key in a map.
    KeyText = 0x15,
    /// Whether the operation inserts.
    Insert = 0x34,
    /// What the operation does.
    Action = 0x42,
    /// Types and lengths of the values.
    ValueMeta = 0x56,
    /// The values.
    Value = 0x57,
    /// How many predecessors the operation has.
    PredecessorCount = 0x70,
    /// The actors of the predecessors.
    PredecessorActor = 0x71,
    /// The counters of the predecessors.
    PredecessorCounter = 0x73,
    /// Whether a mark expands.
    Expand = 0x94,
    /// The name of a mark.
    MarkName = 0xa5,
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#04x}", *self as u8)
    }
}

const COUNTER_MOST: i64 = COUNTER_MAX.cast_signed();
/// Sixteen types of value share a number with the length.
pub(super) const VALUE_TYPES: u64 = 16;

/// The bytes of the columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns<'a> {
    bytes: [&'a [u8]; 14],
    operations: u32,
}

impl<'a> Columns<'a> {
    /// Reads which columns there are, and takes their bytes.
    pub(super) fn read(body: &mut Reader<'a>) -> Result<Self, Rule> {
        let count = body.unsigned()?;
        let mut lengths = [0; 14];
        let mut next = 0;
        for _ in 0..count {
            let spec = body.unsigned()?;
            let len = body.unsigned()?;
            let place = Column::ALL.iter().position(|column| *column as u64 == spec);
            let place = place.filter(|place| *place >= next && len > 0);
            let place = place.ok_or(Rule::Columns { spec })?;
            next = place + 1;
            if let Some(length) = lengths.get_mut(place) {
                *length = len;
            }
        }
        let mut bytes: [&[u8]; 14] = [&[]; 14];
        for (slot, len) in bytes.iter_mut().zip(lengths) {
            *slot = body.bytes(len)?;
        }
        Ok(Self { bytes, operations: 0 })
    }

    pub(super) const fn operations(&self) -> u32 {
        self.operations
    }

    pub(super) fn of(&self, column: Column) -> &'a [u8] {
        let place = Column::ALL.iter().position(|other| *other == column);
        place.and_then(|place| self.bytes.get(place)).copied().unwrap_or_default()
    }

    pub(super) fn numbers(&self, column: Column) -> Runs<'a, u64> {
        Runs::new(self.of(column), Reader::unsigned)
    }

    pub(super) fn texts(&self, column: Column) -> Runs<'a, &'a str> {
        Runs::new(self.of(column), Reader::text)
    }

    pub(super) fn slopes(&self, column: Column, least: i64) -> Slopes<'a> {
        Slopes::new(self.of(column), least, COUNTER_MOST)
    }

    /// The rows of the action column, before anything else is read.
    fn count_operations(&self) -> Result<u32, Rule> {
        let fault = |fault: ColumnFault| fault.of(Column::Action);
        let mut runs = self.numbers(Column::Action);
        let mut count: u64 = 0;
        while let Some(run) = runs.next().map_err(fault)? {
            count = count.saturating_add(run.rows);
            if count > OPERATIONS_MAX {
                return Err(Rule::TooManyOperations { count });
            }
            if run.value.is_none() {
                return Err(fault(ColumnFault::Null));
            }
        }
        u32::try_from(count).map_err(|_| Rule::TooManyOperations { count })
    }

    /// Counts the operations, then tests each column by itself, in order. Gives the actors that are
    /// used.
    pub(super) fn check_each(&mut self, actors: u64) -> Result<BTreeSet<u64>, Rule> {
        self.operations = self.count_operations()?;
        let mut checks = Checks { actors, used: BTreeSet::new(), value_bytes: 0, predecessors: 0 };
        for column in Column::ALL.iter().copied() {
            let is_counted = matches!(column, Column::PredecessorCount);
            self.check(column, &mut checks).map_err(|fault| fault.of(column))?;
            if is_counted && checks.predecessors > PREDECESSORS_MAX {
                return Err(Rule::TooManyPredecessors { count: checks.predecessors });
            }
        }
        Ok(checks.used)
    }

    fn check(&self, column: Column, checks: &mut Checks) -> Result<(), ColumnFault> {
        let bytes = self.of(column);
        let operations = u64::from(self.operations);
        match column {
            Column::ObjectActor | Column::KeyActor => {
                let fits = |run: Run<u64>| checks.actor(run);
                Count::optional(operations).over(self.numbers(column), bytes, fits)
            }
            Column::ObjectCounter => {
                Count::optional(operations).over(self.numbers(column), bytes, counter)
            }
            Column::KeyCounter => {
                Count::optional(operations).over(self.slopes(column, 0), bytes, |_| Ok(()))
            }
            Column::KeyText | Column::MarkName => {
                Count::optional(operations).over(self.texts(column), bytes, |_| Ok(()))
            }
            Column::Insert => {
                Count::required(operations).over(Flags::new(bytes), bytes, |_| Ok(()))
            }
            // Read first, when the operations were counted.
            Column::Action => Ok(()),
            Column::ValueMeta => {
                let sum = |run: Run<u64>| checks.values(run);
                Count::required(operations).over(self.numbers(column), bytes, sum)
            }
            Column::Value => {
                let fits = checks.value_bytes == bytes.len() as u64;
                if fits { Ok(()) } else { Err(ColumnFault::ValueLength { len: bytes.len() }) }
            }
            Column::PredecessorCount => {
                let sum = |run: Run<u64>| checks.predecessors(run);
                Count::required(operations).over(self.numbers(column), bytes, sum)
            }
            Column::PredecessorActor => {
                let count = Count::required(checks.predecessors);
                count.over(self.numbers(column), bytes, |run| checks.actor(run))
            }
            Column::PredecessorCounter => {
                let count = Count::required(checks.predecessors);
                count.over(self.slopes(column, 1), bytes, |_| Ok(()))
            }
            Column::Expand => {
                let mut flags = Flags::new(bytes);
                Count::optional(operations).over(&mut flags, bytes, |_| Ok(()))?;
                let is_idle = !bytes.is_empty() && !flags.has_yes();
                if is_idle { Err(ColumnFault::NotCanonical) } else { Ok(()) }
            }
        }
    }
}

/// What is summed up over columns while they are checked.
#[derive(Debug)]
struct Checks {
    actors: u64,
    used: BTreeSet<u64>,
    value_bytes: u64,
    predecessors: u64,
}

impl Checks {
    fn actor(&mut self, run: Run<u64>) -> Result<(), ColumnFault> {
        let Some(index) = run.value else { return Ok(()) };
        if index >= self.actors {
            return Err(ColumnFault::ActorIndex { index, actors: self.actors });
        }
        self.used.insert(index);
        Ok(())
    }

    fn values(&mut self, run: Run<u64>) -> Result<(), ColumnFault> {
        let len = run.value.unwrap_or(0) / VALUE_TYPES;
        self.value_bytes = self.value_bytes.saturating_add(len.saturating_mul(run.rows));
        Ok(())
    }

    fn predecessors(&mut self, run: Run<u64>) -> Result<(), ColumnFault> {
        let count = run.value.unwrap_or(0).saturating_mul(run.rows);
        self.predecessors = self.predecessors.saturating_add(count);
        Ok(())
    }
}

fn counter(run: Run<u64>) -> Result<(), ColumnFault> {
    let is_in_range = run.value.is_none_or(|value| (1..=COUNTER_MAX).contains(&value));
    if is_in_range { Ok(()) } else { Err(ColumnFault::CounterRange) }
}

/// How many rows a column must have.
struct Count {
    expected: u64,
    is_required: bool,
}

impl Count {
    const fn required(expected: u64) -> Self {
        Self { expected, is_required: true }
    }

    const fn optional(expected: u64) -> Self {
        Self { expected, is_required: false }
    }

    /// Walks through the runs of a column and gives each to `check`.
    fn over<T>(
        &self,
        mut runs: impl super::runs::Walk<T>,
        bytes: &[u8],
        mut check: impl FnMut(Run<T>) -> Result<(), ColumnFault>,
    ) -> Result<(), ColumnFault> {
        let wrong = ColumnFault::Length { expected: self.expected };
        if bytes.is_empty() && !self.is_required {
            return Ok(());
        }
        let mut rows: u64 = 0;
        while let Some(run) = runs.walk()? {
            rows = rows.saturating_add(run.rows);
            if rows > self.expected {
                return Err(wrong);
            }
            if run.value.is_none() && self.is_required {
                return Err(ColumnFault::Null);
            }
            check(run)?;
        }
        if rows == self.expected { Ok(()) } else { Err(wrong) }
    }
}
