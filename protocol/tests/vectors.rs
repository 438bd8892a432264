//! The vectors beside `SPEC.md`: made anew and compared byte for byte.
//!
//! `UPDATE=1 cargo test -p concordat-protocol --test vectors` writes them. Each good vector was read
//! and written again on the way, each bad one refused with the error that stands beside it.

#![expect(clippy::unwrap_used, reason = "a vector that cannot be made should end the test")]
#![expect(clippy::panic, reason = "a vector that cannot be made should end the test")]
#![expect(clippy::too_many_lines, reason = "vectors are tables")]
#![expect(clippy::disallowed_methods, reason = "the vectors are files")]

mod make;
mod support;

use std::{collections::BTreeSet, path::PathBuf};

use concordat_protocol::{
    checkpoint::BadTlogProof,
    codec::Malformed,
    decision::{BadJson, BadWording},
    feed::{BadOpening, BadProof, Kind, Misbehaved},
    hash::Tag,
    verdict::Rule,
};

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "vectors"].iter().collect()
}

#[test]
fn the_vectors_are_the_ones_that_the_code_makes() {
    let is_update = std::env::var("UPDATE").is_ok_and(|value| value == "1");
    let mut names = BTreeSet::new();
    for file in make::all() {
        let path = folder().join(format!("{}.json", file.name));
        names.insert(format!("{}.json", file.name));
        let text = file.to_text();
        if is_update {
            std::fs::write(&path, &text).unwrap();
        }
        let stored = std::fs::read(&path).unwrap();
        assert!(stored == text.as_bytes(), "{} differs; see the head of this file", file.name);
    }
    let stored = std::fs::read_dir(folder()).unwrap();
    let stored: BTreeSet<_> =
        stored.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(stored, names);
}

/// Whether every variant is in the list: the compiler asks for a new one here.
macro_rules! variants {
    ($family:ident: $($variant:ident),*) => {{
        const fn _all(error: &$family) {
            match error { $($family::$variant { .. } => (),)* }
        }
        [$(concat!(stringify!($family), ".", stringify!($variant))),*]
    }};
}

#[test]
fn every_refusal_occurs_in_a_vector() {
    let mut codes = BTreeSet::new();
    for file in make::all() {
        for vector in &file.bad {
            if let Some(code) = vector["error"].as_str() {
                let parts: Vec<_> = code.split('.').collect();
                codes.extend(parts.windows(2).map(|pair| pair.join(".")));
            }
        }
    }
    let lacking = |all: &[&str]| {
        let lacking = all.iter().filter(|code| !codes.contains(**code));
        lacking.map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        lacking(&variants!(Malformed: TooLong, Count, CutShort, ForeignType, NotShortest, NotUtf8,
            TooDeep, Trailing, Shape, Range, NotAscending, Version, BadKey)),
        [""; 0]
    );
    assert_eq!(
        lacking(&variants!(Misbehaved: OtherFeed, WrongSeq, WrongPrev, Header, OtherEntries,
            BadSignature, MissingMandatoryHead, StrayHead, Uncovered, NotOpened, OpenedAgain)),
        [""; 0]
    );
    assert_eq!(
        lacking(&variants!(BadProof: Malformed, OtherFeed, Signature, Path, NoContradiction)),
        [""; 0]
    );
    assert_eq!(
        lacking(&variants!(BadJson: TooLong, TooDeep, TooLarge, NotUtf8, CutShort, NotCanonical,
            NotAscending, Trailing)),
        [""; 0]
    );
    assert_eq!(lacking(&variants!(BadWording: Json, Shape)), [""; 0]);
    assert_eq!(
        lacking(
            &variants!(BadTlogProof: Malformed, Characters, FirstLine, NoBlankLine, Extra, Index,
            Hash, Note, Beyond, PathLength, OtherRoot)
        ),
        [""; 0]
    );
    let openings = variants!(BadOpening: Malformed, OtherFeed, NotAMember, KeyNotInCharter,
        WrongParts, NotNext, TooMany, KeyUsedBefore, NotWarranted, Signature);
    // What is malformed is refused before it is known to be an opening.
    assert_eq!(lacking(&openings), ["BadOpening.Malformed"]);
}

#[test]
fn every_rule_of_the_verdict_occurs_in_a_vector_but_those_of_whole_documents() {
    let file = make::verdict::verdict();
    let codes: BTreeSet<_> =
        file.bad.iter().filter_map(|vector| vector["error"].as_str()).collect();
    let lacking: Vec<_> = Rule::CODES.iter().filter(|code| !codes.contains(**code)).collect();
    assert_eq!(lacking, [&"document-operations", &"document-bytes"]);
}

/// The specification, with its examples.
fn specification() -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "SPEC.md"].iter().collect();
    String::from_utf8(std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn every_example_of_the_specification_is_a_vector() {
    let hexes: BTreeSet<String> = make::all()
        .iter()
        .flat_map(|file| file.good.clone())
        .filter_map(|vector| Some(vector["hex"].as_str()?.to_string()))
        .collect();
    let specification = specification();
    let mut examples = 0;
    for block in specification.split("```hex\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        let bytes = block.lines().map(|line| line.split("  ").next().unwrap_or_default());
        let hex: String = bytes.collect::<String>().split_whitespace().collect();
        assert!(hexes.contains(&hex), "no vector has the bytes of\n{block}");
        examples += 1;
    }
    assert!(examples >= 20, "{examples} examples");
}

/// The codes of findings as the specification lists them, each with its severity.
#[test]
fn every_finding_of_the_specification_occurs_in_a_vector_and_no_other_does() {
    let specification = specification();
    let of_severity = |severity: &'static str| {
        let start = format!("| {severity} | `");
        let row = specification.lines().find(|line| line.starts_with(&start)).unwrap();
        let codes: Vec<_> = row.split('`').skip(1).step_by(2).collect();
        codes.into_iter().map(move |code| (severity.to_string(), code.to_string()))
    };
    let listed: BTreeSet<_> =
        ["proven", "unchecked", "note"].into_iter().flat_map(of_severity).collect();
    let file = make::bundle::bundle();
    let vectors = file.good.iter().chain(&file.bad);
    let findings = vectors.filter_map(|vector| vector["findings"].as_array()).flatten();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_string();
    let shown: BTreeSet<_> = findings.map(|one| (text(&one[0]), text(&one[1]))).collect();
    assert_eq!(listed, shown);
    let described =
        listed.iter().filter(|(_, code)| specification.matches(&format!("`{code}`")).count() > 1);
    assert_eq!(described.count(), listed.len(), "each has a place as well");
}

#[test]
fn every_rule_of_the_verdict_stands_in_the_specification() {
    let specification = specification();
    let lacking: Vec<_> = Rule::CODES
        .iter()
        .filter(|code| !specification.contains(&format!("| `{code}` |")))
        .collect();
    assert_eq!(lacking, [&""; 0]);
}

#[test]
fn every_tag_and_kind_stands_in_the_specification() {
    let specification = specification();
    for tag in Tag::ALL {
        assert!(specification.contains(&format!("| `{}` |", tag.as_str())), "{tag:?}");
    }
    for kind in Kind::ALL {
        let row = format!("| {} | {} | `{kind}` |", kind.0 & 0xff, kind.0);
        assert!(specification.contains(&row), "{row}");
    }
}
