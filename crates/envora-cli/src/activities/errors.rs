//! `envora data errors`: the rows of an import that were not accepted, to look at or to mend.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use envora_api::imports::{Import, RejectedRow};

use crate::arguments::ErrorsArguments;
use crate::client::Client;
use crate::failures::{Failure, row_view};
use crate::session::{Printed, Session};

/// Prints the rows, or writes the refused ones to a file that can be pushed again.
///
/// # Errors
/// The server's problem, or a file that cannot be written.
pub(super) async fn run(arguments: &ErrorsArguments, session: &mut Session) -> Result<(), Failure> {
    let client = session.client()?;
    if let Some(path) = &arguments.fix {
        return fix(&client, &arguments.import, path, session).await;
    }
    let path = format!("/imports/{}/errors", arguments.import);
    let rows: Vec<RejectedRow> = client.all(&path, &[("limit", "1000")]).await?;
    if session.print_json(&rows)? == Printed::AsJson {
        return Ok(());
    }
    let data = &mut session.terminal.data;
    for row in &rows {
        for error in &row.errors {
            data.text(row_view(data.paint, "", error));
        }
    }
    let words = &mut session.terminal.words;
    words.line(format!("{} rows were not accepted as they stand", rows.len()));
    if rows.iter().any(|row| row.outcome == "rejected") {
        words.line(format!(
            "  {} envora data errors {} --fix FILE writes the refused ones to a file to mend",
            words.paint.link("help:"),
            arguments.import
        ));
    }
    Ok(())
}

async fn fix(
    client: &Client,
    import: &str,
    path: &Path,
    session: &mut Session,
) -> Result<(), Failure> {
    let about: Import = client.get(&format!("/imports/{import}"), &[]).await?;
    if about.counts.rejected == 0 {
        session.terminal.words.line("no row of this import was refused: there is nothing to mend");
        return Ok(());
    }
    let bytes = client.bytes(&format!("/imports/{import}/error-file")).await?;
    let place = path.display();
    let mut file = File::create_new(path).with_context(|| format!("write {place}"))?;
    file.write_all(&bytes).with_context(|| format!("write {place}"))?;
    let words = &mut session.terminal.words;
    words.line(format!(
        "{place}: the refused rows of {}, each with what is wrong and what to do",
        about.file_name
    ));
    let mapping = about.mapping.map(|name| format!(" --mapping {name}")).unwrap_or_default();
    words.line(format!(
        "  {} mend them, then: envora data push {place}{mapping}, with the same --set as before",
        words.paint.link("help:")
    ));
    Ok(())
}
