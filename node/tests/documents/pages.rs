//! The README, the handbook's contents, and the page for staff.

use std::{collections::BTreeSet, fs, process::Command};

use crate::{commands::misses, documents, read, root};

const README_LINES_MAX: usize = 150;

#[test]
fn the_readme_is_short_and_has_what_it_promises() {
    let text = read("README.md");
    assert!(text.lines().count() < README_LINES_MAX, "{}", text.lines().count());
    for heading in [
        "See it",
        "Status",
        "The path of an edit",
        "The tree",
        "What always holds",
        "Tests",
        "Where to read next",
    ] {
        assert!(text.contains(&format!("\n## {heading}\n")), "{heading}");
    }
    for command in ["make demo", "make test"] {
        assert!(text.contains(&format!("$ {command}")), "{command}");
    }
    for stage in 1..=8 {
        assert!(text.contains(&format!("\n| {stage} | ")), "stage {stage}");
    }
    for invariant in 1..=6 {
        assert!(text.contains(&format!("\n{invariant}. ")), "invariant {invariant}");
    }
}

#[test]
fn the_tree_of_the_readme_is_the_real_one() {
    let text = read("README.md");
    let tree = text.split("## The tree\n\n```text\n").nth(1).unwrap().split("```").next().unwrap();
    let mut top = "";
    let mut named = BTreeSet::new();
    for line in tree.lines() {
        let name = line.split_whitespace().next().unwrap();
        let path = match line.starts_with(' ') {
            true => format!("{top}{name}"),
            false => {
                top = name;
                name.to_owned()
            }
        };
        assert!(root().join(&path).is_dir(), "{path}");
        named.insert(path.trim_end_matches('/').to_owned());
    }
    for part in ["protocol", "node"] {
        for entry in fs::read_dir(root().join(part).join("src")).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{part}/src/{}", entry.file_name().to_string_lossy());
            assert!(!entry.path().is_dir() || named.contains(&path), "the tree leaves out {path}");
        }
    }
}

/// Every command of the README: this program's is run, of others what they name is looked up.
#[test]
fn the_commands_of_the_readme_work() {
    let text = read("README.md");
    let mut count = 0;
    for block in text.split("```console\n").skip(1) {
        for line in block.split("\n```").next().unwrap().lines() {
            let command =
                line.strip_prefix("$ ").unwrap_or_else(|| panic!("{line:?} is no command"));
            let command = command.split(" # ").next().unwrap().trim();
            count += 1;
            match command.split_once(' ').unwrap() {
                ("make", _) => assert_eq!(misses(command), None, "{command}"),
                ("cargo", rest) => assert_eq!(rest, "build --release"),
                ("target/release/concordat", rest) => {
                    let ran = Command::new(env!("CARGO_BIN_EXE_concordat"))
                        .args(rest.split_whitespace())
                        .output();
                    assert!(ran.unwrap().status.success(), "{command}");
                }
                _ => panic!("nobody runs {command}"),
            }
        }
    }
    assert!(count >= 6, "{count}");
}

#[test]
fn every_page_is_in_the_handbook_and_those_with_commands_are_run() {
    let contents = read("docs/README.md");
    let transcripts = fs::read_to_string(root().join("node/tests/transcripts.rs")).unwrap();
    for document in documents() {
        let Some(page) = document.strip_prefix("docs/").filter(|page| *page != "README.md") else {
            continue;
        };
        assert!(contents.contains(&format!("]({page}")), "{page} is not in docs/README.md");
        let is_run = transcripts.contains(&format!("run_page(\"{page}\""));
        assert_eq!(read(&document).contains("```console"), is_run, "{page}");
    }
}

/// Staff are told what to do on each conflict that there is.
#[test]
fn the_page_for_staff_has_every_conflict() {
    let page = read("docs/staff.md");
    for code in concordat_protocol::replay::Code::ALL {
        assert!(page.contains(&format!("\n| {code} | ")), "{code}");
    }
}
