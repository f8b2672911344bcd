//! The pages of factors: a search, and one factor down to the lines it was printed in.

use askama::Template;
use axum::extract::{Path, State};
use envora_api::factors::{Factor, FactorPack, PackOrigin};
use envora_api::listing::Page;
use envora_api::organizations::Organization;
use envora_domain::access::actions::ReadFactors;
use serde_json::Value;

use super::shell::Shell;
use super::visits::{Shown, SignedIn, organization_of};
use super::{lines, show, words};
use crate::app::App;
use crate::endpoints::{factors, packs};
use crate::params::Params;

/// How many factors a page lists.
const LISTED: &str = "40";
const NARROWS: &[&str] = &["q", "publisher", "edition"];

struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

struct Row {
    href: String,
    name: String,
    about: String,
    publisher: String,
    value: String,
    per: String,
}

struct PackRow {
    name: String,
    publisher: String,
    edition: String,
    factors: String,
    licence: String,
    active: bool,
}

/// The search.
#[derive(Template)]
#[template(path = "factors.html")]
pub(super) struct FactorsPage {
    shell: Shell,
    q: String,
    publishers: Vec<Choice>,
    editions: Vec<Choice>,
    narrowed: bool,
    rows: Vec<Row>,
    more: Option<String>,
    packs: Vec<PackRow>,
    /// Whether one of them is the organization's.
    own: bool,
}

/// Lays the search out.
pub(super) fn list_page(
    organization: &Organization,
    (packs, found): (&[FactorPack], &Page<Factor>),
    asked: &Params,
) -> FactorsPage {
    let one = |name: &str| asked.many(name).next().unwrap_or_default().to_owned();
    let choices = |name: &str, of: fn(&FactorPack) -> &String| {
        let mut all: Vec<String> = packs.iter().map(|pack| of(pack).clone()).collect();
        all.sort_unstable();
        all.dedup();
        let chosen = one(name);
        let choice =
            |value: String| Choice { chosen: value == chosen, label: value.clone(), value };
        let any = Choice { value: String::new(), label: "All".to_owned(), chosen: false };
        std::iter::once(any).chain(all.into_iter().map(choice)).collect()
    };
    let query = asked.encoded_without(&["cursor"]);
    let next = |cursor: &String| {
        let before = if query.is_empty() { String::new() } else { format!("{query}&") };
        format!("/factors?{before}cursor={cursor}")
    };
    let pack = |pack: &FactorPack| PackRow {
        name: pack.id.clone(),
        publisher: pack.publisher.clone(),
        edition: pack.edition.clone(),
        factors: envora_domain::decimal::group_thousands(&pack.factors.to_string()),
        licence: pack.licence.clone(),
        active: pack.active,
    };
    FactorsPage {
        shell: Shell::of("Factors", organization),
        q: one("q"),
        publishers: choices("publisher", |pack| &pack.publisher),
        editions: choices("edition", |pack| &pack.edition),
        narrowed: !query.is_empty(),
        rows: found.data.iter().map(row).collect(),
        more: found.next_cursor.as_ref().map(next),
        packs: packs.iter().map(pack).collect(),
        own: packs.iter().any(|pack| pack.origin == PackOrigin::Organization),
    }
}

/// The text at a path of the record; empty when there is none.
fn text(factor: &Factor, path: &[&str]) -> String {
    let mut names = path.iter();
    let first = names.next().and_then(|name| factor.record.get(*name));
    let found = names.fold(first, |value, name| value.and_then(|value| value.get(*name)));
    match found {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn texts(factor: &Factor, path: [&str; 2]) -> Vec<String> {
    let [first, second] = path;
    let list = factor.record.get(first).and_then(|value| value.get(second)?.as_array());
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    list.into_iter().flatten().map(plain).collect()
}

/// Its own words, and those above it. Where the last word only counts or measures ("2020", "Volume"),
/// the one before it says what it is about and stands with it.
fn name(factor: &Factor) -> (String, String) {
    let mut words = texts(factor, ["provenance", "words"]);
    let Some(last) = words.pop().filter(|last| !last.is_empty()) else {
        return (text(factor, &["key"]), words.join(" › "));
    };
    let name = match words.pop_if(|_| is_no_name(&last)) {
        Some(before) => format!("{before}, {}", lower_first(&last)),
        None => last,
    };
    (name, words.join(" › "))
}

fn is_no_name(word: &str) -> bool {
    let measures = ["volume", "tonnes", "kwh", "litres", "energy - gross cv", "energy - net cv"];
    word.chars().all(|letter| letter.is_ascii_digit())
        || measures.contains(&word.to_lowercase().as_str())
}

/// Inside a sentence a word begins small, unless it is an abbreviation.
fn lower_first(word: &str) -> String {
    let mut letters = word.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(next)) if next.is_lowercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => word.to_owned(),
    }
}

/// How many gases are told beside each other.
const GASES_TOLD: usize = 4;

/// The number that is shown first: the printed total, else that of each gas.
fn value(factor: &Factor) -> (String, String) {
    let total = text(factor, &["total", "value"]);
    if !total.is_empty() {
        return (total, format!("{} CO\u{2082}e", text(factor, &["total", "unit"])));
    }
    let gases = factor.record.get("gases").and_then(Value::as_array);
    let word = |gas: &Value, name: &str| {
        gas.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mass =
        |gas: &Value| format!("{} {}", word(gas, "unit"), words::gas_short(&word(gas, "gas")));
    let Some((first, others)) = gases.and_then(|gases| gases.split_first()) else {
        return Default::default();
    };
    let other = |gas: &Value| format!(", {} {}", word(gas, "value"), mass(gas));
    let told: String = others.iter().take(GASES_TOLD - 1).map(other).collect();
    let more = others.len().saturating_sub(GASES_TOLD - 1);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    (word(first, "value"), format!("{}{told}{more}", mass(first)))
}

fn row(factor: &Factor) -> Row {
    let (value, unit) = value(factor);
    let (name, above) = name(factor);
    let region = [text(factor, &["region", "code"]), text(factor, &["region", "scheme"])];
    let region = region.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    Row {
        href: format!("/factors/{}", factor.id),
        name,
        about: [above, region]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(" · "),
        publisher: format!("{} {}", text(factor, &["publisher"]), text(factor, &["edition"])),
        value,
        per: format!("{unit} per {}", text(factor, &["denominator", "as_printed"])),
    }
}

struct Gas {
    gas: String,
    value: String,
    unit: String,
    line: String,
}

/// A factor.
#[derive(Template)]
#[template(path = "factor.html")]
pub(super) struct FactorPage {
    shell: Shell,
    name: String,
    above: String,
    value: String,
    per: String,
    licence: String,
    attribution: String,
    facts: Vec<(&'static str, String)>,
    gases: Vec<Gas>,
    file: String,
    lines: String,
    place: String,
    sha256: String,
    commands: Vec<String>,
    id: String,
}

/// Lays a factor out.
pub(super) fn factor_page(organization: &Organization, factor: &Factor) -> FactorPage {
    let (value, unit) = value(factor);
    let (name, above) = name(factor);
    let qualifiers = factor.record.get("qualifiers").and_then(Value::as_object);
    let qualifiers = qualifiers.into_iter().flatten().map(|(name, value)| {
        format!("{} {}", words::code(name).to_lowercase(), value.as_str().unwrap_or_default())
    });
    let valid = [text(factor, &["valid_from"]), text(factor, &["valid_to"])];
    let facts = [
        ("Publisher", text(factor, &["publisher"])),
        ("Dataset", text(factor, &["dataset"])),
        ("Edition", text(factor, &["edition"])),
        ("Holds from, until before", valid.join(" to ")),
        (
            "Region",
            format!(
                "{} {}",
                text(factor, &["region", "scheme"]),
                text(factor, &["region", "code"])
            ),
        ),
        ("Activity type", text(factor, &["activity_type"])),
        ("For", qualifiers.collect::<Vec<_>>().join(", ")),
        ("Boundary", words::code(&text(factor, &["boundary"]))),
        ("Unit, as we read it", text(factor, &["denominator", "unit"])),
        ("Conditions", text(factor, &["denominator", "reference_conditions"])),
        ("GWP basis", words::gwp_set(&text(factor, &["basis"]))),
        ("Pack", factor.pack.clone()),
    ];
    let gas = |gas: &Value| {
        let word = |name: &str| match gas.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        let as_co2e = word("repr") == "co2e" || word("repr").is_empty();
        let unit = if as_co2e { format!("{} CO\u{2082}e", word("unit")) } else { word("unit") };
        Gas { gas: words::gas(&word("gas")), value: word("value"), unit, line: word("line") }
    };
    let gases = factor.record.get("gases").and_then(Value::as_array);
    let (file, lines) =
        (text(factor, &["provenance", "file"]), texts(factor, ["provenance", "lines"]));
    let shell_name = lines::quoted(&file);
    let printed = lines.iter().map(|line| format!("{line}p")).collect::<Vec<_>>().join(";");
    let sha256 = text(factor, &["provenance", "sha256"]);
    // Of an own factor a person has the document, or not: it has no lines, and often no digest.
    let commands = [
        (!sha256.is_empty()).then(|| format!("sha256sum {shell_name}")),
        (!lines.is_empty()).then(|| format!("sed -n '{printed}' {shell_name}")),
    ];
    FactorPage {
        shell: Shell::of("Factor", organization),
        name,
        above,
        value,
        per: format!("{unit} per {}", text(factor, &["denominator", "as_printed"])),
        licence: text(factor, &["rights", "licence"]),
        attribution: text(factor, &["rights", "attribution"]),
        facts: facts
            .into_iter()
            .filter(|(_, text)| !text.trim().is_empty() && text != " to ")
            .collect(),
        gases: gases.into_iter().flatten().map(gas).collect(),
        lines: lines.join(", "),
        place: if lines.is_empty() {
            text(factor, &["provenance", "sheet"])
        } else {
            String::new()
        },
        sha256,
        commands: commands.into_iter().flatten().collect(),
        file,
        id: factor.id.clone(),
    }
}

/// `GET /factors`: the search.
pub(super) async fn list(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    params: Params,
) -> Shown {
    params.only(&[NARROWS, &["cursor"]].concat())?;
    let asked = params.said();
    let organization = organization_of(&visitor).await?;
    let packs = packs::packs(visitor.allowed::<ReadFactors>()?, Params::of_pairs([])).await?;
    let packs: Page<FactorPack> = packs.read()?;
    let allowed = visitor.allowed::<ReadFactors>()?;
    let found = factors::list(State(app), allowed, asked.with("limit", LISTED)).await?;
    Ok(show(&list_page(&organization, (&packs.data, &found.read()?), &asked)))
}

/// `GET /factors/{id}`: one of them.
pub(super) async fn one(
    State(app): State<App>,
    SignedIn(visitor): SignedIn,
    Path(id): Path<String>,
    params: Params,
) -> Shown {
    params.only(&[])?;
    let organization = organization_of(&visitor).await?;
    let allowed = visitor.allowed::<ReadFactors>()?;
    let found = factors::read(State(app), allowed, Path((String::new(), id)), params).await?;
    Ok(show(&factor_page(&organization, &found.read()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_packs_are_headed_as_ones_own() {
        let pack = |origin: &str| -> FactorPack {
            let told = serde_json::json!({"id": "p", "version": "1", "origin": origin, "publisher": "P",
                "edition": "2025", "sha256": "", "factors": 1, "licence": "own", "active": true});
            serde_json::from_value(told).expect("a pack")
        };
        let found = Page { data: Vec::new(), next_cursor: None };
        let asked = Params::of_pairs([]);
        let of = |packs: &[FactorPack]| {
            let organization = super::super::fixtures::organization();
            list_page(&organization, (packs, &found), &asked).render().expect("a page")
        };
        assert!(of(&[pack("program")]).contains("<p>Those of this program. Calc"));
        assert!(
            of(&[pack("organization")]).contains("<p>Those of this program and your own. Calc")
        );
    }

    #[test]
    fn a_factor_of_several_gases_tells_them_all() {
        let gas =
            |gas: &str, value: &str| serde_json::json!({"gas": gas, "value": value, "unit": "kg"});
        let of = |gases: &[Value]| {
            let told = serde_json::json!({"id": "sha256:00", "pack": "p", "gases": gases});
            value(&serde_json::from_value(told).expect("a factor"))
        };
        let two = [gas("CH4", "0.001"), gas("N2O", "0.002")];
        assert_eq!(of(&two), ("0.001".into(), "kg CH\u{2084}, 0.002 kg N\u{2082}O".into()));
        let six = vec![gas("CH4", "1"); 6];
        assert!(of(&six).1.ends_with(" kg CH\u{2084}, and 2 more"), "{:?}", of(&six));
        assert_eq!(of(&[]), Default::default());
    }

    #[test]
    fn a_measure_alone_is_no_name() {
        for (word, want) in
            [("2020", true), ("Volume", true), ("Energy - Gross CV", true), ("Petrol", false)]
        {
            assert_eq!(is_no_name(word), want, "{word}");
        }
        assert_eq!((lower_first("Volume"), lower_first("LNG")), ("volume".into(), "LNG".into()));
    }
}
