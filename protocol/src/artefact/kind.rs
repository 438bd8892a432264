//! What a kind of artefact is made of, as types for the data in `kinds`.
//!
//! ```text
//! shape      in the Automerge document                                         when two write at once
//! Text       a text, made by the skeleton                                      both edits stay
//! Scalar     one map key                                                       all values stay, a person chooses
//! Cosmetic   one map key                                                       one wins; hints for sorting only
//! Set        a map: element as text ──▶ true; removing deletes the key         adding wins
//! List       a map: item id ──▶ { fields…, order: text, removed: true or false }   the edited item stays
//! Record     a map, made by the skeleton                                       part by part
//! ```
//!
//! An item of a list is made in one change with its texts, records, sets and lists. Removing sets `removed`, reordering sets
//! `order`, so nothing that somebody else edits is lost.
//!
//! ```text
//! scalar      in the document                        in an event
//! Text        text of 1 to max characters            the same text
//! Int         integer from min to max                integer
//! Money       pence, integer                         integer
//! Bool        true or false                          1 or 0
//! Decimal     text: digits, at most three decimals   the same text
//! Date        text: 2017-12-04                       the same text
//! DateTime    text: 2017-12-08T12:00Z                the same text
//! Year        text: 2017/18, a financial year        the same text
//! Enum, Code  text: the code                         the same text
//! Url         text that begins https:// or http://   the same text
//! Org         text: org-…                            32 bytes
//! Artefact    text: artefact-…                       32 bytes
//! Entry       text: entry-…                          32 bytes
//! Hash        text: 64 hexadecimal digits            32 bytes
//! ```
//!
//! Knows nothing of Automerge and nothing of any kind in particular.

/// The name under which an item of a list keeps its place.
pub const ORDER: &str = "order";
/// The name under which an item of a list says that it was removed.
pub const REMOVED: &str = "removed";

/// A kind of artefact at one version of its schema.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name in `open` and in charters.
    pub name: &'static str,
    /// The version of its schema, from 1.
    pub version: u64,
    /// What people call it.
    pub label: &'static str,
    /// What several may write, the fields common to all kinds first.
    pub fields: &'static [&'static [Field]],
    /// What one organisation alone may write, the events common to all kinds first.
    pub events: &'static [&'static [EventKind]],
    /// What people say about it.
    pub remarks: &'static [EventKind],
    /// The states it may be in, from the first to the last; it begins in the first.
    pub states: &'static [State],
    /// How it moves from state to state.
    pub transitions: &'static [Transition],
}

/// Something that several organisations may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name in the document.
    pub name: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// What it holds, and how that merges.
    pub shape: Shape,
    /// Whether it is part of what a proposal fixes, the wording digest and the snapshot, given
    /// that the field around it is.
    pub decidable: bool,
    /// Which value holds until a person has chosen among several.
    pub meanwhile: Meanwhile,
}

/// What a field holds, and how that merges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Free text.
    Text,
    /// One value; different values written at once are all kept and shown.
    Scalar(Scalar),
    /// One value of no weight; the last writer wins.
    Cosmetic(Scalar),
    /// A set of values.
    Set(Scalar),
    /// Items with ids, in an order.
    List(&'static [Field]),
    /// Parts, each merged by its own shape.
    Record(&'static [Field]),
}

/// Which of several values holds until a person has chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meanwhile {
    /// None: all are shown.
    None,
    /// The earliest date.
    Earliest,
    /// The one that stands last in the list of the enumeration.
    Strictest,
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    /// Text of at least one character.
    Text {
        /// At most so many characters.
        max: u64,
    },
    /// A whole number.
    Int {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
        /// What it counts, or nothing.
        unit: &'static str,
    },
    /// An amount in pence.
    Money,
    /// Yes or no.
    Bool,
    /// A quantity with at most three decimals; its unit stands beside it.
    Decimal,
    /// A day.
    Date,
    /// A minute, in universal time.
    DateTime,
    /// A financial year.
    Year,
    /// One of the values listed here.
    Enum(&'static [&'static str]),
    /// A code of a list.
    Code(&'static CodeList),
    /// An address on the web.
    Url,
    /// An organisation.
    Org,
    /// An artefact of any board.
    Artefact,
    /// An entry of this board.
    Entry,
    /// A SHA-256 digest.
    Hash,
}

/// A list of codes.
#[derive(Debug, PartialEq, Eq)]
pub struct CodeList {
    /// Its name.
    pub name: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// Who says which codes there are.
    pub source: Source,
    /// The codes, ascending.
    pub codes: &'static [(&'static str, &'static str)],
}

/// Who says which codes a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// This version of the schema: other codes are invalid.
    Schema,
    /// Each board: the codes here are examples, and any code of 1 to 64 lower-case letters,
    /// digits, `-` and `_` is valid.
    Board,
}

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

impl Kind {
    /// The fields, in order.
    pub fn all_fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.fields.iter().flat_map(|part| part.iter())
    }

    /// The field with this name, if there is one.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.all_fields().find(|field| field.name == name)
    }

    /// The events, in order.
    pub fn all_events(&self) -> impl Iterator<Item = &'static EventKind> + use<> {
        self.events.iter().flat_map(|part| part.iter())
    }

    /// The event with this name, if there is one.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<&'static EventKind> {
        self.all_events().find(|event| event.name == name)
    }

    /// The remark with this name, if there is one.
    #[must_use]
    pub fn remark(&self, name: &str) -> Option<&'static EventKind> {
        self.remarks.iter().find(|remark| remark.name == name)
    }

    /// The state with this name, if there is one.
    #[must_use]
    pub fn state(&self, name: &str) -> Option<&'static State> {
        self.states.iter().find(|state| state.name == name)
    }
}

impl Field {
    /// A field that is not part of what a proposal fixes.
    #[must_use]
    pub const fn new(name: &'static str, label: &'static str, shape: Shape) -> Self {
        Self { name, label, shape, decidable: false, meanwhile: Meanwhile::None }
    }

    /// A field of free text.
    #[must_use]
    pub const fn text(name: &'static str, label: &'static str) -> Self {
        Self::new(name, label, Shape::Text)
    }

    /// A field of one value.
    #[must_use]
    pub const fn one(name: &'static str, label: &'static str, scalar: Scalar) -> Self {
        Self::new(name, label, Shape::Scalar(scalar))
    }

    /// A field that is a set of values.
    #[must_use]
    pub const fn set(name: &'static str, label: &'static str, scalar: Scalar) -> Self {
        Self::new(name, label, Shape::Set(scalar))
    }

    /// A field that is a list of items.
    #[must_use]
    pub const fn list(name: &'static str, label: &'static str, of: &'static [Self]) -> Self {
        Self::new(name, label, Shape::List(of))
    }

    /// A field of parts.
    #[must_use]
    pub const fn record(name: &'static str, label: &'static str, parts: &'static [Self]) -> Self {
        Self::new(name, label, Shape::Record(parts))
    }

    /// The same field, as part of what a proposal fixes.
    #[must_use]
    pub const fn decidable(self) -> Self {
        Self { decidable: true, ..self }
    }

    /// The same field, with what holds until a person has chosen.
    #[must_use]
    pub const fn meanwhile(self, meanwhile: Meanwhile) -> Self {
        Self { meanwhile, ..self }
    }
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
