//! Vectors of the strict signature rule. The crafted points and scalars were computed apart.

use concordat_protocol::{
    hash::Tag,
    identity::{PublicKey, Signature, Signer},
};
use serde_json::json;

use super::{
    File,
    identity::{key_refusal, unhex},
};
use crate::support::{decoders::Refusal, world::seed};

/// Name, key, message under the tag `head`, signature, and whether it verifies.
const CASES: &[(&str, &str, &str, &str, bool)] = &[
    (
        "an honest signature",
        "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
        "74656e20656e7472696573",
        "917199f999c2b542d533ac444068f0ad4cc6503d0e70b089c25afa16a43731ca8e70499f8fa3abc5fc7dac9400dbbde77b42ad1c732e13551605d60217c3360b",
        true,
    ),
    (
        "s and the order of the group",
        "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
        "74656e20656e7472696573",
        "917199f999c2b542d533ac444068f0ad4cc6503d0e70b089c25afa16a43731ca7b443ffca906be1dd31aa437dfd49cfc7b42ad1c732e13551605d60217c3361b",
        false,
    ),
    (
        "the high bits of s set",
        "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
        "74656e20656e7472696573",
        "917199f999c2b542d533ac444068f0ad4cc6503d0e70b089c25afa16a43731ca8e70499f8fa3abc5fc7dac9400dbbde77b42ad1c732e13551605d60217c3362b",
        false,
    ),
    (
        "R of mixed order: holds with the cofactor only",
        "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
        "74656e20656e7472696573",
        "ebcecfcc9193c6ba2a92f47bcb549cc6879dd601bc47d74d095bd2928649b967b5e42ba0e001ded2eb58893d0bf09afc3641f9827a61b1f0cbd06599b0383904",
        false,
    ),
    (
        "a key of mixed order, where the torsion vanishes",
        "9ea3f11f5bd34f0cd7147fd0a436c088f624c6100c1df6a53c0a29e05d60cea0",
        "6d69786564206f72646572203331",
        "d98303d33b89aaedd4e0d31bd9263f516e0f6d74e6c9d953d0f4447d0ebbb429c71eec435d5cd8444d49f8204ac91d57dc4f25bed9da3776bb000fae89c19409",
        true,
    ),
    (
        "a key of mixed order, where the torsion does not vanish",
        "9ea3f11f5bd34f0cd7147fd0a436c088f624c6100c1df6a53c0a29e05d60cea0",
        "6d69786564206f726465722030",
        "2bb380884c4e6e3587a6f53ab1bf1ad2976dbe293a2bdb7503ea461fac86ca3cf4994b4e257574ca7478af11d392887b04b66ff857f1c86126691d6938e0b00b",
        false,
    ),
    (
        "R is the neutral point",
        "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
        "74656e20656e7472696573",
        "01000000000000000000000000000000000000000000000000000000000000008bebacdcea8fece0954432a8871c5f498628104cddf436661d714760da01360c",
        false,
    ),
    (
        "the key is the neutral point",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "74656e20656e7472696573",
        "edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df0500000000000000000000000000000000000000000000000000000000000000",
        false,
    ),
    (
        "a key of order eight",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "736d616c6c206f72646572203231",
        "edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df0500000000000000000000000000000000000000000000000000000000000000",
        false,
    ),
    (
        "the neutral point in its second encoding",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "74656e20656e7472696573",
        "edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df0500000000000000000000000000000000000000000000000000000000000000",
        false,
    ),
    (
        "a key that is not canonical",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "74656e20656e7472696573",
        "edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df0500000000000000000000000000000000000000000000000000000000000000",
        false,
    ),
    (
        "the neutral point with its sign bit set",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "74656e20656e7472696573",
        "edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df0500000000000000000000000000000000000000000000000000000000000000",
        false,
    ),
    (
        "a key that is no point",
        "0200000000000000000000000000000000000000000000000000000000000000",
        "74656e20656e7472696573",
        "edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df0500000000000000000000000000000000000000000000000000000000000000",
        false,
    ),
    (
        "R is no point",
        "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
        "74656e20656e7472696573",
        "02000000000000000000000000000000000000000000000000000000000000008e70499f8fa3abc5fc7dac9400dbbde77b42ad1c732e13551605d60217c3360b",
        false,
    ),
    (
        "R is the neutral point in its second encoding",
        "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
        "74656e20656e7472696573",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f451efc77b6a082a70bbd92cdee7a9d9b116add5ac97fb36133d098f2f3b0400f",
        false,
    ),
    (
        "R is not canonical",
        "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
        "74656e20656e7472696573",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f8e70499f8fa3abc5fc7dac9400dbbde77b42ad1c732e13551605d60217c3360b",
        false,
    ),
    (
        "nothing but zeroes",
        "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
        "74656e20656e7472696573",
        "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
        false,
    ),
    (
        "another message",
        "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
        "73697820656e7472696573",
        "917199f999c2b542d533ac444068f0ad4cc6503d0e70b089c25afa16a43731ca8e70499f8fa3abc5fc7dac9400dbbde77b42ad1c732e13551605d60217c3360b",
        false,
    ),
];

pub(crate) fn signatures() -> File {
    let mut file = File::new(
        "signatures",
        "Ed25519 signatures of messages under the tag `head` (of notes: as they stand), and the \
         verdict of the strict rule. `key_admitted` says whether the key may stand in a card, \
         charter or descriptor.",
    );
    for (name, key, message, signature, good) in CASES {
        let public = PublicKey::ed25519(unhex(key).try_into().unwrap());
        let signed = Signature::ed25519(unhex(signature).try_into().unwrap());
        let outcome = public.verify(Tag::Head, &unhex(message), &signed);
        assert_eq!(outcome.is_ok(), *good, "{name}");
        let fields = json!({
            "tag": Tag::Head.as_str(),
            "key": key,
            "message": message,
            "signature": signature,
            "key_admitted": key_refusal(public).is_none(),
        });
        file.case(name, fields, refused(outcome));
    }
    let (pair, text) = (seed(1), "origin\n10\n");
    let signature = pair.sign_note(text);
    let other = |text: &str| pair.public().verify_note(text, &signature);
    for (name, text) in [
        ("a note", text),
        ("another note", "origin\n11\n"),
        ("a note with a zero byte", "origin\n\u{0}\n"),
    ] {
        let fields = json!({
            "key": concordat_protocol::codec::hex(pair.public().as_bytes()),
            "note": text,
            "signature": concordat_protocol::codec::hex(signature.as_bytes()),
        });
        file.case(name, fields, refused(other(text)));
    }
    file
}

fn refused(
    outcome: Result<(), concordat_protocol::identity::BadSignature>,
) -> Result<serde_json::Value, Refusal> {
    match outcome {
        Ok(()) => Ok(json!({})),
        Err(error) => Err(Refusal { code: format!("{error:?}"), detail: format!("{error:?}") }),
    }
}
