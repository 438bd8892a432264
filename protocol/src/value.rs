//! Values whose shape a schema or a rule gives, and not the format around them.
//!
//! ```text
//! value = unsigned integer | byte string | UTF-8 text | [value…]
//! ```
//!
//! Knows nothing of what a value means. How deep values nest is bounded by `codec::scan`, how long
//! they are by the bound of the item that holds them.

use alloc::{string::String, vec::Vec};
use core::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, SeqAccess, Visitor},
};

use crate::{
    codec::{self, Malformed},
    limits::NAME_BYTES_MAX,
};

/// Any item that this protocol's CBOR can express.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// An unsigned integer.
    Uint(u64),
    /// A byte string.
    Bytes(Vec<u8>),
    /// Text.
    Text(String),
    /// A list of values.
    List(Vec<Self>),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Uint(number) => serializer.serialize_u64(*number),
            Self::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;
        impl<'de> Visitor<'de> for AnyValue {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an unsigned integer, bytes, text or a list of these")
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
                Ok(Value::Uint(number))
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Value, E> {
                Ok(Value::Bytes(bytes.into()))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.into()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
                // No capacity from the wire: memory follows the items that are really there.
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Value::List(list))
            }
        }
        deserializer.deserialize_any(AnyValue)
    }
}

/// Refuses a name that is empty or longer than a name may be.
///
/// # Errors
/// [`Malformed::Count`] when it is empty, [`Malformed::TooLong`] when it is too long.
pub(crate) fn expect_name(what: &'static str, name: &str) -> Result<(), Malformed> {
    expect_filled(what, name.len(), NAME_BYTES_MAX)
}

/// Refuses text or bytes that are empty or longer than `max`.
///
/// # Errors
/// [`Malformed::Count`] when empty, [`Malformed::TooLong`] when too long.
pub(crate) fn expect_filled(what: &'static str, len: usize, max: usize) -> Result<(), Malformed> {
    codec::expect_len(what, len, max)?;
    codec::expect_count(what, len, 1, max)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use alloc::{string::ToString, vec};
    use proptest::prelude::*;

    /// Values up to four levels deep.
    pub(crate) fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<u64>().prop_map(Value::Uint),
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
            "\\PC{0,20}".prop_map(Value::Text),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            proptest::collection::vec(inner, 0..6).prop_map(Value::List)
        })
    }

    #[test]
    fn a_value_is_written_as_the_plain_item_it_is() {
        let value = Value::List(vec![
            Value::Uint(300),
            Value::Bytes(vec![7]),
            Value::Text("b".to_string()),
            Value::List(vec![]),
        ]);
        assert_eq!(codec::hex(&codec::encode(&value)), "8419012c4107616280");
    }

    proptest! {
        #[test]
        fn a_value_comes_back_from_its_bytes(value in any_value()) {
            let bytes = codec::encode(&value);
            prop_assert_eq!(codec::decode::<Value>(&bytes, "value", 1 << 20), Ok(value));
        }
    }
}
