//! Wording: the decidable fields of an artefact as they stood, frozen, with their digest.
//!
//! ```text
//! snapshot = canonical JSON {"fields":{…},"kind":"decision","renderer":1,"schema":1}    ≤ 256 KiB
//! digest   = H(wording, renderer u32 BE ‖ snapshot)
//! block    = {"marks":[{"from":0,"name":"strong","to":4,"value":true}],"text":"…","type":"paragraph"}
//! ```
//!
//! A proposal carries both, and a sign-off repeats the digest: whoever holds either knows which
//! exact words it is about. Rich text is a list of blocks; marks count characters (Unicode scalar
//! values) of the block's own text, ascend, and are no formatting of JSON but part of the wording.
//!
//! The renderer is the program that made blocks and fields of a document; its version is part of
//! the digest, so that a later renderer, that shows the same document otherwise, makes another
//! wording. A snapshot is checked and shown without its renderer.
//!
//! Source: ours, `SPEC.md` section "Decisions"; RFC 8785.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use super::canonical::{BadJson, Json};
use crate::{
    codec::Fixed,
    hash::{Tag, hash},
    limits::NAME_BYTES_MAX,
};

/// The version of the renderer that this node is built with.
pub const RENDERER: u32 = 1;

/// Decidable fields, frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    kind: String,
    schema: u32,
    renderer: u32,
    fields: BTreeMap<String, Json>,
    snapshot: Vec<u8>,
}

/// A snapshot that is no wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadWording {
    /// Its bytes, or a value in it, have no canonical JSON.
    #[error(transparent)]
    Json(#[from] BadJson),
    /// It is not the object that the specification lays down.
    #[error("the snapshot has no proper {what}")]
    Shape {
        /// What is missing, of another type, out of range, or should not be there.
        what: &'static str,
    },
}

impl Wording {
    /// Freezes the decidable fields of an artefact of this kind and schema version.
    ///
    /// # Errors
    /// * [`BadWording::Json`] when a field is too deep or too large, or all of them are too long.
    /// * [`BadWording::Shape`] when kind or schema are none.
    pub fn new(
        kind: &str,
        schema: u32,
        fields: BTreeMap<String, Json>,
    ) -> Result<Self, BadWording> {
        let whole = Json::object([
            ("fields", Json::Object(fields)),
            ("kind", Json::Text(kind.to_string())),
            ("renderer", Json::Integer(RENDERER.into())),
            ("schema", Json::Integer(schema.into())),
        ]);
        Self::from_bytes(&whole.to_bytes()?)
    }

    /// Reads a snapshot.
    ///
    /// # Errors
    /// The exact [`BadWording`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadWording> {
        let Json::Object(mut parts) = Json::from_bytes(bytes)? else {
            return Err(BadWording::Shape { what: "object" });
        };
        let Some(Json::Object(fields)) = parts.remove("fields") else {
            return Err(BadWording::Shape { what: "fields" });
        };
        let kind = match parts.remove("kind") {
            Some(Json::Text(kind)) if !kind.is_empty() && kind.len() <= NAME_BYTES_MAX => kind,
            _ => return Err(BadWording::Shape { what: "kind" }),
        };
        let renderer = version(parts.remove("renderer"), "renderer")?;
        let schema = version(parts.remove("schema"), "schema")?;
        if !parts.is_empty() {
            return Err(BadWording::Shape { what: "end: it has parts that do not belong there" });
        }
        Ok(Self { kind, schema, renderer, fields, snapshot: bytes.into() })
    }

    /// The frozen snapshot.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.snapshot.clone()
    }

    /// What names this wording, and no other.
    #[must_use]
    pub fn digest(&self) -> Fixed<32> {
        Fixed(hash(Tag::Wording, &[&self.renderer.to_be_bytes(), &self.snapshot]))
    }

    /// The artefact kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The version of the kind's schema.
    #[must_use]
    pub const fn schema(&self) -> u32 {
        self.schema
    }

    /// The version of the renderer that made it.
    #[must_use]
    pub const fn renderer(&self) -> u32 {
        self.renderer
    }

    /// The fields, by name.
    #[must_use]
    pub const fn fields(&self) -> &BTreeMap<String, Json> {
        &self.fields
    }

    /// The names of the fields in which two wordings differ, ascending.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Vec<String> {
        let mut names: Vec<_> = self.fields.keys().chain(other.fields.keys()).cloned().collect();
        names.sort();
        names.dedup();
        names.retain(|name| self.fields.get(name) != other.fields.get(name));
        names
    }
}

/// A version number: 1 to 2^32 − 1.
fn version(value: Option<Json>, what: &'static str) -> Result<u32, BadWording> {
    match value {
        Some(Json::Integer(number)) => match u32::try_from(number) {
            Ok(version) if version > 0 => Ok(version),
            Ok(_) | Err(_) => Err(BadWording::Shape { what }),
        },
        _ => Err(BadWording::Shape { what }),
    }
}

/// A paragraph, heading or list item of rich text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What it is, for example `paragraph`.
    pub kind: String,
    /// Its text.
    pub text: String,
    /// How parts of the text are marked.
    pub marks: Vec<Mark>,
}

/// A part of a block's text that is marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The first character that is marked, counted from 0 in Unicode scalar values.
    pub from: u32,
    /// The first that is not marked any more.
    pub to: u32,
    /// As what, for example `strong`.
    pub name: String,
    /// With what: `true`, or for example where a link leads.
    pub value: Json,
}

impl Block {
    /// The block as a wording holds it, its marks in order.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut marks: Vec<_> = self.marks.iter().collect();
        marks.sort_by(|a, b| (a.from, a.to, &a.name).cmp(&(b.from, b.to, &b.name)));
        Json::object([
            ("marks", Json::List(marks.into_iter().map(Mark::to_json).collect())),
            ("text", Json::Text(self.text.clone())),
            ("type", Json::Text(self.kind.clone())),
        ])
    }
}

impl Mark {
    fn to_json(&self) -> Json {
        Json::object([
            ("from", Json::Integer(self.from.into())),
            ("name", Json::Text(self.name.clone())),
            ("to", Json::Integer(self.to.into())),
            ("value", self.value.clone()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn fields() -> BTreeMap<String, Json> {
        let mark =
            |from, to, name: &str| Mark { from, to, name: name.into(), value: Json::Bool(true) };
        let block = Block {
            kind: "paragraph".into(),
            text: "Adopt the standards 😀".into(),
            marks: vec![mark(6, 9, "em"), mark(0, 5, "strong")],
        };
        BTreeMap::from([
            ("summary".into(), Json::List(vec![block.to_json()])),
            ("finance".into(), Json::object([("total_pence", Json::Integer(120_000_000))])),
        ])
    }

    #[test]
    fn a_wording_is_one_snapshot_with_one_digest() {
        let wording = Wording::new("decision", 1, fields()).unwrap();
        let snapshot = r#"{"fields":{"finance":{"total_pence":120000000},"summary":[{"marks":[{"from":0,"name":"strong","to":5,"value":true},{"from":6,"name":"em","to":9,"value":true}],"text":"Adopt the standards 😀","type":"paragraph"}]},"kind":"decision","renderer":1,"schema":1}"#;
        assert_eq!(wording.to_bytes(), snapshot.as_bytes());
        assert_eq!(Wording::from_bytes(snapshot.as_bytes()), Ok(wording.clone()));
        assert_eq!(
            wording.digest(),
            Fixed(hash(Tag::Wording, &[&[0, 0, 0, 1], snapshot.as_bytes()]))
        );
        let mut moved = fields();
        moved.insert("finance".into(), Json::object([("total_pence", Json::Integer(1))]));
        moved.remove("summary");
        let moved = Wording::new("decision", 1, moved).unwrap();
        assert_ne!(moved.digest(), wording.digest());
        assert_eq!(wording.differing(&moved), ["finance", "summary"]);
        assert_eq!(wording.differing(&wording), [""; 0]);
    }

    #[test]
    fn what_is_no_wording_is_refused_by_the_part_that_is_wrong() {
        let shape = |what| Err(BadWording::Shape { what });
        for (text, expected) in [
            ("[]", shape("object")),
            ("{}", shape("fields")),
            (r#"{"fields":1,"kind":"a","renderer":1,"schema":1}"#, shape("fields")),
            (r#"{"fields":{},"kind":"","renderer":1,"schema":1}"#, shape("kind")),
            (r#"{"fields":{},"kind":"a","renderer":0,"schema":1}"#, shape("renderer")),
            (r#"{"fields":{},"kind":"a","renderer":1}"#, shape("schema")),
            (r#"{"fields":{},"kind":"a","renderer":1,"schema":4294967296}"#, shape("schema")),
            (
                r#"{"fields":{},"kind":"a","renderer":1,"schema":1,"title":"b"}"#,
                shape("end: it has parts that do not belong there"),
            ),
            (
                r#"{"kind":"a","fields":{},"renderer":1,"schema":1}"#,
                Err(BadWording::Json(BadJson::NotAscending { at: 20 })),
            ),
        ] {
            assert_eq!(Wording::from_bytes(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(Wording::new("", 1, BTreeMap::new()), shape("kind"));
        assert_eq!(Wording::new("decision", 0, BTreeMap::new()), shape("schema"));
        let large = BTreeMap::from([("n".to_string(), Json::Integer(1 << 53))]);
        assert_eq!(
            Wording::new("decision", 1, large),
            Err(BadWording::Json(BadJson::TooLarge { at: 15 }))
        );
    }
}
