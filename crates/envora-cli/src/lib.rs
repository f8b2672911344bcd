//! The command line: verbs, tables, the HTTP client, and checks that need no server.
//!
//! stdout is data, stderr is words. Nothing here reads the environment, the clock or a data folder:
//! `envora` says whom to ask, as whom, and where the words go.

pub mod activities;
pub mod arguments;
pub mod audit;
pub mod auth;
pub mod client;
pub mod collections;
pub mod configuration;
pub mod factors;
pub mod failures;
pub mod folds;
pub mod footprints;
pub mod imports;
pub mod inputs;
pub mod json;
pub mod logins;
pub mod methods;
pub mod oddities;
pub mod output;
mod packs;
pub mod paint;
mod parted;
pub mod progress;
pub mod proofs;
pub mod queries;
pub mod refusals;
pub mod session;
pub mod spreadsheets;
pub mod tables;
pub mod terminal;
pub mod traces;
pub mod units;
mod watching;

use crate::arguments::Verb;
use crate::collections::{ENTITIES, FACILITIES, SOURCES, SUPPLIERS};
use crate::failures::Failure;
use crate::session::Session;

/// Does what a verb says.
///
/// # Errors
/// [`Failure`]: what to print, and the exit code.
pub async fn run(verb: Verb, session: &mut Session) -> Result<(), Failure> {
    match verb {
        Verb::Data(verb) => activities::run(verb, session).await,
        Verb::Footprint(arguments) => footprints::run(&arguments, session).await,
        Verb::Trace(arguments) => traces::run(&arguments, session).await,
        Verb::Facilities(verb) => collections::run(verb, FACILITIES, session).await,
        Verb::Sources(verb) => collections::run(verb, SOURCES, session).await,
        Verb::Entities(verb) => collections::run(verb, ENTITIES, session).await,
        Verb::Suppliers(verb) => collections::run(verb, SUPPLIERS, session).await,
        Verb::Query(arguments) => queries::run(&arguments, session).await,
        Verb::Audit(verb) => audit::run(verb, session).await,
        Verb::Factors(verb) => factors::run(verb, session).await,
        Verb::Methods(verb) => methods::run(verb, session).await,
        Verb::Units(verb) => units::run(verb, session),
        Verb::Auth(verb) => auth::run(verb, session).await,
    }
}
