//! The list of activities: what came in, narrowed, with what became of each.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use envora_api::activities::Activity;
use envora_api::listing::Page;
use envora_api::organizations::Organization;
use envora_domain::access::actions::{ReadActivities, ReadSources};
use envora_domain::activities::problems::Flag;
use envora_domain::catalogue;
use envora_domain::decimal::group_thousands;
use envora_ingest::stored::STATES;
use envora_store::nouns::nouns_all;
use envora_store::sources::SourceFields;

use super::shell::Shell;
use super::visits::{Shown, SignedIn, names, organization_of};
use super::{lines, show, words};
use crate::access::Visitor;
use crate::app::App;
use crate::endpoints::{activities, exports};
use crate::params::Params;
use crate::refusals::Refusal;

/// How many activities a page lists.
const LISTED: &str = "50";
/// How many pages of the interface are read for one of ours: a narrow list may have pages without any.
const PAGES_MAX: usize = 16;
/// What the form narrows by.
const NARROWS: &[&str] = &[
    "type",
    "facility_id",
    "source_id",
    "from",
    "to",
    "state",
    "flag",
    "import_id",
    "line",
    "factor",
];

/// What the page is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sheet<'a> {
    /// Whose they are.
    pub(super) organization: &'a Organization,
    /// Names of facilities by id.
    pub(super) facilities: &'a BTreeMap<String, String>,
    /// Names of sources by id.
    pub(super) sources: &'a BTreeMap<String, String>,
    /// One page of them.
    pub(super) found: &'a Page<Activity>,
    /// What the address asks for.
    pub(super) asked: &'a Params,
}

struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

struct Select {
    name: &'static str,
    label: &'static str,
    choices: Vec<Choice>,
}

struct Row {
    href: String,
    when: String,
    kind: String,
    facility: String,
    source: String,
    quantity: String,
    unit: String,
    tone: &'static str,
    state: String,
    code: String,
}

/// The page.
#[derive(Template)]
#[template(path = "activities.html")]
pub(super) struct ActivitiesPage {
    shell: Shell,
    selects: Vec<Select>,
    from: String,
    to: String,
    import: Option<String>,
    line: String,
    factor: Option<String>,
    narrowed: bool,
    rows: Vec<Row>,
    csv: String,
    more: Option<String>,
    is_first: bool,
}

/// Lays the page out.
pub(super) fn page(sheet: Sheet<'_>) -> ActivitiesPage {
    let Sheet { organization, facilities, sources, found, asked } = sheet;
    let one = |name: &str| asked.many(name).next().unwrap_or_default().to_owned();
    let select = |name: &'static str, label: &'static str, all: Vec<(String, String)>| {
        let chosen = one(name);
        let choice =
            |(value, label): (String, String)| Choice { chosen: value == chosen, value, label };
        let any = (String::new(), "All".to_owned());
        Select { name, label, choices: std::iter::once(any).chain(all).map(choice).collect() }
    };
    let same = |text: &str| (text.to_owned(), text.to_owned());
    let named = |names: &BTreeMap<String, String>| {
        let mut all: Vec<_> = names.iter().map(|(id, name)| (id.clone(), name.clone())).collect();
        all.sort_by(|a, b| a.1.cmp(&b.1));
        all
    };
    let kinds = catalogue::ALL.iter().filter(|kind| !kind.slots.is_empty());
    let states = STATES.iter().map(|state| ((*state).to_owned(), words::code(state)));
    let flags = Flag::ALL.iter().map(|flag| (flag.as_str().to_owned(), words::code(flag.as_str())));
    let import = Some(one("import_id")).filter(|import| !import.is_empty());
    let query = asked.encoded_without(&["cursor"]);
    let next = |cursor: &String| {
        let before = if query.is_empty() { String::new() } else { format!("{query}&") };
        format!("/activities?{before}cursor={cursor}")
    };
    ActivitiesPage {
        shell: Shell::of("Activities", organization),
        selects: vec![
            select("type", "Type", kinds.map(|kind| same(kind.code)).collect()),
            select("facility_id", "Facility", named(facilities)),
            select("source_id", "Source", named(sources)),
            select("state", "State", states.collect()),
            select("flag", "Noticed", flags.collect()),
        ],
        from: one("from"),
        to: one("to"),
        import,
        line: one("line"),
        factor: Some(one("factor")).filter(|factor| !factor.is_empty()),
        narrowed: !query.is_empty(),
        rows: found.data.iter().map(|activity| row(activity, (facilities, sources))).collect(),
        csv: format!("/activities.csv?{query}"),
        more: found.next_cursor.as_ref().map(next),
        is_first: asked.many("cursor").next().is_none(),
    }
}

fn row(
    activity: &Activity,
    (facilities, sources): (&BTreeMap<String, String>, &BTreeMap<String, String>),
) -> Row {
    let word = |name: &str| activity.fields.get(name).and_then(|value| value.as_str());
    let named = |noun: &str, names: &BTreeMap<String, String>| {
        let by_id = word(&format!("{noun}_id"));
        let by_id = by_id.map(|id| names.get(id).map_or(id, String::as_str));
        by_id.or_else(|| word(&format!("{noun}_code"))).unwrap_or("–").to_owned()
    };
    let period = [("start", "end"), ("start_date", "end_date")]
        .into_iter()
        .find_map(|(first, last)| Some(format!("{}/{}", word(first)?, word(last)?)));
    let when = period.or_else(|| word("occurred_at").map(str::to_owned)).unwrap_or_default();
    Row {
        href: format!("/activities/{}", activity.id),
        when: lines::when(&when),
        kind: word("type").unwrap_or_default().to_owned(),
        facility: named("facility", facilities),
        source: named("source", sources),
        quantity: word("quantity").map(group_thousands).unwrap_or_default(),
        unit: word("unit").unwrap_or_default().to_owned(),
        tone: match activity.state.as_str() {
            "counted" => "good",
            "unresolved" => "warn",
            _ => "plain",
        },
        state: activity.state.clone(),
        code: activity.code.as_deref().map(words::code).unwrap_or_default(),
    }
}

/// `GET /activities`: the list.
pub(super) async fn list(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    params: Params,
) -> Shown {
    params.only(&[NARROWS, &["cursor"]].concat())?;
    let asked = params.said();
    let organization = organization_of(&visitor).await?;
    let (facilities, sources) = (names(&visitor).await?, sources(&visitor).await?);
    let found = found(&app, &visitor, &asked).await?;
    Ok(show(&page(Sheet {
        organization: &organization,
        facilities: &facilities,
        sources: &sources,
        found: &found,
        asked: &asked,
    })))
}

/// A page with something in it, as long as it is not too far.
async fn found(app: &App, visitor: &Visitor, asked: &Params) -> Result<Page<Activity>, Refusal> {
    let mut asked = asked.with("limit", LISTED);
    for _ in 1..PAGES_MAX {
        let allowed = visitor.allowed::<ReadActivities>()?;
        let page = activities::list(State(app.clone()), allowed, asked.clone()).await?;
        let page: Page<Activity> = page.read()?;
        match &page.next_cursor {
            Some(cursor) if page.data.is_empty() => asked = asked.with("cursor", cursor),
            _ => return Ok(page),
        }
    }
    let allowed = visitor.allowed::<ReadActivities>()?;
    activities::list(State(app.clone()), allowed, asked).await?.read()
}

/// The names of sources by id.
async fn sources(visitor: &Visitor) -> Result<BTreeMap<String, String>, Refusal> {
    let grant = visitor.grant::<ReadSources>()?;
    let db = &visitor.tenant.parts().db;
    let all = db.read(move |rd| nouns_all::<SourceFields>(rd, &grant)).await?;
    Ok(all.into_iter().map(|one| (one.fields.id.to_string(), one.fields.code)).collect())
}

/// `GET /activities.csv`: the same as a file, whole.
pub(super) async fn csv(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    params: Params,
) -> Shown {
    params.only(NARROWS)?;
    let asked = params.said().with("format", "csv");
    let allowed = visitor.allowed::<ReadActivities>()?;
    exports::export(State(app), allowed, axum::http::HeaderMap::new(), asked).await
}
