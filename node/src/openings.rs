//! Openings: by which right the feed key in use took over from the one before, board by board.
//!
//! ```text
//!   concordat openings 1
//!   board-… hYVYIFVu…                    board, and the opening's bytes in base64
//! ```
//!
//! Each is the payload of the first entry that the new key signs. They are kept as long as their key
//! is in use: whoever goes on over an older store signs the same first entry again, and not another,
//! which would be a second history.
//!
//! *Invariants.* Written once, before the card that needs them, and never changed. Public: partners see
//! all of it.
//!
//! *Source*: ours; `protocol/SPEC.md`, section "Openings and epochs".

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use concordat_protocol::{feed::OpenFeed, hash::BoardId, identity::PublicKey};
use data_encoding::BASE64;

use crate::home::{FileError, Readers, create_file, remove_file};

const TITLE: &str = "concordat openings 1";

/// The opening of this organisation's feed on each board where its key is not the first.
pub type Openings = BTreeMap<BoardId, OpenFeed>;

/// Why openings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum OpeningsError {
    /// The file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not what was written.
    #[error("line {line} of {path} is no opening; put the file back from a backup")]
    Garbled {
        /// Which file.
        path: std::path::PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// The file belongs to other keys.
    #[error(
        "{path} opens feeds under another key than the newest card names; put back the file that \
         belongs to the card"
    )]
    OtherKey {
        /// Which file.
        path: std::path::PathBuf,
    },
}

/// Reads the openings of a feed key.
///
/// # Errors
/// - [`OpeningsError`]: exactly what is wrong.
pub fn load(path: &Path, key: &PublicKey) -> Result<Openings, OpeningsError> {
    let text = std::fs::read_to_string(path).map_err(FileError::at("reading", path))?;
    let path = path.to_path_buf();
    match parse(&text) {
        Err(line) => Err(OpeningsError::Garbled { path, line }),
        Ok(openings) if openings.values().any(|opening| opening.descriptor.key != *key) => {
            Err(OpeningsError::OtherKey { path })
        }
        Ok(openings) => Ok(openings),
    }
}

/// Err: the first line that is wrong.
fn parse(text: &str) -> Result<Openings, usize> {
    let mut openings = Openings::new();
    let mut lines = (1_usize..).zip(text.lines());
    if lines.next() != Some((1, TITLE)) {
        return Err(1);
    }
    for (number, line) in lines {
        let (board, opening) = parse_opening(line).ok_or(number)?;
        openings.insert(board, opening);
    }
    Ok(openings)
}

fn parse_opening(line: &str) -> Option<(BoardId, OpenFeed)> {
    let (board, base64) = line.split_once(' ')?;
    let board = board.parse().ok()?;
    let opening = OpenFeed::from_bytes(&BASE64.decode(base64.as_bytes()).ok()?).ok()?;
    (opening.descriptor.board == board).then_some((board, opening))
}

/// Writes openings that no card needs yet, in place of any that were left over; durable on return.
///
/// # Errors
/// - [`FileError`]: the operating system refused.
pub fn save(path: &Path, openings: &Openings) -> Result<(), FileError> {
    let mut text = format!("{TITLE}\n");
    for (board, opening) in openings {
        // Writing to a String cannot fail.
        let _written = writeln!(text, "{board} {}", BASE64.encode(&opening.to_bytes()));
    }
    remove_file(path)?;
    create_file(path, text.as_bytes(), Readers::Owner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use concordat_protocol::{
        feed::{Descriptor, End, WarrantRole},
        hash::{EntryId, OrgId},
        identity::{KeyPair, Signer},
    };

    #[test]
    fn openings_come_back_from_their_file_and_a_changed_line_is_named() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("openings-1");
        let (old, new) = (KeyPair::from_seed(&[1; 32]), KeyPair::from_seed(&[2; 32]));
        let (board, org) = (BoardId::from_bytes([3; 32]), OrgId::from_bytes([4; 32]));
        let descriptor = Descriptor { board, org, epoch: 1, key: new.public() };
        let end = End(7, EntryId::from_bytes([5; 32]));
        let opening = OpenFeed::next(descriptor, end, (WarrantRole::Old, &old), &new);
        let openings = Openings::from([(board, opening)]);
        save(&path, &Openings::new()).unwrap();
        save(&path, &openings).unwrap();

        assert_eq!(load(&path, &new.public()).unwrap(), openings);

        let other = load(&path, &old.public()).unwrap_err();
        assert!(matches!(other, OpeningsError::OtherKey { .. }), "{other}");
        let text = std::fs::read_to_string(&path).unwrap();
        for (text, expected) in [
            (String::new(), 1),
            (text.replace("openings 1", "openings 2"), 1),
            (text.replace("board-", "feed-"), 2),
            (text.replace(' ', "  "), 1),
            (text + "more\n", 3),
        ] {
            std::fs::write(&path, text).unwrap();
            let refused = load(&path, &new.public()).unwrap_err();
            assert!(matches!(refused, OpeningsError::Garbled { line, .. } if line == expected));
        }
    }
}
