//! What a verb works with: the streams, the server to ask, the form of the answer.

use std::sync::Arc;

use envora_domain::ports::Entropy;
use serde::Serialize;

use crate::client::{Client, Target};
use crate::failures::Failure;
use crate::json;
use crate::terminal::Terminal;

/// One run of the command line.
pub struct Session {
    /// stdout and stderr.
    pub terminal: Terminal,
    /// Whom to ask, when it is known.
    pub target: Option<Target>,
    /// Randomness, for idempotency keys.
    pub entropy: Arc<dyn Entropy>,
    /// `--json`: the fields asked for, none of them for all.
    pub json: Option<Vec<String>>,
}

impl Session {
    /// A client of the server that was named.
    ///
    /// # Errors
    /// When none was named, or its address cannot be used.
    pub fn client(&self) -> Result<Client, Failure> {
        let target = self.target.as_ref().ok_or_else(|| {
            Failure::usage(
                "no server is named",
                "say --server http://acme.localhost:7780, set ENVORA_SERVER, or start `envora demo`",
            )
        })?;
        Client::new(target, Arc::clone(&self.entropy))
    }

    /// Prints an answer as JSON if that was asked for, and says whether it was.
    ///
    /// # Errors
    /// When a field was asked for that the answer does not have.
    pub fn print_json<T: Serialize>(&mut self, answer: &T) -> Result<Printed, Failure> {
        let Some(fields) = &self.json else { return Ok(Printed::NotYet) };
        let text = json::render(answer, fields)?;
        self.terminal.data.line(text);
        Ok(Printed::AsJson)
    }
}

/// Whether an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Printed {
    /// As JSON.
    AsJson,
    /// Not yet: a table is wanted.
    NotYet,
}
