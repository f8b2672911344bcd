//! One row: its cells to a factor's record, and everything that is wrong with them.

use std::collections::BTreeMap;

use super::columns::{COLUMNS, GAS, QUALIFIER};
use super::meaning::{Role, boundaries, types};
use super::table::{Record, Table};
use super::{Fault, FaultCode};
use crate::catalogue::{self, Bucket, QualifierError};
use crate::decimal::{Decimal, DecimalError};
use crate::factors::record::{
    Body, Boundary, Denominator, FactorKind, GasValue, Provenance, Region, Repr, Rights, Total,
};
use crate::gwp::{Carbon, Gas, GwpSet, gwp};
use crate::hash::Digest;
use crate::rational::Rational;
use crate::time::Day;
use crate::units::{self, AliasSet, Unit, UnitError};
use crate::words::{did_you_mean, same_but_written_otherwise};

/// The longest text of a cell.
const TEXT_CHARS_MAX: usize = 200;
/// By how much the gases may miss the total: one part in so many.
const GAS_SUM_PARTS: i128 = 100;
/// How many characters of a cell a fault shows.
const VALUE_CHARS_MAX: usize = 80;

/// The memos that rows may be for.
const MEMOS: &[&str] = &["biogenic_co2"];
const KINDS: &[&str] = &["emission", "residual_mix", "supplier_pcf"];
const CAUSES: &[&str] = &["new", "real_world", "correction", "method", "gwp", "rename"];
const REDISTRIBUTE: &[&str] = &["no", "attribution", "share_alike", "yes"];

/// A row that was read: its record still without the pack's name in its key.
pub(super) struct Row {
    pub(super) row: u64,
    pub(super) line: u64,
    pub(super) key: String,
    /// Where its carbon comes from, by its own word or its memo.
    pub(super) carbon: Carbon,
    pub(super) body: Body,
}

/// The cells of one row, and what is wrong with them so far.
struct Cells<'a> {
    table: &'a Table,
    record: &'a Record,
    faults: &'a mut Vec<Fault>,
}

/// Reads a row; `None` when something is wrong with it, which is told.
pub(super) fn read(table: &Table, record: &Record, faults: &mut Vec<Fault>) -> Option<Row> {
    let before = faults.len();
    let mut cells = Cells { table, record, faults };
    cells.texts();
    let key = cells.key();
    let meaning = cells.meaning();
    let (valid_from, valid_to) = cells.validity();
    let memo = Bucket::parse(&cells.word("memo", MEMOS, ""));
    let numbers = cells.numbers(meaning.boundary);
    let denominator = cells.denominator(&meaning);
    let rights = cells.rights();
    let (data_year, cause) = (cells.data_year(), cells.word("change_cause", CAUSES, "new"));
    let uncertainty = cells.uncertainty();
    let provenance = cells.provenance(&key);
    let edition = match cells.get("edition") {
        "" => valid_from.ymd().0.to_string(),
        edition => edition.to_owned(),
    };
    let body = Body {
        key: String::new(),
        publisher: cells.get("publisher").to_owned(),
        dataset: cells.get("document").to_owned(),
        edition,
        edition_date: None,
        data_year,
        valid_from,
        valid_to,
        supersedes: None,
        change_cause: cause,
        region: meaning.region,
        market: None,
        kind: meaning.kind,
        activity_type: meaning.of,
        qualifiers: meaning.qualifiers,
        memo_bucket: memo,
        permitted_use: "inventory".to_owned(),
        boundary: meaning.boundary,
        gases: numbers.gases,
        total: numbers.total,
        basis: numbers.basis,
        denominator,
        quality: BTreeMap::new(),
        uncertainty,
        primary_share: None,
        rights,
        provenance,
    };
    let fits = cells.faults.len() == before;
    let carbon = numbers.carbon;
    fits.then_some(Row { row: record.row, line: record.line, key, carbon, body })
}

/// What a factor means, as far as it could be read.
struct Meaning {
    kind: FactorKind,
    of: String,
    boundary: Boundary,
    qualifiers: BTreeMap<String, String>,
    region: Region,
}

/// Its numbers.
struct Numbers {
    carbon: Carbon,
    gases: Vec<GasValue>,
    total: Option<Total>,
    basis: GwpSet,
}

impl<'a> Cells<'a> {
    fn get(&self, name: &str) -> &'a str {
        self.table.cell(self.record, name)
    }

    fn fault(&mut self, code: FaultCode, column: &str, detail: String, hint: impl Into<String>) {
        let cell = self.get(column);
        let value = (!cell.is_empty()).then(|| cell.chars().take(VALUE_CHARS_MAX).collect());
        self.faults.push(Fault {
            code,
            row: self.record.row,
            line: self.record.line,
            column: Some(column.to_owned()),
            value,
            detail,
            hint: hint.into(),
        });
    }

    /// What is due is there, and no cell is longer than it may be.
    fn texts(&mut self) {
        for column in COLUMNS {
            if column.required && self.get(column.name).is_empty() {
                let detail = format!("{} is blank", column.name);
                let hint = format!("fill it in: {}", column.says);
                self.fault(FaultCode::MissingField, column.name, detail, hint);
            }
        }
        for (place, cell) in self.record.cells.iter().enumerate() {
            let long = cell.chars().count() > TEXT_CHARS_MAX;
            if long || cell.chars().any(char::is_control) {
                let column = self.table.header.get(place).cloned().unwrap_or_default();
                let detail = "the text is too long, or has control characters".to_owned();
                let hint = format!("write at most {TEXT_CHARS_MAX} characters on one line");
                self.fault(FaultCode::WrongType, &column, detail, hint);
            }
        }
    }

    fn key(&mut self) -> String {
        let key = self.get("key");
        let letter = |letter: char| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_./".contains(letter)
        };
        let fits = key.len() <= 100 && key.chars().all(letter);
        if !key.is_empty() && (!fits || !key.starts_with(|c: char| c.is_ascii_alphanumeric())) {
            let detail = format!("{key:?} is no key");
            let hint = "write at most 100 of a-z, 0-9, - _ . and /, such as steel-sheet";
            self.fault(FaultCode::WrongType, "key", detail, hint);
        }
        key.to_owned()
    }

    /// The word of a column, or what stands for a blank.
    fn word(&mut self, column: &str, words: &[&str], blank: &str) -> String {
        let cell = self.get(column);
        if cell.is_empty() {
            return blank.to_owned();
        }
        if !words.contains(&cell) {
            let detail = format!("{cell:?} is no word of {column}");
            let hint = did_you_mean(cell, words.iter().copied()).map_or_else(
                || format!("write one of {}", words.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            self.fault(FaultCode::UnknownWord, column, detail, hint);
        }
        cell.to_owned()
    }

    fn meaning(&mut self) -> Meaning {
        let kind = self.word("kind", KINDS, "emission");
        let kind = FactorKind::parse(&kind).unwrap_or(FactorKind::Emission);
        let supplier = self.get("supplier_code");
        if kind == FactorKind::ResidualMix && !supplier.is_empty() {
            let detail = "a residual mix is nobody's own".to_owned();
            let hint = "leave supplier_code blank, or write emission as its kind";
            self.fault(FaultCode::WrongType, "supplier_code", detail, hint);
        }
        if kind == FactorKind::SupplierPcf && supplier.is_empty() {
            let detail = "a supplier's footprint of a product needs the supplier".to_owned();
            let hint = "fill in supplier_code: the code that rows name the supplier by";
            self.fault(FaultCode::MissingField, "supplier_code", detail, hint);
        }
        let role = Role::of(kind, !supplier.is_empty());
        let of = self.activity_type(role);
        let boundary = self.boundary(&of, role);
        let qualifiers = self.qualifiers(&of, role);
        let region = self.region(role);
        Meaning { kind, of, boundary, qualifiers, region }
    }

    fn activity_type(&mut self, role: Role) -> String {
        let of = self.get("type");
        if !of.is_empty() && catalogue::find(of).is_none() {
            let hint = catalogue::did_you_mean(of).map_or_else(
                || format!("write one of {}", types(role).join(", ")),
                |near| format!("did you mean {near}?"),
            );
            self.fault(FaultCode::UnknownType, "type", format!("{of:?} is no activity type"), hint);
        } else if !of.is_empty() && boundaries(of, role).is_empty() {
            let detail = format!("no method of this version takes {} for {of}", role.says());
            let hint = match role {
                Role::Supplier if !boundaries(of, Role::Published).is_empty() => format!(
                    "leave supplier_code blank for a factor of everybody's; suppliers' own are \
                     taken for {}",
                    types(role).join(", ")
                ),
                Role::Supplier | Role::Published | Role::ResidualMix => {
                    format!("types with such methods: {}", types(role).join(", "))
                }
            };
            self.fault(FaultCode::UnknownType, "type", detail, hint);
        }
        of.to_owned()
    }

    fn boundary(&mut self, of: &str, role: Role) -> Boundary {
        let cell = self.get("boundary");
        let taken = boundaries(of, role);
        let words: Vec<&str> = taken.iter().map(|boundary| boundary.as_str()).collect();
        let found = Boundary::parse(cell);
        if cell.is_empty() || taken.is_empty() {
            return found.unwrap_or(Boundary::Generation);
        }
        match found {
            Some(boundary) if taken.contains(&boundary) => return boundary,
            Some(Boundary::LifeCycle) if taken.contains(&Boundary::Generation) => {
                let detail =
                    format!("a life-cycle rate is no rate of scope 2, which {of} books to");
                let hint = "ask for the rate of generation alone; what lies upstream of it is a \
                            factor of its own, with the boundary upstream";
                self.fault(FaultCode::BoundaryMismatch, "boundary", detail, hint);
            }
            Some(_) => {
                let detail = format!("no slot of {of} takes {cell} from {}", role.says());
                let hint = format!("its slots take {}", words.join(", "));
                self.fault(FaultCode::BoundaryMismatch, "boundary", detail, hint);
            }
            None => {
                let detail = format!("{cell:?} is no boundary");
                let hint = did_you_mean(cell, words.iter().copied()).map_or_else(
                    || format!("write one of {}", words.join(", ")),
                    |near| format!("did you mean {near}?"),
                );
                self.fault(FaultCode::UnknownWord, "boundary", detail, hint);
            }
        }
        taken.first().copied().unwrap_or(Boundary::Generation)
    }

    fn qualifiers(&mut self, of: &str, role: Role) -> BTreeMap<String, String> {
        let named = self.table.header.iter().filter_map(|column| {
            let name = column.strip_prefix(QUALIFIER)?;
            let cell = self.get(column);
            (!cell.is_empty()).then(|| (name.to_owned(), cell.to_owned()))
        });
        let given: BTreeMap<String, String> = named.collect();
        let Some(kind) = catalogue::find(of) else { return given };
        for wrong in kind.check_qualifiers(&given) {
            let detail = wrong.to_string();
            match wrong {
                // A factor may hold for whatever a row says there.
                QualifierError::Missing { .. } => {}
                QualifierError::Unknown { name, did_you_mean, .. } => {
                    let hint = did_you_mean.map_or_else(
                        || "leave the cell blank".to_owned(),
                        |near| format!("did you mean {QUALIFIER}{near}?"),
                    );
                    let column = format!("{QUALIFIER}{name}");
                    self.fault(FaultCode::UnknownWord, &column, detail, hint);
                }
                QualifierError::Word { name, did_you_mean, .. } => {
                    let hint = did_you_mean.map_or_else(
                        || "write a word that rows of the type may have there".to_owned(),
                        |near| format!("did you mean {near}?"),
                    );
                    let column = format!("{QUALIFIER}{name}");
                    self.fault(FaultCode::UnknownWord, &column, detail, hint);
                }
            }
        }
        let mut told = kind.own_words(&given);
        self.named(of, role, &mut told);
        told
    }

    /// Supplier and item: what rows say in fields of their own.
    fn named(&mut self, of: &str, role: Role, told: &mut BTreeMap<String, String>) {
        let [supplier, item, scheme] =
            ["supplier_code", "item", "item_scheme"].map(|name| self.get(name));
        if !supplier.is_empty() {
            if let Err(error) = crate::codes::check_code(supplier) {
                let hint = "write the code that rows name the supplier by";
                self.fault(FaultCode::WrongType, "supplier_code", error.to_string(), hint);
            }
            told.insert("supplier".to_owned(), supplier.to_owned());
        }
        let goods = matches!(of, "goods.purchased" | "capital.purchased");
        if goods && item.is_empty() {
            let detail = format!("a factor of {of} needs the item that it is of");
            let hint = match role {
                Role::Supplier => "write the item as rows of that supplier name it",
                Role::Published | Role::ResidualMix => "write the item as rows name it",
            };
            self.fault(FaultCode::MissingField, "item", detail, hint);
        }
        let named = !item.is_empty() || !scheme.is_empty();
        if !goods && named {
            let detail = format!("rows of {of} have no item");
            let hint = "leave item and item_scheme blank";
            self.fault(FaultCode::WrongType, "item", detail, hint);
        }
        if goods && !item.is_empty() {
            let word = catalogue::word("material", item).filter(|_| scheme.is_empty());
            if scheme.is_empty() && word.is_none() {
                let hint = did_you_mean(item, catalogue::words_of("material")).map_or_else(
                    || "name the list that it is of in item_scheme, as rows do".to_owned(),
                    |near| format!("did you mean {near}?"),
                );
                let detail = format!("{item:?} is no material of the catalogue");
                self.fault(FaultCode::UnknownItem, "item", detail, hint);
            }
            told.insert("item".to_owned(), word.unwrap_or(item).to_owned());
            if !scheme.is_empty() {
                told.insert("item_scheme".to_owned(), scheme.to_owned());
            }
        }
    }

    fn region(&mut self, role: Role) -> Region {
        let region =
            |scheme: &str, code: &str| Region { scheme: scheme.to_owned(), code: code.to_owned() };
        let cell = self.get("region");
        if cell.is_empty() {
            if role != Role::Supplier {
                let detail = "where the factor holds is unsaid".to_owned();
                let hint = "write a country such as DE, a grid, or world where it holds anywhere";
                self.fault(FaultCode::MissingField, "region", detail, hint);
            }
            return region("world", "");
        }
        if cell.eq_ignore_ascii_case("world") {
            if role == Role::ResidualMix {
                let detail = "a residual mix is of one market".to_owned();
                let hint = "write the country or grid whose market it is of";
                self.fault(FaultCode::WrongType, "region", detail, hint);
            }
            return region("world", "");
        }
        let (scheme, code) = cell.split_once(':').unwrap_or(("", cell));
        if catalogue::grid_remedy(cell).is_none() {
            let eic = scheme.eq_ignore_ascii_case("eic") || (scheme.is_empty() && code.len() == 16);
            let code = if eic { code.to_owned() } else { code.to_ascii_uppercase() };
            return region(if eic { "eic" } else { "egrid" }, &code);
        }
        let country = code.split_once('-').map_or(code, |(country, _)| country);
        let known = catalogue::word("country", country) == Some(country);
        if !known || !(scheme.is_empty() || scheme == "iso") {
            let detail = format!("{cell:?} is no region");
            let hint = catalogue::word("country", code).map_or_else(
                || "write GB, iso:GB-SCT, egrid:CAMX, eic: and a code, or world".to_owned(),
                |word| format!("did you mean {word}?"),
            );
            self.fault(FaultCode::UnknownWord, "region", detail, hint);
        }
        region("iso", code)
    }

    fn unit(&mut self, column: &str) -> Option<Unit> {
        let cell = self.get(column);
        if cell.is_empty() {
            return None;
        }
        let found = units::lookup(cell, AliasSet::None).and_then(|code| units::parse_code(&code));
        found.map_err(|error| self.unit_fault(column, &error)).ok()
    }

    fn unit_fault(&mut self, column: &str, error: &UnitError) {
        let code = match error {
            UnitError::Unknown { .. } => FaultCode::UnknownUnit,
            UnitError::Ambiguous { .. } => FaultCode::UnitAmbiguous,
            UnitError::Mismatch { .. } => FaultCode::UnitMismatch,
        };
        let hint = match error {
            UnitError::Ambiguous { meanings, .. } => {
                format!("write one of {}", meanings.join(", "))
            }
            UnitError::Unknown { did_you_mean: None, .. } => {
                "write a UCUM code such as kW.h, kg, L".to_owned()
            }
            UnitError::Unknown { .. } | UnitError::Mismatch { .. } => error.remedy(),
        };
        self.fault(code, column, error.to_string(), hint);
    }

    fn denominator(&mut self, meaning: &Meaning) -> Denominator {
        let as_printed = self.get("per").to_owned();
        let Some(unit) = self.unit("per") else { return Denominator::default() };
        if let Some(kind) = catalogue::find(&meaning.of)
            && let Err(error) = kind.check_unit(&unit, &meaning.qualifiers)
        {
            self.unit_fault("per", &error);
        }
        let cv_basis = unit.cv_basis().map(str::to_owned);
        Denominator { unit: unit.code().to_owned(), as_printed, cv_basis, ..Denominator::default() }
    }

    fn numbers(&mut self, boundary: Boundary) -> Numbers {
        let unit = self.mass_unit();
        let basis = self.basis();
        let carbon: Vec<&str> = Carbon::ALL.iter().map(|carbon| carbon.as_str()).collect();
        let blank = if self.get("memo").is_empty() { "unknown" } else { "biogenic" };
        let carbon = Carbon::parse(&self.word("carbon", &carbon, blank));
        let carbon = carbon.unwrap_or(Carbon::Unknown);
        let total =
            self.number("co2e").map(|value| Total { value, basis, unit: unit.clone(), line: None });
        let mut gases = Vec::new();
        for column in &self.table.header {
            let Some(gas) = column.strip_prefix(GAS).and_then(Gas::parse) else { continue };
            let Some(value) = self.number(column) else { continue };
            let (repr, gwp_basis, line) = (Repr::Mass, None, None);
            gases.push(GasValue { gas, carbon, repr, gwp_basis, value, unit: unit.clone(), line });
        }
        gases.sort_by_key(|value| value.gas);
        if total.is_none() && gases.is_empty() {
            let blank = self.get("co2e").is_empty();
            let any = |column: &&String| column.starts_with(GAS) && !self.get(column).is_empty();
            if blank && !self.table.header.iter().any(|column| any(&column)) {
                let detail = "the row has no number".to_owned();
                let hint = "give co2e, or the mass of each gas in gas.CO2, gas.CH4, gas.N2O";
                self.fault(FaultCode::MissingField, "co2e", detail, hint);
            }
        }
        self.gas_sum((&gases, total.as_ref()), basis, boundary);
        Numbers { carbon, gases, total, basis }
    }

    fn mass_unit(&mut self) -> String {
        let Some(unit) = self.unit("unit") else { return "kg".to_owned() };
        let kilogram = units::parse_code("kg");
        if kilogram.is_ok_and(|kilogram| units::convert(&unit, &kilogram).is_err()) {
            let detail = format!("{} is no unit of mass", unit.code());
            let hint = "write the mass that the numbers are in, such as kg or g; what they are \
                        per stands in the column per";
            self.fault(FaultCode::UnitMismatch, "unit", detail, hint);
        }
        unit.code().to_owned()
    }

    fn basis(&mut self) -> GwpSet {
        let cell = self.get("basis");
        let known = GwpSet::ALL.iter().filter(|set| **set != GwpSet::Published);
        let words: Vec<&str> = known.map(|set| set.as_str()).collect();
        match GwpSet::parse(cell).filter(|set| *set != GwpSet::Published) {
            Some(set) => set,
            None => {
                if !cell.is_empty() {
                    let lower = cell.to_ascii_lowercase();
                    let near = same_but_written_otherwise(&lower, words.iter().copied());
                    let hint = near.map_or_else(
                        || format!("write one of {}", words.join(", ")),
                        |near| format!("did you mean {near}?"),
                    );
                    let detail = format!("{cell:?} is no set of warming potentials");
                    self.fault(FaultCode::UnknownWord, "basis", detail, hint);
                }
                GwpSet::Ar5
            }
        }
    }

    /// The digits of a column, as sent; `None` where it is blank or wrong, which is told.
    fn number(&mut self, column: &str) -> Option<String> {
        let cell = self.get(column);
        if cell.is_empty() {
            return None;
        }
        match Decimal::parse_factor(cell) {
            Ok(value) if value.is_negative() => {
                let detail = "a factor is never below zero".to_owned();
                let hint = "what takes carbon out of the air is an activity of its own, \
                            removal.made; avoided emissions are no factor";
                self.fault(FaultCode::NegativeNotAllowed, column, detail, hint);
                None
            }
            Ok(_) => Some(cell.to_owned()),
            Err(DecimalError::TooManyDigits) => {
                let detail = "it has more than 38 digits".to_owned();
                let hint = "write the digits that the document prints";
                self.fault(FaultCode::TooManyDigits, column, detail, hint);
                None
            }
            Err(DecimalError::NotANumber) => {
                let detail = format!("{cell:?} is no number");
                let hint = if cell.contains(',') {
                    "write a point before the fraction, and no sign between thousands"
                } else {
                    "write digits, such as 0.233 or 4.04e-01; leave a blank where there is none"
                };
                self.fault(FaultCode::NotANumber, column, detail, hint);
                None
            }
        }
    }

    /// Where a row has gases and a total, they agree.
    fn gas_sum(
        &mut self,
        (gases, total): (&[GasValue], Option<&Total>),
        basis: GwpSet,
        boundary: Boundary,
    ) {
        let mut sum = Rational::ZERO;
        for value in gases {
            let number = Rational::parse(&value.value).unwrap_or(Rational::ZERO);
            let Some(potential) = gwp(basis, value.gas, value.carbon, boundary) else {
                let detail = format!("{basis} has no potential for {}", value.gas);
                let hint = "name the set that the document counts with, or give co2e alone";
                self.fault(FaultCode::GasSum, &format!("{GAS}{}", value.gas), detail, hint);
                return;
            };
            sum = sum.plus(&number.times(&Rational::from(potential)));
        }
        let Some(total) = total.filter(|_| !gases.is_empty()) else { return };
        let total = Rational::parse(&total.value).unwrap_or(Rational::ZERO);
        let rest = total.minus(&sum);
        let rest = if rest.is_negative() { rest.negated() } else { rest };
        if total.minus(&rest.times(&Rational::whole(GAS_SUM_PARTS))).is_negative() {
            let detail = format!("the gases come to {} by {basis}, not to the total", sum.digits());
            let hint = "a gas is missing, is in another unit, or is in CO2 equivalents already: \
                        give its mass, or co2e alone";
            self.fault(FaultCode::GasSum, "co2e", detail, hint);
        }
    }

    fn day(&mut self, column: &str) -> Option<Day> {
        let cell = self.get(column);
        if cell.is_empty() {
            return None;
        }
        let day = Day::parse(cell).ok();
        if day.is_none() {
            let detail = format!("{cell:?} is no day");
            self.fault(FaultCode::WrongType, column, detail, "write it like 2026-01-31");
        }
        day
    }

    /// The first day, and the day after the last.
    fn validity(&mut self) -> (Day, Day) {
        let from = self.day("valid_from");
        let (to, through) = (self.day("valid_to"), self.day("valid_through"));
        let said = ["valid_to", "valid_through"].map(|name| !self.get(name).is_empty());
        let last = |day: Day| day.plus(1).ymd().2 == 1;
        match (said, to) {
            ([false, false], _) => {
                let detail = "until when the factor holds is unsaid".to_owned();
                let hint = "write the last day in valid_through, such as 2026-12-31";
                self.fault(FaultCode::MissingField, "valid_to", detail, hint);
            }
            ([true, true], _) => {
                let detail = "the end is there twice".to_owned();
                let hint = "write valid_through, the last day, or valid_to, the day after it";
                self.fault(FaultCode::WrongType, "valid_to", detail, hint);
            }
            // Exclusive ends are easily taken for inclusive ones, which would lose a day.
            ([true, false], Some(to)) if last(to) => {
                let detail = format!("valid_to is the day after the last: {to} would be left out");
                let hint = format!(
                    "write {} where {to} still counts; else write the last day in valid_through",
                    to.plus(1)
                );
                self.fault(FaultCode::WrongType, "valid_to", detail, hint);
            }
            ([true, false] | [false, true], _) => {}
        }
        let to = to.or(through.map(|day| day.plus(1)));
        if let (Some(from), Some(to)) = (from, to)
            && to <= from
        {
            let detail = format!("it ends before it begins, on {from}");
            let column = if said == [true, false] { "valid_to" } else { "valid_through" };
            let hint = "correct one of the two days";
            self.fault(FaultCode::PeriodReversed, column, detail, hint);
        }
        let from = from.unwrap_or(Day::from_number(0));
        (from, to.unwrap_or(from))
    }

    fn data_year(&mut self) -> Option<u16> {
        let cell = self.get("data_year");
        let year = cell.parse::<u16>().ok().filter(|year| (1900..=2200).contains(year));
        if !cell.is_empty() && year.is_none() {
            let detail = format!("{cell:?} is no year");
            self.fault(FaultCode::WrongType, "data_year", detail, "write it like 2024");
        }
        year
    }

    fn rights(&mut self) -> Rights {
        Rights {
            licence: self.get("licence").to_owned(),
            redistribute: self.word("redistribute", REDISTRIBUTE, "no"),
            attribution: self.get("attribution").to_owned(),
        }
    }

    fn uncertainty(&mut self) -> BTreeMap<String, String> {
        let value = self.number("uncertainty_95_percent");
        let told = |value: String| {
            [("relative_95_percent", value), ("from", "stated".to_owned())]
                .map(|(name, value)| (name.to_owned(), value))
        };
        value.map(told).into_iter().flatten().collect()
    }

    fn provenance(&mut self, key: &str) -> Provenance {
        let sha256 = self.get("document_sha256").to_ascii_lowercase();
        if !sha256.is_empty() && Digest::parse_hex(&sha256).is_none() {
            let detail = "this is no SHA-256".to_owned();
            let hint = "write the 64 hex digits that `sha256sum` prints, or leave it blank";
            self.fault(FaultCode::WrongType, "document_sha256", detail, hint);
        }
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let name = some(self.get("name")).unwrap_or_else(|| key.to_owned());
        Provenance {
            file: self.get("document").to_owned(),
            sha256,
            sheet: some(self.get("document_place")),
            words: vec![name],
            ..Provenance::default()
        }
    }
}
