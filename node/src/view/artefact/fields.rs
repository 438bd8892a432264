//! What a document says, field by field, with who wrote it.
//!
//! *Source*: ours.

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{
    artefact::{
        document::{Atom, Path},
        kind::{Scalar, Shape},
        read::{Cell, Content, Held, Presence, Writer},
    },
    decision::Written,
    hash::OrgId,
    verdict::ChangeHash,
};

use super::{
    author,
    lines::{AuthorLine, FieldLine, ItemLine, ValueLine},
};
use crate::artefact::{Sight, pounds};

/// Its title, if it has one; several are shown together.
pub(super) fn title(case: &Sight<'_>) -> Option<String> {
    let cell = case.seen.as_ref().ok()?.reading.cell(&Path::of(&["title"]))?;
    let Content::Scalar(values) = &cell.content else { return None };
    let titles: Vec<String> = values.iter().map(|one| raw(&one.value)).collect();
    (!titles.is_empty()).then(|| titles.join(" / "))
}

/// Every field that says something.
pub(super) fn fields(case: &Sight<'_>) -> Vec<FieldLine> {
    let Ok(seen) = &case.seen else { return Vec::new() };
    let touches = case.touches();
    let touched = touched(touches.iter().map(|touch| (&touch.path, touch.by.change)));
    let show = Show { case, carriers: case.carriers(), touched };
    seen.reading.cells.iter().filter_map(|cell| show.field(cell)).collect()
}

/// What stands in the document and in no field.
pub(super) fn strays(case: &Sight<'_>) -> Vec<String> {
    let strays = case.seen.as_ref().map(|seen| seen.reading.strays.as_slice());
    strays.unwrap_or_default().iter().map(|stray| stray.path.to_string()).collect()
}

fn touched<'a>(
    touches: impl Iterator<Item = (&'a Path, ChangeHash)>,
) -> BTreeMap<&'a Path, Vec<ChangeHash>> {
    let mut touched: BTreeMap<&Path, Vec<ChangeHash>> = BTreeMap::new();
    for (path, change) in touches {
        touched.entry(path).or_default().push(change);
    }
    touched
}

struct Show<'a> {
    case: &'a Sight<'a>,
    carriers: BTreeMap<ChangeHash, &'a Written>,
    touched: BTreeMap<&'a Path, Vec<ChangeHash>>,
}

impl Show<'_> {
    fn field(&self, cell: &Cell) -> Option<FieldLine> {
        let mut line = FieldLine {
            path: cell.path.to_string(),
            label: cell.field.label.to_owned(),
            values: Vec::new(),
            text: None,
            text_by: Vec::new(),
            items: Vec::new(),
            is_overwritten: false,
        };
        match (&cell.content, cell.field.shape) {
            (Content::Scalar(values) | Content::Set(values), shape) => {
                let scalar = scalar(shape);
                line.values =
                    values.iter().map(|one| self.value(scalar, &one.value, &one.by)).collect();
            }
            (Content::Text(text), _) => {
                line.text = (!text.text.is_empty()).then(|| text.text.clone());
                line.text_by = self.orgs(&cell.path);
            }
            (Content::List(items), _) => {
                line.items = items
                    .iter()
                    .map(|item| ItemLine {
                        id: item.id.clone(),
                        presence: presence(&item.presence).to_owned(),
                        by: self.authors(&[item.by]),
                    })
                    .collect();
            }
            (Content::Overwritten, _) => line.is_overwritten = true,
        }
        let says = !line.values.is_empty()
            || line.text.is_some()
            || !line.items.is_empty()
            || line.is_overwritten;
        says.then_some(line)
    }

    fn value(&self, scalar: Option<Scalar>, held: &Held, by: &[Writer]) -> ValueLine {
        ValueLine {
            value: raw(held),
            shown: self.shown(scalar, held),
            problem: match held {
                Held::Valid(_) => None,
                Held::Invalid { why, .. } => Some(why.to_string()),
            },
            by: self.authors(by),
        }
    }

    /// Amounts in pounds, organisations by their short names.
    fn shown(&self, scalar: Option<Scalar>, held: &Held) -> String {
        match (scalar, held) {
            (Some(Scalar::Money), Held::Valid(Atom::Int(pence))) => pounds(*pence),
            (Some(Scalar::Org), Held::Valid(Atom::Text(text))) => {
                text.parse::<OrgId>().map_or_else(|_| text.clone(), |org| self.case.slug(&org))
            }
            (Some(Scalar::Bool), Held::Valid(Atom::Bool(is))) => {
                if *is { "yes" } else { "no" }.to_owned()
            }
            _ => raw(held),
        }
    }

    fn authors(&self, by: &[Writer]) -> Vec<AuthorLine> {
        let written = by.iter().filter_map(|one| self.carriers.get(&one.change));
        let mut authors: Vec<AuthorLine> =
            written.map(|written| author(self.case, written)).collect();
        authors.sort();
        authors.dedup();
        authors
    }

    /// Who wrote in a text, by short name.
    fn orgs(&self, path: &Path) -> Vec<String> {
        let changes = self.touched.get(path).into_iter().flatten();
        let orgs: BTreeSet<String> = changes
            .filter_map(|change| self.carriers.get(change))
            .map(|written| self.case.slug(&written.org))
            .collect();
        orgs.into_iter().collect()
    }
}

const fn scalar(shape: Shape) -> Option<Scalar> {
    match shape {
        Shape::Scalar(scalar) | Shape::Cosmetic(scalar) | Shape::Set(scalar) => Some(scalar),
        Shape::Text | Shape::List(_) | Shape::Record(_) => None,
    }
}

fn raw(held: &Held) -> String {
    match held {
        Held::Valid(atom) => atom.to_string(),
        Held::Invalid { shown, .. } => shown.clone(),
    }
}

const fn presence(presence: &Presence) -> &'static str {
    match presence {
        Presence::Present => "present",
        Presence::Removed { .. } => "removed",
        Presence::Disputed { .. } => "removed and edited",
    }
}
