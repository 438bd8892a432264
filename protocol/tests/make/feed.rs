//! Vectors of feeds: descriptors, headers, heads, proofs, openings, acknowledgements.

use concordat_protocol::{
    audit::check_opening,
    codec::{self, Fixed, hex},
    feed::{
        Ack, AckItem, BadOpening, Descriptor, End, Evidence, ForkProof, Header, Kind, OpenFeed,
        Salted, Sealed, Warrant, WarrantRole, inclusion_path, leaf_hash, root_of_path,
        settled_size,
    },
    hash::{ArtefactId, BoardId, EntryId, FeedId, OrgId, Tag},
    identity::{KeyPair, Signer},
    limits::SEQ_MAX,
    payload::Note,
    time::TimeMs,
    value::Value as Item,
};
use serde_json::{Value, json};

use super::{
    File,
    edit::{bytes, copies, edit, list, reversed, text, uint},
};
use crate::support::{
    decoders::Refusal,
    world::{Pen, board, charter, descriptor, feed_key, founding, org, recovery_key, seed},
};

pub(crate) fn descriptor_fields(descriptor: &Descriptor) -> Value {
    json!({
        "board": descriptor.board.to_string(),
        "org": descriptor.org.to_string(),
        "epoch": descriptor.epoch,
        "key": hex(descriptor.key.as_bytes()),
        "feed": descriptor.feed_id().to_string(),
    })
}

pub(crate) fn descriptor_file() -> File {
    let mut file = File::new("descriptor", "Descriptors, whose hash is the feed's id.");
    let later = Descriptor { epoch: 3, key: seed(77).public(), ..descriptor(1) };
    for (name, descriptor) in [("a first feed", descriptor(1)), ("a later epoch", later)] {
        file.good("descriptor", name, &descriptor.to_bytes(), descriptor_fields(&descriptor));
    }
    let good = descriptor(1).to_bytes();
    for (name, path, new) in [
        ("a board of 31 bytes", vec![0], bytes(&[1; 31])),
        ("an organisation by its text", vec![1], text("org-aaaa")),
        ("another algorithm", vec![3], uint(2)),
        ("a key of small order", vec![4], bytes(&[0; 32])),
        ("an epoch that is a list", vec![2], list(&[uint(0)])),
    ] {
        file.bad("descriptor", name, &edit(&good, &path, new));
    }
    file.too_long("descriptor", 128);
    file
}

pub(crate) fn header() -> File {
    let mut file = File::new(
        "header",
        "Headers, whose hash is the entry's id, and what lies beside them: `sealed` vectors belong \
         to the header of the same name.",
    );
    let mut pen = Pen::of(1);
    pen.write(Kind::NOTE, Note { text: "good morning".into() }.to_bytes());
    let attribution = Salted::new(Fixed([6; 16]), b"\x84opaque".to_vec());
    let artefact = ArtefactId::from_bytes([3; 32]);
    let refs = vec![EntryId::from_bytes([1; 32]), EntryId::from_bytes([2; 32])];
    pen.write_with(Kind::EVENT, b"\x82\x67claimed\x80".to_vec(), |header| {
        header.artefact = Some(artefact);
        header.refs = refs;
        header.attribution_hash = Some(attribution.hash(Tag::Attribution));
    });
    if let Some((.., sealed)) = pen.entries.last_mut() {
        sealed.attribution = Some(attribution);
    }
    for (name, (header, id, sealed)) in
        ["an opening", "a note", "an event"].iter().zip(&pen.entries)
    {
        assert!(sealed.fits(header));
        let fields = json!({
            "feed": header.feed.to_string(),
            "seq": header.seq,
            "prev": hex(header.prev.as_bytes()),
            "charter": header.charter.to_string(),
            "t_ms": header.t.0,
            "kind": header.kind.0,
            "kind_name": header.kind.to_string(),
            "artefact": header.artefact.map(|id| id.to_string()),
            "refs": header.refs.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "p_hash": hex(&header.payload_hash.0),
            "p_len": header.payload_len,
            "a_hash": header.attribution_hash.map(|hash| hex(&hash.0)),
            "id": id.to_string(),
            "leaf": hex(&leaf_hash(&header.to_bytes()).0),
        });
        file.good("header", name, &header.to_bytes(), fields);
        let fields = json!({
            "salt": hex(&sealed.payload.salt().0),
            "payload": hex(sealed.payload.bytes()),
            "p_hash": hex(&header.payload_hash.0),
            "attribution": sealed.attribution.as_ref().map(|salted| hex(salted.bytes())),
            "a_hash": header.attribution_hash.map(|hash| hex(&hash.0)),
        });
        file.good("sealed", name, &sealed.to_bytes(), fields);
    }
    let good = pen.entries[1].0.to_bytes();
    let newer = edit(&good, &[6], uint(4_000));
    let fields = json!({ "kind": 4_000, "id": Header::id_of(&newer).to_string() });
    file.good("header", "of a kind that nobody knows", &newer, fields);
    for (name, path, new) in [
        ("another version", vec![0], uint(2)),
        ("a seq of 2^48", vec![2], uint(SEQ_MAX + 1)),
        ("a time past 2^53", vec![5], uint((1 << 53) + 1)),
        ("two artefacts", vec![7], copies(bytes(&[1; 32]), 2)),
        ("65 refs", vec![8], copies(bytes(&[1; 32]), 65)),
        ("a payload of more than 1 MiB", vec![10], uint(1024 * 1024 + 1)),
        ("a ref of 31 bytes", vec![8], list(&[bytes(&[1; 31])])),
        ("no hash of a payload", vec![9], list(&[])),
    ] {
        file.bad("header", name, &edit(&good, &path, new));
    }
    file.bad("header", "cut short", &good[..100]);
    file.too_long("header", 4096);
    let sealed = pen.entries[1].2.to_bytes();
    file.bad("sealed", "a salt of 15 bytes", &edit(&sealed, &[0, 0], bytes(&[7; 15])));
    file.bad("sealed", "two attributions", &{
        edit(&sealed, &[1], copies(list(&[bytes(&[7; 16]), bytes(&[])]), 2))
    });
    file.too_long("sealed", Sealed::BYTES_MAX);
    file
}

pub(crate) fn head() -> File {
    let mut file = File::new(
        "head",
        "Signed heads. Decoding does not verify: `verifies` says whether the signature holds under \
         `key`.",
    );
    let mut pen = Pen::of(1);
    pen.write(Kind::NOTE, Note { text: "good morning".into() }.to_bytes());
    for (name, signed) in ["one entry", "two entries"].iter().zip(&pen.heads) {
        let fields = json!({
            "feed": signed.head.feed.to_string(),
            "size": signed.head.size,
            "id": signed.head.id.to_string(),
            "root": hex(&signed.head.root.0),
            "key": hex(feed_key(1).public().as_bytes()),
            "verifies": signed.verify(&feed_key(1).public()).is_ok(),
        });
        file.good("head", name, &signed.to_bytes(), fields);
    }
    let forged = pen.tip.head().sign(&seed(9));
    let fields = json!({ "key": hex(feed_key(1).public().as_bytes()), "verifies": false });
    file.good("head", "signed by another key", &forged.to_bytes(), fields);
    let good = pen.heads[0].to_bytes();
    for (name, path, new) in [
        ("another version", vec![0, 0], uint(2)),
        ("a size of nought", vec![0, 2], uint(0)),
        ("a size of 2^48", vec![0, 2], uint(SEQ_MAX + 1)),
        ("a root of 31 bytes", vec![0, 4], bytes(&[0; 31])),
        ("a signature of 63 bytes", vec![1, 1], bytes(&[0; 63])),
        ("no signature", vec![1], list(&[])),
    ] {
        file.bad("head", name, &edit(&good, &path, new));
    }
    file.too_long("head", 256);
    file
}

/// Roots and inclusion paths.
pub(crate) fn tree() -> File {
    let mut file = File::new(
        "tree",
        "RFC 6962 trees whose leaf n is the one byte n: roots, inclusion paths, and paths that \
         prove nothing.",
    );
    let leaves: Vec<_> = (0..11u8).map(|byte| leaf_hash(&[byte])).collect();
    let hexes = |path: &[Fixed<32>]| path.iter().map(|hash| hex(&hash.0)).collect::<Vec<_>>();
    for (size, index) in [(1, 0), (2, 1), (3, 2), (7, 0), (8, 5), (11, 10), (11, 3)] {
        let under = &leaves[..size];
        let path = inclusion_path(under, index).unwrap();
        let root = root_of_path(under[index], index as u64, size as u64, &path).unwrap();
        let fields = json!({
            "size": size,
            "index": index,
            "leaf": hex(&under[index].0),
            "path": hexes(&path),
            "root": hex(&root.0),
        });
        file.case(&format!("leaf {index} of {size}"), fields, Ok(json!({})));
    }
    let path = inclusion_path(&leaves, 3).unwrap();
    let longer = [path.as_slice(), &[leaves[0]]].concat();
    for (name, index, size, path) in [
        ("an index past the end", 11u64, 11u64, path.clone()),
        ("a path that is too short", 3, 11, path[..3].to_vec()),
        ("a path that is too long", 3, 11, longer),
        ("a path in an empty tree", 0, 0, vec![]),
    ] {
        assert_eq!(root_of_path(leaves[3], index, size, &path), None);
        let fields = json!({
            "size": size,
            "index": index,
            "leaf": hex(&leaves[3].0),
            "path": hexes(&path),
        });
        let detail = "None".to_string();
        file.case(name, fields, Err(Refusal { code: "NoRoot".into(), detail }));
    }
    file
}

/// Two histories of one feed that part at entry 2.
pub(crate) fn forked(board: BoardId) -> (Pen, Pen) {
    let note = |pen: &mut Pen, text: &str| {
        pen.write(Kind::NOTE, Note { text: text.into() }.to_bytes());
    };
    let mut one = Pen::on(board, 1);
    note(&mut one, "one");
    let mut other = one.clone();
    note(&mut one, "two");
    note(&mut one, "three");
    note(&mut other, "zwei");
    (one, other)
}

pub(crate) fn proof(board: BoardId) -> ForkProof {
    let (one, other) = forked(board);
    ForkProof::new(one.descriptor, 2, one.side(2), other.side(2)).unwrap()
}

pub(crate) fn fork_proof() -> File {
    let mut file = File::new("fork_proof", "Fork proofs, and evidence that carries them.");
    let proof = proof(board());
    let good = proof.to_bytes();
    let fields = json!({
        "feed": proof.descriptor().feed_id().to_string(),
        "index": 2,
        "descriptor": descriptor_fields(proof.descriptor()),
    });
    file.good("fork_proof", "two histories from entry 2 on", &good, fields);
    let (one, other) = forked(board());
    let mut stranger = Pen::of(2);
    stranger.write(Kind::NOTE, Note { text: "two".into() }.to_bytes());
    stranger.write(Kind::NOTE, Note { text: "three".into() }.to_bytes());
    file.bad("fork_proof", "the sides in the other order", &{
        let (descriptor, one, other, index): (Item, Item, Item, u64) =
            codec::decode(&good, "proof", 4096).unwrap();
        codec::encode(&(descriptor, other, one, index))
    });
    let side = |pen: &Pen, index: usize| {
        let side = pen.side(index);
        let hash = |hash: &Fixed<32>| bytes(&hash.0);
        let head = codec::decode(&side.head.to_bytes(), "head", 256).unwrap();
        list(&[head, hash(&side.leaf), list(&side.path.iter().map(hash).collect::<Vec<_>>())])
    };
    let with = |index: u64, one: Item, other| {
        let whole = edit(&edit(&good, &[1], one), &[2], other);
        edit(&whole, &[3], uint(index))
    };
    file.bad(
        "fork_proof",
        "the same entry on both sides",
        &with(1, side(&one, 1), side(&other, 1)),
    );
    file.bad("fork_proof", "another index", &edit(&good, &[3], uint(1)));
    file.bad("fork_proof", "an index past the end", &edit(&good, &[3], uint(9)));
    file.bad("fork_proof", "a path one step short", &{
        let sides = [one.side(2), other.side(2)];
        let first = if sides[0].leaf < sides[1].leaf { &sides[0] } else { &sides[1] };
        let short: Vec<_> = first.path[1..].iter().map(|hash| bytes(&hash.0)).collect();
        edit(&good, &[1, 2], list(&short))
    });
    file.bad(
        "fork_proof",
        "a path of 64 steps",
        &edit(&good, &[1, 2], copies(bytes(&[1; 32]), 64)),
    );
    file.bad("fork_proof", "a head of another feed", &{
        let theirs = stranger.side(2);
        let ours = one.side(2);
        let (low, high) = if theirs.leaf < ours.leaf {
            (side(&stranger, 2), side(&one, 2))
        } else {
            (side(&one, 2), side(&stranger, 2))
        };
        with(2, low, high)
    });
    file.bad("fork_proof", "a head that is not signed by the feed's key", &{
        let signed = one.tip.head().sign(&seed(9));
        let forged = codec::decode(&signed.to_bytes(), "head", 256).unwrap();
        let at = if one.side(2).leaf < other.side(2).leaf { 1 } else { 2 };
        edit(&good, &[at, 0], forged)
    });
    file.bad("fork_proof", "a descriptor with a weak key", &edit(&good, &[0, 4], bytes(&[0; 32])));
    file.too_long("fork_proof", 4096);
    let evidence = Evidence::Fork(proof).to_bytes();
    file.good("evidence", "a fork proof", &evidence, json!({ "type": 1, "index": 2 }));
    file.bad("evidence", "of type 2", &edit(&evidence, &[0], uint(2)));
    file.bad("evidence", "of nothing", &edit(&evidence, &[1], bytes(&[])));
    file
}

/// An opening in its place.
struct Opening<'a> {
    name: &'a str,
    opening: OpenFeed,
    before: Option<Descriptor>,
    feed: FeedId,
}

pub(crate) fn open_feed() -> File {
    let mut file = File::new(
        "open_feed",
        "Openings. Those with a decoder are refused for their form. The others are checked against \
         the founding file \"a board of six\" of `charter.json`, the descriptor of the epoch \
         before (`before`), and the feed that they stand in (`feed`).",
    );
    let first = OpenFeed::first(descriptor(1));
    let new = seed(77);
    let later = Descriptor { epoch: 1, key: new.public(), ..descriptor(1) };
    let end = End(4, EntryId::from_bytes([4; 32]));
    let next = |role, prior: &KeyPair| OpenFeed::next(later, end, (role, prior), &new);
    let rotated = next(WarrantRole::Old, &feed_key(1));
    let recovered = next(WarrantRole::Recovery, &recovery_key(1));
    forms(&mut file, &first, &rotated);
    let before = Some(descriptor(1));
    let feed = later.feed_id();
    let place = |name, opening| Opening { name, opening, before, feed };
    let unsigned = |role, key: &KeyPair| {
        let signature = key.sign(Tag::Head, b"something else");
        Warrant { role, key: key.public(), signature }
    };
    let with =
        |opening: &OpenFeed, warrants: Vec<Warrant>| OpenFeed { warrants, ..opening.clone() };
    let skipped = Descriptor { epoch: 2, ..later };
    let stranger = Descriptor { org: org(6), ..later };
    let again = Descriptor { key: feed_key(1).public(), ..later };
    let nobody = Descriptor { org: OrgId::from_bytes([9; 32]), ..later };
    let foreign = Descriptor { key: seed(9).public(), ..descriptor(1) };
    let by_old = |descriptor: Descriptor| {
        OpenFeed::next(descriptor, end, (WarrantRole::Old, &feed_key(1)), &new)
    };
    let cases = [
        Opening {
            name: "a first feed",
            opening: first.clone(),
            before: None,
            feed: descriptor(1).feed_id(),
        },
        place("a rotation", rotated.clone()),
        place("a recovery", recovered),
        Opening { name: "in another feed", opening: first.clone(), before: None, feed },
        Opening { name: "of no member", opening: by_old(nobody), before, feed: nobody.feed_id() },
        Opening {
            name: "of epoch 0 under another key",
            opening: OpenFeed::first(foreign),
            before: None,
            feed: foreign.feed_id(),
        },
        Opening {
            name: "of epoch 0 with an end",
            opening: OpenFeed { end: Some(end), ..first },
            before: None,
            feed: descriptor(1).feed_id(),
        },
        place("of epoch 1 without an end", OpenFeed { end: None, ..rotated.clone() }),
        Opening {
            name: "of epoch 2 after epoch 0",
            opening: by_old(skipped),
            before,
            feed: skipped.feed_id(),
        },
        Opening {
            name: "under the key of the epoch before",
            opening: OpenFeed::next(
                again,
                end,
                (WarrantRole::Recovery, &recovery_key(1)),
                &feed_key(1),
            ),
            before,
            feed: again.feed_id(),
        },
        place("without warrants", with(&rotated, vec![])),
        place("by the old key alone", with(&rotated, rotated.warrants[..1].to_vec())),
        place("by the new key alone", with(&rotated, rotated.warrants[1..].to_vec())),
        place("by a key that is not the old one", next(WarrantRole::Old, &feed_key(2))),
        place(
            "by a key that is not the recovery key",
            next(WarrantRole::Recovery, &recovery_key(2)),
        ),
        place(
            "by the old key, about something else",
            with(&rotated, vec![unsigned(WarrantRole::Old, &feed_key(1)), rotated.warrants[1]]),
        ),
        place(
            "by the new key, about something else",
            with(&rotated, vec![rotated.warrants[0], unsigned(WarrantRole::New, &new)]),
        ),
        Opening {
            name: "of another member, by the first one's key",
            opening: by_old(stranger),
            before: Some(descriptor(6)),
            feed: stranger.feed_id(),
        },
    ];
    let founding = founding(&charter());
    assert_eq!(founding.board(), board());
    for Opening { name, opening, before, feed } in cases {
        let outcome = check_opening(&founding, before.as_ref(), feed, &opening);
        let fields = json!({
            "hex": hex(&opening.to_bytes()),
            "before": before.map(|descriptor| hex(&descriptor.to_bytes())),
            "feed": feed.to_string(),
        });
        let refused = |why: BadOpening| Refusal::of("BadOpening", &why);
        file.case(name, fields, outcome.map(|()| json!({})).map_err(refused));
    }
    file
}

fn forms(file: &mut File, first: &OpenFeed, rotated: &OpenFeed) {
    let fields =
        json!({ "descriptor": descriptor_fields(&first.descriptor), "end": null, "warrants": [] });
    file.good("open_feed", "the form of a first opening", &first.to_bytes(), fields);
    let fields = json!({
        "descriptor": descriptor_fields(&rotated.descriptor),
        "end": [4, EntryId::from_bytes([4; 32]).to_string()],
        "warrants": rotated.warrants.iter().map(|warrant| json!({
            "role": format!("{:?}", warrant.role).to_lowercase(),
            "key": hex(warrant.key.as_bytes()),
            "signature": hex(warrant.signature.as_bytes()),
        })).collect::<Vec<_>>(),
    });
    file.good("open_feed", "the form of a rotation", &rotated.to_bytes(), fields);
    let good = rotated.to_bytes();
    let end = |seq| list(&[list(&[uint(seq), bytes(&[4; 32])])]);
    file.bad("open_feed", "a warrant in role 3", &edit(&good, &[2, 1, 0], uint(3)));
    file.bad("open_feed", "warrants out of order", &reversed(&good, &[2]));
    file.bad("open_feed", "an end of 2^48", &edit(&good, &[1], end(SEQ_MAX + 1)));
    file.bad("open_feed", "a weak key", &edit(&good, &[0, 4], bytes(&[0; 32])));
    file.bad("open_feed", "three warrants", &{
        let warrant =
            list(&[uint(0), list(&[uint(1), bytes(&[1; 32])]), list(&[uint(1), bytes(&[1; 64])])]);
        edit(&good, &[2], copies(warrant, 3))
    });
    file.too_long("open_feed", 1024);
}

pub(crate) fn ack() -> File {
    let mut file = File::new(
        "ack",
        "Acknowledgements. `complete_through` is the last entry of each feed that is acknowledged \
         with the payload due, null if none is.",
    );
    let item = |number: u8, through, missing: &[u64]| AckItem {
        feed: FeedId::from_bytes([number; 32]),
        seq: 9,
        id: EntryId::from_bytes([number; 32]),
        payloads_through: through,
        missing: missing.to_vec(),
        received_at: TimeMs(1_511_179_200_000),
    };
    for (name, items) in [
        ("one feed, all of it", vec![item(1, 9, &[])]),
        ("a payload missing in between", vec![item(1, 9, &[3])]),
        ("the last payloads missing", vec![item(1, 9, &[3, 8, 9])]),
        ("payloads through a lower entry", vec![item(1, 5, &[5])]),
        ("no payload at all", vec![item(1, 1, &[0, 1])]),
        ("three feeds", vec![item(1, 9, &[]), item(2, 0, &[]), item(3, 9, &[1])]),
    ] {
        let ack = Ack(items);
        let fields = json!({
            "items": ack.0.iter().map(|item| json!({
                "feed": item.feed.to_string(),
                "seq": item.seq,
                "id": item.id.to_string(),
                "payloads_through": item.payloads_through,
                "missing": item.missing,
                "received_at": item.received_at.0,
                "complete_through": item.complete_through(),
            })).collect::<Vec<_>>(),
        });
        file.good("ack", name, &ack.to_bytes(), fields);
    }
    let good = Ack(vec![item(1, 9, &[3]), item(2, 9, &[])]).to_bytes();
    file.bad("ack", "of nothing", &[0x80]);
    file.bad("ack", "of feeds out of order", &reversed(&good, &[]));
    for (name, path, new) in [
        ("of entry 2^48", vec![0, 1], uint(SEQ_MAX + 1)),
        ("of payloads past the entry", vec![0, 3], uint(10)),
        ("of 65 missing payloads", vec![0, 4], copies(uint(1), 65)),
        ("of missing payloads out of order", vec![0, 4], list(&[uint(3), uint(2)])),
        ("of a missing payload past those held", vec![1, 4], list(&[uint(10)])),
        ("of a feed twice", vec![1, 0], bytes(&[1; 32])),
    ] {
        file.bad("ack", name, &edit(&good, &path, new));
    }
    file.too_long("ack", 1024 * 1024);
    file
}

pub(crate) fn settlement() -> File {
    let mut file = File::new(
        "settlement",
        "How many entries of a feed of `size` are settled, when of the `others` voting members \
         each in `covered` has acknowledged so many, from the first, with their payloads.",
    );
    for (name, size, others, covered) in [
        ("nobody else votes", 9, 0, vec![]),
        ("one other, silent", 9, 1, vec![]),
        ("one other", 9, 1, vec![4]),
        ("one of two is no majority", 9, 2, vec![4]),
        ("both of two", 9, 2, vec![4, 7]),
        ("two of three", 9, 3, vec![4, 7]),
        ("two of four are no majority", 9, 4, vec![4, 7]),
        ("three of four", 9, 4, vec![4, 7, 2]),
        ("acknowledged more than is held", 5, 3, vec![9, 9, 9]),
    ] {
        let settled = settled_size(size, others, covered.clone());
        let fields =
            json!({ "size": size, "others": others, "covered": covered, "settled": settled });
        file.case(name, fields, Ok(json!({})));
    }
    file
}
