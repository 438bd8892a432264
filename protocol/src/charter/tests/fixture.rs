//! Charters for tests: a small joint commissioning board, and any charter at all.

use alloc::{collections::BTreeMap, format, string::String, vec, vec::Vec};

use proptest::{collection::btree_map, prelude::*};

use crate::{
    charter::{tests::rule::any_rule, *},
    codec::Fixed,
    hash::{BoardId, CharterHash, EntryId, OrgId},
    identity::{Code, KeyPair, Signer, recovery_digest},
    limits::{SEQ_MAX, SILENCE_DAYS_MAX, TIME_MS_MAX},
    time::TimeMs,
};

/// The organisation that [`mini_board`] lists in this place.
pub(crate) fn org(number: u8) -> OrgId {
    OrgId::from_bytes([number; 32])
}

/// The feed key of an organisation.
pub(crate) fn feed_key(number: u8) -> KeyPair {
    KeyPair::from_seed(&[number; 32])
}

/// The recovery key of an organisation.
pub(crate) fn recovery_key(number: u8) -> KeyPair {
    KeyPair::from_seed(&[number.wrapping_add(200); 32])
}

/// The witness key of an organisation.
pub(crate) fn witness_key(number: u8) -> KeyPair {
    KeyPair::from_seed(&[number.wrapping_add(100); 32])
}

/// A member with its own keys.
pub(crate) fn member(number: u8, slug: &str, class: &str, status: Status) -> Member {
    Member {
        org: org(number),
        slug: slug.parse().unwrap(),
        names: vec![DatedName { from: TimeMs(0), name: format!("The organisation {slug}") }],
        codes: vec![],
        class: class.into(),
        status,
        feed_key: feed_key(number).public(),
        witness_key: witness_key(number).public(),
        recovery_digest: recovery_digest(&recovery_key(number).public()),
        cutoff: None,
    }
}

/// The rule of the small board: present, three quarters of the votes cast, and both sides for it.
pub(crate) fn joint_decision() -> Rule {
    Rule::All(vec![
        Rule::Quorum(Quorum { least: 4, classes: vec![("ccg".into(), 1), ("council".into(), 1)] }),
        Rule::Share(Share { scope: Scope::Board, numerator: 3, denominator: 4, of: ShareOf::Cast }),
        Rule::Majority("council".into()),
        Rule::Majority("ccg".into()),
    ])
}

/// A share of all members.
pub(crate) fn members_share(numerator: u64, denominator: u64) -> Rule {
    Rule::Share(Share { scope: Scope::Board, numerator, denominator, of: ShareOf::Members })
}

/// Two councils, two CCGs, the partnership office, and an observer.
pub(crate) fn mini_board() -> Charter {
    Charter {
        version: 0,
        prev: Charter::NO_PREV,
        nonce: Fixed([9; 16]),
        title: "Small joint commissioning board".into(),
        replaces_board: None,
        rules_version: 1,
        members: vec![
            member(1, "la-bury", "council", Status::Active),
            member(2, "la-wigan", "council", Status::Active),
            member(3, "ccg-bury", "ccg", Status::Active),
            member(4, "ccg-trafford", "ccg", Status::Active),
            member(5, "gmhscp", "office", Status::Active),
            member(6, "nhsi-gm", "office", Status::Observer),
        ],
        classes: vec!["ccg".into(), "council".into(), "office".into()],
        localities: vec![Locality { name: "bury".into(), orgs: vec![org(1), org(3)] }],
        sites: vec![Site { code: "fairfield".into(), name: "Fairfield".into(), org: org(3) }],
        leads: vec![Lead {
            service: "cancer".into(),
            org: org(4),
            from: TimeMs(0),
            to: None,
            limit_pence: 50_000_000,
        }],
        kinds: vec![KindTerms {
            kind: "decision".into(),
            schema_version: 1,
            creates: Who::Everyone,
            edits: Who::Named { classes: vec!["council".into()], orgs: vec![org(5)] },
        }],
        rules: vec![NamedRule { name: "joint decision".into(), rule: joint_decision() }],
        amend: members_share(2, 3),
        admit: members_share(2, 3),
        suspend: members_share(3, 4),
        secretariat: vec![org(5), org(1)],
        closers: vec![org(5), org(2)],
        succession: vec![],
        silence_days: 14,
        retention: vec![Retention { class: "decision_6y".into(), days: 2_192 }],
    }
}

/// What every key of every organisation says to a charter.
pub(crate) fn accept_all(charter: &Charter) -> Vec<Acceptance> {
    let hash = charter.hash();
    let both = |number: u8| {
        let keys =
            [(AcceptRole::Feed, feed_key(number)), (AcceptRole::Witness, witness_key(number))];
        keys.map(|(role, key)| Acceptance::sign(hash, org(number), role, &key))
    };
    (1..=6).flat_map(both).collect()
}

/// The small board, founded.
pub(crate) fn founding() -> Founding {
    let charter = mini_board();
    Founding::new(&charter, &accept_all(&charter)).unwrap()
}

fn any_time() -> impl Strategy<Value = TimeMs> {
    (0..=TIME_MS_MAX).prop_map(TimeMs)
}

fn any_name() -> impl Strategy<Value = String> {
    "\\PC{1,12}"
}

fn any_org() -> impl Strategy<Value = OrgId> {
    any::<[u8; 32]>().prop_map(OrgId::from_bytes)
}

fn orgs() -> impl Strategy<Value = Vec<OrgId>> {
    proptest::collection::vec(any_org(), 0..3)
}

fn some_orgs() -> impl Strategy<Value = Vec<OrgId>> {
    let set = proptest::collection::btree_set(any_org(), 0..3);
    set.prop_map(|orgs| orgs.into_iter().collect())
}

fn any_who() -> impl Strategy<Value = Who> {
    let classes = proptest::collection::btree_set(any_name(), 0..3);
    let named = (classes, some_orgs())
        .prop_map(|(classes, orgs)| Who::Named { classes: classes.into_iter().collect(), orgs });
    prop_oneof![Just(Who::Everyone), named]
}

fn any_member() -> impl Strategy<Value = (OrgId, Member)> {
    let status = proptest::sample::select(vec![
        Status::Active,
        Status::Observer,
        Status::Suspended,
        Status::Removed,
    ]);
    let cutoff = (0..=SEQ_MAX, 0..=SEQ_MAX, any::<[u8; 32]>()).prop_map(|(epoch, seq, entry)| {
        let entry = EntryId::from_bytes(entry);
        Cutoff { epoch, seq, entry }
    });
    let names = btree_map(any_time(), any_name(), 1..3);
    let codes = btree_map(any_name(), any_name(), 0..3);
    (
        any_org(),
        any::<u8>(),
        "[a-z0-9-]{1,32}",
        (names, codes, any_name()),
        status,
        proptest::option::of(cutoff),
    )
        .prop_map(|(org, seed, slug, (names, codes, class), status, cutoff)| {
            let names = names.into_iter();
            let codes = codes.into_iter();
            let member = Member {
                org,
                names: names.map(|(from, name)| DatedName { from, name }).collect(),
                codes: codes.map(|(scheme, code)| Code(scheme, code)).collect(),
                cutoff,
                ..member(seed, &slug, &class, status)
            };
            (org, member)
        })
}

fn any_places() -> impl Strategy<Value = (Vec<Locality>, Vec<Site>, Vec<Lead>, Vec<KindTerms>)> {
    let localities = btree_map(any_name(), some_orgs(), 0..3).prop_map(|items| {
        let items = items.into_iter();
        items.map(|(name, orgs)| Locality { name, orgs }).collect()
    });
    let sites = btree_map(any_name(), (any_name(), any_org()), 0..3).prop_map(|items| {
        let items = items.into_iter();
        let site = |(code, (name, org))| Site { code, name, org };
        items.map(site).collect()
    });
    let end = (proptest::option::of(any_time()), any::<u64>());
    let leads = btree_map((any_name(), any_org(), any_time()), end, 0..3).prop_map(|items| {
        let lead = |((service, org, from), (to, limit_pence))| Lead {
            service,
            org,
            from,
            to,
            limit_pence,
        };
        items.into_iter().map(lead).collect()
    });
    let kinds = btree_map(any_name(), (any::<u64>(), any_who(), any_who()), 0..3);
    let kinds = kinds.prop_map(|items| {
        let kind = |(kind, (schema_version, creates, edits))| KindTerms {
            kind,
            schema_version,
            creates,
            edits,
        };
        items.into_iter().map(kind).collect()
    });
    (localities, sites, leads, kinds)
}

fn any_rules() -> impl Strategy<Value = (Vec<NamedRule>, [Rule; 3])> {
    let rule = || any_rule(vec![org(1), org(2)]);
    let named = btree_map(any_name(), rule(), 0..3).prop_map(|rules| {
        let rules = rules.into_iter();
        rules.map(|(name, rule)| NamedRule { name, rule }).collect()
    });
    (named, [rule(), rule(), rule()])
}

/// Any charter that its bytes can hold, sensible or not.
pub(crate) fn any_charter() -> impl Strategy<Value = Charter> {
    let head = (
        0..=SEQ_MAX,
        any::<[u8; 32]>(),
        any_name(),
        proptest::option::of(any::<[u8; 32]>()),
        any::<u64>(),
        0..=SILENCE_DAYS_MAX,
    );
    let classes = proptest::collection::btree_set(any_name(), 0..3);
    let members = proptest::collection::vec(any_member(), 1..4);
    let closed = btree_map((any_org(), any_org()), any_time(), 0..3);
    let retention = btree_map(any_name(), any::<u64>(), 0..3);
    let tail = (orgs(), orgs(), closed, retention);
    (head, classes, members, any_places(), any_rules(), tail).prop_map(
        |(head, classes, members, places, (rules, [amend, admit, suspend]), tail)| {
            let (version, prev, title, replaces, rules_version, silence_days) = head;
            let (localities, sites, leads, kinds) = places;
            let (secretariat, closers, closed, retention) = tail;
            let members: BTreeMap<OrgId, Member> = members.into_iter().collect();
            let succession = |((closed, successor), at)| Succession { closed, successor, at };
            Charter {
                version,
                prev: CharterHash::from_bytes(prev),
                nonce: Fixed([3; 16]),
                title,
                replaces_board: replaces.map(BoardId::from_bytes),
                rules_version,
                members: members.into_values().collect(),
                classes: classes.into_iter().collect(),
                localities,
                sites,
                leads,
                kinds,
                rules,
                amend,
                admit,
                suspend,
                secretariat,
                closers,
                succession: closed.into_iter().map(succession).collect(),
                silence_days,
                retention: retention
                    .into_iter()
                    .map(|(class, days)| Retention { class, days })
                    .collect(),
            }
        },
    )
}
