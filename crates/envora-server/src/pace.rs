//! Pace: how long the other side of a connection is waited for, while it sends and while it reads.
//!
//! Only waiting counts, not the work between: who moves on is never cut off for a server that is slow.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// How long the other side is waited for at a time.
pub(crate) const STALL: Duration = Duration::from_secs(10);
/// Who moves less than this in a second uses that time up, waiting by waiting.
const BYTES_A_SECOND: u64 = 8 << 10;

/// The other side was too slow.
#[derive(Debug, thiserror::Error)]
#[error("the other side was waited for too long")]
pub(crate) struct TooSlow;

impl TooSlow {
    /// Whether that is behind an error.
    pub(crate) fn is_behind(error: &(dyn core::error::Error + 'static)) -> bool {
        let mut chain = core::iter::successors(Some(error), |error| error.source());
        chain.any(|error| error.is::<Self>())
    }
}

/// What one side of a connection has moved, and how long it was waited for.
pub(crate) struct Pace {
    stall: Duration,
    moved: u64,
    waited: Duration,
    since: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    /// Nothing has moved; it is waited for so long at a time.
    pub(crate) const fn new(stall: Duration) -> Self {
        Self { stall, moved: 0, waited: Duration::ZERO, since: None, alarm: None }
    }

    /// Something moved.
    pub(crate) fn moved(&mut self, bytes: usize) {
        self.moved = self.moved.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if let Some(since) = self.since.take() {
            self.waited = self.waited.saturating_add(since.elapsed());
            self.alarm = None;
        }
    }

    /// Nothing moves at present. Ready when that has lasted too long.
    pub(crate) fn poll_too_slow(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        self.since.get_or_insert(now);
        let earned = Duration::from_secs(self.moved / BYTES_A_SECOND);
        let left = (self.stall + earned).saturating_sub(self.waited).min(self.stall);
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep(left)));
        alarm.as_mut().poll(cx)
    }
}

/// A stream whose reader must go on reading. How long its writer may take is said elsewhere: by the limit
/// on heads, and by who reads a body.
pub(crate) struct Paced<S> {
    stream: S,
    pace: Pace,
}

impl<S> Paced<S> {
    pub(crate) const fn new(stream: S) -> Self {
        Self { stream, pace: Pace::new(STALL) }
    }

    fn told(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => self.pace.moved(bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                ready!(self.pace.poll_too_slow(cx));
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, TooSlow)));
            }
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.told(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.told(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// A reader that takes so much after each pause; how much of 10 MiB went through, in what time.
    async fn read(part: usize, pause: Duration) -> (io::Result<()>, Duration) {
        let (near, mut far) = duplex(1 << 10);
        let began = Instant::now();
        let reading = async move {
            let mut buffer = vec![0; part];
            while far.read_exact(&mut buffer).await.is_ok() {
                tokio::time::sleep(pause).await;
            }
        };
        let writing = async move {
            let mut near = Paced::new(near);
            let written = near.write_all(&vec![0; 1 << 20]).await;
            (written, began.elapsed())
        };
        tokio::join!(writing, reading).0
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_on_is_given_up_and_who_reads_slowly_is_not() {
        let (written, took) = read(1 << 20, Duration::from_secs(60)).await;
        assert!(written.is_ok(), "{took:?}");
        let (written, took) = read(64 << 10, Duration::from_secs(6)).await;
        assert!(written.is_ok() && took > Duration::from_secs(60), "{took:?}");
        let (written, took) = read(64 << 10, Duration::from_secs(60)).await;
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(took <= STALL + Duration::from_secs(1), "{took:?}");
        // A byte now and then is no reading.
        let (written, took) = read(1, Duration::from_secs(1)).await;
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(took <= STALL + Duration::from_secs(2), "{took:?}");
    }
}
