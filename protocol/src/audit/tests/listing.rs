//! Every entry of a bundle as a list, and who knew of it by when.

use super::*;
use crate::decision::Standing;

pub(super) fn holdings(bytes: &[u8]) -> Holdings {
    let records = Records::new(bytes).unwrap();
    let mut first = Audit::new();
    for record in records.clone() {
        let _findings = first.take(record.unwrap());
    }
    let (second, _) = first.second_reading();
    let mut second = second.gathering();
    for record in records {
        let _findings = second.take(record.unwrap());
    }
    second.finish_gathered().2.unwrap()
}

/// Who, by the entry at which place, and whether with the payload.
fn knew(holdings: &Holdings, pen: &Pen, at: (usize, u64)) -> Vec<(u8, u64, bool)> {
    let knew = holdings.knew(&pen.feed(), at).into_iter();
    knew.map(|one| (one.org.as_bytes()[0], one.seq, one.is_complete)).collect()
}

#[test]
fn entries_are_listed_with_what_is_here_of_them() {
    let mut pens = pens();
    let mut pieces = pieces(&pens);
    let feed = pens[0].feed();
    let listed = holdings(&bundle(&pieces));
    let held = listed.feeds().into_iter().find(|held| held.feed == feed).unwrap();
    assert_eq!((held.size, held.histories, held.fork), (5, 1, None));
    assert_eq!(held.last, Some(pens[0].tip.id()));
    let shown: Vec<_> = listed
        .entries_of(feed)
        .map(|one| (one.header.seq, one.id, one.is_here, one.is_settled))
        .collect();
    let expected = |at: usize| (at as u64, pens[0].entries[at].1, true, at < 4);
    assert_eq!(shown, (0..5).map(expected).collect::<Vec<_>>());
    // Without the record that it travels in, the payload is not here; the entry is.
    pieces.remove(3);
    let listed = holdings(&bundle(&pieces));
    let absent: Vec<_> = listed.entries_of(feed).filter(|one| !one.is_here).collect();
    assert_eq!(absent.iter().map(|one| one.header.seq).collect::<Vec<_>>(), [2]);

    // The first acknowledgement counts, and it says so of all before it.
    let first = pens[0].clone();
    pens[1].ack(&[&first]);
    pens[0].apart.clear();
    let pieces = [Piece::Founding]
        .into_iter()
        .chain(pens.iter().map(|pen| Piece::Run(pen.run(0, pen.entries.len()))));
    let listed = holdings(&bundle(&pieces.collect::<Vec<_>>()));
    let all = |seq| (2..=5).map(|org| (org, seq, true)).collect::<Vec<_>>();
    assert_eq!(knew(&listed, &pens[0], (0, 0)), all(1));
    assert_eq!(knew(&listed, &pens[0], (0, 3)), all(1));
    // Its own acknowledgement only one other has acknowledged.
    assert_eq!(knew(&listed, &pens[0], (0, 4)), [(2, 2, true)]);
}

#[test]
fn what_is_acknowledged_of_one_history_is_not_known_of_the_other() {
    let (mut pens, other) = forked();
    let first = pens[0].clone();
    pens[1].ack(&[&first]);
    pens[3].ack(&[&other]);
    let mut pieces = vec![Piece::Founding, Piece::Run(pens[0].run(0, 4))];
    pieces.push(Piece::Run(other.run(2, 5)));
    pieces.extend(pens[1..].iter().map(|pen| Piece::Run(pen.run(0, pen.entries.len()))));
    let listed = holdings(&bundle(&pieces));
    assert_eq!(knew(&listed, &pens[0], (0, 1)), [(2, 1, true), (4, 1, true)]);
    assert_eq!(knew(&listed, &pens[0], (0, 2)), [(2, 1, true)]);
    assert_eq!(knew(&listed, &pens[0], (1, 2)), [(4, 1, true)]);
    let branch = listed.entries_of(pens[0].feed()).filter(|one| one.history == 1);
    let branch: Vec<_> = branch.map(|one| (one.header.seq, one.id, one.standing)).collect();
    let held = |at: usize| {
        (at as u64, other.entries[at].1, Standing::Forked { branch: other.entries[2].1 })
    };
    assert_eq!(branch, (2..5).map(held).collect::<Vec<_>>());
}

#[test]
fn an_acknowledgement_without_the_payload_comes_before_the_one_with_it() {
    let (mut pens, _) = forked();
    let first = pens[0].clone();
    let item = |payloads_through, missing| AckItem {
        feed: first.feed(),
        seq: 3,
        id: first.tip.id(),
        payloads_through,
        missing,
        received_at: TimeMs(NOON),
    };
    pens[1].write(Kind::ACK, Ack(vec![item(1, vec![])]).to_bytes());
    pens[1].write(Kind::ACK, Ack(vec![item(3, vec![3])]).to_bytes());
    let mut pieces = vec![Piece::Founding, Piece::Run(pens[0].run(0, 4))];
    pieces.extend(pens[1..].iter().map(|pen| Piece::Run(pen.run(0, pen.entries.len()))));
    let listed = holdings(&bundle(&pieces));
    assert_eq!(knew(&listed, &pens[0], (0, 1)), [(2, 1, true)]);
    assert_eq!(knew(&listed, &pens[0], (0, 2)), [(2, 1, false), (2, 2, true)]);
    assert_eq!(knew(&listed, &pens[0], (0, 3)), [(2, 1, false)]);
}
