//! What changed in a document between two of its versions, and who changed it.
//!
//! ```text
//! versions   heads ──▶ changed_between      fields that read differently
//!            base  ──▶ touched_since        each change, its author, and the fields it wrote
//!                  ──▶ shared_paragraphs    paragraphs that two organisations changed at once
//! ```
//!
//! *At once* means that neither change builds on the other. A paragraph ends with a line break or before
//! the next block marker. Text that was taken out belongs to the paragraph of the text that followed it,
//! a mark to those in which it begins and ends.
//!
//! Plain data for the list of conflicts, which knows organisations: here whoever asks says which actor
//! belongs to which. Costs grow with the changes since the base, so the base should be a recent version.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};

use automerge::{
    Change, ObjType, ReadDoc, ScalarValueRef, ValueRef,
    legacy::{ElementId, Key, ObjectId, OpId, OpType},
};

use super::{
    document::{BLOCK, Document, Path, names},
    read::{Objects, Writer, changed_paths, known, objects, read_at},
};
use crate::verdict::{Actor, ChangeHash};

/// One field that one change wrote.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touch {
    /// The field, the set or list, or the item.
    pub path: Path,
    /// Who wrote it.
    pub by: Writer,
}

/// A paragraph that several organisations changed at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Paragraph {
    /// The text.
    pub path: Path,
    /// Counts the paragraphs of the text from 0.
    pub number: usize,
    /// What it says now, a block marker as U+FFFC.
    pub text: String,
    /// The changes that another organisation's change to it was made without.
    pub by: Vec<Writer>,
}

/// The fields that read differently at two versions; what one version lacks counts as different.
#[must_use]
pub fn changed_between(
    document: &Document,
    before: &[ChangeHash],
    after: &[ChangeHash],
) -> Vec<Path> {
    changed_paths(&read_at(document, before).cells, &read_at(document, after).cells)
}

/// Every field written by a change that these heads do not include, once for each change.
#[must_use]
pub fn touched_since(document: &Document, base: &[ChangeHash]) -> Vec<Touch> {
    let places = objects(document);
    let mut touches = BTreeSet::new();
    for change in since(document, base) {
        let by = writer(&change);
        touches.extend(written(&change, &places).map(|it| Touch { path: it.path, by }));
    }
    touches.into_iter().collect()
}

/// The paragraphs that two organisations changed at once since these heads.
pub fn shared_paragraphs<O: Ord>(
    document: &Document,
    base: &[ChangeHash],
    org: impl Fn(&Actor) -> O,
) -> Vec<Paragraph> {
    let places = objects(document);
    let texts = text_objects(document, &places);
    let changes = since(document, base);
    let at_once = AtOnce::of(&changes);
    // Which changes touched which paragraph of which text.
    let mut touched: BTreeMap<(Path, usize), BTreeSet<usize>> = BTreeMap::new();
    let mut now: BTreeMap<Path, Paragraphs> = BTreeMap::new();
    for (place, change) in changes.iter().enumerate() {
        let mut elements: BTreeMap<Path, Vec<OpId>> = BTreeMap::new();
        for write in written(change, &places) {
            elements.entry(write.path).or_default().extend(write.element);
        }
        for (path, elements) in elements {
            let Some(text) = texts.get(&path) else { continue };
            let current =
                now.entry(path.clone()).or_insert_with(|| Paragraphs::of(document, text, None));
            for number in current.of_elements(document, text, change, &elements) {
                touched.entry((path.clone(), number)).or_default().insert(place);
            }
        }
    }
    let orgs: Vec<O> = changes.iter().map(|change| org(&writer(change).actor)).collect();
    let mut shared = Vec::new();
    for ((path, number), places) in touched {
        let is_shared = |a: &&usize| {
            places.iter().any(|b| orgs.get(**a) != orgs.get(*b) && at_once.holds(**a, *b))
        };
        let by: Vec<Writer> =
            places.iter().filter(is_shared).filter_map(|at| changes.get(*at)).map(writer).collect();
        if !by.is_empty() {
            let text = now.get(&path).and_then(|it| it.texts.get(number)).cloned();
            shared.push(Paragraph { path, number, text: text.unwrap_or_default(), by });
        }
    }
    shared
}

/// The changes that these heads do not include, dependencies first.
fn since(document: &Document, base: &[ChangeHash]) -> Vec<Change> {
    let mut changes = document.in_order(&known(document, base));
    changes.retain(|change| names::ours(change.hash()) != document.skeleton().hash());
    changes
}

fn writer(change: &Change) -> Writer {
    Writer { actor: names::actor(change.actor_id()), change: names::ours(change.hash()) }
}

/// One operation of a change: the field, and the element of a text that it concerns.
struct Written {
    path: Path,
    element: Option<OpId>,
}

fn written(change: &Change, places: &Objects) -> impl Iterator<Item = Written> {
    let expanded = change.decode();
    let (start, actor) = (expanded.start_op.get(), expanded.actor_id);
    let mut found = Vec::new();
    for (counter, op) in (start..).zip(expanded.operations) {
        let holder = match &op.obj {
            ObjectId::Root => Some(Path::default()),
            ObjectId::Id(id) => places.get(&(id.counter(), names::actor(id.actor()))).cloned(),
        };
        let Some(holder) = holder else { continue };
        found.push(match &op.key {
            Key::Map(name) => Written { path: holder.then(name), element: None },
            // The end of a mark stands after the last character that it covers.
            Key::Seq(ElementId::Id(id)) if matches!(op.action, OpType::MarkEnd(_)) => {
                Written { path: holder, element: Some(id.clone()) }
            }
            Key::Seq(_) if op.insert => {
                Written { path: holder, element: Some(OpId::new(counter, &actor)) }
            }
            Key::Seq(ElementId::Id(id)) => Written { path: holder, element: Some(id.clone()) },
            Key::Seq(ElementId::Head) => Written { path: holder, element: None },
        });
    }
    found.into_iter()
}

/// The texts of a document by their paths.
fn text_objects(document: &Document, places: &Objects) -> BTreeMap<Path, automerge::ObjId> {
    let mut texts = BTreeMap::new();
    for ((counter, actor), path) in places {
        let id = automerge::ObjId::Id(*counter, names::actor_id(*actor), 0);
        if matches!(document.inner.object_type(&id), Ok(ObjType::Text)) {
            texts.insert(path.clone(), id);
        }
    }
    texts
}

/// An element of a text, by the operation that made it.
type Element = (u64, Actor);

/// The paragraphs of a text at one version.
struct Paragraphs {
    /// The elements in order, each with the paragraph it stands in.
    elements: Vec<(Element, usize)>,
    numbers: BTreeMap<Element, usize>,
    texts: Vec<String>,
}

impl Paragraphs {
    fn of(
        document: &Document,
        text: &automerge::ObjId,
        heads: Option<&[automerge::ChangeHash]>,
    ) -> Self {
        let items = match heads {
            None => document.inner.list_range(text, ..),
            Some(heads) => document.inner.list_range_at(text, .., heads),
        };
        let mut elements = Vec::new();
        let mut texts = Vec::from([String::new()]);
        for item in items {
            let mut marker = [0; 4];
            let said = match &item.value {
                ValueRef::Scalar(ScalarValueRef::Str(text)) => text.as_ref(),
                // Marks stand among the elements, and say nothing.
                ValueRef::Scalar(_) => "",
                ValueRef::Object(_) => BLOCK.encode_utf8(&mut marker),
            };
            if said.starts_with(BLOCK) && texts.last().is_some_and(|text| !text.is_empty()) {
                texts.push(String::new());
            }
            if let automerge::ObjId::Id(counter, actor, _) = item.id() {
                let number = texts.len().saturating_sub(1);
                elements.push(((counter, names::actor(&actor)), number));
            }
            if let Some(last) = texts.last_mut() {
                last.push_str(said);
            }
            if said.ends_with('\n') {
                texts.push(String::new());
            }
        }
        let numbers = elements.iter().copied().collect();
        Self { elements, numbers, texts }
    }

    /// The paragraphs of now in which these elements stand, or stood when the change took them out.
    fn of_elements(
        &self,
        document: &Document,
        text: &automerge::ObjId,
        change: &Change,
        elements: &[OpId],
    ) -> BTreeSet<usize> {
        let key = |id: &OpId| (id.counter(), names::actor(id.actor()));
        let own = names::actor(change.actor_id());
        let is_own = |(counter, actor): &Element| {
            *actor == own && *counter >= change.start_op().get() && *counter <= change.max_op()
        };
        let (here, gone): (Vec<Element>, Vec<Element>) =
            elements.iter().map(key).partition(|element| self.numbers.contains_key(element));
        let mut found: BTreeSet<usize> =
            here.iter().filter_map(|element| self.numbers.get(element)).copied().collect();
        // What the change put in and somebody took out again is theirs to account for.
        let gone: BTreeSet<Element> = gone.into_iter().filter(|it| !is_own(it)).collect();
        if gone.is_empty() {
            return found;
        }
        let before = Self::of(document, text, Some(change.deps()));
        let mut next = self.texts.len().saturating_sub(1);
        for (element, _) in before.elements.iter().rev() {
            match self.numbers.get(element) {
                Some(number) => next = *number,
                None if gone.contains(element) => {
                    found.insert(next);
                }
                None => {}
            }
        }
        found
    }
}

/// Which of some changes were made without each other.
struct AtOnce {
    /// For each change, a bit for each change that it builds on.
    past: Vec<Vec<u64>>,
}

impl AtOnce {
    /// Of changes in causal order.
    fn of(changes: &[Change]) -> Self {
        let places: BTreeMap<automerge::ChangeHash, usize> =
            changes.iter().enumerate().map(|(place, change)| (change.hash(), place)).collect();
        let mut past: Vec<Vec<u64>> = Vec::with_capacity(changes.len());
        for (place, change) in changes.iter().enumerate() {
            let mut bits = Vec::from_iter(core::iter::repeat_n(0u64, place.div_ceil(64)));
            for dep in change.deps().iter().filter_map(|dep| places.get(dep)) {
                for (bit, other) in bits.iter_mut().zip(past.get(*dep).into_iter().flatten()) {
                    *bit |= other;
                }
                if let Some(word) = bits.get_mut(dep / 64) {
                    *word |= 1 << (dep % 64);
                }
            }
            past.push(bits);
        }
        Self { past }
    }

    fn holds(&self, a: usize, b: usize) -> bool {
        let (early, late) = if a < b { (a, b) } else { (b, a) };
        let word = self.past.get(late).and_then(|bits| bits.get(early / 64)).copied().unwrap_or(0);
        a != b && word & (1 << (early % 64)) == 0
    }
}
