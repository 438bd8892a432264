//! Bytes that are nearly good: one item of a good value is replaced.

use concordat_protocol::{codec, value::Value};

/// The bytes with the item at `path` replaced; indexes from the outermost array inwards.
pub(crate) fn edit(bytes: &[u8], path: &[usize], new: Value) -> Vec<u8> {
    let mut value: Value = codec::decode(bytes, "value", 1 << 20).unwrap();
    *item(&mut value, path) = new;
    codec::encode(&value)
}

/// The bytes with the list at `path` reversed.
pub(crate) fn reversed(bytes: &[u8], path: &[usize]) -> Vec<u8> {
    let mut value: Value = codec::decode(bytes, "value", 1 << 20).unwrap();
    let Value::List(items) = item(&mut value, path) else { panic!("no list at {path:?}") };
    items.reverse();
    codec::encode(&value)
}

fn item<'a>(value: &'a mut Value, path: &[usize]) -> &'a mut Value {
    path.iter().fold(value, |value, at| match value {
        Value::List(items) => &mut items[*at],
        other => panic!("no list but {other:?}"),
    })
}

pub(crate) fn uint(number: u64) -> Value {
    Value::Uint(number)
}

pub(crate) fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

pub(crate) fn list(items: &[Value]) -> Value {
    Value::List(items.to_vec())
}

/// So many copies of an item.
pub(crate) fn copies(item: Value, count: usize) -> Value {
    Value::List(vec![item; count])
}
