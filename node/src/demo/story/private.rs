//! Records stay private, and two fields of one leave when somebody lets them.
//!
//! *Source*: ours; scenario 15 of the domain.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::Story;
use crate::{
    demo::{
        DemoError, checks, deeds,
        partnership::Partnership,
        records::{KEPT, Kept, LINE},
        stage::Found,
    },
    home::{FileError, Home},
    view::artefact::Artefact,
};

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

/// Five import a row each, and one begins a decision that will need some of its own.
fn import(story: &Story<'_>) -> Result<String, DemoError> {
    let Story { stage, board, cast, .. } = story;
    for kept in KEPT {
        let member = board.member(kept.by)?;
        let collections = Home::new(member.home()).collections();
        fs::create_dir_all(&collections).map_err(FileError::at("making", &collections))?;
        let schema = collections.join(kept.collection).with_extension("toml");
        let rows = board.file(kept.collection).with_extension("csv");
        for (path, text) in [(&schema, kept.schema), (&rows, kept.rows)] {
            fs::write(path, text).map_err(FileError::at("writing", path))?;
        }
        member.json(&["record", "import", kept.collection, &rows.display().to_string()])?;
    }
    stage.say(
        "  Five import what is nobody else's business: beds, delays, a ledger, returns, a forward plan.",
    );
    let keeper = board.member(cast.keeper)?;
    Ok(keeper.act(deeds::open("decision", "Cancer services (illustrative)"))?.artefact)
}

/// What may never leave, beside its owner.
fn words() -> impl Iterator<Item = (&'static str, &'static str)> {
    KEPT.iter().flat_map(|Kept { by, words, .. }| words.iter().map(move |word| (*by, *word)))
}

/// Every file of every node, and what one of them exports; whatever is found of texts that are not its own.
fn found_elsewhere(
    board: &Partnership,
    exported: &Path,
    texts: &[(&str, &str)],
) -> Result<Found, DemoError> {
    let mut places: Vec<(&str, PathBuf)> = Vec::from([("", exported.to_path_buf())]);
    for member in &board.members {
        let slug = member.slug();
        places.extend([(slug, member.home().to_path_buf()), (slug, member.log())]);
    }
    let (mut files, mut bytes, mut found) = (0_u64, 0_u64, Vec::new());
    for (whose, place) in places {
        let of_others = texts.iter().filter(|(owner, _)| *owner != whose);
        let of_others: Vec<&str> = of_others.map(|(_, text)| *text).collect();
        let (looked_at, length, named) = search(&place, &of_others)?;
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
    let mut missing = Vec::new();
    // Words of the schema were written there as they are.
    let of_rows = || {
        KEPT.iter().flat_map(|kept| {
            let words = kept.words.iter().filter(|word| kept.rows.contains(**word));
            words.map(|word| (kept.by, *word))
        })
    };
    for (owner, word) in of_rows() {
        let (_, _, own) = search(board.member(owner)?.home(), &[word])?;
        missing.extend(own.is_empty().then(|| format!("{word:?} at {owner}")));
    }
    let fault = (!missing.is_empty()).then(|| missing.join(", "));
    let detail = format!("{} texts, each with its owner", of_rows().count());
    let what = "A search finds words of the rows where they belong.";
    stage.check("private-at-home", what, Found::unless(fault, detail));

    let bundle = export(board, cast.observer, "before-promotion.bundle")?;
    let promoted = PROMOTED.map(|text| (cast.keeper, text));
    let texts: Vec<(&str, &str)> = words().chain(promoted).collect();
    let what = format!(
        "None of {} texts of theirs is in a file of any other node, or in what one of them exports.",
        texts.len()
    );
    stage.check("private-nowhere-else", what, found_elsewhere(board, &bundle, &texts)?);
    Ok(())
}

/// Two fields leave, and a third may not.
fn promote(story: &mut Story<'_>, decision: &str) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let keeper = board.member(cast.keeper)?;
    stage.say(&format!("  {} lets the amount and the scheme into a decision.", cast.keeper));
    let promote = ["record", "promote", "ledger", LINE, "--artefact", decision, "--yes"];
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
    let what = "The same search finds what was let out, in what another node exports.";
    let (_, _, out) = search(&bundle, &[SCHEME])?;
    let detail = if out.is_empty() { "nothing".to_owned() } else { format!("{SCHEME:?}") };
    stage.check("promoted-is-found", what, Found { is_well: !out.is_empty(), detail });
    let texts: Vec<(&str, &str)> = words().collect();
    let what = format!("Of the other {} texts there is still none anywhere else.", texts.len());
    stage.check("rest-private", what, found_elsewhere(board, &bundle, &texts)?);
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
    let what = "The node keeps a note of the fields that left.";
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
        search(place.path(), &words().map(|(_, word)| word).collect::<Vec<_>>()).unwrap()
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
    fn what_leaves_stands_in_the_row() {
        let [ledger, ..] = KEPT else { panic!("no ledger") };
        assert!(PROMOTED[..2].iter().all(|text| ledger.rows.contains(text)));
        assert!(PROMOTED[1].replace('.', "") == PENCE && SCHEME == PROMOTED[0]);
    }
}
