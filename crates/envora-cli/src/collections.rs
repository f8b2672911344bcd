//! `envora facilities` and `envora sources`: lists that come and go as CSV files.

use std::path::Path;

use anyhow::Context as _;
use envora_api::facilities::NewFacility;
use envora_api::listing::Page;
use envora_api::sources::NewSource;
use serde_json::{Map, Value};

use crate::arguments::ListVerb;
use crate::client::Client;
use crate::failures::Failure;
use crate::json;
use crate::session::{Printed, Session};
use crate::spreadsheets::records;
use crate::tables::Table;

/// Items of one kind, each with a code of the organization's own.
#[derive(Clone, Copy, Debug)]
pub struct Collection {
    noun: &'static str,
    path: &'static str,
    fields: &'static [&'static str],
    columns: &'static [&'static str],
}

/// Sites.
pub const FACILITIES: Collection = Collection {
    noun: "facilities",
    path: "/facilities",
    fields: NewFacility::FIELDS,
    columns: &["code", "name", "country", "time_zone", "id"],
};

/// Meters, vehicles, assets.
pub const SOURCES: Collection = Collection {
    noun: "sources",
    path: "/sources",
    fields: NewSource::FIELDS,
    columns: &["code", "name", "type", "facility_id", "id"],
};

/// Does what a list verb says.
///
/// # Errors
/// The server's problem, or a file that does not fit.
pub async fn run(
    verb: ListVerb,
    collection: Collection,
    session: &mut Session,
) -> Result<(), Failure> {
    let client = session.client()?;
    match verb {
        ListVerb::List => {
            let items = all(&client, collection).await?;
            if session.print_json(&items)? == Printed::NotYet {
                let mut table = Table::new(collection.columns);
                for item in &items {
                    table.row(collection.columns.iter().map(|name| json::cell(item.get(*name))));
                }
                table.print(&mut session.terminal.data);
            }
        }
        ListVerb::Push { file } => {
            let name = file.display().to_string();
            let bytes = std::fs::read(&file).with_context(|| format!("read {name}"))?;
            let pushed = push(&client, collection, (&name, &bytes)).await?;
            session.terminal.words.line(pushed.text(collection));
        }
    }
    Ok(())
}

async fn all(client: &Client, of: Collection) -> Result<Vec<Map<String, Value>>, Failure> {
    let page: Page<Map<String, Value>> = client.get(of.path, &[("limit", "1000")]).await?;
    Ok(page.data)
}

/// Adds those of a CSV file whose code is not there yet.
///
/// # Errors
/// The server's problem, or a file that does not fit.
pub async fn push(
    client: &Client,
    to: Collection,
    (file, bytes): (&str, &[u8]),
) -> Result<Pushed, Failure> {
    let file = Path::new(file).file_name().map_or(file.into(), |name| name.to_string_lossy());
    let known = all(client, to).await?;
    let mut pushed = Pushed::default();
    for record in records(&file, bytes, to.fields)? {
        let code = record.body.get("code");
        if known.iter().any(|item| item.get("code") == code) {
            pushed.known += 1;
            continue;
        }
        let added = client.post::<_, Value>(to.path, &record.body).await;
        drop(added.map_err(|failure| failure.at(&file, record.line))?);
        pushed.added += 1;
    }
    Ok(pushed)
}

/// What became of the records of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// New ones.
    pub added: u64,
    /// Those whose code was there already; they stay as they are.
    pub known: u64,
}

impl Pushed {
    /// In words.
    #[must_use]
    pub fn text(&self, of: Collection) -> String {
        let noun = of.noun;
        match (self.added, self.known) {
            (added, 0) => format!("{added} {noun} added"),
            (0, known) => format!("all {known} {noun} were there already"),
            (added, known) => format!("{added} {noun} added, {known} were there already"),
        }
    }
}
