//! From the tree of a mapping to the mapping, with every mistake named in one go.

use std::collections::BTreeMap;

use envora_domain::hash::Digest;
use envora_domain::time::{Span, Zone};
use envora_domain::units::AliasSet;
use serde_json::Value;

use super::numbers::{NumberStyle, Scale};
use super::times::{Format, PeriodRule};
use super::tree::{Problems, Table};
use super::unpivot;
use super::values::{From, Rule, Test};
use super::{Block, Encoding, FileStyle, Mapping, MappingError, Natural, UnitsRow};
use crate::fields::{Draft, Field, Given, QUALITIES};
use crate::formats;
use crate::formats::parquet::Floats;

/// Keys of an activity that are no fields.
const BLOCK_KEYS: [&str; 5] = ["key", "when", "period", "natural", "zero_run_missing"];

/// What is wrong with a value that comes from nowhere.
const UNNAMED: &str = "a value names one of column, columns and header";

/// Reads the whole tree.
pub(super) fn mapping(tree: &Value, text: String) -> Result<Mapping, MappingError> {
    let mut problems = Problems::default();
    let read = read(tree, text, &mut problems);
    match read {
        Some(mapping) if problems.0.is_empty() => Ok(mapping),
        _ => Err(MappingError { problems: problems.0 }),
    }
}

/// Reads one constant that is given beside a mapping.
pub(super) fn constant(name: &str, value: &str) -> Result<Field, MappingError> {
    let mut problems = Problems::default();
    let field = field(name, name, &mut problems);
    if let Some(field) = &field {
        check_constant(name, field, value, &mut problems);
    }
    match field {
        Some(field) if problems.0.is_empty() => Ok(field),
        _ => Err(MappingError { problems: problems.0 }),
    }
}

fn read(tree: &Value, text: String, problems: &mut Problems) -> Option<Mapping> {
    let mut table = Table::new("", tree, problems)?;
    let name = table.text("mapping", problems).map(str::to_owned);
    match &name {
        None => problems.add("mapping", "a mapping needs a name: mapping = \"…\"", None),
        Some(name) if name.is_empty() || name.chars().count() > 200 => {
            problems.add("mapping", "a name has 1 to 200 characters", None);
        }
        Some(name) if name.chars().any(char::is_control) => {
            problems.add("mapping", "a name has no control characters", None);
        }
        Some(_) => {}
    }
    let format = file_format(&mut table, problems);
    if table.get("unanswered").is_some() {
        let hint = "answer each line that begins with # ?, then delete this line".to_owned();
        problems.add("unanswered", "the proposal still has open questions", Some(hint));
    }
    let file = table
        .get("file")
        .map_or_else(|| Some(FileStyle::default()), |value| file_style(value, format, problems))?;
    let constants = table.get("const").map_or_else(Vec::new, |value| {
        let mut constants = Vec::new();
        flatten("const", "", value, &mut |path, name, value| {
            constants.extend(constant_rule(path, name, value, problems));
        });
        constants
    });
    let unpivot = table.get("unpivot").and_then(|value| unpivot::read(value, problems));
    let skip_if = table.get("rows").map_or_else(Vec::new, |value| rows(value, problems));
    let mut blocks = blocks(table.get("activity"), &file, &constants, problems);
    for (place, block) in blocks.iter_mut().enumerate() {
        let at = format!("activity.{}", place + 1);
        if let Some(unpivot) = &unpivot {
            unpivot.widen(&at, block, problems);
        }
        check_block(&at, block, problems);
        let taken = |(_, rule): &(Field, Rule)| rule.from == From::Interval;
        if unpivot.is_none() && block.fields.iter().any(taken) {
            let at = format!("{at}.quantity");
            problems.add(&at, UNNAMED, Some("{ column = \"…\" }".to_owned()));
        }
    }
    table.close(problems);
    let version = Digest::of(text.as_bytes());
    Some(Mapping { name: name?, version, text, format, file, blocks, skip_if, unpivot })
}

/// What the mapping says that it reads.
fn file_format(table: &mut Table<'_>, problems: &mut Problems) -> Option<formats::Format> {
    match table.text("format", problems)? {
        "csv" => Some(formats::Format::Csv),
        "xlsx" => Some(formats::Format::Xlsx),
        "parquet" => Some(formats::Format::Parquet),
        "xml" => {
            let problem = "xml needs no mapping: its elements are fields, or Green Button's own";
            problems.add("format", problem, Some("send the file without a mapping".to_owned()));
            None
        }
        other => {
            let hint =
                "write format = \"csv\", \"xlsx\" or \"parquet\", or leave it out".to_owned();
            let hint = Some(hint);
            problems.add("format", format!("{other:?} is no format"), hint);
            None
        }
    }
}

fn file_style(
    value: &Value,
    reads: Option<formats::Format>,
    problems: &mut Problems,
) -> Option<FileStyle> {
    let mut table = Table::new("file", value, problems)?;
    let mut style = FileStyle::default();
    match table.text("encoding", problems) {
        None | Some("utf-8") => {}
        Some("windows-1252") => style.encoding = Encoding::Windows1252,
        Some(other) => problems.add(
            "file.encoding",
            format!("{other:?} is not read"),
            Some("utf-8 or windows-1252".to_owned()),
        ),
    }
    style.delimiter = byte(&mut table, "delimiter", problems);
    style.quote = byte(&mut table, "quote", problems).unwrap_or(b'"');
    style.number = number_style(&mut table, problems).unwrap_or_default();
    style.format = format(&mut table, problems);
    style.skip_lines = whole(&mut table, "skip_lines", problems).unwrap_or(0);
    style.units_row = match boolean(&mut table, "units_row", problems) {
        Some(true) => UnitsRow::Present,
        Some(false) | None => UnitsRow::Absent,
    };
    style.footer = table.texts("footer", problems);
    style.null = table.texts("null", problems);
    if let Some(text) = table.text("alias_set", problems) {
        match AliasSet::parse(text) {
            Some(set) => style.alias_set = set,
            None => problems.add(
                "file.alias_set",
                format!("{text:?} is no alias set"),
                Some("none, us, uk or eu".to_owned()),
            ),
        }
    }
    style.sheet = table.text("sheet", problems).map(str::to_owned);
    if boolean(&mut table, "allow_float", problems) == Some(true) {
        style.floats = Floats::Allowed;
    }
    if let Some(reads) = reads {
        foreign(reads, value, problems);
    }
    table.close(problems);
    Some(style)
}

/// Names the keys that say nothing about a file of the format that is read.
fn foreign(reads: formats::Format, value: &Value, problems: &mut Problems) {
    let text = ["encoding", "delimiter", "quote"];
    let (keys, detail) = match reads {
        formats::Format::Xlsx => ([&text[..], &["allow_float"]].concat(), "a workbook has none"),
        formats::Format::Parquet => {
            let keys = [&text[..], &["sheet", "skip_lines", "units_row"]].concat();
            (keys, "a Parquet file has none")
        }
        formats::Format::CloudEvent
        | formats::Format::CloudEvents
        | formats::Format::Csv
        | formats::Format::Json
        | formats::Format::Ndjson
        | formats::Format::Xml => {
            if value.get("sheet").is_some() {
                let hint = Some("leave it out, or write format = \"xlsx\"".to_owned());
                problems.add("file.sheet", "a CSV file has no sheets", hint);
            }
            (vec!["allow_float"], "a CSV file has no binary floats")
        }
    };
    for key in keys.into_iter().filter(|key| value.get(*key).is_some()) {
        problems.add(&format!("file.{key}"), detail, Some("leave it out".to_owned()));
    }
}

fn byte(table: &mut Table<'_>, key: &'static str, problems: &mut Problems) -> Option<u8> {
    let sign = table.sign(key, problems)?;
    let byte = u8::try_from(sign).ok().filter(|byte| byte.is_ascii() && !b"\r\n".contains(byte));
    if byte.is_none() {
        problems.add(&table.at(key), "an ASCII character is due here", None);
    }
    byte
}

fn whole(table: &mut Table<'_>, key: &'static str, problems: &mut Problems) -> Option<u64> {
    let value = table.get(key)?;
    let number = value.as_u64().filter(|number| *number <= 1000);
    if number.is_none() {
        problems.add(&table.at(key), "a whole number up to 1000 is due here", None);
    }
    number
}

fn boolean(table: &mut Table<'_>, key: &'static str, problems: &mut Problems) -> Option<bool> {
    let value = table.get(key)?;
    if value.as_bool().is_none() {
        problems.add(&table.at(key), "true or false is due here", None);
    }
    value.as_bool()
}

/// `decimal` and `group`, when one of them is there.
fn number_style(table: &mut Table<'_>, problems: &mut Problems) -> Option<NumberStyle> {
    let decimal = table.sign("decimal", problems);
    let group = table.sign("group", problems);
    if decimal.is_none() && group.is_none() {
        return None;
    }
    let style = NumberStyle { decimal: decimal.unwrap_or('.'), group };
    for (key, sign) in [("decimal", Some(style.decimal)), ("group", group)] {
        if sign.is_some_and(|sign| sign.is_ascii_alphanumeric() || "+-".contains(sign)) {
            problems.add(&table.at(key), "digits, letters and + - are no such signs", None);
        }
    }
    if Some(style.decimal) == group {
        problems.add(&table.at("group"), "decimal and group are the same sign", None);
    }
    Some(style)
}

fn format(table: &mut Table<'_>, problems: &mut Problems) -> Option<Format> {
    let text = table.text("format", problems)?;
    Format::parse(text).map_err(|error| problems.add(&table.at("format"), error, None)).ok()
}

/// Calls back for each field of a tree, dotted keys and nested tables alike.
fn flatten(path: &str, name: &str, value: &Value, field: &mut dyn FnMut(&str, &str, &Value)) {
    let Some(map) = value.as_object() else { return field(path, name, value) };
    let rule = ["column", "columns", "header"].iter().any(|key| map.contains_key(*key));
    if !name.is_empty() && (rule || !is_nest(name)) {
        return field(path, name, value);
    }
    for (key, value) in map {
        let path = format!("{path}.{key}");
        let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
        flatten(&path, &name, value, field);
    }
}

/// Whether fields may follow after a dot.
fn is_nest(name: &str) -> bool {
    match name.split_once('.') {
        None => ["price", "reading", "inputs", "quality", "qualifiers", "tags"].contains(&name),
        Some((head, rest)) => head == "inputs" && !rest.contains('.'),
    }
}

pub(super) fn field(at: &str, name: &str, problems: &mut Problems) -> Option<Field> {
    let field = Field::parse(name);
    if field.is_none() {
        let quality = name.starts_with("quality.").then(|| format!("one of {QUALITIES:?}"));
        let near = Field::nearest(name).map(|near| format!("did you mean {near}?"));
        problems.add(at, format!("{name:?} is no field of an activity"), quality.or(near));
    }
    field
}

fn constant_rule(
    at: &str,
    name: &str,
    value: &Value,
    problems: &mut Problems,
) -> Option<(Field, Rule)> {
    let field = field(at, name, problems)?;
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            problems.add(at, "a constant is a text, a whole number, true or false", None);
            return None;
        }
    };
    check_constant(at, &field, &text, problems);
    Some((field, Rule::constant(&text)))
}

fn check_constant(at: &str, field: &Field, value: &str, problems: &mut Problems) {
    if let Err(problem) = Draft::default().try_set(field, Given::Cell(value)) {
        problems.add(at, problem.detail, problem.hint);
    } else if *field == Field::TimeZone && Zone::named(value).is_err() {
        let hint = Some("use an IANA name such as Europe/London, or UTC".to_owned());
        problems.add(at, format!("{value:?} is no time zone"), hint);
    }
}

fn rows(value: &Value, problems: &mut Problems) -> Vec<Test> {
    let Some(mut table) = Table::new("rows", value, problems) else { return Vec::new() };
    let tests = match table.get("skip_if") {
        None => Vec::new(),
        Some(Value::Array(items)) => {
            items.iter().filter_map(|item| test("rows.skip_if", item, problems)).collect()
        }
        Some(one) => test("rows.skip_if", one, problems).into_iter().collect(),
    };
    table.close(problems);
    tests
}

/// `{ column = "…", in = […] }`, or `equals` for `in`.
fn test(at: &str, value: &Value, problems: &mut Problems) -> Option<Test> {
    let mut table = Table::new(at, value, problems)?;
    let column = table.text("column", problems).map(str::to_owned);
    let mut texts = table.texts("in", problems);
    match table.get("equals") {
        Some(Value::String(text)) => texts.push(text.clone()),
        Some(_) => texts.extend(table.texts("equals", problems)),
        None => {}
    }
    if column.is_none() || texts.is_empty() {
        let hint = Some("{ column = \"…\", in = [\"…\"] }".to_owned());
        problems.add(at, "a condition names a column and texts", hint);
    }
    table.close(problems);
    Some(Test { column: column?, texts })
}

fn blocks(
    value: Option<&Value>,
    file: &FileStyle,
    constants: &[(Field, Rule)],
    problems: &mut Problems,
) -> Vec<Block> {
    let Some(items) = value.and_then(Value::as_array).filter(|items| !items.is_empty()) else {
        problems.add("activity", "a mapping has at least one [[activity]]", None);
        return Vec::new();
    };
    let mut blocks: Vec<Block> = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let number = place + 1;
        let at = format!("activity.{number}");
        let Some(mut block) = block(&at, number, item, problems) else { continue };
        for (field, rule) in constants {
            if !block.fields.iter().any(|(own, _)| own == field) {
                block.fields.push((field.clone(), rule.clone()));
            }
        }
        inherit(&mut block, file);
        if blocks.iter().any(|other| other.key == block.key) {
            problems.add(&format!("{at}.key"), "two activities have this key", None);
        }
        blocks.push(block);
    }
    blocks
}

/// Gives rules the file's number style and format where they have none of their own.
fn inherit(block: &mut Block, file: &FileStyle) {
    let own = |rule: &mut Rule| {
        rule.number = rule.number.or(Some(file.number));
        if rule.format.is_none() {
            rule.format.clone_from(&file.format);
        }
    };
    for (_, rule) in &mut block.fields {
        if !rule.is_constant() {
            own(rule);
        }
    }
    match &mut block.period {
        None => {}
        Some(PeriodRule::From { start: rule, .. } | PeriodRule::To { end: rule, .. }) => own(rule),
        Some(PeriodRule::Day(rule)) => own(rule),
        Some(PeriodRule::Both { start, end } | PeriodRule::Until { start, until: end }) => {
            own(start);
            own(end);
        }
    }
}

fn block(at: &str, number: usize, value: &Value, problems: &mut Problems) -> Option<Block> {
    let mut table = Table::new(at, value, problems)?;
    let key = table.text("key", problems).map_or_else(|| number.to_string(), str::to_owned);
    let when = table.get("when").and_then(|value| test(&table.at("when"), value, problems));
    let period = table.get("period").and_then(|value| period(&table.at("period"), value, problems));
    let natural = table.get("natural").is_some().then(|| {
        let words = table.texts("natural", problems);
        let at = table.at("natural");
        words.iter().filter_map(|word| natural_word(&at, word, problems)).collect::<Vec<_>>()
    });
    let zero_run_missing = table.text("zero_run_missing", problems).and_then(|text| {
        let span = Span::parse_iso(text);
        span.map_err(|error| problems.add(&table.at("zero_run_missing"), error.to_string(), None))
            .ok()
    });
    let mut fields = Vec::new();
    for (name, value) in table.rest() {
        flatten(&table.at(name), name, value, &mut |path, name, value| {
            if let Some(pair) = field_rule(path, name, value, problems) {
                fields.push(pair);
            }
        });
    }
    Some(Block { key, when, period, fields, natural, zero_run_missing })
}

fn field_rule(
    at: &str,
    name: &str,
    value: &Value,
    problems: &mut Problems,
) -> Option<(Field, Rule)> {
    if !value.is_object() {
        let near_key = Field::parse(name)
            .is_none()
            .then(|| envora_domain::words::did_you_mean(name, BLOCK_KEYS.iter().copied()));
        if let Some(Some(near)) = near_key {
            let hint = Some(format!("did you mean {near}?"));
            problems.add(at, format!("unknown key {name:?}"), hint);
            return None;
        }
        return constant_rule(at, name, value, problems);
    }
    let field = field(at, name, problems)?;
    Some((field, rule(at, value, problems)?))
}

/// A value's rule: the name of a column where `value` is a text, else a table.
fn rule(at: &str, value: &Value, problems: &mut Problems) -> Option<Rule> {
    if let Some(column) = value.as_str() {
        return Some(Rule::column(column));
    }
    let mut table = Table::new(at, value, problems)?;
    let column = table.text("column", problems).map(|name| From::Columns(vec![name.to_owned()]));
    let columns = table.get("columns").is_some().then(|| table.texts("columns", problems));
    let columns = columns.filter(|names| !names.is_empty()).map(From::Columns);
    let header = table.text("header", problems).map(|name| From::Header(name.to_owned()));
    let mut given = [column, columns, header].into_iter().flatten();
    let (from, second) = (given.next(), given.next());
    // The amounts of a wide table are in the columns that `unpivot` finds.
    let from = from.or_else(|| at.ends_with(".quantity").then_some(From::Interval));
    if from.is_none() || second.is_some() {
        problems.add(at, UNNAMED, Some("{ column = \"…\" }".to_owned()));
    }
    // Read to the end, so that a key that is misspelt is named.
    let mut rule = from.map_or_else(|| Rule::constant(""), Rule::of);
    rule.map = translations(&mut table, problems);
    rule.null = table.get("null").is_some().then(|| table.texts("null", problems));
    rule.number = number_style(&mut table, problems);
    rule.format = format(&mut table, problems);
    rule.scale = scale(&mut table, problems);
    table.close(problems);
    Some(rule)
}

fn translations(table: &mut Table<'_>, problems: &mut Problems) -> BTreeMap<String, String> {
    let Some(value) = table.get("map") else { return BTreeMap::new() };
    let read = value.as_object().and_then(|map| {
        let pair =
            |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
        map.iter().map(pair).collect::<Option<BTreeMap<_, _>>>()
    });
    if read.is_none() {
        problems.add(&table.at("map"), "a table from texts to texts is due here", None);
    }
    read.unwrap_or_default()
}

fn scale(table: &mut Table<'_>, problems: &mut Problems) -> Option<Scale> {
    let value = table.get("scale")?;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let scale = Scale::parse(&text);
    if scale.is_none() {
        let hint = "write it in quotes like \"0.001\", \"1000\" or \"1/8\"; it must terminate";
        problems.add(
            &table.at("scale"),
            format!("{text} is no exact factor"),
            Some(hint.to_owned()),
        );
    }
    scale
}

fn period(at: &str, value: &Value, problems: &mut Problems) -> Option<PeriodRule> {
    let mut table = Table::new(at, value, problems)?;
    let format = format(&mut table, problems);
    let mut side = |key: &'static str, problems: &mut Problems| {
        let mut rule = table.get(key).and_then(|value| rule(&table.at(key), value, problems))?;
        if rule.format.is_none() {
            rule.format.clone_from(&format);
        }
        Some(rule)
    };
    let (start, end) = (side("start", problems), side("end", problems));
    let (until, day) = (side("until", problems), side("day", problems));
    let length = table.text("length", problems).and_then(|text| {
        let span = Span::parse_iso(text);
        span.map_err(|error| problems.add(&table.at("length"), error.to_string(), None)).ok()
    });
    table.close(problems);
    let rule = match (start, end, until, day, length) {
        (Some(start), None, None, None, Some(length)) => Some(PeriodRule::From { start, length }),
        (None, Some(end), None, None, Some(length)) => Some(PeriodRule::To { end, length }),
        (Some(start), Some(end), None, None, None) => Some(PeriodRule::Both { start, end }),
        (Some(start), None, Some(until), None, None) => Some(PeriodRule::Until { start, until }),
        (None, None, None, Some(day), None) => Some(PeriodRule::Day(day)),
        _ => None,
    };
    if rule.is_none() {
        let hint = Some(
            "start and length, end and length, start and end, start and until, or day".to_owned(),
        );
        problems.add(at, "a period is not said", hint);
    }
    rule
}

fn natural_word(at: &str, word: &str, problems: &mut Problems) -> Option<Natural> {
    match word {
        "period" | "occurred_at" | "start" | "end" | "start_date" | "end_date" => {
            Some(Natural::Period)
        }
        "facility" | "facility_code" | "facility_id" => Some(Natural::Facility),
        "source" | "source_code" | "source_id" => Some(Natural::Source),
        "supplier" => Some(Natural::Field(Field::SupplierCode)),
        "entity" => Some(Natural::Field(Field::EntityCode)),
        other => field(at, other, problems).map(Natural::Field),
    }
}

fn check_block(at: &str, block: &Block, problems: &mut Problems) {
    let has = |field: &Field| block.fields.iter().any(|(own, _)| own == field);
    if !has(&Field::Quantity) {
        problems.add(at, "quantity is missing: quantity = { column = \"…\" }", None);
    }
    let times = [Field::OccurredAt, Field::Start, Field::End, Field::StartDate, Field::EndDate];
    let timed = times.iter().any(has);
    if block.period.is_none() && !timed {
        let hint = Some("period = { start = \"…\", length = \"PT1H\" }".to_owned());
        problems.add(at, "the mapping does not say when it happened", hint);
    }
    if block.period.is_some() && timed {
        problems.add(at, "the period is said twice: by `period` and by a field", None);
    }
    let natural = block.natural.as_ref();
    if natural.is_some() && has(&Field::ExternalId) {
        problems.add(at, "natural and external_id exclude each other", None);
    }
    if natural.is_some_and(Vec::is_empty) {
        problems.add(at, "natural names no field", None);
    }
}
