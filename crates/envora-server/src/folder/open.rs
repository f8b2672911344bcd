//! `open`: the one process takes the folder, checks what it finds, and has its tenants.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use envora_crypto::keyring::LocalKeyring;
use envora_crypto::provider::KeyError;
use envora_crypto::seal::{Passphrase, Seal};
use envora_crypto::tenant::{KeyStore, TenantKeys};
use envora_domain::access::actions::ReadActivities;
use envora_domain::factors::Library;
use envora_domain::id::{SegmentId, TenantId};
use envora_domain::ports::replace_durably;
use envora_identity::policy::own_work;
use envora_ingest::footprint::KeptGroups;
use envora_ingest::fresh::Fresh;
use envora_ingest::packs::PackShelf;
use envora_ingest::process::standing::Standing;
use envora_ingest::process::{gather_sums, split_blocks};
use envora_ingest::registry::Kept;
use envora_ingest::tenant::{OwnGrants, TenantParts};
use envora_lake::segments::{Known, Lake, Orphans};
use envora_ledger::checkpoint::origin;
use envora_store::database::{Options, TenantDb};
use envora_store::idempotency::idempotency_objects;
use envora_store::mentions::Numbers;
use envora_store::organization::organization_now;
use envora_store::segments::segments_from;

use crate::app::{App, World};
use crate::folder::databases::Databases;
use crate::folder::lock::FolderLock;
use crate::folder::{FolderError, Places, anchors};
use crate::hosts::{HostMap, HostName, LOOPBACK};
use crate::tenants::{About, Opened, Room, Tenants};

/// How many segments are listed at a time.
const SEGMENTS_AT_A_TIME: u32 = 10_000;

/// Opens a folder. Blocks for some hundred milliseconds.
///
/// # Errors
/// [`FolderError`]; nothing is repaired, cut or made anew.
pub fn open(
    folder: &Path,
    world: World,
    passphrase: Option<&Passphrase>,
) -> Result<App, FolderError> {
    let places = Places::below(folder);
    // Where the map is and the seal is not, keys are lost, and a new folder is no remedy.
    if !places.seal().exists() && !places.map().exists() {
        return Err(FolderError::Missing(folder.to_owned()));
    }
    let lock = FolderLock::take(&places.lock())?;
    let map = read_map(&places, &world)?;
    let seal = Seal::open(&*world.disk, &places.seal(), passphrase).map_err(FolderError::Keys)?;
    let signed = map.mac.is_none().then(|| map.clone().signed(&seal));
    let written = as_written(&map, &seal);
    let store = key_store(&places, seal, &world);
    written.map_err(|foreign| foreign_or_locked(&map, &store, foreign))?;
    let library = Library::starter().context("read the factors of this program")?;
    let databases = Databases::of(&places)?;
    let mut tenants = Vec::new();
    for tenant in map.tenants() {
        let (places, databases) = (&places, &databases);
        let opened = Opening { places, databases, world: &world, library: &library };
        match opened.tenant(tenant, store.clone()) {
            // One whose keys were destroyed is gone; that is no reason to send the others away.
            Err(FolderError::Keys(KeyError::Destroyed)) if map.tenants().len() > 1 => {
                tracing::warn!(tenant.id = %tenant, "the keys were destroyed: not served");
            }
            opened => tenants.push(opened?),
        }
    }
    if let Some(signed) = signed {
        for opened in &tenants {
            earlier(&signed, (opened.parts.id, &opened.about.slug, &opened.about.environment))?;
        }
        write_map(&places, &world, &signed)?;
        tracing::info!("the map of hosts was of an earlier program: it is signed from now on");
    }
    tracing::info!(epoch = lock.epoch(), tenants = tenants.len(), "opened the folder");
    Ok(App::new(Tenants::new(map, tenants)?, world, lock))
}

/// The map of hosts.
///
/// # Errors
/// [`FolderError::Unreadable`], [`FolderError::NoMap`].
pub fn read_map(places: &Places, world: &World) -> Result<HostMap, FolderError> {
    let unreadable = |why: String| FolderError::Unreadable { file: "instance/map.json", why };
    let bytes = world.disk.read(&places.map()).map_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            FolderError::NoMap { tenants: tenants_there(places) }
        } else {
            unreadable(error.to_string())
        }
    })?;
    let map: HostMap =
        serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if map.v == 1 { Ok(map) } else { Err(unreadable("a newer program has written it".to_owned())) }
}

/// Refuses a map of hosts that another wrote than this instance.
///
/// # Errors
/// [`FolderError::ForeignMap`].
pub fn as_written(map: &HostMap, seal: &Seal) -> Result<(), FolderError> {
    if map.is_signed(seal) == Some(false) {
        return Err(FolderError::ForeignMap {
            why: "its hosts are not those that were signed".to_owned(),
        });
    }
    Ok(())
}

/// Under another seal no map is the instance's own; but then the keys do not open, and that is to be told.
pub(crate) fn foreign_or_locked(
    map: &HostMap,
    store: &KeyStore,
    foreign: FolderError,
) -> FolderError {
    let opened = |tenant| TenantKeys::open(store.clone(), tenant);
    let errors = map.tenants().into_iter().filter_map(|tenant| opened(tenant).err());
    let mut locked = errors.filter(|error| !matches!(error, KeyError::Destroyed));
    locked.next().map_or(foreign, FolderError::Keys)
}

/// Refuses an unsigned map that leads elsewhere than each tenant's log says: programs before this one
/// wrote an organization's own host and, for one of them, the names of this machine; nothing else.
///
/// # Errors
/// [`FolderError::ForeignMap`].
pub fn earlier(
    map: &HostMap,
    (tenant, slug, environment): (TenantId, &str, &str),
) -> Result<(), FolderError> {
    let own = HostName::of(slug, environment);
    let is_known = |host: &HostName| *host == own || LOOPBACK.contains(&host.as_str());
    let odd = map.hosts.iter().find(|(host, leads_to)| **leads_to == tenant && !is_known(host));
    let why = match odd {
        Some((host, _)) => {
            format!("{} leads to the tenant whose log says {}", host.as_str(), own.as_str())
        }
        None if map.hosts.get(&own) != Some(&tenant) => {
            format!("{} does not lead to the tenant whose log says so", own.as_str())
        }
        None => return Ok(()),
    };
    Err(FolderError::ForeignMap { why })
}

/// Writes the map of hosts.
///
/// # Errors
/// The disk's.
pub(crate) fn write_map(places: &Places, world: &World, map: &HostMap) -> anyhow::Result<()> {
    let text = serde_json::to_vec_pretty(map).context("write the map of hosts")?;
    replace_durably(&*world.disk, &places.map(), &text).context("write the map of hosts")
}

/// How many tenants have a folder.
fn tenants_there(places: &Places) -> usize {
    std::fs::read_dir(places.tenants()).map_or(0, |entries| entries.flatten().count())
}

pub(crate) fn key_store(places: &Places, seal: Seal, world: &World) -> KeyStore {
    let (disk, entropy) = (Arc::clone(&world.disk), Arc::clone(&world.entropy));
    let keyring = LocalKeyring::new(places.keys(), Arc::clone(&disk), Arc::clone(&entropy), seal);
    KeyStore { keys: places.keys(), disk, provider: Arc::new(keyring), entropy }
}

/// What opening a tenant needs.
struct Opening<'a> {
    places: &'a Places,
    databases: &'a Databases,
    world: &'a World,
    library: &'a Arc<Library>,
}

impl Opening<'_> {
    fn tenant(&self, id: TenantId, store: KeyStore) -> Result<Opened, FolderError> {
        let keys = TenantKeys::open(store, id).map_err(FolderError::Keys)?;
        let (db, lake) = bare((self.places, self.databases), self.world, &keys)?;
        // The database has made its journal by now. It syncs the folder for it by itself, and does not
        // look at what comes of that.
        self.world.disk.sync_dir(&self.places.tenant(id)).context("sync the tenant's folder")?;
        anchors::check(&db, &keys)?;
        sweep(&db, &lake)?;
        let settings = db
            .read_blocking(move |rd| organization_now(rd, &own_work(id)))
            .context("read the organization")?
            .context("the organization has no settings: making the folder was cut short")?
            .settings;
        let parts = TenantParts {
            id,
            origin: origin(&settings.domain, id),
            db,
            keys: Arc::new(keys),
            lake: Arc::new(lake),
            shelf: PackShelf::of(Arc::clone(self.library)),
            clock: Arc::clone(&self.world.clock),
            entropy: Arc::clone(&self.world.entropy),
            own: own_grants(id),
            calculation: Standing::default(),
            registry: Kept::default(),
            groups: KeptGroups::default(),
            numbers: Numbers::default(),
            fresh: Fresh::default(),
        };
        parts.load_packs().context("read the organization's own factors")?;
        match split_blocks(&parts) {
            Ok(0) => {}
            Ok(blocks) => tracing::info!(blocks, "laid out anew what was decided anew"),
            // What is read does not wait for it: it is read as before, and split another time.
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "left blocks as they were laid out");
            }
        }
        if let Err(error) = gather_sums(&parts) {
            tracing::warn!(error = format!("{error:#}"), "left sums as they were laid out");
        }
        let about = About {
            organization: settings.id,
            slug: settings.slug,
            environment: settings.environment,
        };
        let probe = self.places.tenant(id).join("tmp").join("room");
        let room = Room { disk: Arc::clone(&self.world.disk), probe };
        Ok(Opened { about, parts: Arc::new(parts), room })
    }
}

/// A tenant's database and lake, open and not yet examined.
pub(crate) fn bare(
    (places, databases): (&Places, &Databases),
    world: &World,
    keys: &TenantKeys,
) -> Result<(TenantDb, Lake), FolderError> {
    let id = keys.tenant();
    let disk = Arc::clone(&world.disk);
    let lake = Lake::open(places.tenant(id), disk).context("open the tenant's lake")?;
    let appended = lake.clone();
    let sync = Box::new(move |frames: &[_]| appended.append_and_sync(frames));
    let engine = databases.engine(places, keys)?;
    let options = Options::new(id, engine, sync);
    let db = TenantDb::open(Options { clock: Some(Arc::clone(&world.clock)), ..options })
        .map_err(|source| FolderError::Database { tenant: id.to_string(), source })?;
    Ok((db, lake))
}

/// What the engine may do for a tenant on its own.
#[must_use]
pub fn own_grants(tenant: TenantId) -> OwnGrants {
    OwnGrants {
        calculate: own_work(tenant),
        read_activities: own_work(tenant),
        read_facilities: own_work(tenant),
        read_sources: own_work(tenant),
        read_entities: own_work(tenant),
        read_suppliers: own_work(tenant),
        read_factors: own_work(tenant),
        read_organization: own_work(tenant),
        read_results: own_work(tenant),
        read_audit: own_work(tenant),
    }
}

/// Removes what a crash left half written. The database has proven to be no older than its anchor,
/// so a segment or an answer that it does not know was never acknowledged.
fn sweep(db: &TenantDb, lake: &Lake) -> anyhow::Result<()> {
    let tenant = db.tenant();
    let known: HashSet<SegmentId> = db
        .read_blocking(move |rd| {
            let (mut known, mut from) = (HashSet::new(), 0);
            loop {
                let page = segments_from(rd, &own_work(tenant), from, SEGMENTS_AT_A_TIME)?;
                let Some(last) = page.last() else { return Ok(known) };
                from = last.seq + 1;
                known.extend(page.iter().map(|segment| segment.id));
            }
        })
        .context("list the segments")?;
    let answers: HashSet<String> = db
        .read_blocking(move |rd| idempotency_objects(rd, &own_work::<ReadActivities>(tenant)))
        .context("list the kept answers")?
        .into_iter()
        .map(|(_, path)| path)
        .collect();
    let known = Known {
        segment: &|segment| known.contains(&segment),
        answer: &|path| answers.contains(path),
    };
    let swept = lake.sweep(known, Orphans::Remove).context("sweep the lake")?;
    if !swept.staging.is_empty() || !swept.orphans.is_empty() {
        tracing::warn!(
            staging = swept.staging.len(),
            orphans = swept.orphans.len(),
            "removed what was never acknowledged"
        );
    }
    Ok(())
}
