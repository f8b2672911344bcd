//! Answers: JSON in the type that was asked for, with the headers an answer may carry.

use axum::body::Body;
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH, LINK, LOCATION,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use envora_api::media;
use envora_api::problems::Problem;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::refusals::Refusal;

/// What a handler gives back.
pub type Answer = Result<Reply, Refusal>;

/// An answer under construction: status, headers and JSON.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    /// 200 with this body.
    ///
    /// # Errors
    /// 500 when it cannot be written as JSON.
    pub fn ok<T: Serialize>(body: &T) -> Answer {
        Self::with(StatusCode::OK, body)
    }

    /// This status with this body.
    ///
    /// # Errors
    /// 500 when it cannot be written as JSON.
    pub fn with<T: Serialize>(status: StatusCode, body: &T) -> Answer {
        let body = serde_json::to_vec(body).map_err(anyhow::Error::from)?;
        Ok(Self { status, headers: HeaderMap::new(), body })
    }

    /// A stored answer, to the byte.
    #[must_use]
    pub fn replayed(status: u16, body: Vec<u8>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(media::REPLAYED), HeaderValue::from_static("true"));
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        Self { status, headers, body }
    }

    /// An answer whose body is written already.
    #[must_use]
    pub fn written(status: u16, body: Vec<u8>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        Self { status, headers: HeaderMap::new(), body }
    }

    /// The body, read back: for a page that shows what the interface answers.
    ///
    /// # Errors
    /// 500 when it is something else.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        Ok(serde_json::from_slice(&self.body).map_err(anyhow::Error::from)?)
    }

    /// The same with the version's strong ETag.
    #[must_use]
    pub fn version(self, version: u64) -> Self {
        self.header(ETAG, &format!("\"v{version}\""))
    }

    /// The same with the address of what was made.
    #[must_use]
    pub fn location(self, path: &str) -> Self {
        self.header(LOCATION, path)
    }

    /// The same with a link to the next page.
    #[must_use]
    pub fn next(self, path: Option<&str>) -> Self {
        match path {
            Some(path) => self.header(LINK, &format!("<{path}>; rel=\"next\"")),
            None => self,
        }
    }

    /// The same with another type than JSON.
    #[must_use]
    pub fn of_type(self, media_type: &'static str) -> Self {
        self.header(CONTENT_TYPE, media_type)
    }

    /// The same, saying whether rows were left off.
    #[must_use]
    pub fn truncated(self, is_cut: bool) -> Self {
        let said = if is_cut { "true" } else { "false" };
        self.header(HeaderName::from_static(media::TRUNCATED), said)
    }

    /// The same, to be saved as a file of this name.
    #[must_use]
    pub fn saved_as(self, name: &str) -> Self {
        self.header(CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""))
    }

    fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(mut self) -> Response {
        self.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(media::VENDOR));
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// Whether the client has this version already: answer 304.
#[must_use]
pub fn is_known(headers: &HeaderMap, version: u64) -> bool {
    let tag = format!("\"v{version}\"");
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| matches!(one.trim(), "*") || one.trim() == tag)
}

/// 304: the client has it already.
#[must_use]
pub fn not_modified(version: u64) -> Reply {
    Reply { status: StatusCode::NOT_MODIFIED, headers: HeaderMap::new(), body: Vec::new() }
        .version(version)
}

/// Refuses what `If-None-Match: *` asks not to replace, of something that is there.
///
/// # Errors
/// 412.
pub fn only_new(headers: &HeaderMap) -> Result<(), Problem> {
    let sent = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    if sent.flat_map(|value| value.split(',')).any(|one| one.trim() == "*") {
        return Err(Problem::version_mismatch(
            "It is there already, and If-None-Match: * asks to add it only when it is not.",
        ));
    }
    Ok(())
}

/// Demands that archiving names the version that it archives. Of what is archived already, also the one
/// before: it is the same request, sent again after its answer was lost.
///
/// # Errors
/// 428 without If-Match, 412 when it names another version.
pub fn must_match_once(
    headers: &HeaderMap,
    (version, is_archived): (u64, bool),
) -> Result<(), Problem> {
    if is_archived && must_match(headers, version.saturating_sub(1)).is_ok() {
        return Ok(());
    }
    must_match(headers, version)
}

/// Demands that a change names the version it changes; `*` names whichever there is.
///
/// # Errors
/// 428 without If-Match, 412 when it names another version.
pub fn must_match(headers: &HeaderMap, version: u64) -> Result<(), Problem> {
    let tag = format!("\"v{version}\"");
    let Some(sent) = headers.get(IF_MATCH) else {
        return Err(Problem::precondition_required(format!(
            "Send If-Match with the version that you read; the current one is {tag}."
        )));
    };
    let sent = sent.to_str().unwrap_or("");
    if sent.split(',').any(|one| one.trim() == tag || one.trim() == "*") {
        return Ok(());
    }
    Err(Problem::version_mismatch(format!(
        "It was changed meanwhile: the current version is {tag}. Read it again, then change it."
    )))
}
