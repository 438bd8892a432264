//! Why a fact has no effect, as sentences.

use crate::artefact::{
    events::BadEvent,
    kind::{Among, Need},
    scalar,
};

/// Why a fact has no effect. It is kept and shown with the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoEffect {
    /// It does not fit its kind.
    #[error(transparent)]
    Unreadable(#[from] BadEvent),
    /// Its author may not write it.
    #[error("only {} may write {event}", who(*.among))]
    NotAllowed {
        /// The event, or `proposal`.
        event: &'static str,
        /// Who may.
        among: Among,
    },
    /// The artefact was in another state, as its author knew it.
    #[error("{event} has no effect in state {state}")]
    WrongState {
        /// The event, or `proposal`.
        event: &'static str,
        /// The state.
        state: &'static str,
    },
    /// It comes after a result, or after a step that comes after one, and that is not fixed yet.
    #[error("{event} waits for the result of a proposal in its past")]
    Waits {
        /// The event, or `proposal`.
        event: &'static str,
    },
    /// A condition was not met, as its author knew it.
    #[error("{event} {}", lacking(*.need))]
    Lacking {
        /// The event, or `proposal`.
        event: &'static str,
        /// The condition.
        need: Need,
    },
    /// Kinds of this version take no proposals.
    #[error("this kind of artefact is not put to a decision")]
    NoProposals,
    /// It names an entry that is not what it should be, or that its author did not know.
    #[error("{event} names an entry that is no {expected} its author knew of")]
    NotThere {
        /// The event.
        event: &'static str,
        /// What it should name.
        expected: &'static str,
    },
    /// The kind of aid is said first or not at all.
    #[error("what kind of aid it is, is said before everything else")]
    TooLate,
    /// No quantity was set for this line.
    #[error("{event} names a line for which its author knew of no quantity")]
    NoLine {
        /// The event.
        event: &'static str,
    },
    /// A line ends before it begins, or a claim is not for any time.
    #[error("{event} is for a time that ends before it begins")]
    Backwards {
        /// The event.
        event: &'static str,
    },
    /// Nothing is asked for or given.
    #[error("{event} is about a quantity of nothing")]
    Nothing {
        /// The event.
        event: &'static str,
    },
    /// More than there is.
    #[error(
        "confirms {}, but only {} is left of the line",
        scalar::quantity(*.asked), scalar::quantity(*.left)
    )]
    AboveLine {
        /// How much was confirmed, in thousandths.
        asked: u64,
        /// How much of the line was left.
        left: u64,
    },
    /// More than was claimed.
    #[error(
        "confirms {}, but only {} is left of the claim",
        scalar::quantity(*.asked), scalar::quantity(*.left)
    )]
    AboveClaim {
        /// How much was confirmed, in thousandths.
        asked: u64,
        /// How much of the claim was left.
        left: u64,
    },
}

fn who(among: Among) -> &'static str {
    match among {
        Among::Members => "active members that receive it",
        Among::Sponsor => "the organisation that opened it",
        Among::Secretariat => "the secretariat",
        Among::Classes(classes) => match classes {
            ["council"] => "councils",
            ["trust"] => "trusts",
            _ => "members of certain classes",
        },
        Among::Locality => "the organisations of that locality",
        Among::Offering => "the side that offers",
        Among::Requesting => "the side that asks",
        Among::Author => "the organisation that wrote what it names",
    }
}

const fn lacking(need: Need) -> &'static str {
    match need {
        Need::From { .. } => "lacks clinical sign-offs",
        Need::NothingConfirmed => "comes after a confirmation",
        Need::Filled(_)
        | Need::NoConflict
        | Need::Sum { .. }
        | Need::NotPassed(_)
        | Need::Item { .. }
        | Need::Above { .. }
        | Need::EachOf { .. } => "lacks something in the document",
    }
}
