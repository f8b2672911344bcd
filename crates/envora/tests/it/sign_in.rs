//! Which server is asked, and which token goes there: sign-ins, and the demo's own.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;

use crate::fire::{Served, new_folder};
use crate::house::{Ended, House, Stream};

/// A server of an organization `acme`, and its token.
fn served(house: &House) -> (Served, String, String) {
    let folder = house.path().join("acme-data");
    let token = new_folder(&folder);
    let server = Served::start(&folder, &[], None);
    let address = format!("http://acme.localhost:{}", server.port);
    (server, address, token)
}

/// Runs a verb that reads this from stdin.
fn with_stdin(house: &House, arguments: &[&str], text: &str) -> Ended {
    let mut command = house.command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    Ended::of(&child.wait_with_output().unwrap())
}

fn logins(house: &House) -> PathBuf {
    house.path().join(".config/envora/logins.toml")
}

#[test]
fn a_token_is_verified_kept_and_forgotten() {
    let house = House::new();
    let (mut server, address, token) = served(&house);
    let login = ["auth", "login", "--org-id", "acme", "--server", &address, "--token", "-"];

    let wrong = with_stdin(&house, &login, "env_nobody\n");
    assert_eq!(wrong.code, Some(4), "{wrong:?}");
    assert!(wrong.err.contains("nothing was kept") && !logins(&house).exists(), "{wrong:?}");
    let other = ["auth", "login", "--org-id", "bolt", "--server", &address, "--token", "-"];
    let other = with_stdin(&house, &other, &token);
    assert!(other.code == Some(1) && other.err.contains("--org-id"), "{other:?}");
    assert_eq!(with_stdin(&house, &login, " \n").code, Some(2));

    let right = with_stdin(&house, &login, &format!("{token}\n"));
    assert_eq!(right.code, Some(0), "{right:?}");
    assert!(!right.err.contains(&token) && !right.out.contains(&token), "{right:?}");
    belongs_to_its_owner(&logins(&house));

    let list = house.run(&["facilities", "list", "--csv"]);
    assert_eq!(list.code, Some(0), "{list:?}");
    assert!(list.err.contains(&format!("asking {address} (signed in)")), "{list:?}");
    assert_eq!(house.run(&["facilities", "list", "--quiet"]).err, "");
    let status = house.run(&["auth", "status", "--json"]).json();
    assert_eq!(
        (&status[0]["organization"], &status[0]["state"], &status[0]["from"]),
        (&"acme".into(), &"signed in".into(), &"auth login".into()),
        "{status}"
    );
    assert_eq!(house.run(&["auth", "token"]).out.trim(), token);
    let explained = house.run(&["config", "explain", "--json"]);
    assert!(explained.out.contains("auth login") && !explained.out.contains(&token));

    assert_eq!(house.run(&["auth", "logout"]).code, Some(0));
    let after = house.run(&["facilities", "list"]);
    assert!(after.code == Some(2) && after.err.contains("no server is named"), "{after:?}");
    server.end();
}

#[cfg(unix)]
#[track_caller]
fn belongs_to_its_owner(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path), 0o600);
}

#[test]
fn serve_says_the_address_that_the_organization_answers_at() {
    let house = House::new();
    let token = new_folder(&house.path().join("acme-data"));
    let anywhere = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    let serve = [["serve", "--data", "acme-data"].as_slice(), &anywhere].concat();
    let (server, rest) = house.start(&serve, Stream::Err, "serving acme-data at");
    let address = rest.split(',').next().unwrap();
    assert!(address.starts_with("http://acme.localhost:"), "{rest}");
    let mut list = house.command(&["facilities", "list", "--server", address]);
    let list = Ended::of(&list.env("ENVORA_TOKEN", &token).output().unwrap());
    assert!(list.code == Some(0) && list.out.contains("b1"), "{list:?}");
    assert_eq!(server.interrupt(), Some(0));
}

#[test]
fn sign_ins_that_others_can_read_are_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::new();
    fs::create_dir_all(logins(&house).parent().unwrap()).unwrap();
    fs::write(logins(&house), "").unwrap();
    fs::set_permissions(logins(&house), fs::Permissions::from_mode(0o644)).unwrap();
    let ended = house.run(&["facilities", "list"]);
    assert!(ended.code == Some(2) && ended.err.contains("chmod 600"), "{ended:?}");
}

#[test]
fn of_several_servers_one_is_chosen_and_each_gets_its_own_token() {
    let house = House::new();
    let mut listeners = Vec::new();
    let mut text = String::new();
    for (name, current) in [("acme", false), ("bolt", true)] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = format!("http://{name}.localhost:{port}");
        text.push_str(&format!(
            "[[login]]\nserver = \"{server}\"\norganization = \"{name}\"\ncurrent = {current}\ntoken = \"env_{name}\"\n"
        ));
        listeners.push((listener, server));
    }
    fs::create_dir_all(logins(&house).parent().unwrap()).unwrap();
    fs::write(logins(&house), text).unwrap();
    private(&logins(&house));
    let acme = listeners[0].1.clone();
    let by_flag = ["facilities", "list", "--server", &acme];
    assert_eq!(token_sent(&house, &listeners[0].0, &by_flag).as_deref(), Some("env_acme"));
    assert_eq!(
        token_sent(&house, &listeners[1].0, &["facilities", "list"]).as_deref(),
        Some("env_bolt")
    );
    assert_eq!(house.run(&["auth", "switch", "acme"]).code, Some(0));
    assert_eq!(
        token_sent(&house, &listeners[0].0, &["facilities", "list"]).as_deref(),
        Some("env_acme")
    );
    // Nobody's token goes to a server that it was not kept for.
    let stranger = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://acme.localhost:{}", stranger.local_addr().unwrap().port());
    let by_flag = ["facilities", "list", "--server", &address];
    assert_eq!(token_sent(&house, &stranger, &by_flag), None);
}

fn private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The token that a verb sends to a listener, which answers nothing.
fn token_sent(house: &House, listener: &TcpListener, arguments: &[&str]) -> Option<String> {
    let mut child = house.command(arguments).stderr(Stdio::null()).spawn().unwrap();
    let (stream, _) = listener.accept().unwrap();
    let mut token = None;
    for line in BufReader::new(&stream).lines() {
        let line = line.unwrap();
        let field = line.split_once(": ").unwrap_or_default();
        if field.0.eq_ignore_ascii_case("authorization") {
            token = field.1.strip_prefix("Bearer ").map(str::to_owned);
        }
        if line.is_empty() {
            break;
        }
    }
    drop(stream);
    child.wait().unwrap();
    token
}

#[test]
fn the_demo_is_asked_only_while_it_runs_and_changed_only_when_named() {
    let house = House::new();
    let arguments = ["demo", "--port", "0", "--no-browser"];
    let (mut demo, address) = house.start(&arguments, Stream::Out, "Server");
    let server = address.split(' ').next().unwrap().to_owned();
    demo.until("Dashboard");
    fs::write(house.path().join("f.csv"), "code,name,country,time_zone\nhq,HQ,GB,Europe/London\n")
        .unwrap();

    let asked = house.run(&["facilities", "list"]);
    assert_eq!(asked.code, Some(0), "{asked:?}");
    assert!(asked.err.contains(&format!("asking {server} (the demo)")), "{asked:?}");
    let unaware = house.run(&["facilities", "push", "f.csv"]);
    assert_eq!(unaware.code, Some(2), "{unaware:?}");
    assert!(unaware.err.contains("--server demo"), "{unaware:?}");
    assert!(!house.run(&["facilities", "list"]).out.contains("HQ"), "nothing was stored");
    let named = house.run(&["facilities", "push", "f.csv", "--server", "demo"]);
    assert!(named.code == Some(0) && named.err.contains("1 added"), "{named:?}");
    let mut foreign = house.command(&["facilities", "list"]);
    let foreign = Ended::of(&foreign.env("ENVORA_TOKEN", "env_acme").output().unwrap());
    assert!(foreign.code == Some(2) && foreign.err.contains("for which server?"), "{foreign:?}");

    assert_eq!(demo.interrupt(), Some(0));
    for arguments in [["facilities", "list"].as_slice(), &["audit", "verify", "--server", "demo"]] {
        let gone = house.run(arguments);
        assert_eq!(gone.code, Some(6), "{gone:?}");
        assert!(gone.err.contains("error[demo_not_running]"), "{gone:?}");
        assert!(gone.err.contains("./run demo"), "{gone:?}");
    }
    // Somebody else listens there now: the demo's token stays here.
    let port: u16 = server.rsplit_once(':').unwrap().1.parse().unwrap();
    let stranger = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let by_address = ["facilities", "list", "--server", &server];
    assert_eq!(token_sent(&house, &stranger, &by_address), None);
}
