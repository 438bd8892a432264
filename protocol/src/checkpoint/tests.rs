//! Checkpoints against the published example, and each way in which one is refused.

use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use proptest::prelude::*;

use super::{note::Note, *};
use crate::{
    codec::Malformed,
    identity::{KeyPair, Signature},
    limits::{CHECKPOINT_BYTES_MAX, COSIGNATURES_MAX},
};

fn pair(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32])
}

fn org(number: u8) -> OrgId {
    OrgId::from_bytes([number; 32])
}

fn witness(number: u8) -> Cosigner {
    Cosigner { org: org(number), key: pair(number).public() }
}

fn checkpoint() -> Checkpoint {
    Checkpoint {
        origin: Origin { board: BoardId::from_bytes([9; 32]), org: org(1), epoch: 0 },
        size: 20_852_163,
        root: Fixed([7; 32]),
    }
}

fn cosigned_by_two() -> SignedCheckpoint {
    let one = Cosigned::sign(&checkpoint(), 1_679_315_147, &pair(2));
    let two = Cosigned::sign(&checkpoint(), 1_679_315_148, &pair(3));
    let signed = checkpoint().sign(&pair(1));
    let signed = signed.with(&witness(2), &one).unwrap();
    signed.with(&witness(3), &two).unwrap()
}

fn read(bytes: &[u8], witnesses: &[Cosigner]) -> Result<SignedCheckpoint, BadNote> {
    SignedCheckpoint::from_bytes(bytes, (&checkpoint().origin, &pair(1).public()), witnesses)
}

fn edited(edit: impl FnOnce(String) -> String) -> Result<SignedCheckpoint, BadNote> {
    let note = String::from_utf8(cosigned_by_two().to_bytes()).unwrap();
    read(edit(note).as_bytes(), &[witness(2), witness(3)])
}

/// The example of C2SP tlog-cosignature: text and lines come back byte for byte.
#[test]
fn the_published_example_is_read_and_written_byte_for_byte() {
    let example = "example.com/behind-the-sofa\n20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/\
        Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        — witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJs\
        X3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let note = Note::from_bytes(example.as_bytes()).unwrap();
    assert_eq!(note.to_bytes(), example.as_bytes());
    let lengths: Vec<_> = note.signatures.iter().map(|line| line.signature().len()).collect();
    assert_eq!(lengths, [64, 72]);
    assert_eq!(note.signatures[1].signature()[..8], 1_679_315_147u64.to_be_bytes());
    assert_eq!(Checkpoint::from_text(&note.text), Err(BadNote::Origin(BadOrigin)));
}

#[test]
fn the_text_of_a_checkpoint_has_three_lines() {
    let text = checkpoint().to_text();
    let expected = format!(
        "concordat/board/{}/{}/0\n20852163\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
        checkpoint().origin.board,
        org(1)
    );
    assert_eq!(text, expected);
    assert_eq!(Checkpoint::from_text(&text), Ok(checkpoint()));
    assert_eq!(
        Checkpoint::from_text(&format!("{text}extension\n")),
        Err(BadNote::Lines { found: 4 })
    );
    assert_eq!(Checkpoint::from_text(text.trim_end()), Err(BadNote::Lines { found: 2 }));
    for size in ["020852163", "-1", "+1", "", "99999999999999999999", "281474976710656"] {
        let changed = text.replace("20852163", size);
        assert_eq!(Checkpoint::from_text(&changed), Err(BadNote::Size), "{size}");
    }
    // No padding; bits set behind the last byte; 31 bytes.
    for root in [
        "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
        "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwd=",
        "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw==",
    ] {
        let changed = text.replace("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", root);
        assert_eq!(Checkpoint::from_text(&changed), Err(BadNote::Root), "{root}");
    }
}

#[test]
fn an_origin_comes_back_from_its_text_and_only_from_it() {
    let origin = checkpoint().origin;
    let text = origin.to_string();
    assert_eq!(text.parse(), Ok(origin));
    for bad in [
        text.replace("concordat/", ""),
        text.replace("/0", ""),
        text.replace("/0", "/00"),
        format!("{text}/0"),
        text.replace("org-", "board-"),
    ] {
        assert_eq!(bad.parse::<Origin>(), Err(BadOrigin), "{bad}");
    }
}

#[test]
fn a_cosigned_checkpoint_comes_back_verified_with_the_witnesses_that_are_known() {
    let signed = cosigned_by_two();
    let bytes = signed.to_bytes();
    assert_eq!(read(&bytes, &[witness(2), witness(3)]), Ok(signed.clone()));
    let one = read(&bytes, &[witness(3)]).unwrap();
    assert_eq!(one.checkpoint(), &checkpoint());
    assert_eq!(one.cosigned(), &signed.cosigned()[1..]);
    assert_eq!(one.cosigned()[0].1.time_s, 1_679_315_148);
    assert_eq!(one.to_bytes(), bytes, "signatures of unknown keys are kept");
}

#[test]
fn a_bad_signature_by_a_known_key_refuses_the_note_and_one_by_an_unknown_key_does_not() {
    let other = Checkpoint { size: 1, ..checkpoint() };
    let wrong = Cosigned::sign(&other, 5, &pair(2));
    let wrong = Cosigned { checkpoint: checkpoint(), ..wrong };
    let mut signed = cosigned_by_two();
    signed.note.signatures.push(witness(2).line(&wrong));
    let bytes = signed.to_bytes();
    let name = format!("concordat/witness/{}", org(2));
    assert_eq!(read(&bytes, &[witness(2)]), Err(BadNote::Signature { name: name.clone() }));
    assert_eq!(read(&bytes, &[witness(3)]).unwrap().cosigned().len(), 1);
    assert_eq!(
        checkpoint().sign(&pair(1)).with(&witness(2), &wrong),
        Err(BadNote::Signature { name })
    );
    let of_other = Cosigned::sign(&other, 5, &pair(2));
    assert_eq!(
        checkpoint().sign(&pair(1)).with(&witness(2), &of_other),
        Err(BadNote::OtherCheckpoint)
    );
}

#[test]
fn a_checkpoint_of_another_feed_or_key_is_refused() {
    let bytes = cosigned_by_two().to_bytes();
    let origin = checkpoint().origin;
    let key = pair(1).public();
    let expected = Origin { epoch: 1, ..origin };
    assert_eq!(
        SignedCheckpoint::from_bytes(&bytes, (&expected, &key), &[]),
        Err(BadNote::OtherFeed { found: origin })
    );
    assert_eq!(
        SignedCheckpoint::from_bytes(&bytes, (&origin, &pair(4).public()), &[]),
        Err(BadNote::Unsigned { origin })
    );
    let name = origin.to_string();
    assert_eq!(
        edited(|note| note.replace("20852163", "20852164")),
        Err(BadNote::Signature { name })
    );
}

#[test]
fn notes_of_another_form_are_refused() {
    assert_eq!(read(b"", &[]), Err(BadNote::NoBlankLine));
    assert_eq!(read(&[0xff], &[]), Err(BadNote::Characters));
    assert_eq!(edited(|note| note.replace("20852163", "2085\t2163")), Err(BadNote::Characters));
    assert_eq!(edited(|note| note.replace("\n\n", "\n")), Err(BadNote::NoBlankLine));
    for (from, to) in [("— ", "- "), ("concordat/witness", "concordat+witness"), ("=\n— ", "\n— ")]
    {
        let changed = |note: String| {
            let (text, lines) = note.split_once("\n\n").unwrap();
            format!("{text}\n\n{}", lines.replace(from, to))
        };
        assert!(matches!(edited(changed), Err(BadNote::SignatureLine { .. })), "{from}");
    }
    assert_eq!(
        edited(|note| note.trim_end().to_string()),
        Err(BadNote::SignatureLine { number: 3 })
    );
}

#[test]
fn a_note_too_long_or_with_too_many_signatures_is_refused() {
    let long = vec![b'a'; CHECKPOINT_BYTES_MAX + 1];
    assert_eq!(
        read(&long, &[]),
        Err(BadNote::Malformed(Malformed::TooLong {
            what: "checkpoint",
            len: CHECKPOINT_BYTES_MAX + 1,
            max: CHECKPOINT_BYTES_MAX
        }))
    );
    let count = |count| {
        let max = COSIGNATURES_MAX;
        BadNote::Malformed(Malformed::Count { what: "checkpoint signatures", count, min: 1, max })
    };
    let lines = "— a AAAAAA==\n".repeat(COSIGNATURES_MAX + 1);
    assert_eq!(read(format!("a\n\n{lines}").as_bytes(), &[]), Err(count(COSIGNATURES_MAX + 1)));
    assert_eq!(read(b"a\n\n", &[]), Err(count(0)));
}

#[test]
fn a_list_of_cosignatures_comes_back_and_has_one_root_at_a_size() {
    let later = Checkpoint { size: 20_852_164, ..checkpoint() };
    let given =
        vec![Cosigned::sign(&checkpoint(), 5, &pair(2)), Cosigned::sign(&later, 6, &pair(2))];
    let list = CosignedList { given };
    let read = |list: &CosignedList| CosignedList::from_bytes(&list.to_bytes());
    assert_eq!(read(&list).as_ref(), Ok(&list));
    for one in &list.given {
        assert_eq!(one.verify(&pair(2).public()), Ok(()));
        assert!(one.verify(&pair(3).public()).is_err());
    }
    let other_root = Checkpoint { root: Fixed([8; 32]), ..checkpoint() };
    let two_roots =
        CosignedList { given: vec![list.given[0], Cosigned::sign(&other_root, 6, &pair(2))] };
    assert_eq!(read(&two_roots), Err(Malformed::NotAscending { what: "cosign" }));
    let max = COSIGNATURES_MAX;
    for (given, count) in [(vec![], 0), (vec![list.given[0]; max + 1], max + 1)] {
        assert_eq!(
            read(&CosignedList { given }),
            Err(Malformed::Count { what: "cosign", count, min: 1, max })
        );
    }
    let range = |what, value| Err(Malformed::Range { what, value });
    let one = |change: &dyn Fn(&mut Cosigned)| {
        let mut one = list.given[0];
        change(&mut one);
        read(&CosignedList { given: vec![one] })
    };
    assert_eq!(one(&|c| c.checkpoint.size = SEQ_MAX + 1), range("cosign size", SEQ_MAX + 1));
    assert_eq!(one(&|c| c.time_s = 1 << 63), range("cosign time", 1 << 63));
}

#[test]
fn a_cosignature_is_over_the_published_message() {
    let cosigned = Cosigned::sign(&checkpoint(), 1_679_315_147, &pair(2));
    let message = format!("cosignature/v1\ntime 1679315147\n{}", checkpoint().to_text());
    let signature: Signature = pair(2).sign_note(&message);
    assert_eq!(cosigned.signature, signature);
}

proptest! {
    #[test]
    fn no_changed_byte_of_a_checkpoint_passes_as_the_same_statement(
        at in any::<proptest::sample::Index>(),
        bits in 1u8..,
    ) {
        let signed = cosigned_by_two();
        let mut bytes = signed.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= bits;
        // A changed name or key id makes the signature one of an unknown key, which is ignored.
        if let Ok(read) = read(&bytes, &[witness(2), witness(3)]) {
            prop_assert_eq!(read.checkpoint(), signed.checkpoint());
            prop_assert!(read.cosigned().len() < signed.cosigned().len());
            prop_assert_eq!(read.to_bytes(), bytes);
        }
    }
}
