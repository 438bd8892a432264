//! Vectors of the verdict: changes good and bad, each after others.

use concordat_protocol::{
    codec::hex,
    limits::CHANGE_BYTES_MAX,
    verdict::{ActorPrefix, History, Judgement},
};
use serde_json::{Value, json};

use super::File;
use crate::support::{
    change::{Change, Id, Key, Op, action, hash_of, signed},
    decoders::Refusal,
    hostile::{Expected, Ground},
};

const FEED: ActorPrefix = ActorPrefix([0x11; 16]);
/// Longer rows of the hostile table are tests alone.
const VECTOR_BYTES_MAX: usize = 5_000;

/// Changes with names, the skeleton first.
struct Story {
    file: File,
    told: Vec<(&'static str, Vec<u8>)>,
}

impl Story {
    fn history(&self, after: &[&str]) -> History {
        let find = |name: &&str| &self.told.iter().find(|(told, _)| told == name).unwrap().1;
        let mut changes = after.iter().map(find);
        let mut history = History::new(changes.next().unwrap()).unwrap();
        for change in changes {
            let Judgement::Good(judged) = history.judge(change, FEED) else { panic!("{after:?}") };
            history.admit(judged);
        }
        history
    }

    fn tell(&mut self, name: &'static str, after: &[&'static str], change: &[u8]) {
        self.tell_as(name, after, change, json!(hex(change)));
    }

    fn tell_as(&mut self, name: &str, after: &[&'static str], change: &[u8], written: Value) {
        let outcome = if after.is_empty() {
            History::new(change).unwrap();
            Ok(json!({ "outcome": "good", "hash": hex(&hash_of(change)) }))
        } else {
            match self.history(after).judge(change, FEED) {
                Judgement::Good(judged) => Ok(json!({
                    "outcome": "good",
                    "hash": judged.hash().to_string(),
                    "seq": judged.seq(),
                    "max_op": judged.max_op(),
                })),
                Judgement::Waiting { missing } => {
                    let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
                    Ok(json!({ "outcome": "waiting", "missing": missing }))
                }
                Judgement::Refused(rule) => {
                    Err(Refusal { code: rule.code().to_string(), detail: rule.to_string() })
                }
            }
        };
        let fields = json!({ "after": after, "feed": hex(&FEED.0), "change": written });
        self.file.case(name, fields, outcome);
    }

    /// A good change on which others build.
    fn keep(&mut self, name: &'static str, after: &[&'static str], change: Vec<u8>) {
        self.tell(name, after, &change);
        self.told.push((name, change));
    }
}

pub(crate) fn verdict() -> File {
    let file = File::new(
        "verdict",
        "Verdicts on changes. `after` names the good vectors that are admitted before, in order; the \
         first is the skeleton. `feed` is the first half of its actors' ids. The two bounds of whole \
         documents need too many bytes to stand here.",
    );
    let mut story = Story { file, told: Vec::new() };
    let skeleton = Change {
        dependencies: Vec::new(),
        actor: vec![0; 32],
        seq: 1,
        start_op: 1,
        time: 0,
        message: Vec::new(),
        operations: vec![Op::on_key("title", action::TEXT)],
        extra: Vec::new(),
    };
    let skeleton = skeleton.to_bytes();
    let ground = Ground::over(hash_of(&skeleton), 1, FEED.0);
    story.keep("skeleton", &[], skeleton);
    story.keep("base", &["skeleton"], ground.base.clone());
    story.keep("concurrent", &["skeleton", "base"], ground.concurrent.clone());
    story.keep("rich", &["skeleton", "base"], rich(&ground).to_bytes());
    let next = Change {
        dependencies: vec![hash_of(&rich(&ground).to_bytes())],
        seq: 2,
        start_op: ground.max_op + 9 + rich(&ground).operations.len() as u64,
        ..ground.change(5, vec![Op::put("k", 3)])
    };
    story.tell("next of its actor", &["skeleton", "base", "rich"], &next.to_bytes());
    let too_long = vec![0; CHANGE_BYTES_MAX + 1];
    let written = json!({ "repeat": "00", "times": too_long.len() });
    story.tell_as("one byte too long", &["skeleton", "base"], &too_long, written);
    for row in ground.rows().iter().filter(|row| row.bytes.len() <= VECTOR_BYTES_MAX) {
        let mut after = vec!["skeleton", "base"];
        for (name, change) in ["one side", "other side"].into_iter().zip(&row.before) {
            story.keep(name, &["skeleton", "base"], change.clone());
            after.push(name);
        }
        if row.expected == Expected::GoodAfterConcurrent {
            after.push("concurrent");
        }
        story.tell(row.name, &after, &row.bytes);
    }
    story.file
}

/// One change with something of everything.
fn rich(ground: &Ground) -> Change {
    let (text, list) = (ground.id(1, 1), ground.id(2, 1));
    let own = |counter| ground.id(counter, 5);
    let element = |object: &Id, element: Id, op: Op| Op {
        object: Some(object.clone()),
        key: Key::Element(element.clone()),
        ..op.over(&[element])
    };
    let value = |kind, bytes: &[u8], key: &str| Op {
        value: (kind, bytes.to_vec()),
        ..Op::on_key(key, action::PUT)
    };
    let increment = Op { value: (4, signed(-2)), ..Op::on_key("count", action::INCREMENT) };
    Change {
        time: 1_700_000_000,
        message: "something of everything".into(),
        ..ground.change(
            5,
            vec![
                Op::insert_text(text.clone(), Some(ground.id(5, 1)), "h"),
                Op::insert_text(text.clone(), Some(own(9)), "é"),
                Op::insert_text(text.clone(), Some(own(10)), "🌍"),
                element(&text, ground.id(6, 1), Op::on_key("", action::DELETE)),
                Op { expand: true, ..Op::mark_begin(text.clone(), Some(ground.id(5, 1))) },
                Op::mark_end(text.clone(), Some(own(11))),
                Op::insert(text, Some(own(11)), action::MAP),
                Op::put("level", 1).within(own(15)),
                element(&list, ground.id(7, 1), value(6, "seven".as_bytes(), "")),
                value(8, &signed(5), "count"),
                increment.over(&[own(18)]),
                value(0, &[], "null"),
                value(1, &[], "no"),
                value(2, &[], "yes"),
                value(3, &[7], "unsigned"),
                value(5, &1.5f64.to_le_bytes(), "float"),
                value(7, &[1, 2], "bytes"),
                value(9, &signed(1_700_000_000), "time"),
            ],
        )
    }
}
