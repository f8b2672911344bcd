//! Suppliers: who goods and energy are bought from.

use envora_domain::access::actions::{EditSuppliers, ReadSuppliers};
use envora_domain::id::{self, Id, SupplierId};

use crate::nouns::{Noun, Statements, Version};
use crate::row::Row;
use crate::statement::statements;
use crate::value::Value;

statements! {
    SUPPLIER_HEAD_PUT = "INSERT INTO supplier (supplier_id, code, version) VALUES (?1, ?2, ?3)
        ON CONFLICT (supplier_id) DO UPDATE SET code = excluded.code, version = excluded.version";
    SUPPLIER_VERSION_ADD = "INSERT INTO supplier_version (supplier_id, version, seq, code, name,
            country, lei, at, actor, archived_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    SUPPLIER_BY_ID = "SELECT v.supplier_id, v.code, v.name, v.country, v.lei, v.version, v.seq, v.at,
            v.archived_at
        FROM supplier_version v JOIN supplier f
            ON f.supplier_id = v.supplier_id AND f.version = v.version
        WHERE f.supplier_id = ?1";
    SUPPLIER_BY_CODE = "SELECT v.supplier_id, v.code, v.name, v.country, v.lei, v.version, v.seq, v.at,
            v.archived_at
        FROM supplier_version v JOIN supplier f
            ON f.supplier_id = v.supplier_id AND f.version = v.version
        WHERE f.code = ?1";
    SUPPLIERS = "SELECT v.supplier_id, v.code, v.name, v.country, v.lei, v.version, v.seq, v.at,
            v.archived_at
        FROM supplier_version v JOIN supplier f
            ON f.supplier_id = v.supplier_id AND f.version = v.version
        ORDER BY v.code";
    SUPPLIER_LAST = "SELECT COALESCE(max(seq), -1) FROM supplier_version";
    SUPPLIER_VERSIONS = "SELECT supplier_id, code, name, country, lei, version, seq, at,
            archived_at
        FROM supplier_version WHERE seq <= ?1 ORDER BY seq";
}

/// What is said about a supplier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupplierFields {
    /// Its id.
    pub id: SupplierId,
    /// The customer's own code, unique.
    pub code: String,
    /// Its name, for people.
    pub name: String,
    /// ISO 3166-1 alpha-2, or empty.
    pub country: String,
    /// Its legal entity identifier (ISO 17442), or empty.
    pub lei: String,
}

/// A supplier's version.
pub type Supplier = Version<SupplierFields>;

impl Noun for SupplierFields {
    type Kind = id::Supplier;
    type Read = ReadSuppliers;
    type Edit = EditSuppliers;
    const NAME: &'static str = "supplier";
    const STATEMENTS: Statements = Statements {
        head_put: SUPPLIER_HEAD_PUT,
        version_add: SUPPLIER_VERSION_ADD,
        by_id: SUPPLIER_BY_ID,
        by_code: SUPPLIER_BY_CODE,
        all: SUPPLIERS,
        versions: SUPPLIER_VERSIONS,
        last: SUPPLIER_LAST,
    };

    fn id(&self) -> Id<id::Supplier> {
        self.id
    }

    fn code(&self) -> &str {
        &self.code
    }

    fn values(&self) -> Vec<Value<'_>> {
        vec![(&self.code).into(), (&self.name).into(), (&self.country).into(), (&self.lei).into()]
    }

    fn words(&self) -> Vec<String> {
        vec![self.code.clone(), self.name.clone(), self.country.clone(), self.lei.clone()]
    }

    fn read(row: &mut Row<'_>) -> anyhow::Result<Self> {
        Ok(Self {
            id: row.id()?,
            code: row.text()?,
            name: row.text()?,
            country: row.text()?,
            lei: row.text()?,
        })
    }
}
