//! The command line: verbs and their arguments, as clap reads them.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use envora_domain::time::Day;

/// What every verb that talks to a server takes.
#[derive(Args, Clone, Debug, Default)]
pub struct Common {
    /// The server, such as http://acme.localhost:7780 [env: ENVORA_SERVER]
    #[arg(long, global = true, value_name = "URL", help_heading = "Server")]
    pub server: Option<String>,
    /// The organization; by default the first label of the server's name [env: ENVORA_ORG]
    #[arg(long, global = true, value_name = "ORG", help_heading = "Server")]
    pub org: Option<String>,
    /// Print the answer as JSON, or only these of its fields
    #[arg(long, global = true, value_name = "FIELDS", num_args = 0..=1, require_equals = true,
        default_missing_value = "", help_heading = "Output")]
    pub json: Option<String>,
}

impl Common {
    /// The fields that `--json` asks for; none of them for all; `None` without `--json`.
    #[must_use]
    pub fn json_fields(&self) -> Option<Vec<String>> {
        let words = self.json.as_deref()?.split(',').map(str::trim);
        Some(words.filter(|word| !word.is_empty()).map(str::to_owned).collect())
    }
}

/// The verbs that ask a server, or check files beside one.
#[derive(Subcommand, Clone, Debug)]
pub enum Verb {
    /// Send, check and look at activity data
    #[command(subcommand)]
    Data(DataVerb),
    /// The footprint of a period, in tonnes
    Footprint(FootprintArguments),
    /// Follow a figure or an activity down to source bytes, factor and proof
    Trace(TraceArguments),
    /// Sites
    #[command(subcommand)]
    Facilities(ListVerb),
    /// Meters, vehicles, assets
    #[command(subcommand)]
    Sources(ListVerb),
    /// Legal entities
    #[command(subcommand)]
    Entities(ListVerb),
    /// Suppliers
    #[command(subcommand)]
    Suppliers(ListVerb),
    /// The append-only log: checkpoint, proofs, verification
    #[command(subcommand)]
    Audit(AuditVerb),
    /// Published emission factors
    #[command(subcommand)]
    Factors(FactorsVerb),
    /// Methods of calculation
    #[command(subcommand)]
    Methods(MethodsVerb),
    /// Units of measure; needs no server
    #[command(subcommand)]
    Units(UnitsVerb),
}

/// Activity data.
#[derive(Subcommand, Clone, Debug)]
pub enum DataVerb {
    /// Send files: CSV through a mapping, JSON, NDJSON
    Push(PushArguments),
    /// Check files before they are sent; a server is asked only which facilities, sources and so on it knows
    Check(CheckArguments),
    /// Show the first rows of a file as they would be stored
    Preview(PreviewArguments),
    /// Saved mappings: which column of a file is what
    #[command(subcommand)]
    Map(MapVerb),
    /// The rows of an import that were refused or wait, with the reason of each
    Errors(ErrorsArguments),
    /// Stored activities, oldest first
    List {
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: u16,
    },
    /// One stored activity, word for word
    Show {
        /// The activity, act_…
        activity: String,
    },
    /// Write all stored activities as NDJSON, one per line, fit to be pushed again
    Export(ExportArguments),
}

/// Mappings.
#[derive(Subcommand, Clone, Debug)]
pub enum MapVerb {
    /// Those that are saved, each in its newest version
    List,
    /// One of them, as TOML
    Show {
        /// Its name
        name: String,
    },
    /// Save a mapping file; it is the newest version of its name from then on
    Save {
        /// A TOML file
        file: PathBuf,
    },
}

/// Rows to look at.
#[derive(Args, Clone, Debug)]
pub struct ErrorsArguments {
    /// The import, imp_…
    pub import: String,
    /// Write the refused rows to this file, in the format they came in, each with code and remedy:
    /// mend them there and push the file
    #[arg(long, value_name = "FILE")]
    pub fix: Option<PathBuf>,
}

/// Where to write.
#[derive(Args, Clone, Debug)]
pub struct ExportArguments {
    /// A new file, instead of stdout
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// A file to look at.
#[derive(Args, Clone, Debug)]
pub struct PreviewArguments {
    /// The file; .csv, .json or .ndjson
    pub file: PathBuf,
    /// The mapping: a TOML file, or the name of a saved one
    #[arg(long, short)]
    pub mapping: Option<String>,
    /// A constant of the mapping: --set facility_code=b24
    #[arg(long, value_name = "FIELD=VALUE")]
    pub set: Vec<String>,
    /// How many rows
    #[arg(long, default_value_t = 10)]
    pub rows: u16,
}

/// Files to send.
#[derive(Args, Clone, Debug)]
pub struct PushArguments {
    /// The files; .csv, .json or .ndjson
    #[arg(value_name = "FILE", required_unless_present = "file")]
    pub files: Vec<PathBuf>,
    /// A file, by name
    #[arg(long, value_name = "FILE")]
    pub file: Vec<PathBuf>,
    /// The mapping: a TOML file, or the name of a saved one
    #[arg(long, short)]
    pub mapping: Option<String>,
    /// A constant of the mapping: --set facility_code=b24
    #[arg(long, value_name = "FIELD=VALUE")]
    pub set: Vec<String>,
    /// What one bad row means for the others
    #[arg(long, value_enum, default_value_t = PushMode::Partial)]
    pub mode: PushMode,
    /// The scope that all rows claim
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub scope: Option<u8>,
}

/// What one bad row means for the others.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushMode {
    /// Good rows in, bad rows listed
    Partial,
    /// All rows or none
    Atomic,
}

impl PushMode {
    /// As the API spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Partial => "partial",
            Self::Atomic => "atomic",
        }
    }
}

/// A file to check.
#[derive(Args, Clone, Debug)]
pub struct CheckArguments {
    /// The files; .csv, .json or .ndjson
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The mapping: a TOML file, or the name of a saved one
    #[arg(long, short)]
    pub mapping: Option<String>,
    /// A constant of the mapping: --set facility_code=b24
    #[arg(long, value_name = "FIELD=VALUE")]
    pub set: Vec<String>,
    /// Ask no server, also where one is named
    #[arg(long)]
    pub offline: bool,
}

/// Which footprint.
#[derive(Args, Clone, Debug)]
pub struct FootprintArguments {
    /// The first day
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub from: Option<Day>,
    /// The first day after
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub to: Option<Day>,
    /// A calendar year, instead of --from and --to
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub year: Option<i16>,
    /// One scope
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub scope: Option<u8>,
    /// Break down by facility, month, scope, category or source
    #[arg(long, value_name = "WORDS")]
    pub group_by: Option<String>,
    /// Global warming potentials: published, ar4, ar5, ar6 …
    #[arg(long, value_name = "SET")]
    pub gwp_set: Option<String>,
}

fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).map_err(|error| error.to_string())
}

/// What to trace.
#[derive(Args, Clone, Debug)]
pub struct TraceArguments {
    /// A figure (fig_…) or an activity (act_…)
    pub id: String,
    /// The source file you hold: its SHA-256 and line are compared with the log's
    #[arg(long, value_name = "FILE")]
    pub source: Option<PathBuf>,
    /// How many lines
    #[arg(long, default_value_t = 1)]
    pub lines: u16,
}

/// Facilities or sources.
#[derive(Subcommand, Clone, Debug)]
pub enum ListVerb {
    /// All of them
    List,
    /// One of them, every field
    Show {
        /// Its code or id
        code: String,
    },
    /// Add those of a CSV file; what is there already stays as it is
    Push {
        /// A CSV file with the API's field names as headers
        file: PathBuf,
    },
}

/// The log.
#[derive(Subcommand, Clone, Debug)]
pub enum AuditVerb {
    /// The signed head of the log
    Checkpoint,
    /// Hash every entry again, here, and compare with the signed head
    Verify,
    /// The proof that one entry is in the log, checked here
    Proof {
        /// The entry's index
        index: u64,
    },
}

/// Factors.
#[derive(Subcommand, Clone, Debug)]
pub enum FactorsVerb {
    /// Factors that hold all of these words, the publisher's or ours
    Search {
        /// Words, such as: average car diesel
        #[arg(required = true)]
        words: Vec<String>,
        #[command(flatten)]
        filters: FactorFilters,
    },
    /// One factor, every field
    Show {
        /// sha256:… or the first eight digits of it
        id: String,
    },
    /// Calculate with a pack from now on: everything anew, beside what is shown, which stays till then
    Activate {
        /// The pack, such as desnz-2022
        pack: String,
    },
    /// The packs of factors; with a filter, the factors that pass it
    List {
        #[command(flatten)]
        filters: FactorFilters,
    },
}

/// What narrows a list of factors.
#[derive(Args, Clone, Debug)]
pub struct FactorFilters {
    /// Only of this pack, such as desnz-2025
    #[arg(long)]
    pub pack: Option<String>,
    /// Only of publishers whose name holds this, such as EPA
    #[arg(long)]
    pub publisher: Option<String>,
    /// Only of this edition, such as 2025
    #[arg(long)]
    pub edition: Option<String>,
    /// Only for this region: GB, US, CAMX, world
    #[arg(long)]
    pub region: Option<String>,
    /// Only for this activity type, such as vehicle.driven
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// Only of this part of the supply chain, such as combustion
    #[arg(long)]
    pub boundary: Option<String>,
    /// How many, 1 to 1000
    #[arg(long, default_value_t = 20)]
    pub limit: u16,
}

/// Methods.
#[derive(Subcommand, Clone, Debug)]
pub enum MethodsVerb {
    /// All of them, with their formulas
    List,
    /// One of them: what it multiplies, and what uses it
    Show {
        /// Such as electricity.grid@1
        id: String,
    },
}

/// Units.
#[derive(Subcommand, Clone, Debug)]
pub enum UnitsVerb {
    /// Convert exactly, or say why not: envora units convert 1.5 MW.h kW.h
    Convert {
        /// How much
        #[arg(allow_hyphen_values = true)]
        quantity: String,
        /// From this unit
        from: String,
        /// To this unit
        to: String,
    },
}
