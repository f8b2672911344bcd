//! Green Button (ESPI): interval readings of a meter, with what their reading type says of them.
//!
//! What flows to the customer and what the customer gives back are two kinds of activities and are never put
//! together; totals and summaries of the file are not read, since the readings say the same.

use std::collections::HashMap;

use bytes::Bytes;
use envora_domain::activities::problems::{RowCode, RowProblem};
use envora_domain::base32;
use envora_domain::hash::Digest;
use envora_domain::time::Timestamp;

use super::super::{
    FileProblem, Format, Judge, OpenError, Opening, OriginHead, RowPlace, defaults,
};
use super::{Names, Opened, Step, Walk, add};
use crate::fields::{Draft, Field, Given};
use crate::rows::ParsedRow;

/// What stands in an entry of the feed, beside links.
#[derive(Clone, Debug, Default)]
struct Entry {
    own: String,
    up: String,
    related: Vec<String>,
    kind: Kind,
    /// The numbers of a reading type, by the names of their elements.
    numbers: HashMap<String, String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Other,
    UsagePoint,
    MeterReading,
    ReadingType,
    LocalTime,
    Block,
}

/// What all readings of a block have in common.
#[derive(Clone, Debug, Default)]
struct Series {
    /// Type, unit, place and so on.
    fields: Vec<(Field, String)>,
    /// How many powers of ten the values are multiplied with.
    powers: i64,
    /// How long an interval is where it does not say so.
    length: Option<i64>,
    /// What a reading's id is made of, beside its time.
    key: String,
    /// Why its readings cannot be told what they are.
    problem: Option<RowProblem>,
}

/// The readings of a file.
pub struct Readings {
    walk: Walk,
    series: Vec<Series>,
    set: Vec<(Field, String)>,
    judge: Judge,
    head: OriginHead,
    row: u64,
    block: usize,
    inside: u64,
    said: Vec<(Field, String)>,
}

/// What the elements of one reading say.
#[derive(Default)]
struct Reading {
    value: Option<String>,
    start: Option<String>,
    duration: Option<String>,
    qualities: Vec<String>,
}

impl Readings {
    pub(super) fn new(bytes: Bytes, opening: &Opening) -> Result<Self, OpenError> {
        let set = defaults(&opening.set)?;
        let entries = entries(&bytes)?;
        let series = Graph::new(&entries).series(&set);
        if series.is_empty() {
            let detail = "the file has no interval readings";
            let hint = "export the interval data, which Green Button calls IntervalBlock";
            return Err(FileProblem::new("malformed_body", detail).line(1).hint(hint).into());
        }
        let (judge, head) = (Judge::default(), opening.head.clone());
        let (row, block, inside, said) = (0, 0, 0, Vec::new());
        Ok(Self { walk: Walk::new(bytes), series, set, judge, head, row, block, inside, said })
    }

    /// What the last reading said, as far as it could be told.
    pub(super) fn said(&self) -> &[(Field, String)] {
        &self.said
    }

    /// The next reading.
    pub(super) fn row(&mut self) -> Result<Option<ParsedRow>, FileProblem> {
        loop {
            match self.walk.next()? {
                Step::Open(opened) if opened.names == Names::Espi => match opened.name.as_str() {
                    "IntervalBlock" => (self.block, self.inside) = (self.block + 1, 0),
                    "IntervalReading" => {
                        self.row += 1;
                        self.inside += 1;
                        let (reading, end) = self.reading()?;
                        return Ok(Some(self.judged(&reading, &opened, end)));
                    }
                    _ => {}
                },
                Step::Open(_) | Step::Close(_) | Step::Text(_) => {}
                Step::End => return Ok(None),
            }
        }
    }

    /// What stands in a reading, up to its end.
    fn reading(&mut self) -> Result<(Reading, usize), FileProblem> {
        let mut reading = Reading::default();
        let mut open: Vec<(String, String)> = Vec::new();
        loop {
            match self.walk.next()? {
                Step::Open(opened) => open.push((opened.name, String::new())),
                Step::Text(more) => {
                    if let Some((_, text)) = open.last_mut() {
                        add(text, &more);
                    }
                }
                Step::Close(end) => {
                    let Some((name, text)) = open.pop() else { return Ok((reading, end)) };
                    let parent = open.last().map_or("", |(name, _)| name.as_str());
                    let text = text.trim().to_owned();
                    match (parent, name.as_str()) {
                        ("", "value") => reading.value = Some(text),
                        ("timePeriod", "start") => reading.start = Some(text),
                        ("timePeriod", "duration") => reading.duration = Some(text),
                        ("ReadingQuality", "quality") => reading.qualities.push(text),
                        _ => {}
                    }
                }
                Step::End => return Ok((reading, 0)),
            }
        }
    }

    fn judged(&mut self, reading: &Reading, opened: &Opened, end: usize) -> ParsedRow {
        let place = RowPlace {
            row: self.row,
            line: opened.line,
            offset: opened.at as u64,
            length: u32::try_from(end.saturating_sub(opened.at)).unwrap_or(u32::MAX),
        };
        let series = self.block.checked_sub(1).and_then(|block| self.series.get(block)).cloned();
        let series = series.unwrap_or_default();
        let where_ = format!("IntervalBlock {}, IntervalReading {}", self.block, self.inside);
        let mut draft = Draft::default();
        self.said.clear();
        let (set, said) = (&self.set, &mut self.said);
        let mut put = |draft: &mut Draft, field: Field, text: String| {
            if let Err(mut problem) = draft.try_set(&field, Given::Cell(&text)) {
                problem.detail = format!("{where_}: {}", problem.detail);
                draft.report(problem);
            }
            said.push((field, text));
        };
        for (field, text) in set.iter().filter(|(field, _)| *field != Field::Type) {
            put(&mut draft, field.clone(), text.clone());
        }
        for (field, text) in &series.fields {
            put(&mut draft, field.clone(), text.clone());
        }
        let wrong = |draft: &mut Draft, mut problem: RowProblem| {
            problem.detail = format!("{where_}: {}", problem.detail);
            draft.report(problem);
        };
        match quantity(reading.value.as_deref(), series.powers) {
            Ok(text) => put(&mut draft, Field::Quantity, text),
            Err(problem) => {
                draft.mark(&Field::Quantity);
                wrong(&mut draft, problem);
            }
        }
        match period(reading, series.length) {
            Ok((start, end)) => {
                let id = identity(&series.key, set, (start, end));
                put(&mut draft, Field::ExternalId, id);
                put(&mut draft, Field::Start, instant(start));
                put(&mut draft, Field::End, instant(end));
            }
            Err(problem) => {
                draft.mark_period();
                wrong(&mut draft, problem);
            }
        }
        match data_kind(&reading.qualities) {
            Ok(Some(kind)) if !draft.has(&Field::DataKind) => {
                put(&mut draft, Field::DataKind, kind.to_owned());
            }
            Ok(_) => {}
            Err(problem) => wrong(&mut draft, problem),
        }
        if let Some(problem) = series.problem {
            wrong(&mut draft, problem);
            for field in [Field::Type, Field::Unit] {
                draft.mark(&field);
            }
        }
        let origin = self.head.origin(place, None, Format::Xml);
        self.judge.row(draft, origin, place)
    }
}

fn problem(code: RowCode, field: &str, detail: impl Into<String>, hint: &str) -> RowProblem {
    RowProblem::new(code, field, detail.into()).hint(hint)
}

/// A value with its point moved: exact, whatever the power is.
fn quantity(value: Option<&str>, powers: i64) -> Result<String, RowProblem> {
    let hint = "a reading has <value>, a whole number: correct the file at its source";
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        let code = RowCode::MissingField;
        return Err(problem(code, "/quantity", "<value> is missing", hint));
    };
    let (sign, digits) = value.strip_prefix('-').map_or(("", value), |rest| ("-", rest));
    if digits.is_empty() || digits.len() > 20 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let shown: String = value.chars().take(40).collect();
        let detail = format!("<value> {shown:?} is no whole number");
        return Err(problem(RowCode::NotANumber, "/quantity", detail, hint));
    }
    let places = usize::try_from(powers.unsigned_abs()).unwrap_or(usize::MAX).min(64);
    let text = if powers >= 0 {
        format!("{digits}{}", "0".repeat(places))
    } else {
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        format!("{whole}.{fraction}")
    };
    let text = text.trim_start_matches('0');
    let zero = if text.is_empty() || text.starts_with('.') { "0" } else { "" };
    Ok(format!("{sign}{zero}{text}"))
}

/// When it starts and ends, in seconds since 1970.
fn period(reading: &Reading, length: Option<i64>) -> Result<(i64, i64), RowProblem> {
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
    let told = |name: &str, text: Option<&String>| {
        let shown = text.map_or("nothing", String::as_str).chars().take(40).collect::<String>();
        problem(
            RowCode::WrongType,
            "/start",
            format!("<timePeriod> <{name}> is {shown:?}, and seconds are due"),
            "a time period has <start>, in seconds since 1970 UTC, and <duration>, in seconds",
        )
    };
    let start = number(reading.start.as_deref()).filter(|at| (0..253_402_000_000).contains(at));
    let start = start.ok_or_else(|| told("start", reading.start.as_ref()))?;
    let duration = match &reading.duration {
        Some(text) => number(Some(text)),
        None => length,
    };
    // A year and a day at most: no interval of a meter is longer.
    let duration = duration.filter(|seconds| (1..=31_708_800).contains(seconds));
    let duration = duration.ok_or_else(|| told("duration", reading.duration.as_ref()))?;
    Ok((start, start + duration))
}

fn instant(seconds: i64) -> String {
    Timestamp::from_micros(seconds.saturating_mul(1_000_000)).to_string()
}

/// A reading's id: the same reading of another download has the same, whatever its value is by then.
fn identity(key: &str, set: &[(Field, String)], (start, end): (i64, i64)) -> String {
    let placed = |field: &Field| {
        matches!(
            field,
            Field::SourceCode | Field::SourceId | Field::FacilityCode | Field::FacilityId
        )
    };
    let mut text = format!("envora-espi/1\n{key}\n{start}\n{end}\n");
    for (field, value) in set.iter().filter(|(field, _)| placed(field)) {
        text.push_str(&format!("{}={value}\n", field.name()));
    }
    let digest = Digest::of(text.as_bytes());
    format!("gb1_{}", base32::encode(digest.0.first_chunk().copied().unwrap_or_default()))
}

/// What the quality of a reading means for the kind of its data.
fn data_kind(qualities: &[String]) -> Result<Option<&'static str>, RowProblem> {
    let mut kind = None;
    for quality in qualities {
        match quality.as_str() {
            // Valid, manually edited, raw, validated, verified, revenue quality.
            "0" | "7" | "14" | "17" | "18" | "19" => kind = kind.or(Some("measured")),
            // By a reference day, interpolated, questionable, derived, mixed.
            "8" | "9" | "10" | "11" | "13" => kind = Some("estimated"),
            "12" | "15" => {
                let what = if quality == "12" { "a forecast" } else { "normalized for weather" };
                return Err(problem(
                    RowCode::WrongType,
                    "/data_kind",
                    format!("its quality {quality} says that it is {what}, which is no activity"),
                    "leave it out, or send what was measured",
                ));
            }
            _ => {}
        }
    }
    Ok(kind)
}

/// The entries of a file, in order; of one that is no feed, its elements.
fn entries(bytes: &Bytes) -> Result<Vec<Entry>, FileProblem> {
    let mut walk = Walk::new(bytes.clone());
    let mut entries = vec![Entry::default()];
    let mut open: Vec<(Kind, String, String)> = Vec::new();
    loop {
        match walk.next()? {
            Step::Open(opened) => {
                if opened.names == Names::Atom && opened.name == "entry" {
                    entries.push(Entry::default());
                }
                let kind = kind(&opened);
                let alone = entries.last().is_some_and(|own| own.kind == Kind::Other);
                if kind != Kind::Other && !alone {
                    entries.push(Entry::default());
                }
                let Some(entry) = entries.last_mut() else { continue };
                if kind != Kind::Other {
                    entry.kind = kind;
                }
                match opened.link {
                    Some((rel, href)) if rel == "self" => entry.own = href,
                    Some((rel, href)) if rel == "up" => entry.up = href,
                    Some((rel, href)) if rel == "related" => entry.related.push(href),
                    Some(_) | None => {}
                }
                open.push((kind, opened.name, String::new()));
            }
            Step::Text(more) => {
                if let Some((_, _, text)) = open.last_mut() {
                    add(text, &more);
                }
            }
            Step::Close(_) => {
                let Some((_, name, text)) = open.pop() else { continue };
                let parent = open.last().map_or(Kind::Other, |(kind, _, _)| *kind);
                let wanted = matches!(parent, Kind::ReadingType | Kind::LocalTime);
                if let Some(entry) = entries.last_mut().filter(|_| wanted) {
                    entry.numbers.insert(name, text.trim().to_owned());
                }
            }
            Step::End => return Ok(entries),
        }
    }
}

fn kind(opened: &Opened) -> Kind {
    if opened.names != Names::Espi {
        return Kind::Other;
    }
    match opened.name.as_str() {
        "UsagePoint" => Kind::UsagePoint,
        "MeterReading" => Kind::MeterReading,
        "ReadingType" => Kind::ReadingType,
        "LocalTimeParameters" => Kind::LocalTime,
        "IntervalBlock" => Kind::Block,
        _ => Kind::Other,
    }
}

/// How the entries hang together: by their links, and by themselves where there is only one that can be meant.
struct Graph<'a> {
    entries: &'a [Entry],
    by_own: HashMap<&'a str, &'a Entry>,
    by_block: HashMap<&'a str, &'a Entry>,
}

impl<'a> Graph<'a> {
    fn new(entries: &'a [Entry]) -> Self {
        let by_own = entries.iter().filter(|own| !own.own.is_empty());
        let meters = entries.iter().filter(|own| own.kind == Kind::MeterReading);
        let related = meters.flat_map(|own| own.related.iter().map(move |href| (&**href, own)));
        let by_own = by_own.map(|own| (own.own.as_str(), own)).collect();
        Self { entries, by_own, by_block: related.collect() }
    }

    fn only(&self, kind: Kind) -> Option<&'a Entry> {
        let mut all = self.entries.iter().filter(|own| own.kind == kind);
        all.next().filter(|_| all.next().is_none())
    }

    /// The series of each block, in order.
    fn series(&self, set: &[(Field, String)]) -> Vec<Series> {
        let zone = self.only(Kind::LocalTime).and_then(zone);
        let blocks = self.entries.iter().filter(|own| own.kind == Kind::Block);
        blocks.map(|block| self.of_block(block, zone.as_deref(), set)).collect()
    }

    fn of_block(&self, block: &Entry, zone: Option<&str>, set: &[(Field, String)]) -> Series {
        let up = block.up.strip_suffix("/IntervalBlock").unwrap_or(&block.up);
        let meter = self.by_block.get(block.up.as_str()).or_else(|| self.by_own.get(up)).copied();
        let meter = meter.filter(|own| own.kind == Kind::MeterReading);
        let meter = meter.or_else(|| self.only(Kind::MeterReading));
        let related = |own: &'a Entry| {
            let mut all = own.related.iter().filter_map(|href| self.by_own.get(href.as_str()));
            all.find(|own| own.kind == Kind::ReadingType).copied()
        };
        let reading_type = meter.and_then(related).or_else(|| self.only(Kind::ReadingType));
        let mut series = Series::default();
        let Some(reading_type) = reading_type else {
            series.problem = Some(problem(
                RowCode::MissingField,
                "/unit",
                "no ReadingType can be found for it, so neither unit nor direction are known",
                "send the whole feed: the entry of the MeterReading links to its ReadingType",
            ));
            return series;
        };
        let point = meter.and_then(|own| own.own.split_once("/MeterReading"));
        let point = point.and_then(|(point, _)| point.rsplit('/').next());
        let point = point.filter(|code| !code.is_empty() && code.len() <= 64);
        let given = |fields: &[Field]| set.iter().any(|(own, _)| fields.contains(own));
        if let Some(point) = point.filter(|_| !given(&[Field::SourceCode, Field::SourceId])) {
            series.fields.push((Field::SourceCode, point.to_owned()));
        }
        if let Some(zone) = zone.filter(|_| !given(&[Field::TimeZone])) {
            series.fields.push((Field::TimeZone, zone.to_owned()));
        }
        series.key = meter.map_or_else(String::new, |own| own.own.clone());
        series.read(reading_type, set);
        series
    }
}

/// The zone of the local time parameters, where their rules are those of a zone of the database.
fn zone(entry: &Entry) -> Option<String> {
    let number = |name: &str| entry.numbers.get(name).and_then(|text| text.parse::<i64>().ok());
    let text = |name: &str| entry.numbers.get(name).map_or("", String::as_str);
    let offset = number("tzOffset")?;
    if number("dstOffset").unwrap_or(0) == 0 {
        let hours = offset / 3_600;
        let whole = offset % 3_600 == 0 && (-12..=14).contains(&hours);
        // The names of these zones count the other way round.
        return whole.then(|| match hours {
            0 => "UTC".to_owned(),
            hours => format!("Etc/GMT{:+}", -hours),
        });
    }
    // The rules of the United States since 2007: second Sunday in March, first in November, at two.
    let rules = (text("dstStartRule"), text("dstEndRule"), number("dstOffset"));
    if rules != ("360E2000", "B40E2000", Some(3_600)) {
        return None;
    }
    let name = match offset {
        -18_000 => "America/New_York",
        -21_600 => "America/Chicago",
        -25_200 => "America/Denver",
        -28_800 => "America/Los_Angeles",
        _ => return None,
    };
    Some(name.to_owned())
}

impl Series {
    /// What a reading type says.
    fn read(&mut self, entry: &Entry, set: &[(Field, String)]) {
        let text = |name: &str| entry.numbers.get(name).map_or("", String::as_str);
        let refuse = |own: &mut Self, field: &str, detail: String, hint: &str| {
            own.problem.get_or_insert(problem(RowCode::WrongType, field, detail, hint));
        };
        for name in ["commodity", "flowDirection", "uom"] {
            self.key.push_str(&format!("\n{name}={}", text(name)));
        }
        self.length = text("intervalLength").parse().ok();
        match text("powerOfTenMultiplier") {
            "" => {}
            power => match power.parse() {
                Ok(power @ -18..=18) => self.powers = power,
                _ => {
                    let detail =
                        format!("powerOfTenMultiplier {power:?} is none between -18 and 18");
                    refuse(self, "/quantity", detail, "correct the ReadingType");
                }
            },
        }
        let behaviour = text("accumulationBehaviour");
        if !matches!(behaviour, "" | "0" | "4") {
            let detail = format!(
                "accumulationBehaviour {behaviour} says that the values are no amounts of their intervals"
            );
            refuse(
                self,
                "/quantity",
                detail,
                "export interval data (deltaData, 4), not registers or totals",
            );
        }
        let unit = match text("uom") {
            "72" => "W.h",
            "42" => "m3",
            "119" => "[cft_i]",
            "128" => "[gal_us]",
            "132" => "[Btu_IT]",
            "134" => "L",
            "169" => "x:therm_us",
            other => {
                let what = if other == "38" {
                    "is power (W), which is no energy"
                } else {
                    "is none that is read"
                };
                let hint = "export energy (72, Wh) or volume (42, 119, 128, 134)";
                refuse(self, "/unit", format!("uom {other:?} {what}"), hint);
                ""
            }
        };
        if !unit.is_empty() {
            self.fields.push((Field::Unit, unit.to_owned()));
        }
        self.kind(text("commodity"), text("flowDirection"), set);
    }

    fn kind(&mut self, commodity: &str, flow: &str, set: &[(Field, String)]) {
        let claimed = set.iter().find(|(field, _)| *field == Field::Type).map(|(_, text)| &**text);
        let electric = matches!(commodity, "" | "0" | "1");
        let told = match (flow, electric) {
            ("19", true) => Some("electricity.exported"),
            ("1", true) => Some("electricity.purchased"),
            ("1", false) => match commodity {
                "7" => Some("fuel.combusted.stationary"),
                "9" => Some("water.supplied"),
                "10" | "12" | "13" => Some("heat.purchased"),
                _ => None,
            },
            _ => None,
        };
        let (detail, hint) = match (told, claimed, flow) {
            (Some(told), None, _) => return self.of_kind(told, commodity),
            (Some(told), Some(claimed), _) if told == claimed => {
                return self.of_kind(told, commodity);
            }
            // Nothing is said of the direction, and somebody knows it.
            (None, Some(claimed), "" | "0") => return self.of_kind(claimed, commodity),
            (None, Some(claimed), "1") => return self.of_kind(claimed, commodity),
            (Some(told), Some(claimed), _) => (
                format!(
                    "flowDirection {flow} makes it {told}, and type={claimed} is set beside the file"
                ),
                "leave type out of --set: what comes in and what goes out are told apart by the file",
            ),
            (None, None, "" | "0") => (
                "flowDirection does not say whether it was delivered to the customer or given back"
                    .to_owned(),
                "if it was delivered, say so: --set type=electricity.purchased",
            ),
            (None, _, "1") => (
                format!("commodity {commodity} is none that is read"),
                "say what it is: --set type=…",
            ),
            (None, _, flow) => (
                format!(
                    "flowDirection {flow} is neither delivered (1) nor received (19): a net or a sum cannot be taken apart"
                ),
                "export delivered and received energy as two meter readings",
            ),
        };
        let code =
            if flow.is_empty() || flow == "0" { RowCode::MissingField } else { RowCode::WrongType };
        self.problem.get_or_insert(problem(code, "/type", detail, hint));
    }

    fn of_kind(&mut self, kind: &str, commodity: &str) {
        self.fields.push((Field::Type, kind.to_owned()));
        let (name, word) = match (kind, commodity) {
            ("fuel.combusted.stationary", "7") => ("fuel", "natural_gas"),
            ("heat.purchased", "10") => ("medium", "steam"),
            ("heat.purchased", "12") => ("medium", "heat"),
            ("heat.purchased", "13") => ("medium", "cooling"),
            _ => return,
        };
        self.fields.push((Field::Qualifier(name.to_owned()), word.to_owned()));
    }
}
