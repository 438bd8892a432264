//! The rules on each operation: what it may name, what it may do, and what it may follow.
//!
//! | object | key | what may be done |
//! |---|---|---|
//! | map | text | put, make, delete, increment |
//! | list | element, or the head to insert | insert and update with a put or make; delete, increment |
//! | text | element, or the head to insert | insert of strings, maps (blocks) and marks; delete |
//!
//! *Invariants.* What is found here depends on the closure alone, never on what else the history
//! holds. No recursion; the work for an operation is logarithmic in the history, whatever it is.
//!
//! *Source*: ours; what Automerge 0.12 cannot bear, `SPEC.md` section "Verdict".

use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};

use super::{
    chunk::Chunk,
    known::Known,
    operation::{Deed, Insertion, KeyNumber, Made, ObjectType, OpId, Slot, Span},
    reader::Reader,
    rule::{OperationFault as Fault, Rule},
    table::{Row, Table},
};
use crate::limits::{COUNT_MAX, MARKS_MAX, NESTING_MAX};

/// The root of every document.
const ROOT: Made = Made { object: ObjectType::Map, nesting: 0 };

/// What an operation does, as its action says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Make(ObjectType),
    Put,
    Delete,
    Increment,
    MarkBegin,
    MarkEnd,
}

/// The key of an operation, found to be of its object's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Key(KeyNumber),
    After(OpId),
    Element(OpId),
}

/// A mark that has begun: its object and the element after which it begins.
#[derive(Debug, Clone, Copy)]
struct Begun {
    object: OpId,
    after: OpId,
}

/// Types of value, as numbered in the value column.
mod value_type {
    pub(super) const NULL: u64 = 0;
    pub(super) const FALSE: u64 = 1;
    pub(super) const TRUE: u64 = 2;
    pub(super) const UNSIGNED: u64 = 3;
    pub(super) const SIGNED: u64 = 4;
    pub(super) const FLOAT: u64 = 5;
    pub(super) const TEXT: u64 = 6;
    pub(super) const BYTES: u64 = 7;
    pub(super) const COUNTER: u64 = 8;
    pub(super) const TIME: u64 = 9;
}

/// The operations of a change, judged one after the other.
pub(super) struct Operations<'h> {
    pub(super) known: Known<'h>,
    actors: Vec<Slot>,
    pub(super) new_keys: Vec<Box<str>>,
    key_numbers: BTreeMap<Box<str>, KeyNumber>,
    begun: Option<Begun>,
    marks: u32,
    /// The object of the operation before: most stay with it.
    last: (OpId, Made),
}

impl<'h> Operations<'h> {
    pub(super) fn new(known: Known<'h>, actors: Vec<Slot>) -> Self {
        Self {
            known,
            actors,
            new_keys: Vec::new(),
            key_numbers: BTreeMap::new(),
            begun: None,
            marks: 0,
            last: (OpId::ROOT, ROOT),
        }
    }

    pub(super) fn judge(&mut self, chunk: &Chunk<'_>) -> Result<(), Rule> {
        let mut table = Table::new(&chunk.columns);
        let mut predecessors = Vec::new();
        for at in 0..chunk.operations() {
            let broken = |fault| Rule::Operation { at, fault };
            let row = table.next()?;
            predecessors.clear();
            for _ in 0..row.predecessors {
                let (actor, counter) = table.predecessor()?;
                predecessors
                    .push(self.id(actor, counter).ok_or(broken(Fault::PredecessorNotInClosure))?);
            }
            self.operation(at, &row, &predecessors).map_err(broken)?;
        }
        match self.begun {
            Some(_) => {
                let at = chunk.operations().saturating_sub(1);
                Err(Rule::Operation { at, fault: Fault::MarkUnbalanced })
            }
            None => Ok(()),
        }
    }

    fn operation(&mut self, at: u32, row: &Row<'_>, predecessors: &[OpId]) -> Result<(), Fault> {
        let (object, made) = self.object(row)?;
        let action = action(row)?;
        expect_value(row, action)?;
        let target = self.target(row, object, made.object)?;
        if made.object == ObjectType::Text {
            expect_in_text(row, action, target)?;
        }
        expect_predecessors(action, target, predecessors.len())?;
        let counters = self.predecessors(predecessors, object, target)?;
        if action == Action::Increment && counters == 0 {
            return Err(Fault::IncrementWithoutCounter);
        }
        let id = OpId { actor: self.known.slot, counter: self.known.start_op.saturating_add(at) };
        self.mark(action, made.object, (object, target), id)?;
        let makes = match action {
            Action::Make(_) if made.nesting >= NESTING_MAX => return Err(Fault::Nesting),
            Action::Make(object) => Some(Made { object, nesting: made.nesting + 1 }),
            Action::Put
            | Action::Delete
            | Action::Increment
            | Action::MarkBegin
            | Action::MarkEnd => None,
        };
        let deed = match (action, target) {
            (Action::Delete, _) => Deed::Delete,
            (Action::Increment, _) => Deed::Increment,
            (_, Target::Key(key)) => Deed::Put(key),
            (_, Target::Element(element)) => Deed::Update(element),
            (_, Target::After(after)) => Deed::Insert(Insertion::after(after)),
        };
        let is_mark = matches!(action, Action::MarkBegin | Action::MarkEnd);
        let is_counter = action == Action::Put && row.value_type == value_type::COUNTER;
        self.keep(Span { first: at, len: 1, object, deed, makes, is_mark, is_counter }, id)
    }

    /// Keeps an operation, in the span before if it goes on just so.
    fn keep(&mut self, mut span: Span, id: OpId) -> Result<(), Fault> {
        if self.known.spans.last_mut().is_some_and(|last| last.extend(&span, id)) {
            return Ok(());
        }
        if let Deed::Insert(place) = &mut span.deed {
            *place = self.known.insertion(place.after).ok_or(Fault::ElementNotInClosure)?;
        }
        self.known.spans.push(span);
        Ok(())
    }

    /// An id from the place of its actor in the change's list.
    fn id(&self, actor: u64, counter: u64) -> Option<OpId> {
        let actor = *self.actors.get(usize::try_from(actor).ok()?)?;
        Some(OpId { actor, counter: u32::try_from(counter).ok()? })
    }

    fn object(&mut self, row: &Row<'_>) -> Result<(OpId, Made), Fault> {
        let id = match row.object {
            (None, None) => return Ok((OpId::ROOT, ROOT)),
            (Some(actor), Some(counter)) => self.id(actor, counter).ok_or(Fault::HalfObject)?,
            (Some(_), None) | (None, Some(_)) => return Err(Fault::HalfObject),
        };
        if id != self.last.0 {
            let found = self.known.find(id).ok_or(Fault::ObjectNotInClosure)?;
            self.last = (id, found.span.makes.ok_or(Fault::NotAnObject)?);
        }
        Ok(self.last)
    }

    fn target(&mut self, row: &Row<'_>, object: OpId, kind: ObjectType) -> Result<Target, Fault> {
        if kind == ObjectType::Map {
            return match row.key {
                (None, None, Some(key)) if !row.is_insert => Ok(Target::Key(self.key(key))),
                _ => Err(Fault::KeyType),
            };
        }
        let element = match row.key {
            (None, Some(0), None) if row.is_insert => return Ok(Target::After(OpId::HEAD)),
            (Some(actor), Some(counter @ 1..), None) => self.id(actor, counter),
            _ => None,
        };
        let element = element.ok_or(Fault::KeyType)?;
        let found = self.known.find(element).ok_or(Fault::ElementNotInClosure)?;
        let is_of_object =
            matches!(found.span.deed, Deed::Insert(_)) && found.span.object == object;
        if !is_of_object {
            return Err(Fault::ElementOfAnotherList);
        }
        if row.is_insert {
            return Ok(Target::After(element));
        }
        if found.span.is_mark {
            return Err(Fault::ElementIsMark);
        }
        Ok(Target::Element(element))
    }

    fn key(&mut self, key: &str) -> KeyNumber {
        if let Some(number) = self.known.history.key(key) {
            return number;
        }
        if let Some(number) = self.key_numbers.get(key) {
            return *number;
        }
        let at = u32::try_from(self.new_keys.len()).unwrap_or(0);
        let number = KeyNumber(KeyNumber::NEW | at);
        self.new_keys.push(key.into());
        self.key_numbers.insert(key.into(), number);
        number
    }

    /// Tests that predecessors ascend and stand on the same key or element; counts the counters.
    fn predecessors(
        &self,
        predecessors: &[OpId],
        object: OpId,
        target: Target,
    ) -> Result<usize, Fault> {
        let mut counters = 0;
        let mut before = None;
        for id in predecessors.iter().copied() {
            if before.is_some_and(|before| self.known.compare(before, id).is_ge()) {
                return Err(Fault::PredecessorOrder);
            }
            before = Some(id);
            let span = self.known.find(id).ok_or(Fault::PredecessorNotInClosure)?.span;
            let is_there = match (span.deed, target) {
                (Deed::Put(key), Target::Key(own)) => key == own,
                (Deed::Insert(_), Target::Element(element)) => !span.is_mark && id == element,
                (Deed::Update(other), Target::Element(element)) => other == element,
                _ => false,
            };
            if !is_there || span.object != object {
                return Err(Fault::PredecessorElsewhere);
            }
            counters += usize::from(span.is_counter);
        }
        Ok(counters)
    }

    /// Tests that a mark stands in a text, and that its end follows its begin at once.
    fn mark(
        &mut self,
        action: Action,
        kind: ObjectType,
        (object, target): (OpId, Target),
        id: OpId,
    ) -> Result<(), Fault> {
        let begun = self.begun.take();
        match action {
            Action::MarkBegin | Action::MarkEnd => {}
            Action::Make(_) | Action::Put | Action::Delete | Action::Increment => {
                return if begun.is_some() { Err(Fault::MarkUnbalanced) } else { Ok(()) };
            }
        }
        let (ObjectType::Text, Target::After(after)) = (kind, target) else {
            return Err(Fault::MarkPlace);
        };
        if action == Action::MarkBegin {
            self.marks = self.marks.saturating_add(1);
            self.begun = Some(Begun { object, after });
            return match begun {
                Some(_) => Err(Fault::MarkUnbalanced),
                None if self.marks > MARKS_MAX => Err(Fault::TooManyMarks),
                None => Ok(()),
            };
        }
        let begun = begun.filter(|begun| begun.object == object).ok_or(Fault::MarkUnbalanced)?;
        if self.ends_later(begun.after, after, id.back(1)) { Ok(()) } else { Err(Fault::MarkOrder) }
    }

    /// Whether a mark that begins after one element and ends after another does so in this order.
    ///
    /// Both have the greatest ids so far, so each stands right behind its element, and behind the
    /// same element the end would come first.
    fn ends_later(&self, begins_after: OpId, ends_after: OpId, begin: OpId) -> bool {
        if ends_after == begin {
            return true;
        }
        if begins_after == ends_after || ends_after == OpId::HEAD {
            return false;
        }
        begins_after == OpId::HEAD
            || self.known.stands_before(begins_after, ends_after) == Some(true)
    }
}

const fn action(row: &Row<'_>) -> Result<Action, Fault> {
    match (row.action, row.mark_name) {
        (0, _) => Ok(Action::Make(ObjectType::Map)),
        (1, _) => Ok(Action::Put),
        (2, _) => Ok(Action::Make(ObjectType::List)),
        (3, _) => Ok(Action::Delete),
        (4, _) => Ok(Action::Make(ObjectType::Text)),
        (5, _) => Ok(Action::Increment),
        (7, Some(_)) => Ok(Action::MarkBegin),
        (7, None) => Ok(Action::MarkEnd),
        (action, _) => Err(Fault::Action { action }),
    }
}

/// Tests the value, and what belongs to marks alone or to no deletion and increment.
fn expect_value(row: &Row<'_>, action: Action) -> Result<(), Fault> {
    let mut value = Reader::new(row.value);
    let is_well_formed = match row.value_type {
        value_type::NULL | value_type::FALSE | value_type::TRUE => row.value.is_empty(),
        value_type::UNSIGNED => value.unsigned().is_ok() && value.is_done(),
        value_type::SIGNED | value_type::COUNTER | value_type::TIME => {
            value.signed().is_ok() && value.is_done()
        }
        value_type::FLOAT => row.value.len() == size_of::<f64>(),
        value_type::TEXT => core::str::from_utf8(row.value).is_ok(),
        value_type::BYTES => true,
        _ => false,
    };
    let fits = match action {
        Action::Make(_) | Action::Delete | Action::MarkEnd => row.value_type == value_type::NULL,
        Action::Increment => row.value_type == value_type::SIGNED,
        Action::Put | Action::MarkBegin => true,
    };
    if !is_well_formed || !fits {
        return Err(Fault::Value);
    }
    expect_count(row, action)?;
    let is_mark = matches!(action, Action::MarkBegin | Action::MarkEnd);
    if !is_mark && (row.expands || row.mark_name.is_some()) {
        return Err(Fault::MarkFields);
    }
    if row.is_insert && matches!(action, Action::Delete | Action::Increment) {
        return Err(Fault::Insert);
    }
    Ok(())
}

/// Tests that a counter and its increments can be summed up: Automerge adds without looking, which
/// is a panic in some builds and another number in others.
fn expect_count(row: &Row<'_>, action: Action) -> Result<(), Fault> {
    let counts = action == Action::Increment
        || (action == Action::Put && row.value_type == value_type::COUNTER);
    let found = if counts { Reader::new(row.value).signed().unwrap_or(0) } else { 0 };
    if found.unsigned_abs() > COUNT_MAX { Err(Fault::CountSize { found }) } else { Ok(()) }
}

/// Tests what a text may hold: Automerge 0.12 panics when an existing element is put twice at once
/// and one who saw only the lower put deletes it, and no text call makes such a put.
fn expect_in_text(row: &Row<'_>, action: Action, target: Target) -> Result<(), Fault> {
    if matches!(target, Target::Element(_)) && action != Action::Delete {
        return Err(Fault::TextUpdate);
    }
    let is_text = match action {
        Action::Put => row.value_type == value_type::TEXT,
        Action::Make(object) => object == ObjectType::Map,
        Action::Delete | Action::MarkBegin | Action::MarkEnd => true,
        Action::Increment => false,
    };
    if is_text { Ok(()) } else { Err(Fault::TextValue) }
}

fn expect_predecessors(action: Action, target: Target, count: usize) -> Result<(), Fault> {
    let is_insert = matches!(target, Target::After(_));
    let needs_one = matches!(action, Action::Delete | Action::Increment)
        || matches!(target, Target::Element(_));
    match count {
        0 if needs_one => Err(Fault::NoPredecessor),
        1.. if is_insert => Err(Fault::InsertWithPredecessor),
        _ => Ok(()),
    }
}
