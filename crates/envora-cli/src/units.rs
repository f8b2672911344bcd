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
    let (from, to) = (unit(&from)?, unit(&to)?);
    let path = UnitPath::between(&from, &to).map_err(|_| apart(&from, &to))?;
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

/// Units that are written often, of each sort.
const OFTEN: [&str; 14] = [
    "kW.h", "MW.h", "GJ", "kg", "t", "[lb_av]", "L", "m3", "km", "[mi_i]", "t.km", "m2", "h", "kW",
];

/// Two units that do not measure the same, and what the first can be converted to.
fn apart(from: &Unit, to: &Unit) -> Failure {
    let fits = |code: &&str| {
        let converts = |unit: Unit| UnitPath::between(from, &unit).is_ok();
        *code != from.code() && unit_of(code).is_ok_and(converts)
    };
    let fitting: Vec<&str> = OFTEN.into_iter().filter(fits).collect();
    let help = match fitting.as_slice() {
        [] => format!("name a unit of the same sort as {}", from.code()),
        some => format!("{} can become {}", from.code(), some.join(", ")),
    };
    let what = format!("{} and {} do not measure the same", from.code(), to.code());
    Failure::known((Exit::Error, "unit_mismatch"), what, help)
}

fn refused(error: &UnitError) -> Failure {
    let code = match error {
        UnitError::Unknown { .. } => "unknown_unit",
        UnitError::Ambiguous { .. } => "unit_ambiguous",
        UnitError::Mismatch { .. } => "unit_mismatch",
    };
    Failure::known((Exit::Error, code), error.to_string(), error.remedy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(from: &str, to: &str, help: &str) {
        let [from, to] = [from, to].map(|text| unit_of(text).expect("a unit"));
        let Failure::Known { code, what, help: Some(told), .. } = apart(&from, &to) else {
            panic!("it is known, with a help");
        };
        assert_eq!(code, "unit_mismatch");
        assert_eq!(what, format!("{} and {} do not measure the same", from.code(), to.code()));
        assert_eq!(told, help);
    }

    #[test]
    fn units_of_two_sorts_are_told_with_what_the_first_can_become() {
        check("kWh", "kg", "kW.h can become MW.h, GJ");
        check("km", "kg", "km can become [mi_i]");
        check("m/s", "kg", "name a unit of the same sort as m/s");
    }
}
