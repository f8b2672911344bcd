//! `…/import-mappings/propose` and `…/imports/{id}/proposal`: what a file that nobody has described tells
//! of itself.

use std::io::Read;

use anyhow::Context as _;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use envora_api::media;
use envora_api::problems::Problem;
use envora_api::proposals::MappingProposal;
use envora_domain::access::actions::{ReadActivities, WriteActivities};
use envora_domain::id::ImportId;
use envora_ingest::sniff::{LookError, look_at, propose};

use super::parts::{begun, with_parts};
use crate::access::{Allowed, nothing_here};
use crate::answers::{Answer, Reply};
use crate::app::App;
use crate::bodies::{self, Arrived};
use crate::gate::{Format, body_format};
use crate::openapi::Shape;
use crate::params::Params;
use crate::refusals::Refusal;
use crate::routes::Route;

const PROPOSE: &str = "/v2/organizations/{org_id}/import-mappings/propose";
const PROPOSAL: &str = "/v2/organizations/{org_id}/imports/{id}/proposal";

/// How much of a file in parts is looked at.
const BEGINNING: u64 = 8 << 20;

/// What is looked at.
const FORMATS: [Format; 3] = [Format::Csv, Format::Xlsx, Format::Parquet];
/// What a file without a name is called.
const UNNAMED: &str = "my-file";
/// No mapping's name is longer.
const NAME_CHARS_MAX: usize = 200;

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::post::<WriteActivities, _, _>(PROPOSE, add)
            .says("Looks at a table, up to 64 MiB, and proposes a mapping: how it is written, what its columns hold, which is what, why, and how sure that is. The table is CSV, a sheet of a workbook or a Parquet file, told by its first bytes. What can be read in two ways is asked, never guessed. Nothing is stored.")
            .asks(&[
                ("name", "The mapping's name; my-file when absent."),
                ("sheet", "The sheet of a workbook; the one that holds a table when absent."),
            ])
            .takes(&FORMATS, Shape::Free("The file."))
            .gives(200, Shape::one::<MappingProposal>()),
        Route::get::<ReadActivities, _, _>(PROPOSAL, of_parts)
            .says("Proposes a mapping for an open import, by the first 8 MiB of the table of text that its parts are.")
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
    params.only(&["name", "sheet"])?;
    body_format(&headers, &FORMATS)?;
    let name = params.read("name", "1 to 200 characters", name_of)?;
    let name = name.unwrap_or_else(|| UNNAMED.to_owned());
    let sheet = params.one("sheet")?.map(str::to_owned);
    let (body, _turn) = app.turn(&headers, body).await?;
    let Arrived { source, .. } = bodies::file(&headers, body).await?;
    let work = move || proposed(source.reader().context("read a file")?, (&name, sheet.as_deref()));
    let proposal = app.tracker().spawn_blocking(work).await.context("look at a file")??;
    Reply::ok(&proposal)
}

/// What a table tells of itself. Blocks.
fn proposed(
    input: impl Read,
    (name, sheet): (&str, Option<&str>),
) -> Result<MappingProposal, Refusal> {
    match look_at(input, sheet) {
        Ok(found) => Ok(propose(&found, name)),
        Err(LookError::NoTable { why, remedy }) => {
            let detail = format!("No mapping can be proposed: {why}. Help: {remedy}.");
            Err(Problem::malformed_body(detail).into())
        }
        Err(LookError::Io(error)) => Err(anyhow::Error::new(error).context("read a file").into()),
    }
}

pub(crate) async fn of_parts(
    State(app): State<App>,
    allowed: Allowed<ReadActivities>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let id = ImportId::parse(&id).map_err(|_| nothing_here())?;
    let (open, parts) = with_parts(&allowed, id).await?.ok_or_else(nothing_here)?;
    if open.media_type != media::CSV {
        return Err(Problem::conflict("Only a table of text needs a mapping.").into());
    }
    let begun = begun(parts)?;
    let stem = open.file_name.rsplit_once('.').map_or(open.file_name.as_str(), |(stem, _)| stem);
    let name = name_of(stem).unwrap_or_else(|| UNNAMED.to_owned());
    let _turn = app.waited().await?;
    let tenant = allowed.tenant.clone();
    let work = move || {
        let mut head = Vec::new();
        let mut input = tenant.parts().parts_reader(begun, None).take(BEGINNING);
        input.read_to_end(&mut head).context("read the parts of a file")?;
        if u64::try_from(head.len()) == Ok(BEGINNING) {
            // A row that is cut would be taken for one of another shape.
            let end = head.iter().rposition(|byte| *byte == b'\n').map_or(head.len(), |at| at + 1);
            head.truncate(end);
        }
        proposed(head.as_slice(), (&name, None))
    };
    let proposal = app.tracker().spawn_blocking(work).await.context("look at a file")??;
    Reply::ok(&proposal)
}
