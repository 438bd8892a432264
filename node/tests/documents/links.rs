//! Links and files that documents name.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::{documents, parts, read, root};

/// Folders from which documents name files, by the reader's place in the text.
const FROM: &[&str] =
    &["", "protocol/src", "protocol/src/engine", "node/src", "node/tests", "docs"];

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
