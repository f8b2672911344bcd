//! From any error to the one problem that a client sees. The cause is logged here, once; the client
//! gets the code, a sentence and the request's id.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use envora_api::problems::Problem;
use envora_ingest::tenant::{Damaged, OtherRules};
use envora_store::readers::ReadError;
use envora_store::writer::WriteError;

/// A problem on its way out. The edge adds request id, path and body.
#[derive(Clone, Debug)]
pub struct Refusal(pub Box<Problem>);

impl Refusal {
    /// The problem's code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.code
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        problem_of(&error).into()
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        anyhow::Error::from(error).into()
    }
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Self {
        anyhow::Error::from(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// What the client may know of an error; the chain of its causes goes to the log.
fn problem_of(error: &anyhow::Error) -> Problem {
    let known = error.chain().find_map(|cause| {
        if let Some(write) = cause.downcast_ref::<WriteError>() {
            return of_write(write);
        }
        if let Some(damaged) = cause.downcast_ref::<Damaged>() {
            return Some(Problem::data_integrity(format!(
                "Stored bytes are not what was stored: {damaged}. Nothing is answered from them; run envora doctor."
            )));
        }
        if let Some(other) = cause.downcast_ref::<OtherRules>() {
            return Some(Problem::other_rules(format!(
                "{other}. Read the figure of the current run instead; the program that made this one still works it out."
            )));
        }
        cause.downcast_ref::<ReadError>().and_then(of_read)
    });
    if let Some(problem) = known {
        tracing::warn!(code = %problem.code, cause = %chain(error), "a request was refused");
        return problem;
    }
    tracing::error!(cause = %chain(error), "a request failed");
    internal()
}

fn of_write(error: &WriteError) -> Option<Problem> {
    match error {
        WriteError::Overloaded => {
            Some(Problem::overloaded("More writes are waiting than can be held."))
        }
        WriteError::ReadOnly => Some(Problem::read_only(
            "The disk is full, so nothing was stored; reading goes on, and writing resumes when there is room.",
        )),
        WriteError::DataIntegrity => Some(Problem::data_integrity(
            "A stored page is not what was written; nothing more is written to it.",
        )),
        WriteError::Stopped => Some(Problem::draining(
            "The server has stopped writing and is about to end; whether this request was stored is not known, so send it again with the same idempotency key.",
        )),
        WriteError::Unexpected(_) => None,
    }
}

fn of_read(error: &ReadError) -> Option<Problem> {
    match error {
        ReadError::Overloaded => {
            Some(Problem::overloaded("More reads are waiting than can be held."))
        }
        ReadError::DataIntegrity(_) => Some(Problem::data_integrity(
            "A stored page is not what was written; nothing more is read from it.",
        )),
        ReadError::Stopped => Some(Problem::draining("The server is shutting down.")),
        ReadError::Unexpected(_) => None,
    }
}

/// Something went wrong that the client can do nothing about.
#[must_use]
pub fn internal() -> Problem {
    Problem::internal_error(
        "Something went wrong on the server, and nothing was half stored. Report the request id if it happens again.",
    )
}

/// The sentence of an error and of its causes.
fn chain(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The problem for an answer of the framework that carries none.
#[must_use]
pub fn of_status(status: StatusCode) -> Problem {
    match status.as_u16() {
        400 => Problem::malformed_body("The request cannot be read."),
        401 => Problem::unauthenticated("Sign in first."),
        403 => Problem::forbidden("This is not allowed."),
        404 => Problem::not_found("There is nothing at this path."),
        405 => Problem::method_not_allowed(
            "The resource does not answer to this method; Allow lists those it does.",
        ),
        406 => Problem::not_acceptable("Accept application/vnd.env.v2+json or application/json."),
        408 => Problem::request_timeout("The body did not arrive in time."),
        411 => Problem::length_required("Send Content-Length."),
        413 => Problem::payload_too_large("The body is above the limit of this route."),
        415 => Problem::unsupported_media_type("Send one of the types that Accept lists."),
        422 => Problem::validation_failed("The request does not hold what it should."),
        429 => Problem::overloaded("More work is waiting than can be held."),
        503 => Problem::draining("The server is shutting down."),
        504 => Problem::gateway_timeout("The request took longer than the server waits."),
        _ => internal(),
    }
}
