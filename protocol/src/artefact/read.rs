//! Stage 7 of 8: view. From `replay`; to `replay::conflicts` and whoever shows it.
//!
//! What a document says, field by field of its kind: every value with who wrote it.
//!
//! ```text
//! cell      path                          content
//! scalar    notice/published_on           2017-12-04 by A · 2017-12-11 by B     several: a person chooses
//! text      summary                       text, marks, blocks
//! set       services                      each element with who added it
//! list      recommendations               items in their order, each present, removed, or removed and edited
//!           recommendations/k5hq…/text    then the cells of each item that is shown
//! ```
//!
//! Nothing is refused here: a value that does not fit its field is shown as invalid, what the kind does not know
//! is listed as a stray. Reading follows the kind with a work list, never the document's own
//! nesting, and hides nothing that another change overwrote.
//!
//! *Invariant*: equal changes give equal readings, whatever their order and batches.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    sync::Arc,
    vec,
    vec::Vec,
};

use automerge::{Automerge, ObjId, ObjType, ROOT, ScalarValueRef, Value, ValueRef};

use super::{
    document::{Atom, Document, Look, Path, RichText, Under, names},
    kind::{Field, ORDER, REMOVED, Scalar, Shape},
    scalar::Misfit,
};
use crate::verdict::{Actor, ChangeHash};

/// What a document says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// The fields in the order of the kind, items in their own order.
    pub cells: Vec<Cell>,
    /// What stands in the document and in no field.
    pub strays: Vec<Stray>,
}

/// One field of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Where it stands.
    pub path: Path,
    /// What the kind says of it.
    pub field: &'static Field,
    /// What it holds.
    pub content: Content,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A value: none, one, or several that were written at once and differ.
    Scalar(Vec<Written>),
    /// A text.
    Text(RichText),
    /// A set, by key.
    Set(Vec<Written>),
    /// The items of a list, in their order.
    List(Vec<Item>),
    /// The text, set, list or record that should be here was overwritten.
    Overwritten,
}

/// A value and who wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The value.
    pub value: Held,
    /// Those who wrote this very value at once, in the order of their operations.
    pub by: Vec<Writer>,
}

/// A value, or what stands in the place of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// A value that fits its field.
    Valid(Atom),
    /// Something else.
    Invalid {
        /// As it can be shown.
        shown: String,
        /// Why it does not fit.
        why: Misfit,
    },
}

impl Held {
    /// As it can be shown; values that differ may have the same text.
    fn text(&self) -> String {
        match self {
            Self::Valid(atom) => atom.to_key(),
            Self::Invalid { shown, .. } => shown.clone(),
        }
    }
}

/// Who wrote something: whose feed the actor belongs to is for the caller to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Writer {
    /// The actor.
    pub actor: Actor,
    /// The change it stands in.
    pub change: ChangeHash,
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// Its place among the others: items stand by this text, then by id.
    pub order: String,
    /// Whether it is there.
    pub presence: Presence,
    /// Who added it.
    pub by: Writer,
}

/// Whether an item is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    Present,
    /// It was removed, and whoever removed it had seen all that it held.
    Removed {
        /// Who removed it.
        by: Vec<Writer>,
    },
    /// It was removed by some and edited by others who did not know: it stays until a person says.
    Disputed {
        /// Who removed it.
        removed: Vec<Writer>,
        /// What was edited in it.
        edited: Vec<Path>,
    },
}

/// Something in the document that no field accounts for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stray {
    /// Where it stands.
    pub path: Path,
    /// Who wrote it.
    pub by: Writer,
    /// Whether it stands where a field should be, and not beside the fields.
    pub overwrites: bool,
}

/// Reads the document as it is.
#[must_use]
pub fn read(document: &Document) -> Reading {
    let root = Task::root(document);
    Reader::new(document, None, Removal::Judged).run(root).0
}

/// Reads the document as it was at these heads; changes it does not hold are passed over.
#[must_use]
pub fn read_at(document: &Document, heads: &[ChangeHash]) -> Reading {
    let heads = known(document, heads);
    Reader::new(document, Some(&heads), Removal::Judged).run(Task::root(document)).0
}

impl Reading {
    /// The cell at this path.
    #[must_use]
    pub fn cell(&self, path: &Path) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.path == *path)
    }

    /// The fields with several values of which a person must choose one.
    pub fn conflicts(&self) -> impl Iterator<Item = (&Cell, &[Written])> {
        self.cells.iter().filter_map(|cell| match &cell.content {
            Content::Scalar(values) if values.len() > 1 => Some((cell, values.as_slice())),
            Content::Scalar(_)
            | Content::Text(_)
            | Content::Set(_)
            | Content::List(_)
            | Content::Overwritten => None,
        })
    }

    /// The items that were removed by some and edited by others at once, with their lists.
    pub fn disputed(&self) -> impl Iterator<Item = (&Cell, &Item)> {
        self.cells.iter().flat_map(|cell| {
            let items = match &cell.content {
                Content::List(items) => items.as_slice(),
                Content::Scalar(_) | Content::Text(_) | Content::Set(_) | Content::Overwritten => {
                    &[]
                }
            };
            let disputed = |item: &&Item| matches!(item.presence, Presence::Disputed { .. });
            items.iter().filter(disputed).map(move |item| (cell, item))
        })
    }
}

/// Whether an item is there; `None` if the list never had it.
pub(super) fn presence_of(document: &Document, item: &Path) -> Option<Presence> {
    let reader = Reader::new(document, None, Removal::Judged);
    let place = reader.look.item(item).ok()?;
    Some(reader.presence(item, &place.object, place.fields))
}

pub(super) fn known(document: &Document, heads: &[ChangeHash]) -> Vec<automerge::ChangeHash> {
    heads.iter().filter(|head| document.holds(head)).map(|head| names::theirs(*head)).collect()
}

/// Where each object of a document stands, by its id.
pub(super) type Objects = BTreeMap<(u64, Actor), Path>;

/// Reads as `read` does, and says where each object stands; items that were removed are gone through too.
pub(super) fn objects(document: &Document) -> Objects {
    Reader::new(document, None, Removal::Ignored).run(Task::root(document)).1
}

/// Whether removed items are left out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Removal {
    /// Left out, unless somebody edited them at once.
    Judged,
    /// Read like the others, and said to be removed.
    Ignored,
}

struct Reader<'a> {
    document: &'a Document,
    look: Look<'a, Automerge>,
    removal: Removal,
    reading: Reading,
    objects: Objects,
}

/// Fields of one map that are still to be read.
struct Task {
    path: Path,
    holder: ObjId,
    keys: Arc<BTreeMap<String, Under>>,
    /// The names from the root; `None` inside an item.
    names: Option<Vec<&'static str>>,
    field: &'static Field,
}

impl Task {
    fn root(document: &Document) -> Start {
        let fields = document.skeleton().kind().all_fields().collect();
        Start { path: Path::default(), holder: ROOT, names: Some(Vec::new()), fields }
    }
}

/// A map whose fields are to be read.
struct Start {
    path: Path,
    holder: ObjId,
    names: Option<Vec<&'static str>>,
    fields: Vec<&'static Field>,
}

impl<'a> Reader<'a> {
    fn new(
        document: &'a Document,
        heads: Option<&'a [automerge::ChangeHash]>,
        removal: Removal,
    ) -> Self {
        Self {
            document,
            look: document.look(heads),
            removal,
            reading: Reading::default(),
            objects: Objects::new(),
        }
    }

    fn run(mut self, start: Start) -> (Reading, Objects) {
        let mut tasks = Vec::new();
        self.open(start, &mut tasks);
        while let Some(task) = tasks.pop() {
            self.read_field(task, &mut tasks);
        }
        (self.reading, self.objects)
    }

    /// Lists the fields of a map, the first on top, and the strays in it.
    fn open(&mut self, start: Start, tasks: &mut Vec<Task>) {
        let Start { path, holder, names, fields } = start;
        let keys = Arc::new(self.look.keys(&holder));
        let in_item = names.is_none();
        for (key, under) in &*keys {
            let is_known = fields.iter().any(|field| field.name == key)
                || (in_item && (key == ORDER || key == REMOVED));
            if !is_known {
                let by = self.writer(&under.id);
                self.reading.strays.push(Stray { path: path.then(key), by, overwrites: false });
            }
        }
        for field in fields.into_iter().rev() {
            tasks.push(Task {
                path: path.then(field.name),
                holder: holder.clone(),
                keys: Arc::clone(&keys),
                names: names.as_ref().map(|names| [names.as_slice(), &[field.name]].concat()),
                field,
            });
        }
    }

    fn read_field(&mut self, task: Task, tasks: &mut Vec<Task>) {
        let Task { path, holder, keys, names, field } = task;
        let under = keys.get(field.name);
        let names_here = names.as_deref().unwrap_or_default();
        let content = match field.shape {
            Shape::Scalar(scalar) => {
                Content::Scalar(self.values(&holder, field.name, under, scalar))
            }
            Shape::Cosmetic(scalar) => {
                let winner = under.map(|under| self.written(&under.value, &under.id, scalar));
                Content::Scalar(winner.into_iter().collect())
            }
            Shape::Text | Shape::Set(_) | Shape::List(_) | Shape::Record(_) => {
                let object = self.look.object_of_field(&holder, names_here, field);
                self.note_overwriting(&path, under, object.as_ref());
                match object {
                    None => Content::Overwritten,
                    Some(object) => {
                        let inside = Inside { path: &path, names, object, field };
                        match self.read_object(inside, tasks) {
                            Some(content) => content,
                            None => return,
                        }
                    }
                }
            }
        };
        self.reading.cells.push(Cell { path, field, content });
    }

    /// Reads what an object holds; a record is its parts and nothing of its own.
    fn read_object(&mut self, inside: Inside<'_>, tasks: &mut Vec<Task>) -> Option<Content> {
        let Inside { path, names, object, field } = inside;
        self.note_object(&object, path);
        match field.shape {
            Shape::Text => Some(Content::Text(self.look.rich_text(&object))),
            Shape::Set(scalar) => Some(Content::Set(self.elements(&object, scalar))),
            Shape::List(fields) => Some(Content::List(self.items(path, &object, fields, tasks))),
            Shape::Record(parts) => {
                let fields = parts.iter().collect();
                self.open(Start { path: path.clone(), holder: object, names, fields }, tasks);
                None
            }
            Shape::Scalar(_) | Shape::Cosmetic(_) => None,
        }
    }

    fn note_object(&mut self, object: &ObjId, path: &Path) {
        if let ObjId::Id(counter, actor, _) = object {
            self.objects.insert((*counter, names::actor(actor)), path.clone());
        }
    }

    fn note_overwriting(&mut self, path: &Path, under: Option<&Under>, object: Option<&ObjId>) {
        let Some(under) = under else { return };
        if object != Some(&under.id) {
            let by = self.writer(&under.id);
            self.reading.strays.push(Stray { path: path.clone(), by, overwrites: true });
        }
    }

    /// All values of one field, equal ones together.
    fn values(
        &self,
        holder: &ObjId,
        name: &str,
        under: Option<&Under>,
        scalar: Scalar,
    ) -> Vec<Written> {
        let Some(under) = under else { return Vec::new() };
        if !under.is_contested {
            return vec![self.written(&under.value, &under.id, scalar)];
        }
        let mut values: Vec<Written> = Vec::new();
        let mut known: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (value, id) in self.look.all(holder, name) {
            let next = self.written(&by_reference(&value), &id, scalar);
            // Those of one text are few: nothing is compared with all others.
            let alike = known.entry(next.value.text()).or_default();
            let is_same =
                |place: &&usize| values.get(**place).map(|it| &it.value) == Some(&next.value);
            let same = alike.iter().find(is_same).copied();
            match same.and_then(|place| values.get_mut(place)) {
                Some(same) => same.by.extend(next.by),
                None => {
                    alike.push(values.len());
                    values.push(next);
                }
            }
        }
        values
    }

    fn written(&self, value: &ValueRef<'_>, id: &ObjId, scalar: Scalar) -> Written {
        let value = match Atom::of_automerge(value) {
            Some(atom) => match atom.expect_fits(scalar) {
                Ok(()) => Held::Valid(atom),
                Err(why) => Held::Invalid { shown: atom.to_string(), why },
            },
            None => Held::Invalid {
                shown: match value {
                    ValueRef::Object(made) => made.to_string(),
                    ValueRef::Scalar(ScalarValueRef::F64(number)) => number.to_string(),
                    ValueRef::Scalar(other) => other.to_string(),
                },
                why: Misfit::Type { expected: "a value of this field" },
            },
        };
        Written { value, by: vec![self.writer(id)] }
    }

    fn elements(&self, set: &ObjId, scalar: Scalar) -> Vec<Written> {
        let mut elements = Vec::new();
        for (key, under) in self.look.keys(set) {
            let atom = Atom::of_key(scalar, &key);
            let value = match atom.expect_fits(scalar) {
                Ok(()) => Held::Valid(atom),
                Err(why) => Held::Invalid { shown: key.clone(), why },
            };
            let by = match under.is_contested {
                false => vec![self.writer(&under.id)],
                true => self.look.all(set, &key).iter().map(|(_, id)| self.writer(id)).collect(),
            };
            elements.push(Written { value, by });
        }
        elements
    }

    fn items(
        &mut self,
        path: &Path,
        list: &ObjId,
        fields: &'static [Field],
        tasks: &mut Vec<Task>,
    ) -> Vec<Item> {
        let mut items = Vec::new();
        for (id, under) in self.look.keys(list) {
            let path = path.then(&id);
            let object = self.look.object_under(list, &id, ObjType::Map);
            self.note_overwriting(&path, Some(&under), object.as_ref());
            let Some(object) = object else { continue };
            self.note_object(&object, &path);
            let order = match self.look.keys(&object).get(ORDER).map(|it| it.value.clone()) {
                Some(value) => {
                    Atom::of_automerge(&value).map_or_else(String::new, |it| it.to_key())
                }
                None => String::new(),
            };
            let presence = self.presence(&path, &object, fields);
            let by = self.writer(&object);
            items.push((Item { id, order, presence, by }, object));
        }
        items.sort_by(|(a, _), (b, _)| (&a.order, &a.id).cmp(&(&b.order, &b.id)));
        for (item, object) in items.iter().rev() {
            let is_removed = matches!(item.presence, Presence::Removed { .. });
            if is_removed && self.removal == Removal::Judged {
                continue;
            }
            let (path, holder) = (path.then(&item.id), object.clone());
            let fields = fields.iter().collect();
            self.open(Start { path, holder, names: None, fields }, tasks);
        }
        items.into_iter().map(|(item, _)| item).collect()
    }

    /// An item is removed if all say so, and nothing in it is of a change that none of them knew.
    fn presence(&self, path: &Path, object: &ObjId, fields: &'static [Field]) -> Presence {
        let said = self.look.all(object, REMOVED);
        let is_removal = |value: &Value<'_>| value.as_bool() == Some(true);
        let agreed = !said.is_empty() && said.iter().all(|(value, _)| is_removal(value));
        if !agreed {
            return Presence::Present;
        }
        let removed: Vec<Writer> = said.iter().map(|(_, id)| self.writer(id)).collect();
        if self.removal == Removal::Ignored {
            return Presence::Removed { by: removed };
        }
        let heads: Vec<_> = removed.iter().map(|it| names::theirs(it.change)).collect();
        let cells = |heads| {
            let fields = fields.iter().collect();
            let start = Start { path: path.clone(), holder: object.clone(), names: None, fields };
            Reader::new(self.document, heads, Removal::Ignored).run(start).0.cells
        };
        let (then, now) = (cells(Some(&heads)), cells(self.look.heads));
        let edited = changed_paths(&then, &now);
        if edited.is_empty() {
            return Presence::Removed { by: removed };
        }
        Presence::Disputed { removed, edited }
    }

    fn writer(&self, id: &ObjId) -> Writer {
        let actor = match id {
            ObjId::Root => Actor::SKELETON,
            ObjId::Id(_, actor, _) => names::actor(actor),
        };
        let hash = self.look.doc.hash_for_opid(id);
        Writer { actor, change: hash.map_or(ChangeHash([0; 32]), names::ours) }
    }
}

struct Inside<'a> {
    path: &'a Path,
    names: Option<Vec<&'static str>>,
    object: ObjId,
    field: &'static Field,
}

fn by_reference(value: &Value<'_>) -> ValueRef<'static> {
    match value {
        Value::Object(made) => ValueRef::Object(*made),
        Value::Scalar(scalar) => ValueRef::Scalar(scalar.as_ref().clone().into()),
    }
}

/// The paths of the cells that differ between two readings, or stand in one alone.
pub(super) fn changed_paths(before: &[Cell], after: &[Cell]) -> Vec<Path> {
    let before: BTreeMap<&Path, &Cell> = before.iter().map(|cell| (&cell.path, cell)).collect();
    let after: BTreeMap<&Path, &Cell> = after.iter().map(|cell| (&cell.path, cell)).collect();
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    let differ = after.iter().filter(|(path, cell)| before.get(*path) != Some(cell));
    let mut paths: Vec<Path> =
        gone.chain(differ.map(|(path, _)| path)).map(|path| (*path).clone()).collect();
    paths.sort();
    paths
}
