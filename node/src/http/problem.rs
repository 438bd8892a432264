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
//! A refusal of the daemon keeps its code and its words, those that the command line prints. The catalogue
//! says which family a code belongs to; a family has its status, its title and what to do next.
//!
//! *Source*: ours; RFC 9457.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{control::Refusal, errors};

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
    /// Stable, for programs; docs/errors.md has every one.
    code: String,
    /// What to do next.
    next: String,
}

impl Problem {
    /// The stable code.
    pub(super) fn code(&self) -> &str {
        &self.code
    }

    /// A problem of this code, with what is wrong with the request.
    pub(super) fn new(code: &str, detail: impl Into<String>) -> Self {
        let family = errors::family(code);
        Self {
            kind: format!("urn:concordat:problem:{code}"),
            title: family.title(),
            status: family.status(),
            detail: detail.into(),
            code: code.to_owned(),
            next: family.next().to_owned(),
        }
    }

    /// The daemon is ending, or answered something else than it was asked.
    pub(super) fn no_answer() -> Self {
        Self::new("no-answer", "the node ended before it answered")
    }

    /// The one that a client waited for too long.
    pub(super) fn slow(seconds: u64) -> Self {
        let detail = format!("the node did not answer within {seconds} s");
        Self::new("slow", detail)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(&refusal.code, refusal.message)
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
