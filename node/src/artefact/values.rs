//! What people type, as values of their types, and back.
//!
//! ```text
//! yes, no        Bool          £1,200.50, 120050   Money: with £ in pounds, without in pence
//! la-wigan       Org           the beginning of an id, or a member's short name where an entry is meant
//! last           the last proposal, or the digest of its wording
//! line=2         an item of the list `lines`: by its place, or by the beginning of its id
//! ```
//!
//! *Invariants.* Whether a value fits is decided by the protocol, with its own words; here text only
//! becomes a value. A refusal lists what the event takes. What was typed is looked through for
//! patients' numbers first: most refusals repeat it.
//!
//! *Source*: ours.

use concordat_protocol::{
    artefact::{
        document::{Atom, Path},
        events::Statement,
        guard,
        kind::{Count, EventKind, Param, Role, Scalar, Shape},
        scalar::{expect_number, expect_text},
    },
    hash::{EntryId, OrgId},
    replay::Standing,
    value::Value,
};

use super::{Case, Sight, names, poll};
use crate::control::{Pair, Refusal};

/// Stands for the last proposal, and for the digest of its wording.
const LAST: &str = "last";

/// The statement that these values make.
///
/// # Errors
/// - [`Refusal`]: a value is missing, unknown, or does not fit.
pub(super) fn statement(
    case: &Case<'_>,
    kind: &'static EventKind,
    given: &[Pair],
) -> Result<Statement, Refusal> {
    for (name, text) in given {
        let param = kind.params.iter().find(|one| one.name == name);
        let field = format!("{}: {name}", kind.name);
        expect_no_patient(&field, param.map(|one| one.scalar), text)?;
    }
    let unknown = given.iter().find(|(name, _)| !kind.params.iter().any(|one| one.name == name));
    if let Some((name, _)) = unknown {
        let message = format!("{} takes no {name:?}; {}", kind.name, needed(kind));
        return Err(Refusal::new("bad-value", message));
    }
    let values = kind.params.iter().map(|param| {
        let texts = given.iter().filter(|(name, _)| name == param.name);
        let values: Vec<Value> =
            texts.map(|(_, text)| value(case, kind, param, text)).collect::<Result<_, _>>()?;
        match (param.count, <[Value; 1]>::try_from(values)) {
            (Count::One, Ok([value])) => Ok(value),
            (Count::One, Err(values)) => {
                let many = if values.is_empty() { "needs a value" } else { "takes one value" };
                let message = format!("{} {many}; {}", param.name, needed(kind));
                Err(Refusal::new("bad-value", message))
            }
            (Count::Optional | Count::Many(_), Ok(one)) => Ok(Value::List(one.into())),
            (Count::Optional | Count::Many(_), Err(values)) => Ok(Value::List(values)),
        }
    });
    let values = values.collect::<Result<_, _>>()?;
    Statement::new(kind, values).map_err(|why| {
        let message = format!("{why}; {}", needed(kind));
        Refusal::new("bad-value", message)
    })
}

/// Refuses a patient's number in what was typed for a value, unless the value is an amount, an id or
/// whatever else has a form of its own, and it fits; no type means any text.
///
/// # Errors
/// - [`Refusal`]: with the field, never the number.
pub(super) fn expect_no_patient(
    field: &str,
    scalar: Option<Scalar>,
    text: &str,
) -> Result<(), Refusal> {
    let form = scalar.filter(|scalar| !guard::is_free(*scalar));
    let number = form.and_then(|scalar| number(scalar, text));
    let fits = form.is_some_and(|scalar| match number.map(u64::try_from) {
        Some(Ok(number)) if expect_number(scalar, number).is_ok() => true,
        Some(_) | None => expect_text(scalar, text).is_ok(),
    });
    if fits {
        return Ok(());
    }
    // It would be repeated without the noughts before it.
    let plain = number.map(|number| number.to_string()).unwrap_or_default();
    let looked_at =
        guard::expect_none(field, text).and_then(|()| guard::expect_none(field, &plain));
    looked_at.map_err(|why| Refusal::new("patient-number", why))
}

/// What an event takes, in words.
#[must_use]
pub fn needed(kind: &EventKind) -> String {
    if kind.params.is_empty() {
        return format!("{} takes no values", kind.name);
    }
    let param = |param: &Param| {
        let how = match param.count {
            Count::One => "",
            Count::Optional => ", may be left out",
            Count::Many(_) => ", may be repeated",
        };
        format!("{} ({}{how})", param.name, form(param.scalar))
    };
    let params: Vec<String> = kind.params.iter().map(param).collect();
    format!("{} takes {}", kind.name, params.join(", "))
}

/// How a value is written.
fn form(scalar: Scalar) -> String {
    match scalar {
        Scalar::Text { max } => format!("text of at most {max} characters"),
        Scalar::Int { min, max, unit } => format!("{min} to {max} {unit}"),
        Scalar::Money => "pence, or £ and pounds".to_owned(),
        Scalar::Bool => "yes or no".to_owned(),
        Scalar::Decimal => "a quantity, as 12 or 2.5".to_owned(),
        Scalar::Date => "a day, as 2017-12-04".to_owned(),
        Scalar::DateTime => "a minute, as 2017-12-08T12:00Z".to_owned(),
        Scalar::Year => "a financial year, as 2017/18".to_owned(),
        Scalar::Enum(values) => values.join(", "),
        Scalar::Code(list) => format!("a code of {}", list.label),
        Scalar::Url => "an address on the web".to_owned(),
        Scalar::Org => "a member's short name".to_owned(),
        Scalar::Artefact => "an artefact".to_owned(),
        Scalar::Entry => "an entry, or who wrote it".to_owned(),
        Scalar::Hash => "a digest, or last".to_owned(),
    }
}

fn value(
    case: &Case<'_>,
    kind: &'static EventKind,
    param: &Param,
    text: &str,
) -> Result<Value, Refusal> {
    Ok(match param.scalar {
        Scalar::Org => {
            let member = names::member_named(case.charter, text)?;
            Value::Bytes(member.org.as_bytes().to_vec())
        }
        Scalar::Artefact => Value::Bytes(artefact(case, text)?.as_bytes().to_vec()),
        Scalar::Entry => Value::Bytes(entry(case, kind, param, text)?.as_bytes().to_vec()),
        Scalar::Hash if text == LAST => {
            let (_, last) = poll::proposal_named(case, None)?;
            Value::Bytes(last.says.wording.0.to_vec())
        }
        Scalar::Hash => {
            let bytes = data_encoding::HEXLOWER.decode(text.as_bytes());
            Value::Bytes(bytes.map_err(|_| {
                Refusal::new("bad-value", format!("{} should be 64 digits", param.name))
            })?)
        }
        Scalar::Int { .. } | Scalar::Money | Scalar::Bool => {
            match number(param.scalar, text).and_then(|number| u64::try_from(number).ok()) {
                Some(number) => Value::Uint(number),
                None => Value::Text(text.to_owned()),
            }
        }
        Scalar::Text { .. } => Value::Text(item_or_text(case, param, text)?),
        Scalar::Decimal
        | Scalar::Date
        | Scalar::DateTime
        | Scalar::Year
        | Scalar::Enum(_)
        | Scalar::Code(_)
        | Scalar::Url => Value::Text(text.to_owned()),
    })
}

/// The value of a field, as a document holds it.
///
/// # Errors
/// - [`Refusal`]: it names a member or artefact that is not known.
pub(super) fn atom(case: &Case<'_>, scalar: Scalar, text: &str) -> Result<Atom, Refusal> {
    Ok(match scalar {
        Scalar::Org => Atom::Text(names::member_named(case.charter, text)?.org.to_string()),
        Scalar::Artefact => Atom::Text(artefact(case, text)?.to_string()),
        Scalar::Int { .. } | Scalar::Money => {
            number(scalar, text).map_or_else(|| Atom::Text(text.to_owned()), Atom::Int)
        }
        Scalar::Bool => match number(scalar, text) {
            Some(number) => Atom::Bool(number == 1),
            None => Atom::Text(text.to_owned()),
        },
        Scalar::Text { .. }
        | Scalar::Decimal
        | Scalar::Date
        | Scalar::DateTime
        | Scalar::Year
        | Scalar::Enum(_)
        | Scalar::Code(_)
        | Scalar::Url
        | Scalar::Entry
        | Scalar::Hash => Atom::Text(text.to_owned()),
    })
}

/// A whole id may be one of another board; less of it means one that is known here.
fn artefact(case: &Case<'_>, text: &str) -> Result<concordat_protocol::hash::ArtefactId, Refusal> {
    match text.parse() {
        Ok(id) => Ok(id),
        Err(_) => names::artefact_named(case.snapshot, text).map(|(_, id)| id),
    }
}

fn number(scalar: Scalar, text: &str) -> Option<i64> {
    match (scalar, text) {
        (Scalar::Bool, "yes" | "true") => Some(1),
        (Scalar::Bool, "no" | "false") => Some(0),
        (Scalar::Money, text) if text.starts_with('£') => pence(text.strip_prefix('£')?),
        (_, text) => text.parse().ok(),
    }
}

/// Pounds as people write them: 1,200 or 1200.50.
fn pence(text: &str) -> Option<i64> {
    let plain = text.replace(',', "");
    let (pounds, pence) = plain.split_once('.').unwrap_or((&plain, "00"));
    let is_whole = !pounds.is_empty() && pounds.bytes().all(|byte| byte.is_ascii_digit());
    let is_pence = pence.len() == 2 && pence.bytes().all(|byte| byte.is_ascii_digit());
    if !is_whole || !is_pence {
        return None;
    }
    pounds.parse::<i64>().ok()?.checked_mul(100)?.checked_add(pence.parse().ok()?)
}

/// Pence as pounds.
#[must_use]
pub fn pounds(pence: i64) -> String {
    let whole = (pence / 100).unsigned_abs().to_string();
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if pence < 0 { "-" } else { "" };
    format!("{sign}£{grouped}.{:02}", (pence % 100).unsigned_abs())
}

/// The id of an item, where a value names one: `line` is an item of `lines`.
fn item_or_text(case: &Case<'_>, param: &Param, text: &str) -> Result<String, Refusal> {
    let list = case.kind().field(&format!("{}s", param.name));
    let list = list.filter(|field| matches!(field.shape, Shape::List(_)));
    match (list, &case.seen) {
        (Some(field), Ok(seen)) => names::item_named(&seen.reading, &Path::of(&[field.name]), text),
        (Some(_), Err(_)) | (None, _) => Ok(text.to_owned()),
    }
}

/// The entry that a person named: by its id, or by the member that wrote the only one of its kind.
fn entry(
    case: &Case<'_>,
    kind: &'static EventKind,
    param: &Param,
    text: &str,
) -> Result<EntryId, Refusal> {
    if text == LAST && matches!(param.name, "version" | "proposal") {
        return poll::proposal_of(case, None);
    }
    let member = case.charter.members.iter().find(|member| member.slug.as_str() == text);
    let Some(member) = member else {
        return names::entry_in(&case.dossier, text).map(|by| by.entry);
    };
    let meant = meant(case, param.name, &member.org);
    match meant.as_slice() {
        [one] => Ok(*one),
        [] => {
            let message = format!(
                "{}: nothing that {text} wrote here is a {}; {}",
                kind.name,
                param.name,
                needed(kind)
            );
            Err(Refusal::new("unknown-entry", message))
        }
        several => Err(names::which("entry", text, several.iter().map(EntryId::to_string))),
    }
}

/// What an organisation wrote that a value of this name may mean.
fn meant(case: &Case<'_>, name: &str, org: &OrgId) -> Vec<EntryId> {
    let lifecycle = &case.replay.lifecycle;
    let holds = |state: &'static str| {
        let set = lifecycle.holds.iter().filter(move |hold| hold.state == state);
        set.filter(|hold| hold.org == *org).map(|hold| hold.entry).collect()
    };
    match name {
        "claim" => {
            let claims = lifecycle.capacity.claims.iter();
            claims.filter(|(_, one)| one.org == *org).map(|(entry, _)| *entry).collect()
        }
        "version" | "proposal" => {
            let counts = |entry: &&EntryId| {
                case.replay.entries.get(*entry) == Some(&Standing::Counts)
                    && case.written(entry).is_some_and(|by| by.org == *org)
            };
            case.replay.proposals.keys().filter(counts).copied().collect()
        }
        "suspension" => holds("suspended"),
        "call_in" => holds("called_in"),
        "step" => {
            let tips = lifecycle.tips.iter();
            tips.filter(|tip| tip.org == *org).map(|tip| tip.entry).collect()
        }
        _ => Vec::new(),
    }
}

/// A value as people read it; organisations by their short names.
#[must_use]
pub fn in_words(case: &Sight<'_>, scalar: Scalar, value: &Value) -> String {
    let id = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).unwrap_or_default();
    match (scalar, value) {
        (Scalar::Org, Value::Bytes(bytes)) => case.slug(&OrgId::from_bytes(id(bytes))),
        (Scalar::Entry, Value::Bytes(bytes)) => EntryId::from_bytes(id(bytes)).to_string(),
        (Scalar::Artefact, Value::Bytes(bytes)) => {
            concordat_protocol::hash::ArtefactId::from_bytes(id(bytes)).to_string()
        }
        (_, Value::Bytes(bytes)) => data_encoding::HEXLOWER.encode(bytes),
        (Scalar::Bool, Value::Uint(number)) => if *number == 1 { "yes" } else { "no" }.to_owned(),
        (Scalar::Money, Value::Uint(number)) => pounds(i64::try_from(*number).unwrap_or(i64::MAX)),
        (_, Value::Uint(number)) => number.to_string(),
        (_, Value::Text(text)) => text.clone(),
        (scalar, Value::List(items)) => {
            let items: Vec<String> =
                items.iter().map(|item| in_words(case, scalar, item)).collect();
            items.join(", ")
        }
    }
}

/// The role with this name.
///
/// # Errors
/// - [`Refusal`]: there is none.
pub(super) fn role_named(text: &str) -> Result<Role, Refusal> {
    const ROLES: [Role; 8] = [
        Role::Editor,
        Role::SponsorEditor,
        Role::Secretariat,
        Role::Signatory,
        Role::ClinicalSafety,
        Role::FinanceSignatory,
        Role::OpsOnCall,
        Role::IgLead,
    ];
    ROLES.into_iter().find(|role| role.name() == text).ok_or_else(|| {
        let names: Vec<&str> = ROLES.iter().map(|role| role.name()).collect();
        let message = format!("no role is called {text:?}; there is {}", names.join(", "));
        Refusal::new("unknown-role", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pounds_are_written_as_people_write_them() {
        for (text, expected) in [
            ("£1,200.50", Some(120_050)),
            ("£3,000,000", Some(300_000_000)),
            ("120050", Some(120_050)),
            ("£1.5", None),
            ("£", None),
            ("-£5", None),
        ] {
            assert_eq!(number(Scalar::Money, text), expected, "{text}");
        }
        for (pence, text) in [(0, "£0.00"), (120_050, "£1,200.50"), (300_000_000, "£3,000,000.00")]
        {
            assert_eq!(pounds(pence), text);
        }
    }

    #[test]
    fn yes_and_no_are_values() {
        assert_eq!(number(Scalar::Bool, "yes"), Some(1));
        assert_eq!(number(Scalar::Bool, "no"), Some(0));
        assert_eq!(number(Scalar::Bool, "perhaps"), None);
    }
}
