//! Values that fit: what staff type into fields and events.
//!
//! Few different values, so that organisations often write the same and often contradict each other.
//!
//! *Source*: ours; the forms are those of `artefact::kind`.

use concordat_protocol::{
    artefact::{
        document::Atom,
        kind::{Count, Param, Scalar},
    },
    hash::{ArtefactId, EntryId, OrgId},
    value::Value,
};

use super::super::rng::Rng;

const WORDS: [&str; 8] =
    ["care", "home", "night", "team", "beds", "people", "pathway", "für 🏥 alle"];

/// Some words.
pub fn words(rng: &mut Rng) -> String {
    let many = rng.between(1, 4);
    let words: Vec<&str> = (0..many).filter_map(|_| rng.pick(&WORDS).copied()).collect();
    words.join(" ")
}

/// The text of a value that is written as text; nothing for numbers.
fn text_of(scalar: Scalar, rng: &mut Rng, orgs: &[OrgId]) -> Option<String> {
    Some(match scalar {
        Scalar::Text { max } => {
            words(rng).chars().take(usize::try_from(max).unwrap_or(16)).collect()
        }
        Scalar::Decimal => ["1", "2.5", "4", "12"][rng.place(4)].into(),
        Scalar::Date => format!("2017-12-{:02}", rng.between(1, 28)),
        Scalar::DateTime => format!("2017-12-{:02}T12:00Z", rng.between(1, 28)),
        Scalar::Year => ["2017/18", "2018/19"][rng.place(2)].into(),
        Scalar::Enum(values) => (*rng.pick(values)?).into(),
        Scalar::Code(list) => rng.pick(list.codes)?.0.into(),
        Scalar::Url => "https://example.org/paper".into(),
        Scalar::Org => rng.pick(orgs)?.to_string(),
        Scalar::Artefact => ArtefactId::from_bytes(rng.bytes32()).to_string(),
        Scalar::Entry => EntryId::from_bytes(rng.bytes32()).to_string(),
        Scalar::Hash => "0a".repeat(32),
        Scalar::Int { .. } | Scalar::Money | Scalar::Bool => return None,
    })
}

fn number_of(scalar: Scalar, rng: &mut Rng) -> u64 {
    match scalar {
        Scalar::Int { min, max, .. } => rng.between(min, max.min(min + 9)),
        Scalar::Money => 1_000 * rng.between(1, 9),
        _ => rng.below(2),
    }
}

/// A value of a field.
pub fn atom(scalar: Scalar, rng: &mut Rng, orgs: &[OrgId]) -> Atom {
    match (scalar, text_of(scalar, rng, orgs)) {
        (_, Some(text)) => Atom::Text(text),
        (Scalar::Bool, None) => Atom::Bool(rng.chance(50)),
        (_, None) => Atom::Int(number_of(scalar, rng).cast_signed()),
    }
}

/// A value of an event, of nothing in particular.
pub fn value(scalar: Scalar, rng: &mut Rng, orgs: &[OrgId]) -> Value {
    match scalar {
        Scalar::Org => {
            let org = rng.pick(orgs).copied().unwrap_or(OrgId::from_bytes([0; 32]));
            Value::Bytes(org.as_bytes().to_vec())
        }
        Scalar::Artefact | Scalar::Entry | Scalar::Hash => Value::Bytes(rng.bytes(32)),
        _ => match text_of(scalar, rng, orgs) {
            Some(text) => Value::Text(text),
            None => Value::Uint(number_of(scalar, rng)),
        },
    }
}

/// What stands in one place of an event: `one` makes each value.
pub fn listed(param: &Param, rng: &mut Rng, mut one: impl FnMut(&mut Rng) -> Value) -> Value {
    let many = match param.count {
        Count::One => return one(rng),
        Count::Optional => rng.below(2),
        Count::Many(max) => rng.below(max.min(2) + 1),
    };
    Value::List((0..many).map(|_| one(rng)).collect())
}
