//! Vectors of what entries carry, and of checkpoints.

use concordat_protocol::{
    charter::Answer,
    checkpoint::{Checkpoint, Cosigned, CosignedList, Origin},
    codec::{Blob, Fixed, hex},
    hash::{BoardId, EntryId, OrgId},
    identity::Signer,
    payload::{
        Attachment, Audience, Changes, Close, Event, Ground, Note, Open, Part, Proposal, Reason,
        Redaction, Remark, SignOff, Widening,
    },
    time::TimeMs,
    value::Value as Item,
};
use serde_json::json;

use super::{
    File,
    edit::{bytes, copies, edit, list, reversed, text, uint},
};
use crate::support::{
    decoders::checkpointed,
    world::{NOON, seed},
};

fn id(byte: u8) -> EntryId {
    EntryId::from_bytes([byte; 32])
}

fn org(byte: u8) -> OrgId {
    OrgId::from_bytes([byte; 32])
}

pub(crate) fn payload() -> File {
    let mut file = File::new(
        "payload",
        "Payloads, by the name of their kind. Openings of feeds, acknowledgements, evidence, \
         charters and checkpoints have files of their own.",
    );
    artefacts(&mut file);
    facts(&mut file);
    decisions(&mut file);
    others(&mut file);
    file
}

fn artefacts(file: &mut File) {
    let open = |audience| Open {
        nonce: Fixed([7; 16]),
        kind: "decision".into(),
        schema_version: 1,
        audience,
    };
    let (board, by) = (BoardId::from_bytes([1; 32]), org(1));
    for (name, audience, orgs) in [
        ("for everyone", Audience::Everyone, vec![]),
        ("for two", Audience::Only(vec![org(1), org(2)]), vec![org(1), org(2)]),
    ] {
        let open = open(audience);
        let fields = json!({
            "nonce": hex(&open.nonce.0),
            "artefact_kind": open.kind,
            "schema_version": 1,
            "audience": orgs.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "on_board": board.to_string(),
            "by_org": by.to_string(),
            "artefact": open.artefact_id(&board, &by).to_string(),
        });
        file.good("open", name, &open.to_bytes(), fields);
    }
    let good = open(Audience::Everyone).to_bytes();
    for (name, path, new) in [
        ("of no kind", vec![1], text("")),
        ("of a kind of 257 bytes", vec![1], text(&"k".repeat(257))),
        ("of schema version 0", vec![2], uint(0)),
        ("for one twice", vec![3], copies(bytes(&[1; 32]), 2)),
    ] {
        file.bad("open", name, &edit(&good, &path, new));
    }
    for (name, reason) in
        [("because they take part", Reason::TAKES_PART), ("for reason 99", Reason(99))]
    {
        let widening = Widening { orgs: vec![org(1), org(2)], reason };
        file.good("audience", name, &widening.to_bytes(), json!({ "reason": reason.0 }));
    }
    let good = Widening { orgs: vec![org(1), org(2)], reason: Reason::NAMED }.to_bytes();
    file.bad("audience", "widened by nobody", &edit(&good, &[0], list(&[])));
    file.bad("audience", "out of order", &reversed(&good, &[0]));
}

fn facts(file: &mut File) {
    let values = vec![
        Item::Uint(300),
        Item::Bytes(vec![1]),
        Item::Text("bury".into()),
        Item::List(vec![Item::Uint(0), Item::List(vec![])]),
    ];
    let event = Event { name: "claimed".into(), values: values.clone() };
    let good = event.to_bytes();
    file.good("event", "with a value of each type", &good, json!({ "event": "claimed" }));
    let remark = Remark { name: "comment".into(), values };
    let fields = json!({ "remark": "comment" });
    file.good("remark", "with a value of each type", &remark.to_bytes(), fields);
    for decoder in ["event", "remark"] {
        file.bad(decoder, "without a name", &edit(&good, &[0], text("")));
        file.bad(decoder, "of 257 values", &edit(&good, &[1], copies(uint(0), 257)));
        file.bad(decoder, "with null", &[0x82, 0x61, 0x61, 0x81, 0xf6]);
        file.bad(decoder, "nested 17 deep", &{
            let mut deep = vec![0x82, 0x61, 0x61];
            deep.extend([0x81; 15]);
            deep.extend([0x80]);
            deep
        });
        file.too_long(decoder, 64 * 1024);
    }
    let changes = Changes { raw: vec![Blob::from(vec![1, 2, 3]), Blob::from(vec![4])] };
    let good = changes.to_bytes();
    file.good("change", "two changes", &good, json!({ "changes": ["010203", "04"] }));
    file.bad("change", "none", &[0x80]);
    file.bad("change", "an empty one", &edit(&good, &[1], bytes(&[])));
    file.bad("change", "257 of them", &edit(&good, &[], copies(bytes(&[1]), 257)));
    file.too_long("change", 1024 * 1024);
}

fn decisions(file: &mut File) {
    let proposal = |replaces| Proposal {
        heads: vec![Fixed([1; 32]), Fixed([2; 32])],
        wording: Fixed([3; 32]),
        snapshot: Blob::from(b"{}".to_vec()),
        rule: "joint decision".into(),
        closer: org(5),
        closes_at: TimeMs(NOON),
        replaces,
    };
    let good = proposal(None).to_bytes();
    file.good(
        "proposal",
        "a first one",
        &good,
        json!({ "rule": "joint decision", "closes_at": NOON }),
    );
    let fields = json!({ "replaces": id(8).to_string() });
    file.good("proposal", "one that replaces another", &proposal(Some(id(8))).to_bytes(), fields);
    for (name, path, new) in [
        ("without heads", vec![0], list(&[])),
        ("with 33 heads", vec![0], copies(bytes(&[1; 32]), 33)),
        ("without a snapshot", vec![2], bytes(&[])),
        ("without a rule", vec![3], text("")),
        ("that closes past 2^53", vec![5], uint((1 << 53) + 1)),
    ] {
        file.bad("proposal", name, &edit(&good, &path, new));
    }
    file.bad("proposal", "with heads out of order", &reversed(&good, &[0]));
    for answer in [Answer::Approve, Answer::Reject, Answer::Abstain, Answer::Recused] {
        let signoff = SignOff { proposal: id(1), answer, wording: Fixed([3; 32]) };
        let fields = json!({ "answer": answer.to_string() });
        file.good("signoff", &answer.to_string(), &signoff.to_bytes(), fields);
    }
    let signoff = SignOff { proposal: id(1), answer: Answer::Approve, wording: Fixed([3; 32]) };
    file.bad("signoff", "answer 4", &edit(&signoff.to_bytes(), &[1], uint(4)));
    let good = Close { proposal: id(1), counted: vec![id(2), id(3)] }.to_bytes();
    file.good("close", "two counted", &good, json!({ "counted": 2 }));
    file.good("close", "none counted", &edit(&good, &[1], list(&[])), json!({ "counted": 0 }));
    file.bad("close", "one counted twice", &edit(&good, &[1], copies(bytes(&[2; 32]), 2)));
}

fn others(file: &mut File) {
    for (name, part, ground) in [
        ("a payload that was lost", Part::Payload, Ground::LOST),
        ("an attribution for ground 99", Part::Attribution, Ground(99)),
    ] {
        let redaction = Redaction { entry: id(1), part, ground };
        let fields = json!({ "part": part as u64, "ground": ground.0 });
        file.good("redact", name, &redaction.to_bytes(), fields);
    }
    let redaction = Redaction { entry: id(1), part: Part::Payload, ground: Ground::LOST };
    file.bad("redact", "part 2", &edit(&redaction.to_bytes(), &[1], uint(2)));
    let attachment = Attachment {
        media_type: "application/pdf".into(),
        len_bytes: 256 * 1024 + 1,
        chunks: vec![Fixed([1; 32]), Fixed([2; 32])],
        name: "Options appraisal.pdf".into(),
    };
    let good = attachment.to_bytes();
    file.good("blob", "of two chunks", &good, json!({ "length": attachment.len_bytes }));
    file.good(
        "blob",
        "of nothing",
        &{ edit(&edit(&good, &[1], uint(0)), &[2], list(&[])) },
        json!({ "length": 0 }),
    );
    for (name, path, new) in [
        ("without a media type", vec![0], text("")),
        ("of more than 256 MiB", vec![1], uint(256 * 1024 * 1024 + 1)),
        ("with a chunk too few", vec![2], list(&[bytes(&[1; 32])])),
        ("without a name", vec![3], text("")),
    ] {
        file.bad("blob", name, &edit(&good, &path, new));
    }
    let note = Note { text: "Good morning".into() };
    file.good("note", "a greeting", &note.to_bytes(), json!({ "text": note.text }));
    file.bad("note", "of nothing", &[0x81, 0x60]);
    file.bad("note", "that is no array", &[0x61, 0x61]);
    file.too_long("note", 64 * 1024);
}

pub(crate) fn checkpoint() -> File {
    let mut file = File::new(
        "checkpoint",
        "C2SP checkpoints of one feed (`origin`, `feed_key`), one witness known, and lists of \
         cosignatures.",
    );
    let (origin, key, witness) = checkpointed();
    let checkpoint = Checkpoint { origin, size: 20_852_163, root: Fixed([9; 32]) };
    let signed = checkpoint.sign(&key);
    let cosigned = Cosigned::sign(&checkpoint, 1_511_179_200, &seed(102));
    let both = signed.with(&witness, &cosigned).unwrap();
    for (name, signed, cosigned) in
        [("signed by the feed", &signed, 0), ("and cosigned by the witness", &both, 1)]
    {
        let fields = json!({
            "origin": origin.to_string(),
            "feed_key": hex(key.public().as_bytes()),
            "witness": witness.org.to_string(),
            "witness_key": hex(witness.key.as_bytes()),
            "size": checkpoint.size,
            "root": hex(&checkpoint.root.0),
            "text": String::from_utf8(signed.to_bytes()).unwrap(),
            "cosignatures": cosigned,
        });
        file.good("checkpoint", name, &signed.to_bytes(), fields);
    }
    let text = String::from_utf8(both.to_bytes()).unwrap();
    let other = Origin { epoch: 1, ..origin };
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    for (name, note) in [
        ("of another feed", Checkpoint { origin: other, ..checkpoint }.sign(&key).to_bytes()),
        ("by another key", checkpoint.sign(&seed(9)).to_bytes()),
        ("with another size", text.replace("20852163", "20852164").into_bytes()),
        (
            "with a size that begins with a nought",
            text.replace("20852163", "020852163").into_bytes(),
        ),
        (
            "with a root of 31 bytes",
            text.replace(
                "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=",
                "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQ==",
            )
            .into_bytes(),
        ),
        ("with an extension line", text.replacen("\n\n", "\nmore\n\n", 1).into_bytes()),
        (
            "with an origin of another form",
            text.replacen("concordat/board/", "concordat/", 1).into_bytes(),
        ),
        ("without the empty line", text.replacen("\n\n", "\n", 1).into_bytes()),
        ("without signatures", lines[..4].concat().into_bytes()),
        (
            "with a signature line without a name",
            text.replacen("— concordat/witness", "—  concordat/witness", 1).into_bytes(),
        ),
        ("without the last newline", text.trim_end().to_string().into_bytes()),
        ("with a carriage return", text.replacen('\n', "\r\n", 1).into_bytes()),
        ("that is not UTF-8", [text.as_bytes(), &[0xff]].concat()),
        ("with a bad signature of the witness", {
            let signature = lines[5].trim_end();
            let place = signature.len() - 3;
            let letter = if signature.as_bytes()[place] == b'A' { "B" } else { "A" };
            let line = format!("{}{letter}{}", &signature[..place], &signature[place + 1..]);
            text.replace(signature, &line).into_bytes()
        }),
    ] {
        file.bad("checkpoint", name, &note);
    }
    file.too_long("checkpoint", 16 * 1024);
    let given = CosignedList { given: vec![cosigned] };
    let good = given.to_bytes();
    let fields = json!({
        "origin": origin.to_string(),
        "size": checkpoint.size,
        "root": hex(&checkpoint.root.0),
        "time_s": cosigned.time_s,
        "signature": hex(cosigned.signature.as_bytes()),
        "witness_key": hex(witness.key.as_bytes()),
    });
    file.good("cosign", "one cosignature", &good, fields);
    for (name, path, new) in [
        ("of nothing", vec![], list(&[])),
        ("of no feed", vec![0, 0], self::text("concordat/board")),
        ("of a size past 2^48", vec![0, 1], uint(1 << 48)),
        ("at a time past 2^63", vec![0, 3], uint(1 << 63)),
    ] {
        file.bad("cosign", name, &edit(&good, &path, new));
    }
    file.bad("cosign", "of one size twice", &{
        let both = CosignedList { given: vec![cosigned, cosigned] };
        both.to_bytes()
    });
    file
}
