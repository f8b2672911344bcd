//! What rows must agree on: the pack's name, what a key means, and when it holds.

use std::collections::BTreeMap;

use super::row::Row;
use super::table::{Table, whole};
use super::{Fault, FaultCode, is_name};
use crate::catalogue::{self, Bucket, Fuel, find, find_fuel};
use crate::decimal::Decimal;
use crate::factors::{Boundary, FactorKind};
use crate::gwp::{Carbon, Gas};

/// The pack's name: that of the column, or the one beside the table.
pub(super) fn name(table: &Table, beside: Option<&str>, faults: &mut Vec<Fault>) -> Option<String> {
    let mut said: Option<&str> = beside;
    for record in &table.rows {
        let cell = table.cell(record, "pack");
        match said {
            _ if cell.is_empty() => {}
            None => said = Some(cell),
            Some(name) if name == cell => {}
            Some(name) => {
                let detail = format!("the row is of the pack {cell:?}, others of {name:?}");
                let place = (record.row, record.line);
                let hint = "one table is one pack: give one name, or leave the column out";
                let fault = whole(FaultCode::WrongType, place, detail, hint);
                faults.push(Fault { column: Some("pack".to_owned()), ..fault });
                return None;
            }
        }
    }
    let hint = "name it with 2 to 40 of a-z, 0-9 and -, such as suppliers-2026; the names of the \
                packs that come with the program are taken";
    match said {
        Some(name) if is_name(name) => return Some(name.to_owned()),
        Some(name) => {
            let detail = format!("{name:?} cannot name a pack");
            faults.push(whole(FaultCode::WrongType, (0, 0), detail, hint));
        }
        None => {
            let detail = "the pack has no name".to_owned();
            faults.push(whole(FaultCode::MissingField, (0, 0), detail, hint));
        }
    }
    None
}

/// Rows of one key mean one thing, and no two of them hold on one day.
pub(super) fn keys(rows: &[Row], faults: &mut Vec<Fault>) {
    let mut by_key: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        by_key.entry(&row.key).or_default().push(row);
    }
    for (key, mut rows) in by_key {
        rows.sort_by_key(|row| (row.body.valid_from, row.row));
        let mut last: Option<&Row> = None;
        for row in rows {
            let fault = |code, column: &str, detail: String, hint: String| Fault {
                column: Some(column.to_owned()),
                ..whole(code, (row.row, row.line), detail, &hint)
            };
            if let Some(before) = last {
                if row.body.valid_from < before.body.valid_to {
                    let detail = format!(
                        "{key} holds from {} here, and until {} by line {}",
                        row.body.valid_from, before.body.valid_to, before.line
                    );
                    let hint = "a factor holds once on each day: end the earlier one where this \
                                one begins, or give this one a key of its own";
                    let code = FaultCode::ValidityOverlap;
                    faults.push(fault(code, "valid_from", detail, hint.to_owned()));
                }
                if let Some(what) = differs(before, row) {
                    let detail = format!("{key} has another {what} in line {}", before.line);
                    let hint = "a key means one thing: give what differs a key of its own";
                    faults.push(fault(FaultCode::KeyReused, "key", detail, hint.to_owned()));
                }
            }
            // Of rows that overlap, the one that holds longest is what the next is held against.
            let later = last.is_none_or(|last| row.body.valid_to >= last.body.valid_to);
            last = if later { Some(row) } else { last };
        }
    }
}

/// What is asked of new tables: that what burns is told with its CO2, and that the CO2 of what grew stands
/// in a row for the memo, beside the scopes.
pub(super) fn parts(rows: &[Row], faults: &mut Vec<Fault>) {
    for row in rows.iter().filter(|row| row.body.memo_bucket.is_none()) {
        let named = nameless(row).or_else(|| grown(row)).or_else(|| treated(row));
        faults.extend(named.or_else(|| unsaid(row, rows)));
    }
}

/// A factor for whatever burns would count the CO2 of wood and of biofuels in the scopes, beside the memo that
/// tells it.
fn nameless(row: &Row) -> Option<Fault> {
    let body = &row.body;
    let is_fuel = body.activity_type.starts_with("fuel.combusted.");
    let co2 = body.gases.iter().any(|value| value.gas == Gas::CO2 && !nothing(&value.value));
    let total = body.total.as_ref().is_some_and(|total| !nothing(&total.value));
    let any = body.qualifiers.get("fuel").is_none_or(String::is_empty);
    if !is_fuel || body.boundary != Boundary::Combustion || !any || !(co2 || total) {
        return None;
    }
    let detail = format!("{} is for whatever burns, wood and biofuels too", row.key);
    let hint = "name the fuel: a row for each that it is true of";
    Some(of_row(row, FaultCode::MissingField, "qualifiers.fuel", (detail, hint)))
}

/// The fuel that a row is of, where it names one.
fn fuel(row: &Row) -> Option<&'static Fuel> {
    row.body.qualifiers.get("fuel").and_then(|fuel| find_fuel(fuel))
}

/// Whether it is about burning, here, in a power station, a boiler house, or with the waste.
fn burns(row: &Row) -> bool {
    let treatment = row.body.qualifiers.get("treatment").map(String::as_str);
    match row.body.boundary {
        Boundary::Combustion | Boundary::Generation => true,
        Boundary::EndOfLife => treatment == Some("combustion"),
        _ => false,
    }
}

/// Whether all that a row is of grew: its fuel, or the waste that it is for.
fn grew(row: &Row) -> bool {
    let word = |name: &str| row.body.qualifiers.get(name).map(String::as_str);
    let waste = row.body.boundary == Boundary::EndOfLife
        && catalogue::grew(word("material"), word("treatment"));
    waste || fuel(row).is_some_and(|fuel| fuel.carbon == Carbon::Biogenic)
}

/// Whether waste that is burnt, or may be, is of what grew in part, or may be: where the CO2 comes from is
/// then not told by its words.
fn may_have_grown(row: &Row) -> bool {
    let word = |name: &str| row.body.qualifiers.get(name).map(String::as_str);
    let treatment = word("treatment").filter(|word| !word.is_empty());
    row.body.boundary == Boundary::EndOfLife
        && treatment.is_none_or(|word| word == "combustion")
        && catalogue::may_have_grown(word("material"))
}

/// A factor for whatever is done with waste is one for burning it too, and that gives off CO2.
fn treated(row: &Row) -> Option<Fault> {
    let any = row.body.qualifiers.get("treatment").is_none_or(String::is_empty);
    if row.body.boundary != Boundary::EndOfLife || !any || !row.body.states_no_co2() || grew(row) {
        return None;
    }
    let detail = format!(
        "{} is for whatever is done with the waste, burning it too, and the CO2 of that is unsaid",
        row.key
    );
    let hint = "name the treatment: a row for each that it is true of; or give gas.CO2 too";
    Some(of_row(row, FaultCode::MissingField, "qualifiers.treatment", (detail, hint)))
}

/// Whether a value says that there is none.
fn nothing(value: &str) -> bool {
    Decimal::parse_factor(value).is_ok_and(|value| value.is_zero())
}

/// The fault of a column of a row.
fn of_row(row: &Row, code: FaultCode, column: &str, (detail, hint): (String, &str)) -> Fault {
    let fault = whole(code, (row.row, row.line), detail, hint);
    Fault { column: Some(column.to_owned()), ..fault }
}

/// CO2 from what grew is in no scope: a row that counts may not hold it, and a total of such a fuel that
/// leaves open whether it does is none.
fn grown(row: &Row) -> Option<Fault> {
    let body = &row.body;
    let (what, detail) = match row.carbon {
        Carbon::Biogenic => ("biogenic", "is of what grew"),
        Carbon::Unknown if grew(row) && body.boundary == Boundary::EndOfLife => {
            ("biogenic", "is of waste that grew")
        }
        Carbon::Unknown if grew(row) => ("biogenic", "is of a fuel that grew"),
        Carbon::Mixed => ("mixed", "is in part of what grew"),
        Carbon::Unknown if may_have_grown(row) => ("unsaid", "may be in part of what grew"),
        Carbon::Unknown | Carbon::Fossil => return None,
    };
    let co2 = body.gases.iter().find(|value| value.gas == Gas::CO2);
    let ends = burns(row) || body.boundary == Boundary::EndOfLife;
    let whole = body.gases.is_empty() && burns(row);
    let total = body.total.as_ref().filter(|total| whole && !nothing(&total.value));
    let column = match co2 {
        Some(value) if ends && !nothing(&value.value) => "gas.CO2",
        None if total.is_some() && what != "unsaid" => "co2e",
        Some(_) | None => return None,
    };
    let detail = match column {
        _ if what == "unsaid" => {
            format!("the CO2 of {} {detail}, and carbon does not say", row.key)
        }
        "co2e" => {
            format!("the CO2 of {} {detail}, and co2e does not say whether it is in it", row.key)
        }
        _ => format!("the CO2 of {} {detail}: it counts in no scope", row.key),
    };
    let hint = match (what, takes_memo(row)) {
        ("unsaid", _) => UNSAID,
        ("mixed", true) => MIXED_FUEL,
        ("mixed", false) => MIXED,
        (_, true) => GROWN_FUEL,
        (_, false) => GROWN,
    };
    Some(of_row(row, FaultCode::BiogenicCo2, column, (detail, hint)))
}

const UNSAID: &str = "write fossil in carbon where the CO2 given is of fossil carbon alone; what grew counts in \
    no scope: where all did, give 0 as gas.CO2";
const GROWN_FUEL: &str = "give gas.CH4 and gas.N2O here, which count, and gas.CO2 in a row of its own \
    with memo = biogenic_co2; where the CO2 is of fossil carbon, say so in carbon";
const GROWN: &str = "give gas.CH4 and gas.N2O, which count, and 0 as gas.CO2: rows of this type keep no \
    CO2 beside the scopes; where it is of fossil carbon, say so in carbon";
const MIXED_FUEL: &str = "give the gases of the fossil part here, with carbon = fossil, and the CO2 of \
    what grew in a row of its own with memo = biogenic_co2";
const MIXED: &str = "give the gases of the fossil part, with carbon = fossil: rows of this type keep no \
    CO2 beside the scopes";

/// What burns gives off CO2: methane and nitrous oxide alone are only ever added to a factor of CO2 alone,
/// which fuels of vehicles may have. Anywhere else such a factor would never be taken, or tell a tenth of
/// what there is.
fn unsaid(row: &Row, rows: &[Row]) -> Option<Fault> {
    let only_beside = row.body.activity_type == "fuel.combusted.mobile"
        && rows.iter().any(|other| is_co2_of(other, row));
    if !burns(row) || !row.body.states_no_co2() || grew(row) || only_beside {
        return None;
    }
    let what = if row.body.boundary == Boundary::Generation { "is made" } else { "burns" };
    let detail = format!("{} {what}, and the CO2 of it is unsaid", row.key);
    let hint = if row.body.activity_type == "fuel.combusted.mobile" {
        "give gas.CO2 too, or the total in co2e; or leave it blank here and give a row of the same fuel and \
         region that has gas.CO2 alone"
    } else {
        "give gas.CO2 too, or the total in co2e"
    };
    Some(of_row(row, FaultCode::MissingField, "gas.CO2", (detail, hint)))
}

/// Whether a row states the CO2 alone of what another states the other gases of.
fn is_co2_of(row: &Row, other: &Row) -> bool {
    let (a, b) = (&row.body, &other.body);
    let alone = a.total.is_none() && a.gases.iter().all(|value| value.gas == Gas::CO2);
    alone
        && !a.gases.is_empty()
        && a.memo_bucket.is_none()
        && (&a.activity_type, a.boundary, &a.region) == (&b.activity_type, b.boundary, &b.region)
        && a.qualifiers.get("fuel") == b.qualifiers.get("fuel")
}

/// Whether rows of a type and boundary have a memo for CO2 from what grew.
fn takes_memo(row: &Row) -> bool {
    let kind = find(&row.body.activity_type);
    kind.is_some_and(|kind| {
        let mut slots = kind.slots.iter().filter(|slot| slot.bucket == Bucket::BiogenicCo2);
        slots.any(|slot| slot.boundary == row.body.boundary)
    })
}

/// Rows for the memo state CO2 from what grew, and nothing else.
pub(super) fn memos(rows: &[Row], faults: &mut Vec<Fault>) {
    for row in rows.iter().filter(|row| row.body.memo_bucket.is_some()) {
        let body = &row.body;
        let alone = body.total.is_none() && body.gases.iter().all(|value| value.gas == Gas::CO2);
        let fossil = fuel(row).is_some_and(|fuel| fuel.carbon == Carbon::Fossil);
        let (column, detail, hint) = if !takes_memo(row) || body.kind != FactorKind::Emission {
            let detail =
                format!("rows of {} have no memo for {}", body.activity_type, body.boundary);
            ("memo", detail, "memo = biogenic_co2 is for fuels, with the boundary combustion")
        } else if !alone {
            let detail = "a memo is of CO2 alone".to_owned();
            ("memo", detail, "give gas.CO2 here, and what counts in a row without memo")
        } else if row.carbon != Carbon::Biogenic || fossil {
            let detail = "nothing of it grew".to_owned();
            ("carbon", detail, "write biogenic, or leave memo blank where its CO2 counts")
        } else {
            continue;
        };
        faults.push(of_row(row, FaultCode::BiogenicCo2, column, (detail, hint)));
    }
}

/// In what the meaning of two rows differs.
fn differs(a: &Row, b: &Row) -> Option<&'static str> {
    let (a, b) = (&a.body, &b.body);
    let all = [
        ("kind", a.kind == b.kind),
        ("type", a.activity_type == b.activity_type),
        ("boundary", a.boundary == b.boundary),
        ("memo", a.memo_bucket == b.memo_bucket),
        ("supplier, item or qualifier", a.qualifiers == b.qualifiers),
        ("region", a.region == b.region),
    ];
    all.into_iter().find(|(_, same)| !same).map(|(what, _)| what)
}
