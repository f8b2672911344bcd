//! `envora factors import`, `build`, `diff`: an organization's own factors.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bytes::Bytes;
use envora_api::factors::{FactorPack, FactorState, PackDiff, PackDiffCounts};
use envora_api::media;
use envora_api::problems::{ERRORS_MAX, RowError, RowPlace};
use envora_api::spelling::did_you_mean;
use envora_domain::factors::own::{self, Fault, FaultCode, OwnPack};
use serde::Serialize;

use crate::activities::wait_until_recalculated;
use crate::client::{Body, Client};
use crate::failures::{Exit, Failure, row_view};
use crate::imports::disposition;
use crate::inputs::{Input, Telling};
use crate::progress::Waiting;
use crate::session::{Printed, Session};
use crate::tables::Table;
use crate::terminal::Terminal;

/// A table of factors on its way: what was read of it, and its bytes.
struct Read {
    name: String,
    bytes: Bytes,
    own: OwnPack,
}

/// The failure of a request that named a pack: where the server has none of that name or version, says so
/// and which it has.
pub(crate) async fn unknown(
    failure: Failure,
    client: &Client,
    (pack, edition): (&str, Option<&str>),
) -> Failure {
    if !matches!(&failure, Failure::Problem(problem) if problem.status == 404) {
        return failure;
    }
    let Ok(packs) = client.all::<FactorPack>("/factor-packs", &[]).await else { return failure };
    let ids: BTreeSet<&str> = packs.iter().map(|known| known.id.as_str()).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let (what, help) = match edition.filter(|_| ids.contains(&pack)) {
        Some(edition) => {
            let of = packs.iter().filter(|known| known.id == pack);
            let versions: Vec<&str> = of.map(|known| known.version.as_str()).collect();
            (format!("{pack} has no version {edition}"), format!("it has {}", versions.join(", ")))
        }
        None => {
            let help = match did_you_mean(pack, &ids) {
                Some(near) => format!("did you mean {near}?"),
                None => "`envora factors list` names them all".to_owned(),
            };
            (format!("there is no pack {pack}"), help)
        }
    };
    Failure::known((Exit::Error, "not_found"), what, help)
}

/// Reads a table, and prints everything that is wrong with it.
fn read(file: &Path, pack: Option<&str>, terminal: &mut Terminal) -> Result<Read, Failure> {
    let input = Input::of(file, Telling::default())?;
    let (name, bytes) = (input.name(), input.bytes()?);
    let mut found = own::read(&bytes, pack);
    let nameless = |fault: &Fault| {
        fault.code == FaultCode::MissingField && fault.row == 0 && fault.column.is_none()
    };
    if pack.is_none() && found.as_ref().is_err_and(|faults| faults.iter().any(nameless)) {
        // It has no name of its own: that of its file will do, where it is one.
        let stem = Path::new(&name).file_stem().map(|stem| stem.to_string_lossy().to_lowercase());
        found = stem.map_or(found, |stem| own::read(&bytes, Some(&stem)));
    }
    match found {
        Ok(own) => Ok(Read { name, bytes, own }),
        Err(faults) => {
            refuse(&name, &faults, terminal);
            Err(Failure::Said(Exit::Error))
        }
    }
}

fn refuse(file: &str, faults: &[Fault], terminal: &mut Terminal) {
    let words = &mut terminal.words;
    let count = faults.len();
    let things = if count == 1 { "one thing is" } else { "these things are" };
    let what =
        format!("{file} is no table of factors that can be taken in: {things} wrong with it");
    Failure::known((Exit::Error, "validation_failed"), what, "").print(words);
    for fault in faults.iter().take(ERRORS_MAX) {
        let error = RowError {
            code: fault.code.as_str().to_owned(),
            row: (fault.line > 0).then_some(RowPlace { record: fault.row, line: fault.line }),
            column: fault.column.clone(),
            value: fault.value.clone(),
            detail: fault.detail.clone(),
            hint: Some(fault.hint.clone()),
            ..RowError::default()
        };
        let text = row_view(words.paint, file, &error);
        words.error(text);
    }
    if let Some(more) = count.checked_sub(ERRORS_MAX).filter(|more| *more > 0) {
        words.line(format!("  … and {more} more"));
    }
}

/// What becomes of a pack, and whether its figures are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    /// It is kept, and counts for nothing.
    No,
    /// It is activated; everything is calculated anew while nobody waits.
    Begun,
    /// It is activated, and the figures are by it.
    Done,
}

impl Activation {
    /// Waits until the figures are by a pack that was activated, where that is wanted.
    ///
    /// # Errors
    /// That the calculation fails.
    pub(crate) async fn wait(
        self,
        client: &Client,
        active: &FactorPack,
        session: &Session,
    ) -> Result<(), Failure> {
        if self != Self::Done {
            return Ok(());
        }
        let waiting = Waiting::new(session.terminal.words.audience);
        let waited = wait_until_recalculated(client, active.seq.unwrap_or(0), &waiting).await;
        waiting.end();
        waited
    }
}

/// `factors import FILE`.
///
/// # Errors
/// The table's faults; the server's problem.
pub(crate) async fn import(
    (file, pack, activation): (&Path, Option<&str>, Activation),
    session: &mut Session,
) -> Result<(), Failure> {
    let client = session.client_to_change()?;
    let read = read(file, pack, &mut session.terminal)?;
    let id = read.own.pack.recipe.id.clone();
    let body = || Body {
        media_type: media::CSV,
        length: read.bytes.len() as u64,
        bytes: read.bytes.clone().into(),
        headers: vec![("content-disposition", disposition(&read.name))],
    };
    let query = [("pack", id.as_str())];
    let (mut kept, _): (FactorPack, _) = client.send("/factor-packs", &query, None, body).await?;
    let mut waited = Ok(());
    if activation != Activation::No {
        let path = format!("/factor-packs/{id}/activate?version={}", kept.version);
        kept = client.post(&path, &serde_json::json!({})).await?;
        waited = activation.wait(&client, &kept, session).await;
    }
    if session.print_json(&kept)? == Printed::AsJson {
        return waited;
    }
    let data = &mut session.terminal.data;
    let FactorPack { id, version, factors, .. } = &kept;
    let count = if *factors == 1 { "1 factor".to_owned() } else { format!("{factors} factors") };
    if kept.active {
        data.line(format!("{id}, version {version}, is active: {count}"));
    } else {
        data.line(format!("{id}, version {version}, is kept: {count}, not yet active"));
        let words = &mut session.terminal.words;
        words.line(format!("what it changes: envora factors diff {id}"));
        words.line(format!("calculate with it: envora factors activate {id}"));
    }
    waited
}

/// What `factors build` says.
#[derive(Serialize)]
struct Built<'a> {
    pack: &'a str,
    version: &'a str,
    sha256: String,
    factors: usize,
    suppliers: Vec<&'a str>,
}

/// `factors build FILE`: the checks that need no server, and the canonical text.
///
/// # Errors
/// The table's faults; the disk's.
pub(crate) fn build(
    (file, pack, output): (&Path, Option<&str>, Option<&PathBuf>),
    session: &mut Session,
) -> Result<(), Failure> {
    let Read { own: OwnPack { pack, suppliers }, .. } = read(file, pack, &mut session.terminal)?;
    if let Some(path) = output {
        std::fs::write(path, pack.text()).with_context(|| format!("write {}", path.display()))?;
    }
    let built = Built {
        pack: &pack.recipe.id,
        version: &pack.recipe.version,
        sha256: pack.digest.hex(),
        factors: pack.count(),
        suppliers: suppliers.keys().map(String::as_str).collect(),
    };
    if session.print_json(&built)? == Printed::AsJson {
        return Ok(());
    }
    let mut fields = Table::new(&["field", "value"]);
    fields.row(["pack", built.pack]);
    fields.row(["version", built.version]);
    fields.row(["sha256", &built.sha256]);
    fields.row(["factors".to_owned(), built.factors.to_string()]);
    fields.row(["suppliers".to_owned(), built.suppliers.join(", ")]);
    fields.print(&mut session.terminal.data);
    let words = &mut session.terminal.words;
    if !built.suppliers.is_empty() {
        words.line("whether these suppliers are known, `envora factors import` asks the server");
    }
    Ok(())
}

/// `factors diff A B`: two tables, or with one name a pack of the server against its active edition.
///
/// # Errors
/// The tables' faults; the server's problem.
pub(crate) async fn diff(
    (before, after): (&Path, Option<&PathBuf>),
    session: &mut Session,
) -> Result<(), Failure> {
    let told: PackDiff = match after {
        Some(after) => {
            // Both are read under one name: their files may be called otherwise than the pack.
            let named = read_as(before, None, session)?;
            let name = named.own.pack.recipe.id.clone();
            let after = read_as(after, Some(&name), session)?;
            PackDiff::between(Some(&named.own.pack), &after.own.pack)
        }
        None => {
            let pack = before.display().to_string();
            if !own::is_name(&pack) && before.exists() {
                return Err(Failure::usage(
                    format!("{pack} is one file, and there is nothing to hold it against"),
                    "name two tables, or a pack that the server has",
                ));
            }
            let client = session.client()?;
            match client.get(&format!("/factor-packs/{pack}/diff"), &[]).await {
                Ok(told) => told,
                Err(failure) => return Err(unknown(failure, &client, (&pack, None)).await),
            }
        }
    };
    if session.print_json(&told)? == Printed::AsJson {
        return Ok(());
    }
    print(&told, &mut session.terminal);
    Ok(())
}

fn read_as(file: &Path, name: Option<&str>, session: &mut Session) -> Result<Read, Failure> {
    read(file, name, &mut session.terminal)
}

fn print(told: &PackDiff, terminal: &mut Terminal) {
    let number = |state: &Option<FactorState>| {
        state.as_ref().map_or_else(String::new, |state| {
            let FactorState { value, gases, unit, per, basis, .. } = state;
            let total = value.as_ref().map(|value| format!("{value} {unit} CO2e"));
            let gases = gases.iter().map(|(gas, mass)| format!("{mass} {gas}"));
            let parts: Vec<String> = total.into_iter().chain(gases).collect();
            format!("{} per {per}, {basis}", parts.join(", "))
        })
    };
    let mut table = Table::new(&["change", "key", "from", "to", "before", "after", "document"]);
    for one in &told.changes {
        let Some(state) = one.after.as_ref().or(one.before.as_ref()) else { continue };
        table.row([
            one.change.clone(),
            one.key.clone(),
            state.valid_from.to_string(),
            state.valid_to.to_string(),
            number(&one.before),
            number(&one.after),
            state.document.clone(),
        ]);
    }
    if !table.is_empty() {
        table.print(&mut terminal.data);
    }
    let PackDiffCounts { added, removed, changed, reworded } = told.counts;
    let against = match &told.against {
        Some(version) => format!("against {version}"),
        None => "against nothing: no edition is active".to_owned(),
    };
    terminal.words.line(format!(
        "{} {} {against}: {added} added, {removed} removed, {changed} changed, {reworded} reworded",
        told.pack, told.version
    ));
}
