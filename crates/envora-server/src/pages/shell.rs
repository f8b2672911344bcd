//! What every page has around it: head, brand, whose data it is, foot.

use envora_api::organizations::Organization;

use super::{assets, charts};

/// The frame of a page.
#[derive(Clone, Debug)]
pub(super) struct Shell {
    /// The page's own title.
    pub(super) title: String,
    /// Whose data is shown; none before signing in.
    pub(super) owner: Option<Owner>,
    /// The ways to the other pages; none before signing in.
    pub(super) ways: Vec<Way>,
    /// Where the style sheet is.
    pub(super) style: String,
    /// Where the icon is.
    pub(super) icon: String,
    /// The patterns that the page's charts share.
    pub(super) patterns: &'static str,
}

/// The pages that stand in the head of each, in the order of their use.
const WAYS: &[(&str, &str)] = &[
    ("Footprint", "/"),
    ("Quality", "/quality"),
    ("Activities", "/activities"),
    ("Imports", "/imports"),
    ("Facilities", "/facilities"),
    ("Factors", "/factors"),
    ("Audit", "/audit"),
    ("Settings", "/settings"),
];

/// A way to a page.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// What it is called.
    pub(super) label: &'static str,
    /// Where it leads.
    pub(super) href: &'static str,
    /// Whether one is there.
    pub(super) current: bool,
}

/// Whose data is shown.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    /// The organization's name.
    pub(super) name: String,
    /// Its environment, `live` or `test`.
    pub(super) environment: String,
}

impl Shell {
    /// The frame of a page that shows no one's data.
    pub(super) fn open(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            owner: None,
            ways: Vec::new(),
            style: assets::style_path(),
            icon: assets::icon_path(),
            patterns: charts::patterns(),
        }
    }

    /// The frame of a page with this organization's data.
    pub(super) fn of(title: &str, organization: &Organization) -> Self {
        let owner = Owner {
            name: organization.name.clone(),
            environment: organization.environment.clone(),
        };
        let way = |(label, href): &(&'static str, &'static str)| {
            let current = title.split(' ').next() == Some(label);
            Way { label, href, current }
        };
        let ways = WAYS.iter().map(way).collect();
        Self { owner: Some(owner), ways, ..Self::open(title) }
    }
}
