//! `init`: a new folder with its seal, its first organization, and the operator token, shown once.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use envora_crypto::keyring::LocalKeyring;
use envora_crypto::seal::{Method, Seal};
use envora_crypto::tenant::{KeyStore, TenantKeys};
use envora_domain::factors::Library;
use envora_domain::id::{OrganizationId, TenantId};
use envora_domain::ports::replace_durably;
use envora_domain::time::Zone;
use envora_identity::policy::own_work;
use envora_identity::secrets::Secret;
use envora_identity::sign_in::operator_add;
use envora_lake::segments::Lake;
use envora_store::database::{Options, TenantDb};
use envora_store::organization::{OrganizationSettings, organization_put};
use envora_store::packs::pack_activate;

use crate::app::World;
use crate::endpoints::packs::naming;
use crate::folder::databases::Databases;
use crate::folder::lock::FolderLock;
use crate::folder::{FolderError, Places, REGION, open, settings};
use crate::hosts::{HostMap, HostName, LOOPBACK};

/// How long source files are kept when nothing is said: seven years.
const RETENTION_DAYS: u32 = 2_557;

/// An organization to set up.
#[derive(Clone, Debug)]
pub struct NewOrganization {
    /// Its short name, part of its host.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Its reporting zone.
    pub time_zone: String,
    /// Part of the origin of its log, for good.
    pub domain: String,
    /// `live` or `test`.
    pub environment: Environment,
    /// Which other hosts name it.
    pub loopback: Loopback,
}

/// An environment of an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// The real one.
    Live,
    /// The one for trying things out.
    Test,
}

impl Environment {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

/// Whether the names of this machine mean this organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loopback {
    /// `localhost`, `127.0.0.1` and `[::1]` are this organization's: the demo.
    Named,
    /// They are nobody's.
    Unnamed,
}

/// What was made. The token is nowhere else.
#[derive(Debug)]
pub struct InitReport {
    /// The tenant.
    pub tenant: TenantId,
    /// The organization.
    pub organization: OrganizationId,
    /// Its host.
    pub host: HostName,
    /// The operator's token, to be shown once.
    pub operator_token: Secret,
}

/// Makes a folder with its first organization. Blocks for some hundred milliseconds.
///
/// # Errors
/// [`FolderError`]; a folder half made by a failure is said to be so by the next `open`.
pub fn init(
    folder: &Path,
    organization: &NewOrganization,
    world: &World,
) -> Result<InitReport, FolderError> {
    check(organization)?;
    let places = Places::below(folder);
    if places.seal().exists() || places.map().exists() {
        return Err(FolderError::Exists(folder.to_owned()));
    }
    // Settings that are there already stay: they may say where the databases are to be.
    let databases = Databases::of(&places)?;
    databases.check()?;
    for part in [places.root().to_owned(), places.instance(), places.keys(), places.tenants()] {
        world.disk.create_dir(&part).with_context(|| format!("make {}", part.display()))?;
    }
    let _lock = FolderLock::take(&places.lock())?;
    let seal = Seal::create(&*world.disk, &places.seal(), &Method::File, &*world.entropy)
        .map_err(FolderError::Keys)?;
    if !places.settings().exists() {
        write(world, &places.settings(), settings::TEMPLATE.as_bytes())?;
    }
    owners_alone(&places)?;
    set_up((&places, &databases), (organization, HostMap::new()), seal, world)
}

/// Adds an organization, or an environment of one, to a folder that no process has open.
///
/// # Errors
/// [`FolderError`].
pub fn add(
    folder: &Path,
    organization: &NewOrganization,
    world: &World,
) -> Result<InitReport, FolderError> {
    check(organization)?;
    let places = Places::below(folder);
    let _lock = FolderLock::take(&places.lock())?;
    let (map, databases) = (open::read_map(&places, world)?, Databases::of(&places)?);
    let seal = Seal::open(&*world.disk, &places.seal(), None).map_err(FolderError::Keys)?;
    open::as_written(&map, &seal)?;
    set_up((&places, &databases), (organization, map), seal, world)
}

fn set_up(
    (places, databases): (&Places, &Databases),
    (organization, mut map): (&NewOrganization, HostMap),
    seal: Seal,
    world: &World,
) -> Result<InitReport, FolderError> {
    let host = HostName::of(&organization.slug, organization.environment.as_str());
    if map.hosts.contains_key(&host) {
        return Err(FolderError::Unfit {
            what: "the organization's short name",
            text: organization.slug.clone(),
            due: "a name that is not taken yet",
        });
    }
    let tenant = TenantId::new(world.clock.now(), &*world.entropy);
    // A map of an earlier program is signed where its tenants are open and can be asked: by `open`.
    let signs = (map.hosts.is_empty() || map.mac.is_some()).then(|| seal.clone());
    let keyring =
        LocalKeyring::new(places.keys(), Arc::clone(&world.disk), Arc::clone(&world.entropy), seal);
    let store = KeyStore {
        keys: places.keys(),
        disk: Arc::clone(&world.disk),
        provider: Arc::new(keyring),
        entropy: Arc::clone(&world.entropy),
    };
    let keys =
        TenantKeys::create(store, tenant, REGION, world.clock.now()).map_err(FolderError::Keys)?;
    let lake = Lake::open(places.tenant(tenant), Arc::clone(&world.disk))
        .context("make the tenant's folder")?;
    databases.make_room(tenant)?;
    let engine = databases.engine(places, &keys)?;
    let sync = Box::new(move |frames: &[_]| lake.append_and_sync(frames));
    let db = TenantDb::create(Options::new(tenant, engine, sync))
        .map_err(|source| FolderError::Database { tenant: tenant.to_string(), source })?;
    let id = OrganizationId::new(world.clock.now(), &*world.entropy);
    let operator_token = fill(&db, (id, organization), world)?;
    db.close();
    map.hosts.insert(host.clone(), tenant);
    if organization.loopback == Loopback::Named {
        map.hosts.extend(LOOPBACK.iter().filter_map(|name| Some((HostName::parse(name)?, tenant))));
    }
    let map = match signs {
        Some(seal) => map.signed(&seal),
        None => map,
    };
    open::write_map(places, world, &map)?;
    Ok(InitReport { tenant, organization: id, host, operator_token })
}

/// The first rows of a tenant: its settings, the packs of this program, the operator.
fn fill(
    db: &TenantDb,
    (id, organization): (OrganizationId, &NewOrganization),
    world: &World,
) -> anyhow::Result<Secret> {
    let (tenant, now) = (db.tenant(), world.clock.now());
    let settings = OrganizationSettings {
        id,
        slug: organization.slug.clone(),
        environment: organization.environment.as_str().to_owned(),
        name: organization.name.clone(),
        time_zone: organization.time_zone.clone(),
        domain: organization.domain.clone(),
        default_gwp_set: "published".to_owned(),
        source_retention_days: RETENTION_DAYS,
    };
    let library = Library::starter()?;
    let entropy = Arc::clone(&world.entropy);
    let token = db.write_blocking(move |tx| {
        organization_put(tx, &own_work(tenant), &settings, now)?;
        for pack in library.packs() {
            pack_activate(tx, &own_work(tenant), &naming(pack), now)?;
        }
        operator_add(tx, &own_work(tenant), &settings.environment, (now, &*entropy))
    })?;
    Ok(token)
}

/// What somebody made before us is made our owner's alone, like all that we make.
fn owners_alone(places: &Places) -> Result<(), FolderError> {
    #[cfg(unix)]
    {
        use std::fs::{Permissions, set_permissions};
        use std::os::unix::fs::PermissionsExt as _;
        set_permissions(places.root(), Permissions::from_mode(0o700))
            .context("close the folder")?;
        set_permissions(places.settings(), Permissions::from_mode(0o600))
            .context("close envora.toml")?;
    }
    Ok(())
}

fn write(world: &World, path: &Path, bytes: &[u8]) -> Result<(), FolderError> {
    replace_durably(&*world.disk, path, bytes)
        .with_context(|| format!("write {}", path.display()))?;
    Ok(())
}

fn check(organization: &NewOrganization) -> Result<(), FolderError> {
    let NewOrganization { slug, name, time_zone, domain, .. } = organization;
    let unfit = |what, text: &str, due| FolderError::Unfit { what, text: text.to_owned(), due };
    let is_slug = (2..=40).contains(&slug.len())
        && slug.starts_with(|first: char| first.is_ascii_lowercase())
        && !slug.ends_with('-')
        && !slug.ends_with("-test")
        && slug
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !is_slug {
        return Err(unfit(
            "the organization's short name",
            slug,
            "2 to 40 letters a-z, digits and hyphens, not ending in -test",
        ));
    }
    if name.trim().is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
        return Err(unfit("the organization's name", name, "1 to 200 characters"));
    }
    if Zone::named(time_zone).is_err() {
        return Err(unfit("the zone", time_zone, "an IANA name such as Europe/London"));
    }
    if HostName::parse(domain).is_none_or(|host| host.as_str() != domain) {
        return Err(unfit("the domain", domain, "a host name such as envora.example.org"));
    }
    Ok(())
}
