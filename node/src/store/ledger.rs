//! What a store knows of itself: a checksum with each row, and one line of account of them all.
//!
//! ```text
//!   row      crc32 of table, key and value, 4 bytes │ value
//!   ledger   commits, records, rows, sum of the rows' crc32: 8 bytes each │ crc32 of these, 4 bytes
//! ```
//!
//! Numbers are big-endian. The ledger is written in the same commit as the rows that it counts. A
//! row that was altered disagrees with its own checksum; one that is missing, or is an older one,
//! disagrees with the ledger, and so does a write-ahead log without its last frames; a ledger that is itself
//! an older one disagrees with the number of commits that is kept outside the store, see `high_water`.
//!
//! *Invariants.* Every engine holds the same rows, checksums included. Knows nothing of what they say.
//!
//! *Source*: ours; found by measuring what engines return from damaged files without saying so.

use super::Table;

const CRC_BYTES: usize = 4;
const LEDGER_BYTES: usize = 4 * 8 + CRC_BYTES;

/// Where a row is.
pub(super) type Place = (Table, Vec<u8>);

/// What a stored row or ledger was found to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("row {key} of table {table} disagrees with its checksum")]
    Row { table: &'static str, key: String },
    #[error("its ledger disagrees with its checksum")]
    Ledger,
    #[error("it has rows and no ledger: it is damaged, or of an earlier version of this program")]
    NoLedger,
    #[error("it holds {} rows where {} were written, or other ones", .found.rows, .written.rows)]
    Tally { written: Tally, found: Tally },
}

/// The checksum that stands before a row's value.
fn crc(place: &Place, value: &[u8]) -> u32 {
    let (table, key) = place;
    let mut hasher = crc32fast::Hasher::new();
    for part in [table.name().as_bytes(), &(key.len() as u64).to_be_bytes(), key, value] {
        hasher.update(part);
    }
    hasher.finalize()
}

/// The row as it is stored.
pub(super) fn seal(place: &Place, value: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(CRC_BYTES + value.len());
    row.extend_from_slice(&crc(place, value).to_be_bytes());
    row.extend_from_slice(value);
    row
}

/// The value of a stored row, and its checksum.
pub(super) fn unseal(place: &Place, mut row: Vec<u8>) -> Result<(Vec<u8>, u32), Fault> {
    let stored = check(place, &row)?;
    row.drain(..CRC_BYTES);
    Ok((row, stored))
}

/// The checksum of a stored row, with which it agrees.
pub(super) fn check(place: &Place, row: &[u8]) -> Result<u32, Fault> {
    if let Some((stored, value)) = row.split_first_chunk::<CRC_BYTES>() {
        let stored = u32::from_be_bytes(*stored);
        if stored == crc(place, value) {
            return Ok(stored);
        }
    }
    let (table, key) = place;
    let key = data_encoding::HEXLOWER.encode(key);
    Err(Fault::Row { table: table.name(), key })
}

/// How many rows there are, and the sum of their checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) rows: u64,
    sum: u64,
}

impl Tally {
    pub(super) fn add(&mut self, crc: u32) {
        self.rows = self.rows.wrapping_add(1);
        self.sum = self.sum.wrapping_add(crc.into());
    }

    /// Counts a row as it is after a change instead of as it was before.
    pub(super) fn exchange(&mut self, before: Option<u32>, after: Option<u32>) {
        if let Some(crc) = before {
            self.rows = self.rows.wrapping_sub(1);
            self.sum = self.sum.wrapping_sub(crc.into());
        }
        if let Some(crc) = after {
            self.add(crc);
        }
    }
}

/// What was committed so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ledger {
    /// Number of the last commit; never goes back.
    pub(super) commits: u64,
    /// Number of the last commit that had private records; their write-ahead log ends with it.
    pub(super) records: u64,
    pub(super) tally: Tally,
}

impl Ledger {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let numbers = [self.commits, self.records, self.tally.rows, self.tally.sum];
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let bytes: &[u8; LEDGER_BYTES] = bytes.try_into().map_err(|_| Fault::Ledger)?;
        let (numbers, crc) = bytes.split_last_chunk::<CRC_BYTES>().ok_or(Fault::Ledger)?;
        if u32::from_be_bytes(*crc) != crc32fast::hash(numbers) {
            return Err(Fault::Ledger);
        }
        let mut numbers = numbers.as_chunks().0.iter().copied().map(u64::from_be_bytes);
        let mut next = || numbers.next().ok_or(Fault::Ledger);
        let (commits, records, rows, sum) = (next()?, next()?, next()?, next()?);
        Ok(Self { commits, records, tally: Tally { rows, sum } })
    }
}

#[cfg(test)]
mod tests {
    use concordat_protocol::engine;

    use super::*;

    #[test]
    fn a_row_is_its_own_and_nobody_elses() {
        let place = (Table::Engine(engine::Table::Feeds), b"key".to_vec());
        let row = seal(&place, b"value");
        assert_eq!(unseal(&place, row.clone()).unwrap().0, b"value");

        assert!(
            unseal(&(Table::Engine(engine::Table::Acks), b"key".to_vec()), row.clone()).is_err()
        );
        assert!(
            unseal(&(Table::Engine(engine::Table::Feeds), b"kez".to_vec()), row.clone()).is_err()
        );
        for at in 0..row.len() {
            let mut altered = row.clone();
            altered[at] ^= 1;
            assert!(unseal(&place, altered).is_err(), "{at}");
        }
        assert!(unseal(&place, row[..3].to_vec()).is_err());
    }

    #[test]
    fn a_ledger_comes_back_from_its_bytes_and_a_flipped_bit_is_found() {
        let ledger = Ledger { commits: 7, records: 5, tally: Tally { rows: 2, sum: 1 << 33 } };
        let bytes = ledger.to_bytes();
        assert_eq!(Ledger::from_bytes(&bytes), Ok(ledger));
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 0x80;
            assert_eq!(Ledger::from_bytes(&altered), Err(Fault::Ledger), "{at}");
        }
    }
}
