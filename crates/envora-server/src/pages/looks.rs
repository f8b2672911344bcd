//! Every page and state, laid out from fixtures: they hold together, and they are left in the
//! temporary folder as `envora-pages/*.html` to be looked at (serve that folder, open `/year.html`).

use std::fs;

use askama::Template;
use envora_api::footprints::{Footprint, Warning};
use envora_api::problems::Problem;
use envora_ingest::footprint::GroupBy;

use super::checklist::{Standing, checklist};
use super::{assets, fixtures, footprint, problem, quality, sign_in, trace};

fn year_page() -> String {
    ranked_page(None, &fixtures::facilities())
}

/// An organization of which nothing is known but this year.
fn untouched(year: &Footprint) -> Standing<'_> {
    Standing {
        host: "acme.localhost:8080",
        organization: "acme",
        facility: None,
        facilities: 0,
        import: None,
        year,
        has_traced: false,
        has_proven: false,
    }
}

fn ranked_page(by: Option<GroupBy>, groups: &Footprint) -> String {
    page_of(&fixtures::year(), by, groups)
}

fn page_of(year: &Footprint, by: Option<GroupBy>, groups: &Footprint) -> String {
    let years = vec![2021, 2022, 2023];
    let asked = footprint::Asked { year: 2022, years, later: None, facility: None, by };
    let standing = Standing { has_traced: true, ..untouched(year) };
    let sheet = footprint::Sheet {
        organization: &fixtures::organization(),
        year,
        months: &fixtures::months(),
        types: &fixtures::types(),
        categories: &fixtures::categories(),
        groups,
        names: &fixtures::names(),
        asked: &asked,
        standing: &standing,
    };
    footprint::page(sheet).render().expect("a page")
}

fn empty_page() -> String {
    let asked =
        footprint::Asked { year: 2022, years: vec![2022], later: None, facility: None, by: None };
    let nothing = fixtures::nothing();
    let standing = untouched(&nothing);
    let sheet = footprint::Sheet {
        organization: &fixtures::organization(),
        year: &nothing,
        months: &nothing,
        types: &nothing,
        categories: &nothing,
        groups: &nothing,
        names: &fixtures::names(),
        asked: &asked,
        standing: &standing,
    };
    footprint::page(sheet).render().expect("a page")
}

fn quality_page(sources: u32) -> String {
    let years = vec![2021, 2022];
    let asked = footprint::Asked { year: 2022, years, later: None, facility: None, by: None };
    let found = match sources {
        0 => envora_api::quality::DataQuality {
            sources_total: 0,
            next_cursor: None,
            flags: Vec::new(),
            unresolved: Vec::new(),
            primary: Vec::new(),
            data_kinds: Vec::new(),
            tiers: Vec::new(),
            ..fixtures::quality(0)
        },
        some => fixtures::quality(some),
    };
    let sheet = quality::Sheet {
        organization: &fixtures::organization(),
        found: &found,
        names: &fixtures::names(),
        asked: &asked,
        is_first: true,
    };
    quality::page(sheet).render().expect("a page")
}

fn trace_page(replay: &str) -> String {
    let mut trace = fixtures::trace();
    replay.clone_into(&mut trace.replay);
    let asked = trace::Asked { cursor: None, line: 1 };
    let (organization, names) = (fixtures::organization(), fixtures::names());
    let sheet = trace::Sheet {
        organization: &organization,
        host: "acme.localhost:8080",
        trace: &trace,
        names: &names,
        asked: &asked,
    };
    trace::page(sheet).render().expect("a page")
}

fn all() -> Vec<(&'static str, String)> {
    let again = Some(sign_in::Again::Token);
    vec![
        ("year", year_page()),
        ("year-by-source", ranked_page(Some(GroupBy::Source), &fixtures::sources(1000))),
        ("year-by-month", ranked_page(Some(GroupBy::Month), &fixtures::months())),
        ("empty", empty_page()),
        ("quality", quality_page(40)),
        ("quality-empty", quality_page(0)),
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
        for banned in ["style=", "<script", "onclick", "=\"http", "url(http", "https://"] {
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
fn the_year_says_what_a_reader_wants_to_know() {
    let page = year_page().replace('\u{a0}', " ");
    for text in [
        "Most in January (333.4 t), least in June (233.5 t).",
        "</svg>Scope 2 ",
        "/figures/fig_year-l",
        "/?year=2022&#38;facility=fac_1",
        "b44-gas, July 2022",
        "Unknown facility · 2 activities",
        "entry 31 of the log",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let (first, last) = (page.find("Building 2, laboratories"), page.find("Building 44"));
    assert!(first < last, "the largest first");
    assert!(!page.contains("grand total") && !page.contains("Total emissions"));
}

#[test]
fn the_market_based_total_says_what_it_stands_on() {
    let told = |stood_in: u64, market: Option<&str>| {
        let mut year = fixtures::year();
        let detail = "the grid average stands in (s2_mb)".to_owned();
        let code = "no_residual_mix".to_owned();
        year.warnings = vec![Warning { code, detail, activities: stood_in }];
        if let Some(value) = market {
            value.clone_into(&mut year.totals.scope2_market.value);
        }
        page_of(&year, None, &fixtures::facilities()).replace('\u{a0}', " ")
    };
    let grid = told(12, None);
    assert!(grid.contains("so the grid&#39;s average stands in for all electricity"), "{grid}");
    assert!(!grid.contains("as it was bought"), "nothing says how it was bought");
    assert!(grid.contains("The grid average stands in: 2 market."), "slots are told by name");
    let mixed = told(12, Some("1"));
    assert!(mixed.contains("the grid&#39;s average stands in for 12 activities"), "{mixed}");
    let bought = told(0, Some("1"));
    assert!(bought.contains("Electricity as it was bought:"), "{bought}");
    assert!(told(0, None).contains("here the same as location-based"));
}

#[test]
fn the_steps_stand_below_the_totals_once_there_are_some_and_go_when_all_are_done() {
    let page = year_page();
    let (totals, steps) = (page.find("Market-based total"), page.find("First steps: "));
    assert!(totals < steps && steps < page.find("By scope"), "{totals:?} {steps:?}");
    assert!(empty_page().contains("<h2 id=\"first\">"));
    let settled = Footprint { unresolved: Vec::new(), ..fixtures::year() };
    let mut import = fixtures::import();
    import.counts.rejected = 0;
    let done = Standing {
        facilities: 6,
        import: Some(&import),
        has_traced: true,
        has_proven: true,
        ..untouched(&settled)
    };
    let asked =
        footprint::Asked { year: 2022, years: vec![2022], later: None, facility: None, by: None };
    let months = fixtures::months();
    let sheet = footprint::Sheet {
        organization: &fixtures::organization(),
        year: &settled,
        months: &months,
        types: &fixtures::types(),
        categories: &fixtures::categories(),
        groups: &fixtures::facilities(),
        names: &fixtures::names(),
        asked: &asked,
        standing: &done,
    };
    let page = footprint::page(sheet).render().expect("a page");
    assert!(!page.contains("First steps") && !page.contains("steps-list"));
}

#[test]
fn a_year_is_divided_as_asked_and_leads_to_its_rows() {
    let page = year_page().replace('\u{a0}', " ");
    for text in [
        "The largest part: Electricity purchased",
        "3.3 Fuel- and energy-related",
        "/activities?type=fuel.combusted.stationary&#38;from=2022-01-01&#38;to=2023-01-01",
        "/activities?facility_id=fac_1&#38;from=2022-01-01",
        "/?year=2022&#38;by=source#groups",
        "/footprint.csv?year=2022&#38;by=facility",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let many = ranked_page(Some(GroupBy::Source), &fixtures::sources(1000));
    assert!(
        many.contains("and 960 smaller ones") && many.contains("/activities?source_id=src_1000")
    );
    assert!(!many.contains(">meter-960<") && many.contains(">meter-961<"));
    let months = ranked_page(Some(GroupBy::Month), &fixtures::months());
    assert!(months.contains("/activities?from=2022-12-01&#38;to=2023-01-01"));
    let (first, last) = (months.find(">January<"), months.rfind(">December<"));
    assert!(first < last, "months keep their order");
}

#[test]
fn steps_tick_themselves_and_fold_when_all_are_done() {
    let (nothing, year) = (fixtures::nothing(), fixtures::year());
    assert_eq!(checklist(&untouched(&nothing)).done, 0);
    let page = empty_page();
    assert!(page.contains("0 of 6 done") && page.contains("envora facilities push"), "{page}");
    let import = fixtures::import();
    let all = Standing {
        facilities: 6,
        import: Some(&import),
        has_traced: true,
        has_proven: true,
        ..untouched(&year)
    };
    let labels = |standing: &Standing<'_>| -> Vec<&str> {
        let steps = checklist(standing).steps.into_iter().filter(|step| !step.done);
        steps.map(|step| step.label).collect()
    };
    assert_eq!(labels(&all), ["Get every row in", "Leave nothing waiting"]);
    let mut mended = import.clone();
    mended.counts.rejected = 0;
    let settled = Footprint { unresolved: Vec::new(), ..year.clone() };
    let all = Standing { import: Some(&mended), year: &settled, ..all };
    assert_eq!(labels(&all), [""; 0]);
    assert!(checklist(&all).is_done());
    assert_eq!(labels(&Standing { facilities: 0, ..all }), ["Name a facility"]);
    assert_eq!(labels(&Standing { has_proven: false, ..all }), ["Verify the log yourself"]);
}

#[test]
fn a_mark_is_told_in_words_and_leads_to_what_is_to_be_looked_at() {
    let page = quality_page(40).replace('\u{a0}', " ");
    for text in [
        "40 of 1,000 sources, by code.",
        "9 days at nothing of 744 activities",
        "3 of 744 activities estimated",
        "something noticed in 1 of 744 activities",
        ">missing</span>",
        ">not open</span>",
        "&#38;from=2022-02-01&#38;to=2022-03-01",
        "flag=zero_run",
        "/quality.csv?year=2022",
        "cursor=next",
        "<caption>",
        "75.00 %",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(quality_page(0).contains("envora sources push"));
}

#[test]
fn the_trace_leads_from_the_figure_to_bytes_and_proof() {
    let page = trace_page("equal").replace('\u{a0}', " ");
    let steps = [
        "The figure adds up",
        "Its lines",
        "The factor",
        "The method",
        "every digit",
        "The bytes it came from",
        "The segment",
        "The log",
        "Check it yourself",
    ];
    let places: Vec<Option<usize>> = steps.iter().map(|step| page.find(step)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    for text in
        ["2022-01-01 00:00:00,372.4", "31 to 56 (26 bytes)", "tail -c &#43;32 b24", "Replay: equal"]
    {
        assert!(page.contains(text) || page.contains(&text.replace("&#43;", "+")), "{text}");
    }
    assert!(trace_page("differs").contains("Do not use this figure"));
}

#[test]
fn an_empty_year_teaches_and_a_problem_says_what_to_do() {
    assert!(empty_page().contains("envora data push"));
    let page = problem::page(&Problem::unauthenticated("Sign in first.")).render().expect("a page");
    assert!(page.contains("href=\"/sign-in\"") && page.contains("unauthenticated"));
}

#[test]
fn what_people_send_cannot_become_markup() {
    let mut trace = fixtures::trace();
    for line in &mut trace.lines.data {
        line.origin.text = Some("<img src=x onerror=alert(1)>,1".to_owned());
        line.origin.file = "\"><script>.csv".to_owned();
        line.as_sent.source = Some("<b>b24</b>".to_owned());
    }
    let (organization, names) = (fixtures::organization(), fixtures::names());
    let asked = trace::Asked { cursor: Some("\"><script>".to_owned()), line: 2 };
    let sheet = trace::Sheet {
        organization: &organization,
        host: "acme.localhost:8080",
        trace: &trace,
        names: &names,
        asked: &asked,
    };
    let page = trace::page(sheet).render().expect("a page");
    assert!(!page.contains("<img") && !page.contains("<script") && !page.contains("<b>b24"));
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
