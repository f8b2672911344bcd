//! `envora data export`: stored activities as one file, each row fit to be sent again.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;
use envora_api::media;
use envora_domain::decimal::count_of;

use super::files::{Overwriting, may_write};
use crate::arguments::ExportArguments;
use crate::failures::Failure;
use crate::output::Form;
use crate::session::Session;

/// Writes stored activities, oldest first, as the server streams them.
///
/// # Errors
/// The server's problem, a stream that breaks off, a file that cannot be written.
pub(super) async fn run(arguments: &ExportArguments, session: &mut Session) -> Result<(), Failure> {
    let by_name = |path: &Path| path.extension().is_some_and(|ending| ending == "csv");
    let shape = match &session.form {
        Form::Csv => Shape::Csv,
        Form::Fit if arguments.out.as_deref().is_some_and(by_name) => Shape::Csv,
        Form::Fit | Form::Ndjson(_) => Shape::Ndjson,
        Form::Json(_) | Form::Plain => {
            return Err(Failure::usage("a file is CSV or NDJSON", "say --csv or --ndjson"));
        }
    };
    let narrowing = arguments.narrowing.query();
    let mut query: Vec<(&str, &str)> =
        narrowing.iter().map(|(name, value)| (*name, value.as_str())).collect();
    query.push(("format", shape.as_str()));
    if let Some(path) = &arguments.out {
        may_write(path, arguments.overwriting())?;
    }
    let client = session.client()?;
    let answer = client.stream("/activities/export", &query, shape.media_type()).await?;
    let mut count = Count { shape, quoted: false, ends: 0 };
    let Some(path) = &arguments.out else {
        let data = &mut session.terminal.data;
        let written = write(answer, &mut count, |bytes| {
            data.bytes(bytes);
            Ok(())
        });
        written.await?;
        session.terminal.words.line(activities(&count));
        return Ok(());
    };
    // Under its own name only once it is whole.
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = Path::new(&part);
    let writing = || format!("write {}", path.display());
    let mut file = BufWriter::new(File::create(part).with_context(writing)?);
    let written = write(answer, &mut count, |bytes| file.write_all(bytes)).await;
    let written = written.and_then(|()| Ok(file.flush().with_context(writing)?));
    if let Err(failure) = written {
        drop(std::fs::remove_file(part));
        return Err(failure);
    }
    may_write(path, arguments.overwriting())?;
    session.disk.rename(part, path).with_context(writing)?;
    session.terminal.words.line(format!("{} in {}", activities(&count), path.display()));
    Ok(())
}

impl ExportArguments {
    fn overwriting(&self) -> Overwriting {
        if self.force { Overwriting::Allowed } else { Overwriting::Refused }
    }
}

async fn write(
    mut answer: reqwest::Response,
    count: &mut Count,
    mut to: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<(), Failure> {
    loop {
        let part = answer.chunk().await.map_err(|_| {
            Failure::known(
                (crate::failures::Exit::Unavailable, "broken_off"),
                "the server broke the file off before its end",
                "try again; the server's log says why",
            )
        })?;
        let Some(part) = part else { return Ok(()) };
        count.take(&part);
        to(&part).context("write an activity")?;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Csv,
    Ndjson,
}

impl Shape {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => media::CSV,
            Self::Ndjson => media::NDJSON,
        }
    }
}

/// Counts rows as they pass: lines end within quotes, too, in CSV.
struct Count {
    shape: Shape,
    quoted: bool,
    ends: u64,
}

impl Count {
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'"' if self.shape == Shape::Csv => self.quoted = !self.quoted,
                b'\n' if !self.quoted => self.ends += 1,
                _ => {}
            }
        }
    }

    fn rows(&self) -> u64 {
        let headers = u64::from(self.shape == Shape::Csv);
        self.ends.saturating_sub(headers)
    }
}

/// How many were written.
fn activities(count: &Count) -> String {
    count_of(count.rows(), "activity", "activities")
}

#[cfg(test)]
mod tests {
    use super::{Count, Shape};

    #[test]
    fn rows_are_counted_over_line_ends_in_cells() {
        let mut count = Count { shape: Shape::Csv, quoted: false, ends: 0 };
        count.take(b"a,b\n1,\"two\nli");
        count.take(b"nes \"\"so\"\"\"\n3,4\n");
        assert_eq!(count.rows(), 2);
        let mut count = Count { shape: Shape::Ndjson, quoted: false, ends: 0 };
        count.take(b"{\"a\":1}\n{\"b\":2}\n");
        assert_eq!(count.rows(), 2);
    }
}
