//! Rules on the wire: each operator, each bound; and strategies that make any rule.

use alloc::{vec, vec::Vec};

use proptest::prelude::*;

use crate::{
    charter::*,
    codec::Malformed,
    hash::OrgId,
    identity::OrgClass,
    limits::{RULE_DEPTH_MAX, RULE_PARTS_MAX},
    value::Value,
};

fn read(items: Vec<Value>) -> Result<Rule, Malformed> {
    Rule::from_value(&Value::List(items))
}

fn u(number: u64) -> Value {
    Value::Uint(number)
}

fn t(text: &str) -> Value {
    Value::Text(text.into())
}

fn any_class() -> impl Strategy<Value = OrgClass> {
    proptest::sample::select(vec!["ccg", "council", "office"]).prop_map(Into::into)
}

fn any_scope() -> impl Strategy<Value = Scope> {
    prop_oneof![Just(Scope::Board), any_class().prop_map(Scope::Class),]
}

/// Shares of the board or of a class, with small fractions.
pub(crate) fn any_share(of: impl Strategy<Value = ShareOf>) -> impl Strategy<Value = Rule> {
    (any_scope(), 1u64..=4, 0u64..=3, of).prop_map(|(scope, numerator, more, of)| {
        let denominator = numerator.saturating_add(more);
        Rule::Share(Share { scope, numerator, denominator, of })
    })
}

/// Any rule that names the classes `ccg`, `council` and `office`, and these organisations.
pub(crate) fn any_rule(orgs: Vec<OrgId>) -> impl Strategy<Value = Rule> {
    any_leaf(orgs).prop_recursive(3, 24, 4, |inner| {
        let list = || proptest::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            list().prop_map(Rule::All),
            list().prop_map(Rule::Any),
            (list(), any::<proptest::sample::Index>()).prop_map(|(rules, needed)| {
                Rule::AtLeast(needed.index(rules.len()) as u64 + 1, rules)
            }),
        ]
    })
}

/// Any rule without parts.
pub(crate) fn any_leaf(orgs: Vec<OrgId>) -> impl Strategy<Value = Rule> {
    let minima = proptest::collection::btree_map(any_class(), 1u64..=3, 0..3);
    prop_oneof![
        any_class().prop_map(Rule::Majority),
        any_share(prop_oneof![Just(ShareOf::Cast), Just(ShareOf::Members)]),
        (1u64..=5, minima).prop_map(|(least, classes)| {
            let classes = classes.into_iter().collect();
            Rule::Quorum(Quorum { least, classes })
        }),
        proptest::sample::select(orgs).prop_map(Rule::Org),
    ]
}

#[test]
fn each_operator_has_its_number_and_shape() {
    let org = OrgId::from_bytes([7; 32]);
    let share = |scope, of| Share { scope, numerator: 3, denominator: 4, of };
    let table = [
        (
            vec![u(0), Value::List(vec![Value::List(vec![u(3), t("ccg")])])],
            Rule::All(vec![Rule::Majority("ccg".into())]),
        ),
        (
            vec![u(1), Value::List(vec![Value::List(vec![u(3), t("ccg")])])],
            Rule::Any(vec![Rule::Majority("ccg".into())]),
        ),
        (
            vec![u(2), u(1), Value::List(vec![Value::List(vec![u(3), t("ccg")])])],
            Rule::AtLeast(1, vec![Rule::Majority("ccg".into())]),
        ),
        (
            vec![u(4), Value::List(vec![]), u(3), u(4), u(0)],
            Rule::Share(share(Scope::Board, ShareOf::Cast)),
        ),
        (
            vec![u(4), Value::List(vec![t("ccg")]), u(3), u(4), u(1)],
            Rule::Share(share(Scope::Class("ccg".into()), ShareOf::Members)),
        ),
        (
            vec![u(5), u(4), Value::List(vec![Value::List(vec![t("ccg"), u(1)])])],
            Rule::Quorum(Quorum { least: 4, classes: vec![("ccg".into(), 1)] }),
        ),
        (vec![u(6), Value::Bytes(vec![7; 32])], Rule::Org(org)),
    ];
    for (items, rule) in table {
        assert_eq!(rule.to_value(), Value::List(items.clone()));
        assert_eq!(read(items), Ok(rule));
    }
}

#[test]
fn numbers_outside_their_range_are_refused_with_the_number() {
    let range = |what, value| Err(Malformed::Range { what, value });
    let leaf = || Value::List(vec![u(3), t("ccg")]);
    assert_eq!(read(vec![u(7), t("ccg")]), range("rule operator", 7));
    for needed in [0, 2] {
        assert_eq!(
            read(vec![u(2), u(needed), Value::List(vec![leaf()])]),
            range("rule atleast", needed)
        );
    }
    let share = |n, d, of| read(vec![u(4), Value::List(vec![]), u(n), u(d), u(of)]);
    assert_eq!(share(0, 4, 0), range("share numerator", 0));
    assert_eq!(share(5, 4, 0), range("share numerator", 5));
    assert_eq!(share(1, 1001, 0), range("share denominator", 1001));
    assert_eq!(share(1, 1, 2), range("share of", 2));
    assert_eq!(read(vec![u(5), u(0), Value::List(vec![])]), range("quorum", 0));
    assert_eq!(read(vec![u(5), u(1001), Value::List(vec![])]), range("quorum", 1001));
}

#[test]
fn shapes_that_no_operator_has_are_refused() {
    for items in [
        vec![],
        vec![t("all")],
        vec![u(3)],
        vec![u(3), u(3)],
        vec![u(6), Value::Bytes(vec![7; 31])],
        vec![u(4), Value::List(vec![t("a"), t("b")]), u(1), u(1), u(0)],
        vec![u(5), u(1), Value::List(vec![t("ccg")])],
    ] {
        assert_eq!(read(items), Err(Malformed::Shape { what: "rule" }));
    }
    let pair = |class| Value::List(vec![t(class), u(1)]);
    assert_eq!(
        read(vec![u(5), u(1), Value::List(vec![pair("b"), pair("a")])]),
        Err(Malformed::NotAscending { what: "quorum classes" })
    );
}

#[test]
fn a_rule_that_is_empty_too_deep_or_too_large_is_refused() {
    let count = |what, count, max| Err(Malformed::Count { what, count, min: 1, max });
    assert_eq!(read(vec![u(0), Value::List(vec![])]), count("rule list", 0, RULE_PARTS_MAX));
    let nested = |levels: usize| {
        let leaf = Rule::Majority("ccg".into());
        (1..levels).fold(leaf, |rule, _| Rule::All(vec![rule])).to_value()
    };
    assert!(Rule::from_value(&nested(RULE_DEPTH_MAX)).is_ok());
    assert_eq!(
        Rule::from_value(&nested(RULE_DEPTH_MAX + 1)),
        count("rule levels", RULE_DEPTH_MAX + 1, RULE_DEPTH_MAX)
    );
    let wide = |parts: usize| Rule::Any(vec![Rule::Majority("ccg".into()); parts]).to_value();
    assert!(Rule::from_value(&wide(RULE_PARTS_MAX - 1)).is_ok());
    assert_eq!(
        Rule::from_value(&wide(RULE_PARTS_MAX)),
        count("rule parts", RULE_PARTS_MAX + 1, RULE_PARTS_MAX)
    );
}

proptest! {
    #[test]
    fn any_rule_comes_back_from_its_value(rule in any_rule(vec![OrgId::from_bytes([7; 32])])) {
        prop_assert_eq!(Rule::from_value(&rule.to_value()), Ok(rule));
    }
}
