//! The pages of the figures that an activity, or a factor, is part of: the trace the other way round.

use askama::Template;
use axum::extract::{Path, State};
use envora_api::organizations::Organization;
use envora_api::traces::{ActivityFigures, FactorFigures, TouchedFigure};
use envora_domain::access::actions::ReadResults;
use envora_domain::decimal::{Mass, group_thousands};

use super::shell::Shell;
use super::visits::{Shown, SignedIn, asked, organization_of};
use super::{show, words};
use crate::app::App;
use crate::endpoints::traces;
use crate::params::Params;

struct Row {
    label: String,
    href: String,
    whole: String,
    part: String,
    share: String,
}

struct Choice {
    label: String,
    href: String,
    current: bool,
}

/// The page.
#[derive(Template)]
#[template(path = "touched.html")]
pub(super) struct TouchedPage {
    shell: Shell,
    back: (String, &'static str),
    heading: &'static str,
    standfirst: String,
    years: Vec<Choice>,
    what: &'static str,
    rows: Vec<Row>,
    onward: Option<(String, String)>,
    command: String,
}

/// Lays the page of an activity's figures out.
pub(super) fn of_activity(
    (organization, host): (&Organization, &str),
    found: &ActivityFigures,
) -> TouchedPage {
    TouchedPage {
        shell: Shell::of("Activity figures", organization),
        back: (format!("/activities/{}", found.activity), "Activity"),
        heading: "Every figure it is part of",
        standfirst: format!(
            "{} · {} · GWPs {}",
            words::period(found.period),
            words::code(&found.state),
            words::gwp_set(&found.gwp_set)
        ),
        years: Vec::new(),
        what: "The activity",
        rows: found.figures.iter().map(row).collect(),
        onward: None,
        command: format!(
            "envora trace {} {}",
            found.activity,
            words::asks(host, &organization.slug)
        ),
    }
}

/// Lays the page of a factor's figures out.
pub(super) fn of_factor(
    (organization, host): (&Organization, &str),
    found: &FactorFigures,
    (years, year): (&[i16], i16),
) -> TouchedPage {
    let choice = |one: &i16| Choice {
        label: one.to_string(),
        href: format!("/factors/{}/figures?year={one}", found.factor),
        current: *one == year,
    };
    let rows = format!(
        "/activities?factor={}&from={}&to={}",
        found.factor, found.period.from, found.period.to
    );
    TouchedPage {
        shell: Shell::of("Factor figures", organization),
        back: (format!("/factors/{}", found.factor), "Factor"),
        heading: "Every figure it is part of",
        standfirst: format!(
            "{} · {} calculated with it · GWPs {}",
            words::period(found.period),
            words::count(found.activities, "activity", "activities"),
            words::gwp_set(&found.gwp_set)
        ),
        years: years.iter().map(choice).collect(),
        what: "The factor",
        rows: found.figures.iter().map(row).collect(),
        onward: (found.activities > 0).then(|| (rows, "The rows calculated with it".to_owned())),
        command: format!(
            "envora factors show {} {}",
            found.factor,
            words::asks(host, &organization.slug)
        ),
    }
}

fn row(one: &TouchedFigure) -> Row {
    let mass = |text: &str| Mass::parse_kg(text).unwrap_or_default();
    let share = words::share(mass(&one.part), mass(&one.figure.value));
    Row {
        label: words::part(&one.label),
        href: format!("/figures/{}", one.figure.figure_id),
        whole: group_thousands(&one.figure.value),
        part: group_thousands(&one.part),
        share: share.unwrap_or_else(|| "–".to_owned()),
    }
}

/// `GET /activities/{id}/figures`.
pub(super) async fn activity(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    Path(id): Path<String>,
    params: Params,
) -> Shown {
    params.only(&[])?;
    let organization = organization_of(&visitor).await?;
    let (allowed, path) = (visitor.allowed::<ReadResults>()?, Path((String::new(), id)));
    let found = traces::figures(State(app), allowed, path, params).await?.read()?;
    Ok(show(&of_activity((&organization, &visitor.host), &found)))
}

/// `GET /factors/{id}/figures`: of a year.
pub(super) async fn factor(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    Path(id): Path<String>,
    params: Params,
) -> Shown {
    params.only(&["year"])?;
    let asked = asked(&app, &visitor, &params).await?;
    let organization = organization_of(&visitor).await?;
    let (allowed, path) = (visitor.allowed::<ReadResults>()?, Path((String::new(), id)));
    let from = format!("{:04}-01-01", asked.year);
    let wanted = Params::of_pairs([("from", from.as_str())]);
    let found = traces::factor(State(app), allowed, path, wanted).await?.read()?;
    Ok(show(&of_factor((&organization, &visitor.host), &found, (&asked.years, asked.year))))
}
