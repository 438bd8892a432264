//! Remarks, and who is let in: whom a remark names reads it.
//!
//! *Invariants.* Nobody is let in unless the author was told that it cannot be taken back.
//!
//! *Source*: ours; domain, section 2.0.

use concordat_protocol::{
    artefact::kind::Role,
    feed::Kind,
    hash::OrgId,
    payload::{Reason, Widening},
    time::TimeMs,
};

use super::{
    Case, names, needs,
    prepare::{Made, draft, expect_no_patient, lower, unknown},
    values,
};
use crate::{
    clock,
    control::{Pair, Refusal},
};

pub(super) fn remark(
    case: &Case<'_>,
    name: &str,
    given: &[Pair],
    widens: bool,
) -> Result<Made, Refusal> {
    let kind = case.kind().remark(name).ok_or_else(|| {
        let names: Vec<&str> = case.kind().remarks.iter().map(|remark| remark.name).collect();
        unknown(case, "remark", name, &names)
    })?;
    let mut given = given.to_vec();
    for slug in named_in(case, &given) {
        let mention = ("mentions".to_owned(), slug);
        if !given.contains(&mention) {
            given.push(mention);
        }
    }
    let said = values::statement(case, kind, &given)?;
    expect_no_patient(&said)?;
    let mut outside: Vec<OrgId> =
        said.orgs("mentions").filter(|org| !needs::is_inside(case, org)).collect();
    outside.sort_unstable();
    outside.dedup();
    let slugs: Vec<String> = outside.iter().map(|org| case.slug(org)).collect();
    if !outside.is_empty() && !widens {
        let message = format!(
            "this names {}, outside the artefact's audience: whoever is criticised reads it; \
             with --widen they are let in and receive all of the artefact, which cannot be taken \
             back; or write it without naming them",
            slugs.join(", ")
        );
        return Err(Refusal::new("names-outsiders", message));
    }
    let mut drafts = Vec::new();
    if !outside.is_empty() {
        let widening = Widening { orgs: outside, reason: Reason::MENTIONED };
        drafts.push(draft(case, Kind::AUDIENCE, widening.to_bytes()));
    }
    drafts.push(draft(case, Kind::REMARK, said.to_remark().to_bytes()));
    let mut made = Made::tried(case, drafts, kind.who.role, lower(kind))?;
    made.acted.let_in = slugs;
    Ok(made)
}

/// Members whose short or legal names stand in the texts.
fn named_in(case: &Case<'_>, given: &[Pair]) -> Vec<String> {
    let texts: Vec<&str> =
        given.iter().filter(|(name, _)| name == "text").map(|(_, text)| text.as_str()).collect();
    let now = TimeMs(clock::now_ms());
    let me = case.snapshot.me();
    let is_named = |name: &str| texts.iter().any(|text| holds_name(text, name));
    let others = case.charter.members.iter().filter(|member| member.org != me);
    let named = others.filter(|member| {
        is_named(member.slug.as_str()) || member.name_at(now).is_some_and(is_named)
    });
    named.map(|member| member.slug.to_string()).collect()
}

/// Whether a name stands in a text, and not within a longer word.
fn holds_name(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    let is_word = |char: char| char.is_alphanumeric() || char == '-';
    text.match_indices(&name).any(|(at, found)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let end = at.saturating_add(found.len());
        let after = text.get(end..).and_then(|after| after.chars().next());
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

pub(super) fn widen(case: &Case<'_>, named: &[String], reason: &str) -> Result<Made, Refusal> {
    let mut orgs: Vec<OrgId> = Vec::new();
    for named in named {
        orgs.push(names::member_named(case.charter, named)?.org);
    }
    orgs.retain(|org| !needs::is_inside(case, org));
    orgs.sort_unstable();
    orgs.dedup();
    if orgs.is_empty() {
        let message = "they are all in the audience already";
        return Err(Refusal::new("nothing-to-do", message));
    }
    let reason = match reason {
        "mentioned" => Reason::MENTIONED,
        "takes-part" => Reason::TAKES_PART,
        "successor" => Reason::SUCCESSOR,
        "named" => Reason::NAMED,
        _ => {
            let message = "a reason is mentioned, takes-part, successor or named";
            return Err(Refusal::new("bad-value", message));
        }
    };
    let slugs: Vec<String> = orgs.iter().map(|org| case.slug(org)).collect();
    let drafts = vec![draft(case, Kind::AUDIENCE, Widening { orgs, reason }.to_bytes())];
    let did = "widened its audience".to_owned();
    let mut made = Made::tried(case, drafts, Role::SponsorEditor, did)?;
    made.acted.let_in = slugs;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_as_a_word() {
        for text in ["la-bury was late", "Late: LA-Bury.", "(la-bury)"] {
            assert!(holds_name(text, "la-bury"), "{text}");
        }
        for text in ["la-bury-north", "villa-bury", "bury"] {
            assert!(!holds_name(text, "la-bury"), "{text}");
        }
    }
}
