//! Vectors of C2SP proofs that an entry is in a feed, and of the policies of feeds.

use concordat_protocol::{
    checkpoint::{Checkpoint, Cosigned, Origin, Policy, TlogProof},
    codec::{Fixed, hex},
    feed::{Frontier, inclusion_path, leaf_hash},
    identity::Signer,
    limits::TLOG_PROOF_BYTES_MAX,
};
use data_encoding::BASE64;
use serde_json::json;

use super::File;
use crate::support::{
    decoders::checkpointed,
    world::{charter, seed},
};

const SIZE: u64 = 13;
const INDEX: u64 = 6;

fn header(index: u64) -> Vec<u8> {
    format!("the header of entry {index}").into_bytes()
}

fn proof(size: u64, index: u64) -> TlogProof {
    let (origin, key, witness) = checkpointed();
    let leaves: Vec<Fixed<32>> = (0..size).map(|index| leaf_hash(&header(index))).collect();
    let mut tree = Frontier::default();
    leaves.iter().for_each(|leaf| tree.append(*leaf));
    let checkpoint = Checkpoint { origin, size, root: tree.root() };
    let cosigned = Cosigned::sign(&checkpoint, 1_511_179_200, &seed(102));
    let signed = checkpoint.sign(&key).with(&witness, &cosigned).unwrap();
    let path = inclusion_path(&leaves, usize::try_from(index).unwrap()).unwrap();
    TlogProof::of(&header(index), (index, path), &signed)
}

pub(crate) fn tlog() -> File {
    let mut file = File::new(
        "tlog_proof",
        "C2SP proofs that an entry is in the feed of `origin`, by `feed_key`, one witness known: the \
         leaf is the extra data, or nothing where there are none. Policies are cases: of the board of \
         six in charter.json, for the feed of the member `policy_of`, in epoch 0.",
    );
    good(&mut file);
    bad(&mut file);
    policies(&mut file);
    file
}

fn good(file: &mut File) {
    let (origin, key, witness) = checkpointed();
    for (name, size, index) in [
        ("of one of thirteen", SIZE, INDEX),
        ("of the last", SIZE, SIZE - 1),
        ("of the only one", 1, 0),
    ] {
        let bytes = proof(size, index).to_bytes();
        let fields = json!({
            "origin": origin.to_string(),
            "feed_key": hex(key.public().as_bytes()),
            "witness": witness.org.to_string(),
            "witness_key": hex(witness.key.as_bytes()),
            "text": String::from_utf8(bytes.clone()).unwrap(),
            "index": index,
            "size": size,
            "extra": hex(&header(index)),
            "cosignatures": 1,
        });
        file.good("tlog_proof", name, &bytes, fields);
    }
}

fn bad(file: &mut File) {
    let text = String::from_utf8(proof(SIZE, INDEX).to_bytes()).unwrap();
    let lines: Vec<&str> = text.split('\n').collect();
    let line = |number: usize, with: &str| {
        let mut lines = lines.clone();
        lines[number] = with;
        lines.join("\n").into_bytes()
    };
    let hash = BASE64.encode(&[7; 32]);
    let many = format!("{}\n{hash}", [hash.as_str(); 63].join("\n"));
    let short = &hash[..hash.len() - 1];
    let spare = hash.replace("c=", "d=");
    for (name, bytes) in [
        ("of another version", line(0, "c2sp.org/tlog-proof@v2")),
        ("of nothing", Vec::new()),
        ("with a carriage return", line(0, "c2sp.org/tlog-proof@v1\r")),
        ("that is not UTF-8", [text.as_bytes(), &[0xff]].concat()),
        ("with no extra data on their line", line(1, "extra ")),
        ("with extra data without padding", line(1, "extra eA")),
        ("with spare bits in the extra data", line(1, "extra eB==")),
        ("with extra data of 4 KiB and one", {
            line(1, &format!("extra {}", BASE64.encode(&[7; 4097])))
        }),
        ("with the index before the extra data", {
            let mut lines = lines.clone();
            lines.swap(1, 2);
            lines.join("\n").into()
        }),
        ("without an index", line(2, lines[3])),
        ("with an index that begins with a nought", line(2, "index 06")),
        ("with a negative index", line(2, "index -6")),
        ("with an index past 2^48", line(2, "index 281474976710656")),
        ("with a hash without padding", line(3, short)),
        ("with spare bits in a hash", line(4, &spare)),
        ("with a hash of 31 bytes", line(4, &BASE64.encode(&[7; 31]))),
        ("with a path of 64", line(3, &many)),
        ("without the empty line", text.replacen("\n\n", "\n", 1).replacen("\n\n", "\n", 1).into()),
        ("without a checkpoint", text.split_once("\n\n").unwrap().0.as_bytes().to_vec()),
        ("with a checkpoint without signatures", lines[..lines.len() - 3].join("\n").into()),
        ("with a checkpoint of another size", text.replace("\n13\n", "\n14\n").into()),
        ("with a checkpoint of another feed", text.replace("/0\n", "/1\n").into()),
        ("of an entry beyond the checkpoint", line(2, "index 13")),
        ("of the entry after it", line(2, "index 7")),
        ("of another entry", line(1, &format!("extra {}", BASE64.encode(&header(INDEX + 1))))),
        ("with two hashes in each other's place", {
            let mut lines = lines.clone();
            lines.swap(3, 4);
            lines.join("\n").into()
        }),
        ("with a path that is one longer", line(3, &format!("{}\n{hash}", lines[3]))),
        ("with a path that is one shorter", {
            let mut lines = lines.clone();
            lines.remove(3);
            lines.join("\n").into()
        }),
    ] {
        file.bad("tlog_proof", name, &bytes);
    }
    file.too_long("tlog_proof", TLOG_PROOF_BYTES_MAX);
}

fn policies(file: &mut File) {
    let charter = charter();
    let board = charter.board_id().unwrap();
    for member in &charter.members {
        let origin = Origin { board, org: member.org, epoch: 0 };
        let policy = Policy::of(&charter, origin, member.feed_key);
        let fields = json!({
            "policy_of": member.slug.to_string(),
            "threshold": policy.threshold(),
            "text": policy.to_text(),
        });
        file.case(&format!("the policy of {}", member.slug), fields, Ok(json!({})));
    }
}
