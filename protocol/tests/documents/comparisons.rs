//! Comparisons: what changed between versions, who changed it, and who changed one paragraph at once.

use concordat_protocol::{
    artefact::{
        compare::{Paragraph, changed_between, shared_paragraphs, touched_since},
        document::{Atom, feed_of},
        edit::Intent,
    },
    verdict::{Actor, ActorPrefix},
};

use crate::editors::{Editor, add_item, in_item, path, set, skeleton, splice};

fn org(actor: &Actor) -> ActorPrefix {
    feed_of(actor)
}

/// Two organisations with one text of three paragraphs.
fn two_editors() -> (Editor, Editor) {
    let skeleton = skeleton();
    let mut first = Editor::new(&skeleton, 1, 1);
    first.edit(vec![splice("summary", 0, 0, "One.\nTwo 😀.\nThree.")]);
    let mut second = Editor::new(&skeleton, 2, 2);
    second.pull(&first);
    (first, second)
}

/// The shared paragraphs, each with the actors that changed it.
fn shared(editor: &Editor) -> Vec<(usize, String, Vec<Actor>)> {
    let actors = |it: Paragraph| (it.number, it.text, it.by.iter().map(|by| by.actor).collect());
    shared_paragraphs(&editor.document, &[], org).into_iter().map(actors).collect()
}

#[test]
fn one_paragraph_changed_by_two_organisations_at_once_is_shown() {
    let (mut first, mut second) = two_editors();
    first.edit(vec![splice("summary", 8, 0, " plus")]);
    second.edit(vec![splice("summary", 12, 0, " and more")]);
    first.pull(&second);
    let both = vec![first.actor, second.actor];
    let [(number, text, mut by)] = shared(&first).try_into().unwrap();
    by.sort();
    let mut expected = both;
    expected.sort();
    assert_eq!((number, text.as_str(), by), (1, "Two plus 😀. and more\n", expected));
}

#[test]
fn different_paragraphs_one_organisation_and_one_after_the_other_are_not_shown() {
    let (mut first, mut second) = two_editors();
    first.edit(vec![splice("summary", 0, 1, "o")]);
    second.edit(vec![splice("summary", 19, 0, "!")]);
    first.pull(&second);
    assert_eq!(shared(&first), []);
    // One after the other.
    first.edit(vec![splice("summary", 18, 1, "?")]);
    assert_eq!(shared(&first), []);
    // Two people of one organisation.
    let mut colleague = Editor::new(&skeleton(), 1, 3);
    colleague.pull(&first);
    colleague.edit(vec![splice("summary", 1, 0, "x")]);
    first.edit(vec![splice("summary", 1, 0, "y")]);
    first.pull(&colleague);
    assert_eq!(shared(&first), []);
}

#[test]
fn text_taken_out_and_marks_count_as_changes_of_their_paragraph() {
    let (mut first, mut second) = two_editors();
    let base = first.document.heads();
    first.edit(vec![splice("summary", 5, 3, "")]);
    second.edit(vec![Intent::Mark {
        at: path("summary"),
        from: 5,
        to: 11,
        name: "strong".into(),
        value: Atom::Bool(true),
        grows: true,
    }]);
    first.pull(&second);
    let found = shared_paragraphs(&first.document, &base, org);
    assert_eq!(found.iter().map(|it| it.number).collect::<Vec<_>>(), [1]);
    assert_eq!(shared_paragraphs(&first.document, &first.document.heads(), org), []);
}

#[test]
fn fields_changed_between_two_versions_are_listed_with_who_changed_them() {
    let (mut first, mut second) = two_editors();
    let base = first.document.heads();
    first.edit(vec![set("title", "Urgent care"), add_item("recommendations", 1, None)]);
    second.edit(vec![splice("summary", 0, 0, "x"), splice("summary", 0, 1, "")]);
    first.pull(&second);
    let changed = changed_between(&first.document, &base, &first.document.heads());
    let item = |field| in_item("recommendations", 1, field);
    assert_eq!(changed, [path("recommendations"), item("owner"), item("text"), path("title")]);
    let touched: Vec<_> = touched_since(&first.document, &base)
        .into_iter()
        .map(|touch| (touch.path, touch.by.actor))
        .collect();
    assert_eq!(
        touched,
        [
            (item(""), first.actor),
            (item("order"), first.actor),
            (item("removed"), first.actor),
            (item("text"), first.actor),
            (path("summary"), second.actor),
            (path("title"), first.actor),
        ]
    );
}
