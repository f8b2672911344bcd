//! The command line: verbs and their arguments, as clap reads them.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use envora_domain::activities::validate::is_of_periods;
use envora_domain::time::Day;

use crate::output::Form;
use crate::session::Questions;
use crate::terminal::{Terminal, Voice};

/// What every verb that talks to a server takes.
#[derive(Args, Clone, Debug, Default)]
pub struct Common {
    /// The server, such as http://acme.localhost:8080, or demo [env: ENVORA_SERVER]
    #[arg(long, global = true, value_name = "URL", help_heading = "Server")]
    pub server: Option<String>,
    /// The organization; by default the first label of the server's name [env: ENVORA_ORG]
    #[arg(long, global = true, value_name = "ORG", help_heading = "Server")]
    pub org: Option<String>,
    /// Print the answer as JSON, or only these of its fields
    #[arg(long, global = true, value_name = "FIELDS", num_args = 0..=1, require_equals = true,
        default_missing_value = "", help_heading = "Output")]
    pub json: Option<String>,
    /// Print a line of JSON for each item, or only these of its fields
    #[arg(long, global = true, value_name = "FIELDS", num_args = 0..=1, require_equals = true,
        default_missing_value = "", conflicts_with = "json", help_heading = "Output")]
    pub ndjson: Option<String>,
    /// Print tables as CSV
    #[arg(long, global = true, conflicts_with_all = ["json", "ndjson"], help_heading = "Output")]
    pub csv: bool,
    /// Print tables as tab-separated text, without colours, as into a pipe
    #[arg(long, global = true, conflicts_with_all = ["json", "ndjson", "csv"],
        help_heading = "Output")]
    pub plain: bool,
    /// Say nothing beside the answer but what went wrong
    #[arg(long, short, global = true, help_heading = "Output")]
    pub quiet: bool,
    /// Never ask: end with an error where a question would be
    #[arg(long, global = true, help_heading = "Output")]
    pub no_input: bool,
    /// Answer every question with yes
    #[arg(long, short, global = true, help_heading = "Output")]
    pub yes: bool,
}

impl Common {
    /// The form of the answer.
    #[must_use]
    pub fn form(&self) -> Form {
        let fields = |text: &str| {
            let words = text.split(',').map(str::trim);
            words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        match (&self.json, &self.ndjson) {
            (Some(text), _) => Form::Json(fields(text)),
            (None, Some(text)) => Form::Ndjson(fields(text)),
            (None, None) if self.csv => Form::Csv,
            (None, None) if self.plain => Form::Plain,
            (None, None) => Form::Fit,
        }
    }

    /// Gives the streams the form that is asked for.
    pub fn shape(&self, terminal: &mut Terminal) {
        self.form().shape(terminal);
        if self.quiet {
            terminal.words.voice = Voice::Quiet;
        }
    }

    /// What becomes of questions.
    #[must_use]
    pub fn questions(&self) -> Questions {
        match (self.yes, self.no_input) {
            (true, _) => Questions::Yes,
            (false, true) => Questions::Refused,
            (false, false) => Questions::Asked,
        }
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
    /// Ask with SQL: files here, without a server, or what is stored
    ///
    /// With files, their rows are read by the validator that a push goes through; no server is asked, and
    /// no account is needed. The tables are `activities`, the rows as they would be stored, and
    /// `rejected`, what is wrong with the others. Without a file the server is asked: `activities`,
    /// `activities_all` with what was superseded or voided, and `emissions`. Numbers are exact.
    #[command(after_help = QUERY_EXAMPLES)]
    Query(QueryArguments),
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
    /// Sign in: keep a token together with the one server it is for
    #[command(subcommand)]
    Auth(AuthVerb),
}

/// Signing in.
#[derive(Subcommand, Clone, Debug)]
pub enum AuthVerb {
    /// Verify a token at a server and keep both, for this user alone
    Login(LoginArguments),
    /// Who is signed in where, and whether each server still takes the token
    Status,
    /// Ask another of the known servers when none is named
    Switch {
        /// Its address, or its organization
        server: String,
    },
    /// Print the token of the server that would be asked
    Token,
    /// Forget the token of the server in use, or of another one
    Logout {
        /// Its address, or its organization
        server: Option<String>,
    },
}

/// A token to keep.
#[derive(Args, Clone, Debug)]
pub struct LoginArguments {
    /// The organization; by default the first label of the server's name
    #[arg(long, value_name = "ORG")]
    pub org_id: Option<String>,
    /// `-`: read the token from stdin
    #[arg(long, value_name = "-", allow_hyphen_values = true)]
    pub token: Option<String>,
    /// Not there yet.
    #[arg(long, hide = true)]
    pub device: bool,
    /// Not there yet.
    #[arg(long, hide = true)]
    pub browser: bool,
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
    List(ActivitiesArguments),
    /// One stored activity, word for word; or an import: its file, its mapping, what became of its rows
    Show {
        /// The activity, act_…, or the import, imp_…
        #[arg(value_name = "ID")]
        activity: String,
    },
    /// Replace a stored activity by a right one, or void it; both stay in the log
    Supersede(SupersedeArguments),
    /// Follow what is stored, as it comes, until Ctrl-C
    Tail(TailArguments),
    /// Write stored activities as NDJSON or CSV, fit to be pushed again: rows with an id are not doubled
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
    /// Look at a file that no mapping is known for, and write down what can be told of it
    ///
    /// Reads the file to its end: encoding, signs, sheet, header, how each column writes numbers and times,
    /// and which column is what; each with its reason, and how sure it is. What can be read in two ways is asked, never guessed: the mapping then has a
    /// line `# ?` with the choices, and the exit code is 3.
    Propose {
        /// A table: CSV in UTF-8, UTF-16 or Windows-1252, a workbook (.xlsx), or Parquet
        file: PathBuf,
        /// The mapping's name; the file's when not given
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// The sheet of a workbook; the one that holds a table when not given
        #[arg(long, value_name = "SHEET")]
        sheet: Option<String>,
    },
    /// Save a mapping file; it is the newest version of its name from then on
    Save {
        /// A TOML file
        file: PathBuf,
    },
}

/// Which activities.
#[derive(Args, Clone, Debug, Default)]
pub struct Narrowing {
    /// Only of this activity type
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Vec<String>,
    /// Only at this facility, by id or code
    #[arg(long, value_name = "CODE")]
    pub facility: Vec<String>,
    /// Only of this legal entity, by id or code
    #[arg(long, value_name = "CODE")]
    pub entity: Vec<String>,
    /// Only of this source, by id or code
    #[arg(long, value_name = "CODE")]
    pub source: Vec<String>,
    /// Only counted, unresolved, superseded, voided or pending
    #[arg(long, value_name = "STATE")]
    pub state: Vec<String>,
    /// Only of this import, imp_…
    #[arg(long, value_name = "IMPORT")]
    pub import: Option<String>,
    /// Only those that last into this day, or later
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub from: Option<Day>,
    /// Only those that begin before this day
    #[arg(long, value_name = "DAY", value_parser = day)]
    pub to: Option<Day>,
}

impl Narrowing {
    /// As the API's parameters.
    #[must_use]
    pub fn query(&self) -> Vec<(&'static str, String)> {
        let many = [
            ("type", &self.kind),
            ("facility_id", &self.facility),
            ("entity_id", &self.entity),
            ("source_id", &self.source),
            ("state", &self.state),
        ];
        let mut query: Vec<(&'static str, String)> = many
            .into_iter()
            .flat_map(|(name, values)| values.iter().map(move |value| (name, value.clone())))
            .collect();
        query.extend(self.import.clone().map(|import| ("import_id", import)));
        query.extend(self.from.map(|day| ("from", day.to_string())));
        query.extend(self.to.map(|day| ("to", day.to_string())));
        query
    }
}

/// A list of activities.
#[derive(Args, Clone, Debug)]
pub struct ActivitiesArguments {
    #[command(flatten)]
    pub narrowing: Narrowing,
    /// Not more than this many
    #[arg(long, default_value_t = 20)]
    pub limit: usize,
}

/// What to follow.
#[derive(Args, Clone, Debug)]
pub struct TailArguments {
    #[command(flatten)]
    pub narrowing: Narrowing,
    /// A line for each import instead of each activity
    #[arg(long, conflicts_with_all = ["kind", "facility", "entity", "source", "state", "import", "from", "to",
        "after_seq"])]
    pub imports: bool,
    /// Begin after this entry of the log instead of now
    #[arg(long, value_name = "SEQ")]
    pub after_seq: Option<u64>,
    /// End after this many
    #[arg(long)]
    pub limit: Option<u64>,
}

/// Which activity, and what is right.
#[derive(Args, Clone, Debug)]
pub struct SupersedeArguments {
    /// The activity, act_…
    #[arg(long, value_name = "ACTIVITY", conflicts_with_all = ["import", "line"])]
    pub id: Option<String>,
    /// The import that it came with, imp_…, beside --line; with --void alone: all of its rows that still stand; with --restore: all that were voided
    #[arg(long, value_name = "IMPORT")]
    pub import: Option<String>,
    /// Its line in that file, from 1
    #[arg(long, requires = "import")]
    pub line: Option<u64>,
    /// The right quantity
    #[arg(long, allow_hyphen_values = true)]
    pub quantity: Option<String>,
    /// The right unit
    #[arg(long)]
    pub unit: Option<String>,
    /// Another field that is otherwise: --set facility_code=b24
    #[arg(long, value_name = "FIELD=VALUE")]
    pub set: Vec<String>,
    /// It should not be there at all
    #[arg(long, conflicts_with_all = ["quantity", "unit", "set"])]
    pub void: bool,
    /// It was voided and should be there after all; with --import alone: all voided rows of the import
    #[arg(long, conflicts_with = "void")]
    pub restore: bool,
    /// Why, for those who read the log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
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
    /// Write over that file if it is there
    #[arg(long, requires = "fix")]
    pub force: bool,
}

/// What to write, and where.
#[derive(Args, Clone, Debug)]
pub struct ExportArguments {
    #[command(flatten)]
    pub narrowing: Narrowing,
    /// A new file, instead of stdout; CSV where its name ends so, or with --csv
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write over that file if it is there
    #[arg(long, requires = "out")]
    pub force: bool,
}

/// A file to look at.
#[derive(Args, Clone, Debug)]
pub struct PreviewArguments {
    /// The file; .csv, .xlsx, .parquet, .xml, .json or .ndjson
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
    /// Ask no server, also where one is named
    #[arg(long)]
    pub offline: bool,
}

/// Files to send.
#[derive(Args, Clone, Debug)]
pub struct PushArguments {
    /// The files; .csv, .xlsx, .parquet, .xml, .json or .ndjson; `-` is stdin
    #[arg(value_name = "FILE", required_unless_present = "file")]
    pub files: Vec<PathBuf>,
    /// What stdin holds; found by its first bytes when absent
    #[arg(long, value_enum)]
    pub format: Option<InputFormat>,
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
    /// Send in parts, so that an upload that stops goes on there; files above 64 MiB always are
    #[arg(long)]
    pub in_parts: bool,
}

/// What stdin holds.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputFormat {
    /// Comma-separated values, through a mapping or with field names as header
    Csv,
    /// One object with `activities`
    Json,
    /// One activity in each line
    Ndjson,
    /// A workbook, of which a sheet is read like CSV
    Xlsx,
    /// A Parquet file, whose columns are read by name like those of CSV
    Parquet,
    /// Elements: activities, or a Green Button file
    Xml,
}

impl InputFormat {
    /// As the ending of a file's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
            Self::Xml => "xml",
        }
    }
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
    /// The files; .csv, .xlsx, .parquet, .xml, .json or .ndjson; `-` is stdin
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// What stdin holds; found by its first bytes when absent
    #[arg(long, value_enum)]
    pub format: Option<InputFormat>,
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

/// Shown under `envora query --help`.
const QUERY_EXAMPLES: &str = include_str!("queries/examples.txt");

/// A question and what it is about.
#[derive(Args, Clone, Debug)]
pub struct QueryArguments {
    /// The question: SELECT …, EXPLAIN SELECT …, SHOW TABLES, DESCRIBE …; `-` reads it from stdin
    #[arg(value_name = "SQL")]
    pub sql: String,
    /// Files to ask; .csv, .xlsx, .parquet, .xml, .json or .ndjson. Without any, the server is asked
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The mapping: a TOML file, or the name of a saved one
    #[arg(long, short)]
    pub mapping: Option<String>,
    /// A constant of the mapping: --set facility_code=b24
    #[arg(long, value_name = "FIELD=VALUE")]
    pub set: Vec<String>,
    /// Rows of the answer; those after them are left off, which is said [default: 1000; with --out all there are, of a server 10000]
    #[arg(long, value_name = "ROWS")]
    pub limit: Option<u32>,
    /// A new file for the answer, .parquet, .csv or .ndjson, instead of stdout
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write over that file if it is there
    #[arg(long, requires = "out")]
    pub force: bool,
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
    #[arg(long, conflicts_with_all = ["from", "to"], value_parser = year)]
    pub year: Option<i16>,
    /// One scope
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub scope: Option<u8>,
    /// Break down by facility, month, scope, category, source or type
    #[arg(long, value_name = "WORDS")]
    pub group_by: Option<String>,
    /// Global warming potentials: published, ar4, ar5, ar6 …
    #[arg(long, value_name = "SET")]
    pub gwp_set: Option<String>,
    /// The answer as it was known then: an instant such as 2026-03-01T09:00:00Z
    #[arg(long, value_name = "INSTANT")]
    pub as_of: Option<String>,
}

fn day(text: &str) -> Result<Day, String> {
    let day = Day::parse(text).map_err(|error| error.to_string())?;
    if is_of_periods(day) {
        return Ok(day);
    }
    Err(format!("{day} is outside of the years 1900 to 2199"))
}

fn year(text: &str) -> Result<i16, String> {
    let year = text.parse().ok().filter(|year| (1900..=2199).contains(year));
    year.ok_or_else(|| "a year from 1900 to 2199 is due, in four digits, such as 2022".to_owned())
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

/// Facilities, sources, entities or suppliers.
#[derive(Subcommand, Clone, Debug)]
pub enum ListVerb {
    /// All of them
    List {
        /// Not more than this many
        #[arg(long)]
        limit: Option<usize>,
        /// Those in use, those archived, or any
        #[arg(long, default_value = "active", value_parser = ["active", "archived", "any"])]
        state: String,
    },
    /// One of them, every field
    Show {
        /// Its code or id
        code: String,
    },
    /// Add those of a CSV file, and change those that the file says otherwise; blank cells change nothing
    Push {
        /// A CSV file with the API's field names as headers
        file: PathBuf,
    },
    /// Take one out of the lists; rows that name it count as before
    Archive {
        /// Its code or id
        code: String,
        /// Bring it back
        #[arg(long)]
        undo: bool,
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
        /// Of your own packs an earlier edition, by its version
        #[arg(long = "edition", value_name = "VERSION")]
        edition: Option<String>,
        /// Do not wait until the figures are by it
        #[arg(long)]
        no_wait: bool,
    },
    /// Bring in factors of your own: suppliers' figures, residual mixes, factors that no pack has
    Import {
        /// A table with a row for each factor; - is stdin
        file: PathBuf,
        /// The pack's name; by default the file's
        #[arg(long)]
        pack: Option<String>,
        /// Calculate with them at once
        #[arg(long)]
        activate: bool,
        /// Do not wait until the figures are by them
        #[arg(long, requires = "activate")]
        no_wait: bool,
    },
    /// Check a table of factors and say its digest; needs no server
    Build {
        /// A table with a row for each factor; - is stdin
        file: PathBuf,
        /// The pack's name; by default the file's
        #[arg(long)]
        pack: Option<String>,
        /// Write its canonical text here
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// What changes from one table to another; with one name, from a pack's active edition to its newest
    Diff {
        /// The earlier table, or the name of a pack that the server has
        before: PathBuf,
        /// The later table
        after: Option<PathBuf>,
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
