//! The rows of the bench: made up, the same for the same count and seed on every machine.
//!
//! Integers only. Each row is a function of the seed and its number, so that any part of a file can be
//! made without the rest. Arrivals are spread over 365 days from 2026-01-01 and written in that order.

use std::sync::LazyLock;

/// The seed that is used where none is given.
pub(crate) const SEED: u64 = 20_260_301;
/// Meters, of which a few have most of the rows.
pub(crate) const SOURCES: u32 = 20_000;
/// Places, all in Great Britain and in UTC.
pub(crate) const FACILITIES: u32 = 200;
/// Words of the label `region`.
const REGIONS: u64 = 26;
/// Quarters of an hour in 365 days.
const SLOTS: u64 = 365 * 96;
/// Quarters of an hour in two days: how late a row may be.
const LATE_SLOTS_MAX: u64 = 2 * 96;

/// What is done: a type with its qualifiers, in the unit that is usual and in another one.
pub(crate) struct Work {
    pub(crate) kind: &'static str,
    pub(crate) qualifiers: &'static [(&'static str, &'static str)],
    pub(crate) unit: &'static str,
    pub(crate) other_unit: &'static str,
}

const fn work(
    kind: &'static str,
    qualifiers: &'static [(&'static str, &'static str)],
    unit: &'static str,
    other_unit: &'static str,
) -> Work {
    Work { kind, qualifiers, unit, other_unit }
}

const BURNT: &str = "fuel.combusted.stationary";
const DRIVEN: &str = "vehicle.driven";
const KM: &str = "x:veh.km";
const METRES: &str = "x:veh.m";

/// Forty works that the starter packs can calculate in Great Britain.
pub(crate) const WORKS: [Work; 40] = [
    work("electricity.purchased", &[], "kW.h", "MW.h"),
    work(BURNT, &[("fuel", "natural_gas")], "kW.h.x:gross", "kW.h.x:net"),
    work("water.supplied", &[], "m3", "L"),
    work("water.treated", &[], "m3", "L"),
    work(BURNT, &[("fuel", "diesel")], "L", "t"),
    work(BURNT, &[("fuel", "petrol")], "L", "t"),
    work(BURNT, &[("fuel", "gas_oil")], "L", "t"),
    work(BURNT, &[("fuel", "fuel_oil")], "L", "t"),
    work(BURNT, &[("fuel", "burning_oil")], "L", "t"),
    work(BURNT, &[("fuel", "lpg")], "L", "t"),
    work(BURNT, &[("fuel", "butane")], "L", "t"),
    work(BURNT, &[("fuel", "propane")], "L", "t"),
    work(BURNT, &[("fuel", "naphtha")], "L", "t"),
    work(BURNT, &[("fuel", "lubricants")], "L", "t"),
    work(BURNT, &[("fuel", "waste_oils")], "L", "t"),
    work(BURNT, &[("fuel", "marine_gas_oil")], "L", "t"),
    work(BURNT, &[("fuel", "aviation_turbine_fuel")], "L", "t"),
    work(BURNT, &[("fuel", "diesel_mineral")], "L", "t"),
    work(BURNT, &[("fuel", "petrol_mineral")], "L", "t"),
    work(BURNT, &[("fuel", "natural_gas_mineral")], "kW.h.x:gross", "kW.h.x:net"),
    work(BURNT, &[("fuel", "coal_industrial")], "t", "kg"),
    work(BURNT, &[("fuel", "coal_domestic")], "t", "kg"),
    work(BURNT, &[("fuel", "coking_coal")], "t", "kg"),
    work(BURNT, &[("fuel", "petroleum_coke")], "t", "kg"),
    work(BURNT, &[("fuel", "wood_chips")], "t", "kg"),
    work(BURNT, &[("fuel", "wood_pellets")], "t", "kg"),
    work(BURNT, &[("fuel", "wood_logs")], "t", "kg"),
    work(BURNT, &[("fuel", "grass_straw")], "t", "kg"),
    work("refrigerant.recharged", &[("gas", "HFC134a")], "kg", "g"),
    work("refrigerant.recharged", &[("gas", "HFC32")], "kg", "g"),
    work(DRIVEN, &[("fuel", "diesel"), ("vehicle_class", "car_average")], KM, METRES),
    work(DRIVEN, &[("fuel", "petrol"), ("vehicle_class", "car_average")], KM, METRES),
    work(DRIVEN, &[("fuel", "battery_electric"), ("vehicle_class", "car_average")], KM, METRES),
    work(DRIVEN, &[("fuel", "diesel"), ("vehicle_class", "car_small")], KM, METRES),
    work(DRIVEN, &[("fuel", "petrol"), ("vehicle_class", "car_large")], KM, METRES),
    work(DRIVEN, &[("fuel", "diesel"), ("vehicle_class", "van_average")], KM, METRES),
    work(DRIVEN, &[("fuel", "petrol"), ("vehicle_class", "van_class_1")], KM, METRES),
    work(DRIVEN, &[("fuel", "diesel"), ("vehicle_class", "van_class_3")], KM, METRES),
    work(DRIVEN, &[("laden", "average"), ("vehicle_class", "hgv_rigid_average")], KM, METRES),
    work(DRIVEN, &[("laden", "average"), ("vehicle_class", "hgv_artic_average")], KM, METRES),
];

/// What is wrong with a row of dirty data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It has no quantity.
    Refused,
    /// Nobody knows its unit.
    UnknownUnit,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) work: usize,
    pub(crate) is_other_unit: bool,
    /// The quantity without its point, and how many digits are behind it.
    pub(crate) quantity: (u64, u32),
    /// In quarters of an hour since 2026-01-01.
    pub(crate) start: u64,
    pub(crate) slots: u64,
    pub(crate) source: u32,
    pub(crate) region: Option<u64>,
    /// Written with its fields in another order, and with blanks.
    pub(crate) is_odd: bool,
    pub(crate) flaw: Option<Flaw>,
}

/// Whether rows have flaws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purity {
    /// None: for comparisons.
    Clean,
    /// 0.5 % stand twice, 0.1 % are refused, 0.1 % have an unknown unit.
    Dirty,
}

/// A file's rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows {
    pub(crate) count: u64,
    pub(crate) seed: u64,
    pub(crate) purity: Purity,
}

/// The finalizer of splitmix64.
const fn mixed(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A row's own stream of numbers.
struct Dice(u64);

impl Dice {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// The sums of the weights of all sources up to each: 10^12 / (number + 10).
static WEIGHTS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let mut sum = 0;
    let weight = |number: u32| 1_000_000_000_000 / (u64::from(number) + 10);
    (0..SOURCES)
        .map(|number| {
            sum += weight(number);
            sum
        })
        .collect()
});

/// The place of a source.
pub(crate) const fn facility_of(source: u32) -> u32 {
    source % FACILITIES
}

/// What a source meters.
pub(crate) fn work_of(source: u32) -> usize {
    let mixed = source.wrapping_mul(7).wrapping_add(source / FACILITIES);
    usize::try_from(mixed).unwrap_or_default() % WORKS.len()
}

impl Rows {
    /// Rows without flaws, by the usual seed.
    pub(crate) const fn clean(count: u64) -> Self {
        Self { count, seed: SEED, purity: Purity::Clean }
    }

    /// All of them.
    pub(crate) fn all(self) -> impl Iterator<Item = Row> {
        (0..self.count).map(move |number| self.row(number))
    }

    /// One of them.
    pub(crate) fn row(self, number: u64) -> Row {
        if self.purity == Purity::Dirty {
            // A flaw is drawn apart, so that all other rows are those of the clean file.
            let mut dice = Dice(mixed(self.seed ^ 0x5eed) ^ number.wrapping_mul(0x2545_f491));
            let again = 1 + dice.below(1_000);
            match dice.below(1_000) {
                0..5 if number >= again => return self.plain(number - again),
                5 => return Row { flaw: Some(Flaw::Refused), ..self.plain(number) },
                6 => return Row { flaw: Some(Flaw::UnknownUnit), ..self.plain(number) },
                _ => {}
            }
        }
        self.plain(number)
    }

    fn plain(self, number: u64) -> Row {
        let mut dice = Dice(mixed(self.seed).wrapping_add(mixed(number)));
        // A bijection of the number: no two rows have one id.
        let id = mixed(self.seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let total = WEIGHTS.last().copied().unwrap_or(1);
        let drawn = dice.below(total);
        let source = WEIGHTS.partition_point(|sum| *sum <= drawn);
        let source = u32::try_from(source).unwrap_or_default();
        let is_late = dice.below(100) < 6;
        let late = if is_late { 1 + dice.below(LATE_SLOTS_MAX) } else { 0 };
        let arrived =
            u64::try_from(u128::from(number) * u128::from(SLOTS) / u128::from(self.count));
        let start = arrived.unwrap_or_default().saturating_sub(late);
        let is_hour = dice.below(10) == 0;
        let is_other_unit = dice.below(10) == 0;
        let places = 1 + u32::try_from(dice.below(5)).unwrap_or_default();
        // In the other unit a factor may have three digits more: what is exact stays so.
        let places = if is_other_unit { places.min(2) } else { places };
        let mantissa = 1 + dice.below(900 * 10_u64.pow(places));
        // No zero at the end: that is how a decimal is written that says how exact it is.
        let mantissa = if mantissa.is_multiple_of(10) { mantissa + 1 } else { mantissa };
        let has_tags = dice.below(100) >= 30;
        let region = dice.below(REGIONS);
        Row {
            id,
            work: work_of(source),
            is_other_unit,
            quantity: (mantissa, places),
            start: if is_hour { start - start % 4 } else { start },
            slots: if is_hour { 4 } else { 1 },
            source,
            region: has_tags.then_some(region),
            is_odd: dice.below(100) < 2,
            flaw: None,
        }
    }
}

impl Row {
    /// The unit as it is written.
    pub(crate) fn unit(&self) -> &'static str {
        if self.flaw == Some(Flaw::UnknownUnit) {
            return "x:furlong";
        }
        match WORKS.get(self.work) {
            Some(work) if self.is_other_unit => work.other_unit,
            Some(work) => work.unit,
            None => "",
        }
    }

    /// The quantity as it is written.
    pub(crate) fn quantity_text(&self) -> String {
        if self.flaw == Some(Flaw::Refused) {
            return "many".to_owned();
        }
        let (mantissa, places) = self.quantity;
        let one = 10_u64.pow(places);
        let width = usize::try_from(places).unwrap_or_default();
        format!("{}.{:0width$}", mantissa / one, mantissa % one)
    }

    /// Its beginning and its end.
    pub(crate) fn period(&self) -> (String, String) {
        (instant(self.start), instant(self.start + self.slots))
    }
}

/// An instant, in quarters of an hour since 2026-01-01.
fn instant(slot: u64) -> String {
    const MONTHS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let (mut day, quarter) = (slot / 96, slot % 96);
    let mut year = 2026;
    if day >= 365 {
        (year, day) = (2027, day - 365);
    }
    let mut month = 1;
    for length in MONTHS {
        if day < length {
            break;
        }
        (month, day) = (month + 1, day - length);
    }
    let (hour, minute) = (quarter / 4, quarter % 4 * 15);
    format!("{year}-{month:02}-{:02}T{hour:02}:{minute:02}:00Z", day + 1)
}

/// The code of a place.
pub(crate) fn facility_code(facility: u32) -> String {
    format!("f-{facility:03}")
}

/// The code of a source.
pub(crate) fn source_code(source: u32) -> String {
    format!("s-{source:05}")
}

/// The table of places.
pub(crate) fn facilities() -> String {
    let line = |number| {
        let code = facility_code(number);
        format!("{code},Place {code},GB,UTC\n")
    };
    let lines: String = (0..FACILITIES).map(line).collect();
    format!("code,name,country,time_zone\n{lines}")
}

/// The table of sources.
pub(crate) fn sources() -> String {
    let line = |number: u32| {
        let (code, place) = (source_code(number), facility_code(facility_of(number)));
        let kind = WORKS.get(work_of(number)).map_or("", |work| work.kind);
        format!("{code},Meter {code},{place},{kind},UTC\n")
    };
    let lines: String = (0..SOURCES).map(line).collect();
    format!("code,name,facility,type,time_zone\n{lines}")
}
