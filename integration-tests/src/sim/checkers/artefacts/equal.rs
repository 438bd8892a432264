//! Equal knowledge, equal artefacts: replays, readings, conflicts and saved documents, byte by byte,
//! whatever the order of entries and the batches of changes.

use concordat_protocol::{
    decision::Written,
    feed::Kind,
    hash::{EntryId, FeedId},
    replay::{Content, Dossier},
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

/// Entries in the order of their ids; one that stands on two chains of a disk is one.
fn headers_of(dossier: &Dossier) -> Vec<Header<'_>> {
    let header = |one: &'_ concordat_protocol::replay::Entry| one.by.entry;
    let mut entries: Vec<_> = dossier.entries.iter().collect();
    entries.sort_by_key(|one| header(one));
    entries.iter().map(|one| (&one.by, &one.feed, one.kind, &one.refs)).collect()
}

/// Which payloads are here, due or withheld, in the order of ids.
pub fn contents(dossier: &Dossier) -> Vec<u8> {
    let mut entries: Vec<_> = dossier.entries.iter().collect();
    entries.sort_by_key(|one| one.by.entry);
    let flag = |content: &Content| match content {
        Content::Here(_) => 0,
        Content::Due => 1,
        Content::Withheld => 2,
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
pub fn headers(
    (one, left): (NodeIx, &Dossier),
    (other, right): (NodeIx, &Dossier),
) -> Verdict {
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
    let what = if left.replay != right.replay {
        difference(left, right)
    } else if left.reading != right.reading {
        "readings".into()
    } else if left.conflicts != right.conflicts {
        "conflicts".into()
    } else if left.document.clone().save() != right.document.clone().save() {
        "saved documents".into()
    } else {
        return Ok(());
    };
    let artefact = left.dossier.artefact;
    Err(violation(format!("nodes {one} and {other} show other {what} of {artefact}")))
}

fn difference(left: &Scene, right: &Scene) -> String {
    let (one, other) = (&left.replay, &right.replay);
    let changes = one.changes.iter().zip(&other.changes).find(|(one, other)| one != other);
    if let Some((one, other)) = changes {
        return format!("changes ({}: {:?}, {:?})", one.entry, one.status, other.status);
    }
    let entry = one.entries.iter().zip(&other.entries).find(|(one, other)| one != other);
    if entry.is_some() {
        return format!("standings ({entry:?})");
    }
    let poll = one.proposals.iter().zip(&other.proposals).find(|(one, other)| one != other);
    if let Some(((id, one), (_, other))) = poll {
        return format!("polls ({id}: {:?}, {:?})", one.poll, other.poll);
    }
    if one.lifecycle == other.lifecycle { "remarks".into() } else { "states".into() }
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
        Err(NoScene::Harm(what)) => return Err(violation(format!("node {node}: shuffled: {what}"))),
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
    let made = made_of(skeleton, &batches).and_then(|mut made| {
        made.save().map_err(|why| why.to_string())
    });
    if made.ok() == scene.document.clone().save().ok() {
        return Ok(());
    }
    let artefact = scene.dossier.artefact;
    let sentence = format!("node {node}: {} batches make another {artefact}", batches.len());
    Err(violation(sentence))
}
