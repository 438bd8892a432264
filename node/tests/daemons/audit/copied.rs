//! A copied store in place of a bundle.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::{answer, audit};
use crate::{artefacts::act, partnership::Partnership};

/// Every file below a directory, with what is in it.
fn everything(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = vec![];
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(everything(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// A copied store says the same as a bundle of it, on either engine; nothing of it changes, and that of a running node
/// is not touched.
#[test]
fn a_copied_store_is_audited_like_a_bundle_and_left_as_it_is() {
    for engine in ["sled", "redb"] {
        let mut board = Partnership::found_on(engine, &["la-wigan", "la-bury"]);
        let node = board.node_of("la-wigan");
        act(node, &["open", "decision", "--title", "Winter fund"]);
        node.run(&["note", "one note"]);
        let bundle = board.file("wigan.bundle");
        node.run(&["export", "--out", &bundle]);
        let copied = board.path().join("copied");
        crate::copy(node.home(), &copied);
        // As an auditor may be given it: on a disk that can only be read.
        let read_only = ["-R", "a-w", copied.to_str().unwrap()];
        assert!(Command::new("chmod").args(read_only).status().unwrap().success());
        let before = everything(&copied);
        let (home, store) = (copied.to_str().unwrap(), copied.join("store"));
        let store = store.to_str().unwrap();

        for place in [home, store] {
            let mut verified = answer(0, &["verify", place]);
            assert_eq!(verified, answer(0, &["verify", &bundle]), "{engine}");
            assert_eq!(verified["feeds"].as_array_mut().unwrap().len(), 2);
            let entries = |of: &str| answer(0, &["log", of])["entries"].clone();
            assert_eq!(entries(place), entries(&bundle));
            let compared = answer(0, &["compare", &bundle, place]);
            assert!(
                compared["feeds"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|feed| feed["only"] == Value::Array(vec![]))
            );
            assert_eq!(answer(0, &["replay", place])["artefacts"][0]["title"], "Winter fund");
        }
        assert_eq!(everything(&copied), before, "{engine}");

        let number = board.number_of("la-wigan");
        board.serve(number);
        let running = board.nodes[number].home().to_str().unwrap().to_owned();
        let output = audit(&["verify", &running]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), said.contains("[busy]")), (Some(2), true), "{said}");
        assert_eq!(
            board.nodes[number].json(&["note", "it goes on"])["written"].as_array().unwrap().len(),
            1
        );
        let empty = audit(&["verify", board.path().to_str().unwrap()]);
        assert!(String::from_utf8_lossy(&empty.stderr).contains("[no-store]"));
        assert_eq!(empty.status.code(), Some(2));
        // So that it can be removed.
        let back = ["-R", "u+w", copied.to_str().unwrap()];
        assert!(Command::new("chmod").args(back).status().unwrap().success());
    }
}
