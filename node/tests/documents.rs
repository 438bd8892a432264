//! What documents name is there: links, files, commands, flags, make targets; and the README is what it
//! promises to be.
//!
//! | in a document | must be |
//! |---|---|
//! | `[words](path#heading)` | a file of this repository, and a heading or an anchor in it |
//! | `` `path/to/file` `` | a file, from the root or from one of the folders in [`FROM`] |
//! | `concordat …` in code | a command with all its flags, as clap has them |
//! | `make …` in code | targets and variables of the Makefile |
//!
//! What stands in fenced blocks of the kinds `console`, `sh` and `text` is code too.

// Says to lints that all of this is test code.
#![cfg(test)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use clap::Command as Described;
use concordat_node::cli;

/// Folders from which documents name files, by the reader's place in the text.
const FROM: &[&str] =
    &["", "protocol/src", "protocol/src/engine", "node/src", "node/tests", "docs"];
/// Flags that documents name of other programs.
const FLAGS_OF_OTHERS: &[&str] = &[
    // cargo
    "--all-targets",
    "--bin",
    "--lib",
    "--release",
    "--test",
    // curl
    "--header",
    "--max-time",
    "--silent",
    "--unix-socket",
    // our simulator
    "--from",
    "--seed",
    "--seeds",
];
const README_LINES_MAX: usize = 150;

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

/// The anchors of a page: headings as hosts of Markdown name them, and those written out.
fn anchors(text: &str) -> BTreeSet<String> {
    let slug = |heading: &str| -> String {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
    };
    let prose = parts(text).prose;
    let headings = prose.iter().filter(|line| line.starts_with('#'));
    let mut anchors: BTreeSet<String> =
        headings.map(|line| slug(line.trim_start_matches('#').trim())).collect();
    let written = text.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next());
    anchors.extend(written.map(str::to_owned));
    anchors
}

#[test]
fn every_link_leads_somewhere() {
    let mut faults = vec![];
    let mut count = 0;
    for document in documents() {
        let text = read(&document);
        let prose = parts(&text).prose.join("\n");
        // Text between backticks is no link.
        let prose: String = prose.split('`').step_by(2).collect();
        for rest in prose.split("](").skip(1) {
            let target = rest.split(')').next().unwrap();
            if target.contains("://") {
                continue;
            }
            count += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let folder = Path::new(&document).parent().unwrap();
            let path = match path {
                "" => PathBuf::from(&document),
                path => folder.join(path),
            };
            let there = root().join(&path);
            let has_anchor = || anchors(&fs::read_to_string(&there).unwrap()).contains(anchor);
            if !there.exists() || (!anchor.is_empty() && !has_anchor()) {
                faults.push(format!("{document} leads to {target}"));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert!(count > 50, "{count}");
}

#[test]
fn every_file_that_is_named_is_there() {
    let ends = [".rs", ".md", ".py", ".yml", ".service", ".json", "/"];
    let mut faults = vec![];
    let mut count = 0;
    for document in documents() {
        for span in parts(&read(&document)).prose.join("\n").split('`').skip(1).step_by(2) {
            let is_plain = span.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c));
            let names_file =
                ends.iter().any(|end| span.ends_with(end)) || span.starts_with("config/");
            // What begins with a slash, or lies in the directory of a node, is not of this repository.
            let is_ours = is_plain
                && names_file
                && !span.starts_with(['/', '.'])
                && !["keys/", "tokens/", "collections/"].contains(&span)
                && (span.contains('/') || span.ends_with(".rs") || span.ends_with(".py"));
            if !is_ours {
                continue;
            }
            count += 1;
            let folder = Path::new(&document).parent().unwrap().to_string_lossy().into_owned();
            let mut places = FROM.iter().copied().chain([folder.as_str()]);
            if !places.any(|place| root().join(place).join(span).exists()) {
                faults.push(format!("{document} names {span}"));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert!(count > 100, "{count}");
}

/// The command lines of this program in a piece of code: what follows its name, up to the next command.
fn invocations(code: &str) -> Vec<Vec<&str>> {
    let code = code.split(" # ").next().unwrap();
    let segments = code.split(['|', ';', '(', ')', '&', '>', '<']);
    let ours = segments.filter_map(|segment| {
        let mut words = segment.split_whitespace().skip_while(|word| {
            // What may stand before it.
            ["sudo", "-u", "exec", "until"].contains(word) || word.contains('=')
        });
        let mut first = words.next()?;
        // `sudo -u concordat concordat …`
        if segment.contains("sudo -u concordat ") {
            first = words.next()?;
        }
        let name = first.rsplit('/').next()?;
        (name == "concordat").then(|| words.collect())
    });
    ours.collect()
}

/// What is wrong with a command line, by the commands there are.
fn misspelt(commands: &Described, words: &[&str]) -> Option<String> {
    let mut here = commands;
    let mut flags: Vec<&str> = vec![];
    let mut words = words.iter();
    let mut may_go_down = true;
    while let Some(word) = words.next() {
        let bare = word.trim_end_matches([',', '.', ':']);
        if let Some(flag) = bare.strip_prefix("--") {
            let flag = flag.split('=').next().unwrap();
            flags.push(flag);
            if ["home", "config"].contains(&flag) {
                let _value = words.next();
            }
            continue;
        }
        let is_word = !bare.is_empty() && bare.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        if !may_go_down || !here.has_subcommands() {
            continue;
        }
        match here.find_subcommand(bare) {
            Some(found) => here = found,
            None if is_word => return Some(format!("{} has no {bare}", here.get_name())),
            None => may_go_down = false,
        }
    }
    let knows = |flag: &&str| {
        let all = here.get_arguments().chain(commands.get_arguments());
        ["help", "version", ""].contains(flag)
            || all.filter_map(|arg| arg.get_long()).any(|long| long == *flag)
    };
    let unknown = flags.iter().find(|flag| !knows(flag));
    unknown.map(|flag| format!("{} has no --{flag}", here.get_name()))
}

fn all_flags(command: &Described, flags: &mut BTreeSet<String>) {
    flags.extend(
        command.get_arguments().filter_map(|arg| arg.get_long()).map(|long| format!("--{long}")),
    );
    command.get_subcommands().for_each(|below| all_flags(below, flags));
}

#[test]
fn every_command_and_flag_that_is_named_is_there() {
    let commands = cli::commands();
    let mut flags: BTreeSet<String> =
        FLAGS_OF_OTHERS.iter().map(|flag| (*flag).to_owned()).collect();
    flags.extend(["--help".to_owned(), "--version".to_owned()]);
    all_flags(&commands, &mut flags);
    let mut faults = vec![];
    let mut count = 0;
    for document in documents() {
        for code in parts(&read(&document)).code {
            for words in invocations(&code) {
                count += 1;
                let fault = misspelt(&commands, &words);
                faults.extend(fault.map(|fault| format!("{document}: {code}: {fault}")));
            }
            let named = code.split_whitespace().filter(|word| code.starts_with(word));
            for flag in named.filter(|word| word.starts_with("--") && word.len() > 2) {
                let flag = flag.split('=').next().unwrap();
                if !flags.contains(flag) {
                    faults.push(format!("{document}: nothing has {flag}"));
                }
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert!(count > 300, "{count}");
}

#[test]
fn a_command_that_is_not_there_would_be_seen() {
    let commands = cli::commands();
    let fault = |code: &str| {
        let found = invocations(code);
        assert!(!found.is_empty(), "{code}");
        found.iter().find_map(|words| misspelt(&commands, words))
    };
    for wrong in [
        "concordat keys rotat",
        "concordat --home council serv",
        "concordat artefact list --bord x",
        "sudo -u concordat concordat --home x no-such",
        "x=$(concordat nothing)",
    ] {
        assert!(fault(wrong).is_some(), "{wrong}");
    }
    for right in ["concordat keys rotate", "concordat --home council serve &", "concordat keys …"]
    {
        assert_eq!(fault(right), None);
    }
}

/// Targets of the Makefile, and variables that a caller may set.
fn makefile() -> (BTreeSet<String>, BTreeSet<String>) {
    let text = read("Makefile");
    let targets = text.lines().filter_map(|line| {
        let (name, _) = line.split_once(':')?;
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        is_name.then(|| name.to_owned())
    });
    let variables = text.lines().filter_map(|line| Some(line.split_once(" ?= ")?.0.to_owned()));
    (targets.collect(), variables.collect())
}

/// What is wrong with `make …`.
fn misses(code: &str) -> Option<String> {
    let words = code.split(" # ").next().unwrap().strip_prefix("make ")?;
    let (targets, variables) = makefile();
    words.split_whitespace().find_map(|word| match word.split_once('=') {
        Some((variable, _)) => {
            (!variables.contains(variable)).then(|| format!("no variable {variable}"))
        }
        None => (!targets.contains(word)).then(|| format!("no target {word}")),
    })
}

#[test]
fn every_make_target_that_is_named_is_there() {
    let mut faults = vec![];
    for document in documents() {
        for code in parts(&read(&document)).code {
            faults.extend(misses(code.trim()).map(|fault| format!("{document}: {code}: {fault}")));
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert!(misses("make tset").is_some() && misses("make sim SEED=1").is_some());
}

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

/// Whoever has a code and no handbook asks the program.
#[test]
fn a_code_is_explained_by_the_program_as_by_the_page() {
    let explain = |code: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_concordat"));
        let ended = program.args(["explain", code, "--json"]).output().unwrap();
        let said = if ended.status.success() { ended.stdout } else { ended.stderr };
        let said: serde_json::Value = serde_json::from_slice(&said).unwrap();
        (ended.status.code(), said)
    };
    let page = read("docs/errors.md");
    for (code, exit, status) in [
        ("unknown-board", Some(1), Some(404)),
        ("busy", Some(2), None),
        ("EndsEarly", Some(2), None),
    ] {
        let (ended, said) = explain(code);
        assert_eq!(ended, Some(0), "{said}");
        assert_eq!(said["exit_code"], serde_json::json!(exit));
        assert_eq!(said["http_status"], serde_json::json!(status));
        let row = page.lines().find(|line| line.contains(&format!("`{code}` |"))).unwrap();
        for part in ["means", "next"] {
            assert!(row.contains(said[part].as_str().unwrap()), "{row}");
        }
    }
    assert_eq!(explain("connected").0, Some(0));
    assert_eq!(explain("run-accepted").1["page"], "docs/journal.md");
    let (ended, said) = explain("no-such-code");
    assert_eq!((ended, &said["error"]["code"]), (Some(1), &"unknown-code".into()));
}
