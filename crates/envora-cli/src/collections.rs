//! `envora facilities`, `sources`, `entities`, `suppliers`: lists that come and go as CSV files.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context as _;
use envora_api::entities::NewEntity;
use envora_api::facilities::NewFacility;
use envora_api::problems::{RowError, RowPlace};
use envora_api::sources::NewSource;
use envora_api::spelling::did_you_mean;
use envora_api::suppliers::NewSupplier;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::arguments::ListVerb;
use crate::client::Client;
use crate::failures::{Exit, Failure};
use crate::json;
use crate::refusals::{Refusals, line_of};
use crate::session::{Printed, Session};
use crate::spreadsheets::{Record, records};
use crate::tables::{Layout, Table};

/// Items of one kind, each with a code of the organization's own.
#[derive(Clone, Copy, Debug)]
pub struct Collection {
    noun: &'static str,
    path: &'static str,
    fields: &'static [&'static str],
    columns: &'static [&'static str],
    /// What an item lies in: the field that a file names it in by its code, that of its id, and which they are.
    within: Option<(&'static str, &'static str, &'static Collection)>,
}

/// Sites.
pub const FACILITIES: Collection = Collection {
    noun: "facilities",
    path: "/facilities",
    fields: NewFacility::FIELDS,
    columns: &["code", "name", "country", "time_zone", "id"],
    within: Some(("entity", "entity_id", &ENTITIES)),
};

/// Meters, vehicles, assets.
pub const SOURCES: Collection = Collection {
    noun: "sources",
    path: "/sources",
    fields: NewSource::FIELDS,
    columns: &["code", "name", "type", "facility_id", "id"],
    within: Some(("facility", "facility_id", &FACILITIES)),
};

/// Legal entities.
pub const ENTITIES: Collection = Collection {
    noun: "entities",
    path: "/entities",
    fields: NewEntity::FIELDS,
    columns: &["code", "name", "country", "share", "control", "id"],
    within: None,
};

/// Suppliers.
pub const SUPPLIERS: Collection = Collection {
    noun: "suppliers",
    path: "/suppliers",
    fields: NewSupplier::FIELDS,
    columns: &["code", "name", "country", "lei", "id"],
    within: None,
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
    match verb {
        ListVerb::List { limit, state } => {
            let limit = limit.unwrap_or(usize::MAX);
            let query = [("limit", "1000"), ("state", state.as_str())];
            let client = session.client()?;
            let mut items = client.first(collection.path, &query, limit).await?;
            if session.terminal.data.layout == Layout::Csv {
                say_codes(&client, collection, &mut items).await?;
            }
            list(&items, (collection, &state), session)
        }
        ListVerb::Show { code } => {
            let items = all(&session.client()?, collection).await?;
            show(&code, &items, collection, session)
        }
        ListVerb::Push { file } => {
            let client = session.client_to_change()?;
            let name = file.display().to_string();
            let bytes = std::fs::read(&file).with_context(|| format!("read {name}"))?;
            let pushed = push(&client, collection, (&name, &bytes)).await?;
            told(pushed, collection, session)
        }
        ListVerb::Archive { code, undo } => {
            let client = session.client_to_change()?;
            let items = all(&client, collection).await?;
            let item = find(&code, &items, collection)?;
            let changed = archive(&client, (collection, undo), item).await?;
            let words = match (changed == *item, undo) {
                (false, false) => "archived: lists leave it out, rows that name it count as before",
                (false, true) => "brought back: it is in the lists again",
                (true, false) => "was archived already",
                (true, true) => "is not archived: nothing to bring back",
            };
            if session.print_json(&changed)? == Printed::NotYet {
                session.terminal.words.line(format!("{code} {words}"));
            }
            Ok(())
        }
    }
}

type Item = Map<String, Value>;

/// Archives an item, or brings it back.
async fn archive(
    client: &Client,
    (of, undo): (Collection, bool),
    item: &Item,
) -> Result<Item, Failure> {
    let version = item.get("version").and_then(Value::as_u64).unwrap_or(0);
    let path = format!("{}/{}", of.path, json::cell(item.get("id")));
    if undo {
        return client.patch(&path, version, &serde_json::json!({ "archived": false })).await;
    }
    client.delete(&path, version).await
}

/// Puts beside the ids of what items lie in its codes, as a file that is pushed names it.
async fn say_codes(client: &Client, of: Collection, items: &mut [Item]) -> Result<(), Failure> {
    let Some((field, id_field, others)) = of.within else { return Ok(()) };
    let mut codes: HashMap<String, Value> = HashMap::new();
    for mut item in all(client, *others).await? {
        codes.insert(json::cell(item.get("id")), item.remove("code").unwrap_or_default());
    }
    for item in items {
        if let Some(code) = codes.get(&json::cell(item.get(id_field))) {
            item.insert(field.to_owned(), code.clone());
        }
    }
    Ok(())
}

fn list(
    items: &[Item],
    (of, state): (Collection, &str),
    session: &mut Session,
) -> Result<(), Failure> {
    if session.print_json(&items)? == Printed::NotYet {
        // A CSV file of them can be pushed, here or to another organization.
        let is_csv = session.terminal.data.layout == Layout::Csv;
        let columns = if is_csv { [of.fields, &["id"]].concat() } else { of.columns.to_vec() };
        let mut table = Table::new(&columns);
        for item in items {
            table.row(columns.iter().map(|name| json::cell(item.get(*name))));
        }
        table.print(&mut session.terminal.data);
        if items.is_empty() && state == "archived" {
            session.terminal.words.line(format!("no {} are archived", of.noun));
        } else if items.is_empty() {
            let words = &mut session.terminal.words;
            words.line(format!("there are no {} yet", of.noun));
            words.help(format!(
                "envora {} push FILE.csv; its headers: {}",
                of.noun,
                of.fields.join(", ")
            ));
        }
    }
    Ok(())
}

fn show(code: &str, items: &[Item], of: Collection, session: &mut Session) -> Result<(), Failure> {
    let item = find(code, items, of)?;
    if session.print_json(item)? == Printed::NotYet {
        let mut table = Table::new(&["field", "value"]);
        for (name, value) in item {
            table.row([name.clone(), json::cell(Some(value))]);
        }
        table.print(&mut session.terminal.data);
    }
    Ok(())
}

/// The item of this code or id.
fn find<'a>(code: &str, items: &'a [Item], of: Collection) -> Result<&'a Item, Failure> {
    let named =
        |item: &&Item| ["code", "id"].iter().any(|name| json::cell(item.get(*name)) == code);
    items.iter().find(named).ok_or_else(|| unknown(code, items, of))
}

/// Says what became of a file, and ends as that deserves.
fn told(pushed: Pushed, of: Collection, session: &mut Session) -> Result<(), Failure> {
    pushed.refusals.print(&pushed.file, &mut session.terminal.words);
    if session.print_json(&pushed.counts)? == Printed::NotYet {
        let text = pushed.counts.text(of);
        session.terminal.words.line(text);
    }
    match (pushed.stopped, pushed.counts.refused) {
        (Some(failure), _) => {
            let words = &mut session.terminal.words;
            words.line("it stopped half way: push the file again, what is there is not doubled");
            Err(failure)
        }
        (None, 0) => Ok(()),
        (None, _) => Err(Failure::Said(Exit::Partial)),
    }
}

/// All there are, archived ones too.
async fn all(client: &Client, of: Collection) -> Result<Vec<Item>, Failure> {
    client.all(of.path, &[("limit", "1000"), ("state", "any")]).await
}

fn unknown(code: &str, items: &[Item], of: Collection) -> Failure {
    let codes: Vec<String> = items.iter().map(|item| json::cell(item.get("code"))).collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    let help = match did_you_mean(code, &codes) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("`envora {} list` names them all", of.noun),
    };
    let what = format!("there is no {code} among the {}", of.noun);
    Failure::known((Exit::Error, "not_found"), what, help)
}

/// Adds those of a CSV file that are new, and changes those that stand otherwise in what the file
/// says of them. A bad line is passed over; what concerns all lines stops it.
///
/// # Errors
/// A file whose header does not fit; a server that does not tell what is there.
pub async fn push(
    client: &Client,
    to: Collection,
    (file, bytes): (&str, &[u8]),
) -> Result<Pushed, Failure> {
    let file = Path::new(file).file_name().map_or(file.into(), |name| name.to_string_lossy());
    // A list has ids as well: an item is known by its code.
    let records = records(&file, bytes, &[to.fields, &["id"]].concat())?;
    let mut there: HashMap<String, Item> = HashMap::new();
    for item in all(client, to).await? {
        there.insert(json::cell(item.get("code")), item);
    }
    let mut pushed = Pushed { file: file.to_string(), ..Pushed::default() };
    let mut seen: HashMap<String, u64> = HashMap::new();
    for record in records {
        let outcome = match record {
            Ok(mut record) => {
                record.body.remove("id");
                let code = json::cell(record.body.get("code"));
                match seen.insert(code.clone(), record.line).filter(|_| !code.is_empty()) {
                    Some(first) => Err(Stop::Line(vec![twice(&record, &code, first)])),
                    None => one(client, to, (&record, there.get(&code))).await,
                }
            }
            Err(error) => Err(Stop::Line(vec![error])),
        };
        match outcome {
            Ok(Became::Added) => pushed.counts.added += 1,
            Ok(Became::Changed) => pushed.counts.changed += 1,
            Ok(Became::Unchanged) => pushed.counts.unchanged += 1,
            Err(Stop::Line(errors)) => {
                pushed.counts.refused += 1;
                for error in errors {
                    let line = error.row.map_or(0, |row| row.line);
                    pushed.refusals.add(&error, || line_of(bytes, line));
                }
            }
            Err(Stop::All(failure)) => {
                pushed.stopped = Some(failure);
                break;
            }
        }
    }
    Ok(pushed)
}

/// What became of one record.
enum Became {
    Added,
    Changed,
    Unchanged,
}

/// Why a record did not go in.
enum Stop {
    /// It is wrong itself.
    Line(Vec<RowError>),
    /// No other one would either.
    All(Failure),
}

async fn one(
    client: &Client,
    to: Collection,
    (record, there): (&Record, Option<&Item>),
) -> Result<Became, Stop> {
    let Some(there) = there else {
        let added = client.post::<_, Value>(to.path, &record.body).await;
        return added.map(|_| Became::Added).map_err(|failure| stop(failure, record.line));
    };
    let says_the_same = |(name, value): (&String, &Value)| there.get(name) == Some(value);
    if record.body.iter().all(says_the_same) {
        return Ok(Became::Unchanged);
    }
    let version = there.get("version").and_then(Value::as_u64).unwrap_or(0);
    let path = format!("{}/{}", to.path, json::cell(there.get("id")));
    let changed = client.patch::<_, Item>(&path, version, &record.body).await;
    let changed = changed.map_err(|failure| stop(failure, record.line))?;
    let is_new = changed.get("version").and_then(Value::as_u64) != Some(version);
    Ok(if is_new { Became::Changed } else { Became::Unchanged })
}

/// Whether a failure is about this record alone, and what it says of it.
fn stop(failure: Failure, line: u64) -> Stop {
    let row = Some(RowPlace { record: line, line });
    match failure {
        Failure::Problem(problem)
            if matches!(problem.status, 400 | 404 | 409 | 412 | 413 | 422) =>
        {
            if problem.errors.is_empty() {
                let (code, detail) = (problem.code.clone(), problem.detail.clone());
                return Stop::Line(vec![RowError { code, detail, row, ..RowError::default() }]);
            }
            let errors = problem.errors.into_iter();
            Stop::Line(errors.map(|error| RowError { row, ..error }).collect())
        }
        other @ (Failure::Said(_)
        | Failure::Known { .. }
        | Failure::Problem(_)
        | Failure::Unexpected(_)) => Stop::All(other),
    }
}

fn twice(record: &Record, code: &str, first: u64) -> RowError {
    RowError {
        code: "duplicate_key".to_owned(),
        row: Some(RowPlace { record: record.line, line: record.line }),
        column: Some("code".to_owned()),
        value: Some(code.to_owned()),
        detail: format!("the code {code} is on line {first} already"),
        hint: Some("leave one of the two out, or give it a code of its own".to_owned()),
        ..RowError::default()
    }
}

/// What became of the records of a file.
#[derive(Default)]
pub struct Pushed {
    /// How many of what.
    pub counts: Counts,
    /// Why it stopped before the end.
    pub stopped: Option<Failure>,
    file: String,
    refusals: Refusals,
}

/// Records by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// New ones.
    pub added: u64,
    /// Those that stood otherwise.
    pub changed: u64,
    /// Those that stood as the file says.
    pub unchanged: u64,
    /// Bad lines.
    pub refused: u64,
}

impl Counts {
    /// In words.
    #[must_use]
    pub fn text(&self, of: Collection) -> String {
        let noun = of.noun;
        let all = [
            (self.added, "added"),
            (self.changed, "changed"),
            (self.unchanged, "there already"),
            (self.refused, "refused"),
        ];
        let some = all.iter().filter(|(number, _)| *number > 0);
        let some: Vec<String> = some.map(|(number, what)| format!("{number} {what}")).collect();
        if some.is_empty() {
            format!("{noun}: none in the file")
        } else {
            format!("{noun}: {}", some.join(", "))
        }
    }
}
