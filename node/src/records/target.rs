//! Where a field of a record may go: a field of an artefact, a new item of a list, a remark.
//!
//! ```text
//! summary                    a text: added at its end
//! finance/total_pence        a value: takes the place of the one that stands there
//! tags                       a set: added to it
//! recommendations/*/text     a new item; all fields of one promotion that name a list share one item
//! comment:text               a remark
//! ```
//!
//! *Invariants.* A target names what its kind of artefact has.
//!
//! *Source*: ours; formats, section 5.

use concordat_protocol::artefact::{
    kind::{EventKind, Field, Kind, Scalar, Shape},
    kinds,
};

/// A place in one kind of artefact.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) kind: &'static Kind,
    /// As it stands in the collection's file.
    pub(super) to: String,
    pub(super) place: Place,
}

/// What stands there.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Text,
    Value(Scalar),
    Set(Scalar),
    /// Part of a new item of the list; none of its parts is a set or a list.
    Item {
        list: String,
        part: String,
        scalar: Option<Scalar>,
    },
    Remark {
        remark: String,
        param: String,
        scalar: Scalar,
    },
}

impl Target {
    /// Reads a kind and a place in it.
    ///
    /// # Errors
    /// - In words: there is no such kind, or no such place.
    pub(super) fn read(kind: &str, to: &str) -> Result<Self, String> {
        let found = kinds::ALL.iter().find(|one| one.name == kind).ok_or_else(|| {
            let names: Vec<&str> = kinds::ALL.iter().map(|one| one.name).collect();
            format!("no kind of artefact is called {kind:?}; there is {}", names.join(", "))
        })?;
        let place = match to.split_once(':') {
            Some((remark, param)) => remark_place(found, remark, param)?,
            None => field_place(found, to)?,
        };
        Ok(Self { kind: found, to: to.to_owned(), place })
    }

    /// The type of what stands there; a text has none.
    pub(super) const fn scalar(&self) -> Option<Scalar> {
        match &self.place {
            Place::Text => None,
            Place::Value(scalar) | Place::Set(scalar) => Some(*scalar),
            Place::Item { scalar, .. } => *scalar,
            Place::Remark { scalar, .. } => Some(*scalar),
        }
    }

    /// Kind and place, as people read them.
    pub(super) fn in_words(&self) -> String {
        format!("{}: {}", self.kind.name, self.to)
    }
}

fn remark_place(kind: &'static Kind, name: &str, param: &str) -> Result<Place, String> {
    let remark = kind.remark(name).ok_or_else(|| {
        let names: Vec<&str> = kind.remarks.iter().map(|one: &EventKind| one.name).collect();
        format!("{} has no remark {name:?}; it has {}", kind.name, names.join(", "))
    })?;
    let found = remark.params.iter().find(|one| one.name == param);
    let found = found
        .filter(|one| matches!(one.scalar, Scalar::Text { .. }))
        .ok_or_else(|| format!("{name} takes no text {param:?}"))?;
    Ok(Place::Remark { remark: name.to_owned(), param: param.to_owned(), scalar: found.scalar })
}

fn field_place(kind: &'static Kind, to: &str) -> Result<Place, String> {
    let mut fields: Vec<&'static Field> = kind.all_fields().collect();
    let mut list = None;
    let mut parts = to.split('/');
    let mut walked = String::new();
    while let Some(part) = parts.next() {
        let field = fields.iter().copied().find(|field| field.name == part).ok_or_else(|| {
            let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
            format!("{} has no field {walked}{part}; there is {}", kind.name, names.join(", "))
        })?;
        walked = format!("{walked}{part}");
        match (field.shape, parts.clone().next()) {
            (Shape::Record(of), Some(_)) => fields = of.iter().collect(),
            (Shape::List(of), Some("*")) if list.is_none() => {
                parts.next();
                list = Some((walked.clone(), of));
                walked = format!("{walked}/*");
                fields = of.iter().collect();
            }
            (shape, None) => return end_place(shape, list.map(|(list, _)| list), to),
            (Shape::List(_), Some(_)) => {
                return Err(format!("{walked} is a list; a new item of it is {walked}/*"));
            }
            (_, Some(_)) => return Err(format!("{walked} has no parts")),
        }
        walked = format!("{walked}/");
    }
    Err("is empty".to_owned())
}

fn end_place(shape: Shape, list: Option<String>, to: &str) -> Result<Place, String> {
    let item = |list: String, scalar| {
        let part = to.strip_prefix(&format!("{list}/*/")).unwrap_or(to).replace('/', ".");
        Place::Item { list, part, scalar }
    };
    match (shape, list) {
        (Shape::Text, None) => Ok(Place::Text),
        (Shape::Scalar(scalar) | Shape::Cosmetic(scalar), None) => Ok(Place::Value(scalar)),
        (Shape::Set(scalar), None) => Ok(Place::Set(scalar)),
        (Shape::Text, Some(list)) => Ok(item(list, None)),
        (Shape::Scalar(scalar) | Shape::Cosmetic(scalar), Some(list)) => {
            Ok(item(list, Some(scalar)))
        }
        (Shape::Set(_) | Shape::List(_) | Shape::Record(_), _) => {
            Err(format!("{to} has parts, and none is named; write {to}/ and one of them"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_what_its_kind_has() {
        let place = |to| Target::read("decision", to).unwrap().place;
        assert!(matches!(place("summary"), Place::Text));
        assert!(matches!(place("finance/total_pence"), Place::Value(Scalar::Money)));
        assert!(matches!(place("tags"), Place::Set(Scalar::Text { .. })));
        let Place::Item { list, part, scalar } = place("finance/split/*/pence") else {
            panic!("no item")
        };
        assert_eq!((list.as_str(), part.as_str()), ("finance/split", "pence"));
        assert_eq!(scalar, Some(Scalar::Money));
        let Place::Remark { remark, param, .. } = place("comment:text") else {
            panic!("no remark")
        };
        assert_eq!((remark.as_str(), param.as_str()), ("comment", "text"));
    }

    #[test]
    fn what_a_kind_does_not_have_is_no_target() {
        let wrong = [
            ("decree", "summary"),
            ("decision", "colour"),
            ("decision", ""),
            ("decision", "finance"),
            ("decision", "finance/split"),
            ("decision", "finance/split/1/pence"),
            ("decision", "finance/split/*"),
            ("decision", "summary/x"),
            ("decision", "comment:mentions"),
            ("decision", "gossip:text"),
        ];
        for (kind, to) in wrong {
            assert!(Target::read(kind, to).is_err(), "{kind} {to}");
        }
    }
}
