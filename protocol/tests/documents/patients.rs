//! Patients' numbers in documents, also those that nobody wrote as a whole.

use automerge::{ObjType, ROOT, ReadDoc, transaction::Transactable};
use concordat_protocol::artefact::{
    document::{Atom, Path},
    edit::Intent,
    guard::expect_none_in,
};

use crate::{
    editors::{Editor, add_item, in_item, item, path, set, skeleton, splice, text},
    readings::careless,
};

/// The fields that hold a number, as a refusal names them.
fn found(editor: &Editor) -> Vec<String> {
    let cells = editor.reading().cells;
    cells.iter().filter_map(|cell| expect_none_in(cell).err()).map(|why| why.field).collect()
}

fn editor() -> Editor {
    Editor::new(&skeleton(), 1, 1)
}

fn set_in(at: Path, value: &str) -> Intent {
    Intent::Set { at, value: text(value) }
}

#[test]
fn two_honest_halves_are_found_once_they_meet() {
    let mut one = editor();
    one.edit(vec![splice("summary", 0, 0, "Patient - waited.")]);
    let mut other = Editor::new(&skeleton(), 2, 2);
    other.pull(&one);
    one.edit(vec![splice("summary", 8, 0, "943 476")]);
    other.edit(vec![splice("summary", 9, 0, "5919")]);
    assert_eq!((found(&one), found(&other)), (vec![], vec![]));
    one.pull(&other);
    assert_eq!(found(&one), ["summary"]);
}

#[test]
fn a_text_is_looked_at_as_a_whole_with_its_marks_and_blocks() {
    let mark = |name: &str, value| Intent::Mark {
        at: path("summary"),
        from: 0,
        to: 3,
        name: name.into(),
        value,
        grows: false,
    };
    let split = |kind: &str| Intent::Split { at: path("summary"), position: 7, kind: kind.into() };
    let begun = || {
        let mut editor = editor();
        editor.edit(vec![splice("summary", 0, 0, "943 4765919 waited")]);
        editor.edit(vec![splice("summary", 7, 4, "")]);
        assert_eq!(found(&editor), Vec::<String>::new());
        editor
    };
    for intent in [
        splice("summary", 7, 0, " 5919"),
        splice("summary", 7, 0, "\n5919"),
        mark("link", text("https://example.org/9434765919")),
        mark("943 476 5919", Atom::Bool(true)),
        mark("patient", Atom::Int(9_434_765_919)),
        split("9434765919"),
    ] {
        let mut editor = begun();
        editor.edit(vec![intent.clone()]);
        assert_eq!(found(&editor), ["summary"], "{intent:?}");
    }
    // A block begins where the space was.
    let mut editor = begun();
    editor.edit(vec![splice("summary", 7, 0, "5919"), split("paragraph")]);
    assert_eq!(found(&editor), ["summary"]);
}

#[test]
fn each_of_several_values_is_looked_at() {
    let (mut one, mut other) = (editor(), Editor::new(&skeleton(), 2, 2));
    one.edit(vec![set("title", "Winter fund")]);
    other.edit(vec![
        set("title", "For 943 476 5919"),
        Intent::Include { at: path("tags"), value: text("943-476-5919") },
    ]);
    one.pull(&other);
    assert_eq!(found(&one), ["title", "tags"]);
    one.edit(vec![
        set("title", "For winter"),
        Intent::Exclude { at: path("tags"), value: text("943-476-5919") },
    ]);
    assert_eq!(found(&one), Vec::<String>::new());
}

#[test]
fn an_amount_is_none_and_an_item_is_looked_at_while_it_is_there() {
    let mut one = editor();
    let total = || path("finance/total_pence");
    one.edit(vec![Intent::Set { at: total(), value: Atom::Int(9_434_765_919) }]);
    one.edit(vec![add_item("options", 1, None)]);
    assert_eq!(found(&one), Vec::<String>::new());
    let label = in_item("options", 1, "label");
    one.edit(vec![set_in(label.clone(), "943 476 5919")]);
    assert_eq!(found(&one), [label.to_string()]);
    let at = path("options").then(item(1).as_str());
    one.edit(vec![Intent::RemoveItem { at: at.clone() }]);
    assert_eq!(found(&one), Vec::<String>::new());
    one.edit(vec![Intent::RestoreItem { at }]);
    assert_eq!(found(&one), [label.to_string()]);
}

#[test]
fn what_does_not_fit_its_field_is_looked_at_and_no_item_gives_its_number_away() {
    let mut one = editor();
    let number = "943 476 5919";
    let raw = careless(&one.document, |doc| {
        let finance = doc.get(ROOT, "finance").unwrap().unwrap().1;
        doc.put(&finance, "total_pence", number).unwrap();
        doc.put(ROOT, "effective_from", number).unwrap();
        let list = doc.get(ROOT, "options").unwrap().unwrap().1;
        let item = doc.put_object(&list, number, ObjType::Map).unwrap();
        doc.put(&item, "label", number).unwrap();
    });
    one.document = one.document.with(&[raw]).unwrap();
    let mut found = found(&one);
    found.sort();
    assert_eq!(found, ["effective_from", "finance/total_pence", "options", "options/…/label"]);
}
