//! How the node is, and whom it meets.
//!
//! *Source*: ours.

use axum::{Json, extract::State};

use super::{api::Api, problem::Problem};
use crate::view::{PeerLine, Status};

pub(super) async fn status(State(api): State<Api>) -> Result<Json<Status>, Problem> {
    api.status().await.map(Json)
}

pub(super) async fn peers(State(api): State<Api>) -> Result<Json<Vec<PeerLine>>, Problem> {
    Ok(Json(api.status().await?.peers))
}
