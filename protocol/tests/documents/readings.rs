//! Readings: conflicts, disputed items, what was overwritten, and the past.

use automerge::{ObjType, ROOT, ReadDoc, transaction::Transactable};
use concordat_protocol::{
    artefact::{
        document::{Atom, Document, MarkSpan, Path, feed_of},
        edit::{CannotEdit, Intent},
        read::{Content, Presence, read, read_at},
    },
    verdict::{Actor, ActorPrefix, ChangeHash},
};

use crate::editors::{
    Editor, add_item, feed, in_item, path, set, skeleton, splice, text, text_of, values,
};

fn two_editors() -> (Editor, Editor) {
    let skeleton = skeleton();
    let mut first = Editor::new(&skeleton, 1, 1);
    first.edit(vec![
        set("title", "Urgent care"),
        splice("summary", 0, 0, "First.\nSecond.\nThird."),
        add_item("recommendations", 1, None),
        add_item("recommendations", 2, Some(1)),
    ]);
    let mut second = Editor::new(&skeleton, 2, 2);
    second.pull(&first);
    (first, second)
}

fn presence(document: &Document, list: &str, id: &str) -> Presence {
    let reading = read(document);
    match &reading.cell(&path(list)).unwrap().content {
        Content::List(items) => items.iter().find(|item| item.id == id).unwrap().presence.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn values_written_at_once_are_all_kept_with_their_writers_until_one_is_chosen() {
    let (mut first, mut second) = two_editors();
    first.edit(vec![set("effective_from", "2017-12-04")]);
    second.edit(vec![set("effective_from", "2017-12-11")]);
    first.pull(&second);
    let reading = first.reading();
    // Of equally late operations, the one of the smaller actor comes first.
    let (cell, written) = reading.conflicts().next().unwrap();
    assert_eq!(cell.path, path("effective_from"));
    let orgs: Vec<_> = written.iter().map(|it| feed_of(&it.by[0].actor)).collect();
    assert_eq!(orgs, [feed_of(&second.actor), feed_of(&first.actor)]);
    assert_eq!(values(&reading, &path("effective_from")), ["2017-12-11", "2017-12-04"]);
    // Choosing the value that wins already must be written, and name who chose it.
    for chosen in ["2017-12-04", "2017-12-11"] {
        let mut third = Editor::new(&skeleton(), 3, 3);
        third.pull(&first);
        third.edit(vec![Intent::Choose { at: path("effective_from"), value: text(chosen) }]);
        let reading = third.reading();
        assert_eq!(values(&reading, &path("effective_from")), [chosen]);
        let Content::Scalar(written) = &reading.cell(&path("effective_from")).unwrap().content
        else {
            panic!("not a value")
        };
        assert_eq!(written[0].by.len(), 1);
        assert_eq!(written[0].by[0].actor, third.actor);
        assert_eq!(reading.conflicts().count(), 0);
    }
}

#[test]
fn equal_values_written_at_once_are_one_value_of_two_writers() {
    let (mut first, mut second) = two_editors();
    first.edit(vec![set("effective_from", "2017-12-04")]);
    second.edit(vec![set("effective_from", "2017-12-04")]);
    first.pull(&second);
    let reading = first.reading();
    assert_eq!(reading.conflicts().count(), 0);
    let Content::Scalar(written) = &reading.cell(&path("effective_from")).unwrap().content else {
        panic!("not a value")
    };
    assert_eq!(written.len(), 1);
    assert_eq!(
        written[0].by.iter().map(|by| by.actor).collect::<Vec<_>>(),
        [second.actor, first.actor]
    );
}

#[test]
fn an_item_removed_here_and_edited_there_stays_until_a_person_says() {
    let (mut first, mut second) = two_editors();
    let removal = Intent::RemoveItem { at: in_item("recommendations", 1, "") };
    first.edit(vec![removal.clone()]);
    let id = in_item("recommendations", 1, "").parts()[1].clone();
    assert!(matches!(presence(&first.document, "recommendations", &id), Presence::Removed { .. }));
    let edited = in_item("recommendations", 1, "text");
    second.edit(vec![Intent::Splice {
        at: edited.clone(),
        position: 0,
        delete: 0,
        insert: "Agree".into(),
    }]);
    first.pull(&second);
    let found = presence(&first.document, "recommendations", &id);
    let Presence::Disputed { removed, edited: paths } = found else { panic!("{found:?}") };
    assert_eq!(removed.iter().map(|by| by.actor).collect::<Vec<_>>(), [first.actor]);
    assert_eq!(paths, std::slice::from_ref(&edited));
    assert_eq!(first.reading().disputed().count(), 1);
    assert_eq!(text_of(&first.reading(), &edited), "Agree");
    let mut keeper = first.clone();
    keeper.edit(vec![Intent::RestoreItem { at: in_item("recommendations", 1, "") }]);
    assert_eq!(presence(&keeper.document, "recommendations", &id), Presence::Present);
    // Removing it again is a removal by somebody who knew the edit.
    second.pull(&first);
    second.edit(vec![removal]);
    assert!(matches!(presence(&second.document, "recommendations", &id), Presence::Removed { .. }));
    let refused = second.try_edit(vec![Intent::Splice {
        at: edited,
        position: 0,
        delete: 0,
        insert: "x".into(),
    }]);
    let at = in_item("recommendations", 1, "");
    assert_eq!(refused.unwrap_err(), CannotEdit::ItemRemoved { at });
}

#[test]
fn an_element_added_outlives_a_removal_made_at_once() {
    let (mut first, mut second) = two_editors();
    let at = path("finance/years");
    first.edit(vec![Intent::Include { at: at.clone(), value: text("2017/18") }]);
    second.pull(&first);
    first.edit(vec![Intent::Exclude { at: at.clone(), value: text("2017/18") }]);
    second.edit(vec![Intent::Include { at: at.clone(), value: text("2017/18") }]);
    first.pull(&second);
    assert_eq!(values(&first.reading(), &at), ["2017/18"]);
}

#[test]
fn marks_and_blocks_keep_their_places() {
    let (mut first, _) = two_editors();
    let mark = |name: &str, from, to, grows| Intent::Mark {
        at: path("background"),
        from,
        to,
        name: name.into(),
        value: Atom::Bool(true),
        grows,
    };
    first.edit(vec![
        splice("background", 0, 0, "a😀bcAim"),
        mark("strong", 1, 3, true),
        mark("em", 1, 4, false),
        Intent::Split { at: path("background"), position: 5, kind: "heading".into() },
    ]);
    first.edit(vec![splice("background", 3, 0, "😀")]);
    let reading = first.reading();
    let Content::Text(found) = &reading.cell(&path("background")).unwrap().content else {
        panic!("not a text")
    };
    let span =
        |name: &str, from, to| MarkSpan { from, to, name: name.into(), value: Atom::Bool(true) };
    assert_eq!(found.text, "a😀😀bc\u{fffc}Aim");
    assert_eq!(found.marks, [span("strong", 1, 5), span("em", 1, 6)]);
    let blocks: Vec<_> =
        found.blocks.iter().map(|it| (it.kind.as_str(), it.text.as_str())).collect();
    assert_eq!(blocks, [("paragraph", "a😀😀bc"), ("heading", "Aim")]);
    first.edit(vec![
        Intent::Unmark { at: path("background"), from: 1, to: 3, name: "em".into() },
        Intent::Join { at: path("background"), position: 7 },
    ]);
    let reading = first.reading();
    let Content::Text(found) = &reading.cell(&path("background")).unwrap().content else {
        panic!("not a text")
    };
    assert_eq!(found.text, "a😀😀bcAim");
    assert_eq!(found.marks, [span("strong", 1, 5), span("em", 3, 6)]);
}

#[test]
fn the_past_can_be_read() {
    let (mut first, _) = two_editors();
    let (heads, then) = (first.document.heads(), first.reading());
    first.edit(vec![set("title", "Planned care"), splice("summary", 0, 5, "Zero")]);
    assert_eq!(read_at(&first.document, &heads), then);
    assert_eq!(read_at(&first.document, &first.document.heads()), first.reading());
    assert_eq!(values(&read_at(&first.document, &[]), &path("title")), [""; 0]);
    assert_eq!(read_at(&first.document, &[ChangeHash([9; 32])]), read_at(&first.document, &[]));
}

/// A change by somebody who does not keep to the kind.
pub(crate) fn careless(
    document: &Document,
    write: impl FnOnce(&mut automerge::transaction::Transaction<'_>),
) -> Vec<u8> {
    let mut inner = automerge::Automerge::new();
    inner.load_incremental(&document.clone().save().unwrap()).unwrap();
    inner.set_actor(automerge::ActorId::from(Actor::of(ActorPrefix::of(&feed(9)), [9; 16]).0));
    let mut transaction = inner.transaction();
    write(&mut transaction);
    transaction.commit();
    inner.get_last_local_change().unwrap().raw_bytes().to_vec()
}

#[test]
fn what_does_not_fit_is_shown_and_hides_nothing() {
    let (first, _) = two_editors();
    let raw = careless(&first.document, |doc| {
        doc.put(ROOT, "summary", "gone").unwrap();
        doc.put_object(ROOT, "recommendations", ObjType::List).unwrap();
        doc.put(ROOT, "effective_from", 3.5).unwrap();
        doc.put(ROOT, "colour", "red").unwrap();
        let record = doc.get(ROOT, "finance").unwrap().unwrap().1;
        doc.put_object(&record, "total_pence", ObjType::Text).unwrap();
        doc.delete(ROOT, "background").unwrap();
    });
    let spoiled = first.document.with(&[raw]).unwrap();
    let (before, after) = (first.reading(), read(&spoiled));
    for unharmed in
        [path("summary"), path("background"), path("title"), in_item("recommendations", 1, "text")]
    {
        assert_eq!(after.cell(&unharmed), before.cell(&unharmed), "{unharmed}");
    }
    assert_eq!(values(&after, &path("effective_from")), ["3.5: should be a value of this field"]);
    assert_eq!(
        values(&after, &path("finance/total_pence")),
        ["text: should be a value of this field"]
    );
    let strays: Vec<(String, bool)> =
        after.strays.iter().map(|it| (it.path.to_string(), it.overwrites)).collect();
    assert_eq!(
        strays,
        [("colour", false), ("summary", true), ("recommendations", true)]
            .map(|(at, overwrites)| (at.to_string(), overwrites))
    );
    // And the spoiled text can still be edited.
    let mut editor = Editor { document: spoiled, ..first };
    editor.edit(vec![
        splice("summary", 0, 0, "Still "),
        Intent::Clear { at: path("effective_from") },
    ]);
    assert_eq!(text_of(&editor.reading(), &path("summary")), "Still First.\nSecond.\nThird.");
}

#[test]
fn a_rival_item_of_the_same_id_is_a_stray() {
    let (first, _) = two_editors();
    let at: Path = in_item("recommendations", 1, "");
    let raw = careless(&first.document, |doc| {
        let list = doc.get(ROOT, "recommendations").unwrap().unwrap().1;
        doc.put_object(&list, at.parts()[1].as_str(), ObjType::Map).unwrap();
    });
    let spoiled = first.document.with(&[raw]).unwrap();
    let reading = read(&spoiled);
    let text = in_item("recommendations", 1, "text");
    assert_eq!(reading.cell(&text).unwrap().content, Content::Overwritten);
}
