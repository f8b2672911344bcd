//! `envora methods`: how figures are calculated.

use envora_api::factors::Method;
use envora_api::spelling::did_you_mean;

use crate::arguments::MethodsVerb;
use crate::failures::{Exit, Failure};
use crate::session::{Printed, Session};
use crate::tables::Table;

/// Does what a methods verb says.
///
/// # Errors
/// The server's problem, or a method that is not there.
pub async fn run(verb: MethodsVerb, session: &mut Session) -> Result<(), Failure> {
    let methods: Vec<Method> = session.client()?.all("/methods", &[]).await?;
    match verb {
        MethodsVerb::List => {
            if session.print_json(&methods)? == Printed::NotYet {
                let mut table = Table::new(&["method", "usable", "formula", "waits for"]);
                for method in &methods {
                    let usable = if method.lacks.is_none() { "yes" } else { "not yet" };
                    let lacks = method.lacks.as_deref().unwrap_or_default();
                    table.row([method.id.as_str(), usable, method.formula.as_str(), lacks]);
                }
                table.print(&mut session.terminal.data);
            }
        }
        MethodsVerb::Show { id } => {
            let Some(method) = methods.iter().find(|method| method.id == id) else {
                return Err(unknown(&id, &methods));
            };
            if session.print_json(method)? == Printed::NotYet {
                let mut table = Table::new(&["field", "value"]);
                table.row(["id", &method.id]);
                table.row(["formula", &method.formula]);
                table.row(["status", &method.status]);
                if let Some(lacks) = &method.lacks {
                    table.row(["lacks", lacks]);
                }
                table.row(["types", &method.types.join(", ")]);
                table.row(["slots", &method.slots.join(", ")]);
                table.print(&mut session.terminal.data);
            }
        }
    }
    Ok(())
}

fn unknown(id: &str, methods: &[Method]) -> Failure {
    let ids: Vec<&str> = methods.iter().map(|method| method.id.as_str()).collect();
    let help = match did_you_mean(id, &ids) {
        Some(near) => format!("did you mean {near}?"),
        None => "`envora methods list` names them all".to_owned(),
    };
    Failure::known((Exit::Error, "not_found"), format!("there is no method {id}"), help)
}
