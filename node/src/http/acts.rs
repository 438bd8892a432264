//! What is written: one path an intent, the intents of the command line.
//!
//! ```text
//!   POST …  ──body──▶ Deed ──▶ the daemon prepares, tries, signs, makes durable
//!   201     ◀────────────────── the entries' ids; `Location` is the artefact
//! ```
//!
//! *Invariants.* 201 is only said of what is durable. What is refused has written nothing.
//!
//! *Source*: ours.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{HeaderName, StatusCode, header},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Holder, api::Api, body::Body, problem::Problem};
use crate::control::{Acted, Deed, Edit, Pair};

/// What every handler here gives.
type Made = Result<(StatusCode, [(HeaderName, String); 1], Json<Acted>), Problem>;

/// Begin an artefact.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Opening {
    /// Its kind: decision, standard or mutual_aid.
    kind: String,
    /// Its title.
    title: Option<String>,
    /// Members beside this organisation, by their short names; none named means all.
    #[serde(default)]
    audience: Vec<String>,
}

/// Change a document.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Edits {
    /// In which role; without it the one that is needed.
    role: Option<String>,
    /// One after the other, all of them or none.
    edits: Vec<Edit>,
}

/// Write an event: a claim, a confirmation, a withdrawal and so on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Event {
    /// In which role; without it the one that is needed.
    role: Option<String>,
    /// Which, as `concordat artefact events` lists them.
    event: String,
    /// Names and values.
    #[serde(default)]
    values: Vec<Pair>,
}

/// Comment, or state a position.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Remark {
    /// Which, for example comment.
    remark: String,
    /// Names and values.
    #[serde(default)]
    values: Vec<Pair>,
    /// Let in the members that it names: without it, naming one that is outside is refused.
    #[serde(default)]
    widens: bool,
}

/// Let others in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Widening {
    /// Whom, by their short names.
    members: Vec<String>,
    /// Why.
    reason: String,
}

/// Fix the text and put it to a decision.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Proposal {
    /// Which rule decides; not needed if the board has only one.
    rule: Option<String>,
    /// Who closes it; without it the first of the board's closers.
    closer: Option<String>,
    /// By which day it should be closed.
    closes_on: Option<String>,
}

/// Answer a proposal.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignOff {
    /// In which role; without it the one that is needed.
    role: Option<String>,
    /// The beginning of the proposal's id; without it the last.
    proposal: Option<String>,
    /// approve, reject, abstain or recuse.
    answer: String,
}

/// Close a proposal.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Closing {
    /// The beginning of the proposal's id; without it the last.
    proposal: Option<String>,
}

/// Settle a conflict.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Settlement {
    /// C1 to C10.
    code: String,
    /// The field, step, line or proposal.
    about: String,
    /// What was chosen.
    chosen: String,
    /// Why.
    reason: Option<String>,
}

async fn write(api: &Api, holder: &Holder, role: Option<String>, deed: Deed) -> Made {
    let acted = api.act(holder, role, deed).await?;
    tracing::info!(
        code = "http-wrote",
        token = holder.name.as_str(),
        role = holder.role.name(),
        artefact = acted.artefact.as_str(),
        entries = acted.written.len(),
        "written by the API"
    );
    let location = format!("/api/v1/artefacts/{}", acted.artefact);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(acted)))
}

pub(super) async fn open(
    State(api): State<Api>,
    Extension(holder): Extension<Holder>,
    Path(board): Path<String>,
    Body(Opening { kind, title, audience }): Body<Opening>,
) -> Made {
    write(&api, &holder, None, Deed::Open { board: Some(board), kind, audience, title }).await
}

pub(super) async fn edit(
    State(api): State<Api>,
    Extension(holder): Extension<Holder>,
    Path(artefact): Path<String>,
    Body(Edits { role, edits }): Body<Edits>,
) -> Made {
    write(&api, &holder, role, Deed::Edit { artefact, edits }).await
}

pub(super) async fn event(
    State(api): State<Api>,
    Extension(holder): Extension<Holder>,
    Path(artefact): Path<String>,
    Body(Event { role, event: name, values }): Body<Event>,
) -> Made {
    write(&api, &holder, role, Deed::Event { artefact, name, values }).await
}

pub(super) async fn remark(
    State(api): State<Api>,
    Extension(holder): Extension<Holder>,
    Path(artefact): Path<String>,
    Body(Remark { remark: name, values, widens }): Body<Remark>,
) -> Made {
    write(&api, &holder, None, Deed::Remark { artefact, name, values, widens }).await
}

pub(super) async fn widen(
    State(api): State<Api>,
    Extension(holder): Extension<Holder>,
    Path(artefact): Path<String>,
    Body(Widening { members: orgs, reason }): Body<Widening>,
) -> Made {
    write(&api, &holder, None, Deed::Widen { artefact, orgs, reason }).await
}

pub(super) async fn propose(
    State(api): State<Api>,
    Extension(holder): Extension<Holder>,
    Path(artefact): Path<String>,
    Body(Proposal { rule, closer, closes_on }): Body<Proposal>,
) -> Made {
    write(&api, &holder, None, Deed::Freeze { artefact, rule, closer, closes_on }).await
}

pub(super) async fn sign_off(
    State(api): State<Api>,
    Extension(holder): Extension<Holder>,
    Path(artefact): Path<String>,
    Body(SignOff { role, proposal, answer }): Body<SignOff>,
) -> Made {
    write(&api, &holder, role, Deed::Sign { artefact, proposal, answer }).await
}

pub(super) async fn close(
    State(api): State<Api>,
    Extension(holder): Extension<Holder>,
    Path(artefact): Path<String>,
    Body(Closing { proposal }): Body<Closing>,
) -> Made {
    write(&api, &holder, None, Deed::Close { artefact, proposal }).await
}

pub(super) async fn settle(
    State(api): State<Api>,
    Extension(holder): Extension<Holder>,
    Path(artefact): Path<String>,
    Body(Settlement { code, about, chosen, reason }): Body<Settlement>,
) -> Made {
    write(&api, &holder, None, Deed::Settle { artefact, code, about, chosen, reason }).await
}
