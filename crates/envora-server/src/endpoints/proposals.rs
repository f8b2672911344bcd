//! `…/import-mappings/propose`: what a file that nobody has described tells of itself.

use anyhow::Context as _;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use envora_api::problems::Problem;
use envora_api::proposals::MappingProposal;
use envora_domain::access::actions::WriteActivities;
use envora_ingest::sniff::{LookError, look, propose};

use crate::access::Allowed;
use crate::answers::{Answer, Reply};
use crate::app::App;
use crate::bodies::{self, Arrived};
use crate::gate::{Format, body_format};
use crate::openapi::Shape;
use crate::params::Params;
use crate::refusals::Refusal;
use crate::routes::Route;

const PROPOSE: &str = "/v2/organizations/{org_id}/import-mappings/propose";

/// What a file without a name is called.
const UNNAMED: &str = "my-file";
/// No mapping's name is longer.
const NAME_CHARS_MAX: usize = 200;

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::post::<WriteActivities, _, _>(PROPOSE, add)
            .says("Looks at a table of text, up to 64 MiB, and proposes a mapping: how it is written, what its columns hold, which is what, and why. What can be read in two ways is asked, never guessed. Nothing is stored.")
            .asks(&[("name", "The mapping's name; my-file when absent.")])
            .takes(&[Format::Csv], Shape::Free("The file."))
            .gives(200, Shape::one::<MappingProposal>()),
    ]
}

/// A mapping's name, where a text can be one.
fn name_of(text: &str) -> Option<String> {
    let fits = (1..=NAME_CHARS_MAX).contains(&text.chars().count());
    (fits && !text.contains(char::is_control)).then(|| text.to_owned())
}

pub(crate) async fn add(
    State(app): State<App>,
    _allowed: Allowed<WriteActivities>,
    params: Params,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    params.only(&["name"])?;
    body_format(&headers, &[Format::Csv])?;
    let name = params.read("name", "1 to 200 characters", name_of)?;
    let name = name.unwrap_or_else(|| UNNAMED.to_owned());
    let (body, _turn) = app.turn(&headers, body).await?;
    let Arrived { source, .. } = bodies::file(&headers, body).await?;
    let work = move || -> Result<MappingProposal, Refusal> {
        let input = source.reader().context("read a file")?;
        match look(input) {
            Ok(found) => Ok(propose(&found, &name)),
            Err(LookError::NoTable { why, remedy }) => {
                let detail = format!("No mapping can be proposed: {why}. Help: {remedy}.");
                Err(Problem::malformed_body(detail).into())
            }
            Err(LookError::Io(error)) => {
                Err(anyhow::Error::new(error).context("read a file").into())
            }
        }
    };
    let proposal = app.tracker().spawn_blocking(work).await.context("look at a file")??;
    Reply::ok(&proposal)
}
