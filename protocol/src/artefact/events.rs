//! Events and remarks, read against their kind.
//!
//! ```text
//! [ name, [value…] ]     value, by how many the schema asks for:
//!                          one       x             optional   [] or [x]          many   [x…]
//! ```
//!
//! Reading says whether the particulars fit the schema. Whether the event counts, and what it does,
//! is for `lifecycle`.

use alloc::{string::String, vec::Vec};

use super::{
    kind::{Count, EventKind, Kind, Param},
    scalar::{self, Misfit},
};
use crate::{
    codec::Fixed,
    hash::{ArtefactId, EntryId, OrgId},
    payload::{Event, Remark},
    value::Value,
};

/// Why an event or a remark does not fit its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEvent {
    /// The kind has no event of this name.
    #[error("{kind} has no event {name:?}; this node may be older than the one that wrote it")]
    Unknown {
        /// The kind.
        kind: &'static str,
        /// The name, at most 64 characters of it.
        name: String,
    },
    /// Too few or too many values.
    #[error("{event} has {found} values, it should have {expected}")]
    Values {
        /// The event.
        event: &'static str,
        /// How many it has.
        found: usize,
        /// How many it should have.
        expected: usize,
    },
    /// A value that should be a list, since it may be left out or stand several times.
    #[error("{event}: {param} should be a list of at most {max}")]
    Listed {
        /// The event.
        event: &'static str,
        /// The value.
        param: &'static str,
        /// The most items.
        max: u64,
    },
    /// A value that does not fit.
    #[error("{event}: {param} {why}")]
    Misfit {
        /// The event.
        event: &'static str,
        /// The value.
        param: &'static str,
        /// Why.
        why: Misfit,
    },
}

/// An event or remark that fits its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Which it is.
    pub kind: &'static EventKind,
    /// Its values, as many as `kind` has.
    values: Vec<Value>,
}

/// Reads an event against its kind.
///
/// # Errors
/// The exact [`BadEvent`]; such an event has no effect.
pub fn read(kind: &'static Kind, event: &Event) -> Result<Statement, BadEvent> {
    let found = kind.event(&event.name).ok_or_else(|| unknown(kind, &event.name))?;
    Statement::new(found, event.values.clone())
}

/// Reads a remark against its kind.
///
/// # Errors
/// The exact [`BadEvent`]; such a remark is shown as unreadable.
pub fn read_remark(kind: &'static Kind, remark: &Remark) -> Result<Statement, BadEvent> {
    let found = kind.remark(&remark.name).ok_or_else(|| unknown(kind, &remark.name))?;
    Statement::new(found, remark.values.clone())
}

fn unknown(kind: &'static Kind, name: &str) -> BadEvent {
    BadEvent::Unknown { kind: kind.name, name: name.chars().take(64).collect() }
}

impl Statement {
    /// The statement with these values.
    ///
    /// # Errors
    /// The exact [`BadEvent`].
    pub fn new(kind: &'static EventKind, values: Vec<Value>) -> Result<Self, BadEvent> {
        let expected = kind.params.len();
        if values.len() != expected {
            return Err(BadEvent::Values { event: kind.name, found: values.len(), expected });
        }
        for (param, value) in kind.params.iter().zip(&values) {
            expect(kind.name, param, value)?;
        }
        Ok(Self { kind, values })
    }

    /// The payload, as an event.
    #[must_use]
    pub fn to_event(&self) -> Event {
        Event { name: self.kind.name.into(), values: self.values.clone() }
    }

    /// The payload, as a remark.
    #[must_use]
    pub fn to_remark(&self) -> Remark {
        Remark { name: self.kind.name.into(), values: self.values.clone() }
    }

    /// Each value with its place in the schema; those left out are not among them.
    pub fn given(&self) -> impl Iterator<Item = (&'static Param, &Value)> {
        let placed = self.kind.params.iter().zip(&self.values);
        placed.flat_map(|(param, value)| items(param, value).iter().map(move |item| (param, item)))
    }

    /// The values at the front of the event, which name its row.
    #[must_use]
    pub fn leading(&self, count: usize) -> Vec<Value> {
        self.values.iter().take(count).cloned().collect()
    }

    /// The first value of this name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.given().find(|(param, _)| param.name == name).map(|(_, value)| value)
    }

    /// The text of this name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            Value::Text(text) => Some(text),
            Value::Uint(_) | Value::Bytes(_) | Value::List(_) => None,
        }
    }

    /// The number of this name.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        match self.value(name)? {
            Value::Uint(number) => Some(*number),
            Value::Text(_) | Value::Bytes(_) | Value::List(_) => None,
        }
    }

    /// The quantity of this name, in thousandths.
    #[must_use]
    pub fn quantity(&self, name: &str) -> Option<u64> {
        scalar::thousandths(self.text(name)?)
    }

    /// The organisation of this name.
    #[must_use]
    pub fn org(&self, name: &str) -> Option<OrgId> {
        id(self.value(name)?).map(OrgId::from_bytes)
    }

    /// The organisations of this name.
    pub fn orgs(&self, name: &str) -> impl Iterator<Item = OrgId> {
        let named = self.given().filter(move |(param, _)| param.name == name);
        named.filter_map(|(_, value)| id(value).map(OrgId::from_bytes))
    }

    /// The entry of this name.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<EntryId> {
        id(self.value(name)?).map(EntryId::from_bytes)
    }

    /// The entry that the first value is.
    #[must_use]
    pub fn first_entry(&self) -> Option<EntryId> {
        self.entry(self.kind.params.first()?.name)
    }

    /// The artefact of this name.
    #[must_use]
    pub fn artefact(&self, name: &str) -> Option<ArtefactId> {
        id(self.value(name)?).map(ArtefactId::from_bytes)
    }

    /// The digest of this name.
    #[must_use]
    pub fn digest(&self, name: &str) -> Option<Fixed<32>> {
        id(self.value(name)?).map(Fixed)
    }
}

fn expect(event: &'static str, param: &Param, value: &Value) -> Result<(), BadEvent> {
    let max = match param.count {
        Count::One => None,
        Count::Optional => Some(1),
        Count::Many(max) => Some(max),
    };
    if let Some(max) = max {
        let listed = matches!(value, Value::List(items) if items.len() as u64 <= max);
        if !listed {
            return Err(BadEvent::Listed { event, param: param.name, max });
        }
    }
    for item in items(param, value) {
        let misfit = |why| BadEvent::Misfit { event, param: param.name, why };
        scalar::expect(param.scalar, item).map_err(misfit)?;
    }
    Ok(())
}

/// The values that stand in one place of an event.
fn items<'a>(param: &Param, value: &'a Value) -> &'a [Value] {
    match (param.count, value) {
        (Count::Optional | Count::Many(_), Value::List(items)) => items,
        (Count::One | Count::Optional | Count::Many(_), value) => core::slice::from_ref(value),
    }
}

fn id(value: &Value) -> Option<[u8; 32]> {
    match value {
        Value::Bytes(bytes) => bytes.as_slice().try_into().ok(),
        Value::Uint(_) | Value::Text(_) | Value::List(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artefact::kinds::{ALL, DECISION, MUTUAL_AID};
    use crate::value::tests::any_value;
    use alloc::{string::ToString, vec};
    use proptest::prelude::*;

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    fn claim(values: Vec<Value>) -> Result<Statement, BadEvent> {
        read(&MUTUAL_AID, &Event { name: "claim".into(), values })
    }

    fn values() -> Vec<Value> {
        vec![
            Value::Bytes(vec![1; 32]),
            text("night-nurses"),
            text("3"),
            text("2017-12-09T20:00Z"),
            text("2017-12-10T08:00Z"),
        ]
    }

    #[test]
    fn a_claim_is_read_by_the_names_of_its_values() {
        let claim = claim(values()).unwrap();
        assert_eq!(claim.org("offered_by"), Some(OrgId::from_bytes([1; 32])));
        assert_eq!(claim.text("line"), Some("night-nurses"));
        assert_eq!(claim.quantity("qty"), Some(3_000));
        assert_eq!(claim.number("qty"), None);
        assert_eq!(claim.value("reason"), None);
        assert_eq!(claim.to_event(), Event { name: "claim".into(), values: values() });
    }

    #[test]
    fn each_fault_of_an_event_is_a_sentence() {
        let sentence = |event: Result<Statement, BadEvent>| event.unwrap_err().to_string();
        let other = Event { name: "seize".into(), values: values() };
        assert_eq!(
            sentence(read(&MUTUAL_AID, &other)),
            "mutual_aid has no event \"seize\"; this node may be older than the one that wrote it"
        );
        assert_eq!(sentence(claim(values()[..4].to_vec())), "claim has 4 values, it should have 5");
        let mut wrong = values();
        wrong[2] = text("three");
        assert_eq!(sentence(claim(wrong)), "claim: qty should be written as 12 or 2.5");
        let view =
            |note| Event { name: "provider_view".into(), values: vec![text("object"), note] };
        for bad in [text("why"), Value::List(vec![text("a"), text("b")])] {
            assert_eq!(
                sentence(read(&DECISION, &view(bad))),
                "provider_view: text should be a list of at most 1"
            );
        }
        assert!(read(&DECISION, &view(Value::List(vec![]))).is_ok());
        assert!(read(&DECISION, &view(Value::List(vec![text("because")]))).is_ok());
    }

    #[test]
    fn a_comment_names_many_organisations() {
        let orgs = Value::List(vec![Value::Bytes(vec![1; 32]), Value::Bytes(vec![2; 32])]);
        let none = Value::List(vec![]);
        let remark = Remark {
            name: "comment".into(),
            values: vec![text("For Wigan and Bury"), none.clone(), none, orgs],
        };
        let read = read_remark(&DECISION, &remark).unwrap();
        let named: Vec<_> = read.orgs("mentions").collect();
        assert_eq!(named, [OrgId::from_bytes([1; 32]), OrgId::from_bytes([2; 32])]);
        assert_eq!(read.to_remark(), remark);
    }

    proptest! {
        #[test]
        fn any_values_are_read_or_refused_and_come_back(
            kind in 0..ALL.len(),
            event in any::<proptest::sample::Index>(),
            values in proptest::collection::vec(any_value(), 0..6),
        ) {
            let kind = ALL[kind];
            let events: Vec<_> = kind.all_events().collect();
            let name = events[event.index(events.len())].name;
            let event = Event { name: name.into(), values };
            if let Ok(statement) = read(kind, &event) {
                prop_assert_eq!(statement.to_event(), event);
            }
        }
    }
}
