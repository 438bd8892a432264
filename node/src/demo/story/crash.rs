//! A node is killed; the others go on, and it catches up.
//!
//! *Source*: ours; scenario 7 of the domain.

use super::{Story, holdings};
use crate::demo::{DemoError, checks, member::Member, stage::Found};

/// How many entries of one member's feed a node holds durably.
fn held(at: &Member, of: &str) -> Result<u64, DemoError> {
    let boards = at.status()?.boards;
    let feeds = boards.iter().flat_map(|board| &board.feeds).filter(|feed| feed.slug == of);
    Ok(feeds.map(|feed| feed.durable).sum())
}

pub(super) fn tell(story: &mut Story<'_>) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    let killed = board.member(cast.killed)?;
    let last = killed.note("Written a moment before the power failed (illustrative).")?;
    killed.kill();
    stage.say(&format!("  The process of {} is killed, as by a power cut.", cast.killed));
    stage.until("others-notice", "All others notice that it is away.", || {
        for member in board.others(cast.killed) {
            let peers = member.status()?.peers;
            let away = peers.iter().filter(|peer| !peer.is_connected);
            let away: Vec<&str> = away.map(|peer| peer.slug.as_str()).collect();
            if away != [cast.killed] {
                return Ok(Found::fault(format!("{} sees as away: {away:?}", member.slug())));
            }
        }
        let others = board.others(cast.killed).count();
        Ok(Found::well(format!("{} is away, {others} nodes say", cast.killed)))
    })?;

    let mut written = Vec::new();
    for slug in [cast.sponsor, cast.keeper, cast.office] {
        let seq = board.member(slug)?.note("Written while one of us was away (illustrative).")?;
        written.push((slug, seq));
    }
    stage.until("others-go-on", "The others write, and share it, without it.", || {
        for member in board.others(cast.killed) {
            for (slug, seq) in &written {
                let has = held(member, slug)?;
                if has <= *seq {
                    let at = member.slug();
                    return Ok(Found::fault(format!("{at} holds {has} entries of {slug}")));
                }
            }
        }
        let authors: Vec<&str> = written.iter().map(|(slug, _)| *slug).collect();
        Ok(Found::well(format!("what {} wrote is with all others", authors.join(", "))))
    })?;

    killed.start()?;
    stage.wait("the killed node answers again", || killed.has_started())?;
    stage.say("  It is started again.");
    stage.until("nothing-lost", "What it had said to be written is there.", || {
        let has = held(killed, cast.killed)?;
        let detail = format!("its feed has {has} entries, the note is entry {last}");
        Ok(Found { is_well: has > last, detail })
    })?;
    stage.until(
        "caught-up",
        "It has caught up: all nodes hold the same, to the last entry.",
        || checks::same(board.each(holdings)),
    )?;
    story.until_met()
}
