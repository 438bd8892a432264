//! A board for tests: organisations that write what they like, each knowing what it has met.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use crate::{
    artefact::{
        calendar,
        kind::{Count, Kind, Param, Scalar},
        lifecycle::{Author, Body, Case, Decided, Fact, Frontier, Lifecycle, fold},
    },
    hash::{EntryId, FeedId, OrgId},
    payload::Event,
    time::TimeMs,
    value::Value,
};

/// The organisations of every test board: a number and what the charter says.
pub(super) const SPONSOR: u8 = 1;
pub(super) const SECRETARIAT: u8 = 2;
pub(super) const COUNCIL: u8 = 3;
pub(super) const TRUST: u8 = 4;
pub(super) const CCG: u8 = 5;
pub(super) const OFFICE: u8 = 6;
pub(super) const OBSERVER: u8 = 7;
pub(super) const TRUST_2: u8 = 8;
pub(super) const CCG_2: u8 = 9;
pub(super) const COUNCIL_2: u8 = 10;
pub(super) const ALL: [u8; 10] =
    [SPONSOR, SECRETARIAT, COUNCIL, TRUST, CCG, OFFICE, OBSERVER, TRUST_2, CCG_2, COUNCIL_2];

pub(super) fn org(number: u8) -> OrgId {
    OrgId::from_bytes([number; 32])
}

fn author(number: u8) -> Author {
    let class = match number {
        SPONSOR | OFFICE | OBSERVER => "partnership_office",
        COUNCIL | COUNCIL_2 => "council",
        TRUST | TRUST_2 => "trust",
        _ => "ccg",
    };
    Author {
        org: org(number),
        class: class.into(),
        takes_part: number != OBSERVER,
        is_sponsor: number == SPONSOR,
        is_secretariat: number == SECRETARIAT,
        localities: if number == COUNCIL { vec!["bury".into()] } else { vec![] },
    }
}

/// What has been written on one artefact, and who knows what.
#[derive(Debug, Clone)]
pub(super) struct Board {
    pub(super) kind: &'static Kind,
    pub(super) facts: Vec<Fact>,
    pub(super) results: BTreeMap<EntryId, Decided>,
    knows: BTreeMap<u8, Frontier>,
}

impl Board {
    pub(super) fn new(kind: &'static Kind) -> Self {
        Self { kind, facts: vec![], results: BTreeMap::new(), knows: BTreeMap::new() }
    }

    /// An organisation writes, knowing what it knows.
    pub(super) fn write(&mut self, by: u8, body: Body) -> EntryId {
        let feed = FeedId::from_bytes([by; 32]);
        let seq = self.facts.iter().filter(|fact| fact.feed == feed).count() as u64;
        let mut bytes = [0; 32];
        // Ids that do not sort as they were written.
        bytes[0] = u8::try_from(seq * 151 % 251).unwrap() ^ by;
        bytes[1..9].copy_from_slice(&seq.to_be_bytes());
        bytes[9] = by;
        let entry = EntryId::from_bytes(bytes);
        let knows = self.knows.entry(by).or_default();
        let past = knows.clone();
        knows.add(feed, seq + 1);
        let at = TimeMs(1_512_345_600_000);
        let author = author(by);
        self.facts.push(Fact { entry, feed, epoch: 0, seq, past, author, at, settled: true, body });
        entry
    }

    /// An organisation writes after it has met everybody, and everybody learns of it.
    pub(super) fn say(&mut self, by: u8, name: &str, values: Vec<Value>) -> EntryId {
        self.meet();
        self.apart(by, name, values)
    }

    /// An organisation writes what nobody learns of yet.
    pub(super) fn apart(&mut self, by: u8, name: &str, values: Vec<Value>) -> EntryId {
        self.write(by, Body::Event(Event { name: name.into(), values }))
    }

    pub(super) fn propose(&mut self, by: u8) -> EntryId {
        self.meet();
        self.write(by, Body::Proposal)
    }

    pub(super) fn carry(&mut self, proposal: EntryId) {
        self.results.insert(proposal, Decided::Carried);
    }

    pub(super) fn fail(&mut self, proposal: EntryId) {
        self.results.insert(proposal, Decided::NotCarried);
    }

    /// One organisation learns what another knows.
    pub(super) fn learn(&mut self, learner: u8, from: u8) {
        let known = self.knows.get(&from).cloned().unwrap_or_default();
        self.knows.entry(learner).or_default().join(&known);
    }

    /// Everybody learns everything.
    pub(super) fn meet(&mut self) {
        let mut all = Frontier::default();
        self.knows.values().for_each(|known| all.join(known));
        self.knows = ALL.into_iter().map(|number| (number, all.clone())).collect();
    }

    pub(super) fn fold(&self) -> Lifecycle {
        self.fold_of(&self.facts)
    }

    pub(super) fn fold_of(&self, facts: &[Fact]) -> Lifecycle {
        let case = Case { kind: self.kind, opener: org(SPONSOR), results: &self.results };
        fold(case, facts)
    }

    /// The state shown on a day.
    pub(super) fn on(&self, day: &str) -> &'static str {
        self.fold().at(calendar::day(day).unwrap()).name
    }

    pub(super) fn why_not(&self, entry: EntryId) -> String {
        let fold = self.fold();
        fold.without_effect.get(&entry).map(ToString::to_string).unwrap_or_default()
    }
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

pub(super) fn entry(id: EntryId) -> Value {
    Value::Bytes(id.as_bytes().to_vec())
}

pub(super) fn some(value: Value) -> Value {
    Value::List(vec![value])
}

pub(super) fn none() -> Value {
    Value::List(vec![])
}

/// Values that fit an event; every entry named is `about`, every enumeration its `choice`th.
pub(super) fn fitting(params: &[Param], about: EntryId, choice: usize) -> Vec<Value> {
    let one = |param: &Param| match param.scalar {
        Scalar::Text { .. } => text("bury"),
        Scalar::Int { min, .. } => Value::Uint(min),
        Scalar::Money | Scalar::Bool => Value::Uint(1),
        Scalar::Decimal => text("3"),
        Scalar::Date => text("2017-12-04"),
        Scalar::DateTime if param.name == "from" => text("2017-12-09T20:00Z"),
        Scalar::DateTime => text("2017-12-10T08:00Z"),
        Scalar::Year => text("2017/18"),
        Scalar::Enum(values) => text(values[choice % values.len()]),
        Scalar::Code(list) if list.name == "localities" => text("bury"),
        Scalar::Code(list) => text(list.codes[0].0),
        Scalar::Url => text("https://example.org/paper"),
        Scalar::Entry => entry(about),
        Scalar::Org => Value::Bytes(org(SPONSOR).as_bytes().to_vec()),
        Scalar::Artefact | Scalar::Hash => Value::Bytes(vec![9; 32]),
    };
    let placed = |param: &Param| match param.count {
        Count::One => one(param),
        Count::Optional => some(one(param)),
        Count::Many(_) => none(),
    };
    params.iter().map(placed).collect()
}
