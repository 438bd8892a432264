//! The core is pure, proven three ways: what it may depend on is a list in this file, its source
//! names nothing that reaches the machine, and one seed gives one trace. (Clippy's bans are the
//! fourth, see `protocol/.clippy.toml`.)

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use concordat_integration_tests::sim::{Profile, Sim};

/// Everything that `protocol` is built with, but for its own tests. Build scripts and procedural
/// macros run on the developer's machine and are listed all the same.
const ALLOWED: &[&str] = &[
    "automerge",
    "block-buffer",
    "cfg-if",
    "chacha20",
    "concordat-protocol",
    "const-oid",
    "cpufeatures",
    "crypto-common",
    "curve25519-dalek",
    "curve25519-dalek-derive",
    "data-encoding",
    "digest",
    "ed25519",
    "ed25519-dalek",
    "either",
    "flate2",
    "getrandom",
    "half",
    "hex",
    "hexane",
    "hybrid-array",
    "itertools",
    "leb128",
    "libc",
    "once_cell",
    "pin-project-lite",
    "proc-macro2",
    "quote",
    "rand",
    "rand_core",
    "rustc-hash",
    "serde",
    "serde_bytes",
    "serde_cbor",
    "serde_core",
    "serde_derive",
    "sha2",
    "signature",
    "smol_str",
    "subtle",
    "syn",
    "thiserror",
    "thiserror-impl",
    "tinyvec",
    "tracing",
    "tracing-attributes",
    "tracing-core",
    "typenum",
    "unicode-ident",
    "unicode-segmentation",
    "zeroize",
    "zlib-rs",
];

/// The platform whose dependencies are listed, whichever this test runs on.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Text that must not stand in the core's source, outside comments.
const FORBIDDEN: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "std::time",
    "std::process",
    "std::io",
    "extern crate std",
    "async fn",
    "async move",
    ".await",
    "HashMap",
    "HashSet",
];

#[expect(clippy::unwrap_used, reason = "a test, in a function of its own")]
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Names of all crates that `protocol` alone is built with.
///
/// From `cargo tree` and not from `cargo metadata`: the latter adds what other members of the
/// workspace switch on, and what a feature might.
#[expect(clippy::unwrap_used, reason = "a test, in a function of its own")]
fn closure() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", "concordat-protocol", "--edges", "normal"])
        .args(["--prefix", "none", "--target", PLATFORM, "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let name = |line: &str| line.split(' ').next().unwrap_or_default().to_string();
    lines.lines().map(name).collect()
}

#[test]
fn the_core_depends_on_the_allowed_crates_and_no_others() {
    let allowed: BTreeSet<String> = ALLOWED.iter().map(ToString::to_string).collect();
    assert_eq!(closure(), allowed);
}

#[expect(clippy::unwrap_used, reason = "a test, in a function of its own")]
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_core_names_nothing_that_reaches_the_machine() {
    let mut files = Vec::new();
    sources(&root().join("protocol/src"), &mut files);
    assert!(files.len() > 20, "found only {} files", files.len());
    let mut faults = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let words = FORBIDDEN.iter().filter(|word| code.contains(**word));
            faults.extend(words.map(|word| format!("{}:{}: {word}", file.display(), number + 1)));
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    let library = fs::read_to_string(root().join("protocol/src/lib.rs")).unwrap();
    assert!(library.lines().any(|line| line == "#![no_std]"));
}

#[test]
fn one_seed_gives_one_trace_and_another_seed_another() {
    let run = |seed| Sim::new(seed, Profile::default()).unwrap().run();
    let (first, second, other) = (run(11), run(11), run(12));
    assert_eq!(first.trace_hash, second.trace_hash);
    assert_eq!(first.counts, second.counts);
    assert_ne!(first.trace_hash, other.trace_hash);
}
