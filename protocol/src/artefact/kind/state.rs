//! States and transitions, what must be true before them, and what time alone does.

use super::Who;

/// What must be true before a transition.
///
/// Needs of the document are tested by the author's own node before it signs, and are findings
/// elsewhere: no effect depends on a document. Needs of events decide whether it has effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Document: the field has a value.
    Filled(&'static str),
    /// Document: no conflict is open.
    NoConflict,
    /// Document: the amounts of a list come to the total, if either is given.
    Sum {
        /// The total.
        total: &'static str,
        /// The list.
        list: &'static str,
        /// The amount of each item.
        amount: &'static str,
    },
    /// Document and day: the day in the field has not passed, if it is given.
    NotPassed(&'static str),
    /// Document: an item of the list has this value.
    Item {
        /// The list.
        list: &'static str,
        /// The field of its items.
        field: &'static str,
        /// The value.
        value: &'static str,
    },
    /// Document and events: above an amount in a field, both sides have written the event.
    Above {
        /// The field.
        field: &'static str,
        /// The amount in pence from which on it is not needed.
        pence: u64,
        /// The event.
        event: &'static str,
    },
    /// Audience and events: every organisation of the class in the audience has written the event.
    EachOf {
        /// The class.
        class: &'static str,
        /// The event.
        event: &'static str,
    },
    /// Events: so many organisations of the class say so, of the proposal before.
    From {
        /// The class.
        class: &'static str,
        /// How many organisations.
        least: usize,
        /// The event; its first value names the proposal.
        event: &'static str,
        /// What its second value must be.
        value: &'static str,
    },
    /// Events: nothing has been confirmed.
    NothingConfirmed,
}

impl Need {
    /// Whether it is tested on events alone, so that every node comes to the same.
    #[must_use]
    pub const fn is_of_events(self) -> bool {
        matches!(self, Self::From { .. } | Self::NothingConfirmed)
    }
}

/// A state that an artefact may be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Its name.
    pub name: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// Which of several states reached at once is shown: the highest.
    pub caution: Caution,
    /// What follows from this state with time alone.
    pub clock: &'static [Clock],
}

/// How cautious a state is; of several reached at once the most cautious holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caution {
    /// Something was approved, or holds because of it.
    Approved,
    /// None of the others.
    Plain,
    /// Put off.
    Deferred,
    /// Called in for scrutiny.
    CalledIn,
    /// Taken back.
    Withdrawn,
    /// Held for safety.
    Suspended,
}

/// From a date on, a state is shown as another. The last that fits holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The value of the event that led here which gives the date.
    pub param: &'static str,
    /// Whether the day itself still belongs to the state before.
    pub after: bool,
    /// The state from then on.
    pub becomes: &'static str,
}

/// A way from state to state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// What sets it off.
    pub by: Trigger,
    /// From any of these states.
    pub from: &'static [&'static str],
    /// To this state.
    pub to: &'static str,
    /// What must be true before.
    pub needs: &'static [Need],
}

/// What sets off a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// The event with this name, by those who may write it.
    Event(&'static str),
    /// A proposal, by those named here.
    Proposal(Who),
    /// The proposal that led to the state before is carried, once that is fixed.
    Carried,
    /// The proposal that led to the state before failed, once that is fixed.
    NotCarried,
}

impl Caution {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Plain => "plain",
            Self::Deferred => "deferred",
            Self::CalledIn => "called_in",
            Self::Withdrawn => "withdrawn",
            Self::Suspended => "suspended",
        }
    }
}

impl State {
    /// A state that time does not change.
    #[must_use]
    pub const fn new(name: &'static str, label: &'static str, caution: Caution) -> Self {
        Self { name, label, caution, clock: &[] }
    }

    /// The same state, with what follows from time.
    #[must_use]
    pub const fn clock(self, clock: &'static [Clock]) -> Self {
        Self { clock, ..self }
    }
}

impl Transition {
    /// A transition without conditions.
    #[must_use]
    pub const fn new(by: Trigger, from: &'static [&'static str], to: &'static str) -> Self {
        Self { by, from, to, needs: &[] }
    }

    /// The same transition, under conditions.
    #[must_use]
    pub const fn needs(self, needs: &'static [Need]) -> Self {
        Self { needs, ..self }
    }
}
