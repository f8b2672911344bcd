//! `init` and `serve`: a folder made once, the token printed once, and who may ask.

use std::path::Path;

use crate::house::{House, Running, Stream, text};

pub(crate) fn init(house: &House, folder: &Path) -> String {
    let ended = house.run(&["init", "--data", text(folder), "--org", "acme", "--name", "Acme"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.out.trim().to_owned()
}

pub(crate) fn serve(house: &House, folder: &Path) -> (Running, String) {
    let log = house.path().join("log");
    let arguments = [
        "serve",
        "--data",
        text(folder),
        "--listen",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:0",
        "--log",
        text(&log),
    ];
    let (running, rest) = house.start(&arguments, Stream::Err, "serving");
    let port = rest.rsplit(':').next().unwrap().split(',').next().unwrap().to_owned();
    (running, format!("http://acme.localhost:{port}"))
}

#[test]
fn a_folder_is_made_served_and_ended_with_the_token_printed_once() {
    let house = House::new();
    let folder = house.path().join("data");
    let token = init(&house, &folder);
    assert!(token.starts_with("env_live_"), "{token}");
    let again = house.run(&["init", "--data", text(&folder), "--org", "acme", "--name", "Acme"]);
    assert!(again.err.contains("folder_exists"), "{again:?}");
    let (running, server) = serve(&house, &folder);
    let list = ["facilities", "list", "--json", "--server", &server];
    let nobody = house.run(&list);
    assert_eq!(nobody.code, Some(4), "{nobody:?}");
    let mut operator = house.command(&list);
    let operator = operator.env("ENVORA_TOKEN", &token).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&operator.stdout).trim(), "[]");
    let second = house.run(&["serve", "--data", text(&folder), "--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.err.contains("folder_in_use"), "{second:?}");
    assert_eq!(running.interrupt(), Some(0));
    let gone = house.run(&list);
    assert_eq!(gone.code, Some(6), "{gone:?}");
}
