//! What this node checks of a paper beside what it holds, before it acts on it.
//!
//! *Invariants.* Nothing is changed here. Each refusal says what to ask the partner for.
//!
//! *Source*: ours; formats, section 1.

use concordat_protocol::identity::Card;

use super::Replica;
use crate::{
    control::Refusal,
    paper::{BoardPaper, CardPaper},
};

/// The charter must name this organisation with the keys that it has here.
pub(super) fn expect_own_keys(paper: &BoardPaper, replica: &Replica) -> Result<(), Refusal> {
    let charter = paper.founding().charter();
    let card = replica.organisation.paper().card().card();
    let Some(member) = charter.member(&card.org) else {
        let message = format!(
            "{} is not a member of {:?}; ask whoever drafted it to add this organisation's card",
            card.org, charter.title
        );
        return Err(Refusal::new("not-a-member", message));
    };
    if member.feed_key != card.feed_key || member.witness_key != card.witness_key {
        let message = "the charter names other keys for this organisation than it has here; \
                       have the board drafted again with its newest card";
        return Err(Refusal::new("charter-key", message));
    }
    Ok(())
}

/// Whether the card is known already; refused if it is older or contradicts the one known.
pub(super) fn expect_newer(
    paper: &CardPaper,
    accepts_new_key: bool,
    replica: &Replica,
) -> Result<bool, Refusal> {
    let org = paper.card().card().org;
    if org == replica.id() {
        let message = "this is the card of this organisation itself; partners add it, not you";
        return Err(Refusal::new("own-card", message));
    }
    match replica.engine.card(&org) {
        None => Ok(false),
        Some(known) if known == paper.card() => Ok(true),
        Some(known) => compare(known.card(), paper.card().card(), accepts_new_key).map(|()| false),
    }
}

fn compare(known: &Card, new: &Card, accepts_new_key: bool) -> Result<(), Refusal> {
    let number = |card: &Card| format!("number {} of epoch {}", card.number, card.epoch);
    if new.feed_key != known.feed_key && !accepts_new_key {
        let message = format!(
            "the card names another feed key than the one known for {}; ask the organisation by \
             telephone whether it has changed its key, and if so add the card with --accept-new-key",
            new.org
        );
        return Err(Refusal::new("other-key", message));
    }
    if new.feed_key != known.feed_key {
        // People's word, for a key that may have been taken back from a thief who went on: see `engine/card.rs`.
        return Ok(());
    }
    if new.order() == known.order() {
        let message = format!(
            "the card has {}, as the one known, and says something else; ask the organisation \
             for its newest card",
            number(new)
        );
        return Err(Refusal::new("contradicting-card", message));
    }
    if new.order() < known.order() {
        let message = format!(
            "the card has {}, and {} is known already; ask the organisation for its newest card",
            number(new),
            number(known)
        );
        return Err(Refusal::new("older-card", message));
    }
    Ok(())
}

/// Refuses a card that the engine did not take.
pub(super) fn not_taken() -> Refusal {
    let message = "the card does not count: its feed key was replaced, or another key opened its epoch, or the node \
                   key that it names is another organisation's; ask the organisation for its newest card";
    Refusal::new("card-not-taken", message)
}
