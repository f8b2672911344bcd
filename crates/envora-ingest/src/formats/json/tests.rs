use std::collections::BTreeMap;

use envora_domain::activities::problems::{Flag, Outcome, RowCode};

use super::super::{Opening, OriginHead};
use super::*;

const GOOD: &str = r#"{"external_id":"a1","type":"electricity.purchased","quantity":"12.50","unit":"kWh","start":"2022-01-01T00:00:00Z","end":"2022-01-01T01:00:00Z","facility_code":"b24"}"#;

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

fn rows(activities: &str) -> Vec<ParsedRow> {
    let body = format!("{{\"activities\":[{activities}]}}");
    read(body.into_bytes(), &opening()).expect("a body").collect()
}

/// One change to the good row: every problem's code and pointer, and a part of the first hint.
#[track_caller]
fn check(from: &str, to: &str, want: &[(RowCode, &str)], hint: &str) {
    let text = GOOD.replacen(from, to, 1);
    assert_ne!(text, GOOD, "{from} is not there");
    let seen = rows(&format!("{GOOD},\n{text},\n{GOOD}"));
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0].outcome(), Outcome::Accepted);
    assert_eq!(seen[2].outcome(), Outcome::Accepted);
    let problems = seen[1].problems();
    let shown: Vec<(RowCode, &str)> =
        problems.iter().map(|problem| (problem.code, problem.field.as_str())).collect();
    assert_eq!(shown, want, "{text}: {problems:?}");
    for problem in problems {
        assert_eq!((problem.row, problem.line), (2, 2), "{problem:?}");
        assert!(problem.hint.is_some(), "{problem:?}");
    }
    let given = problems.first().and_then(|problem| problem.hint.as_deref()).unwrap_or("");
    assert!(given.contains(hint), "{hint:?} is not in {given:?}");
}

#[test]
fn a_good_body_is_read() {
    let body = format!("\u{feff}{{\"mode\":\"partial\",\"activities\":[\n{GOOD}\n]}}");
    let read = read(body.clone().into_bytes(), &opening()).expect("a body");
    assert_eq!(read.mode, Some(Mode::Partial));
    let rows: Vec<ParsedRow> = read.collect();
    let row = &rows[0];
    let activity = row.activity.as_ref().expect("an activity");
    assert_eq!(activity.quantity.to_string(), "12.50");
    assert_eq!((row.row, row.line), (1, 2));
    let start = usize::try_from(row.offset).expect("small");
    assert_eq!(&body.as_bytes()[start..start + row.length as usize], GOOD.as_bytes());
}

#[test]
fn numbers_are_read_from_their_text() {
    let quantity = |token: &str| {
        let text = GOOD.replace("\"12.50\"", token);
        let row = rows(&text).remove(0);
        let activity = row.activity.expect("an activity");
        (activity.quantity.to_string(), activity.flags.contains(Flag::FloatArtifact))
    };
    assert_eq!(quantity("12.50"), ("12.50".to_owned(), false));
    assert_eq!(
        quantity("0.1000000000000000055"[..19].trim_end()),
        ("0.10000000000000000".to_owned(), true)
    );
    assert_eq!(quantity("123456789012345"), ("123456789012345".to_owned(), false));
    assert_eq!(quantity("1234567890123456"), ("1234567890123456".to_owned(), true));
    assert_eq!(quantity("\"1234567890123456\""), ("1234567890123456".to_owned(), false));
    assert_eq!(quantity("-0"), ("0".to_owned(), false));
    assert_eq!(quantity("0.000000000000000001"), ("0.000000000000000001".to_owned(), false));
}

#[test]
fn every_bad_value_names_its_field_and_remedy() {
    use RowCode as C;
    let quantity = "\"12.50\"";
    check(quantity, "1e3", &[(C::NotANumber, "/quantity")], "1e3 is 1000");
    check(quantity, "\"1e3\"", &[(C::NotANumber, "/quantity")], "1e3 is 1000");
    check(quantity, "\"NaN\"", &[(C::NotANumber, "/quantity")], "");
    check(quantity, "\"\"", &[(C::NotANumber, "/quantity")], "");
    check(quantity, "\"12.5 \"", &[(C::NotANumber, "/quantity")], "");
    check(quantity, &"9".repeat(40), &[(C::TooManyDigits, "/quantity")], "round it");
    check(quantity, "null", &[(C::WrongType, "/quantity")], "");
    check(quantity, "true", &[(C::WrongType, "/quantity")], "");
    check(quantity, "[1]", &[(C::WrongType, "/quantity")], "");
    check(quantity, "\"-1\"", &[(C::NegativeNotAllowed, "/quantity")], "exported");
    check("\"kWh\"", "\"therm\"", &[(C::UnitAmbiguous, "/unit")], "write one of");
    check("\"kWh\"", "\"kg\"", &[(C::UnitMismatch, "/unit")], "");
    check("\"kWh\"", "5", &[(C::WrongType, "/unit")], "double quotes");
    check("\"kWh\"", "\"quarks\"", &[(C::UnknownUnit, "/unit")], "");
    check(
        "electricity.purchased",
        "electricity.purchase",
        &[(C::UnknownType, "/type")],
        "did you mean",
    );
    check("electricity.purchased", "Electricity", &[(C::UnknownType, "/type")], "catalogue");
    check(
        "\"2022-01-01T01:00:00Z\"",
        "\"2022-01-01\"",
        &[(C::WrongType, "/end")],
        "2022-01-31T13:00:00Z",
    );
    check("T01:00:00Z", "T01:00:00.0000001Z", &[(C::TooManyDigits, "/end")], "microseconds");
    check(
        "\"2022-01-01T01:00:00Z\"",
        "\"9999-12-31T23:59:59Z\"",
        &[(C::WrongType, "/end")],
        "correct the year",
    );
    check("T01:00:00Z", "T00:00:00Z", &[(C::PeriodReversed, "/end")], "after the start");
    check("\"b24\"", "\"\"", &[(C::WrongType, "/facility_code")], "leave the field out");
    check("\"b24\"", "\"\\ud800\"", &[(C::MalformedRow, "/facility_code")], "surrogates");
    check("\"b24\"", "\"b24\",\"scope\":1", &[(C::ScopeNotAllowed, "/scope")], "scope 2");
    check("\"b24\"", "\"b24\",\"scope\":\"2\"", &[(C::WrongType, "/scope")], "");
    check(
        "\"b24\"",
        "\"b24\",\"facility_id\":\"b24\"",
        &[(C::WrongType, "/facility_id"), (C::WrongType, "/facility_id")],
        "_code",
    );
}

#[test]
fn fields_are_known_once_and_all_there() {
    use RowCode as C;
    check(
        "\"quantity\"",
        "\"quantitiy\"",
        &[(C::UnknownField, "/quantitiy"), (C::MissingField, "/quantity")],
        "did you mean quantity?",
    );
    check(
        "\"external_id\":\"a1\"",
        "\"reason\":\"x\"",
        &[(C::UnknownField, "/reason")],
        "did you mean supersede_reason?",
    );
    check("\"unit\":\"kWh\",", "", &[(C::MissingField, "/unit")], "give unit");
    check("\"external_id\":\"a1\"", "\"unit\":\"MWh\"", &[(C::DuplicateKey, "/unit")], "keep one");
    check(
        "\"external_id\":\"a1\"",
        "\"tags\":{\"a\":\"1\",\"a\":\"2\"}",
        &[(C::DuplicateKey, "/tags/a")],
        "keep one",
    );
    check(
        "\"external_id\":\"a1\"",
        "\"tags\":{\"A b\":\"1\"}",
        &[(C::UnknownField, "/tags/A b")],
        "snake_case",
    );
    check("\"external_id\":\"a1\"", "\"tags\":{\"a\":1}", &[(C::WrongType, "/tags/a")], "");
    check("\"external_id\":\"a1\"", "\"tags\":[]", &[(C::WrongType, "/tags")], "{ }");
    check(
        "\"external_id\":\"a1\"",
        "\"price\":{\"yeer\":2021}",
        &[(C::UnknownField, "/price/yeer"), (C::MissingField, "/price/year")],
        "did you mean year?",
    );
    check(
        "\"external_id\":\"a1\"",
        "\"reading\":{\"start\":\"1\"}",
        &[(C::MissingField, "/reading/end")],
        "",
    );
    check(
        "\"external_id\":\"a1\"",
        "\"inputs\":{\"x\":{\"quantity\":\"1\"}}",
        &[(C::MissingField, "/inputs/x/unit")],
        "",
    );
    check("\"external_id\":\"a1\"", "\"category\":3", &[(C::MissingField, "/scope")], "give scope");
    check(
        "\"external_id\":\"a1\"",
        "\"occurred_at\":\"2022-01-01T00:00:00Z\"",
        &[(C::WrongType, "")],
        "give one of",
    );
    check(",\"end\":\"2022-01-01T01:00:00Z\"", "", &[(C::MissingField, "/end")], "give end");
    check(",\"facility_code\":\"b24\"", "", &[(C::MissingField, "")], "facility_code");
    check(
        "\"external_id\":\"a1\"",
        "\"instruments\":[\"x\"]",
        &[(C::WrongType, "/instruments/0")],
        "",
    );
    check(
        "\"external_id\":\"a1\"",
        "\"evidence\":\"x\"",
        &[(C::WrongType, "/evidence")],
        "square brackets",
    );
    check(
        "\"external_id\":\"a1\"",
        "\"reading\":{\"start\":\"1\",\"end\":\"2\"}",
        &[(C::ReadingMismatch, "/reading")],
        "",
    );
}

#[test]
fn all_problems_of_a_row_come_at_once_up_to_ten() {
    let row = r#"{"type":5,"quantity":"x","unit":null,"start":"a","end":"b","scope":9,"void":1,"note":2,"a":1,"b":1,"c":1,"d":1}"#;
    let seen = rows(row);
    assert_eq!(seen[0].problems().len(), 10);
}

#[test]
fn a_row_that_is_no_object_or_too_deep_is_its_own_problem() {
    for row in ["5", "null", "[]", "\"x\""] {
        assert_eq!(rows(row)[0].problems()[0].code, RowCode::WrongType, "{row}");
    }
    let deep = format!("{{\"tags\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    assert_eq!(rows(&deep)[0].problems()[0].code, RowCode::MalformedRow);
    let endless = "[".repeat(200_000);
    assert!(read(endless.as_bytes().to_vec(), &opening()).is_err());
}

#[test]
fn a_broken_body_is_refused_whole_and_says_where() {
    for (body, field, words) in [
        ("", "", "no JSON object"),
        ("[]", "", "no JSON object"),
        ("{\"activities\":[", "", "no JSON object"),
        ("{\"activities\":[]", "", "no JSON object"),
        ("{\"activities\":{}}", "/activities", "no array"),
        ("{}", "/activities", "missing"),
        ("{\"activites\":[]}", "/activites", "unknown field"),
        ("{\"mode\":\"all\",\"activities\":[]}", "/mode", "atomic or partial"),
        ("{\"activities\":[5],\"activities\":[5]}", "/activities", "twice"),
        ("{\"activities\":[]}", "/activities", "no row to store"),
    ] {
        let error = read(body.as_bytes().to_vec(), &opening()).err().expect("refused");
        let OpenError::File(problems) = error else { panic!("{error}") };
        assert_eq!(problems[0].field, field, "{body}");
        assert!(problems[0].detail.contains(words), "{body}: {problems:?}");
        assert!(!problems[0].hint.is_empty(), "{body}");
    }
    let broken = b"{\"activities\":[\n\"\xff\"]}";
    let error = read(broken.to_vec(), &opening()).err().expect("refused");
    let OpenError::File(problems) = error else { panic!("{error}") };
    assert_eq!((problems[0].code, problems[0].line), ("malformed_body", 2));
}

#[test]
fn a_body_has_so_many_rows_and_no_more() {
    let body = |rows: usize| format!("{{\"activities\":[{}]}}", vec!["0"; rows].join(","));
    let most = read(body(BODY_ROWS_MAX).into_bytes(), &opening()).expect("a body");
    assert_eq!(most.count(), BODY_ROWS_MAX);
    let error = read(body(BODY_ROWS_MAX + 1).into_bytes(), &opening()).err().expect("refused");
    let OpenError::File(problems) = error else { panic!("{error}") };
    assert_eq!((problems[0].code, problems[0].field.as_str()), ("too_many_rows", "/activities"));
    assert!(problems[0].detail.contains("100000"), "{problems:?}");
}

#[test]
fn a_row_that_voids_another_needs_its_name_alone() {
    let seen = rows(
        r#"{"supersedes":"ext:a","void":true},{"void":true},
        {"supersedes":"ext:a","void":true,"quantity":"5"},{"supersedes":"ext:a","void":false}"#,
    );
    let activity = seen[0].activity.as_ref().expect("a row that voids");
    assert_eq!((activity.period, activity.kind.as_str()), (crate::fields::UNSAID, ""));
    let fields = |row: usize| -> Vec<&str> {
        seen[row].problems().iter().map(|problem| problem.field.as_str()).collect()
    };
    assert_eq!(fields(1), ["/supersedes"]);
    assert_eq!(fields(2), ["/quantity"]);
    assert_eq!(fields(3), ["/type", "/quantity", "/unit", "", ""]);
}

#[test]
fn a_scope_of_the_request_is_for_rows_that_claim_none() {
    let mut opening = opening();
    opening.set.insert("scope".to_owned(), "1".to_owned());
    let claimed = GOOD.replace("\"b24\"", "\"b24\",\"scope\":2");
    let body = format!("{{\"activities\":[{GOOD},{claimed}]}}");
    let rows: Vec<ParsedRow> = read(body.clone().into_bytes(), &opening).expect("a body").collect();
    assert_eq!(rows[0].problems()[0].code, RowCode::ScopeNotAllowed);
    assert_eq!(rows[1].activity.as_ref().expect("an activity").scope, Some(2));
    opening.set.insert("scoop".to_owned(), "2".to_owned());
    assert!(read(body.as_bytes().to_vec(), &opening).is_err());
}
