//! An auditor with one file checks and replays all of it, and finds one changed byte.
//!
//! *Source*: ours; scenarios 16 and 17 of the domain.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::Story;
use crate::{
    demo::{DemoError, checks, member::Program, partnership::Partnership, stage::Found},
    home::FileError,
    view::artefact::Artefact,
};

/// Stands in one entry alone.
const NOTE: &str = "The minutes of the fourth of December are agreed (illustrative).";

pub(super) fn tell(story: &mut Story<'_>) -> Result<(), DemoError> {
    let author = story.cast.sponsor;
    let seq = story.board.member(author)?.note(NOTE)?;
    story.until_equal()?;
    let Story { stage, board, cast, .. } = story;
    let empty = board.file("auditor");
    fs::create_dir_all(&empty).map_err(FileError::at("making", &empty))?;
    let bundle = auditors_bundle(board);
    board.member(cast.observer)?.json(&["export", "--out", &bundle.display().to_string()])?;
    stage.say(&format!(
        "  {} hands an auditor one file, who has no node, no network and no key.",
        cast.observer
    ));
    let program = Program::of_this_process()?;

    let (code, report) = program.json_in(&empty, &["audit", "verify", "board.bundle"])?;
    let what = "Every signature, chain, acknowledgement and content in it holds.";
    stage.check("audit-verify", what, checks::clean(code, &report, "findings"));

    let (code, replayed) = program.json_in(&empty, &["audit", "replay", "board.bundle"])?;
    let what = "Built again from the file alone, every frozen text is the one that was signed.";
    stage.check("audit-replay", what, checks::clean(code, &replayed, "failures"));
    let observer = board.member(cast.observer)?;
    let shown = observer.list()?.into_iter().map(|artefact| observer.show(&artefact));
    let shown: Vec<Artefact> = shown.collect::<Result<_, _>>()?;
    let what = format!(
        "The auditor has the artefacts that {} shows, each in the same state, with the same result of its votes.",
        cast.observer
    );
    stage.check("audit-same-state", what, checks::replayed_as_shown(&replayed, &shown));
    folder(story, &empty)?;
    tamper(story, &empty, (author, seq))
}

/// One decision by itself, with proofs that other programs read. Nodes cosign with their next acknowledgements.
fn folder(story: &mut Story<'_>, empty: &Path) -> Result<(), DemoError> {
    let Story { stage, board, cast, fund, .. } = story;
    let Some(fund) = fund.as_deref() else { return Ok(()) };
    let program = Program::of_this_process()?;
    let (bundle, made) = (empty.join("fund.bundle"), empty.join("winter-fund"));
    let what = "The winter fund alone, as a folder for the minutes: each vote stands under a checkpoint of its \
                author's feed that a majority of the others cosigned.";
    stage.until("audit-proofs", what, || {
        for path in [&bundle, &made].into_iter().filter(|path| path.exists()) {
            let removed =
                if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            removed.map_err(FileError::at("removing", path))?;
        }
        board.member(cast.observer)?.json(&["export", "--out", &bundle.display().to_string()])?;
        let words = ["audit", "export", "fund.bundle", "--artefact", fund, "--out", "winter-fund"];
        let (code, report) = program.json_in(empty, &words)?;
        Ok(checks::proven_to_others(code, &report))
    })?;
    Ok(())
}

/// The file that the auditor is handed.
pub(super) fn auditors_bundle(board: &Partnership) -> PathBuf {
    board.file("auditor").join("board.bundle")
}

/// One byte of one entry is changed in a copy.
fn tamper(
    story: &mut Story<'_>,
    empty: &Path,
    (author, seq): (&str, u64),
) -> Result<(), DemoError> {
    let bundle = empty.join("board.bundle");
    let mut bytes = fs::read(&bundle).map_err(FileError::at("reading", &bundle))?;
    let place = bytes.windows(NOTE.len()).position(|window| window == NOTE.as_bytes());
    let Some(byte) = place.and_then(|place| bytes.get_mut(place)) else {
        let found = Found::fault("the note is not in the file");
        story.stage.check("audit-tampered", "A changed byte is found.", found);
        return Ok(());
    };
    *byte ^= 1;
    let changed = empty.join("changed.bundle");
    fs::write(&changed, &bytes).map_err(FileError::at("writing", &changed))?;
    let program = Program::of_this_process()?;
    let (code, report) = program.json_in(empty, &["audit", "verify", "changed.bundle"])?;
    let what =
        format!("One byte is changed in a copy: it is found, and where: entry {seq} of {author}.");
    let found = checks::entry_named(code, &report, (author, seq));
    story.stage.check("audit-tampered", what, found);
    Ok(())
}
