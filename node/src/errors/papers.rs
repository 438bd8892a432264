//! Codes of files that organisations hand one another, and of keys and cards.
//!
//! *Source*: ours.

use super::{Part, codes};

/// Cards, drafts, acceptances, boards.
pub(super) const PAPERS: Part = Part {
    title: "Cards, drafts and board files",
    about: "`concordat card …`, `concordat board …`: files that organisations hand one another.",
    codes: codes! {
        "bad-card" 1: "The card does not read, or is not signed by the key that it names.", "Ask the organisation for its card file again.";
        "card-not-taken" 1 State: "The card does not count: its key was replaced, or another key opened its epoch, or its node key is another's.", "Ask the organisation for its newest card.";
        "charter-key" 1 State: "A charter names another key for an organisation than its card shows.", "Have the board drafted again with its newest card, and find out where the other key came from.";
        "contradicting-card" 1 State: "The card has the number of the one that is known, and says something else.", "Ask the organisation by telephone for its newest card.";
        "draft" 1: "The draft of a board is not in order.", "Mend what the message lists.";
        "garbled" 1: "The file was changed on its way.", "Ask for the file again.";
        "newer-file" 1: "The file was made by a later version of this program.", "Upgrade this node.";
        "not-a-member" 1 Forbidden: "This organisation is not a member in the draft or charter.", "Ask whoever drafted it to add this organisation's card.";
        "not-a-paper" 1: "The file is none of those that organisations hand one another.", "Check the path.";
        "not-accepted" 1: "Not every member has accepted the charter.", "Ask those whom the message names for their acceptance file.";
        "older-card" 1 State: "The card is older than one that is known, or than the keys beside it.", "Ask the organisation for its newest card; put back the newest `organisation.card` of this one.";
        "other-charter" 1: "The acceptance is of another charter than the draft.", "Ask the member to accept this draft.";
        "other-key" 1 State: "A card names another feed key than the one that is known for the organisation.", "Ask it by telephone whether it changed its key; if so, add the card with `--accept-new-key`.";
        "other-kind-of-file" 1: "The file is of another kind than the command takes.", "Check the path.";
        "other-members" 1: "The cards in the file are not those of the charter's members.", "Have the board drafted again.";
        "other-organisation" 1: "Two parts of the file are of different organisations.", "Ask the organisation for its card file again.";
        "own-card" 1 State: "It is this organisation's own card.", "Nothing; partners add it.";
        "unfounded" 1: "The charter founds no board: it breaks a rule of charters.", "The message says which; have the board drafted again.";
    },
};

/// Keys of this organisation.
pub(super) const KEYS: Part = Part {
    title: "Keys",
    about: "`concordat init` and `concordat keys …`. `docs/keys.md` goes through them.",
    codes: codes! {
        "bad-opening" 1: "The opening of a feed breaks a rule, so it is refused; of this organisation's own, partners would.", "The message says which rule; see `docs/keys.md`.";
        "keys" 2: "The keys cannot be read, used or written.", "Do what the message says; no message holds a secret.";
        "no-such-entry" 1: "This organisation's feed has no such entry.", "Name one that there is; the message says how many there are.";
        "not-begun" 1: "Nothing is signed yet, so there is no last entry to name.", "Run `concordat serve` until something is.";
        "not-the-recovery-key" 1: "The file is not the recovery key with which this organisation was founded.", "Fetch the right one from where it is kept.";
        "older-store" 1: "The store may be an older copy, and a new key would cut off what it does not hold.", "Run `concordat serve` first, so that partners give back what is missing; `docs/keys.md` says what to do without a key.";
        "opened-by-another" 1: "Another key has opened this epoch of the organisation.", "Put back the newest `organisation.card`, openings and keys; if a thief has the key, `concordat keys recover`.";
        "organisation" 2: "The files that say who this organisation is cannot be read or written.", "Do what the message says; restore them from a backup.";
        "too-many-epochs" 1: "This organisation has opened as many feeds on the board as it may.", "Speak to the partners: only a new board helps.";
    },
};
