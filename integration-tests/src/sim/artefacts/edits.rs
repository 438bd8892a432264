//! What staff mean when they edit, by what their document shows.
//!
//! Most edits are about few fields, so that organisations meet in them.
//!
//! *Source*: ours; `artefact::edit`.

use concordat_protocol::{
    artefact::{
        document::{Atom, Document, Path},
        edit::{CannotEdit, Edited, Intent, ItemId, Spot, edit, fold},
        kind::{Scalar, Shape},
        read::{Cell, Content, Held, Presence, read},
    },
    feed::{Draft, Kind},
    hash::{FeedId, OrgId},
    payload::Changes,
    replay::NotDecidable,
    time::TimeMs,
    verdict::{Actor, ActorPrefix, ChangeHash},
};

use super::{super::rng::Rng, scene::Scene, values};

/// The names of intents, as they are counted.
pub const INTENTS: [&str; 14] = [
    "set",
    "clear",
    "choose",
    "splice",
    "mark",
    "unmark",
    "split",
    "join",
    "include",
    "exclude",
    "add item",
    "remove item",
    "restore item",
    "move item",
];

/// Where several organisations are meant to meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// In one field of one value.
    Value,
    /// In one paragraph.
    Paragraph,
    /// In one item of a list: the first removes it, the others edit it.
    Item {
        /// Whether this one removes it.
        removes: bool,
    },
    /// In amounts and their total.
    Sums,
}

/// Where an edit comes from.
#[derive(Debug, Clone, Copy)]
pub struct Editor<'a> {
    /// The feed.
    pub feed: FeedId,
    /// The node's clock.
    pub now: TimeMs,
    /// The members.
    pub orgs: &'a [OrgId],
}

/// The name under which an intent is counted.
#[must_use]
pub const fn name(intent: &Intent) -> &'static str {
    match intent {
        Intent::Set { .. } => "set",
        Intent::Clear { .. } => "clear",
        Intent::Choose { .. } => "choose",
        Intent::Splice { .. } => "splice",
        Intent::Mark { .. } => "mark",
        Intent::Unmark { .. } => "unmark",
        Intent::Split { .. } => "split",
        Intent::Join { .. } => "join",
        Intent::Include { .. } => "include",
        Intent::Exclude { .. } => "exclude",
        Intent::AddItem { .. } => "add item",
        Intent::RemoveItem { .. } => "remove item",
        Intent::RestoreItem { .. } => "restore item",
        Intent::MoveItem { .. } => "move item",
    }
}

/// One edit: a draft, and what was meant.
pub fn draw(
    scene: &Scene,
    editor: Editor<'_>,
    aim: Option<Aim>,
    rng: &mut Rng,
) -> Option<(Draft, Vec<&'static str>)> {
    let first = match aim {
        Some(aim) => aimed(scene, aim, editor.orgs, rng),
        None => any(&read(&scene.document).cells, editor.orgs, rng).into_iter().collect(),
    };
    draft(scene, editor, first, rng)
}

/// An edit after which the text may be decidable.
pub fn mend(
    scene: &Scene,
    editor: Editor<'_>,
    why: &NotDecidable,
    rng: &mut Rng,
) -> Option<(Draft, Vec<&'static str>)> {
    let intent = match why {
        NotDecidable::SeveralValues { at } | NotDecidable::Invalid { at, .. } => {
            let cell = scene.reading.cell(at)?;
            match (choice(cell, rng), cell.field.shape) {
                (Some(choice), _) => choice,
                (None, Shape::Scalar(scalar)) => {
                    let value = values::atom(scalar, rng, editor.orgs);
                    Intent::Set { at: at.clone(), value }
                }
                _ => return None,
            }
        }
        NotDecidable::Disputed { at } => Intent::RestoreItem { at: at.clone() },
        NotDecidable::Overwritten { .. } | NotDecidable::Wording(_) => return None,
    };
    draft(scene, editor, vec![intent], rng)
}

/// The draft of an edit, perhaps with a second change by the same editor.
fn draft(
    scene: &Scene,
    editor: Editor<'_>,
    intents: Vec<Intent>,
    rng: &mut Rng,
) -> Option<(Draft, Vec<&'static str>)> {
    let mut names: Vec<&'static str> = intents.iter().map(name).collect();
    let base = scene.document.heads();
    let actor = fresh(&editor.feed, rng);
    let (mut raw, mut document) = (Vec::new(), scene.document.clone());
    let edited = match edit(&document, intents.clone(), actor, editor.now) {
        Err(CannotEdit::TooManyHeads { .. }) => {
            let folded = fold(&document, fresh(&editor.feed, rng), editor.now).ok()?;
            raw.extend(folded.changes);
            edit(&folded.document, intents, actor, editor.now).ok()?
        }
        edited => edited.ok()?,
    };
    let Edited { changes, document: after, .. } = edited;
    raw.extend(changes);
    document.clone_from(&after);
    if rng.chance(20)
        && let Some(more) = any(&read(&document).cells, editor.orgs, rng)
    {
        let meant = name(&more);
        if let Ok(edited) = edit(&document, vec![more], actor, editor.now) {
            raw.extend(edited.changes);
            names.push(meant);
        }
    }
    Some((changes_draft(scene, &editor.feed, &base, raw), names))
}

/// The entry that carries changes.
#[must_use]
pub fn changes_draft(
    scene: &Scene,
    feed: &FeedId,
    base: &[ChangeHash],
    raw: Vec<Vec<u8>>,
) -> Draft {
    Draft {
        kind: Kind::CHANGE,
        artefact: Some(scene.dossier.artefact),
        refs: scene.replay.refs(feed, base),
        payload: Changes { raw: raw.into_iter().map(Into::into).collect() }.to_bytes(),
        attribution: None,
    }
}

/// A fresh actor of a feed.
pub fn fresh(feed: &FeedId, rng: &mut Rng) -> Actor {
    let mut half = [0; 16];
    half.copy_from_slice(&rng.bytes(16));
    Actor::of(ActorPrefix::of(feed), half)
}

/// The document of which only the skeleton is there, edited: for those who were shown nothing.
pub fn blind(document: &Document, editor: Editor<'_>, rng: &mut Rng) -> Option<Vec<Vec<u8>>> {
    let value = Atom::Text(values::words(rng));
    let intent = Intent::Set { at: Path::of(&["title"]), value };
    let edited = edit(document, vec![intent], fresh(&editor.feed, rng), editor.now);
    edited.ok().map(|edited| edited.changes)
}

fn aimed(scene: &Scene, aim: Aim, orgs: &[OrgId], rng: &mut Rng) -> Vec<Intent> {
    let cells = &scene.reading.cells;
    let title = || Path::of(&["title"]);
    match aim {
        Aim::Value => vec![Intent::Set { at: title(), value: Atom::Text(values::words(rng)) }],
        Aim::Paragraph => {
            let text = cells.iter().find(|cell| matches!(cell.content, Content::Text(_)));
            text.map(|cell| splice(cell, rng)).into_iter().collect()
        }
        Aim::Item { removes } => {
            let lists = cells.iter().filter_map(|cell| match &cell.content {
                Content::List(items) => Some((cell, items)),
                _ => None,
            });
            let present = |presence: &Presence| matches!(presence, Presence::Present);
            let mut items = lists.flat_map(|(cell, items)| {
                let items = items.iter().filter(move |item| present(&item.presence));
                items.map(move |item| cell.path.then(&item.id))
            });
            let Some(item) = items.next() else {
                return any_of(cells, "add item", orgs, rng).into_iter().collect();
            };
            if removes {
                return vec![Intent::RemoveItem { at: item }];
            }
            let inside: Vec<&Cell> = cells.iter().filter(|cell| item.covers(&cell.path)).collect();
            let of =
                |cell: &&Cell| one_of(cell, "set", orgs, &mut Rng::named(1, "probe")).is_some();
            let fields: Vec<&Cell> = inside.iter().copied().filter(of).collect();
            let cell = rng.pick(&fields).copied();
            cell.and_then(|cell| one_of(cell, "set", orgs, rng)).into_iter().collect()
        }
        Aim::Sums => sums(cells, orgs, rng),
    }
}

/// A total, a new amount, or another amount.
fn sums(cells: &[Cell], orgs: &[OrgId], rng: &mut Rng) -> Vec<Intent> {
    let list = Path::of(&["finance", "split"]);
    let total = Path::of(&["finance", "total_pence"]);
    let Some(cell) = cells.iter().find(|cell| cell.path == list) else { return Vec::new() };
    let amount = Atom::Int(values::words(rng).len().cast_signed() as i64 * 100);
    match (&cell.content, rng.chance(50)) {
        (Content::List(items), false) if !items.is_empty() => {
            let item = rng.pick(items).map(|item| list.then(&item.id).then("pence"));
            item.map(|at| Intent::Set { at, value: amount }).into_iter().collect()
        }
        (_, false) => one_of(cell, "add item", orgs, rng).into_iter().collect(),
        (_, true) => vec![Intent::Set { at: total, value: amount }],
    }
}

/// Any intent that fits what there is.
fn any(cells: &[Cell], orgs: &[OrgId], rng: &mut Rng) -> Option<Intent> {
    let name = *rng.pick(&INTENTS)?;
    any_of(cells, name, orgs, rng)
        .or_else(|| any_of(cells, "add item", orgs, rng))
        .or_else(|| any_of(cells, "set", orgs, rng))
}

/// An intent of this name, in one of the first fields that it fits.
fn any_of(cells: &[Cell], name: &str, orgs: &[OrgId], rng: &mut Rng) -> Option<Intent> {
    let fits = |cell: &&Cell| one_of(cell, name, orgs, &mut Rng::named(1, "probe")).is_some();
    let mut fitting: Vec<&Cell> = cells.iter().filter(fits).collect();
    if rng.chance(60) {
        fitting.truncate(3);
    }
    let cell = rng.pick(&fitting).copied()?;
    one_of(cell, name, orgs, rng)
}

/// An intent of this name in this field.
fn one_of(cell: &Cell, name: &str, orgs: &[OrgId], rng: &mut Rng) -> Option<Intent> {
    let at = cell.path.clone();
    Some(match (name, &cell.content) {
        ("set", Content::Scalar(_)) => {
            Intent::Set { at, value: values::atom(scalar(cell)?, rng, orgs) }
        }
        ("clear", Content::Scalar(values)) if !values.is_empty() => Intent::Clear { at },
        ("choose", Content::Scalar(_)) => return choice(cell, rng),
        ("splice", Content::Text(_)) => splice(cell, rng),
        ("include", Content::Set(_)) => {
            Intent::Include { at, value: values::atom(scalar(cell)?, rng, orgs) }
        }
        ("exclude", Content::Set(values)) => {
            Intent::Exclude { at, value: valid(&rng.pick(values)?.value)? }
        }
        (_, Content::Text(text)) => return in_text(at, name, &text.text, rng),
        (_, Content::List(items)) => return in_list(&at, name, items, rng),
        _ => return None,
    })
}

fn scalar(cell: &Cell) -> Option<Scalar> {
    match cell.field.shape {
        Shape::Scalar(scalar) | Shape::Cosmetic(scalar) | Shape::Set(scalar) => Some(scalar),
        Shape::Text | Shape::List(_) | Shape::Record(_) => None,
    }
}

fn valid(held: &Held) -> Option<Atom> {
    match held {
        Held::Valid(atom) => Some(atom.clone()),
        Held::Invalid { .. } => None,
    }
}

fn choice(cell: &Cell, rng: &mut Rng) -> Option<Intent> {
    let Content::Scalar(values) = &cell.content else { return None };
    let value = rng.pick(values).filter(|_| values.len() > 1)?;
    Some(Intent::Choose { at: cell.path.clone(), value: valid(&value.value)? })
}

fn splice(cell: &Cell, rng: &mut Rng) -> Intent {
    let text = match &cell.content {
        Content::Text(text) => text.text.as_str(),
        _ => "",
    };
    let (from, to) = (boundary(text, rng), boundary(text, rng));
    let delete = if rng.chance(30) { to.saturating_sub(from).min(6) } else { 0 };
    // What is cut must not end inside a character.
    let delete = if ends(text).contains(&(from + delete)) { delete } else { 0 };
    let insert = format!("{}. ", values::words(rng));
    Intent::Splice { at: cell.path.clone(), position: from, delete, insert }
}

/// Where characters of a text begin, and where it ends, in UTF-16 code units.
fn ends(text: &str) -> Vec<u64> {
    let mut at = 0;
    let mut all = vec![0];
    for character in text.chars() {
        at += character.len_utf16() as u64;
        all.push(at);
    }
    all
}

fn boundary(text: &str, rng: &mut Rng) -> u64 {
    rng.pick(&ends(text)).copied().unwrap_or(0)
}

fn in_text(at: Path, name: &str, text: &str, rng: &mut Rng) -> Option<Intent> {
    let (one, other) = (boundary(text, rng), boundary(text, rng));
    let (from, to) = (one.min(other), one.max(other));
    let marked = || "strong".to_string();
    Some(match name {
        "mark" if !text.is_empty() => {
            let (from, to) = if from < to { (from, to) } else { (0, *ends(text).last()?) };
            Intent::Mark { at, from, to, name: marked(), value: Atom::Bool(true), grows: true }
        }
        "unmark" if !text.is_empty() => {
            let (from, to) = if from < to { (from, to) } else { (0, *ends(text).last()?) };
            Intent::Unmark { at, from, to, name: marked() }
        }
        "split" => Intent::Split { at, position: from, kind: "heading".into() },
        "join" => {
            let units = text.chars().scan(0, |at, character| {
                let here = *at;
                *at += character.len_utf16() as u64;
                Some((here, character))
            });
            let (position, _) = units.into_iter().find(|(_, one)| *one == '\u{fffc}')?;
            Intent::Join { at, position }
        }
        _ => return None,
    })
}

fn in_list(
    at: &Path,
    name: &str,
    items: &[concordat_protocol::artefact::read::Item],
    rng: &mut Rng,
) -> Option<Intent> {
    if name == "add item" {
        let mut random = [0; 16];
        random.copy_from_slice(&rng.bytes(16));
        let id = ItemId::fresh(random);
        return Some(Intent::AddItem { at: at.clone(), id, spot: Spot::First });
    }
    let is_here = |presence: &Presence| !matches!(presence, Presence::Removed { .. });
    let (here, gone): (Vec<_>, Vec<_>) = items.iter().partition(|item| is_here(&item.presence));
    let of = |id: &String| at.then(id);
    Some(match name {
        "remove item" => Intent::RemoveItem { at: of(&rng.pick(&here)?.id) },
        "restore item" => {
            let disputed = here
                .iter()
                .copied()
                .find(|item| matches!(item.presence, Presence::Disputed { .. }));
            Intent::RestoreItem { at: of(&disputed.or_else(|| gone.first().copied())?.id) }
        }
        "move item" if here.len() > 1 => {
            Intent::MoveItem { at: of(&here.last()?.id), spot: Spot::First }
        }
        _ => return None,
    })
}
