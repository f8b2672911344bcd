//! The page of data quality: each source month by month, what the CO2e stands on, what was noticed,
//! what waits.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use envora_api::codes::row_remedy;
use envora_api::media;
use envora_api::organizations::Organization;
use envora_api::quality::{DataQuality, QualityShare, SourceMonth, SourceQuality};
use envora_domain::access::actions::ReadResults;
use envora_domain::decimal::{Decimal, Mass, group_thousands};

use super::charts::{self, Caption};
use super::footprint::Asked;
use super::footprint_csv::cell;
use super::shell::Shell;
use super::visits::{Shown, SignedIn, asked, names, organization_of};
use super::{show, words};
use crate::access::nothing_here;
use crate::app::App;
use crate::endpoints::quality;
use crate::params::Params;
use crate::refusals::Refusal;

/// How many sources a page shows.
const LISTED: &str = "40";
/// How many sources one question of the CSV is about.
const AT_ONCE: &str = "1000";

/// What the page is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sheet<'a> {
    /// Whose it is.
    pub(super) organization: &'a Organization,
    /// The year's quality, with a page of sources.
    pub(super) found: &'a DataQuality,
    /// Names of facilities by id.
    pub(super) names: &'a BTreeMap<String, String>,
    /// Which year, and which facility.
    pub(super) asked: &'a Asked,
    /// Whether this is the first page of sources.
    pub(super) is_first: bool,
}

struct Choice {
    label: String,
    href: String,
    current: bool,
}

struct Mark {
    state: String,
    glyph: &'static str,
    words: String,
    href: Option<String>,
}

struct Row {
    code: String,
    name: String,
    href: String,
    present: String,
    marks: Vec<Mark>,
}

struct Key {
    state: &'static str,
    glyph: &'static str,
    words: &'static str,
}

struct Share {
    word: String,
    tonnes: String,
    kg: String,
    percent: String,
    meter: String,
}

struct Division {
    id: &'static str,
    title: &'static str,
    about: &'static str,
    rows: Vec<Share>,
}

struct Item {
    title: String,
    count: String,
    about: String,
    remedy: String,
    href: String,
}

/// The page.
#[derive(Template)]
#[template(path = "quality.html")]
pub(super) struct QualityPage {
    shell: Shell,
    period: String,
    years: Vec<Choice>,
    filter: Option<Choice>,
    stale: bool,
    present: String,
    expected: String,
    percent: String,
    meter: String,
    keys: &'static [Key],
    months: Vec<(String, String)>,
    rows: Vec<Row>,
    range: String,
    more: Option<String>,
    first: Option<String>,
    divisions: Vec<Division>,
    flags: Vec<Item>,
    unresolved: Vec<Item>,
    csv: String,
    footprint: String,
}

const KEYS: &[Key] = &[
    Key { state: "present", glyph: "•", words: "present" },
    Key { state: "flagged", glyph: "!", words: "present, something noticed" },
    Key { state: "estimated", glyph: "≈", words: "has estimates" },
    Key { state: "zero_run", glyph: "0", words: "a week or more at nothing" },
    Key { state: "missing", glyph: "–", words: "missing" },
    Key { state: "closed", glyph: "", words: "not open" },
];

/// Lays the page out.
pub(super) fn page(sheet: Sheet<'_>) -> QualityPage {
    let Sheet { organization, found, names, asked, is_first } = sheet;
    let coverage = &found.coverage;
    let address = |year: i16, facility: Option<&str>| match facility {
        Some(id) => format!("/quality?year={year}&facility={id}"),
        None => format!("/quality?year={year}"),
    };
    let only = asked.facility.as_ref().map(|id| format!("&facility={id}")).unwrap_or_default();
    let own = address(asked.year, asked.facility.as_deref());
    let description =
        format!("{} of {} source-months present", coverage.present, coverage.expected);
    let caption = Caption { id: "coverage-meter", title: "Coverage", description: &description };
    let number = |number: u64| group_thousands(&number.to_string());
    let rows: Vec<Row> = found.sources.iter().map(|source| row(source, found)).collect();
    QualityPage {
        shell: Shell::of("Quality", organization),
        period: words::period(found.period),
        years: asked
            .years
            .iter()
            .map(|year| Choice {
                label: year.to_string(),
                href: address(*year, asked.facility.as_deref()),
                current: *year == asked.year,
            })
            .collect(),
        filter: asked.facility.as_ref().map(|id| Choice {
            label: names.get(id).unwrap_or(id).clone(),
            href: address(asked.year, None),
            current: false,
        }),
        stale: found.status != "current",
        present: number(coverage.present),
        expected: number(coverage.expected),
        percent: per_cent(coverage.present, coverage.expected),
        meter: charts::meter(caption, coverage.present, coverage.expected),
        keys: KEYS,
        months: found.months.iter().map(|month| month_heads(month)).collect(),
        range: match found.sources_total {
            1 => "One source.".to_owned(),
            all if all == rows.len() as u64 => format!("All {all} sources."),
            all => format!("{} of {} sources, by code.", rows.len(), number(all)),
        },
        rows,
        more: found.next_cursor.as_ref().map(|cursor| format!("{own}&cursor={cursor}")),
        first: (!is_first).then(|| own.clone()),
        divisions: divisions(found),
        flags: flags(found, &only),
        unresolved: unresolved(found, &only),
        csv: format!("/quality.csv?year={}{only}", asked.year),
        footprint: format!("/?year={}{only}", asked.year),
    }
}

/// Per cent, rounded down: 99.9 is never told as all.
fn per_cent(part: u64, whole: u64) -> String {
    match part.saturating_mul(1000).checked_div(whole) {
        Some(tenths) => format!("{}.{}\u{a0}%", tenths / 10, tenths % 10),
        None => String::new(),
    }
}

/// `Jan` and `January 2022`.
fn month_heads(month: &str) -> (String, String) {
    match words::year_month(month) {
        Some((year, number)) => {
            let name = words::month_name(number);
            (name.chars().take(3).collect(), format!("{name} {year}"))
        }
        None => (month.to_owned(), month.to_owned()),
    }
}

fn row(source: &SourceQuality, found: &DataQuality) -> Row {
    let there = |month: &&SourceMonth| !matches!(month.state.as_str(), "missing" | "closed");
    let present = source.months.iter().filter(there).count();
    let open = source.months.iter().filter(|month| month.state != "closed").count();
    let (from, to) = (found.period.from, found.period.to);
    let href = format!("/activities?source_id={}&from={from}&to={to}", source.source_id);
    Row {
        code: source.source_code.clone(),
        name: if source.source_name == source.source_code {
            String::new()
        } else {
            source.source_name.clone()
        },
        href,
        present: format!("{present} of {open}"),
        marks: source.months.iter().map(|month| mark(source, month)).collect(),
    }
}

fn mark(source: &SourceQuality, month: &SourceMonth) -> Mark {
    let activities = || words::count(month.activities, "activity", "activities");
    let glyph = KEYS.iter().find(|key| key.state == month.state).map_or("?", |key| key.glyph);
    let words = match month.state.as_str() {
        "missing" => "missing".to_owned(),
        "closed" => "not open".to_owned(),
        "zero_run" => {
            format!(
                "{} at nothing of {}",
                words::count(month.zero_days, "day", "days"),
                activities()
            )
        }
        "estimated" => format!("{} of {} estimated", month.estimated, activities()),
        "flagged" => format!("something noticed in {} of {}", month.flagged, activities()),
        _ => activities(),
    };
    let look = matches!(month.state.as_str(), "zero_run" | "estimated" | "flagged");
    Mark {
        state: month.state.clone(),
        glyph,
        words,
        href: look.then(|| rows_of(source, &month.month)).flatten(),
    }
}

/// The rows of a source in a month.
fn rows_of(source: &SourceQuality, month: &str) -> Option<String> {
    let (year, number) = words::year_month(month)?;
    let (next_year, next) = if number == 12 { (year + 1, 1) } else { (year, number + 1) };
    Some(format!(
        "/activities?source_id={}&from={year:04}-{number:02}-01&to={next_year:04}-{next:02}-01",
        source.source_id
    ))
}

fn divisions(found: &DataQuality) -> Vec<Division> {
    let division = |id, title, about, shares: &[QualityShare], word: fn(&str) -> String| Division {
        id,
        title,
        about,
        rows: shares.iter().enumerate().map(|(at, one)| share((id, at), one, word)).collect(),
    };
    let all = vec![
        division(
            "primary",
            "Primary data",
            "Whether a row says that it was measured or billed where it happened.",
            &found.primary,
            |word| match word {
                "yes" => "Primary".to_owned(),
                "no" => "Secondary".to_owned(),
                _ => "The rows do not say".to_owned(),
            },
        ),
        division("kinds", "Kinds of data", "As the rows say.", &found.data_kinds, |word| {
            if word.is_empty() { "The rows do not say".to_owned() } else { words::code(word) }
        }),
        division(
            "tiers",
            "Tiers of the methods",
            "1 is the best method there is for an activity.",
            &found.tiers,
            |word| format!("Tier {word}"),
        ),
    ];
    all.into_iter().filter(|division| !division.rows.is_empty()).collect()
}

fn share((id, at): (&str, usize), one: &QualityShare, word: fn(&str) -> String) -> Share {
    let mass = Mass::parse_kg(&one.co2e).unwrap_or_default();
    let units = one.share.as_deref().and_then(|share| Decimal::parse(share).ok());
    let parts = units.map_or(0, ten_thousandths);
    let word = word(&one.word);
    let percent = format!("{}.{:02}\u{a0}%", parts / 100, parts % 100);
    let (id, description) = (format!("{id}-{at}"), format!("{percent} of the CO2e"));
    let caption = Caption { id: &id, title: &word, description: &description };
    Share {
        tonnes: words::tonnes(mass),
        kg: group_thousands(&one.co2e),
        percent: if one.share.is_some() { percent.clone() } else { "–".to_owned() },
        meter: charts::meter(caption, parts, 10_000),
        word,
    }
}

/// A share of 0 to 1 in ten-thousandths.
fn ten_thousandths(share: Decimal) -> u64 {
    let text = share.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits: String = fraction.chars().chain("0000".chars()).take(4).collect();
    format!("{whole}{digits}").parse().unwrap_or(0)
}

fn flags(found: &DataQuality, only: &str) -> Vec<Item> {
    let item = |flag: &envora_api::footprints::Warning| Item {
        title: words::code(&flag.code),
        count: words::count(flag.activities, "activity", "activities"),
        about: words::prose(&flag.detail),
        remedy: row_remedy(&flag.code).to_owned(),
        href: format!(
            "/activities?flag={}&from={}&to={}{}",
            flag.code,
            found.period.from,
            found.period.to,
            only.replace("facility=", "facility_id=")
        ),
    };
    found.flags.iter().map(item).collect()
}

fn unresolved(found: &DataQuality, only: &str) -> Vec<Item> {
    let item = |group: &envora_api::footprints::UnresolvedGroup| Item {
        title: words::code(&group.code),
        count: words::count(group.activities, "activity", "activities"),
        about: String::new(),
        remedy: words::prose(&group.remedy),
        href: format!(
            "/activities?state=unresolved&from={}&to={}{}",
            found.period.from,
            found.period.to,
            only.replace("facility=", "facility_id=")
        ),
    };
    found.unresolved.iter().map(item).collect()
}

/// The question of a year, as the interface is asked it.
fn question(asked: &Asked) -> Params {
    let (from, until) =
        (format!("{:04}-01-01", asked.year), format!("{:04}-01-01", asked.year.saturating_add(1)));
    let params = Params::of_pairs([("from", from.as_str()), ("to", until.as_str())]);
    match &asked.facility {
        Some(id) => params.with("facility_id", id),
        None => params,
    }
}

/// `GET /quality`: a year.
pub(super) async fn one(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    params: Params,
) -> Shown {
    params.only(&["year", "facility", "cursor"])?;
    let asked = asked(&app, &visitor, &params).await?;
    let organization = organization_of(&visitor).await?;
    let names = names(&visitor).await?;
    if asked.facility.as_ref().is_some_and(|id| !names.contains_key(id)) {
        return Err(nothing_here().into());
    }
    let cursor = params.one("cursor")?;
    let mut wanted = question(&asked).with("limit", LISTED);
    if let Some(cursor) = cursor {
        wanted = wanted.with("cursor", cursor);
    }
    let allowed = visitor.allowed::<ReadResults>()?;
    let found: DataQuality = quality::read(State(app), allowed, wanted).await?.read()?;
    Ok(show(&page(Sheet {
        organization: &organization,
        found: &found,
        names: &names,
        asked: &asked,
        is_first: cursor.is_none(),
    })))
}

/// `GET /quality.csv`: each month of each source, whole.
pub(super) async fn csv(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    params: Params,
) -> Shown {
    params.only(&["year", "facility"])?;
    let asked = asked(&app, &visitor, &params).await?;
    let mut text =
        "source_code,source_name,month,state,activities,estimated,flagged,zero_days\r\n".to_owned();
    let first = question(&asked).with("limit", AT_ONCE);
    let mut wanted = first.clone();
    loop {
        let allowed = visitor.allowed::<ReadResults>()?;
        let found: DataQuality =
            quality::read(State(app.clone()), allowed, wanted).await?.read()?;
        for source in &found.sources {
            source.months.iter().for_each(|month| text.push_str(&csv_row(source, month)));
        }
        match found.next_cursor {
            Some(cursor) => wanted = first.with("cursor", &cursor),
            None => break,
        }
    }
    attachment(text, &format!("quality-{}.csv", asked.year))
}

fn csv_row(source: &SourceQuality, month: &SourceMonth) -> String {
    let numbers = [month.activities, month.estimated, month.flagged, month.zero_days];
    let words = [cell(&source.source_code), cell(&source.source_name)];
    let words = words.into_iter().chain([month.month.clone(), month.state.clone()]);
    let cells: Vec<String> = words.chain(numbers.map(|number| number.to_string())).collect();
    cells.join(",") + "\r\n"
}

/// A text as a file of CSV.
pub(super) fn attachment(text: String, name: &str) -> Result<Response, Refusal> {
    let mut response: Response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media::CSV));
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_told_in_per_cent() {
        let check = |share: &str, want: u64| {
            assert_eq!(ten_thousandths(Decimal::parse(share).expect("a decimal")), want, "{share}");
        };
        check("1", 10_000);
        check("0.75", 7_500);
        check("0.0001", 1);
        check("0", 0);
        assert_eq!(per_cent(143, 144), "99.3\u{a0}%");
        assert_eq!(per_cent(0, 0), "");
    }
}
