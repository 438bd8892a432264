//! Automerge changes in the making: a writer of its own, that writes bad ones as readily as good.
//!
//! *Invariants.* What is given in order is written in order, so every disorder can be made; columns
//! are written in the canonical way unless given as bytes.
//!
//! *Source*: the Automerge binary format; `SPEC.md` section "Verdict".

use sha2::{Digest, Sha256};

/// An operation's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id {
    /// Its counter.
    pub counter: u64,
    /// Its actor.
    pub actor: Vec<u8>,
}

/// The key of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// In a map.
    Map(String),
    /// Before the first element.
    Head,
    /// An element.
    Element(Id),
}

/// An operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    /// The object, or the root.
    pub object: Option<Id>,
    /// The key.
    pub key: Key,
    /// Whether it inserts.
    pub insert: bool,
    /// The action's number.
    pub action: u64,
    /// The value's type and bytes.
    pub value: (u64, Vec<u8>),
    /// Predecessors, in this order.
    pub predecessors: Vec<Id>,
    /// Whether a mark expands.
    pub expand: bool,
    /// The name of a mark.
    pub name: Option<String>,
}

/// Actions by name.
pub mod action {
    #![allow(missing_docs, reason = "the names say it")]
    pub const MAP: u64 = 0;
    pub const PUT: u64 = 1;
    pub const LIST: u64 = 2;
    pub const DELETE: u64 = 3;
    pub const TEXT: u64 = 4;
    pub const INCREMENT: u64 = 5;
    pub const TABLE: u64 = 6;
    pub const MARK: u64 = 7;
}

impl Op {
    /// An action on a key of the root.
    #[must_use]
    pub fn on_key(key: &str, action: u64) -> Self {
        Self {
            object: None,
            key: Key::Map(key.to_string()),
            insert: false,
            action,
            value: (0, Vec::new()),
            predecessors: Vec::new(),
            expand: false,
            name: None,
        }
    }

    /// A number put on a key of the root.
    #[must_use]
    pub fn put(key: &str, number: i64) -> Self {
        Self { value: (4, signed(number)), ..Self::on_key(key, action::PUT) }
    }

    /// An action that inserts after an element, or at the head.
    #[must_use]
    pub fn insert(list: Id, after: Option<Id>, action: u64) -> Self {
        let key = after.map_or(Key::Head, Key::Element);
        Self { object: Some(list), key, insert: true, ..Self::on_key("", action) }
    }

    /// A text inserted after an element, or at the head.
    #[must_use]
    pub fn insert_text(list: Id, after: Option<Id>, text: &str) -> Self {
        Self { value: (6, text.as_bytes().to_vec()), ..Self::insert(list, after, action::PUT) }
    }

    /// A mark's begin after an element, or at the head.
    #[must_use]
    pub fn mark_begin(text: Id, after: Option<Id>) -> Self {
        let name = Some("bold".to_string());
        Self { value: (2, Vec::new()), name, ..Self::insert(text, after, action::MARK) }
    }

    /// A mark's end after an element, or at the head.
    #[must_use]
    pub fn mark_end(text: Id, after: Option<Id>) -> Self {
        Self::insert(text, after, action::MARK)
    }

    /// The operation in another object.
    #[must_use]
    pub fn within(self, object: Id) -> Self {
        Self { object: Some(object), ..self }
    }

    /// The operation with these predecessors.
    #[must_use]
    pub fn over(self, predecessors: &[Id]) -> Self {
        Self { predecessors: predecessors.to_vec(), ..self }
    }
}

/// A change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Dependencies, in this order.
    pub dependencies: Vec<[u8; 32]>,
    /// Who made it.
    pub actor: Vec<u8>,
    /// Its place among the changes of its actor.
    pub seq: u64,
    /// The counter of its first operation.
    pub start_op: u64,
    /// Its time.
    pub time: i64,
    /// Its message.
    pub message: Vec<u8>,
    /// What it does.
    pub operations: Vec<Op>,
    /// Bytes after the columns.
    pub extra: Vec<u8>,
}

/// Columns by number, ascending.
pub type Columns = Vec<(u64, Vec<u8>)>;

impl Change {
    /// The bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.with_columns(&self.others(), &self.columns())
    }

    /// The bytes with other columns.
    #[must_use]
    pub fn with_columns(&self, others: &[Vec<u8>], columns: &Columns) -> Vec<u8> {
        let mut body = unsigned(self.dependencies.len() as u64);
        body.extend(self.dependencies.iter().flatten());
        with_length(&mut body, &self.actor);
        body.extend(unsigned(self.seq));
        body.extend(unsigned(self.start_op));
        body.extend(signed(self.time));
        with_length(&mut body, &self.message);
        body.extend(unsigned(others.len() as u64));
        for other in others {
            with_length(&mut body, other);
        }
        body.extend(unsigned(columns.len() as u64));
        for (spec, bytes) in columns {
            body.extend(unsigned(*spec));
            body.extend(unsigned(bytes.len() as u64));
        }
        body.extend(columns.iter().flat_map(|(_, bytes)| bytes));
        body.extend(&self.extra);
        chunk(1, &body)
    }

    /// Actors that operations name, ascending, without its own.
    #[must_use]
    pub fn others(&self) -> Vec<Vec<u8>> {
        let ids = self.operations.iter().flat_map(|op| {
            let element = match &op.key {
                Key::Element(id) => Some(id),
                Key::Map(_) | Key::Head => None,
            };
            op.object.iter().chain(element).chain(&op.predecessors)
        });
        let mut others: Vec<_> =
            ids.map(|id| id.actor.clone()).filter(|actor| *actor != self.actor).collect();
        others.sort();
        others.dedup();
        others
    }

    /// The columns in the canonical way, those that say nothing left out.
    #[must_use]
    pub fn columns(&self) -> Columns {
        let others = self.others();
        let place = |id: &Id| {
            let at = others.iter().position(|other| *other == id.actor);
            at.map_or(0, |at| at as u64 + 1)
        };
        let ops = &self.operations;
        let element = |op: &Op| match &op.key {
            Key::Element(id) => Some(id.clone()),
            Key::Map(_) | Key::Head => None,
        };
        let counter = |op: &Op| match &op.key {
            Key::Element(id) => Some(id.counter),
            Key::Head => Some(0),
            Key::Map(_) => None,
        };
        let text = |op: &Op| match &op.key {
            Key::Map(key) => Some(key.clone()),
            Key::Head | Key::Element(_) => None,
        };
        let meta = |op: &Op| Some(op.value.1.len() as u64 * 16 + op.value.0);
        let predecessors = || ops.iter().flat_map(|op| &op.predecessors);
        let all: Columns = vec![
            (0x01, numbers(ops.iter().map(|op| op.object.as_ref().map(place)))),
            (0x02, numbers(ops.iter().map(|op| Some(op.object.as_ref()?.counter)))),
            (0x11, numbers(ops.iter().map(|op| Some(place(&element(op)?))))),
            (0x13, differences(ops.iter().map(counter))),
            (0x15, texts(ops.iter().map(text))),
            (0x34, flags(ops.iter().map(|op| op.insert))),
            (0x42, numbers(ops.iter().map(|op| Some(op.action)))),
            (0x56, numbers(ops.iter().map(meta))),
            (0x57, ops.iter().flat_map(|op| op.value.1.clone()).collect()),
            (0x70, numbers(ops.iter().map(|op| Some(op.predecessors.len() as u64)))),
            (0x71, numbers(predecessors().map(|id| Some(place(id))))),
            (0x73, differences(predecessors().map(|id| Some(id.counter)))),
            (
                0x94,
                if ops.iter().any(|op| op.expand) {
                    flags(ops.iter().map(|op| op.expand))
                } else {
                    Vec::new()
                },
            ),
            (0xa5, texts(ops.iter().map(|op| op.name.clone()))),
        ];
        all.into_iter().filter(|(_, bytes)| !bytes.is_empty()).collect()
    }
}

/// A chunk with its right checksum.
#[must_use]
pub fn chunk(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, kind];
    bytes.extend(unsigned(body.len() as u64));
    bytes.extend(body);
    rehashed(bytes)
}

/// The bytes with the checksum that they should have.
#[must_use]
pub fn rehashed(mut bytes: Vec<u8>) -> Vec<u8> {
    let hash = hash_of(&bytes);
    for (slot, byte) in bytes.iter_mut().skip(4).zip(hash.iter().take(4)) {
        *slot = *byte;
    }
    bytes
}

/// The hash of a chunk.
#[must_use]
pub fn hash_of(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes.get(8..).unwrap_or_default()).into()
}

fn with_length(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(unsigned(bytes.len() as u64));
    out.extend(bytes);
}

/// ULEB.
#[must_use]
pub fn unsigned(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or(0));
    bytes
}

/// SLEB.
#[must_use]
pub fn signed(mut number: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !(-64..64).contains(&number) {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number & 0x7f).unwrap_or(0));
    bytes
}

/// A column of numbers.
pub fn numbers(rows: impl Iterator<Item = Option<u64>>) -> Vec<u8> {
    runs(rows, |number| unsigned(*number))
}

/// A column of texts.
pub fn texts(rows: impl Iterator<Item = Option<String>>) -> Vec<u8> {
    runs(rows, |text| {
        let mut bytes = Vec::new();
        with_length(&mut bytes, text.as_bytes());
        bytes
    })
}

/// A column of differences.
pub fn differences(rows: impl Iterator<Item = Option<u64>>) -> Vec<u8> {
    let mut sum = 0;
    let steps: Vec<Option<i64>> = rows
        .map(|row| {
            let value = row?.cast_signed();
            let step = value.wrapping_sub(sum);
            sum = value;
            Some(step)
        })
        .collect();
    runs(steps.into_iter(), |step| signed(*step))
}

/// A column of yes and no.
pub fn flags(rows: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut value, mut count) = (false, 0);
    let mut is_empty = true;
    for row in rows {
        is_empty = false;
        if row != value {
            bytes.extend(unsigned(count));
            (value, count) = (row, 0);
        }
        count += 1;
    }
    if !is_empty {
        bytes.extend(unsigned(count));
    }
    bytes
}

fn runs<T: PartialEq>(
    rows: impl Iterator<Item = Option<T>>,
    write: impl Fn(&T) -> Vec<u8>,
) -> Vec<u8> {
    let mut groups: Vec<(Option<T>, i64)> = Vec::new();
    for row in rows {
        match groups.last_mut() {
            Some((value, count)) if *value == row => *count += 1,
            _ => groups.push((row, 1)),
        }
    }
    if groups.iter().all(|(value, _)| value.is_none()) {
        return Vec::new();
    }
    let mut bytes = Vec::new();
    let mut singles: Vec<Vec<u8>> = Vec::new();
    for (value, count) in &groups {
        match value {
            Some(value) if *count == 1 => singles.push(write(value)),
            value => {
                flush(&mut bytes, &mut singles);
                match value {
                    Some(value) => {
                        bytes.extend(signed(*count));
                        bytes.extend(write(value));
                    }
                    None => {
                        bytes.push(0);
                        bytes.extend(unsigned(count.unsigned_abs()));
                    }
                }
            }
        }
    }
    flush(&mut bytes, &mut singles);
    bytes
}

fn flush(bytes: &mut Vec<u8>, singles: &mut Vec<Vec<u8>>) {
    if !singles.is_empty() {
        bytes.extend(signed(-i64::try_from(singles.len()).unwrap_or(0)));
        bytes.extend(singles.drain(..).flatten());
    }
}
