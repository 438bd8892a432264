//! Rows of files: CSV with a heading, and JSON Lines.
//!
//! ```text
//! CSV          RFC 4180, UTF-8; the heading names every column of the collection, and no other
//! JSON Lines   one object a line, by the names of fields; texts, whole numbers, true, false, null
//! ```
//!
//! Other numbers than whole ones are written as text, so that nothing is lost between a point and a reader.
//!
//! *Invariants.* One row is in memory at a time, and no more of it than a row may have. Every line is told
//! apart: what is wrong with one says nothing of the next.
//!
//! *Source*: ours; RFC 4180, jsonlines.org.

#[cfg(test)]
mod tests;

use std::{
    cell::Cell,
    fmt,
    io::{self, BufRead, Read},
    rc::Rc,
};

use concordat_protocol::artefact::guard::holds_number;
use csv::{ByteRecord, ReaderBuilder};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use super::{
    collection::Collection,
    form::Form,
    row::{Fault, ROW_BYTES_MAX, Row},
};
use crate::control::Values;

const BUFFER_BYTES: usize = 64 * 1024;
/// Longest part of a cell that is told, in characters.
const TOLD_CHARS_MAX: usize = 40;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

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
    Csv {
        reader: Box<csv::Reader<Bounded<Box<dyn BufRead + 'a>>>>,
        left: Rc<Cell<usize>>,
        /// Names of fields and headings, in the order of the columns.
        columns: Vec<(String, String)>,
    },
    JsonLines {
        input: Box<dyn BufRead + 'a>,
        number: u64,
    },
}

impl fmt::Debug for Source<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "rows for {}", self.collection.name())
    }
}

/// Gives no more than is left.
struct Bounded<R> {
    input: R,
    left: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let most = buffer.len().min(left);
        let read = self.input.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left.set(left - read);
        Ok(read)
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
            Layout::Csv => {
                let left = Rc::new(Cell::new(0));
                let input = Bounded { input, left: Rc::clone(&left) };
                let mut reader = ReaderBuilder::new()
                    .has_headers(false)
                    .flexible(true)
                    // With both kinds of line ends at once lines would be counted wrong: see `cells`.
                    .terminator(csv::Terminator::Any(b'\n'))
                    .buffer_capacity(BUFFER_BYTES)
                    .from_reader(input);
                let mut heading = ByteRecord::new();
                read_record(&mut reader, &left, &mut heading)?;
                let columns = columns(collection, &heading)?;
                Rows::Csv { reader: Box::new(reader), left, columns }
            }
        };
        Ok(Self { collection, rows })
    }

    /// The next row; none at the end.
    ///
    /// # Errors
    /// - [`SourceError`]: the input cannot be read on.
    pub fn next_line(&mut self) -> Result<Option<Line>, SourceError> {
        let collection = self.collection;
        match &mut self.rows {
            Rows::Csv { reader, left, columns } => {
                let mut record = ByteRecord::new();
                while read_record(reader, left, &mut record)? {
                    let cells = cells(&record);
                    if cells != [b""] {
                        let number = line_of(&record, reader.position().line());
                        return Ok(Some(csv_line(collection, columns, number, &cells)));
                    }
                }
                Ok(None)
            }
            Rows::JsonLines { input, number } => loop {
                *number += 1;
                let Some(bytes) = json_bytes(input, *number)? else { return Ok(None) };
                if !bytes.trim_ascii().is_empty() {
                    return Ok(Some(json_line(collection, *number, &bytes)));
                }
            },
        }
    }
}

/// Whether there was another one.
fn read_record<R: Read>(
    reader: &mut csv::Reader<R>,
    left: &Cell<usize>,
    record: &mut ByteRecord,
) -> Result<bool, SourceError> {
    // What is read ahead belongs to the next rows.
    left.set(ROW_BYTES_MAX + BUFFER_BYTES);
    let line = reader.position().line();
    reader.read_byte_record(record).map_err(|error| match error.into_kind() {
        csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            SourceError::TooLong { line }
        }
        csv::ErrorKind::Io(error) => SourceError::Io(error),
        // The others are of readers that are set otherwise.
        _ => SourceError::Io(io::ErrorKind::InvalidData.into()),
    })
}

/// The cells of a row, without the other half of a line end that has two.
fn cells(record: &ByteRecord) -> Vec<&[u8]> {
    let mut cells: Vec<&[u8]> = record.iter().collect();
    if let Some(last) = cells.last_mut() {
        *last = last.strip_suffix(b"\r").unwrap_or(last);
    }
    cells
}

/// Where a row begins: the reader counts empty lines before it as its own.
fn line_of(record: &ByteRecord, after: u64) -> u64 {
    let ends = record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
    let first = record.position().map_or(0, csv::Position::line);
    first.max(after.saturating_sub(1).saturating_sub(ends))
}

/// Field and heading of each column of the file.
fn columns(
    collection: &Collection,
    heading: &ByteRecord,
) -> Result<Vec<(String, String)>, SourceError> {
    let wrong = |why: String| SourceError::Heading { why };
    let mut found: Vec<(String, String)> = Vec::new();
    for cell in cells(heading) {
        let text = String::from_utf8_lossy(cell);
        let Some((field, column)) = collection.columns().find(|(_, column)| *column == text) else {
            let named = if holds_number(&text) || text.chars().count() > TOLD_CHARS_MAX {
                "one of them".to_owned()
            } else {
                format!("{text:?}")
            };
            return Err(wrong(format!("{named} is none; {}", wanted(collection))));
        };
        if found.iter().any(|(other, _)| other == field) {
            return Err(wrong(format!("{column:?} stands there twice")));
        }
        found.push((field.to_owned(), column.to_owned()));
    }
    let missing =
        collection.columns().find(|(field, _)| !found.iter().any(|(one, _)| one == field));
    match missing {
        Some((_, column)) => Err(wrong(format!("{column:?} is missing; {}", wanted(collection)))),
        None => Ok(found),
    }
}

fn wanted(collection: &Collection) -> String {
    let columns: Vec<&str> = collection.columns().map(|(_, column)| column).collect();
    format!("the columns are {}", columns.join(", "))
}

fn csv_line(
    collection: &Collection,
    columns: &[(String, String)],
    number: u64,
    record: &[&[u8]],
) -> Line {
    if record.len() != columns.len() {
        let why = format!("has {} cells, and the heading {}", record.len(), columns.len());
        let row = Err(Vec::from([Fault::of_row("bad-row", why)]));
        return Line { number, row, cells: Vec::new() };
    }
    let (mut values, mut cells, mut faults) = (Values::new(), Vec::new(), Vec::new());
    for ((field, column), bytes) in columns.iter().zip(record) {
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                values.insert(field.clone(), text.to_owned());
                cells.push((column.clone(), text.to_owned()));
            }
            Err(_) => faults.push(Fault {
                column: Some(column.clone()),
                code: "not-utf8",
                why: "is not UTF-8; save the file as UTF-8".to_owned(),
            }),
        }
    }
    let row = if faults.is_empty() { Row::read(collection, &values) } else { Err(faults) };
    Line { number, row, cells }
}

/// The bytes of a line, without its end; none after the last.
fn json_bytes(input: &mut dyn BufRead, line: u64) -> Result<Option<Vec<u8>>, SourceError> {
    let mut bytes = Vec::new();
    let most = ROW_BYTES_MAX as u64 + 1;
    let read = input.take(most).read_until(b'\n', &mut bytes)?;
    if read as u64 == most && !bytes.ends_with(b"\n") {
        return Err(SourceError::TooLong { line });
    }
    if line == 1 && bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    Ok((read > 0).then_some(bytes))
}

fn json_line(collection: &Collection, number: u64, bytes: &[u8]) -> Line {
    let Ok(Pairs(pairs)) = serde_json::from_slice(bytes) else {
        // What a parser says may repeat what it read.
        let fault = Fault::of_row("bad-row", "is not a JSON object that names nothing twice");
        return Line { number, row: Err(Vec::from([fault])), cells: Vec::new() };
    };
    let (mut values, mut cells, mut faults) = (Values::new(), Vec::new(), Vec::new());
    for (name, value) in pairs {
        let form = collection.field(&name).map(|field| &field.form);
        match text_of(form, &value) {
            Some(text) => {
                if let Some((_, column)) = collection.columns().find(|(field, _)| *field == name) {
                    cells.push((column.to_owned(), text.clone()));
                }
                values.insert(name, text);
            }
            None => faults.push(Fault {
                column: collection.field(&name).map(|field| field.column.clone()),
                code: "bad-value",
                why: "must be a text; only whole numbers, true and false may be written as such"
                    .to_owned(),
            }),
        }
    }
    let row = if faults.is_empty() { Row::read(collection, &values) } else { Err(faults) };
    Line { number, row, cells }
}

fn text_of(form: Option<&Form>, value: &serde_json::Value) -> Option<String> {
    match (value, form) {
        (serde_json::Value::Null, _) => Some(String::new()),
        (serde_json::Value::String(text), _) => Some(text.clone()),
        (serde_json::Value::Number(number), Some(Form::Integer(_) | Form::Pence(_))) => {
            number.as_i64().map(|number| number.to_string())
        }
        (serde_json::Value::Bool(value), Some(Form::Boolean)) => Some(value.to_string()),
        _ => None,
    }
}

/// An object that names nothing twice.
struct Pairs(Vec<(String, serde_json::Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs: Vec<(String, serde_json::Value)> = Vec::new();
        while let Some(pair) = map.next_entry::<String, serde_json::Value>()? {
            if pairs.iter().any(|(name, _)| *name == pair.0) {
                return Err(serde::de::Error::custom("a name stands there twice"));
            }
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}
