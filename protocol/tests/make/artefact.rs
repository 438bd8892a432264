//! Vectors of artefacts: skeletons, events against their kinds, patients' numbers, lifecycles.

use std::collections::BTreeMap;

use concordat_protocol::{
    artefact::{
        document::Skeleton,
        events::{self, BadEvent},
        guard::holds_number,
        kind::{Count, Effect, EventKind, Kind, Param, Scalar},
        kinds,
        lifecycle::{Author, Body, Case, Decided, Fact, Lifecycle, Link, NoEffect, fold, pasts},
    },
    codec::hex,
    hash::{EntryId, FeedId, OrgId},
    payload::{Event, Remark},
    time::TimeMs,
    value::Value as Cbor,
};
use serde_json::{Value, json};

use super::File;
use crate::support::decoders::Refusal;

pub(crate) fn skeletons() -> File {
    let mut file = File::new(
        "skeleton",
        "The first change of every document of a kind, whole. Its fields are those of docs/schemas.",
    );
    for kind in kinds::ALL {
        let skeleton = Skeleton::new(kind).unwrap();
        let fields = json!({ "kind": kind.name, "version": kind.version });
        let made = json!({ "change": hex(skeleton.raw()), "hash": skeleton.hash().to_string() });
        file.case(&format!("{} {}", kind.name, kind.version), fields, Ok(made));
    }
    file
}

pub(crate) fn guard() -> File {
    let mut file = File::new(
        "guard",
        "Texts, and whether a node refuses to sign them for a patient's number.",
    );
    let texts = [
        "9434765919",
        "9434765918",
        "943 476 5919",
        "943-476-5919",
        "943\t476\t5919",
        "NHS no. 943\u{a0}476\u{a0}5919.",
        "943\u{2013}476\u{2013}5919",
        "943\u{200b}476\u{2212}5919",
        "943 - 476 - 5919",
        "943    4765919",
        "943  -4765919",
        "９４３ ４７６ ５９１９",
        "943 4765919",
        "943476 5919",
        "9434 765919",
        "9 4 3 4 7 6 5 9 1 9",
        "94 34 76 59 19",
        "12 94 34 76 59 19",
        "12 943 476 5919 34",
        "12 943 4765919 34",
        "12 9434765919 34",
        "12 943476 5919 34",
        "patient9434765919x",
        "99434765919",
        "9434765919 9434765918",
        "9434765918,9434765919",
        "943,476,5919",
        "943\n476\n5919",
        "9434/765919",
        "seen 2017-12-04 9434765919",
        "943 2017-12-04 476 5919",
        "943 476 5919 04-12-2017",
        "943 476 2017-13-04 5919",
        "£9434765919",
        "€943 476 5919",
        "£5 943 476 5919",
        "943 £5 476 5919",
        "£ 9434765919",
        "0161 496 0123 and 01204 390390",
        "https://example.org/p?id=9434765919",
        "1512345600000",
        "Patient 943 476\n5919 waited.",
        "943 476\r\n5919",
        "943 476   \n\n   5919",
        "943 476    \n5919",
        "943\u{b}476\u{c}5919",
        "943\u{85}476\u{2028}5919",
        "943\u{2029}4765919",
        "943 476\u{fffc}5919",
        "401 023 2137\n943 476\n5919\n12",
        "12 943 476\n5919",
        "943 476\n5919 12",
        "2017-12-04 943 476\n5919 2017-12-04",
        "01204 943476\n5919 496 0123",
        "01204 390 943\n476 5919",
        "9434 765\n919",
        "94 34 76 59 19\n12",
        "12\n94 34 76 59 19",
        "943\u{2060}476\u{200c}59\u{200d}19",
        "94\u{ad}3476\u{ad}5919",
        "9\u{feff}434\u{200b}\u{200b}\u{200b}\u{200b}765919\u{fe0f}",
        "943\u{0}476\u{e0020}5919",
        "12\u{200b}943 476 5919",
        "943\u{2043}476\u{2043}5919",
        "943\u{10ead}476\u{2796}5919",
        "943\u{1680}476\u{2800}5919",
        "943_476_5919",
        "943.476.5919",
        "(943) 476 5919",
        "£943 476 5919",
        "€943-476\n5919",
        "£943 4765919",
        "£943476 5919",
        "£943 476 591",
        "£\u{ad}9434765919",
        "£94 34 76 59 19",
        "£12 94 34 76 59 19",
        "£2017-12-04 943 476 5919",
        "£943 2017-12-04 476 5919",
        "RW3, 5F7, P84012, Y00912, 00W 01G",
        "+44 161 496 0123",
        "٩٤٣٤٧٦٥٩١٩",
        "",
    ];
    for text in texts {
        file.case(&format!("{text:?}"), json!({ "text": text }), {
            Ok(json!({ "holds": holds_number(text) }))
        });
    }
    file
}

/// A value that fits.
fn fitting(param: &Param, number: u8) -> Cbor {
    let text = |text: &str| Cbor::Text(text.into());
    match param.scalar {
        Scalar::Text { .. } => text(&format!("text {number}")),
        Scalar::Int { max, .. } => Cbor::Uint(max.min(number.into())),
        Scalar::Money => Cbor::Uint(1_000 * u64::from(number)),
        Scalar::Bool => Cbor::Uint(u64::from(number % 2)),
        Scalar::Decimal => text(["1", "2.5", "3", "0.125"][usize::from(number % 4)]),
        Scalar::Date => text(["2017-12-04", "2017-12-10", "2018-02-28"][usize::from(number % 3)]),
        Scalar::DateTime => text(match param.name {
            "from" => "2017-12-09T20:00Z",
            "to" => "2017-12-11T08:00Z",
            _ => "2017-12-08T12:00Z",
        }),
        Scalar::Year => text("2017/18"),
        Scalar::Enum(values) => text(values[usize::from(number) % values.len()]),
        Scalar::Code(list) => text(list.codes[usize::from(number) % list.codes.len()].0),
        Scalar::Url => text("https://example.org/paper"),
        Scalar::Org | Scalar::Artefact | Scalar::Entry | Scalar::Hash => {
            Cbor::Bytes([number; 32].to_vec())
        }
    }
}

/// Values that do not fit.
fn misfits(param: &Param) -> Vec<Cbor> {
    let texts: &[&str] = match param.scalar {
        Scalar::Text { max } => {
            return vec![
                Cbor::Text(String::new()),
                Cbor::Text("\u{e9}".repeat(usize::try_from(max).unwrap() + 1)),
                Cbor::Uint(1),
            ];
        }
        Scalar::Int { max, .. } => return vec![Cbor::Uint(max + 1), Cbor::Text("1".into())],
        Scalar::Money => return vec![Cbor::Uint(1 << 53)],
        Scalar::Bool => return vec![Cbor::Uint(2)],
        Scalar::Org | Scalar::Artefact | Scalar::Entry | Scalar::Hash => {
            return vec![Cbor::Bytes(vec![1; 31]), Cbor::Text("x".into())];
        }
        Scalar::Decimal => &["", "01", "1.50", "1.2345", ".5", "1.", "-1", "1234567890", "1\n"],
        Scalar::Date => &["2017-02-29", "2100-02-29", "1899-12-31", "2200-01-01", "2017-1-01"],
        Scalar::DateTime => &[
            "1969-12-31T23:59Z",
            "2017-12-08T24:00Z",
            "2017-12-08T12:60Z",
            "2017-12-08T12:00",
            "2017-02-29T12:00Z",
        ],
        Scalar::Year => &["2017/19", "2017-18"],
        Scalar::Enum(_) => &["", "none of these"],
        Scalar::Code(_) => &["", "No Such", "a\u{e4}"],
        Scalar::Url => &["ftp://example.org", "https:///x", "https://", "https://a b"],
    };
    texts.iter().map(|text| Cbor::Text((*text).into())).chain([Cbor::List(vec![])]).collect()
}

fn counted(param: &Param, values: Vec<Cbor>) -> Cbor {
    match (param.count, values) {
        (Count::One, values) => values.into_iter().next().unwrap(),
        (Count::Optional | Count::Many(_), values) => Cbor::List(values),
    }
}

fn values_of(event: &EventKind, number: u8) -> Vec<Cbor> {
    event.params.iter().map(|param| counted(param, vec![fitting(param, number)])).collect()
}

struct Events {
    file: File,
    kind: &'static Kind,
    is_remark: bool,
}

impl Events {
    fn tell(&mut self, name: &str, event: &str, values: Vec<Cbor>) {
        let said = Event { name: event.into(), values: values.clone() };
        let found = if self.is_remark {
            events::read_remark(self.kind, &Remark { name: event.into(), values })
        } else {
            events::read(self.kind, &said)
        };
        let fields = json!({
            "kind": self.kind.name, "version": self.kind.version, "remark": self.is_remark,
            "payload": hex(&said.to_bytes()),
        });
        let outcome = found.map(|_| json!({})).map_err(|why| refusal(&why));
        self.file.case(&format!("{} {event}: {name}", self.kind.name), fields, outcome);
    }

    fn tell_all(&mut self, event: &'static EventKind) {
        let good = values_of(event, 1);
        self.tell("as its schema says", event.name, good.clone());
        let least = event.params.iter().map(|param| match param.count {
            Count::One => fitting(param, 2),
            Count::Optional | Count::Many(_) => Cbor::List(vec![]),
        });
        self.tell("with as little as may be", event.name, least.collect());
        self.tell("one value more", event.name, [good.clone(), vec![Cbor::Uint(1)]].concat());
        for (at, param) in event.params.iter().enumerate() {
            let mut with = |what: &str, value: Cbor| {
                let mut values = good.clone();
                values[at] = value;
                self.tell(&format!("{} {what}", param.name), event.name, values);
            };
            match param.count {
                Count::One => with("in a list", Cbor::List(vec![fitting(param, 1)])),
                Count::Optional => with("twice", Cbor::List(vec![fitting(param, 1); 2])),
                Count::Many(_) => with("without a list", fitting(param, 1)),
            }
        }
    }
}

fn refusal(why: &BadEvent) -> Refusal {
    Refusal::of("BadEvent", why)
}

pub(crate) fn events() -> File {
    let file = File::new(
        "event",
        "Events and remarks, read against docs/schemas. What is unknown or does not fit has no effect.",
    );
    let mut told = Events { file, kind: kinds::ALL[0], is_remark: false };
    let mut tested = Vec::new();
    for kind in kinds::ALL {
        told.kind = kind;
        for (is_remark, all) in
            [(false, kind.all_events().collect::<Vec<_>>()), (true, kind.remarks.iter().collect())]
        {
            told.is_remark = is_remark;
            told.tell("no such", "applauded", vec![]);
            for event in all {
                told.tell_all(event);
                for (at, param) in event.params.iter().enumerate() {
                    let scalar = format!("{:?}", param.scalar);
                    if tested.contains(&scalar) {
                        continue;
                    }
                    tested.push(scalar);
                    for value in misfits(param) {
                        let mut values = values_of(event, 1);
                        values[at] = counted(param, vec![value]);
                        told.tell(&format!("{} that does not fit", param.name), event.name, values);
                    }
                }
            }
        }
    }
    told.file
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

const ORGS: usize = 6;
const DAY_MS: u64 = 86_400_000;
/// 4 December 2017.
const START: u64 = 1_512_345_600_000;

fn author(number: usize) -> Author {
    let classes = ["council", "trust", "ccg", "trust", "ccg", "council"];
    Author {
        org: OrgId::from_bytes([u8::try_from(number).unwrap(); 32]),
        class: classes[number].into(),
        takes_part: number != 5,
        is_sponsor: number == 0,
        is_secretariat: number < 2,
        localities: if number == 0 { vec!["bolton".into(), "bury".into()] } else { vec![] },
    }
}

/// Which histories stand here: of hundreds those that together have most events with and without
/// effect, states, and steps taken at once.
const TALES: &[(&str, &[u64])] = &[
    (
        "decision",
        &[0, 31, 71, 172, 217, 218, 268, 350, 388, 395, 430, 509, 516, 543, 574, 594, 636, 661],
    ),
    (
        "mutual_aid",
        &[2, 8, 9, 11, 33, 53, 55, 76, 112, 132, 135, 174, 180, 211, 310, 332, 385, 525],
    ),
    ("standard", &[12, 31, 61, 137, 165, 204, 235, 323, 328, 498, 595, 656, 688]),
];

/// A history of one artefact, written at random by organisations that do not know everything.
struct Tale {
    kind: &'static Kind,
    dice: Dice,
    links: Vec<Link>,
    said: Vec<(usize, Option<Event>)>,
    results: BTreeMap<EntryId, Decided>,
}

impl Tale {
    fn sizes(&self, org: usize) -> u64 {
        self.said.iter().filter(|(by, _)| *by == org).count() as u64
    }

    /// Writes what has an effect, most of the time.
    fn write(&mut self) {
        for _ in 0..200 {
            let id = self.propose();
            if self.dice.below(12) == 0 || !self.fold().without_effect.contains_key(&id) {
                return;
            }
            self.links.pop();
            self.said.pop();
            self.results.remove(&id);
        }
    }

    /// Anything that somebody might write next.
    fn propose(&mut self) -> EntryId {
        let org = self.dice.below(ORGS);
        let events: Vec<_> = self.kind.all_events().collect();
        let is_proposal = self.kind.name != "mutual_aid" && self.dice.below(3) == 0;
        let moves = |event: &&EventKind| !matches!(event.effect, Effect::Log | Effect::Row { .. });
        let moving: Vec<_> = events.iter().copied().filter(moves).collect();
        let event = (!is_proposal).then(|| {
            let among = if self.dice.below(5) == 0 { &events } else { &moving };
            let mut chosen = among[self.dice.below(among.len())];
            while ["withdraw", "end", "close_aid", "supersede"].contains(&chosen.name)
                && self.dice.below(30) > 0
            {
                chosen = among[self.dice.below(among.len())];
            }
            let again = ["offer", "line_quantity", "claim", "claim", "confirm", "confirm"];
            let again = self.kind.event(again[self.dice.below(again.len())]);
            let instead = again.filter(|_| self.dice.below(3) > 0);
            self.event(instead.unwrap_or(chosen))
        });
        let mut refs = Vec::new();
        for other in (0..ORGS).filter(|other| *other != org) {
            let size = self.sizes(other);
            if size > 0 && self.dice.below(5) > 0 {
                let lag = if self.dice.below(4) == 0 { self.dice.below(3) as u64 } else { 0 };
                refs.push(entry(other, size.saturating_sub(1 + lag)));
            }
        }
        let (seq, id) = (self.sizes(org), entry(org, self.sizes(org)));
        self.links.push(Link { entry: id, feed: feed(org), seq, refs });
        if event.is_none() && self.dice.below(3) > 0 {
            let is_carried = self.dice.below(3) > 0;
            let decided = if is_carried { Decided::Carried } else { Decided::NotCarried };
            self.results.insert(id, decided);
        }
        self.said.push((org, event));
        id
    }

    fn event(&mut self, kind: &'static EventKind) -> Event {
        let values = kind.params.iter().map(|param| {
            let value = match (param.scalar, param.name) {
                (Scalar::Entry, _) if !self.links.is_empty() => {
                    let about = if param.name == "claim" { Some("claim") } else { None };
                    Cbor::Bytes(self.named(about).as_bytes().to_vec())
                }
                (_, "offered_by") => {
                    Cbor::Bytes(vec![u8::try_from(self.dice.below(6) / 5).unwrap(); 32])
                }
                (_, "line") => Cbor::Text("beds".into()),
                _ => fitting(param, u8::try_from(self.dice.below(12)).unwrap()),
            };
            counted(param, vec![value])
        });
        Event { name: kind.name.into(), values: values.collect() }
    }

    /// One of the entries so far, of this event if there is one.
    fn named(&mut self, about: Option<&str>) -> EntryId {
        let said = self.links.iter().zip(&self.said);
        let fits = said.filter(|(_, (_, event))| {
            about.is_some() && event.as_ref().map(|event| event.name.as_str()) == about
        });
        let fits: Vec<EntryId> = fits.map(|(link, _)| link.entry).collect();
        if fits.is_empty() || self.dice.below(8) == 0 {
            return self.links[self.dice.below(self.links.len())].entry;
        }
        fits[self.dice.below(fits.len())]
    }

    fn fold(&self) -> Lifecycle {
        let pasts = pasts(&self.links);
        let said = self.links.iter().zip(&self.said);
        let facts: Vec<Fact> = said
            .map(|(link, (org, event))| Fact {
                entry: link.entry,
                feed: link.feed,
                epoch: 0,
                seq: link.seq,
                past: pasts[&link.entry].clone(),
                author: author(*org),
                at: TimeMs(START),
                settled: true,
                body: event.clone().map_or(Body::Proposal, Body::Event),
            })
            .collect();
        fold(Case { kind: self.kind, opener: author(0).org, results: &self.results }, &facts)
    }
}

fn feed(org: usize) -> FeedId {
    FeedId::from_bytes([u8::try_from(org).unwrap(); 32])
}

fn entry(org: usize, seq: u64) -> EntryId {
    let mut bytes = [u8::try_from(org * 37 % 7).unwrap(); 32];
    bytes[1] = u8::try_from(org).unwrap();
    bytes[2] = u8::try_from(seq).unwrap();
    EntryId::from_bytes(bytes)
}

/// Why a fact has no effect, in one word.
fn reason(why: &NoEffect) -> &'static str {
    match why {
        NoEffect::Unreadable(_) => "does-not-fit",
        NoEffect::NotAllowed { .. } => "not-allowed",
        NoEffect::WrongState { .. } => "wrong-state",
        NoEffect::Waits { .. } => "waits",
        NoEffect::Lacking { .. } => "lacking",
        NoEffect::NoProposals => "no-proposals",
        NoEffect::NotThere { .. } => "not-there",
        NoEffect::TooLate => "too-late",
        NoEffect::NoLine { .. } => "no-line",
        NoEffect::Backwards { .. } => "backwards",
        NoEffect::Nothing { .. } => "nothing",
        NoEffect::AboveLine { .. } => "above-line",
        NoEffect::AboveClaim { .. } => "above-claim",
    }
}

fn tale(kind: &'static Kind, number: u64) -> (Value, Value) {
    let seed = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number + 1) | 1;
    let (links, said, results) = (vec![], vec![], BTreeMap::new());
    let mut tale = Tale { kind, dice: Dice(seed), links, said, results };
    for _ in 0..10 + tale.dice.below(14) {
        tale.write();
    }
    told(&tale)
}

/// What one organisation says, and which entries of others it names.
type Line<'a> = (usize, &'a str, Vec<Cbor>, &'a [(usize, u64)]);

/// A history that is written out.
fn story(kind: &'static Kind, lines: Vec<Line<'_>>, results: &[(usize, u64, Decided)]) -> Tale {
    let results = results.iter().map(|(org, seq, decided)| (entry(*org, *seq), *decided));
    let (links, said, results) = (vec![], vec![], results.collect());
    let mut story = Tale { kind, dice: Dice(1), links, said, results };
    for (org, name, values, refs) in lines {
        let refs = refs.iter().map(|(org, seq)| entry(*org, *seq)).collect();
        let seq = story.sizes(org);
        story.links.push(Link { entry: entry(org, seq), feed: feed(org), seq, refs });
        let event = (name != "proposal").then(|| Event { name: name.into(), values });
        story.said.push((org, event));
    }
    story
}

fn text(text: &str) -> Cbor {
    Cbor::Text(text.into())
}

fn named(org: usize, seq: u64) -> Cbor {
    Cbor::Bytes(entry(org, seq).as_bytes().to_vec())
}

/// A claim that is given up while it is confirmed; steps that cross a result, wait for one, and are
/// upheld.
fn stories() -> Vec<(&'static str, Tale)> {
    let (decision, aid) = (kinds::ALL[0], kinds::ALL[1]);
    let times = || [text("2017-12-09T20:00Z"), text("2017-12-10T08:00Z")];
    let quantity = || [vec![text("beds"), text("3"), text("bed")], times().to_vec()].concat();
    let lender = Cbor::Bytes(vec![0; 32]);
    let claim = [vec![lender, text("beds"), text("3")], times().to_vec()].concat();
    let given_up = vec![
        (0, "line_quantity", quantity(), &[][..]),
        (0, "offer", vec![text("2017-12-08T12:00Z")], &[]),
        (1, "claim", claim, &[(0, 1)]),
        (0, "line_quantity", quantity(), &[(1, 0)]),
        (0, "confirm", vec![named(1, 0), text("1")], &[]),
        (1, "give_up_claim", vec![named(1, 0)], &[]),
        (0, "confirm", vec![named(1, 0), text("1")], &[]),
        (0, "confirm", vec![named(1, 0), text("1")], &[(1, 1)]),
    ];
    let put = || vec![(0, "consult", vec![], &[][..]), (1, "proposal", vec![], &[(0, 0)][..])];
    let with = |more: Vec<Line<'static>>| [put(), more].concat();
    let why = || vec![text("no")];
    let uphold = |org, seq| vec![named(org, seq), Cbor::List(vec![])];
    let crossed = || with(vec![(0, "withdraw", why(), &[(1, 0)])]);
    let upheld = |step| [crossed(), vec![(1, "uphold", step, &[(0, 1)][..])]].concat();
    let early =
        || with(vec![(1, "begin_ratification", vec![], &[]), (0, "withdraw", why(), &[(1, 1)])]);
    let (carried, failed) = ([(1, 0, Decided::Carried)], [(1, 0, Decided::NotCarried)]);
    let told = |lines, results: &[_]| story(decision, lines, results);
    vec![
        ("a claim is given up meanwhile", story(aid, given_up, &[])),
        ("withdrawn while it was carried", told(crossed(), &carried)),
        ("withdrawn before it failed", told(crossed(), &failed)),
        ("the result upheld", told(upheld(uphold(1, 0)), &carried)),
        ("a result upheld that is open", told(upheld(uphold(1, 0)), &[])),
        ("a result upheld that failed", told(upheld(uphold(1, 0)), &failed)),
        ("the step upheld", told(upheld(uphold(0, 1)), &carried)),
        ("a step before its result", told(early(), &[])),
        ("a step before its result, carried", told(early(), &carried)),
        ("a step before its result, failed", told(early(), &failed)),
    ]
}

fn told(tale: &Tale) -> (Value, Value) {
    let kind = tale.kind;
    let found = tale.fold();
    let told: Vec<Value> = tale
        .links
        .iter()
        .zip(&tale.said)
        .map(|(link, (org, event))| {
            let refs: Vec<String> = link.refs.iter().map(ToString::to_string).collect();
            let event = event.as_ref().map(|event| hex(&event.to_bytes()));
            json!({ "entry": link.entry.to_string(), "by": org, "seq": link.seq, "refs": refs, "event": event })
        })
        .collect();
    let carried = |decided: &Decided| *decided == Decided::Carried;
    let results: BTreeMap<String, bool> =
        tale.results.iter().map(|(id, decided)| (id.to_string(), carried(decided))).collect();
    let times = [0, 4, 7, 10, 100].map(|days| START + days * DAY_MS);
    let shown: Vec<Value> =
        times.iter().map(|at| json!([at, found.at(TimeMs(*at)).name])).collect();
    let without: BTreeMap<String, &str> =
        found.without_effect.iter().map(|(id, why)| (id.to_string(), reason(why))).collect();
    let rows: Vec<Value> = found
        .rows
        .iter()
        .map(|(key, row)| json!([key.table, key.org.to_string(), row.entry.to_string()]))
        .collect();
    let lines: Vec<Value> = found
        .capacity
        .lines
        .iter()
        .map(|(key, line)| {
            json!([
                key.org.to_string(),
                key.line,
                line.qty,
                line.confirmed,
                line.unanswered,
                line.remaining(),
                line.short_by(),
                line.over_claimed()
            ])
        })
        .collect();
    let says = json!({
        "state": found.base,
        "tips": found.tips.iter().map(|tip| tip.entry.to_string()).collect::<Vec<_>>(),
        "holds": found.holds.iter().map(|hold| hold.entry.to_string()).collect::<Vec<_>>(),
        "without_effect": without, "rows": rows, "lines": lines, "shown": shown,
    });
    (json!({ "kind": kind.name, "version": kind.version, "facts": told, "results": results }), says)
}

pub(crate) fn lifecycles() -> File {
    let mut file = File::new(
        "lifecycle",
        "What artefacts come to. Every fact counts and is settled; `by` is the number of the author, and of \
         its feed. Organisations 0 to 5 have ids of 32 such bytes and the classes council, trust, ccg, \
         trust, ccg, council; 0 opened the artefact, 0 and 1 are the secretariat, 0 writes for bolton and \
         bury, 5 takes no part. `event` is the payload, null for a proposal; `results` says which are \
         fixed, and which of these carried. Lines: organisation, line, and in thousandths quantity, \
         confirmed, unanswered, remaining, short by, over-claimed. `shown` at times in ms. Why something \
         has no effect is for people.",
    );
    for (name, numbers) in TALES {
        let kind = kinds::ALL.iter().find(|kind| kind.name == *name).unwrap();
        for number in numbers.iter().copied() {
            let (fields, says) = tale(kind, number);
            file.case(&format!("{} {number}", kind.name), fields, Ok(says));
        }
    }
    for (name, story) in stories() {
        let (fields, says) = told(&story);
        file.case(&format!("{}: {name}", story.kind.name), fields, Ok(says));
    }
    file
}
