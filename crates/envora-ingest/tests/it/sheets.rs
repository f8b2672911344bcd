//! Workbooks: what a sheet says is what the same table says as CSV, and what it does not say is refused.

use std::io::{Cursor, Read as _, Write as _};

use envora_domain::activities::problems::RowCode;
use envora_domain::activities::{Origin, Ref};
use envora_ingest::formats::mend::{Refused, Rows, error_file};
use envora_ingest::formats::xlsx::{Wanted, read};
use envora_ingest::formats::{Format, OpenError};
use envora_ingest::mapping::Mapping;
use envora_ingest::rows::ParsedRow;
use rust_xlsxwriter::{ExcelDateTime, Format as Look, Formula, Workbook, Worksheet};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::tables::{good, reader, real};

fn rows(bytes: &[u8], mapping: &str) -> Vec<ParsedRow> {
    let reader = reader(Format::Xlsx, bytes, mapping).unwrap_or_else(|error| panic!("{error}"));
    reader.map(Result::unwrap).collect()
}

/// Why a workbook as a whole is refused: code, words and hint.
fn refusal(bytes: &[u8], mapping: &str) -> (&'static str, String) {
    match reader(Format::Xlsx, bytes, mapping) {
        Err(OpenError::File(problems)) => {
            let problem = problems.first().unwrap();
            (problem.code, format!("{}: {}", problem.detail, problem.hint))
        }
        Err(OpenError::Io(error)) => panic!("{error}"),
        Ok(_) => panic!("the workbook was read"),
    }
}

/// Line, code, column, words and hint of each problem.
fn problems(rows: &[ParsedRow]) -> Vec<(u64, RowCode, String, String)> {
    let all = rows.iter().filter_map(|row| row.activity.as_ref().err()).flatten();
    all.map(|problem| {
        let hint = problem.hint.clone().unwrap_or_default();
        let column = problem.column.clone().unwrap_or_default();
        (problem.line, problem.code, column, format!("{}: {hint}", problem.detail))
    })
    .collect()
}

/// A workbook of one sheet.
fn book(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    fill(workbook.add_worksheet());
    workbook.save_to_buffer().unwrap()
}

/// A workbook with this part's text changed.
fn changed(bytes: &[u8], part: &str, change: impl Fn(String) -> String) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for place in 0..archive.len() {
        let mut own = archive.by_index(place).unwrap();
        let name = own.name().unwrap().into_owned();
        let mut text = String::new();
        own.read_to_string(&mut text).unwrap();
        if name == part {
            text = change(text);
        }
        out.start_file(name, packed()).unwrap();
        out.write_all(text.as_bytes()).unwrap();
    }
    out.finish().unwrap().into_inner()
}

fn packed() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)
}

const SHEET: &str = "xl/worksheets/sheet1.xml";

const DAILY: &str = r#"
mapping = "daily"
[const]
type = "electricity.purchased"
unit = "kW.h"
time_zone = "Europe/London"
source_code = "m1"
facility_code = "b1"
[[activity]]
period = { day = "Day" }
quantity = { column = "Use" }
"#;

/// A table of days and amounts, all good.
fn daily(sheet: &mut Worksheet) {
    let days = Look::new().set_num_format("dd/mm/yyyy");
    sheet.write(0, 0, "Day").unwrap();
    sheet.write(0, 1, "Use").unwrap();
    for row in 1..=4_u8 {
        let day = ExcelDateTime::from_ymd(2024, 2, row).unwrap();
        sheet.write_with_format(u32::from(row), 0, &day, &days).unwrap();
        sheet.write(u32::from(row), 1, f64::from(row) + 0.1).unwrap();
    }
}

#[test]
fn a_sheet_says_to_the_digit_what_its_csv_says() {
    let mapping = r#"
mapping = "half-hours"
[const]
type = "electricity.purchased"
time_zone = "Europe/London"
facility_code = "schools"
[[activity]]
period = { day = "Date", format = "MMM DD YYYY hh:mmA" }
unit = { column = "Units", map = { "kWh" = "kW.h" } }
source_code = { column = "M1_Code1" }
[unpivot]
columns = "^\\[\\d\\d:\\d\\d\\]$"
label = "end"
length = "PT30M"
"#;
    let Some(sheet) = real("energy-sparks-amr/banes-example-file.xlsx") else { return };
    let Some(csv) = real("energy-sparks-amr/banes-example-file.csv") else { return };
    let sheet = rows(&sheet, mapping);
    let csv = reader(Format::Csv, &csv, mapping);
    let csv: Vec<ParsedRow> = csv.unwrap().map(Result::unwrap).collect();
    assert_eq!(problems(&sheet), []);
    assert_eq!(problems(&csv), []);
    let (sheet, csv) = (good(&sheet), good(&csv));
    assert!(csv.len() > 200, "{}", csv.len());
    assert_eq!(sheet.len(), csv.len());
    for (sheet, csv) in sheet.iter().zip(&csv) {
        assert_eq!(sheet.external_id, csv.external_id);
        assert_eq!(
            (sheet.quantity, &sheet.unit, &sheet.period, &sheet.source),
            (csv.quantity, &csv.unit, &csv.period, &csv.source)
        );
    }
    let Origin::File { row, line, offset, length, parser, .. } = &sheet.first().unwrap().origin
    else {
        panic!("a file")
    };
    assert_eq!((*row, *line, *offset, *length, &**parser), (1, 2, 0, 0, "xlsx/1"));
}

#[test]
fn dates_and_times_are_iso_whatever_they_are_shown_as() {
    let Some(bytes) = real("energy-sparks-amr/date-test.xlsx") else { return };
    let sheet = read(bytes.as_slice(), Wanted::default()).unwrap();
    let row = |number| sheet.row(number).unwrap();
    assert_eq!(row(2), "%d/%m/%Y,01/09/2023,2023-09-01,2023-09-01");
    assert_eq!(row(4).split(',').nth(2), Some("2023-09-01T01:03:59"));
    assert_eq!(row(11), "Custom Date Format,09-May-23,2023-05-09,2023-05-09");
    assert_eq!(row(12).split(',').nth(2), Some("1977-05-27T11:59:00"));
    assert_eq!(row(14), "Standard Time,23:59:59,23:59:59,23:59:59");
    assert_eq!(row(15).split(',').nth(2), Some("13:00:00"));
    assert_eq!(sheet.row(17), None);
}

#[test]
fn exports_of_utilities_are_read() {
    let mapping = r#"
mapping = "e-redes"
[file]
skip_lines = 7
[const]
type = "electricity.purchased"
unit = "kW.h"
facility_code = "home"
time_zone = "Europe/Lisbon"
[[activity]]
period = { end = { columns = ["Data", "Hora"] }, format = "YYYY/MM/DD hh:mm", length = "PT15M" }
quantity = { column = "Consumo registado, Ativa (kW)", scale = "1/4" }
"#;
    let Some(bytes) = real("smart-meter-exports/e-redes-sample.xlsx") else { return };
    let read = rows(&bytes, mapping);
    let good = good(&read);
    assert_eq!(read.len(), 35_040);
    assert!(good.len() > 35_030, "{:?}", problems(&read).first());
    let Some(eneco) = real("smart-meter-exports/eneco_Verbruik_2020.xlsx") else { return };
    let sheet = envora_ingest::formats::xlsx::read(eneco.as_slice(), Wanted::default()).unwrap();
    assert_eq!(sheet.name(), "Sheet 1");
    assert!(sheet.row(2).unwrap().starts_with("Datum,Meterstand laagtarief (El 1),"));
}

#[test]
fn both_epochs_give_the_same_days() {
    let new = book(daily);
    let old = changed(&new, "xl/workbook.xml", |text| {
        let text = text.replace("<workbookPr", "<workbookPr date1904=\"1\"");
        assert!(text.contains("date1904"));
        text
    });
    let shifted = changed(&old, SHEET, |mut text| {
        for serial in 45_323..45_327 {
            text = text.replace(&format!("<v>{serial}</v>"), &format!("<v>{}</v>", serial - 1462));
        }
        text
    });
    let (new, shifted) = (rows(&new, DAILY), rows(&shifted, DAILY));
    assert_eq!(good(&new).len(), 4);
    let periods = |rows: &[ParsedRow]| -> Vec<_> { good(rows).iter().map(|a| a.period).collect() };
    assert_eq!(periods(&new), periods(&shifted));
    assert_eq!(good(&new)[0].quantity.to_string(), "1.1");
}

#[test]
fn a_number_is_one_whatever_signs_the_mapping_declares_for_texts() {
    let bytes = book(|sheet| {
        daily(sheet);
        sheet.write(1, 1, 1.234).unwrap();
        sheet.write(2, 1, "1.234,5").unwrap();
        sheet.write(3, 0, "03.02.2024").unwrap();
        sheet.write_with_format(4, 1, 0.5, &Look::new().set_num_format("0.0%")).unwrap();
    });
    let mapping = DAILY.replace("[const]", "[file]\ndecimal = \",\"\ngroup = \".\"\n[const]");
    let mapping = mapping.replace("\"Day\" }", "\"Day\", format = \"DD.MM.YYYY\" }");
    let rows = rows(&bytes, &mapping);
    let amounts: Vec<String> = good(&rows).iter().map(|a| a.quantity.to_string()).collect();
    assert_eq!(amounts, ["1.234", "1234.5", "3.1"]);
    let found = problems(&rows);
    assert_eq!(found.len(), 1, "{found:?}");
    let (line, code, column, words) = &found[0];
    assert_eq!((*line, *code, column.as_str()), (5, RowCode::NotANumber, "Use"));
    assert!(words.contains("50%"), "{words}");
}

#[test]
fn cells_that_say_nothing_certain_are_refused_by_name() {
    let bytes = book(|sheet| {
        daily(sheet);
        let merged = Look::new();
        sheet.merge_range(1, 1, 2, 1, "7", &merged).unwrap();
        sheet.write_formula(3, 1, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
        sheet.write_formula(4, 1, Formula::new("=B2*2").set_result("")).unwrap();
        sheet.write(5, 0, "2024-02-05").unwrap();
        sheet.write(5, 1, 5).unwrap();
        sheet.set_row_hidden(5).unwrap();
        sheet.write(6, 0, 60).unwrap();
        sheet.write(6, 1, 6).unwrap();
        sheet.set_cell_format(6, 0, &Look::new().set_num_format("dd/mm/yyyy")).unwrap();
        sheet.write(7, 0, "2024-02-07").unwrap();
        sheet.write(7, 1, 7).unwrap();
    });
    let bytes = changed(&bytes, SHEET, |text| {
        let found = text.find("<f>B2*2</f>").expect("the formula");
        let end = text[found..].find("</c>").expect("its end") + found;
        format!("{}<f>B2*2</f>{}", &text[..found], &text[end..])
    });
    let rows = rows(&bytes, DAILY);
    assert_eq!(good(&rows).len(), 1);
    let found = problems(&rows);
    let expected = [
        (
            2,
            RowCode::MalformedRow,
            "Use",
            "the cell B2 of the sheet \"Sheet1\" is one of the merged cells B2:B3",
        ),
        (
            3,
            RowCode::MalformedRow,
            "Use",
            "the cell B3 of the sheet \"Sheet1\" is one of the merged cells B2:B3",
        ),
        (
            4,
            RowCode::WrongType,
            "Use",
            "the cell B4 of the sheet \"Sheet1\" holds the error #DIV/0!",
        ),
        (
            5,
            RowCode::MissingField,
            "Use",
            "the cell B5 of the sheet \"Sheet1\" is a formula, and the file does not hold its value",
        ),
        (6, RowCode::MalformedRow, "", "the row 6 of the sheet \"Sheet1\" is hidden"),
        (
            7,
            RowCode::WrongType,
            "Day",
            "the cell A7 of the sheet \"Sheet1\" is shown as a date, and 60 is the number of none",
        ),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((line, code, column, words), own) in expected.iter().zip(&found) {
        assert_eq!((line, code, *column), (&own.0, &own.1, own.2.as_str()));
        assert!(own.3.starts_with(words) && own.3.len() > words.len() + 10, "{}", own.3);
    }
}

#[test]
fn flaws_matter_where_a_mapping_reads_and_an_error_may_mean_none() {
    let bytes = book(|sheet| {
        daily(sheet);
        sheet.write(0, 2, "Note").unwrap();
        sheet.write_formula(1, 2, Formula::new("=NA()").set_result("#N/A")).unwrap();
        sheet.write(2, 2, "fine").unwrap();
        sheet.set_column_hidden(2).unwrap();
    });
    assert_eq!(good(&rows(&bytes, DAILY)).len(), 4, "nobody reads the column");
    let reads = format!("{DAILY}note = {{ column = \"Note\" }}\n");
    let found = problems(&rows(&bytes, &reads));
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].3.contains("holds the error #N/A"), "{}", found[0].3);
    assert!(found[1].3.contains("the cell C3 of the sheet \"Sheet1\" is in a hidden column"));
    let null = reads.replace("[const]", "[file]\nnull = [\"#N/A\"]\n[const]");
    let found = problems(&rows(&bytes, &null));
    assert_eq!(found.len(), 1, "{found:#?}");
    let asks = format!("{DAILY}when = {{ column = \"Note\", equals = \"fine\" }}\n");
    let found = problems(&rows(&bytes, &asks));
    assert_eq!(found.len(), 2, "what cannot be asked is not left out: {found:#?}");
}

#[test]
fn the_head_and_foot_of_a_table_are_as_in_csv() {
    let bytes = book(|sheet| {
        sheet.write(0, 0, "Usage of\nmain building").unwrap();
        for (column, name) in ["Site", "Day", "Use"].iter().enumerate() {
            let column = u16::try_from(column).unwrap();
            sheet.write(2, column, *name).unwrap();
            sheet.write(3, column, ["", "", "kWh"][usize::from(column)]).unwrap();
        }
        for (row, amount) in [(4, "5"), (6, "-"), (7, "6.50")] {
            sheet.write(row, 0, "a \"b\", c\nd").unwrap();
            sheet.write(row, 1, format!("2024-02-0{row}")).unwrap();
            sheet.write(row, 2, amount).unwrap();
        }
        sheet.write(8, 0, "Summe").unwrap();
        sheet.write(8, 2, 11.5).unwrap();
    });
    let mapping = r#"
mapping = "framed"
format = "xlsx"
[file]
skip_lines = 1
units_row = true
footer = ["Summe"]
null = ["-"]
sheet = "Sheet1"
[const]
type = "electricity.purchased"
time_zone = "UTC"
[[activity]]
period = { day = "Day" }
quantity = { column = "Use" }
unit = { header = "Use", map = { "kWh" = "kW.h" } }
facility_code = "b1"
note = { column = "Site" }
"#;
    let rows = rows(&bytes, mapping);
    let places: Vec<(u64, u64)> = rows.iter().map(|row| (row.row, row.line)).collect();
    assert_eq!(places, [(1, 5), (2, 7), (3, 8), (4, 9)]);
    let good = good(&rows);
    let amounts: Vec<String> = good.iter().map(|a| a.quantity.to_string()).collect();
    assert_eq!(amounts, ["5", "6.50"], "{:?}", problems(&rows));
    assert_eq!(good[0].note.as_deref(), Some("a \"b\", c\nd"));
    let codes: Vec<RowCode> = problems(&rows).into_iter().map(|(_, code, ..)| code).collect();
    assert_eq!(codes, [RowCode::MissingField, RowCode::LooksLikeTotal]);
}

#[test]
fn field_names_may_be_the_header_without_a_mapping() {
    let bytes = book(|sheet| {
        let header =
            ["external_id", "type", "quantity", "unit", "start_date", "end_date", "facility_code"];
        for (column, name) in header.iter().enumerate() {
            sheet.write(0, u16::try_from(column).unwrap(), *name).unwrap();
        }
        let days = Look::new().set_num_format("d mmm yyyy");
        for (row, amount) in [(1, 12.5), (2, 1e-3)] {
            sheet.write(row, 0, format!("r-{row}")).unwrap();
            sheet.write(row, 1, "electricity.purchased").unwrap();
            sheet.write(row, 2, amount).unwrap();
            sheet.write(row, 3, "kW.h").unwrap();
            for column in [4, 5] {
                let day = ExcelDateTime::from_ymd(2024, 1, 31).unwrap();
                sheet.write_with_format(row, column, &day, &days).unwrap();
            }
            sheet.write(row, 6, 24).unwrap();
        }
    });
    let rows = rows(&bytes, "");
    assert_eq!(problems(&rows), []);
    let amounts: Vec<String> = good(&rows).iter().map(|a| a.quantity.to_string()).collect();
    assert_eq!(amounts, ["12.5", "0.001"]);
    assert_eq!(good(&rows)[0].facility, Some(Ref::Code("24".to_owned())));
}

#[test]
fn a_workbook_of_several_sheets_asks_which() {
    let mut workbook = Workbook::new();
    for name in ["2023", "2024"] {
        daily(workbook.add_worksheet().set_name(name).unwrap());
    }
    let hidden = workbook.add_worksheet().set_name("Lists").unwrap();
    hidden.set_hidden(true);
    let two = workbook.save_to_buffer().unwrap();
    let (code, words) = refusal(&two, DAILY);
    assert_eq!(code, "ambiguous_format");
    assert!(words.contains("2 sheets: \"2023\", \"2024\": name one"), "{words}");
    let named =
        |name: &str| DAILY.replace("[const]", &format!("[file]\nsheet = {name:?}\n[const]"));
    assert_eq!(good(&rows(&two, &named("2024"))).len(), 4);
    let (code, words) = refusal(&two, &named("2042"));
    assert_eq!(code, "validation_failed");
    assert!(words.contains("did you mean"), "{words}");
    let (_, words) = refusal(&two, &named("Consumption"));
    assert!(words.ends_with("its sheets are \"2023\", \"2024\", \"Lists\""), "{words}");
}

#[test]
fn what_is_no_workbook_is_told_what_it_is() {
    if let Some(old) = real("energy-sparks-amr/banes-example-file.xls") {
        let (_, words) = refusal(&old, DAILY);
        assert!(words.contains("old kind (.xls)") && words.contains("save it as .xlsx"), "{words}");
    }
    let (_, words) = refusal(b"Day,Use\n2024-02-01,5\n", DAILY);
    assert!(words.contains("no XLSX workbook") && words.contains(".csv"), "{words}");
    assert!(refusal(b"", DAILY).1.contains("empty"));
    let whole = book(daily);
    for cut in [5, whole.len() / 2, whole.len() - 30] {
        let (code, words) = refusal(&whole[..cut], DAILY);
        assert!(code == "malformed_body" && words.contains("cannot be read"), "{words}");
    }
    let says = DAILY.replace("mapping = \"daily\"", "mapping = \"daily\"\nformat = \"csv\"");
    let (code, words) = refusal(&whole, &says);
    assert!(code == "validation_failed" && words.contains("leave format out"), "{words}");
    let Err(error) = reader(Format::Csv, &whole, DAILY) else { panic!("read as CSV") };
    assert!(error.to_string().contains("spreadsheet"), "{error}");
}

#[test]
fn an_encrypted_workbook_is_told_to_be_one() {
    // What a spreadsheet writes then: a compound file whose directory names the encrypted package.
    let mut file = vec![0_u8; 512 * 3];
    file[..8].copy_from_slice(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
    file[24..34].copy_from_slice(&[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
    let number = |file: &mut Vec<u8>, at: usize, value: u32| {
        file[at..at + 4].copy_from_slice(&value.to_le_bytes());
    };
    let (end, free, table) = (0xffff_fffe_u32, 0xffff_ffff_u32, 0xffff_fffd_u32);
    number(&mut file, 44, 1);
    number(&mut file, 48, 1);
    number(&mut file, 56, 4096);
    number(&mut file, 60, end);
    number(&mut file, 68, end);
    for place in 0..109 {
        number(&mut file, 76 + 4 * place, if place == 0 { 0 } else { free });
    }
    for place in 0..128 {
        number(&mut file, 512 + 4 * place, [table, end].get(place).copied().unwrap_or(free));
    }
    for (place, name) in ["Root Entry", "EncryptedPackage"].iter().enumerate() {
        let at = 1024 + 128 * place;
        for (letter, byte) in name.bytes().enumerate() {
            file[at + 2 * letter] = byte;
        }
        file[at + 64] = u8::try_from(2 * name.len() + 2).unwrap();
        file[at + 66] = if place == 0 { 5 } else { 2 };
        for link in [68, 72, 76] {
            number(&mut file, at + link, free);
        }
        number(&mut file, at + 116, end);
    }
    let (_, words) = refusal(&file, DAILY);
    assert!(words.contains("encrypted with a password"), "{words}");
}

#[test]
fn bombs_are_refused_before_they_unpack() {
    let whole = book(daily);
    // A part that says what it is.
    let honest = changed(&whole, SHEET, |text| {
        text.replace("</sheetData>", &format!("</sheetData>{}", " ".repeat(257 << 20)))
    });
    assert!(honest.len() < 2 << 20, "{}", honest.len());
    assert!(refusal(&honest, DAILY).1.contains("unpacks to more than 256 MiB"));
    // The same, whose directory says that it is small.
    let real_size = u32::try_from((257 << 20) + part_length(&whole)).unwrap().to_le_bytes();
    let mut lying = honest;
    let mut at = 0;
    while let Some(found) = lying[at..].windows(4).position(|bytes| bytes == real_size) {
        lying[at + found..at + found + 4].copy_from_slice(&5000_u32.to_le_bytes());
        at += found + 4;
    }
    assert!(at > 0, "its size is told");
    let (code, words) = refusal(&lying, DAILY);
    assert_eq!(code, "malformed_body", "{words}");
    // One long text, shown by many cells.
    let shared = book(|sheet| {
        let long = "x".repeat(32_000);
        for row in 0..9_000 {
            sheet.write(row, 0, &long).unwrap();
        }
    });
    assert!(shared.len() < 1 << 20);
    assert!(refusal(&shared, DAILY).1.contains("more than 256 MiB of text"));
    // More parts than any workbook has.
    let mut many = ZipWriter::new(Cursor::new(Vec::new()));
    for part in 0..10_001 {
        many.start_file(format!("{part}.xml"), packed()).unwrap();
    }
    let many = many.finish().unwrap().into_inner();
    assert!(refusal(&many, DAILY).1.contains("more than 10000 parts"));
    // More shared texts.
    let texts = changed(&whole, "xl/sharedStrings.xml", |text| {
        text.replace("</sst>", &format!("{}</sst>", "<si/>".repeat(2_000_001)))
    });
    assert!(refusal(&texts, DAILY).1.contains("more texts"));
}

fn part_length(bytes: &[u8]) -> usize {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    usize::try_from(archive.by_name(SHEET).unwrap().size()).unwrap()
}

#[test]
fn parts_that_contradict_each_other_are_refused_and_end_nothing() {
    let whole = book(daily);
    let reversed = changed(&whole, SHEET, |text| text.replace("ref=\"A1:B5\"", "ref=\"B5:A1\""));
    assert_eq!(refusal(&reversed, DAILY).0, "malformed_body");
    let far = changed(&whole, SHEET, |text| text.replace("r=\"B5\"", "r=\"B4294967290\""));
    assert_eq!(refusal(&far, DAILY).0, "malformed_body");
    let back = changed(&whole, SHEET, |text| text.replace("r=\"B5\"", "r=\"B2\""));
    assert!(refusal(&back, DAILY).1.contains("not in order"));
    let entities = changed(&whole, SHEET, |text| {
        text.replacen("<worksheet", "<!DOCTYPE a [<!ENTITY b \"c\">]><worksheet", 1)
    });
    assert!(refusal(&entities, DAILY).1.contains("entities of its own"));
}

#[test]
fn refused_rows_come_out_as_csv() {
    let bytes = book(|sheet| {
        daily(sheet);
        sheet.write(2, 1, "=x, y").unwrap();
    });
    let mapping = Mapping::from_toml(DAILY).unwrap();
    let why = Refused {
        code: "not_a_number".to_owned(),
        message: "no number".to_owned(),
        remedy: "write one".to_owned(),
    };
    let refused = Rows::from([(2, why)]);
    let file = error_file(Format::Xlsx, &bytes, (Some(&mapping), &refused)).unwrap();
    assert_eq!(
        String::from_utf8(file.bytes).unwrap(),
        "Day,Use,_envora_row,_envora_code,_envora_message,_envora_remedy\n2024-02-02,\"'=x, y\",2,not_a_number,no number,write one\n"
    );
}
