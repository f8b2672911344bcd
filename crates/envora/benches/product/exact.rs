//! What the footprint has to come to: the sums of the rows times their factors, in integers.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::rows::{Flaw, Rows, WORKS};
use crate::served::{Scratch, Served, make};

/// How many digits behind the point sums are kept with.
const PLACES: u32 = 18;
/// The totals that are asked for.
pub(crate) const TOTALS: [&str; 3] = ["scope1", "scope2_location", "scope3"];

/// Kilograms of CO2e, without the point.
pub(crate) type Kilograms = i128;

/// A decimal as it is printed, without its point.
pub(crate) fn parsed(text: &str) -> Option<Kilograms> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let missing = PLACES.checked_sub(u32::try_from(part.len()).ok()?)?;
    let digits: i128 = format!("{whole}{part}").parse().ok()?;
    digits.checked_mul(10_i128.pow(missing))
}

/// The same as a text, without zeros at its end.
pub(crate) fn text(kilograms: Kilograms) -> String {
    let one = 10_i128.pow(PLACES);
    let text = format!("{}.{:018}", kilograms / one, kilograms % one);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What one of a unit of a work weighs in CO2e, by [`TOTALS`], and as it is printed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Factor {
    pub(crate) texts: [String; 3],
    pub(crate) kilograms: [Kilograms; 3],
}

/// The factors of all works in both units, as the product itself applies them: asked of a folder that
/// holds one unit of each.
pub(crate) fn factors() -> Result<Vec<[Factor; 2]>> {
    let scratch = Scratch::new("factors")?;
    let data = scratch.path().join("data");
    let served = Served::start(&data, &make(&data)?)?;
    let (mut places, mut rows) = (String::from("code,name,country,time_zone\n"), String::new());
    for (number, work) in WORKS.iter().enumerate() {
        for (of, unit) in [work.unit, work.other_unit].iter().enumerate() {
            places += &format!("p-{number}-{of},Place,GB,UTC\n");
            let qualifiers: BTreeMap<_, _> = work.qualifiers.iter().copied().collect();
            let qualifiers = serde_json::to_string(&qualifiers)?;
            rows += &format!(
                "{{\"external_id\":\"p-{number}-{of}\",\"type\":\"{}\",\"quantity\":\"1\",\"unit\":\"{unit}\",\"start\":\"2026-06-01T00:00:00Z\",\"end\":\"2026-06-01T01:00:00Z\",\"facility_code\":\"p-{number}-{of}\",\"qualifiers\":{qualifiers}}}\n",
                work.kind
            );
        }
    }
    served.push("facilities", &scratch, &places)?;
    let mut connection = served.connect()?;
    let media = "application/x-ndjson";
    let answer = connection.post("/activities?mode=partial", media, rows.as_bytes())?.json()?;
    if answer["counts"]["accepted"] != 2 * WORKS.len() {
        bail!("rows of the bench are refused: {:#}", answer["results"][0]);
    }
    served.caught_up()?;
    let year = "/carbon-footprint?from=2026-01-01&to=2027-01-01";
    let all = connection.read(&format!("{year}&group_by=facility"))?;
    if all["unresolved"].as_array().is_none_or(|groups| !groups.is_empty()) {
        bail!("works of the bench have no factor: {:#}", all["unresolved"]);
    }
    let names = facility_names(&connection.read("/facilities?limit=1000")?)?;
    let mut found = vec![<[Factor; 2]>::default(); WORKS.len()];
    for group in all["groups"].as_array().context("no groups")? {
        let key = group["key"].as_object().and_then(|key| key.values().next()?.as_str());
        let key = key.context("a group without a key")?;
        let code = names.get(key).map_or(key, String::as_str);
        let mut words = code.split('-').skip(1).filter_map(|word| word.parse::<usize>().ok());
        let (Some(number), Some(of)) = (words.next(), words.next()) else { continue };
        let slot = found.get_mut(number).and_then(|pair| pair.get_mut(of));
        *slot.context("a place that is not known")? = factor(&group["totals"])?;
    }
    Ok(found)
}

/// The codes of facilities by their ids.
pub(crate) fn facility_names(page: &Value) -> Result<BTreeMap<String, String>> {
    let items = page["data"].as_array();
    let pair =
        |item: &Value| Some((item["id"].as_str()?.to_owned(), item["code"].as_str()?.to_owned()));
    Ok(items.context("a page without items")?.iter().filter_map(pair).collect())
}

fn factor(totals: &Value) -> Result<Factor> {
    let mut factor = Factor::default();
    for (place, name) in TOTALS.iter().enumerate() {
        let text = totals[name]["value"].as_str().context("a total without a value")?;
        factor.texts[place] = text.to_owned();
        factor.kilograms[place] = parsed(text).context("a value that is no decimal")?;
    }
    Ok(factor)
}

/// What the rows come to, by [`TOTALS`], to the last digit.
pub(crate) fn expected(rows: Rows, factors: &[[Factor; 2]]) -> Result<[Kilograms; 3]> {
    let mut sums = vec![[0_i128; 2]; WORKS.len()];
    for row in rows.all().filter(|row| row.flaw != Some(Flaw::Refused)) {
        let (mantissa, places) = row.quantity;
        let scaled = i128::from(mantissa) * 10_i128.pow(PLACES - 12 - places);
        let pair = sums.get_mut(row.work).context("a work that is not known")?;
        pair[usize::from(row.is_other_unit)] += scaled;
    }
    let mut totals = [0; 3];
    for (pair, sums) in factors.iter().zip(sums) {
        for (factor, sum) in pair.iter().zip(sums) {
            for (total, kilograms) in totals.iter_mut().zip(factor.kilograms) {
                // The sum has six digits behind its point, and the factor twelve at most.
                *total += sum * (kilograms / 10_i128.pow(6));
            }
        }
    }
    Ok(totals)
}

/// What the footprint says, by [`TOTALS`].
pub(crate) fn told(footprint: &Value) -> Result<[Kilograms; 3]> {
    Ok(factor(&footprint["totals"])?.kilograms)
}
