//! Artefacts: what staff of honest organisations open, edit and decide, and what others try.
//!
//! ```text
//! a node's disk ─▶ scene.rs ─▶ edits.rs   intents: fields, texts, items
//!                             steps.rs   events, remarks, proposals, answers, closings, settlements
//!                             byzantine.rs   hostile changes, double votes, forged rights
//!                             tally.rs   what came of it, counted at the end
//! ```
//!
//! Staff act on what their own node holds, so organisations that cannot reach each other act at
//! once. To meet more often than chance allows, some acts come in pairs: two organisations do
//! something about one field, paragraph, item or state at one moment.
//!
//! *Invariants.* Everything that is written passes through `Input::Write`; only Byzantine nodes
//! change their own disks. Draws from a stream of its own. Nothing is written after the safety phase.
//!
//! *Source*: ours.

mod audited;
mod breaks;
pub mod byzantine;
mod checks;
pub mod edits;
pub mod scene;
pub mod steps;
pub mod tally;
pub mod values;

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{
    artefact::kinds::{ALL, DECISION, STANDARD},
    charter::{Charter, KindTerms, Who},
    codec::Fixed,
    engine::{ArtefactRecord, BoardView},
    feed::{Draft, Kind},
    hash::{ArtefactId, EntryId, OrgId},
    payload::{Audience, Open},
    replay::Code,
};

use super::{
    Event, Sim,
    checkers::{Checker, Verdict, Violation},
    network::NodeIx,
    plan::Topology,
    rng::Rng,
};
use crate::trace::Group;
pub use breaks::Broken;
use byzantine::Hostile;
use edits::{Aim, Editor};
pub use scene::{Board, NoScene, Scene, made_of, skeleton, unharmed};
use steps::Speaker;

/// What the simulator remembers of artefacts.
#[derive(Debug)]
pub struct Artefacts {
    pub(super) rng: Rng,
    /// How many honest staff open.
    wanted: usize,
    /// Whether one organisation presses on: the first, which opens, keeps the rota and leads. Few
    /// artefacts get far otherwise.
    is_pressing: bool,
    /// Whether an artefact has come to a state that few reach.
    is_far: bool,
    /// Milliseconds between acts.
    every_ms: u64,
    /// Those that staff work on, and whose node opened each.
    shared: Vec<(ArtefactId, NodeIx)>,
    /// Conflicts that some honest node showed.
    shown: BTreeSet<(ArtefactId, Code, String)>,
    /// Events that had effect, with their names.
    effective: BTreeMap<EntryId, String>,
    /// What Byzantine organisations did.
    pub(super) hostile: Hostile,
}

/// What two organisations do at once.
#[derive(Debug, Clone, Copy)]
enum Duel {
    Edit(Aim, Aim),
    Step,
    Freeze,
}

impl Artefacts {
    /// Staff that draw from this stream.
    #[must_use]
    pub fn new(mut rng: Rng) -> Self {
        let is_pressing = rng.chance(40);
        Self {
            wanted: if is_pressing { 1 } else { rng.place(2) + 1 },
            is_pressing,
            is_far: false,
            every_ms: if is_pressing { 1_300 } else { rng.between(1_500, 4_500) },
            shared: Vec::new(),
            shown: BTreeSet::new(),
            effective: BTreeMap::new(),
            hostile: Hostile::default(),
            rng,
        }
    }

    fn next_ms(&mut self) -> u64 {
        self.rng.between(1, 2 * self.every_ms)
    }
}

/// What somebody needs to know to act for an organisation.
struct Desk {
    node: NodeIx,
    charter: Charter,
    orgs: Vec<OrgId>,
    view: BoardView,
    org: OrgId,
    now: concordat_protocol::time::TimeMs,
}

impl Desk {
    const fn speaker(&self) -> Speaker<'_> {
        let Self { charter, orgs, org, now, view, .. } = self;
        Speaker { org: *org, feed: view.own, charter, orgs: orgs.as_slice(), now: *now }
    }

    const fn editor(&self) -> Editor<'_> {
        Editor { feed: self.view.own, now: self.now, orgs: self.orgs.as_slice() }
    }
}

impl Sim {
    /// Staff do something about an artefact.
    pub(super) fn work(&mut self) -> Verdict {
        let ms = self.artefacts.next_ms();
        self.due(ms, Event::Work);
        let node = self.artefacts.rng.place(self.plan.orgs.len());
        if !self.is_honest(node) && self.artefacts.rng.chance(70) {
            return self.act_against(node);
        }
        let may_open = self.is_honest(node) && (node == 0 || !self.artefacts.is_pressing);
        if self.artefacts.shared.len() < self.artefacts.wanted && may_open {
            return self.open_artefact(node);
        }
        let shared = self.artefacts.shared.clone();
        let Some((artefact, opener)) = self.artefacts.rng.pick(&shared).copied() else {
            return Ok(());
        };
        if self.artefacts.rng.chance(25) {
            return self.act_at_once(artefact, opener);
        }
        let node = self.who_acts(node, opener);
        self.act(node, &artefact)
    }

    /// The opener and the secretariat act more often than others: without them nothing moves.
    fn who_acts(&mut self, other: NodeIx, opener: NodeIx) -> NodeIx {
        let often = if self.artefacts.is_far { 60 } else { 30 };
        if self.artefacts.is_pressing && self.artefacts.rng.chance(often) {
            return opener;
        }
        match self.artefacts.rng.below(100) {
            0..25 => opener,
            25..50 => {
                let all = 0..self.plan.orgs.len();
                let charter = self.partnership.founding.charter();
                let org = |node: &NodeIx| self.partnership.organisations[*node].org;
                let rota: Vec<NodeIx> =
                    all.filter(|node| charter.secretariat.contains(&org(node))).collect();
                self.artefacts.rng.pick(&rota).copied().unwrap_or(other)
            }
            _ => other,
        }
    }

    /// Who sits at a node; nobody while it is off or has not joined, or if it only observes.
    fn desk(&self, node: NodeIx) -> Option<Desk> {
        if !self.nodes[node].is_on() || !self.checkers.facts().orgs[self.nodes[node].org].is_active
        {
            return None;
        }
        let view = self.nodes[node].views().into_iter().next()?;
        let charter = self.partnership.founding.charter().clone();
        Some(Desk {
            node,
            orgs: charter.members.iter().map(|member| member.org).collect(),
            charter,
            view,
            org: self.nodes[node].organisation().org,
            now: self.nodes[node].clock.now(self.now),
        })
    }

    /// What a node shows of an artefact, when it is in the audience.
    fn scene(&mut self, desk: &Desk, artefact: &ArtefactId) -> Result<Option<Scene>, Violation> {
        let board = Board::of(&desk.charter);
        let disk = &self.nodes[desk.node].disk;
        let record = ArtefactRecord::read(disk, &desk.view.board, artefact);
        if record.and_then(|record| record.includes(&desk.org)) != Some(true) {
            return Ok(None);
        }
        match board.scene(disk, &desk.view, artefact) {
            Ok(scene) => {
                self.artefacts.note(&scene);
                Ok(Some(scene))
            }
            Err(NoScene::Unopened) => Ok(None),
            Err(NoScene::Harm(what)) => Err(Violation {
                checker: Checker::Documents,
                sentence: format!("node {}: {artefact}: {what}", desk.node),
            }),
        }
    }

    /// Opens an artefact, for all or for some.
    fn open_artefact(&mut self, node: NodeIx) -> Verdict {
        let Some(desk) = self.desk(node) else { return Ok(()) };
        // Payloads that are not for all travel through members of the audience alone.
        let may_narrow = self.plan.topology == Topology::Full;
        let is_pressing = self.artefacts.is_pressing;
        let rng = &mut self.artefacts.rng;
        let kinds: &[_] = if is_pressing { &[&DECISION, &STANDARD, &STANDARD] } else { ALL };
        let kinds: Vec<_> = kinds.iter().filter(|kind| may_begin(&desk, kind.name)).collect();
        let Some(kind) = rng.pick(&kinds).copied() else { return Ok(()) };
        let audience = if may_narrow && rng.chance(45) {
            let mut orgs: Vec<OrgId> =
                desk.orgs.iter().filter(|_| rng.chance(60)).copied().collect();
            orgs.push(desk.org);
            orgs.sort_unstable();
            orgs.dedup();
            Audience::Only(orgs)
        } else {
            Audience::Everyone
        };
        let says_aid = kind.name == "mutual_aid" && rng.chance(70);
        let (artefact, draft) = opening(&desk, rng, kind, audience);
        self.artefacts.shared.push((artefact, node));
        self.counts.one(Group::Act, "open");
        self.write(node, draft.clone())?;
        if !says_aid {
            return Ok(());
        }
        let aid = ["offer", "request", "standing_arrangement"];
        let says = (*self.artefacts.rng.pick(&aid).unwrap_or(&"offer")).to_string();
        let values = vec![concordat_protocol::value::Value::Text(says)];
        let event = concordat_protocol::payload::Event { name: "aid_kind".into(), values };
        self.write(node, Draft { kind: Kind::EVENT, payload: event.to_bytes(), ..draft })
    }

    /// One act of one organisation.
    fn act(&mut self, node: NodeIx, artefact: &ArtefactId) -> Verdict {
        let Some(desk) = self.desk(node) else { return Ok(()) };
        let Some(scene) = self.scene(&desk, artefact)? else { return Ok(()) };
        let acts = self.choose(&desk, &scene);
        self.carry(node, acts)
    }

    fn carry(&mut self, node: NodeIx, acts: Option<Act>) -> Verdict {
        let Some(Act { draft, names }) = acts else { return Ok(()) };
        for (group, name) in names {
            self.counts.one(group, name);
        }
        self.write(node, draft)
    }

    /// What staff do about what their node shows.
    fn choose(&mut self, desk: &Desk, scene: &Scene) -> Option<Act> {
        let rng = &mut self.artefacts.rng;
        let speaker = desk.speaker();
        if rng.chance(60)
            && let Some(draft) = steps::sign_off(scene, speaker, rng)
        {
            return Some(Act::of(draft, "sign-off"));
        }
        if rng.chance(25)
            && let Some(draft) = steps::close(scene, speaker, rng)
        {
            return Some(Act::of(draft, "close"));
        }
        if rng.chance(60)
            && let Some(draft) = steps::clinical(scene, speaker, rng)
        {
            return Some(Act::of(draft, "event"));
        }
        if self.artefacts.is_pressing
            && desk.node == 0
            && rng.chance(60)
            && let Some(draft) =
                steps::step(scene, speaker, if steps::is_far(scene) { 80 } else { 95 }, rng)
        {
            return Some(Act::of(draft, "event"));
        }
        // Text that is fixed already is seldom fixed anew.
        let often = if scene.replay.lifecycle.base == "frozen" { 6 } else { 45 };
        if steps::may_propose(scene, speaker) && rng.chance(often) {
            return propose(desk, scene, rng);
        }
        if rng.chance(12)
            && let Some(draft) = steps::settle(scene, speaker, true, rng)
        {
            return Some(Act::of(draft, "settlement"));
        }
        match rng.below(100) {
            0..42 => edited(desk, scene, None, rng),
            42..88 => Some(Act::of(steps::event(scene, speaker, rng)?, "event")),
            88..95 => Some(Act::of(steps::remark(scene, speaker, rng)?, "remark")),
            _ => Some(Act::of(steps::widening(scene, speaker, rng)?, "widening")),
        }
    }

    /// Two organisations act about one thing at one moment.
    fn act_at_once(&mut self, artefact: ArtefactId, opener: NodeIx) -> Verdict {
        let rng = &mut self.artefacts.rng;
        let item = |removes| Aim::Item { removes };
        let duel = match rng.below(6) {
            0 => Duel::Edit(Aim::Value, Aim::Value),
            1 => Duel::Edit(Aim::Paragraph, Aim::Paragraph),
            2 => Duel::Edit(item(true), item(false)),
            3 => Duel::Edit(Aim::Sums, Aim::Sums),
            4 => Duel::Step,
            _ => Duel::Freeze,
        };
        let nodes = self.plan.orgs.len();
        let other = self.artefacts.rng.place(nodes);
        let first = match duel {
            Duel::Edit(..) => self.artefacts.rng.place(nodes),
            Duel::Step => opener,
            Duel::Freeze => self.who_acts(other, opener),
        };
        let second = match duel {
            Duel::Step => self.who_acts(other, opener),
            Duel::Edit(..) | Duel::Freeze => other,
        };
        let mut acts = Vec::new();
        for (node, is_first) in [(first, true), (second, false)] {
            let Some(desk) = self.desk(node) else { continue };
            let Some(scene) = self.scene(&desk, &artefact)? else { continue };
            let rng = &mut self.artefacts.rng;
            let act = match duel {
                Duel::Edit(one, other) => {
                    edited(&desk, &scene, Some(if is_first { one } else { other }), rng)
                }
                Duel::Step => steps::step(&scene, desk.speaker(), 50, rng)
                    .map(|draft| Act::of(draft, "step at once")),
                Duel::Freeze if is_first => {
                    if steps::may_propose(&scene, desk.speaker()) {
                        propose(&desk, &scene, rng)
                    } else {
                        None
                    }
                }
                Duel::Freeze => edited(&desk, &scene, None, rng),
            };
            acts.push((node, act));
        }
        acts.into_iter()
            .filter(|_| first != second)
            .try_for_each(|(node, act)| self.carry(node, act))
    }
}

/// A draft, and what is counted of it.
struct Act {
    draft: Draft,
    names: Vec<(Group, &'static str)>,
}

impl Act {
    fn of(draft: Draft, name: &'static str) -> Self {
        Self { draft, names: vec![(Group::Act, name)] }
    }
}

fn edited(desk: &Desk, scene: &Scene, aim: Option<Aim>, rng: &mut Rng) -> Option<Act> {
    if !may_edit(desk, scene) {
        return None;
    }
    let (draft, names) = edits::draw(scene, desk.editor(), aim, rng)?;
    Some(meant(draft, names))
}

fn meant(draft: Draft, names: Vec<&'static str>) -> Act {
    let names = names.into_iter().map(|name| (Group::Intent, name));
    Act { draft, names: names.chain([(Group::Act, "edit")]).collect() }
}

/// What stands against freezing is mended first.
fn propose(desk: &Desk, scene: &Scene, rng: &mut Rng) -> Option<Act> {
    match steps::propose(scene, desk.speaker(), rng) {
        Ok(draft) => Some(Act::of(draft?, "proposal")),
        Err(why) if may_edit(desk, scene) => {
            let (draft, names) = edits::mend(scene, desk.editor(), &why, rng)?;
            Some(meant(draft, names))
        }
        Err(_) => None,
    }
}

/// A node never signs a change of its own staff that would have no effect.
fn may_edit(desk: &Desk, scene: &Scene) -> bool {
    is_permitted(desk, &scene.dossier.kind, |terms| &terms.edits)
}

fn may_begin(desk: &Desk, kind: &str) -> bool {
    is_permitted(desk, kind, |terms| &terms.creates)
}

fn is_permitted(desk: &Desk, kind: &str, who: impl Fn(&KindTerms) -> &Who) -> bool {
    let member = desk.charter.members.iter().find(|member| member.org == desk.org);
    let terms = desk.charter.kinds.iter().find(|terms| terms.kind == kind);
    member.zip(terms).is_some_and(|(member, terms)| who(terms).permits(member))
}

/// The entry that opens an artefact, and its id.
fn opening(
    desk: &Desk,
    rng: &mut Rng,
    kind: &concordat_protocol::artefact::kind::Kind,
    audience: Audience,
) -> (ArtefactId, Draft) {
    let mut nonce = [0; 16];
    nonce.copy_from_slice(&rng.bytes(16));
    let open = Open {
        nonce: Fixed(nonce),
        kind: kind.name.into(),
        schema_version: kind.version,
        audience,
    };
    let artefact = open.artefact_id(&desk.view.board, &desk.org);
    let draft = Draft {
        kind: Kind::OPEN,
        artefact: Some(artefact),
        refs: Vec::new(),
        payload: open.to_bytes(),
        attribution: None,
    };
    (artefact, draft)
}
