//! An activity on its way: values are set one by one, then the whole is judged.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use envora_domain::activities::local::{Local, Side};
use envora_domain::activities::problems::{Flag, Flags, PROBLEMS_MAX, RowCode, RowProblem};
use envora_domain::activities::{Activity, Input, Origin, Period, Price, Reading, Ref};
use envora_domain::decimal::Decimal;
use envora_domain::id::{ActivityId, Entity, Kind, Supplier};
use envora_domain::time::{Day, Timestamp, WallClock};

use super::shapes::{self, CODE_CHARS_MAX, Shaped, WORD_CHARS_MAX};
use super::{Field, Given};
use crate::mapping::times::{Moment, read_iso};

/// The period of a row that says none because it voids another: it is that row's. No text means it.
pub const UNSAID: Period = Period::Instant(Timestamp::from_micros(i64::MIN));

/// Most certificates, or pieces of evidence, of one activity.
const LIST_ITEMS_MAX: usize = 50;

/// A row that is no activity.
#[derive(Clone, Debug)]
pub struct Unfinished(Draft);

impl Unfinished {
    /// Why it is none.
    #[must_use]
    pub fn problems(&self) -> &[RowProblem] {
        &self.0.problems
    }

    /// What could be read of it; a period that could not is [`UNSAID`], other fields are empty.
    #[must_use]
    pub fn read(self, origin: Origin) -> Activity {
        self.0.build(origin)
    }
}

/// The times of a draft, in each of the ways a period may be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// An instant.
    pub occurred_at: Option<Timestamp>,
    /// The first instant.
    pub start: Option<Timestamp>,
    /// The instant after the last.
    pub end: Option<Timestamp>,
    /// The first day.
    pub start_date: Option<Day>,
    /// The last day.
    pub end_date: Option<Day>,
    /// What a mapping's period rule gave.
    pub period: Option<Period>,
    /// What was noted of it, where its times are those of a wall.
    pub noted: Local,
    /// What an export says was noted of `local`.
    pub told: Option<Local>,
    /// The first and the last moment on the wall of the row's place, where such are taken.
    pub local: [Option<WallClock>; 2],
}

/// An activity whose values are still coming in.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    given: u64,
    nested: BTreeSet<Field>,
    problems: Vec<RowProblem>,
    /// The times.
    pub times: Times,
    /// What an export says it is.
    pub ours: Option<ActivityId>,
    external_id: Option<String>,
    kind: Option<String>,
    quantity: Option<Decimal>,
    unit: Option<String>,
    inputs: BTreeMap<String, (Option<Decimal>, Option<String>)>,
    time_zone: Option<String>,
    facility: Option<Ref<envora_domain::id::Facility>>,
    source: Option<Ref<envora_domain::id::Source>>,
    supplier: Option<String>,
    entity: Option<String>,
    scope: Option<u8>,
    category: Option<u8>,
    item: Option<String>,
    item_scheme: Option<String>,
    region: Option<String>,
    grid: Option<String>,
    price: PriceDraft,
    reading: ReadingDraft,
    instruments: Vec<String>,
    data_kind: Option<String>,
    primary: Option<bool>,
    uncertainty_pct: Option<Decimal>,
    quality: BTreeMap<String, u8>,
    evidence: Vec<String>,
    supersedes: Option<String>,
    supersede_reason: Option<String>,
    void: Option<bool>,
    qualifiers: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    note: Option<String>,
    flags: Flags,
}

#[derive(Clone, Debug, Default)]
struct PriceDraft {
    given: bool,
    year: Option<i32>,
    basis: Option<String>,
    tax_included: Option<bool>,
    margins_included: Option<bool>,
}

#[derive(Clone, Debug, Default)]
struct ReadingDraft {
    given: bool,
    start: Option<Decimal>,
    end: Option<Decimal>,
    multiplier: Option<Decimal>,
    register: Option<String>,
    rollover_at: Option<Decimal>,
}

impl Draft {
    /// Sets a field, and lists what is wrong with the value.
    pub fn set(&mut self, field: &Field, given: Given<'_>) {
        if let Err(problem) = self.try_set(field, given) {
            self.report(problem);
        }
    }

    /// Sets a field.
    ///
    /// # Errors
    /// What is wrong with the value; the field then counts as given, and is not reported as missing.
    pub fn try_set(&mut self, field: &Field, given: Given<'_>) -> Result<(), RowProblem> {
        self.mark(field);
        self.put(field, given).map_err(|mut problem| {
            problem.field = field.pointer() + &problem.field;
            problem
        })
    }

    /// Sets `start` or `end` from a time without an offset; whether it is one.
    pub fn set_local(&mut self, field: &Field, text: &str) -> bool {
        let Some(Moment::Wall(wall)) = read_iso(text).filter(|_| !text.ends_with(['Z', 'z']))
        else {
            return false;
        };
        let [first, last] = &mut self.times.local;
        let slot = if *field == Field::Start { first } else { last };
        if !wall.is_kept() || !matches!(field, Field::Start | Field::End) {
            return false;
        }
        *slot = Some(wall);
        self.mark(field);
        true
    }

    /// Counts a field as given whose value is reported as wrong elsewhere.
    pub fn mark(&mut self, field: &Field) {
        self.given |= field.bit();
        if matches!(field, Field::InputQuantity(_) | Field::InputUnit(_)) {
            self.nested.insert(field.clone());
        }
    }

    /// Counts the period as given: what is wrong with it is reported elsewhere.
    pub fn mark_period(&mut self) {
        self.given |= Field::Start.bit() | Field::End.bit();
    }

    /// Counts `price` or `reading` as given, even when the object is empty.
    pub fn mark_object(&mut self, name: &str) {
        match name {
            "price" => self.price.given = true,
            "reading" => self.reading.given = true,
            _ => {}
        }
    }

    /// Counts an input as given, even when the object is empty.
    pub fn mark_input(&mut self, name: &str) {
        self.inputs.entry(name.to_owned()).or_default();
    }

    /// Adds a problem to the row's list, which holds ten.
    pub fn report(&mut self, problem: RowProblem) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }

    /// Whether the row's list of problems takes no more: what is worked out for it is worked out for nothing.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.problems.len() >= PROBLEMS_MAX
    }

    /// Adds a flag.
    pub fn flag(&mut self, flag: Flag) {
        self.flags.insert(flag);
    }

    /// The sender's id, where that was read.
    #[must_use]
    pub fn external_id(&self) -> Option<&str> {
        self.external_id.as_deref()
    }

    /// Whether a field came, good or bad.
    #[must_use]
    pub fn has(&self, field: &Field) -> bool {
        self.given & field.bit() != 0 || self.nested.contains(field)
    }

    /// The row's time zone, when it has one.
    #[must_use]
    pub fn time_zone(&self) -> Option<&str> {
        self.time_zone.as_deref()
    }

    /// How the row names its source and its facility; where it names none, nothing.
    #[must_use]
    pub fn places(&self) -> (Cow<'_, str>, Cow<'_, str>) {
        (word(self.source.as_ref()), word(self.facility.as_ref()))
    }

    /// The quantity, when it could be read.
    #[must_use]
    pub const fn quantity(&self) -> Option<Decimal> {
        self.quantity
    }

    fn number(&mut self, given: Given<'_>) -> Shaped<Decimal> {
        let (value, artefact) = shapes::decimal(given)?;
        if artefact {
            self.flags.insert(Flag::FloatArtifact);
        }
        Ok(value)
    }

    fn put(&mut self, field: &Field, given: Given<'_>) -> Shaped<()> {
        let code = |given| shapes::text(given, CODE_CHARS_MAX).map(Some);
        let word = |given| shapes::text(given, WORD_CHARS_MAX).map(Some);
        let small =
            |given, max| shapes::integer(given, 1..=max).map(|value| u8::try_from(value).ok());
        match field {
            Field::ExternalId => self.external_id = code(given)?,
            Field::Type => self.kind = Some(shapes::kind(given)?),
            Field::Quantity => self.quantity = Some(self.number(given)?),
            Field::Unit => self.unit = word(given)?,
            Field::OccurredAt => self.times.occurred_at = Some(shapes::instant(given)?),
            Field::Start => self.times.start = Some(shapes::instant(given)?),
            Field::End => self.times.end = Some(shapes::instant(given)?),
            Field::StartDate => self.times.start_date = Some(shapes::day(given)?),
            Field::EndDate => self.times.end_date = Some(shapes::day(given)?),
            Field::TimeZone => self.time_zone = word(given)?,
            Field::FacilityId => self.facility = Some(Ref::Id(shapes::id(given)?)),
            Field::FacilityCode => self.facility = Some(Ref::Code(shapes::own_code(given)?)),
            Field::SourceId => self.source = Some(Ref::Id(shapes::id(given)?)),
            Field::SourceCode => self.source = Some(Ref::Code(shapes::own_code(given)?)),
            Field::SupplierCode => self.supplier = Some(shapes::own_word::<Supplier>(given)?),
            Field::EntityCode => self.entity = Some(shapes::own_word::<Entity>(given)?),
            Field::Scope => self.scope = small(given, 3)?,
            Field::Category => self.category = small(given, 15)?,
            Field::Item => self.item = code(given)?,
            Field::ItemScheme => self.item_scheme = word(given)?,
            Field::Region => self.region = Some(shapes::region(given)?),
            Field::Grid => self.grid = word(given)?,
            Field::Instruments => self.put_cell_list(given, shapes::any_id)?,
            Field::Evidence => self.put_cell_list(given, shapes::evidence)?,
            Field::DataKind => self.data_kind = word(given)?,
            Field::Primary => self.primary = Some(shapes::boolean(given)?),
            Field::UncertaintyPct => {
                self.uncertainty_pct = Some(shapes::not_negative(self.number(given)?)?);
            }
            Field::Supersedes => self.supersedes = Some(shapes::text_of(given, 0, 204)?),
            Field::SupersedeReason => self.supersede_reason = word(given)?,
            Field::Void => self.void = Some(shapes::boolean(given)?),
            Field::Note => self.note = Some(shapes::note(given)?.to_owned()),
            Field::PriceYear
            | Field::PriceBasis
            | Field::PriceTaxIncluded
            | Field::PriceMarginsIncluded => self.put_price(field, given)?,
            Field::ReadingStart
            | Field::ReadingEnd
            | Field::ReadingMultiplier
            | Field::ReadingRegister
            | Field::ReadingRolloverAt => self.put_reading(field, given)?,
            Field::InputQuantity(_)
            | Field::InputUnit(_)
            | Field::Quality(_)
            | Field::Qualifier(_)
            | Field::Tag(_) => self.put_named(field, given)?,
        }
        Ok(())
    }

    fn put_price(&mut self, field: &Field, given: Given<'_>) -> Shaped<()> {
        if *field == Field::PriceYear {
            let year = shapes::integer(given, 1990..=9999)?;
            self.price.year = i32::try_from(year).ok();
        } else if *field == Field::PriceBasis {
            self.price.basis = Some(shapes::text(given, WORD_CHARS_MAX)?);
        } else if *field == Field::PriceTaxIncluded {
            self.price.tax_included = Some(shapes::boolean(given)?);
        } else {
            self.price.margins_included = Some(shapes::boolean(given)?);
        }
        Ok(())
    }

    fn put_reading(&mut self, field: &Field, given: Given<'_>) -> Shaped<()> {
        if *field == Field::ReadingRegister {
            self.reading.register = Some(shapes::text(given, CODE_CHARS_MAX)?);
            return Ok(());
        }
        let value = Some(self.number(given)?);
        let own = &mut self.reading;
        if *field == Field::ReadingStart {
            own.start = value;
        } else if *field == Field::ReadingEnd {
            own.end = value;
        } else if *field == Field::ReadingMultiplier {
            own.multiplier = value;
        } else {
            own.rollover_at = value;
        }
        Ok(())
    }

    fn put_named(&mut self, field: &Field, given: Given<'_>) -> Shaped<()> {
        if let Field::InputQuantity(name) = field {
            let value = self.number(given)?;
            self.inputs.entry(name.clone()).or_default().0 = Some(value);
        } else if let Field::InputUnit(name) = field {
            let unit = shapes::text(given, WORD_CHARS_MAX)?;
            self.inputs.entry(name.clone()).or_default().1 = Some(unit);
        } else if let Field::Quality(name) = field {
            let value = shapes::integer(given, 1..=5)?;
            self.quality.insert(name.clone(), u8::try_from(value).unwrap_or(1));
        } else if let Field::Qualifier(name) = field {
            let value = shapes::text(given, CODE_CHARS_MAX)?;
            self.qualifiers.insert(name.clone(), value);
        } else if let Field::Tag(name) = field {
            let value = shapes::tag(given)?.to_owned();
            self.tags.insert(name.clone(), value);
        }
        Ok(())
    }
}

impl Draft {
    /// A list in one cell, its items set apart by `;`.
    fn put_cell_list(
        &mut self,
        given: Given<'_>,
        shape: impl Fn(Given<'_>) -> Shaped<String>,
    ) -> Shaped<()> {
        let Given::Cell(cell) = given else {
            let detail = format!("a list is due here, not {}", given.what());
            return Err(RowProblem::new(RowCode::WrongType, "", detail)
                .value(given.shown())
                .hint("write the items in square brackets"));
        };
        let items = cell.split(';').map(str::trim).filter(|item| !item.is_empty());
        let items = items.map(|item| shape(Given::Cell(item))).collect::<Shaped<Vec<_>>>()?;
        check_list(&items)?;
        if items.first().is_some_and(|item| item.starts_with("ev_") || item.starts_with("sha256:"))
        {
            self.evidence = items;
        } else {
            self.instruments = items;
        }
        Ok(())
    }

    /// Sets a list from a JSON array.
    pub fn set_list(&mut self, field: &Field, items: &[Given<'_>]) {
        self.mark(field);
        let evidence = *field == Field::Evidence;
        let mut good = Vec::new();
        for (place, item) in items.iter().take(LIST_ITEMS_MAX + 1).enumerate() {
            let shaped = if evidence { shapes::evidence(*item) } else { shapes::any_id(*item) };
            match shaped {
                Ok(item) => good.push(item),
                Err(mut problem) => {
                    problem.field = format!("{}/{place}", field.pointer());
                    self.report(problem);
                }
            }
        }
        if let Err(mut problem) = check_list(&good) {
            problem.field = field.pointer();
            self.report(problem);
        }
        if evidence {
            self.evidence = good;
        } else {
            self.instruments = good;
        }
    }

    /// What the schema's required fields, alternatives and dependencies find, after all values.
    fn judge(&mut self) {
        for field in [Field::Type, Field::Quantity, Field::Unit] {
            if !self.voids() && !self.has(&field) {
                self.missing(&field, "every activity needs it");
            }
        }
        self.judge_period();
        self.judge_places();
        for (field, other) in [
            (Field::Category, Field::Scope),
            (Field::ItemScheme, Field::Item),
            (Field::SupersedeReason, Field::Supersedes),
            (Field::Void, Field::Supersedes),
        ] {
            if self.has(&field) && !self.has(&other) {
                self.missing(&other, &format!("{} needs it", field.name()));
            }
        }
        self.judge_objects();
    }

    /// Whether the row does nothing but take another back: what it leaves out, it has from that one.
    fn voids(&self) -> bool {
        self.void == Some(true)
    }

    fn missing(&mut self, field: &Field, why: &str) {
        let name = field.name();
        let detail = format!("{name} is missing: {why}");
        self.report(
            RowProblem::new(RowCode::MissingField, &field.pointer(), detail)
                .hint(format!("give {name}")),
        );
    }

    fn judge_period(&mut self) {
        if self.times.period.is_some() {
            return;
        }
        for (field, other) in [(Field::Start, Field::End), (Field::StartDate, Field::EndDate)] {
            for (field, other) in [(&field, &other), (&other, &field)] {
                if self.has(field) && !self.has(other) {
                    self.missing(other, &format!("{} needs it", field.name()));
                }
            }
        }
        let ways = [Field::OccurredAt, Field::Start, Field::StartDate];
        let pairs = [Field::OccurredAt, Field::End, Field::EndDate];
        let given = ways.iter().zip(&pairs).filter(|(a, b)| self.has(a) || self.has(b)).count();
        if given == 0 && !self.voids() {
            self.report(
                RowProblem::new(RowCode::MissingField, "", "the row does not say when it happened")
                    .hint("give occurred_at, or start and end, or start_date and end_date"),
            );
        } else if given > 1 {
            self.report(
                RowProblem::new(
                    RowCode::WrongType,
                    "",
                    "the row says in two ways when it happened",
                )
                .hint("give one of occurred_at, start and end, start_date and end_date"),
            );
        }
    }

    fn judge_places(&mut self) {
        for (id, code) in
            [(Field::FacilityId, Field::FacilityCode), (Field::SourceId, Field::SourceCode)]
        {
            if self.has(&id) && self.has(&code) {
                let detail = format!("{} and {} cannot both be given", id.name(), code.name());
                self.report(
                    RowProblem::new(RowCode::WrongType, &id.pointer(), detail)
                        .hint("leave one of the two out"),
                );
            }
        }
        let places = [
            Field::FacilityId,
            Field::FacilityCode,
            Field::SourceId,
            Field::SourceCode,
            Field::EntityCode,
        ];
        if !self.voids() && !places.iter().any(|field| self.has(field)) {
            self.report(
                RowProblem::new(
                    RowCode::MissingField,
                    "",
                    "the row does not say where it happened",
                )
                .hint("give facility_code, source_code or entity_code (or an id of ours)"),
            );
        }
    }

    fn judge_objects(&mut self) {
        let price = [Field::PriceBasis, Field::PriceTaxIncluded, Field::PriceMarginsIncluded];
        let priced = self.price.given || price.iter().any(|field| self.has(field));
        if priced && !self.has(&Field::PriceYear) {
            self.missing(&Field::PriceYear, "a price needs it");
        }
        let reading = [
            Field::ReadingStart,
            Field::ReadingEnd,
            Field::ReadingMultiplier,
            Field::ReadingRegister,
            Field::ReadingRolloverAt,
        ];
        let read = self.reading.given || reading.iter().any(|field| self.has(field));
        for field in [Field::ReadingStart, Field::ReadingEnd] {
            if read && !self.has(&field) {
                self.missing(&field, "a reading needs it");
            }
        }
        for name in self.inputs.keys().cloned().collect::<Vec<_>>() {
            for field in [Field::InputQuantity(name.clone()), Field::InputUnit(name)] {
                if !self.has(&field) {
                    self.missing(&field, "an input has a quantity and a unit");
                }
            }
        }
        for (name, count, most) in [
            ("/inputs", self.inputs.len(), 12),
            ("/qualifiers", self.qualifiers.len(), 40),
            ("/tags", self.tags.len(), 16),
        ] {
            if count > most {
                let detail = format!("{count} entries, at most {most} are kept");
                self.report(
                    RowProblem::new(RowCode::WrongType, name, detail).hint("leave some out"),
                );
            }
        }
    }

    fn period(&self) -> Option<Period> {
        let Times { occurred_at, start, end, start_date, end_date, period, local, .. } = self.times;
        let [first, last] = local;
        period
            .or_else(|| Some(Period::WallClock { start: first?, end: last? }))
            .or_else(|| occurred_at.map(Period::Instant))
            .or_else(|| Some(Period::Between(start?, end?)))
            .or_else(|| Some(Period::Days { first: start_date?, last: end_date? }))
    }

    /// The activity, or everything that is wrong with the row.
    ///
    /// # Errors
    /// At most ten problems, and what could be read.
    pub fn finish(mut self, origin: Origin) -> Result<Activity, Box<Unfinished>> {
        // What cannot be read at all lacks every field: the one problem says it.
        let whole = |problem: &RowProblem| problem.field.trim_start_matches('#').is_empty();
        if self.problems.iter().any(whole) {
            return Err(Box::new(Unfinished(self)));
        }
        if self.voids() {
            // A blank cell is no fault of a row that need not say it.
            self.problems.retain(|problem| problem.code != RowCode::MissingField);
        }
        self.judge();
        if self.voids() {
            self.quantity.get_or_insert(Decimal::ZERO);
            self.unit.get_or_insert_default();
            self.kind.get_or_insert_default();
            self.times.period = self.period().or(Some(UNSAID));
        }
        let whole = self.quantity.is_some() && self.unit.is_some() && self.kind.is_some();
        if whole && self.period().is_some() && self.problems.is_empty() {
            return Ok(self.build(origin));
        }
        Err(Box::new(Unfinished(self)))
    }

    /// The activity of what was read.
    fn build(mut self, origin: Origin) -> Activity {
        let period = self.period().unwrap_or(UNSAID);
        let quantity = self.quantity.unwrap_or(Decimal::ZERO);
        let amount = Input { quantity, unit: self.unit.take().unwrap_or_default() };
        let kind = self.kind.take().unwrap_or_default();
        let mut activity = Activity::new(&kind, amount, period, origin);
        activity.price = self.price.year.map(|year| Price {
            year,
            basis: self.price.basis.take(),
            tax_included: self.price.tax_included,
            margins_included: self.price.margins_included,
        });
        activity.reading = self.reading.start.zip(self.reading.end).map(|(start, end)| Reading {
            start,
            end,
            multiplier: self.reading.multiplier,
            register: self.reading.register.take(),
            rollover_at: self.reading.rollover_at,
        });
        let input = |(name, (quantity, unit)): (String, (Option<Decimal>, Option<String>))| {
            Some((name, Input { quantity: quantity?, unit: unit? }))
        };
        activity.inputs = self.inputs.into_iter().filter_map(input).collect();
        activity.external_id = self.external_id;
        activity.time_zone = self.time_zone;
        activity.facility = self.facility;
        activity.source = self.source;
        activity.supplier = self.supplier;
        activity.entity = self.entity;
        activity.scope = self.scope;
        activity.category = self.category;
        activity.item = self.item;
        activity.item_scheme = self.item_scheme;
        activity.region = self.region;
        activity.grid = self.grid;
        activity.instruments = self.instruments;
        activity.data_kind = self.data_kind;
        activity.primary = self.primary;
        activity.uncertainty_pct = self.uncertainty_pct;
        activity.quality = self.quality;
        activity.evidence = self.evidence;
        activity.supersedes = self.supersedes;
        activity.supersede_reason = self.supersede_reason;
        activity.void = self.void.unwrap_or(false);
        activity.qualifiers = self.qualifiers;
        activity.tags = self.tags;
        activity.note = self.note;
        activity.flags = self.flags;
        activity.local = match (period, self.times.period) {
            (Period::WallClock { .. }, Some(_)) => self.times.noted,
            (Period::WallClock { .. }, None) => {
                let both = || Local::default().said(Side::Start).said(Side::End);
                self.times.told.unwrap_or_else(both)
            }
            _ => Local::default(),
        };
        activity
    }
}

fn word<K: Kind>(named: Option<&Ref<K>>) -> Cow<'_, str> {
    match named {
        None => Cow::Borrowed(""),
        Some(Ref::Code(code)) => Cow::Borrowed(code),
        Some(Ref::Id(id)) => Cow::Owned(id.to_string()),
    }
}

fn check_list(items: &[String]) -> Shaped<()> {
    if items.len() > LIST_ITEMS_MAX {
        let detail = format!("more than {LIST_ITEMS_MAX} items");
        return Err(RowProblem::new(RowCode::WrongType, "", detail).hint("leave some out"));
    }
    let mut seen = BTreeSet::new();
    match items.iter().find(|item| !seen.insert(item.as_str())) {
        None => Ok(()),
        Some(twice) => Err(RowProblem::new(RowCode::WrongType, "", "the list has an item twice")
            .value(twice)
            .hint("name each item once")),
    }
}

/// The series of an activity: that of the draft that it was.
pub(crate) fn series_of(activity: &Activity) -> u64 {
    let mut hasher = DefaultHasher::new();
    Some(&activity.kind).hash(&mut hasher);
    activity.facility.as_ref().map(ToString::to_string).hash(&mut hasher);
    activity.source.as_ref().map(ToString::to_string).hash(&mut hasher);
    activity.supplier.hash(&mut hasher);
    activity.entity.hash(&mut hasher);
    activity.item.hash(&mut hasher);
    activity.qualifiers.hash(&mut hasher);
    hasher.finish()
}

impl Draft {
    /// A hash of what the rows of one series have in common: all of the default natural key but the
    /// period. Only for telling series apart within one file.
    #[must_use]
    pub fn series(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.kind.hash(&mut hasher);
        self.facility.as_ref().map(ToString::to_string).hash(&mut hasher);
        self.source.as_ref().map(ToString::to_string).hash(&mut hasher);
        self.supplier.hash(&mut hasher);
        self.entity.hash(&mut hasher);
        self.item.hash(&mut hasher);
        self.qualifiers.hash(&mut hasher);
        hasher.finish()
    }

    /// The unit, when it came.
    #[must_use]
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// The unit in another word: that of a code, where an alias set settles what was sent.
    pub fn replace_unit(&mut self, code: String) {
        self.unit = Some(code);
    }

    /// Whether anything is wrong so far.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        !self.problems.is_empty()
    }
}
