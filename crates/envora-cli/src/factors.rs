//! `envora factors`: published emission factors and the packs they come in.

use std::collections::BTreeSet;

use envora_api::factors::{Factor, FactorPack};
use envora_api::listing::Page;
use envora_domain::decimal::count_of;
use serde_json::Value;

use crate::arguments::{FactorFilters, FactorsVerb};
use crate::client::Client;
use crate::failures::Failure;
use crate::json;
use crate::packs;
use crate::session::{Printed, Session};
use crate::tables::Table;
use crate::terminal::Audience;

/// How many digits of an id a person is shown; `factors show` takes as few.
const ID_SHOWN: usize = 12;

/// Does what a factors verb says.
///
/// # Errors
/// The server's problem.
pub async fn run(verb: FactorsVerb, session: &mut Session) -> Result<(), Failure> {
    match verb {
        FactorsVerb::Import { file, pack, activate, no_wait } => {
            let activation = match (activate, no_wait) {
                (false, _) => packs::Activation::No,
                (true, true) => packs::Activation::Begun,
                (true, false) => packs::Activation::Done,
            };
            packs::import((&file, pack.as_deref(), activation), session).await
        }
        FactorsVerb::Build { file, pack, output } => {
            packs::build((&file, pack.as_deref(), output.as_ref()), session)
        }
        FactorsVerb::Diff { before, after } => {
            packs::diff((&before, after.as_ref()), session).await
        }
        FactorsVerb::Search { words, filters } => {
            let client = session.client()?;
            list(&client, Some(words.join(" ")), &filters, session).await
        }
        FactorsVerb::List { filters } => {
            let client = session.client()?;
            if query(&filters).is_empty() {
                return packs_listed(&client, session).await;
            }
            list(&client, None, &filters, session).await
        }
        FactorsVerb::Show { id } => {
            let client = session.client()?;
            show(&client, &id, session).await
        }
        FactorsVerb::Activate { pack, edition, no_wait } => {
            let client = session.client_to_change()?;
            let activation =
                if no_wait { packs::Activation::Begun } else { packs::Activation::Done };
            activate(&client, (&pack, edition.as_deref(), activation), session).await
        }
    }
}

/// The filters that were given, as parameters.
fn query(filters: &FactorFilters) -> Vec<(&'static str, &str)> {
    let all = [
        ("pack", &filters.pack),
        ("publisher", &filters.publisher),
        ("edition", &filters.edition),
        ("region", &filters.region),
        ("type", &filters.kind),
        ("boundary", &filters.boundary),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
}

async fn list(
    client: &Client,
    words: Option<String>,
    filters: &FactorFilters,
    session: &mut Session,
) -> Result<(), Failure> {
    let limit = filters.limit.to_string();
    let mut asked = query(filters);
    asked.push(("limit", &limit));
    asked.extend(words.as_deref().map(|words| ("q", words)));
    let page: Page<Factor> = client.get("/factors", &asked).await?;
    if session.print_json(&page)? == Printed::AsJson {
        return Ok(());
    }
    table(&page.data, session.terminal.data.audience).print(&mut session.terminal.data);
    let words = &mut session.terminal.words;
    match (page.data.is_empty(), &page.next_cursor) {
        (true, _) => {
            words.line("no factor holds all of that; fewer words, or `envora factors list`")
        }
        (_, Some(_)) => words.line(format!("the first {}; --limit shows more", page.data.len())),
        (_, None) => {}
    }
    let rights = |factor: &Factor| within(factor, "rights", "attribution");
    print_attributions(&page.data.iter().map(rights).collect(), session);
    Ok(())
}

async fn packs_listed(client: &Client, session: &mut Session) -> Result<(), Failure> {
    let packs: Vec<FactorPack> = client.all("/factor-packs", &[]).await?;
    if session.print_json(&packs)? == Printed::AsJson {
        return Ok(());
    }
    let headers = ["pack", "version", "publisher", "edition", ">factors", "licence", "active"];
    let mut table = Table::new(&headers);
    let attributions: BTreeSet<String> =
        packs.iter().map(|pack| pack.attribution.clone()).collect();
    for pack in packs {
        let active = if pack.active { "yes" } else { "no" };
        let factors = pack.factors.to_string();
        let cells = [pack.id, pack.version, pack.publisher, pack.edition, factors, pack.licence];
        table.row(cells.into_iter().chain([active.to_owned()]));
    }
    table.print(&mut session.terminal.data);
    print_attributions(&attributions, session);
    Ok(())
}

/// Licences ask that these be printed where the numbers are.
fn print_attributions(lines: &BTreeSet<String>, session: &mut Session) {
    let words = &mut session.terminal.words;
    lines.iter().filter(|line| !line.is_empty()).for_each(|line| words.line(line));
}

async fn activate(
    client: &Client,
    (pack, edition, activation): (&str, Option<&str>, packs::Activation),
    session: &mut Session,
) -> Result<(), Failure> {
    let odd = |edition: &&str| !edition.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if let Some(odd) = edition.filter(odd) {
        let help = format!("`envora factors list --json` tells the editions of {pack}");
        return Err(Failure::usage(format!("{odd:?} is no version of a pack"), help));
    }
    let version = edition.map(|edition| format!("?version={edition}")).unwrap_or_default();
    let path = format!("/factor-packs/{pack}/activate{version}");
    let active: FactorPack = match client.post(&path, &serde_json::json!({})).await {
        Ok(active) => active,
        Err(failure) => return Err(packs::unknown(failure, client, (pack, edition)).await),
    };
    let waited = activation.wait(client, &active, session).await;
    if session.print_json(&active)? == Printed::NotYet {
        let FactorPack { id, version, factors, .. } = active;
        let data = &mut session.terminal.data;
        let factors = count_of(factors, "factor", "factors");
        data.line(format!("{id}, version {version}, is active: {factors}"));
    }
    waited
}

async fn show(client: &Client, id: &str, session: &mut Session) -> Result<(), Failure> {
    let factor: Factor = client.get(&format!("/factors/{id}"), &[]).await?;
    if session.print_json(&factor)? == Printed::AsJson {
        return Ok(());
    }
    let mut fields = Table::new(&["field", "value"]);
    fields.row(["id", &factor.id]);
    fields.row(["pack", &factor.pack]);
    for (name, value) in &factor.record {
        fields.row([name.clone(), json::cell(Some(value))]);
    }
    let packs: Vec<FactorPack> = client.all("/factor-packs", &[]).await?;
    if let Some(pack) = packs.iter().find(|pack| pack.id == factor.pack) {
        fields.row(["period_rule", &pack.period_rule]);
        fields.row(["region_rule", &pack.region_rule]);
        fields.row(["family_rule", &pack.family_rule]);
    }
    fields.print(&mut session.terminal.data);
    print_attributions(&BTreeSet::from([within(&factor, "rights", "attribution")]), session);
    Ok(())
}

fn within(factor: &Factor, name: &str, part: &str) -> String {
    json::cell(factor.record.get(name).and_then(|value| value.get(part)))
}

/// What is printed for the row, without the scope, which the row does not decide.
fn words(factor: &Factor) -> String {
    let words = factor.record.get("provenance").and_then(|value| value.get("words"));
    let words = words.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let words: Vec<&str> = words.filter(|word| !word.starts_with("Scope ")).collect();
    words.join(" / ")
}

/// The printed total, else the printed gases, each with its unit.
fn numbers(factor: &Factor) -> String {
    let gases = factor.record.get("gases").and_then(Value::as_array);
    let kind = factor.record.get("kind").and_then(Value::as_str);
    let is_emission = matches!(kind, Some("emission" | "residual_mix" | "supplier_pcf"));
    if within(factor, "total", "unit") == "1" {
        return within(factor, "total", "value");
    }
    if factor.record.contains_key("total") {
        let what = if is_emission { " CO2e" } else { "" };
        return format!(
            "{} {}{what}",
            within(factor, "total", "value"),
            within(factor, "total", "unit")
        );
    }
    let gas = |gas: &Value| {
        let field = |name: &str| json::cell(gas.get(name));
        let equivalent = if field("repr") == "co2e" { "CO2e of " } else { "" };
        format!("{} {} {equivalent}{}", field("value"), field("unit"), field("gas"))
    };
    gases.into_iter().flatten().map(gas).collect::<Vec<_>>().join(", ")
}

/// The part of the supply chain, and where a number is not meant for inventories, that.
fn boundary(factor: &Factor) -> String {
    let boundary = json::cell(factor.record.get("boundary"));
    match factor.record.get("permitted_use").and_then(Value::as_str) {
        Some("inventory") | None => boundary,
        Some(_) => format!("{boundary}, not for inventories"),
    }
}

fn table(factors: &[Factor], audience: Audience) -> Table {
    let mut table = Table::new(&["what", "number", "per", "boundary", "region", "pack", "id"]);
    for factor in factors {
        let region = within(factor, "region", "code");
        let region = if region.is_empty() { within(factor, "region", "scheme") } else { region };
        let id = match audience {
            Audience::People => {
                let digits = factor.id.strip_prefix("sha256:").unwrap_or(&factor.id);
                digits.get(..ID_SHOWN).unwrap_or(digits)
            }
            Audience::Programs => &factor.id,
        };
        table.row([
            words(factor),
            numbers(factor),
            within(factor, "denominator", "as_printed"),
            boundary(factor),
            region,
            factor.pack.clone(),
            id.to_owned(),
        ]);
    }
    table
}
