//! A frozen wording field by field, as people read it: from the snapshot alone, never from the document.
//!
//! *Source*: ours; `protocol/SPEC.md`, section "Decisions".

use concordat_protocol::{
    artefact::kind::{Field, Scalar, Shape},
    hash::OrgId,
};
use serde_json::Value;

use super::lines::WordingLine;
use crate::artefact::{Sight, pounds};

/// Every field of a snapshot, in the order of the kind's fields; what the kind does not know comes last,
/// as it stands.
#[must_use]
pub fn wording_of(case: &Sight<'_>, snapshot: &str) -> Vec<WordingLine> {
    let read: Option<Value> = serde_json::from_str(snapshot).ok();
    let fields = read.as_ref().and_then(|read| read.get("fields")).and_then(Value::as_object);
    let Some(fields) = fields else { return Vec::new() };
    let mut lines = Vec::new();
    let known: Vec<&Field> = case.kind().all_fields().collect();
    for field in &known {
        if let Some(value) = fields.get(field.name) {
            Place { path: field.name.to_owned(), label: field.label.to_owned() }
                .walk(case, field, value, &mut lines);
        }
    }
    for (name, value) in fields {
        if !known.iter().any(|field| field.name == name) {
            let (path, label) = (name.clone(), name.clone());
            lines.push(WordingLine { path, label, says: value.to_string() });
        }
    }
    lines
}

struct Place {
    path: String,
    label: String,
}

impl Place {
    fn then(&self, path: &str, label: &str) -> Self {
        let path = format!("{}/{path}", self.path);
        Self { path, label: format!("{}: {label}", self.label) }
    }

    fn walk(self, case: &Sight<'_>, field: &Field, value: &Value, lines: &mut Vec<WordingLine>) {
        let says = match field.shape {
            Shape::Record(parts) => return self.parts(case, parts, value, lines),
            Shape::List(of) => {
                for (number, item) in (1..).zip(value.as_array().into_iter().flatten()) {
                    let path = format!("{}/{number}", self.path);
                    let label = format!("{} {number}", self.label);
                    Self { path, label }.parts(case, of, item, lines);
                }
                return;
            }
            Shape::Text => text(value),
            Shape::Set(of) => {
                let items = value.as_array().into_iter().flatten();
                items.map(|item| scalar(case, of, item)).collect::<Vec<_>>().join(", ")
            }
            Shape::Scalar(of) | Shape::Cosmetic(of) => scalar(case, of, value),
        };
        lines.push(WordingLine { path: self.path, label: self.label, says });
    }

    fn parts(
        &self,
        case: &Sight<'_>,
        parts: &[Field],
        value: &Value,
        lines: &mut Vec<WordingLine>,
    ) {
        for part in parts {
            if let Some(value) = value.get(part.name) {
                self.then(part.name, part.label).walk(case, part, value, lines);
            }
        }
    }
}

/// The blocks of a text, one a line.
fn text(value: &Value) -> String {
    let blocks = value.as_array().into_iter().flatten();
    let texts: Vec<&str> =
        blocks.filter_map(|block| block.get("text").and_then(Value::as_str)).collect();
    texts.join("\n")
}

fn scalar(case: &Sight<'_>, of: Scalar, value: &Value) -> String {
    match (of, value) {
        (Scalar::Money, Value::Number(number)) => {
            number.as_i64().map_or_else(|| number.to_string(), pounds)
        }
        (Scalar::Org, Value::String(text)) => {
            text.parse::<OrgId>().map_or_else(|_| text.clone(), |org| case.slug(&org))
        }
        (_, Value::Bool(is)) => if *is { "yes" } else { "no" }.to_owned(),
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}
