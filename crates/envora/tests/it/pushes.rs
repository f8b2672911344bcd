//! Lists of places that are pushed, and what is said when that ends before its time.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use envora_domain::hash::Digest;
use envora_identity::policy::own_work;
use envora_server::folder::open::open;
use envora_store::packs::{NewPack, pack_activate, packs_active};
use envora_testkit::wait::wait_for;

use crate::fire::{Served, new_folder, world};
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

/// Makes a pack active that is not at hand: nothing can be calculated with it.
fn with_a_pack_of_another_program(folder: &Path) {
    let app = open(folder, world(), None).unwrap();
    for tenant in app.tenants().all() {
        let (id, now, db) = (tenant.id(), app.clock().now(), &tenant.parts().db);
        let active = db.read_blocking(move |rd| packs_active(rd, &own_work(id), u64::MAX)).unwrap();
        let ours = active.into_iter().find(|it| it.pack.pack == "desnz-2022").unwrap().pack;
        let (version, digest) = ("of another program".to_owned(), Digest::of(b"not at hand"));
        let theirs = NewPack { version, digest, ..ours };
        db.write_blocking(move |tx| pack_activate(tx, &own_work(id), &theirs, now).map(drop))
            .unwrap();
        db.close();
    }
}

#[test]
fn a_push_says_that_the_calculation_fails_and_waits_no_longer() {
    for first in [true, false] {
        let house = House::new();
        let folder = house.path().join("acme-data");
        let token = new_folder(&folder);
        let row = "{\"external_id\":\"a-1\",\"type\":\"electricity.purchased\",\"quantity\":\"372.4\",\"unit\":\"kW.h\",\"start\":\"2022-01-01T00:00:00Z\",\"end\":\"2022-01-01T01:00:00Z\",\"facility_code\":\"b1\"}\n";
        fs::write(house.path().join("rows.ndjson"), row).unwrap();
        let run = |server: &Served, arguments: &[&str]| {
            let mut command = house.command(arguments);
            command.env("ENVORA_SERVER", format!("http://acme.localhost:{}", server.port));
            Ended::of(&command.env("ENVORA_TOKEN", &token).output().unwrap())
        };
        if !first {
            // A calculation that has ended before is told as it stands, and as failing.
            let mut server = Served::start(&folder, &[], None);
            let footprint = ["footprint", "--from", "2022-01-01", "--to", "2023-01-01"];
            assert_eq!(run(&server, &footprint).code, Some(0));
            server.end();
        }
        with_a_pack_of_another_program(&folder);
        let mut server = Served::start(&folder, &[], None);
        let pushed = run(&server, &["data", "push", "rows.ndjson", "--json"]);
        assert_eq!(pushed.code, Some(6), "first: {first}: {pushed:?}");
        for words in [
            "not_counted",
            "are stored and not counted",
            "pack_missing",
            "nothing needs to be sent again",
        ] {
            assert!(pushed.err.contains(words), "first: {first}: {words}: {pushed:?}");
        }
        let imports: serde_json::Value = serde_json::from_str(&pushed.out).unwrap();
        assert_eq!(imports[0]["counts"]["accepted"], 1, "what was stored is told: {imports}");
        let mended = run(&server, &["factors", "activate", "desnz-2022"]);
        assert_eq!(mended.code, Some(0), "first: {first}: {mended:?}");
        let again = wait_for("the calculation to go on", || {
            let again = run(&server, &["data", "push", "rows.ndjson", "--json"]);
            (again.code == Some(0)).then_some(again)
        });
        assert_eq!(again.json()[0]["counts"]["duplicate"], 1, "first: {first}");
        server.end();
    }
}
