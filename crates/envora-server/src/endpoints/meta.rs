//! What everyone may read: the version, the description of the interface, the pages of the codes.

use envora_api::codes::{Code, ROW_CODES};
use envora_api::media;
use envora_domain::activities::schema::ACTIVITY;
use envora_domain::planted::planted;
use envora_domain::time::zone_database_edition;
use serde_json::json;

use crate::answers::{Answer, Reply};
use crate::openapi::{self, Shape, older};
use crate::pages::docs;
use crate::params::Params;
use crate::routes::Route;

/// As what the page of a code comes.
pub const PAGE_TYPES: &[&str] = &["text/html", "text/plain"];

/// The schema of activities in XML.
const XSD: &str = include_str!("../../../../docs/formats/activity.xsd");

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::open("/version", version).says("Says which program this is.").gives(
            200,
            Shape::Free("The version of the program, the interface and the zone data."),
        ),
        Route::open("/v2/openapi.json", description)
            .says("Describes the interface.")
            .gives(200, Shape::Free("This very document, OpenAPI 3.1.")),
        Route::open("/v2/openapi-3.0.json", older_description)
            .says("Describes the interface to tools that know OpenAPI 3.0 alone.")
            .gives(200, Shape::Free("The same document, OpenAPI 3.0.3.")),
        Route::open("/v2/schemas/activity.json", activity_schema)
            .says("Describes an activity.")
            .gives(200, Shape::Free("The JSON Schema of an activity.")),
        Route::open("/v2/schemas/activity.xsd", activity_xsd)
            .says("Describes activities in XML.")
            .gives(200, Shape::Free("The XML Schema of activities."))
            .as_types(&[media::XML]),
        Route::open("/docs/errors/{code}", docs::code)
            .says("Explains an error code: what it means, how it comes about, what to do.")
            .gives(200, Shape::Free("A page; as text for who does not ask for HTML."))
            .as_types(PAGE_TYPES),
    ]
}

async fn version(params: Params) -> Answer {
    params.only(&[])?;
    assert!(!planted("panic_in_handler"), "a planted bug: proves that a panic costs one request");
    let body = json!({
        "name": "envora",
        "version": env!("CARGO_PKG_VERSION"),
        "interface": "v2",
        "zone_database": zone_database_edition(),
    });
    Ok(Reply::ok(&body)?.of_type(media::JSON))
}

async fn description(params: Params) -> Answer {
    params.only(&[])?;
    Ok(Reply::ok(&openapi::document())?.of_type(media::JSON))
}

async fn older_description(params: Params) -> Answer {
    params.only(&[])?;
    Ok(Reply::ok(&older::told(openapi::document()))?.of_type(media::JSON))
}

async fn activity_schema(params: Params) -> Answer {
    params.only(&[])?;
    Ok(Reply::written(200, ACTIVITY.as_bytes().to_vec()).of_type("application/schema+json"))
}

async fn activity_xsd(params: Params) -> Answer {
    params.only(&[])?;
    Ok(Reply::written(200, XSD.as_bytes().to_vec()).of_type(media::XML))
}

/// The page of a code: of a problem, of a row, or of both.
#[must_use]
pub fn page_of(code: &str) -> Option<String> {
    let problem = Code::ALL.iter().find(|known| known.as_str() == code).map(|known| {
        format!(
            "{code}\n\n{}. HTTP status {}.\n\n{}\n\nHow it comes about: {}\n\nWhat to do: {}\n\nExample: {}\n",
            known.title(),
            known.status(),
            known.text(),
            known.cause(),
            known.remedy(),
            known.example()
        )
    });
    let row = ROW_CODES.iter().find(|known| known.code == code).map(|known| {
        let becomes = match known.outcome {
            "rejected" => "The row is rejected: nothing of it is stored.",
            "quarantined" => "The row is stored and waits: it counts as soon as the word is known.",
            "unresolved" => "The activity is stored and does not count yet.",
            _ => "The activity counts; this is a remark.",
        };
        format!(
            "{code}\n\nOf a row. {becomes}\n\n{}\n\nHow it comes about: {}\n\nWhat to do: {}\n\nExample: {}\n",
            known.text, known.cause, known.remedy, known.example
        )
    });
    match (problem, row) {
        (Some(problem), Some(row)) => Some(format!("{problem}\n---\n\n{row}")),
        (problem, row) => problem.or(row),
    }
}

#[cfg(test)]
mod tests {
    use envora_api::codes::{Code, ROW_CODES};

    use super::page_of;

    #[test]
    fn every_code_has_its_page() {
        for code in Code::ALL {
            assert!(page_of(code.as_str()).is_some_and(|page| page.contains("What to do")));
        }
        for row in ROW_CODES {
            assert!(page_of(row.code).is_some());
        }
        assert_eq!(page_of("no_such_code"), None);
    }
}
