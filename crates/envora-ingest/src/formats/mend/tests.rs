use std::sync::Arc;

use super::*;
use crate::formats::{Opening, OriginHead, open};

fn refused(rows: &[u64]) -> Rows {
    let why = |row: &u64| {
        let message = format!("row {row}, \"wrong\"");
        (*row, Refused { code: "wrong_type".to_owned(), message, remedy: "=mend it…".to_owned() })
    };
    rows.iter().map(why).collect()
}

#[track_caller]
fn check(format: Format, mapping: Option<&str>, bytes: &[u8], rows: &[u64], want: &[u8]) {
    let mapping = mapping.map(|text| Mapping::from_toml(text).expect("a mapping"));
    let file = error_file(format, bytes, (mapping.as_ref(), &refused(rows))).expect("a file");
    let (came, want) = (String::from_utf8_lossy(&file.bytes), String::from_utf8_lossy(want));
    assert_eq!(came, want);
}

#[test]
fn csv_keeps_its_head_and_its_lines() {
    let text = b"type,quantity,unit,note\nx,1,kW.h,fine\ny,-2,kg,\"a,b\"\n\nz,=1+1,kg,c\n";
    let want = "type,quantity,unit,note,_envora_row,_envora_code,_envora_message,_envora_remedy\n\
                y,-2,kg,\"a,b\",2,wrong_type,\"row 2, \"\"wrong\"\"\",'=mend it…\n\
                z,'=1+1,kg,c,3,wrong_type,\"row 3, \"\"wrong\"\"\",'=mend it…\n";
    check(Format::Csv, None, text, &[2, 3], want.as_bytes());
}

#[test]
fn a_preamble_a_units_row_and_an_old_encoding_stay() {
    let mapping = "mapping = \"m\"\nformat = \"csv\"\n[file]\nencoding = \"windows-1252\"\n\
                   delimiter = \";\"\nskip_lines = 1\nunits_row = true\n[[activity]]\n\
                   type = \"electricity.purchased\"\nunit = \"kW.h\"\n\
                   quantity = { column = \"Menge\" }\nperiod = { day = \"Tag\" }\n";
    let text = b"B\xfcro\nTag;Menge;Ort\n;kWh\n1;x;S\xfcd\n2;3;Ost\n";
    let want = b"B\xfcro\nTag;Menge;Ort;_envora_row;_envora_code;_envora_message;_envora_remedy;_envora_occurrence\n\
                 ;kWh;;;;;;\n\
                 1;x;S\xfcd;1;wrong_type;\"row 1, \"\"wrong\"\"\";'=mend it\x85;\n";
    check(Format::Csv, Some(mapping), text, &[1], want);
}

#[test]
fn what_has_no_line_of_its_own_is_left_out() {
    let text = b"type,quantity,unit\nx,\"1,kW.h\ny,2,kg\n";
    let file = error_file(Format::Csv, text, (None, &refused(&[1, 2]))).expect("a file");
    assert_eq!(file.left_out, [1]);
    assert!(
        String::from_utf8_lossy(&file.bytes)
            .ends_with("y,2,kg,2,wrong_type,\"row 2, \"\"wrong\"\"\",'=mend it…\n")
    );
}

#[test]
fn json_rows_get_members_and_others_stay_as_they_are() {
    let text = b"{\"type\":\"x\"}\n{\"type\":\"y\"}\nnonsense\n{}\n";
    let ours = |row: u64| {
        format!(
            "\"_envora_row\": \"{row}\", \"_envora_code\": \"wrong_type\", \"_envora_message\": \
             \"row {row}, \\\"wrong\\\"\", \"_envora_remedy\": \"=mend it…\"}}"
        )
    };
    let (second, fourth) = (ours(2), ours(4));
    let want = format!("{{\"type\":\"y\", {second}\nnonsense\n{{{fourth}\n");
    check(Format::Ndjson, None, text, &[2, 3, 4], want.as_bytes());
    let text = b"{\"activities\":[{\"type\":\"x\"},{\"type\":\"y\"}]}";
    let want = format!("{{\"activities\": [\n{{\"type\":\"y\", {second}\n]}}\n");
    check(Format::Json, None, text, &[2], want.as_bytes());
}

const CARDS: &str = r#"
mapping = "cards"
[file]
format = "DD/MM/YYYY"
[[activity]]
type = { column = "Fuel", map = { Diesel = "fuel.combusted.mobile" } }
"qualifiers.fuel" = "diesel"
unit = "L"
period = { day = "Date" }
quantity = { column = "Litres" }
"#;

/// Ids and quantities of the rows that are activities, and the numbers of those that are not.
fn read(text: &[u8], set: &[(&str, &str)]) -> (Vec<(String, String)>, Rows) {
    let head = OriginHead::Request { request_id: "req".into(), body: [0; 32] };
    let mapping = Some(Arc::new(Mapping::from_toml(CARDS).expect("a mapping")));
    let set = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let opening =
        Opening { head, mapping, set, local_times: Default::default(), clocks: Default::default() };
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for row in open(Format::Csv, Box::new(text), &opening).expect("it opens") {
        let row = row.expect("memory never fails");
        match row.activity {
            Ok(own) => good.push((own.external_id.expect("an id"), own.quantity.to_string())),
            Err(_) => bad.push(row.row),
        }
    }
    (good, refused(&bad))
}

const SET: &[(&str, &str)] = &[("facility_code", "b1"), ("time_zone", "Europe/London")];

/// The error file of a file, as a person mends it.
fn mended(text: &str, from: &str, to: &str) -> String {
    let mapping = Mapping::from_toml(CARDS).expect("a mapping");
    let (_, bad) = read(text.as_bytes(), SET);
    let file = error_file(Format::Csv, text.as_bytes(), (Some(&mapping), &bad)).expect("a file");
    String::from_utf8(file.bytes).expect("text").replacen(from, to, 1)
}

/// What is stored of a file and of its error file, mended; each id once. The same file mended and sent
/// again must add nothing.
#[track_caller]
fn check_mended(rows: &str, (from, to): (&str, &str), want: &[&str]) {
    let text = format!("Date,Fuel,Litres\n{rows}");
    let stored = |parts: &[&str]| -> BTreeMap<String, String> {
        let rows = parts.iter().flat_map(|part| read(part.as_bytes(), SET).0);
        rows.fold(BTreeMap::new(), |mut all, (id, litres)| {
            let known = all.entry(id).or_insert_with(|| litres.clone());
            assert_eq!(*known, litres, "an id with two contents");
            all
        })
    };
    let (file, whole) = (mended(&text, from, to), text.replacen(from, to, 1));
    let by_file = stored(&[&text, &file]);
    let mut litres: Vec<&str> = by_file.values().map(String::as_str).collect();
    litres.sort_unstable();
    assert_eq!(litres, want, "{file}");
    assert_eq!(stored(&[&text, &whole]), by_file, "mended in the file itself");
    assert_eq!(stored(&[&text, &file, &whole]), by_file, "mended in both");
}

#[test]
fn a_mended_row_is_the_row_that_was_refused() {
    // Two alike, the second mistyped; the first mistyped; another amount than the neighbour's.
    check_mended("08/06/2023,Diesel,50\n08/06/2023,Diesel,5O\n", ("5O", "50"), &["50", "50"]);
    check_mended("09/06/2023,Diesel,5O\n09/06/2023,Diesel,70\n", ("5O", "50"), &["50", "70"]);
    check_mended("09/06/2023,Diesel,70\n09/06/2023,Diesel,5O\n", ("5O", "60"), &["60", "70"]);
    // Refused by what it says, not by how it is written.
    check_mended("09/06/2023,Diesel,-5\n09/06/2023,Diesel,70\n", ("-5", "5"), &["5", "70"]);
}

#[test]
fn a_row_whose_list_is_mended_meets_no_other() {
    for (wrong, right) in [
        ("9/6/2023,Diesel,50", "09/06/2023,Diesel,50"),
        ("09/06/2023,Diesl,50", "09/06/2023,Diesel,50"),
    ] {
        let text = format!("Date,Fuel,Litres\n{wrong}\n09/06/2023,Diesel,70\n");
        let file = mended(&text, wrong, right);
        let (first, _) = read(text.as_bytes(), SET);
        let (then, _) = read(file.as_bytes(), SET);
        assert_eq!((first[0].1.as_str(), then[0].1.as_str()), ("70", "50"), "{file}");
        assert_ne!(first[0].0, then[0].0, "{file}");
        assert_eq!(read(file.as_bytes(), SET).0, then, "the same when it is sent again");
    }
}

#[test]
fn a_row_that_is_refused_twice_keeps_its_place() {
    let text = "Date,Fuel,Litres\n08/06/2023,Diesel,50\n08/06/2023,Diesel,5O\n";
    let still = mended(text, "5O", "5o");
    let again = mended(&still, "5o", "50");
    let once = mended(text, "5O", "50");
    assert_eq!(read(again.as_bytes(), SET).0, read(once.as_bytes(), SET).0);
}
