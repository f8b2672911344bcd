//! The first steps of the dashboard, done as it prints them, in a folder with nothing else in it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::beginnings::{init, serve};
use crate::fire::ask;
use crate::house::{Ended, House};

/// A page, for whom the cookie stands for.
fn page(port: u16, path: &str, cookie: &str) -> String {
    let head = format!("GET {path} HTTP/1.1\r\nAccept: text/html\r\nCookie: envora={cookie}");
    let answer = ask(port, &head, "").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// The commands of a part of the page, as a browser copies them.
fn commands(page: &str) -> Vec<String> {
    let texts = page.split("aria-label=\"Command\">").skip(1);
    texts
        .filter_map(|rest| rest.split("</pre>").next())
        .map(|text| {
            let text = text.replace("&#39;", "'").replace("&#62;", ">").replace("&gt;", ">");
            text.replace("&#38;", "&").replace("&amp;", "&").replace("&quot;", "\"")
        })
        .collect()
}

/// The steps that are not done yet: label and commands.
fn open_steps(page: &str) -> Vec<(String, Vec<String>)> {
    let steps = page.split("<li class=\"open\">").skip(1);
    steps
        .filter_map(|rest| rest.split("</li>").next())
        .map(|step| {
            let label = step.split("aria-hidden=\"true\"></span>").nth(1).unwrap_or_default();
            let label = label.split('<').next().unwrap_or_default();
            (label.to_owned(), commands(step))
        })
        .collect()
}

/// Types a command into a shell in the house's folder, where `envora` is this program.
fn typed(house: &House, command: &str, input: &str) -> Ended {
    let program = Path::new(env!("CARGO_BIN_EXE_envora")).parent().unwrap();
    let mut shell = Command::new("sh")
        .args(["-c", command])
        .env_clear()
        .env("HOME", house.path())
        .env("PATH", format!("{}:/usr/bin:/bin", program.display()))
        .current_dir(house.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Ended::of(&shell.wait_with_output().unwrap())
}

#[test]
fn the_first_steps_are_done_as_they_are_printed() {
    let house = House::new();
    let folder = house.path().join("data");
    let token = init(&house, &folder);
    let (running, server) = serve(&house, &folder);
    let port: u16 = server.rsplit(':').next().unwrap().parse().unwrap();
    let form = format!("token={token}");
    let head = "POST /sign-in HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded";
    let answer = ask(port, head, &form).unwrap();
    let (_, cookie) = answer.head.split_once("envora=").unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let first = page(port, "/", &cookie);
    let sign_in = commands(&first).remove(0);
    assert!(sign_in.contains(&server) && sign_in.contains("--org-id acme"), "{sign_in}");
    let signed_in = typed(&house, &sign_in, &token);
    assert_eq!(signed_in.code, Some(0), "{sign_in}: {signed_in:?}");
    let mut before: Vec<String> = open_steps(&first).into_iter().map(|(label, _)| label).collect();
    assert_eq!(before.len(), 6, "{before:?}");
    // What is printed for the first open step makes it tick, until only what a browser ticks is left.
    while let Some((label, commands)) = open_steps(&page(port, "/", &cookie)).into_iter().next() {
        if label == "Follow a figure to its bytes" {
            break;
        }
        for command in &commands {
            let ended = typed(&house, command, "");
            assert_eq!(ended.code, Some(0), "{command}: {ended:?}");
        }
        let now = open_steps(&page(port, "/", &cookie));
        let now: Vec<String> = now.into_iter().map(|(label, _)| label).collect();
        assert!(!now.contains(&label), "{label} does not tick: {commands:?}");
        assert!(now.len() < before.len());
        before = now;
    }
    let left = open_steps(&page(port, "/", &cookie));
    assert_eq!(left.len(), 2, "{left:?}");
    for (_, commands) in &left {
        for command in commands {
            let ended = typed(&house, command, "");
            assert_eq!(ended.code, Some(0), "{command}: {ended:?}");
        }
    }
    assert_eq!(running.interrupt(), Some(0));
}
