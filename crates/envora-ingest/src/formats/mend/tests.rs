use super::*;

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
    let want = b"B\xfcro\nTag;Menge;Ort;_envora_row;_envora_code;_envora_message;_envora_remedy\n\
                 ;kWh;;;;;\n\
                 1;x;S\xfcd;1;wrong_type;\"row 1, \"\"wrong\"\"\";'=mend it\x85\n";
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
