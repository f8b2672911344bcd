//! `envora facilities`, `sources`, `entities`, `suppliers`: lists that come and go as CSV files.

use std::path::Path;

use anyhow::Context as _;
use envora_api::entities::NewEntity;
use envora_api::facilities::NewFacility;
use envora_api::sources::NewSource;
use envora_api::spelling::did_you_mean;
use envora_api::suppliers::NewSupplier;
use serde_json::{Map, Value};

use crate::arguments::ListVerb;
use crate::client::Client;
use crate::failures::{Exit, Failure};
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

/// Legal entities.
pub const ENTITIES: Collection = Collection {
    noun: "entities",
    path: "/entities",
    fields: NewEntity::FIELDS,
    columns: &["code", "name", "country", "share", "control", "id"],
};

/// Suppliers.
pub const SUPPLIERS: Collection = Collection {
    noun: "suppliers",
    path: "/suppliers",
    fields: NewSupplier::FIELDS,
    columns: &["code", "name", "country", "lei", "id"],
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
        ListVerb::Show { code } => {
            let items = all(&client, collection).await?;
            let named = |item: &&Map<String, Value>| {
                ["code", "id"].iter().any(|name| json::cell(item.get(*name)) == code)
            };
            let Some(item) = items.iter().find(named) else {
                return Err(unknown(&code, &items, collection));
            };
            if session.print_json(item)? == Printed::NotYet {
                let mut table = Table::new(&["field", "value"]);
                for (name, value) in item {
                    table.row([name.clone(), json::cell(Some(value))]);
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
    client.all(of.path, &[("limit", "1000")]).await
}

fn unknown(code: &str, items: &[Map<String, Value>], of: Collection) -> Failure {
    let codes: Vec<String> = items.iter().map(|item| json::cell(item.get("code"))).collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    let help = match did_you_mean(code, &codes) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("`envora {} list` names them all", of.noun),
    };
    let what = format!("there is no {code} among the {}", of.noun);
    Failure::known((Exit::Error, "not_found"), what, help)
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
