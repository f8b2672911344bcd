//! `envora footprint`: the footprint of a period, in tonnes.

use envora_api::amounts::Amount;
use envora_api::footprints::{Coverage, Footprint, Group, Totals};
use envora_domain::decimal::Mass;
use envora_domain::time::Day;

use crate::arguments::FootprintArguments;
use crate::client::Client;
use crate::failures::Failure;
use crate::paint::Paint;
use crate::session::{Printed, Session};
use crate::tables::Table;
use crate::terminal::{Audience, Channel};

/// Digits after the point of a tonne, as people see it: down to the kilogram.
const TONNE_DIGITS: u8 = 3;

/// The categories of scope 3, from 1.
const CATEGORIES: [&str; 15] = [
    "goods and services",
    "capital goods",
    "fuel and energy upstream",
    "transport to us",
    "waste",
    "business travel",
    "commuting",
    "leased from others",
    "transport from us",
    "processing of what is sold",
    "use of what is sold",
    "end of what is sold",
    "leased to others",
    "franchises",
    "investments",
];

/// Asks for a footprint and prints it.
///
/// # Errors
/// The server's problem, or a period that is none.
pub async fn run(arguments: &FootprintArguments, session: &mut Session) -> Result<(), Failure> {
    let client = session.client()?;
    let (from, to) = period(arguments)?;
    let mut query = vec![("from", from.to_string()), ("to", to.to_string())];
    let words = [
        ("group_by", &arguments.group_by),
        ("gwp_set", &arguments.gwp_set),
        ("as_of", &arguments.as_of),
    ];
    query.extend(words.into_iter().filter_map(|(name, word)| Some((name, word.clone()?))));
    query.extend(arguments.scope.map(|scope| ("scope", scope.to_string())));
    let footprint = ask(&client, &query).await?;
    if session.print_json(&footprint)? == Printed::AsJson {
        return Ok(());
    }
    let data = &mut session.terminal.data;
    match data.audience {
        Audience::People => print(&footprint, &[], data),
        Audience::Programs => {
            figures(&footprint).print(data);
            print_gaps(&footprint, &mut session.terminal.words);
        }
    }
    Ok(())
}

/// The footprint that a query asks for.
///
/// # Errors
/// The server's problem.
pub async fn ask(client: &Client, query: &[(&str, String)]) -> Result<Footprint, Failure> {
    let query: Vec<(&str, &str)> =
        query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    client.get("/carbon-footprint", &query).await
}

fn period(arguments: &FootprintArguments) -> Result<(Day, Day), Failure> {
    let year = |year| Day::from_ymd(year, 1, 1).zip(Day::from_ymd(year.saturating_add(1), 1, 1));
    match (arguments.year, arguments.from, arguments.to) {
        (Some(number), _, _) => {
            year(number).ok_or_else(|| Failure::usage(format!("{number} is no year"), ""))
        }
        (None, Some(from), Some(to)) if from < to => Ok((from, to)),
        (None, Some(_), Some(_)) => Err(Failure::usage(
            "--to is not after --from",
            "--to is the first day after the period: --from 2022-01-01 --to 2023-01-01 is all of 2022",
        )),
        (None, _, _) => Err(Failure::usage(
            "which period?",
            "say --year 2022, or --from 2022-01-01 --to 2023-01-01",
        )),
    }
}

/// Tonnes of an amount, for people.
#[must_use]
pub fn tonnes(amount: &Amount) -> String {
    Mass::parse_kg(&amount.value)
        .map_or_else(|_| amount.value.clone(), |mass| mass.tonnes(TONNE_DIGITS))
}

/// Prints a footprint for people; `third` is the same by category of scope 3, when it was asked for.
pub fn print(footprint: &Footprint, third: &[Group], to: &mut Channel) {
    let paint = to.paint;
    let last = footprint.period.to.plus(-1);
    to.prose(format!(
        "{}  {} to {last}, GWP set {}, run {}",
        paint.strong("Footprint"),
        footprint.period.from,
        paint.strong(&footprint.gwp_set),
        paint.faint(&footprint.run.to_string()),
    ));
    to.line("");
    for line in totals_lines(&footprint.totals, third, paint) {
        to.line(line);
    }
    to.line("");
    print_groups(footprint, to);
    print_state(footprint, to);
}

/// A category of scope 3 by its number, in words.
fn category(number: &str) -> String {
    let place = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let name = place.and_then(|place| CATEGORIES.get(place)).copied().unwrap_or_default();
    format!("  of it 3.{number}, {name}")
}

fn totals_lines(totals: &Totals, third: &[Group], paint: Paint) -> Vec<String> {
    let number = |group: &Group| group.key.get("category").cloned().unwrap_or_default();
    let mut third: Vec<(String, &Amount)> =
        third.iter().map(|group| (number(group), &group.totals.scope3)).collect();
    third.sort_by_key(|(number, _)| number.parse::<u8>().unwrap_or(u8::MAX));
    let third: Vec<(String, &Amount)> =
        third.into_iter().map(|(number, amount)| (category(&number), amount)).collect();
    let mut rows = vec![
        ("Scope 1, direct", Some(&totals.scope1), Weight::Part),
        ("Scope 2, location-based", Some(&totals.scope2_location), Weight::Part),
        ("Scope 2, market-based", Some(&totals.scope2_market), Weight::Part),
        ("Scope 3", Some(&totals.scope3), Weight::Part),
    ];
    rows.extend(third.iter().map(|(label, amount)| (label.as_str(), Some(*amount), Weight::Part)));
    rows.push(("", None, Weight::Part));
    rows.push((
        "Total with scope 2 location-based",
        Some(&totals.total_location_based),
        Weight::Sum,
    ));
    rows.push(("Total with scope 2 market-based", Some(&totals.total_market_based), Weight::Sum));
    rows.push(("CO2 of biogenic origin, apart", Some(&totals.biogenic_co2), Weight::Part));
    let line = |(label, amount, weight): (&str, Option<&Amount>, Weight)| match amount {
        None => format!("  {}", paint.faint(&"─".repeat(58))),
        Some(amount) => {
            let (text, number) = (format!("{label:<44}"), format!("{:>14}", tonnes(amount)));
            match weight {
                Weight::Part => format!("  {text}{number}"),
                Weight::Sum => format!("  {}{}", paint.strong(&text), paint.strong(&number)),
            }
        }
    };
    let head = format!("  {:<44}{:>14}", "", paint.faint("        t CO2e"));
    core::iter::once(head).chain(rows.into_iter().map(line)).collect()
}

#[derive(Clone, Copy)]
enum Weight {
    Part,
    Sum,
}

fn print_groups(footprint: &Footprint, to: &mut Channel) {
    let Some(first) = footprint.groups.first() else { return };
    // People know a place by its code and name; the id is in the JSON.
    let is_shown = |name: &&String| {
        let code = name.strip_suffix("_id").map(|noun| format!("{noun}_code"));
        code.is_none_or(|code| !first.key.contains_key(&code))
    };
    let words: Vec<&str> = first.key.keys().filter(is_shown).map(String::as_str).collect();
    let numbers =
        [">scope 1", ">scope 2 location", ">scope 2 market", ">scope 3", ">t CO2e (location)"];
    let mut table = Table::new(&[words.as_slice(), numbers.as_slice()].concat());
    for group in &footprint.groups {
        let totals = &group.totals;
        let amounts = [
            &totals.scope1,
            &totals.scope2_location,
            &totals.scope2_market,
            &totals.scope3,
            &totals.total_location_based,
        ];
        let named = words.iter().map(|word| group.key.get(*word).cloned().unwrap_or_default());
        table.row(named.chain(amounts.into_iter().map(tonnes)));
    }
    table.print_for_people(to);
    to.line("");
}

fn print_state(footprint: &Footprint, to: &mut Channel) {
    let paint = to.paint;
    let coverage = &footprint.coverage;
    let whole = coverage.present == coverage.expected;
    let text = format!("{} of {} source-months have data", coverage.present, coverage.expected);
    to.prose(format!("  Coverage    {}", if whole { paint.good(&text) } else { paint.odd(&text) }));
    let mut more = coverage.expected.saturating_sub(coverage.present);
    for month in coverage.missing.iter().take(6) {
        to.prose(format!("              missing: {} {}", month.source_code, month.month));
        more = more.saturating_sub(1);
    }
    if more > 0 && !coverage.missing.is_empty() {
        to.prose(format!("              … and {more} more"));
    }
    if footprint.unresolved.is_empty() {
        to.prose(format!("  Unresolved  {}", paint.good("none: every stored row counts")));
    }
    for group in &footprint.unresolved {
        to.prose(format!(
            "  Unresolved  {}, such as {}",
            paint.odd(&format!("{} × {}", group.activities, group.code)),
            group.example
        ));
        to.prose(format!("              {} {}", paint.link("help:"), group.remedy));
    }
    for warning in &footprint.warnings {
        to.prose(format!("  Note        {}: {}", paint.odd(&warning.code), warning.detail));
    }
    let behind = footprint.watermark.lag_ms;
    match footprint.status.as_str() {
        "current" => {}
        "failing" => {
            let text = format!("the calculation does not go on: {behind} ms behind");
            to.prose(format!("  {}", paint.bad(&text)));
        }
        _ => {
            to.prose(format!("  {}", paint.odd(&format!("still calculating: {behind} ms behind"))))
        }
    }
}

/// Says what the figures do not hold, where a program reads them: beside the table, on stderr.
fn print_gaps(footprint: &Footprint, to: &mut Channel) {
    for group in &footprint.unresolved {
        to.prose(format!(
            "not in these figures: {} × {}, such as {}: {}",
            group.activities, group.code, group.example, group.remedy
        ));
    }
    let coverage = &footprint.coverage;
    if coverage.present < coverage.expected {
        let Coverage { present, expected, .. } = coverage;
        to.prose(format!("coverage: {present} of {expected} source-months have data"));
    }
    for warning in &footprint.warnings {
        to.prose(format!("{}: {}", warning.code, warning.detail));
    }
    if footprint.status != "current" {
        let behind = footprint.watermark.lag_ms;
        to.prose(format!("the calculation is {}: {behind} ms behind", footprint.status));
    }
}

/// Every figure of a footprint: what, kilograms exactly, id.
fn figures(footprint: &Footprint) -> Table {
    let mut table = Table::new(&["figure", "value", "unit", "figure_id"]);
    let mut add = |name: String, amount: &Amount| {
        table.row([name, amount.value.clone(), amount.unit.clone(), amount.figure_id.clone()]);
    };
    let mut all = |prefix: &str, totals: &Totals| {
        let named = [
            ("scope1", &totals.scope1),
            ("scope2_location", &totals.scope2_location),
            ("scope2_market", &totals.scope2_market),
            ("scope3", &totals.scope3),
            ("total_location_based", &totals.total_location_based),
            ("total_market_based", &totals.total_market_based),
            ("biogenic_co2", &totals.biogenic_co2),
        ];
        for (name, amount) in named {
            add(format!("{prefix}{name}"), amount);
        }
    };
    all("", &footprint.totals);
    for group in &footprint.groups {
        let key: Vec<&str> = group.key.values().map(String::as_str).collect();
        all(&format!("{}/", key.join("/")), &group.totals);
    }
    table
}
