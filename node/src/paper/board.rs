//! Draft and board papers: a charter, alone or with everybody's acceptance, and the members' cards.
//!
//! The cards travel along so that whoever has the paper can check every key in the charter against
//! the organisation's own record, and whoever joins knows where its partners' nodes are.
//!
//! *Invariants.* The charter may found a board. There is exactly one card paper for each member, in
//! the charter's order, whose keys are those that the charter names.
//!
//! *Source*: ours.

use concordat_protocol::{
    charter::{Charter, Founding, Member},
    hash::BoardId,
};

use super::{CardPaper, Field, PaperError, PaperKind, read, write, wrong_fields};

const DRAFT_FIELDS: &str = "charter, then inception and card of each member";
const BOARD_FIELDS: &str = "founding, then inception and card of each member";

/// A charter that nobody has accepted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftPaper {
    charter: Charter,
    board: BoardId,
    cards: Vec<CardPaper>,
}

impl DraftPaper {
    /// Puts a charter and its members' cards together, in whatever order.
    ///
    /// # Errors
    /// - [`PaperError::Unfounded`]: the charter can found no board.
    /// - [`PaperError::OtherMembers`], [`PaperError::OtherKey`]: charter and cards differ.
    pub fn new(charter: Charter, cards: Vec<CardPaper>) -> Result<Self, PaperError> {
        // Its bytes may say more than its fields: only what decodes again can be signed.
        let charter = Charter::from_bytes(&charter.to_bytes())?;
        let board = charter.check_founding()?;
        let cards = in_order_of(&charter, cards)?;
        Ok(Self { charter, board, cards })
    }

    /// Reads a draft paper.
    ///
    /// # Errors
    /// - [`PaperError`]: exactly what is wrong with it.
    pub fn from_text(text: &str) -> Result<Self, PaperError> {
        let fields = read(PaperKind::Draft, text)?;
        let (charter, cards) = split(&fields, "charter", DRAFT_FIELDS)?;
        Self::new(Charter::from_bytes(charter)?, cards)
    }

    /// The text of the paper.
    #[must_use]
    pub fn to_text(&self) -> String {
        let comment = format!("draft of {}", self.charter.title);
        join(PaperKind::Draft, comment, ("charter", &self.charter.to_bytes()), &self.cards)
    }

    /// The charter.
    #[must_use]
    pub const fn charter(&self) -> &Charter {
        &self.charter
    }

    /// The board that it would found.
    #[must_use]
    pub const fn board(&self) -> BoardId {
        self.board
    }

    /// The members' cards.
    #[must_use]
    pub fn cards(&self) -> &[CardPaper] {
        &self.cards
    }
}

/// A charter that everybody has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardPaper {
    founding: Founding,
    cards: Vec<CardPaper>,
}

impl BoardPaper {
    /// Puts a founding file and its members' cards together, in whatever order.
    ///
    /// # Errors
    /// - [`PaperError::OtherMembers`], [`PaperError::OtherKey`]: charter and cards differ.
    pub fn new(founding: Founding, cards: Vec<CardPaper>) -> Result<Self, PaperError> {
        let cards = in_order_of(founding.charter(), cards)?;
        Ok(Self { founding, cards })
    }

    /// Reads a board paper and verifies all of it.
    ///
    /// # Errors
    /// - [`PaperError`]: exactly what is wrong with it.
    pub fn from_text(text: &str) -> Result<Self, PaperError> {
        let fields = read(PaperKind::Board, text)?;
        let (founding, cards) = split(&fields, "founding", BOARD_FIELDS)?;
        Self::new(Founding::from_bytes(founding)?, cards)
    }

    /// The text of the paper.
    #[must_use]
    pub fn to_text(&self) -> String {
        let comment = self.founding.charter().title.clone();
        join(PaperKind::Board, comment, ("founding", &self.founding.to_bytes()), &self.cards)
    }

    /// The charter with everybody's acceptance.
    #[must_use]
    pub const fn founding(&self) -> &Founding {
        &self.founding
    }

    /// The members' cards.
    #[must_use]
    pub fn cards(&self) -> &[CardPaper] {
        &self.cards
    }
}

/// The first field, and the pairs after it.
fn split<'a>(
    fields: &'a [Field],
    first: &str,
    expected: &'static str,
) -> Result<(&'a [u8], Vec<CardPaper>), PaperError> {
    let wrong = || wrong_fields(expected, fields);
    let (head, rest) = fields.split_first().ok_or_else(wrong)?;
    if head.name != first || rest.len() % 2 != 0 {
        return Err(wrong());
    }
    let pair = |pair: &[Field]| match pair {
        [inception, card] => CardPaper::from_fields(inception, card),
        _ => Err(wrong()),
    };
    let cards = rest.chunks(2).map(pair).collect::<Result<_, _>>()?;
    Ok((&head.bytes, cards))
}

fn join(kind: PaperKind, title: String, head: (&str, &[u8]), cards: &[CardPaper]) -> String {
    let pairs: Vec<(Vec<u8>, Vec<u8>)> =
        cards.iter().map(|paper| (paper.inception().to_bytes(), paper.card().to_bytes())).collect();
    let mut fields = vec![head];
    for (inception, card) in &pairs {
        fields.push(("inception", inception));
        fields.push(("card", card));
    }
    let mut comments = vec![title];
    comments.extend(cards.iter().map(|paper| paper.inception().legal_name.clone()));
    write(kind, &comments, &fields)
}

/// One card for each member, in the charter's order, with the keys that the charter names.
fn in_order_of(charter: &Charter, mut cards: Vec<CardPaper>) -> Result<Vec<CardPaper>, PaperError> {
    cards.sort_by_key(|paper| paper.card().card().org);
    for (member, paper) in charter.members.iter().zip(&cards) {
        expect_keys(member, paper)?;
    }
    let odd = match charter.members.len().cmp(&cards.len()) {
        std::cmp::Ordering::Less => {
            cards.get(charter.members.len()).map(|paper| paper.card().card().org)
        }
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => charter.members.get(cards.len()).map(|member| member.org),
    };
    odd.map_or(Ok(cards), |org| Err(PaperError::OtherMembers { org }))
}

fn expect_keys(member: &Member, paper: &CardPaper) -> Result<(), PaperError> {
    let card = paper.card().card();
    if member.org != card.org {
        return Err(PaperError::OtherMembers { org: member.org.min(card.org) });
    }
    for (key, fits) in [
        ("feed", member.feed_key == card.feed_key),
        ("witness", member.witness_key == card.witness_key),
        ("recovery", member.recovery_digest == paper.inception().recovery_digest),
    ] {
        if !fits {
            return Err(PaperError::OtherKey { slug: member.slug.clone(), key });
        }
    }
    Ok(())
}
