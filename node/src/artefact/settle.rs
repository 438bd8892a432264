//! Settling a conflict: a person who may says what holds, and that is recorded.
//!
//! ```text
//! C1   the value chosen is written over all of them, then recorded
//! C3   keep or remove: written, then recorded
//! C5   upheld by the event of that name
//! C6, C7   the organisation signs again
//! others   recorded, with what was chosen
//! ```
//!
//! *Invariants.* Who may is tested here, by organisation; the record itself never changes a value.
//!
//! *Source*: ours; domain, section 2.12.

use concordat_protocol::{
    artefact::kind::Role,
    feed::{Draft, Kind},
    replay::{Code, Conflict, Settles},
};

use super::{
    Case, edits,
    prepare::{Made, draft, expect_no_patient},
    values,
};
use crate::control::{Edit, Refusal};

/// What was chosen, as typed.
pub(super) struct Chosen<'a> {
    pub(super) code: &'a str,
    pub(super) about: &'a str,
    pub(super) chosen: &'a str,
    pub(super) reason: Option<&'a str>,
}

/// Settles a conflict.
pub(super) fn settle(case: &Case<'_>, chosen: &Chosen<'_>) -> Result<Made, Refusal> {
    let conflict = find(case, chosen)?;
    expect_may_settle(case, conflict)?;
    let mut drafts = match conflict.code {
        Code::Values => edited(
            case,
            Edit::Choose { at: conflict.about.clone(), value: chosen.chosen.to_owned() },
        )?,
        Code::Item => edited(case, item_edit(conflict, chosen.chosen)?)?,
        Code::Steps => {
            let message = "say which step holds with the event uphold, for example \
                           `concordat event ARTEFACT uphold step=entry-…`";
            return Err(Refusal::new("settled-otherwise", message));
        }
        Code::Answers | Code::Stale => {
            let message = "the organisation that answered settles it by signing the wording that \
                           is to be decided";
            return Err(Refusal::new("settled-otherwise", message));
        }
        Code::Paragraph | Code::Amendment | Code::Capacity | Code::Sum | Code::Adoption => {
            Vec::new()
        }
    };
    drafts.push(record(case, conflict, chosen)?);
    let did = format!("settled {} on {}", conflict.code, conflict.about);
    Made::tried(case, drafts, role(conflict.code.settles()), did)
}

fn find<'a>(case: &'a Case<'_>, chosen: &Chosen<'_>) -> Result<&'a Conflict, Refusal> {
    let seen = case.seen()?;
    let open: Vec<&Conflict> = seen.open_conflicts().collect();
    let about = chosen.about.replace('.', "/");
    let is_meant = |one: &&&Conflict| {
        one.code.to_string().eq_ignore_ascii_case(chosen.code)
            && (one.about == chosen.about || one.about.replace('.', "/") == about)
    };
    open.iter().find(is_meant).copied().ok_or_else(|| {
        let listed: Vec<String> =
            open.iter().map(|one| format!("{} on {}", one.code, one.about)).collect();
        let there = if listed.is_empty() { "none".to_owned() } else { listed.join(", ") };
        let message =
            format!("there is no open {} on {}; open are: {there}", chosen.code, chosen.about);
        Refusal::new("no-conflict", message)
    })
}

fn expect_may_settle(case: &Case<'_>, conflict: &Conflict) -> Result<(), Refusal> {
    let (me, charter) = (case.snapshot.me(), case.charter);
    let settles = conflict.code.settles();
    let is_among = conflict.sides.iter().any(|side| side.orgs.contains(&me));
    let may = match settles {
        Settles::Sponsor => me == case.dossier.opener,
        Settles::Anybody | Settles::FinanceSignatories => true,
        Settles::Secretariat => charter.secretariat.contains(&me),
        Settles::Signatory => is_among,
        Settles::Offering => conflict.sides.first().is_some_and(|offer| offer.orgs.contains(&me)),
        Settles::Locality => {
            let of = charter.localities.iter().find(|one| one.name == conflict.about);
            of.is_some_and(|locality| locality.orgs.contains(&me))
        }
    };
    if may {
        return Ok(());
    }
    let message = format!("{} is settled by {}", conflict.code, settles_in_words(settles));
    Err(Refusal::new("may-not-settle", message))
}

/// Who settles a conflict, in words.
#[must_use]
pub const fn settles_in_words(settles: Settles) -> &'static str {
    match settles {
        Settles::Sponsor => "the organisation that began the artefact",
        Settles::Anybody => "any member that receives it",
        Settles::Secretariat => "the secretariat",
        Settles::Signatory => "the organisation that answered",
        Settles::Offering => "the organisation that offers",
        Settles::FinanceSignatories => "the finance signatories",
        Settles::Locality => "the organisations of the locality",
    }
}

const fn role(settles: Settles) -> Role {
    match settles {
        Settles::Sponsor => Role::SponsorEditor,
        Settles::Anybody | Settles::Locality => Role::Editor,
        Settles::Secretariat => Role::Secretariat,
        Settles::Signatory => Role::Signatory,
        Settles::Offering => Role::OpsOnCall,
        Settles::FinanceSignatories => Role::FinanceSignatory,
    }
}

fn edited(case: &Case<'_>, edit: Edit) -> Result<Vec<Draft>, Refusal> {
    Ok(edits::carry_out(case, &[edit])?.drafts)
}

fn item_edit(conflict: &Conflict, chosen: &str) -> Result<Edit, Refusal> {
    let at = conflict.about.clone();
    match chosen {
        "keep" => Ok(Edit::Restore { at }),
        "remove" => Ok(Edit::Remove { at, values: Vec::new() }),
        _ => Err(Refusal::new("bad-value", "choose keep or remove")),
    }
}

fn record(case: &Case<'_>, conflict: &Conflict, chosen: &Chosen<'_>) -> Result<Draft, Refusal> {
    let kind = case.kind().event("settle_conflict").ok_or_else(|| {
        Refusal::new("unknown-event", "this kind of artefact records no settlements")
    })?;
    let mut given = vec![
        ("code".to_owned(), conflict.code.to_string()),
        ("field".to_owned(), conflict.about.clone()),
        ("chosen".to_owned(), chosen.chosen.to_owned()),
    ];
    given.extend(chosen.reason.map(|reason| ("reason".to_owned(), reason.to_owned())));
    let said = values::statement(case, kind, &given)?;
    expect_no_patient(&said)?;
    Ok(draft(case, Kind::EVENT, said.to_event().to_bytes()))
}
