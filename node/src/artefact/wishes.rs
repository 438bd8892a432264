//! What a person typed, as intents: which field or item is meant, and which value.
//!
//! *Invariants.* A text is changed by the one splice that makes the new of the old, so that what others
//! write beside it merges. What was typed is looked through for patients' numbers before anything is
//! said of it. Nothing is carried out here.
//!
//! *Source*: ours.

use concordat_protocol::artefact::{
    document::{Atom, Path},
    edit::{Intent, ItemId, Spot},
    guard,
    kind::{Field, Shape},
    read::{Cell, Content},
};

use super::{
    Case,
    names::{self, Found},
    values,
};
use crate::{
    clock,
    control::{Edit, Pair, Refusal},
};

/// What a person wants, as intents.
pub(super) struct Wishes<'a> {
    case: &'a Case<'a>,
    pub(super) intents: Vec<Intent>,
    /// Ids of items that are added.
    pub(super) items: Vec<String>,
}

impl<'a> Wishes<'a> {
    /// Reads edits, one after the other.
    ///
    /// # Errors
    /// - [`Refusal`]: one of them names what is not there, or a value that does not fit.
    pub(super) fn read(case: &'a Case<'a>, edits: &[Edit]) -> Result<Self, Refusal> {
        let mut wishes = Self { case, intents: Vec::new(), items: Vec::new() };
        for edit in edits {
            wishes.add(edit)?;
        }
        Ok(wishes)
    }

    fn add(&mut self, edit: &Edit) -> Result<(), Refusal> {
        match edit {
            Edit::Set { at, value } => {
                let (path, field) = self.field(at)?;
                self.set(path, field, value)
            }
            Edit::Choose { at, value } => self.choose(at, value),
            Edit::Splice { at, position, delete, insert } => {
                let (path, field) = self.field(at)?;
                expect_no_patient_typed(&path, field, insert)?;
                let end = width(&self.text_at(&path));
                let position = position.unwrap_or(end);
                let (delete, insert) = (*delete, insert.clone());
                self.intents.push(Intent::Splice { at: path, position, delete, insert });
                Ok(())
            }
            Edit::Include { at, values } => {
                let (path, field) = self.field(at)?;
                let mut elements = values.iter();
                elements.try_for_each(|one| expect_no_patient_typed(&path, field, one))?;
                self.each_element(&path, field, values, |at, value| Intent::Include { at, value })
            }
            Edit::Add { at, values, after } => self.add_item(at, values, after.as_deref()),
            Edit::Remove { at, values } if values.is_empty() => {
                let at = self.item(at)?;
                self.intents.push(Intent::RemoveItem { at });
                Ok(())
            }
            Edit::Remove { at, values } => {
                let (path, field) = self.field(at)?;
                self.each_element(&path, field, values, |at, value| Intent::Exclude { at, value })
            }
            Edit::Restore { at } => {
                let at = self.item(at)?;
                self.intents.push(Intent::RestoreItem { at });
                Ok(())
            }
            Edit::Move { at, after } => {
                let at = self.item(at)?;
                let spot = match after {
                    Some(after) => self.after(&at.parent(), after)?,
                    None => Spot::First,
                };
                self.intents.push(Intent::MoveItem { at, spot });
                Ok(())
            }
        }
    }

    fn find(&self, at: &str) -> Result<Found, Refusal> {
        names::place_named(self.case.kind(), &self.case.seen()?.reading, at)
    }

    fn field(&self, at: &str) -> Result<(Path, &'static Field), Refusal> {
        match self.find(at)? {
            Found::Field(path, field) => Ok((path, field)),
            Found::Item(path, of) => {
                let names: Vec<&str> = of.iter().map(|field| field.name).collect();
                let message =
                    format!("{path} is an item; name one of its fields: {}", names.join(", "));
                Err(Refusal::new("not-a-field", message))
            }
        }
    }

    fn item(&self, at: &str) -> Result<Path, Refusal> {
        match self.find(at)? {
            Found::Item(path, _) => Ok(path),
            Found::Field(path, _) => {
                let message =
                    format!("{path} is no item of a list; name one, for example {path}/1");
                Err(Refusal::new("not-an-item", message))
            }
        }
    }

    fn set(&mut self, at: Path, field: &'static Field, value: &str) -> Result<(), Refusal> {
        expect_no_patient_typed(&at, field, value)?;
        match field.shape {
            Shape::Scalar(_) | Shape::Cosmetic(_) if value.is_empty() => {
                self.intents.push(Intent::Clear { at });
            }
            Shape::Scalar(scalar) | Shape::Cosmetic(scalar) => {
                let value = values::atom(self.case, scalar, value)?;
                self.intents.push(Intent::Set { at, value });
            }
            Shape::Text => {
                let old = self.text_at(&at);
                self.intents.extend(splice(at, &old, value));
            }
            Shape::Set(_) => {
                let values = [value.to_owned()];
                return self
                    .each_element(&at, field, &values, |at, value| Intent::Include { at, value });
            }
            Shape::List(_) | Shape::Record(_) => {
                let message = format!("{at} has parts; set those, or add an item");
                return Err(Refusal::new("not-a-field", message));
            }
        }
        Ok(())
    }

    fn choose(&mut self, at: &str, value: &str) -> Result<(), Refusal> {
        let (at, field) = self.field(at)?;
        expect_no_patient_typed(&at, field, value)?;
        let Shape::Scalar(scalar) = field.shape else {
            let message = format!("{at} never has several values to choose from");
            return Err(Refusal::new("not-a-field", message));
        };
        let value = values::atom(self.case, scalar, value)?;
        self.intents.push(Intent::Choose { at, value });
        Ok(())
    }

    fn each_element(
        &mut self,
        at: &Path,
        field: &'static Field,
        elements: &[String],
        intent: impl Fn(Path, Atom) -> Intent,
    ) -> Result<(), Refusal> {
        let Shape::Set(scalar) = field.shape else {
            let message = format!("{at} is no set; values are added to sets, items to lists");
            return Err(Refusal::new("not-a-set", message));
        };
        for element in elements {
            let value = values::atom(self.case, scalar, element)?;
            self.intents.push(intent(at.clone(), value));
        }
        Ok(())
    }

    fn add_item(&mut self, at: &str, given: &[Pair], after: Option<&str>) -> Result<(), Refusal> {
        let (list, field) = self.field(at)?;
        let Shape::List(of) = field.shape else {
            let message = format!("{list} is no list");
            return Err(Refusal::new("not-a-list", message));
        };
        let spot = match after {
            Some(after) => self.after(&list, after)?,
            None => Spot::Last,
        };
        let fresh = clock::nonce().map_err(|why| Refusal::new("system", why))?;
        let id = ItemId::fresh(fresh);
        let item = list.then(id.as_str());
        self.items.push(id.as_str().to_owned());
        self.intents.push(Intent::AddItem { at: list, id, spot });
        for (name, value) in given {
            let (path, field) = part_of_item(&item, of, name)?;
            expect_no_patient_typed(&path, field, value)?;
            match field.shape {
                // Nothing stands there yet.
                Shape::Text => self.intents.extend(splice(path, "", value)),
                Shape::Scalar(_)
                | Shape::Cosmetic(_)
                | Shape::Set(_)
                | Shape::List(_)
                | Shape::Record(_) => self.set(path, field, value)?,
            }
        }
        Ok(())
    }

    /// The item after which something is to stand.
    fn after(&self, list: &Path, named: &str) -> Result<Spot, Refusal> {
        names::item_named(&self.case.seen()?.reading, list, named).map(Spot::After)
    }

    /// A text as it is after the wishes so far.
    fn text_at(&self, at: &Path) -> String {
        let reading = self.case.seen.as_ref().map(|seen| &seen.reading);
        let before = match reading.ok().and_then(|reading| reading.cell(at)) {
            Some(Cell { content: Content::Text(text), .. }) => text.text.clone(),
            Some(_) | None => String::new(),
        };
        self.intents.iter().filter(|intent| intent.at() == at).fold(before, |text, intent| {
            match intent {
                Intent::Splice { position, delete, insert, .. } => {
                    spliced(&text, *position, *delete, insert)
                }
                _ => text,
            }
        })
    }
}

/// Refuses a patient's number in what was typed for a field.
fn expect_no_patient_typed(at: &Path, field: &Field, text: &str) -> Result<(), Refusal> {
    let scalar = match field.shape {
        Shape::Scalar(scalar) | Shape::Cosmetic(scalar) | Shape::Set(scalar) => Some(scalar),
        Shape::Text | Shape::List(_) | Shape::Record(_) => None,
    };
    values::expect_no_patient(&guard::place_in_words(at), scalar, text)
}

/// A field of an item, by its name; a part of a record after a dot.
fn part_of_item(
    item: &Path,
    of: &'static [Field],
    name: &str,
) -> Result<(Path, &'static Field), Refusal> {
    let (mut path, mut fields) = (item.clone(), of);
    let mut parts = name.split(['/', '.']).peekable();
    loop {
        let part = parts.next().unwrap_or_default();
        let Some(field) = fields.iter().find(|field| field.name == part) else {
            let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
            let message = format!("an item here has no {part:?}; it has {}", names.join(", "));
            return Err(Refusal::new("unknown-field", message));
        };
        path = path.then(field.name);
        match field.shape {
            Shape::Record(parts_of) if parts.peek().is_some() => fields = parts_of,
            _ if parts.peek().is_some() => {
                let message = format!("{part} has no parts that can be set here");
                return Err(Refusal::new("unknown-field", message));
            }
            _ => return Ok((path, field)),
        }
    }
}

/// The splice that makes one text of another: what both have at their ends stays as it is.
fn splice(at: Path, old: &str, new: &str) -> Option<Intent> {
    if old == new {
        return None;
    }
    let (olds, news): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
    let same = |(a, b): &(&char, &char)| a == b;
    let front = olds.iter().zip(&news).take_while(same).count();
    let (old_rest, new_rest) = (olds.get(front..)?, news.get(front..)?);
    let back = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(same).count();
    let delete: String = old_rest.iter().take(old_rest.len() - back).collect();
    let insert: String = new_rest.iter().take(new_rest.len() - back).collect();
    let before: String = olds.iter().take(front).collect();
    Some(Intent::Splice { at, position: width(&before), delete: width(&delete), insert })
}

/// A text after a splice; positions beyond its end are its end.
fn spliced(text: &str, position: u64, delete: u64, insert: &str) -> String {
    let units: Vec<u16> = text.encode_utf16().collect();
    let place = |at: u64| usize::try_from(at).map_or(units.len(), |at| at.min(units.len()));
    let (before, after) =
        (&units[..place(position)], &units[place(position.saturating_add(delete))..]);
    let insert: Vec<u16> = insert.encode_utf16().collect();
    // A splice in the middle of a character is refused when it is carried out.
    String::from_utf16_lossy(&[before, &insert, after].concat())
}

/// How many positions a text has.
fn width(text: &str) -> u64 {
    text.encode_utf16().count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        control::{Act, Answer, AsOf, Deed, Look, Request, Word},
        fixture::{found, partner},
        view::artefact::Artefact,
    };

    #[test]
    fn a_text_becomes_another_by_one_splice() {
        let spliced = |old: &str, new: &str| match splice(Path::of(&["summary"]), old, new) {
            Some(Intent::Splice { position, delete, insert, .. }) => {
                Some((position, delete, insert))
            }
            Some(other) => panic!("{other:?}"),
            None => None,
        };
        assert_eq!(spliced("", "One"), Some((0, 0, "One".into())));
        assert_eq!(spliced("One two", "One three"), Some((5, 2, "hree".into())));
        assert_eq!(spliced("a😀c", "a😀bc"), Some((3, 0, "b".into())));
        assert_eq!(spliced("aa", "a"), Some((1, 1, String::new())));
        assert_eq!(spliced("same", "same"), None);
    }

    /// A node on a board, with a decision that is shown after these edits, one call each.
    fn edited(calls: &[&[Edit]]) -> Artefact {
        let wigan = partner("la-wigan", "council");
        let board = found(&[&wigan, &partner("ccg-trafford", "ccg")]);
        wigan.ask(Request::Join { paper: board.to_text() }).unwrap();
        let act = |deed| {
            wigan.ask(Request::Act(Act { role: None, word: Word::CommandLine, deed })).unwrap()
        };
        let (kind, audience) = ("decision".to_owned(), Vec::new());
        act(Deed::Open { board: None, kind, audience, title: None });
        for edits in calls {
            act(Deed::Edit { artefact: "decision".into(), edits: edits.to_vec() });
        }
        let look = Look::Show { artefact: "decision".into(), as_of: AsOf::Now };
        let Ok(Answer::Artefact(shown)) = wigan.ask(Request::Look(look)) else {
            panic!("not shown")
        };
        *shown
    }

    #[test]
    fn edits_of_one_text_follow_one_another() {
        let set = |value: &str| Edit::Set { at: "summary".into(), value: value.into() };
        let splice = |position, insert: &str| Edit::Splice {
            at: "summary".into(),
            position,
            delete: 0,
            insert: insert.into(),
        };
        let edits = [
            set("Beds 😀"),
            splice(None, " and staff"),
            splice(Some(0), "For "),
            set("For Beds 😀 and staff."),
        ];
        assert_eq!(edited(&[&edits]).fields[0].text.as_deref(), Some("For Beds 😀 and staff."));
    }

    #[test]
    fn items_that_are_added_at_once_stand_in_their_order() {
        let add = |label: &str| Edit::Add {
            at: "options".into(),
            values: vec![("label".into(), label.into())],
            after: None,
        };
        let at = |at: &str| at.to_owned();
        let shown = edited(&[
            &[add("a"), add("b"), add("c")],
            &[
                add("d"),
                Edit::Remove { at: at("options/2"), values: vec![] },
                Edit::Move { at: at("options/1"), after: Some("3".into()) },
                add("e"),
                Edit::Move { at: at("options/3"), after: None },
                add("f"),
            ],
        ]);
        let labels = shown.fields.iter().filter(|field| field.path.ends_with("/label"));
        let labels: Vec<&str> = labels.map(|field| field.values[0].value.as_str()).collect();
        assert_eq!(labels, ["c", "a", "d", "e", "f"]);
    }

    #[test]
    fn a_splice_beyond_the_end_is_at_the_end() {
        assert_eq!(spliced("a😀c", 3, 1, "b"), "a😀b");
        assert_eq!(spliced("abc", 1, u64::MAX, ""), "a");
        assert_eq!(spliced("abc", 9, 9, "d"), "abcd");
    }
}
