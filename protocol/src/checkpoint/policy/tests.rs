//! Policies: the text of the specification, and how many cosignatures it takes.

use alloc::{format, string::String, vec, vec::Vec};

use data_encoding::BASE64;

use super::*;
use crate::{
    charter::{Status, fixture},
    checkpoint::{Checkpoint, Cosigned},
    codec::Fixed,
    identity::{KeyPair, Signer},
};

fn origin(charter: &Charter, org: u8) -> Origin {
    Origin { board: charter.board_id().unwrap(), org: fixture::org(org), epoch: 0 }
}

/// The policy for the feed of the first of so many organisations.
fn policy(members: usize) -> Policy {
    let mut charter = fixture::founding().charter().clone();
    charter.members.truncate(members);
    let key = fixture::feed_key(1).public();
    Policy::of(&charter, origin(fixture::founding().charter(), 1), key)
}

/// A checkpoint that these witness keys cosigned, and that is read with all witnesses known.
fn cosigned_by(policy: &Policy, keys: &[(Cosigner, KeyPair)]) -> SignedCheckpoint {
    let checkpoint = Checkpoint { origin: policy.origin, size: 9, root: Fixed([7; 32]) };
    let mut signed = checkpoint.sign(&fixture::feed_key(1));
    for (witness, key) in keys {
        let cosigned = Cosigned::sign(&checkpoint, 1_511_179_200, key);
        signed = signed.with(witness, &cosigned).unwrap();
    }
    signed
}

/// The verifier key that the documentation of golang.org/x/mod/sumdb/note prints.
#[test]
fn a_published_verifier_key_is_written_byte_for_byte() {
    let published = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let bytes = BASE64.decode(published.rsplit('+').next().unwrap().as_bytes()).unwrap();
    let key: [u8; 32] = bytes[1..].try_into().unwrap();
    let key = PublicKey::ed25519(key);
    let name = KeyName::new("PeterNeumann".to_string(), SignatureType::Ed25519, &key);
    assert_eq!(name.vkey(SignatureType::Ed25519, &key), published);
}

#[test]
fn the_file_names_the_feed_the_others_and_a_strict_majority_of_them() {
    let policy = policy(6);
    let text = policy.to_text();
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    assert!(lines[0].starts_with(&format!("log {}+", policy.origin)), "{text}");
    let witnesses: Vec<&str> =
        lines.iter().filter_map(|line| line.strip_prefix("witness ")).collect();
    assert_eq!(witnesses.len(), policy.witnesses().len());
    for (line, witness) in witnesses.iter().zip(policy.witnesses()) {
        let (name, vkey) = line.split_once(' ').unwrap();
        assert_eq!(name, format!("concordat/witness/{}", witness.org));
        let parts: Vec<&str> = vkey.splitn(3, '+').collect();
        let key = BASE64.decode(parts[2].as_bytes()).unwrap();
        assert_eq!((parts[0], key[0], &key[1..]), (name, 4, witness.key.as_bytes().as_slice()));
        assert_eq!(parts[1].len(), 8);
    }
    assert!(!text.contains(&format!("witness concordat/witness/{}", fixture::org(1))), "{text}");
    let names: Vec<&str> = witnesses.iter().filter_map(|line| line.split(' ').next()).collect();
    let group = format!("group {GROUP} {} {}", policy.threshold(), names.join(" "));
    assert_eq!(lines[lines.len() - 2..], [group.as_str(), &format!("quorum {GROUP}")]);
    assert!(text.bytes().all(|byte| byte == b'\n' || byte >= 0x20), "{text}");
}

#[test]
fn one_other_is_named_by_itself_and_nobody_by_none() {
    let one = policy(2).to_text();
    let name = format!("concordat/witness/{}", fixture::org(2));
    assert!(one.ends_with(&format!("\nquorum {name}\n")) && !one.contains("group"), "{one}");
    let none = policy(1);
    assert!(none.to_text().ends_with("\n\nquorum none\n"), "{}", none.to_text());
    assert!(none.is_met_by(&cosigned_by(&none, &[])));
}

#[test]
fn a_strict_majority_of_the_others_is_enough_and_one_less_is_not() {
    let keys = |count: u8| -> Vec<(Cosigner, KeyPair)> {
        let one = |number: u8| {
            let key = KeyPair::from_seed(&[number; 32]);
            (Cosigner { org: fixture::org(number), key: key.public() }, key)
        };
        (2..2 + count).map(one).collect()
    };
    for others in 1..=6u8 {
        let all = keys(others);
        let witnesses = all.iter().map(|(witness, _)| (*witness, String::from("one"))).collect();
        let policy = Policy { witnesses, ..policy(1) };
        for count in 0..=others {
            let signed = cosigned_by(&policy, &all[..usize::from(count)]);
            assert_eq!(policy.counts(&signed), usize::from(count));
            assert_eq!(policy.is_met_by(&signed), count * 2 > others, "{count} of {others}");
        }
    }
}

#[test]
fn neither_the_feeds_own_member_nor_an_observer_nor_one_witness_twice_counts() {
    let mut charter = fixture::founding().charter().clone();
    charter.members.truncate(4);
    let observer = charter.members.last_mut().unwrap();
    observer.status = Status::Observer;
    let key = fixture::feed_key(1).public();
    let policy = Policy::of(&charter, origin(fixture::founding().charter(), 1), key);
    assert_eq!((policy.witnesses().len(), policy.threshold()), (2, 2));
    let witness = |number: u8| {
        let key = KeyPair::from_seed(&[number; 32]);
        (Cosigner { org: fixture::org(number), key: key.public() }, key)
    };
    let signed = cosigned_by(&policy, &[witness(1), witness(2), witness(2), witness(4)]);
    assert_eq!((policy.counts(&signed), policy.is_met_by(&signed)), (1, false));
    let both = cosigned_by(&policy, &[witness(2), witness(3)]);
    assert!(policy.is_met_by(&both));
    let other = Policy { origin: Origin { epoch: 1, ..policy.origin }, ..policy };
    assert!(!other.is_met_by(&both), "a checkpoint of another feed");
    assert_eq!(vec![both.cosigned().len()], [2]);
}
