//! The rules that an activity must meet by itself, whatever format it came in: type, unit, sign,
//! claim, period, readings, qualifiers.
//!
//! What needs the tenant's own tables (facilities, sources, rows stored before) is judged elsewhere.

use core::hash::{Hash as _, Hasher};

use crate::activities::problems::{Effect, PROBLEMS_MAX, RowCode, RowProblem};
use crate::activities::{Activity, Period, Reading};
use crate::catalogue::{self, ActivityKind, Due, InputSpec, QualifierError, Quantity, Sign};
use crate::decimal::Decimal;
use crate::rational::Rational;
use crate::time::{Day, Zone};
use crate::units::{self, AliasSet, Unit, UnitError};

/// The longest period of a row: ten years.
const PERIOD_DAYS_MAX: i64 = 3_660;

/// The days that a row can lie in: 1900-01-01 to 2199-12-31.
const PERIOD_RANGE: core::ops::RangeInclusive<i32> = -25_567..=84_005;

/// What is wrong with the activity, at most ten problems; codes that
/// [quarantine](Effect::Quarantine) leave the row storable.
#[must_use]
pub fn validate(activity: &Activity) -> Vec<RowProblem> {
    let mut problems = validate_words(activity);
    problems.append(&mut validate_amounts(activity));
    problems.truncate(PROBLEMS_MAX);
    problems
}

/// The part of [`validate`] that looks at words alone: type, unit, claim, qualifiers, inputs, zone.
/// The rows of a file mostly share them, so a reader need not ask again for each row.
#[must_use]
pub fn validate_words(activity: &Activity) -> Vec<RowProblem> {
    let mut problems = Vec::new();
    match catalogue::find(&activity.kind) {
        None => problems.push(unknown_type(&activity.kind)),
        Some(kind) => {
            check_unit(activity, kind, &mut problems);
            check_claim(activity, kind, &mut problems);
            check_qualifiers(activity, kind, &mut problems);
            check_inputs(activity, kind, &mut problems);
            check_item(activity, kind, &mut problems);
            check_country(activity, kind, &mut problems);
            check_grid(activity, &mut problems);
        }
    }
    check_zone(activity, &mut problems);
    problems
}

/// The part of [`validate`] that looks at amounts and times.
#[must_use]
pub fn validate_amounts(activity: &Activity) -> Vec<RowProblem> {
    let mut problems = Vec::new();
    check_sign(activity, &mut problems);
    check_input_amounts(activity, &mut problems);
    check_period(activity, &mut problems);
    check_reading(activity, &mut problems);
    check_supersession(activity, &mut problems);
    problems
}

/// Whether the balance of a refrigerant comes to less than nothing. It counts as it is: clamped, a
/// year's surplus would hide another year's loss.
#[must_use]
pub fn is_negative_balance(activity: &Activity) -> bool {
    if activity.kind != "refrigerant.balance" {
        return false;
    }
    let amount = |quantity: Decimal, unit: &str| {
        unit_of(unit).map_or(Rational::whole(0), |unit| exact(quantity).times(unit.size()))
    };
    let input = |name: &str| {
        let input = activity.inputs.get(name);
        input.map_or(Rational::whole(0), |input| amount(input.quantity, &input.unit))
    };
    let came = amount(activity.quantity, &activity.unit)
        .plus(&input("stock_begin"))
        .plus(&input("capacity_begin"));
    let left = input("stock_end").plus(&input("sold")).plus(&input("capacity_end"));
    came.minus(&left).is_negative()
}

/// Whether two activities have the same words, so that [`validate_words`] says the same of both.
#[must_use]
pub fn same_words(a: &Activity, b: &Activity) -> bool {
    a.kind == b.kind
        && a.unit == b.unit
        && a.time_zone == b.time_zone
        && (a.scope, a.category) == (b.scope, b.category)
        && a.qualifiers == b.qualifiers
        && (&a.item, &a.item_scheme, &a.region, &a.grid)
            == (&b.item, &b.item_scheme, &b.region, &b.grid)
        && a.inputs
            .iter()
            .map(|(name, input)| (name, &input.unit))
            .eq(b.inputs.iter().map(|(name, input)| (name, &input.unit)))
}

/// Hashes what [`same_words`] compares: of the same words, the same.
pub fn hash_words<H: Hasher>(activity: &Activity, state: &mut H) {
    let claim = (activity.scope, activity.category);
    (&activity.kind, &activity.unit, &activity.time_zone, claim).hash(state);
    (&activity.item, &activity.item_scheme, &activity.region, &activity.grid).hash(state);
    activity.qualifiers.hash(state);
    for (name, input) in &activity.inputs {
        (name, &input.unit).hash(state);
    }
}

/// Whether any of these keeps the row from being stored.
#[must_use]
pub fn rejects(problems: &[RowProblem]) -> bool {
    problems.iter().any(|problem| problem.code.effect() == Effect::Reject)
}

/// The unit that a text of a row means: a code, or a word that every alias set reads alike.
///
/// # Errors
/// [`UnitError`] when no table knows it, or it has several meanings.
pub fn unit_of(text: &str) -> Result<Unit, UnitError> {
    units::lookup(text, AliasSet::None).and_then(|code| units::parse_code(&code))
}

fn unknown_type(code: &str) -> RowProblem {
    let problem = RowProblem::new(
        RowCode::UnknownType,
        "/type",
        format!("{code:?} is no activity type of the catalogue"),
    )
    .value(code);
    match catalogue::did_you_mean(code) {
        Some(near) => problem.hint(format!("did you mean {near}?")),
        None => problem.hint("use a code of the catalogue, such as electricity.purchased"),
    }
}

fn unit_problem(error: &UnitError, pointer: &str, text: &str) -> RowProblem {
    let currency = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    let code = match error {
        UnitError::Unknown { .. } if currency => RowCode::UnknownCurrency,
        UnitError::Unknown { .. } => RowCode::UnknownUnit,
        UnitError::Ambiguous { .. } => RowCode::UnitAmbiguous,
        UnitError::Mismatch { .. } => RowCode::UnitMismatch,
    };
    let (detail, hint) = if code == RowCode::UnknownCurrency {
        let hint = "write a currency's ISO 4217 code, such as GBP, or a unit's UCUM code";
        (format!("{text:?} is no currency and no unit that is known here"), hint.to_owned())
    } else {
        (error.to_string(), error.remedy())
    };
    RowProblem::new(code, pointer, detail).value(text).hint(hint)
}

fn check_unit(activity: &Activity, kind: &ActivityKind, problems: &mut Vec<RowProblem>) {
    let checked =
        unit_of(&activity.unit).and_then(|unit| kind.check_unit(&unit, &activity.qualifiers));
    if let Err(error) = checked {
        problems.push(unit_problem(&error, "/unit", &activity.unit));
    }
}

fn check_sign(activity: &Activity, problems: &mut Vec<RowProblem>) {
    if !activity.quantity.is_negative() {
        return;
    }
    let Some(kind) = catalogue::find(&activity.kind).filter(|kind| kind.sign != Sign::Any) else {
        return;
    };
    let hint = if kind.code == "electricity.purchased" {
        "what is fed into the grid is electricity.exported, with a positive quantity"
    } else {
        "correct it at the source; to take a row back, send one with supersedes and void"
    };
    problems.push(
        RowProblem::new(
            RowCode::NegativeNotAllowed,
            "/quantity",
            format!("a quantity of {} is zero or more", kind.code),
        )
        .value(&activity.quantity.to_string())
        .hint(hint),
    );
}

fn check_claim(activity: &Activity, kind: &ActivityKind, problems: &mut Vec<RowProblem>) {
    let claimed = activity.scope.is_some() || activity.category.is_some();
    if !claimed || kind.may_book(activity.scope, activity.category) {
        return;
    }
    let books = kind.books.iter().filter(|book| book.scope > 0).map(|book| match book.category {
        0 => format!("scope {}", book.scope),
        category => format!("scope {} category {category}", book.scope),
    });
    let books = books.collect::<Vec<_>>().join(", ");
    let claim = match (activity.scope, activity.category) {
        (Some(scope), Some(category)) => format!("scope {scope} category {category}"),
        (Some(scope), None) => format!("scope {scope}"),
        _ => "this category".to_owned(),
    };
    let field = if kind.may_book(activity.scope, None) { "/category" } else { "/scope" };
    problems.push(
        RowProblem::new(
            RowCode::ScopeNotAllowed,
            field,
            format!("{} cannot be booked to {claim}", kind.code),
        )
        .hint(format!("leave the claim out, or claim {books}")),
    );
}

fn check_qualifiers(activity: &Activity, kind: &ActivityKind, problems: &mut Vec<RowProblem>) {
    for error in kind.check_qualifiers(&activity.qualifiers) {
        let detail = error.to_string();
        let near = |near: &Option<&str>| near.map(|near| format!("did you mean {near}?"));
        let (code, name, hint) = match &error {
            QualifierError::Unknown { name, did_you_mean, .. } => (
                RowCode::UnknownField,
                name.as_str(),
                near(did_you_mean).unwrap_or_else(|| "put your own labels under tags".to_owned()),
            ),
            QualifierError::Missing { name, .. } => {
                (RowCode::MissingField, *name, format!("give qualifiers.{name}"))
            }
            QualifierError::Word { name, value, .. } => {
                let known = kind.qualifiers.iter().find(|known| known.name == *name);
                let words = known.into_iter().flat_map(|known| known.vocabulary.words());
                (RowCode::UnknownItem, *name, catalogue::instead(value, words))
            }
        };
        let mut problem = RowProblem::new(code, &format!("/qualifiers/{name}"), detail).hint(hint);
        if let Some(value) = activity.qualifiers.get(name) {
            problem = problem.value(value);
        }
        problems.push(problem);
    }
}

fn check_inputs(activity: &Activity, kind: &ActivityKind, problems: &mut Vec<RowProblem>) {
    for (name, input) in &activity.inputs {
        let Some(known) = kind.inputs.iter().find(|known| known.name == name) else {
            let known: Vec<&str> = kind.inputs.iter().map(|known| known.name).collect();
            let hint = if known.is_empty() {
                "leave it out".to_owned()
            } else {
                format!("its inputs are {}", known.join(", "))
            };
            let detail = format!("{} has no input {name}", kind.code);
            let problem =
                RowProblem::new(RowCode::UnknownField, &format!("/inputs/{name}"), detail);
            problems.push(problem.hint(hint));
            continue;
        };
        let field = format!("/inputs/{name}/unit");
        match unit_of(&input.unit) {
            Err(error) => problems.push(unit_problem(&error, &field, &input.unit)),
            Ok(unit) if !known.quantities.iter().any(|quantity| quantity.is_of(&unit)) => {
                let due = known.quantities.first().copied().unwrap_or(Quantity::Number);
                let detail = format!("{name} is {}, and {} is not", due.name(), input.unit);
                let problem = RowProblem::new(RowCode::UnitMismatch, &field, detail);
                let hint = format!("send it in a unit such as {}", due.example());
                problems.push(problem.value(&input.unit).hint(hint));
            }
            Ok(unit) => {
                let burnt = known.quantities.contains(&Quantity::GasVolume);
                if burnt
                    && let Err(error) = ActivityKind::check_fuel_volume(&unit, &activity.qualifiers)
                {
                    problems.push(unit_problem(&error, &field, &input.unit));
                }
            }
        }
    }
    let unit = unit_of(&activity.unit).ok();
    for known in kind.inputs.iter().filter(|known| activity.inputs.contains_key(known.name)) {
        if let Some(quantity) = unit.as_ref().and_then(|unit| idle(known, unit)) {
            let (name, due) = (known.name, quantity.name());
            let detail = format!(
                "{} takes the input {name} where the quantity is {due}, and {} is not: it would count for nothing",
                kind.code, activity.unit
            );
            let field = format!("/inputs/{name}");
            let example = quantity.example();
            let hint =
                format!("leave {name} out, or send {due} as the quantity, such as in {example}");
            problems.push(RowProblem::new(RowCode::UnknownField, &field, detail).hint(hint));
        }
    }
    for known in kind.inputs.iter().filter(|known| !activity.inputs.contains_key(known.name)) {
        if let Some(because) = due(known, unit.as_ref(), activity) {
            let detail = format!("{} needs the input {} {because}", kind.code, known.name);
            let example = known.quantities.first().map_or("", |quantity| quantity.example());
            let field = format!("/inputs/{}", known.name);
            let hint =
                format!("give inputs.{} with quantity and unit, such as {example}", known.name);
            problems.push(RowProblem::new(RowCode::MissingField, &field, detail).hint(hint));
        }
    }
}

/// Whether a day can be the first of a period, or the first after one.
#[must_use]
pub fn is_of_periods(day: Day) -> bool {
    PERIOD_RANGE.contains(&day.number()) || day.number() == *PERIOD_RANGE.end() + 1
}

/// Why an input is due here, if it is.
fn due(known: &InputSpec, unit: Option<&Unit>, activity: &Activity) -> Option<String> {
    match known.due {
        Due::Never | Due::Only(_) => None,
        Due::Always => Some("always".to_owned()),
        Due::With(quantity) => {
            let with = unit.is_some_and(|unit| quantity.is_of(unit));
            with.then(|| format!("where the quantity is {}", quantity.name()))
        }
        Due::Beside(other) => {
            activity.inputs.contains_key(other).then(|| format!("beside {other}"))
        }
    }
}

/// The quantity beside which an input says something, where the row's is another.
fn idle(known: &InputSpec, unit: &Unit) -> Option<Quantity> {
    match known.due {
        Due::With(quantity) | Due::Only(quantity) => Some(quantity).filter(|due| !due.is_of(unit)),
        Due::Never | Due::Always | Due::Beside(_) => None,
    }
}

/// Inputs are zero or more, shares at most the whole, and nothing is divided by zero.
fn check_input_amounts(activity: &Activity, problems: &mut Vec<RowProblem>) {
    if activity.inputs.is_empty() {
        return;
    }
    let Some(kind) = catalogue::find(&activity.kind) else { return };
    for known in kind.inputs {
        let Some(input) = activity.inputs.get(known.name) else { continue };
        let field = format!("/inputs/{}/quantity", known.name);
        let value = input.quantity.to_string();
        let problem = |code, detail: String| RowProblem::new(code, &field, detail).value(&value);
        if input.quantity.is_negative() {
            let detail = format!("the input {} is zero or more", known.name);
            let hint = "correct it at the source";
            problems.push(problem(RowCode::NegativeNotAllowed, detail).hint(hint));
        } else if known.above_zero && input.quantity.is_zero() {
            let detail = format!("the input {} divides, and is above zero", known.name);
            let hint = "send the true value, or leave the input out";
            problems.push(problem(RowCode::WrongType, detail).hint(hint));
        } else if known.quantities.contains(&Quantity::Share) && is_above_whole(input) {
            let detail = format!("the input {} is above 100 %", known.name);
            let hint = "send it in % (or as a number up to 1, with the unit 1)";
            problems.push(problem(RowCode::SharesNot100, detail).hint(hint));
        } else if known.of_period && is_above_period(input, &activity.period) {
            let days = days_of(&activity.period);
            let detail =
                format!("{} {} are more than the period of the row has: {days}", value, known.name);
            let hint = "send the days on which one person travels within the period, or the period that was meant";
            problems.push(problem(RowCode::WrongType, detail).hint(hint));
        }
    }
}

/// How many days a period has at most; a year, where a row says an instant alone.
fn days_of(period: &Period) -> i64 {
    let (first, last) = period.rough_days();
    match period {
        Period::Instant(_) => 366,
        Period::Between(..) | Period::Days { .. } | Period::WallClock { .. } => {
            i64::from(last.number()) - i64::from(first.number()) + 1
        }
    }
}

fn is_above_period(input: &crate::activities::Input, period: &Period) -> bool {
    let Ok(unit) = unit_of(&input.unit) else { return false };
    let whole = Rational::whole(i128::from(days_of(period)) * 86_400);
    !period.is_reversed() && whole.minus(&exact(input.quantity).times(unit.size())).is_negative()
}

fn is_above_whole(input: &crate::activities::Input) -> bool {
    let Ok(unit) = unit_of(&input.unit) else { return false };
    Rational::ONE.minus(&exact(input.quantity).times(unit.size())).is_negative()
}

/// Goods are named by an item: one of our words of materials, or a code of a list that is named.
fn check_item(activity: &Activity, kind: &ActivityKind, problems: &mut Vec<RowProblem>) {
    if !matches!(kind.code, "goods.purchased" | "capital.purchased") {
        return;
    }
    let Some(item) = &activity.item else {
        let detail = format!("{} needs an item", kind.code);
        let hint = "give item: a material such as paper, or a code with its item_scheme";
        problems.push(RowProblem::new(RowCode::MissingField, "/item", detail).hint(hint));
        return;
    };
    if activity.item_scheme.is_some() || catalogue::word("material", item).is_some() {
        return;
    }
    let near = crate::words::did_you_mean(item, catalogue::words_of("material"));
    let hint = near.map_or_else(
        || "name the list it is of in item_scheme, or translate it with `map`".to_owned(),
        |near| format!("did you mean {near}?"),
    );
    let detail = format!("{item:?} is no material of the catalogue");
    problems.push(RowProblem::new(RowCode::UnknownItem, "/item", detail).value(item).hint(hint));
}

/// A hotel emits where it stands, which its guest's facility does not say.
fn check_country(activity: &Activity, kind: &ActivityKind, problems: &mut Vec<RowProblem>) {
    let said = activity.qualifiers.contains_key("country") || activity.region.is_some();
    if kind.code == "travel.stayed" && !said {
        let detail = "travel.stayed needs the country of the hotel";
        let hint = "give qualifiers.country, an ISO 3166-1 code such as FR";
        let problem = RowProblem::new(RowCode::MissingField, "/qualifiers/country", detail);
        problems.push(problem.hint(hint));
    }
    let word = |name: &str| activity.qualifiers.get(name).map(String::as_str);
    let region = activity.region.as_deref().and_then(|region| region.split('-').next());
    if let (Some(city), Some(country)) = (word("city"), word("country").or(region))
        && let Some(own) = country_of(city)
        && catalogue::word("country", country) != Some(own)
    {
        let detail = format!("{city} is a city of {own}, and the row says {country}");
        let hint =
            "correct the city or the country; leave the city out where it is another of that name";
        let problem = RowProblem::new(RowCode::UnknownItem, "/qualifiers/city", detail);
        problems.push(problem.value(city).hint(hint));
    }
}

/// The country of a city that publishers have a factor for.
fn country_of(city: &str) -> Option<&'static str> {
    (catalogue::word("city", city)? == "london").then_some("GB")
}

/// A grid that no table knows would be its country's average, for whatever grid was meant.
fn check_grid(activity: &Activity, problems: &mut Vec<RowProblem>) {
    let Some(grid) = activity.grid.as_deref() else { return };
    if let Some(remedy) = catalogue::grid_remedy(grid) {
        let detail = format!("{grid:?} is no grid that is known here");
        let problem = RowProblem::new(RowCode::UnknownItem, "/grid", detail).value(grid);
        problems.push(problem.hint(remedy));
    } else if let Some(region) = activity.region.as_deref()
        && let Some(elsewhere) = catalogue::grid_elsewhere(grid, region)
    {
        problems.push(grid_problem(elsewhere, "the region"));
    }
}

/// A row whose grid is not one of its place: `from` says where the place is from.
#[must_use]
pub fn grid_problem(elsewhere: String, from: &str) -> RowProblem {
    let hint = format!("{elsewhere}: correct the grid or {from}, or leave the grid out");
    let grid = elsewhere.split(' ').next().unwrap_or_default().to_owned();
    RowProblem::new(RowCode::UnknownItem, "/grid", elsewhere).value(&grid).hint(hint)
}

/// By how much clocks ever go back at once, and an hour more.
const BACK_MAX: i64 = 3 * 3_600_000_000;

/// Whether a period that ends before it starts may be one by a clock that went back meanwhile: whose clock
/// it is, is judged where that is known.
fn may_go_back(period: &Period) -> bool {
    let Period::WallClock { start, end } = period else { return false };
    start.as_micros().saturating_sub(end.as_micros()) <= BACK_MAX
}

fn check_period(activity: &Activity, problems: &mut Vec<RowProblem>) {
    if activity.period.is_reversed() && may_go_back(&activity.period) {
        return;
    }
    if activity.period.is_reversed() {
        let reversed = "the period ends before it starts";
        let (field, detail, hint) = match activity.period {
            Period::Days { .. } => (
                "/end_date",
                reversed,
                "give a last day on or after the first; both days are included",
            ),
            Period::Between(start, end) if start == end => (
                "/end",
                "the period is empty: it ends at the instant at which it starts",
                "give an end after the start, or an instant as occurred_at",
            ),
            Period::Between(..) | Period::WallClock { .. } | Period::Instant(_) => {
                ("/end", reversed, "give an end after the start; the end itself is not included")
            }
        };
        problems.push(RowProblem::new(RowCode::PeriodReversed, field, detail).hint(hint));
    } else if !activity.void {
        check_extent(&activity.period, problems);
    }
}

/// An end such as 9999-12-31 stands for "not over yet": what is spread over all those days would be
/// wrong for each of them. What a row that voids another says of its time counts for nothing.
fn check_extent(period: &Period, problems: &mut Vec<RowProblem>) {
    let (start, end) = match period {
        Period::Days { .. } => ("/start_date", "/end_date"),
        Period::Instant(_) => ("/occurred_at", "/occurred_at"),
        Period::Between(..) | Period::WallClock { .. } => ("/start", "/end"),
    };
    let (first, last) = period.rough_days();
    let over = "a period that is not over yet ends with the data";
    let strange = [(start, first), (end, last)]
        .into_iter()
        .find(|(_, day)| !PERIOD_RANGE.contains(&day.number()));
    let days = i64::from(last.number()) - i64::from(first.number()) + 1;
    let (field, detail, hint) = if let Some((field, day)) = strange {
        let detail = format!("{day} is outside of the years 1900 to 2199");
        (field, detail, format!("correct the year; {over}"))
    } else if days > PERIOD_DAYS_MAX {
        let detail = format!("the period has {days} days, at most {PERIOD_DAYS_MAX} are taken");
        (end, detail, format!("correct the end, or send a row for each year; {over}"))
    } else {
        return;
    };
    problems.push(RowProblem::new(RowCode::WrongType, field, detail).hint(hint));
}

fn check_zone(activity: &Activity, problems: &mut Vec<RowProblem>) {
    if let Some(name) = &activity.time_zone
        && let Err(error) = Zone::named(name)
    {
        problems.push(
            RowProblem::new(RowCode::WrongType, "/time_zone", error.to_string())
                .value(name)
                .hint("use a name of the IANA list; abbreviations such as GMT+1 or CET are unsafe"),
        );
    }
}

fn check_reading(activity: &Activity, problems: &mut Vec<RowProblem>) {
    let Some(reading) = &activity.reading else { return };
    let used = used(reading);
    if used == exact(activity.quantity) {
        return;
    }
    problems.push(
        RowProblem::new(
            RowCode::ReadingMismatch,
            "/reading",
            format!(
                "({} - {}) x {} is {}, not {}",
                reading.end,
                reading.start,
                reading.multiplier.map_or_else(|| "1".to_owned(), |by| by.to_string()),
                used.digits(),
                activity.quantity
            ),
        )
        .value(&activity.quantity.to_string())
        .hint(
            "correct the readings or the quantity; name rollover_at when the index fell back to 0",
        ),
    );
}

/// (end - start, over the rollover when the index fell) x multiplier, exactly.
fn used(reading: &Reading) -> Rational {
    let mut used = exact(reading.end).minus(&exact(reading.start));
    if let Some(rollover) = reading.rollover_at
        && used.is_negative()
    {
        used = used.plus(&exact(rollover));
    }
    reading.multiplier.map_or_else(|| used.clone(), |by| used.times(&exact(by)))
}

fn exact(value: Decimal) -> Rational {
    Rational::whole(value.mantissa()).times(&Rational::power_of_ten(-i32::from(value.scale())))
}

fn check_supersession(activity: &Activity, problems: &mut Vec<RowProblem>) {
    if let Some(text) = &activity.supersedes {
        let id = text.strip_prefix("act_").and_then(crate::base32::decode).is_some();
        let external = text.strip_prefix("ext:").is_some_and(|rest| !rest.is_empty());
        if !id && !external {
            problems.push(
                RowProblem::new(
                    RowCode::WrongType,
                    "/supersedes",
                    "what a row replaces is named by act_… or ext: and its external_id",
                )
                .value(text)
                .hint("write ext: before your own id"),
            );
        }
    }
    if activity.void && !activity.quantity.is_zero() {
        problems.push(
            RowProblem::new(
                RowCode::WrongType,
                "/quantity",
                "a row that voids another has quantity 0",
            )
            .value(&activity.quantity.to_string())
            .hint("send \"0\", or leave void out to replace the row"),
        );
    }
}

#[cfg(test)]
mod tests;
