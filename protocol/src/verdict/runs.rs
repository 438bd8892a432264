//! Columns of a change, run by run, and whether they are written in the one canonical way.
//!
//! ```text
//! numbers, texts   SLEB count: n > 1, value    the value n times
//!                              -n, n values    values each unlike the one before
//!                              0, ULEB n       n empty rows
//! differences      the same; the value of a row is the sum so far
//! yes or no        ULEB n of no, n of yes, n of no…
//! ```
//!
//! Canonical: no value that could have joined the run before it, no two runs of empty rows or of
//! single values side by side, no column of empty rows alone, none of "no" alone where a missing
//! column says the same.
//!
//! *Invariants.* A run is read without being expanded, so counting rows costs what the bytes cost,
//! whatever their number. Takes no memory.
//!
//! *Source*: the Automerge binary format, "Column encodings".

use super::{
    reader::Reader,
    rule::{ColumnFault, Unreadable},
};

/// Equal rows that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run<T> {
    pub(super) value: Option<T>,
    pub(super) rows: u64,
}

/// What came before the next run.
#[derive(Debug, Clone, Copy)]
enum Before<T> {
    Start,
    Empty,
    Repeated(T),
    Single(T),
}

/// How the values of a column are read.
type Read<'a, T> = fn(&mut Reader<'a>) -> Result<T, Unreadable>;

/// The runs of a column; single values come as runs of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Runs<'a, T> {
    reader: Reader<'a>,
    read: Read<'a, T>,
    before: Before<T>,
    singles_left: u64,
    has_value: bool,
}

impl<'a, T: Copy + PartialEq> Runs<'a, T> {
    pub(super) const fn new(bytes: &'a [u8], read: Read<'a, T>) -> Self {
        let reader = Reader::new(bytes);
        Self { reader, read, before: Before::Start, singles_left: 0, has_value: false }
    }

    pub(super) fn next(&mut self) -> Result<Option<Run<T>>, ColumnFault> {
        if self.singles_left > 0 {
            return self.single().map(Some);
        }
        if self.reader.is_done() {
            let is_empty_alone = matches!(self.before, Before::Empty) && !self.has_value;
            return if is_empty_alone { Err(ColumnFault::NotCanonical) } else { Ok(None) };
        }
        match self.reader.signed()? {
            0 => self.empty().map(Some),
            1 => Err(ColumnFault::NotCanonical),
            count @ 2.. => self.repeated(count.unsigned_abs()).map(Some),
            count => {
                if matches!(self.before, Before::Single(_)) {
                    return Err(ColumnFault::NotCanonical);
                }
                self.singles_left = count.unsigned_abs();
                self.single().map(Some)
            }
        }
    }

    fn empty(&mut self) -> Result<Run<T>, ColumnFault> {
        let rows = self.reader.unsigned()?;
        if rows == 0 || matches!(self.before, Before::Empty) {
            return Err(ColumnFault::NotCanonical);
        }
        self.before = Before::Empty;
        Ok(Run { value: None, rows })
    }

    fn repeated(&mut self, rows: u64) -> Result<Run<T>, ColumnFault> {
        let value = self.value()?;
        self.before = Before::Repeated(value);
        Ok(Run { value: Some(value), rows })
    }

    fn single(&mut self) -> Result<Run<T>, ColumnFault> {
        let value = self.value()?;
        self.before = Before::Single(value);
        self.singles_left = self.singles_left.saturating_sub(1);
        Ok(Run { value: Some(value), rows: 1 })
    }

    /// A value unlike the one right before it.
    fn value(&mut self) -> Result<T, ColumnFault> {
        let value = (self.read)(&mut self.reader)?;
        self.has_value = true;
        match self.before {
            Before::Repeated(before) | Before::Single(before) if before == value => {
                Err(ColumnFault::NotCanonical)
            }
            Before::Start | Before::Empty | Before::Repeated(_) | Before::Single(_) => Ok(value),
        }
    }
}

/// The runs of a column of differences. A run of a difference is a rise or fall, not equal rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slopes<'a> {
    runs: Runs<'a, i64>,
    sum: i64,
    least: i64,
    most: i64,
}

impl<'a> Slopes<'a> {
    /// Values from `least` to `most` are allowed.
    pub(super) fn new(bytes: &'a [u8], least: i64, most: i64) -> Self {
        Self { runs: Runs::new(bytes, Reader::signed), sum: 0, least, most }
    }

    /// The next difference with its rows, every value of which is in range.
    pub(super) fn next(&mut self) -> Result<Option<Run<i64>>, ColumnFault> {
        let Some(run) = self.runs.next()? else { return Ok(None) };
        let Some(step) = run.value else { return Ok(Some(run)) };
        let rows = i64::try_from(run.rows).map_err(|_| ColumnFault::CounterRange)?;
        let first = self.sum.checked_add(step);
        let last = step.checked_mul(rows).and_then(|rise| self.sum.checked_add(rise));
        // A straight line stays between its ends.
        let (Some(first), Some(last)) = (first, last) else {
            return Err(ColumnFault::CounterRange);
        };
        let range = self.least..=self.most;
        if !range.contains(&first) || !range.contains(&last) {
            return Err(ColumnFault::CounterRange);
        }
        self.sum = last;
        Ok(Some(run))
    }
}

/// The runs of a column of yes and no.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flags<'a> {
    reader: Reader<'a>,
    next_is: bool,
    is_first: bool,
    has_yes: bool,
}

impl<'a> Flags<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { reader: Reader::new(bytes), next_is: false, is_first: true, has_yes: false }
    }

    /// Whether a yes was read so far.
    pub(super) const fn has_yes(&self) -> bool {
        self.has_yes
    }

    pub(super) fn next(&mut self) -> Result<Option<Run<bool>>, ColumnFault> {
        if self.reader.is_done() {
            return Ok(None);
        }
        let rows = self.reader.unsigned()?;
        // A column may begin with yes: then there are no rows of no before it.
        if rows == 0 && (!self.is_first || self.reader.is_done()) {
            return Err(ColumnFault::NotCanonical);
        }
        let value = self.next_is;
        self.has_yes |= value;
        self.next_is = !value;
        self.is_first = false;
        Ok(Some(Run { value: Some(value), rows }))
    }
}

/// Rows of a column one by one, expanded from its runs only as far as they are asked for. A column
/// that is missing has empty rows for ever.
#[derive(Debug)]
pub(super) struct Rows<R, T> {
    runs: R,
    run: Run<T>,
}

/// A column whose runs can be walked through.
pub(super) trait Walk<T> {
    fn walk(&mut self) -> Result<Option<Run<T>>, ColumnFault>;
}

impl<T: Copy + PartialEq> Walk<T> for Runs<'_, T> {
    fn walk(&mut self) -> Result<Option<Run<T>>, ColumnFault> {
        self.next()
    }
}

impl Walk<i64> for Slopes<'_> {
    fn walk(&mut self) -> Result<Option<Run<i64>>, ColumnFault> {
        self.next()
    }
}

impl Walk<bool> for &mut Flags<'_> {
    fn walk(&mut self) -> Result<Option<Run<bool>>, ColumnFault> {
        self.next()
    }
}

impl Walk<bool> for Flags<'_> {
    fn walk(&mut self) -> Result<Option<Run<bool>>, ColumnFault> {
        self.next()
    }
}

impl<R: Walk<T>, T: Copy> Rows<R, T> {
    pub(super) const fn new(runs: R) -> Self {
        Self { runs, run: Run { value: None, rows: 0 } }
    }

    pub(super) fn next(&mut self) -> Result<Option<T>, ColumnFault> {
        while self.run.rows == 0 {
            match self.runs.walk()? {
                Some(run) => self.run = run,
                None => self.run = Run { value: None, rows: u64::MAX },
            }
        }
        self.run.rows -= 1;
        Ok(self.run.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{vec, vec::Vec};

    fn numbers(bytes: &[u8]) -> Result<Vec<Run<u64>>, ColumnFault> {
        let mut runs = Runs::new(bytes, Reader::unsigned);
        let mut all = vec![];
        while let Some(run) = runs.next()? {
            all.push(run);
        }
        Ok(all)
    }

    fn run(value: u64, rows: u64) -> Run<u64> {
        Run { value: Some(value), rows }
    }

    #[test]
    fn runs_are_read_without_being_expanded() {
        assert_eq!(numbers(&[]), Ok(vec![]));
        assert_eq!(numbers(&[3, 7]), Ok(vec![run(7, 3)]));
        assert_eq!(numbers(&[0x7e, 7, 8, 2, 9]), Ok(vec![run(7, 1), run(8, 1), run(9, 2)]));
        let empty = Run { value: None, rows: 5 };
        assert_eq!(numbers(&[0, 5, 0x7f, 1]), Ok(vec![empty, run(1, 1)]));
        assert_eq!(numbers(&[0x7f, 1, 0, 5]), Ok(vec![run(1, 1), empty]));
        let huge = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0xc0, 0, 1];
        assert_eq!(numbers(&huge), Ok(vec![run(1, 1 << 62)]));
    }

    #[test]
    fn what_the_encoder_would_have_written_otherwise_is_refused() {
        let cases: &[&[u8]] = &[
            &[1, 7],                // one value alone is a single
            &[0, 0],                // no rows
            &[0, 5],                // empty rows alone
            &[0x7f, 1, 0, 2, 0, 3], // empty rows twice
            &[2, 7, 3, 7],          // a run in two parts
            &[2, 7, 0x7f, 7],
            &[0x7f, 7, 2, 7],
            &[0x7e, 7, 7],
            &[0x7f, 7, 0x7f, 8], // singles in two parts
        ];
        for bytes in cases {
            assert_eq!(numbers(bytes), Err(ColumnFault::NotCanonical), "{bytes:?}");
        }
        let cut = ColumnFault::Unreadable(Unreadable::CutShort);
        assert_eq!(numbers(&[0x7d, 1, 2]), Err(cut));
        assert_eq!(numbers(&[3]), Err(cut));
    }

    #[test]
    fn a_slope_leaves_its_range_at_neither_end() {
        let last = |bytes: &[u8]| {
            let mut slopes = Slopes::new(bytes, 0, 100);
            while slopes.next()?.is_some() {}
            Ok(slopes.sum)
        };
        assert_eq!(last(&[0xe4, 0, 1]), Ok(100));
        assert_eq!(last(&[0xe5, 0, 1]), Err(ColumnFault::CounterRange));
        assert_eq!(last(&[0x7e, 5, 0x7a]), Err(ColumnFault::CounterRange));
        assert_eq!(last(&[0x7e, 5, 0x7b]), Ok(0));
        let huge = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0xc0, 0, 5];
        assert_eq!(last(&huge), Err(ColumnFault::CounterRange));
    }

    #[test]
    fn flags_alternate_and_only_the_first_run_may_have_no_rows() {
        let flags = |bytes: &[u8]| {
            let mut flags = Flags::new(bytes);
            let mut rows = vec![];
            while let Some(run) = flags.next()? {
                rows.push(run.rows);
            }
            Ok((rows, flags.has_yes()))
        };
        assert_eq!(flags(&[3]), Ok((vec![3], false)));
        assert_eq!(flags(&[0, 3, 2]), Ok((vec![0, 3, 2], true)));
        assert_eq!(flags(&[0]), Err(ColumnFault::NotCanonical));
        assert_eq!(flags(&[3, 0]), Err(ColumnFault::NotCanonical));
        assert_eq!(flags(&[3, 0, 1]), Err(ColumnFault::NotCanonical));
    }
}
