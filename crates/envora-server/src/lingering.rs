//! Lingering: what a client still sends after its answer is taken in for a while and thrown away.
//!
//! An answer may be there before all of its request is: a body above the limit, a token that nobody
//! knows. Were the connection closed at once, a client that sends everything before it reads would find
//! it broken, and not the answer that says why. So the rest is read, as much and as long as is
//! reasonable, beside the answer.

use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody as _};
use axum::http::HeaderMap;
use axum::http::header::EXPECT;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

use crate::app::App;
use crate::pace::{Pace, STALL, TooSlow};

/// How much is thrown away: twice the largest body that a route takes.
const BYTES_MAX: usize = 128 << 20;
/// How long it is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long its next bytes are waited for.
const PAUSE: Duration = Duration::from_secs(5);

/// A body whose sender must go on sending, and of which the rest is read once nobody wants it any more.
struct Lingering {
    pace: Pace,
    rest: Option<BodyDataStream>,
    lingers: bool,
    app: App,
}

/// The body of a request, read to its end whoever drops it before.
pub(crate) fn lingering(body: Body, headers: &HeaderMap, app: &App) -> Body {
    if body.is_end_stream() {
        return body;
    }
    let rest = Some(body.into_data_stream());
    // Who asks first whether to send has sent nothing yet, and will not after a refusal.
    let lingers = !headers.contains_key(EXPECT);
    Body::from_stream(Lingering { pace: Pace::new(STALL), rest, lingers, app: app.clone() })
}

impl Stream for Lingering {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(rest) = self.rest.as_mut() else { return Poll::Ready(None) };
        let polled = rest.poll_next_unpin(cx);
        match &polled {
            Poll::Ready(Some(Ok(part))) => self.pace.moved(part.len()),
            Poll::Pending if self.pace.poll_too_slow(cx).is_ready() => {
                self.rest = None;
                return Poll::Ready(Some(Err(axum::Error::new(TooSlow))));
            }
            Poll::Pending | Poll::Ready(_) => {}
        }
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.rest = None;
        }
        polled
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(mut rest) = self.rest.take().filter(|_| self.lingers) else { return };
        // Where there is nobody left to read it, there is nobody left to answer either.
        if tokio::runtime::Handle::try_current().is_err() || self.app.tracker().is_closed() {
            return;
        }
        let stop = self.app.stop().clone();
        self.app.tracker().spawn(async move {
            let thrown = async {
                let mut left = BYTES_MAX;
                while let Ok(Some(Ok(part))) = tokio::time::timeout(PAUSE, rest.next()).await {
                    let Some(fewer) = left.checked_sub(part.len()) else { break };
                    left = fewer;
                }
            };
            tokio::select! {
                () = thrown => {}
                () = tokio::time::sleep(PATIENCE) => {}
                () = stop.cancelled() => {}
            }
        });
    }
}
