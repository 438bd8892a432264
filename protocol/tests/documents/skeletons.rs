//! Skeletons: the same bytes on every node, for ever.

use concordat_protocol::{
    artefact::{
        document::{Document, Skeleton},
        kinds,
    },
    codec::hex,
    hash::FeedId,
    verdict::{Actor, ActorPrefix, Chunk, History, Judgement},
};
use std::sync::Arc;

/// Another kind, version or field is another line; a line never changes.
const HASHES: &[(&str, u64, &str)] = &[
    ("decision", 1, "56ca090f6ab39da77650b5569c7dd7b6c07add161a7880d398aaac3a616f43ec"),
    ("mutual_aid", 1, "10c54acbb4e14fb081962ca7ac5cc9166226cc66391f7fbcf4d33e8b3b5d35ea"),
    ("standard", 1, "b3b5e331ee48685c73a4eb4ab27b08c7e51977488b376cb042f7bb7ad53f9812"),
];

#[test]
fn the_skeleton_of_each_kind_has_the_hash_written_here() {
    let found: Vec<(&str, u64, String)> = kinds::ALL
        .iter()
        .map(|kind| (kind.name, kind.version, Skeleton::new(kind).unwrap().hash().to_string()))
        .collect();
    let expected: Vec<_> =
        HASHES.iter().map(|(name, version, hash)| (*name, *version, (*hash).to_string())).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_skeleton_is_a_good_change_of_no_feed() {
    for kind in kinds::ALL {
        let skeleton = Arc::new(Skeleton::new(kind).unwrap());
        let chunk = Chunk::from_bytes(skeleton.raw()).unwrap();
        assert_eq!((chunk.actor, chunk.seq, chunk.start_op), (Actor::SKELETON, 1, 1));
        assert_eq!(chunk.dependencies, []);
        assert_eq!(chunk.hash, skeleton.hash());
        let history = History::new(skeleton.raw()).unwrap();
        assert!(history.contains(&skeleton.hash()));
        let feed = ActorPrefix::of(&FeedId::from_bytes([1; 32]));
        assert!(matches!(history.judge(skeleton.raw(), feed), Judgement::Refused(_)));
        let again = Skeleton::new(kind).unwrap();
        assert_eq!(hex(again.raw()), hex(skeleton.raw()));
        assert_eq!(Document::new(&skeleton).heads(), [skeleton.hash()]);
    }
}

#[test]
fn a_skeleton_states_no_time_and_names_its_kind() {
    for kind in kinds::ALL {
        let skeleton = Skeleton::new(kind).unwrap();
        let change = automerge::Change::try_from(skeleton.raw()).unwrap();
        assert_eq!(change.timestamp(), 0);
        let message = format!("concordat/skeleton/{}/{}", kind.name, kind.version);
        assert_eq!(change.message(), Some(message.as_str()));
    }
}
