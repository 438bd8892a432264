//! Proofs against the published example, and each way in which one is refused.

use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use proptest::prelude::*;

use super::*;
use crate::{
    checkpoint::Cosigned,
    feed::{Frontier, inclusion_path},
    hash::{BoardId, OrgId},
    identity::{KeyPair, Signer},
};

const SIZE: u64 = 21;
const INDEX: u64 = 12;

fn pair(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32])
}

fn origin() -> Origin {
    Origin { board: BoardId::from_bytes([9; 32]), org: OrgId::from_bytes([1; 32]), epoch: 0 }
}

fn witness() -> Cosigner {
    Cosigner { org: OrgId::from_bytes([2; 32]), key: pair(2).public() }
}

/// What stands for the header of an entry.
fn header(index: u64) -> Vec<u8> {
    format!("header {index}").into_bytes()
}

fn signed(size: u64) -> SignedCheckpoint {
    let mut tree = Frontier::default();
    (0..size).for_each(|index| tree.append(leaf_hash(&header(index))));
    let checkpoint = Checkpoint { origin: origin(), size, root: tree.root() };
    let cosigned = Cosigned::sign(&checkpoint, 1_511_179_200, &pair(2));
    checkpoint.sign(&pair(1)).with(&witness(), &cosigned).unwrap()
}

fn proof_in(size: u64, index: u64) -> TlogProof {
    let leaves: Vec<_> = (0..size).map(|index| leaf_hash(&header(index))).collect();
    let path = inclusion_path(&leaves, usize::try_from(index).unwrap()).unwrap();
    TlogProof::of(&header(index), (index, path), &signed(size))
}

fn verify(proof: &TlogProof, header: &[u8]) -> Result<SignedCheckpoint, BadTlogProof> {
    proof.verify(header, (&origin(), &pair(1).public()), &[witness()])
}

fn text() -> String {
    String::from_utf8(proof_in(SIZE, INDEX).to_bytes()).unwrap()
}

fn read(text: &str) -> Result<TlogProof, BadTlogProof> {
    TlogProof::from_bytes(text.as_bytes())
}

/// The same with a line in another's place, counted from 0.
fn with_line(number: usize, line: &str) -> Result<TlogProof, BadTlogProof> {
    let text = text();
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines[number] = line;
    read(&lines.join("\n"))
}

#[test]
fn a_proof_comes_back_and_proves_the_entry_that_it_is_of_alone() {
    for size in 1..40 {
        for index in 0..size {
            let proof = proof_in(size, index);
            let again = TlogProof::from_bytes(&proof.to_bytes()).unwrap();
            assert_eq!(again, proof);
            assert_eq!(again.extra(), Some(header(index).as_slice()));
            let checkpoint = verify(&again, &header(index)).unwrap();
            assert_eq!(checkpoint.checkpoint(), again.checkpoint());
            assert_eq!(checkpoint.cosigned().len(), 1);
            assert_eq!(verify(&again, &header(index + 1)), Err(BadTlogProof::OtherRoot));
        }
    }
}

#[test]
fn the_file_has_the_lines_of_the_specification_in_their_order() {
    let proof = TlogProof { extra: None, ..proof_in(3, 1) };
    let leaf = |index| BASE64.encode(&leaf_hash(&header(index)).0);
    let note = String::from_utf8(signed(3).to_bytes()).unwrap();
    let expected = format!("c2sp.org/tlog-proof@v1\nindex 1\n{}\n{}\n\n{note}", leaf(0), leaf(2));
    assert_eq!(String::from_utf8(proof.to_bytes()).unwrap(), expected);
    let alone = TlogProof { extra: Some(b"x".to_vec()), ..proof_in(1, 0) };
    let note = String::from_utf8(signed(1).to_bytes()).unwrap();
    let expected = format!("c2sp.org/tlog-proof@v1\nextra eA==\nindex 0\n\n{note}");
    assert_eq!(String::from_utf8(alone.to_bytes()).unwrap(), expected);
    assert_eq!(TlogProof::from_bytes(&proof.to_bytes()), Ok(proof));
}

/// The example of C2SP tlog-proof. Its signatures are cut with "[...]", so a checkpoint of ours stands
/// for its own; and of the 17 hashes that its size calls for it prints 5.
#[test]
fn the_published_example_is_read_and_written_byte_for_byte_but_for_its_checkpoint() {
    let head = "c2sp.org/tlog-proof@v1\n\
        extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ\n\
        index 73894\n\
        gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n\
        B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n\
        EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=\n\
        RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=\n\
        AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n";
    let checkpoint = Checkpoint { origin: origin(), size: 109_482, root: Fixed([7; 32]) };
    let note = String::from_utf8(checkpoint.sign(&pair(1)).to_bytes()).unwrap();
    let example = format!("{head}\n{note}");
    let proof = read(&example).unwrap();
    assert_eq!((proof.index(), proof.path.len()), (73_894, 5));
    assert_eq!(proof.path[0].0[..4], [0x81, 0x22, 0xb2, 0x5e]);
    assert!(proof.extra().unwrap().starts_with(b"age-v1.2.1-darwin-arm64.tar.gz"));
    assert_eq!(proof.to_bytes(), example.as_bytes());
    assert_eq!(verify(&proof, b"any"), Err(BadTlogProof::PathLength { found: 5 }));
}

#[test]
fn a_first_line_or_a_form_of_another_kind_is_refused() {
    assert_eq!(read(""), Err(BadTlogProof::FirstLine));
    for line in
        ["c2sp.org/tlog-proof@v2", "c2sp.org/tlog-proof@v1 ", "c2sp.org/tlog-proof@v1\r", ""]
    {
        assert_eq!(with_line(0, line), Err(BadTlogProof::FirstLine), "{line:?}");
    }
    assert_eq!(TlogProof::from_bytes(&[0xff]), Err(BadTlogProof::Characters));
    assert_eq!(read("c2sp.org/tlog-proof@v1\nindex 0\n"), Err(BadTlogProof::NoBlankLine));
    let long = vec![b'a'; TLOG_PROOF_BYTES_MAX + 1];
    let too_long = Malformed::TooLong {
        what: "tlog-proof",
        len: TLOG_PROOF_BYTES_MAX + 1,
        max: TLOG_PROOF_BYTES_MAX,
    };
    assert_eq!(TlogProof::from_bytes(&long), Err(BadTlogProof::Malformed(too_long)));
}

#[test]
fn extra_data_are_some_bytes_in_canonical_base64_or_not_there() {
    let long = BASE64.encode(&[7; HEADER_BYTES_MAX + 1]);
    for data in ["", "eA", "eB==", "eA== ", "*", " eA==", long.as_str()] {
        let line = format!("extra {data}");
        assert_eq!(with_line(1, &line), Err(BadTlogProof::Extra), "{data:?}");
    }
    // Without a space it is no line of extra data, so the index is missing; twice it is too.
    assert_eq!(with_line(1, "extra"), Err(BadTlogProof::Index));
    assert_eq!(with_line(2, "extra eA=="), Err(BadTlogProof::Index));
}

#[test]
fn an_index_is_one_number_in_decimal() {
    for index in ["012", "-1", "+1", "", " 12", "12 ", "0x0c", "281474976710656", "12\r"] {
        let line = format!("index {index}");
        assert_eq!(with_line(2, &line), Err(BadTlogProof::Index), "{index:?}");
    }
    for line in ["Index 12", "index", "index\t12", "12"] {
        assert_eq!(with_line(2, line), Err(BadTlogProof::Index), "{line:?}");
    }
}

#[test]
fn a_line_of_the_path_is_a_hash_in_canonical_base64() {
    // No padding; bits set behind the last byte; 31 and 33 bytes; a blank behind.
    for line in [
        "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
        "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwd=",
        "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw==",
        "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH",
        "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc= ",
    ] {
        assert_eq!(with_line(4, line), Err(BadTlogProof::Hash { number: 2 }), "{line}");
    }
    let hash = BASE64.encode(&[7; 32]);
    let longer = format!("{hash}\n").repeat(PATH_MAX + 1);
    let longer = format!("c2sp.org/tlog-proof@v1\nindex 0\n{longer}\na\n");
    let (what, count, min, max) = ("tlog-proof path", PATH_MAX + 1, 0, PATH_MAX);
    let count = Malformed::Count { what, count, min, max };
    assert_eq!(read(&longer), Err(BadTlogProof::Malformed(count)));
}

#[test]
fn a_path_that_is_cut_longer_or_in_another_order_proves_nothing() {
    let sound = proof_in(SIZE, INDEX);
    let with = |change: &dyn Fn(&mut TlogProof)| {
        let mut changed = sound.clone();
        change(&mut changed);
        verify(&TlogProof::from_bytes(&changed.to_bytes()).unwrap(), &header(INDEX))
    };
    let found = sound.path.len();
    assert_eq!(
        with(&|one| one.path.truncate(found - 1)),
        Err(BadTlogProof::PathLength { found: found - 1 })
    );
    assert_eq!(
        with(&|one| one.path.push(Fixed([7; 32]))),
        Err(BadTlogProof::PathLength { found: found + 1 })
    );
    assert_eq!(with(&|one| one.path.swap(0, 1)), Err(BadTlogProof::OtherRoot));
    assert_eq!(with(&|one| one.path[0].0[0] ^= 1), Err(BadTlogProof::OtherRoot));
    assert_eq!(with(&|one| one.index = INDEX + 1), Err(BadTlogProof::OtherRoot));
    let (index, size) = (SIZE, SIZE);
    assert_eq!(with(&|one| one.index = SIZE), Err(BadTlogProof::Beyond { index, size }));
    let (index, size) = (SEQ_MAX, SIZE);
    assert_eq!(with(&|one| one.index = SEQ_MAX), Err(BadTlogProof::Beyond { index, size }));
}

#[test]
fn a_checkpoint_of_another_feed_key_or_size_refuses_the_proof() {
    let sound = proof_in(SIZE, INDEX);
    let other = Origin { epoch: 1, ..origin() };
    let of = |origin: &Origin, key: u8| {
        sound.verify(&header(INDEX), (origin, &pair(key).public()), &[witness()])
    };
    let other_feed = BadNote::OtherFeed { found: origin() };
    assert_eq!(of(&other, 1), Err(BadTlogProof::Note(other_feed)));
    assert_eq!(of(&origin(), 3), Err(BadTlogProof::Note(BadNote::Unsigned { origin: origin() })));
    let size = read(&text().replace("\n21\n", "\n22\n")).unwrap();
    let name = origin().to_string();
    assert_eq!(verify(&size, &header(INDEX)), Err(BadTlogProof::Note(BadNote::Signature { name })));
    // A checkpoint that is sound and of another size: the path is another.
    let moved = TlogProof { note: signed(40).note, ..sound };
    assert!(matches!(verify(&moved, &header(INDEX)), Err(BadTlogProof::PathLength { .. })));
    let cut = text();
    let note = cut.split_once("\n\n").unwrap().0.len() + 2;
    assert_eq!(read(cut.get(..note).unwrap()), Err(BadTlogProof::Note(BadNote::NoBlankLine)));
}

#[test]
fn any_two_lines_changed_for_each_other_are_noticed() {
    let text = text();
    let lines: Vec<&str> = text.split('\n').collect();
    for one in 0..lines.len() {
        for other in one + 1..lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(one, other);
            // The order of signatures means nothing.
            let is_told = swapped == lines
                || lines[one].starts_with('—') && lines[other].starts_with('—')
                || match read(&swapped.join("\n")) {
                    Ok(proof) => verify(&proof, &header(INDEX)).is_err(),
                    Err(_) => true,
                };
            assert!(is_told, "lines {one} and {other}");
        }
    }
}

proptest! {
    #[test]
    fn no_changed_byte_of_a_proof_passes_as_the_same_proof(
        at in any::<proptest::sample::Index>(),
        bits in 1u8..,
    ) {
        let proof = proof_in(SIZE, INDEX);
        let sound = verify(&proof, &header(INDEX)).unwrap();
        let mut bytes = proof.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= bits;
        if let Ok(read) = TlogProof::from_bytes(&bytes) {
            prop_assert_eq!(read.to_bytes(), bytes);
            if let Ok(checkpoint) = verify(&read, &header(INDEX)) {
                // Extra data are not authenticated, and who is not known has not cosigned.
                prop_assert_eq!(checkpoint.checkpoint(), sound.checkpoint());
                let is_other_extra = read.extra() != proof.extra();
                prop_assert!(is_other_extra || checkpoint.cosigned().is_empty());
            }
        }
    }

    #[test]
    fn no_bytes_make_the_reader_fail(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut file = b"c2sp.org/tlog-proof@v1\n".to_vec();
        file.extend(&bytes);
        for bytes in [bytes, file] {
            if let Ok(read) = TlogProof::from_bytes(&bytes) {
                prop_assert_eq!(read.to_bytes(), bytes);
            }
        }
    }
}
