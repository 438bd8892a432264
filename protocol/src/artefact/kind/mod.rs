//! What a kind of artefact is made of, as types for the data in `kinds`.
//!
//! ```text
//! shape      in the Automerge document                                         when two write at once
//! Text       a text, made by the skeleton                                      both edits stay
//! Scalar     one map key                                                       all values stay, a person chooses
//! Cosmetic   one map key                                                       one wins; hints for sorting only
//! Set        a map: element as text ──▶ true; removing deletes the key         adding wins
//! List       a map: item id ──▶ { fields…, order: text, removed: true or false }   the edited item stays
//! Record     a map, made by the skeleton                                       part by part
//! ```
//!
//! An item of a list is made in one change with its texts, records, sets and lists. Removing sets `removed`, reordering sets
//! `order`, so nothing that somebody else edits is lost.
//!
//! ```text
//! scalar      in the document                        in an event
//! Text        text of 1 to max characters            the same text
//! Int         integer from min to max                integer
//! Money       pence, integer                         integer
//! Bool        true or false                          1 or 0
//! Decimal     text: digits, at most three decimals   the same text
//! Date        text: 2017-12-04                       the same text
//! DateTime    text: 2017-12-08T12:00Z                the same text
//! Year        text: 2017/18, a financial year        the same text
//! Enum, Code  text: the code                         the same text
//! Url         text that begins https:// or http://   the same text
//! Org         text: org-…                            32 bytes
//! Artefact    text: artefact-…                       32 bytes
//! Entry       text: entry-…                          32 bytes
//! Hash        text: 64 hexadecimal digits            32 bytes
//! ```
//!
//! Knows nothing of Automerge and nothing of any kind in particular.

mod act;
mod field;
mod state;

pub use act::{Among, Capacity, Count, Effect, EventKind, Param, Role, Who};
pub use field::{CodeList, Field, Meanwhile, ORDER, REMOVED, Scalar, Shape, Source};
pub use state::{Caution, Clock, Need, State, Transition, Trigger};

/// A kind of artefact at one version of its schema.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name in `open` and in charters.
    pub name: &'static str,
    /// The version of its schema, from 1.
    pub version: u64,
    /// What people call it.
    pub label: &'static str,
    /// What several may write, the fields common to all kinds first.
    pub fields: &'static [&'static [Field]],
    /// What one organisation alone may write, the events common to all kinds first.
    pub events: &'static [&'static [EventKind]],
    /// What people say about it.
    pub remarks: &'static [EventKind],
    /// The states it may be in, from the first to the last; it begins in the first.
    pub states: &'static [State],
    /// How it moves from state to state.
    pub transitions: &'static [Transition],
}

impl Kind {
    /// The fields, in order.
    pub fn all_fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.fields.iter().flat_map(|part| part.iter())
    }

    /// The field with this name, if there is one.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.all_fields().find(|field| field.name == name)
    }

    /// The events, in order.
    pub fn all_events(&self) -> impl Iterator<Item = &'static EventKind> + use<> {
        self.events.iter().flat_map(|part| part.iter())
    }

    /// The event with this name, if there is one.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<&'static EventKind> {
        self.all_events().find(|event| event.name == name)
    }

    /// The remark with this name, if there is one.
    #[must_use]
    pub fn remark(&self, name: &str) -> Option<&'static EventKind> {
        self.remarks.iter().find(|remark| remark.name == name)
    }

    /// Whether artefacts of this kind are put to a decision; of others each side binds itself.
    #[must_use]
    pub fn is_put_to_a_decision(&self) -> bool {
        self.transitions.iter().any(|one| matches!(one.by, Trigger::Proposal(_)))
    }

    /// The state with this name, if there is one.
    #[must_use]
    pub fn state(&self, name: &str) -> Option<&'static State> {
        self.states.iter().find(|state| state.name == name)
    }
}
