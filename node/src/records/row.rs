//! One row: its values in the form in which they are kept, and the id that its key makes.
//!
//! ```text
//! id        the values of the key's fields, with : between them     120417   2017/18:120417
//! stored    {"v":1,"values":{"amount":"1200.50","line":"120417"}}
//! ```
//!
//! *Invariants.* A row that was read fits its collection. What is wrong is told column by column, all at
//! once, and never with what was written.
//!
//! *Source*: ours.

use serde::{Deserialize, Serialize};

use super::{
    collection::{Collection, Field},
    form::Misfit,
};
use crate::control::{Refusal, Values};

/// Longest id, in bytes.
pub(super) const ID_BYTES_MAX: usize = 256;
/// Longest row as it is stored.
pub const ROW_BYTES_MAX: usize = 128 * 1024;
const BETWEEN: char = ':';
const VERSION: u64 = 1;

/// A row that fits its collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Made of its key.
    pub id: String,
    /// By the names of their fields; what is empty is not there.
    pub values: Values,
}

/// What is wrong with one column of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The heading of the column; none if the whole row is meant.
    pub column: Option<String>,
    /// Stable, for programs.
    pub code: &'static str,
    /// In words, without what was written.
    pub why: String,
}

impl Fault {
    pub(super) fn of_row(code: &'static str, why: impl Into<String>) -> Self {
        Self { column: None, code, why: why.into() }
    }

    fn of(field: &Field, misfit: Misfit) -> Self {
        Self { column: Some(field.column.clone()), code: misfit.code, why: misfit.why }
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    v: u64,
    values: Values,
}

impl Row {
    /// Checks the values of a row.
    ///
    /// # Errors
    /// - [`Fault`]: each that is wrong.
    pub fn read(collection: &Collection, given: &Values) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut values = Values::new();
        for field in &collection.fields {
            match given.get(&field.name).map(String::as_str).unwrap_or_default() {
                "" if field.is_required => {
                    let why = format!("is empty, and should be {}", field.form);
                    faults.push(Fault::of(field, Misfit::new("missing", why)));
                }
                "" => {}
                text => match field.form.read(text) {
                    Ok(kept) => drop(values.insert(field.name.clone(), kept)),
                    Err(misfit) => faults.push(Fault::of(field, misfit)),
                },
            }
        }
        if given.keys().any(|name| collection.field(name).is_none()) {
            // What it is called may be what should not be repeated.
            faults.push(Fault::of_row(
                "unknown-field",
                "has a value that the collection has no field for",
            ));
        }
        if faults.is_empty() {
            let id = id(collection, &values).map_err(|fault| Vec::from([fault]))?;
            let row = Self { id, values };
            return if row.to_bytes().len() <= ROW_BYTES_MAX {
                Ok(row)
            } else {
                let why = format!("has more than {ROW_BYTES_MAX} bytes");
                Err(Vec::from([Fault::of_row("too-long", why)]))
            };
        }
        Err(faults)
    }

    /// As it is stored.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let stored = Stored { v: VERSION, values: self.values.clone() };
        // Texts by texts always become JSON.
        serde_json::to_vec(&stored).unwrap_or_default()
    }

    /// As it was stored.
    ///
    /// # Errors
    /// - [`Refusal`]: a later version wrote it.
    pub(super) fn from_bytes(id: &str, bytes: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice::<Stored>(bytes) {
            Ok(Stored { v: VERSION, values }) => Ok(Self { id: id.to_owned(), values }),
            Ok(_) | Err(_) => {
                let message = "a record was written by a later version of this program; update it";
                Err(Refusal::new("newer-record", message))
            }
        }
    }
}

fn id(collection: &Collection, values: &Values) -> Result<String, Fault> {
    let parts: Vec<&str> =
        collection.key.iter().filter_map(|name| values.get(name).map(String::as_str)).collect();
    let key = collection.key.join(", ");
    if parts.len() > 1 && parts.iter().any(|part| part.contains(BETWEEN)) {
        let why = format!("has a key ({key}) with a {BETWEEN} in one of its parts");
        return Err(Fault::of_row("bad-key", why));
    }
    let id = parts.join(&BETWEEN.to_string());
    if id.chars().any(char::is_control) || id.len() > ID_BYTES_MAX || id.trim() != id {
        let why = format!(
            "has a key ({key}) with more than {ID_BYTES_MAX} bytes, more than one line, or blanks at \
             its ends"
        );
        return Err(Fault::of_row("bad-key", why));
    }
    if concordat_protocol::artefact::guard::holds_number(&id) {
        let Misfit { code, why } = Misfit::patient();
        return Err(Fault { column: Some(key), code, why });
    }
    Ok(id)
}
