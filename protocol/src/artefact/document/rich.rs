//! A text with its marks and blocks, as people see it.
//!
//! ```text
//! text      "￼Aim\u{fffc}Less waiting"      U+FFFC stands for a block marker, one position wide
//! blocks    heading "Aim" · paragraph "Less waiting"    text before the first marker is a paragraph
//! marks     strong over positions 1 to 4    half open, counted in UTF-16 code units, from 0
//! ```
//!
//! Marks of one name and value that touch are one mark, so equal texts give equal values however they
//! were edited.

use alloc::{
    borrow::ToOwned,
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use automerge::{ObjId, ReadDoc, ScalarValue, Span, hydrate};

use super::{Atom, place::Look};

/// The block of text that stands before any block marker.
const PARAGRAPH: &str = "paragraph";
/// What stands in a text for a block marker.
pub(in crate::artefact) const BLOCK: char = '\u{fffc}';

/// A text with its marks and blocks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RichText {
    /// The whole text, a block marker as U+FFFC: what positions of edits count in.
    pub text: String,
    /// Marks over it, by where they begin.
    pub marks: Vec<MarkSpan>,
    /// The same by block.
    pub blocks: Vec<Block>,
}

/// One block of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What it is: `paragraph`, `heading`…, as the editor named it.
    pub kind: String,
    /// Its text.
    pub text: String,
    /// Marks over it, counted from its first character.
    pub marks: Vec<MarkSpan>,
}

/// A mark over part of a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MarkSpan {
    /// Its first position.
    pub from: u64,
    /// The position after its last.
    pub to: u64,
    /// Its name.
    pub name: String,
    /// Its value; most marks are simply true.
    pub value: Atom,
}

impl<D: ReadDoc> Look<'_, D> {
    /// Reads a text.
    pub(in crate::artefact) fn rich_text(&self, object: &ObjId) -> RichText {
        let spans = match self.heads {
            None => self.doc.spans(object),
            Some(heads) => self.doc.spans_at(object, heads),
        };
        let mut whole = Flow::default();
        let mut blocks = Vec::new();
        let mut block: Option<(String, Flow)> = None;
        for span in spans.into_iter().flatten() {
            match span {
                Span::Block(map) => {
                    blocks.extend(block.take().map(finished));
                    whole.push(BLOCK.encode_utf8(&mut [0; 4]), BTreeMap::new());
                    block = Some((kind_of(&map), Flow::default()));
                }
                Span::Text { text, marks } => {
                    let marks: BTreeMap<String, Atom> = marks
                        .iter()
                        .flat_map(|set| set.iter())
                        .filter_map(|(name, value)| Some((name.to_owned(), atom(value)?)))
                        .collect();
                    whole.push(&text, marks.clone());
                    let (_, flow) = block.get_or_insert((PARAGRAPH.to_owned(), Flow::default()));
                    flow.push(&text, marks);
                }
            }
        }
        blocks.extend(block.map(finished));
        let (text, marks) = whole.finish();
        RichText { text, marks, blocks }
    }
}

fn finished((kind, flow): (String, Flow)) -> Block {
    let (text, marks) = flow.finish();
    Block { kind, text, marks }
}

/// Text in the making, with the marks that are still open.
#[derive(Default)]
struct Flow {
    text: String,
    len: u64,
    open: BTreeMap<String, (Atom, u64)>,
    marks: Vec<MarkSpan>,
}

impl Flow {
    fn push(&mut self, text: &str, marks: BTreeMap<String, Atom>) {
        let (len, done) = (self.len, &mut self.marks);
        self.open.retain(|name, (value, from)| {
            let goes_on = marks.get(name) == Some(value);
            if !goes_on {
                let (name, value) = (name.clone(), value.clone());
                done.push(MarkSpan { from: *from, to: len, name, value });
            }
            goes_on
        });
        for (name, value) in marks {
            self.open.entry(name).or_insert((value, len));
        }
        self.text.push_str(text);
        self.len = self.len.saturating_add(width(text));
    }

    fn finish(mut self) -> (String, Vec<MarkSpan>) {
        self.push("", BTreeMap::new());
        self.marks.sort();
        (self.text, self.marks)
    }
}

/// The length of a text in UTF-16 code units.
pub(in crate::artefact) fn width(text: &str) -> u64 {
    text.encode_utf16().count() as u64
}

fn kind_of(map: &hydrate::Map) -> String {
    match map.get("type") {
        Some(hydrate::Value::Scalar(ScalarValue::Str(kind))) => kind.to_string(),
        Some(hydrate::Value::Text(kind)) => kind.to_string(),
        _ => PARAGRAPH.to_owned(),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "marks with other values are not shown")]
fn atom(value: &ScalarValue) -> Option<Atom> {
    match value {
        ScalarValue::Str(text) => Some(Atom::Text(text.to_string())),
        ScalarValue::Int(number) => Some(Atom::Int(*number)),
        ScalarValue::Boolean(is) => Some(Atom::Bool(*is)),
        _ => None,
    }
}
