//! Everything that was written about an artefact: who did what, in which capacity, and who had it when.
//!
//! *Invariants.* Each entry stands after those that its author knew of. A role is the word of the
//! organisation that gives it; a time at which others had it is theirs.
//!
//! *Source*: ours.

use std::collections::BTreeMap;

use concordat_protocol::{
    artefact::events::{self, Statement},
    feed::Kind,
    hash::EntryId,
    payload::{Event, Remark, SignOff},
    replay::{Content, Entry, Standing},
};

use super::{
    author, fields,
    lines::{DeedLine, History},
    standing_in_words, state,
};
use crate::{
    artefact::{Case, Sight, Span, in_words},
    control::Refusal,
    replica::Snapshot,
};

/// Everything that was written about an artefact.
///
/// # Errors
/// - [`Refusal`]: it is not known.
pub fn history(snapshot: &Snapshot, named: &str) -> Result<History, Refusal> {
    Ok(history_of(&*Case::of(snapshot, named, &Span::Prove)?))
}

/// Everything that was written about what is in sight, acknowledgements included.
#[must_use]
pub fn history_of(case: &Sight<'_>) -> History {
    let by_id: BTreeMap<EntryId, &Entry> =
        case.dossier.entries.iter().map(|one| (one.by.entry, one)).collect();
    let (attributions, received) = (case.dossier.attributions(), case.dossier.received());
    let deed = |id: EntryId| {
        let one = by_id.get(&id)?;
        let acting = attributions.get(&id);
        let (what, did, values) = said(case, one);
        let received = received.get(&id).into_iter().flatten();
        let others = received.filter(|(org, _)| *org != one.by.org);
        Some(DeedLine {
            what,
            did,
            values,
            by: author(case, &one.by),
            role: acting.map(|acting| acting.role.clone()),
            capacity: acting.map(|acting| acting.capacity.clone()),
            received: others.map(|(org, at)| (case.slug(org), at.0)).collect(),
            is_settled: one.by.settled,
            why_not: why_not(case, &id),
        })
    };
    History {
        artefact: case.dossier.artefact.to_string(),
        title: fields::title(case),
        state: state(case).0,
        deeds: case.replay.in_order().into_iter().filter_map(deed).collect(),
    }
}

fn why_not(case: &Sight<'_>, id: &EntryId) -> Option<String> {
    match case.replay.entries.get(id) {
        Some(Standing::Counts) | None => case.replay.lifecycle.why_not(id),
        Some(standing) => Some(standing_in_words(*standing)),
    }
}

type Words = (String, String, Vec<(String, String)>);

fn said(case: &Sight<'_>, one: &Entry) -> Words {
    let plain = |did: &str| (one.kind.to_string(), did.to_owned(), Vec::new());
    let Content::Here(sealed) = &one.content else {
        return plain("(its content is not here)");
    };
    let payload = sealed.payload.bytes();
    match one.kind {
        Kind::OPEN => plain("began it"),
        Kind::CHANGE => plain("edited it"),
        Kind::AUDIENCE => plain("let others in"),
        Kind::PROPOSAL => plain("fixed its text and put it to a decision"),
        Kind::CLOSE => plain("closed the vote"),
        Kind::SIGNOFF => match SignOff::from_bytes(payload) {
            Ok(says) => plain(&format!("answered: {}", says.answer)),
            Err(_) => plain("answered, unreadably"),
        },
        Kind::EVENT => {
            let event = Event::from_bytes(payload).ok();
            let said = event.and_then(|event| events::read(case.kind(), &event).ok());
            said.map_or_else(|| plain("wrote an event that cannot be read"), |said| of(case, &said))
        }
        Kind::REMARK => {
            let remark = Remark::from_bytes(payload).ok();
            let said = remark.and_then(|remark| events::read_remark(case.kind(), &remark).ok());
            said.map_or_else(|| plain("wrote a remark that cannot be read"), |said| of(case, &said))
        }
        _ => plain("wrote an entry that this program does not know"),
    }
}

fn of(case: &Sight<'_>, said: &Statement) -> Words {
    let given = said.given();
    let values =
        given.map(|(param, value)| (param.name.to_owned(), in_words(case, param.scalar, value)));
    (said.kind.name.to_owned(), said.kind.label.to_owned(), values.collect())
}
