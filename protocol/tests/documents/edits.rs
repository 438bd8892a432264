//! Edits: what each intent does, and the exact refusal of those that cannot be carried out.

use concordat_protocol::{
    artefact::{
        document::{Atom, Document, Path, Size, Suspended, Unplaced},
        edit::{CannotEdit, Intent, Spot, edit, fold},
        read::{Content, Presence, read},
    },
    limits::{DOC_HEADS_MAX, DOCUMENT_BYTES_MAX, DOCUMENT_OPERATIONS_MAX},
    time::TimeMs,
};

use crate::editors::{
    Editor, add_item, in_item, item, path, set, skeleton, splice, text, text_of, values,
};

fn refusal(intent: Intent) -> CannotEdit {
    let mut editor = Editor::new(&skeleton(), 1, 1);
    editor.edit(vec![splice("summary", 0, 0, "a😀b"), add_item("recommendations", 1, None)]);
    editor.try_edit(vec![intent]).unwrap_err()
}

#[test]
fn each_kind_of_field_takes_its_intents() {
    let mut editor = Editor::new(&skeleton(), 1, 1);
    editor.edit(vec![
        set("title", "Urgent care"),
        Intent::Set { at: path("finance/total_pence"), value: Atom::Int(1_250_000) },
        Intent::Set { at: path("finance/recurrent"), value: Atom::Bool(true) },
        splice("summary", 0, 0, "One hub"),
        splice("summary", 4, 3, "place 😀"),
        Intent::Include { at: path("finance/years"), value: text("2017/18") },
        add_item("recommendations", 1, None),
        add_item("recommendations", 2, None),
        add_item("recommendations", 3, Some(1)),
        Intent::Splice {
            at: in_item("recommendations", 2, "text"),
            position: 0,
            delete: 0,
            insert: "Agree".into(),
        },
    ]);
    assert_eq!(editor.made.len(), 1);
    let reading = editor.reading();
    assert_eq!(values(&reading, &path("title")), ["Urgent care"]);
    assert_eq!(values(&reading, &path("finance/total_pence")), ["1250000"]);
    assert_eq!(values(&reading, &path("finance/recurrent")), ["true"]);
    assert_eq!(values(&reading, &path("finance/years")), ["2017/18"]);
    assert_eq!(text_of(&reading, &path("summary")), "One place 😀");
    assert_eq!(text_of(&reading, &in_item("recommendations", 2, "text")), "Agree");
    let Content::List(items) = &reading.cell(&path("recommendations")).unwrap().content else {
        panic!("not a list")
    };
    let ids: Vec<_> = items.iter().map(|item| item.id.as_str()).collect();
    assert_eq!(ids, [item(2), item(1), item(3)].each_ref().map(|id| id.as_str()));
    assert_eq!(reading.strays, []);
    editor.edit(vec![
        Intent::MoveItem {
            at: in_item("recommendations", 2, ""),
            spot: Spot::After(item(3).as_str().into()),
        },
        Intent::RemoveItem { at: in_item("recommendations", 1, "") },
        Intent::Clear { at: path("title") },
        Intent::Exclude { at: path("finance/years"), value: text("2017/18") },
    ]);
    let reading = editor.reading();
    assert_eq!(values(&reading, &path("title")), [""; 0]);
    assert_eq!(values(&reading, &path("finance/years")), [""; 0]);
    let Content::List(items) = &reading.cell(&path("recommendations")).unwrap().content else {
        panic!("not a list")
    };
    let shown: Vec<_> = items
        .iter()
        .filter(|it| it.presence == Presence::Present)
        .map(|it| it.id.as_str())
        .collect();
    assert_eq!(shown, [item(3), item(2)].each_ref().map(|id| id.as_str()));
}

/// Two that add at once get one place, between which nothing fits: what is added after the first stands after both.
#[test]
fn what_is_added_last_stands_after_all_that_the_edit_has_added() {
    let skeleton = skeleton();
    let mut here = Editor::new(&skeleton, 1, 1);
    let mut there = Editor::new(&skeleton, 2, 2);
    let last = |n| Intent::AddItem { at: path("recommendations"), id: item(n), spot: Spot::Last };
    here.edit(vec![last(1)]);
    there.edit(vec![last(2)]);
    here.pull(&there);
    let (first, removed) = (in_item("recommendations", 1, ""), in_item("recommendations", 2, ""));
    here.edit(vec![
        add_item("recommendations", 3, Some(1)),
        last(4),
        Intent::RemoveItem { at: removed },
        last(5),
        Intent::MoveItem { at: first, spot: Spot::Last },
        last(6),
    ]);
    let reading = here.reading();
    let Content::List(items) = &reading.cell(&path("recommendations")).unwrap().content else {
        panic!("not a list")
    };
    let shown = items.iter().filter(|it| it.presence == Presence::Present);
    let shown: Vec<&str> = shown.map(|it| it.id.as_str()).collect();
    assert_eq!(shown, [3, 4, 5, 1, 6].map(item).each_ref().map(|id| id.as_str()));
}

#[test]
fn lists_in_items_have_items_too() {
    let mut editor = Editor::new(&skeleton(), 1, 1);
    let scores = in_item("options", 1, "criteria_scores");
    editor.edit(vec![
        add_item("options", 1, None),
        Intent::AddItem { at: scores.clone(), id: item(9), spot: Spot::First },
        Intent::Set { at: scores.then(item(9).as_str()).then("score"), value: Atom::Int(70) },
    ]);
    let score = scores.then(item(9).as_str()).then("score");
    assert_eq!(values(&editor.reading(), &score), ["70"]);
}

#[test]
fn what_cannot_be_done_is_refused_with_the_place_and_the_numbers() {
    let cases = [
        (set("titel", "x"), "titel: there is no such field"),
        (set("finance/split", "x"), "finance/split: this is not a field of one value"),
        (set("finance", "x"), "finance: this is not a field of one value"),
        (set("summary/x", "x"), "summary: this is not a field that can be edited so"),
        (set("title", ""), "title: the value has 0 characters, 1 to 150 are allowed"),
        (
            set("title", &"x".repeat(151)),
            "title: the value has 151 characters, 1 to 150 are allowed",
        ),
        (
            set("effective_from", "4 December"),
            "effective_from: the value should be written as 2017-12-04",
        ),
        (
            set("finance/total_pence", "5"),
            "finance/total_pence: the value should be a whole number",
        ),
        (
            Intent::Set { at: path("finance/total_pence"), value: Atom::Int(-5) },
            "finance/total_pence: the value should be a whole number from 0 on",
        ),
        (splice("summary", 5, 0, "x"), "summary: position 5 is beyond the end at 4"),
        (splice("summary", 3, 2, ""), "summary: position 5 is beyond the end at 4"),
        (splice("summary", 2, 0, "x"), "summary: position 2 is inside a character"),
        (splice("summary", 1, 1, "x"), "summary: position 2 is inside a character"),
        (
            splice("summary", 0, 0, "\u{fffc}"),
            "summary: the text holds U+FFFC, which stands for the beginning of a block; split instead",
        ),
        (splice("title", 0, 0, "x"), "title: this is not a text"),
        (
            Intent::Mark {
                at: path("summary"),
                from: 1,
                to: 1,
                name: "strong".into(),
                value: Atom::Bool(true),
                grows: true,
            },
            "summary: a mark needs a name and at least one character",
        ),
        (Intent::Join { at: path("summary"), position: 0 }, "summary: no block begins at 0"),
        (
            Intent::Choose { at: path("title"), value: text("x") },
            "title: this is none of the 0 values to choose from; set it instead",
        ),
        (
            Intent::Exclude { at: path("finance/years"), value: text("2017/18") },
            "finance/years: the set does not have this element",
        ),
        (Intent::Clear { at: path("title") }, "there is nothing to change"),
    ];
    for (intent, sentence) in cases {
        assert_eq!(refusal(intent).to_string(), sentence);
    }
    let missing = path("recommendations").then("nowhere");
    assert_eq!(
        refusal(Intent::RemoveItem { at: missing.clone() }),
        Unplaced::UnknownItem { at: missing }.into()
    );
    let taken = in_item("recommendations", 1, "");
    assert_eq!(refusal(add_item("recommendations", 1, None)), CannotEdit::ItemExists { at: taken });
}

#[test]
fn a_refused_intent_changes_nothing() {
    let editor = Editor::new(&skeleton(), 1, 1);
    let heads = editor.document.heads();
    let intents = vec![set("title", "Urgent care"), set("titel", "x")];
    assert!(edit(&editor.document, intents, editor.actor, TimeMs(0)).is_err());
    assert_eq!(editor.document.heads(), heads);
}

#[test]
fn a_long_paste_is_several_changes_and_one_text() {
    let mut editor = Editor::new(&skeleton(), 1, 1);
    let long: String = "Wigan 😀 ".chars().cycle().take(50_000).collect();
    editor.edit(vec![splice("summary", 0, 0, "ab"), splice("summary", 1, 0, &long)]);
    assert_eq!(editor.made.len(), 3);
    assert_eq!(text_of(&editor.reading(), &path("summary")), format!("a{long}b"));
    let width = long.encode_utf16().count() as u64;
    editor.edit(vec![splice("summary", 1, width, &long[..10]), set("title", "Shorter")]);
    assert_eq!(text_of(&editor.reading(), &path("summary")), format!("a{}b", &long[..10]));
    assert_eq!(values(&editor.reading(), &path("title")), ["Shorter"]);
    let raw: usize = editor.made.iter().map(Vec::len).sum();
    assert_eq!(editor.document.size().raw_bytes, raw as u64);
    assert!(editor.document.size().operations > 100_000);
}

#[test]
fn many_marks_go_on_in_the_next_change() {
    let mut editor = Editor::new(&skeleton(), 1, 1);
    editor.edit(vec![splice("summary", 0, 0, &"x".repeat(600))]);
    let mark = |n: u64| Intent::Mark {
        at: path("summary"),
        from: n,
        to: n + 1,
        name: format!("comment:{n}"),
        value: Atom::Bool(true),
        grows: false,
    };
    editor.edit((0..300).map(mark).collect());
    assert_eq!(editor.made.len(), 3);
    let reading = editor.reading();
    let Content::Text(found) = &reading.cell(&path("summary")).unwrap().content else {
        panic!("not a text")
    };
    assert_eq!(found.marks.len(), 300);
}

#[test]
fn more_than_32_heads_are_folded_by_empty_changes() {
    let skeleton = skeleton();
    let mut all = Editor::new(&skeleton, 1, 0);
    for n in 1..=80 {
        let mut other = Editor::new(&skeleton, 1, n);
        other.edit(vec![splice("summary", 0, 0, "x")]);
        all.pull(&other);
    }
    assert_eq!(all.document.heads().len(), 80);
    let refused = all.try_edit(vec![set("title", "Urgent care")]).unwrap_err();
    assert_eq!(refused, CannotEdit::TooManyHeads { count: 80, max: DOC_HEADS_MAX });
    let fresh = Editor::new(&skeleton, 1, 200).actor;
    let folded = fold(&all.document, fresh, TimeMs(0)).unwrap();
    assert_eq!(folded.changes.len(), 2);
    assert_eq!(folded.document.heads().len(), 80 - 31 - 31);
    let again = Document::new(&skeleton).with(&folded.document.raw_changes()).unwrap();
    assert_eq!(again.heads(), folded.document.heads());
    assert_eq!(read(&again), read(&all.document));
    all.document = folded.document;
    all.edit(vec![set("title", "Urgent care")]);
    assert_eq!(all.document.heads().len(), 1);
}

#[test]
fn a_document_tells_what_it_cannot_open() {
    let skeleton = skeleton();
    let mut editor = Editor::new(&skeleton, 1, 1);
    editor.edit(vec![set("title", "One")]);
    editor.edit(vec![set("title", "Two")]);
    let document = Document::new(&skeleton);
    let second = document.with(&editor.made[1..]).unwrap_err();
    assert!(matches!(second, Suspended::NotApplied { .. }), "{second:?}");
    assert_eq!(document.with(&[b"no change"]).unwrap_err(), Suspended::Unreadable { place: 0 });
    let mut rival = Editor::new(&skeleton, 1, 1);
    rival.edit(vec![set("title", "Three")]);
    let both = [editor.made[0].clone(), rival.made[0].clone()];
    assert_eq!(document.with(&both).unwrap_err(), Suspended::TwoOfOneSeq);
    let nothing = Document::load(&skeleton, b"no save", document.size());
    assert_eq!(nothing.unwrap_err(), Suspended::SaveDoesNotLoad);
    let size = document.size();
    let other = automerge_save_without_skeleton();
    assert_eq!(Document::load(&skeleton, &other, size).unwrap_err(), Suspended::SaveDiffers);
}

fn automerge_save_without_skeleton() -> Vec<u8> {
    automerge::Automerge::new().save()
}

#[test]
fn an_item_in_a_path_is_no_field() {
    let mut editor = Editor::new(&skeleton(), 1, 1);
    editor.edit(vec![add_item("recommendations", 1, None)]);
    let at: Path = in_item("recommendations", 1, "");
    let why = editor.try_edit(vec![Intent::Set { at: at.clone(), value: text("x") }]);
    assert_eq!(why.unwrap_err(), Unplaced::NotAField { at }.into());
}

#[test]
fn a_union_beyond_the_bounds_of_a_document_is_not_opened() {
    let skeleton = skeleton();
    let mut editor = Editor::new(&skeleton, 1, 1);
    let saved = editor.document.save().unwrap();
    editor.edit(vec![splice("summary", 0, 0, "ab")]);
    let near = |size| Document::load(&skeleton, &saved, size).unwrap().with(&editor.made);
    let operations = Size { operations: DOCUMENT_OPERATIONS_MAX - 2, raw_bytes: 0 };
    assert_eq!(near(operations).unwrap().size().operations, DOCUMENT_OPERATIONS_MAX);
    let operations = Size { operations: DOCUMENT_OPERATIONS_MAX - 1, raw_bytes: 0 };
    let (count, max) = (DOCUMENT_OPERATIONS_MAX + 1, DOCUMENT_OPERATIONS_MAX);
    assert_eq!(near(operations).unwrap_err(), Suspended::TooManyOperations { count, max });
    let max = DOCUMENT_BYTES_MAX;
    let bytes = max + editor.made[0].len() as u64;
    let raw_bytes = Size { operations: 0, raw_bytes: max };
    assert_eq!(near(raw_bytes).unwrap_err(), Suspended::TooLarge { bytes, max });
}
