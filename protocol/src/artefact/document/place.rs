//! Where something stands in a document, and how it is found there.
//!
//! ```text
//! path          recommendations / k5hq… / text             names of fields, ids of items
//! looked up     skeleton's object ▸ item's map ▸ its text  a record's parts, an item's fields
//! ```
//!
//! Two rules keep a careless or hostile change from hiding what others wrote. Objects of the skeleton
//! are found by their ids, not under their keys. An item, and an object inside one, is the one made
//! *first* among those that stand under its key; others there are strays.
//!
//! Paths are followed along the kind, never along the document: how deep a document nests is
//! of no concern here.

use alloc::{borrow::ToOwned, collections::BTreeMap, string::String, vec::Vec};
use core::fmt;

use automerge::{ChangeHash, ObjId, ObjType, ROOT, ReadDoc, Value, ValueRef};

use super::skeleton::{Skeleton, object_of};
use crate::artefact::kind::{Field, Shape};

/// Where something stands in a document: names of fields and ids of items.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Path(Vec<String>);

/// Why a path leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unplaced {
    /// The kind has no such field there.
    #[error("{at}: there is no such field")]
    UnknownField {
        /// The path as far as it was followed.
        at: Path,
    },
    /// The list has no such item.
    #[error("{at}: there is no such item")]
    UnknownItem {
        /// The path as far as it was followed.
        at: Path,
    },
    /// The path ends at a record or an item, or goes on below a value.
    #[error("{at}: this is not a field that can be edited so")]
    NotAField {
        /// The path as far as it was followed.
        at: Path,
    },
    /// What the kind says should be there is not there, or was overwritten.
    #[error("{at}: what should be here was overwritten by another kind of value")]
    Overwritten {
        /// The path as far as it was followed.
        at: Path,
    },
}

impl Path {
    /// The path with these parts.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        Self(parts.iter().map(|part| (*part).to_owned()).collect())
    }

    /// This path and one part more.
    #[must_use]
    pub fn then(&self, part: &str) -> Self {
        let mut parts = self.0.clone();
        parts.push(part.to_owned());
        Self(parts)
    }

    /// The parts.
    #[must_use]
    pub fn parts(&self) -> &[String] {
        &self.0
    }

    /// Whether the other path is this one or lies below it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// The path without its last part.
    #[must_use]
    pub fn parent(&self) -> Self {
        self.first(self.0.len().saturating_sub(1))
    }

    /// The paths of one part, of two, and so on to this one.
    pub(in crate::artefact) fn prefixes(&self) -> impl Iterator<Item = Self> {
        (1..=self.0.len()).map(|count| self.first(count))
    }

    fn first(&self, count: usize) -> Self {
        Self(self.0.iter().take(count).cloned().collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

/// A document, or a transaction on it, now or at older heads.
pub(in crate::artefact) struct Look<'a, D> {
    pub(in crate::artefact) doc: &'a D,
    pub(in crate::artefact) skeleton: &'a Skeleton,
    pub(in crate::artefact) heads: Option<&'a [ChangeHash]>,
}

/// A field in its holder: the map that has it under its name.
#[derive(Debug, Clone)]
pub(in crate::artefact) struct Place {
    pub(in crate::artefact) field: &'static Field,
    pub(in crate::artefact) holder: ObjId,
    /// The object of the field, if its shape has one.
    pub(in crate::artefact) object: Option<ObjId>,
}

/// An item of a list.
#[derive(Debug, Clone)]
pub(in crate::artefact) struct ItemPlace {
    pub(in crate::artefact) fields: &'static [Field],
    pub(in crate::artefact) object: ObjId,
}

/// What stands under one key of a map.
#[derive(Debug, Clone)]
pub(in crate::artefact) struct Under {
    pub(in crate::artefact) value: ValueRef<'static>,
    pub(in crate::artefact) id: ObjId,
    pub(in crate::artefact) is_contested: bool,
}

impl<'a, D: ReadDoc> Look<'a, D> {
    /// All keys of a map with their winning values.
    pub(in crate::artefact) fn keys(&self, map: &ObjId) -> BTreeMap<String, Under> {
        let items = match self.heads {
            None => self.doc.map_range(map, ..),
            Some(heads) => self.doc.map_range_at(map, .., heads),
        };
        let under = |item: automerge::iter::MapRangeItem<'_>| {
            let id = item.id();
            let item = item.into_owned();
            (item.key.into_owned(), Under { value: item.value, id, is_contested: item.conflict })
        };
        items.map(under).collect()
    }

    /// All values under a key, in the order of their operations.
    pub(in crate::artefact) fn all(&self, map: &ObjId, key: &str) -> Vec<(Value<'a>, ObjId)> {
        let found = match self.heads {
            None => self.doc.get_all(map, key),
            Some(heads) => self.doc.get_all_at(map, key, heads),
        };
        found.unwrap_or_default()
    }

    /// The object of this type made first among those under the key.
    pub(in crate::artefact) fn object_under(
        &self,
        map: &ObjId,
        key: &str,
        wanted: ObjType,
    ) -> Option<ObjId> {
        let fits = |value: &Value<'_>| matches!(value, Value::Object(found) if *found == wanted);
        self.all(map, key).into_iter().find(|(value, _)| fits(value)).map(|(_, id)| id)
    }

    /// Where the field is whose names these are, from the root or from an item.
    pub(in crate::artefact) fn object_of_field(
        &self,
        holder: &ObjId,
        names: &[&'static str],
        field: &'static Field,
    ) -> Option<ObjId> {
        let wanted = object_of(field.shape)?;
        match self.skeleton.object(names) {
            Some(object) => Some(object.clone()),
            None => self.object_under(holder, field.name, wanted),
        }
    }

    /// Follows a path that ends at a field.
    pub(in crate::artefact) fn field(&self, path: &Path) -> Result<Place, Unplaced> {
        match self.follow(path)? {
            Found::Field(place) => Ok(place),
            Found::Item(_) => Err(Unplaced::NotAField { at: path.clone() }),
        }
    }

    /// Follows a path that ends at an item.
    pub(in crate::artefact) fn item(&self, path: &Path) -> Result<ItemPlace, Unplaced> {
        match self.follow(path)? {
            Found::Item(item) => Ok(item),
            Found::Field(_) => Err(Unplaced::UnknownItem { at: path.clone() }),
        }
    }

    fn follow(&self, path: &Path) -> Result<Found, Unplaced> {
        let mut holder = ROOT;
        let mut fields: Vec<&'static Field> = self.skeleton.kind().all_fields().collect();
        // The names from the root; `None` inside an item, where the skeleton has made nothing.
        let mut names: Option<Vec<&'static str>> = Some(Vec::new());
        let mut parts = path.parts().iter().enumerate();
        while let Some((depth, part)) = parts.next() {
            let at = || path.first(depth.saturating_add(1));
            let field = fields.iter().find(|field| field.name == part);
            let field: &'static Field = field.ok_or_else(|| Unplaced::UnknownField { at: at() })?;
            let is_last = depth.saturating_add(1) == path.parts().len();
            if let Some(names) = &mut names {
                names.push(field.name);
            }
            let names_here = names.as_deref().unwrap_or_default();
            let object = self.object_of_field(&holder, names_here, field);
            if object.is_none() && object_of(field.shape).is_some() {
                return Err(Unplaced::Overwritten { at: at() });
            }
            if is_last {
                return Ok(Found::Field(Place { field, holder, object }));
            }
            let object = object.ok_or_else(|| Unplaced::NotAField { at: at() })?;
            match field.shape {
                Shape::Record(inner) => {
                    (holder, fields) = (object, inner.iter().collect());
                }
                Shape::List(inner) => {
                    let Some((depth, id)) = parts.next() else { break };
                    let at = || path.first(depth.saturating_add(1));
                    let item = self.object_under(&object, id, ObjType::Map);
                    let item = item.ok_or_else(|| Unplaced::UnknownItem { at: at() })?;
                    if depth.saturating_add(1) == path.parts().len() {
                        return Ok(Found::Item(ItemPlace { fields: inner, object: item }));
                    }
                    (holder, fields, names) = (item, inner.iter().collect(), None);
                }
                Shape::Text | Shape::Scalar(_) | Shape::Cosmetic(_) | Shape::Set(_) => {
                    return Err(Unplaced::NotAField { at: at() });
                }
            }
        }
        Err(Unplaced::NotAField { at: path.clone() })
    }
}

enum Found {
    Field(Place),
    Item(ItemPlace),
}
