//! What documents name is there: links, files, commands, flags, make targets; and the README is what it
//! promises to be.
//!
//! | in a document | must be |
//! |---|---|
//! | `[words](path#heading)` | a file of this repository, and a heading or an anchor in it |
//! | `` `path/to/file` `` | a file, from the root or from one of the folders in `links` |
//! | `concordat …` in code | a command with all its flags, as clap has them |
//! | `make …` in code | targets and variables of the Makefile |
//!
//! What stands in fenced blocks of the kinds `console`, `sh` and `text` is code too.
//!
//! | file | looks up |
//! |---|---|
//! | `links` | links and files |
//! | `commands` | commands, flags, make targets, codes |
//! | `pages` | the README, the handbook's contents, the page for staff |

// Says to lints that all of this is test code.
#![cfg(test)]

mod commands;
mod links;
mod pages;

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// Every document that people read, from the root.
fn documents() -> Vec<String> {
    let mut found: Vec<String> =
        ["protocol/SPEC.md", "integration-tests/spec-reader/README.md"].map(str::to_owned).into();
    for folder in ["", "docs"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                found.push(Path::new(folder).join(name).to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    assert!(found.len() > 20, "{found:?}");
    found
}

/// A document in its two kinds of text.
#[derive(Default)]
struct Parts {
    /// Lines outside fenced blocks.
    prose: Vec<String>,
    /// What stands between backticks in them, and the lines of blocks that people type.
    code: Vec<String>,
}

fn parts(text: &str) -> Parts {
    let mut parts = Parts::default();
    let mut block: Option<&str> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), block) {
            (Some(kind), None) => block = Some(kind),
            (Some(_), Some(_)) => block = None,
            (None, None) => parts.prose.push(line.to_owned()),
            // What a program printed is its own business.
            (None, Some("console")) => {
                let typed = line.strip_prefix("$ ");
                parts.code.extend(typed.map(str::to_owned));
            }
            (None, Some("sh" | "text")) => parts.code.push(line.to_owned()),
            (None, Some(_)) => {}
        }
    }
    // A span of code may go over the end of a line.
    let prose = parts.prose.join("\n");
    for paragraph in prose.split("\n\n") {
        let spans = paragraph.split('`').skip(1).step_by(2);
        parts.code.extend(spans.map(|span| span.replace('\n', " ")));
    }
    parts
}
