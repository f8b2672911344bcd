//! Workbooks on their way in: taken like CSV, traced to the row of the sheet, mended in CSV.

use axum::body::Body;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use serde_json::{Value, json};

use crate::house::{Answer, House};
use crate::imports::{counted, counts, with_facility};
use crate::pages::{open, signed_in, text, visit};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A workbook with one sheet of half-hours for each name; the second amount is no number.
fn book(sheets: &[&str]) -> Vec<u8> {
    let times = Format::new().set_num_format("dd/mm/yyyy hh:mm");
    let mut workbook = Workbook::new();
    for name in sheets {
        let sheet = workbook.add_worksheet().set_name(*name).unwrap();
        sheet.write(0, 0, "Half-hours of the library").unwrap();
        sheet.write(2, 0, "From").unwrap();
        sheet.write(2, 1, "kWh").unwrap();
        for (row, hour) in [(3, 0), (4, 1), (5, 2)] {
            let from = ExcelDateTime::from_ymd(2022, 1, 1).unwrap().and_hms(hour, 30, 0).unwrap();
            sheet.write_with_format(row, 0, &from, &times).unwrap();
            sheet.write(row, 1, 372.4).unwrap();
        }
        sheet.write(4, 1, "=broken").unwrap();
    }
    workbook.save_to_buffer().unwrap()
}

fn mapping(name: &str, sheet: Option<&str>) -> Value {
    let mut file = json!({"skip_lines": 2});
    if let Some(sheet) = sheet {
        file["sheet"] = sheet.into();
    }
    json!({
        "mapping": name, "format": "xlsx", "file": file,
        "const": {"type": "electricity.purchased", "unit": "kW.h", "time_zone": "UTC", "facility_code": "b24"},
        "activity": [{"period": {"start": "From", "length": "PT30M"}, "quantity": {"column": "kWh"}}],
    })
}

async fn send(house: &House, (query, key): (&str, &str), bytes: Vec<u8>) -> Answer {
    let request = house
        .ask("POST", &format!("/imports{query}"))
        .header("content-type", XLSX)
        .header("content-disposition", "attachment; filename=\"library.xlsx\"")
        .header("x-idempotency-key", key)
        .body(Body::from(bytes))
        .unwrap();
    house.send(request).await
}

#[tokio::test]
async fn a_sheet_becomes_a_footprint_that_traces_back_to_its_row() {
    let house = with_facility().await;
    for (name, sheet) in [("one", None), ("this", Some("2022"))] {
        assert_eq!(house.post("/import-mappings", &mapping(name, sheet)).await.status, 201);
    }
    let two = book(&["2021", "2022"]);
    let refused = send(&house, ("?mapping=one", "import-key-1"), two.clone()).await;
    let words = refused.is_problem(422, "ambiguous_format").to_string();
    assert!(words.contains("2021") && words.contains("2022"), "{words}");

    let sent = send(&house, ("?mapping=this", "import-key-2"), two.clone()).await;
    assert_eq!(sent.status, 201, "{}", sent.json());
    assert_eq!(counts(&sent), [2, 0, 0, 1], "{}", sent.json());
    let again = send(&house, ("?mapping=this", "import-key-3"), two).await;
    assert_eq!(counts(&again), [0, 2, 0, 1], "{}", again.json());
    let error = &sent.json()["results"][1]["errors"][0];
    assert_eq!((&error["column"], &error["pointer"]), (&json!("kWh"), &Value::Null), "{error}");
    assert_eq!(error["row"], json!({"record": 2, "line": 5}));

    counted(&house).await;
    let footprint = house.get("/carbon-footprint?from=2022-01-01&to=2023-01-01").await.json();
    let figure = footprint["totals"]["scope2_location"]["figure_id"].as_str().unwrap();
    let trace = house.get(&format!("/figures/{figure}/trace")).await.json();
    assert_eq!(trace["replay"], "equal", "{trace}");
    let origin = &trace["lines"]["data"][0]["origin"];
    assert_eq!(origin["sha256"], sent.json()["sha256"]);
    assert_eq!((&origin["sheet"], &origin["parser"]), (&json!("2022"), &json!("xlsx/1")));
    assert_eq!((&origin["line"], &origin["byte_range"]), (&json!(4), &json!([0, 0])));
    assert_eq!(origin["text"], "2022-01-01T00:30:00,372.4");

    let import = sent.json()["id"].as_str().unwrap().to_owned();
    let file = house.get(&format!("/imports/{import}/error-file")).await;
    assert_eq!((file.status, file.header("content-type")), (200, "text/csv"));
    let text = String::from_utf8(file.body.to_vec()).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.contains("2022-01-01")).collect();
    assert_eq!(rows.len(), 1, "{text}");
    assert!(rows[0].starts_with("2022-01-01T01:30:00,'=broken,2,not_a_number,"), "{text}");
}

#[tokio::test]
async fn what_is_no_workbook_is_refused_as_a_whole() {
    let house = with_facility().await;
    for (key, bytes, word) in [
        ("import-key-1", b"a,b\n1,2\n".to_vec(), "XLSX"),
        ("import-key-2", b"PK\x03\x04 and then nothing".to_vec(), "cannot be read"),
        ("import-key-3", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(), ".xls"),
    ] {
        let answer = send(&house, ("", key), bytes).await;
        let words = answer.is_problem(400, "malformed_body").to_string();
        assert!(words.contains(word), "{words}");
    }
    let sheet = house
        .ask("POST", "/activities")
        .header("content-type", XLSX)
        .header("x-idempotency-key", "inline-key-1")
        .body(Body::from(book(&["2022"])))
        .unwrap();
    house.send(sheet).await.is_problem(415, "unsupported_media_type");
    assert_eq!(house.get("/imports").await.json()["data"], json!([]));
}

#[tokio::test]
async fn a_workbook_sent_by_form_is_read_and_its_rows_are_told_by_cell() {
    let house = with_facility().await;
    assert_eq!(house.post("/import-mappings", &mapping("one", None)).await.status, 201);
    let session = signed_in(&house).await;
    let part = |head: &str| format!("--b0undary\r\nContent-Disposition: form-data; {head}\r\n\r\n");
    let mut form = format!("{}one\r\n", part("name=\"mapping\"")).into_bytes();
    let file = part("name=\"file\"; filename=\"Library.XLSX\"\r\nContent-Type: application/x-any");
    form.extend_from_slice(file.as_bytes());
    form.extend_from_slice(&book(&["2022"]));
    form.extend_from_slice(b"\r\n--b0undary--\r\n");
    let request = visit("POST", "/imports")
        .header("cookie", &session)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "multipart/form-data; boundary=b0undary")
        .body(Body::from(form));
    let answer = house.send(request.unwrap()).await;
    assert_eq!(answer.status, 303);
    let place = answer.header("location").to_owned();
    let page = text(open(&house, &place, &session).await);
    for want in ["Library.XLSX", "Some refused", "Not a number in kWh", "<td>5</td>"] {
        assert!(page.contains(want), "{want}: {page}");
    }
    counted(&house).await;
    let listed = house.get("/activities").await.json();
    let activity = listed["data"][0]["id"].as_str().unwrap();
    let page = text(open(&house, &format!("/activities/{activity}"), &session).await);
    for want in ["of the sheet", "packed together", "2022-01-01T00:30:00,372.4"] {
        assert!(page.contains(want), "{want}: {page}");
    }
    assert!(!page.contains("tail -c"), "{page}");
}
