//! Rows of a store as bytes: files of a few MiB each, which together are one commit's state.
//!
//! ```text
//!   row    length of the table's name u8 │ name │ length of the key u32 │ length of the value u32 │ key │ value
//! ```
//!
//! Lengths are big-endian. Rows stand in the order of tables and keys.
//!
//! *Bounds.* A file takes rows until it has [`FILE_BYTES`]; the last row may go beyond.
//!
//! *Source*: ours.

use crate::store::{KEY_BYTES_MAX, Op, Row, Table, VALUE_BYTES_MAX};

/// When a file of rows is full.
pub(super) const FILE_BYTES: usize = 8 * 1024 * 1024;
/// No file of rows is longer.
pub(super) const FILE_BYTES_MAX: usize = FILE_BYTES + 2 * VALUE_BYTES_MAX;

/// Adds a row.
pub(super) fn put(bytes: &mut Vec<u8>, table: Table, (key, value): &Row) {
    let name = table.name().as_bytes();
    // Names are short, and keys and values within the store's bounds.
    bytes.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    bytes.extend_from_slice(name);
    for len in [key.len(), value.len()] {
        bytes.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
    }
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(value);
}

/// Reads all rows of a file; `None` if it is not made of rows.
pub(super) fn read(mut bytes: &[u8]) -> Option<Vec<Op>> {
    let mut rows = Vec::new();
    while let Some((len, rest)) = bytes.split_first() {
        let (name, rest) = rest.split_at_checked(usize::from(*len))?;
        let table = Table::all().find(|table| table.name().as_bytes() == name)?;
        let (key_len, rest) = number(rest)?;
        let (value_len, rest) = number(rest)?;
        if key_len > KEY_BYTES_MAX || value_len > VALUE_BYTES_MAX {
            return None;
        }
        let (key, rest) = rest.split_at_checked(key_len)?;
        let (value, rest) = rest.split_at_checked(value_len)?;
        rows.push(Op::put(table, key.to_vec(), value.to_vec()));
        bytes = rest;
    }
    Some(rows)
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_be_bytes(*number)).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Own;

    #[test]
    fn rows_come_back_and_half_of_one_does_not() {
        let table = Table::Own(Own::Journal);
        let mut bytes = Vec::new();
        put(&mut bytes, table, &(b"a".to_vec(), b"first".to_vec()));
        let one = bytes.len();
        put(&mut bytes, table, &(b"b".to_vec(), Vec::new()));
        let expected = [("a", "first"), ("b", "")]
            .map(|(key, value)| Op::put(table, key.into(), value.into()));
        assert_eq!(read(&bytes).unwrap(), expected);
        for cut in (1..bytes.len()).filter(|cut| *cut != one) {
            assert_eq!(read(&bytes[..cut]), None, "{cut}");
        }
        assert_eq!(read(b"\x03abc\0\0\0\0\0\0\0\0"), None);
    }
}
