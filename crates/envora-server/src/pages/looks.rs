//! Every page and state, laid out from fixtures: they hold together, and they are left in the
//! temporary folder as `envora-pages/*.html` to be looked at (serve that folder, open `/year.html`).

use std::fs;

use askama::Template;
use envora_api::problems::Problem;

use super::{assets, fixtures, footprint, problem, sign_in, trace};

fn year_page() -> String {
    let asked = footprint::Asked { year: 2022, years: vec![2021, 2022, 2023], facility: None };
    let sheet = footprint::Sheet {
        organization: &fixtures::organization(),
        year: &fixtures::year(),
        months: &fixtures::months(),
        facilities: &fixtures::facilities(),
        names: &fixtures::names(),
        asked: &asked,
    };
    footprint::page(sheet).render().expect("a page")
}

fn empty_page() -> String {
    let asked = footprint::Asked { year: 2022, years: vec![2022], facility: None };
    let nothing = fixtures::nothing();
    let sheet = footprint::Sheet {
        organization: &fixtures::organization(),
        year: &nothing,
        months: &nothing,
        facilities: &nothing,
        names: &fixtures::names(),
        asked: &asked,
    };
    footprint::page(sheet).render().expect("a page")
}

fn trace_page(replay: &str) -> String {
    let mut trace = fixtures::trace();
    replay.clone_into(&mut trace.replay);
    let asked = trace::Asked { cursor: None, line: 1 };
    let organization = fixtures::organization();
    let sheet = trace::Sheet { organization: &organization, trace: &trace, asked: &asked };
    trace::page(sheet).render().expect("a page")
}

fn all() -> Vec<(&'static str, String)> {
    let again = Some(sign_in::Again::Token);
    vec![
        ("year", year_page()),
        ("empty", empty_page()),
        ("trace", trace_page("equal")),
        ("differs", trace_page("differs")),
        ("sign-in", sign_in::page("localhost", None).render().expect("a page")),
        ("sign-in-again", sign_in::page("localhost", again).render().expect("a page")),
        (
            "not-found",
            problem::page(&Problem::not_found("No such figure here.")).render().expect("a page"),
        ),
    ]
}

#[test]
fn pages_are_whole_and_style_nothing_inline() {
    for (name, page) in all() {
        assert!(page.trim_end().ends_with("</html>"), "{name}");
        for banned in ["style=", "<script", "onclick", "http://", "https://"] {
            assert!(!page.contains(banned), "{name} has {banned}");
        }
        let mut ids: Vec<&str> =
            page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        ids.sort_unstable();
        let before = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), before, "{name} has an id twice");
    }
}

#[test]
fn pages_can_be_looked_at() {
    let folder = std::env::temp_dir().join("envora-pages");
    fs::create_dir_all(folder.join("static")).expect("a folder");
    for (name, page) in all() {
        fs::write(folder.join(name).with_extension("html"), page).expect("a file");
    }
    let style = assets::style_path();
    let bytes = include_str!("../../static/envora.css");
    fs::write(folder.join(style.trim_start_matches('/')), bytes).expect("a file");
}
