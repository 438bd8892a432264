//! Events and remarks: kinds 5 and 6, facts that do not merge.
//!
//! ```text
//! event  = [ name, [value…] ]        a transition, claim, confirmation…: counts
//! remark = [ name, [value…] ]        a comment or position: may be redacted
//!   name  1 to 256 bytes               values  at most 256, in the order of the schema
//! ```
//!
//! At most 64 KiB each. What the values mean, and whether they fit, is for the schema of the
//! artefact's kind.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{
    codec::{self, Malformed},
    limits::{FACT_BYTES_MAX, FACT_VALUES_MAX},
    value::{Value, expect_name},
};

/// A signed fact that does not merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened, by the name that the schema gives it.
    pub name: String,
    /// The particulars, in the order of the schema.
    pub values: Vec<Value>,
}

/// A comment or position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// What kind of remark, by the name that the schema gives it.
    pub name: String,
    /// The particulars, in the order of the schema.
    pub values: Vec<Value>,
}

#[derive(Serialize, Deserialize)]
struct Wire(String, Vec<Value>);

impl Wire {
    fn read(bytes: &[u8], what: &'static str) -> Result<Self, Malformed> {
        let Self(name, values) = codec::decode(bytes, what, FACT_BYTES_MAX)?;
        expect_name(what, &name)?;
        codec::expect_count(what, values.len(), 0, FACT_VALUES_MAX)?;
        Ok(Self(name, values))
    }
}

impl Event {
    /// The payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&Wire(self.name.clone(), self.values.clone()))
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let Wire(name, values) = Wire::read(bytes, "event")?;
        Ok(Self { name, values })
    }
}

impl Remark {
    /// The payload.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&Wire(self.name.clone(), self.values.clone()))
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let Wire(name, values) = Wire::read(bytes, "remark")?;
        Ok(Self { name, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::tests::any_value;
    use alloc::vec;
    use proptest::prelude::*;

    fn read(name: &str, values: Vec<Value>) -> Result<Event, Malformed> {
        let name = name.into();
        Event::from_bytes(&Event { name, values }.to_bytes())
    }

    #[test]
    fn each_bound_of_an_event_is_refused() {
        let count = |count, min, max| Err(Malformed::Count { what: "event", count, min, max });
        assert_eq!(read("", vec![]), count(0, 1, 256));
        assert_eq!(
            read(&"n".repeat(257), vec![]),
            Err(Malformed::TooLong { what: "event", len: 257, max: 256 })
        );
        let numbers = |count| vec![Value::Uint(0); count];
        assert_eq!(read("claimed", numbers(256)).unwrap().values.len(), 256);
        assert_eq!(read("claimed", numbers(257)), count(257, 0, 256));
        assert!(matches!(
            read("claimed", vec![Value::Bytes(vec![0; FACT_BYTES_MAX])]),
            Err(Malformed::TooLong { what: "event", max: FACT_BYTES_MAX, .. })
        ));
    }

    #[test]
    fn values_of_other_types_than_ours_are_refused() {
        // ["a", [null]] and ["a", [-1]]
        for foreign in [[0x82, 0x61, 0x61, 0x81, 0xf6], [0x82, 0x61, 0x61, 0x81, 0x20]] {
            assert_eq!(
                Event::from_bytes(&foreign),
                Err(Malformed::ForeignType { what: "event", at: 4, byte: foreign[4] })
            );
        }
    }

    proptest! {
        #[test]
        fn any_event_and_remark_come_back(
            name in "\\PC{1,20}",
            values in proptest::collection::vec(any_value(), 0..6),
        ) {
            let event = Event { name: name.clone(), values: values.clone() };
            prop_assert_eq!(Event::from_bytes(&event.to_bytes()), Ok(event));
            let remark = Remark { name, values };
            prop_assert_eq!(Remark::from_bytes(&remark.to_bytes()), Ok(remark));
        }
    }
}
