//! Progress bars, on stderr, for people only.

use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal::Audience;

/// How many bytes of a file go out at once.
const CHUNK: usize = 32 * 1024;

/// The longest name that stands whole beside its bar.
const NAME_MAX: usize = 26;

/// The bars of several files, one below the other. Nothing is drawn where nobody looks.
pub struct Bars {
    all: MultiProgress,
}

impl Bars {
    /// No bars yet, for who reads stderr.
    #[must_use]
    pub fn new(audience: Audience) -> Self {
        let target = match audience {
            Audience::People => ProgressDrawTarget::stderr(),
            Audience::Programs => ProgressDrawTarget::hidden(),
        };
        Self { all: MultiProgress::with_draw_target(target) }
    }

    /// Takes all bars away.
    pub fn clear(&self) {
        // Bars that cannot be taken away stay: nothing depends on them.
        drop(self.all.clear());
    }
}

/// The progress of sending one file.
#[derive(Clone)]
pub struct Sending {
    bar: ProgressBar,
}

impl Sending {
    /// A bar named after the file, below the others.
    #[must_use]
    pub fn new(bars: &Bars, name: &str, bytes: u64) -> Self {
        let bar = bars.all.add(ProgressBar::new(bytes));
        // Never wider than the terminal: a bar that goes over its edge is drawn again on every tick.
        let template = "  {prefix:<26} {bar:18.cyan/dim} {bytes:>10} {wide_msg}";
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("━╸─");
        bar.set_style(style);
        bar.set_prefix(shortened(name));
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

    /// Says what is being done.
    pub fn says(&self, message: &'static str) {
        self.bar.set_message(message);
    }

    /// Says how far it is, in words.
    pub fn tells(&self, message: String) {
        self.bar.set_message(message);
    }

    /// Moves the bar to so many bytes.
    pub fn at(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    /// Begins from the left, for another way through as many bytes.
    pub fn begin_again(&self, bytes: u64) {
        self.bar.set_length(bytes);
        self.bar.set_position(0);
    }

    /// Says what became of the file.
    pub fn finish(&self, message: String) {
        self.bar.finish_with_message(message);
    }
}

/// Something that is waited for, with a word on how far it is. Nothing is drawn where nobody looks.
pub struct Waiting {
    bar: ProgressBar,
}

impl Waiting {
    /// Begins to wait.
    #[must_use]
    pub fn new(audience: Audience) -> Self {
        let target = match audience {
            Audience::People => ProgressDrawTarget::stderr(),
            Audience::Programs => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template("  {spinner:.cyan} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar }
    }

    /// Says how far it is.
    pub fn says(&self, message: String) {
        self.bar.set_message(message);
    }

    /// Takes it away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// The progress of going through rows, under one bar.
pub struct Going {
    bars: Bars,
    bar: ProgressBar,
}

impl Going {
    /// A bar that has yet to be told how many rows there are.
    #[must_use]
    pub fn new(audience: Audience) -> Self {
        let bars = Bars::new(audience);
        let bar = bars.all.add(ProgressBar::new(0));
        let style =
            ProgressStyle::with_template("  {prefix:<26} {bar:18.cyan/dim} {pos} of {len} rows")
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("━╸─");
        bar.set_style(style);
        Self { bars, bar }
    }

    /// Begins to do something with so many rows.
    pub fn begin(&self, what: &'static str, rows: usize) {
        self.bar.set_prefix(what);
        self.bar.set_length(u64::try_from(rows).unwrap_or(u64::MAX));
        self.at(0);
    }

    /// So many of them are done.
    pub fn at(&self, rows: usize) {
        self.bar.set_position(u64::try_from(rows).unwrap_or(u64::MAX));
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
        self.bars.clear();
    }
}

/// A name with room for it beside a bar.
fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_MAX {
        return name.to_owned();
    }
    name.chars().take(NAME_MAX - 1).chain(['…']).collect()
}

struct Outgoing {
    left: Bytes,
    bar: ProgressBar,
}

impl Stream for Outgoing {
    type Item = Result<Bytes, core::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.left.len().min(CHUNK);
        let chunk = self.left.split_to(length);
        self.bar.inc(u64::try_from(length).unwrap_or(0));
        if self.left.is_empty() {
            self.bar.set_message("checking and storing");
        }
        Poll::Ready(Some(Ok(chunk)))
    }
}
