//! The pages as a browser's requests meet them: who gets in, what a form may do, what is sent along.

use axum::body::Body;
use axum::http::Request;
use axum::http::request::Builder;
use envora_domain::time::Span;
use envora_identity::policy::Actor;
use envora_identity::sign_in::{by_token, code_issue};
use envora_server::tenants::TenantCtx;
use serde_json::{Value, json};

use crate::house::{ACME, Answer, House};
use crate::imports::{activities, counted, row, with_facility};

pub(crate) fn visit(method: &str, path: &str) -> Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "acme.localhost:8080")
        .header("accept", "text/html")
}

pub(crate) async fn open(house: &House, path: &str, cookie: &str) -> Answer {
    let request = visit("GET", path).header("cookie", cookie).body(Body::empty());
    house.send(request.unwrap()).await
}

async fn send(house: &House, request: Builder, form: &str) -> Answer {
    let request = request
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()));
    house.send(request.unwrap()).await
}

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap_or("").to_owned()
}

pub(crate) async fn signed_in(house: &House) -> String {
    let answer = send(house, visit("POST", "/sign-in"), &format!("token={}", house.token)).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
    cookie(&answer)
}

/// The live tenant of the first organization.
pub(crate) fn live(house: &House) -> TenantCtx {
    let ours = |tenant: &TenantCtx| tenant.is_named(ACME) && !tenant.is_test();
    house.app.tenants().all().find(ours).unwrap()
}

/// A house whose first calculation has run, as it has in any server that serves.
async fn calculated() -> House {
    let house = House::new();
    let processor = live(&house).processor();
    tokio::task::spawn_blocking(move || processor.catch_up()).await.unwrap().unwrap();
    house
}

async fn operator(house: &House) -> Actor {
    let tenant = live(house);
    let now = house.app.clock().now();
    by_token(&tenant.parts().db, &house.token, now).await.unwrap().unwrap()
}

#[tokio::test]
async fn nobody_is_sent_to_sign_in() {
    let house = House::new();
    for path in [
        "/",
        "/?year=2022",
        "/figures/fig_iQEA",
        "/activities/act_x",
        "/activities",
        "/activities.csv",
        "/activities/act_x/figures",
        "/audit",
        "/audit/0",
        "/factors/sha256:00000000/figures",
        "/facilities",
        "/factors",
        "/factors/sha256:00000000",
        "/footprint.csv?year=2022",
        "/imports",
        "/imports/imp_x",
        "/imports/imp_x/events",
        "/imports/imp_x/state",
        "/imports/open",
        "/imports/imp_x/error-file",
        "/quality",
        "/quality.csv",
        "/settings",
    ] {
        let answer = open(&house, path, "envora=made-up").await;
        assert_eq!((answer.status, answer.header("location")), (303, "/sign-in"), "{path}");
        assert_eq!(answer.body, b"", "{path}");
    }
}

#[tokio::test]
async fn a_token_opens_and_signing_out_closes() {
    let house = calculated().await;
    let wrong = send(&house, visit("POST", "/sign-in"), "token=env_live_wrong").await;
    assert_eq!((wrong.status, wrong.header("set-cookie")), (422, ""));
    let other = format!("token={}", house.other_token);
    assert_eq!(send(&house, visit("POST", "/sign-in"), &other).await.status, 422);
    let session = signed_in(&house).await;
    let page = open(&house, "/", &session).await;
    assert_eq!(page.status, 200);
    assert!(String::from_utf8(page.body).unwrap().contains("Nothing is counted"));
    let out = send(&house, visit("POST", "/sign-out").header("cookie", &session), "").await;
    assert_eq!((out.status, out.header("location")), (303, "/sign-in"));
    assert_eq!(open(&house, "/", &session).await.status, 303);
}

#[tokio::test]
async fn a_code_opens_once_and_for_ten_minutes() {
    let house = calculated().await;
    let tenant = live(&house);
    let (db, actor) = (&tenant.parts().db, operator(&house).await);
    let issue = async || {
        let now = house.app.clock().now();
        code_issue(db, actor, now, house.app.entropy()).await.unwrap().reveal().to_owned()
    };
    let code = issue().await;
    let first = open(&house, &format!("/sign-in?code={code}"), "").await;
    assert_eq!((first.status, first.header("location")), (303, "/"));
    assert_eq!(open(&house, "/", &cookie(&first)).await.status, 200);
    assert_eq!(open(&house, &format!("/?code={code}"), "").await.status, 422);
    let late = issue().await;
    house.clock.advance(Span::from_secs(601));
    assert_eq!(open(&house, &format!("/?code={late}"), "").await.status, 422);
}

#[tokio::test]
async fn another_sites_form_does_nothing() {
    let house = calculated().await;
    let session = signed_in(&house).await;
    let foreign =
        [("sec-fetch-site", "cross-site"), ("origin", "http://evil.test"), ("origin", "null")];
    for (name, value) in foreign {
        let request = visit("POST", "/sign-out").header("cookie", &session).header(name, value);
        assert_eq!(send(&house, request, "").await.status, 403, "{name}");
        let request = visit("POST", "/sign-in").header(name, value);
        let answer = send(&house, request, &format!("token={}", house.token)).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (403, ""), "{name}");
    }
    assert_eq!(open(&house, "/", &session).await.status, 200);
    let own = visit("POST", "/sign-out").header("cookie", &session);
    let own = own.header("origin", "null").header("sec-fetch-site", "same-origin");
    assert_eq!(send(&house, own, "").await.status, 303);
}

#[tokio::test]
async fn every_page_has_the_strict_policy_and_errors_are_pages() {
    let house = calculated().await;
    let session = signed_in(&house).await;
    let cases = [
        ("/sign-in", "", 200),
        ("/", session.as_str(), 200),
        ("/?year=1999", session.as_str(), 200),
        ("/?year=soon", session.as_str(), 400),
        ("/?year=22", session.as_str(), 400),
        ("/quality?year=9998", session.as_str(), 400),
        ("/footprint.csv?year=22", session.as_str(), 400),
        ("/?yaer=2022", session.as_str(), 400),
        ("/?facility=fac_x", session.as_str(), 404),
        ("/?by=source", session.as_str(), 200),
        ("/?by=colour", session.as_str(), 400),
        ("/figures/nothing", session.as_str(), 404),
        ("/activities/act_01jmt8z0p0e3s9k4x6n2q5w7y1", session.as_str(), 404),
        ("/activities", session.as_str(), 200),
        ("/activities?type=&facility_id=&from=&to=", session.as_str(), 200),
        ("/activities?type=electricity", session.as_str(), 400),
        ("/activities?from=2022-02-01&to=2022-01-01", session.as_str(), 400),
        ("/activities.csv?state=gone", session.as_str(), 400),
        ("/audit", session.as_str(), 200),
        ("/audit?entry=999999", session.as_str(), 200),
        ("/audit?entry=first", session.as_str(), 400),
        ("/audit?kind=gossip", session.as_str(), 400),
        ("/audit?kind=config&object=&since=2022-01-01&until=", session.as_str(), 200),
        ("/audit?object=fac_x", session.as_str(), 400),
        ("/audit/0", session.as_str(), 200),
        ("/audit/999999", session.as_str(), 404),
        ("/audit/first", session.as_str(), 404),
        ("/activities/act_01jmt8z0p0e3s9k4x6n2q5w7y1/figures", session.as_str(), 404),
        ("/factors/sha256:0000000000/figures", session.as_str(), 404),
        ("/facilities", session.as_str(), 200),
        ("/facilities?q=no+such+words", session.as_str(), 200),
        ("/facilities?change=nowhere", session.as_str(), 404),
        ("/factors", session.as_str(), 200),
        ("/factors?q=no+such+words", session.as_str(), 200),
        ("/factors/sha256:0000000000", session.as_str(), 404),
        ("/footprint.csv", session.as_str(), 400),
        ("/footprint.csv?year=2022&by=colour", session.as_str(), 400),
        ("/quality", session.as_str(), 200),
        ("/quality?year=1999", session.as_str(), 200),
        ("/quality?year=soon", session.as_str(), 400),
        ("/quality?facility=fac_x", session.as_str(), 404),
        ("/quality?cursor=x", session.as_str(), 400),
        ("/activities?flag=loud", session.as_str(), 400),
        ("/settings", session.as_str(), 200),
        ("/imports", session.as_str(), 200),
        ("/imports?cursor=x", session.as_str(), 400),
        ("/imports/imp_01jmt8z0p0e3s9k4x6n2q5w7y1", session.as_str(), 404),
        ("/imports/imp_01jmt8z0p0e3s9k4x6n2q5w7y1/error-file", session.as_str(), 404),
        ("/no-such-page", session.as_str(), 404),
    ];
    for (path, cookie, status) in cases {
        let answer = open(&house, path, cookie).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        let policy = answer.header("content-security-policy");
        for part in
            ["default-src 'none'", "style-src 'self'", "form-action 'self'", "base-uri 'none'"]
        {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn the_style_is_kept_for_a_year_under_its_digest() {
    let house = House::new();
    let page = String::from_utf8(open(&house, "/sign-in", "").await.body).unwrap();
    let path = page.split("stylesheet\" href=\"").nth(1).and_then(|rest| rest.split('"').next());
    let style = open(&house, path.unwrap(), "").await;
    assert_eq!((style.status, style.header("content-type")), (200, "text/css; charset=utf-8"));
    assert!(style.header("cache-control").contains("immutable"));
    assert_eq!(open(&house, "/static/envora-0.css", "").await.status, 404);
}

#[tokio::test]
async fn a_session_is_a_cookie_that_scripts_and_other_sites_do_not_get() {
    let house = House::new();
    let answer = send(&house, visit("POST", "/sign-in"), &format!("token={}", house.token)).await;
    let set = answer.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains(&house.token));
    house.clock.advance(Span::from_secs(12 * 3600 + 1));
    assert_eq!(open(&house, "/", &cookie(&answer)).await.status, 303);
}

/// A form with a file, as a browser sends it.
async fn upload(house: &House, (session, site): (&str, &str), name: &str, file: &str) -> Answer {
    let part = |head: &str, text: &str| {
        format!("--b0undary\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n")
    };
    let form = [
        part("name=\"mapping\"", ""),
        part("name=\"mode\"", "partial"),
        part(&format!("name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/csv"), file),
        "--b0undary--\r\n".to_owned(),
    ];
    let request = visit("POST", "/imports")
        .header("cookie", session)
        .header("sec-fetch-site", site)
        .header("content-type", "multipart/form-data; boundary=b0undary")
        .body(Body::from(form.concat()));
    house.send(request.unwrap()).await
}

pub(crate) fn text(answer: Answer) -> String {
    String::from_utf8(answer.body).unwrap()
}

const ROWS: &str = "external_id,type,start_date,end_date,quantity,unit,facility_code\n\
    a-1,electricity.purchased,2022-01-01,2022-01-31,12.5,kW.h,b24\n\
    a-2,electricity.purchased,2022-02-01,2022-02-28,<b>12</b>,kW.h,b24\n";

#[tokio::test]
async fn a_file_sent_by_form_shows_what_became_of_its_rows() {
    let house = calculated().await;
    let session = signed_in(&house).await;
    let own = (session.as_str(), "same-origin");
    let name = "<script>Z\u{e4}hler.csv";
    let answer = upload(&house, own, name, ROWS).await;
    assert_eq!(answer.status, 303, "{}", answer.json());
    let place = answer.header("location").to_owned();
    let page = text(open(&house, &place, &session).await);
    for want in ["Z\u{e4}hler.csv", "Not a number in quantity", "Some refused", "<td>3</td>"] {
        assert!(page.contains(want), "{want}: {page}");
    }
    assert!(!page.contains("<b>12") && !page.contains("<script"), "{page}");
    let file = open(&house, &format!("{place}/error-file"), &session).await;
    assert!(file.header("content-disposition").starts_with("attachment"));
    assert!(text(file).contains("_envora_remedy"));
    // Sent again it adds nothing; the list shows both.
    assert_eq!(upload(&house, own, name, ROWS).await.status, 303);
    let list = text(open(&house, "/imports", &session).await);
    assert_eq!(list.matches("some refused").count(), 2, "{list}");
}

/// A form with more fields than a file.
pub(crate) async fn upload_with(
    house: &House,
    session: &str,
    fields: &[(&str, &str)],
    file: &str,
) -> Answer {
    upload_to(house, (session, "/imports"), fields, file).await
}

/// The same, sent by another of its buttons.
pub(crate) async fn upload_to(
    house: &House,
    (session, place): (&str, &str),
    fields: &[(&str, &str)],
    file: &str,
) -> Answer {
    let part = |head: &str, text: &str| {
        format!("--b0undary\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n")
    };
    let fields = fields.iter().map(|(name, value)| part(&format!("name=\"{name}\""), value));
    let file = part("name=\"file\"; filename=\"a.csv\"\r\nContent-Type: text/csv", file);
    let form = fields.chain([file, "--b0undary--\r\n".to_owned()]).collect::<String>();
    let request = visit("POST", place)
        .header("cookie", session)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "multipart/form-data; boundary=b0undary");
    house.send(request.body(Body::from(form)).unwrap()).await
}

const MAPPING: &str = "mapping = \"monthly\"\nformat = \"csv\"\n[const]\ntype = \"electricity.purchased\"\nunit = \"kW.h\"\ntime_zone = \"UTC\"\n[[activity]]\nperiod = { start = \"when\", format = \"YYYY-MM-DD\", length = \"P1D\" }\nquantity = { column = \"how much\" }\n";

#[tokio::test]
async fn a_mapping_is_written_in_the_form_and_constants_hold_for_all_rows() {
    let house = with_facility().await;
    counted(&house).await;
    let session = signed_in(&house).await;
    let file = "when,how much\n2022-01-01,5\n2022-01-02,6\n";
    let set = ("set", "facility_code=b24\r\nnote=by hand");
    let bad = MAPPING.replace("quantity", "quantitty");
    let wrong = upload_with(&house, &session, &[("toml", &bad), set], file).await;
    assert_eq!(wrong.status, 422);
    let page = text(wrong);
    assert!(page.contains("role=\"alert\"") && page.contains("quantitty"), "{page}");
    assert!(page.contains("facility_code=b24\nnote=by hand") || page.contains("note=by hand"));
    let sent = upload_with(&house, &session, &[("toml", MAPPING), set], file).await;
    assert_eq!(sent.status, 303);
    let rows = house.get("/activities").await.json();
    assert_eq!(rows["data"].as_array().unwrap().len(), 2, "{rows}");
    assert_eq!(
        (&rows["data"][0]["facility_code"], &rows["data"][1]["note"]),
        (&"b24".into(), &"by hand".into())
    );
    // The saved one stands in the form to be edited.
    let page = text(open(&house, "/imports?mapping=monthly", &session).await);
    assert!(page.contains("how much") && page.contains("<details open>"), "{page}");
    assert!(page.contains("<option value=\"monthly\" selected>"), "{page}");
    assert_eq!(open(&house, "/imports?mapping=nothing", &session).await.status, 404);
    let odd = upload_with(&house, &session, &[("set", "facility_code")], file).await;
    assert_eq!(odd.status, 400);
    assert!(text(odd).contains("set is name=value"));
}

#[tokio::test]
async fn a_row_is_corrected_and_withdrawn_with_a_reason() {
    let house = crate::activities::lived_in().await;
    let session = signed_in(&house).await;
    let rows = house.get("/activities?state=counted").await.json();
    let id = rows["data"][0]["id"].as_str().unwrap();
    let path = format!("/activities/{id}");
    let post = async |path: &str, form: &str, site: &'static str| {
        let request = visit("POST", path).header("cookie", &session);
        send(&house, request.header("sec-fetch-site", site), form).await
    };
    let right = "act=supersede&quantity=41.50&reason=meter+misread";
    assert_eq!(post(&path, right, "cross-site").await.status, 403);
    let silent = post(&path, "act=supersede&quantity=4&reason=+", "same-origin").await;
    assert_eq!(silent.status, 400);
    assert!(text(silent).contains("Say why"));
    let wrong = post(&path, "act=supersede&quantity=4x&reason=misread", "same-origin").await;
    assert_eq!(wrong.status, 422);
    let wrong = text(wrong);
    assert!(wrong.contains("value=\"4x\"") && wrong.contains("role=\"alert\""), "{wrong}");
    let done = post(&path, right, "same-origin").await;
    assert_eq!(done.status, 303);
    let new = done.header("location").to_owned();
    let again = post(&path, right, "same-origin").await;
    assert_eq!((again.status, again.header("location")), (303, new.as_str()), "sent twice is once");
    counted(&house).await;
    let page = text(open(&house, &path, &session).await);
    assert!(page.contains("meter misread") && !page.contains("Withdraw it"), "{page}");
    let page = text(open(&house, &new, &session).await);
    assert!(page.contains("41.50") && page.contains(&path), "{page}");
    let void = post(&new, "act=void&reason=no+such+meter", "same-origin").await;
    assert_eq!(void.status, 303);
    counted(&house).await;
    let wire = house.get(&new).await.json();
    assert_eq!(wire["state"], "voided", "{wire}");
    let nobody =
        visit("POST", &path).header("cookie", "envora=x").header("sec-fetch-site", "same-origin");
    let nobody = send(&house, nobody, right).await;
    assert_eq!((nobody.status, nobody.header("location")), (303, "/sign-in"));
}

#[tokio::test]
async fn first_steps_tick_themselves() {
    let house = calculated().await;
    let session = signed_in(&house).await;
    let done = async |cookie: &str| {
        let page = text(open(&house, "/", cookie).await);
        let lists = page.matches("<li class=\"done\">").count();
        assert_eq!(lists + page.matches("<li class=\"open\">").count(), 6, "{page}");
        lists
    };
    assert_eq!(done(&session).await, 0);
    let facility = serde_json::json!({"code": "b24", "name": "Library", "country": "GB",
        "time_zone": "UTC"});
    assert_eq!(house.post("/facilities", &facility).await.status, 201);
    assert_eq!(done(&session).await, 1);
    let rows = ROWS.replace("<b>12</b>", "7");
    assert_eq!(upload(&house, (&session, "same-origin"), "a.csv", &rows).await.status, 303);
    counted(&house).await;
    let unseen = done(&session).await;
    assert!(unseen >= 3, "{unseen}");
    let proof = open(&house, "/audit/0", &session).await;
    let seen = format!("{session}; {}", cookie(&proof));
    assert_eq!(done(&seen).await, unseen + 1);
}

#[tokio::test]
async fn a_file_that_cannot_be_taken_in_is_told_in_place() {
    let house = calculated().await;
    let session = signed_in(&house).await;
    let own = (session.as_str(), "same-origin");
    let answer = upload(&house, own, "a.csv", "when,how much\n2022,1\n").await;
    assert_eq!(answer.status, 422);
    let page = text(answer);
    assert!(page.contains("role=\"alert\"") && page.contains("how much"), "{page}");
    let none = upload(&house, own, "", "").await;
    assert_eq!(none.status, 400);
    assert!(text(none).contains("No file was chosen"));
    // Another site, and nobody.
    let foreign = upload(&house, (session.as_str(), "cross-site"), "a.csv", ROWS).await;
    assert_eq!(foreign.status, 403);
    let nobody = upload(&house, ("envora=x", "same-origin"), "a.csv", ROWS).await;
    assert_eq!((nobody.status, nobody.header("location")), (303, "/sign-in"));
    assert!(text(open(&house, "/imports", &session).await).contains("No file yet"));
}

#[tokio::test]
async fn activities_are_listed_narrowed_and_lead_on() {
    let house = calculated().await;
    let session = signed_in(&house).await;
    let none = text(open(&house, "/activities", &session).await);
    assert!(none.contains("Nothing has come in yet"), "{none}");
    let rows = ROWS.replace("<b>12</b>", "7").replace("a-1,", "\"<img src=x>\",");
    let place = upload(&house, (session.as_str(), "same-origin"), "a.csv", &rows).await;
    let import = place.header("location").rsplit('/').next().unwrap().to_owned();
    let all = text(open(&house, "/activities", &session).await);
    assert_eq!(all.matches("electricity.purchased</td>").count(), 2, "{all}");
    assert!(all.contains("2022-01-01 to 2022-01-31") && all.contains("<td>b24</td>"), "{all}");
    let query = format!("/activities?import_id={import}&type=&state=voided");
    let narrowed = text(open(&house, &query, &session).await);
    assert!(narrowed.contains("No row is like this"), "{narrowed}");
    assert!(narrowed.contains("<option value=\"voided\" selected>"), "{narrowed}");
    let csv = open(&house, &format!("/activities.csv?import_id={import}"), &session).await;
    assert_eq!(csv.header("content-type"), "text/csv");
    assert_eq!(text(csv).lines().count(), 3);
    let one = all.split("<th scope=\"row\"><a href=\"").nth(1).unwrap().split('"').next().unwrap();
    let page = text(open(&house, one, &session).await);
    assert!(page.contains("Its history") && page.contains("Committed"), "{page}");
    assert!(!page.contains("<img"), "{page}");
}

#[tokio::test]
async fn factors_are_found_and_say_where_they_are_printed() {
    let house = calculated().await;
    let session = signed_in(&house).await;
    let query = "/factors?q=natural+gas&publisher=&edition=2022";
    let found = text(open(&house, query, &session).await);
    let one =
        found.split("<th scope=\"row\"><a href=\"").nth(1).unwrap().split('"').next().unwrap();
    let page = text(open(&house, one, &session).await);
    for want in ["Natural gas", "OGL-UK-3.0", "conversion_factors_2022.csv", "sha256sum "] {
        assert!(page.contains(want), "{want}: {page}");
    }
    let odd = text(open(&house, "/factors?q=%3Cscript%3E%22", &session).await);
    assert!(!odd.contains("<script") && odd.contains("No factor holds"), "{odd}");
}

#[tokio::test]
async fn settings_are_saved_or_the_field_says_why_not() {
    let house = calculated().await;
    let session = signed_in(&house).await;
    let save = async |form: &str, site: &'static str| {
        let request = visit("POST", "/settings").header("cookie", &session);
        send(&house, request.header("sec-fetch-site", site), form).await
    };
    let page = text(open(&house, "/settings", &session).await);
    let version = page.split("name=\"version\" value=\"").nth(1).unwrap();
    let version = version.split('"').next().unwrap();
    let form = |zone: &str, days: &str| {
        format!(
            "version={version}&name=Acme&time_zone={zone}&default_gwp_set=ar5&source_retention_days={days}"
        )
    };
    assert_eq!(save(&form("Europe/Paris", "90"), "cross-site").await.status, 403);
    let wrong = save(&form("Europe/Pariss", "9"), "same-origin").await;
    assert_eq!(wrong.status, 422);
    let wrong = text(wrong);
    assert!(wrong.contains("zone-fault") && wrong.contains("days-fault"), "{wrong}");
    assert!(wrong.contains("value=\"Europe/Pariss\""), "{wrong}");
    let saved = save(&form("Europe/Paris", "90"), "same-origin").await;
    assert_eq!((saved.status, saved.header("location")), (303, "/settings?saved=1"));
    let now = text(open(&house, "/settings?saved=1", &session).await);
    assert!(now.contains("value=\"Europe/Paris\"") && now.contains("Saved."), "{now}");
    // The form of before is too late.
    assert_eq!(save(&form("Europe/London", "90"), "same-origin").await.status, 412);
}

#[tokio::test]
async fn the_log_is_narrowed_and_an_entry_has_its_proof() {
    let house = calculated().await;
    let session = signed_in(&house).await;
    let facility = serde_json::json!({"code": "b24", "name": "Library", "country": "GB",
        "time_zone": "UTC"});
    let facility = house.post("/facilities", &facility).await.json();
    let id = facility["id"].as_str().unwrap();
    let entries = async |query: &str| {
        let page = text(open(&house, &format!("/audit?{query}"), &session).await);
        page.matches("<summary>Its bytes").count()
    };
    assert_eq!(entries(&format!("object={id}")).await, 1);
    assert_eq!(entries(&format!("object={id}&kind=segment")).await, 0);
    assert!(entries("kind=config").await >= 1);
    assert_eq!(entries("since=2026-11-21").await, 0);
    assert_eq!(entries(&format!("until=2026-11-21&object={id}")).await, 1);
    let wire = house.get(&format!("/audit/entries?object={id}")).await.json();
    let seq = wire["data"][0]["seq"].as_u64().unwrap();
    let answer = open(&house, &format!("/audit/{seq}"), &session).await;
    assert!(answer.header("set-cookie").starts_with("envora-seen=proof; Path=/; HttpOnly"));
    let page = text(answer);
    let proof = house.get(&format!("/audit/proofs/inclusion?index={seq}")).await.json();
    for hash in proof["proof"].as_array().unwrap().iter().chain([&proof["root"]]) {
        assert!(page.contains(hash.as_str().unwrap()), "{hash}: {page}");
    }
    assert!(page.contains(&format!("envora audit proof {seq}")), "{page}");
    assert!(
        page.contains(&format!("/audit?object={}", wire["data"][0]["object"].as_str().unwrap()))
    );
}

#[tokio::test]
async fn rows_and_factors_lead_to_their_figures_and_back() {
    let house = crate::activities::lived_in().await;
    let session = signed_in(&house).await;
    let rows = house.get("/activities?state=counted").await.json();
    let id = rows["data"][0]["id"].as_str().unwrap();
    let page = text(open(&house, &format!("/activities/{id}"), &session).await);
    assert!(page.contains(&format!("href=\"/activities/{id}/figures\"")), "{page}");
    let figures = house.get(&format!("/activities/{id}/figures")).await.json();
    let page = text(open(&house, &format!("/activities/{id}/figures"), &session).await);
    for one in figures["figures"].as_array().unwrap() {
        let figure = one["figure"]["figure_id"].as_str().unwrap();
        assert!(page.contains(&format!("/figures/{figure}")), "{one}");
    }
    let trace = house.get(&format!("/activities/{id}/trace")).await.json();
    let factor = trace["lines"][0]["factor"]["id"].as_str().unwrap();
    let page = text(open(&house, &format!("/factors/{factor}"), &session).await);
    assert!(page.contains(&format!("/activities?factor={factor}")), "{page}");
    let path = format!("/factors/{factor}/figures?year=2022");
    let page = text(open(&house, &path, &session).await).replace('\u{a0}', " ");
    assert!(page.contains("2 activities calculated with it"), "{page}");
    let none = text(open(&house, &format!("/factors/{factor}/figures?year=1999"), &session).await);
    assert!(none.contains("None in this period"), "{none}");
    let rows = text(open(&house, &format!("/activities?factor={factor}"), &session).await);
    assert_eq!(rows.matches("electricity.purchased</td>").count(), 2, "{rows}");
}

#[tokio::test]
async fn the_log_shows_its_head_and_an_entry_that_is_sought() {
    let house = calculated().await;
    let session = signed_in(&house).await;
    let page = text(open(&house, "/audit?entry=0", &session).await);
    for want in ["envora audit verify", "Checkpoint", "aria-current=\"true\"", "Leaf hash"] {
        assert!(page.contains(want), "{want}: {page}");
    }
    assert!(text(open(&house, "/audit?entry=99999", &session).await).contains("no such entry"));
}

#[tokio::test]
async fn a_facility_is_added_and_changed_by_form() {
    let house = calculated().await;
    let session = signed_in(&house).await;
    let post = || visit("POST", "/facilities").header("cookie", &session);
    let text = |answer: Answer| String::from_utf8(answer.body).unwrap();
    let empty = text(open(&house, "/facilities", &session).await);
    assert!(empty.contains("None yet") && empty.contains("Add a facility"), "{empty}");
    let wrong = send(&house, post(), "code=b24&name=Building&country=Atlantis&version=").await;
    assert_eq!(wrong.status, 422);
    let wrong = text(wrong);
    assert!(wrong.contains("aria-invalid") && wrong.contains("Atlantis"), "{wrong}");
    let entity = serde_json::json!({"code": "acme-uk", "name": "Acme UK"});
    assert_eq!(house.post("/entities", &entity).await.status, 201);
    let form = "code=b24&name=Building+24&country=GB&entity=acme-uk&opened=2022-01-01&version=";
    let added = send(&house, post(), form).await;
    assert_eq!((added.status, added.header("location")), (303, "/facilities?saved=1"));
    assert_eq!(send(&house, post(), form).await.status, 412, "it is there already");
    let change = text(open(&house, "/facilities?change=b24", &session).await);
    assert!(change.contains("Change Building 24") && change.contains("2022-01-01"), "{change}");
    assert!(change.contains("value=\"acme-uk\""), "{change}");
    let changed = send(&house, post(), "code=b24&name=Labs&country=GB&version=1").await;
    assert_eq!(changed.status, 303);
    let stale = send(&house, post(), "code=b24&name=Other&country=GB&version=1").await;
    assert_eq!(stale.status, 412);
    let now = house.get("/facilities/b24").await.json();
    let left = (&now["name"], &now["opened"], &now["entity_id"]);
    assert_eq!(left, (&"Labs".into(), &Value::Null, &Value::Null));
    let source = serde_json::json!({"code": "m1", "name": "Main meter", "facility": "b24",
        "type": "electricity.purchased"});
    assert_eq!(house.post("/sources", &source).await.status, 201);
    for (path, has) in
        [("/facilities", true), ("/facilities?q=main", true), ("/facilities?q=x9", false)]
    {
        let page = text(open(&house, path, &session).await);
        assert_eq!(page.contains("1\u{a0}source") && page.contains(">m1<"), has, "{path}: {page}");
    }
    let foreign = post().header("sec-fetch-site", "cross-site");
    assert_eq!(send(&house, foreign, form).await.status, 403);
}

#[tokio::test]
async fn home_opens_on_the_latest_year_that_has_begun() {
    let on = |id: &str, day: &str| {
        let mut row = row(id, "1");
        row["start"] = format!("{day}T00:00:00Z").into();
        row["end"] = format!("{day}T01:00:00Z").into();
        row
    };
    let house = with_facility().await;
    let session = signed_in(&house).await;
    let heading = async || text(open(&house, "/", &session).await);
    let send = async |rows: Value| {
        let body = json!({"activities": rows});
        assert_eq!(house.send(activities(&house, "", ("", &body))).await.status, 201);
        counted(&house).await;
    };
    let note = "of years that have not begun";
    // With rows of years to come alone, the earliest of them.
    send(json!([on("a1", "2031-05-01"), on("a2", "2033-05-01")])).await;
    let page = heading().await;
    assert!(page.contains("<title>Footprint 2031") && !page.contains(note), "{page}");
    send(json!([on("a3", "2022-05-01"), on("a4", "2019-05-01")])).await;
    let page = heading().await;
    assert!(page.contains("<title>Footprint 2022"), "{page}");
    assert!(page.contains(note) && page.contains("the last of <a href=\"/?year=2033\">"), "{page}");
    for (year, is_there) in [(2019, true), (2020, false), (2022, true), (2031, true)] {
        assert_eq!(page.contains(&format!(">{year}</a>")), is_there, "{year}");
    }
    // The year that the clock stands in has begun.
    send(json!([on("a5", "2026-12-31")])).await;
    assert!(heading().await.contains("<title>Footprint 2026"));
    let later = text(open(&house, "/?year=2031", &session).await);
    assert!(later.contains("<title>Footprint 2031") && !later.contains(note));
}
