//! Whether a request may be made: a bearer token, and a role that covers it.
//!
//! *Invariants.* No token is ever logged or said again. A handler behind [`expect`] finds the [`Holder`]
//! among the request's extensions.
//!
//! *Source*: ours; RFC 6750, section 2.1.

use data_encoding::HEXLOWER;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::Response,
};

use crate::journal::{Event, Line};

use super::{Holder, Permission, Role, api::Api, problem::Problem};

/// Lets a request through whose token covers it.
pub(super) async fn expect(
    State((api, permission)): State<(Api, Permission)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let holder = match holder(&api, request.headers()).await {
        Ok(holder) => holder,
        Err(problem) => {
            tell(&api, &request, None, &problem);
            return Err(problem);
        }
    };
    if !holder.role.may(permission) {
        let detail = format!(
            "a token of the role {} does not cover this; these roles do: {}",
            holder.role.name(),
            Role::who_may(permission)
        );
        let problem = Problem::new("needs-role", detail);
        tell(&api, &request, Some(&holder), &problem);
        return Err(problem);
    }
    request.extensions_mut().insert(holder);
    Ok(next.run(request).await)
}

/// Tells the journal who was turned away, and where.
fn tell(api: &Api, request: &Request, holder: Option<&Holder>, problem: &Problem) {
    let path = request.extensions().get::<MatchedPath>();
    let path = path.map(|path| path.as_str().to_owned()).unwrap_or_default();
    let token = holder.map(|holder| HEXLOWER.encode(&holder.id));
    let event = Event::ApiRefused { path, token, times: 1 };
    api.journal().tell(Line::refused(event, problem.code()));
}

async fn holder(api: &Api, headers: &HeaderMap) -> Result<Holder, Problem> {
    let Some(token) = bearer(headers) else {
        let detail = "the request brings no bearer token";
        return Err(Problem::new("no-token", detail));
    };
    let (tokens, token) = (api.tokens().clone(), token.to_owned());
    let found = tokio::task::spawn_blocking(move || tokens.holder(&token)).await;
    match found {
        Ok(Ok(Some(holder))) => Ok(holder),
        Ok(Ok(None)) => {
            let detail = "the token is unknown here, or was revoked";
            Err(Problem::new("unknown-token", detail))
        }
        Ok(Err(error)) => {
            tracing::error!(code = "http-token", %error, "a token cannot be looked up");
            let detail = "the token cannot be looked up; the node's log says why";
            Err(Problem::new("token", detail))
        }
        // The runtime is ending.
        Err(_) => Err(Problem::no_answer()),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
