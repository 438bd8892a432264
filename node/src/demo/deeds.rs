//! What organisations do in the story, in the form in which commands ask for it.
//!
//! *Source*: ours.

use crate::control::{Deed, Edit, Pair};

pub(super) fn pairs(values: &[(&str, &str)]) -> Vec<Pair> {
    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(super) fn open(kind: &str, title: &str) -> Deed {
    Deed::Open {
        board: None,
        kind: kind.to_owned(),
        audience: Vec::new(),
        title: Some(title.to_owned()),
    }
}

pub(super) fn edit(artefact: &str, edits: Vec<Edit>) -> Deed {
    Deed::Edit { artefact: artefact.to_owned(), edits }
}

pub(super) fn set(artefact: &str, values: &[(&str, &str)]) -> Deed {
    let edits = pairs(values).into_iter().map(|(at, value)| Edit::Set { at, value });
    edit(artefact, edits.collect())
}

pub(super) fn add(artefact: &str, list: &str, values: &[(&str, &str)]) -> Deed {
    let added = Edit::Add { at: list.to_owned(), values: pairs(values), after: None };
    edit(artefact, Vec::from([added]))
}

/// Takes so much out of a text at a position, counted in UTF-16 units, and puts something in; without one at its end.
pub(super) fn splice(
    artefact: &str,
    field: &str,
    position: Option<u64>,
    (delete, insert): (u64, &str),
) -> Deed {
    let (at, insert) = (field.to_owned(), insert.to_owned());
    edit(artefact, Vec::from([Edit::Splice { at, position, delete, insert }]))
}

pub(super) fn event(artefact: &str, name: &str, values: &[(&str, &str)]) -> Deed {
    let (artefact, name) = (artefact.to_owned(), name.to_owned());
    Deed::Event { artefact, name, values: pairs(values) }
}

pub(super) fn settle(artefact: &str, (code, about): (&str, &str), chosen: &str, why: &str) -> Deed {
    Deed::Settle {
        artefact: artefact.to_owned(),
        code: code.to_owned(),
        about: about.to_owned(),
        chosen: chosen.to_owned(),
        reason: Some(why.to_owned()),
    }
}

pub(super) fn freeze(artefact: &str, rule: &str) -> Deed {
    let (artefact, rule) = (artefact.to_owned(), Some(rule.to_owned()));
    Deed::Freeze { artefact, rule, closer: None, closes_on: None }
}

pub(super) fn state_position(artefact: &str, text: &str) -> Deed {
    let (artefact, name) = (artefact.to_owned(), "position".to_owned());
    Deed::Remark { artefact, name, values: pairs(&[("text", text)]), widens: false }
}

pub(super) fn sign(artefact: &str, answer: &str) -> Deed {
    Deed::Sign { artefact: artefact.to_owned(), proposal: None, answer: answer.to_owned() }
}

pub(super) fn close(artefact: &str) -> Deed {
    Deed::Close { artefact: artefact.to_owned(), proposal: None }
}
