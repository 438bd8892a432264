//! Commands, flags, make targets and codes that documents name.

use std::{collections::BTreeSet, process::Command};

use clap::Command as Described;
use concordat_node::cli;

use crate::{documents, parts, read};

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
pub(crate) fn misses(code: &str) -> Option<String> {
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
