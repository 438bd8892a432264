//! A place in a change's bytes, and the integers that Automerge writes there.
//!
//! ```text
//! ULEB  7 bits a byte, low first, 80 = another follows          0 = 00     127 = 7f     128 = 80 01
//! SLEB  the same, bit 40 of the last byte is the sign           63 = 3f    64 = c0 00   -1 = 7f
//! ```
//!
//! *Invariants.* Only the shortest form of a number is read. Takes no memory.
//!
//! *Source*: the Automerge binary format, "Value encodings"; LEB128 per DWARF 5 section 7.6.

use super::rule::Unreadable;

/// Bytes not yet read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) const fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// Bytes left.
    pub(super) const fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn byte(&mut self) -> Result<u8, Unreadable> {
        let (first, rest) = self.rest.split_first().ok_or(Unreadable::CutShort)?;
        self.rest = rest;
        Ok(*first)
    }

    /// The next `len` bytes, if they are there.
    pub(super) fn bytes(&mut self, len: u64) -> Result<&'a [u8], Unreadable> {
        let len = usize::try_from(len).map_err(|_| Unreadable::CutShort)?;
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Unreadable::CutShort)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Unreadable::CutShort)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// A ULEB number.
    pub(super) fn unsigned(&mut self) -> Result<u64, Unreadable> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            // Nine bytes hold 63 bits: the tenth has one left.
            if shift == 63 && byte > 1 {
                return Err(Unreadable::LongNumber);
            }
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let is_shortest = byte != 0 || shift == 0;
                return if is_shortest { Ok(number) } else { Err(Unreadable::LongNumber) };
            }
        }
        Err(Unreadable::LongNumber)
    }

    /// An SLEB number.
    pub(super) fn signed(&mut self) -> Result<i64, Unreadable> {
        let mut number = 0;
        let mut before = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && byte != 0 && byte != 0x7f {
                return Err(Unreadable::LongNumber);
            }
            number |= i64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let is_negative = byte & 0x40 != 0;
                let repeats_sign = byte == if before & 0x40 == 0 { 0 } else { 0x7f };
                if shift > 0 && repeats_sign {
                    return Err(Unreadable::LongNumber);
                }
                let sign = if is_negative && shift < 63 { -1 << (shift + 7) } else { 0 };
                return Ok(number | sign);
            }
            before = byte;
        }
        Err(Unreadable::LongNumber)
    }

    /// UTF-8 text after its length.
    pub(super) fn text(&mut self) -> Result<&'a str, Unreadable> {
        let len = self.unsigned()?;
        core::str::from_utf8(self.bytes(len)?).map_err(|_| Unreadable::NotUtf8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsigned(bytes: &[u8]) -> Result<u64, Unreadable> {
        let mut reader = Reader::new(bytes);
        let number = reader.unsigned();
        assert!(number.is_err() || reader.is_done());
        number
    }

    fn signed(bytes: &[u8]) -> Result<i64, Unreadable> {
        let mut reader = Reader::new(bytes);
        let number = reader.signed();
        assert!(number.is_err() || reader.is_done());
        number
    }

    #[test]
    fn unsigned_numbers_are_read_from_their_shortest_form_alone() {
        assert_eq!(unsigned(&[0]), Ok(0));
        assert_eq!(unsigned(&[0x7f]), Ok(127));
        assert_eq!(unsigned(&[0x80, 1]), Ok(128));
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(unsigned(&most), Ok(u64::MAX));
        for long in [&[0x80, 0][..], &[0xff, 0x80, 0]] {
            assert_eq!(unsigned(long), Err(Unreadable::LongNumber));
        }
        assert_eq!(unsigned(&[0xff; 9]), Err(Unreadable::CutShort));
        assert_eq!(unsigned(&[0xff; 10]), Err(Unreadable::LongNumber));
        assert_eq!(
            unsigned(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2]),
            Err(Unreadable::LongNumber)
        );
    }

    #[test]
    fn signed_numbers_are_read_from_their_shortest_form_alone() {
        assert_eq!(signed(&[0x3f]), Ok(63));
        assert_eq!(signed(&[0xc0, 0]), Ok(64));
        assert_eq!(signed(&[0x7f]), Ok(-1));
        assert_eq!(signed(&[0x40]), Ok(-64));
        assert_eq!(signed(&[0xbf, 0x7f]), Ok(-65));
        let least = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f];
        assert_eq!(signed(&least), Ok(i64::MIN));
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0];
        assert_eq!(signed(&most), Ok(i64::MAX));
        for long in [&[0x80, 0][..], &[0xbf, 0], &[0xff, 0x7f], &[0xc0, 0x7f], &[0xff, 0xff, 0x7f]]
        {
            assert_eq!(signed(long), Err(Unreadable::LongNumber), "{long:?}");
        }
    }

    #[test]
    fn a_length_beyond_the_end_takes_nothing() {
        assert_eq!(Reader::new(&[3, b'a', b'b']).text(), Err(Unreadable::CutShort));
        assert_eq!(Reader::new(&[1, 0xff]).text(), Err(Unreadable::NotUtf8));
        assert_eq!(Reader::new(&[2, b'a', b'b']).text(), Ok("ab"));
        assert_eq!(Reader::new(&[]).bytes(u64::MAX), Err(Unreadable::CutShort));
    }
}
