//! Rows of files: CSV with a heading, and JSON Lines.
//!
//! ```text
//! CSV          RFC 4180, UTF-8; the heading names every column of the collection, and no other
//! JSON Lines   one object a line, by the names of fields; texts, whole numbers, true, false, null
//! ```
//!
//! | file | what |
//! |---|---|
//! | `mod` | a file of either layout, row by row |
//! | `separated`, `objects` | CSV; JSON Lines |
//!
//! Other numbers than whole ones are written as text, so that nothing is lost between a point and a reader.
//!
//! *Invariants.* One row is in memory at a time, and no more of it than a row may have. Every line is told
//! apart: what is wrong with one says nothing of the next.
//!
//! *Source*: ours; RFC 4180, jsonlines.org.

mod objects;
mod separated;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    io::{self, BufRead},
};

use concordat_protocol::artefact::guard::holds_number;

use self::separated::Separated;
use super::{
    collection::Collection,
    row::{Fault, ROW_BYTES_MAX, Row},
};

/// Longest part of a cell that is told, in characters.
const TOLD_CHARS_MAX: usize = 40;

/// How rows are laid out in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// RFC 4180.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The operating system said no.
    #[error("reading the rows: {0}")]
    Io(#[from] io::Error),
    /// A row that is longer than any may be.
    #[error(
        "line {line}: a row has more than {ROW_BYTES_MAX} bytes, or a quotation mark is never closed; \
         mend it there"
    )]
    TooLong {
        /// Where it begins.
        line: u64,
    },
    /// The heading is not the collection's.
    #[error(
        "line 1: the heading must name each column of the collection once, and no other: {why}"
    )]
    Heading {
        /// What is wrong with it.
        why: String,
    },
}

impl SourceError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "input",
            Self::TooLong { .. } => "too-long",
            Self::Heading { .. } => "bad-heading",
        }
    }
}

/// One row of a file.
#[derive(Debug)]
pub struct Line {
    /// Where it begins, counted from 1.
    pub number: u64,
    /// The row, or what is wrong with it.
    pub row: Result<Row, Vec<Fault>>,
    /// By headings, as they stand in the file.
    cells: Vec<(String, String)>,
}

impl Line {
    /// The beginning of what stands where a fault is, unless it must not be repeated.
    #[must_use]
    pub fn found(&self, fault: &Fault) -> Option<String> {
        let column = fault.column.as_ref()?;
        let (_, text) = self.cells.iter().find(|(heading, _)| heading == column)?;
        if text.is_empty() || holds_number(text) {
            return None;
        }
        let beginning: String = text.chars().take(TOLD_CHARS_MAX).collect();
        let more = if beginning.len() < text.len() { "…" } else { "" };
        Some(format!("{beginning}{more}"))
    }
}

/// The rows of a file, one after the other.
pub struct Source<'a> {
    collection: &'a Collection,
    rows: Rows<'a>,
}

enum Rows<'a> {
    Csv(Box<Separated<'a>>),
    JsonLines { input: Box<dyn BufRead + 'a>, number: u64 },
}

impl fmt::Debug for Source<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "rows for {}", self.collection.name())
    }
}

impl<'a> Source<'a> {
    /// Begins to read rows for a collection.
    ///
    /// # Errors
    /// - [`SourceError`]: the input cannot be read, or its heading is not the collection's.
    pub fn open(
        collection: &'a Collection,
        layout: Layout,
        input: impl BufRead + 'a,
    ) -> Result<Self, SourceError> {
        let input: Box<dyn BufRead + 'a> = Box::new(input);
        let rows = match layout {
            Layout::JsonLines => Rows::JsonLines { input, number: 0 },
            Layout::Csv => Rows::Csv(Box::new(Separated::open(collection, input)?)),
        };
        Ok(Self { collection, rows })
    }

    /// The next row; none at the end.
    ///
    /// # Errors
    /// - [`SourceError`]: the input cannot be read on.
    pub fn next_line(&mut self) -> Result<Option<Line>, SourceError> {
        match &mut self.rows {
            Rows::Csv(rows) => rows.next(self.collection),
            Rows::JsonLines { input, number } => objects::next(self.collection, input, number),
        }
    }
}
