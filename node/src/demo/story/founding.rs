//! The first chapter: nodes are made, found a board by files, start and meet.
//!
//! *Source*: ours.

use std::collections::BTreeSet;

use concordat_protocol::charter::Founding;
use data_encoding::BASE64;

use super::Story;
use crate::{
    control::{Answer, Request},
    demo::{DemoError, checks, member::Member, partnership::Partnership, stage::Found},
    store::EngineKind,
};

pub(super) fn tell(story: &mut Story<'_>, engine: EngineKind) -> Result<(), DemoError> {
    let Story { stage, board, cast, .. } = story;
    for line in [
        &format!(
            "A partnership of {} organisations, each with a node of its own, on {engine}.",
            board.members.len()
        ),
        "Names are those of Greater Manchester in 2017. Rules, texts and amounts are illustrative:",
        "nobody wrote or decided any of this. What is said to hold was read off the nodes.",
        "",
        "1. A board is founded",
        "  Each organisation makes its keys, hands out its card, reads the draft and signs it.",
    ] {
        stage.say(line);
    }
    stage.working("making the nodes and founding the board", || board.found(cast, engine))?;
    stage.working("starting the nodes", || {
        board.for_all(|member| {
            member.start()?;
            stage.wait("the node answers", || member.has_started())
        })
    })?;

    stage.until("own-keys", "Every node runs, under a key of its own.", || own_keys(board))?;
    let what = "All have met, over TCP with TLS, without anybody in the middle.";
    stage.until("met", what, || have_met(board))?;
    stage
        .until("one-board", "All are on the same board.", || checks::same(board.each(board_of)))?;
    let what = "All hold the same charter, with everybody's signatures.";
    let nodes = board.members.len();
    stage.until("one-charter", what, || {
        let said = checks::same(board.each(charter_of))?;
        let is_signed = said.detail.starts_with(&format!("signed by {nodes} of {nodes} members"));
        Ok(Found { is_well: said.is_well && is_signed, ..said })
    })?;
    Ok(())
}

fn own_keys(board: &Partnership) -> Result<Found, DemoError> {
    let keys = board.each(|member| Ok(member.status()?.node));
    let keys: Vec<(&str, String)> = keys.collect::<Result<_, _>>()?;
    let distinct: BTreeSet<&String> = keys.iter().map(|(_, key)| key).collect();
    let detail = format!("{} nodes answer, with {} keys", keys.len(), distinct.len());
    Ok(Found { is_well: distinct.len() == board.members.len(), detail })
}

fn have_met(board: &Partnership) -> Result<Found, DemoError> {
    let others = board.members.len().saturating_sub(1);
    let mut transports = BTreeSet::new();
    for member in &board.members {
        let peers = member.status()?.peers;
        let met = peers.iter().filter(|peer| peer.is_connected).count();
        if met != others {
            let slug = member.slug();
            return Ok(Found::fault(format!("{slug} is connected to {met} of {others}")));
        }
        transports.extend(peers.into_iter().flat_map(|peer| peer.paths).map(|path| path.transport));
    }
    let transports = Vec::from_iter(transports);
    let detail = format!("each is connected to {others} others, over {}", transports.join(", "));
    Ok(Found { is_well: transports == ["tcp"], detail })
}

fn board_of(member: &Member) -> Result<String, DemoError> {
    let boards = member.status()?.boards.into_iter().map(|board| board.board);
    Ok(boards.collect::<Vec<_>>().join(" "))
}

/// The founding file that the node holds, with the signatures of all its members verified again.
fn charter_of(member: &Member) -> Result<String, DemoError> {
    let Answer::Charter(charter) = member.ask(&Request::Charter { board: None })? else {
        return Ok("none".to_owned());
    };
    let bytes = BASE64.decode(charter.as_bytes()).unwrap_or_default();
    Ok(match Founding::from_bytes(&bytes) {
        Ok(founding) => {
            let members = founding.charter().members.len();
            format!("signed by {members} of {members} members, {}", founding.charter().hash())
        }
        Err(why) => format!("a charter that is not founded: {why}"),
    })
}
