//! The TSV text of a pack: `#! name<TAB>value` lines, a header, then one factor per line by key.

use std::collections::BTreeMap;

use super::pack::{PackError, Recipe};
use super::record::{
    Body, Boundary, Denominator, Factor, FactorKind, GasValue, Provenance, Region, Repr, Rights,
    Total,
};
use crate::catalogue::Bucket;
use crate::gwp::{Carbon, Gas, GwpSet};
use crate::time::Day;

const COLUMNS: [&str; 18] = [
    "key",
    "kind",
    "activity_type",
    "boundary",
    "qualifiers",
    "memo_bucket",
    "region",
    "data_year",
    "total",
    "gases",
    "basis",
    "unit",
    "unit_as_printed",
    "cv_basis",
    "reference_conditions",
    "lines",
    "words",
    "checks",
];

fn recipe_fields(recipe: &Recipe) -> [(&'static str, String); 14] {
    [
        ("id", recipe.id.clone()),
        ("version", recipe.version.clone()),
        ("publisher", recipe.publisher.clone()),
        ("dataset", recipe.dataset.clone()),
        ("edition", recipe.edition.clone()),
        ("valid_from", recipe.valid_from.to_string()),
        ("valid_to", recipe.valid_to.to_string()),
        ("basis", recipe.basis.to_string()),
        ("period_rule", recipe.period_rule.clone()),
        ("licence", recipe.rights.licence.clone()),
        ("redistribute", recipe.rights.redistribute.clone()),
        ("attribution", recipe.rights.attribution.clone()),
        ("file", recipe.file.clone()),
        ("sha256", recipe.sha256.clone()),
    ]
}

pub(super) fn write(recipe: &Recipe, factors: &[Factor]) -> String {
    let mut text = String::new();
    for (name, value) in recipe_fields(recipe) {
        text.push_str(&format!("#! {name}\t{value}\n"));
    }
    text.push_str(&COLUMNS.join("\t"));
    text.push('\n');
    let mut sorted: Vec<&Factor> = factors.iter().collect();
    sorted.sort_by(|a, b| a.key.cmp(&b.key));
    for factor in sorted {
        text.push_str(&cells(factor).join("\t"));
        text.push('\n');
    }
    text
}

fn cells(factor: &Factor) -> [String; COLUMNS.len()] {
    let line = |line: Option<u32>| line.map(|line| line.to_string()).unwrap_or_default();
    let total = factor.total.as_ref();
    let total = total.map(|total| format!("{}@{}", total.value, line(total.line)));
    let gas = |gas: &GasValue| {
        format!("{}:{}:{}:{}@{}", gas.gas, gas.carbon, gas.repr, gas.value, line(gas.line))
    };
    let pairs = factor.qualifiers.iter().map(|(name, word)| format!("{name}={word}"));
    let lines: Vec<String> = factor.provenance.lines.iter().map(u32::to_string).collect();
    [
        factor.key.clone(),
        factor.kind.to_string(),
        factor.activity_type.clone(),
        factor.boundary.to_string(),
        pairs.collect::<Vec<_>>().join(";"),
        factor.memo_bucket.map(|bucket| bucket.to_string()).unwrap_or_default(),
        format!("{}:{}", factor.region.scheme, factor.region.code),
        factor.data_year.map(|year| year.to_string()).unwrap_or_default(),
        total.unwrap_or_default(),
        factor.gases.iter().map(gas).collect::<Vec<_>>().join(";"),
        factor.basis.to_string(),
        factor.denominator.unit.clone(),
        factor.denominator.as_printed.clone(),
        factor.denominator.cv_basis.clone().unwrap_or_default(),
        factor.denominator.reference_conditions.clone().unwrap_or_default(),
        lines.join(" "),
        factor.provenance.words.join("|"),
        factor.provenance.checks.join(";"),
    ]
}

pub(super) fn read(text: &str) -> Result<(Recipe, Vec<Factor>), PackError> {
    let mut said = BTreeMap::new();
    let mut factors: Vec<Factor> = Vec::new();
    let mut recipe = None;
    for (place, line) in text.lines().enumerate() {
        let number = place + 1;
        if let Some(pair) = line.strip_prefix("#! ") {
            let (name, value) =
                pair.split_once('\t').ok_or_else(|| PackError::line(number, "no value"))?;
            said.insert(name, value);
        } else if let Some(recipe) = &recipe {
            let factor =
                factor(recipe, line).ok_or_else(|| PackError::line(number, "no factor"))?;
            if factors.last().is_some_and(|last| last.key >= factor.key) {
                return Err(PackError::line(number, "keys are doubled or not sorted"));
            }
            factors.push(factor);
        } else if line == COLUMNS.join("\t") {
            let read = read_recipe(&said);
            recipe =
                Some(read.ok_or_else(|| PackError::line(1, "a field of the pack is missing"))?);
        } else {
            return Err(PackError::line(number, "not the columns of a pack"));
        }
    }
    recipe
        .map(|recipe| (recipe, factors))
        .ok_or_else(|| PackError::line(1, "the text ends before the columns"))
}

fn read_recipe(said: &BTreeMap<&str, &str>) -> Option<Recipe> {
    let text = |name: &str| said.get(name).map(|value| (*value).to_owned());
    Some(Recipe {
        id: text("id")?,
        version: text("version")?,
        publisher: text("publisher")?,
        dataset: text("dataset")?,
        edition: text("edition")?,
        valid_from: Day::parse(said.get("valid_from")?).ok()?,
        valid_to: Day::parse(said.get("valid_to")?).ok()?,
        basis: GwpSet::parse(said.get("basis")?)?,
        period_rule: text("period_rule")?,
        rights: Rights {
            licence: text("licence")?,
            redistribute: text("redistribute")?,
            attribution: text("attribution")?,
        },
        file: text("file")?,
        sha256: text("sha256")?,
    })
}

/// `value@line`; the line may be missing.
fn at_line(text: &str) -> Option<(String, Option<u32>)> {
    let (value, line) = text.split_once('@')?;
    let line = if line.is_empty() { None } else { Some(line.parse().ok()?) };
    Some((value.to_owned(), line))
}

fn gas(basis: GwpSet, text: &str) -> Option<GasValue> {
    let (text, line) = at_line(text)?;
    let mut words = text.split(':');
    let gas = Gas::parse(words.next()?)?;
    let carbon = Carbon::parse(words.next()?)?;
    let repr = Repr::parse(words.next()?)?;
    let value = words.next()?.to_owned();
    let gwp_basis = (repr == Repr::Co2e).then_some(basis);
    let unit = "kg".to_owned();
    words.next().is_none().then_some(GasValue { gas, carbon, repr, gwp_basis, value, unit, line })
}

/// The parts of a cell; of an empty one, none.
fn split<'a>(cell: &'a str, by: &'a str) -> impl Iterator<Item = &'a str> {
    cell.split(by).filter(|part| !part.is_empty())
}

fn some(cell: &str) -> Option<String> {
    (!cell.is_empty()).then(|| cell.to_owned())
}

fn factor(recipe: &Recipe, line: &str) -> Option<Factor> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [
        key,
        kind,
        activity_type,
        boundary,
        qualifiers,
        memo,
        region,
        data_year,
        total,
        gases,
        basis,
        unit,
        printed,
        cv_basis,
        conditions,
        lines,
        words,
        checks,
    ] = <[&str; COLUMNS.len()]>::try_from(cells).ok()?;
    let basis = GwpSet::parse(basis)?;
    let (scheme, code) = region.split_once(':')?;
    let pair =
        |pair: &str| pair.split_once('=').map(|(name, word)| (name.to_owned(), word.to_owned()));
    let total = if total.is_empty() { None } else { Some(at_line(total)?) };
    let memo_bucket = if memo.is_empty() { None } else { Some(Bucket::parse(memo)?) };
    let body = Body {
        region: Region { scheme: scheme.to_owned(), code: code.to_owned() },
        kind: FactorKind::parse(kind)?,
        activity_type: activity_type.to_owned(),
        qualifiers: split(qualifiers, ";").map(pair).collect::<Option<_>>()?,
        memo_bucket,
        boundary: Boundary::parse(boundary)?,
        gases: split(gases, ";").map(|text| gas(basis, text)).collect::<Option<_>>()?,
        total: total.map(|(value, line)| {
            let unit = "kg".to_owned();
            Total { value, basis, unit, line }
        }),
        denominator: Denominator {
            unit: unit.to_owned(),
            as_printed: printed.to_owned(),
            cv_basis: some(cv_basis),
            reference_conditions: some(conditions),
            ..Denominator::default()
        },
        basis,
        data_year: if data_year.is_empty() { None } else { Some(data_year.parse().ok()?) },
        provenance: Provenance {
            file: recipe.file.clone(),
            sha256: recipe.sha256.clone(),
            lines: split(lines, " ").map(|line| line.parse().ok()).collect::<Option<_>>()?,
            precision: Some(15),
            words: words.split('|').map(str::to_owned).collect(),
            checks: split(checks, ";").map(str::to_owned).collect(),
            ..Provenance::default()
        },
        ..blank(recipe, key)
    };
    Factor::new(body, &recipe.id).ok()
}

/// A record with what its recipe says of all.
pub(super) fn blank(recipe: &Recipe, key: &str) -> Body {
    Body {
        key: key.to_owned(),
        publisher: recipe.publisher.clone(),
        dataset: recipe.dataset.clone(),
        edition: recipe.edition.clone(),
        edition_date: None,
        data_year: None,
        valid_from: recipe.valid_from,
        valid_to: recipe.valid_to,
        supersedes: None,
        change_cause: "new".to_owned(),
        region: Region { scheme: "world".to_owned(), code: String::new() },
        market: None,
        kind: FactorKind::Emission,
        activity_type: String::new(),
        qualifiers: BTreeMap::new(),
        memo_bucket: None,
        permitted_use: "inventory".to_owned(),
        boundary: Boundary::Combustion,
        gases: Vec::new(),
        total: None,
        basis: recipe.basis,
        denominator: Denominator::default(),
        quality: BTreeMap::new(),
        uncertainty: BTreeMap::new(),
        primary_share: None,
        rights: recipe.rights.clone(),
        provenance: Provenance::default(),
    }
}
