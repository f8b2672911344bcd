//! A mapping laid over a header: which cell feeds which field, and what one record says.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use envora_domain::activities::Activity;
use envora_domain::activities::problems::{Flag, RowCode, RowProblem};
use envora_domain::cbor::Writer;
use envora_domain::decimal::Decimal;
use envora_domain::hash::Digest;
use envora_domain::id::ActivityId;
use envora_domain::time::{Day, LocalTime, Span, TimeError, Timestamp, WallClock, Zone};
use envora_domain::units::{self, AliasSet};
use envora_domain::words::did_you_mean;

mod intervals;
pub(super) mod quick;
mod timing;

use self::intervals::{Interval, Slot};
use self::timing::Hours;
pub(super) use self::timing::Timing;
use super::csv::{ID, LOCAL};
use super::xlsx::{Kind, Told};
use super::{Derives, FileProblem};
use crate::clocks::ClockBook;
use crate::fields::{Draft, Field, Given, UNSAID, time_problem};
use crate::mapping::numbers::NumberStyle;
use crate::mapping::times::{Moment, PeriodRule, read_iso, read_offset};
use crate::mapping::values::{From, Rule, Test};
use crate::mapping::{Block, Mapping};
use crate::rows::Columns;

/// Where a rule finds its text in a record.
#[derive(Clone, Debug)]
enum Take {
    /// Not in the record.
    Fixed(String),
    /// In these cells.
    Cells(Vec<usize>),
}

/// A field's rule, its columns found.
#[derive(Clone, Debug)]
struct FieldPlan {
    field: Field,
    rule: Rule,
    take: Take,
    column: Option<String>,
}

/// How a row's times make its period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PeriodKind {
    From(Span),
    To(Span),
    Both,
    Until,
    Day,
    Occurred,
}

/// A period's rule, its columns found.
#[derive(Clone, Debug)]
struct PeriodPlan {
    kind: PeriodKind,
    first: FieldPlan,
    second: Option<FieldPlan>,
}

/// The ways in which the rows of a block may say when they happened.
#[derive(Clone, Debug)]
enum Times {
    /// None at all, or one: what is blank there is missing.
    One(Option<Box<PeriodPlan>>),
    /// Several, as in a table whose rows differ: each row fills in the cells of one.
    Several(Vec<PeriodPlan>),
}

/// One `[[activity]]`, laid over the header.
#[derive(Clone, Debug)]
pub(super) struct BlockPlan {
    pub(super) block: Block,
    when: Option<(usize, Test)>,
    template: Draft,
    fields: Vec<FieldPlan>,
    times: Times,
    /// Whether the row ids are derived: the sender gives none.
    pub(super) derives: Derives,
    /// Which column feeds which field.
    pub(super) columns: Arc<Columns>,
}

/// A mapping laid over a header.
pub(super) struct Plan {
    pub(super) blocks: Vec<BlockPlan>,
    skip_if: Vec<(usize, Test)>,
    null: Vec<String>,
    alias_set: AliasSet,
    zones: HashMap<String, Option<Zone>>,
    clocks: ClockBook,
    marks: Marks,
    /// The columns of a wide table that are a row each, and how many cells stand before what is laid.
    intervals: Vec<Interval>,
    columns: usize,
    /// Where an export says what was noted of local times, and which activity each row is.
    told: Option<usize>,
    ours: Option<usize>,
}

/// What of a record is a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Laid {
    /// All of it.
    Whole,
    /// What it says beside this one of its intervals.
    Interval(usize),
    /// Nothing: the cell of the interval says nothing.
    Blank,
}

/// Whether rows carry the mark of their natural cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Marks {
    Yes,
    #[default]
    No,
}

/// A mark of the cells that a row's natural list is made of. What is constant, or set beside the file,
/// is not in it: an error file is made without knowing that.
pub(super) type Mark = [u8; 16];

/// The cells of one record.
pub(crate) struct Cells<'a> {
    /// As text.
    pub(crate) texts: Vec<Cow<'a, str>>,
    /// What the text does not say of them, where they are those of a sheet.
    pub(crate) told: Told,
}

impl Cells<'_> {
    fn get(&self, place: usize) -> &str {
        self.texts.get(place).map_or("", |cell| cell.as_ref())
    }
}

/// A time of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    Day(Day),
    Wall(WallClock),
    At(Timestamp),
    Twice(WallClock, Timestamp, Timestamp),
}

/// What a block makes of a record.
pub(super) struct Half {
    pub(super) mark: Option<Mark>,
    pub(super) draft: Draft,
    pub(super) timing: Option<Timing>,
}

impl Plan {
    /// Lays a mapping over a header and the units row, which is empty where there is none.
    pub(super) fn new(
        mapping: &Mapping,
        header: &[String],
        units: &[String],
    ) -> Result<Self, Vec<FileProblem>> {
        let layer = Layer { header, units };
        let mut problems = layer.check(mapping);
        let blocks = mapping.blocks.iter().map(|block| layer.block(mapping, block)).collect();
        let skip_if = mapping.skip_if.iter().map(|test| layer.test(test)).collect();
        let found = mapping.unpivot.as_ref().map(|unpivot| intervals::find(unpivot, header));
        let intervals = match found.transpose() {
            Ok(intervals) => intervals.unwrap_or_default(),
            Err(more) => {
                problems.extend(more);
                Vec::new()
            }
        };
        problems.dedup();
        if !problems.is_empty() {
            return Err(problems);
        }
        let (null, alias_set) = (mapping.file.null.clone(), mapping.file.alias_set);
        let (zones, clocks, marks) = (HashMap::new(), ClockBook::default(), Marks::No);
        let columns = header.len();
        let place = |own: &str| header.iter().position(|name| name == own);
        let (told, ours) = (place(LOCAL), place(ID));
        Ok(Self {
            blocks,
            skip_if,
            null,
            alias_set,
            zones,
            clocks,
            marks,
            intervals,
            columns,
            told,
            ours,
        })
    }

    /// How many rows a record is: one, or its intervals.
    pub(super) fn rows(&self) -> usize {
        self.intervals.len().max(1)
    }

    /// Lays an interval's cell and name behind a record's own cells, for the rules that read them.
    pub(super) fn lay<'a>(&self, number: usize, cells: &mut Cells<'a>) -> Laid {
        let Some(interval) = self.intervals.get(number) else { return Laid::Whole };
        cells.texts.truncate(self.columns);
        cells.told.lay(self.columns, interval.place);
        let cell = cells.texts.get(interval.place).cloned().unwrap_or_default();
        if cell.is_empty() && cells.told.flaw(interval.place).is_none()
            || self.null.iter().any(|word| *word == cell)
        {
            return Laid::Blank;
        }
        cells.texts.extend([cell, Cow::Owned(interval.name.clone())]);
        Laid::Interval(number)
    }

    /// The name of an interval's column.
    pub(super) fn interval_name(&self, number: usize) -> &str {
        self.intervals.get(number).map_or("", |interval| interval.name.as_str())
    }

    /// Reads times without an offset or a zone by the clocks of the rows' places.
    pub(super) fn look_up(&mut self, clocks: ClockBook) {
        self.clocks = clocks;
    }

    /// Gives rows the mark of their natural cells from here on.
    pub(super) fn mark(&mut self) {
        self.marks = Marks::Yes;
    }

    /// The condition by which the mapping leaves this record out, and the cell it looks at.
    pub(super) fn skips<'a>(&'a self, cells: &'a Cells<'_>) -> Option<(&'a Test, &'a str)> {
        let asked = self.skip_if.iter().map(|(place, test)| (test, cells.get(*place)));
        asked.into_iter().find(|(test, cell)| test.takes(cell))
    }

    /// Why it cannot be told which blocks take this record: a cell they ask is not to be read.
    pub(super) fn unsure(&self, cells: &Cells<'_>) -> Option<RowProblem> {
        let asked = self.blocks.iter().filter_map(|plan| plan.when.as_ref());
        let asked = asked.chain(&self.skip_if);
        let flawed = asked.filter_map(|(place, test)| Some((cells.told.flaw(*place)?, test)));
        let (flaw, test) = flawed.into_iter().next()?;
        Some(flaw.clone().column(&test.column))
    }

    /// The conditions of the blocks, and the cells they look at.
    pub(super) fn asked<'a>(&'a self, cells: &'a Cells<'_>) -> Vec<(&'a Test, &'a str)> {
        let tests = self.blocks.iter().filter_map(|plan| plan.when.as_ref());
        tests.map(|(place, test)| (test, cells.get(*place))).collect()
    }

    /// What a block makes of a record; nothing when the block does not take it.
    pub(super) fn half(&mut self, number: usize, laid: Laid, cells: &Cells<'_>) -> Option<Half> {
        let interval = match laid {
            Laid::Interval(place) => self.intervals.get(place),
            Laid::Whole | Laid::Blank => None,
        };
        let plan = self.blocks.get(number)?;
        let taken = plan.when.as_ref().is_none_or(|(place, test)| test.takes(cells.get(*place)));
        if !taken {
            return None;
        }
        let mut draft = plan.template.clone();
        draft.ours = self.ours.and_then(|place| ActivityId::parse(cells.get(place)).ok());
        for own in &plan.fields {
            if let Err(mut problem) = own.fill(&mut draft, cells, &self.null) {
                let inside = || interval.map(|interval| interval.name.clone());
                problem.column = own.column.clone().or_else(inside);
                draft.report(problem);
            }
        }
        if self.alias_set != AliasSet::None
            && let Some(unit) = draft.unit()
            && units::lookup(unit, AliasSet::None).is_err()
            && let Ok(code) = units::lookup(unit, self.alias_set)
        {
            draft.replace_unit(code);
        }
        let zone = draft.time_zone().map(str::to_owned);
        let zone = zone.and_then(|name| {
            let named = || Zone::named(&name).ok();
            self.zones.entry(name.clone()).or_insert_with(named).clone()
        });
        let clock = match draft.time_zone() {
            None if self.clocks.are_known() => {
                let (source, facility) = draft.places();
                self.clocks.of(&source, &facility)
            }
            None | Some(_) => None,
        };
        let told = self.told.and_then(|place| timing::told(cells.get(place)));
        let hours = match (&zone, &clock) {
            _ if told.is_some() => Hours::Nowhere,
            (Some(zone), _) => Hours::Own(zone),
            (None, Some(clock)) => Hours::At(clock),
            (None, None) => Hours::Nowhere,
        };
        let period = plan.times.of_row(&mut draft, cells, &self.null);
        let timing = period.and_then(|period| {
            let slot = interval.and_then(|interval| Some((interval.slot?, interval.name.as_str())));
            let timing = period.timing((cells, &self.null), hours, slot);
            let refuse = |problem| {
                draft.mark_period();
                draft.report(problem);
            };
            timing.map_err(refuse).map(|timing| Timing { told, ..timing }).ok()
        });
        let mark = (self.marks == Marks::Yes).then(|| plan.mark(cells, &self.null, interval));
        Some(Half { mark, draft, timing })
    }
}

impl BlockPlan {
    fn mark(&self, cells: &Cells<'_>, null: &[String], interval: Option<&Interval>) -> Mark {
        let mut writer = Writer::default();
        writer.text(&self.block.key);
        let times = self.times.plans().iter();
        let times = times.flat_map(|own| [Some(&own.first), own.second.as_ref()]);
        let natural = |own: &&FieldPlan| self.block.is_natural(&own.field);
        for own in self.fields.iter().chain(times.flatten()).filter(natural) {
            writer.text(&own.field.name()).text(&own.text(cells, null).unwrap_or_default());
        }
        if let Some(interval) = interval {
            writer.text(&interval.name);
        }
        Digest::of(&writer.finish()).0.first_chunk().copied().unwrap_or_default()
    }

    /// Whether the natural list of a row that was refused could be read.
    pub(super) fn lists(&self, problems: &[RowProblem], read: &Activity) -> bool {
        let own = |problem: &RowProblem| {
            let name = problem.field.trim_start_matches('/').replace('/', ".");
            Field::parse(&name).is_some_and(|field| self.block.is_natural(&field))
        };
        // A type that the mapping leaves to what is set beside the file is the same for all rows.
        let fed = |field: &Field| self.fields.iter().any(|own| own.field == *field);
        let untimed = read.period == UNSAID && self.block.is_natural(&Field::Start);
        let untyped = read.kind.is_empty() && fed(&Field::Type);
        let unread = untimed || (untyped && self.block.is_natural(&Field::Type));
        !unread && !problems.iter().any(own)
    }
}

/// A header, while a mapping is laid over it.
struct Layer<'a> {
    header: &'a [String],
    units: &'a [String],
}

impl Layer<'_> {
    fn place(&self, column: &str) -> usize {
        self.header.iter().position(|own| own == column).unwrap_or(usize::MAX)
    }

    /// Columns that are not there, or there twice.
    fn check(&self, mapping: &Mapping) -> Vec<FileProblem> {
        let mut problems = Vec::new();
        for column in mapping.columns() {
            let count = self.header.iter().filter(|own| *own == column).count();
            if count == 1 {
                continue;
            }
            let detail = if count == 0 {
                format!("the mapping reads the column {column:?}, which the file does not have")
            } else {
                format!("the column {column:?} is in the header {count} times")
            };
            let near = did_you_mean(column, self.header.iter().map(String::as_str));
            let hint = match near.filter(|_| count == 0) {
                Some(near) => format!("did you mean {near:?}?"),
                None if count == 0 => format!("its columns are {}", listed(self.header)),
                None => "give each column its own name".to_owned(),
            };
            let problem = FileProblem::new("validation_failed", detail);
            problems.push(problem.column(column).hint(hint).line(1));
        }
        problems
    }

    fn test(&self, test: &Test) -> (usize, Test) {
        (self.place(&test.column), test.clone())
    }

    fn field(&self, field: &Field, rule: &Rule) -> FieldPlan {
        let (take, column) = match &rule.from {
            From::Constant(text) => (Take::Fixed(text.clone()), None),
            From::Columns(names) => {
                let places = names.iter().map(|name| self.place(name)).collect();
                (Take::Cells(places), Some(names.join(" ")))
            }
            From::Header(name) => {
                let place = self.place(name);
                let text = self.units.get(place).or_else(|| self.header.get(place));
                (Take::Fixed(text.cloned().unwrap_or_default()), Some(name.clone()))
            }
            From::Interval => (Take::Cells(vec![self.header.len()]), None),
            From::IntervalName => (Take::Cells(vec![self.header.len() + 1]), None),
        };
        FieldPlan { field: field.clone(), rule: rule.clone(), take, column }
    }

    fn block(&self, mapping: &Mapping, block: &Block) -> BlockPlan {
        let mut template = Draft::default();
        let mut fields = Vec::new();
        let rule_of = |field: &Field| block.fields.iter().find(|(own, _)| own == field);
        for (field, rule) in &block.fields {
            if field.is_time() {
                continue;
            }
            if rule.is_constant() {
                if let From::Constant(text) = &rule.from {
                    template.set(field, Given::Cell(text));
                }
            } else {
                fields.push(self.field(field, rule));
            }
        }
        let named = block.fields.iter().any(|(field, _)| *field == Field::ExternalId);
        let derives = if named || mapping.name.is_empty() { Derives::No } else { Derives::Yes };
        let times = match &block.period {
            Some(rule) => Times::One(Some(Box::new(self.period(rule)))),
            None => self.times(&rule_of),
        };
        let when = block.when.as_ref().map(|test| self.test(test));
        let columns = Arc::new(columns(&fields, &times));
        BlockPlan { block: block.clone(), when, template, fields, times, derives, columns }
    }

    /// The ways in which fields of their own say when a row happened.
    fn times<'a>(&self, rule_of: &impl Fn(&Field) -> Option<&'a (Field, Rule)>) -> Times {
        let plan = |field: &Field| rule_of(field).map(|(field, rule)| self.field(field, rule));
        let pair = |first: &Field, second: &Field| {
            let (first, second) = (plan(first)?, Some(plan(second)?));
            Some(PeriodPlan { kind: PeriodKind::Both, first, second })
        };
        let occurred = || {
            let first = plan(&Field::OccurredAt)?;
            Some(PeriodPlan { kind: PeriodKind::Occurred, first, second: None })
        };
        let pairs = [
            pair(&Field::Start, &Field::End),
            pair(&Field::StartDate, &Field::EndDate),
            occurred(),
        ];
        let mut plans: Vec<PeriodPlan> = pairs.into_iter().flatten().collect();
        if plans.len() > 1 { Times::Several(plans) } else { Times::One(plans.pop().map(Box::new)) }
    }

    fn period(&self, rule: &PeriodRule) -> PeriodPlan {
        let (kind, first, second) = match rule {
            PeriodRule::From { start, length } => (PeriodKind::From(*length), start, None),
            PeriodRule::To { end, length } => (PeriodKind::To(*length), end, None),
            PeriodRule::Both { start, end } => (PeriodKind::Both, start, Some(end)),
            PeriodRule::Until { start, until } => (PeriodKind::Until, start, Some(until)),
            PeriodRule::Day(day) => (PeriodKind::Day, day, None),
        };
        let (one, other) = match kind {
            PeriodKind::To(_) => (Field::End, Field::End),
            PeriodKind::Day => (Field::StartDate, Field::EndDate),
            PeriodKind::Occurred => (Field::OccurredAt, Field::OccurredAt),
            PeriodKind::From(_) | PeriodKind::Both | PeriodKind::Until => {
                (Field::Start, Field::End)
            }
        };
        PeriodPlan {
            kind,
            first: self.field(&one, first),
            second: second.map(|rule| self.field(&other, rule)),
        }
    }
}

/// The columns by field; of a time, whichever way the row gives it.
fn columns(fields: &[FieldPlan], times: &Times) -> Columns {
    let column = |own: &FieldPlan| Some((own.field.pointer(), own.column.clone()?));
    let mut columns: BTreeMap<String, String> = fields.iter().filter_map(column).collect();
    if let Times::Several(plans) = times {
        columns.extend(plans.iter().flat_map(PeriodPlan::parts).filter_map(column));
    }
    if let Times::One(Some(period)) = times {
        let second = period.second.as_ref().unwrap_or(&period.first);
        for (own, names) in [
            (&period.first, ["/start", "/start_date", "/occurred_at"].as_slice()),
            (second, &["/end", "/end_date"]),
        ] {
            let Some(column) = &own.column else { continue };
            columns.extend(names.iter().map(|name| ((*name).to_owned(), column.clone())));
        }
    }
    Columns(columns)
}

fn listed(header: &[String]) -> String {
    let shown: Vec<String> = header.iter().take(20).map(|name| format!("{name:?}")).collect();
    let more = if header.len() > 20 { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

impl FieldPlan {
    /// The text of the record that the field is made of; nothing when it says nothing.
    fn text<'a>(&'a self, cells: &'a Cells<'_>, null: &[String]) -> Option<Cow<'a, str>> {
        let raw = match &self.take {
            Take::Fixed(text) => Cow::Borrowed(text.as_str()),
            Take::Cells(places) => match places.as_slice() {
                [only] => Cow::Borrowed(cells.get(*only)),
                several => {
                    let cells = several.iter().map(|place| cells.get(*place));
                    Cow::Owned(cells.filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join(" "))
                }
            },
        };
        self.rule.read(raw, null)
    }

    /// Why the cells are not to be taken at their word, unless the mapping says that they mean none.
    fn flaw(&self, cells: &Cells<'_>, null: &[String]) -> Option<RowProblem> {
        let Take::Cells(places) = &self.take else { return None };
        let null = self.rule.null.as_deref().unwrap_or(null);
        let means_none = |text: &str| !text.is_empty() && null.iter().any(|word| word == text);
        let flawed = |place: &&usize| !means_none(cells.get(**place));
        let mut flaws = places.iter().filter(flawed).filter_map(|place| cells.told.flaw(*place));
        let mut problem = flaws.next()?.clone();
        problem.field = self.field.pointer();
        Some(problem)
    }

    /// What the text of the record is, before the mapping translates it.
    fn kind(&self, cells: &Cells<'_>) -> Kind {
        let Take::Cells(places) = &self.take else { return Kind::Text };
        let mut kinds = places.iter().filter(|place| !cells.get(**place).is_empty());
        let Some(first) = kinds.next() else { return Kind::Text };
        let kind = cells.told.kind(*first);
        let alike = kinds.all(|place| cells.told.kind(*place) == kind);
        let translated = self.rule.map.contains_key(cells.get(*first));
        if alike && !translated { kind } else { Kind::Text }
    }

    fn fill(
        &self,
        draft: &mut Draft,
        cells: &Cells<'_>,
        null: &[String],
    ) -> Result<(), RowProblem> {
        if let Some(problem) = self.flaw(cells, null) {
            draft.mark(&self.field);
            return Err(problem);
        }
        let Some(text) = self.text(cells, null) else {
            if self.field == Field::Quantity {
                draft.mark(&Field::Quantity);
                return Err(self.blank());
            }
            return Ok(());
        };
        if !self.field.is_decimal() {
            return draft.try_set(&self.field, Given::Cell(&text));
        }
        let named = |mut problem: RowProblem| {
            problem.field = self.field.pointer();
            problem
        };
        let style = match self.kind(cells) {
            Kind::Number | Kind::Float => NumberStyle::default(),
            Kind::Text | Kind::Time => self.rule.number.unwrap_or_default(),
        };
        let plain = style.plain(&text).map_err(|problem| {
            draft.mark(&self.field);
            named(problem)
        })?;
        draft
            .try_set(&self.field, Given::Cell(&plain))
            .map_err(|problem| style.retold(&text, &plain, problem))?;
        if self.kind(cells) == Kind::Float {
            draft.flag(Flag::FloatArtifact);
        }
        let Some(scale) = self.rule.scale else { return Ok(()) };
        let value = Decimal::parse(&plain).unwrap_or(Decimal::ZERO);
        let scaled = scale.times(value).map_err(named)?.to_string();
        draft.try_set(&self.field, Given::Cell(&scaled))
    }

    fn blank(&self) -> RowProblem {
        let what = self.column.as_deref().map_or_else(
            || "the value is blank".to_owned(),
            |column| format!("the cell {column:?} is blank"),
        );
        let problem = RowProblem::new(RowCode::MissingField, &self.field.pointer(), what);
        let mut problem =
            problem.hint("fill it in, or leave the row out: a blank is not counted as zero");
        problem.column.clone_from(&self.column);
        problem
    }

    /// The time that the record says.
    fn moment(&self, cells: &Cells<'_>, null: &[String]) -> Result<(Moment, String), RowProblem> {
        if let Some(mut problem) = self.flaw(cells, null) {
            problem.column.clone_from(&self.column);
            return Err(problem);
        }
        let Some(text) = self.text(cells, null) else { return Err(self.blank()) };
        let format = self.rule.format.as_ref().filter(|_| self.kind(cells) != Kind::Time);
        let moment = match format {
            Some(format) => format.read(&text).or_else(|| read_offset(&text).map(Moment::Instant)),
            None => read_iso(&text),
        };
        if let Some(moment) = moment {
            return Ok((moment, text.into_owned()));
        }
        if format.is_none()
            && let Err(error @ (TimeError::OutOfRange | TimeError::TooFine | TimeError::LeapSecond)) =
                Timestamp::parse(&text)
        {
            let mut problem = time_problem(&text, error);
            problem.field = self.field.pointer();
            return Err(self.shown(problem, &text));
        }
        let shown: String = text.chars().take(40).collect();
        let (detail, hint) = match format {
            Some(format) => (
                format!("{shown:?} is no time in the format {:?}", format.text()),
                "correct the cell, or the `format` in the mapping",
            ),
            None => (
                format!("{shown:?} is no ISO 8601 time"),
                "name the column's `format` in the mapping, such as DD.MM.YYYY hh:mm",
            ),
        };
        let problem = RowProblem::new(RowCode::WrongType, &self.field.pointer(), detail);
        Err(self.shown(problem.hint(hint), &text))
    }

    fn shown(&self, problem: RowProblem, text: &str) -> RowProblem {
        let mut problem = problem.value(text);
        problem.column.clone_from(&self.column);
        problem
    }

    /// The time, on the world's clock where the row has a zone; and what the clock of its place says against it.
    fn point(
        &self,
        (moment, text): (Moment, String),
        hours: Hours<'_>,
    ) -> Result<(Point, Option<RowProblem>), RowProblem> {
        let wall = match moment {
            Moment::Day(day) => return Ok((Point::Day(day), None)),
            Moment::Instant(at) => return Ok((Point::At(at), None)),
            Moment::Wall(wall) => wall,
        };
        if !wall.is_kept() {
            let mut problem = time_problem(&text, TimeError::OutOfRange);
            problem.field = self.field.pointer();
            return Err(self.shown(problem, &text));
        }
        let zone = match hours {
            Hours::Nowhere => return Ok((Point::Wall(wall), None)),
            Hours::Own(zone) => zone,
            Hours::At(clock) => &clock.zone,
        };
        match zone.resolve(wall) {
            LocalTime::Once(_) if matches!(hours, Hours::At(_)) => Ok((Point::Wall(wall), None)),
            LocalTime::Once(at) => Ok((Point::At(at), None)),
            LocalTime::Twice(earlier, later) => Ok((Point::Twice(wall, earlier, later), None)),
            LocalTime::Never => {
                let (whose, hint) = match hours {
                    Hours::At(clock) => (format!(", the zone of {}", clock.whose), clock.remedy()),
                    Hours::Own(_) | Hours::Nowhere => (
                        String::new(),
                        "name the zone the meter really runs in (many stay on winter time)"
                            .to_owned(),
                    ),
                };
                let detail = format!(
                    "{text} never happened in {}{whose}: the clocks jumped over it",
                    zone.name()
                );
                let problem =
                    RowProblem::new(RowCode::LocalTimeMissing, &self.field.pointer(), detail);
                let problem = self.shown(problem.hint(hint), &text);
                match hours {
                    // It may be stored already, since before that clock was known.
                    Hours::At(_) => Ok((Point::Wall(wall), Some(problem))),
                    Hours::Own(_) | Hours::Nowhere => Err(problem),
                }
            }
        }
    }
}

impl Times {
    fn plans(&self) -> &[PeriodPlan] {
        match self {
            Self::One(one) => one.as_deref().map_or(&[], std::slice::from_ref),
            Self::Several(several) => several,
        }
    }

    /// The way that this row takes. Of several, a blank cell is one that it does not take; what is
    /// said in two ways at once, or by half, is noted for the row to be judged by.
    fn of_row(&self, draft: &mut Draft, cells: &Cells<'_>, null: &[String]) -> Option<&PeriodPlan> {
        let plans = match self {
            Self::One(plan) => return plan.as_deref(),
            Self::Several(plans) => plans,
        };
        let says = |own: &FieldPlan| own.text(cells, null).is_some();
        let taken = |plan: &&PeriodPlan| plan.parts().any(says);
        let mut ways = plans.iter().filter(taken);
        let only = ways.next().filter(|plan| plan.parts().all(says));
        if ways.next().is_none() && only.is_some() {
            return only;
        }
        for own in plans.iter().flat_map(PeriodPlan::parts).filter(|own| says(own)) {
            draft.mark(&own.field);
        }
        None
    }
}

impl PeriodPlan {
    fn parts(&self) -> impl Iterator<Item = &FieldPlan> {
        core::iter::once(&self.first).chain(&self.second)
    }

    fn timing(
        &self,
        (cells, null): (&Cells<'_>, &[String]),
        hours: Hours<'_>,
        slot: Option<(Slot, &str)>,
    ) -> Result<Timing, RowProblem> {
        if let Some((slot, name)) = slot {
            let (moment, text) = self.first.moment(cells, null)?;
            return self.slotted((moment, format!("{text} {name}")), hours, (slot, name));
        }
        let point = |plan: &FieldPlan| {
            let (moment, text) = plan.moment(cells, null)?;
            plan.point((self.kind.fit(moment), text), hours)
        };
        let (second, late) = self.second.as_ref().map(point).transpose()?.unzip();
        let (kind, column) = (self.kind, self.first.column.clone());
        let column_of_end = self.second.as_ref().and_then(|second| second.column.clone());
        let ((first, against), clock) = (point(&self.first)?, hours.clock());
        let (against, day, told) = (against.or_else(|| late.flatten()), None, None);
        Ok(Timing { kind, first, second, column, column_of_end, day, clock, told, against })
    }

    /// The times of an interval of a day that the row names.
    fn slotted(
        &self,
        (moment, text): (Moment, String),
        hours: Hours<'_>,
        (slot, name): (Slot, &str),
    ) -> Result<Timing, RowProblem> {
        let day = match moment {
            Moment::Day(day) => day,
            Moment::Wall(wall) => wall.day(),
            Moment::Instant(_) => {
                let detail = "the intervals are of a day, and this names an instant";
                let problem =
                    RowProblem::new(RowCode::WrongType, &self.first.field.pointer(), detail);
                return Err(self.first.shown(problem.hint("give the day alone"), &text));
            }
        };
        let named = |mut problem: RowProblem| {
            problem.column = Some(name.to_owned());
            problem
        };
        let first = match slot.wall(day) {
            Some(wall) => self.first.point((Moment::Wall(wall), text), hours),
            None => slot.counted(day, hours.own()).map(|point| (point, None)),
        };
        let (column, clock) = (Some(name.to_owned()), hours.clock());
        let (kind, (first, against)) = (slot.kind(), first.map_err(named)?);
        let (against, day, second) = (against.map(named), Some(day), None);
        let (column_of_end, told) = (None, None);
        Ok(Timing { kind, first, second, column, column_of_end, day, clock, told, against })
    }
}
