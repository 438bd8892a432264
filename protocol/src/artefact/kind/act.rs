//! Events and remarks: what one organisation alone writes, who may, and what it does.

use super::Scalar;

/// An event or a remark: a signed fact by one organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventKind {
    /// Its name in the payload.
    pub name: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// Its values, in order.
    pub params: &'static [Param],
    /// Who may write it.
    pub who: Who,
    /// What it does.
    pub effect: Effect,
    /// In which states it may be written; none named means in all of them.
    pub during: &'static [&'static str],
}

/// One value of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    /// Its name in JSON and on screen.
    pub name: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// What it is.
    pub scalar: Scalar,
    /// How many there are.
    pub count: Count,
}

/// How many values stand in one place of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// The value itself.
    One,
    /// `[]` or `[x]`.
    Optional,
    /// `[x…]`, at most so many.
    Many(u64),
}

/// Who may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who {
    /// Which organisations: every node tests this.
    pub org: Among,
    /// In which role: the own node tests this before it signs, and states it in the attribution.
    pub role: Role,
}

/// Which organisations may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    /// Every active member that takes part.
    Members,
    /// The organisation that opened the artefact, or its successor.
    Sponsor,
    /// The organisations on the secretariat's rota.
    Secretariat,
    /// Members of these classes.
    Classes(&'static [&'static str]),
    /// Members of the locality that the first value names.
    Locality,
    /// Those that offer aid: the sponsor of an offer, everybody else for a request.
    Offering,
    /// Those that ask for aid: the sponsor of a request, everybody else for an offer.
    Requesting,
    /// The author of the entry that the first value names.
    Author,
}

/// In which role a person acts for an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Writes and comments.
    Editor,
    /// Writes for the organisation that opened the artefact.
    SponsorEditor,
    /// Keeps the board's business.
    Secretariat,
    /// Binds the organisation.
    Signatory,
    /// Answers for clinical safety.
    ClinicalSafety,
    /// Binds the organisation in money.
    FinanceSignatory,
    /// Answers for operations, day and night.
    OpsOnCall,
    /// Answers for information governance.
    IgLead,
}

/// What an event does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It is kept beside the others.
    Log,
    /// It is a row of its organisation: of those with equal leading values the last holds.
    Row {
        /// The table that the row stands in; two events may write the same.
        table: &'static str,
        /// How many leading values name the row.
        key: usize,
    },
    /// It moves the artefact, as the transitions with its name say.
    Move,
    /// It holds the artefact in a state, whatever moves underneath, until its author lets go.
    Hold {
        /// The state.
        state: &'static str,
    },
    /// Its author lets go of the hold that the first value names.
    LetGo {
        /// A last value and the state that the artefact then moves to; otherwise it is where it
        /// was.
        instead: Option<(&'static str, &'static str)>,
    },
    /// It upholds one of several moves made at once: the one that the first value names.
    Uphold,
    /// It is about capacity.
    Capacity(Capacity),
}

/// What an event about capacity does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capacity {
    /// Whether this is an offer or a request.
    Aid,
    /// Sets the quantity of a line, and its times.
    Quantity,
    /// Claims a quantity.
    Claim,
    /// Gives up a claim.
    GiveUp,
    /// Confirms a claim, in whole or in part.
    Confirm,
    /// Declines a claim.
    Decline,
    /// Calls a line back.
    Recall,
    /// Says what was delivered.
    Deliver,
}

impl Param {
    /// A value that is always there.
    #[must_use]
    pub const fn one(name: &'static str, label: &'static str, scalar: Scalar) -> Self {
        Self { name, label, scalar, count: Count::One }
    }

    /// A value that may be left out.
    #[must_use]
    pub const fn optional(name: &'static str, label: &'static str, scalar: Scalar) -> Self {
        Self { name, label, scalar, count: Count::Optional }
    }

    /// Any number of values up to a bound.
    #[must_use]
    pub const fn many(name: &'static str, label: &'static str, scalar: Scalar, most: u64) -> Self {
        Self { name, label, scalar, count: Count::Many(most) }
    }
}

impl EventKind {
    /// An event that is kept beside the others, in any state.
    #[must_use]
    pub const fn new(
        name: &'static str,
        label: &'static str,
        who: Who,
        params: &'static [Param],
    ) -> Self {
        Self { name, label, params, who, effect: Effect::Log, during: &[] }
    }

    /// The same event, with what it does.
    #[must_use]
    pub const fn does(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    /// The same event, in these states only.
    #[must_use]
    pub const fn during(self, during: &'static [&'static str]) -> Self {
        Self { during, ..self }
    }
}

impl Who {
    /// These organisations, in this role.
    #[must_use]
    pub const fn new(org: Among, role: Role) -> Self {
        Self { org, role }
    }
}

impl Role {
    /// Its name, as attributions and the registers of roles have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Editor => "editor",
            Self::SponsorEditor => "sponsor_editor",
            Self::Secretariat => "secretariat",
            Self::Signatory => "signatory",
            Self::ClinicalSafety => "clinical_safety",
            Self::FinanceSignatory => "finance_signatory",
            Self::OpsOnCall => "ops_oncall",
            Self::IgLead => "ig_lead",
        }
    }
}
