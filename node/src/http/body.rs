//! What a request brings: a JSON body and a query, read within their bounds.
//!
//! *Invariants.* A refusal names the place that is wrong, and repeats nothing that holds a patient's number.
//!
//! *Source*: ours; RFC 9110, section 15.5.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Query, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use concordat_protocol::artefact::guard::{PatientNumber, holds_number};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::problem::Problem;

/// Longest body.
pub(super) const BODY_BYTES_MAX: usize = 1024 * 1024;

/// How long a body may take to come.
const BODY_WITHIN: Duration = Duration::from_secs(20);

/// A body of JSON.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "the body is not sent as application/json";
            return Err(Problem::new("not-json", detail));
        }
        // What announces itself as too long is not waited for.
        if len_bytes(request.headers()).is_some_and(|len| len > BODY_BYTES_MAX as u64) {
            return Err(too_long());
        }
        let bytes = match timeout(BODY_WITHIN, Bytes::from_request(request, state)).await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(why)) if why.status() == StatusCode::PAYLOAD_TOO_LARGE => return Err(too_long()),
            Ok(Err(_)) => return Err(incomplete("it ended early")),
            Err(_) => {
                let seconds = BODY_WITHIN.as_secs();
                return Err(incomplete(&format!("it was not here after {seconds} s")));
            }
        };
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|why| unreadable("the body", "bad-body", &why))
    }
}

/// What stands after the question mark.
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = Query::try_from_uri(&parts.uri);
        read.map(|Query(query)| Self(query))
            .map_err(|why| unreadable("the query", "bad-query", &why))
    }
}

fn len_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_long() -> Problem {
    let detail = format!("a body has at most {BODY_BYTES_MAX} bytes");
    Problem::new("body-too-long", detail)
}

fn incomplete(why: &str) -> Problem {
    Problem::new("bad-body", format!("the body is not whole: {why}"))
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

/// What a parser says may repeat what it read.
fn unreadable(what: &str, code: &str, why: &impl std::fmt::Display) -> Problem {
    let why = why.to_string();
    if holds_number(&why) {
        let number = PatientNumber { field: what.to_owned() };
        return Problem::new("patient-number", number.to_string());
    }
    Problem::new(code, format!("{what} cannot be read: {why}"))
}
