//! Months: of a row that names no day, the first and the last one.

use envora_domain::time::Day;

use super::super::columns::{Column, Holds};
use super::super::roles::words;
use super::{Choice, MISSING, Question, Writer, quoted};

/// The text of a row's month, and which month it is, of a year where that is said.
struct Month {
    text: String,
    year: Option<i16>,
    month: i8,
}

impl<'a> Writer<'a> {
    /// Writes the first and last day of months that columns name, or asks for their year. Whether there
    /// are any.
    pub(super) fn months(&mut self) -> bool {
        let look: &'a super::super::Look = self.look;
        let Some((column, months)) =
            look.columns.iter().find_map(|own| Some((own, months_of(own)?)))
        else {
            return false;
        };
        let own = quoted(&column.name);
        if months.iter().all(|month| month.year.is_some()) {
            self.reason(format!("{own} is the month"), "its cells name one and a year");
            for line in lines(&format!("column = {own}"), &months) {
                self.line(line);
            }
            return true;
        }
        if let Some((of, years)) = look.columns.iter().find_map(|own| Some((own, years_of(own)?)))
            && years.len() * months.len() <= PAIRS_MAX
        {
            let pair = |month: &Month, year: &i16| Month {
                text: format!("{} {year}", month.text),
                year: Some(*year),
                month: month.month,
            };
            let pairs: Vec<Month> = years
                .iter()
                .flat_map(|year| months.iter().map(move |month| pair(month, year)))
                .collect();
            let year = quoted(&of.name);
            self.reason(format!("{own} is the month, and {year} its year"), "their names say so");
            for line in lines(&format!("columns = [{own}, {year}]"), &pairs) {
                self.line(line);
            }
            return true;
        }
        self.ask(Question {
            code: MISSING.to_owned(),
            column: column.name.clone(),
            asks: format!(
                "{own} names months, and no column says of which year: put it in the place of each YYYY (and mind the last day of February). Where the rows are of several years, add a column with the year, or two with the first and the last day"
            ),
            line: 0,
            choices: vec![Choice {
                says: lines(&format!("column = {own}"), &months).join("\n"),
                means: "all rows are of one year".to_owned(),
            }],
        });
        true
    }
}

/// The lines for the first and the last day of each month.
fn lines(from: &str, months: &[Month]) -> [String; 2] {
    let line = |(field, last): (&str, bool)| {
        let pair = |month: &Month| {
            let day = if last { last_day(month) } else { 1 };
            let year = month.year.map_or_else(|| "YYYY".to_owned(), |year| year.to_string());
            format!("{} = \"{year}-{:02}-{day:02}\"", quoted(&month.text), month.month)
        };
        let pairs: Vec<String> = months.iter().map(pair).collect();
        format!("{field} = {{ {from}, map = {{ {} }} }}", pairs.join(", "))
    };
    [("start_date", false), ("end_date", true)].map(line)
}

/// The last day of a month, of a year that is none of 366 days where it is not said.
fn last_day(month: &Month) -> i8 {
    let year = month.year.unwrap_or(2023);
    let is_one = |day: &i8| Day::from_ymd(year, month.month, *day).is_some();
    (28..=31).rev().find(is_one).unwrap_or(28)
}

/// The months that a column names in each of its cells, in their order. Of bare numbers its name has to
/// say it.
fn months_of(column: &Column) -> Option<Vec<Month>> {
    let held = column.holds();
    let is_named = is_month(&column.name);
    let fits = held == Holds::Words || (is_named && matches!(held, Holds::Numbers(_)));
    if !fits || column.many || column.filled == 0 || column.texts.len() > PAIRS_MAX {
        return None;
    }
    let month = |text: &String| {
        let number = || is_named.then(|| number_of(text)).flatten();
        let (year, month) = read(text).or_else(|| Some((None, number()?)))?;
        Some(Month { text: text.clone(), year, month })
    };
    let mut months: Vec<Month> = column.texts.keys().map(month).collect::<Option<_>>()?;
    months.sort_by_key(|month| (month.year, month.month));
    Some(months)
}

/// Whether a name is that of a column of months, and says nothing besides.
pub(super) fn is_month(name: &str) -> bool {
    matches!(words(name).as_slice(), [word] if MONTH.contains(&word.as_str()))
}

/// The years of a column that is named so.
fn years_of(column: &Column) -> Option<Vec<i16>> {
    let is_named =
        matches!(words(&column.name).as_slice(), [word] if YEAR.contains(&word.as_str()));
    if !is_named || column.many || column.filled == 0 {
        return None;
    }
    column.texts.keys().map(|text| year_of(text)).collect()
}

fn year_of(text: &str) -> Option<i16> {
    let digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|year| digits && (1900..2200).contains(year))
}

/// A month: `January`, `Jan`, `Jan 2024`, `2024-01`, `01/2024`.
fn read(text: &str) -> Option<(Option<i16>, i8)> {
    let parts: Vec<&str> =
        text.split([' ', '-', '/', '.']).filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [month] => Some((None, named(month)?)),
        [year, month] if year_of(year).is_some() => {
            Some((year_of(year), named(month).or_else(|| number_of(month))?))
        }
        [month, year] => {
            let year = year_of(year)?;
            Some((Some(year), named(month).or_else(|| number_of(month))?))
        }
        _ => None,
    }
}

fn number_of(text: &str) -> Option<i8> {
    let short = text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|month| short && (1..=12).contains(month))
}

/// The number of a month that is named in English, or in a language of utilities that writes it otherwise.
fn named(text: &str) -> Option<i8> {
    let folded = words(text).concat();
    let is = |names: &&str| names.split(' ').any(|name| name == folded);
    let place = NAMES.iter().position(is)?;
    i8::try_from(place + 1).ok()
}

/// How many months a proposal translates at most.
const PAIRS_MAX: usize = 36;

const MONTH: &[&str] = &["month", "months", "monat", "maand", "mois", "mes", "mese"];
const YEAR: &[&str] = &["year", "jahr", "jaar", "annee", "ano", "anno"];

/// Names of months, each in the ways that they are written.
const NAMES: [&str; 12] = [
    "jan january januar januari janvier enero gennaio",
    "feb february februar februari fevrier febrero febbraio",
    "mar march marz maart mars marzo mrz",
    "apr april avril abril aprile",
    "may mai mei mayo maggio",
    "jun june juni juin junio giugno",
    "jul july juli juillet julio luglio",
    "aug august augustus aout agosto",
    "sep sept september septembre septiembre settembre",
    "oct okt october oktober octobre octubre ottobre",
    "nov november novembre noviembre",
    "dec dez december dezember decembre diciembre dicembre",
];
