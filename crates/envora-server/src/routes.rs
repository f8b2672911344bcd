//! The one route list: the router, the description of the interface and the access tests are all
//! made of it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodFilter, MethodRouter, on};
use envora_api::problems::Problem;
use envora_domain::access::Action;
use tower_http::catch_panic::CatchPanicLayer;

use crate::access;
use crate::app::App;
use crate::edge;
use crate::endpoints;
use crate::gate::{self, Format};
use crate::openapi::Shape;
use crate::pages;
use crate::refusals::{self, Refusal};

/// Where everything of an organization lives.
pub const ORGANIZATION: &str = "/v2/organizations/{org_id}";

/// A method of HTTP, as far as the interface uses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Adds.
    Post,
    /// Changes, by a merge patch.
    Patch,
    /// Adds or replaces under a code.
    Put,
    /// Archives.
    Delete,
}

impl Method {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Patch => MethodFilter::PATCH,
            Self::Put => MethodFilter::PUT,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

/// A query parameter and what it means.
pub type Parameter = (&'static str, &'static str);

/// A header that a route demands.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub words: &'static str,
    /// What it looks like.
    pub pattern: &'static str,
}

/// A route: where it is, who may use it, what it takes and gives.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path's template.
    pub path: &'static str,
    /// The action that a grant is needed for; none where everyone may ask.
    pub action: Option<&'static str>,
    /// One sentence.
    pub summary: &'static str,
    /// The query parameters.
    pub query: &'static [Parameter],
    /// The formats of the body; none without a body.
    pub takes: &'static [Format],
    /// What the body is.
    pub body: Option<Shape>,
    /// The status of success, and what is given.
    pub gives: (u16, Shape),
    /// More statuses of success.
    pub also: &'static [(u16, &'static str)],
    /// The headers that it takes, where they are not those of its method.
    pub headers: Option<&'static [Said]>,
    /// The types of the answer, where they are not those of JSON.
    pub types: &'static [&'static str],
    handler: MethodRouter<App>,
}

impl Route {
    /// A route that reads, under the organization.
    pub fn get<A: Action, H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self::new(Method::Get, path, Some(A::NAME), handler)
    }

    /// A route that adds, under the organization.
    pub fn post<A: Action, H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let mut route = Self::new(Method::Post, path, Some(A::NAME), handler);
        route.takes = &[Format::Json];
        route.gives.0 = 201;
        route
    }

    /// A route that changes, under the organization.
    pub fn patch<A: Action, H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let mut route = Self::new(Method::Patch, path, Some(A::NAME), handler);
        route.takes = &[Format::MergePatch];
        route
    }

    /// A route that adds or replaces under a code, under the organization.
    pub fn put<A: Action, H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self::new(Method::Put, path, Some(A::NAME), handler)
    }

    /// A route that archives, under the organization.
    pub fn delete<A: Action, H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self::new(Method::Delete, path, Some(A::NAME), handler)
    }

    /// A route that everyone may read.
    pub fn open<H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self::new(Method::Get, path, None, handler)
    }

    fn new<H, T>(
        method: Method,
        path: &'static str,
        action: Option<&'static str>,
        handler: H,
    ) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self {
            method,
            path,
            action,
            summary: "",
            query: &[],
            takes: &[],
            body: None,
            gives: (200, Shape::Free("An object.")),
            also: &[],
            headers: None,
            types: &[],
            handler: on(method.filter(), handler),
        }
    }

    /// The same with its sentence.
    #[must_use]
    pub fn says(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// The same with query parameters.
    #[must_use]
    pub fn asks(mut self, query: &'static [Parameter]) -> Self {
        self.query = query;
        self
    }

    /// The same with a body.
    #[must_use]
    pub fn takes(mut self, takes: &'static [Format], body: Shape) -> Self {
        self.takes = takes;
        self.body = Some(body);
        self
    }

    /// The same without a body: the path says it all.
    #[must_use]
    pub fn without_body(mut self) -> Self {
        self.takes = &[];
        self.body = None;
        self
    }

    /// The same with what it gives.
    #[must_use]
    pub fn gives(mut self, status: u16, shape: Shape) -> Self {
        self.gives = (status, shape);
        self
    }

    /// The same with these headers, which are due, and not with those of its method.
    #[must_use]
    pub fn with_headers(mut self, headers: &'static [Said]) -> Self {
        self.headers = Some(headers);
        self
    }

    /// The same with an answer in types of its own.
    #[must_use]
    pub fn as_types(mut self, types: &'static [&'static str]) -> Self {
        self.types = types;
        self
    }

    /// The same with more statuses of success.
    #[must_use]
    pub fn also(mut self, also: &'static [(u16, &'static str)]) -> Self {
        self.also = also;
        self
    }
}

/// All routes of the interface. The pages have their own list.
#[must_use]
pub fn list() -> Vec<Route> {
    [
        endpoints::organization::routes(),
        endpoints::facilities::routes(),
        endpoints::sources::routes(),
        endpoints::entities::routes(),
        endpoints::suppliers::routes(),
        endpoints::footprints::routes(),
        endpoints::emissions::routes(),
        endpoints::quality::routes(),
        endpoints::queries::routes(),
        endpoints::traces::routes(),
        endpoints::mappings::routes(),
        endpoints::proposals::routes(),
        endpoints::imports::routes(),
        endpoints::parts::routes(),
        endpoints::import_events::routes(),
        endpoints::activities::routes(),
        endpoints::exports::routes(),
        endpoints::segments::routes(),
        endpoints::factors::routes(),
        endpoints::packs::routes(),
        endpoints::audit::routes(),
        endpoints::meta::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

static TEMPLATES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut paths: Vec<&'static str> = list().iter().map(|route| route.path).collect();
    paths.extend(pages::PATHS);
    paths.sort_unstable();
    paths.dedup();
    paths
});

static OWN_TYPES: LazyLock<BTreeMap<&'static str, &'static [&'static str]>> = LazyLock::new(|| {
    let own = list().into_iter().filter(|route| !route.types.is_empty());
    own.map(|route| (route.path, route.types)).collect()
});

static TAKEN: LazyLock<BTreeMap<(&'static str, &'static str), String>> = LazyLock::new(|| {
    let routes = list().into_iter().filter(|route| !route.takes.is_empty());
    let api = routes
        .map(|route| ((route.path, route.method.as_str()), gate::types_of(route.takes).join(", ")));
    api.chain([(("/imports", "POST"), "multipart/form-data".to_owned())]).collect()
});

/// The types of the bodies that a path takes by a method, for `Accept:` of a 415.
#[must_use]
pub fn taken(matched: &'static str, method: &'static str) -> Option<&'static str> {
    TAKEN.get(&(matched, method)).map(String::as_str)
}

/// The types of its own that the answer of a path has.
#[must_use]
pub fn own_types(matched: &str) -> &'static [&'static str] {
    OWN_TYPES.get(matched).copied().unwrap_or_default()
}

/// The template as it stands in the list.
#[must_use]
pub fn template(matched: &str) -> Option<&'static str> {
    TEMPLATES.binary_search(&matched).ok().and_then(|at| TEMPLATES.get(at).copied())
}

/// The router, from the list.
pub fn router(app: &App) -> Router {
    let mut paths: BTreeMap<&'static str, MethodRouter<App>> = BTreeMap::new();
    for route in list() {
        let before = paths.remove(route.path).unwrap_or_default();
        paths.insert(route.path, before.merge(route.handler));
    }
    let api = paths
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| router.route(path, methods))
        .route_layer(from_fn(access::challenge));
    api.merge(pages::router())
        .fallback(nothing)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(app.clone(), access::resolve))
        .layer(CatchPanicLayer::custom(edge::panicked(app.clone())))
        .layer(from_fn_with_state(app.clone(), edge::edge))
        .with_state(app.clone())
}

async fn nothing() -> Refusal {
    Problem::not_found("There is nothing at this path.").into()
}

async fn wrong_method() -> Refusal {
    refusals::of_status(axum::http::StatusCode::METHOD_NOT_ALLOWED).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ORGANIZATION, list};

    #[test]
    fn every_route_is_listed_once_and_says_what_it_is() {
        let mut seen = BTreeSet::new();
        for route in list() {
            let name = format!("{} {}", route.method.as_str(), route.path);
            assert!(seen.insert(name.clone()), "{name} twice");
            assert!(route.summary.ends_with('.'), "{name} has no sentence");
            assert_eq!(route.path.starts_with(ORGANIZATION), route.action.is_some(), "{name}");
            assert_eq!(route.takes.is_empty(), route.body.is_none(), "{name}");
        }
    }
}
