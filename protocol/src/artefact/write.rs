//! Intents as operations of one transaction.
//!
//! Each intent is placed and checked in the document as the intents before it left it, then written. How
//! many operations, marks and bytes one change may have is counted before anything is written; a splice
//! that does not fit is cut, and its rest goes into the next change.
//!
//! Knows nothing of heads, actors and times: see `edit.rs`.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use automerge::{
    ObjId, ObjType, ReadDoc, ScalarValue,
    marks::{ExpandMark, Mark},
    transaction::{CommitOptions, Transactable, Transaction},
};

use super::{
    document::{Atom, BLOCK, Document, Look, Path, Place, between, object_of, width},
    edit::{CannotEdit, Intent, ItemId, Spot},
    kind::{Field, ORDER, REMOVED, Scalar, Shape},
    read::{Presence, presence_of},
};
use crate::limits::{CHANGE_BYTES_MAX, MARKS_MAX, OPERATIONS_MAX};

/// Operations that one intent other than a splice may need: an item with all its objects.
const INTENT_OPERATIONS_MAX: u64 = 1_000;

/// What may still go into one change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    operations: u64,
    marks: u64,
    bytes: u64,
}

impl Budget {
    /// Of an empty change. Values take at most half of its bytes.
    pub(super) fn of_a_change() -> Self {
        Self {
            operations: OPERATIONS_MAX,
            marks: u64::from(MARKS_MAX),
            bytes: CHANGE_BYTES_MAX as u64 / 2,
        }
    }

    fn take(&mut self, operations: u64, marks: u64, bytes: u64) {
        self.operations = self.operations.saturating_sub(operations);
        self.marks = self.marks.saturating_sub(marks);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// One change in the making.
pub(super) struct Write<'a> {
    before: &'a Document,
    doc: Transaction<'a>,
    left: Budget,
}

/// Part of a splice.
struct Splice {
    at: Path,
    position: u64,
    delete: u64,
    insert: String,
}

type Done = Result<(), CannotEdit>;

impl<'a> Write<'a> {
    pub(super) const fn new(before: &'a Document, doc: Transaction<'a>, left: Budget) -> Self {
        Self { before, doc, left }
    }

    /// Ends the change; `None` if it changes nothing.
    pub(super) fn commit(self, options: CommitOptions) -> Option<automerge::ChangeHash> {
        if self.doc.pending_ops() == 0 {
            return None;
        }
        self.doc.commit_with(options).0
    }

    /// Whether the intent must wait for the next change.
    pub(super) fn is_full_for(&self, intent: &Intent) -> bool {
        let Budget { operations, marks, bytes } = self.left;
        match intent {
            Intent::Splice { .. } => operations == 0 || bytes == 0,
            Intent::Mark { .. } | Intent::Unmark { .. } => marks == 0 || operations < 2,
            Intent::Set { .. }
            | Intent::Clear { .. }
            | Intent::Choose { .. }
            | Intent::Split { .. }
            | Intent::Join { .. }
            | Intent::Include { .. }
            | Intent::Exclude { .. }
            | Intent::AddItem { .. }
            | Intent::RemoveItem { .. }
            | Intent::RestoreItem { .. }
            | Intent::MoveItem { .. } => operations < INTENT_OPERATIONS_MAX || bytes == 0,
        }
    }

    /// Carries out an intent, or as much of a splice as still fits; gives back the rest.
    pub(super) fn carry_out(&mut self, intent: Intent) -> Result<Option<Intent>, CannotEdit> {
        let operations_before = self.doc.pending_ops();
        let rest = match intent {
            Intent::Splice { at, position, delete, insert } => {
                return self.splice(Splice { at, position, delete, insert });
            }
            Intent::Set { at, value } => self.set(&at, &value),
            Intent::Clear { at } => self.clear(&at),
            Intent::Choose { at, value } => self.choose(&at, &value),
            Intent::Mark { at, from, to, name, value, grows } => {
                let expand = if grows { ExpandMark::After } else { ExpandMark::None };
                self.mark(&at, (from, to), &name, value.to_automerge(), expand)
            }
            Intent::Unmark { at, from, to, name } => {
                self.mark(&at, (from, to), &name, ScalarValue::Null, ExpandMark::None)
            }
            Intent::Split { at, position, kind } => self.split(&at, position, &kind),
            Intent::Join { at, position } => self.join(&at, position),
            Intent::Include { at, value } => self.include(&at, &value),
            Intent::Exclude { at, value } => self.exclude(&at, &value),
            Intent::AddItem { at, id, spot } => self.add_item(&at, &id, &spot),
            Intent::RemoveItem { at } => {
                self.expect_shown(&at)?;
                let item = self.look().item(&at)?;
                // Anew: this removal has seen what the one before it had not.
                self.put_anew(&at, &item.object, REMOVED, &Atom::Bool(true))
            }
            Intent::RestoreItem { at } => self.set_in_item(&at, REMOVED, &Atom::Bool(false)),
            Intent::MoveItem { at, spot } => self.move_item(&at, &spot),
        };
        rest?;
        let written = self.doc.pending_ops().saturating_sub(operations_before);
        self.left.take(written as u64, 0, 0);
        Ok(None)
    }

    fn look(&self) -> Look<'_, Transaction<'a>> {
        Look { doc: &self.doc, skeleton: self.before.skeleton(), heads: None }
    }

    /// Refuses what lies in an item that was removed, with the knowledge of all it held.
    fn expect_shown(&self, path: &Path) -> Done {
        for item in path.prefixes() {
            let Ok(place) = self.look().item(&item) else { continue };
            let is_removed = self.look().all(&place.object, REMOVED);
            let is_flagged = is_removed.iter().any(|(value, _)| value.as_bool() == Some(true));
            let presence = if is_flagged { presence_of(self.before, &item) } else { None };
            if matches!(presence, Some(Presence::Removed { .. })) {
                return Err(CannotEdit::ItemRemoved { at: item });
            }
        }
        Ok(())
    }

    fn field(&self, at: &Path) -> Result<Place, CannotEdit> {
        self.expect_shown(at)?;
        Ok(self.look().field(at)?)
    }

    fn scalar(&self, at: &Path) -> Result<(Place, Scalar), CannotEdit> {
        let place = self.field(at)?;
        match place.field.shape {
            Shape::Scalar(scalar) | Shape::Cosmetic(scalar) => Ok((place, scalar)),
            Shape::Text | Shape::Set(_) | Shape::List(_) | Shape::Record(_) => {
                Err(CannotEdit::Shape { at: at.clone(), wanted: "a field of one value" })
            }
        }
    }

    fn set(&mut self, at: &Path, value: &Atom) -> Done {
        let (place, scalar) = self.scalar(at)?;
        expect_fits(at, value, scalar)?;
        self.put(at, &place.holder, place.field.name, value)
    }

    /// Writes a value over all that stand under a key. What stands there alone already is not
    /// written again.
    fn put(&mut self, at: &Path, holder: &ObjId, name: &str, value: &Atom) -> Done {
        if self.look().all(holder, name).len() > 1 {
            return self.put_anew(at, holder, name, value);
        }
        self.left.take(0, 0, value.to_key().len() as u64);
        let put = self.doc.put(holder, name, value.to_automerge());
        put.map_err(|_| CannotEdit::Failed { at: at.clone() })
    }

    /// Writes a value even where it stands already. Automerge leaves such a value as it is and only
    /// deletes those beside it: then nobody could see who chose it, and it would not outlive
    /// a removal made at once. So what stands there is deleted first.
    fn put_anew(&mut self, at: &Path, holder: &ObjId, name: &str, value: &Atom) -> Done {
        self.left.take(0, 0, value.to_key().len() as u64);
        let failed = |_| CannotEdit::Failed { at: at.clone() };
        if !self.look().all(holder, name).is_empty() {
            self.doc.delete(holder, name).map_err(failed)?;
        }
        self.doc.put(holder, name, value.to_automerge()).map_err(failed)
    }

    fn clear(&mut self, at: &Path) -> Done {
        let (place, _) = self.scalar(at)?;
        if self.look().all(&place.holder, place.field.name).is_empty() {
            return Ok(());
        }
        let cleared = self.doc.delete(&place.holder, place.field.name);
        cleared.map_err(|_| CannotEdit::Failed { at: at.clone() })
    }

    fn choose(&mut self, at: &Path, value: &Atom) -> Done {
        let (place, _) = self.scalar(at)?;
        let wanted = value.to_automerge();
        let values = self.look().all(&place.holder, place.field.name);
        let stands = values.iter().any(|(found, _)| found.as_scalar() == Some(&wanted));
        let count = values.len();
        if !stands {
            return Err(CannotEdit::NotAmongValues { at: at.clone(), count });
        }
        self.set(at, value)
    }

    fn text(&self, at: &Path) -> Result<(ObjId, String), CannotEdit> {
        let place = self.field(at)?;
        let shape = || CannotEdit::Shape { at: at.clone(), wanted: "a text" };
        if place.field.shape != Shape::Text {
            return Err(shape());
        }
        let object = place.object.ok_or_else(shape)?;
        let text = self.doc.text(&object).map_err(|_| CannotEdit::Failed { at: at.clone() })?;
        Ok((object, text))
    }

    fn splice(&mut self, splice: Splice) -> Result<Option<Intent>, CannotEdit> {
        let Splice { at, position, delete, insert } = splice;
        let (object, text) = self.text(&at)?;
        let tail = tail_at(&at, &text, position)?;
        let end = tail_at(&at, &text, position.saturating_add(delete))?;
        if insert.contains(BLOCK) {
            return Err(CannotEdit::HoldsMarker { at });
        }
        // Only as much as fits this change, whole characters: first what goes, then what comes.
        let most = usize::try_from(self.left.operations).unwrap_or(usize::MAX);
        let goes = tail.get(..tail.len().saturating_sub(end.len())).unwrap_or_default();
        let (goes, stays) = cut(goes, most);
        let most = if stays.is_empty() { most.saturating_sub(goes.chars().count()) } else { 0 };
        let (comes, waits) = cut(&insert, most);
        let (deleted, inserted) = (width(goes), width(comes));
        let written = self.doc.splice_text(&object, index(position), offset(deleted), comes);
        written.map_err(|_| CannotEdit::Failed { at: at.clone() })?;
        let operations = goes.chars().count().saturating_add(comes.chars().count());
        self.left.take(operations as u64, 0, comes.len() as u64);
        if stays.is_empty() && waits.is_empty() {
            return Ok(None);
        }
        let position = position.saturating_add(inserted);
        let (delete, insert) = (delete.saturating_sub(deleted), waits.to_string());
        Ok(Some(Intent::Splice { at, position, delete, insert }))
    }

    fn mark(
        &mut self,
        at: &Path,
        (from, to): (u64, u64),
        name: &str,
        value: ScalarValue,
        expand: ExpandMark,
    ) -> Done {
        let (object, text) = self.text(at)?;
        tail_at(at, &text, from)?;
        tail_at(at, &text, to)?;
        if from >= to || name.is_empty() {
            return Err(CannotEdit::EmptyMark { at: at.clone() });
        }
        self.left.take(0, 1, name.len() as u64);
        let mark = Mark::new(name.to_string(), value, index(from), index(to));
        let marked = self.doc.mark(&object, mark, expand);
        marked.map_err(|_| CannotEdit::Failed { at: at.clone() })
    }

    fn split(&mut self, at: &Path, position: u64, kind: &str) -> Done {
        let (object, text) = self.text(at)?;
        tail_at(at, &text, position)?;
        let failed = |_| CannotEdit::Failed { at: at.clone() };
        let block = self.doc.split_block(&object, index(position)).map_err(failed)?;
        self.doc.put(&block, "type", kind).map_err(failed)
    }

    fn join(&mut self, at: &Path, position: u64) -> Done {
        let (object, text) = self.text(at)?;
        if !tail_at(at, &text, position)?.starts_with(BLOCK) {
            return Err(CannotEdit::NoBlock { at: at.clone(), position });
        }
        let joined = self.doc.join_block(&object, index(position));
        joined.map_err(|_| CannotEdit::Failed { at: at.clone() })
    }

    fn set_of(&self, at: &Path) -> Result<(ObjId, Scalar), CannotEdit> {
        let place = self.field(at)?;
        match (place.field.shape, place.object) {
            (Shape::Set(scalar), Some(object)) => Ok((object, scalar)),
            _ => Err(CannotEdit::Shape { at: at.clone(), wanted: "a set" }),
        }
    }

    /// Adding what is there already is written too: it must outlive a removal made at once.
    fn include(&mut self, at: &Path, value: &Atom) -> Done {
        let (object, scalar) = self.set_of(at)?;
        expect_fits(at, value, scalar)?;
        self.put_anew(at, &object, &value.to_key(), &Atom::Bool(true))
    }

    fn exclude(&mut self, at: &Path, value: &Atom) -> Done {
        let (object, _) = self.set_of(at)?;
        let key = value.to_key();
        if self.look().all(&object, &key).is_empty() {
            return Err(CannotEdit::NotInSet { at: at.clone() });
        }
        self.doc.delete(&object, key).map_err(|_| CannotEdit::Failed { at: at.clone() })
    }

    fn list_of(&self, at: &Path) -> Result<(ObjId, &'static [Field]), CannotEdit> {
        let place = self.field(at)?;
        match (place.field.shape, place.object) {
            (Shape::List(fields), Some(object)) => Ok((object, fields)),
            _ => Err(CannotEdit::Shape { at: at.clone(), wanted: "a list" }),
        }
    }

    fn add_item(&mut self, at: &Path, id: &ItemId, spot: &Spot) -> Done {
        let (list, fields) = self.list_of(at)?;
        let at = at.then(id.as_str());
        if !self.look().all(&list, id.as_str()).is_empty() {
            return Err(CannotEdit::ItemExists { at });
        }
        let order = self.order_at(&at, &list, spot)?;
        let failed = |_| CannotEdit::Failed { at: at.clone() };
        let item = self.doc.put_object(&list, id.as_str(), ObjType::Map).map_err(failed)?;
        let mut maps = Vec::from([(item.clone(), fields)]);
        while let Some((holder, fields)) = maps.pop() {
            for field in fields {
                let Some(made) = object_of(field.shape) else { continue };
                let object = self.doc.put_object(&holder, field.name, made).map_err(failed)?;
                if let Shape::Record(parts) = field.shape {
                    maps.push((object, parts));
                }
            }
        }
        self.put(&at, &item, ORDER, &Atom::Text(order))?;
        self.put(&at, &item, REMOVED, &Atom::Bool(false))
    }

    fn set_in_item(&mut self, at: &Path, name: &str, value: &Atom) -> Done {
        let item = self.look().item(at)?;
        self.put(at, &item.object, name, value)
    }

    fn move_item(&mut self, at: &Path, spot: &Spot) -> Done {
        self.expect_shown(at)?;
        let (list, _) = self.list_of(&at.parent())?;
        self.look().item(at)?;
        let order = self.order_at(at, &list, spot)?;
        self.set_in_item(at, ORDER, &Atom::Text(order))
    }

    /// The place that leads an item to a spot.
    fn order_at(&self, at: &Path, list: &ObjId, spot: &Spot) -> Result<String, CannotEdit> {
        let look = self.look();
        let mut orders = Vec::new();
        for id in look.keys(list).into_keys().filter(|id| at.parts().last() != Some(id)) {
            let item = look.object_under(list, &id, ObjType::Map);
            let order = item.and_then(|item| look.keys(&item).remove(ORDER));
            let order = order.and_then(|under| Atom::of_automerge(&under.value));
            orders.push((order.map_or_else(String::new, |order| order.to_key()), id));
        }
        orders.sort();
        let low = match spot {
            Spot::First => "",
            Spot::Last => orders.last().map_or("", |(order, _)| order.as_str()),
            Spot::After(after) => match orders.iter().find(|(_, id)| id == after) {
                Some((order, _)) => order.as_str(),
                None => {
                    return Err(super::document::Unplaced::UnknownItem {
                        at: at.parent().then(after),
                    }
                    .into());
                }
            },
        };
        // Past all that share its place: between equals there is none.
        let high = orders.iter().map(|(order, _)| order.as_str()).find(|order| *order > low);
        Ok(between(low, high))
    }
}

fn expect_fits(at: &Path, value: &Atom, scalar: Scalar) -> Done {
    value.expect_fits(scalar).map_err(|why| CannotEdit::Unfit { at: at.clone(), why })
}

/// The text from a position on.
fn tail_at<'t>(at: &Path, text: &'t str, position: u64) -> Result<&'t str, CannotEdit> {
    let mut seen = 0u64;
    for (byte, c) in text.char_indices() {
        if seen >= position {
            return if seen == position {
                Ok(text.get(byte..).unwrap_or_default())
            } else {
                Err(CannotEdit::InsideCharacter { at: at.clone(), position })
            };
        }
        seen = seen.saturating_add(c.len_utf16() as u64);
    }
    match seen {
        len if len == position => Ok(""),
        len if len > position => Err(CannotEdit::InsideCharacter { at: at.clone(), position }),
        len => Err(CannotEdit::BeyondEnd { at: at.clone(), position, len }),
    }
}

/// The first `chars` characters, and the rest.
fn cut(text: &str, chars: usize) -> (&str, &str) {
    let at = text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
    text.split_at_checked(at).unwrap_or((text, ""))
}

fn index(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

fn offset(count: u64) -> isize {
    isize::try_from(count).unwrap_or(isize::MAX)
}
