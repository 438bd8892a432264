//! Private records, for the programs of this organisation on the same machine.
//!
//! ```text
//!   GET  …/{record}/leaving?artefact=…    what would leave, to whom, and its seal
//!   POST …/{record}/promotions            the same again, with the seal: what leaves is what was shown
//! ```
//!
//! *Invariants.* 201 is only said of what is durable. No value is logged.
//!
//! *Source*: ours.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Holder, Role,
    api::Api,
    body::{Asked, Body},
    problem::Problem,
};
use crate::control::{
    Answer, CollectionLine, Leaving, Pair, Promoting, PromotionLine, PromotionPage, RecordLine,
    RecordPage, RecordsAnswer, RecordsAsked, RecordsChange, RecordsKept, RecordsLook, RecordsPut,
    RecordsQuery, Request, Values, Word,
};

const LIMIT_DEFAULT: usize = 50;

type Made<T> = Result<(StatusCode, Json<T>), Problem>;

/// Which records.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// What must hold of each: field=value, !=, >=, <=, > or <; several with a ; between them.
    #[serde(rename = "where")]
    conditions: Option<String>,
    /// Those after this id: the `next` of the page before.
    after: Option<String>,
    /// At most so many; without it 50.
    limit: Option<usize>,
}

/// Which promotions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Those after this id: the `next` of the page before.
    after: Option<String>,
    /// At most so many; without it 50.
    limit: Option<usize>,
}

/// Rows to be kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rows {
    /// Their values as text, by the names of their fields.
    rows: Vec<Values>,
    /// Whether a row takes the place of another with the same key.
    #[serde(default)]
    replace: bool,
}

/// Records to be deleted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Deletion {
    /// Their ids.
    records: Vec<String>,
}

/// What would leave.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct What {
    /// The artefact: the beginning of its id, or its kind if there is only one of it.
    artefact: String,
    /// The fields, with commas between them; without it all that may.
    fields: Option<String>,
    /// field=target where a field has more than one, with commas between them.
    targets: Option<String>,
}

/// What leaves.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Promotion {
    /// The artefact: the beginning of its id, or its kind if there is only one of it.
    artefact: String,
    /// The fields; without any all that may.
    #[serde(default)]
    fields: Vec<String>,
    /// Field and target, where a field has more than one.
    #[serde(default)]
    targets: Vec<Pair>,
    /// The seal of what was shown.
    seal: String,
}

async fn ask(api: &Api, asked: RecordsAsked) -> Result<RecordsAnswer, Problem> {
    match api.ask(Request::Records(Box::new(asked))).await? {
        Answer::Records(answer) => Ok(answer),
        _ => Err(Problem::no_answer()),
    }
}

async fn look(api: &Api, look: RecordsLook) -> Result<RecordsAnswer, Problem> {
    ask(api, RecordsAsked::Look(look)).await
}

pub(super) async fn collections(
    State(api): State<Api>,
) -> Result<Json<Vec<CollectionLine>>, Problem> {
    match look(&api, RecordsLook::Collections).await? {
        RecordsAnswer::Collections(lines) => Ok(Json(lines)),
        _ => Err(Problem::no_answer()),
    }
}

pub(super) async fn list(
    State(api): State<Api>,
    Path(collection): Path<String>,
    Asked(query): Asked<Query>,
) -> Result<Json<RecordPage>, Problem> {
    let conditions = parts(query.conditions.as_deref(), ';');
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
    let query = RecordsQuery { collection, conditions, after: query.after, limit };
    match look(&api, RecordsLook::List(query)).await? {
        RecordsAnswer::Page(page) => Ok(Json(page)),
        _ => Err(Problem::no_answer()),
    }
}

fn parts(text: Option<&str>, between: char) -> Vec<String> {
    let parts = text.into_iter().flat_map(|text| text.split(between));
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

pub(super) async fn show(
    State(api): State<Api>,
    Path((collection, record)): Path<(String, String)>,
) -> Result<Json<RecordLine>, Problem> {
    match look(&api, RecordsLook::Show { collection, record }).await? {
        RecordsAnswer::Record(record) => Ok(Json(record)),
        _ => Err(Problem::no_answer()),
    }
}

pub(super) async fn put(
    State(api): State<Api>,
    Extension(holder): Extension<Holder>,
    Path(collection): Path<String>,
    Body(Rows { rows, replace: replaces }): Body<Rows>,
) -> Made<RecordsKept> {
    let put = RecordsPut { collection, rows, replaces };
    match ask(&api, RecordsAsked::Change(RecordsChange::Put(put))).await? {
        RecordsAnswer::Kept(kept) => {
            told(&holder, kept.added + kept.replaced, "records were kept by the API");
            Ok((StatusCode::CREATED, Json(kept)))
        }
        _ => Err(Problem::no_answer()),
    }
}

pub(super) async fn delete(
    State(api): State<Api>,
    Extension(holder): Extension<Holder>,
    Path(collection): Path<String>,
    Body(Deletion { records }): Body<Deletion>,
) -> Made<Vec<String>> {
    let delete = RecordsChange::Delete { collection, records };
    match ask(&api, RecordsAsked::Change(delete)).await? {
        RecordsAnswer::Deleted(ids) => {
            told(&holder, ids.len() as u64, "records were deleted by the API");
            Ok((StatusCode::CREATED, Json(ids)))
        }
        _ => Err(Problem::no_answer()),
    }
}

fn told(holder: &Holder, records: u64, did: &'static str) {
    let role = holder.role.name();
    tracing::info!(code = "http-records", token = holder.name.as_str(), role, records, "{did}");
}

pub(super) async fn leaving(
    State(api): State<Api>,
    Path((collection, record)): Path<(String, String)>,
    Asked(What { artefact, fields, targets }): Asked<What>,
) -> Result<Json<Leaving>, Problem> {
    let fields = parts(fields.as_deref(), ',');
    let targets = parts(targets.as_deref(), ',').iter().map(|pair| target(pair)).collect();
    let what = Promoting { collection, record, artefact, fields, targets };
    match look(&api, RecordsLook::Leaving(what)).await? {
        RecordsAnswer::Leaving(leaving) => Ok(Json(*leaving)),
        _ => Err(Problem::no_answer()),
    }
}

/// Without a = the target is nothing that is allowed.
fn target(pair: &str) -> Pair {
    let (field, to) = pair.split_once('=').unwrap_or((pair, ""));
    (field.to_owned(), to.to_owned())
}

pub(super) async fn promote(
    State(api): State<Api>,
    Extension(holder): Extension<Holder>,
    Path((collection, record)): Path<(String, String)>,
    Body(Promotion { artefact, fields, targets, seal }): Body<Promotion>,
) -> Made<PromotionLine> {
    let what = Promoting { collection, record, artefact, fields, targets };
    let word = Word::Token { id: holder.id, binds: holder.role == Role::Signatory };
    match ask(&api, RecordsAsked::Promote { what, seal, word }).await? {
        RecordsAnswer::Promoted(line) => Ok((StatusCode::CREATED, Json(*line))),
        _ => Err(Problem::no_answer()),
    }
}

pub(super) async fn promotions(
    State(api): State<Api>,
    Asked(Page { after, limit }): Asked<Page>,
) -> Result<Json<PromotionPage>, Problem> {
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    match look(&api, RecordsLook::Promotions { after, limit }).await? {
        RecordsAnswer::Promotions(page) => Ok(Json(page)),
        _ => Err(Problem::no_answer()),
    }
}
