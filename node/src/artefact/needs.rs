//! What must be true of a document before a step: told to the author, before anything is signed.
//!
//! *Invariants.* Here alone: no effect depends on a document, so elsewhere an unmet need is a finding.
//! Needs of events decide effect on every node, and are tested by the trial.
//!
//! *Source*: ours; domain, sections 2.2 to 2.4.

use concordat_protocol::{
    artefact::{
        document::{Atom, Path},
        kind::{Effect, Need, Transition, Trigger},
        read::{Content, Held, Presence},
    },
    hash::OrgId,
    payload::Audience,
    replay::Code,
};

use super::{Case, Seen, today};
use crate::control::Refusal;

/// Refuses a step while something that it needs of the document is missing.
///
/// # Errors
/// - [`Refusal`]: everything that is missing, in one sentence each.
pub(super) fn expect_met(
    case: &Case<'_>,
    is_trigger: impl Fn(&Trigger) -> bool,
) -> Result<(), Refusal> {
    let base = case.replay.lifecycle.base;
    let leads_on = |one: &&Transition| is_trigger(&one.by) && one.from.contains(&base);
    let Some(step) = case.kind().transitions.iter().find(leads_on) else {
        // Beside a result that is known it would have effect, and be a conflict.
        let taken = case.kind().transitions.iter().filter(|one| is_trigger(&one.by));
        let from: Vec<&str> = taken.flat_map(|one| one.from).copied().collect();
        if from.is_empty() {
            return Ok(());
        }
        let from = from.join(", ");
        let message = format!("this step has no place in state {base}; it is taken from {from}");
        return Err(Refusal::new("no-effect", message));
    };
    let needs: Vec<&Need> = step.needs.iter().filter(|need| !need.is_of_events()).collect();
    if needs.is_empty() {
        return Ok(());
    }
    let seen = case.seen()?;
    let lacking: Vec<String> =
        needs.into_iter().flat_map(|need| lacking(case, seen, *need)).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    Err(Refusal::new("not-ready", format!("not yet: {}", lacking.join("; "))))
}

/// What is missing for one need.
fn lacking(case: &Case<'_>, seen: &Seen, need: Need) -> Vec<String> {
    let one = |is_met: bool, why: String| if is_met { Vec::new() } else { Vec::from([why]) };
    match need {
        Need::Filled(field) => one(is_filled(seen, field), format!("{field} has no value")),
        Need::NoConflict => conflicts(seen),
        Need::Sum { total, .. } => {
            let broken = seen.conflicts.iter().filter(|one| one.code == Code::Sum);
            let broken = broken.filter(|one| one.about == total);
            broken.map(|one| format!("C9 on {total}: {}", sides(one))).collect()
        }
        Need::NotPassed(field) => {
            let now = today(case.as_of);
            let last = text_of(seen, field);
            let is_met = last.as_ref().is_none_or(|last| *last >= now);
            one(is_met, format!("the day in {field} has passed"))
        }
        Need::Item { list, field, value } => {
            let why = format!("no item of {list} has {field} {value}");
            one(has_item(seen, list, field, value), why)
        }
        Need::Above { field, pence, event } => {
            let amount = value_of(seen, field).and_then(|atom| match atom {
                Atom::Int(amount) => u64::try_from(*amount).ok(),
                Atom::Text(_) | Atom::Bool(_) => None,
            });
            if amount.is_none_or(|amount| amount <= pence) {
                return Vec::new();
            }
            let wrote = authors(case, event);
            let sponsor = wrote.contains(&case.dossier.opener);
            let other = wrote.iter().any(|org| *org != case.dossier.opener);
            let why = format!("above {pence} pence in {field}, both sides have to write {event}");
            one(sponsor && other, why)
        }
        Need::EachOf { class, event } => {
            let wrote = authors(case, event);
            let members = case.charter.members.iter().filter(|one| one.class == class);
            let due = members.filter(|one| one.status.has_seat() && is_inside(case, &one.org));
            let missing = due.filter(|one| !wrote.contains(&one.org));
            missing.map(|one| format!("{} has not written {event}", one.slug)).collect()
        }
        Need::From { .. } | Need::NothingConfirmed => Vec::new(),
    }
}

/// Conflicts about the text and its state; those about answers and capacity do not hold it up.
fn conflicts(seen: &Seen) -> Vec<String> {
    let holds_up = |code: Code| match code {
        Code::Values | Code::Paragraph | Code::Item | Code::Amendment | Code::Steps | Code::Sum => {
            true
        }
        Code::Answers | Code::Stale | Code::Capacity | Code::Adoption => false,
    };
    let open = seen.open_conflicts().filter(|one| holds_up(one.code));
    open.map(|one| format!("{} on {} is not settled", one.code, one.about)).collect()
}

fn sides(conflict: &concordat_protocol::replay::Conflict) -> String {
    let sides: Vec<&str> = conflict.sides.iter().map(|side| side.says.as_str()).collect();
    sides.join(", ")
}

fn path(dotted: &str) -> Path {
    let parts: Vec<&str> = dotted.split('.').collect();
    Path::of(&parts)
}

fn is_filled(seen: &Seen, field: &str) -> bool {
    match seen.reading.cell(&path(field)).map(|cell| &cell.content) {
        Some(Content::Scalar(values) | Content::Set(values)) => !values.is_empty(),
        Some(Content::Text(text)) => !text.text.is_empty(),
        Some(Content::List(items)) => {
            items.iter().any(|item| !matches!(item.presence, Presence::Removed { .. }))
        }
        Some(Content::Overwritten) | None => false,
    }
}

/// The one value of a field that fits it.
fn value_at<'a>(seen: &'a Seen, at: &Path) -> Option<&'a Atom> {
    match &seen.reading.cell(at)?.content {
        Content::Scalar(values) => match values.as_slice() {
            [one] => match &one.value {
                Held::Valid(atom) => Some(atom),
                Held::Invalid { .. } => None,
            },
            _ => None,
        },
        Content::Text(_) | Content::Set(_) | Content::List(_) | Content::Overwritten => None,
    }
}

fn value_of<'a>(seen: &'a Seen, field: &str) -> Option<&'a Atom> {
    value_at(seen, &path(field))
}

fn text_of(seen: &Seen, field: &str) -> Option<String> {
    value_of(seen, field).map(Atom::to_string)
}

fn has_item(seen: &Seen, list: &str, field: &str, value: &str) -> bool {
    let list = path(list);
    let items = match seen.reading.cell(&list).map(|cell| &cell.content) {
        Some(Content::List(items)) => items.as_slice(),
        Some(_) | None => &[],
    };
    items.iter().any(|item| {
        let is_there = !matches!(item.presence, Presence::Removed { .. });
        let says = value_at(seen, &list.then(&item.id).then(field));
        is_there && says.is_some_and(|atom| atom.to_string() == value)
    })
}

/// Which organisations have written an event that has effect.
fn authors(case: &Case<'_>, name: &str) -> Vec<OrgId> {
    let lifecycle = &case.replay.lifecycle;
    let table = case.kind().event(name).and_then(|event| match event.effect {
        Effect::Row { table, .. } => Some(table),
        Effect::Log
        | Effect::Move
        | Effect::Hold { .. }
        | Effect::LetGo { .. }
        | Effect::Uphold
        | Effect::Capacity(_) => None,
    });
    match table {
        Some(table) => lifecycle.table(table).map(|(key, _)| key.org).collect(),
        None => {
            let entries = lifecycle.log.get(name).into_iter().flatten();
            entries.filter_map(|entry| case.written(entry)).map(|by| by.org).collect()
        }
    }
}

/// Whether an organisation receives the artefact's content.
pub(super) fn is_inside(case: &Case<'_>, org: &OrgId) -> bool {
    match &case.replay.audience {
        Audience::Everyone => true,
        Audience::Only(orgs) => orgs.contains(org),
    }
}
