//! Equal knowledge, equal effects: two honest nodes that hold the same entries of a board, with
//! every payload, say the same of every feed.
//!
//! Knowledge is the board's digest and, for forked feeds, the ids of all that is stored: the digest
//! names only those entries above a fork that somebody acknowledged. A node is compared while
//! nothing is on its way to disk, since the digest tells of what is flushed alone. After healing
//! the digest has to do: by then everything that counts is acknowledged (`liveness.rs`).
//!
//! A node that may not sign cannot say what it applied: what it counted before its own feed was ended,
//! say, of which nobody else heard in time. It may count more than others until its next feed says so.

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{
    engine::{BoardView, FeedStanding, FeedView, Table},
    feed::Header,
    hash::{EntryId, FeedId},
};

use super::{
    super::{
        disk::{Disk, read_place},
        network::NodeIx,
    },
    Checker, Facts, Seen, Verdict, Violation, ends,
};

type Stored = BTreeSet<(FeedId, u64, EntryId)>;

/// Compares each node with the first of those that know the same.
pub(super) fn check(facts: &Facts, nodes: &[Seen<'_>]) -> Verdict {
    let mut first: BTreeMap<_, (&Seen<'_>, &BoardView)> = BTreeMap::new();
    for seen in nodes.iter().filter(|seen| seen.disk.is_settled()) {
        for view in seen.views.iter().filter(|view| is_complete(view)) {
            let knowledge = (view.board, view.digest, above_forks(seen, view));
            let reference = first.entry(knowledge).or_insert((seen, view));
            compare(facts, reference, (seen, view))?;
        }
    }
    Ok(())
}

/// Compares two nodes that know the same; the first gives way to one that may say what it applied.
fn compare<'a>(
    facts: &Facts,
    first: &mut (&'a Seen<'a>, &'a BoardView),
    (seen, view): (&'a Seen<'a>, &'a BoardView),
) -> Verdict {
    let (reference, shown) = *first;
    let Some(sentence) = difference((reference.node, shown), (seen.node, view)) else {
        return Ok(());
    };
    let one = may_say_what_it_applied(facts, reference.disk, shown);
    let other = may_say_what_it_applied(facts, seen.disk, view);
    let is_wrong = match (one, other) {
        (true, true) => true,
        (true, false) => counts_less(shown, view),
        (false, true) => {
            *first = (seen, view);
            counts_less(view, shown)
        }
        (false, false) => false,
    };
    if is_wrong { Err(Violation { checker: Checker::Effects, sentence }) } else { Ok(()) }
}

/// Whether a node can tell others at once of what had an effect with it: it signs, its feed stands,
/// and nothing waits to be signed. Else it may count more than others who hold the same.
pub fn may_say_what_it_applied(facts: &Facts, disk: &Disk, view: &BoardView) -> bool {
    !view.is_restoring && view.drafts == 0 && ends::stands(facts, disk, &view.own)
}

/// Whether less of some feed is settled by the second view than by the first.
fn counts_less(reference: &BoardView, view: &BoardView) -> bool {
    let settled = |feed: &FeedId| view.feeds.get(feed).map_or(0, |feed| feed.settled);
    reference.feeds.iter().any(|(id, feed)| settled(id) < feed.settled)
}

fn is_complete(view: &BoardView) -> bool {
    view.feeds.values().all(|feed| feed.missing == 0 && feed.durable_size == feed.size)
}

fn above_forks(seen: &Seen<'_>, view: &BoardView) -> Stored {
    let forked = |feed: &FeedId| {
        view.feeds.get(feed).is_some_and(|feed| feed.standing != FeedStanding::Sound)
    };
    if !view.feeds.keys().any(forked) {
        return Stored::new();
    }
    let headers = seen.disk.rows(Table::Headers);
    headers
        .filter_map(|(key, bytes)| Some((read_place(key)?, bytes)))
        .filter(|((feed, _, _), _)| forked(feed))
        .map(|((feed, _, seq), bytes)| (feed, seq, Header::id_of(bytes)))
        .collect()
}

/// In which feed two views say different things.
pub(super) fn difference(
    (one, reference): (NodeIx, &BoardView),
    (other, view): (NodeIx, &BoardView),
) -> Option<String> {
    reference.feeds.iter().find_map(|(feed, left)| {
        // A feed that its owner is about to open has no effect yet, and others do not know of it.
        let right = view.feeds.get(feed).or(Some(left).filter(|left| left.size == 0));
        let differs = right.map(effect) != Some(effect(left));
        differs.then(|| {
            let right = right.map(effect).unwrap_or_default();
            let left = effect(left);
            format!("nodes {one} and {other} hold the same and differ about {feed:?}: {left}, and {right}")
        })
    })
}

/// What must be equal. Which branch of a fork a node saw first is its own history, and no effect.
fn effect(feed: &FeedView) -> String {
    let FeedView { size, id, settled, standing, effective, .. } = feed;
    let end = match standing {
        FeedStanding::Sound | FeedStanding::Superseded => format!("{size} entries to {id:?}"),
        FeedStanding::Held { .. } | FeedStanding::Won { .. } | FeedStanding::Halted { .. } => {
            "forked".to_string()
        }
    };
    format!("{end}, settled {settled}, effective {effective}, {standing:?}")
}
