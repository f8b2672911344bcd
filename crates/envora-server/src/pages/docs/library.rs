//! The repository's own documents, built into the binary: which there are, and where each is served.

/// A shelf of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shelf {
    /// What a newcomer reads.
    Start,
    /// One task each.
    HowTo,
    /// What is stored, to the byte.
    Formats,
    /// How the program is made.
    Inside,
}

/// A document.
#[derive(Debug)]
pub(super) struct Document {
    /// Its file in the repository, without `.md`.
    pub(super) file: &'static str,
    /// Where it is served, below `/docs/`.
    pub(super) slug: &'static str,
    /// Where it stands.
    pub(super) shelf: Shelf,
    /// Its text, as Markdown.
    pub(super) text: &'static str,
}

macro_rules! documents {
    ($($shelf:ident $file:literal $slug:literal;)*) => {
        &[$(Document {
            file: $file,
            slug: $slug,
            shelf: Shelf::$shelf,
            text: include_str!(concat!("../../../../../", $file, ".md")),
        }),*]
    };
}

/// All documents, in the order of reading.
pub(super) const DOCUMENTS: &[Document] = documents! {
    Start "docs/quickstart" "quickstart";
    Start "docs/data-model" "data-model";
    Start "docs/api-design" "api-design";
    Start "docs/words" "words";
    Start "CHANGELOG" "changelog";
    Start "SECURITY" "security";
    HowTo "docs/how-to/write-a-mapping" "how-to/write-a-mapping";
    HowTo "docs/how-to/bring-your-own-factors" "how-to/bring-your-own-factors";
    HowTo "docs/how-to/ask-with-sql" "how-to/ask-with-sql";
    HowTo "docs/how-to/run-on-postgresql" "how-to/run-on-postgresql";
    HowTo "docs/how-to/back-up-and-restore" "how-to/back-up-and-restore";
    Formats "docs/formats/row" "formats/row";
    Formats "docs/formats/row-id" "formats/row-id";
    Formats "docs/formats/segment" "formats/segment";
    Formats "docs/formats/leaf" "formats/leaf";
    Formats "docs/formats/checkpoint" "formats/checkpoint";
    Formats "docs/formats/envelope" "formats/envelope";
    Formats "docs/formats/calc-block" "formats/calc-block";
    Formats "docs/formats/sheaf" "formats/sheaf";
    Formats "docs/formats/figure-id" "formats/figure-id";
    Formats "docs/formats/factor-pack" "formats/factor-pack";
    Formats "docs/formats/xml" "formats/xml";
    Inside "ARCHITECTURE" "architecture";
    Inside "docs/performance" "performance";
    Inside "docs/how-to/add-an-activity-type" "how-to/add-an-activity-type";
    Inside "docs/how-to/add-a-factor" "how-to/add-a-factor";
    Inside "docs/how-to/add-an-endpoint" "how-to/add-an-endpoint";
};

impl Document {
    /// The document that is served there.
    pub(super) fn at(slug: &str) -> Option<&'static Self> {
        DOCUMENTS.iter().find(|document| document.slug == slug)
    }

    /// Where a link of this document leads on this server: to another document, or to what the
    /// server gives itself; nothing for what is in the repository alone.
    pub(super) fn leads(&self, link: &str) -> Option<String> {
        if link.starts_with('#') || ["https://", "http://"].iter().any(|s| link.starts_with(s)) {
            return Some(link.to_owned());
        }
        let (path, place) = link.split_once('#').map_or((link, None), |(a, b)| (a, Some(b)));
        let mut parts: Vec<&str> = self.file.split('/').collect();
        parts.pop();
        for part in path.split('/') {
            match part {
                "." | "" => {}
                ".." => drop(parts.pop()?),
                other => parts.push(other),
            }
        }
        let whole = parts.join("/");
        match whole.as_str() {
            "docs/api/openapi.json" => return Some("/v2/openapi.json".to_owned()),
            "docs/formats/activity.xsd" => return Some("/v2/schemas/activity.xsd".to_owned()),
            _ => {}
        }
        let file = whole.strip_suffix(".md")?;
        let found = DOCUMENTS.iter().find(|document| document.file == file)?;
        let place = place.map(|place| format!("#{place}")).unwrap_or_default();
        Some(format!("/docs/{}{place}", found.slug))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn every_document_of_the_repository_is_served() {
        let root = PathBuf::from("../..");
        let served: BTreeSet<&str> = DOCUMENTS.iter().map(|document| document.file).collect();
        for folder in ["docs", "docs/how-to", "docs/formats"] {
            for entry in std::fs::read_dir(root.join(folder)).expect("a folder") {
                let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
                let Some(stem) = name.strip_suffix(".md") else { continue };
                let file = format!("{folder}/{stem}");
                assert!(served.contains(file.as_str()), "{file} is in no list of documents");
            }
        }
    }

    #[test]
    fn links_between_documents_are_links_between_pages() {
        let quickstart = Document::at("quickstart").expect("there");
        let mapping = Document::at("how-to/write-a-mapping").expect("there");
        for (from, link, want) in [
            (quickstart, "how-to/write-a-mapping.md", Some("/docs/how-to/write-a-mapping")),
            (mapping, "../data-model.md#ids", Some("/docs/data-model#ids")),
            (mapping, "../api/openapi.json", Some("/v2/openapi.json")),
            (mapping, "#top", Some("#top")),
            (mapping, "https://example.org/", Some("https://example.org/")),
            (mapping, "../../examples/organization-year", None),
            (mapping, "javascript:alert(1)", None),
            (mapping, "../../../../etc/passwd", None),
        ] {
            assert_eq!(from.leads(link).as_deref(), want, "{link}");
        }
    }
}
