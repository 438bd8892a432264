//! Vectors of bundles: whole files with what an audit says of them.

use concordat_protocol::{
    audit::{
        Place, Report, audit_bundle,
        bundle::{LoosePayload, MAGIC, Writer},
    },
    codec::hex,
    feed::{Ack, AckItem, Evidence, Kind},
    hash::BoardId,
    payload::Note,
    time::TimeMs,
};
use serde_json::{Value, json};

use super::{
    File, cosigned,
    edit::{bytes, edit, uint},
    feed::{forked, proof},
    findings, lineage,
};
use crate::support::world::{Pen, card, feed_key, founding, tiny};

const MEMBERS: [u8; 2] = [1, 2];

fn board() -> BoardId {
    tiny(&MEMBERS).board_id().unwrap()
}

pub(crate) fn loose(pen: &Pen, seq: usize) -> LoosePayload {
    let (_, id, sealed) = pen.entries[seq].clone();
    LoosePayload { feed: pen.feed(), seq: seq as u64, id, sealed }
}

pub(crate) fn ack(pen: &mut Pen, of: &Pen) {
    let seq = of.size() - 1;
    let item = AckItem {
        feed: of.feed(),
        seq,
        id: of.tip.id(),
        payloads_through: seq,
        missing: vec![],
        received_at: TimeMs(of.clock + 10),
    };
    pen.write(Kind::ACK, Ack(vec![item]).to_bytes());
}

/// A feed of three entries, the last of which travels without its payload, acknowledged by another.
fn pens() -> (Pen, Pen) {
    let mut one = Pen::on(board(), 1);
    one.write(Kind::NOTE, Note { text: "good morning".into() }.to_bytes());
    one.write(Kind::NOTE, Note { text: "good night".into() }.to_bytes());
    one.apart.push(2);
    let mut two = Pen::on(board(), 2);
    ack(&mut two, &one);
    (one, two)
}

/// A bundle, and where its records begin.
fn whole(one: &Pen, two: &Pen, payload: bool) -> (Vec<u8>, Vec<usize>) {
    let (mut writer, magic) = Writer::new();
    let mut records = vec![
        writer.founding(&founding(&tiny(&MEMBERS))),
        writer.card(&card(1).sign(&feed_key(1)).unwrap()),
        writer.run(&one.whole()),
    ];
    if payload {
        records.push(writer.payload(&loose(one, 2)));
    }
    records.push(writer.run(&two.whole()));
    records.push(writer.end());
    let mut begins = vec![];
    let mut file = magic.to_vec();
    for record in records {
        begins.push(file.len());
        file.extend(record);
    }
    (file, begins)
}

fn says(report: &Report) -> Value {
    let findings = report.findings.iter().map(|finding| {
        let Place { feed, seq, last_seq, record } = finding.place();
        let place = json!({
            "feed": feed.map(|feed| feed.to_string()),
            "seq": seq,
            "last_seq": last_seq,
            "record": record,
        });
        json!([finding.severity().to_string(), finding.code(), place, finding.to_string()])
    });
    json!({
        "findings": findings.collect::<Vec<_>>(),
        "exit_status": report.exit_status(),
        "closing": report.closing(),
        "entries": report.summary.entries(),
        "settled": report.summary.settled(),
    })
}

pub(crate) fn bundle() -> File {
    let mut file = File::new(
        "bundle",
        "Bundles, and what an audit says of them: severity, code, place and sentence of each finding. \
         Those that an exit status of 0 belongs to stand among the good ones.",
    );
    let (one, two) = pens();
    let (good, begins) = whole(&one, &two, true);
    let (without, _) = whole(&one, &two, false);
    let cut = |from: usize, end: usize| [&good[..from], &good[end..]].concat();
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let (left, right) = forked(board());
    let branched = {
        let (mut writer, magic) = Writer::new();
        let mut file = magic.to_vec();
        file.extend(writer.founding(&founding(&tiny(&MEMBERS))));
        file.extend(writer.run(&left.whole()));
        file.extend(writer.run(&right.run(2, 3)));
        file.extend(writer.end());
        file
    };
    let accused = {
        let mut judge = Pen::on(board(), 2);
        judge.write(Kind::EVIDENCE, Evidence::Fork(proof(board())).to_bytes());
        let (mut writer, magic) = Writer::new();
        let mut file = magic.to_vec();
        file.extend(writer.founding(&founding(&tiny(&MEMBERS))));
        file.extend(writer.run(&left.whole()));
        file.extend(writer.run(&judge.whole()));
        file.extend(writer.end());
        file
    };
    let unknown = {
        let mut file = good[..begins[5]].to_vec();
        file.extend([0, 0, 0, 2, 99, 0]);
        file.extend(&good[begins[5]..]);
        file
    };
    for (name, bytes) in [
        ("a whole bundle", good.clone()),
        ("without a payload that may be withheld", without),
        ("without its first run", cut(begins[2], begins[4])),
        ("without its last run", cut(begins[4], begins[5])),
        ("without its end", good[..begins[5]].to_vec()),
        ("cut inside a record", good[..begins[4] + 7].to_vec()),
        ("another file", b"concordat-bundle/2\n".to_vec()),
        ("with a byte of a run changed", flipped(begins[4] - 1 - 300)),
        ("with a byte of a signature changed", flipped(begins[3] - 1)),
        ("with a byte of a payload changed", flipped(begins[4] - 2)),
        ("with a byte of the card changed", flipped(begins[2] - 1)),
        ("with a byte of the founding file changed", flipped(begins[1] - 1)),
        ("with a record that is newer", unknown),
        ("with two histories", branched),
        ("with evidence", accused),
    ]
    .into_iter()
    .chain(findings::bundles())
    .chain(cosigned::bundles())
    .chain(lineage::bundles())
    {
        let report = audit_bundle(&bytes);
        let vector = json!({ "name": name, "hex": hex(&bytes) });
        let Value::Object(mut vector) = vector else { unreachable!() };
        let Value::Object(outcome) = says(&report) else { unreachable!() };
        vector.extend(outcome);
        let list = if report.exit_status() == 0 { &mut file.good } else { &mut file.bad };
        list.push(Value::Object(vector));
    }
    records(&mut file, &one);
    assert!(good.starts_with(MAGIC));
    file
}

fn records(file: &mut File, one: &Pen) {
    let payload = loose(one, 2).to_bytes();
    let fields = json!({ "feed": one.feed().to_string(), "seq": 2 });
    file.good("bundle_payload", "a payload by itself", &payload, fields);
    file.bad("bundle_payload", "of entry 2^48", &edit(&payload, &[1], uint(1 << 48)));
    file.bad("bundle_payload", "that is none", &edit(&payload, &[3], bytes(&[0x80])));
    file.good("bundle_end", "after five records", &[0x81, 5], json!({ "count": 5 }));
    file.bad("bundle_end", "of two counts", &[0x82, 5, 5]);
}
