use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use envora_api::writes::SkipReason;
use envora_domain::activities::local::Side;
use envora_domain::activities::problems::Outcome;
use envora_domain::activities::{Origin, Period, Ref};

use super::super::{FileProblem, OpenError, Reader, open};
use super::*;
use crate::clocks::{Clocks, Listed, Place};
use crate::mapping::Mapping;

const HOURLY: &str = r#"
mapping = "hourly"
[const]
type = "electricity.purchased"
unit = "kW.h"
time_zone = "UTC"
facility_code = "b24"
source_code = "m1"
[[activity]]
period = { start = "time", format = "YYYY-MM-DD hh:mm:ss", length = "PT1H" }
quantity = { column = "kWh" }
"#;

pub(super) fn opening(mapping: Option<&str>) -> Opening {
    let head = OriginHead::Request { request_id: "req".into(), body: [0; 32] };
    let mapping = mapping.map(|text| Arc::new(Mapping::from_toml(text).expect("a mapping")));
    Opening {
        head,
        mapping,
        set: BTreeMap::new(),
        local_times: Default::default(),
        clocks: Default::default(),
    }
}

pub(super) fn read(mapping: Option<&str>, text: &[u8]) -> Vec<ParsedRow> {
    let reader = open(Format::Csv, Box::new(text), &opening(mapping)).expect("it opens");
    reader.map(|row| row.expect("memory never fails")).collect()
}

fn refused(mapping: Option<&str>, text: &[u8]) -> Vec<FileProblem> {
    match open(Format::Csv, Box::new(text), &opening(mapping)) {
        Err(OpenError::File(problems)) => problems,
        Err(OpenError::Io(error)) => panic!("{error}"),
        Ok(_) => panic!("it opens"),
    }
}

pub(super) fn quantities(rows: &[ParsedRow]) -> Vec<String> {
    let quantity = |row: &ParsedRow| match &row.activity {
        Ok(activity) => activity.quantity.to_string(),
        Err(problems) => problems[0].code.to_string(),
    };
    rows.iter().map(quantity).collect()
}

/// Code, field, and parts of detail and hint.
type Want = (RowCode, &'static str, &'static str, &'static str);

/// One line after a good one: its code, field, and parts of detail and hint. The next row is good.
#[track_caller]
fn check_row(mapping: &str, line: &[u8], want: Want) {
    let mut text = b"time,kWh\n2022-01-01 00:00:00,1\n".to_vec();
    text.extend(line);
    text.extend(b"\n2022-01-01 05:00:00,3\n");
    let rows = read(Some(mapping), &text);
    let shown = String::from_utf8_lossy(line).into_owned();
    assert_eq!(rows.len(), 3, "{shown}: {rows:?}");
    assert_eq!(rows[0].outcome(), Outcome::Accepted, "{shown}");
    assert_eq!(rows[2].outcome(), Outcome::Accepted, "{shown}");
    let problems = rows[1].problems();
    let (code, field, detail, hint) = want;
    assert_eq!(problems.len(), 1, "{shown}: {problems:?}");
    let first = problems.first().expect("a problem");
    assert_eq!((first.code, first.field.as_str()), (code, field), "{shown}: {first:?}");
    assert_eq!((first.row, first.line), (2, 3), "{shown}");
    assert!(first.detail.contains(detail), "{detail:?} is not in {:?}", first.detail);
    let given = first.hint.as_deref().unwrap_or("");
    assert!(given.contains(hint), "{hint:?} is not in {given:?}");
}

#[test]
fn every_bad_cell_names_field_row_line_and_remedy() {
    use RowCode as C;
    let cases: &[(&[u8], Want)] = &[
        (b"2022-01-01 01:00:00,", (C::MissingField, "/quantity", "\"kWh\" is blank", "fill it in")),
        (b"2022-01-01 01:00:00,N/A", (C::NotANumber, "/quantity", "\"N/A\"", "`null`")),
        (b"2022-01-01 01:00:00,NaN", (C::NotANumber, "/quantity", "\"NaN\"", "`null`")),
        (b"2022-01-01 01:00:00,1e3", (C::NotANumber, "/quantity", "\"1e3\"", "1e3 is 1000")),
        (b"2022-01-01 01:00:00,\"1,5\"", (C::NotANumber, "/quantity", "\"1,5\"", "`decimal`")),
        (b"2022-01-01 01:00:00,007", (C::NotANumber, "/quantity", "", "leading zeros")),
        (b"2022-01-01 01:00:00,abc", (C::NotANumber, "/quantity", "\"abc\"", "1234.5")),
        (
            b"2022-01-01 01:00:00,1234567890123456789012345678901234567890",
            (C::TooManyDigits, "/quantity", "20 digits", "round it"),
        ),
        (
            b"2022-01-01 01:00:00,-5",
            (C::NegativeNotAllowed, "/quantity", "zero or more", "exported"),
        ),
        (b"2022-01-01,5", (C::WrongType, "/start", "no time in the format", "`format`")),
        (b"2022-02-30 01:00:00,5", (C::WrongType, "/start", "no time in the format", "`format`")),
        (b",5", (C::MissingField, "/start", "\"time\" is blank", "fill it in")),
        (b"2022-01-01 01:00:00", (C::MalformedRow, "", "1 cells, the header has 2", "cut")),
        (b"2022-01-01 01:00:00,5,6", (C::MalformedRow, "", "3 cells, the header has 2", "quotes")),
        (b"2022-01-01 01:00:00,5\xff", (C::InvalidUtf8, "", "not text", "windows-1252")),
        (b"Total,99", (C::LooksLikeTotal, "", "sums others up", "leave it out")),
        (b"9999-12-31 23:59:59,2", (C::WrongType, "/start", "9999-12-30T22:00:00Z", "the year")),
        (b"0001-01-01 00:00:00,2", (C::WrongType, "/start", "0001-01-01T00:00:00Z", "the year")),
    ];
    for (line, want) in cases {
        check_row(HOURLY, line, *want);
    }
}

#[test]
fn a_bad_time_is_one_problem_however_the_file_gives_times() {
    for (names, cells, field, column) in [
        ("start,end", "nonsense,2022-01-01T01:00:00Z", "/start", "start"),
        ("start,end", "2022-01-01T01:00:00Z,", "/end", "end"),
        ("start_date,end_date", "2022-01-01,31/01/2022", "/end_date", "end_date"),
        ("occurred_at,note", "yesterday,n", "/occurred_at", "occurred_at"),
        ("occurred_at,time_zone", "2022-01-01T00:00:00Z,Mars", "/time_zone", "time_zone"),
    ] {
        let text = format!(
            "type,quantity,unit,facility_code,{names}\nelectricity.purchased,1,kW.h,b24,{cells}\n"
        );
        let rows = read(None, text.as_bytes());
        let problems = rows[0].problems();
        let shown: Vec<_> =
            problems.iter().map(|own| (own.field.as_str(), own.column.as_deref())).collect();
        assert_eq!(shown, [(field, Some(column))], "{problems:?}");
    }
}

#[test]
fn a_problem_names_the_column_or_says_that_there_is_none() {
    let text = HOURLY.replace("facility_code = \"b24\"\n", "");
    let text = format!("{text}facility_code = {{ column = \"Depot\" }}\n");
    let rows = read(Some(&text), b"time,kWh,Depot\n2022-01-01 00:00:00,-1,b24\n");
    let problem = &rows[0].problems()[0];
    assert_eq!(
        (problem.code, problem.column.as_deref()),
        (RowCode::NegativeNotAllowed, Some("kWh"))
    );
    let columns = rows[0].columns.as_ref().expect("a table has columns");
    let unknown = RowProblem::new(RowCode::UnknownFacility, "/facility_code", "no facility");
    assert_eq!(columns.name(unknown).column.as_deref(), Some("Depot"));
    let rows = read(Some(&HOURLY.replace("kW.h", "gal")), b"time,kWh\n2022-01-01 00:00:00,1\n");
    let problem = &rows[0].problems()[0];
    assert_eq!((problem.code, &problem.column), (RowCode::UnitAmbiguous, &None));
    assert!(problem.detail.ends_with("(unit, which no column gives)"), "{}", problem.detail);
}

#[test]
fn a_row_that_voids_another_may_leave_its_cells_blank() {
    let text = b"external_id,supersedes,void,type,quantity,unit,start,end,facility_code\n\
        v,ext:a,true,,,,,,\nw,,true,,,,,,\n";
    let rows = read(None, text);
    let activity = rows[0].activity.as_ref().expect("a row that voids");
    assert!(activity.void && activity.kind.is_empty() && activity.quantity.is_zero());
    let codes: Vec<_> = rows[1].problems().iter().map(|own| own.field.as_str()).collect();
    assert_eq!(codes, ["/supersedes"]);
}

#[test]
fn a_line_above_a_mebibyte_and_an_open_quote_cost_themselves_only() {
    let mut long = b"2022-01-01 01:00:00,".to_vec();
    long.extend(vec![b'1'; super::super::LINE_BYTES_MAX]);
    check_row(HOURLY, &long, (RowCode::LineTooLong, "", "1 MiB", "missing line end"));
    let open = b"2022-01-01 01:00:00,\"5";
    check_row(HOURLY, open, (RowCode::MalformedRow, "", "a quote opens", "close the quote"));
}

#[test]
fn words_of_a_row_are_judged_with_a_remedy() {
    let with = |from: &str, to: &str| {
        let text = HOURLY.replace(from, to);
        assert_ne!(text, HOURLY);
        let rows = read(Some(&text), b"time,kWh\n2022-01-01 00:00:00,1\n");
        let problem = rows[0].problems().first().cloned().expect("a problem");
        (rows[0].outcome(), problem.code, problem.field)
    };
    let row = |outcome, code, field: &str| (outcome, code, field.to_owned());
    let (rejected, held) = (Outcome::Rejected, Outcome::Quarantined);
    assert_eq!(with("\"kW.h\"", "\"gal\""), row(rejected, RowCode::UnitAmbiguous, "/unit"));
    assert_eq!(with("\"kW.h\"", "\"m3\""), row(rejected, RowCode::UnitMismatch, "/unit"));
    assert_eq!(with("\"kW.h\"", "\"kW\""), row(rejected, RowCode::UnitMismatch, "/unit"));
    assert_eq!(with("\"kW.h\"", "\"units used\""), row(held, RowCode::UnknownUnit, "/unit"));
    assert_eq!(
        with("electricity.purchased", "electricity.bought"),
        row(rejected, RowCode::UnknownType, "/type")
    );
    assert_eq!(
        with("unit =", "scope = 1\nunit ="),
        row(rejected, RowCode::ScopeNotAllowed, "/scope")
    );
    let gas = with(
        "\"electricity.purchased\"",
        "\"fuel.combusted.stationary\"\nqualifiers.fuel = \"natural_gas\"",
    );
    assert_eq!(gas, row(rejected, RowCode::UnitAmbiguous, "/unit"));
}

#[test]
fn rows_carry_their_place_and_a_derived_id() {
    let text =
        b"\xef\xbb\xbftime,kWh\r\n2022-01-01 00:00:00,372.40\r\n\r\n2022-01-01 01:00:00,\"12\"\r\n";
    let rows = read(Some(HOURLY), text);
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].row, rows[0].line, rows[0].offset, rows[0].length), (1, 2, 13, 26));
    assert_eq!((rows[1].row, rows[1].line), (2, 4));
    for row in &rows {
        let start = usize::try_from(row.offset).expect("small");
        let bytes = &text[start..start + row.length as usize];
        assert!(bytes.starts_with(b"2022-01-01") && !bytes.ends_with(b"\n"));
        let activity = row.activity.as_ref().expect("an activity");
        assert!(activity.external_id.as_ref().expect("an id").starts_with("d1_"));
        assert_eq!(activity.facility, Some(Ref::Code("b24".to_owned())));
        assert!(matches!(activity.origin, Origin::Request { row: 1 | 2, .. }));
        assert!(activity.flags.is_empty());
    }
    let first = rows[0].activity.as_ref().expect("an activity");
    assert_eq!(first.quantity.to_string(), "372.40");
    assert!(
        matches!(first.period, Period::Between(start, end) if (end - start).as_micros() == 3_600_000_000)
    );
}

#[test]
fn an_id_is_the_same_whatever_the_quantity_and_twins_stay_two() {
    let ids = |text: &str| -> Vec<String> {
        let rows = read(Some(HOURLY), text.as_bytes());
        let id = |row: &ParsedRow| row.activity.as_ref().expect("good").external_id.clone();
        rows.iter().map(|row| id(row).expect("an id")).collect()
    };
    let first = ids("time,kWh\n2022-01-01 00:00:00,1\n2022-01-01 00:00:00,1\n");
    assert_ne!(first[0], first[1]);
    assert_eq!(ids("time,kWh\n2022-01-01 00:00:00,7\n")[0], first[0]);
}

#[test]
fn a_header_without_the_mappings_columns_is_refused_before_any_row() {
    let problems = refused(Some(HOURLY), b"time,kwh\n2022-01-01 00:00:00,1\n");
    assert_eq!(problems.len(), 1);
    assert_eq!((problems[0].column.as_str(), problems[0].line), ("kWh", 1));
    assert!(problems[0].hint.contains("did you mean \"kwh\"?"), "{problems:?}");
    let problems = refused(Some(HOURLY), b"a,b\n1,2\n");
    assert_eq!(problems.len(), 2);
    assert!(problems[0].hint.contains("its columns are \"a\", \"b\""), "{problems:?}");
    let twice = refused(Some(HOURLY), b"time,kWh,kWh\n");
    assert!(twice[0].detail.contains("2 times"), "{twice:?}");
}

#[test]
fn what_is_no_csv_file_is_refused_with_what_it_is() {
    for (bytes, words) in [
        (&b""[..], "empty"),
        (b"\n\n", "empty"),
        (b"t\0i\0m\0e\0", "UTF-16"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"\x1f\x8b\x08rest", "compressed"),
        (b"ti\xe9me,kWh\n", "cannot be read as text"),
    ] {
        let problems = refused(Some(HOURLY), bytes);
        assert_eq!(problems[0].code, "malformed_body");
        assert!(problems[0].detail.contains(words), "{words}: {problems:?}");
        assert!(!problems[0].hint.is_empty());
    }
}

#[test]
fn delimiters_are_found_by_the_mappings_columns() {
    for text in [
        "time;kWh\n2022-01-01 00:00:00;1\n",
        "time\tkWh\n2022-01-01 00:00:00\t1\n",
        "sep=|\ntime|kWh\n2022-01-01 00:00:00|1\n",
        "note,with,commas;time;kWh\nx;2022-01-01 00:00:00;1\n",
    ] {
        assert_eq!(quantities(&read(Some(HOURLY), text.as_bytes())), ["1"], "{text}");
    }
}

const MESSY: &str = r#"
mapping = "depot-fuel-cards"
[file]
encoding = "windows-1252"
delimiter = ";"
decimal = ","
group = "."
skip_lines = 2
units_row = true
footer = ["Summe"]
null = ["-"]
alias_set = "eu"
[[activity]]
key = "diesel"
when = { column = "Produkt", in = ["Diesel", "B7"] }
type = "fuel.combusted.mobile"
"qualifiers.fuel" = "diesel"
quantity = { column = "Menge" }
unit = { column = "Einheit", map = { "Ltr." = "L" } }
occurred_at = { columns = ["Datum", "Uhrzeit"], format = "DD.MM.YYYY hh:mm" }
facility_code = { column = "Depot" }
time_zone = "Europe/Berlin"
"tags.cost_centre" = { column = "KST" }
natural = ["facility_code", "occurred_at", "tags.cost_centre"]
[rows]
skip_if = { column = "Art", equals = ["Storno"] }
"#;

#[test]
fn the_messy_case_is_read_as_declared() {
    let text =
        b"Tankkarten \"2022\nStand 1.2.\nArt;Produkt;Menge;Einheit;Datum;Uhrzeit;Depot;KST\n\
        ;;l;;;;;\n\
        V;Diesel;1.052,50;Ltr.;03.02.2022;08:15;M\xfcnchen;4711\n\
        Storno;Diesel;1;Ltr.;03.02.2022;08:20;M\xfcnchen;4711\n\
        V;AdBlue;10;Ltr.;03.02.2022;08:20;M\xfcnchen;4711\n\
        V;B7;-;Ltr.;03.02.2022;09:00;M\xfcnchen;\n\
        V;B7;52.5;Ltr.;03.02.2022;09:00;M\xfcnchen;\n\
        Summe;;1.052,50;;;;;\n";
    let mut reader =
        open(Format::Csv, Box::new(&text[..]), &opening(Some(MESSY))).expect("it opens");
    let rows: Vec<ParsedRow> = reader.by_ref().map(|row| row.expect("a row")).collect();
    assert_eq!(quantities(&rows), ["1052.50", "missing_field", "not_a_number", "looks_like_total"]);
    let left = reader.left_out();
    let told: Vec<_> = left.groups.iter().map(|group| (group.cells_text(), group.reason)).collect();
    let why = [
        ("Art \"Storno\"".to_owned(), SkipReason::SkipIf),
        ("Produkt \"AdBlue\"".to_owned(), SkipReason::NotTaken),
    ];
    assert_eq!((left.rows, told), (2, why.to_vec()));
    assert!(left.groups.iter().all(|group| group.did_you_mean.is_none() && group.lines.len() == 1));
    let first = rows[0].activity.as_ref().expect("an activity");
    assert_eq!(first.unit, "L");
    assert_eq!(first.facility, Some(Ref::Code("München".to_owned())));
    assert_eq!(first.tags.get("cost_centre").map(String::as_str), Some("4711"));
    assert!(
        matches!(first.period, Period::Instant(at) if at.to_string() == "2022-02-03T07:15:00Z")
    );
    assert_eq!(rows[0].line, 5);
    assert_eq!(rows[2].problems()[0].column.as_deref(), Some("Menge"));
}

#[test]
fn several_activities_come_of_one_row() {
    let mapping = r#"
mapping = "two"
[const]
type = "electricity.purchased"
unit = "kW.h"
facility_code = "f"
[[activity]]
key = "day"
period = { day = "date" }
quantity = { column = "day", scale = "1000" }
"tags.register" = "day"
[[activity]]
key = "night"
when = { column = "has_night", in = ["yes"] }
period = { day = "date" }
quantity = { column = "night" }
"tags.register" = "night"
"#;
    let text = b"date,day,night,has_night\n2022-01-01,1.5,2,yes\n2022-01-02,3,4,no\n";
    let rows = read(Some(mapping), text);
    assert_eq!(quantities(&rows), ["1500.0", "2", "3000"]);
    assert_eq!((rows[0].row, rows[1].row, rows[2].row), (1, 1, 2));
    let ids: Vec<_> =
        rows.iter().map(|row| row.activity.as_ref().expect("good").external_id.clone()).collect();
    assert_ne!(ids[0], ids[1]);
    assert!(
        matches!(rows[0].activity.as_ref().expect("good").period, Period::Days { first, last } if first == last)
    );
}

fn london(lines: &[&str]) -> Vec<String> {
    let mapping = HOURLY.replace("\"UTC\"", "\"Europe/London\"");
    let text = format!("time,kWh\n{}\n", lines.join("\n"));
    let start = |row: &ParsedRow| match &row.activity {
        Ok(activity) => match activity.period {
            Period::Between(start, _) => start.to_string(),
            Period::Instant(_) | Period::Days { .. } | Period::WallClock { .. } => {
                format!("{:?}", activity.period)
            }
        },
        Err(problems) => problems[0].code.to_string(),
    };
    read(Some(&mapping), text.as_bytes()).iter().map(start).collect()
}

#[test]
fn local_times_are_instants_and_the_two_odd_hours_are_not_guessed() {
    assert_eq!(
        london(&["2022-03-27 00:00:00,1", "2022-03-27 01:00:00,1", "2022-03-27 02:00:00,1"]),
        ["2022-03-27T00:00:00Z", "local_time_missing", "2022-03-27T01:00:00Z"]
    );
    assert_eq!(
        london(&[
            "2022-10-30 00:00:00,1",
            "2022-10-30 01:00:00,1",
            "2022-10-30 01:00:00,2",
            "2022-10-30 02:00:00,1",
        ]),
        [
            "2022-10-29T23:00:00Z",
            "2022-10-30T00:00:00Z",
            "2022-10-30T01:00:00Z",
            "2022-10-30T02:00:00Z"
        ]
    );
    assert_eq!(
        london(&["2022-10-30 00:00:00,1", "2022-10-30 01:00:00,1", "2022-10-30 02:00:00,1"]),
        ["2022-10-29T23:00:00Z", "local_time_ambiguous", "2022-10-30T02:00:00Z"]
    );
    assert_eq!(london(&["2022-10-30 01:00:00,1"]), ["local_time_ambiguous"]);
}

#[test]
fn without_a_zone_times_stay_on_the_wall() {
    let mapping = HOURLY.replace("time_zone = \"UTC\"\n", "");
    let rows = read(Some(&mapping), b"time,kWh\n2022-03-27 01:00:00,1\n");
    let activity = rows[0].activity.as_ref().expect("an activity");
    assert!(matches!(activity.period, Period::WallClock { .. }));
}

/// Half-hours of a meter whose source has a zone, or whose facility alone has.
fn by_place(period: &str, source: &str, lines: &[&str]) -> Vec<ParsedRow> {
    let place =
        |code: &str, zone: &str| Place { code: code.to_owned(), time_zone: zone.to_owned() };
    let listed = Listed {
        facilities: HashMap::from([("b24".to_owned(), place("b24", "Europe/London"))]),
        sources: HashMap::from([
            ("m1".to_owned(), (place("m1", ""), Some("b24".to_owned()))),
            ("m2".to_owned(), (place("m2", "Etc/GMT"), Some("b24".to_owned()))),
        ]),
    };
    let mapping = HOURLY.replace("time_zone = \"UTC\"\n", "").replace("\"m1\"", source);
    let (head, _) = mapping.split_once("period").expect("a period");
    let mapping = format!("{head}period = {period}\nquantity = {{ column = \"kWh\" }}\n");
    let text = format!("time,to,kWh\n{}\n", lines.join("\n"));
    let read = |clocks: Clocks| {
        let opening = Opening { clocks, ..opening(Some(&mapping)) };
        let reader = open(Format::Csv, Box::new(text.as_bytes()), &opening).expect("it opens");
        let careful = open(Format::Csv, Box::new(text.as_bytes()), &opening).expect("it opens");
        let careful = careful.with_all_care().map(|row| row.expect("memory never fails"));
        let rows: Vec<ParsedRow> = reader.map(|row| row.expect("memory never fails")).collect();
        assert_eq!(rows, careful.collect::<Vec<_>>());
        rows
    };
    let rows = read(Clocks::Listed(Arc::new(listed)));
    // A row that is good says the same as where the zone is not known yet: sent again, it is the same.
    for (known, waits) in rows.iter().zip(read(Clocks::Unknown)) {
        if let (Ok(known), Ok(waits)) = (&known.activity, &waits.activity) {
            let same = known.external_id == waits.external_id
                && known.content_hash() == waits.content_hash();
            assert!(same || matches!(known.period, Period::Between(..)), "{known:?} {waits:?}");
        }
    }
    rows
}

fn told(rows: &[ParsedRow]) -> Vec<String> {
    let told = |row: &ParsedRow| match &row.activity {
        Ok(activity) => match activity.period {
            Period::WallClock { start, .. } => {
                let turn = activity.local.turn(Side::Start).or(activity.local.turn(Side::End));
                turn.map_or_else(|| start.to_string(), |turn| format!("{start} {turn:?}"))
            }
            Period::Between(start, end) => format!("{start}/{end}"),
            Period::Instant(_) | Period::Days { .. } => format!("{:?}", activity.period),
        },
        Err(problems) => format!("{} {}", problems[0].code, problems[0].field),
    };
    rows.iter().map(told).collect()
}

const STARTS: &str = r#"{ start = "time", format = "YYYY-MM-DD hh:mm", length = "PT30M" }"#;
const ENDS: &str = r#"{ end = "time", format = "YYYY-MM-DD hh:mm", length = "PT30M" }"#;
const BOTH: &str = r#"{ start = { column = "time", format = "YYYY-MM-DD hh:mm" }, end = { column = "to", format = "YYYY-MM-DD hh:mm" } }"#;

#[test]
fn a_local_time_is_judged_by_the_zone_of_its_place_as_by_the_rows_own() {
    let spring = ["2022-03-27 00:30,,1", "2022-03-27 01:00,,2", "2022-03-27 02:00,,3"];
    let rows = by_place(STARTS, "\"m1\"", &spring);
    assert_eq!(
        told(&rows),
        ["2022-03-27T00:30:00", "local_time_missing /start", "2022-03-27T02:00:00"]
    );
    let problem = &rows[1].problems()[0];
    assert_eq!(problem.value.as_deref(), Some("2022-03-27 01:00"));
    assert!(problem.detail.contains("Europe/London, the zone of facility b24"), "{problem:?}");
    assert!(
        problem.hint.as_deref().is_some_and(|hint| hint.contains("give facility b24 the zone"))
    );
    // A meter that keeps winter time has every hour once; what nobody says is not judged.
    assert!(by_place(STARTS, "\"m2\"", &spring).iter().all(|row| row.activity.is_ok()));
    assert!(by_place(STARTS, "\"m3\"", &spring).iter().all(|row| row.activity.is_ok()));
    // The start of an interval that is named by its end is reckoned, and may be in the gap.
    let ends = ["2022-03-27 00:30,,1", "2022-03-27 01:00,,2", "2022-03-27 02:00,,3"];
    assert_eq!(
        told(&by_place(ENDS, "\"m1\"", &ends)),
        ["2022-03-27T00:00:00", "local_time_missing /end", "2022-03-27T01:30:00"]
    );
}

#[test]
fn file_order_decides_a_repeated_hour_of_a_place() {
    let once = ["2022-10-30 00:30,,1", "2022-10-30 01:00,,2", "2022-10-30 02:00,,3"];
    let rows = by_place(STARTS, "\"m1\"", &once);
    assert_eq!(
        told(&rows),
        ["2022-10-30T00:30:00", "local_time_ambiguous /start", "2022-10-30T02:00:00"]
    );
    let problem = &rows[1].problems()[0];
    assert!(problem.detail.contains("in Europe/London, the zone of facility b24"), "{problem:?}");
    let series = [
        "2022-10-30 00:30,,1",
        "2022-10-30 01:00,,2",
        "2022-10-30 01:30,,3",
        "2022-10-30 01:00,,4",
        "2022-10-30 01:30,,5",
        "2022-10-30 02:00,,6",
    ];
    assert_eq!(
        told(&by_place(STARTS, "\"m1\"", &series)),
        [
            "2022-10-30T00:30:00",
            "2022-10-30T01:00:00 Earlier",
            "2022-10-30T01:30:00 Earlier",
            "2022-10-30T01:00:00 Later",
            "2022-10-30T01:30:00 Later",
            "2022-10-30T02:00:00"
        ]
    );
    // Where the clock on the wall goes back within a row, its instants are kept.
    let both = [
        "2022-10-30 00:30,2022-10-30 01:00,1",
        "2022-10-30 01:00,2022-10-30 01:30,2",
        "2022-10-30 01:30,2022-10-30 01:00,3",
        "2022-10-30 01:00,2022-10-30 01:30,4",
        "2022-10-30 01:30,2022-10-30 02:00,5",
    ];
    assert_eq!(
        told(&by_place(BOTH, "\"m1\"", &both)),
        [
            "2022-10-30T00:30:00 Earlier",
            "2022-10-30T01:00:00 Earlier",
            "2022-10-30T00:30:00Z/2022-10-30T01:00:00Z",
            "2022-10-30T01:00:00 Later",
            "2022-10-30T01:30:00 Later"
        ]
    );
}

#[test]
fn long_runs_of_zeros_are_flagged_and_short_ones_are_not() {
    let mapping = format!("{HOURLY}zero_run_missing = \"PT3H\"\n");
    let mut text = "time,kWh\n".to_owned();
    for (hour, kwh) in [0, 0, 0, 5, 0, 0, 0, 0, 0, 7, 0].iter().enumerate() {
        text.push_str(&format!("2022-01-01 {hour:02}:00:00,{kwh}\n"));
    }
    let rows = read(Some(&mapping), text.as_bytes());
    let flagged: Vec<bool> = rows
        .iter()
        .map(|row| row.activity.as_ref().expect("good").flags.contains(Flag::ZeroRun))
        .collect();
    let (yes, no) = (true, false);
    assert_eq!(flagged, [no, no, no, no, yes, yes, yes, yes, yes, no, no]);
    assert!(rows.iter().map(|row| row.row).eq(1..=11));
}

#[test]
fn a_plain_file_names_schema_fields_in_its_header() {
    let text = b"external_id,type,quantity,unit,start_date,end_date,facility_code,tags.meter,qualifiers.fuel,_envora_code\n\
        a1,fuel.combusted.stationary,12.5,kg,2022-01-01,2022-01-31,f1,'=7,diesel,not_a_number\n\
        ,fuel.combusted.stationary,1,kg,2022-02-01,2022-02-28,f1,,diesel,\n";
    let rows = read(None, text);
    assert_eq!(quantities(&rows), ["12.5", "1"]);
    let first = rows[0].activity.as_ref().expect("an activity");
    assert_eq!(first.external_id.as_deref(), Some("a1"));
    assert_eq!(first.tags.get("meter").map(String::as_str), Some("=7"));
    let second = rows[1].activity.as_ref().expect("an activity");
    assert!(second.flags.contains(Flag::NoExternalId));
    let problems = refused(None, b"type,quantty,unit\n");
    assert!(problems[0].hint.contains("did you mean \"quantity\"?"), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.detail.contains("\"quantity\" is missing")));
}

#[test]
fn constants_of_the_request_join_the_mappings() {
    let mut opening = opening(Some(HOURLY));
    opening.set.insert("facility_code".to_owned(), "b44".to_owned());
    opening.set.insert("scope".to_owned(), "2".to_owned());
    let text = &b"time,kWh\n2022-01-01 00:00:00,1\n"[..];
    let reader = open(Format::Csv, Box::new(text), &opening).expect("it opens");
    let rows: Vec<ParsedRow> = reader.map(|row| row.expect("a row")).collect();
    let activity = rows[0].activity.as_ref().expect("an activity");
    assert_eq!(activity.facility, Some(Ref::Code("b44".to_owned())));
    assert_eq!(activity.scope, Some(2));
    let plain = read(Some(HOURLY), text);
    let id = |row: &ParsedRow| row.activity.as_ref().expect("good").external_id.clone();
    assert_ne!(id(&rows[0]), id(&plain[0]), "what is set is part of the id");
    opening.set.insert("facilty_code".to_owned(), "x".to_owned());
    assert!(matches!(open(Format::Csv, Box::new(text), &opening), Err(OpenError::File(_))));
}

#[test]
fn an_error_of_the_input_ends_the_reader() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let text = &b"time,kWh\n2022-01-01 00:00:00,1\n"[..];
    let input: Box<dyn Read + Send> = Box::new(text.chain(Failing));
    let Reader::Csv(mut reader) =
        open(Format::Csv, input, &opening(Some(HOURLY))).expect("it opens")
    else {
        panic!("a CSV reader")
    };
    assert!(reader.next().expect("a row").is_ok());
    assert!(reader.next().expect("the end").is_err());
    assert!(reader.next().is_none());
}

#[test]
fn a_table_whose_rows_say_when_in_their_own_ways_is_read_row_by_row() {
    let rows = read(
        None,
        b"external_id,type,quantity,unit,facility_code,occurred_at,start,end,start_date,end_date,qualifiers.fuel\n\
          a,fuel.combusted.mobile,1,L,b1,2022-01-01T08:00:00Z,,,,,diesel\n\
          b,fuel.combusted.mobile,2,L,b1,,2022-01-01T08:00:00Z,2022-01-01T09:00:00Z,,,diesel\n\
          c,fuel.combusted.mobile,3,L,b1,,,,2022-01-01,2022-01-31,diesel\n\
          d,fuel.combusted.mobile,4,L,b1,,,,,,diesel\n\
          e,fuel.combusted.mobile,5,L,b1,2022-01-01T08:00:00Z,,,2022-01-01,2022-01-31,diesel\n\
          f,fuel.combusted.mobile,6,L,b1,,,,2022-01-01,,diesel\n\
          g,fuel.combusted.mobile,7,L,b1,,,,2022-02-01,2022-01-31,diesel\n",
    );
    let told: Vec<String> = rows
        .iter()
        .map(|row| match &row.activity {
            Ok(activity) => match activity.period {
                Period::Instant(_) => "instant".to_owned(),
                Period::Between(..) => "between".to_owned(),
                Period::Days { .. } => "days".to_owned(),
                Period::WallClock { .. } => "wall clock".to_owned(),
            },
            Err(problems) => {
                let told = problems.iter().map(|problem| {
                    let column = problem.column.as_deref().unwrap_or("-");
                    format!("{} {column}: {}", problem.code, problem.detail)
                });
                told.collect::<Vec<_>>().join("; ")
            }
        })
        .collect();
    assert_eq!(
        told,
        [
            "instant",
            "between",
            "days",
            "missing_field -: the row does not say when it happened",
            "wrong_type -: the row says in two ways when it happened",
            "missing_field end_date: end_date is missing: start_date needs it",
            "period_reversed end_date: the period ends before it starts",
        ]
    );
}

#[test]
fn a_number_that_is_none_is_told_in_the_signs_of_its_file() {
    let mapping = HOURLY.replace("[const]", "[file]\ndelimiter = \";\"\ndecimal = \",\"\n[const]");
    for cell in ["+5", "5,", "1 234", ",5", "abc"] {
        let text = format!("time;kWh\n2022-01-01 00:00:00;{cell}\n");
        let rows = read(Some(&mapping), text.as_bytes());
        let problem = &rows[0].problems()[0];
        assert_eq!(problem.code, RowCode::NotANumber, "{cell}");
        assert!(problem.detail.contains(&format!("{cell:?}")), "{cell}: {}", problem.detail);
        assert_eq!(problem.value.as_deref(), Some(cell));
        let hint = problem.hint.as_deref().unwrap_or_default();
        assert!(hint.contains("1234,5") && !hint.contains("1234.5"), "{cell}: {hint}");
        assert!(!hint.contains("point"), "{cell}: {hint}");
    }
}

#[test]
fn a_zone_that_is_set_beside_the_file_is_part_of_the_id_of_a_time_and_not_of_a_day() {
    let ids = |mapping: &str, zone: Option<&str>| {
        let set = zone.map(|zone| ("time_zone".to_owned(), zone.to_owned()));
        let set: BTreeMap<_, _> = set.into_iter().collect();
        let text = b"time,kWh\n2022-07-01 00:00:00,1\n";
        let opening = Opening { set, ..opening(Some(mapping)) };
        let mut reader = open(Format::Csv, Box::new(&text[..]), &opening).expect("it opens");
        let row = reader.next().expect("a row").expect("memory never fails");
        row.activity.expect("good").external_id.expect("an id")
    };
    let timed = HOURLY.replace("time_zone = \"UTC\"\n", "");
    let all = [None, Some("UTC"), Some("Europe/London")].map(|zone| ids(&timed, zone));
    assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2], "{all:?}");
    let period =
        "period = { start = \"time\", format = \"YYYY-MM-DD hh:mm:ss\", length = \"PT1H\" }";
    let daily =
        timed.replace(period, "period = { day = \"time\", format = \"YYYY-MM-DD hh:mm:ss\" }");
    assert_ne!(daily, timed);
    let all = [None, Some("UTC"), Some("Europe/London")].map(|zone| ids(&daily, zone));
    assert!(all[0] == all[1] && all[1] == all[2], "{all:?}");
}
