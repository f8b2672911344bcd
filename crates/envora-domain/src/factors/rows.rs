//! The TSV text of a pack: what holds for all, the meanings and qualifiers that factors share, and
//! then one factor per line by key. Words that a line has in common with the one above are a `"`.

use std::collections::{BTreeMap, HashMap};

use super::pack::{FamilyRule, PackError, PeriodRule, Recipe, RegionRule, Rules};
use super::record::{
    Body, Boundary, Denominator, Factor, FactorKind, GasValue, Provenance, Region, Repr, Rights,
    Total,
};
use crate::catalogue::Bucket;
use crate::gwp::{Carbon, Gas, GwpSet};
use crate::time::Day;

const MEANINGS: &str = "meaning\tkind\tactivity_type\tboundary\tmemo_bucket\tregion\tuse\tdata_year\
     \tunit\tunit_as_printed\tcv_basis\treference_conditions\tbasis\tsheet\tvalues\tchecks\tflags";
const QUALIFIERS: &str = "qualifiers\tpairs";
const FACTORS: &str = "meaning\tqualifiers\twords\tlines\tvalues";
const SAME: &str = "\"";

fn recipe_fields(recipe: &Recipe) -> [(&'static str, String); 18] {
    [
        ("id", recipe.id.clone()),
        ("version", recipe.version.clone()),
        ("prefix", recipe.prefix.clone()),
        ("publisher", recipe.publisher.clone()),
        ("dataset", recipe.dataset.clone()),
        ("edition", recipe.edition.clone()),
        ("valid_from", recipe.valid_from.to_string()),
        ("valid_to", recipe.valid_to.to_string()),
        ("basis", recipe.basis.to_string()),
        ("period_rule", recipe.rules.period.to_string()),
        ("region_rule", recipe.rules.region.to_string()),
        ("family_rule", recipe.rules.family.to_string()),
        ("licence", recipe.rights.licence.clone()),
        ("redistribute", recipe.rights.redistribute.clone()),
        ("attribution", recipe.rights.attribution.clone()),
        ("file", recipe.file.clone()),
        ("sha256", recipe.sha256.clone()),
        ("precision", recipe.precision.to_string()),
    ]
}

/// Numbers texts in the order in which they first come.
#[derive(Default)]
struct Numbered {
    numbers: HashMap<String, usize>,
    rows: String,
}

impl Numbered {
    fn number(&mut self, text: String) -> usize {
        let next = self.numbers.len();
        let number = *self.numbers.entry(text.clone()).or_insert(next);
        if number == next {
            self.rows.push_str(&format!("{number}\t{text}\n"));
        }
        number
    }
}

pub(super) fn write(recipe: &Recipe, factors: &[Factor]) -> String {
    let mut text = String::new();
    for (name, value) in recipe_fields(recipe) {
        text.push_str(&format!("#! {name}\t{value}\n"));
    }
    for (from, to) in &recipe.renames {
        text.push_str(&format!("#~\t{from}\t{to}\n"));
    }
    let mut sorted: Vec<&Factor> = factors.iter().collect();
    sorted.sort_by(|a, b| a.key.cmp(&b.key));
    let (mut meanings, mut qualifiers) = (Numbered::default(), Numbered::default());
    let mut rows = String::new();
    let mut above: &[String] = &[];
    for factor in sorted {
        let meaning = meanings.number(meaning_cells(factor).join("\t"));
        let pairs = factor.qualifiers.iter().map(|(name, word)| format!("{name}={word}"));
        let pairs = qualifiers.number(pairs.collect::<Vec<_>>().join(";"));
        let words = &factor.provenance.words;
        let word = |(place, word): (usize, &String)| {
            if above.get(place) == Some(word) { SAME.to_owned() } else { word.clone() }
        };
        let shown: Vec<String> = words.iter().enumerate().map(word).collect();
        let (lines, values) = numbers(factor);
        let row = [meaning.to_string(), pairs.to_string(), shown.join("|"), lines, values];
        rows.push_str(&row.join("\t"));
        rows.push('\n');
        above = words;
    }
    let Numbered { rows: meanings, .. } = meanings;
    let Numbered { rows: qualifiers, .. } = qualifiers;
    format!("{text}{MEANINGS}\n{meanings}{QUALIFIERS}\n{qualifiers}{FACTORS}\n{rows}")
}

/// The lines and digits of a factor: the total first, then its gases.
fn numbers(factor: &Factor) -> (String, String) {
    let total = factor.total.iter().map(|total| (total.line, total.value.as_str()));
    let gases = factor.gases.iter().map(|gas| (gas.line, gas.value.as_str()));
    let all: Vec<(Option<u32>, &str)> = total.chain(gases).collect();
    let lines: Vec<u32> = all.iter().filter_map(|(line, _)| *line).collect();
    let first = lines.first().copied().unwrap_or_default();
    let in_a_row = lines.iter().zip(first..).all(|(line, next)| *line == next);
    let lines = if in_a_row { lines.get(..1).unwrap_or_default() } else { &lines };
    let values: Vec<&str> = all.into_iter().map(|(_, value)| value).collect();
    (spaced(lines), values.join(" "))
}

fn spaced(lines: &[u32]) -> String {
    lines.iter().map(u32::to_string).collect::<Vec<_>>().join(" ")
}

fn meaning_cells(factor: &Factor) -> [String; 16] {
    let in_unit = |words: String, unit: &str| {
        if unit == "kg" { words } else { format!("{words}:{unit}") }
    };
    let total = factor.total.iter().map(|total| in_unit("total".to_owned(), &total.unit));
    let gas =
        |gas: &GasValue| in_unit(format!("{}:{}:{}", gas.gas, gas.carbon, gas.repr), &gas.unit);
    let values: Vec<String> = total.chain(factor.gases.iter().map(gas)).collect();
    let denominator = &factor.denominator;
    [
        factor.kind.to_string(),
        factor.activity_type.clone(),
        factor.boundary.to_string(),
        factor.memo_bucket.map(|bucket| bucket.to_string()).unwrap_or_default(),
        format!("{}:{}", factor.region.scheme, factor.region.code),
        factor.permitted_use.clone(),
        factor.data_year.map(|year| year.to_string()).unwrap_or_default(),
        denominator.unit.clone(),
        denominator.as_printed.clone(),
        denominator.cv_basis.clone().unwrap_or_default(),
        denominator.reference_conditions.clone().unwrap_or_default(),
        factor.basis.to_string(),
        factor.provenance.sheet.clone().unwrap_or_default(),
        values.join(" "),
        factor.provenance.checks.join(";"),
        factor.provenance.flags.join(";"),
    ]
}

/// What a number of a factor is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Column {
    Total { unit: String },
    Gas { gas: Gas, carbon: Carbon, repr: Repr, unit: String },
}

impl Column {
    fn parse(text: &str) -> Option<Self> {
        let unit = |word: Option<&str>| word.unwrap_or("kg").to_owned();
        if let Some(rest) = text.strip_prefix("total") {
            return Some(Self::Total { unit: unit(rest.strip_prefix(':')) });
        }
        let mut words = text.splitn(4, ':');
        Some(Self::Gas {
            gas: Gas::parse(words.next()?)?,
            carbon: Carbon::parse(words.next()?)?,
            repr: Repr::parse(words.next()?)?,
            unit: unit(words.next()),
        })
    }
}

/// What many factors share: a record without its words and numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Meaning {
    body: Body,
    columns: Vec<Column>,
}

/// The head of a pack, read: what its factors are made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    meanings: Vec<Meaning>,
    qualifiers: Vec<BTreeMap<String, String>>,
    renames: BTreeMap<String, String>,
    /// Where the lines of factors begin: the byte, and the number of the line before.
    body: (usize, usize),
    /// How many factors there are of each activity type.
    pub(super) counts: BTreeMap<String, usize>,
}

impl Head {
    /// The head of a pack whose factors are at hand already.
    pub(super) fn counting(counts: BTreeMap<String, usize>) -> Self {
        Self { counts, ..Self::default() }
    }
}

/// The part of the text that a line is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Fields,
    Meanings,
    Qualifiers,
}

/// Reads what comes before the factors, and counts these.
pub(super) fn head(text: &str) -> Result<(Recipe, Head), PackError> {
    let mut said = Said::default();
    let mut head = Head::default();
    let mut recipe = None;
    let (mut part, mut byte) = (Part::Fields, 0);
    for (place, line) in text.split_inclusive('\n').enumerate() {
        let number = place + 1;
        byte += line.len();
        let line = line.trim_end_matches('\n');
        match (part, line) {
            (Part::Fields, MEANINGS) => {
                let read = read_recipe(&said);
                let read = read.map_err(|field| {
                    PackError::line(1, &format!("the field {field} is missing or no word of ours"))
                })?;
                head.renames = read.renames.iter().cloned().collect();
                recipe = Some(read);
                part = Part::Meanings;
            }
            (Part::Meanings, QUALIFIERS) => part = Part::Qualifiers,
            (Part::Qualifiers, FACTORS) => {
                head.body = (byte, number);
                let recipe = recipe.ok_or_else(|| PackError::line(number, "no fields"))?;
                count(text, &mut head)?;
                return Ok((recipe, head));
            }
            (Part::Fields, _) => said.take(line).ok_or_else(|| {
                PackError::line(number, "neither a field of the pack nor its table of meanings")
            })?,
            (Part::Meanings, _) => {
                let (at, cells) = numbered(line, number)?;
                let meaning = recipe.as_ref().and_then(|recipe| meaning(recipe, cells));
                let meaning = meaning.ok_or_else(|| PackError::line(number, "no meaning"))?;
                in_order(at, head.meanings.len(), number)?;
                head.meanings.push(meaning);
            }
            (Part::Qualifiers, _) => {
                let (at, pairs) = numbered(line, number)?;
                let pairs = split(pairs, ";").map(|pair| {
                    pair.split_once('=').map(|(name, word)| (name.to_owned(), word.to_owned()))
                });
                let pairs = pairs.collect::<Option<_>>();
                in_order(at, head.qualifiers.len(), number)?;
                let pairs = pairs.ok_or_else(|| PackError::line(number, "no qualifiers"))?;
                head.qualifiers.push(pairs);
            }
        }
    }
    Err(PackError::line(text.lines().count().max(1), "the text ends before the factors"))
}

fn numbered(line: &str, number: usize) -> Result<(usize, &str), PackError> {
    let cells = line.split_once('\t');
    let cells = cells.and_then(|(at, cells)| Some((at.parse().ok()?, cells)));
    cells.ok_or_else(|| PackError::line(number, "no number at its begin"))
}

fn in_order(at: usize, want: usize, number: usize) -> Result<(), PackError> {
    if at == want {
        return Ok(());
    }
    Err(PackError::line(number, &format!("its number is {at}, the next is {want}")))
}

fn count(text: &str, head: &mut Head) -> Result<(), PackError> {
    let (byte, before) = head.body;
    for (place, line) in text.get(byte..).unwrap_or_default().lines().enumerate() {
        let meaning = line.split_once('\t').and_then(|(meaning, _)| meaning.parse::<usize>().ok());
        let meaning = meaning.and_then(|meaning| head.meanings.get(meaning));
        let meaning =
            meaning.ok_or_else(|| PackError::line(before + place + 1, "no such meaning"))?;
        match head.counts.get_mut(&meaning.body.activity_type) {
            Some(count) => *count += 1,
            None => {
                head.counts.insert(meaning.body.activity_type.clone(), 1);
            }
        }
    }
    Ok(())
}

/// The factors of one activity type, or of all, by key.
pub(super) fn factors(
    text: &str,
    (recipe, head): (&Recipe, &Head),
    kind: Option<&str>,
) -> Result<Vec<Factor>, PackError> {
    let mut factors: Vec<Factor> = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    let (byte, before) = head.body;
    for (place, line) in text.get(byte..).unwrap_or_default().lines().enumerate() {
        let number = before + place + 1;
        let no_factor = || PackError::line(number, "no factor");
        let mut cells = line.split('\t');
        let mut cell = || cells.next().ok_or_else(no_factor);
        let (meaning, pairs, shown, lines, values) = (cell()?, cell()?, cell()?, cell()?, cell()?);
        if cells.next().is_some() || !unfold(shown, &mut words) {
            return Err(no_factor());
        }
        let meaning = meaning.parse::<usize>().ok().and_then(|at| head.meanings.get(at));
        let meaning = meaning.ok_or_else(no_factor)?;
        if kind.is_some_and(|kind| kind != meaning.body.activity_type) {
            continue;
        }
        let pairs = pairs.parse::<usize>().ok().and_then(|at| head.qualifiers.get(at));
        let key = key(&recipe.prefix, &head.renames, &words, &meaning.body.denominator.as_printed);
        let body = fill(meaning, (lines, values)).zip(pairs).map(|(body, pairs)| Body {
            key,
            qualifiers: pairs.clone(),
            provenance: Provenance {
                words: words.iter().map(|word| (*word).to_owned()).collect(),
                ..body.provenance
            },
            ..body
        });
        let factor = Factor::new(body.ok_or_else(no_factor)?, &recipe.id);
        let factor = factor.map_err(|_| no_factor())?;
        if factors.last().is_some_and(|last| last.key >= factor.key) {
            return Err(PackError::line(number, "keys are doubled or not sorted"));
        }
        factors.push(factor);
    }
    Ok(factors)
}

/// The words of a line, those it has in common with the one above taken from there.
fn unfold<'a>(shown: &'a str, words: &mut Vec<&'a str>) -> bool {
    let mut count = 0;
    for word in shown.split('|') {
        match words.get_mut(count) {
            Some(_) if word == SAME => {}
            Some(place) => *place = word,
            None if word == SAME => return false,
            None => words.push(word),
        }
        count += 1;
    }
    words.truncate(count);
    true
}

fn fill(meaning: &Meaning, (lines, values): (&str, &str)) -> Option<Body> {
    let lines = lines.split(' ').map(|line| line.parse().ok()).collect::<Option<Vec<u32>>>()?;
    let values: Vec<&str> = values.split(' ').collect();
    let lines = match *lines.as_slice() {
        [first] => (first..).take(values.len()).collect(),
        _ => lines,
    };
    if values.len() != meaning.columns.len() || values.len() != lines.len() {
        return None;
    }
    let mut body = meaning.body.clone();
    for ((column, value), line) in meaning.columns.iter().zip(values).zip(&lines) {
        let (value, line) = (value.to_owned(), Some(*line));
        match column.clone() {
            Column::Total { unit } => {
                body.total = Some(Total { value, basis: body.basis, unit, line });
            }
            Column::Gas { gas, carbon, repr, unit } => {
                let gwp_basis = (repr == Repr::Co2e).then_some(body.basis);
                body.gases.push(GasValue { gas, carbon, repr, gwp_basis, value, unit, line });
            }
        }
    }
    body.provenance.lines = lines;
    body.provenance.lines.sort_unstable();
    body.provenance.lines.dedup();
    Some(body)
}

/// Publisher, data set and path: stable through editions, so words that move are renamed for it.
pub(super) fn key(
    prefix: &str,
    renames: &BTreeMap<String, String>,
    words: &[&str],
    printed: &str,
) -> String {
    let mut key = prefix.to_owned();
    let stable = words.iter().map(|word| renames.get(*word).map_or(*word, String::as_str));
    for word in stable.chain([printed]) {
        let before = key.len();
        key.push('/');
        slug(word, &mut key);
        if key.len() == before + 1 {
            key.truncate(before);
        }
    }
    key
}

/// Small letters, digits, and a hyphen for whatever is between.
fn slug(word: &str, into: &mut String) {
    let begin = into.len();
    let mut apart = false;
    for letter in word.chars() {
        let written: &str = match letter {
            '&' => " and ",
            '%' => " percent ",
            '+' => " plus ",
            '<' => " below ",
            '>' => " above ",
            '≤' => " up to ",
            _ if letter.is_ascii_alphanumeric() => {
                if apart && into.len() > begin {
                    into.push('-');
                }
                apart = false;
                into.push(letter.to_ascii_lowercase());
                continue;
            }
            _ => " ",
        };
        for letter in written.chars() {
            match letter {
                ' ' => apart = true,
                _ => {
                    if apart && into.len() > begin {
                        into.push('-');
                    }
                    apart = false;
                    into.push(letter);
                }
            }
        }
    }
}

/// The lines before the tables.
#[derive(Default)]
struct Said<'a> {
    fields: BTreeMap<&'a str, &'a str>,
    renames: Vec<(String, String)>,
}

impl<'a> Said<'a> {
    fn take(&mut self, line: &'a str) -> Option<()> {
        let cells: Vec<&str> = line.split('\t').collect();
        match *cells.as_slice() {
            ["#~", from, to] => self.renames.push((from.to_owned(), to.to_owned())),
            [name, value] => {
                self.fields.insert(name.strip_prefix("#! ")?, value);
            }
            _ => return None,
        }
        Some(())
    }
}

/// The fields of a pack, or the name of the one that is missing or not understood.
fn read_recipe(said: &Said<'_>) -> Result<Recipe, &'static str> {
    let get = |name: &'static str| said.fields.get(name).copied().ok_or(name);
    let text = |name: &'static str| get(name).map(str::to_owned);
    let day = |name: &'static str| Day::parse(get(name)?).map_err(|_| name);
    Ok(Recipe {
        id: text("id")?,
        version: text("version")?,
        prefix: text("prefix")?,
        publisher: text("publisher")?,
        dataset: text("dataset")?,
        edition: text("edition")?,
        valid_from: day("valid_from")?,
        valid_to: day("valid_to")?,
        basis: GwpSet::parse(get("basis")?).ok_or("basis")?,
        rules: Rules {
            period: PeriodRule::parse(get("period_rule")?).ok_or("period_rule")?,
            region: RegionRule::parse(get("region_rule")?).ok_or("region_rule")?,
            family: FamilyRule::parse(get("family_rule")?).ok_or("family_rule")?,
        },
        rights: Rights {
            licence: text("licence")?,
            redistribute: text("redistribute")?,
            attribution: text("attribution")?,
        },
        file: text("file")?,
        sha256: text("sha256")?,
        precision: get("precision")?.parse().map_err(|_| "precision")?,
        renames: said.renames.clone(),
    })
}

/// The parts of a cell; of an empty one, none.
fn split<'a>(cell: &'a str, by: &'a str) -> impl Iterator<Item = &'a str> {
    cell.split(by).filter(|part| !part.is_empty())
}

fn some(cell: &str) -> Option<String> {
    (!cell.is_empty()).then(|| cell.to_owned())
}

fn meaning(recipe: &Recipe, cells: &str) -> Option<Meaning> {
    let cells: Vec<&str> = cells.split('\t').collect();
    let [
        kind,
        activity_type,
        boundary,
        memo,
        region,
        permitted_use,
        data_year,
        unit,
        printed,
        cv_basis,
        conditions,
        basis,
        sheet,
        values,
        checks,
        flags,
    ] = <[&str; 16]>::try_from(cells).ok()?;
    let (scheme, code) = region.split_once(':')?;
    let columns = split(values, " ").map(Column::parse).collect::<Option<Vec<_>>>()?;
    let body = Body {
        region: Region { scheme: scheme.to_owned(), code: code.to_owned() },
        kind: FactorKind::parse(kind)?,
        activity_type: activity_type.to_owned(),
        memo_bucket: if memo.is_empty() { None } else { Some(Bucket::parse(memo)?) },
        permitted_use: permitted_use.to_owned(),
        boundary: Boundary::parse(boundary)?,
        denominator: Denominator {
            unit: unit.to_owned(),
            as_printed: printed.to_owned(),
            cv_basis: some(cv_basis),
            reference_conditions: some(conditions),
            ..Denominator::default()
        },
        basis: GwpSet::parse(basis)?,
        data_year: if data_year.is_empty() { None } else { Some(data_year.parse().ok()?) },
        provenance: Provenance {
            file: recipe.file.clone(),
            sha256: recipe.sha256.clone(),
            sheet: some(sheet),
            precision: Some(recipe.precision),
            checks: split(checks, ";").map(str::to_owned).collect(),
            flags: split(flags, ";").map(str::to_owned).collect(),
            ..Provenance::default()
        },
        ..blank(recipe, "")
    };
    (!columns.is_empty()).then_some(Meaning { body, columns })
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
