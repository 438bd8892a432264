//! Selections: that listing and handing on mean the same entries, and that no byte of others is handed on.

use alloc::{borrow::ToOwned, collections::BTreeSet, string::String};

use super::{
    excerpt::{board, ours, selected},
    listing::holdings,
    *,
};
use crate::{
    charter::{
        Charter, Founding,
        fixture::{accept_all, mini_board},
    },
    identity::SignedCard,
};

/// The time that entry `seq` of the first feed claims.
fn time(seq: u64) -> Option<TimeMs> {
    Some(TimeMs(NOON + 1_000 * (seq + 1)))
}

/// Selections, and which entries of the first feed with content for an audience they mean; of the others none.
fn selections(pens: &[Pen]) -> Vec<(Selection, &'static [u64])> {
    let all = Selection::default;
    let only = |number: usize| Some(BTreeSet::from([pens[number].feed()]));
    vec![
        (all(), &[2, 3, 5, 6, 7]),
        (Selection::about(ours()), &[2, 3]),
        (Selection { feeds: only(0), ..all() }, &[2, 3, 5, 6, 7]),
        (Selection { feeds: only(1), ..all() }, &[]),
        (Selection { feeds: Some(BTreeSet::new()), ..all() }, &[]),
        (Selection { kind: Some(Kind::NOTE), ..all() }, &[7]),
        (Selection { kind: Some(Kind::ACK), ..all() }, &[]),
        (Selection { until: time(3), ..all() }, &[2, 3]),
        (Selection { from: time(6), ..all() }, &[6, 7]),
        (Selection { from: time(3), until: time(5), ..all() }, &[3, 5]),
        (Selection { from: time(4), until: time(4), ..all() }, &[]),
        (Selection { from: time(5), until: time(3), ..all() }, &[]),
        (Selection { from: time(3), kind: Some(Kind::EVENT), feeds: only(0), ..all() }, &[3, 5, 6]),
        (Selection { from: time(3), ..Selection::about(ours()) }, &[3]),
    ]
}

/// What every entry that goes to an audience says, and who by.
fn contents(pen: &Pen) -> Vec<(u64, Vec<&[u8]>)> {
    let private = pen.entries.iter().filter(|(header, ..)| header.kind.is_withheld());
    let said = private.map(|(header, _, sealed)| {
        let attribution = sealed.attribution.as_ref().map(Salted::bytes);
        (header.seq, [sealed.payload.bytes()].into_iter().chain(attribution).collect())
    });
    said.collect()
}

fn has(bytes: &[u8], content: &[u8]) -> bool {
    bytes.windows(content.len()).any(|window| window == content)
}

#[test]
fn an_excerpt_holds_the_content_of_the_selected_entries_and_no_byte_of_others() {
    let (pens, whole) = board();
    for (selection, meant) in selections(&pens) {
        let part = selected(&whole, selection.clone(), pens.iter().map(Pen::feed));
        for (seq, said) in contents(&pens[0]) {
            for content in said {
                assert!(has(&whole, content), "{}", String::from_utf8_lossy(content));
                assert_eq!(has(&part, content), meant.contains(&seq), "{seq} of {selection:?}");
            }
        }
    }
}

#[test]
fn an_audit_finds_the_same_whatever_is_selected_and_counts_what_is_withheld() {
    let (pens, whole) = board();
    let of_whole = audit_bundle(&whole);
    for (selection, meant) in selections(&pens) {
        let part = selected(&whole, selection.clone(), pens.iter().map(Pen::feed));
        let of_part = audit_bundle(&part);
        assert_eq!(of_part.summary, of_whole.summary, "{selection:?}");
        let is_withheld = |one: &Finding| matches!(one, Finding::PayloadWithheld { .. });
        let (withheld, rest): (Vec<_>, Vec<_>) =
            of_part.findings.iter().cloned().partition(is_withheld);
        assert_eq!(rest, of_whole.findings, "{selection:?}");
        let left_out = contents(&pens[0]).into_iter().map(|(seq, _)| seq);
        let left_out = left_out.filter(|seq| !meant.contains(seq)).map(|seq| {
            let (header, ..) = &pens[0].entries[usize::try_from(seq).unwrap()];
            Finding::PayloadWithheld { of: pens[0].name(), seq, kind: header.kind }
        });
        assert_eq!(withheld, left_out.collect::<Vec<_>>(), "{selection:?}");
        let figure = match withheld.len() {
            0 => String::new(),
            1 => " What 1 entry said is not in it: ".to_owned(),
            count => format!(" What {count} entries said is not in it: "),
        };
        assert!(of_part.closing().contains(&figure), "{}", of_part.closing());
        assert_eq!(of_part.closing() == of_whole.closing(), withheld.is_empty());
    }
}

#[test]
fn what_is_listed_is_what_is_handed_on() {
    let (pens, whole) = board();
    let held = holdings(&whole);
    for (selection, meant) in selections(&pens) {
        let part = holdings(&selected(&whole, selection.clone(), pens.iter().map(Pen::feed)));
        for pen in &pens {
            let (all, left) = (held.entries_of(pen.feed()), part.entries_of(pen.feed()));
            let (all, left): (Vec<_>, Vec<_>) = (all.collect(), left.collect());
            let line = |one: &HeldEntry<'_>| (one.header.clone(), one.id, one.standing);
            let lines = |of: &[HeldEntry<'_>]| of.iter().map(line).collect::<Vec<_>>();
            assert_eq!(lines(&all), lines(&left), "every header stays: {selection:?}");
            for one in left {
                let is_listed = selection.holds(one.header);
                assert_eq!(one.is_here, is_listed || !one.header.kind.is_withheld());
                let is_meant = pen.feed() == pens[0].feed() && meant.contains(&one.header.seq);
                assert_eq!(is_listed && one.header.kind.is_withheld(), is_meant, "{selection:?}");
            }
        }
    }
}

#[test]
fn of_both_histories_of_a_feed_the_selected_content_stays_and_the_fork_is_proven_by_each() {
    let (pens, other) = forked();
    let mut pieces = vec![Piece::Founding, Piece::Run(pens[0].run(0, 4))];
    pieces.push(Piece::Run(other.run(2, 5)));
    pieces.extend(pens[1..].iter().map(|pen| Piece::Run(pen.run(0, pen.entries.len()))));
    let whole = bundle(&pieces);
    let of_whole = audit_bundle(&whole);
    assert_eq!(of_whole.exit_status(), 1);
    let third = Selection { from: time(3), until: time(3), ..Selection::default() };
    for (selection, left) in [
        (third, &["three", "drei"][..]),
        (Selection { from: time(4), ..Selection::default() }, &["vier"]),
        (Selection { kind: Some(Kind::ACK), ..Selection::default() }, &[]),
    ] {
        let part = selected(&whole, selection, pens.iter().map(Pen::feed));
        let of_part = audit_bundle(&part);
        assert_eq!((of_part.exit_status(), &of_part.summary), (1, &of_whole.summary));
        let proven = |one: &&Finding| one.severity() == Severity::Proven;
        let of = |report: &Report| report.findings.iter().filter(proven).cloned().collect();
        let (whole, part_proves): (Vec<_>, Vec<_>) = (of(&of_whole), of(&of_part));
        assert_eq!(whole, part_proves);
        let left_out = format!(" What {} entries said is not in it: ", 6 - left.len());
        assert!(of_part.closing().contains(&left_out), "{}", of_part.closing());
        for text in ["one", "two", "three", "zwei", "drei", "vier"] {
            assert_eq!(has(&part, text.as_bytes()), left.contains(&text), "{text} of {left:?}");
        }
    }
}

/// Another board with a member of the first, who wrote a note on it.
fn another_board() -> (Founding, Pen) {
    let charter = Charter { title: "Another board".to_owned(), ..mini_board() };
    let founding = Founding::new(&charter, &accept_all(&charter)).unwrap();
    let key = fixture::feed_key(1);
    let (board, org) = (founding.board(), fixture::org(1));
    let descriptor = Descriptor { board, org, epoch: 0, key: key.public() };
    let mut pen = Pen::blank(descriptor, key);
    pen.write(Kind::OPEN_FEED, OpenFeed::first(descriptor).to_bytes());
    pen.note("on the other board");
    (founding, pen)
}

#[test]
fn a_selection_goes_over_as_many_boards_as_are_named_and_nothing_of_others_is_there() {
    let (pens, one) = board();
    let (other, pen) = another_board();
    let (mut writer, magic) = Writer::new();
    let mut both = magic.to_vec();
    both.extend(writer.founding(&founding()));
    both.extend(writer.founding(&other));
    for record in Records::new(&one).unwrap() {
        both.extend(match record.unwrap() {
            Record::Card(body) => writer.card(&SignedCard::from_bytes(body).unwrap()),
            Record::Run(body) => writer.run(&Run::from_bytes(body).unwrap()),
            Record::Payload(body) => writer.payload(&LoosePayload::from_bytes(body).unwrap()),
            Record::Founding(_) | Record::End(_) | Record::Newer { .. } => vec![],
        });
    }
    both.extend(writer.run(&pen.run(0, 2)));
    both.extend(writer.end());

    let first = founding();
    let excerpt = |boards: &[&Founding], feeds: &[FeedId]| {
        let boards = boards.iter().map(|founding| (founding.board(), founding.charter()));
        let (mut excerpt, magic) = Excerpt::of(Selection::default(), boards, feeds.iter().copied());
        let mut bytes = magic.to_vec();
        for record in Records::new(&both).unwrap() {
            bytes.extend(excerpt.take(record.unwrap()).unwrap());
        }
        bytes.extend(excerpt.end());
        bytes
    };
    let feeds: Vec<FeedId> = pens.iter().map(Pen::feed).collect();
    let all: Vec<FeedId> = feeds.iter().copied().chain([pen.feed()]).collect();
    assert_eq!(excerpt(&[&first, &other], &all), both);
    assert_eq!(excerpt(&[&first], &feeds), one);
    let part = excerpt(&[&other], &[pen.feed()]);
    assert!(has(&part, b"on the other board") && !has(&part, b"one hub"));
    let part = audit_bundle(&part);
    assert_eq!(part.summary.boards.len(), 1);
    assert_eq!(part.summary.entries(), 2);
}
