//! Connections: accepted one by one, each with a limit on how long its head may take to arrive, and on
//! how long its answers may take to be read.

use core::time::Duration;

use std::sync::Arc;

use axum::Router;
use envora_domain::planted::planted;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::pace::Paced;

/// How long the head of a request may take to arrive, also after another request on the connection.
const HEAD: Duration = Duration::from_secs(10);
/// The longest head, and what is read of a body at once.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// How many connections one listener holds, where nothing else is said; more wait until one ends.
pub(crate) const CONNECTIONS_MAX: usize = 1_000;
/// How long to wait when no connection can be accepted: open files run out, and come back.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers connections until told to stop, then lets those under way end.
pub(crate) async fn accept(
    (stop, tracker): (&CancellationToken, &TaskTracker),
    (listener, connections_max): (TcpListener, usize),
    router: Router,
) {
    let room = Arc::new(Semaphore::new(connections_max));
    // Where both versions are spoken, the first bytes are waited for without a limit.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).max_buf_size(HEAD_BYTES_MAX);
    let patience = if planted("no_header_timeout") { Duration::from_secs(3_600) } else { HEAD };
    builder.http1().header_read_timeout(patience);
    let running = GracefulShutdown::new();
    loop {
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = stop.cancelled() => break,
            next = next => next,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(cause = %error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = builder.serve_connection(TokioIo::new(Paced::new(stream)), service);
        let connection = running.watch(connection.into_owned());
        tracker.spawn(async move {
            let _place = place;
            // A client that goes away, or sends what is no HTTP, ends its own connection.
            if let Err(error) = connection.await {
                tracing::debug!(cause = %error, "a connection ended early");
            }
        });
    }
    drop(listener);
    running.shutdown().await;
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    /// The clock is paused: it runs on by itself while everyone waits.
    #[tokio::test(start_paused = true)]
    async fn half_a_head_is_cut_off_and_a_whole_one_is_answered() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        let router = Router::new().route("/", get(|| async { "here" }));
        let serving = {
            let (stop, own) = (stop.clone(), tracker.clone());
            tracker.spawn(async move {
                accept((&stop, &own), (listener, CONNECTIONS_MAX), router).await
            })
        };
        let ask = async |head: &str| {
            let began = tokio::time::Instant::now();
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.write_all(head.as_bytes()).await.expect("sent");
            let mut answer = String::new();
            // A connection that was cut off may end with a reset.
            let ended = stream.read_to_string(&mut answer).await;
            assert!(ended.is_ok() || answer.is_empty(), "{answer}");
            (answer, began.elapsed())
        };
        let (answer, _) = ask("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("here"), "{answer}");
        for half in ["GET / HTTP/1.1\r\nhost: a\r\nx-slow: ", "GET", ""] {
            let (answer, waited) = ask(half).await;
            assert!(!answer.contains("200 OK"), "{answer}");
            assert!(waited < HEAD * 3, "{half:?} was kept for {waited:?}");
        }
        stop.cancel();
        serving.await.expect("it ended");
        tracker.close();
        tracker.wait().await;
    }
}
