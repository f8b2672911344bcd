//! A tenant in a folder of its own, as the server would open it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use envora_crypto::keyring::LocalKeyring;
use envora_crypto::seal::{Method, Seal};
use envora_crypto::tenant::{KeyStore, TenantKeys};
use envora_domain::access::{Action, Grant};
use envora_domain::activities::{Activity, Input, Origin, Period, Ref};
use envora_domain::decimal::Decimal;
use envora_domain::factors::Library;
use envora_domain::hash::Digest;
use envora_domain::id::{
    EntityId, FacilityId, ImportId, OrganizationId, SourceId, SupplierId, TenantId,
};
use envora_domain::ports::{Clock, Disk, Entropy, Frame};
use envora_domain::time::{Span, Timestamp};
use envora_ingest::commit::intake::Intake;
use envora_ingest::commit::{Accepted, Batch, ImportDraft, SubmitError, Submitted};
use envora_ingest::footprint::KeptGroups;
use envora_ingest::formats::{Format, Opening, OriginHead, open};
use envora_ingest::fresh::Fresh;
use envora_ingest::mapping::Mapping;
use envora_ingest::process::recount::{Recount, recount};
use envora_ingest::process::standing::Standing;
use envora_ingest::process::{Processor, Progress};
use envora_ingest::registry::Kept;
use envora_ingest::rows::ParsedRow;
use envora_ingest::tenant::{OwnGrants, TenantParts};
use envora_lake::os_disk::OsDisk;
use envora_lake::segments::Lake;
use envora_lake::sources::PackedSource;
use envora_store::database::{Options, TenantDb};
use envora_store::engine::{DbKey, Engine};
use envora_store::entities::EntityFields;
use envora_store::facilities::FacilityFields;
use envora_store::imports::Mode;
use envora_store::mentions::Numbers;
use envora_store::nouns::noun_put;
use envora_store::organization::{OrganizationSettings, organization_put};
use envora_store::packs::{NewPack, pack_activate};
use envora_store::sources::SourceFields;
use envora_store::suppliers::SupplierFields;
use envora_testkit::clock::FixedClock;
use envora_testkit::entropy::SeededEntropy;

pub(crate) const TENANT: TenantId = TenantId::from_bytes(*b"tenant-of-tests!");
pub(crate) const REGION: &str = "onprem:local";

pub(crate) fn grant<A: Action>() -> Grant<A> {
    Grant::mint(TENANT, *b"actor-of-a-test!")
}

/// A tenant, open.
pub(crate) struct House {
    pub(crate) folder: PathBuf,
    /// The folder goes with it.
    kept: Option<tempfile::TempDir>,
    pub(crate) clock: Arc<FixedClock>,
    entropy: Arc<SeededEntropy>,
    engine: Option<Engine>,
    /// The packs at hand.
    shelf: Arc<Library>,
    /// While it is true, the disk is full.
    pub(crate) full: Arc<AtomicBool>,
    pub(crate) parts: Arc<TenantParts>,
    pub(crate) intake: Arc<Intake>,
    pub(crate) processor: Processor,
}

fn key_store(folder: &Path, entropy: &Arc<SeededEntropy>) -> KeyStore {
    let (disk, keys): (Arc<dyn Disk>, _) = (Arc::new(OsDisk), folder.join("keys"));
    let entropy: Arc<dyn Entropy> = Arc::clone(entropy) as _;
    let seal = Seal::open(&*disk, &keys.join("seal"), None)
        .or_else(|_| Seal::create(&*disk, &keys.join("seal"), &Method::File, &*entropy))
        .unwrap();
    let provider = LocalKeyring::new(keys.clone(), Arc::clone(&disk), Arc::clone(&entropy), seal);
    KeyStore { keys, disk, provider: Arc::new(provider), entropy }
}

impl House {
    /// A new tenant on `SQLite`.
    pub(crate) fn new() -> Self {
        Self::on(None)
    }

    /// A new tenant; its database on this engine.
    pub(crate) fn on(engine: Option<Engine>) -> Self {
        Self::with(engine, Library::starter().unwrap())
    }

    /// A new tenant with these packs at hand, of which the first of each id is active.
    pub(crate) fn with(engine: Option<Engine>, shelf: Arc<Library>) -> Self {
        let kept = tempfile::tempdir().unwrap();
        let folder = kept.path().to_owned();
        std::fs::create_dir_all(folder.join("keys").join(TENANT.hex())).unwrap();
        std::fs::create_dir_all(folder.join("tenant")).unwrap();
        let clock = Arc::new(FixedClock::parse("2023-02-01T09:00:00Z"));
        let entropy = Arc::new(SeededEntropy::new(7));
        let store = key_store(&folder, &entropy);
        let keys = TenantKeys::create(store, TENANT, REGION, clock.now()).unwrap();
        let full = Arc::new(AtomicBool::new(false));
        let world = World { clock: &clock, entropy: &entropy, full: &full, shelf: &shelf };
        let parts = parts(&folder, keys, world, (engine.clone(), true));
        let settings = OrganizationSettings {
            id: OrganizationId::from_bytes([1; 16]),
            slug: "acme".to_owned(),
            environment: "live".to_owned(),
            name: "Acme".to_owned(),
            time_zone: "Europe/London".to_owned(),
            domain: "envora.localhost".to_owned(),
            default_gwp_set: "published".to_owned(),
            source_retention_days: 2_555,
        };
        let now = clock.now();
        parts.db.write_blocking(move |tx| organization_put(tx, &grant(), &settings, now)).unwrap();
        let intake = Intake::new(Arc::clone(&parts)).unwrap();
        let processor = Processor::new(Arc::clone(&parts));
        let kept = Some(kept);
        let house =
            Self { folder, kept, clock, entropy, engine, shelf, full, parts, intake, processor };
        let packs = house.shelf.packs();
        for (place, pack) in packs.iter().enumerate() {
            if packs[..place].iter().all(|before| before.recipe.id != pack.recipe.id) {
                house.activate(place);
            }
        }
        house
    }

    /// A tenant that is there already, on `SQLite`. Each process that opens it has a seed of its own,
    /// or it would make the ids of another again.
    pub(crate) fn at(folder: &Path, seed: u64) -> Self {
        Self::at_on(None, folder, seed)
    }

    /// The same, its database on this engine.
    pub(crate) fn at_on(engine: Option<Engine>, folder: &Path, seed: u64) -> Self {
        let clock = Arc::new(FixedClock::parse("2023-02-01T09:00:00Z"));
        let entropy = Arc::new(SeededEntropy::new(seed));
        Self::opened(
            (folder.to_owned(), None),
            (clock, entropy),
            (engine, Library::starter().unwrap()),
        )
    }

    fn opened(
        (folder, kept): (PathBuf, Option<tempfile::TempDir>),
        (clock, entropy): (Arc<FixedClock>, Arc<SeededEntropy>),
        (engine, shelf): (Option<Engine>, Arc<Library>),
    ) -> Self {
        let full = Arc::new(AtomicBool::new(false));
        let keys = TenantKeys::open(key_store(&folder, &entropy), TENANT).unwrap();
        let world = World { clock: &clock, entropy: &entropy, full: &full, shelf: &shelf };
        let parts = parts(&folder, keys, world, (engine.clone(), false));
        let intake = Intake::new(Arc::clone(&parts)).unwrap();
        let processor = Processor::new(Arc::clone(&parts));
        Self { folder, kept, clock, entropy, engine, shelf, full, parts, intake, processor }
    }

    /// Activates a pack of the shelf.
    pub(crate) fn activate(&self, place: usize) {
        let pack = &self.shelf.packs()[place];
        let new = NewPack {
            pack: pack.recipe.id.clone(),
            version: pack.recipe.version.clone(),
            digest: pack.digest,
        };
        let now = self.clock.now();
        self.parts.db.write_blocking(move |tx| pack_activate(tx, &grant(), &new, now)).unwrap();
    }

    /// Ends the process, so to speak, and starts it again on the same folder.
    pub(crate) fn reopen(self) -> Self {
        let (clock, entropy) = (Arc::clone(&self.clock), Arc::clone(&self.entropy));
        let (folder, engine) = (self.folder.clone(), self.engine.clone());
        let shelf = Arc::clone(&self.shelf);
        let kept = self.close();
        Self::opened((folder, kept), (clock, entropy), (engine, shelf))
    }

    /// Ends the process, so to speak; the folder stays as long as what is returned.
    pub(crate) fn close(self) -> Option<tempfile::TempDir> {
        let Self { kept, parts, intake, processor, .. } = self;
        drop((intake, processor));
        parts.db.close();
        kept
    }

    /// Adds a facility in Great Britain, or a version of it.
    pub(crate) fn facility(&self, code: &str, change: impl FnOnce(&mut FacilityFields)) {
        let mut fields = FacilityFields {
            id: FacilityId::from_bytes(id_of(code)),
            code: code.to_owned(),
            name: code.to_owned(),
            country: "GB".to_owned(),
            region: String::new(),
            time_zone: "Europe/London".to_owned(),
            grid: String::new(),
            entity: None,
            opened: None,
            closed: None,
        };
        change(&mut fields);
        let now = self.clock.now();
        let saved = self.parts.db.write_blocking(move |tx| noun_put(tx, &grant(), &fields, now));
        saved.unwrap();
    }

    /// Adds a source at a facility, or a version of it.
    pub(crate) fn source(&self, code: &str, facility: Option<&str>) {
        self.source_for(code, facility, "");
    }

    /// [`House::source`], declared for an activity type.
    pub(crate) fn source_for(&self, code: &str, facility: Option<&str>, kind: &str) {
        let fields = SourceFields {
            id: SourceId::from_bytes(id_of(code)),
            code: code.to_owned(),
            name: code.to_owned(),
            facility: facility.map(|code| FacilityId::from_bytes(id_of(code))),
            kind: kind.to_owned(),
            unit: String::new(),
            time_zone: String::new(),
            opened: None,
            closed: None,
        };
        let now = self.clock.now();
        self.parts.db.write_blocking(move |tx| noun_put(tx, &grant(), &fields, now)).unwrap();
    }

    /// Adds an entity and a supplier of this code.
    pub(crate) fn parties(&self, code: &str) {
        let entity = EntityFields {
            id: EntityId::from_bytes(id_of(code)),
            code: code.to_owned(),
            name: code.to_owned(),
            country: String::new(),
            lei: String::new(),
            share: "1".to_owned(),
            control: "both".to_owned(),
        };
        let supplier = SupplierFields {
            id: SupplierId::from_bytes(id_of(code)),
            code: code.to_owned(),
            name: code.to_owned(),
            country: String::new(),
            lei: String::new(),
        };
        let now = self.clock.now();
        let put = self.parts.db.write_blocking(move |tx| {
            noun_put(tx, &grant(), &entity, now)?;
            noun_put(tx, &grant(), &supplier, now).map(drop)
        });
        put.unwrap();
    }

    pub(crate) fn try_submit(&self, batch: Batch) -> Result<Submitted, SubmitError> {
        self.clock.advance(Span::from_secs(1));
        self.intake.submit_blocking(&grant(), batch)
    }

    /// Stores rows, each for itself.
    pub(crate) fn submit(&self, rows: Vec<Activity>) -> Accepted {
        self.submit_batch(Batch::new(parsed(rows), Mode::Partial))
    }

    pub(crate) fn submit_batch(&self, batch: Batch) -> Accepted {
        match self.try_submit(batch).unwrap() {
            Submitted::Stored(accepted, _) => *accepted,
            Submitted::Replayed(_) => panic!("a new batch was taken for a retry"),
        }
    }

    /// Takes a CSV file in, through a mapping.
    pub(crate) fn import(&self, file_name: &str, bytes: &[u8], mapping: &str) -> Accepted {
        let mapping = Arc::new(Mapping::from_toml(mapping).unwrap());
        let id = ImportId::new(self.clock.now(), &*self.entropy);
        let sha256 = Digest::of(bytes);
        let opening = Opening {
            head: OriginHead::File { import: id, file: sha256 },
            mapping: Some(Arc::clone(&mapping)),
            set: BTreeMap::new(),
            local_times: Default::default(),
            clocks: Default::default(),
        };
        let source = PackedSource::of(bytes).unwrap();
        let reader = open(Format::Csv, Box::new(source.reader().unwrap()), &opening).unwrap();
        let mut batch = Batch::new(Vec::new(), Mode::Partial);
        batch.rows = reader.into();
        batch.import = Some(ImportDraft {
            id,
            source: source.into(),
            file_name: file_name.to_owned(),
            media_type: "text/csv".to_owned(),
            mapping: "estate".to_owned(),
            mapping_digest: None,
            source_until: self.clock.now() + Span::from_secs(86_400),
        });
        self.submit_batch(batch)
    }

    /// Changes the stored bytes behind the store's back; on `SQLite` alone.
    pub(crate) fn by_hand(&self, sql: &str) {
        assert!(self.behind().execute(sql, []).unwrap() > 0, "nothing was changed by {sql}");
    }

    /// The number that a question about the file, asked behind the store's back, comes to.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        self.behind().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn behind(&self) -> rusqlite::Connection {
        #[expect(clippy::disallowed_methods, reason = "the test looks behind the store")]
        let file = rusqlite::Connection::open(self.folder.join("tenant").join("tenant.db"));
        let file = file.unwrap();
        let key = self.parts.keys.db_key_hex();
        file.execute_batch(&format!("PRAGMA key = \"x'{}'\"", key.as_str())).unwrap();
        file
    }

    pub(crate) fn catch_up(&self) -> Progress {
        self.clock.advance(Span::from_secs(1));
        self.processor.catch_up().unwrap()
    }

    /// Counts again, after everything was calculated.
    pub(crate) fn recount(&self) -> Recount {
        self.catch_up();
        recount(&self.parts).unwrap()
    }
}

struct World<'a> {
    clock: &'a Arc<FixedClock>,
    entropy: &'a Arc<SeededEntropy>,
    full: &'a Arc<AtomicBool>,
    shelf: &'a Arc<Library>,
}

/// An id that a code gives, so that tests need not remember it.
pub(crate) fn id_of(code: &str) -> [u8; 16] {
    let hash = Digest::of(code.as_bytes());
    *hash.0.first_chunk().unwrap()
}

fn parts(
    folder: &Path,
    keys: TenantKeys,
    World { clock, entropy, full, shelf }: World<'_>,
    (engine, create): (Option<Engine>, bool),
) -> Arc<TenantParts> {
    let lake = Arc::new(Lake::open(folder.join("tenant"), Arc::new(OsDisk)).unwrap());
    let engine = engine.unwrap_or_else(|| Engine::Sqlite {
        path: folder.join("tenant").join("tenant.db"),
        key: DbKey::from_hex(&keys.db_key_hex()).unwrap(),
    });
    let (writes, full) = (Arc::clone(&lake), Arc::clone(full));
    let sync = Box::new(move |frames: &[Frame]| {
        if full.load(Ordering::SeqCst) {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        writes.append_and_sync(frames)
    });
    let options = Options::new(TENANT, engine, sync);
    let db = if create { TenantDb::create(options) } else { TenantDb::open(options) };
    Arc::new(TenantParts {
        id: TENANT,
        origin: format!("envora.localhost/{}", TENANT.hex()),
        db: db.unwrap(),
        keys: Arc::new(keys),
        lake,
        shelf: envora_ingest::packs::PackShelf::of(Arc::clone(shelf)),
        clock: Arc::clone(clock) as _,
        entropy: Arc::clone(entropy) as _,
        own: OwnGrants {
            calculate: grant(),
            read_activities: grant(),
            read_facilities: grant(),
            read_sources: grant(),
            read_entities: grant(),
            read_suppliers: grant(),
            read_factors: grant(),
            read_organization: grant(),
            read_results: grant(),
            read_audit: grant(),
        },
        calculation: Standing::default(),
        registry: Kept::default(),
        groups: KeptGroups::default(),
        numbers: Numbers::default(),
        fresh: Fresh::default(),
    })
}

/// Rows as a reader of a request would give them.
pub(crate) fn parsed(rows: Vec<Activity>) -> Vec<ParsedRow> {
    let row = |(number, mut activity): (usize, Activity)| {
        let number = number as u64 + 1;
        if let Origin::Request { row, .. } = &mut activity.origin {
            *row = number;
        }
        ParsedRow {
            activity: Ok(activity),
            quarantine: Vec::new(),
            unclear: None,
            ours: None,
            external_id: None,
            columns: None,
            row: number,
            line: number,
            offset: 0,
            length: 0,
        }
    };
    rows.into_iter().enumerate().map(row).collect()
}

pub(crate) fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Electricity of one hour at facility `b24`.
pub(crate) fn electricity(id: &str, kwh: &str, start: &str) -> Activity {
    let start = instant(start);
    let origin = Origin::Request {
        request_id: "request-of-a-test".into(),
        body: [9; 32],
        row: 1,
        offset: 0,
        length: 0,
        parser: "json/1".into(),
    };
    let amount = Input { quantity: Decimal::parse(kwh).unwrap(), unit: "kW.h".to_owned() };
    let period = Period::Between(start, start + Span::from_secs(3_600));
    let mut activity = Activity::new("electricity.purchased", amount, period, origin);
    activity.external_id = Some(id.to_owned());
    activity.facility = Some(Ref::Code("b24".to_owned()));
    activity
}
