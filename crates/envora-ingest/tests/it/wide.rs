//! Wide tables, as utilities really send them: a column for each half-hour, or for each meter.

use envora_domain::activities::problems::RowCode;
use envora_domain::activities::{Activity, Period, Ref};
use envora_domain::decimal::Decimal;
use envora_ingest::formats::Format;
use envora_ingest::rows::ParsedRow;

use crate::tables::{good, reader, real};

fn rows(text: &[u8], mapping: &str) -> (Vec<ParsedRow>, u64) {
    let mut reader = reader(Format::Csv, text, mapping).unwrap_or_else(|error| panic!("{error}"));
    let rows = reader.by_ref().map(Result::unwrap).collect();
    (rows, reader.left_out().rows)
}

fn code(activity: &Activity) -> &str {
    match &activity.source {
        Some(Ref::Code(code)) => code,
        other => panic!("{other:?}"),
    }
}

/// A sum in billionths.
fn sum(activities: &[&Activity]) -> i128 {
    let billionths =
        |amount: &Decimal| amount.mantissa() * 10_i128.pow(u32::from(9 - amount.scale()));
    activities.iter().map(|activity| billionths(&activity.quantity)).sum()
}

const ENDS: &str = r#"
mapping = "half-hours"
[const]
type = "electricity.purchased"
time_zone = "Europe/London"
facility_code = "schools"
[[activity]]
period = { day = "Date", format = "MMM DD YYYY hh:mmA" }
unit = { column = "Units" }
source_code = { column = "ID" }
[unpivot]
columns = '^\[\d\d:\d\d\]$'
label = "end"
length = "PT30M"
"#;

#[test]
fn half_hours_that_name_their_end_add_up_to_the_suppliers_own_total() {
    let Some(text) = real("energy-sparks-amr/banes-example-file.csv") else { return };
    let (rows, left) = rows(&text, ENDS);
    let all = good(&rows);
    assert_eq!((rows.len(), all.len(), left), (5 * 48, 5 * 48, 0));
    let text = String::from_utf8(text).unwrap();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').map(|cell| cell.trim_matches('"')).collect();
        let own: Vec<&Activity> =
            all.iter().copied().filter(|activity| code(activity) == cells[0]).collect();
        assert_eq!(own.len(), 48, "{}", cells[0]);
        let total = Decimal::parse(cells[6]).unwrap();
        assert_eq!(sum(&own), total.mantissa() * 10_i128.pow(u32::from(9 - total.scale())));
    }
    let period = |place: usize| match all[place].period {
        Period::Between(start, end) => format!("{start} {end}"),
        ref other => panic!("{other:?}"),
    };
    assert_eq!(period(0), "2019-11-13T00:00:00Z 2019-11-13T00:30:00Z");
    assert_eq!(period(47), "2019-11-13T23:30:00Z 2019-11-14T00:00:00Z");
    let ids: std::collections::BTreeSet<_> = all.iter().map(|own| &own.external_id).collect();
    assert_eq!(ids.len(), 240, "each half-hour has an id of its own");
}

const COUNTED: &str = r#"
mapping = "counted"
[const]
type = "electricity.purchased"
unit = "kW.h"
time_zone = "Europe/London"
[[activity]]
period = { day = "ConsumptionDate", format = "DD/MM/YYYY" }
facility_code = { column = "siteRef", map = { "Mossbrook Primary Sch" = "mossbrook" } }
source_code = { column = "MPAN" }
[unpivot]
columns = '^kWh_\d+$'
label = "index"
length = "PT30M"
"#;

#[test]
fn counted_half_hours_are_read_and_other_columns_stay_out() {
    let Some(file) = real("energy-sparks-amr/example-sheffield-file.csv") else { return };
    let (read, left) = rows(&file, COUNTED);
    assert_eq!((good(&read).len(), read.len(), left), (96, 96, 0));
}

#[test]
fn a_place_that_is_no_code_is_refused_with_the_way_to_translate_it() {
    let mapping = COUNTED.replace(", map = { \"Mossbrook Primary Sch\" = \"mossbrook\" }", "");
    let Some(file) = real("energy-sparks-amr/example-sheffield-file.csv") else { return };
    let (read, _) = rows(&file, &mapping);
    let problems = read[0].activity.as_ref().expect_err("a name with blanks is no code");
    assert_eq!(problems[0].code, RowCode::WrongType, "{problems:?}");
    let hint = problems[0].hint.as_deref().unwrap_or_default();
    assert!(hint.contains("`map`"), "{problems:?}");
}

/// A row of so many half-hours on a day.
fn day_of(day: &str, count: usize) -> String {
    let names: Vec<String> = (1..=50).map(|place| format!("kWh_{place}")).collect();
    let cells: Vec<&str> = (1..=50).map(|place| if place <= count { "1.5" } else { "" }).collect();
    format!("siteRef,MPAN,ConsumptionDate,{}\nA,M1,{day},{}\n", names.join(","), cells.join(","))
}

#[test]
fn the_days_on_which_clocks_change_have_46_and_50() {
    for (day, count) in [("27/03/2022", 46), ("01/06/2022", 48), ("30/10/2022", 50)] {
        let (read, left) = rows(day_of(day, count).as_bytes(), COUNTED);
        let all = good(&read);
        assert_eq!((all.len(), left), (count, 50 - count as u64), "{day}");
        let (Period::Between(start, _), Period::Between(_, end)) =
            (&all[0].period, &all[count - 1].period)
        else {
            panic!("{day}");
        };
        let hours = (end.as_micros() - start.as_micros()) / 3_600_000_000;
        assert_eq!(hours, i64::try_from(count / 2).unwrap(), "{day}");
    }
    let (read, _) = rows(day_of("27/03/2022", 48).as_bytes(), COUNTED);
    let refused: Vec<_> = read.iter().filter(|row| row.activity.is_err()).collect();
    assert_eq!((good(&read).len(), refused.len()), (46, 2));
    let problem = &refused[0].problems()[0];
    assert_eq!(
        (problem.code, problem.column.as_deref()),
        (RowCode::LocalTimeMissing, Some("kWh_47"))
    );
    assert!(problem.detail.contains("has 46 such intervals"), "{problem:?}");
}

const METERS: &str = r#"
mapping = "meters"
[file]
delimiter = ";"
decimal = ","
null = ["-"]
[const]
type = "electricity.purchased"
unit = "kW.h"
time_zone = "UTC"
facility_code = "works"
[[activity]]
period = { start = "time", format = "DD.MM.YYYY hh:mm", length = "PT15M" }
quantity = { scale = "0.25" }
[unpivot]
columns = "^[A-Z]{2}-"
label = "name"
as = "source_code"
"#;

#[test]
fn a_column_for_each_meter_names_its_source() {
    let text = "time;AB-1;AB-2;note\n01.06.2022 00:00;4,5;8;x\n01.06.2022 00:15;-;;y\n";
    let (read, left) = rows(text.as_bytes(), METERS);
    let all = good(&read);
    let told: Vec<String> =
        all.iter().map(|own| format!("{} {}", code(own), own.quantity)).collect();
    assert_eq!((told, left), (vec!["AB-1 1.125".to_owned(), "AB-2 2.00".to_owned()], 2));
}

#[test]
fn a_bad_cell_costs_its_own_interval_and_is_named() {
    let text = "time;AB-1;AB-2;note\n01.06.2022 00:00;x;8;x\n";
    let (read, _) = rows(text.as_bytes(), METERS);
    assert_eq!(good(&read).len(), 1);
    let problem = &read[0].problems()[0];
    assert_eq!((problem.code, problem.column.as_deref()), (RowCode::NotANumber, Some("AB-1")));
    let reader = reader(Format::Csv, b"time;note\n01.06.2022 00:00;x\n", METERS);
    let error = reader.err().expect("no column is a meter").to_string();
    assert!(error.contains("no column's name is like"), "{error}");
}
