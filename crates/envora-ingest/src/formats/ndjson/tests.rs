use std::collections::BTreeMap;

use envora_domain::activities::problems::{Outcome, RowCode};

use super::super::{Opening, OriginHead, open};
use super::*;

const GOOD: &str = r#"{"type":"electricity.purchased","quantity":1,"unit":"kWh","occurred_at":"2022-01-01T00:00:00Z","facility_code":"b24"}"#;

fn opening() -> Opening {
    let head = OriginHead::Request { request_id: "req".into(), body: [0; 32] };
    Opening {
        head,
        mapping: None,
        set: BTreeMap::new(),
        local_times: Default::default(),
        clocks: Default::default(),
    }
}

fn read(body: &[u8]) -> Vec<ParsedRow> {
    let reader = open(Format::Ndjson, Box::new(body), &opening()).expect("it opens");
    reader.map(|row| row.expect("memory never fails")).collect()
}

fn codes(rows: &[ParsedRow]) -> Vec<String> {
    let code = |row: &ParsedRow| match row.outcome() {
        Outcome::Accepted => "accepted".to_owned(),
        Outcome::Duplicate | Outcome::Quarantined | Outcome::Rejected => {
            row.problems()[0].code.to_string()
        }
    };
    rows.iter().map(code).collect()
}

#[test]
fn a_broken_line_rejects_itself() {
    let mut body = format!("\u{feff}{GOOD}\r\n\n{{\"type\":\n{GOOD}\n").into_bytes();
    body.extend(b"{\"note\":\"\xff\"}\n");
    body.extend(format!("{{\"note\":\"{}\"}}\n", "x".repeat(1 << 20)).bytes());
    body.extend(GOOD.bytes());
    let rows = read(&body);
    assert_eq!(
        codes(&rows),
        ["accepted", "malformed_row", "accepted", "invalid_utf8", "line_too_long", "accepted"]
    );
    let lines: Vec<u64> = rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, [1, 3, 4, 5, 6, 7]);
    let last = rows.last().expect("a row");
    let start = usize::try_from(last.offset).expect("small");
    assert_eq!(&body[start..start + last.length as usize], GOOD.as_bytes());
}

#[test]
fn an_object_over_two_lines_is_no_row() {
    let body = GOOD.replacen(',', ",\n", 1);
    assert_eq!(codes(&read(body.as_bytes())), ["malformed_row", "malformed_row"]);
    assert_eq!(codes(&read(b"")), Vec::<String>::new());
    let two = format!("{GOOD}{GOOD}\n");
    assert_eq!(codes(&read(two.as_bytes())), ["malformed_row"]);
    assert_eq!(RowCode::MalformedRow.as_str(), "malformed_row");
}

#[test]
fn a_mapping_is_refused() {
    let mut opening = opening();
    let text =
        "mapping = \"m\"\n[[activity]]\nperiod = { day = \"d\" }\nquantity = { column = \"q\" }";
    let mapping = crate::mapping::Mapping::from_toml(text).expect("a mapping");
    opening.mapping = Some(std::sync::Arc::new(mapping));
    assert!(open(Format::Ndjson, Box::new(&b""[..]), &opening).is_err());
}
