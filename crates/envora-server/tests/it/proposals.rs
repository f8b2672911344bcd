//! A mapping proposed for a file that nobody described: by the interface, and in the import form.

use axum::body::Body;
use envora_api::media::XLSX;
use serde_json::json;

use crate::house::{Answer, House};
use crate::imports::with_facility;
use crate::pages::{open, signed_in, text, upload_to, upload_with};

/// Its times name starts or ends of hours, and nothing tells which.
const OPEN: &str =
    "when,strom [kWh]\n2022-06-01 07:00,5.5\n2022-06-01 08:00,6.5\n2022-06-01 09:00,7.5\n";

async fn proposed(house: &House, query: &str, file: &'static str) -> Answer {
    let request = house.ask("POST", &format!("/import-mappings/propose{query}"));
    let request = request.header("content-type", "text/csv").body(Body::from(file));
    house.send(request.unwrap()).await
}

#[tokio::test]
async fn what_a_file_tells_is_answered_and_what_it_does_not_is_asked() {
    let house = House::new();
    let answer = proposed(&house, "?name=hours", OPEN).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    let found = answer.json();
    assert_eq!((&found["rows"], found["questions"].as_array().map(Vec::len)), (&json!(3), Some(1)));
    let question = &found["questions"][0];
    assert_eq!(
        (&question["code"], &question["column"]),
        (&json!("ambiguous_format"), &json!("when"))
    );
    let choices = question["choices"].as_array().unwrap();
    assert!(choices[0]["says"].as_str().unwrap().starts_with("period = { start"), "{question}");
    assert!(choices[1]["says"].as_str().unwrap().starts_with("period = { end"), "{question}");
    assert!(found["mapping"].as_str().unwrap().contains("\nmapping = \"hours\"\n"), "{found}");
    let stored = house.get("/import-mappings").await.json();
    assert_eq!(stored["data"], json!([]), "nothing is stored");

    let empty = proposed(&house, "", "").await;
    assert_eq!((empty.status, &empty.json()["code"]), (400, &json!("malformed_body")));
    let bare = proposed(&house, "", "site,kWh\n").await;
    assert_eq!((bare.status, &bare.json()["code"]), (400, &json!("malformed_body")));
    assert_eq!(proposed(&house, "?name=", OPEN).await.status, 400);
    let other = house.post("/import-mappings/propose", &json!({})).await;
    assert_eq!(other.status, 415);
}

/// A workbook with a sheet of notes and two of days and amounts.
fn book() -> Vec<u8> {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    workbook.add_worksheet().set_name("Read me").unwrap().write(0, 0, "A note").unwrap();
    for (name, amount) in [("Water", "m3"), ("Power", "kWh")] {
        let sheet = workbook.add_worksheet().set_name(name).unwrap();
        sheet.write(0, 0, "Day").unwrap().write(0, 1, amount).unwrap();
        for row in 1..=2_u8 {
            sheet.write(u32::from(row), 0, format!("2022-01-0{row}")).unwrap();
            sheet.write(u32::from(row), 1, f64::from(row) + 0.5).unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}

#[tokio::test]
async fn a_workbook_is_looked_at_and_which_sheet_is_meant_is_asked() {
    let house = House::new();
    let sent = async |query: &str, kind: &str| {
        let request = house.ask("POST", &format!("/import-mappings/propose{query}"));
        let request = request.header("content-type", kind).body(Body::from(book()));
        house.send(request.unwrap()).await
    };
    let asked = sent("", XLSX).await;
    assert_eq!(asked.status, 200, "{}", asked.json());
    let found = asked.json();
    assert_eq!(found["confidence"], "open");
    let question = &found["questions"][0];
    assert_eq!(question["code"], "ambiguous_format");
    assert_eq!(question["choices"].as_array().map(Vec::len), Some(2), "{question}");
    let named = sent("?sheet=Power&name=electricity", XLSX).await.json();
    assert_eq!((&named["questions"], &named["confidence"]), (&json!([]), &json!("likely")));
    let mapping = named["mapping"].as_str().unwrap();
    assert!(mapping.contains("\nsheet = \"Power\"\n"), "{mapping}");
    let told = named["reasons"].as_array().unwrap();
    assert!(told.iter().any(|own| own["confidence"] == "certain"), "{told:?}");
    // The first bytes say what it is, not the media type.
    assert_eq!(sent("?sheet=Power", "text/csv").await.status, 200);
    let nowhere = sent("?sheet=Gas", XLSX).await;
    assert_eq!((nowhere.status, &nowhere.json()["code"]), (400, &json!("malformed_body")));
}

#[tokio::test]
async fn the_form_is_filled_in_and_the_answered_mapping_takes_the_file_in() {
    let house = with_facility().await;
    let session = signed_in(&house).await;
    let own = (session.as_str(), "/imports/propose");
    let set = ("set", "facility_code=b24");
    let answer = upload_to(&house, own, &[set], OPEN).await;
    assert_eq!(answer.status, 200);
    let page = text(answer);
    for want in [
        "What the file tells",
        "start of its interval, or the end?",
        "facility_code=b24",
        "electricity.purchased",
    ] {
        assert!(page.contains(want), "{want}: {page}");
    }
    // As a person answers: the comment sign comes off one of the choices.
    let toml =
        proposed(&house, "?name=hours", OPEN).await.json()["mapping"].as_str().unwrap().to_owned();
    let unanswered = upload_with(&house, &session, &[("toml", &toml), set], OPEN).await;
    assert_eq!(unanswered.status, 422, "what is open is not guessed");
    let answered =
        toml.replace("# period = { end", "period = { end").replace("unanswered", "# unanswered");
    let sent = upload_with(&house, &session, &[("toml", &answered), set], OPEN).await;
    let (status, shown) = (sent.status, text(sent));
    assert_eq!(status, 303, "{shown}");
    let rows = house.get("/activities").await.json();
    assert_eq!(rows["data"].as_array().map(Vec::len), Some(3), "{rows}");

    let wrong = upload_to(&house, own, &[], "").await;
    assert_eq!(wrong.status, 400);
    assert!(text(wrong).contains("role=\"alert\""));
    assert_eq!(open(&house, "/imports/propose", &session).await.status, 405);
}
