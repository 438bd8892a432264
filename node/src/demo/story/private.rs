//! A record stays private, and two fields of it leave when somebody lets them.
//!
//! *Source*: ours; scenario 15 of the domain.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::Story;
use crate::{
    demo::{DemoError, checks, deeds, member::Member, partnership::Partnership, stage::Found},
    home::{FileError, Home},
    view::artefact::Artefact,
};

/// What the records hold: the example that comes with the program.
const COLLECTION: &str = include_str!("../../../../config/examples/collections/ledger.toml");
const ROWS: &str = "Line,Posted on,Scheme,Supplier,Amount (£),Status,Note\n\
                    CAN-0417,2017-11-30,Cancer diagnostics at weekends,Quillfeather Imaging (illustrative),\
                    1846312.70,forecast,Walk away above two million\n";
const RECORD: &str = "CAN-0417";
/// What may never leave.
const PRIVATE: [&str; 4] = [
    RECORD,
    "Quillfeather Imaging",
    "Walk away above two million",
    "Ledger lines of joint schemes",
];
/// What leaves once it is promoted, and not before.
const PROMOTED: [&str; 3] = ["Cancer diagnostics at weekends", "1846312.70", "184631270"];
const SCHEME: &str = "Cancer diagnostics at weekends";
const PENCE: &str = "184631270";

pub(super) fn tell(story: &mut Story<'_>) -> Result<(), DemoError> {
    let decision = import(story)?;
    story.until_equal()?;
    nothing_left(story)?;
    promote(story, &decision)?;
    story.until_equal()?;
    only_that_left(story)
}

/// The keeper imports a row of its ledger, and begins a decision that will need some of it.
fn import(story: &Story<'_>) -> Result<String, DemoError> {
    let Story { stage, board, cast, .. } = story;
    let keeper = board.member(cast.keeper)?;
    let collections = Home::new(keeper.home()).collections();
    fs::create_dir_all(&collections).map_err(FileError::at("making", &collections))?;
    let rows = board.file("ledger.csv");
    for (path, text) in [(collections.join("ledger.toml"), COLLECTION), (rows.clone(), ROWS)] {
        fs::write(&path, text).map_err(FileError::at("writing", &path))?;
    }
    keeper.json(&["record", "import", "ledger", &rows.display().to_string()])?;
    stage.say(&format!(
        "  {} imports a row of its ledger, which is nobody else's business.",
        cast.keeper
    ));
    Ok(keeper.act(deeds::open("decision", "Cancer services (illustrative)"))?.artefact)
}

/// Every file of every other node, and what another node exports; whatever is found of these texts.
fn found_elsewhere(
    board: &Partnership,
    keeper: &Member,
    exported: &Path,
    texts: &[&str],
) -> Result<Found, DemoError> {
    let mut places: Vec<PathBuf> = Vec::from([exported.to_path_buf()]);
    for member in board.others(keeper.slug()) {
        places.extend([member.home().to_path_buf(), member.log()]);
    }
    let (mut files, mut bytes, mut found) = (0_u64, 0_u64, Vec::new());
    for place in places {
        let (looked_at, length, named) = search(&place, texts)?;
        files = files.saturating_add(looked_at);
        bytes = bytes.saturating_add(length);
        found.extend(named);
    }
    let said = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
    let detail = format!("{files} files of {} MB searched; found: {said}", bytes / 1_000_000);
    // Looking for nothing in nothing proves nothing.
    Ok(Found { is_well: found.is_empty() && bytes > 0, detail })
}

/// Goes through every file at this path: how many, of how many bytes, and which texts stand in which.
fn search(path: &Path, texts: &[&str]) -> Result<(u64, u64, Vec<String>), DemoError> {
    let kind = fs::symlink_metadata(path).map_err(FileError::at("reading", path))?;
    let mut all = (0, 0, Vec::new());
    if kind.is_dir() {
        for entry in fs::read_dir(path).map_err(FileError::at("reading", path))? {
            let entry = entry.map_err(FileError::at("reading", path))?.path();
            let (files, bytes, found) = match search(&entry, texts) {
                // Nodes run, and their files come and go.
                Err(_) if !entry.exists() => continue,
                searched => searched?,
            };
            all = (all.0 + files, all.1 + bytes, [all.2, found].concat());
        }
    } else if kind.is_file() {
        let bytes = fs::read(path).map_err(FileError::at("reading", path))?;
        let found = texts.iter().filter(|text| checks::holds(&bytes, text));
        let found = found.map(|text| format!("{text:?} in {}", path.display()));
        all = (1, bytes.len() as u64, found.collect());
    }
    Ok(all)
}

/// A bundle that the observer's node exports.
fn export(board: &Partnership, observer: &str, name: &str) -> Result<PathBuf, DemoError> {
    let bundle = board.file(name);
    board.member(observer)?.json(&["export", "--out", &bundle.display().to_string()])?;
    Ok(bundle)
}

fn nothing_left(story: &mut Story<'_>) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let keeper = board.member(cast.keeper)?;
    let (_, _, own) = search(keeper.home(), &PRIVATE)?;
    let kept =
        PRIVATE.iter().all(|text| own.iter().any(|found| found.starts_with(&format!("{text:?}"))));
    let detail = format!("{} places in its own directory", own.len());
    let what = format!("The search finds the row where it belongs, with {}.", cast.keeper);
    stage.check("private-at-home", what, Found { is_well: kept, detail });

    let bundle = export(board, cast.observer, "before-promotion.bundle")?;
    let texts = [&PRIVATE[..], &PROMOTED[..]].concat();
    let what = "Nothing of it is in any file of any other node, nor in what one of them exports.";
    let found = found_elsewhere(board, keeper, &bundle, &texts)?;
    stage.check("private-nowhere-else", what, found);
    Ok(())
}

/// Two fields leave, and a third may not.
fn promote(story: &mut Story<'_>, decision: &str) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let keeper = board.member(cast.keeper)?;
    stage.say(&format!("  {} lets the amount and the scheme into a decision.", cast.keeper));
    let promote = ["record", "promote", "ledger", RECORD, "--artefact", decision, "--yes"];
    let denied = keeper.json(&[&promote[..], &["--field", "supplier"]].concat());
    let found = match denied {
        Err(DemoError::Command { said, .. }) if said.contains("not-allowed") => {
            Found::well(message(&said))
        }
        other => Found::fault(format!("expected [not-allowed], found {other:?}")),
    };
    stage.check("supplier-kept", "What the ledger does not allow cannot be promoted.", found);

    let two = ["--field", "amount", "--as", "amount=finance/total_pence"];
    let two = [&two[..], &["--field", "scheme", "--as", "scheme=background"]].concat();
    keeper.json(&[&promote[..], &two].concat())?;
    stage.until("two-fields", "The two fields, and no others, are there on every node.", || {
        let shown = board.each(|member| member.show(decision));
        let fault = |shown: &Artefact| {
            let mut paths: Vec<&str> =
                shown.fields.iter().map(|field| field.path.as_str()).collect();
            paths.sort_unstable();
            let expected = ["background", "finance/total_pence", "title"];
            checks::value_fault(shown, "finance/total_pence", &[PENCE])
                .or_else(|| checks::text_fault(shown, "background", SCHEME))
                .or_else(|| {
                    (paths != expected).then(|| format!("fields {paths:?}, expected {expected:?}"))
                })
        };
        checks::alike(shown, fault, |_| format!("{SCHEME:?} and {PENCE} pence"))
    })?;
    Ok(())
}

/// The sentence of a refusal that was written as JSON.
fn message(said: &str) -> String {
    let error = said.lines().rev().find_map(|line| {
        serde_json::from_str::<serde_json::Value>(line).ok()?["error"]["message"]
            .as_str()
            .map(ToOwned::to_owned)
    });
    error.unwrap_or_else(|| said.to_owned())
}

fn only_that_left(story: &mut Story<'_>) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let keeper = board.member(cast.keeper)?;
    let bundle = export(board, cast.observer, "after-promotion.bundle")?;
    let what = "Of the rest of the row there is still nothing anywhere else.";
    let found = found_elsewhere(board, keeper, &bundle, &PRIVATE)?;
    stage.check("rest-private", what, found);
    let promotions = keeper.json(&["record", "promotions"])?;
    let fields: Vec<String> = promotions["promotions"][0]["fields"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|pair| pair[0].as_str().map(ToOwned::to_owned))
        .collect();
    let is_well = fields == ["amount", "scheme"]
        && promotions["promotions"].as_array().is_some_and(|all| all.len() == 1);
    let detail = format!("{} noted, without its values", fields.join(" and "));
    let what = "The node keeps a note of what left, to whom, and on whose word.";
    stage.check("promotion-noted", what, Found { is_well, detail });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searched(text: &str) -> (u64, u64, Vec<String>) {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("store")).unwrap();
        fs::write(place.path().join("store/rows"), text).unwrap();
        search(place.path(), &PRIVATE).unwrap()
    }

    #[test]
    fn what_stands_in_a_file_below_is_found_and_what_does_not_is_not() {
        let (files, bytes, found) = searched("…Quillfeather Imaging…");
        assert_eq!((files, bytes), (1, 26));
        assert!(found[0].starts_with("\"Quillfeather Imaging\" in "), "{found:?}");
        assert_eq!(found.len(), 1);
        assert_eq!(searched("Quillfeather  Imaging").2, Vec::<String>::new());
    }

    #[test]
    fn the_row_holds_what_is_looked_for() {
        let private = PRIVATE.iter().filter(|text| !COLLECTION.contains(**text));
        assert!(private.chain(&PROMOTED[..2]).all(|text| ROWS.contains(text)));
        assert!(PROMOTED[1].replace('.', "") == PENCE && SCHEME == PROMOTED[0]);
    }
}
