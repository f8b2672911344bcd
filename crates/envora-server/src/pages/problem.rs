//! The page of an error: what happened, what to do, what to name when asking for help.

use askama::Template;
use envora_api::problems::Problem;

use super::shell::Shell;

/// A label and where it leads.
struct Link {
    label: &'static str,
    href: &'static str,
}

/// The page.
#[derive(Template)]
#[template(path = "problem.html")]
pub(super) struct ProblemPage {
    shell: Shell,
    status: u16,
    heading: String,
    detail: String,
    code: String,
    request_id: String,
    onward: Link,
}

/// Lays the page out.
pub(super) fn page(problem: &Problem) -> ProblemPage {
    let onward = match problem.status {
        401 => Link { label: "Sign in", href: "/sign-in" },
        _ => Link { label: "To the footprint", href: "/" },
    };
    ProblemPage {
        shell: Shell::open(&problem.title),
        status: problem.status,
        heading: problem.title.clone(),
        detail: problem.detail.clone(),
        code: problem.code.clone(),
        request_id: problem.request_id.clone(),
        onward,
    }
}
