//! `envora units`: exact conversion.

use envora_api::factors::{Conversion, Converted};

use crate::arguments::UnitsVerb;
use crate::failures::Failure;
use crate::session::{Printed, Session};

/// Does what a units verb says.
///
/// # Errors
/// The server's problem: an unknown unit, or two that do not measure the same.
pub async fn run(verb: UnitsVerb, session: &mut Session) -> Result<(), Failure> {
    let UnitsVerb::Convert { quantity, from, to } = verb;
    let client = session.client()?;
    let converted: Converted =
        client.post("/units/convert", &Conversion { quantity, from, to }).await?;
    if session.print_json(&converted)? == Printed::NotYet {
        let data = &mut session.terminal.data;
        data.line(format!("{} {}", converted.quantity, converted.unit));
        for step in &converted.path {
            session.terminal.words.line(format!("  {step}"));
        }
    }
    Ok(())
}
