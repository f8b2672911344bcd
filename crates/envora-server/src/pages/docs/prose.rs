//! Markdown as a page: headings with places, tables and code that scroll by themselves, links that lead
//! somewhere on this server. Raw HTML comes out as the text it is.

#![expect(clippy::wildcard_enum_match_arm, reason = "of many kinds of event a few are changed")]

use pulldown_cmark::{Alignment, CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// A document laid out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Prose {
    /// The first heading.
    pub(super) title: String,
    /// The rest, as HTML of ours.
    pub(super) html: String,
    /// The headings of the second level: their places and words.
    pub(super) parts: Vec<(String, String)>,
}

/// Lays a text out; `leads` says where a link goes, if anywhere.
pub(super) fn prose(text: &str, leads: impl Fn(&str) -> Option<String>) -> Prose {
    let mut laid = Laying { prose: Prose::default(), under: String::new(), open: Vec::new() };
    let events: Vec<Event<'_>> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
    let mut out: Vec<Event<'_>> = Vec::with_capacity(events.len());
    let mut is_title = false;
    for (place, event) in events.iter().enumerate() {
        match event {
            Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
                let words = words_until_end(events.get(place..).unwrap_or_default());
                if laid.prose.title.is_empty() {
                    laid.prose.title = words;
                    is_title = true;
                    continue;
                }
                let id = laid.heading(&words, *level as usize);
                let id = Some(CowStr::from(id));
                let (classes, attrs) = (classes.clone(), attrs.clone());
                out.push(Event::Start(Tag::Heading { level: *level, id, classes, attrs }));
            }
            Event::End(TagEnd::Heading(_)) if is_title => is_title = false,
            _ if is_title => {}
            other => laid.one(other, &leads, &mut out),
        }
    }
    html::push_html(&mut laid.prose.html, out.into_iter());
    laid.prose
}

/// The state of laying out.
struct Laying {
    prose: Prose,
    /// The heading under which one is: tables and code are called by it.
    under: String,
    /// Whether each open link leads anywhere.
    open: Vec<bool>,
}

impl Laying {
    fn heading(&mut self, words: &str, level: usize) -> String {
        words.clone_into(&mut self.under);
        let slug: String = words
            .to_lowercase()
            .chars()
            .filter_map(|letter| match letter {
                ' ' | '-' => Some('-'),
                letter if letter.is_alphanumeric() => Some(letter),
                _ => None,
            })
            .collect();
        let taken = self.prose.parts.iter().filter(|(id, _)| *id == slug).count();
        let id = if taken == 0 { slug } else { format!("{slug}-{taken}") };
        if level == 2 {
            self.prose.parts.push((id.clone(), words.to_owned()));
        }
        id
    }

    fn region(&self, what: &str) -> String {
        let about = if self.under.is_empty() { &self.prose.title } else { &self.under };
        let label = escaped(&format!("{what}: {about}"));
        format!("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\">")
    }

    fn one<'a>(
        &mut self,
        event: &Event<'a>,
        leads: &impl Fn(&str) -> Option<String>,
        out: &mut Vec<Event<'a>>,
    ) {
        let raw = |html: String| Event::Html(CowStr::from(html));
        match event {
            Event::Html(text) | Event::InlineHtml(text) => out.push(Event::Text(text.clone())),
            Event::Start(Tag::HtmlBlock) => out.push(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => out.push(Event::End(TagEnd::Paragraph)),
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => {}
            Event::Start(Tag::Table(columns)) => {
                out.push(raw(self.region("Table")));
                // An alignment would be an inline style, which the content policy forbids.
                out.push(Event::Start(Tag::Table(vec![Alignment::None; columns.len()])));
            }
            Event::End(TagEnd::Table) => {
                out.push(event.clone());
                out.push(raw("</div>\n".to_owned()));
            }
            Event::Start(Tag::CodeBlock(_)) => {
                out.push(raw(self.region("Code")));
                out.push(Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)));
            }
            Event::End(TagEnd::CodeBlock) => {
                out.push(event.clone());
                out.push(raw("</div>\n".to_owned()));
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let to = leads(dest_url);
                self.open.push(to.is_some());
                if let Some(to) = to {
                    out.push(Event::Start(Tag::Link {
                        link_type: *link_type,
                        dest_url: CowStr::from(to),
                        title: title.clone(),
                        id: id.clone(),
                    }));
                }
            }
            Event::End(TagEnd::Link) => {
                if self.open.pop().unwrap_or(false) {
                    out.push(event.clone());
                }
            }
            other => out.push(other.clone()),
        }
    }
}

/// The words of a heading.
fn words_until_end(events: &[Event<'_>]) -> String {
    let until = events.iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
    until
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
            Event::SoftBreak => Some(" "),
            _ => None,
        })
        .collect()
}

/// A text as it may stand in an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::prose;

    #[test]
    fn a_text_cannot_bring_markup_or_styles() {
        let text = "# T<i>\n\na <script>x</script> [l](javascript:x) ![i](//e/x.png)\n\n<div onclick=x>\n\n|a|b|\n|--|-:|\n|1|2|\n\n```sh\n<b>\n```\n";
        let laid = prose(text, |_| None);
        for banned in ["<script", "<div onclick", "javascript:", "<img", "style=", "<b>"] {
            assert!(!laid.html.contains(banned), "{banned} in {}", laid.html);
        }
        assert!(laid.html.contains("role=\"region\"") && laid.html.contains("&lt;b&gt;"));
    }

    #[test]
    fn headings_have_places_and_links_lead_where_they_are_told() {
        let laid = prose("# Title\n\n## One *two*\n\n[x](y.md)\n\n## One two\n", |link| {
            Some(format!("/docs/{link}"))
        });
        assert_eq!(laid.title, "Title");
        let places: Vec<&str> = laid.parts.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(places, ["one-two", "one-two-1"]);
        assert!(laid.html.contains("<h2 id=\"one-two\">") && !laid.html.contains("<h1"));
        assert!(laid.html.contains("<a href=\"/docs/y.md\">x</a>"));
    }
}
