//! JSON Schemas of the kinds and the lists of codes, from the same data as everything else.
//!
//! ```text
//! document   { field: value, …, list: { item id: { …, order, removed } } }        as exported
//! $defs      one schema an event and a remark: [ name, [value…] ], with ids as text
//! x-…        what JSON Schema has no word for: labels, how a field merges, who may write
//! ```
//!
//! Draft 2020-12. Sets are arrays of distinct values. Nothing is required of a document: fields are
//! filled one by one, and what a step needs stands with the step. The writer is our own and small,
//! since a JSON crate would be the largest thing that the core depends on.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use super::{
    codes,
    kind::{
        Among, CodeList, Count, Effect, EventKind, Field, Kind, Meanwhile, Need, ORDER, Param,
        REMOVED, Role, Scalar, Shape, Source, State, Transition, Trigger, Who,
    },
};

/// The schema of a kind, as the text of a file.
#[must_use]
pub fn of_kind(kind: &Kind) -> String {
    let fields = kind.all_fields().map(|field| (field.name, of_field(field)));
    let said = kind.all_events().chain(kind.remarks);
    let events = said.map(|event| (event.name, of_event(event)));
    let names = |events: &mut dyn Iterator<Item = &EventKind>| {
        Json::List(events.map(|event| Json::text(event.name)).collect())
    };
    Json::map([
        ("$schema", Json::text("https://json-schema.org/draft/2020-12/schema")),
        ("$id", Json::Text(alloc::format!("concordat:{}:{}", kind.name, kind.version))),
        ("title", Json::text(kind.label)),
        ("type", Json::text("object")),
        ("additionalProperties", Json::Bool(false)),
        ("properties", Json::map(fields)),
        ("x-events", names(&mut kind.all_events())),
        ("x-remarks", names(&mut kind.remarks.iter())),
        ("x-states", Json::List(kind.states.iter().map(of_state).collect())),
        ("x-transitions", Json::List(kind.transitions.iter().map(of_transition).collect())),
        ("$defs", Json::map(events)),
    ])
    .to_file()
}

/// All lists of codes, as the text of a file.
#[must_use]
pub fn of_codes() -> String {
    let list = |list: &&CodeList| {
        let codes = list.codes.iter().map(|(code, label)| (*code, Json::text(label)));
        let lists = [
            ("title", Json::text(list.label)),
            ("illustrative", Json::Bool(list.source == Source::Board)),
            ("codes", Json::map(codes)),
        ];
        (list.name, Json::map(lists))
    };
    Json::map(codes::LISTS.iter().map(list)).to_file()
}

fn of_field(field: &Field) -> Json {
    let (mut parts, merges) = match field.shape {
        Shape::Text => (alloc::vec![("type", Json::text("string"))], "text"),
        Shape::Scalar(scalar) => (of_scalar(scalar), "person-chooses"),
        Shape::Cosmetic(scalar) => (of_scalar(scalar), "last-writer"),
        Shape::Set(scalar) => (
            alloc::vec![
                ("type", Json::text("array")),
                ("uniqueItems", Json::Bool(true)),
                ("items", Json::map(of_scalar(scalar))),
            ],
            "adding-wins",
        ),
        Shape::List(fields) => (
            alloc::vec![
                ("type", Json::text("object")),
                ("additionalProperties", of_object(fields, true)),
            ],
            "edited-item-stays",
        ),
        Shape::Record(fields) => {
            let Json::Map(parts) = of_object(fields, false) else {
                return Json::map([]);
            };
            (parts, "part-by-part")
        }
    };
    parts.insert(0, ("title", Json::text(field.label)));
    parts.push(("x-merges", Json::text(merges)));
    parts.push(("x-decidable", Json::Bool(field.decidable)));
    match field.meanwhile {
        Meanwhile::None => {}
        Meanwhile::Earliest => parts.push(("x-meanwhile", Json::text("earliest"))),
        Meanwhile::Strictest => parts.push(("x-meanwhile", Json::text("last-of-enum"))),
    }
    Json::Map(parts)
}

fn of_object(fields: &[Field], is_item: bool) -> Json {
    let mut properties: Vec<_> = fields.iter().map(|field| (field.name, of_field(field))).collect();
    if is_item {
        properties.push((ORDER, Json::map([("type", Json::text("string"))])));
        properties.push((REMOVED, Json::map([("type", Json::text("boolean"))])));
    }
    Json::map([
        ("type", Json::text("object")),
        ("additionalProperties", Json::Bool(false)),
        ("properties", Json::Map(properties)),
    ])
}

/// A scalar as a document has it.
fn of_scalar(scalar: Scalar) -> Vec<(&'static str, Json)> {
    let integer = |min, max| {
        alloc::vec![
            ("type", Json::text("integer")),
            ("minimum", Json::Number(min)),
            ("maximum", Json::Number(max)),
        ]
    };
    let pattern =
        |pattern| alloc::vec![("type", Json::text("string")), ("pattern", Json::text(pattern))];
    match scalar {
        Scalar::Text { max } => alloc::vec![
            ("type", Json::text("string")),
            ("minLength", Json::Number(1)),
            ("maxLength", Json::Number(max)),
        ],
        Scalar::Int { min, max, unit } => {
            let mut parts = integer(min, max);
            if !unit.is_empty() {
                parts.push(("x-unit", Json::text(unit)));
            }
            parts
        }
        Scalar::Money => {
            let mut parts = integer(0, (1 << 53) - 1);
            parts.push(("x-unit", Json::text("pence")));
            parts
        }
        Scalar::Bool => alloc::vec![("type", Json::text("boolean"))],
        Scalar::Decimal => pattern(r"^(0|[1-9][0-9]{0,8})(\.[0-9]{0,2}[1-9])?$"),
        Scalar::Date => pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
        Scalar::DateTime => pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}Z$"),
        Scalar::Year => pattern("^[0-9]{4}/[0-9]{2}$"),
        Scalar::Enum(values) => alloc::vec![("enum", Json::texts(values))],
        Scalar::Code(list) => of_code(list),
        Scalar::Url => pattern(r"^https?://[^/\s]\S*$"),
        Scalar::Org => pattern("^org-[a-z2-7]{52}$"),
        Scalar::Artefact => pattern("^artefact-[a-z2-7]{52}$"),
        Scalar::Entry => pattern("^entry-[a-z2-7]{52}$"),
        Scalar::Hash => pattern("^[0-9a-f]{64}$"),
    }
}

fn of_code(list: &CodeList) -> Vec<(&'static str, Json)> {
    let codes = || list.codes.iter().map(|(code, _)| Json::text(code)).collect();
    match list.source {
        Source::Schema => {
            alloc::vec![("enum", Json::List(codes())), ("x-codes", Json::text(list.name))]
        }
        Source::Board => alloc::vec![
            ("type", Json::text("string")),
            ("pattern", Json::text("^[a-z0-9_-]{1,64}$")),
            ("examples", Json::List(codes())),
            ("x-codes", Json::text(list.name)),
        ],
    }
}

fn of_event(event: &EventKind) -> Json {
    let values: Vec<_> = event.params.iter().map(of_param).collect();
    let count = values.len() as u64;
    let values = Json::map([
        ("type", Json::text("array")),
        ("prefixItems", Json::List(values)),
        ("minItems", Json::Number(count)),
        ("maxItems", Json::Number(count)),
    ]);
    let name = Json::map([("const", Json::text(event.name))]);
    let mut parts = alloc::vec![
        ("title", Json::text(event.label)),
        ("type", Json::text("array")),
        ("prefixItems", Json::List(alloc::vec![name, values])),
        ("minItems", Json::Number(2)),
        ("maxItems", Json::Number(2)),
        ("x-who", of_who(event.who)),
        ("x-effect", of_effect(event.effect)),
    ];
    if !event.during.is_empty() {
        parts.push(("x-during", Json::texts(event.during)));
    }
    Json::Map(parts)
}

fn of_effect(effect: Effect) -> Json {
    match effect {
        Effect::Log => Json::text("kept"),
        Effect::Row { table, key } => {
            Json::map([("row-of", Json::text(table)), ("leading", Json::Number(key as u64))])
        }
        Effect::Move => Json::text("step"),
        Effect::Hold { state } => Json::map([("hold", Json::text(state))]),
        Effect::LetGo { instead: None } => Json::text("let-go"),
        Effect::LetGo { instead: Some((value, state)) } => Json::map([
            ("let-go", Json::text("and, if the last value is the one given, step")),
            ("value", Json::text(value)),
            ("to", Json::text(state)),
        ]),
        Effect::Uphold => Json::text("uphold"),
        Effect::Capacity(_) => Json::text("capacity"),
    }
}

fn of_param(param: &Param) -> Json {
    let mut one =
        alloc::vec![("title", Json::text(param.label)), ("x-name", Json::text(param.name)),];
    // A truth value is a number in an event.
    if param.scalar == Scalar::Bool {
        one.push(("enum", Json::List(alloc::vec![Json::Number(0), Json::Number(1)])));
    } else {
        one.extend(of_scalar(param.scalar));
    }
    let max = match param.count {
        Count::One => return Json::Map(one),
        Count::Optional => 1,
        Count::Many(max) => max,
    };
    Json::map([
        ("type", Json::text("array")),
        ("maxItems", Json::Number(max)),
        ("items", Json::Map(one)),
    ])
}

fn of_who(who: Who) -> Json {
    let org = match who.org {
        Among::Members => Json::text("members"),
        Among::Sponsor => Json::text("sponsor"),
        Among::Secretariat => Json::text("secretariat"),
        Among::Classes(classes) => Json::texts(classes),
        Among::Locality => Json::text("locality-named"),
        Among::Offering => Json::text("offering-side"),
        Among::Requesting => Json::text("requesting-side"),
        Among::Author => Json::text("author-of-entry-named"),
    };
    Json::map([("organisation", org), ("role", Json::text(Role::name(who.role)))])
}

fn of_state(state: &State) -> Json {
    let mut parts = alloc::vec![
        ("name", Json::text(state.name)),
        ("title", Json::text(state.label)),
        ("caution", Json::text(state.caution.name())),
    ];
    if !state.clock.is_empty() {
        let turn = |clock: &super::kind::Clock| {
            let when = if clock.after { "after" } else { "from" };
            Json::map([(when, Json::text(clock.param)), ("becomes", Json::text(clock.becomes))])
        };
        parts.push(("clock", Json::List(state.clock.iter().map(turn).collect())));
    }
    Json::Map(parts)
}

fn of_transition(transition: &Transition) -> Json {
    let by = match transition.by {
        Trigger::Event(name) => ("event", Json::text(name)),
        Trigger::Proposal(who) => ("proposal", of_who(who)),
        Trigger::Carried => ("result", Json::text("carried")),
        Trigger::NotCarried => ("result", Json::text("not-carried")),
    };
    let mut parts =
        alloc::vec![by, ("from", Json::texts(transition.from)), ("to", Json::text(transition.to))];
    if !transition.needs.is_empty() {
        parts.push(("needs", Json::List(transition.needs.iter().map(of_need).collect())));
    }
    Json::Map(parts)
}

fn of_need(need: &Need) -> Json {
    match *need {
        Need::Filled(field) => Json::map([("filled", Json::text(field))]),
        Need::NoConflict => Json::text("no-conflict"),
        Need::Sum { total, list, amount } => Json::map([
            ("sum-of", Json::Text(alloc::format!("{list}.{amount}"))),
            ("is", Json::text(total)),
        ]),
        Need::NotPassed(field) => Json::map([("not-passed", Json::text(field))]),
        Need::Item { list, field, value } => Json::map([
            ("item-of", Json::text(list)),
            ("field", Json::text(field)),
            ("is", Json::text(value)),
        ]),
        Need::Above { field, pence, event } => Json::map([
            ("above", Json::Number(pence)),
            ("field", Json::text(field)),
            ("event", Json::text(event)),
        ]),
        Need::EachOf { class, event } => {
            Json::map([("each-of", Json::text(class)), ("event", Json::text(event))])
        }
        Need::From { class, least, event, value } => Json::map([
            ("at-least", Json::Number(least as u64)),
            ("of", Json::text(class)),
            ("event", Json::text(event)),
            ("is", Json::text(value)),
        ]),
        Need::NothingConfirmed => Json::text("nothing-confirmed"),
    }
}

/// A JSON value; members of objects stay in the order in which they were written.
enum Json {
    Bool(bool),
    Number(u64),
    Text(String),
    List(Vec<Self>),
    Map(Vec<(&'static str, Self)>),
}

impl Json {
    fn text(text: &str) -> Self {
        Self::Text(text.to_string())
    }

    fn texts(texts: &[&str]) -> Self {
        Self::List(texts.iter().map(|text| Self::text(text)).collect())
    }

    fn map(members: impl IntoIterator<Item = (&'static str, Self)>) -> Self {
        Self::Map(members.into_iter().collect())
    }

    fn to_file(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, 0);
        out.push('\n');
        out
    }

    fn write(&self, out: &mut String, depth: usize) {
        match self {
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Text(text) => write_text(out, text),
            Self::List(items) => {
                let write =
                    |item: &Self, out: &mut String| item.write(out, depth.saturating_add(1));
                write_items(out, depth, ['[', ']'], items, write);
            }
            Self::Map(members) => {
                let write = |(name, value): &(&str, Self), out: &mut String| {
                    write_text(out, name);
                    out.push_str(": ");
                    value.write(out, depth.saturating_add(1));
                };
                write_items(out, depth, ['{', '}'], members, write);
            }
        }
    }
}

fn write_items<T>(
    out: &mut String,
    depth: usize,
    [open, close]: [char; 2],
    items: &[T],
    write: impl Fn(&T, &mut String),
) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(core::iter::repeat_n("  ", depth));
    };
    out.push(open);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        line(out, depth.saturating_add(1));
        write(item, out);
    }
    if !items.is_empty() {
        line(out, depth);
    }
    out.push(close);
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => out.push_str(&alloc::format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
