//! What the pages load besides themselves: one style sheet, one icon and the
//! script of the import pages, built into the binary.
//!
//! The address of each holds a digest of its bytes, so that a browser may keep it for a year and
//! still never shows an old one.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use envora_domain::hash::Digest;

const STYLE: &str = include_str!("../../static/envora.css");
const SCRIPT: &str = include_str!("../../static/envora.js");
const ICON: &str = include_str!("../../static/envora.svg");

/// One file.
struct Asset {
    name: String,
    media_type: &'static str,
    text: &'static str,
}

/// The same for every tenant: constants of the binary, named by their digest.
static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        ("css", "text/css; charset=utf-8", STYLE),
        ("svg", "image/svg+xml", ICON),
        ("js", "text/javascript; charset=utf-8", SCRIPT),
    ]
    .map(|(ending, media_type, text)| {
        let digest = Digest::of(text.as_bytes()).hex();
        let short = digest.get(..16).unwrap_or_default();
        Asset { name: format!("envora-{short}.{ending}"), media_type, text }
    })
});

/// Where the style sheet is.
pub(super) fn style_path() -> String {
    let [style, ..] = &*ASSETS;
    format!("/static/{}", style.name)
}

/// Where the icon is.
pub(super) fn icon_path() -> String {
    let [_, icon, _] = &*ASSETS;
    format!("/static/{}", icon.name)
}

/// Where the script is.
pub(super) fn script_path() -> String {
    let [.., script] = &*ASSETS;
    format!("/static/{}", script.name)
}

/// `GET /static/{name}`.
pub(super) async fn serve(Path(name): Path<String>) -> Response {
    match ASSETS.iter().find(|asset| asset.name == name) {
        Some(asset) => (
            [
                (header::CONTENT_TYPE, asset.media_type),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ],
            asset.text,
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        for text in [STYLE, ICON, SCRIPT] {
            let text = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!text.contains("http") && !text.contains("@import") && !text.contains("url("));
            assert!(!text.contains("innerHTML") && !text.contains("eval("));
        }
    }
}
