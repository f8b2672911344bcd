//! `envora data export`: stored activities as NDJSON, each line fit to be sent again.

use std::fs::File;
use std::io::{BufWriter, Write};

use anyhow::Context as _;
use envora_api::activities::Activity;

use crate::arguments::ExportArguments;
use crate::client::Client;
use crate::failures::Failure;
use crate::session::Session;

/// What the server adds to an activity: not sent again.
const ADDED: &[&str] = &["origin"];

/// Writes all stored activities, oldest first, page by page.
///
/// # Errors
/// The server's problem, or a file that cannot be written.
pub(super) async fn run(arguments: &ExportArguments, session: &mut Session) -> Result<(), Failure> {
    let client = session.client()?;
    let Some(path) = &arguments.out else {
        let data = &mut session.terminal.data;
        let rows = export(&client, |line| {
            data.line(line);
            Ok(())
        });
        let rows = rows.await?;
        session.terminal.words.line(format!("{rows} activities"));
        return Ok(());
    };
    let place = path.display();
    let writing = || format!("write {place}");
    let mut file = BufWriter::new(File::create_new(path).with_context(writing)?);
    let rows = export(&client, |line| writeln!(file, "{line}")).await?;
    file.flush().with_context(writing)?;
    session.terminal.words.line(format!("{rows} activities in {place}"));
    Ok(())
}

async fn export(
    client: &Client,
    mut write: impl FnMut(&str) -> std::io::Result<()>,
) -> Result<u64, Failure> {
    let mut rows = 0;
    let mut cursor: Option<String> = None;
    loop {
        let page = client.page::<Activity>("/activities", &[], cursor.as_deref()).await?;
        for mut activity in page.data {
            activity.fields.retain(|name, _| !ADDED.contains(&name.as_str()));
            let line = serde_json::to_string(&activity.fields).context("write an activity")?;
            write(&line).context("write an activity")?;
            rows += 1;
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(rows);
        }
    }
}
