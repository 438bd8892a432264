//! No patient's number in anything that is shared.
//!
//! | file | what |
//! |---|---|
//! | here | what is looked at: texts, events and remarks, fields of a document |
//! | `number` | what a number is, however it is written |
//!
//! Look at the text that an edit leaves behind, not only at what was typed: digits come one by one.
//! The error names the field and never the number. Amounts and numbers that a schema types as such
//! are not text and are not looked at. A number that is spread over several fields, items or entries
//! is not found.
//!
//! It is a rule for authors: what was received is not refused for it.

mod number;
#[cfg(test)]
mod tests;

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use super::{
    document::{Atom, Path, RichText},
    events::Statement,
    kind::{Field, Scalar, Shape},
    read::{Cell, Content, Held, Presence, Written},
};
pub use number::holds_number;

use crate::value::Value;

/// Stands for a part of a path that cannot be repeated.
const UNNAMED: &str = "…";

/// Text that holds a patient's number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} holds a valid NHS number; take it out, nothing about a patient is shared")]
pub struct PatientNumber {
    /// The field.
    pub field: String,
}

/// Refuses text with an NHS number in it.
///
/// # Errors
/// [`PatientNumber`], with the name of the field.
pub fn expect_none(field: &str, text: &str) -> Result<(), PatientNumber> {
    if holds_number(text) { Err(PatientNumber { field: field.to_string() }) } else { Ok(()) }
}

/// Refuses an event or a remark with an NHS number in any of its texts.
///
/// # Errors
/// [`PatientNumber`], with the names of the event and of its value.
pub fn expect_none_said(said: &Statement) -> Result<(), PatientNumber> {
    for (param, value) in said.given() {
        let Value::Text(text) = value else { continue };
        if is_free(param.scalar) && holds_number(text) {
            let field = alloc::format!("{}: {}", said.kind.name, param.name);
            return Err(PatientNumber { field });
        }
    }
    Ok(())
}

/// Refuses a field of a document with an NHS number in anything that somebody wrote there: text, marks
/// and blocks, each of several values, what does not fit the field, ids of items.
///
/// # Errors
/// [`PatientNumber`], with the path of the field.
pub fn expect_none_in(cell: &Cell) -> Result<(), PatientNumber> {
    let holds = match &cell.content {
        Content::Text(text) => text_holds_number(text),
        Content::Scalar(values) | Content::Set(values) => {
            values.iter().any(|one| value_holds_number(cell.field, one))
        }
        Content::List(items) => items.iter().any(|item| {
            !matches!(item.presence, Presence::Removed { .. }) && holds_number(&item.id)
        }),
        Content::Overwritten => false,
    };
    if holds { Err(PatientNumber { field: place_in_words(&cell.path) }) } else { Ok(()) }
}

fn text_holds_number(text: &RichText) -> bool {
    let is_marked = || {
        let mut marks = text.marks.iter();
        marks.any(|mark| holds_number(&mark.name) || holds_number(&mark.value.to_key()))
    };
    holds_number(&text.text)
        || is_marked()
        || text.blocks.iter().any(|block| holds_number(&block.kind))
}

fn value_holds_number(field: &Field, one: &Written) -> bool {
    let is_free = match field.shape {
        Shape::Scalar(scalar) | Shape::Set(scalar) | Shape::Cosmetic(scalar) => is_free(scalar),
        Shape::Text | Shape::List(_) | Shape::Record(_) => true,
    };
    match &one.value {
        Held::Valid(Atom::Text(text)) => is_free && holds_number(text),
        Held::Valid(Atom::Int(_) | Atom::Bool(_)) => false,
        // No amount and no date: it is shown as it was written.
        Held::Invalid { shown, .. } => holds_number(shown),
    }
}

/// A path that can be told: others may have given an item any id.
#[must_use]
pub fn place_in_words(path: &Path) -> String {
    let parts = path.parts().iter();
    let parts: Vec<&str> =
        parts.map(|part| if holds_number(part) { UNNAMED } else { part.as_str() }).collect();
    parts.join("/")
}

/// Whether people may write anything in such a value, so that it must be looked at.
#[must_use]
pub const fn is_free(scalar: Scalar) -> bool {
    match scalar {
        Scalar::Text { .. } | Scalar::Url | Scalar::Code(_) => true,
        Scalar::Int { .. }
        | Scalar::Money
        | Scalar::Bool
        | Scalar::Decimal
        | Scalar::Date
        | Scalar::DateTime
        | Scalar::Year
        | Scalar::Enum(_)
        | Scalar::Org
        | Scalar::Artefact
        | Scalar::Entry
        | Scalar::Hash => false,
    }
}
