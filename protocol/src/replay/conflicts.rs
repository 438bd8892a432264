//! What a person must see: values, steps and answers that contradict each other.
//!
//! | code | conflict | until somebody settles it | who does |
//! |---|---|---|---|
//! | C1 | several values for one field | all are shown; cannot be frozen | sponsor |
//! | C2 | a paragraph changed by two organisations at once | the merged text, with both authors | anybody |
//! | C3 | an item removed by one and edited by another | it stays | sponsor |
//! | C4 | an edit that its author made without knowing that the text was fixed | a proposed amendment | secretariat |
//! | C5 | steps taken at once that lead to different states | the most cautious holds | secretariat |
//! | C6 | two answers by one organisation | none but the first counts | its signatory |
//! | C7 | an answer to other wording | not counted | its signatory |
//! | C8 | more claimed than is left, or confirmed than there is | nothing more is confirmed | who offers |
//! | C9 | amounts that do not come to their total | both are shown; cannot be frozen | finance signatories |
//! | C10 | adoption of a version that another has replaced | kept, with its version | locality |
//!
//! A conflict is settled by an event that names its code and field, has all of it in its past, and is
//! written by an organisation that may settle it: whoever in that organisation may is its own word.
//! Those about values also end when somebody writes one value over all of them.
//!
//! Pure: a function of a replay and of what the document reads.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use super::{ChangeState, Replay, Status};
use crate::{
    artefact::{
        compare::shared_paragraphs,
        document::{Atom, Document, Path},
        kind::Need,
        lifecycle::Author,
        read::{Content, Held, Presence, Reading, Writer},
        scalar,
    },
    decision::Flag,
    hash::{EntryId, OrgId},
    time::TimeMs,
    value::Value,
    verdict::ChangeHash,
};

/// Which conflict, in the catalogue of what a person must see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// Several values for one field.
    Values = 1,
    /// A paragraph changed by two organisations at once.
    Paragraph,
    /// An item removed by one and edited by another.
    Item,
    /// An edit that came after the text was fixed.
    Amendment,
    /// Steps taken at once that lead to different states.
    Steps,
    /// Two answers by one organisation.
    Answers,
    /// An answer to other wording.
    Stale,
    /// More claimed than is left.
    Capacity,
    /// Amounts that do not come to their total.
    Sum,
    /// Adoption of a version that another has replaced.
    Adoption,
}

/// Who may settle a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Settles {
    /// The organisation that opened the artefact.
    Sponsor,
    /// Any member in the audience.
    Anybody,
    /// The secretariat.
    Secretariat,
    /// The organisation itself, by its signatory.
    Signatory,
    /// The organisation that offers.
    Offering,
    /// Those who bind their organisations in money.
    FinanceSignatories,
    /// The organisations of the locality.
    Locality,
}

/// One conflict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// Which.
    pub code: Code,
    /// The field, step, line or proposal that it is about.
    pub about: String,
    /// What stands against what.
    pub sides: Vec<Side>,
    /// The event that settled it.
    pub settled_by: Option<EntryId>,
}

/// One of the things that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Side {
    /// What it says.
    pub says: String,
    /// Who says so, ascending.
    pub orgs: Vec<OrgId>,
    /// In which entries, ascending.
    pub entries: Vec<EntryId>,
    /// When the last of them was written, as its author claims.
    pub at: Option<TimeMs>,
}

impl Code {
    /// Every code, in order.
    pub const ALL: [Self; 10] = [
        Self::Values,
        Self::Paragraph,
        Self::Item,
        Self::Amendment,
        Self::Steps,
        Self::Answers,
        Self::Stale,
        Self::Capacity,
        Self::Sum,
        Self::Adoption,
    ];

    /// Who may settle it.
    #[must_use]
    pub const fn settles(self) -> Settles {
        match self {
            Self::Values | Self::Item => Settles::Sponsor,
            Self::Paragraph => Settles::Anybody,
            Self::Amendment | Self::Steps => Settles::Secretariat,
            Self::Answers | Self::Stale => Settles::Signatory,
            Self::Capacity => Settles::Offering,
            Self::Sum => Settles::FinanceSignatories,
            Self::Adoption => Settles::Locality,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "C{}", *self as u8)
    }
}

/// From how many changes on a history is long.
const LONG: usize = 500;

/// Lists the conflicts of an artefact, ascending.
#[must_use]
pub fn conflicts(replay: &Replay, document: &Document, reading: &Reading) -> Vec<Conflict> {
    let lookup = Lookup::of(replay);
    let mut found = Vec::new();
    values(&lookup, reading, &mut found);
    paragraphs(&lookup, document, &mut found);
    items(&lookup, reading, &mut found);
    amendments(replay, &lookup, &mut found);
    steps(replay, &lookup, &mut found);
    answers(replay, &lookup, &mut found);
    capacity(replay, &lookup, &mut found);
    sums(replay, reading, &mut found);
    adoption(replay, &lookup, &mut found);
    for conflict in &mut found {
        conflict.settled_by = settled_by(replay, conflict);
    }
    found.sort();
    found
}

/// Who wrote what, by change and by entry.
struct Lookup<'a> {
    replay: &'a Replay,
    changes: BTreeMap<ChangeHash, &'a ChangeState>,
}

impl<'a> Lookup<'a> {
    fn of(replay: &'a Replay) -> Self {
        let changes = replay.changes.iter().map(|change| (change.hash, change)).collect();
        Self { replay, changes }
    }

    fn side(&self, says: String, entries: impl IntoIterator<Item = EntryId>) -> Side {
        let entries: BTreeSet<EntryId> = entries.into_iter().collect();
        let written = entries.iter().filter_map(|id| self.replay.written.get(id));
        let orgs: BTreeSet<OrgId> = written.clone().map(|by| by.org).collect();
        let at = written.map(|by| by.at).max();
        Side { says, orgs: orgs.into_iter().collect(), entries: entries.into_iter().collect(), at }
    }

    fn side_of_changes(&self, says: String, by: &[Writer]) -> Side {
        let changes = by.iter().filter_map(|writer| self.changes.get(&writer.change));
        self.side(says, changes.map(|change| change.entry))
    }
}

const fn open(code: Code, about: String, sides: Vec<Side>) -> Conflict {
    Conflict { code, about, sides, settled_by: None }
}

fn named(path: &Path) -> String {
    path.parts().join("/")
}

fn shown(held: &Held) -> String {
    match held {
        Held::Valid(atom) => atom.to_string(),
        Held::Invalid { shown, .. } => shown.clone(),
    }
}

fn values(lookup: &Lookup<'_>, reading: &Reading, found: &mut Vec<Conflict>) {
    for (cell, values) in reading.conflicts() {
        let side = |one: &crate::artefact::read::Written| {
            lookup.side_of_changes(shown(&one.value), &one.by)
        };
        let sides = values.iter().map(side).collect();
        found.push(open(Code::Values, named(&cell.path), sides));
    }
}

/// Since the wording that was last put to a decision, or since the beginning.
fn paragraphs(lookup: &Lookup<'_>, document: &Document, found: &mut Vec<Conflict>) {
    let replay = lookup.replay;
    let last = replay.lifecycle.proposal.and_then(|id| replay.proposals.get(&id));
    let heads = last.map_or(&[][..], |last| last.says.heads.as_slice());
    let base: Vec<ChangeHash> = heads.iter().map(|head| ChangeHash(head.0)).collect();
    if !replay.has_changes_at_once() {
        return;
    }
    let org = |actor: &_| replay.org_of(actor);
    for paragraph in shared_paragraphs(document, &base, org) {
        let mut by_org: BTreeMap<Option<OrgId>, Vec<Writer>> = BTreeMap::new();
        for writer in &paragraph.by {
            by_org.entry(replay.org_of(&writer.actor)).or_default().push(*writer);
        }
        let side = |by: &Vec<Writer>| lookup.side_of_changes(paragraph.text.clone(), by);
        let about = format!("{}/{}", named(&paragraph.path), paragraph.number);
        found.push(open(Code::Paragraph, about, by_org.values().map(side).collect()));
    }
}

impl Replay {
    /// Whether two organisations made changes of which neither builds on the other: without such, no
    /// paragraph need be looked at. Said of long histories without a look.
    fn has_changes_at_once(&self) -> bool {
        let applied: Vec<&ChangeState> =
            self.changes.iter().filter(|one| one.status == Status::Applied).collect();
        if applied.len() > LONG {
            return true;
        }
        let org = |one: &ChangeState| self.written.get(&one.entry).map(|by| by.org);
        let mut before: BTreeMap<ChangeHash, BTreeSet<usize>> = BTreeMap::new();
        for (place, one) in applied.iter().enumerate() {
            let mut reached = BTreeSet::new();
            for dependency in &one.dependencies {
                reached.extend(before.get(dependency).into_iter().flatten());
            }
            let mut others = applied.iter().take(place).enumerate();
            if others.any(|(other, it)| !reached.contains(&other) && org(it) != org(one)) {
                return true;
            }
            reached.insert(place);
            before.insert(one.hash, reached);
        }
        false
    }
}

fn items(lookup: &Lookup<'_>, reading: &Reading, found: &mut Vec<Conflict>) {
    for (cell, item) in reading.disputed() {
        let Presence::Disputed { removed, edited } = &item.presence else { continue };
        let fields: Vec<String> = edited.iter().map(named).collect();
        let removing = lookup.side_of_changes("removed".to_string(), removed);
        let editing = lookup.side(format!("edited {}", fields.join(", ")), []);
        let about = format!("{}/{}", named(&cell.path), item.id);
        found.push(open(Code::Item, about, Vec::from([removing, editing])));
    }
}

fn amendments(replay: &Replay, lookup: &Lookup<'_>, found: &mut Vec<Conflict>) {
    let Some(proposal) = replay.lifecycle.proposal else { return };
    let late = replay.amendments(&proposal).into_iter().map(|change| change.entry);
    let unknowing: BTreeSet<EntryId> =
        late.filter(|entry| !replay.is_before(&proposal, entry)).collect();
    if !unknowing.is_empty() {
        let frozen = lookup.side("the text was fixed".to_string(), [proposal]);
        let edited = lookup.side("edited without knowing".to_string(), unknowing);
        found.push(open(Code::Amendment, proposal.to_string(), Vec::from([frozen, edited])));
    }
}

fn steps(replay: &Replay, lookup: &Lookup<'_>, found: &mut Vec<Conflict>) {
    if replay.lifecycle.is_contested() {
        let tips = replay.lifecycle.tips.iter();
        let sides = tips.map(|tip| lookup.side(tip.to.to_string(), [tip.entry])).collect();
        found.push(open(Code::Steps, "state".to_string(), sides));
    }
}

fn answers(replay: &Replay, lookup: &Lookup<'_>, found: &mut Vec<Conflict>) {
    for (id, proposed) in &replay.proposals {
        for flag in &proposed.poll.flags {
            let slip = |entry: &EntryId| {
                let slip = proposed.poll.slips.iter().find(|slip| slip.entry == *entry);
                let says = slip.map(|slip| slip.answer.to_string()).unwrap_or_default();
                lookup.side(says, [*entry])
            };
            match flag {
                Flag::TwoAnswers { entries, .. } => {
                    let sides = entries.iter().map(slip).collect();
                    found.push(open(Code::Answers, id.to_string(), sides));
                }
                Flag::Stale { entry, .. } => {
                    found.push(open(Code::Stale, id.to_string(), Vec::from([slip(entry)])));
                }
                Flag::Membership { .. }
                | Flag::Forked { .. }
                | Flag::ForkedProposal
                | Flag::NoRightToClose { .. }
                | Flag::TwoClosings { .. }
                | Flag::BeforeProposal { .. } => {}
            }
        }
    }
}

fn capacity(replay: &Replay, lookup: &Lookup<'_>, found: &mut Vec<Conflict>) {
    let capacity = &replay.lifecycle.capacity;
    for (key, line) in &capacity.lines {
        if line.over_claimed() == 0 && line.short_by() == 0 {
            continue;
        }
        let there = format!("{} {}", scalar::quantity(line.qty), line.unit);
        let mut sides = Vec::from([lookup.side(there, [line.entry])]);
        let claims = capacity.claims.iter().filter(|(_, claim)| claim.line == *key);
        for (entry, claim) in claims.filter(|(_, claim)| !claim.given_up && !claim.declined) {
            let says = format!(
                "claimed {}, confirmed {}",
                scalar::quantity(claim.qty),
                scalar::quantity(claim.confirmed)
            );
            sides.push(lookup.side(says, [*entry]));
        }
        found.push(open(Code::Capacity, key.line.clone(), sides));
    }
}

/// Amounts of which each has one value that fits, so that they can be added.
fn sums(replay: &Replay, reading: &Reading, found: &mut Vec<Conflict>) {
    let needs = replay.kind.transitions.iter().flat_map(|one| one.needs);
    let sums: BTreeSet<(&str, &str, &str)> = needs
        .filter_map(|need| match *need {
            Need::Sum { total, list, amount } => Some((total, list, amount)),
            Need::Filled(_)
            | Need::NoConflict
            | Need::NotPassed(_)
            | Need::Item { .. }
            | Need::Above { .. }
            | Need::EachOf { .. }
            | Need::From { .. }
            | Need::NothingConfirmed => None,
        })
        .collect();
    for (total, list, amount) in sums {
        let Some((is_given, total_is)) = amount_at(reading, &dotted(total)) else { continue };
        let Some((parts, sum)) = sum_of(reading, &dotted(list), amount) else { continue };
        if (is_given || parts > 0) && total_is != sum {
            let side =
                |says: String| Side { says, orgs: Vec::new(), entries: Vec::new(), at: None };
            let sides = [
                side(format!("the total is {total_is}")),
                side(format!("{parts} amounts come to {sum}, {} apart", total_is.abs_diff(sum))),
            ];
            found.push(open(Code::Sum, total.to_string(), Vec::from(sides)));
        }
    }
}

fn dotted(path: &str) -> Path {
    let parts: Vec<&str> = path.split('.').collect();
    Path::of(&parts)
}

/// Whether there is an amount, and which; `None` while it cannot be added.
fn amount_at(reading: &Reading, path: &Path) -> Option<(bool, i64)> {
    match &reading.cell(path)?.content {
        Content::Scalar(values) => match values.as_slice() {
            [] => Some((false, 0)),
            [one] => match one.value {
                Held::Valid(Atom::Int(amount)) => Some((true, amount)),
                Held::Valid(_) | Held::Invalid { .. } => None,
            },
            [..] => None,
        },
        Content::Text(_) | Content::Set(_) | Content::List(_) | Content::Overwritten => None,
    }
}

/// How many amounts a list has, and what they come to.
fn sum_of(reading: &Reading, list: &Path, amount: &str) -> Option<(usize, i64)> {
    let Content::List(items) = &reading.cell(list)?.content else { return None };
    let is_there = |presence: &Presence| !matches!(presence, Presence::Removed { .. });
    let mut sum: (usize, i64) = (0, 0);
    for item in items.iter().filter(|item| is_there(&item.presence)) {
        let (is_given, pence) = amount_at(reading, &list.then(&item.id).then(amount))?;
        sum = (sum.0.saturating_add(usize::from(is_given)), sum.1.checked_add(pence)?);
    }
    Some(sum)
}

fn adoption(replay: &Replay, lookup: &Lookup<'_>, found: &mut Vec<Conflict>) {
    let Some(carried) = replay.lifecycle.carried else { return };
    for (key, row) in replay.lifecycle.table("adoption") {
        let named = row.statement.entry("version");
        if let Some(named) = named.filter(|named| *named != carried) {
            let says = format!("adopted {named}");
            let sides = [
                lookup.side(says, [row.entry]),
                lookup.side("the version that holds".to_string(), [carried]),
            ];
            let about = key.key.first().map(text).unwrap_or_default();
            found.push(open(Code::Adoption, about, Vec::from(sides)));
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Uint(_) | Value::Bytes(_) | Value::List(_) => String::new(),
    }
}

/// The event that settled a conflict: it names it, and has all of it in its past.
fn settled_by(replay: &Replay, conflict: &Conflict) -> Option<EntryId> {
    let code = conflict.code.to_string();
    let names_it = |one: &&super::Said| {
        one.statement.text("code") == Some(&code)
            && one.statement.text("field") == Some(&conflict.about)
    };
    let knew_it = |one: &&super::Said| {
        let entries = conflict.sides.iter().flat_map(|side| &side.entries);
        entries.into_iter().all(|entry| replay.is_before(entry, &one.by.entry))
    };
    let may = |one: &&super::Said| {
        let author = replay.settlers.get(&one.by.entry);
        author.is_some_and(|author| may_settle(conflict, author))
    };
    let mut settled = replay.settlements.iter().filter(names_it).filter(may);
    settled.find(knew_it).map(|one| one.by.entry)
}

/// Whether an organisation is one that may settle a conflict.
fn may_settle(conflict: &Conflict, author: &Author) -> bool {
    let wrote = |side: &Side| side.orgs.contains(&author.org);
    match conflict.code.settles() {
        Settles::Sponsor => author.is_sponsor,
        Settles::Anybody | Settles::FinanceSignatories => true,
        Settles::Secretariat => author.is_secretariat,
        Settles::Signatory => conflict.sides.iter().any(wrote),
        Settles::Offering => conflict.sides.first().is_some_and(wrote),
        Settles::Locality => author.localities.contains(&conflict.about),
    }
}
