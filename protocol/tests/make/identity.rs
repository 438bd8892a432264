//! Vectors of CBOR, ids, and who organisations are.

use concordat_protocol::{
    codec::{self, Fixed, Malformed, hex},
    hash::{ArtefactId, BadId, BoardId, CharterHash, EntryId, FeedId, NodeKey, OrgId, Tag, hash},
    identity::{Attribution, Card, PublicKey, Signature, Signer},
};
use serde_json::json;

use super::{
    File,
    edit::{bytes, copies, edit, list, reversed, text, uint},
};
use crate::support::{
    decoders::Refusal,
    world::{self, feed_key, recovery_key, seed},
};

pub(crate) fn cbor() -> File {
    let mut file = File::new(
        "cbor",
        "Items of the CBOR that is used, at most 256 bytes, and how others are refused.",
    );
    for (name, hex, diagnostic) in [
        ("nought", "00", "0"),
        ("the largest of one byte", "17", "23"),
        ("the least of two bytes", "1818", "24"),
        ("the least of three bytes", "190100", "256"),
        ("the least of five bytes", "1a00010000", "65536"),
        ("the least of nine bytes", "1b0000000100000000", "4294967296"),
        ("the largest", "1bffffffffffffffff", "18446744073709551615"),
        ("no bytes", "40", "h''"),
        ("four bytes", "4401020304", "h'01020304'"),
        ("no text", "60", "\"\""),
        ("text of two letters in three bytes", "63c3a962", "\"\\u00e9b\""),
        ("an empty array: also no value", "80", "[]"),
        ("an array of one: also a value", "8107", "[7]"),
        (
            "a value of a format",
            "8419012c440102030465626f61726482808107",
            "[300, h'01020304', \"board\", [[], [7]]]",
        ),
        ("sixteen levels", "81818181818181818181818181818180", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"),
    ] {
        file.good("cbor", name, &unhex(hex), json!({ "diagnostic": diagnostic }));
    }
    for (name, hex) in [
        ("nothing", ""),
        ("a number without its byte", "18"),
        ("a number without one of its two bytes", "1901"),
        ("bytes without the last", "43aabb"),
        ("an array without its last item", "8201"),
        ("an array that counts more items than there are bytes", "9bffffffffffffffff"),
        ("bytes that count more than there are", "5bffffffffffffffff"),
        ("a number in two bytes that fits one", "1817"),
        ("a number in three bytes that fits two", "1900ff"),
        ("a number in five bytes that fits three", "1a0000ffff"),
        ("a number in nine bytes that fits five", "1b00000000ffffffff"),
        ("a length in two bytes that fits one", "580100"),
        ("a negative number", "20"),
        ("a negative number that is not shortest", "3801"),
        ("a map", "a0"),
        ("a tag", "c000"),
        ("false", "f4"),
        ("null", "f6"),
        ("a float of two bytes: first its number is read", "f90000"),
        ("a float of two bytes", "f93c00"),
        ("bytes of indefinite length", "5f40ff"),
        ("an array of indefinite length", "9fff"),
        ("a reserved first byte", "1c"),
        ("text that is not UTF-8", "8161ff"),
        ("seventeen levels", "8181818181818181818181818181818180"),
        ("a byte after the end", "0000"),
        ("an item after the end", "8000"),
    ] {
        file.bad("cbor", name, &unhex(hex));
    }
    file.too_long("cbor", 256);
    file
}

pub(crate) fn ids() -> File {
    let mut file = File::new(
        "ids",
        "Hashes under every tag, and the text forms of ids: prefix, hyphen, base32 in lower case \
         without padding.",
    );
    for tag in Tag::ALL {
        let hashed = hash(*tag, &[b"abc"]);
        let outcome = json!({ "tag": tag.as_str(), "message": hex(b"abc"), "hash": hex(&hashed) });
        file.case(&format!("the hash of abc under {}", tag.as_str()), outcome, Ok(json!({})));
    }
    let counting: [u8; 32] = core::array::from_fn(|at| u8::try_from(at).unwrap());
    for (kind, text) in [
        ("organisation", OrgId::from_bytes(counting).to_string()),
        ("board", BoardId::from_bytes(counting).to_string()),
        ("charter", CharterHash::from_bytes(counting).to_string()),
        ("feed", FeedId::from_bytes(counting).to_string()),
        ("entry", EntryId::from_bytes(counting).to_string()),
        ("artefact", ArtefactId::from_bytes(counting).to_string()),
        ("node", NodeKey::from_bytes(counting).to_string()),
    ] {
        let fields = json!({ "id": hex(&counting), "text": text });
        file.case(&format!("an id of a {kind}"), fields, Ok(json!({})));
    }
    let good = OrgId::from_bytes(counting).to_string();
    for (name, text) in [
        ("capitals", good.to_uppercase()),
        ("capitals after the prefix", good.replace("org-a", "org-A")),
        ("another prefix", good.replace("org-", "board-")),
        ("no prefix", good.replace("org-", "")),
        ("one letter less", good[..good.len() - 1].to_string()),
        ("one letter more", format!("{good}a")),
        ("bits after the end", format!("{}b", &good[..good.len() - 1])),
        ("padding", format!("{good}====")),
        ("a figure that base32 has not", good.replace("org-a", "org-1")),
    ] {
        let refused: BadId = text.parse::<OrgId>().unwrap_err();
        let fields = json!({ "text": text, "expected": "organisation" });
        file.case(
            name,
            fields,
            Err(Refusal { code: "BadId".into(), detail: format!("{refused:?}") }),
        );
    }
    file
}

pub(crate) fn inception() -> File {
    let mut file =
        File::new("inception", "Inception records, whose hash is the organisation's id.");
    for number in [1, 2] {
        let record = world::inception(number);
        let fields = json!({
            "class": record.class,
            "legal_name": record.legal_name,
            "codes": record.codes.iter().map(|code| json!([code.0, code.1])).collect::<Vec<_>>(),
            "recovery_key": hex(recovery_key(number).public().as_bytes()),
            "recovery_digest": hex(&record.recovery_digest.0),
            "nonce": hex(&record.nonce.0),
            "org": record.org_id().to_string(),
        });
        file.good("inception", &record.legal_name, &record.to_bytes(), fields);
    }
    let good = world::inception(1).to_bytes();
    let code = |scheme: &str| list(&[text(scheme), text("1")]);
    file.bad("inception", "another version", &edit(&good, &[0], uint(2)));
    file.bad("inception", "a class of 257 bytes", &edit(&good, &[1], text(&"c".repeat(257))));
    file.bad("inception", "a name of 257 bytes", &edit(&good, &[2], text(&"n".repeat(257))));
    file.bad("inception", "33 codes", &edit(&good, &[3], copies(code("a"), 33)));
    file.bad("inception", "a code twice", &edit(&good, &[3], copies(code("ods"), 2)));
    file.bad(
        "inception",
        "codes out of order",
        &edit(&good, &[3], list(&[code("ods"), code("gss")])),
    );
    file.bad("inception", "a digest of 31 bytes", &edit(&good, &[4], bytes(&[0; 31])));
    file.bad("inception", "a nonce that is text", &edit(&good, &[5], text("0123456789abcdef")));
    file.bad("inception", "one field more", &{
        let mut long = good.clone();
        long[0] += 1;
        long.push(0);
        long
    });
    file.bad("inception", "a byte after the end", &[good.as_slice(), &[0]].concat());
    file.bad("inception", "cut short", &good[..good.len() - 1]);
    file.too_long("inception", 4096);
    file
}

pub(crate) fn card() -> File {
    let mut file = File::new("card", "Node cards, signed by the feed key that they name.");
    let later = Card { epoch: 2, number: 7, addresses: vec![], ..world::card(2) };
    for (name, number, card) in
        [("a first card", 1, world::card(1)), ("without addresses", 2, later)]
    {
        let signed = card.sign(&feed_key(number)).unwrap();
        let fields = json!({
            "org": card.org.to_string(),
            "epoch": card.epoch,
            "number": card.number,
            "feed_key": hex(card.feed_key.as_bytes()),
            "witness_key": hex(card.witness_key.as_bytes()),
            "node_key": card.node_key.to_string(),
            "addresses": card.addresses,
            "not_before": card.not_before.0,
        });
        file.good("card", name, &signed.to_bytes(), fields);
    }
    let signed = world::card(1).sign(&feed_key(1)).unwrap().to_bytes();
    let (body, _): (codec::Blob, Signature) = codec::decode(&signed, "card", 4096).unwrap();
    let body = body.into_vec();
    // The body is changed and signed anew, so that the fault is the body's own.
    let mut resigned = |name: &str, body: Vec<u8>| {
        let signature = feed_key(1).sign(Tag::Card, &body);
        let card = codec::encode(&(codec::Blob::from(body), signature));
        file.bad("card", name, &card);
    };
    let key = |pair: &dyn Signer| list(&[uint(1), bytes(pair.public().as_bytes())]);
    resigned("another version", edit(&body, &[0], uint(2)));
    resigned("17 addresses", edit(&body, &[7], copies(text("/ip4/192.0.2.1/tcp/1"), 17)));
    resigned("an address of 129 bytes", edit(&body, &[7, 0], text(&"a".repeat(129))));
    resigned("a time past 2^53", edit(&body, &[8], uint((1 << 53) + 1)));
    resigned("a feed key of small order", edit(&body, &[4, 1], bytes(&[0; 32])));
    resigned("a witness key of another algorithm", edit(&body, &[5, 0], uint(2)));
    resigned("a node key that is no point", edit(&body, &[6], bytes(&two())));
    resigned("one key for two uses", edit(&body, &[5], key(&feed_key(1))));
    resigned("the feed key as node key", edit(&body, &[6], bytes(feed_key(1).public().as_bytes())));
    file.bad("card", "signed by another key", &{
        let signature = seed(9).sign(Tag::Card, &body);
        codec::encode(&(codec::Blob::from(body.clone()), signature))
    });
    file.bad("card", "signed under another tag", &{
        let signature = feed_key(1).sign(Tag::Head, &body);
        codec::encode(&(codec::Blob::from(body.clone()), signature))
    });
    file.bad("card", "changed after it was signed", &{
        let changed = edit(&body, &[3], uint(9));
        edit(&signed, &[0], bytes(&changed))
    });
    file.bad("card", "signed by an unknown algorithm", &edit(&signed, &[1, 0], uint(2)));
    file.too_long("card", 4096);
    file
}

pub(crate) fn attribution() -> File {
    let mut file =
        File::new("attribution", "Staff attributions, opaque outside their organisation.");
    let attribution = Attribution {
        actor_ref: Fixed([5; 16]),
        role: "commissioning manager".into(),
        capacity: "for the council".into(),
        how_authenticated: "smartcard".into(),
    };
    let good = attribution.to_bytes();
    let fields = json!({
        "actor_ref": hex(&attribution.actor_ref.0),
        "role": attribution.role,
        "capacity": attribution.capacity,
        "how_authenticated": attribution.how_authenticated,
    });
    file.good("attribution", "a manager", &good, fields);
    let long = || text(&"r".repeat(257));
    for (field, at) in [("role", 1), ("capacity", 2), ("way of authentication", 3)] {
        file.bad("attribution", &format!("a {field} of 257 bytes"), &edit(&good, &[at], long()));
    }
    file.bad("attribution", "a name for a reference", &edit(&good, &[0], text("Jo")));
    file.bad("attribution", "a map for texts", &{
        let mut map = good.clone();
        map[0] = 0xa2;
        map
    });
    file.bad("attribution", "fields in another order", &reversed(&good, &[]));
    file.too_long("attribution", 1024);
    file
}

/// A y that is on no point of the curve.
pub(crate) fn two() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = 2;
    bytes
}

pub(crate) fn unhex(hex: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap()
}

/// A refusal of a key.
pub(crate) fn key_refusal(key: PublicKey) -> Option<Refusal> {
    key.admit("key").err().map(|error: Malformed| Refusal::of("Malformed", &error))
}
