//! Reading a bundle: twice, piece by piece, so that never more than one record is held.
//!
//! *Source*: ours.

use std::{fs::File, io::Read, path::Path};

use concordat_protocol::audit::{
    Audit, Finding, Holdings, Report, Summary,
    bundle::{BadBundle, MAGIC, Next, Record, next_record},
};
use indicatif::ProgressBar;

use super::source::Source;
use crate::{
    cli::{error::CliError, out::Out},
    home::FileError,
};

const PIECE_BYTES: usize = 256 * 1024;

/// Checks a bundle, or a copied store.
pub(in crate::cli) fn audit(path: &Path, out: &Out) -> Result<Report, CliError> {
    let source = Source::of(path, out)?;
    Ok(two_readings(source.path(), out, false)?.0)
}

/// The same, and gathers what it holds; nothing if it is no bundle.
pub(super) fn gather(source: &Source, out: &Out) -> Result<(Report, Option<Holdings>), CliError> {
    Ok(two_readings(source.path(), out, true)?)
}

/// Gives every record of a bundle to `take` once more; what is wrong with the file was found before.
pub(super) fn each_record(
    source: &Source,
    out: &Out,
    take: impl FnMut(Record<'_>),
) -> Result<(), FileError> {
    let path = source.path();
    let length = path.metadata().map_err(FileError::at("reading", path))?.len();
    let bar = out.bytes_progress("taken out", length);
    let _told_already = read(path, (&bar, 0), take)?;
    bar.finish_and_clear();
    Ok(())
}

fn two_readings(
    path: &Path,
    out: &Out,
    gathers: bool,
) -> Result<(Report, Option<Holdings>), FileError> {
    let length = path.metadata().map_err(FileError::at("reading", path))?.len();
    let bar = out.bytes_progress("checked", length.saturating_mul(2));
    let mut findings = Vec::new();
    let mut first = Audit::new();
    let fault = read(path, (&bar, 0), |record| findings.extend(first.take(record)))?;
    findings.extend(fault);
    if let [Finding::Damaged { fault: BadBundle::NoMagic, .. }] = findings.as_slice() {
        return Ok((Report { findings, summary: Summary::default() }, None));
    }
    let (second, rest) = first.second_reading();
    let mut second = if gathers { second.gathering() } else { second };
    findings.extend(rest);
    let _told_already = read(path, (&bar, length), |record| findings.extend(second.take(record)))?;
    let (rest, summary, holdings) = second.finish_gathered();
    findings.extend(rest);
    bar.finish_and_clear();
    Ok((Report { findings, summary }, holdings))
}

/// Gives every record of the file to `take`; what is wrong with the file itself is a finding.
fn read(
    path: &Path,
    (bar, before): (&ProgressBar, u64),
    mut take: impl FnMut(Record<'_>),
) -> Result<Option<Finding>, FileError> {
    let mut pieces = Pieces::open(path)?;
    if !pieces.starts_with(MAGIC)? {
        return Ok(Some(Finding::Damaged { record: 0, fault: BadBundle::NoMagic }));
    }
    pieces.pass(MAGIC.len());
    let mut record = 0;
    while pieces.holds(1)? {
        let needs = match next_record(pieces.ahead(), pieces.at) {
            Ok(Next::Record(found, taken)) => {
                record += 1;
                take(found);
                pieces.pass(taken);
                bar.set_position(before.saturating_add(pieces.at));
                continue;
            }
            Ok(Next::Needs(needs)) => needs,
            Err(fault) => return Ok(Some(Finding::Damaged { record, fault })),
        };
        if !pieces.holds(needs)? {
            let fault = BadBundle::CutShort { at: pieces.at };
            return Ok(Some(Finding::Damaged { record, fault }));
        }
    }
    Ok(None)
}

/// A file read piece by piece.
struct Pieces<'a> {
    path: &'a Path,
    file: File,
    bytes: Vec<u8>,
    /// How many of `bytes` have been passed.
    passed: usize,
    /// Where in the file the next byte stands.
    at: u64,
}

impl<'a> Pieces<'a> {
    fn open(path: &'a Path) -> Result<Self, FileError> {
        let file = File::open(path).map_err(FileError::at("reading", path))?;
        Ok(Self { path, file, bytes: Vec::new(), passed: 0, at: 0 })
    }

    fn ahead(&self) -> &[u8] {
        self.bytes.get(self.passed..).unwrap_or_default()
    }

    fn pass(&mut self, count: usize) {
        self.passed += count;
        self.at += count as u64;
    }

    /// Reads on until so many bytes lie ahead; whether there are so many.
    fn holds(&mut self, count: usize) -> Result<bool, FileError> {
        while self.ahead().len() < count {
            self.bytes.drain(..self.passed);
            self.passed = 0;
            let held = self.bytes.len();
            self.bytes.resize(held + PIECE_BYTES, 0);
            let free = self.bytes.get_mut(held..).unwrap_or_default();
            let read = self.file.read(free).map_err(FileError::at("reading", self.path))?;
            self.bytes.truncate(held + read);
            if read == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn starts_with(&mut self, bytes: &[u8]) -> Result<bool, FileError> {
        Ok(self.holds(bytes.len())? && self.ahead().starts_with(bytes))
    }
}

#[cfg(test)]
mod tests {
    use concordat_protocol::audit::bundle::Writer;

    use super::*;
    use crate::fixture::{found, partner};

    fn bundle() -> Vec<u8> {
        let (wigan, trafford) = (partner("la-wigan", "council"), partner("ccg-trafford", "ccg"));
        let board = found(&[&wigan, &trafford]);
        let (mut writer, magic) = Writer::new();
        let mut bytes = magic.to_vec();
        bytes.extend(writer.founding(board.founding()));
        bytes.extend(writer.card(wigan.card().card()));
        bytes.extend(writer.end());
        bytes
    }

    fn audited(bytes: &[u8]) -> Report {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        audit(file.path(), &Out::new(true)).unwrap()
    }

    #[test]
    fn a_file_read_by_pieces_gives_what_the_whole_gives_wherever_it_is_cut() {
        let bytes = bundle();
        assert_eq!(audited(&bytes).exit_status(), 0);
        for end in 0..=bytes.len() {
            let cut = bytes.get(..end).unwrap();
            assert_eq!(audited(cut), concordat_protocol::audit::audit_bundle(cut), "cut at {end}");
        }
    }

    #[test]
    fn records_longer_than_a_piece_are_read_whole() {
        let mut bytes = bundle();
        let end = bytes.split_off(bytes.len() - 7);
        // A record of a tag that this tool does not know.
        let long = vec![0xff; 3 * PIECE_BYTES];
        bytes.extend(u32::try_from(long.len()).unwrap().to_be_bytes());
        bytes.extend(long);
        bytes.extend(end);
        assert_eq!(audited(&bytes), concordat_protocol::audit::audit_bundle(&bytes));
    }
}
