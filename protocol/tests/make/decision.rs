//! Vectors of decisions: canonical JSON, wording, what comes in time, and polls.

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{
    charter::{Answer, Charter, NamedRule, Outcome, Rule, Seat, Status},
    codec::{Blob, Fixed, hex},
    decision::{
        Block, Bounds, CloseEntry, Covered, Fate, Json, Mark, Papers, ProposalEntry, Ruling,
        SignOffEntry, Standing, Wording, Written, poll as count,
    },
    hash::{CharterHash, EntryId, OrgId},
    payload::{Audience, Close, Proposal, SignOff},
    time::TimeMs,
};
use serde_json::{Value, json};

use super::File;
use crate::support::world::{NOON, charter, org};

fn json_of(value: &Value) -> Json {
    match value {
        Value::String(text) => Json::Text(text.clone()),
        Value::Number(number) => Json::Integer(number.as_i64().unwrap()),
        Value::Bool(is_true) => Json::Bool(*is_true),
        Value::Array(items) => Json::List(items.iter().map(json_of).collect()),
        Value::Object(items) => {
            Json::Object(items.iter().map(|(name, value)| (name.clone(), json_of(value))).collect())
        }
        Value::Null => panic!("there is no null"),
    }
}

pub(crate) fn canonical() -> File {
    let mut file = File::new(
        "canonical",
        "Canonical JSON: the bytes, and the value they stand for. The first ones are examples of RFC \
         8785.",
    );
    for (name, value) in [
        (
            "names ascend by UTF-16 code units",
            json!({
                "\u{20ac}": "Euro Sign", "\r": "Carriage Return",
                "\u{fb33}": "Hebrew Letter Dalet With Dagesh", "1": "One",
                "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control",
                "\u{f6}": "Latin Small Letter O With Diaeresis"
            }),
        ),
        ("escapes", json!({ "string": "\u{20ac}$\u{f}\nA'B\"\\\\\"/", "literals": [true, false] })),
        (
            "structures",
            json!({ "1": { "f": { "f": "hi", "F": 5 }, "\n": 56 }, "10": {}, "": "empty" }),
        ),
        ("no normal form of letters", json!({ "Unnormalized Unicode": "A\u{30a}" })),
        (
            "every short escape, and delete as it is",
            json!("\u{8}\t\n\u{c}\r\"\\/\u{0}\u{1f}\u{7f}"),
        ),
        (
            "the largest and the smallest integer",
            json!([9_007_199_254_740_991_i64, -9_007_199_254_740_991_i64, 0]),
        ),
        ("nothing in it", json!([[], {}, ""])),
    ] {
        let bytes = json_of(&value).to_bytes().unwrap();
        file.good("canonical", name, &bytes, json!({ "value": value }));
    }
    let deep = |levels| "[".repeat(levels) + &"]".repeat(levels);
    let value: Value = serde_json::from_str(&deep(16)).unwrap();
    file.good("canonical", "16 levels", deep(16).as_bytes(), json!({ "value": value }));
    for (name, text) in [
        ("17 levels", deep(17).as_str()),
        ("an integer in 16 lists", deep(16).replace("[]", "[1]").as_str()),
        ("an integer of 40 digits", &"1".repeat(40)),
        ("nothing", ""),
        ("an object that does not end", "{\"a\":1"),
        ("a space", "[1, 2]"),
        ("a line end after it", "1\n"),
        ("null", "null"),
        ("a fraction", "[1.0]"),
        ("an exponent", "[1e3]"),
        ("a leading zero", "01"),
        ("minus zero", "-0"),
        ("2^53", "9007199254740992"),
        ("an escaped slash", "\"\\/\""),
        ("an escaped letter", "\"\\u0041\""),
        ("an escape with capitals", "\"\\u001F\""),
        ("a long escape where there is a short one", "\"\\u000a\""),
        ("a bare line end in text", "\"\n\""),
        ("names by code points", "{\"\u{fb33}\":1,\"\u{1f600}\":2}"),
        ("a name twice", "{\"a\":1,\"a\":1}"),
        ("a number as a name", "{1:1}"),
    ] {
        file.bad("canonical", name, text.as_bytes());
    }
    file.bad("canonical", "not UTF-8", b"\"\xff\"");
    file.too_long("canonical", 256 * 1024);
    file
}

fn wording_of(pence: i64) -> Wording {
    let strong = Mark { from: 0, to: 5, name: "strong".into(), value: Json::Bool(true) };
    let block = Block {
        kind: "paragraph".into(),
        text: "Adopt the standards \u{1f600}".into(),
        marks: vec![strong],
    };
    let fields = BTreeMap::from([
        ("finance".into(), Json::object([("total_pence", Json::Integer(pence))])),
        ("summary".into(), Json::List(vec![block.to_json()])),
    ]);
    Wording::new("decision", 1, fields).unwrap()
}

pub(crate) fn wording() -> File {
    let mut file = File::new(
        "wording",
        "Frozen snapshots with their digests, and what is no snapshot of a wording.",
    );
    for (name, wording) in [
        ("a decision of one paragraph", wording_of(120_000_000)),
        ("no field", Wording::new("standard", 7, BTreeMap::new()).unwrap()),
    ] {
        let fields = json!({
            "kind": wording.kind(), "schema": wording.schema(), "renderer": wording.renderer(),
            "digest": hex(&wording.digest().0),
        });
        file.good("wording", name, &wording.to_bytes(), fields);
    }
    for (name, text) in [
        ("a list", "[]"),
        ("no fields", "{}"),
        ("fields that are a list", r#"{"fields":[],"kind":"a","renderer":1,"schema":1}"#),
        ("no kind", r#"{"fields":{},"renderer":1,"schema":1}"#),
        ("an empty kind", r#"{"fields":{},"kind":"","renderer":1,"schema":1}"#),
        ("renderer 0", r#"{"fields":{},"kind":"a","renderer":0,"schema":1}"#),
        ("schema 2^32", r#"{"fields":{},"kind":"a","renderer":1,"schema":4294967296}"#),
        ("one part more", r#"{"fields":{},"kind":"a","renderer":1,"schema":1,"title":"b"}"#),
        ("names out of order", r#"{"kind":"a","fields":{},"renderer":1,"schema":1}"#),
    ] {
        file.bad("wording", name, text.as_bytes());
    }
    file
}

pub(crate) fn timing() -> File {
    let mut file = File::new(
        "timing",
        "What of a feed is in time for a proposal: `others` voting members beside its author, of whom \
         some acknowledged so many entries, up to their first acknowledgement of a closing if they \
         made one. `own_closing` is the seq of a closing in the feed itself.",
    );
    for (name, others, covered, own) in [
        ("no closing", 4, vec![(9, false), (7, false), (4, false)], None),
        ("too few have acknowledged", 6, vec![(9, false), (7, false), (4, false)], None),
        ("one has seen a closing", 4, vec![(5, true), (9, false)], None),
        ("a majority has", 4, vec![(5, true), (3, true), (9, false)], None),
        ("all have", 4, vec![(5, true), (3, true), (9, true), (0, true)], None),
        ("an odd number of others", 5, vec![(5, true), (3, true), (9, true), (7, false)], None),
        ("the closer's own feed", 2, vec![(9, true), (9, true)], Some(6)),
        ("the closer's own feed, not acknowledged", 2, vec![], Some(6)),
    ] {
        let given: Vec<_> = covered
            .iter()
            .map(|(entries, has)| Covered { entries: *entries, has_closing: *has })
            .collect();
        let bounds = Bounds::of(others, &given, own);
        let fields = json!({ "others": others, "covered": covered, "own_closing": own });
        file.case(name, fields, Ok(json!({ "in_time": bounds.in_time, "shut": bounds.shut })));
    }
    file
}

#[derive(Clone)]
struct Case {
    charters: Vec<(CharterHash, Charter)>,
    audience: Audience,
    proposal: ProposalEntry,
    sign_offs: Vec<SignOffEntry>,
    closings: Vec<CloseEntry>,
    shut: BTreeSet<OrgId>,
    contested: BTreeSet<EntryId>,
}

fn entry(number: u8) -> EntryId {
    EntryId::from_bytes([number; 32])
}

const fn forked(branch: u8) -> Standing {
    Standing::Forked { branch: EntryId::from_bytes([branch; 32]) }
}

impl Case {
    /// Organisations 1 to 5 answer so: a, r, n (abstain), x (recused) or nothing.
    fn of(answers: &str) -> Self {
        let charter = charter();
        let hash = charter.hash();
        let frozen = wording_of(120_000_000);
        let says = Proposal {
            heads: vec![Fixed([1; 32])],
            wording: frozen.digest(),
            snapshot: Blob::from(frozen.to_bytes()),
            rule: "joint decision".into(),
            closer: org(5),
            closes_at: TimeMs(NOON),
            replaces: None,
        };
        let by = Written {
            entry: entry(200),
            org: org(5),
            epoch: 0,
            seq: 4,
            at: TimeMs(NOON),
            charter: hash,
            settled: true,
            standing: Standing::Stands,
        };
        let mut case = Self {
            charters: vec![(hash, charter)],
            audience: Audience::Everyone,
            proposal: ProposalEntry { by, says },
            sign_offs: vec![],
            closings: vec![],
            shut: BTreeSet::new(),
            contested: BTreeSet::new(),
        };
        for (number, letter) in (1..).zip(answers.chars()) {
            let answer = match letter {
                'a' => Answer::Approve,
                'r' => Answer::Reject,
                'n' => Answer::Abstain,
                'x' => Answer::Recused,
                _ => continue,
            };
            case = case.sign(number, answer, |_| ());
        }
        case
    }

    fn sign(mut self, number: u8, answer: Answer, change: impl FnOnce(&mut SignOffEntry)) -> Self {
        let by = Written {
            entry: entry(number),
            org: org(number),
            seq: 10,
            settled: true,
            standing: Standing::Stands,
            ..self.proposal.by.clone()
        };
        let wording = self.proposal.says.wording;
        let says = SignOff { proposal: self.proposal.by.entry, answer, wording };
        let mut one = SignOffEntry { by, says, in_time: true };
        change(&mut one);
        self.sign_offs.push(one);
        self
    }

    fn close(self) -> Self {
        let mut counted: Vec<_> = self.sign_offs.iter().map(|one| one.by.entry).collect();
        counted.sort();
        self.close_as(5, counted, |_| ())
    }

    fn close_as(
        mut self,
        number: u8,
        counted: Vec<EntryId>,
        change: impl FnOnce(&mut CloseEntry),
    ) -> Self {
        let by = Written {
            entry: entry(220 + number),
            org: org(number),
            seq: 30,
            ..self.proposal.by.clone()
        };
        let says = Close { proposal: self.proposal.by.entry, counted };
        let mut one = CloseEntry { by, says, unread: BTreeSet::new() };
        change(&mut one);
        self.closings.push(one);
        self.shut = (1..=5).map(org).collect();
        self
    }

    /// The sign-off of this number is contested.
    fn contest(self, number: u8) -> Self {
        self.changed(|case| _ = case.contested.insert(entry(number)))
    }

    fn changed(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Adds the next charter.
    fn amended(self, change: impl FnOnce(&mut Charter)) -> Self {
        self.changed(|case| {
            let (hash, last) = case.charters.last().unwrap().clone();
            let mut next = Charter { version: last.version + 1, prev: hash, ..last };
            change(&mut next);
            case.charters.push((next.hash(), next));
        })
    }
}

fn slug(org: &OrgId) -> String {
    let board = charter();
    board.member(org).map_or_else(|| org.to_string(), |member| member.slug.as_str().into())
}

fn written(by: &Written) -> Value {
    let (standing, branch) = match by.standing {
        Standing::Stands => ("stands", None),
        Standing::Forked { branch } => ("forked", Some(branch.to_string())),
        Standing::Void => ("void", None),
    };
    json!({
        "entry": by.entry.to_string(), "org": slug(&by.org), "epoch": by.epoch, "seq": by.seq,
        "charter": by.charter.to_string(), "settled": by.settled, "standing": standing,
        "branch": branch,
    })
}

fn inputs(case: &Case) -> Value {
    let later = case.charters.iter().skip(1);
    let texts = |ids: &BTreeSet<EntryId>| ids.iter().map(EntryId::to_string).collect::<Vec<_>>();
    json!({
        "later_charters": later.map(|(_, one)| hex(&one.to_bytes())).collect::<Vec<_>>(),
        "first_charter": case.charters.first().filter(|(_, one)| *one != charter())
            .map(|(_, one)| hex(&one.to_bytes())),
        "audience": match &case.audience {
            Audience::Everyone => vec![],
            Audience::Only(orgs) => orgs.iter().map(slug).collect(),
        },
        "proposal": { "by": written(&case.proposal.by), "says": hex(&case.proposal.says.to_bytes()) },
        "sign_offs": case.sign_offs.iter().map(|one| json!({
            "by": written(&one.by), "says": hex(&one.says.to_bytes()), "in_time": one.in_time,
        })).collect::<Vec<_>>(),
        "closings": case.closings.iter().map(|one| json!({
            "by": written(&one.by), "says": hex(&one.says.to_bytes()), "unread": texts(&one.unread),
        })).collect::<Vec<_>>(),
        "shut": case.shut.iter().map(slug).collect::<BTreeSet<_>>(),
        "contested": texts(&case.contested),
    })
}

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::True => "true",
        Outcome::False => "false",
        Outcome::Open => "open",
    }
}

const fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Counted => "counted",
        Fate::Waiting => "waiting",
        Fate::Late => "late",
        Fate::Stale => "stale",
        Fate::Repeated(_) => "repeated",
        Fate::Contradicts(_) => "contradicts",
        Fate::Held => "held",
        Fate::Disputed => "disputed",
        Fate::Void => "void",
        Fate::NoVote => "no vote",
        Fate::OutsideAudience => "outside audience",
    }
}

fn outputs(case: &Case) -> Value {
    let charters: Vec<_> = case.charters.iter().map(|(hash, one)| (*hash, one)).collect();
    let poll = count(&Papers {
        charters: &charters,
        audience: &case.audience,
        proposal: &case.proposal,
        earlier: &[],
        sign_offs: &case.sign_offs,
        closings: &case.closings,
        shut: &case.shut,
        contested: &case.contested,
    });
    let why = match &poll.ruling {
        Ruling::WithoutEffect(why) => {
            let debug = format!("{why:?}");
            debug.split([' ', '(']).next().map(ToString::to_string)
        }
        Ruling::Open | Ruling::Carried | Ruling::Failed | Ruling::Inquorate | Ruling::Disputed => {
            None
        }
    };
    let seat = |seat: &Seat| match seat {
        Seat::Open => "open".to_string(),
        Seat::Absent => "absent".to_string(),
        Seat::Answered(answer) => answer.to_string(),
    };
    json!({
        "result": poll.ruling.word(),
        "why": why,
        "rule": outcome(poll.rule),
        "quorum": outcome(poll.quorum),
        "seats": poll.seats.iter().map(|(org, one)| (slug(org), seat(one))).collect::<BTreeMap<_, _>>(),
        "fates": poll.slips.iter().map(|one| (one.entry.to_string(), fate(one.fate)))
            .collect::<BTreeMap<_, _>>(),
        "trace": poll.trace.iter()
            .map(|line| json!([line.depth, outcome(line.outcome), line.per_mille, line.spare]))
            .collect::<Vec<_>>(),
        "spare": poll.spare,
        "codes": poll.flags.iter().filter_map(|flag| flag.code()).collect::<BTreeSet<_>>(),
        "remaining": poll.remaining.map(|left| json!([left.ruling.word(), left.spare])),
    })
}

pub(crate) fn poll() -> File {
    let mut file = File::new(
        "poll",
        "Proposals with their sign-offs and closings, and what comes of them. `first_charter` is the \
         one that the proposal names, the small board of `charter.json` if there is none, `audience` is everyone if it is empty, `says` are payloads.",
    );
    let (approve, reject) = (Answer::Approve, Answer::Reject);
    let late = |one: &mut SignOffEntry| one.in_time = false;
    let again = |one: &mut SignOffEntry| {
        one.by.entry = entry(44);
        one.by.seq = 12;
    };
    let on_branch = |number: u8, branch: u8, settled: bool| {
        move |one: &mut SignOffEntry| {
            one.by.entry = entry(number);
            one.by.standing = forked(branch);
            one.by.settled = settled;
        }
    };
    let narrow = |case: &mut Case| {
        let rule = Rule::All(vec![Rule::Org(org(3)), Rule::Org(org(5))]);
        case.charters[0].1.rules[0] = NamedRule { name: "joint decision".into(), rule };
        let hash = case.charters[0].1.hash();
        case.charters[0].0 = hash;
        case.proposal.by.charter = hash;
        let mut orgs = vec![org(3), org(5)];
        orgs.sort();
        case.audience = Audience::Only(orgs);
    };
    let cases = [
        ("4 to 1 is 80%", Case::of("aaaar").close()),
        ("80%, but the CCGs are tied", Case::of("aaara").close()),
        ("3 to 1 is exactly 75%", Case::of("aaanr").close()),
        ("3 to 2 is 60%", Case::of("aaarr").close()),
        ("recused counts as present", Case::of("aaaxa").close()),
        ("3 to 2 the other way", Case::of("aarra").close()),
        ("3 present", Case::of("aaa..").close()),
        ("carried before everybody answered", Case::of("aaaa.")),
        ("nobody answered yet", Case::of(".....")),
        ("hopeless, and not yet failed", Case::of("ar...")),
        ("hopeless, and enough have answered", Case::of("arnn.")),
        ("hopeless, and closed", Case::of("ar...").close()),
        (
            "a sign-off that is not settled",
            Case::of("aaa..").sign(4, approve, |one| {
                one.by.settled = false;
                one.in_time = false;
            }),
        ),
        (
            "a proposal that is not settled",
            Case::of("aaaa.").changed(|case| {
                case.proposal.by.settled = false;
            }),
        ),
        ("a second answer", Case::of("aaaa.").sign(4, reject, again)),
        ("the same answer again", Case::of("aaaa.").sign(4, approve, again)),
        (
            "a second answer after one that is not settled",
            Case::of("aaa..").sign(4, approve, |one| one.by.settled = false).sign(4, reject, again),
        ),
        (
            "two held branches",
            Case::of("aaa..").sign(4, approve, on_branch(4, 90, false)).sign(
                4,
                reject,
                on_branch(44, 91, false),
            ),
        ),
        (
            "one branch is settled",
            Case::of("aaa..").sign(4, approve, on_branch(4, 90, false)).sign(
                4,
                reject,
                on_branch(44, 91, true),
            ),
        ),
        (
            "both branches are settled",
            Case::of("aaa..").sign(4, approve, on_branch(4, 90, true)).sign(
                4,
                reject,
                on_branch(44, 91, true),
            ),
        ),
        (
            "both branches are settled and nothing rests on them",
            Case::of("a....").sign(4, approve, on_branch(4, 90, true)).sign(
                4,
                reject,
                on_branch(44, 91, true),
            ),
        ),
        (
            "late evidence, and it would still be carried",
            Case::of("aaaaa").changed(|case| {
                case.sign_offs[0].by.standing = forked(90);
            }),
        ),
        (
            "late evidence, and it would be inquorate",
            Case::of("aaaa.").close().changed(|case| {
                case.sign_offs[0].by.standing = forked(90);
            }),
        ),
        (
            "answered anew in the next epoch, and then both are settled",
            Case::of("aaa..").sign(4, approve, on_branch(4, 90, true)).sign(4, reject, |one| {
                again(one);
                one.by.epoch = 1;
            }),
        ),
        (
            "other wording",
            Case::of("aaa..").sign(4, approve, |one| one.says.wording = Fixed([7; 32])),
        ),
        (
            "other wording, then the right one",
            Case::of("aaa..")
                .sign(4, approve, |one| one.says.wording = Fixed([7; 32]))
                .sign(4, reject, again),
        ),
        (
            "an observer and a void entry",
            Case::of("aaaa.")
                .sign(6, reject, |_| ())
                .sign(5, reject, |one| one.by.standing = Standing::Void),
        ),
        (
            "a narrow audience",
            Case::of("").changed(narrow).sign(3, approve, |_| ()).sign(5, approve, |_| ()).sign(
                1,
                reject,
                |_| (),
            ),
        ),
        (
            "a rule that counts members outside the audience",
            Case::of("aaaa.").changed(|case| {
                let mut orgs = vec![org(1), org(5)];
                orgs.sort();
                case.audience = Audience::Only(orgs);
            }),
        ),
        (
            "an unknown rule",
            Case::of("aaaa.").changed(|case| case.proposal.says.rule = "whim".into()),
        ),
        (
            "another digest",
            Case::of("aaaa.").changed(|case| {
                case.proposal.says.snapshot = Blob::from(wording_of(1).to_bytes());
            }),
        ),
        (
            "no wording",
            Case::of("aaaa.").changed(|case| {
                case.proposal.says.snapshot = Blob::from(b"{}".to_vec());
            }),
        ),
        (
            "somebody who is no closer",
            Case::of("aaaa.").changed(|case| {
                case.proposal.says.closer = org(1);
            }),
        ),
        (
            "a void proposal",
            Case::of("aaaa.").changed(|case| {
                case.proposal.by.standing = Standing::Void;
            }),
        ),
        ("late, after the closing", Case::of("aaa..").close().sign(4, approve, late)),
        ("late, and listed", Case::of("aaa..").sign(4, approve, late).close()),
        ("in time, and not listed", Case::of("aaaa.").close_as(5, vec![entry(1)], |_| ())),
        (
            "listed, and not settled",
            Case::of("aaa..")
                .sign(4, approve, |one| {
                    one.by.settled = false;
                    one.in_time = false;
                })
                .close(),
        ),
        (
            "a closing that is not settled",
            Case::of("aaa..")
                .sign(4, approve, late)
                .close()
                .changed(|case| case.closings[0].by.settled = false),
        ),
        (
            "listed, and not read",
            Case::of("aaa..").close_as(5, vec![entry(1), entry(9)], |one| {
                one.unread = BTreeSet::from([entry(9)]);
            }),
        ),
        (
            "not everybody is shut",
            Case::of("aaa..").close().changed(|case| {
                case.shut.remove(&org(4));
            }),
        ),
        (
            "contested",
            Case::of("aaaa.").close_as(5, vec![entry(1), entry(2), entry(3)], |_| ()).contest(4),
        ),
        ("contested, and no closing yet", Case::of("aaaa.").contest(4)),
        ("contested, and listed", Case::of("aaaa.").close().contest(4)),
        (
            "contested, and carried without it",
            Case::of("aaaaa").close_as(5, vec![], |_| ()).contest(4),
        ),
        ("closed by somebody else", Case::of("aaa..").close_as(2, vec![], |_| ())),
        (
            "closed by the heir",
            Case::of("aaa..")
                .amended(|next| {
                    next.closers = vec![org(2), org(5)];
                    let closer = next.members.iter_mut().find(|one| one.org == org(5)).unwrap();
                    closer.status = Status::Observer;
                })
                .changed(|case| {
                    let hash = case.charters[1].0;
                    *case = case.clone().close_as(2, vec![], |one| one.by.charter = hash);
                }),
        ),
        (
            "closed by the closer, which a later charter still lists second",
            Case::of("aaa..").amended(|next| next.closers = vec![org(2), org(5)]).changed(|case| {
                let hash = case.charters[1].0;
                *case = case.clone().close_as(5, vec![], |one| one.by.charter = hash);
            }),
        ),
        (
            "two closings that decide otherwise",
            Case::of("aaa..")
                .sign(4, approve, late)
                .close()
                .amended(|next| next.closers = vec![org(2)])
                .changed(|case| {
                    let hash = case.charters[1].0;
                    *case = case.clone().close_as(2, vec![], |one| one.by.charter = hash);
                }),
        ),
        (
            "a second closing of the same closer",
            Case::of("aaa..").sign(4, approve, late).close().close_as(5, vec![], |one| {
                one.by.entry = entry(240);
                one.by.seq = 31;
            }),
        ),
        (
            "another class under a later charter",
            Case::of("aaa..")
                .amended(|next| {
                    next.members.iter_mut().find(|one| one.org == org(4)).unwrap().class =
                        "office".into();
                })
                .changed(|case| {
                    let hash = case.charters[1].0;
                    *case = case.clone().sign(4, approve, |one| one.by.charter = hash);
                }),
        ),
    ];
    for (name, case) in cases {
        file.case(name, inputs(&case), Ok(outputs(&case)));
    }
    file
}
