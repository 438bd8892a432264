//! Vectors of charters, founding files, rules, and what is said about the next charter.

use concordat_protocol::{
    charter::{
        AcceptRole, Acceptance, Answer, Ballot, Candidate, Charter, CharterVote, Cutoff, KindTerms,
        Lead, NamedRule, Quorum, Rule, Says, Scope, Share, ShareOf, Site, Status, Succession, Who,
    },
    codec::{self, Blob, hex},
    hash::EntryId,
    identity::{PublicKey, Signature, recovery_digest},
    time::TimeMs,
    value::Value,
};
use serde_json::json;

use super::{
    File,
    edit::{bytes, copies, edit, list, reversed, text, uint},
};
use crate::support::world::{
    acceptances, charter, feed_key, founding, joint_decision, org, share, tiny, witness_key,
};

type Accepted = (Blob, Vec<(concordat_protocol::hash::OrgId, u64, PublicKey, Signature)>);

fn class_share(class: &str, numerator: u64, of: ShareOf) -> Rule {
    let scope = Scope::Class(class.into());
    Rule::Share(Share { scope, numerator, denominator: 3, of })
}

pub(crate) fn charters() -> File {
    let mut file = File::new(
        "charter",
        "Charters and founding files. A charter is refused for its form, a founding file also for \
         its sense and its acceptances.",
    );
    for (name, charter) in [("a small board", charter()), ("two members", tiny(&[1, 3]))] {
        let fields = json!({
            "title": charter.title,
            "version": charter.version,
            "hash": charter.hash().to_string(),
            "board": charter.board_id().unwrap().to_string(),
            "members": charter.members.iter().map(|member| json!({
                "org": member.org.to_string(),
                "slug": member.slug.as_str(),
                "class": member.class,
                "status": member.status.to_string(),
                "feed_key": hex(member.feed_key.as_bytes()),
                "witness_key": hex(member.witness_key.as_bytes()),
            })).collect::<Vec<_>>(),
        });
        file.good("charter", name, &charter.to_bytes(), fields);
    }
    let first = tiny(&[1]);
    let later = Charter { version: 1, prev: first.hash(), ..first };
    let fields = json!({ "version": 1, "hash": later.hash().to_string() });
    file.good("charter", "a later version", &later.to_bytes(), fields);
    let founding = founding(&charter());
    let fields = json!({ "board": founding.board().to_string(), "acceptances": 12 });
    file.good("founding", "a board of six", &founding.to_bytes(), fields);
    bad_charters(&mut file);
    bad_rules(&mut file);
    unsound(&mut file);
    unfounded(&mut file);
    file
}

fn bad_charters(file: &mut File) {
    let good = tiny(&[1]).to_bytes();
    let name = || text(&"n".repeat(257));
    for (what, path, new) in [
        ("another format version", vec![0], uint(2)),
        ("a version past 2^48", vec![1], uint(1 << 48)),
        ("no title", vec![4], text("")),
        ("a title of 257 bytes", vec![4], name()),
        ("two boards replaced", vec![5], copies(bytes(&[1; 32]), 2)),
        ("no members", vec![7], list(&[])),
        ("a slug with a capital", vec![7, 0, 1], text("La-bury")),
        ("a slug of 33 letters", vec![7, 0, 1], text(&"a".repeat(33))),
        ("a member without a name", vec![7, 0, 2], list(&[])),
        ("a name from two dates", vec![7, 0, 2], copies(list(&[uint(0), text("a")]), 2)),
        ("33 names", vec![7, 0, 2], copies(list(&[uint(0), text("a")]), 33)),
        ("a code without a scheme", vec![7, 0, 3], list(&[list(&[text(""), text("1")])])),
        ("a member without a class", vec![7, 0, 4], text("")),
        ("status 4", vec![7, 0, 5], uint(4)),
        ("a feed key of another algorithm", vec![7, 0, 6, 0], uint(2)),
        ("a witness key of small order", vec![7, 0, 7, 1], bytes(&[0; 32])),
        (
            "a cutoff past 2^48",
            vec![7, 0, 9],
            list(&[list(&[uint(0), uint(1 << 48), bytes(&[1; 32])])]),
        ),
        ("classes out of order", vec![8], list(&[text("council"), text("ccg")])),
        ("a class without a name", vec![8], list(&[text("")])),
        ("a locality without a name", vec![9], list(&[list(&[text(""), list(&[])])])),
        ("a site twice", vec![10], copies(list(&[text("a"), text("b"), bytes(&[1; 32])]), 2)),
        (
            "a lead before time began to be held exactly",
            vec![11],
            list(&[list(&[text("s"), bytes(&[1; 32]), uint(u64::MAX), list(&[]), uint(0)])]),
        ),
        (
            "who with a class twice",
            vec![12],
            list(&[list(&[
                text("k"),
                uint(1),
                list(&[]),
                list(&[list(&[copies(text("ccg"), 2), list(&[])])]),
            ])]),
        ),
        (
            "a succession past 2^53",
            vec![19],
            list(&[list(&[bytes(&[1; 32]), bytes(&[2; 32]), uint(u64::MAX)])]),
        ),
        ("a silence of 3,651 days", vec![20], uint(3_651)),
        ("a retention class without a name", vec![21], list(&[list(&[text(""), uint(1)])])),
    ] {
        file.bad("charter", what, &edit(&good, &path, new));
    }
    let two = tiny(&[1, 3]).to_bytes();
    file.bad("charter", "members out of order", &reversed(&two, &[7]));
    file.too_long("charter", 512 * 1024);
}

fn bad_rules(file: &mut File) {
    let good = tiny(&[1]).to_bytes();
    let org_rule = || list(&[uint(6), bytes(&[1; 32])]);
    let mut deep = org_rule();
    for _ in 0..6 {
        deep = list(&[uint(0), list(&[deep])]);
    }
    let share = |scope: Value, n, d, of| list(&[uint(4), scope, uint(n), uint(d), uint(of)]);
    let board = || list(&[]);
    for (name, rule) in [
        ("that is a number", uint(0)),
        ("of nothing", list(&[])),
        ("with operator 7", list(&[uint(7), list(&[])])),
        ("of no parts", list(&[uint(0), list(&[])])),
        ("seven levels deep", deep),
        ("of 65 parts in all", list(&[uint(0), copies(org_rule(), 64)])),
        ("of 65 parts in one list", list(&[uint(0), copies(org_rule(), 65)])),
        ("at least none", list(&[uint(2), uint(0), copies(org_rule(), 2)])),
        ("at least three of two", list(&[uint(2), uint(3), copies(org_rule(), 2)])),
        ("majority of no class", list(&[uint(3), text("")])),
        ("share of two scopes", share(copies(text("a"), 2), 1, 2, 1)),
        ("share by nought", share(board(), 0, 0, 1)),
        ("share of more than 1,000", share(board(), 1, 1_001, 1)),
        ("share of none", share(board(), 0, 2, 1)),
        ("share above the whole", share(board(), 3, 2, 1)),
        ("share of the third kind", share(board(), 1, 2, 2)),
        ("quorum of none", list(&[uint(5), uint(0), list(&[])])),
        ("quorum of 1,001", list(&[uint(5), uint(1_001), list(&[])])),
        (
            "quorum with a class twice",
            list(&[uint(5), uint(1), copies(list(&[text("a"), uint(1)]), 2)]),
        ),
        (
            "quorum of no one in a class",
            list(&[uint(5), uint(1), list(&[list(&[text("a"), uint(0)])])]),
        ),
        ("of an organisation of 31 bytes", list(&[uint(6), bytes(&[1; 31])])),
        ("with one item more", list(&[uint(6), bytes(&[1; 32]), uint(0)])),
    ] {
        file.bad("charter", &format!("a rule {name}"), &edit(&good, &[14], rule));
    }
}

/// A founding file of this charter that nobody has accepted: sense comes before acceptances.
fn unaccepted(charter: &Charter) -> Vec<u8> {
    codec::encode(&(Blob::from(charter.to_bytes()), Vec::<u64>::new()))
}

fn unsound(file: &mut File) {
    let at = |charter: &Charter, number| {
        charter.members.iter().position(|member| member.org == org(number)).unwrap()
    };
    let mut wrong = |name: &str, change: &dyn Fn(&mut Charter)| {
        let mut charter = tiny(&[1, 3]);
        change(&mut charter);
        file.bad("founding", name, &unaccepted(&charter.in_order()));
    };
    let amend = |charter: &mut Charter, rule| charter.amend = rule;
    let named = |name: &str, rule| NamedRule { name: name.into(), rule };
    let stranger = org(5);
    wrong("a later version", &|c| c.version = 1);
    wrong("one slug twice", &|c| c.members[1].slug = c.members[0].slug.clone());
    wrong("a feed key that is another's witness key", &|c| {
        c.members[0].feed_key = c.members[1].witness_key;
    });
    wrong("a recovery key that is a feed key", &|c| {
        c.members[0].recovery_digest = recovery_digest(&c.members[0].feed_key);
    });
    wrong("a class that is not listed", &|c| c.classes = vec!["ccg".into()]);
    wrong("nobody active", &|c| c.members.iter_mut().for_each(|m| m.status = Status::Observer));
    wrong("a suspended member without cutoff", &|c| c.members[0].status = Status::Suspended);
    wrong("a founding member that is suspended", &|c| {
        c.members[0].status = Status::Suspended;
        c.members[0].cutoff = Some(Cutoff { epoch: 0, seq: 1, entry: EntryId::NONE });
    });
    wrong("a founding member with a cutoff", &|c| {
        let place = at(c, 1);
        c.members[place].cutoff = Some(Cutoff { epoch: 0, seq: 1, entry: EntryId::NONE });
    });
    wrong("a closer twice", &|c| c.closers = vec![org(1), org(1)]);
    wrong("a site of a stranger", &|c| {
        c.sites = vec![Site { code: "a".into(), name: "b".into(), org: stranger }];
    });
    wrong("a lead that ends before it begins", &|c| {
        let (service, org) = ("cancer".into(), org(1));
        let (from, to) = (TimeMs(2), Some(TimeMs(2)));
        c.leads = vec![Lead { service, org, from, to, limit_pence: 0 }];
    });
    wrong("a successor to itself", &|c| {
        c.succession = vec![Succession { closed: org(1), successor: org(1), at: TimeMs(0) }];
    });
    let kind = |schema_version, creates| KindTerms {
        kind: "decision".into(),
        schema_version,
        creates,
        edits: Who::Everyone,
    };
    let only = |classes: &[&str]| Who::Named {
        classes: classes.iter().map(|class| (*class).into()).collect(),
        orgs: vec![],
    };
    wrong("a kind of schema version 0", &|c| c.kinds = vec![kind(0, Who::Everyone)]);
    wrong("a kind for an unknown class", &|c| c.kinds = vec![kind(1, only(&["trust"]))]);
    wrong("a kind that nobody creates", &|c| c.kinds = vec![kind(1, only(&[]))]);
    let all = || share(1, 1, ShareOf::Members);
    wrong("a rule called amend", &|c| c.rules = vec![named("amend", all())]);
    wrong("a rule of an unknown class", &|c| {
        c.rules = vec![named("r", Rule::Majority("trust".into()))];
    });
    wrong("a rule that waits for a stranger", &|c| {
        c.rules = vec![named("r", Rule::Org(stranger))];
    });
    wrong("a rule that never holds", &|c| {
        c.rules = vec![named("r", Rule::Quorum(Quorum { least: 3, classes: vec![] }))];
    });
    wrong("a majority in amend", &|c| amend(c, Rule::Majority("ccg".into())));
    wrong("a share of cast in admit", &|c| c.admit = share(2, 3, ShareOf::Cast));
    wrong("one half in amend", &|c| amend(c, share(1, 2, ShareOf::Members)));
    wrong("either of two in suspend", &|c| {
        c.suspend = Rule::Any(vec![Rule::Org(org(1)), all()]);
    });
}

fn unfounded(file: &mut File) {
    let charter = tiny(&[1, 3]);
    let good = acceptances(&charter);
    let bytes_of = |all: &[Acceptance]| {
        let wire = |one: &Acceptance| (one.org, one.role as u64, one.key, one.signature);
        let accepted: Accepted = (Blob::from(charter.to_bytes()), all.iter().map(wire).collect());
        codec::encode(&accepted)
    };
    let whole = bytes_of(&good);
    let fields = json!({ "board": charter.board_id().unwrap().to_string(), "acceptances": 4 });
    file.good("founding", "a board of two", &whole, fields);
    let resigned = |org, role, key: &concordat_protocol::identity::KeyPair, hash| {
        let mut all = good.clone();
        let place = all.iter().position(|one| one.org == org && one.role == role).unwrap();
        all[place] = Acceptance::sign(hash, org, role, key);
        bytes_of(&all)
    };
    let hash = charter.hash();
    file.bad("founding", "nobody accepted", &bytes_of(&[]));
    file.bad("founding", "a witness key did not accept", &{
        let keep = |one: &&Acceptance| (one.org, one.role) != (org(1), AcceptRole::Witness);
        bytes_of(&good.iter().filter(keep).copied().collect::<Vec<_>>())
    });
    file.bad("founding", "accepted with another key", &{
        resigned(org(1), AcceptRole::Feed, &witness_key(9), hash)
    });
    file.bad("founding", "accepted another charter", &{
        let other = crate::support::world::charter().hash();
        resigned(org(1), AcceptRole::Feed, &feed_key(1), other)
    });
    file.bad("founding", "a stranger accepted", &{
        let mut all = good.clone();
        all.push(Acceptance::sign(hash, org(5), AcceptRole::Feed, &feed_key(5)));
        all.sort_by_key(|one| (one.org, one.role));
        bytes_of(&all)
    });
    file.bad("founding", "acceptances out of order", &reversed(&whole, &[1]));
    file.bad("founding", "an acceptance in role 2", &edit(&whole, &[1, 3, 1], uint(2)));
    file.bad("founding", "an acceptance by a weak key", &{
        edit(&whole, &[1, 0, 2, 1], bytes(&[0; 32]))
    });
    file.too_long("founding", 1024 * 1024);
}

/// Rules on the five seats of the small board.
pub(crate) fn rules() -> File {
    let mut file = File::new(
        "rules",
        "Rules, as they stand in a charter, on the seats of the board of `charter.json`, and what \
         they come to: true, false, or open while open seats can decide. A seat that is not named \
         is open, or absent when the ballot is closed.",
    );
    let charter = charter();
    let slugs = ["la-bury", "la-wigan", "ccg-bury", "ccg-trafford", "gmhscp"];
    let answers = |letters: &str| -> Vec<(usize, Answer)> {
        let answer = |(at, letter): (usize, char)| match letter {
            'a' => Some((at, Answer::Approve)),
            'r' => Some((at, Answer::Reject)),
            'n' => Some((at, Answer::Abstain)),
            'x' => Some((at, Answer::Recused)),
            _ => None,
        };
        letters.chars().enumerate().filter_map(answer).collect()
    };
    let members_two_thirds = share(2, 3, ShareOf::Members);
    for (name, rule, seats, closed) in [
        ("four to one is 80%", joint_decision(), "aaaar", true),
        ("80%, but the CCGs are tied", joint_decision(), "aaara", true),
        ("three to one is exactly 75%", joint_decision(), "aaanr", true),
        ("three to two is 60%", joint_decision(), "aaarr", true),
        ("recused counts as present", joint_decision(), "aaaxa", true),
        ("three present are no quorum", joint_decision(), "a.a.a", true),
        ("two seats can still decide", joint_decision(), "aaa..", false),
        ("the last seat cannot decide", joint_decision(), "aaan.", false),
        ("a tie of the councils cannot be undone", joint_decision(), "ar...", false),
        ("nobody has answered", joint_decision(), ".....", false),
        ("nobody answered", joint_decision(), ".....", true),
        ("four of five are two thirds of the members", members_two_thirds.clone(), "aaaa.", false),
        ("three of five can still be", members_two_thirds.clone(), "aaar.", false),
        ("three of five are not", members_two_thirds, "aaar.", true),
        ("a share of nobody's votes fails", share(1, 2, ShareOf::Cast), "nnnnn", true),
        ("a share of a class", class_share("ccg", 2, ShareOf::Members), "rraar", true),
        (
            "either the office or both councils",
            Rule::Any(vec![Rule::Org(org(5)), class_share("council", 3, ShareOf::Members)]),
            "aa..r",
            false,
        ),
        (
            "two of three",
            Rule::AtLeast(2, vec![Rule::Org(org(1)), Rule::Org(org(3)), Rule::Org(org(5))]),
            "a.r..",
            false,
        ),
        (
            "two of three, decided",
            Rule::AtLeast(2, vec![Rule::Org(org(1)), Rule::Org(org(3)), Rule::Org(org(5))]),
            "r.r..",
            false,
        ),
        ("an observer never approves", Rule::Org(org(6)), "aaaaa", true),
        (
            "a quorum in a class",
            Rule::Quorum(Quorum { least: 1, classes: vec![("ccg".into(), 2)] }),
            "a.x.a",
            true,
        ),
    ] {
        let mut ballot = Ballot::new(&charter);
        for (at, answer) in answers(seats) {
            assert!(ballot.settle(&org(u8::try_from(at).unwrap() + 1), answer));
        }
        if closed {
            ballot.close();
        }
        let evaluation = ballot.evaluate(&rule);
        let seats: serde_json::Map<_, _> = answers(seats)
            .into_iter()
            .map(|(at, answer)| (slugs[at].to_string(), json!(answer.to_string())))
            .collect();
        let outcome = format!("{:?}", evaluation.outcome).to_lowercase();
        let trace: Vec<_> = evaluation
            .trace
            .iter()
            .map(|line| json!([line.depth, format!("{:?}", line.outcome).to_lowercase()]))
            .collect();
        let fields = json!({
            "rule": hex(&rule_bytes(&rule)),
            "answers": seats,
            "closed": closed,
            "outcome": outcome,
            "trace": trace,
        });
        file.case(name, fields, Ok(json!({})));
    }
    file
}

/// The bytes of a rule as they stand in a charter.
fn rule_bytes(rule: &Rule) -> Vec<u8> {
    let charter = Charter { amend: rule.clone(), ..tiny(&[1]) };
    let Value::List(items) = codec::decode(&charter.to_bytes(), "charter", 1 << 20).unwrap() else {
        unreachable!()
    };
    codec::encode(&items[14])
}

/// Candidates and charter votes.
pub(crate) fn voting() -> File {
    let mut file = File::new("voting", "Candidates for the next charter, and votes on it.");
    let first = tiny(&[1]);
    let next = Charter { version: 1, prev: first.hash(), ..first };
    let accept = |role, key| Acceptance::sign(next.hash(), org(1), role, key);
    let acceptances =
        vec![accept(AcceptRole::Feed, &feed_key(1)), accept(AcceptRole::Witness, &witness_key(1))];
    let candidate = Candidate { charter: next.clone(), acceptances };
    let good = candidate.to_bytes();
    let fields = json!({ "version": 1, "hash": next.hash().to_string(), "acceptances": 2 });
    file.good("charter_candidate", "a candidate with acceptances", &good, fields);
    file.bad("charter_candidate", "acceptances out of order", &reversed(&good, &[1]));
    file.bad("charter_candidate", "a charter that is none", &edit(&good, &[0], bytes(&[0x80])));
    file.too_long("charter_candidate", 1024 * 1024);

    let id = |byte: u8| EntryId::from_bytes([byte; 32]);
    let charter = next.hash();
    let ids = || vec![id(1), id(2)];
    for (name, ballot, says) in [
        ("move on, nothing confirmed", 1, Says::MoveOn { confirmed: None }),
        ("move on after a confirmation", 2, Says::MoveOn { confirmed: Some((charter, id(1))) }),
        ("approve", 0, Says::Approve { charter, opened_by: vec![] }),
        ("approve on a later ballot", 1, Says::Approve { charter, opened_by: ids() }),
        ("reject all", 0, Says::RejectAll { opened_by: vec![] }),
        ("reject all on a later ballot", 1, Says::RejectAll { opened_by: ids() }),
        ("confirm", 0, Says::Confirm { charter, approvals: ids() }),
    ] {
        let vote = CharterVote { version: 1, ballot, says };
        let fields = json!({ "version": 1, "ballot": ballot, "says": format!("{:?}", vote.says) });
        file.good("charter_vote", name, &vote.to_bytes(), fields);
    }
    let says = Says::Approve { charter, opened_by: ids() };
    let good = CharterVote { version: 1, ballot: 1, says }.to_bytes();
    let none = || list(&[]);
    for (name, path, new) in [
        ("on version 0", vec![0], uint(0)),
        ("on a ballot past 2^48", vec![1], uint(1 << 48)),
        ("in phase 3", vec![2], uint(3)),
        ("for two charters", vec![3], copies(bytes(&[1; 32]), 2)),
        ("by ids out of order", vec![4], list(&[bytes(&[2; 32]), bytes(&[1; 32])])),
        ("on the first ballot, opened by somebody", vec![1], uint(0)),
        ("on a later ballot, opened by nobody", vec![4], none()),
        ("to move on with two confirmations", vec![2], uint(0)),
    ] {
        file.bad("charter_vote", &format!("a vote {name}"), &edit(&good, &path, new));
    }
    file.bad("charter_vote", "a confirmation of nothing", &{
        edit(&edit(&good, &[2], uint(2)), &[3], none())
    });
    file
}
