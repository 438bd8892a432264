//! Rules: what has to hold of a board's answers for something to be carried or adopted.
//!
//! ```text
//! R = [0, [R…]]               all of them
//!     [1, [R…]]               any of them
//!     [2, k, [R…]]            at least k of them                          1 ≤ k ≤ count
//!     [3, class]              majority: in the class, more approve than reject
//!     [4, scope, n, d, of]    share: approvals are at least n/d of …      1 ≤ n ≤ d ≤ 1000
//!                               scope  [] the whole board, [class] that class
//!                               of     0 the approvals and rejections cast, 1 all voting members
//!     [5, n, [[class, n]…]]   quorum: n answer, and of each class as many as it says
//!     [6, org bstr32]         that organisation approves
//! ```
//!
//! Every rule is monotone: one more approval never turns it from true to false. A rule tests only
//! the classes that it names.
//!
//! Source: ours, `SPEC.md` section "Charter and decisions".

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use crate::{
    codec::{self, Malformed},
    hash::OrgId,
    identity::OrgClass,
    limits::{MEMBERS_MAX, RULE_DEPTH_MAX, RULE_PARTS_MAX, SHARE_PARTS_MAX},
    value::{Value, expect_name},
};

/// What has to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Every part holds.
    All(Vec<Self>),
    /// At least one part holds.
    Any(Vec<Self>),
    /// At least so many of the parts hold.
    AtLeast(u64, Vec<Self>),
    /// More members of the class approve than reject.
    Majority(OrgClass),
    /// Enough of the board or of a class approve.
    Share(Share),
    /// Enough members answer, whatever they answer.
    Quorum(Quorum),
    /// The organisation approves.
    Org(OrgId),
}

/// Approvals are at least `numerator / denominator` of what they are measured against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Whose approvals.
    pub scope: Scope,
    /// The upper part of the fraction.
    pub numerator: u64,
    /// The lower part of the fraction.
    pub denominator: u64,
    /// What they are measured against.
    pub of: ShareOf,
}

/// Among whom something is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All voting members.
    Board,
    /// The voting members of one class.
    Class(OrgClass),
}

/// What a share is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareOf {
    /// The approvals and rejections cast; with none cast the share does not hold.
    Cast,
    /// All voting members in the scope, whether they answer or not.
    Members,
}

/// How many must answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// Of the whole board.
    pub least: u64,
    /// Of single classes, ascending by class.
    pub classes: Vec<(OrgClass, u64)>,
}

/// The operators, as they stand on the wire and as people name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleOp {
    /// `all`.
    All = 0,
    /// `any`.
    Any = 1,
    /// `atleast`.
    AtLeast = 2,
    /// `majority`.
    Majority = 3,
    /// `share … of members` or `share … of cast`.
    Share = 4,
    /// `quorum`.
    Quorum = 5,
    /// `org`.
    Org = 6,
}

impl RuleOp {
    const ALL: [Self; 7] =
        [Self::All, Self::Any, Self::AtLeast, Self::Majority, Self::Share, Self::Quorum, Self::Org];

    fn from_number(number: u64) -> Result<Self, Malformed> {
        let known = Self::ALL.into_iter().find(|op| *op as u64 == number);
        known.ok_or(Malformed::Range { what: "rule operator", value: number })
    }
}

impl fmt::Display for RuleOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Any => "any",
            Self::AtLeast => "atleast",
            Self::Majority => "majority",
            Self::Share => "share",
            Self::Quorum => "quorum",
            Self::Org => "org",
        })
    }
}

const SHAPE: Malformed = Malformed::Shape { what: "rule" };

impl Rule {
    /// The operator of the outermost part.
    #[must_use]
    pub const fn op(&self) -> RuleOp {
        match self {
            Self::All(_) => RuleOp::All,
            Self::Any(_) => RuleOp::Any,
            Self::AtLeast(..) => RuleOp::AtLeast,
            Self::Majority(_) => RuleOp::Majority,
            Self::Share(_) => RuleOp::Share,
            Self::Quorum(_) => RuleOp::Quorum,
            Self::Org(_) => RuleOp::Org,
        }
    }

    /// The parts directly below this one.
    #[must_use]
    pub fn below(&self) -> &[Self] {
        match self {
            Self::All(rules) | Self::Any(rules) | Self::AtLeast(_, rules) => rules,
            Self::Majority(_) | Self::Share(_) | Self::Quorum(_) | Self::Org(_) => &[],
        }
    }

    /// This part and all below it, each before what is below it.
    #[must_use]
    pub fn parts(&self) -> Vec<&Self> {
        let mut parts = Vec::from([self]);
        parts.extend(self.below().iter().flat_map(Self::parts));
        parts
    }

    /// The classes that the outermost part itself names.
    #[must_use]
    pub fn classes(&self) -> Vec<&OrgClass> {
        match self {
            Self::Majority(class) => Vec::from([class]),
            Self::Share(share) => share.scope.class().into_iter().collect(),
            Self::Quorum(quorum) => quorum.classes.iter().map(|(class, _)| class).collect(),
            Self::All(_) | Self::Any(_) | Self::AtLeast(..) | Self::Org(_) => Vec::new(),
        }
    }

    pub(super) fn to_value(&self) -> Value {
        let op = Value::Uint(self.op() as u64);
        let list = |rules: &[Self]| Value::List(rules.iter().map(Self::to_value).collect());
        Value::List(match self {
            Self::All(rules) | Self::Any(rules) => Vec::from([op, list(rules)]),
            Self::AtLeast(needed, rules) => Vec::from([op, Value::Uint(*needed), list(rules)]),
            Self::Majority(class) => Vec::from([op, Value::Text(class.clone())]),
            Self::Share(share) => Vec::from([
                op,
                Value::List(share.scope.class().map(text).into_iter().collect()),
                Value::Uint(share.numerator),
                Value::Uint(share.denominator),
                Value::Uint(share.of as u64),
            ]),
            Self::Quorum(Quorum { least, classes }) => {
                let class = |(class, least): &(OrgClass, u64)| {
                    Value::List(Vec::from([text(class), Value::Uint(*least)]))
                };
                let classes = classes.iter().map(class).collect();
                Vec::from([op, Value::Uint(*least), Value::List(classes)])
            }
            Self::Org(org) => Vec::from([op, Value::Bytes(org.as_bytes().into())]),
        })
    }

    /// Reads a rule and checks its bounds.
    pub(super) fn from_value(value: &Value) -> Result<Self, Malformed> {
        let rule = Self::read(value, 1)?;
        codec::expect_count("rule parts", rule.parts().len(), 1, RULE_PARTS_MAX)?;
        Ok(rule)
    }

    fn read(value: &Value, depth: usize) -> Result<Self, Malformed> {
        codec::expect_count("rule levels", depth, 1, RULE_DEPTH_MAX)?;
        let Value::List(items) = value else {
            return Err(SHAPE);
        };
        let Some((Value::Uint(op), rest)) = items.split_first() else {
            return Err(SHAPE);
        };
        let list = |rules: &[Value]| -> Result<Vec<Self>, Malformed> {
            codec::expect_count("rule list", rules.len(), 1, RULE_PARTS_MAX)?;
            let below = depth.saturating_add(1);
            rules.iter().map(|rule| Self::read(rule, below)).collect()
        };
        match (RuleOp::from_number(*op)?, rest) {
            (RuleOp::All, [Value::List(rules)]) => Ok(Self::All(list(rules)?)),
            (RuleOp::Any, [Value::List(rules)]) => Ok(Self::Any(list(rules)?)),
            (RuleOp::AtLeast, [Value::Uint(needed), Value::List(rules)]) => {
                expect_between("rule atleast", *needed, 1, rules.len() as u64)?;
                Ok(Self::AtLeast(*needed, list(rules)?))
            }
            (RuleOp::Majority, [Value::Text(class)]) => {
                expect_name("rule class", class)?;
                Ok(Self::Majority(class.clone()))
            }
            (RuleOp::Share, [scope, Value::Uint(n), Value::Uint(d), Value::Uint(of)]) => {
                Ok(Self::Share(Share::read(scope, *n, *d, *of)?))
            }
            (RuleOp::Quorum, [Value::Uint(least), Value::List(classes)]) => {
                Ok(Self::Quorum(Quorum::read(*least, classes)?))
            }
            (RuleOp::Org, [Value::Bytes(bytes)]) => {
                let bytes = bytes.as_slice().try_into().map_err(|_| SHAPE)?;
                Ok(Self::Org(OrgId::from_bytes(bytes)))
            }
            _ => Err(SHAPE),
        }
    }
}

impl Share {
    fn read(scope: &Value, n: u64, d: u64, of: u64) -> Result<Self, Malformed> {
        let Value::List(class) = scope else {
            return Err(SHAPE);
        };
        let scope = match class.as_slice() {
            [] => Scope::Board,
            [Value::Text(class)] => {
                expect_name("rule class", class)?;
                Scope::Class(class.clone())
            }
            _ => return Err(SHAPE),
        };
        expect_between("share denominator", d, 1, SHARE_PARTS_MAX)?;
        expect_between("share numerator", n, 1, d)?;
        expect_between("share of", of, 0, 1)?;
        Ok(Self {
            scope,
            numerator: n,
            denominator: d,
            of: if of == ShareOf::Cast as u64 { ShareOf::Cast } else { ShareOf::Members },
        })
    }
}

impl Scope {
    /// The class, if this is one.
    #[must_use]
    pub const fn class(&self) -> Option<&OrgClass> {
        match self {
            Self::Board => None,
            Self::Class(class) => Some(class),
        }
    }

    /// Whether members of the class are counted.
    #[must_use]
    pub fn includes(&self, class: &str) -> bool {
        self.class().is_none_or(|named| named == class)
    }
}

impl Quorum {
    fn read(least: u64, classes: &[Value]) -> Result<Self, Malformed> {
        let max = MEMBERS_MAX as u64;
        expect_between("quorum", least, 1, max)?;
        codec::expect_count("quorum classes", classes.len(), 0, RULE_PARTS_MAX)?;
        let mut list = Vec::new();
        for item in classes {
            let Value::List(pair) = item else {
                return Err(SHAPE);
            };
            let [Value::Text(class), Value::Uint(least)] = pair.as_slice() else {
                return Err(SHAPE);
            };
            expect_name("rule class", class)?;
            expect_between("quorum of a class", *least, 1, max)?;
            list.push((class.clone(), *least));
        }
        let names: Vec<_> = list.iter().map(|(class, _)| class).collect();
        codec::expect_ascending("quorum classes", &names)?;
        Ok(Self { least, classes: list })
    }
}

fn text(class: &OrgClass) -> Value {
    Value::Text(class.to_string())
}

const fn expect_between(
    what: &'static str,
    value: u64,
    least: u64,
    most: u64,
) -> Result<(), Malformed> {
    if value < least || value > most { Err(Malformed::Range { what, value }) } else { Ok(()) }
}

/// A rule under the name by which proposals ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRule {
    /// The name, for example `joint decision`.
    pub name: String,
    /// What has to hold.
    pub rule: Rule,
}
