//! Vectors of runs: their form, and what verification says of them.

use concordat_protocol::{
    codec::{Fixed, hex},
    feed::{Body, Descriptor, Head, Kind, Misbehaved, OpenFeed, Run, SignedHead, Tip, verify_run},
    hash::{CharterHash, EntryId},
    payload::Note,
};
use serde_json::json;

use super::{
    File,
    edit::{bytes, copies, edit, list, uint},
};
use crate::support::{
    decoders::Refusal,
    world::{Pen, feed_key, seed},
};

/// A run to be verified after others of the feed.
struct Case<'a> {
    name: &'a str,
    descriptor: Descriptor,
    after: Vec<Run>,
    run: Run,
}

fn note(pen: &mut Pen, text: &str) {
    pen.write(Kind::NOTE, Note { text: text.into() }.to_bytes());
}

/// Six entries; the payload of entry 2 travels apart.
fn pen() -> Pen {
    let mut pen = Pen::of(1);
    note(&mut pen, "one");
    note(&mut pen, "two");
    pen.apart.push(2);
    pen.write_with(Kind::EVENT, b"\x82\x67claimed\x80".to_vec(), |header| {
        header.artefact = Some(concordat_protocol::hash::ArtefactId::from_bytes([3; 32]));
        header.refs = vec![header.prev];
    });
    pen.write(Kind::AUDIENCE, b"\x82\x80\x00".to_vec());
    note(&mut pen, "five");
    pen
}

pub(crate) fn run() -> File {
    let mut file = File::new(
        "run",
        "Runs. Those with a decoder are refused for their form. The others are verified as the \
         continuation of the runs in `after` (of an empty feed if there are none) of the feed of \
         `descriptor`; good ones give the ids of their entries and the head after them.",
    );
    let pen = pen();
    forms(&mut file, &pen);
    for case in good_runs(&pen).into_iter().chain(bad_runs(&pen)).chain(long_runs()) {
        verified(&mut file, case);
    }
    file
}

fn verified(file: &mut File, case: Case<'_>) {
    let Case { name, descriptor, after, run } = case;
    let mut tip = Tip::empty(descriptor.feed_id());
    for run in &after {
        tip = verify_run(&tip, &descriptor, run.clone()).unwrap().tip().clone();
    }
    let outcome = verify_run(&tip, &descriptor, run.clone());
    let fields = json!({
        "descriptor": hex(&descriptor.to_bytes()),
        "after": after.iter().map(|run| hex(&run.to_bytes())).collect::<Vec<_>>(),
        "hex": hex(&run.to_bytes()),
    });
    let outcome = outcome.map(|run| {
        let head = run.tip().head();
        json!({
            "ids": run.entries().iter().map(|entry| hex(entry.id.as_bytes())).collect::<Vec<_>>(),
            "size": head.size,
            "root": hex(&head.root.0),
            "mandatory": run.mandatory_heads().iter().map(|one| one.head.size).collect::<Vec<_>>(),
        })
    });
    file.case(name, fields, outcome.map_err(|why: Misbehaved| Refusal::of("Misbehaved", &why)));
}

fn good_runs(pen: &Pen) -> Vec<Case<'static>> {
    let descriptor = pen.descriptor;
    let case = |name, after: Vec<Run>, run| Case { name, descriptor, after, run };
    vec![
        case("a whole feed", vec![], pen.whole()),
        case("the first entry", vec![], pen.run(0, 1)),
        case("a continuation", vec![pen.run(0, 3)], pen.run(3, 6)),
        case("more heads than are due", vec![], {
            let mut run = pen.whole();
            run.heads = pen.heads.clone();
            run
        }),
    ]
}

fn bad_runs(pen: &Pen) -> Vec<Case<'static>> {
    let descriptor = pen.descriptor;
    let case = |name, after: Vec<Run>, run| Case { name, descriptor, after, run };
    let with = |change: &dyn Fn(&mut Run)| {
        let mut run = pen.whole();
        change(&mut run);
        run
    };
    let head_at = |size: usize, change: &dyn Fn(&mut Head)| -> SignedHead {
        let mut head = pen.heads[size - 1].head;
        change(&mut head);
        head.sign(pen.signer())
    };
    let mut other = Pen::of(2);
    note(&mut other, "of somebody else");
    let unopened = {
        let mut pen = Pen::blank(descriptor, feed_key(1));
        note(&mut pen, "no opening");
        pen
    };
    let twice = {
        let mut pen = Pen::of(1);
        pen.write(Kind::OPEN_FEED, OpenFeed::first(descriptor).to_bytes());
        pen
    };
    vec![
        case("of another feed", vec![], other.whole()),
        case("that leaves entries out", vec![], pen.run(3, 6)),
        case("that repeats entries", vec![pen.run(0, 3)], pen.run(0, 6)),
        case("that continues another entry", vec![pen.run(0, 3)], {
            Run { before: EntryId::from_bytes([9; 32]), ..pen.run(3, 6) }
        }),
        case("with a time past 2^53", vec![], with(&|run| run.entries[1].t.0 = (1 << 53) + 1)),
        case(
            "with a payload of more than 1 MiB",
            vec![],
            with(&|run| {
                if let Body::Named { payload_len, .. } = &mut run.entries[2].body {
                    *payload_len = 1024 * 1024 + 1;
                }
            }),
        ),
        case(
            "with a changed payload",
            vec![],
            with(&|run| {
                run.entries[1].body = run.entries[5].body.clone();
            }),
        ),
        case(
            "with a changed charter",
            vec![],
            with(&|run| {
                run.entries[1].charter = CharterHash::from_bytes([9; 32]);
            }),
        ),
        case("with a changed time", vec![], with(&|run| run.entries[4].t.0 += 1)),
        case("with a changed kind", vec![], with(&|run| run.entries[1].kind = Kind::REMARK)),
        case(
            "with a head of another root",
            vec![],
            with(&|run| {
                run.heads[0] = head_at(1, &|head| head.root = Fixed([9; 32]));
            }),
        ),
        case(
            "with a head of another id",
            vec![],
            with(&|run| {
                run.heads[2] = head_at(6, &|head| head.id = EntryId::from_bytes([9; 32]));
            }),
        ),
        case(
            "with a head signed by another key",
            vec![],
            with(&|run| {
                run.heads[2] = run.heads[2].head.sign(&seed(9));
            }),
        ),
        case(
            "without the head due after the opening",
            vec![],
            with(&|run| {
                run.heads.remove(0);
            }),
        ),
        case(
            "without the head due after governance",
            vec![],
            with(&|run| {
                run.heads.remove(1);
            }),
        ),
        case("with a head past its end", vec![], {
            Run { heads: vec![pen.heads[0], pen.heads[2], pen.heads[3]], ..pen.run(0, 3) }
        }),
        case("with a head before its beginning", vec![pen.run(0, 3)], {
            Run { heads: vec![pen.heads[0], pen.heads[4], pen.heads[5]], ..pen.run(3, 6) }
        }),
        case("with a head twice", vec![], with(&|run| run.heads.push(run.heads[2]))),
        case(
            "with heads out of order",
            vec![],
            with(&|run| {
                run.heads = vec![pen.heads[0], pen.heads[4], pen.heads[5], pen.heads[2]];
            }),
        ),
        case(
            "whose last entries no head covers",
            vec![],
            with(&|run| {
                run.heads.pop();
            }),
        ),
        case("of a feed that does not open itself", vec![], unopened.whole()),
        case("of a feed that opens itself twice", vec![], twice.whole()),
    ]
}

/// Feeds long enough to need heads by count and by bytes.
fn long_runs() -> Vec<Case<'static>> {
    let mut pen = Pen::of(1);
    for _ in 0..256 {
        pen.write(Kind::NOTE, vec![0x81, 0x61, 0x61]);
    }
    let descriptor = pen.descriptor;
    let run = pen.run(1, 257);
    let case = |name, run| Case { name, descriptor, after: vec![pen.run(0, 1)], run };
    vec![case("256 entries after a mandatory head", run)]
}

fn forms(file: &mut File, pen: &Pen) {
    let whole = pen.whole();
    let good = whole.to_bytes();
    let fields = json!({
        "feed": whole.feed.to_string(),
        "from": 0,
        "before": hex(whole.before.as_bytes()),
        "entries": whole.entries.len(),
        "heads": whole.heads.iter().map(|signed| signed.head.size).collect::<Vec<_>>(),
    });
    file.good("run", "the form of a whole feed", &good, fields);
    let both = || {
        let carried = list(&[list(&[bytes(&[7; 16]), bytes(&[])]), list(&[])]);
        list(&[carried])
    };
    for (name, path, new) in [
        ("of no entries", vec![4], list(&[])),
        ("without heads", vec![5], list(&[])),
        ("from entry 2^48 - 1", vec![1], uint((1 << 48) - 1)),
        ("that names and carries a payload", vec![4, 2, 5], both()),
        ("that neither names nor carries a payload", vec![4, 2, 6], list(&[])),
        ("with an id that nothing names", vec![4, 3, 4], list(&[])),
        ("with an index past its ids", vec![4, 3, 4], list(&[uint(9)])),
        ("with ids not in order of use", vec![4, 0, 0], uint(1)),
        ("with 65 refs", vec![4, 0, 4], copies(uint(0), 65)),
        ("with a head of size nought", vec![5, 0, 0, 2], uint(0)),
        (
            "with an attribution of 1,025 bytes",
            vec![4, 0, 5, 0, 1],
            list(&[list(&[bytes(&[7; 16]), bytes(&[0; 1025])])]),
        ),
    ] {
        file.bad("run", &format!("a run {name}"), &edit(&good, &path, new));
    }
    file.bad("run", "a run with an id twice", &{
        edit(&good, &[3, 1], bytes(&whole.entries[0].charter.as_bytes()[..]))
    });
    file.too_long("run", 512 * 1024);
}

/// Which sizes are mandatory, from the headers alone.
pub(crate) fn mandatory() -> File {
    let mut file = File::new(
        "mandatory",
        "Which sizes of a feed need a signed head. `headers` gives for each entry the length of \
         its header in bytes, and 1 if its kind is of governance.",
    );
    let refs = |count: usize| vec![EntryId::from_bytes([1; 32]); count];
    let short = |pen: &mut Pen| pen.write(Kind::NOTE, vec![0x81, 0x61, 0x61]);
    let long = |pen: &mut Pen| {
        pen.write_with(Kind::NOTE, vec![0x81, 0x61, 0x61], |header| header.refs = refs(64));
    };
    let mut by_kind = Pen::of(1);
    for kind in [Kind::NOTE, Kind::AUDIENCE, Kind::EVIDENCE, Kind::NOTE, Kind(256 + 255)] {
        by_kind.write(kind, vec![]);
    }
    let mut by_count = Pen::of(1);
    (0..514).for_each(|_| short(&mut by_count));
    let mut by_bytes = Pen::of(1);
    (0..230).for_each(|_| long(&mut by_bytes));
    for (name, pen) in
        [("by kind", by_kind), ("by count", by_count), ("by bytes of headers", by_bytes)]
    {
        let mut tip = Tip::empty(pen.feed());
        let mut mandatory = vec![];
        let mut headers = vec![];
        for (header, ..) in &pen.entries {
            let bytes = header.to_bytes();
            tip.replay(&bytes).unwrap();
            headers.push(json!([bytes.len(), u8::from(header.kind.is_governance())]));
            if tip.is_mandatory() {
                mandatory.push(tip.size());
            }
        }
        let fields = json!({ "headers": headers, "mandatory": mandatory });
        file.case(name, fields, Ok(json!({})));
    }
    file
}
