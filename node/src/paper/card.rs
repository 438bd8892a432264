//! Card papers: an organisation's inception record, and the card of its node.
//!
//! The card has no name on it; the inception record has, and its hash is the organisation's id, so
//! the two together tell people whom they are adding.
//!
//! *Invariants.* The card's signature holds, and the record hashes to the card's organisation.
//!
//! *Source*: ours.

use concordat_protocol::identity::{Inception, PublicKey, SignedCard};

use super::{Field, PaperError, PaperKind, read, write, wrong_fields};

const FIELDS: &str = "inception, card";

/// An organisation and its node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardPaper {
    inception: Inception,
    card: SignedCard,
}

impl CardPaper {
    /// Puts the two together.
    ///
    /// # Errors
    /// - [`PaperError::OtherOrganisation`]: they do not belong together.
    pub fn new(inception: Inception, card: SignedCard) -> Result<Self, PaperError> {
        let id = inception.org_id();
        if id == card.card().org {
            Ok(Self { inception, card })
        } else {
            Err(PaperError::OtherOrganisation { inception: id, card: card.card().org })
        }
    }

    /// Reads a card paper.
    ///
    /// # Errors
    /// - [`PaperError`]: exactly what is wrong with it.
    pub fn from_text(text: &str) -> Result<Self, PaperError> {
        let fields = read(PaperKind::Card, text)?;
        match fields.as_slice() {
            [inception, card] => Self::from_fields(inception, card),
            other => Err(wrong_fields(FIELDS, other)),
        }
    }

    pub(super) fn from_fields(inception: &Field, card: &Field) -> Result<Self, PaperError> {
        if inception.name != "inception" || card.name != "card" {
            return Err(PaperError::Fields {
                expected: FIELDS,
                found: format!("{}, {}", inception.name, card.name),
            });
        }
        Self::new(Inception::from_bytes(&inception.bytes)?, SignedCard::from_bytes(&card.bytes)?)
    }

    /// The text of the paper.
    #[must_use]
    pub fn to_text(&self) -> String {
        let (inception, card) = (self.inception.to_bytes(), self.card.to_bytes());
        let fields: [(&str, &[u8]); 2] = [("inception", &inception), ("card", &card)];
        let comment = format!("{}, {}", self.inception.legal_name, self.inception.class);
        write(PaperKind::Card, &[comment], &fields)
    }

    /// The organisation's inception record.
    #[must_use]
    pub const fn inception(&self) -> &Inception {
        &self.inception
    }

    /// The card of its node.
    #[must_use]
    pub const fn card(&self) -> &SignedCard {
        &self.card
    }
}

/// A public key as people compare it: eight groups of eight hex digits, nothing left out.
#[must_use]
pub fn key_in_words(key: &PublicKey) -> String {
    let hex = data_encoding::HEXLOWER.encode(key.as_bytes());
    let groups: Vec<&str> =
        (0..hex.len()).step_by(8).filter_map(|at| hex.get(at..at + 8)).collect();
    groups.join(" ")
}
