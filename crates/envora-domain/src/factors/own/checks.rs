//! What rows must agree on: the pack's name, what a key means, and when it holds.

use std::collections::BTreeMap;

use super::row::Row;
use super::table::{Table, whole};
use super::{Fault, FaultCode, is_name};
use crate::catalogue::find_fuel;
use crate::factors::Boundary;
use crate::gwp::Carbon;

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

/// What burns gives off CO2, also in a power station or a boiler house: methane and nitrous oxide alone
/// are only ever added to a factor of CO2 alone, which fuels of vehicles have. Anywhere else such a
/// factor would never be taken, or tell a tenth of what there is.
pub(super) fn parts(rows: &[Row], faults: &mut Vec<Fault>) {
    let is_plant = |row: &Row| {
        let fuel = row.body.qualifiers.get("fuel").and_then(|fuel| find_fuel(fuel));
        fuel.is_some_and(|fuel| fuel.carbon == Carbon::Biogenic)
    };
    for row in rows {
        let of = row.body.activity_type.as_str();
        let burns = matches!(row.body.boundary, Boundary::Combustion | Boundary::Generation);
        let burnt = burns && row.body.states_no_co2();
        if !burnt || of == "fuel.combusted.mobile" || is_plant(row) {
            continue;
        }
        let what = if row.body.boundary == Boundary::Generation { "is made" } else { "burns" };
        let detail = format!("{} {what}, and the CO2 of it is unsaid", row.key);
        let hint = "give gas.CO2 too (0 where another row counts it), or the total in co2e";
        let fault = whole(FaultCode::MissingField, (row.row, row.line), detail, hint);
        faults.push(Fault { column: Some("gas.CO2".to_owned()), ..fault });
    }
}

/// In what the meaning of two rows differs.
fn differs(a: &Row, b: &Row) -> Option<&'static str> {
    let (a, b) = (&a.body, &b.body);
    let all = [
        ("kind", a.kind == b.kind),
        ("type", a.activity_type == b.activity_type),
        ("boundary", a.boundary == b.boundary),
        ("supplier, item or qualifier", a.qualifiers == b.qualifiers),
        ("region", a.region == b.region),
    ];
    all.into_iter().find(|(_, same)| !same).map(|(what, _)| what)
}
