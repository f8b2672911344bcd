//! The program with its databases on a PostgreSQL server: made, served, fed, asked, ended, served again.

use std::path::Path;

use envora_testkit::postgres::server;
use serde_json::Value;

use crate::beginnings::{init, serve};
use crate::house::{House, repository, text};

const FILES: [(&str, &str, &str); 2] = [
    ("b2_electricity_2022.csv", "estate-electricity.toml", "b2-electricity"),
    ("b24_gas_2022.csv", "estate-gas.toml", "b24-gas"),
];

/// The operator's client of a server.
struct Client<'a> {
    house: &'a House,
    token: &'a str,
    server: String,
}

impl Client<'_> {
    /// What a verb prints as JSON.
    #[track_caller]
    fn ask(&self, arguments: &[&str]) -> Value {
        let mut command = self.house.command(arguments);
        command.args(["--json", "--server", &self.server]).env("ENVORA_TOKEN", self.token);
        let ended = command.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{arguments:?}: {said}");
        serde_json::from_slice(&ended.stdout).unwrap_or_default()
    }

    fn feed(&self) {
        let examples = repository().join("examples/university-estate");
        let file = |name: &str| examples.join(name).to_str().unwrap().to_owned();
        self.ask(&["facilities", "push", &file("facilities.csv")]);
        self.ask(&["sources", "push", &file("sources.csv")]);
        for (name, mapping, source) in FILES {
            let facility = source.split('-').next().unwrap();
            let (facility, source) =
                (format!("facility_code={facility}"), format!("source_code={source}"));
            let (name, mapping) = (file(name), file(mapping));
            let arguments = [
                "data",
                "push",
                &name,
                "--mapping",
                &mapping,
                "--set",
                &facility,
                "--set",
                &source,
            ];
            self.ask(&arguments);
        }
    }

    fn footprint(&self) -> Value {
        self.ask(&["footprint", "--year", "2022"])["totals"].clone()
    }
}

/// The digits of all totals, without the ids that name a run.
fn digits(totals: &Value) -> Vec<(String, String)> {
    let totals = totals.as_object().unwrap().iter();
    totals
        .filter_map(|(name, total)| Some((name.clone(), total["value"].as_str()?.to_owned())))
        .collect()
}

/// Feeds a new folder, and gives the totals before and after a restart of the server.
fn story(house: &House, folder: &Path) -> Value {
    let token = init(house, folder);
    let (running, server) = serve(house, folder);
    let client = Client { house, token: &token, server };
    client.feed();
    let totals = client.footprint();
    let figure = totals["scope2_location"]["figure_id"].as_str().unwrap().to_owned();
    let trace = client.ask(&["trace", &figure]);
    assert_eq!(trace["replay"], "equal", "{trace}");
    assert_eq!(running.interrupt(), Some(0));
    let (running, server) = serve(house, folder);
    let client = Client { server, ..client };
    assert_eq!(client.footprint(), totals, "ids and digits after a restart");
    assert_eq!(client.ask(&["trace", &figure])["replay"], "equal");
    assert_eq!(running.interrupt(), Some(0));
    totals
}

#[test]
fn a_folder_on_postgresql_gives_the_digits_of_one_on_sqlite() {
    let Some(server) = server() else { return };
    let house = House::new();
    let (here, there) = (house.path().join("here"), house.path().join("there"));
    std::fs::create_dir(&there).unwrap();
    let url = server.url("postgres");
    let settings = format!("[store]\nengine = \"postgres\"\nurl = \"{url} password=hush-hush\"\n");
    std::fs::write(there.join("envora.toml"), &settings).unwrap();
    let [due, found] = [&here, &there].map(|folder| digits(&story(&house, folder)));
    assert!(due.len() > 4, "{due:?}");
    assert_eq!(found, due);

    let doctor = house.run(&["doctor", "--data", text(&there)]);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    for due in ["PostgreSQL 15", "127.0.0.1:", "does not encrypt its files"] {
        assert!(doctor.out.contains(due), "{due:?} is not in {}", doctor.out);
    }
    let log = std::fs::read_to_string(house.path().join("log")).unwrap();
    assert!(!log.contains("hush") && !format!("{doctor:?}").contains("hush"));
}

#[test]
fn a_server_that_cannot_be_used_is_refused_with_a_remedy_and_without_its_password() {
    let house = House::new();
    let folder = house.path().join("data");
    std::fs::create_dir(&folder).unwrap();
    for (url, due, exit) in [
        (
            "postgresql://envora:hush@db.example.org/postgres",
            "db.example.org is not this machine",
            1,
        ),
        ("postgresql://envora:hush@127.0.0.1:1/postgres", "start PostgreSQL there", 6),
        ("postgresql:/envora:hush", "it is not a connection string", 1),
    ] {
        let settings = format!("[store]\nengine = \"postgres\"\nurl = \"{url}\"\n");
        std::fs::write(folder.join("envora.toml"), settings).unwrap();
        let ended = house.run(&["init", "--data", text(&folder), "--org", "acme", "--name", "A"]);
        assert_eq!(ended.code, Some(exit), "{ended:?}");
        assert!(ended.err.contains(due) && ended.err.contains("help"), "{ended:?}");
        assert!(!ended.err.contains("hush") && !ended.out.contains("hush"), "{ended:?}");
        let made = std::fs::read_dir(&folder).unwrap().count();
        assert_eq!(made, 1, "nothing was made");
    }
}
