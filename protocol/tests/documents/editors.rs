//! Editors for tests: each with an actor and a document of its own.

use std::sync::Arc;

use concordat_protocol::{
    artefact::{
        document::{Atom, Document, Path, Skeleton},
        edit::{CannotEdit, Intent, ItemId, Spot, edit},
        kinds::DECISION,
        read::{Content, Held, Reading, read},
    },
    hash::FeedId,
    time::TimeMs,
    verdict::{Actor, ActorPrefix},
};

/// The skeleton of decisions.
pub(crate) fn skeleton() -> Arc<Skeleton> {
    Arc::new(Skeleton::new(&DECISION).unwrap())
}

pub(crate) fn feed(org: u8) -> FeedId {
    FeedId::from_bytes([org; 32])
}

pub(crate) fn path(text: &str) -> Path {
    Path::of(&text.split('/').collect::<Vec<_>>())
}

pub(crate) fn text(value: &str) -> Atom {
    Atom::Text(value.into())
}

pub(crate) fn set(at: &str, value: &str) -> Intent {
    Intent::Set { at: path(at), value: text(value) }
}

pub(crate) fn splice(at: &str, position: u64, delete: u64, insert: &str) -> Intent {
    Intent::Splice { at: path(at), position, delete, insert: insert.into() }
}

pub(crate) fn item(n: u8) -> ItemId {
    ItemId::fresh([n; 16])
}

pub(crate) fn add_item(at: &str, n: u8, after: Option<u8>) -> Intent {
    Intent::AddItem { at: path(at), id: item(n), spot: spot(after) }
}

/// After this item, or before all.
pub(crate) fn spot(after: Option<u8>) -> Spot {
    after.map_or(Spot::First, |n| Spot::After(item(n).as_str().to_string()))
}

/// A path into an item of a list.
pub(crate) fn in_item(list: &str, n: u8, field: &str) -> Path {
    let mut found = path(list).then(item(n).as_str());
    for part in field.split('/').filter(|part| !part.is_empty()) {
        found = found.then(part);
    }
    found
}

/// A person at work.
#[derive(Clone)]
pub(crate) struct Editor {
    pub(crate) document: Document,
    pub(crate) actor: Actor,
    /// All changes it made.
    pub(crate) made: Vec<Vec<u8>>,
}

impl Editor {
    pub(crate) fn new(skeleton: &Arc<Skeleton>, org: u8, random: u8) -> Self {
        let actor = Actor::of(ActorPrefix::of(&feed(org)), [random; 16]);
        Self { document: Document::new(skeleton), actor, made: vec![] }
    }

    pub(crate) fn try_edit(&mut self, intents: Vec<Intent>) -> Result<Vec<Vec<u8>>, CannotEdit> {
        let edited = edit(&self.document, intents, self.actor, TimeMs(1_500_000_000_000))?;
        self.document = edited.document;
        self.made.extend(edited.changes.clone());
        Ok(edited.changes)
    }

    pub(crate) fn edit(&mut self, intents: Vec<Intent>) {
        self.try_edit(intents).unwrap();
    }

    /// Takes all changes of another that are missing here.
    pub(crate) fn pull(&mut self, other: &Self) {
        self.document = self.document.with(&other.document.raw_changes()).unwrap();
    }

    pub(crate) fn reading(&self) -> Reading {
        read(&self.document)
    }
}

/// The values of a field, as text.
pub(crate) fn values(reading: &Reading, at: &Path) -> Vec<String> {
    match &reading.cell(at).unwrap().content {
        Content::Scalar(values) | Content::Set(values) => values
            .iter()
            .map(|written| match &written.value {
                Held::Valid(atom) => atom.to_string(),
                Held::Invalid { shown, why } => format!("{shown}: {why}"),
            })
            .collect(),
        other => panic!("{other:?}"),
    }
}

/// The text of a field.
pub(crate) fn text_of(reading: &Reading, at: &Path) -> String {
    match &reading.cell(at).unwrap().content {
        Content::Text(text) => text.text.clone(),
        other => panic!("{other:?}"),
    }
}
