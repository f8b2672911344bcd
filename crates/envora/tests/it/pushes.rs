//! Lists of places that are pushed, and what is said when that ends before its time.

use std::fs;
use std::process::Stdio;

use envora_testkit::wait::wait_for;

use crate::fire::{Served, new_folder};
use crate::house::{Ended, House};

/// More than can go in before somebody pulls the plug.
const FACILITIES: usize = 20_000;

#[test]
fn a_push_that_is_cut_short_says_how_far_it_came() {
    let house = House::new();
    let folder = house.path().join("acme-data");
    let token = new_folder(&folder);
    let mut server = Served::start(&folder, &[], None);
    let address = format!("http://acme.localhost:{}", server.port);
    let line = |number: usize| format!("f{number},Facility {number},GB,UTC\n");
    let lines: String = (0..FACILITIES).map(line).collect();
    fs::write(house.path().join("f.csv"), format!("code,name,country,time_zone\n{lines}")).unwrap();

    let command = |arguments: &[&str]| {
        let mut command = house.command(arguments);
        command.env("ENVORA_SERVER", &address).env("ENVORA_TOKEN", &token);
        command
    };
    let mut push = command(&["facilities", "push", "f.csv", "--json"]);
    let push = push.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("some of them to be there", || {
        let list = command(&["facilities", "list", "--limit", "5", "--ndjson=code"]);
        let list = Ended::of(&{ list }.output().unwrap());
        (list.out.lines().count() == 5).then_some(())
    });
    server.end();
    let ended = Ended::of(&push.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert!(ended.err.contains("it stopped half way"), "{ended:?}");
    let counts: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let added = counts["added"].as_u64().unwrap();
    assert!(added >= 4 && added < FACILITIES as u64, "{counts}");
    assert_eq!(counts["refused"], 0, "{counts}");

    let mut server = Served::start(&folder, &[], None);
    let address = format!("http://acme.localhost:{}", server.port);
    let mut list = house.command(&["facilities", "list", "--ndjson=code"]);
    list.env("ENVORA_SERVER", &address).env("ENVORA_TOKEN", &token);
    let there = Ended::of(&list.output().unwrap()).out.lines().count() as u64;
    // One more than was counted may be there: its answer was cut off. And the folder had one before.
    assert!((added + 1..=added + 2).contains(&there), "{there} are there, {added} were counted");
    server.end();
}
