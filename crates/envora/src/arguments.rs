//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use envora_cli::arguments::Common;

/// Environmental accounting: every figure traceable to its source bytes.
#[derive(Parser, Debug)]
#[command(name = "envora", version, disable_help_subcommand = true, max_term_width = 100)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub(crate) enum Verb {
    /// Make a data folder, its keys and an organization; print the operator token once
    Init(InitArguments),
    /// Serve a data folder: API, pages, calculation
    Serve(ServeArguments),
    /// A real year of a real estate: load it, print its footprint, follow one figure to its bytes
    Demo(DemoArguments),
    /// Examine a data folder without changing anything that is stored
    ///
    /// It reads every page, segment, file, block and log entry. Opening the database does what opening it
    /// always does: what an ended server left in its write-ahead log is folded in, an earlier program's
    /// schema becomes this one's, and envora.lock is written anew. To leave even that as it is, examine a copy.
    Doctor(FolderArguments),
    /// Copy a data folder and its keys, apart from each other, or examine such a copy
    #[command(subcommand)]
    Backup(BackupVerb),
    /// Make a data folder from a backup
    Restore(RestoreArguments),
    /// The settings: what they are, and who says so
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Write a manual page per verb, or print the first one
    Man {
        /// The folder for envora.1, envora-data.1 and so on
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Print a completion script
    Completions {
        /// For which shell
        shell: Shell,
    },
    #[command(flatten)]
    Remote(envora_cli::arguments::Verb),
}

/// Settings.
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum ConfigVerb {
    /// Every setting, its value, and where that comes from; secrets are masked
    Explain(FolderArguments),
    /// Read all files of settings and say what is wrong with them
    Check(FolderArguments),
    /// The settings as they hold, without saying who says so; secrets are masked
    Show(FolderArguments),
    /// What a file of settings may say, as JSON Schema
    Schema {
        /// Of which file
        #[arg(value_enum, default_value_t = SettingsFile::Client)]
        of: SettingsFile,
    },
}

/// A file of settings.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SettingsFile {
    /// ./.envora.toml and config.toml in the user's folder: which server to ask
    Client,
    /// envora.toml in a data folder: where it listens, where its databases are
    Server,
}

/// Where the data is.
#[derive(Args, Clone, Debug)]
pub(crate) struct FolderArguments {
    /// The data folder [env: ENVORA_DATA]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// Backups.
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum BackupVerb {
    /// Copy a folder that no server has open, and examine the copy
    Create {
        #[command(flatten)]
        folder: FolderArguments,
        /// The new folder for the data
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// The new folder for the keys: on another disk, or whoever gets one gets both
        #[arg(long, value_name = "DIR")]
        keys_to: PathBuf,
    },
    /// Hash every file again; with the keys, read everything that was acknowledged
    Verify {
        /// The backup's data
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// The backup's keys
        #[arg(long, value_name = "DIR")]
        keys: Option<PathBuf>,
    },
}

/// A backup to go on from.
#[derive(Args, Clone, Debug)]
pub(crate) struct RestoreArguments {
    #[command(flatten)]
    pub(crate) folder: FolderArguments,
    /// The backup's data
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// The backup's keys, or the keys folder of the folder that is lost
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: PathBuf,
    /// Another copy of the keys: what it says is destroyed stays so; its newest state counts
    #[arg(long, value_name = "DIR")]
    pub(crate) other_keys: Vec<PathBuf>,
    /// Go on from a backup that is older than its keys say, and write down what was lost
    #[arg(long)]
    pub(crate) accept_rollback: bool,
}

/// A new folder.
#[derive(Args, Clone, Debug)]
pub(crate) struct InitArguments {
    #[command(flatten)]
    pub(crate) folder: FolderArguments,
    /// The organization's short name: it answers at http://ORG.localhost
    #[arg(long)]
    pub(crate) org: String,
    /// Its name for people
    #[arg(long)]
    pub(crate) name: String,
    /// Its reporting time zone
    #[arg(long, default_value = "UTC")]
    pub(crate) zone: String,
    /// The domain in the audit log's origin, for good
    #[arg(long, default_value = "envora.localhost")]
    pub(crate) domain: String,
}

/// A folder to serve.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    pub(crate) folder: FolderArguments,
    /// Where the API and the pages are; loopback only [default: what envora.toml says]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where /livez, /readyz and /metrics are
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) admin: Option<SocketAddr>,
    /// Write the log to this file instead of stderr
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
}

/// The demo.
#[derive(Args, Clone, Debug)]
pub(crate) struct DemoArguments {
    #[command(flatten)]
    pub(crate) folder: FolderArguments,
    /// Begin anew: remove what an earlier demo stored
    #[arg(long)]
    pub(crate) fresh: bool,
    /// The port of the dashboard
    #[arg(long, default_value_t = 7780)]
    pub(crate) port: u16,
    /// Do not open a browser
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Remove the demo's folder and end
    #[arg(long)]
    pub(crate) clean: bool,
    /// End after the story instead of leaving the dashboard up
    #[arg(long)]
    pub(crate) once: bool,
}
