//! The wording of an artefact: its decidable fields, made from what its document reads.
//!
//! ```text
//! scalar  its value                 text  blocks {type, text, marks}      set  values ascending
//! record  an object of its parts    list  objects in their order, each with its "id"
//! ```
//!
//! A field without a value is left out. Money is in pence, dates are as written, numbers are
//! integers.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    artefact::{
        document::{Atom, MarkSpan, Path, RichText},
        kind::{Field, Kind, Shape},
        read::{Content, Held, Item, Presence, Reading},
    },
    decision::{BadWording, Block, Json, Mark, Wording},
};

/// Why an artefact cannot be put to a decision as it reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotDecidable {
    /// A field has several values.
    #[error("{} has several values; choose one first", .at.parts().join("/"))]
    SeveralValues {
        /// The field.
        at: Path,
    },
    /// A field has a value that does not fit.
    #[error("{} has a value that does not fit: {shown}; give it another first", .at.parts().join("/"))]
    Invalid {
        /// The field.
        at: Path,
        /// The value.
        shown: String,
    },
    /// An item was removed by some and edited by others.
    #[error(
        "{} was removed by one and edited by another; restore or remove it first",
        .at.parts().join("/")
    )]
    Disputed {
        /// The list and the item.
        at: Path,
    },
    /// Something stands where a text, set, list or record should be.
    #[error("{} was overwritten and cannot be read", .at.parts().join("/"))]
    Overwritten {
        /// The field.
        at: Path,
    },
    /// The wording is too long, too deep or too large.
    #[error("the text cannot be frozen: {0}")]
    Wording(#[from] BadWording),
}

/// Freezes the decidable fields as they read now.
///
/// # Errors
/// The first [`NotDecidable`], in the order of the kind's fields.
pub fn wording(kind: &Kind, reading: &Reading) -> Result<Wording, NotDecidable> {
    let mut fields = BTreeMap::new();
    for field in kind.all_fields().filter(|field| is_decidable(field)) {
        if let Some(json) = json_of(reading, field, &Path::of(&[field.name]), true)? {
            fields.insert(field.name.to_string(), json);
        }
    }
    let schema = u32::try_from(kind.version).unwrap_or(u32::MAX);
    Ok(Wording::new(kind.name, schema, fields)?)
}

/// Whether a field, or a part of it, is decidable.
fn is_decidable(field: &Field) -> bool {
    match field.shape {
        Shape::Record(parts) => field.decidable || parts.iter().any(is_decidable),
        Shape::Text | Shape::Scalar(_) | Shape::Cosmetic(_) | Shape::Set(_) | Shape::List(_) => {
            field.decidable
        }
    }
}

/// The JSON of one field; nothing if it has no value. `whole` says that a part counts even if it is
/// not decidable by itself.
fn json_of(
    reading: &Reading,
    field: &Field,
    at: &Path,
    whole: bool,
) -> Result<Option<Json>, NotDecidable> {
    if let Shape::Record(parts) = field.shape {
        let inner = field.decidable || !whole;
        let parts = parts.iter().filter(|part| inner || is_decidable(part));
        return object_of(reading, parts, at).map(|parts| not_empty(Json::Object(parts)));
    }
    let Some(cell) = reading.cell(at) else { return Ok(None) };
    Ok(match &cell.content {
        Content::Scalar(values) => match values.as_slice() {
            [] => None,
            [one] => Some(json_of_value(&one.value, at)?),
            [..] => return Err(NotDecidable::SeveralValues { at: at.clone() }),
        },
        Content::Text(text) => {
            let blocks = blocks(text);
            (!blocks.is_empty()).then_some(Json::List(blocks))
        }
        Content::Set(values) => {
            let values = values.iter().map(|one| json_of_value(&one.value, at));
            not_empty(Json::List(values.collect::<Result<_, _>>()?))
        }
        Content::List(items) => match field.shape {
            Shape::List(of) => list_of(reading, of, items, at)?,
            Shape::Text
            | Shape::Scalar(_)
            | Shape::Cosmetic(_)
            | Shape::Set(_)
            | Shape::Record(_) => None,
        },
        Content::Overwritten => return Err(NotDecidable::Overwritten { at: at.clone() }),
    })
}

fn object_of<'a>(
    reading: &Reading,
    fields: impl Iterator<Item = &'a Field>,
    at: &Path,
) -> Result<BTreeMap<String, Json>, NotDecidable> {
    let mut object = BTreeMap::new();
    for field in fields.filter(|field| !matches!(field.shape, Shape::Cosmetic(_))) {
        if let Some(json) = json_of(reading, field, &at.then(field.name), false)? {
            object.insert(field.name.to_string(), json);
        }
    }
    Ok(object)
}

fn list_of(
    reading: &Reading,
    of: &[Field],
    items: &[Item],
    at: &Path,
) -> Result<Option<Json>, NotDecidable> {
    let mut list = Vec::new();
    for item in items {
        let at = at.then(&item.id);
        match item.presence {
            Presence::Removed { .. } => continue,
            Presence::Disputed { .. } => return Err(NotDecidable::Disputed { at }),
            Presence::Present => {}
        }
        let mut object = object_of(reading, of.iter(), &at)?;
        object.insert("id".to_string(), Json::Text(item.id.clone()));
        list.push(Json::Object(object));
    }
    Ok(not_empty(Json::List(list)))
}

fn json_of_value(held: &Held, at: &Path) -> Result<Json, NotDecidable> {
    match held {
        Held::Valid(atom) => Ok(json_of_atom(atom)),
        Held::Invalid { shown, .. } => {
            Err(NotDecidable::Invalid { at: at.clone(), shown: shown.clone() })
        }
    }
}

fn json_of_atom(atom: &Atom) -> Json {
    match atom {
        Atom::Text(text) => Json::Text(text.clone()),
        Atom::Int(number) => Json::Integer(*number),
        Atom::Bool(is) => Json::Bool(*is),
    }
}

fn not_empty(json: Json) -> Option<Json> {
    let is_empty = match &json {
        Json::List(items) => items.is_empty(),
        Json::Object(parts) => parts.is_empty(),
        Json::Bool(_) | Json::Integer(_) | Json::Text(_) => false,
    };
    (!is_empty).then_some(json)
}

/// The blocks of a text; none if nothing is written.
fn blocks(text: &RichText) -> Vec<Json> {
    let blocks = text.blocks.iter().map(|block| {
        let mark = |span: &MarkSpan| Mark {
            from: scalars(&block.text, span.from),
            to: scalars(&block.text, span.to),
            name: span.name.clone(),
            value: json_of_atom(&span.value),
        };
        let marks: BTreeSet<&MarkSpan> = block.marks.iter().collect();
        let marks = marks.into_iter().map(mark).collect();
        Block { kind: block.kind.clone(), text: block.text.clone(), marks }
    });
    let blocks: Vec<Block> = blocks.collect();
    let is_written = blocks.iter().any(|block| !block.text.is_empty());
    if is_written { blocks.iter().map(Block::to_json).collect() } else { Vec::new() }
}

/// A position in a text as documents count, in Unicode scalar values.
fn scalars(text: &str, position: u64) -> u32 {
    let mut units = 0u64;
    let mut count = 0u32;
    for character in text.chars() {
        if units >= position {
            return count;
        }
        units = units.saturating_add(character.len_utf16() as u64);
        count = count.saturating_add(1);
    }
    count
}
