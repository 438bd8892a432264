//! What Byzantine organisations do about artefacts.
//!
//! Their own engines sign it: a node's engine judges no change of its own staff, and what it does
//! refuse (to write outside the audience) its owner takes out by changing its own disk.
//!
//! ```text
//! hostile change            each row of the table, on an artefact of its own or on a shared one
//! change without refs       what it builds on is not named
//! change of another's actor the first half of the actor's id is another feed's
//! second answer, stale answer, forbidden event, forbidden proposal, false closing
//! forbidden settlement      of a conflict that others settle
//! entry from outside        about an artefact outside whose audience it is
//! request from outside      asks for payloads that are not for it
//! two openings of one artefact, on two branches of its feed
//! forbidden opening         of a kind that the charter does not let it begin
//! ```
//!
//! *Invariants.* Signs with its own keys alone.
//!
//! *Source*: ours; rows as in the specification's section "Verdict".

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use concordat_protocol::{
    artefact::{
        document::Document,
        kind::Kind as Of,
        kinds::{ALL, DECISION, MUTUAL_AID},
    },
    charter::Answer,
    codec::{self, Fixed, Opt},
    engine::{ArtefactRecord, Op, Table},
    feed::{Draft, Kind},
    hash::{ArtefactId, EntryId, OrgId},
    payload::{Audience, Changes, Close, Open, Proposal, SignOff},
    replay::{Content, Refusal, Status},
    sync::{Lane, Message, Point},
    time::TimeMs,
    verdict::ActorPrefix,
};
use sha2::{Digest, Sha256};

use super::{
    super::{
        Sim,
        checkers::{Checker, Verdict, Violation},
        network::NodeIx,
        plan::Topology,
    },
    Act, Desk, Scene, edits, may_begin, opening, skeleton, steps,
};
use crate::{
    changes::hostile::{Expected, Ground, Row},
    trace::{Counts, Group},
};

/// What Byzantine organisations do, as it is counted.
pub const ACTS: [&str; 13] = [
    "hostile change",
    "change without refs",
    "change of another's actor",
    "second answer",
    "stale answer",
    "forbidden event",
    "forbidden proposal",
    "false closing",
    "entry from outside",
    "request from outside",
    "two openings",
    "forbidden opening",
    "forbidden settlement",
];

/// What was done, to be found again.
#[derive(Debug, Default)]
pub struct Hostile {
    /// Rows over a skeleton, made once for each organisation that needs them.
    rows: BTreeMap<NodeIx, Rc<(Ground, Vec<Row>)>>,
    /// Where rows were written: by the artefact and the digest of the change.
    written: BTreeMap<(ArtefactId, [u8; 32]), (&'static str, Expected)>,
    /// Where rows were written that no entry can carry: by the digest of the payload.
    uncarried: BTreeMap<(ArtefactId, [u8; 32]), &'static str>,
    /// On which shared artefacts an organisation wrote a row: its actors are the same each time.
    on_shared: BTreeSet<(NodeIx, ArtefactId)>,
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn draft_of(artefact: ArtefactId, kind: Kind, payload: Vec<u8>) -> Draft {
    Draft { kind, artefact: Some(artefact), refs: Vec::new(), payload, attribution: None }
}

fn changes(raw: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    Changes { raw: raw.into_iter().map(Into::into).collect() }.to_bytes()
}

impl Sim {
    /// A Byzantine organisation does something about artefacts.
    pub(super) fn act_against(&mut self, node: NodeIx) -> Verdict {
        let Some(desk) = self.desk(node) else { return Ok(()) };
        if self.artefacts.rng.chance(55) {
            return self.write_hostile(&desk);
        }
        if !may_begin(&desk, MUTUAL_AID.name) && self.artefacts.rng.chance(10) {
            return self.open_forbidden(&desk);
        }
        let shared = self.artefacts.shared.clone();
        let Some((artefact, _)) = self.artefacts.rng.pick(&shared).copied() else { return Ok(()) };
        if self.twins.contains_key(&node) && self.artefacts.rng.chance(15) {
            return self.open_twice(&desk);
        }
        match self.scene(&desk, &artefact)? {
            Some(scene) => {
                let act = self.contrive(&desk, &scene);
                self.carry(node, act)
            }
            None if self.artefacts.rng.chance(40) => self.ask_from_outside(&desk, &artefact),
            None => self.write_from_outside(&desk, &artefact),
        }
    }

    /// What an organisation does about an artefact that it is shown.
    fn contrive(&mut self, desk: &Desk, scene: &Scene) -> Option<Act> {
        let rng = &mut self.artefacts.rng;
        let (artefact, speaker) = (scene.dossier.artefact, desk.speaker());
        let proposals: Vec<_> = scene.replay.proposals.iter().collect();
        let proposal = rng.pick(&proposals).copied();
        if rng.chance(10)
            && let Some(draft) = steps::settle(scene, speaker, false, rng)
        {
            return Some(Act::of(draft, "forbidden settlement"));
        }
        // A closing does most harm where nobody has answered yet.
        let fresh = proposals.iter().find(|(_, one)| one.poll.slips.is_empty()).copied();
        if let Some((id, _)) = fresh.filter(|_| rng.chance(50)) {
            return Some(false_closing(desk, scene, *id));
        }
        let votes = proposal.is_some() && rng.chance(40);
        match if votes { 2 } else { rng.below(8) } {
            0 => {
                let (mut draft, _) = edits::draw(scene, desk.editor(), None, rng)?;
                draft.refs.clear();
                Some(Act::of(draft, "change without refs"))
            }
            1 => {
                let feeds = scene.dossier.feeds.keys().filter(|feed| **feed != desk.view.own);
                let feeds: Vec<_> = feeds.copied().collect();
                let editor = edits::Editor { feed: *rng.pick(&feeds)?, ..desk.editor() };
                let (mut draft, _) = edits::draw(scene, editor, None, rng)?;
                draft.refs = scene.replay.refs(&desk.view.own, &scene.document.heads());
                Some(Act::of(draft, "change of another's actor"))
            }
            2 | 3 => {
                let (id, one) = proposal?;
                let own = one.poll.slips.iter().find(|slip| slip.org == desk.org);
                let name = if own.is_some() { "second answer" } else { "sign-off" };
                let was = own.map(|slip| slip.answer);
                let other =
                    if was == Some(Answer::Approve) { Answer::Reject } else { Answer::Approve };
                Some(Act::of(steps::answered(scene, speaker, (*id, one), other), name))
            }
            4 => {
                let (id, _) = proposal?;
                let wording = Fixed(rng.bytes32());
                let stale = SignOff { proposal: *id, answer: Answer::Approve, wording };
                Some(Act::of(draft_of(artefact, Kind::SIGNOFF, stale.to_bytes()), "stale answer"))
            }
            5 => {
                let may = |event: &&'static _| steps::may(scene, speaker, event);
                let events: Vec<_> =
                    scene.replay.kind.all_events().filter(|event| !may(event)).collect();
                let draft = steps::named_event(scene, speaker, rng.pick(&events)?, rng)?;
                Some(Act::of(draft, "forbidden event"))
            }
            6 => {
                let heads = vec![Fixed(rng.bytes32())];
                let proposal = Proposal {
                    heads,
                    wording: Fixed(rng.bytes32()),
                    snapshot: codec::Blob::from(b"{}".to_vec()),
                    rule: "no such rule".into(),
                    closer: desk.org,
                    closes_at: TimeMs(0),
                    replaces: proposal.map(|(id, _)| *id),
                };
                let draft =
                    steps::entry(scene, &desk.view.own, Kind::PROPOSAL, proposal.to_bytes());
                Some(Act::of(draft, "forbidden proposal"))
            }
            _ => {
                let (id, _) = proposal?;
                Some(false_closing(desk, scene, *id))
            }
        }
    }

    /// One row of the table.
    fn write_hostile(&mut self, desk: &Desk) -> Verdict {
        let node = desk.node;
        let own = !self.artefacts.rng.chance(20);
        let (artefact, made, refs) = if own {
            let made = self.artefacts.hostile.rows.entry(node);
            let made = Rc::clone(made.or_insert_with(|| Rc::new(over_skeleton(desk))));
            let (artefact, draft) =
                opening(desk, &mut self.artefacts.rng, &DECISION, Audience::Everyone);
            self.write(node, draft)?;
            (artefact, made, Vec::new())
        } else {
            let shared = self.artefacts.shared.clone();
            let Some((artefact, _)) = self.artefacts.rng.pick(&shared).copied() else {
                return Ok(());
            };
            let Some(scene) = self.scene(desk, &artefact)? else { return Ok(()) };
            let Some((ground, refs)) = over_head(desk, &scene) else { return Ok(()) };
            if !self.artefacts.hostile.on_shared.insert((node, artefact)) {
                return Ok(());
            }
            let rows = ground.rows();
            (artefact, Rc::new((ground, rows)), refs)
        };
        let (ground, rows) = &*made;
        let Some(row) = self.artefacts.rng.pick(rows) else { return Ok(()) };
        let before = [ground.base.clone(), ground.concurrent.clone()];
        let before = changes(before.into_iter().chain(row.before.clone()));
        self.write(node, Draft { refs, ..draft_of(artefact, Kind::CHANGE, before) })?;
        let payload = changes([row.bytes.clone()]);
        self.counts.one(Group::Act, "hostile change");
        match Changes::from_bytes(&payload) {
            Ok(_) => {
                let key = (artefact, digest(&row.bytes));
                self.artefacts.hostile.written.entry(key).or_insert((row.name, row.expected));
            }
            Err(_) => {
                let key = (artefact, digest(&payload));
                self.artefacts.hostile.uncarried.insert(key, row.name);
            }
        }
        // Its own node takes no payload that is too long, and then there is nothing to find.
        if payload.len() > concordat_protocol::limits::PAYLOAD_BYTES_MAX {
            self.counts.one(Group::Hostile, row.name);
        }
        self.write(node, draft_of(artefact, Kind::CHANGE, payload))
    }

    /// The owner of a node makes it believe that everybody is in the audience.
    fn let_oneself_in(&mut self, desk: &Desk, artefact: &ArtefactId) -> Option<ArtefactRecord> {
        let disk = &mut self.nodes[desk.node].disk;
        let record = ArtefactRecord::read(disk, &desk.view.board, artefact)?;
        let first = record.first.clone()?;
        let first = (first.entry, first.kind, first.schema_version);
        let everybody: Opt<Vec<OrgId>> = Opt(None);
        let widened: Vec<(OrgId, Vec<OrgId>)> = Vec::new();
        let value = codec::encode(&(Opt(Some(first)), record.opener(), everybody, widened));
        let key = [desk.view.board.as_bytes(), artefact.as_bytes()].map(|id| id.to_vec()).concat();
        disk.tamper(&[Op { table: Table::Artefacts, key, value: Some(value) }]);
        Some(record)
    }

    /// An entry about an artefact outside whose audience its author is.
    fn write_from_outside(&mut self, desk: &Desk, artefact: &ArtefactId) -> Verdict {
        let Some(record) = self.let_oneself_in(desk, artefact) else { return Ok(()) };
        let Some(first) = record.first else { return Ok(()) };
        let Some(skeleton) = skeleton(&first.kind, first.schema_version) else { return Ok(()) };
        let document = Document::new(skeleton);
        let raw = edits::blind(&document, desk.editor(), &mut self.artefacts.rng);
        let draft = draft_of(*artefact, Kind::CHANGE, changes(raw.into_iter().flatten()));
        let draft = Draft { refs: vec![first.entry], ..draft };
        self.counts.one(Group::Act, "entry from outside");
        self.write(desk.node, draft)
    }

    /// Asks peers for the payload of an entry that is not for it.
    fn ask_from_outside(&mut self, desk: &Desk, artefact: &ArtefactId) -> Verdict {
        let disk = &self.nodes[desk.node].disk;
        let Some(dossier) =
            concordat_protocol::replay::Dossier::gather(disk, &desk.view, artefact, false)
        else {
            return Ok(());
        };
        let kept = |content: &Content| matches!(content, Content::Withheld);
        let kept: Vec<_> = dossier.entries.iter().filter(|one| kept(&one.content)).collect();
        let Some(one) = self.artefacts.rng.pick(&kept) else { return Ok(()) };
        let request = 1 << 40 | self.artefacts.rng.below(1 << 30);
        let (feed, at) = (one.feed, Point(one.by.seq, one.by.entry));
        let frame = Message::WantPayload { request, feed, at, offset: 0 }.to_frame();
        self.counts.one(Group::Act, "request from outside");
        let peers: Vec<_> = self.nodes[desk.node].admitted.iter().copied().collect();
        for peer in peers {
            let due = self.network.send(self.now, desk.node, &peer, (Lane::Control, frame.clone()));
            self.deliver(due);
        }
        Ok(())
    }

    /// An artefact of a kind that the charter does not let it begin; others work on it.
    fn open_forbidden(&mut self, desk: &Desk) -> Verdict {
        let (artefact, draft) =
            opening(desk, &mut self.artefacts.rng, &MUTUAL_AID, Audience::Everyone);
        self.artefacts.shared.push((artefact, desk.node));
        self.counts.one(Group::Act, "forbidden opening");
        self.write(desk.node, draft)
    }

    /// One artefact opened for all on one branch of a feed, and for some on the other.
    fn open_twice(&mut self, desk: &Desk) -> Verdict {
        let Some(twin) = self.twins.get(&desk.node).copied() else { return Ok(()) };
        if !self.nodes[twin].is_on() || self.plan.topology != Topology::Full {
            return Ok(());
        }
        let rng = &mut self.artefacts.rng;
        let kinds: Vec<&'static Of> = ALL.to_vec();
        let Some(kind) = rng.pick(&kinds).copied() else { return Ok(()) };
        let (artefact, draft) = opening(desk, rng, kind, Audience::Everyone);
        let Ok(open) = Open::from_bytes(&draft.payload) else { return Ok(()) };
        let mut some: Vec<OrgId> = desk.orgs.iter().filter(|_| rng.chance(50)).copied().collect();
        some.push(desk.org);
        some.sort_unstable();
        some.dedup();
        let other = Open { kind: ALL[rng.place(ALL.len())].name.into(), ..open };
        let other = Open { audience: Audience::Only(some), ..other };
        self.counts.one(Group::Act, "two openings");
        let edit = skeleton(kind.name, kind.version).and_then(|skeleton| {
            edits::blind(&Document::new(skeleton), desk.editor(), &mut self.artefacts.rng)
        });
        self.write(desk.node, draft)?;
        self.write(twin, draft_of(artefact, Kind::OPEN, other.to_bytes()))?;
        self.artefacts.shared.push((artefact, desk.node));
        let raw = changes(edit.into_iter().flatten());
        self.write(desk.node, draft_of(artefact, Kind::CHANGE, raw))
    }
}

/// A closing that lists nothing, whoever may close.
fn false_closing(desk: &Desk, scene: &Scene, proposal: EntryId) -> Act {
    let close = Close { proposal, counted: Vec::new() };
    let draft = steps::entry(scene, &desk.view.own, Kind::CLOSE, close.to_bytes());
    Act::of(draft, "false closing")
}

/// Rows on the skeleton of an artefact.
fn over_skeleton(desk: &Desk) -> (Ground, Vec<Row>) {
    let skeleton = skeleton(DECISION.name, DECISION.version);
    let raw = skeleton.map(|skeleton| skeleton.raw()).unwrap_or_default();
    let hash = skeleton.map_or([0; 32], |skeleton| skeleton.hash().0);
    let ground = Ground::over(hash, max_op(raw), ActorPrefix::of(&desk.view.own).0);
    let rows = ground.rows();
    (ground, rows)
}

/// Rows on one head of a document that others edit, and the entries that stand for it.
fn over_head(desk: &Desk, scene: &Scene) -> Option<(Ground, Vec<EntryId>)> {
    let head = *scene.document.heads().first()?;
    let change = scene.replay.changes.iter().find(|one| one.hash == head)?;
    let feed = ActorPrefix::of(&desk.view.own).0;
    let ground = Ground::over(head.0, max_op(&change.raw), feed);
    Some((ground, scene.replay.refs(&desk.view.own, &[head])))
}

/// The largest counter of a change's operations.
fn max_op(raw: &[u8]) -> u64 {
    automerge::Change::try_from(raw).map_or(0, |change| change.max_op())
}

impl Hostile {
    /// Compares what became of hostile changes with the table, and counts them.
    ///
    /// # Errors
    /// A change that came out otherwise.
    pub(super) fn found(&self, scene: &Scene, counts: &mut Counts) -> Verdict {
        let artefact = scene.dossier.artefact;
        for change in &scene.replay.changes {
            let key = (artefact, digest(&change.raw));
            let Some((name, expected)) = self.written.get(&key).copied() else { continue };
            let is_as_expected = match (expected, &change.status) {
                (Expected::Refused(code), Status::Refused(Refusal::Verdict(rule))) => {
                    Some(rule.code() == code)
                }
                (Expected::Refused(_) | Expected::Waiting, Status::Refused(_)) => Some(true),
                (Expected::Good | Expected::GoodAfterConcurrent, Status::Applied) => Some(true),
                (Expected::Good | Expected::GoodAfterConcurrent, Status::Refused(refusal)) => {
                    // Twice by one editor: that is another rule.
                    matches!(refusal, Refusal::Verdict(_)).then_some(false)
                }
                (Expected::Refused(_) | Expected::Waiting, Status::Applied) => Some(false),
                (_, Status::Entry(_) | Status::Shares { .. } | Status::Unknown { .. }) => None,
            };
            match is_as_expected {
                Some(true) => counts.one(Group::Hostile, name),
                Some(false) => {
                    return Err(Violation {
                        checker: Checker::Permitted,
                        sentence: format!(
                            "{artefact}: the change {name:?} should be {expected:?} and is {:?}",
                            change.status
                        ),
                    });
                }
                // Its entry does not count, or what it builds on does not.
                None => {
                    let fated = matches!(change.status, Status::Shares { .. });
                    if fated && expected != Expected::Good {
                        counts.one(Group::Hostile, name);
                    }
                }
            }
        }
        for entry in scene.dossier.entries.iter().filter(|one| one.kind == Kind::CHANGE) {
            let Content::Here(sealed) = &entry.content else { continue };
            if let Some(name) = self.uncarried.get(&(artefact, digest(sealed.payload.bytes()))) {
                counts.one(Group::Hostile, name);
            }
        }
        Ok(())
    }
}
