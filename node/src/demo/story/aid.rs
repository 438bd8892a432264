//! Two claim more of an offer than there is, while nobody reaches anybody.
//!
//! *Source*: ours; scenario 11 of the domain.

use super::Story;
use crate::{
    clock,
    control::Deed,
    demo::{DemoError, checks, deeds, stage::Found},
    view::artefact::Artefact,
};

const DAY_MS: u64 = 86_400_000;

pub(super) fn tell(story: &mut Story<'_>) -> Result<(), DemoError> {
    let (from, to) = (minute(5), minute(6));
    let aid = offer(story, (&from, &to))?;
    claim_apart(story, &aid, (&from, &to))?;
    lender_confirms(story, &aid)
}

/// A minute so many days from now, as people type it.
fn minute(days: u64) -> String {
    let ms = clock::now_ms().saturating_add(days.saturating_mul(DAY_MS));
    let time = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.map(|time| time.strftime("%Y-%m-%dT%H:%MZ").to_string()).unwrap_or_default()
}

fn offer(story: &Story<'_>, (from, to): (&str, &str)) -> Result<String, DemoError> {
    let Story { stage, board, cast, .. } = story;
    let lender = board.member(cast.lender)?;
    let title = format!("Four {} (illustrative)", cast.shifts);
    let aid = lender.act(deeds::open("mutual_aid", &title))?.artefact;
    let line = [("line", "1"), ("qty", "4"), ("unit", "shift"), ("from", from), ("to", to)];
    for deed in [
        deeds::set(&aid, &[("service_line", "discharge"), ("urgency", "within_7d")]),
        deeds::add(&aid, "lines", &[("resource", "staff"), ("role", cast.shifts)]),
        deeds::event(&aid, "line_quantity", &line),
        deeds::event(&aid, "offer", &[("valid_until", &minute(4))]),
    ] {
        lender.act(deed)?;
    }
    stage.say(&format!("  {} offers four {}.", cast.lender, cast.shifts));
    story.until_all_show(&aid, "offered")?;
    Ok(aid)
}

fn claim(aid: &str, lender: &str, (from, to): (&str, &str)) -> Deed {
    let values = [("offered_by", lender), ("line", "1"), ("qty", "3"), ("from", from), ("to", to)];
    deeds::event(aid, "claim", &values)
}

fn claim_apart(story: &mut Story<'_>, aid: &str, when: (&str, &str)) -> Result<(), DemoError> {
    story.cut()?;
    let Story { stage, board, cast, .. } = story;
    let [one, other] = cast.claimants;
    stage.say(&format!(
        "  Nobody reaches anybody; {one} claims three of them, and so does {other}."
    ));
    let members = [board.member(one)?, board.member(other)?];
    for member in members {
        member.act(claim(aid, cast.lender, when))?;
    }
    let what = "Each sees its own claim: claimed, and not confirmed.";
    stage.until("claimed-apart", what, || {
        let mut faults = Vec::new();
        for member in members {
            let shown = member.show(aid)?;
            let claims: Vec<&str> = shown.claims.iter().map(|one| one.by.org.as_str()).collect();
            faults.extend(checks::state_fault(&shown, "claimed"));
            faults.extend((claims != [member.slug()]).then(|| format!("claims by {claims:?}")));
            faults.extend(checks::capacity_fault(&shown, &[(member.slug(), "3", "0")], "4"));
        }
        Ok(Found::unless(faults.pop(), "3 claimed and 0 confirmed, at each of the two"))
    })?;
    stage.say("  The network is mended.");
    story.heal()?;

    let Story { stage, board, cast, .. } = story;
    let what =
        "Everybody sees that six are claimed of four; no claim is lost, and none is confirmed.";
    stage.until("over-claimed", what, || {
        let shown = board.each(|member| member.show(aid));
        let sides = [("4 shift", cast.lender), ("claimed 3", one), ("claimed 3", other)];
        let fault = |shown: &Artefact| {
            checks::conflict_fault(shown, "C8", &sides).or_else(|| {
                checks::capacity_fault(shown, &[(one, "3", "0"), (other, "3", "0")], "4")
            })
        };
        checks::alike(shown, fault, |shown| {
            let open = checks::open_conflicts(shown, "C8");
            open.flat_map(|one| &one.sides)
                .map(|side| format!("{} ({})", side.says, side.orgs.join(", ")))
                .collect::<Vec<_>>()
                .join(" | ")
        })
    })?;
    Ok(())
}

fn lender_confirms(story: &mut Story<'_>, aid: &str) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let [one, other] = cast.claimants;
    let lender = board.member(cast.lender)?;
    let confirm = |who, qty| deeds::event(aid, "confirm", &[("claim", who), ("qty", qty)]);
    lender.act(confirm(one, "3"))?;
    lender.act(confirm(other, "1"))?;
    let refusal = lender.refusal(confirm(other, "1"))?;
    let found = checks::refused(refusal.as_ref(), "no-effect", "");
    stage.check("no-fifth-shift", "A fifth shift cannot be confirmed.", found);
    let reason = [("claim", other), ("reason", "There are no more than four.")];
    lender.act(deeds::event(aid, "decline_claim", &reason))?;

    let what = format!(
        "{} confirms three and one, declines the rest, and nothing remains, on every node.",
        cast.lender
    );
    stage.until("confirmed", what, || {
        let shown = board.each(|member| member.show(aid));
        let fault = |shown: &Artefact| {
            checks::capacity_fault(shown, &[(one, "3", "3"), (other, "3", "1")], "0")
                .or_else(|| checks::none_open(shown, "C8"))
        };
        checks::alike(shown, fault, |shown| {
            let claims = shown.claims.iter();
            let claims = claims
                .map(|one| format!("{} of {} to {}", one.confirmed, one.quantity, one.by.org));
            let left: Vec<&str> = shown.offers.iter().map(|one| one.remaining.as_str()).collect();
            format!("{}; remaining {}", claims.collect::<Vec<_>>().join(", "), left.join(", "))
        })
    })?;
    stage.until("bound", "The proof says who is bound to give how much to whom.", || {
        let said = checks::same(board.each(|member| Ok(member.prove(aid)?.sentence)))?;
        let names = [one, other].iter().all(|who| said.detail.contains(who));
        Ok(Found { is_well: said.is_well && names, ..said })
    })?;
    Ok(())
}
