//! The example workbook: what is committed is what stands here, part by part, whatever it is packed with.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read as _};
use std::path::PathBuf;

use envora_api::proposals::ProposalConfidence;
use envora_ingest::sniff::{look, propose};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Formula, Workbook, Worksheet};
use zip::ZipArchive;

/// Month, day, where to, persons, and tenths of a kilometre.
const JOURNEYS: [(u8, u8, &str, u32, u32); 24] = [
    (1, 11, "Offices - Station", 1, 64),
    (1, 27, "Offices - Laboratories", 3, 182),
    (2, 8, "Station - Offices", 2, 64),
    (2, 24, "Offices - Airport", 1, 491),
    (3, 3, "Airport - Offices", 1, 491),
    (3, 22, "Laboratories - Depot", 2, 237),
    (4, 5, "Offices - Laboratories", 2, 182),
    (4, 28, "Offices - Station", 1, 64),
    (5, 12, "Depot - Station", 1, 118),
    (5, 19, "Offices - Airport", 4, 491),
    (6, 1, "Airport - Laboratories", 4, 563),
    (6, 23, "Station - Offices", 1, 64),
    (7, 7, "Offices - Station", 2, 64),
    (7, 14, "Laboratories - Station", 1, 201),
    (8, 2, "Station - Depot", 1, 118),
    (8, 30, "Offices - Laboratories", 2, 182),
    (9, 6, "Offices - Airport", 1, 491),
    (9, 15, "Airport - Offices", 1, 491),
    (10, 4, "Depot - Laboratories", 3, 237),
    (10, 20, "Offices - Station", 1, 64),
    (11, 8, "Station - Laboratories", 2, 201),
    (11, 29, "Offices - Airport", 2, 491),
    (12, 6, "Airport - Offices", 2, 491),
    (12, 15, "Offices - Station", 5, 64),
];
/// The header is in the fifth row, the units in the sixth.
const HEADER: u32 = 4;

/// Sums, which a spreadsheet works out, with the value that it would show.
fn sum(column: char, value: f64) -> Formula {
    let (first, last) = (HEADER + 3, HEADER + 2 + 24);
    Formula::new(format!("=SUM({column}{first}:{column}{last})")).set_result(value.to_string())
}

fn account(sheet: &mut Worksheet) {
    let title = Format::new().set_bold();
    let days = Format::new().set_num_format("dd mmm yyyy");
    let (kilometres, pounds) =
        (Format::new().set_num_format("#,##0.0"), Format::new().set_num_format("£#,##0.00"));
    sheet.set_name("Account 2022").unwrap();
    sheet.write_with_format(0, 0, "Statement of account, taxis, 2022", &title).unwrap();
    sheet.write(1, 0, "Customer: central offices").unwrap();
    sheet.write(2, 0, "Prices are in pounds and hold VAT").unwrap();
    let names = [
        ("Job", ""),
        ("Date", ""),
        ("Journey", ""),
        ("Persons", ""),
        ("Distance", "passenger-km"),
        ("Fare", "GBP"),
    ];
    for (column, (name, unit)) in (0_u16..).zip(names) {
        sheet.write_with_format(HEADER, column, name, &title).unwrap();
        sheet.write(HEADER + 1, column, unit).unwrap();
    }
    let (mut distances, mut fares) = (0, 0);
    for (row, (month, day, journey, persons, tenths)) in (HEADER + 2..).zip(JOURNEYS) {
        let (distance, fare) = (tenths * persons, 320 + tenths * 21);
        (distances, fares) = (distances + distance, fares + fare);
        let date = ExcelDateTime::from_ymd(2022, month, day).unwrap();
        let job = format!("T22-{:03}", row - HEADER - 1);
        sheet.write(row, 0, job).unwrap();
        sheet.write_with_format(row, 1, &date, &days).unwrap();
        sheet.write(row, 2, journey).unwrap();
        sheet.write(row, 3, persons).unwrap();
        sheet.write_with_format(row, 4, f64::from(distance) / 10.0, &kilometres).unwrap();
        sheet.write_with_format(row, 5, f64::from(fare) / 100.0, &pounds).unwrap();
    }
    let last = HEADER + 2 + 24;
    sheet.write_with_format(last, 0, "Total", &title).unwrap();
    let all = sum('E', f64::from(distances) / 10.0);
    sheet.write_formula_with_format(last, 4, all, &kilometres).unwrap();
    let all = sum('F', f64::from(fares) / 100.0);
    sheet.write_formula_with_format(last, 5, all, &pounds).unwrap();
}

fn workbook() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let written = ExcelDateTime::from_ymd(2023, 1, 9).unwrap();
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&written));
    let notes = workbook.add_worksheet().set_name("Terms").unwrap();
    notes.write(0, 0, "Payable within 30 days.").unwrap();
    notes.write(1, 0, "Made up as an example: no journey of it was made.").unwrap();
    account(workbook.add_worksheet());
    workbook.save_to_buffer().unwrap()
}

fn parts(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut parts = BTreeMap::new();
    for place in 0..archive.len() {
        let mut own = archive.by_index(place).unwrap();
        let name = own.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        own.read_to_end(&mut bytes).unwrap();
        parts.insert(name, bytes);
    }
    parts
}

fn committed() -> PathBuf {
    PathBuf::from("../../examples/organization-year/taxi-account.xlsx")
}

#[test]
fn the_example_workbook_is_what_is_written_here() {
    let (made, path) = (workbook(), committed());
    let same = fs::read(&path).is_ok_and(|bytes| parts(&bytes) == parts(&made));
    if !same {
        let new = path.with_extension("xlsx.new");
        fs::write(&new, &made).unwrap();
        panic!("{} is not what is written here: see {}", path.display(), new.display());
    }
}

#[test]
fn the_example_workbook_tells_nearly_all_of_its_mapping() {
    let found = look(fs::read(committed()).unwrap().as_slice()).unwrap();
    let proposal = propose(&found, "taxi-account");
    for line in [
        "sheet = \"Account 2022\"",
        "skip_lines = 4",
        "units_row = true",
        "period = { day = \"Date\" }",
    ] {
        assert!(proposal.mapping.lines().any(|own| own == line), "{line}\n{}", proposal.mapping);
    }
    assert_eq!((proposal.rows, proposal.confidence), (24, ProposalConfidence::Open));
}
