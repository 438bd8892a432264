//! Artefacts: one as it is or was, its history, conflicts, proposals and proof.
//!
//! *Source*: ours.

use axum::{
    Json,
    extract::{Path, State},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{api::Api, body::Asked, problem::Problem};
use crate::{
    control::{Answer, AsOf, Look},
    view::artefact::{Artefact, ConflictLine, History, ProposalLine, ProvenDecision},
};

/// As of when; without any of them now.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    /// As the author of this entry knew it, with the entry.
    at: Option<String>,
    /// What was written by this time, as authors claim: 2017-11-30, or 2017-11-30T12:00:00Z.
    by: Option<String>,
    /// What this member acknowledged or wrote.
    known_to: Option<String>,
}

/// Of what to prove the result.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// The beginning of the proposal's id; without it the last.
    proposal: Option<String>,
}

impl When {
    fn into_as_of(self) -> Result<AsOf, Problem> {
        match (self.at, self.by, self.known_to) {
            (None, None, None) => Ok(AsOf::Now),
            (Some(entry), None, None) => Ok(AsOf::At(entry)),
            (None, Some(time), None) => Ok(AsOf::By(time)),
            (None, None, Some(member)) => Ok(AsOf::KnownTo(member)),
            _ => {
                let detail =
                    "an artefact is shown at, by or known_to something: ask for one of them";
                Err(Problem::new("bad-query", detail))
            }
        }
    }
}

async fn as_of(api: &Api, artefact: String, as_of: AsOf) -> Result<Artefact, Problem> {
    match api.look(Look::Show { artefact, as_of }).await? {
        Answer::Artefact(artefact) => Ok(*artefact),
        _ => Err(Problem::no_answer()),
    }
}

pub(super) async fn show(
    State(api): State<Api>,
    Path(artefact): Path<String>,
    Asked(when): Asked<When>,
) -> Result<Json<Artefact>, Problem> {
    as_of(&api, artefact, when.into_as_of()?).await.map(Json)
}

pub(super) async fn history(
    State(api): State<Api>,
    Path(artefact): Path<String>,
) -> Result<Json<History>, Problem> {
    match api.look(Look::History { artefact }).await? {
        Answer::History(history) => Ok(Json(*history)),
        _ => Err(Problem::no_answer()),
    }
}

pub(super) async fn conflicts(
    State(api): State<Api>,
    Path(artefact): Path<String>,
) -> Result<Json<Vec<ConflictLine>>, Problem> {
    Ok(Json(as_of(&api, artefact, AsOf::Now).await?.conflicts))
}

pub(super) async fn proposals(
    State(api): State<Api>,
    Path(artefact): Path<String>,
) -> Result<Json<Vec<ProposalLine>>, Problem> {
    Ok(Json(as_of(&api, artefact, AsOf::Now).await?.proposals))
}

pub(super) async fn proof(
    State(api): State<Api>,
    Path(artefact): Path<String>,
    Asked(which): Asked<Which>,
) -> Result<Json<ProvenDecision>, Problem> {
    match api.look(Look::Prove { artefact, proposal: which.proposal }).await? {
        Answer::Proven(proof) => Ok(Json(*proof)),
        _ => Err(Problem::no_answer()),
    }
}
