//! The bench of the product: `cargo xtask bench`, which says how to call it.
//!
//! The server is the product's own program over a folder of its own, on loopback; what is sent is made
//! up here, the same on every machine. Compare within one run only.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

mod estate;
mod exact;
mod formats;
mod http;
mod load;
mod machine;
mod peers;
mod query;
mod report;
mod rows;
mod served;
mod tenants;
mod write;

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};
use envora_domain::hash::Digest;

use crate::report::Report;
use crate::rows::{Purity, Rows};
use crate::served::{Scratch, Served};

/// What is measured.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    /// Write the made-up rows as a file, with the tables of their places and sources
    Gen,
    /// Many rows in bodies of ten thousand, to the footprint that shows all of them
    Load,
    /// Single rows from 64 connections, each durable
    Single,
    /// How long after its acknowledgement a row is in the footprint
    Visible,
    /// Questions over what was loaded
    Query,
    /// Many organizations at once, and one that is noisy
    Tenants,
    /// How fast rows of each format are read and validated
    Formats,
    /// A real estate's year through the command line
    Estate,
    /// All of it
    All,
}

#[derive(Parser, Debug)]
#[command(name = "cargo xtask bench")]
struct Arguments {
    verb: Verb,
    /// How many rows are loaded
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// The seed of the rows
    #[arg(long, default_value_t = rows::SEED)]
    seed: u64,
    /// gen: ndjson, csv, xml or parquet
    #[arg(long, default_value = "ndjson")]
    format: String,
    /// gen: with rows that are refused, stand twice, or have an unknown unit
    #[arg(long)]
    dirty: bool,
    /// gen: the folder to write to
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Other systems on the same rows: duckdb, chdb, polars, datafusion, postgres
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    peers: Vec<String>,
    /// tenants: how many organizations
    #[arg(long, default_value_t = 50)]
    tenants: u32,
    /// Write what was found to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Hold what was found against such a file
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// The archive of the estate's meters
    #[arg(long, value_name = "FILE")]
    estate: Option<PathBuf>,
    /// The Python that has the peers' packages
    #[arg(long, value_name = "FILE", default_value = "python3")]
    python: PathBuf,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// The repository's top folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.verb == Verb::Gen {
        return generate(&arguments);
    }
    let scratch = Scratch::new("about")?;
    let mut report = Report::default();
    let about = machine::about(scratch.path())?;
    println!("{about:#}");
    report.about.insert("machine".to_owned(), about);
    report.about.insert("rows".to_owned(), arguments.rows.into());
    report.about.insert("seed".to_owned(), arguments.seed.into());
    report.about.insert("version".to_owned(), env!("CARGO_PKG_VERSION").into());
    measure(&arguments, &mut report)?;
    println!("\n{}", report.table());
    if let Some(file) = &arguments.json {
        let text = format!("{:#}\n", report.json());
        fs::write(file, text).with_context(|| format!("write {}", file.display()))?;
    }
    if let Some(file) = &arguments.baseline {
        println!("{}", report.against(file)?);
    }
    Ok(())
}

fn measure(arguments: &Arguments, report: &mut Report) -> Result<()> {
    let asked = |verb: Verb| [verb, Verb::All].contains(&arguments.verb);
    let is_served = [Verb::Load, Verb::Single, Verb::Visible, Verb::Query];
    let rows = Rows { count: arguments.rows, seed: arguments.seed, purity: Purity::Clean };
    if is_served.into_iter().any(asked) {
        let factors = exact::factors()?;
        let scratch = Scratch::new("load")?;
        let served = Served::filled(&scratch)?;
        let loaded = load::load(report, &served, (rows, &factors))?;
        if asked(Verb::Query) {
            query::query(report, &served, rows.count)?;
        }
        if asked(Verb::Single) {
            load::singles(report, &served)?;
        }
        if asked(Verb::Visible) {
            load::visible(report, &served)?;
        }
        drop((served, scratch));
        if !arguments.peers.is_empty() {
            let how = (arguments.python.as_path(), arguments.peers.as_slice());
            peers::peers(report, how, (rows, &factors, loaded))?;
        }
    }
    if asked(Verb::Formats) {
        formats::formats(report, arguments.rows)?;
    }
    if asked(Verb::Tenants) {
        tenants::tenants(report, arguments.tenants)?;
    }
    if asked(Verb::Estate) {
        let usual = "../shared/data/real/cambridge-university-estates/estate_2022.tar.xz";
        let archive = arguments.estate.clone().unwrap_or_else(|| root().join(usual));
        estate::estate(report, &root(), &archive)?;
    }
    Ok(())
}

/// Writes the rows, and what they need.
fn generate(arguments: &Arguments) -> Result<()> {
    let folder = arguments.out.as_deref().context("--out DIR is missing")?;
    fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    let purity = if arguments.dirty { Purity::Dirty } else { Purity::Clean };
    let rows = Rows { count: arguments.rows, seed: arguments.seed, purity };
    let path = folder.join(format!("rows.{}", arguments.format));
    let mut file = BufWriter::with_capacity(1 << 20, File::create(&path).context("make a file")?);
    write::write(rows.all(), &arguments.format, &mut file)?;
    file.flush()?;
    fs::write(folder.join("facilities.csv"), rows::facilities())?;
    fs::write(folder.join("sources.csv"), rows::sources())?;
    let bytes = fs::metadata(&path)?.len();
    let digest = if bytes < 1 << 30 { Digest::of(&fs::read(&path)?).hex() } else { String::new() };
    println!("{digest}  {} ({bytes} bytes, {} rows)", path.display(), rows.count);
    Ok(())
}
