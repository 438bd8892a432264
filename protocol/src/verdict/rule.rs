//! The rules of the verdict: each a variant with the numbers a person needs, and a stable code.
//!
//! Rules are tested in the order in which they stand here. Up to `ActorFeed`, the bytes of the change
//! and its feed alone decide; after it, the changes on which it depends do too.
//!
//! *Invariants.* A code never changes its meaning and is never used again for another rule.
//!
//! *Source*: ours, `SPEC.md` section "Verdict".

use thiserror::Error;

use super::{chunk::ChangeHash, columns::Column};
use crate::limits::{
    CHANGE_BYTES_MAX, CHANGE_MESSAGE_BYTES_MAX, CHANGE_TIME_MAX, COUNT_MAX, DEPENDENCIES_MAX,
    DOCUMENT_BYTES_MAX, DOCUMENT_OPERATIONS_MAX, MARKS_MAX, NESTING_MAX, OPERATIONS_MAX,
    PREDECESSORS_MAX,
};

/// The rule by which a change is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Rule {
    /// The change is too long.
    #[error("the change has {len} bytes, at most {CHANGE_BYTES_MAX} are allowed")]
    Size {
        /// Its bytes.
        len: usize,
    },
    /// A number or a text of the chunk or its header cannot be read.
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
    /// The bytes are no Automerge chunk.
    #[error("the bytes do not begin as an Automerge chunk does")]
    Magic,
    /// The chunk is a document, a compressed change, a bundle, or unknown.
    #[error("the chunk is of type {found}, expected 1, an uncompressed change")]
    ChunkType {
        /// Its type.
        found: u8,
    },
    /// The chunk ends before or after the bytes do.
    #[error("the chunk says it has {stated} bytes, there are {found}")]
    ChunkLength {
        /// What it says.
        stated: u64,
        /// What there is.
        found: usize,
    },
    /// The checksum is not the hash's.
    #[error("the checksum is not the beginning of the hash")]
    Checksum,
    /// More dependencies than allowed.
    #[error("the change depends on {count} others, at most {DEPENDENCIES_MAX} are allowed")]
    DependencyCount {
        /// How many.
        count: u64,
    },
    /// Dependencies are not strictly ascending.
    #[error("dependency {at} does not come after the one before it")]
    DependencyOrder {
        /// Which, from 0.
        at: u64,
    },
    /// An actor id has another length than 32 bytes.
    #[error("an actor id has {len} bytes, expected 32")]
    ActorLength {
        /// Its bytes.
        len: u64,
    },
    /// The time is out of range.
    #[error("the time is {found}, expected 0 to {CHANGE_TIME_MAX}")]
    Time {
        /// The time.
        found: i64,
    },
    /// The message is too long.
    #[error("the message has {len} bytes, at most {CHANGE_MESSAGE_BYTES_MAX} are allowed")]
    Message {
        /// Its bytes.
        len: u64,
    },
    /// The other actors are not strictly ascending, or hold the change's own.
    #[error("other actor {at} does not come after the one before it, or is the change's own")]
    ActorOrder {
        /// Which, from 0.
        at: u64,
    },
    /// A column is unknown, compressed, out of order, or empty.
    #[error("column {spec:#04x} is unknown, compressed, empty or out of order")]
    Columns {
        /// Its specification.
        spec: u64,
    },
    /// Bytes follow the columns.
    #[error("{len} bytes follow the columns")]
    ExtraBytes {
        /// How many.
        len: usize,
    },
    /// More operations than allowed.
    #[error("the change has {count} operations or more, at most {OPERATIONS_MAX} are allowed")]
    TooManyOperations {
        /// As many as were counted.
        count: u64,
    },
    /// More predecessors than allowed.
    #[error("the operations have {count} predecessors, at most {PREDECESSORS_MAX} are allowed")]
    TooManyPredecessors {
        /// How many.
        count: u64,
    },
    /// A column breaks a rule.
    #[error("column {column}: {fault}")]
    Column {
        /// Which.
        column: Column,
        /// How.
        fault: ColumnFault,
    },
    /// An actor is named that no operation uses.
    #[error("other actor {at} is named and not used")]
    ActorUnused {
        /// Which, from 0.
        at: u64,
    },
    /// The actor belongs to another feed.
    #[error("the actor does not belong to the feed that carries the change")]
    ActorFeed,
    /// Two changes of one actor and seq lie in the closure.
    #[error("the dependencies reach two changes of one actor with the same seq")]
    ClosureForked,
    /// The seq does not follow that of the actor's last change in the closure.
    #[error("the change has seq {found}, expected {expected}")]
    Seq {
        /// What it says.
        found: u64,
        /// What would follow.
        expected: u64,
    },
    /// The first operation does not follow the last of the closure.
    #[error("the first operation is numbered {found}, expected {expected}")]
    StartOp {
        /// What it says.
        found: u64,
        /// What would follow.
        expected: u64,
    },
    /// The change does not reach the skeleton.
    #[error("the change depends on nothing, so it does not reach the skeleton")]
    NoSkeleton,
    /// An actor is named that wrote nothing in the closure.
    #[error("other actor {at} wrote nothing that the dependencies reach")]
    ActorNotInClosure {
        /// Which, from 0.
        at: usize,
    },
    /// The document would have too many operations.
    #[error("the document has {count} operations, at most {DOCUMENT_OPERATIONS_MAX} are allowed")]
    DocumentOperations {
        /// With those of the change.
        count: u64,
    },
    /// The document would have too many bytes.
    #[error("the document's changes have {len} bytes, at most {DOCUMENT_BYTES_MAX} are allowed")]
    DocumentBytes {
        /// With those of the change.
        len: u64,
    },
    /// An operation breaks a rule.
    #[error("operation {at}: {fault}")]
    Operation {
        /// Which, from 0.
        at: u32,
        /// How.
        fault: OperationFault,
    },
}

/// Why a number or a text cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// The bytes end before it does.
    #[error("the bytes end too early")]
    CutShort,
    /// A number is not in its shortest form, or has more than 64 bits.
    #[error("a number is not written in its shortest form")]
    LongNumber,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    NotUtf8,
}

/// How a column breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ColumnFault {
    /// A number or a text cannot be read.
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
    /// The reference encoder would have written it otherwise.
    #[error("it is not written as the reference encoder writes it")]
    NotCanonical,
    /// It has another number of rows than there are operations or predecessors.
    #[error("it has another number of rows than {expected}")]
    Length {
        /// The operations or predecessors.
        expected: u64,
    },
    /// A row is empty that must not be.
    #[error("a row is empty")]
    Null,
    /// A counter is out of range.
    #[error("a counter is out of range")]
    CounterRange,
    /// An actor is named that the change does not list.
    #[error("actor {index} is not listed, there are {actors}")]
    ActorIndex {
        /// Which, 0 being the change's own.
        index: u64,
        /// How many are listed, with its own.
        actors: u64,
    },
    /// The values have other lengths than the bytes there are.
    #[error("the values' lengths do not sum up to the {len} bytes there are")]
    ValueLength {
        /// The bytes.
        len: usize,
    },
}

/// How an operation breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OperationFault {
    /// The object has an actor without a counter, or the reverse.
    #[error("its object is half an id")]
    HalfObject,
    /// The object is not in the closure, nor made earlier in the change.
    #[error("its object is not among what the change depends on")]
    ObjectNotInClosure,
    /// What it names as its object is none.
    #[error("what it names as its object is not an object")]
    NotAnObject,
    /// The action is none of those allowed.
    #[error("its action is {action}, expected 0 to 5 or 7")]
    Action {
        /// The action.
        action: u64,
    },
    /// The value has an unknown type, a wrong length, or does not belong to the action.
    #[error("its value has an unknown type, a wrong length, or does not fit the action")]
    Value,
    /// A counter or an increment is too large for sums of them to be held.
    #[error("it counts {found}, expected at most {COUNT_MAX} up or down")]
    CountSize {
        /// The counter or increment.
        found: i64,
    },
    /// A mark's name or expansion on an operation that is no mark.
    #[error("it has a mark's name or expansion and is no mark")]
    MarkFields,
    /// A deletion or an increment is said to insert.
    #[error("it deletes or increments, and cannot insert")]
    Insert,
    /// The key is not of the kind that the object needs.
    #[error("its key is not of the kind that the object needs")]
    KeyType,
    /// The element is not in the closure, nor inserted earlier in the change.
    #[error("its element is not among what the change depends on")]
    ElementNotInClosure,
    /// What it names as an element is not one of the object.
    #[error("what it names as an element is not one of its object")]
    ElementOfAnotherList,
    /// An existing mark is updated or deleted.
    #[error("its element is a mark, which cannot be updated")]
    ElementIsMark,
    /// An existing element of a text is changed otherwise than by deletion.
    #[error("an existing element of a text may only be deleted")]
    TextUpdate,
    /// Something else than text, a block or a mark is inserted into a text.
    #[error("a text holds strings, blocks and marks alone")]
    TextValue,
    /// An insertion has predecessors.
    #[error("it inserts, and has a predecessor")]
    InsertWithPredecessor,
    /// A deletion, an increment or an update of an element has none.
    #[error("it has no predecessor")]
    NoPredecessor,
    /// Predecessors do not ascend.
    #[error("its predecessors do not ascend")]
    PredecessorOrder,
    /// A predecessor is not in the closure, nor earlier in the change.
    #[error("a predecessor is not among what the change depends on")]
    PredecessorNotInClosure,
    /// A predecessor is on another object, key or element, or can be none.
    #[error("a predecessor is on another object, key or element, or deletes, increments or marks")]
    PredecessorElsewhere,
    /// An increment without a counter to increment.
    #[error("it increments, and no predecessor is a counter")]
    IncrementWithoutCounter,
    /// A mark outside a text.
    #[error("a mark stands outside a text")]
    MarkPlace,
    /// A mark's begin without its end right after it, or the reverse.
    #[error("a mark's begin and end do not follow each other")]
    MarkUnbalanced,
    /// More marks than allowed.
    #[error("the change begins more than {MARKS_MAX} marks")]
    TooManyMarks,
    /// A mark's end does not stand after its begin in the text.
    #[error("a mark ends before it begins")]
    MarkOrder,
    /// Objects are nested too deeply.
    #[error("its object would be nested more than {NESTING_MAX} deep")]
    Nesting,
}

impl Rule {
    /// The code that stands for the rule in specification, vectors and statuses.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Size { .. } => "size",
            Self::Unreadable(fault) => fault.code(),
            Self::Magic => "magic",
            Self::ChunkType { .. } => "chunk-type",
            Self::ChunkLength { .. } => "chunk-length",
            Self::Checksum => "checksum",
            Self::DependencyCount { .. } => "dependency-count",
            Self::DependencyOrder { .. } => "dependency-order",
            Self::ActorLength { .. } => "actor-length",
            Self::ActorFeed => "actor-feed",
            Self::Time { .. } => "time",
            Self::Message { .. } => "message",
            Self::ActorOrder { .. } => "actor-order",
            Self::Columns { .. } => "columns",
            Self::ExtraBytes { .. } => "extra-bytes",
            Self::TooManyOperations { .. } => "too-many-operations",
            Self::TooManyPredecessors { .. } => "too-many-predecessors",
            Self::Column { fault, .. } => fault.code(),
            Self::ActorUnused { .. } => "actor-unused",
            Self::ClosureForked => "closure-forked",
            Self::Seq { .. } => "seq",
            Self::StartOp { .. } => "start-op",
            Self::NoSkeleton => "no-skeleton",
            Self::ActorNotInClosure { .. } => "actor-not-in-closure",
            Self::DocumentOperations { .. } => "document-operations",
            Self::DocumentBytes { .. } => "document-bytes",
            Self::Operation { fault, .. } => fault.code(),
        }
    }

    /// Every code, in the order in which the rules are tested.
    pub const CODES: &'static [&'static str] = &[
        "size",
        "cut-short",
        "long-number",
        "utf8",
        "magic",
        "chunk-type",
        "chunk-length",
        "checksum",
        "dependency-count",
        "dependency-order",
        "actor-length",
        "time",
        "message",
        "actor-order",
        "columns",
        "extra-bytes",
        "too-many-operations",
        "canonical",
        "column-length",
        "column-null",
        "counter-range",
        "actor-index",
        "value-length",
        "too-many-predecessors",
        "actor-unused",
        "actor-feed",
        "closure-forked",
        "seq",
        "start-op",
        "no-skeleton",
        "actor-not-in-closure",
        "document-operations",
        "document-bytes",
        "object-half",
        "object-not-in-closure",
        "not-an-object",
        "action",
        "value",
        "count-size",
        "mark-fields",
        "insert",
        "key-type",
        "element-not-in-closure",
        "element-of-another-list",
        "element-is-mark",
        "text-update",
        "text-value",
        "insert-with-predecessor",
        "no-predecessor",
        "predecessor-order",
        "predecessor-not-in-closure",
        "predecessor-elsewhere",
        "increment-without-counter",
        "mark-place",
        "mark-unbalanced",
        "too-many-marks",
        "mark-order",
        "nesting",
    ];
}

impl Unreadable {
    const fn code(self) -> &'static str {
        match self {
            Self::CutShort => "cut-short",
            Self::LongNumber => "long-number",
            Self::NotUtf8 => "utf8",
        }
    }
}

impl ColumnFault {
    const fn code(self) -> &'static str {
        match self {
            Self::Unreadable(fault) => fault.code(),
            Self::NotCanonical => "canonical",
            Self::Length { .. } => "column-length",
            Self::Null => "column-null",
            Self::CounterRange => "counter-range",
            Self::ActorIndex { .. } => "actor-index",
            Self::ValueLength { .. } => "value-length",
        }
    }

    /// The rule, of this column.
    pub(super) const fn of(self, column: Column) -> Rule {
        Rule::Column { column, fault: self }
    }
}

impl OperationFault {
    const fn code(self) -> &'static str {
        match self {
            Self::HalfObject => "object-half",
            Self::ObjectNotInClosure => "object-not-in-closure",
            Self::NotAnObject => "not-an-object",
            Self::Value => "value",
            Self::Action { .. } => "action",
            Self::CountSize { .. } => "count-size",
            Self::MarkFields => "mark-fields",
            Self::Insert => "insert",
            Self::KeyType => "key-type",
            Self::ElementNotInClosure => "element-not-in-closure",
            Self::ElementOfAnotherList => "element-of-another-list",
            Self::ElementIsMark => "element-is-mark",
            Self::TextUpdate => "text-update",
            Self::TextValue => "text-value",
            Self::InsertWithPredecessor => "insert-with-predecessor",
            Self::NoPredecessor => "no-predecessor",
            Self::PredecessorOrder => "predecessor-order",
            Self::PredecessorNotInClosure => "predecessor-not-in-closure",
            Self::PredecessorElsewhere => "predecessor-elsewhere",
            Self::IncrementWithoutCounter => "increment-without-counter",
            Self::MarkPlace => "mark-place",
            Self::MarkUnbalanced => "mark-unbalanced",
            Self::MarkOrder => "mark-order",
            Self::TooManyMarks => "too-many-marks",
            Self::Nesting => "nesting",
        }
    }
}

/// What a change is found to be.
#[derive(Debug)]
pub enum Judgement {
    /// It may be handed to Automerge once its entry has effect.
    Good(super::Judged),
    /// Nothing can be said before these changes are there.
    Waiting {
        /// Dependencies that the history does not hold.
        missing: alloc::vec::Vec<ChangeHash>,
    },
    /// It is never handed to Automerge.
    Refused(Rule),
}
