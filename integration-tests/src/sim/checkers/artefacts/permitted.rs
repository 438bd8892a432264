//! Nothing is applied that the charter, the audience or the verdict forbids.
//!
//! Worked out anew, from the dossier and the charter, in another way than replays do it: pasts by
//! following refs entry by entry, the audience by asking who let whom in, verdicts in the order of
//! hashes.

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{
    artefact::kind::Among,
    charter::{Charter, Member, Status as Membership, Who},
    feed::Kind,
    hash::{EntryId, OrgId},
    payload::{Audience, Changes, Event, Open, Widening},
    replay::{ChangeState, Content, Dossier, Entry, Standing, Status},
    verdict::{ActorPrefix, ChangeHash, Chunk, History, Judgement},
};

use super::super::{
    super::{
        artefacts::{Board, Scene, skeleton, steps::may_settle},
        network::NodeIx,
    },
    Checker, Verdict, Violation,
};

/// Looks at one artefact of one node.
///
/// # Errors
/// What has effect and should have none.
pub fn check(board: Board<'_>, node: NodeIx, scene: &Scene) -> Verdict {
    let found = forbidden(board, scene);
    found.map_or(Ok(()), |what| {
        let artefact = scene.dossier.artefact;
        let sentence = format!("node {node}: {artefact}: {what}");
        Err(Violation { checker: Checker::Permitted, sentence })
    })
}

fn forbidden(board: Board<'_>, scene: &Scene) -> Option<String> {
    let known = Known::of(&scene.dossier);
    let is_applied = |one: &&ChangeState| one.status == Status::Applied;
    let applied: Vec<&ChangeState> = scene.replay.changes.iter().filter(is_applied).collect();
    for change in &applied {
        let Some(entry) = known.entries.get(&change.entry) else {
            return Some(format!("a change of {}, which is not here", change.entry));
        };
        if let Some(why) = known.barred(board.charter, entry) {
            return Some(format!("changes of {} are applied, but {why}", change.entry));
        }
        if !known.carries(entry, &change.raw) {
            return Some(format!("{} does not carry a change applied from it", change.entry));
        }
        let unnamed = change.dependencies.iter().find(|one| !known.names(entry, one, &applied));
        let skeleton = skeleton(&scene.dossier.kind, scene.dossier.schema_version)?;
        if let Some(unnamed) = unnamed.filter(|one| **one != skeleton.hash()) {
            return Some(format!("{} does not name {unnamed}", change.entry));
        }
    }
    bad_verdict(scene, &known, &applied)
        .or_else(|| forbidden_event(board.charter, scene, &known))
        .or_else(|| forbidden_settlement(board.charter, scene, &known))
}

/// A conflict settled by an organisation that may not settle it.
fn forbidden_settlement(charter: &Charter, scene: &Scene, known: &Known<'_>) -> Option<String> {
    scene.conflicts.iter().find_map(|conflict| {
        let by = known.entries.get(&conflict.settled_by?)?.by.org;
        let may = may_settle(charter, &scene.dossier.opener, &by, conflict);
        (!may).then(|| format!("{} on {} is settled by {by}", conflict.code, conflict.about))
    })
}

/// Judges again, in the order of hashes.
fn bad_verdict(scene: &Scene, known: &Known<'_>, applied: &[&ChangeState]) -> Option<String> {
    let skeleton = skeleton(&scene.dossier.kind, scene.dossier.schema_version)?;
    let mut history = History::new(skeleton.raw()).ok()?;
    let mut left: BTreeMap<ChangeHash, &ChangeState> =
        applied.iter().map(|one| (one.hash, *one)).collect();
    while !left.is_empty() {
        let ready = left.values().find(|one| {
            let there = |hash: &ChangeHash| *hash == skeleton.hash() || history.contains(hash);
            one.dependencies.iter().all(there)
        });
        let Some(one) = ready.copied() else {
            return Some(format!("{} applied changes build on nothing", left.len()));
        };
        let feed = known.entries.get(&one.entry).map(|entry| ActorPrefix::of(&entry.feed))?;
        match history.judge(&one.raw, feed) {
            Judgement::Good(judged) => history.admit(judged),
            other => return Some(format!("an applied change of {} is {other:?}", one.entry)),
        }
        left.remove(&one.hash);
    }
    None
}

/// An event with effect whose author may not write it.
fn forbidden_event(charter: &Charter, scene: &Scene, known: &Known<'_>) -> Option<String> {
    for entry in scene.dossier.entries.iter().filter(|one| one.kind == Kind::EVENT) {
        let id = entry.by.entry;
        let counts = scene.replay.entries.get(&id) == Some(&Standing::Counts);
        let Content::Here(sealed) = &entry.content else { continue };
        if !counts || scene.replay.lifecycle.without_effect.contains_key(&id) {
            continue;
        }
        let event = Event::from_bytes(sealed.payload.bytes()).ok()?;
        let Some(kind) = scene.replay.kind.event(&event.name) else {
            return Some(format!("{id} has effect and is no event of this kind"));
        };
        let org = entry.by.org;
        let member = member(charter, &org);
        let may = match kind.who.org {
            Among::Members | Among::Author | Among::Offering | Among::Requesting => true,
            Among::Sponsor => scene.dossier.opener == org,
            Among::Secretariat => charter.secretariat.contains(&org),
            Among::Classes(classes) => member.is_some_and(|one| classes.contains(&&*one.class)),
            Among::Locality => charter.localities.iter().any(|one| one.orgs.contains(&org)),
        };
        if !may {
            return Some(format!("{id}, an event {} by {org}, has effect", event.name));
        }
        if let Some(why) = known.absent(charter, entry) {
            return Some(format!("the event {id} has effect, but {why}"));
        }
    }
    None
}

fn is_among(charter: &Charter, who: &Who, org: &OrgId) -> bool {
    let member = member(charter, org).filter(|member| member.status == Membership::Active);
    member.is_some_and(|member| match who {
        Who::Everyone => true,
        Who::Named { classes, orgs } => classes.contains(&member.class) || orgs.contains(org),
    })
}

fn member<'a>(charter: &'a Charter, org: &OrgId) -> Option<&'a Member> {
    charter.members.iter().find(|member| member.org == *org)
}

/// A dossier by entry and by feed.
struct Known<'a> {
    dossier: &'a Dossier,
    entries: BTreeMap<EntryId, &'a Entry>,
}

impl<'a> Known<'a> {
    fn of(dossier: &'a Dossier) -> Self {
        Self { dossier, entries: dossier.entries.iter().map(|one| (one.by.entry, one)).collect() }
    }

    /// Entries that an entry relies on directly: its refs, and those before it in its feed, as far
    /// as they stand on the same chain.
    fn before(&self, entry: &'a Entry) -> Vec<&'a Entry> {
        let refs = entry.refs.iter().filter_map(|id| self.entries.get(id).copied());
        let is_below = |one: &&&'a Entry| {
            let same_chain = one.by.branch().is_none() || one.by.branch() == entry.by.branch();
            one.feed == entry.feed && one.by.seq < entry.by.seq && same_chain
        };
        refs.chain(self.entries.values().filter(is_below).copied()).collect()
    }

    fn past(&self, entry: &'a Entry) -> BTreeSet<EntryId> {
        let mut found = BTreeSet::new();
        let mut next = self.before(entry);
        while let Some(one) = next.pop() {
            if found.insert(one.by.entry) {
                next.extend(self.before(one));
            }
        }
        found
    }

    fn payload(&self, id: &EntryId, kind: Kind) -> Option<&'a [u8]> {
        let entry = self.entries.get(id).filter(|one| one.kind == kind)?;
        match &entry.content {
            Content::Here(sealed) => Some(sealed.payload.bytes()),
            Content::Due | Content::Withheld | Content::Beyond => None,
        }
    }

    /// Whether an organisation was let in by what an entry relies on.
    fn is_inside(&self, org: &OrgId, entry: &'a Entry) -> bool {
        let past = self.past(entry);
        let openings = past.iter().filter_map(|id| self.payload(id, Kind::OPEN));
        let lists: Vec<Vec<OrgId>> = openings
            .filter_map(|bytes| match Open::from_bytes(bytes).ok()?.audience {
                Audience::Everyone => None,
                Audience::Only(orgs) => Some(orgs),
            })
            .collect();
        if lists.is_empty() {
            return true;
        }
        let named = |org: &OrgId| {
            *org == self.dossier.opener || lists.iter().all(|list| list.contains(org))
        };
        let widenings: Vec<(OrgId, Vec<OrgId>)> = past
            .iter()
            .filter_map(|id| {
                let widening = Widening::from_bytes(self.payload(id, Kind::AUDIENCE)?).ok()?;
                Some((self.entries.get(id)?.by.org, widening.orgs))
            })
            .collect();
        // Backwards: who let this one in, and who let those in?
        let mut asked = BTreeSet::from([*org]);
        let mut next = vec![*org];
        while let Some(one) = next.pop() {
            if named(&one) {
                return true;
            }
            let by = widenings.iter().filter(|(_, orgs)| orgs.contains(&one)).map(|(by, _)| *by);
            next.extend(by.filter(|by| asked.insert(*by)));
        }
        false
    }

    /// Why an author takes no part.
    fn absent(&self, charter: &Charter, entry: &'a Entry) -> Option<String> {
        let org = entry.by.org;
        let member = member(charter, &org);
        if member.is_none_or(|member| member.status != Membership::Active) {
            return Some(format!("{org} takes no part"));
        }
        let opener = self.dossier.opener;
        let mut terms = charter.kinds.iter();
        let terms = terms.find(|terms| {
            (&terms.kind, terms.schema_version) == (&self.dossier.kind, self.dossier.schema_version)
        });
        if !terms.is_some_and(|terms| is_among(charter, &terms.creates, &opener)) {
            return Some(format!("{opener} may not begin this kind"));
        }
        if !self.is_inside(&org, entry) {
            return Some(format!("{org} is outside the audience"));
        }
        None
    }

    /// Why changes of an entry must not be applied.
    fn barred(&self, charter: &Charter, entry: &'a Entry) -> Option<String> {
        let org = entry.by.org;
        let terms = charter.kinds.iter().find(|terms| terms.kind == self.dossier.kind);
        if !terms.is_some_and(|terms| is_among(charter, &terms.edits, &org)) {
            return Some(format!("{org} may not edit this kind"));
        }
        self.absent(charter, entry)
    }

    fn carries(&self, entry: &Entry, raw: &[u8]) -> bool {
        let changes = self.payload(&entry.by.entry, Kind::CHANGE);
        let changes = changes.and_then(|bytes| Changes::from_bytes(bytes).ok());
        changes.is_some_and(|changes| changes.raw.iter().any(|one| **one == *raw))
    }

    /// Whether an applied change stands where an entry may build on it: in its feed or its refs.
    fn names(&self, entry: &Entry, hash: &ChangeHash, applied: &[&ChangeState]) -> bool {
        applied.iter().filter(|one| one.hash == *hash).any(|one| {
            let carrier = self.entries.get(&one.entry);
            let is_earlier =
                carrier.is_some_and(|it| it.feed == entry.feed && it.by.seq <= entry.by.seq);
            let is_real = Chunk::from_bytes(&one.raw).is_ok_and(|chunk| chunk.hash == *hash);
            is_real && (is_earlier || entry.refs.contains(&one.entry))
        })
    }
}
