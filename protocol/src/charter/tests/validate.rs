//! One unsound charter for each error, and the exclusivity of accepted rules by brute force.

use alloc::{vec, vec::Vec};

use proptest::prelude::*;

use super::fixture::{
    feed_key, joint_decision, member, members_share, mini_board, org, witness_key,
};
use crate::{
    charter::{tests::rule::any_share, *},
    hash::EntryId,
    identity::{Signer, recovery_digest},
    time::TimeMs,
};

fn check(change: impl FnOnce(&mut Charter)) -> Result<(), Unsound> {
    let mut charter = mini_board();
    change(&mut charter);
    charter.check()
}

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

const STRANGER: u8 = 9;

#[test]
fn the_small_board_is_sound() {
    assert_eq!(mini_board().check(), Ok(()));
}

#[test]
fn members_are_distinct_known_by_class_and_cut_off_when_they_leave() {
    assert_eq!(
        check(|c| c.members[1].org = org(1)),
        Err(Unsound::OrgTwice { first: slug("la-bury"), second: slug("la-wigan") })
    );
    assert_eq!(
        check(|c| c.members[1].slug = slug("la-bury")),
        Err(Unsound::SlugTwice { slug: slug("la-bury") })
    );
    assert_eq!(
        check(|c| c.members[1].class = "trust".into()),
        Err(Unsound::MemberClass { slug: slug("la-wigan"), class: "trust".into() })
    );
    assert_eq!(
        check(|c| c.members.iter_mut().for_each(|m| m.status = Status::Observer)),
        Err(Unsound::NoActiveMember)
    );
    for status in [Status::Suspended, Status::Removed] {
        assert_eq!(
            check(|c| c.members[1].status = status),
            Err(Unsound::NoCutoff { slug: slug("la-wigan"), status })
        );
        let cutoff = Some(Cutoff { epoch: 0, seq: 7, entry: EntryId::NONE });
        assert_eq!(
            check(|c| {
                c.members[1].status = status;
                c.members[1].cutoff = cutoff;
            }),
            Ok(())
        );
    }
}

#[test]
fn no_key_has_two_uses() {
    let twice = |first_use, second, second_use| {
        Err(Unsound::KeyTwice { first: slug("la-bury"), first_use, second, second_use })
    };
    let wigan = || slug("la-wigan");
    let feed = feed_key(1).public();
    assert_eq!(check(|c| c.members[1].feed_key = feed), twice(KeyUse::Feed, wigan(), KeyUse::Feed));
    assert_eq!(
        check(|c| c.members[1].witness_key = feed),
        twice(KeyUse::Feed, wigan(), KeyUse::Witness)
    );
    assert_eq!(
        check(|c| c.members[0].witness_key = feed),
        twice(KeyUse::Feed, slug("la-bury"), KeyUse::Witness)
    );
    assert_eq!(
        check(|c| c.members[1].recovery_digest = recovery_digest(&witness_key(1).public())),
        twice(KeyUse::Witness, wigan(), KeyUse::Recovery)
    );
}

#[test]
fn lists_name_everything_once() {
    let twice = |list, name: &str| Err(Unsound::ListedTwice { list, name: name.into() });
    assert_eq!(check(|c| c.classes.push("ccg".into())), twice("classes", "ccg"));
    assert_eq!(check(|c| c.localities.push(c.localities[0].clone())), twice("localities", "bury"));
    assert_eq!(check(|c| c.sites.push(c.sites[0].clone())), twice("sites", "fairfield"));
    assert_eq!(check(|c| c.kinds.push(c.kinds[0].clone())), twice("kinds", "decision"));
    assert_eq!(check(|c| c.rules.push(c.rules[0].clone())), twice("rules", "joint decision"));
    assert_eq!(
        check(|c| c.retention.push(c.retention[0].clone())),
        twice("retention classes", "decision_6y")
    );
    assert_eq!(
        check(|c| c.closers = vec![org(5), org(5)]),
        Err(Unsound::ListedTwice { list: "closers", name: alloc::format!("{}", org(5)) })
    );
}

#[test]
fn whoever_a_list_names_is_a_member() {
    let stranger = |list| Err(Unsound::NotAMember { list, org: org(STRANGER) });
    assert_eq!(check(|c| c.localities[0].orgs.push(org(STRANGER))), stranger("localities"));
    assert_eq!(check(|c| c.sites[0].org = org(STRANGER)), stranger("sites"));
    assert_eq!(check(|c| c.leads[0].org = org(STRANGER)), stranger("leads"));
    assert_eq!(check(|c| c.secretariat.push(org(STRANGER))), stranger("secretariat"));
    assert_eq!(check(|c| c.closers.push(org(STRANGER))), stranger("closers"));
    let succession = |closed, successor| Succession { closed, successor, at: TimeMs(1) };
    assert_eq!(
        check(|c| c.succession.push(succession(org(1), org(STRANGER)))),
        stranger("succession")
    );
    assert_eq!(
        check(|c| c.succession.push(succession(org(1), org(1)))),
        Err(Unsound::OwnSuccessor { slug: slug("la-bury") })
    );
    assert_eq!(
        check(|c| c.leads[0].to = Some(TimeMs(0))),
        Err(Unsound::LeadEndsEarly { slug: slug("ccg-trafford"), service: "cancer".into() })
    );
}

#[test]
fn kinds_have_a_version_and_somebody_who_writes_them() {
    let kind = || "decision".into();
    let named = |classes, orgs| Who::Named { classes, orgs };
    assert_eq!(
        check(|c| c.kinds[0].schema_version = 0),
        Err(Unsound::NoSchemaVersion { kind: kind() })
    );
    assert_eq!(
        check(|c| c.kinds[0].creates = named(vec!["trust".into()], vec![])),
        Err(Unsound::KindClass { kind: kind(), class: "trust".into() })
    );
    assert_eq!(
        check(|c| c.kinds[0].edits = named(vec![], vec![org(STRANGER)])),
        Err(Unsound::NotAMember { list: "kinds", org: org(STRANGER) })
    );
    for who in [named(vec![], vec![]), named(vec![], vec![org(6)])] {
        assert_eq!(
            check(|c| c.kinds[0].creates = who),
            Err(Unsound::NobodyWrites { kind: kind() })
        );
    }
}

#[test]
fn rules_have_free_names_and_can_be_satisfied() {
    let named = |rule| NamedRule { name: "minutes".into(), rule };
    let rule = || "minutes".into();
    assert_eq!(
        check(|c| c.rules[0].name = "admit".into()),
        Err(Unsound::RuleNameTaken { name: "admit".into() })
    );
    assert_eq!(
        check(|c| c
            .rules
            .push(named(Rule::Any(vec![joint_decision(), Rule::Majority("trust".into())])))),
        Err(Unsound::RuleClass { rule: rule(), class: "trust".into() })
    );
    for number in [6, STRANGER] {
        assert_eq!(
            check(|c| c.rules.push(named(Rule::Org(org(number))))),
            Err(Unsound::RuleOrg { rule: rule(), org: org(number) })
        );
    }
    let quorum = Rule::Quorum(Quorum { least: 6, classes: vec![] });
    assert_eq!(check(|c| c.rules.push(named(quorum))), Err(Unsound::NeverHolds { rule: rule() }));
}

#[test]
fn rules_about_the_charter_are_refused_with_the_reason_when_two_charters_could_pass() {
    let class_share = |class: &str, numerator, denominator| {
        Rule::Share(Share {
            scope: Scope::Class(class.into()),
            numerator,
            denominator,
            of: ShareOf::Members,
        })
    };
    let cast =
        Rule::Share(Share { scope: Scope::Board, numerator: 3, denominator: 4, of: ShareOf::Cast });
    for (rule, part) in [
        (Rule::Majority("ccg".into()), RuleOp::Majority),
        (Rule::AtLeast(1, vec![members_share(2, 3)]), RuleOp::AtLeast),
        (Rule::All(vec![members_share(2, 3), cast]), RuleOp::Share),
        (Rule::Any(vec![Rule::Quorum(Quorum { least: 1, classes: vec![] })]), RuleOp::Quorum),
    ] {
        assert_eq!(check(|c| c.suspend = rule), Err(Unsound::UnfitPart { rule: "suspend", part }));
    }
    for rule in [
        members_share(1, 2),
        class_share("ccg", 1, 2),
        Rule::Any(vec![members_share(2, 3), Rule::Org(org(1))]),
        Rule::All(vec![Rule::Any(vec![members_share(2, 3)]), members_share(1, 2)]),
    ] {
        assert_eq!(check(|c| c.amend = rule), Err(Unsound::NotExclusive { rule: "amend" }));
    }
    for rule in [
        members_share(51, 100),
        Rule::Org(org(1)),
        Rule::All(vec![
            class_share("ccg", 2, 3),
            Rule::Any(vec![Rule::Org(org(1)), Rule::Org(org(2))]),
        ]),
        Rule::All(vec![Rule::All(vec![Rule::Org(org(1))]), members_share(1, 2)]),
    ] {
        assert_eq!(check(|c| c.amend = rule), Ok(()));
    }
    let reason = Unsound::NotExclusive { rule: "amend" };
    assert!(
        alloc::format!("{reason}").contains("nobody in common could both satisfy the rule amend")
    );
}

/// A board of so many councils, CCGs and offices.
fn board(sizes: [usize; 3]) -> Charter {
    let classes = ["council", "ccg", "office"];
    let seats = classes.into_iter().zip(sizes);
    let seats = seats.flat_map(|(class, size)| core::iter::repeat_n(class, size));
    let members = (1u8..).zip(seats);
    let members = members.map(|(number, class)| {
        member(number, &alloc::format!("m-{number}"), class, Status::Active)
    });
    Charter {
        members: members.collect(),
        localities: vec![],
        sites: vec![],
        leads: vec![],
        kinds: vec![],
        rules: vec![],
        secretariat: vec![],
        closers: vec![],
        ..mini_board()
    }
}

/// Whether exactly these members approving, all others absent, satisfies the rule.
fn satisfies(charter: &Charter, rule: &Rule, approving: u32) -> bool {
    let mut ballot = Ballot::new(charter);
    for (bit, member) in charter.members.iter().enumerate() {
        if approving & (1 << bit) != 0 {
            assert!(ballot.settle(&member.org, Answer::Approve));
        }
    }
    ballot.close();
    ballot.evaluate(rule).outcome == Outcome::True
}

fn any_charter_rule() -> impl Strategy<Value = Rule> {
    let leaf = prop_oneof![
        3 => any_share(Just(ShareOf::Members)),
        1 => (1u8..=4).prop_map(|number| Rule::Org(org(number))),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let list = || proptest::collection::vec(inner.clone(), 1..3);
        prop_oneof![list().prop_map(Rule::All), list().prop_map(Rule::Any)]
    })
}

proptest! {
    #[test]
    fn no_two_disjoint_sets_satisfy_an_accepted_rule(
        rule in any_charter_rule(),
        sizes in [1usize..=3, 1usize..=2, 1usize..=2],
    ) {
        let mut charter = board(sizes);
        charter.amend = rule;
        charter.admit = members_share(2, 3);
        charter.suspend = members_share(2, 3);
        let accepted = charter.check().is_ok();
        let all = (1u32 << charter.members.len()) - 1;
        let sets = (0..=all).filter(|set| accepted && satisfies(&charter, &charter.amend, *set));
        let passing: Vec<u32> = sets.collect();
        prop_assert_eq!(passing.contains(&all), accepted);
        for one in &passing {
            for other in &passing {
                prop_assert!(one & other != 0, "{one:b} and {other:b}");
            }
        }
    }
}

#[test]
fn the_brute_force_finds_two_sets_where_a_rule_is_not_exclusive() {
    let charter = board([2, 2, 1]);
    let half_and_half = Rule::Share(Share {
        scope: Scope::Class("council".into()),
        numerator: 1,
        denominator: 2,
        of: ShareOf::Members,
    });
    assert!(satisfies(&charter, &half_and_half, 0b01));
    assert!(satisfies(&charter, &half_and_half, 0b10));
}
