//! Rows of CSV: cells by a heading, each row within its bound.
//!
//! *Invariants.* No more than a row and a buffer is read ahead. Lines are counted as an editor counts them, whichever
//! line ends there are.
//!
//! *Source*: ours; RFC 4180.

use std::{
    cell::Cell,
    io::{self, BufRead, Read},
    rc::Rc,
};

use concordat_protocol::artefact::guard::holds_number;
use csv::{ByteRecord, ReaderBuilder};

use super::{
    super::{
        collection::Collection,
        row::{Fault, ROW_BYTES_MAX, Row},
    },
    Line, SourceError, TOLD_CHARS_MAX,
};
use crate::control::Values;

const BUFFER_BYTES: usize = 64 * 1024;

/// A file of CSV, after its heading.
pub(super) struct Separated<'a> {
    reader: csv::Reader<Bounded<Box<dyn BufRead + 'a>>>,
    left: Rc<Cell<usize>>,
    /// Names of fields and headings, in the order of the columns.
    columns: Vec<(String, String)>,
}

impl<'a> Separated<'a> {
    /// Reads the heading.
    pub(super) fn open(
        collection: &Collection,
        input: Box<dyn BufRead + 'a>,
    ) -> Result<Self, SourceError> {
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
        Ok(Self { reader, left, columns })
    }

    /// The next row; none at the end.
    pub(super) fn next(&mut self, collection: &Collection) -> Result<Option<Line>, SourceError> {
        let mut record = ByteRecord::new();
        while read_record(&mut self.reader, &self.left, &mut record)? {
            let cells = cells(&record);
            if cells != [b""] {
                let number = line_of(&record, self.reader.position().line());
                return Ok(Some(csv_line(collection, &self.columns, number, &cells)));
            }
        }
        Ok(None)
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
