//! A charter in words: what people read before they accept it, and afterwards.
//!
//! *Invariants.* Everything that the charter says of members, keys and rules is shown; nothing is
//! decided here.
//!
//! *Source*: ours.

use concordat_protocol::{
    charter::{Charter, Member, Who},
    hash::OrgId,
    time::TimeMs,
};

use crate::paper::key_in_words;

/// The charter, line by line; `me` marks this organisation.
#[must_use]
pub fn charter_in_words(charter: &Charter, me: Option<&OrgId>, now: TimeMs) -> Vec<String> {
    let mut lines = vec![
        charter.title.clone(),
        format!("  charter version {}, {}", charter.version, charter.hash()),
        format!("  members ({}):", charter.members.len()),
    ];
    for member in &charter.members {
        lines.extend(member_in_words(member, me, now));
    }
    lines.push("  rules:".to_owned());
    for (name, rule) in charter.all_rules() {
        lines.push(format!("    {name}: {}", rule.in_words(charter)));
    }
    if !charter.kinds.is_empty() {
        lines.push("  artefacts:".to_owned());
    }
    for terms in &charter.kinds {
        let (creates, edits) = (who(charter, &terms.creates), who(charter, &terms.edits));
        lines.push(format!("    {}: begun by {creates}, edited by {edits}", terms.kind));
    }
    for locality in &charter.localities {
        let orgs = names(charter, &locality.orgs);
        lines.push(format!("  for the locality {}: {orgs}", locality.name));
    }
    for (what, orgs) in [("secretariat", &charter.secretariat), ("closers", &charter.closers)] {
        if !orgs.is_empty() {
            lines.push(format!("  {what}: {}", names(charter, orgs)));
        }
    }
    lines.push(format!("  a member is shown as silent after {} days", charter.silence_days));
    lines
}

fn member_in_words(member: &Member, me: Option<&OrgId>, now: TimeMs) -> Vec<String> {
    let name = member.name_at(now).unwrap_or_default();
    let you = if me == Some(&member.org) { "   (this organisation)" } else { "" };
    let codes: Vec<String> =
        member.codes.iter().map(|code| format!(", {} {}", code.0, code.1)).collect();
    let (class, status) = (&member.class, member.status);
    vec![
        format!("    {}: {name}, {class}, {status}{}{you}", member.slug, codes.concat()),
        format!("      {}", member.org),
        format!("      feed key    {}", key_in_words(&member.feed_key)),
        format!("      witness key {}", key_in_words(&member.witness_key)),
    ]
}

fn who(charter: &Charter, who: &Who) -> String {
    match who {
        Who::Everyone => "every member".to_owned(),
        Who::Named { classes, orgs } => {
            let classes = classes.iter().map(|class| format!("every {class}"));
            let named = orgs.iter().map(|org| super::slug_of(Some(charter), org));
            let all: Vec<String> = classes.chain(named).collect();
            if all.is_empty() { "nobody".to_owned() } else { all.join(", ") }
        }
    }
}

fn names(charter: &Charter, orgs: &[OrgId]) -> String {
    let names: Vec<String> = orgs.iter().map(|org| super::slug_of(Some(charter), org)).collect();
    names.join(", ")
}
