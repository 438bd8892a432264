//! Once faults end, honest nodes agree: equal digests, equal durable heads of sound feeds, every
//! payload of honest organisations, equal effects, the newest card of every honest organisation, and settlement
//! wherever enough honest members can give it.
//!
//! A payload that nobody but its restored author had held is lost for good, and excused if no honest
//! node holds it.

use concordat_protocol::{
    engine::{BoardView, FeedStanding, Table, card_key},
    feed::Header,
    hash::FeedId,
    identity::SignedCard,
};

use super::{super::disk::Disk, Facts, Seen, effects::difference};

/// What is still open, `None` when all agree.
pub(super) fn open_matter(
    facts: &Facts,
    lost: impl Fn(&FeedId) -> bool,
    is_excused: impl Fn(&FeedId) -> bool,
    nodes: &[Seen<'_>],
) -> Option<String> {
    let view = |seen: &Seen<'_>| seen.views.iter().find(|view| view.board == facts.board).cloned();
    let (first, rest) = nodes.split_first()?;
    let Some(reference) = view(first) else {
        return Some(format!("node {} has not joined the board", first.node));
    };
    for seen in rest {
        let Some(other) = view(seen) else {
            return Some(format!("node {} has not joined the board", seen.node));
        };
        if other.digest != reference.digest {
            let feeds = differing(&reference, &other);
            return Some(format!("nodes {} and {} differ: {feeds}", first.node, seen.node));
        }
        if let Some(effects) = difference((first.node, &reference), (seen.node, &other)) {
            return Some(effects);
        }
    }
    let mut views = nodes.iter().filter_map(|seen| Some((seen, view(seen)?)));
    views.find_map(|(seen, view)| {
        let open = absent(facts, &is_excused, &view)
            .or_else(|| outdated(facts, &is_excused, seen))
            .or_else(|| unfinished(facts, (&lost, &is_excused), seen.disk, &view))?;
        Some(format!("node {}: {open}", seen.node))
    })
}

fn differing(one: &BoardView, other: &BoardView) -> String {
    let differ = one.feeds.iter().filter(|(feed, left)| {
        let right = other.feeds.get(*feed);
        right.is_none_or(|right| {
            (right.size, right.id, right.standing) != (left.size, left.id, left.standing)
        })
    });
    let shown: Vec<String> = differ
        .map(|(feed, left)| {
            let right = other.feeds.get(feed);
            let ends = |size, standing| format!("{size} {standing:?}");
            let right = right.map(|right| ends(right.size, right.standing));
            format!("{feed:?} {} or {}", ends(left.size, left.standing), right.unwrap_or_default())
        })
        .collect();
    if shown.is_empty() { "in kept branches alone".to_string() } else { shown.join(", ") }
}

/// A feed that an honest organisation signs now and that does not stand at a node.
fn absent(
    facts: &Facts,
    is_excused: &impl Fn(&FeedId) -> bool,
    view: &BoardView,
) -> Option<String> {
    let mut honest = facts.orgs.iter().enumerate().filter(|(_, org)| org.is_honest);
    honest.find_map(|(number, org)| {
        let feed = view.feeds.get(&org.feed);
        let standing = feed.filter(|feed| feed.size > 0).map(|feed| feed.standing);
        let is_due = standing != Some(FeedStanding::Sound)
            && facts.is_honest(&org.feed)
            && !is_excused(&org.feed);
        is_due
            .then(|| format!("{:?}, which organisation {number} signs, is {standing:?}", org.feed))
    })
}

/// An honest organisation of which a node knows another card than the newest.
fn outdated(
    facts: &Facts,
    is_excused: &impl Fn(&FeedId) -> bool,
    seen: &Seen<'_>,
) -> Option<String> {
    let mut others = facts.orgs.iter().enumerate().filter(|(number, _)| *number != seen.node);
    others.find_map(|(number, org)| {
        let card = org.card.card();
        let known = seen.disk.row(Table::Cards, &card_key(&card.org));
        let known = known.and_then(|bytes| SignedCard::from_bytes(bytes).ok());
        let is_due = org.is_honest && known.as_ref() != Some(&org.card) && !is_excused(&org.feed);
        let order = known.map(|known| known.card().order());
        is_due.then(|| {
            format!("organisation {number} has card {:?}, known is {order:?}", card.order())
        })
    })
}

/// What one node still lacks.
fn unfinished(
    facts: &Facts,
    (lost, is_excused): (&impl Fn(&FeedId) -> bool, &impl Fn(&FeedId) -> bool),
    disk: &Disk,
    view: &BoardView,
) -> Option<String> {
    view.feeds.iter().find_map(|(id, feed)| {
        let org = *facts.feeds.get(id)?;
        let honest = facts.orgs[org].is_honest;
        if feed.standing == FeedStanding::Sound && feed.durable_size != feed.size {
            return Some(format!(
                "{id:?} has {} entries, {} on disk",
                feed.size, feed.durable_size
            ));
        }
        if facts.is_honest(id) && feed.missing > 0 && !lost(id) {
            return Some(format!("{id:?} lacks {} payloads", feed.missing));
        }
        // Whoever was put back to a backup that was too old may be one that signs no more.
        let (seats, mut others) = facts.others(org);
        others.retain(|other| !is_excused(&facts.orgs[*other].feed));
        let can_settle = honest && facts.orgs[org].is_active && others.len() * 2 > seats;
        let is_complete = feed.standing == FeedStanding::Sound && feed.missing == 0;
        // The tail of acknowledgements and cosignatures is never settled: it ends somewhere.
        let calls = |seq: &u64| {
            let header = disk.header(id, *seq).and_then(|bytes| Header::from_bytes(bytes).ok());
            header.is_some_and(|header| header.kind.calls_for_ack())
        };
        // A member that was due content which is lost cannot acknowledge it, though others were due none.
        let is_due = can_settle && is_complete && !lost(id);
        let due = (0..feed.effective).rev().find(calls).filter(|_| is_due)?;
        (feed.settled <= due)
            .then(|| format!("{id:?} has entry {due}, of which {} are settled", feed.settled))
    })
}
