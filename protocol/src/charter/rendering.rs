//! Rules and evaluations in plain English: one fixed wording, the same on every node.
//!
//! ```text
//! all        all of (…; …)
//! any        any of (…; …)
//! atleast    at least 2 of (…; …)
//! majority   more approve than reject among the council members
//! share      at least 3/4 of the members that approve or reject approve
//!            at least 2/3 of all council members approve
//! quorum     at least 4 members answer, with at least 1 of the ccg members
//! org        la-wigan approves
//! ```
//!
//! Organisations are named by the slug that the charter gives them. Nothing is decided here.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use super::{
    ballot::{Test, TraceLine},
    document::Charter,
    rule::{Quorum, Rule, Scope, Share, ShareOf},
    tally::{Outcome, Tally},
};
use crate::hash::OrgId;

impl Rule {
    /// The rule in words, on one line.
    #[must_use]
    pub fn in_words(&self, charter: &Charter) -> String {
        let join = |how: String, rules: &[Self]| {
            let parts: Vec<_> = rules.iter().map(|rule| rule.in_words(charter)).collect();
            format!("{how} of ({})", parts.join("; "))
        };
        match self {
            Self::All(rules) => join("all".to_string(), rules),
            Self::Any(rules) => join("any".to_string(), rules),
            Self::AtLeast(needed, rules) => join(format!("at least {needed}"), rules),
            Self::Majority(class) => majority(class),
            Self::Share(share) => share.to_string(),
            Self::Quorum(quorum) => quorum.to_string(),
            Self::Org(org) => approves(org, charter),
        }
    }
}

impl TraceLine {
    /// The line in words: what was tested, on which figures, and what came out.
    #[must_use]
    pub fn in_words(&self, charter: &Charter) -> String {
        let test = match &self.test {
            Test::Joined { needed, of } if needed == of => "all of these".to_string(),
            Test::Joined { needed: 1, .. } => "any of these".to_string(),
            Test::Joined { needed, of } => format!("at least {needed} of these {of}"),
            Test::Majority(class) => majority(class),
            Test::Share(share) => share.to_string(),
            Test::Answered { scope, least } => format!("at least {least} {scope} answer"),
            Test::Org(org) => approves(org, charter),
        };
        match self.tally {
            Some(tally) => format!("{test}: {} ({tally})", self.outcome),
            None => format!("{test}: {}", self.outcome),
        }
    }
}

fn majority(class: &str) -> String {
    format!("more approve than reject among the {class} members")
}

fn approves(org: &OrgId, charter: &Charter) -> String {
    match charter.member(org) {
        Some(member) => format!("{} approves", member.slug),
        None => format!("{org} approves"),
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Board => f.write_str("members"),
            Self::Class(class) => write!(f, "{class} members"),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, numerator, denominator, of } = self;
        write!(f, "at least {numerator}/{denominator} of ")?;
        match of {
            ShareOf::Cast => write!(f, "the {scope} that approve or reject approve"),
            ShareOf::Members => write!(f, "all {scope} approve"),
        }
    }
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at least {} members answer", self.least)?;
        for (nth, (class, least)) in self.classes.iter().enumerate() {
            let and = if nth == 0 { ", with" } else { " and" };
            write!(f, "{and} at least {least} of the {class} members")?;
        }
        Ok(())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::True => "holds",
            Self::False => "fails",
            Self::Open => "still open",
        })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} approve, {} reject", self.approve, self.reject)?;
        for (count, what) in [
            (self.abstain, "abstain"),
            (self.recused, "recused"),
            (self.absent, "absent"),
            (self.open, "still to answer"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charter::{
        Answer, Ballot,
        fixture::{joint_decision, members_share, mini_board, org},
    };
    use alloc::vec;

    #[test]
    fn a_rule_reads_as_english_with_the_boards_own_short_names() {
        let stranger = OrgId::from_bytes([0; 32]);
        let board = mini_board();
        assert_eq!(
            joint_decision().in_words(&board),
            "all of (at least 4 members answer, with at least 1 of the ccg members and at least 1 \
             of the council members; at least 3/4 of the members that approve or reject approve; \
             more approve than reject among the council members; more approve than reject among \
             the ccg members)"
        );
        assert_eq!(
            Rule::Any(vec![Rule::Org(org(2)), Rule::AtLeast(1, vec![members_share(2, 3)])])
                .in_words(&board),
            "any of (la-wigan approves; at least 1 of (at least 2/3 of all members approve))"
        );
        assert_eq!(Rule::Org(stranger).in_words(&board), format!("{stranger} approves"));
    }

    #[test]
    fn a_trace_reads_line_by_line() {
        let board = mini_board();
        let mut ballot = Ballot::new(&board);
        for number in [1, 2, 3] {
            assert!(ballot.settle(&org(number), Answer::Approve));
        }
        assert!(ballot.settle(&org(4), Answer::Recused));
        let trace = ballot.evaluate(&joint_decision()).trace;
        let lines: Vec<_> = trace
            .iter()
            .map(|line| format!("{}{}", "  ".repeat(line.depth), line.in_words(&board)))
            .collect();
        assert_eq!(
            lines,
            [
                "all of these: holds",
                "  all of these: holds",
                "    at least 4 members answer: holds (3 approve, 0 reject, 1 recused, 1 still to \
                 answer)",
                "    at least 1 ccg members answer: holds (1 approve, 0 reject, 1 recused)",
                "    at least 1 council members answer: holds (2 approve, 0 reject)",
                "  at least 3/4 of the members that approve or reject approve: holds (3 approve, 0 \
                 reject, 1 recused, 1 still to answer)",
                "  more approve than reject among the council members: holds (2 approve, 0 reject)",
                "  more approve than reject among the ccg members: holds (1 approve, 0 reject, 1 \
                 recused)",
            ]
        );
    }
}
