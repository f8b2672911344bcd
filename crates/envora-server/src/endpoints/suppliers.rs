//! `…/suppliers`: who goods and energy are bought from.

use envora_api::suppliers::{NewSupplier, Supplier};
use envora_domain::id::SupplierId;
use envora_store::nouns::Version;
use envora_store::suppliers::SupplierFields;

use super::collection::{self, Listed, Look, Sentences};
use crate::fields::{Fields, Need};
use crate::routes::Route;

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    collection::routes::<SupplierFields>()
}

impl Listed for SupplierFields {
    type Wire = Supplier;
    type New = NewSupplier;
    const ALL: &'static str = "/v2/organizations/{org_id}/suppliers";
    const ONE: &'static str = "/v2/organizations/{org_id}/suppliers/{id}";
    const FIELDS: &'static [&'static str] = NewSupplier::FIELDS;
    const SENTENCES: Sentences = Sentences {
        list: "Lists the suppliers, by code.",
        add: "Adds a supplier. One that is there and says the same is given back with 200.",
        read: "Reads a supplier, by its id or its code.",
        change: "Changes a supplier, by its id or its code.",
        put: "Adds or replaces a supplier under a code: what the body leaves out is no longer said.",
        archive: "Archives a supplier: lists leave it out, and rows that name it mean what they meant.",
    };

    fn blank(id: SupplierId, _: &mut Look<'_>) -> anyhow::Result<Self> {
        Ok(Self {
            id,
            code: String::new(),
            name: String::new(),
            country: String::new(),
            lei: String::new(),
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
        Ok(self)
    }

    fn wire(version: Version<Self>) -> Supplier {
        let some = |text: String| (!text.is_empty()).then_some(text);
        let fields = version.fields;
        Supplier {
            id: fields.id,
            code: fields.code,
            name: fields.name,
            country: some(fields.country),
            lei: some(fields.lei),
            version: version.version,
            archived_at: version.archived,
        }
    }
}
