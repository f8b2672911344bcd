//! Rows that were refused and are mended, in their error file or where they came from.

use std::fs;

use crate::fire::{Served, new_folder};
use crate::house::{Ended, House};

const CARDS: &str = r#"
mapping = "cards"
format = "csv"
[file]
format = "DD/MM/YYYY"
[const]
type = "fuel.combusted.mobile"
unit = "L"
[[activity]]
"qualifiers.fuel" = { column = "Fuel", map = { Diesel = "diesel" } }
period = { day = "Date" }
quantity = { column = "Litres" }
"#;

/// Counts of the import that a push made: accepted, duplicate, rejected.
fn pushed(house: &House, run: &dyn Fn(&[&str]) -> Ended, file: &str) -> ([u64; 3], String) {
    let set = "facility_code=b1";
    let push = ["data", "push", file, "--mapping", "cards.toml", "--set", set, "--json"];
    let ended = run(&push);
    assert!(matches!(ended.code, Some(0 | 3)), "{file} in {:?}: {ended:?}", house.path());
    let imports: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let count = |name: &str| imports[0]["counts"][name].as_u64().unwrap();
    let id = imports[0]["id"].as_str().unwrap().to_owned();
    (["accepted", "duplicate", "rejected"].map(count), id)
}

#[test]
fn mended_rows_are_neither_lost_nor_doubled() {
    let house = House::new();
    let folder = house.path().join("acme-data");
    let token = new_folder(&folder);
    let mut server = Served::start(&folder, &[], None);
    let run = |arguments: &[&str]| {
        let mut command = house.command(arguments);
        command.env("ENVORA_SERVER", format!("http://acme.localhost:{}", server.port));
        Ended::of(&command.env("ENVORA_TOKEN", &token).output().unwrap())
    };
    let path = |name: &str| house.path().join(name);
    fs::write(path("cards.toml"), CARDS).unwrap();
    let push = |file: &str| pushed(&house, &run, file);

    // Two that are alike, one of them mistyped: its error file is mended.
    let text = "Date,Fuel,Litres\n08/06/2023,Diesel,50\n08/06/2023,Diesel,5O\n";
    fs::write(path("p1.csv"), text).unwrap();
    let (counts, import) = push("p1.csv");
    assert_eq!(counts, [1, 0, 1]);
    assert_eq!(run(&["data", "errors", &import, "--fix", "m1.csv"]).code, Some(0));
    let mended = fs::read_to_string(path("m1.csv")).unwrap().replace(",5O,", ",50,");
    fs::write(path("m1.csv"), mended).unwrap();
    assert_eq!(push("m1.csv").0, [1, 0, 0], "50 L and 50 L");
    fs::write(path("p1.csv"), text.replace("5O", "50")).unwrap();
    assert_eq!(push("p1.csv").0, [0, 2, 0], "the file itself, mended as well");

    // Mended where it came from.
    let text = "Date,Fuel,Litres\n09/06/2023,Diesel,5O\n09/06/2023,Diesel,70\n";
    fs::write(path("p2.csv"), text).unwrap();
    assert_eq!(push("p2.csv").0, [1, 0, 1]);
    fs::write(path("p2.csv"), text.replace("5O", "50")).unwrap();
    assert_eq!(push("p2.csv").0, [1, 1, 0], "50 L and, once, 70 L");

    // Mended to another amount than its neighbour has.
    let text = "Date,Fuel,Litres\n10/06/2023,Diesel,70\n10/06/2023,Diesel,6O\n";
    fs::write(path("p3.csv"), text).unwrap();
    let (counts, import) = push("p3.csv");
    assert_eq!(counts, [1, 0, 1]);
    assert_eq!(run(&["data", "errors", &import, "--fix", "m3.csv"]).code, Some(0));
    let mended = fs::read_to_string(path("m3.csv")).unwrap().replace(",6O,", ",60,");
    fs::write(path("m3.csv"), mended).unwrap();
    assert_eq!(push("m3.csv").0, [1, 0, 0], "60 L beside 70 L");

    let list = run(&["data", "list", "--json"]).json();
    let mut litres: Vec<&str> =
        list.as_array().unwrap().iter().map(|row| row["quantity"].as_str().unwrap()).collect();
    litres.sort_unstable();
    assert_eq!(litres, ["50", "50", "50", "60", "70", "70"]);
    server.end();
}
