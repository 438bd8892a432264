//! Every path of the API, as data: who may ask it, what it brings and gives, and who answers.
//!
//! The router, the access that is asked for and the OpenAPI document follow from this one table, so
//! none of them can know of a path that the others do not.
//!
//! *Source*: ours.

use std::time::Duration;

use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{
    Permission::{self, Audit, Bind, Journal, Keep, Read, Watch, Write},
    acts,
    api::Api,
    artefacts, auth, boards,
    body::BODY_BYTES_MAX,
    changes::Changed,
    events, health, journal, metrics, node, openapi,
    problem::Problem,
    records,
};
use crate::{
    control::{
        Acted, CollectionLine, Leaving, PromotionLine, PromotionPage, RecordLine, RecordPage,
        RecordsKept,
    },
    journal::Page,
    view::{
        Board, BoardEntry, Log, PeerLine, Status,
        artefact::{Artefact, ArtefactList, ConflictLine, History, ProposalLine, ProvenDecision},
    },
};

/// How long a request may take; the daemon goes on with what it has begun.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// The schema of a type.
pub(super) type Shape = fn(&mut SchemaGenerator) -> Schema;

/// One path and method.
pub(super) struct Route {
    pub(super) path: &'static str,
    /// What it does, in one sentence.
    pub(super) does: &'static str,
    /// None: no token is needed.
    pub(super) needs: Option<Permission>,
    /// What may stand after the question mark.
    pub(super) query: Option<Shape>,
    pub(super) asked: Asked,
    pub(super) gives: Gives,
    handler: fn() -> MethodRouter<Api>,
}

/// How a path is asked.
pub(super) enum Asked {
    Get,
    /// With a body of this shape; gives 201.
    Post(Shape),
}

/// What is answered when all is well.
pub(super) enum Gives {
    Json(Shape),
    /// The same, with 503 when it is bad news.
    Verdict(Shape),
    /// Server-sent events whose data have this shape.
    Events(Shape),
    /// Text of this media type.
    Text(&'static str),
}

fn shape<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Schema {
    schemas.subschema_for::<T>()
}

/// The schema itself, not a reference to it.
fn inline<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Schema {
    T::json_schema(schemas)
}

impl Route {
    const fn open(
        path: &'static str,
        does: &'static str,
        gives: Gives,
        handler: fn() -> MethodRouter<Api>,
    ) -> Self {
        Self { path, does, needs: None, query: None, asked: Asked::Get, gives, handler }
    }

    const fn get<T: JsonSchema>(
        path: &'static str,
        does: &'static str,
        needs: Permission,
        handler: fn() -> MethodRouter<Api>,
    ) -> Self {
        let gives = Gives::Json(shape::<T>);
        Self { path, does, needs: Some(needs), query: None, asked: Asked::Get, gives, handler }
    }

    const fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(inline::<T>);
        self
    }

    const fn post<T: JsonSchema>(
        path: &'static str,
        does: &'static str,
        needs: Permission,
        handler: fn() -> MethodRouter<Api>,
    ) -> Self {
        let (asked, gives) = (Asked::Post(shape::<T>), Gives::Json(shape::<Acted>));
        Self { path, does, needs: Some(needs), query: None, asked, gives, handler }
    }

    /// A path that is posted to and gives something of its own.
    const fn giving<T: JsonSchema>(mut self) -> Self {
        self.gives = Gives::Json(shape::<T>);
        self
    }
}

/// Every path there is.
pub(super) const ROUTES: &[Route] = &[
    Route::open("/healthz", "The process answers.", Gives::Text("text/plain"), || {
        get(health::is_alive)
    }),
    Route::open(
        "/readyz",
        "Whether the node can do its work, check by check; 503 if it cannot.",
        Gives::Verdict(shape::<health::Readiness>),
        || get(health::is_ready),
    ),
    Route::open(
        "/metrics",
        "The node's figures, for Prometheus.",
        Gives::Text("application/openmetrics-text"),
        || get(metrics::figures),
    ),
    Route::open(
        "/api/v1/openapi.json",
        "This document.",
        Gives::Json(shape::<serde_json::Value>),
        || get(openapi::document),
    ),
    Route::get::<Status>(
        "/api/v1/status",
        "How the node is, whom it meets, and how far its boards have come.",
        Watch,
        || get(node::status),
    ),
    Route::get::<Vec<PeerLine>>("/api/v1/peers", "The partners' nodes.", Watch, || {
        get(node::peers)
    }),
    Route::get::<Vec<BoardEntry>>(
        "/api/v1/boards",
        "The boards that this node takes part in.",
        Read,
        || get(boards::list),
    ),
    Route::get::<Board>("/api/v1/boards/{board}", "A board's charter.", Read, || get(boards::show)),
    Route::get::<ArtefactList>(
        "/api/v1/boards/{board}/artefacts",
        "Its artefacts, the one begun last before the others.",
        Read,
        || get(boards::artefacts),
    )
    .query::<boards::Page>(),
    Route::post::<acts::Opening>(
        "/api/v1/boards/{board}/artefacts",
        "Begin an artefact.",
        Write,
        || post(acts::open),
    ),
    Route::get::<Log>(
        "/api/v1/boards/{board}/log",
        "Its entries, feed by feed or together.",
        Audit,
        || get(boards::log),
    )
    .query::<boards::Entries>(),
    Route::get::<Page>(
        "/api/v1/journal",
        "This node's own account of what it received, accepted, refused and sent, newest first.",
        Journal,
        || get(journal::list),
    )
    .query::<journal::Filters>(),
    Route::get::<Artefact>(
        "/api/v1/artefacts/{artefact}",
        "An artefact, as it is or was.",
        Read,
        || get(artefacts::show),
    )
    .query::<artefacts::When>(),
    Route::get::<History>(
        "/api/v1/artefacts/{artefact}/history",
        "Everything that was written about it: edits, events, remarks, answers.",
        Read,
        || get(artefacts::history),
    ),
    Route::get::<Vec<ConflictLine>>(
        "/api/v1/artefacts/{artefact}/conflicts",
        "What two wrote at once, or contradicts, and who settles it.",
        Read,
        || get(artefacts::conflicts),
    ),
    Route::get::<Vec<ProposalLine>>(
        "/api/v1/artefacts/{artefact}/proposals",
        "What was put to a decision, with the answers and the result.",
        Read,
        || get(artefacts::proposals),
    ),
    Route::get::<ProvenDecision>(
        "/api/v1/artefacts/{artefact}/proof",
        "How it was decided, or what each side bound itself to.",
        Read,
        || get(artefacts::proof),
    )
    .query::<artefacts::Which>(),
    Route::post::<acts::Edits>("/api/v1/artefacts/{artefact}/edits", "Edit it.", Write, || {
        post(acts::edit)
    }),
    Route::post::<acts::Event>(
        "/api/v1/artefacts/{artefact}/events",
        "Write an event: claim, confirm, withdraw and so on.",
        Write,
        || post(acts::event),
    ),
    Route::post::<acts::Remark>(
        "/api/v1/artefacts/{artefact}/remarks",
        "Comment on it, or state a position.",
        Write,
        || post(acts::remark),
    ),
    Route::post::<acts::Widening>(
        "/api/v1/artefacts/{artefact}/audience",
        "Let others in.",
        Write,
        || post(acts::widen),
    ),
    Route::post::<acts::Settlement>(
        "/api/v1/artefacts/{artefact}/settlements",
        "Settle a conflict.",
        Write,
        || post(acts::settle),
    ),
    Route::post::<acts::Proposal>(
        "/api/v1/artefacts/{artefact}/proposals",
        "Fix its text and put it to a decision.",
        Bind,
        || post(acts::propose),
    ),
    Route::post::<acts::SignOff>(
        "/api/v1/artefacts/{artefact}/signoffs",
        "Answer a proposal.",
        Bind,
        || post(acts::sign_off),
    ),
    Route::post::<acts::Closing>(
        "/api/v1/artefacts/{artefact}/closings",
        "Close a proposal.",
        Bind,
        || post(acts::close),
    ),
    Route::get::<Vec<CollectionLine>>(
        "/api/v1/records",
        "The collections of private records that this node keeps.",
        Keep,
        || get(records::collections),
    ),
    Route::get::<RecordPage>(
        "/api/v1/records/{collection}",
        "Its records, in the order of their ids.",
        Keep,
        || get(records::list),
    )
    .query::<records::Query>(),
    Route::post::<records::Rows>(
        "/api/v1/records/{collection}",
        "Keep rows: all of them, or none.",
        Keep,
        || post(records::put),
    )
    .giving::<RecordsKept>(),
    Route::post::<records::Deletion>(
        "/api/v1/records/{collection}/deletions",
        "Delete records: all of them, or none.",
        Keep,
        || post(records::delete),
    )
    .giving::<Vec<String>>(),
    Route::get::<RecordLine>("/api/v1/records/{collection}/{record}", "One record.", Keep, || {
        get(records::show)
    }),
    Route::get::<Leaving>(
        "/api/v1/records/{collection}/{record}/leaving",
        "What a promotion of it would let out, and to whom.",
        Keep,
        || get(records::leaving),
    )
    .query::<records::What>(),
    Route::post::<records::Promotion>(
        "/api/v1/records/{collection}/{record}/promotions",
        "Let it out, exactly as it was shown.",
        Keep,
        || post(records::promote),
    )
    .giving::<PromotionLine>(),
    Route::get::<PromotionPage>(
        "/api/v1/promotions",
        "What was promoted, when, by whom and where to; no values.",
        Keep,
        || get(records::promotions),
    )
    .query::<records::Page>(),
    Route {
        path: "/api/v1/events",
        does: "What changes, as it changes, as server-sent events.",
        needs: Some(Read),
        query: None,
        asked: Asked::Get,
        gives: Gives::Events(shape::<Changed>),
        handler: || get(events::listen),
    },
];

/// The router of all of them, within the bounds of a request.
pub(super) fn router(api: Api) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let mut handler = (route.handler)();
        if let Some(permission) = route.needs {
            let expect = middleware::from_fn_with_state((api.clone(), permission), auth::expect);
            handler = handler.route_layer(expect);
        }
        router = router.route(route.path, handler);
    }
    router
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(api.clone(), bounded))
        .with_state(api)
}

async fn no_such_path() -> Problem {
    Problem::new("no-such-path", "the API has no such path")
}

async fn no_such_method() -> Problem {
    Problem::new("no-such-method", "the path is not asked by this method")
}

/// Answers in time, counts the answer, and marks it as nobody's to keep.
async fn bounded(State(api): State<Api>, request: Request, next: Next) -> Response {
    // As it stands in the table: what was typed is not kept.
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let answered = tokio::time::timeout(ANSWERED_WITHIN, next.run(request)).await;
    let mut response =
        answered.unwrap_or_else(|_| Problem::slow(ANSWERED_WITHIN.as_secs()).into_response());
    api.counts().add(route.as_deref().unwrap_or("other"), response.status().as_u16());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
