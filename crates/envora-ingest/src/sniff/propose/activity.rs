//! When, how much, in what unit, and where: the `[[activity]]` of a proposal.

use std::borrow::Cow;
use std::collections::BTreeMap;

use envora_domain::codes::{CODE_CHARS_MAX, check_code};

use super::super::columns::{Column, Holds, together};
use super::super::numbers::{Reading, Witness};
use super::super::roles::{Role, has, is_given_back, named, said, unit_of};
use super::super::steps::{Steps, ends_meet, length, steps};
use super::super::wide::{Label, Wide};
use super::months::is_month;
use super::units::{energy_of, units_said};
use super::{AMBIGUOUS, Choice, MISSING, Question, Writer, quoted};
use crate::mapping::numbers::NumberStyle;

/// A time of a row: one column, or a day's and a clock's.
#[derive(Clone)]
struct When<'a> {
    day: &'a Column,
    clock: Option<(&'a Column, String)>,
}

impl When<'_> {
    /// Where it stands, as a mapping names it.
    fn place(&self) -> String {
        match &self.clock {
            None => quoted(&self.day.name),
            Some((clock, _)) => {
                format!("{{ columns = [{}, {}] }}", quoted(&self.day.name), quoted(&clock.name))
            }
        }
    }

    /// The format with its key, for one way of writing the day.
    fn key(&self, way: &str) -> String {
        let format = match (&self.clock, way) {
            (None, way) => way.to_owned(),
            (Some((_, clock)), "") => format!("YYYY-MM-DD {clock}"),
            (Some((_, clock)), way) => format!("{way} {clock}"),
        };
        if format.is_empty() { format } else { format!(", format = {}", quoted(&format)) }
    }

    fn reading(&self) -> Reading<String> {
        self.day.holds().times().cloned().unwrap_or_else(|| Reading::One(String::new()))
    }

    fn likeliest(&self) -> String {
        self.reading().likeliest().cloned().unwrap_or_default()
    }

    fn is_day(&self) -> bool {
        let way = self.likeliest();
        let timed = if way.is_empty() {
            self.day.shown.iter().any(|shown| shown.len() > 10)
        } else {
            way.contains('h')
        };
        self.clock.is_none() && !timed
    }
}

impl<'a> Writer<'a> {
    pub(super) fn activity(&mut self) {
        self.line("[[activity]]");
        self.kind_of_rows();
        self.period();
        self.quantity();
        self.unit();
        for (role, field) in [(Role::Facility, "facility_code"), (Role::Source, "source_code")] {
            if let Some(column) = named(&self.look.columns, role) {
                self.code(column, field);
            }
        }
        self.split();
    }

    /// A column of codes; names that can be none are translated.
    fn code(&mut self, column: &Column, field: &str) {
        let name = quoted(&column.name);
        let Some(shown) = column.texts.keys().find(|text| check_code(text).is_err()) else {
            self.line(format!("{field} = {{ column = {name} }}"));
            return self.reason(format!("{name} is the {field}"), "its name says so");
        };
        let most = column.texts.keys().take(TRANSLATED_MAX);
        let pairs: Vec<String> =
            most.map(|text| format!("{} = {}", quoted(text), quoted(&code_of(text)))).collect();
        let more = if column.many || column.texts.len() > TRANSLATED_MAX { ", …" } else { "" };
        let says =
            format!("{field} = {{ column = {name}, map = {{ {}{more} }} }}", pairs.join(", "));
        self.ask(Question {
            code: MISSING.to_owned(),
            column: column.name.clone(),
            asks: format!(
                "{shown:?} can be no {field} (1 to 64 letters, digits or . _ - / :): which codes stand for these names?"
            ),
            line: 0,
            choices: vec![Choice { says, means: "your own codes for them".to_owned() }],
        });
    }

    /// Rows of one meter and time that another column tells apart may be two things, or one thing twice.
    fn split(&mut self) {
        let Some(column) = self.splits().filter(|column| !self.is_apart(column)) else { return };
        let name = quoted(&column.name);
        let texts: Vec<&str> = column.texts.keys().map(String::as_str).collect();
        let say = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
            format!("when = {{ column = {name}, in = [{}] }}", texts.join(", "))
        };
        let taken: Vec<&str> = texts.iter().copied().filter(|text| !is_given_back(text)).collect();
        let mut choices = Vec::new();
        if named(&self.look.columns, Role::Unit).is_some_and(|unit| unit.name == column.name) {
            for text in &texts {
                choices.push(Choice { says: say(&[*text]), means: format!("the rows in {text}") });
            }
        } else if taken.len() < texts.len() && !taken.is_empty() {
            let means = "what was taken, without what was given back".to_owned();
            choices.push(Choice { says: say(&taken), means });
        }
        choices.push(Choice {
            says: say(&texts),
            means: "all: they are parts of one amount".to_owned(),
        });
        self.ask(Question {
            code: AMBIGUOUS.to_owned(),
            column: column.name.clone(),
            asks: format!("rows of one meter and time stand several times, and {name} tells them apart: which count?"),
            line: 0,
            choices,
        });
    }

    /// The column of few words by which the first rows of one meter and time differ.
    fn splits(&self) -> Option<&'a Column> {
        let look: &'a super::super::Look = self.look;
        let source = named(&look.columns, Role::Source)?;
        let facility = named(&look.columns, Role::Facility);
        let held: Vec<Holds> = look.columns.iter().map(Column::holds).collect();
        if self.wide.is_some() || !held.iter().any(|held| held.times().is_some()) {
            return None;
        }
        let is_key = |column: &Column, held: &Holds| {
            held.times().is_some()
                || held.clock().is_some()
                || *held == Holds::Digits
                || column.name == source.name
                || facility.is_some_and(|facility| column.name == facility.name)
        };
        let all = || look.columns.iter().zip(&held).enumerate();
        let keys: Vec<usize> = all()
            .filter(|(_, (column, held))| is_key(column, held))
            .map(|(place, _)| place)
            .collect();
        let few = |(_, (column, held)): &(usize, (&'a Column, &Holds))| {
            **held == Holds::Words
                && !column.many
                && (2..=SPLITS_MAX).contains(&column.texts.len())
                && !is_key(column, held)
        };
        let key = |row: &[String]| -> Vec<String> {
            keys.iter().map(|place| row.get(*place).cloned().unwrap_or_default()).collect()
        };
        let splits = |(place, _): &(usize, (&'a Column, &Holds))| {
            let mut seen: BTreeMap<Vec<String>, &str> = BTreeMap::new();
            let mut split = 0_usize;
            for row in &look.first {
                let text = row.get(*place).map_or("", String::as_str);
                split += usize::from(*seen.entry(key(row)).or_insert(text) != text);
            }
            split * 4 > look.first.len()
        };
        all().filter(few).find(splits).map(|(_, (column, _))| column)
    }

    /// The columns that say when, each with the clock column that follows it.
    fn whens(&self) -> Vec<When<'a>> {
        let look: &'a super::super::Look = self.look;
        let mut whens = Vec::new();
        for (place, day) in look.columns.iter().enumerate() {
            if !matches!(day.holds(), Holds::Times(_)) || self.is_interval(day) {
                continue;
            }
            let next = look.columns.get(place + 1).filter(|next| !self.is_interval(next));
            let clock = next.and_then(|next| Some((next, next.holds().clock()?.to_owned())));
            whens.push(When { day, clock });
        }
        whens
    }

    fn period(&mut self) {
        let whens = self.whens();
        let by = |words: &[&str]| whens.iter().find(|when| has(&when.day.name, words)).cloned();
        if let (Some(start), Some(end), false) = (by(said::FROM), by(said::TO), self.wide.is_some())
        {
            let (first, second) = (start.place(), end.place());
            self.reason(format!("{first} to {second} is the period"), "their names say so");
            let made = |way: &str| {
                format!("period = {{ start = {first}, end = {second}{} }}", start.key(way))
            };
            if let Some(question) = self.days_after(&start, &end) {
                return self.ask(question);
            }
            // What one of the two leaves open, the other may tell.
            let told = match (start.reading(), end.reading()) {
                (Reading::Several(ways, _), Reading::One(way)) if ways.contains(&way) => &end,
                _ => &start,
            };
            return self.written(told, &made);
        }
        let Some(when) = by(said::DAY).or_else(|| whens.first().cloned()) else {
            if self.months() {
                return;
            }
            return self.ask(Question {
                code: MISSING.to_owned(),
                column: String::new(),
                asks: "no column says when it was".to_owned(),
                line: 0,
                choices: vec![Choice {
                    says: "start_date = \"2024-01-01\"".to_owned(),
                    means: "with end_date, for all rows".to_owned(),
                }],
            });
        };
        let place = when.place();
        // Months are of 28 to 31 days: no length of theirs is the usual one.
        let far = |steps: &Steps| {
            let monthly = (28 * 1440..=31 * 1440).contains(&steps.minutes);
            let even = steps.minutes > 1440 && steps.share >= 60;
            // A note of waste is of the day on which it was fetched.
            self.wide.is_none() && when.is_day() && (monthly || even) && !self.is_waste()
        };
        if let Some(steps) = self.steps(&when).filter(far) {
            let days = steps.minutes / 1440;
            let way = when.likeliest();
            let made = |rule: &str| format!("period = {{ {rule}{} }}", when.key(&way));
            let mut choices = vec![Choice {
                says: made(&format!("day = {place}")),
                means: "what was used on that day alone".to_owned(),
            }];
            if days < 28 {
                choices.push(Choice {
                    says: made(&format!("start = {place}, length = \"P{days}D\"")),
                    means: format!("{days} days from that day on"),
                });
            }
            return self.ask(Question {
                code: AMBIGUOUS.to_owned(),
                column: when.day.name.clone(),
                asks: format!("the days are mostly {days} days apart: what stands for the days between? For months, give each row its first and last day"),
                line: 0,
                choices,
            });
        }
        if self.wide.is_some() || when.is_day() {
            let what = if self.wide.is_some() { "the day of a row's intervals" } else { "the day" };
            self.reason(format!("{place} is {what}"), "it holds days");
            let made = |way: &str| format!("period = {{ day = {place}{} }}", when.key(way));
            return self.written(&when, &made);
        }
        self.interval(&when);
    }

    /// The columns that say of which meter, account or place a row is.
    fn groups(&self) -> Vec<usize> {
        let columns = &self.look.columns;
        let names = [Role::Facility, Role::Source].map(|role| named(columns, role));
        let is_it = |column: &Column| {
            let name = |known: &&Column| core::ptr::eq(*known, column);
            names.iter().flatten().any(name) || has(&column.name, said::ACCOUNT)
        };
        let places = columns.iter().enumerate().filter(|(_, column)| is_it(column));
        places.map(|(place, _)| place).collect()
    }

    /// Rows that mostly end on a day on which others start: whether that is their last day is not told.
    fn days_after(&self, start: &When<'a>, end: &When<'a>) -> Option<Question> {
        let ways = match (start.reading(), end.reading()) {
            (Reading::One(way), _) | (_, Reading::One(way)) => vec![way],
            (Reading::Several(ways, _), Reading::Several(..)) => ways,
            (Reading::None(..), _) | (_, Reading::None(..)) => return None,
        };
        let look: &'a super::super::Look = self.look;
        let at = |when: &When<'a>| {
            look.columns.iter().position(|column| core::ptr::eq(column, when.day))
        };
        let (first, second) = (at(start)?, at(end)?);
        let of = self.groups();
        let days = |row: &'a Vec<String>| {
            let group = of.iter().map(|place| row.get(*place).map_or("", String::as_str)).collect();
            Some((group, [row.get(first)?.as_str(), row.get(second)?.as_str()]))
        };
        let rows: Vec<_> = look.first.iter().filter_map(days).collect();
        if !start.is_day() || !end.is_day() || !ends_meet(&rows) {
            return None;
        }
        let made = |way: &str, word: &str| {
            let (first, second) = (start.place(), end.place());
            format!("period = {{ start = {first}, {word} = {second}{} }}", start.key(way))
        };
        let column = end.day.name.clone();
        let choice = |way: &String, (word, means): (&str, &str)| {
            let written = if ways.len() > 1 { format!("{way}, ") } else { String::new() };
            Choice { says: made(way, word), means: format!("{written}{means}") }
        };
        let sides = [("until", "the day after the last"), ("end", "the last day")];
        let choices = ways.iter().flat_map(|way| sides.map(|side| choice(way, side))).collect();
        Some(Question {
            code: AMBIGUOUS.to_owned(),
            asks: format!(
                "rows end on a day on which others start: is {column:?} the first day that a row does not hold, or its last?"
            ),
            column,
            line: 0,
            choices,
        })
    }

    /// One time for each row: an interval starts or ends there.
    fn interval(&mut self, when: &When<'a>) {
        let place = when.place();
        let steps = self.steps(when).filter(|steps| steps.share >= 60 && steps.minutes <= 1440);
        let Some(steps) = steps else {
            self.reason(format!("{place} is when it happened"), "its times have no even steps");
            let made = |way: &str| {
                let bare = when.clock.is_none();
                let place = if bare {
                    format!("{{ column = {}", quoted(&when.day.name))
                } else {
                    place.trim_end_matches(" }").to_owned()
                };
                format!("occurred_at = {place}{} }}", when.key(way))
            };
            return self.written(when, &made);
        };
        let long = length(steps.minutes);
        let why = format!("{} of 100 steps are that long", steps.share);
        self.reason(format!("an interval is {long}"), why);
        let side = |word: &str, way: &str| {
            format!("period = {{ {word} = {place}{}, length = \"{long}\" }}", when.key(way))
        };
        let named_end = has(&when.day.name, said::TO);
        let named_start = has(&when.day.name, said::FROM);
        let (ends, starts) = (
            named_end || (steps.first == steps.minutes && steps.last == 0),
            named_start || (steps.first == 0 && steps.last == (1440 - steps.minutes)),
        );
        if ends == starts {
            let way = when.likeliest();
            return self.ask(Question {
                code: AMBIGUOUS.to_owned(),
                column: when.day.name.clone(),
                asks: "does the time name the start of its interval, or the end?".to_owned(),
                line: 0,
                choices: vec![
                    Choice { says: side("start", &way), means: "the start".to_owned() },
                    Choice { says: side("end", &way), means: "the end".to_owned() },
                ],
            });
        }
        let word = if ends { "end" } else { "start" };
        let why = if named_end || named_start {
            "its name says so"
        } else {
            "the first and the last time make whole days so"
        };
        self.reason(format!("{place} is the {word} of an interval"), why);
        self.written(when, &|way| side(word, way));
    }

    fn steps(&self, when: &When<'a>) -> Option<Steps> {
        let place =
            |column: &Column| self.look.columns.iter().position(|own| own.name == column.name);
        let (day, clock) = (place(when.day)?, when.clock.as_ref().map(|(clock, _)| place(clock)));
        let time = |row: &Vec<String>| {
            let day = row.get(day)?;
            let clock = clock.flatten().and_then(|clock| row.get(clock));
            Some(clock.map_or_else(|| day.clone(), |clock| format!("{day} {clock}")))
        };
        let times: Vec<String> = self.look.first.iter().filter_map(time).collect();
        let last = time(&self.look.last);
        let way = when.likeliest();
        let format = match (&when.clock, way.as_str()) {
            (None, way) => way.to_owned(),
            (Some((_, clock)), "") => format!("YYYY-MM-DD {clock}"),
            (Some((_, clock)), way) => format!("{way} {clock}"),
        };
        steps(&times, last.as_ref(), &format)
    }

    /// Writes a line that depends on how a time is written, or asks which way it is.
    fn written(&mut self, when: &When<'a>, made: &dyn Fn(&str) -> String) {
        let column = when.day.name.clone();
        match when.reading() {
            Reading::One(way) => {
                let shown = if way.is_empty() { "ISO 8601".to_owned() } else { way.clone() };
                self.certain(format!("{column:?} is written {shown}"), "every cell is");
                self.line(made(&way));
            }
            Reading::Several(ways, Witness { line, text }) => {
                let choice = |way: &String| Choice { says: made(way), means: way.clone() };
                let choices = ways.iter().map(choice).collect();
                let asks = format!(
                    "{text:?} in {column:?} can be read in two ways, and no cell tells which"
                );
                self.ask(Question { code: AMBIGUOUS.to_owned(), column, asks, line, choices });
            }
            Reading::None(way, Witness { line, text }) => {
                let asks = format!(
                    "{column:?} is written {way}, but {text:?} is not: correct it, or choose another way"
                );
                let choices =
                    vec![Choice { says: made(&way), means: "reads most cells".to_owned() }];
                self.ask(Question { code: AMBIGUOUS.to_owned(), column, asks, line, choices });
            }
        }
    }

    /// The columns of numbers that may be the amount, likeliest first.
    pub(super) fn amounts(&self) -> Vec<&'a Column> {
        let look: &'a super::super::Look = self.look;
        let plain = |column: &&Column| {
            let numbers = matches!(column.holds(), Holds::Numbers(_));
            let named = [said::FACILITY, said::SOURCE, said::NAMES]
                .iter()
                .any(|words| has(&column.name, words));
            numbers && !named && !is_month(&column.name) && !self.is_interval(column)
        };
        let all: Vec<&Column> = look.columns.iter().filter(plain).collect();
        let unsummed: Vec<&Column> =
            all.iter().copied().filter(|column| !has(&column.name, said::SUM)).collect();
        let all = if unsummed.is_empty() { all } else { unsummed };
        let with_unit = |column: &&&Column| unit_of(column).is_some();
        let named = |column: &&&Column| has(&column.name, said::AMOUNT);
        let by_unit: Vec<&Column> = all.iter().filter(with_unit).copied().collect();
        let by_name: Vec<&Column> = all.iter().filter(named).copied().collect();
        [by_unit, by_name].into_iter().find(|found| !found.is_empty()).unwrap_or(all)
    }

    /// The cells of the intervals are the amounts; only how they are written has to be said.
    fn intervals_amount(&mut self, wide: &Wide) {
        let first = wide.columns.first().cloned().unwrap_or_default();
        let word = match wide.label {
            Label::Start => "start",
            Label::End => "end",
            Label::Index => "number",
        };
        let count = wide.columns.len();
        let what = format!("{count} columns from {first:?} on are intervals");
        self.reason(what, format!("their names give the {word} of each"));
        let inside = |column: &&Column| wide.columns.contains(&column.name);
        let Some(reading) = together(self.look.columns.iter().filter(inside)) else { return };
        if reading == Reading::One(NumberStyle::default()) {
            return;
        }
        let made = |style: NumberStyle| {
            let keys = number_keys(style);
            let keys = if keys.is_empty() { ", decimal = \".\"" } else { &keys };
            format!("quantity = {{ {} }}", keys.trim_start_matches(", "))
        };
        self.number(&first, reading, &made);
    }

    fn quantity(&mut self) {
        if let Some(wide) = self.wide.clone() {
            return self.intervals_amount(&wide);
        }
        let amounts = self.amounts();
        if let [column] = amounts.as_slice() {
            return self.amount(column);
        }
        let choices: Vec<Choice> = amounts.iter().take(8).flat_map(|own| choices_of(own)).collect();
        let asks = if choices.is_empty() {
            "no column holds numbers: which is the amount?"
        } else {
            "which column is the amount? (where several are, such as one for day and one for night, write an [[activity]] for each)"
        };
        self.ask(Question {
            code: MISSING.to_owned(),
            column: String::new(),
            asks: asks.to_owned(),
            line: 0,
            choices,
        });
    }

    fn amount(&mut self, column: &Column) {
        let name = quoted(&column.name);
        let Some(reading) = column.holds().numbers().cloned() else { return };
        if has(&column.name, said::REGISTER) || column.is_one_way() {
            return self.ask(Question {
                code: AMBIGUOUS.to_owned(),
                column: column.name.clone(),
                asks: REGISTERS.to_owned(),
                line: 0,
                choices: choices_of(column),
            });
        }
        self.reason(
            format!("{name} is the amount"),
            "it is the one column of numbers that its name allows",
        );
        if let Some((power, energy)) = unit_of(column).and_then(|unit| energy_of(&unit)) {
            return self.power(column, &reading, (&power, &energy));
        }
        self.number(&column.name, reading, &|style| amount_line(column, style));
    }

    /// A column of power is no amount: what it comes to depends on how long it lasted.
    fn power(
        &mut self,
        column: &Column,
        reading: &Reading<NumberStyle>,
        (power, energy): (&str, &str),
    ) {
        self.asked_unit = true;
        let name = quoted(&column.name);
        let whens = self.whens();
        let steps = whens.first().and_then(|when| self.steps(when));
        let steps = steps.filter(|steps| steps.share >= 60 && 60 % steps.minutes.max(1) == 0);
        let keys = number_keys(reading.likeliest().copied().unwrap_or_default());
        let says = |scale: &str| {
            format!("quantity = {{ column = {name}{keys}{scale} }}\nunit = {}", quoted(energy))
        };
        let mut choices = Vec::new();
        if let Some(steps) = steps {
            let parts = 60 / steps.minutes;
            let scale = if parts > 1 { format!(", scale = \"1/{parts}\"") } else { String::new() };
            let means = format!("{power} on average over {}", length(steps.minutes));
            choices.push(Choice { says: says(&scale), means });
        }
        let means = format!("{energy} all the same, whatever the name says");
        choices.push(Choice { says: says(""), means });
        self.ask(Question {
            code: AMBIGUOUS.to_owned(),
            column: column.name.clone(),
            asks: format!(
                "{name} is in {power}, which is power and no amount: what does a row say?"
            ),
            line: 0,
            choices,
        });
    }

    /// Writes a line that depends on how numbers are written, or asks which way it is.
    fn number(
        &mut self,
        column: &str,
        reading: Reading<NumberStyle>,
        made: &dyn Fn(NumberStyle) -> String,
    ) {
        let column = column.to_owned();
        match reading {
            Reading::One(style) => self.line(made(style)),
            Reading::Several(styles, Witness { line, text }) => {
                let choice = |style: &NumberStyle| {
                    let plain = style.plain(&text).map(Cow::into_owned).unwrap_or_default();
                    Choice { says: made(*style), means: format!("{text} is {plain}") }
                };
                let choices = styles.iter().map(choice).collect();
                let asks = format!("{text:?} can be two numbers, and no cell tells which");
                self.ask(Question { code: AMBIGUOUS.to_owned(), column, asks, line, choices });
            }
            Reading::None(style, Witness { line, text }) => {
                let asks = format!(
                    "most cells are written one way, but {text:?} is not: correct it, or choose another way"
                );
                let means = "reads most cells".to_owned();
                let choices = vec![Choice { says: made(style), means }];
                self.ask(Question { code: AMBIGUOUS.to_owned(), column, asks, line, choices });
            }
        }
    }
}

/// How many names a proposal translates.
const TRANSLATED_MAX: usize = 12;
/// How many words may tell rows of one meter and time apart.
const SPLITS_MAX: usize = 12;

/// A code for a name: its letters and digits, small, with `-` between.
fn code_of(name: &str) -> String {
    let mut code = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' | '0'..='9' => code.push(letter),
            _ if code.ends_with('-') || code.is_empty() => {}
            _ => code.push('-'),
        }
    }
    code.truncate(CODE_CHARS_MAX);
    code.trim_end_matches('-').to_owned()
}

/// What is asked of a column that is named like a register, or whose numbers nearly all rise from row to
/// row, or nearly all fall: summed up as amounts, readings come to many times what was used.
const REGISTERS: &str =
    "are these amounts, or what a meter's register shows? A register is the difference of two rows";

fn amount_line(column: &Column, style: NumberStyle) -> String {
    format!("quantity = {{ column = {}{} }}", quoted(&column.name), number_keys(style))
}

/// The lines with which a column is the amount, one for each way in which its numbers may be written;
/// with its own unit, where its name says one.
fn choices_of(column: &Column) -> Vec<Choice> {
    let ways: Vec<(NumberStyle, String)> = match column.holds() {
        Holds::Numbers(Reading::Several(styles, Witness { text, .. })) => {
            let way = |style: &NumberStyle| {
                let plain = style.plain(&text).map(Cow::into_owned).unwrap_or_default();
                (*style, format!("if {text} is {plain}"))
            };
            styles.iter().map(way).collect()
        }
        Holds::Numbers(Reading::One(style)) => {
            vec![(style, format!("such as {}", column.shown.join(", ")))]
        }
        Holds::Numbers(Reading::None(style, Witness { line, text })) => {
            vec![(style, format!("but {text} in line {line} is written otherwise"))]
        }
        Holds::Nothing | Holds::Times(_) | Holds::Clock(_) | Holds::Digits | Holds::Words => {
            Vec::new()
        }
    };
    let units = units_said(column);
    let choice = |(style, means): (NumberStyle, String)| {
        let line = amount_line(column, style);
        if units.is_empty() {
            return vec![Choice { says: line, means }];
        }
        let with = |unit: &String| Choice {
            says: format!("{line}\nunit = {}", quoted(unit)),
            means: means.clone(),
        };
        units.iter().map(with).collect()
    };
    ways.into_iter().flat_map(choice).collect()
}

/// The keys of a way of writing numbers, where it is not Envora's own.
fn number_keys(style: NumberStyle) -> String {
    let mut keys = String::new();
    if style.decimal != '.' {
        keys.push_str(", decimal = \",\"");
    }
    if let Some(group) = style.group {
        keys.push_str(&format!(", group = {}", quoted(&group.to_string())));
    }
    keys
}
