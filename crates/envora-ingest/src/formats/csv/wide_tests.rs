//! UTF-16, as spreadsheets save it: the same rows as in UTF-8, at the places that the file has.

use envora_domain::activities::Origin;

use super::super::mend::{Refused, Rows, error_file};
use super::super::{Format, mend};
use super::shown;
use super::tests::{opening, quantities, read};
use crate::mapping::Mapping;

const MAPPING: &str = r#"
mapping = "wide-letters"
format = "csv"
[const]
type = "electricity.purchased"
unit = "kW.h"
time_zone = "UTC"
facility_code = "b1"
[[activity]]
period = { start = "Zeit", format = "DD.MM.YYYY hh:mm", length = "PT1H" }
quantity = { column = "Zählerwert", decimal = "," }
"#;

const TEXT: &str = "Zeit\tZählerwert\tNotiz\r\n\r\n01.01.2022 00:00\t1,5\t水 𝄞\r\n01.01.2022 01:00\t\"2,5\"\t\"zwei\r\nZeilen\"\r\n01.01.2022 02:00\tx\tm³\r\n";

fn little(text: &str) -> Vec<u8> {
    [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

fn big(text: &str) -> Vec<u8> {
    [0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect()
}

#[test]
fn rows_are_those_of_utf_8_and_their_places_those_of_the_file() {
    let plain = read(Some(MAPPING), TEXT.as_bytes());
    assert_eq!(quantities(&plain[..2]), ["1.5", "2.5"]);
    for file in [little(TEXT), big(TEXT)] {
        let rows = read(Some(MAPPING), &file);
        assert_eq!(rows.len(), 3);
        for (row, plain) in rows.iter().zip(&plain) {
            assert_eq!((row.row, row.line), (plain.row, plain.line));
            let place = |row: &crate::rows::ParsedRow| {
                let start = usize::try_from(row.offset).unwrap();
                start..start + usize::try_from(row.length).unwrap()
            };
            let (wide, narrow) = (&file[place(row)], &TEXT.as_bytes()[place(plain)]);
            assert_eq!(shown(&file, wide).as_bytes(), narrow);
            let id = |row: &crate::rows::ParsedRow| {
                row.activity.as_ref().ok().and_then(|own| own.external_id.clone())
            };
            assert_eq!(id(row), id(plain), "the same row, however it is written");
        }
        let Ok(good) = &rows[0].activity else { panic!("a good row") };
        let Origin::Request { offset, length, .. } = &good.origin else { panic!("of a body") };
        assert_eq!((*offset, *length), (rows[0].offset, rows[0].length));
    }
}

#[test]
fn a_line_of_half_letters_is_refused_and_the_others_are_not() {
    let mut file = little("Zeit\tZählerwert\n01.01.2022 00:00\t1\n");
    file.extend(b"\x00\xdcx\0\n\0");
    file.extend("01.01.2022 01:00\t2\n".encode_utf16().flat_map(u16::to_le_bytes));
    let rows = read(Some(MAPPING), &file);
    let code = |row: &crate::rows::ParsedRow| row.problems().first().map(|own| own.code.as_str());
    assert_eq!(rows.iter().map(code).collect::<Vec<_>>(), [None, Some("invalid_utf8"), None]);
    let reader = super::super::open(Format::Csv, Box::new(&file[..]), &opening(Some(MAPPING)));
    assert!(reader.is_ok());
}

#[test]
fn refused_rows_come_back_in_the_mappings_encoding_and_are_read_again() {
    let refused: Rows = [(3, Refused { code: "not_a_number".into(), ..Refused::default() })].into();
    let written = MAPPING.replace("[const]", "[file]\nencoding = \"windows-1252\"\n[const]");
    for mapping in [MAPPING, &written] {
        let own = Mapping::from_toml(mapping).unwrap();
        let mend::ErrorFile { bytes, left_out } =
            error_file(Format::Csv, &little(TEXT), (Some(&own), &refused)).unwrap();
        assert!(left_out.is_empty());
        let sign = bytes.iter().position(|byte| *byte == b'x').unwrap();
        let mended = [&bytes[..sign], b"3,5", &bytes[sign + 1..]].concat();
        assert_eq!(quantities(&read(Some(mapping), &mended)), ["3.5"]);
    }
}
