//! Which artefact, entry, member or field a person means.
//!
//! ```text
//! artefact   the beginning of its id, or its kind if there is only one of it
//! entry      the beginning of its id, or a member's short name: its only entry of the kind meant
//! member     its short name, or its id
//! field      finance/split/2/pence        items by place, counted from 1, or by the beginning of the id
//! ```
//!
//! *Invariants.* What could mean two things means none: the refusal lists them.
//!
//! *Source*: ours.

use concordat_protocol::{
    artefact::{
        calendar::{self, DAY_MS},
        document::Path,
        kind::{Field, Kind, Shape},
        read::{Content, Presence, Reading},
    },
    charter::{Charter, Member},
    decision::Written,
    engine::{ArtefactRecord, BoardView},
    hash::{ArtefactId, OrgId},
    replay::Dossier,
    time::TimeMs,
};

use crate::{control::Refusal, replica::Snapshot};

/// Most candidates that a refusal lists.
const LISTED_MAX: usize = 10;

/// The artefact that a person named, and its board.
///
/// # Errors
/// - [`Refusal`]: none is meant, or more than one.
pub fn artefact_named<'a>(
    snapshot: &'a Snapshot,
    named: &str,
) -> Result<(&'a BoardView, ArtefactId), Refusal> {
    let reader = snapshot.reader.apart();
    let whole: Option<ArtefactId> = named.parse().ok();
    let mut meant: Vec<(&BoardView, ArtefactId)> = Vec::new();
    for board in &snapshot.views {
        if let Some(id) = whole {
            meant.extend(ArtefactRecord::read(&reader, &board.board, &id).map(|_| (board, id)));
            continue;
        }
        let is_meant = |(id, record): &(ArtefactId, ArtefactRecord)| {
            let kind = record.first.as_ref().map(|first| first.kind.as_str());
            begins(&id.to_string(), "artefact-", named) || kind == Some(named)
        };
        let found = ArtefactRecord::all(&reader, &board.board).into_iter().filter(is_meant);
        meant.extend(found.map(|(id, _)| (board, id)));
    }
    if let Some(error) = reader.failure() {
        return Err(Refusal::new("store", error));
    }
    match meant.as_slice() {
        [one] => Ok(*one),
        [] => {
            let message = format!(
                "no artefact begins with {named:?} and none is the only one of that kind; \
                 `concordat artefact list` shows them"
            );
            Err(Refusal::new("unknown-artefact", message))
        }
        several => {
            let ids = several.iter().map(|(_, id)| id.to_string());
            Err(which("artefact", named, ids))
        }
    }
}

/// The member that a person named.
///
/// # Errors
/// - [`Refusal`]: there is none.
pub(super) fn member_named<'a>(charter: &'a Charter, named: &str) -> Result<&'a Member, Refusal> {
    let is_meant =
        |member: &&Member| member.slug.as_str() == named || member.org.to_string() == named;
    charter.members.iter().find(is_meant).ok_or_else(|| {
        let slugs: Vec<&str> = charter.members.iter().map(|one| one.slug.as_str()).collect();
        let message = format!("no member is called {named:?}; there is {}", slugs.join(", "));
        Refusal::new("unknown-member", message)
    })
}

/// The name by which a board knows an organisation.
pub(super) fn slug(charter: &Charter, org: &OrgId) -> String {
    charter.member(org).map_or_else(|| org.to_string(), |member| member.slug.to_string())
}

/// The entry about an artefact that a person named by the beginning of its id.
///
/// # Errors
/// - [`Refusal`]: none is meant, or more than one.
pub(super) fn entry_in<'a>(dossier: &'a Dossier, named: &str) -> Result<&'a Written, Refusal> {
    let begins = |by: &&Written| begins(&by.entry.to_string(), "entry-", named);
    let meant: Vec<&Written> = dossier.entries.iter().map(|one| &one.by).filter(begins).collect();
    match meant.as_slice() {
        [one] => Ok(*one),
        [] => {
            let message = format!("no entry about this artefact begins with {named:?}");
            Err(Refusal::new("unknown-entry", message))
        }
        several => Err(which("entry", named, several.iter().map(|by| by.entry.to_string()))),
    }
}

/// A time that a person named: a day, which means its end, a minute, or a moment.
///
/// # Errors
/// - [`Refusal`]: it is none of these.
pub fn time_named(text: &str) -> Result<TimeMs, Refusal> {
    let day = calendar::day(text).map(|day| day.plus_ms(DAY_MS - 1));
    let moment = || {
        let moment: jiff::Timestamp = text.parse().ok()?;
        u64::try_from(moment.as_millisecond()).ok().map(TimeMs)
    };
    day.or_else(|| calendar::minute(text)).or_else(moment).ok_or_else(|| {
        let message = format!(
            "{text:?} is no time; write 2017-12-04, 2017-12-04T12:00Z or 2017-12-04T12:00:31.5Z"
        );
        Refusal::new("no-time", message)
    })
}

/// What a path leads to.
pub(super) enum Found {
    /// A field.
    Field(Path, &'static Field),
    /// An item of a list.
    Item(Path, &'static [Field]),
}

/// The field or item that a person named.
///
/// # Errors
/// - [`Refusal`]: the kind has no such field, or the list no such item.
pub(super) fn place_named(
    kind: &'static Kind,
    reading: &Reading,
    text: &str,
) -> Result<Found, Refusal> {
    let mut path = Path::default();
    let mut fields: Vec<&'static Field> = kind.all_fields().collect();
    let mut parts = text.split(['/', '.']).peekable();
    loop {
        let part = parts.next().unwrap_or_default();
        let field = fields.iter().copied().find(|field| field.name == part);
        let field = field.ok_or_else(|| no_field(&path, part, &fields))?;
        path = path.then(field.name);
        if parts.peek().is_none() {
            return Ok(Found::Field(path, field));
        }
        match field.shape {
            Shape::Record(parts) => fields = parts.iter().collect(),
            Shape::List(of) => {
                let item = item_named(reading, &path, parts.next().unwrap_or_default())?;
                path = path.then(&item);
                if parts.peek().is_none() {
                    return Ok(Found::Item(path, of));
                }
                fields = of.iter().collect();
            }
            Shape::Text | Shape::Scalar(_) | Shape::Cosmetic(_) | Shape::Set(_) => {
                let message = format!("{path} has no parts");
                return Err(Refusal::new("unknown-field", message));
            }
        }
    }
}

fn no_field(path: &Path, part: &str, fields: &[&'static Field]) -> Refusal {
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    let here = if path.parts().is_empty() { String::new() } else { format!("{path}: ") };
    let message = format!("{here}there is no field {part:?}; there is {}", names.join(", "));
    Refusal::new("unknown-field", message)
}

/// The id of the item that a person named, in a list.
///
/// # Errors
/// - [`Refusal`]: none is meant, or more than one.
pub(super) fn item_named(reading: &Reading, list: &Path, named: &str) -> Result<String, Refusal> {
    let items = match reading.cell(list).map(|cell| &cell.content) {
        Some(Content::List(items)) => items.as_slice(),
        Some(_) | None => &[],
    };
    let is_place = named.len() <= 4 && named.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(place) = named.parse::<usize>().ok().filter(|_| is_place) {
        let shown = |item: &&_| !matches!(presence(item), Presence::Removed { .. });
        let mut shown = items.iter().filter(shown);
        let item = place.checked_sub(1).and_then(|place| shown.nth(place));
        return item.map(|item| item.id.clone()).ok_or_else(|| {
            let message = format!("{list} has no item {place}; the first is 1");
            Refusal::new("unknown-item", message)
        });
    }
    let meant: Vec<&String> =
        items.iter().map(|item| &item.id).filter(|id| id.starts_with(named)).collect();
    match meant.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let message = format!("no item of {list} begins with {named:?}");
            Err(Refusal::new("unknown-item", message))
        }
        several => Err(which("item", named, several.iter().map(|id| (*id).clone()))),
    }
}

const fn presence(item: &concordat_protocol::artefact::read::Item) -> &Presence {
    &item.presence
}

/// Whether an id begins as somebody wrote, with or without the word before it.
#[must_use]
pub fn begins(id: &str, prefix: &str, named: &str) -> bool {
    let short = id.strip_prefix(prefix);
    !named.is_empty()
        && (id == named
            || (named.len() > prefix.len() && id.starts_with(named))
            || short.is_some_and(|short| short.starts_with(named)))
}

/// What was named may mean several.
pub fn which(
    what: &str,
    named: &str,
    candidates: impl ExactSizeIterator<Item = String>,
) -> Refusal {
    let count = candidates.len();
    let listed: Vec<String> = candidates.take(LISTED_MAX).collect();
    let more = if count > LISTED_MAX { ", …" } else { "" };
    let message = format!(
        "{named:?} may mean {count} of them: {}{more}; write the beginning of the one that is meant",
        listed.join(", ")
    );
    Refusal::new(&format!("which-{what}"), message)
}
