//! `audit diff`: two wordings of an artefact, field by field.
//!
//! *Source*: ours.

use std::{collections::BTreeMap, process::ExitCode};

use concordat_protocol::hash::ArtefactId;
use serde::Serialize;

use super::{
    exit_code,
    opened::{Input, Opened},
    unread::Unread,
};
use crate::{
    artefact::time_named,
    cli::{
        args::audit::Diff,
        artefact::{by_place, places},
        error::CliError,
        out::{Out, count_in_words},
    },
    control::{AsOf, Refusal},
    view::artefact::{Artefact, FieldLine, show_of},
};

#[derive(Serialize)]
struct Differing {
    exit_code: u8,
    artefact: String,
    title: Option<String>,
    /// The entry or the time of each wording, as it was asked for.
    from: Option<String>,
    to: Option<String>,
    fields: Vec<DifferingField>,
    /// What is said about it and is not in the file: the wordings may be others.
    not_here: Vec<Unread>,
    input: Input,
}

/// A field that says something else.
#[derive(Serialize)]
struct DifferingField {
    /// Where it stands, items by their ids.
    path: String,
    /// The same, items by their places in the later wording, or in the earlier one.
    place: String,
    label: String,
    /// None: the field said nothing.
    was: Option<String>,
    is: Option<String>,
}

pub(super) fn run(args: &Diff, out: &Out) -> Result<ExitCode, CliError> {
    let opened = Opened::read(&args.file, out)?;
    let artefact = opened.artefact(&args.artefact)?;
    let from = match &args.from {
        Some(named) => seen(&opened, &artefact, &as_of(named)?)?,
        None => None,
    };
    let to = match &args.to {
        Some(named) => as_of(named)?,
        None => AsOf::Now,
    };
    let to = seen(&opened, &artefact, &to)?;
    let exit_code = exit_code(&opened.report, false);
    let not_here = not_here([&to, &from]);
    let [from, to] = [from, to].map(|one| one.map(|(artefact, _)| artefact));
    let differing = Differing {
        exit_code,
        artefact: artefact.to_string(),
        title: to.as_ref().or(from.as_ref()).and_then(|one| one.title.clone()),
        from: args.from.clone(),
        to: args.to.clone(),
        fields: fields(from.as_ref(), to.as_ref()),
        not_here,
        input: opened.input(),
    };
    out.show(&differing, &words(&differing))?;
    Ok(ExitCode::from(exit_code))
}

/// An entry, or else a time.
fn as_of(named: &str) -> Result<AsOf, Refusal> {
    let named = named.to_owned();
    if named.starts_with("entry-") {
        return Ok(AsOf::At(named));
    }
    time_named(&named).map(|_| AsOf::By(named)).map_err(|refusal| {
        let message =
            format!("{}, or an entry by the beginning of its id, entry-…", refusal.message);
        Refusal::new("no-time", message)
    })
}

/// The artefact then, and what it lacks; none if it was not begun.
fn seen(
    opened: &Opened,
    artefact: &ArtefactId,
    as_of: &AsOf,
) -> Result<Option<(Artefact, Vec<Unread>)>, Refusal> {
    let Some(sight) = opened.sight(artefact, as_of)? else { return Ok(None) };
    let _fields = sight.seen()?;
    Ok(Some((show_of(&sight), Unread::of(&sight))))
}

/// What the later wording lacks, or else what the earlier one does.
fn not_here(seen: [&Option<(Artefact, Vec<Unread>)>; 2]) -> Vec<Unread> {
    let mut lacking = seen.into_iter().flatten().map(|(_, unread)| unread);
    lacking.find(|unread| !unread.is_empty()).cloned().unwrap_or_default()
}

fn fields(from: Option<&Artefact>, to: Option<&Artefact>) -> Vec<DifferingField> {
    let of = |one: Option<&Artefact>| one.map_or(Vec::new(), |one| one.fields.clone());
    let (from, to) = (of(from), of(to));
    let mut at = places(&from);
    at.extend(places(&to));
    // In the order of the kind's fields, what is gone among them.
    let mut order: BTreeMap<&str, usize> = BTreeMap::new();
    for field in to.iter().chain(&from) {
        let next = order.len();
        order.entry(&field.path).or_insert(next);
    }
    let says = |fields: &[FieldLine], path: &str| {
        fields.iter().find(|field| field.path == path).and_then(says)
    };
    let mut paths: Vec<&str> = order.keys().copied().collect();
    paths.sort_by_key(|path| order.get(path));
    let line = |path: &str| {
        let (was, is) = (says(&from, path), says(&to, path));
        let label = to.iter().chain(&from).find(|field| field.path == path)?.label.clone();
        let place = by_place(path, &at);
        let path = path.to_owned();
        (was != is).then_some(DifferingField { path, place, label, was, is })
    };
    paths.into_iter().filter_map(line).collect()
}

/// What a field says, of itself: items of a list have fields of their own.
fn says(field: &FieldLine) -> Option<String> {
    let values: Vec<&str> = field.values.iter().map(|value| value.shown.as_str()).collect();
    let items: Vec<String> = field
        .items
        .iter()
        .filter(|item| item.presence != "present")
        .map(|item| format!("{} {}", item.id, item.presence))
        .collect();
    let text = field.text.clone();
    let values = (!values.is_empty()).then(|| values.join(" / "));
    let items = (!items.is_empty()).then(|| items.join(", "));
    let overwritten = field.is_overwritten.then(|| "overwritten".to_owned());
    text.or(values).or(items).or(overwritten)
}

fn words(differing: &Differing) -> Vec<String> {
    let title = differing.title.as_deref().unwrap_or("(no title)");
    let from = differing.from.as_deref().unwrap_or("the beginning");
    let to = differing.to.as_deref().unwrap_or("now");
    let mut lines = vec![format!("{title:?}, from {from} to {to}")];
    for field in &differing.fields {
        let place = &field.place;
        lines.push(format!("  {place}"));
        lines.extend(field.was.iter().map(|was| format!("    was: {was}")));
        lines.extend(field.is.iter().map(|is| format!("    is:  {is}")));
        if field.is.is_none() {
            lines.push("    is empty".to_owned());
        }
    }
    lines.push(match differing.fields.len() {
        0 => "Both say the same.".to_owned(),
        count => {
            format!("{} in what they say.", count_in_words(count, "field differs", "fields differ"))
        }
    });
    lines.extend(differing.not_here.iter().map(Unread::in_words));
    lines.extend(differing.input.verdict());
    lines
}
