//! `doctor`: what is well with a folder and what is not, without changing anything that is stored.
//!
//! Opening the database does what opening it always does: what an ended server left in the write-ahead log
//! is folded in, the schema becomes this program's, and the lock file names this process.
//!
//! It reads everything that was acknowledged: each segment is opened, counted and hashed against its
//! manifest row, and the log is hashed anew from its first entry.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use envora_crypto::provider::KeyError;
use envora_crypto::seal::{Passphrase, Seal};
use envora_crypto::tenant::{KeyStore, TenantKeys};
use envora_domain::access::actions::ReadActivities;
use envora_domain::factors::{Library, Pack};
use envora_domain::hash::{Digest, leaf_hash};
use envora_domain::id::TenantId;
use envora_domain::ports::Place;
use envora_domain::time::{Timestamp, zone_database_edition};
use envora_identity::policy::own_work;
use envora_ingest::commit::answers::{Shelf, examine as examine_answers};
use envora_ingest::footprint::KeptGroups;
use envora_ingest::fresh::Fresh;
use envora_ingest::packs::PackShelf;
use envora_ingest::parted::{PartsReader, measure};
use envora_ingest::process::standing::Standing;
use envora_ingest::process::{examine_blocks, rehearse};
use envora_ingest::registry::Kept;
use envora_ingest::tenant::{Damaged, OtherRules, TenantParts};
use envora_lake::fsck::Manifest;
use envora_lake::segments::Lake;
use envora_lake::sources::SourceError;
use envora_ledger::tree::CompactRange;
use envora_store::audit::{audit_entries_from, audit_head};
use envora_store::database::TenantDb;
use envora_store::imports::imports_before;
use envora_store::mentions::Numbers;
use envora_store::organization::organization_now;
use envora_store::packs::{NewPack, packs_active, packs_stored};
use envora_store::parts::source_parts;
use envora_store::segments::{Segment, segment_inline, segments_from};
use envora_store::transaction::TenantReader;
use serde::Serialize;

use crate::app::World;
use crate::folder::databases::{Databases, name_of};
use crate::folder::lock::FolderLock;
use crate::folder::open::own_grants;
use crate::folder::settings::Settings;
use crate::folder::{FolderError, Places, anchors, open};
use crate::hosts::{HostMap, HostName};

/// How many rows are read at a time.
const AT_A_TIME: u32 = 1_000;

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// Not examined, and so not known.
    Skipped,
    /// Wrong.
    Bad,
}

/// One thing that was examined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it is.
    pub name: String,
    /// How it stands.
    pub health: Health,
    /// What was found.
    pub detail: String,
    /// What to do, when something is to be done.
    pub remedy: Option<String>,
}

impl Check {
    pub(crate) fn good(name: &str, detail: impl Into<String>) -> Self {
        Self { name: name.to_owned(), health: Health::Good, detail: detail.into(), remedy: None }
    }

    pub(crate) fn note(name: &str, detail: impl Into<String>, remedy: &str) -> Self {
        let (name, remedy) = (name.to_owned(), Some(remedy.to_owned()));
        Self { name, health: Health::Note, detail: detail.into(), remedy }
    }

    pub(crate) fn bad(name: &str, error: &FolderError) -> Self {
        let causes = chain(error);
        Self {
            name: name.to_owned(),
            health: Health::Bad,
            detail: causes,
            remedy: Some(error.remedy()),
        }
    }
}

fn chain(error: &FolderError) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        words.push_str(": ");
        words.push_str(&next.to_string());
        cause = next.source();
    }
    words
}

/// Examines a folder. Blocks for as long as reading everything takes.
#[must_use]
pub fn doctor(folder: &Path, world: &World, passphrase: Option<&Passphrase>) -> Vec<Check> {
    let places = Places::below(folder);
    // Where the map is and the seal is not, keys are lost, and a new folder is no remedy.
    if !places.seal().exists() && !places.map().exists() {
        let missing = Check::bad("folder", &FolderError::Missing(folder.to_owned()));
        return vec![Check { health: Health::Skipped, ..missing }];
    }
    let mut checks = vec![privacy(&places), program()];
    let databases = match Settings::read(&places.settings()) {
        Ok(settings) => {
            checks.push(Check::good("settings", "envora.toml is understood"));
            settings.databases
        }
        Err(error) => {
            checks.push(Check::bad("settings", &error));
            return checks;
        }
    };
    checks.extend(engine(&databases));
    let _lock = match FolderLock::take(&places.lock()) {
        Ok(lock) => {
            checks.push(Check::good("lock", "no process has the folder open"));
            lock
        }
        Err(error @ FolderError::InUse { .. }) => {
            let detail = format!("{error}: its data is not examined while it runs");
            let remedy = "end the server, then run this again; `GET /readyz` of the server says how it stands meanwhile";
            let check = Check::note("lock", detail, remedy);
            checks.push(Check { health: Health::Skipped, ..check });
            return checks;
        }
        Err(error) => {
            checks.push(Check::bad("lock", &error));
            return checks;
        }
    };
    checks.extend(contents((&places, &databases), world, passphrase));
    checks
}

/// Which engine keeps the databases, whether it answers, and what it does not protect.
fn engine(databases: &Databases) -> Vec<Check> {
    let Databases::Server(address) = databases else {
        return vec![Check::good(
            "engine",
            "SQLite, a file per tenant, encrypted under the tenant's key (SQLCipher)",
        )];
    };
    let reached = match address.probe() {
        Ok(version) => Check::good("engine", format!("PostgreSQL {version} at {address} answers")),
        Err(error) => Check::bad("engine", &FolderError::Server(error)),
    };
    let encryption = Check::note(
        "encryption",
        "PostgreSQL does not encrypt its files: names, sums and the log lie in them in the clear; segments, source files and calc blocks are sealed under the tenant's key",
        "keep PostgreSQL's data folder and its backups on encrypted disks; destroying a tenant's keys does not destroy what is in its database",
    );
    vec![reached, encryption]
}

/// Opens and reads everything that was acknowledged.
pub(crate) fn contents(
    (places, databases): (&Places, &Databases),
    world: &World,
    passphrase: Option<&Passphrase>,
) -> Vec<Check> {
    let seal = match Seal::open(&*world.disk, &places.seal(), passphrase) {
        Ok(seal) => seal,
        Err(error) => return vec![Check::bad("keys", &FolderError::Keys(error))],
    };
    let mut checks = vec![protection(seal.method())];
    let map = match open::read_map(places, world) {
        Ok(map) => map,
        Err(error) => {
            checks.push(Check::bad("hosts", &error));
            return checks;
        }
    };
    checks.push(hosts(&map, &seal));
    let store = open::key_store(places, seal, world);
    for tenant in map.tenants() {
        checks.extend(examine((places, databases), world, (tenant, store.clone(), &map)));
    }
    checks
}

/// Whether the map of hosts is as this instance wrote it.
fn hosts(map: &HostMap, seal: &Seal) -> Check {
    let lead = format!("{} names lead to {} tenants", map.hosts.len(), map.tenants().len());
    match (open::as_written(map, seal), &map.mac) {
        (Err(error), _) => Check::bad("hosts", &error),
        (Ok(()), Some(_)) => Check::good("hosts", format!("{lead}, as they were signed")),
        (Ok(()), None) => Check::note(
            "hosts",
            format!("{lead}; an earlier program wrote the map, unsigned"),
            "serve the folder once: the map is held against the tenants' logs and signed",
        ),
    }
}

/// Whether others of this machine may look at anything in the folder.
fn privacy(places: &Places) -> Check {
    let mut open = Vec::new();
    open_to_others(places.root(), &mut open);
    match open.first() {
        None => Check::good("folder", format!("{} is its owner's alone", places.root().display())),
        Some((path, mode)) => Check::note(
            "folder",
            format!(
                "others of this machine may look at {} of its files and folders, first {} (mode {mode:o})",
                open.len(),
                path.display()
            ),
            "chmod -R go= the folder",
        ),
    }
}

#[cfg(unix)]
fn open_to_others(path: &Path, open: &mut Vec<(PathBuf, u32)>) {
    use std::os::unix::fs::PermissionsExt as _;
    let Ok(about) = std::fs::symlink_metadata(path) else { return };
    let mode = about.permissions().mode() & 0o777;
    if !about.is_symlink() && mode & 0o077 != 0 {
        open.push((path.to_owned(), mode));
    }
    if about.is_dir() {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.for_each(|entry| open_to_others(&entry.path(), open));
    }
}

#[cfg(not(unix))]
fn open_to_others(_: &Path, _: &mut Vec<(PathBuf, u32)>) {}

fn program() -> Check {
    match Library::starter() {
        Ok(library) => {
            let packs = library.packs();
            let factors: usize = packs.iter().map(Pack::count).sum();
            let ids: Vec<&str> = packs.iter().map(|pack| pack.recipe.id.as_str()).collect();
            let zones = zone_database_edition();
            Check::good(
                "program",
                format!(
                    "version {}, time zones {zones}, {factors} factors: {}",
                    env!("CARGO_PKG_VERSION"),
                    ids.join(", ")
                ),
            )
        }
        Err(error) => Check::bad("program", &FolderError::Unexpected(error.into())),
    }
}

/// What the seal protects against, and what it does not.
fn protection(method: &str) -> Check {
    if method == "file" {
        return Check::note(
            "keys",
            "they are sealed with a file beside them: a stolen copy of tenants/ is useless, one of the whole folder is not",
            "keep the folder on an encrypted disk, and back up keys/ apart from tenants/",
        );
    }
    Check::good("keys", format!("they are sealed by {method}"))
}

fn examine(
    (places, databases): (&Places, &Databases),
    world: &World,
    (id, store, map): (TenantId, KeyStore, &HostMap),
) -> Vec<Check> {
    let name = |what: &str| format!("{what} of {id}");
    let opened = TenantKeys::open(store, id).map_err(FolderError::Keys).and_then(|keys| {
        let (db, lake) = open::bare((places, databases), world, &keys)?;
        Ok((keys, db, lake))
    });
    let (keys, db, lake) = match opened {
        Ok(opened) => opened,
        Err(error @ FolderError::Keys(KeyError::Destroyed)) => {
            let remedy = error.remedy();
            return vec![Check::note(
                &name("keys"),
                "they were destroyed: nothing of it opens",
                &remedy,
            )];
        }
        Err(error) => return vec![Check::bad(&name("database"), &error)],
    };
    let opens = match databases {
        Databases::Files => "it opens with its key, and its schema is known".to_owned(),
        Databases::Server(_) => format!("{} opens, and its schema is known", name_of(id)),
    };
    let mut checks = vec![Check::good(&name("database"), opens)];
    if matches!(databases, Databases::Files) {
        let found = databases.engine(places, &keys).and_then(|engine| {
            let damage = engine.damage();
            damage.map_err(|source| FolderError::Database { tenant: id.to_string(), source })
        });
        checks.push(match found {
            Ok(damage) => pages(&name("pages"), &damage),
            Err(error) => Check::bad(&name("pages"), &error),
        });
    }
    checks.push(match anchors::check(&db, &keys) {
        Ok(()) => Check::good(&name("anchor"), "the log is the one of the anchor, and no shorter"),
        Err(error) => Check::bad(&name("anchor"), &error),
    });
    let found = addressed(&db, map);
    checks.extend(found.unwrap_or_else(|error| Some(Check::bad(&name("hosts"), &error.into()))));
    checks.push(log(&db).unwrap_or_else(|error| Check::bad(&name("log"), &error.into())));
    let keys = Arc::new(keys);
    let found = packs(&db, &lake, &keys);
    checks.push(found.unwrap_or_else(|error| Check::bad(&name("packs"), &error.into())));
    let found = segments(&db, &lake, &keys);
    checks.push(found.unwrap_or_else(|error| Check::bad(&name("segments"), &error.into())));
    let found = sources(&db, &lake, (&keys, world.clock.now()));
    checks.push(found.unwrap_or_else(|error| Check::bad(&name("source files"), &error.into())));
    let found = answers(&db, Shelf { keys: Arc::clone(&keys), lake: Arc::new(lake.clone()) });
    checks.push(found.unwrap_or_else(|error| Check::bad(&name("kept answers"), &error.into())));
    match parts_of((id, &db), world, (Arc::new(lake), keys)) {
        Ok(parts) => {
            let found = blocks(&parts);
            checks.push(
                found.unwrap_or_else(|error| Check::bad(&name("calculated rows"), &error.into())),
            );
            let found = calculation(&parts);
            checks.push(
                found.unwrap_or_else(|error| Check::bad(&name("calculation"), &error.into())),
            );
        }
        Err(error) => checks.push(Check::bad(&name("calculation"), &error.into())),
    }
    db.close();
    checks
}

/// What to know when no host of the map is the organization's own: its log says who it is, and the map
/// is a plain file.
fn addressed(db: &TenantDb, map: &HostMap) -> anyhow::Result<Option<Check>> {
    let tenant = db.tenant();
    let found = db.read_blocking(move |rd| organization_now(rd, &own_work(tenant)))?;
    let Some(settings) = found.map(|found| found.settings) else { return Ok(None) };
    let own = HostName::of(&settings.slug, &settings.environment);
    if map.hosts.get(&own) == Some(&tenant) {
        return Ok(None);
    }
    if map.mac.is_none()
        && let Err(error) = open::earlier(map, (tenant, &settings.slug, &settings.environment))
    {
        return Ok(Some(Check::bad(&format!("hosts of {tenant}"), &error)));
    }
    let others = map.hosts.iter().filter(|(_, leads_to)| **leads_to == tenant);
    let others: Vec<&str> = others.map(|(host, _)| host.as_str()).collect();
    Ok(Some(Check::note(
        &format!("hosts of {tenant}"),
        format!("its log says {}, and instance/map.json {}", own.as_str(), others.join(", ")),
        "unless it was renamed on purpose, restore instance/map.json from a backup",
    )))
}

/// What reading every page of the database found.
fn pages(name: &str, damage: &[String]) -> Check {
    let Some(first) = damage.first() else {
        return Check::good(name, "every page is as it was written".to_owned());
    };
    Check {
        remedy: Some(
            "stop the server and restore the folder from a backup; nothing that lies on a damaged page is answered"
                .to_owned(),
        ),
        health: Health::Bad,
        // One flipped bit is found wherever it has consequences: findings are no count of pages.
        ..Check::good(
            name,
            match damage.len() {
                1 => format!("damaged: {first}"),
                findings => format!("damaged; {findings} findings, first: {first}"),
            },
        )
    }
}

/// Opens and hashes every file that was imported and is still to be kept.
fn sources(
    db: &TenantDb,
    lake: &Lake,
    (keys, now): (&Arc<TenantKeys>, Timestamp),
) -> anyhow::Result<Check> {
    let tenant = db.tenant();
    let name = format!("source files of {tenant}");
    let (mut count, mut faults, mut before) = (0_u64, Vec::new(), None);
    loop {
        let page =
            db.read_blocking(move |rd| imports_before(rd, &own_work(tenant), before, AT_A_TIME))?;
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        for import in page.iter().filter(|import| import.source_until > now) {
            count += 1;
            if let Err(error) = file_is_whole(db, (lake, keys), import.file) {
                faults.push(format!("{} of {}: {error}", import.file_name, import.id));
            }
        }
    }
    Ok(match faults.first() {
        None => Check::good(&name, format!("{count} imports have the bytes that were sent")),
        Some(fault) => Check {
            remedy: Some(
                "restore the file from a backup; its rows are stored and counted, but do not trace to their bytes meanwhile"
                    .to_owned(),
            ),
            health: Health::Bad,
            ..Check::good(&name, format!("{} of {count} are damaged, first {fault}", faults.len()))
        },
    })
}

/// Reads a source file to its end, part by part where it came in parts.
fn file_is_whole(
    db: &TenantDb,
    (lake, keys): (&Lake, &Arc<TenantKeys>),
    file: Digest,
) -> anyhow::Result<()> {
    let tenant = db.tenant();
    let parts = db.read_blocking(move |rd| source_parts(rd, &own_work(tenant), file))?;
    if parts.is_empty() {
        return Ok(lake.read_source(keys, &file).map(drop)?);
    }
    let (_, found) = measure(PartsReader::new((&Arc::new(lake.clone()), keys), parts, None))?;
    if found == file { Ok(()) } else { Err(SourceError::OtherBytes.into()) }
}

/// Opens every answer that is kept for retries beside the database.
fn answers(db: &TenantDb, shelf: Shelf) -> anyhow::Result<Check> {
    let tenant = db.tenant();
    let name = format!("kept answers of {tenant}");
    let (count, faults) = db.read_blocking(move |rd| {
        examine_answers(rd, &own_work::<ReadActivities>(tenant), &shelf)
    })?;
    Ok(match faults.first() {
        None => Check::good(&name, format!("{count} lie beside the database, and open")),
        Some(fault) => Check {
            remedy: Some(
                "restore the file from a backup, or wait a day: a request sent again with its key is refused meanwhile, and nothing else is touched"
                    .to_owned(),
            ),
            health: Health::Bad,
            ..Check::good(&name, format!("{} of {count} are damaged, first {fault}", faults.len()))
        },
    })
}

/// Whether the factors that the tenant calculates with are at hand: in this program, or among what the
/// organization brought in, of which every edition is hashed, since old figures are worked out by it.
fn packs(db: &TenantDb, lake: &Lake, keys: &Arc<TenantKeys>) -> anyhow::Result<Check> {
    let tenant = db.tenant();
    let name = format!("packs of {tenant}");
    let grant = own_work(tenant);
    let active = db.read_blocking(move |rd| packs_active(rd, &own_work(tenant), u64::MAX))?;
    let stored = db.read_blocking(move |rd| packs_stored(rd, &grant))?;
    let fault = stored.iter().find_map(|stored| {
        let NewPack { pack, version, digest } = &stored.new.pack;
        let error = lake.read_source(keys, digest).err()?;
        Some(format!("{pack}, version {version}, which was brought in, is damaged: {error}"))
    });
    if let Some(fault) = fault {
        return Ok(Check {
            remedy: Some(
                "restore the file from a backup, or bring the same table in again: it is known by its digest"
                    .to_owned(),
            ),
            health: Health::Bad,
            ..Check::good(&name, fault)
        });
    }
    let library = Library::starter()?;
    let here = |digest: &Digest| {
        library.pack_digests().contains(digest)
            || stored.iter().any(|stored| stored.new.pack.digest == *digest)
    };
    let lost = active.iter().find(|active| !here(&active.pack.digest));
    Ok(match lost.map(|lost| &lost.pack) {
        None => Check::good(
            &name,
            match stored.len() {
                0 => format!("{} are active and at hand", active.len()),
                own => format!(
                    "{} are active and at hand; {own} editions of your own are whole",
                    active.len()
                ),
            },
        ),
        Some(NewPack { pack, version, .. }) => Check::note(
            &name,
            format!(
                "{pack}, version {version}, is active and not in this program: figures are shown as they were, new rows wait"
            ),
            &format!(
                "serve the folder and type `envora factors activate {pack}`: everything is calculated anew beside the old, with the version of this program"
            ),
        ),
    })
}

/// The tenant, as the calculation knows it.
fn parts_of(
    (tenant, db): (TenantId, &TenantDb),
    world: &World,
    (lake, keys): (Arc<Lake>, Arc<TenantKeys>),
) -> anyhow::Result<TenantParts> {
    let parts = TenantParts {
        id: tenant,
        origin: String::new(),
        db: db.clone(),
        keys,
        lake,
        shelf: PackShelf::of(Library::starter()?),
        clock: Arc::clone(&world.clock),
        entropy: Arc::clone(&world.entropy),
        own: own_grants(tenant),
        calculation: Standing::default(),
        registry: Kept::default(),
        groups: KeptGroups::default(),
        numbers: Numbers::default(),
        fresh: Fresh::default(),
    };
    parts.load_packs()?;
    Ok(parts)
}

/// Opens what the calculation noted of each row.
fn blocks(parts: &TenantParts) -> anyhow::Result<Check> {
    let name = format!("calculated rows of {}", parts.id);
    let (count, faults) = examine_blocks(parts)?;
    Ok(match faults.first() {
        None => Check::good(&name, format!("{count} blocks of them open")),
        Some(fault) => Check {
            remedy: Some(
                "restore the file from a backup; meanwhile rows of it are neither listed nor traced, and totals are told from what was added up before"
                    .to_owned(),
            ),
            health: Health::Bad,
            ..Check::good(&name, format!("{} of {count} are damaged, first {fault}", faults.len()))
        },
    })
}

/// Whether the figures have come as far as what is stored and, if not, whether they can.
fn calculation(parts: &TenantParts) -> anyhow::Result<Check> {
    let (tenant, db) = (parts.id, &parts.db);
    let name = format!("calculation of {tenant}");
    let behind = parts.behind()?;
    let first = db.read_blocking(move |rd| segments_from(rd, &own_work(tenant), 0, 1))?;
    if first.is_empty() && behind.calculated_to == 0 {
        return Ok(Check::good(&name, "nothing is stored yet that could be calculated"));
    }
    let Some(since) = behind.waiting_since else {
        return Ok(Check::good(&name, "everything that is stored is in the figures"));
    };
    let waits = format!("{} entries of the log wait since {since}", behind.entries());
    let Err(error) = rehearse(parts) else {
        return Ok(Check::note(
            &name,
            format!("{waits}: the server was ended before it had calculated them, and they can be"),
            "serve the folder: they are calculated within seconds",
        ));
    };
    if let Some(other) = error.downcast_ref::<OtherRules>() {
        return Ok(Check::note(
            &name,
            format!("{waits}: {other}"),
            "serve the folder: with the packs that are at hand everything is calculated anew, beside what is shown",
        ));
    }
    let remedy = if error.chain().any(|cause| cause.is::<Damaged>()) {
        "restore what is damaged from a backup; until then nothing new comes into the figures"
    } else {
        "keep a backup of the folder and report the cause; until it is mended nothing new comes into the figures"
    };
    Ok(Check {
        remedy: Some(remedy.to_owned()),
        health: Health::Bad,
        ..Check::good(&name, format!("{waits}, and calculating them fails: {error:#}"))
    })
}

/// Hashes the log anew.
fn log(db: &TenantDb) -> anyhow::Result<Check> {
    let tenant = db.tenant();
    let name = format!("log of {tenant}");
    let (size, differs) = db.read_blocking(move |rd| {
        let head = audit_head(rd)?;
        let (mut range, mut from) = (CompactRange::default(), 0);
        let mut differs = None;
        loop {
            let page = audit_entries_from(rd, &own_work(tenant), from, AT_A_TIME)?;
            let Some(last) = page.last() else { break };
            from = last.seq + 1;
            for entry in &page {
                let hash = leaf_hash(&entry.leaf);
                if hash != entry.leaf_hash {
                    differs.get_or_insert(format!("entry {} is not what was logged", entry.seq));
                }
                range.append(hash);
            }
        }
        if range.root() != head.root || from != head.size {
            differs.get_or_insert("its entries have another root than its head".to_owned());
        }
        Ok((head.size, differs))
    })?;
    Ok(match differs {
        None => Check::good(&name, format!("{size} entries lead to the head's root")),
        Some(what) => Check {
            remedy: Some("restore the database from a backup".to_owned()),
            health: Health::Bad,
            ..Check::good(&name, what)
        },
    })
}

/// Opens, counts and hashes every segment.
fn segments(db: &TenantDb, lake: &Lake, keys: &Arc<TenantKeys>) -> anyhow::Result<Check> {
    let tenant = db.tenant();
    let name = format!("segments of {tenant}");
    let (lake, keys) = (lake.clone(), Arc::clone(keys));
    let (rows, count, faults) = db.read_blocking(move |rd| {
        let (mut rows, mut count, mut faults, mut from) = (0_u64, 0_u64, Vec::new(), 0);
        loop {
            let page = segments_from(rd, &own_work(tenant), from, AT_A_TIME)?;
            let Some(last) = page.last() else { return Ok((rows, count, faults)) };
            from = last.seq + 1;
            for segment in &page {
                let manifest = manifest(rd, tenant, segment)?;
                rows += u64::from(segment.rows);
                count += 1;
                faults.extend(lake.fsck(&keys, [manifest]));
            }
        }
    })?;
    Ok(match faults.first() {
        None => {
            Check::good(&name, format!("{count} segments hold {rows} rows, each under its root"))
        }
        Some((segment, fault)) => Check {
            remedy: Some(
                "restore the file from a backup; nothing is answered from it meanwhile".to_owned(),
            ),
            health: Health::Bad,
            ..Check::good(
                &name,
                format!("{} of {count} are damaged, first {segment}: {fault}", faults.len()),
            )
        },
    })
}

fn manifest(
    rd: &mut TenantReader,
    tenant: TenantId,
    segment: &Segment,
) -> anyhow::Result<Manifest> {
    let inline = match segment.place {
        Place::Inline => segment_inline(rd, &own_work(tenant), segment.seq)?,
        Place::File { .. } => None,
    };
    Ok(Manifest {
        segment: segment.id,
        rows: u64::from(segment.rows),
        root: segment.root,
        place: segment.place.clone(),
        inline,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: &[&str], want: &str) {
        let found: Vec<String> = found.iter().map(|&line| line.to_owned()).collect();
        assert_eq!(pages("pages", &found).detail, want);
    }

    #[test]
    fn what_is_found_of_pages_is_no_count_of_pages() {
        check(&[], "every page is as it was written");
        check(&["page 7 is malformed"], "damaged: page 7 is malformed");
        check(&["page 7", "row 1", "row 2"], "damaged; 3 findings, first: page 7");
    }
}
