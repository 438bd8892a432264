//! What each side bound itself to, in plain words.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{About, Bonds, BoundLine, Show};
use crate::{
    artefact::{events::Statement, kind::Effect, lifecycle::Claim, scalar::quantity},
    decision::{Point, utc},
    hash::EntryId,
};

impl Bonds {
    /// All of it in plain words, line by line; the last is one that anybody can quote.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::from([format!("Board: {}", self.board)]);
        lines.push(format!("Artefact: {}", self.artefact));
        for act in &self.acts {
            let values: Vec<String> =
                act.values.iter().map(|(name, value)| format!("{name} {value}")).collect();
            let values =
                if values.is_empty() { String::new() } else { format!(" ({})", values.join(", ")) };
            lines.push(format!("{}{values}: {}", act.did, act.signed.in_words()));
        }
        lines.extend(self.lines.iter().flat_map(BoundLine::in_words));
        for one in &self.delivered {
            lines.push(format!(
                "Delivered: {} of {} — {}",
                one.quantity,
                one.line,
                one.signed.in_words()
            ));
        }
        lines.extend(self.flags.iter().map(|flag| format!("{}: {}", flag.code, flag.words)));
        lines.extend(self.missing.iter().map(|one| format!("Missing: {}", one.words)));
        lines.push(self.sentence.clone());
        lines
    }
}

impl BoundLine {
    fn in_words(&self) -> Vec<String> {
        let Self { line, quantity, unit, .. } = self;
        let (from, to) = (utc(self.from_ms), utc(self.to_ms));
        let mut lines = Vec::from([format!("Line {line}:")]);
        lines.push(format!("  {quantity} {unit}, {from} to {to} — {}", self.signed.in_words()));
        if let Some(recalled) = &self.recalled {
            lines.push(format!("  recalled — {}", recalled.in_words()));
        }
        for claim in &self.claims {
            let (from, to) = (utc(claim.from_ms), utc(claim.to_ms));
            let signed = claim.signed.in_words();
            lines.push(format!("  {} claimed, {from} to {to} — {signed}", claim.quantity));
            for one in &claim.confirmed {
                lines.push(format!("    {} confirmed — {}", one.quantity, one.signed.in_words()));
            }
            for (did, deed) in [("declined", &claim.declined), ("given up", &claim.given_up)] {
                let words =
                    deed.iter().map(|deed| format!("    the rest {did} — {}", deed.in_words()));
                lines.extend(words);
            }
        }
        lines
    }
}

impl Show<'_> {
    /// What a person must see.
    pub(super) fn flags(&self) -> Vec<Point> {
        let lifecycle = &self.replay.lifecycle;
        let point = |code, words| Point { code, words };
        let mut flags = Vec::new();
        for hold in &lifecycle.holds {
            let words = format!("{} holds it: {}", self.name(&hold.org), hold.state);
            flags.push(point("held", words));
        }
        if lifecycle.is_contested() {
            flags.push(point("C5", "steps taken at once lead to different states".to_string()));
        }
        for (key, line) in &lifecycle.capacity.lines {
            let org = self.name(&key.org);
            if line.over_claimed() > 0 {
                let over = quantity(line.over_claimed());
                let words = format!("{over} more is claimed of {org} than it has left");
                flags.push(point("C8", words));
            }
            if line.short_by() > 0 {
                let short = quantity(line.short_by());
                let words = format!("{org} confirmed {short} more than it says now that it has");
                flags.push(point("C8", words));
            }
        }
        for (_, claim) in self.claims().filter(|(_, claim)| claim.late) {
            let words = format!("{} claimed after the offer had ended", self.name(&claim.org));
            flags.push(point("late", words));
        }
        flags
    }

    /// What cannot be read here.
    pub(super) fn missing_events(&self) -> Option<Point> {
        let words = format!("{} of its events cannot be read here, or may not count", self.unread);
        (self.unread > 0).then_some(Point { code: "unread", words })
    }

    /// Who is bound to give how much to whom.
    pub(super) fn sentence(&self) -> String {
        let lines = &self.replay.lifecycle.capacity.lines;
        let bond = |(_, claim): (EntryId, &Claim)| {
            let line = lines.get(&claim.line)?;
            let (lender, to) = (self.name(&claim.line.org), self.name(&claim.org));
            let much = format!("{} {}", quantity(claim.confirmed), line.unit);
            let recalled = if line.recalled.is_some() { ", which it recalled" } else { "" };
            Some(format!("{lender} is bound to give {to} {much}{recalled}"))
        };
        let bonds = self.claims().filter(|(_, claim)| claim.confirmed > 0);
        let bonds: Vec<String> = bonds.filter_map(bond).collect();
        if bonds.is_empty() && self.unread > 0 {
            return "Nobody is bound by what can be read here.".to_string();
        }
        if bonds.is_empty() {
            return "Nobody is bound: no claim is confirmed.".to_string();
        }
        let confirms = |said: &Statement| said.kind.effect == Effect::Capacity(About::Confirm);
        let open = self
            .said
            .iter()
            .filter(|(_, said)| confirms(said))
            .any(|(id, _)| self.replay.written.get(id).is_none_or(|by| !by.settled));
        let open = if open { "; not all of this is settled yet" } else { "" };
        format!("{}{open}.", bonds.join("; "))
    }
}
