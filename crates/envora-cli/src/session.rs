//! What a verb works with: the streams, the server to ask, the form of the answer.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;

use envora_domain::ports::{Disk, Entropy};
use serde::Serialize;

use crate::client::{Client, Target};
use crate::configuration::{Chosen, Whom};
use crate::failures::Failure;
use crate::output::Form;
use crate::terminal::{Audience, Terminal};

/// One run of the command line.
pub struct Session {
    /// stdout and stderr.
    pub terminal: Terminal,
    /// Whom to ask, or why nobody.
    pub whom: Whom,
    /// Randomness, for idempotency keys.
    pub entropy: Arc<dyn Entropy>,
    /// The disk, for what is kept.
    pub disk: Arc<dyn Disk>,
    /// Where sign-ins are kept; nowhere without a home folder.
    pub logins: Option<PathBuf>,
    /// The form of the answer.
    pub form: Form,
    /// What becomes of questions.
    pub questions: Questions,
}

/// What becomes of questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Questions {
    /// They are asked, at a terminal.
    Asked,
    /// `--yes`: each is answered with yes.
    Yes,
    /// `--no-input`: none is asked, and what needs an answer ends.
    Refused,
}

impl Session {
    /// The server to ask, where one is known.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        match &self.whom {
            Whom::Server(target) => Some(target),
            Whom::Nobody(_) => None,
        }
    }

    /// A client of the server to ask. Which one that is, is said where nobody named it.
    ///
    /// # Errors
    /// When there is none, or its address cannot be used.
    pub fn client(&mut self) -> Result<Client, Failure> {
        let target = match &self.whom {
            Whom::Server(target) => target,
            Whom::Nobody(unnamed) => return Err(unnamed.failure()),
        };
        let words = &mut self.terminal.words;
        let client = Client::new(target, Arc::clone(&self.entropy))?;
        for note in &target.notes {
            words.line(words.paint.faint(note));
        }
        let why = match &target.chosen {
            Chosen::Named => return Ok(client),
            Chosen::File(path) => format!("named in {}", path.display()),
            Chosen::SignedIn => "signed in".to_owned(),
            Chosen::OnlyDemo => "the demo".to_owned(),
        };
        words.line(words.paint.faint(&format!("asking {} ({why})", client.server())));
        Ok(client)
    }

    /// The same, to change something there: the demo only when it was named, so that nobody's own
    /// data ends up in it unawares.
    ///
    /// # Errors
    /// As [`Self::client`], and when only the demo is known.
    pub fn client_to_change(&mut self) -> Result<Client, Failure> {
        match self.target() {
            Some(Target { chosen: Chosen::OnlyDemo, server, .. }) => Err(Failure::usage(
                format!("only the demo is known ({server}), and this would change what it holds"),
                "say --server demo if that is meant, or name your own server with --server URL",
            )),
            Some(_) | None => self.client(),
        }
    }

    /// Asks whether to go on.
    ///
    /// # Errors
    /// When the answer is no, or nobody can be asked.
    pub fn confirm(&mut self, question: &str) -> Result<(), Failure> {
        let there = std::io::stdin().is_terminal()
            && self.terminal.words.audience == Audience::People
            && self.questions == Questions::Asked;
        match (self.questions, there) {
            (Questions::Yes, _) => return Ok(()),
            (Questions::Asked, true) => {}
            (Questions::Asked | Questions::Refused, _) => {
                return Err(Failure::usage(
                    format!("{question} Nobody is here to answer"),
                    "say --yes",
                ));
            }
        }
        self.terminal.words.error(format!("{question} [y/N] "));
        let mut answer = String::new();
        drop(std::io::stdin().lock().read_line(&mut answer));
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::usage("nothing was changed", "")),
        }
    }

    /// Prints an answer as JSON if that was asked for, and says whether it was.
    ///
    /// # Errors
    /// When a field was asked for that the answer does not have.
    pub fn print_json<T: Serialize>(&mut self, answer: &T) -> Result<Printed, Failure> {
        self.form.print(answer, &mut self.terminal.data)
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
