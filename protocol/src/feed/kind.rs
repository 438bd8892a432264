//! Kinds of entries: a number, and bits that tell any node how to treat the entry.
//!
//! ```text
//! kind = number (1..=255) + 256 if governance + 512 if withheld + 1024 if redactable
//! ```
//!
//! A node that does not know a kind stores and forwards it by its bits, gives it no effect, and
//! shows it as "newer than this node knows". A known number with other bits is an unknown kind.

use core::fmt;

use serde::{Deserialize, Serialize};

/// A kind as it stands in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Kind(pub u64);

const GOVERNANCE: u64 = 256;
const WITHHELD: u64 = 512;
const REDACTABLE: u64 = 1024;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $number:literal $(+ $bit:ident)*;)*) => {
        impl Kind {
            $($(#[$doc])* pub const $name: Self = Self($number $(+ $bit)*);)*

            /// Every kind this node knows, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The kind's name, if this node knows it.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($text),)*
                    Self(_) => None,
                }
            }
        }
    };
}

kinds! {
    /// Opens a feed; always entry 0.
    OPEN_FEED = "open_feed", 1 + GOVERNANCE;
    /// Acknowledges what is durably held.
    ACK = "ack", 2;
    /// Opens an artefact.
    OPEN = "open", 3;
    /// Carries Automerge changes.
    CHANGE = "change", 4 + WITHHELD;
    /// A signed fact that does not merge.
    EVENT = "event", 5 + WITHHELD;
    /// A comment or position.
    REMARK = "remark", 6 + WITHHELD + REDACTABLE;
    /// Widens an artefact's audience.
    AUDIENCE = "audience", 7 + GOVERNANCE;
    /// Puts exact wording to a decision.
    PROPOSAL = "proposal", 8 + GOVERNANCE + WITHHELD;
    /// Approves, rejects or abstains.
    SIGNOFF = "signoff", 9 + GOVERNANCE + WITHHELD;
    /// Closes a proposal, listing the sign-offs counted.
    CLOSE = "close", 10 + GOVERNANCE + WITHHELD;
    /// Proposes the next charter.
    CHARTER_CANDIDATE = "charter_candidate", 11 + GOVERNANCE;
    /// Votes on the next charter.
    CHARTER_VOTE = "charter_vote", 12 + GOVERNANCE;
    /// Two signed statements that contradict each other.
    EVIDENCE = "evidence", 13 + GOVERNANCE;
    /// Removes a payload, with the ground.
    REDACT = "redact", 14 + GOVERNANCE;
    /// A C2SP checkpoint of a feed.
    CHECKPOINT = "checkpoint", 15;
    /// C2SP cosignatures given.
    COSIGN = "cosign", 16;
    /// An attached file, by its pieces.
    BLOB = "blob", 17 + WITHHELD + REDACTABLE;
    /// Text to the board.
    NOTE = "note", 18 + WITHHELD + REDACTABLE;
    /// The organisation's newer card.
    CARD = "card", 22;
}

impl Kind {
    /// A signed head is mandatory right after such an entry.
    #[must_use]
    pub const fn is_governance(self) -> bool {
        self.0 & GOVERNANCE != 0
    }

    /// Its arrival makes an acknowledgement due; else two that acknowledge each other would never end.
    #[must_use]
    pub fn calls_for_ack(self) -> bool {
        ![Self::ACK, Self::COSIGN].contains(&self)
    }

    /// The payload goes to the artefact's audience alone.
    #[must_use]
    pub const fn is_withheld(self) -> bool {
        self.0 & WITHHELD != 0
    }

    /// The author may redact the payload.
    #[must_use]
    pub const fn is_redactable(self) -> bool {
        self.0 & REDACTABLE != 0
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "kind {} (newer than this node knows)", self.0),
        }
    }
}
