//! Automation of the repository, in Rust: `cargo xtask VERB`.
//!
//! Knows the domain crate alone; runs everything else as a process.
#![expect(clippy::print_stdout, reason = "a command-line program speaks to its caller")]
#![expect(clippy::disallowed_methods, reason = "xtask may read the environment and the clock")]

mod bench;
mod ci;
mod dev;
mod gen_factors;
mod gen_verb;
mod reliability;
mod run;
mod schemathesis;
mod tidy;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask ci [FILTER]     every check and test there is; closes with \"N passed, N failed\"
cargo xtask dev             the quick loop: format, tidy, clippy, unit tests
cargo xtask tidy            the house rules a machine can check
cargo xtask fuzz            the API's description held against a real server, by schemathesis
cargo xtask gen [--check]   renew what is generated: starter pack, API description
cargo xtask bench           what the demo's load costs, stage by stage
cargo xtask bench load|single|visible|query|tenants|formats|estate|all [--rows N] [--json FILE]
                  [--baseline FILE] [--peers duckdb,chdb,polars,datafusion,postgres]
                            what the product comes to, through HTTP and beside others: one table
cargo xtask bench gen --out DIR [--rows N] [--seed S] [--format ndjson|csv|xml|parquet] [--dirty]
                            the made-up rows as a file
cargo xtask reliability [--long] [P07]   the promises' suites, with their counts
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["ci", rest @ ..] => ci::ci(rest),
        ["dev"] => dev::dev(),
        ["tidy"] => tidy::tidy(),
        ["bench", rest @ ..] => bench::bench(rest),
        ["reliability", rest @ ..] => reliability::reliability(rest),
        ["fuzz"] => schemathesis::tool().and_then(|tool| schemathesis::ask(&tool)),
        ["gen", rest @ ..] => gen_verb::run(rest),
        _ => {
            print!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
