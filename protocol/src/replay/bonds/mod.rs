//! What each side bound itself to, where nobody votes: the proof of an offer and of what came of it.
//!
//! | question | answered by |
//! |---|---|
//! | who offered what, until when? | the step to `offered`, and the last quantity of each line |
//! | who asked for how much of it? | the claims on each line |
//! | what was promised? | confirmations, each by the organisation that offers |
//! | in which capacity, when, and is it certain? | the deed of each of these, see `decision::deed` |
//!
//! A claim binds nobody. A confirmation binds the organisation that offers to its claimant, and
//! nobody but that organisation can write it; so who is bound follows from its own entries alone.
//! On which terms is what the document said: `Cut::At` of an entry shows what its author knew.
//!
//! Invariant: holds nothing that is not in the entries or follows from them.

mod words;

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde::Serialize;

use super::{Dossier, Ground, Replay, Standing};
use crate::{
    artefact::{
        events::{self, Statement},
        kind::{Capacity as About, Effect, Scalar},
        lifecycle::{Claim, Line, LineKey},
        scalar::quantity,
    },
    codec::hex,
    decision::{Beside, Deed, Point},
    feed::Kind,
    hash::{ArtefactId, EntryId, OrgId},
    payload::Event,
    replay::Content,
    value::Value,
};

/// What each side bound itself to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bonds {
    /// The board.
    pub board: String,
    /// The version of its charter.
    pub charter_version: u64,
    /// The artefact.
    pub artefact: String,
    /// Steps, holds and what each organisation says last, each after those in its past.
    pub acts: Vec<Act>,
    /// What is offered, line by line.
    pub lines: Vec<BoundLine>,
    /// What was delivered, as one side says.
    pub delivered: Vec<Share>,
    /// What a person must see: code and sentence.
    pub flags: Vec<Point>,
    /// What is missing for certainty: code and sentence.
    pub missing: Vec<Point>,
    /// Who is bound to give how much to whom, in one sentence.
    pub sentence: String,
}

/// An event that had effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Act {
    /// What it did.
    pub did: String,
    /// Names and values.
    pub values: Vec<(String, String)>,
    /// Who signed it, and when.
    pub signed: Deed,
}

/// One line of one organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BoundLine {
    /// The id of the item in the document.
    pub line: String,
    /// How much there is.
    pub quantity: String,
    /// Of what.
    pub unit: String,
    /// From when.
    pub from_ms: u64,
    /// Until when.
    pub to_ms: u64,
    /// How much of it is confirmed.
    pub confirmed: String,
    /// Who said last how much there is.
    pub signed: Deed,
    /// Who called it back, if it is called back.
    pub recalled: Option<Deed>,
    /// The claims on it.
    pub claims: Vec<BoundClaim>,
}

/// One claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BoundClaim {
    /// How much is claimed.
    pub quantity: String,
    /// From when.
    pub from_ms: u64,
    /// Until when.
    pub to_ms: u64,
    /// Who claimed.
    pub signed: Deed,
    /// What was confirmed of it.
    pub confirmed: Vec<Share>,
    /// Who declined what is not confirmed.
    pub declined: Option<Deed>,
    /// Who gave up what is not confirmed.
    pub given_up: Option<Deed>,
}

/// A quantity that somebody signed for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The id of the item in the document.
    pub line: String,
    /// How much.
    pub quantity: String,
    /// Who signed it, and when.
    pub signed: Deed,
}

impl Dossier {
    /// Shows what each side bound itself to; `None` if artefacts of this kind are put to a decision.
    /// `replay` is what this dossier comes to on that ground.
    #[must_use]
    pub fn bonds(&self, ground: Ground<'_>, replay: &Replay) -> Option<Bonds> {
        if replay.kind.is_put_to_a_decision() {
            return None;
        }
        let (attributions, received) = (self.attributions(), self.received());
        let beside = Beside { attributions: &attributions, received: &received };
        let said = self.said(replay);
        let show = Show { ground, replay, beside, said, unread: self.unread(replay) };
        Some(show.bonds(self.artefact))
    }

    /// How many events may count and cannot be read here.
    fn unread(&self, replay: &Replay) -> usize {
        let events = self.entries.iter().filter(|one| one.kind == Kind::EVENT);
        let standings = events.filter_map(|one| replay.entries.get(&one.by.entry));
        let is_unread = |standing: &&Standing| {
            matches!(standing, Standing::Withheld | Standing::Waiting(_) | Standing::Held)
        };
        standings.filter(is_unread).count()
    }

    /// The events that had effect.
    fn said(&self, replay: &Replay) -> BTreeMap<EntryId, Statement> {
        let said = self.entries.iter().filter_map(|one| {
            let id = one.by.entry;
            let counts = replay.entries.get(&id) == Some(&Standing::Counts);
            let has_effect = counts && !replay.lifecycle.without_effect.contains_key(&id);
            let Content::Here(sealed) = &one.content else { return None };
            if one.kind != Kind::EVENT || !has_effect {
                return None;
            }
            let event = Event::from_bytes(sealed.payload.bytes()).ok()?;
            Some((id, events::read(replay.kind, &event).ok()?))
        });
        said.collect()
    }
}

/// Finds words for what the entries come to.
struct Show<'a> {
    ground: Ground<'a>,
    replay: &'a Replay,
    beside: Beside<'a>,
    said: BTreeMap<EntryId, Statement>,
    unread: usize,
}

impl Show<'_> {
    fn bonds(&self, artefact: ArtefactId) -> Bonds {
        let capacity = &self.replay.lifecycle.capacity;
        let lines: Vec<BoundLine> =
            capacity.lines.iter().filter_map(|(key, line)| self.line(key, line)).collect();
        let delivered = capacity.deliveries.iter().filter_map(|one| {
            let signed = self.deed(&one.entry)?;
            Some(Share { line: one.line.line.clone(), quantity: quantity(one.qty), signed })
        });
        let mut bonds = Bonds {
            board: self.ground.charter.title.clone(),
            charter_version: self.ground.charter.version,
            artefact: artefact.to_string(),
            acts: self.acts(),
            lines,
            delivered: delivered.collect(),
            flags: self.flags(),
            missing: Vec::new(),
            sentence: self.sentence(),
        };
        let missing = bonds.deeds().into_iter().flat_map(missing).chain(self.missing_events());
        let missing: BTreeSet<Point> = missing.collect();
        bonds.missing = missing.into_iter().collect();
        bonds
    }

    fn name(&self, org: &OrgId) -> String {
        let member = self.ground.charter.member(org);
        member.map_or_else(|| org.to_string(), |member| member.slug.as_str().to_string())
    }

    fn deed(&self, entry: &EntryId) -> Option<Deed> {
        let by = self.replay.written.get(entry)?;
        Some(Deed::of(by, self.name(&by.org), Some(self.ground.charter), self.beside))
    }

    /// Of what organisations say in rows, the last counts; quantities are shown with their lines.
    fn acts(&self) -> Vec<Act> {
        let rows = &self.replay.lifecycle.rows;
        let is_shown = |id: &EntryId, said: &Statement| match said.kind.effect {
            Effect::Move | Effect::Hold { .. } | Effect::LetGo { .. } | Effect::Uphold => true,
            Effect::Row { .. } => rows.values().any(|row| row.entry == *id),
            Effect::Capacity(About::Aid) => true,
            Effect::Capacity(_) | Effect::Log => false,
        };
        let act = |id: EntryId| {
            let said = self.said.get(&id).filter(|said| is_shown(&id, said))?;
            let given = said.given();
            let values = given
                .map(|(param, value)| (param.name.to_string(), self.words(param.scalar, value)));
            let (did, values) = (said.kind.label.to_string(), values.collect());
            Some(Act { did, values, signed: self.deed(&id)? })
        };
        self.replay.in_order().into_iter().filter_map(act).collect()
    }

    fn words(&self, scalar: Scalar, value: &Value) -> String {
        let id = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).unwrap_or_default();
        match (scalar, value) {
            (Scalar::Org, Value::Bytes(bytes)) => self.name(&OrgId::from_bytes(id(bytes))),
            (Scalar::Entry, Value::Bytes(bytes)) => EntryId::from_bytes(id(bytes)).to_string(),
            (Scalar::Artefact, Value::Bytes(bytes)) => {
                ArtefactId::from_bytes(id(bytes)).to_string()
            }
            (_, Value::Bytes(bytes)) => hex(bytes),
            (_, Value::Text(text)) => text.clone(),
            (_, Value::Uint(number)) => number.to_string(),
            (scalar, Value::List(items)) => {
                let items: Vec<String> =
                    items.iter().map(|item| self.words(scalar, item)).collect();
                items.join(", ")
            }
        }
    }

    fn line(&self, key: &LineKey, line: &Line) -> Option<BoundLine> {
        let claims = self.claims().filter(|(_, claim)| claim.line == *key);
        Some(BoundLine {
            line: key.line.clone(),
            quantity: quantity(line.qty),
            unit: line.unit.clone(),
            from_ms: line.from.0,
            to_ms: line.to.0,
            confirmed: quantity(line.confirmed),
            signed: self.deed(&line.entry)?,
            recalled: line.recalled.as_ref().and_then(|recall| self.deed(&recall.entry)),
            claims: claims.filter_map(|(id, claim)| self.claim(id, claim)).collect(),
        })
    }

    /// The claims, each after those in its past.
    fn claims(&self) -> impl Iterator<Item = (EntryId, &Claim)> {
        let claims = &self.replay.lifecycle.capacity.claims;
        let in_order = self.replay.in_order().into_iter();
        in_order.filter_map(|id| Some((id, claims.get(&id)?)))
    }

    fn claim(&self, id: EntryId, claim: &Claim) -> Option<BoundClaim> {
        let confirmed = self.answers(id, About::Confirm).filter_map(|(entry, said)| {
            let quantity = quantity(said.quantity("qty").unwrap_or_default());
            let line = claim.line.line.clone();
            Some(Share { line, quantity, signed: self.deed(&entry)? })
        });
        let first = |about| {
            let (entry, _) = self.answers(id, about).next()?;
            self.deed(&entry)
        };
        Some(BoundClaim {
            quantity: quantity(claim.qty),
            from_ms: claim.from.0,
            to_ms: claim.to.0,
            signed: self.deed(&id)?,
            confirmed: confirmed.collect(),
            declined: first(About::Decline),
            given_up: first(About::GiveUp),
        })
    }

    /// What was said about a claim, each after those in its past.
    fn answers(&self, claim: EntryId, about: About) -> impl Iterator<Item = (EntryId, &Statement)> {
        let answers = move |said: &&Statement| {
            said.kind.effect == Effect::Capacity(about) && said.first_entry() == Some(claim)
        };
        let in_order = self.replay.in_order().into_iter();
        in_order.filter_map(move |id| Some((id, self.said.get(&id).filter(answers)?)))
    }
}

fn missing(deed: &Deed) -> Vec<Point> {
    let words = || format!("an entry of {} is not settled yet: {}", deed.by, deed.entry);
    let open = (!deed.is_settled).then(|| Point { code: "unsettled", words: words() });
    deed.missing().into_iter().chain(open).collect()
}

impl Bonds {
    /// Every deed in it.
    fn deeds(&self) -> Vec<&Deed> {
        let acts = self.acts.iter().map(|act| &act.signed);
        let mut deeds: Vec<&Deed> =
            acts.chain(self.delivered.iter().map(|one| &one.signed)).collect();
        for line in &self.lines {
            deeds.push(&line.signed);
            deeds.extend(&line.recalled);
            for claim in &line.claims {
                deeds.push(&claim.signed);
                deeds.extend(claim.confirmed.iter().map(|one| &one.signed));
                deeds.extend(claim.declined.iter().chain(&claim.given_up));
            }
        }
        deeds
    }
}
