//! The fixed first change of every document of a kind.
//!
//! ```text
//! actor 32 zero bytes · seq 1 · time 0 · no dependencies · message "concordat/skeleton/<kind>/<version>"
//! operations, in the order of the kind's fields, a record before its parts, level by level:
//!     Text    make text     Record  make map
//!     List    make map      Set     make map         Scalar, Cosmetic  nothing
//! ```
//!
//! It is carried by no entry and lies in the closure of every change, so no two nodes ever make
//! rival objects. Its objects are found by their ids, never by what stands under their keys: a
//! change that overwrites a key hides nothing from people.
//!
//! Invariant: the same bytes on every node, for ever, for one kind and version. A test pins them.
//!
//! Source: ours, `SPEC.md` section "Documents".

use alloc::{collections::BTreeMap, collections::VecDeque, format, vec::Vec};

use automerge::{
    Automerge, ObjId, ObjType, ROOT,
    transaction::{CommitOptions, Transactable},
};

use super::{ENCODING, Suspended, names};
use crate::{
    artefact::kind::{Field, Kind, Shape},
    verdict::{Actor, ChangeHash},
};

/// The skeleton of one kind at one version, and where its objects are.
#[derive(Debug)]
pub struct Skeleton {
    kind: &'static Kind,
    raw: Vec<u8>,
    hash: ChangeHash,
    objects: BTreeMap<Vec<&'static str>, ObjId>,
    empty: Automerge,
}

impl Skeleton {
    /// Makes the skeleton of a kind. Make it once and share it.
    ///
    /// # Errors
    /// [`Suspended::Failed`] if the library cannot, which no kind of ours brings about.
    pub fn new(kind: &'static Kind) -> Result<Self, Suspended> {
        let mut empty = Automerge::new_with_encoding(ENCODING);
        empty.set_actor(names::actor_id(Actor::SKELETON));
        let mut objects = BTreeMap::new();
        let mut writing = empty.transaction();
        let mut records: VecDeque<(Vec<&'static str>, ObjId, &'static [Field])> =
            kind.fields.iter().map(|part| (Vec::new(), ROOT, *part)).collect();
        while let Some((path, holder, fields)) = records.pop_front() {
            for field in fields {
                let Some(made) = object_of(field.shape) else { continue };
                let object =
                    writing.put_object(&holder, field.name, made).map_err(|_| Suspended::Failed)?;
                let mut path = path.clone();
                path.push(field.name);
                if let Shape::Record(parts) = field.shape {
                    records.push_back((path.clone(), object.clone(), parts));
                }
                objects.insert(path, object);
            }
        }
        let message = format!("concordat/skeleton/{}/{}", kind.name, kind.version);
        writing.commit_with(CommitOptions::default().with_message(message).with_time(0));
        let change = empty.get_changes(&[]).pop().ok_or(Suspended::Failed)?;
        let (raw, hash) = (change.raw_bytes().to_vec(), names::ours(change.hash()));
        Ok(Self { kind, raw, hash, objects, empty })
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// The raw change: the root of the verdict's history.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The hash of the change.
    #[must_use]
    pub const fn hash(&self) -> ChangeHash {
        self.hash
    }

    /// The object that the skeleton made for these fields.
    pub(in crate::artefact) fn object(&self, path: &[&'static str]) -> Option<&ObjId> {
        self.objects.get(path)
    }

    /// A document that holds the skeleton alone.
    pub(super) const fn empty(&self) -> &Automerge {
        &self.empty
    }
}

/// What a field of this shape is made of, if it is an object.
pub(in crate::artefact) const fn object_of(shape: Shape) -> Option<ObjType> {
    match shape {
        Shape::Text => Some(ObjType::Text),
        Shape::Set(_) | Shape::List(_) | Shape::Record(_) => Some(ObjType::Map),
        Shape::Scalar(_) | Shape::Cosmetic(_) => None,
    }
}
