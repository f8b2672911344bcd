//! `…/facilities`: sites.

use std::collections::HashMap;

use envora_api::facilities::{Facility, NewFacility};
use envora_domain::access::{Grant, actions::ReadFacilities};
use envora_domain::id::FacilityId;
use envora_store::entities::EntityFields;
use envora_store::facilities::{self as store, FacilityFields};
use envora_store::nouns::{Version, nouns_all};
use envora_store::organization::organization_now;
use envora_store::transaction::TenantReader;
use serde_json::Value;

use super::collection::{self, Listed, Look, Sentences};
use crate::fields::{Fields, Need};
use crate::routes::Route;

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    collection::routes::<FacilityFields>()
}

impl Listed for FacilityFields {
    type Wire = Facility;
    type New = NewFacility;
    const ALL: &'static str = "/v2/organizations/{org_id}/facilities";
    const ONE: &'static str = "/v2/organizations/{org_id}/facilities/{id}";
    const FIELDS: &'static [&'static str] = NewFacility::FIELDS;
    const SENTENCES: Sentences = Sentences {
        list: "Lists the facilities, by code.",
        add: "Adds a facility. One that is there and says the same is given back with 200.",
        read: "Reads a facility, by its id or its code.",
        change: "Changes a facility, by its id or its code.",
        put: "Adds or replaces a facility under a code: what the body leaves out is no longer said.",
        archive: "Archives a facility: lists leave it out, and rows that name it mean what they meant.",
    };

    fn blank(id: FacilityId, look: &mut Look<'_>) -> anyhow::Result<Self> {
        let organization = organization_now(look.rd, &look.organization)?;
        Ok(Self {
            id,
            code: String::new(),
            name: String::new(),
            country: String::new(),
            region: String::new(),
            time_zone: organization.map(|now| now.settings.time_zone).unwrap_or_default(),
            grid: String::new(),
            entity: None,
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
        if is_due(sent, "country") {
            self.country = sent.country("country", Need::Required);
        }
        if sent.has("time_zone") && !(is_new && sent.is_null("time_zone")) {
            self.time_zone = sent.zone("time_zone", Need::Required);
        }
        if sent.has("grid") {
            self.grid = sent.grid("grid");
        }
        if sent.has("entity") {
            self.entity = collection::named_in::<EntityFields>(sent, (look.rd, &look.entities))?;
        }
        if sent.has("region") {
            self.region = sent.text("region", Need::Optional);
        }
        if is_due(sent, "country") || sent.has("grid") {
            sent.grid_in("grid", &self.grid, &self.country);
        }
        sent.life(&mut self.opened, &mut self.closed);
        Ok(self)
    }

    fn wire(version: Version<Self>) -> Facility {
        wire(version)
    }
}

/// All facilities as the wire shows them, by the text of their ids.
///
/// # Errors
/// The database's.
pub fn by_id(
    rd: &mut TenantReader,
    grant: &Grant<ReadFacilities>,
) -> anyhow::Result<HashMap<String, Value>> {
    let all = nouns_all::<FacilityFields>(rd, grant)?;
    let value =
        |one: store::Facility| Ok((one.fields.id.to_string(), serde_json::to_value(wire(one))?));
    all.into_iter().map(value).collect()
}

/// Shows the facility that an item names as an object beside its id.
pub fn expand(item: &mut Value, facilities: &HashMap<String, Value>) {
    let named = item.get("facility_id").and_then(Value::as_str);
    let found = named.and_then(|id| facilities.get(id)).cloned();
    if let (Some(object), Some(found)) = (item.as_object_mut(), found) {
        object.insert("facility".to_owned(), found);
    }
}

/// The facility as the wire shows it.
#[must_use]
pub fn wire(facility: store::Facility) -> Facility {
    let some = |text: String| (!text.is_empty()).then_some(text);
    let fields = facility.fields;
    Facility {
        id: fields.id,
        code: fields.code,
        name: fields.name,
        country: fields.country,
        region: some(fields.region),
        time_zone: fields.time_zone,
        grid: some(fields.grid),
        entity_id: fields.entity,
        opened: fields.opened,
        closed: fields.closed,
        version: facility.version,
        archived_at: facility.archived,
    }
}
