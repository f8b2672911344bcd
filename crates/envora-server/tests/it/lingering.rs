//! A client that sends everything before it reads finds its answer, whenever it was ready.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::house::{House, Served};

/// A client as most are: it writes the whole request, and only then reads.
fn asked(address: SocketAddr, head: &str, mebibytes: usize) -> std::io::Result<String> {
    let mut socket = TcpStream::connect(address)?;
    socket.write_all(head.as_bytes())?;
    let part = vec![b' '; 1 << 20];
    for _ in 0..mebibytes {
        socket.write_all(&part)?;
    }
    let mut answer = [0; 2048];
    let count = socket.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..count]).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_everything_first_reads_why_it_was_refused() {
    let house = House::new();
    let served = Served::of(&house).await;
    let address = served.address;
    let ask = async |path: &str, token: &str, kind: &str, (said, sent): (usize, usize)| {
        let head = format!(
            "POST /v2/organizations/acme{path} HTTP/1.1\r\nhost: acme.localhost\r\n\
             authorization: Bearer {token}\r\ncontent-type: {kind}\r\n\
             x-idempotency-key: import-key-1\r\ncontent-length: {}\r\n\r\n",
            said << 20
        );
        tokio::task::spawn_blocking(move || asked(address, &head, sent)).await.unwrap()
    };
    let token = house.token.as_str();
    for (path, token, kind, mebibytes, due) in [
        ("/imports", token, "text/csv", 65, "413"),
        ("/facilities", token, "application/json", 17, "413"),
        ("/imports", "nobodys", "text/csv", 64, "401"),
        ("/imports", token, "text/plain", 64, "415"),
        ("/nowhere", token, "text/csv", 64, "404"),
    ] {
        let answer = ask(path, token, kind, (mebibytes, mebibytes)).await;
        let answer = answer.unwrap_or_else(|error| panic!("{path} {due}: {error}"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {due} ")), "{path}: {answer}");
        assert!(answer.contains("application/problem+json"), "{path}: {answer}");
    }
    // There is an end to it: who goes on for ever is cut off.
    let endless = ask("/imports", token, "text/csv", (100_000, 1_000)).await;
    assert!(endless.is_err(), "{endless:?}");
    served.end().await;
}
