//! Rules as people write them in a board draft.
//!
//! ```text
//!   R = all(R, R…)                         every part holds
//!     | any(R, R…)                         at least one holds
//!     | atleast(2, R, R…)                  at least so many hold
//!     | majority(council)                  in the class, more approve than reject
//!     | share(2/3 of members)              approvals are 2/3 or more of all voting members
//!     | share(3/4 of cast)                 … of those who approve or reject
//!     | share(1/2 of members in council)   … counted in one class
//!     | quorum(4)                          so many answer
//!     | quorum(4, ccg 1, council 1)        … and of each class as many as it says
//!     | org(la-wigan)                      that member approves
//! ```
//!
//! *Invariants.* Every rule of the protocol can be written, and a rule has one meaning. Whether it
//! makes sense on a board is for the charter's own checks. Members are named by their short names.
//!
//! *Source*: ours; formats, section 8.

use std::collections::BTreeMap;

use concordat_protocol::{
    charter::{Quorum, Rule, Scope, Share, ShareOf},
    hash::OrgId,
};

/// Deeper than any charter allows: only so that reading ends.
const DEPTH_MAX: usize = 16;

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    /// Something else was needed at this place.
    #[error("at character {at}: expected {expected}, found {found}")]
    Expected {
        /// Counted from 1.
        at: usize,
        /// In words.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// No such operator.
    #[error(
        "at character {at}: there is no rule called {name:?}; the rules are all, any, atleast, \
         majority, share, quorum and org"
    )]
    UnknownRule {
        /// Counted from 1.
        at: usize,
        /// As written.
        name: String,
    },
    /// No such member.
    #[error("at character {at}: no member is called {slug:?}")]
    UnknownMember {
        /// Counted from 1.
        at: usize,
        /// As written.
        slug: String,
    },
    /// Too many parentheses.
    #[error("at character {at}: nested deeper than {DEPTH_MAX} levels")]
    TooDeep {
        /// Counted from 1.
        at: usize,
    },
}

/// Reads a rule; `members` are known by their short names.
///
/// # Errors
/// - [`BadRule`]: the first thing that is wrong, and where.
pub(super) fn read(text: &str, members: &BTreeMap<String, OrgId>) -> Result<Rule, BadRule> {
    let mut reader =
        Reader { tokens: tokens(text), next: 0, end: text.chars().count() + 1, members };
    let rule = reader.rule(0)?;
    match reader.peek() {
        None => Ok(rule),
        Some(_) => Err(reader.expected("the end")),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    at: usize,
    text: String,
}

/// Words (names and numbers), and single marks.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut in_word = false;
    for (at, char) in text.chars().enumerate() {
        let is_word = char.is_alphanumeric() || char == '-' || char == '_';
        match tokens.last_mut() {
            Some(last) if is_word && in_word => last.text.push(char),
            _ if char.is_whitespace() => {}
            _ => tokens.push(Token { at: at + 1, text: char.to_string() }),
        }
        in_word = is_word;
    }
    tokens
}

struct Reader<'a> {
    tokens: Vec<Token>,
    next: usize,
    /// The place after the last character.
    end: usize,
    members: &'a BTreeMap<String, OrgId>,
}

impl Reader<'_> {
    fn rule(&mut self, depth: usize) -> Result<Rule, BadRule> {
        let at = self.at();
        if depth == DEPTH_MAX {
            return Err(BadRule::TooDeep { at });
        }
        let name = self.word("a rule")?;
        self.mark("(")?;
        let rule = match name.as_str() {
            "all" => Rule::All(self.rules(depth)?),
            "any" => Rule::Any(self.rules(depth)?),
            "atleast" => {
                let needed = self.number()?;
                self.mark(",")?;
                Rule::AtLeast(needed, self.rules(depth)?)
            }
            "majority" => Rule::Majority(self.word("a class")?),
            "share" => Rule::Share(self.share()?),
            "quorum" => Rule::Quorum(self.quorum()?),
            "org" => Rule::Org(self.member()?),
            _ => return Err(BadRule::UnknownRule { at, name }),
        };
        self.mark(")")?;
        Ok(rule)
    }

    fn rules(&mut self, depth: usize) -> Result<Vec<Rule>, BadRule> {
        let mut rules = vec![self.rule(depth + 1)?];
        while self.is_next(",") {
            rules.push(self.rule(depth + 1)?);
        }
        Ok(rules)
    }

    fn share(&mut self) -> Result<Share, BadRule> {
        let numerator = self.number()?;
        self.mark("/")?;
        let denominator = self.number()?;
        if !self.is_next("of") {
            return Err(self.expected("\"of members\" or \"of cast\""));
        }
        let of = if self.is_next("members") {
            ShareOf::Members
        } else if self.is_next("cast") {
            ShareOf::Cast
        } else {
            return Err(self.expected("\"members\" or \"cast\""));
        };
        let scope =
            if self.is_next("in") { Scope::Class(self.word("a class")?) } else { Scope::Board };
        Ok(Share { scope, numerator, denominator, of })
    }

    fn quorum(&mut self) -> Result<Quorum, BadRule> {
        let least = self.number()?;
        let mut classes = Vec::new();
        while self.is_next(",") {
            let class = self.word("a class")?;
            classes.push((class, self.number()?));
        }
        classes.sort();
        Ok(Quorum { least, classes })
    }

    fn member(&mut self) -> Result<OrgId, BadRule> {
        let at = self.at();
        let slug = self.word("a member's short name")?;
        self.members.get(&slug).copied().ok_or(BadRule::UnknownMember { at, slug })
    }

    fn number(&mut self) -> Result<u64, BadRule> {
        let number = self.peek().and_then(|token| token.text.parse().ok());
        let number = number.ok_or_else(|| self.expected("a number"))?;
        self.next += 1;
        Ok(number)
    }

    fn word(&mut self, expected: &'static str) -> Result<String, BadRule> {
        let is_word = |token: &&Token| token.text.starts_with(|char: char| char.is_alphanumeric());
        let word = self.peek().filter(is_word).map(|token| token.text.clone());
        let word = word.ok_or_else(|| self.expected(expected))?;
        self.next += 1;
        Ok(word)
    }

    fn mark(&mut self, mark: &'static str) -> Result<(), BadRule> {
        if self.is_next(mark) { Ok(()) } else { Err(self.expected(mark)) }
    }

    /// Takes the next token if it is this one.
    fn is_next(&mut self, text: &str) -> bool {
        let is_it = self.peek().is_some_and(|token| token.text == text);
        self.next += usize::from(is_it);
        is_it
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn at(&self) -> usize {
        self.peek().map_or(self.end, |token| token.at)
    }

    fn expected(&self, expected: &'static str) -> BadRule {
        let found =
            self.peek().map_or_else(|| "the end".to_owned(), |token| format!("{:?}", token.text));
        BadRule::Expected { at: self.at(), expected, found }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members() -> BTreeMap<String, OrgId> {
        [("la-wigan".to_owned(), OrgId::from_bytes([1; 32]))].into()
    }

    fn share(scope: Scope, numerator: u64, denominator: u64, of: ShareOf) -> Rule {
        Rule::Share(Share { scope, numerator, denominator, of })
    }

    #[test]
    fn every_rule_can_be_written() {
        let text = "all(any(org(la-wigan), majority(council)), atleast(2, share(3/4 of cast),\n  \
                    share(2/3 of members), share(1/2 of members in ccg)), quorum(4, council 1, ccg 2))";
        let expected = Rule::All(vec![
            Rule::Any(vec![
                Rule::Org(OrgId::from_bytes([1; 32])),
                Rule::Majority("council".into()),
            ]),
            Rule::AtLeast(
                2,
                vec![
                    share(Scope::Board, 3, 4, ShareOf::Cast),
                    share(Scope::Board, 2, 3, ShareOf::Members),
                    share(Scope::Class("ccg".into()), 1, 2, ShareOf::Members),
                ],
            ),
            Rule::Quorum(Quorum {
                least: 4,
                classes: vec![("ccg".into(), 2), ("council".into(), 1)],
            }),
        ]);
        assert_eq!(read(text, &members()), Ok(expected));
        let tight = read("share( 2 / 3 of members )", &members());
        assert_eq!(tight, Ok(share(Scope::Board, 2, 3, ShareOf::Members)));
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        let error = |text: &str| read(text, &members()).unwrap_err().to_string();
        assert_eq!(error(""), "at character 1: expected a rule, found the end");
        assert_eq!(
            error("share(2/3)"),
            "at character 10: expected \"of members\" or \"of cast\", found \")\""
        );
        assert_eq!(
            error("share(2/3 of votes)"),
            "at character 14: expected \"members\" or \"cast\", found \"votes\""
        );
        assert_eq!(error("all()"), "at character 5: expected a rule, found \")\"");
        assert_eq!(error("majority(council"), "at character 17: expected ), found the end");
        assert_eq!(
            error("org(la-wigan) or org(la-bury)"),
            "at character 15: expected the end, found \"or\""
        );
        assert_eq!(error("any(org(la-bury))"), "at character 9: no member is called \"la-bury\"");
        assert_eq!(error("quorum(four)"), "at character 8: expected a number, found \"four\"");
        assert_eq!(
            error("most(council)"),
            "at character 1: there is no rule called \"most\"; the rules are all, any, atleast, \
             majority, share, quorum and org"
        );
        assert_eq!(error(&"all(".repeat(20)), "at character 65: nested deeper than 16 levels");
    }
}
