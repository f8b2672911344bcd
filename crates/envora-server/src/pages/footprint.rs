//! The footprint page: both totals, scopes, months, facilities, gases, coverage and what is not
//! counted. From wire types to view in one pure function; the handler only asks.

use std::collections::BTreeMap;

use askama::Template;
use envora_api::footprints::{Coverage, Footprint, GasTotal, Group, Totals, Warning};
use envora_api::organizations::Organization;
use envora_domain::decimal::{Mass, group_thousands};
use envora_ingest::footprint::GroupBy;

use super::charts::{self, Caption, Part, Tone};
use super::checklist::{self, Checklist, Standing};
use super::divisions::{self, Makeup, Ranking};
use super::shell::Shell;
use super::words::{self, Number};

/// What the page is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sheet<'a> {
    /// Whose it is.
    pub(super) organization: &'a Organization,
    /// The year's footprint, grouped by nothing.
    pub(super) year: &'a Footprint,
    /// The same, by `month`.
    pub(super) months: &'a Footprint,
    /// The same, by `type`.
    pub(super) types: &'a Footprint,
    /// The same, by `category`.
    pub(super) categories: &'a Footprint,
    /// The same, by what the address asks for.
    pub(super) groups: &'a Footprint,
    /// What the first steps are ticked by.
    pub(super) standing: &'a Standing<'a>,
    /// Names of facilities by id.
    pub(super) names: &'a BTreeMap<String, String>,
    /// What was asked for.
    pub(super) asked: &'a Asked,
}

/// What was asked for in the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// The year.
    pub(super) year: i16,
    /// The years with data, and this one.
    pub(super) years: Vec<i16>,
    /// The last year with data, when it has not begun and this one has.
    pub(super) later: Option<i16>,
    /// One facility alone, by id.
    pub(super) facility: Option<String>,
    /// What the ranking is by; facilities when nothing is said.
    pub(super) by: Option<GroupBy>,
}

impl Asked {
    /// The year as it is asked for, ranked in this way.
    pub(super) fn query(&self, by: Option<GroupBy>) -> String {
        let by = by.map(|by| format!("&by={}", by.as_str())).unwrap_or_default();
        let facility = self.facility.as_ref();
        let facility = facility.map(|id| format!("&facility={id}")).unwrap_or_default();
        format!("?year={}{facility}{by}", self.year)
    }

    /// Its CSV with another parameter.
    pub(super) fn with(&self, parameter: &str) -> String {
        format!("/footprint.csv{}&{parameter}", self.query(None))
    }
}

/// A label and where it leads.
#[derive(Clone, Debug)]
struct Choice {
    label: String,
    href: String,
    current: bool,
}

/// One of the two totals.
struct Total {
    id: &'static str,
    label: &'static str,
    number: Number,
    strip: String,
    about: String,
    /// Swatch and words of each scope's share.
    shares: Vec<(String, String)>,
}

/// The months of the year.
struct Months {
    sentence: String,
    chart: String,
    rows: Vec<Month>,
}

struct Month {
    name: &'static str,
    short: String,
    letter: String,
    total: Number,
    numbers: [Number; 6],
}

struct Gas {
    name: String,
    carbon: Option<String>,
    kg: String,
    mass: Option<Number>,
    co2e: Number,
}

struct CoverageView {
    present: String,
    expected: String,
    meter: String,
    missing: Vec<String>,
    more: Option<String>,
    derived: Vec<String>,
}

struct Item {
    title: String,
    count: String,
    remedy: String,
    href: Option<String>,
}

struct Fact {
    term: &'static str,
    text: String,
}

/// The page.
#[derive(Template)]
#[template(path = "footprint.html")]
pub(super) struct FootprintPage {
    shell: Shell,
    heading: String,
    standfirst: String,
    years: Vec<Choice>,
    filter: Option<Choice>,
    stale: Option<String>,
    later: Option<Choice>,
    empty: bool,
    totals: Vec<Total>,
    swatch1: String,
    swatch2: String,
    swatch3: String,
    scope1: Number,
    scope2_location: Number,
    scope2_market: Number,
    scope2_words: String,
    scope3: Number,
    /// Which parts scope 3 lacks for want of a factor.
    scope3_lacks: Vec<String>,
    months: Option<Months>,
    checklist: Checklist,
    makeup: Option<Makeup>,
    ranking: Ranking,
    gwp: String,
    gases: Vec<Gas>,
    bases: Vec<String>,
    coverage: CoverageView,
    unresolved: Vec<Item>,
    warnings: Vec<Item>,
    facts: Vec<Fact>,
    csv: String,
    quality: String,
    rows: String,
}

/// Lays the page out.
pub(super) fn page(sheet: Sheet<'_>) -> FootprintPage {
    let Sheet { organization, year, asked, .. } = sheet;
    let period = words::period(year.period);
    let totals = &year.totals;
    let only = |name: &str| {
        let facility = asked.facility.as_ref();
        facility.map(|id| format!("&{name}={id}")).unwrap_or_default()
    };
    FootprintPage {
        shell: Shell::of(&format!("Footprint {period}"), organization),
        csv: format!("/footprint.csv{}", asked.query(None)),
        quality: format!("/quality?year={}{}", asked.year, only("facility")),
        rows: format!(
            "/activities?from={}&to={}{}",
            year.period.from,
            year.period.to,
            only("facility_id")
        ),
        heading: format!("{}, {period}", organization.name),
        standfirst: standfirst(year),
        years: years(asked),
        filter: filter(sheet),
        stale: stale(year),
        later: asked.later.map(|later| Choice {
            label: later.to_string(),
            href: address(later, asked.facility.as_deref()),
            current: false,
        }),
        empty: is_empty(totals) && sheet.months.groups.iter().all(|group| is_empty(&group.totals)),
        totals: both_totals(year),
        swatch1: charts::swatch(Tone::Scope1),
        swatch2: charts::swatch(Tone::Scope2),
        swatch3: charts::swatch(Tone::Scope3),
        scope1: Number::of(&totals.scope1),
        scope2_location: Number::of(&totals.scope2_location),
        scope2_market: Number::of(&totals.scope2_market),
        scope2_words: scope2_words(year).to_owned(),
        scope3: Number::of(&totals.scope3),
        scope3_lacks: scope3_lacks(&year.coverage),
        months: months(asked.year, &sheet.months.groups),
        checklist: checklist::checklist(sheet.standing),
        makeup: divisions::makeup((sheet.types, sheet.categories), asked),
        ranking: divisions::ranking(
            (sheet.groups, asked.by.unwrap_or(GroupBy::Facility)),
            (asked, sheet.names),
        ),
        gwp: words::gwp_set(&year.gwp_set),
        gases: totals.by_gas.iter().map(gas).collect(),
        bases: bases(year),
        coverage: coverage(&year.coverage),
        unresolved: unresolved(year),
        warnings: year.warnings.iter().map(warning).collect(),
        facts: facts(year, organization),
    }
}

fn standfirst(year: &Footprint) -> String {
    let (first, last) = (words::day(year.period.from), words::day(year.period.to.plus(-1)));
    format!(
        "{first} to {last}. Exact to the last digit, with GWPs {}. Follow any number down to the bytes it came from.",
        words::gwp_set(&year.gwp_set)
    )
}

fn address(year: i16, facility: Option<&str>) -> String {
    match facility {
        Some(id) => format!("/?year={year}&facility={id}"),
        None => format!("/?year={year}"),
    }
}

fn years(asked: &Asked) -> Vec<Choice> {
    let choice = |year: &i16| Choice {
        label: year.to_string(),
        href: address(*year, asked.facility.as_deref()),
        current: *year == asked.year,
    };
    asked.years.iter().map(choice).collect()
}

fn filter(sheet: Sheet<'_>) -> Option<Choice> {
    let id = sheet.asked.facility.as_deref()?;
    let label = sheet.names.get(id).map_or(id, String::as_str).to_owned();
    Some(Choice { label, href: address(sheet.asked.year, None), current: false })
}

fn stale(year: &Footprint) -> Option<String> {
    (year.status != "current").then(|| {
        format!(
            "The calculation is {} ms behind what was taken in; these numbers are complete up to entry {} of the log.",
            group_thousands(&year.watermark.lag_ms.to_string()),
            year.watermark.seq
        )
    })
}

fn is_empty(totals: &Totals) -> bool {
    let all = [&totals.total_location_based, &totals.total_market_based, &totals.biogenic_co2];
    let gases = totals.by_gas.iter().flat_map(|gas| [&gas.mass, &gas.co2e]);
    all.into_iter().chain(gases).all(|amount| amount.value == "0")
}

pub(super) fn parts(totals: &Totals, scope2: &Number) -> [Part; 3] {
    [
        Part { tone: Tone::Scope1, mass: Number::of(&totals.scope1).mass },
        Part { tone: Tone::Scope2, mass: scope2.mass },
        Part { tone: Tone::Scope3, mass: Number::of(&totals.scope3).mass },
    ]
}

fn both_totals(year: &Footprint) -> Vec<Total> {
    let totals = &year.totals;
    let (location, market) =
        (Number::of(&totals.total_location_based), Number::of(&totals.total_market_based));
    let widest = location.mass.max(market.mass);
    let total = |id, label, number: Number, scope2: &Number, about: String| {
        let parts = parts(totals, scope2);
        let strip_id = format!("{id}-strip");
        let description = strip_words(&parts, number.mass);
        let caption = Caption { id: &strip_id, title: label, description: &description };
        let strip = charts::strip(caption, &parts, widest);
        Total { id, label, strip, about, shares: shares(&parts, number.mass), number }
    };
    vec![
        total(
            "total-location",
            "Location-based total",
            location,
            &Number::of(&totals.scope2_location),
            "Electricity as the grid made it.".to_owned(),
        ),
        total(
            "total-market",
            "Market-based total",
            market,
            &Number::of(&totals.scope2_market),
            market_words(year),
        ),
    ]
}

fn shares(parts: &[Part; 3], whole: Mass) -> Vec<(String, String)> {
    let of_scope = |(scope, part): (usize, &Part)| {
        let share = words::share(part.mass, whole)?;
        Some((charts::swatch(part.tone), format!("Scope\u{a0}{} {share}", scope + 1)))
    };
    parts.iter().enumerate().filter_map(of_scope).collect()
}

/// What the market-based electricity stands on.
enum Market {
    /// No electricity or heat at all.
    Nothing,
    /// No row has an instrument, a supplier's rate or a residual mix: the grid's average throughout.
    GridOnly,
    /// Some rows have; for so many the grid's average stands in.
    Mixed(u64),
    /// Nothing stood in, and yet both answers are the same.
    Same,
    /// Nothing stood in.
    Bought,
}

fn market(year: &Footprint) -> Market {
    let (location, market) = (&year.totals.scope2_location, &year.totals.scope2_market);
    let stood_in = year.warnings.iter().find(|warning| warning.code == "no_residual_mix");
    match stood_in.map_or(0, |warning| warning.activities) {
        0 if location.value == "0" && market.value == "0" => Market::Nothing,
        0 if location.value == market.value => Market::Same,
        0 => Market::Bought,
        _ if location.value == market.value => Market::GridOnly,
        some => Market::Mixed(some),
    }
}

/// What the market-based total is, in a sentence.
fn market_words(year: &Footprint) -> String {
    match market(year) {
        Market::Nothing => "No electricity or heat was bought.".to_owned(),
        Market::GridOnly => "No certificate, contract, supplier's rate or residual mix is on record, so the grid's average stands in for all electricity: this is the location-based total again.".to_owned(),
        Market::Mixed(some) => format!(
            "Electricity as it was bought where a certificate, contract or supplier's rate says how; the grid's average stands in for {}.",
            words::count(some, "activity", "activities")
        ),
        Market::Same => "Electricity and heat as they were bought; here the same as location-based.".to_owned(),
        Market::Bought => "Electricity as it was bought: certificates, contracts, the supplier's rate.".to_owned(),
    }
}

pub(super) fn strip_words(parts: &[Part; 3], whole: Mass) -> String {
    let shares = ["Scope 1", "scope 2", "scope 3"].iter().zip(parts).filter_map(|(name, part)| {
        words::share(part.mass, whole).map(|share| format!("{name} {share}"))
    });
    let shares: Vec<String> = shares.collect();
    if shares.is_empty() { String::new() } else { format!("{}.", shares.join(", ")) }
}

fn scope2_words(year: &Footprint) -> &'static str {
    match market(year) {
        Market::Nothing => "No electricity or heat was bought.",
        Market::GridOnly => {
            "Equal here: nothing says how the electricity was bought, so both are the grid's average."
        }
        Market::Same => "Equal here.",
        Market::Mixed(_) | Market::Bought => {
            "They differ by what was bought: certificates, contracts, the supplier's rate."
        }
    }
}

pub(super) fn numbers(totals: &Totals) -> [Number; 6] {
    [
        &totals.scope1,
        &totals.scope2_location,
        &totals.scope2_market,
        &totals.scope3,
        &totals.total_location_based,
        &totals.total_market_based,
    ]
    .map(Number::of)
}

fn months(year: i16, groups: &[Group]) -> Option<Months> {
    let known: BTreeMap<i8, &Totals> = groups
        .iter()
        .filter_map(|group| {
            let (of, month) = words::year_month(group.key.get("month")?)?;
            (of == year).then_some((month, &group.totals))
        })
        .collect();
    let bars: Vec<Vec<Part>> = (1..=12)
        .map(|month| {
            let totals = known.get(&month);
            totals.map_or_else(Vec::new, |totals| {
                parts(totals, &Number::of(&totals.scope2_location)).to_vec()
            })
        })
        .collect();
    let rows: Vec<Month> = known.iter().map(|(month, totals)| month_row(*month, totals)).collect();
    let (most, least) = (
        rows.iter().max_by_key(|row| row.total.mass)?,
        rows.iter().min_by_key(|row| row.total.mass)?,
    );
    let sentence = format!(
        "Location-based. Most in {} ({} t), least in {} ({} t).",
        most.name, most.total.tonnes, least.name, least.total.tonnes
    );
    let caption = Caption {
        id: "months-chart",
        title: "Emissions by month and scope",
        description: &sentence,
    };
    Some(Months { chart: charts::columns(caption, &bars), sentence, rows })
}

fn month_row(month: i8, totals: &Totals) -> Month {
    let name = words::month_name(month);
    Month {
        name,
        short: name.chars().take(3).collect(),
        letter: name.chars().take(1).collect(),
        total: Number::of(&totals.total_location_based),
        numbers: numbers(totals),
    }
}

fn gas(total: &GasTotal) -> Gas {
    let totalled = matches!(total.gas.as_str(), "co2e" | "co2e_residue");
    let mass = Number::of(&total.mass);
    Gas {
        name: words::gas(&total.gas),
        carbon: (!totalled).then(|| match total.carbon.as_str() {
            "unknown" => "origin not told".to_owned(),
            told => told.to_owned(),
        }),
        kg: rounded_kg(&mass),
        mass: (!totalled).then_some(mass),
        co2e: Number::of(&total.co2e),
    }
}

/// Kilograms with three digits after the point: a mass of gas is read beside others.
fn rounded_kg(number: &Number) -> String {
    Mass::from_units(number.mass.units().saturating_mul(1000)).tonnes(3)
}

fn bases(year: &Footprint) -> Vec<String> {
    let line = |before: &str, basis: &str, value: &Number| {
        format!("{before} {}: {} t", words::gwp_set(basis), value.tonnes)
    };
    let published = year
        .bases
        .iter()
        .map(|total| line("Printed by its publisher in", &total.basis, &Number::of(&total.co2e)));
    let native = year.native_basis.iter().map(|total| {
        line("Could not be rebased, stays in", &total.basis, &Number::of(&total.co2e))
    });
    published.chain(native).collect()
}

/// The parts of scope 3 that rows lack, beside its total: else it would be taken for whole.
fn scope3_lacks(coverage: &Coverage) -> Vec<String> {
    let lacking = coverage.derived_factor_missing.iter();
    let lacking = lacking.filter(|(slot, _)| slot.starts_with("c3_") || slot.starts_with("s3_"));
    lacking.map(|(slot, activities)| without(slot, *activities)).collect()
}

fn without(slot: &str, activities: u64) -> String {
    format!(
        "{} {} without a factor for: {}.",
        words::count(activities, "activity", "activities"),
        if activities == 1 { "counts" } else { "count" },
        words::slot(slot)
    )
}

fn coverage(coverage: &Coverage) -> CoverageView {
    let Coverage { present, expected, missing, derived_factor_missing, .. } = coverage;
    let description = format!("{present} of {expected} source-months present");
    let caption = Caption { id: "coverage-meter", title: "Coverage", description: &description };
    let gaps = expected.saturating_sub(*present);
    let listed = u64::try_from(missing.len()).unwrap_or(u64::MAX);
    let text = |gap: &envora_api::footprints::MissingMonth| {
        let month = words::year_month(&gap.month);
        let month = month.map_or_else(
            || gap.month.clone(),
            |(year, month)| format!("{} {year}", words::month_name(month)),
        );
        format!("{}, {month}", gap.source_code)
    };
    CoverageView {
        present: group_thousands(&present.to_string()),
        expected: group_thousands(&expected.to_string()),
        meter: charts::meter(caption, *present, *expected),
        missing: missing.iter().map(text).collect(),
        more: (gaps > listed).then(|| format!("and {} more", gaps - listed)),
        derived: derived_factor_missing
            .iter()
            .map(|(slot, activities)| without(slot, *activities))
            .collect(),
    }
}

fn unresolved(year: &Footprint) -> Vec<Item> {
    let item = |group: &envora_api::footprints::UnresolvedGroup| Item {
        title: words::code(&group.code),
        count: words::count(group.activities, "activity", "activities"),
        remedy: words::prose(&group.remedy),
        href: (!group.example.is_empty()).then(|| format!("/activities/{}", group.example)),
    };
    year.unresolved.iter().map(item).collect()
}

fn warning(warning: &Warning) -> Item {
    let count = match warning.activities {
        0 => String::new(),
        some => words::count(some, "activity", "activities"),
    };
    Item {
        title: words::code(&warning.code),
        count,
        remedy: words::prose(&warning.detail),
        href: None,
    }
}

fn facts(year: &Footprint, organization: &Organization) -> Vec<Fact> {
    let watermark = &year.watermark;
    let mut facts = vec![
        Fact { term: "Counted up to", text: format!("entry {} of the log", watermark.seq) },
        Fact {
            term: "That entry was committed",
            text: watermark.committed_at.map_or_else(|| "–".to_owned(), words::instant),
        },
        Fact {
            term: "Waiting to be counted",
            text: match watermark.lag_ms {
                0 => "nothing".to_owned(),
                lag => format!("for {} ms", group_thousands(&lag.to_string())),
            },
        },
        Fact {
            term: "GWP set",
            text: format!("{} ({})", year.gwp_set, words::gwp_set(&year.gwp_set)),
        },
        Fact { term: "Consolidation", text: words::code(&year.consolidation) },
        Fact { term: "Reporting zone", text: year.time_zone.clone() },
        Fact { term: "Log", text: organization.domain.clone() },
        Fact { term: "Run", text: year.run.to_string() },
    ];
    if let Some(text) = year.primary_data_share.as_deref() {
        facts.push(Fact { term: "Share of primary data", text: text.to_owned() });
    }
    facts
}
