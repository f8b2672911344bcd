//! `envora query --out`: an answer as a file, written as it comes.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Context as _;
use envora_api::media;
use envora_api::queries::{Query, ROWS_MAX};
use envora_domain::decimal::count_of;
use envora_query::files::Form;
use envora_query::limits::Limits;

use super::{Gone, MEMORY_BYTES_MAX, failure, files_asked, server_is_asked};
use crate::activities::files::{Overwriting, may_write};
use crate::arguments::QueryArguments;
use crate::failures::Failure;
use crate::output;
use crate::session::Session;

/// Asks, and writes the answer to this file.
///
/// # Errors
/// As for an answer that is printed, and a file that cannot be written.
pub(super) async fn run(
    (arguments, path): (&QueryArguments, &Path),
    sql: String,
    session: &mut Session,
) -> Result<(), Failure> {
    let form = form(path)?;
    if !matches!(session.form, output::Form::Fit | output::Form::Plain) {
        return Err(Failure::usage(
            "--out writes what the name of its file ends in",
            "leave --json, --ndjson and --csv out, or --out",
        ));
    }
    let overwriting = if arguments.force { Overwriting::Allowed } else { Overwriting::Refused };
    may_write(path, overwriting)?;
    // Under its own name only once it is whole.
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = Path::new(&part);
    let writing = || format!("write {}", path.display());
    let file = File::create(part).with_context(writing)?;
    let written = if arguments.files.is_empty() {
        stored((arguments, form), sql, file, session).await
    } else {
        of_files((arguments, form), sql, file, session).await
    };
    let (rows, is_cut) = match written {
        Ok(written) => written,
        Err(failure) => {
            drop(std::fs::remove_file(part));
            return Err(failure);
        }
    };
    may_write(path, overwriting)?;
    session.disk.rename(part, path).with_context(writing)?;
    let what =
        rows.map_or_else(|| "The answer is".to_owned(), |rows| count_of(rows, "row", "rows"));
    session.terminal.words.line(format!("{what} in {}", path.display()));
    if is_cut {
        session.terminal.words.prose(
            "More rows were left off. --limit N gives more, and a sum, a count or LIMIT in the question fewer.",
        );
    }
    Ok(())
}

/// How the file is written: as its name ends.
fn form(path: &Path) -> Result<Form, Failure> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("parquet") => Ok(Form::Parquet),
        Some("csv") => Ok(Form::Csv),
        Some("ndjson") => Ok(Form::Ndjson),
        _ => Err(Failure::usage(
            format!("{} does not say what file it is to be", path.display()),
            "let its name end in .parquet, .csv or .ndjson",
        )),
    }
}

type Rows = (Option<u64>, bool);

/// Asks the server, which gives up to so many rows.
async fn stored(
    (arguments, form): (&QueryArguments, Form),
    sql: String,
    file: File,
    session: &mut Session,
) -> Result<Rows, Failure> {
    server_is_asked(arguments)?;
    let query = Query { sql, limit: Some(arguments.limit.unwrap_or(ROWS_MAX)) };
    let media_type = match form {
        Form::Parquet => media::PARQUET,
        Form::Csv => media::CSV,
        Form::Ndjson => media::NDJSON,
    };
    let mut answer = session.client()?.post_for("/query", &query, media_type).await?;
    let cut = answer.headers().get(media::TRUNCATED);
    let is_cut = cut.is_some_and(|cut| cut.as_bytes() == b"true");
    let mut file = BufWriter::new(file);
    while let Some(part) = answer.chunk().await.context("read the answer")? {
        file.write_all(&part).context("write an answer")?;
    }
    file.flush().context("write an answer")?;
    Ok((None, is_cut))
}

/// Asks files, here: all rows, where no limit is named.
async fn of_files(
    (arguments, form): (&QueryArguments, Form),
    sql: String,
    file: File,
    session: &mut Session,
) -> Result<Rows, Failure> {
    let tables = files_asked(arguments, session).await?;
    let limit = arguments.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let limits = Limits {
        rows_max: limit.unwrap_or(usize::MAX),
        answer_bytes_max: usize::MAX,
        memory_bytes_max: MEMORY_BYTES_MAX,
    };
    let gone = Gone::default();
    let watch = gone.watch();
    let asking = move || {
        let to = BufWriter::new(file);
        envora_query::files::ask_as((&sql, form), tables, (limits, watch), to)
    };
    let told = tokio::task::spawn_blocking(asking).await.context("answer a question")?;
    drop(gone);
    let told = told.map_err(failure)?;
    Ok((Some(u64::try_from(told.rows).unwrap_or(u64::MAX)), told.is_cut))
}
