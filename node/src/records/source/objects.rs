//! Rows of JSON Lines: one object a line, each within its bound.
//!
//! *Invariants.* An object that names something twice is no row.
//!
//! *Source*: ours; jsonlines.org.

use std::{
    fmt,
    io::{BufRead, Read},
};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use super::{
    super::{
        collection::Collection,
        form::Form,
        row::{Fault, ROW_BYTES_MAX, Row},
    },
    Line, SourceError,
};
use crate::control::Values;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The next row that is not empty, and its number after the last; none at the end.
pub(super) fn next(
    collection: &Collection,
    input: &mut dyn BufRead,
    number: &mut u64,
) -> Result<Option<Line>, SourceError> {
    loop {
        *number += 1;
        let Some(bytes) = json_bytes(input, *number)? else { return Ok(None) };
        if !bytes.trim_ascii().is_empty() {
            return Ok(Some(json_line(collection, *number, &bytes)));
        }
    }
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
