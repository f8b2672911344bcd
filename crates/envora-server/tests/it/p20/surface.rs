//! Every route and every page, asked with what must not be seen again: in paths, queries, headers,
//! bodies, files and forms, by an operator and by who is signed in.

use axum::body::Body;
use axum::http::Request;
use axum::http::request::Builder;
use envora_server::gate::types_of;
use envora_server::pages::PATHS;
use envora_server::routes::{self, ORGANIZATION};
use serde_json::{Value, json};

use super::{COOKIE, READING, TOKEN};
use crate::house::{House, new_key};
use crate::imports::counted;
use crate::pages::{signed_in, upload_with};

/// The same as the evil name, as an address has it.
const EVIL_PATH: &str = "canary-name%0d%0a%1b%5b31m$%7bjndi:x%7d";
/// What a name may be and a log must not show.
const NAME: &str = "canary-name <b>${jndi:x}";

/// What came of it all.
pub(super) struct Provoked {
    /// Every body but pages, and every header.
    pub(super) answers: Vec<u8>,
    /// Every page. A form shows again what was typed into it, as it was.
    pub(super) pages: Vec<u8>,
    /// How many requests there were.
    pub(super) requests: usize,
    /// What was given out on the way, and is a secret too.
    pub(super) session: String,
}

struct Asking<'a> {
    house: &'a House,
    answers: Vec<u8>,
    pages: Vec<u8>,
    requests: usize,
    session: String,
}

impl Asking<'_> {
    async fn send(&mut self, request: Builder, body: impl Into<Body>) -> u16 {
        let answer = self.house.send(request.body(body.into()).unwrap()).await;
        self.requests += 1;
        let is_page = answer.header("content-type").starts_with("text/html");
        let held = if is_page { &mut self.pages } else { &mut self.answers };
        held.extend(&answer.body);
        held.push(b'\n');
        for (name, value) in &answer.headers {
            if name != "set-cookie" {
                self.answers.extend(value.as_bytes());
                self.answers.push(b'\n');
            }
        }
        answer.status
    }

    fn page(&self, method: &str, address: &str) -> Builder {
        Request::builder()
            .method(method)
            .uri(address)
            .header("host", "acme.localhost:8080")
            .header("accept", "text/html")
            .header("cookie", &self.session)
            .header("sec-fetch-site", "same-origin")
    }

    async fn form(&mut self, address: &str, form: &str) -> u16 {
        let kind = "application/x-www-form-urlencoded";
        let request = self.page("POST", address).header("content-type", kind);
        self.send(request, form.to_owned()).await
    }
}

/// Asks for everything.
pub(super) async fn provoke(house: &House) -> Provoked {
    let session = signed_in(house).await;
    let mut asking = Asking { house, answers: Vec::new(), pages: Vec::new(), requests: 0, session };
    let activity = data(&mut asking).await;
    api(&mut asking).await;
    pages(&mut asking, &activity).await;
    forms(&mut asking, &activity).await;
    let Asking { answers, pages, requests, session, .. } = asking;
    let session = session.split_once('=').map(|(_, value)| value.to_owned()).unwrap();
    Provoked { answers, pages, requests, session }
}

/// Rows with readings, good and bad; gives an activity that counts.
async fn data(asking: &mut Asking<'_>) -> String {
    let house = asking.house;
    let facility = json!({"code": "b24", "name": NAME, "country": "GB", "time_zone": "UTC"});
    assert_eq!(house.post("/facilities", &facility).await.status, 201);
    for path in ["/entities", "/suppliers"] {
        assert_eq!(house.post(path, &json!({"code": "b24", "name": NAME})).await.status, 201);
    }
    let source = json!({"code": "b24", "name": NAME, "type": "electricity.purchased"});
    assert_eq!(house.post("/sources", &source).await.status, 201);
    let row = |id: &str, more: Value| {
        let mut row = json!({
            "external_id": id, "type": "electricity.purchased", "quantity": READING,
            "unit": "kW.h", "start": "2022-01-01T00:00:00Z", "end": "2022-01-01T01:00:00Z",
            "facility_code": "b24", "note": NAME,
        });
        let fields = row.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        row
    };
    let rows = [
        row("canary-name-1", json!({})),
        row("canary-name-2", json!({"facility_code": NAME, "supplier_code": NAME})),
        row("canary-name-3", json!({"unit": NAME})),
        row("canary-name-4", json!({"quantity": format!("-{READING}")})),
        row("canary-name-5", json!({NAME: READING})),
        row("canary-name-6", json!({"supersedes": "ext:canary-name-9", "supersede_reason": NAME})),
    ];
    let stored = house.post("/activities?mode=partial", &json!({"activities": rows})).await.json();
    assert!(stored["counts"]["accepted"].as_u64() >= Some(1), "{stored}");
    assert!(stored["counts"]["rejected"].as_u64() >= Some(2), "{stored}");
    let change = json!({"name": NAME, "closed": READING});
    house.patch("/facilities/b24", "*", &change).await.is_problem(422, "validation_failed");
    counted(house).await;
    stored["results"][0]["id"].as_str().unwrap().to_owned()
}

/// Every route, with names that are not there and bodies that are not what they should be.
async fn api(asking: &mut Asking<'_>) {
    for route in routes::list() {
        let path = route.path.replace("{org_id}", "acme");
        let mut addresses = vec![path.replace("{id}", "b24").replace("{name}", "b24")];
        if path.contains('{') {
            let parts =
                path.split('/').map(|part| if part.starts_with('{') { EVIL_PATH } else { part });
            addresses.push(parts.collect::<Vec<_>>().join("/"));
        }
        addresses.retain(|address| !address.contains('{'));
        let queries: Vec<String> = route
            .query
            .iter()
            .map(|(name, _)| format!("{name}={EVIL_PATH}{READING}"))
            .chain([String::new(), format!("{EVIL_PATH}={READING}")])
            .collect();
        let types = types_of(route.takes);
        for address in &addresses {
            for query in &queries {
                let uri = format!("{address}?{query}");
                let tokens = [format!("Bearer {}", asking.house.token), format!("Bearer {TOKEN}")];
                for token in &tokens {
                    let request = || {
                        Request::builder()
                            .method(route.method.as_str())
                            .uri(&uri)
                            .header("host", "acme.localhost:8080")
                            .header("authorization", token)
                            .header("cookie", format!("envora={COOKIE}"))
                            .header("if-match", "*")
                            .header("x-idempotency-key", new_key())
                    };
                    if types.is_empty() {
                        asking.send(request(), Body::empty()).await;
                    }
                    for kind in &types {
                        let typed = request().header("content-type", *kind);
                        asking.send(typed, broken(kind)).await;
                    }
                }
            }
        }
        if let Some(kind) = types.first() {
            let address = addresses.first().unwrap();
            for (kind, encoding) in [(*kind, "gzip"), (*kind, READING), (NAME, "identity")] {
                let request = Request::builder()
                    .method(route.method.as_str())
                    .uri(address)
                    .header("host", "acme.localhost:8080")
                    .header("authorization", format!("Bearer {}", asking.house.token))
                    .header("content-type", kind)
                    .header("content-encoding", encoding);
                asking.send(request, broken(kind)).await;
            }
        }
    }
    assert!(routes::list().iter().any(|route| route.path.starts_with(ORGANIZATION)));
}

/// A body of a type, with names and readings where they do not belong.
fn broken(kind: &str) -> String {
    match kind {
        "text/csv" => format!("type,quantity,{NAME}\nelectricity.purchased,{READING},{NAME}\n"),
        "application/toml" => format!("mapping = \"canary-name\"\nquantity = {READING}\n{NAME} ="),
        "application/x-ndjson" | "application/ndjson" => {
            format!("{{\"quantity\":\"{READING}\",\"{NAME}\":\"{NAME}\"\n")
        }
        _ => json!({"code": NAME, "name": [NAME], NAME: READING, "quantity": READING}).to_string(),
    }
}

/// Every page: as it is, with a name that is not there, and with a question that it does not know.
async fn pages(asking: &mut Asking<'_>, activity: &str) {
    let mut seen = 0;
    for path in PATHS {
        let parts = |word: &str| {
            let part =
                |part: &str| if part.starts_with('{') { word.to_owned() } else { part.to_owned() };
            path.split('/').map(part).collect::<Vec<_>>().join("/")
        };
        for address in [parts(EVIL_PATH), parts(READING), parts(activity)] {
            for query in [
                String::new(),
                format!("?{EVIL_PATH}={READING}"),
                format!("?year=2022&q={EVIL_PATH}"),
            ] {
                let request = asking.page("GET", &format!("{address}{query}"));
                seen += usize::from(asking.send(request, Body::empty()).await == 200);
            }
        }
    }
    assert!(seen >= 20, "pages were shown: {seen}");
    for code in [EVIL_PATH, TOKEN] {
        let request = asking.page("GET", &format!("/sign-in?code={code}"));
        asking.send(request, Body::empty()).await;
    }
}

/// Every form: sign-in, settings, corrections, files with a mapping written in place.
async fn forms(asking: &mut Asking<'_>, activity: &str) {
    asking.form("/sign-in", &format!("token={TOKEN}")).await;
    asking.form("/sign-in", &format!("token={EVIL_PATH}&{EVIL_PATH}={READING}")).await;
    for field in ["name", "time_zone", EVIL_PATH] {
        asking.form("/settings", &format!("version=1&{field}={EVIL_PATH}{READING}")).await;
    }
    let place = format!("/activities/{activity}");
    for quantity in [EVIL_PATH, "-73190.448812", ""] {
        let form = format!("act=supersede&quantity={quantity}&reason={EVIL_PATH}");
        asking.form(&place, &form).await;
    }
    asking.form(&place, &format!("act={EVIL_PATH}&reason={READING}")).await;
    let corrected = asking
        .form(&place, &format!("act=supersede&quantity={READING}1&reason=canary-name+it+was+wrong"))
        .await;
    assert_eq!(corrected, 303, "a correction by form is taken");
    let twice = asking.form(&place, &format!("act=void&reason={EVIL_PATH}")).await;
    assert!((400..500).contains(&twice), "what was corrected is not voided: {twice}");
    let house = asking.house;
    let set = ("set", "facility_code=b24\r\nnote=canary-name by hand");
    let broken = format!("mapping = \"canary-name\"\n[const]\n\"{NAME}\" = \"{READING}\"\n");
    let mapping = "mapping = \"canary-name\"\nformat = \"csv\"\n[const]\ntype = \"electricity.purchased\"\nunit = \"kW.h\"\ntime_zone = \"UTC\"\n[[activity]]\nperiod = { start = \"when\", format = \"YYYY-MM-DD\", length = \"P1D\" }\nquantity = { column = \"much\" }\n";
    let file =
        format!("when,much\n2022-01-01,{READING}\n2022-01-02,{NAME}{READING}\ncanary-name,1\n");
    for (toml, due) in [(broken.as_str(), 422), (mapping, 303)] {
        let sent = upload_with(house, &asking.session, &[("toml", toml), set], &file).await;
        assert_eq!(sent.status, due, "a mapping in place: {}", String::from_utf8_lossy(&sent.body));
        asking.requests += 1;
        asking.pages.extend(sent.body);
    }
    counted(house).await;
    for address in ["/", "/activities", "/quality", "/imports", "/activities.csv", &place] {
        let request = asking.page("GET", address);
        asking.send(request, Body::empty()).await;
    }
    let imports = house.get("/imports").await.json();
    let import = imports["data"][0]["id"].as_str().unwrap().to_owned();
    for address in [format!("/imports/{import}"), format!("/imports/{import}/error-file")] {
        let request = asking.page("GET", &address);
        assert_eq!(asking.send(request, Body::empty()).await, 200, "{address}");
    }
}
