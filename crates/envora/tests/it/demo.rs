//! The demo end to end: its totals, its trace, twice over, and its end.

use std::collections::BTreeSet;
use std::time::Duration;

use envora_domain::decimal::Mass;
use serde_json::Value;

use crate::fire::ask_host;
use crate::house::{House, Running, Stream, repository};
use crate::pushes::with_a_pack_of_another_program;

const ARGUMENTS: &[&str] = &["demo", "--port", "0", "--no-browser"];

fn started(house: &House) -> (Running, String) {
    let (demo, server, _) = started_with_link(house);
    (demo, server)
}

/// The demo, its server, and the link of its dashboard.
fn started_with_link(house: &House) -> (Running, String, String) {
    let (mut demo, address) = house.start(ARGUMENTS, Stream::Out, "Server");
    let server = address.split(' ').next().unwrap().to_owned();
    let link = demo.until("Dashboard").split(' ').next().unwrap().to_owned();
    (demo, server, link)
}

/// No page of a hundred thousand rows takes longer, or is longer. It is no measurement: it ends a test
/// that would wait for ever.
const PAGE_TIME_MAX: Duration = Duration::from_secs(60);
const PAGE_BYTES_MAX: usize = 400_000;

/// The dashboard with a hundred thousand rows behind it: each page comes, none shows them all, and the
/// rows are walked page by page, each of them once.
fn has_pages_for_so_many_rows(server: &str, link: &str) {
    let port: u16 = server.rsplit(':').next().unwrap().parse().unwrap();
    let get = |path: &str, cookie: &str| {
        let head = format!("GET {path} HTTP/1.1\r\nAccept: text/html\r\nCookie: {cookie}");
        ask_host(PAGE_TIME_MAX, ("localhost", port), &head, "").unwrap()
    };
    let welcome = get(link.strip_prefix(server).unwrap(), "");
    let (_, cookie) = welcome.head.split_once("envora=").unwrap();
    let cookie = format!("envora={}", cookie.split(';').next().unwrap());
    let page = |path: &str| {
        let answer = get(path, &cookie);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert!(answer.body.len() < PAGE_BYTES_MAX, "{path} has {} bytes", answer.body.len());
        answer.body
    };
    let home = page("/");
    let figure = home.split("href=\"/figures/").nth(1).and_then(|rest| rest.split('"').next());
    for path in
        ["/?by=source", "/?by=type", "/?by=month", "/quality", "/activities?state=unresolved"]
    {
        page(path);
    }
    for path in ["/imports", "/facilities", "/factors", "/audit", "/settings", "/?year=2021"] {
        page(path);
    }
    let trace = page(&format!("/figures/{}", figure.unwrap()));
    let more = trace.split("href=\"/figures/").find(|rest| rest.contains("More lines"));
    let more = more.and_then(|rest| rest.split('"').next()).unwrap().replace("&#38;", "&");
    assert!(page(&format!("/figures/{more}")).contains("Its lines"));
    let mut path = "/activities".to_owned();
    let mut met = BTreeSet::new();
    for walked in 1..=3 {
        let list = page(&path);
        let rows = list.split("<th scope=\"row\"><a href=\"/activities/").skip(1);
        met.extend(rows.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        assert_eq!(met.len(), walked * 50, "{path}");
        let next = list.split("<a href=\"").find(|rest| rest.contains(">The next rows<"));
        path = next.and_then(|rest| rest.split('"').next()).unwrap().replace("&#38;", "&");
    }
    assert!(
        page(&format!("/activities/{}/figures", met.first().unwrap())).contains("January 2022")
    );
}

fn golden(name: &str) -> Value {
    let text = std::fs::read_to_string(repository().join("tests/golden").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn mass(value: &Value) -> Mass {
    Mass::parse_kg(value.as_str().unwrap()).unwrap()
}

/// The totals and the categories of scope 3 are what a script without Envora computes.
fn equals_the_organizations_golden_numbers(house: &House, footprint: &Value) {
    let golden = golden("organization-2022.json");
    for (total, value) in golden["totals"].as_object().unwrap() {
        assert_eq!(footprint["totals"][total]["value"], *value, "{total}");
    }
    let year = ["footprint", "--year", "2022", "--json"];
    let third = [year.as_slice(), &["--scope", "3", "--group-by", "category"]].concat();
    let third = house.run(&third).json();
    let categories = golden["scope3"].as_object().unwrap();
    let groups = third["groups"].as_array().unwrap();
    assert_eq!(groups.len(), categories.len(), "{groups:?}");
    for group in groups {
        let category = group["key"]["category"].as_str().unwrap();
        assert_eq!(group["totals"]["scope3"]["value"], categories[category], "3.{category}");
    }
    let coverage = &footprint["coverage"];
    assert_eq!(
        (&coverage["present"], &coverage["expected"]),
        (&264.into(), &264.into()),
        "{coverage}"
    );
    let waiting = footprint["unresolved"].as_array().unwrap();
    let payments = waiting.iter().find(|group| group["code"] == "fx_missing");
    let payments = payments.map(|group| &group["activities"]);
    assert_eq!(payments, Some(&golden["activities"]["fx_missing"]), "{waiting:?}");
    assert!(waiting.iter().all(|group| group["code"] != "factor_missing"), "{waiting:?}");
}

/// The six buildings alone are what the estate's own golden numbers say.
fn holds_the_estates_golden_numbers(house: &House) {
    let golden = golden("estate-2022.json");
    let grouped = house.run(&["footprint", "--year", "2022", "--group-by", "facility", "--json"]);
    let grouped = grouped.json();
    let groups = grouped["groups"].as_array().unwrap();
    let of_estate = groups.iter().filter(|group| {
        let code = group["key"]["facility_code"].as_str().unwrap();
        code.strip_prefix('b').is_some_and(|number| number.parse::<u16>().is_ok())
    });
    let of_estate: Vec<&Value> = of_estate.map(|group| &group["totals"]).collect();
    assert_eq!(of_estate.len(), 6, "{groups:?}");
    for (total, slots) in [
        ("scope1", ["s1"].as_slice()),
        ("scope2_location", &["s2_lb"]),
        ("scope2_market", &["s2_mb"]),
        ("scope3", &["c3_tnd", "c3_wtt", "c3_wtt_tnd"]),
    ] {
        let sum: Mass = of_estate.iter().map(|totals| mass(&totals[total]["value"])).sum();
        let slots = slots.iter().map(|slot| mass(&golden["slots"][slot]["total"]["published"]));
        assert_eq!(sum.kg(), slots.sum::<Mass>().kg(), "{total}");
    }
}

/// The schools' day, which is in a year of its own, is what a script of its own computes.
fn holds_the_schools_golden_numbers(house: &House, said: &str) {
    let golden = golden("schools-2019.json");
    let year = house.run(&["footprint", "--year", "2019", "--json"]).json();
    for (total, value) in golden["totals"].as_object().unwrap() {
        assert_eq!(year["totals"][total]["value"], *value, "{total} of 2019");
    }
    assert!(said.contains("0.237 t of scope 2, 0.088 t of scope 3"), "{said}");
}

/// Figures that other files stand behind lead back to their bytes.
fn follows_other_files(house: &House, footprint: &Value) {
    let year = ["footprint", "--year", "2022", "--json", "--scope", "3", "--group-by", "category"];
    let third = house.run(&year).json();
    let of = |category: &str| {
        let mut groups = third["groups"].as_array().unwrap().iter();
        groups.find(|group| group["key"]["category"] == category).unwrap()["totals"]["scope3"]
            .clone()
    };
    let biogenic = footprint["totals"]["biogenic_co2"].clone();
    for (figure, file, words) in [
        (of("1"), "water-bills.csv", ["published.per_unit@1", "4812 m3 × 0.149 kg CO2e/m3"]),
        (of("4"), "freight-list.csv", ["freight.leg@1", "t/[ston_av] × 118 (distance)"]),
        (of("6"), "business-travel.csv", ["travel.distance@1", "Long-haul, to/from UK"]),
        (of("7"), "commuting-survey.csv", ["commute.average_vehicle@1", "× 165 (days) ÷ 1"]),
        (biogenic, "fuel-cards.csv", ["mobile.fuel@1", "28,73;42,42;41471;Gebäude"]),
    ] {
        let source = repository().join("examples/organization-year").join(file);
        let id = figure["figure_id"].as_str().unwrap();
        let traced = house.run(&["trace", id, "--source", source.to_str().unwrap()]);
        assert_eq!(traced.code, Some(0), "{traced:?}");
        let all = ["replay equal", "to the last digit", "the file in hand has this SHA-256"];
        for word in all.iter().chain(&words) {
            assert!(traced.out.contains(word), "{file}: {word:?} is missing in {traced:?}");
        }
    }
    follows_the_workbook(house);
}

/// A row of the workbook leads back to its row of the sheet.
fn follows_the_workbook(house: &House) {
    let source = repository().join("examples/organization-year/taxi-account.xlsx");
    let asked = ["data", "list", "--type", "travel.moved", "--from", "2022-02-24"];
    let listed =
        house.run(&[&asked[..], &["--to", "2022-02-25", "--limit", "100", "--json"]].concat());
    let listed = listed.json();
    let mut rows = listed.as_array().unwrap().iter();
    let id = rows.find(|row| row["external_id"] == "T22-004").unwrap()["id"].as_str().unwrap();
    let traced = house.run(&["trace", id, "--source", source.to_str().unwrap()]);
    assert_eq!(traced.code, Some(0), "{traced:?}");
    for word in [
        "the file in hand has this SHA-256",
        "T22-004,2022-02-24,Offices - Airport,1,49.1",
        "taxi_regular",
    ] {
        assert!(traced.out.contains(word), "{word:?} is missing in {traced:?}");
    }
}

#[test]
fn the_demo_equals_the_golden_numbers_traces_one_and_doubles_nothing() {
    let house = House::new();
    let (demo, server, link) = started_with_link(&house);
    for file in [
        "b2_electricity_2022.csv        8,760           0",
        "b113_gas_2022.csv              8,760           0",
        "fuel-cards.csv                    172           0             0          1",
        "waste-transfer-notes.csv           66           0             0          5",
        "council-ledger-2022-02.csv      1,356           0             0          0",
        "taxi-account.xlsx                  24           0             0          1",
        "half-hours-2019-11-13.csv         240           0             0          0",
        "7 rows that sum others up were found and not counted",
    ] {
        assert!(demo.said().contains(file), "{file} is missing in {}", demo.said());
    }
    let footprint = house.run(&["footprint", "--year", "2022", "--json"]).json();
    let totals = &footprint["totals"];
    equals_the_organizations_golden_numbers(&house, &footprint);
    holds_the_estates_golden_numbers(&house);
    holds_the_schools_golden_numbers(&house, demo.said());
    follows_other_files(&house, &footprint);
    follows_a_figure(&house, totals["scope2_location"]["figure_id"].as_str().unwrap());
    assert!(house.run(&["audit", "verify"]).out.contains("hash to the signed root"));
    let stranger =
        house.run(&["footprint", "--year", "2022", "--server", &server, "--org", "estate"]);
    assert_eq!(stranger.code, Some(0), "the demo's own file names this server: {stranger:?}");
    has_pages_for_so_many_rows(&server, &link);
    assert_eq!(demo.interrupt(), Some(0));

    let (again, _) = started(&house);
    assert!(again.said().contains("facilities: 15 there already"));
    let after = house.run(&["footprint", "--year", "2022", "--json"]).json();
    for total in ["scope1", "scope2_location", "scope2_market", "scope3", "biogenic_co2"] {
        assert_eq!(after["totals"][total]["value"], totals[total]["value"], "{total} again");
    }
    assert_eq!(after["unresolved"], footprint["unresolved"], "nothing waits twice");
    assert_eq!(again.interrupt(), Some(0));
}

fn follows_a_figure(house: &House, figure: &str) {
    let examples = repository().join("examples/university-estate");
    let source = |name: &str| examples.join(name).to_str().unwrap().to_owned();
    let right = source("b2_electricity_2022.csv");
    let traced = house.run(&["trace", figure, "--source", &right]);
    for words in [
        "2,268,730.814526 kg CO2e",
        "replay equal",
        "to the last digit",
        "b2_electricity_2022.csv, line 2",
        "signed (Ed25519)",
        "the file in hand has this SHA-256",
    ] {
        assert!(traced.out.contains(words), "{words:?} is missing in {traced:?}");
    }
    assert_eq!(traced.code, Some(0), "{traced:?}");
    let other = house.run(&["trace", figure, "--source", &source("b2_gas_2022.csv")]);
    assert_eq!(other.code, Some(5), "another file is not the source: {other:?}");
}

#[test]
fn the_demos_folder_is_removed_only_when_it_is_the_demos() {
    let house = House::new();
    let other = house.path().join("precious");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("file"), "mine").unwrap();
    for flag in ["--clean", "--fresh", "--once"] {
        let ended = house.run(&["demo", flag, "--data", other.to_str().unwrap()]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.contains("not_the_demo"), "{ended:?}");
    }
    assert_eq!(std::fs::read_to_string(other.join("file")).unwrap(), "mine");
    assert_eq!(house.run(&["demo", "--clean"]).code, Some(0), "nothing to remove is no error");
}

#[test]
fn a_demo_in_a_folder_of_choice_says_how_that_very_folder_is_removed() {
    let house = House::new();
    let folder = house.path().join("my demo");
    let arguments = [ARGUMENTS, &["--data", "my demo"]].concat();
    let (demo, told) = house.start(&arguments, Stream::Out, "Folder");
    let (_, remedy) = told.split_once(" (").unwrap();
    let remedy = remedy.strip_suffix(" removes it)").unwrap();
    let quoted = format!("demo --data '{}' --clean", folder.display());
    assert!(remedy.ends_with(&quoted), "{told:?} does not name {quoted:?}");
    drop(demo);
    assert!(folder.exists());
    let removed = house.run(&["demo", "--data", folder.to_str().unwrap(), "--clean"]);
    assert_eq!(removed.code, Some(0), "{removed:?}");
    assert!(!folder.exists());
}

#[test]
fn a_demo_on_a_taken_port_leaves_no_folder() {
    let house = House::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = house.run(&["demo", "--once", "--port", &port, "--data", "d"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("cannot_listen"), "{ended:?}");
    assert!(!house.path().join("d").exists());
}

#[test]
fn a_demo_that_ends_at_once_offers_no_address_that_is_gone() {
    let house = House::new();
    let ended = house.run(&["demo", "--once", "--port", "0", "--data", "d"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("Without --once the dashboard stays up"), "{ended:?}");
    // A folder of an earlier version, whose factors are not at hand any more, is gone on with.
    with_a_pack_of_another_program(&house.path().join("d"));
    let again = house.run(&["demo", "--once", "--port", "0", "--data", "d"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.out.contains("1 pack of factors is taken up"), "{again:?}");
    assert!(!ended.out.contains("Dashboard  "), "{ended:?}");
}
