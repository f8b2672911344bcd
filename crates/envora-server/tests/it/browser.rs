//! The pages in a real Chromium, over a year of two buildings: accessibility rules, keyboard, content
//! policy, reflow, forced colours, paper, and planted faults that must be found.

use envora_api::footprints::Footprint;
use envora_domain::activities::{Activity, Input, Origin, Period, Ref};
use envora_domain::decimal::Decimal;
use envora_domain::hash::Digest;
use envora_domain::id::ImportId;
use envora_domain::time::{Day, Span};
use envora_identity::policy::own_work;
use envora_ingest::commit::{Batch, ImportDraft};
use envora_ingest::footprint::{FootprintQuery, footprint};
use envora_ingest::rows::ParsedRow;
use envora_lake::sources::PackedSource;
use envora_server::tenants::TenantCtx;
use envora_store::imports::Mode;
use envora_store::segments::segments_from;
use envora_testkit::browser::{Visit, check_imports, check_pages};
use serde_json::json;

use crate::house::{House, Served};
use crate::imports::with_facility;
use crate::pages::live;

/// A meter: its code, its building, its activity type, its unit, kWh of a month.
type Meter = (&'static str, &'static str, &'static str, &'static str, i32);

const METERS: [Meter; 4] = [
    ("b24-electricity", "b24", "electricity.purchased", "kW.h", 16_554),
    ("b24-gas", "b24", "fuel.combusted.stationary", "kW.h.x:gross", 2_384),
    ("b62-electricity", "b62", "electricity.purchased", "kW.h", 198_270),
    ("b62-gas", "b62", "fuel.combusted.stationary", "kW.h.x:gross", 29_254),
];

/// A year of a meter as a file, and its rows as a reader would give them. The last month names a
/// building that nobody knows.
fn year(meter: Meter, import: ImportId) -> (String, Vec<ParsedRow>) {
    let (source, building, kind, unit, kwh) = meter;
    let mut text = "month,kWh\n".to_owned();
    let lines: Vec<(u64, String)> = (1..=12)
        .map(|month| {
            let line = format!("2022-{month:02},{}.5", kwh + (month - 6) * (month - 6) * 20);
            let offset = text.len() as u64;
            text.push_str(&line);
            text.push('\n');
            (offset, line)
        })
        .collect();
    let file = Digest::of(text.as_bytes());
    let row = |(place, (offset, line)): (usize, (u64, String))| {
        let number = place as u64 + 1;
        let length = u32::try_from(line.len()).unwrap();
        let origin = Origin::File {
            import,
            file,
            row: number,
            line: number + 1,
            offset,
            length,
            mapping: None,
            parser: "csv@1".into(),
        };
        let month = i8::try_from(number).unwrap();
        let first = Day::from_ymd(2022, month, 1).unwrap();
        let last = Day::from_ymd(2022, month, 28).unwrap();
        let (_, quantity) = line.split_once(',').unwrap();
        let amount = Input { quantity: Decimal::parse(quantity).unwrap(), unit: unit.to_owned() };
        let mut activity = Activity::new(kind, amount, Period::Days { first, last }, origin);
        activity.external_id = Some(format!("{source}-{number}"));
        let known = if number == 12 && source == "b24-gas" { "depot-9" } else { building };
        activity.facility = Some(Ref::Code(known.to_owned()));
        activity.source = Some(Ref::Code(source.to_owned()));
        if kind.starts_with("fuel") {
            activity.qualifiers.insert("fuel".to_owned(), "natural_gas".to_owned());
        }
        ParsedRow {
            activity: Ok(activity),
            quarantine: Vec::new(),
            unclear: None,
            ours: None,
            external_id: None,
            columns: None,
            row: number,
            line: number + 1,
            offset,
            length,
        }
    };
    let rows = lines.into_iter().enumerate().map(row).collect();
    (text, rows)
}

async fn fill(house: &House, tenant: &TenantCtx) {
    for (code, name) in [("b24", "Building 24"), ("b62", "Building 62 with a rather long name")] {
        let facility =
            json!({"code": code, "name": name, "country": "GB", "time_zone": "Europe/London"});
        let answer = house.post("/facilities", &facility).await;
        assert_eq!(answer.status, 201, "{}", answer.json());
    }
    for (code, building, kind, ..) in METERS {
        let source = json!({"code": code, "name": code, "facility": building, "type": kind});
        let answer = house.post("/sources", &source).await;
        assert_eq!(answer.status, 201, "{}", answer.json());
    }
    for meter in METERS {
        let now = house.app.clock().now();
        let import = ImportId::new(now, house.app.entropy());
        let (text, rows) = year(meter, import);
        let mut batch = Batch::new(rows, Mode::Partial);
        batch.import = Some(ImportDraft {
            id: import,
            source: PackedSource::of(text.as_bytes()).unwrap().into(),
            file_name: format!("{}_2022.csv", meter.0),
            media_type: "text/csv".to_owned(),
            mapping: String::new(),
            mapping_digest: None,
            source_until: now + Span::from_secs(86_400 * 2_557),
        });
        let grant = own_work(tenant.id());
        tenant.intake().submit(grant, batch).await.unwrap();
    }
    let processor = tenant.processor();
    tokio::task::spawn_blocking(move || processor.catch_up()).await.unwrap().unwrap();
}

async fn asked(tenant: &TenantCtx) -> Footprint {
    let query = FootprintQuery {
        from: Day::from_ymd(2022, 1, 1).unwrap(),
        to: Day::from_ymd(2023, 1, 1).unwrap(),
        group_by: None,
        filters: [].into(),
        gwp_set: None,
        run: None,
        as_of: None,
    };
    let (parts, grant) = (tenant.parts().clone(), own_work(tenant.id()));
    let answer = tokio::task::spawn_blocking(move || footprint(&parts, &grant, &query)).await;
    answer.unwrap().unwrap()
}

/// The page of the first row of the first segment.
async fn a_counted_one(house: &House, tenant: &TenantCtx) -> String {
    let grant = own_work(tenant.id());
    let segments = tenant.parts().db.read(move |rd| segments_from(rd, &grant, 0, 1)).await;
    let first = segments.unwrap().remove(0).id.activity(0).unwrap();
    let trace = house.get(&format!("/activities/{first}/trace")).await.json();
    assert_eq!(trace["state"], "counted", "{trace}");
    format!("/activities/{first}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_fit_for_everyone() {
    let house = House::new();
    let tenant = live(&house);
    fill(&house, &tenant).await;
    let Footprint { totals, unresolved, .. } = asked(&tenant).await;
    let waiting = format!("/activities/{}", unresolved.first().unwrap().example);
    let counted = a_counted_one(&house, &tenant).await;
    let imports = house.get("/imports?limit=1").await.json();
    let import = format!("/imports/{}", imports["data"][0]["id"].as_str().unwrap());
    let factors = house.get("/factors?limit=1&q=natural+gas").await.json();
    let factor = format!("/factors/{}", factors["data"][0]["id"].as_str().unwrap());
    assert_ne!(totals.scope1.value, "0", "there is something to look at");
    let served = Served::of(&house).await;
    let base = format!("http://{}", served.address);
    let token = house.token.clone();
    let browser = tokio::task::spawn_blocking(move || {
        let figure = |id: &str| format!("/figures/{id}");
        let (all, scope1) =
            (figure(&totals.total_location_based.figure_id), figure(&totals.scope1.figure_id));
        check_pages(&Visit {
            base: &base,
            token: &token,
            pages: &[
                ("footprint", "/"),
                ("footprint by source", "/?by=source"),
                ("an empty year", "/?year=2021"),
                ("trace of the total", &all),
                ("trace of scope 1", &scope1),
                ("an activity that waits", &waiting),
                ("an activity that counts", &counted),
                ("activities", "/activities"),
                ("activities that wait", "/activities?state=unresolved"),
                ("audit", "/audit?entry=1"),
                ("an entry of the log", "/audit/1"),
                ("figures of an activity", &format!("{counted}/figures")),
                ("figures of a factor", &format!("{factor}/figures?year=2022")),
                ("factors", "/factors?q=natural+gas"),
                ("a factor", &factor),
                ("quality", "/quality"),
                ("quality of an empty year", "/quality?year=2021"),
                ("facilities", "/facilities"),
                ("a facility to change", "/facilities?change=b24"),
                ("settings", "/settings"),
                ("imports", "/imports"),
                ("an import", &import),
                ("documentation", "/docs"),
                ("a document", "/docs/how-to/write-a-mapping"),
                ("a format", "/docs/formats/leaf"),
                ("the reference", "/docs/api/organization"),
                ("the codes", "/docs/errors"),
                ("a code", "/docs/errors/scope_not_allowed"),
            ],
        })
    })
    .await;
    served.end().await;
    // A server that serves keeps the words of panics out of the log, so the faults are printed apart.
    let faults = browser.unwrap().err().unwrap_or_default();
    eprintln!("{faults}");
    assert!(faults.is_empty(), "the pages have faults");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_come_in_through_a_browser_in_parts() {
    let house = with_facility().await;
    let served = Served::of(&house).await;
    let (base, token) = (format!("http://{}", served.address), house.token.clone());
    let looked = tokio::task::spawn_blocking(move || {
        check_imports(&Visit { base: &base, token: &token, pages: &[] })
    });
    let faults = looked.await;
    served.end().await;
    let faults = faults.unwrap().err().unwrap_or_default();
    eprintln!("{faults}");
    assert!(faults.is_empty(), "bringing files in has faults");
}
