//! The sign-in page.

use askama::Template;

use super::shell::Shell;

/// The page.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub(super) struct SignInPage {
    shell: Shell,
    host: String,
    alert: Option<&'static str>,
}

/// Why one is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// The token opens nothing here.
    Token,
    /// The code was used before, or its ten minutes are over.
    Code,
}

/// Lays the page out; `host` tells people where they are.
pub(super) fn page(host: &str, again: Option<Again>) -> SignInPage {
    let alert = again.map(|again| match again {
        Again::Token => {
            "This token opens nothing here. Paste it whole, as it was printed, without blanks."
        }
        Again::Code => {
            "This address was used before, or its ten minutes are over. Ask for a new one with “envora demo”, or paste the operator token."
        }
    });
    SignInPage { shell: Shell::open("Sign in"), host: host.to_owned(), alert }
}
