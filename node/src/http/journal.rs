//! The journal, by filters and a page at a time.
//!
//! *Source*: ours.

use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{api::Api, body::Asked, problem::Problem};
use crate::{
    control::{Answer, JournalAsk, Request},
    journal::{Page, Query},
};

/// As many as one screen shows.
const PAGE: usize = 50;

/// Which entries; what is left out is not asked about.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Filters {
    /// A code of the catalogue.
    event: Option<String>,
    /// The beginning of a partner's node, by its libp2p name.
    peer: Option<String>,
    /// The beginning of a board's id.
    board: Option<String>,
    /// `done` or `refused`.
    outcome: Option<String>,
    /// Not before this time, in milliseconds since 1970.
    since_ms: Option<u64>,
    /// Not after this time, in milliseconds since 1970.
    until_ms: Option<u64>,
    /// Only entries before this number: what `next` says of the page before.
    before: Option<u64>,
    /// At most so many, and never more than 1000; without it 50.
    limit: Option<usize>,
}

pub(super) async fn list(
    State(api): State<Api>,
    Asked(filters): Asked<Filters>,
) -> Result<Json<Page>, Problem> {
    let Filters { event, peer, board, outcome, since_ms, until_ms, before, limit } = filters;
    let query = Query {
        event,
        peer,
        board,
        outcome,
        since_ms,
        until_ms,
        beyond: before,
        limit: limit.unwrap_or(PAGE),
        is_oldest_first: false,
    };
    match api.ask(Request::Journal(JournalAsk::Page(query))).await? {
        Answer::JournalPage(page) => Ok(Json(page)),
        _ => Err(Problem::no_answer()),
    }
}
