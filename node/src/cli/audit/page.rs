//! A proof as one page that any browser shows and prints, by itself: no script, no style, font or picture
//! from elsewhere.
//!
//! ```text
//! header   the title, the result in one sentence
//! main     result · wording · options · votes · arithmetic · what to look at · interests, positions
//! footer   what it was made from
//! ```
//!
//! *Invariants.* Whatever partners wrote is text: escaped, without control characters, and set apart so that
//! its direction turns nothing around it. Nothing is told by colour alone.
//!
//! *Source*: WCAG 2.2, level AA: 1.3.1, 1.4.3, 1.4.10, 2.1.1, 2.4.1, 2.4.2, 2.4.6, 3.1.1.

use concordat_protocol::decision::{Deed, Figures, Proof, ProvenLine, ProvenSeat};
use maud::{DOCTYPE, Markup, Render, html};

use super::{
    opened::Input,
    prove::{OptionLine, Proven},
};
use crate::{cli::out::time_in_words, view::artefact::DeedLine};

const STYLE: &str = "
:root { color-scheme: light; }
body { color: #1a1a1a; background: #fff; font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 60rem; padding: 1rem; }
h1, h2 { line-height: 1.25; }
h2 { border-bottom: 1px solid #595959; margin-top: 2rem; }
a { color: #0b4a8f; }
:focus-visible { outline: 3px solid #0b4a8f; outline-offset: 2px; }
.skip { position: absolute; left: -999rem; }
.skip:focus { position: static; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: bold; padding: .5rem 0; }
th, td { border: 1px solid #595959; padding: .35rem .5rem; text-align: left; vertical-align: top; }
thead th { background: #eee; }
td.number { text-align: right; }
td, dd, pre { overflow-wrap: anywhere; }
pre { white-space: pre-wrap; border: 1px solid #595959; padding: .5rem; }
.says { white-space: pre-line; }
dt { font-weight: bold; }
dd { margin: 0 0 .5rem; }
@media print { .skip { display: none; } body { max-width: none; padding: 0; }
  .wide { overflow: visible; } thead { display: table-header-group; } tr { break-inside: avoid; } }
";

/// Text that may be anybody's.
struct Said<'a>(&'a str);

impl Render for Said<'_> {
    fn render(&self) -> Markup {
        let clean = |char: char| if char.is_control() && char != '\n' { ' ' } else { char };
        let text: String = self.0.chars().map(clean).collect();
        html! { bdi { (text) } }
    }
}

/// The page of a proof.
pub(super) fn of(proven: &Proven) -> String {
    let decision = &proven.decision;
    let title = decision.title.as_deref().unwrap_or("(no title)");
    let page = html! {
        (DOCTYPE)
        html lang="en-GB" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'";
                title { (title) ": how it was decided" }
                style { (maud::PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the decision" }
                header {
                    h1 { (Said(title)) }
                    p { strong { (decision.sentence) } }
                }
                main #main {
                    @match &proven.proof {
                        Some(proof) => (decided(proven, proof)),
                        None => (agreed(&decision.lines)),
                    }
                    (said("Interests declared", "interests", &proven.interests))
                    (said("Positions stated", "positions", &proven.positions))
                    (said("Ratifications", "ratifications", &proven.ratifications))
                }
                footer { (made_from(&proven.input)) }
            }
        }
    };
    page.into_string()
}

/// A section under its heading.
fn section(id: &str, heading: &str, body: &Markup) -> Markup {
    html! { section aria-labelledby=(id) { h2 id=(id) { (heading) } (body) } }
}

/// A table that can be scrolled with the keyboard where it is wider than the window.
fn table(caption: &str, columns: &[&str], rows: &Markup) -> Markup {
    html! {
        div.wide role="region" tabindex="0" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr { @for column in columns { th scope="col" { (column) } } } }
                tbody { (rows) }
            }
        }
    }
}

fn decided(proven: &Proven, proof: &Proof) -> Markup {
    html! {
        (section("result", "Result", &result(proven, proof)))
        (section("wording", "What was put to the vote", &wording(proven, proof)))
        @if !proven.options.is_empty() {
            (section("options", "Options", &options(&proven.options)))
        }
        (section("votes", "Votes", &votes(proof)))
        (section("rule", "The rule, line by line", &rule(proof)))
        (section("look", "What to look at", &look_at(proven, proof)))
    }
}

fn agreed(lines: &[String]) -> Markup {
    let body = html! { ul { @for line in lines { li { (Said(line)) } } } };
    section("result", "Who is bound to what", &body)
}

fn result(proven: &Proven, proof: &Proof) -> Markup {
    let decision = &proven.decision;
    let charter = proof.charter_version.map_or("not here".to_owned(), |number| number.to_string());
    let held = proof.interval.held_by_majority_ms;
    html! {
        dl {
            (fact("Result", proof.result))
            @if let Some(why) = &proof.why_without_effect { (fact("Why", why)) }
            (fact("State now", &decision.state))
            (fact("Board", &proof.board))
            (fact("Version of its charter", &charter))
            (fact("Artefact", &decision.artefact))
            (fact("Proposal", &proof.proposal))
            (fact("Text fixed by", &who(&proof.proposed)))
            @if let Some(closed) = &proof.closed { (fact("Closed by", &who(closed))) }
            @if let (Some(first), Some(last)) =
                (proof.interval.first_claimed_ms, proof.interval.last_claimed_ms)
            {
                (fact("Answers, by their authors' clocks",
                    &format!("{} to {}", time_in_words(first), time_in_words(last))))
            }
            (fact("Held by majorities, by their clocks", &time(held)))
            @if proof.result == "carried" {
                (fact("Answers to spare", &proof.spare.map_or("none".to_owned(), |n| n.to_string())))
            }
        }
    }
}

fn fact(name: &str, says: &str) -> Markup {
    html! { dt { (name) } dd { (Said(says)) } }
}

fn wording(proven: &Proven, proof: &Proof) -> Markup {
    let matches = if proof.wording.matches {
        "The digest was computed anew from this text and is the one that every vote names."
    } else {
        "This text does not have the digest that the votes name."
    };
    let rows = html! {
        @for line in &proven.wording {
            tr { th scope="row" { (line.label) } td.says { (Said(&line.says)) } }
        }
    };
    html! {
        p { (matches) }
        (table("The text, field by field", &["Field", "What it says"], &rows))
        dl { (fact("Digest that was signed", &proof.wording.named)) }
        h3 id="exact" { "The exact bytes" }
        pre tabindex="0" role="region" aria-labelledby="exact" { (Said(&proof.wording.snapshot)) }
    }
}

fn options(options: &[OptionLine]) -> Markup {
    let rows = html! {
        @for one in options {
            tr {
                th scope="row" { (Said(&one.label)) }
                td { (one.result.as_deref().unwrap_or("not said")) }
                td.says { @if let Some(why) = &one.why { (Said(why)) } @else { "not said" } }
            }
        }
    };
    table("Options, as they were put to the vote", &["Option", "Result", "Why"], &rows)
}

fn votes(proof: &Proof) -> Markup {
    let count = |answer: &str| proof.seats.iter().filter(|seat| seat.answer == answer).count();
    let columns = [
        "Organisation",
        "Class",
        "Answer",
        "Role and capacity, as it says",
        "Signed, by its clock",
        "Held by a majority, by theirs",
        "Settled",
        "Entry",
    ];
    let rows = html! { @for seat in &proof.seats { (vote(seat)) } };
    let not_counted = html! {
        @for one in &proof.not_counted {
            tr {
                th scope="row" { (one.signed.by) }
                td { (one.answer) }
                td { (one.why) }
                td { (one.signed.entry) }
            }
        }
    };
    html! {
        p {
            (count("for")) " for, " (count("against")) " against, " (count("abstained"))
            " abstained, " (count("recused")) " took no part, " (count("absent")) " absent, "
            (count("open")) " still to answer."
        }
        (table("Every organisation with a vote", &columns, &rows))
        @if !proof.not_counted.is_empty() {
            (table("Answers that do not count", &["Organisation", "Answer", "Why not", "Entry"],
                &not_counted))
        }
    }
}

fn vote(seat: &ProvenSeat) -> Markup {
    let deed = seat.signed.as_ref();
    let acting = deed.and_then(|deed| deed.acting.as_ref());
    let acting = acting.map(|acting| {
        let (role, capacity, how) = (&acting.role, &acting.capacity, &acting.how_authenticated);
        format!("{role} for {capacity}; authenticated: {how}")
    });
    html! {
        tr {
            th scope="row" { (seat.org) }
            td { (Said(&seat.class)) }
            td { (seat.answer) }
            td { (Said(acting.as_deref().unwrap_or("not said"))) }
            td { (time(deed.map(|deed| deed.claimed_ms))) }
            td { (time(deed.and_then(|deed| deed.held_by_majority_ms))) }
            td { (deed.map_or("none signed", |deed| if deed.is_settled { "yes" } else { "no" })) }
            td { (deed.map_or("none", |deed| &deed.entry)) }
        }
    }
}

fn rule(proof: &Proof) -> Markup {
    let columns = [
        "Test",
        "Outcome",
        "For",
        "Against",
        "Abstained",
        "Took no part",
        "Absent",
        "Open",
        "Answers to spare",
    ];
    let rows = html! { @for line in &proof.trace { (test(line)) } };
    html! {
        p { (Said(proof.rule.as_deref().unwrap_or("The charter that names the rule is not here."))) }
        (table("Each test of the rule, quorum included", &columns, &rows))
        p { "A test that joins others stands before them; its level says how deep it stands." }
    }
}

fn test(line: &ProvenLine) -> Markup {
    let outcome = match line.outcome {
        "true" => "holds",
        "false" => "fails",
        other => other,
    };
    let figures = line.tally.map(|tally| {
        let Figures { approve, reject, abstain, recused, absent, open } = tally;
        [approve, reject, abstain, recused, absent, open]
    });
    html! {
        tr {
            th scope="row" { "Level " (line.depth + 1) ": " (Said(&line.words)) }
            td { (outcome) }
            @for at in 0..6 {
                td.number { @if let Some(figure) = figures.and_then(|all| all.get(at).copied()) { (figure) } @else { "–" } }
            }
            td.number { @if let Some(spare) = line.spare { (spare) } @else { "–" } }
        }
    }
}

fn look_at(proven: &Proven, proof: &Proof) -> Markup {
    html! {
        @if proven.findings.is_empty() && proof.missing.is_empty() && proven.not_here.is_empty() {
            p { "Nothing speaks against it, and nothing is missing for certainty." }
        }
        @if !proven.findings.is_empty() {
            h3 { "Findings" }
            ul { @for finding in &proven.findings { li { (Said(finding)) } } }
        }
        @if !proof.missing.is_empty() || !proven.not_here.is_empty() {
            h3 { "Missing for certainty" }
            ul {
                @for one in &proven.not_here { li { (Said(&one.in_words())) } }
                @for one in &proof.missing { li { (Said(&one.words)) } }
            }
        }
    }
}

fn said(heading: &str, id: &str, deeds: &[DeedLine]) -> Markup {
    let body = html! {
        @if deeds.is_empty() { p { "None." } }
        @else {
            ul {
                @for one in deeds {
                    li {
                        (one.by.org) ", claimed " (time_in_words(one.by.at_ms))
                        @if let Some(why) = &one.why_not { " (" (why) ")" }
                        @for (name, value) in &one.values { "; " (name) ": " (Said(value)) }
                    }
                }
            }
        }
    };
    section(id, heading, &body)
}

fn made_from(input: &Input) -> Markup {
    let rows = html! {
        @for feed in &input.feeds {
            tr {
                th scope="row" { (feed.name()) }
                td.number { (feed.entries) }
                td { (feed.last.as_deref().unwrap_or("none")) }
                td { @if let Some(at) = feed.forked_at { "at entry " (at) } @else { "no" } }
            }
        }
    };
    let body = html! {
        p { (Said(&input.bundle)) }
        @if !input.findings.is_empty() {
            ul { @for finding in &input.findings { li { (Said(finding)) } } }
        }
        (table("How far each feed goes in the file", &["Feed", "Entries", "Last entry", "Forked"], &rows))
        p { "Made by Concordat " (env!("CARGO_PKG_VERSION")) " from " (Said(&input.file))
            "; whoever has that file finds the same text, votes and result." }
    };
    section("made-from", "What this page was made from", &body)
}

fn who(deed: &Deed) -> String {
    let acting = deed.acting.as_ref();
    let acting = acting.map(|acting| format!(" as {} for {}", acting.role, acting.capacity));
    let at = time_in_words(deed.claimed_ms);
    format!("{}{}, claimed {at}", deed.by, acting.unwrap_or_default())
}

fn time(ms: Option<u64>) -> String {
    ms.map_or_else(|| "not known here".to_owned(), time_in_words)
}
