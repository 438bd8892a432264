//! Equal knowledge, equal artefacts: replays, readings, conflicts and saved documents, byte by byte,
//! whatever the order of entries and the batches of changes.

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{
    decision::{Fate, Flag, Poll, Wait, Written},
    feed::Kind,
    hash::{EntryId, FeedId},
    replay::{ChangeState, Conflict, Content, Dossier, Entry, Replay, Standing},
};

use super::super::{
    super::{
        artefacts::{Board, NoScene, Scene, made_of, skeleton},
        network::NodeIx,
        rng::Rng,
    },
    Checker, Verdict, Violation,
};

fn violation(sentence: String) -> Violation {
    Violation { checker: Checker::Artefacts, sentence }
}

/// What must be equal of an entry, its payload aside.
type Header<'a> = (&'a Written, &'a FeedId, Kind, &'a Vec<EntryId>);

/// Entries in the order of their ids. Those that nobody settled above a fork are left out: who
/// holds which of them is each node's own history, and they have no effect.
fn entries_of(dossier: &Dossier) -> Vec<&Entry> {
    let stands = |one: &&Entry| one.by.settled || one.by.branch().is_none();
    let mut entries: Vec<_> = dossier.entries.iter().filter(stands).collect();
    entries.sort_by_key(|one| one.by.entry);
    entries
}

fn headers_of(dossier: &Dossier) -> Vec<Header<'_>> {
    entries_of(dossier).into_iter().map(|one| (&one.by, &one.feed, one.kind, &one.refs)).collect()
}

/// Which payloads are here, due, withheld or without effect, in the order of ids.
pub fn contents(dossier: &Dossier) -> Vec<u8> {
    let entries = entries_of(dossier);
    let flag = |content: &Content| match content {
        Content::Here(_) => 0,
        Content::Due => 1,
        Content::Withheld => 2,
        Content::Beyond => 3,
    };
    entries.iter().map(|one| flag(&one.content)).collect()
}

/// Whether two dossiers with the same payloads are equal.
pub fn is_same(one: &Dossier, other: &Dossier) -> bool {
    headers_of(one) == headers_of(other)
        && one.acknowledged == other.acknowledged
        && one.feeds == other.feeds
        && (one.opener, &one.kind, one.schema_version)
            == (other.opener, &other.kind, other.schema_version)
}

/// Compares the headers of two nodes that know the same.
///
/// # Errors
/// The first entry that differs.
pub fn headers((one, left): (NodeIx, &Dossier), (other, right): (NodeIx, &Dossier)) -> Verdict {
    let (ours, theirs) = (headers_of(left), headers_of(right));
    if ours == theirs && left.opener == right.opener && left.kind == right.kind {
        return Ok(());
    }
    let differs = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
    Err(violation(format!(
        "nodes {one} and {other} hold the same and differ about {}: {} and {} entries, {differs:?}",
        left.artefact,
        ours.len(),
        theirs.len()
    )))
}

/// Compares all that follows.
///
/// # Errors
/// What differs.
pub fn scenes((one, left): (NodeIx, &Scene), (other, right): (NodeIx, &Scene)) -> Verdict {
    let what = if let Some(what) = difference(&left.replay, &right.replay) {
        what
    } else if left.reading != right.reading {
        "readings".into()
    } else if standing_conflicts(left) != standing_conflicts(right) {
        "conflicts".into()
    } else if left.document.clone().save() != right.document.clone().save() {
        "saved documents".into()
    } else {
        return Ok(());
    };
    let artefact = left.dossier.artefact;
    let (ours, theirs) = (absent(&left.dossier), absent(&right.dossier));
    Err(violation(format!(
        "nodes {one} and {other} show other {what} of {artefact}; absent are {ours:?} and {theirs:?}"
    )))
}

/// Conflicts that no entry held above a fork takes part in.
fn standing_conflicts(scene: &Scene) -> Vec<&Conflict> {
    let is_held = |id: &EntryId| scene.replay.entries.get(id) == Some(&Standing::Held);
    let stands = |one: &&Conflict| !one.sides.iter().flat_map(|side| &side.entries).any(is_held);
    scene.conflicts.iter().filter(stands).collect()
}

/// Entries that others rely on and that are not here, each with one that does.
fn absent(dossier: &Dossier) -> BTreeMap<EntryId, EntryId> {
    let here: BTreeSet<EntryId> = dossier.entries.iter().map(|one| one.by.entry).collect();
    let refs = dossier.entries.iter().flat_map(|one| one.refs.iter().map(|id| (*id, one.by.entry)));
    refs.filter(|(id, _)| !here.contains(id)).collect()
}

/// What differs between two replays, entries aside that are held above a fork.
fn difference(one: &Replay, other: &Replay) -> Option<String> {
    let is_held = |standing: &Standing| *standing == Standing::Held;
    let standings = |replay: &Replay| -> Vec<(EntryId, Standing)> {
        let known = replay.entries.iter().filter(|(_, standing)| !is_held(standing));
        known.map(|(id, standing)| (*id, *standing)).collect()
    };
    let changes = |replay: &Replay| -> Vec<ChangeState> {
        let stands = |one: &&ChangeState| !replay.entries.get(&one.entry).is_some_and(is_held);
        replay.changes.iter().filter(stands).cloned().collect()
    };
    let (ours, theirs) = (standings(one), standings(other));
    if ours != theirs {
        let entry = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
        return Some(format!("standings ({entry:?})"));
    }
    let (ours, theirs) = (changes(one), changes(other));
    if ours != theirs {
        let mut both = ours.iter().zip(&theirs);
        let change = both.find(|(ours, theirs)| ours != theirs);
        let shown = change.map(|(ours, theirs)| (ours.entry, &ours.status, &theirs.status));
        return Some(format!("changes ({shown:?})"));
    }
    let polls = |replay: &Replay| -> Vec<(EntryId, Poll)> {
        let stand = replay
            .proposals
            .iter()
            .filter(|(id, _)| replay.entries.get(*id).is_some_and(|standing| !is_held(standing)));
        stand.map(|(id, one)| (*id, standing_poll(&one.poll))).collect()
    };
    let (ours, theirs) = (polls(one), polls(other));
    if ours != theirs {
        let poll = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
        return Some(format!("polls ({poll:?})"));
    }
    if one.lifecycle != other.lifecycle {
        return Some("states".into());
    }
    let rest = |replay: &Replay| {
        (replay.remarks.clone(), replay.settlements.clone(), replay.audience.clone())
    };
    (rest(one) != rest(other)).then(|| "remarks".into())
}

/// A poll without the answers that are held above a fork, and without what they contradict.
fn standing_poll(poll: &Poll) -> Poll {
    let held = poll.slips.iter().filter(|slip| slip.fate == Fate::Held).map(|slip| slip.entry);
    let held: BTreeSet<EntryId> = held.collect();
    let mut poll = poll.clone();
    poll.slips.retain(|slip| !held.contains(&slip.entry));
    poll.flags.retain(|flag| {
        !matches!(flag, Flag::TwoAnswers { entries, .. } if entries.iter().any(|id| held.contains(id)))
    });
    poll.waits.retain(|wait| !matches!(wait, Wait::SignOff(id) if held.contains(id)));
    poll
}

/// Shuffles the entries, and applies the changes in other batches.
///
/// # Errors
/// What differs.
pub fn shuffled(board: Board<'_>, node: NodeIx, scene: &Scene, rng: &mut Rng) -> Verdict {
    let mut dossier = scene.dossier.clone();
    rng.shuffle(&mut dossier.entries);
    match board.scene_of(dossier) {
        Ok(other) => scenes((node, scene), (node, &other))?,
        Err(NoScene::Unopened) => {}
        Err(NoScene::Harm(what)) => {
            return Err(violation(format!("node {node}: shuffled: {what}")));
        }
    }
    let (kind, version) = (&scene.dossier.kind, scene.dossier.schema_version);
    let Some(skeleton) = skeleton(kind, version) else { return Ok(()) };
    let mut batches: Vec<Vec<&[u8]>> = vec![Vec::new()];
    for raw in scene.replay.applied() {
        if rng.chance(40) {
            batches.push(Vec::new());
        }
        if let Some(batch) = batches.last_mut() {
            batch.push(raw);
        }
    }
    batches.iter_mut().for_each(|batch| rng.shuffle(batch));
    let made =
        made_of(skeleton, &batches).and_then(|mut made| made.save().map_err(|why| why.to_string()));
    if made.ok() == scene.document.clone().save().ok() {
        return Ok(());
    }
    let artefact = scene.dossier.artefact;
    let sentence = format!("node {node}: {} batches make another {artefact}", batches.len());
    Err(violation(sentence))
}
