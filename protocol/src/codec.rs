//! CBOR as this protocol writes it, and the only module that names `serde_cbor`.
//!
//! Arrays, unsigned integers, byte strings and UTF-8 text; nothing else:
//!
//! ```text
//! 00..1b  unsigned integer, shortest form       40..5b  byte string, definite length
//! 60..7b  UTF-8 text, definite length           80..9b  array, definite length
//! ```
//!
//! No maps, floats, tags, null, negative or indefinite items. An optional value is `[]` or `[x]`.
//! Wire types are tuple structs, which `serde_cbor` writes as arrays. Decoding has two steps:
//! a [`scan`] of the shape, which takes no memory and bounds depth, lengths and counts by the
//! bytes that are really there, and the typed decoding, after which the value is encoded again
//! and must give the same bytes.
//!
//! Invariant: `encode(decode(b)) == b` for every accepted `b`.
//! Source: ours, `SPEC.md` section "Conventions"; RFC 8949 section 4.2.1 for shortest forms.

use alloc::{string::String, vec::Vec};
use core::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _, SeqAccess, Visitor},
    ser::SerializeTuple,
};

use crate::limits::CBOR_DEPTH_MAX;

/// Bytes that do not decode. Nobody can be blamed for them but the peer that sent them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// More bytes than the item may have.
    #[error("{what} has {len} bytes, at most {max} are allowed")]
    TooLong {
        /// The item.
        what: &'static str,
        /// Its length in bytes.
        len: usize,
        /// The bound, from `limits.rs`.
        max: usize,
    },
    /// More items than a list may have, or fewer than it needs.
    #[error("{what} has {count} items, {min} to {max} are allowed")]
    Count {
        /// The list.
        what: &'static str,
        /// How many items it has.
        count: usize,
        /// The least that is allowed.
        min: usize,
        /// The most that is allowed.
        max: usize,
    },
    /// The bytes end inside an item.
    #[error("{what} is cut short at byte {at}")]
    CutShort {
        /// The item.
        what: &'static str,
        /// Where the bytes end.
        at: usize,
    },
    /// A CBOR item that this protocol does not use.
    #[error("{what} holds a CBOR item of a type that is not used here (0x{byte:02x}) at byte {at}")]
    ForeignType {
        /// The item.
        what: &'static str,
        /// Where it stands.
        at: usize,
        /// Its first byte.
        byte: u8,
    },
    /// An integer or length that is not in its shortest form.
    #[error("{what} has a number that is not in its shortest form at byte {at}")]
    NotShortest {
        /// The item.
        what: &'static str,
        /// Where it stands.
        at: usize,
    },
    /// Text that is not UTF-8.
    #[error("{what} has text that is not UTF-8 at byte {at}")]
    NotUtf8 {
        /// The item.
        what: &'static str,
        /// Where it stands.
        at: usize,
    },
    /// Arrays nested too deep.
    #[error("{what} is nested deeper than {CBOR_DEPTH_MAX} levels at byte {at}")]
    TooDeep {
        /// The item.
        what: &'static str,
        /// Where it stands.
        at: usize,
    },
    /// Bytes after the end of the item.
    #[error("{what} is followed by {extra} bytes that do not belong to it")]
    Trailing {
        /// The item.
        what: &'static str,
        /// How many bytes follow.
        extra: usize,
    },
    /// Well-formed CBOR of another shape than the item has.
    #[error("{what} does not have the shape that the specification gives it")]
    Shape {
        /// The item.
        what: &'static str,
    },
    /// A value outside the range that the item may have.
    #[error("{what} is {value}, which is outside its range")]
    Range {
        /// The field.
        what: &'static str,
        /// Its value.
        value: u64,
    },
    /// A list that must ascend strictly and does not.
    #[error("{what} does not ascend strictly")]
    NotAscending {
        /// The list.
        what: &'static str,
    },
    /// A version number that this node does not know.
    #[error("{what} has version {found}, this node knows version {known}")]
    Version {
        /// The item.
        what: &'static str,
        /// The version it has.
        found: u64,
        /// The version we know.
        known: u64,
    },
    /// A public key that is not canonical, is weak, or has an unknown algorithm.
    #[error("{what} is not an admissible Ed25519 public key")]
    BadKey {
        /// The field.
        what: &'static str,
    },
}

/// Encodes a wire value.
///
/// Wire types hold nothing that CBOR cannot express, so this cannot fail; a type that could would
/// show in the first test that encodes it.
#[must_use]
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "wire types are arrays, integers, bytes and text")]
    serde_cbor::to_vec(value).expect("invariant: a wire type has no map, float or failing field")
}

/// Decodes a wire value of at most `max` bytes.
///
/// # Errors
/// The exact [`Malformed`]; the peer that sent the bytes is at fault.
pub fn decode<T>(bytes: &[u8], what: &'static str, max: usize) -> Result<T, Malformed>
where
    T: Serialize + DeserializeOwned,
{
    scan(bytes, what, max)?;
    let value: T = serde_cbor::from_slice(bytes).map_err(|_| Malformed::Shape { what })?;
    if encode(&value) == bytes { Ok(value) } else { Err(Malformed::Shape { what }) }
}

/// Decodes part of a wire value of at most `max` bytes, for whoever only needs to know what it is about:
/// what `T` leaves out is skipped, and other encodings of the same value pass.
///
/// # Errors
/// The exact [`Malformed`].
pub fn peek<T: DeserializeOwned>(
    bytes: &[u8],
    what: &'static str,
    max: usize,
) -> Result<T, Malformed> {
    scan(bytes, what, max)?;
    serde_cbor::from_slice(bytes).map_err(|_| Malformed::Shape { what })
}

/// Checks the shape of CBOR bytes without taking memory: one item, only the types above, shortest
/// forms, counts that the remaining bytes can hold, and bounded depth.
///
/// # Errors
/// The first fault, with its place.
pub fn scan(bytes: &[u8], what: &'static str, max: usize) -> Result<(), Malformed> {
    if bytes.len() > max {
        return Err(Malformed::TooLong { what, len: bytes.len(), max });
    }
    let mut at = 0usize;
    // Items still due at each open level; the outermost level holds one item.
    let mut due = [0u64; CBOR_DEPTH_MAX];
    let mut depth = 0usize;
    let mut left = 1u64;
    loop {
        while left == 0 {
            if depth == 0 {
                let extra = bytes.len().saturating_sub(at);
                return if extra == 0 { Ok(()) } else { Err(Malformed::Trailing { what, extra }) };
            }
            depth = depth.saturating_sub(1);
            left = due.get(depth).copied().unwrap_or(0);
        }
        left = left.saturating_sub(1);
        let item = Head::read(bytes, at, what)?;
        at = item.end;
        match item.major {
            0 => {}
            2 | 3 => at = skip_string(bytes, &item, what)?,
            4 => {
                if item.value > bytes.len().saturating_sub(at) as u64 {
                    return Err(Malformed::CutShort { what, at: bytes.len() });
                }
                let Some(level) = due.get_mut(depth) else {
                    return Err(Malformed::TooDeep { what, at });
                };
                *level = left;
                depth = depth.saturating_add(1);
                left = item.value;
            }
            _ => {
                return Err(Malformed::ForeignType { what, at: item.start, byte: item.first });
            }
        }
    }
}

/// The first byte of an item and the number that follows it.
struct Head {
    start: usize,
    end: usize,
    first: u8,
    major: u8,
    value: u64,
}

impl Head {
    fn read(bytes: &[u8], start: usize, what: &'static str) -> Result<Self, Malformed> {
        let cut = Malformed::CutShort { what, at: bytes.len() };
        let first = *bytes.get(start).ok_or_else(|| cut.clone())?;
        let (width, least) = match first & 0x1f {
            0..24 => (0usize, 0u64),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            _ => {
                return Err(Malformed::ForeignType { what, at: start, byte: first });
            }
        };
        let from = start.saturating_add(1);
        let end = from.saturating_add(width);
        let tail = bytes.get(from..end).ok_or(cut)?;
        let value = match width {
            0 => u64::from(first & 0x1f),
            _ => tail.iter().fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte)),
        };
        if width > 0 && value < least {
            return Err(Malformed::NotShortest { what, at: start });
        }
        Ok(Self { start, end, first, major: first >> 5, value })
    }
}

fn skip_string(bytes: &[u8], item: &Head, what: &'static str) -> Result<usize, Malformed> {
    let cut = || Malformed::CutShort { what, at: bytes.len() };
    let len = usize::try_from(item.value).map_err(|_| cut())?;
    let end = item.end.checked_add(len).ok_or_else(cut)?;
    let body = bytes.get(item.end..end).ok_or_else(cut)?;
    if item.major == 3 && core::str::from_utf8(body).is_err() {
        return Err(Malformed::NotUtf8 { what, at: item.start });
    }
    Ok(end)
}

/// A byte string of exactly `N` bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fixed<const N: usize>(pub [u8; N]);

impl<const N: usize> fmt::Debug for Fixed<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl<const N: usize> Serialize for Fixed<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Fixed<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes<const N: usize>;
        impl<const N: usize> Visitor<'_> for Bytes<N> {
            type Value = Fixed<N>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{N} bytes")
            }
            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                bytes.try_into().map(Fixed).map_err(|_| E::invalid_length(bytes.len(), &self))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// A byte string of any length.
pub type Blob = serde_bytes::ByteBuf;

/// An optional value: `[]` or `[x]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opt<T>(pub Option<T>);

impl<T: Serialize> Serialize for Opt<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(usize::from(self.0.is_some()))?;
        if let Some(value) = &self.0 {
            tuple.serialize_element(value)?;
        }
        tuple.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Opt<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ZeroOrOne<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ZeroOrOne<T> {
            type Value = Opt<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of no item or one")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let value = items.next_element()?;
                if items.next_element::<u64>()?.is_some() {
                    return Err(A::Error::invalid_length(2, &self));
                }
                Ok(Opt(value))
            }
        }
        deserializer.deserialize_seq(ZeroOrOne(PhantomData))
    }
}

/// Bytes as lower-case hexadecimal text.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// Refuses a version other than `known`.
///
/// # Errors
/// [`Malformed::Version`].
pub const fn expect_version(what: &'static str, found: u64, known: u64) -> Result<(), Malformed> {
    if found == known { Ok(()) } else { Err(Malformed::Version { what, found, known }) }
}

/// Refuses a list whose count is outside `min..=max`.
///
/// # Errors
/// [`Malformed::Count`].
pub const fn expect_count(
    what: &'static str,
    count: usize,
    min: usize,
    max: usize,
) -> Result<(), Malformed> {
    if count < min || count > max {
        Err(Malformed::Count { what, count, min, max })
    } else {
        Ok(())
    }
}

/// Refuses a list that does not ascend strictly.
///
/// # Errors
/// [`Malformed::NotAscending`].
pub fn expect_ascending<T: Ord>(what: &'static str, list: &[T]) -> Result<(), Malformed> {
    if list.is_sorted_by(|a, b| a < b) { Ok(()) } else { Err(Malformed::NotAscending { what }) }
}

/// Refuses text or bytes longer than `max`.
///
/// # Errors
/// [`Malformed::TooLong`].
pub const fn expect_len(what: &'static str, len: usize, max: usize) -> Result<(), Malformed> {
    if len > max { Err(Malformed::TooLong { what, len, max }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::ToString, vec};
    use proptest::prelude::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Sample(u64, Fixed<4>, String, Vec<Opt<u64>>);

    fn sample() -> Sample {
        Sample(300, Fixed([1, 2, 3, 4]), "board".to_string(), vec![Opt(None), Opt(Some(7))])
    }

    #[test]
    fn a_value_comes_back_from_its_bytes() {
        let bytes = encode(&sample());
        assert_eq!(hex(&bytes), "8419012c440102030465626f6172648280810".to_string() + "7");
        assert_eq!(decode::<Sample>(&bytes, "sample", 100), Ok(sample()));
    }

    #[test]
    fn each_fault_of_shape_has_its_own_error() {
        let what = "sample";
        let scan = |bytes: &[u8]| scan(bytes, what, 64);
        assert_eq!(scan(&[]), Err(Malformed::CutShort { what, at: 0 }));
        assert_eq!(scan(&[0x18, 0x01]), Err(Malformed::NotShortest { what, at: 0 }));
        assert_eq!(scan(&[0x81, 0xa0]), Err(Malformed::ForeignType { what, at: 1, byte: 0xa0 }));
        assert_eq!(scan(&[0x9f]), Err(Malformed::ForeignType { what, at: 0, byte: 0x9f }));
        assert_eq!(scan(&[0x01, 0x02]), Err(Malformed::Trailing { what, extra: 1 }));
        assert_eq!(scan(&[0x42, 0x02]), Err(Malformed::CutShort { what, at: 2 }));
        assert_eq!(scan(&[0x61, 0xff]), Err(Malformed::NotUtf8 { what, at: 0 }));
        assert_eq!(scan(&[0x9a, 0xff, 0xff, 0xff, 0xff]), Err(Malformed::CutShort { what, at: 5 }));
        assert_eq!(scan(&[0x81; 40]), Err(Malformed::TooDeep { what, at: 17 }));
        assert_eq!(scan(&[0; 65]), Err(Malformed::TooLong { what, len: 65, max: 64 }));
    }

    #[test]
    fn an_optional_value_has_no_second_item() {
        assert_eq!(
            decode::<Opt<u64>>(&[0x82, 1, 2], "opt", 9),
            Err(Malformed::Shape { what: "opt" })
        );
    }

    proptest! {
        #[test]
        fn accepted_bytes_encode_to_themselves(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(value) = decode::<Sample>(&bytes, "sample", 80) {
                prop_assert_eq!(encode(&value), bytes);
            }
        }

        #[test]
        fn a_changed_byte_is_refused_or_encodes_to_itself(at in 0usize..18, bits in 1u8..) {
            let mut bytes = encode(&sample());
            bytes[at] ^= bits;
            if let Ok(value) = decode::<Sample>(&bytes, "sample", 80) {
                prop_assert_eq!(encode(&value), bytes);
            }
        }
    }
}
