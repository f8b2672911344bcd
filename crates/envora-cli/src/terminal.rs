//! Where words and data go: data to stdout, words to stderr.
//!
//! A person at a terminal gets tables, colours and progress bars; a program gets tab-separated text
//! without any of them. What the process stands on (terminal or pipe, `NO_COLOR`) is decided once, by
//! whoever makes the [`Terminal`].

use std::io::{IsTerminal as _, Write};

use console::Term;

use crate::folds::folded;
use crate::paint::Paint;
use crate::tables::Layout;

/// Who reads a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// A person at a terminal: aligned tables.
    People,
    /// A program at the other end of a pipe: one record per line, tabs between fields.
    Programs,
}

/// One of the two streams.
pub struct Channel {
    to: Box<dyn Write + Send>,
    /// Who reads it.
    pub audience: Audience,
    /// How it is coloured.
    pub paint: Paint,
    /// How tables are laid out.
    pub layout: Layout,
    /// How wide the reader's terminal is, where there is one.
    pub columns: Option<u16>,
    /// What is written.
    pub voice: Voice,
}

/// What is written to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// Everything.
    Full,
    /// Errors alone.
    Quiet,
}

impl Channel {
    /// A stream for this audience.
    #[must_use]
    pub fn new(to: Box<dyn Write + Send>, audience: Audience, paint: Paint) -> Self {
        let layout = match audience {
            Audience::People => Layout::Aligned,
            Audience::Programs => Layout::Tabs,
        };
        Self { to, audience, paint, layout, columns: None, voice: Voice::Full }
    }

    /// Writes one line. A reader that has gone away is no error: it has seen enough.
    pub fn line(&mut self, text: impl AsRef<str>) {
        if self.voice == Voice::Full {
            drop(writeln!(self.to, "{}", text.as_ref()));
            drop(self.to.flush());
        }
    }

    /// Writes a sentence or what reads like one: a terminal gets it in lines as wide as it is, anything
    /// else in one.
    pub fn prose(&mut self, text: impl AsRef<str>) {
        match self.columns {
            Some(columns) => self.line(folded(text.as_ref(), usize::from(columns))),
            None => self.line(text),
        }
    }

    /// Writes one line of what to do next.
    pub fn help(&mut self, text: impl AsRef<str>) {
        let help = self.paint.link("help:");
        self.prose(format!("  {help} {}", text.as_ref()));
    }

    /// Writes the heading of a part of a story, set apart.
    pub fn heading(&mut self, number: &str, text: &str) {
        let text = self.paint.strong(&format!("{number}  {text}"));
        self.text(format!("\n{text}\n\n"));
    }

    /// Writes text that ends its own lines.
    pub fn text(&mut self, text: impl AsRef<str>) {
        if self.voice == Voice::Full {
            self.error(text);
        }
    }

    /// Writes bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        drop(self.to.write_all(bytes));
        drop(self.to.flush());
    }

    /// Writes what nobody may miss, quiet or not.
    pub fn error(&mut self, text: impl AsRef<str>) {
        drop(self.to.write_all(text.as_ref().as_bytes()));
        drop(self.to.flush());
    }
}

/// Seconds of a span, with one digit after the point.
#[must_use]
pub fn seconds(us: u64) -> String {
    let tenths = us / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// The two streams of a process.
pub struct Terminal {
    /// stdout: what was asked for.
    pub data: Channel,
    /// stderr: everything said about it.
    pub words: Channel,
}

impl Terminal {
    /// The streams of this process; no colours when `NO_COLOR` is set to anything.
    #[must_use]
    pub fn of_process(no_color: Option<&str>) -> Self {
        let plain = no_color.is_some_and(|value| !value.is_empty());
        let channel = |to: Box<dyn Write + Send>, terminal: Option<&Term>| {
            let is_terminal = terminal.is_some();
            let audience = if is_terminal { Audience::People } else { Audience::Programs };
            let paint = if is_terminal && !plain { Paint::Colours } else { Paint::Plain };
            let mut channel = Channel::new(to, audience, paint);
            let size = terminal.and_then(Term::size_checked);
            // A terminal that does not know its size says nought.
            channel.columns = size.map(|(_, columns)| columns).filter(|columns| *columns > 0);
            channel
        };
        let (out, err) = (Term::stdout(), Term::stderr());
        let is_out = std::io::stdout().is_terminal();
        let is_err = std::io::stderr().is_terminal();
        Self {
            data: channel(Box::new(std::io::stdout()), is_out.then_some(&out)),
            words: channel(Box::new(std::io::stderr()), is_err.then_some(&err)),
        }
    }
}
