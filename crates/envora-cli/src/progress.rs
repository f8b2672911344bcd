//! Progress bars, on stderr, for people only.

use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal::{Audience, Channel};

/// How many bytes of a file go out at once.
const CHUNK: usize = 32 * 1024;

/// The progress of sending one file. Draws nothing where nobody looks.
#[derive(Clone)]
pub struct Sending {
    bar: ProgressBar,
}

impl Sending {
    /// A bar named after the file.
    #[must_use]
    pub fn new(words: &Channel, name: &str, bytes: u64) -> Self {
        let target = match words.audience {
            Audience::People => ProgressDrawTarget::stderr(),
            Audience::Programs => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(bytes), target);
        let template = "  {prefix:<32} {bar:28.cyan/dim} {bytes:>10} {msg}";
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("━╸─");
        bar.set_style(style);
        bar.set_prefix(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar }
    }

    /// The bytes as a body that moves the bar as it goes out.
    #[must_use]
    pub fn body(&self, bytes: &Bytes) -> reqwest::Body {
        self.bar.set_position(0);
        self.bar.set_message("sending");
        reqwest::Body::wrap_stream(Outgoing { left: bytes.clone(), bar: self.bar.clone() })
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

struct Outgoing {
    left: Bytes,
    bar: ProgressBar,
}

impl Stream for Outgoing {
    type Item = Result<Bytes, core::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left.is_empty() {
            self.bar.set_message("checking, sealing, storing");
            return Poll::Ready(None);
        }
        let length = self.left.len().min(CHUNK);
        let chunk = self.left.split_to(length);
        self.bar.inc(u64::try_from(length).unwrap_or(0));
        Poll::Ready(Some(Ok(chunk)))
    }
}
