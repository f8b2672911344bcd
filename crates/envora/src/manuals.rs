//! What explains the program: its settings, its manual pages, its completion scripts.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use envora_cli::arguments::Common;
use envora_cli::configuration::{self, Setting};
use envora_cli::failures::Failure;
use envora_cli::session::Printed;
use envora_cli::tables::Table;
use envora_cli::terminal::Terminal;
use envora_server::folder::settings;

use crate::arguments::{CommandLine, ConfigVerb, SettingsFile};
use crate::environment::Environment;

/// Explains the settings, or only reads them all.
pub(crate) fn config(
    verb: &ConfigVerb,
    common: &Common,
    environment: &Environment,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let folder = match verb {
        ConfigVerb::Schema { of } => return schema(*of, terminal),
        ConfigVerb::Explain(folder) | ConfigVerb::Check(folder) | ConfigVerb::Show(folder) => {
            folder
        }
    };
    let settings = environment.explain(common, folder.data.as_deref())?;
    let (form, data) = (common.form(), &mut terminal.data);
    match verb {
        ConfigVerb::Check(_) => {
            environment.whom(common)?;
            terminal.words.line("every file of settings can be read");
        }
        ConfigVerb::Show(_) => {
            // Which organization it is by default, only a server's name says.
            let open = |one: &Setting| one.setting == "organization" && one.from == "default";
            let set = settings.into_iter().filter(|one| !open(one));
            let set = set.filter_map(|one| Some((one.setting, one.value?)));
            let set: BTreeMap<&str, String> = set.collect();
            if form.print(&set, data)? == Printed::NotYet {
                let mut table = Table::new(&["setting", "value"]);
                for (setting, value) in set {
                    table.row([setting.to_owned(), value]);
                }
                table.print(data);
            }
        }
        ConfigVerb::Explain(_) | ConfigVerb::Schema { .. } => {
            if form.print(&settings, data)? == Printed::NotYet {
                let mut table = Table::new(&["setting", "value", "from"]);
                for one in settings {
                    table.row([one.setting.to_owned(), one.value.unwrap_or_default(), one.from]);
                }
                table.print(data);
            }
        }
    }
    Ok(())
}

/// Prints what a file of settings may say, as JSON Schema.
fn schema(of: SettingsFile, terminal: &mut Terminal) -> Result<(), Failure> {
    let schema = match of {
        SettingsFile::Client => configuration::schema(),
        SettingsFile::Server => settings::schema(),
    };
    let text = serde_json::to_string_pretty(&schema).context("write the schema")?;
    terminal.data.line(text);
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
