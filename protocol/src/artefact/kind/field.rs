//! Fields: what several organisations may write, and the values that fields and events hold.

/// The name under which an item of a list keeps its place.
pub const ORDER: &str = "order";
/// The name under which an item of a list says that it was removed.
pub const REMOVED: &str = "removed";

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
