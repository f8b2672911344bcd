//! `…/sources`: meters, vehicles, assets.

use envora_api::sources::{NewSource, Source};
use envora_domain::catalogue;
use envora_domain::id::SourceId;
use envora_store::facilities::FacilityFields;
use envora_store::nouns::Version;
use envora_store::sources::SourceFields;

use super::collection::{self, Listed, Look, Sentences};
use crate::fields::{Fields, Need};
use crate::routes::Route;

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    collection::routes::<SourceFields>()
}

impl Listed for SourceFields {
    type Wire = Source;
    type New = NewSource;
    const ALL: &'static str = "/v2/organizations/{org_id}/sources";
    const ONE: &'static str = "/v2/organizations/{org_id}/sources/{id}";
    const FIELDS: &'static [&'static str] = NewSource::FIELDS;
    const SENTENCES: Sentences = Sentences {
        list: "Lists the sources, by code.",
        add: "Adds a source. One that is there and says the same is given back with 200.",
        read: "Reads a source, by its id or its code.",
        change: "Changes a source, by its id or its code.",
        put: "Adds or replaces a source under a code: what the body leaves out is no longer said.",
        archive: "Archives a source: lists leave it out, and rows that name it mean what they meant.",
    };
    const HAS_FACILITY: bool = true;

    fn blank(id: SourceId, _: &mut Look<'_>) -> anyhow::Result<Self> {
        Ok(Self {
            id,
            code: String::new(),
            name: String::new(),
            facility: None,
            kind: String::new(),
            unit: String::new(),
            time_zone: String::new(),
            opened: None,
            closed: None,
        })
    }

    fn merged(mut self, sent: &mut Fields, look: &mut Look<'_>) -> anyhow::Result<Self> {
        let is_new = look.is_new;
        let is_due = |sent: &Fields, name| is_new || sent.has(name);
        if is_due(sent, "code") {
            self.code = sent.code("code", Need::Required);
        }
        if is_due(sent, "name") {
            self.name = sent.text("name", Need::Required);
        }
        if is_due(sent, "type") {
            self.kind = kind(sent);
        }
        if sent.has("facility") {
            self.facility =
                collection::named_in::<FacilityFields>(sent, (look.rd, &look.facilities))?;
        }
        if sent.has("unit") {
            self.unit = sent.text("unit", Need::Optional);
        }
        if sent.has("time_zone") {
            self.time_zone = sent.zone("time_zone", Need::Optional);
        }
        sent.life(&mut self.opened, &mut self.closed);
        Ok(self)
    }

    fn wire(version: Version<Self>) -> Source {
        let some = |text: String| (!text.is_empty()).then_some(text);
        let fields = version.fields;
        Source {
            id: fields.id,
            code: fields.code,
            name: fields.name,
            facility_id: fields.facility,
            kind: fields.kind,
            unit: some(fields.unit),
            time_zone: some(fields.time_zone),
            opened: fields.opened,
            closed: fields.closed,
            version: version.version,
            archived_at: version.archived,
        }
    }
}

/// The activity type that the source measures.
fn kind(sent: &mut Fields) -> String {
    let kind = sent.text("type", Need::Required);
    if !kind.is_empty() && catalogue::find(&kind).is_none() {
        let hint = catalogue::did_you_mean(&kind).map_or_else(
            || "Use a type of the catalogue, such as electricity.purchased.".to_owned(),
            |near| format!("Did you mean {near}?"),
        );
        sent.fault_with(("unknown_type", "type"), "there is no such activity type", &hint);
    }
    kind
}
