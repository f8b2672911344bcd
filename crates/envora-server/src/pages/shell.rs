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
    /// Where the style sheet is.
    pub(super) style: String,
    /// Where the icon is.
    pub(super) icon: String,
    /// The patterns that the page's charts share.
    pub(super) patterns: &'static str,
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
        Self { owner: Some(owner), ..Self::open(title) }
    }
}
