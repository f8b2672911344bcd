//! `envora factors`: published emission factors.

use envora_api::factors::{Factor, FactorPack};
use envora_api::listing::Page;

use crate::arguments::FactorsVerb;
use crate::failures::Failure;
use crate::json;
use crate::session::{Printed, Session};
use crate::tables::Table;

/// Does what a factors verb says.
///
/// # Errors
/// The server's problem.
pub async fn run(verb: FactorsVerb, session: &mut Session) -> Result<(), Failure> {
    let client = session.client()?;
    match verb {
        FactorsVerb::List => {
            let packs: Vec<FactorPack> = client.all("/factor-packs", &[]).await?;
            if session.print_json(&packs)? == Printed::NotYet {
                let mut table = Table::new(&["pack", "version", "publisher", ">factors", "active"]);
                for pack in packs {
                    let active = if pack.active { "yes" } else { "no" };
                    let factors = pack.factors.to_string();
                    table.row([pack.id, pack.version, pack.publisher, factors, active.to_owned()]);
                }
                table.print(&mut session.terminal.data);
            }
        }
        FactorsVerb::Search { words } => {
            let words = words.join(" ");
            let page: Page<Factor> = client.get("/factors", &[("q", &words)]).await?;
            if session.print_json(&page)? == Printed::NotYet {
                table(&page.data).print(&mut session.terminal.data);
            }
        }
        FactorsVerb::Show { id } => {
            let factor: Factor = client.get(&format!("/factors/{id}"), &[]).await?;
            if session.print_json(&factor)? == Printed::NotYet {
                let mut fields = Table::new(&["field", "value"]);
                fields.row(["id", &factor.id]);
                fields.row(["pack", &factor.pack]);
                for (name, value) in &factor.record {
                    fields.row([name.clone(), json::cell(Some(value))]);
                }
                fields.print(&mut session.terminal.data);
            }
        }
    }
    Ok(())
}

fn table(factors: &[Factor]) -> Table {
    let mut table = Table::new(&["key", "kg CO2e", "per", "publisher", "edition", "id"]);
    for factor in factors {
        let field = |name: &str| factor.record.get(name);
        let within = |name: &str, part: &str| field(name).and_then(|value| value.get(part));
        table.row([
            json::cell(field("key")),
            json::cell(within("total", "value")),
            json::cell(within("denominator", "as_printed")),
            json::cell(field("publisher")),
            json::cell(field("edition")),
            factor.id.clone(),
        ]);
    }
    table
}
