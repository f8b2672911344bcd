//! Access: from a request to a grant, or to the refusal that gives nothing away.
//!
//! The order is always the same: the answer's type, who asks, whose data the path names, what the
//! policy says. Nobody gets 401, a stranger gets 401, the right person at the wrong organization 404.

use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use envora_api::media;
use envora_api::problems::Problem;
use envora_domain::access::{Action, Grant};
use envora_domain::planted::planted;
use envora_identity::policy::{self, Actor};
use envora_identity::{secrets, sign_in};

use crate::app::App;
use crate::gate;
use crate::refusals::Refusal;
use crate::routes;
use crate::tenants::TenantCtx;

/// The name of the session's cookie on loopback, where there is no TLS.
pub const COOKIE_NAME: &str = "envora";
/// The name of the cookie of what a browser has looked at: words joined by dots, nothing else.
pub const SEEN_COOKIE: &str = "envora-seen";

/// What a handler of the API starts with: whose data, and the proof that it may.
pub struct Allowed<A> {
    /// The tenant.
    pub tenant: TenantCtx,
    /// The grant.
    pub grant: Grant<A>,
    /// Who asks.
    pub actor: Actor,
}

impl<A: Action> FromRequestParts<App> for Allowed<A> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let tenant = tenant_of(parts)?;
        let actor = bearer(&tenant, &parts.headers, app).await?;
        let named = RawPathParams::from_request_parts(parts, app).await.ok();
        let org_id =
            named.as_ref().and_then(|named| named.iter().find(|(name, _)| *name == "org_id"));
        if org_id.is_none_or(|(_, org_id)| !tenant.is_named(org_id)) {
            return Err(nothing_here().into());
        }
        let path = parts.extensions.get::<MatchedPath>();
        gate::accepts(&parts.headers, path.map_or(&[], |path| routes::own_types(path.as_str())))?;
        let grant = policy::allow::<A>(&actor).map_err(|denied| {
            Problem::forbidden(format!("This credential may not do {}.", denied.action))
        })?;
        Ok(Self { tenant, grant, actor })
    }
}

impl<A: Action> Allowed<A> {
    /// A grant for another action of the same actor, for a handler that needs two.
    ///
    /// # Errors
    /// 403.
    pub fn also<B: Action>(&self) -> Result<Grant<B>, Problem> {
        policy::allow::<B>(&self.actor).map_err(|denied| {
            Problem::forbidden(format!("This credential may not do {}.", denied.action))
        })
    }
}

/// A visitor of the pages: the tenant of the host, and who they are once they signed in.
#[derive(Debug)]
pub struct Visitor {
    /// The tenant.
    pub tenant: TenantCtx,
    /// Who it is; none before signing in.
    pub actor: Option<Actor>,
    /// The host it came to, with the port, as its browser named it.
    pub host: String,
    /// The session's cookie, if one came.
    pub cookie: Option<String>,
    /// What the browser says it has looked at; it decides nothing but what a checklist shows.
    pub seen: String,
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let tenant = tenant_of(parts)?;
        let cookie = cookie(&parts.headers);
        let actor = match &cookie {
            Some(cookie) => {
                sign_in::by_session(&tenant.parts().db, cookie, app.clock().now()).await?
            }
            None => None,
        };
        let seen = cookie_named(&parts.headers, SEEN_COOKIE).unwrap_or_default();
        let named = parts.headers.get(HOST).and_then(|value| value.to_str().ok());
        let host = parts.uri.authority().map_or(named.unwrap_or_default(), |host| host.as_str());
        Ok(Self { tenant, actor, host: host.to_owned(), cookie, seen })
    }
}

impl Visitor {
    /// A grant of the signed-in person.
    ///
    /// # Errors
    /// 401 before signing in, 403 when the policy does not allow it.
    pub fn grant<A: Action>(&self) -> Result<Grant<A>, Problem> {
        let actor =
            self.actor.as_ref().ok_or_else(|| Problem::unauthenticated("Sign in first."))?;
        policy::allow::<A>(actor)
            .map_err(|denied| Problem::forbidden(format!("You may not do {}.", denied.action)))
    }

    /// What a handler of the interface starts with, for the signed-in person: so that a page shows
    /// what the interface answers.
    ///
    /// # Errors
    /// As [`Visitor::grant`].
    pub fn allowed<A: Action>(&self) -> Result<Allowed<A>, Problem> {
        let grant = self.grant::<A>()?;
        let actor = self.actor.ok_or_else(|| Problem::unauthenticated("Sign in first."))?;
        Ok(Allowed { tenant: self.tenant.clone(), grant, actor })
    }
}

/// By what somebody came in who stays: a stream lasts longer than it takes to end a session.
pub(crate) enum StillIn {
    /// A token, in these headers.
    Token(HeaderMap),
    /// The cookie of a session.
    Session(String),
}

impl StillIn {
    /// Who came with a token.
    pub(crate) fn by_token(headers: &HeaderMap) -> Self {
        let sent = headers.get(AUTHORIZATION).cloned();
        Self::Token(sent.map(|token| (AUTHORIZATION, token)).into_iter().collect())
    }

    /// Whether they could come in again, and may still do that.
    pub(crate) async fn holds<A: Action>(&self, allowed: &Allowed<A>, app: &App) -> bool {
        let tenant = &allowed.tenant;
        let found = match self {
            Self::Token(headers) => bearer(tenant, headers, app).await.ok(),
            Self::Session(cookie) => {
                let now = app.clock().now();
                sign_in::by_session(&tenant.parts().db, cookie, now).await.ok().flatten()
            }
        };
        found.is_some_and(|actor| policy::allow::<A>(&actor).is_ok())
    }
}

/// The layer that finds the tenant of the Host, for every route.
pub async fn resolve(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let tenant = match app.tenants().resolve(&parts) {
        Ok(tenant) => tenant,
        Err(problem) => return Refusal::from(problem).into_response(),
    };
    tracing::Span::current().record("tenant.id", tracing::field::display(tenant.id()));
    let is_test = tenant.is_test();
    parts.extensions.insert(tenant);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if is_test {
        response.headers_mut().insert(media::ENVIRONMENT, HeaderValue::from_static("test"));
    }
    response
}

fn tenant_of(parts: &Parts) -> Result<TenantCtx, Problem> {
    parts
        .extensions
        .get::<TenantCtx>()
        .cloned()
        .ok_or_else(|| Problem::misdirected("The request names no organization's host."))
}

async fn bearer(tenant: &TenantCtx, headers: &HeaderMap, app: &App) -> Result<Actor, Refusal> {
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = sent.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let Some(token) = token else {
        return Err(Problem::unauthenticated(
            "Send Authorization: Bearer and a token of this organization.",
        )
        .into());
    };
    let environment = &tenant.about().environment;
    if secrets::is_of_other_environment(token, environment) {
        app.metrics().sign_in_refused();
        return Err(Problem::wrong_environment(format!(
            "This is the {environment} environment; the token belongs to the other one."
        ))
        .into());
    }
    let found = sign_in::by_token(&tenant.parts().db, token, app.clock().now()).await?;
    found.ok_or_else(|| {
        app.metrics().sign_in_refused();
        let detail = if planted("token_in_error") {
            tracing::warn!(token = token, "a token is not known");
            format!("The token {token} is not known here.")
        } else {
            "The token is not known here, or it was revoked.".to_owned()
        };
        Problem::unauthenticated(detail).into()
    })
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    cookie_named(headers, COOKIE_NAME)
}

fn cookie_named(headers: &HeaderMap, wanted: &str) -> Option<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value.to_owned())
}

/// 404 as a random id gets it.
#[must_use]
pub fn nothing_here() -> Problem {
    Problem::not_found("There is nothing here that this credential can see.")
}

/// The challenge that goes with every 401.
pub async fn challenge(request: Request, next: Next) -> Response {
    let accept = gate::answer_type(request.headers());
    let mut response = next.run(request).await;
    if response.status() == axum::http::StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    let headers = response.headers_mut();
    let is_vendor = headers
        .get(axum::http::header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes() == media::VENDOR.as_bytes());
    if let (true, Ok(wanted)) = (is_vendor, accept) {
        headers.insert(axum::http::header::CONTENT_TYPE, HeaderValue::from_static(wanted));
    }
    response
}
