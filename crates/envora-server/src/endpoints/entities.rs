//! `…/entities`: legal entities, and what of each the organization owns and controls.

use envora_api::entities::{Entity, NewEntity};
use envora_domain::id::EntityId;
use envora_store::entities::EntityFields;
use envora_store::nouns::Version;

use super::collection::{self, Listed, Look, Sentences};
use crate::fields::{Fields, Need};
use crate::routes::Route;

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    collection::routes::<EntityFields>()
}

impl Listed for EntityFields {
    type Wire = Entity;
    type New = NewEntity;
    const ALL: &'static str = "/v2/organizations/{org_id}/entities";
    const ONE: &'static str = "/v2/organizations/{org_id}/entities/{id}";
    const FIELDS: &'static [&'static str] = NewEntity::FIELDS;
    const SENTENCES: Sentences = Sentences {
        list: "Lists the entities, by code.",
        add: "Adds an entity. One that is there and says the same is given back with 200.",
        read: "Reads an entity, by its id or its code.",
        change: "Changes an entity, by its id or its code.",
        put: "Adds or replaces an entity under a code: what the body leaves out is no longer said.",
        archive: "Archives an entity: lists leave it out, and rows that name it mean what they meant.",
    };

    fn blank(id: EntityId, _: &mut Look<'_>) -> anyhow::Result<Self> {
        Ok(Self {
            id,
            code: String::new(),
            name: String::new(),
            country: String::new(),
            lei: String::new(),
            share: "1".to_owned(),
            control: "both".to_owned(),
        })
    }

    fn merged(mut self, sent: &mut Fields, look: &mut Look<'_>) -> anyhow::Result<Self> {
        let is_new = look.is_new;
        if is_new || sent.has("code") {
            self.code = sent.code("code", Need::Required);
        }
        if is_new || sent.has("name") {
            self.name = sent.text("name", Need::Required);
        }
        if sent.has("country") {
            self.country = sent.country("country", Need::Optional);
        }
        if sent.has("lei") {
            self.lei = sent.lei("lei");
        }
        if sent.has("share") && !(is_new && sent.is_null("share")) {
            self.share = sent.share("share");
        }
        if sent.has("control") && !(is_new && sent.is_null("control")) {
            self.control = sent.one_of("control", NewEntity::CONTROLS);
        }
        Ok(self)
    }

    fn wire(version: Version<Self>) -> Entity {
        let some = |text: String| (!text.is_empty()).then_some(text);
        let fields = version.fields;
        Entity {
            id: fields.id,
            code: fields.code,
            name: fields.name,
            country: some(fields.country),
            lei: some(fields.lei),
            share: fields.share,
            control: fields.control,
            version: version.version,
            archived_at: version.archived,
        }
    }
}
