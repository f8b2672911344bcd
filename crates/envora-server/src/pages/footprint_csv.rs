//! The totals of a year as CSV: the table twin of the charts, for a spreadsheet.

use axum::extract::State;
use envora_api::footprints::{Footprint, Totals};
use envora_domain::access::actions::ReadResults;

use super::quality::attachment;
use super::visits::{Shown, SignedIn};
use super::words;
use crate::app::App;
use crate::endpoints::footprints;
use crate::params::{Params, refused};

const HEADER: &str = "group,name,scope1_kg,scope2_location_kg,scope2_market_kg,scope3_kg,total_location_kg,total_market_kg,total_location_figure,total_market_figure\r\n";

/// `GET /footprint.csv`: a year, by month, facility, scope, category, source, type or gas.
pub(super) async fn csv(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    params: Params,
) -> Shown {
    params.only(&["year", "by", "facility"])?;
    let year = params.read("year", "a year from 1900 to 2199, such as 2022", |text| {
        text.parse::<u16>().ok().filter(|year| (1900..=2199).contains(year))
    })?;
    let year = year.ok_or_else(|| refused("year", "The parameter year is missing.".to_owned()))?;
    let by = params.one("by")?.unwrap_or("month");
    let (from, until) = (format!("{year:04}-01-01"), format!("{:04}-01-01", year + 1));
    let mut asked = Params::of_pairs([("from", from.as_str()), ("to", until.as_str())]);
    if by != "gas" {
        asked = asked.with("group_by", by);
    }
    if let Some(facility) = params.one("facility")? {
        asked = asked.with("facility_id", facility);
    }
    let allowed = visitor.allowed::<ReadResults>()?;
    let found: Footprint = footprints::read(State(app), allowed, asked).await?.read()?;
    let text = if by == "gas" { gases(&found) } else { groups(&found) };
    attachment(text, &format!("footprint-{year}-by-{by}.csv"))
}

fn groups(found: &Footprint) -> String {
    let mut text = HEADER.to_owned();
    for group in &found.groups {
        let word = |name: &str| group.key.get(name).cloned();
        let key = word("facility_id").or_else(|| word("source_id"));
        let key = key.or_else(|| group.key.values().next().cloned()).unwrap_or_default();
        let name = word("facility_name").or_else(|| word("source_code"));
        let name = name.or_else(|| word("category").map(|number| words::category(&number)));
        text.push_str(&row(&key, &name.unwrap_or_default(), &group.totals));
    }
    text.push_str(&row("total", "", &found.totals));
    text
}

fn row(key: &str, name: &str, totals: &Totals) -> String {
    let Totals { scope1, scope2_location, scope2_market, scope3, .. } = totals;
    let (location, market) = (&totals.total_location_based, &totals.total_market_based);
    let mut cells = vec![cell(key), cell(name)];
    let all = [scope1, scope2_location, scope2_market, scope3, location, market];
    cells.extend(all.map(|amount| amount.value.clone()));
    cells.extend([location.figure_id.clone(), market.figure_id.clone()]);
    cells.join(",") + "\r\n"
}

fn gases(found: &Footprint) -> String {
    let mut text = "gas,carbon,mass_kg,co2e_kg,co2e_figure\r\n".to_owned();
    for gas in &found.totals.by_gas {
        let cells = [&gas.gas, &gas.carbon, &gas.mass.value, &gas.co2e.value, &gas.co2e.figure_id];
        text.push_str(&(cells.map(|text| cell(text)).join(",") + "\r\n"));
    }
    text
}

/// A cell: quoted where it must be, and never read as a formula.
pub(super) fn cell(text: &str) -> String {
    let guarded = match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{text}"),
        _ => text.to_owned(),
    };
    if guarded.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", guarded.replace('"', "\"\""));
    }
    guarded
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn cells_are_quoted_and_are_no_formulas() {
        assert_eq!(cell("Building 2, labs"), "\"Building 2, labs\"");
        assert_eq!(cell("a \"b\""), "\"a \"\"b\"\"\"");
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("2022-01"), "2022-01");
    }
}
