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
    super::{disk::read_place, network::NodeIx},
    Checker, Facts, Seen, Verdict, Violation, ends,
};

type Stored = BTreeSet<(FeedId, u64, EntryId)>;

/// Compares each node with the first of those that know the same.
pub(super) fn check(facts: &Facts, nodes: &[Seen<'_>]) -> Verdict {
    let mut first = BTreeMap::new();
    let mut mute = Vec::new();
    for seen in nodes.iter().filter(|seen| seen.disk.is_settled()) {
        for view in seen.views.iter().filter(|view| is_complete(view)) {
            let knowledge = (view.board, view.digest, above_forks(seen, view));
            if !may_say_what_it_applied(facts, seen, view) {
                mute.push((knowledge, seen.node, view));
                continue;
            }
            let (other, reference) = *first.entry(knowledge).or_insert((seen.node, view));
            if let Some(sentence) = difference((other, reference), (seen.node, view)) {
                return Err(Violation { checker: Checker::Effects, sentence });
            }
        }
    }
    for (knowledge, node, view) in mute {
        let Some((other, reference)) = first.get(&knowledge) else { continue };
        if let Some(sentence) = less((*other, reference), (node, view)) {
            return Err(Violation { checker: Checker::Effects, sentence });
        }
    }
    Ok(())
}

/// Whether a node can tell others at once of what had an effect with it: it signs, its feed stands,
/// and nothing waits to be signed. Else it may count more than others who hold the same.
fn may_say_what_it_applied(facts: &Facts, seen: &Seen<'_>, view: &BoardView) -> bool {
    !view.is_restoring && view.drafts == 0 && ends::stands(facts, seen.disk, &view.own)
}

/// In which feed less is settled at one node than at another that knows the same.
fn less(
    (one, reference): (NodeIx, &BoardView),
    (other, view): (NodeIx, &BoardView),
) -> Option<String> {
    reference.feeds.iter().find_map(|(feed, left)| {
        let right = view.feeds.get(feed).map_or(0, |feed| feed.settled);
        (right < left.settled).then(|| {
            let left = left.settled;
            format!("nodes {one} and {other} hold the same; of {feed:?} are settled {left}, and {right}")
        })
    })
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
