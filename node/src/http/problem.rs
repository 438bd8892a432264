//! Every refusal of the API, as problem details: what is wrong, a stable code, and what to do next.
//!
//! ```text
//!   HTTP/1.1 404 Not Found
//!   content-type: application/problem+json
//!
//!   {"type":"urn:concordat:problem:unknown-artefact","title":"There is no such thing here","status":404,
//!    "detail":"…","code":"unknown-artefact","next":"…"}
//! ```
//!
//! A refusal of the daemon keeps its code and its words, those that the command line prints. One map says
//! which family a code belongs to; a family has its status, its title and what to do next.
//!
//! *Source*: ours; RFC 9457.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::control::Refusal;

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Problem {
    /// Names the code as a URI.
    #[serde(rename = "type")]
    kind: String,
    /// What kind of refusal it is.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong with this request.
    detail: String,
    /// Stable, for programs.
    code: String,
    /// What to do next.
    next: String,
}

/// What refusals have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// The request itself cannot be read.
    Malformed,
    /// Nobody is known by the token.
    Unknown,
    /// The token, or the organisation, may not.
    Forbidden,
    /// What was named is not here.
    Missing,
    /// The path is not asked so.
    WrongMethod,
    /// It does not fit what there is now.
    State,
    /// Too much at once.
    TooLarge,
    /// Not JSON.
    WrongType,
    /// What was typed cannot stand where it was meant to.
    Unfit,
    /// The node cannot, now.
    Away,
}

impl Family {
    const fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Unknown => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Missing => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::State => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::WrongType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unfit => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Away => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Malformed => "The request cannot be read",
            Self::Unknown => "The token is not known",
            Self::Forbidden => "This may not be done",
            Self::Missing => "There is no such thing here",
            Self::WrongMethod => "The path is not asked in this way",
            Self::State => "This does not fit what there is now",
            Self::TooLarge => "This is too long",
            Self::WrongType => "This is not JSON",
            Self::Unfit => "This cannot stand here",
            Self::Away => "The node cannot do this now",
        }
    }

    const fn next(self) -> &'static str {
        match self {
            Self::Malformed | Self::WrongMethod => {
                "compare the request with /api/v1/openapi.json, and send it again"
            }
            Self::Unknown => {
                "send `Authorization: Bearer` with a token; whoever runs the node makes one with \
                 `concordat token new`"
            }
            Self::Forbidden => "ask somebody whose role, or whose organisation, may do this",
            Self::Missing => {
                "list what there is: GET /api/v1/boards, then GET /api/v1/boards/{board}/artefacts; of \
                 private records GET /api/v1/records"
            }
            Self::State => {
                "look at the artefact or the record again, mend what the detail names, and send the \
                 request again"
            }
            Self::TooLarge => "send less at once",
            Self::WrongType => "send JSON, with `Content-Type: application/json`",
            Self::Unfit => "change what the detail names, and send the request again",
            Self::Away => {
                "GET /readyz tells what is wrong; before asking again for something to be written, \
                 look at the artefact's history, since it may have been"
            }
        }
    }
}

impl Problem {
    /// The stable code.
    pub(super) fn code(&self) -> &str {
        &self.code
    }

    pub(super) fn new(family: Family, code: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:concordat:problem:{code}"),
            title: family.title(),
            status: family.status().as_u16(),
            detail: detail.into(),
            code: code.to_owned(),
            next: family.next().to_owned(),
        }
    }

    /// The daemon is ending, or answered something else than it was asked.
    pub(super) fn no_answer() -> Self {
        Self::new(Family::Away, "no-answer", "the node ended before it answered")
    }

    /// The one that a client waited for too long.
    pub(super) fn slow(seconds: u64) -> Self {
        let detail = format!("the node did not answer within {seconds} s");
        Self::new(Family::Away, "slow", detail)
    }
}

/// Which family a code of the daemon belongs to; what is not named does not fit what there is now.
fn family(code: &str) -> Family {
    match code {
        "no-board" | "unknown-board" | "unknown-artefact" | "unknown-entry" | "unknown-member"
        | "no-proposal" | "not-here" | "unknown-collection" | "unknown-promotion"
        | "unknown-record" => Family::Missing,
        "may-not-create" | "may-not-settle" | "needs-signatory" | "observer" | "not-for-staff"
        | "not-allowed" | "not-in-audience" | "not-a-member" => Family::Forbidden,
        "bad-condition" | "bad-key" | "bad-value" | "missing" | "patient-number"
        | "promote-apart" | "repeated-key" | "unknown-event" | "unknown-field" | "unknown-item"
        | "unknown-kind" | "unknown-role" | "unknown-rule" | "no-closer" | "no-time"
        | "not-a-field" | "not-a-list" | "not-a-set" | "not-an-item" | "not-decidable"
        | "nothing-to-do" | "refused-change" | "too-many-refs" | "which-board" | "which-feed"
        | "which-record" | "which-rule" | "which-target" | "panicked" | "too-long" => Family::Unfit,
        "collection" | "newer-record" | "restoring" | "store" | "system" | "output"
        | "own-feed-forked" | "own-feed-replaced" | "too-many-drafts" | "not-signed"
        | "newer-kind" => Family::Away,
        _ => Family::State,
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(family(&refusal.code), &refusal.code, refusal.message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
