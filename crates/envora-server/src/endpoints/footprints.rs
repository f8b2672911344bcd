//! `…/carbon-footprint`: the totals of a period, by the words of the question.

use std::collections::BTreeMap;

use axum::extract::State;
use envora_api::footprints::{Footprint, Series};
use envora_api::problems::Problem;
use envora_domain::access::actions::ReadResults;
use envora_domain::id::RunId;
use envora_domain::time::Day;
use envora_ingest::footprint::series::{self as engine, Interval};
use envora_ingest::footprint::{AskError, FootprintQuery, GroupBy, footprint};

use super::activities::{kinds_are_known, no_such};
use crate::access::{Allowed, nothing_here};
use crate::answers::{Answer, Reply};
use crate::app::App;
use crate::listing::as_of;
use crate::openapi::Shape;
use crate::params::{Params, refused, shown};
use crate::refusals::Refusal;
use crate::routes::Route;

const FOOTPRINT: &str = "/v2/organizations/{org_id}/carbon-footprint";
const SERIES: &str = "/v2/organizations/{org_id}/carbon-footprint/series";
/// The parameters that narrow, each with the filter of the engine that it becomes.
const FILTERS: &[(&str, &str)] = &[
    ("scope", "scope"),
    ("category", "category"),
    ("facility_id", "facility"),
    ("entity_id", "entity"),
    ("source_id", "source"),
    ("type", "type"),
];
const KNOWN: &[&str] = &[
    "from",
    "to",
    "group_by",
    "gwp_set",
    "run",
    "as_of",
    "scope",
    "category",
    "facility_id",
    "entity_id",
    "source_id",
    "type",
];

const SERIES_KNOWN: &[&str] = &[
    "from",
    "to",
    "interval",
    "gwp_set",
    "run",
    "as_of",
    "scope",
    "category",
    "facility_id",
    "entity_id",
    "source_id",
    "type",
];

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get::<ReadResults, _, _>(FOOTPRINT, read)
            .says("The carbon footprint of a period: scopes, both totals of scope 2, what does not count (of all rows of the period, whatever narrows the figures).")
            .asks(&[
                ("from", "The first day; 1 January of the year of `to`, or of this year, when absent."),
                ("to", "The day after the last; a year after `from` when absent."),
                ("group_by", "facility, month, scope, category, source or type."),
                ("gwp_set", "The GWP set; the organization's default when absent."),
                ("run", "The run; the current one when absent."),
                ("as_of", "An instant: the answer as it was known then, by the run that was current."),
                ("scope", "1, 2 or 3; may be repeated."),
                ("category", "A category of scope 3; may be repeated."),
                ("facility_id", "A facility's id or code; may be repeated."),
                ("entity_id", "A legal entity's id or code: its rows are those that name it, and those that name none at its facilities; may be repeated."),
                ("source_id", "A source's id or code; may be repeated."),
                ("type", "An activity type; may be repeated."),
            ])
            .gives(200, Shape::one::<Footprint>()),
        Route::get::<ReadResults, _, _>(SERIES, series)
            .says("The CO2e of a period, step by step: each point has its figures.")
            .asks(&[
                ("from", "The first day; 1 January of the year of `to`, or of this year, when absent."),
                ("to", "The day after the last; a year after `from` when absent."),
                ("interval", "day, month or year; month when absent."),
                ("gwp_set", "The GWP set; the organization's default when absent."),
                ("run", "The run; the current one when absent."),
                ("as_of", "An instant: the answer as it was known then, by the run that was current."),
                ("scope", "1, 2 or 3; may be repeated."),
                ("category", "A category of scope 3; may be repeated."),
                ("facility_id", "A facility's id or code; may be repeated."),
                ("entity_id", "A legal entity's id or code: its rows are those that name it, and those that name none at its facilities; may be repeated."),
                ("source_id", "A source's id or code; may be repeated."),
                ("type", "An activity type; may be repeated."),
            ])
            .gives(200, Shape::one::<Series>()),
    ]
}

pub(crate) async fn read(
    State(app): State<App>,
    allowed: Allowed<ReadResults>,
    params: Params,
) -> Answer {
    params.only(KNOWN)?;
    let grant = allowed.grant;
    let query = query(&params, app.clock().now().utc_day())?;
    let parts = allowed.tenant.parts().clone();
    let answer = blocking(&app, move || footprint(&parts, &grant, &query)).await?;
    Reply::ok(&answer)
}

async fn series(State(app): State<App>, allowed: Allowed<ReadResults>, params: Params) -> Answer {
    params.only(SERIES_KNOWN)?;
    let interval = params.read("interval", "day, month or year", Interval::parse)?;
    let (grant, query) = (allowed.grant, query(&params, app.clock().now().utc_day())?);
    let (parts, interval) = (allowed.tenant.parts().clone(), interval.unwrap_or(Interval::Month));
    let answer = blocking(&app, move || engine::series(&parts, &grant, &query, interval)).await?;
    Reply::ok(&answer)
}

/// The question that the parameters ask.
///
/// # Errors
/// 400.
pub(crate) fn query(params: &Params, today: Day) -> Result<FootprintQuery, Problem> {
    let (year, ..) = today.ymd();
    let january = |year: i16| Day::from_ymd(year, 1, 1).unwrap_or(today);
    let from = params.day("from")?;
    let to = params.day("to")?;
    let first = from.or_else(|| to.map(|to| january(to.plus(-1).ymd().0)));
    let first = first.unwrap_or_else(|| january(year));
    let (of, month, day) = first.ymd();
    let after = Day::from_ymd(of.saturating_add(1), month, day);
    let words = GroupBy::ALL.map(GroupBy::as_str).join(", ");
    words_are_known(params)?;
    let mut filters = BTreeMap::new();
    for (parameter, filter) in FILTERS {
        let words: Vec<String> = params.many(parameter).map(str::to_owned).collect();
        if !words.is_empty() {
            filters.insert((*filter).to_owned(), words);
        }
    }
    Ok(FootprintQuery {
        from: first,
        to: to.or(after).unwrap_or_else(|| first.plus(365)),
        group_by: params.read("group_by", &words, by)?,
        filters,
        gwp_set: params.one("gwp_set")?.map(str::to_owned),
        run: params.read("run", "the id of a run", |text| RunId::parse(text).ok())?,
        as_of: as_of(params)?,
    })
}

/// Refuses a scope, a category or a type that there is none of: nothing would be zero by mistake.
fn words_are_known(params: &Params) -> Result<(), Problem> {
    let is_one_of = |word: &str, most: u8| {
        let number = word.parse().ok().filter(|number| (1..=most).contains(number));
        number.is_some_and(|number| number.to_string() == word)
    };
    for (name, most) in [("scope", 3), ("category", 15)] {
        if let Some(word) = params.many(name).find(|word| !is_one_of(word, most)) {
            return Err(refused(name, format!("{name} is 1 to {most}, not {}.", shown(word))));
        }
    }
    kinds_are_known(params)
}

/// The word of a grouping, with or without the `_id` that the filters have.
fn by(text: &str) -> Option<GroupBy> {
    GroupBy::parse(text.strip_suffix("_id").unwrap_or(text))
}

/// Asks the engine where waiting is allowed: it reads files and calculates.
pub(crate) async fn blocking<T: Send + 'static>(
    app: &App,
    ask: impl FnOnce() -> Result<T, AskError> + Send + 'static,
) -> Result<T, Refusal> {
    let answer = app.tracker().spawn_blocking(ask).await.map_err(anyhow::Error::from)?;
    answer.map_err(unanswered)
}

/// The problem of a question without an answer.
pub(crate) fn unanswered(error: AskError) -> Refusal {
    match error {
        AskError::BadCursor => Problem::invalid_cursor(error.to_string()).into(),
        AskError::BeforeTheLog(_) => refused("as_of", error.to_string()).into(),
        AskError::TooManyPoints
        | AskError::PeriodReversed
        | AskError::PeriodTooLong
        | AskError::UnknownGwpSet(_) => Problem::unknown_parameter(error.to_string()).into(),
        AskError::UnknownWord { field, word } => {
            match FILTERS.iter().find(|(_, filter)| *filter == field) {
                Some((name, _)) if name.ends_with("_id") => no_such(name, &word).into(),
                Some(_) | None => {
                    let error = AskError::UnknownWord { field, word };
                    Problem::unknown_parameter(error.to_string()).into()
                }
            }
        }
        AskError::NotYet => Problem::not_calculated(
            "The first calculation has not ended yet, so there are no figures to tell. Ask again in a moment.",
        )
        .into(),
        AskError::Failing(stall) => {
            let detail = format!(
                "There are no figures yet: the first calculation has failed since {} ({}): {}.",
                stall.since,
                stall.code.as_str(),
                stall.reason
            );
            // Nobody knows when it will go on: to ask again in a second would be for nothing.
            Problem { retry_after: None, ..Problem::not_calculated(detail) }.into()
        }
        AskError::Pending => Problem::not_calculated(
            "The activity is not calculated yet, so it is in no figure. Ask again in a moment.",
        )
        .into(),
        AskError::NoRun | AskError::NoFigure | AskError::NoActivity => nothing_here().into(),
        AskError::TooLarge | AskError::Unexpected(_) => anyhow::Error::from(error).into(),
    }
}
