//! Who is asked, and which token goes there.

use std::path::PathBuf;
use std::sync::LazyLock;

use super::{Chosen, Demo, Places, Said, Whom, same_server, settings, whom};
use crate::client::Target;

/// A demo that runs.
fn running() -> Demo {
    static TOKEN: LazyLock<PathBuf> = LazyLock::new(|| {
        let name = format!("envora-demo-token-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, "env_demo\n").expect("a token");
        path
    });
    Demo {
        server: "http://localhost:7780".to_owned(),
        organization: "estate".to_owned(),
        token_file: TOKEN.clone(),
        running: true,
    }
}

/// A demo that ran.
fn gone() -> Demo {
    Demo { running: false, ..running() }
}

fn said(server: Option<&str>, token: Option<&str>) -> Said {
    Said { server: server.map(str::to_owned), token: token.map(str::to_owned), ..Said::default() }
}

fn places(demo: Option<Demo>) -> Places {
    Places { demo, ..Places::default() }
}

#[track_caller]
fn asked(flags: &Said, environment: &Said, places: &Places) -> Target {
    match whom(flags, environment, places).expect("readable") {
        Whom::Server(target) => target,
        Whom::Nobody(unnamed) => panic!("{}", unnamed.what),
    }
}

#[track_caller]
fn nobody(flags: &Said, environment: &Said, places: &Places) -> String {
    match whom(flags, environment, places).expect("readable") {
        Whom::Server(target) => panic!("{}", target.server),
        Whom::Nobody(unnamed) => unnamed.failure().view(crate::paint::Paint::Plain),
    }
}

#[test]
fn the_demo_is_asked_when_it_is_the_only_one_and_there() {
    let none = Said::default();
    let target = asked(&none, &none, &places(Some(running())));
    assert_eq!(
        (target.server.as_str(), target.chosen),
        ("http://localhost:7780", Chosen::OnlyDemo)
    );
    assert_eq!(target.token.as_deref(), Some("env_demo"));
    let refused = nobody(&none, &none, &places(Some(gone())));
    assert!(refused.contains("error[demo_not_running]"), "{refused}");
    assert!(refused.contains("./run demo"), "{refused}");
    assert!(nobody(&none, &none, &places(None)).contains("no server is named"));
}

#[test]
fn the_demos_token_goes_nowhere_once_the_demo_is_gone() {
    let none = Said::default();
    let by_address = said(Some("http://localhost:7780/"), None);
    assert_eq!(
        asked(&by_address, &none, &places(Some(running()))).token.as_deref(),
        Some("env_demo")
    );
    assert_eq!(asked(&by_address, &none, &places(Some(gone()))).token, None);
    let by_word = said(Some("demo"), None);
    let target = asked(&by_word, &none, &places(Some(running())));
    assert_eq!((target.server.as_str(), target.chosen), ("http://localhost:7780", Chosen::Named));
    assert!(nobody(&by_word, &none, &places(None)).contains("demo_not_running"));
    let other = said(Some("http://acme.localhost:7780"), None);
    assert_eq!(asked(&other, &none, &places(Some(running()))).token, None);
}

#[test]
fn a_token_of_the_environment_needs_a_server_that_was_named() {
    let (none, token) = (Said::default(), said(None, Some("env_acme")));
    let refused = nobody(&none, &token, &places(Some(running())));
    assert!(refused.contains("for which server?"), "{refused}");
    let flag = said(Some("http://acme.localhost:1"), None);
    assert_eq!(asked(&flag, &token, &places(None)).token.as_deref(), Some("env_acme"));
    let both = said(Some("http://acme.localhost:1"), Some("env_acme"));
    assert_eq!(asked(&none, &both, &places(None)).token.as_deref(), Some("env_acme"));
    assert_eq!(asked(&flag, &both, &places(None)).token.as_deref(), Some("env_acme"));
    let elsewhere = asked(&said(Some("http://bolt.localhost:1"), None), &both, &places(None));
    assert_eq!(elsewhere.token, None, "it belongs to the other server");
    assert!(elsewhere.notes.iter().any(|note| note.contains("is not sent to")));
    let to_demo = asked(&said(Some("demo"), None), &both, &places(Some(running())));
    assert_eq!(to_demo.token.as_deref(), Some("env_demo"));
}

#[test]
fn one_server_may_be_written_in_several_ways() {
    for (one, other, same) in [
        ("http://acme.localhost:8080", "http://ACME.localhost:8080/", true),
        ("http://localhost", "http://localhost:80", true),
        ("http://acme.localhost:8080", "http://acme.localhost:8081", false),
        ("http://acme.localhost:8080", "http://bolt.localhost:8080", false),
    ] {
        assert_eq!(same_server(one, other), same, "{one} {other}");
    }
}

#[test]
fn a_flag_wins_over_the_environment_and_secrets_stay_hidden() {
    let flags = said(Some("http://a.localhost"), None);
    let environment = said(Some("http://b.localhost"), Some("env_secret"));
    let all = settings(&flags, &environment, &Places::default()).expect("settings");
    let told = all.iter().map(|one| (one.setting, one.value.as_deref(), one.from.as_str()));
    let want = [
        ("server", Some("http://a.localhost"), "flag --server"),
        ("organization", Some("the first label of the server's name"), "default"),
        ("token", Some("***"), "environment ENVORA_TOKEN"),
        ("token_file", None, "default"),
    ];
    assert!(told.eq(want), "{all:?}");
}

#[test]
fn a_file_that_is_not_there_says_nothing() {
    let files = vec![PathBuf::from("no-such-file.toml")];
    let places = Places { files, ..Places::default() };
    assert!(nobody(&Said::default(), &Said::default(), &places).contains("no server is named"));
}
