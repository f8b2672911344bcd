//! The demo end to end: its totals, its trace, twice over, and its end.

use serde_json::Value;

use crate::house::{House, Running, Stream, repository};

const ARGUMENTS: &[&str] = &["demo", "--port", "0", "--no-browser"];

fn started(house: &House) -> (Running, String) {
    let (mut demo, address) = house.start(ARGUMENTS, Stream::Out, "Server");
    let server = address.split(' ').next().unwrap().to_owned();
    demo.until("Dashboard");
    (demo, server)
}

/// The golden totals that stand behind a total of the footprint.
fn golden(slots: &[&str]) -> envora_domain::decimal::Mass {
    let text = std::fs::read_to_string(repository().join("tests/golden/estate-2022.json")).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    let total = |slot: &&str| {
        let total = golden["slots"][slot]["total"]["published"].as_str().unwrap();
        envora_domain::decimal::Mass::parse_kg(total).unwrap()
    };
    slots.iter().map(total).sum()
}

#[test]
fn the_demo_equals_the_golden_numbers_traces_one_and_doubles_nothing() {
    let house = House::new();
    let (demo, server) = started(&house);
    for file in [
        "b2_electricity_2022.csv        8,760           0",
        "b113_gas_2022.csv              8,760           0",
    ] {
        assert!(demo.said().contains(file), "{file} is missing in {}", demo.said());
    }
    let footprint = house.run(&["footprint", "--year", "2022", "--json"]).json();
    let totals = &footprint["totals"];
    for (total, slots) in [
        ("scope1", ["s1"].as_slice()),
        ("scope2_location", &["s2_lb"]),
        ("scope2_market", &["s2_mb"]),
        ("scope3", &["c3_tnd", "c3_wtt", "c3_wtt_tnd"]),
    ] {
        assert_eq!(totals[total]["value"], golden(slots).kg(), "{total}");
    }
    follows_a_figure(&house, totals["scope2_location"]["figure_id"].as_str().unwrap());
    assert!(house.run(&["audit", "verify"]).out.contains("hash to the signed root"));
    let stranger =
        house.run(&["footprint", "--year", "2022", "--server", &server, "--org", "estate"]);
    assert_eq!(stranger.code, Some(0), "the demo's own file names this server: {stranger:?}");
    assert_eq!(demo.interrupt(), Some(0));

    let (again, _) = started(&house);
    assert!(again.said().contains("all 6 facilities were there already"));
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
