//! The verdict on any bytes, over a history that has a text, lists and a map.

#![no_main]

#[path = "../../protocol/tests/support/change.rs"]
#[allow(dead_code, reason = "made for the tests, of which this needs a part")]
mod change;
#[path = "../../protocol/tests/support/hostile.rs"]
#[allow(dead_code, reason = "made for the tests, of which this needs a part")]
mod hostile;

use concordat_protocol::verdict::{ActorPrefix, History, Judgement};

const FEED: ActorPrefix = ActorPrefix([0x11; 16]);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let skeleton = change::Change {
        dependencies: Vec::new(),
        actor: vec![0; 32],
        seq: 1,
        start_op: 1,
        time: 0,
        message: Vec::new(),
        operations: vec![change::Op::on_key("title", change::action::TEXT)],
        extra: Vec::new(),
    };
    let skeleton = skeleton.to_bytes();
    let ground = hostile::Ground::over(change::hash_of(&skeleton), 1, FEED.0);
    let Ok(mut history) = History::new(&skeleton) else { return };
    // With the checksum put right the fuzzer gets past the envelope.
    let repaired = change::rehashed(bytes.to_vec());
    for raw in [&ground.base[..], &ground.concurrent, bytes, &repaired] {
        if let Judgement::Good(judged) = history.judge(raw, FEED) {
            history.admit(judged);
        }
    }
});
