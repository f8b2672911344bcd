//! Tenants: resolved once per request, from the Host alone.
//!
//! A [`TenantCtx`] is the only road to a tenant's database, keys and objects. Nothing else in the
//! process is keyed by tenant.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::header::HOST;
use axum::http::request::Parts;
use envora_api::problems::Problem;
use envora_domain::id::{ImportId, OrganizationId, TenantId};
use envora_domain::ports::Disk;
use envora_ingest::commit::intake::Intake;
use envora_ingest::parted::Progress;
use envora_ingest::process::Processor;
use envora_ingest::tenant::TenantParts;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use crate::hosts::{HostMap, HostName};

/// One open tenant, as a request or a task of its own sees it.
#[derive(Clone)]
pub struct TenantCtx {
    tenant: Arc<Tenant>,
}

struct Tenant {
    about: About,
    parts: Arc<TenantParts>,
    intake: Arc<Intake>,
    processor: Arc<Processor>,
    committed: Notify,
    room: Room,
    /// Imports in parts whose rows are being read.
    running: Mutex<BTreeMap<ImportId, Arc<Progress>>>,
    /// Told when an import in parts comes to another state.
    imports: watch::Sender<()>,
    /// Who watches at present.
    watching: Arc<Semaphore>,
}

/// An import whose rows are being read, for as long as this is kept.
pub(crate) struct Running {
    tenant: TenantCtx,
    import: ImportId,
    /// How far it is.
    pub(crate) progress: Arc<Progress>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tenant.running_imports().remove(&self.import);
        self.tenant.import_changed();
    }
}

/// What opening a tenant leads to.
pub(crate) struct Opened {
    pub(crate) about: About,
    pub(crate) parts: Arc<TenantParts>,
    pub(crate) room: Room,
}

/// Where to try whether a full disk has room again.
pub(crate) struct Room {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) probe: PathBuf,
}

/// How many streams of events a tenant has at once.
const STREAMS_MAX: usize = 20;

/// How much room there must be before writing goes on.
const RESERVE_BYTES: usize = 4 << 20;

/// What does not change about a tenant while it is open.
#[derive(Clone, Debug)]
pub struct About {
    /// Its organization.
    pub organization: OrganizationId,
    /// The organization's slug.
    pub slug: String,
    /// `live` or `test`.
    pub environment: String,
}

impl core::fmt::Debug for TenantCtx {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "TenantCtx({})", self.id())
    }
}

impl TenantCtx {
    /// Its random id.
    #[must_use]
    pub fn id(&self) -> TenantId {
        self.tenant.parts.id
    }

    /// What does not change about it.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.tenant.about
    }

    /// What the layers below need of it.
    #[must_use]
    pub fn parts(&self) -> &Arc<TenantParts> {
        &self.tenant.parts
    }

    /// The way in for activities.
    #[must_use]
    pub fn intake(&self) -> &Arc<Intake> {
        &self.tenant.intake
    }

    /// The calculation.
    #[must_use]
    pub fn processor(&self) -> Arc<Processor> {
        Arc::clone(&self.tenant.processor)
    }

    /// Says that something was committed which calculation wants to see.
    pub fn notify(&self) {
        self.tenant.committed.notify_one();
    }

    /// Waits until something was committed.
    pub async fn committed(&self) {
        self.tenant.committed.notified().await;
    }

    /// Whether the disk takes a file of the reserve's size. Blocks.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let Room { disk, probe } = &self.tenant.room;
        let taken = disk.remove(probe).is_ok()
            && disk.create(probe, &vec![0; RESERVE_BYTES]).and_then(|()| disk.sync(probe)).is_ok();
        let removed = disk.remove(probe).is_ok();
        taken && removed
    }

    fn running_imports(&self) -> MutexGuard<'_, BTreeMap<ImportId, Arc<Progress>>> {
        self.tenant.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far an import is whose rows are being read.
    #[must_use]
    pub(crate) fn progress_of(&self, import: ImportId) -> Option<Arc<Progress>> {
        self.running_imports().get(&import).cloned()
    }

    /// Begins to read the rows of an import of so many bytes; nothing while they are being read.
    #[must_use]
    pub(crate) fn begin(&self, import: ImportId, bytes: u64) -> Option<Running> {
        let progress = Progress::of(bytes);
        match self.running_imports().entry(import) {
            Entry::Occupied(_) => return None,
            Entry::Vacant(free) => free.insert(Arc::clone(&progress)),
        };
        self.import_changed();
        Some(Running { tenant: self.clone(), import, progress })
    }

    /// Says that an import in parts came to another state, or that somebody's session ended.
    pub(crate) fn import_changed(&self) {
        self.tenant.imports.send_replace(());
    }

    /// Told whenever an import in parts comes to another state, from now on.
    pub(crate) fn import_changes(&self) -> watch::Receiver<()> {
        self.tenant.imports.subscribe()
    }

    /// A turn to watch, for as long as it is kept.
    ///
    /// # Errors
    /// 429 when there is none.
    pub(crate) fn stream_turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.tenant.watching).try_acquire_owned().map_err(|_| {
            Problem::overloaded(format!(
                "{STREAMS_MAX} streams of events are open here, which is as many as may be. Read the import itself now and then."
            ))
        })
    }

    /// Whether the path names this tenant's organization, by id or slug.
    #[must_use]
    pub fn is_named(&self, org_id: &str) -> bool {
        let about = self.about();
        org_id == about.slug || OrganizationId::parse(org_id) == Ok(about.organization)
    }

    /// A route's path with this organization in it.
    #[must_use]
    pub fn path(&self, template: &str) -> String {
        template.replace("{org_id}", &self.about().slug)
    }

    /// Whether it is a test environment.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.about().environment != "live"
    }
}

/// All open tenants, and the hosts that name them.
pub struct Tenants {
    hosts: HostMap,
    open: BTreeMap<TenantId, Arc<Tenant>>,
}

impl Tenants {
    /// The tenants of a folder: only `folder` builds this. Reads back which rows are stored.
    pub(crate) fn new(hosts: HostMap, opened: Vec<Opened>) -> anyhow::Result<Self> {
        let mut open = BTreeMap::new();
        for Opened { about, parts, room } in opened {
            let intake = Intake::new(Arc::clone(&parts))?;
            let processor = Arc::new(Processor::new(Arc::clone(&parts)));
            let (id, committed) = (parts.id, Notify::new());
            let tenant = Tenant {
                about,
                parts,
                intake,
                processor,
                committed,
                room,
                running: Mutex::default(),
                imports: watch::Sender::default(),
                watching: Arc::new(Semaphore::new(STREAMS_MAX)),
            };
            open.insert(id, Arc::new(tenant));
        }
        Ok(Self { hosts, open })
    }

    /// The tenant that the request's Host names.
    ///
    /// # Errors
    /// 421 for a host nobody is registered under, 400 for two of them.
    pub fn resolve(&self, parts: &Parts) -> Result<TenantCtx, Problem> {
        let mut named = parts.headers.get_all(HOST).iter();
        let first = named.next().map(|host| host.to_str().unwrap_or(""));
        if named.next().is_some() {
            return Err(Problem::repeated_header("The request names two hosts."));
        }
        let authority = parts.uri.authority().map(axum::http::uri::Authority::as_str);
        let text = match (first, authority) {
            (Some(host), Some(authority))
                if HostName::parse(host) != HostName::parse(authority) =>
            {
                return Err(Problem::repeated_header(
                    "The request names one host in its address and another in Host.",
                ));
            }
            (host, authority) => host.or(authority).unwrap_or(""),
        };
        HostName::parse(text)
            .and_then(|host| self.hosts.hosts.get(&host))
            .and_then(|id| self.open.get(id))
            .map(|tenant| TenantCtx { tenant: Arc::clone(tenant) })
            .ok_or_else(|| {
                Problem::misdirected(
                    "No organization is registered under this host name. Use the address that the server printed when it started: the organization's short name before .localhost, and the server's port.",
                )
            })
    }

    /// All of them: for tasks of the process.
    pub fn all(&self) -> impl Iterator<Item = TenantCtx> + '_ {
        self.open.values().map(|tenant| TenantCtx { tenant: Arc::clone(tenant) })
    }

    /// The hosts of a tenant.
    pub fn hosts_of(&self, id: TenantId) -> impl Iterator<Item = &HostName> {
        self.hosts.hosts.iter().filter(move |(_, tenant)| **tenant == id).map(|(host, _)| host)
    }
}
