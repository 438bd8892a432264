//! Records that a person means: one by the beginning of its id, several by conditions, page by page.
//!
//! ```text
//! supplier=Taxis Ltd    amount>=100.00    day<2017-12-01    status!=paid     and supplier=   has none
//! ```
//!
//! *Invariants.* A page is bounded in records and in bytes, and says whether there may be more.
//!
//! *Source*: ours.

use std::cmp::Ordering;

use super::{
    collection::{Collection, Field},
    row::Row,
    table::{Records, Seen},
};
use crate::control::{RecordLine, RecordPage, RecordsQuery, Refusal, Values};

/// Most records of one answer.
const PAGE_RECORDS_MAX: usize = 1_000;
/// Bytes of one answer, and a little more.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
const CONDITIONS_MAX: usize = 20;
/// Most candidates that a refusal lists.
const LISTED_MAX: usize = 10;
/// As they are written, longer ones first.
const RELATIONS: [(&str, Relation); 6] = [
    (">=", Relation::AtLeast),
    ("<=", Relation::AtMost),
    ("!=", Relation::Other),
    ("=", Relation::Same),
    (">", Relation::More),
    ("<", Relation::Less),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    AtLeast,
    AtMost,
    Other,
    Same,
    More,
    Less,
}

impl Relation {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::AtLeast => order.is_ge(),
            Self::AtMost => order.is_le(),
            Self::Other => order.is_ne(),
            Self::Same => order.is_eq(),
            Self::More => order.is_gt(),
            Self::Less => order.is_lt(),
        }
    }
}

/// What must hold of a record.
struct Condition<'a> {
    field: &'a Field,
    relation: Relation,
    /// As values are kept; none: it has no value.
    value: Option<String>,
}

impl<'a> Condition<'a> {
    fn read(collection: &'a Collection, text: &str) -> Result<Self, Refusal> {
        let at = text.find(['<', '>', '=', '!']).unwrap_or(text.len());
        let (name, rest) = text.split_at(at);
        let found = RELATIONS
            .iter()
            .find_map(|(sign, relation)| rest.strip_prefix(sign).map(|value| (*relation, value)));
        let Some((relation, value)) = found else {
            let message = format!(
                "a condition is a field, one of =, !=, >=, <=, > and <, and a value, for example \
                 {}=…",
                collection.key().first().map(String::as_str).unwrap_or_default()
            );
            return Err(Refusal::new("bad-condition", message));
        };
        let field = collection.field_named(name.trim())?;
        let value = match value {
            "" if matches!(relation, Relation::Same | Relation::Other) => None,
            text => Some(field.form.read(text).map_err(|misfit| {
                let message = format!("the condition on {}: the value {}", field.name, misfit.why);
                Refusal::new(misfit.code, message)
            })?),
        };
        Ok(Self { field, relation, value })
    }

    fn holds(&self, row: &Row) -> bool {
        match (row.values.get(&self.field.name), &self.value) {
            (None, None) => self.relation == Relation::Same,
            (Some(_), None) | (None, Some(_)) => self.relation == Relation::Other,
            (Some(one), Some(other)) => self.relation.holds(self.field.form.order(one, other)),
        }
    }
}

/// Records of which all conditions hold.
///
/// # Errors
/// - [`Refusal`]: a condition says nothing, or the store cannot be read.
pub(super) fn page(
    collection: &Collection,
    records: &Records<'_>,
    query: &RecordsQuery,
) -> Result<RecordPage, Refusal> {
    if query.conditions.len() > CONDITIONS_MAX {
        let message = format!("there may be {CONDITIONS_MAX} conditions at once");
        return Err(Refusal::new("bad-condition", message));
    }
    let conditions = query.conditions.iter().map(|text| Condition::read(collection, text));
    let conditions: Vec<Condition<'_>> = conditions.collect::<Result<_, _>>()?;
    let limit = query.limit.clamp(1, PAGE_RECORDS_MAX);
    let mut page =
        RecordPage { collection: collection.name().to_owned(), records: Vec::new(), next: None };
    let mut bytes = 0;
    let mut last = None;
    records.each(query.after.as_deref(), |row| {
        if page.records.len() == limit || bytes >= PAGE_BYTES_MAX {
            page.next = last.take();
            return Seen::Enough;
        }
        last = Some(row.id.clone());
        if conditions.iter().all(|condition| condition.holds(&row)) {
            bytes += len_bytes(&row.values);
            page.records.push(line(row));
        }
        Seen::More
    })?;
    Ok(page)
}

fn len_bytes(values: &Values) -> usize {
    values.iter().map(|(name, value)| name.len() + value.len()).sum()
}

pub(super) fn line(row: Row) -> RecordLine {
    RecordLine { record: row.id, values: row.values }
}

/// The record that a person named.
///
/// # Errors
/// - [`Refusal`]: none is meant, or more than one.
pub(super) fn named(
    collection: &Collection,
    records: &Records<'_>,
    named: &str,
) -> Result<Row, Refusal> {
    if let Some(row) = records.get(named)? {
        return Ok(row);
    }
    let mut meant =
        if named.is_empty() { Vec::new() } else { records.beginning(named, LISTED_MAX + 1)? };
    match (meant.pop(), meant.as_slice()) {
        (Some(row), []) => Ok(row),
        (None, _) => {
            let message = format!(
                "no record of {} begins with {named:?}; `concordat record list {}` shows them",
                collection.name(),
                collection.name()
            );
            Err(Refusal::new("unknown-record", message))
        }
        (Some(_), others) => {
            let ids: Vec<&str> = others.iter().map(|row| row.id.as_str()).collect();
            let message = format!(
                "{named:?} may mean several: {} and more; write more of it",
                ids.join(", ")
            );
            Err(Refusal::new("which-record", message))
        }
    }
}
