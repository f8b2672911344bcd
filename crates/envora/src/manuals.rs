//! What explains the program: its settings, its manual pages, its completion scripts.

use std::path::Path;

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use envora_cli::arguments::Common;
use envora_cli::failures::Failure;
use envora_cli::json;
use envora_cli::tables::Table;
use envora_cli::terminal::Terminal;

use crate::arguments::{CommandLine, ConfigVerb};
use crate::environment::Environment;

/// Explains the settings, or only reads them all.
pub(crate) fn config(
    verb: &ConfigVerb,
    common: &Common,
    environment: &Environment,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let (ConfigVerb::Explain(folder) | ConfigVerb::Check(folder)) = verb;
    let settings = environment.explain(common, folder.data.as_deref())?;
    if matches!(verb, ConfigVerb::Check(_)) {
        environment.target(common)?;
        terminal.words.line("every file of settings can be read");
        return Ok(());
    }
    if let Some(fields) = common.json_fields() {
        terminal.data.line(json::render(&settings, &fields)?);
        return Ok(());
    }
    let mut table = Table::new(&["setting", "value", "from"]);
    for one in settings {
        table.row([one.setting.to_owned(), one.value.unwrap_or_default(), one.from]);
    }
    table.print(&mut terminal.data);
    Ok(())
}

/// Prints a completion script.
pub(crate) fn completions(shell: Shell, terminal: &mut Terminal) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "envora", &mut script);
    terminal.data.text(String::from_utf8_lossy(&script));
}

/// Writes the manual pages of all verbs into a folder, or prints that of the program.
pub(crate) fn man(folder: Option<&Path>, terminal: &mut Terminal) -> Result<(), Failure> {
    let mut command = CommandLine::command();
    command.build();
    let Some(folder) = folder else {
        terminal.data.text(page(command, "envora")?);
        return Ok(());
    };
    std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    let mut pages = 0_u32;
    let mut left = vec![("envora".to_owned(), command)];
    while let Some((name, command)) = left.pop() {
        for verb in command.get_subcommands() {
            left.push((format!("{name}-{}", verb.get_name()), verb.clone()));
        }
        let path = folder.join(format!("{name}.1"));
        let text = page(command, &name)?;
        std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        pages += 1;
    }
    terminal.words.line(format!("{pages} pages in {}", folder.display()));
    Ok(())
}

/// The text of a verb's page.
fn page(command: Command, name: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let man = Man::new(command).title(name.to_uppercase());
    man.render(&mut bytes).context("write a manual page")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
