//! What staff say: events, remarks, proposals, answers, closings, widenings, settlements.
//!
//! Staff act on what their own node shows, and say what would have effect as far as it knows.
//!
//! *Source*: ours; `artefact::events`, `payload`.

use concordat_protocol::{
    artefact::{
        events::Statement,
        kind::{Among, Effect, EventKind, Param, Scalar, Trigger},
        lifecycle::Aid,
    },
    charter::{Answer, Charter},
    codec::Blob,
    decision::{Fate, Ruling},
    feed::{Draft, Kind},
    hash::{EntryId, FeedId, OrgId},
    payload::{Audience, Close, Proposal, Reason, SignOff, Widening},
    replay::{Code, Conflict, NotDecidable, Proposed, wording},
    time::TimeMs,
    value::Value,
};

use super::{super::rng::Rng, scene::Scene, values};

/// Steps after which little more happens, or much begins anew.
const LATE: [&str; 8] =
    ["withdraw", "defer", "retire", "supersede", "end", "close_aid", "reopen", "revise"];
/// States that few artefacts reach: whatever can happen in them should.
const FAR: [&str; 3] = ["agreed", "in_force", "under_review"];

/// Who says something.
#[derive(Debug, Clone, Copy)]
pub struct Speaker<'a> {
    /// The organisation.
    pub org: OrgId,
    /// Its feed.
    pub feed: FeedId,
    /// The charter.
    pub charter: &'a Charter,
    /// The members.
    pub orgs: &'a [OrgId],
    /// The node's clock.
    pub now: TimeMs,
}

/// An entry about the artefact that relies on all that its node knows.
#[must_use]
pub fn entry(scene: &Scene, feed: &FeedId, kind: Kind, payload: Vec<u8>) -> Draft {
    Draft {
        kind,
        artefact: Some(scene.dossier.artefact),
        refs: scene.replay.refs(feed, &[]),
        payload,
        attribution: None,
    }
}

/// An event that would have effect, as far as its node knows.
pub fn event(scene: &Scene, speaker: Speaker<'_>, rng: &mut Rng) -> Option<Draft> {
    let events: Vec<&'static EventKind> = scene.replay.kind.all_events().collect();
    let weighed = events.into_iter().map(|event| (event, weight(scene, speaker, event)));
    let weighed: Vec<(&'static EventKind, u64)> = weighed.collect();
    let mut left = rng.below(weighed.iter().map(|(_, weight)| weight).sum());
    let chosen = weighed.iter().find(|(_, weight)| {
        let is_this = left < *weight;
        left = left.saturating_sub(*weight);
        is_this
    });
    let (event, _) = chosen.filter(|(_, weight)| *weight > 0)?;
    named_event(scene, speaker, event, rng)
}

/// A step from the state that the node shows, if there is one for this organisation; in so many of a
/// hundred cases one after which more can happen.
pub fn step(scene: &Scene, speaker: Speaker<'_>, onwards: u64, rng: &mut Rng) -> Option<Draft> {
    let moves =
        |event: &&EventKind| event.effect == Effect::Move && weight(scene, speaker, event) > 0;
    let mut moves: Vec<&EventKind> = scene.replay.kind.all_events().filter(moves).collect();
    if rng.chance(onwards) {
        moves.retain(|event| !LATE.contains(&event.name));
    }
    named_event(scene, speaker, rng.pick(&moves)?, rng)
}

/// An event of this kind, with values that fit what there is.
pub fn named_event(
    scene: &Scene,
    speaker: Speaker<'_>,
    event: &'static EventKind,
    rng: &mut Rng,
) -> Option<Draft> {
    let said = statement(scene, speaker, event, rng)?;
    Some(entry(scene, &speaker.feed, Kind::EVENT, said.to_event().to_bytes()))
}

fn statement(
    scene: &Scene,
    speaker: Speaker<'_>,
    event: &'static EventKind,
    rng: &mut Rng,
) -> Option<Statement> {
    let line = {
        let lines: Vec<_> = scene.replay.lifecycle.capacity.lines.keys().collect();
        rng.pick(&lines).copied().cloned()
    };
    let mut values = Vec::new();
    for param in event.params {
        let one = |rng: &mut Rng| match (param.name, &line) {
            ("offered_by", Some(line)) => Value::Bytes(line.org.as_bytes().to_vec()),
            ("line", Some(line)) => Value::Text(line.line.clone()),
            ("line", None) => Value::Text(["night", "day"][rng.place(2)].into()),
            ("from", _) => Value::Text("2017-12-01T08:00Z".into()),
            ("to", _) => Value::Text("2017-12-20T08:00Z".into()),
            _ => particular(scene, speaker, event, param, rng),
        };
        values.push(values::listed(param, rng, one));
    }
    Statement::new(event, values).ok()
}

/// A value that names what there is.
fn particular(
    scene: &Scene,
    speaker: Speaker<'_>,
    event: &EventKind,
    param: &Param,
    rng: &mut Rng,
) -> Value {
    match (param.name, param.scalar) {
        ("locality", _) => {
            let theirs =
                speaker.charter.localities.iter().filter(|one| one.orgs.contains(&speaker.org));
            let theirs: Vec<&String> = theirs.map(|one| &one.name).collect();
            let name = rng.pick(&theirs).map(|name| (*name).clone());
            Value::Text(name.unwrap_or_else(|| "bury".into()))
        }
        ("verdict", _) if rng.chance(80) => Value::Text("approve".into()),
        ("mentions", _) => {
            let inside: Vec<OrgId> = match &scene.replay.audience {
                Audience::Everyone => speaker.orgs.to_vec(),
                Audience::Only(orgs) => orgs.clone(),
            };
            values::value(Scalar::Org, rng, &inside)
        }
        (_, Scalar::Entry) => {
            let named = named_entries(scene, speaker, event.name, param.name);
            match rng.pick(&named) {
                Some(id) => Value::Bytes(id.as_bytes().to_vec()),
                None => values::value(param.scalar, rng, speaker.orgs),
            }
        }
        _ => values::value(param.scalar, rng, speaker.orgs),
    }
}

/// The entries that a value of an event may name.
fn named_entries(scene: &Scene, speaker: Speaker<'_>, event: &str, param: &str) -> Vec<EntryId> {
    let life = &scene.replay.lifecycle;
    let own_hold = |state: &str| {
        let holds = life.holds.iter().filter(|hold| hold.org == speaker.org && hold.state == state);
        holds.map(|hold| hold.entry).collect()
    };
    match (event, param) {
        (_, "call_in") => own_hold("called_in"),
        (_, "suspension") => own_hold("suspended"),
        (_, "step") => life.tips.iter().map(|tip| tip.entry).collect(),
        (_, "reply_to") => scene.replay.remarks.iter().map(|said| said.by.entry).collect(),
        ("clinical_signoff", "version") => life.proposal.into_iter().collect(),
        ("adopt" | "except", "version") if life.carried.is_some() => {
            let all = scene.replay.proposals.keys();
            all.copied().filter(|id| Some(*id) != life.carried).chain(life.carried).collect()
        }
        (_, "version" | "proposal") => {
            let last = life.proposal.into_iter();
            last.chain(scene.replay.proposals.keys().copied()).collect()
        }
        ("give_up_claim", _) => {
            let open = life.capacity.claims.iter().filter(|(_, claim)| !claim.given_up);
            let own = open.filter(|(_, claim)| claim.org == speaker.org);
            own.map(|(id, _)| *id).collect()
        }
        (_, "claim") => {
            let claims = life.capacity.claims.iter();
            let mine = claims.filter(|(_, claim)| claim.line.org == speaker.org);
            let open = mine.filter(|(_, claim)| !claim.given_up && !claim.declined);
            open.map(|(id, _)| *id).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether it is in a state that few artefacts reach.
#[must_use]
pub fn is_far(scene: &Scene) -> bool {
    FAR.contains(&scene.replay.lifecycle.base)
}

/// How likely an event is, as far as its author's node knows; none for those without effect.
fn weight(scene: &Scene, speaker: Speaker<'_>, event: &EventKind) -> u64 {
    let life = &scene.replay.lifecycle;
    let there = |param: &Param| {
        param.scalar != Scalar::Entry
            || param.count != concordat_protocol::artefact::kind::Count::One
            || !named_entries(scene, speaker, event.name, param.name).is_empty()
    };
    let during = event.during.is_empty() || event.during.contains(&life.base);
    let is_free = during && (event.during.is_empty() || life.holds.is_empty());
    let is_lined =
        !matches!(event.name, "claim" | "recall" | "deliver") || !life.capacity.lines.is_empty();
    let is_contested = event.name != "uphold" || life.tips.len() > 1;
    if !may(scene, speaker, event)
        || !event.params.iter().all(there)
        || !is_free
        || !is_lined
        || !is_contested
    {
        return 0;
    }
    match event.effect {
        Effect::Move => {
            let by = Trigger::Event(event.name);
            let from = scene.replay.kind.transitions.iter().find(|one| one.by == by);
            match from.is_some_and(|one| one.from.contains(&life.base)) {
                true if LATE.contains(&event.name) => 1,
                true => 25,
                false => 0,
            }
        }
        Effect::Uphold => 40,
        Effect::LetGo { .. } => 40,
        Effect::Hold { .. } if event.name == "call_in" => 25,
        Effect::Hold { .. } if is_far(scene) => 25,
        Effect::Hold { .. } => 6,
        Effect::Capacity(_) => match event.name {
            "aid_kind" => 1,
            "line_quantity" if life.capacity.lines.is_empty() => 40,
            "claim" | "decline_claim" => 20,
            "confirm" => 40,
            "line_quantity" | "give_up_claim" | "recall" => 6,
            _ => 2,
        },
        Effect::Row { .. } if event.name == "ratify" => 60,
        Effect::Row { .. } | Effect::Log if !event.during.is_empty() => 8,
        Effect::Row { .. } if event.name == "clinical_signoff" => 60,
        Effect::Row { .. } if event.name == "adopt" => 12,
        Effect::Row { .. } | Effect::Log => 2,
    }
}

/// Whether the organisation may write an event, as far as its node knows.
#[must_use]
pub fn may(scene: &Scene, speaker: Speaker<'_>, event: &EventKind) -> bool {
    is_among(scene, speaker, event.who.org)
}

/// Whether the organisation is among these.
fn is_among(scene: &Scene, speaker: Speaker<'_>, among: Among) -> bool {
    let Speaker { org, charter, .. } = speaker;
    let is_sponsor = scene.dossier.opener == org;
    let is_offering = is_sponsor == (scene.replay.lifecycle.capacity.aid != Aid::Request);
    match among {
        Among::Members | Among::Author => true,
        Among::Sponsor => is_sponsor,
        Among::Secretariat => charter.secretariat.contains(&org),
        Among::Classes(classes) => {
            let member = charter.members.iter().find(|member| member.org == org);
            member.is_some_and(|member| classes.contains(&member.class.as_str()))
        }
        Among::Locality => charter.localities.iter().any(|one| one.orgs.contains(&org)),
        Among::Offering => is_offering,
        Among::Requesting => !is_offering,
    }
}

/// A clinical sign-off of the version that is fixed, by those whose word it waits for.
pub fn clinical(scene: &Scene, speaker: Speaker<'_>, rng: &mut Rng) -> Option<Draft> {
    let event = scene.replay.kind.event("clinical_signoff")?;
    let life = &scene.replay.lifecycle;
    let version = life.proposal.filter(|_| life.base == "frozen")?;
    let member = speaker.charter.members.iter().find(|member| member.org == speaker.org)?;
    let said = life
        .table("clinical_signoffs")
        .any(|(key, row)| key.org == speaker.org && row.statement.first_entry() == Some(version));
    let is_waited_for = matches!(&*member.class, "trust" | "ccg") && !said;
    named_event(scene, speaker, event, rng).filter(|_| is_waited_for)
}

/// A remark.
pub fn remark(scene: &Scene, speaker: Speaker<'_>, rng: &mut Rng) -> Option<Draft> {
    let said = statement(scene, speaker, rng.pick(scene.replay.kind.remarks)?, rng)?;
    Some(entry(scene, &speaker.feed, Kind::REMARK, said.to_remark().to_bytes()))
}

/// An organisation let into the audience.
pub fn widening(scene: &Scene, speaker: Speaker<'_>, rng: &mut Rng) -> Option<Draft> {
    let Audience::Only(inside) = &scene.replay.audience else { return None };
    let outside: Vec<OrgId> =
        speaker.orgs.iter().filter(|org| !inside.contains(org)).copied().collect();
    let widening = Widening { orgs: vec![*rng.pick(&outside)?], reason: Reason(rng.below(4)) };
    Some(entry(scene, &speaker.feed, Kind::AUDIENCE, widening.to_bytes()))
}

/// Whether the artefact can be put to a decision by this organisation now.
#[must_use]
pub fn may_propose(scene: &Scene, speaker: Speaker<'_>) -> bool {
    let base = scene.replay.lifecycle.base;
    scene.replay.kind.transitions.iter().any(|one| match one.by {
        Trigger::Proposal(who) => one.from.contains(&base) && is_among(scene, speaker, who.org),
        Trigger::Event(_) | Trigger::Carried | Trigger::NotCarried => false,
    })
}

/// Puts the artefact to a decision as it reads.
///
/// # Errors
/// Why it cannot be.
pub fn propose(
    scene: &Scene,
    speaker: Speaker<'_>,
    rng: &mut Rng,
) -> Result<Option<Draft>, NotDecidable> {
    let frozen = wording(scene.replay.kind, &scene.reading)?;
    let heads = scene.document.heads();
    let rules: Vec<&String> = speaker.charter.rules.iter().map(|named| &named.name).collect();
    let lead = speaker.charter.rules.iter().find(|named| named.name == "lead");
    let rule = lead.map(|lead| &lead.name).filter(|_| rng.chance(60));
    let rule = rule.or_else(|| rng.pick(&rules).copied());
    let closer = rng.pick(&speaker.charter.closers).copied();
    let (Some(rule), Some(closer)) = (rule, closer) else { return Ok(None) };
    let proposal = Proposal {
        heads: heads.iter().map(|head| concordat_protocol::codec::Fixed(head.0)).collect(),
        wording: frozen.digest(),
        snapshot: Blob::from(frozen.to_bytes()),
        rule: rule.clone(),
        closer,
        closes_at: TimeMs(speaker.now.0 + 60_000),
        replaces: scene.replay.lifecycle.proposal,
    };
    let mut draft = entry(scene, &speaker.feed, Kind::PROPOSAL, proposal.to_bytes());
    draft.refs = scene.replay.refs(&speaker.feed, &heads);
    Ok(Some(draft))
}

/// The proposals on which nothing is fixed.
pub fn open_proposals(scene: &Scene) -> Vec<(&EntryId, &Proposed)> {
    let proposals = scene.replay.proposals.iter();
    proposals.filter(|(_, one)| one.poll.ruling == Ruling::Open).collect()
}

/// An answer to a proposal that the organisation has not answered.
pub fn sign_off(scene: &Scene, speaker: Speaker<'_>, rng: &mut Rng) -> Option<Draft> {
    let seat = speaker.charter.seats().any(|member| member.org == speaker.org);
    let open = open_proposals(scene);
    let due = open.into_iter().filter(|(_, one)| {
        let answered = one.poll.slips.iter().any(|slip| slip.org == speaker.org);
        seat && !answered
    });
    let due: Vec<_> = due.collect();
    let (id, one) = rng.pick(&due).copied()?;
    let answer = match rng.below(100) {
        0..76 => Answer::Approve,
        76..88 => Answer::Reject,
        88..94 => Answer::Abstain,
        _ => Answer::Recused,
    };
    Some(answered(scene, speaker, (*id, one), answer))
}

/// This answer to this proposal.
#[must_use]
pub fn answered(
    scene: &Scene,
    speaker: Speaker<'_>,
    (id, one): (EntryId, &Proposed),
    answer: Answer,
) -> Draft {
    let sign_off = SignOff { proposal: id, answer, wording: one.says.wording };
    entry(scene, &speaker.feed, Kind::SIGNOFF, sign_off.to_bytes())
}

/// Closes a proposal with the sign-offs that its closer's node would list; some closers leave out what
/// they do not like, or close before anybody has answered.
pub fn close(scene: &Scene, speaker: Speaker<'_>, rng: &mut Rng) -> Option<Draft> {
    let is_early = rng.chance(20);
    let mine =
        |one: &Proposed| one.says.closer == speaker.org && (is_early || one.poll.slips.len() > 1);
    let (id, one) = open_proposals(scene).into_iter().find(|(_, one)| mine(one))?;
    let has_come = |fate| matches!(fate, Fate::Counted | Fate::Waiting | Fate::Late);
    let slips = one.poll.slips.iter().filter(|slip| has_come(slip.fate));
    let left_out = if rng.chance(40) { 60 } else { 0 };
    let listed = slips.filter(|_| !rng.chance(left_out));
    let mut counted: Vec<EntryId> = listed.map(|slip| slip.entry).collect();
    counted.sort_unstable();
    let close = Close { proposal: *id, counted };
    Some(entry(scene, &speaker.feed, Kind::CLOSE, close.to_bytes()))
}

/// Settles a conflict by what was chosen: one that the organisation may settle, or one that it may not.
pub fn settle(
    scene: &Scene,
    speaker: Speaker<'_>,
    is_allowed: bool,
    rng: &mut Rng,
) -> Option<Draft> {
    let opener = scene.dossier.opener;
    let may = |one: &Conflict| may_settle(speaker.charter, &opener, &speaker.org, one);
    let open = scene.conflicts.iter().filter(|one| one.settled_by.is_none());
    let open: Vec<_> = open.filter(|one| may(one) == is_allowed).collect();
    let conflict = rng.pick(&open)?;
    let event = scene.replay.kind.event("settle_conflict")?;
    let text = |text: String| Value::Text(text);
    let side = conflict.sides.first().map(|side| side.says.chars().take(200).collect::<String>());
    let chosen = side.filter(|says| !says.is_empty()).unwrap_or_else(|| "as it is".into());
    let about = if conflict.about.is_empty() { "state".into() } else { conflict.about.clone() };
    let reason = Value::List(vec![text("so agreed".into())]);
    let values = vec![text(conflict.code.to_string()), text(about), text(chosen), reason];
    let said = Statement::new(event, values).ok()?;
    Some(entry(scene, &speaker.feed, Kind::EVENT, said.to_event().to_bytes()))
}

/// Whether an organisation is one that settles a conflict.
#[must_use]
pub fn may_settle(charter: &Charter, opener: &OrgId, org: &OrgId, conflict: &Conflict) -> bool {
    let (about, sides) = (&conflict.about, &conflict.sides);
    match conflict.code {
        Code::Values | Code::Item => org == opener,
        Code::Paragraph | Code::Sum => true,
        Code::Amendment | Code::Steps => charter.secretariat.contains(org),
        Code::Answers | Code::Stale => sides.iter().any(|side| side.orgs.contains(org)),
        Code::Capacity => sides.first().is_some_and(|line| line.orgs.contains(org)),
        Code::Adoption => {
            charter.localities.iter().any(|one| one.name == *about && one.orgs.contains(org))
        }
    }
}
