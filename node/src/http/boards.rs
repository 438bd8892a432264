//! Boards: which there are, what their charter says, what they share, and their entries.
//!
//! *Source*: ours.

use axum::{
    Json,
    extract::{Path, State},
};
use concordat_protocol::{charter::Founding, time::TimeMs};
use data_encoding::BASE64;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{api::Api, body::Asked, problem::Problem};
use crate::{
    clock,
    control::{Answer, ListQuery, LogQuery, Look, Request},
    view::{self, Board, BoardEntry, Log, artefact::ArtefactList},
};

/// As many as one screen shows.
const PAGE: usize = 50;

/// Which artefacts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Those that stand after this one.
    after: Option<String>,
    /// At most so many, and never more than 1000; without it 50.
    limit: Option<usize>,
}

/// Which entries.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Entries {
    /// Of this member alone, by its short name.
    feed: Option<String>,
    /// From this place in the member's feed on; without it the last entries.
    from: Option<u64>,
    /// At most so many, and never more than 20000; without it 50.
    limit: Option<usize>,
}

pub(super) async fn list(State(api): State<Api>) -> Result<Json<Vec<BoardEntry>>, Problem> {
    Ok(Json(view::boards(&api.status().await?)))
}

pub(super) async fn show(
    State(api): State<Api>,
    Path(board): Path<String>,
) -> Result<Json<Board>, Problem> {
    let Answer::Charter(base64) = api.ask(Request::Charter { board: Some(board) }).await? else {
        return Err(Problem::no_answer());
    };
    let bytes = BASE64.decode(base64.as_bytes()).map_err(|_| Problem::no_answer())?;
    let founding = Founding::from_bytes(&bytes).map_err(|_| Problem::no_answer())?;
    Ok(Json(view::board(&founding, TimeMs(clock::now_ms()))))
}

pub(super) async fn artefacts(
    State(api): State<Api>,
    Path(board): Path<String>,
    Asked(page): Asked<Page>,
) -> Result<Json<ArtefactList>, Problem> {
    let Page { after, limit } = page;
    let query = ListQuery { board: Some(board), after, limit: limit.unwrap_or(PAGE) };
    match api.look(Look::List(query)).await? {
        Answer::Artefacts(list) => Ok(Json(list)),
        _ => Err(Problem::no_answer()),
    }
}

pub(super) async fn log(
    State(api): State<Api>,
    Path(board): Path<String>,
    Asked(entries): Asked<Entries>,
) -> Result<Json<Log>, Problem> {
    let Entries { feed, from, limit } = entries;
    let query = LogQuery { board: Some(board), feed, from, limit: limit.unwrap_or(PAGE) };
    match api.ask(Request::Log(query)).await? {
        Answer::Log(log) => Ok(Json(log)),
        _ => Err(Problem::no_answer()),
    }
}
