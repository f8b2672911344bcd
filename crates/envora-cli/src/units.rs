//! `envora units`: exact conversion, here, without a server.

use envora_api::factors::Converted;
use envora_domain::activities::validate::unit_of;
use envora_domain::decimal::Decimal;
use envora_domain::units::{Unit, UnitError, UnitPath};

use crate::arguments::UnitsVerb;
use crate::failures::{Exit, Failure};
use crate::session::{Printed, Session};

/// Does what a units verb says.
///
/// # Errors
/// A quantity that is no number, an unknown or ambiguous unit, or two that do not measure the same.
pub fn run(verb: UnitsVerb, session: &mut Session) -> Result<(), Failure> {
    let UnitsVerb::Convert { quantity, from, to } = verb;
    let number = Decimal::parse(&quantity).map_err(|error| {
        let help = "write it like 1500 or 0.25, without exponent or thousands signs";
        Failure::known((Exit::Usage, "not_a_number"), format!("{quantity}: {error}"), help)
    })?;
    let path = UnitPath::between(&unit(&from)?, &unit(&to)?).map_err(|error| refused(&error))?;
    let converted = Converted { quantity: path.convert(number), unit: path.to, path: path.steps };
    if session.print_json(&converted)? == Printed::NotYet {
        session.terminal.data.line(format!("{} {}", converted.quantity, converted.unit));
        for step in &converted.path {
            session.terminal.words.line(format!("  {step}"));
        }
    }
    Ok(())
}

fn unit(text: &str) -> Result<Unit, Failure> {
    unit_of(text).map_err(|error| refused(&error))
}

fn refused(error: &UnitError) -> Failure {
    let code = match error {
        UnitError::Unknown { .. } => "unknown_unit",
        UnitError::Ambiguous { .. } => "unit_ambiguous",
        UnitError::Mismatch { .. } => "unit_mismatch",
    };
    Failure::known((Exit::Error, code), error.to_string(), error.remedy())
}
