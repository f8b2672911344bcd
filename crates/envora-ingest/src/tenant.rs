//! What intake, calculation, footprint and trace need of one tenant, and nothing of any other.
//!
//! The server resolves a tenant once and hands these parts down; no part is ever looked up by a
//! tenant's id in here.

use std::sync::Arc;

use anyhow::Context as _;
use envora_api::audit::Checkpoint;
use envora_crypto::tenant::TenantKeys;
use envora_domain::access::{
    Grant,
    actions::{
        Calculate, ReadActivities, ReadAudit, ReadEntities, ReadFacilities, ReadFactors,
        ReadOrganization, ReadResults, ReadSources, ReadSuppliers,
    },
};
use envora_domain::hash::Digest;
use envora_domain::id::{RunId, TenantId};
use envora_domain::ports::{Clock, Entropy, Place};
use envora_lake::fsck::{Fault, Manifest};
use envora_lake::segments::Lake;
use envora_lake::sources::SourceError;
use envora_ledger::checkpoint::Checkpoint as Signed;
use envora_ledger::note::VerifierKey;
use envora_store::database::TenantDb;
use envora_store::mappings::mapping_by_digest;
use envora_store::mentions::Numbers;
use envora_store::readers::ReadError;
use envora_store::segments::{Segment, segment_inline};
use envora_store::transaction::TenantReader;

use crate::clocks::Clocks;
use crate::footprint::KeptGroups;
use crate::fresh::Fresh;
use crate::mapping::Mapping;
use crate::packs::PackShelf;
use crate::process::standing::Standing;
use crate::registry::Kept;
use crate::segments::OpenedSegment;

/// What the engine may do on its own behalf: look words up, read rows back, calculate.
#[derive(Clone, Copy, Debug)]
pub struct OwnGrants {
    /// Write blocks and cells.
    pub calculate: Grant<Calculate>,
    /// Read segments.
    pub read_activities: Grant<ReadActivities>,
    /// Resolve facilities.
    pub read_facilities: Grant<ReadFacilities>,
    /// Resolve sources.
    pub read_sources: Grant<ReadSources>,
    /// Resolve entities.
    pub read_entities: Grant<ReadEntities>,
    /// Resolve suppliers.
    pub read_suppliers: Grant<ReadSuppliers>,
    /// Look up which packs are active.
    pub read_factors: Grant<ReadFactors>,
    /// Read the organization's settings.
    pub read_organization: Grant<ReadOrganization>,
    /// Read runs and cells.
    pub read_results: Grant<ReadResults>,
    /// Prove rows.
    pub read_audit: Grant<ReadAudit>,
}

/// One tenant, open.
pub struct TenantParts {
    /// Which.
    pub id: TenantId,
    /// The origin of its log: `<domain>/<tenant hex>`.
    pub origin: String,
    /// Its database.
    pub db: TenantDb,
    /// Its keys.
    pub keys: Arc<TenantKeys>,
    /// Its segments and source files.
    pub lake: Arc<Lake>,
    /// The factors of all packs at hand; each run chooses from those that were active for it.
    pub shelf: PackShelf,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What it may do on its own behalf.
    pub own: OwnGrants,
    /// Whether its calculation goes on.
    pub calculation: Standing,
    /// Its facilities, sources, entities and suppliers, as they were read last.
    pub registry: Kept,
    /// What the sums of its calculation are read by.
    pub groups: KeptGroups,
    /// The numbers of words that segments name.
    pub numbers: Numbers,
    /// Rows that were just stored, until they are calculated.
    pub fresh: Fresh,
}

/// Stored bytes that are not what was stored. Nothing is answered from them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is not as it was stored: {detail}")]
pub struct Damaged {
    /// Which object.
    pub what: String,
    /// What was found.
    pub detail: String,
}

impl Damaged {
    /// What it is, and what is wrong with it.
    pub fn new(what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { what: what.into(), detail: detail.into() }
    }
}

/// Factors are active that are not at hand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the factors of {pack}, version {version}, are active and not at hand: `envora factors activate {pack}` takes up those that are, and the program that brought them still has them"
)]
pub struct PackMissing {
    /// The pack.
    pub pack: String,
    /// Its version that is active.
    pub version: String,
}

/// A run was made by rules that this program does not have: its rows are not worked out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} was made by other packs, methods or rules than those at hand")]
pub struct OtherRules(pub RunId);

/// The error of a read, as one that explains itself.
pub(crate) fn read_failed(error: ReadError) -> anyhow::Error {
    anyhow::Error::from(error).context("read the tenant's database")
}

impl TenantParts {
    /// Runs a read on the calling thread, which may block.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut TenantReader) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        self.db.read_blocking(read).map_err(read_failed)
    }

    /// Whose the times without an offset are, as the tables have it now. Blocks.
    ///
    /// # Errors
    /// The database's.
    pub fn clocks(&self) -> anyhow::Result<Clocks> {
        Ok(Clocks::Registry(self.registry.now(self)?))
    }

    /// The canonical rows of a segment, opened, whole, and under the root that the manifest names.
    ///
    /// # Errors
    /// [`Damaged`] inside when the bytes are not those that were stored.
    pub fn segment_stream(&self, segment: &Segment) -> anyhow::Result<Vec<u8>> {
        let inline = self.inline(segment)?;
        self.opened_stream(segment, inline)
    }

    /// The same, with the sealed bytes that the database holds of a short segment at hand.
    pub(crate) fn opened_stream(
        &self,
        segment: &Segment,
        inline: Option<Vec<u8>>,
    ) -> anyhow::Result<Vec<u8>> {
        let stream = self.lake.read_segment(&self.keys, &manifest(segment, inline));
        Ok(stream.map_err(|fault| faulty(segment, &fault))?)
    }

    /// A segment of which some rows are wanted.
    ///
    /// # Errors
    /// [`Damaged`] inside when the bytes are not those that were stored.
    pub(crate) fn opened_segment(&self, segment: &Segment) -> anyhow::Result<OpenedSegment> {
        let inline = self.inline(segment)?;
        let runs = self.lake.open_segment(&self.keys, &manifest(segment, inline));
        let runs = runs.map_err(|fault| faulty(segment, &fault))?;
        Ok(OpenedSegment::new(segment.id, segment.rows, runs))
    }

    /// The sealed bytes that the database holds of a short segment.
    fn inline(&self, segment: &Segment) -> anyhow::Result<Option<Vec<u8>>> {
        let (grant, seq) = (self.own.read_activities, segment.seq);
        match segment.place {
            Place::Inline => self.read(move |rd| segment_inline(rd, &grant, seq)),
            Place::File { .. } => Ok(None),
        }
    }

    /// The key that checkpoints of the tenant's log are checked with.
    ///
    /// # Errors
    /// The origin cannot name a signer.
    pub fn verifier_key(&self) -> anyhow::Result<VerifierKey> {
        VerifierKey::new(&self.origin, self.keys.public())
            .context("the log's origin cannot name a signer")
    }

    /// The checkpoint of a head that is durable, signed now: the one place that signs the log.
    ///
    /// # Errors
    /// The origin cannot name a signer.
    pub fn checkpoint(&self, size: u64, root: Digest) -> anyhow::Result<Checkpoint> {
        let key = self.verifier_key()?;
        let head = Signed { origin: self.origin.clone(), size, root };
        let note = head.sign(&key, &|message| self.keys.sign(message));
        Ok(Checkpoint { origin: head.origin, size, root: root.hex(), note, vkey: key.to_string() })
    }

    /// The saved mapping of this version.
    ///
    /// # Errors
    /// The database's; a tree that is no mapping.
    pub fn mapping(&self, version: Digest) -> anyhow::Result<Option<Mapping>> {
        let grant = self.own.read_activities;
        let found = self.read(move |rd| mapping_by_digest(rd, &grant, version))?;
        let Some(found) = found else { return Ok(None) };
        let tree = serde_json::from_str(&found.tree).context("read a mapping's tree")?;
        Ok(Some(Mapping::from_json(&tree).context("read a saved mapping")?))
    }

    /// The bytes of a source file that came whole, as they were received.
    ///
    /// # Errors
    /// [`SourceError`](envora_lake::sources::SourceError).
    pub fn source_file(&self, digest: &Digest) -> Result<Vec<u8>, SourceError> {
        self.lake.read_source(&self.keys, digest)
    }
}

fn manifest(segment: &Segment, inline: Option<Vec<u8>>) -> Manifest {
    Manifest {
        segment: segment.id,
        rows: u64::from(segment.rows),
        root: segment.root,
        place: segment.place.clone(),
        inline,
    }
}

fn faulty(segment: &Segment, fault: &Fault) -> Damaged {
    Damaged::new(segment.id.to_string(), fault.to_string())
}
