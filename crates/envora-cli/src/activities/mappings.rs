//! `envora data map`: saved mappings.

use anyhow::Context as _;
use envora_api::mappings::ImportMapping;

use super::propose;
use crate::arguments::MapVerb;
use crate::failures::Failure;
use crate::imports;
use crate::session::{Printed, Session};
use crate::tables::Table;

/// How much of a version is shown in a table.
const VERSION_SHOWN: usize = 16;

/// Does what a map verb says.
///
/// # Errors
/// The server's problem, or a file that is no mapping.
pub(super) async fn run(verb: MapVerb, session: &mut Session) -> Result<(), Failure> {
    let client = match &verb {
        MapVerb::Propose { file, name, sheet } => {
            return propose::run(file, (name.as_deref(), sheet.as_deref()), session);
        }
        MapVerb::Save { .. } => session.client_to_change()?,
        MapVerb::List | MapVerb::Show { .. } => session.client()?,
    };
    match verb {
        MapVerb::Propose { .. } => {}
        MapVerb::List => {
            let all: Vec<ImportMapping> = client.all("/import-mappings", &[]).await?;
            if session.print_json(&all)? == Printed::NotYet {
                let mut table = Table::new(&["mapping", "version", "saved"]);
                for mapping in &all {
                    let version = mapping.version.get(..VERSION_SHOWN).unwrap_or_default();
                    let saved = mapping.created_at.to_string();
                    table.row([mapping.name.clone(), format!("{version}…"), saved]);
                }
                table.print(&mut session.terminal.data);
            }
        }
        MapVerb::Show { name } => {
            let path = format!("/import-mappings/{name}");
            let mapping: ImportMapping = client.get(&path, &[]).await?;
            if session.print_json(&mapping)? == Printed::NotYet {
                let words = &mut session.terminal.words;
                words.line(format!("{}@{}", mapping.name, mapping.version));
                words.line(format!("saved {}", mapping.created_at));
                let text = toml::to_string_pretty(&mapping.tree).context("write the mapping")?;
                session.terminal.data.text(text);
            }
        }
        MapVerb::Save { file } => {
            let place = file.display().to_string();
            let text = std::fs::read_to_string(&file).with_context(|| format!("read {place}"))?;
            let saved = imports::save_mapping(&client, &place, &text).await?;
            if session.print_json(&saved.now)? == Printed::NotYet {
                session.terminal.data.line(saved.pinned());
                session.terminal.words.line(saved.text());
            }
        }
    }
    Ok(())
}
