//! Papers: what organisations hand one another to found a board, as text that survives any mail.
//!
//! ```text
//!   concordat card 1                              kind and version
//!   # Wigan Council, council                      for people; never read
//!   inception                                     a field: its name, then base64 in indented lines
//!     hgFnY291bmNpbG…
//!   card
//!     glkBJ4oBWCC…
//! ```
//!
//! | kind | fields | says |
//! |---|---|---|
//! | card | inception, card | this is our organisation, and this is our node |
//! | draft | charter, then inception and card of each member | shall we found this board? |
//! | acceptance | charter (its hash), acceptance, acceptance | we shall, with both our keys |
//! | board | founding, then inception and card of each member | it is founded |
//!
//! *Invariants.* A paper in hand is consistent in itself: signatures hold, an organisation's id is
//! the hash of its inception record, and members' cards show the keys that the charter names.
//! Comments are never trusted. Whether an organisation is who it says is for people to check.
//!
//! *Source*: ours; what the fields hold is in `protocol/SPEC.md`.

mod acceptance;
mod board;
mod card;
#[cfg(test)]
mod tests;

use std::{fmt, fs::File, io::Read, path::Path};

use concordat_protocol::{
    charter::{Slug, Unfounded},
    codec::Malformed,
    hash::OrgId,
    identity::BadCard,
};
use data_encoding::BASE64;

pub use acceptance::AcceptancePaper;
pub use board::{BoardPaper, DraftPaper};
pub use card::{CardPaper, key_in_words};

use crate::home::FileError;

/// Far above what a charter with a thousand members and their cards takes.
const PAPER_BYTES_MAX: u64 = 16 * 1024 * 1024;
const LINE_CHARS: usize = 72;

/// What a paper is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaperKind {
    /// An organisation and its node.
    Card,
    /// A charter that nobody has accepted yet.
    Draft,
    /// One member's acceptance of a charter.
    Acceptance,
    /// A charter that everybody has accepted.
    Board,
}

impl PaperKind {
    const ALL: [Self; 4] = [Self::Card, Self::Draft, Self::Acceptance, Self::Board];

    const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Draft => "draft",
            Self::Acceptance => "acceptance",
            Self::Board => "board",
        }
    }
}

impl fmt::Display for PaperKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Why a paper is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PaperError {
    /// The first line does not say so.
    #[error("this is not a concordat file: its first line must be `concordat {expected} 1`")]
    NotAPaper {
        /// What was asked for.
        expected: PaperKind,
    },
    /// A paper, but another one.
    #[error("this is a {found} file, and a {expected} file is needed here")]
    OtherKind {
        /// What was asked for.
        expected: PaperKind,
        /// What it is.
        found: PaperKind,
    },
    /// Made by a later program.
    #[error("this file has version {found}; this program reads version 1, upgrade it")]
    OtherVersion {
        /// As it stands in the first line.
        found: String,
    },
    /// A line that is neither name nor base64.
    #[error("line {line} was changed on its way: {what}; ask for the file again")]
    Garbled {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// Fields are missing, too many, or in another order.
    #[error("the file should hold {expected}, and holds: {found}; ask for the file again")]
    Fields {
        /// What should be there.
        expected: &'static str,
        /// The names that are there.
        found: String,
    },
    /// A field does not decode.
    #[error("{0}")]
    Malformed(#[from] Malformed),
    /// The card is forged or changed.
    #[error("{0}")]
    Card(#[from] BadCard),
    /// The charter founds no board.
    #[error("{0}")]
    Unfounded(#[from] Unfounded),
    /// The inception record belongs to another organisation.
    #[error(
        "the inception record is that of {inception}, and the card that of {card}; \
         ask the organisation for its card file again"
    )]
    OtherOrganisation {
        /// The hash of the inception record.
        inception: OrgId,
        /// As the card says.
        card: OrgId,
    },
    /// A member's card is not there, or is no member's.
    #[error("the cards in this file are not those of the charter's members: {org} differs")]
    OtherMembers {
        /// The first that differs.
        org: OrgId,
    },
    /// A member's card shows another key than the charter.
    #[error("the charter names another {key} key for {slug} than its card; have it drafted again")]
    OtherKey {
        /// The member.
        slug: Slug,
        /// feed, witness or recovery.
        key: &'static str,
    },
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Longer than any paper.
    #[error("the file is longer than {PAPER_BYTES_MAX} bytes; is it the right file?")]
    TooLong,
}

impl PaperError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAPaper { .. } => "not-a-paper",
            Self::OtherKind { .. } => "other-kind-of-file",
            Self::OtherVersion { .. } => "newer-file",
            Self::Garbled { .. } | Self::Fields { .. } | Self::Malformed(_) => "garbled",
            Self::Card(_) => "bad-card",
            Self::Unfounded(_) => "unfounded",
            Self::OtherOrganisation { .. } => "other-organisation",
            Self::OtherMembers { .. } => "other-members",
            Self::OtherKey { .. } => "charter-key",
            Self::File(_) => "file",
            Self::TooLong => "too-long",
        }
    }
}

/// Reads the text of a paper.
///
/// # Errors
/// - [`PaperError::File`], [`PaperError::TooLong`], [`PaperError::Garbled`]: no such text.
pub fn read_text(path: &Path) -> Result<String, PaperError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(FileError::at("reading", path))?;
    file.take(PAPER_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(FileError::at("reading", path))?;
    if bytes.len() as u64 > PAPER_BYTES_MAX {
        return Err(PaperError::TooLong);
    }
    String::from_utf8(bytes).map_err(|_| PaperError::Garbled { line: 1, what: "not text" })
}

/// One field: what it is called, and its bytes.
struct Field {
    name: String,
    bytes: Vec<u8>,
}

/// Writes a paper.
fn write(kind: PaperKind, comments: &[String], fields: &[(&str, &[u8])]) -> String {
    let mut text = format!("concordat {kind} 1\n");
    for comment in comments {
        // A comment is one line, whatever stands in a name.
        let line: String = comment.chars().filter(|char| !char.is_control()).collect();
        text.push_str(&format!("# {line}\n"));
    }
    for (name, bytes) in fields {
        text.push_str(name);
        let base64 = BASE64.encode(bytes);
        for (at, char) in base64.chars().enumerate() {
            if at % LINE_CHARS == 0 {
                text.push_str("\n  ");
            }
            text.push(char);
        }
        text.push('\n');
    }
    text
}

/// Reads the fields of a paper of this kind, in their order.
fn read(kind: PaperKind, text: &str) -> Result<Vec<Field>, PaperError> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim_end()));
    let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let (_, title) = lines.next().ok_or(PaperError::NotAPaper { expected: kind })?;
    expect_title(kind, title)?;
    let mut fields: Vec<(usize, String, String)> = Vec::new();
    for (line, content) in lines {
        match (content.strip_prefix([' ', '\t']), fields.last_mut()) {
            (Some(more), Some((_, _, base64))) => base64.push_str(more.trim()),
            (Some(_), None) => {
                return Err(PaperError::Garbled { line, what: "it belongs to no field" });
            }
            (None, _) => fields.push((line, content.to_owned(), String::new())),
        }
    }
    let decode = |(line, name, base64): (usize, String, String)| {
        let bytes = BASE64.decode(base64.as_bytes());
        let bytes = bytes.map_err(|_| PaperError::Garbled { line, what: "it is not base64" })?;
        Ok(Field { name, bytes })
    };
    fields.into_iter().map(decode).collect()
}

fn expect_title(expected: PaperKind, title: &str) -> Result<(), PaperError> {
    let words: Vec<&str> = title.trim_start_matches('\u{feff}').split_whitespace().collect();
    let ["concordat", kind, version] = words.as_slice() else {
        return Err(PaperError::NotAPaper { expected });
    };
    let found = PaperKind::ALL.into_iter().find(|known| known.name() == *kind);
    match found {
        Some(found) if found != expected => Err(PaperError::OtherKind { expected, found }),
        Some(_) if *version != "1" => {
            Err(PaperError::OtherVersion { found: (*version).to_owned() })
        }
        Some(_) => Ok(()),
        None => Err(PaperError::NotAPaper { expected }),
    }
}

fn wrong_fields(expected: &'static str, fields: &[Field]) -> PaperError {
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let found = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    PaperError::Fields { expected, found }
}
