//! A member puts an old copy of its machine back without care, and so signs two histories. It is caught.
//!
//! *Source*: ours; scenario 5 of the domain.

use std::fs;

use super::Story;
use crate::{
    demo::{
        DemoError, checks,
        member::{Member, Program},
        stage::Found,
    },
    home::FileError,
    view::FeedLine,
};

/// What a node says of a member's feed.
fn feed(at: &Member, of: &str) -> Result<Option<FeedLine>, DemoError> {
    let boards = at.status()?.boards;
    Ok(boards.into_iter().flat_map(|board| board.feeds).find(|feed| feed.slug == of))
}

pub(super) fn tell(story: &mut Story<'_>) -> Result<(), DemoError> {
    let first = sign_twice(story)?;
    let Story { stage, board, cast, .. } = story;
    let forked = cast.office;
    let what = format!("Every other node finds two histories of {forked}, from the same entry on.");
    stage.until("fork-found", what, || {
        let mut told = Vec::new();
        for member in board.others(forked) {
            let feed = feed(member, forked)?;
            let at = feed.as_ref().and_then(|feed| feed.forked_at);
            let Some(at) = at.filter(|at| *at == first) else {
                let slug = member.slug();
                return Ok(Found::fault(format!("{slug} has {at:?}, expected entry {first}")));
            };
            let instruction = feed.and_then(|feed| feed.instruction).unwrap_or_default();
            told.push((member.slug(), format!("entry {at}: {instruction}")));
        }
        checks::same(told.into_iter().map(Ok))
    })?;

    let forking = board.member(forked)?;
    stage.until("fork-stopped", format!("{forked} is told so too, and signs no more."), || {
        let refused = match forking.note("More (illustrative).") {
            Err(DemoError::Refused { refusal, .. }) => Some(refusal),
            _ => None,
        };
        Ok(checks::refused(refused.as_ref(), "own-feed-forked", "keys rotate"))
    })?;
    others_go_on(story)?;
    prove(story, first)
}

/// A copy of the home is made, the node goes on, and the copy is put back and signs something else. Gives the first
/// entry of which there are two.
fn sign_twice(story: &mut Story<'_>) -> Result<u64, DemoError> {
    let Story { stage, board, cast, .. } = story;
    let office = board.member(cast.office)?;
    let (copy, newer) = (board.file("old-copy"), board.file("newer"));
    office.stop();
    office.copy_home(&copy)?;
    office.start()?;
    stage.wait("the node answers again", || office.has_started())?;
    let seq = office.note("What the others got (illustrative).")?;
    stage.wait("the others hold what it wrote", || {
        let mut holds = true;
        for member in board.others(cast.office) {
            holds &= feed(member, cast.office)?.is_some_and(|feed| feed.durable > seq);
        }
        Ok(holds)
    })?;
    office.stop();
    fs::rename(office.home(), &newer).map_err(FileError::at("putting aside", office.home()))?;
    fs::rename(&copy, office.home()).map_err(FileError::at("putting back", &copy))?;
    stage.say(&format!(
        "  The machine of {} is put back to an older copy, and writes before it meets anybody.",
        cast.office
    ));
    let written = office.json(&["note", "What was written instead (illustrative)."])?;
    let instead = written["written"][0]["seq"].as_u64();
    office.start()?;
    stage.wait("the node answers again", || office.has_started())?;
    instead.ok_or_else(|| DemoError::NeverCame { what: "the older copy writes".to_owned() })
}

/// What was decided stays, and the others write on.
fn others_go_on(story: &mut Story<'_>) -> Result<(), DemoError> {
    let Story { stage, board, cast, fund, .. } = story;
    let seq = board.member(cast.sponsor)?.note("We go on (illustrative).")?;
    stage.until(
        "fork-others",
        "What was decided stays decided, and the others write on.",
        || {
            let mut states = Vec::new();
            for member in board.others(cast.office) {
                let holds = feed(member, cast.sponsor)?.is_some_and(|feed| feed.durable > seq);
                if !holds {
                    return Ok(Found::fault(format!(
                        "{} has not got what was written",
                        member.slug()
                    )));
                }
                let state = match fund.as_deref() {
                    Some(fund) => member.show(fund)?.state_name,
                    None => "none".to_owned(),
                };
                states.push((member.slug(), format!("the winter fund is {state}")));
            }
            let said = checks::same(states.into_iter().map(Ok))?;
            Ok(Found { is_well: said.is_well && said.detail.contains("in_force"), ..said })
        },
    )?;
    Ok(())
}

/// The proof: two signatures of one key that contradict each other, for anybody who has the file.
fn prove(story: &mut Story<'_>, first: u64) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let observer = board.member(cast.observer)?;
    let events = observer.json(&["journal", "list", "--event", "fork-proven"])?;
    let noted = events["entries"].as_array().map_or(0, Vec::len);
    let detail = format!("{noted} fork-proven in the journal of {}", cast.observer);
    stage.check(
        "fork-noted",
        "The journal tells when it was proven.",
        Found { is_well: noted > 0, detail },
    );
    let bundle = board.file("forked.bundle");
    observer.json(&["export", "--out", &bundle.display().to_string()])?;
    let program = Program::of_this_process()?;
    let place = board.file("");
    let (code, report) = program.json_in(&place, &["audit", "verify", "forked.bundle"])?;
    let what = "Whoever has the file can prove it, by two signatures of one key.";
    let found = checks::entry_named(code, &report, (cast.office, first));
    stage.check("fork-proven", what, found);
    Ok(())
}
